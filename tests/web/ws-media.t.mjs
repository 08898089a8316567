// What confd-signal asks of a relay and tells of it, with a relay by words
// alone: grants, waiting, loss, registration, slots.
import {is, ok, test, until} from './lib.mjs';
import {dial, endpoint, meeting, op, refusal, relay, start, user}
	from './signal.mjs';

const ALL = ['mic', 'cam', 'screen', 'screen-audio'];

await test(async () => {
	const s = await start();
	let o = await op(s);
	const link = await meeting(o, 'hello');
	const ann = await user(s, await link('moderator', 'Ann'), '');
	const ben = await user(s, await link(), 'Ben');
	const guest = await user(s, await link());

	is((await refusal(guest.call('media.publish', {sdp: 'x'}))).kind,
		'denied', 'media is for who has joined');
	is((await refusal(ann.call('media.publish', {}))).kind, 'invalid',
		'an offer is needed');

	// Without a relay a request waits, and then fails.
	let began = Date.now();
	is((await refusal(ann.call('media.publish', {sdp: 'x'}))).kind,
		'unavailable', 'no relay');
	ok(Date.now() - began >= 1900 && Date.now() - began < 4000,
		'after two seconds');
	is(await ann.call('media.check', {transports: ['t_x']}),
		{gone: ['t_x']}, 'without a relay every transport is gone');

	// A wrong secret, a wrong role.
	is((await refusal(relay(s, {secret: '00'.repeat(32)}))).kind,
		'denied', 'a wrong secret');
	{
		const c = await dial(s.worker);
		is((await refusal(c.call('hello', {protocol: [1],
			role: 'client'}))).kind, 'denied', 'no client there');
	}

	// One that comes in time.
	const waiting = ann.call('media.publish', {sdp: 'offer-a'});
	let r = await relay(s);
	const pub = await waiting;
	is(r.hello.actor, 'worker:relay/relay-0', 'the relay is known');
	is(pub.sdp, 'answer to offer-a', 'a waiting request is answered');
	is(await r.told('room.create'), {room: 'hello', epoch: 1},
		'the room is made first');
	const create = await r.told('transport.create');
	is({...create, transport: 0}, {room: 'hello', epoch: 1,
		endpoint: endpoint(ann.user), transport: 0,
		direction: 'publish', grant: {publish: ALL, muted: [],
			receive: true}, sdp: 'offer-a'}, 'with the whole grant');
	is(create.transport, pub.transport, 'the id is ours');
	const sub = await ben.call('media.subscribe', {confirm: true});
	is((await r.told('transport.create', (p) => p.direction ===
		'subscribe')).confirm, true, 'who covers slots says so');
	is((await refusal(ben.call('media.subscribe', {confirm: 1}))).kind,
		'invalid', 'in so many words');
	is(sub.slots.length, 1, 'slots');
	is(await ben.call('media.answer', {transport: sub.transport,
		sdp: 'answer-b'}), {}, 'an answer');
	is(await r.told('transport.answer'), {transport: sub.transport,
		sdp: 'answer-b'}, 'goes to the relay');
	is((await refusal(ann.call('media.answer', {transport:
		sub.transport, sdp: 'x'}))).kind, 'not_found',
	'not to the transport of another');
	is(await ben.call('media.want', {tracks: [{user: ann.user,
		source: 'cam', height: 360, stage: true}]}), {}, 'a wish');
	is((await r.told('endpoint.want')).tracks, [{endpoint:
		endpoint(ann.user), source: 'cam', height: 360, stage: true}],
	'by endpoint');
	for (const tracks of [undefined, {}, [1], [{user: 'x', source: 'cam'}],
		[{user: ann.user, source: 'x'}], Array(129).fill({user:
			ann.user, source: 'cam'})])
		is((await refusal(ben.call('media.want', {tracks}))).kind,
			'invalid', `no wish: ${JSON.stringify(tracks)}`
				.slice(0, 60));

	// What one stops oneself is forwarded no more, at once.
	is(await ann.call('media.off', {sources: ['cam']}), {}, 'a camera stops');
	is((await r.told('endpoint.grant')).grant.publish, ['mic', 'screen',
		'screen-audio'], 'the relay may not forward it');
	await ann.call('media.off', {sources: []});
	is((await r.told('endpoint.grant', (g) =>
		g.grant.publish.includes('cam'))).grant.publish, ALL,
	'until it starts again');
	is((await refusal(ann.call('media.off', {sources: ['x']}))).kind,
		'invalid', 'of known sources');

	// A new one of a kind closes the one before.
	const pub2 = await ann.call('media.publish', {sdp: 'offer-c'});
	is((await r.told('transport.close')).transport, pub.transport,
		'the former transport is closed');
	is(await ann.call('media.check', {transports: [pub.transport,
		pub2.transport]}), {gone: [pub.transport]}, 'and checked as gone');

	// Muting: own, by a moderator, all; leaving; kicking.
	await ben.call('media.publish', {sdp: 'offer-b'});
	const granted = async (u, muted, what) => {
		const g = await r.told('endpoint.grant', (p) =>
			p.endpoint === endpoint(u.user) &&
			`${p.grant.muted}` === `${muted}`);
		ok(g, what, r.asked);
		r.asked = [];
	};
	r.asked = [];
	await ben.call('user.mute');
	await granted(ben, ['mic'], 'own mute');
	await ben.call('user.unmute');
	await granted(ben, [], 'own unmute');
	await ann.call('user.mute', {user: ben.user});
	await granted(ben, ['mic', 'screen-audio'], 'a moderator\'s');
	await ben.call('user.unmute');
	await ann.call('user.mute', {all: true});
	await o.call('meeting.list');
	is(r.asked, [], 'held stays held, and nothing is told twice');
	await ann.call('user.unmute', {user: ben.user});
	await granted(ben, [], 'released');

	// Tracks and transient events.
	r.notify('track.started', {room: 'hello', endpoint:
		endpoint(ann.user), source: 'cam'});
	ok(await ben.saw('media.started', (d, e) => d.user === ann.user &&
		d.source === 'cam' && e.actor === 'worker:relay/relay-0'),
	'a started track is an event');
	is((await o.call('user.list', {meeting: 'hello'})).users[0].sources,
		['cam'], 'and part of the state');
	const slot = (more) => ({room: 'hello', endpoint: endpoint(ben.user),
		transport: sub.transport, mid: '3', slot: 3,
		from: endpoint(ann.user), source: 'cam', ...more});
	r.notify('slot.assigned', slot({}));
	ok(await ben.saw('slot.assigned', (d, e) => d.user === ann.user &&
		d.mid === '3' && e.seq === undefined), 'a slot is told');
	r.notify('slot.assigned', slot({mid: '4', slot: 4, confirm: 7}));
	ok(await ben.saw('slot.assigned', (d) => d.mid === '4' &&
		d.confirm === 7), 'which is to be covered');
	is(await ben.call('media.confirm', {transport: sub.transport, mid: '4',
		turn: 7}), {}, 'and is');
	is(await r.told('slot.confirm'), {transport: sub.transport, mid: '4',
		turn: 7}, 'as the relay hears');
	is((await refusal(ann.call('media.confirm', {transport: sub.transport,
		mid: '4', turn: 7}))).kind, 'not_found', 'of one\'s own alone');
	is((await refusal(ben.call('media.confirm', {transport: sub.transport,
		mid: 4, turn: 7}))).kind, 'invalid', 'with all that it needs');
	r.notify('slot.live', slot({rtp_ts: 4000000000}));
	ok(await ben.saw('slot.live', (d) => d.rtp_ts === 4000000000),
		'and when its picture is there');
	ok(!ann.events.some((e) => e.type.startsWith('slot.')),
		'to its owner alone');
	r.notify('slot.assigned', slot({transport: 't_other'}));
	r.notify('talk.level', {room: 'hello', levels: [{endpoint:
		endpoint(ann.user), level: 20}]});
	ok(await ann.saw('talk.level', (d) => d.levels[0].user === ann.user &&
		d.levels[0].level === 20), 'levels go to all');
	r.notify('transport.offer', {room: 'hello', endpoint:
		endpoint(ben.user), transport: sub.transport, sdp: 'more',
	slots: []});
	ok(await ben.saw('media.renegotiate', (d) => d.sdp === 'more'),
		'a renegotiation');
	is(ben.events.filter((e) => e.type === 'slot.assigned').length, 2,
		'nothing of a transport that is not his');

	// Back after a reconnect: the slots and the open offer are told again.
	let ben2 = await user(s, {session: ben.session});
	await ben2.call('user.join');
	is(await ben2.call('media.check', {transports: [sub.transport]}),
		{gone: []}, 'transports outlive the connection');
	ok(await ben2.saw('slot.live', (d) => d.user === ann.user),
		'slots are told again');
	ok(await ben2.saw('media.renegotiate'), 'so is an open offer');
	await ben2.call('events.follow');

	// A transport that ends by itself.
	r.notify('transport.state', {room: 'hello', endpoint:
		endpoint(ben.user), transport: sub.transport, state: 'closed',
	reason: 'timeout'});
	ok(await ben2.saw('media.reset', (d) => d.transports[0] ===
		sub.transport && d.reason === 'timeout'), 'a reset is told');

	// The daemon is killed: what the relay holds is learned from it.
	await ben2.call('media.subscribe');
	const holds = (id, ...transports) => ({endpoint: endpoint(id),
		grant: {publish: ALL, muted: [], receive: true}, tracks: [],
		transports: transports.map(([transport, direction]) =>
			({transport, direction, state: 'connected'}))});
	const stranger = 'u_' + 'a'.repeat(26);
	await s.crash();
	o = await op(s);
	r = await relay(s, {rooms: [
		{room: 'hello', epoch: 1, version: 9, endpoints: [
			{...holds(ann.user, [pub2.transport, 'publish']),
				tracks: ['mic']},
			holds(stranger, ['t_' + 'b'.repeat(26), 'publish'])]},
		{room: 'unknown', epoch: 5, version: 1, endpoints: []}]});
	const sync = await r.told('room.sync');
	is([sync.room, sync.epoch], ['hello', 1], 'a room is synchronised');
	is(sync.endpoints.map((e) => e.endpoint).sort(), [ann, ben].map((u) =>
		endpoint(u.user)).sort(), 'with our seats, and no stranger');
	is((await r.told('room.remove')).room, 'unknown',
		'an unknown room is removed');
	let ann2 = await user(s, {session: ann.session}, '');
	is(await ann2.call('media.check', {transports: [pub2.transport,
		't_' + 'b'.repeat(26)]}), {gone: ['t_' + 'b'.repeat(26)]},
	'media go on');
	is(ann2.joined.user.sources, ['mic'],
		'sources are what the relay has, not what the log said');

	// The relay is killed: clients are told, rooms begin anew.
	began = Date.now();
	r.close();
	ok(await ann2.saw('media.reset', (d) =>
		d.transports[0] === pub2.transport), 'a lost relay is told');
	ok(Date.now() - began < 500, 'at once');
	ok(await ann2.saw('media.stopped', (d) => d.source === 'mic'),
		'its sources have stopped');
	r = await relay(s);
	await ann2.call('media.publish', {sdp: 'again'});
	is((await r.told('room.create')).epoch, 2, 'the epoch is raised');

	// One that was only disconnected comes with the old epoch.
	r.close();
	await ann2.saw('media.reset', (d) => d.reason === 'relay', 2);
	r = await relay(s, {rooms: [{room: 'hello', epoch: 2, version: 1,
		endpoints: [holds(ann.user)]}]});
	ok(await r.told('room.remove'), 'what has an old epoch is removed');

	// A refusal of the relay reaches who asked.
	r.serve['transport.create'] = () => ({fail: 'bad sdp',
		kind: 'invalid'});
	const e = await refusal(ann2.call('media.publish', {sdp: 'x'}));
	is([e.kind, e.message], ['invalid', 'bad sdp'], 'a refusal');
	// Kicked while the relay thinks about it: never handed out.
	let go;
	r.serve['transport.create'] = () => new Promise((f) => { go = f; });
	ben2 = await user(s, {session: ben.session}, '');
	const slow = refusal(ben2.call('media.publish', {sdp: 'x'}));
	await until(5, () => go, 10);
	await o.call('user.kick', {meeting: 'hello', user: ben.user});
	ok(await r.told('endpoint.remove', (p) => p.endpoint ===
		endpoint(ben.user)), 'a kicked endpoint is removed');
	go({sdp: 'late', sources: []});
	ok((await slow).kind !== 'none', 'and gets no transport');
	r.serve['transport.create'] = () => ({sdp: 'a', sources: []});
	await ann2.call('media.publish', {sdp: 'x'});
	await ann2.call('user.leave');
	ok(await r.told('endpoint.remove', (p) => p.endpoint ===
		endpoint(ann.user)), 'who leaves is removed');
	await o.call('meeting.end', {meeting: 'hello'});
	ok(await r.told('room.remove', (p) => p.room === 'hello'),
		'the end removes the room');

	// Rubbish from a relay closes it, not us.
	r.send('{"jsonrpc":"2.0","method":5}');
	await r.closed;
	ok(await o.call('meeting.list'), 'a malformed relay is closed alone');
	is(await s.stop(), 0, 'a clean end');
	ok(!/ERROR|runtime error/.test(s.log), 'no complaint', s.log);
});
