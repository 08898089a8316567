/* Feedback is read back with wire's parser. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base.h"
#include "wire.h"
#include "flow.h"

#define MS NS_PER_MS

static struct twccgen *t;
static struct buf out;
static struct rtcp_twcc fb;

static int setup(void **state)
{
	(void)state;
	t = twccgen_new();
	return t ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	twccgen_free(t);
	buf_free(&out);
	return 0;
}

static int take(uint64_t now_ms)
{
	struct rtcp_iter it;
	struct rtcp_fb f;
	struct rtcp r;
	int rc;

	buf_clear(&out);
	rc = twccgen_take(t, 11, 22, now_ms * MS, &out);
	if (rc != 1)
		return rc;
	it = rtcp_iter(out.data, out.len);
	assert_int_equal(rtcp_next(&it, &r), 1);
	assert_int_equal(rtcp_fb(&r, &f), 0);
	assert_int_equal(f.sender, 11);
	assert_int_equal(f.media, 22);
	assert_int_equal(rtcp_twcc(&f, &fb), 0);
	return 1;
}

/* The next status: -1 lost, else its arrival in ms; *seq tells which. */
static int64_t status(uint16_t *seq)
{
	struct rtcp_twcc_status s;

	assert_true(rtcp_twcc_next(&fb, &s));
	*seq = s.seq;
	return s.received ? s.at_us / 1000 : -1;
}

#define STATUS(seq_, ms_)                                   \
	do {                                                \
		uint16_t got_;                              \
		assert_int_equal(status(&got_), ms_);       \
		assert_int_equal(got_, seq_);               \
	} while (0)

static void reports_over_the_wrap(void **state)
{
	(void)state;
	assert_true(twccgen_deadline(t) == FLOW_NEVER);
	twccgen_packet(t, 65534, 1000 * MS);
	twccgen_packet(t, 65535, 1010 * MS);
	twccgen_packet(t, 1, 1030 * MS);
	twccgen_packet(t, 1, 1050 * MS); /* a copy: the first counts */
	assert_true(twccgen_deadline(t) == 1100 * MS);
	assert_int_equal(take(1099), 0);
	assert_int_equal(take(1100), 1);
	assert_int_equal(fb.fb_count, 0);
	assert_int_equal(fb.base_seq, 65534);
	assert_int_equal(fb.count, 4);
	STATUS(65534, 1000);
	STATUS(65535, 1010);
	STATUS(0, -1);
	STATUS(1, 1030);
	assert_int_equal(take(1100), 0);
	assert_true(twccgen_deadline(t) == FLOW_NEVER);
	/* The next goes on behind it. */
	twccgen_packet(t, 3, 1200 * MS);
	assert_int_equal(take(1300), 1);
	assert_int_equal(fb.fb_count, 1);
	STATUS(2, -1);
	STATUS(3, 1200);
}

static void a_late_packet_is_reported_anew(void **state)
{
	(void)state;
	twccgen_packet(t, 10, 1000 * MS);
	twccgen_packet(t, 12, 1004 * MS);
	assert_int_equal(take(1100), 1);
	twccgen_packet(t, 11, 1110 * MS);
	twccgen_packet(t, 13, 1120 * MS);
	assert_int_equal(take(1210), 1);
	assert_int_equal(fb.count, 3);
	STATUS(11, 1110);
	STATUS(12, 1004);
	STATUS(13, 1120);
}

static void many_packets_come_sooner(void **state)
{
	(void)state;
	twccgen_packet(t, 0, 1000 * MS);
	assert_int_equal(take(1100), 1);
	for (uint16_t i = 1; i <= TWCCGEN_MANY; i++)
		twccgen_packet(t, i, 1110 * MS);
	assert_true(twccgen_deadline(t) == 1150 * MS);
	assert_int_equal(take(1150), 1);
	assert_int_equal(fb.count, TWCCGEN_MANY);
}

static void more_than_one_feedback_holds(void **state)
{
	unsigned n = 0, packets = 0;
	uint16_t next = 0;

	(void)state;
	for (uint16_t i = 0; i < 1500; i++)
		twccgen_packet(t, i, 1000 * MS + i * 10000u);
	while (take(1200) == 1) {
		assert_int_equal(fb.base_seq, next);
		assert_int_equal(fb.fb_count, n);
		packets += fb.count;
		next = (uint16_t)(next + fb.count);
		assert_true(++n < 10);
	}
	assert_int_equal(packets, 1500);
}

static void long_losses_are_left_out(void **state)
{
	(void)state;
	twccgen_packet(t, 0, 1000 * MS);
	assert_int_equal(take(1100), 1);
	twccgen_packet(t, 1000, 1110 * MS);
	assert_int_equal(take(1210), 1);
	assert_int_equal(fb.base_seq, 1000);
	STATUS(1000, 1110);
	/* A leap beyond the window starts anew. */
	twccgen_packet(t, 10000, 1300 * MS);
	assert_int_equal(take(1400), 1);
	assert_int_equal(fb.base_seq, 10000);
	assert_int_equal(fb.count, 1);
	/* What is older than the window is forgotten. */
	twccgen_packet(t, 10000 - TWCCGEN_WINDOW, 1500 * MS);
	assert_true(twccgen_deadline(t) == FLOW_NEVER);
}

/* Two arrivals further apart than a delta can say: two feedbacks. */
static void a_pause_splits_it(void **state)
{
	(void)state;
	twccgen_packet(t, 5, 1000 * MS);
	twccgen_packet(t, 6, 60000 * MS);
	assert_int_equal(take(60000), 1);
	assert_int_equal(fb.count, 1);
	STATUS(5, 1000);
	assert_int_equal(take(60000), 1);
	STATUS(6, 60000);
	assert_int_equal(take(60000), 0);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
int main(void)
{
	const struct CMUnitTest tests[] = {
		T(reports_over_the_wrap),
		T(a_late_packet_is_reported_anew),
		T(many_packets_come_sooner),
		T(more_than_one_feedback_holds),
		T(long_losses_are_left_out),
		T(a_pause_splits_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
