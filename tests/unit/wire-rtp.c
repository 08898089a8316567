/* RTP headers, their extensions, and telling protocols apart. */
#include "wire.h"

#include "base.h"
#include "hex.h"

static int parse(const char *s, struct rtp *out)
{
	static uint8_t *kept; /* until the next call: out lends from it */
	size_t n;
	free(kept);
	kept = NULL;
	if (!s)
		return 0;
	kept = hex(s, &n);
	return rtp_parse(out, kept, n);
}

static void plain(void **state)
{
	struct rtp h;
	(void)state;
	assert_int_equal(parse("80 ef 12 34 | 00 00 03 c0 | de ad be ef"
			       "| aa bb cc", &h), 0);
	assert_true(h.marker);
	assert_int_equal(h.pt, 111);
	assert_int_equal(h.seq, 0x1234);
	assert_int_equal(h.ts, 960);
	assert_int_equal(h.ssrc, 0xdeadbeef);
	assert_false(h.has_ext);
	assert_int_equal(h.header_len, 12);
	assert_int_equal(h.payload_len, 3);
	assert_int_equal(h.payload[0], 0xaa);
	assert_int_equal(h.padding_len, 0);
}

static void all_parts(void **state)
{
	struct rtp h;
	struct rtpext e;
	char mid[RTPEXT_MAX_TEXT + 1];
	(void)state;
	/* Two CSRCs, a one-byte extension (mid "0" as id 4), 3 of padding. */
	assert_int_equal(parse("b2 60 00 01 | 00 00 00 02 | 00 00 00 03"
			       "| 00 00 00 0a | 00 00 00 0b"
			       "| be de 00 01 | 40 30 00 00 | 55 | 00 00 03",
				 &h), 0);
	assert_int_equal(h.csrc_count, 2);
	assert_int_equal(be32(h.csrc + 4), 0x0b);
	assert_int_equal(h.ext_profile, RTPEXT_ONE_BYTE);
	assert_int_equal(h.ext_len, 4);
	assert_int_equal(h.header_len, 28);
	assert_int_equal(h.payload_len, 1);
	assert_int_equal(h.padding_len, 3);
	assert_true(rtpext_find(&h, 4, &e));
	assert_int_equal(rtpext_text(&e, mid), 0);
	assert_string_equal(mid, "0");
	assert_false(rtpext_find(&h, 5, &e));
}

static void probe(void **state)
{
	struct rtp h;
	(void)state;
	assert_int_equal(parse("a0 60 00 01 00000002 00000003 | 00 00 00 04",
				 &h), 0);
	assert_int_equal(h.payload_len, 0);
	assert_int_equal(h.padding_len, 4);
}

static void malformed(void **state)
{
	static const char *const bad[] = {
		"", "80", "80 60 00 01 00000002 000000", /* 11 bytes */
		"40 60 00 01 00000002 00000003",         /* version 1 */
		"8f 60 00 01 00000002 00000003 00000001", /* 1 CSRC of 15 */
		"90 60 00 01 00000002 00000003 bede00",  /* head cut off */
		"90 60 00 01 00000002 00000003 bede0001 000000",
		"90 60 00 01 00000002 00000003 bedeffff 00000000",
		"a0 60 00 01 00000002 00000003",         /* nothing to pad */
		"a0 60 00 01 00000002 00000003 00",      /* padding of 0 */
		"a0 60 00 01 00000002 00000003 aa 03",   /* padding > payload */
		"b0 60 00 01 00000002 00000003 bede0001 10000000 05",
	};
	struct rtp h;
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(parse(bad[i], &h), -EBADMSG);
}

static void srtp_head(void **state)
{
	/* Encrypted padding is not looked at. */
	size_t n;
	struct rtp h;
	uint8_t *p = hex("a0 60 00 01 00000002 00000003 | 11 22 33 ff", &n);
	(void)state;
	assert_int_equal(rtp_parse(&h, p, n), -EBADMSG);
	assert_int_equal(rtp_parse_head(&h, p, n), 0);
	assert_int_equal(h.payload_len, 4);
	free(p);
}

