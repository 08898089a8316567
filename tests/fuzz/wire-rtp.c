/* RTP headers and extensions: what is written from a parsed header reads
 * back alike, and the elements survive a change of form. */
#include "wire.h"

#include "base.h"
#include "fuzz.h"

static void codecs(const struct rtpext *e)
{
	char text[RTPEXT_MAX_TEXT + 1];
	uint32_t abs;
	uint16_t seq;
	uint8_t level;
	bool voice;
	if (!rtpext_text(e, text))
		CHECK(strlen(text) == e->len);
	rtpext_abs(e, &abs);
	rtpext_twcc(e, &seq);
	if (!rtpext_level(e, &level, &voice))
		CHECK(level <= 127);
}

/* Every element in two-byte form, and back. */
static void reform(const struct rtp *h)
{
	static uint8_t mem[1 << 19], out[(1 << 19) + 128];
	struct rtpext_iter one = rtpext_iter(h), two;
	struct rtpext_writer w;
	struct rtpext a, b;
	struct rtp copy = *h, again;
	if (h->ext_len > sizeof(mem) / 2)
		return;
	rtpext_open(&w, mem, sizeof(mem), true);
	while (rtpext_next(&one, &a)) {
		touch(a.data, a.len);
		codecs(&a);
		rtpext_put(&w, a.id, a.data, a.len);
	}
	int rc = rtpext_close(&w, &copy);
	CHECK(!rc && copy.ext_len % 4 == 0);
	int len = rtp_write(out, sizeof(out), &copy);
	if (copy.ext_len / 4 > 0xffff) {
		CHECK(len == -EINVAL);
		return;
	}
	CHECK(len > 0 && !rtp_parse_head(&again, out, (size_t)len));
	one = rtpext_iter(h);
	two = rtpext_iter(&again);
	while (rtpext_next(&one, &a)) {
		CHECK(rtpext_next(&two, &b));
		CHECK(a.id == b.id && a.len == b.len);
		CHECK(!memcmp(a.data, b.data, a.len));
	}
	CHECK(!rtpext_next(&two, &b) && !two.bad);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct rtp h, head, again;
	enum demux kind = demux(p, n);
	CHECK(kind <= DEMUX_RTCP);
	int rc = rtp_parse_head(&head, p, n);
	if (rtp_parse(&h, p, n))
		return 0;
	CHECK(!rc && head.payload == h.payload);
	CHECK(h.header_len + h.payload_len + h.padding_len == n);
	CHECK(h.header_len == rtp_header_len(&h));
	touch(h.payload, h.payload_len);
	touch(h.csrc, 4u * h.csrc_count);
	uint8_t *out = malloc(n);
	CHECK(rtp_write(out, h.header_len - 1, &h) == -ENOBUFS);
	CHECK(rtp_write(out, n, &h) == (int)h.header_len);
	CHECK((out[0] | 0x20) == (p[0] | 0x20));
	CHECK(!memcmp(out + 1, p + 1, h.header_len - 1));
	memcpy(out + h.header_len, h.payload, h.payload_len);
	rtp_set_ssrc(out, ~h.ssrc);
	rtp_set_seq(out, (uint16_t)(h.seq + 1));
	rtp_set_ts(out, h.ts + 1);
	rtp_set_pt(out, h.pt ^ 1);
	rtp_set_marker(out, !h.marker);
	CHECK(!rtp_parse(&again, out, h.header_len + h.payload_len));
	CHECK(again.ssrc == ~h.ssrc && again.pt == (h.pt ^ 1));
	CHECK(again.seq == (uint16_t)(h.seq + 1) && again.ts == h.ts + 1);
	CHECK(again.marker != h.marker);
	CHECK(again.payload_len == h.payload_len);
	reform(&h);
	free(out);
	return 0;
}
