/* The client's files by themselves: words, icons, and what a strict page may
 * not contain. */
import {readFileSync, readdirSync} from 'node:fs';
import {join} from 'node:path';
import {is, ok, root, test} from './lib.mjs';

const www = join(root, 'lib/web/www');
const files = readdirSync(www);
const read = (f) => readFileSync(join(www, f), 'utf8');
/* The number of the others, or of all with the one who is named. */
const vars = (s) => (s.match(/\{\w+\}/g) || [])
	.map((v) => v.replace('{all}', '{n}')).sort();

await test(async () => {
	const table = async (f) => (await import(join(www, f))).default;
	const now = await table('words-en.js'), later =
		await table('later-en.js');
	const en = {...now, ...later};
	const zh = {...await table('words-zh.js'),
		...await table('later-zh.js')};
	const keys = Object.keys(en);

	is(Object.keys(later).filter((k) => k in now), [],
		'no word is in two tables');

	is(Object.keys(zh), keys, 'both tables have the same keys');
	is(keys.filter((k) => `${vars(en[k])}` != `${vars(zh[k])}`), [],
		'and the same variables');
	is(keys.filter((k) => /!/.test(en[k] + zh[k]) || /！/.test(zh[k])), [],
		'no exclamation marks');

	const code = files.filter((f) => f.endsWith('.js') &&
		!/^(words|later)-/.test(f)).map(read).join('\n');
	const quoted = new Set([...code.matchAll(/['`](\w+)['`]/g)]
		.map((m) => m[1]));
	const begun = [...code.matchAll(/`(\w+_)\$\{/g)].map((m) => m[1]);
	const ended = [...code.matchAll(/\$\{\w+\}(_\w+)`/g)].map((m) => m[1]);
	is(keys.filter((k) => !quoted.has(k) &&
		!begun.some((b) => k.startsWith(b)) &&
		!ended.some((e) => k.endsWith(e))), [], 'every word is used');
	const asked = [...code.matchAll(/\btn?\('(\w+)'/g)].map((m) => m[1]);
	is(asked.filter((k) => !(k in en)), [], 'every word asked for is there');
	ok(asked.length > 80, 'the words asked for were found');

	const names = {join: 'Join', mute: 'Mute', unmute: 'Unmute',
		start_camera: 'Start camera', stop_camera: 'Stop camera',
		leave: 'Leave', message: 'Message', participants: 'Participants',
		messages: 'Messages'};
	is(Object.keys(names).filter((k) => en[k] !== names[k]), [],
		'the names that others rely on');

	ok(!/innerHTML|outerHTML|insertAdjacent|document\.write|\beval\b/
		.test(code), 'no markup is ever parsed');
	/* The build leaves them out, by lines. */
	is(files.filter((f) => /\.(js|css)$/.test(f) && read(f).split('\n')
		.some((l) => /\S\s*\/\*(?!.*\*\/)|\*\/\s*\S/.test(l))), [],
	'no comment shares its lines with code');
	const html = read('index.html');
	ok(!/ style=|<style| on\w+=/.test(html) &&
		!/<script(?![^>]* src=)/.test(html), 'nothing inline in the page');

	const symbols = new Set([...read('icons.svg').matchAll(/id="(\w+)"/g)]
		.map((m) => m[1]));
	const drawn = [...code.matchAll(/\bicon\('(\w+)'|icon: '(\w+)'/g)]
		.map((m) => m[1] || m[2]);
	is(drawn.filter((id) => !symbols.has(id)), [], 'every icon is there');
	is([...symbols].filter((id) => !quoted.has(id) &&
		!/^(mic|cam)off$/.test(id)), [], 'and is used');
});
