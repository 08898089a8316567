/* timeout: 300
 * The test of sound before joining: a tone, then one's own voice by way of
 * the relay within two seconds of the press, heard by nobody else, also of
 * who is muted; the tone alone without a microphone; and words when the
 * relay does not answer. */
import process from 'node:process';
import {LOUD, below, chromium, clicked, enter, is, kit, listen, loud,
	note, ok, person, press, test, tone, until} from './lib.mjs';

const line = (p) => p.locator('.line').innerText();
const says = (p, words, seconds = 8) => until(seconds, async () =>
	words.test(await line(p)), 20);
/* When, after this, this page first heard a tone of hz from its speaker. */
const firstHeard = (p, hz, after) => until(8, () => p.evaluate(([f, t]) =>
	window.tested.heard.find((h) => h.at >= t && h[f] > 0.05)?.at,
[hz, after]), 20);
const loudest = (p, hz, after) => p.evaluate(([f, t]) => Math.max(0,
	...window.tested.heard.filter((h) => h.at >= t).map((h) => h[f])),
[hz, after]);

/* Where the connections of the page lead to, and what has gone over them. */
const ways = (p) => p.evaluate(async () => {
	const all = [];
	for (const pc of window.tested.peers) {
		if (pc.connectionState !== 'connected') continue;
		const stats = await pc.getStats();
		const one = {in: 0, out: 0};
		for (const s of stats.values()) {
			if (s.type === 'inbound-rtp') one.in += s.packetsReceived;
			if (s.type === 'outbound-rtp') one.out += s.packetsSent;
			if (s.type === 'transport' && s.selectedCandidatePairId)
				one.to = stats.get(stats.get(
					s.selectedCandidatePairId).remoteCandidateId).port;
		}
		all.push(one);
	}
	return all;
});

const events = async (k) => (await k.ctl('events', 'hello', '--since', '0'))
	.out.trim().split('\n').length;

async function hearsHimself(k, p, ada)
{
	const before = await events(k);
	const at = await clicked(p, 'Test sound');
	await press(p, 'Test sound');
	const pressed = await at();
	ok(await firstHeard(p, 440, pressed), 'a tone comes first');
	/* A busy machine has two more tries. */
	const took = [await firstHeard(p, 1000, pressed) - pressed];
	is(await line(p), 'Do you hear yourself?', 'and he is asked');
	ok(took[0] > 0, 'his own voice follows');
	const [out, back] = await ways(p);
	ok(out.out > 10 && out.in === 0 && back.in > 10 && back.out === 0,
		'one connection sends it, another one receives', [out, back]);
	ok(await says(p, /^Your sound came back/), 'in the end it is said');
	ok(await loudest(ada, 1000, pressed) < 0.01,
		'who is in the meeting hears nothing of it');
	while (took.length < 3 && !took.some((ms) => ms > 0 && ms <= 2000)) {
		const again = await clicked(p, 'Test sound');
		await press(p, 'Test sound');
		const when = await again();
		took.push(await firstHeard(p, 1000, when) - when);
		await says(p, /^Your sound came back/);
	}
	ok(took.at(-1) > 0 && took.at(-1) <= 2000,
		`within 2 s of the press (${took} ms)`);
	is(await events(k), before, 'and nothing of it is in the log');
	is((await ways(p)).length, 0, 'its connections are closed');
	return [out.to, back.to];
}

async function muted(p)
{
	await press(p, 'Mute');
	const at = await clicked(p, 'Test sound');
	await press(p, 'Test sound');
	ok(await firstHeard(p, 1000, await at()),
		'who is muted hears himself as well');
	ok(await p.getByRole('button', {name: 'Unmute', exact: true})
		.isVisible(), 'and stays muted');
	await press(p, 'Stop the test');
	is(await line(p), '', 'it can be stopped');
	is((await ways(p)).length, 0, 'which closes its connections');
	await press(p, 'Unmute');
}

async function noAnswer(k, p)
{
	const [relay] = below(k.process.pid, 'conf-relay');
	process.kill(relay, 'SIGSTOP');
	await press(p, 'Test sound');
	const told = await says(p, /^Your sound did not come back/, 15);
	process.kill(relay, 'SIGCONT');
	ok(told, 'a relay that does not answer is told of', await line(p));
}

async function nothingThere(k)
{
	const bare = await chromium({fake: false});
	const p = await person(bare, k.links.viewer, {name: 'Nora'});
	ok(await until(8, () => p.getByText('No camera found. Plug one in, or ' +
		'join without.').isVisible()), 'without a camera it is said');
	is(await line(p), 'No microphone found. You can listen and write.',
		'and without a microphone');
	is(await p.locator('#hint').innerText(), 'You will join as a listener. ' +
		'You can add a microphone later.', 'and what one is then');
	await listen(p);
	const at = await clicked(p, 'Test sound');
	await press(p, 'Test sound');
	ok(await firstHeard(p, 440, await at()), 'the tone can be tested');
	ok(await says(p, /^Did you hear the tone/), 'alone');
	await enter(p);
	ok(true, 'and one press joins');
	is(p.problems, [], 'the page had no problem');
	await bare.close();
}

await test(async () => {
	const k = await kit();
	const browser = await chromium({wav: tone(1000)});
	const quiet = await chromium({wav: tone(440)});
	const ada = await person(quiet, k.links.moderator, {name: 'Ada',
		query: 'raw=1'});
	await enter(ada);
	await press(ada, 'Mute');
	const p = await person(browser, k.links.viewer, {name: 'Ben',
		query: 'raw=1'});
	await listen(ada);
	await listen(p);
	await until(10, () => p.locator('.meter .on').count());
	const to = await hearsHimself(k, p, ada);
	await muted(p);
	await enter(p);
	ok(await until(10, async () => await loud(ada, 1000) > LOUD),
		'joined, he is heard by others');
	is([...new Set([...to, ...(await ways(p)).map((w) => w.to)])].length, 1,
		'and it was the relay that his voice came back from');
	await press(p, 'Leave');
	const q = await person(browser, k.links.viewer, {name: 'Cy'});
	await until(10, () => q.locator('.meter .on').count());
	await noAnswer(k, q);
	await nothingThere(k);
	is([ada.problems, p.problems, q.problems], [[], [], []],
		'no page had a problem');
	if (process.env.V) note(k.process.err);
});
