/* health - how good the connection is, by the numbers of both peer
 * connections. It is called weak after 3 bad seconds and well again after
 * 7.5 good ones, so that nothing flickers. */
const EVERY_MS = 1500;
const BAD_LOOKS = 2;
const GOOD_LOOKS = 5;
/* Shares of packets, ms there and back, bit/s that fit, s without picture. */
const BAD = { loss: 0.08, rtt: 600, room: 90e3, still: 0.5 };
const GOOD = { loss: 0.03, rtt: 400, room: 120e3, still: 0.1 };

/* What came to be since the last look, from counters that may begin anew. */
class Counts {
	#last = new Map(); #times = new Map();

	newer({ id, timestamp }) {
		const news = this.#times.get(id) !== timestamp;
		this.#times.set(id, timestamp);
		return news;
	}

	since(id, now) {
		const before = this.#last.get(id) ?? now;
		this.#last.set(id, now);
		return Object.fromEntries(Object.entries(now).map(([k, v]) =>
			[k, Math.max(0, (v ?? 0) - (before[k] ?? 0))]));
	}
}

/* One look at one connection: {loss, rtt, room, still}; what is not known
 * is undefined. `own` is the one that sends: of loss it learns from reports,
 * which are not there in every second. Pictures may stand still for other
 * reasons than the connection's, so only with loss do they count. */
export function read(stats, own, counts) {
	let lost = 0, all = 0, rtt, room, still = 0, told = !own;
	const far = s => { rtt = Math.max(rtt ?? 0, (s ?? 0) * 1000); };
	for (const s of stats.values()) {
		if (s.type === 'candidate-pair' && s.nominated) {
			far(s.currentRoundTripTime);
			if (own) room = s.availableOutgoingBitrate ?? room;
		} else if (own && s.type === 'remote-inbound-rtp') {
			far(s.roundTripTime);
			if (!counts.newer(s)) continue;
			told = true;
			const d = counts.since(s.id, { lost: s.packetsLost,
				sent: stats.get(s.localId)?.packetsSent });
			lost += d.lost;
			all += d.sent;
		} else if (!own && s.type === 'inbound-rtp') {
			const d = counts.since(s.id, { lost: s.packetsLost,
				got: s.packetsReceived, still: s.totalFreezesDuration });
			lost += d.lost;
			all += d.lost + d.got;
			still = Math.max(still, d.still);
		}
	}
	return { loss: told ? all > 9 ? Math.min(1, lost / all) : 0 : undefined,
		rtt, room, still: lost ? still : 0 };
}

const worse = (look, than) => look.loss > than.loss || look.rtt > than.rtt
	|| look.room < than.room || look.still > than.still;

/* One direction: turns after a run of looks that agree. */
export class Side {
	weak = false;
	look = { loss: 0 };
	#run = 0; #counts = new Counts();

	/* Looks bad already, though perhaps not for long enough. */
	get bad() { return this.weak || this.#run > 0; }

	take(stats, own) {
		const look = read(stats, own, this.#counts);
		look.loss ??= this.look.loss;
		this.look = look;
		const turn = this.weak ? !worse(look, GOOD) : worse(look, BAD);
		this.#run = turn ? this.#run + 1 : 0;
		if (this.#run < (this.weak ? GOOD_LOOKS : BAD_LOOKS)) return false;
		this.weak = !this.weak;
		this.#run = 0;
		return true;
	}
}

export class Health {
	up = new Side();
	down = new Side();
	#timer = 0; #busy = false; #media; #changed;

	/* media() has `measured`; changed(side) is told when up or down turned,
	 * ticked() after each look. */
	constructor(media, changed, ticked = () => {}) {
		this.#media = media;
		this.#changed = changed;
		this.ticked = ticked;
		this.#timer = setInterval(() => this.#look(), EVERY_MS);
	}

	close() { clearInterval(this.#timer); }

	async #look() {
		if (this.#busy) return;
		this.#busy = true;
		for (const [side, all] of Object.entries(
			this.#media()?.measured ?? {})) {
			const reports = await Promise.all(all.map(one =>
				one.getStats())).catch(() => []);
			const stats = new Map(reports.flatMap(r => [...r]));
			/* Where nothing comes in, nothing is lost. */
			const idle = side === 'down' && !all.length;
			if ((stats.size || idle)
				&& this[side].take(stats, side === 'up'))
				this.#changed(side);
		}
		this.#busy = false;
		this.ticked();
	}
}
