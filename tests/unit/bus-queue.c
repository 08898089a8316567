/* What a full queue drops: whole frames, the oldest first, of video up to
 * the next key frame; and how it counts. */
#include "bus_queue_priv.h"

#include "hex.h"
#include "oom.h"
#include "wire.h"

#define MS NS_PER_MS

static struct bus_stats stats;

static void setup(struct bus_queue *q)
{
	stats = (struct bus_stats){0};
	bus_queue_init(q, &stats);
	q->age_ns = 200 * MS;
	assert_int_equal(bus_queue_open(q, 0, BUS_VP8), 0);
	assert_int_equal(bus_queue_open(q, 1, BUS_OPUS), 0);
}

/* "K" begins a key frame, "S" another one, "." goes on; '|' behind it is the
 * marker. */
static size_t packet(uint8_t out[static 200], uint32_t ts, const char *what,
	size_t pad)
{
	static const uint8_t key[] = {0x10, 0x10, 2, 0, 0x9d, 1, 0x2a, 0x80, 2,
		0x68, 1};
	struct rtp h = {.pt = 96, .ts = ts, .ssrc = 1,
		.marker = what[1] == '|'};
	size_t n = (size_t)rtp_write(out, 200, &h), body = 2;

	memset(out + n, 0, 100);
	out[n] = *what == '.' ? 0 : 0x10;
	out[n + 1] = 0x11;
	if (*what == 'K') {
		memcpy(out + n, key, sizeof(key));
		body = sizeof(key);
	}
	return n + MAX(body, pad);
}

static int put_n(struct bus_queue *q, unsigned track, uint32_t ts,
	const char *what, size_t pad, uint64_t now)
{
	uint8_t mem[200];
	size_t n = packet(mem, ts, what, pad);
	struct bus_packet p;
	int rc;

	assert_int_equal(bus_packet_rtp(&p, track ? BUS_OPUS : BUS_VP8, mem,
		n, now), 0);
	rc = bus_queue_put(q, bus_queue_flow(q, track), &p, now);
	bus_packet_done(&p);
	return rc;
}

static int put(struct bus_queue *q, unsigned track, uint32_t ts,
	const char *what, uint64_t now)
{
	return put_n(q, track, ts, what, 0, now);
}

/* The packet goes out past the queue. */
static void sent(struct bus_queue *q, uint32_t ts, const char *what)
{
	uint8_t mem[200];
	size_t n = packet(mem, ts, what, 0);
	struct bus_packet p;

	assert_int_equal(bus_packet_rtp(&p, BUS_VP8, mem, n, 0), 0);
	bus_queue_sent(bus_queue_flow(q, 0), &p);
}

/* What waits, as "V3 V3| A1 J ", each with its time; K for key. */
static const char *waits(const struct bus_queue *q)
{
	static struct buf b;

	buf_clear(&b);
	for (const struct list *l = q->all.next; l != &q->all; l = l->next) {
		const struct bus_entry *e =
			list_entry(l, struct bus_entry, all);

		if (e->kind == BUS_JSON)
			buf_puts(&b, "J ");
		else
			buf_printf(&b, "%s%u%s ", e->flow->track ? "A"
				: e->key ? "K" : "V", e->ts,
				e->marker ? "|" : "");
	}
	return buf_cstr(&b);
}

static void assert_counts(const struct bus_queue *q, unsigned track,
	unsigned frames, unsigned packets)
{
	const struct bus_flow *f = bus_queue_flow(q, track);

	assert_int_equal(f->frames, frames);
	assert_int_equal(f->packets, packets);
}

static void in_order(void **state)
{
	struct bus_queue q;

	(void)state;
	setup(&q);
	assert_int_equal(put(&q, 0, 10, "K", 0), 0);
	assert_int_equal(put(&q, 1, 7, "S", 0), 0);
	assert_int_equal(bus_queue_put_json(&q, NULL, false,
		bus_body_new("{}", 2)), 0);
	assert_int_equal(put(&q, 0, 10, ".|", 0), 0);
	assert_string_equal(waits(&q), "K10 A7 J V10| ");
	assert_int_equal(q.count, 3);
	assert_int_equal(q.control_bytes, 2);
	bus_queue_pop(&q);
	bus_queue_pop(&q);
	assert_string_equal(waits(&q), "J V10| ");
	assert_int_equal(q.count, 1);
	bus_queue_free(&q);
}

