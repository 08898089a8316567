/* srcclock - when what a source sends was captured, on our clock, by its
 * sender reports (RFC 3550 section 6.4.1).
 *
 * All tracks of one sender share his wall clock: struct srcclock is how that
 * stands to ours, fitted to the report that took the least time to come. It
 * follows slow drift, and begins anew when the sender sets his clock. Struct
 * srcmap is one stream's: which RTP timestamp was at which of his times. So
 * two tracks of one sender keep their relation however long either takes to
 * encode or to send, and no other clock than ours is told on.
 *
 * What a report claims is believed as long as it puts the capture of a packet
 * at most SRCCLOCK_MAX_AGE_NS before its arrival and not after it by more
 * than SRCCLOCK_SLACK_NS.
 */
#ifndef SRCCLOCK_H
#define SRCCLOCK_H

#include <stdbool.h>
#include <stdint.h>

#define SRCCLOCK_MAX_AGE_NS (UINT64_C(2000) * 1000000)
#define SRCCLOCK_SLACK_NS   (UINT64_C(200) * 1000000)
#define SRCCLOCK_STEP_NS    (UINT64_C(1000) * 1000000) /* a clock was set */

struct srcclock {
	bool known;
	uint64_t shift_ns; /* ours = his + shift, modulo 2^64 */
};

struct srcmap {
	bool known;
	uint64_t his_ns; /* since 1900 */
	uint32_t rtp_ts;
};

/* A report came: ntp is 32.32 as in it. Zero initialised structs know
 * nothing. */
void srcclock_report(struct srcclock *c, struct srcmap *m, uint64_t ntp,
	uint32_t rtp_ts, uint64_t arrival_ns);
/* When a packet of that timestamp, which arrived at arrival_ns, was captured.
 * False if it is not known, or not to be believed. */
bool srcclock_at(const struct srcclock *c, const struct srcmap *m,
	uint32_t clock_hz, uint32_t rtp_ts, uint64_t arrival_ns,
	uint64_t *at_ns);

#endif
