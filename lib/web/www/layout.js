/* layout - where tiles go: numbers in, rectangles {x, y, w, h} out, whole CSS
 * pixels inside the stage. The caller orders people; self is last. */

export const GAP = 8;
export const TOOLBAR = 52;
const COLUMN = 232;
const INSET = 12;

/* The columns and rows in which n tiles are largest, with a small price for
 * empty places, so that a nearly full grid wins over a ragged one. */
export function fit(n, W, H) {
	const low = W < H ? 0.6 : 4 / 3, high = 16 / 9;
	let best = null;
	for (let c = 1; c <= n; c++) {
		const r = Math.ceil(n / c);
		let w = (W - (c - 1) * GAP) / c, h = (H - (r - 1) * GAP) / r;
		if (w <= 0 || h <= 0) continue;
		if (w / h > high) w = h * high;
		else if (w / h < low) h = w / low;
		const score = w * h * (1 - 0.06 * (c * r - n) / (c * r));
		if (!best || score > 1.02 * best.score)
			best = { c, r, w: Math.floor(w), h: Math.floor(h), score };
	}
	return best || { c: 1, r: n, w: 0, h: 0, score: 0 };
}

/* The most tiles that are still worth looking at. */
export function capacity(W, H) {
	for (let n = 25; n > 1; n--) {
		const f = fit(n, W, H);
		if (f.w >= (W < H ? 150 : 200) && f.h >= 112) return n;
	}
	return 1;
}

/* n tiles in rows, the block and each row centred. */
export function place(n, W, H, top = 0) {
	const { c, r, w, h } = fit(n, W, H);
	const y0 = (H - (r * h + (r - 1) * GAP)) / 2;
	return Array.from({ length: n }, (_, i) => {
		const row = Math.floor(i / c);
		const inRow = row < r - 1 ? c : n - c * (r - 1);
		const x0 = (W - (inRow * w + (inRow - 1) * GAP)) / 2;
		return {
			x: Math.floor(x0 + (i % c) * (w + GAP)),
			y: top + Math.floor(y0 + row * (h + GAP)), w, h,
		};
	});
}

function alone(W, H, phone, inviteHeight) {
	const ratio = phone ? 4 / 3 : 16 / 9;
	const room = H - 2 * GAP - inviteHeight;
	const w = Math.floor(Math.min(640, W, Math.max(room * ratio, 160)));
	const h = Math.floor(w / ratio);
	const x = Math.floor((W - w) / 2);
	const y = Math.max(0, Math.floor((H - h - 2 * GAP - inviteHeight) / 2));
	return {
		tiles: [{ x, y, w, h }], corner: false,
		invite: { x, y: y + h + 2 * GAP, w },
	};
}

function pair(W, H, phone) {
	const other = phone ? { x: 0, y: 0, w: W, h: H } : place(1, W, H)[0];
	const w = phone ? Math.floor(0.29 * W)
		: Math.floor(Math.min(Math.max(160, 0.18 * W), 256));
	const h = Math.floor(phone ? w * 4 / 3 : w * 9 / 16);
	return {
		tiles: [other, {
			x: other.x + other.w - INSET - w,
			y: other.y + other.h - INSET - h, w, h,
		}],
		corner: true,
	};
}

/* The largest box of this aspect in the middle of another. */
function contained({ x, y, w, h }, aspect) {
	const width = Math.min(w, Math.ceil(h * aspect));
	const height = Math.min(h, Math.ceil(w / aspect));
	return { x: x + Math.floor((w - width) / 2),
		y: y + Math.floor((h - height) / 2), w: width, h: height };
}

/* Content beside a column of cameras; above them where space is upright. */
function withContent(n, W, H, phone, aspect) {
	if (phone || W < H) {
		const h = Math.floor(Math.min(W / aspect, 0.55 * H));
		const top = h + GAP + TOOLBAR + GAP;
		const seats = Math.min(n, capacity(W, H - top));
		return {
			content: contained({ x: 0, y: 0, w: W, h }, aspect),
			toolbar: { x: 0, y: h + GAP, w: W, h: TOOLBAR },
			tiles: place(seats, W, H - top, top), corner: false,
		};
	}
	const k = Math.max(1, Math.floor((H + GAP) / (COLUMN * 9 / 16 + GAP)));
	const h = Math.floor(Math.min((H - GAP * (k - 1)) / k, 174));
	const wide = W - COLUMN - GAP;
	return {
		content: contained({ x: 0, y: 0, w: wide,
			h: H - TOOLBAR - GAP }, aspect),
		toolbar: { x: 0, y: H - TOOLBAR, w: wide, h: TOOLBAR },
		tiles: Array.from({ length: Math.min(n, k) }, (_, i) => (
			{ x: wide + GAP, y: i * (h + GAP), w: COLUMN, h })),
		corner: false,
	};
}

/* The whole stage for n people. `content` is the aspect ratio of what is
 * shared or pinned, or 0. The result holds as many tiles as have a seat. */
export function arrange({ n, W, H, phone, content = 0, inviteHeight = 0 }) {
	if (content) return withContent(n, W, H, phone, content);
	if (n <= 1) return alone(W, H, phone, inviteHeight);
	if (n === 2) return pair(W, H, phone);
	return { tiles: place(Math.min(n, capacity(W, H)), W, H), corner: false };
}
