/* What the browser tests share: TAP, waiting for conditions, programs and
 * browsers that end with the test, fake microphones, JSON-RPC by lines.
 * Nothing sleeps for a guess: until() polls a condition to a deadline. */
import {spawn} from 'node:child_process';
import {createRequire} from 'node:module';
import {existsSync, mkdtempSync, readFileSync, readdirSync, rmSync,
	writeFileSync} from 'node:fs';
import {dirname, join, resolve} from 'node:path';
import {fileURLToPath} from 'node:url';
import process from 'node:process';

export const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
export const build = resolve(process.env.B || join(root, '.build'));
export const bin = (tool) => join(build, 'bin', tool);
/* The node packages are kept with the plain build, also under SAN=1. */
export const require = createRequire(join(root, '.build/node/package.json'));

const ownTmp = process.env.T ? null : mkdtempSync('/tmp/conf-web-');
export const tmp = process.env.T || ownTmp;

/* ---- TAP ---- */

let count = 0, bad = 0;
const indent = (s) => String(s).split('\n').map((l) => `# ${l}`).join('\n');

export function ok(cond, what, more)
{
	count++;
	console.log(`${cond ? 'ok' : 'not ok'} ${count} - ${what}`);
	if (!cond) {
		bad++;
		if (more !== undefined)
			console.log(indent(typeof more == 'string' ? more :
				JSON.stringify(more, null, 1)));
	}
	return !!cond;
}
export function is(got, wanted, what)
{
	const g = JSON.stringify(got), w = JSON.stringify(wanted);
	return ok(g === w, what, `got:    ${g}\nwanted: ${w}`);
}
export function like(got, pattern, what)
{
	return ok(pattern.test(got), what, `got:    ${got}\nwanted: ${pattern}`);
}
export function unsupported(what, reason)
{
	console.log(`ok ${++count} - ${what} # SKIP ${reason}`);
}
export const note = (s) => console.log(indent(s));

/* Runs the test's body; whatever it throws is one failure; then everything
 * that was started is ended, and the plan printed. */
export async function test(body)
{
	try {
		await body();
	} catch (e) {
		ok(false, 'the test runs to its end', e.stack || String(e));
	}
	await done();
}
export async function done()
{
	await cleanup();
	console.log(`1..${count}`);
	process.exit(bad ? 1 : 0);
}

/* ---- waiting ---- */

export const sleep = (ms) => new Promise((r) => setTimeout(r, ms));

/* The first true value of probe, or null after seconds. An exception counts
 * as not yet. */
export async function until(seconds, probe, every = 50)
{
	const end = Date.now() + seconds * 1000;
	for (;;) {
		let v = null;
		try { v = await probe(); } catch { /* not yet */ }
		if (v) return v;
		if (Date.now() > end) return null;
		await sleep(every);
	}
}

/* ---- programs ---- */

const children = new Set(), browsers = new Set(), dirs = new Set();
/* Ids of processes that a test has stopped and not let go on. */
const halted = new Set();

/* Starts a program. Its output is gathered in .out and .err, lines of it
 * are given to onLine; .exited is a promise of its status (or signal). */
export function run(file, args = [], {env, onLine, stdio, cwd} = {})
{
	const c = spawn(file, args, {cwd, env: {...process.env, ...env},
		stdio: stdio || ['pipe', 'pipe', 'pipe']});
	let rest = '';
	c.out = '';
	c.err = '';
	c.stdin?.on('error', () => {});
	c.stdout?.setEncoding('utf8').on('data', (s) => {
		c.out += s;
		if (!onLine) return;
		const lines = (rest + s).split('\n');
		rest = lines.pop();
		lines.forEach(onLine);
	});
	c.stderr?.setEncoding('utf8').on('data', (s) => { c.err += s; });
	c.exited = new Promise((r) => {
		c.on('exit', (code, signal) => {
			children.delete(c);
			r(code ?? signal);
		});
		c.on('error', (e) => {
			children.delete(c);
			c.err += e;
			r(127);
		});
	});
	children.add(c);
	return c;
}

function letGo()
{
	for (const pid of halted) {
		try { process.kill(pid, 'SIGCONT'); } catch { /* gone meanwhile */ }
	}
	halted.clear();
}

