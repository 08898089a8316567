/* Pictures of the page: PNG in and out, and whether two look the same.
 *
 * A picture is {w, h, rgb: Uint8Array of 3 bytes a pixel}. Accepted ones are
 * kept small, by a palette of their 256 commonest colours. */
import {deflateSync, inflateSync} from 'node:zlib';

const MAGIC = Buffer.from('89504e470d0a1a0a', 'hex');
/* How bytes are predicted from left, above and both (RFC 2083, section 6). */
const paeth = (a, b, c) => {
	const p = a + b - c;
	const pa = Math.abs(p - a), pb = Math.abs(p - b), pc = Math.abs(p - c);
	return pa <= pb && pa <= pc ? a : pb <= pc ? b : c;
};

function* chunks(png)
{
	for (let at = 8; at < png.length;) {
		const n = png.readUInt32BE(at);
		yield [png.toString('latin1', at + 4, at + 8),
			png.subarray(at + 8, at + 8 + n)];
		at += n + 12;
	}
}

/* Undoes the prediction of each line, in place; bpp bytes a pixel. */
function unfilter(raw, h, stride, bpp)
{
	for (let y = 0; y < h; y++) {
		const o = y * (stride + 1) + 1, up = o - stride - 1;
		const kind = raw[o - 1];
		for (let x = 0; kind && x < stride; x++) {
			const a = x < bpp ? 0 : raw[o + x - bpp];
			const b = y ? raw[up + x] : 0;
			const c = y && x >= bpp ? raw[up + x - bpp] : 0;
			raw[o + x] += kind === 1 ? a : kind === 2 ? b :
				kind === 3 ? (a + b) >> 1 : paeth(a, b, c);
		}
	}
}

/* RGB, RGBA or a palette, 8 bits each. */
export function decode(png)
{
	const data = [];
	let w, h, type, palette;
	for (const [name, body] of chunks(png)) {
		if (name === 'IHDR') [w, h, type] = [body.readUInt32BE(0),
			body.readUInt32BE(4), body[9]];
		else if (name === 'PLTE') palette = body;
		else if (name === 'IDAT') data.push(body);
	}
	const bpp = {2: 3, 3: 1, 6: 4}[type];
	const raw = inflateSync(Buffer.concat(data));
	const rgb = new Uint8Array(w * h * 3);
	unfilter(raw, h, w * bpp, bpp);
	for (let y = 0, to = 0; y < h; y++)
		for (let x = 0; x < w; x++, to += 3) {
			const from = y * (w * bpp + 1) + 1 + x * bpp;
			const [p, at] = palette ? [palette, 3 * raw[from]] :
				[raw, from];
			rgb[to] = p[at];
			rgb[to + 1] = p[at + 1];
			rgb[to + 2] = p[at + 2];
		}
	return {w, h, rgb};
}

/* The commonest colours of a picture, and for each colour which it is. */
function palette({rgb})
{
	const count = new Map(), index = new Map();
	for (let i = 0; i < rgb.length; i += 3) {
		const c = rgb[i] << 16 | rgb[i + 1] << 8 | rgb[i + 2];
		count.set(c, (count.get(c) ?? 0) + 1);
	}
	const all = [...count.keys()].sort((a, b) => count.get(b) -
		count.get(a));
	const few = all.slice(0, 256);
	few.forEach((c, i) => index.set(c, i));
	for (const c of all.slice(256)) {
		let best = 0, least = Infinity;
		few.forEach((f, i) => {
			const d = ((c >> 16) - (f >> 16)) ** 2 +
				((c >> 8 & 255) - (f >> 8 & 255)) ** 2 +
				((c & 255) - (f & 255)) ** 2;
			if (d < least) [best, least] = [i, d];
		});
		index.set(c, best);
	}
	return {few, index};
}

const TABLE = Uint32Array.from({length: 256}, (_, n) => {
	for (let k = 0; k < 8; k++) n = n & 1 ? n >>> 1 ^ 0xedb88320 : n >>> 1;
	return n;
});
const crc32 = (bytes) => ~bytes.reduce((c, x) =>
	TABLE[(c ^ x) & 255] ^ c >>> 8, -1) >>> 0;

