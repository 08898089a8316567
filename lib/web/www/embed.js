/* embed - the page in a frame of another page: what that one may ask for and
 * is told, as conf-embed(7) has it. Loaded only when framed.
 *
 * The browser shows the page to those alone whom its content security policy
 * names. The same header, asked for once more, says whom to listen and talk
 * to here: a browser or a proxy that mislaid it gives nothing away. */
import { plain } from './dom.js';
import { has, t } from './i18n.js';
import { BACK } from './app.js';

const NAME = 64;
const TEXT = 8000; /* bytes, by the server */

/* Why a command is not done; `message` is for people. */
class Refusal extends Error {
	constructor(reason, message = '') {
		super(message);
		this.reason = reason;
	}
}

function bool(on) {
	if (typeof on !== 'boolean') throw new Refusal('invalid', 'on');
	return on;
}

/* The origins that may frame the page, as browsers write them. */
async function framers() {
	const { headers } = await fetch(location.pathname, { method: 'HEAD' });
	const policy = headers.get('Content-Security-Policy') ?? '';
	const [, words = ''] = /frame-ancestors ([^;]*)/.exec(policy) ?? [];
	return words.split(' ').map(word => word === "'self'" ? location.origin
		: URL.canParse(word) && new URL(word).origin).filter(Boolean);
}

class Embed {
	#app; #allowed; #origin = null; #told = {}; #joining = null; #rows = [];

	constructor(app, allowed) {
		this.#app = app;
		this.#allowed = allowed;
		app.outside = this;
		addEventListener('message', event => this.#heard(event));
		/* Where the browser does not say who frames the page, the first
		 * message does; until then only this goes out. */
		const [above] = location.ancestorOrigins ?? [];
		if (above && !allowed.includes(above)) return;
		if (above) this.#known(above);
		else parent.postMessage({ confkit: 1, type: 'ready' }, '*');
	}

	#known(origin) {
		this.#origin = origin;
		this.#tell('ready', { meeting: this.#app.id });
		this.shown(...this.#app.page);
	}

	#tell(type, more) {
		if (this.#origin) parent.postMessage({ confkit: 1, type, ...more },
			this.#origin);
	}

	/* ---- what the page tells of itself ---- */

	get #self() {
		const { model: { self, meeting } } = this.#app;
		return { user: self.user, name: plain(self.name), role: self.role,
			meeting: this.#app.id, title: plain(meeting.name) };
	}

	#now() {
		const { me, model, stage } = this.#app;
		return { muted: !me.speaking, camera: me.showing,
			hand: stage === 'room' && !!model?.self?.hand };
	}