export async function cleanup()
{
	letGo();
	for (const b of browsers)
		await Promise.race([b.close().catch(() => {}), sleep(5000)]);
	for (const c of children) c.kill('SIGTERM');
	await Promise.race([sleep(5000),
		Promise.all([...children].map((c) => c.exited))]);
	for (const c of children) c.kill('SIGKILL');
	for (const d of ownTmp ? [...dirs, ownTmp] : dirs)
		rmSync(d, {recursive: true, force: true});
}
process.on('exit', letGo);
process.on('exit', () => { for (const c of children) c.kill('SIGKILL'); });
for (const s of ['SIGTERM', 'SIGINT'])
	process.on(s, () => cleanup().then(() => process.exit(143)));

/* JSON-RPC by lines with a program on its stdin and stdout. call() resolves
 * to the result or throws an Error with .kind and .code; notifications are
 * kept in .heard and awaited with hear(). */
export function rpc(file, args, options = {})
{
	const waiting = new Map();
	let id = 0;
	const p = run(file, args, {...options, onLine: (line) => {
		let m;
		try { m = JSON.parse(line); } catch { return; }
		if (m.method) {
			p.heard.push(m);
			return;
		}
		const w = waiting.get(m.id);
		waiting.delete(m.id);
		if (!w) return;
		if (m.error) {
			const e = new Error(m.error.message);
			w.no(Object.assign(e, {code: m.error.code,
				kind: m.error.data?.kind}));
		} else {
			w.yes(m.result);
		}
	}});
	p.heard = [];
	p.exited.then((rc) => {
		for (const w of waiting.values())
			w.no(new Error(`${file} is gone (${rc}): ${p.err}`));
	});
	p.call = (method, params = {}) => new Promise((yes, no) => {
		waiting.set(++id, {yes, no});
		p.stdin.write(JSON.stringify({jsonrpc: '2.0', id, method,
			params}) + '\n');
	});
	p.hear = (method, match = () => true, seconds = 10) =>
		until(seconds, () => p.heard.find((m) => m.method == method &&
			match(m.params)));
	return p;
}

/* ---- browsers ---- */

/* A Chromium with a fake camera and microphone and all permissions given.
 * wav, y4m: what they carry, else Chromium's beeps and its moving picture.
 * fake false: with the devices of this host, most often none.
 * Loopback addresses are candidates as they are (no mDNS names). */
export async function chromium({wav, y4m, args = [], headless = true,
	fake = true, fakeUi = true, ...more} = {})
{
	const {chromium: driver} = require('playwright-core');
	const flags = [
		...(fake ? ['--use-fake-device-for-media-stream'] : []),
		'--disable-features=WebRtcHideLocalIpsWithMdns',
		'--allow-loopback-in-peer-connection',
		'--autoplay-policy=no-user-gesture-required',
		...(fakeUi ? ['--use-fake-ui-for-media-stream'] : []),
		...(wav ? [`--use-file-for-fake-audio-capture=${wav}`] : []),
		...(y4m ? [`--use-file-for-fake-video-capture=${y4m}`] : []),
		...(process.getuid() == 0 ? ['--no-sandbox'] : []),
		...args,
	];
	const b = await driver.launch({executablePath: browserPath(),
		headless, args: flags, ...more});
	closing(b);
	return b;
}

/* Closes this browser at the test's end. */
export function closing(b)
{
	browsers.add(b);
	b.on('disconnected', () => browsers.delete(b));
}

function browserPath()
{
	const found = [process.env.CHROMIUM, '/usr/bin/chromium',
		'/usr/bin/chromium-browser', '/usr/bin/google-chrome']
		.find((p) => p && existsSync(p));
	if (!found) throw new Error('no chromium here');
	return found;
}

/* A WAV file of a sine at hz, 48 kHz mono, for a fake microphone, which
 * plays it in a loop: a whole number of periods, so that it has no clicks. */
