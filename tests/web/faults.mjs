/* What the tests that kill and stop real processes share: confd-run with
 * directories of its own, a crowd of conf-load, and people who come back. */
import process from 'node:process';
import {mkdtempSync, readFileSync, readdirSync, readlinkSync} from 'node:fs';
import {join} from 'node:path';
import {below, bin, is, note, ok, run, sleep, tmp, until} from './lib.mjs';
import {op, user} from './signal.mjs';

let nth = 0;

/* {start, stop, kill(tool, signal), killed(tool, signal), pid(tool), ctl,
 * fds(tool), sockets(tool), rss(tool), words, sock, ws, run}: words is all
 * that was logged. */
export async function keeper()
{
	const dir = mkdtempSync(join(tmp, `kit${nth++}-`));
	const k = {run: join(dir, 'run'), state: join(dir, 'state'), words: ''};
	const env = {CONF_RUNDIR: k.run, CONF_STATEDIR: k.state,
		CONF_HTTP: '127.0.0.1:0', CONF_MEDIA: '127.0.0.1:0',
		CONF_TLS: 'off', HOME: dir, LISTEN_FDS: '',
		PATH: `${bin('')}:${process.env.PATH}`};

	k.sock = join(k.run, 'signal.sock');
	k.worker = join(k.run, 'worker.sock');
	k.start = async () => {
		const p = k.process = run(bin('confd-run'), [], {env});
		const up = () => p.out.includes('\nworker\t');
		p.stderr.on('data', (s) => { k.words += s; });
		await until(20, () => up() || p.exitCode !== null);
		if (!up()) throw new Error(`confd-run: ${p.err}`);
		/* The same ports the next time: people know the way. */
		env.CONF_HTTP = /^http\t(.*)$/m.exec(p.out)[1];
		env.CONF_MEDIA = /^media0\t(.*)$/m.exec(p.out)[1];
		k.ws = `ws://${env.CONF_HTTP}/ws`;
	};
	k.pid = (tool) => tool === 'confd-run' ? k.process.pid :
		below(k.process.pid, tool)[0];
	k.kill = (tool, signal = 'SIGKILL') =>
		process.kill(k.pid(tool), signal);
	/* Ends it and waits for the one that takes its place. */
	k.killed = (tool, signal) => {
		const old = k.pid(tool);
		process.kill(old, signal ?? 'SIGKILL');
		return until(10, () => {
			const now = k.pid(tool);
			return now && now !== old;
		}, 10);
	};
	/* Descriptors of a process, once they are as few as they get. */
	k.fds = async (tool, atMost = 0) => {
		const count = () => readdirSync(`/proc/${k.pid(tool)}/fd`).length;
		await until(5, () => count() <= atMost);
		return count();
	};
	k.sockets = (tool) => {
		const dir = `/proc/${k.pid(tool)}/fd`;
		const of = (fd) => {
			try {
				return readlinkSync(join(dir, fd));
			} catch {
				return '';
			}
		};
		return !k.pid(tool) ? 0 : readdirSync(dir).filter((fd) =>
			of(fd).startsWith('socket:')).length;
	};
	/* Resident memory in MiB. */
	k.rss = (tool) => Number(readFileSync(`/proc/${k.pid(tool)}/statm`,
		'utf8').split(' ')[1]) / 256;
	k.ctl = async (...args) => {
		const c = run(bin('meeting-ctl'), args, {env});
		c.stdin.end();
		const code = await c.exited;
		return {code, out: c.out, err: c.err};
	};
	k.stop = () => {
		k.process.kill('SIGTERM');
		return k.process.exited;
	};
	await k.start();
	return k;
}

/* conf-load on this link; .done resolves to its report, .joined to true when
 * all are there. */
export function crowd(url, ...args)
{
	const c = run(bin('conf-load'), ['--insecure', '--json', ...args, url]);

	c.joined = until(30, () => / joined; measuring/.test(c.err) ||
		c.exitCode !== null);
	c.done = c.exited.then((code) => {
		try {
			return {code, err: c.err, ...JSON.parse(c.out)};
		} catch {
			return {code, err: c.err};
		}
	});
	return c;
}

/* An operator who follows all and comes back by himself; .events are those
 * of all meetings, each once. */
