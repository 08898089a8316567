/* JSON that is too deep, too long, twice, or none, on each door of a running
 * confd-signal: refused, whatever it costs the sender; 0 of it is taken. */
import {readFileSync} from 'node:fs';
import {build, is, ok, sleep, test, until} from './lib.mjs';
import {connect, dial, meeting, op, refusal, start, user} from './signal.mjs';

const nested = (n) => '['.repeat(n) + ']'.repeat(n);
const ask = (params) => '{"jsonrpc":"2.0","id":7,"method":"meeting.list",' +
	`"params":${params}}`;

/* What is wrong with it, and the code that says so. A worker may say four
 * times as much in a line. */
const BAD = [
	['an array 100,000 deep', nested(100000), -32600],
	['an array 30,000 deep', nested(30000), -32700],
	['params 100,000 deep', ask(nested(100000)), -32600],
	['params 33 deep', ask(`{"a":${nested(32)}}`), -32700],
	['objects 10,000 deep', '{"a":'.repeat(10000) + '1' + '}'.repeat(10000),
		-32700],
	['a line of 64 KiB and one', ask(`{"x":"${'x'.repeat(65537 -
		ask('{"x":""}').length)}"}`), -32600],
	['a key twice', ask('{"ended":true,"ended":false}'), -32700],
	['a method twice', '{"jsonrpc":"2.0","id":1,"method":"meeting.list",' +
		'"method":"meeting.end","params":{}}', -32700],
	['NaN', ask('{"since":NaN}'), -32700],
	['Infinity', ask('{"since":-Infinity}'), -32700],
	['a number of no size', ask('{"since":1e999}'), -32700],
	['an escaped NUL', ask('{"text":"a\\u0000b"}'), -32700],
	['a NUL', ask('{"text":"a\0b"}'), -32700],
	['half a surrogate pair', ask('{"text":"\\ud800"}'), -32700],
	['bytes that are no UTF-8', Buffer.concat([Buffer.from(
		'{"jsonrpc":"2.0","id":1,"method":"x","params":{"t":"'),
	Buffer.from([0xc0, 0x80, 0xed, 0xa0, 0x80]), Buffer.from('"}}')]),
	-32700],
	['what is left over', ask('{}') + ' {}', -32700],
	['half an object', ask('{}').slice(0, -1), -32700],
	['nothing', '""', -32600],
];

const kib = (pid) => Number(/VmRSS:\s+(\d+)/.exec(
	readFileSync(`/proc/${pid}/status`, 'utf8'))[1]);

/* Far more than anybody may send, as fast as it goes; ends when cut. */
async function endless(socket, total)
{
	const piece = Buffer.alloc(1 << 16, 'x');
	let sent = 0, gone = false;
	socket.on('error', () => {});
	socket.on('close', () => { gone = true; });
	socket.write('{"jsonrpc":"2.0","id":1,"method":"');
	while (sent < total && !gone) {
		sent += piece.length;
		if (!socket.write(piece))
			await Promise.race([new Promise((r) =>
				socket.once('drain', r)), sleep(200)]);
	}
	return until(10, () => gone);
}

await test(async () => {
	const s = await start(), o = await op(s);
	const link = await meeting(o, 'hello');
	const ann = await user(s, await link(), 'Ann');
	let taken = 0;

	for (const [what, text, code] of BAD) {
		for (const door of ['socket', 'worker', 'websocket']) {
			if (door === 'worker' && what.startsWith('a line'))
				continue;
			const c = door === 'websocket' ? await connect(s) :
				await dial(door === 'socket' ? s.sock : s.worker);
			if (door === 'socket')
				await c.call('hello', {protocol: [1],
					agent: 't', role: 'client', caps: []});
			c.feed = (line) => {
				const m = JSON.parse(line);
				c.said = m.error?.code;
				taken += m.result !== undefined;
			};
			if (door === 'websocket')
				c.ws.send(Buffer.isBuffer(text) ? text : `${text}`,
					{binary: false});
			else
				c.socket.write(Buffer.concat([
					Buffer.from(text), Buffer.from('\n')]));
			const ended = await Promise.race([c.closed, sleep(8000)]);
			const got = c.said ?? ended?.code ?? 'nothing';
			ok(got === code || (door === 'websocket' &&
				[1002, 1007, 1009].includes(got)) ||
				(door === 'worker' && got === -32700) ||
				/* It may be cut while it still sends. */
				(text.length > 65536 && ended && got === 'nothing'),
			`${what} on the ${door}: ${got}`);
			c.close();
		}
	}
	is(taken, 0, '0 of them are taken');

	const before = kib(s.process.pid);
	for (const path of [s.sock, s.worker]) {
		const c = await dial(path);
		ok(await endless(c.socket, 100e6),
			'a string of 100 MB is cut off');
	}
	const c = await connect(s);
	ok(await endless(c.ws._socket, 100e6), 'on the WebSocket, too');
	const grown = kib(s.process.pid) - before;
	/* A sanitizer keeps what was freed. */
	const most = build.endsWith('asan') ? 262144 : 8192;
	ok(grown < most, `and costs ${grown} KiB of memory, wanted < ${most}`);

	const deep = '{"a":'.repeat(29) + '1' + '}'.repeat(29);
	is((await refusal(o.call('meeting.list', JSON.parse(deep)))).kind,
		'none', 'what is 30 deep is no fault');
	await ann.call('chat.say', {text: 'still here'});
	ok(await ann.saw('chat.said'), 'who is in a meeting notices nothing');
	is(await s.stop(), 0, 'a clean end');
});
