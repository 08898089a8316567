/* people.mjs ADDR - people on the WebSocket of a running server, for shell
 * tests. Reads commands, one on each line, and answers each with one line:
 *
 *   hello WHO token|session VALUE   "ok USER ROLE SESSION", or the reason
 *   join WHO NAME                   "ok USER", or the kind of the error
 *   ask WHO METHOD [JSON]           the result, or "!KIND"
 *   saw WHO TYPE                    data of such an event within 5 s, or "-"
 *   ended WHO                       the close code within 5 s, or "-"
 *   close WHO                       "ok"
 *   sign KEY HEADER CLAIMS          a token; KEY in hex, the others JSON
 *   alter TOKEN                     "TRIED ACCEPTED": each of its bytes
 *                                   changed, doubled or taken out
 */
import process from 'node:process';
import {createInterface} from 'node:readline';
import {createHmac} from 'node:crypto';
import {connect} from './signal.mjs';
import {until} from './lib.mjs';

const server = {ws: `wss://${process.argv[2]}/ws`};
const people = new Map();

const b64 = (s) => Buffer.from(s).toString('base64url');
const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz' +
	'0123456789-_';

/* Each byte: the next letter of the alphabet, a letter far from it, a
 * character of no token, doubled, gone. */
function* altered(token)
{
	for (let i = 0; i < token.length; i++) {
		const before = token.slice(0, i), after = token.slice(i + 1);
		const at = LETTERS.indexOf(token[i]);

		for (const other of [LETTERS[(at + 1) % 64],
			LETTERS[(at + 33) % 64], '=', token[i] + token[i], ''])
			yield before + other + after;
	}
}

async function accepted(token)
{
	const answer = await verbs.hello('nobody', 'token', token);

	if (answer.startsWith('ok')) people.get('nobody').close();
	return answer.startsWith('ok');
}

const verbs = {
	async hello(who, key, value) {
		const c = await connect(server, {rejectUnauthorized: false});

		people.set(who, c);
		try {
			const r = await c.call('hello', {protocol: [1],
				agent: 'people/1', role: 'client', caps: [],
				[key]: value});
			return `ok ${r.user} ${r.role} ${r.session ?? '-'}`;
		} catch (e) {
			c.close();
			return e.data?.reason ?? e.kind;
		}
	},
	async join(who, ...name) {
		const c = people.get(who);
		const r = await c.call('user.join', {name: name.join(' ')});

		await c.call('events.follow', {since: r.seq});
		return `ok ${r.user.user}`;
	},
	async ask(who, method, ...params) {
		return JSON.stringify(await people.get(who).call(method,
			JSON.parse(params.join(' ') || '{}')));
	},
	async saw(who, type) {
		const e = await people.get(who).saw(type);

		return e ? JSON.stringify(e.data) : '-';
	},
	async ended(who) {
		const c = people.get(who);

		await until(5, () => c.ended);
		return c.ended?.code ?? '-';
	},
	async sign(key, header, claims) {
		const text = `${b64(header)}.${b64(claims)}`;

		return `${text}.${createHmac('sha256', Buffer.from(key, 'hex'))
			.update(text).digest('base64url')}`;
	},
	async alter(token) {
		let tried = 0, count = 0, batch = [];

		for (const t of altered(token)) {
			batch.push(accepted(t));
			tried++;
			if (batch.length < 16) continue;
			count += (await Promise.all(batch)).filter(Boolean).length;
			batch = [];
		}
		count += (await Promise.all(batch)).filter(Boolean).length;
		return `${tried} ${count}`;
	},
	async close(who) {
		people.get(who).close();
		people.delete(who);
		return 'ok';
	},
};

for await (const line of createInterface({input: process.stdin})) {
	const [verb, ...words] = line.split(' ');
	const answer = await verbs[verb](...words).catch((e) =>
		verb === 'ask' ? `!${e.kind}` : e.kind ?? `failed: ${e.message}`);

	process.stdout.write(`${answer}\n`);
}
process.exit(0);