static void writing(void **state)
{
	uint8_t ext[32], csrc[4] = {0, 0, 0, 9}, out[64];
	struct rtp h = {.marker = true, .pt = 96, .seq = 65535, .ts = 90000,
		.ssrc = 0x01020304, .csrc_count = 1, .csrc = csrc};
	struct rtpext_writer w;
	(void)state;
	rtpext_open(&w, ext, sizeof(ext), false);
	rtpext_put_text(&w, 1, "cam");
	rtpext_put_abs(&w, 2, 0xabcdef);
	rtpext_put_twcc(&w, 3, 0x0102);
	rtpext_put_level(&w, 4, 30, true);
	assert_int_equal(rtpext_close(&w, &h), 0);
	int n = rtp_write(out, sizeof(out), &h);
	assert_int_equal(n, rtp_header_len(&h));
	assert_bytes(out, (size_t)n,
		"91 e0 ff ff | 00 01 5f 90 | 01 02 03 04 | 00 00 00 09"
		"| be de 00 04 | 12 63 61 6d | 22 ab cd ef | 31 01 02 40"
		"| 9e 00 00 00");
	assert_int_equal(rtp_write(out, (size_t)n - 1, &h), -ENOBUFS);
	h.pt = 128;
	assert_int_equal(rtp_write(out, sizeof(out), &h), -EINVAL);
}

static void two_bytes(void **state)
{
	uint8_t ext[24], out[64], level;
	uint16_t seq;
	uint32_t abs;
	bool voice;
	struct rtp h = {.pt = 96}, again;
	struct rtpext_writer w;
	struct rtpext e;
	char text[RTPEXT_MAX_TEXT + 1];
	(void)state;
	rtpext_open(&w, ext, sizeof(ext), true);
	rtpext_put(&w, 200, "", 0);
	rtpext_put_text(&w, 15, "h");
	rtpext_put_level(&w, 1, 127, false);
	rtpext_put_abs(&w, 2, 1);
	rtpext_put_twcc(&w, 3, 65535);
	assert_int_equal(rtpext_close(&w, &h), 0);
	int n = rtp_write(out, sizeof(out), &h);
	assert_bytes(out, (size_t)n, "90 60 00 00 00000000 00000000"
		"| 10 00 00 05 | c8 00 0f 01 68 | 01 01 7f | 02 03 00 00 01"
		"| 03 02 ff ff | 00 00 00");
	assert_int_equal(rtp_parse(&again, out, (size_t)n), 0);
	assert_true(rtpext_find(&again, 200, &e));
	assert_int_equal(e.len, 0);
	assert_int_equal(rtpext_text(&e, text), -EBADMSG);
	assert_true(rtpext_find(&again, 15, &e));
	assert_int_equal(rtpext_text(&e, text), 0);
	assert_string_equal(text, "h");
	assert_true(rtpext_find(&again, 1, &e));
	assert_int_equal(rtpext_level(&e, &level, &voice), 0);
	assert_int_equal(level, 127);
	assert_false(voice);
	assert_int_equal(rtpext_twcc(&e, &seq), -EBADMSG);
	assert_true(rtpext_find(&again, 2, &e));
	assert_int_equal(rtpext_abs(&e, &abs), 0);
	assert_int_equal(abs, 1);
	assert_int_equal(rtpext_level(&e, &level, NULL), -EBADMSG);
	assert_true(rtpext_find(&again, 3, &e));
	assert_int_equal(rtpext_twcc(&e, &seq), 0);
	assert_int_equal(seq, 65535);
	assert_int_equal(rtpext_abs(&e, &abs), -EBADMSG);
}

/* How many elements a lying extension yields, and whether it was bad. */
static unsigned count(const char *s, bool *bad)
{
	struct rtp h;
	struct rtpext e;
	unsigned n = 0;
	assert_int_equal(parse(s, &h), 0);
	struct rtpext_iter it = rtpext_iter(&h);
	while (rtpext_next(&it, &e))
		n++;
	*bad = it.bad;
	return n;
}

