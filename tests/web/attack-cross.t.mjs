/* Every verb against a meeting that one is not in, by each who could try:
 * its guests and moderators of another meeting, one without a hello, one
 * whose session has ended. Nothing there changes, nothing is told. */
import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {is, ok, root, test} from './lib.mjs';
import {connect, dial, meeting, op, relay, start, user} from './signal.mjs';

const page = readFileSync(join(root, 'man/man7/conf-ctl.7'), 'utf8');
const inTable = new Set([...page
	.matchAll(/^\.It Cm (\w+\.\w+) Ta \S+ Ta [a-z ]+$/gm)]
	.map(([, method]) => method));
const inCode = [...readFileSync(join(root, 'lib/hub/hub_method.c'), 'utf8')
	.matchAll(/^\t\{"(\w+\.\w+)", /gm)].map(([, method]) => method);

const params = {
	'meeting.set': {key: 'name', value: 'taken'},
	'meeting.get': {key: 'name'},
	'meeting.end': {reason: 'taken'},
	'user.role': {role: 'moderator'},
	'user.hand': {up: true},
	'user.kick': {reason: 'taken'},
	'chat.say': {text: 'taken'},
	'link.create': {role: 'moderator'},
	'media.publish': {sdp: 'v=0'},
	'media.answer': {sdp: 'v=0'},
	'media.want': {tracks: []},
	'media.off': {sources: ['mic', 'cam']},
	'media.check': {transports: []},
};

await test(async () => {
	const s = await start(), o = await op(s);
	const mine = await meeting(o, 'mine'), theirs = await meeting(o, 'theirs');
	const r = await relay(s);
	const ann = await user(s, await theirs('moderator'), 'Ann');
	const pub = await ann.call('media.publish', {sdp: 'ann'}).catch(() => null);
	const transport = pub?.transport ??
		(await r.told('transport.create'))?.transport;
	const link = (await o.call('link.list', {meeting: 'theirs'})).links[0];
	const state = async () => JSON.stringify([
		await o.call('events.read', {meeting: 'theirs'}),
		await o.call('user.list', {meeting: 'theirs'}),
		await o.call('meeting.show', {meeting: 'theirs'}),
		(await o.call('link.list', {meeting: 'theirs'})).links.length]);

	is(inCode.filter((m) => !inTable.has(m)), [],
		`all ${inCode.length} methods of the code stand in the table`);
	is([...inTable].filter((m) => !inCode.includes(m)), [],
		'and the table has no other');
	ok(transport, 'there is a transport of theirs');

	const gone = await user(s, await theirs('moderator'), 'Gone');
	await o.call('user.kick', {meeting: 'theirs', user: gone.user});
	const before = await state();
	const asked = r.asked.length;
	const who = {
		'a viewer of another meeting':
			await user(s, await mine('viewer'), 'Eve'),
		'a moderator of another meeting':
			await user(s, await mine('moderator'), 'Mallory'),
		'a guest of another meeting': await user(s, await mine('moderator')),
	};
	const attempt = {meeting: 'theirs', user: ann.user, transport,
		link: link.link ?? link.id, id: 'theirs'};
	for (const [name, actor] of Object.entries(who)) {
		const done = [];
		for (const method of inCode) {
			if (method === 'user.leave' || method === 'user.join')
				continue;
			const got = await actor.call(method, {...attempt,
				...params[method]}).catch((e) => e);
			if (!(got instanceof Error)) done.push(method);
		}
		is(done, [], `${name}: 0 of ${inCode.length} verbs`);
		is(await state() === before, true, 'nothing there has changed');
	}
	/* His own verbs, which name no meeting, with things of theirs. */
	const mallory = who['a moderator of another meeting'];
	for (const [method, p] of [['media.answer', {transport, sdp: 'v=0'}],
		['media.check', {transports: [transport]}],
		['media.want', {tracks: [{user: ann.user, source: 'cam',
			height: 720}]}],
		['user.mute', {user: ann.user}], ['user.kick', {user: ann.user}],
		['user.role', {user: ann.user, role: 'viewer'}],
		['chat.say', {to: ann.user, text: 'taken'}],
		['link.revoke', {link: attempt.link}]]) {
		await mallory.call(method, p).catch((e) => e);
		ok(await state() === before && !r.asked.slice(asked).some(([, q]) =>
			JSON.stringify(q).includes(transport)),
		`${method} with what is theirs does nothing there`);
	}
	/* Without a hello, on either door; and behind the end of a session. */
	let answered = 0;
	for (const method of inCode)
		for (const open of [() => connect(s), () => dial(s.sock),
			() => dial(s.worker)]) {
			const c = await open();
			answered += !(await c.call(method, {...attempt,
				...params[method]}).catch((e) => e) instanceof Error);
			c.close();
		}
	is(answered, 0, 'without a hello 0 verbs are done');
	ok(gone.ended, 'who was kicked is cut off');
	const back = await connect(s);
	const e = await back.call('hello', {protocol: [1], agent: 't',
		role: 'client', caps: [], session: gone.session}).catch((x) => x);
	ok(e instanceof Error, 'and his session is worth nothing');
	is(await state() === before, true, 'nothing there has changed at last');
	ann.close();
	is(await s.stop(), 0, 'a clean end');
});
