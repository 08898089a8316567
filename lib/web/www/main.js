/* main - starts the page: words, theme, and the pages there are. */
import { App } from './app.js';
import { el } from './dom.js';
import { loadWords, t } from './i18n.js';
import { joinPage } from './join.js';
import { forEver } from './keep.js';

const theme = forEver.getItem('confkit.theme');
if (theme) document.documentElement.dataset.theme = theme;

/* What comes next is loaded while this page is looked at: who has lost the
 * network loads nothing more. */
const ahead = () => {
	import('./room.js');
	import('./gone.js');
};

const pages = {
	join(app) {
		ahead();
		return joinPage(app);
	},
	wait() {
		ahead();
		return { update() {}, nodes: [el('main.wait', {},
			el('span.spinner'), t('connecting'))] };
	},
	room: async app => (await import('./room.js')).roomPage(app),
	gone: async (...all) => (await import('./gone.js')).gonePage(...all),
};

/* A link pasted over the open page changes only the fragment. */
const token = () => /^#t=(.+)$/.exec(location.hash)?.[1] ?? '';
addEventListener('hashchange', () => { if (token()) location.reload(); });

await loadWords();
const [, meeting = ''] = /\/m\/([^/]+)$/.exec(location.pathname) ?? [];
const app = new App(meeting, pages);
if (parent !== window) import('./embed.js').then(({ embed }) => embed(app));
app.start(token());
