/* timeout: 180
 * The bar without a mouse: Tab through all of it, menus by arrows and
 * letters, single keys, the sheet that lists them in both languages, what
 * moves into More on narrower pages, and focus that is never lost. */
import {chromium, enter, is, kit, like, ok, person, test, until}
	from './lib.mjs';
import {button, crowd, focus, focused, item, listening, told, visible}
	from './room.mjs';

/* A screen to share, as headless browsers have none. */
const screens = () => {
	navigator.mediaDevices.getDisplayMedia = async () => {
		const c = document.createElement('canvas');
		c.getContext('2d').fillRect(0, 0, 9, 9);
		return c.captureStream(5);
	};
};
const outlined = (p) => p.evaluate(() =>
	getComputedStyle(document.activeElement).outlineStyle !== 'none');

async function walk(p)
{
	await p.locator('h1').focus();
	const seen = [], bare = [];
	for (let i = 0; i < 14 && seen.at(-1) !== 'Chat'; i++) {
		await p.keyboard.press('Tab');
		const name = await focus(p);
		seen.push(name);
		if (!await outlined(p)) bare.push(name);
	}
	is(seen.slice(1), ['Mute', 'Microphone settings', 'Stop camera',
		'Camera settings', 'Share screen', 'Raise hand', 'More', 'Leave',
		'People', 'Chat'], 'Tab: a tile, then the bar from left to right');
	like(seen[0], /^Zoe/, 'the tiles are one stop');
	is(bare, [], 'each shows that it has the focus');
	await p.locator('h1').focus();
	await p.keyboard.press('Shift+Tab');
	is(await focus(p), 'Skip to the controls', 'before it a link');
	await p.keyboard.press('Enter');
	is(await focus(p), 'Mute', 'that skips the stage');
}

async function menus(p)
{
	await p.keyboard.press('Tab');
	await p.keyboard.press('Enter');
	ok(await until(5, () => p.getByRole('menuitemradio').first()
		.isVisible()), 'a menu of devices opens');
	is(await p.getByRole('menuitemradio', {checked: true}).first()
		.evaluate((n) => n === document.activeElement), true,
	'the chosen one has the focus');
	await p.keyboard.press('s');
	ok(await focused(p, 'Settings,'), 'a letter finds an item');
	await p.keyboard.press('ArrowDown');
	ok(await p.getByRole('menuitemradio').first().evaluate((n) =>
		n === document.activeElement), 'after the last comes the first');
	const cover = await p.evaluate(() => {
		const m = document.querySelector('.menu').getBoundingClientRect();
		const b = document.querySelector('.arrow').getBoundingClientRect();
		return m.bottom > b.top && m.top < b.bottom;
	});
	ok(!cover, 'its button stays to be seen');
	await p.keyboard.press('Escape');
	ok(await focused(p, 'Microphone settings'), 'Esc gives the focus back');

	await button(p, 'More').focus();
	await p.keyboard.press('Enter');
	ok(await focused(p, 'Full screenF'), 'More opens');
	is(await p.getByRole('menuitem').allInnerTexts().then((all) =>
		all.map((s) => s.split('\n')[0])), ['Full screen', 'Settings',
		'Keyboard shortcuts', 'End for everyone…'],
	'and has what there is');
	await p.keyboard.press('End');
	await p.keyboard.press('Enter');
	ok(await focused(p, 'Cancel'), 'ending asks first, with the safe answer');
	await p.keyboard.press('Enter');
	ok(await focused(p, 'More'), 'and gives the focus back');
}

async function letters(p)
{
	await p.locator('h1').focus();
	for (const [key, before, after] of [['m', 'Mute', 'Unmute'],
		['v', 'Stop camera', 'Start camera'],
		['s', 'Share screen', 'Stop sharing'],
		['h', 'Raise hand', 'Lower hand']]) {
		await p.keyboard.press(key);
		ok(await until(5, () => p.getByRole('button',
			{name: after, exact: true}).first().isVisible()),
		`${key}: ${before}, then ${after}`);
	}
	ok(await told(p, /^You are muted\.$/), 'one\'s own mute is said');
	await p.keyboard.press('v');
	await p.keyboard.press('s');
	await p.locator('h1').focus();
	await p.keyboard.down(' ');
	ok(await until(3, () => button(p, 'Mute').isVisible()),
		'Space held: talking');
	await p.keyboard.up(' ');
	ok(await until(3, () => button(p, 'Unmute').isVisible()),
		'released: muted');
	for (const [key, title] of [['c', 'Chat'], ['p', 'People'],
		[',', 'Settings']]) {
		await p.keyboard.press(key);
		ok(await until(5, () => p.getByRole('heading', {level: 2,
			name: title}).isVisible()), `${key}: ${title}`);
		ok(await until(5, () => p.locator('.panel').evaluate((n) =>
			n.contains(document.activeElement))), 'with the focus in it');
		await p.keyboard.press('Escape');
		ok(await until(2, () => p.locator('.panel').isHidden()) &&
			await focus(p) !== 'BODY', 'Esc closes it and keeps the focus');
	}
	await p.locator('h1').focus();
	await p.keyboard.press('f');
	ok(await until(5, () => p.evaluate(() => !!document.fullscreenElement)),
		'f: full screen');
	await p.keyboard.press('f');
	await until(5, () => p.evaluate(() => !document.fullscreenElement));
}