/* 200 ms are kept, 200 ms and 1 ns are too old. Sound goes packet by
 * packet; messages stay. */
static void old_sound(void **state)
{
	struct bus_queue q;

	(void)state;
	setup(&q);
	bus_queue_put_json(&q, NULL, false, bus_body_new("{}", 2));
	for (uint32_t i = 0; i < 15; i++)
		assert_int_equal(put(&q, 1, i, "S", i * 20 * MS), 0);
	assert_string_equal(waits(&q),
		"J A4 A5 A6 A7 A8 A9 A10 A11 A12 A13 A14 ");
	assert_counts(&q, 1, 4, 4);
	bus_queue_expire(&q, 280 * MS + 1);
	assert_string_equal(waits(&q),
		"J A5 A6 A7 A8 A9 A10 A11 A12 A13 A14 ");
	assert_counts(&q, 1, 5, 5);
	assert_int_equal(stats.dropped_packets, 5);
	assert_int_equal(stats.dropped_frames, 5);
	/* A late copy of what was dropped is dropped too. */
	assert_int_equal(put(&q, 1, 3, "S", 280 * MS), -EAGAIN);
	assert_counts(&q, 1, 6, 6);
	bus_queue_free(&q);
}

/* Frames of 3, 2 and 2 packets wait; the first is too old: all of them go,
 * and what follows, until a key frame comes. */
static void old_video(void **state)
{
	struct bus_queue q;

	(void)state;
	setup(&q);
	put(&q, 0, 10, "S", 0);
	put(&q, 0, 10, ".", 1);
	put(&q, 0, 10, ".|", 1);
	put(&q, 1, 7, "S", 10 * MS);
	put(&q, 0, 20, "S", 33 * MS);
	put(&q, 0, 20, ".|", 33 * MS);
	put(&q, 0, 30, "S", 66 * MS);
	assert_string_equal(waits(&q), "V10 V10 V10| A7 V20 V20| V30 ");
	assert_int_equal(put(&q, 0, 30, ".|", 201 * MS), -EAGAIN);
	assert_string_equal(waits(&q), "A7 ");
	assert_counts(&q, 0, 3, 7);
	assert_true(bus_queue_flow(&q, 0)->wait_key);
	assert_int_equal(put(&q, 0, 40, "S|", 202 * MS), -EAGAIN);
	assert_counts(&q, 0, 4, 8);
	assert_int_equal(put(&q, 0, 50, "K", 203 * MS), 0);
	assert_false(bus_queue_flow(&q, 0)->wait_key);
	assert_int_equal(put(&q, 0, 40, ".|", 204 * MS), -EAGAIN); /* late */
	assert_int_equal(put(&q, 0, 50, ".|", 204 * MS), 0);
	assert_int_equal(put(&q, 0, 60, "S|", 205 * MS), 0);
	assert_string_equal(waits(&q), "A7 K50 V50| V60| ");
	assert_counts(&q, 0, 4, 9);
	assert_counts(&q, 1, 0, 0);
	bus_queue_free(&q);
}

/* A key frame that waits already ends what is dropped. */
static void key_frame_waits(void **state)
{
	struct bus_queue q;

	(void)state;
	setup(&q);
	put(&q, 0, 10, "S|", 0);
	put(&q, 0, 20, "S|", 33 * MS);
	put(&q, 0, 30, "K", 66 * MS);
	put(&q, 0, 30, ".|", 66 * MS);
	put(&q, 0, 40, "S|", 99 * MS);
	bus_queue_expire(&q, 201 * MS);
	assert_string_equal(waits(&q), "K30 V30| V40| ");
	assert_counts(&q, 0, 2, 2);
	assert_false(bus_queue_flow(&q, 0)->wait_key);
	assert_int_equal(put(&q, 0, 20, ".|", 201 * MS), -EAGAIN);
	/* The key frame itself, when it is too old: the next one, or none. */
	bus_queue_expire(&q, 267 * MS);
	assert_string_equal(waits(&q), "");
	assert_counts(&q, 0, 4, 6); /* 10, 20 and its copy, 30, 30, 40 */
	assert_true(bus_queue_flow(&q, 0)->wait_key);
	bus_queue_free(&q);
}

