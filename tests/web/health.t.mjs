/* When a connection is called weak: by the numbers of getStats, after two
 * bad looks in a row, and no more after five good ones. */
import {join} from 'node:path';
import {is, ok, root, test} from './lib.mjs';

const {Side} = await import(join(root, 'lib/web/www/health.js'));

const stats = (...all) => new Map(all.map((s) => [s.id, s]));
const pair = (rtt, rate) => ({id: 'p', type: 'candidate-pair',
	nominated: true, currentRoundTripTime: rtt / 1000,
	availableOutgoingBitrate: rate});

/* One that receives: each look 100 packets, so many of them lost. */
function receiver()
{
	const side = new Side();
	let packetsLost = 0, packetsReceived = 0, totalFreezesDuration = 0;
	return {side, look(lost, {rtt = 20, frozen = 0} = {}) {
		packetsLost += lost;
		packetsReceived += 100 - lost;
		totalFreezesDuration += frozen;
		return side.take(stats(pair(rtt), {id: 'a', type: 'inbound-rtp',
			packetsLost, packetsReceived, totalFreezesDuration}), false);
	}, anew() {
		packetsLost = packetsReceived = 0;
	}};
}

await test(async () => {
	const a = receiver();
	a.look(0);
	is([a.look(20), a.look(0), a.look(20)], [false, false, false],
		'one bad look is none, nor two with a good one between');
	ok(a.side.bad && !a.side.weak, 'though it looks bad');
	is([a.look(20), a.side.weak], [true, true], 'two in a row are weak');
	is(Math.round(a.side.look.loss * 100), 20, 'with the share that is lost');
	const back = Array.from({length: 5}, () => a.look(0));
	is([back.indexOf(true), a.side.weak], [4, false],
		'five good ones are well again');
	for (let i = 0; i < 5; i++) a.look(5);
	ok(!a.side.weak, 'a little loss is not weak');
	a.look(20), a.look(20);
	for (let i = 0; i < 20; i++) a.look(5);
	ok(a.side.weak, 'but does not make it well either');

	const slow = receiver();
	for (let i = 0; i < 2; i++) slow.look(0, {rtt: 900});
	ok(slow.side.weak && slow.side.look.rtt === 900, 'a long way is weak');
	const still = receiver();
	still.look(0);
	for (let i = 0; i < 3; i++) still.look(0, {frozen: 0.8});
	ok(!still.side.weak, 'pictures may stand still for other reasons');
	for (let i = 0; i < 2; i++) still.look(1, {frozen: 0.8});
	ok(still.side.weak, 'but with loss it is the connection\'s');
	const young = receiver();
	young.look(0), young.look(0);
	young.anew();
	young.look(0);
	is(young.side.look.loss, 0, 'counters that begin anew are no loss');

	const up = new Side();
	let packetsLost = 0, packetsSent = 0, timestamp = 0;
	const send = (lost, rate) => {
		packetsLost += lost ?? 0;
		if (lost !== null) timestamp++;
		packetsSent += 100;
		return up.take(stats(pair(20, rate),
			{id: 'o', type: 'outbound-rtp', packetsSent},
			{id: 'r', type: 'remote-inbound-rtp', localId: 'o', timestamp,
				packetsLost, roundTripTime: 0.05}), true);
	};
	send(0, 1e6);
	send(30, 1e6), send(null, 1e6), send(60, 1e6);
	ok(up.weak && up.look.loss === 0.3 && up.look.rtt === 50,
		'who sends hears of loss from the other end');
	for (let i = 0; i < 5; i++) send(0, 1e6);
	for (let i = 0; i < 2; i++) send(0, 50e3);
	ok(up.weak, 'no room for a picture is weak');
});
