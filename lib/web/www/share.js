/* share - the toolbar under what is shared: who shares, which of several is
 * shown, how large; loaded when there is something shared. */
import { attrs, el, icon, keyed, plain, setText } from './dom.js';
import { named, t } from './i18n.js';
import { openMenu } from './menu.js';

const ZOOMS = [1, 1.25, 1.5, 2, 3, 4];
const STEP = 60;
const SLACK = 4;

export class Tools {
	#app; #stage; #content; #zoom = 1; #x = 0; #y = 0; #drag = null; #tile = null;

	constructor(app, stage, content) {
		this.#app = app;
		this.#stage = stage;
		this.#content = content;
		const button = (word, mark, onclick) => el('button.quiet.bare',
			{ ...named(word), onclick }, icon(mark, 20));
		this.words = el('span.sharer');
		this.sharers = el('div.sharers', { role: 'group', 'aria-label':
			t('shared_screens') });
		this.stop = el('button.secondary.small', { onclick: () =>
			app.me.stopShare() }, t('stop_sharing'));
		this.percent = el('span');
		this.zoomer = el('button.quiet.small.zoom', { 'aria-haspopup':
			'menu', onclick: () => this.#menu() }, this.percent,
		icon('down', 16));
		this.fit = button('fit', 'fit', () => this.zoom(1));
		this.pip = button('pip', 'pip', () => stage.float());
		this.full = button('full_screen', 'full', () => stage.full());
		this.node = el('div.tools', { role: 'group', 'aria-label':
			t('shared_screen') }, icon('screen', 20), this.words,
		this.sharers, this.stop, this.zoomer, this.fit,
		document.pictureInPictureEnabled && this.pip, this.full);
		this.update = this.update.bind(this);
		document.addEventListener('fullscreenchange', this.update);
		this.update();
	}

	close() {
		document.removeEventListener('fullscreenchange', this.update);
	}

	update() {
		const { model, me } = this.#app;
		const { now: content, front } = this.#content;
		if (!content) return;
		const tile = content.tile ?? null;
		if (tile !== this.#tile) this.#take(tile);
		const other = tile && tile.user !== this.user;
		this.user = tile?.user;
		if (other) return this.zoom(1);
		const text = content.words.map(w => w.textContent ?? w).join('');
		if (this.words.textContent !== text)
			this.words.replaceChildren(...content.words);
		const several = front.sharers.length > 1 || content.person;
		keyed(this.sharers, several ? front.sharers : [], user => user,
			user => el('button.secondary.small', { onclick: () =>
				this.#stage.show(user) }, el('bdi')),
			(node, user) => {
				setText(node.firstChild, plain(model.name(user)));
				attrs(node, { 'aria-pressed':
					`${!content.person && user === front.screen}` });
			});
		this.stop.hidden = !me.screen || !tile;
		this.zoomer.hidden = this.fit.hidden = !tile || tile.source !== 'screen';
		this.pip.hidden = !tile;
		setText(this.percent, `${Math.round(this.#zoom * 100)} %`);
		attrs(this.zoomer, { 'aria-label': `${t('zoom')}: ${
			this.percent.textContent}` });
		attrs(this.fit, { 'aria-disabled': this.#zoom === 1 && 'true' });
		const word = document.fullscreenElement ? 'full_off' : 'full_screen';
		attrs(this.full, named(word));
	}

	#menu() {
		openMenu(this.zoomer, ZOOMS.map(z => ({ chosen: z === this.#zoom,
			word: z === 1 ? t('fit') : `${z * 100} %`,
			run: () => this.zoom(z) })), { label: t('zoom') });
	}

	/* The content by drags, wheel and keys, once it is larger than its
	 * place. */
	#take(tile) {
		this.#tile?.node.classList.remove('zoomed');
		this.#tile = tile;
		this.#zoom = 1;
		if (!tile || tile.source !== 'screen' || tile.pans) return;
		tile.pans = true;
		const { node } = tile;
		node.addEventListener('dblclick', () =>
			this.zoom(this.#zoom === 1 ? 2 : 1));
		node.addEventListener('pointerdown', event => {
			if (event.button || this.#zoom === 1
				|| event.target.closest('button')) return;
			this.#drag = { x: event.clientX, y: event.clientY, far: 0 };
			node.setPointerCapture(event.pointerId);
		});
		node.addEventListener('pointermove', event => {
			const from = this.#drag;
			if (!from) return;
			const dx = event.clientX - from.x, dy = event.clientY - from.y;
			from.far ||= Math.hypot(dx, dy) > SLACK;
			if (!from.far) return;
			Object.assign(from, { x: event.clientX, y: event.clientY });
			this.#pan(dx, dy);
		});
		for (const type of ['pointerup', 'pointercancel'])
			node.addEventListener(type, () => { this.#drag = null; });
	}

	/* 1 fits; the middle stays in the middle. */
	zoom(to) {
		const by = to / this.#zoom;
		this.#zoom = to;
		this.#tile?.node.classList.toggle('zoomed', to > 1);
		this.#x *= by;
		this.#y *= by;
		this.#pan(0, 0);
		this.update();
	}

	#pan(dx, dy) {
		if (this.#tile?.source !== 'screen') return;
		const { rect, video } = this.#tile;
		const most = side => side * (this.#zoom - 1) / 2;
		const keep = (v, m) => Math.min(Math.max(v, -m), m);
		this.#x = keep(this.#x + dx, most(rect?.w ?? 0));
		this.#y = keep(this.#y + dy, most(rect?.h ?? 0));
		video.style.transform = this.#zoom === 1 ? ''
			: `translate(${this.#x}px,${this.#y}px) scale(${this.#zoom})`;
	}

	/* Keys on the shared screen: + - 0, and arrows while it is zoomed. */
	key(event) {
		const { key, target } = event;
		if (!this.#tile || target !== this.#tile.node
			|| this.#tile.source !== 'screen') return false;
		const at = ZOOMS.indexOf(this.#zoom);
		const way = { ArrowLeft: [1, 0], ArrowRight: [-1, 0],
			ArrowUp: [0, 1], ArrowDown: [0, -1] }[key];
		if (key === '+' || key === '=')
			this.zoom(ZOOMS[Math.min(at + 1, ZOOMS.length - 1)]);
		else if (key === '-') this.zoom(ZOOMS[Math.max(at - 1, 0)]);
		else if (key === '0') this.zoom(1);
		else if (way && this.#zoom > 1)
			this.#pan(way[0] * STEP, way[1] * STEP);
		else return false;
		return true;
	}
}
