/* timeout: 180
 * What the page makes of a network that swallows, a browser that forbids, and
 * people who leave at the wrong moment. */
import net from 'node:net';
import {chromium, enter, is, kit, note, ok, person, press, said, say, test,
	until} from './lib.mjs';
import process from 'node:process';

/* Between page and server: how is 'pass', 'swallow' (accepts and says
 * nothing) or, in ms, how late what the server says comes. */
async function between(url)
{
	const to = new URL(url), t = {how: 'pass', all: new Set(), swallowed: 0};
	const server = net.createServer((a) => {
		t.all.add(a);
		a.on('error', () => {}).on('close', () => t.all.delete(a));
		if (t.how === 'swallow') {
			t.swallowed++;
			return;
		}
		const b = net.connect(to.port, '127.0.0.1');
		b.on('error', () => a.destroy()).on('close', () => a.end());
		a.on('close', () => b.destroy());
		a.on('data', (d) => b.write(d));
		b.on('data', (d) => {
			const late = Number(t.how) || 0;
			if (late) setTimeout(() => a.writable && a.write(d), late);
			else a.write(d);
		});
	});
	await new Promise((r) => server.listen(0, '127.0.0.1', r));
	t.url = (u) => u.replace(to.host, `127.0.0.1:${server.address().port}`);
	t.cut = () => [...t.all].forEach((s) => s.destroy());
	t.close = () => {
		t.cut();
		server.close();
	};
	return t;
}

const notices = (p) => p.locator('.toast').allInnerTexts()
	.then((all) => all.join('\n'));
const texts = async (k) => (await k.ctl('events', 'hello', '--since', '0'))
	.out.trim().split('\n').map((l) => JSON.parse(l))
	.filter((e) => e.type === 'chat.said').map((e) => e.data);

async function invites(k, browser)
{
	const other = k.links.moderator.replace('localhost', '127.0.0.1');
	const p = await person(browser, other, {name: 'Host'});
	await enter(p);
	await press(p, 'People');
	await press(p, 'Invite');
	const field = p.getByLabel('Link to this meeting').last();
	ok(await until(10, async () => (await field.inputValue()).includes('#t=')),
		'a link to pass on');
	is(new URL(await field.inputValue()).origin, new URL(other).origin,
		'is for the address that this page was reached at');
	const guest = await person(browser, await field.inputValue(),
		{name: 'Guest'});
	await enter(guest);
	ok(true, 'and opens the meeting');
	return [p, guest];
}

async function whoLeaves(k, host, guest)
{
	await host.getByRole('list', {name: 'Participants'})
		.getByRole('button', {name: 'Actions for Guest'}).click();
	await host.getByRole('menuitem', {name: 'Message privately'}).click();
	const box = host.getByRole('textbox', {name: 'Message', exact: true});
	await box.fill('for Guest alone');
	await press(guest, 'Leave');
	ok(await until(10, async () =>
		!await host.locator('.tile', {hasText: 'Guest'}).count()),
	'the one who is written to leaves');
	await box.press('Enter');
	ok(await until(5, async () => /Guest left/.test(await notices(host))),
		'which one is told');
	is([await box.inputValue(), await texts(k)], ['for Guest alone', []],
		'and what was for one goes to nobody');
	await box.fill('');
	ok(await until(5, () => host.getByRole('button', {name: 'To Everyone'})
		.isVisible()), 'an empty box is for all again');
	await box.fill('\u6587'.repeat(3000));
	await box.press('Enter');
	ok(await until(5, async () => /too long/.test(await notices(host))),
		'what the server would not take is not sent');
	await box.fill('');
}

async function swallowed(k, browser)
{
	const t = await between(k.links.viewer);
	const p = await person(browser, t.url(k.links.viewer), {name: 'Nina'});
	const banner = p.locator('.banner');

	await enter(p);
	t.how = 'swallow';
	t.cut();
	ok(await until(10, () => t.swallowed), 'a connection that leads nowhere');
	t.how = 'pass';
	await say(p, 'through');
	ok(await until(20, async () => (await texts(k)).some((d) =>
		d.text === 'through')), 'is given up for another one');
	ok(await until(10, () => banner.isHidden()), 'and all is well');

	/* Typed while the answer to the return is on its way. */
	t.how = 400;
	t.cut();
	await until(5, () => p.evaluate(() => 1));
	const sent = await until(20, async () => {
		await say(p, 'once only');
		return true;
	});
	ok(sent && await said(p, 'once only'), 'said in the middle of a return');
	for (let i = 0; i < 8; i++) {
		await say(p, `word ${i}`);
		await new Promise((r) => setTimeout(r, 120));
	}
	ok(await until(20, async () => (await texts(k)).some((d) =>
		d.text === 'word 7')), 'all of it comes');
	const all = (await texts(k)).map((d) => d.text);
	is(all.length, new Set(all).size, 'and nothing twice');
	await press(p, 'Leave');
	t.close();
}

async function forbidden(k, browser)
{
	const p = await person(browser, k.links.viewer, {name: 'Olga',
		init: () => {
			for (const name of ['localStorage', 'sessionStorage'])
				Object.defineProperty(window, name, {get() {
					throw new DOMException('no', 'SecurityError');
				}});
		}});
	await enter(p);
	ok(await p.locator('.stage').isVisible(),
		'who may store nothing can join');
	is(p.problems, [], 'without a problem');
	await press(p, 'Leave');

	const q = await person(browser, k.links.viewer, {name: 'Paul',
		init: () => { delete window.RTCPeerConnection; }});
	ok(await until(5, () => q.getByText('has no WebRTC').first()
		.isVisible()), 'a browser without WebRTC is told before');
	await press(q, 'Join');
	await q.locator('.stage').waitFor();
	ok(await until(5, async () => /no WebRTC/.test(await notices(q))),
		'and after joining');
	await say(q, 'only words');
	ok(await until(5, async () => (await texts(k)).some((d) =>
		d.text === 'only words')), 'and can write');
	await press(q, 'Leave');
}

await test(async () => {
	const k = await kit();
	const browser = await chromium();
	const [host, guest] = await invites(k, browser);

	await whoLeaves(k, host, guest);
	await swallowed(k, browser);
	await forbidden(k, browser);
	is([...host.problems, ...guest.problems], [], 'no page had a problem');
	if (process.env.V) note(k.process.err);
});
