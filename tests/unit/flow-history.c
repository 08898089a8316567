/* What was sent, found again; how often it may be sent again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base.h"
#include "flow.h"
#include "oom.h"

#define MS NS_PER_MS

static uint8_t bytes[4096];

static int put(struct history *h, uint16_t seq, size_t len, uint64_t now_ns)
{
	struct history_packet p = {
		.seq = seq,
		.rtp_ts = seq * 10u,
		.marker = seq % 2,
		.payload = bytes,
		.len = len,
	};

	memset(bytes, seq & 0xff, len);
	return history_put(h, &p, now_ns);
}

static void finds_what_was_put(void **state)
{
	struct history *h = history_new(500, 100000);
	struct history_packet got;

	(void)state;
	assert_int_equal(history_resend(h, 1, 0, 0, &got), -ENOENT);
	assert_int_equal(put(h, 65535, 100, 0), 0);
	assert_int_equal(put(h, 0, 50, 0), 0);
	assert_int_equal(put(h, 0, 50, 0), -EALREADY);
	assert_int_equal(put(h, 2, 0, 0), 0);
	assert_true(history_get(h, 65535, &got));
	assert_int_equal(got.seq, 65535);
	assert_int_equal(got.rtp_ts, 655350);
	assert_true(got.marker);
	assert_int_equal(got.len, 100);
	assert_int_equal(got.payload[99], 0xff);
	assert_true(history_get(h, 0, &got));
	assert_int_equal(got.len, 50);
	assert_int_equal(got.payload[0], 0);
	assert_true(history_get(h, 2, &got));
	assert_int_equal(got.len, 0);
	assert_false(history_get(h, 1, &got));
	/* The same place of the index, another number. */
	assert_false(history_get(h, 512, &got));
	assert_int_equal(history_packets(h), 3);
	assert_int_equal(history_bytes(h), 150);
	history_clear(h);
	assert_int_equal(history_packets(h), 0);
	assert_false(history_get(h, 0, &got));
	history_free(h);
}

static void forgets_by_age(void **state)
{
	struct history *h = history_new(512, 100000);
	struct history_packet got;

	(void)state;
	assert_int_equal(put(h, 1, 10, 0), 0);
	assert_int_equal(put(h, 2, 10, 1000 * MS), 0);
	assert_int_equal(put(h, 3, 10, 1500 * MS), 0);
	assert_true(history_get(h, 1, &got));
	assert_int_equal(put(h, 4, 10, 1501 * MS), 0);
	assert_false(history_get(h, 1, &got));
	assert_true(history_get(h, 2, &got));
	history_free(h);
}

static void forgets_by_count(void **state)
{
	struct history *h = history_new(4, 100000);
	struct history_packet got;

	(void)state;
	for (uint16_t i = 0; i < 6; i++)
		assert_int_equal(put(h, i, 10, 0), 0);
	assert_false(history_get(h, 1, &got));
	assert_true(history_get(h, 2, &got));
	assert_true(history_get(h, 5, &got));
	assert_int_equal(history_packets(h), 4);
	history_free(h);
}

static void forgets_by_size(void **state)
{
	struct history *h = history_new(512, 10000);
	struct history_packet got;

	(void)state;
	assert_int_equal(put(h, 0, 4096, 0), 0);
	assert_int_equal(put(h, 1, 4096, 0), 0);
	/* 10,000 bytes hold two of them, in one piece each. */
	for (uint16_t i = 2; i < 100; i++) {
		assert_int_equal(put(h, i, 4096, 0), 0);
		assert_false(history_get(h, (uint16_t)(i - 2), &got));
		assert_true(history_get(h, (uint16_t)(i - 1), &got));
		assert_int_equal(got.payload[4095], i - 1);
		assert_true(history_get(h, i, &got));
		assert_int_equal(got.payload[0], i);
	}
	history_free(h);
	h = history_new(1, 100);
	assert_int_equal(put(h, 0, 101, 0), -EMSGSIZE);
	assert_int_equal(put(h, 0, 100, 0), 0);
	assert_int_equal(put(h, 1, 1, 0), 0);
	history_free(h);
}

/* A second of 2 Mbit/s: 208 packets of 1,200 bytes. */
static void holds_a_second_of_video(void **state)
{
	struct history *h = history_new(512, 1 << 20);
	struct history_packet got;

	(void)state;
	for (unsigned i = 0; i < 1000; i++) {
		uint16_t seq = (uint16_t)(65000 + i);
		assert_int_equal(put(h, seq, 1200, i * 4800000ull), 0);
		if (i >= 209)
			assert_true(history_get(h, (uint16_t)(seq - 208),
				&got));
		assert_true(history_get(h, seq, &got));
		assert_int_equal(got.payload[1199], seq & 0xff);
	}
	assert_true(history_bytes(h) < 400000);
	history_free(h);
}

