/* The gap tracker by operations of two bytes: it asks for nothing that came,
 * in ascending order, not too often, and its deadline moves on. */
#include "fuzz.h"
#include "base.h"
#include "flow.h"

struct model {
	bool came[65536];
	uint8_t asked[65536];
	uint16_t newest;
	uint64_t now;
};

static void packet(struct model *m, struct nacker *n, uint16_t seq)
{
	bool asked = m->asked[seq];
	enum nacker_seen what = nacker_packet(n, seq, m->now);

	CHECK(what != NACKER_REPAIRED || asked);
	if (what == NACKER_NEW) {
		/* All between is a gap anew; the far side is forgotten. */
		for (uint16_t s = (uint16_t)(m->newest + 1); s != seq; s++) {
			m->came[s] = false;
			m->asked[s] = 0;
		}
		m->newest = seq;
	}
	m->came[seq] = true;
	m->asked[seq] = 0;
}

static void take(struct model *m, struct nacker *n, unsigned rtt_ms)
{
	uint16_t seqs[64];
	size_t got = nacker_take(n, rtt_ms * NS_PER_MS, m->now, seqs,
		ARRAY_LEN(seqs));

	for (size_t i = 0; i < got; i++) {
		CHECK(!m->came[seqs[i]]);
		CHECK(seq_newer(m->newest, seqs[i]));
		CHECK(i == 0 || seq_newer(seqs[i], seqs[i - 1]));
		CHECK(++m->asked[seqs[i]] <= NACKER_MAX_TRIES);
	}
	CHECK(got == ARRAY_LEN(seqs) || nacker_deadline(n) > m->now);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct model *m = calloc(1, sizeof(*m));
	struct nacker *k = nacker_new();

	CHECK(m && k);
	for (size_t i = 0; i + 2 <= n; i += 2) {
		unsigned a = p[i + 1];

		switch (p[i] & 7) {
		case 0:
			take(m, k, a);
			break;
		case 1:
			m->now += a * NS_PER_MS;
			break;
		case 2: /* late */
			packet(m, k, (uint16_t)(m->newest - a));
			break;
		case 3: /* a burst of losses, or a leap */
			packet(m, k, (uint16_t)(m->newest + a * a));
			break;
		case 4:
			nacker_keyframe(k, (uint16_t)(m->newest - a));
			break;
		case 5:
			(void)nacker_lost(k);
			break;
		default:
			packet(m, k, (uint16_t)(m->newest + 1 + (a & 3)));
		}
		CHECK(nacker_missing(k) <= NACKER_MAX_MISSING);
	}
	nacker_free(k);
	free(m);
	return 0;
}
