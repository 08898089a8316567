/* timeout: 240
 * What the stage asks for, with real media: of two who share the one that is
 * shown is sent, with its sound; who is pinned is asked for as the stage; a
 * hidden page is sent no video while its sound goes on, and video again when
 * it is seen. */
import {chromium, colour, enter, hide, is, kit, listen, loud, LOUD, ok, person,
	press, seen, streams, test, tile, tone, until} from './lib.mjs';

/* In the page before its own code: what it asks for, and a screen of one
 * colour, which may have sound. */
const watch = () => {
	const {send} = WebSocket.prototype;
	window.wants = [];
	WebSocket.prototype.send = function (text) {
		const {method, params} = typeof text === 'string' ?
			JSON.parse(text) : {};
		if (method === 'media.want') window.wants.push(params.tracks);
		return send.call(this, text);
	};
};
const screen = ([fill, hz]) => {
	navigator.mediaDevices.getDisplayMedia = async () => {
		const c = document.createElement('canvas');
		c.width = 320;
		c.height = 200;
		const g = c.getContext('2d');
		let i = 0;
		setInterval(() => {
			g.fillStyle = fill;
			g.fillRect(0, 0, 320, 200);
			g.fillStyle = '#fff';
			g.fillRect(i++ % 40, 0, 4, 4);
		}, 100);
		const s = c.captureStream(10);
		if (hz) {
			const ctx = new AudioContext();
			const o = ctx.createOscillator();
			const out = ctx.createMediaStreamDestination();
			o.frequency.value = hz;
			o.connect(out);
			o.start();
			s.addTrack(out.stream.getAudioTracks()[0]);
		}
		return s;
	};
};

const shown = (p) => p.locator('.tile.screen').evaluate((n) => {
	const c = document.createElement('canvas');
	c.width = c.height = 1;
	const g = c.getContext('2d'), v = n.querySelector('video');
	g.drawImage(v, v.videoWidth / 2, v.videoHeight / 2, 1, 1, 0, 0, 1, 1);
	const [r, , b] = g.getImageData(0, 0, 1, 1).data;
	return n.classList.contains('covered') ? '' : r > b + 60 ? 'red' :
		b > r + 60 ? 'blue' : '?';
});
const shows = (p, what) => until(60, async () => await shown(p) === what);
const wants = (p) => p.evaluate(() => window.wants.at(-1));
const bytes = async (p, kind) => (await streams(p, 'inbound-rtp', kind))
	.reduce((n, s) => n + s.bytesReceived, 0);

async function sharers(ada, ben, cy)
{
	await listen(ada);
	await press(ben, 'Share screen');
	ok(await shows(ada, 'red'), 'the screen of Ben is seen');
	ok(await until(20, async () => await loud(ada, 1000) > LOUD),
		'and its sound is heard');
	await press(cy, 'Share screen');
	ok(await shows(ada, 'blue'), 'that of Cy, which is newer, instead');
	ok(await ada.getByText('Cy is sharing').isVisible(), 'by his name');
	await press(ada, 'Ben');
	ok(await shows(ada, 'red') && await ada.getByText('Ben is sharing')
		.isVisible(), 'Ben\'s again when he is chosen');
	is((await wants(ada)).filter((w) => w.source === 'screen')
		.map((w) => w.height).sort(), [0, 720],
	'only that has been asked for');
	ok(await shows(ben, 'blue'), 'Ben sees that of Cy');
	ok(await ben.locator('.tools').getByRole('button', {name:
		'Stop sharing', exact: true}).isVisible(),
	'and can stop his own beside it');
	await cy.locator('#bar').getByRole('button', {name: 'Stop sharing',
		exact: true}).click();
	await ben.locator('.tile.sharing').getByRole('button', {name:
		'Stop sharing', exact: true}).click();
	ok(await until(20, async () => !await ada.locator('.tile.screen')
		.count()), 'both have ended');
}

async function pinned(ada)
{
	await tile(ada, 'Ben').hover();
	await tile(ada, 'Ben').getByRole('button', {name: 'More actions'})
		.click();
	await ada.getByRole('menuitem', {name: 'Pin for me'}).click();
	const user = await tile(ada, 'Ben').getAttribute('data-user');
	ok(await until(20, async () => (await wants(ada)).some((w) =>
		w.user === user && w.stage && w.height === 360)),
	'who is pinned is asked for as the stage', await wants(ada));
	ok(await until(20, async () => !(await seen(ada, 'Ben')).covered),
		'and seen');
	await tile(ada, 'Ben').press('i');
	ok(await until(20, async () => (await wants(ada)).every((w) => !w.stage)),
		'until that is taken back');
}

async function hidden(ada)
{
	const moving = async (kind) => {
		const before = await bytes(ada, kind);
		return until(20, async () => await bytes(ada, kind) > before + 2000);
	};
	ok(await moving('video'), 'video comes in');
	await hide(ada, true);
	ok(await until(20, async () => (await wants(ada)).every((w) =>
		w.height === 0)), 'a hidden page asks for none');
	/* What was on its way has come when a second passes without a byte. */
	let before = -1;
	ok(await until(20, async () => {
		const now = await bytes(ada, 'video');
		const still = now === before;
		before = now;
		return still;
	}, 1000), 'and none comes in');
	ok(await moving('audio'), 'while sound goes on');
	await hide(ada, false);
	ok(await moving('video') && await until(20, async () => !(await seen(ada,
		'Ben')).covered && !(await seen(ada, 'Cy')).covered),
	'when it is seen again so are the others');
}

await test(async () => {
	const k = await kit();
	const browser = await chromium({wav: tone(440), y4m: colour('grey',
		[128, 128, 128], 160, 90, 10)});
	const all = [];
	for (const [name, ...more] of [['Ada'], ['Ben', '#e02020', 1000],
		['Cy', '#2020e0', 0]]) {
		const p = await person(browser, k.links[all.length ? 'viewer' :
			'moderator'], {name, query: 'raw=1', init: watch,
			viewport: {width: 900, height: 600}});
		if (more.length) await p.evaluate(screen, more);
		await enter(p);
		all.push(p);
	}
	const [ada, ben, cy] = all;
	ok(await until(30, async () => !(await seen(ada, 'Ben')).covered &&
		!(await seen(ada, 'Cy')).covered), 'the others are seen');
	await sharers(ada, ben, cy);
	await pinned(ada);
	await hidden(ada);
	is(all.flatMap((p) => p.problems), [], 'no page had a problem');
});
