/* Frames out of packets: order, holes, deadlines, what the sender dropped,
 * streams that begin anew. */
#include "flow.h"

#include "base.h"
#include "hex.h"
#include "oom.h"

#define MS   NS_PER_MS
#define WAIT (200 * MS)
#define KEY  "10 | 50 02 00 9d 01 2a 40 01 f0 00" /* 320 x 240 */

static int put_at(struct frames *f, uint16_t seq, uint32_t ts, bool marker,
	const char *payload, uint64_t at_ns)
{
	size_t n;
	uint8_t *p = hex(payload, &n);
	struct frames_packet k = {.seq = seq, .rtp_ts = ts, .marker = marker,
		.payload = p, .len = n, .arrival_ns = at_ns};
	int rc = frames_put(f, &k);

	free(p);
	return rc;
}

static void put(struct frames *f, uint16_t seq, uint32_t ts, bool marker,
	const char *payload)
{
	assert_int_equal(put_at(f, seq, ts, marker, payload, 0), 0);
}

static void assert_frame(struct frames *f, uint64_t now_ns, uint32_t ts,
	unsigned lost, const char *bytes)
{
	struct frame got;

	assert_true(frames_next(f, now_ns, &got));
	assert_int_equal(got.rtp_ts, ts);
	assert_int_equal(got.lost, lost);
	assert_bytes(got.data, got.len, bytes);
}

static void assert_none(struct frames *f, uint64_t now_ns)
{
	struct frame got;

	assert_false(frames_next(f, now_ns, &got));
}

static void in_order(void **state)
{
	struct frames *f = frames_new(FRAMES_VP8, WAIT);
	struct frame got;

	(void)state;
	put(f, 65534, 3000, false, KEY);
	assert_none(f, 0);
	put(f, 65535, 3000, false, "00 aa");
	assert_none(f, 0);
	put(f, 0, 3000, true, "00 bb");
	assert_true(frames_next(f, 0, &got));
	assert_bytes(got.data, got.len,
		"50 02 00 9d 01 2a 40 01 f0 00 | aa | bb");
	assert_true(got.key);
	assert_int_equal(got.width, 320);
	assert_int_equal(got.height, 240);
	assert_int_equal(got.rtp_ts, 3000);
	assert_int_equal(got.lost, 0);
	put(f, 1, 6000, true, "90 80 81 02 | 11");
	assert_true(frames_next(f, 0, &got));
	assert_bytes(got.data, got.len, "11");
	assert_false(got.key);
	assert_none(f, 0);
	assert_true(frames_deadline(f) == FLOW_NEVER);
	frames_free(f);
}

static void reordered(void **state)
{
	struct frames *f = frames_new(FRAMES_VP8, WAIT);
	uint16_t missing[4];

	(void)state;
	put(f, 10, 0, true, "10 11");
	assert_frame(f, 0, 0, 0, "11");
	assert_int_equal(put_at(f, 13, 9000, true, "10 33", 5 * MS), 0);
	assert_int_equal(put_at(f, 12, 6000, true, "00 23", 6 * MS), 0);
	assert_none(f, 6 * MS);
	assert_int_equal(frames_missing(f, missing, 4), 1);
	assert_int_equal(missing[0], 11);
	assert_true(frames_deadline(f) == 206 * MS);
	assert_int_equal(put_at(f, 12, 6000, true, "00 23", 7 * MS), -EALREADY);
	assert_int_equal(put_at(f, 11, 6000, false, "10 21", 8 * MS), 0);
	assert_int_equal(frames_missing(f, missing, 4), 0);
	assert_frame(f, 8 * MS, 6000, 0, "21 23");
	assert_frame(f, 8 * MS, 9000, 0, "33");
	assert_int_equal(put_at(f, 12, 6000, true, "00 23", 9 * MS), -ESTALE);
	frames_free(f);
}

