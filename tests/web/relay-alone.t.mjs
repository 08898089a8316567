/* conf-relay with nothing but this script, which carries the SDP of two
 * Chromiums to it: they see and hear each other before there is a meeting.
 * timeout: 180 */
import {test, ok, is, like, unsupported, note, until, sleep, rpc, bin, tone,
	chromium, page, root} from './lib.mjs';
import {join} from 'node:path';
import {networkInterfaces} from 'node:os';

const all = {publish: ['mic', 'cam', 'screen', 'screen-audio'], muted: [],
	receive: true};
const here = join(root, 'tests/web');
const hz = {e_a: 440, e_b: 1000};

async function open(endpoint)
{
	const b = await chromium({wav: tone(hz[endpoint])});
	return page(b, here, 'relay-alone.html');
}

/* Publishes from a page; edit may damage the offer on its way. */
async function publish(relay, p, endpoint, transport, edit = (s) => s)
{
	const offer = await p.evaluate(() => tab.publish());
	const r = await relay.call('transport.create', {room: 'r', epoch: 1,
		endpoint, transport, direction: 'publish', grant: all,
		sdp: edit(offer.sdp)});
	await p.evaluate(([n, sdp]) => tab.published(n, sdp),
		[offer.n, r.sdp]);
	return {...r, n: offer.n};
}

async function subscribe(relay, p, endpoint, transport)
{
	const r = await relay.call('transport.create', {room: 'r', epoch: 1,
		endpoint, transport, direction: 'subscribe', grant: all});
	const sdp = await p.evaluate((s) => tab.subscribe(s), r.sdp);
	await relay.call('transport.answer', {transport, sdp});
	return r;
}

const state = (relay, transport, wanted) => relay.hear('transport.state',
	(m) => m.transport == transport && m.state == wanted, 15);
const received = (p) => p.evaluate(() => tab.received());
/* Counts are never held against rates: this machine may be busy. */
const sum = (stats, kind, what) => Object.values(stats)
	.filter((s) => s.kind == kind).reduce((n, s) => n + s[what], 0);
const grows = async (p, kind, what, by) => {
	const before = sum(await received(p), kind, what);
	return until(20, async () =>
		sum(await received(p), kind, what) >= before + by);
};

