/* What the page knows is the fold of events: once each, in any number of
 * parts, whatever was lost in between. */
import {is, ok, test} from './lib.mjs';
import {Model} from '../../lib/web/www/model.js';

const at = (s) => `2026-11-22T09:00:${String(s).padStart(2, '0')}.000Z`;
const user = (id, more) => ({user: id, name: id.toUpperCase(),
	role: 'viewer', joined: at(1), away: false, muted: false, held: false,
	hand: false, sources: [], ...more});
const event = (seq, type, data, actor = 'user:u_b') => ({v: 1, seq,
	time: at(seq), meeting: 'hello', type, actor, data});
const said = (seq, text, actor, more) =>
	event(seq, 'chat.said', {text, name: 'X', ...more}, actor);

function fresh(chat = [])
{
	const m = new Model();
	m.reset({user: user('u_me', {joined: at(3)}), users: [user('u_b'),
		user('u_a', {joined: at(2), sources: ['mic']}),
		user('u_me', {joined: at(3)})], meeting: {name: 'Hello'}, chat,
	seq: 10});
	return m;
}

await test(async () => {
	let m = fresh();
	is(m.order.map((u) => u.user), ['u_b', 'u_a', 'u_me'],
		'people stand in join order, self last');
	is([m.silent('u_a'), m.silent('u_b')], [false, true],
		'who sends no sound is silent');

	is(m.apply(event(11, 'user.held', {user: 'u_a'})), 'users', 'held');
	ok(m.silent('u_a'), 'a held one is silent');
	m.apply(event(12, 'user.muted', {user: 'u_a'}));
	m.apply(event(13, 'user.released', {user: 'u_a'}));
	ok(m.silent('u_a'), 'released, but still muted by herself');
	m.apply(event(14, 'user.unmuted', {user: 'u_a'}));
	ok(!m.silent('u_a'), 'sound flows when both are off');
	is(m.apply(event(14, 'user.held', {user: 'u_a'})), '',
		'an event that was seen changes nothing');

	m.apply(event(20, 'user.hand', {user: 'u_b', up: true}));
	m.apply(event(21, 'user.hand', {user: 'u_a', up: true}));
	is([m.hand('u_b'), m.hand('u_a'), m.hand('u_me')], [1, 2, 0],
		'hands are numbered in order');

	m.apply(event(22, 'user.joined', {user: 'u_c', name: 'C',
		role: 'moderator'}));
	m.apply(event(23, 'media.started', {user: 'u_c', source: 'cam'}));
	ok(m.users.get('u_c').sources.has('cam'), 'a camera starts');
	m.apply(event(24, 'user.left', {user: 'u_c', reason: 'left'}));
	ok(!m.users.has('u_c'), 'and its owner leaves');
	is(m.apply(event(25, 'media.stopped', {user: 'u_c', source: 'cam'})),
		'', 'what concerns nobody is passed over');
	is(m.apply(event(26, 'poll.opened', {})), '', 'so is an unknown type');
	is(m.apply(event(27, 'user.kicked', {user: 'u_me'})), 'gone',
		'removed');

	m = fresh([said(4, 'before', 'user:u_b')]);
	const row = m.saying('hi', '', 5);
	is(row.state, 'pending', 'a message is pending until it is logged');
	m.apply(said(11, 'hi', 'user:u_me'));
	is([m.chat.length, row.seq, row.state], [2, 11, ''],
		'its event settles it');
	m.mergeChat([said(4, 'before', 'user:u_b'), said(11, 'hi', 'user:u_me'),
		said(12, 'missed', 'user:u_b')]);
	is(m.chat.map((r) => r.text), ['before', 'hi', 'missed'],
		'after a loss nothing is missing and nothing is double');
	m.saying('lost', '', 6);
	m.mergeChat([said(13, 'other', 'user:u_b')]);
	is(m.chat.map((r) => r.text), ['before', 'hi', 'missed', 'other', 'lost'],
		'what is not sent yet stays last');
	m.apply(said(14, 'psst', 'user:u_b', {to: 'u_me'}));
	is(m.chat.at(-1).to, 'u_me', 'a private one says so');
});
