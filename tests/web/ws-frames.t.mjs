// WebSocket frames against the web module alone: limits, closes, ping.
import { createRequire } from 'node:module';
import { spawn } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import crypto from 'node:crypto';

const B = process.env.B ?? `${process.cwd()}/.build`;
const require = createRequire(`${process.cwd()}/.build/node/`);
const WebSocket = require('ws');
let n = 0, bad = 0;
const ok = (cond, name) => {
	n++;
	if (!cond) bad++;
	console.log(`${cond ? 'ok' : 'not ok'} ${n} - ${name}`);
};
const within = (ms, p) => Promise.race([p, new Promise((r) =>
	setTimeout(() => r('timeout'), ms).unref())]);

const dir = mkdtempSync(`${process.env.T ?? '/tmp'}/www`);
writeFileSync(`${dir}/index.html`, 'x');
const children = [];
let log = '';
async function serve(...args) {
	const child = spawn(`${B}/test/web-echo`, [dir, ...args]);
	children.push(child);
	child.stderr.on('data', (d) => { log += d; });
	return Number(await new Promise((r) => child.stdout.once('data', r)));
}
const plain = await serve(), tls = await serve('tls');

function open(url, options = {}) {
	const ws = new WebSocket(url, { rejectUnauthorized: false,
		perMessageDeflate: false, ...options });
	ws.closed = new Promise((r) => ws.once('close', (code, reason) =>
		r({ code, reason: String(reason) })));
	ws.on('error', () => {});
	return new Promise((r) => { ws.once('open', () => r(ws));
		ws.once('close', () => r(ws)); });
}
const next = (ws) => new Promise((r) => ws.once('message', (d, binary) =>
	r(binary ? d : String(d))));
async function echo(ws, text) {
	const got = next(ws);
	ws.send(text);
	return await within(5000, got) === text;
}

// What the owner was told is malformed since it was asked last.
let told = 0;
async function malformed()
{
	await new Promise((r) => setTimeout(r, 100));
	const all = log.match(/(?<=malformed )\d+/g) ?? [];
	const last = all.slice(told).join(' ');
	told = all.length;
	return last;
}

for (const [name, url] of [['ws', `ws://127.0.0.1:${plain}/ws`],
	['wss', `wss://127.0.0.1:${tls}/ws`]]) {
	let ws = await open(url), all = true;
	for (const size of [0, 1, 125, 126, 127, 65535, 65536])
		all &&= await echo(ws, 'x'.repeat(size));
	ok(all, `${name}: sizes around each length form come back`);
	ok(await echo(ws, 'grüße 你好 🙂'), `${name}: UTF-8`);

	const got = next(ws);
	ws.send('one ', { fin: false });
	ws.ping('between');
	ws.send('two ', { fin: false });
	ws.send('three', { fin: true });
	ok(await within(5000, got) === 'one two three',
		`${name}: fragments with a ping between`);
	const pong = new Promise((r) => ws.once('pong', (d) => r(String(d))));
	ws.ping('p');
	ok(await within(5000, pong) === 'p', `${name}: pong`);
	ws.close(1000, 'bye');
	ok((await within(5000, ws.closed)).code === 1000, `${name}: close`);

	ws = await open(url);
	ws.send('x'.repeat(65537));
	ok((await within(5000, ws.closed)).code === 1009,
		`${name}: an oversized message is told 1009`);
	ws = await open(url);
	ws.send('x'.repeat(4 << 20));
	ok((await within(5000, ws.closed)).code === 1009,
		`${name}: a far too big one too`);
	ws = await open(url);
	for (let i = 0; i < 5; i++) ws.send('x'.repeat(20000), { fin: false });
	ok((await within(5000, ws.closed)).code === 1009,
		`${name}: oversized by fragments`);
	ws = await open(url);
	for (let i = 0; i < 1100; i++) ws.send('', { fin: false });
	ok((await within(5000, ws.closed)).code === 1009,
		`${name}: too many fragments`);
	ws = await open(url);
	ws.send(Buffer.from([0xc3, 0x28]), { binary: false });
	ok((await within(5000, ws.closed)).code === 1007,
		`${name}: bad UTF-8 is told 1007`);
	ws = await open(url);
	ws.send(Buffer.from([1, 2]), { binary: true });
	ok((await within(5000, ws.closed)).code === 1003,
		`${name}: binary is told 1003`);
	ok(await malformed() === '1009 1009 1009 1009 1007 1003',
		`${name}: the owner is told of each once`);
	ws = await open(url);
	ws.send('close 4403');
	const c = await within(5000, ws.closed);
	ok(c.code === 4403 && c.reason === 'as asked', `${name}: our close`);
	ok(await malformed() === '', `${name}: a close is not malformed`);

	const many = await Promise.all(Array.from({ length: 100 },
		() => open(url)));
	const back = await Promise.all(many.map((w) => echo(w, 'hi')));
	ok(back.every(Boolean), `${name}: a hundred at once`);
	many.forEach((w, i) => i % 2 ? w.terminate() : w.close());
	await Promise.all(many.map((w) => within(5000, w.closed)));
}

