/* steps - the keyboard on the stage: all tiles are one tab stop, arrows go
 * to the tile that lies there, and focus is never lost with a tile. */
import { keysOn } from './keys.js';

const WAYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1],
	ArrowDown: [0, 1] };

/* Which of `rects` one comes to from `from` by an arrow key: the index of
 * the nearest that way, what is in line before what is aside; or -1. */
export function neighbour(from, rects, key) {
	const [dx, dy] = WAYS[key];
	let best = -1, least = Infinity;
	rects.forEach((r, i) => {
		const x = r.x + r.w / 2 - from.x - from.w / 2;
		const y = r.y + r.h / 2 - from.y - from.h / 2;
		const along = x * dx + y * dy;
		const far = along + 3 * Math.abs(x * dy + y * dx);
		if (along <= 1 || far >= least) return;
		best = i;
		least = far;
	});
	return best;
}

export class Steps {
	#stage; #list;

	/* list() answers the tiles that are seen: [{node, rect}]. */
	constructor(stage, list) {
		this.#stage = stage;
		this.#list = list;
	}

	go(node) {
		for (const stop of this.#list())
			stop.node.tabIndex = stop.node === node ? 0 : -1;
		node.focus();
	}

	/* One that had the focus is gone: the nearest to where it was has it
	 * now. */
	mend(lost) {
		const all = this.#list();
		const [x = 0, y = 0] = (lost.at ?? '').split(' ').map(Number);
		const far = ({ rect }) => Math.hypot(rect.x - x, rect.y - y);
		if (all.length)
			this.go(all.reduce((a, b) => far(b) < far(a) ? b : a).node);
	}

	key(event) {
		const stage = this.#stage;
		const { key, target, shiftKey, ctrlKey, metaKey } = event;
		const all = this.#list(), at = all.find(s => s.node === target);
		const { user } = target.dataset;
		if (key === 'PageDown' || key === 'PageUp')
			stage.overflow?.turn(key === 'PageDown' ? 1 : -1);
		else if (!at || ctrlKey || metaKey) return;
		else if (key.startsWith('Arrow')) {
			if (shiftKey && stage.inset?.step(target, key)) return;
			const to = neighbour(at.rect, all.map(s => s.rect), key);
			if (to >= 0) this.go(all[to].node);
		} else if (!user) return;
		else if (key === 'Enter' || (key === 'F10' && shiftKey))
			stage.menu(user, target);
		else if (key.toLowerCase() === 'i' && keysOn())
			stage.pin(stage.pinned === user ? '' : user);
		else return;
		event.preventDefault();
	}
}
