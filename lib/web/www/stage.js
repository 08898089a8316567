/* stage - the people and what is shared: which tile sits where, which slot
 * feeds it, who speaks, what the relay is asked for. Layout runs at most
 * once a frame and only writes. */
import { children, disc, el, frame, icon, setText } from './dom.js';
import { arrange } from './layout.js';
import { named, t, tn } from './i18n.js';
import { Tile } from './tile.js';

const WANT_MS = 100;
const HIDDEN_MS = 3000;
const SHADE_MS = 1000;
const QUIET_MS = 400;
const MOVE_MS = 250;
const LOUD_DBOV = 45;
const HEIGHTS = [180, 360, 720];
const INVITE_HEIGHT = 132;

const bucket = px => HEIGHTS.find(h => h >= px) ?? 720;

function box(node, { x, y, w, h }) {
	node.style.transform = `translate(${x}px,${y}px)`;
	node.style.width = `${w}px`;
	if (h) node.style.height = `${h}px`;
}

export class Stage {
	#app; #open; #invite;
	#tiles = new Map(); #screen = null; #size = null;
	#loud = new Map();
	#content = null; #plan = null; #shown = 0;
	#timers = {}; #away = false; #shaded = false;
	#hushing = false;

	/* invite is the card for whoever is alone. */
	constructor(app, room, invite) {
		this.#app = app;
		this.#open = (user, anchor) => room.people.menu(user, anchor);
		this.#invite = invite;
		this.overflow = el('button.tile.overflow', { onclick: () =>
			room.show('people') },
			el('span.discs', { 'aria-hidden': 'true' }), el('strong'));
		this.sharing = el('div.tile.sharing', {}, icon('screen'),
			el('p.title', {}, t('you_share')), el('button.secondary',
				{ onclick: () => app.me.stopShare() },
				t('stop_sharing')));
		this.words = el('span');
		this.tools = el('div.tools', {}, icon('screen', 20), this.words,
			el('button.quiet.bare', { ...named('full_screen'),
				onclick: () => this.full() }, icon('fit', 20)));
		this.node = el('section.stage', { 'aria-label': t('stage'),
			onkeydown: event => this.#keys(event) });
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
			this.#wish();
		}, document.hidden ? HIDDEN_MS : 0);
		document.addEventListener('visibilitychange', this.#timers.visible);
	}

	#later(name, fn, ms) {
		clearTimeout(this.#timers[name]);
		this.#timers[name] = setTimeout(fn, ms);
	}

	close() {
		clearInterval(this.#timers.second);
		for (const name of ['hide', 'want', 'shade', 'hush'])
			clearTimeout(this.#timers[name]);
		document.removeEventListener('visibilitychange',
			this.#timers.visible);
	}

	full() {
		if (document.fullscreenElement) document.exitFullscreen();
		else this.node.requestFullscreen?.().catch(() => {});
	}

	/* Whether something lies over the whole stage. */
	shade(on) {
		this.#later('shade', () => {
			this.#shaded = on;
			this.#wish();
		}, on ? SHADE_MS : 0);
	}

	/* Everything that depends on people; cheap enough for every change. */
	update() {
		const { model, me } = this.#app;
		for (const user of this.#tiles.keys())
			if (!model.users.has(user)) this.#tiles.delete(user);
		for (const u of model.order) {
			const self = u.user === model.me;
			const tile = this.#tiles.get(u.user) ?? this.#make(u.user);
			tile.update({
				name: u.name, self, moderator: u.role === 'moderator',
				muted: self ? !me.speaking : model.silent(u.user),
				hand: model.hand(u.user),
				camera: self ? me.showing : u.sources.has('cam'),
			});
			if (self) tile.own(me.preview);
		}
		this.#screen?.update({ name: model.name(this.#screen.user),
			camera: true });
		this.layout();
	}

	#make(user) {
		const tile = new Tile(user, 'cam', this.#open);
		this.#tiles.set(user, tile);
		const slot = this.#app.me.media?.slots.find(s => s.user === user
			&& s.source === 'cam');
		if (slot) tile.feed(slot);
		return tile;
	}

	/* All slots were replaced. */
	slots() {
		for (const tile of this.#tiles.values())
			if (tile.slot) tile.feed(null);
		for (const slot of this.#app.me.media?.slots ?? [])
			if (slot.user && slot.source === 'cam') this.slot(slot);
		this.#share();
	}

	/* A slot changed hands, or its first frame is on the way. */
	slot(slot) {
		if (slot.source === 'screen') return this.#share();
		if (slot.source !== 'cam') return;
		for (const tile of this.#tiles.values())
			if (tile.slot === slot && tile.user !== slot.user)
				tile.feed(null);
		this.#tiles.get(slot.user)?.feed(slot);
	}

	#share() {
		const slot = this.#app.me.media?.slots.find(s => s.user
			&& s.source === 'screen');
		if (this.#screen?.user !== slot?.user) this.#screen = null;
		if (slot) {
			this.#screen ??= new Tile(slot.user, 'screen', this.#open);
			this.#screen.video.onresize = this.layout;
			this.#screen.feed(slot);
		}
		this.update();
	}

	/* What fills the stage beside the people. */
	#findContent() {
		const tile = this.#screen;
		if (tile) return { tile, node: tile.node, aspect: tile.aspect,
			words: tn('is_sharing', { name:
				this.#app.model.name(tile.user) }) };
		return this.#app.me.screen && { node: this.sharing,
			aspect: 16 / 9, words: [t('you_share')] };
	}

	#layout() {
		if (!this.#size) return;
		const { width: W, height: H } = this.#size;
		const content = this.#content = this.#findContent();
		const people = this.#app.model.order.map(u => u.user);
		const plan = this.#plan = arrange({
			n: people.length, W, H, phone: innerWidth < 640,
			content: content?.aspect ?? 0, inviteHeight: INVITE_HEIGHT,
		});
		const seats = this.#sit(people, plan.tiles.length);
		if (this.#shown && this.#shown !== seats.length) this.#animate();
		this.#shown = seats.length;
		this.#paint(seats, people);
		this.#later('want', () => this.#wish(), WANT_MS);
	}

	/* Tiles glide when people come and go, not when a window is dragged. */
	#animate() {
		this.node.classList.add('moving');
		this.#later('move', () => this.node.classList.remove('moving'),
			MOVE_MS);
	}

