/* sheet - the devices and the test of sound on a phone: they come up over
 * the page and go back to where they were. */
import { el, icon } from './dom.js';
import { named, t } from './i18n.js';

/* `nodes` are borrowed until it is closed. */
export function openSheet(key, nodes) {
	const places = nodes.map(node => {
		const place = document.createComment('');
		node.replaceWith(place);
		return place;
	});
	const close = el('button.quiet.bare', { type: 'button',
		...named('close'), onclick: () => dialog.close() }, icon('x', 20));
	const dialog = el('dialog.menu.sheet', { 'aria-labelledby': 'sheet' },
		el('span.grab', { 'aria-hidden': 'true' }),
		el('header', {}, el('h2', { id: 'sheet' }, t(key)), close), nodes);
	dialog.addEventListener('close', () => {
		places.forEach((place, i) => place.replaceWith(nodes[i]));
		dialog.remove();
	});
	dialog.addEventListener('click', event => {
		if (event.target === dialog) dialog.close();
	});
	document.body.append(dialog);
	dialog.showModal();
	return dialog;
}
