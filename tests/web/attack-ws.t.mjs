/* Frames that lie about their length, of every size and mask; HTTP that lies
 * about its body; pages of others: against the WebSocket of a running
 * confd-signal, where somebody is in a meeting, and of the web module alone,
 * which echoes. */
import {mkdtempSync, writeFileSync} from 'node:fs';
import {randomBytes} from 'node:crypto';
import net from 'node:net';
import {join} from 'node:path';
import process from 'node:process';
import {build, is, note, ok, run, sleep, test, tmp} from './lib.mjs';
import {connect, meeting, op, start, user} from './signal.mjs';

const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 1e9));
note(`SEED=${seed}`);
let state = seed;
const random = (n) => {
	state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
	return Math.floor(state / 2 ** 32 * n);
};

/* Writes and reads until the other side ends it, or after ms. */
function talk(port, pieces, ms = 8000)
{
	return new Promise((done) => {
		const s = net.connect(port, '127.0.0.1');
		let data = Buffer.alloc(0);
		const end = (how) => {
			clearTimeout(late);
			s.destroy();
			done({how, data});
		};
		const late = setTimeout(() => end('open'), ms);
		s.on('data', (d) => { data = Buffer.concat([data, d]); });
		s.on('error', () => {});
		s.on('close', () => end('closed'));
		pieces.forEach((p) => s.write(p));
	});
}
const upgrade = (more = '') => 'GET /ws HTTP/1.1\r\nHost: x\r\n' +
	'Connection: Upgrade\r\nUpgrade: websocket\r\n' +
	'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ' +
	`${randomBytes(16).toString('base64')}\r\n${more}\r\n`;

/* What stands behind the answer to the upgrade: [opcode, payload]. */
function frames(data)
{
	const all = [];
	let at = data.indexOf('\r\n\r\n') + 4;
	while (at > 3 && at + 2 <= data.length) {
		let n = data[at + 1] & 127, head = 2;
		if (n === 126) {
			n = data.readUInt16BE(at + 2);
			head = 4;
		} else if (n === 127) {
			n = Number(data.readBigUInt64BE(at + 2));
			head = 10;
		}
		all.push([data[at] & 15, data.subarray(at + head, at + head + n)]);
		at += head + n;
	}
	return all;
}
async function closeCode(port, ...pieces)
{
	const {how, data} = await talk(port, [upgrade(), ...pieces]);
	const close = frames(data).find(([opcode]) => opcode === 8);
	return how !== 'closed' ? how :
		close?.[1].length >= 2 ? close[1].readUInt16BE(0) : 'no code';
}

function frame(payload, {first = 0x81, mask = randomBytes(4), size,
	form} = {})
{
	const n = size ?? BigInt(payload.length);
	const body = Buffer.from(payload.map((b, i) => b ^ mask[i % 4]));
	form ??= n < 126n ? 1 : n < 65536n ? 2 : 8;
	const head = Buffer.alloc(2 + (form === 1 ? 0 : form));
	head[0] = first;
	head[1] = 0x80 | (form === 1 ? Number(n) : form === 2 ? 126 : 127);
	if (form === 2) head.writeUInt16BE(Number(n), 2);
	if (form === 8) head.writeBigUInt64BE(n, 2);
	return Buffer.concat([head, mask, body]);
}

/* Sends frames of these texts, each cut somewhere, by one connection; how
 * many came back as they were sent. */
async function echo(port, cases)
{
	const pieces = [upgrade()];
	for (const {f, cut} of cases)
		pieces.push(f.subarray(0, cut), f.subarray(cut));
	pieces.push(frame(Buffer.from([3, 232]), {first: 0x88}));
	const {data} = await talk(port, pieces, 20000);
	const got = frames(data).filter(([opcode]) => opcode === 1);
	return cases.filter(({text}, i) =>
		got[i] && text.equals(got[i][1])).length;
}

/* Every size comes back as it was sent, whatever the mask and however it is
 * cut on the way. */
async function echoes(port)
{
	const sizes = [...Array(300).keys()], cases = [];
	for (let k = 9; k <= 16; k++)
		for (let d = -16; d <= 16; d++)
			if (2 ** k + d <= 65536) sizes.push(2 ** k + d);
	const masks = [[0, 0, 0, 0], [255, 255, 255, 255], [0, 0, 0, 1]];
	for (const n of sizes) {
		const text = Buffer.alloc(n, 97 + n % 26);
		const f = frame(text, {mask: n % 4 < 3 ?
			Buffer.from(masks[n % 4]) : randomBytes(4)});
		cases.push({text, f, cut: random(f.length)});
	}
	for (let cut = 1; cut < 14; cut++) { /* within the head */
		const text = Buffer.alloc(65536, 98);
		cases.push({text, f: frame(text, {form: 8}), cut});
	}
	/* Who does not read is cut at 1 MiB: less by one connection. */
	let right = 0, batch = [], bytes = 0;
	for (const c of cases) {
		batch.push(c);
		bytes += c.f.length;
		if (bytes < 300000 && c !== cases.at(-1)) continue;
		right += await echo(port, batch);
		batch = [];
		bytes = 0;
	}
	is(right, cases.length, `${cases.length} frames of all sizes and masks ` +
		'come back whole');
}

const LIES = [
	['of 2^63 - 1 bytes', 2n ** 63n - 1n, [1009]],
	['of 2^63 bytes', 2n ** 63n, [1002, 1009, 'no code']],
	['of 2^64 - 1 bytes', 2n ** 64n - 1n, [1002, 1009, 'no code']],
	['of 2^32 + 5 bytes, which is 5 in 32 bits', 2n ** 32n + 5n, [1009]],
	['of 2^32 - 1 bytes, which is -1 in them', 2n ** 32n - 1n, [1009]],
	['of 2^31 bytes', 2n ** 31n, [1009]],
	['of 65,537 bytes', 65537n, [1009]],
];

