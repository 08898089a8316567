/* nacker - the receiver's view of what is missing: which packets to ask for
 * now, when to ask again, and when to give up and want a key frame.
 *
 * A gap is asked for NACKER_REORDER_NS after it showed (it may be mere
 * reordering), then once per round trip, at most NACKER_MAX_TRIES times and
 * until it is NACKER_MAX_AGE_NS old. A packet given up, or more than
 * NACKER_MAX_MISSING at once, raises the wish for a key frame, which clears
 * all that is older than it.
 * Bounded: no allocation after nacker_new, NACKER_MAX_MISSING entries.
 */
#ifndef NACKER_H
#define NACKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NACKER_REORDER_NS  (UINT64_C(10) * 1000000)
#define NACKER_MIN_RTT_NS  (UINT64_C(20) * 1000000)
#define NACKER_MAX_TRIES   10
#define NACKER_MAX_AGE_NS  (UINT64_C(1000) * 1000000)
#define NACKER_MAX_MISSING 256u
#define NACKER_MAX_JUMP    3000 /* a larger one, confirmed, starts anew */

struct nacker;

enum nacker_seen {
	NACKER_NEW,       /* the newest so far */
	NACKER_REPAIRED,  /* it was missing and asked for */
	NACKER_REORDERED, /* it was missing, not asked for yet */
	NACKER_OLD,       /* a duplicate, or given up before */
};

struct nacker *nacker_new(void); /* NULL with errno ENOMEM */
void nacker_free(struct nacker *n);
/* A packet came, by itself or by RTX. */
enum nacker_seen nacker_packet(struct nacker *n, uint16_t seq,
	uint64_t now_ns);
/* The packet with this seq begins a key frame: what is older is not needed
 * any more, nor is a key frame. */
void nacker_keyframe(struct nacker *n, uint16_t seq);
/* What to ask for now, ascending; at most cap, and it counts as asked. */
size_t nacker_take(struct nacker *n, uint64_t rtt_ns, uint64_t now_ns,
	uint16_t *seqs, size_t cap);
/* True once for each time that too much was lost; ask for a key frame. */
bool nacker_lost(struct nacker *n);
/* When nacker_take has something to do; FLOW_NEVER if nothing is missing. */
uint64_t nacker_deadline(const struct nacker *n);
size_t nacker_missing(const struct nacker *n);

#endif
