/* Readers that do not keep up: they delay nobody, lose whole frames, and are
 * told how much. */
#include "bus_queue_priv.h"
#include "bus_world.h"

static const struct bus_track cam = {.endpoint = "e_bob", .source = "cam",
	.codec = BUS_VP8, .ssrc = 4711};
static const struct bus_track mic = {.endpoint = "e_bob", .source = "mic",
	.codec = BUS_OPUS, .ssrc = 4712};

static struct bus_client *reader(unsigned queue_ms)
{
	struct bus_client *c = client_of("t", &c_events, "");

	if (queue_ms)
		bus_client_queue_ms(c, queue_ms);
	UNTIL(w.n_peers && w.heard.len);
	spin(5); /* for queue_ms to arrive */
	return c;
}

static void cam_packet(uint16_t seq, uint32_t ts, const char *what)
{
	send_to(w.peers[0], 0, BUS_VP8, seq, ts, what);
}

/* The limit is 1 s: what is in the socket for more than half of it stops it,
 * and then the queue of 4 packets fills. */
static void whole_frames(void **state)
{
	struct bus_client *c;

	(void)state;
	w.cfg.queue_count = 4;
	serve();
	c = reader(1000);
	bus_peer_open_track(w.peers[0], &cam);
	assert_log(&w.heard,
		"welcome(hall,e_ada) track(0,e_bob,cam,vp8,4711) ");
	assert_log(&w.said, "hello(t,-,-) ready ");
	bus_client_pause(c, true);
	cam_packet(0, 10, "K");
	cam_packet(1, 10, ".");
	cam_packet(2, 10, ".|");
	cam_packet(3, 20, "S"); /* is begun: its rest will stay */
	spin(600);
	cam_packet(4, 20, ".|");
	cam_packet(5, 30, "S");
	cam_packet(6, 30, ".");
	cam_packet(7, 30, ".|");
	cam_packet(8, 40, "S|"); /* one too many: 30 goes, and this one */
	cam_packet(9, 50, "S");
	cam_packet(10, 50, ".|");
	assert_log(&w.said, "keyframe(0) ");
	cam_packet(11, 60, "K");
	cam_packet(12, 60, ".|");
	cam_packet(13, 70, "S|");
	bus_client_pause(c, false);
	assert_log(&w.heard, "rtp(0,0,key) rtp(0,1) rtp(0,2) rtp(0,3) rtp(0,4) "
		"dropped(0,3,6) rtp(0,11,key) rtp(0,12) rtp(0,13) ");
	assert_int_equal(bus_server_stats(w.server)->dropped_frames, 3);
	assert_int_equal(bus_server_stats(w.server)->dropped_packets, 6);
	assert_int_equal(bus_server_stats(w.server)->packets_out, 8);
	/* All is well again. */
	cam_packet(14, 80, "S|");
	assert_log(&w.heard, "rtp(0,14) ");
	assert_log(&w.said, "");
	bus_client_free(c);
}

/* Sound and its end wait in order; drops that no packet follows are told. */
static void sound_and_ends(void **state)
{
	struct bus_client *c;

	(void)state;
	w.cfg.queue_count = 3;
	serve();
	c = reader(1000);
	bus_peer_open_track(w.peers[0], &mic);
	bus_peer_open_track(w.peers[0], &mic);
	assert_log(&w.heard, "welcome(hall,e_ada) "
		"track(0,e_bob,mic,opus,4712) track(1,e_bob,mic,opus,4712) ");
	bus_client_pause(c, true);
	send_to(w.peers[0], 0, BUS_OPUS, 0, 0, "S");
	spin(600);
	send_to(w.peers[0], 1, BUS_OPUS, 50, 0, "S");
	for (uint16_t i = 1; i < 5; i++)
		send_to(w.peers[0], 0, BUS_OPUS, i, i * 960u, "S");
	bus_peer_end_track(w.peers[0], 0);
	assert_int_equal(bus_peer_open_track(w.peers[0], &mic), 2);
	bus_client_pause(c, false);
	assert_log(&w.heard, "rtp(0,0) dropped(0,1,1) rtp(0,2) rtp(0,3) "
		"rtp(0,4) end(0) track(2,e_bob,mic,opus,4712) "
		"dropped(1,1,1) ");
	assert_log(&w.said, "hello(t,-,-) ready "); /* sound has no key */
	bus_client_free(c);
}

