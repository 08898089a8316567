/* settings - the panel of what a person may want otherwise, kept in this
 * browser, and of how good the connection is. */
import { el, setText } from './dom.js';
import { t } from './i18n.js';
import { devicePicks, languagePick } from './join.js';
import { forEver, isOn } from './keep.js';
import { figures } from './tell.js';

function themePick() {
	const now = forEver.getItem('confkit.theme') ?? '';
	const select = el('select', { onchange() {
		const { value } = select;
		if (value) forEver.setItem('confkit.theme', value);
		else forEver.removeItem('confkit.theme');
		document.documentElement.dataset.theme = value;
	} }, ['', 'light', 'dark'].map(value => el('option', { value,
		selected: value === now }, t(`theme_${value || 'system'}`))));
	return select;
}

/* Fewer pictures for less of the line. */
function savingPick(stage) {
	const now = stage.saving?.() ?? '';
	const select = el('select', { onchange: () =>
		stage.saving?.(select.value) }, ['', 'small', 'off'].map(value =>
		el('option', { value, selected: value === now },
			t(`saving_${value || 'all'}`))));
	return select;
}

function toggle(key, first = 'on', changed = () => {}) {
	const box = el('input', { type: 'checkbox', checked: isOn(key, first),
		onchange() {
			forEver.setItem(`confkit.${key}`, box.checked ? 'on' : 'off');
			changed();
		} });
	return box;
}

const row = (word, node) => el('label.setting', {},
	el('span', {}, t(word)), node);
const group = (word, ...nodes) => el('section', {},
	el('h3', {}, t(word)), nodes);

export class Panel {
	word = 'settings';
	#room;

	constructor(app, room) {
		this.#room = room;
		this.picks = devicePicks(app, () => room.speaker());
		const { mic, cam, spk } = this.picks.nodes;
		this.state = el('p', { role: 'status' });
		this.up = el('p.soft');
		this.down = el('p.soft');
		this.body = el('div.settings', {},
			group('devices', mic, cam, spk),
			group('connection', this.state, this.up, this.down,
				row('saving', savingPick(room.stage)),
				row('small_camera', toggle('small', 'off', () =>
					room.states.camera()))),
			group('notices', row('notice_came', toggle('say.came')),
				row('notice_chat', toggle('say.chat')),
				row('notice_hands', toggle('say.hands')),
				row('notice_tone', toggle('tone', 'off'))),
			group('looks', row('theme', themePick()),
				row('language', languagePick())),
			group('keyboard', row('single_keys', toggle('keys')),
				el('button.secondary.small', { onclick: () =>
					room.help() }, t('shortcuts'))));
		navigator.mediaDevices?.addEventListener('devicechange',
			this.picks.update);
	}

	update() {}

	shown(open) {
		if (!open) return;
		this.picks.update();
		this.tick();
	}

	/* After each look at the connection. */
	tick() {
		const { up, down } = this.#room.states.health;
		setText(this.state, t(up.weak || down.weak ? 'weak' : 'good'));
		setText(this.up, t('sent', { figures: figures(up.look) }));
		setText(this.down, t('received', { figures: figures(down.look) }));
	}
}
