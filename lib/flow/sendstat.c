/* sendstat - sender reports, and round trips from reports about us. */
#include "base.h"
#include "flow.h"
#include "wire.h"

#define NTP_1970 UINT64_C(2208988800) /* seconds from 1900 */

uint64_t sendstat_ntp(uint64_t unix_ns)
{
	uint64_t s = unix_ns / NS_PER_S + NTP_1970;

	return s << 32 | ((unix_ns % NS_PER_S) << 32) / NS_PER_S;
}

void sendstat_init(struct sendstat *s, uint32_t clock_hz)
{
	*s = (struct sendstat){.clock_hz = clock_hz};
}

void sendstat_sent(struct sendstat *s, uint32_t rtp_ts, uint64_t len,
	uint64_t now_ns)
{
	if (!s->started || ts_diff(rtp_ts, s->rtp_ts) > 0) {
		s->rtp_ts = rtp_ts;
		s->sent_ns = now_ns;
		s->started = true;
	}
	s->packets++;
	s->octets += (uint32_t)len;
}

void sendstat_clock(struct sendstat *s, uint32_t rtp_ts, uint64_t at_ns)
{
	s->clock_ts = rtp_ts;
	s->clock_ns = at_ns;
}

bool sendstat_sr(const struct sendstat *s, uint64_t now_ns, uint64_t now_ntp,
	struct rtcp_sr *out)
{
	uint64_t from = s->clock_ns ? s->clock_ns : s->sent_ns;
	uint32_t ts = s->clock_ns ? s->clock_ts : s->rtp_ts;
	uint64_t since = now_ns > from ? now_ns - from : 0;

	if (!s->started)
		return false;
	out->ntp = now_ntp;
	out->rtp_ts = ts + (uint32_t)ns_to_ticks(since, s->clock_hz);
	out->packets = s->packets;
	out->octets = s->octets;
	return true;
}

void sendstat_block(struct sendstat *s, const struct rtcp_block *b,
	uint64_t now_ntp)
{
	uint32_t rtt = (uint32_t)(now_ntp >> 16) - b->lsr - b->dlsr;
	uint64_t ns = (uint64_t)rtt * NS_PER_S / 65536;

	s->fraction_lost = b->fraction_lost;
	s->lost = b->lost;
	s->jitter = b->jitter;
	if (!b->lsr || rtt > 10 * UINT32_C(65536))
		return;
	s->rtt_ns = s->has_rtt ? s->rtt_ns - s->rtt_ns / 8 + ns / 8 : ns;
	s->has_rtt = true;
}

uint64_t sendstat_rtt(const struct sendstat *s, uint64_t fallback_ns)
{
	return s->has_rtt ? s->rtt_ns : fallback_ns;
}
