/* timeout: 300
 * Four Chromium tabs in one call: everybody sees and hears the three others;
 * one leaves, one comes, one shares a screen. */
import process from 'node:process';
import {chromium, colour, enter, is, kit, note, ok, person, press, seen, streams,
	test, tile, until} from './lib.mjs';

const moving = async (p, names, before) => {
	for (const n of names) {
		const s = await seen(p, n);
		if (s.covered || s.frames < (before?.[n] ?? 0) + 5) return false;
	}
	return true;
};
const counts = async (p, names) => Object.fromEntries(await Promise.all(
	names.map(async (n) => [n, (await seen(p, n)).frames])));

/* Pictures of all of these go on, from now. */
async function sees(p, names)
{
	await until(30, () => moving(p, names));
	const before = await counts(p, names);
	return until(30, () => moving(p, names, before), 200);
}

/* From now on sound of as many microphones as that comes in and is loud. */
async function hears(p, n)
{
	const energies = async () => new Map((await streams(p, 'inbound-rtp',
		'audio')).map((s) => [s.mid, s.totalAudioEnergy ?? 0]));
	const before = await energies();
	return until(40, async () => [...await energies()].filter(([mid, e]) =>
		e > (before.get(mid) ?? 0) + 1e-4).length >= n, 200);
}

async function all(people)
{
	for (const [name, p] of people) {
		const others = [...people.keys()].filter((n) => n !== name);
		ok(await sees(p, others), `${name} sees ${others.join(', ')}`,
			await counts(p, others).catch(String));
		ok(await hears(p, others.length), `${name} hears ${
			others.length} others`, (await streams(p, 'inbound-rtp',
			'audio')).map((s) => [s.mid, s.totalAudioEnergy]));
	}
}

const shared = (p) => p.locator('.tile[data-source=screen] video').evaluate(
	(v) => v.getVideoPlaybackQuality().totalVideoFrames);

await test(async () => {
	const k = await kit();
	const browser = await chromium({y4m: colour('grey', [128, 128, 128],
		160, 90, 5)});
	const people = new Map(), gone = [];
	const comes = async (name) => {
		const p = await person(browser, k.links[name === 'Ada' ?
			'moderator' : 'viewer'], {name,
			viewport: {width: 1280, height: 720}});
		await enter(p);
		people.set(name, p);
	};
	for (const name of ['Ada', 'Ben', 'Cy', 'Dee']) await comes(name);
	await all(people);

	const ben = people.get('Ben');
	await press(ben, 'Leave');
	people.delete('Ben');
	gone.push(ben);
	await ben.close();
	for (const [name, p] of people)
		ok(await until(10, async () => !await tile(p, 'Ben').count() &&
			await p.locator('.tile[data-source=cam]').count() === 3),
		`${name} sees that Ben has left`);
	await comes('Eve');
	await all(people);

	await press(people.get('Dee'), 'Share screen');
	for (const [name, p] of people) {
		if (name === 'Dee') continue;
		ok(await until(30, async () => await shared(p) > 0),
			`${name} sees the screen of Dee`);
	}
	ok(await people.get('Dee').locator('.tile.sharing').isVisible(),
		'and Dee, that she shares it');
	await people.get('Dee').locator('.tile.sharing').getByRole('button',
		{name: 'Stop sharing', exact: true}).click();
	for (const [name, p] of people)
		ok(await until(10, async () => !await p.locator(
			'.tile[data-source=screen]').count()),
		`${name} sees that it has ended`);
	is([...people.values(), ...gone].map((p) => p.problems),
		[[], [], [], [], []], 'no page had a problem');
	if (process.env.V) note(k.process.err);
});
