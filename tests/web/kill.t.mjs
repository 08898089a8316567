/* timeout: 180
 * kill -9 and SIGTERM of each process of the kit, under six people with
 * media (of conf-load) and three without: what each of them may cost. */
import {existsSync, readFileSync} from 'node:fs';
import {is, note, ok, sleep, test, until} from './lib.mjs';
import {crowd, fared, keeper, live, person, roster, unbroken, watcher}
	from './faults.mjs';
import {meeting} from './signal.mjs';

const MEDIA = ['-p', '3', '-n', '3', '--both', '--video', '100k', '--fps',
	'15'];
const CROWD = 6, SENDERS = 3;

/* Three people, in every state that a seat can have. */
async function people(k, o, link)
{
	const ann = await person(k, await link('moderator', 'Ann'), '');
	const ben = await person(k, await link(), 'Ben');
	const cat = await person(k, await link(), 'Cat');

	await ann.call('user.mute', {user: ben.user});
	await ann.call('user.role', {user: cat.user, role: 'moderator'});
	await cat.call('user.mute');
	await cat.call('user.hand', {up: true});
	await ann.call('chat.say', {text: 'one'});
	await ann.call('chat.say', {text: 'two, private', to: cat.user});
	await ben.call('chat.say', {text: 'three'});
	return [ann, ben, cat];
}

async function settled(o, n = SENDERS)
{
	return until(10, async () => live(await roster(o), n), 20);
}

async function signalDies(k, o, link, [ann, ben, cat], signal)
{
	const c = crowd((await link()).url, ...MEDIA, '-t', '6s');

	await c.joined;
	ok(await settled(o), `${signal} to confd-signal: a crowd is there`);
	const before = await roster(o), relay = k.pid('conf-relay');
	const began = Date.now();
	ok(await k.killed('confd-signal', signal), 'it is started again');
	/* Said while it is away: goes through when it is back. */
	await ben.call('chat.say', {text: `after ${signal}`});
	ok(Date.now() - began < 5000, `people act again after ${
		Date.now() - began} ms`);
	const again = await until(5, async () => {
		const now = await roster(o);
		return JSON.stringify(now) === JSON.stringify(before) && now;
	}, 20);
	is(again || await roster(o), before,
		'seats, roles, mutes, hands and sources are as they were');
	ok(Date.now() - began < 5000, `after ${Date.now() - began} ms`);
	is(k.pid('conf-relay'), relay, 'the relay never noticed');
	await fared(c, CROWD, {ms: 300, resets: 0, returns: 1},
		`${signal} to confd-signal`);
	const ends = () => new Set([ann, ben, cat].map((p) =>
		p.take().at(-1)?.seq));
	ok(await until(5, () => ends().size === 1),
		'all have come up to the end', [...ends()]);
}

async function relayDies(k, o, link, signal)
{
	const c = crowd((await link()).url, ...MEDIA, '-t', '6s');

	await c.joined;
	ok(await settled(o), `${signal} to conf-relay: a crowd is there`);
	const daemon = k.pid('confd-signal');
	o.take();
	const from = o.events.length, began = Date.now();
	ok(await k.killed('conf-relay', signal), 'it is started again');
	/* Its sources are gone at once, and there again soon: two of each. */
	const count = (type) => o.take().slice(from).filter((e) =>
		e.type === type).length;
	ok(await until(3, () => count('media.stopped') >= 2 * SENDERS, 5),
		`the log knows of it after ${Date.now() - began} ms`);
	ok(await until(3, () => count('media.started') >= 2 * SENDERS, 5) &&
		Date.now() - began < 3000,
	`all send again after ${Date.now() - began} ms`);
	is(k.pid('confd-signal'), daemon, 'confd-signal is the same');
	await fared(c, CROWD, {ms: 3000, resets: 1, returns: 0},
		`${signal} to conf-relay`);
}

/* People come while everything falls. */
async function joinsGoOn(k, o, link)
{
	const c = crowd((await link()).url, '-p', '6', '-n', '6', '--both',
		'--video', 'off', '--ramp', '4s', '-t', '2s');

	await sleep(1000);
	await k.killed('confd-signal');
	await sleep(1000);
	await k.killed('conf-relay');
	await sleep(1200);
	await k.killed('confd-signal');
	const r = await c.done;
	ok(r.code === 0 && r.joined === 12, 'all join while daemons die', r);
}

const gone = (pid) => !existsSync(`/proc/${pid}/stat`) ||
	/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));

async function keeperDies(k, o, link, crew)
{
	const c = crowd((await link()).url, ...MEDIA, '-t', '8s');

	await c.joined;
	await settled(o);
	const pids = ['confd-signal', 'conf-relay'].map((t) => k.pid(t));
	const words = k.words.length;
	const began = Date.now();
	k.kill('confd-run');
	ok(await until(5, () => pids.every(gone), 10) &&
		Date.now() - began < 3000,
	`kill -9 of confd-run: workers are gone after ${
		Date.now() - began} ms`);
	ok(!/ (warning|error): /.test(k.words.slice(words)),
		'without a complaint', k.words.slice(words));
	await k.start();
	ok(await settled(o), 'with the next one all go on');
	/* By the relay's goodbye, and again when all of it is gone. */
	await fared(c, CROWD, {ms: 5000, resets: 1, most: 4, returns: 1},
		'kill -9 of confd-run');
	ok(await until(10, async () => (await roster(o)).filter((u) =>
		!u.away).length >= crew.length), 'people without media too');
}

await test(async () => {
	const k = await keeper();
	const o = await watcher(k);
	const link = await meeting(o, 'hello');
	const crew = await people(k, o, link);

	await signalDies(k, o, link, crew, 'SIGKILL');
	await signalDies(k, o, link, crew, 'SIGTERM');
	await relayDies(k, o, link, 'SIGKILL');
	await relayDies(k, o, link, 'SIGTERM');
	await joinsGoOn(k, o, link);
	await keeperDies(k, o, link, crew);

	// What was said, and what was heard of it.
	const log = (await o.call('events.read', {meeting: 'hello'})).events;
	const said = o.take().filter((e) => e.type === 'chat.said')
		.map((e) => e.data.text);
	is(said, ['one', 'two, private', 'three', 'after SIGKILL',
		'after SIGTERM'], 'the chat is complete, once and in order');
	const [ann, ben, cat] = crew;
	is(ben.joined.chat.map((e) => e.data.text), said.filter((t) =>
		!/private/.test(t)), 'as everybody gets it who comes back');
	unbroken(o.take(), 'pos', 'who follows everything');
	unbroken(ann.take(), 'seq', 'a moderator', (seq) =>
		!log[seq - 1].data.to);
	for (const [p, name] of [[ben, 'a viewer'], [cat, 'a new moderator']])
		unbroken(p.take(), 'seq', name, (seq) => {
			const e = o.events.find((x) => x.seq === seq);
			return !e.type.startsWith('link.') && !e.data.to;
		});
	for (const p of [...crew, o]) p.close();
	is(await k.stop(), 0, 'and all ends well');
	note(k.words.split('\n').filter((l) => /error/.test(l)).join('\n'));
	ok(!/ error: |runtime error/.test(k.words), 'no complaint');
});
