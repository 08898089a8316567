/* states - what becomes of one's own sound, picture and connection while the
 * meeting goes on: it is watched here, and told by another module when there
 * is something to tell. */
import { Health } from './health.js';
import { isOn } from './keep.js';
import { load } from './load.js';
import { Voice } from './voice.js';

const AGAIN_MS = 60000;
const KINDS = { mic: 'microphone', cam: 'camera' };

export class States {
	#app; #room; #small = false; #rights = []; #told = -AGAIN_MS;

	constructor(app, room) {
		this.#app = app;
		this.#room = room;
		for (const [kind, name] of Object.entries(KINDS))
			navigator.permissions?.query({ name }).then(status => {
				this.#rights.push(status);
				status.onchange = () => this.#right(kind, status.state);
			}, () => {});
		this.health = new Health(() => app.me.media,
			side => this.#turned(side), () => this.#looked());
		this.voice = new Voice({
			level: (level, speaking) => {
				room.bar.level(level);
				if (speaking) room.stage.levels([{
					user: app.model.me, level: 0 }]);
			},
			talking: () => this.tell('talking'),
			silent: device => this.tell('silent', device),
		});
	}

	close() {
		this.health.close();
		this.voice.close();
		for (const status of this.#rights) status.onchange = null;
	}

	/* Says so; what cannot be fetched now is not said. */
	tell(what, ...more) {
		return load('tell').then(tell =>
			tell[what](this.#room, ...more), () => {});
	}

	update() {
		const { me } = this.#app, { toasts } = this.#room;
		this.voice.follow(me.devices.mic, me.speaking);
		toasts.drop(me.speaking ? 'talking' : 'silent');
		if (me.media?.state === 'up') this.camera();
	}

	/* One's own picture is small by wish or by need. */
	camera() {
		const small = this.health.up.weak || isOn('small', 'off');
		if (small !== this.#small) this.#app.me.media?.small(small);
		this.#small = small;
	}

	/* Not every browser ends what is in use when it is forbidden. */
	#right(kind, state) {
		const { devices } = this.#app.me;
		if (state === 'granted' || !devices[kind]) return;
		devices.stop(kind);
		devices[`${kind}Problem`] = `${kind}_blocked`;
		this.tell('lost', kind, 'withdrawn');
	}

	#looked() {
		const { up, down } = this.health, room = this.#room;
		room.stage.weak?.(this.#app.model.me, up.bad || down.bad);
		room.panels.now?.tick?.();
	}

	#turned(side) {
		const { up, down } = this.health;
		this.camera();
		if (!up.weak && !down.weak) this.#room.toasts.drop('weak');
		const now = performance.now();
		/* The sign on the tile is enough when it comes and goes. */
		if (!this.health[side].weak || now - this.#told < AGAIN_MS) return;
		this.#told = now;
		this.tell('weak', side, this.health[side].look);
	}
}
