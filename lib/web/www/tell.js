/* tell - what is said of one's own sound, picture and connection when there
 * is something to say of them. */
import { plain } from './dom.js';
import { locale, t } from './i18n.js';

const percent = n => n.toLocaleString(locale,
	{ style: 'percent', maximumFractionDigits: 1 });
const unit = (n, name) => Math.round(n).toLocaleString(locale,
	{ style: 'unit', unit: name });

/* "3.2 % of packets lost, 240 ms there and back." */
export function figures({ loss, rtt = 0, room }) {
	return t('figures', { loss: percent(loss),
		rtt: unit(rtt, 'millisecond') }) + (room ? t('fits', { rate:
		unit(room / 1000, 'kilobit-per-second') }) : '');
}

/* `side` is the direction that is weak now. */
export function weak(room, side, look) {
	const text = t(side === 'down' ? 'weak_down'
		: room.app.me.showing ? 'weak_up' : 'weak_voice');
	room.announcer.say(text);
	room.toasts.show({ key: 'weak', icon: 'weak', title: t('weak'),
		text: `${text} ${figures(look)}`, action: { word: t('settings'),
			run: () => room.show('settings') } });
}

export function talking(room) {
	const { held } = room.app.me;
	const touch = matchMedia('(pointer: coarse)').matches;
	const title = t(held ? 'held' : touch ? 'muted_now' : 'talking');
	room.announcer.say(title);
	room.toasts.show({ key: 'talking', icon: 'micoff', title });
}

export function silent(room, device) {
	const text = t('silent', { device: plain(device) });
	const { node } = room.bar.mic;
	room.announcer.say(`${t('silent_mic')}. ${text}`);
	room.toasts.show({ key: 'silent', icon: 'mic', title: t('silent_mic'),
		text, stays: true, action: { word: t('choose'),
			run: () => room.bar.devices('mic', node) } });
}

/* A device went away; `other` took its place. */
export function lost(room, kind, why, other) {
	const { devices } = room.app.me;
	if (other) return room.notice(t('lost_mic_other',
		{ name: plain(other) }), kind, null, kind);
	room.notice(t(`lost_${kind}_${why}`), 'warn', kind !== 'spk'
		&& (() => devices.ask({ mic: kind === 'mic',
			cam: kind === 'cam' })), kind);
}

export const back = (room, kind) =>
	room.notice(t(`back_${kind}`), kind, null, kind);
