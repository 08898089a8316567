/* room - the meeting itself: stage, one control bar, at most one panel, and
 * what lies over the stage for a moment. */
import { bdi, children, el, icon, plain, setText } from './dom.js';
import { Bar } from './bar.js';
import { Chat } from './chat.js';
import { canCall, canChooseSpeaker, meter } from './devices.js';
import { named, t, tn } from './i18n.js';
import { onKeys } from './keys.js';
import { phone } from './menu.js';
import { Announcer, Banner, Toasts } from './notices.js';
import { People, inviting } from './people.js';
import { Stage } from './stage.js';

/* Three voices and the sound of a shared screen. */
const SOUNDS = 4;
const PENDING_MS = 150;
const MANY = 10;
const SPOKEN = 200;
const SPEECH_DB = -45;

class Room {
	panel = null;
	#app; #sounds; #busy = new WeakSet(); #clock = 0;
	#opener = null; #metered = null; #stopMeter = null; #unkey = null;

	constructor(app) {
		this.#app = app;
		this.toasts = new Toasts();
		this.announcer = new Announcer();
		this.banner = new Banner(() => this.#tryNow());
		this.stage = new Stage(app, this, this.#invite());
		this.people = new People(app, this);
		this.chat = new Chat(app);
		this.panels = { chat: this.chat, people: this.people };
		this.bar = new Bar(app, this);
		this.#sounds = Array.from({ length: SOUNDS },
			() => el('audio', { autoplay: true }));
		this.#frame();
		this.#unkey = onKeys(this);
		this.#clock = setInterval(() => this.bar.time(Date.now()), 1000);
		this.slots();
	}

	get app() { return this.#app; }

	#frame() {
		this.title = el('h1.hide');
		this.main = el('main', {}, this.title, this.stage.node,
			this.banner.node, this.toasts.node);
		this.heading = el('h2', { tabindex: '-1' });
		this.count = el('span.count');
		this.tools = el('span');
		this.body = el('div.body');
		this.aside = el('aside.panel', { hidden: true }, el('header', {},
			this.heading, this.count, this.tools, el('button.quiet.bare', {
				...named('close'), onclick: () => this.show(null) },
			icon('x', 20))),
		this.body);
		this.root = el('div.room', {},
			el('a.skip', { href: '#bar' }, t('skip')),
			this.bar.header, this.main, this.bar.node, this.aside,
			this.announcer.polite, this.announcer.assert, this.#sounds);
		this.nodes = [this.root];
	}

	#invite() {
		this.inviteText = el('p.soft');
		const { field, button } = inviting(this.#app, this, 'primary',
			'copy_link', icon('link', 20));
		this.copy = button;
		return el('div.invite', {}, el('h2', {}, t('first_here')),
			this.inviteText, el('div.copy', {}, field, button));
	}

	shown() {
		this.title.focus();
		if (!canCall) this.failed(t('no_webrtc'));
	}

	close() {
		clearInterval(this.#clock);
		this.#unkey();
		this.#stopMeter?.();
		this.stage.close();
		for (const sound of this.#sounds) sound.srcObject = null;
		for (const dialog of document.querySelectorAll('dialog'))
			dialog.close();
	}

	update(what) {
		const { model, me, online } = this.#app;
		const name = model.meeting.name ?? '';
		document.title = `${name} - confkit`;
		setText(this.title, name);
		this.main.setAttribute('aria-label', name);
		const media = me.media?.state ?? 'connecting';
		this.banner.set(media === 'lost' ? 'media'
			: online ? '' : 'control');
		this.root.classList.toggle('lost', media === 'lost');
		if (what !== 'chat') this.stage.update();
		this.people.update();
		this.chat.update();
		this.bar.update();
		this.#level();
		this.#head();
		setText(this.inviteText, t(model.moderator ? 'send_link'
			: 'others_come'));
		this.copy.hidden = !model.moderator;
	}

	#head() {
		const panel = this.panel && this.panels[this.panel];
		if (!panel) return;
		setText(this.heading, t(panel.word));
		setText(this.count, panel.count ? String(panel.count) : '');
		children(this.tools, panel.tools ?? []);
	}

	/* One's own level, in the bar and for the ring. */
	#level() {
		const { me, model } = this.#app;
		const { mic } = me.devices;
		const track = me.speaking ? mic : null;
		if (track === this.#metered) return;
		this.#stopMeter?.();
		this.#metered = track;
		this.bar.level(0);
		this.#stopMeter = track && meter(track, (level, db) => {
			this.bar.level(level);
			if (db > SPEECH_DB)
				this.stage.levels([{ user: model.me, level: -db }]);
		});
	}

	levels(levels) {
		const { model } = this.#app;
		this.stage.levels(levels.filter(l => l.user !== model.me));
	}

	slot(slot) {
		if (slot.kind === 'video') return this.stage.slot(slot);
		this.#listen();
	}

	slots() {
		this.#listen();
		this.stage.slots();
	}

