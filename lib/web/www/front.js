/* front - what has the stage: a person that is pinned, for me only, or one
 * of the screens that are shared. What came last has it; of the screens the
 * newest, unless another was chosen. */
export class Front {
	pinned = '';
	/* Newest first. */
	sharers = [];
	#chosen = ''; #pinLast = false;

	/* `users` has all who are here, `sharing` those of them who share. */
	follow(users, sharing) {
		if (!users.has(this.pinned)) this.pinned = '';
		const stay = this.sharers.filter(u => sharing.includes(u));
		const fresh = sharing.filter(u => !stay.includes(u));
		if (fresh.length) this.#pinLast = false;
		this.sharers = [...fresh.reverse(), ...stay];
		if (!sharing.includes(this.#chosen)) this.#chosen = '';
	}

	pin(user) {
		this.pinned = user;
		this.#pinLast = !!user;
	}

	show(sharer) {
		this.#chosen = sharer;
		this.#pinLast = false;
	}

	/* Whose camera has the stage, or ''. `own`: I share, too. */
	person(own) {
		return this.#pinLast || !(own || this.sharers.length)
			? this.pinned : '';
	}

	/* Whose screen has it, or ''. */
	get screen() {
		return this.person(false) ? ''
			: this.#chosen || this.sharers[0] || '';
	}
}
