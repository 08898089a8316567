/* menu - menus and questions as native dialogs, which keep and return focus.
 * On a phone they are sheets at the bottom. */
import { bdi, disc, el, icon, phone } from './dom.js';
import { t } from './i18n.js';

const EDGE = 8;
const TYPED_MS = 700;

/* Shows it; when it closes, whatever had the focus has it again. */
function closing(dialog, anchor) {
	anchor?.focus();
	dialog.addEventListener('close', () => {
		dialog.remove();
		if (document.activeElement === document.body) anchor?.focus();
	});
	dialog.addEventListener('click', event => {
		if (event.target === dialog) dialog.close();
	});
	document.body.append(dialog);
	dialog.showModal();
}

/* Above or below the anchor, where there is more room, so that its own row
 * stays visible. */
function position(dialog, anchor) {
	if (phone()) return;
	const a = anchor.getBoundingClientRect(), { style } = dialog;
	const under = innerHeight - a.bottom - 2 * EDGE;
	const over = a.top - 2 * EDGE;
	const below = dialog.offsetHeight <= under || under > over;
	style.maxHeight = `${Math.floor(below ? under : over)}px`;
	const { offsetWidth: w, offsetHeight: h } = dialog;
	const left = Math.min(Math.max(EDGE, a.left + a.width / 2 - w / 2),
		innerWidth - w - EDGE);
	style.left = `${Math.round(left)}px`;
	style.top = `${Math.round(below ? a.bottom + EDGE
		: a.top - h - EDGE)}px`;
}

/* `off` is why not; `hint` the key that does the same. */
function row(dialog, { icon: id, word, run, danger, chosen, off, hint }) {
	return el(`button.item${danger ? '.danger' : ''}`, {
		role: chosen === undefined ? 'menuitem' : 'menuitemradio',
		'aria-checked': chosen === undefined ? null : `${!!chosen}`,
		'aria-disabled': off ? 'true' : null, tabindex: '-1',
		title: off || null, 'aria-description': off || null,
		'aria-keyshortcuts': hint,
		onclick() {
			if (off) return;
			dialog.close();
			run();
		},
	}, chosen ? icon('check', 20) : id ? icon(id, 20) : el('span.i20'),
	el('span', {}, word), hint && el('kbd', { 'aria-hidden': 'true' }, hint));
}

/* Arrows, Home, End and the first letters of a word; Tab closes. */
function keys(dialog, list) {
	let typed = '', at = 0;
	const rows = () => [...list.querySelectorAll('.item')];
	const spelt = (all, from, key) => {
		const now = performance.now();
		/* The same letter again goes on to the next such word. */
		typed = now - at < TYPED_MS && typed !== key ? typed + key : key;
		at = now;
		const next = typed.length > 1 ? from : from + 1;
		return [...all.slice(next), ...all.slice(0, next)].find(r =>
			r.textContent.toLowerCase().startsWith(typed));
	};
	return event => {
		const { key } = event, all = rows();
		const now = all.indexOf(document.activeElement);
		const to = { ArrowDown: now + 1, ArrowUp: now - 1, Home: 0,
			End: all.length - 1 }[key];
		if (to !== undefined) all.at(to % all.length).focus();
		else if (key === 'Tab') dialog.close();
		else if (key.length === 1 && key !== ' ' && !event.ctrlKey
			&& !event.metaKey)
			spelt(all, Math.max(0, now), key.toLowerCase())?.focus();
		else return;
		event.preventDefault();
	};
}

/* `items` are null (a line), {head} (what the next are) or {icon, word, run,
 * danger, chosen, off, hint}. */
export function openMenu(anchor, items, { label, person } = {}) {
	const list = el('div.items', { role: 'menu', 'aria-label': label });
	const dialog = el('dialog.menu', { 'aria-label': label },
		el('span.grab', { 'aria-hidden': 'true' }),
		person && el('div.person', {}, disc(person.user, person.name),
			bdi(person.name)), list);
	list.append(...items.map(item => !item
		? el('hr', { role: 'separator' }) : item.head
			? el('h3', { role: 'presentation' }, item.head)
			: row(dialog, item)));
	list.addEventListener('keydown', keys(dialog, list));
	closing(dialog, anchor);
	position(dialog, anchor);
	(list.querySelector('[aria-checked=true]')
		?? list.querySelector('.item'))?.focus();
	return dialog;
}

/* Resolves with the chosen id, or '' when put aside. */
export function question(title, text, choices, anchor) {
	return new Promise(done => {
		let chosen = '';
		const dialog = el('dialog.question', { 'aria-labelledby': 'q-title',
			onclose: () => done(chosen) },
		el('h2.title', { id: 'q-title' }, title), text && el('p', {}, text),
		el('div.choices', {},
			el('button.secondary', { onclick: () => dialog.close() },
				t('cancel')),
			choices.map(({ id, word, look = 'primary' }) => el(
				`button.${look}`, { onclick() {
					chosen = id;
					dialog.close();
				} }, word))));
		closing(dialog, anchor);
	});
}
