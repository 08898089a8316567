/* relayctl_ticket - who may come by the bus: words that control chose, each
 * good for one transport, once, and not for long. */
#include "relayctl_priv.h"

static void forget(struct relayctl *r, struct ticket *t)
{
	map_dels(r->tickets, t->word);
	list_remove(&t->link);
	explicit_bzero(t, sizeof *t);
	free(t);
}

static struct ticket *oldest(struct relayctl *r)
{
	return list_empty(&r->ticket_order) ? NULL :
		list_entry(r->ticket_order.next, struct ticket, link);
}

static void arm(struct relayctl *r)
{
	struct ticket *t = oldest(r);

	if (t)
		io_timer_at(r->ticket_timer, t->until_ns);
}

int ticket_add(struct relayctl *r, const struct ticket *what)
{
	struct ticket *t;

	if (map_gets(r->tickets, what->word))
		return -EEXIST;
	if (map_count(r->tickets) >= TICKETS_MAX)
		return -ENOSPC;
	t = calloc(1, sizeof *t);
	if (!t)
		return -ENOMEM;
	*t = *what;
	t->until_ns = io_now_ns() + r->cfg.ticket_ms * NS_PER_MS;
	if (map_puts(r->tickets, t->word, t)) {
		free(t);
		return -ENOMEM;
	}
	list_append(&r->ticket_order, &t->link);
	arm(r);
	return 0;
}

bool ticket_take(struct relayctl *r, const char *word, struct ticket *out)
{
	struct ticket *t = map_gets(r->tickets, word);

	/* The timer may be late. */
	if (!t || io_now_ns() >= t->until_ns)
		return false;
	*out = *t;
	forget(r, t);
	return true;
}

bool ticket_drop(struct relayctl *r, const char *transport)
{
	list_each(l, next, &r->ticket_order) {
		struct ticket *t = list_entry(l, struct ticket, link);

		if (!str_eq(t->transport, transport))
			continue;
		forget(r, t);
		return true;
	}
	return false;
}

void ticket_late(void *arg)
{
	struct relayctl *r = arg;
	uint64_t now = io_now_ns();
	struct ticket *t;

	while ((t = oldest(r)) && t->until_ns <= now) {
		relayctl_report(r, "transport.state", json_pack(
			"{s:s, s:s, s:s, s:s, s:s}", "room", t->room,
			"endpoint", t->endpoint, "transport", t->transport,
			"state", "closed", "reason", "timeout"));
		forget(r, t);
	}
	arm(r);
}

void tickets_clear(struct relayctl *r)
{
	struct ticket *t;

	while ((t = oldest(r)))
		forget(r, t);
}
