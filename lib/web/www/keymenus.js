/* keymenus - the menus of the bar: More, the devices of a kind, and the
 * question before the meeting is ended for all. */
import { plain } from './dom.js';
import { canChooseSpeaker } from './devices.js';
import { t } from './i18n.js';
import { openMenu, question } from './menu.js';

const settings = room => ({ icon: 'sliders', word: t('settings'), hint: ',',
	run: () => room.show('settings') });

/* The devices of this kind, and with microphones the speakers. */
export async function deviceMenu(room, kind, anchor) {
	const { devices } = room.app.me;
	const all = await devices.list();
	const choose = (which, id) => room.press(room.bar[kind].node,
		async () => {
			const had = devices[which];
			await devices.choose(which, id);
			if (which === 'spk') room.speaker();
			return had && devices[`${which}Problem`];
		});
	const rows = which => all[which].length ? all[which].map(d => ({
		word: plain(d.label), chosen: d.chosen,
		run: () => choose(which, d.id) }))
		: [{ word: t(`none_${which}`),
			off: t(devices[`${which}Problem`] || `no_${which}`) }];
	openMenu(anchor, [
		{ head: t(kind === 'mic' ? 'microphone' : 'camera') },
		...rows(kind), ...kind === 'mic' && canChooseSpeaker
			&& all.spk.length ? [null, { head: t('speaker') },
				...rows('spk')] : [],
		null, settings(room),
	], { label: t(`${kind}_settings`) });
}

/* First what has left the bar for want of width. */
export function moreMenu(room, anchor) {
	const { app, bar } = room;
	const left = [bar.hand, bar.share].filter(k => !k.shown).map(k => ({
		icon: k.mark.firstChild.getAttribute('href').split('#')[1],
		word: k.name, off: k.off, run: () => k.node.click() }));
	const boss = app.model.moderator;
	openMenu(anchor, [...left, left.length ? null : 0,
		document.fullscreenEnabled && { icon: 'fit', hint: 'F',
			word: t('full_screen'), run: () => room.stage.full() },
		settings(room), { icon: 'kbd', word: t('shortcuts'), hint: '?',
			run: () => room.help() },
		boss ? null : 0, boss && { icon: 'leave', danger: true,
			word: t('end_all'), off: app.online ? '' : t('not_now'),
			run: () => end(room, anchor) },
	].filter(i => i === null || i), { label: t('more') });
}

async function end(room, anchor) {
	const yes = await question(t('end_title'), t('end_more'),
		[{ id: 'end', word: t('end_now'), look: 'danger' }], anchor);
	if (yes) room.press(anchor, () => room.app.call('meeting.end'));
}
