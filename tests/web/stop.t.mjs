/* timeout: 240
 * SIGSTOP of each process of the kit and SIGCONT some seconds later: what
 * was asked meanwhile is done, nobody else is disturbed, and of what piled
 * up nothing comes out late. STOP_S=10 is what the long tests take. */
import process from 'node:process';
import {is, ok, sleep, test, until} from './lib.mjs';
import {crowd, fared, keeper, live, person, roster, watcher}
	from './faults.mjs';
import {meeting} from './signal.mjs';

const long = Number(process.env.STOP_S);
const MEDIA = ['-p', '2', '-n', '2', '--both', '--video', '100k', '--fps',
	'15'];
const CROWD = 4, SENDERS = 2;

async function come(k, o, link, seconds)
{
	const c = crowd((await link()).url, ...MEDIA, '-t', `${seconds + 4}s`);

	await c.joined;
	ok(await until(10, async () => live(await roster(o), SENDERS), 20),
		'a crowd is there');
	return c;
}

/* While it stands still, act() is done. */
async function stopped(k, tool, seconds, act)
{
	const pid = k.pid(tool);

	process.kill(pid, 'SIGSTOP');
	const [done] = await Promise.all([act(), sleep(seconds * 1000)]);
	process.kill(pid, 'SIGCONT');
	return done;
}

async function signalStops(k, o, link, ann)
{
	const seconds = long || 3;
	const c = await come(k, o, link, seconds);
	const said = await stopped(k, 'confd-signal', seconds, async () => ({
		p: ann.call('chat.say', {text: 'into the silence'})}));

	ok((await said.p).seq, 'what was asked of it meanwhile is done');
	is(ann.returns, 0, 'on the same connection');
	await fared(c, CROWD, {ms: 300, resets: 0, returns: 0},
		`confd-signal stopped for ${seconds} s`);
}

async function relayStops(k, o, link, ann)
{
	const seconds = long || 6;
	const c = await come(k, o, link, seconds);
	const held = (await roster(o)).find((u) => u.sources.length);
	let late;

	await stopped(k, 'conf-relay', seconds, async () => {
		ok((await ann.call('user.mute', {user: held.id})).seq,
			'who is silenced meanwhile is told so at once');
		/* The server waits 5 s for an answer. */
		await sleep((seconds - 3) * 1000);
		late = crowd((await link()).url, '-p', '1', '-n', '0', '-t',
			'1s', '-w', '30s');
	});
	const joined = await late.done;
	ok(joined.code === 0 && joined.joined === 1,
		'who came meanwhile is in', joined);
	const r = await fared(c, CROWD, {ms: seconds * 1000 + 1000, resets: 0,
		returns: 0}, `conf-relay stopped for ${seconds} s`);
	ok(r.delay_p95_ms < 200, `what piled up is not poured out (${
		r.delay_p95_ms} ms)`);
	await ann.call('user.unmute', {user: held.id}).catch(() => {});
}

async function keeperStops(k, o, link, ann)
{
	const seconds = long || 3;
	const c = await come(k, o, link, seconds);
	const old = k.pid('confd-signal');
	const said = await stopped(k, 'confd-run', seconds, async () => {
		k.kill('confd-signal');
		return {p: ann.call('chat.say', {text: 'nobody there'})};
	});

	ok(await until(5, () => k.pid('confd-signal') !== old),
		'what died meanwhile is started again');
	ok((await said.p).seq, 'and does what was asked');
	await fared(c, CROWD, {ms: 300, resets: 0, returns: 1},
		`confd-run stopped for ${seconds} s`);
}

await test(async () => {
	const k = await keeper();
	const o = await watcher(k);
	const link = await meeting(o, 'hello');
	const ann = await person(k, await link('moderator', 'Ann'), '');

	await signalStops(k, o, link, ann);
	await relayStops(k, o, link, ann);
	await keeperStops(k, o, link, ann);
	is(o.take().filter((e) => e.type === 'chat.said')
		.map((e) => e.data.text), ['into the silence', 'nobody there'],
	'everything was done once');
	for (const p of [ann, o]) p.close();
	is(await k.stop(), 0, 'and all ends well');
	ok(!/ error: |runtime error/.test(k.words), 'no complaint', k.words);
});
