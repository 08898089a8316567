/* Rewriting by operations of four bytes: no number goes out twice, a switch
 * leaves no gap, and time and pictures do not go back in order of sequence. */
#include "fuzz.h"
#include "base.h"
#include "wire.h"
#include "flow.h"

struct model {
	struct rewrite w;
	struct rewrite_in in; /* of the source's newest */
	struct vp8 vp8;
	uint8_t sent[8192];
	bool started;
	uint16_t out;
	uint32_t ts;
	uint16_t id;
};

static void check(struct model *m, const struct rewrite_out *out,
	const struct vp8 *v)
{
	uint16_t step = (uint16_t)(out->seq - m->out);
	unsigned gone = (out->seq + 0x4000u) & 0xffff;
	uint8_t head[REWRITE_MAX_VP8];
	struct vp8 again;
	size_t n;

	CHECK(!(m->sent[out->seq / 8] >> out->seq % 8 & 1));
	m->sent[out->seq / 8] |= (uint8_t)(1u << out->seq % 8);
	for (unsigned i = 0; i < 1024; i++) /* what went round the circle */
		m->sent[(gone / 8 + i) % 8192] = 0;
	CHECK(!m->started || !out->restarted || step == 1);
	if (m->started && step < 0x8000)
		CHECK(ts_diff(out->rtp_ts, m->ts) >= 0);
	if (v) {
		uint8_t body[REWRITE_MAX_VP8 + 1] = {0};

		n = rewrite_vp8(head, v, out);
		CHECK(n >= 3 && n >= v->header_len);
		memcpy(body, head, n);
		body[n] = 1;
		CHECK(vp8_parse(&again, body, n + 1) == 0);
		CHECK(again.picture_id == out->picture_id);
		CHECK(again.tid == v->tid && again.keyidx == v->keyidx);
		if (m->started && out->restarted)
			CHECK(out->picture_id == ((m->id + 1) & 0x7fff));
	}
	if (!m->started || step < 0x8000) {
		m->out = out->seq;
		m->ts = out->rtp_ts;
		m->id = out->picture_id;
	}
	m->started = true;
}

static void set_vp8(struct model *m, unsigned bits)
{
	uint8_t d[VP8_MAX_HEADER + 1] = {0};
	struct vp8 v = {
		.start = bits & 1,
		.has_picture_id = bits & 2,
		.picture_id_15 = bits & 4,
		.picture_id = m->vp8.picture_id + (bits >> 6 & 3u),
		.has_tl0picidx = bits & 8,
		.tl0picidx = (uint8_t)(m->vp8.tl0picidx + (bits >> 5 & 1)),
		.has_tid = bits & 16,
		.tid = bits >> 6 & 3,
	};
	int n;

	v.picture_id &= v.picture_id_15 ? 0x7fff : 0x7f;
	n = vp8_write(d, sizeof(d), &v);
	CHECK(n > 0);
	d[n] = 1; /* no key frame */
	CHECK(vp8_parse(&m->vp8, d, (size_t)n + 1) == 0);
}

static void step(struct model *m, bool vp8, const uint8_t b[static 4])
{
	struct rewrite_in in = m->in;
	struct rewrite_out out;

	switch (b[0] & 7) {
	case 0: /* far away */
		in.seq = be16(b + 2);
		in.rtp_ts += (uint32_t)b[1] << 24;
		break;
	case 1: /* late, or again */
		in.seq = (uint16_t)(in.seq - b[1]);
		in.rtp_ts -= b[2] * 100u;
		break;
	case 2:
		rewrite_switch(&m->w);
		return;
	default: /* onward, with losses */
		in.seq = (uint16_t)(in.seq + 1 + (b[1] & 3));
		in.rtp_ts += (b[1] >> 2 & 3) * 960u;
		in.arrival_ns += b[2] * NS_PER_MS;
		if (vp8)
			set_vp8(m, b[3]);
		break;
	}
	in.vp8 = vp8 ? &m->vp8 : NULL;
	m->in = in;
	if ((b[0] >> 3 & 3) == 3)
		rewrite_drop(&m->w, &in);
	else if (rewrite_packet(&m->w, &in, &out) == 0)
		check(m, &out, in.vp8);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct model *m;

	if (n < 4)
		return 0;
	m = calloc(1, sizeof(*m));
	CHECK(m);
	rewrite_init(&m->w, 90000, be16(p + 1), be32(p), 32760);
	m->in.seq = be16(p);
	m->vp8.header_len = 1;
	for (size_t i = 4; i + 4 <= n; i += 4)
		step(m, p[0] & 1, p + i);
	free(m);
	return 0;
}
