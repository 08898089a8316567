/* Gaps: when they are asked for, and when they are given up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base.h"
#include "flow.h"

#define MS NS_PER_MS

static struct nacker *n;
static uint16_t seqs[NACKER_MAX_MISSING];

static int setup(void **state)
{
	(void)state;
	n = nacker_new();
	return n ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	nacker_free(n);
	return 0;
}

static size_t take(uint64_t rtt_ms, uint64_t now_ms)
{
	return nacker_take(n, rtt_ms * MS, now_ms * MS, seqs,
		ARRAY_LEN(seqs));
}

static void in_order_asks_for_nothing(void **state)
{
	(void)state;
	assert_true(nacker_deadline(n) == FLOW_NEVER);
	for (unsigned i = 0; i < 10; i++)
		assert_int_equal(nacker_packet(n, (uint16_t)(65530 + i), 0),
			NACKER_NEW);
	assert_true(nacker_deadline(n) == FLOW_NEVER);
	assert_int_equal(take(0, 1000), 0);
	assert_int_equal(nacker_packet(n, 3, 0), NACKER_OLD);
	assert_int_equal(nacker_packet(n, 65529, 0), NACKER_OLD);
}

static void a_gap_over_the_wrap(void **state)
{
	(void)state;
	nacker_packet(n, 65534, 0);
	assert_int_equal(nacker_packet(n, 1, 0), NACKER_NEW);
	assert_int_equal(nacker_missing(n), 2);
	assert_true(nacker_deadline(n) == 10 * MS);
	assert_int_equal(take(50, 9), 0);
	assert_int_equal(take(50, 10), 2);
	assert_int_equal(seqs[0], 65535);
	assert_int_equal(seqs[1], 0);
	/* Again after a round trip. */
	assert_true(nacker_deadline(n) == 60 * MS);
	assert_int_equal(take(50, 59), 0);
	assert_int_equal(nacker_packet(n, 0, 59 * MS), NACKER_REPAIRED);
	assert_int_equal(nacker_packet(n, 0, 59 * MS), NACKER_OLD);
	assert_int_equal(take(50, 60), 1);
	assert_int_equal(seqs[0], 65535);
	assert_int_equal(nacker_packet(n, 65535, 61 * MS), NACKER_REPAIRED);
	assert_true(nacker_deadline(n) == FLOW_NEVER);
	assert_false(nacker_lost(n));
}

static void reordering_is_not_asked_for(void **state)
{
	(void)state;
	nacker_packet(n, 10, 0);
	nacker_packet(n, 12, 0);
	assert_int_equal(nacker_packet(n, 11, 5 * MS), NACKER_REORDERED);
	assert_int_equal(take(0, 100), 0);
}

static void no_more_than_there_is_room_for(void **state)
{
	(void)state;
	nacker_packet(n, 0, 0);
	nacker_packet(n, 11, 0);
	assert_int_equal(nacker_take(n, 0, 10 * MS, seqs, 4), 4);
	assert_int_equal(seqs[3], 4);
	assert_true(nacker_deadline(n) == 10 * MS);
	assert_int_equal(nacker_take(n, 0, 10 * MS, seqs, 20), 6);
	assert_int_equal(seqs[0], 5);
}

/* With no answer: 10 tries at 20 ms, then a key frame is wanted. */
static void gives_up_after_ten_tries(void **state)
{
	unsigned asked = 0;

	(void)state;
	nacker_packet(n, 0, 0);
	nacker_packet(n, 2, 0);
	for (uint64_t ms = 0; ms < 400; ms++)
		asked += (unsigned)take(0, ms);
	assert_int_equal(asked, NACKER_MAX_TRIES);
	assert_int_equal(nacker_missing(n), 0);
	assert_true(nacker_lost(n));
	assert_false(nacker_lost(n));
	assert_int_equal(nacker_packet(n, 1, 400 * MS), NACKER_OLD);
}

/* On a slow path: for a second. */
static void gives_up_after_a_second(void **state)
{
	unsigned asked = 0;

	(void)state;
	nacker_packet(n, 0, 0);
	nacker_packet(n, 2, 0);
	while (nacker_deadline(n) != FLOW_NEVER)
		asked += (unsigned)take(300, nacker_deadline(n) / MS);
	assert_int_equal(asked, 4); /* 10, 310, 610, 910 ms */
	assert_true(nacker_lost(n));
}

static void a_key_frame_ends_the_quest(void **state)
{
	(void)state;
	nacker_packet(n, 0, 0);
	nacker_packet(n, 5, 0);
	nacker_packet(n, 9, 0);
	nacker_keyframe(n, 7);
	assert_int_equal(nacker_missing(n), 2);
	assert_int_equal(take(0, 10), 2);
	assert_int_equal(seqs[0], 7);
	assert_int_equal(seqs[1], 8);
}

static void too_much_at_once_is_lost(void **state)
{
	(void)state;
	nacker_packet(n, 0, 0);
	nacker_packet(n, 257, 0); /* 256 missing */
	assert_int_equal(nacker_missing(n), 256);
	assert_false(nacker_lost(n));
	nacker_packet(n, 259, 0);
	assert_int_equal(nacker_missing(n), 256);
	assert_true(nacker_lost(n));
	assert_int_equal(take(0, 10), 256);
	assert_int_equal(seqs[0], 2);
	assert_int_equal(seqs[255], 258);
	nacker_packet(n, 2000, 0);
	assert_int_equal(nacker_missing(n), 256);
	assert_true(nacker_lost(n));
	assert_int_equal(take(0, 1), 0);
	assert_int_equal(take(0, 10), 256);
	assert_int_equal(seqs[0], 1744);
}

static void a_leap_starts_anew_when_confirmed(void **state)
{
	(void)state;
	nacker_packet(n, 0, 0);
	nacker_packet(n, 2, 0);
	assert_int_equal(nacker_packet(n, 30000, 0), NACKER_OLD);
	assert_int_equal(nacker_missing(n), 1);
	assert_int_equal(nacker_packet(n, 3, 0), NACKER_NEW);
	assert_int_equal(nacker_packet(n, 30001, 0), NACKER_OLD);
	assert_int_equal(nacker_packet(n, 30002, 0), NACKER_NEW);
	assert_int_equal(nacker_missing(n), 0);
	assert_true(nacker_lost(n));
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
int main(void)
{
	const struct CMUnitTest tests[] = {
		T(in_order_asks_for_nothing),
		T(a_gap_over_the_wrap),
		T(reordering_is_not_asked_for),
		T(no_more_than_there_is_room_for),
		T(gives_up_after_ten_tries),
		T(gives_up_after_a_second),
		T(a_key_frame_ends_the_quest),
		T(too_much_at_once_is_lost),
		T(a_leap_starts_anew_when_confirmed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