	#listen() {
		const heard = this.#app.me.media?.slots
			.filter(s => s.kind === 'audio') ?? [];
		this.#sounds.forEach((sound, i) => {
			const stream = heard[i]?.stream ?? null;
			if (sound.srcObject === stream) return;
			sound.srcObject = stream;
			if (stream) this.#play(sound);
		});
	}

	async #play(sound) {
		const sink = this.#app.me.devices.speaker();
		if (sink && canChooseSpeaker)
			await sound.setSinkId(sink).catch(() => {});
		try {
			await sound.play();
		} catch (error) {
			if (error.name === 'NotAllowedError') this.toasts.show({
				key: 'sound', icon: 'spk', title: t('sound_paused'),
				stays: true, action: { word: t('hear'),
					run: () => this.#sounds.forEach(s => s.play()) } });
		}
	}

	/* After another speaker was chosen. */
	speaker() { for (const sound of this.#sounds) this.#play(sound); }

	#tryNow() {
		this.#app.control.retry();
		this.#app.me.media?.restart();
	}

	/* Runs a command of a button: busy after a moment, a second press is
	 * ignored, and a failure is said in words and marked until the next
	 * press. `fn` resolves with '' or the key of a sentence. */
	async press(button, fn) {
		if (this.#busy.has(button)) return;
		this.#busy.add(button);
		button.classList.remove('failed');
		const timer = setTimeout(() =>
			button.setAttribute('aria-busy', 'true'), PENDING_MS);
		try {
			const problem = await fn();
			if (typeof problem === 'string' && problem) {
				button.classList.add('failed');
				this.notice(t(problem), 'warn',
					() => this.press(button, fn));
			}
		} catch (error) {
			button.classList.add('failed');
			this.#app.fail(error);
		}
		clearTimeout(timer);
		button.removeAttribute('aria-busy');
		this.#busy.delete(button);
	}

	/* Said and shown. What failed stays until it is closed. */
	notice(text, mark, again) {
		this.announcer.say(text, true);
		this.toasts.show({ key: 'notice', icon: mark, title: text,
			stays: mark === 'warn',
			action: again && { word: t('try_again'), run: again } });
	}

	failed(text) { this.notice(text, 'warn'); }

	/* Opens a panel, or closes it when it is open already. */
	async show(which) {
		const before = this.panel;
		if (which === before) which = null;
		if (which === 'settings' && !this.panels.settings) {
			const { Settings } = await import('./settings.js');
			this.panels.settings = new Settings(this.#app, this);
		}
		if (!before) this.#opener = document.activeElement;
		this.panel = which;
		if (before) this.panels[before].shown(false);
		for (const panel of Object.values(this.panels)) {
			panel.body.hidden = panel !== this.panels[which];
			if (!panel.body.parentNode) this.body.append(panel.body);
		}
		this.aside.hidden = !which;
		this.stage.shade(!!which && phone());
		this.#head();
		this.bar.update();
		if (!which) return this.#opener?.focus();
		this.panels[which].shown(true);
		if (this.panels[which].focus) this.panels[which].focus();
		else this.heading.focus();
	}

	/* Opens the chat to write to one person. */
	write(user) {
		if (this.panel !== 'chat') this.show('chat');
		this.chat.address(user);
		this.chat.focus();
	}

	/* What others did: a toast where it helps, a sentence for readers. */
	happened(event, before) {
		const { model } = this.#app;
		const { type, data } = event;
		const user = data.user === model.me ? null
			: model.users.get(data.user) ?? before;
		if (type === 'chat.said') this.#said(event);
		else if (!user) return;
		else if (type === 'user.joined') this.#came(user);
		else if (type === 'user.left' || type === 'user.kicked')
			this.announcer.say(t('left', { name: plain(user.name) }));
		else if (type === 'user.hand' && data.up) this.#raised(user);
	}

	#came({ name }) {
		this.announcer.say(t('came', { name: plain(name) }));
		if (this.#app.model.users.size <= MANY)
			this.toasts.show({ key: 'joined', icon: 'people',
				title: tn('came', { name }) });
	}

	#raised({ user, name }) {
		const { model } = this.#app;
		const n = model.hand(user);
		this.announcer.say(t('raised', { name: plain(name), n }));
		if (model.moderator) this.toasts.show({ key: `hand-${user}`, user,
			name, title: tn('raised', { name, n }) });
	}

	#said({ seq }) {
		const row = this.#app.model.chat.find(r => r.seq === seq);
		if (!row || row.mine) return;
		this.chat.came(row);
		const text = plain(row.text);
		this.announcer.say(`${row.to ? `${t('only_you')}. ` : ''}${
			plain(row.name)}: ${text.slice(0, SPOKEN)}`);
		if (this.panel === 'chat') return;
		this.toasts.show({ key: `chat-${row.user}`, user: row.user || row.name,
			name: row.name, title: [bdi(row.name), ' ',
				t(row.to ? 'to_you' : 'to_everyone')],
			text: text.slice(0, SPOKEN), action: { word: t('reply'),
				run: () => row.to ? this.write(row.user)
					: this.panel !== 'chat' && this.show('chat') } });
	}
}

export const roomPage = app => new Room(app);
