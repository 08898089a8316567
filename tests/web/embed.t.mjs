/* timeout: 240
 * examples/embed as it stands: a page of another origin joins, mutes, writes
 * and leaves by messages, and hears what happens; whoever is not named by
 * --frame-ancestors gets neither a frame nor an answer. */
import {createServer} from 'node:http';
import {mkdtempSync, rmSync} from 'node:fs';
import {join} from 'node:path';
import {bin, build, chromium, is, like, ok, person, press, root, run, said,
	say, test, tile, until} from './lib.mjs';

/* The example: {links, ctl}. */
async function start(dir)
{
	const env = {CONF_RUNDIR: join(dir, 'run'), CONF_STATEDIR:
		join(dir, 'state'), CONF_MEDIA: '127.0.0.1:0', HOME: dir,
		TMPDIR: dir, CONF_BINDIR: join(build, 'bin')};
	const links = {};
	const p = run(join(root, 'examples/embed/run'), [], {cwd: root, env,
		onLine: (line) => {
			const [name, url] = line.split('\t');
			if (url) links[name] = url;
		}});
	await until(20, () => links.viewer || p.exitCode !== null);
	if (!links.viewer) throw new Error(`examples/embed: ${p.err}`);
	const ctl = async (...args) => {
		const c = run(bin('meeting-ctl'), args, {env});
		c.stdin.end();
		return {code: await c.exited, out: c.out, err: c.err};
	};
	return {links, ctl, p};
}

/* Keeps in every window what it hears. */
const ears = () => {
	window.got = [];
	addEventListener('message', (e) => window.got.push(e.data));
};

/* The page with the frame, and what it heard and asks. */
async function framing(browser, url, before = () => {})
{
	const p = await person(browser, 'about:blank', {init: ears});
	await before(p);
	await p.goto(url);
	p.heard = (type, match = {}) => until(10, () => p.evaluate(([t, m]) =>
		window.got.find((e) => e.type === t && Object.entries(m)
			.every(([k, v]) => e[k] === v)), [type, match]));
	p.ask = async (type, more) => {
		const id = await p.evaluate(([t, m]) => {
			ask(t, m); /* the example's own */
			return id;
		}, [type, more]);
		return until(10, () => p.evaluate((n) =>
			window.got.find((e) => e.id === n), id));
	};
	/* What is heard from now on is not what was told before. */
	p.forget = () => p.evaluate(() => {
		window.got.length = 0;
	});
	/* What is sent as it is, and the answer with this reason. */
	p.post = async (message, reason) => {
		await p.forget();
		await p.evaluate((m) => frame.contentWindow.postMessage(m, '*'),
			message);
		return p.heard('error', {reason});
	};
	p.inside = () => p.frames().find((f) => /\/m\/hello/.test(f.url()));
	return p;
}

async function badCommands(p)
{
	const bad = [[{confkit: 1, id: 'a', type: 'dance'}, 'unknown'],
		[{confkit: 1, type: 'constructor'}, 'unknown'],
		[{confkit: 1, type: ['mute']}, 'unknown'],
		[{confkit: 1, id: {}, type: 'state'}, 'invalid'],
		[{confkit: 1, id: 'x'.repeat(65), type: 'state'}, 'invalid'],
		[{confkit: 2, type: 'state'}, 'version'],
		[{confkit: 1, type: 'mute'}, 'invalid'],
		[{confkit: 1, type: 'camera', on: 1}, 'invalid'],
		[{confkit: 1, type: 'join', name: 'x'.repeat(65)}, 'invalid'],
		[{confkit: 1, type: 'join', name: {}}, 'invalid'],
		[{confkit: 1, type: 'chat', text: ' '}, 'invalid'],
		[{confkit: 1, type: 'chat', text: 'x'.repeat(8001)}, 'invalid'],
		[{confkit: 1, type: 'chat', text: 'early'}, 'state'],
		[{confkit: 1, type: 'hand', on: true}, 'state'],
		[{confkit: 1, type: 'leave'}, 'state']];
	const missing = [];
	for (const [message, reason] of bad)
		if (!await p.post(message, reason)) missing.push(message);
	is(missing, [], 'what is malformed or too early is refused by name');
	for (const noise of [null, 'confkit', 7, {type: 'leave'}, []])
		await p.evaluate((m) => frame.contentWindow.postMessage(m, '*'),
			noise);
	is((await p.ask('state')).stage, 'join',
		'what is not for it is let be, and the page is as it was');
}

