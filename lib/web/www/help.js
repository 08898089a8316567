/* help - the sheet of keys, made from the table that the handler uses. */
import { el, icon } from './dom.js';
import { has, named, t } from './i18n.js';
import { KEYS, keysOn } from './keys.js';

const caps = keys => keys.split(' ').map(key => el('kbd', {},
	key === 'Space' ? t('key_space') : key));

export function openHelp(opener) {
	const dialog = el('dialog.help', { 'aria-labelledby': 'help' },
		el('header', {}, el('h2', { id: 'help' }, t('shortcuts')),
			el('button.quiet.bare', { ...named('close'),
				onclick: () => dialog.close() }, icon('x', 20))),
		!keysOn() && el('p.soft', {}, t('keys_off')),
		Object.entries(KEYS).map(([group, rows]) => el('section', {},
			el('h3', {}, t(has(`keys_${group}`) ? `keys_${group}`
				: 'stage')),
			el('dl', {}, rows.map(([keys, word]) => el('div', {},
				el('dt', {}, t(word)), el('dd', {}, caps(keys))))))));
	dialog.addEventListener('close', () => {
		dialog.remove();
		if (document.activeElement === document.body) opener?.focus();
	});
	dialog.addEventListener('click', event => {
		if (event.target === dialog) dialog.close();
	});
	dialog.addEventListener('keydown', event => {
		if (event.key === '?') dialog.close();
	});
	document.body.append(dialog);
	dialog.showModal();
	dialog.querySelector('button').focus();
	return dialog;
}
