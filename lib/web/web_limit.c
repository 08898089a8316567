/* Whether somebody may ask now: each request and each connection takes from
 * its source what it costs. */
#include <stdio.h>
#include "web_priv.h"

void web_refused(struct web *w, const union io_addr *from,
	enum web_refusal why, const char *text)
{
	if (w->ev.on_refused)
		w->ev.on_refused(w->arg, from, why, text);
}

/* It is told to come back when it would be served, and to close, so that
 * asking on costs it a connection each time. */
static void too_many(struct web *w, struct evhttp_request *req,
	uint64_t wait_ms)
{
	struct evkeyvalq *h = evhttp_request_get_output_headers(req);
	char after[24];

	snprintf(after, sizeof(after), "%" PRIu64, (wait_ms + 999) / 1000);
	evhttp_add_header(h, "Retry-After", after);
	evhttp_add_header(h, "Connection", "close");
	web_reply(w, req, 429, "Too Many Requests",
		"too many requests or failures from your address\n");
}

bool web_admits(struct web *w, struct evhttp_request *req, uint32_t cost)
{
	uint64_t now = io_now_ns(), wait, more;
	struct guard_source s;
	union io_addr from;

	web_source(w, req, &from);
	s = guard_source(w->guard, &from.sa);
	wait = guard_take(w->guard, &s, cost, now);
	more = guard_penalty(w->guard, &s, now);
	wait = MAX(wait, more);
	if (!wait)
		return true;
	web_refused(w, &from, WEB_LIMITED, NULL);
	too_many(w, req, wait);
	return false;
}

/* Who is penalised gets a handshake and an answer that says so, as long as
 * it does not ask too often for that. */
bool web_admits_fd(struct web *w, int fd)
{
	union io_addr from = {0};
	socklen_t n = sizeof(from);
	struct guard_source s;

	if (getpeername(fd, &from.sa, &n) < 0)
		return true; /* it is gone, which the connection will tell */
	/* A proxy connects for many, each of whom is asked for himself. */
	if (web_nets_have(w->trust, w->n_trust, &from))
		return true;
	s = guard_source(w->guard, &from.sa);
	if (guard_take(w->guard, &s, GUARD_CONNECT, io_now_ns()) == 0)
		return true;
	web_refused(w, &from, WEB_LIMITED, NULL);
	return false;
}
