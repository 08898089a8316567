/* echo - the test of sound: a second of tone from the speaker that is
 * chosen, then one's own voice by way of the relay, three seconds of it. The
 * way is made while the tone sounds. Without a microphone it is the tone. */
import { audioContext } from './devices.js';

const TONE_MS = 1000;
const TONE_HZ = 440;
const LATE_MS = 4000;
const VOICE_MS = 3000;
/* Of three seconds at -55 dB: the sum of squares that getStats has. */
const HEARD = 1e-5;
const AWAY = ['unavailable', 'draining', 'timeout', 'busy'];

const later = ms => new Promise(done => setTimeout(done, ms));

class Test {
	#app; #say; #peers = []; #mic = null; #voice = null; #began = false;
	over = false;

	constructor(app, say) {
		this.#app = app;
		this.#say = say;
		this.audio = document.createElement('audio');
		this.audio.autoplay = true;
		this.audio.hidden = true;
	}

	stop() {
		if (this.over) return;
		this.over = true;
		for (const pc of this.#peers) pc.close();
		this.#mic?.stop();
		this.audio.srcObject = null;
		this.audio.remove();
		if (this.#began) this.#app.call('media.echo', { off: true })
			.catch(() => {});
	}

	/* Resolves with the key of what there is to say in the end. */
	async run() {
		const { devices } = this.#app.me, { mic } = devices;
		const speaker = devices.speaker();
		document.body.append(this.audio);
		if (speaker) await this.audio.setSinkId?.(speaker).catch(() => {});
		const way = mic && 'RTCPeerConnection' in window
			? this.#connect(mic).then(() => null, error => error) : null;
		this.#say('test_tone');
		await this.#tone();
		if (this.over || !way) return this.over ? '' : 'test_tone_only';
		const failed = await Promise.race([way, later(LATE_MS)]);
		if (this.over) return '';
		if (failed) return AWAY.includes(failed.kind) ? 'test_away'
			: ['test_failed', { reason: failed.message }];
		return this.#voice ? this.#listen() : 'test_lost';
	}

	async #tone() {
		const ctx = audioContext(), to = ctx.createMediaStreamDestination();
		const tone = ctx.createOscillator(), gain = ctx.createGain();
		const at = ctx.currentTime, end = at + TONE_MS / 1000;
		tone.frequency.value = TONE_HZ;
		gain.gain.setValueAtTime(0, at);
		gain.gain.linearRampToValueAtTime(0.2, at + 0.02);
		gain.gain.setValueAtTime(0.2, end - 0.05);
		gain.gain.linearRampToValueAtTime(0, end);
		tone.connect(gain).connect(to);
		this.audio.srcObject = to.stream;
		this.audio.play().catch(() => {});
		tone.start();
		await later(TONE_MS);
		tone.stop();
	}

	/* A copy of the microphone: one that is muted stays so. */
	async #connect(mic) {
		const out = this.#peer(), back = this.#peer();
		this.#mic = mic.clone();
		this.#mic.enabled = true;
		out.addTransceiver(this.#mic, { direction: 'sendonly' });
		await out.setLocalDescription();
		this.#began = true;
		const { sdp, offer, transport } = await this.#app.call('media.echo',
			{ sdp: out.localDescription.sdp });
		if (this.over) return;
		back.ontrack = ({ transceiver, track }) => {
			if (transceiver === back.getTransceivers()[0])
				this.#voice = track;
		};
		await Promise.all([
			out.setRemoteDescription({ type: 'answer', sdp }),
			back.setRemoteDescription({ type: 'offer', sdp: offer })]);
		await back.setLocalDescription();
		await this.#app.call('media.echo', { transport,
			answer: back.localDescription.sdp });
	}

	#peer() {
		const pc = new RTCPeerConnection({ bundlePolicy: 'max-bundle' });
		this.#peers.push(pc);
		return pc;
	}

	/* What has come back by now. */
	async #got() {
		const sum = { packets: 0, energy: 0 };
		for (const s of (await this.#peers[1].getStats()).values()) {
			if (s.type !== 'inbound-rtp' || s.kind !== 'audio') continue;
			sum.packets += s.packetsReceived ?? 0;
			sum.energy += s.totalAudioEnergy ?? 0;
		}
		return sum;
	}

	/* It is heard, and looked at: nothing at all, silence, or sound. */
	async #listen() {
		this.audio.srcObject = new MediaStream([this.#voice]);
		this.audio.play().catch(() => {});
		this.#say('test_voice');
		const before = await this.#got();
		await later(VOICE_MS);
		if (this.over) return '';
		const { packets, energy } = await this.#got();
		if (energy - before.energy > HEARD) return 'test_done';
		return packets > before.packets ? 'test_silent' : 'test_lost';
	}
}

/* say(key, vars) tells what goes on; ended() follows the last of it. Returns
 * the function that ends it before. */
export function testSound(app, say, ended) {
	const test = new Test(app, say);
	test.run().then(result => {
		const [key, vars] = [result].flat();
		test.stop();
		if (key) say(key, vars);
		ended();
	});
	return () => test.stop();
}
