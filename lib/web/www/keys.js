/* keys - single letters, outside text fields and dialogs, while the setting
 * is on. Escape closes the panel. */
import { forEver } from './keep.js';

export const keysOn = () => forEver.getItem('confkit.keys') !== 'off';

/* Returns the function that ends it. */
export function onKeys(room) {
	const { bar } = room;
	const press = { m: bar.mic, v: bar.cam, h: bar.hand, s: bar.share };
	const other = {
		c: () => room.show('chat'), p: () => room.show('people'),
		',': () => room.show('settings'), f: () => room.stage.full(),
	};

	function down(event) {
		const { target, key, ctrlKey, metaKey, altKey } = event;
		const id = key.toLowerCase();
		if (document.querySelector('dialog[open]')) return;
		if (key === 'Escape' && room.panel) room.show(null);
		else if (target.closest('input, textarea, select') || ctrlKey
			|| metaKey || altKey || !keysOn()) return;
		else if (press[id]) press[id].node.click();
		else if (other[id]) other[id]();
		else return;
		event.preventDefault();
	}

	document.addEventListener('keydown', down);
	return () => document.removeEventListener('keydown', down);
}
