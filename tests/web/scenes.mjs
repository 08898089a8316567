/* The scenes of the client, brought about for real in one browser: real
 * people with real media whose cameras show one still colour, and more of
 * them who are in the meeting but whose pictures are made in the page. Each
 * scene is shown to a visitor, who takes its picture or examines it. */
import {existsSync} from 'node:fs';
import {join} from 'node:path';
import process from 'node:process';
import {below, person, root, until} from './lib.mjs';
import {user} from './signal.mjs';

export const FORMS = {
	small: {viewport: {width: 900, height: 500}}, /* of the others */
	desktop: {viewport: {width: 1440, height: 900}},
	phone: {viewport: {width: 390, height: 844}, hasTouch: true,
		isMobile: true},
};
const www = join(root, 'lib/web/www');
const TITLE = 'Platform weekly';
const ME = 'Priya Nair', PEOPLE = ['Ada Lindqvist', 'Mateo Ruiz', '陈思远'];
const GHOSTS = ['Grace Okafor', 'Jonas Weber', 'Leila Haddad', 'Tom Baker',
	'Yuki Tanaka', 'Sofia Rossi', 'Ivan Petrov', 'Chloe Martin',
	'Omar Farouk', 'Nina Larsen', 'David Kim', 'Elena Popescu',
	'Samuel Osei', 'Hanna Virtanen', 'Luis Moreno', 'Amara Diallo',
	'Peter Novak', 'Mei Lin', 'Julia Schmidt', 'Kofi Mensah',
	'Anna Kowalska', '王小明'];

/* The words of a language, whichever files they are in. */
export async function words(lang)
{
	const all = {};
	for (const f of [`words-${lang}.js`, `later-${lang}.js`])
		if (existsSync(join(www, f)))
			Object.assign(all, (await import(join(www, f))).default);
	return all;
}

/* Runs in the page before its own code: a microphone of silence, a camera and
 * a screen of one colour, devices with the same names everywhere. A cut
 * page's socket ends, and finds no server until it is mended. */
const shim = (colour) => {
	const media = navigator.mediaDevices;
	const picture = (w, h) => {
		const canvas = document.createElement('canvas');
		Object.assign(canvas, {width: w, height: h});
		const g = canvas.getContext('2d');
		setInterval(() => {
			g.fillStyle = colour;
			g.fillRect(0, 0, w, h);
		}, 400);
		return canvas.captureStream(3).getVideoTracks()[0];
	};
	const silence = () => {
		const context = new AudioContext();
		const nothing = context.createConstantSource();
		const out = context.createMediaStreamDestination();
		/* Far below what is heard, but not what a dead one gives. */
		nothing.offset.value = 1e-4;
		nothing.connect(out);
		nothing.start();
		context.resume();
		return out.stream.getAudioTracks()[0];
	};
	media.getUserMedia = async ({audio, video}) => new MediaStream([
		...audio ? [silence()] : [], ...video ? [picture(320, 180)] : []]);
	media.getDisplayMedia = async () =>
		new MediaStream([picture(1280, 720)]);
	media.enumerateDevices = async () => [['audioinput', 'microphone'],
		['videoinput', 'camera'], ['audiooutput', 'speakers']]
		.map(([kind, word]) => ({kind, deviceId: word, groupId: 'g',
			label: `Built-in ${word}`}));
	const Real = WebSocket, open = new Set();
	window.WebSocket = class extends Real {
		constructor(url) {
			super(window.cut ? `${url}-cut` : url);
			open.add(this);
		}
	};
	window.cutOff = (on) => {
		window.cut = on;
		if (on) for (const s of open) s.close();
	};
};
const COLOURS = {[ME]: '#3d5a6c', 'Ada Lindqvist': '#6b4a3a',
	'Mateo Ruiz': '#35604f', '陈思远': '#54437a'};

export class Cast {
	#n = 0;

	constructor(kit, browser)
	{
		this.kit = kit;
		this.browser = browser;
		this.problems = [];
	}

	/* A meeting of its own: {id, moderator, viewer}, the last two links. */
	async meeting()
	{
		const id = `scene${++this.#n}`, m = {id};
		await this.kit.ctl('create', TITLE, '--id', id, '--set',
			'empty_ms=0');
		for (const role of ['moderator', 'viewer'])
			m[role] = (await this.kit.ctl('link', id, '--role', role))
				.out.trim();
		return m;
	}

	async page(link, name, {form = 'small', lang = 'en', init} = {})
	{
		const p = await person(this.browser, link, {lang, query:
			`lang=${lang}`, name, ...FORMS[form], init: init ??
			`(${shim})(${JSON.stringify(COLOURS[name] ?? '#444')})`});
		p.words = await words(lang);
		p.form = form;
		p.lang = lang;
		p.button = (key) => p.getByRole('button', {name: p.words[key],
			exact: true});
		p.press = (key) => p.button(key).click();
		/* In the bar, or in More where there is no room for it. */
		p.key = async (key) => {
			if (await p.button(key).count()) return p.press(key);
			await p.press('more');
			await p.getByRole('menuitem', {name: p.words[key],
				exact: true}).click();
		};
		return p;
	}

