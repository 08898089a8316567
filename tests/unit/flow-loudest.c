/* Who is heard, packet by packet of 20 ms. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base.h"
#include "flow.h"

#define MS      NS_PER_MS
#define QUIET   90
#define SPEAKS  30
#define SOURCES 10

static struct loudest l;
static struct loudest_source src[SOURCES];
static uint64_t now = NS_PER_S;
static unsigned changes;

static int setup(void **state)
{
	(void)state;
	loudest_init(&l, 3);
	for (unsigned i = 0; i < SOURCES; i++)
		loudest_source_init(&src[i]);
	changes = 0;
	return 0;
}

/* n sources send for ms, source i at level[i] (below -1: nothing). */
static void run(unsigned ms, const int *level, unsigned n)
{
	for (unsigned t = 0; t < ms; t += 20, now += 20 * MS)
		for (unsigned i = 0; i < n; i++)
			if (level[i] >= -1)
				changes += loudest_packet(&l, &src[i],
					level[i], now);
}

static bool heard(unsigned i)
{
	return src[i].place >= 0 && src[i].place < 3;
}

static void three_never_move(void **state)
{
	static const int a[] = {QUIET, SPEAKS, 127}, b[] = {10, 127, SPEAKS};

	(void)state;
	for (unsigned i = 0; i < 20; i++) {
		run(1000, a, 3);
		run(1000, b, 3);
	}
	assert_int_equal(changes, 3);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(src[i].place, i);
}

static void silence_does_not_displace(void **state)
{
	static const int all_quiet[] = {100, 95, 90, 70, 127};

	(void)state;
	run(5000, all_quiet, 5);
	assert_int_equal(changes, 4);
	assert_true(heard(0) && heard(1) && heard(2));
	assert_int_equal(src[3].place, 3);
	assert_int_equal(src[4].place, -1);
}

static void a_speaker_gets_in_and_stays(void **state)
{
	static const int quiet[] = {100, 95, 90, 100, 100};
	static const int fifth[] = {100, 95, 90, 100, SPEAKS};

	(void)state;
	run(2000, quiet, 5);
	run(60, fifth, 5);
	assert_true(heard(4));
	assert_int_equal(src[4].place, 0); /* of the quietest */
	assert_int_equal(src[0].place, 3); /* who is the reserve now */
	assert_int_equal(src[3].place, -1);
	changes = 0;
	run(300, fifth, 5);
	run(5000, quiet, 5);
	assert_int_equal(changes, 0);
	assert_true(heard(4));
}

/* Five who speak all at once and alike: a change at most each 600 ms. */
static void alike_speakers_do_not_churn(void **state)
{
	int level[5];

	(void)state;
	for (unsigned t = 0; t < 10000; t += 20) {
		for (unsigned i = 0; i < 5; i++)
			level[i] = 28 + (int)((t / 20 * 7 + i * 3) % 5);
		run(20, level, 5);
	}
	assert_int_equal(changes, 4);
}

static void the_loudest_win_in_turns(void **state)
{
	int level[6] = {QUIET, QUIET, QUIET, QUIET, QUIET, QUIET};

	(void)state;
	run(1000, level, 6);
	for (unsigned turn = 0; turn < 12; turn++) {
		unsigned who = turn % 6;

		level[who] = SPEAKS;
		run(700, level, 6);
		assert_true(heard(who));
		level[who] = QUIET;
		run(1500, level, 6);
	}
	assert_true(changes < 40);
}

static void who_is_gone_makes_room(void **state)
{
	static const int four[] = {QUIET, QUIET, QUIET, QUIET};
	static const int gone[] = {-2, QUIET, QUIET, QUIET};

	(void)state;
	run(100, four, 4);
	assert_int_equal(src[3].place, 3);
	changes = 0;
	run(980, gone, 4);
	assert_int_equal(changes, 0);
	run(80, gone, 4);
	assert_int_equal(changes, 1);
	assert_int_equal(src[0].place, -1);
	assert_int_equal(src[3].place, 0); /* the reserve moves up */
	assert_true(loudest_deadline(&l) != FLOW_NEVER);
	now += 2 * NS_PER_S;
	assert_true(loudest_tick(&l, now));
	assert_true(loudest_deadline(&l) == FLOW_NEVER);
	for (unsigned i = 0; i < 4; i++)
		assert_null(l.place[i]);
}

static void removal(void **state)
{
	static const int five[] = {QUIET, QUIET, QUIET, QUIET, QUIET};

	(void)state;
	run(100, five, 5);
	assert_true(loudest_remove(&l, &src[1]));
	assert_false(loudest_remove(&l, &src[1]));
	assert_int_equal(src[3].place, 1);
	assert_null(l.place[3]);
	assert_false(loudest_remove(&l, &src[4]));
	run(20, five, 5); /* 1 and 4 both send again: the first gets in */
	assert_int_equal(src[1].place, 3);
}

static void levels_are_smoothed(void **state)
{
	static const int loud[] = {0}, silent[] = {127}, unknown[] = {-1};

	(void)state;
	run(20, loud, 1);
	assert_int_equal(loudest_level(&src[0]), 84); /* 127 * 2 / 3 */
	run(40, loud, 1);
	assert_int_equal(loudest_level(&src[0]), 37);
	assert_true(loudest_speaks(&src[0]));
	run(200, silent, 1);
	run(600, silent, 1);
	assert_false(loudest_speaks(&src[0]));
	run(600, unknown, 1);
	assert_true(loudest_speaks(&src[0])); /* rather heard than not */
}

#define T(f) cmocka_unit_test_setup(f, setup)
int main(void)
{
	const struct CMUnitTest tests[] = {
		T(three_never_move),
		T(silence_does_not_displace),
		T(a_speaker_gets_in_and_stays),
		T(alike_speakers_do_not_churn),
		T(the_loudest_win_in_turns),
		T(who_is_gone_makes_room),
		T(removal),
		T(levels_are_smoothed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
