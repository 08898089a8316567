/* Sources by operations of three bytes: nobody gets more than his rate, a
 * penalty holds and ends when it was said to, and what was told to wait is
 * served after that wait. */
#include "fuzz.h"
#include <netinet/in.h>
#include "base.h"
#include "guard.h"

#define PER_S   50u
#define SOURCES 8u /* as many as one set has places: none is forgotten */
#define MS      NS_PER_MS
#define COST(b) (1 + (b) * 16u)
#define MOST    (COST(255) * (NS_PER_S / PER_S)) /* owed by one */

struct model {
	uint64_t tokens_ns[SOURCES]; /* owed, as time */
	uint64_t until[SOURCES];     /* failures are worked off */
	bool shut[SOURCES];
	uint64_t now;
};

static struct guard_source source(struct guard *g, unsigned i)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(0xc0000200 + i)};

	return guard_source(g, (struct sockaddr *)&a);
}

static bool shut(struct model *m, unsigned i)
{
	if (m->until[i] <= m->now)
		m->shut[i] = false;
	return m->shut[i];
}

static void take(struct model *m, struct guard *g, unsigned i, unsigned cost)
{
	struct guard_source s = source(g, i);
	uint64_t step = cost * (NS_PER_S / PER_S);
	uint64_t owed = MAX(m->tokens_ns[i], m->now) + step;
	bool over = owed > m->now + MAX(GUARD_BURST_S * NS_PER_S, step);
	uint64_t wait = guard_take(g, &s, cost, m->now);

	CHECK((wait != 0) == over);
	if (!wait)
		m->tokens_ns[i] = owed;
	else
		CHECK(wait * MS <= MOST);
	if (!wait)
		return;
	m->now += wait * MS;
	CHECK(guard_take(g, &s, cost, m->now) == 0);
	m->tokens_ns[i] = MAX(m->tokens_ns[i], m->now) + step;
}

static void fail(struct model *m, struct guard *g, unsigned i, unsigned what)
{
	enum guard_fault f = (enum guard_fault)(what % GUARD_FAULTS);
	struct guard_source s = source(g, i);
	bool was = shut(m, i);
	uint64_t told = guard_fail(g, &s, f, m->now);

	m->until[i] = MIN(MAX(m->until[i], m->now) + guard_fault_ms(f) * MS,
		m->now + GUARD_MAX_MS * MS);
	m->shut[i] = was || m->until[i] - m->now >= GUARD_ENFORCE_MS * MS;
	CHECK((told != 0) == (m->shut[i] && !was));
	CHECK((guard_penalty(g, &s, m->now) != 0) == m->shut[i]);
	told = guard_penalty(g, &s, m->now);
	CHECK(told <= GUARD_MAX_MS);
	CHECK(!told || (m->now + told * MS >= m->until[i] &&
		m->now + (told - 1) * MS < m->until[i]));
}

static void known(struct model *m, struct guard *g, unsigned i)
{
	struct guard_source s = source(g, i);
	uint64_t back = GUARD_BACK * (NS_PER_S / PER_S);

	guard_known(g, &s, m->now);
	m->tokens_ns[i] -= MIN(m->tokens_ns[i], back);
	if (!shut(m, i))
		m->until[i] -= MIN(m->until[i], GUARD_BACK_MS * MS);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct model m = {.now = NS_PER_S * 1000};
	struct guard *g = guard_new(&(struct guard_config){.sources = 8,
		.per_s = PER_S, .seed = 3});
	struct guard_rate r = {0};
	uint64_t began = m.now, had = 0;

	CHECK(g);
	for (size_t i = 0; i + 3 <= n; i += 3) {
		unsigned who = p[i + 1] % SOURCES;

		switch (p[i] & 7) {
		case 0:
			m.now += p[i + 2] * MS;
			break;
		case 1:
			m.now += p[i + 2] * NS_PER_S;
			break;
		case 2:
			known(&m, g, who);
			break;
		case 3:
		case 4:
			fail(&m, g, who, p[i + 2]);
			break;
		case 5:
			had += !guard_rate(&r, 20, 100, m.now);
			CHECK(had <= 20 + (m.now - began) / (100 * MS));
			break;
		default:
			take(&m, g, who, COST(p[i + 2]));
		}
	}
	guard_free(g);
	return 0;
}
