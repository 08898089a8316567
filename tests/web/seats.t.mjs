/* timeout: 420
 * Five and more cameras, so that the fifth renegotiates; one seat in two
 * windows; what a moderator does to all; a word to one person alone. Half of
 * the people look at something else but in their turn, or two cores would
 * draw six pages with five pictures each and do nothing besides. */
import process from 'node:process';
import {chromium, colour, enter, hide, is, kit, note, ok, person, press, said,
	say, test, until} from './lib.mjs';

const PEOPLE = 6, WATCHING = 3;

const heading = (p) => p.getByRole('heading', {level: 1}).innerText();
/* How many tiles of others show a picture that has begun to move. */
const shown = (p) => p.locator('.tile.cam:not(.self)').evaluateAll((all) =>
	all.filter((n) => !n.classList.contains('covered') && n.querySelector(
		'video').getVideoPlaybackQuality().totalVideoFrames > 3).length);

const actions = (p, name) => p.getByRole('list', {name: 'Participants'})
	.getByRole('button', {name: `Actions for ${name}`}).click();

async function anotherWindow(p, first)
{
	const kept = await p.evaluate(() => JSON.stringify({...sessionStorage}));
	const second = await p.context().newPage();
	await second.addInitScript((s) => {
		for (const [k, v] of Object.entries(JSON.parse(s)))
			sessionStorage[k] ??= v;
	}, kept);
	await second.goto(p.url());
	ok(await until(15, () => second.locator('.stage').isVisible()),
		'a seat can be taken over by another window');
	ok(await until(15, async () => /another window/.test(await heading(p))),
		'the first one says where it went');
	is(await first.locator('.tile.cam').count(), PEOPLE,
		'nobody is there twice');
	await press(p, 'Rejoin');
	ok(await until(15, () => p.locator('.stage').isVisible()),
		'and can take it back');
	await second.close();
}

async function moderate(all)
{
	const [boss, ...others] = all;
	await press(boss, 'People');
	await press(boss, 'Mute all');
	ok(await until(15, async () => (await Promise.all(others.map((p) =>
		p.getByRole('button', {name: 'Unmute', exact: true})
			.isVisible()))).every(Boolean)), 'all others are muted');
	ok(await boss.getByRole('button', {name: 'Mute', exact: true})
		.isVisible(), 'but not who did it');

	await press(others[0], 'Raise hand');
	ok(await until(15, () => boss.getByRole('heading',
		{name: 'Hands raised, in order'}).isVisible()), 'a hand is listed');
	await press(boss, 'Lower all');
	ok(await until(15, () => others[0].getByRole('button',
		{name: 'Raise hand', exact: true}).isVisible()), 'and lowered');

	await actions(boss, 'P1');
	await boss.getByRole('menuitem', {name: 'Make moderator'}).click();
	await press(others[0], 'People');
	ok(await until(15, () => others[0].getByRole('button',
		{name: 'Mute all', exact: true}).isVisible()), 'P1 is made one');
}

async function inPrivate([boss, one, two])
{
	const list = (p) => p.locator('.messages').innerText();
	await actions(boss, 'P1');
	await boss.getByRole('menuitem', {name: 'Message privately'}).click();
	await say(boss, 'between us');
	ok(await said(one, 'between us', 'Only you'), 'P1 reads it as private');
	await press(boss, 'To P1');
	await boss.getByRole('menuitemradio', {name: 'Everyone'}).click();
	await say(boss, 'for all');
	const heard = await said(two, 'for all');
	ok(heard && !(await list(two))
		.includes('between us'), 'nobody else reads it', await list(boss),
		await list(two));
}

await test(async () => {
	const k = await kit();
	const browser = await chromium({y4m: colour('grey', [120, 128, 128],
		320, 180, 5)});
	const all = [];
	while (all.length < PEOPLE) {
		const p = await person(browser, all.length ? k.links.viewer :
			k.links.moderator, {name: `P${all.length}`, query: 'raw=1',
			viewport: {width: 1100, height: 700}});
		await enter(p);
		if (all.length >= WATCHING) await hide(p, true);
		all.push(p);
	}
	const see = (some) => until(40, async () => (await Promise.all(
		some.map(shown))).every((c) => c === PEOPLE - 1), 500);
	let seen = await see(all.slice(0, WATCHING));
	for (const p of all.slice(WATCHING)) {
		await hide(p, false);
		seen = await see([p]) && seen;
		await hide(p, true);
	}
	ok(seen, `${PEOPLE} people all see each other`,
		await Promise.all(all.map(shown)));
	await anotherWindow(all[2], all[0]);
	await moderate(all);
	await inPrivate(all);

	await press(all[0], 'More');
	await all[0].getByRole('menuitem', {name: 'End for everyone…'}).click();
	await press(all[0], 'End for everyone');
	ok(await until(15, async () => (await Promise.all(all.map(heading)))
		.every((s) => s === 'The meeting has ended')),
	'the end for everyone reaches everyone');
	is(all.flatMap((p) => p.problems), [], 'no page had a problem');
	if (process.env.V) note(k.process.err);
});
