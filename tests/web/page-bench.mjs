/* How fast the page is on this machine, each time with an empty cache: from
 * the navigation to the first paint and until one can press Join, and from
 * that press until one is in the room. RUNS=20 by default. */
import process from 'node:process';
import {chromium, cleanup, kit, person, press} from './lib.mjs';

const runs = Number(process.env.RUNS || 20);
const AIMS = {paint: 200, content: 200, interactive: 500};

/* When there is a Join to press, and when there is a stage. */
const timer = () => {
	window.at = {};
	new MutationObserver(() => {
		const b = document.querySelector('.wide');
		if (b && !b.disabled && document.querySelector('#name').value)
			window.at.interactive ??= performance.now();
		if (document.querySelector('.stage'))
			window.at.room ??= performance.now();
	}).observe(document, {childList: true, subtree: true,
		attributes: true});
	addEventListener('click', (e) => {
		if (e.target.closest('.wide')) window.at.pressed ??=
			performance.now();
	}, {capture: true});
};

const k = await kit();
const browser = await chromium();
const times = {paint: [], content: [], interactive: [], room: []};
for (let i = 0; i <= runs; i++) {
	const p = await person(browser, k.links.viewer, {init: timer});
	await p.locator('.wide').waitFor();
	await p.waitForFunction(() => window.at.interactive &&
		performance.getEntriesByType('paint').length > 1);
	const paints = await p.evaluate(() => Object.fromEntries(performance
		.getEntriesByType('paint').map((e) => [e.name, e.startTime])));
	await p.getByRole('button', {name: 'Stop camera'}).waitFor();
	await press(p, 'Join');
	await p.locator('.stage').waitFor();
	const at = await p.evaluate(() => window.at);
	await p.context().close();
	if (!i) continue; /* the browser's own first page */
	times.paint.push(paints['first-paint']);
	times.content.push(paints['first-contentful-paint']);
	times.interactive.push(at.interactive);
	times.room.push(at.room - at.pressed);
}
for (const [name, all] of Object.entries(times)) {
	all.sort((a, b) => a - b);
	const at = (q) => Math.round(all[Math.min(runs - 1,
		Math.floor(q * runs))]);
	console.log(`page: ${name} median ${at(0.5)} ms, 90% ${at(0.9)} ms, ` +
		`${at(0)} to ${at(1)} ms, ${runs} runs` +
		(AIMS[name] ? ` (aim: median ${AIMS[name]} ms)` : ''));
}
await cleanup();
process.exit(0);
