/* panels - at most one at the side of the stage, each made by a module of its
 * own when it is first wanted. What is hidden keeps its drafts and its place.
 *
 * A panel is {word, body, update(), shown(open), count?, tools?, focus?(),
 * scroller?}. */
import { children, el, icon, phone, setText } from './dom.js';
import { named, t } from './i18n.js';

const AGAIN_MS = 1000;

export class Panels {
	open = null;
	#app; #room; #made = {}; #opener = null; #asked = 0;

	constructor(app, room) {
		this.#app = app;
		this.#room = room;
		this.heading = el('h2', { id: 'panel', tabindex: '-1' });
		this.count = el('span.count', { 'aria-hidden': 'true' });
		this.tools = el('span');
		this.wait = el('p.loading', { hidden: true }, el('span.spinner'),
			t('connecting'));
		this.body = el('div.body', {}, this.wait);
		this.node = el('aside.panel', { hidden: true,
			'aria-labelledby': 'panel' }, el('header', {},
			this.heading, this.count, this.tools, el('button.quiet.bare', {
				...named('close'), onclick: () => this.show(null) },
			icon('x', 20))),
		this.body);
	}

	get now() { return this.open && this.#made[this.open]; }

	update() {
		for (const panel of Object.values(this.#made)) panel.update();
		this.#head();
	}

	#head() {
		if (!this.open) return;
		const { now } = this;
		setText(this.heading, t(now?.word ?? this.open));
		setText(this.count, now?.count ? String(now.count) : '');
		children(this.tools, now?.tools ?? []);
	}

	/* Opens one, or closes it when it is open already. Resolves with it. */
	async show(which) {
		if (which === this.open) which = null;
		const asked = ++this.#asked, { activeElement } = document;
		if (which && !this.node.contains(activeElement))
			this.#opener = activeElement;
		const before = this.open;
		this.#hide();
		this.open = which;
		this.node.hidden = !which;
		this.wait.hidden = !which || !!this.#made[which];
		this.#room.covered(!!which && phone());
		this.#head();
		this.#room.bar.update();
		if (!which) return this.#back(before);
		this.heading.focus();
		while (!this.#made[which]) try {
			const { Panel } = await this.#room.load(which);
			this.#made[which] ??= new Panel(this.#app, this.#room);
		} catch (error) {
			if (error.name !== 'TypeError') throw error;
			await new Promise(done => setTimeout(done, AGAIN_MS));
			if (asked !== this.#asked) return null;
		}
		return asked === this.#asked ? this.#reveal(this.now) : null;
	}

	#reveal(panel) {
		this.wait.hidden = true;
		panel.body.hidden = false;
		if (!panel.body.parentNode) this.body.append(panel.body);
		const scroller = panel.scroller ?? panel.body;
		scroller.scrollTop = panel.kept ?? 0;
		panel.shown(true);
		this.#head();
		this.#room.bar.update();
		panel.focus?.();
		return panel;
	}

	#hide() {
		const { now } = this;
		if (!now) return;
		now.kept = (now.scroller ?? now.body).scrollTop;
		now.shown(false);
		now.body.hidden = true;
	}

	/* To what opened it, or to what would open it again. */
	#back(before) {
		const { bar } = this.#room, key = bar[before];
		const seen = node => node?.isConnected && node !== document.body
			&& node.getClientRects().length;
		(seen(this.#opener) ? this.#opener : key?.shown ? key.node
			: bar.more.node).focus();
		return null;
	}
}
