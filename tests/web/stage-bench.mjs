/* What the page costs with 25 people on the stage, whose pictures come from
 * elsewhere: the time of a layout with all that the browser does for it, the
 * main thread at rest and while people speak, and what is left in memory by
 * a thousand who came and went. RUNS=200 layouts and SECONDS=10 by default. */
import {chromium, cleanup, page, root, sleep, until} from './lib.mjs';
import process from 'node:process';

const runs = Number(process.env.RUNS || 200);
const seconds = Number(process.env.SECONDS || 10);

const browser = await chromium();
const p = await page(browser, root, 'tests/web/stage.html');
await p.setViewportSize({width: 1440, height: 900});
await until(10, () => p.evaluate(() => window.ready));
await p.evaluate(async () => {
	sim.people(25);
	await sim.camera();
});
if (!await until(20, () => p.evaluate(() =>
	document.querySelectorAll('.tile.cam:not(.covered)').length === 25)))
	throw new Error('not all of the 25 are seen');
const cdp = await p.context().newCDPSession(p);
await cdp.send('Performance.enable');
const metrics = async () => Object.fromEntries((await cdp.send(
	'Performance.getMetrics')).metrics.map((m) => [m.name, m.value]));

/* Of each layout of the stage, to when style and layout of the whole page
 * are done. */
const layouts = (change) => p.evaluate(async ([n, what]) => {
	const times = [], frame = window.requestAnimationFrame;
	const root = document.querySelector('.room');
	window.requestAnimationFrame = (fn) => frame((now) => {
		const began = performance.now();
		fn(now);
		document.body.offsetHeight;
		times.push(performance.now() - began);
	});
	for (let i = 0; times.length < n; i++) {
		if (what === 'resize') root.style.right = i % 2 ? '0' : '368px';
		else if (i % 2) sim.happens('user.left', {user: sim.extra});
		else sim.extra = sim.join();
		for (let k = 0; k < 3; k++) await new Promise(frame);
	}
	window.requestAnimationFrame = frame;
	return times;
}, [runs, change]);

function told(what, times, aim)
{
	times.sort((a, b) => a - b);
	const at = (q) => times[Math.min(times.length - 1,
		Math.floor(q * times.length))].toFixed(1);
	console.log(`${what}: median ${at(0.5)} ms, 95% ${at(0.95)} ms, ` +
		`max ${at(1)} ms, ${times.length} runs (aim: ${aim} ms)`);
}

async function busy(what, aim)
{
	const a = await metrics();
	await sleep(seconds * 1000);
	const b = await metrics();
	const per = (name) => (1000 * (b[name] - a[name]) /
		(b.Timestamp - a.Timestamp)).toFixed(1);
	console.log(`${what}: script ${per('ScriptDuration')} ms, all tasks ` +
		`${per('TaskDuration')} ms of a second (aim: ${aim})`);
}

async function held()
{
	for (let i = 0; i < 3; i++)
		await cdp.send('HeapProfiler.collectGarbage');
	const m = await metrics();
	return {kB: Math.round(m.JSHeapUsedSize / 1000), nodes: m.Nodes};
}

told('layout of 25 when somebody comes or goes', await layouts('people'), 16);
told('layout of 25 at another size', await layouts('resize'), 16);
await sleep(2000);
await busy('25 people at rest', 'script 2 ms, all 300 ms');
await p.evaluate(() => {
	let i = 0;
	window.talk = setInterval(() => sim.stage.levels(['u1', 'u2', 'u7']
		.slice(0, 1 + i++ % 3).map((user) => ({user, level: 20 + i % 30}))),
	100);
});
await busy('25 people, levels ten times a second', 'all 300 ms');
await p.evaluate(() => {
	clearInterval(window.talk);
	return sim.pass(128);
});
const before = await held();
await p.evaluate(() => sim.pass(1000));
const after = await held();
console.log(`a thousand who came and went: ${after.kB - before.kB} kB of ` +
	`${before.kB}, ${after.nodes - before.nodes} nodes of ${before.nodes} ` +
	`(aim: 0)`);
await cleanup();
process.exit(0);
