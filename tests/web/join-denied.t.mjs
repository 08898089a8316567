/* timeout: 180
 * Joining depends on no device and on no permission; names and messages are
 * text whatever stands in them; the page speaks Chinese; bad links are
 * refused in words; the markup stands up to axe where it is there. */
import {existsSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import {chromium, enter, is, kit, like, ok, person, press, root, said,
	say, test, tile, unsupported, until} from './lib.mjs';

const fails = (name) => `navigator.mediaDevices.getUserMedia = async () => {
	throw new DOMException('no', '${name}');
};`;
const joinable = (p) => p.getByRole('button', {name: 'Join', exact: true})
	.isEnabled();
const title = (p) => p.getByRole('heading', {level: 1}).innerText();

async function denied(k, browser)
{
	const p = await person(browser, k.links.viewer,
		{init: fails('NotAllowedError')});
	ok(await until(5, () => p.getByText('Camera and microphone are blocked')
		.isVisible()), 'refused devices are explained');
	ok(await joinable(p), 'and Join stays enabled');
	is(await p.locator('#name').inputValue(), 'Guest', 'a name is filled in');
	await p.locator('#name').fill('');
	await enter(p);
	ok(await until(5, () => tile(p, 'You').isVisible()),
		'one press joins, without devices and with an empty name');
	ok(await p.getByRole('button', {name: 'Unmute', exact: true})
		.isVisible() && await p.getByRole('button',
		{name: 'Start camera', exact: true}).isVisible(),
	'the bar shows what is off');
	await press(p, 'Unmute');
	ok(await until(5, () => p.locator('.toast',
		{hasText: 'The microphone is blocked'}).isVisible()),
	'a press says why it does not go on');
	is(p.problems, [], 'the page had no problem');
	await p.context().close();

	const q = await person(browser, k.links.viewer,
		{init: fails('NotFoundError'), name: 'Nodevice'});
	ok(await until(5, () => q.getByText('No camera found').isVisible()),
		'a missing camera is one line');
	await enter(q);
	ok(await tile(q, 'You').isVisible(), 'joining works without devices');
	is(q.problems, [], 'the page had no problem');
	return q;
}

/* Nothing resolves: as a prompt that nobody answers. */
async function unanswered(k, browser)
{
	const p = await person(browser, k.links.viewer, {name: 'Hasty', init:
		'navigator.mediaDevices.getUserMedia = () => new Promise(() => {})'});
	await enter(p);
	ok(await tile(p, 'You').isVisible(),
		'joining does not wait for an answer about devices');
	await p.context().close();
}

async function textOnly(k, browser, other)
{
	const evil = '<img src=x onerror=window.hit=1><b>Eve</b>';
	const p = await person(browser, k.links.moderator, {name: evil});
	await enter(p);
	ok(await until(5, () => other.getByText(evil).first().isVisible()),
		'a name of markup is shown as it is');
	const text = '<script>window.hit=1</script> http://a.example/x?y=1 ' +
		'javascript:alert(1) <a href=//b.example>b</a>';
	await say(p, text);
	await say(other, 'seen');
	ok(await said(other, text), 'so is a message');
	is(await other.locator('.messages a').evaluateAll((all) =>
		all.map((a) => [a.getAttribute('href'), a.rel])),
	[['http://a.example/x?y=1', 'noopener noreferrer']],
	'only http links become links');
	const found = [];
	for (const q of [p, other])
		found.push(await q.evaluate(() => [window.hit ?? 0,
			document.querySelectorAll('.room img, .room b, .room script')
				.length]));
	is(found, [[0, 0], [0, 0]], 'nothing of it runs or becomes an element');
	is(p.problems, [], 'the page had no problem');
	await say(p, 'a\u202egnp.exe');
	ok(await said(other, 'a\ufffdgnp.exe') || await said(other, 'agnp.exe'),
		'text cannot turn its direction');
	return p;
}

async function chinese(k, browser)
{
	const p = await person(browser, k.links.viewer, {query: 'lang=zh'});
	is(await p.locator('#name').inputValue(), '访客', 'a guest in Chinese');
	await p.getByRole('button', {name: '加入', exact: true}).click();
	ok(await until(10, () => p.getByRole('button', {name: '离开',
		exact: true}).isVisible()), 'the room speaks Chinese');
	is(await p.evaluate(() => document.documentElement.lang), 'zh-Hans',
		'and says so');
	await p.context().close();
}

async function badLinks(k, browser)
{
	const short = await k.ctl('link', 'hello', '--ttl', '1s');
	const named = await k.ctl('link', 'hello', '--name', 'Zoë Quick');
	const u = new URL(k.links.viewer);
	const cut = `${u.href.slice(0, -6)}AAAAAA`;
	const foreign = `${u.origin}${u.pathname}#t=eyJhbGciOiJIUzI1NiJ9.e30.AA`;
	for (const [url, words] of [[cut, /does not belong|cannot join/],
		[foreign, /does not belong|cannot join/],
		[u.href.replace('/m/hello', '/m/other'), /another meeting/],
		[`${u.origin}${u.pathname}`, /not a whole link/]]) {
		const p = await person(browser, url);
		ok(await until(5, async () => words.test(await title(p))),
			`refused in words: ${await title(p)}`);
		await p.context().close();
	}
	const p = await person(browser, named.out.trim());
	ok(await until(5, () => p.locator('#name').evaluate((i) => i.readOnly &&
		i.value == 'Zoë Quick')), 'a name from the link is filled and locked');
	await p.context().close();
	const late = short.out.trim();
	const old = await until(30, async () => {
		const q = await person(browser, late);
		const now = await until(4, async () => /expired/.test(
			await title(q)));
		await q.context().close();
		return now;
	});
	ok(old, 'an expired link says so');
}

async function axe(p, where)
{
	const file = join(root,
		'.build/node/node_modules/axe-core/axe.min.js');
	if (!existsSync(file)) {
		unsupported(`axe: ${where}`, 'axe-core is not installed');
		return;
	}
	await p.evaluate(readFileSync(file, 'utf8'));
	const {violations} = await p.evaluate(() => window.axe.run());
	is(violations.map((v) => [v.id, v.nodes.map((n) => n.html)]), [],
		`axe finds nothing: ${where}`);
}

await test(async () => {
	const k = await kit();
	const browser = await chromium();
	const nobody = await denied(k, browser);
	await unanswered(k, browser);
	const eve = await textOnly(k, browser, nobody);
	await axe(eve, 'room and chat');
	await press(eve, 'People');
	await axe(eve, 'people');
	await chinese(k, browser);
	await badLinks(k, browser);
	const p = await person(browser, k.links.viewer);
	await axe(p, 'join page');
	like(await p.title(), /confkit/, 'the title names the kit');
});
