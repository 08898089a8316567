/* recvstat - the reception statistics of RFC 3550. */
#include "base.h"
#include "flow.h"
#include "wire.h"

#define SEQ_MOD UINT32_C(65536)
#define NO_BAD  (SEQ_MOD + 1)

void recvstat_init(struct recvstat *s, uint32_t clock_hz, unsigned probation)
{
	*s = (struct recvstat){
		.clock_hz = clock_hz,
		.sequential = probation,
		.probation = probation,
		.bad_seq = NO_BAD,
	};
}

static void restart(struct recvstat *s, uint16_t seq)
{
	s->started = true;
	s->base_seq = seq;
	s->max_seq = seq;
	s->bad_seq = NO_BAD;
	s->cycles = 0;
	s->received = s->received_prior = s->expected_prior = 0;
	s->has_transit = false;
	s->jitter_q4 = 0;
}

static int prove(struct recvstat *s, uint16_t seq)
{
	if (!s->started || seq != (uint16_t)(s->max_seq + 1))
		s->probation = s->sequential;
	restart(s, seq);
	return --s->probation ? -EAGAIN : 0;
}

/* RFC 3550 A.1. */
static int sequence(struct recvstat *s, uint16_t seq)
{
	uint16_t delta = (uint16_t)(seq - s->max_seq);

	if (s->probation)
		return prove(s, seq);
	if (!s->started) {
		restart(s, seq);
	} else if (delta < RECVSTAT_MAX_DROPOUT) {
		if (seq < s->max_seq)
			s->cycles += SEQ_MOD;
		s->max_seq = seq;
	} else if (delta <= SEQ_MOD - RECVSTAT_MAX_MISORDER) {
		if (seq != s->bad_seq) {
			s->bad_seq = (seq + UINT32_C(1)) % SEQ_MOD;
			return -ESTALE;
		}
		restart(s, seq);
	}
	return 0;
}

/* RFC 3550 A.8, of packets that begin a frame: those of one video frame
 * share a timestamp, and would count the sender's pacing as jitter. */
static void jitter(struct recvstat *s, uint32_t rtp_ts, uint64_t arrival_ns)
{
	uint32_t arrival = (uint32_t)ns_to_ticks(arrival_ns, s->clock_hz);
	uint32_t transit = arrival - rtp_ts;
	int32_t d = (int32_t)(transit - s->transit);
	uint32_t abs = d < 0 ? UINT32_C(0) - (uint32_t)d : (uint32_t)d;

	if (s->has_transit && rtp_ts == s->last_ts)
		return;
	/* More than 10 s is a new clock, not jitter. */
	if (s->has_transit && abs / 10 <= s->clock_hz)
		s->jitter_q4 += abs - ((s->jitter_q4 + 8) >> 4);
	s->transit = transit;
	s->last_ts = rtp_ts;
	s->has_transit = true;
}

int recvstat_packet(struct recvstat *s, uint16_t seq, uint32_t rtp_ts,
	uint64_t bytes, uint64_t arrival_ns)
{
	int rc = sequence(s, seq);

	if (rc < 0)
		return rc;
	s->received++;
	s->packets++;
	s->bytes += bytes;
	jitter(s, rtp_ts, arrival_ns);
	return 0;
}

void recvstat_sr(struct recvstat *s, uint64_t ntp, uint64_t arrival_ns)
{
	s->lsr = (uint32_t)(ntp >> 16);
	s->lsr_ns = arrival_ns;
}

bool recvstat_report(struct recvstat *s, uint64_t now_ns,
	struct rtcp_block *out)
{
	uint32_t highest = s->cycles + s->max_seq;
	uint32_t expected = highest - s->base_seq + 1;
	uint32_t due = expected - s->expected_prior;
	int64_t lost = (int64_t)expected - s->received;
	int64_t gone = (int64_t)due - (s->received - s->received_prior);
	uint64_t since = now_ns > s->lsr_ns ? now_ns - s->lsr_ns : 0;

	if (!s->started || s->probation)
		return false;
	s->expected_prior = expected;
	s->received_prior = s->received;
	out->fraction_lost = 0;
	if (due && gone > 0)
		out->fraction_lost = (uint8_t)MIN(gone * 256 / due, 255);
	out->lost = (int32_t)MAX(MIN(lost, 0x7fffff), -0x800000);
	out->highest_seq = highest;
	out->jitter = s->jitter_q4 >> 4;
	out->lsr = s->lsr;
	out->dlsr = s->lsr ? (uint32_t)MIN(ns_to_ticks(since, 65536),
				     UINT32_MAX) : 0;
	return true;
}
