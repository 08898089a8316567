/* content - what fills the stage beside the people: a shared screen, one's
 * own, or who is pinned; loaded when there is such a thing. */
import { beside } from './beside.js';
import { el, icon } from './dom.js';
import { Front } from './front.js';
import { t, tn } from './i18n.js';
import { Tools } from './share.js';

export class Content {
	front = new Front();
	/* {node, tile, aspect, bar, words, person}, or null. */
	now = null;
	#app; #stage;

	constructor(app, stage) {
		this.#app = app;
		this.#stage = stage;
		this.screen = stage.make('screen');
		this.sharing = el('div.tile.sharing', {}, icon('screen'),
			el('p.title', {}, t('you_share')), el('button.secondary',
				{ onclick: () => app.me.stopShare() },
				t('stop_sharing')));
		this.tools = new Tools(app, stage, this);
	}

	/* Who shares now; the screen that is shown is fed once the relay sends
	 * that one. */
	follow(users, sharing) {
		this.front.follow(users, sharing);
		const user = this.front.screen, tile = this.screen;
		if (user) {
			const look = { name: this.#app.model.name(user), camera: true };
			if (tile.user !== user) tile.become(user).update(look);
			else tile.update(look);
			tile.label(false);
			this.feed();
		} else if (tile.slot) tile.feed(null);
	}

	feed() {
		const { user } = this.screen;
		if (user === this.front.screen)
			this.screen.feed(this.#stage.slotOf(user, 'screen') ?? null);
	}

	find() {
		const { me, model } = this.#app, { sharers, screen } = this.front;
		const own = !!me.screen, person = this.front.person(own);
		const who = screen || sharers[0];
		const common = { person, bar: own || !!who, words: who
			? tn('is_sharing', { name: model.name(who) })
			: [t('you_share')] };
		const tile = person ? this.#stage.seat(person)
			: screen && this.screen;
		this.now = tile ? { ...common, tile, node: tile.node,
			aspect: tile.aspect }
			: own ? { ...common, node: this.sharing, aspect: 16 / 9 } : null;
		if (this.now?.bar) this.tools.update();
		return this.now;
	}

	/* `space` is {n, W, H, phone}. */
	arrange(space) {
		return beside({ ...space, content: this.now.aspect,
			bar: this.now.bar });
	}

	close() { this.tools.close(); }
}
