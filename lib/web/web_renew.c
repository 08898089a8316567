/* What may change while connections are open: the certificate, whose pages
 * may connect, which proxies are believed. */
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

int web_renewal(struct web *w, const struct web_config *c, char why[160])
{
	size_t n = count(c->trust);
	struct web_net *trust = calloc(n + 1, sizeof(*trust));
	char **origins = copy_words(c->origins);
	SSL_CTX *tls = NULL;
	int err = trust && origins ? 0 : -ENOMEM;

	snprintf(why, 160, "out of memory");
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
		return err;
	}
	/* Connections hold the context that they began with. */
	SSL_CTX_free(w->tls);
	web_words_free(w->origins);
	free(w->trust);
	w->tls = tls;
	w->origins = origins;
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
