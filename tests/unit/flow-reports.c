/* Reception statistics, sender reports and the key-frame throttle. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base.h"
#include "wire.h"
#include "flow.h"

#define MS NS_PER_MS

static void counts_losses(void **state)
{
	struct rtcp_block b = {0};
	struct recvstat s;

	(void)state;
	recvstat_init(&s, 48000, 0);
	assert_false(recvstat_report(&s, 0, &b));
	/* 65530 … 65535, 0 … 3 without 65532 and 1: 8 of 10. */
	for (unsigned i = 0; i < 10; i++)
		if (i != 2 && i != 7)
			assert_int_equal(recvstat_packet(&s,
				(uint16_t)(65530 + i), i * 960, 100,
				i * 20 * MS), 0);
	assert_true(recvstat_report(&s, 0, &b));
	assert_int_equal(b.fraction_lost, 51); /* 2 / 10 of 256 */
	assert_int_equal(b.lost, 2);
	assert_int_equal(b.highest_seq, 65536 + 3);
	assert_int_equal(b.jitter, 0);
	assert_int_equal(b.lsr, 0);
	assert_int_equal(b.dlsr, 0);
	/* The missing come late, and nothing else: no loss, not negative. */
	assert_int_equal(recvstat_packet(&s, 65532, 1920, 100, 0), 0);
	assert_int_equal(recvstat_packet(&s, 1, 6720, 100, 0), 0);
	assert_true(recvstat_report(&s, 0, &b));
	assert_int_equal(b.fraction_lost, 0);
	assert_int_equal(b.lost, 0);
	/* A duplicate makes it negative, as RFC 3550 has it. */
	assert_int_equal(recvstat_packet(&s, 1, 6720, 100, 0), 0);
	assert_true(recvstat_report(&s, 0, &b));
	assert_int_equal(b.lost, -1);
	assert_true(s.packets == 11 && s.bytes == 1100);
}

static void wraps_cycle_after_cycle(void **state)
{
	struct rtcp_block b;
	struct recvstat s;
	uint32_t n = 65536 * 3 + 5;

	(void)state;
	recvstat_init(&s, 90000, 0);
	for (uint32_t i = 0; i < n; i++)
		assert_int_equal(recvstat_packet(&s, (uint16_t)i, i, 1, 0), 0);
	assert_true(recvstat_report(&s, 0, &b));
	assert_int_equal(b.highest_seq, n - 1);
	assert_int_equal(b.lost, 0);
}

/* Transit times 0, 16, 0 ms …: each difference is 768 ticks, of which a
 * sixteenth is added and a sixteenth of the sum taken away. */
static void jitter_follows_the_rfc(void **state)
{
	struct rtcp_block b;
	struct recvstat s;

	(void)state;
	recvstat_init(&s, 48000, 0);
	recvstat_packet(&s, 1, 0, 1, 0);
	recvstat_packet(&s, 2, 960, 1, (20 + 16) * MS);
	assert_true(recvstat_report(&s, 0, &b));
	assert_int_equal(b.jitter, 48); /* 768 / 16 */
	recvstat_packet(&s, 3, 1920, 1, 40 * MS);
	assert_true(recvstat_report(&s, 0, &b));
	assert_int_equal(b.jitter, 93); /* 48 + 720 / 16 */
	/* Packets of one frame spread out are no jitter. */
	recvstat_packet(&s, 4, 1920, 1, 400 * MS);
	assert_true(recvstat_report(&s, 0, &b));
	assert_int_equal(b.jitter, 93);
}

/* What was captured 70 ms before it was sent stands so in the report. */
static void reports_say_when_it_was_captured(void **state)
{
	struct rtcp_sr sr = {0};
	struct sendstat s;

	(void)state;
	sendstat_init(&s, 90000);
	sendstat_sent(&s, 9000, 100, 1000 * MS);
	sendstat_clock(&s, 9000, 930 * MS);
	assert_true(sendstat_sr(&s, 1100 * MS, 5, &sr));
	assert_int_equal(sr.rtp_ts, 9000 + 170 * 90);
	assert_int_equal(sr.ntp, 5);
	sendstat_clock(&s, 0, 0);
	assert_true(sendstat_sr(&s, 1100 * MS, 5, &sr));
	assert_int_equal(sr.rtp_ts, 9000 + 100 * 90);
}

