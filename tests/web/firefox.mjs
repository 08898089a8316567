/* Firefox for the tests, driven by WebDriver BiDi: the same words as lib.mjs
 * has for Chromium (person, press, enter, seen, say, said), on the pages of
 * another driver. Its fake camera is one slowly changing colour, its fake
 * microphone a constant tone. */
import {existsSync} from 'node:fs';
import {closing, require, until, watcher} from './lib.mjs';

/* Without the two permissions it gathers addresses of the default route
 * alone, and nothing on 127.0.0.1 is ever reached. */
const PREFS = {
	'media.navigator.streams.fake': true,
	'media.navigator.permission.disabled': true,
	'media.peerconnection.ice.loopback': true,
	'media.peerconnection.ice.obfuscate_host_addresses': false,
	'media.autoplay.default': 0,
	'permissions.default.camera': 1,
	'permissions.default.microphone': 1,
};

export async function firefox()
{
	const {default: driver} = await import(
		require.resolve('puppeteer-core'));
	const path = [process.env.FIREFOX, '/usr/bin/firefox-esr',
		'/usr/bin/firefox'].find((p) => p && existsSync(p));
	if (!path) throw new Error('no firefox here');
	const b = await driver.launch({browser: 'firefox', headless: true,
		executablePath: path, acceptInsecureCerts: true,
		extraPrefsFirefox: PREFS, timeout: 60000,
		protocolTimeout: 60000});
	closing(b);
	return b;
}

/* A person on this link; problems of the page are kept in .problems. */
export async function person(browser, url, {name, width = 1280,
	height = 720} = {})
{
	const context = await browser.createBrowserContext();
	const p = await context.newPage();
	p.problems = [];
	p.on('pageerror', (e) => p.problems.push(e.stack || String(e)));
	p.on('console', (m) => {
		if (m.type() == 'error') p.problems.push(m.text());
	});
	await p.setViewport({width, height});
	await p.evaluateOnNewDocument(watcher);
	await p.goto(url);
	await p.waitForSelector('#name', {timeout: 30000});
	if (name !== undefined)
		await p.$eval('#name', (box, text) => {
			box.value = text;
			box.dispatchEvent(new Event('input', {bubbles: true}));
		}, name);
	return p;
}

/* The button of this name that can be seen, or null. */
export async function button(p, name)
{
	const h = await p.evaluateHandle((n) => {
		const words = (b) => [...b.childNodes].filter((c) =>
			c.ariaHidden !== 'true')
			.map((c) => c.textContent).join('').trim();
		return [...document.querySelectorAll('button')].find((b) =>
			(b.getAttribute('aria-label') ?? words(b)) === n &&
			b.checkVisibility()) ?? null;
	}, name);
	return h.asElement();
}
export async function press(p, name)
{
	const b = await until(20, () => button(p, name));
	if (!b) throw new Error(`no button ${name}`);
	await b.click();
}
export async function enter(p)
{
	await press(p, 'Join');
	await p.waitForSelector('.stage', {timeout: 30000});
}

/* What of the tile of this person is seen: covered, frames decoded. */
export const seen = (p, name) => p.evaluate((n) => {
	const tile = [...document.querySelectorAll('.tile[data-source=cam]')]
		.find((t) => t.textContent.includes(n));
	const v = tile.querySelector('video');
	return {covered: tile.classList.contains('covered'),
		frozen: tile.classList.contains('frozen'),
		frames: v.mozPaintedFrames, user: tile.dataset.user};
}, name);

const BOX = 'textarea[aria-label=Message]';

export async function say(p, text)
{
	if (!await (await p.$(BOX))?.isVisible()) await press(p, 'Chat');
	const box = await p.waitForSelector(BOX, {visible: true});
	await box.type(text);
	await box.press('Enter');
}
export const said = (p, ...texts) => until(10, () => p.evaluate((all) => {
	const list = document.querySelector('[aria-label=Messages]');
	return list && all.every((t) => list.innerText.includes(t));
}, texts));
