/* me - one's own microphone, camera and screen: what is wanted and what there
 * is. Mute and camera act at once; the server learns of it afterwards. */
import { Devices, canShare } from './devices.js';
import { t } from './i18n.js';

/* The server hears of a mute after a few silent packets have gone out: a
 * receiver stretches what it heard last over a gap, but silence it plays. */
const HUSH_MS = 120;

export class Me {
	micOn = true;
	camOn = true;
	screen = null;
	media = null;
	/* Settles when the media module is here and the offer begun. */
	mediaReady = null;
	#app; #told = null; #preview = null;

	constructor(app, raw) {
		this.#app = app;
		this.devices = new Devices(raw, () => this.#devicesChanged());
		this.devices.onlost = (...what) => app.view?.lost?.(...what);
		this.devices.onback = kind => app.view?.back?.(kind);
	}

	/* `before` is what was on when the page was last in the room. */
	async askDevices(before = this.#app.seat) {
		this.micOn = before.mic ?? true;
		this.camOn = before.cam ?? true;
		/* Behind what the page itself still waits for. */
		setTimeout(() => this.#load());
		await this.devices.ask({ mic: true, cam: this.camOn });
	}

	async #load() {
		const { Media } = await import('./media.js');
		const app = this.#app;
		if (this.media || app.stage === 'gone') return;
		this.media = new Media((method, params) => app.call(method, params), {
			slot: slot => app.view?.slot?.(slot),
			slots: () => app.view?.slots?.(),
			state: () => app.mediaState(this.media.state),
		});
		this.#attach();
		this.media.prepare();
	}

	publish() {
		this.mediaReady = (this.media ? Promise.resolve() : this.#load())
			.then(() => { this.media?.publish(); });
	}

	close() {
		this.media?.close();
		this.media = null;
		this.stopShare();
		for (const kind of ['mic', 'cam']) this.devices.stop(kind);
		this.#told = null;
	}

	get held() { return !!this.#app.model?.self?.held; }
	/* What others can hear now. */
	get speaking() {
		return this.micOn && !!this.devices.mic && !this.held;
	}
	get showing() { return this.camOn && !!this.devices.cam; }
	/* One stream for one's own camera, the same while its track is. */
	get preview() {
		const { cam } = this.devices;
		if (!this.showing) this.#preview = null;
		else if (this.#preview?.getTracks()[0] !== cam)
			this.#preview = new MediaStream([cam]);
		return this.#preview;
	}

	#devicesChanged() {
		if (!this.camOn && this.devices.cam) return this.devices.stop('cam');
		this.#attach();
		if (this.#app.stage === 'room') this.syncMute();
		this.#app.changed('me');
	}

	#attach() {
		const { mic, cam } = this.devices;
		if (mic) mic.enabled = this.speaking;
		if (!this.media) return;
		for (const [source, track] of Object.entries({ mic, cam }))
			if (this.media.tracks[source] !== track)
				this.media.setTrack(source, track);
	}

	#keep() {
		this.#app.keep({ mic: this.micOn, cam: this.camOn });
		this.#attach();
		this.#app.changed('me');
	}

	/* Tells the server when it does not know yet; `anew` after a loss. */
	async syncMute(anew = false) {
		const { mic, asking } = this.devices;
		const muted = !(this.micOn && (mic || asking));
		if (this.#told === null || anew)
			this.#told = !!this.#app.model?.self?.muted;
		if (muted === this.#told || !this.#app.control.up) return;
		this.#told = muted;
		if (muted && !anew) await new Promise(go => setTimeout(go, HUSH_MS));
		if (this.#told !== muted) return;
		try {
			await this.#app.call(muted ? 'user.mute' : 'user.unmute');
		} catch (error) {
			this.#told = null;
			if (!error.later) this.#app.fail(error);
		}
	}

	/* Off for sure: also what is still being asked for. */
	off(kind) {
		this[`${kind}On`] = false;
		if (kind === 'cam') this.devices.stop('cam');
		this.#keep();
		if (this.#app.stage === 'room') this.syncMute();
	}

	/* Returns '' or the key of a sentence that says why not. */
	async toggleMic() {
		if (this.held) {
			await this.#app.call('user.hand', { up: true });
			this.#app.view.notice(t('held_hand'), 'lock');
			return '';
		}
		if (!this.devices.mic) {
			this.micOn = true;
			await this.devices.ask({ cam: false });
			if (!this.devices.mic) return this.devices.micProblem;
		} else this.micOn = !this.micOn;
		this.#keep();
		if (this.#app.stage === 'room') this.syncMute();
		return '';
	}

	async toggleCam() {
		if (this.showing) {
			this.camOn = false;
			this.devices.stop('cam');
		} else {
			this.camOn = true;
			await this.devices.ask({ mic: false });
			if (!this.devices.cam) return this.devices.camProblem;
		}
		this.#keep();
		return '';
	}

	async toggleShare() {
		if (this.screen) return this.stopShare() ?? '';
		if (!canShare) return 'cannot_share';
		const { capture } = await import('./capture.js');
		const stream = await capture();
		if (typeof stream === 'string') return stream;
		const [video] = stream.getVideoTracks();
		const [audio = null] = stream.getAudioTracks();
		video.onended = () => this.stopShare();
		this.screen = stream;
		this.media.setTrack('screen', video);
		this.media.setTrack('screen-audio', audio);
		this.#app.changed('me');
		return '';
	}

	stopShare() {
		if (!this.screen) return;
		for (const track of this.screen.getTracks()) track.stop();
		this.screen = null;
		this.media?.setTrack('screen', null);
		this.media?.setTrack('screen-audio', null);
		this.#app.changed('me');
	}

	/* A moderator took one's voice, or gave it back. */
	follow({ type, data }) {
		const app = this.#app, held = type === 'user.held';
		if (data?.user !== app.model.me
			|| (!held && type !== 'user.released')) return;
		this.#attach();
		app.view?.notice?.(t(held ? 'held' : this.speaking ? 'released'
			: 'released_muted'), 'mic');
	}
}
