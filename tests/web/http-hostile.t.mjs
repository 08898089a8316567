// HTTP as nobody should speak it, against the real server: lengths that lie,
// requests inside of requests, headers without end, and many that are slow
// while a meeting goes on.
import net from 'node:net';
import nodetls from 'node:tls';
import {readFileSync} from 'node:fs';
import {is, note, ok, sleep, test, unsupported, until} from './lib.mjs';
import {meeting, op, start, user} from './signal.mjs';

const SLOW = Number(process.env.SLOW_CONNECTIONS ?? 120);
const rss = (pid) => Number(/VmRSS:\s+(\d+)/.exec(
	readFileSync(`/proc/${pid}/status`, 'utf8'))[1]);
/* What comes back until the server closes, or until seconds are over. */
function raw(port, bytes, seconds = 5)
{
	return new Promise((done) => {
		const s = net.connect(port, '127.0.0.1');
		let got = '';
		const end = (how) => { s.destroy(); done({got, how,
			codes: [...got.matchAll(/^HTTP\/1\.[01] (\d+)/gm)]
				.map((m) => Number(m[1]))}); };
		const t = setTimeout(() => end('open'), seconds * 1000);
		s.on('data', (d) => { got += d.toString('latin1'); });
		s.on('error', () => {});
		s.on('close', () => { clearTimeout(t); end('closed'); });
		for (const b of [bytes].flat()) s.write(b);
	});
}
const H = 'Host: localhost\r\n';
const inside = 'GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n';

