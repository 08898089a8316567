/* devices - asking for, keeping and choosing devices. Refusals are kept as
 * words' keys: joining does not depend on a device. */
import { forEver } from './keep.js';

const VIDEO = {
	width: { ideal: 1280 }, height: { ideal: 720 },
	frameRate: { ideal: 30, max: 30 },
};
const keep = (kind, id) => forEver.setItem(`confkit.${kind}`, id);
const kept = kind => forEver.getItem(`confkit.${kind}`) ?? '';

/* Why a device is not there, as the key of a sentence. */
function reason(error, kind) {
	switch (error?.name) {
	case 'NotAllowedError': case 'SecurityError': return `${kind}_blocked`;
	case 'NotFoundError': case 'OverconstrainedError': return `no_${kind}`;
	case 'NotReadableError': case 'AbortError': return `${kind}_busy`;
	default: return `no_${kind}`;
	}
}

/* Loaded behind the page, before it is needed. */
const lost = () => import('./lost.js');

export class Devices {
	mic = null;
	cam = null;
	asking = false;
	/* Keys of words, '' when there is nothing to say. */
	micProblem = '';
	camProblem = '';
	/* See lost.js, whose are the two below as well. */
	onlost = () => {};
	onback = () => {};
	missing = new Set();
	speakers = null;
	#raw; #changed;

	/* `changed` is called after every change of what is above. */
	constructor(raw, changed) {
		this.#raw = raw;
		this.#changed = changed;
		this.#media?.addEventListener?.('devicechange',
			async () => (await lost()).moved(this));
	}

	changed() { this.#changed(); }

	get #media() { return navigator.mediaDevices; }

	#audio() {
		const on = !this.#raw;
		return {
			echoCancellation: on, noiseSuppression: on, autoGainControl: on,
			...(kept('mic') && { deviceId: { ideal: kept('mic') } }),
		};
	}

	#video() {
		return { ...VIDEO,
			...(kept('cam') && { deviceId: { ideal: kept('cam') } }) };
	}

	/* One question for both; when that fails, each by itself, but never a
	 * second question about what was just refused. */
	async ask({ mic = true, cam = true } = {}) {
		/* Browsers hide devices from pages without https. */
		if (!this.#media) {
			if (mic) this.micProblem = 'insecure';
			if (cam) this.camProblem = 'insecure';
			return this.#changed();
		}
		this.asking = true;
		this.#changed();
		try {
			this.#take(await this.#media.getUserMedia({
				audio: mic && this.#audio(), video: cam && this.#video(),
			}));
		} catch (error) {
			if (mic && cam) {
				await this.#alone('mic', error);
				await this.#alone('cam', error);
			} else this.#refused(mic ? 'mic' : 'cam', error);
		}
		this.asking = false;
		this.#changed();
	}

	async #alone(kind, error) {
		if (error.name === 'NotAllowedError'
			&& await this.permission(kind) !== 'granted')
			return this.#refused(kind, error);
		const want = kind === 'mic' ? { audio: this.#audio() }
			: { video: this.#video() };
		try {
			this.#take(await this.#media.getUserMedia(want));
		} catch (e) {
			this.#refused(kind, e);
		}
	}

	async permission(kind) {
		const name = kind === 'mic' ? 'microphone' : 'camera';
		try {
			return (await navigator.permissions.query({ name })).state;
		} catch { return 'prompt'; }
	}

	#take(stream) {
		for (const track of stream.getTracks()) {
			const kind = track.kind === 'audio' ? 'mic' : 'cam';
			this[kind]?.stop();
			this[kind] = track;
			this[`${kind}Problem`] = '';
			this.missing.delete(kind);
			track.onended = async () =>
				(await lost()).ended(this, kind, track);
		}
		if (!this.speakers) lost().then(({ begin }) => begin(this));
	}

	#refused(kind, error) {
		const why = reason(error, kind);
		this[`${kind}Problem`] = why;
		if (why === `no_${kind}`) this.missing.add(kind);
	}

	stop(kind) {
		this.missing.delete(kind);
		this[kind]?.stop();
		this[kind] = null;
		this.#changed();
	}

	/* {mic: [...], cam: [...], spk: [...]}, each {id, label, chosen}. */
	async list() {
		const out = { mic: [], cam: [], spk: [] };
		const kinds = { audioinput: 'mic', videoinput: 'cam',
			audiooutput: 'spk' };
		const all = await this.#media?.enumerateDevices() ?? [];
		for (const { kind, deviceId: id, label } of all) {
			const list = out[kinds[kind]];
			if (!id || !label || !list) continue;
			list.push({ id, label, chosen: id === this.chosen(kinds[kind]) });
		}
		for (const list of Object.values(out))
			if (list.length && !list.some(d => d.chosen))
				list[0].chosen = true;
		return out;
	}

	chosen(kind) {
		return this[kind]?.getSettings?.().deviceId ?? kept(kind);
	}

	async choose(kind, id) {
		keep(kind, id);
		if (kind !== 'spk' && this[kind]) {
			const { enabled } = this[kind];
			/* Phones open one camera at a time. */
			if (kind === 'cam') this.cam.stop();
			await this.ask({ mic: kind === 'mic', cam: kind === 'cam' });
			if (this[kind]) this[kind].enabled = enabled;
		}
		this.#changed();
	}

	speaker() { return kept('spk'); }
}

export const canChooseSpeaker = 'setSinkId' in HTMLMediaElement.prototype;
export const canCall = 'RTCPeerConnection' in window;
export const canShare = !!navigator.mediaDevices?.getDisplayMedia;

let context = null;
/* One AudioContext for the page. Browsers keep it suspended until the first
 * press; nothing but meters depends on it. */
export function audioContext() {
	if (!context) {
		context = new AudioContext();
		const wake = () => context.resume().catch(() => {});
		for (const type of ['pointerdown', 'keydown'])
			addEventListener(type, wake, { passive: true });
	}
	if (context.state === 'suspended') context.resume().catch(() => {});
	return context;
}

/* The level of a track ten times a second, 0…1 over 60 dB. */
export function meter(track, heard) {
	const ctx = audioContext();
	const source = ctx.createMediaStreamSource(new MediaStream([track]));
	const analyser = ctx.createAnalyser();
	analyser.fftSize = 2048;
	source.connect(analyser);
	const samples = new Float32Array(analyser.fftSize);
	const timer = setInterval(() => {
		if (!track.enabled || document.hidden) return heard(0, -100);
		analyser.getFloatTimeDomainData(samples);
		let sum = 0;
		for (const s of samples) sum += s * s;
		const db = 10 * Math.log10(sum / samples.length + 1e-10);
		heard(Math.min(1, Math.max(0, 1 + db / 60)), db);
	}, 100);
	return () => {
		clearInterval(timer);
		source.disconnect();
	};
}
