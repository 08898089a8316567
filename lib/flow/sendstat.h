/* sendstat - what a sender report says (RFC 3550 section 6.4.1), and the
 * round-trip time from reports about us.
 *
 * ntp is the wall clock as NTP 32.32; sendstat_ntp makes it from ns since
 * 1970. The same clock must be used for a report and for the answer to it.
 */
#ifndef SENDSTAT_H
#define SENDSTAT_H

#include <stdbool.h>
#include <stdint.h>

struct rtcp_sr;
struct rtcp_block;

struct sendstat {
	uint32_t clock_hz;
	bool started;
	uint32_t rtp_ts; /* of the newest packet */
	uint64_t sent_ns;
	uint64_t clock_ns; /* 0: only what was sent is known */
	uint32_t clock_ts;
	uint32_t packets;
	uint32_t octets;
	bool has_rtt;
	uint64_t rtt_ns; /* smoothed by 1/8, as TCP does */
	uint8_t fraction_lost;
	int32_t lost;
	uint32_t jitter;
};

uint64_t sendstat_ntp(uint64_t unix_ns);

void sendstat_init(struct sendstat *s, uint32_t clock_hz);
/* len: of the payload. Older timestamps (reordering) do not move the map. */
void sendstat_sent(struct sendstat *s, uint32_t rtp_ts, uint64_t len,
	uint64_t now_ns);
/* What is sent with rtp_ts was captured at at_ns, on the clock of now_ns; 0:
 * not known any more, then the sending is taken for it. */
void sendstat_clock(struct sendstat *s, uint32_t rtp_ts, uint64_t at_ns);
/* All but the ssrc; rtp_ts is that of this very instant. False if nothing
 * was sent. */
bool sendstat_sr(const struct sendstat *s, uint64_t now_ns, uint64_t now_ntp,
	struct rtcp_sr *out);
/* A block about us came. An impossible round trip (negative, over 10 s) is
 * not believed. */
void sendstat_block(struct sendstat *s, const struct rtcp_block *b,
	uint64_t now_ntp);
/* fallback_ns until one was measured. */
uint64_t sendstat_rtt(const struct sendstat *s, uint64_t fallback_ns);

#endif
