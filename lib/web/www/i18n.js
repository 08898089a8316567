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
	table = (await import(`./words-${lang}.js`)).default;
	document.documentElement.lang = lang === 'zh' ? 'zh-Hans' : 'en';
}

export const has = key => key in table;

export function t(key, vars = {}) {
	const text = table[key] ?? key;
	return text.replace(/\{(\w+)\}/g, (_, k) => vars[k] ?? '');
}

/* The name of a button that shows no word. */
export const named = key => ({ 'aria-label': t(key), title: t(key) });

/* The same as nodes, each variable isolated, for sentences that hold names
 * of either writing direction. */
export function tn(key, vars) {
	return (table[key] ?? key).split(/(\{\w+\})/).filter(Boolean)
		.map(part => part[0] === '{' ? bdi(vars[part.slice(1, -1)]) : part);
}

export const time = at => new Date(at).toLocaleTimeString(locale,
	{ hour: '2-digit', minute: '2-digit' });
