/* beside - where tiles go beside what fills the stage, as layout.js. */
import { GAP, capacity, place } from './layout.js';

const TOOLBAR = 52;
const COLUMN = 232;

/* The largest box of this aspect in the middle of another. */
function contained({ x, y, w, h }, aspect) {
	const width = Math.min(w, Math.ceil(h * aspect));
	const height = Math.min(h, Math.ceil(w / aspect));
	return { x: x + Math.floor((w - width) / 2),
		y: y + Math.floor((h - height) / 2), w: width, h: height };
}

/* A column of cameras at the right; below where space is upright. `content`
 * is an aspect ratio, `bar` whether it has a toolbar, right below it. The
 * result holds as many tiles as have a seat. */
export function beside({ n, W, H, phone, content, bar = true }) {
	const below = bar ? GAP + TOOLBAR : 0;
	if (phone || W < H) {
		const h = Math.floor(Math.min(W / content, 0.55 * H));
		const top = h + below + GAP;
		const seats = Math.min(n, capacity(W, H - top));
		return {
			content: contained({ x: 0, y: 0, w: W, h }, content),
			toolbar: bar && { x: 0, y: h + GAP, w: W, h: TOOLBAR },
			tiles: place(seats, W, H - top, top), corner: '',
		};
	}
	const k = Math.max(1, Math.floor((H + GAP) / (COLUMN * 9 / 16 + GAP)));
	const h = Math.floor(Math.min((H - GAP * (k - 1)) / k, 174));
	const wide = n ? W - COLUMN - GAP : W;
	return {
		content: contained({ x: 0, y: 0, w: wide, h: H - below }, content),
		toolbar: bar && { x: 0, y: H - TOOLBAR, w: wide, h: TOOLBAR },
		tiles: Array.from({ length: Math.min(n, k) }, (_, i) => (
			{ x: wide + GAP, y: i * (h + GAP), w: COLUMN, h })),
		corner: '',
	};
}
