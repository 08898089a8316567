/* Feedback by operations of three bytes: each parses, says received of what
 * came and when, and there is an end to it. */
#include "fuzz.h"
#include "base.h"
#include "wire.h"
#include "flow.h"

struct model {
	uint64_t at_ns[65536]; /* of the last copies; 0: never came */
	uint64_t first_ns[65536];
	uint16_t newest;
	uint64_t now;
};

static void read_back(const struct model *m, const struct buf *b)
{
	struct rtcp_iter it = rtcp_iter(b->data, b->len);
	struct rtcp_twcc_status s;
	struct rtcp_twcc t;
	struct rtcp_fb fb;
	struct rtcp r;
	bool any = false;

	CHECK(rtcp_next(&it, &r) == 1 && rtcp_fb(&r, &fb) == 0);
	CHECK(rtcp_twcc(&fb, &t) == 0 && b->len <= 1500);
	while (rtcp_twcc_next(&t, &s)) {
		int64_t early, late;

		if (!s.received)
			continue;
		any = true;
		CHECK(m->at_ns[s.seq]);
		/* 24 bits of 64 ms go round; the model's time does not. */
		early = s.at_us - (int64_t)(m->first_ns[s.seq] / 1000);
		late = s.at_us - (int64_t)(m->at_ns[s.seq] / 1000);
		CHECK(early >= -RTCP_TWCC_TICK_US && late <= RTCP_TWCC_TICK_US);
	}
	CHECK(any && rtcp_next(&it, &r) == 0);
}

static void take(struct model *m, struct twccgen *t)
{
	struct buf b = {0};
	unsigned rounds = 0;

	while (twccgen_take(t, 1, 2, m->now, &b) == 1) {
		read_back(m, &b);
		buf_clear(&b);
		CHECK(++rounds <= TWCCGEN_WINDOW);
	}
	CHECK(twccgen_deadline(t) > m->now);
	buf_free(&b);
}

static void packet(struct model *m, struct twccgen *t, uint16_t seq)
{
	if (seq_newer(seq, m->newest))
		m->newest = seq;
	if (!m->first_ns[seq])
		m->first_ns[seq] = m->now;
	m->at_ns[seq] = m->now;
	twccgen_packet(t, seq, m->now);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct model *m = calloc(1, sizeof(*m));
	struct twccgen *t = twccgen_new();

	CHECK(m && t);
	m->now = NS_PER_S;
	for (size_t i = 0; i + 3 <= n; i += 3) {
		uint16_t a = be16(p + i + 1);

		switch (p[i] & 7) {
		case 0:
			take(m, t);
			break;
		case 1: /* up to 16 s */
			m->now += a * NS_PER_MS / 4;
			break;
		case 2:
			packet(m, t, (uint16_t)(m->newest - a % 4096));
			break;
		case 3:
			packet(m, t, (uint16_t)(m->newest + a % 4096));
			break;
		case 4:
			packet(m, t, a);
			break;
		default:
			m->now += (a & 0xff) * NS_PER_MS / 16;
			packet(m, t, (uint16_t)(m->newest + 1 + (a >> 13)));
		}
	}
	twccgen_free(t);
	free(m);
	return 0;
}
