/* nacker - the gaps of one received stream, in order. */
#include "base.h"
#include "flow.h"

#define EXT_START (UINT64_C(1) << 32)

struct gap {
	uint64_t ext;
	uint64_t seen_ns; /* when it showed */
	uint64_t next_ns; /* when to ask, or to give up */
	unsigned tries;
};

struct nacker {
	bool started;
	bool lost;
	bool bad;
	uint16_t bad_seq; /* would confirm that the source began anew */
	uint64_t highest;
	size_t n;
	struct gap gaps[NACKER_MAX_MISSING]; /* ascending */
};

struct nacker *nacker_new(void)
{
	return calloc(1, sizeof(struct nacker));
}

void nacker_free(struct nacker *n)
{
	free(n);
}

static void forget(struct nacker *n, size_t at, size_t count)
{
	n->n -= count;
	memmove(&n->gaps[at], &n->gaps[at + count],
		(n->n - at) * sizeof(n->gaps[0]));
}

static void start(struct nacker *n, uint16_t seq)
{
	n->highest = EXT_START + seq;
	n->n = 0;
	n->started = true;
	n->bad = false;
}

static void add_gaps(struct nacker *n, uint64_t to, uint64_t now_ns)
{
	uint64_t from = n->highest + 1;

	if (to - from > NACKER_MAX_MISSING) {
		from = to - NACKER_MAX_MISSING;
		n->lost = true;
	}
	if (n->n + (to - from) > NACKER_MAX_MISSING) {
		forget(n, 0, n->n + (size_t)(to - from) - NACKER_MAX_MISSING);
		n->lost = true;
	}
	for (uint64_t e = from; e < to; e++)
		n->gaps[n->n++] = (struct gap){
			.ext = e,
			.seen_ns = now_ns,
			.next_ns = now_ns + NACKER_REORDER_NS,
		};
}

/* The first gap at or after ext. */
static size_t lower(const struct nacker *n, uint64_t ext)
{
	size_t lo = 0, hi = n->n;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		if (n->gaps[mid].ext < ext)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static enum nacker_seen old_one(struct nacker *n, uint16_t seq)
{
	uint64_t ext = seq_extend(seq, n->highest);
	size_t i = lower(n, ext);
	unsigned tries;

	if (i == n->n || n->gaps[i].ext != ext)
		return NACKER_OLD;
	tries = n->gaps[i].tries;
	forget(n, i, 1);
	return tries ? NACKER_REPAIRED : NACKER_REORDERED;
}

enum nacker_seen nacker_packet(struct nacker *n, uint16_t seq,
	uint64_t now_ns)
{
	int d = n->started ? seq_diff(seq, (uint16_t)n->highest) : 0;

	if (!n->started) {
		start(n, seq);
		return NACKER_NEW;
	}
	if (d > NACKER_MAX_JUMP || d < -NACKER_MAX_JUMP) {
		bool confirmed = n->bad && seq == n->bad_seq;

		n->bad = true;
		n->bad_seq = (uint16_t)(seq + 1);
		if (!confirmed)
			return NACKER_OLD;
		start(n, seq);
		n->lost = true;
		return NACKER_NEW;
	}
	n->bad = false;
	if (d <= 0)
		return old_one(n, seq);
	add_gaps(n, n->highest + (uint64_t)d, now_ns);
	n->highest += (uint64_t)d;
	return NACKER_NEW;
}

void nacker_keyframe(struct nacker *n, uint16_t seq)
{
	if (!n->started)
		return;
	forget(n, 0, lower(n, seq_extend(seq, n->highest)));
	n->lost = false;
}

/* Drops what is past repair. */
static void give_up(struct nacker *n, uint64_t now_ns)
{
	size_t kept = 0;

	for (size_t i = 0; i < n->n; i++) {
		const struct gap *g = &n->gaps[i];
		if (now_ns >= g->seen_ns + NACKER_MAX_AGE_NS ||
			(g->tries >= NACKER_MAX_TRIES && now_ns >= g->next_ns))
			n->lost = true;
		else
			n->gaps[kept++] = *g;
	}
	n->n = kept;
}

size_t nacker_take(struct nacker *n, uint64_t rtt_ns, uint64_t now_ns,
	uint16_t *seqs, size_t cap)
{
	uint64_t wait = MAX(rtt_ns, NACKER_MIN_RTT_NS);
	size_t taken = 0;

	give_up(n, now_ns);
	for (size_t i = 0; i < n->n && taken < cap; i++) {
		struct gap *g = &n->gaps[i];
		if (now_ns < g->next_ns)
			continue;
		g->tries++;
		g->next_ns = MIN(now_ns + wait,
			g->seen_ns + NACKER_MAX_AGE_NS);
		seqs[taken++] = (uint16_t)g->ext;
	}
	return taken;
}

bool nacker_lost(struct nacker *n)
{
	bool lost = n->lost;

	n->lost = false;
	return lost;
}

uint64_t nacker_deadline(const struct nacker *n)
{
	uint64_t t = FLOW_NEVER;

	for (size_t i = 0; i < n->n; i++)
		t = MIN(t, n->gaps[i].next_ns);
	return t;
}

size_t nacker_missing(const struct nacker *n)
{
	return n->n;
}
