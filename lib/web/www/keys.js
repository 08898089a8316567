/* keys - the keyboard: one table for what is done and for the sheet that
 * lists it. Single letters count outside fields and dialogs only, and one
 * setting turns them off. */
import { isOn } from './keep.js';

export const keysOn = () => isOn('keys');

/* [keys, word, what it does]; without the last it is the stage's own. */
const click = key => room => room.bar[key].node.click();
export const KEYS = {
	controls: [
		['M', 'key_mic', room => room.byKey('mic')],
		['V', 'key_cam', click('cam')],
		['Space', 'key_talk'],
		['H', 'key_hand', click('hand')],
		['S', 'key_share', click('share')],
		['C', 'chat', room => room.show('chat')],
		['P', 'people', room => room.show('people')],
		[',', 'settings', room => room.show('settings')],
		['F', 'full_screen', room => room.stage.full()],
		['?', 'shortcuts', room => room.help()],
	],
	always: [
		['Esc', 'key_close'],
		['F6', 'key_next'],
		['Shift F6', 'key_before'],
	],
	tiles: [
		['← ↑ → ↓', 'key_tiles'],
		['Enter', 'key_menu'],
		['I', 'key_pin'],
		['PgUp PgDn', 'key_pages'],
		['+ − 0', 'key_zoom'],
		['Shift ← ↑ → ↓', 'key_corner'],
	],
	lists: [
		['↑ ↓', 'key_people'],
		['Enter', 'key_menu'],
	],
};

const single = new Map(KEYS.controls.filter(row => row[2])
	.map(([key, , run]) => [key.toLowerCase(), run]));

/* Where Space is not already a button's. */
const idle = node => node === document.body
	|| node.matches('h1, main, .stage, .tile');

/* Stage, panel and bar in a circle. */
function region(room, back) {
	const all = [room.stage.node, room.panels.open && room.panels.node,
		room.bar.node].filter(Boolean);
	const at = all.findIndex(n => n.contains(document.activeElement));
	const step = back ? (at < 0 ? 0 : -1) : 1;
	const next = all.at((at + step + all.length) % all.length);
	const [first] = [...next.querySelectorAll(next === room.panels.node
		? 'h2' : 'button, [tabindex="0"]')].filter(n =>
		n.getClientRects().length && (n.tabIndex >= 0 || n.matches('h2')));
	(first ?? next).focus();
}

/* Beginning with this key; returns the function that ends it. */
export function onKeys(room, first) {
	let talking = false;
	function talk(on) {
		if (talking === on) return;
		talking = on;
		if (on !== room.app.me.speaking) room.byKey('mic');
	}

	function command({ key, target, repeat, ctrlKey, metaKey, altKey }) {
		if (target.closest('input, textarea, select') || ctrlKey || metaKey
			|| altKey || !keysOn()) return false;
		const { me } = room.app;
		if (key === ' ' && idle(target)) {
			const can = me.devices.mic && !me.held;
			if (!repeat && can && !me.speaking) talk(true);
			return true;
		}
		const run = single.get(key.toLowerCase());
		if (run && !repeat) run(room);
		return !!run;
	}

	function down(event) {
		const { key, isComposing } = event;
		if (isComposing || (event.defaultPrevented && event !== first)
			|| document.querySelector('dialog[open]')) return;
		if (key === 'Escape' && room.panels.open) room.show(null);
		else if (key === 'F6') region(room, event.shiftKey);
		else if (!command(event)) return;
		event.preventDefault();
	}
	const up = ({ key }) => key === ' ' && talk(false);
	const away = () => talk(false);

	down(first);
	document.addEventListener('keydown', down);
	document.addEventListener('keyup', up);
	addEventListener('blur', away);
	return () => {
		document.removeEventListener('keydown', down);
		document.removeEventListener('keyup', up);
		removeEventListener('blur', away);
	};
}
