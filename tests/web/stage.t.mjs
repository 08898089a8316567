/* timeout: 240
 * The real stage with simulated people: 9, 25 and 40 of them, their seats,
 * who speaks, what is pinned and shared, the keyboard, and what the relay is
 * asked for. A thousand come and go, and nothing is left of them. */
import {chromium, is, like, ok, page, root, test, until} from './lib.mjs';

let p;
const sim = (body, arg) => p.evaluate(body, arg);
/* Runs a statement of the page's sim. */
const run = (text) => p.evaluate(`{${text};}`);
const tiles = () => p.locator('.stage > .tile').evaluateAll((all) =>
	all.map((n) => {
		const {x, y, width: w, height: h} = n.getBoundingClientRect();
		return {user: n.dataset.user ?? '', source: n.dataset.source,
			x, y, w, h, at: [...n.classList]};
	}));
const users = async () => (await tiles()).map((t) => t.user);
const covered = () => p.locator('.tile.cam.covered').count();
const tile = (user) => p.locator(`.tile.cam[data-user=${user}]`);
const has = (user, name) => tile(user).evaluate((n, c) =>
	n.classList.contains(c), name);
/* {user: height} of cameras, and of screens behind a *. */
const wants = () => sim(() => Object.fromEntries(sim.media.wants.map((w) =>
	[w.user + (w.source === 'cam' ? '' : '*'), w.height])));
const wanted = async () => Object.values(await wants())
	.filter(Boolean).length;
const button = (name) => p.getByRole('button', {name, exact: true});
const focused = () => sim(() => document.activeElement.dataset.user ?? '');

/* Each tile without a cover shows its own user's colour. */
const own = () => p.locator('.tile.cam:not(.covered):not(.self)')
	.evaluateAll((all) => {
		const c = document.createElement('canvas');
		c.width = c.height = 1;
		const g = c.getContext('2d', {willReadFrequently: true});
		const colour = () => [...g.getImageData(0, 0, 1, 1).data];
		return all.filter((n) => {
			const v = n.querySelector('video');
			g.drawImage(v, 0, 0, 1, 1);
			const got = colour();
			g.fillStyle = `hsl(${n.dataset.user.slice(1) * 47 %
				360} 30% 41%)`;
			g.fillRect(0, 0, 1, 1);
			const want = colour();
			return got.some((x, i) => Math.abs(x - want[i]) > 24);
		}).map((n) => n.dataset.user);
	});

async function nine()
{
	await run('sim.people(9); sim.play(); sim.stage.weak("u4", true)');
	is(await sim(() => [...document.querySelectorAll('.tile.cam')].filter(
		(n) => !n.ariaLabel).length), 0, 'each tile has its name at once');
	ok(await until(20, async () => await covered() === 0),
		'nine people are seen');
	const all = await tiles();
	is(all.map((t) => t.user), ['u0', 'u1', 'u2', 'u3', 'u4', 'u5', 'u6',
		'u7', 'u999'], 'in join order, self last');
	ok(all.every((t) => t.w === 469 && t.h === 266) &&
		all[8].x === 962 && all[8].y === 557, 'where the design has them',
	all);
	is(await own(), [], 'each tile shows whose name it bears');
	is(await tile('u999').locator('video').evaluate((v) =>
		getComputedStyle(v).transform), 'matrix(-1, 0, 0, 1, 0, 0)',
	'one\'s own is a mirror');

	await sim(() => {
		window.paused = 0;
		window.videos = [...document.querySelectorAll('video')];
		for (const v of window.videos)
			v.addEventListener('pause', () => window.paused++);
		sim.people(12);
	});
	await until(20, async () => (await users()).length === 12);
	ok(await sim(() => window.videos.every((v) => v.isConnected) &&
		window.paused === 0), 'videos stay and play while others come');

	const at = await sim(() => {
		const s = sim.media.slots.find((x) => x.user === 'u0');
		const seen = (u) => document.querySelector(`.cam[data-user=${u}]`)
			.classList.contains('covered');
		const before = seen('u0');
		Object.assign(s, {user: 'u999', rtp: null});
		sim.stage.slot(s);
		const after = seen('u0');
		Object.assign(s, {user: 'u0', rtp: null});
		sim.stage.slot(s);
		Object.assign(s, {rtp: -1});
		sim.stage.slot(s);
		return [before, after, seen('u0')];
	});
	is(at, [false, true, true],
		'a slot that changes hands is covered at once, until its frame');
	ok(await until(20, async () => !await has('u0', 'covered')),
		'then it is seen');
}

