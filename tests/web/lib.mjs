/* What the browser tests share: TAP, waiting for conditions, programs and
 * browsers that end with the test, fake microphones, JSON-RPC by lines.
 * Nothing sleeps for a guess: until() polls a condition to a deadline. */
import {spawn} from 'node:child_process';
import {createRequire} from 'node:module';
import {mkdtempSync, rmSync, writeFileSync, existsSync} from 'node:fs';
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

const children = new Set(), browsers = new Set();

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

async function cleanup()
{
	for (const b of browsers)
		await Promise.race([b.close().catch(() => {}), sleep(5000)]);
	for (const c of children) c.kill('SIGTERM');
	await Promise.race([sleep(5000),
		Promise.all([...children].map((c) => c.exited))]);
	for (const c of children) c.kill('SIGKILL');
	if (ownTmp) rmSync(ownTmp, {recursive: true, force: true});
}
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
 * Loopback addresses are candidates as they are (no mDNS names). */
export async function chromium({wav, y4m, args = [], headless = true,
	fakeUi = true, ...more} = {})
{
	const {chromium: driver} = require('playwright-core');
	const flags = [
		'--use-fake-device-for-media-stream',
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
	browsers.add(b);
	b.on('disconnected', () => browsers.delete(b));
	return b;
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
