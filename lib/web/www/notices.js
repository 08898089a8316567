/* notices - what the page says by itself: toasts over the stage, the banner
 * of the connection, and the two live regions for screen readers. */
import { disc, el, icon } from './dom.js';
import { isOn } from './keep.js';
import { t } from './i18n.js';

const TOAST_MS = 5000;
const TICK_MS = 250;
const MOST = 2;
const BANNER_MS = 800;
const BACK_MS = 2000;
const TRY_MS = 5000;
const SPEECH_MS = 1000;
const FEW = 3;

export class Toasts {
	/* quiet() tells whether only failures may be shown now. */
	constructor(quiet) {
		this.quiet = quiet;
		this.node = el('section.toasts', { 'aria-label': t('notifications'),
			onkeydown: event => event.key === 'Escape'
				&& this.#close(event) });
	}

	/* {user, name} or {icon}; title (nodes or text), text, action {word,
	 * run}, stays: until it is closed; key: takes the place of its like. */
	show({ user, name, icon: id, title, text, action, stays, key }) {
		if (!stays && this.quiet()) return null;
		const held = this.#held(key);
		held?.remove();
		const node = el(`div.toast${id === 'warn' ? '.bad' : ''}`, {},
			user ? disc(user, name) : id && icon(id),
			el('div.words', {}, el('strong', {}, title),
				text && el('p', {}, text)),
			action && el('button.secondary.small', { onclick() {
				node.remove();
				action.run();
			} }, action.word),
			stays && el('button.quiet.small.bare', { 'aria-label':
				t('close'), onclick: () => node.remove() },
			icon('x', 16)));
		if (key) node.dataset.toast = key;
		if (stays) node.dataset.stays = '1';
		this.node.append(node);
		const all = [...this.node.children];
		if (all.length > MOST) (all.find(n => !n.dataset.stays
			&& !n.contains(document.activeElement)) ?? all[0]).remove();
		if (!stays) this.#fade(node, TOAST_MS);
		return node;
	}

	#held(key) {
		return key && this.node.querySelector(`[data-toast="${key}"]`);
	}

	shows(key) { return !!this.#held(key); }

	/* All whose key begins so. */
	drop(key) {
		for (const node of this.node.querySelectorAll(
			`[data-toast^="${key}"]`)) node.remove();
	}

	#close(event) {
		event.target.closest('.toast')?.remove();
		event.stopPropagation();
	}

	/* Held while it is pointed at, focused, or the page is hidden. */
	#fade(node, left) {
		setTimeout(() => {
			if (!node.isConnected) return;
			const held = document.hidden
				|| node.matches(':hover, :focus-within');
			if (held || left > TICK_MS)
				this.#fade(node, held ? left : left - TICK_MS);
			else node.remove();
		}, TICK_MS);
	}
}

export class Banner {
	#kind = ''; #shown = ''; #timer = 0; #tryTimer = 0; #say;

	/* `retry` is what Try now does; say(text) tells who cannot see it. */
	constructor(retry, say) {
		this.#say = say;
		this.word = el('strong');
		this.more = el('span');
		this.try = el('button.secondary.small', { onclick: retry, hidden: true },
			t('try_now'));
		this.node = el('div.banner', { hidden: true },
			el('span.spinner'), el('span', {}, this.word, ' ', this.more),
			this.try);
	}

	/* '' is well, 'control' the server is away, 'media' sound and video. */
	set(kind) {
		if (kind === this.#kind) return;
		this.#kind = kind;
		clearTimeout(this.#timer);
		if (kind && this.#shown) this.#paint(kind);
		else if (kind)
			this.#timer = setTimeout(() => this.#paint(kind), BANNER_MS);
		else if (this.#shown) {
			this.#paint('back');
			this.#timer = setTimeout(() => this.#paint(''), BACK_MS);
		}
	}

	#paint(kind) {
		this.#shown = kind === 'back' ? '' : kind;
		clearTimeout(this.#tryTimer);
		this.try.hidden = true;
		this.node.hidden = !kind;
		this.node.dataset.kind = kind;
		if (!kind) return;
		this.word.textContent = t(`banner_${kind}`);
		this.more.textContent = kind === 'back' ? ''
			: t(`banner_${kind}_more`);
		this.#say(`${this.word.textContent} ${this.more.textContent}`);
		if (kind === 'media') this.#tryTimer = setTimeout(() => {
			this.try.hidden = false;
		}, TRY_MS);
	}
}

/* One sentence a second, so that none cuts off another; what is urgent goes
 * first, and more than a few of one kind become one sentence. */
export class Announcer {
	#queue = []; #busy = false;

	constructor() {
		this.polite = el('div.hide', { role: 'status', id: 'polite' });
		this.assert = el('div.hide', { role: 'alert', id: 'assert' });
	}

	/* kind: '', or came, left, chat or hands, for which there are words of
	 * many, and which the settings can silence. */
	say(text, { urgent = false, kind = '' } = {}) {
		const group = kind === 'left' ? 'came' : kind;
		if (kind && !isOn(`say.${group}`)) return;
		const like = this.#queue.filter(i => kind && i.kind === kind);
		const n = like.reduce((sum, i) => sum + i.n, 1);
		const item = { text, urgent, kind, n: 1 };
		if (n > FEW) {
			Object.assign(item, { n, text: t(`many_${kind}`, { n }) });
			this.#queue = this.#queue.filter(i => !like.includes(i));
		}
		if (urgent) this.#queue.splice(this.#queue
			.findLastIndex(i => i.urgent) + 1, 0, item);
		else this.#queue.push(item);
		if (!this.#busy) this.#next();
	}

	#next() {
		const item = this.#queue.shift();
		this.#busy = !!item;
		if (!item) return;
		const node = item.urgent ? this.assert : this.polite;
		/* The same sentence again is new only when its text changes. */
		node.textContent = node.textContent === item.text
			? `${item.text}\xa0` : item.text;
		setTimeout(() => this.#next(), SPEECH_MS);
	}
}
