/* dom - makes elements, and never parses markup: whatever is appended as a
 * string becomes a text node, so a name cannot turn into an element. */
const SVG = 'http://www.w3.org/2000/svg';
const ICONS_MS = 2000;

/* All icons are in the page, so that those not shown yet are there while the
 * server is away; browsers ask for an outer file anew for each. */
async function icons() {
	try {
		const answer = await fetch(new URL('icons.svg', import.meta.url));
		const all = document.importNode(new DOMParser().parseFromString(
			await answer.text(), 'image/svg+xml').documentElement, true);
		all.setAttribute('hidden', '');
		document.documentElement.append(all);
	} catch { setTimeout(icons, ICONS_MS); }
}
if (globalThis.document) icons();

/* el('button.key', {onclick, 'aria-label': …}, child, …). Properties that
 * are false or null, and such children, are left out. */
export function el(tag, props = {}, ...children) {
	const [name, ...classes] = tag.split('.');
	const node = document.createElement(name);
	if (classes.length) node.className = classes.join(' ');
	attrs(node, props);
	node.append(...children.flat().filter(c => c != null && c !== false));
	return node;
}

export function attrs(node, props) {
	for (const [key, value] of Object.entries(props)) {
		if (typeof value === 'function')
			node.addEventListener(key.slice(2), value);
		else if (value == null || value === false) node.removeAttribute(key);
		else node.setAttribute(key, value === true ? '' : value);
	}
	return node;
}

export function icon(id, size = 24) {
	const svg = document.createElementNS(SVG, 'svg');
	const use = document.createElementNS(SVG, 'use');
	svg.setAttribute('class', `icon i${size}`);
	svg.setAttribute('viewBox', '0 0 24 24');
	svg.setAttribute('aria-hidden', 'true');
	svg.append(use);
	return setIcon(svg, id);
}

export function setIcon(svg, id) {
	const href = `#${id}`;
	const use = svg.firstChild;
	if (use.getAttribute('href') !== href) use.setAttribute('href', href);
	return svg;
}

export function setText(node, text) {
	if (node.textContent !== text) node.textContent = text;
	return node;
}

/* Makes `nodes` the children of `parent`. What goes goes first, and what
 * stays in the same order is never moved: moving a <video> pauses it, and
 * moving a field takes its focus. */
export function children(parent, nodes) {
	const stay = new Set(nodes);
	for (const node of [...parent.children])
		if (!stay.has(node)) node.remove();
	let at = parent.firstElementChild;
	for (const node of nodes) {
		if (node === at) at = at.nextElementSibling;
		else parent.insertBefore(node, at);
	}
}

/* The same from data: nodes are made for new keys only. */
export function keyed(parent, items, key, make, update) {
	const have = new Map();
	for (const node of parent.children) have.set(node.dataset.key, node);
	children(parent, items.map(item => {
		const k = String(key(item));
		let node = have.get(k);
		if (!node) {
			node = make(item);
			node.dataset.key = k;
		}
		update(node, item);
		return node;
	}));
}

/* Calls `fn` once in the next animation frame, however often it is asked;
 * by a timer while the page is hidden and has no frames. */
export function frame(fn) {
	let asked = false;
	return () => {
		if (asked) return;
		asked = true;
		const run = () => { asked = false; fn(); };
		if (document.hidden) setTimeout(run, 100);
		else requestAnimationFrame(run);
	};
}

export const phone = () => matchMedia('(max-width: 639px)').matches;

/* Control characters and those that reorder text (bidi overrides, isolates)
 * are shown as U+FFFD, so that a name cannot pose as another. */
const HIDDEN = new RegExp('[\\0-\\x08\\x0b-\\x1f\\x7f-\\x9f'
	+ '\\u2028-\\u202e\\u2066-\\u2069]', 'g');
export const plain = text => String(text ?? '').replace(HIDDEN, '\ufffd');

export const bdi = name => el('bdi', {}, plain(name));

const HUES = 10;

/* FNV-1a of the id: the same person has the same colour for everybody. */
export function hueClass(id) {
	let h = 0x811c9dc5;
	for (let i = 0; i < id.length; i++)
		h = Math.imul(h ^ id.charCodeAt(i), 0x01000193) >>> 0;
	return `h${h % HUES}`;
}

export function initials(name) {
	const clean = plain(name).trim();
	const han = clean.match(/\p{Script=Han}/gu);
	if (han && /^\p{Script=Han}/u.test(clean)) return han.slice(-2).join('');
	const words = clean.split(/\s+/).filter(Boolean);
	const first = w => [...w][0].toUpperCase();
	if (!words.length) return '·';
	return words.length === 1 ? first(words[0])
		: first(words[0]) + first(words[words.length - 1]);
}

export function disc(user, name, mini) {
	return el(`span.disc.${hueClass(user)}${mini ? '.mini' : ''}`,
		{ 'aria-hidden': 'true' }, initials(name));
}
