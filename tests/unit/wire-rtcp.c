/* Control packets: compound walking, reports, feedback, transport-cc. */
#include "wire.h"

#include "base.h"
#include "hex.h"

/* The first packet of a compound written as hex; *p is to be freed. */
static struct rtcp first(const char *s, uint8_t **p)
{
	size_t n;
	struct rtcp r;
	*p = hex(s, &n);
	struct rtcp_iter it = rtcp_iter(*p, n);
	assert_int_equal(rtcp_next(&it, &r), 1);
	return r;
}

static int walk(const char *s, unsigned *packets)
{
	size_t n;
	uint8_t *p = hex(s, &n);
	struct rtcp_iter it = rtcp_iter(p, n);
	struct rtcp r;
	int rc;
	*packets = 0;
	while ((rc = rtcp_next(&it, &r)) == 1)
		++*packets;
	assert_int_equal(rtcp_next(&it, &r), 0);
	free(p);
	return rc;
}

static void compounds(void **state)
{
	unsigned n;
	(void)state;
	assert_int_equal(walk("", &n), 0);
	assert_int_equal(n, 0);
	/* RR without blocks, SDES with a CNAME, PLI. */
	assert_int_equal(walk("80 c9 0001 00000001"
			      "| 81 ca 0002 00000001 01 01 61 00"
			      "| 81 ce 0002 00000001 00000002", &n), 0);
	assert_int_equal(n, 3);
	/* A reduced-size packet, XR and an unknown type are walked over. */
	assert_int_equal(walk("81 ce 0002 00000001 00000002"
			      "| 80 cf 0001 00000001 | 80 df 0000", &n), 0);
	assert_int_equal(n, 3);
	/* Padding of 4, last or not. */
	assert_int_equal(walk("a0 c9 0002 00000001 00000004"
			      "| 80 c9 0001 00000001", &n), 0);
	assert_int_equal(n, 2);
}

static void compound_lies(void **state)
{
	static const struct {
		const char *bytes;
		unsigned before;
	} bad[] = {
		{"80 c9 00", 0},
		{"40 c9 0000", 0},                         /* version 1 */
		{"80 c9 0002 00000001", 0},                /* too long by 4 */
		{"80 c9 ffff 00000001", 0},
		{"80 c9 0001 00000001 80", 1},             /* one byte more */
		{"80 c9 0001 00000001 81 cd 0003 00000001 00000002 0001", 1},
		{"a0 c9 0001 00000000", 0},                /* padding 0 */
		{"a0 c9 0001 00000005", 0},                /* padding > body */
		{"a0 c9 0000", 0},                         /* of nothing */
	};
	unsigned n;
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_int_equal(walk(bad[i].bytes, &n), -EBADMSG);
		assert_int_equal(n, bad[i].before);
	}
}

static void sender_report(void **state)
{
	static const char bytes[] =
		"82 c8 0012 | 00000001 | e0000001 80000000 | 00002ee0"
		"| 00000064 | 00002710"
		"| 00000002 40 ffffff 00010203 0000000a 00018000 00008000"
		"| 00000003 00 7fffff 00000001 00000000 00000000 00000000";
	struct rtcp_block b[3], blocks[2] = {
		{.ssrc = 2, .fraction_lost = 64, .lost = -1,
			.highest_seq = 0x10203, .jitter = 10,
			.lsr = 0x18000, .dlsr = 0x8000},
		{.ssrc = 3, .lost = 0x1234567, .highest_seq = 1},
	};
	struct rtcp_sr sr = {.ssrc = 1, .ntp = 0xe000000180000000,
		.rtp_ts = 12000, .packets = 100, .octets = 10000}, got;
	struct buf out = {0};
	uint8_t *p;
	(void)state;
	assert_int_equal(rtcp_write_sr(&out, &sr, blocks, 2), 0);
	assert_bytes(out.data, out.len, bytes);
	buf_free(&out);
	struct rtcp r = first(bytes, &p);
	assert_int_equal(rtcp_sr(&r, &got), 0);
	assert_int_equal(got.ssrc, 1);
	assert_int_equal(got.ntp, 0xe000000180000000);
	assert_int_equal(got.rtp_ts, 12000);
	assert_int_equal(got.packets, 100);
	assert_int_equal(got.octets, 10000);
	assert_int_equal(rtcp_block(&r, 0, &b[0]), 0);
	assert_int_equal(b[0].lost, -1);
	assert_int_equal(b[0].dlsr, 0x8000);
	assert_int_equal(rtcp_block(&r, 1, &b[1]), 0);
	assert_int_equal(b[1].lost, 0x7fffff);
	assert_int_equal(rtcp_block(&r, 2, &b[2]), -ENOENT);
	free(p);
	assert_int_equal(rtcp_write_sr(&out, &sr, blocks, 32), -EINVAL);
	assert_int_equal(out.len, 0);
}

