/* layout - where tiles go: numbers in, rectangles {x, y, w, h} out, whole CSS
 * pixels inside the stage. The caller orders people; self is last. */

export const GAP = 8;
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
		tiles: [{ x, y, w, h }], corner: '',
		invite: { x, y: y + h + 2 * GAP, w },
	};
}

/* `corner` is two letters: t or b, l or r. */
function pair(W, H, phone, corner) {
	const other = phone ? { x: 0, y: 0, w: W, h: H } : place(1, W, H)[0];
	const w = phone ? Math.floor(0.29 * W)
		: Math.floor(Math.min(Math.max(160, 0.18 * W), 256));
	const h = Math.floor(phone ? w * 4 / 3 : w * 9 / 16);
	return {
		tiles: [other, {
			x: other.x + (corner[1] === 'l' ? INSET : other.w - INSET - w),
			y: other.y + (corner[0] === 't' ? INSET : other.h - INSET - h),
			w, h,
		}],
		corner,
	};
}

/* The whole stage for n people and nothing beside them. The result holds as
 * many tiles as have a seat. */
export function arrange({ n, W, H, phone, inviteHeight = 0, corner = 'br' }) {
	if (n <= 1) return alone(W, H, phone, inviteHeight);
	if (n === 2) return pair(W, H, phone, corner);
	return { tiles: place(Math.min(n, capacity(W, H)), W, H), corner: '' };
}
