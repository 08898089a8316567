/* timeout: 90
 * media.attach beside a relay by words alone: who may, what the relay is
 * asked, when the seat is away and when it is back, over losses of either
 * daemon. */
import {execFileSync} from 'node:child_process';
import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {is, like, ok, test, until} from './lib.mjs';
import {endpoint, meeting, op, refusal, relay, start, user} from './signal.mjs';

const seats = async (o) => (await o.call('user.list', {meeting: 'm'})).users
	.map((u) => `${u.name}${u.away ? ' away' : ''}`);
const attach = (o, more = {}) => o.call('media.attach', {meeting: 'm',
	...more});

await test(async () => {
	const s = await start();
	let o = await op(s);
	const link = await meeting(o, 'm', {max_users: 4});
	const ada = await user(s, {token: (await link('moderator')).token},
		'Ada');

	is((await refusal(attach(o, {as: 'Tool'}))).kind, 'unavailable',
		'without a relay there is nothing to attach to');
	let r = await relay(s);
	const e = await refusal(attach(o, {as: 'Tool'}));
	is([e.kind, e.message], ['unavailable', 'the media server has no bus'],
		'nor at a relay that has no bus');
	is(await seats(o), ['Ada'], 'and no seat was taken for it');
	r.close();
	await until(5, () => r.ended);

	r = await relay(s, {bus: '/run/x.bus'});
	for (const [what, kind] of [[{publish: 'cam'}, 'invalid'],
		[{publish: ['mix']}, 'invalid'], [{receive: 1}, 'invalid'],
		[{as: 5}, 'invalid'], [{role: 'king'}, 'invalid'],
		[{user: ada.user}, 'not_found'],
		[{meeting: 'none'}, 'not_found']])
		is((await refusal(attach(o, what))).kind, kind,
			`${JSON.stringify(what)} is ${kind}`);
	is((await refusal(attach(ada, {as: 'x'}))).kind, 'denied',
		'a moderator may not');
	is(await seats(o), ['Ada'], 'nothing came of it');

	await o.call('events.follow', {meeting: 'm'});
	const a = await attach(o, {as: 'Tool\n', publish: ['cam']});
	is([a.bus, a.ticket_ms, a.endpoint], ['/run/x.bus', 30000,
		endpoint(a.user)], 'attached, it is told where to go');
	like(a.ticket, /^k_[a-z2-7]{26}$/, 'with a ticket of 128 bits');
	const asked = await r.told('ticket.create');
	is([asked.room, asked.endpoint, asked.ticket, asked.grant.publish,
		asked.grant.muted, asked.grant.receive],
	['m', a.endpoint, a.ticket, ['cam'], [], true],
	'the relay got the ticket and the complete grant');
	const joined = await o.saw('user.joined', (d) => d.user == a.user);
	is([joined?.data.name, joined?.data.role, joined?.data.link,
		joined?.actor], ['Tool', 'viewer', undefined, o.hello.actor],
	'all learn who it is and who let it in');
	const one = await op(s);
	const b = await attach(one, {as: 'Ears', role: 'moderator'});
	one.close();
	is(await seats(o), ['Ada', 'Tool', 'Ears'],
		'its seat does not end with who asked');
	await attach(o, {as: 'Fourth'});
	is((await refusal(attach(o, {as: 'Fifth'}))).kind, 'limit',
		'a meeting that is full is full for them too');

	const metrics = execFileSync('curl', ['-s', '--unix-socket', s.sock,
		'http://localhost/metrics']).toString();
	like(metrics, /^confkit_users\{state="here"\} 4$/m,
		'programs on the bus are counted as here');
	like(metrics, /^confkit_users\{state="away"\} 0$/m, 'nobody is away');

	await ada.call('user.mute', {user: a.user});
	ok(await r.told('endpoint.grant', (p) => p.endpoint == a.endpoint &&
		p.grant.muted[0] == 'mic' && p.grant.publish.length == 1),
	'muted, it keeps what it was granted');
	const closed = (id, user, reason) => r.notify('transport.state', {
		room: 'm', endpoint: endpoint(user), transport: id, state:
		'closed', reason});
	closed(asked.transport, a.user, 'left');
	ok(await o.saw('user.away', (d) => d.user == a.user),
		'when it leaves the bus it is away');
	is((await attach(o, {user: a.user, publish: ['mic'], receive: false}))
		.user, a.user, 'it may attach anew, by its user');
	ok(await o.saw('user.back', (d) => d.user == a.user), 'and is back');
	const second = (await until(5, () => r.asked.filter(([m]) => m ==
		'ticket.create')[3]))?.[1];
	is([second?.grant.publish, second?.grant.muted, second?.grant.receive],
		[['mic'], ['mic', 'screen-audio'], false],
	'as it asks now, and still held');
	closed(asked.transport, a.user, 'replaced');

	r.serve['ticket.create'] = () => ({fail: 'stops', kind: 'draining'});
	const moved = attach(o, {user: b.user});
	const r2 = await relay(s, {instance: 'relay-1', bus: '/run/y.bus'});
	await r.told('ticket.create', (p) => p.endpoint == b.endpoint);
	r.close();
	is((await moved).bus, '/run/y.bus', 'one that ends is not the last word');
	r2.close();
	await until(5, () => r2.ended);
	r = await relay(s, {bus: '/run/x.bus'});
	await attach(o, {user: a.user, publish: ['mic'], receive: false});

	r.serve['ticket.create'] = () => ({fail: 'too many', kind: 'limit'});
	is((await refusal(attach(o, {user: b.user}))).kind, 'limit',
		'what the relay refuses is refused');
	ok(await o.saw('user.away', (d) => d.user == b.user),
		'and the seat is away');
	ok((await seats(o)).includes('Tool'), 'another is not');

	/* confd-signal dies: the relay says who is on the bus. */
	await s.crash();
	o = await op(s);
	r = await relay(s, {bus: '/run/x.bus', rooms: [{room: 'm', epoch: 9,
		version: 1, endpoints: [{endpoint: a.endpoint, tracks: ['mic'],
			grant: second.grant, transports: [{transport:
			second.transport, direction: 'bus', state:
			'connected'}]}]}]});
	const sync = await r.told('room.sync');
	is(sync.endpoints.find((x) => x.endpoint == a.endpoint)?.grant,
		second.grant, 'after a restart its grant is what it was');
	is((await o.call('user.list', {meeting: 'm'})).users.find((u) =>
		u.user == a.user)?.sources, ['mic'], 'and it sends');
	await o.call('events.follow', {meeting: 'm'});
	r.close();
	ok(await o.saw('user.away', (d) => d.user == a.user),
		'with its relay it goes away');
	is((await refusal(o.call('media.detach', {meeting: 'm', user:
		ada.user}))).kind, 'not_found', 'nobody else is detached');
	await o.call('media.detach', {meeting: 'm', user: a.user});
	ok(await o.saw('user.left', (d) => d.user == a.user),
		'detached, it has left');
	const who = `op:${process.getuid()}`;
	const lines = readFileSync(join(s.state, 'audit.log'), 'utf8').trim()
		.split('\n').map((l) => JSON.parse(l)).filter((l) =>
			/^media\.(at|de)tached$/.test(l.event) &&
			l.object == a.user);
	is(lines.map((l) => [l.event, l.subject, l.meeting, l.verdict]),
		[...Array(3).fill('attached'), 'detached'].map((e) =>
			[`media.${e}`, who, 'm', 'done']),
		'each is in the audit log');
	await s.stop();
});
