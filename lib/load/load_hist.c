/* load_hist - a histogram, linear within each power of two. */
#include <math.h>

#include "base.h"
#include "load_hist_priv.h"

#define STEPS 16u /* within a power of two */

static unsigned bucket_of(uint64_t v)
{
	unsigned shift = 0;
	unsigned i;

	if (v < 2 * STEPS)
		return (unsigned)v;
	while (v >> shift >= 2 * STEPS)
		shift++;
	i = shift * STEPS + (unsigned)(v >> shift);
	return MIN(i, LOAD_HIST_BUCKETS - 1);
}

static double middle_of(unsigned i)
{
	unsigned shift = i / STEPS;

	if (i < 2 * STEPS)
		return i;
	shift--;
	return ((double)(i % STEPS + STEPS) + 0.5) * (double)(UINT64_C(1) <<
		shift) - 0.5;
}

void load_hist_add(struct load_hist *h, uint64_t value)
{
	h->count[bucket_of(value)]++;
	h->n++;
}

double load_hist_at(const struct load_hist *h, double share)
{
	double want = share * (double)h->n;
	uint64_t seen = 0;

	if (!h->n)
		return NAN;
	for (unsigned i = 0; i < LOAD_HIST_BUCKETS; i++) {
		seen += h->count[i];
		if (h->count[i] && (double)seen >= want)
			return middle_of(i);
	}
	return NAN;
}
