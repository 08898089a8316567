/* A bad path between a browser and the relay, in this process, so that it
 * needs neither rights nor a kernel that can: datagrams of media are lost,
 * and a stream stands still for a moment now and then, as TCP does when a
 * packet of it is lost. What happens to the nth of them follows from the
 * seed. */
import dgram from 'node:dgram';
import net from 'node:net';

/* Numbers from 0 to below 1 (mulberry32). */
export function random(seed)
{
	let a = seed >>> 0;
	return () => {
		a = (a + 0x6d2b79f5) >>> 0;
		let t = a;
		t = Math.imul(t ^ (t >>> 15), t | 1);
		t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
		return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
	};
}

/* RTP and RTCP; handshakes pass, they are not what is tested. */
const isMedia = (m) => m[0] >= 128 && m[0] <= 191;

/* Carries UDP between its own port and to (on 127.0.0.1), for each client by
 * a socket of its own: {port, passed, lost, loss, cut, close}. loss is a
 * share, of media only; cut loses all. Both may be changed. */
export async function lossy(to, {loss = 0.05, seed = 1} = {})
{
	const rng = random(seed), clients = new Map();
	const front = dgram.createSocket('udp4');
	const path = {passed: 0, lost: 0, loss, cut: false};
	const pass = (m, send) => {
		if (path.cut || (isMedia(m) && rng() < path.loss)) {
			path.lost++;
			return;
		}
		path.passed++;
		send();
	};
	const up = (from) => {
		const s = dgram.createSocket('udp4');
		s.on('error', () => {});
		s.on('message', (m) => pass(m, () =>
			front.send(m, from.port, from.address)));
		return s;
	};
	front.on('error', () => {});
	front.on('message', (m, from) => {
		const key = `${from.address}:${from.port}`;
		if (!clients.has(key)) clients.set(key, up(from));
		pass(m, () => clients.get(key).send(m, to, '127.0.0.1'));
	});
	await new Promise((r) => front.bind(0, '127.0.0.1', r));
	path.port = front.address().port;
	path.close = () => [front, ...clients.values()].forEach((s) =>
		s.close());
	return path;
}

/* Carries TCP to a port of this machine; what comes back is held for
 * stall_ms now and then, and all that is behind it: {port, stalls, close}. */
export async function stalling(to, {share = 0.1, stall_ms = 200, seed = 1} =
	{})
{
	const rng = random(seed), open = new Set();
	const path = {stalls: 0};
	const server = net.createServer({noDelay: true}, (down) => {
		const up = net.connect({port: to, host: '127.0.0.1',
			noDelay: true});
		let queue = Promise.resolve();
		for (const s of [up, down]) {
			open.add(s);
			s.on('error', () => {});
			s.on('close', () => {
				open.delete(s);
				(s === up ? down : up).end();
			});
		}
		down.on('data', (d) => up.write(d));
		up.on('data', (d) => {
			const wait = rng() < share;
			path.stalls += wait;
			queue = queue.then(() => wait && new Promise((r) =>
				setTimeout(r, stall_ms))).then(() =>
				!down.destroyed && down.write(d));
		});
	});
	await new Promise((r) => server.listen(0, '127.0.0.1', r));
	path.port = server.address().port;
	path.close = () => {
		server.close();
		for (const s of open) s.destroy();
	};
	return path;
}
