/* recvstat - reception statistics of one SSRC for a receiver report (RFC
 * 3550 sections 6.4.1 and A.1, A.3, A.8).
 */
#ifndef RECVSTAT_H
#define RECVSTAT_H

#include <stdbool.h>
#include <stdint.h>

struct rtcp_block;

#define RECVSTAT_MAX_DROPOUT  3000
#define RECVSTAT_MAX_MISORDER 100

struct recvstat {
	uint32_t clock_hz;
	unsigned sequential; /* packets in sequence that it takes to count */
	unsigned probation;  /* of them still wanted */
	bool started;
	uint16_t max_seq;
	uint32_t cycles; /* of sequence numbers, times 65536 */
	uint32_t base_seq;
	uint32_t bad_seq; /* 65537: none */
	uint32_t received;
	uint32_t expected_prior;
	uint32_t received_prior;
	uint32_t transit; /* in ticks */
	uint32_t last_ts;
	bool has_transit;
	uint32_t jitter_q4; /* times 16 */
	uint32_t lsr;
	uint64_t lsr_ns;
	uint64_t packets; /* in all, over restarts */
	uint64_t bytes;
};

/* probation: packets in sequence before a source counts, 2 in RFC 3550; 0
 * where SRTP has authenticated the first one. */
void recvstat_init(struct recvstat *s, uint32_t clock_hz, unsigned probation);
/* 0; -EAGAIN on probation; -ESTALE a jump that the next packet must confirm
 * (the packet itself may be good: forward it or not as you like). bytes is
 * the payload's length. */
int recvstat_packet(struct recvstat *s, uint16_t seq, uint32_t rtp_ts,
	uint64_t bytes, uint64_t arrival_ns);
/* Its sender report came. */
void recvstat_sr(struct recvstat *s, uint64_t ntp, uint64_t arrival_ns);
/* Fills all of the block but the ssrc, and begins the next interval. False
 * if nothing was received yet. */
bool recvstat_report(struct recvstat *s, uint64_t now_ns,
	struct rtcp_block *out);

#endif
