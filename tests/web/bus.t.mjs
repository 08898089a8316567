/* timeout: 240
 * Programs of the server's host in a meeting with a browser, by media.attach
 * and the bus: they record its camera and its microphone, and show and play
 * it a file; what is silenced or removed is not heard; a program keeps its
 * seat when control is killed, and can have it back when it was killed
 * itself. */
import {closeSync, openSync, readFileSync, writeFileSync} from 'node:fs';
import {execFileSync, spawnSync} from 'node:child_process';
import {join} from 'node:path';
import {LOUD, below, build, chromium, colour, enter, is, kit, like, listen,
	loud, note, ok, person, run, seen, silentSince, sleep, test, tile, tmp,
	tone, until} from './lib.mjs';

const file = (name) => join(tmp, name);
/* What ffmpeg makes of a file, as bytes; what it complains of is an error. */
function ffmpeg(...args)
{
	const r = spawnSync('ffmpeg', ['-v', 'error', '-nostdin', '-y', ...args],
		{maxBuffer: 1 << 26});

	if (r.status || r.stderr.length)
		throw new Error(`ffmpeg ${args.join(' ')}: ${r.stderr}`);
	return r.stdout;
}

async function attach(k, as, more = {})
{
	const r = await k.ctl('call', 'media.attach', JSON.stringify({
		meeting: 'hello', as, publish: [], ...more}));

	if (r.code) throw new Error(`media.attach: ${r.err}`);
	return JSON.parse(r.out);
}

const users = async (k) => JSON.parse((await k.ctl('call', 'user.list',
	'{"meeting":"hello"}')).out).users;

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

/* How loud mono float samples are at hz, in their last second. */
function level(samples, hz)
{
	const n = Math.min(samples.length / 4, 48000);
	let re = 0, im = 0;

	for (let i = 0; i < n; i++) {
		const v = samples.readFloatLE(samples.length - 4 * (n - i));
		re += v * Math.cos(2 * Math.PI * hz * i / 48000);
		im += v * Math.sin(2 * Math.PI * hz * i / 48000);
	}
	return 2 * Math.hypot(re, im) / n;
}

async function record(k)
{
	const seats = [await attach(k, 'Camera man'),
		await attach(k, 'Sound man')];
	const cam = copy('out', seats[0], 'cam', 'cam.ivf', '-n', '60', '-w',
		'20000', '-Q', '2000');
	const mic = copy('out', seats[1], 'mic', 'mic.ogg', '-n', '150', '-w',
		'20000', '-Q', '2000');

	is(await cam.exited, 0, 'a camera is recorded');
	is(await mic.exited, 0, 'a microphone is recorded');
	/* What the network loses is not the bus's. */
	is([cam.value('dropped'), mic.value('dropped')], [0, 0],
		'nothing of it is dropped');
	const show = JSON.parse(execFileSync('ffprobe', ['-v', 'error',
		'-show_streams', '-of', 'json', file('cam.ivf')])).streams[0];
	is([show.codec_name, show.width / show.height], ['vp8', 16 / 9],
		'as VP8');
	const rgb = ffmpeg('-i', file('cam.ivf'), '-vf', 'scale=1:1', '-vsync',
		'0', '-f', 'rawvideo', '-pix_fmt', 'rgb24', '-');
	is(rgb.length / 3, 60, 'of which every frame can be decoded');
	const [red, green, blue] = rgb.subarray(-3);
	ok(red > 200 && green < 60 && blue < 60, 'it is red',
		[red, green, blue]);
	const pcm = ffmpeg('-i', file('mic.ogg'), '-f', 'f32le', '-ac', '1',
		'-ar', '48000', '-');
	ok(pcm.length / 4 >= 145 * 960, 'and so can the sound', pcm.length);
	ok(level(pcm, 440) > 0.1 && level(pcm, 1000) < 0.02,
		'it is the tone', [level(pcm, 440), level(pcm, 1000)]);
	return seats;
}

/* Files that follow one another are one stream: two seconds, many times. */
function long(name, ...args)
{
	ffmpeg('-f', 'lavfi', ...args, '-t', '2', file(name));
	writeFileSync(file(name), Buffer.concat(Array(150).fill(
		readFileSync(file(name)))));
}

async function play(k, ada)
{
	long('film.ivf', '-i', 'color=blue:size=320x240:rate=15', '-c:v',
		'libvpx', '-deadline', 'realtime', '-cpu-used', '8', '-b:v',
		'200k', '-g', '15');
	long('tone.ogg', '-i', 'sine=frequency=1000', '-c:a', 'libopus', '-b:a',
		'48k', '-af', 'volume=4');
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

/* Media outlive control, and so does a program's seat. */
async function crash(k, ada, film)
{
	await attach(k, 'Gone'); // and does not use its ticket
	const [pid] = below(k.process.pid, 'confd-signal');
	process.kill(pid, 'SIGKILL');
	const before = (await seen(ada, 'Film')).frames;
	ok(await until(10, async () => (await seen(ada, 'Film')).frames >
		before + 15), 'control is killed, the film goes on');
	ok(await until(15, async () => (await k.ctl('users', 'hello')).code ==
		0), 'control is back');
	/* The page comes back by itself, then the grace of the others ends. */
	ok(await until(30, async () => (await users(k)).some((u) =>
		u.name == 'Gone' && u.away)), 'who was not on the bus is away');
	const seat = (await users(k)).find((u) => u.user == film.user);
	is([seat?.away, seat?.sources], [false, ['cam']],
		'who was has its seat, and is not');
	const frames = (await seen(ada, 'Film')).frames;
	ok(await until(10, async () => (await seen(ada, 'Film')).frames >
		frames + 10), 'and is seen');

	film.program.kill('SIGKILL');
	ok(await until(10, async () => (await users(k)).find((u) => u.user ==
		film.user)?.away), 'killed, it is away');
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
	const seats = await record(k);
	ok(await until(10, async () => (await users(k)).filter((u) =>
		seats.some((s) => s.user == u.user) && u.away).length == 2),
	'who has left the bus is away');
	await listen(ada);
	const film = await silence(k, ada, await play(k, ada));
	await crash(k, ada, film);
	if (process.env.V) note(k.process.err);
});
