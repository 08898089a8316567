/* join - the page before the meeting: who one will be, what others will get
 * of one, and a button that never waits for a device. */
import { attrs, disc, el, icon, plain, setIcon, setText }
	 from './dom.js';
import { LANGUAGES, lang, locale, t } from './i18n.js';
import { canCall, canChooseSpeaker, meter } from './devices.js';
import { forEver } from './keep.js';
import { load } from './load.js';

const CELLS = 24, FEWER = 14;
const AWAY_MS = 3e3, BACK_MS = 5e3;
const KINDS = [['mic', 'mic', 'microphone'], ['cam', 'cam', 'camera'],
	['spk', 'spk', 'speaker']];

const phone = () => matchMedia('(max-width: 639px)').matches;
const short = full => plain(full).trim().split(/\s+/)[0];

export function languagePick() {
	const select = el('select.quiet', { 'aria-label': t('language'),
		onchange() {
			forEver.setItem('confkit.lang', select.value);
			const url = new URL(location);
			url.searchParams.delete('lang');
			location.replace(url);
			if (url.href === location.href) location.reload();
		} }, LANGUAGES.map(([id, word]) => el('option',
		{ value: id, selected: id === lang, lang: id }, word)));
	return select;
}

/* Who is here, from the hello: at most three names and a number. */
function here({ users = 0, names = [] }) {
	if (!users) return [t('nobody_here')];
	if (!names.length)
		return [t(users === 1 ? 'one_here' : 'n_here', { n: users })];
	const who = names.map(short), more = users - who.length;
	if (more) who.push(t(more === 1 ? 'one_other' : 'n_others', { n: more }));
	return [el('span.discs', { 'aria-hidden': 'true' },
		names.map(name => disc(name, name, true))),
	el('bdi', {}, t(users === 1 ? 'is_here' : 'are_here',
		{ who: new Intl.ListFormat(locale).format(who) }))];
}

/* One device select for each kind; the room's settings use it as well. */
export function devicePicks(app, speaker = () => {}) {
	const { devices } = app.me;
	const picks = KINDS.map(([kind, id, word]) => {
		const select = el('select', { 'aria-label': t(word),
			async onchange() {
				await devices.choose(kind, select.value);
				if (kind === 'spk') speaker();
			} });
		const label = el('label.pick', {}, icon(id, 20), select,
			icon('down', 16));
		return { kind, select, label };
	});
	async function update() {
		const all = await devices.list();
		for (const { kind, select, label } of picks) {
			label.hidden = kind === 'spk' && !canChooseSpeaker;
			const list = all[kind];
			select.disabled = !list.length;
			select.replaceChildren(...list.length
				? list.map(d => el('option',
					{ value: d.id, selected: d.chosen }, d.label))
				: [el('option', {}, t(`none_${kind}`))]);
		}
	}
	return { nodes: Object.fromEntries(picks.map(p => [p.kind, p.label])),
		update };
}

function pill(key, onclick) {
	const mark = icon(key), word = el('span');
	const node = el('button.pill', { type: 'button', onclick }, mark, word);
	return { node, set(on, label, name) {
		setIcon(mark, on ? key : `${key}off`);
		setText(word, t(label));
		node.classList.toggle('off', !on);
		attrs(node, { title: name && t(name) });
	} };
}

class Join {
	#app; #stopMeter = null; #metered = null; #watched = false;
	#note = ''; #stopTest = null; #away = 0; #covers = '';

	constructor(app) {
		this.#app = app;
		this.#left();
		this.#right();
		this.nodes = [
			el('header.head', {}, el('span.mark', {}, icon('chat', 20),
				'confkit'), languagePick()),
			el('main.join', {}, this.left, this.right),
			this.alert = el('div.hide', { role: 'alert' }),
		];
	}

	get name() { return this.field.value; }

