/* The way of packets: sound by loudness, layers, key frames, bad packets. */
#include "oom.h"
#include "sfu_world.h"

static char late[] = "y";

/* Everybody at -30 dBov for ms, in packets of 20 ms. */
static uint16_t talk_all(struct sfu_transport **t, unsigned n, unsigned ms)
{
	static uint16_t seq;

	for (unsigned i = 0; i < ms; i += 20) {
		for (unsigned k = 0; k < n; k++)
			audio(t[k], seq, 30);
		seq++;
		wait_ms(20);
	}
	return seq;
}

static unsigned count(const char *line)
{
	unsigned n = 0;

	for (const char *p = told; (p = strstr(p, line)); p++)
		n++;
	return n;
}

/* Each of four hears the three others, in slots that never change. */
static void four_hear_each_other(void **state)
{
	static const char *const who[] = {"a", "b", "c", "d"};
	struct sfu_transport *t[4];

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		t[i] = publish(who[i]);
		subscribe(who[i]);
	}
	talk_all(t, 4, 20);
	assert_int_equal(count("assigned"), 12);
	assert_int_equal(count("assigned a 0 b mic\n"), 1);
	assert_int_equal(count("assigned a 1 c mic\n"), 1);
	assert_int_equal(count("assigned a 2 d mic\n"), 1);
	assert_int_equal(count("assigned d 2 c mic\n"), 1);
	forget();
	talk_all(t, 4, 3000);
	assert_int_equal(count("assigned"), 0);
	assert_int_equal(n_sent, 150 * 12);
}

static void a_fifth_is_heard_when_louder(void **state)
{
	static const char *const who[] = {"a", "b", "c", "d", "e"};
	struct sfu_transport *t[5], *z;
	uint16_t seq;

	(void)state;
	z = subscribe("z");
	for (unsigned i = 0; i < 5; i++)
		t[i] = publish(who[i]);
	talk_all(t, 3, 1000);
	forget();
	/* d and e are there, and quiet. */
	for (seq = 0; seq < 50; seq++) {
		audio(t[3], seq, 100);
		audio(t[4], seq, 100);
		talk_all(t, 3, 20);
	}
	assert_int_equal(count("assigned"), 0);
	/* c falls silent, e speaks. */
	for (; seq < 100; seq++) {
		audio(t[4], seq, 20);
		audio(t[2], (uint16_t)(5000 + seq), 127);
		talk_all(t, 2, 20);
	}
	assert_int_equal(count("assigned"), 1);
	assert_int_equal(count("assigned z 2 e mic\n"), 1);
	sfu_transport_close(sfu, z, now);
}

/* From the very packet on. */
static void a_mute_is_immediate(void **state)
{
	struct sfu_transport *a;

	(void)state;
	a = publish("a");
	subscribe("z");
	audio(a, 1, 30);
	assert_int_equal(n_sent, 1);
	assert_int_equal(sent[0].level, 30);
	grant("a", SFU_BIT(SFU_MIC));
	audio(a, 2, 30);
	assert_int_equal(n_sent, 1);
	grant("a", 0);
	wait_ms(20);
	audio(a, 4, 30);
	assert_int_equal(n_sent, 2);
	assert_int_equal(sent[1].seq, sent[0].seq + 1);
	assert_int_equal(sent[1].rtp_ts, sent[0].rtp_ts + 960);
	expect("track a mic started\n"
	       "assigned z 0 a mic\nassigned z 0 -\nassigned z 0 a mic\n");
}

static void who_speaks_is_told(void **state)
{
	struct sfu_transport *t[2];

	(void)state;
	t[0] = publish("a");
	t[1] = publish("b");
	talk_all(t, 2, 2000);
	assert_in_range(count("talk a,b\n") + count("talk b,a\n"), 9, 10);
	forget();
	for (uint16_t i = 0; i < 200; i++) {
		audio(t[0], (uint16_t)(7000 + i), 127);
		audio(t[1], (uint16_t)(7000 + i), 127);
		wait_ms(20);
	}
	assert_int_equal(count("talk \n"), 1);
	wait_ms(2000);
	assert_int_equal(count("talk \n"), 1);
	/* One who leaves amid a word. */
	talk_all(t, 1, 500);
	forget();
	sfu_transport_close(sfu, t[0], now);
	sfu_transport_close(sfu, t[1], now);
	wait_ms(400);
	expect("track a mic stopped\ntrack b mic stopped\ntalk \n");
	assert_true(sfu_deadline(sfu) == UINT64_MAX);
}

