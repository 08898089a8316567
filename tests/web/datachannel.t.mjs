/* timeout: 180
 * A WebRTC stack that no browser has (libdatachannel, by its Node package)
 * publishes and subscribes by the same signalling as the page does: Chromium
 * decodes what it sends, and it gets what Chromium sends. */
import {execFileSync} from 'node:child_process';
import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import process from 'node:process';
import {chromium, colour, enter, is, kit, like, note, ok, person, require,
	seen, sleep, streams, test, tmp, until} from './lib.mjs';
import {user} from './signal.mjs';

const rtc = require('node-datachannel');
const RATE = 15, MTU = 1100, VP8 = 96, OPUS = 111;

/* ---- what it sends ---- */

/* Frames of an IVF file in one colour, and packets of an Ogg Opus file. */
function media(name)
{
	const path = join(tmp, name);
	const from = (...args) => execFileSync('ffmpeg', ['-v', 'error',
		'-f', 'lavfi', '-i', ...args, '-y', path]);
	if (name.endsWith('.ivf')) {
		from(`color=c=0x00ff00:s=320x180:r=${RATE}:d=2`, '-c:v', 'libvpx',
			'-g', `${2 * RATE}`, '-b:v', '300k', '-auto-alt-ref', '0');
		return frames(readFileSync(path));
	}
	from('sine=frequency=700:duration=2', '-c:a', 'libopus', '-b:a', '32k');
	return packets(readFileSync(path));
}
function frames(b)
{
	const all = [];
	for (let at = 32; at < b.length;) {
		const n = b.readUInt32LE(at);
		all.push(b.subarray(at + 12, at + 12 + n));
		at += 12 + n;
	}
	return all;
}
function packets(b)
{
	const all = [];
	let rest = Buffer.alloc(0);
	for (let at = 0; at < b.length;) {
		const n = b[at + 26];
		let from = at + 27 + n;
		for (const len of b.subarray(at + 27, at + 27 + n)) {
			rest = Buffer.concat([rest, b.subarray(from, from + len)]);
			from += len;
			if (len === 255) continue;
			all.push(rest);
			rest = Buffer.alloc(0);
		}
		at = from;
	}
	return all.slice(2); // without OpusHead and OpusTags
}

/* RFC 3550 by hand: this stack sends what it is given. */
class Sender {
	constructor(track, pt, ssrc)
	{
		Object.assign(this, {track, pt, ssrc, seq: 1000, ts: 5000,
			sent: 0, asked: 0});
	}

	send(payload, marker)
	{
		const h = Buffer.alloc(12);
		h[0] = 0x80;
		h[1] = this.pt | (marker ? 0x80 : 0);
		h.writeUInt16BE(this.seq++ & 0xffff, 2);
		h.writeUInt32BE(this.ts >>> 0, 4);
		h.writeUInt32BE(this.ssrc, 8);
		if (this.track.isOpen() && this.track.sendMessageBinary(
			Buffer.concat([h, payload]))) this.sent++;
	}

	/* One VP8 frame (RFC 7741): a descriptor of one byte, S on the first. */
	frame(data)
	{
		for (let at = 0; at < data.length; at += MTU)
			this.send(Buffer.concat([Buffer.from([at ? 0 : 0x10]),
				data.subarray(at, at + MTU)]),
			at + MTU >= data.length);
	}
}

const described = (pc) => new Promise((done) =>
	pc.onGatheringStateChange((state) => {
		if (state === 'complete') done(pc.localDescription().sdp);
	}));

async function publish(me)
{
	const pc = new rtc.PeerConnection('publish', {iceServers: [],
		disableAutoNegotiation: true});
	const mic = new rtc.Audio('0', 'SendOnly');
	mic.addOpusCodec(OPUS);
	mic.addSSRC(42, 'dan');
	const cam = new rtc.Video('1', 'SendOnly');
	cam.addVP8Codec(VP8);
	cam.addSSRC(43, 'dan');
	const audio = new Sender(pc.addTrack(mic), OPUS, 42);
	const video = new Sender(pc.addTrack(cam), VP8, 43);
	const whole = described(pc);
	pc.setLocalDescription('offer');
	const {sdp} = await me.call('media.publish', {sdp: await whole});
	pc.setRemoteDescription(sdp, 'answer');
	return {pc, audio, video};
}

/* Sends both in real time, from a key frame on when one is asked for. */
function play({audio, video})
{
	const pictures = media('green.ivf'), sounds = media('tone.opus');
	let f = 0, s = 0;
	video.track.onMessage((m) => {
		for (let at = 0; at + 4 <= m.length;
			at += 4 * (m.readUInt16BE(at + 2) + 1))
			if (m[at + 1] === 206 && (m[at] & 31) === 1) {
				video.asked++;
				f = 0;
			}
	});
	const began = Date.now();
	const timer = setInterval(() => {
		const ms = Date.now() - began;
		for (; s * 20 < ms; s++, audio.ts += 960)
			audio.send(sounds[s % sounds.length]);
		for (; video.ts - 5000 < ms * 90; video.ts += 90000 / RATE)
			video.frame(pictures[f++ % pictures.length]);
	}, 10);
	return () => clearInterval(timer);
}