async function many()
{
	await run('sim.people(25)');
	ok(await until(20, async () => (await users()).length === 25 &&
		await covered() === 0), '25 people are seen');
	ok((await tiles()).every((t) => t.w === 278 && t.h === 156),
		'at the size of the design');
	await run('sim.people(40)');
	ok(await until(20, () => button('+16 others').isVisible()),
		'of 40 the last seat but one is for 16 others');
	ok(await until(20, async () => await wanted() === 23),
		'the relay is asked for 23', await wants());
	const before = await users();
	await run('sim.stage.levels([{user: "u35", level: 20}])');
	ok(await until(20, async () => (await users()).includes('u35')),
		'who speaks gets a seat');
	const after = await users();
	is(before.filter((u) => !after.includes(u)), ['u22'],
		'of one who was silent');
	ok(await until(20, async () => (await wants()).u35 === 180 &&
		(await wants()).u22 === 0), 'and is asked for instead');
	await button('+16 others').click();
	is(await sim(() => sim.room.shown), 'people', 'the others are a list');

	await button('Next page').click();
	ok(await until(20, async () => (await users()).includes('u38')),
		'the next page shows the others');
	const there = await tiles();
	ok(there.length === 18 && there.every((t) => t.w === 278) &&
		(await own()).length === 0, 'at the same size');
	is(await sim(() => sim.room.announcer.said.at(-1)), 'Page 2 of 2',
		'and says so');
	ok(await until(20, async () => await wanted() === 16),
		'now those are asked for', await wants());
	await tile('u38').focus();
	await p.keyboard.press('PageUp');
	ok(await until(20, async () => (await users()).includes('u0')),
		'PageUp goes back');
	ok(await until(20, async () => await focused() !== ''),
		'the focus has not been lost with the tile');
}

async function voices()
{
	const speaking = () => [...document.querySelectorAll('.speaking')]
		.map((n) => n.dataset.user);
	await sim(`window.speaking = ${speaking}`);
	is(await sim(() => {
		sim.stage.levels([{user: 'u1', level: 30}, {user: 'u2', level: 50}]);
		return window.speaking();
	}), ['u1'], 'who is above -45 dBFS speaks');
	ok(await until(20, async () => !await has('u1', 'speaking')),
		'until it is quiet');
	ok(await until(10, () => sim(() => {
		const says = () => {
			sim.stage.levels([{user: 'u999', level: 20}]);
			return window.speaking().includes('u999');
		};
		const first = says(), began = performance.now();
		while (performance.now() - began < 90);
		return !first && says();
	}), 700), 'oneself only when that lasts');
	ok(await has('u4', 'tiny') === false && await until(20, () =>
		tile('u4').getByText('Weak connection').isVisible()),
	'a connection that stays weak is marked');
	await run('sim.stage.weak("u4", false)');
	ok(!await tile('u4').getByText('Weak connection').isVisible(),
		'and no more when it is well');
}

async function pin()
{
	await tile('u5').focus();
	await p.keyboard.press('i');
	ok(await until(20, async () => (await tiles()).find((t) =>
		t.user === 'u5')?.w > 1000), 'I puts whom it is on onto the stage');
	ok(await tile('u5').getByText('Pinned').count() === 1 &&
		await has('u5', 'contain'), 'uncropped, and says so');
	ok(await until(20, () => sim(() => sim.media.wants.find((w) =>
		w.user === 'u5').stage === true)), 'the relay hears of it');
	is((await tiles()).filter((t) => t.w === 232).length, 5,
		'beside a column of cameras');
	await run('sim.happens("media.started", {user: "u6", source: "screen"})');
	ok(await until(20, () => p.locator('.tile.screen').isVisible()),
		'a screen that comes later takes the stage');
	ok(await until(20, async () => (await tiles()).find((t) =>
		t.user === 'u5')?.w === 232), 'who is pinned keeps a seat');
	await tile('u5').press('Enter');
	await p.getByRole('menuitem', {name: 'Unpin'}).click();
	await until(20, async () => !await tile('u5').getByText('Pinned')
		.isVisible());
	ok(await sim(() => sim.stage.pinned === ''), 'the menu takes it back');
}

