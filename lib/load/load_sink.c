/* load_sink - a received stream. */
#include "base.h"
#include "load_gen_priv.h"
#include "load_sink_priv.h"
#include "wire.h"

/* The number with these low 16 bits that is nearest to what was highest. */
static uint64_t extend(uint64_t near, uint16_t seq)
{
	return near + (uint64_t)(int64_t)(int16_t)(uint16_t)(seq -
		(uint16_t)near);
}

static void count(struct load_sink *s, const struct peer_rtp *pkt)
{
	uint64_t seq = s->started ? extend(s->highest, pkt->seq) :
		UINT64_C(0x10000) + pkt->seq;

	if (!s->started)
		s->first = s->highest = seq;
	s->started = true;
	s->first = MIN(s->first, seq);
	s->highest = MAX(s->highest, seq);
	s->packets++;
	s->bytes += pkt->len;
}

/* What is repaired comes behind packets of later frames. */
static struct load_frame *frame_of(struct load_sink *s, uint32_t rtp_ts)
{
	struct load_frame *f;

	for (unsigned i = 0; i < LOAD_SINK_FRAMES; i++)
		if (s->frames[i].packets && s->frames[i].rtp_ts == rtp_ts)
			return &s->frames[i];
	f = &s->frames[s->next_frame++ % LOAD_SINK_FRAMES];
	*f = (struct load_frame){.rtp_ts = rtp_ts};
	return f;
}

/* Of packets in any order, each once: do they make a key frame? */
static bool key_is_whole(struct load_sink *s, const struct peer_rtp *pkt)
{
	struct load_frame *f = frame_of(s, pkt->rtp_ts);
	struct vp8 v;

	f->packets++;
	if (vp8_parse(&v, pkt->payload, pkt->len) == 0 && v.frame_start &&
		v.key) {
		f->begun = true;
		f->first = pkt->seq;
	}
	if (pkt->marker) {
		f->ended = true;
		f->last = pkt->seq;
	}
	return f->begun && f->ended &&
		f->packets == (uint16_t)(f->last - f->first) + 1u;
}

bool load_sink_take(struct load_sink *s, const struct peer_rtp *pkt,
	bool video, struct load_hist *delays)
{
	struct load_stamp stamp;

	count(s, pkt);
	if (load_stamp_read(pkt->payload, pkt->len, &stamp) &&
		stamp.sent_ns <= pkt->arrival_ns)
		load_hist_add(delays, (pkt->arrival_ns - stamp.sent_ns) /
			1000);
	if (s->whole || (video && !key_is_whole(s, pkt)))
		return false;
	s->whole = true;
	return true;
}

uint64_t load_sink_expected(const struct load_sink *s)
{
	return s->started ? s->highest - s->first + 1 : 0;
}

uint64_t load_sink_lost(const struct load_sink *s)
{
	uint64_t expected = load_sink_expected(s);

	return expected > s->packets ? expected - s->packets : 0;
}
