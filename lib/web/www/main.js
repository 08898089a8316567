/* main - starts the page: words, theme, and the pages there are. */
import { App } from './app.js';
import { el } from './dom.js';
import { loadWords, t } from './i18n.js';
import { joinPage } from './join.js';
import { gonePage } from './gone.js';
import { forEver } from './keep.js';

const theme = forEver.getItem('confkit.theme');
if (theme) document.documentElement.dataset.theme = theme;

const pages = {
	join(app) {
		/* The room's modules come while the name is typed. */
		import('./room.js');
		return joinPage(app);
	},
	wait: () => ({ update() {}, nodes: [el('main.wait', {},
		el('span.spinner'), t('connecting'))] }),
	room: async app => (await import('./room.js')).roomPage(app),
	gone: gonePage,
};

/* A link pasted over the open page changes only the fragment. */
const token = () => /^#t=(.+)$/.exec(location.hash)?.[1] ?? '';
addEventListener('hashchange', () => { if (token()) location.reload(); });

await loadWords();
const [, meeting = ''] = /\/m\/([^/]+)$/.exec(location.pathname) ?? [];
new App(meeting, pages).start(token());
