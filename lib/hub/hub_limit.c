/* Limits: what strangers fail at is counted to where they come from, and
 * what people ask for has a rate. Operators and workers come by Unix
 * sockets, whose file modes say who they are, and have neither. */
#include <stdio.h>
#include "hub_priv.h"

void peer_fault(struct peer *p, enum guard_fault f)
{
	hub_fault(p->hub, p->ws ? web_ws_source(p->ws) : NULL, f);
}

void hub_fault(struct hub *h, const union io_addr *from, enum guard_fault f)
{
	struct guard_source s;
	char host[IO_ADDR_CAP];
	uint64_t ms;

	if (!from)
		return;
	s = guard_source(h->guard, &from->sa);
	ms = guard_fail(h->guard, &s, f, io_now_ns());
	if (!ms)
		return;
	io_addr_host(host, from);
	if (peer_may_warn(h))
		io_log(IO_WARN, "%s has failed too often, at last by '%s': "
			"refused for %" PRIu64 " s", host,
			guard_fault_name(f), ms / 1000);
	audit(h, &(struct audit){.event = AUDIT_SOURCE_PENALISED,
		.from = from, .reason = guard_fault_name(f)});
}

void peer_known(struct peer *p)
{
	struct guard_source s;

	if (!p->ws)
		return;
	s = guard_source(p->hub->guard, &web_ws_source(p->ws)->sa);
	guard_known(p->hub->guard, &s, io_now_ns());
}

/* --- What people ask for -------------------------------------------------- */

/* At most burst at once, and one each every_ms. All others fall under the
 * last row, which no page comes near. */
static const struct {
	const char *method;
	uint32_t burst, every_ms;
} rates[HUB_RATES] = {
	{"chat.say", 30, 500},
	{"media.publish", 20, 1000},
	{"media.subscribe", 20, 1000},
	{"media.want", 200, 20},
	{"media.echo", 30, 2000},
	{"events.read", 30, 200},
	{NULL, 200, 20},
};

bool peer_over(struct peer *p, struct ctl_call *call, const char *method)
{
	size_t i = 0;
	uint64_t wait;

	if (p->kind != PEER_WEB)
		return false;
	while (rates[i].method && !str_eq(rates[i].method, method))
		i++;
	wait = guard_rate(&p->member->rates[i], rates[i].burst,
		rates[i].every_ms, io_now_ns());
	if (!wait)
		return false;
	audit(p->hub, &(struct audit){.event = AUDIT_USER_LIMITED, .peer = p,
		.reason = method});
	hub_fail(p, call, "limit", "too many of %s: try again in %" PRIu64
		" ms", rates[i].method ? rates[i].method : "these", wait);
	return true;
}
