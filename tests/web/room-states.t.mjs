/* timeout: 240
 * Each state that a person is told about, brought about for real: a bad and
 * a dead network path, a server that is away, a microphone that is talked
 * into while muted or gives nothing, devices that go and come, a permission
 * taken back, and what moderators do. */
import {chromium, enter, is, kit, like, noServer, ok, person, press, say, sleep,
	test, tile, tone, until} from './lib.mjs';
import {lossy} from './impair.mjs';
import {button, crowd, focus, listening, told} from './room.mjs';

/* Runs in the page before its own code: its media go by another port. */
function detour()
{
	const apply = RTCPeerConnection.prototype.setRemoteDescription;
	RTCPeerConnection.prototype.setRemoteDescription = async function (d) {
		const [, port] = / (\d+) typ host/.exec(d.sdp);
		const other = await window.byPath(Number(port));
		return apply.call(this, {type: d.type, sdp: d.sdp.replace(
			/ \d+ typ host/g, ` ${other} typ host`)});
	};
}

/* Devices that can be unplugged: window.unplug(kind), window.plug(). */
function sockets()
{
	const {mediaDevices} = navigator, gone = new Set(), tracks = [];
	const list = mediaDevices.enumerateDevices.bind(mediaDevices);
	const get = mediaDevices.getUserMedia.bind(mediaDevices);
	const of = {audio: 'audioinput', video: 'videoinput'};
	mediaDevices.enumerateDevices = async () => (await list())
		.filter((d) => !gone.has(d.deviceId) && !gone.has(d.kind));
	mediaDevices.getUserMedia = async (want) => {
		for (const kind of ['audio', 'video'])
			if (want[kind] && gone.has(of[kind])) throw new DOMException(
				'nothing there', 'NotFoundError');
		const left = await mediaDevices.enumerateDevices();
		const only = {...want};
		for (const kind of ['audio', 'video'])
			if (want[kind] && gone.size) only[kind] = {...want[kind],
				deviceId: {exact: left.find((d) =>
					d.kind === of[kind]).deviceId}};
		const stream = await get(only);
		tracks.push(...stream.getTracks());
		return stream;
	};
	const changed = () => mediaDevices.dispatchEvent(
		new Event('devicechange'));
	window.unplug = (kind, all) => {
		const track = tracks.findLast((t) => t.kind === kind &&
			t.readyState === 'live');
		gone.add(all ? of[kind] : track.getSettings().deviceId);
		track.stop();
		track.dispatchEvent(new Event('ended'));
		changed();
	};
	window.plug = () => {
		gone.clear();
		changed();
	};
}

/* A microphone that is open and gives nothing. */
function dumb()
{
	navigator.mediaDevices.getUserMedia = async (want) => {
		if (want.video && !want.audio)
			throw new DOMException('', 'NotFoundError');
		const ctx = new AudioContext();
		return ctx.createMediaStreamDestination().stream;
	};
}

const toast = (p, text, seconds = 10) => until(seconds, () =>
	p.locator('.toast', {hasText: text}).first().isVisible());
const camera = (p) => p.evaluate(() => {
	const pc = window.tested.peers.findLast((c) =>
		c.getTransceivers()[0]?.direction == 'sendonly');
	return pc.getSenders()[1].getParameters().encodings
		.find((e) => e.active).scaleResolutionDownBy;
});

async function weak(p, path)
{
	ok(await until(30, async () => await camera(p) === 2),
		'a camera at its usual size');
	path.loss = 0.4;
	ok(await until(20, async () => await camera(p) === 4),
		'on a bad path the camera is sent smaller');
	/* On a busy machine this may have been so and told before. */
	const [, text] = await told(p, /^Weak connection/) ?? [, ''];
	like(text, /Your connection is weak\..*% of packets lost, [\d,]+ ms there and back/,
		'and that is told in words and numbers');
	await p.keyboard.press(',');
	const lines = p.locator('.settings');
	ok(await until(5, async () => /Weak connection/.test(
		await lines.innerText())), 'the settings tell how it is');
	path.loss = 0;
	ok(await until(30, async () => await camera(p) === 2),
		'on a good path it is as before');
	ok(await until(20, async () => /Good connection[^]*Sent: 0% of packets/
		.test(await lines.innerText())), 'and the settings tell that',
		await lines.innerText());
	await p.keyboard.press('Escape');
}

async function cut(p, path)
{
	const banner = p.locator('.banner');
	path.cut = true;
	ok(await until(20, () => banner.getByText('Connection lost.')
		.isVisible()), 'a dead path: a banner');
	ok(await told(p, /^Connection lost/), 'and a sentence');
	ok(await p.locator('.room').evaluate((n) =>
		n.classList.contains('lost')), 'pictures turn grey');
	ok(await until(8, () => button(p, 'Try now').isVisible()),
		'after a while there is something to press');
	await button(p, 'Try now').click();
	path.cut = false;
	ok(await until(15, () => banner.getByText('Back in the meeting')
		.isVisible()), 'and it is back');
	ok(await told(p, /^Back in the meeting/), 'which is said');
	ok(await until(3, async () => await focus(p) !== 'BODY'),
		'the focus is not lost with the button');
}