/* Of frame 10 a part was sent: the rest stays, however old. */
static void begun_frame_stays(void **state)
{
	struct bus_queue q;

	(void)state;
	setup(&q);
	sent(&q, 10, "S");
	put(&q, 0, 10, ".", 0);
	put(&q, 0, 20, "S|", 33 * MS);
	bus_queue_expire(&q, 500 * MS);
	assert_string_equal(waits(&q), "V10 ");
	assert_counts(&q, 0, 1, 1);
	assert_int_equal(put(&q, 0, 30, "S|", 501 * MS), -EAGAIN);
	assert_int_equal(put(&q, 0, 10, ".|", 502 * MS), 0);
	assert_string_equal(waits(&q), "V10 V10| ");
	bus_queue_pop(&q);
	bus_queue_pop(&q);
	/* Now it is over: a copy of its end is late. */
	assert_int_equal(put(&q, 0, 10, ".|", 503 * MS), -EAGAIN);
	assert_counts(&q, 0, 3, 3);
	bus_queue_free(&q);
}

/* A frame that goes on and on: beyond max_frame packets it is as others are,
 * and goes when it is too old, so that it does not push out the sound. */
static void endless_frame(void **state)
{
	struct bus_queue q;

	(void)state;
	setup(&q);
	q.max_frame = 3;
	sent(&q, 10, "K");
	for (int i = 0; i < 3; i++)
		put(&q, 0, 10, ".", 0);
	put(&q, 1, 7, "S", 300 * MS);
	assert_string_equal(waits(&q), "V10 V10 V10 A7 ");
	assert_int_equal(put(&q, 0, 10, ".", 300 * MS), 0);
	assert_string_equal(waits(&q), "V10 V10 V10 A7 V10 ");
	assert_int_equal(put(&q, 0, 10, ".", 300 * MS), -EAGAIN);
	assert_string_equal(waits(&q), "A7 ");
	assert_counts(&q, 0, 1, 5);
	assert_int_equal(put(&q, 0, 20, "K|", 300 * MS), 0);
	bus_queue_free(&q);
}

/* Packets of 112 bytes into 500: four fit. */
static void bytes(void **state)
{
	struct bus_queue q;

	(void)state;
	setup(&q);
	q.max_bytes = 500;
	for (uint32_t i = 0; i < 4; i++)
		assert_int_equal(put_n(&q, 1, i, "S", 100, 0), 0);
	assert_int_equal(q.bytes, 448);
	assert_int_equal(put_n(&q, 1, 4, "S", 100, 0), 0);
	assert_string_equal(waits(&q), "A1 A2 A3 A4 ");
	assert_int_equal(q.bytes, 448);
	assert_counts(&q, 1, 1, 1);
	bus_queue_free(&q);
}

static void packets(void **state)
{
	struct bus_queue q;

	(void)state;
	setup(&q);
	q.max_count = 4;
	put(&q, 0, 10, "K|", 0);
	put(&q, 0, 20, "S", 0);
	put(&q, 0, 20, ".|", 0);
	put(&q, 1, 7, "S", 0);
	assert_string_equal(waits(&q), "K10| V20 V20| A7 ");
	/* The oldest frame goes, with what cannot be shown without it; the
	 * packet that made it go is of such a frame itself. */
	assert_int_equal(put(&q, 0, 30, "S|", 0), -EAGAIN);
	assert_string_equal(waits(&q), "A7 ");
	assert_counts(&q, 0, 3, 4);
	bus_queue_free(&q);
}

/* A frame that alone is more than the queue holds: it is torn, which is the
 * one case, and nothing of the rest of it is left behind. */
static void giant_frame(void **state)
{
	struct bus_queue q;

	(void)state;
	setup(&q);
	q.max_count = 3;
	sent(&q, 10, "K");
	for (int i = 0; i < 3; i++)
		assert_int_equal(put(&q, 0, 10, ".", 0), 0);
	assert_int_equal(put(&q, 0, 10, ".", 0), -EAGAIN);
	assert_string_equal(waits(&q), "");
	assert_int_equal(put(&q, 0, 10, ".|", 0), -EAGAIN);
	assert_counts(&q, 0, 1, 5);
	assert_true(bus_queue_flow(&q, 0)->wait_key);
	bus_queue_free(&q);
}

/* Reports and repetitions are no part of a frame: they pass while a key
 * frame is waited for, age alone and are not counted to the reader. */
