/* timeout: 240
 * Firefox and Chromium in one call, by the links that hello-meeting prints:
 * they see, hear and read each other; Firefox mutes, stops its camera,
 * reloads and leaves. */
import process from 'node:process';
import {chromium, enter, is, kit, note, ok, person, say, said, seen,
	sleep, streams, test, tile, until} from './lib.mjs';
import * as fox from './firefox.mjs';

/* Whether ten more frames of this person come to be decoded, uncovered. */
const grows = (look, p, name) => until(40, async () => {
	const before = await look(p, name);
	await sleep(1000);
	const after = await look(p, name);
	return !after.covered && after.frames - before.frames >= 5 && after;
});
/* What a page has heard so far, whose microphone ever it was. */
const energy = async (p) => (await streams(p, 'inbound-rtp', 'audio'))
	.reduce((sum, s) => sum + (s.totalAudioEnergy ?? 0), 0);
const hears = (p) => until(30, async () => {
	const before = await energy(p);
	await sleep(500);
	return await energy(p) > before + 1e-4;
});
const packets = async (p, type, kind, field) => (await streams(p, type, kind))
	.reduce((sum, s) => sum + s[field], 0);

async function sound(ada, ben)
{
	ok(await hears(ada), 'Chromium hears Firefox', await streams(ada,
		'inbound-rtp', 'audio'));
	ok(await hears(ben), 'Firefox hears Chromium', await streams(ben,
		'inbound-rtp', 'audio'));
	const lost = await packets(ben, 'inbound-rtp', 'audio', 'packetsLost');
	ok(lost < 25, `and loses nothing to speak of (${lost})`);
}

async function mutes(k, ada, ben)
{
	const silent = () => until(20, async () => {
		const before = await energy(ada);
		await sleep(700);
		return await energy(ada) - before < 1e-5;
	});
	await fox.press(ben, 'Mute');
	ok(await until(10, async () => /Ben.*"muted": ?true/s.test((await
		k.ctl('users', 'hello', '--json')).out)), 'Ben mutes himself');
	ok(await silent(), 'and Chromium hears nothing of him');
	await fox.press(ben, 'Unmute');
	ok(await hears(ada), 'unmuted, he is heard again');
	await k.ctl('mute', 'hello', 'Ben');
	ok(await until(10, () => fox.button(ben, 'Unmute')),
		'a moderator mutes him: his page says so');
	ok(await silent(), 'and he is not heard');
	await k.ctl('unmute', 'hello', 'Ben');
	ok(await until(10, () => fox.button(ben, 'Mute')) && await hears(ada),
		'until he may speak again');
}

async function camera(ada, ben)
{
	await fox.press(ben, 'Stop camera');
	ok(await until(10, async () => (await seen(ada, 'Ben')).covered),
		'a stopped camera is covered');
	await fox.press(ben, 'Start camera');
	ok(await grows(seen, ada, 'Ben'), 'started again, it is seen again');
}

/* Before he joins: his own voice, by way of the relay. */
async function testsSound(ben)
{
	const line = () => ben.$eval('.line', (n) => n.textContent);
	await until(20, () => fox.button(ben, 'Mute'));
	await fox.press(ben, 'Test sound');
	ok(await until(10, async () => await line() ===
		'Do you hear yourself?'), 'Firefox sends its sound to the relay');
	ok(await until(10, async () => /^Your sound came back/.test(
		await line())), 'and it comes back', await line());
	is(await ben.$$eval('.picks select', (all) => all.map((s) =>
		s.selectedOptions[0].label.length > 0)), [true, true, true],
	'its devices have names');
}

async function comeBack(ada, ben)
{
	const seat = await tile(ada, 'Ben').getAttribute('data-user');
	await ben.reload();
	ok(await until(30, () => ben.$('.stage')),
		'a reload leads back into the room');
	ok(!ben.url().includes('#'), 'without the token in the address');
	ok(await grows(seen, ada, 'Ben') && await grows(fox.seen, ben, 'Ada'),
		'both see each other again');
	ok(await hears(ada) && await hears(ben), 'and hear each other');
	is(await tile(ada, 'Ben').getAttribute('data-user'), seat,
		'on the same seat');
	await fox.press(ben, 'Chat');
	ok(await fox.said(ben, 'hello from Ada'), 'the chat is still there');
	await fox.press(ben, 'Leave');
	ok(await until(10, async () => !await tile(ada, 'Ben').count()),
		'who leaves is gone');
}

await test(async () => {
	const k = await kit({tls: true});
	const [one, other] = await Promise.all([fox.firefox(), chromium({args:
		['--ignore-certificate-errors']})]);
	const ada = await person(other, k.links.moderator, {name: 'Ada'});
	/* As it is: a tone that never changes is noise to a browser. */
	const ben = await fox.person(one, k.links.viewer.replace('#', '?raw=1#'),
		{name: 'Ben'});
	await testsSound(ben);
	await enter(ada);
	await fox.enter(ben);

	ok(await grows(seen, ada, 'Ben'),
		'Chromium sees Firefox: decoded frames grow',
		await streams(ada, 'inbound-rtp', 'video'));
	ok(await grows(fox.seen, ben, 'Ada'),
		'Firefox sees Chromium: decoded frames grow',
		await streams(ben, 'inbound-rtp', 'video'));
	await sound(ada, ben);
	await say(ada, 'hello from Ada');
	await fox.say(ben, 'hello from Ben');
	ok(await said(ada, 'hello from Ada', 'hello from Ben'),
		'Chromium reads both');
	ok(await fox.said(ben, 'hello from Ada', 'hello from Ben'),
		'Firefox reads both');
	await mutes(k, ada, ben);
	/* Since it was first seen more time has passed than a picture may
	 * stand still before it is covered. */
	const still = await fox.seen(ben, 'Ada');
	ok(!still.covered && !still.frozen,
		'and in Firefox a picture that moves does not count as frozen',
		still);
	await camera(ada, ben);
	await comeBack(ada, ben);
	is([ada.problems, ben.problems], [[], []], 'no page had a problem');
	if (process.env.V) note(k.process.err);
});