export function tone(hz, seconds = 2, level = 0.5)
{
	const path = join(tmp, `tone-${hz}.wav`);
	const n = Math.round(seconds * hz) * 48000 / hz | 0;
	const b = Buffer.alloc(44 + n * 2);
	b.write('RIFF', 0);
	b.writeUInt32LE(36 + n * 2, 4);
	b.write('WAVEfmt ', 8);
	b.writeUInt32LE(16, 16);
	b.writeUInt16LE(1, 20);      // PCM
	b.writeUInt16LE(1, 22);      // mono
	b.writeUInt32LE(48000, 24);
	b.writeUInt32LE(96000, 28);  // bytes a second
	b.writeUInt16LE(2, 32);
	b.writeUInt16LE(16, 34);
	b.write('data', 36);
	b.writeUInt32LE(n * 2, 40);
	for (let i = 0; i < n; i++)
		b.writeInt16LE(Math.round(level * 32767 *
			Math.sin(2 * Math.PI * hz * i / 48000)), 44 + 2 * i);
	writeFileSync(path, b);
	return resolve(path);
}

/* A page at http://localhost/, a secure context without a server: files of
 * dir are given for each path, index for "/". Errors of the page are kept
 * in page.problems. */
export async function page(browser, dir, index, host = 'localhost')
{
	const p = await browser.newPage();
	p.problems = [];
	p.on('pageerror', (e) => p.problems.push(String(e)));
	p.on('console', (m) => {
		if (m.type() == 'error') p.problems.push(m.text());
	});
	await p.route(`http://${host}/**`, (route) => {
		const path = new URL(route.request().url()).pathname;
		const file = join(dir, path == '/' ? index : path);
		return existsSync(file) ? route.fulfill({path: file}) :
			route.fulfill({status: 404, body: ''});
	});
	await p.goto(`http://${host}/`);
	return p;
}

/* ---- the kit ---- */

/* A Y4M file of one colour for a fake camera: Y, U, V of 0 to 255. Small
 * and slow ones leave a busy machine time for many. */
export function colour(name, yuv, w = 640, h = 360, fps = 30)
{
	const path = join(tmp, `${name}.y4m`);
	const planes = [[w * h, yuv[0]], [w * h / 4, yuv[1]],
		[w * h / 4, yuv[2]]].map(([n, v]) => Buffer.alloc(n, v));
	writeFileSync(path, Buffer.concat([
		Buffer.from(`YUV4MPEG2 W${w} H${h} F${fps}:1 Ip A1:1 C420\n`),
		...[0, 1].flatMap(() => [Buffer.from('FRAME\n'), ...planes]),
	]));
	return resolve(path);
}

/* The whole kit as examples/hello-meeting/run starts it, on ports of its
 * own: {links: {moderator, viewer}, ctl(...), process}. ctl runs meeting-ctl
 * on it and resolves to {code, out, err}. */
export async function kit({tls = false} = {})
{
	const dir = mkdtempSync('/tmp/conf-kit-');
	const env = {
		CONF_RUNDIR: join(dir, 'run'), CONF_STATEDIR: join(dir, 'state'),
		CONF_HTTP: '127.0.0.1:0', CONF_MEDIA: '127.0.0.1:0',
		CONF_TLS: tls ? 'on' : 'off', CONF_BINDIR: join(build, 'bin'),
		HOME: dir,
	};
	const links = {};
	const p = run(join(root, 'examples/hello-meeting/run'), [], {env, cwd:
		root, onLine: (line) => {
		const [name, url] = line.split('\t');
		if (url) links[name] = url;
	}});
	dirs.add(dir);
	const up = await until(20, () => links.viewer || p.exitCode !== null);
	if (!links.viewer)
		throw new Error(`hello-meeting: ${up ? p.exitCode : 'silent'}\n` +
			`${p.out}${p.err}`);
	const ctl = async (...args) => {
		const c = run(bin('meeting-ctl'), args, {env});
		c.stdin.end();
		const code = await c.exited;
		return {code, out: c.out, err: c.err};
	};
	return {links, ctl, env, process: p};
}

/* Kills confd-signal and keeps it away, by stopping confd-run: a browser that
 * is made to be offline may not even notice. The function that is returned
 * lets it come back and resolves when it runs. */