export async function watcher(k)
{
	const w = {events: []};
	const begin = async () => {
		const o = await op(k);
		const since = w.events.at(-1)?.pos ?? 0;
		await o.call('events.follow', {since});
		w.now = o;
		o.closed.then(async () => {
			w.take();
			if (!w.over) await until(30, begin, 20);
		});
		return true;
	};
	w.take = () => {
		w.events.push(...w.now.events.filter((e) => e.pos));
		w.now.events = [];
		return w.events;
	};
	w.call = (method, params) => until(20, async () => {
		try {
			return {r: await w.now.call(method, params)};
		} catch (e) {
			if (e.kind === 'closed' || e.kind === 'draining') throw e;
			return {e};
		}
	}, 20).then((a) => {
		if (!a?.r) throw a?.e ?? new Error(`${method}: no answer`);
		return a.r;
	});
	w.close = () => { w.over = true; w.now.close(); };
	await begin();
	return w;
}

/* A person without media who comes back: .events of all his lives. */
export async function person(k, who, name)
{
	const p = {events: [], returns: 0};
	const begin = async () => {
		const c = await user(k, p.session ? {session: p.session} : who);
		p.session = c.session;
		p.user = c.user;
		const joined = await c.call('user.join', {name});
		p.since ??= joined.seq;
		await c.call('events.follow',
			{since: p.events.at(-1)?.seq ?? p.since});
		p.joined = joined;
		p.now = c;
		c.closed.then(async () => {
			p.take();
			if (p.over) return;
			p.down = Date.now();
			if (await until(30, begin, 50)) {
				p.returns++;
				p.back = Date.now();
			}
		});
		return true;
	};
	p.take = () => {
		p.events.push(...p.now.events.filter((e) => e.seq));
		p.now.events = [];
		return p.events;
	};
	/* Until it is answered: what was asked may then be done twice. */
	p.call = (method, params) => until(20, async () => {
		try {
			return {r: await p.now.call(method, params)};
		} catch (e) {
			if (e.kind === 'closed' || e.kind === 'draining') throw e;
			return {e};
		}
	}, 20).then((a) => {
		if (!a?.r) throw a?.e ?? new Error(`${method}: no answer`);
		return a.r;
	});
	p.close = () => { p.over = true; p.now.close(); };
	await begin();
	return p;
}

/* Nothing is missing between the first and the last event had, and nothing
 * came twice or out of order; what is private to others is no hole. */
export function unbroken(events, key, what, visible = () => true)
{
	const have = events.map((e) => e[key]);
	const holes = [];

	for (let i = 1; i < have.length; i++)
		if (have[i] !== have[i - 1] + 1 &&
			(have[i] <= have[i - 1] || visible(have[i] - 1)))
			holes.push(`${have[i - 1]}..${have[i]}`);
	is(holes, [], `${what}: ${have.length} events without a hole`);
}

/* Who is there and how, without what changes by itself. */
export async function roster(o)
{
	const {users} = await o.call('user.list', {meeting: 'hello'});

	return users.map(({user: id, name, role, away, muted, held, hand,
		sources}) => ({id, name, role, away, muted, held, hand,
		sources: [...sources].sort()}));
}

/* n people have so many sources each. */
export const live = (users, n, sources = 2) => users.filter((u) =>
	u.sources.length === sources && !u.away).length === n;

/* What a crowd of n may suffer: media that paused for ms at most, began anew
 * so often for each, signalling that came back so often. */
export async function fared(c, n, {ms, resets, most = 2 * resets, returns},
	what)
{
	const r = await c.done;

	ok(r.code === 0 && r.joined === n && r.failed === 0,
		`${what}: all ${n} joined, stayed and saw something`, r);
	ok(r.gap_ms <= ms, `${what}: nobody without a packet for longer than ` +
		`${ms} ms (${r.gap_ms})`, r);
	/* Twice if either transport is told of alone. */
	ok(r.resets >= resets * n && r.resets <= most * n, `${what}: media ` +
		`began anew ${resets} times for each (${r.resets / n})`, r);
	ok(r.returns === returns * n, `${what}: signalling came back ` +
		`${returns} times for each (${r.returns / n})`, r);
	return r;
}

export {is, note, ok, sleep, until};