static void receiver_report(void **state)
{
	struct rtcp_block b = {.ssrc = 7, .lost = -0x1000000}, got;
	struct buf out = {0};
	struct rtcp r;
	struct rtcp_sr sr;
	uint32_t ssrc;
	(void)state;
	assert_int_equal(rtcp_write_rr(&out, 5, &b, 1), 0);
	assert_bytes(out.data, out.len, "81 c9 0007 | 00000005"
		"| 00000007 00 800000 00000000 00000000 00000000 00000000");
	struct rtcp_iter it = rtcp_iter(out.data, out.len);
	assert_int_equal(rtcp_next(&it, &r), 1);
	assert_int_equal(rtcp_rr(&r, &ssrc), 0);
	assert_int_equal(ssrc, 5);
	assert_int_equal(rtcp_sr(&r, &sr), -EBADMSG);
	assert_int_equal(rtcp_block(&r, 0, &got), 0);
	assert_int_equal(got.lost, -0x800000);
	buf_free(&out);
}

static void report_lies(void **state)
{
	struct rtcp_block b;
	struct rtcp_sr sr;
	uint32_t ssrc;
	uint8_t *p;
	(void)state;
	/* 31 blocks claimed, none there. */
	struct rtcp r = first("9f c9 0001 00000001", &p);
	assert_int_equal(rtcp_block(&r, 0, &b), -EBADMSG);
	assert_int_equal(rtcp_block(&r, 30, &b), -EBADMSG);
	free(p);
	r = first("80 c8 0005 00000001 00000000 00000000 00000000 00000000",
		&p);
	assert_int_equal(rtcp_sr(&r, &sr), -EBADMSG);
	free(p);
	r = first("80 c9 0000", &p);
	assert_int_equal(rtcp_rr(&r, &ssrc), -EBADMSG);
	assert_int_equal(rtcp_block(&r, 0, &b), -ENOENT);
	free(p);
}

static void sdes(void **state)
{
	struct buf out = {0};
	uint32_t ssrc;
	const char *cname;
	char long_name[257];
	size_t n;
	uint8_t *p;
	(void)state;
	assert_int_equal(rtcp_write_sdes(&out, 1, "ab"), 0);
	assert_bytes(out.data, out.len,
		"81 ca 0003 | 00000001 | 01 02 61 62 | 00000000");
	buf_clear(&out);
	assert_int_equal(rtcp_write_sdes(&out, 1, "a"), 0);
	assert_bytes(out.data, out.len, "81 ca 0002 | 00000001 | 01 01 61 00");
	buf_clear(&out);
	memset(long_name, 'x', 256);
	long_name[256] = '\0';
	assert_int_equal(rtcp_write_sdes(&out, 1, long_name), -EINVAL);
	assert_int_equal(rtcp_write_sdes(&out, 1, ""), -EINVAL);
	assert_int_equal(rtcp_write_sdes(&out, 1, long_name + 1), 0);
	buf_free(&out);
	/* A NAME before the CNAME; a second chunk with a TOOL only. */
	struct rtcp r = first("82 ca 0006 | 00000001 02 01 78 01 01 61 00 00"
			      "| 00000002 06 01 79 00 | 00000003", &p);
	assert_int_equal(rtcp_cname(&r, 0, &ssrc, &cname, &n), 0);
	assert_int_equal(ssrc, 1);
	assert_int_equal(n, 1);
	assert_memory_equal(cname, "a", 1);
	assert_int_equal(rtcp_cname(&r, 1, &ssrc, &cname, &n), -ENOENT);
	assert_int_equal(ssrc, 2);
	assert_int_equal(rtcp_cname(&r, 2, &ssrc, &cname, &n), -ENOENT);
	free(p);
	/* An item longer than the packet; a list that never ends; nothing. */
	r = first("81 ca 0002 00000001 01 ff 61 00", &p);
	assert_int_equal(rtcp_cname(&r, 0, &ssrc, &cname, &n), -EBADMSG);
	free(p);
	r = first("81 ca 0002 00000001 01 02 61 62", &p);
	assert_int_equal(rtcp_cname(&r, 0, &ssrc, &cname, &n), -EBADMSG);
	free(p);
	r = first("9f ca 0000", &p);
	assert_int_equal(rtcp_cname(&r, 0, &ssrc, &cname, &n), -EBADMSG);
	free(p);
}

