/* people - the panel of who is here: waiting hands, then everybody, with a
 * search in larger meetings. Of very many only the rows in sight exist. */
import { attrs, bdi, disc, el, frame, icon, keyed, plain, setIcon, setText }
	from './dom.js';
import { locale, t } from './i18n.js';
import { inviting } from './invite.js';

const SEARCH_FROM = 13;
const ROWS_FROM = 60;
const ROW = 48;
const SPARE = 8;
const { compare } = new Intl.Collator(locale);
const bare = text => text.normalize('NFKD').replace(/\p{M}/gu, '')
	.toLocaleLowerCase(locale);

export class Panel {
	word = 'people';
	#app; #open = false; #room; #all = []; #from = 0; #row = ROW; #at = '';

	constructor(app, room) {
		this.#app = app;
		this.#room = room;
		const { field, button } = inviting(app, room, 'secondary.small',
			'invite');
		this.invite = button;
		this.update = frame(() => this.#update());
		const all = (word, method, each) => {
			const node = el('button.quiet.small', { onclick: () =>
				app.online ? room.press(node, each ?? (() =>
					app.call(method, { all: true })))
					: room.notice(t('not_now')) }, t(word));
			return node;
		};
		this.hands = el('ul', { 'aria-label': t('hands_raised') });
		this.lower = all('lower_all', '', () => this.#lowerAll());
		this.handBlock = el('section', { hidden: true },
			el('div.block', {}, el('h3', {}, t('hands_raised')),
				this.lower), this.hands);
		this.list = el('ul', { 'aria-label': t('participants') });
		this.mute = all('mute_all', 'user.mute');
		this.unmute = all('unmute_all', 'user.unmute');
		this.search = el('input', { type: 'search', 'aria-label':
			t('search'), placeholder: t('search'), autocomplete: 'off',
		oninput: this.update, onkeydown: event => this.#clear(event) });
		this.find = el('label.find', { hidden: true }, icon('search', 20),
			this.search);
		this.none = el('p.soft', { role: 'status' });
		this.body = el('div.people', { onkeydown: e => this.#keys(e) },
			el('div.copy', {}, field), this.find, this.handBlock,
			el('section', {}, el('div.block', {}, el('h3', {},
				t('in_meeting')), this.unmute, this.mute), this.none,
			this.list));
		this.body.addEventListener('scroll', () =>
			this.#all.length >= ROWS_FROM && this.update(),
		{ passive: true });
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

	#sorted() {
		const { model } = this.#app;
		const rank = u => u.user === model.me ? 0
			: u.role === 'moderator' ? 1 : 2;
		return [...model.users.values()].sort((a, b) =>
			rank(a) - rank(b) || compare(a.name, b.name));
	}

	#update() {
		if (!this.#open) return;
		const { model } = this.#app;
		const boss = model.moderator, sought = bare(this.search.value);
		const fits = u => bare(plain(u.name)).includes(sought);
		this.#all = this.#sorted().filter(fits);
		const hands = model.hands.filter(fits);
		this.find.hidden = model.users.size < SEARCH_FROM && !sought;
		this.invite.hidden = this.lower.hidden = this.mute.hidden = !boss;
		this.unmute.hidden = !boss
			|| ![...model.users.values()].some(u => u.held);
		const away = !this.#app.online;
		for (const node of [this.lower, this.mute, this.unmute])
			attrs(node, { 'aria-disabled': away && 'true',
				title: away && t('not_now') });
		this.handBlock.hidden = !hands.length;
		setText(this.none, sought ? t('found', { n: this.#all.length }) : '');
		this.none.hidden = !sought;
		if (!this.#all.some(u => u.user === this.#at))
			this.#at = this.#all[0]?.user ?? '';
		this.#paint(this.hands, hands);
		this.#paint(this.list, this.#window());
	}

	/* Those in sight; what is above and below is padding. */
	#window() {
		const all = this.#all, { list, body } = this;
		if (all.length < ROWS_FROM) {
			this.#from = 0;
			list.style.paddingBlock = '';
			return all;
		}
		this.#row = list.lastElementChild?.offsetHeight || ROW;
		const top = body.scrollTop - list.offsetTop;
		const seen = Math.ceil(body.clientHeight / this.#row) + 2 * SPARE;
		const from = Math.min(Math.max(0,
			Math.floor(top / this.#row) - SPARE),
		Math.max(0, all.length - seen));
		const rows = all.slice(from, from + seen);
		this.#from = from;
		list.style.paddingBlock = `${from * this.#row}px ${
			(all.length - from - rows.length) * this.#row}px`;
		return rows;
	}

	/* A row that goes hands its focus to the nearest one. */
	#paint(list, users) {
		const had = list.contains(document.activeElement)
			&& [...list.children].indexOf(
				document.activeElement.closest('.person'));
		keyed(list, users, u => u.user, u => this.#make(u),
			(node, u, i) => this.#dress(node, u, i));
		if (had === false || list.contains(document.activeElement)) return;
		const near = list.children[Math.min(had, users.length - 1)];
		near?.lastChild.focus({ preventScroll: true });
	}

	#make(u) {
		const more = el('button.quiet.bare', { 'aria-label':
			t('actions_for', { name: plain(u.name) }), title: t('more'),
		'aria-haspopup': 'menu', onfocus: () => { this.#at = u.user; },
		onclick: () => this.#room.menu(u.user, more) }, icon('more', 20));
		return el('li.person', {}, disc(u.user, u.name),
			el('div.who', {}, el('span.name'), el('span.role')),
			el('span.up', { hidden: true }, icon('hand', 20), el('span')),
			icon('mic', 20), more);
	}

	#dress(node, u) {
		const { model, me } = this.#app;
		const self = u.user === model.me;
		const [, who, up, mic, more] = node.children;
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
		const says = [role.textContent, silent && t('is_muted'),
			hand && t('hand_n', { n: hand })].filter(Boolean).join(', ');
		attrs(more, { 'aria-description': says || null,
			tabindex: u.user === this.#at ? '0' : '-1' });
		const many = this.#all.length >= ROWS_FROM
			&& node.parentNode !== this.hands;
		attrs(node, { 'aria-setsize': many && `${this.#all.length}`,
			'aria-posinset': many && `${this.#all.indexOf(u) + 1}` });
	}

	/* In a list one row is a stop of Tab; arrows go on from it. */
	#keys(event) {
		const row = event.target.closest('.person');
		const step = { ArrowDown: 1, ArrowUp: -1, Home: -Infinity,
			End: Infinity }[event.key];
		if (!row || !step) return;
		event.preventDefault();
		const list = row.parentNode, whole = list === this.list;
		const n = whole ? this.#all.length : this.hands.children.length;
		const at = [...list.children].indexOf(row)
			+ (whole ? this.#from : 0);
		const to = Math.min(n - 1, Math.max(0, at + step));
		if (whole && n >= ROWS_FROM) {
			this.body.scrollTop = list.offsetTop + to * this.#row
				- this.body.clientHeight / 2;
			this.#update();
		}
		list.children[whole ? to - this.#from : to]?.lastChild.focus();
	}

	#clear(event) {
		if (event.key !== 'Escape' || !this.search.value) return;
		event.stopPropagation();
		event.preventDefault();
		this.search.value = '';
		this.update();
	}
}
