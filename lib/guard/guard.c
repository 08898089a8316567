/* The table of sources, their tokens and penalties. Tokens and penalties
 * are both kept as the time at which nothing is owed any more: an empty
 * place is one that owes nothing. */
#include <netinet/in.h>
#include "base.h"
#include "guard.h"

#define WAYS 8u

struct place {
	uint8_t key[9];     /* key[0] == 0: free */
	bool enforced;
	uint64_t full_ns;   /* when its tokens are all there again */
	uint64_t until_ns;  /* when its failures are worked off */
};

struct guard {
	struct guard_config c;
	uint64_t token_ns;  /* one token */
	uint32_t sets;
	uint64_t now_ns;    /* the latest that was seen */
	struct guard_stats stats;
	struct place places[];
};

static const struct {
	const char *name;
	uint32_t ms;
} faults[GUARD_FAULTS] = {
	[GUARD_ORIGIN] = {"origin", 2000},
	[GUARD_SLOW] = {"slow", 2000},
	[GUARD_TOKEN] = {"token", 2000},
	[GUARD_NO_HELLO] = {"no_hello", 5000},
	[GUARD_MALFORMED] = {"malformed", 25000},
};

uint32_t guard_fault_ms(enum guard_fault f)
{
	return faults[f].ms;
}

const char *guard_fault_name(enum guard_fault f)
{
	return faults[f].name;
}

struct guard *guard_new(const struct guard_config *c)
{
	uint32_t sets = (MIN(c->sources, GUARD_SOURCES_MAX) + WAYS - 1) / WAYS;
	struct guard *g = calloc(1, sizeof(*g) +
		(size_t)sets * WAYS * sizeof(struct place));

	if (!g)
		return NULL;
	g->c = *c;
	g->sets = sets;
	g->token_ns = NS_PER_S / MIN(MAX(c->per_s, 1u), 100000u);
	return g;
}

void guard_free(struct guard *g)
{
	free(g);
}

struct guard_stats guard_stats(const struct guard *g)
{
	return g ? g->stats : (struct guard_stats){0};
}

/* --- Sources -------------------------------------------------------------- */

static struct guard_source of_v4(const struct guard *g,
	const uint8_t addr[static 4])
{
	struct guard_source s = {{4}};

	if (addr[0] == 127 && !g->c.loopback)
		return (struct guard_source){0};
	memcpy(s.key + 1, addr, 4);
	return s;
}

struct guard_source guard_source(const struct guard *g,
	const struct sockaddr *sa)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	static const uint8_t loopback[16] = {[15] = 1};
	struct guard_source s = {{6}};
	struct sockaddr_in in4;
	struct sockaddr_in6 in6;

	if (!g || !g->sets)
		return (struct guard_source){0};
	if (sa->sa_family == AF_INET) {
		memcpy(&in4, sa, sizeof(in4));
		return of_v4(g, (const uint8_t *)&in4.sin_addr);
	}
	if (sa->sa_family != AF_INET6)
		return (struct guard_source){0};
	memcpy(&in6, sa, sizeof(in6));
	if (!memcmp(&in6.sin6_addr, mapped, 12))
		return of_v4(g, (const uint8_t *)&in6.sin6_addr + 12);
	if (!memcmp(&in6.sin6_addr, loopback, 16) && !g->c.loopback)
		return (struct guard_source){0};
	memcpy(s.key + 1, &in6.sin6_addr, 8);
	return s;
}

/* When nobody would miss it. A penalty outweighs tokens. */
static uint64_t worth(const struct guard *g, const struct place *p)
{
	uint64_t owed = MAX(p->full_ns, p->until_ns);

	return owed <= g->now_ns ? 0 : owed - g->now_ns +
		(p->enforced ? UINT64_MAX / 2 : 0);
}

static struct place *find(const struct guard *g,
	const struct guard_source *s, bool *found)
{
	uint64_t h = siphash(g->c.seed, ~g->c.seed, s->key, sizeof(s->key));
	struct place *set = (struct place *)(uintptr_t)g->places +
		(h % g->sets) * WAYS;
	struct place *least = set;

	*found = true;
	for (struct place *p = set; p < set + WAYS; p++) {
		if (!memcmp(p->key, s->key, sizeof(s->key)))
			return p;
		if (worth(g, p) < worth(g, least))
			least = p;
	}
	*found = false;
	return least;
}

