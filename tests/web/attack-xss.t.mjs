/* timeout: 240
 * Names, words, meetings and addresses that want to be code, in a real
 * browser: no script runs, nothing of it becomes an element, the content
 * security policy has nothing to refuse. */
import {chromium, enter, is, kit, ok, person, press, said, sleep, test, until}
	from './lib.mjs';
import {connect} from './signal.mjs';

const EVIL = [
	'<script>hit(1)</script>',
	'<img src=x onerror=hit(2)>',
	'"><svg/onload=hit(3)>',
	"'-hit(4)-'",
	'</title><script>hit(5)</script>',
	'<a href="javascript:hit(6)">go</a>',
	'javascript:hit(7)',
	'{{hit(8)}}${hit(8)}',
	'<iframe srcdoc="<script>parent.hit(9)</script>">',
	'&lt;script&gt;hit(10)&lt;/script&gt;',
];
/* Direction, escapes, lines: what is left of them is text. */
const ODD = ['\u202egnp.exe\u202c', 'a\u001b[31mred\u001b[0m', 'two\nlines',
	'\u0007bell', 'zero\u200bwidth', '\u2066x\u2069'];
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/;

const watch = () => {
	window.hits = [];
	window.refused = [];
	window.hit = (n) => window.hits.push(n);
	document.addEventListener('securitypolicyviolation', (e) =>
		window.refused.push(`${e.violatedDirective} ${e.blockedURI}`));
};

/* What of the page is none of its own. */
const foreign = (p) => p.evaluate(() => ({
	hits: window.hits, refused: window.refused,
	inline: [...document.querySelectorAll('script')]
		.filter((s) => !s.src).length,
	elements: document.querySelectorAll('body img, iframe, object, embed, ' +
		'[onload], [onerror], [onclick], a[href^="javascript" i]')
		.length}));
const CLEAN = {hits: [], refused: [], inline: 0, elements: 0};

async function join(k, name, talk)
{
	const {origin, hash} = new URL((await k.ctl('link', 'hello')).out.trim());
	const c = await connect({ws: `${origin.replace('http', 'ws')}/ws`},
		{rejectUnauthorized: false});
	await c.call('hello', {protocol: [1], agent: 't', role: 'client',
		caps: [], token: hash.slice(3)});
	const r = await c.call('user.join', {name}).catch((e) => e);
	/* Text with a control in it is refused. */
	const words = talk && r.user &&
		await c.call('chat.say', {text: talk}).catch((e) => e.kind);
	return {c, r, words};
}

await test(async () => {
	const k = await kit();
	const b = await chromium();
	const ada = await person(b, k.links.moderator, {name: 'Ada',
		init: watch});
	const people = [];

	await enter(ada);
	for (const evil of [...EVIL, ...ODD])
		people.push(await join(k, evil, `I am ${evil}`));
	is(people.filter(({r}) => !r.user).length, 0, 'all of them join');
	is(people.filter(({words}) => words === 'invalid').length, 2,
		'words with an escape or a bell are refused');
	for (const name of ['x'.repeat(10240), '<b>'.repeat(3413)]) {
		const {r, c} = await join(k, name);
		ok(r.kind === 'invalid', 'a name of 10 kB is refused', `${r.kind}`);
		c.close();
	}
	ok(people.every(({r}) => !CONTROL.test(r.user.name)),
		'no name keeps a control or turns the direction');

	await press(ada, 'People');
	const row = (t) => until(20, () => ada.evaluate((name) =>
		document.body.innerText.includes(name), t));
	for (const evil of EVIL)
		ok(await row(evil), `a name is text: ${evil}`);
	ok(await said(ada, ...EVIL.map((e) => `I am ${e}`)),
		'so is what they say');
	ok(!CONTROL.test(await ada.evaluate(() => document.body.innerText)),
		'nothing that is shown turns the direction of what is beside it');
	await people[0].c.call('user.hand', {up: true});
	await k.ctl('set', 'hello', 'name', EVIL[0]);
	ok(await until(10, () => ada.evaluate(() =>
		document.title.includes('<script>') ||
		document.body.innerText.includes('hit(1)'))),
	'and the name of the meeting');
	is(await foreign(ada), CLEAN,
		'0 scripts ran, 0 were refused, 0 elements came in');

	/* Words that come with the end, and by the address. */
	await k.ctl('kick', 'hello', 'Ada', '--reason', EVIL[1]);
	await ada.getByText(/removed|kicked/i).first().waitFor();
	await sleep(300);
	is(await foreign(ada), CLEAN, 'nor by the reason of a kick');
	const u = new URL(k.links.viewer);
	let n = 0;
	for (const evil of EVIL.slice(0, 2)) {
		const bad = new URL(u);
		bad.searchParams.set('lang', evil);
		bad.searchParams.set('name', evil);
		if (n++ % 2) bad.hash = `t=${encodeURIComponent(evil)}`;
		const p = await person(b, bad.href, {init: watch});
		await until(20, () => p.evaluate(() =>
			document.body.innerText.trim().length > 0));
		is(await foreign(p), CLEAN, `nor by the address: ${evil}`);
		await p.context().close();
	}
	for (const {c} of people) c.close();
});
