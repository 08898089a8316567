/* control - the connection to confd-signal: JSON-RPC on a WebSocket, hello,
 * and reconnecting until told to stop.
 *
 * The callbacks: up(hello) after each hello, down() when a connection that
 * was up is lost, refused(error) when the server will not have us (nothing
 * follows it), event(envelope). Replies and events keep the order in which
 * they were sent. */
const CALL_MS = 10000;
const OPEN_MS = 5000;
const QUIET_MS = 8000;
const FIRST_MS = 100;
const LAST_MS = 1000;
/* Close codes after which there is no coming back by itself. */
const ENDS = { 4403: 'kicked', 4409: 'replaced', 4410: 'ended' };
const TRY_LATER = ['busy', 'draining', 'unavailable', 'timeout', 'internal',
	'io'];

export class RpcError extends Error {
	constructor({ message, data }) {
		super(message || 'unknown error');
		this.kind = data?.kind ?? 'internal';
		this.data = data ?? {};
	}
	get later() { return TRY_LATER.includes(this.kind); }
}

const lost = () => new RpcError({
	message: 'the connection is lost', data: { kind: 'unavailable' },
});

export class Control {
	#url; #who; #on;
	#socket = null;
	#calls = new Map();
	#id = 0;
	#delay = 0;
	#timer = 0;
	#heard = 0;
	#watch = 0;
	up = false;

	/* `who` is {token} or {session}; after the first hello it is the
	 * session that the server gave. */
	constructor(url, who, on) {
		this.#url = url;
		this.#who = who;
		this.#on = on;
	}

	start() {
		this.stopped = false;
		addEventListener('online', this.retry);
		this.#watch = setInterval(() => this.#keepAlive(), 2000);
		this.#open();
	}

	stop() {
		this.stopped = true;
		removeEventListener('online', this.retry);
		clearInterval(this.#watch);
		clearTimeout(this.#timer);
		this.#drop();
	}

	/* Tries at once instead of after the delay. */
	retry = () => {
		if (this.up || this.stopped) return;
		this.#delay = 0;
		clearTimeout(this.#timer);
		this.#drop();
		this.#open();
	};

	call(method, params = {}, ms = CALL_MS) {
		if (!this.up && method !== 'hello') return Promise.reject(lost());
		const id = ++this.#id;
		const text = JSON.stringify({ jsonrpc: '2.0', id, method, params });
		return new Promise((resolve, reject) => {
			const timer = setTimeout(() => {
				this.#calls.delete(id);
				reject(new RpcError({
					message: 'no answer in time', data: { kind: 'timeout' },
				}));
			}, ms);
			this.#calls.set(id, { resolve, reject, timer });
			this.#socket.send(text);
		});
	}

	#open() {
		const socket = this.#socket = new WebSocket(this.#url);
		this.#timer = setTimeout(() => this.#closed(), OPEN_MS);
		socket.onopen = () => {
			if (socket !== this.#socket) return;
			clearTimeout(this.#timer);
			this.#hello(socket);
		};
		socket.onmessage = ({ data }) => {
			if (socket === this.#socket) this.#receive(data);
		};
		socket.onclose = ({ code }) => {
			if (socket !== this.#socket) return;
			const reason = ENDS[code];
			if (!reason) return this.#closed();
			this.stop();
			this.#on.refused(new RpcError({ message: '',
				data: { kind: 'denied', reason } }));
		};
	}

	async #hello(socket) {
		this.#heard = performance.now();
		let result;
		try {
			result = await this.call('hello', {
				protocol: [1], agent: 'confkit-web/0.1', role: 'client',
				...this.#who,
			});
		} catch (error) {
			if (socket !== this.#socket) return;
			if (error.later) return socket.close();
			this.stop();
			return this.#on.refused(error);
		}
		if (result.session) this.#who = { ...this.#who, token: undefined,
			session: result.session };
		this.#delay = 0;
		this.up = true;
		this.#on.up(result);
	}

	#receive(text) {
		this.#heard = performance.now();
		const message = JSON.parse(text);
		if (message.method === 'event') return this.#on.event(message.params);
		const call = this.#calls.get(message.id);
		if (!call) return;
		this.#calls.delete(message.id);
		clearTimeout(call.timer);
		if (message.error) call.reject(new RpcError(message.error));
		else call.resolve(message.result ?? {});
	}

	/* A half-open connection looks like a quiet one: ask, then give up. */
	#keepAlive() {
		if (!this.up) return;
		const quiet = performance.now() - this.#heard;
		if (quiet > 2 * QUIET_MS) this.#closed();
		else if (quiet > QUIET_MS)
			this.call('meeting.show').catch(() => {});
	}

	#drop() {
		const socket = this.#socket;
		this.#socket = null;
		this.up = false;
		socket?.close();
		for (const { reject, timer } of this.#calls.values()) {
			clearTimeout(timer);
			reject(lost());
		}
		this.#calls.clear();
	}

	#closed() {
		const was = this.up;
		clearTimeout(this.#timer);
		this.#drop();
		if (this.stopped) return;
		const jitter = 0.75 + Math.random() / 2;
		this.#timer = setTimeout(() => this.#open(), this.#delay * jitter);
		this.#delay = Math.min(LAST_MS, this.#delay * 2 || FIRST_MS);
		if (was) this.#on.down();
	}
}
