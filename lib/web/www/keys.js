/* keys - the keyboard. Single letters count only outside text fields and
 * dialogs, and only while the setting is on. */
export const keysOn = () => localStorage.getItem('confkit.keys') !== 'off';

/* Returns the function that ends it. */
export function onKeys(room) {
	const { app } = room;
	let talking = false;
	const letters = {
		m: () => room.bar.mic.node.click(),
		v: () => room.bar.cam.node.click(),
		h: () => room.bar.hand.node.click(),
		s: () => room.bar.share.node.click(),
		c: () => room.show('chat'),
		p: () => room.show('people'),
		f: () => room.stage.full(),
		',': () => room.show('settings'),
	};

	function next(back) {
		const parts = [
			room.stage.node.querySelector('[tabindex="0"]'),
			room.panel && room.aside.querySelector('textarea, button'),
			room.bar.mic.node,
		].filter(Boolean);
		const at = parts.findIndex(part =>
			part.closest('.stage, aside, footer')
				.contains(document.activeElement));
		parts.at((at + (back ? -1 : 1)) % parts.length).focus();
	}

	function talk(event) {
		const { me } = app;
		if (event.repeat || me.micOn || me.held || !me.devices.mic) return;
		talking = true;
		me.toggleMic();
	}

	function down(event) {
		const { target, key } = event;
		if (document.querySelector('dialog[open]')) return;
		if (key === 'Escape' && room.panel) room.show(null);
		else if (key === 'F6') next(event.shiftKey);
		else if (target.closest('input, textarea, select') || event.ctrlKey
			|| event.metaKey || event.altKey || !keysOn()) return;
		else if (key === ' ' && !target.closest('button, a, aside'))
			talk(event);
		else if (letters[key.toLowerCase()]) letters[key.toLowerCase()]();
		else return;
		event.preventDefault();
	}

	function up(event) {
		if (event.key !== ' ' || !talking) return;
		talking = false;
		if (app.me.micOn) app.me.toggleMic();
	}

	document.addEventListener('keydown', down);
	document.addEventListener('keyup', up);
	return () => {
		document.removeEventListener('keydown', down);
		document.removeEventListener('keyup', up);
	};
}