export function encode(picture)
{
	const {w, h, rgb} = picture;
	const {few, index} = palette(picture);
	const raw = Buffer.alloc(h * (w + 1)), colours = Buffer.alloc(768);
	const head = Buffer.alloc(13);
	for (let y = 0, i = 0; y < h; y++)
		for (let x = 0; x < w; x++, i += 3)
			raw[y * (w + 1) + 1 + x] = index.get(rgb[i] << 16 |
				rgb[i + 1] << 8 | rgb[i + 2]);
	few.forEach((c, i) => colours.writeUIntBE(c, 3 * i, 3));
	head.writeUInt32BE(w, 0);
	head.writeUInt32BE(h, 4);
	head.set([8, 3, 0, 0, 0], 8);
	const chunk = (name, body) => {
		const b = Buffer.alloc(body.length + 12);
		b.writeUInt32BE(body.length, 0);
		b.write(name, 4, 'latin1');
		b.set(body, 8);
		b.writeUInt32BE(crc32(b.subarray(4, -4)), b.length - 4);
		return b;
	};
	return Buffer.concat([MAGIC, chunk('IHDR', head),
		chunk('PLTE', colours.subarray(0, 3 * few.length)),
		chunk('IDAT', deflateSync(raw, {level: 9})),
		chunk('IEND', Buffer.alloc(0))]);
}

/* ---- whether two look the same ---- */

const BLOCK = 16;   /* pixels: about a letter and its space */
const INK = 10;     /* of 255, by which a block's mean may differ */
const EDGE = 7;     /* by which one pixel of a line may */
const RUN = 40;     /* pixels in a line by which no glyph differs */

/* Blocks whose mean colour differs: something came, went, or changed its
 * colour. How glyphs are smoothed changes where their ink is, not how much. */
function blocks(a, b)
{
	const found = [];
	for (let y = 0; y < a.h; y += BLOCK)
		for (let x = 0; x < a.w; x += BLOCK) {
			const sum = [0, 0, 0];
			const w = Math.min(BLOCK, a.w - x);
			const h = Math.min(BLOCK, a.h - y);
			for (let j = y; j < y + h; j++)
				for (let i = 3 * (j * a.w + x), n = i + 3 * w; i < n;
					i++)
					sum[i % 3] += a.rgb[i] - b.rgb[i];
			if (sum.some((s) => Math.abs(s) > INK * w * h))
				found.push({x, y, w, h});
		}
	return found;
}

/* Straight lines of pixels that differ: an edge has moved, be it by one. */
function edges(a, b, off)
{
	const found = [];
	const scan = (n, m, at, box) => {
		for (let j = 0; j < n; j++)
			for (let i = 0, run = 0; i <= m; i++) {
				if (i < m && off[at(i, j)]) run++;
				else {
					if (run >= RUN) found.push(box(i - run, j, run));
					run = 0;
				}
			}
	};
	scan(a.h, a.w, (i, j) => j * a.w + i,
		(x, y, w) => ({x, y, w, h: 1}));
	scan(a.w, a.h, (i, j) => i * a.w + j,
		(y, x, h) => ({x, y, w: 1, h}));
	return found;
}

/* Where the second looks otherwise: [{x, y, w, h}], and in .pixels how many
 * are not the same, which says nothing by itself. */
export function compare(a, b)
{
	if (a.w !== b.w || a.h !== b.h)
		return [{x: 0, y: 0, w: Math.max(a.w, b.w),
			h: Math.max(a.h, b.h)}];
	const off = new Uint8Array(a.w * a.h);
	let pixels = 0;
	for (let p = 0, i = 0; p < off.length; p++, i += 3) {
		const d = Math.max(Math.abs(a.rgb[i] - b.rgb[i]),
			Math.abs(a.rgb[i + 1] - b.rgb[i + 1]),
			Math.abs(a.rgb[i + 2] - b.rgb[i + 2]));
		off[p] = d > EDGE;
		pixels += off[p];
	}
	return Object.assign([...blocks(a, b), ...edges(a, b, off)], {pixels});
}

/* The second, with what differs in red, for whoever looks into it. */
export function marked(a, found)
{
	const rgb = new Uint8Array(a.rgb);
	for (const {x, y, w, h} of found)
		for (let j = y; j < Math.min(y + h, a.h); j++)
			for (let i = x; i < Math.min(x + w, a.w); i++)
				rgb[3 * (j * a.w + i)] |= 0xc0;
	return {...a, rgb};
}
