/* people - the panel of who is here, and what may be done about whom. */
import { attrs, bdi, disc, el, frame, icon, keyed, plain, setIcon, setText }
	from './dom.js';
import { t } from './i18n.js';
import { openMenu, question } from './menu.js';

/* A server that was not told its address takes itself for this host; whoever
 * came by another one passes that on. */
function reachable(url) {
	const local = /^(localhost|127\.[\d.]+|\[::1])$/;
	return local.test(new URL(url).hostname)
		? new URL(url.slice(url.lastIndexOf('/') + 1), location.href).href
		: url;
}

/* A button, and the field for the one link of this room that it has made
 * and copies. A refused clipboard leaves the link selected. */
export function inviting(app, room, look, key, mark) {
	const word = el('span', {}, t(key));
	const field = el('input', { readonly: true, hidden: true,
		'aria-label': t('invite_link'), onfocus: () => field.select() });
	const button = el(`button.${look}`, { onclick: () =>
		room.press(button, async () => {
			room.url ??= reachable((await app.call('link.create',
				{ meeting: app.id, role: 'viewer' })).url);
			field.value = room.url;
			field.hidden = false;
			try {
				await navigator.clipboard.writeText(room.url);
			} catch { return field.focus(); }
			setText(word, t('copied'));
			setTimeout(() => setText(word, t(key)), 2000);
		}) }, mark, word);
	return { field, button };
}

export class People {
	word = 'people';
	#app; #open = false; #room;

	constructor(app, room) {
		this.#app = app;
		this.#room = room;
		const { field, button } = inviting(app, room, 'secondary.small',
			'invite');
		this.invite = button;
		this.hands = el('ul', { 'aria-label': t('hands_raised') });
		this.lower = el('button.quiet.small', { onclick: () =>
			room.press(this.lower, () => this.#lowerAll()) },
		t('lower_all'));
		this.handBlock = el('section', { hidden: true },
			el('div.block', {}, el('h3', {}, t('hands_raised')),
				this.lower), this.hands);
		this.list = el('ul', { 'aria-label': t('participants') });
		this.mute = el('button.quiet.small', { onclick: () =>
			room.press(this.mute, () => app.call('user.mute',
				{ all: true })) }, t('mute_all'));
		this.body = el('div.people', {}, el('div.copy', {}, field),
			this.handBlock,
			el('section', {}, el('div.block', {}, el('h3', {},
				t('in_meeting')), this.mute), this.list));
		this.update = frame(() => this.#update());
	}

	get tools() { return [this.invite]; }
	get count() { return this.#app.model.users.size; }

	shown(open) {
		this.#open = open;
		if (open) this.#update();
	}

	#lowerAll() {
		return Promise.all(this.#app.model.hands.map(({ user }) =>
			this.#app.call('user.hand', { user, up: false })));
	}

	#update() {
		if (!this.#open) return;
		const { model } = this.#app;
		const boss = model.moderator;
		this.invite.hidden = this.lower.hidden = this.mute.hidden = !boss;
		const rank = u => u.user === model.me ? 0
			: u.role === 'moderator' ? 1 : 2;
		const all = [...model.users.values()].sort((a, b) =>
			rank(a) - rank(b) || a.name.localeCompare(b.name));
		const { hands } = model;
		this.handBlock.hidden = !hands.length;
		for (const [list, users] of [[this.hands, hands],
			[this.list, all]])
			keyed(list, users, u => u.user, u => this.#row(u),
				(node, u) => this.#dress(node, u));
	}

	#row(u) {
		const more = el('button.quiet.bare', { 'aria-label':
			t('actions_for', { name: plain(u.name) }), title: t('more'),
		onclick: () => this.menu(u.user, more) }, icon('more', 20));
		return el('li.person', {}, disc(u.user, u.name),
			el('div.who', {}, el('span.name'), el('span.role')),
			el('span.up', { hidden: true }, icon('hand', 20), el('span')),
			icon('mic', 20), more);
	}

	#dress(node, u) {
		const { model, me } = this.#app;
		const self = u.user === model.me;
		const [, who, up, mic] = node.children;
		const [name, role] = who.children;
		const label = plain(u.name) + (self ? ` (${t('you')})` : '');
		if (name.textContent !== label) name.replaceChildren(bdi(u.name),
			self ? ` (${t('you')})` : '');
		setText(role, [u.role === 'moderator' && t('moderator'),
			u.held && t('muted_by_moderator'), u.away && t('is_away')]
			.filter(Boolean).join(' · '));
		const hand = model.hand(u.user);
		up.hidden = !hand;
		setText(up.lastChild, String(hand || ''));
		const silent = self ? !me.speaking : model.silent(u.user);
		setIcon(mic, silent ? 'micoff' : 'mic');
		mic.classList.toggle('off', silent);
		node.classList.toggle('away', u.away);
		attrs(node, { 'aria-description': [silent && t('is_muted'),
			hand && t('hand_n', { n: hand })].filter(Boolean)
			.join(', ') || null });
	}

	/* Only what the actor may do. */
	menu(user, anchor) {
		const app = this.#app, { model } = app;
		const u = model.users.get(user);
		if (!u) return;
		const self = user === model.me;
		const boss = model.moderator;
		const run = (method, params) => () => this.#room.press(anchor,
			() => app.call(method, { user, ...params }));
		const role = u.role === 'moderator' ? 'viewer' : 'moderator';
		const groups = [[
			boss && !self && { icon: u.held ? 'mic' : 'micoff',
				word: t(u.held ? 'unmute' : 'mute'),
				run: run(u.held ? 'user.unmute' : 'user.mute') },
			(boss || self) && u.hand && { icon: 'hand',
				word: t('lower_hand'), run: run('user.hand', { up: false }) },
		], [
			!self && { icon: 'chat', word: t('write_privately'),
				run: () => this.#room.write(user) },
		], boss && !self ? [
			{ icon: 'mod', word: t(`make_${role}`),
				run: run('user.role', { role }) },
			{ icon: 'out', word: t('remove'), danger: true,
				run: () => this.#remove(u, anchor) },
		] : []].map(group => group.filter(Boolean)).filter(g => g.length);
		if (groups.length) openMenu(anchor,
			groups.flatMap((group, i) => i ? [null, ...group] : group),
		{ label: t('actions_for', { name: plain(u.name) }), person: u });
	}

	async #remove(u, anchor) {
		const chosen = await question(t('remove_who',
			{ name: plain(u.name) }), t('remove_more'),
		[{ id: 'remove', word: t('remove_now'), look: 'danger' }]);
		if (chosen) this.#room.press(anchor, () =>
			this.#app.call('user.kick', { user: u.user }));
	}
}
