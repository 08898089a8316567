/* kill -9 of a relay that carries many meetings: each of them is back within
 * 3 s, with all of its people. */
import {is, ok, test, until} from './lib.mjs';
import {crowd, fared, keeper, watcher} from './faults.mjs';
import {meeting} from './signal.mjs';

const ROOMS = 12;
const ids = Array.from({length: ROOMS}, (_, i) => `room${i}`);

await test(async () => {
	const k = await keeper();
	const o = await watcher(k);
	const links = [];
	for (const id of ids) links.push(await meeting(o, id));
	const crowds = [];
	for (const link of links)
		crowds.push(crowd((await link()).url, '-p', '1', '-n', '1',
			'--video', 'off', '-t', '7s'));
	await Promise.all(crowds.map((c) => c.joined));
	const since = (type, from) => new Set(o.take().slice(from)
		.filter((e) => e.type === type).map((e) => e.meeting));
	ok(await until(10, () => since('media.started', 0).size === ROOMS),
		`sound in ${ROOMS} meetings of one relay`);

	const from = o.take().length, began = Date.now();
	await k.killed('conf-relay');
	ok(await until(3, () => since('media.stopped', from).size === ROOMS,
		5), 'the relay is killed: each meeting is told');
	ok(await until(3, () => since('media.started', from).size === ROOMS,
		5) && Date.now() - began < 3000,
	`all of them sound again after ${Date.now() - began} ms`);
	for (const [i, c] of crowds.entries())
		await fared(c, 2, {ms: 3000, resets: 1, returns: 0}, ids[i]);
	is((await o.call('meeting.list')).meetings.length, ROOMS,
		'and all are there');
	o.close();
	is(await k.stop(), 0, 'all ends well');
	ok(!/ error: |runtime error/.test(k.words), 'without a complaint',
		k.words);
});