/* 100 receivers ask 50 times a second for 10 s. */
static void a_storm_asks_once_a_second(void **state)
{
	static char who[100][5];
	struct sfu_transport *a, *t[100];

	(void)state;
	for (unsigned i = 0; i < 100; i++) {
		snprintf(who[i], sizeof(who[i]), "v%u", i);
		t[i] = subscribe(who[i]);
	}
	a = publish("a");
	cam(a, 1, true);
	forget();
	for (uint16_t f = 2; f < 502; f++) {
		cam(a, f, count("keyframe") > 0);
		for (unsigned i = 0; i < 100; i++)
			sfu_keyframe_wanted(sfu, t[i], 3, now);
		wait_ms(20);
	}
	assert_in_range(count("keyframe a cam h\n"), 2, 10);
}

/* A single one gets three in a row, then one in three seconds. */
static void one_receiver_has_a_budget(void **state)
{
	struct sfu_transport *a, *z;

	(void)state;
	z = subscribe("z");
	a = publish("a");
	cam(a, 1, true);
	forget();
	for (uint16_t f = 2; f < 62; f++) {
		cam(a, f, true);
		sfu_keyframe_wanted(sfu, z, 3, now);
		wait_ms(1000);
	}
	assert_in_range(count("keyframe a cam h\n"), 20, 23);
	/* Of slots that carry nothing, or sound, or do not exist. */
	forget();
	sfu_keyframe_wanted(sfu, z, 0, now);
	sfu_keyframe_wanted(sfu, z, 4, now);
	sfu_keyframe_wanted(sfu, z, 9, now);
	sfu_keyframe_wanted(sfu, z, 1000, now);
	expect("");
}

static void a_request_is_repeated_until_a_key_frame(void **state)
{
	struct sfu_transport *a, *z;

	(void)state;
	z = subscribe("z");
	a = publish("a");
	cam(a, 1, true);
	forget();
	sfu_keyframe_wanted(sfu, z, 3, now);
	expect("keyframe a cam h\n");
	for (uint16_t f = 2; f < 100; f++) {
		cam(a, f, false);
		wait_ms(33);
	}
	assert_int_equal(count("keyframe a cam h\n"), 3);
	cam(a, 100, true);
	forget();
	wait_ms(3000);
	expect("");
	/* The publishing side's own wish, only while somebody looks. */
	cam(a, 101, false);
	sfu_keyframe_lost(sfu, a, SFU_CAM, SFU_LAYER_H, now);
	expect("keyframe a cam h\n");
	cam(a, 102, true);
	sfu_transport_close(sfu, z, now);
	wait_ms(2000);
	sfu_keyframe_lost(sfu, a, SFU_CAM, SFU_LAYER_H, now);
	expect("");
}

static void prefers_h_of_the_layers(void **state)
{
	struct sfu_transport *a;

	(void)state;
	subscribe("z");
	a = publish("a");
	frame(a, SFU_CAM, SFU_LAYER_Q, 10, 1, true);
	assert_int_equal(n_sent, 1);
	forget();
	/* h appears with a key frame: over at once, no new owner. */
	now += 10 * MS;
	frame(a, SFU_CAM, SFU_LAYER_H, 9000, 1, true);
	expect("");
	assert_int_equal(n_sent, 1);
	frame(a, SFU_CAM, SFU_LAYER_Q, 11, 2, false);
	frame(a, SFU_CAM, SFU_LAYER_F, 70, 2, true);
	assert_int_equal(n_sent, 1);
	assert_int_equal(sfu_stats(sfu)->dropped[SFU_DROP_LAYER], 2);
	frame(a, SFU_CAM, SFU_LAYER_H, 9001, 2, false);
	assert_int_equal(n_sent, 2);
	assert_int_equal(sent[1].seq, sent[0].seq + 1);
	assert_int_equal(sent[1].rtp_ts, sent[0].rtp_ts + 3000);
}

