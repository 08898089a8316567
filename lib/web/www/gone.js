/* gone - the page after the meeting, or instead of it: one title, one
 * sentence, at most one button. */
import { el, icon, plain } from './dom.js';
import { has, t } from './i18n.js';

/* Which ends can be taken back. */
export const BACK = ['left', 'lost', 'replaced', 'full'];

export function gonePage(app, why, detail) {
	const title = el('h1.title', { tabindex: '-1' }, t(`gone_${why}`));
	const known = has(`gone_${why}_more`) ? t(`gone_${why}_more`) : '';
	const more = why === 'refused'
		? `${detail[0].toUpperCase()}${detail.slice(1).replace(/\.?$/, '.')}`
		: [known, detail && `“${plain(detail)}”`].filter(Boolean).join(' ');
	const button = BACK.includes(why) && app.seat.session
		&& el('button.primary', { onclick: press }, t('rejoin'));
	function press() {
		button.setAttribute('aria-busy', 'true');
		button.replaceChildren(el('span.spinner'), t('joining'));
		app.rejoin();
	}
	document.title = `${t(`gone_${why}`)} - confkit`;
	return {
		nodes: [
			el('header.head', {},
				el('span.mark', {}, icon('chat', 20), 'confkit')),
			el('main.gone', {},
				title, more && el('p', { role: 'status' }, more), button),
		],
		shown() { title.focus(); },
		update() {
			if (!button || app.stage !== 'gone') return;
			button.removeAttribute('aria-busy');
		},
	};
}