/* Packet 12 of frame 6000 never comes: the frame is left out. */
static void given_up(void **state)
{
	struct frames *f = frames_new(FRAMES_VP8, WAIT);

	(void)state;
	put(f, 10, 3000, true, "10 11");
	put(f, 11, 6000, false, "10 21");
	assert_frame(f, 0, 3000, 0, "11");
	assert_int_equal(put_at(f, 13, 6000, true, "00 23", 30 * MS), 0);
	assert_int_equal(put_at(f, 14, 9000, false, "10 31", 40 * MS), 0);
	assert_none(f, 230 * MS - 1);
	assert_true(frames_deadline(f) == 230 * MS);
	assert_none(f, 230 * MS); /* frame 9000 has no end yet */
	assert_true(frames_deadline(f) == FLOW_NEVER);
	assert_int_equal(put_at(f, 12, 6000, false, "00 22", 231 * MS),
		-ESTALE);
	assert_int_equal(put_at(f, 15, 9000, true, "00 32", 240 * MS), 0);
	assert_frame(f, 240 * MS, 9000, 1, "31 32");
	put(f, 16, 12000, true, "10 41");
	assert_frame(f, 240 * MS, 12000, 0, "41");
	frames_free(f);
}

/* The marker was lost with its packet: the next frame shows the end, but
 * only if nothing is missing between them. */
static void without_marker(void **state)
{
	struct frames *f = frames_new(FRAMES_VP8, WAIT);

	(void)state;
	put(f, 10, 3000, false, "10 11");
	assert_none(f, 0);
	put(f, 11, 6000, true, "10 21");
	assert_frame(f, 0, 3000, 0, "11");
	assert_frame(f, 0, 6000, 0, "21");
	put(f, 12, 9000, false, "10 31");
	put(f, 14, 12000, true, "10 41");
	assert_none(f, 0);
	assert_frame(f, WAIT, 12000, 1, "41");
	frames_free(f);
}

/* The sender said that it dropped: there is nothing to wait for. What was
 * missing before that is still waited for. */
static void dropped_by_sender(void **state)
{
	struct frames *f = frames_new(FRAMES_VP8, WAIT);
	uint16_t missing[4];

	(void)state;
	put(f, 10, 3000, true, "10 11");
	assert_frame(f, 0, 3000, 0, "11");
	frames_skip(f);
	put(f, 20, 6000, true, KEY);
	assert_int_equal(frames_missing(f, missing, 4), 0);
	assert_frame(f, 0, 6000, 9, "50 02 00 9d 01 2a 40 01 f0 00");
	put(f, 22, 9000, true, "10 21");
	assert_int_equal(frames_missing(f, missing, 4), 1);
	assert_int_equal(missing[0], 21);
	assert_none(f, WAIT - 1);
	assert_frame(f, WAIT, 9000, 1, "21");
	frames_free(f);
}

/* Who joins in the middle of a frame sees the next one first. A packet
 * without payload fills its place. */
static void joined_late(void **state)
{
	struct frames *f = frames_new(FRAMES_VP8, WAIT);

	(void)state;
	put(f, 10, 3000, false, "00 12");
	put(f, 11, 3000, true, "00 13");
	assert_none(f, 0);
	put(f, 12, 3000, false, "");
	put(f, 13, 6000, true, "10 21");
	assert_frame(f, 0, 6000, 0, "21");
	frames_free(f);
}

static void opus(void **state)
{
	struct frames *f = frames_new(FRAMES_OPUS, WAIT);

	(void)state;
	put(f, 7, 960, true, "fc 01");
	put(f, 8, 1920, false, "fc 02");
	assert_frame(f, 0, 960, 0, "fc 01");
	assert_frame(f, 0, 1920, 0, "fc 02");
	put(f, 11, 4800, false, "fc 05");
	assert_none(f, 0);
	put(f, 9, 2880, false, "fc 03");
	assert_frame(f, 0, 2880, 0, "fc 03");
	assert_frame(f, WAIT, 4800, 1, "fc 05");
	frames_free(f);
}

