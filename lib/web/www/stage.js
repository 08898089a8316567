/* stage - the people and what is shared: which tile sits where, and which
 * slot feeds it. Layout runs at most once a frame and only writes. */
import { children, el, frame } from './dom.js';
import { arrange } from './layout.js';
import { forEver } from './keep.js';
import { t } from './i18n.js';
import { load } from './load.js';
import { Tile } from './tile.js';
import { Voices } from './voices.js';

const WANT_MS = 100;
const HIDDEN_MS = 3000;
const SHADE_MS = 1000;
const WEAK_MS = 3000;
const MOVE_MS = 250;
const INVITE_HEIGHT = 132;
/* Tiles of those who have no seat now, kept for whoever comes. */
const SPARE = 8;

function box(node, { x, y, w, h }) {
	const at = `${x} ${y} ${w} ${h}`;
	if (node.at === at) return;
	node.at = at;
	node.style.transform = `translate(${x}px,${y}px)`;
	node.style.width = `${w}px`;
	if (h) node.style.height = `${h}px`;
}

export class Stage {
	/* What fills the stage beside people, once there was such a thing. */
	content = null;
	/* Where self sits while there are two, or ''. */
	corner = '';
	#app; #room; #invite;
	#tiles = new Map(); #spare = []; #size = null; #plan = null;
	#voices; #weak = new Map();
	#shown = 0; #timers = {}; #away = false; #shaded = false;
	#saving = forEver.getItem('confkit.saving') ?? '';
	/* Parts that come when they are needed; #once has their promises. */
	overflow = null; inset = null; #once = {}; #pip = null; #steps = null;
	#wishes = null;