	/* Tells what is another than it was told last. */
	changed() {
		if (!this.#origin) return;
		for (const [type, on] of Object.entries(this.#now())) {
			if (on === this.#told[type]) continue;
			this.#told[type] = on;
			this.#tell(type, { on });
		}
		for (const row of this.#rows) this.#settle(row);
	}

	shown(page, why, detail) {
		if (page === 'room') {
			this.#told.room = true;
			this.#tell('joined', this.#self);
			this.#joined();
		} else if (page === 'gone') {
			const message = [has(`gone_${why}`) && t(`gone_${why}`), detail]
				.filter(Boolean).join(' ');
			this.#tell(this.#told.room ? 'left' : 'error',
				{ reason: why, message });
			this.#told.room = false;
			this.#joined(new Refusal(why, message));
			for (const { no } of this.#rows.splice(0))
				no(new Refusal('state', t('not_sent')));
		}
		this.changed();
	}

	/* Joining was refused, and the page for it is still there. */
	failed({ kind, message }) {
		this.#tell('error', { reason: kind, message });
		this.#joined(new Refusal(kind, message));
	}

	happened({ type, actor, data }, before) {
		const { model } = this.#app;
		const name = plain(data?.name ?? before?.name
			?? model.name(data?.user));
		if (type === 'chat.said') {
			/* What was said to one person is nobody else's. */
			if (data.to) return;
			const user = actor?.startsWith('user:') ? actor.slice(5) : '';
			this.#tell('chat', { user, name: plain(data.name
				|| model.name(user)), text: plain(data.text) });
		} else if (!data?.user || data.user === model.me) return;
		else if (type === 'user.joined')
			this.#tell('user-joined', { user: data.user, name });
		else if (type === 'user.left' || type === 'user.kicked')
			this.#tell('user-left', { user: data.user, name });
	}

	/* ---- what it may be asked for ---- */

	async #heard({ source, origin, data }) {
		if (source !== parent || !this.#allowed.includes(origin)
			|| typeof data !== 'object' || !data || !('confkit' in data))
			return;
		if (!this.#origin) this.#known(origin);
		const { confkit, id, type } = data;
		const re = typeof id === 'number' || (typeof id === 'string'
			&& id.length <= NAME) ? { id } : {};
		try {
			if (confkit !== 1) throw new Refusal('version');
			if (id !== undefined && !('id' in re))
				throw new Refusal('invalid', 'id');
			if (typeof type !== 'string'
				|| !Object.hasOwn(this.#commands, type))
				throw new Refusal('unknown', String(type));
			const more = await this.#commands[type](data);
			this.#tell('done', { ...re, command: type, ...more });
		} catch (error) {
			const { reason, kind = 'internal', message } = error;
			this.#tell('error', { ...re, command: String(type),
				reason: reason ?? kind, message });
		}
	}

	#commands = {
		state: () => ({ stage: this.#app.stage, meeting: this.#app.id,
			...this.#now(), ...(this.#app.stage === 'room' && {
				...this.#self, users: this.#app.model.order.map(u => ({
					user: u.user, name: plain(u.name) })) }) }),
		join: ({ name = '' }) => this.#join(name),
		leave: () => {
			this.#at('room', 'joining');
			this.#app.leave();
		},
		mute: ({ on }) => this.#device('mic', !bool(on)),
		camera: ({ on }) => this.#device('cam', bool(on)),
		hand: async ({ on }) => {
			this.#at('room');
			if (bool(on) !== this.#now().hand)
				await this.#app.call('user.hand', { up: on });
		},
		chat: ({ text }) => this.#say(text),
	};

	/* Only where the page has a button for it. */
	#at(...stages) {
		const { stage } = this.#app;
		if (!stages.includes(stage)) throw new Refusal('state', stage);
	}

	async #device(kind, on) {
		const { me } = this.#app;
		this.#at('join', 'joining', 'room');
		if (!on) return me.off(kind);
		if (kind === 'mic' && me.held) throw new Refusal('held', t('held'));
		if (kind === 'mic' ? me.speaking : me.showing) return;
		const problem = await (kind === 'mic' ? me.toggleMic()
			: me.toggleCam());
		if (problem) throw new Refusal('device', t(problem));
	}

	/* Join, or Rejoin where that is offered; done when in the room. */
	#join(name) {
		const app = this.#app;
		if (typeof name !== 'string' || name.length > NAME)
			throw new Refusal('invalid', 'name');
		if (app.stage !== 'gone' || !app.seat.session
			|| !BACK.includes(app.page[1])) this.#at('join');
		const joined = new Promise((yes, no) => {
			this.#joining = { yes, no };
		});
		if (app.stage === 'gone') app.rejoin();
		else app.join(name || app.name);
		return joined;
	}

	#joined(error) {
		const { yes, no } = this.#joining ?? {};
		this.#joining = null;
		if (error) no?.(error);
		else yes?.(this.#self);
	}

	/* Done when the log has it. */
	#say(text) {
		if (typeof text !== 'string' || !text.trim()
			|| new TextEncoder().encode(text.trim()).length > TEXT)
			throw new Refusal('invalid', 'text');
		this.#at('room');
		const row = this.#app.say(text.trim());
		return new Promise((yes, no) => {
			this.#rows.push({ row, yes, no });
		});
	}

	#settle(waiting) {
		const { row, yes, no } = waiting;
		if (row.state === 'pending') return;
		this.#rows = this.#rows.filter(r => r !== waiting);
		if (row.state) no(new Refusal('failed', row.why || t('not_sent')));
		else yes();
	}
}

export const embed = async app => new Embed(app, await framers());
