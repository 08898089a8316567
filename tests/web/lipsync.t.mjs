/* timeout: 400
 * Sound and picture of one sender are played within 40 ms of each other: the
 * receiver knows by sender reports when each was captured, and holds back
 * what is early. The same for who comes into the slots of one who has left,
 * rewritten. */
import process from 'node:process';
import {chromium, colour, enter, is, kit, note, ok, person, press, streams,
	test, tile, until} from './lib.mjs';

const SPAN = 12, EVERY_MS = 250;

const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1];

/* How far the picture is ahead of the sound now, in ms of the sender's time,
 * and in which slots; null while the browser cannot tell. */
async function ahead(p)
{
	const all = (await streams(p, 'inbound-rtp'))
		.filter((s) => s.estimatedPlayoutTimestamp);
	const a = all.find((s) => s.kind === 'audio');
	const v = all.find((s) => s.kind === 'video');
	return a && v && {ms: v.estimatedPlayoutTimestamp -
		a.estimatedPlayoutTimestamp, mids: [a.mid, v.mid]};
}

/* In step: what lies in the middle of three seconds is. */
async function inStep(p, what)
{
	const seen = [];
	const good = await until(100, async () => {
		const now = await ahead(p);
		if (now) seen.push(now);
		const last = seen.slice(-SPAN).map((s) => s.ms);
		return last.length === SPAN && Math.abs(median(last)) <= 40 &&
			seen.at(-1);
	}, EVERY_MS);
	const last = seen.slice(-SPAN).map((s) => Math.round(s.ms));
	ok(good, `${what} (picture ahead by ${median(last)} ms)`, last);
	return good?.mids;
}

await test(async () => {
	const k = await kit();
	const browser = await chromium({y4m: colour('grey', [128, 128, 128],
		320, 180, 10)});
	const comes = async (name) => {
		const p = await person(browser, k.links.viewer, {name,
			viewport: {width: 800, height: 600}});
		await enter(p);
		return p;
	};
	const ben = await comes('Ben'), ada = await comes('Ada');
	is(await inStep(ben, 'Ada is in step'), ['0', '3'],
		'in slots that are one stream');
	await press(ada, 'Leave');
	await until(20, async () => !await tile(ben, 'Ada').count());
	const eve = await comes('Eve');
	is(await inStep(ben, 'so is Eve, who comes into her slots'), ['0', '3'],
		'which are the same');
	is(await inStep(eve, 'and Ben at Eve\'s'), ['0', '3'], 'as hers');
	is([ada, ben, eve].map((p) => p.problems), [[], [], []],
		'no page had a problem');
	if (process.env.V) note(k.process.err);
});