	/* invite is the card for whoever is alone. */
	constructor(app, room, invite) {
		this.#app = app;
		this.#room = room;
		this.#invite = invite;
		this.#voices = new Voices((user, on) =>
			this.#tiles.get(user)?.speaking(on));
		this.node = el('section.stage', { 'aria-label': t('stage'),
			onfocusin: () => this.#keyboard(),
			/* A touch shows More actions, as focus does. */
			onclick: ({ target }) => target.closest('button')
				|| target.closest('.tile[data-user]')?.focus(),
			onkeydown: event => this.#key(event) });
		this.layout = frame(() => this.#layout());
		this.#watch();
	}

	#watch() {
		new ResizeObserver(([{ contentRect }]) => {
			this.#size = contentRect;
			this.layout();
		}).observe(this.node);
		this.#timers.second = setInterval(() => this.#second(), 1000);
		this.#timers.visible = () => this.#later('hide', () => {
			this.#away = document.hidden;
			this.wish();
		}, document.hidden ? HIDDEN_MS : 0);
		document.addEventListener('visibilitychange', this.#timers.visible);
	}

	/* Makes a part when it is needed first; plain ones have no words. */
	#part(name, make, plain) {
		return this.#once[name] ??= (plain ? import(`./${name}.js`)
			: load(name)).then(make, () => { delete this.#once[name]; });
	}

	#keyboard() {
		return this.#part('steps', ({ Steps }) => {
			this.#steps = new Steps(this, () => this.#stops());
		}, true);
	}

	async #key(event) {
		if (!this.#steps) await this.#keyboard();
		if (this.content?.tools.key(event)) event.preventDefault();
		else this.#steps?.key(event);
	}

	#later(name, fn, ms) {
		clearTimeout(this.#timers[name]);
		this.#timers[name] = setTimeout(fn, ms);
	}

	close() {
		clearInterval(this.#timers.second);
		for (const name of ['hide', 'want', 'shade', 'move'])
			clearTimeout(this.#timers[name]);
		document.removeEventListener('visibilitychange',
			this.#timers.visible);
		this.#voices.close();
		this.content?.close();
		this.#pip?.close();
	}

	full() {
		const whole = this.node.parentElement;
		if (document.fullscreenElement) document.exitFullscreen();
		else if (whole.requestFullscreen)
			whole.requestFullscreen().catch(() => {});
		else this.content?.now?.tile?.video.webkitEnterFullscreen?.();
	}

	/* Something lies over all of it. */
	shade(on) {
		this.#later('shade', () => {
			this.#shaded = on;
			this.wish();
		}, on ? SHADE_MS : 0);
	}

	/* How much video of cameras is asked for: '' all, 'small' little, 'off'
	 * none. Kept in this browser; without a level it is told. */
	saving(level) {
		if (level === undefined) return this.#saving;
		this.#saving = level;
		forEver.setItem('confkit.saving', level);
		this.wish();
	}

	/* The camera of one person becomes the stage, for me only; '' unpins. */
	async pin(user) {
		if (user === this.#app.model.me) return;
		await this.#filled();
		this.content?.front.pin(user);
		this.changed();
	}
	get pinned() { return this.content?.front.pinned ?? ''; }

	show(user) {
		this.content?.front.show(user);
		this.changed();
	}

	/* Somebody's connection is weak, or is not any more; shown on the tile
	 * once that lasts. */
	weak(user, on) {
		if (on === this.#weak.has(user)) return;
		if (on) this.#weak.set(user, performance.now());
		else this.#weak.delete(user);
		this.#dress(user);
	}

	menu(user, anchor) { this.#room.menu(user, anchor); }

	/* Picture in picture of one person, or of what the stage shows. */
	async float(user = '') {
		await this.#part('pip', ({ Pip }) => {
			this.#pip = new Pip(this, this.#app.model);
		});
		return this.#pip?.toggle(user);
	}

	slotOf(user, source) {
		return this.#app.me.media?.slots.find(s => s.user === user
			&& s.source === source);
	}

	/* `levels` are the relay's loudest, in -dBov; self by its own meter. */
	levels(levels) {
		const now = performance.now(), { model } = this.#app;
		const { last } = this.#voices, seating = this.overflow?.seating;
		for (const { user, level } of levels) {
			const self = user === model.me;
			if (!model.users.has(user)
				|| !this.#voices.hear(user, level, self, now) || self)
				continue;
			seating?.heard(user, now);
			if (seating?.waits(user)) this.layout();
		}
		if (this.#voices.last !== last) this.#pip?.update();
	}

	/* Everything that depends on people. */
	update() {
		const { users, me } = this.#app.model;
		const sharing = [...users.values()].filter(u => u.user !== me
			&& u.sources.has('screen')).map(u => u.user);
		if (sharing.length || this.#app.me.screen) this.#filled();
		this.content?.follow(users, sharing);
		for (const user of [...this.#tiles.keys()])
			if (users.has(user)) this.#dress(user);
			else this.#retire(user);
		for (const user of this.#weak.keys())
			if (!users.has(user)) this.#weak.delete(user);
		this.#pip?.update();
		this.layout();
	}

	#filled() {
		return this.#part('content', ({ Content }) => {
			this.content = new Content(this.#app, this);
			this.update();
		});
	}

	get speaker() { return this.#voices.last; }

	/* With tiles that glide to where they are then. */
	changed() {
		this.#animate();
		this.update();
	}

	make(source) {
		const tile = new Tile(source, (...a) => this.menu(...a));
		tile.video.onresize = this.layout;
		return tile;
	}

	/* The tile of one who has a seat: made once, or had by another. */
	seat(user) {
		let tile = this.#tiles.get(user);
		if (tile) return tile;
		const spare = this.#spare.findIndex(x => !x.node.isConnected);
		tile = (spare < 0 ? this.make('cam')
			: this.#spare.splice(spare, 1)[0]).become(user);
		this.#tiles.set(user, tile);
		this.#dress(user);
		const slot = this.slotOf(user, 'cam');
		if (slot) tile.feed(slot);
		tile.speaking(this.#voices.has(user));
		tile.label(false);
		return tile;
	}

	#retire(user) {
		const tile = this.#tiles.get(user);
		this.#tiles.delete(user);
		tile.feed(null);
		if (this.#spare.length < SPARE) this.#spare.push(tile);
	}

	#dress(user) {
		const { model, me } = this.#app;
		const u = model.users.get(user), tile = this.#tiles.get(user);
		if (!u || !tile) return;
		const self = user === model.me;
		const weak = performance.now() - this.#weak.get(user) >= WEAK_MS;
		tile.update({
			name: u.name, self, moderator: u.role === 'moderator',
			muted: self ? !me.speaking : model.silent(user),
			hand: u.hand ? model.hand(user) : 0,
			camera: self ? me.showing : u.sources.has('cam'),
			note: weak ? 'weak' : user === this.pinned ? 'pinned' : '',
		});
		if (self) tile.own(me.preview);
	}

	/* All slots were replaced. */
	slots() {
		for (const tile of this.#tiles.values())
			if (tile.slot) tile.feed(null);
		for (const slot of this.#app.me.media?.slots ?? [])
			if (slot.user && slot.source === 'cam') this.slot(slot);
		this.update();
	}

	/* A slot changed hands, or its first frame is on the way. */
	slot(slot) {
		if (slot.source === 'screen') this.content?.feed();
		for (const tile of this.#tiles.values())
			if (tile.slot === slot && tile.user !== slot.user)
				tile.feed(null);
		if (slot.source === 'cam') this.#tiles.get(slot.user)?.feed(slot);
		this.#pip?.update();
	}

	#layout() {
		if (!this.#size) return;
		const { width: W, height: H } = this.#size;
		const content = this.content?.find();
		const people = this.#app.model.order.map(u => u.user)
			.filter(u => u !== content?.person);
		const space = { n: people.length, W, H, phone: innerWidth < 640,
			inviteHeight: INVITE_HEIGHT,
			corner: forEver.getItem('confkit.corner') ?? 'br' };
		const plan = this.#plan = content ? this.content.arrange(space)
			: arrange(space);
		const seats = this.#sit(people, plan.tiles.length);
		if (this.#shown && this.#shown !== seats.length) this.#animate();
		this.#shown = seats.length;
		this.#paint(seats);
		this.#later('want', () => this.wish(), WANT_MS);
	}

	/* Who has a seat, in the order of seats. */
	#sit(people, seats) {
		if (this.overflow) return this.overflow.seat(people, seats);
		if (people.length <= seats) return people;
		this.#part('overflow', ({ Overflow }) => {
			this.overflow = new Overflow(this.#app.model, this.#room, this);
			this.layout();
		});
		return [...people.slice(0, seats - 1), ...people.slice(-1)];
	}

	/* Tiles glide when people come and go, not when a window is dragged. */
	#animate() {
		this.node.classList.add('moving');
		this.#later('move', () => this.node.classList.remove('moving'),
			MOVE_MS);
	}

	#paint(seats) {
		const { tiles, toolbar, invite, corner, content } = this.#plan;
		const { tile: front, node, person } = this.content?.now ?? {};
		const { model } = this.#app;
		const places = new Map();
		if (node) places.set(node, content);
		if (toolbar) places.set(this.content.tools.node, toolbar);
		for (const user of [...this.#tiles.keys()])
			if (!seats.includes(user) && user !== person)
				this.#retire(user);
		seats.forEach((user, i) => {
			if (user) places.set(this.seat(user).node, tiles[i]);
			else if (user === '') places.set(this.overflow.node, tiles[i]);
		});
		if (invite) places.set(this.#invite, invite);
		const lost = this.#put(places);
		for (const [node, rect] of places) box(node, rect);
		for (const tile of this.#all()) {
			const rect = places.get(tile.node);
			const inset = corner && tile.user === model.me;
			tile.node.classList.toggle('corner', inset);
			if (inset) this.#insets(tile.node);
			if (rect) tile.place(rect, tile === front, inset);
		}
		this.overflow?.place(places.get(this.overflow.node));
		this.#mend(lost);
		this.corner = corner;
		this.node.classList.toggle('few', model.users.size < 3);
	}

	async #insets(node) {
		await this.#part('corner', ({ Corner }) => {
			this.inset = new Corner(this);
		}, true);
		this.inset?.take(node);
	}

	#all() {
		const { now, screen } = this.content ?? {};
		return [...now && now.tile === screen ? [screen] : [],
			...this.#tiles.values()];
	}

	/* In the tree they stand in join order wherever they are shown, so
	 * that no video is ever moved. Answers what had the focus and is gone. */
	#put(places) {
		const { order } = this.#app.model;
		const people = order.map(u => this.#tiles.get(u.user)?.node);
		const self = people.pop();
		const { screen, sharing, tools } = this.content ?? {};
		const nodes = [screen?.node, sharing, tools?.node, ...people,
			this.overflow?.node, self, this.#invite]
			.filter(node => places.has(node));
		const before = new Set(this.node.children);
		const held = document.activeElement?.closest('.stage > *');
		children(this.node, nodes);
		for (const tile of this.#all())
			if (tile.node.isConnected && !before.has(tile.node)) tile.play();
		return held && !held.isConnected ? held : null;
	}

	/* One of the tiles is always the tab stop. */
	#mend(lost) {
		const all = this.#stops();
		if (lost) this.#steps?.mend(lost);
		else if (all.length && !all.some(s => s.node.tabIndex === 0))
			all[0].node.tabIndex = 0;
	}

	#stops() {
		const { rest, node, rect } = this.overflow ?? {};
		const list = this.#all().filter(x => x.node.isConnected && x.rect);
		return rect && node.isConnected ? [...list, { node: rest, rect }]
			: list;
	}

	async wish() {
		const { model, me } = this.#app;
		/* Whoever is alone sees nobody. */
		if (!this.#wishes && model.users.size > 1)
			await this.#part('wishes', ({ wishes }) => {
				this.#wishes = wishes;
			}, true);
		if (!me.media || !this.#plan || !this.#wishes) return;
		const scale = Math.min(devicePixelRatio, 2);
		const { front } = this.content ?? {};
		me.media.want(this.#wishes({
			people: model.order.filter(u => u.user !== model.me)
				.map(({ user, sources }) => {
					const tile = this.#tiles.get(user);
					return { user, cam: sources.has('cam'), px:
						tile?.node.isConnected && tile.rect
							? tile.rect.h * scale : 0 };
				}),
			sharers: front?.sharers ?? [], screen: front?.screen ?? '',
			person: this.content?.now?.person ?? '',
			dark: this.#away || this.#shaded, saving: this.#saving,
			floating: this.#pip?.target ?? null,
		}));
	}

	/* Labels, and whether pictures still move. */
	#second() {
		const now = performance.now();
		for (const user of this.#weak.keys()) this.#dress(user);
		for (const tile of this.#all()) {
			tile.pulse(now);
			if (tile.node !== document.activeElement)
				tile.label(this.#voices.has(tile.user));
		}
	}
}
