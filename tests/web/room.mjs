/* What the tests of the room's bar, panels and states share: many people on
 * WebSockets, what has the focus, and what screen readers were told. */
import {until} from './lib.mjs';
import {user} from './signal.mjs';

const wsOf = (link) => {
	const u = new URL(link);
	u.protocol = u.protocol.replace('http', 'ws');
	return new URL('../ws', u.href.replace(/#.*/, '')).href;
};

/* People without a page, by this link: those of `names`, in order. */
export async function crowd(link, names)
{
	const signal = {ws: wsOf(link)};
	const token = /#t=(.*)/.exec(link)[1];
	const all = [];
	for (const name of names) all.push(await user(signal, {token}, name));
	return all;
}

/* Keeps all that is said in the live regions and by toasts: window.told. */
export const listening = () => {
	window.told = [];
	new MutationObserver((list) => {
		for (const {target, addedNodes} of list) {
			for (const n of addedNodes)
				if (n.classList?.contains('toast'))
					window.told.push(['toast', n.textContent,
						performance.now()]);
			const node = (target.closest ? target : target.parentNode)
				?.closest('#polite, #assert');
			if (node?.textContent) window.told.push([node.id,
				node.textContent.trim(), performance.now()]);
		}
	}).observe(document, {subtree: true, childList: true,
		characterData: true});
};
export const told = (p, pattern, seconds = 8) => until(seconds, () =>
	p.evaluate((s) => window.told.find(([, text]) =>
		new RegExp(s).test(text)) ?? null, pattern.source));

/* The name of what has the focus, 'BODY' when nothing has it. */
export const focus = (p) => p.evaluate(() => {
	const n = document.activeElement;
	return n === document.body ? 'BODY' : n.getAttribute('aria-label')
		|| n.placeholder || n.querySelector('.word')?.textContent
		|| n.textContent.trim() || n.tagName;
});
export const focused = (p, name, seconds = 5) =>
	until(seconds, async () => await focus(p) === name, 20);
export const button = (p, name) =>
	p.getByRole('button', {name, exact: true});
export const item = (p, name) =>
	p.getByRole('menuitem', {name, exact: true});
/* Which of these are to be seen. */
export const visible = async (p, names) => {
	const out = [];
	for (const name of names)
		if (await button(p, name).count()) out.push(name);
	return out;
};
