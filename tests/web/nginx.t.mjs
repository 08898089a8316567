/* timeout: 180
 * examples/nginx as it stands: two browsers join through nginx, below its
 * path, and see each other; the log names clients and not nginx; only the
 * page of the host that nginx serves may connect. */
import {createServer} from 'node:net';
import {existsSync, mkdtempSync, rmSync} from 'node:fs';
import {join} from 'node:path';
import process from 'node:process';
import {bin, build, chromium, colour, enter, is, like, note, ok, person,
	require, root, run, seen, sleep, test, until} from './lib.mjs';

const WebSocket = require('ws');
const freePort = () => new Promise((r) => {
	const s = createServer().listen(0, '127.0.0.1', () => {
		const {port} = s.address();
		s.close(() => r(port));
	});
});
const nginx = ['/usr/sbin/nginx', join(root, '.build/debian/usr/sbin/nginx')]
	.find(existsSync);

/* On a port that is free a moment before; another one when it was taken. */
async function start(dir, links)
{
	for (let i = 0; i < 3; i++) {
		const listen = `127.0.0.1:${await freePort()}`;
		const p = run(join(root, 'examples/nginx/run'), [], {cwd: root,
			env: {CONF_RUNDIR: join(dir, 'run'), CONF_STATEDIR:
				join(dir, 'state'), CONF_MEDIA: '127.0.0.1:0',
				CONF_BINDIR: join(build, 'bin'), CONF_TALK: '-v',
				NGINX_BIN: nginx, NGINX_LISTEN: listen, HOME: dir,
				TMPDIR: dir},
			onLine: (line) => {
				const [name, url] = line.split('\t');
				if (url) links[name] = url;
			}});
		await until(40, () => links.viewer || p.exitCode !== null);
		if (links.viewer) return {listen, p};
		note(p.err);
	}
	throw new Error('examples/nginx does not start');
}

/* Says hello from 127.0.0.7, as who else it likes to be. */
const hello = (url, token, headers) => new Promise((yes) => {
	const ws = new WebSocket(url, {rejectUnauthorized: false, localAddress:
		'127.0.0.7', headers});
	ws.on('open', () => ws.send(JSON.stringify({jsonrpc: '2.0', id: 1,
		method: 'hello', params: {protocol: [1], agent: 'x',
			role: 'client', token}})));
	ws.on('message', (m) => {
		yes(JSON.parse(m).result?.user);
		ws.close();
	});
	ws.on('unexpected-response', (q, r) => { q.destroy(); yes(r.statusCode); });
	ws.on('error', (e) => yes(String(e)));
});

const grows = (p, name) => until(30, async () => {
	const before = await seen(p, name);
	await sleep(500);
	const after = await seen(p, name);
	return !after.covered && after.frames - before.frames >= 3 && after;
});

const dir = mkdtempSync('/tmp/conf-nginx-');
process.on('exit', () => rmSync(dir, {recursive: true, force: true}));
await test(async () => {
	const links = {}, {listen, p} = await start(dir, links);
	const base = `https://${listen}/conf`;
	like(links.viewer, new RegExp(`^${base}/m/hello#t=`),
		'links lead to nginx and below the path');

	const browsers = [await chromium({y4m: colour('red', [81, 90, 240])}),
		await chromium({y4m: colour('blue', [41, 240, 110])})];
	const ada = await person(browsers[0], links.moderator, {name: 'Ada'});
	const ben = await person(browsers[1], links.viewer, {name: 'Ben'});
	await enter(ada);
	await enter(ben);
	const a = await grows(ada, 'Ben'), b = await grows(ben, 'Ada');
	ok(a && a.rgb[2] > 150 && a.rgb[0] < 100, 'Ada sees Ben, who is blue', a);
	ok(b && b.rgb[0] > 150 && b.rgb[2] < 100, 'Ben sees Ada, who is red', b);
	is(ada.problems.concat(ben.problems), [],
		'nothing that the page wants is forbidden or missing');
	const names = await until(5, () => {
		const all = [...p.err.matchAll(/websocket (\S+) is u_/g)]
			.map((m) => m[1]);
		return all.length >= 2 && all;
	});
	/* nginx says no port; its own connections have one. */
	is([...new Set(names)], ['127.0.0.1:0'], 'the log has the browsers');

	const token = links.viewer.split('#t=')[1];
	const ws = `wss://${listen}/conf/ws`;
	const user = await hello(ws, token, {Origin: `https://${listen}`,
		'X-Forwarded-For': '127.0.0.9', Forwarded: 'for=127.0.0.9',
		'X-Forwarded-Host': 'evil.example'});
	like(user, /^u_/, 'another client, which claims to be somebody');
	ok(await until(5, () => p.err.includes(
		`websocket 127.0.0.7:0 is ${user} in hello`)),
	'has its own address in the log', p.err);
	is(await hello(ws, token, {Origin: 'https://evil.example',
		'X-Forwarded-Host': 'evil.example'}), 403,
	'a foreign page may not connect, whatever it says');
	is(await hello(ws, token, {Origin: `http://${listen}`}), 403,
		'nor the same without TLS');
	is(await hello(`wss://${listen}/ws`, token, {}), 404,
		'and nothing of it is beside the path');

	const c = run(bin('meeting-ctl'), ['users', 'hello', '--json'],
		{env: {CONF_RUNDIR: join(dir, 'run')}});
	await c.exited;
	ok(/Ada/.test(c.out) && /Ben/.test(c.out), 'both are in the meeting',
		c.out + c.err);

	/* What went past nginx, as the relay has counted it. */
	const curl = run('curl', ['-s', '--unix-socket',
		join(dir, 'run/signal.sock'), 'http://localhost/metrics']);
	await curl.exited;
	const relay = Object.fromEntries([...curl.out.matchAll(
		/^confkit_relay_(\w+)\{relay="relay-0"\} (\S+)$/gm)]
		.map(([, k, v]) => [k, Number(v)]));
	ok(relay.transports === 4 && relay.tracks >= 3 && relay.rtp_in_total > 50
		&& relay.rtp_out_total > 50 && relay.bytes_in_total >
		relay.packets_in_total && relay.bytes_out_total > 10000 &&
		relay.keyframe_requests_out_total > 0 && relay.cpu_seconds_total
		> 0, 'the metrics tell of two senders and two receivers', relay);
	p.kill('SIGTERM');
	is(await p.exited, 0, 'it ends when asked');
});