/* A key frame is asked for again each second while none comes. */
static void asks_again(void **state)
{
	struct bus_client *c;

	(void)state;
	w.cfg.queue_count = 1;
	serve();
	c = reader(20);
	bus_peer_open_track(w.peers[0], &cam);
	bus_client_pause(c, true);
	cam_packet(0, 10, "K|");
	spin(50);
	assert_log(&w.said, "hello(t,-,-) ready ");
	cam_packet(1, 20, "S|");
	cam_packet(2, 30, "S|");
	assert_log(&w.said, "keyframe(0) ");
	assert_log(&w.said, "keyframe(0) ");
	bus_client_free(c);
}

struct tally {
	unsigned packets, frames, dropped_packets, dropped_frames, torn;
	uint32_t ts;
	unsigned of_frame;
};

/* Frames of three packets; the second byte of the payload does not matter. */
static void tally_packet(void *arg, unsigned track, const struct bus_packet *k)
{
	struct tally *t = arg;

	(void)track;
	t->packets++;
	if (k->rtp.ts != t->ts) {
		t->torn += t->of_frame % 3;
		t->of_frame = 0;
	}
	t->ts = k->rtp.ts;
	if (++t->of_frame == 3) {
		t->frames++;
		t->of_frame = 0;
	}
}

static void tally_dropped(void *arg, unsigned track, unsigned frames,
	unsigned packets)
{
	struct tally *t = arg;

	(void)track;
	t->dropped_frames += frames;
	t->dropped_packets += packets;
}

static const struct bus_client_events tally_events = {
	.on_packet = tally_packet,
	.on_dropped = tally_dropped,
};

static void frame_to_all(uint32_t n, const char *first)
{
	struct made m;

	for (uint16_t i = 0; i < 3; i++) {
		make(&m, BUS_VP8, (uint16_t)(3 * n + i), 1 + n * 3000,
			i == 0 ? first : i == 2 ? ".|" : ".", 1200);
		for (unsigned p = 0; p < w.n_peers; p++)
			bus_peer_send(w.peers[p], 0, &m.k);
		bus_packet_done(&m.k);
	}
}

/* 100 frames a second for 1.2 s, with key frames ten times a second: of
 * three readers one reads all the time, one stops for less than its limit,
 * and one for more. */
static void stopped_reader(void **state)
{
	static struct tally t[3];
	struct bus_client *c[3];

	(void)state;
	serve();
	for (int i = 0; i < 3; i++) {
		struct bus_client_config k = {.loop = w.loop, .path = w.path,
			.ticket = "t", .events = &tally_events, .arg = &t[i]};

		c[i] = bus_client_new(&k);
		UNTIL(w.n_peers == (unsigned)i + 1);
		bus_peer_open_track(w.peers[i], &cam);
	}
	bus_client_queue_ms(c[1], 2000);
	spin(10);
	for (uint32_t n = 0; n < 120; n++) {
		frame_to_all(n, n % 10 ? "S" : "K");
		if (n == 10)
			bus_client_pause(c[1], true);
		if (n == 10)
			bus_client_pause(c[2], true);
		if (n == 60)
			bus_client_pause(c[1], false);
		if (n == 60)
			bus_client_pause(c[2], false);
		spin(10);
	}
	UNTIL(t[2].packets + t[2].dropped_packets == 360);
	assert_int_equal(t[0].packets, 360);
	assert_int_equal(t[0].frames, 120);
	assert_int_equal(t[0].dropped_packets, 0);
	/* 500 ms are less than 2 s. */
	assert_int_equal(t[1].packets, 360);
	assert_int_equal(t[1].frames, 120);
	/* 500 ms are more than 200 ms: some 30 frames, and up to a key. */
	assert_int_equal(t[2].torn, 0);
	assert_int_equal(t[2].packets, 3 * t[2].frames);
	assert_int_equal(t[2].frames + t[2].dropped_frames, 120);
	assert_in_range(t[2].dropped_frames, 10, 110);
	for (int i = 0; i < 3; i++)
		bus_client_free(c[i]);
}

/* The buffer of a socket does not count for more than its share: of a sound
 * of 50 packets a second 200 ms wait, some ten, though thousands would fit. */
static void time_bounds_the_socket(void **state)
{
	struct tally t = {0};
	struct bus_client_config k = {.loop = w.loop, .path = w.path,
		.ticket = "t", .events = &tally_events, .arg = &t};
	struct bus_client *c;

	(void)state;
	serve();
	c = bus_client_new(&k);
	UNTIL(w.n_peers == 1);
	bus_peer_open_track(w.peers[0], &mic);
	spin(5);
	bus_client_pause(c, true);
	for (uint16_t i = 0; i < 50; i++) {
		send_to(w.peers[0], 0, BUS_OPUS, i, i * 960u, "S");
		spin(20);
	}
	bus_client_pause(c, false);
	UNTIL(t.packets + t.dropped_packets == 50);
	assert_in_range(t.packets, 2, 20);
	assert_int_equal(bus_server_stats(w.server)->dropped_packets,
		t.dropped_packets);
	bus_client_free(c);
}

