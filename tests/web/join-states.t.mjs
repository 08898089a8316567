/* timeout: 300
 * The page before the meeting in each state that it can come into: devices
 * pulled out and permissions taken, a meeting that has not started, is full,
 * over, or not for this link; and a reload, which leads back to one's seat. */
import process from 'node:process';
import {chromium, enter, is, kit, note, ok, person, press, test, until}
	from './lib.mjs';

/* Devices that can be pulled out: they are not listed and not opened any
 * more, and what they gave ends, as a browser has it. */
const plugs = () => {
	const media = navigator.mediaDevices;
	const list = media.enumerateDevices.bind(media);
	const open = media.getUserMedia.bind(media);
	const out = new Set(), tracks = [], state = {};
	const here = async (kind) => (await list()).filter((d) =>
		d.kind === kind && !out.has(d.deviceId));
	media.enumerateDevices = async () =>
		(await list()).filter((d) => !out.has(d.deviceId));
	media.getUserMedia = async (want) => {
		for (const [key, kind] of [['audio', 'audioinput'],
			['video', 'videoinput']]) {
			if (!want[key]) continue;
			if (state[key] === 'denied')
				throw new DOMException('no', 'NotAllowedError');
			const all = await here(kind);
			if (!all.length) throw new DOMException('no',
				'NotFoundError');
			const wish = want[key].deviceId?.ideal;
			want[key].deviceId = {exact: (all.find((d) =>
				d.deviceId === wish) ?? all[0]).deviceId};
		}
		const stream = await open(want);
		tracks.push(...stream.getTracks());
		return stream;
	};
	const query = navigator.permissions.query.bind(navigator.permissions);
	navigator.permissions.query = async ({name}) => ({
		microphone: {state: state.audio ?? 'granted'},
		camera: {state: state.video ?? 'granted'},
	}[name] ?? query({name}));
	const end = (fits) => {
		for (const t of tracks.filter((x) =>
			x.readyState === 'live' && fits(x))) {
			t.stop();
			t.dispatchEvent(new Event('ended'));
		}
	};
	window.plugs = {
		/* The one in use, or all of the kind. */
		async pull(kind, all) {
			const used = tracks.filter((t) => t.readyState === 'live')
				.map((t) => t.getSettings().deviceId);
			for (const d of await list())
				if (d.kind === kind && (all ||
					used.includes(d.deviceId)))
					out.add(d.deviceId);
			end((t) => out.has(t.getSettings().deviceId));
			media.dispatchEvent(new Event('devicechange'));
		},
		putBack() {
			out.clear();
			media.dispatchEvent(new Event('devicechange'));
		},
		withdraw(kind) {
			state[kind] = 'denied';
			end((t) => t.kind === kind);
		},
	};
};

const line = (p) => p.locator('.line').innerText();
const says = (p, words) => until(5, async () => words.test(await line(p)),
	20);
const shows = (p, words, seconds = 5) => until(seconds, () =>
	p.getByText(words, {exact: true}).first().isVisible());
const title = (p) => p.getByRole('heading', {level: 1}).innerText();
const hint = (p) => p.locator('#hint').innerText();
const label = (p, name) => p.getByRole('combobox', {name}).evaluate((s) =>
	s.selectedOptions[0].label);
const link = async (k, ...args) =>
	(await k.ctl('link', 'hello', ...args)).out.trim();

async function unplugged(k, browser)
{
	const p = await person(browser, k.links.viewer, {name: 'Uma',
		init: plugs});
	await until(5, () => p.locator('.meter .on').count());
	const before = await label(p, 'Microphone');
	await p.evaluate(() => window.plugs.pull('audioinput'));
	ok(await says(p, /^The microphone was unplugged. .* is used now\.$/),
		'another microphone takes the place of one', await line(p));
	ok(await until(3, async () => await label(p, 'Microphone') !== before),
		'and is the one that is chosen');
	await p.evaluate(() => window.plugs.pull('audioinput', true));
	ok(await says(p, /^The microphone was unplugged. Plug it in again/),
		'that there is none any more is said');
	ok(await until(3, async () => /as a listener/.test(await hint(p))),
		'and what follows from it');
	await p.evaluate(() => window.plugs.pull('videoinput'));
	ok(await until(5, () => p.locator('.cover').getByText(
		'No camera found').isVisible()), 'a camera leaves a cover');
	await p.evaluate(() => window.plugs.putBack());
	ok(await until(5, async () => /hear you at once/.test(await hint(p)) &&
		await p.getByRole('button', {name: 'Stop camera', exact: true})
			.isVisible()), 'both are taken again when they are there');
	await p.evaluate(() => window.plugs.withdraw('audio'));
	ok(await says(p, /^The microphone is no longer allowed/),
		'a permission that is taken is told of');
	await p.evaluate(() => window.plugs.withdraw('video'));
	ok(await shows(p, 'Camera and microphone are blocked'),
		'both of them lead to the explanation');
	await enter(p);
	ok(await p.locator('.stage').isVisible(), 'and Join joins all the same');
	is(p.problems, [], 'the page had no problem');
	await p.context().close();
}

