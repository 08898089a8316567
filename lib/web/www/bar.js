/* bar - the one line of controls under the stage, and the phone's header.
 * A button's word is its accessible name and says what pressing does. */
import { attrs, el, icon, phone, setIcon, setText } from './dom.js';
import { named, t } from './i18n.js';
import { canShare } from './devices.js';

/* One key: icon over word, perhaps a badge. */
class Key {
	/* press(node), or refuse(why) while it is off. */
	constructor(id, mark, letter, press, refuse) {
		this.mark = icon(mark);
		this.word = el('span.word');
		this.badge = el('span.badge', { 'aria-hidden': 'true',
			hidden: true });
		this.node = el(`button.key.k-${id}`, { onclick: () => this.off
			? refuse(this.off) : press(this.node),
		'aria-keyshortcuts': letter },
		el('span.ico', {}, this.mark, el('span.spinner')), this.word,
		this.badge);
	}

	/* look: '' | off | on | hand; off: a sentence that says why not. */
	set({ mark, word, look = '', badge = '', hue = '', off = '', short,
		expanded, description }) {
		if (mark) setIcon(this.mark, mark);
		setText(this.word, short ?? word);
		this.name = word;
		this.off = off;
		attrs(this.node, { 'data-look': look, title: off || null,
			'aria-label': short ? word : null,
			'aria-disabled': off ? 'true' : null, 'aria-expanded':
				expanded === undefined ? null : `${expanded}`,
			'aria-description': off || description || null });
		this.badge.hidden = !badge;
		if (badge instanceof Node) this.badge.replaceChildren(badge);
		else setText(this.badge, String(badge));
		this.badge.dataset.hue = hue;
	}

	get shown() { return this.node.getClientRects().length > 0; }
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
		const key = (id, mark, letter, fn) => new Key(id, mark, letter, fn,
			why => room.notice(why));
		const run = fn => node => room.press(node, fn);
		this.mic = key('mic', 'mic', 'M', run(() => me.toggleMic()));
		this.cam = key('cam', 'cam', 'V', run(() => me.toggleCam()));
		this.share = key('share', 'screen', 'S', run(() =>
			me.toggleShare()));
		this.hand = key('hand', 'hand', 'H', run(() =>
			app.call('user.hand', { up: !app.model.self.hand })));
		this.more = key('more', 'more', null, node => this.#more(node));
		attrs(this.more.node, { 'aria-haspopup': 'menu' });
		this.leave = key('leave', 'leave', null, () => app.leave());
		this.people = key('people', 'people', 'P', () =>
			room.show('people'));
		this.chat = key('chat', 'chat', 'C', () => room.show('chat'));
		this.#nodes();
	}

	#nodes() {
		const fill = el('i');
		this.fill = fill;
		this.mic.node.firstChild.append(el('span.fill', {}, fill));
		const arrow = (kind, word) => {
			const node = el('button.arrow', { ...named(word),
				'aria-haspopup': 'menu', onclick: () =>
					this.devices(kind, node) }, icon('up', 16));
			return node;
		};
		this.name = el('strong');
		this.clock = el('span.time');
		this.node = el('footer.bar', { id: 'bar', tabindex: '-1' },
			el('div.where', {}, this.name, this.clock),
			el('div.keys', { role: 'group', 'aria-label':
				t('meeting_controls') },
			el('div.group', {},
				el('div.split', {}, this.mic.node,
					arrow('mic', 'mic_settings')),
				el('div.split', {}, this.cam.node,
					arrow('cam', 'cam_settings'))),
			el('div.group', {}, this.share.node, this.hand.node,
				this.more.node),
			el('div.group', {}, this.leave.node)),
			el('div.side', {}, this.people.node, this.chat.node));
		this.name2 = el('strong');
		this.clock2 = el('span.time');
		this.count = el('span', { 'aria-hidden': 'true' });
		this.crowd = el('button.quiet', { 'aria-label': t('people'),
			onclick: () => this.#room.show('people') },
		icon('people', 20), this.count);
		this.header = el('header.top', {}, el('div.where', {}, this.name2,
			this.clock2), this.crowd);
	}

	update() {
		const { model, me, online } = this.#app;
		const { panels, news } = this.#room;
		for (const name of [this.name, this.name2])
			setText(name, model.meeting.name ?? '');
		const n = model.users.size, crowd = t('n_people', { n });
		setText(this.count, String(n));
		attrs(this.crowd, { 'aria-description': crowd });
		const away = online ? '' : t('not_now');
		this.mic.set({ mark: me.speaking ? 'mic' : 'micoff',
			word: t(me.speaking ? 'mute' : 'unmute'),
			look: me.speaking ? '' : 'off',
			badge: me.held ? icon('lock', 16) : '',
			description: me.held ? t('held') : '' });
		this.cam.set({ mark: me.showing ? 'cam' : 'camoff',
			word: t(me.showing ? 'stop_camera' : 'start_camera'),
			short: phone() ? t('camera') : undefined,
			look: me.showing ? '' : 'off' });
		this.share.set({ word: t(me.screen ? 'stop_sharing'
			: 'share_screen'), look: me.screen ? 'on' : '',
		off: canShare ? !me.screen && away : t('cannot_share') });
		const up = !!model.self?.hand;
		this.hand.set({ word: t(up ? 'lower_hand' : 'raise_hand'),
			look: up ? 'hand' : '', off: away });
		this.more.set({ word: t('more'), hue: 'asks',
			badge: up && !this.hand.shown ? '•' : '' });
		this.leave.set({ word: t('leave') });
		const open = which => ({ expanded: panels.open === which,
			look: panels.open === which ? 'on' : '' });
		this.people.set({ word: t('people'), badge: n, ...open('people'),
			description: crowd });
		const { unread } = news;
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

	/* The devices of this kind, and Settings. */
	async devices(kind, anchor) {
		(await this.#room.load('keymenus')).deviceMenu(this.#room, kind,
			anchor);
	}

	async #more(anchor) {
		(await this.#room.load('keymenus')).moreMenu(this.#room, anchor);
	}
}