/* ---- what it gets ---- */

const isRtcp = (m) => m[1] >= 192 && m[1] <= 223;

/* Whether this RTP packet begins a VP8 key frame (RFC 7741 section 4). */
function keyframe(m)
{
	let at = 12 + 4 * (m[0] & 15);
	if (m[0] & 16) at += 4 + 4 * m.readUInt16BE(at + 2);
	const [first] = m.subarray(at);
	let n = 1;
	if (first & 0x80) {
		const x = m[at + 1];
		n++;
		if (x & 0x80) n += m[at + 2] & 0x80 ? 2 : 1;
		if (x & 0x40) n++;
		if (x & 0x30) n++;
	}
	return (first & 0x17) === 0x10 && !(m[at + n] & 1) &&
		m[at + n + 3] === 0x9d && m[at + n + 4] === 1;
}

async function subscribe(me)
{
	const {sdp, transport, slots} = await me.call('media.subscribe');
	const pc = new rtc.PeerConnection('subscribe', {iceServers: [],
		disableAutoNegotiation: true});
	const got = new Map(slots.map((s) => [s.mid, {source: s.source, rtp: 0,
		bytes: 0, keys: 0, ssrcs: new Set()}]));
	const kept = []; // tracks end when nobody holds them
	pc.onTrack((track) => {
		const g = got.get(track.mid());
		const session = new rtc.RtcpReceivingSession();
		track.setMediaHandler(session);
		track.onMessage((m) => {
			if (isRtcp(m)) return;
			g.rtp++;
			g.bytes += m.length;
			g.ssrcs.add(m.readUInt32BE(8));
			if (g.source === 'cam' && keyframe(m)) g.keys++;
		});
		g.ask = () => track.requestKeyframe();
		kept.push(track, session);
	});
	const whole = described(pc);
	pc.setRemoteDescription(sdp, 'offer');
	pc.setLocalDescription('answer');
	const answer = await whole;
	await me.call('media.answer', {transport, sdp: answer});
	return {pc, got, transport, answer, kept};
}

async function receives(me, down)
{
	const fed = await me.saw('slot.assigned', (d) => d.source === 'cam' &&
		d.user, 20);
	const cam = down.got.get(fed?.data.mid), mic = [...down.got.values()]
		.find((g) => g.source === 'mic' && g.rtp) ?? down.got.get('0');
	ok(await until(30, () => cam.rtp > 50 && cam.keys),
		'it gets RTP of her camera, and a key frame', cam);
	ok(await until(30, () => [...down.got.values()].some((g) =>
		g.source === 'mic' && g.rtp > 50)), 'and of her microphone', mic);
	is(cam.ssrcs.size, 1, 'of one source');
	const keys = cam.keys;
	ok(await until(30, async () => {
		cam.ask();
		await sleep(500);
		return cam.keys > keys;
	}), 'a key frame that it asks for comes');
	ok(await me.saw('slot.live', (d) => d.mid === fed.data.mid),
		'the slot was said to be live');
}

await test(async () => {
	const k = await kit();
	const browser = await chromium({y4m: colour('red', [76, 85, 255])});
	const ada = await person(browser, k.links.moderator, {name: 'Ada'});
	await enter(ada);

	const {host, hash} = new URL(k.links.viewer);
	const dan = await user({ws: `ws://${host}/ws`},
		{token: hash.slice(3)}, 'Dan');
	const up = await publish(dan), down = await subscribe(dan);
	for (const side of [up, down])
		ok(await until(30, () => side.pc.state() === 'connected'),
			'ICE and DTLS come up', side.pc.state());
	like(down.answer, /a=setup:active/, 'it answers as the client of DTLS');
	const stop = play(up);

	const before = await until(30, async () => {
		const s = await seen(ada, 'Dan');
		return !s.covered && s;
	});
	ok(before, 'the page uncovers its picture');
	ok(await until(30, async () => (await seen(ada, 'Dan')).frames >
		before.frames + 10), 'and decodes what it sends');
	const {rgb} = await seen(ada, 'Dan');
	ok(rgb[1] > 150 && rgb[0] < 100 && rgb[2] < 100, 'in its colour', rgb);
	ok(await until(30, async () => (await streams(ada, 'inbound-rtp',
		'audio')).some((s) => s.totalAudioEnergy > 0.001)),
	'and hears its tone');
	await receives(dan, down);

	const asked = up.video.asked;
	await ada.reload();
	ok(await until(40, async () => {
		const s = await seen(ada, 'Dan');
		return !s.covered && s.frames > 5;
	}) && up.video.asked > asked,
	'who comes anew sees it too, by a key frame that it was asked for',
	up.video.asked);
	stop();
	await dan.call('user.leave');
	ok(await until(10, () => down.pc.state() === 'closed' ||
		down.pc.state() === 'disconnected'),
	'who leaves is disconnected', down.pc.state());
	up.pc.close();
	down.pc.close();
	dan.close();
	is(ada.problems, [], 'the page had no problem');
	rtc.cleanup();
	if (process.env.V) note(k.process.err);
});
