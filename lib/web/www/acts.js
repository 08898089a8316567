/* acts - the menu of one person: only what the actor may do, and what is done
 * names whom. */
import { plain } from './dom.js';
import { t } from './i18n.js';
import { openMenu, question } from './menu.js';
import { items } from './tileacts.js';

async function remove(room, u, anchor) {
	const chosen = await question(t('remove_who', { name: plain(u.name) }),
		t('remove_more'), [{ id: 'remove', word: t('remove_now'),
			look: 'danger' }], anchor);
	if (chosen) room.press(anchor, () =>
		room.app.call('user.kick', { user: u.user }));
}

/* Groups of items, those that do not apply left out. */
function groups(room, u, anchor) {
	const { app } = room, { user } = u;
	const self = user === app.model.me, boss = app.model.moderator;
	const off = app.online ? '' : t('not_now');
	const run = (method, params) => () => room.press(anchor,
		() => app.call(method, { user, ...params }));
	const role = u.role === 'moderator' ? 'viewer' : 'moderator';
	return [[
		boss && !self && { icon: u.held ? 'mic' : 'micoff', off,
			word: t(u.held ? 'unmute' : 'mute'),
			run: run(u.held ? 'user.unmute' : 'user.mute') },
		(boss || self) && u.hand && { icon: 'hand', off,
			word: t('lower_hand'), run: run('user.hand', { up: false }) },
	], [
		...items(room.stage, app.model, user),
		!self && { icon: 'chat', word: t('write_privately'),
			run: () => room.write(user) },
	], boss && !self ? [
		{ icon: 'mod', word: t(`make_${role}`), off,
			run: run('user.role', { role }) },
	] : [], boss && !self ? [
		{ icon: 'out', word: t('remove'), danger: true, off,
			run: () => remove(room, u, anchor) },
	] : []].map(group => group.filter(Boolean)).filter(g => g.length);
}

export function actions(room, user, anchor) {
	const u = room.app.model.users.get(user);
	const all = u ? groups(room, u, anchor) : [];
	if (all.length) openMenu(anchor,
		all.flatMap((group, i) => i ? [null, ...group] : group),
		{ label: t('actions_for', { name: plain(u.name) }), person: u });
}
