/* Whom a request comes from. All that is counted, limited or told of a
 * stranger asks here, so that there is one answer to it. */
#include <strings.h>
#include "web_priv.h"

/* All lines of a header as one list, as RFC 9110 section 5.3 allows. */
static const char *joined(struct evhttp_request *req, const char *name,
	struct buf *b)
{
	const struct evkeyval *kv =
		evhttp_request_get_input_headers(req)->tqh_first;

	buf_clear(b);
	for (; kv; kv = kv->next.tqe_next)
		if (!strcasecmp(kv->key, name)) {
			if (b->len)
				buf_puts(b, ", ");
			buf_puts(b, kv->value);
		}
	return b->len ? buf_cstr(b) : NULL;
}

/* Who is connected to us; family 0: that cannot be told. */
static void peer_of(struct evhttp_request *req, union io_addr *out)
{
	const struct sockaddr *sa = evhttp_connection_get_addr(
		evhttp_request_get_connection(req));

	*out = (union io_addr){0};
	if (sa && (sa->sa_family == AF_INET || sa->sa_family == AF_INET6))
		memcpy(out, sa, sa->sa_family == AF_INET6 ?
			sizeof(out->in6) : sizeof(out->in4));
}

int web_client(const struct web *w, struct evhttp_request *req,
	struct web_client *out, const char **why)
{
	enum { X_FOR, X_PROTO, X_HOST, FORWARDED, N };
	static const char *const names[N] = {"X-Forwarded-For",
		"X-Forwarded-Proto", "X-Forwarded-Host", "Forwarded"};
	struct web_said said = {.host = evhttp_find_header(
		evhttp_request_get_input_headers(req), "Host")};
	const char *values[N] = {NULL};
	struct buf text[N] = {0};
	union io_addr peer;
	int err = 0;

	peer_of(req, &peer);
	for (size_t i = 0; i < N && w->n_trust; i++) {
		values[i] = joined(req, names[i], &text[i]);
		err = err ? err : text[i].err;
	}
	said.x_for = values[X_FOR];
	said.x_proto = values[X_PROTO];
	said.x_host = values[X_HOST];
	said.forwarded = values[FORWARDED];
	*out = (struct web_client){.addr = peer, .tls = w->tls != NULL};
	*why = "out of memory";
	if (!err)
		err = web_client_of(out, &peer, w->tls != NULL, &said,
			w->trust, w->n_trust, why);
	for (size_t i = 0; i < N; i++)
		buf_free(&text[i]);
	return err;
}

void web_source(const struct web *w, struct evhttp_request *req,
	union io_addr *out)
{
	struct web_client c;
	const char *why;

	/* A request that is refused is its peer's. */
	if (web_client(w, req, &c, &why) == 0)
		*out = c.addr;
	else
		peer_of(req, out);
}
