/* timeout: 180
 * What others do and what may be done about them: toasts that gather, unread
 * counts before the chat was ever opened, days and the line before what is
 * new, private words, what was not sent; a list of many people, its search
 * and its menus, by keyboard. */
import {chromium, enter, is, kit, like, ok, person, press, said, say, test,
	until} from './lib.mjs';
import {button, crowd, focus, focused, item, listening, told}
	from './room.mjs';

const MANY = 64;
const list = (p) => p.getByRole('list', {name: 'Participants'});
const actions = (p, name) => list(p).getByRole('button',
	{name: `Actions for ${name}`});
const toasts = (p) => p.locator('.toast').allInnerTexts()
	.then((all) => all.join('\n').replace(/\s+/g, ' '));
const toast = (p, pattern) => until(8, async () =>
	pattern.test(await toasts(p)));
const loaded = (p, file) => p.evaluate((f) => performance
	.getEntriesByType('resource').some((e) => e.name.includes(f)), file);

async function arrivals(k, p)
{
	const few = await crowd(k.links.viewer, ['Bea', 'Cem', 'Dov']);
	ok(await toast(p, /Bea and 2 others joined/), 'who joins is gathered');
	ok(await told(p, /joined/), 'and said');
	await few[0].call('user.hand', {up: true});
	await few[1].call('user.hand', {up: true});
	ok(await toast(p, /Cem raised a hand \(2nd\)/), 'a hand and its place');
	const clear = await p.evaluate(() => {
		const bar = document.querySelector('.bar').getBoundingClientRect();
		return [...document.querySelectorAll('.toast')].every((n) =>
			n.getBoundingClientRect().bottom <= bar.top);
	});
	ok(clear, 'toasts keep off the bar');
	return few;
}

/* The test moves what says so to the day before. */
async function days(p)
{
	await p.routeWebSocket(/\/ws/, (ws) => {
		const server = ws.connectToServer();
		ws.onMessage((m) => server.send(m));
		server.onMessage((m) => {
			const o = JSON.parse(m), e = o.params;
			if (e?.type === 'chat.said' && /day before/.test(e.data.text))
				e.time = new Date(Date.parse(e.time) - 864e5)
					.toISOString();
			ws.send(JSON.stringify(o));
		});
	});
}

async function chat(p, few)
{
	const [bea, cem] = few;
	await bea.call('chat.say', {text: 'the day before'});
	await bea.call('chat.say', {text: 'look at https://example.net/a?b=1.'});
	await cem.call('chat.say', {text: 'for you', to: bea.ada});
	await p.locator('.toast', {hasText: 'Cem to you'}).hover();
	ok(await toast(p, /Cem to you only for you Reply/), 'a toast to reply to');
	ok(await until(5, async () => await p.locator('.k-chat .badge')
		.innerText() === '3'), 'three are unread');
	is(await button(p, 'Chat').getAttribute('aria-description'),
		'3 new messages', 'by number and noun');
	ok(!await loaded(p, 'chat.js'), 'before there is a panel to read them');
	ok(await told(p, /^Only you\. Cem: for you$/), 'private is said first');
	await p.locator('.toast', {hasText: 'Cem to you'}).getByRole('button',
		{name: 'Reply'}).click();
	ok(await focused(p, 'Message'), 'Reply leads to the box');
	ok(await p.getByRole('button', {name: 'To Cem'}).isVisible(),
		'addressed to who wrote');
	is(await p.locator('.rule').allInnerTexts(),
		['Yesterday', 'New', 'Today'],
		'lines for a day and for what is new');
	const link = p.locator('.said a');
	is([await link.getAttribute('href'), await link.getAttribute('rel'),
		await link.getAttribute('target')], ['https://example.net/a?b=1',
		'noopener noreferrer', '_blank'], 'a link without the full stop');
	ok(await p.locator('.direct', {hasText: 'Only you'}).isVisible(),
		'what is private is marked');
	ok(await button(p, 'Chat').getAttribute('aria-description') === null,
		'nothing is unread');
	await say(p, 'to Cem');
	ok(await until(5, () => p.locator('.direct', {hasText: 'Only Cem'})
		.isVisible()), 'the answer as well');

	const box = p.getByRole('textbox', {name: 'Message'});
	await button(p, 'To Cem').click();
	await p.getByRole('menuitemradio', {name: 'Everyone'}).click();
	await box.fill('a draft');
	await box.dispatchEvent('keydown', {key: 'Enter', isComposing: true});
	is(await box.inputValue(), 'a draft', 'composing does not send');
	await box.press('Shift+Enter');
	await box.press('Escape');
	await press(p, 'Chat');
	ok(await until(5, async () => await box.inputValue() === 'a draft\n'),
		'a draft outlives closing');
	await box.fill('a bell \u0007');
	await box.press('Enter');
	ok(await until(5, () => p.locator('.again', {hasText: 'Not sent.'})
		.getByRole('button', {name: 'Try again'}).isVisible()),
	'what the server refuses is marked, with a next step');
}

/* Scrolled up nothing moves; a pill leads to what is new. */
async function scrolled(p, [bea, cem])
{
	for (let i = 0; i < 30; i++)
		await (i % 2 ? bea : cem).call('chat.say', {text: `line ${i}`});
	ok(await said(p, 'line 29'), 'many lines');
	const scroll = p.locator('.scroll');
	await scroll.evaluate((n) => { n.scrollTop = 40; });
	await until(2, () => scroll.evaluate((n) => n.scrollTop === 40));
	await bea.call('chat.say', {text: 'the last one'});
	ok(await until(5, () => button(p, 'New messages').isVisible()),
		'who reads above is told');
	is(await scroll.evaluate((n) => n.scrollTop), 40, 'and not moved');
	await p.keyboard.press('Escape');
	await press(p, 'Chat');
	ok(await until(5, () => scroll.evaluate((n) => n.scrollTop === 40)),
		'nor by closing and opening');
	await button(p, 'New messages').click();
	ok(await until(3, () => scroll.evaluate((n) => n.scrollHeight -
		n.scrollTop - n.clientHeight < 2)), 'a press leads down');
}

