/* settings - the few things a person may want otherwise, kept in this
 * browser. */
import { el } from './dom.js';
import { t } from './i18n.js';
import { devicePicks, languagePick } from './join.js';
import { keysOn } from './keys.js';
import { forEver } from './keep.js';

function themePick() {
	const now = forEver.getItem('confkit.theme') ?? '';
	const select = el('select', { 'aria-label': t('theme'), onchange() {
		const { value } = select;
		if (value) forEver.setItem('confkit.theme', value);
		else forEver.removeItem('confkit.theme');
		document.documentElement.dataset.theme = value;
	} }, ['', 'light', 'dark'].map(value => el('option', { value,
		selected: value === now }, t(`theme_${value || 'system'}`))));
	return select;
}

export class Settings {
	word = 'settings';

	constructor(app, room) {
		this.picks = devicePicks(app, () => room.speaker());
		const { mic, cam, spk } = this.picks.nodes;
		const keys = el('input', { type: 'checkbox', checked: keysOn(),
			onchange: () => forEver.setItem('confkit.keys',
				keys.checked ? 'on' : 'off') });
		const row = (word, node) => el('label.setting', {},
			el('span', {}, t(word)), node);
		this.body = el('div.settings', {}, mic, cam, spk,
			row('theme', themePick()), row('language', languagePick()),
			row('single_keys', keys));
	}

	shown(open) { if (open) this.picks.update(); }
}
