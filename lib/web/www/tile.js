/* tile - one person's place on the stage, or one shared screen. Only the
 * stream of its <video> changes. The cover is there from the moment the slot
 * changes hands until the new owner's first frame. */
import { attrs, disc, el, hueClass, icon, plain, setIcon, setText }
	from './dom.js';
import { named, t } from './i18n.js';

const SETTLE_MS = 100;
const FROZEN_MS = 3000;
const COVER_MS = 10000;
const SMALL = 220;
/* Beyond this difference of aspect a picture is not cropped. */
const EXTREME = 2.2;

/* Whether RTP timestamp a is at or after b, on their 32-bit circle. */
const reached = (a, b) => ((a - b) >>> 0) < 0x80000000;

export class Tile {
	slot = null;
	/* Where it was put last. */
	rect = null;
	#live = false; #wait = 0; #frames = 0; #since = 0; #looking = false;
	#note = ''; #disc = '';

	/* `source` is cam or screen; menu(user, anchor) opens its menu. */
	constructor(source, menu) {
		this.source = source;
		this.video = el('video', { playsinline: true, autoplay: true,
			'aria-hidden': 'true' });
		this.video.muted = true;
		this.cover = el('div.cover');
		this.mark = icon('micoff', 16);
		this.bars = el('span.bars', {}, el('i'), el('i'), el('i'));
		this.shield = icon('mod', 16);
		this.name = el('bdi');
		this.chip = el('div.chip', {}, this.mark, this.bars, this.shield,
			this.name);
		this.handNumber = el('span');
		this.hand = el('div.chip.raised', { hidden: true }, icon('hand', 16),
			this.handNumber);
		this.more = el('button.more', { tabindex: '-1',
			...named('more_actions'), onclick: () =>
				menu(this.user, this.more) }, icon('more', 20));
		this.noteIcon = icon('pin', 16);
		this.noteWord = el('span');
		this.note = el('div.chip.note', { hidden: true }, this.noteIcon,
			this.noteWord);
		this.node = el(`div.tile.${source}`, { role: 'group', tabindex: '-1',
			'data-source': source },
		this.video, this.cover, el('div.ring'), this.chip, this.hand,
		this.note, this.more);
		if (source === 'screen') this.chip.hidden = true;
	}

	/* Makes it the tile of this person, whoever had it before. */
	become(user) {
		const { classList, dataset } = this.node;
		this.feed(null);
		this.speaking(false);
		classList.remove('mirror', 'self', 'corner', hueClass(this.user ?? ''));
		classList.add(hueClass(user));
		this.user = dataset.user = user;
		this.node.tabIndex = -1;
		this.look = null;
		return this;
	}

	/* `look` is {name, self, muted, moderator, hand, camera, note}; `note`
	 * is '', weak or pinned. */
	update(look) {
		if (this.look?.name !== look.name)
			this.cover.replaceChildren(disc(this.user, look.name));
		this.look = look;
		setText(this.name, look.self ? t('you') : plain(look.name));
		this.mark.classList.toggle('none', !look.muted);
		this.shield.classList.toggle('none', !look.moderator);
		this.hand.hidden = !look.hand;
		setText(this.handNumber, String(look.hand || ''));
		if (!look.camera) this.frozen(false);
		if (look.note !== this.#note) this.#mark(look.note);
		this.#cover();
	}

	#mark(note = '') {
		this.#note = note;
		this.note.hidden = !note;
		this.note.dataset.kind = note;
		if (!note) return;
		setIcon(this.noteIcon, note === 'weak' ? 'weak' : 'pin');
		setText(this.noteWord, t(note));
	}

	/* What a screen reader says of it; the stage calls it once a second. */
	label(speaking) {
		const { look } = this;
		if (!look) return;
		const words = this.source === 'screen'
			? [t('is_sharing', { name: plain(look.name) })] : [look.self ? t('you')
			: plain(look.name), speaking && t('is_speaking'),
		look.muted && t('is_muted'), !look.camera && t('camera_off'),
		look.hand && t('hand_n', { n: look.hand }),
		look.note && t(look.note)];
		attrs(this.node, { 'aria-label': words.filter(Boolean)
			.join(', ') });
	}

