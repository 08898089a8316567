/* app - one person's way through one meeting, and what joins control (the
 * server), model (what is known) and me (own devices). */
import { Control } from './control.js';
import { Me } from './me.js';
import { t } from './i18n.js';
import { forEver, forTab } from './keep.js';

const LOST_MS = 60000;
const FOLLOW_MS = 1000;
const ENDED_BY = ['op', 'moderator', 'empty'];
/* Can be taken back. */
export const BACK = ['left', 'lost', 'replaced', 'full'];
/* data.reason of a refusal, and the page that says it; others are told in
 * the server's words. */
const REFUSALS = {
	expired: 'expired', malformed: 'foreign', unknown_key: 'foreign',
	signature: 'foreign', other_meeting: 'other', missing: 'nolink',
	session: 'over', old_session: 'over', kicked: 'kicked', ended: 'ended',
	replaced: 'replaced', revoked: 'revoked', used_up: 'used_up',
};

export class App {
	/* Of the room, from the time that we are in it. */
	model = null;
	control = null;
	view = null;
	hello = null;
	online = true;
	/* Told of the same as the view where the page is in a frame. */
	outside = null;
	/* What is shown: one of pages, and what it was told. */
	page = [];
	/* 'join', 'joining', 'room' or 'gone' */
	stage = 'join';
	/* What the refusal says while the meeting has not started. */
	early = null;
	#pages; #key; #lostTimer = 0; #turn = 0; #earlyTimer = 0;

	/* `pages` makes join(app), wait(), room(app), gone(app, why, detail):
	 * {nodes, update(what), shown?(), close?(), failed?(text, full),
	 * lost?(kind, why, other), back?(kind), name?} or its promise. */
	constructor(meeting, pages) {
		this.id = meeting;
		this.#pages = pages;
		this.#key = `confkit.seat.${meeting}`;
		this.seat = JSON.parse(forTab.getItem(this.#key)) ?? {};
		const raw = new URLSearchParams(location.search).get('raw') === '1';
		this.me = new Me(this, raw);
	}

	keep(change) {
		Object.assign(this.seat, change);
		forTab.setItem(this.#key, JSON.stringify(this.seat));
	}

	/* A reload shows once more why the seat is gone. */
	#forget(gone, detail) {
		this.seat = {};
		this.keep({ gone, detail });
	}

	get name() {
		if (this.hello?.name_locked) return this.hello.name;
		return this.seat.name || this.hello?.name
			|| forEver.getItem('confkit.name') || t('guest');
	}

	/* The token stays in the address until it has been exchanged, so that
	 * a reload before that works as well as one after. */
	start(token) {
		const { session, gone = 'nolink', detail } = this.seat;
		if (!token && !session) return this.gone(gone, detail);
		if (token) this.keep({ joined: false });
		this.#show(this.seat.joined ? 'wait' : 'join');
		this.#connect(token ? { token } : { session });
		this.me.askDevices();
	}

	#connect(who) {
		/* Beside this file, whatever path the server is below. */
		const url = new URL('ws', import.meta.url);
		url.protocol = url.protocol.replace('http', 'ws');
		this.control?.stop();
		this.control = new Control(url.href, { ...who,
			meeting: this.id || undefined }, {
			up: hello => this.#up(hello),
			down: () => this.#down(),
			refused: error => this.#refused(error),
			event: event => this.#event(event),
		});
		this.control.start();
	}

	/* A page whose module comes too late is not shown any more. */
	async #show(page, ...more) {
		const turn = ++this.#turn;
		this.view?.close?.();
		this.view = null;
		const view = await this.#pages[page](this, ...more);
		if (turn !== this.#turn) return view.close?.();
		this.view = view;
		document.body.replaceChildren(...view.nodes);
		view.shown?.();
		view.update('all');
		this.page = [page, ...more];
		this.outside?.shown(...this.page);
	}

	changed(what) {
		this.view?.update(what);
		this.outside?.changed();
	}

	call(method, params) { return this.control.call(method, params); }

	/* Shows why a command was refused; never swallows it. */
	fail(error) {
		this.view?.failed?.(error.kind === 'unavailable' ? t('not_now')
			: t('refused', { reason: error.message }));
	}

	#up(hello) {
		this.hello = hello;
		if (hello.session) this.keep({ session: hello.session });
		if (location.hash)
			history.replaceState(null, '', location.pathname
				+ location.search);
		this.online = true;
		const opened = this.early;
		this.early = null;
		if (this.stage === 'room') this.#resume(hello);
		else if (opened) this.join(this.view?.name ?? this.name);
		else if (this.stage === 'joining'
			|| (this.seat.joined && hello.joined)) this.join(this.name);
		else if (this.seat.joined) {
			this.keep({ joined: false });
			this.#show('join');
		}
		this.changed('hello');
	}

