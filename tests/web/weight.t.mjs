/* What a browser really transfers, by its own count: until one can press
 * Join, and until one is in the room without having opened anything. All
 * else comes when it is asked for, and is listed. */
import {readdirSync, statSync} from 'node:fs';
import {basename, join} from 'node:path';
import {build, chromium, enter, is, kit, note, ok, person, test, until}
	from './lib.mjs';

const www = join(build, 'share/confkit/www');
const JOIN = 45000, ROOM = 150000; /* bytes, client.md's section 11 */
const kinds = {html: /html$|^hello$/, css: /css$/, icons: /svg$/,
	words: /^words-/, modules: /\.js$/};

/* When the page can be used, by its own clock. */
const mark = () => {
	new MutationObserver(() => {
		if (document.querySelector('.wide'))
			window.usable ??= performance.now();
	}).observe(document, {childList: true, subtree: true});
};

/* Name to {size, start}: the first response of each, whole. */
const loaded = (p) => p.evaluate(() => Object.fromEntries([
	...performance.getEntriesByType('navigation'),
	...performance.getEntriesByType('resource')].filter((e) =>
	e.encodedBodySize && e.name.startsWith(location.origin))
	.reverse().map((e) => [new URL(e.name).pathname.split('/').pop(),
		{size: e.encodedBodySize, decoded: e.decodedBodySize,
			start: e.startTime}])));
const kind = (name) => Object.keys(kinds).find((k) => kinds[k].test(name));

function sums(all)
{
	const by = {};
	for (const [name, {size}] of all)
		by[kind(name)] = (by[kind(name)] ?? 0) + size;
	return by;
}
const total = (by) => Object.values(by).reduce((a, b) => a + b, 0);
const said = (by) => Object.entries(by).map(([k, n]) => `${k} ${n}`)
	.join(', ');

await test(async () => {
	const k = await kit();
	const browser = await chromium();
	const p = await person(browser, k.links.viewer, {name: 'Ann',
		init: mark});
	const usable = await p.evaluate(() => window.usable);
	await enter(p);
	await until(10, () => p.locator('.self video').evaluate((v) =>
		v.videoWidth));
	/* Nothing more comes by itself. */
	await p.waitForLoadState('networkidle');
	const all = Object.entries(await loaded(p));
	is(all.filter(([name]) => !kind(name)).map(([name]) => name), [],
		'every file is of a kind that is known');
	is(all.filter(([, e]) => e.size !== e.decoded), [],
		'nothing is compressed: these are bytes of the files');
	is(all.filter(([name, e]) => name !== 'hello' && statSync(join(www,
		name)).size !== e.size), [], 'and whole files');

	const before = sums(all.filter(([, e]) => e.start <= usable));
	note(`until Join can be pressed: ${said(before)}`);
	ok(before.modules > 20000 && before.modules <= JOIN,
		`modules of the join page: ${before.modules} of ${JOIN} bytes`,
		all.filter(([, e]) => e.start <= usable).map(([n, e]) =>
			`${n} ${e.size}`));
	const room = sums(all);
	note(`in the room: ${said(room)}`);
	ok(room.modules > 60000 && total(room) <= ROOM,
		`in the room: ${total(room)} of ${ROOM} bytes`,
		all.map(([n, e]) => `${n} ${e.size}`));
	const names = new Set(all.map(([name]) => name));
	const rest = readdirSync(www).filter((f) => !names.has(f) &&
		!['index.html', 'favicon.svg', 'words-zh.js'].includes(f));
	note(`when asked for: ${rest.map((f) => `${basename(f)} ${statSync(
		join(www, f)).size}`).join(', ')}`);
	is(p.problems, [], 'the page had no problem');
});
