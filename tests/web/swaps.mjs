/* Six people, each of one colour, take turns in the slots of one page, over
 * a path that loses media and stalls: whatever the page shows uncovered must
 * be the colour of the name below it. swaps(n, seed) runs until slots have
 * changed hands n times. */
import process from 'node:process';
import {chromium, colour, enter, kit, note, ok, person, until}
	from './lib.mjs';
import {lossy, random, stalling} from './impair.mjs';
import {user} from './signal.mjs';

const COLOURS = {Red: [255, 0, 0], Green: [0, 255, 0], Blue: [0, 0, 255],
	Yellow: [255, 255, 0], Pink: [255, 0, 255], Cyan: [0, 255, 255]};
const NAMES = Object.keys(COLOURS);
const STEP_MS = 300;

/* ---- the six ---- */

/* Runs in their page: a camera of one colour, and a corner that changes, so
 * that there is something to send. */
async function offer([name, [r, g, b]])
{
	const canvas = document.createElement('canvas');
	canvas.width = 160;
	canvas.height = 90;
	const c = canvas.getContext('2d');
	let n = 0;
	const draw = () => {
		c.fillStyle = `rgb(${r},${g},${b})`;
		c.fillRect(0, 0, 160, 90);
		c.fillStyle = n++ % 2 ? '#000' : '#fff';
		c.fillRect(0, 0, 8, 8);
	};
	draw();
	setInterval(draw, 100);
	const pc = new RTCPeerConnection({bundlePolicy: 'max-bundle'});
	const [track] = canvas.captureStream(10).getVideoTracks();
	pc.addTransceiver('audio', {direction: 'sendonly'});
	pc.addTransceiver(track, {direction: 'sendonly'});
	await pc.setLocalDescription();
	(window.six ??= {})[name] = pc;
	return pc.localDescription.sdp;
}
const accept = ([name, sdp]) => window.six[name].setRemoteDescription(
	{type: 'answer', sdp});

/* They join; returns who has which id, and the relay's port. */
async function join(k, p)
{
	const {host, hash} = new URL(k.links.viewer);
	const ids = {};
	let port;
	for (const name of NAMES) {
		const u = await user({ws: `ws://${host}/ws`},
			{token: hash.slice(3)}, name);
		const {sdp} = await u.call('media.publish', {sdp:
			await p.evaluate(offer, [name, COLOURS[name]])});
		await p.evaluate(accept, [name, sdp]);
		ids[name] = u.user;
		port = Number(/ (\d+) typ host/.exec(sdp)[1]);
	}
	return {ids, port};
}

/* ---- the page that looks ---- */

/* Runs in it before its own code: its connections go by the bad path, what
 * it wants is decided by the test, changes of slots are counted. */
function watch(port)
{
	const look = window.look = {swaps: 0, owners: {}, socket: null};
	const apply = RTCPeerConnection.prototype.setRemoteDescription;
	RTCPeerConnection.prototype.setRemoteDescription = function (d) {
		return apply.call(this, {type: d.type, sdp: d.sdp.replace(
			/ \d+ typ host/g, ` ${port} typ host`)});
	};
	const Real = WebSocket;
	window.WebSocket = class extends Real {
		constructor(...args) {
			super(...args);
			look.socket = this;
			this.addEventListener('message', ({data}) => {
				const {method, params} = JSON.parse(data);
				if (method !== 'event' ||
					params.type !== 'slot.assigned') return;
				const {mid, user} = params.data;
				const before = look.owners[mid];
				if (user) look.owners[mid] = user;
				if (user && before && before !== user) look.swaps++;
			});
		}
		send(text) {
			if (!text.includes('"media.want"')) super.send(text);
		}
		want(tracks) {
			look.nth = (look.nth ?? 1e6) + 1;
			super.send(JSON.stringify({jsonrpc: '2.0', id: look.nth,
				method: 'media.want', params: {tracks}}));
		}
	};
}

/* Looks at every tile that is not covered, from now on: how often the colour
 * was right and wrong, and in how many turns it came to be seen. */