	#down() {
		this.online = false;
		this.changed('online');
	}

	/* The page of joining stays, and goes on by itself. */
	async #tooEarly(data) {
		this.stage = 'join';
		this.early = data;
		this.changed('early');
		const { delay } = await import('./early.js');
		this.#earlyTimer = setTimeout(() => this.control.start(),
			delay(data));
	}

	#refused(error) {
		if (this.stage === 'gone') return;
		if (['not_yet', 'absent'].includes(error.data.reason))
			return this.#tooEarly(error.data);
		const known = error.kind === 'limit' ? 'full'
			: error.later ? 'lost' : REFUSALS[error.data.reason];
		const why = known ?? 'refused', detail = known ? '' : error.message;
		if (!BACK.includes(why)) this.#forget(why, detail);
		this.gone(why, detail);
	}

	/* Everything that can go out at the press goes out at the press. */
	async join(name) {
		this.stage = 'joining';
		this.keep({ name: name.trim() });
		this.changed('stage');
		if (!this.control.up) return;
		const joined = this.call('user.join', { name: this.name });
		this.me.publish();
		try {
			await this.#enter(await joined);
		} catch (error) {
			this.me.media?.close();
			if (this.stage === 'gone'
				|| (error.later && !this.control.up)) return;
			if (!this.view?.failed) return this.#refused(error);
			this.stage = 'join';
			this.changed('stage');
			this.outside?.failed(error);
			if (error.kind === 'limit')
				this.view.failed(t('gone_full'), true);
			else this.fail(error);
		}
	}

	async #enter(snap) {
		const { Model } = await import('./model.js');
		this.model = new Model();
		this.model.reset(snap);
		this.stage = 'room';
		this.keep({ joined: true, name: this.model.self.name });
		this.#follow(snap.seq);
		await this.me.mediaReady;
		if (this.stage !== 'room') return;
		this.me.media.subscribe();
		this.me.syncMute();
		this.#show('room');
	}

	/* Without events the room would be stale, so it is this or nothing;
	 * the next hello follows anew. */
	async #follow(since) {
		const { hello } = this;
		try {
			await this.call('events.follow', { since });
		} catch (error) {
			if (hello !== this.hello || !this.control.up) return;
			if (!error.later) return this.#refused(error);
			setTimeout(() => hello === this.hello
				&& this.stage === 'room' && this.#follow(this.model.seq),
			FOLLOW_MS);
		}
	}

	/* Back after a loss: what was missed is replayed, what was not sent is
	 * sent. When the seat was lost meanwhile, take a new one. */
	async #resume(hello) {
		try {
			const snap = await this.call('user.join',
				hello.joined ? {} : { name: this.seat.name });
			const same = hello.joined && snap.user.user === this.model.me;
			if (same) this.model.mergeChat(snap.chat);
			else this.model.reset(snap);
			this.#follow(this.model.seq);
			this.me.syncMute(true);
			this.resend();
			await this.me.media?.check();
		} catch (error) {
			if (!error.later && this.control.up) this.#refused(error);
		}
		this.changed('all');
	}

	#event(event) {
		if (this.stage !== 'room') return;
		if (!event.seq && event.type !== 'talk.level')
			return this.me.media?.handle(event);
		if (event.type === 'talk.level') {
			this.view?.levels?.(event.data.levels);
			return;
		}
		const before = this.model.users.get(event.data?.user);
		const what = this.model.apply(event);
		if (what === 'gone') return this.#ended(event);
		if (!what) return;
		this.me.follow(event);
		this.view?.happened?.(event, before);
		this.outside?.happened(event, before);
		this.changed(what);
	}

	#ended({ type, data }) {
		const end = { 'user.kicked': 'kicked', 'meeting.ended': 'ended' }[type];
		if (end) {
			const why = ENDED_BY.includes(data.reason) ? '' : data.reason;
			this.#forget(end, why);
			return this.gone(end, why);
		}
		if (data.reason === 'ended') return; /* which follows */
		/* Our seat timed out while we were away: take it again. */
		if (data.reason === 'timeout') return this.#resume({ joined: false });
		this.gone('left');
	}

	/* Chat: shown at once, marked until the log has it. */
	say(text, to = '') {
		const row = this.model.saying(text, to, Date.now());
		this.changed('chat');
		this.#send(row);
		return row;
	}

	async #send(row) {
		row.state = 'pending';
		if (!this.control.up) return;
		row.asked = true;
		try {
			const { seq } = await this.call('chat.say',
				{ text: row.text, ...(row.to && { to: row.to }) });
			row.seq ??= seq;
			row.state = '';
		} catch (error) {
			/* Lost on the way: resend() decides after the replay. */
			if (!this.control.up || row.seq) return;
			row.state = 'failed';
			row.why = error.kind === 'timeout' ? '' : error.message;
		} finally {
			row.asked = false;
		}
		this.changed('chat');
	}

	retry(row) {
		this.#send(row);
		this.changed('chat');
	}

	resend() {
		for (const row of this.model.chat)
			if (row.state === 'pending' && !row.asked) this.#send(row);
	}

	/* Sound and video gone for a minute: an honest end with a next step. */
	mediaState(state) {
		if (state !== 'lost') {
			clearTimeout(this.#lostTimer);
			this.#lostTimer = 0;
		} else this.#lostTimer ||= setTimeout(() => this.gone('lost'),
			LOST_MS);
		this.changed('media');
	}

	async leave() {
		const told = this.control.up
			? this.call('user.leave', {}).catch(() => {}) : null;
		this.gone('left', '', told);
	}

	gone(why, detail = '', told = null) {
		this.stage = 'gone';
		clearTimeout(this.#earlyTimer);
		clearTimeout(this.#lostTimer);
		this.#lostTimer = 0;
		if (this.seat.session) this.keep({ joined: false });
		this.me.close();
		const { control } = this;
		Promise.race([told, new Promise(done => setTimeout(done, 1000))])
			.then(() => control?.stop());
		return this.#show('gone', why, detail);
	}

	/* Back into the room, with the devices as they were. */
	rejoin() {
		this.stage = 'joining';
		this.#connect({ session: this.seat.session });
		this.me.askDevices(this.seat);
	}
}
