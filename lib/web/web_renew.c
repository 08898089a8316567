/* What may change while connections are open: the certificate, whose pages
 * may connect or frame ours, which proxies are believed. */
#include <stdio.h>
#include "web_priv.h"

void web_words_free(char **list)
{
	for (size_t i = 0; list && list[i]; i++)
		free(list[i]);
	free(list);
}

static size_t count(const char *const *list)
{
	size_t n = 0;

	while (list && list[n])
		n++;
	return n;
}

static char **copy_words(const char *const *list)
{
	size_t n = count(list);
	char **copy = calloc(n + 1, sizeof(*copy));

	for (size_t i = 0; copy && i < n; i++)
		if (!(copy[i] = strdup(list[i]))) {
			web_words_free(copy);
			return NULL;
		}
	return copy;
}

char *web_frames(const char *const *list)
{
	struct buf b = {0};

	for (size_t i = 0; list && list[i]; i++) {
		const char *s = list[i];
		const char *quote = str_eq(s, "self") || str_eq(s, "none") ?
			"'" : "";

		if (!*s || strpbrk(s, " \t\r\n;,'")) {
			buf_free(&b);
			errno = EINVAL;
			return NULL;
		}
		buf_printf(&b, "%s%s%s%s", i ? " " : "", quote, s, quote);
	}
	if (!b.len)
		buf_puts(&b, "'none'");
	if (buf_cstr(&b))
		return (char *)b.data;
	buf_free(&b);
	errno = ENOMEM;
	return NULL;
}

int web_renewal(struct web *w, const struct web_config *c, char why[160])
{
	size_t n = count(c->trust);
	struct web_net *trust = calloc(n + 1, sizeof(*trust));
	char **origins = copy_words(c->origins);
	char *frames = web_frames(c->frames);
	SSL_CTX *tls = NULL;
	int err = frames ? 0 : -errno;

	snprintf(why, 160, err == -EINVAL ? "not a page that may frame ours" :
		"out of memory");
	err = err || (trust && origins) ? err : -ENOMEM;
	for (size_t i = 0; !err && i < n; i++) {
		err = web_net_parse(&trust[i], c->trust[i]);
		if (err)
			snprintf(why, 160, "not a network: '%.100s'",
				c->trust[i]);
	}
	if (!err && c->cert && !(tls = web_tls_new(c->cert))) {
		err = -errno;
		snprintf(why, 160, "cannot use the certificate for TLS");
	}
	if (err) {
		free(trust);
		web_words_free(origins);
		free(frames);
		return err;
	}
	/* Connections hold the context that they began with. */
	SSL_CTX_free(w->tls);
	web_words_free(w->origins);
	free(w->frames);
	free(w->trust);
	w->tls = tls;
	w->origins = origins;
	w->frames = frames;
	w->trust = trust;
	w->n_trust = n;
	return 0;
}

int web_renew(struct web *w, const struct web_config *c, char why[160])
{
	if (!c->cert != !w->tls) {
		snprintf(why, 160, "TLS cannot be turned on or off");
		return -EINVAL;
	}
	return web_renewal(w, c, why);
}
