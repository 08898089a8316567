/* model - the meeting as this page knows it: the fold of its events. It
 * holds no element and asks nobody; apply() says what has changed.
 *
 * A user is {user, name, role, joined, away, muted, held, hand, handAt,
 * sources: Set}. A chat row is {seq, time, user, name, text, to, mine,
 * state}, state '' | 'pending' | 'failed'; rows without a seq are ours and
 * not yet confirmed. */
const CHAT_KEPT = 1000;

const userOf = u => ({
	user: u.user, name: u.name, role: u.role,
	joined: Date.parse(u.joined) || 0, away: !!u.away, muted: !!u.muted,
	held: !!u.held, hand: !!u.hand, handAt: Date.parse(u.hand_at) || 0,
	sources: new Set(u.sources ?? []),
});

export class Model {
	users = new Map();
	chat = [];
	meeting = {};
	me = null;
	seq = 0;

	/* A snapshot is what user.join answers. Chat is merged, never dropped:
	 * what we have seen we keep. */
	reset(snap) {
		this.users = new Map(snap.users.map(u => [u.user, userOf(u)]));
		this.me = snap.user.user;
		if (!this.users.has(this.me))
			this.users.set(this.me, userOf(snap.user));
		this.meeting = snap.meeting;
		this.seq = snap.seq;
		this.mergeChat(snap.chat);
	}

	mergeChat(events = []) {
		for (const event of events) this.#said(event);
		this.chat.sort((a, b) => (a.seq ?? Infinity) - (b.seq ?? Infinity));
	}

	get self() { return this.users.get(this.me); }
	get moderator() { return this.self?.role === 'moderator'; }
	/* In join order, self last. */
	get order() {
		const all = [...this.users.values()];
		all.sort((a, b) => a.joined - b.joined);
		return all.filter(u => u.user !== this.me)
			.concat(this.self ?? []);
	}
	get hands() {
		return [...this.users.values()].filter(u => u.hand)
			.sort((a, b) => a.handAt - b.handAt);
	}
	hand(user) {
		return this.hands.findIndex(u => u.user === user) + 1;
	}
	name(user) { return this.users.get(user)?.name ?? ''; }
	silent(user) {
		const u = this.users.get(user);
		return !u || u.muted || u.held || !u.sources.has('mic');
	}

	/* Returns 'users', 'chat', 'meeting', 'gone' or '' (nothing new). */
	apply(event) {
		if (event.seq) {
			if (event.seq <= this.seq) return '';
			this.seq = event.seq;
		}
		const [noun] = event.type.split('.');
		const data = event.data ?? {};
		if (event.type === 'chat.said')
			return this.#said(event) ? 'chat' : '';
		if (event.type === 'meeting.changed') {
			this.meeting[data.key] = data.value;
			return 'meeting';
		}
		if (event.type === 'meeting.ended') return 'gone';
		if (noun === 'user') return this.#user(event, data);
		if (noun === 'media') return this.#media(event, data);
		return '';
	}

	#user({ type, time }, data) {
		if (type === 'user.joined') {
			const known = this.users.get(data.user);
			this.users.set(data.user, userOf({ ...data, joined: time,
				sources: known ? [...known.sources] : [] }));
			return 'users';
		}
		const user = this.users.get(data.user);
		if (!user) return '';
		if (type === 'user.left' || type === 'user.kicked') {
			this.users.delete(data.user);
			return data.user === this.me ? 'gone' : 'users';
		}
		const change = {
			'user.away': { away: true }, 'user.back': { away: false },
			'user.muted': { muted: true }, 'user.unmuted': { muted: false },
			'user.held': { held: true }, 'user.released': { held: false },
			'user.role': { role: data.role },
			'user.hand': { hand: data.up, handAt: Date.parse(time) },
		}[type];
		if (!change) return '';
		Object.assign(user, change);
		return 'users';
	}

	#media({ type }, data) {
		const user = this.users.get(data.user);
		if (!user) return '';
		if (type === 'media.started') user.sources.add(data.source);
		else if (type === 'media.stopped') user.sources.delete(data.source);
		else return '';
		return 'users';
	}

	#said({ seq, time, actor, data }) {
		if (this.chat.some(row => row.seq === seq)) return false;
		const user = actor?.startsWith('user:') ? actor.slice(5) : '';
		const row = {
			seq, time: Date.parse(time), user, to: data.to ?? '',
			name: data.name || this.name(user), text: data.text,
			mine: user === this.me, state: '',
		};
		const ours = row.mine && this.chat.find(r => r.state && !r.seq
			&& r.text === row.text && r.to === row.to);
		if (ours) Object.assign(ours, row);
		else this.chat.push(row);
		if (this.chat.length > CHAT_KEPT) this.chat.shift();
		return true;
	}

	/* A row of our own before the server has it. */
	saying(text, to, now) {
		const row = {
			time: now, user: this.me, name: this.self?.name ?? '', text, to,
			mine: true, state: 'pending', key: `p${now}-${Math.random()}`,
		};
		this.chat.push(row);
		return row;
	}
}