	speaking(on) { this.node.classList.toggle('speaking', on); }

	/* One's own camera: no slot, never covered while it is there. */
	own(stream) {
		this.node.classList.add('mirror', 'self');
		if (this.video.srcObject !== stream) this.video.srcObject = stream;
		this.#live = !!stream;
		this.#cover();
	}

	/* The slot that feeds this tile, or null. Called on each change of the
	 * slot: covers at once, uncovers on the right frame. */
	feed(slot) {
		const stream = slot?.stream ?? null;
		this.slot = slot;
		if (this.video.srcObject !== stream) this.video.srcObject = stream;
		const turn = ++this.#wait;
		if (!slot || slot.rtp === null) {
			this.#live = false;
			this.frozen(false);
		} else if (!this.#live) this.#await(turn, slot.rtp);
		this.#cover();
	}

	#await(turn, rtp) {
		const began = performance.now();
		const show = () => {
			this.#live = true;
			this.#since = performance.now();
			this.#cover();
		};
		if (!this.video.requestVideoFrameCallback) {
			setTimeout(() => { if (turn === this.#wait) show(); },
				2 * SETTLE_MS);
			return;
		}
		const look = (now, { rtpTimestamp }) => {
			if (turn !== this.#wait) return;
			const there = rtp >= 0 && rtpTimestamp !== undefined
				? reached(rtpTimestamp, rtp)
				: performance.now() - began >= SETTLE_MS;
			if (there) show();
			else this.video.requestVideoFrameCallback(look);
		};
		this.video.requestVideoFrameCallback(look);
	}

	/* Looks once a second whether frames still come. A screen may stand
	 * still, and a page that is not seen gets none. */
	pulse(now) {
		if (document.hidden) this.#since = now;
		if (!this.slot || !this.#live || this.source !== 'cam') return;
		if (this.#moved()) {
			this.#since = now;
			this.frozen(false);
		} else if (now - this.#since > FROZEN_MS)
			this.frozen(true, now - this.#since > COVER_MS);
	}

	/* Whether a frame was presented since it was asked last. Firefox counts
	 * none of a stream in getVideoPlaybackQuality(). */
	#moved() {
		const { video } = this;
		if (!video.requestVideoFrameCallback) {
			const frames = video.getVideoPlaybackQuality().totalVideoFrames;
			const moved = frames !== this.#frames;
			this.#frames = frames;
			return moved;
		}
		if (this.#looking) return false;
		this.#looking = true;
		video.requestVideoFrameCallback(() => { this.#looking = false; });
		return true;
	}

	frozen(on, cover = false) {
		this.node.classList.toggle('frozen', on);
		this.stale = cover;
		this.#cover();
	}

	get aspect() {
		return this.video.videoWidth / this.video.videoHeight || 16 / 9;
	}

	#cover() {
		const off = !this.#live || this.stale || !this.look?.camera;
		this.node.classList.toggle('covered', off);
	}

	play() {
		if (this.video.srcObject) this.video.play().catch(() => {});
	}

	/* The stage has put it there; what depends on the size follows. */
	place(rect, contain, crops = false) {
		const { w, h } = this.rect = rect;
		const { style, classList } = this.node;
		const size = Math.min(128, Math.max(36, 0.38 * Math.min(w, h)));
		const disc = `${Math.round(size)}px`;
		if (disc !== this.#disc) style.setProperty('--disc', disc);
		this.#disc = disc;
		classList.toggle('tiny', w < SMALL);
		const crop = this.aspect / (w / h);
		classList.toggle('contain', contain || (!crops
			&& (crop > EXTREME || crop < 1 / EXTREME)));
	}
}
