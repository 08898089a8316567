/* twccgen - transport-wide feedback, the receiver's side (draft-holmer-
 * rmcat-transport-wide-cc-extensions-01): when each packet arrived.
 *
 * A feedback is due TWCCGEN_MAX_NS after the first packet that it has to
 * report, or TWCCGEN_MIN_NS after the last feedback when many wait. A packet
 * that comes after the feedback in which it was lost is reported anew.
 * Bounded: TWCCGEN_WINDOW sequence numbers; what is older is forgotten.
 */
#ifndef TWCCGEN_H
#define TWCCGEN_H

#include <stdbool.h>
#include <stdint.h>

struct buf;

#define TWCCGEN_WINDOW 2048 /* a power of two */
#define TWCCGEN_MIN_NS (UINT64_C(50) * 1000000)
#define TWCCGEN_MAX_NS (UINT64_C(100) * 1000000)
#define TWCCGEN_MANY   100 /* packets */

struct twccgen;

struct twccgen *twccgen_new(void); /* NULL with errno ENOMEM */
void twccgen_free(struct twccgen *t);
void twccgen_packet(struct twccgen *t, uint16_t seq, uint64_t arrival_ns);
uint64_t twccgen_deadline(const struct twccgen *t);
/* Appends one feedback packet to out if one is due, and returns 1; 0 if
 * none is. Call it until it is not 1. -ENOMEM: that feedback is lost. */
int twccgen_take(struct twccgen *t, uint32_t sender_ssrc, uint32_t media_ssrc,
	uint64_t now_ns, struct buf *out);

#endif
