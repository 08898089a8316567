/* One stream out of several: literals that a reader can check by eye. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base.h"
#include "wire.h"
#include "flow.h"

#define MS NS_PER_MS

static struct rewrite w;
static struct rewrite_out out;

static int put(uint16_t seq, uint32_t ts, uint64_t ns)
{
	struct rewrite_in in = {.seq = seq, .rtp_ts = ts, .arrival_ns = ns};

	return rewrite_packet(&w, &in, &out);
}

static int drop(uint16_t seq, uint32_t ts)
{
	struct rewrite_in in = {.seq = seq, .rtp_ts = ts};

	return rewrite_drop(&w, &in);
}

#define SENT(seq_, ts_, ns_, out_seq, out_ts)                     \
	do {                                                      \
		assert_int_equal(put(seq_, ts_, ns_), 0);         \
		assert_int_equal(out.seq, out_seq);               \
		assert_int_equal(out.rtp_ts, out_ts);             \
	} while (0)

static void first_packet_gets_the_start(void **state)
{
	(void)state;
	rewrite_init(&w, 48000, 100, 5000, 0);
	SENT(65534, 4294966336u, 0, 100, 5000);
	assert_true(out.restarted);
	SENT(65535, 0, 20 * MS, 101, 5960);
	assert_false(out.restarted);
	SENT(0, 960, 40 * MS, 102, 6920);
}

static void output_wraps(void **state)
{
	(void)state;
	rewrite_init(&w, 48000, 65535, 4294967295u, 0);
	SENT(7, 0, 0, 65535, 4294967295u);
	SENT(8, 960, 20 * MS, 0, 959);
	SENT(9, 1920, 40 * MS, 1, 1919);
}

static void gaps_and_reordering_stay(void **state)
{
	(void)state;
	rewrite_init(&w, 48000, 1, 0, 0);
	SENT(65530, 0, 0, 1, 0);
	SENT(65533, 2880, 60 * MS, 4, 2880);
	SENT(65531, 960, 61 * MS, 2, 960);
	SENT(2, 7680, 160 * MS, 9, 7680); /* 65536 + 2 - 65530 + 1 */
	SENT(65535, 4800, 161 * MS, 6, 4800);
	SENT(65532, 1920, 162 * MS, 3, 1920);
}

static void duplicates_are_refused(void **state)
{
	(void)state;
	rewrite_init(&w, 48000, 1, 0, 0);
	SENT(10, 0, 0, 1, 0);
	assert_int_equal(put(10, 0, 0), -EALREADY);
	SENT(12, 1920, 40 * MS, 3, 1920);
	SENT(11, 960, 41 * MS, 2, 960);
	assert_int_equal(put(11, 960, 42 * MS), -EALREADY);
	assert_int_equal(put(12, 1920, 42 * MS), -EALREADY);
	/* The place of 12 in the window is free again 1,024 packets on. */
	for (unsigned i = 13; i < 12 + 1024; i++)
		assert_int_equal(put((uint16_t)i, i * 960, i * 20 * MS), 0);
	assert_int_equal(put(12 + 1024, (12 + 1024) * 960, 21 * NS_PER_S), 0);
}

/* At a switch the sequence goes on by one, and time by what has passed. */
static void a_switch_goes_on(void **state)
{
	(void)state;
	rewrite_init(&w, 90000, 65535, 1000, 0);
	SENT(500, 70000, 0, 65535, 1000);
	SENT(501, 73000, 33 * MS, 0, 4000);
	rewrite_switch(&w);
	rewrite_switch(&w);
	/* 100 ms after the last: 9000 ticks. */
	SENT(9, 4000000000u, 133 * MS, 1, 13000);
	assert_true(out.restarted);
	SENT(10, 4000003000u, 166 * MS, 2, 16000);
	/* Within the same nanosecond at least one tick. */
	rewrite_switch(&w);
	SENT(77, 5, 166 * MS, 3, 16001);
	/* A clock that seems to go back does not take time back. */
	rewrite_switch(&w);
	SENT(78, 5, 100 * MS, 4, 16002);
}

static void time_passes_from_the_first_packet_of_a_frame(void **state)
{
	(void)state;
	rewrite_init(&w, 90000, 1, 0, 0);
	SENT(1, 0, 0, 1, 0);
	SENT(2, 0, 30 * MS, 2, 0);
	rewrite_switch(&w);
	SENT(50, 900, 40 * MS, 3, 3600);
}

