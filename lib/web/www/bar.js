/* bar - the one line of controls under the stage, and the phone's header.
 * A button's word is its accessible name and says what pressing does. */
import { attrs, el, icon, setIcon, setText } from './dom.js';
import { named, t } from './i18n.js';
import { openMenu, question } from './menu.js';
import { canShare } from './devices.js';

/* One key: icon over word, perhaps a badge. */
class Key {
	constructor(id, mark, onclick) {
		this.mark = icon(mark);
		this.word = el('span.word');
		this.badge = el('span.badge', { 'aria-hidden': 'true',
			hidden: true });
		this.node = el(`button.key.k-${id}`, { onclick: () =>
			this.off ? this.off() : onclick(this.node) },
		el('span.ico', {}, this.mark, el('span.spinner')), this.word,
		this.badge);
	}

	/* look: '' | off | on | hand; off: a function that says why not. */
	set({ mark, word, look = '', badge = '', hue = '', off = null, short,
		expanded, description }) {
		if (mark) setIcon(this.mark, mark);
		setText(this.word, short ?? word);
		this.name = word;
		this.off = off;
		attrs(this.node, { 'data-look': look,
			'aria-label': short ? word : null,
			'aria-disabled': off && 'true', 'aria-expanded':
				expanded === undefined ? null : `${expanded}`,
			'aria-description': description || null });
		this.badge.hidden = !badge;
		if (badge instanceof Node) this.badge.replaceChildren(badge);
		else setText(this.badge, String(badge));
		this.badge.dataset.hue = hue;
	}
}

function clock(ms) {
	const s = Math.max(0, Math.floor(ms / 1000));
	const two = n => String(n).padStart(2, '0');
	const h = Math.floor(s / 3600), m = Math.floor(s / 60) % 60;
	return h ? `${h}:${two(m)}:${two(s % 60)}` : `${two(m)}:${two(s % 60)}`;
}

export class Bar {
	#app; #room; #began = 0;

	constructor(app, room) {
		this.#app = app;
		this.#room = room;
		const { me } = app;
		const key = (id, mark, fn) => new Key(id, mark, fn);
		const run = fn => node => room.press(node, fn);
		this.mic = key('mic', 'mic', run(() => me.toggleMic()));
		this.cam = key('cam', 'cam', run(() => me.toggleCam()));
		this.share = key('share', 'screen', run(() => me.toggleShare()));
		this.hand = key('hand', 'hand', run(() => app.call('user.hand',
			{ up: !app.model.self.hand })));
		this.more = key('more', 'more', node => this.#more(node));
		this.leave = key('leave', 'leave', () => app.leave());
		this.people = key('people', 'people', () => room.show('people'));
		this.chat = key('chat', 'chat', () => room.show('chat'));
		this.#nodes();
	}

	#nodes() {
		const fill = el('i');
		this.fill = fill;
		this.mic.node.firstChild.append(el('span.fill', {}, fill));
		const arrow = word => el('button.arrow', { ...named(word),
			onclick: () => this.#room.show('settings') }, icon('up', 16));
		this.name = el('strong');
		this.clock = el('span.time');
		this.node = el('footer.bar', { id: 'bar', tabindex: '-1' },
			el('div.where', {}, this.name, this.clock),
			el('div.keys', { role: 'group', 'aria-label':
				t('meeting_controls') },
			el('div.group', {},
				el('div.split', {}, this.mic.node,
					arrow('mic_settings')),
				el('div.split', {}, this.cam.node,
					arrow('cam_settings'))),
			el('div.group', {}, this.share.node, this.hand.node,
				this.more.node),
			el('div.group', {}, this.leave.node)),
			el('div.side', {}, this.people.node, this.chat.node));
		this.name2 = el('strong');
		this.clock2 = el('span.time');
		this.count = el('span');
		this.header = el('header.top', {}, el('div.where', {}, this.name2,
			this.clock2), el('button.quiet', { 'aria-label': t('people'),
			onclick: () => this.#room.show('people') },
		icon('people', 20), this.count));
	}

	update() {
		const { model, me, online } = this.#app;
		const { panel } = this.#room;
		for (const name of [this.name, this.name2])
			setText(name, model.meeting.name ?? '');
		const n = model.users.size;
		setText(this.count, String(n));
		const away = online ? null : () => this.#room.failed(t('not_now'));
		const small = innerWidth < 640;
		this.mic.set({ mark: me.speaking ? 'mic' : 'micoff',
			word: t(me.speaking ? 'mute' : 'unmute'),
			look: me.speaking ? '' : 'off',
			badge: me.held ? icon('lock', 16) : '',
			description: me.held ? t('held') : '' });
		this.cam.set({ mark: me.showing ? 'cam' : 'camoff',
			word: t(me.showing ? 'stop_camera' : 'start_camera'),
			short: small ? t('camera') : undefined,
			look: me.showing ? '' : 'off' });
		this.share.set({ word: t(me.screen ? 'stop_sharing'
			: 'share_screen'), look: me.screen ? 'on' : '',
		off: canShare ? away
			: () => this.#room.failed(t('cannot_share')) });
		const up = !!model.self?.hand;
		this.hand.set({ word: t(up ? 'lower_hand' : 'raise_hand'),
			look: up ? 'hand' : '', off: away });
		this.more.set({ word: t('more'), hue: 'asks',
			badge: up && !this.hand.node.offsetParent ? '•' : '' });
		this.leave.set({ word: t('leave') });
		const open = which => ({ expanded: panel === which,
			look: panel === which ? 'on' : '' });
		this.people.set({ word: t('people'), badge: n, ...open('people'),
			description: t('n_people', { n }) });
		const { unread } = this.#room.chat;
		this.chat.set({ word: t('chat'), badge: unread || '', hue: 'new',
			...open('chat'), description: unread
				? t('n_new', { n: unread }) : '' });
	}

	/* Since the first of those present when one came in. */
	time(now) {
		const { model } = this.#app;
		if (!this.#began) {
			const first = Math.min(...[...model.users.values()]
				.map(u => u.joined));
			this.#began = now - ((model.self?.joined ?? 0) - first);
		}
		for (const node of [this.clock, this.clock2])
			setText(node, clock(now - this.#began));
	}

	level(value) { this.fill.style.transform = `scaleY(${value})`; }

	/* First what has left the bar for want of width. */
	#more(anchor) {
		const room = this.#room;
		const left = [this.share, this.hand].filter(k =>
			!k.node.offsetParent).map(k => ({
			icon: k.mark.firstChild.getAttribute('href').split('#')[1],
			word: k.name, run: () => k.node.click() }));
		openMenu(anchor, [...left, left.length ? null : false,
			this.#app.model.moderator && { icon: 'leave', danger: true,
				word: t('end_all'), run: () => this.#end(anchor) },
			{ icon: 'sliders', word: t('settings'),
				run: () => room.show('settings') },
		].filter(i => i !== false), { label: t('more') });
	}

	async #end(anchor) {
		const yes = await question(t('end_title'), t('end_more'),
			[{ id: 'end', word: t('end_now'), look: 'danger' }]);
		if (yes) this.#room.press(anchor,
			() => this.#app.call('meeting.end'));
	}
}
