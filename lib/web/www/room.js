/* room - the meeting itself: stage, one control bar, at most one panel, and
 * what lies over the stage for a moment. */
import { el, icon, phone, plain, setText } from './dom.js';
import { Bar } from './bar.js';
import { canCall, canChooseSpeaker } from './devices.js';
import { t } from './i18n.js';
import { inviting } from './invite.js';
import { load } from './load.js';
import { News } from './news.js';
import { Announcer, Banner, Toasts } from './notices.js';
import { Stage } from './stage.js';
import { States } from './states.js';

/* Three voices and the sound of a shared screen. */
const SOUNDS = 4;
const PENDING_MS = 150;
const GUARD_MS = 50;

class Room {
	/* Until the first of them is opened. */
	panels = { open: null, now: null, node: null, update() {} };
	people = { menu: (user, anchor) => this.menu(user, anchor) };
	#app; #sounds; #busy = new WeakSet(); #clock = 0;
	#unkey = () => document.removeEventListener('keydown', this.#firstKey);
	#last = null;

	constructor(app) {
		this.#app = app;
		this.toasts = new Toasts(() => this.#shown());
		this.announcer = new Announcer();
		this.banner = new Banner(() => this.#tryNow(),
			text => this.announcer.say(text, { urgent: true }));
		this.news = new News(app, this);
		this.stage = new Stage(app, this, this.#invite());
		this.bar = new Bar(app, this);
		this.states = new States(app, this);
		this.#sounds = Array.from({ length: SOUNDS },
			() => el('audio', { autoplay: true }));
		this.#frame();
		document.addEventListener('keydown', this.#firstKey);
		this.#clock = setInterval(() => {
			this.bar.time(Date.now());
			this.#guard();
		}, 1000);
		addEventListener('resize', this.#resized);
		this.slots();
	}

	get app() { return this.#app; }

	/* A module that is wanted; while there is no way to it, that is said. */
	async load(name) {
		try {
			return await load(name);
		} catch (error) {
			if (!this.panels.open) this.failed(t('not_now'));
			throw error;
		}
	}

	#frame() {
		this.title = el('h1.hide', { tabindex: '-1' });
		this.main = el('main', {}, this.title, this.stage.node,
			this.banner.node);
		const skip = el('a.skip', { href: '#bar', onclick: event => {
			event.preventDefault();
			this.bar.mic.node.focus();
		} }, t('skip'));
		this.root = el('div.room', { onfocusin: event => {
			this.#last = event.target;
		} }, skip, this.bar.header, this.main, this.bar.node,
		this.toasts.node,
		this.announcer.polite, this.announcer.assert, this.#sounds);
		new ResizeObserver(() => this.root.style.setProperty('--toasts',
			`${this.toasts.node.offsetHeight}px`)).observe(this.toasts.node);
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
		removeEventListener('resize', this.#resized);
		this.#unkey();
		this.states.close();
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
		this.panels.update();
		this.bar.update();
		this.states.update();
		setText(this.inviteText, t(model.moderator ? 'send_link'
			: 'others_come'));
		this.copy.hidden = !model.moderator;
		this.#guard();
	}

	/* What had the focus and is not there any more passes it on, once the
	 * browser has noticed. */
	#guard() {
		const lost = node => !node.isConnected
			|| !node.getClientRects().length;
		setTimeout(() => {
			const last = this.#last, now = document.activeElement;
			if (!last || !lost(last) || !this.root.isConnected
				|| (now !== document.body && !lost(now))) return;
			(this.bar.node.contains(last) ? this.bar.more.node
				: this.panels.open ? this.panels.heading
					: this.title).focus();
		}, GUARD_MS);
	}

	#resized = () => {
		this.bar.update();
		this.covered(!!this.panels.open && phone());
		this.#guard();
	};

	/* A panel fills the whole page: what is below it rests. */
	covered(on) {
		for (const node of [this.bar.header, this.main, this.bar.node])
			node.inert = on;
		this.stage.shade(on);
	}

	/* The whole screen is shown to others: only failures are said on it. */
	#shown() {
		const [track] = this.#app.me.screen?.getVideoTracks() ?? [];
		return track?.getSettings().displaySurface === 'monitor';
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
		const again = () => this.press(button, fn);
		const timer = setTimeout(() =>
			button.setAttribute('aria-busy', 'true'), PENDING_MS);
		try {
			const problem = await fn();
			if (typeof problem === 'string' && problem) {
				button.classList.add('failed');
				this.notice(t(problem), 'warn', again);
			}
		} catch (error) {
			button.classList.add('failed');
			this.notice(this.#why(error), 'warn', again);
		}
		clearTimeout(timer);
		button.removeAttribute('aria-busy');
		this.#busy.delete(button);
	}

	#why({ kind, message }) {
		if (kind === 'unavailable') return t('not_now');
		return `${kind === 'denied' ? `${t('only_moderators')} ` : ''}${
			t('refused', { reason: plain(message) })}`;
	}

	/* Said and shown: the first sentence large, the next step below. What
	 * failed stays until it is closed. */
	notice(text, mark, again, key = 'notice') {
		this.announcer.say(text, { urgent: true });
		const [, title, more] = /^(.*?[.。])\s*(.*)$/s.exec(text)
			?? [, text, ''];
		this.toasts.show({ key, icon: mark, title, text: more,
			stays: mark === 'warn',
			action: again && { word: t('try_again'), run: again } });
	}

	failed(text) { this.notice(text, 'warn'); }

	/* Pressed by its letter: who does not look at the bar hears of it. */
	async byKey(key) {
		const { me } = this.#app, { node } = this.bar[key];
		const before = me.speaking;
		node.click();
		await new Promise(requestAnimationFrame);
		if (me.speaking !== before) this.announcer.say(t(me.speaking
			? 'heard_now' : 'muted_now'), { urgent: true });
	}

	/* Who uses no keyboard needs nothing of it. */
	#firstKey = async event => {
		if (event.key === 'F6') event.preventDefault();
		const { onKeys } = await import('./keys.js');
		this.#unkey();
		this.#unkey = onKeys(this, event);
	};

	/* Opens a panel, or closes it when it is open already. */
	async show(which) {
		if (!this.panels.node) {
			const { Panels } = await this.load('panels');
			if (!this.panels.node) {
				this.panels = new Panels(this.#app, this);
				this.bar.node.after(this.panels.node);
			}
		}
		return this.panels.show(which);
	}

	async help() {
		const opener = document.activeElement;
		(await load('help')).openHelp(opener);
	}

	/* What may be done about this person. */
	async menu(user, anchor) {
		(await load('acts')).actions(this, user, anchor);
	}

	/* Opens the chat to write to one person, or to everyone. */
	async write(user) {
		const chat = this.panels.open === 'chat' ? this.panels.now
			: await this.show('chat');
		chat?.address(user);
		chat?.focus();
	}

	lost(...what) { this.states.tell('lost', ...what); }
	back(kind) { this.states.tell('back', kind); }
	happened(event, before) { this.news.happened(event, before); }
}

export const roomPage = app => new Room(app);