static void reordering_across_a_switch(void **state)
{
	(void)state;
	rewrite_init(&w, 48000, 1, 0, 0);
	SENT(10, 0, 0, 1, 0);
	SENT(13, 2880, 60 * MS, 4, 2880);
	rewrite_switch(&w);
	SENT(30000, 77, 80 * MS, 5, 3840);
	/* Before the new source's first packet: not for this receiver. */
	assert_int_equal(put(29999, 77 - 960, 81 * MS), -ESTALE);
	assert_int_equal(put(29990, 77 - 9600, 82 * MS), -ESTALE);
	/* Reordered behind it: as usual. */
	SENT(30002, 77 + 1920, 120 * MS, 7, 5760);
	SENT(30001, 77 + 960, 121 * MS, 6, 4800);
}

static void dropped_packets_close_the_gap(void **state)
{
	(void)state;
	rewrite_init(&w, 48000, 1, 0, 0);
	assert_int_equal(drop(9, 0), 0); /* nothing was sent yet */
	SENT(10, 0, 0, 1, 0);
	assert_int_equal(drop(11, 960), 0);
	assert_int_equal(drop(12, 1920), 0);
	assert_int_equal(drop(12, 1920), -EALREADY);
	assert_int_equal(put(12, 1920, 50 * MS), -EALREADY);
	SENT(13, 2880, 60 * MS, 2, 2880);
	/* 14 and 15 are missing when 16 is dropped, and come later. */
	assert_int_equal(drop(16, 5760), 0);
	SENT(17, 6720, 140 * MS, 5, 6720);
	SENT(15, 4800, 141 * MS, 4, 4800);
	SENT(14, 3840, 142 * MS, 3, 3840);
	/* One that comes late stays a gap. */
	SENT(19, 8640, 180 * MS, 7, 8640);
	assert_int_equal(drop(18, 7680), 0);
	assert_int_equal(put(18, 7680, 181 * MS), -EALREADY);
	SENT(20, 9600, 200 * MS, 8, 9600);
}

/* Late packets in front of a dropped one may be the newest that was sent. */
static void a_switch_behind_a_drop(void **state)
{
	(void)state;
	rewrite_init(&w, 48000, 1, 0, 0);
	SENT(10, 0, 0, 1, 0);
	assert_int_equal(drop(13, 2880), 0);
	SENT(11, 960, 20 * MS, 2, 960);
	SENT(12, 1920, 40 * MS, 3, 1920);
	rewrite_switch(&w);
	SENT(500, 0, 60 * MS, 4, 2880);
}

static void more_drops_than_are_remembered(void **state)
{
	(void)state;
	rewrite_init(&w, 48000, 1, 0, 0);
	SENT(0, 0, 0, 1, 0);
	/* 17 times: one missing, one dropped, one sent. */
	for (unsigned i = 0; i <= REWRITE_DROPS; i++) {
		uint16_t s = (uint16_t)(3 * i + 2);

		assert_int_equal(drop(s, s * 960u), 0);
		assert_int_equal(put((uint16_t)(s + 1), (s + 1u) * 960,
					 s * 20 * MS), 0);
	}
	assert_int_equal(put(1, 960, NS_PER_S), -ESTALE);
	SENT(4, 3840, NS_PER_S, 4, 3840);
}

static void a_source_that_leaps_is_a_new_one(void **state)
{
	(void)state;
	rewrite_init(&w, 48000, 1, 0, 0);
	SENT(10, 0, 0, 1, 0);
	/* A gap of 3,000 is a gap. */
	SENT(3010, 960, 20 * MS, 3001, 960);
	/* 3,001 is a leap, which the next packet has to confirm. */
	assert_int_equal(put(6011, 1920, 40 * MS), -ESTALE);
	SENT(3011, 1920, 40 * MS, 3002, 1920);
	assert_int_equal(put(6012, 2880, 60 * MS), -ESTALE);
	assert_int_equal(put(6014, 4800, 100 * MS), -ESTALE);
	SENT(6015, 5760, 120 * MS, 3003, 5760);
	assert_true(out.restarted);
}

static void a_source_that_begins_anew_behind(void **state)
{
	(void)state;
	rewrite_init(&w, 48000, 1, 0, 0);
	SENT(1000, 0, 0, 1, 0);
	for (unsigned i = 1; i < 100; i++)
		assert_int_equal(put((uint16_t)(1000 + i), i * 960,
					 i * 20 * MS), 0);
	/* Sequence numbers within the window, but of another clock. */
	assert_int_equal(put(1050, 0x80000000u, 2000 * MS), -ESTALE);
	SENT(1051, 0x80000000u + 960, 2020 * MS, 101, 99 * 960 + 1920);
	assert_true(out.restarted);
}