// Raw frames, which a proper client would not send.
function raw(...frames) {
	return within(5000, new Promise((done) => {
		const s = net.connect(plain, '127.0.0.1');
		let data = Buffer.alloc(0);
		s.write('GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\n' +
			'Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n' +
			`Sec-WebSocket-Key: ${crypto.randomBytes(16)
				.toString('base64')}\r\n\r\n`);
		frames.forEach((f) => s.write(Buffer.from(f)));
		s.on('data', (d) => { data = Buffer.concat([data, d]); });
		s.on('error', () => {});
		s.on('close', () => {
			const at = data.indexOf('\r\n\r\n') + 4;
			const f = data.subarray(at);
			done({ op: f[0] & 15, code: f.length >= 4 ?
				f.readUInt16BE(2) : 0 });
		});
	}));
}
const closeOf = async (...f) => {
	const r = await raw(...f);
	return r === 'timeout' ? r : r.op === 8 ? r.code : `op ${r.op}`;
};
ok(await closeOf([0x81, 0x01, 0x41]) === 1002, 'an unmasked frame: 1002');
ok(await closeOf([0xc1, 0x81, 0, 0, 0, 0, 0x41]) === 1002,
	'a reserved bit: 1002');
ok(await closeOf([0x80, 0x81, 0, 0, 0, 0, 0x41]) === 1002,
	'a continuation of nothing: 1002');
ok(await closeOf([0x89, 0xfe, 0, 126, 0, 0, 0, 0]) !== 'timeout',
	'a long control frame ends it');
ok(await closeOf([0x81, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	0, 0, 0, 0]) !== 'timeout', 'a length with the top bit ends it');
ok(await closeOf([0x81, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	0, 0, 0, 0, 65]) === 1009, 'a huge length: 1009');
ok(await closeOf([0x88, 0x82, 0, 0, 0, 0, 0, 1]) === 1002,
	'a close code that is none: 1002');
ok(await malformed() === '1002 1002 1002 1005 1005 1009 1002',
	'the owner is told of each once');

// A reader that does not read is cut, by the bound or by the clock.
async function stalled(count, ms, what) {
	const ws = await open(`ws://127.0.0.1:${plain}/ws`);
	const before = log.split('closed').length;
	ws.send(`flood ${count}`);
	ws._socket.pause();
	const began = Date.now();
	while (log.split('closed').length === before && Date.now() - began < ms)
		await new Promise((r) => setTimeout(r, 50));
	ok(log.split('closed').length > before, what);
	ws.terminate();
}
await stalled(100000, 3000, 'over the bound: cut at once');
await stalled(1000, 14000, 'no byte taken for 10 s: cut');
ok(await echo(await open(`ws://127.0.0.1:${plain}/ws`), 'well'),
	'others are served');

for (const c of children) {
	const code = new Promise((r) => c.once('exit', (v) => r(v)));
	c.kill();
	ok(await code === 0, 'a clean end');
}
process.stderr.write(log.split('\n').filter((l) =>
	!/^(open|closed|flood|malformed)/.test(l)).join('\n'));
console.log(`1..${n}`);
process.exit(bad ? 1 : 0);
