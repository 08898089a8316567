// What confd-signal does when a relay dies over a request, drains, does not
// answer, or does not hold what it should, with a relay by words alone.
import {is, ok, sleep, test, until} from './lib.mjs';
import {endpoint, meeting, op, refusal, relay, start, user}
	from './signal.mjs';

const never = () => new Promise(() => {});
const holds = (u, ...transports) => ({endpoint: endpoint(u.user),
	grant: {publish: ['mic'], muted: [], receive: true}, tracks: [],
	transports: transports.map(([transport, direction]) =>
		({transport, direction, state: 'connected'}))});

await test(async () => {
	const s = await start();
	let o = await op(s);
	const link = await meeting(o, 'hello');
	const ann = await user(s, await link('moderator', 'Ann'), '');
	const ben = await user(s, await link(), 'Ben');

	// It dies over a request: the next one is asked, with what holds now.
	let r = await relay(s);
	r.serve['transport.create'] = (p) => {
		r.asked.push(['transport.create', p]);
		return never();
	};
	const pub = ben.call('media.publish', {sdp: 'offer'});
	const first = await r.told('transport.create');
	await ann.call('user.mute', {user: ben.user});
	r.close();
	await sleep(100);
	r = await relay(s);
	const {transport} = await pub;
	const again = await r.told('transport.create');
	ok(again.transport === transport && transport !== first.transport,
		'a request survives its relay');
	is([again.sdp, again.grant.muted, again.epoch, first.epoch],
		['offer', ['mic', 'screen-audio'], 2, 1], 'with the grant and epoch of now');

	// It has gone already when it is to be asked, which nobody has seen.
	s.process.kill('SIGSTOP');
	const unseen = [ann.call('media.subscribe'),
		ben.call('media.subscribe')];
	await sleep(50);
	r.close();
	s.process.kill('SIGCONT');
	r = await relay(s);
	ok((await Promise.all(unseen)).every((a) => a.transport),
		'a relay that was gone before costs no request');

	// Once: who loses another relay is told.
	r.serve['transport.create'] = never;
	const failing = refusal(ben.call('media.subscribe'));
	await sleep(50);
	r.close();
	await sleep(50);
	r = await relay(s, {serve: {'transport.create': never}});
	await sleep(50);
	r.close();
	is((await failing).kind, 'unavailable', 'but only once');

	// It drains: nothing more is asked of it.
	r = await relay(s);
	r.serve['transport.create'] = () => ({fail: 'stopping',
		kind: 'draining'});
	const waiting = ann.call('media.subscribe');
	await sleep(50);
	r.asked = [];
	const other = ben.call('media.publish', {sdp: 'other'});
	await sleep(50);
	is(r.asked, [], 'who drains is asked no more');
	r.close();
	r = await relay(s);
	ok((await waiting).transport && (await other).transport,
		'the next one is');

	// Who asks twice while there is no relay means the second.
	r.close();
	await until(5, () => ben.events.find((e) => e.type === 'media.reset'));
	const [a, b] = [refusal(ben.call('media.publish', {sdp: '1'})),
		ben.call('media.publish', {sdp: '2'})];
	is((await a).kind, 'unavailable', 'a request replaces the one before');
	r = await relay(s);
	await b;
	is((await r.told('transport.create')).sdp, '2', 'and is asked');

	// No answer: whatever it makes of it later is taken back.
	r.serve['transport.create'] = (p) => {
		r.asked.push(['late', p]);
		return never();
	};
	is((await refusal(ben.call('media.subscribe'))).kind, 'timeout',
		'a relay that does not answer');
	const late = await r.told('late');
	ok(await r.told('transport.close', (p) =>
		p.transport === late.transport), 'is told to undo it');

	// Silenced and removed also where we know of no media.
	r.asked = [];
	await ann.call('user.unmute', {user: ben.user});
	ok(await r.told('endpoint.grant', (p) => p.endpoint ===
		endpoint(ben.user) && !p.grant.muted.length),
	'a grant for who has no media that we know of');
	await ben.call('user.leave');
	ok(await r.told('endpoint.remove', (p) => p.endpoint ===
		endpoint(ben.user)), 'and a removal');
	await ben.call('user.join');

	// It does not take a room: a higher epoch, than that which it has.
	r.close();
	await sleep(50);
	r = await relay(s);
	const epochs = [];
	r.serve['room.create'] = (p) => {
		epochs.push(p.epoch);
		return p.epoch <= 40 ? {fail: 'no', kind: 'invalid',
			more: {epoch: 40}} : {};
	};
	r.serve['transport.create'] = (p) => p.epoch > 40 ? {sdp: 'a'} :
		{fail: 'no room', kind: 'not_found'};
	await refusal(ann.call('media.publish', {sdp: 'x'}));
	await ann.call('media.publish', {sdp: 'x'});
	is(epochs.slice(1), [41], 'a refused room gets a higher epoch');

	// It does not take the correction: the room is dropped there.
	await s.crash();
	o = await op(s);
	const ann2 = await user(s, {session: ann.session}, '');
	const t = `t_${'a'.repeat(26)}`;
	const held = relay(s, {rooms: [{room: 'hello', epoch: 7, version: 1,
		endpoints: [holds(ann, [t, 'publish'])]}],
	serve: {'room.sync': () => ({fail: 'no memory', kind: 'internal'})}});
	r = await held;
	ok(await r.told('room.remove', (p) => p.room === 'hello'),
		'a room that cannot be corrected is removed');
	ok(await ann2.saw('media.reset', (d) => d.transports[0] === t),
		'its people are told');
	r.asked = [];
	await ann2.call('media.publish', {sdp: 'y'});
	is((await r.told('room.create')).epoch, 8, 'and it begins anew');

	// What somebody stopped stays so, though we forgot it.
	await s.crash();
	const ann3 = await user(s, {session: ann.session}, '');
	r = await relay(s, {rooms: [{room: 'hello', epoch: 8, version: 1,
		endpoints: [holds(ann, [t, 'publish'])]}]});
	const sync = await r.told('room.sync');
	is(sync.endpoints.find((e) => e.endpoint === endpoint(ann.user))
		.grant.publish, ['mic'], 'what was stopped stays stopped');
	ann3.close();
	is(await s.stop(), 0, 'a clean end');
	ok(!/ERROR|runtime error/.test(s.log), 'no complaint', s.log);
});