static void extension_lies(void **state)
{
#define HEAD "90 60 0001 00000002 00000003 "
	bool bad;
	(void)state;
	/* The second element claims 16 bytes of 1. */
	assert_int_equal(count(HEAD "bede 0001 10 aa 2f bb", &bad), 1);
	assert_true(bad);
	/* Two-byte form: a length past the end; an id without a length. */
	assert_int_equal(count(HEAD "1000 0001 01 ff 00 00", &bad), 0);
	assert_true(bad);
	assert_int_equal(count(HEAD "1000 0001 01 01 aa 02", &bad), 1);
	assert_true(bad);
	/* Padding between elements; id 15 ends; id 0 with a length ends. */
	assert_int_equal(count(HEAD "bede 0002 10 aa 00 00 20 bb 00 00", &bad),
		2);
	assert_false(bad);
	assert_int_equal(count(HEAD "bede 0002 10 aa f0 00 20 bb 00 00", &bad),
		1);
	assert_false(bad);
	assert_int_equal(count(HEAD "bede 0002 10 aa 01 00 20 bb 00 00", &bad),
		1);
	assert_false(bad);
	/* A foreign profile has no elements, nor has an empty extension. */
	assert_int_equal(count(HEAD "1234 0001 10 aa 20 bb", &bad), 0);
	assert_int_equal(count(HEAD "bede 0000", &bad), 0);
	/* The application's bits of the two-byte profile do not matter. */
	assert_int_equal(count(HEAD "100f 0001 01 00 02 00", &bad), 2);
}

static void writer_limits(void **state)
{
	uint8_t ext[4];
	struct rtp h = {0};
	struct rtpext_writer w;
	(void)state;
	rtpext_open(&w, ext, sizeof(ext), false);
	assert_int_equal(rtpext_close(&w, &h), 0);
	assert_false(h.has_ext);
	rtpext_open(&w, ext, sizeof(ext), false);
	rtpext_put(&w, 15, "x", 1);
	assert_int_equal(rtpext_close(&w, &h), -EINVAL);
	rtpext_open(&w, ext, sizeof(ext), false);
	rtpext_put(&w, 1, "x", 0);
	assert_int_equal(rtpext_close(&w, &h), -EINVAL);
	rtpext_open(&w, ext, sizeof(ext), false);
	rtpext_put(&w, 1, "0123456789abcdefg", 17);
	assert_int_equal(rtpext_close(&w, &h), -EINVAL);
	rtpext_open(&w, ext, sizeof(ext), false);
	rtpext_put(&w, 1, "0123", 4);
	assert_int_equal(rtpext_close(&w, &h), -ENOBUFS);
	assert_false(h.has_ext);
}

static void texts(void **state)
{
	char out[RTPEXT_MAX_TEXT + 1];
	uint8_t data[33];
	struct rtpext e = {.id = 1, .len = 3, .data = data};
	(void)state;
	memcpy(data, "a\0b", 3);
	assert_int_equal(rtpext_text(&e, out), -EBADMSG);
	memcpy(data, "a b", 3);
	assert_int_equal(rtpext_text(&e, out), -EBADMSG);
	memset(data, 'x', sizeof(data));
	e.len = 33;
	assert_int_equal(rtpext_text(&e, out), -EBADMSG);
	e.len = 32;
	assert_int_equal(rtpext_text(&e, out), 0);
	assert_int_equal(strlen(out), 32);
}

static void send_times(void **state)
{
	(void)state;
	assert_int_equal(rtpext_abs_send_time(0), 0);
	assert_int_equal(rtpext_abs_send_time(NS_PER_S), 1 << 18);
	assert_int_equal(rtpext_abs_send_time(NS_PER_S / 2), 1 << 17);
	assert_int_equal(rtpext_abs_send_time(63 * NS_PER_S + 999999999),
		0xffffff);
	assert_int_equal(rtpext_abs_send_time(64 * NS_PER_S), 0);
	assert_int_equal(rtpext_abs_send_time(UINT64_MAX) >> 24, 0);
}