	#left() {
		this.video = el('video.mirror', { playsinline: true, muted: true,
			autoplay: true, 'aria-hidden': 'true' });
		this.video.muted = true;
		this.cover = el('div.cover');
		this.mic = pill('mic', () => this.#toggle('Mic'));
		this.cam = pill('cam', () => this.#toggle('Cam'));
		this.pills = el('div.pills', {}, this.mic.node, this.cam.node);
		this.preview = el('div.preview', {}, this.video, this.cover,
			this.pills);
		this.cells = Array.from({ length: CELLS }, () => el('i'));
		this.picks = devicePicks(this.#app);
		this.line = el('p.line', { role: 'status' });
		const { mic, cam, spk } = this.picks.nodes;
		const level = el('div.meter', { 'aria-hidden': 'true' },
			this.cells);
		this.sheet = el('div.picks', { onchange: () => {
			this.#note = '';
			this.#stopTest?.();
		} }, mic, cam, spk);
		this.test = el('button.quiet.small.test', { type: 'button',
			onclick: () => this.#testSound() }, t('test_sound'));
		const open = el('button.secondary.devices', { type: 'button',
			'aria-haspopup': 'dialog', onclick: async () =>
				(await load('sheet')).openSheet('devices',
					[this.sheet, this.test, this.line]) },
		icon('sliders', 20), t('devices'));
		this.left = el('div.left', {}, this.preview, this.sheet, level,
			open, this.test, this.line);
	}

	#right() {
		const app = this.#app;
		this.title = el('h1');
		this.here = el('p.here');
		this.field = el('input', { id: 'name', maxlength: '64',
			autocomplete: 'name', 'aria-describedby': 'problem hint',
			spellcheck: 'false' });
		this.problem = el('p.problem', { id: 'problem', hidden: true });
		this.join = el('button.primary.wide', {}, t('join'));
		this.card = el('div.card', { role: 'status', hidden: true });
		this.grant = el('p.hint.grant', { hidden: true }, icon('mod', 16),
			t('as_moderator'));
		this.hint = el('p.hint', { id: 'hint' });
		this.right = el('form.right', { onsubmit: event => {
			event.preventDefault();
			if (app.stage !== 'join' || app.early) return;
			this.#failed('');
			this.#stopTest?.();
			app.join(this.field.value);
		} }, this.title, this.here, el('label', { for: 'name' },
			t('your_name')), this.field, this.problem, this.join,
		this.card, this.grant, this.hint);
	}

	shown() {
		this.field.value = this.#app.name;
		if (matchMedia('(pointer: coarse)').matches) return;
		this.field.focus();
		this.field.select();
	}

	async #toggle(which) {
		this.#note = '';
		const problem = await this.#app.me[`toggle${which}`]();
		if (problem) this.#tell(t(problem));
	}

	/* Something that has happened: it stands until something else does. */
	#tell(text) {
		this.#note = text;
		this.#say(text);
	}

	#say(text) {
		setText(this.line, text);
		setText(this.alert, text);
	}

