/* notices - what the page says by itself: toasts over the stage, the banner
 * of the connection, and the two live regions for screen readers. */
import { disc, el, icon } from './dom.js';
import { t } from './i18n.js';

const TOAST_MS = 5000;
const TICK_MS = 250;
const MOST = 2;
const BANNER_MS = 800;
const BACK_MS = 2000;
const TRY_MS = 5000;

export class Toasts {
	constructor() {
		this.node = el('section.toasts', { 'aria-label': t('notifications') });
	}

	/* {user, name} or {icon}; title (nodes or text), text, action {word,
	 * run}, stays: until it is closed; key: takes the place of its like. */
	show({ user, name, icon: id, title, text, action, stays, key }) {
		if (key) this.node.querySelector(`[data-toast="${key}"]`)?.remove();
		const close = () => node.remove();
		const node = el('div.toast', {}, user ? disc(user, name)
			: id && icon(id), el('div.words', {}, el('strong', {}, title),
			text && el('p', {}, text)),
		action && el('button.secondary.small', { onclick() {
			close();
			action.run();
		} }, action.word),
		stays && el('button.quiet.small.bare', { onclick: close,
			'aria-label': t('close') }, icon('x', 16)));
		if (key) node.dataset.toast = key;
		this.node.append(node);
		if (stays) node.dataset.stays = '1';
		const all = [...this.node.children];
		if (all.length > MOST)
			(all.find(n => !n.dataset.stays) ?? all[0]).remove();
		if (!stays) this.#fade(node, TOAST_MS);
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
	#kind = ''; #shown = ''; #timer = 0; #tryTimer = 0;

	/* `retry` is what Try now does. */
	constructor(retry) {
		this.word = el('strong');
		this.more = el('span');
		this.try = el('button.secondary.small', { onclick: retry, hidden: true },
			t('try_now'));
		this.node = el('div.banner', { role: 'alert', hidden: true },
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
		if (kind === 'media') this.#tryTimer = setTimeout(() => {
			this.try.hidden = false;
		}, TRY_MS);
	}
}

/* One sentence a second, so that none cuts off another. */
export class Announcer {
	#queue = []; #busy = false;

	constructor() {
		this.polite = el('div.hide', { role: 'status', id: 'polite' });
		this.assert = el('div.hide', { role: 'alert', id: 'assert' });
	}

	say(text, urgent = false) {
		this.#queue.push([text, urgent]);
		if (!this.#busy) this.#next();
	}

	#next() {
		const item = this.#queue.shift();
		this.#busy = !!item;
		if (!item) return;
		const [text, urgent] = item;
		(urgent ? this.assert : this.polite).textContent = text;
		setTimeout(() => this.#next(), 1000);
	}
}
