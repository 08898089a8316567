/* invite - a button that makes one link of this room and copies it. */
import { el, setText } from './dom.js';
import { t } from './i18n.js';

const SHOWN_MS = 2000;

/* A server that was not told its address takes itself for this host; whoever
 * came by another one passes that on. */
function reachable(url) {
	const local = /^(localhost|127\.[\d.]+|\[::1])$/;
	return local.test(new URL(url).hostname)
		? new URL(url.slice(url.lastIndexOf('/') + 1), location.href).href
		: url;
}

/* The button, and the field for its link, which a refused clipboard leaves
 * selected. */
export function inviting(app, room, look, key, mark) {
	const word = el('span', {}, t(key));
	const field = el('input', { readonly: true, hidden: true,
		'aria-label': t('invite_link'), onfocus: () => field.select() });
	const button = el(`button.${look}`, { onclick: () =>
		room.press(button, async () => {
			room.url ??= reachable((await app.call('link.create',
				{ meeting: app.id, role: 'viewer' })).url);
			field.value = room.url;
			field.hidden = false;
			try {
				await navigator.clipboard.writeText(room.url);
			} catch { return field.focus(); }
			setText(word, t('copied'));
			room.announcer.say(t('copied'));
			setTimeout(() => setText(word, t(key)), SHOWN_MS);
		}) }, mark, word);
	return { field, button };
}