static void time_never_goes_back(void **state)
{
	(void)state;
	rewrite_init(&w, 90000, 1, 0, 0);
	SENT(1, 1000000, 0, 1, 0);
	SENT(2, 1003000, 33 * MS, 2, 3000);
	SENT(3, 1002999, 66 * MS, 3, 5970);
	assert_true(out.restarted);
	SENT(4, 1002999 + 0x7fffffffu, 99 * MS, 4, 8940);
	assert_true(out.restarted);
	/* A pause is no skew: 60 s later and 60 s on. */
	SENT(5, 1002999 + 0x7fffffffu + 5400000, 60099 * MS, 5, 5408940);
	assert_false(out.restarted);
}

/* Six and a half hours are half of the timestamp circle. */
static void late_packets_are_taken_after_hours(void **state)
{
	uint32_t ts = 0;
	uint16_t seq = 0;
	uint64_t ns = 0;

	(void)state;
	rewrite_init(&w, 90000, 0, 0, 0);
	SENT(0, 0, 0, 0, 0);
	for (unsigned i = 0; i < 3000; i++) {
		seq++;
		ts += 900000;
		ns += 10 * NS_PER_S;
		assert_int_equal(put(seq, ts, ns), 0);
	}
	SENT((uint16_t)(seq + 2), ts + 6000, ns + 66 * MS,
		(uint16_t)(seq + 2), ts + 6000);
	SENT((uint16_t)(seq + 1), ts + 3000, ns + 70 * MS,
		(uint16_t)(seq + 1), ts + 3000);
}

/* ---- VP8 ---- */

static int put8(uint16_t seq, uint32_t ts, const struct vp8 *v)
{
	struct rewrite_in in = {.seq = seq, .rtp_ts = ts, .vp8 = v};

	in.arrival_ns = ts / 90 * MS;
	return rewrite_packet(&w, &in, &out);
}

static struct vp8 id15(uint16_t id)
{
	return (struct vp8){
		.header_len = 4,
		.start = true,
		.has_picture_id = true,
		.picture_id_15 = true,
		.picture_id = id,
	};
}

static struct vp8 id7(uint16_t id)
{
	return (struct vp8){
		.header_len = 3,
		.start = true,
		.has_picture_id = true,
		.picture_id = id,
	};
}

static void picture_ids_wrap_at_15_bits(void **state)
{
	struct vp8 v;

	(void)state;
	rewrite_init(&w, 90000, 1, 0, 32766);
	v = id15(32767);
	assert_int_equal(put8(1, 0, &v), 0);
	assert_int_equal(out.picture_id, 32766);
	v = id15(1); /* frame 0 is lost */
	assert_int_equal(put8(4, 6000, &v), 0);
	assert_int_equal(out.picture_id, 0);
	v = id15(0); /* and comes late */
	assert_int_equal(put8(2, 3000, &v), 0);
	assert_int_equal(out.picture_id, 32767);
	v = id15(2);
	assert_int_equal(put8(5, 9000, &v), 0);
	assert_int_equal(out.picture_id, 1);
	rewrite_switch(&w);
	v = id15(12345);
	assert_int_equal(put8(900, 9900, &v), 0);
	assert_int_equal(out.picture_id, 2);
}

static void picture_ids_of_7_bits_become_15(void **state)
{
	struct vp8 v = id7(126);

	(void)state;
	rewrite_init(&w, 90000, 1, 0, 300);
	assert_int_equal(put8(1, 0, &v), 0);
	assert_int_equal(out.picture_id, 300);
	v = id7(0); /* 127 is lost */
	assert_int_equal(put8(3, 6000, &v), 0);
	assert_int_equal(out.picture_id, 302);
	v = id7(127);
	assert_int_equal(put8(2, 3000, &v), 0);
	assert_int_equal(out.picture_id, 301);
	for (unsigned i = 1; i < 400; i++) {
		v = id7(i % 128);
		assert_int_equal(put8((uint16_t)(3 + i), 6000 + i * 3000, &v),
			0);
		assert_int_equal(out.picture_id, 302 + i);
	}
}

static void picture_ids_are_made_up(void **state)
{
	struct vp8 v = {.header_len = 1, .start = true};

	(void)state;
	rewrite_init(&w, 90000, 1, 0, 5);
	assert_int_equal(put8(1, 0, &v), 0);
	assert_int_equal(out.picture_id, 5);
	assert_int_equal(put8(2, 0, &v), 0);
	assert_int_equal(out.picture_id, 5);
	assert_int_equal(put8(4, 3000, &v), 0);
	assert_int_equal(out.picture_id, 6);
	assert_int_equal(put8(3, 0, &v), 0); /* of the frame before */
	assert_int_equal(out.picture_id, 5);
	assert_int_equal(put8(7, 9000, &v), 0);
	assert_int_equal(out.picture_id, 7);
	/* Of a frame that was not counted: which number had it? */
	assert_int_equal(put8(5, 6000, &v), -ESTALE);
}

