/* voices - who speaks: from the relay's list of the loudest, and from one's
 * own meter, which has to be loud for a moment. Off after some silence. */
const LOUD_DBOV = 45;
const SPEECH_MS = 80;
const QUIET_MS = 400;

export class Voices {
	/* Who else was heard last. */
	last = '';
	#loud = new Map(); #mark; #timer = 0; #own = { since: 0, last: -1e9 };

	/* mark(user, on) shows it. */
	constructor(mark) { this.#mark = mark; }

	has(user) { return this.#loud.has(user); }

	/* `level` is in -dBov. Whether that counts as speech. */
	hear(user, level, self, now) {
		if (level >= LOUD_DBOV) return false;
		if (self) {
			const own = this.#own;
			if (now - own.last > QUIET_MS / 2) own.since = now;
			own.last = now;
			if (now - own.since < SPEECH_MS) return false;
		} else this.last = user;
		if (!this.#loud.has(user)) this.#mark(user, true);
		this.#loud.set(user, now);
		this.#timer ||= setTimeout(() => this.#hush(), QUIET_MS / 4);
		return true;
	}

	#hush() {
		const now = performance.now();
		for (const [user, at] of this.#loud) {
			if (now - at < QUIET_MS) continue;
			this.#loud.delete(user);
			this.#mark(user, false);
		}
		this.#timer = this.#loud.size
			? setTimeout(() => this.#hush(), QUIET_MS / 4) : 0;
	}

	close() { clearTimeout(this.#timer); }
}
