/* load - what is not in every meeting comes when it is wanted first: a
 * module, and with the first of them their words and their look. A browser
 * keeps in mind what it could not fetch, so that gets another name then. */
import { el } from './dom.js';
import { moreWords } from './i18n.js';

const modules = {};
let failures = 0, common = null;

const again = () => failures ? `?${failures}` : '';

function look() {
	return new Promise((done, fail) => {
		const href = new URL(`later.css${again()}`, import.meta.url).href;
		document.head.append(el('link', { rel: 'stylesheet', href,
			onload: done, onerror: () => fail(new TypeError(href)) }));
	});
}

export async function load(name) {
	try {
		await (common ??= Promise.all([moreWords(again()), look()]));
		return modules[name] ??= await import(`./${name}.js${again()}`);
	} catch (error) {
		common = null;
		failures++;
		throw error;
	}
}