/* A window is held behind a hole, no more. */
static void window(void **state)
{
	struct frames *f = frames_new(FRAMES_OPUS, WAIT);
	uint16_t missing[4];

	(void)state;
	put(f, 0, 0, false, "fc 00");
	assert_frame(f, 0, 0, 0, "fc 00");
	for (uint16_t i = 2; i < 2 + FRAMES_WINDOW - 1; i++)
		put(f, i, i, false, "fc 01");
	assert_none(f, 0);
	assert_int_equal(frames_missing(f, missing, 4), 1);
	put(f, 2 + FRAMES_WINDOW - 1, 7, false, "fc 01");
	assert_frame(f, 0, 2, 1, "fc 01");
	for (unsigned i = 1; i < FRAMES_WINDOW; i++) {
		struct frame got;

		assert_true(frames_next(f, 0, &got));
		assert_int_equal(got.lost, 0);
	}
	assert_none(f, 0);
	frames_free(f);
}

/* A leap counts when the next packet follows it. */
static void begins_anew(void **state)
{
	struct frames *f = frames_new(FRAMES_OPUS, WAIT);

	(void)state;
	put(f, 100, 0, false, "fc 00");
	assert_frame(f, 0, 0, 0, "fc 00");
	assert_int_equal(put_at(f, 40000, 1, false, "fc 01", 0), -ESTALE);
	assert_int_equal(put_at(f, 50000, 1, false, "fc 01", 0), -ESTALE);
	put(f, 101, 2, false, "fc 02");
	assert_frame(f, 0, 2, 0, "fc 02");
	assert_int_equal(put_at(f, 40000, 3, false, "fc 03", 0), -ESTALE);
	put(f, 40001, 4, false, "fc 04");
	assert_frame(f, 0, 4, 1, "fc 04");
	put(f, 40002, 5, false, "fc 05");
	assert_frame(f, 0, 5, 0, "fc 05");
	/* 3,000 in front are a hole, and more than the window holds. */
	put(f, 43002, 6, false, "fc 06");
	assert_frame(f, WAIT, 6, 2999, "fc 06");
	frames_free(f);
}

static void malformed(void **state)
{
	static uint8_t large[FRAMES_MAX_PAYLOAD + 1] = {0x10};
	struct frames *f = frames_new(FRAMES_VP8, WAIT);
	struct frames_packet k = {.seq = 11, .payload = large,
		.len = sizeof(large)};

	(void)state;
	put(f, 10, 3000, true, "10 11");
	assert_frame(f, 0, 3000, 0, "11");
	assert_int_equal(frames_put(f, &k), -EMSGSIZE);
	assert_int_equal(put_at(f, 11, 6000, true, "90 80", 0), -EBADMSG);
	assert_true(frames_deadline(f) == FLOW_NEVER);
	put(f, 12, 9000, true, "10 31");
	assert_frame(f, WAIT, 9000, 1, "31");
	frames_free(f);
	frames_free(NULL);
}

static int short_of_memory(void *arg)
{
	static const uint8_t payload[] = {0x10, 0x11};
	struct frames *f = frames_new(FRAMES_VP8, WAIT);
	struct frame got;
	unsigned n = 0, lost = 0;

	(void)arg;
	if (!f)
		return -ENOMEM;
	for (uint16_t i = 0; i < 20; i++) {
		struct frames_packet k = {.seq = i, .rtp_ts = i, .marker = true,
			.payload = payload, .len = 2};

		frames_put(f, &k);
		while (frames_next(f, WAIT, &got)) {
			n++;
			lost += got.lost;
		}
	}
	frames_free(f);
	return n == 20 ? 0 : n == 19 && lost <= 1 ? -ENOMEM : -EINVAL;
}

static void out_of_memory(void **state)
{
	(void)state;
	assert_int_equal(oom_ladder(short_of_memory, NULL), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(in_order),
		cmocka_unit_test(reordered),
		cmocka_unit_test(given_up),
		cmocka_unit_test(without_marker),
		cmocka_unit_test(dropped_by_sender),
		cmocka_unit_test(joined_late),
		cmocka_unit_test(opus),
		cmocka_unit_test(window),
		cmocka_unit_test(begins_anew),
		cmocka_unit_test(malformed),
		cmocka_unit_test(out_of_memory),
	};
	return cmocka_run_group_tests_name("flow-frames", tests, NULL, NULL);
}
