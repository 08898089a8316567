/* corner - one's own picture, which goes from corner to corner: dragged, by
 * its menu, or by Shift and an arrow key. */
import { forEver } from './keep.js';

const SLACK = 6;

export class Corner {
	#stage; #node = null;

	constructor(stage) { this.#stage = stage; }

	take(node) {
		if (this.#node === node) return;
		this.#node = node;
		movable(node, (x, y) => {
			const { offsetWidth: w, offsetHeight: h } = this.#stage.node;
			this.move(cornerAt(x, y, w, h));
		});
	}

	/* `at` is two letters, as in layout.js. */
	move(at) {
		forEver.setItem('confkit.corner', at);
		this.#node.at = '';
		this.#stage.changed();
	}

	/* Whether that was a step of this picture. */
	step(node, key) {
		if (!node.classList.contains('corner')) return false;
		this.move(cornerBy(this.#stage.corner, key));
		return true;
	}
}

/* Lets the node be dragged while it has the class `corner`; drop(x, y) gets
 * the middle of where it was left, on its parent. */
export function movable(node, drop) {
	let from = null;
	node.addEventListener('pointerdown', event => {
		if (event.button || from || event.target.closest('button')
			|| !node.classList.contains('corner')) return;
		const [x, y] = node.at.split(' ').map(Number);
		from = { id: event.pointerId, x, y, px: event.clientX,
			py: event.clientY, far: false };
		node.setPointerCapture(event.pointerId);
	});
	node.addEventListener('pointermove', event => {
		if (from?.id !== event.pointerId) return;
		const dx = event.clientX - from.px, dy = event.clientY - from.py;
		from.far ||= Math.hypot(dx, dy) > SLACK;
		if (!from.far) return;
		from.dx = dx;
		from.dy = dy;
		node.style.transform =
			`translate(${from.x + dx}px,${from.y + dy}px)`;
	});
	const end = () => {
		const was = from;
		from = null;
		if (was?.far) drop(was.x + was.dx + node.offsetWidth / 2,
			was.y + was.dy + node.offsetHeight / 2);
	};
	node.addEventListener('pointerup', end);
	node.addEventListener('pointercancel', end);
}

/* The corner of a stage that is nearest to a point on it. */
export const cornerAt = (x, y, W, H) =>
	(y < H / 2 ? 't' : 'b') + (x < W / 2 ? 'l' : 'r');

/* The corner beside this one by an arrow key. */
export function cornerBy([y, x], key) {
	return { ArrowUp: `t${x}`, ArrowDown: `b${x}`, ArrowLeft: `${y}l`,
		ArrowRight: `${y}r` }[key];
}
