/* The stage by itself, with people who are simulated: each slot is a canvas
 * that shows its owner's colour, and what the page wants is assigned as the
 * relay does it. Tests call what stands in `sim`. */
import {loadWords} from '/lib/web/www/i18n.js';
import {el} from '/lib/web/www/dom.js';
import {openMenu} from '/lib/web/www/menu.js';
import {Model} from '/lib/web/www/model.js';
import {Stage} from '/lib/web/www/stage.js';
import {items} from '/lib/web/www/tileacts.js';

const CAMERAS = 25, SEND_MS = 20, FRAME_MS = 1000;
const NAMES = ['Ada Lindqvist', 'Mateo Ruiz', '陈思远', 'Priya Nair',
	'Tomasz Zając', 'Jonas Weber', '林晓雨', 'Noor Haddad', 'Sam Okafor',
	'Ingrid Moe', 'Kenji Mori', 'Lea Fontaine', 'Ravi Shah',
	'Olga Petrenko', 'Diego Luna', '王海', 'Hana Novák', 'Yusuf Kaya',
	'Emma Clarke', 'Paulo Reis', 'Zanele Dube', 'Finn Murphy', 'Mina Park',
	'Ilse de Vries'];
const hue = (user) => Number(user.replace(/\D/g, '')) * 47 % 360;

class Slot {
	user = null;
	rtp = null;
	kind = 'video';
	constructor(mid, source, w, h)
	{
		Object.assign(this, {mid, source});
		this.canvas = el('canvas', {width: w, height: h});
		this.pen = this.canvas.getContext('2d');
		this.stream = this.canvas.captureStream();
	}
	draw()
	{
		this.pen.fillStyle = `hsl(${hue(this.user)} 30% ${
			40 + Math.random() * 2}%)`;
		this.pen.fillRect(0, 0, this.canvas.width, this.canvas.height);
	}
}

const slots = [];
const model = new Model();
let stage, seq = 0, next = 0, sending = 0;

/* As the relay: who is not wanted loses the slot, who is wanted gets one. */
function assign(tracks)
{
	const wanted = tracks.filter((t) => t.height &&
		model.users.get(t.user)?.sources.has(t.source));
	const has = (s, t) => s.user === t.user && s.source === t.source;
	for (const s of slots)
		if (s.user && !wanted.some((t) => has(s, t))) give(s, null);
	for (const t of wanted) {
		if (slots.some((s) => has(s, t))) continue;
		const free = slots.find((s) => !s.user && s.source === t.source);
		if (free) give(free, t.user);
	}
}

function give(slot, user)
{
	Object.assign(slot, {user, rtp: null});
	stage.slot(slot);
	if (!user) return;
	setTimeout(() => {
		if (slot.user !== user) return;
		slot.draw();
		slot.rtp = -1;
		stage.slot(slot);
	}, SEND_MS);
}

function happens(type, data)
{
	model.apply({seq: ++seq, type, data,
		time: new Date(1e12 + seq * 1000).toISOString()});
	stage.update();
}

function join({cam = true, name, role = 'viewer'} = {})
{
	const user = `u${next++}`;
	happens('user.joined', {user, role, name: name ??
		NAMES[(next - 1) % NAMES.length]});
	happens('media.started', {user, source: 'mic'});
	if (cam) happens('media.started', {user, source: 'cam'});
	return user;
}

const own = el('canvas', {width: 320, height: 180});
const media = {
	slots,
	wants: [],
	want(tracks) {
		media.wants = tracks;
		clearTimeout(sending);
		sending = setTimeout(() => assign(tracks), SEND_MS);
	},
};
const me = {media, speaking: true, showing: true, screen: null,
	preview: null, stopShare() { me.screen = null; stage.update(); }};
const room = {
	menu(user, anchor) {
		const list = items(stage, model, user);
		if (list.length) openMenu(anchor, list, {label: 'Actions'});
	},
	announcer: {said: [], say(text) { this.said.push(text); }},
	show(what) { room.shown = what; },
};

window.sim = {model, media, me, room, join, happens, items,
	get stage() { return stage; },
	/* Frames of all slots go on by themselves. */
	play() {
		setInterval(() => {
			for (const s of slots) if (s.user) s.draw();
		}, FRAME_MS);
	},
	/* Or all show a camera, whose frames cost this page's script nothing. */
	async camera() {
		const [track] = (await navigator.mediaDevices.getUserMedia(
			{video: {width: 320, height: 180}})).getTracks();
		for (const s of slots) {
			s.stream = new MediaStream([track.clone()]);
			if (s.user) stage.slot(s);
		}
	},
	people(n) { while (model.users.size < n) join(); },
	/* n come and go, `together` at a time, each laid out; not at the pace
	 * of a screen. */
	async pass(n, together = 1) {
		const {port1, port2} = new MessageChannel();
		const paced = window.requestAnimationFrame, due = [];
		const turn = () => new Promise((done) => {
			port1.onmessage = () => {
				due.splice(0).forEach((fn) => fn(performance.now()));
				done();
			};
			port2.postMessage(0);
		});
		window.requestAnimationFrame = (fn) => due.push(fn);
		for (let i = 0; i < n; i += together) {
			const all = Array.from({length: together}, () => join());
			await turn();
			for (const user of all) happens('user.left', {user});
			await turn();
		}
		window.requestAnimationFrame = paced;
	},
};

await loadWords();
for (let i = 0; i < CAMERAS; i++) slots.push(new Slot(i, 'cam', 160, 90));
slots.push(new Slot(CAMERAS, 'screen', 320, 200));
own.getContext('2d').fillRect(0, 0, 320, 180);
me.preview = own.captureStream(5);
model.reset({seq: 0, chat: [], meeting: {name: 'Platform weekly'},
	users: [], user: {user: 'u999', name: 'Me', role: 'viewer',
		joined: '2020-01-01T00:00:00Z', sources: ['mic', 'cam']}});
stage = new Stage({model, me}, room, el('div.invite', {}, 'alone'));
const phone = innerWidth < 640;
document.body.append(el('div.room', {}, el('header.top'),
	el('main', {}, stage.node), el('footer.bar', {id: 'bar'},
		el('button', {id: 'after'}, phone ? '' : 'after'))));
stage.update();
window.ready = true;
