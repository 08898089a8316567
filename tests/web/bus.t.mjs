/* timeout: 240
 * Programs of the server's host in a meeting with a browser, by media.attach
 * and the bus: they record its camera and its microphone, and show and play
 * it a file; what is silenced or removed is not heard; one that stops loses
 * whole frames and harms nobody. */
import {openSync, closeSync} from 'node:fs';
import {execFileSync} from 'node:child_process';
import {join} from 'node:path';
import {LOUD, below, build, chromium, colour, enter, is, kit, like, listen,
	loud, note, ok, person, run, seen, silentSince, sleep, test, tile, tmp,
	tone, until} from './lib.mjs';

const file = (name) => join(tmp, name);
const ffmpeg = (...args) => execFileSync('ffmpeg', ['-v', 'error',
	'-nostdin', '-y', ...args]);
const probe = (name) => JSON.parse(execFileSync('ffprobe', ['-v', 'error',
	'-count_frames', '-show_streams', '-of', 'json', file(name)]))
	.streams[0];

async function attach(k, as, more = {})
{
	const r = await k.ctl('call', 'media.attach', JSON.stringify({
		meeting: 'hello', as, publish: [], ...more}));

	if (r.code) throw new Error(`media.attach: ${r.err}`);
	return JSON.parse(r.out);
}

/* A program on the bus: what it told on stderr is in .err, as 'key value'. */
function copy(way, seat, source, name, ...more)
{
	const fd = openSync(file(name), way == 'out' ? 'w' : 'r');
	const stdio = way == 'out' ? ['ignore', fd, 'pipe'] :
		[fd, 'ignore', 'pipe'];
	const p = run(join(build, 'test/bus-copy'), [way, '-s', seat.bus, '-t',
		seat.ticket, '-S', source, ...more], {stdio});

	closeSync(fd);
	p.value = (key) => Number(new RegExp(`^${key} (\\d+)$`, 'm')
		.exec(p.err)?.[1] ?? NaN);
	return p;
}

/* The mean colour of a file of pictures, and how loud its sound is at hz. */
const mean = (name) => [...execFileSync('ffmpeg', ['-v', 'error', '-nostdin',
	'-i', file(name), '-vf', 'scale=1:1', '-frames:v', '1', '-f',
	'rawvideo', '-pix_fmt', 'rgb24', '-'])];
function level(name, hz)
{
	const b = execFileSync('ffmpeg', ['-v', 'error', '-nostdin', '-i',
		file(name), '-f', 'f32le', '-ac', '1', '-ar', '48000', '-']);
	const n = Math.min(b.length / 4, 48000);
	let re = 0, im = 0;

	for (let i = 0; i < n; i++) {
		const v = b.readFloatLE(b.length - 4 * n + 4 * i);
		re += v * Math.cos(2 * Math.PI * hz * i / 48000);
		im += v * Math.sin(2 * Math.PI * hz * i / 48000);
	}
	return 2 * Math.hypot(re, im) / n;
}

async function record(k)
{
	const cam = copy('out', await attach(k, 'Camera man'), 'cam',
		'cam.ivf', '-n', '60', '-w', '20000');
	const mic = copy('out', await attach(k, 'Sound man'), 'mic',
		'mic.ogg', '-n', '150', '-w', '20000');

	is(await cam.exited, 0, 'a camera is recorded');
	is(await mic.exited, 0, 'a microphone is recorded');
	/* What the network loses is not the bus's. */
	is([cam.value('dropped'), mic.value('dropped')], [0, 0],
		'nothing of it is dropped');
	const ivf = probe('cam.ivf'), ogg = probe('mic.ogg');
	is([ivf.codec_name, Number(ivf.nb_read_frames), ogg.codec_name],
		['vp8', 60, 'opus'], 'as 60 frames of VP8, and Opus');
	ok(Number(ogg.nb_read_frames) >= 145, 'and so many packets',
		ogg.nb_read_frames);
	is([String(ffmpeg('-i', file('cam.ivf'), '-f', 'null', '-')),
		String(ffmpeg('-i', file('mic.ogg'), '-f', 'null', '-'))],
	['', ''], 'all of which can be decoded');
	const [r, g, b] = mean('cam.ivf');
	ok(r > 200 && g < 60 && b < 60, 'it is red', [r, g, b]);
	ok(level('mic.ogg', 440) > 0.1 && level('mic.ogg', 1000) < 0.02,
		'it is the tone', [level('mic.ogg', 440),
			level('mic.ogg', 1000)]);
}

async function play(k, ada)
{
	ffmpeg('-f', 'lavfi', '-i', 'color=blue:size=320x240:rate=15',
		'-t', '90', '-c:v', 'libvpx', '-deadline', 'realtime', '-cpu-used',
		'8', '-b:v', '200k', '-g', '15', '-f', 'ivf', file('film.ivf'));
	ffmpeg('-f', 'lavfi', '-i', 'sine=frequency=1000', '-t', '90', '-c:a',
		'libopus', '-b:a', '48k', '-af', 'volume=4', '-f', 'ogg',
		file('tone.ogg'));
	const film = await attach(k, 'Film', {publish: ['cam'],
		receive: false});
	const song = await attach(k, 'Song', {publish: ['mic'],
		receive: false});
	film.program = copy('in', film, 'cam', 'film.ivf');
	song.program = copy('in', song, 'mic', 'tone.ogg');

	const grown = await until(20, async () => {
		const s = await seen(ada, 'Film');
		return !s.covered && s.frames > 30 && s;
	});
	ok(grown, 'a file is shown: decoded frames grow');
	ok(grown && grown.rgb[2] > 200 && grown.rgb[0] < 60, 'it is blue',
		grown);
	ok(await until(15, async () => await loud(ada, 1000) > LOUD),
		'a file is heard');
	ok(await loud(ada, 440) < 0.01, 'she does not hear herself by it');
	like((await k.ctl('users', 'hello')).out, /Film[^]*Song/,
		'both are among the users');
	return {film, song};
}