/* A second is 2^32 of NTP; his clock is 1,000 s ahead of ours. */
static void captures_by_reports(void **state)
{
	struct srcclock c = {0};
	struct srcmap m = {0}, unknown = {0};
	uint64_t at;

	(void)state;
	assert_false(srcclock_at(&c, &m, 48000, 0, 0, &at));
	/* Sent at our 10 s, here 20 ms later. */
	srcclock_report(&c, &m, UINT64_C(1010) << 32, 480, 10020 * MS);
	assert_true(srcclock_at(&c, &m, 48000, 480 + 4800, 10120 * MS, &at));
	assert_true(at == 10120 * MS);
	assert_false(srcclock_at(&c, &unknown, 48000, 0, 10120 * MS, &at));
	/* A faster report is nearer to the truth … */
	srcclock_report(&c, &m, UINT64_C(1011) << 32, 48480, 11005 * MS);
	assert_true(srcclock_at(&c, &m, 48000, 48480, 11030 * MS, &at));
	assert_true(at == 11005 * MS);
	/* … and a slower one moves it by a 64th. */
	srcclock_report(&c, &m, UINT64_C(1012) << 32, 96480, 12069 * MS);
	assert_true(srcclock_at(&c, &m, 48000, 96480, 12069 * MS, &at));
	assert_true(at == 12006 * MS);
	/* He sets his clock. */
	srcclock_report(&c, &m, UINT64_C(500) << 32, 0, 13000 * MS);
	assert_true(srcclock_at(&c, &m, 48000, 0, 13000 * MS, &at));
	assert_true(at == 13000 * MS);
	/* What cannot be is not believed; nor is who has no clock. */
	assert_false(srcclock_at(&c, &m, 48000, 48000, 13000 * MS, &at));
	assert_false(srcclock_at(&c, &m, 48000, 0, 16000 * MS, &at));
	srcclock_report(&c, &m, 0, 0, 14000 * MS);
	assert_false(srcclock_at(&c, &m, 48000, 0, 14000 * MS, &at));
}

static void a_source_on_probation(void **state)
{
	struct rtcp_block b;
	struct recvstat s;

	(void)state;
	recvstat_init(&s, 48000, 2);
	assert_int_equal(recvstat_packet(&s, 10, 0, 1, 0), -EAGAIN);
	assert_false(recvstat_report(&s, 0, &b));
	assert_int_equal(recvstat_packet(&s, 20, 0, 1, 0), -EAGAIN);
	assert_int_equal(recvstat_packet(&s, 21, 0, 1, 0), 0);
	assert_int_equal(recvstat_packet(&s, 22, 0, 1, 0), 0);
	assert_true(recvstat_report(&s, 0, &b));
	assert_int_equal(b.lost, 0);
	assert_int_equal(b.highest_seq, 22);
}

static void a_leap_must_be_confirmed(void **state)
{
	struct rtcp_block b;
	struct recvstat s;

	(void)state;
	recvstat_init(&s, 48000, 0);
	assert_int_equal(recvstat_packet(&s, 10, 0, 1, 0), 0);
	assert_int_equal(recvstat_packet(&s, 30000, 0, 1, 0), -ESTALE);
	assert_int_equal(recvstat_packet(&s, 11, 0, 1, 0), 0);
	assert_int_equal(recvstat_packet(&s, 30000, 0, 1, 0), -ESTALE);
	assert_int_equal(recvstat_packet(&s, 30001, 0, 1, 0), 0);
	assert_true(recvstat_report(&s, 0, &b));
	assert_int_equal(b.highest_seq, 30001);
	assert_int_equal(b.lost, 0);
}

static void says_when_the_last_report_came(void **state)
{
	struct rtcp_block b;
	struct recvstat s;

	(void)state;
	recvstat_init(&s, 48000, 0);
	recvstat_packet(&s, 1, 0, 1, 0);
	recvstat_sr(&s, UINT64_C(0x1111222233334444), 1000 * MS);
	assert_true(recvstat_report(&s, 1500 * MS, &b));
	assert_int_equal(b.lsr, 0x22223333);
	assert_int_equal(b.dlsr, 0x8000);
}

