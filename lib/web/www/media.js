/* media - the two peer connections. Publish: always four sendonly
 * transceivers in the order of SOURCES, so that starting and stopping is
 * replaceTrack, never a negotiation. Subscribe: the server offers slots.
 *
 * A slot is {mid, kind, source, slot, stream, user, rtp}: `stream` is null
 * until the track is here, `user` while nobody feeds it, `rtp` until the new
 * owner's first key frame, whose RTP timestamp it is then. */
export const SOURCES = ['mic', 'cam', 'screen', 'screen-audio'];

/* From a 1280x720 capture `h` is 640x360. It alone is sent until the relay
 * chooses between layers. */
const CAMERA = [
	{ rid: 'q', active: false, scaleResolutionDownBy: 4, maxBitrate: 150e3 },
	{ rid: 'h', active: true, scaleResolutionDownBy: 2, maxBitrate: 700e3 },
	{ rid: 'f', active: false, scaleResolutionDownBy: 1, maxBitrate: 2000e3 },
];
const SCREEN = [{ maxBitrate: 2500e3, maxFramerate: 15 }];
const RETRY_MS = [100, 250, 500, 1000];
const CONNECT_MS = 8000;
const WAVER_MS = 2000;
const MEASURED = 4;

const later = ms => new Promise(done => setTimeout(done, ms));

export class Media {
	tracks = { mic: null, cam: null, screen: null, 'screen-audio': null };
	slots = [];
	#call; #on;
	#sides = { publish: null, subscribe: null };
	#prepared = null;
	#early = [];
	#off = new Set();
	#want = { text: '', sent: '' };
	#open = false;
	#small = false;

	/* call(method, params) asks the server. on.slot(slot) tells of every
	 * change of a slot, on.slots() that all were replaced, on.state() that
	 * `state` may have changed. */
	constructor(call, on) {
		this.#call = call;
		this.#on = on;
	}

	/* Makes the publish connection and its offer before they are needed. */
	prepare() {
		this.#prepared ??= this.#offer();
		this.#prepared.catch(() => { this.#prepared = null; });
	}

	publish() {
		this.#open = true;
		return this.#begin('publish');
	}

	subscribe() {
		this.#open = true;
		return this.#begin('subscribe');
	}

