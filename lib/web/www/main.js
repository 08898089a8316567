/* main - starts the page: words, theme, and the way from page to page. */
import { App } from './app.js';
import { el } from './dom.js';
import { loadWords, t } from './i18n.js';
import { joinPage } from './join.js';
import { gonePage } from './gone.js';

const theme = localStorage.getItem('confkit.theme');
if (theme) document.documentElement.dataset.theme = theme;

function put(view) {
	document.body.replaceChildren(...view.nodes);
	view.shown?.();
	return view;
}

const pages = {
	join(app) {
		const view = put(joinPage(app));
		/* The room's modules come while the name is typed. */
		import('./room.js');
		return view;
	},
	wait: () => put({
		nodes: [el('main.wait', {}, el('span.spinner'), t('connecting'))],
		update() {},
	}),
	room: async app => put((await import('./room.js')).roomPage(app)),
	gone: (app, why, detail) => put(gonePage(app, why, detail)),
};

/* A link pasted over the open page changes only the fragment. */
const token = () => /^#t=(.+)$/.exec(location.hash)?.[1] ?? '';
addEventListener('hashchange', () => { if (token()) location.reload(); });

await loadWords();
const [, meeting = ''] = /\/m\/([^/]+)$/.exec(location.pathname) ?? [];
new App(meeting, pages).start(token());