async function share()
{
	const words = p.locator('.tools .sharer');
	ok(await until(20, async () => await words.innerText() ===
		'林晓雨 is sharing'), 'whose screen it is stands below');
	await run('sim.happens("media.started", {user: "u7", source: "screen"})');
	ok(await until(20, async () => /Noor/.test(await words.innerText())),
		'of two screens the newer is shown');
	ok(await until(20, async () => {
		const w = await wants();
		return w['u7*'] === 720 && w['u6*'] === 0;
	}), 'and only that is asked for', await wants());
	await button('林晓雨').click();
	ok(await until(20, async () => /林/.test(await words.innerText()) &&
		await button('林晓雨').getAttribute('aria-pressed') === 'true'),
	'the other can be chosen');
	ok(await until(20, async () => (await wants())['u6*'] === 720 &&
		(await wants())['u7*'] === 0 && !await p.locator(
		'.tile.screen.covered').count()), 'and comes');
	is(await p.locator('.tile.screen').getAttribute('aria-label'),
		'林晓雨 is sharing', 'it has a name');

	await button('Zoom: 100 %').click();
	await p.getByRole('menuitemradio', {name: '200 %'}).click();
	const transform = () => p.locator('.tile.screen video').evaluate((v) =>
		v.style.transform);
	like(await transform(), /scale\(2\)/, 'it can be larger');
	const {x, y} = await p.locator('.tile.screen').boundingBox();
	await p.mouse.move(x + 300, y + 300);
	await p.mouse.down();
	await p.mouse.move(x + 200, y + 280, {steps: 4});
	await p.mouse.up();
	like(await transform(), /^translate\(-/, 'and be moved about');
	await p.locator('.tile.screen').focus();
	await p.keyboard.press('+');
	like(await transform(), /scale\(3\)/, 'by keys as well');
	await button('Fit').click();
	is(await transform(), '', 'and fit again');
	await button('Full screen').click();
	ok(await until(20, () => sim(() => document.fullscreenElement?.tagName
		=== 'MAIN')), 'the stage fills the screen');
	await button('Leave full screen').click();
	ok(await until(20, () => sim(() => !document.fullscreenElement)),
		'and leaves it');
	await floating();
	await run(`for (const user of ["u6", "u7"])
		sim.happens("media.stopped", {user, source: "screen"})`);
	ok(await until(20, async () => !await p.locator('.tools, .tile.screen')
		.count()), 'when all end the people are alone again');
}

async function floating()
{
	if (!await sim(() => document.pictureInPictureEnabled)) return;
	await button('Picture in picture').click();
	ok(await until(20, () => sim(() => document.pictureInPictureElement
		?.srcObject?.active)), 'the screen floats over other windows');
	await button('Picture in picture').click();
	ok(await until(20, () => sim(() => !document.pictureInPictureElement)),
		'and comes back');
}

async function keyboard()
{
	await run(`for (let i = 12; i < 39; i++)
		sim.happens("user.left", {user: "u" + i})`);
	await until(20, async () => (await users()).length === 13);
	await sim(() => document.body.focus());
	const stops = () => p.locator('.stage [tabindex="0"]').count();
	is(await stops(), 1, 'the tiles are one tab stop');
	await tile('u0').focus();
	await p.keyboard.press('ArrowRight');
	is(await focused(), 'u1', 'an arrow goes to the next');
	await p.keyboard.press('ArrowDown');
	is(await focused(), 'u5', 'and down to the one below');
	await run('sim.happens("user.left", {user: "u5"})');
	ok(await until(20, async () => !(await users()).includes('u5') &&
		await focused() !== ''), 'when that leaves another has the focus',
	await focused());
	is(await stops(), 1, 'and there is one tab stop still');
	await p.keyboard.press('Shift+F10');
	ok(await p.getByRole('menuitem', {name: 'Pin for me'}).isVisible(),
		'the menu opens by keys');
	await p.keyboard.press('Escape');
}

async function pair()
{
	await run(`for (const user of [...sim.model.users.keys()])
		if (user !== "u0" && user !== "u999")
			sim.happens("user.left", {user})`);
	const self = p.locator('.tile.self');
	const place = async () => {
		const {x, y} = await self.boundingBox();
		return `${y < 400 ? 't' : 'b'}${x < 700 ? 'l' : 'r'}`;
	};
	const goes = (where) => until(20, async () => await place() === where);
	ok(await until(20, async () => await has('u999', 'corner')) &&
		await place() === 'br', 'of two self is in the corner');
	const {x, y, width, height} = await self.boundingBox();
	is([width, height], [256, 144], 'small');
	await until(20, () => sim(() => sim.stage.corner === 'br'));
	await p.mouse.move(x + width / 2, y + height / 2);
	await p.mouse.down();
	await p.mouse.move(x - 300, y - 200, {steps: 5});
	await p.mouse.move(200, 150, {steps: 5});
	await p.mouse.up();
	ok(await goes('tl'), 'it is dragged to another');
	await self.focus();
	await p.keyboard.press('Shift+ArrowRight');
	ok(await goes('tr'), 'or sent by Shift and an arrow');
	await p.keyboard.press('Enter');
	await p.getByRole('menuitemradio', {name: 'Lower left'}).click();
	ok(await goes('bl'), 'or by its menu');
	is(await sim(() => {
		sim.stage.levels([{user: 'u0', level: 20}]);
		const [node] = document.querySelectorAll('.speaking');
		return ['.ring', '.bars'].map((c) =>
			getComputedStyle(node.querySelector(c)).display);
	}), ['none', 'flex'], 'two people have no ring, but bars');
}

async function phone()
{
	await p.setViewportSize({width: 390, height: 844});
	await run('sim.people(25)');
	ok(await until(20, async () => (await tiles()).every((t) => t.w === 183)) &&
		[10, 12].includes((await tiles()).length),
	'a phone shows ten in two columns');
	await run(`sim.happens("media.started", {user: "u0", source: "screen"});
		sim.me.screen = null`);
	ok(await until(20, async () => (await tiles()).some((t) =>
		t.source === 'screen' && t.w >= 300 && t.y < 70)),
	'a screen is on top', await tiles());
	await run('sim.happens("media.stopped", {user: "u0", source: "screen"})');
	await p.setViewportSize({width: 1440, height: 900});
}

async function saved()
{
	await run('sim.stage.saving("small")');
	ok(Object.values(await wants()).every((h) => h <= 180),
		'small pictures are all that is asked for');
	await run('sim.stage.saving("off")');
	is(await wanted(), 0, 'or none at all');
	ok(await until(20, async () => await covered() === 24),
		'then all are covered');
	await run('sim.stage.saving("")');
	ok(await until(20, async () => await covered() === 0), 'or all again');
}

/* What the page holds when all that can go has gone. */
async function held(cdp)
{
	for (let i = 0; i < 3; i++)
		await cdp.send('HeapProfiler.collectGarbage');
	const {metrics} = await cdp.send('Performance.getMetrics');
	const of = (name) => metrics.find((m) => m.name === name).value;
	return {nodes: of('Nodes'), heap: of('JSHeapUsedSize'),
		listeners: of('JSEventListeners')};
}

async function memory()
{
	const cdp = await p.context().newCDPSession(p);
	await cdp.send('Performance.enable');
	await run(`for (const user of [...sim.model.users.keys()].slice(5))
		if (user !== "u999") sim.happens("user.left", {user})`);
	await sim(() => sim.pass(100, 10));
	const before = await held(cdp);
	await sim(() => sim.pass(1000, 10));
	const after = await held(cdp);
	ok(after.nodes - before.nodes < 100 &&
		after.listeners - before.listeners < 50 &&
		after.heap - before.heap < 256e3,
	'a thousand who came and went have left nothing', {before, after});
}

await test(async () => {
	const browser = await chromium();
	p = await page(browser, root, 'tests/web/stage.html');
	await p.setViewportSize({width: 1440, height: 900});
	await until(10, () => sim(() => window.ready));
	await nine();
	await many();
	await voices();
	await pin();
	await share();
	await keyboard();
	await pair();
	await phone();
	await saved();
	await memory();
	is(p.problems, [], 'the page had no problem');
});
