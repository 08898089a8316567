/* seating - who sits where when there are more people than seats. The last
 * seat is for self, the one before for the rest. Who speaks without a seat
 * takes that of the person silent longest; nobody else moves. Further pages
 * show the rest in join order, and while one is looked at nobody swaps. */
const SWAP_MS = 2000;
const SPEAKS_MS = 400;

export class Seating {
	page = 0;
	pages = 1;
	/* How many are neither shown nor self. */
	more = 0;
	#seated = []; #heard = new Map(); #swapped = -Infinity;

	heard(user, now) { this.#heard.set(user, now); }

	#last(user) { return this.#heard.get(user) ?? -Infinity; }

	/* Of those silent longest the last; the pinned one never. */
	#quietest(list, pinned) {
		let out = -1;
		list.forEach((u, i) => {
			if (u !== pinned && (out < 0
				|| this.#last(u) <= this.#last(list[out]))) out = i;
		});
		return out;
	}

	/* Whether somebody who speaks now could not get a seat yet. */
	waits(user) { return this.pages > 1 && !this.#seated.includes(user); }

	/* `people` are in join order, self last; `pinned` is one of them or ''.
	 * Answers one entry for each seat: a user, '' for the rest, or undefined
	 * for nobody. */
	seat(people, seats, pinned, now) {
		const here = new Set(people);
		for (const user of this.#heard.keys())
			if (!here.has(user)) this.#heard.delete(user);
		if (people.length <= seats) {
			this.page = this.more = 0;
			this.pages = 1;
			return people;
		}
		const self = people.at(-1), others = people.slice(0, -1);
		/* Below three seats self gives way to others. */
		const room = Math.max(1, seats - 2);
		const rest = this.#keep(others, room, pinned, now);
		this.pages = 1 + Math.ceil(rest.length / room);
		this.page = Math.min(this.page, this.pages - 1);
		const from = (this.page - 1) * room;
		const list = this.page ? rest.slice(from, from + room)
			: [...this.#seated];
		this.more = others.length - list.length;
		list.length = room;
		return [...list, '', self].slice(0, seats);
	}

	/* Keeps who is seated, fills what is free, drops whom there is no place
	 * for. Answers those without a seat, in join order. */
	#keep(others, room, pinned, now) {
		const here = new Set(others), before = this.#seated;
		const anew = !before.length;
		const free = anew ? [] : others.filter(u => !before.includes(u))
			.sort((a, b) => (this.#last(b) - this.#last(a)) || 0);
		const list = anew ? [...others] : before.map(u => here.has(u) ? u
			: free.shift()).filter(Boolean);
		while (list.length < room) list.push(free.shift());
		while (list.length > room)
			free.push(...list.splice(this.#quietest(list, pinned), 1));
		if (here.has(pinned) && !list.includes(pinned))
			list[this.#quietest(list, '')] = pinned;
		else if (!this.page) this.#swap(list, free, pinned, now);
		this.#seated = list;
		return others.filter(u => !list.includes(u));
	}

	#swap(list, free, pinned, now) {
		const speaker = free.find(u => now - this.#last(u) < SPEAKS_MS);
		const out = this.#quietest(list, pinned);
		if (!speaker || out < 0 || now - this.#swapped < SWAP_MS
			|| now - this.#last(list[out]) < SPEAKS_MS) return;
		list[out] = speaker;
		this.#swapped = now;
	}
}
