/* chat - the panel of messages. Text is text: the only elements made from
 * it are links of http and https. */
import { bdi, disc, el, frame, icon, keyed, plain, setText } from './dom.js';
import { day, locale, named, t, time, tn } from './i18n.js';

const KEPT = 300;
const JOIN_MS = 3 * 60000;
const LINES = 5;
const MOST = 8000; /* bytes, by the server */
const URL_RE = /\bhttps?:\/\/[^\s<>"'`\ufffd]+[^\s<>"'`\ufffd.,;:!?)\]}]/gi;

/* Text with its links as elements. */
export function linked(text) {
	const clean = plain(text), out = [];
	let at = 0;
	for (const found of clean.matchAll(URL_RE)) {
		out.push(clean.slice(at, found.index), el('a', { href: found[0],
			target: '_blank', rel: 'noopener noreferrer' }, found[0]));
		at = found.index + found[0].length;
	}
	out.push(clean.slice(at));
	return out.filter(Boolean);
}

export class Panel {
	word = 'chat';
	#app; #room; #to = ''; #name = ''; #open = false; #known = 0;

	constructor(app, room) {
		this.#app = app;
		this.#room = room;
		this.list = el('ol.messages', { 'aria-label': t('messages'),
			tabindex: '0' });
		this.none = el('p.soft', {}, t('no_messages'));
		this.pill = el('button.secondary.small.newer', { hidden: true,
			onclick: () => {
				this.#bottom();
				this.box.focus();
			} }, t('new_messages'));
		this.toWord = el('strong');
		this.to = el('button.quiet.small.to', { 'aria-haspopup': 'menu',
			onclick: () => this.#recipients() }, t('to'), ' ', this.toWord,
		icon('down', 16));
		this.box = el('textarea', { rows: '1',
			'aria-label': t('message'), placeholder: t('message'),
			oninput: () => {
				this.#grow();
				if (this.#gone) this.update();
			},
			onkeydown: event => this.#key(event) });
		this.send = el('button.primary.send', { ...named('send'),
			onclick: () => this.#send() }, icon('send', 20));
		this.scroller = el('div.scroll', {}, this.none, this.list);
		this.scroller.addEventListener('scroll', () => {
			this.pill.hidden = this.pill.hidden || this.#atBottom();
		}, { passive: true });
		this.body = el('div.chat', {}, this.scroller, this.pill, this.to,
			el('div.box', {}, this.box, this.send));
		this.update = frame(() => this.#update());
	}

	get #gone() {
		return this.#to && !this.#app.model.users.has(this.#to);
	}

	focus() { this.box.focus(); }

	/* What was being read is where it was; who had read all sees what is
	 * new, from the first of it on. */
	shown(open) {
		const { news } = this.#room;
		if (!open) {
			this.#open = false;
			this.ended = this.#atBottom();
			news.first = null;
			return;
		}
		this.#open = true;
		this.#room.toasts.drop('chat-');
		const fresh = news.unread;
		news.unread = 0;
		this.#update();
		if (this.ended === false) {
			this.pill.hidden = this.#atBottom()
				|| (this.pill.hidden && !fresh);
			return;
		}
		this.#bottom();
		const rule = fresh && this.list.querySelector('.rule.new');
		const over = rule ? this.scroller.getBoundingClientRect().top
			- rule.getBoundingClientRect().top : 0;
		if (over > 0) this.scroller.scrollTop -= over;
		this.pill.hidden = this.#atBottom();
	}

	/* Writes to one person from now on, or to everyone. */
	address(user) {
		this.#to = user;
		this.#update();
	}

	async #recipients() {
		const { model } = this.#app;
		const { openMenu } = await this.#room.load('menu');
		const pick = (user, word) => ({ word, chosen: this.#to === user,
			run: () => this.address(user) });
		openMenu(this.to, [pick('', t('everyone')), null,
			...model.order.filter(u => u.user !== model.me)
				.map(u => pick(u.user, plain(u.name)))], { label: t('to') });
	}

	#atBottom() {
		const { scrollTop, scrollHeight, clientHeight } = this.scroller;
		return scrollHeight - scrollTop - clientHeight < 24;
	}

	#bottom() {
		this.scroller.scrollTop = this.scroller.scrollHeight;
		this.pill.hidden = true;
	}

	#update() {
		const { model } = this.#app;
		const rows = model.chat.slice(-KEPT);
		/* What is being written to one is not for all when he leaves. */
		if (this.#gone && !this.box.value) this.#to = '';
		if (this.#to && !this.#gone) this.#name = model.name(this.#to);
		this.toWord.replaceChildren(this.#to ? bdi(this.#name)
			: t('everyone'));
		if (!this.#open) return;
		const stick = this.#atBottom();
		this.none.textContent = t(rows.length ? 'later_read'
			: 'no_messages');
		keyed(this.list, this.#ruled(rows), row => row.key ?? row.seq,
			row => row.rule ? el(`li.rule.${row.rule}`, {},
				el('span', {}, row.word)) : this.#row(row),
			(node, row) => row.rule || this.#dress(node, row));
		const fresh = model.chat.length > this.#known;
		this.#known = model.chat.length;
		if (stick || rows.at(-1)?.state === 'pending') this.#bottom();
		else if (fresh) this.pill.hidden = false;
	}

	/* With a line before another day and before what is new; a row joins
	 * the one before it when that is the same person's a moment ago. */
	#ruled(rows) {
		const { first } = this.#room.news, out = [];
		let before = null;
		for (const row of rows) {
			const date = day(row.time);
			const other = date !== (before ? day(before.time)
				: day(Date.now()));
			if (other) out.push({ rule: 'day', word: date,
				key: `day ${new Date(row.time).toDateString()}` });
			if (row === first) out.push({ rule: 'new', word: t('new'),
				key: `new ${row.seq}` });
			row.joins = before && before.user === row.user && !other
				&& before.name === row.name && before.to === row.to
				&& row !== first && row.time - before.time < JOIN_MS;
			before = row;
			out.push(row);
		}
		return out;
	}

	#row(row) {
		const { model } = this.#app;
		const name = row.mine ? t('you') : bdi(row.name);
		return el('li.row', {}, disc(row.user || row.name, row.name),
			el('div.said', {}, el('div.meta', {}, el('strong', {}, name),
				el('time', { title: new Date(row.time).toLocaleString(locale),
					datetime: new Date(row.time).toISOString() },
				time(row.time)),
				row.to && el('span.private', {}, icon('lock', 16),
					row.mine ? tn('only_name', { name: model.name(row.to) })
						: t('only_you')),
				el('span.state')),
			el('p', {}, linked(row.text))));
	}

	#dress(node, row) {
		node.classList.toggle('joins', !!row.joins);
		node.classList.toggle('direct', !!row.to);
		node.classList.toggle('pending', row.state === 'pending');
		if (node.dataset.state === row.state) return;
		node.dataset.state = row.state;
		const state = node.querySelector('.state');
		node.querySelector('.again')?.remove();
		setText(state, row.state === 'pending' ? t('sending') : '');
		if (row.state !== 'failed') return;
		this.#room.announcer.say(t('not_sent'), { urgent: true });
		node.querySelector('.said').append(el('p.again', {},
			icon('warn', 16), [t('not_sent'), row.why].filter(Boolean)
				.join(' '), ' ', el('button.link', { onclick: () =>
				this.#app.retry(row) }, t('try_again'))));
	}

	#key(event) {
		if (event.key !== 'Enter' || event.shiftKey || event.isComposing
			|| event.keyCode === 229) return;
		event.preventDefault();
		this.#send();
	}

	#grow() {
		const { box } = this;
		box.style.height = 'auto';
		const line = parseFloat(getComputedStyle(box).lineHeight);
		box.style.height =
			`${Math.min(box.scrollHeight, LINES * line + 18)}px`;
	}

	#send() {
		const text = this.box.value.trim();
		if (!text) return;
		if (this.#gone) return this.#room.failed(t('left',
			{ name: plain(this.#name) }));
		if (new TextEncoder().encode(text).length > MOST)
			return this.#room.failed(t('too_long'));
		this.#app.say(text, this.#to);
		this.box.value = '';
		this.#grow();
		this.box.focus();
	}
}
