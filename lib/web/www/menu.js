/* menu - menus and questions as native dialogs, which keep and return focus.
 * On a phone they are sheets at the bottom. */
import { bdi, disc, el, icon } from './dom.js';
import { t } from './i18n.js';

const phone = () => matchMedia('(max-width: 639px)').matches;
const EDGE = 8;

function closing(dialog) {
	dialog.addEventListener('close', () => dialog.remove());
	dialog.addEventListener('click', event => {
		if (event.target === dialog) dialog.close();
	});
	document.body.append(dialog);
	dialog.showModal();
}

/* Above or below the anchor, so that its own row stays visible. */
function position(dialog, anchor) {
	if (phone()) return;
	const a = anchor.getBoundingClientRect();
	const { offsetWidth: w, offsetHeight: h } = dialog;
	const left = Math.min(Math.max(EDGE, a.left + a.width / 2 - w / 2),
		innerWidth - w - EDGE);
	const below = a.bottom + EDGE + h <= innerHeight - EDGE;
	dialog.style.left = `${Math.round(left)}px`;
	dialog.style.top = `${Math.round(below ? a.bottom + EDGE
		: Math.max(EDGE, a.top - h - EDGE))}px`;
}

/* `items` are null (a line) or {icon, word, run, danger, chosen}. */
export function openMenu(anchor, items, { label, person } = {}) {
	const list = el('div.items', { role: 'menu', 'aria-label': label,
		onkeydown: keys });
	const dialog = el('dialog.menu', { 'aria-label': label },
		el('span.grab', { 'aria-hidden': 'true' }),
		person && el('div.person', {}, disc(person.user, person.name),
			bdi(person.name)), list);
	for (const item of items) list.append(item ? row(item)
		: el('hr', { role: 'separator' }));
	function row({ icon: id, word, run, danger, chosen, off }) {
		return el(`button.item${danger ? '.danger' : ''}`, {
			role: chosen === undefined ? 'menuitem' : 'menuitemradio',
			'aria-checked': chosen === undefined ? null : `${!!chosen}`,
			'aria-disabled': off && 'true', tabindex: '-1', title: off,
			onclick() {
				if (off) return;
				dialog.close();
				run();
			},
		}, chosen ? icon('check', 20) : id ? icon(id, 20)
			: el('span.i20'), el('span', {}, word));
	}
	const rows = () => [...list.querySelectorAll('.item')];
	function keys(event) {
		const all = rows(), at = all.indexOf(document.activeElement);
		const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0,
			End: all.length - 1 }[event.key];
		if (to === undefined) return;
		all.at(to % all.length).focus();
		event.preventDefault();
	}
	closing(dialog);
	position(dialog, anchor);
	rows()[0]?.focus();
	return dialog;
}

/* Resolves with the chosen id, or '' when put aside. */
export function question(title, text, choices) {
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
		closing(dialog);
	});
}

export { phone };