await test(async () => {
	const s = await start(), pid = s.process.pid;
	const answers = async (name, bytes, codes, seconds) => {
		const r = await raw(s.port, bytes, seconds);
		ok(r.how === 'closed' && codes.includes(r.codes.join(' ')),
			name, r);
	};
	const N = inside.length;

	/* One answer and the end of the connection: what stands inside is
	 * never taken for a request. */
	await answers('a GET with a body', `GET / HTTP/1.1\r\n${H}` +
		`Content-Length: ${N}\r\n\r\n${inside}`, ['400']);
	await answers('a chunked GET', `GET / HTTP/1.1\r\n${H}` +
		`Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n${inside}`, ['400']);
	await answers('CL and TE', `POST / HTTP/1.1\r\n${H}Content-Length: 4\r\n` +
		`Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n${inside}`, ['400', '405']);
	await answers('TE and CL', `POST / HTTP/1.1\r\n${H}` +
		'Transfer-Encoding: chunked\r\n' +
		`Content-Length: ${N + 5}\r\n\r\n0\r\n\r\n${inside}`,
	['400', '405']);
	await answers('two lengths', `POST / HTTP/1.1\r\n${H}` +
		`Content-Length: 0\r\nContent-Length: ${N}\r\n\r\n${inside}`,
	['400', '405']);
	await answers('two lengths of a GET', `GET / HTTP/1.1\r\n${H}` +
		`Content-Length: 0\r\nContent-Length: ${N}\r\n\r\n${inside}`,
	['400']);
	await answers('a coding nobody has', `POST / HTTP/1.1\r\n${H}` +
		`Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n${inside}`,
	['400', '405']);
	for (const length of ['-1', '18446744073709551616', '9223372036854775808',
		'0x10', '5, 5', '+5', '1e3', ''])
		await answers(`Content-Length: '${length}'`, `POST / HTTP/1.1\r\n` +
			`${H}Content-Length: ${length}\r\n\r\nhello${inside}`,
		['400', '405', '413', '']);
	for (const size of ['8000000000000000', 'ffffffffffffffff',
		'10000000000000005', '-1', 'zz'])
		await answers(`a chunk of ${size}`, `POST / HTTP/1.1\r\n${H}` +
			`Transfer-Encoding: chunked\r\n\r\n${size}\r\nhello\r\n` +
			`0\r\n\r\n${inside}`, ['400', '413', '']);

	const memory = rss(pid);
	await answers('one header of 10 MB', ['GET / HTTP/1.1\r\nX: ',
		...Array(160).fill('a'.repeat(65536))], ['400', '']);
	await answers('10 MB of headers', ['GET / HTTP/1.1\r\n',
		...Array(160).fill(`X: ${'a'.repeat(60)}\r\n`.repeat(1000))],
	['400', '']);
	await answers('a path of 10 MB', ['GET /',
		...Array(160).fill('a'.repeat(65536))], ['400', '']);
	await answers('a body of 10 MB', [`POST / HTTP/1.1\r\n${H}` +
		'Content-Length: 10485760\r\n\r\n',
	...Array(160).fill('a'.repeat(65536))], ['413', '405', '']);
	await answers('10 MB in chunks', [`POST / HTTP/1.1\r\n${H}` +
		'Transfer-Encoding: chunked\r\n\r\n',
	...Array(160).fill('10000\r\n' + 'a'.repeat(65536) + '\r\n')],
	['413', '400', '']);
	const grown = rss(pid) - memory;
	if (/asan/.test(process.env.B ?? ''))
		unsupported('memory is bounded', 'sanitizers keep what is freed');
	else
		ok(grown <= 4096, `memory is bounded (${grown} KiB)`);
	for (const odd of ['\r\n'.repeat(1000), '\0\0\0\0\r\n\r\n',
		'GET\r\n\r\n', 'GET / HTTP/9.9\r\n\r\n', 'GET /\r\n\r\n',
		`GET / HTTP/1.1\r\n${H} folded: x\r\n\r\n`,
		`GET http://evil/ HTTP/1.1\r\n${H}\r\n`,
		`CONNECT evil:443 HTTP/1.1\r\n${H}\r\n`,
		`TRACE / HTTP/1.1\r\n${H}\r\n`,
		'GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n',
		`GET / HTTP/1.1\r\n${H}No colon\r\n\r\n`,
		'\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'])
		await raw(s.port, Buffer.from(odd, 'latin1'), 0.3);
	const many = await raw(s.port, inside.repeat(500) +
		`GET /healthz HTTP/1.0\r\n${H}\r\n`, 20);
	is(many.codes.filter((c) => c === 200).length, 501,
		'pipelined requests are all answered');
	is((await fetch(`${s.http}/healthz`)).status, 200, 'it lives');
	const head = (await fetch(`${s.http}/`, {headers:
		{origin: 'https://evil.example'}})).headers;
	is([...head.keys()].filter((k) => k.startsWith('access-control')), [],
		'no page of another origin may read anything');
	is(await s.stop(), 0, 'a clean end');

	// Slow ones, of four kinds; the meeting goes on, and they end.
	const t = await start({tls: true, args: ['--limit-loopback', 'on']});
	process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
	const o = await op(t), link = await meeting(o, 'hello');
	const ann = await user(t, await link('moderator', 'Ann'), '');
	const ben = await user(t, await link(), 'Ben');
	const began = Date.now(), slow = [];
	let open = 0, longest = 0;
	for (let i = 0; i < SLOW; i++) {
		const kind = i % 4;
		const c = kind < 2 ? net.connect(t.port, '127.0.0.1') :
			nodetls.connect({port: t.port, host: '127.0.0.1',
				rejectUnauthorized: false});
		const say = (text) => { if (!c.destroyed) c.write(text); };

		slow.push(c);
		open++;
		c.on('error', () => {});
		c.on('close', () => { open--;
			c.lasted = Date.now() - began; });
		c.once(kind < 2 ? 'connect' : 'secureConnect', () => {
			if (kind === 1) say(Buffer.from('16030102', 'hex'));
			if (kind === 2) say('GET / HTTP/1.1\r\n');
			if (kind === 3) say(`POST / HTTP/1.1\r\n${H}` +
				'Content-Length: 1000\r\n\r\n');
		});
		if (kind >= 2)
			c.drip = setInterval(() => say('A: b\r\n'), 1000);
	}
	for (let i = 0; i < 10; i++) {
		const at = Date.now(), text = `still ${i}`;
		await ann.call('chat.say', {text});
		await ben.saw('chat.said', (d) => d.text === text, 10);
		longest = Math.max(longest, Date.now() - at);
		await sleep(300);
	}
	ok(ben.events.filter((e) => e.type === 'chat.said').length === 10,
		'the meeting goes on');
	note(`${SLOW} slow connections, chat at most ${longest} ms`);
	ok(longest < 8000, 'and waits for none of them');
	ok(await until(40, () => open === 0), `all are closed (${open} open)`);
	const lasted = Math.max(...slow.map((c) => c.lasted ?? Infinity));
	ok(lasted < 30000, `after ${lasted} ms at most`);
	for (const c of slow) clearInterval(c.drip);
	ok(!ann.ended && !ben.ended, 'nobody else was cut');
	const audit = readFileSync(`${t.state}/audit.log`, 'utf8');
	ok(/"request\.slow".*"ip:127\.0\.0\.1"/.test(audit),
		'it is written down');
	is(await t.stop(), 0, 'a clean end');
	ok(!/runtime error|AddressSanitizer/.test(s.log + t.log),
		'no complaint', s.log + t.log);
});