static void tl0picidx_goes_on(void **state)
{
	struct vp8 v = id15(10);

	(void)state;
	v.has_tl0picidx = v.has_tid = true;
	v.tl0picidx = 255;
	rewrite_init(&w, 90000, 1, 0, 0);
	assert_int_equal(put8(1, 0, &v), 0);
	assert_int_equal(out.tl0picidx, 255);
	v.picture_id = 11;
	v.tl0picidx = 0;
	assert_int_equal(put8(2, 3000, &v), 0);
	assert_int_equal(out.tl0picidx, 0);
	/* A source without one in between leaves it as it was. */
	rewrite_switch(&w);
	v.has_tl0picidx = false;
	assert_int_equal(put8(70, 6000, &v), 0);
	rewrite_switch(&w);
	v.has_tl0picidx = true;
	v.tl0picidx = 200;
	assert_int_equal(put8(3, 9000, &v), 0);
	assert_int_equal(out.tl0picidx, 1);
	v.tl0picidx = 202;
	assert_int_equal(put8(5, 15000, &v), 0);
	assert_int_equal(out.tl0picidx, 3);
	v.tl0picidx = 201;
	assert_int_equal(put8(4, 12000, &v), 0);
	assert_int_equal(out.tl0picidx, 2);
}

static void dropped_frames_close_picture_ids(void **state)
{
	struct vp8 v = id15(100);
	struct rewrite_in in = {.vp8 = &v};

	(void)state;
	rewrite_init(&w, 90000, 1, 0, 0);
	assert_int_equal(put8(1, 0, &v), 0);
	assert_int_equal(out.picture_id, 0);
	v.picture_id = 101; /* two packets of one frame */
	for (in.seq = 2, in.rtp_ts = 3000; in.seq < 4; in.seq++)
		assert_int_equal(rewrite_drop(&w, &in), 0);
	v.picture_id = 102;
	assert_int_equal(put8(4, 6000, &v), 0);
	assert_int_equal(out.picture_id, 1);
	assert_int_equal(out.seq, 2);
	/* 103 is missing when 104 is dropped. */
	v.picture_id = 104;
	in.seq = 6;
	in.rtp_ts = 12000;
	assert_int_equal(rewrite_drop(&w, &in), 0);
	v.picture_id = 105;
	assert_int_equal(put8(7, 15000, &v), 0);
	assert_int_equal(out.picture_id, 3);
	assert_int_equal(out.seq, 4);
	v.picture_id = 103;
	assert_int_equal(put8(5, 9000, &v), 0);
	assert_int_equal(out.picture_id, 2);
	assert_int_equal(out.seq, 3);
}

static void descriptors_are_written(void **state)
{
	struct rewrite_out ids = {.picture_id = 0x1234, .tl0picidx = 9};
	uint8_t got[REWRITE_MAX_VP8];
	struct vp8 v;

	(void)state;
	assert_int_equal(vp8_parse(&v, (const uint8_t[]){0x00, 0xaa}, 2), 0);
	assert_int_equal(rewrite_vp8(got, &v, &ids), 4);
	assert_memory_equal(got, ((uint8_t[]){0x80, 0x80, 0x92, 0x34}), 4);
	assert_int_equal(vp8_parse(&v,
		(const uint8_t[]){0x80, 0xf0, 0x05, 0x07, 0x45, 0xaa}, 6), 0);
	assert_int_equal(rewrite_vp8(got, &v, &ids), 6);
	assert_memory_equal(got,
		((uint8_t[]){0x80, 0xf0, 0x92, 0x34, 0x09, 0x45}), 6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(first_packet_gets_the_start),
		cmocka_unit_test(output_wraps),
		cmocka_unit_test(gaps_and_reordering_stay),
		cmocka_unit_test(duplicates_are_refused),
		cmocka_unit_test(a_switch_goes_on),
		cmocka_unit_test(time_passes_from_the_first_packet_of_a_frame),
		cmocka_unit_test(reordering_across_a_switch),
		cmocka_unit_test(dropped_packets_close_the_gap),
		cmocka_unit_test(a_switch_behind_a_drop),
		cmocka_unit_test(more_drops_than_are_remembered),
		cmocka_unit_test(a_source_that_leaps_is_a_new_one),
		cmocka_unit_test(a_source_that_begins_anew_behind),
		cmocka_unit_test(time_never_goes_back),
		cmocka_unit_test(late_packets_are_taken_after_hours),
		cmocka_unit_test(picture_ids_wrap_at_15_bits),
		cmocka_unit_test(picture_ids_of_7_bits_become_15),
		cmocka_unit_test(picture_ids_are_made_up),
		cmocka_unit_test(tl0picidx_goes_on),
		cmocka_unit_test(dropped_frames_close_picture_ids),
		cmocka_unit_test(descriptors_are_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