async function joins(p, ben)
{
	ok(await p.heard('ready', {meeting: 'hello'}), 'it says that it is there');
	await badCommands(p);
	is((await p.ask('mute', {on: true})).type, 'done', 'mute before joining');
	const joined = await p.ask('join', {name: 'Ann <b>'});
	is([joined.type, joined.name, joined.role, joined.title],
		['done', 'Ann <b>', 'moderator', 'Hello'], 'join, with who one is');
	ok(await p.heard('joined', {user: joined.user}), 'and the event');
	ok(await until(10, () => tile(ben, 'Ann <b>').isVisible()),
		'others see who it is');
	ok(await until(5, () => tile(ben, 'Ann <b>').locator('.chip .icon')
		.first().isVisible()), 'and that it is muted');
	const now = await p.ask('state');
	is([now.stage, now.muted, now.camera, now.hand,
		now.users.map((u) => u.name)],
	['room', true, true, false, ['Ben', 'Ann <b>']], 'the state of the room');
	return joined.user;
}

async function speaks(p, ben)
{
	await p.forget();
	is((await p.ask('mute', {on: false})).type, 'done', 'unmute');
	ok(await p.heard('muted', {on: false}), 'is told');
	ok(await p.inside().getByRole('button', {name: 'Mute', exact: true})
		.isVisible(), 'and is what the button shows');
	is((await p.ask('camera', {on: false})).type, 'done', 'camera off');
	ok(await p.heard('camera', {on: false}), 'is told');
	ok(await until(5, () => tile(ben, 'Ann <b>').evaluate((n) =>
		n.classList.contains('covered'))), 'and seen by others');
	is((await p.ask('hand', {on: true})).type, 'done', 'a hand');
	ok(await p.heard('hand', {on: true}), 'is told');
	ok(await until(5, () => tile(ben, 'Ann <b>').locator('.raised')
		.isVisible()), 'and seen by others');
	is((await p.ask('chat', {text: ' From <i>outside</i> '})).type, 'done',
		'a message is done when it is in the log');
	ok(await said(ben, 'From <i>outside</i>'), 'and there as text');
	await say(ben, 'From inside');
	ok(await p.heard('chat', {name: 'Ben', text: 'From inside'}),
		'messages of others are told');
}

/* What only the server may do to one. */
async function isHeld(p, k, ann)
{
	await k.ctl('say', 'hello', 'Only for you', '--to', ann, '--as', 'ops');
	await k.ctl('say', 'hello', 'For all', '--as', 'ops');
	ok(await p.heard('chat', {text: 'For all', name: 'ops', user: ''}),
		'those of programs as well');
	ok(!await p.evaluate(() => window.got.some((e) =>
		/Only for/.test(e.text))), 'but no private one');
	await p.forget();
	await k.ctl('mute', 'hello', ann);
	ok(await p.heard('muted', {on: true}), 'muting by a moderator is told');
	const refused = await p.ask('mute', {on: false});
	is([refused.type, refused.reason, refused.message],
		['error', 'held', 'A moderator muted you.'],
		'and not undone by the framing page');
	is((await p.ask('state')).hand, true, 'nor is anything else changed');
}

async function leaves(p, k, ben)
{
	await press(ben, 'Leave');
	ok(await p.heard('user-left', {name: 'Ben'}), 'who leaves is told');
	await press(ben, 'Rejoin');
	ok(await p.heard('user-joined', {name: 'Ben'}), 'and who comes');
	is((await p.ask('leave')).type, 'done', 'leave');
	ok(await p.heard('left', {reason: 'left'}), 'is told');
	is((await p.ask('mute', {on: true})).reason, 'state',
		'then there is no button');
	const again = await p.ask('join');
	is([again.type, again.name], ['done', 'Ann <b>'], 'join is rejoin then');
	await k.ctl('kick', 'hello', again.user);
	const left = await p.heard('left', {reason: 'kicked'});
	like(left?.message, /You have been removed/, 'a kick is told in words');
	is((await p.ask('join')).reason, 'state', 'and there is no way back');
}

/* A page of another origin, with the link behind its #. */
const strange = () => new Promise((yes) => {
	const s = createServer((q, r) => {
		r.setHeader('Content-Type', 'text/html');
		r.end('<!doctype html><title>strange</title><body>');
	}).listen(0, '127.0.0.1', () => yes(s));
});

