/* How long joining takes: from the press of Join to the first decoded frame
 * of somebody else's camera, on this machine. RUNS=20 by default. */
import {chromium, cleanup, colour, enter, kit, person, press, tone}
	from './lib.mjs';
import process from 'node:process';

const runs = Number(process.env.RUNS || 20);
const aim = 500;

/* Resolves in the page with the milliseconds between the press and the
 * first frame of a camera that is not one's own. */
const timer = () => {
	window.took = new Promise((done) => {
		let pressed = 0;
		addEventListener('click', (e) => {
			if (e.target.closest('.wide')) pressed ||= performance.now();
		}, {capture: true});
		const seen = new WeakSet();
		new MutationObserver(() => {
			for (const v of document.querySelectorAll(
				'.tile.cam:not(.self) video')) {
				if (seen.has(v)) continue;
				seen.add(v);
				v.requestVideoFrameCallback(
					() => done(performance.now() - pressed));
			}
		}).observe(document, {childList: true, subtree: true});
	});
};

const k = await kit();
const red = await chromium({wav: tone(440), y4m: colour('red', [76, 85, 255])});
const blue = await chromium({wav: tone(1000),
	y4m: colour('blue', [29, 255, 107])});
const ada = await person(red, k.links.moderator, {name: 'Ada'});
await enter(ada);

const times = [];
while (times.length < runs) {
	const p = await person(blue, k.links.viewer, {name: 'Ben', init: timer});
	/* As a person who reads the page: devices are there, words read. */
	await p.getByRole('button', {name: 'Stop camera'}).waitFor();
	await p.waitForTimeout(500);
	await press(p, 'Join');
	times.push(Math.round(await p.evaluate(() => window.took)));
	await press(p, 'Leave');
	await p.context().close();
}
times.sort((a, b) => a - b);
const at = (q) => times[Math.min(runs - 1, Math.floor(q * runs))];
console.log(`join: median ${at(0.5)} ms, 90% ${at(0.9)} ms, ` +
	`${times[0]} to ${times.at(-1)} ms, ${runs} runs ` +
	`(aim: median ${aim} ms)`);
await cleanup();
process.exit(0);