static void bye(void **state)
{
	struct buf out = {0};
	uint32_t ssrcs[2] = {1, 2}, got;
	uint8_t *p;
	(void)state;
	assert_int_equal(rtcp_write_bye(&out, ssrcs, 2), 0);
	assert_bytes(out.data, out.len, "82 cb 0002 00000001 00000002");
	buf_free(&out);
	assert_int_equal(rtcp_write_bye(&out, ssrcs, 0), -EINVAL);
	struct rtcp r = first("83 cb 0002 00000001 00000002", &p);
	assert_int_equal(rtcp_bye(&r, 1, &got), 0);
	assert_int_equal(got, 2);
	assert_int_equal(rtcp_bye(&r, 2, &got), -EBADMSG);
	assert_int_equal(rtcp_bye(&r, 3, &got), -ENOENT);
	free(p);
}

static void nack(void **state)
{
	/* 65534 and 65535 | 0 … 15 within 16 of 65534; 20 apart. */
	static const uint16_t lost[] = {65534, 65535, 0, 14, 15, 20};
	static const char bytes[] = "81 cd 0004 | 00000001 00000002"
		"| fffe 8003 | 000f 0010";
	uint16_t got[8];
	struct buf out = {0};
	struct rtcp_fb fb;
	uint8_t *p;
	(void)state;
	assert_int_equal(rtcp_write_nack(&out, 1, 2, lost, 6), 0);
	assert_bytes(out.data, out.len, bytes);
	buf_free(&out);
	struct rtcp r = first(bytes, &p);
	assert_int_equal(rtcp_fb(&r, &fb), 0);
	assert_int_equal(fb.sender, 1);
	assert_int_equal(fb.media, 2);
	assert_int_equal(rtcp_nack(&fb, got, 8), 6);
	assert_memory_equal(got, lost, sizeof(lost));
	assert_int_equal(rtcp_nack(&fb, got, 2), 2); /* the caller's bound */
	assert_int_equal(rtcp_nack(&fb, got, 0), 0);
	free(p);
	assert_int_equal(rtcp_write_nack(&out, 1, 2, lost, 0), -EINVAL);
}

static void nack_lies(void **state)
{
	uint16_t got[64];
	struct rtcp_fb fb;
	uint8_t *p;
	(void)state;
	/* All of 17; then a NACK of nothing; then of half an entry. */
	struct rtcp r = first("81 cd 0003 00000001 00000002 0000 ffff", &p);
	assert_int_equal(rtcp_fb(&r, &fb), 0);
	assert_int_equal(rtcp_nack(&fb, got, 64), 17);
	free(p);
	r = first("81 cd 0002 00000001 00000002", &p);
	assert_int_equal(rtcp_fb(&r, &fb), 0);
	assert_int_equal(rtcp_nack(&fb, got, 64), 0);
	free(p);
	r = first("a1 cd 0003 00000001 00000002 0000 0002", &p);
	assert_int_equal(rtcp_fb(&r, &fb), 0);
	assert_int_equal(fb.len, 2);
	assert_int_equal(rtcp_nack(&fb, got, 64), 0);
	free(p);
	r = first("81 cd 0001 00000001", &p);
	assert_int_equal(rtcp_fb(&r, &fb), -EBADMSG);
	free(p);
	/* A PLI is no NACK. */
	r = first("81 ce 0003 00000001 00000002 00000000", &p);
	assert_int_equal(rtcp_fb(&r, &fb), 0);
	assert_int_equal(rtcp_nack(&fb, got, 64), 0);
	free(p);
}

static void key_frame_requests(void **state)
{
	struct buf out = {0};
	struct rtcp_fb fb;
	uint32_t ssrc;
	uint8_t seq, *p;
	(void)state;
	assert_int_equal(rtcp_write_pli(&out, 1, 2), 0);
	assert_int_equal(rtcp_write_fir(&out, 1, 2, 3), 0);
	assert_bytes(out.data, out.len, "81 ce 0002 00000001 00000002"
		"| 84 ce 0004 00000001 00000000 | 00000002 03 000000");
	buf_free(&out);
	struct rtcp r = first("84 ce 0004 00000001 00000000 00000002 03000000",
		&p);
	assert_int_equal(rtcp_fb(&r, &fb), 0);
	assert_int_equal(rtcp_fir(&fb, 0, &ssrc, &seq), 0);
	assert_int_equal(ssrc, 2);
	assert_int_equal(seq, 3);
	assert_int_equal(rtcp_fir(&fb, 1, &ssrc, &seq), -ENOENT);
	fb.fmt = RTCP_FMT_PLI;
	assert_int_equal(rtcp_fir(&fb, 0, &ssrc, &seq), -EBADMSG);
	free(p);
}