static struct place *place_of(struct guard *g, const struct guard_source *s)
{
	bool found;
	struct place *p = find(g, s, &found);

	if (found)
		return p;
	if (worth(g, p))
		g->stats.forgotten++;
	*p = (struct place){0};
	memcpy(p->key, s->key, sizeof(s->key));
	return p;
}

/* --- Asking --------------------------------------------------------------- */

static bool is_limited(struct guard *g, const struct guard_source *s,
	uint64_t now_ns)
{
	if (!g || !g->sets || !s->key[0])
		return false;
	g->now_ns = MAX(g->now_ns, now_ns);
	return true;
}

static uint64_t ms_until(const struct guard *g, uint64_t at_ns)
{
	return (at_ns - g->now_ns + NS_PER_MS - 1) / NS_PER_MS;
}

/* Until the penalty is over, 0 if there is none. */
static uint64_t penalty(const struct guard *g, struct place *p)
{
	if (p->until_ns <= g->now_ns)
		p->enforced = false;
	return p->enforced ? ms_until(g, p->until_ns) : 0;
}

uint64_t guard_penalty(struct guard *g, const struct guard_source *s,
	uint64_t now_ns)
{
	struct place *p;
	uint64_t ms;
	bool found;

	if (!is_limited(g, s, now_ns))
		return 0;
	p = find(g, s, &found);
	ms = found ? penalty(g, p) : 0;
	g->stats.penalised += ms != 0;
	return ms;
}

uint64_t guard_take(struct guard *g, const struct guard_source *s,
	uint32_t cost, uint64_t now_ns)
{
	uint64_t full_ns, most;
	struct place *p;

	if (!is_limited(g, s, now_ns))
		return 0;
	p = place_of(g, s);
	cost = MIN(cost, 1000000u);
	full_ns = MAX(p->full_ns, g->now_ns) + cost * g->token_ns;
	/* Tokens that make up GUARD_BURST_S may be owed. What costs more than
	 * ever fits is had from a full bucket. */
	most = g->now_ns + MAX(GUARD_BURST_S * NS_PER_S, cost * g->token_ns);
	if (full_ns > most) {
		g->stats.refused++;
		return ms_until(g, g->now_ns + (full_ns - most));
	}
	p->full_ns = full_ns;
	return 0;
}

uint64_t guard_fail(struct guard *g, const struct guard_source *s,
	enum guard_fault f, uint64_t now_ns)
{
	struct place *p;
	bool was;

	if (!is_limited(g, s, now_ns))
		return 0;
	g->stats.faults[f]++;
	p = place_of(g, s);
	was = penalty(g, p);
	p->until_ns = MAX(p->until_ns, g->now_ns) + faults[f].ms * NS_PER_MS;
	p->until_ns = MIN(p->until_ns, g->now_ns + GUARD_MAX_MS * NS_PER_MS);
	if (was || p->until_ns - g->now_ns < GUARD_ENFORCE_MS * NS_PER_MS)
		return 0;
	p->enforced = true;
	g->stats.penalties++;
	return ms_until(g, p->until_ns);
}

static uint64_t less(uint64_t at, uint64_t by)
{
	return at > by ? at - by : 0;
}

void guard_known(struct guard *g, const struct guard_source *s,
	uint64_t now_ns)
{
	struct place *p;
	bool found;

	if (!is_limited(g, s, now_ns))
		return;
	p = find(g, s, &found);
	if (!found)
		return;
	p->full_ns = less(p->full_ns, GUARD_BACK * g->token_ns);
	if (!penalty(g, p))
		p->until_ns = less(p->until_ns, GUARD_BACK_MS * NS_PER_MS);
}

/* --- One's own rate ------------------------------------------------------- */

uint64_t guard_rate(struct guard_rate *r, uint32_t burst, uint32_t every_ms,
	uint64_t now_ns)
{
	uint64_t step = every_ms * NS_PER_MS;
	uint64_t full_ns = MAX(r->full_ns, now_ns) + step;
	uint64_t most = now_ns + burst * step;

	if (full_ns > most)
		return (full_ns - most + NS_PER_MS - 1) / NS_PER_MS;
	r->full_ns = full_ns;
	return 0;
}
