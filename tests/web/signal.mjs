/* What the tests of confd-signal share: the daemon in directories of its
 * own, clients on its three doors, and a stand-in for the relay. */
import net from 'node:net';
import {createHmac} from 'node:crypto';
import {mkdirSync, mkdtempSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {bin, require, run, tmp, until} from './lib.mjs';

export const WebSocket = require('ws');

/* JSON-RPC over whatever send and feed are joined to. call() resolves to the
 * result or rejects with .kind and .data; .events are those of the log and
 * .notes all notifications. */
class Client {
	constructor(send)
	{
		this.send = send;
		this.waiting = new Map();
		this.events = [];
		this.notes = [];
		this.serve = {}; // methods that the other side may ask for
		this.last = 0;
		this.closed = new Promise((r) => { this.onClosed = r; });
	}

	call(method, params = {})
	{
		if (this.ended)
			return Promise.reject(Object.assign(
				new Error('closed'), {kind: 'closed'}));
		const id = ++this.last;
		const answer = new Promise((yes, no) =>
			this.waiting.set(id, {yes, no}));
		this.send(JSON.stringify({jsonrpc: '2.0', id, method, params}));
		return answer;
	}

	notify(method, params)
	{
		this.send(JSON.stringify({jsonrpc: '2.0', method, params}));
	}

	async feed(text)
	{
		const m = JSON.parse(text);
		if (m.method && m.id !== undefined) {
			const r = await this.serve[m.method]?.(m.params);
			this.send(JSON.stringify(r?.fail ?
				{jsonrpc: '2.0', id: m.id, error: {code: -32000,
					message: r.fail, data: {kind: r.kind,
						...r.more}}} :
				{jsonrpc: '2.0', id: m.id, result: r ?? {}}));
		} else if (m.method) {
			this.notes.push(m);
			if (m.method === 'event') this.events.push(m.params);
			if (m.method in this.serve) this.serve[m.method](m.params);
		} else if (m.error) {
			const e = Object.assign(new Error(m.error.message), {
				code: m.error.code, kind: m.error.data?.kind,
				data: m.error.data});
			if (m.id === null) this.refused = e;
			this.waiting.get(m.id)?.no(e);
		} else {
			this.waiting.get(m.id)?.yes(m.result);
		}
		this.waiting.delete(m.id);
	}

	gone(how)
	{
		this.ended = how;
		for (const w of this.waiting.values())
			w.no(Object.assign(new Error('closed'), {kind: 'closed'}));
		this.waiting.clear();
		this.onClosed(how);
	}

	/* The first event of this type that fits, or null. */
	saw(type, fits = () => true, seconds = 5)
	{
		return until(seconds, () => this.events.find((e) =>
			e.type === type && fits(e.data, e)));
	}
}

/* What a refused call was refused with. */
export const refusal = (p) => p.then(() => ({kind: 'none'}), (e) => e);

/* A client on a Unix socket, before its hello. */
export async function dial(path)
{
	const s = net.connect(path);
	const c = new Client((text) => s.write(text + '\n'));
	let rest = '';

	s.setEncoding('utf8');
	s.on('data', (d) => {
		const lines = (rest + d).split('\n');
		rest = lines.pop();
		for (const l of lines) c.feed(l);
	});
	s.on('error', () => {});
	s.on('close', () => c.gone('closed'));
	c.socket = s;
	c.close = () => s.destroy();
	await new Promise((yes, no) => {
		s.once('connect', yes);
		s.once('error', no);
	});
	return c;
}

const HELLO = {protocol: [1], agent: 'test/1', role: 'client', caps: []};

export async function op(signal)
{
	const c = await dial(signal.sock);
	c.hello = await c.call('hello', HELLO);
	return c;
}

/* A WebSocket, before its hello. c.ended becomes {code, reason}. */
export async function connect(signal, options = {})
{
	const ws = new WebSocket(signal.ws, {perMessageDeflate: false,
		...options});
	const c = new Client((text) => ws.send(text));

	ws.on('message', (d) => c.feed(String(d)));
	ws.on('close', (code, reason) => c.gone({code, reason: `${reason}`}));
	c.ws = ws;
	c.close = () => ws.terminate();
	await new Promise((yes, no) => {
		ws.once('open', yes);
		ws.once('error', no);
		ws.once('unexpected-response', (q, r) =>
			no(Object.assign(new Error('refused'),
				{status: r.statusCode})));
	});
	ws.on('error', () => {});
	return c;
}

/* A person: hello by {token} or {session}; join too if a name is given. */
export async function user(signal, who, name)
{
	const c = await connect(signal);
	c.hello = await c.call('hello', {...HELLO, ...who});
	c.user = c.hello.user;
	c.session = c.hello.session ?? who.session;
	if (name !== undefined) {
		c.joined = await c.call('user.join', {name});
		await c.call('events.follow', {since: c.joined.seq});
	}
	return c;
}

let nth = 0;

/* confd-signal on loopback without TLS: {process, ws, sock, worker, restart,
 * crash}. */
export async function start({args = [], sync = 'normal', tls = false} = {})
{
	const dir = mkdtempSync(join(tmp, `signal${nth++}-`));
	const www = join(dir, 'www');
	const s = {args, dir, run: join(dir, 'run'), state: join(dir, 'state'),
		port: 0, log: ''};

	mkdirSync(www);
	writeFileSync(join(www, 'index.html'), '<!doctype html>');
	s.sock = join(s.run, 'signal.sock');
	s.worker = join(s.run, 'worker.sock');
	s.begin = async () => {
		s.process = run(bin('confd-signal'), ['--rundir', s.run,
			'--statedir', s.state, '--www', www, '--tls',
			tls ? 'on' : 'off', '--sync', sync, '--listen',
			`127.0.0.1:${s.port}`, '-d', '3', ...s.args],
		{stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
			env: {LISTEN_FDS: ''}});
		const ready = new Promise((r) =>
			s.process.stdio[3].once('data', () => r(true)));
		if (await Promise.race([ready, s.process.exited]) !== true)
			throw new Error(`confd-signal: ${s.process.err}`);
		s.port = Number(/https? on 127\.0\.0\.1:(\d+)/
			.exec(s.process.err)[1]);
		s.ws = `${tls ? 'wss' : 'ws'}://127.0.0.1:${s.port}/ws`;
		s.http = `${tls ? 'https' : 'http'}://127.0.0.1:${s.port}`;
	};
	const stop = async (how) => {
		s.process.kill(how);
		const status = await s.process.exited;
		s.log += s.process.err;
		return status;
	};
	s.stop = () => stop('SIGTERM');
	s.restart = async () => { await stop('SIGTERM'); await s.begin(); };
	s.crash = async () => { await stop('SIGKILL'); await s.begin(); };
	await s.begin();
	return s;
}

/* A meeting and tokens for it: make(role, name?) gives {token, …}. */
export async function meeting(o, id, more = {})
{
	await o.call('meeting.create', {id, name: id, ...more});
	return (role = 'viewer', name, rest = {}) => o.call('link.create',
		{meeting: id, role, ...(name && {name}), ...rest});
}

/* A relay by words alone: it answers everything, keeps what it was told in
 * .asked, and dials again by itself unless .stopped. */
export async function relay(signal, {instance = 'relay-0', rooms = [],
	secret, bus, serve = {}} = {})
{
	const key = Buffer.from(readFileSync(join(signal.run, 'worker.key'),
		'utf8').trim(), 'hex');
	const c = await dial(signal.worker);

	c.asked = [];
	c.sdp = (p) => `answer to ${p.sdp ?? 'nothing'}`;
	for (const m of ['room.create', 'room.remove', 'room.sync',
		'transport.answer', 'transport.close', 'slot.confirm',
		'endpoint.grant', 'endpoint.remove', 'endpoint.want',
		'ticket.create'])
		c.serve[m] = (p) => { c.asked.push([m, p]); };
	c.serve['transport.create'] = (p) => {
		c.asked.push(['transport.create', p]);
		return p.direction === 'publish' ? {sdp: c.sdp(p), sources: []} :
			{sdp: 'offer', slots: [{mid: '0', kind: 'audio',
				source: 'mic', slot: 0}]};
	};
	Object.assign(c.serve, serve);
	c.told = (method, fits = () => true, seconds = 5) =>
		until(seconds, () => c.asked.find(([m, p]) => m === method &&
			fits(p))?.[1], 10);
	c.hello = await c.call('hello', {...HELLO, role: 'relay', instance,
		secret: secret ?? createHmac('sha256', key)
			.update(`relay/${instance}`).digest('hex'), rooms,
		...(bus && {bus})});
	return c;
}

export const endpoint = (user) => 'e' + user.slice(1);
