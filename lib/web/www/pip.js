/* pip - picture in picture: a video of its own, which follows the content of
 * the stage or whoever speaks, or shows one person. */
import { el } from './dom.js';

export class Pip {
	/* What is asked for: {user, source}, or null while it is closed. */
	target = null;
	#stage; #model; #fixed = ''; #shown = null;

	constructor(stage, model) {
		this.#stage = stage;
		this.#model = model;
		this.video = el('video.hide', { playsinline: true, autoplay: true,
			'aria-hidden': 'true' });
		this.video.muted = true;
		this.video.addEventListener('leavepictureinpicture',
			() => this.close());
	}

	/* `user` is whose camera, or '' for what the stage shows. */
	async toggle(user) {
		const open = document.pictureInPictureElement === this.video;
		if (open && user === this.#fixed)
			return document.exitPictureInPicture();
		this.#fixed = user;
		this.target = this.#find();
		if (!this.target) return;
		document.body.append(this.video);
		this.update();
		if (open) return;
		try {
			if (!this.video.readyState) await new Promise((go, no) => {
				this.video.onloadedmetadata = go;
				setTimeout(no, 4000);
			});
			await this.video.requestPictureInPicture();
		} catch { this.close(); }
	}

	/* What it should show: who was asked for, the content, who speaks. */
	#find() {
		const { users, me } = this.#model;
		const { tile, person } = this.#stage.content?.now ?? {};
		if (!this.#fixed && tile && !person)
			return { user: tile.user, source: 'screen' };
		const user = [this.#fixed || person || this.#stage.speaker,
			this.target?.user, ...users.keys()].find(u => u !== me
			&& users.get(u)?.sources.has('cam'));
		return user ? { user, source: 'cam' } : null;
	}

	/* Never one's picture as another's: what is shown is left as soon as
	 * its slot is somebody else's. */
	update() {
		if (!this.target) return;
		const next = this.#find();
		if (next && (next.user !== this.target.user
			|| next.source !== this.target.source)) {
			this.target = next;
			this.#stage.wish();
		}
		const slot = this.#stage.slotOf(this.target.user,
			this.target.source);
		if (slot?.stream && slot.rtp !== null) this.#shown =
			{ slot, user: slot.user };
		else if (this.#shown?.slot.user !== this.#shown?.user)
			this.#shown = null;
		const stream = this.#shown?.slot.stream ?? null;
		if (this.video.srcObject !== stream) this.video.srcObject = stream;
		this.video.play().catch(() => {});
	}

	close() {
		this.target = this.#shown = this.video.srcObject = null;
		this.video.remove();
		this.#stage.wish();
	}
}
