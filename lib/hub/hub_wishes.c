/* Settings that can change while confd-signal runs, see hub_wishes.h. */
#include <stdio.h>
#include "hub_priv.h"
#include "hub_wishes.h"

static const struct {
	const char *key;
	size_t max;
} rows[HUB_WISHES] = {
	[HUB_URL] = {"url", 1},
	[HUB_CERT] = {"tls-cert", 1},
	[HUB_CERT_KEY] = {"tls-key", 1},
	[HUB_ORIGIN] = {"allow-origin", 16},
	[HUB_FRAME] = {"frame-ancestors", 16},
	[HUB_TRUST] = {"trust-proxy", CONF_MAX_WORDS},
};

PRINTF(2, 3)
static int bad(char why[HUB_WHY_CAP], const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, HUB_WHY_CAP, fmt, ap);
	va_end(ap);
	return 2;
}

static int add(struct conf_words *w, const char *word)
{
	if (w->n == CONF_MAX_WORDS)
		return -E2BIG;
	w->v[w->n] = strdup(word);
	if (!w->v[w->n])
		return -ENOMEM;
	w->n++;
	return 0;
}

static int add_several(struct conf_words *w, size_t max, const char *list)
{
	struct conf_words more;
	int err = conf_words(&more, list);

	if (!err && !more.n)
		err = -EINVAL;
	for (size_t i = 0; !err && i < more.n; i++)
		err = w->n == max ? -E2BIG : add(w, more.v[i]);
	conf_words_free(&more);
	return err;
}

int hub_wish(struct hub_wishes *w, enum hub_wish which, const char *word)
{
	struct conf_words *words = &w->words[which];

	if (which == HUB_FRAME)
		return add_several(words, rows[which].max, word);
	if (rows[which].max == 1)
		conf_words_free(words);
	return words->n == rows[which].max ? -E2BIG : add(words, word);
}

int hub_wishes_read(struct hub_wishes *w, const char *path,
	char why[HUB_WHY_CAP])
{
	struct buf text = {0};
	char words[CONF_WHY_CAP] = "out of memory";
	struct conf *c = NULL;
	int err = io_file_read(path, CONF_MAX_BYTES, false, &text);

	hub_wishes_free(w);
	if (err)
		snprintf(words, sizeof(words), "cannot read '%.180s': %s",
			path, strerror(-err));
	else
		c = conf_parse(text.data, text.len, path, words);
	buf_free(&text);
	for (size_t i = 0; c && !err && i < HUB_WISHES; i++) {
		const char *v = conf_get(c, "signal", rows[i].key);

		err = v ? conf_words(&w->words[i], v) : 0;
		if (!err && w->words[i].n > rows[i].max)
			err = -E2BIG;
		if (err && err != -ENOMEM)
			conf_bad(c, "signal", rows[i].key, words, err ==
				-E2BIG ? "more words than %zu" :
				"not a list of words", rows[i].max);
	}
	if (c && !err) {
		conf_free(c);
		return 0;
	}
	conf_free(c);
	return bad(why, "%s", words);
}

/* "none" alone, or origins and "self", with the quotes of CSP or without. */
static int check_frames(struct conf_words *w, char why[HUB_WHY_CAP])
{
	for (size_t i = 0; i < w->n; i++) {
		char *s = w->v[i];

		if (str_eq(s, "'self'") || str_eq(s, "'none'")) {
			memmove(s, s + 1, 4);
			s[4] = '\0';
		}
		if (str_eq(s, "none") && w->n > 1)
			return bad(why, "'none' goes with nobody else who may "
				"frame the page");
		if (!str_eq(s, "self") && !str_eq(s, "none") &&
			!hub_is_origin(s))
			return bad(why, "not an origin, self or none: "
				"'%.200s'", s);
	}
	return 0;
}

int hub_wishes_check(struct hub_wishes *w, bool tls, const char *path,
	char why[HUB_WHY_CAP])
{
	const struct conf_words *origins = &w->words[HUB_ORIGIN];
	const struct conf_words *trust = &w->words[HUB_TRUST];
	const char *url = hub_wished(w, HUB_URL);
	const char *cert = hub_wished(w, HUB_CERT);
	char origin[HUB_URL_CAP];

	for (size_t i = 0; i < origins->n; i++)
		if (!hub_is_origin(origins->v[i]))
			return bad(why, "not an origin: '%.200s'",
				origins->v[i]);
	if (check_frames(&w->words[HUB_FRAME], why))
		return 2;
	for (size_t i = 0; i < trust->n; i++)
		if (!web_is_network(trust->v[i]))
			return bad(why, "not a network: '%.200s'",
				trust->v[i]);
	if (!cert != !hub_wished(w, HUB_CERT_KEY))
		return bad(why, "tls-cert and tls-key go together");
	if (!tls && cert)
		return bad(why, "TLS that is off goes with no certificate");
	if (!url)
		return 0;
	if (hub_base(url, w->base, origin))
		return bad(why, "not a base of links: '%.200s'", url);
	if (path && hub_base_path(w->base, path))
		return bad(why, "'%.100s' below '%.100s' is too long", path,
			url);
	return add(&w->words[HUB_ORIGIN], origin) ? bad(why, "out of memory") :
		0;
}

int hub_wishes_cert(const struct hub_wishes *w, const char *state_dir,
	struct cert **out, char why[HUB_WHY_CAP])
{
	const char *path = hub_wished(w, HUB_CERT);

	*out = path ? hub_cert_read(path, hub_wished(w, HUB_CERT_KEY), why) :
		hub_cert_own(state_dir, why);
	if (*out)
		return 0;
	return path || errno == EINVAL || errno == EACCES ? 2 : 3;
}

const char *hub_wished(const struct hub_wishes *w, enum hub_wish which)
{
	return w->words[which].v[0];
}

void hub_wishes_fill(const struct hub_wishes *w, const char *own,
	struct hub_config *c)
{
	c->url = *w->base ? w->base : own;
	c->origins = (const char *const *)w->words[HUB_ORIGIN].v;
	c->frames = (const char *const *)w->words[HUB_FRAME].v;
	c->trust = (const char *const *)w->words[HUB_TRUST].v;
}

void hub_wishes_free(struct hub_wishes *w)
{
	for (size_t i = 0; i < HUB_WISHES; i++)
		conf_words_free(&w->words[i]);
	*w->base = '\0';
}
