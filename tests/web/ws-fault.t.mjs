// Faults: a log that cannot be written, readers that do not read, floods.
import {execFileSync} from 'node:child_process';
import {readFileSync} from 'node:fs';
import {is, ok, sleep, test, unsupported, until} from './lib.mjs';
import {connect, dial, meeting, op, refusal, start, user}
	from './signal.mjs';

const rss = (pid) => Number(/VmRSS:\s+(\d+)/.exec(
	readFileSync(`/proc/${pid}/status`, 'utf8'))[1]);

await test(async () => {
	const s = await start(), o = await op(s);
	const link = await meeting(o, 'hello');
	const ann = await user(s, await link('moderator', 'Ann'), '');
	const handed = await link();
	const ben = await user(s, handed, 'Ben');
	const pid = s.process.pid;
	const limit = (size) => execFileSync('prlimit', ['--pid', pid,
		`--fsize=${size}:unlimited`]);
	const health = async () => (await fetch(`${s.http}/healthz`)).status;

	// The log cannot grow: everything of the batch is refused, nothing has
	// happened, and it all works again afterwards.
	const before = (await o.call('meeting.show', {meeting: 'hello'}))
		.meeting.seq;
	await ben.call('chat.say', {text: 'last'});
	await ann.saw('chat.said');
	limit(0);
	const batch = await Promise.all([
		refusal(ann.call('user.mute', {user: ben.user})),
		refusal(ann.call('chat.say', {text: 'lost 1'})),
		refusal(ben.call('chat.say', {text: 'lost 2'})),
		refusal(ann.call('user.role', {user: ben.user,
			role: 'moderator'})),
		refusal(o.call('meeting.create', {id: 'never'}))]);
	is(batch.map((e) => e.kind), Array(5).fill('io'),
		'a full disk refuses everything with io');
	is(await health(), 503, 'and is not well');
	is((await refusal(user(s, handed))).kind, 'io',
		'no new session either');
	const {users} = await o.call('user.list', {meeting: 'hello'});
	is(users.map((u) => [u.held, u.role]), [[false, 'moderator'],
		[false, 'viewer']], 'nothing has happened');
	is((await refusal(o.call('meeting.show', {meeting: 'never'}))).kind,
		'not_found', 'nor was a meeting made');
	limit('unlimited');
	const seq = (await ann.call('chat.say', {text: 'found'})).seq;
	is(seq, before + 2, 'the next one follows the last');
	ok(await ben.saw('chat.said', (d) => d.text === 'found'),
		'and is seen');
	ok(!ben.events.some((e) => /lost/.test(e.data.text)),
		'what was refused never');
	is(await health(), 200, 'well again');

	// A follower that stops reading is bounded and cut; others go on.
	const slow = await connect(s);
	await slow.call('hello', {protocol: [1], role: 'client',
		token: handed.token});
	await slow.call('user.join', {name: 'Slow'});
	await slow.call('events.follow', {since: 0});
	const sock = await dial(s.sock);
	await sock.call('hello', {protocol: [1], role: 'client'});
	await sock.call('events.follow', {since: 0});
	const text = 'x'.repeat(8000);
	const say = async (times) => {
		for (let i = 0; i < times; i++)
			await Promise.all(Array.from({length: 20}, () =>
				o.call('chat.say', {meeting: 'hello', text})));
	};
	await say(20); // what is kept and used again is there then
	slow.ws._socket.pause();
	sock.socket.pause();
	const memory = rss(pid), began = Date.now();
	await say(100);
	const grown = rss(pid) - memory;
	if (/asan/.test(process.env.B))
		unsupported('memory is bounded',
			'sanitizers keep what is freed');
	else
		ok(grown <= 4096, `memory is bounded (${grown} KiB for 16 MB)`);
	const end = (await o.call('meeting.show', {meeting: 'hello'}))
		.meeting.seq;
	ok(await until(10, () => ben.events.at(-1)?.seq === end),
		'others get all of it');
	const seqs = ben.events.map((e) => e.seq).filter(Boolean);
	is(seqs, seqs.map((_, i) => seqs[0] + i), 'in order, once');
	ok(await ann.saw('user.away', (d, e) => e.seq > end, 15),
		'the slow one is cut');
	ok(Date.now() - began < 25000, 'in time');
	ok(await until(5, () => /does not read/.test(s.process.err)),
		'the slow socket too');

	// One that reads slowly gets everything.
	const late = await dial(s.sock);
	await late.call('hello', {protocol: [1], role: 'client'});
	const rest = late.call('events.follow', {meeting: 'hello', since: 0});
	for (let i = 0; i < 20; i++) {
		late.socket.pause();
		await sleep(50);
		late.socket.resume();
		await sleep(5);
		if (i < 5) await ann.call('chat.say', {text: `late ${i}`});
	}
	await rest;
	const last = (await o.call('meeting.show', {meeting: 'hello'}))
		.meeting.seq;
	ok(await until(15, () => late.events.at(-1)?.seq === last),
		'a slow reader comes to the end');
	is(late.events.map((e) => e.seq), Array.from({length: last},
		(_, i) => i + 1), 'with all events, in order, once');

	// Lines that are too long, or none.
	const long = await dial(s.sock);
	long.send('{"jsonrpc":"2.0","id":1,"method":"' + 'x'.repeat(70000));
	await long.closed;
	ok(long.refused, 'an oversized line is told and closed');
	const junk = await dial(s.sock);
	junk.send('\x00\xff junk');
	await junk.closed;
	is(junk.refused?.code, -32700, 'so is junk');
	const many = await op(s);
	const answers = await Promise.all(Array.from({length: 2000}, (_, i) =>
		refusal(many.call(['meeting.list', 'no.such', 'chat.say'][i % 3],
			{meeting: 'hello', text: 'x'}))));
	is(answers.filter((e) => !['none', 'invalid'].includes(e.kind)), [],
		'a flood is answered');
	ok(await o.call('meeting.list'), 'and hurts nobody else');

	is(await s.stop(), 0, 'a clean end');
	ok(!/runtime error|AddressSanitizer/.test(s.log), 'no complaint',
		s.log);
});
