/* news - what others did, told once: a toast where it helps, a sentence for
 * screen readers, and the count of messages that nobody has seen. */
import { bdi, plain } from './dom.js';
import { t, tn } from './i18n.js';
import { isOn } from './keep.js';
import { load } from './load.js';

/* In larger meetings nobody wants to see each who joins. */
const MANY = 10;
const SPOKEN = 200;

export class News {
	unread = 0;
	/* The first of them, or the last first one while the chat is open. */
	first = null;
	#app; #room; #came = [];

	constructor(app, room) {
		this.#app = app;
		this.#room = room;
	}

	/* `before` is the user as it was. */
	happened(event, before) {
		const { model } = this.#app;
		const { type, data } = event;
		const user = data.user === model.me ? null
			: model.users.get(data.user) ?? before;
		if (type === 'chat.said') this.#said(event);
		else if (!user) return;
		else if (type === 'user.joined') this.#joined(user);
		else if (type === 'user.left' || type === 'user.kicked')
			this.#say('left', { name: plain(user.name) });
		else if (type === 'user.hand' && data.up) this.#raised(user);
	}

	#say(kind, vars) {
		this.#room.announcer.say(t(kind, vars),
			{ kind: kind === 'raised' ? 'hands' : kind });
	}

	/* `switch` is the kind in the settings that lets it be shown. */
	#show(kind, toast) {
		if (!isOn(`say.${kind}`) || !this.#room.toasts.show(toast)) return;
		if (isOn('tone', 'off'))
			load('tone').then(m => m.tone(), () => {});
	}

	#joined({ name }) {
		this.#say('came', { name: plain(name) });
		if (this.#app.model.users.size > MANY) return;
		if (!this.#room.toasts.shows('joined')) this.#came = [];
		this.#came.push(name);
		const [first] = this.#came, all = this.#came.length;
		this.#show('came', { key: 'joined', icon: 'people', title: all === 1
			? tn('came', { name }) : tn('came_many',
				{ name: first, n: all - 1, all }) });
	}

	#raised({ user, name }) {
		const { model } = this.#app;
		const n = model.hand(user);
		this.#say('raised', { name: plain(name), n });
		if (model.moderator) this.#show('hands', { key: `hand-${user}`,
			user, name, title: tn('raised', { name, n }) });
	}

	#said({ seq }) {
		const room = this.#room;
		const row = this.#app.model.chat.find(r => r.seq === seq);
		if (!row || row.mine) return;
		const text = plain(row.text).slice(0, SPOKEN);
		room.announcer.say(`${row.to ? `${t('only_you')}. ` : ''}${
			plain(row.name)}: ${text}`, { kind: 'chat' });
		if (room.panels.open === 'chat') return;
		this.unread++;
		this.first ??= row;
		this.#show('chat', { key: `chat-${row.user}`,
			user: row.user || row.name, name: row.name,
			title: [bdi(row.name), ' ',
				t(row.to ? 'to_you' : 'to_everyone')], text,
			action: { word: t('reply'), run: () => room.write(
				row.to ? row.user : '') } });
	}
}
