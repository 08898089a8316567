/* blocked - what stands in the preview when both devices are refused: the
 * way to allow them, in two steps, by what this browser shows. */
import { el, icon } from './dom.js';
import { t } from './i18n.js';

/* Where to press, and what to do there. */
function steps() {
	const agent = navigator.userAgent;
	const touch = matchMedia('(pointer: coarse)').matches;
	const at = sign => {
		const [before, after] = t(touch ? 'step_tap' : 'step_click')
			.split('|');
		return [before, el('kbd', {}, sign), after];
	};
	if (/firefox/i.test(agent))
		return [at(icon('camoff', 16)), t('step_unblock')];
	if (/chrom|crios/i.test(agent))
		return [at(icon('sliders', 16)), t('step_allow')];
	if (touch) return [at('aA'), t('step_website')];
	return [t('step_safari'), t('step_allow')];
}

export function blocked(again) {
	return el('div.blocked', {}, icon('camoff'),
		el('h2.title', {}, t('both_blocked')),
		el('p', {}, t('blocked_more')),
		el('ol', {}, steps().map((words, i) => el('li', {},
			el('span.number', { 'aria-hidden': 'true' }, `${i + 1}`),
			el('span', {}, words)))),
		el('button.secondary', { type: 'button', onclick: again },
			t('try_again')));
}

/* Asks again when the browser has been told otherwise. */
export function watch(again) {
	for (const name of ['camera', 'microphone'])
		navigator.permissions?.query({ name }).then(status => {
			status.onchange = () => status.state === 'granted' && again();
		}, () => {});
}
