/* i18n - the words, in one of two tables with equal keys. */
import { bdi } from './dom.js';
import { forEver } from './keep.js';

export const LANGUAGES = [['en', 'English'], ['zh', '简体中文']];
let table = {};
export let lang = 'en';
export let locale = 'en-GB';

function wanted() {
	const asked = new URLSearchParams(location.search).get('lang');
	const kept = forEver.getItem('confkit.lang');
	const all = [asked, kept, ...navigator.languages].filter(Boolean);
	for (const tag of all) {
		const short = tag.toLowerCase().split('-')[0];
		if (LANGUAGES.some(([id]) => id === short)) return short;
	}
	return 'en';
}

export async function loadWords() {
	lang = wanted();
	if (lang === 'zh') locale = 'zh-CN';
	table = { ...(await import(`./words-${lang}.js`)).default };
	document.documentElement.lang = lang === 'zh' ? 'zh-Hans' : 'en';
}

/* The words of what comes later; `again` makes another name of the file. */
export async function moreWords(again) {
	Object.assign(table,
		(await import(`./later-${lang}.js${again}`)).default);
}

export const has = key => key in table;

/* {name} is filled in; {n} is a number of this language, {nth} its place in
 * a row, and {n:day|days} a word chosen by it. */
const parts = key => (table[key] ?? key).split(/(\{[^}]+\})/).filter(Boolean);
function filled(part, vars) {
	if (part[0] !== '{') return part;
	const [, k, one, more] = /^\{(\w+)(?::(.*)\|(.*))?\}$/.exec(part);
	const number = vars[k] ?? vars.n;
	if (more !== undefined) return rule('cardinal', number) === 'one' ? one
		: more;
	if (k === 'nth') return t(`nth_${rule('ordinal', vars.n)}`, vars);
	return typeof vars[k] === 'number' ? vars[k].toLocaleString(locale)
		: vars[k] ?? '';
}
const rule = (type, n) => new Intl.PluralRules(locale, { type }).select(n);

export const t = (key, vars = {}) =>
	parts(key).map(part => filled(part, vars)).join('');

/* The name of a button that shows no word. */
export const named = key => ({ 'aria-label': t(key), title: t(key) });

/* The same as nodes, each name isolated, for sentences that hold names of
 * either writing direction. */
export const tn = (key, vars) => parts(key).map(part =>
	typeof vars[part.slice(1, -1)] === 'string' ? bdi(filled(part, vars))
		: filled(part, vars));

export const time = at => new Date(at).toLocaleTimeString(locale,
	{ hour: '2-digit', minute: '2-digit' });

/* "Today", "Yesterday", then the date. */
export function day(at) {
	const midnight = ms => new Date(ms).setHours(0, 0, 0, 0);
	const ago = Math.round((midnight(at) - midnight(Date.now())) / 864e5);
	const text = ago > -2 ? new Intl.RelativeTimeFormat(locale,
		{ numeric: 'auto' }).format(ago, 'day')
		: new Date(at).toLocaleDateString(locale, { weekday: 'long',
			day: 'numeric', month: 'long' });
	return text[0].toLocaleUpperCase(locale) + text.slice(1);
}