/* h goes: q is asked for a key frame, and h flows if it comes meanwhile. */
static void falls_back_to_what_is_there(void **state)
{
	struct sfu_transport *a;
	uint16_t q = 10;
	unsigned f = 1;

	(void)state;
	subscribe("z");
	a = publish("a");
	frame(a, SFU_CAM, SFU_LAYER_H, 1, f, true);
	forget();
	for (unsigned i = 0; i < 33; i++) {
		wait_ms(33);
		frame(a, SFU_CAM, SFU_LAYER_Q, q++, ++f, false);
	}
	expect("keyframe a cam q\n");
	assert_int_equal(n_sent, 0);
	frame(a, SFU_CAM, SFU_LAYER_Q, q++, ++f, true);
	assert_int_equal(n_sent, 1);
	/* h is back: q goes on until h's key frame. */
	frame(a, SFU_CAM, SFU_LAYER_H, 2, ++f, false);
	expect("keyframe a cam h\n");
	frame(a, SFU_CAM, SFU_LAYER_Q, q++, f, false);
	assert_int_equal(n_sent, 2);
	frame(a, SFU_CAM, SFU_LAYER_H, 3, ++f, true);
	frame(a, SFU_CAM, SFU_LAYER_Q, q++, f, false);
	assert_int_equal(n_sent, 3);
	expect("");
}

static void reordering_across_a_change_of_owner(void **state)
{
	struct sfu_want w = {"b", SFU_SCREEN, 720, true};
	struct sfu_transport *a, *b;

	(void)state;
	subscribe("z");
	a = publish("a");
	b = publish("b");
	frame(a, SFU_SCREEN, SFU_LAYER_H, 65535, 1, true);
	frame(b, SFU_SCREEN, SFU_LAYER_H, 500, 1, true);
	assert_int_equal(n_sent, 1);
	assert_int_equal(sfu_endpoint_want(sfu, "r", "z", &w, 1, now), 0);
	/* a's late ones are of a former owner. */
	frame(a, SFU_SCREEN, SFU_LAYER_H, 1, 3, false);
	assert_int_equal(n_sent, 1);
	now += 100 * MS;
	frame(b, SFU_SCREEN, SFU_LAYER_H, 502, 3, true);
	frame(b, SFU_SCREEN, SFU_LAYER_H, 501, 2, false);
	frame(b, SFU_SCREEN, SFU_LAYER_H, 504, 5, false);
	frame(b, SFU_SCREEN, SFU_LAYER_H, 503, 4, false);
	frame(b, SFU_SCREEN, SFU_LAYER_H, 503, 4, false);
	assert_int_equal(n_sent, 4);
	assert_int_equal(sfu_stats(sfu)->dropped[SFU_DROP_STALE], 2);
	assert_int_equal((uint16_t)(sent[1].seq - sent[0].seq), 1);
	assert_int_equal((uint16_t)(sent[2].seq - sent[0].seq), 3);
	assert_int_equal((uint16_t)(sent[3].seq - sent[0].seq), 2);
	assert_int_equal(sent[1].rtp_ts - sent[0].rtp_ts, 9000);
	assert_int_equal(sent[3].rtp_ts - sent[0].rtp_ts, 12000);
}

static void bad_packets_go_nowhere(void **state)
{
	static uint8_t big[SFU_MAX_PAYLOAD + 1] = {0x00, 0x01};
	struct sfu_packet p = {.seq = 2, .rtp_ts = 6000, .level = -1};
	struct sfu_transport *a, *z;

	(void)state;
	z = subscribe("z");
	a = publish("a");
	cam(a, 1, true);
	forget();
	p.payload = (const uint8_t *)"\x90";
	p.len = 1;
	sfu_rtp(sfu, a, SFU_CAM, SFU_LAYER_H, &p, now);
	/* A key frame without its start code. */
	p.payload = (const uint8_t *)"\x10\x00\0\0\0\0\0\0\0\0\0";
	p.len = 11;
	sfu_rtp(sfu, a, SFU_CAM, SFU_LAYER_H, &p, now);
	p.payload = big;
	p.len = SFU_MAX_PAYLOAD + 1;
	sfu_rtp(sfu, a, SFU_CAM, SFU_LAYER_H, &p, now);
	p.len = SFU_MAX_PAYLOAD; /* its descriptor will grow */
	sfu_rtp(sfu, a, SFU_CAM, SFU_LAYER_H, &p, now);
	assert_int_equal(n_sent, 0);
	assert_int_equal(sfu_stats(sfu)->dropped[SFU_DROP_MALFORMED], 4);
	p.len = SFU_MAX_PAYLOAD - 5;
	sfu_rtp(sfu, a, SFU_CAM, SFU_LAYER_H, &p, now);
	assert_int_equal(n_sent, 1);
	assert_int_equal(sent[0].len, SFU_MAX_PAYLOAD - 2);
	/* No such source or layer; a transport that does not publish. */
	sfu_rtp(sfu, a, SFU_SOURCES, SFU_LAYER_H, &p, now);
	sfu_rtp(sfu, a, SFU_CAM, SFU_LAYERS, &p, now);
	sfu_rtp(sfu, z, SFU_CAM, SFU_LAYER_H, &p, now);
	assert_int_equal(n_sent, 1);
	expect("");
}