static void in_place(void **state)
{
	size_t n;
	uint8_t *p = hex("80 6f 00 01 00000002 00000003 aa", &n);
	(void)state;
	rtp_set_pt(p, 96);
	rtp_set_marker(p, true);
	rtp_set_seq(p, 0xfffe);
	rtp_set_ts(p, 0x11223344);
	rtp_set_ssrc(p, 0x55667788);
	assert_bytes(p, n, "80 e0 ff fe 11 22 33 44 55 66 77 88 aa");
	rtp_set_pt(p, 97);
	rtp_set_marker(p, false);
	assert_bytes(p, 2, "80 61");
	free(p);
}

static void demuxing(void **state)
{
	static const struct {
		uint8_t b0, b1;
		size_t n;
		enum demux want;
	} cases[] = {
		{0, 1, 20, DEMUX_STUN},      {3, 0, 19, DEMUX_NONE},
		{1, 1, 108, DEMUX_STUN},     {4, 0, 100, DEMUX_NONE},
		{19, 0, 100, DEMUX_NONE},    {20, 0xfe, 13, DEMUX_DTLS},
		{22, 0xfe, 12, DEMUX_NONE},  {63, 0, 100, DEMUX_DTLS},
		{64, 0, 100, DEMUX_NONE},    {127, 0, 100, DEMUX_NONE},
		{128, 111, 12, DEMUX_RTP},   {128, 111, 11, DEMUX_NONE},
		{0x90, 0xef, 50, DEMUX_RTP}, {128, 191, 50, DEMUX_RTP},
		{128, 192, 8, DEMUX_RTCP},   {0x81, 200, 28, DEMUX_RTCP},
		{128, 223, 8, DEMUX_RTCP},   {128, 224, 12, DEMUX_RTP},
		{191, 206, 7, DEMUX_NONE},   {192, 0, 100, DEMUX_NONE},
		{255, 255, 100, DEMUX_NONE}, {128, 200, 0, DEMUX_NONE},
	};
	uint8_t p[108] = {0};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		p[0] = cases[i].b0;
		p[1] = cases[i].b1;
		assert_int_equal(demux(p, cases[i].n), cases[i].want);
	}
}

static void bus_header(void **state)
{
	struct bushdr h = {.kind = BUS_RTP, .track = 0x0102,
		.flags = 0x03040506, .arrival_ns = 0x1112131415161718};
	struct bushdr again;
	uint8_t p[BUSHDR_BYTES];
	(void)state;
	bushdr_write(p, &h);
	assert_bytes(p, sizeof(p), "01 01 02 01 | 06 05 04 03"
		"| 18 17 16 15 14 13 12 11");
	assert_int_equal(bushdr_parse(&again, p, BUS_MAX_BYTES), 0);
	assert_int_equal(again.kind, BUS_RTP);
	assert_int_equal(again.track, 0x0102);
	assert_int_equal(again.flags, 0x03040506);
	assert_int_equal(again.arrival_ns, 0x1112131415161718);
	assert_int_equal(bushdr_parse(&again, p, BUSHDR_BYTES - 1), -EBADMSG);
	assert_int_equal(bushdr_parse(&again, p, BUS_MAX_BYTES + 1), -EMSGSIZE);
	p[1] = BUS_JSON;
	assert_int_equal(bushdr_parse(&again, p, BUS_MAX_JSON), 0);
	assert_int_equal(bushdr_parse(&again, p, BUS_MAX_JSON + 1), -EMSGSIZE);
	p[1] = 3;
	assert_int_equal(bushdr_parse(&again, p, 16), -EBADMSG);
	p[0] = 2;
	assert_int_equal(bushdr_parse(&again, p, 16), -EPROTONOSUPPORT);
}

static int drop(void **state)
{
	(void)state;
	return parse(NULL, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain),
		cmocka_unit_test(all_parts),
		cmocka_unit_test(probe),
		cmocka_unit_test(malformed),
		cmocka_unit_test(srtp_head),
		cmocka_unit_test(writing),
		cmocka_unit_test(two_bytes),
		cmocka_unit_test(extension_lies),
		cmocka_unit_test(writer_limits),
		cmocka_unit_test(texts),
		cmocka_unit_test(send_times),
		cmocka_unit_test(in_place),
		cmocka_unit_test(demuxing),
		cmocka_unit_test(bus_header),
	};
	return cmocka_run_group_tests_name("wire-rtp", tests, NULL, drop);
}