/* What is where, on a desk and on a phone. */
async function frames(k, browser)
{
	const p = await person(browser, k.links.moderator);
	ok(await until(5, () => p.locator('#name').evaluate((n) =>
		n === document.activeElement && n.selectionEnd > 0)),
	'with a mouse the name is focused');
	ok(await shows(p, 'You join as a moderator.'), 'what the link grants');
	await p.setViewportSize({width: 390, height: 640});
	await press(p, 'Devices');
	const sheet = p.getByRole('dialog', {name: 'Devices'});
	ok(await until(5, async () => await sheet.getByRole('combobox',
		{name: 'Speaker'}).isVisible() && await sheet.getByRole('button',
		{name: 'Test sound'}).isVisible()), 'a phone has a sheet of devices, and the test of sound');
	await p.keyboard.press('Escape');
	ok(await until(3, () => p.getByRole('button', {name: 'Devices'})
		.evaluate((n) => n === document.activeElement)),
	'which gives focus back');
	is(await p.evaluate(() => [document.documentElement.scrollHeight,
		document.documentElement.scrollWidth]), [640, 390],
	'nothing scrolls at 390 x 640');
	await p.locator('#name').fill('Moe');
	await p.locator('#name').press('Enter');
	await p.locator('.stage').waitFor();
	ok(true, 'Enter in the name joins');
	const seat = () => p.locator('.tile.self').getAttribute('data-user');
	const before = await seat();
	await p.reload();
	await p.locator('.stage').waitFor();
	is(await seat(), before, 'a reload leads back to the same seat');
	is(p.problems, [], 'the page had no problem');
	return p;
}

async function early(k, browser)
{
	const p = await person(browser, await link(k, '--from', '4s'),
		{name: 'Eve'});
	ok(await shows(p, 'The meeting has not started. ' +
		'This page will join when it does.'), 'a link whose time has not ' +
		'come says so');
	ok(await p.getByText(/^It opens at /).isVisible() &&
		!await p.getByRole('button', {name: 'Join'}).count(),
	'and when, in the place of Join');
	await p.locator('.stage').waitFor({timeout: 15000});
	ok(await p.locator('.tile.self').isVisible(), 'it goes on by itself');
	ok(/Eve/.test((await k.ctl('users', 'hello')).out),
		'under the name that was typed meanwhile');
	is(p.problems, [], 'the page had no problem');
	await press(p, 'Leave');
	await p.context().close();
}

async function full(k, browser, host)
{
	await k.ctl('set', 'hello', 'max_users', '1');
	const p = await person(browser, k.links.viewer, {name: 'Fay'});
	await press(p, 'Join');
	ok(await shows(p, 'The meeting is full. Try again later.'),
		'a full meeting says so');
	ok(await p.locator('#name').evaluate((n) =>
		n === document.activeElement), 'with the name focused');
	await k.ctl('set', 'hello', 'max_users', '0');
	await press(p, 'Try again');
	await p.locator('.stage').waitFor();
	ok(await host.locator('.stage').isVisible(), 'and can be tried again');
	is(p.problems, [], 'the page had no problem');
	await p.context().close();
}

async function refused(k, browser)
{
	const short = await link(k, '--ttl', '1s');
	const named = await link(k, '--name', 'Kim'), gone = await link(k);
	const kim = await person(browser, named);
	await enter(kim);
	await k.ctl('kick', 'hello', 'Kim');
	ok(await shows(kim, 'You have been removed from the meeting.'),
		'who is removed is told');
	const rows = JSON.parse((await k.ctl('links', 'hello', '--json')).out);
	const last = (rows.links ?? rows).at(-1).link;
	await k.ctl('unlink', 'hello', last);
	const cases = [[named, 'You have been removed from the meeting.'],
		[gone, 'This link was withdrawn. Ask the person who sent it.'],
		[short, 'This link has expired. Ask for a new one.']];
	for (const [url, words] of cases) {
		const p = await person(browser, url);
		ok(await until(5, async () => await title(p) === words), words,
			await title(p));
		is(await p.evaluate(() => document.activeElement.tagName), 'H1',
			'its heading has the focus');
		await p.context().close();
	}
	await kim.context().close();
}

await test(async () => {
	const k = await kit();
	const browser = await chromium();
	await unplugged(k, browser);
	const host = await frames(k, browser);
	await early(k, browser);
	await full(k, browser, host);
	await refused(k, browser);
	const p = await person(browser, k.links.viewer, {name: 'Late'});
	await k.ctl('end', 'hello');
	ok(await shows(p, 'The meeting has ended'),
		'the end comes to who has not joined');
	const q = await person(browser, k.links.viewer);
	ok(await shows(q, 'The meeting has ended'), 'and to who comes after');
	ok(await shows(host, 'The meeting has ended'), 'and to who was there');
	if (process.env.V) note(k.process.err);
});
