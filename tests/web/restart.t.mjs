/* timeout: 180
 * kill -9 of confd-signal: sound and video go on, the page says what is
 * lost, comes back by itself and has every message. kill -9 of conf-relay:
 * the media is back by itself. */
import process from 'node:process';
import {LOUD, below, chromium, colour, enter, is, kit, listen, loud, noServer,
	note, ok, person, press, said, say, seen, sleep, test, tile, tone, until}
	from './lib.mjs';

/* Notes when each frame of this tile was shown; the longest time without
 * one since the last call. */
const watchFrames = (p, name) => tile(p, name).evaluate((node) => {
	const v = node.querySelector('video');
	const w = window.tested.frames = {last: performance.now(), gap: 0};
	const look = (now) => {
		w.gap = Math.max(w.gap, now - w.last);
		w.last = now;
		v.requestVideoFrameCallback(look);
	};
	v.requestVideoFrameCallback(look);
});
const longestGap = (p) => p.evaluate(() => {
	const w = window.tested.frames;
	const gap = Math.max(w.gap, performance.now() - w.last);
	w.gap = 0;
	return Math.round(gap);
});
const grows = (p, name) => until(20, async () => {
	const before = await seen(p, name);
	await sleep(500);
	const after = await seen(p, name);
	return !after.covered && after.frames > before.frames;
});
const banner = (p) => p.locator('.banner');

/* Kills the tool and returns the pid of the one that took its place. */
async function killed(k, tool)
{
	const [pid] = below(k.process.pid, tool);
	process.kill(pid, 'SIGKILL');
	return until(10, () => below(k.process.pid, tool)
		.find((p) => p !== pid));
}

async function signalDies(k, ada, ben)
{
	await say(ada, 'before');
	await said(ben, 'before');
	await watchFrames(ben, 'Ada');
	await sleep(1500);
	await longestGap(ben);

	/* Held back long enough to be seen: the page may be quicker than its
	 * own 800 ms of grace. */
	const back = noServer(k);
	await say(ada, 'while it was away');
	ok(await until(2, () => ada.getByText('Sending…').isVisible()),
		'a message waits and says so');
	ok(await until(5, () => banner(ada).getByText(
		'Controls are reconnecting.').isVisible()), 'a banner says so',
		await banner(ada).evaluate((n) => n.outerHTML));
	ok(await tile(ada, 'Ben').isVisible(), 'the room stays');
	const gap = await longestGap(ben);
	ok(gap <= 1000, `video went on (longest gap ${gap} ms)`);
	ok(await loud(ben, 440) > LOUD, 'sound went on');
	ok(await back(), 'confd-signal is started again');

	ok(await until(10, () => banner(ada).getByText('Back in the meeting')
		.isVisible()), 'the page reconnects and says so');
	ok(await until(5, () => banner(ada).isHidden()), 'for a moment');
	await say(ben, 'after');
	for (const p of [ada, ben])
		ok(await said(p, 'before', 'while it was away', 'after'),
			'the chat is complete');
	for (const p of [ada, ben])
		is(await p.locator('.messages .said > p').allInnerTexts(),
			['before', 'while it was away', 'after'],
			'once each and in order');
	is(await ada.locator('.tile[data-source=cam]').count(), 2,
		'nobody is missing or double');
	const later = await longestGap(ben);
	ok(later <= 1000, `and the video still goes on (${later} ms)`);
	await press(ada, 'Raise hand');
	ok(await until(5, () => ada.getByRole('button', {name: 'Lower hand',
		exact: true}).isVisible()), 'controls work again');
}

async function relayDies(k, ada, ben)
{
	const began = Date.now();
	ok(await killed(k, 'conf-relay'), 'conf-relay was killed');
	ok(await grows(ada, 'Ben') && await grows(ben, 'Ada'),
		'both see each other again');
	note(`after ${Date.now() - began} ms`);
	await listen(ben);
	ok(await until(10, async () => await loud(ben, 440) > LOUD),
		'and hear each other');
	ok(await until(5, () => banner(ada).isHidden()), 'no banner is left');
	ok(!(await seen(ada, 'Ben')).covered, 'under the right name');
}

await test(async () => {
	const k = await kit();
	const red = await chromium({wav: tone(440),
		y4m: colour('red', [76, 85, 255])});
	const blue = await chromium({wav: tone(1000),
		y4m: colour('blue', [29, 255, 107])});
	const ada = await person(red, k.links.moderator,
		{name: 'Ada', query: 'raw=1'});
	const ben = await person(blue, k.links.viewer,
		{name: 'Ben', query: 'raw=1'});
	await enter(ada);
	await enter(ben);
	ok(await grows(ada, 'Ben') && await grows(ben, 'Ada'), 'a call stands');
	await listen(ben);
	await signalDies(k, ada, ben);
	await relayDies(k, ada, ben);
	const noise = /WebSocket connection/;
	is([ada, ben].flatMap((p) => p.problems.filter((s) => !noise.test(s))),
		[], 'no page had another problem');
});