async function strangers(browser, k, link)
{
	const server = await strange();
	const url = `http://127.0.0.1:${server.address().port}/`;
	const open = async (break_) => {
		const p = await person(browser, url, {init: ears});
		if (break_) await p.route(/\/m\/hello/, async (route) => {
			if (route.request().method() === 'HEAD')
				return route.continue();
			const r = await route.fetch();
			const headers = r.headers();
			delete headers['content-security-policy'];
			await route.fulfill({response: r, headers});
		});
		/* It asks whom it may talk to. */
		const head = p.waitForResponse((r) =>
			r.request().method() === 'HEAD').catch(() => {});
		await p.evaluate((src) => {
			const f = document.createElement('iframe');
			Object.assign(f, {src, id: 'f', allow: 'camera; microphone'});
			document.body.append(f);
		}, link);
		return {p, head};
	};
	const {p} = await open(false);
	ok(await until(5, () => p.problems.some((s) =>
		/frame-ancestors|Framing/.test(s))), 'others get no frame');
	await p.context().close();

	/* As if the browser had not cared. */
	const {p: q, head} = await open(true);
	await head;
	const inner = await until(5, () => q.frames().find((f) =>
		/\/m\/hello/.test(f.url())));
	await inner.getByRole('button', {name: 'Join', exact: true}).waitFor();
	await q.evaluate(() => document.getElementById('f').contentWindow
		.postMessage({confkit: 1, id: 1, type: 'join', name: 'Eve'}, '*'));
	ok(await until(5, () => inner.evaluate(() => window.got.length)),
		'what they send arrives');
	await inner.evaluate(() => new Promise((yes) => setTimeout(yes, 100)));
	is(await q.evaluate(() => window.got), [], 'nor a single word');
	ok(await inner.getByRole('button', {name: 'Join', exact: true})
		.isEnabled(), 'nor what they ask for');
	is((await k.ctl('users', 'hello')).out.includes('Eve'), false,
		'and nobody has joined');
	await q.context().close();
	server.close();
}

/* A frame beside the meeting's, of the same parent. */
async function sibling(p)
{
	await p.evaluate(() => new Promise((yes) => {
		const f = document.createElement('iframe');
		f.srcdoc = '<script>parent.frames[0].postMessage({confkit: 1, ' +
			'id: "sib", type: "join", name: "Sib"}, "*")</' + 'script>';
		f.onload = yes;
		document.body.append(f);
	}));
	is((await p.ask('state')).stage, 'join',
		'a frame beside it is not listened to');
	ok(!await p.evaluate(() => window.got.some((e) => e.id === 'sib')),
		'nor answered');
}

/* A browser that does not tell who frames a page: nothing goes out until
 * the framing page has said something. */
async function unknown(browser, url)
{
	const q = await framing(browser, url, (p) => p.route(
		/:\d+\/embed\.js$/, async (route) => {
			const response = await route.fetch();
			await route.fulfill({response, body: (await response.text())
				.replace('location.ancestorOrigins', 'undefined')});
		}));
	ok(await q.heard('ready'), 'a page that does not know says no more');
	const early = await q.evaluate(() => window.got);
	is(early, [{confkit: 1, type: 'ready'}], 'than that it is there');
	is((await q.ask('state')).stage, 'join', 'until it is spoken to');
	ok(await q.heard('ready', {meeting: 'hello'}), 'and then it tells');
	ok(await q.heard('muted'), 'the rest');
	return q;
}

await test(async () => {
	const dir = mkdtempSync('/tmp/conf-embed-');
	const k = await start(dir);
	const browser = await chromium();
	const ben = await person(browser, k.links.viewer, {name: 'Ben'});
	await press(ben, 'Join');
	const p = await framing(browser, k.links.page);
	const ann = await joins(p, ben);
	await speaks(p, ben);
	await isHeld(p, k, ann);
	await leaves(p, k, ben);
	const q = await unknown(browser, k.links.page);
	await sibling(q);
	is([p.problems, q.problems, ben.problems], [[], [], []],
		'no page had a problem');
	await strangers(browser, k, k.links.viewer);
	k.p.kill('SIGTERM');
	is(await k.p.exited, 0, 'the example ends when told to');
	rmSync(dir, {recursive: true, force: true});
});
