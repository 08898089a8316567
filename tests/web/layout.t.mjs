/* Where tiles go: the numbers of the design, and what must hold for all; who
 * has the stage, and what the relay is asked for. */
import {is, ok, test} from './lib.mjs';
import {arrange, capacity, fit, place} from '../../lib/web/www/layout.js';
import {beside} from '../../lib/web/www/beside.js';
import {cornerAt, cornerBy} from '../../lib/web/www/corner.js';
import {Front} from '../../lib/web/www/front.js';
import {wishes} from '../../lib/web/www/wishes.js';

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

	const share = beside({...desk, n: 9, content: 16 / 9});
	is(share.tiles.length, 5, 'beside a share the column has five seats');
	is([share.content, share.toolbar], [{x: 0, y: 45, w: 1184, h: 666},
		{x: 0, y: 764, w: 1184, h: 52}],
	'the share has the rest, uncropped, and its tools under it');
	ok(allApart([...share.tiles, share.content, share.toolbar]),
		'nothing of that overlaps');
	const narrow = beside({W: 374, H: 708, phone: true, n: 6,
		content: 16 / 9});
	is(narrow.content, {x: 0, y: 0, w: 374, h: 210},
		'on a phone a share is on top');
	ok(narrow.tiles.every((r) => inside(r, 374, 708) && r.y >= 278),
		'and the cameras below');
	const pinned = beside({...desk, n: 2, content: 16 / 9, bar: false});
	is([pinned.content.h, pinned.toolbar], [666, false],
		'who is pinned has no toolbar');
	const upright = beside({W: 700, H: 900, n: 6, content: 0.5});
	ok(upright.content.h === 495 && upright.content.w === 248,
		'what is upright has at most 55 % of the height', upright.content);

	const places = ['tl', 'tr', 'bl', 'br'].map((corner) =>
		arrange({...desk, n: 2, corner}).tiles[1]);
	is(places.map((r) => [r.x, r.y]),
		[[12, 12], [1156, 12], [12, 660], [1156, 660]],
		'self sits in any corner');
	is(places.map((r) => cornerAt(r.x + r.w / 2, r.y + r.h / 2, 1424, 816)),
		['tl', 'tr', 'bl', 'br'], 'each is found again by where it is');
	is([cornerBy('br', 'ArrowUp'), cornerBy('tr', 'ArrowLeft'),
		cornerBy('tl', 'ArrowDown'), cornerBy('bl', 'ArrowLeft')],
	['tr', 'tl', 'bl', 'bl'], 'and by arrow keys');

	front();
	wanted();
});

function front()
{
	const f = new Front(), users = new Map('abcd'.split('').map((u) =>
		[u, {}]));
	const now = (own = false) => f.person(own) || f.screen || '-';
	f.follow(users, []);
	is(now(), '-', 'at first nothing has the stage');
	f.pin('a');
	is([now(), now(true)], ['a', 'a'], 'who is pinned has it');
	f.follow(users, ['b']);
	is([now(), f.pinned], ['b', 'a'], 'a screen that comes later takes it');
	f.pin('a');
	is(now(), 'a', 'until one pins again');
	f.follow(users, ['b', 'c']);
	is([now(), f.sharers], ['c', ['c', 'b']], 'the newest screen is shown');
	f.show('b');
	f.follow(users, ['b', 'c', 'd']);
	is([now(), f.sharers], ['b', ['d', 'c', 'b']],
		'but not instead of one that was chosen');
	f.follow(users, ['c', 'd']);
	is(now(), 'd', 'when that ends the newest is shown');
	f.follow(users, []);
	is([now(), now(true)], ['a', '-'],
		'when all end, whoever is pinned; not before my own screen');
	users.delete('a');
	f.follow(users, []);
	is([now(), f.pinned], ['-', ''], 'who leaves is pinned no more');
}

function wanted()
{
	const of = (more) => wishes({people: [{user: 'a', px: 266, cam: true},
		{user: 'b', px: 800, cam: true}, {user: 'c', px: 0, cam: true}],
	sharers: ['a', 'b'], screen: 'b', person: '', dark: false, saving: '',
	floating: null, ...more});
	const heights = (more) => of(more).map((w) =>
		`${w.user}${w.source === 'cam' ? '' : '*'}${w.height}`).join(' ');
	is(heights(), 'a*0 b*720 a360 b720 c0', 'heights are rounded up, one ' +
		'screen is wanted, and nothing of who has no seat');
	is(heights({dark: true}), 'a*0 b*0 a0 b0 c0', 'in the dark nothing');
	is(heights({dark: true, floating: {user: 'c', source: 'cam'}}),
		'a*0 b*0 a0 b0 c360', 'but what floats over other windows');
	is(heights({saving: 'small'}), 'a*0 b*720 a180 b180 c0', 'small ones');
	is(heights({saving: 'off'}), 'a*0 b*720 a0 b0 c0', 'no cameras at all');
	is(of({person: 'b'}).filter((w) => w.stage && w.source === 'cam')
		.map((w) => w.user), ['b'], 'the relay hears who has the stage');
	const many = of({people: Array.from({length: 300}, (_, i) => ({
		user: `u${i}`, px: i === 299 ? 180 : 0, cam: i > 290}))});
	ok(many.length === 128 && many.some((w) => w.user === 'u299' &&
		w.height) && many.some((w) => w.user === 'u291'),
	'of too many those are said that matter');
}