	async #testSound() {
		if (this.#stopTest) return this.#stopTest();
		this.#stopTest = () => {};
		const { testSound } = await import('./echo.js');
		const stop = testSound(this.#app, (key, vars) => {
			this.#note = t(key, vars);
			setText(this.line, this.#note);
		}, () => {
			this.#stopTest = null;
			setText(this.test, t('test_sound'));
		});
		setText(this.test, t('stop_test'));
		this.#stopTest = () => {
			this.#note = '';
			setText(this.line, '');
			stop();
		};
	}

	update() {
		const app = this.#app, { me } = app;
		const { mic, cam, micProblem, camProblem, asking } = me.devices;
		const { id, hello } = app;
		const name = hello?.meeting?.name ?? id;
		document.title = `${name} - confkit`;
		setText(this.title, name);
		this.#here();
		if (hello?.name_locked) {
			this.field.value = hello.name;
			this.field.readOnly = true;
			this.field.classList.add('locked');
		}
		this.grant.hidden = hello?.role !== 'moderator';
		const on = me.micOn && !!mic;
		this.mic.set(on, on ? 'mute' : 'unmute', micProblem);
		this.cam.set(me.showing, me.showing ? 'stop_camera'
			: 'start_camera', camProblem);
		this.#picture(cam, asking, micProblem, camProblem);
		this.#level(mic);
		this.picks.update();
		setText(this.hint, t(asking ? 'hint_asking' : !mic ? 'hint_listener'
			: me.micOn ? 'hint_heard' : 'hint_muted'));
		this.#stage();
	}

	/* A restart is over before there is a word about it. */
	#here() {
		const { hello, online, early } = this.#app;
		if (online) this.#away = 0;
		else if (!this.#away) {
			this.#away = Date.now();
			setTimeout(() => this.#here(), AWAY_MS);
		}
		const gone = this.#away && Date.now() - this.#away >= AWAY_MS;
		this.here.replaceChildren(...gone ? [t('no_server')] : hello
			? here(hello.meeting) : early ? [] : [t('connecting')]);
	}

	#picture(cam, asking, micProblem, camProblem) {
		if (this.video.srcObject?.getTracks()[0] !== cam)
			this.video.srcObject = cam && new MediaStream([cam]);
		const both = this.#both();
		this.cover.hidden = !!cam;
		if (/blocked/.test(micProblem + camProblem)) this.#showBlocked();
		if (!both) this.#uncover(asking ? 'asking'
			: camProblem || 'camera_is_off');
		const problem = canCall ? micProblem : 'no_webrtc';
		this.#say(this.#note || (both || asking || !problem ? ''
			: t(problem)));
	}

	#both() {
		const { asking, micProblem, camProblem } = this.#app.me.devices;
		return !asking && camProblem === 'cam_blocked'
			&& micProblem === 'mic_blocked';
	}

	/* In place of one's picture, with a way on where there is one. */
	#uncover(key) {
		this.preview.classList.remove('denied');
		if (key !== this.#covers) this.#cover(key, el('span.soft', {}, t(key)),
			/busy|blocked/.test(key) && el('button.secondary.small', {
				type: 'button', onclick: () => this.#toggle('Cam') },
			t('try_again')));
	}

	/* Focus that is in what goes passes on to what comes. */
	#cover(key, ...nodes) {
		const had = document.activeElement;
		const inside = this.preview.contains(had);
		this.#covers = key;
		this.cover.replaceChildren(...nodes.filter(Boolean));
		if (inside && !(had.isConnected && had.checkVisibility()))
			(this.cover.querySelector('button') ?? this.cam.node).focus();
	}

	async #showBlocked() {
		const { me } = this.#app, again = () => this.#app.view === this
			&& !me.devices.asking && me.askDevices();
		const { blocked, watch } = await import('./blocked.js');
		if (!this.#watched) watch(again);
		this.#watched = true;
		if (!this.#both() || this.preview.matches('.denied')) return;
		this.preview.classList.add('denied');
		this.#cover('both', blocked(again));
	}

	#level(mic) {
		if (mic === this.#metered) return;
		this.#stopMeter?.();
		this.#metered = mic;
		const paint = level => {
			const n = level * (phone() ? CELLS : FEWER);
			this.cells.forEach((cell, i) =>
				cell.classList.toggle('on', i + .5 < n));
		};
		paint(0);
		this.#stopMeter = mic && meter(mic, paint);
	}

	#stage() {
		const { stage, early } = this.#app, busy = stage === 'joining';
		this.join.hidden = !!early;
		if (this.card.hidden === !!early) this.#waiting(early);
		if (busy === this.join.hasAttribute('aria-busy')) return;
		attrs(this.join, { 'aria-busy': busy && 'true' });
		this.join.replaceChildren(...busy
			? [el('span.spinner'), t('joining')] : [t('join')]);
	}

	async #waiting(early) {
		this.card.hidden = !early;
		if (early) this.card.replaceChildren(
			...(await import('./early.js')).card(early));
	}

	#failed(text) {
		setText(this.problem, text);
		this.problem.hidden = !text;
	}

	failed(text, full) {
		this.#failed(text);
		setText(this.alert, text);
		if (full) this.join.replaceChildren(t('try_again'));
		this.field.focus();
	}

	lost(kind, why, other) {
		this.#tell(other ? t('lost_mic_other', { name: plain(other) })
			: t(`lost_${kind}_${why}`));
	}

	back(kind) {
		const text = t(`back_${kind}`);
		this.#tell(text);
		setTimeout(() => this.#note === text && this.#tell(''), BACK_MS);
	}

	close() {
		this.#stopMeter?.();
		this.#stopTest?.();
		document.querySelector('dialog')?.close();
	}
}

export const joinPage = app => new Join(app);