static void unframed(void **state)
{
	static const uint8_t sr[28] = {0x80, 200, 0, 6};
	struct bus_queue q;
	struct bus_flow *f;
	struct bus_packet p;
	uint8_t mem[200];

	(void)state;
	setup(&q);
	f = bus_queue_flow(&q, 0);
	put(&q, 0, 10, "S|", 0);
	bus_queue_expire(&q, 300 * MS);
	assert_true(f->wait_key);
	assert_int_equal(bus_packet_rtcp(&p, sr, sizeof(sr), 0), 0);
	assert_int_equal(bus_queue_put(&q, f, &p, 300 * MS), 0);
	bus_packet_done(&p);
	assert_int_equal(bus_packet_rtp(&p, BUS_VP8, mem,
		packet(mem, 10, "S|", 0), 0), 0);
	p.flags = BUS_RESENT;
	assert_int_equal(bus_queue_put(&q, f, &p, 300 * MS), 0);
	bus_packet_done(&p);
	assert_string_equal(waits(&q), "V0 V10| ");
	bus_queue_expire(&q, 600 * MS);
	assert_string_equal(waits(&q), "");
	assert_counts(&q, 0, 1, 1);
	bus_queue_free(&q);
}

/* The timestamps of a source may jump back by hours: it is not late then. */
static void time_jumps(void **state)
{
	struct bus_queue q;

	(void)state;
	setup(&q);
	put(&q, 1, 4000000000u, "S", 0);
	bus_queue_expire(&q, 300 * MS);
	assert_int_equal(put(&q, 1, 4000000000u - 95998, "S", 0), -EAGAIN);
	assert_int_equal(put(&q, 1, 4000000000u - 95999, "S", 0), 0);
	assert_int_equal(put(&q, 1, 5, "S", 0), 0);
	bus_queue_free(&q);
}

static void control_is_bounded(void **state)
{
	static uint8_t text[16000];
	struct bus_queue q;
	int n = 0;

	(void)state;
	setup(&q);
	while (!bus_queue_put_json(&q, NULL, false,
			bus_body_new(text, sizeof(text))))
		n++;
	assert_int_equal(n, 65); /* 1 MiB by 16,000 */
	bus_queue_free(&q);
}

static void numbers(void **state)
{
	struct bus_queue q;

	(void)state;
	setup(&q);
	assert_int_equal(bus_queue_free_number(&q), 2);
	assert_int_equal(bus_queue_open(&q, 1, BUS_OPUS), -EEXIST);
	assert_int_equal(bus_queue_open(&q, 4096, BUS_OPUS), -ENOSPC);
	assert_int_equal(bus_queue_open(&q, 4095, BUS_OPUS), 0);
	assert_null(bus_queue_flow(&q, 4094));
	assert_null(bus_queue_flow(&q, 70000));
	/* A number is free when its end was sent. */
	put(&q, 0, 10, "K|", 0);
	bus_queue_put_json(&q, bus_queue_flow(&q, 0), true,
		bus_body_new("{}", 2));
	assert_int_equal(bus_queue_free_number(&q), 2);
	bus_queue_pop(&q);
	assert_int_equal(bus_queue_free_number(&q), 2);
	bus_queue_pop(&q);
	assert_int_equal(bus_queue_free_number(&q), 0);
	bus_queue_free(&q);
}

/* A packet for which there is no memory is a packet that does not fit. */
static int short_of_memory(void *arg)
{
	struct bus_queue q;
	int rc;

	(void)arg;
	bus_queue_init(&q, &stats);
	rc = bus_queue_open(&q, 0, BUS_VP8);
	if (!rc && put(&q, 0, 10, "K|", 0) == -EAGAIN) {
		assert_counts(&q, 0, 1, 1);
		assert_true(bus_queue_flow(&q, 0)->wait_key);
		rc = -ENOMEM;
	}
	bus_queue_free(&q);
	return rc;
}

static void out_of_memory(void **state)
{
	(void)state;
	assert_int_equal(oom_ladder(short_of_memory, NULL), 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(in_order),
		cmocka_unit_test(old_sound),
		cmocka_unit_test(old_video),
		cmocka_unit_test(key_frame_waits),
		cmocka_unit_test(begun_frame_stays),
		cmocka_unit_test(endless_frame),
		cmocka_unit_test(bytes),
		cmocka_unit_test(packets),
		cmocka_unit_test(giant_frame),
		cmocka_unit_test(unframed),
		cmocka_unit_test(time_jumps),
		cmocka_unit_test(control_is_bounded),
		cmocka_unit_test(numbers),
		cmocka_unit_test(out_of_memory),
	};
	return cmocka_run_group_tests_name("bus-queue", tests, NULL, NULL);
}