	/* In the meeting without a page. */
	ghost(m, name)
	{
		const {host, hash} = new URL(m.viewer);
		return user({ws: `ws://${host}/ws`}, {token: hash.slice(3)}, name);
	}
}

/* In the room, in the company of so many whom one sees and could hear. */
export async function enters(p, seen = 0)
{
	await p.press('join');
	await p.locator('.stage').waitFor();
	await live(p, seen);
}

export const live = (p, n) => until(30, () => p.locator('.tile.cam')
	.evaluateAll((all, wanted) => all.length > wanted && all.every((t) =>
		!t.classList.contains('covered') && t.querySelector('video')
			.videoWidth && !t.querySelector('.chip > .icon')
			.checkVisibility()), n)) ?? Promise.reject(new Error(`no ${n} cameras`));

/* Finds the page's app, at its next change. */
const lookInto = (p) => p.evaluate(async () => {
	const {App} = await import('/app.js');
	const real = App.prototype.changed;
	App.prototype.changed = function (what) {
		window.theApp = this;
		return real.call(this, what);
	};
});

/* Pictures, made in the page, for the people who have none. */
const simulate = (p) => p.evaluate(() => {
	const app = window.theApp;
	let n = app.me.media.slots.length;
	for (const u of app.model.users.values()) {
		if (u.user === app.model.me || u.sources.has('cam')) continue;
		const canvas = document.createElement('canvas');
		const g = canvas.getContext('2d');
		setInterval(() => g.fillRect(0, 0, 300, 150), 500);
		const slot = {mid: `sim${n++}`, kind: 'video', source: 'cam',
			slot: n, stream: canvas.captureStream(2),
			user: u.user, rtp: -1};
		app.me.media.slots.push(slot);
		u.sources.add('cam');
		app.view.slot(slot);
	}
	app.changed('users');
});

/* ---- the walk ---- */

async function beforeJoining(cast, visit, form)
{
	const m = await cast.meeting();
	const here = [];
	for (const name of PEOPLE) here.push(await cast.ghost(m, name));
	const me = await cast.page(m.moderator, ME, {form});
	await me.locator('.here .disc').nth(2).waitFor();
	await until(5, () => me.locator('.preview video').evaluate((v) =>
		v.videoWidth));
	await visit('join', me);
	if (await me.button('devices').isVisible()) {
		await me.press('devices');
		await me.locator('dialog[open]').waitFor();
		await visit('devices', me);
		await me.keyboard.press('Escape');
	}
	for (const g of here) {
		await g.call('user.leave');
		g.close();
	}
	return {m, me};
}

/* What may be in the way: no devices, no meeting yet. */
async function denied(cast, visit, form, m)
{
	const p = await cast.page(m.viewer, ME, {form, init: `(${() => {
		navigator.mediaDevices.getUserMedia = async () => {
			throw new DOMException('no', 'NotAllowedError');
		};
	}})()`});
	await p.locator('.blocked').waitFor();
	await visit('denied', p);
	await p.context().close();
	const {out} = await cast.kit.ctl('link', m.id, '--from', '10m');
	const q = await cast.page(out.trim(), ME, {form});
	await q.locator('.card').waitFor();
	await until(5, () => q.locator('.preview video').evaluate((v) =>
		v.videoWidth));
	await visit('waiting', q);
	await q.context().close();
}

/* The third of the others has the page in Chinese. */
async function company(cast, visit, form, m, me)
{
	await enters(me, 0);
	await lookInto(me);
	await visit('room1', me);
	const others = [await cast.page(m.moderator, PEOPLE[0])];
	await enters(others[0], 1);
	await live(me, 1);
	await visit('room2', me);
	others.push(await cast.page(m.viewer, PEOPLE[1]));
	await enters(others[1], 2);
	const zh = await cast.page(m.viewer, PEOPLE[2], {form, lang: 'zh'});
	await zh.locator('.here .disc').nth(2).waitFor();
	await visit('join', zh);
	await enters(zh, 3);
	await live(me, 3);
	await visit('room4', me);
	await visit('room4', zh);
	return [...others, zh];
}

const says = async (p, text) => {
	if (!await p.locator('textarea').isVisible()) await p.press('chat');
	await p.locator('textarea').fill(text);
	await p.keyboard.press('Enter');
	await p.locator('.messages').getByText(text).waitFor();
};