static struct rtcp_twcc twcc(const char *s, uint8_t **p, int want)
{
	struct rtcp_fb fb;
	struct rtcp_twcc t;
	struct rtcp r = first(s, p);
	assert_int_equal(rtcp_fb(&r, &fb), 0);
	assert_int_equal(rtcp_twcc(&fb, &t), want);
	return t;
}

static void twcc_reading(void **state)
{
	struct rtcp_twcc_status s;
	uint8_t *p;
	(void)state;
	/* Base 10, 9 statuses, reference 1 (64 ms), feedback 5. A run of 2
	 * small deltas, then seven pairs: lost, small, large, lost ×4. */
	struct rtcp_twcc t = twcc("8f cd 0007 00000001 00000002"
		"| 000a 0009 000001 05 | 2002 c600 | 04 08 0c | ff9c"
		"| 00 00 00", &p, 0);
	static const struct {
		bool received;
		int64_t us;
	} want[9] = {{true, 65000}, {true, 67000}, {false, 0}, {true, 70000},
		{true, 45000}};
	(void)state;
	assert_int_equal(t.fb_count, 5);
	for (unsigned i = 0; i < 9; i++) {
		assert_true(rtcp_twcc_next(&t, &s));
		assert_int_equal(s.seq, 10 + i);
		assert_int_equal(s.received, want[i].received);
		if (s.received)
			assert_int_equal(s.at_us, want[i].us);
	}
	assert_false(rtcp_twcc_next(&t, &s));
	free(p);
	/* Fourteen bits: 1 0 1, and a reference before zero. */
	t = twcc("8f cd 0006 00000001 00000002"
		 "| ffff 0003 ffffff 00 | a800 | 00 01 | 0000 0000", &p, 0);
	assert_true(rtcp_twcc_next(&t, &s));
	assert_true(s.received);
	assert_int_equal(s.at_us, -64000);
	assert_true(rtcp_twcc_next(&t, &s));
	assert_false(s.received);
	assert_int_equal(s.seq, 0);
	assert_true(rtcp_twcc_next(&t, &s));
	assert_int_equal(s.at_us, -63750);
	free(p);
}

static void twcc_lies(void **state)
{
	static const char *const bad[] = {
		/* no FCI; no statuses; more than we take */
		"8f cd 0002 00000001 00000002",
		"8f cd 0005 00000001 00000002 0000 0000 00000000 2001 0000",
		"8f cd 0005 00000001 00000002 0000 ffff 00000000 3fff 0000",
		/* no chunk; chunks end before the statuses; a run of nothing */
		"8f cd 0004 00000001 00000002 0000 0001 00000000",
		"8f cd 0005 00000001 00000002 0000 0016 00000000 8000 c000",
		"8f cd 0005 00000001 00000002 0000 0001 00000000 0000 0000",
		/* reserved symbol; two deltas short by one; large short by 1 */
		"8f cd 0005 00000001 00000002 0000 0001 00000000 6001 0000",
		"8f cd 0005 00000001 00000002 0000 0003 00000000 2003 0000",
		"af cd 0005 00000001 00000002 0000 0001 00000000 4001 0001",
	};
	uint8_t *p;
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		twcc(bad[i], &p, -EBADMSG);
		free(p);
	}
}

static void twcc_writing(void **state)
{
	static const int64_t at[] = {65000, 67000, -1, 70000, 45000, -1};
	struct buf out = {0};
	size_t taken;
	(void)state;
	assert_int_equal(rtcp_write_twcc(&out, 1, 2, 5, 10, at, 6, &taken), 0);
	assert_int_equal(taken, 6);
	assert_bytes(out.data, out.len, "8f cd 0006 00000001 00000002"
		"| 000a 0006 000001 05 | d460 | 04 08 0c ff9c | 00");
	buf_clear(&out);
	/* Twenty in time are one run; two after a loss are bits. */
	int64_t run[23];
	for (int i = 0; i < 20; i++)
		run[i] = 250 * i;
	run[20] = -1;
	run[21] = run[22] = 5000;
	assert_int_equal(rtcp_write_twcc(&out, 1, 2, 0, 0, run, 23, &taken), 0);
	assert_int_equal(taken, 23);
	assert_bytes(out.data, out.len, "8f cd 000b 00000001 00000002"
		"| 0000 0017 000000 00 | 2014 | 9800 | 00 01010101 01010101"
		"01010101 01010101 010101 | 01 00 | 0000");
	buf_free(&out);
	int64_t none[2] = {-1, -1};
	assert_int_equal(rtcp_write_twcc(&out, 1, 2, 0, 0, none, 2, &taken),
		-EINVAL);
	assert_int_equal(rtcp_write_twcc(&out, 1, 2, 0, 0, none, 0, &taken),
		-EINVAL);
	assert_int_equal(out.len, 0);
}