	close() {
		this.#open = false;
		for (const kind of Object.keys(this.#sides)) this.#end(kind);
		this.#prepared?.then(p => p.pc.close(), () => {});
		this.#prepared = null;
		this.slots = [];
		this.#on.slots();
	}

	/* 'up', 'connecting' (not yet for the first time) or 'lost'. */
	get state() {
		const sides = Object.values(this.#sides);
		if (sides.every(s => s?.up)) return 'up';
		return sides.some(s => s?.lost) ? 'lost' : 'connecting';
	}

	/* What tells how the connections are, and is not too much to ask each
	 * second: microphone and camera, and a few of those who come in. */
	get measured() {
		const { publish, subscribe } = this.#sides;
		const fed = this.slots.filter(s => s.user && s.stream)
			.map(s => s.stream.getTracks()[0]);
		return {
			up: publish?.up ? publish.pc.getSenders().slice(0, 2) : [],
			down: subscribe?.up ? subscribe.pc.getReceivers().filter(r =>
				fed.includes(r.track)).slice(0, MEASURED) : [],
		};
	}

	/* One's own camera at half the size and a fifth of the rate. */
	async small(on) {
		this.#small = on;
		const { pc } = this.#sides.publish ?? {};
		if (pc) await this.#encode(pc).catch(() => {});
	}

	/* An answer that takes all layers has switched all of them on. */
	async #encode(pc) {
		const { sender } = pc.getTransceivers()[1];
		const wanted = sender.getParameters();
		for (const e of wanted.encodings) {
			e.active = e.rid === 'h' || wanted.encodings.length === 1;
			const { scaleResolutionDownBy: by, maxBitrate: rate } =
				CAMERA.find(c => c.rid === (this.#small ? 'q' : e.rid))
				?? CAMERA[this.#small ? 0 : 1];
			e.scaleResolutionDownBy = by;
			e.maxBitrate = rate;
		}
		await sender.setParameters(wanted);
	}

	async setTrack(source, track) {
		const off = !track && !!this.tracks[source];
		this.tracks[source] = track;
		/* Muting is said elsewhere; a picture ends when it is said. */
		if (source !== 'mic' && off !== this.#off.has(source)) {
			this.#off[off ? 'add' : 'delete'](source);
			this.#call('media.off', { sources: [...this.#off] })
				.catch(() => {});
		}
		const side = this.#sides.publish;
		const pc = side?.pc ?? (await this.#prepared)?.pc;
		await pc?.getTransceivers()[SOURCES.indexOf(source)]
			?.sender.replaceTrack(this.tracks[source]);
	}

	/* What is shown, in full each time: [{user, source, height, stage}]. */
	want(tracks) {
		this.#want.text = JSON.stringify({ tracks });
		this.#sendWant();
	}

	/* After the control connection is back: what the server no longer
	 * knows is made anew. */
	async check() {
		const ids = Object.values(this.#sides).map(s => s?.transport)
			.filter(Boolean);
		const { gone = [] } = await this.#call('media.check',
			{ transports: ids });
		this.#redo(gone);
		for (const [kind, side] of Object.entries(this.#sides))
			if (this.#open && !side?.transport && !side?.busy)
				this.#begin(kind);
		this.#want.sent = '';
		this.#sendWant();
	}

	handle({ type, data }) {
		if (type === 'media.reset')
			this.#redo(data.transports ?? this.#transports());
		else if (type === 'media.renegotiate') this.#renegotiate(data);
		else if (type === 'slot.assigned' || type === 'slot.live') {
			if (data.transport === this.#sides.subscribe?.transport)
				this.#slotEvent(type, data);
			else if (this.#sides.subscribe?.busy)
				this.#early.push({ type, data });
		}
	}

	/* Both at once, without waiting for ICE to notice. */
	restart() { this.#redo(this.#transports()); }

	#transports() {
		return Object.values(this.#sides).map(s => s?.transport);
	}

	#redo(transports) {
		if (!this.#open) return;
		for (const [kind, side] of Object.entries(this.#sides))
			if (side?.transport && transports.includes(side.transport))
				this.#begin(kind);
	}

	#end(kind) {
		const side = this.#sides[kind];
		if (!side) return;
		clearTimeout(side.timer);
		side.dead = true;
		side.pc?.close();
		this.#sides[kind] = null;
	}

	/* Replaces a side; tries until it stands, or is replaced or closed. */
	async #begin(kind) {
		const before = this.#sides[kind];
		this.#end(kind);
		const side = { kind, busy: true, up: false, tries: before?.tries ?? 0,
			lost: before?.lost || before?.up };
		this.#sides[kind] = side;
		this.#on.state();
		try {
			if (kind === 'publish') await this.#publish(side);
			else await this.#subscribe(side);
			side.busy = false;
		} catch {
			side.busy = false;
			this.#again(side);
		}
	}

	async #again(side) {
		if (side.dead || side.again) return;
		side.again = true;
		const wait = RETRY_MS[Math.min(side.tries, RETRY_MS.length - 1)];
		side.tries++;
		await later(wait);
		if (!side.dead && this.#open) this.#begin(side.kind);
	}

	async #offer() {
		const pc = new RTCPeerConnection({ bundlePolicy: 'max-bundle' });
		const settings = { cam: CAMERA, screen: SCREEN };
		for (const source of SOURCES) {
			const kind = source === 'mic' || source === 'screen-audio'
				? 'audio' : 'video';
			const transceiver = pc.addTransceiver(kind, {
				direction: 'sendonly', sendEncodings: settings[source],
			});
			await transceiver.sender.replaceTrack(this.tracks[source]);
		}
		const offer = await pc.createOffer();
		return { pc, offer };
	}

	async #publish(side) {
		const prepared = this.#prepared ?? this.#offer();
		this.#prepared = null;
		const { pc, offer } = await prepared;
		if (side.dead) return pc.close();
		side.pc = pc;
		this.#watch(side);
		const answer = this.#call('media.publish', { sdp: offer.sdp });
		/* A refusal must not go unhandled while the offer is applied. */
		answer.catch(() => {});
		await pc.setLocalDescription(offer);
		const { sdp, transport } = await answer;
		if (side.dead) return;
		side.transport = transport;
		await pc.setRemoteDescription({ type: 'answer', sdp });
		await this.#encode(pc);
		/* A track may have come while the offer was on its way. */
		await Promise.all(SOURCES.map((source, i) => {
			const { sender } = pc.getTransceivers()[i];
			return sender.track === this.tracks[source] ? null
				: sender.replaceTrack(this.tracks[source]);
		}));
	}

	async #subscribe(side) {
		const { sdp, transport, slots } =
			await this.#call('media.subscribe', { confirm: true });
		if (side.dead) return;
		side.pc = new RTCPeerConnection({ bundlePolicy: 'max-bundle' });
		side.transport = transport;
		this.#watch(side);
		this.#setSlots(slots, []);
		for (const { type, data } of this.#early)
			if (data.transport === transport) this.#slotEvent(type, data);
		this.#early = [];
		await this.#answer(side, sdp);
		this.#want.sent = '';
		this.#sendWant();
	}

	/* Slots that exist keep their stream and owner. */
	#setSlots(slots, have) {
		this.slots = slots.map(s => have.find(h => h.mid === s.mid)
			?? { ...s, stream: null, user: null, rtp: null });
		this.#on.slots();
	}

	async #answer(side, sdp) {
		side.pc.ontrack = ({ transceiver, track }) => {
			const slot = this.slots.find(s => s.mid === transceiver.mid);
			if (!slot || slot.stream) return;
			slot.stream = new MediaStream([track]);
			this.#on.slot(slot);
		};
		await side.pc.setRemoteDescription({ type: 'offer', sdp });
		await side.pc.setLocalDescription();
		if (side.dead) return;
		await this.#call('media.answer', {
			transport: side.transport, sdp: side.pc.localDescription.sdp,
		});
	}

	async #renegotiate({ transport, sdp, slots }) {
		const side = this.#sides.subscribe;
		if (!side || side.transport !== transport) return;
		this.#setSlots(slots, this.slots);
		try {
			await this.#answer(side, sdp);
		} catch {
			if (!side.dead) this.#begin('subscribe');
		}
	}

	#slotEvent(type, data) {
		const slot = this.slots.find(s => s.mid === data.mid);
		if (!slot) return;
		if (type === 'slot.assigned') {
			slot.user = data.user ?? null;
			slot.rtp = null;
		} else if (slot.user === data.user) slot.rtp = data.rtp_ts ?? -1;
		this.#on.slot(slot);
		/* Covered: now its picture may come. */
		if (data.confirm) this.#call('media.confirm', {
			transport: data.transport, mid: data.mid, turn: data.confirm,
		}).catch(() => {});
	}

	/* Ends a side that never connects, fails, or wavers for too long. */
	#watch(side) {
		const { pc } = side;
		const expect = ms => {
			clearTimeout(side.timer);
			side.timer = setTimeout(() => {
				if (side.dead || side.up) return;
				side.lost = true;
				this.#again(side);
			}, ms);
		};
		expect(CONNECT_MS);
		pc.onconnectionstatechange = () => {
			if (side.dead) return;
			const state = pc.connectionState;
			side.up = state === 'connected';
			if (side.up) {
				side.lost = false;
				side.tries = 0;
				clearTimeout(side.timer);
			} else if (state === 'failed') {
				side.lost = true;
				this.#again(side);
			} else if (state === 'disconnected') {
				side.lost = true;
				expect(WAVER_MS);
			}
			this.#on.state();
		};
	}

	#sendWant() {
		const { text, sent } = this.#want;
		if (!text || text === sent || !this.#sides.subscribe?.transport)
			return;
		this.#want.sent = text;
		this.#call('media.want', JSON.parse(text)).catch(() => {
			this.#want.sent = '';
		});
	}
}
