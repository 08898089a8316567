/* timeout: 300
 * Each process of the kit killed RESTARTS times (5) under 20 clients: every
 * time all are back with their seats, no event is lost, and whoever survives
 * has as many descriptors, and as much memory, as before. */
import process from 'node:process';
import {is, ok, sleep, test, until} from './lib.mjs';
import {crowd, keeper, live, person, roster, unbroken, watcher}
	from './faults.mjs';
import {meeting} from './signal.mjs';

const TIMES = Number(process.env.RESTARTS || 5);
/* A sanitizer keeps what is freed. */
const SAN = /asan/.test(process.env.B || '');
const SENDERS = 4, CROWD = 20;

async function gather(k, o, link)
{
	const c = crowd((await link()).url, '-p', `${SENDERS}`, '-n',
		`${CROWD - SENDERS}`, '--video', '50k', '--fps', '10', '-t', '1h');

	await c.joined;
	ok(await back(o), `${CROWD} clients are there`);
	return c;
}

const back = (o) => until(10, async () => {
	const users = await roster(o);

	return live(users, SENDERS) && users.length === CROWD + 2 &&
		users.every((u) => !u.away);
}, 20);

/* Kills the tool again and again. Nothing is spared: a second or so after it
 * was back it goes down again. A seat whose connection was lost with
 * confd-signal counts as taken for a while, so who is there is told by the
 * connections that it has. */
async function loop(k, o, people, tool, survivors, restart)
{
	const fds = new Map(), rss = new Map();
	const sockets = () => k.sockets('confd-signal');
	const all = sockets();
	let slowest = 0, done = 0;

	for (const s of survivors) fds.set(s, await k.fds(s));
	for (let i = 0; i < TIMES; i++) {
		const began = Date.now();
		await restart();
		/* Everybody says something: who is not back, when he is. */
		await Promise.all(people.map((p, n) => p.call('chat.say',
			{text: `${tool} ${i} ${n}`})));
		if (!await until(10, () => sockets() >= all, 20) ||
			!await back(o)) break;
		slowest = Math.max(slowest, Date.now() - began);
		done++;
		/* The first ones may grow what is then used again. */
		if (i === 2)
			for (const s of survivors) rss.set(s, k.rss(s));
		await sleep(1000 * Math.random());
	}
	is(done, TIMES, `${tool} was killed ${TIMES} times, all came back`);
	ok(slowest < 6000, `within ${slowest} ms`);
	for (const s of survivors) {
		const n = await k.fds(s, fds.get(s));
		ok(n <= fds.get(s), `${s} has no more descriptors (${n})`);
		const more = k.rss(s) - rss.get(s);
		ok(more < 3 || SAN, `${s} has no more memory (${
			more.toFixed(1)} MiB)`);
	}
}

/* What was answered stands in the log once, and for each in order. */
async function check(o, people)
{
	const read = [];

	for (let since = 0, more = true; more;) {
		const page = await o.call('events.read',
			{meeting: 'hello', since});
		read.push(...page.events);
		({seq: since, more} = page);
	}
	is(read.map((e) => e.seq).findIndex((s, i) => s !== i + 1), -1,
		`${read.length} events are in the log`);
	const chat = read.filter((e) => e.type === 'chat.said')
		.map((e) => e.data.text);
	const wanted = ['confd-signal', 'conf-relay', 'confd-run'].flatMap(
		(tool) => Array(TIMES).fill(0).map((_, i) => `${tool} ${i}`));
	for (const n of people.keys())
		/* A call that died before its answer is made again. */
		is([...new Set(chat.filter((t) => t.endsWith(` ${n}`)))],
			wanted.map((t) => `${t} ${n}`), `what ${n} said is there`);
	await until(5, () => o.take().at(-1)?.seq === read.at(-1).seq);
	unbroken(o.take(), 'pos', 'who follows everything');
	for (const p of people)
		unbroken(p.take(), 'seq', 'a person', (seq) =>
			!read[seq - 1].type.startsWith('link.'));
}

await test(async () => {
	const k = await keeper();
	const o = await watcher(k);
	const link = await meeting(o, 'hello');
	const people = [await person(k, await link(), 'Ann'),
		await person(k, await link(), 'Ben')];
	let c = await gather(k, o, link);

	await loop(k, o, people, 'confd-signal', ['conf-relay', 'confd-run'],
		() => k.killed('confd-signal'));
	await sleep(2000);
	c.kill('SIGTERM');
	let r = await c.done;
	is([r.joined, r.failed, r.resets], [CROWD, 0, 0],
		'media never noticed');
	/* Who is not quite back when it dies again counts once. */
	ok(r.returns > CROWD * TIMES * 0.8, `signalling came back ${
		r.returns} times`);
	ok(r.gap_ms <= 300, `no gap (${r.gap_ms} ms)`);

	await until(10, async () => (await roster(o)).length === 2);
	c = await gather(k, o, link);
	await loop(k, o, people, 'conf-relay', ['confd-signal', 'confd-run'],
		() => k.killed('conf-relay'));
	await loop(k, o, people, 'confd-run', [], async () => {
		k.kill('confd-run');
		await k.process.exited;
		await k.start();
	});
	c.kill('SIGTERM');
	r = await c.done;
	is([r.joined, r.failed], [CROWD, 0], 'nobody was lost');
	await check(o, people);
	for (const p of [...people, o]) p.close();
	is(await k.stop(), 0, 'and all ends well');
	ok(!/ error: |runtime error/.test(k.words), 'no complaint', k.words);
});
