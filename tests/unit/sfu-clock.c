/* Lip sync: sound and picture of one sender keep their relation through the
 * slots, and through slots that change hands, whatever either is late by. */
#include <stdlib.h>

#include "sfu_world.h"

/* A sender whose wall clock is his own, whose streams begin anywhere, and
 * who is late with the picture. */
struct sender {
	struct sfu_transport *t;
	uint64_t ahead_ns; /* of our clock */
	uint32_t audio_ts, video_ts; /* at our time 0 */
	unsigned audio_ms, video_ms; /* from capture to here */
	uint16_t audio_seq, video_n;
};

static uint64_t ntp_of(const struct sender *s, uint64_t at_ns)
{
	uint64_t ns = at_ns + s->ahead_ns;

	return ns / NS_PER_S << 32 | ((ns % NS_PER_S) << 32) / NS_PER_S;
}

static uint32_t ts_at(uint32_t first, uint64_t at_ns, unsigned hz)
{
	return first + (uint32_t)ns_to_ticks(at_ns, hz);
}

static void sound(struct sender *s)
{
	const uint8_t opus[] = {0xfc, 0, 0};
	struct sfu_packet p = {
		.seq = s->audio_seq++,
		.rtp_ts = ts_at(s->audio_ts, now - s->audio_ms * MS, 48000),
		.level = 30,
		.payload = opus,
		.len = sizeof(opus),
		.arrival_ns = now,
	};

	sfu_rtp(sfu, s->t, SFU_MIC, SFU_LAYER_H, &p, now);
}

static void picture(struct sender *s, bool key)
{
	unsigned n = s->video_n++;
	const uint8_t vp8[] = {0x90, 0x80, (uint8_t)(0x80 | n >> 8),
		(uint8_t)n, key ? 0x10 : 0x11, 0, 0, 0x9d, 0x01, 0x2a,
		0x80, 0x02, 0x68, 0x01};
	struct sfu_packet p = {
		.seq = (uint16_t)n,
		.rtp_ts = ts_at(s->video_ts, now - s->video_ms * MS, 90000),
		.marker = true,
		.level = -1,
		.payload = vp8,
		.len = sizeof(vp8),
		.arrival_ns = now,
	};

	sfu_rtp(sfu, s->t, SFU_CAM, SFU_LAYER_H, &p, now);
}

/* Sent some ms ago, by his own clock, as RFC 3550 has it. */
static void reports(struct sender *s, unsigned late_ms)
{
	uint64_t then = now - late_ms * MS;

	if (s->audio_ms)
		sfu_report(sfu, s->t, SFU_MIC, SFU_LAYER_H,
			ntp_of(s, then), ts_at(s->audio_ts, then, 48000),
			now);
	sfu_report(sfu, s->t, SFU_CAM, SFU_LAYER_H, ntp_of(s, then),
		ts_at(s->video_ts, then, 90000), now);
}

/* Some seconds of everybody, reports each second from half a second on. */
static void run_all(struct sender *s, unsigned n, unsigned ms)
{
	for (unsigned at = 0; at < ms; at += 20) {
		for (unsigned i = 0; i < n; i++) {
			if (s[i].audio_ms)
				sound(&s[i]);
			if (at % 40 == 0)
				picture(&s[i], at % 200 == 0);
			if (at % 1000 == 500)
				reports(&s[i], 5 + at / 500 % 20);
		}
		wait_ms(20);
	}
}

/* When slot's newest packet was captured, as its reports say. */
static int64_t said(unsigned slot, unsigned hz, uint32_t rtp_ts)
{
	assert_true(clocks[slot].at_ns);
	return (int64_t)clocks[slot].at_ns + ts_diff(rtp_ts,
		clocks[slot].rtp_ts) * (int64_t)NS_PER_S / hz;
}

static uint32_t newest(unsigned slot)
{
	for (unsigned i = n_sent; i-- > 0;)
		if (sent[i % ARRAY_LEN(sent)].slot == slot)
			return sent[i % ARRAY_LEN(sent)].rtp_ts;
	fail();
	return 0;
}

/* The error of the reports on sound and picture of a sender, which both are
 * off by as much as his fastest report took: in step within 1 ms. */
static void in_step(const struct sender *s, unsigned mic, unsigned cam)
{
	int64_t a, v;

	sound((struct sender *)s);
	picture((struct sender *)s, true);
	a = said(mic, 48000, newest(mic)) -
		(int64_t)(now - s->audio_ms * MS);
	v = said(cam, 90000, newest(cam)) -
		(int64_t)(now - s->video_ms * MS);
	assert_true(llabs(a - v) < (int64_t)MS);
	assert_true(a >= 0 && a < (int64_t)(25 * MS));
}

static void want(const char *a, const char *b)
{
	struct sfu_want w[] = {
		{.endpoint = a, .source = SFU_CAM, .height = 360},
		{.endpoint = b, .source = SFU_CAM, .height = 0},
	};

	assert_int_equal(sfu_endpoint_want(sfu, "r", "z", w, 2, now), 0);
}

static void sound_and_picture_keep_step(void **state)
{
	struct sender s[] = {
		{.ahead_ns = 3600 * NS_PER_S, .audio_ts = 0xfffff000,
			.video_ts = 5, .audio_ms = 15, .video_ms = 70},
		{.ahead_ns = 7 * NS_PER_S, .audio_ts = 77,
			.video_ts = 0x7fffff00, .audio_ms = 30,
			.video_ms = 180},
	};

	(void)state;
	s[0].t = publish("a");
	s[1].t = publish("b");
	subscribe("z");
	run_all(s, 2, 3000);
	assert_non_null(strstr(told, "assigned z 0 a mic\n"));
	assert_non_null(strstr(told, "assigned z 3 a cam\n"));
	in_step(&s[0], 0, 3);
	in_step(&s[1], 1, 4);
}

/* Two without sound take turns in one slot. What the reports of the slot
 * said before a turn holds behind it, so that a receiver who reckons with
 * several of them is not led astray. */
static void turns_do_not_move_the_clock(void **state)
{
	struct sender s[] = {
		{.ahead_ns = 3600 * NS_PER_S, .video_ts = 5, .video_ms = 70},
		{.ahead_ns = 7 * NS_PER_S, .video_ts = 0x7fffff00,
			.video_ms = 180},
	};
	const char *const who[] = {"a", "b"};

	(void)state;
	for (unsigned i = 0; i < 2; i++)
		s[i].t = publish(who[i]);
	subscribe("z");
	want("a", "b");
	run_all(s, 2, 2000);
	for (unsigned i = 1; i < 20; i++) {
		int64_t before, after;
		uint32_t ts;

		forget();
		want(who[i % 2], who[(i + 1) % 2]);
		run_all(s, 2, 20);
		ts = newest(3);
		before = said(3, 90000, ts);
		run_all(s, 2, 1000);
		assert_non_null(strstr(told, i % 2 ? "live z 3 b cam" :
			"live z 3 a cam"));
		after = said(3, 90000, ts);
		assert_true(llabs(after - before) < (int64_t)(20 * MS));
		picture(&s[i % 2], false);
		after = said(3, 90000, newest(3)) -
			(int64_t)(now - s[i % 2].video_ms * MS);
		assert_true(after >= 0 && after < (int64_t)(25 * MS));
	}
}

#define T(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)
int main(void)
{
	const struct CMUnitTest tests[] = {
		T(sound_and_picture_keep_step),
		T(turns_do_not_move_the_clock),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
