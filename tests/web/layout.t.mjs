/* Where tiles go: the numbers of the design, and what must hold for all. */
import {is, ok, test} from './lib.mjs';
import {arrange, capacity, fit, place} from '../../lib/web/www/layout.js';

/* width, height, people, columns x rows, tile */
const known = [
	[1424, 816, 3, '2x2', '708x404'], [1424, 816, 4, '2x2', '708x404'],
	[1424, 816, 5, '3x2', '469x352'], [1424, 816, 6, '3x2', '469x352'],
	[1424, 816, 9, '3x3', '469x266'], [1424, 816, 12, '4x3', '350x262'],
	[1424, 816, 16, '4x4', '350x198'], [1424, 816, 25, '5x5', '278x156'],
	[1056, 816, 4, '2x2', '524x393'], [1056, 816, 9, '3x3', '346x260'],
	[1056, 816, 25, '5x5', '204x153'],
	[374, 708, 3, '1x3', '374x230'], [374, 708, 4, '2x2', '183x305'],
	[374, 708, 6, '2x3', '183x230'], [374, 708, 9, '2x5', '183x135'],
];

function inside(r, W, H)
{
	return r.x >= 0 && r.y >= 0 && r.x + r.w <= W && r.y + r.h <= H &&
		[r.x, r.y, r.w, r.h].every(Number.isInteger);
}
function apart(a, b)
{
	return a.x + a.w <= b.x || b.x + b.w <= a.x ||
		a.y + a.h <= b.y || b.y + b.h <= a.y;
}
const allApart = (rects) => rects.every((a, i) =>
	rects.slice(i + 1).every((b) => apart(a, b)));

await test(async () => {
	for (const [W, H, n, grid, tile] of known) {
		const f = fit(n, W, H);
		is([`${f.c}x${f.r}`, `${f.w}x${f.h}`], [grid, tile],
			`fit of ${n} in ${W}x${H}`);
	}
	is(capacity(374, 708), 10, 'a phone shows at most ten');
	is(capacity(1424, 816), 25, 'a desktop shows at most 25');
	is(capacity(100, 50), 1, 'there is room for one always');

	const bad = [];
	for (const [W, H] of [[1424, 816], [1056, 816], [374, 708], [640, 300]])
		for (let n = 1; n <= capacity(W, H); n++) {
			const rects = place(n, W, H);
			if (!rects.every((r) => inside(r, W, H)) || !allApart(rects))
				bad.push([W, H, n]);
		}
	is(bad, [], 'tiles lie inside the stage and apart from each other');
	const five = place(5, 1424, 816);
	is(five.slice(3).map((r) => r.x), [239, 716], 'the last row is centred');

	const desk = {W: 1424, H: 816, phone: false};
	const one = arrange({...desk, n: 1, inviteHeight: 130});
	is([one.tiles[0].w, one.tiles[0].h], [640, 360], 'alone: 640 wide');
	is(one.invite.y, one.tiles[0].y + 360 + 16, 'and 16 below it the card');
	is(arrange({W: 374, H: 708, phone: true, n: 1}).tiles[0].h, 280,
		'alone on a phone: 4 to 3');

	const two = arrange({...desk, n: 2});
	is(two.tiles[1], {x: 1156, y: 660, w: 256, h: 144},
		'of two, self is in the corner');
	is(arrange({W: 374, H: 708, phone: true, n: 2}).tiles,
		[{x: 0, y: 0, w: 374, h: 708}, {x: 254, y: 552, w: 108, h: 144}],
		'on a phone over the whole of the other');

	const share = arrange({...desk, n: 9, content: 16 / 9});
	is(share.tiles.length, 5, 'beside a share the column has five seats');
	is([share.content, share.toolbar], [{x: 0, y: 45, w: 1184, h: 666},
		{x: 0, y: 764, w: 1184, h: 52}],
	'the share has the rest, uncropped, and its tools under it');
	ok(allApart([...share.tiles, share.content, share.toolbar]),
		'nothing of that overlaps');
	const narrow = arrange({W: 374, H: 708, phone: true, n: 6,
		content: 16 / 9});
	is(narrow.content, {x: 0, y: 0, w: 374, h: 210},
		'on a phone a share is on top');
	ok(narrow.tiles.every((r) => inside(r, 374, 708) && r.y >= 278),
		'and the cameras below');
});
