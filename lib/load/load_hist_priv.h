/* load_hist_priv - how values are distributed, in bounded memory: buckets
 * that are 1/16 of their value wide. Pure; any unit, 0 to 2^40. */
#ifndef LOAD_HIST_PRIV_H
#define LOAD_HIST_PRIV_H

#include <stdint.h>

#define LOAD_HIST_BUCKETS 640

struct load_hist {
	uint64_t n;
	uint64_t count[LOAD_HIST_BUCKETS];
};

/* Zeroed is empty. Larger values count as the largest. */
void load_hist_add(struct load_hist *h, uint64_t value);
/* The value that this share (0 to 1) of those added does not exceed, to the
 * middle of its bucket; NAN if there is none. */
double load_hist_at(const struct load_hist *h, double share);

#endif
