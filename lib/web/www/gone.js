/* gone - the page after the meeting, or instead of it: one title, one
 * sentence, at most one button. */
import { BACK } from './app.js';
import { el, icon, plain } from './dom.js';
import { has, t } from './i18n.js';
import { languagePick } from './join.js';

export function gonePage(app, why, detail) {
	const title = el('h1.title', { tabindex: '-1', id: 'gone' }, t(`gone_${why}`));
	const known = has(`gone_${why}_more`) ? t(`gone_${why}_more`) : '';
	const more = why === 'refused'
		? `${detail[0].toUpperCase()}${detail.slice(1).replace(/\.?$/, '.')}`
		: [known, detail && `“${plain(detail)}”`].filter(Boolean).join(' ');
	/* Who was full up before he had a seat has his link yet. */
	const link = why === 'full' && !app.seat.session && location.hash;
	const button = BACK.includes(why) && (app.seat.session || link)
		&& el('button.primary', { onclick: press },
			t(why === 'full' ? 'try_again' : 'rejoin'));
	function press() {
		if (link) return location.reload();
		button.setAttribute('aria-busy', 'true');
		button.replaceChildren(el('span.spinner'), t('joining'));
		app.rejoin();
	}
	document.title = `${t(`gone_${why}`)} - confkit`;
	return {
		nodes: [
			el('header.head', {}, el('span.mark', {}, icon('chat', 20),
				'confkit'), languagePick()),
			el('main.gone', { 'aria-labelledby': 'gone gone-more' }, title,
				' ', more && el('p', { id: 'gone-more',
					role: 'status' }, more), button),
		],
		shown() { title.focus(); },
		update() {
			if (!button || app.stage !== 'gone') return;
			button.removeAttribute('aria-busy');
		},
	};
}