static void resends_once_a_round_trip(void **state)
{
	struct history *h = history_new(512, 100000);
	struct history_packet got;

	(void)state;
	assert_int_equal(put(h, 7, 100, 0), 0);
	/* The first time at once: the round trip is a guess. */
	assert_int_equal(history_resend(h, 7, 50 * MS, 0, &got), 0);
	assert_int_equal(got.seq, 7);
	assert_int_equal(history_resend(h, 7, 50 * MS, 49 * MS, &got),
		-EAGAIN);
	assert_int_equal(history_resend(h, 7, 50 * MS, 51 * MS, &got), 0);
	history_free(h);
}

/* 100 askers for all of 1,000 packets, round after round. */
static void resends_a_tenth_of_the_rate(void **state)
{
	struct history *h = history_new(1024, 4 << 20);
	struct history_packet got;
	uint64_t sent = 0, again = 0;

	(void)state;
	for (unsigned i = 0; i < 10000; i++) {
		uint64_t now = i * 5 * MS;
		assert_int_equal(put(h, (uint16_t)i, 1000, now), 0);
		sent += 1000;
		for (unsigned k = 0; k < 200; k++)
			if (!history_resend(h, (uint16_t)(i - k), 5 * MS, now,
				    &got))
				again += got.len + 2;
	}
	assert_true(again > sent / 11);
	assert_true(again <= sent / 10 + HISTORY_BURST_BYTES);
	assert_int_equal(history_resend(h, 9000, 5 * MS, 60 * NS_PER_S, &got),
		-ENOENT);
	history_free(h);
}

static void the_budget_says_so(void **state)
{
	struct history *h = history_new(512, 100000);
	struct history_packet got;
	unsigned n = 0;

	(void)state;
	for (uint16_t i = 0; i < 20; i++)
		assert_int_equal(put(h, i, 1000, 0), 0);
	for (uint16_t i = 0; i < 20; i++)
		n += history_resend(h, i, 0, 0, &got) == 0;
	assert_int_equal(n, 11); /* 12,000 bytes of 1,002 each */
	assert_int_equal(history_resend(h, 19, 0, 0, &got), -EDQUOT);
	history_free(h);
}

static void rtx_is_the_number_and_the_payload(void **state)
{
	const struct history_packet p = {
		.seq = 0x1234,
		.payload = (const uint8_t *)"abc",
		.len = 3,
	};
	const uint8_t *payload;
	uint8_t out[5];
	uint16_t osn;
	size_t len;

	(void)state;
	assert_int_equal(history_rtx_write(out, 4, &p), -ENOBUFS);
	assert_int_equal(history_rtx_write(out, 5, &p), 5);
	assert_memory_equal(out, "\x12\x34"
				 "abc", 5);
	assert_int_equal(history_rtx_read(out, 5, &osn, &payload, &len), 0);
	assert_int_equal(osn, 0x1234);
	assert_int_equal(len, 3);
	assert_ptr_equal(payload, out + 2);
	assert_int_equal(history_rtx_read(out, 2, &osn, &payload, &len), 0);
	assert_int_equal(len, 0);
	assert_int_equal(history_rtx_read(out, 1, &osn, &payload, &len),
		-EBADMSG);
}

static int fill(void *arg)
{
	struct history *h = history_new(64, 1 << 20);
	struct history_packet got;
	int rc = h ? 0 : -ENOMEM;

	(void)arg;
	for (uint16_t i = 0; h && i < 40; i++) {
		int one = put(h, i, 1000, 0);
		if (one == -ENOMEM)
			rc = one;
		/* What it took it gives. */
		assert_int_equal(history_get(h, i, &got), one == 0);
	}
	history_free(h);
	return rc;
}

static void survives_want_of_memory(void **state)
{
	(void)state;
	assert_true(oom_ladder(fill, NULL) >= 4);
	assert_null(history_new(0, 1));
	assert_null(history_new(1, 0));
	assert_null(history_new(HISTORY_MAX_PACKETS + 1, 1));
	history_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_what_was_put),
		cmocka_unit_test(forgets_by_age),
		cmocka_unit_test(forgets_by_count),
		cmocka_unit_test(forgets_by_size),
		cmocka_unit_test(holds_a_second_of_video),
		cmocka_unit_test(resends_once_a_round_trip),
		cmocka_unit_test(resends_a_tenth_of_the_rate),
		cmocka_unit_test(the_budget_says_so),
		cmocka_unit_test(rtx_is_the_number_and_the_payload),
		cmocka_unit_test(survives_want_of_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
