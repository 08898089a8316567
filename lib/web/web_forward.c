/* Whom to believe about where a request comes from, see web_forward_priv.h. */
#include <arpa/inet.h>
#include <ctype.h>
#include <strings.h>
#include "web_priv.h"

#define ELEMENTS 32 /* of a Forwarded header; no chain of proxies is longer */

/* --- Addresses ----------------------------------------------------------- */

/* An IPv4 address that an IPv6 socket shows is an IPv4 address. */
static void unmap(union io_addr *a)
{
	union io_addr v4 = {.in4 = {.sin_family = AF_INET}};

	if (a->sa.sa_family != AF_INET6 ||
		!IN6_IS_ADDR_V4MAPPED(&a->in6.sin6_addr))
		return;
	v4.in4.sin_port = a->in6.sin6_port;
	memcpy(&v4.in4.sin_addr, a->in6.sin6_addr.s6_addr + 12, 4);
	*a = v4;
}

static int host_parse(union io_addr *out, const char *s, bool v6)
{
	*out = (union io_addr){.sa = {.sa_family = v6 ? AF_INET6 : AF_INET}};
	if (inet_pton(v6 ? AF_INET6 : AF_INET, s, v6 ?
		(void *)&out->in6.sin6_addr : (void *)&out->in4.sin_addr) != 1)
		return -EINVAL;
	unmap(out);
	return 0;
}

static const uint8_t *bytes_of(const union io_addr *a, unsigned *bits)
{
	bool v6 = a->sa.sa_family == AF_INET6;

	*bits = v6 ? 128 : 32;
	return v6 ? a->in6.sin6_addr.s6_addr :
		(const uint8_t *)&a->in4.sin_addr;
}

/* Whether a and b are alike in bits from to to. */
static bool same_bits(const uint8_t *a, const uint8_t *b, unsigned from,
	unsigned to)
{
	for (unsigned i = from; i < to; i++)
		if ((a[i / 8] ^ b[i / 8]) & 0x80 >> i % 8)
			return false;
	return true;
}

int web_net_parse(struct web_net *out, const char *s)
{
	static const uint8_t zeros[16];
	const char *slash = strchr(s, '/');
	char host[INET6_ADDRSTRLEN + 1];
	size_t n = slash ? (size_t)(slash - s) : strlen(s);
	uint64_t bits = 0;
	unsigned all;

	if (n >= sizeof(host))
		return -EINVAL;
	memcpy(host, s, n);
	host[n] = '\0';
	bool v6 = strchr(host, ':');
	if (host_parse(&out->addr, host, v6) < 0)
		return -EINVAL;
	const uint8_t *bytes = bytes_of(&out->addr, &all);

	/* The prefix of an IPv4 address that is written as an IPv6 one. */
	unsigned off = v6 && all == 32 ? 96 : 0;

	if (slash && str_u64(slash + 1, off, all + off, &bits) < 0)
		return -EINVAL;
	out->bits = slash ? (unsigned)bits - off : all;
	return same_bits(bytes, zeros, out->bits, all) ? 0 : -EINVAL;
}

bool web_nets_have(const struct web_net *nets, size_t n,
	const union io_addr *a)
{
	unsigned bits;
	const uint8_t *bytes = bytes_of(a, &bits);

	if (a->sa.sa_family != AF_INET && a->sa.sa_family != AF_INET6)
		return false;
	for (size_t i = 0; i < n; i++)
		if (nets[i].addr.sa.sa_family == a->sa.sa_family &&
			same_bits(bytes, bytes_of(&nets[i].addr, &bits), 0,
				nets[i].bits))
			return true;
	return false;
}

/* --- Words of headers ---------------------------------------------------- */

