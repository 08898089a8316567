/* axe.mjs - run by tests/soak/axe.t.
 * Everybody can use the page: axe finds no serious or critical violation in
 * any scene, in both themes, languages and forms; it works at 320 CSS pixels
 * and with text of 200 %, without motion, with more contrast and in forced
 * colours; Tab reaches everything, and the focus is never lost. */
import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {chromium, is, kit, note, ok, root, test, until} from './lib.mjs';
import {Cast, walk} from './scenes.mjs';

const axe = readFileSync(join(root, '.build/node/node_modules/axe-core',
	'axe.min.js'), 'utf8');
const seen = [], found = [], lost = [];

/* All rules once, those of colour in each theme. */
async function examine(name, p)
{
	const where = `${name} ${p.form} ${p.lang}`;
	if (!await p.evaluate(() => !!window.axe)) await p.evaluate(axe);
	for (const [theme, options] of [['dark', {}], ['light', {runOnly:
		['color-contrast']}]]) {
		await p.emulateMedia({colorScheme: theme});
		const bad = await p.evaluate(async (o) => (await window.axe.run(
			document, {...o, resultTypes: ['violations']})).violations
			.filter((v) => /serious|critical/.test(v.impact)).map((v) =>
				[v.id, v.nodes.slice(0, 3).map((n) => n.html
					.slice(0, 120))]), options);
		for (const b of bad) found.push([where, theme, ...b]);
	}
	await p.emulateMedia({colorScheme: null});
	seen.push(where);
}

/* Panels and layers take the focus; it is nowhere but in them. */
const INSIDE = {chat: '.panel', people: '.panel', settings: '.panel',
	more: 'dialog', question: 'dialog', tilemenu: 'dialog', help: 'dialog',
	left: '.gone', nolink: '.gone'};

async function focus(name, p)
{
	const inside = INSIDE[name];
	if (inside && !await until(2, () => p.evaluate((q) =>
		!!document.activeElement.closest(q), inside)))
		lost.push([name, p.form, await p.evaluate(() =>
			document.activeElement.outerHTML.slice(0, 80))]);
}

/* Nothing wider than the window, and Leave (or Join) to be pressed. */
const fits = (p, key) => p.evaluate((word) => {
	const wide = [...document.querySelectorAll('body *')].filter((n) =>
		n.getBoundingClientRect().right > innerWidth + 1 &&
		n.checkVisibility({visibilityProperty: true}) &&
		!n.closest('.hide, .skip, .stage'));
	const [b] = [...document.querySelectorAll('button')].filter((n) =>
		(n.getAttribute('aria-label') ?? n.textContent) === word);
	const r = b?.getBoundingClientRect();
	const top = r && document.elementFromPoint(r.x + r.width / 2,
		r.y + r.height / 2);
	return {scrolls: document.documentElement.scrollWidth > innerWidth,
		wide: wide.slice(0, 3).map((n) => n.outerHTML.slice(0, 90)),
		reached: !!top && b.contains(top)};
}, p.words[key]);
const FITS = {scrolls: false, wide: [], reached: true};

async function narrow(p, key)
{
	const {width, height} = p.viewportSize();
	await p.setViewportSize({width: 320, height: 640});
	await p.evaluate(() => new Promise(requestAnimationFrame));
	is(await fits(p, key), FITS, `${key} is reached at 320 CSS pixels`);
	await p.setViewportSize({width, height});
	await p.evaluate(() => {
		const s = new CSSStyleSheet();
		s.replaceSync('html { font-size: 200% }');
		document.adoptedStyleSheets = [s];
	});
	await p.evaluate(() => new Promise(requestAnimationFrame));
	is(await fits(p, key), FITS, `and with text of 200 %`);
	await p.evaluate(() => { document.adoptedStyleSheets = []; });
}

/* Animations of more than opacity that are under way. */
const moving = (p) => p.evaluate(() => document.getAnimations().filter((a) =>
	a.effect.getKeyframes().some((k) => ['transform', 'translate', 'rotate',
		'scale', 'left', 'top'].some((prop) => prop in k)))
	.map((a) => a.effect.target.className));

