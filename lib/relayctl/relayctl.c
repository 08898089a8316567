/* relayctl - life and timers. */
#include "relayctl_priv.h"

static void tick(void *arg)
{
	struct relayctl *r = arg;

	r->tick_at = UINT64_MAX;
	sfu_tick(r->sfu, io_now_ns());
	relayctl_rearm(r);
}

/* A timer that is too early costs a call; so it is moved forward only. */
void relayctl_rearm(struct relayctl *r)
{
	uint64_t at = sfu_deadline(r->sfu);

	if (at >= r->tick_at)
		return;
	r->tick_at = at;
	io_timer_at(r->tick, at);
}

struct relayctl *relayctl_new(const struct relayctl_config *c)
{
	struct relayctl *r = calloc(1, sizeof *r);

	if (!r)
		return NULL;
	r->cfg = *c;
	if (!r->cfg.ticket_ms)
		r->cfg.ticket_ms = RELAYCTL_TICKET_MS;
	r->tick_at = UINT64_MAX;
	r->started_ms = io_wall_ms();
	r->wall_base_ns = io_wall_ms() * NS_PER_MS - io_now_ns();
	list_init(&r->ticket_order);
	rng_seed(&r->rng, c->seed);
	r->sfu = sfu_new(&relayctl_sfu_events, r, rng_u64(&r->rng));
	r->transports = map_new(rng_u64(&r->rng));
	r->tickets = map_new(rng_u64(&r->rng));
	r->tick = io_timer_new(c->loop, tick, r);
	r->ticket_timer = io_timer_new(c->loop, ticket_late, r);
	if (!r->sfu || !r->transports || !r->tick || !r->tickets ||
	    !r->ticket_timer) {
		relayctl_free(r);
		errno = ENOMEM;
		return NULL;
	}
	return r;
}

void relayctl_free(struct relayctl *r)
{
	if (!r)
		return;
	r->ended = true;
	relayctl_hang_up(r);
	if (r->transports)
		relayctl_forget_all(r);
	bus_server_free(r->bus);
	sfu_free(r->sfu);
	tickets_clear(r);
	map_free(r->tickets);
	io_timer_free(r->ticket_timer);
	map_free(r->transports);
	io_timer_free(r->tick);
	io_timer_free(r->redial);
	io_timer_free(r->hello);
	explicit_bzero(r->secret, sizeof r->secret);
	free(r);
}

void relayctl_drain(struct relayctl *r)
{
	struct transport *t;
	size_t pos = 0;

	if (r->draining)
		return;
	r->draining = true;
	while ((t = map_next(r->transports, &pos, NULL, NULL)))
		relayctl_close(t, "draining");
	relayctl_flush_then_end(r);
}