await test(async () => {
	const relay = rpc(bin('conf-relay'), ['--media', '127.0.0.1:0', '-v']);
	is((await relay.call('hello', {protocol: [1]})).protocol, 1,
		'the relay says hello');
	await relay.call('room.create', {room: 'r', epoch: 1});
	const tabs = {e_a: await open('e_a'), e_b: await open('e_b')};

	for (const [e, p] of Object.entries(tabs)) {
		const r = await publish(relay, p, e, `t_${e}_out`);
		is(r.sources.map((s) => s.source), all.publish,
			`${e}: four sources are accepted`);
		like(r.sdp, /a=ice-lite\r\n/, `${e}: the relay is ICE-lite`);
		const s = await subscribe(relay, p, e, `t_${e}_in`);
		is(s.slots.map((x) => x.source).join(' '), 'mic mic mic ' +
			'cam cam cam cam screen screen-audio',
			`${e}: nine slots are offered`);
	}
	for (const e of Object.keys(tabs))
		for (const way of ['out', 'in'])
			ok(await state(relay, `t_${e}_${way}`, 'connected'),
				`t_${e}_${way} connects`);
	for (const e of Object.keys(tabs))
		for (const source of ['mic', 'cam'])
			ok(await relay.hear('track.started', (m) =>
				m.endpoint == e && m.source == source, 15),
				`${source} of ${e} has started`);

	const mids = {};
	for (const [e, other] of [['e_a', 'e_b'], ['e_b', 'e_a']]) {
		const is_it = (source) => (m) => m.endpoint == e &&
			m.from == other && m.source == source;
		const mic = await relay.hear('slot.assigned', is_it('mic'));
		const cam = await relay.hear('slot.assigned', is_it('cam'));
		const live = await relay.hear('slot.live', is_it('cam'), 15);
		ok(mic && cam, `${e} has slots for what ${other} sends`);
		ok(live && live.params.mid == cam?.params.mid &&
			Number.isInteger(live.params.rtp_ts),
			`${e} is told of the first key frame`, live);
		mids[e] = {mic: mic?.params.mid, cam: cam?.params.mid};
	}
	ok(!relay.heard.some((m) => m.method == 'slot.assigned' &&
		m.params.from == m.params.endpoint),
		'nobody has a slot with himself');

	for (const [e, p] of Object.entries(tabs)) {
		const other = e == 'e_a' ? 'e_b' : 'e_a';
		ok(await grows(p, 'video', 'frames', 20),
			`${e} decodes pictures`, await received(p));
		ok(await grows(p, 'audio', 'energy', 0.05),
			`${e} hears something`, await received(p));
		const near = async () => Math.abs(await p.evaluate((m) =>
			tab.pitch(m), mids[e].mic) - hz[other]) < 10;
		ok(await until(10, near),
			`${e} hears the tone of ${other} in the slot told`);
		is(Object.values(await received(p)).filter((s) =>
			s.kind == 'audio' && s.energy > 0.01).length, 1,
			`${e} hears it once, and not itself`);
	}
	const way = await tabs.e_a.evaluate(() => tab.path(0));
	is(way.remote, '127.0.0.1', 'media go to the address announced');
	like(way.suite, /AEAD_AES_128_GCM$/, 'GCM is what they are protected by');
	ok(await until(10, async () => (await tabs.e_a.evaluate(() =>
		tab.path(0))).rtt.some((t) => t > 0)),
		'receiver reports come back to the sender');

	/* Mute by grant, while the page goes on sending. */
	const packets = async (p) => sum(await received(p), 'audio',
		'packets');
	await relay.call('endpoint.grant', {room: 'r', endpoint: 'e_a',
		grant: {...all, muted: ['mic']}});
	await sleep(300); // the time a mute may take
	const before = await packets(tabs.e_b);
	ok(await grows(tabs.e_b, 'video', 'frames', 10),
		'the picture of a muted one goes on');
	is(await packets(tabs.e_b) - before, 0, 'not a packet of his sound');
	await relay.call('endpoint.grant', {room: 'r', endpoint: 'e_a',
		grant: all});
	ok(await grows(tabs.e_b, 'audio', 'packets', 10),
		'unmuted he is heard again');

	/* A certificate that is not the one announced. */
	const t = 't_forged';
	await relay.call('endpoint.grant', {room: 'r', endpoint: 'e_c',
		grant: all});
	const forged = await publish(relay, tabs.e_b, 'e_c', t, (s) =>
		s.replace(/(a=fingerprint:sha-256 )(..)/g, (m, a, b) =>
			a + (b == '00' ? '01' : '00')));
	const end = await state(relay, t, 'closed');
	is(end?.params.reason, 'fingerprint',
		'a wrong certificate ends the transport');
	ok(!relay.heard.some((m) => m.method == 'transport.state' &&
		m.params.transport == t && m.params.state == 'connected'),
		'it never connected');
	ok(await until(15, async () => (await tabs.e_b.evaluate((n) =>
		tab.path(n), forged.n)).state == 'failed'),
		'the page sees it fail');
	ok(!relay.heard.some((m) => m.method == 'track.started' &&
		m.params.endpoint == 'e_c'), 'and nothing of it is a track');

	const list = await relay.call('relay.list');
	is(list.rooms[0].endpoints.filter((e) => e.endpoint != 'e_c')
		.map((e) => [e.tracks.join(' '), e.transports.map((x) =>
			`${x.direction} ${x.state}`).sort().join(', ')]),
		Array(2).fill(['mic cam',
			'publish connected, subscribe connected']),
		'the list shows what there is');
	const stats = await relay.call('relay.stats');
	ok(stats.packets_out > 0 && stats.dropped.muted > 0,
		'drops of a muted microphone are counted', stats);
	is(stats.dropped.forged, 0, 'nothing failed authentication', stats);

	await relay.call('endpoint.remove', {room: 'r', endpoint: 'e_a'});
	ok(await state(relay, 't_e_a_in', 'closed') &&
		await state(relay, 't_e_a_out', 'closed'),
		'a removed endpoint has no transports');
	await sleep(300); // what was on its way
	const after = sum(await received(tabs.e_b), 'video', 'packets');
	await sleep(500);
	is(sum(await received(tabs.e_b), 'video', 'packets'), after,
		'and nothing of it is forwarded');

	/* The same over IPv6. */
	const six = Object.values(networkInterfaces()).flat().some((i) =>
		i.address == '::1');
	if (six) {
		const r6 = rpc(bin('conf-relay'), ['--media', '[::1]:0']);
		await r6.call('room.create', {room: 'r', epoch: 1});
		const p = await publish(r6, tabs.e_b, 'e_b', 't_six');
		like(p.sdp, / ::1 \d+ typ host/, 'it announces ::1');
		ok(await state(r6, 't_six', 'connected'), 'IPv6 connects');
		ok(await r6.hear('track.started', (m) => m.source == 'cam'),
			'and pictures come');
		r6.stdin.end();
		is(await r6.exited, 0, 'the end of the input is its end');
	} else {
		unsupported('the same over IPv6', 'this host has no ::1');
	}

	relay.stdin.end();
	is(await relay.exited, 0, 'the end of the input is the end');
	for (const [e, p] of Object.entries(tabs))
		is(p.problems, [], `${e}: no error in the page`);
	if (relay.err.includes('warn')) note(relay.err);
});
