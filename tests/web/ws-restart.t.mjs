// confd-signal killed and started again: sessions, seats and chat are there,
// and who follows the log misses nothing and gets nothing twice.
import {is, ok, sleep, test, until} from './lib.mjs';
import {meeting, op, start, user} from './signal.mjs';

await test(async () => {
	const s = await start();
	let o = await op(s);
	const link = await meeting(o, 'hello');
	const all = await op(s); // follows everything by pos
	await all.call('events.follow', {since: 0});

	const ann = await user(s, await link('moderator', 'Ann'), '');
	const handed = await link();
	const ben = await user(s, handed, 'Ben');
	const cat = await user(s, handed, 'Cat');
	await ann.call('user.mute', {user: ben.user});
	await ann.call('chat.say', {text: 'private', to: cat.user});

	// Chat from two sides while the daemon is killed again and again; what
	// was answered must be there, once and in order, whoever reads it.
	const people = [ann, ben], said = [[], []], log = [[], []];
	let running = true;
	const follow = (p) => {
		log[p].push(...people[p].events);
		return Math.max(0, ...log[p].map((e) => e.seq ?? 0));
	};
	const speak = async (p) => {
		for (let n = 0; running; n++) {
			const text = `${p}-${n}`;
			try {
				await people[p].call('chat.say', {text});
				said[p].push(text);
			} catch (e) {
				if (e.kind === 'limit') {
					await sleep(300);
					continue;
				}
				const since = follow(p);
				const {session} = people[p];
				people[p] = await until(10, async () => {
					const c = await user(s, {session});
					await c.call('user.join');
					await c.call('events.follow', {since});
					return c;
				}, 20);
			}
		}
	};
	const speakers = [speak(0), speak(1)];
	for (let i = 0; i < 5; i++) {
		await sleep(150 + 50 * i);
		await s.crash();
	}
	/* Both are back, whether or not they had to wait when it fell. */
	const so = said.map((all) => all.length);
	await until(10, () => said.every((all, p) => all.length > so[p]));
	running = false;
	await Promise.all(speakers);
	o = await op(s);
	const end = (await o.call('meeting.show', {meeting: 'hello'}))
		.meeting.seq;
	ok(said[0].length > 20 && said[1].length > 20,
		`something was said (${said[0].length}, ${said[1].length})`);

	const read = [];
	for (let since = 0, more = true; more;) {
		const page = await o.call('events.read', {meeting: 'hello', since});
		read.push(...page.events);
		({seq: since, more} = page);
	}
	is(read.map((e) => e.seq), read.map((_, i) => i + 1),
		'the log has no gap');
	const chat = read.filter((e) => e.type === 'chat.said')
		.map((e) => e.data.text);
	for (const p of [0, 1]) {
		const mine = chat.filter((t) => t.startsWith(`${p}-`));
		is(said[p].filter((t) => !mine.includes(t)), [],
			`speaker ${p}: what was answered is in the log`);
		is(mine, [...mine].sort((a, b) => a.split('-')[1] -
			b.split('-')[1]), `speaker ${p}: in order`);
		is(new Set(mine).size, mine.length, `speaker ${p}: once`);
		await until(5, () => people[p].events.at(-1)?.seq === end);
		follow(p);
		const seqs = log[p].map((e) => e.seq).filter(Boolean);
		is(new Set(seqs).size, seqs.length,
			`follower ${p}: nothing twice`);
		is(seqs, [...seqs].sort((a, b) => a - b),
			`follower ${p}: in order`);
		const visible = read.filter((e) => e.seq > seqs[0] &&
			!e.type.startsWith('link.') || e.seq === seqs[0]);
		const wanted = p === 0 ? read.filter((e) => e.seq >= seqs[0]) :
			visible.filter((e) => e.data.to === undefined);
		is(seqs, wanted.map((e) => e.seq),
			`follower ${p}: nothing missing`);
	}
	const positions = [...all.events].map((e) => e.pos);
	is(positions, positions.map((_, i) => i + 1), 'by pos likewise');

	// What is folded from the log.
	const {users} = await o.call('user.list', {meeting: 'hello'});
	is(users.map((u) => u.name).sort(), ['Ann', 'Ben', 'Cat'],
		'the seats are there');
	is(users.find((u) => u.name === 'Ben').held, true,
		'what a moderator did still holds');
	const snapshot = await people[0].call('user.join');
	ok(snapshot.chat.length === 100, 'the chat is there');
	is(snapshot.chat.at(-1).data.text, chat.at(-1), 'to its last word');

	// Cat's connection was lost and she did not come back: away after the
	// grace of a start, not before.
	is(users.find((u) => u.name === 'Cat').away, false,
		'a seat is not away at once after a start');
	const since = (await o.call('events.follow', {meeting: 'hello'})).seq;
	ok(since > 0 && await o.saw('user.away', (d) => d.user === cat.user,
		14), 'who does not come back is away');

	// A restart by SIGTERM tells clients to come back.
	const before = people[1];
	await s.restart();
	is((await before.closed).code, 1012, 'a drain closes with 1012');
	is((await user(s, {session: before.session})).user, before.user,
		'sessions survive it too');
	is(await s.stop(), 0, 'a clean end');
	ok(!/ERROR|runtime error/.test(s.log), 'no complaint', s.log);
});
