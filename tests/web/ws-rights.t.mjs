// Who may do what, asked of the running daemon: every row of the table in
// conf-ctl(7), by everybody.
import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {is, ok, root, test} from './lib.mjs';
import {meeting, op, refusal, relay, start, user} from './signal.mjs';

const rows = [...readFileSync(join(root, 'man/man7/conf-ctl.7'), 'utf8')
	.matchAll(/^\.It Cm (\w+\.\w+) Ta (\S+) Ta ([a-z ]+)$/gm)]
	.map(([, method, about, who]) => ({method, about, who: who.split(' ')}));

// What is asked, so that it is no more than a matter of rights.
const params = {
	'meeting.get': {key: 'name'},
	'meeting.set': {key: 'name', value: 'x'},
	'user.role': {role: 'viewer'},
	'user.hand': {up: false},
	'chat.say': {text: 'x'},
	'link.revoke': {link: 'x'},
	'media.publish': {sdp: 'x'},
	'media.answer': {sdp: 'x', transport: 't_' + 'a'.repeat(26)},
	'media.want': {tracks: []},
	'media.off': {sources: []},
	'media.confirm': {transport: 't', mid: '3', turn: 1},
	'media.check': {transports: []},
};

await test(async () => {
	const s = await start(), o = await op(s);
	let n = 0;

	await relay(s);
	ok(rows.length > 30, `the table has ${rows.length} rows`);
	for (const {method, about, who} of rows) {
		const got = [];
		for (const party of ['guest', 'viewer', 'moderator', 'op']) {
			const id = `m${n++}`, link = await meeting(o, id);
			const other = await user(s, await link(), 'Other');
			const actor = party === 'op' ? o : await user(s,
				await link(party === 'moderator' ? party : 'viewer'),
				party === 'guest' ? undefined : 'Actor');
			const p = {...params[method]};
			if (about === 'other') p.user = other.user;
			if (about === 'all') p.all = true;
			// An operator is nobody in the meeting: "self" is another.
			if (about === 'self' && party === 'op' &&
				!who.includes('op'))
				Object.assign(p, method.startsWith('user.') &&
					{user: 'u_' + 'a'.repeat(26)});
			if (about !== 'server') p.meeting = id;
			const r = await actor.call(method, p).catch((e) => e);
			// Without a meeting people get their own, never all.
			if (r.kind !== 'denied' && !(about === 'server' &&
				r.seq !== undefined))
				got.push(party);
			other.close();
			if (actor !== o) actor.close();
		}
		// Operators reach others by the row that is about others.
		const wanted = about === 'self' && rows.some((r) =>
			r.method === method && r.about === 'other' &&
			r.who.includes('op')) ? [...who, 'op'] : who;
		is(got, wanted, `${method} ${about}`);
	}
	is((await refusal(o.call('user.away', {meeting: 'm0'}))).code, -32601,
		'what only the system decides is no method');
	is((await refusal(o.call('media.started', {meeting: 'm0'}))).code,
		-32601, 'nor is what workers tell');
	is(await s.stop(), 0, 'a clean end');
});