/* Stage, panel, bar, and back. */
async function regions(p)
{
	await p.keyboard.press('p');
	await until(5, () => p.getByRole('list', {name: 'Participants'})
		.isVisible());
	const where = () => p.evaluate(() => ['.stage', '.panel', '.bar']
		.find((s) => document.activeElement.closest(s)));
	const seen = [];
	for (let i = 0; i < 3; i++) {
		await p.keyboard.press('F6');
		seen.push(await where());
	}
	is(seen, ['.bar', '.stage', '.panel'], 'F6 goes around');
	await p.keyboard.press('Shift+F6');
	is(await where(), '.stage', 'Shift+F6 goes back');
	await p.keyboard.press('p');
}

async function help(p, title, keys)
{
	await p.keyboard.press('?');
	const sheet = p.getByRole('dialog', {name: title});
	ok(await until(5, () => sheet.isVisible()), `?: ${title}`);
	const text = await sheet.innerText();
	is(keys.filter((k) => !text.includes(k)), [], 'lists every key');
	await p.keyboard.press('Escape');
	ok(await until(2, () => sheet.isHidden()) && await focus(p) !== 'BODY',
		'and is closed by Esc');
}

async function off(p)
{
	await p.keyboard.press(',');
	const box = p.getByRole('checkbox', {name: 'Single-key shortcuts'});
	await box.focus();
	await p.keyboard.press(' ');
	await p.keyboard.press('Escape');
	await p.locator('h1').focus();
	await p.keyboard.press('c');
	await p.keyboard.press('?');
	ok(await p.locator('.panel').isHidden() &&
		!await p.locator('dialog').count(), 'a setting turns letters off');
	await p.evaluate(() => localStorage.removeItem('confkit.keys'));
}

async function widths(p)
{
	const names = ['Microphone settings', 'Share screen', 'Lower hand',
		'People', 'Chat', 'More', 'Leave'];
	const seen = {};
	for (const width of [1180, 1000, 800, 680, 390]) {
		await p.setViewportSize({width, height: 800});
		if (width === 680) ok(await focused(p, 'More'),
			'a key that goes into More hands its focus on');
		if (width === 800) await button(p, 'Lower hand').focus();
		seen[width] = (await visible(p, names)).join();
	}
	is(seen, {1180: names.join(), 1000: names.slice(1).join(),
		800: names.slice(2).join(), 680: names.slice(3).join(),
		390: names.slice(3).join()}, 'less room, fewer keys');
	is(await p.locator('.bar .key:visible .word').allInnerTexts(),
		['Unmute', 'Camera', 'More', 'Leave', 'Chat'],
		'five on a phone');
	await button(p, 'More').click();
	ok(await item(p, 'Lower hand').isVisible() &&
		await item(p, 'Share screen').isVisible(), 'the rest is in More');
	is(await p.locator('.k-more .badge').innerText(), '•',
		'which is marked while the hand is up');
	await p.keyboard.press('Escape');
	await button(p, 'Chat').click();
	ok(await until(5, () => p.locator('.bar').evaluate((n) => n.inert)),
		'under a panel that fills the page the rest rests');
	await p.keyboard.press('Escape');
	await p.setViewportSize({width: 1280, height: 720});
}

await test(async () => {
	const k = await kit();
	const browser = await chromium();
	await crowd(k.links.viewer, ['Zoe']);
	const p = await person(browser, k.links.moderator, {name: 'Ada',
		init: `(${screens})();(${listening})()`});
	await enter(p);
	await until(10, () => p.locator('.tile[aria-label^=Zoe]').count());
	/* The microphone may come after its owner. */
	await button(p, 'Mute').waitFor();

	await walk(p);
	await menus(p);
	await letters(p);
	await regions(p);
	await help(p, 'Keyboard shortcuts', ['M', 'V', 'Space', 'H', 'S', 'C',
		'P', ',', 'F', '?', 'Esc', 'F6', 'Mute or unmute', 'PgDn',
		'Zoom a shared screen', 'Move your own tile']);
	await off(p);
	await widths(p);
	await p.goto(`${p.url().split('?')[0]}?lang=zh`);
	await p.locator('.stage').waitFor();
	await help(p, '键盘快捷键', ['空格', '静音或取消静音', 'F6']);
	is(p.problems, [], 'the page had no problem');
});