async function panels(visit, me, [ada, mateo, chen])
{
	await me.press('chat');
	await says(ada, 'Good morning. The numbers are at ' +
		'https://example.org/weekly');
	await says(mateo, 'Thanks, I am reading them.');
	await says(chen, '大家好，声音正常吗？');
	await says(me, 'Loud and clear.');
	await me.locator('.messages').getByText('大家好').waitFor();
	await visit('chat', me);
	await me.keyboard.press('Escape');
	await me.press('people');
	await mateo.press('raise_hand');
	await ada.press('mute');
	await me.locator('.person .up:not([hidden])').first().waitFor();
	await me.locator('.person .icon.off').first().waitFor();
	await visit('people', me);
	await me.keyboard.press('Escape');
	await me.key('settings');
	await me.locator('.settings').waitFor();
	await visit('settings', me);
	await me.keyboard.press('Escape');
	await mateo.press('lower_hand');
	await ada.press('unmute');
}

async function layers(visit, me, [ada, mateo])
{
	await me.press('more');
	await visit('more', me);
	await me.getByRole('menuitem', {name: me.words.end_all}).click();
	await me.locator('.question').waitFor();
	await visit('question', me);
	await me.press('cancel');
	await me.locator('.tile.cam').first().focus();
	await me.keyboard.press('Enter');
	await me.locator('.menu').waitFor();
	await visit('tilemenu', me);
	await me.keyboard.press('Escape');
	if (me.words.help_title || me.words.shortcuts) {
		await me.keyboard.press('?');
		const sheet = me.locator('dialog[open]');
		if (await until(3, () => sheet.isVisible())) {
			await visit('help', me);
			await me.keyboard.press('Escape');
		}
	}
	await says(mateo, 'Shall we begin?');
	await me.locator('.toast', {hasText: 'Shall we begin'}).hover();
	await visit('toast', me);
	await me.mouse.move(0, 0);
	await me.key('share_screen');
	await me.locator('.sharing').waitFor();
	await visit('sharing', me);
	await me.locator('.sharing').getByRole('button').click();
	await ada.press('share_screen');
	await until(20, () => me.locator('.tile.screen:not(.covered) video')
		.evaluate((v) => v.videoWidth > 1000));
	await visit('screen', me);
	await ada.locator('.k-share').click();
	await me.locator('.tile.screen').waitFor({state: 'detached'});
}

async function crowd(cast, visit, m, me)
{
	const ghosts = [];
	const grow = async (n) => {
		while (ghosts.length < n - 4)
			ghosts.push(await cast.ghost(m, GHOSTS[ghosts.length]));
		await until(10, () => me.locator('.k-people .badge').evaluate(
			(b, wanted) => b.textContent === wanted, `${n}`));
		await simulate(me);
		await until(10, () => me.locator('.tile.covered').count()
			.then((c) => !c));
		await visit(`room${n}`, me);
	};
	await grow(9);
	await grow(25);
	for (const g of ghosts) {
		await g.call('user.leave');
		g.close();
	}
	await live(me, 3);
}

/* The relay stands still, then the server is out of reach. */
async function losses(cast, visit, me)
{
	const relay = below(cast.kit.process.pid, 'conf-relay')[0];
	process.kill(relay, 'SIGSTOP');
	try {
		await me.locator('.banner[data-kind=media]').waitFor();
		await until(5, () => me.locator('.frozen').count());
		await visit('reconnect', me);
	} finally {
		process.kill(relay, 'SIGCONT');
	}
}

async function cuts(visit, me)
{
	await me.evaluate(() => window.cutOff(true));
	await me.locator('.banner[data-kind=control]').waitFor();
	await visit('controls', me);
	await me.evaluate(() => window.cutOff(false));
	await me.locator('.banner').waitFor({state: 'hidden', timeout: 15000})
		.catch(() => {});
}

async function ends(cast, visit, form, m, me)
{
	await me.press('leave');
	await me.locator('.gone').waitFor();
	await visit('left', me);
	const p = await cast.page(m.viewer.replace(/#.*/, ''), undefined, {form});
	await p.locator('.gone').waitFor();
	await visit('nolink', p);
	await p.context().close();
	/* A reload that finds no server yet. */
	const q = await cast.page(m.viewer, ME, {form});
	await q.press('join');
	await q.locator('.stage').waitFor();
	await q.addInitScript('window.cut = true');
	await q.reload();
	await q.locator('main.wait').waitFor();
	await visit('connecting', q);
	await q.context().close();
}

/* All of them in this form; visit(name, page) sees each. */
export async function walk(cast, form, visit, {skip = []} = {})
{
	const {m, me} = await beforeJoining(cast, visit, form);
	await denied(cast, visit, form, m);
	const others = await company(cast, visit, form, m, me);
	await panels(visit, me, others);
	await layers(visit, me, others);
	await crowd(cast, visit, m, me);
	await cuts(visit, me);
	if (!skip.includes('reconnect')) await losses(cast, visit, me);
	await ends(cast, visit, form, m, me);
	cast.problems.push(...me.problems.filter((s) => !/WebSocket/.test(s)));
	for (const p of [me, ...others]) await p.context().close();
}
