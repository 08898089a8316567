/* Who sits where when there are more people than seats. */
import {is, ok, test} from './lib.mjs';
import {Seating} from '../../lib/web/www/seating.js';
import {neighbour} from '../../lib/web/www/steps.js';
import {place} from '../../lib/web/www/layout.js';

const people = (n) => [...Array.from({length: n - 1}, (_, i) => `p${i}`),
	'me'];
const diff = (a, b) => a.map((u, i) => u === b[i] ? null : `${i}:${b[i]}`)
	.filter(Boolean);

function swaps()
{
	const s = new Seating(), all = people(40);
	let at = 10000;
	const seat = (pinned = '', seats = 25) => s.seat(all, seats, pinned, at);
	let before = seat();
	const says = (user) => {
		s.heard(user, at);
		const now = seat('p3'), d = diff(before, now);
		before = now;
		return d;
	};
	is([before.length, before[22], before[23], before[24], s.more],
		[25, 'p22', '', 'me', 16],
		'as many as there are seats: the first, the rest, and self last');
	is(says('p5'), [], 'who has a seat and speaks keeps it');
	is(says('p30'), ['22:p30'],
		'a speaker without takes that of one silent longest');
	at += 1000;
	is(says('p31'), [], 'nobody else within two seconds');
	ok(s.waits('p31'), 'he still waits for one');
	at += 1000;
	is(says('p31'), ['21:p31'], 'then he has one');
	at += 1000;
	is(says('p22'), [], 'who gave up his seat');
	at += 1000;
	is(says('p22'), ['20:p22'], 'can have another');
	for (let i = 0; i < 40; i++) {
		at += 2000;
		says(`p${i % 39}`);
	}
	ok(before.includes('p3') && before.at(-1) === 'me',
		'who is pinned and self never lose theirs');
	const speakers = before.slice(0, 23);
	for (const u of speakers) s.heard(u, at += 10);
	s.heard('p3', at);
	at += 3000;
	for (const u of speakers) s.heard(u, at);
	before = seat();
	is(says(all.find((u) => !before.includes(u))), [],
		'while all who sit speak nobody loses a seat');
}

function changes()
{
	const s = new Seating(), all = people(12);
	const seat = (n = 6, pinned = '') => s.seat(all, n, pinned, 5000)
		.map((u) => u || '+').join(' ');
	is(seat(), 'p0 p1 p2 p3 + me', 'a column of six');
	all.splice(1, 1);
	is(seat(), 'p0 p4 p2 p3 + me', 'who leaves is followed by the next; ' +
		'nobody else moves');
	s.heard('p9', 4000);
	all.splice(all.indexOf('p2'), 1);
	is(seat(), 'p0 p4 p9 p3 + me', 'rather by one who has spoken');
	is(seat(5), 'p0 p4 p9 + me', 'of fewer seats the silent go');
	is(seat(4), 'p0 p9 + me', 'and never who spoke last');
	is(seat(7), 'p0 p9 p3 p4 p5 + me', 'more seats, and the others stay');
	is(seat(2), 'p9 +', 'with two seats self gives way');
	is(seat(1), 'p9', 'one seat is for who spoke last');
	is(seat(6, 'p10').split(' ').includes('p10'), true,
		'who is pinned has a seat at once');
	all.splice(2, 6);
	is(s.seat(all, 6, '', 5000), all, 'when all fit they are in join order');
	is([s.pages, s.more], [1, 0], 'and there is no other page');
}

function pages()
{
	const s = new Seating(), all = people(40);
	const seen = new Set();
	s.seat(all, 10, '', 0);
	is(s.pages, 5, 'the rest is on further pages');
	for (s.page = 0; ; s.page++) {
		const seats = s.seat(all, 10, '', 0);
		ok(seats.length === 10 && seats[8] === '' && seats[9] === 'me' &&
			s.more === 39 - seats.slice(0, 8).filter(Boolean).length,
		`page ${s.page + 1} has all seats where they were`);
		for (const u of seats) if (u) seen.add(u);
		if (s.page === s.pages - 1) break;
	}
	is(seen.size, 40, 'everybody is on one of them');
	s.page = 1;
	const before = s.seat(all, 10, '', 100);
	s.heard('p30', 100);
	is(s.seat(all, 10, '', 100), before,
		'while a further page is looked at nobody swaps');
	s.page = 0;
	ok(s.seat(all, 10, '', 200).includes('p30'), 'on the first one they do');
	s.page = 4;
	s.seat(all.slice(-11), 10, '', 300);
	is(s.page, 1, 'a page that is no more gives way to the last');
}

function arrows()
{
	const rects = place(5, 1424, 816); // three, and two below
	const go = (i, key) => neighbour(rects[i], rects, key);
	is([go(0, 'ArrowRight'), go(1, 'ArrowRight'), go(2, 'ArrowRight')],
		[1, 2, -1], 'right goes to the next, and no further');
	is([go(2, 'ArrowLeft'), go(0, 'ArrowLeft')], [1, -1], 'left goes back');
	ok([3, 4].includes(go(1, 'ArrowDown')) && go(0, 'ArrowDown') === 3 &&
		go(2, 'ArrowDown') === 4, 'down goes to who is nearest below');
	ok(go(3, 'ArrowUp') < 2 && go(4, 'ArrowUp') > 0, 'up likewise');
}

await test(async () => {
	swaps();
	changes();
	pages();
	arrows();
});
