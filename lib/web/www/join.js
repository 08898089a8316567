/* join - the page before the meeting: who one will be, what others will get
 * of one, and a button that never waits for a device. */
import { attrs, disc, el, icon, plain, setIcon, setText }
	 from './dom.js';
import { LANGUAGES, lang, locale, t } from './i18n.js';
import { canCall, canChooseSpeaker, meter } from './devices.js';
import { forEver } from './keep.js';

const CELLS = 14;
const KINDS = [['mic', 'mic', 'microphone'], ['cam', 'cam', 'camera'],
	['spk', 'spk', 'speaker']];

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
	const who = names.map(short);
	if (users > who.length) who.push(t('n_others', { n: users - who.length }));
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

/* What stands in the preview when both devices are refused: the way to
 * allow them, by the sign that this browser shows. */
function blocked(app) {
	const agent = navigator.userAgent;
	const sign = /firefox/i.test(agent) ? icon('camoff', 16)
		: /chrom/i.test(agent) ? icon('sliders', 16) : 'aA';
	const touch = matchMedia('(pointer: coarse)').matches;
	const [before, after] = t(touch ? 'step_tap' : 'step_click').split('|');
	const steps = [[before, el('kbd', {}, sign), after], [t('step_allow')]];
	return el('div.blocked', {}, icon('camoff'),
		el('h2.title', {}, t('both_blocked')),
		el('p', {}, t('blocked_more')),
		el('ol', {}, steps.map((words, i) => el('li', {},
			el('span.number', { 'aria-hidden': 'true' }, `${i + 1}`),
			el('span', {}, words)))),
		el('button.secondary', { onclick: () => app.me.askDevices() },
			t('try_again')));
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
	#app; #stopMeter = null; #metered = null;

	constructor(app) {
		this.#app = app;
		this.#left();
		this.#right();
		this.nodes = [
			el('header.head', {}, el('span.mark', {}, icon('chat', 20),
				'confkit'), languagePick()),
			this.main = el('main.join', {}, this.left, this.right),
			this.alert = el('div.hide', { role: 'alert' }),
		];
	}

	#left() {
		const { me } = this.#app;
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
		this.sheet = el('div.picks', {}, mic, cam, spk);
		const open = el('button.secondary.devices', { type: 'button',
			'aria-expanded': 'false', onclick: () => {
				const on = this.sheet.classList.toggle('open');
				open.setAttribute('aria-expanded', on);
			} }, icon('sliders', 20), t('devices'));
		this.left = el('div.left', {}, this.preview, this.sheet, level,
			open, this.line);
		navigator.mediaDevices?.addEventListener('devicechange',
			this.picks.update);
		for (const kind of ['camera', 'microphone'])
			navigator.permissions?.query({ name: kind }).then(status => {
				status.onchange = () => this.#app.view === this
					&& status.state === 'granted' && !me.devices.asking
					&& me.askDevices();
			}, () => {});
	}

	#right() {
		const app = this.#app;
		this.title = el('h1');
		this.here = el('p.here');
		this.field = el('input', { id: 'name', maxlength: '64',
			autocomplete: 'name', 'aria-describedby': 'hint',
			spellcheck: 'false' });
		this.join = el('button.primary.wide', {}, t('join'));
		this.hint = el('p.hint', { id: 'hint' });
		this.right = el('form.right', { onsubmit: event => {
			event.preventDefault();
			if (app.stage === 'join') app.join(this.field.value);
		} }, this.title, this.here, el('label', { for: 'name' },
			t('your_name')), this.field, this.join, this.hint);
	}

	shown() {
		this.field.value = this.#app.name;
		if (matchMedia('(pointer: coarse)').matches) return;
		this.field.focus();
		this.field.select();
	}

	async #toggle(which) {
		const problem = await this.#app.me[`toggle${which}`]();
		if (problem) this.#say(t(problem));
	}

	#say(text) {
		setText(this.alert, text);
		setText(this.line, text);
		this.line.hidden = !text;
	}

	update() {
		const app = this.#app, { me } = app;
		const { mic, cam, micProblem, camProblem, asking } = me.devices;
		const id = app.id;
		document.title = `${app.hello?.meeting?.name ?? id} - confkit`;
		setText(this.title, app.hello?.meeting?.name ?? id);
		this.here.replaceChildren(...app.hello
			? here(app.hello.meeting) : [t('connecting')]);
		if (app.hello?.name_locked) {
			this.field.value = app.hello.name;
			this.field.readOnly = true;
			this.field.classList.add('locked');
		}
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

	#picture(cam, asking, micProblem, camProblem) {
		if (this.video.srcObject?.getTracks()[0] !== cam)
			this.video.srcObject = cam && new MediaStream([cam]);
		const both = !asking && camProblem === 'cam_blocked'
			&& micProblem === 'mic_blocked';
		this.preview.classList.toggle('denied', both);
		this.cover.hidden = !!cam;
		if (both !== !!this.cover.querySelector('.blocked') || !both)
			this.cover.replaceChildren(both ? blocked(this.#app)
				: el('span.soft', {}, t(asking ? 'asking'
					: camProblem || 'camera_is_off')));
		const problem = canCall ? micProblem : 'no_webrtc';
		this.#say(both || asking || !problem ? '' : t(problem));
	}

	#level(mic) {
		if (mic === this.#metered) return;
		this.#stopMeter?.();
		this.#metered = mic;
		const paint = level => this.cells.forEach((cell, i) =>
			cell.classList.toggle('on', i < Math.round(level * CELLS)));
		paint(0);
		this.#stopMeter = mic && meter(mic, paint);
	}

	#stage() {
		const busy = this.#app.stage === 'joining';
		if (busy === this.join.hasAttribute('aria-busy')) return;
		attrs(this.join, { 'aria-busy': busy && 'true' });
		this.join.replaceChildren(...busy
			? [el('span.spinner'), t('joining')] : [t('join')]);
	}

	failed(text) {
		this.#say(text);
		this.field.focus();
	}

	lost(kind, why, other) {
		this.#say(other ? t('lost_mic_other', { name: plain(other) })
			: t(`lost_${kind}_${why}`));
	}

	back(kind) { this.#say(t(`back_${kind}`)); }

	close() { this.#stopMeter?.(); }
}

export const joinPage = app => new Join(app);