struct word {
	const char *p; /* NULL: not there */
	size_t n;
	bool quoted;   /* without its quotes, but with backslashes */
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static struct word trimmed(const char *p, size_t n)
{
	while (n && is_blank(*p))
		p++, n--;
	while (n && is_blank(p[n - 1]))
		n--;
	return (struct word){.p = p, .n = n};
}

/* The last element of the n bytes of a list; *n becomes what stands before
 * it. False when none is left. Empty ones are none (RFC 9110 5.6.1). */
static bool last_element(const char *list, size_t *n, struct word *out)
{
	while (*n) {
		size_t from = *n;

		while (from && list[from - 1] != ',')
			from--;
		*out = trimmed(list + from, *n - from);
		*n = from ? from - 1 : 0;
		if (out->n)
			return true;
	}
	return false;
}

/* A copy, without the backslashes of a quoted string. */
static int word_copy(char *out, size_t cap, struct word w)
{
	size_t at = 0;

	for (size_t i = 0; i < w.n; i++) {
		if (w.quoted && w.p[i] == '\\' && i + 1 < w.n)
			i++;
		if (at + 1 >= cap || !w.p[i])
			return -EINVAL;
		out[at++] = w.p[i];
	}
	out[at] = '\0';
	return 0;
}

/* ":PORT", also one that is hidden as RFC 7239 section 6.3 has it, or
 * nothing. */
static int port_parse(union io_addr *a, const char *s)
{
	uint64_t port = 0;

	if (!*s)
		return 0;
	if (*s++ != ':' || !*s || strlen(s) > 32)
		return -EINVAL;
	if (*s == '_') {
		while (isalnum((unsigned char)*s) || (*s && strchr("._-", *s)))
			s++;
		return *s ? -EINVAL : 0;
	}
	if (str_u64(s, 0, 65535, &port) < 0)
		return -EINVAL;
	io_addr_set_port(a, (uint16_t)port);
	return 0;
}

/* An address with or without a port; IPv6 with or without brackets. */
static int node_parse(union io_addr *out, struct word w)
{
	char text[96], *host = text, *rest;
	int err = word_copy(text, sizeof(text), w);

	if (err)
		return err;
	bool bracket = *text == '[', v6 = bracket;

	if (bracket) {
		host++;
		rest = strchr(host, ']');
		if (!rest)
			return -EINVAL;
		*rest++ = '\0';
	} else {
		rest = strchr(text, ':');
		v6 = rest && strchr(rest + 1, ':');
		rest = !rest || v6 ? text + strlen(text) : rest;
	}
	char colon = *rest;

	*rest = '\0';
	if (host_parse(out, host, v6) < 0)
		return -EINVAL;
	*rest = colon;
	return port_parse(out, rest);
}

/* --- Forwarded ----------------------------------------------------------- */

struct element {
	struct word by[3]; /* for, proto, host */
};
enum { FOR, PROTO, HOST };

static bool is_token_char(char c)
{
	return isalnum((unsigned char)c) || (c && strchr("!#$%&'*+-.^_`|~",
		c));
}

static const char *skip_blanks(const char *p)
{
	while (is_blank(*p))
		p++;
	return p;
}

/* "name=value" at p into e; returns what stands behind it, NULL: malformed.
 * Values are taken more freely than tokens are, as proxies write them:
 * addresses without quotes. */
static const char *read_pair(const char *p, struct element *e)
{
	static const char *const names[] = {"for", "proto", "host"};
	const char *name = p;
	struct word w = {0};

	while (is_token_char(*p))
		p++;
	size_t n = (size_t)(p - name);

	if (!n || *p++ != '=')
		return NULL;
	w.quoted = *p == '"';
	w.p = p += w.quoted;
	while (w.quoted && *p && *p != '"')
		p += *p == '\\' && p[1] ? 2 : 1;
	while (!w.quoted && (is_token_char(*p) || (*p && strchr("[]:/", *p))))
		p++;
	w.n = (size_t)(p - w.p);
	if (w.quoted ? *p++ != '"' : !w.n)
		return NULL;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (n != strlen(names[i]) || strncasecmp(name, names[i], n))
			continue;
		if (e->by[i].p) /* at most once, says section 4 */
			return NULL;
		e->by[i] = w;
	}
	return p;
}