async function many(k, p)
{
	await press(p, 'People');
	await crowd(k.links.viewer, Array.from({length: MANY}, (_, i) =>
		`Person ${String(i).padStart(2, '0')}`));
	ok(await until(20, async () => (await p.locator('.panel .count')
		.innerText()) === String(MANY + 4)), 'all are counted');
	ok(await told(p, /^\d+ people joined$/), 'many joins are one sentence');
	const rows = await list(p).locator('.person').count();
	ok(rows > 9 && rows < MANY, `rows in sight only (${rows})`);
	await list(p).getByRole('button').first().focus();
	await p.keyboard.press('ArrowDown');
	await p.keyboard.press('End');
	ok(await focused(p, 'Actions for Person 63'), 'End leads to the last');
	await p.keyboard.press('ArrowUp');
	ok(await focused(p, 'Actions for Person 62'), 'arrows from row to row');
	await p.keyboard.press('Home');
	await p.getByRole('searchbox').fill('person 4');
	ok(await until(5, () => p.getByText('10 people found').isVisible()),
		'a search says how many it found');
	await p.getByRole('searchbox').fill('person 07');
	await until(5, async () => await list(p).locator('.person').count() === 1);
	await p.getByRole('searchbox').press('Tab');
	ok(await focused(p, 'Mute all'), 'Tab leads to what concerns all');
	await p.keyboard.press('Tab');
	ok(await focused(p, 'Actions for Person 07'), 'and to the one row');
}

async function moderator(k, p, [bea])
{
	await p.keyboard.press('Enter');
	ok(await until(5, () => item(p, 'Mute').isVisible()), 'Enter: the menu');
	is(await p.getByRole('menuitem').allInnerTexts().then((all) =>
		all.filter((s) => !/pin/i.test(s))), ['Mute', 'Message privately',
		'Make moderator', 'Remove…'], 'has what a moderator may do');
	await p.keyboard.press('Enter');
	ok(await until(5, () => list(p).getByText('muted by a moderator')
		.isVisible()), 'Mute mutes');
	ok(await focused(p, 'Actions for Person 07'), 'and keeps the focus');
	await p.keyboard.press('Enter');
	await p.keyboard.press('m');
	await p.keyboard.press('m');
	await p.keyboard.press('Enter');
	ok(await until(5, () => list(p).getByText('Moderator', {exact: false})
		.first().isVisible()), 'letters choose Make moderator');
	await p.keyboard.press('Enter');
	await p.keyboard.press('End');
	await p.keyboard.press('Enter');
	ok(await focused(p, 'Cancel'), 'Remove asks first');
	like(await p.locator('.question').innerText(), /Remove Person 07\?/,
		'and says whom');
	await p.keyboard.press('Tab');
	await p.keyboard.press('Enter');
	ok(await until(5, async () => (await p.locator('.panel .count')
		.innerText()) === String(MANY + 3)), 'then it is done');
	ok(await until(3, async () => await focus(p) !== 'BODY'),
		'the focus goes on to something');
	await p.getByRole('searchbox').fill('');
	ok(await until(5, () => p.getByRole('list', {name: 'Hands raised'})
		.locator('.person').first().getByText('Bea').isVisible()),
	'hands are in order');
	await button(p, 'Lower all').click();
	ok(await until(5, () => p.getByRole('list', {name: 'Hands raised'})
		.isHidden()), 'Lower all lowers all');
	const held = async () => (await k.ctl('users', 'hello', '--json')).out
		.split('"held":true').length + (await k.ctl('users', 'hello',
		'--json')).out.split('"held": true').length - 2;
	await button(p, 'Mute all').click();
	ok(await until(8, async () => await held() >= MANY + 2),
		'Mute all mutes all others');
	await button(p, 'Unmute all').click();
	ok(await until(8, async () => await held() === 0), 'and Unmute all');
	await bea.call('user.leave');
}

async function viewer(k, browser)
{
	const p = await person(browser, k.links.viewer, {name: 'Vic',
		viewport: {width: 390, height: 844}});
	await enter(p);
	await press(p, 'People');
	await p.getByRole('searchbox').fill('cem');
	await actions(p, 'Cem').click();
	await item(p, 'Message privately').waitFor();
	ok(!await item(p, 'Remove…').count() && !await item(p, 'Mute').count(),
		'a viewer gets what a viewer may');
	ok(await p.locator('.menu .person').isVisible(),
		'on a phone the sheet says about whom');
	await item(p, 'Message privately').click();
	ok(await focused(p, 'Message') &&
		await button(p, 'To Cem').isVisible(), 'and leads to the chat');
	ok(!await button(p, 'Mute all').count(), 'nothing else to press');
	is(p.problems, [], 'the page had no problem');
}

await test(async () => {
	const k = await kit();
	const browser = await chromium();
	const p = await person(browser, 'about:blank');
	await days(p);
	await p.addInitScript(listening);
	await p.goto(k.links.moderator);
	await p.locator('#name').fill('Ada');
	await enter(p);
	const few = await arrivals(k, p);
	few[0].ada = await p.locator('.tile.self').getAttribute('data-user');
	await chat(p, few);
	await scrolled(p, few);
	await many(k, p);
	await moderator(k, p, few);
	await viewer(k, browser);
	is(p.problems, [], 'the page had no problem');
});
