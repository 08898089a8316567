/* voice - one's own microphone, listened to here: its level in the bar, a
 * word to who talks while muted, and to who is open but silent. What is
 * muted is heard through a copy of the track that is sent nowhere. */
import { audioContext, meter } from './devices.js';

const SPEECH_DB = -45;
const TALK_DB = -40;
const TALK_TICKS = 6; /* of ten in a second */
const AGAIN_MS = 20000;
/* The level of a microphone that gives nothing at all, and for how long. */
const DEAD_DB = -95;
const DEAD_TICKS = 60;

export class Voice {
	#on; #track = null; #copy = null; #stop = null; #is = false;
	#loud = 0; #dead = 0; #told = -AGAIN_MS; #heard = false;

	/* on.level(share, speaking), on.talking() and on.silent(device). */
	constructor(on) { this.#on = on; }

	/* `open`: others hear it. Cheap when nothing has changed. */
	follow(track, open) {
		if (track === this.#track && open === this.#is) return;
		this.close();
		this.#track = track;
		this.#is = open;
		this.#heard = false;
		this.#loud = this.#dead = 0;
		if (!track) return;
		if (open) this.#stop = meter(track, (...l) => this.#open(...l));
		else {
			this.#copy = track.clone();
			this.#copy.enabled = true;
			this.#stop = meter(this.#copy, (_, db) => this.#muted(db));
		}
	}

	close() {
		this.#stop?.();
		this.#copy?.stop();
		this.#stop = this.#copy = this.#track = null;
		this.#on.level(0, false);
	}

	#open(level, db) {
		this.#on.level(level, db > SPEECH_DB);
		if (this.#heard || document.hidden
			|| audioContext().state !== 'running') return;
		if (db > DEAD_DB) {
			this.#heard = true;
			return;
		}
		if (++this.#dead === DEAD_TICKS) this.#on.silent(this.#track.label);
	}

	#muted(db) {
		this.#loud = Math.max(0, this.#loud + (db > TALK_DB ? 1 : -1));
		if (this.#loud < TALK_TICKS) return;
		this.#loud = 0;
		const now = performance.now();
		if (now - this.#told < AGAIN_MS) return;
		this.#told = now;
		this.#on.talking();
	}
}
