// Out of descriptors: what is connected goes on, nothing spins, what waits is
// served when there are some again. Of confd-signal and of conf-relay.
import {execFileSync} from 'node:child_process';
import {readFileSync, readdirSync} from 'node:fs';
import {createHmac} from 'node:crypto';
import net from 'node:net';
import {join} from 'node:path';
import {bin, is, ok, run, sleep, test, unsupported, until} from './lib.mjs';
import {meeting, op, start, user} from './signal.mjs';

const fds = (pid) => readdirSync(`/proc/${pid}/fd`).map(Number);
const limit = (pid, n) => execFileSync('prlimit', ['--pid', pid,
	`--nofile=${n}:`]); // the soft limit alone
/* As many as leave n free, wherever those in use are. */
function leave(pid, n)
{
	const used = fds(pid);
	let free = 0, end = 0;

	while (free < n || used.includes(end))
		if (!used.includes(end++)) free++;
	limit(pid, end);
	return () => end - fds(pid).filter((i) => i < end).length;
}
/* utime and stime, in ticks of 10 ms. */
const ticks = (pid) => readFileSync(`/proc/${pid}/stat`, 'utf8')
	.replace(/^.*\) /, '').split(' ').slice(11, 13)
	.reduce((a, b) => a + Number(b), 0);
async function idle(pid, who)
{
	const before = ticks(pid), began = Date.now();
	await sleep(2000);
	const used = ticks(pid) - before;
	const share = used * 1000 / (Date.now() - began);
	if (/asan/.test(process.env.B ?? ''))
		unsupported(`${who} does not spin`, 'sanitizers cost time');
	else
		ok(share < 5, `${who} does not spin (${share.toFixed(1)} %)`);
}
const hold = (where) => new Promise((r) => {
	const s = net.connect(where);
	s.on('error', () => {});
	s.once('connect', () => r(s));
	s.once('close', () => r(s));
});
const soon = (p, ms = 10000) => Promise.race([p, sleep(ms).then(() => null)]);

await test(async () => {
	const s = await start(), o = await op(s), pid = s.process.pid;
	const link = await meeting(o, 'hello');
	const ann = await user(s, await link('moderator', 'Ann'), '');
	const ben = await user(s, await link(), 'Ben');
	const left = leave(pid, 6);
	const held = await Promise.all(Array.from({length: 60}, (_, i) =>
		hold(i % 2 ? {path: s.sock} : {host: '127.0.0.1', port: s.port})));
	ok(await until(10, () =>
		/cannot accept connections/.test(s.process.err)), 'it says so');
	is(left(), 0, 'none are left');
	await idle(pid, 'confd-signal');
	ok((await soon(ann.call('chat.say', {text: 'still here'})))?.seq,
		'who is connected is heard');
	ok(await ben.saw('chat.said', (d) => d.text === 'still here', 10),
		'and the other hears him');
	ok((await soon(o.call('meeting.create', {id: 'new'})))?.created,
		'the log goes on');
	ok((await soon(o.call('key.list')))?.current, 'tools go on');
	const lines = s.process.err.match(/cannot accept/g)?.length;
	ok(lines < 100, `the log is not flooded (${lines} lines)`);
	for (const h of held) h.destroy();
	ok(await until(15, async () =>
		(await fetch(`${s.http}/healthz`)).status === 200),
	'it serves again');
	ok(await soon(op(s)), 'and so does signal.sock');
	ok(!ann.ended && !ben.ended, 'nobody was cut');

	// The relay has one descriptor for media, whoever comes, and one for
	// control, for which it dials again.
	limit(pid, 1024);
	const key = Buffer.from(readFileSync(join(s.run, 'worker.key'), 'utf8')
		.trim(), 'hex');
	const relay = run(bin('conf-relay'), ['--media', '127.0.0.1:0',
		'--control', s.worker, '--secret-fd', '3', '-d', '4'],
	{stdio: ['ignore', 'pipe', 'pipe', 'pipe', 'pipe']});
	relay.stdio[3].end(createHmac('sha256', key).update('relay/relay-0')
		.digest('hex'));
	ok(await soon(new Promise((r) => relay.stdio[4].once('data',
		() => r(true)))), 'a relay is ready');
	ok(await until(10, () => /has registered/.test(s.process.err)),
		'and registered');
	leave(relay.pid, 0);
	const sub = await soon(ben.call('media.subscribe'));
	ok(sub?.sdp, 'it takes somebody without a descriptor more');
	limit(relay.pid, 3); // whatever it loses it cannot open anew
	await s.restart();
	await idle(relay.pid, 'conf-relay');
	ok(!/has registered/.test(s.process.err), 'it cannot dial');
	limit(relay.pid, 64);
	ok(await until(15, () => /has registered/.test(s.process.err)),
		'it dials when it can');
	const {session} = ben;
	const back = await user(s, {session});
	await back.call('user.join');
	is((await back.call('media.check', {transports: [sub?.transport]}))
		.gone, [], 'what it carried is still there');
	relay.kill('SIGTERM');
	is(await relay.exited, 0, 'the relay ends');
	is(await s.stop(), 0, 'a clean end');
});