/* Padding alone probes the path of one hop. */
static void probes_leave_no_gap(void **state)
{
	struct sfu_packet p = {.seq = 2, .rtp_ts = 3000, .level = -1};
	struct sfu_transport *a;

	(void)state;
	subscribe("z");
	a = publish("a");
	cam(a, 1, true);
	sfu_rtp(sfu, a, SFU_CAM, SFU_LAYER_H, &p, now);
	cam(a, 3, false);
	assert_int_equal(n_sent, 2);
	assert_int_equal(sent[1].seq, sent[0].seq + 1);
	audio(a, 1, 30);
	p.rtp_ts = 960;
	sfu_rtp(sfu, a, SFU_MIC, SFU_LAYER_H, &p, now);
	audio(a, 3, 30);
	assert_int_equal(sent[3].seq, sent[2].seq + 1);
	assert_int_equal(sfu_stats(sfu)->dropped[SFU_DROP_PROBE], 2);
}

/* The same transport begins a stream anew, with other numbers. */
static void a_stream_that_begins_anew(void **state)
{
	struct sfu_transport *a;

	(void)state;
	subscribe("z");
	a = publish("a");
	for (uint16_t f = 1; f < 50; f++) {
		cam(a, f, f == 1);
		wait_ms(33);
	}
	forget();
	frame(a, SFU_CAM, SFU_LAYER_H, 20, 30000, true);
	frame(a, SFU_CAM, SFU_LAYER_H, 21, 30001, false);
	assert_int_equal(n_sent, 1); /* the first had to be confirmed */
	expect("keyframe a cam h\n");
	wait_ms(33);
	frame(a, SFU_CAM, SFU_LAYER_H, 22, 30002, true);
	assert_int_equal(n_sent, 2);
	assert_int_equal(sent[1].seq, (uint16_t)(sent[0].seq + 1));
	assert_int_equal(sent[1].rtp_ts, sent[0].rtp_ts + 3000);
	wait_ms(1500);
	expect("");
}

static int whole_life(void *arg)
{
	struct sfu *s = sfu_new(&world_events, arg, 1);
	const struct sfu_grant g = {0xf, 0, true};
	const struct sfu_want w = {"a", SFU_CAM, 180, true};
	struct sfu_transport *t;
	int rc = s ? 0 : -ENOMEM;

	if (!rc)
		rc = sfu_room_create(s, "r", 1);
	if (!rc)
		rc = sfu_endpoint_grant(s, "r", late, &g, now);
	if (!rc)
		rc = sfu_endpoint_want(s, "r", late, &w, 1, now);
	if (!rc)
		rc = sfu_transport_new(s, "r", late, SFU_SUBSCRIBE, "t",
			SFU_SLOTS_FEW, late, now, &t);
	if (!rc)
		sfu_transport_ready(s, t, now);
	if (!rc)
		rc = sfu_transport_new(s, "r", late, SFU_SUBSCRIBE, "t",
			SFU_SLOTS_FEW, late, now, &t);
	sfu_free(s);
	return rc;
}

static void survives_want_of_memory(void **state)
{
	(void)state;
	assert_true(oom_ladder(whole_life, NULL) >= 8);
	sfu_free(NULL);
}

#define T(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)
int main(void)
{
	const struct CMUnitTest tests[] = {
		T(four_hear_each_other),
		T(a_fifth_is_heard_when_louder),
		T(a_mute_is_immediate),
		T(who_speaks_is_told),
		T(a_storm_asks_once_a_second),
		T(one_receiver_has_a_budget),
		T(a_request_is_repeated_until_a_key_frame),
		T(prefers_h_of_the_layers),
		T(falls_back_to_what_is_there),
		T(reordering_across_a_change_of_owner),
		T(bad_packets_go_nowhere),
		T(probes_leave_no_gap),
		T(a_stream_that_begins_anew),
		T(survives_want_of_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
