/* early - what stands in the place of Join while the meeting has not
 * started, and when it opens where that is known. */
import { el } from './dom.js';
import { locale, t } from './i18n.js';

const SPREAD_MS = 2000;
const ABSENT_MS = 15000;
const LONGEST_MS = 3600e3;

/* When to ask again: a little later than it opens, and not all at once; and
 * every now and then when nobody knows when that is. */
export const delay = ({ from, wait_ms: wait }) => from
	? Math.min(wait, LONGEST_MS) + Math.random() * SPREAD_MS
	: ABSENT_MS * (0.75 + Math.random() / 2);

export function card({ from }) {
	const day = new Date(from ?? 0);
	const today = day.toDateString() === new Date().toDateString();
	const when = day.toLocaleString(locale, { hour: '2-digit',
		minute: '2-digit', ...!today && { weekday: 'long', day: 'numeric',
			month: 'long' } });
	return [el('span.spinner'), el('div', {},
		el('strong', {}, t('not_started')),
		from && el('p', {}, t('opens_at', { when })))];
}