static void twcc_gap(void **state)
{
	/* 10 s between two packets do not fit one feedback. */
	static const int64_t at[] = {1000000, -1, 11000000, 11001000};
	struct buf out = {0};
	struct rtcp_twcc_status s;
	struct rtcp_twcc t;
	struct rtcp_fb fb;
	struct rtcp r;
	size_t taken;
	(void)state;
	assert_int_equal(rtcp_write_twcc(&out, 1, 2, 0, 7, at, 4, &taken), 0);
	assert_int_equal(taken, 2);
	buf_clear(&out);
	assert_int_equal(rtcp_write_twcc(&out, 1, 2, 1, 9, at + 2, 2, &taken),
		0);
	assert_int_equal(taken, 2);
	struct rtcp_iter it = rtcp_iter(out.data, out.len);
	assert_int_equal(rtcp_next(&it, &r), 1);
	assert_int_equal(rtcp_fb(&r, &fb), 0);
	assert_int_equal(rtcp_twcc(&fb, &t), 0);
	assert_true(rtcp_twcc_next(&t, &s));
	assert_int_equal(s.seq, 9);
	assert_int_equal(s.at_us, 11000000);
	assert_true(rtcp_twcc_next(&t, &s));
	assert_int_equal(s.at_us, 11001000);
	buf_free(&out);
}

/* Any sequence of arrivals reads back, to the tick, in one or more parts. */
static void twcc_round_trip(void **state)
{
	int64_t at[1000];
	struct rng rng;
	(void)state;
	for (uint64_t seed = 0; seed < 200; seed++) {
		struct buf out = {0};
		size_t n, taken, done = 0;
		rng_seed(&rng, seed);
		n = 1 + rng_below(&rng, 1000);
		int64_t now = (int64_t)rng_below(&rng, 1000000000);
		for (size_t i = 0; i < n; i++) {
			now += (int64_t)rng_below(&rng, seed % 2 ? 3000 :
				100000) - 1000;
			at[i] = rng_below(&rng, 10) < seed % 9 ? -1 :
				MAX(now, 0) / 250 * 250;
		}
		while (done < n) {
			struct rtcp r;
			struct rtcp_fb fb;
			struct rtcp_twcc t;
			struct rtcp_twcc_status s;
			buf_clear(&out);
			int rc = rtcp_write_twcc(&out, 1, 2, 0,
				(uint16_t)(done + 65000), at + done, n - done,
				&taken);
			if (rc == -EINVAL)
				break; /* only losses are left */
			assert_int_equal(rc, 0);
			assert_in_range(taken, 1, RTCP_TWCC_MAX_WRITE);
			assert_true(out.len <= 1200);
			struct rtcp_iter it = rtcp_iter(out.data, out.len);
			assert_int_equal(rtcp_next(&it, &r), 1);
			assert_int_equal(rtcp_fb(&r, &fb), 0);
			assert_int_equal(rtcp_twcc(&fb, &t), 0);
			assert_int_equal(t.count, taken);
			for (; rtcp_twcc_next(&t, &s); done++) {
				assert_int_equal(s.seq,
					(uint16_t)(done + 65000));
				assert_int_equal(s.received, at[done] >= 0);
				if (s.received)
					assert_int_equal(s.at_us, at[done]);
			}
		}
		buf_free(&out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(compounds),
		cmocka_unit_test(compound_lies),
		cmocka_unit_test(sender_report),
		cmocka_unit_test(receiver_report),
		cmocka_unit_test(report_lies),
		cmocka_unit_test(sdes),
		cmocka_unit_test(bye),
		cmocka_unit_test(nack),
		cmocka_unit_test(nack_lies),
		cmocka_unit_test(key_frame_requests),
		cmocka_unit_test(twcc_reading),
		cmocka_unit_test(twcc_lies),
		cmocka_unit_test(twcc_writing),
		cmocka_unit_test(twcc_gap),
		cmocka_unit_test(twcc_round_trip),
	};
	return cmocka_run_group_tests_name("wire-rtcp", tests, NULL, NULL);
}