/* 5,000 packets at once are more than a socket holds: the rest waits, and
 * goes out as fast as it is read. */
static void full_socket(void **state)
{
	struct tally t = {0};
	struct bus_client_config k = {.loop = w.loop, .path = w.path,
		.ticket = "t", .events = &tally_events, .arg = &t};
	struct bus_client *c;
	struct made m;

	(void)state;
	serve();
	c = bus_client_new(&k);
	UNTIL(w.n_peers == 1);
	bus_client_queue_ms(c, 2000);
	bus_peer_open_track(w.peers[0], &mic);
	spin(5);
	for (unsigned i = 0; i < 5000; i++) {
		make(&m, BUS_OPUS, (uint16_t)i, i * 960, "S", 1200);
		assert_int_equal(bus_peer_send(w.peers[0], 0, &m.k), 0);
		bus_packet_done(&m.k);
	}
	assert_true(bus_server_stats(w.server)->packets_out < 5000);
	UNTIL(t.packets == 5000);
	assert_int_equal(bus_server_stats(w.server)->dropped_packets, 0);
	bus_client_free(c);
}

/* Ten readers have stopped: their queues share one copy of a packet. */
static void one_copy(void **state)
{
	struct bus_client *c[10];
	struct made m;

	(void)state;
	serve();
	for (unsigned i = 0; i < 10; i++) {
		c[i] = client_of("t", &c_events, "");
		UNTIL(w.n_peers == i + 1);
		bus_peer_open_track(w.peers[i], &cam);
	}
	spin(5);
	for (unsigned i = 0; i < 10; i++)
		bus_client_pause(c[i], i > 0);
	frame_to_all(0, "K");
	spin(120);
	make(&m, BUS_VP8, 3, 3001, "S|", 1200);
	assert_int_equal(bus_peer_send(w.peers[0], 0, &m.k), 0);
	assert_null(m.k.body); /* it reads: nothing was copied */
	for (unsigned i = 1; i < 10; i++)
		assert_int_equal(bus_peer_send(w.peers[i], 0, &m.k), 0);
	assert_int_equal(m.k.body->refs, 10); /* ours and nine queues' */
	for (unsigned i = 1; i < 10; i++)
		bus_peer_close(w.peers[i], NULL, NULL);
	assert_int_equal(m.k.body->refs, 1);
	bus_packet_done(&m.k);
	for (unsigned i = 0; i < 10; i++)
		bus_client_free(c[i]);
}

/* A writer whose relay stops drops too, and is asked for a key frame by its
 * own end. */
static void stopped_relay(void **state)
{
	struct bus_client *c;
	int rc = 0;

	(void)state;
	serve();
	c = client_of("t", &c_events, "");
	assert_log(&w.heard, "welcome(hall,e_ada) ");
	bus_client_publish(c, "cam", BUS_VP8);
	assert_log(&w.said, "hello(t,-,-) ready publish(0,e_ada,cam,vp8) ");
	/* The loop does not run, so that nobody reads. */
	for (uint16_t i = 0; i < 30; i++) {
		rc = send_from(c, 0, BUS_VP8, i, i * 3000u, i ? "S|" : "K|");
		usleep(15000);
	}
	assert_int_equal(rc, -EAGAIN);
	UNTIL(w.heard.len);
	assert_non_null(strstr(buf_cstr(&w.heard), "keyframe(0) "));
	assert_int_equal(send_from(c, 0, BUS_VP8, 99, 300000, "K|"), 0);
	UNTIL(strstr(buf_cstr(&w.said), "rtp(0,99,key) "));
	/* It said how much it dropped, which the relay need not know. */
	assert_int_equal(bus_server_stats(w.server)->malformed, 0);
	bus_client_free(c);
}

#define T(f) cmocka_unit_test_setup_teardown(f, world_open, world_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(whole_frames),
		T(sound_and_ends),
		T(asks_again),
		T(stopped_reader),
		T(time_bounds_the_socket),
		T(full_socket),
		T(one_copy),
		T(stopped_relay),
	};
	return cmocka_run_group_tests_name("bus-slow", tests, NULL, NULL);
}
