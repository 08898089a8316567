/* chat - the panel of messages. Text is text: the only elements made from
 * it are links of http and https. */
import { bdi, disc, el, frame, icon, keyed, plain, setText } from './dom.js';
import { named, t, time, tn } from './i18n.js';
import { openMenu } from './menu.js';

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

export class Chat {
	word = 'chat';
	unread = 0;
	#app; #to = ''; #name = ''; #open = false; #first = null; #known = 0;

	constructor(app) {
		this.#app = app;
		this.list = el('ol.messages', { 'aria-label': t('messages'),
			tabindex: '0' });
		this.none = el('p.soft', {}, t('no_messages'));
		this.pill = el('button.secondary.small.newer', { hidden: true,
			onclick: () => this.#bottom() }, t('new_messages'));
		this.toWord = el('strong');
		this.to = el('button.quiet.small.to', { onclick: () =>
			this.#recipients() }, t('to'), ' ', this.toWord,
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
		this.scroll = el('div.scroll', {}, this.none, this.list);
		this.scroll.addEventListener('scroll', () => {
			this.pill.hidden = this.pill.hidden || this.#atBottom();
		}, { passive: true });
		this.body = el('div.chat', {}, this.scroll, this.pill, this.to,
			el('div.box', {}, this.box, this.send));
		this.update = frame(() => this.#update());
	}

	get #gone() {
		return this.#to && !this.#app.model.users.has(this.#to);
	}

	focus() { this.box.focus(); }

	shown(open) {
		this.#open = open;
		if (open) {
			this.unread = 0;
			this.#update();
			this.#bottom();
		} else this.#first = null;
	}

	/* A message came: counts it when nobody is looking. */
	came(row) {
		if (row.mine || this.#open) return;
		this.unread++;
		this.#first ??= row;
	}

	/* Writes to one person from now on, or to everyone. */
	address(user) {
		this.#to = user;
		this.#update();
	}

	#recipients() {
		const { model } = this.#app;
		const pick = (user, word) => ({ word, chosen: this.#to === user,
			run: () => this.address(user) });
		openMenu(this.to, [pick('', t('everyone')), null,
			...model.order.filter(u => u.user !== model.me)
				.map(u => pick(u.user, plain(u.name)))], { label: t('to') });
	}

	#atBottom() {
		const { scrollTop, scrollHeight, clientHeight } = this.scroll;
		return scrollHeight - scrollTop - clientHeight < 24;
	}

	#bottom() {
		this.scroll.scrollTop = this.scroll.scrollHeight;
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
		let before = null;
		for (const row of rows) {
			row.joins = before && before.user === row.user
				&& before.name === row.name && before.to === row.to
				&& row !== this.#first && row.time - before.time < JOIN_MS;
			before = row;
		}
		keyed(this.list, rows, row => row.key ?? row.seq,
			row => this.#row(row), (node, row) => this.#dress(node, row));
		const fresh = model.chat.length > this.#known;
		this.#known = model.chat.length;
		if (stick || rows.at(-1)?.state === 'pending') this.#bottom();
		else if (fresh) this.pill.hidden = false;
	}

	#row(row) {
		const { model } = this.#app;
		const name = row.mine ? t('you') : bdi(row.name);
		return el('li.row', {}, disc(row.user || row.name, row.name),
			el('div.said', {}, el('div.meta', {}, el('strong', {}, name),
				el('time', {}, time(row.time)),
				row.to && el('span.private', {}, icon('lock', 16),
					row.mine ? tn('only_name', { name: model.name(row.to) })
						: t('only_you')),
				el('span.state', { role: 'status' })),
			el('p', {}, linked(row.text))));
	}

	#dress(node, row) {
		node.classList.toggle('joins', !!row.joins);
		node.classList.toggle('direct', !!row.to);
		node.classList.toggle('pending', row.state === 'pending');
		node.classList.toggle('first', row === this.#first);
		node.dataset.rule = row === this.#first ? t('new') : '';
		if (node.dataset.state === row.state) return;
		node.dataset.state = row.state;
		const state = node.querySelector('.state');
		node.querySelector('.again')?.remove();
		setText(state, row.state === 'pending' ? t('sending') : '');
		if (row.state !== 'failed') return;
		node.querySelector('.said').append(el('p.again', { role: 'alert' },
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
		if (this.#gone) return this.#app.view.failed(t('left',
			{ name: plain(this.#name) }));
		if (new TextEncoder().encode(text).length > MOST)
			return this.#app.view.failed(t('too_long'));
		this.#app.say(text, this.#to);
		this.box.value = '';
		this.#grow();
		this.box.focus();
	}
}
