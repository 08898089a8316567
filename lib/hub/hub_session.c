/* Sessions that nobody comes back for: of who opened a link and never joined,
 * and of who left. They go when they are old, or when there are too many. */
#include "hub_priv.h"

#define SWEEP_NS   (UINT64_C(600) * NS_PER_S)
#define ROOM_FOR   (HUB_SESSIONS / 10) /* that many go at once */
#define SWEEP_MAX  1000

bool session_is_old(const struct hub *h, uint64_t created_ms)
{
	return h->session_ms && created_ms + h->session_ms < hub_now_ms(h);
}

/* Reading and writing take turns: what is to go is gathered first. */
struct gone {
	struct hub *hub;
	size_t n, max;
	uint8_t hash[SWEEP_MAX][STORE_HASH];
};

static int gather(void *arg, const uint8_t hash[static STORE_HASH],
	const char *meeting, const char *user)
{
	struct gone *g = arg;
	const struct room *r = map_gets(g->hub->rooms, meeting);
	const struct member *m = r ? member_find(r, user) : NULL;

	/* In a room that cannot be read somebody may be seated; in one that
	 * is not loaded nobody is, since it has ended. */
	if (r && (!r->meet || meet_seat(r->meet, user) || (m && m->peer)))
		return 0;
	memcpy(g->hash[g->n++], hash, STORE_HASH);
	return g->n == g->max;
}

/* How many went, or -errno. */
static int forget(struct hub *h, const char *meeting, uint64_t before_ms,
	size_t max)
{
	struct gone *g = calloc(1, sizeof(*g));
	int err = g ? 0 : -ENOMEM, n;

	if (g) {
		g->hub = h;
		g->max = max;
		err = MIN(store_sessions(h->store, meeting, before_ms, gather,
			g), 0);
	}
	if (!err && g->n)
		hub_touch(h);
	for (size_t i = 0; !err && i < g->n; i++)
		err = store_session_revoke(h->store, g->hash[i]);
	n = err ? err : (int)g->n;
	free(g);
	return n;
}

int sessions_make_room(struct room *r)
{
	int64_t n = store_session_count(r->hub->store, r->id);
	int gone;

	if (n < HUB_SESSIONS)
		return n < 0 ? (int)n : 0;
	gone = forget(r->hub, r->id, UINT64_MAX, ROOM_FOR);
	return gone > 0 ? 0 : gone ? gone : -ENOSPC;
}

void sessions_sweep(struct hub *h)
{
	uint64_t every = MIN(SWEEP_NS, h->session_ms * NS_PER_MS);
	uint64_t now = io_now_ns(), wall = hub_now_ms(h);

	if (!h->session_ms || now - h->swept_ns < every || h->open)
		return;
	h->swept_ns = now;
	if (h->session_ms < wall && forget(h, NULL, wall - h->session_ms,
		SWEEP_MAX) == SWEEP_MAX)
		h->swept_ns = 0; /* there are more */
}