async function lies(port, who)
{
	for (const [what, size, codes] of LIES) {
		const code = await closeCode(port, frame(Buffer.alloc(200, 97),
			{size, form: 8}));
		ok(codes.includes(code), `${who}: a frame ${what}: ${code}`);
	}
	const longPing = await closeCode(port, frame(Buffer.alloc(126, 97),
		{first: 0x89}));
	ok([1002, 'no code'].includes(longPing),
		`${who}: a ping of 126 bytes: ${longPing}`);
	const longClose = await closeCode(port, frame(Buffer.alloc(126, 3),
		{first: 0x88}));
	ok([1002, 'no code'].includes(longClose),
		`${who}: a close of 126 bytes: ${longClose}`);
	const parts = await closeCode(port, frame(Buffer.from('x'),
		{first: 0x09}));
	ok([1002, 'no code'].includes(parts),
		`${who}: a ping in fragments: ${parts}`);
	for (const code of [0, 999, 1004, 1005, 1006, 1015, 2999, 5000, 65535])
		is(await closeCode(port, frame(Buffer.from([code >> 8,
			code & 255]), {first: 0x88})), 1002,
		`${who}: a close with ${code}, which is none`);
	for (const code of [1000, 1001, 1011, 3000, 4999])
		is(await closeCode(port, frame(Buffer.from([code >> 8,
			code & 255]), {first: 0x88})), code,
		`${who}: a close with ${code}`);
	const half = await closeCode(port, frame(Buffer.from([3]),
		{first: 0x88}));
	ok([1002, 'no code'].includes(half),
		`${who}: a close with half a code: ${half}`);
}

/* Requests whose body is not what they say. */
async function bodies(port)
{
	const post = (head, body = '') => talk(port,
		[`POST /session HTTP/1.1\r\nHost: x\r\n${head}\r\n\r\n${body}`],
		3000);
	for (const [what, head, body] of [
		['of -1 bytes', 'Content-Length: -1'],
		['of 2^63 bytes', `Content-Length: ${2n ** 63n}`],
		['of 2^64 bytes', `Content-Length: ${2n ** 64n}`],
		['of 2^64 + 5 bytes', `Content-Length: ${2n ** 64n + 5n}`, 'hello'],
		['of 1 GiB', 'Content-Length: 1073741824'],
		['of "1e3" bytes', 'Content-Length: 1e3'],
		['of a chunk of 2^63', 'Transfer-Encoding: chunked',
			'8000000000000000\r\nx'],
		['of a chunk of 2^64 - 1', 'Transfer-Encoding: chunked',
			'ffffffffffffffff\r\nx'],
		['of a chunk of -1', 'Transfer-Encoding: chunked', '-1\r\nx'],
	]) {
		const {how, data} = await post(head, body);
		const status = Number(String(data).split(' ')[1] || 0);
		ok((how === 'closed' && status === 0) || status >= 400,
			`a body ${what} is refused (${how}, ${status || 'cut'})`);
	}
}

const ORIGINS = (port) => [
	[null, 101], [`http://127.0.0.1:${port}`, 101],
	['null', 403], ['https://evil.example', 403],
	[`https://127.0.0.1:${port}`, 403],
	[`http://127.0.0.1:${port}.evil.example`, 403],
	[`http://evil-127.0.0.1:${port}`, 403],
	[`http://127.0.0.1:${port}@evil.example`, 403],
	[`http://127.0.0.1:${port}/`, 403],
	[`http://127.0.0.1:${port}#`, 403],
	['http://127.0.0.1', 403], [`http://127.0.0.1:${port + 1}`, 403],
	[`http://localhost:${port}`, 403], ['file://', 403], ['', 403],
];

async function origins(s)
{
	let foreign = 0;
	for (const [origin, wanted] of ORIGINS(s.port)) {
		const status = await connect(s, origin === null ? {} :
			{headers: {Origin: origin}}).then((c) => {
			c.close();
			return 101;
		}, (e) => e.status);
		foreign += status === 101 && wanted !== 101;
		is(status, wanted, `from ${origin === null ? 'no page' :
			origin === '' ? 'an empty origin' : origin}`);
	}
	is(foreign, 0, '0 pages of others get in');
	/* Whom no browser sends, needs a token all the same. */
	const c = await connect(s);
	const e = await c.call('meeting.list').catch((x) => x);
	ok(e.kind === 'closed' || e.kind === 'denied',
		'and who has no origin may do nothing without a token');
	c.close();
}

await test(async () => {
	const www = mkdtempSync(join(tmp, 'www'));
	writeFileSync(join(www, 'index.html'), 'x');
	const echo = run(join(build, 'test/web-echo'), [www]);
	while (!/\d+\n/.test(echo.out)) await sleep(20);
	const port = Number(echo.out);
	const s = await start(), o = await op(s);
	const link = await meeting(o, 'hello');
	const ann = await user(s, await link(), 'Ann');

	await echoes(port);
	await lies(port, 'alone');
	await lies(s.port, 'confd-signal');
	await bodies(s.port);
	await origins(s);
	await ann.call('chat.say', {text: 'still here'});
	ok(await ann.saw('chat.said'), 'who is in a meeting notices nothing');
	is(await s.stop(), 0, 'a clean end');
	echo.kill('SIGTERM');
	is(await echo.exited, 0, 'of both');
});