async function silence(k, ada, {film, song})
{
	await k.ctl('mute', 'hello', 'Song');
	ok(await until(3, async () => await loud(ada, 1000) < 0.01),
		'a moderator can silence it');
	const sent = song.program.exitCode;
	await sleep(1000);
	const quiet = await silentSince(ada, 1000);
	ok(quiet !== null && Date.now() - quiet > 900 && sent === null,
		'and it stays so though it goes on');
	await k.ctl('unmute', 'hello', 'Song');
	ok(await until(5, async () => await loud(ada, 1000) > LOUD),
		'let speak, it is heard again');
	await k.ctl('kick', 'hello', 'Song');
	is(await song.program.exited, 1, 'kicked, it is told');
	like(song.program.err, /refused: denied: removed/, 'and why');
	ok(await until(3, async () => await loud(ada, 1000) < 0.01),
		'it is not heard any more');
	const again = copy('in', song, 'mic', 'tone.ogg');
	is(await again.exited, 1, 'its ticket was good once');
	like(again.err, /refused: denied: no such ticket/, 'and says so');
	const frames = (await seen(ada, 'Film')).frames;
	ok(await until(10, async () => (await seen(ada, 'Film')).frames >
		frames + 10), 'the film goes on');
	return film;
}

async function stopped(k)
{
	const slow = copy('out', await attach(k, 'Slow'), 'cam', 'slow.ivf',
		'-f', 'none', '-w', '60000');
	const from = /^welcome \S+ (\S+)$/m;
	await until(10, () => from.test(slow.err));
	slow.kill('SIGTERM');
	await slow.exited;

	const args = ['-w', '60000'];
	const a = copy('out', await attach(k, 'Slow'), 'cam', 'a.ivf', ...args);
	const b = copy('out', await attach(k, 'Fast'), 'cam', 'b.ivf', ...args);
	await until(20, () => probe('a.ivf').width && probe('b.ivf').width);
	a.kill('SIGSTOP');
	await sleep(2000);
	a.kill('SIGCONT');
	await sleep(2000);
	a.kill('SIGTERM');
	b.kill('SIGTERM');
	await Promise.all([a.exited, b.exited]);
	ok(a.value('dropped') > 5, `one that stood still has lost ${
		a.value('dropped')} frames, and knows`, a.err);
	is([b.value('dropped'), b.value('lost')], [0, 0],
		'another has lost nothing');
	is(String(ffmpeg('-i', file('a.ivf'), '-f', 'null', '-')), '',
		'what it has can be shown');
}

/* Media outlive control, and so does a program's seat. */
async function crash(k, ada, film)
{
	const [pid] = below(k.process.pid, 'confd-signal');
	process.kill(pid, 'SIGKILL');
	const before = (await seen(ada, 'Film')).frames;
	ok(await until(10, async () => (await seen(ada, 'Film')).frames >
		before + 15), 'control is killed, the film goes on');
	ok(await until(15, async () => (await k.ctl('users', 'hello')).code ==
		0), 'control is back');
	await sleep(11000); // the grace in which seats may be taken again
	const list = JSON.parse((await k.ctl('users', 'hello', '--json')).out);
	const users = Array.isArray(list) ? list : list.users;
	const seat = users.find((u) => u.user == film.user);
	is([seat?.away, seat?.sources], [false, ['cam']],
		'the program has its seat, and is not away');
	const frames = (await seen(ada, 'Film')).frames;
	ok(await until(10, async () => (await seen(ada, 'Film')).frames >
		frames + 10), 'and is seen');

	film.program.kill('SIGKILL');
	ok(await until(10, async () => /"away": ?true/.test((await k.ctl('users',
		'hello', '--json')).out)), 'killed, it is away');
	const again = await attach(k, 'Other', {user: film.user,
		publish: ['cam'], receive: false});
	is(again.user, film.user, 'it can have its seat again');
	const next = copy('in', again, 'cam', 'film.ivf');
	ok(await until(20, async () => !(await seen(ada, 'Film')).covered),
		'and is seen again');
	is((await k.ctl('call', 'media.detach', JSON.stringify({meeting:
		'hello', user: film.user}))).code, 0, 'detached');
	is(await next.exited, 1, 'it is told');
	ok(await until(5, async () => !await tile(ada, 'Film').count()),
		'and is gone at once');
}

await test(async () => {
	const k = await kit();
	const red = await chromium({wav: tone(440),
		y4m: colour('red', [76, 85, 255])});
	const ada = await person(red, k.links.moderator,
		{name: 'Ada', query: 'raw=1'});
	await enter(ada);
	await record(k);
	await listen(ada);
	const film = await silence(k, ada, await play(k, ada));
	await stopped(k);
	await crash(k, ada, film);
	if (process.env.V) note(k.process.err);
});