export function noServer(k)
{
	const [keeper] = below(k.process.pid, 'confd-run');
	const [old] = below(keeper, 'confd-signal');
	halted.add(keeper);
	process.kill(keeper, 'SIGSTOP');
	process.kill(old, 'SIGKILL');
	return () => {
		letGo();
		return until(10, () => below(keeper, 'confd-signal')
			.some((p) => p !== old));
	};
}

/* The ids of the processes named so below this one. */
export function below(pid, name)
{
	const parents = new Map();
	for (const d of readdirSync('/proc').filter((n) => /^\d+$/.test(n))) {
		try {
			const s = readFileSync(`/proc/${d}/stat`, 'utf8');
			const [, comm, rest] = /\((.*)\) (.*)/s.exec(s);
			parents.set(Number(d), [Number(rest.split(' ')[1]), comm]);
		} catch { /* gone meanwhile */ }
	}
	const under = (p) => p === pid ||
		(parents.has(p) && under(parents.get(p)[0]));
	return [...parents].filter(([p, [, comm]]) => comm === name &&
		p !== pid && under(p)).map(([p]) => p);
}

/* ---- the client ---- */

export const watcher = () => {
	/* Runs in the page before its own code: keeps the peer connections, and
	 * can hold a microphone open whatever the page wants. */
	window.tested = {peers: [], keep: false};
	const Real = RTCPeerConnection;
	window.RTCPeerConnection = class extends Real {
		constructor(...args) {
			super(...args);
			window.tested.peers.push(this);
		}
	};
	const own = Object.getOwnPropertyDescriptor(
		MediaStreamTrack.prototype, 'enabled');
	Object.defineProperty(MediaStreamTrack.prototype, 'enabled', {
		get: own.get, set(on) {
			own.set.call(this, window.tested.keep || on);
		}});
};

/* A person: a browser context on this link. Problems of the page (errors,
 * what the content security policy refused) are kept in .problems. */
export async function person(browser, url, {name, lang = 'en', query = '',
	permissions, init, viewport = {width: 1280, height: 720}, ...more} = {})
{
	const context = await browser.newContext({ignoreHTTPSErrors: true,
		viewport, permissions, locale: lang == 'zh' ? 'zh-CN' : 'en-US',
		...more});
	context.setDefaultTimeout(90000);
	const p = await context.newPage();
	p.problems = [];
	p.on('pageerror', (e) => p.problems.push(e.stack || String(e)));
	p.on('console', (m) => {
		if (m.type() == 'error') p.problems.push(m.text());
	});
	await p.addInitScript(watcher);
	if (init) await p.addInitScript(init);
	const u = new URL(url);
	for (const [k, v] of new URLSearchParams(query))
		u.searchParams.set(k, v);
	await p.goto(u.href);
	if (name !== undefined) await p.locator('#name').fill(name);
	return p;
}
export const press = (p, name) =>
	p.getByRole('button', {name, exact: true}).click();
export async function enter(p)
{
	await press(p, 'Join');
	await p.locator('.stage').waitFor();
}
/* The tile of the person of this name. */
export const tile = (p, name) =>
	p.locator('.tile[data-source=cam]', {hasText: name});

/* What of the tile of this person is seen: covered, frames decoded so far,
 * colour in the middle. */
export const seen = (p, name) => tile(p, name).evaluate((node) => {
	const v = node.querySelector('video');
	const c = document.createElement('canvas');
	c.width = c.height = 1;
	const g = c.getContext('2d');
	g.drawImage(v, v.videoWidth / 2, v.videoHeight / 2, 1, 1, 0, 0, 1, 1);
	return {covered: node.classList.contains('covered'),
		frames: v.getVideoPlaybackQuality().totalVideoFrames,
		rgb: [...g.getImageData(0, 0, 1, 1).data.slice(0, 3)]};
});

/* The streams that come in and go out, all connections of the page together:
 * those of the type ('inbound-rtp') and, if given, kind ('audio'). */
export const streams = (p, type, kind) => p.evaluate(async ([t, k]) => {
	const all = [];
	for (const pc of window.tested.peers)
		if (pc.connectionState === 'connected')
			for (const s of (await pc.getStats()).values())
				if (s.type === t && (!k || s.kind === k)) all.push({...s});
	return all;
}, [type, kind]);

