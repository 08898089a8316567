// What one source and one user may ask for; sessions of nobody; and what the
// audit log says of it.
import {execFileSync} from 'node:child_process';
import {appendFileSync, readFileSync, renameSync, statSync} from 'node:fs';
import {createHmac} from 'node:crypto';
import {join} from 'node:path';
import tls from 'node:tls';
import {is, like, ok, test, until} from './lib.mjs';
import {connect, dial, endpoint, meeting, op, refusal, relay, start, user}
	from './signal.mjs';

const HELLO = {protocol: [1], agent: 'test/1', role: 'client', caps: []};
const status = (p) => p.then((c) => { c.close(); return 101; },
	(e) => e.status ?? e.message);
const refused = async (s, params) => {
	const c = await connect(s);
	const e = await refusal(c.call('hello', {...HELLO, ...params}));
	await c.closed;
	return e.data?.reason ?? e.kind;
};
const audit = (s) => readFileSync(join(s.state, 'audit.log'), 'utf8')
	.trim().split('\n').filter((l) => l !== '{"ts":"20')
	.map((l) => JSON.parse(l));
const last = (s, event) => audit(s).findLast((l) => l.event === event);

await test(async () => {
	// Failures. A source is shut out when they add up, the others go on.
	let s = await start({args: ['--limit-loopback', 'on']});
	let o = await op(s), link = await meeting(o, 'hello');
	const ann = await user(s, await link('moderator', 'Ann'), '');
	const handed = await link();
	const [a, b, c] = handed.token.split('.');
	const forged = `${a}.${b}.${c.slice(0, -4)}AAAA`;
	let tries = 0, reason;

	is(await refused(s, {token: handed.token, meeting: 'other'}),
		'other_meeting', 'a token of another meeting');
	while (tries < 100 && (reason = await refused(s, {token: forged})
		.catch((e) => e.status)) !== 429) {
		if (tries++ === 0) is(reason, 'signature', 'a forged token');
	}
	ok(tries >= 20 && tries < 60, `429 after ${tries} forged tokens`);
	const r = await fetch(`${s.http}/`);
	is(r.status, 429, 'pages are refused, too');
	const after = Number(r.headers.get('retry-after'));
	ok(after > 30 && after <= 600, `Retry-After: ${after}`);
	ok(r.headers.get('content-security-policy'), 'with all headers');
	is(await status(connect(s)), 429, 'a WebSocket is refused');
	is((await ann.call('chat.say', {text: 'on'})).seq > 0, true,
		'who is connected goes on');
	ok((await o.call('meeting.list')).meetings, 'and so do tools');
	const p = last(s, 'source.penalised');
	is([p?.subject, p?.verdict, p?.reason],
		['ip:127.0.0.1', 'refused', 'token'], 'it is written down');
	ok(last(s, 'source.limited'), 'and that it was refused');

	// One user's storm costs him alone.
	const ben = ann;
	const storm = async (n, method, params) => {
		const all = await Promise.all(Array.from({length: n}, () =>
			refusal(ben.call(method, params))));
		return all.filter((e) => e.kind === 'limit');
	};
	let hit = await storm(100, 'chat.say', {text: 'x'});
	ok(hit.length >= 50 && hit.length < 100, `chat: ${hit.length} of 100`);
	like(hit[0].message, /^too many of chat\.say: try again in \d+ ms$/,
		'with words that say when');
	hit = await storm(100, 'media.publish', {sdp: 'x'.repeat(50000)});
	ok(hit.length >= 70 && hit.length < 100,
		`publish: ${hit.length} of 100`);
	const mixed = await Promise.all(Array.from({length: 50}, (_, i) =>
		refusal(i % 2 ? ben.call('events.read', {limit: 1}) :
			ben.call('user.hand', {up: i % 4 === 0}))));
	is(mixed.filter((e) => e.kind !== 'none').map((e) => e.message), [],
		'25 reads between what is written are charged once each');
	hit = await storm(250, 'user.hand', {up: true});
	ok(hit.length > 0, `hands: ${hit.length} of 250`);
	is((await storm(1, 'media.want', {tracks: []})).length, 0,
		'one storm is not another');
	is((await refusal(o.call('chat.say', {meeting: 'hello', text: 'op'})))
		.kind, 'none', 'operators have no rate');
	const u = last(s, 'user.limited');
	is([u?.subject, u?.meeting, u?.verdict], [`user:${ann.user}`, 'hello',
		'refused'], 'it is written down');
	ok(await until(5, () => audit(s).some((l) => l.count > 0 &&
		l.event === 'audit.suppressed' && l.reason === 'user.limited')),
	'in part as a number');
	await s.stop();

	// Malformed frames count more; requests have a rate.
	s = await start({args: ['--limit-loopback', 'on',
		'--limit-requests', '10']});
	for (tries = 0; tries < 20; tries++) {
		const w = await connect(s).catch((e) => e);
		if (w.status === 429) break;
		w.send('{');
		await w.closed;
	}
	ok(tries >= 3 && tries <= 4, `${tries} malformed messages are enough`);
	is([last(s, 'peer.malformed')?.reason,
		last(s, 'source.penalised')?.reason],
	['malformed message', 'malformed'], 'written down');
	await s.restart();
	let served = 0, page;
	while (served < 1000 && (page = await fetch(`${s.http}/`)).status === 200)
		served++;
	ok(served >= 400 && served < 900, `${served} requests, then 429`);
	is(page.headers.get('retry-after'), '1', 'for as long as it takes');
	ok(await until(10, async () =>
		(await fetch(`${s.http}/`)).status === 200), 'and then again');
	is(await status(connect(s)), 429, 'a WebSocket costs more');
	await s.stop();

	// Connections cost, too: who has no token left gets no handshake.
	s = await start({tls: true, args: ['--limit-loopback', 'on',
		'--limit-requests', '1']});
	const shook = await Promise.all(Array.from({length: 30}, () =>
		new Promise((r) => {
			const c = tls.connect({port: s.port,
				host: '127.0.0.1', rejectUnauthorized: false});
			c.on('error', () => {});
			c.once('secureConnect', () => { c.destroy(); r(true); });
			c.once('close', () => r(false));
		})));
	const n = shook.filter(Boolean).length;
	ok(n >= 10 && n < 25, `${n} of 30 connections got a handshake`);
	ok(last(s, 'source.limited'), 'the others are written down');
	await s.stop();

	// Loopback has no limits unless asked, and sessions have an age.
	s = await start({args: ['--session-age', '2s']});
	o = await op(s);
	link = await meeting(o, 'hello');
	for (let i = 0; i < 60; i++) await refused(s, {token: 'x'});
	is(await status(connect(s)), 101, 'loopback is not limited by itself');
	const open = await link();
	const guest = await user(s, open), seated = await user(s, open, 'Eve');
	const {session} = guest;
	guest.close();
	const again = await user(s, {session});
	is(again.user, guest.user, 'a session comes back within its age');
	again.close();
	const why = async () => {
		const e = await user(s, {session}).catch((x) => x);
		e.close?.();
		return e.data?.reason;
	};
	ok(await until(20, async () => ['old_session', 'session']
		.includes(await why()), 500), 'and not behind it');
	seated.close();
	is((await user(s, {session: seated.session})).user, seated.user,
		'who is seated keeps his');
	ok(await until(20, async () => await why() === 'session', 500),
		'then it is forgotten');

	// Origins, and people with too little right.
	for (const origin of ['https://evil.example', 'null', `${s.http}.evil`,
		s.http.replace('127', 'evil127')])
		is(await status(connect(s, {origin})), 403, `origin ${origin}`);
	is(await status(connect(s, {origin: s.http})), 101, 'its own origin');
	is(last(s, 'origin.refused')?.reason, s.http.replace('127', 'evil127'),
		'a foreign one is written down');
	const bad = await connect(s, {origin: 'https://\u202e\u001b[2J'})
		.catch((e) => e);
	ok(bad.status === 403 || bad.code, 'an origin of control characters');

	const wrong = await dial(s.worker);
	await refusal(wrong.call('hello', {...HELLO, role: 'relay',
		instance: 'relay-9', secret: createHmac('sha256', 'x')
			.update('relay/relay-9').digest('hex')}));
	is(last(s, 'worker.refused')?.subject, `uid:${process.getuid()}`,
		'a worker with another secret');

	// What those with rights do.
	const mod = await user(s, await link('moderator', 'Mo'), '');
	await mod.call('user.role', {user: seated.user, role: 'moderator'});
	await mod.call('user.kick', {user: seated.user,
		reason: 'rude\u202e\u009b31m'});
	const made = await mod.call('link.create', {role: 'viewer'});
	await mod.call('link.revoke', {link: made.link});
	const keys = await o.call('key.rotate');
	await o.call('key.list'); // answered behind what was written
	const seen = (event) => { const l = last(s, event);
		return [l?.subject, l?.meeting, l?.object, l?.verdict,
			l?.reason]; };
	const me = `user:${mod.user}`;
	is(seen('user.role'), [me, 'hello', seated.user, 'done', 'moderator'],
		'a role');
	is(seen('user.kicked').slice(0, 4), [me, 'hello', seated.user, 'done'],
		'a kick');
	is(seen('link.created'), [me, 'hello', made.link, 'done', 'viewer'],
		'a link');
	is(seen('link.revoked').slice(0, 4), [me, 'hello', made.link, 'done'],
		'its end');
	is(seen('key.rotated'), [`op:${process.getuid()}`, undefined,
		keys.current, 'done', undefined], 'a new key');

	// Media with a certificate that was not announced.
	const w = await relay(s);
	const pub = await mod.call('media.publish', {sdp: 'offer'});
	w.notify('transport.state', {room: 'hello', endpoint:
		endpoint(mod.user), transport: pub.transport, state: 'closed',
	reason: 'fingerprint'});
	ok(await until(5, () => last(s, 'media.refused')), 'a wrong certificate');
	is(seen('media.refused'), [me, 'hello', undefined, 'closed',
		'fingerprint'], 'is written down');
	w.close();

	// The file: moved away, over a restart, and torn.
	const file = join(s.state, 'audit.log');
	const before = audit(s).at(-1).seq;
	const first = readFileSync(file);
	is(statSync(file).mode & 0o777, 0o600, 'nobody else reads it');
	renameSync(file, `${file}.1`);
	ok(await until(5, () => audit(s)[0].event === 'audit.opened'),
		'a new one is begun when it was moved');
	await s.stop();
	appendFileSync(file, '{"ts":"20'); // as a full disk would cut it
	await s.begin();
	o = await op(s);
	await o.call('key.rotate');
	const lines = [...String(first).trim().split('\n').map((l) =>
		JSON.parse(l)), ...audit(s)];
	is(lines.map((l) => l.seq), lines.map((l, i) => i + 1),
		'numbers go on without a gap');
	ok(lines.length > before, `${lines.length} lines`);

	// The form of each line, and nothing secret or unprintable in any.
	const form = {ts: /^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/,
		seq: /^\d+$/, event: /^[a-z]+\.[a-z]+$/,
		meeting: /^[a-z0-9-]+$/, from: /^[0-9a-f.:]+$/,
		subject: /^(system|(ip|op|uid|user|worker):[\w.:/-]+)$/,
		object: /^[\w-]+$/, verdict: /^(done|refused|closed)$/,
		reason: /^[^]{1,200}$/, count: /^\d+$/};
	const wrongs = lines.filter((l) => Object.entries(l).some(([k, v]) =>
		!form[k]?.test(String(v))) || ['ts', 'seq', 'event', 'subject',
		'verdict'].some((k) => !(k in l)));
	is(wrongs, [], 'every line has the form');
	const text = first + readFileSync(file);

	// A meeting has a most of sessions; the oldest of nobody go.
	await s.stop();
	const sql = (text) => execFileSync('sqlite3', [join(s.state, 'log.db'),
		text]).toString().trim();
	const now = Date.now();
	sql(`with recursive n(i) as (select 1 union all select i + 1 from n
		where i < 4000) insert into sessions select
		randomblob(32), 'u_' || printf('%026d', i), 'hello', 'l_x',
		'viewer', '', ${now} + i from n`);
	s.args.push('--session-age', '1d');
	await s.begin();
	o = await op(s);
	const fresh = await user(s, await o.call('link.create',
		{meeting: 'hello'}), 'New');
	const count = Number(sql('select count(*) from sessions'));
	ok(count > 3500 && count < 3700, `${count} of 4000 sessions are left`);
	ok(sql(`select min(created_ms) from sessions where user like 'u_0%'`) >
		now + 300, 'the oldest have gone');
	is((await user(s, {session: fresh.session})).user, fresh.user,
		'the new one counts');
	ok(!/[^\n -~]/.test(text), 'all of it is printable ASCII');
	const secrets = [open.token, handed.token, made.token, session,
		seated.session, mod.session, ann.session].filter(Boolean);
	is(secrets.filter((x) => text.includes(x) || text.includes(
		x.slice(-20))), [], 'and no secret is in it');
	is(await s.stop(), 0, 'a clean end');
	like(s.log, /refused a WebSocket of origin/, 'the log tells it, too');
	ok(!/runtime error|AddressSanitizer/.test(s.log), 'no complaint', s.log);
});
