/* look.mjs - run by tests/soak/look.t.
 * The page looks as it did when its pictures in tests/data/look were
 * accepted. LOOK=accept, or make look-accept, accepts what is now; what
 * differs is kept in .build/look. */
import {existsSync, mkdirSync, readFileSync, readdirSync, rmSync,
	statSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import process from 'node:process';
import {build, chromium, is, kit, note, ok, root, test} from './lib.mjs';
import {compare, decode, encode, marked} from './picture.mjs';
import {Cast, walk} from './scenes.mjs';

const accept = process.env.LOOK === 'accept';
const dir = join(root, 'tests/data/look'), out = join(build, 'look');
const MOST = 1e6; /* bytes, all together */

/* Which scenes, in which themes, English and Chinese. */
const WANTED = {
	desktop: {
		join: 'dark light', denied: 'dark', room1: 'dark', room2: 'dark',
		room4: 'dark light', room9: 'dark light', room25: 'dark',
		chat: 'dark light', people: 'dark light', more: 'light',
		toast: 'dark', screen: 'dark', reconnect: 'dark',
		left: 'light', waiting: 'light', zh: {join: 'light', room4: 'dark'},
	},
	phone: {
		join: 'dark light', denied: 'light', room1: 'dark', room2: 'dark',
		room4: 'dark light', room9: 'dark', room25: 'dark',
		chat: 'dark light', people: 'dark', more: 'dark',
		screen: 'dark', reconnect: 'dark', zh: {join: 'light'},
	},
};

/* Runs in the page: what differs from run to run or from machine to machine
 * gets a fixed look: fonts, times, the link, colours of people (whose ids
 * are random), and pictures, in whose place people in flat colours stand. */
const settle = async (scene) => {
	const hue = (s) => [...s].reduce((n, c) => n + c.codePointAt(0), 0) % 10;
	const setHue = (node, text) => {
		node.className = node.className.replace(/\bh\d\b/, `h${hue(text)}`);
	};
	const all = (q) => [...document.querySelectorAll(q)];
	if (!window.looks) {
		window.looks = new CSSStyleSheet();
		window.looks.replaceSync('body { font-family: Inter, ' +
			'"WenQuanYi Micro Hei" } .spinner { animation: none }');
		document.adoptedStyleSheets = [window.looks];
	}
	/* What a busy machine brings about is for its own scene. */
	if (scene !== 'toast') for (const t of all('.toast')) t.remove();
	if (scene !== 'reconnect') {
		for (const b of all('.banner')) b.hidden = true;
		for (const n of all('.lost, .frozen'))
			n.classList.remove('lost', 'frozen');
	}
	for (const t of all('.time, time')) {
		const still = t.cloneNode();
		still.textContent = t.matches('time') ? '09:30' : '24:10';
		t.replaceWith(still);
	}
	for (const when of all('.card p'))
		when.textContent = 'It opens at 09:30';
	for (const f of all('input[readonly]:not(#name)'))
		f.value = 'https://meet.example.org/m/weekly#t=eyJhbGciOiJIUz';
	for (const d of all('.disc')) setHue(d, d.textContent);
	for (const t of all('.tile.cam'))
		setHue(t, t.querySelector('bdi').textContent);
	for (const v of all('video')) {
		const tile = v.closest('.tile, .preview');
		const lost = tile.matches('.lost .tile');
		/* After a while what stands still is covered, sooner or later. */
		if (lost) tile.classList.remove('covered');
		if (!v.videoWidth || tile.matches('.covered')) continue;
		const h = 36 * hue(tile.querySelector('bdi')?.textContent ?? '');
		const at = (s, l) => lost ? `hsl(${h} ${s / 6}% ${l * .62}%)` :
			`hsl(${h} ${s}% ${l}%)`;
		v.style.visibility = 'hidden';
		tile.style.background = tile.matches('.screen') ?
			'repeating-linear-gradient(#f6f7f8 0 20px, #cdd5da 20px ' +
			'28px) 50% 50% / 76% 70% no-repeat, #f6f7f8' :
			`radial-gradient(circle at 50% 42%, ${at(14, 55)} 18%, ` +
			`transparent 18.3%), radial-gradient(ellipse 34% 38% at ` +
			`50% 102%, ${at(15, 43)} 100%, transparent 100.5%), ` +
			at(18, 25);
	}
	await document.fonts.ready;
	await new Promise((go) => requestAnimationFrame(() =>
		requestAnimationFrame(go)));
};

const shoot = async (p, theme, scene) => {
	/* What was pressed last is under the pointer, or not yet again. */
	await p.mouse.move(1, 1);
	await p.emulateMedia({colorScheme: theme});
	await p.evaluate(settle, scene);
	return decode(await p.screenshot({animations: 'disabled',
		scale: 'css'}));
};

const taken = new Map();

async function visit(name, p)
{
	const wanted = WANTED[p.form];
	const themes = (p.lang === 'zh' ? wanted.zh : wanted)[name] ?? '';
	for (const theme of themes.split(' ').filter(Boolean)) {
		const file = `${name}-${p.form}-${theme}${p.lang === 'zh' ? '-zh' :
			''}.png`;
		taken.set(file, await shoot(p, theme, name));
	}
	await p.emulateMedia({colorScheme: null});
	if (name === 'room4' && p.lang === 'en' && p.form === 'desktop')
		await tolerance(p);
}

/* What the comparison is to overlook, and what not. */
async function tolerance(p)
{
	const with_ = async (css) => {
		await p.evaluate((text) => {
			const s = new CSSStyleSheet();
			s.replaceSync(text);
			document.adoptedStyleSheets = [window.looks, s];
		}, css);
		const picture = await shoot(p, 'dark', 'room4');
		await p.evaluate(() => {
			document.adoptedStyleSheets = [window.looks];
		});
		return picture;
	};
	const plain = await with_('');
	is([...compare(plain, await with_(''))], [], 'the same is the same');
	const smooth = compare(plain, await with_('bdi, .word, strong, .time ' +
		'{ display: inline-block; translate: .3px .2px }'));
	ok(smooth.pixels > 200 && !smooth.length,
		`glyphs smoothed otherwise are not seen (${smooth.pixels} pixels)`,
		smooth.slice(0, 9));
	for (const [what, css] of [
		['one pixel of the gap of tiles', '.stage > .tile:first-child ' +
			'{ margin-left: -1px }'],
		['one pixel between keys', '.keys { gap: 25px }'],
		['one pixel of a bar', '.room { grid-template-rows: 1fr 77px }'],
		['an icon that is gone', '.k-more .icon { visibility: hidden }'],
		['a word that is gone', '.k-hand .word { visibility: hidden }'],
		['another colour', '.chip { background: rgba(9, 11, 13, .6) }'],
	])
		ok(compare(plain, await with_(css)).length, `${what} is seen`);
	const again = decode(encode(plain));
	is([...compare(again, plain)], [], 'nor does a palette make one');
}

function judge(file, picture)
{
	const path = join(dir, file);
	if (accept) {
		writeFileSync(path, encode(picture));
		return;
	}
	if (!existsSync(path)) {
		ok(false, `${file} was accepted`, 'make look-accept');
		return;
	}
	const found = compare(decode(readFileSync(path)), picture);
	if (!ok(!found.length, `${file} looks as accepted`,
		`${found.length} places, such as ${JSON.stringify(
			found.slice(0, 4))}; see .build/look/${file}`))
		writeFileSync(join(out, file), encode(marked(picture, found)));
}

await test(async () => {
	const k = await kit();
	const browser = await chromium({args: ['--font-render-hinting=none']});
	rmSync(out, {recursive: true, force: true});
	mkdirSync(out, {recursive: true});
	if (accept) rmSync(dir, {recursive: true, force: true});
	mkdirSync(dir, {recursive: true});
	const cast = new Cast(k, browser);
	const began = Date.now();
	let fault = null;
	try {
		for (const form of ['desktop', 'phone'])
			await walk(cast, form, visit);
	} catch (e) {
		fault = e;
	}
	note(`scenes took ${Date.now() - began} ms`);
	for (const [file, picture] of taken) judge(file, picture);
	const files = readdirSync(dir);
	is(files.filter((f) => !taken.has(f)), [], 'no picture without a scene');
	const bytes = files.reduce((n, f) => n + statSync(join(dir, f)).size, 0);
	ok(bytes < MOST, `the pictures are small (${bytes} bytes)`);
	is(cast.problems, [], 'the page had no problem');
	if (fault) throw fault;
});