/* The last ELEMENTS of the list, in order; how many, or -EINVAL. */
static int read_forwarded(const char *p, struct element list[ELEMENTS])
{
	struct element e = {0};
	bool any = false;
	int n = 0;

	for (;; p++) {
		p = skip_blanks(p);
		if (*p != ',' && *p != ';' && *p) {
			p = read_pair(p, &e);
			if (!p)
				return -EINVAL;
			any = true;
			p = skip_blanks(p);
		}
		if (*p == ';')
			continue;
		if (*p && *p != ',')
			return -EINVAL;
		if (any && n == ELEMENTS) {
			n--;
			memmove(list, list + 1, (size_t)n * sizeof(*list));
		}
		if (any)
			list[n++] = e;
		if (!*p)
			return n;
		e = (struct element){0};
		any = false;
	}
}

/* --- The client ---------------------------------------------------------- */

struct walk {
	const struct web_net *trust;
	size_t n;
	union io_addr at; /* the last address that was believed */
};

/* One step to the left; false: here it ends. */
static bool step(struct walk *w, struct word node)
{
	union io_addr a;

	if (!node.p || node_parse(&a, node) < 0)
		return false;
	w->at = a;
	return web_nets_have(w->trust, w->n, &a);
}

static bool is_word(struct word w, const char *s)
{
	return w.p && w.n == strlen(s) && !strncasecmp(w.p, s, w.n);
}

static void scheme(struct web_client *c, struct word w)
{
	if (is_word(w, "https") || is_word(w, "wss"))
		c->tls = true;
	else if (is_word(w, "http") || is_word(w, "ws"))
		c->tls = false;
}

static int host(struct web_client *c, struct word w)
{
	if (word_copy(c->host, sizeof(c->host), w) < 0 || !web_host_ok(c->host))
		return -EINVAL;
	return 0;
}

static int by_forwarded(struct walk *w, struct web_client *c, const char *text)
{
	struct element list[ELEMENTS];
	int n = read_forwarded(text, list), at;
	bool more = true;

	if (n < 0)
		return n;
	/* Those of our own proxies, from the nearest on. An element without
	 * an address says no more than that there was somebody. */
	for (at = n - 1; at >= 0 && more; at--) {
		more = step(w, list[at].by[FOR]);
		scheme(c, list[at].by[PROTO]);
		if (list[at].by[HOST].p && host(c, list[at].by[HOST]) < 0)
			return -EINVAL;
	}
	return 0;
}

static void by_x_for(struct walk *w, const char *text)
{
	size_t n = strlen(text);
	struct word node;

	while (last_element(text, &n, &node) && step(w, node))
		;
}

static bool same_host(const union io_addr *a, const union io_addr *b)
{
	unsigned bits, others;
	const uint8_t *x = bytes_of(a, &bits), *y = bytes_of(b, &others);

	return bits == others && same_bits(x, y, 0, bits);
}

static int believe(struct web_client *c, const struct web_said *said,
	const struct web_net *trust, size_t n, const char **why)
{
	struct walk by_f = {trust, n, c->addr}, by_x = by_f;
	struct word last = {0};
	size_t len;

	*why = "a malformed Forwarded";
	if (said->forwarded && by_forwarded(&by_f, c, said->forwarded) < 0)
		return -EINVAL;
	if (said->x_for)
		by_x_for(&by_x, said->x_for);
	*why = "Forwarded and X-Forwarded-For name different clients";
	if (said->forwarded && said->x_for && !same_host(&by_f.at, &by_x.at))
		return -EINVAL;
	c->addr = said->x_for ? by_x.at : by_f.at;
	/* The last of a list is the one that our own peer wrote. */
	len = said->x_proto ? strlen(said->x_proto) : 0;
	if (last_element(said->x_proto, &len, &last))
		scheme(c, last);
	*why = "a bad host";
	len = said->x_host ? strlen(said->x_host) : 0;
	if (last_element(said->x_host, &len, &last) && host(c, last) < 0)
		return -EINVAL;
	return 0;
}

int web_client_of(struct web_client *c, const union io_addr *peer, bool tls,
	const struct web_said *said, const struct web_net *trust, size_t n,
	const char **why)
{
	*c = (struct web_client){.addr = *peer, .tls = tls};
	unmap(&c->addr);
	*why = "a bad host";
	if (said->host && str_copy(c->host, sizeof(c->host), said->host) < 0)
		return -EINVAL;
	return web_nets_have(trust, n, &c->addr) ?
		believe(c, said, trust, n, why) : 0;
}
