// Sessions on the WebSocket: tokens, resuming, kicking, ending, a restart.
import {createHmac} from 'node:crypto';
import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {is, like, ok, test, until} from './lib.mjs';
import {connect, meeting, op, refusal, start, user} from './signal.mjs';

const HELLO = {protocol: [1], agent: 't', role: 'client'};

await test(async () => {
	const s = await start(), o = await op(s);
	const link = await meeting(o, 'hello');

	// Hello.
	const ann = await user(s, await link('moderator', 'Ann'));
	ok(/^u_[a-z2-7]{26}$/.test(ann.user), 'a user has an id');
	ok(/^[a-z2-7]{52}$/.test(ann.session), 'a session has a secret');
	is(ann.hello.actor, `user:${ann.user}`, 'the actor is the user');
	is([ann.hello.rights, ann.hello.role], [['moderator'], 'moderator'],
		'the role of the link');
	is([ann.hello.name, ann.hello.name_locked, ann.hello.joined],
		['Ann', true, false], 'the name of the link');
	is(ann.hello.protocol, 1, 'the protocol');
	is(ann.hello.meeting.id, 'hello', 'the meeting');
	ann.joined = await ann.call('user.join', {name: 'Other'});
	is(ann.joined.user.name, 'Ann', 'a locked name stays');
	await ann.call('events.follow', {since: ann.joined.seq});

	// Tokens that do not count.
	const handed = await link();
	const [head, body, sig] = handed.token.split('.');
	const claims = JSON.parse(Buffer.from(body, 'base64url'));
	const key = Buffer.from(readFileSync(join(s.state, 'keys/token.cur'),
		'utf8').trim().split(' ')[1], 'hex');
	const sign = (c, k = key, h = head) => {
		const b = Buffer.from(JSON.stringify(c)).toString('base64url');
		return `${h}.${b}.` + createHmac('sha256', k)
			.update(`${h}.${b}`).digest('base64url');
	};
	ok((await user(s, {token: sign(claims)})).user,
		'what we sign ourselves is taken');
	const flip = (t, i) => t.slice(0, i) +
		(t[i] === 'A' ? 'B' : 'A') + t.slice(i + 1);
	const now = Math.floor(Date.now() / 1000);
	const none = Buffer.from('{"alg":"none","typ":"JWT"}')
		.toString('base64url');
	const other = Buffer.from(JSON.stringify({alg: 'HS256', typ: 'JWT',
		kid: '01234567'})).toString('base64url');
	for (const [what, token, reason, words] of [
		['altered', flip(handed.token, head.length + 20), '',
			/changed|damaged/],
		['altered signature', flip(handed.token,
			handed.token.length - 20), 'signature', /changed/],
		['expired', sign({...claims, exp: now - 1}), 'expired',
			/expired/],
		['not yet valid', sign({...claims, nbf: now + 99}),
			'not_yet', /not valid yet/],
		['foreign', sign(claims, Buffer.alloc(32), other),
			'unknown_key', /does not belong/],
		['by another key', sign(claims, Buffer.alloc(32)),
			'signature', /changed/],
		['unsigned', `${none}.${body}.`, 'malformed', /damaged/],
		['cut', handed.token.slice(0, 30), 'malformed', /damaged/],
		['empty', '', 'malformed', /damaged/],
		['with a role that it has not', sign({...claims,
			role: 'moderator'}, Buffer.alloc(32)), 'signature',
		/changed/],
	]) {
		const c = await connect(s);
		const e = await refusal(c.call('hello', {...HELLO, token}));
		ok(e.kind === 'denied' && words.test(e.message) &&
			(!reason || e.data.reason === reason),
		`a token ${what}: the words`, {...e, message: e.message});
		is((await c.closed).code, 4401, `a token ${what}: 4401`);
	}
	{
		const c = await connect(s);
		const e = await refusal(c.call('hello', {...HELLO,
			session: 'a'.repeat(52)}));
		is([e.kind, e.data.reason], ['denied', 'session'],
			'an unknown session');
		is((await c.closed).code, 4401, 'an unknown session: 4401');
	}
	// The meeting of the page's address, if it says so.
	await meeting(o, 'elsewhere');
	const here = await user(s, {token: handed.token, meeting: 'hello'});
	ok(here.user, 'a token of the meeting that is named');
	is((await user(s, {session: here.session, meeting: 'hello'})).user,
		here.user, 'and its session');
	for (const key of [{token: handed.token}, {session: here.session}])
		for (const id of ['elsewhere', 'nowhere', '']) {
			const c = await connect(s);
			const e = await refusal(c.call('hello', {...HELLO,
				...key, meeting: id}));
			is([e.kind, e.data.reason, e.message], ['denied',
				'other_meeting',
				'This link is for another meeting.'],
			`a ${Object.keys(key)} is not for '${id}'`);
			is((await c.closed).code, 4401, 'and ends: 4401');
		}
	is((await refusal((await connect(s)).call('hello', {...HELLO,
		token: handed.token, meeting: 1}))).kind, 'invalid',
	'a meeting that is no text');
	{
		const c = await connect(s);
		const e = await refusal(c.call('hello', HELLO));
		is(e.kind, 'denied', 'neither token nor session');
	}
	{
		const c = await connect(s);
		const e = await refusal(c.call('hello', {...HELLO, token:
			sign({...claims, mtg: 'another'})}));
		is([e.kind, e.data.reason], ['not_found', 'absent'],
			'a token of a meeting that never was');
		is((await c.closed).code, 4401, 'of no meeting: 4401');
	}
	{
		const c = await connect(s), nbf = now + 3600;
		const {data} = await refusal(c.call('hello', {...HELLO, token:
			sign({...claims, nbf})}));
		is([Date.parse(data.from) / 1000, data.wait_ms > 3500e3 &&
			data.wait_ms <= 3600e3], [nbf, true],
		'one that is early learns when it counts');
	}
	{
		const c = await connect(s);
		c.call('user.join').catch(() => {});
		is((await c.closed).code, 1008, 'a request before hello ends it');
	}
	{
		const c = await user(s, handed);
		c.call('hello', {...HELLO, token: handed.token}).catch(() => {});
		is((await c.closed).code, 1008, 'a second hello ends it');
	}
	{
		const c = await user(s, handed);
		c.send('{"jsonrpc":"2.0","id":1,"method":"user.list","id":2}');
		is((await c.closed).code, 1008, 'malformed JSON ends it');
		ok(c.refused, 'behind an error');
	}
	like(s.process.err, /malformed message, closed/, 'and is logged');
	for (const [what, bytes, binary] of [
		['malformed frame', [1, 2], true],
		['malformed frame', [0xc3, 0x28], false],
		['oversized message', Buffer.alloc(65537, 'x'), false],
	]) {
		const c = await connect(s);
		const so = () => Number(/(\d+) such peers so far\)\s*$/
			.exec(s.process.err)?.[1]);
		const before = so();
		c.ws.send(Buffer.from(bytes), {binary});
		await c.closed;
		ok(await until(5, () => so() === before + 1) &&
			s.process.err.trim().split('\n').at(-1)
				.includes(what),
		`a ${what} is one counted line`, s.process.err.slice(-200));
	}

	// A link without a name: each opening is somebody else.
	const ben = await user(s, handed, 'Ben');
	const cat = await user(s, handed, 'Cat');
	ok(ben.user !== cat.user, 'each opening is a new user');
	ok(await ann.saw('user.joined', (d) => d.name === 'Cat'),
		'others see them come');
	is((await refusal(ben.call('user.mute', {user: cat.user}))).kind,
		'denied', 'a viewer mutes nobody');
	is((await refusal(ben.call('user.list', {meeting: 'other'}))).kind,
		'denied', 'no other meeting');
	is((await refusal(ben.call('meeting.list'))).kind, 'denied',
		'no list of meetings');
	is((await refusal(ben.call('events.follow', {since: 1e6}))).kind,
		'invalid', 'no events of the future');

	// Private chat.
	await ben.call('chat.say', {text: 'secret', to: ann.user});
	await ben.call('chat.say', {text: 'open'});
	await cat.saw('chat.said', (d) => d.text === 'open');
	ok(ann.events.some((e) => e.data.text === 'secret'),
		'the addressee reads a private message');
	ok(ben.events.some((e) => e.data.text === 'secret'),
		'so does its sender');
	ok(!cat.events.some((e) => e.data.text === 'secret'),
		'nobody else does');
	const read = await cat.call('events.read', {since: 0});
	ok(!JSON.stringify(read).includes('secret'), 'nor by reading');
	const back = await cat.call('user.join');
	ok(!JSON.stringify(back).includes('secret'), 'nor by joining');
	ok(JSON.stringify(await o.call('events.read', {meeting: 'hello'}))
		.includes('secret'), 'operators do');
	ok(!cat.events.some((e) => e.type.startsWith('link.')),
		'viewers see no links');

	// One user, one connection.
	const again = await user(s, {session: ben.session});
	is(again.user, ben.user, 'a session is the same user');
	is(again.hello.joined, true, 'and has the seat');
	is((await ben.closed).code, 4409, 'the older connection ends');
	is((await again.call('user.join')).user.name, 'Ben',
		'joining again keeps the name');
	ok(!ann.events.some((e) => e.type === 'user.away'),
		'nobody was away meanwhile');
	again.close();
	ok(await ann.saw('user.away', (d) => d.user === ben.user),
		'a lost connection is seen as away');
	const third = await user(s, {session: ben.session}, 'x');
	ok(await ann.saw('user.back', (d) => d.user === ben.user),
		'and the seat is taken again');

	// Kick: the event, the close, and no way back.
	const kicked = await ann.call('user.kick', {user: third.user,
		reason: 'rude'});
	is(typeof kicked.seq, 'number', 'a kick has a number');
	is((await third.closed).code, 4403, 'the kicked one is closed: 4403');
	ok(third.events.some((e) => e.type === 'user.kicked' &&
		e.data.reason === 'rude'), 'after being told why');
	const e = await refusal(user(s, {session: ben.session}));
	is([e.kind, e.data.reason], ['denied', 'session'],
		'the session counts no more');
	const dan = await user(s, await link('viewer', 'Dan'), '');
	const danLink = (await o.call('link.list', {meeting: 'hello'})).links
		.find((l) => l.sub === dan.user);
	await o.call('user.kick', {meeting: 'hello', user: dan.user});
	is((await dan.closed).code, 4403, 'an operator can kick too');
	ok((await o.call('link.list', {meeting: 'hello'})).links.find((l) =>
		l.link === danLink.link).revoked, 'the bound link is revoked');

	// Leaving: a guest again, on the same connection.
	await cat.call('user.leave');
	ok(await ann.saw('user.left', (d) => d.user === cat.user &&
		d.reason === 'left'), 'leaving is seen');
	is((await refusal(cat.call('chat.say', {text: 'x'}))).kind, 'denied',
		'who left says nothing');
	const before = cat.events.length;
	await ann.call('chat.say', {text: 'after'});
	await ann.saw('chat.said', (d) => d.text === 'after');
	await cat.call('meeting.show');
	is(cat.events.length, before, 'and hears nothing');
	ok((await cat.call('user.join', {name: 'Cat'})).user, 'may come back');

	// A revoked link lets nobody in.
	await o.call('link.revoke', {meeting: 'hello', link: handed.link});
	const gone = await connect(s);
	const r = await refusal(gone.call('hello', {...HELLO,
		token: handed.token}));
	is([r.kind, r.data.reason, (await gone.closed).code],
		['denied', 'revoked', 4403], 'a revoked link');

	// The end.
	await o.call('meeting.end', {meeting: 'hello'});
	is((await ann.closed).code, 4410, 'the end closes everybody: 4410');
	ok(ann.events.some((x) => x.type === 'meeting.ended'),
		'after telling them');
	is((await refusal(user(s, {session: ann.session}))).data.reason,
		'session', 'sessions end with the meeting');

	is(await s.stop(), 0, 'a clean end');
	ok(!/ERROR|runtime error/.test(s.log + s.process.err), 'no complaint',
		s.process.err);
	await until(1, () => true);
});
