/* tone - one soft sound for those who asked for it in the settings. */
import { audioContext } from './devices.js';

const HZ = 660;
const LOUD = 0.06;
const SECONDS = 0.25;

export function tone() {
	const ctx = audioContext(), at = ctx.currentTime;
	const voice = ctx.createOscillator(), gain = ctx.createGain();
	voice.frequency.value = HZ;
	gain.gain.setValueAtTime(0, at);
	gain.gain.linearRampToValueAtTime(LOUD, at + 0.02);
	gain.gain.linearRampToValueAtTime(0, at + SECONDS);
	voice.connect(gain).connect(ctx.destination);
	voice.start(at);
	voice.stop(at + SECONDS);
}
