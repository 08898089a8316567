/* keep - what is remembered here. Where a browser forbids storage it is kept
 * for as long as the page is open. */
function storage(name) {
	try {
		window[name].getItem('');
		return window[name];
	} catch {
		const kept = new Map();
		return { getItem: key => kept.get(key) ?? null,
			setItem: (key, value) => kept.set(key, `${value}`),
			removeItem: key => kept.delete(key) };
	}
}

export const forTab = storage('sessionStorage');
export const forEver = storage('localStorage');

/* A switch of the settings: on unless it was turned off, or the other way
 * round for those that begin off. */
export const isOn = (key, first = 'on') =>
	(forEver.getItem(`confkit.${key}`) ?? first) === 'on';
