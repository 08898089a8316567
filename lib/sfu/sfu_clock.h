/* sfu_clock - when what is sent was captured, by the publisher's own word:
 * his sender reports (RFC 3550 section 6.4.1) are fitted to our clock, and
 * each slot's are made of that (events->clock), so that a receiver plays the
 * sound and the picture of one sender together.
 */
#ifndef SFU_CLOCK_H
#define SFU_CLOCK_H

#include <stdint.h>

struct sfu;
struct sfu_transport;

/* A sender report of a publish transport about a layer; ntp 32.32. */
void sfu_report(struct sfu *s, struct sfu_transport *t,
	enum sfu_source source, enum sfu_layer layer, uint64_t ntp,
	uint32_t rtp_ts, uint64_t now_ns);

#endif