/* Listens in the page to all that its audio elements play, 50 times a
 * second; loud(p, hz) is the newest amplitude at hz, silentSince(p, hz) the
 * time from which on it has been quiet. */
export const listen = (p) => p.evaluate(() => {
	const ctx = new AudioContext();
	const sinks = new Map();
	const heard = window.tested.heard = [];
	const amplitude = (x, hz) => {
		const w = 2 * Math.PI * hz / ctx.sampleRate;
		let re = 0, im = 0;
		for (let i = 0; i < x.length; i++) {
			/* A Hann window: neighbouring tones do not leak. */
			const v = x[i] * (1 - Math.cos(2 * Math.PI * i / x.length));
			re += v * Math.cos(w * i);
			im += v * Math.sin(w * i);
		}
		return 2 * Math.hypot(re, im) / x.length;
	};
	const x = new Float32Array(2048);
	setInterval(() => {
		ctx.resume();
		for (const a of document.querySelectorAll('audio')) {
			const stream = a.srcObject;
			if (!stream || a.paused || sinks.get(a)?.stream === stream)
				continue;
			const analyser = ctx.createAnalyser();
			analyser.fftSize = x.length;
			ctx.createMediaStreamSource(stream).connect(analyser);
			sinks.set(a, {stream, analyser});
		}
		const now = {at: Date.now(), 440: 0, 1000: 0};
		for (const {analyser} of sinks.values()) {
			analyser.getFloatTimeDomainData(x);
			for (const hz of [440, 1000])
				now[hz] = Math.max(now[hz], amplitude(x, hz));
		}
		heard.push(now);
		if (heard.length > 500) heard.shift();
	}, 20);
});
export const loud = (p, hz) => p.evaluate((f) =>
	window.tested.heard.at(-1)?.[f] ?? 0, hz);
/* The median of the next 21 looks. */
export async function usual(p, hz)
{
	const since = await p.evaluate(() => window.tested.heard.at(-1)?.at ?? 0);
	const looks = await p.waitForFunction(([f, at]) => {
		const all = window.tested.heard.filter((h) => h.at > at);
		return all.length >= 21 && all.map((h) => h[f]);
	}, [hz, since]);
	return (await looks.jsonValue()).sort((a, b) => a - b)[10];
}
export const silentSince = (p, hz) => p.evaluate((f) => {
	const {heard} = window.tested;
	let i = heard.length;
	while (i && heard[i - 1][f] < 0.01) i--;
	return i < heard.length ? heard[i].at : null;
}, hz);
export const LOUD = 0.05;

/* When the button of this name is pressed next, by the page's own clock. */
export const clicked = (p, name) => p.evaluate((n) => {
	window.tested.clicked = 0;
	document.addEventListener('click', (e) => {
		const b = e.target.closest('button');
		if ((b?.getAttribute('aria-label') ?? b?.textContent) === n)
			window.tested.clicked ||= Date.now();
	}, {capture: true});
}, name).then(() => () => p.evaluate(() => window.tested.clicked));

/* As a browser does when another tab is looked at. */
export const hide = (p, hidden) => p.evaluate((on) => {
	Object.defineProperty(document, 'hidden', {configurable: true,
		get: () => on});
	document.dispatchEvent(new Event('visibilitychange'));
}, hidden);

/* Opens a panel that is not open; it may be, and not yet there. */
export async function panel(p, name)
{
	const key = p.getByRole('button', {name, exact: true});
	if (await key.getAttribute('aria-expanded') !== 'true')
		await key.click();
}
export async function say(p, text)
{
	const box = p.getByRole('textbox', {name: 'Message', exact: true});
	await panel(p, 'Chat');
	await box.fill(text);
	await box.press('Enter');
}
/* Whether all of these come to stand in the list of messages. */
export async function said(p, ...texts)
{
	const list = p.getByRole('list', {name: 'Messages', exact: true});
	await panel(p, 'Chat');
	return until(10, async () => {
		const all = await list.innerText();
		return texts.every((t) => all.includes(t));
	});
}