/* A panel opens and closes: the tiles find new places. */
async function motion(p)
{
	const shuffle = () => p.evaluate(() => {
		const stage = document.querySelector('.stage');
		stage.classList.add('moving');
		const tile = stage.querySelector('.tile');
		const before = tile.style.transform;
		getComputedStyle(tile).transform;
		tile.style.transform = 'translate(99px,99px)';
		const b = document.createElement('span');
		b.className = 'spinner';
		document.body.append(b);
		getComputedStyle(tile).transform;
		return before;
	});
	const undo = (before) => p.evaluate((t) => {
		const stage = document.querySelector('.stage');
		stage.querySelector('.tile').style.transform = t;
		stage.classList.remove('moving');
		document.querySelector('body > .spinner').remove();
	}, before);
	let before = await shuffle();
	ok((await moving(p)).length >= 2, 'tiles glide and spinners turn');
	await undo(before);
	await p.emulateMedia({reducedMotion: 'reduce'});
	before = await shuffle();
	is(await moving(p), [], 'but not for whoever wants no motion');
	await undo(before);
	await p.emulateMedia({reducedMotion: null});
}

async function colours(p)
{
	const look = (q, props) => p.evaluate(([s, names]) => {
		const c = getComputedStyle(document.querySelector(s));
		return names.map((n) => c.getPropertyValue(n));
	}, [q, props]);
	const [edge] = await look(':root', ['--edge']);
	await p.emulateMedia({contrast: 'more'});
	const [line] = await look(':root', ['--line']);
	const [chip] = await look('.chip', ['background-color']);
	is([line, chip], [edge, 'rgba(9, 11, 13, 0.9)'],
		'more contrast: lines like edges, scrims nearly solid');
	await p.emulateMedia({contrast: null, forcedColors: 'active'});
	const bare = await p.evaluate(() => [...document.querySelectorAll(
		'.key, .tile')].filter((n) => n.checkVisibility() && parseFloat(
		getComputedStyle(n).borderTopWidth) < 1).length);
	is(bare, 0, 'forced colours: what is pressed has a border');
	await p.emulateMedia({forcedColors: null});
}

/* Tab, once around. */
async function tour(p, keys)
{
	const names = new Set();
	await p.evaluate(() => document.activeElement.blur());
	for (let i = 0; i < 30; i++) {
		await p.keyboard.press('Tab');
		names.add(await p.evaluate(() => {
			const n = document.activeElement;
			return n.getAttribute('aria-label') ?? (n.querySelector(
				'.word') ?? n).textContent.trim();
		}));
	}
	is(keys.map((k) => p.words[k]).filter((w) => !names.has(w)), [],
		'Tab reaches everything');
}

async function visit(name, p)
{
	await focus(name, p);
	await examine(name, p);
	const own = p.form === 'desktop' && p.lang === 'en';
	if (name === 'join' && p.lang === 'en') await narrow(p, 'join');
	if (name !== 'room4' || p.lang !== 'en') return;
	await narrow(p, 'leave');
	if (!own) return;
	await motion(p);
	await colours(p);
	await tour(p, ['mute', 'stop_camera', 'mic_settings', 'cam_settings',
		'share_screen', 'raise_hand', 'more', 'leave', 'people', 'chat']);
}

/* Every page after the meeting, as a reload shows it once more. */
async function ends(cast)
{
	const {id, viewer} = await cast.meeting();
	const p = await cast.page(viewer.replace(/#.*/, ''), undefined, {});
	const all = Object.keys(p.words).map((w) => /^gone_(\w+)$/.exec(w)?.[1])
		.filter((w) => w && !/_more$/.test(w));
	for (const gone of all) {
		await p.evaluate(([key, seat]) => sessionStorage.setItem(key,
			JSON.stringify(seat)), [`confkit.seat.${id}`, {gone,
			detail: 'the reason given'}]);
		await p.reload();
		await p.getByRole('heading', {level: 1, name: p.words[
			`gone_${gone}`]}).waitFor();
		await visit(`gone_${gone}`, p);
	}
	await p.context().close();
}

await test(async () => {
	const k = await kit();
	const cast = new Cast(k, await chromium());
	for (const form of ['desktop', 'phone'])
		await walk(cast, form, visit, {skip: ['reconnect']});
	await ends(cast);
	note(`${seen.length} scenes: ${seen.join(', ')}`);
	is(found, [], 'axe finds nothing serious or critical in any scene');
	is(lost, [], 'the focus is in what was opened');
	ok(seen.length > 35, `all scenes were seen (${seen.length})`);
	is(cast.problems, [], 'the page had no problem');
});
