/* main - starts the page: words, theme, and the pages there are. What the
 * page before the meeting is made of is named in index.html, so that all of
 * it comes at once; words begin to come as soon as this is here. */
import { el } from './dom.js';
import { loadWords, t } from './i18n.js';
import { forEver } from './keep.js';

const words = loadWords();
const theme = forEver.getItem('confkit.theme');
if (theme) document.documentElement.dataset.theme = theme;

/* What comes later comes while the name is typed: the room, and the page
 * after it, which has to be here when the server no longer is. */
const room = () => import('./room.js');
const gone = () => import('./gone.js');
const later = () => setTimeout(() => { room(); gone(); });

const [{ App }, { joinPage }] = await Promise.all(
	[import('./app.js'), import('./join.js'), words]);
const pages = {
	join(app) {
		later();
		return joinPage(app);
	},
	wait() {
		later();
		return { update() {}, nodes: [el('main.wait', {},
			el('span.spinner'), t('connecting'))] };
	},
	room: async app => (await room()).roomPage(app),
	gone: async (...why) => (await gone()).gonePage(...why),
};

/* A link pasted over the open page changes only the fragment. */
const token = () => /^#t=(.+)$/.exec(location.hash)?.[1] ?? '';
addEventListener('hashchange', () => { if (token()) location.reload(); });

const [, meeting = ''] = /\/m\/([^/]+)$/.exec(location.pathname) ?? [];
const app = new App(meeting, pages);
if (parent !== window) import('./embed.js').then(({ embed }) => embed(app));
app.start(token());
