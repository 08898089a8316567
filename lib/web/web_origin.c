/* Whose page may open a WebSocket: the browser's Origin against the
 * request's own host and the configured list. Pure. */
#include <ctype.h>
#include <strings.h>
#include "web_priv.h"

bool web_host_ok(const char *host)
{
	if (!host || !*host || strlen(host) > 255)
		return false;
	for (const char *p = host; *p; p++)
		if (!isalnum((unsigned char)*p) && !strchr(".-_:[]", *p))
			return false;
	return true;
}

bool web_origin_ok(const char *origin, const char *host, bool tls,
	char *const *list)
{
	const char *scheme = tls ? "https://" : "http://";
	size_t n = strlen(scheme);

	/* Browsers always send one; who sends none is no browser, cannot be
	 * tricked by a page, and authenticates by its token all the same. */
	if (!origin)
		return true;
	for (; list && *list; list++)
		if (!strcasecmp(origin, *list))
			return true;
	return web_host_ok(host) && !strncasecmp(origin, scheme, n) &&
		!strcasecmp(origin + n, host);
}

const char *web_below(const char *path, const char *base)
{
	size_t n = strlen(base);

	if (!path || strncmp(path, base, n) != 0)
		return NULL;
	return path[n] == '/' || !path[n] ? path + n : NULL;
}

bool web_is_base(const char *s)
{
	/* No dots, no escapes, no double slash, none at the end: what nobody
	 * on the way can write in another manner. */
	for (const char *p = s; *p; p++)
		if (*p == '/' ? !isalnum((unsigned char)p[1]) :
			!isalnum((unsigned char)*p) && !strchr("-_", *p))
			return false;
	return (!*s || *s == '/') && strlen(s) < WEB_BASE_CAP;
}

bool web_is_network(const char *s)
{
	struct web_net net;

	return web_net_parse(&net, s) == 0;
}

bool web_has_token(const char *value, const char *token)
{
	size_t n = strlen(token);

	while (value && *value) {
		size_t span;

		value += strspn(value, " \t,");
		span = strcspn(value, " \t,");
		if (span == n && !strncasecmp(value, token, n))
			return true;
		value += span;
	}
	return false;
}