	/* With more people than seats, one is for the rest and one for self. */
	#sit(people, seats) {
		if (people.length <= seats) return people;
		return [...people.slice(0, Math.max(0, seats - 2)), '',
			...people.slice(-1)].slice(-seats);
	}

	#paint(seats, people) {
		const { tiles, toolbar, invite, corner, content } = this.#plan;
		const { model } = this.#app;
		const places = new Map();
		if (this.#content) {
			places.set(this.#content.node, content);
			places.set(this.tools, toolbar);
			this.words.replaceChildren(...this.#content.words);
		}
		seats.forEach((user, i) => places.set(
			this.#tiles.get(user)?.node ?? this.overflow, tiles[i]));
		if (invite) places.set(this.#invite, invite);
		if (places.has(this.overflow)) this.#others(people, seats);
		this.#put(places);
		for (const [node, rect] of places) box(node, rect);
		for (const tile of this.#all()) {
			const rect = places.get(tile.node);
			const inset = corner && tile.user === model.me;
			tile.node.classList.toggle('corner', inset);
			if (rect) tile.place(rect, tile === this.#content?.tile, inset);
		}
		this.node.classList.toggle('few', seats.length < 3 && !content);
	}

	#all() {
		return [...this.#tiles.values(), this.#screen].filter(Boolean);
	}

	/* In the tree they stand in join order wherever they are shown, so
	 * that no video is ever moved; one that comes back plays again. */
	#put(places) {
		const { model } = this.#app;
		const people = model.order.map(u => this.#tiles.get(u.user).node);
		const self = people.pop();
		const nodes = [this.#screen?.node, this.sharing, this.tools,
			...people, this.overflow, self, this.#invite]
			.filter(node => places.has(node));
		const before = new Set(this.node.children);
		children(this.node, nodes);
		for (const tile of this.#all())
			if (tile.node.isConnected && !before.has(tile.node)) tile.play();
		if (!nodes.some(n => n.tabIndex === 0))
			nodes.find(n => n.dataset.user)?.setAttribute('tabindex', '0');
	}

	#others(people, seats) {
		const rest = people.filter(u => !seats.includes(u));
		const { model } = this.#app;
		const [discs, word] = this.overflow.children;
		discs.replaceChildren(...rest.slice(0, 3)
			.map(u => disc(u, model.name(u), true)));
		setText(word, t('others', { n: rest.length }));
	}

	/* Asks the relay for what is seen, at the size at which it is seen. */
	#wish() {
		const { model, me } = this.#app;
		if (!me.media || !this.#plan) return;
		const dark = this.#away || this.#shaded;
		const scale = Math.min(devicePixelRatio, 2);
		const tracks = [];
		for (const { user } of model.order) {
			const tile = this.#tiles.get(user);
			if (user === model.me || !tile) continue;
			const seen = tile.node.isConnected && !dark;
			tracks.push({ user, source: 'cam',
				height: seen ? bucket(tile.height * scale) : 0,
				stage: false });
		}
		if (this.#screen) tracks.push({ user: this.#screen.user,
			source: 'screen', height: dark ? 0 : HEIGHTS.at(-1),
			stage: true });
		me.media.want(tracks);
	}

	/* `levels` are the relay's loudest, in -dBov; self by its own meter. */
	levels(levels) {
		const now = performance.now();
		for (const { user, level } of levels) {
			if (level >= LOUD_DBOV || !this.#tiles.has(user)) continue;
			this.#loud.set(user, now);
			this.#tiles.get(user).speaking(true);
		}
		if (!this.#hushing && this.#loud.size) this.#hush();
	}

	#hush() {
		const now = performance.now();
		for (const [user, at] of this.#loud) {
			if (now - at < QUIET_MS) continue;
			this.#loud.delete(user);
			this.#tiles.get(user)?.speaking(false);
		}
		this.#hushing = this.#loud.size > 0;
		if (this.#hushing)
			this.#later('hush', () => this.#hush(), QUIET_MS / 4);
	}

	/* Labels, and whether pictures still move. */
	#second() {
		const now = performance.now();
		for (const tile of this.#all()) {
			tile.pulse(now);
			if (tile.node !== document.activeElement)
				tile.label(this.#loud.has(tile.user));
		}
	}

	/* One tab stop; arrows move in the order of the tree. */
	#keys(event) {
		const tiles = [...this.node.querySelectorAll('.tile[data-user]')];
		const at = tiles.indexOf(event.target);
		if (at < 0) return;
		const { user } = event.target.dataset;
		const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1,
			ArrowUp: -1 }[event.key];
		if (step) {
			const to = tiles[(at + step + tiles.length) % tiles.length];
			event.target.tabIndex = -1;
			to.tabIndex = 0;
			to.focus();
		} 
		else if (event.key === 'Enter'
			|| (event.key === 'F10' && event.shiftKey))
			this.#open(user, event.target);
		else return;
		event.preventDefault();
	}
}
