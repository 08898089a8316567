/* overflow - when there are more people than seats: who sits where, and the
 * seat of those who have none, with buttons that page through them. */
import { attrs, disc, el, icon, setText } from './dom.js';
import { named, t } from './i18n.js';
import { Seating } from './seating.js';

const SHOWN = 3;
/* Below this height there is no place for discs as well. */
const LOW = 128;

export class Overflow {
	seating = new Seating();
	#model; #room; #stage;

	constructor(model, room, stage) {
		this.#model = model;
		this.#room = room;
		this.#stage = stage;
		this.discs = el('span.discs', { 'aria-hidden': 'true' });
		this.words = el('strong');
		this.rest = el('button.rest', { tabindex: '-1', onclick: () =>
			room.show('people') }, this.discs, this.words);
		const step = (by, mark, word) => el('button.quiet.bare', {
			...named(word), onclick: () => this.turn(by) }, icon(mark, 20));
		this.before = step(-1, 'left', 'prev_page');
		this.after = step(1, 'right', 'next_page');
		this.page = el('span');
		this.node = el('div.tile.overflow', {}, this.rest, el('div.pager',
			{}, this.before, this.page, this.after));
	}

	/* Who has a seat, in the order of seats; self is the last of `people`. */
	seat(people, seats) {
		const list = this.seating.seat(people, seats, this.#stage.pinned,
			performance.now());
		if (list.includes('')) this.#say(people.filter(u =>
			!list.includes(u)).slice(0, SHOWN));
		return list;
	}

	/* Turns pages, and says where one is. */
	turn(by) {
		const { page, pages } = this.seating;
		const to = Math.min(Math.max(page + by, 0), pages - 1);
		if (to === page) return;
		this.seating.page = to;
		this.#stage.layout();
		this.#room.announcer.say(t('page_n', { n: to + 1, m: pages }));
	}

	#say(rest) {
		const { more, page, pages } = this.seating;
		const name = user => this.#model.name(user);
		const key = `${rest.map(u => [u, name(u)])}`;
		if (key !== this.key) this.discs.replaceChildren(
			...rest.map(u => disc(u, name(u), true)));
		this.key = key;
		setText(this.words, t('others', { n: more }));
		setText(this.page, `${page + 1} / ${pages}`);
		attrs(this.page, { 'aria-label': t('page_n',
			{ n: page + 1, m: pages }), role: 'img' });
		/* Still focusable: who turns by keyboard stays where he is. */
		attrs(this.before, { 'aria-disabled': !page && 'true' });
		attrs(this.after, { 'aria-disabled': page + 1 === pages && 'true' });
	}

	/* Nowhere when `rect` is not given. */
	place(rect) {
		this.rect = rect;
		if (rect) this.node.classList.toggle('low', rect.h < LOW);
	}
}
