/* capture - asks for a screen, with its sound where that is offered. What a
 * screen plays goes as it is, without what others just said; this page itself
 * is not offered, it would show itself in itself. */
const SOUND = { echoCancellation: false, noiseSuppression: false,
	autoGainControl: false, restrictOwnAudio: true };

/* A stream; '' when it was put aside, or the key of a sentence. */
export async function capture() {
	try {
		const stream = await navigator.mediaDevices.getDisplayMedia({
			video: { frameRate: { max: 15 } }, audio: SOUND,
			systemAudio: 'include', surfaceSwitching: 'include',
			selfBrowserSurface: 'exclude' });
		stream.getVideoTracks()[0].contentHint = 'detail';
		return stream;
	} catch (error) {
		return error.name === 'NotAllowedError' ? '' : 'cannot_share';
	}
}
