// What happened by itself while the log could not be written is made up for
// once it can: who lost his connection is away, and what the relay has begun
// and ended to send is known.
import {execFileSync} from 'node:child_process';
import {is, ok, test, until} from './lib.mjs';
import {endpoint, meeting, op, refusal, relay, start, user}
	from './signal.mjs';

await test(async () => {
	const s = await start(), o = await op(s);
	const link = await meeting(o, 'hello');
	const ann = await user(s, await link('moderator', 'Ann'), '');
	const ben = await user(s, await link(), 'Ben');
	const limit = (size) => execFileSync('prlimit', ['--pid',
		s.process.pid, `--fsize=${size}:unlimited`]);
	const r = await relay(s);
	const track = (what, source) => r.notify(`track.${what}`, {
		room: 'hello', endpoint: endpoint(ann.user), source});

	await ann.call('media.publish', {sdp: 'offer'});
	const {transport} = await r.told('transport.create');
	track('started', 'cam');
	ok(await ann.saw('media.started', (d) => d.source === 'cam'),
		'a camera is seen');
	let asked = 0;
	r.serve['relay.list'] = () => {
		asked++;
		return {rooms: [{room: 'hello', epoch: 1, version: 1,
			endpoints: [{endpoint: endpoint(ann.user), grant: {},
				transports: [{transport, direction: 'publish',
					state: 'connected'}], tracks: ['mic']}]}]};
	};

	limit(0);
	is((await refusal(ann.call('chat.say', {text: 'lost'}))).kind, 'io',
		'the log cannot be written');
	const failures = (n) => until(5, () => s.process.err
		.match(/error: the log cannot be written/g)?.length >= n);
	await failures(1);
	ben.close();
	await failures(2);
	track('started', 'mic');
	track('stopped', 'cam');
	ok(await failures(3), 'what happens by itself fails, too');
	is(ann.events.map((e) => e.type), ['link.created', 'user.joined',
		'media.started'], 'nothing of it has happened');
	is(asked, 0, 'the relay is left alone');

	limit('unlimited');
	await ann.call('chat.say', {text: 'found'});
	ok(await ann.saw('media.started', (d) => d.source === 'mic'),
		'the microphone is known');
	ok(await ann.saw('media.stopped', (d) => d.source === 'cam'),
		'and that the camera is off');
	is(asked, 1, 'the relay was asked once');
	ok(await ann.saw('user.away', (d) => d.user === ben.user, 15),
		'who went is away');
	const {users} = await o.call('user.list', {meeting: 'hello'});
	is(users.map((u) => [u.away, u.sources]), [[false, ['mic']],
		[true, []]], 'the roster is right');
	await s.stop();
});