function sample(colours)
{
	const {look} = window;
	const c = document.createElement('canvas');
	c.width = c.height = 1;
	const g = c.getContext('2d', {willReadFrequently: true});
	const nearest = (rgb) => Object.entries(colours).map(([name, want]) =>
		[Math.hypot(...rgb.map((v, i) => v - want[i])), name])
		.sort(([a], [b]) => a - b)[0][1];
	Object.assign(look, {right: 0, turns: 0, wrong: []});
	const open = new Set();
	setInterval(() => {
		for (const tile of document.querySelectorAll(
			'.tile[data-source=cam]:not(.self)')) {
			const name = Object.keys(colours).find((n) =>
				tile.querySelector('.chip').textContent.includes(n));
			if (tile.classList.contains('covered')) {
				open.delete(name);
				continue;
			}
			const v = tile.querySelector('video');
			g.clearRect(0, 0, 1, 1);
			g.drawImage(v, v.videoWidth / 2, v.videoHeight / 2, 1, 1,
				0, 0, 1, 1);
			const [r, gr, b, a] = g.getImageData(0, 0, 1, 1).data;
			if (!a) continue;
			const got = nearest([r, gr, b]);
			if (got !== name) {
				look.wrong.push({name, got, rgb: [r, gr, b],
					swaps: look.swaps});
				continue;
			}
			look.right++;
			if (!open.has(name)) look.turns++;
			open.add(name);
		}
	}, 20);
}

/* ---- the test ---- */

export async function swaps(wanted, seed, seconds)
{
	const rng = random(seed);
	note(`seed ${seed} (SEED=${seed} repeats its choices)`);
	const k = await kit();
	const browser = await chromium({y4m: colour('grey', [128, 128, 128],
		160, 90, 5)});
	const six = await (await browser.newContext()).newPage();
	const {ids, port} = await join(k, six);
	const media = await lossy(port, {loss: 0.05, seed});
	const url = new URL(k.links.moderator);
	const control = await stalling(Number(url.port), {seed});
	url.port = control.port;
	const p = await person(browser, url, {name: 'Eye', init:
		`(${watch})(${media.port})`});
	await enter(p);
	ok(await until(30, () => p.locator('.tile[data-source=cam]').count()
		.then((n) => n === 7)), 'seven are in the room');
	await p.evaluate(sample, COLOURS);

	let shown = NAMES.slice(0, 3);
	const end = Date.now() + seconds * 1000;
	const done = () => p.evaluate((n) => window.look.swaps >= n, wanted);
	while (Date.now() < end && !await done()) {
		const rest = NAMES.filter((n) => !shown.includes(n))
			.map((n) => [rng(), n]).sort().map(([, n]) => n);
		shown = rest.slice(0, rng() < 0.2 ? 2 : 3);
		const list = [...shown, ...NAMES.filter((n) =>
			!shown.includes(n))].map((n) => ({user: ids[n],
			source: 'cam', height: shown.includes(n) ? 180 : 0,
			stage: false}));
		await p.evaluate((w) => window.look.socket.want(w), list);
		await new Promise((r) => setTimeout(r, STEP_MS *
			(0.5 + 1.5 * rng())));
	}
	const look = await p.evaluate(() => {
		const {swaps: n, right, turns, wrong} = window.look;
		return {swaps: n, right, turns, wrong: wrong.slice(0, 20)};
	});
	note(`${look.swaps} swaps, ${look.turns} turns seen in ${look.right} ` +
		`looks; ${media.lost} of ${media.lost + media.passed} datagrams ` +
		`lost, ${control.stalls} stalls`);
	ok(look.swaps >= wanted, `slots change hands ${wanted} times`, look);
	ok(media.lost > wanted / 4 && control.stalls > 3, 'over a bad path');
	ok(look.turns >= wanted / 8, 'of those who come many are seen', look);
	ok(!look.wrong.length, 'never one person\'s colour under another\'s name',
		look.wrong);
	ok(!p.problems.length, 'the page had no problem', p.problems);
	await browser.close();
	media.close();
	control.close();
	k.process.kill('SIGTERM');
	if (process.env.V) note(k.process.err);
}