static void ntp_from_unix_time(void **state)
{
	(void)state;
	/* 1970-01-01 is 2,208,988,800 s after 1900. */
	assert_true(sendstat_ntp(0) == UINT64_C(0x83aa7e8000000000));
	assert_true(sendstat_ntp(500 * MS) == UINT64_C(0x83aa7e8080000000));
	/* 2036-02-07T06:28:16Z: the era ends. */
	assert_true(sendstat_ntp(UINT64_C(2085978496) * NS_PER_S) == 0);
}

static void a_report_maps_this_instant(void **state)
{
	struct sendstat s;
	struct rtcp_sr sr;

	(void)state;
	sendstat_init(&s, 48000);
	assert_false(sendstat_sr(&s, 0, 0, &sr));
	sendstat_sent(&s, 4294967000u, 100, 1000 * MS);
	sendstat_sent(&s, 4294967000u - 960, 50, 1010 * MS); /* reordered */
	assert_true(sendstat_sr(&s, 1020 * MS, 77, &sr));
	assert_true(sr.ntp == 77);
	assert_int_equal(sr.rtp_ts, 664); /* + 960 - 2^32 */
	assert_int_equal(sr.packets, 2);
	assert_int_equal(sr.octets, 150);
}

/* RFC 3550 figure 2: A 0xb710:8000, LSR 0xb705:2000, DLSR 5.250 s; the round
 * trip is 6.125 s. */
static void round_trip_of_the_rfc(void **state)
{
	struct rtcp_block b = {
		.lsr = 0xb7052000,
		.dlsr = 0x00054000,
		.fraction_lost = 5,
	};
	struct sendstat s;

	(void)state;
	sendstat_init(&s, 48000);
	assert_true(sendstat_rtt(&s, 42) == 42);
	sendstat_block(&s, &b, UINT64_C(0xb7108000) << 16);
	assert_true(sendstat_rtt(&s, 42) == 6125 * MS);
	assert_int_equal(s.fraction_lost, 5);
	/* Negative, or no report yet: not believed. */
	sendstat_block(&s, &b, UINT64_C(0xb7050000) << 16);
	b.lsr = 0;
	sendstat_block(&s, &b, UINT64_C(0xb7108000) << 16);
	assert_true(sendstat_rtt(&s, 42) == 6125 * MS);
}

static void key_frames_once_a_second(void **state)
{
	struct keyreq k;
	unsigned n = 0;

	(void)state;
	keyreq_init(&k);
	assert_true(keyreq_deadline(&k) == FLOW_NEVER);
	assert_false(keyreq_take(&k, 0));
	/* 100 receivers at 50 a second each. */
	for (uint64_t ms = 0; ms < 10000; ms++) {
		for (int i = 0; i < 5; i++)
			keyreq_want(&k);
		n += keyreq_take(&k, ms * MS);
		if (ms % 300 == 0)
			keyreq_done(&k);
	}
	assert_int_equal(n, 10);
}

static void asks_again_until_it_comes(void **state)
{
	struct keyreq k;

	(void)state;
	keyreq_init(&k);
	keyreq_want(&k);
	assert_true(keyreq_deadline(&k) == 0);
	assert_true(keyreq_take(&k, 5000 * MS));
	assert_false(keyreq_take(&k, 5999 * MS));
	assert_true(keyreq_deadline(&k) == 6000 * MS);
	assert_true(keyreq_take(&k, 6000 * MS));
	keyreq_done(&k);
	assert_true(keyreq_deadline(&k) == FLOW_NEVER);
	/* The next wish waits for its second. */
	keyreq_want(&k);
	assert_false(keyreq_take(&k, 6500 * MS));
	assert_true(keyreq_take(&k, 7000 * MS));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counts_losses),
		cmocka_unit_test(wraps_cycle_after_cycle),
		cmocka_unit_test(jitter_follows_the_rfc),
		cmocka_unit_test(reports_say_when_it_was_captured),
		cmocka_unit_test(captures_by_reports),
		cmocka_unit_test(a_source_on_probation),
		cmocka_unit_test(a_leap_must_be_confirmed),
		cmocka_unit_test(says_when_the_last_report_came),
		cmocka_unit_test(ntp_from_unix_time),
		cmocka_unit_test(a_report_maps_this_instant),
		cmocka_unit_test(round_trip_of_the_rfc),
		cmocka_unit_test(key_frames_once_a_second),
		cmocka_unit_test(asks_again_until_it_comes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