async function away(k, p)
{
	await press(p, 'Chat');
	await p.getByRole('textbox', {name: 'Message'}).waitFor();
	const back = noServer(k);
	ok(await until(5, () => p.locator('.banner').getByText(
		'Controls are reconnecting. Sound and video go on.').isVisible()),
	'the server restarts: what goes on is said');
	is([await button(p, 'Raise hand').getAttribute('aria-disabled'),
		await button(p, 'Share screen').getAttribute('aria-disabled'),
		await button(p, 'Mute').getAttribute('aria-disabled')],
	['true', 'true', null], 'only what needs it is off');
	await button(p, 'Raise hand').click({force: true});
	ok(await toast(p, 'Not possible while the controls reconnect'),
		'and says why');
	ok(await p.locator('.room').evaluate((n) =>
		!n.classList.contains('lost')), 'pictures are left alone');
	await say(p, 'waiting');
	ok(await p.getByText('Sending…').isVisible(), 'messages wait');
	ok(await back() && await until(15, () => p.locator('.banner').getByText(
		'Back in the meeting').isVisible()), 'then it is back');
	ok(await until(8, () => p.getByText('Sending…').isHidden()),
		'and they are sent');
	await p.keyboard.press('Escape');
}

async function muted(k, p)
{
	await press(p, 'Mute');
	ok(await toast(p, 'You are muted. Hold Space to talk.'),
		'talking while muted is noticed');
	const sent = await p.evaluate(async () => {
		const pc = window.tested.peers.findLast((c) =>
			c.getTransceivers()[0]?.direction == 'sendonly');
		for (const s of (await pc.getStats()).values())
			if (s.type == 'media-source' && s.kind == 'audio')
				return s.audioLevel;
		return null;
	});
	ok(sent < 0.001, `and nothing of it is sent (${sent})`);
	await press(p, 'Unmute');
	ok(await until(3, () => p.locator('.toast', {hasText: 'Hold Space'})
		.isHidden()), 'unmuted, that is over');
	await k.ctl('mute', 'hello', 'Rosa');
	ok(await toast(p, 'A moderator muted you.'), 'a moderator mutes');
	ok(await told(p, /^A moderator muted you\.$/), 'which is said');
	ok(await p.locator('.k-mic .badge .icon').isVisible(), 'with a lock');
	await press(p, 'Unmute');
	ok(await toast(p, 'Your hand is raised'), 'a press asks by the hand');
	await k.ctl('unmute', 'hello', 'Rosa');
	ok(await toast(p, 'Others hear you now'), 'until it is lifted');
}

async function devices(p)
{
	const label = () => p.evaluate(() => window.tested.peers.findLast((c) =>
		c.getTransceivers()[0]?.direction == 'sendonly').getSenders()[0]
		.track?.label);
	const before = await label();
	await p.evaluate(() => window.unplug('audio'));
	ok(await toast(p, 'is used now'), 'a microphone goes: another takes over');
	const after = await label();
	ok(after && after !== before, `${before}, then ${after}`);
	await p.evaluate(() => window.unplug('audio', true));
	ok(await told(p, /^The microphone was unplugged\.Plug it/),
		'the last one goes');
	ok(await told(p, /Plug it in again.*Try again/), 'with what to do next');
	ok(await button(p, 'Unmute').isVisible(), 'the bar shows it off');
	await p.evaluate(() => window.plug());
	ok(await until(10, () => button(p, 'Mute').isVisible()) &&
		await toast(p, 'The microphone is back.'),
	'plugged in, it is used again');
	await p.context().clearPermissions();
	ok(await toast(p, 'The camera is no longer allowed.') &&
		await toast(p, 'The microphone is no longer allowed.'),
	'permissions that are taken back');
	ok(await button(p, 'Start camera').isVisible() &&
		await button(p, 'Unmute').isVisible(), 'turn off what they were for');
}

async function silent(q)
{
	ok(await toast(q, 'Your microphone is silent', 15),
		'an open microphone that gives nothing');
	ok(await q.locator('.toast').getByRole('button',
		{name: 'Choose another'}).isVisible(), 'and where to look');
}

async function ends(k, p, q)
{
	await k.ctl('kick', 'hello', 'Quinn');
	ok(await until(8, () => q.getByRole('heading', {name:
		'You have been removed from the meeting.'}).evaluate((n) =>
		n === document.activeElement)), 'who is removed reads it');
	await k.ctl('end', 'hello');
	ok(await until(8, () => p.getByRole('heading', {name:
		'The meeting has ended'}).evaluate((n) =>
		n === document.activeElement)), 'and all when it ends');
	ok(await until(3, () => p.evaluate(() => window.tested.peers.every((c) =>
		c.connectionState === 'closed'))), 'nothing goes on');
}

await test(async () => {
	const k = await kit();
	const b = await chromium({wav: tone(440), fakeUi: false, args: [
		'--use-fake-device-for-media-stream=device-count=2']});
	const permissions = ['camera', 'microphone'];
	const p = await person(b, 'about:blank', {permissions, init:
		`(${detour})();(${listening})()`});
	let made = null;
	await p.exposeFunction('byPath', async (port) => (await (made ??=
		lossy(port, {loss: 0}))).port);
	await p.goto(k.links.moderator);
	await p.locator('#name').fill('Ada');
	await enter(p);
	const r = await person(b, k.links.viewer, {name: 'Rosa', permissions,
		query: 'raw=1', init: `(${sockets})();(${listening})()`});
	await enter(r);
	const q = await person(b, k.links.viewer, {name: 'Quinn', permissions,
		init: dumb});
	await enter(q);
	await until(20, () => tile(p, 'Quinn').count());
	const path = await until(10, () => made);
	const inTurn = async (...all) => {
		for (const each of all) await each();
	};
	await Promise.all([
		inTurn(() => weak(p, path), () => cut(p, path)),
		inTurn(() => muted(k, r), () => devices(r)),
		silent(q),
	]);
	await away(k, p);
	await ends(k, p, q);
	const noise = /WebSocket connection/;
	is([p, q, r].flatMap((x) => x.problems.filter((s) => !noise.test(s))), [],
		'no page had another problem');
	path.close();
});
