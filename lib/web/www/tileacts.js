/* tileacts - what the menu of a person offers of the stage. */
import { t } from './i18n.js';

export function items(stage, model, user) {
	if (user === model.me) return !stage.corner || !stage.inset ? []
		: ['tl', 'tr', 'bl', 'br'].map(id => ({ word: t(`corner_${id}`),
			chosen: id === stage.corner, run: () => stage.inset.move(id) }));
	const { sharers = [], screen } = stage.content?.front ?? {};
	const on = stage.pinned === user;
	const seen = model.users.get(user)?.sources.has('cam');
	return [{ icon: 'pin', word: t(on ? 'unpin' : 'pin'),
		run: () => stage.pin(on ? '' : user) },
	sharers.includes(user) && screen !== user && { icon: 'screen',
		word: t('show_screen'), run: () => stage.show(user) },
	document.pictureInPictureEnabled && seen && { icon: 'pip',
		word: t('pip'), run: () => stage.float(user) }].filter(Boolean);
}
