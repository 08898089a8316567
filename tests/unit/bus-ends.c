/* Both ends of the bus on a real socket: hello, tracks and packets each way,
 * requests, refusals, closing from inside callbacks. */
#include <sys/resource.h>

#include "bus_world.h"

static const struct bus_track cam = {.endpoint = "e_bob", .source = "cam",
	.codec = BUS_VP8, .ssrc = 4294967295u};
static const struct bus_track mic = {.endpoint = "e_bob", .source = "mic",
	.codec = BUS_OPUS, .ssrc = 7};

static void ticket(void **state)
{
	struct bus_client *c;

	(void)state;
	serve();
	c = client_of("abc234", &c_events, "");
	assert_log(&w.heard, "welcome(hall,e_ada) ");
	assert_log(&w.said, "hello(abc234,-,-) ready ");
	assert_int_equal(w.last_hello.uid, getuid());
	assert_int_equal(w.last_hello.pid, getpid());
	assert_string_equal(bus_peer_room(w.peers[0]), "hall");
	assert_string_equal(bus_peer_endpoint(w.peers[0]), "e_ada");
	assert_int_equal(bus_server_peers(w.server), 1);
	bus_client_free(c);
	assert_log(&w.said, "close(0) ");
	assert_int_equal(bus_server_peers(w.server), 0);
}

static void ticket_refused(void **state)
{
	struct bus_client *c;

	(void)state;
	serve();
	c = client_of("forged", &c_events, "");
	assert_log(&w.heard, "refused(denied,no such ticket) close(0) ");
	assert_log(&w.said, "hello(forged,-,-) ");
	assert_int_equal(bus_server_stats(w.server)->refused, 1);
	assert_int_equal(bus_server_stats(w.server)->malformed, 0);
	assert_int_equal(bus_server_peers(w.server), 0);
	assert_int_equal(bus_client_publish(c, "cam", BUS_VP8), -EPIPE);
	bus_client_free(c);
}

static void open_hello(void **state)
{
	static const char *const sources[] = {"mix", "minus:e_bob"};
	static char name[] = "";
	struct bus_client_config k = {.loop = w.loop, .path = w.path,
		.room = "r1", .endpoint = "e_mix", .publish = sources,
		.n_publish = 2, .receive = true, .events = &c_events,
		.arg = name};
	struct bus_client *c;

	(void)state;
	serve();
	c = bus_client_new(&k);
	assert_non_null(c);
	assert_log(&w.heard, "welcome(r1,e_mix) ");
	assert_log(&w.said,
		"hello(-,r1,e_mix,mix,minus:e_bob,receive) ready ");
	bus_client_free(c);
	k.endpoint = "no blanks";
	assert_null(bus_client_new(&k));
	assert_int_equal(errno, EINVAL);
	k.endpoint = "e_mix";
	k.path = "/nonexistent/relay.bus";
	assert_null(bus_client_new(&k));
	assert_int_equal(errno, ENOENT);
}

static void reading(void **state)
{
	static const uint8_t sr[28] = {0x80, 200, 0, 6};
	struct bus_packet k;
	struct bus_client *c;
	struct bus_peer *p;

	(void)state;
	serve();
	c = client_of("t", &c_events, "");
	assert_log(&w.heard, "welcome(hall,e_ada) ");
	p = w.peers[0];
	assert_int_equal(bus_peer_open_track(p, &cam), 0);
	assert_int_equal(bus_peer_open_track(p, &mic), 1);
	assert_int_equal(send_to(p, 0, BUS_VP8, 65535, 3000, "K|"), 0);
	assert_int_equal(send_to(p, 1, BUS_OPUS, 9, 960, "S"), 0);
	assert_int_equal(bus_packet_rtcp(&k, sr, sizeof(sr), 1), 0);
	assert_int_equal(bus_peer_send(p, 1, &k), 0);
	bus_packet_done(&k);
	assert_int_equal(send_to(p, 2, BUS_OPUS, 1, 1, "S"), -ENOENT);
	bus_peer_end_track(p, 0);
	bus_peer_end_track(p, 0);
	assert_int_equal(send_to(p, 0, BUS_VP8, 0, 6000, "S|"), -ENOENT);
	assert_int_equal(bus_peer_open_track(p, &mic), 0);
	assert_log(&w.heard, "track(0,e_bob,cam,vp8,4294967295) "
		"track(1,e_bob,mic,opus,7) rtp(0,65535,key) rtp(1,9) "
		"rtcp(1,0) end(0) track(0,e_bob,mic,opus,7) ");
	assert_int_equal(bus_server_stats(w.server)->packets_out, 3);
	assert_int_equal(bus_client_stats(c)->packets_in, 3);
	bus_peer_close(p, "denied", "you were asked to leave");
	assert_log(&w.heard,
		"refused(denied,you were asked to leave) close(0) ");
	bus_client_free(c);
}

static struct bus_packet got;
static uint8_t got_bytes[BUS_MAX_PACKET];

static void keep_packet(void *arg, unsigned track, const struct bus_packet *k)
{
	(void)arg;
	(void)track;
	got = *k;
	memcpy(got_bytes, k->data, k->len);
}

/* Bytes, length up to the limit, time and flags arrive as sent. */
static void whole_packet(void **state)
{
	static const struct bus_client_events ev = {.on_packet = keep_packet};
	struct bus_client *c;
	struct bus_packet k;
	struct made m;

	(void)state;
	serve();
	c = client_of("t", &ev, NULL);
	UNTIL(w.n_peers == 1);
	assert_int_equal(bus_peer_open_track(w.peers[0], &cam), 0);
	make(&m, BUS_VP8, 5, 6, "S|", 2032);
	m.k.arrival_ns = 0x0102030405060708;
	m.k.flags = BUS_RESENT;
	assert_int_equal(bus_peer_send(w.peers[0], 0, &m.k), 0);
	bus_packet_done(&m.k);
	UNTIL(got.len);
	assert_int_equal(got.len, 2032);
	assert_memory_equal(got_bytes, m.mem, 2032);
	assert_true(got.arrival_ns == 0x0102030405060708);
	assert_int_equal(got.flags, BUS_RESENT);
	assert_int_equal(got.rtp.payload_len, 2020);
	assert_int_equal(bus_packet_rtp(&k, BUS_OPUS, m.mem, 2033, 0),
		-EMSGSIZE);
	assert_int_equal(bus_packet_rtp(&k, BUS_OPUS, m.mem, 11, 0), -EBADMSG);
	assert_int_equal(bus_packet_rtcp(&k, m.mem, 20, 0), -EBADMSG);
	bus_client_free(c);
}

static void writing(void **state)
{
	struct bus_client *c;

	(void)state;
	serve();
	c = client_of("t", &c_events, "");
	/* Before the welcome came. */
	assert_int_equal(bus_client_publish(c, "cam", BUS_VP8), 0);
	assert_int_equal(bus_client_publish(c, "screen-audio", BUS_OPUS), 1);
	assert_int_equal(send_from(c, 0, BUS_VP8, 7, 3000, "K|"), 0);
	assert_int_equal(send_from(c, 1, BUS_OPUS, 8, 960, "S"), 0);
	assert_log(&w.said, "hello(t,-,-) ready publish(0,e_ada,cam,vp8) "
		"publish(1,e_ada,screen-audio,opus) rtp(0,7,key) rtp(1,8) ");
	bus_peer_ask_keyframe(w.peers[0], 0);
	bus_peer_ask_keyframe(w.peers[0], 1); /* has none */
	bus_peer_ask_keyframe(w.peers[0], 2);
	assert_log(&w.heard, "welcome(hall,e_ada) keyframe(0) ");
	bus_client_unpublish(c, 0);
	assert_int_equal(send_from(c, 0, BUS_VP8, 8, 6000, "S|"), -ENOENT);
	assert_int_equal(bus_client_publish(c, "screen", BUS_VP8), 0);
	assert_log(&w.said, "unpublish(0) publish(0,e_ada,screen,vp8) ");
	assert_int_equal(bus_client_publish(c, "two words", BUS_VP8), -EINVAL);
	bus_client_free(c);
	assert_log(&w.said, "close(0) ");
}

static void track_refused(void **state)
{
	struct bus_client *c;

	(void)state;
	serve();
	w.publish_kind = "denied";
	c = client_of("t", &c_events, "");
	bus_client_publish(c, "cam", BUS_VP8);
	send_from(c, 0, BUS_VP8, 7, 3000, "K|"); /* is not a crime */
	assert_log(&w.heard,
		"welcome(hall,e_ada) track_refused(0,denied,not this) ");
	assert_log(&w.said,
		"hello(t,-,-) ready publish(0,e_ada,cam,vp8) ");
	assert_int_equal(send_from(c, 0, BUS_VP8, 8, 3000, "K|"), -ENOENT);
	/* The number can be used again, and be refused in the middle. */
	w.publish_kind = NULL;
	assert_int_equal(bus_client_publish(c, "mic", BUS_OPUS), 0);
	assert_int_equal(send_from(c, 0, BUS_OPUS, 1, 960, "S"), 0);
	assert_log(&w.said, "publish(0,e_ada,mic,opus) rtp(0,1) ");
	bus_peer_refuse_track(w.peers[0], 0, "limit", "enough");
	assert_int_equal(send_from(c, 0, BUS_OPUS, 2, 1920, "S"), 0);
	assert_log(&w.heard, "track_refused(0,limit,enough) ");
	assert_log(&w.said, "");
	assert_int_equal(bus_server_stats(w.server)->malformed, 0);
	bus_client_free(c);
}

static void requests(void **state)
{
	static const uint16_t seqs[] = {1, 65535, 3};
	static const struct bus_want wants[] = {
		{.endpoint = "e_bob", .source = "cam", .height = 360,
			.stage = true},
		{.endpoint = "e_eve", .source = "screen"},
	};
	struct bus_client *c;

	(void)state;
	serve();
	c = client_of("t", &c_events, "");
	UNTIL(w.n_peers == 1);
	bus_peer_open_track(w.peers[0], &cam);
	assert_log(&w.said, "hello(t,-,-) ready ");
	assert_int_equal(bus_client_ask_keyframe(c, 0), 0);
	assert_int_equal(bus_client_ask_lost(c, 0, seqs, 3), 0);
	assert_int_equal(bus_client_ask_lost(c, 0, seqs, 0), 0);
	assert_int_equal(bus_client_want(c, wants, 2), 0);
	assert_int_equal(bus_client_queue_ms(c, 100000), 0);
	/* Of a track that has ended: nothing to do. */
	assert_int_equal(bus_client_ask_keyframe(c, 17), 0);
	assert_int_equal(bus_client_ask_lost(c, 17, seqs, 1), 0);
	assert_int_equal(bus_client_want(c, wants, 0), 0);
	assert_log(&w.said, "keyframe(0) lost(0,1,65535,3) "
		"want(e_bob cam 360 stage;e_eve screen 0;) want() ");
	assert_int_equal(bus_client_want(c, wants, 129), -EINVAL);
	bus_client_free(c);
}

static void listening(void **state)
{
	struct stat st;
	int fd;

	(void)state;
	/* Left over from a crash, of either type. */
	fd = io_seqpacket_listen(w.path, 0600, (gid_t)-1);
	assert_true(fd >= 0);
	close(fd);
	w.cfg.mode = 0660;
	serve();
	assert_int_equal(stat(w.path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0660);
	assert_null(bus_server_new(&w.cfg));
	assert_int_equal(errno, EADDRINUSE);
	assert_int_equal(io_unix_listen(w.path, 0600, (gid_t)-1), -EADDRINUSE);
	bus_server_free(w.server);
	w.server = NULL;
	assert_int_equal(stat(w.path, &st), -1); /* is tidied away */
	fd = io_unix_listen(w.path, 0600, (gid_t)-1);
	assert_null(bus_server_new(&w.cfg));
	assert_int_equal(errno, EADDRINUSE);
	close(fd);
	serve();
}

static void too_many(void **state)
{
	struct bus_client *a, *b, *c;

	(void)state;
	w.cfg.max_peers = 2;
	serve();
	a = client_of("a", &c_events, "a:");
	b = client_of("b", &c_events, "b:");
	assert_log(&w.heard,
		"a:welcome(hall,e_ada) b:welcome(hall,e_ada) ");
	c = client_of("c", &c_events, "c:");
	assert_log(&w.heard,
		"c:refused(limit,too many on this bus) c:close(0) ");
	assert_int_equal(bus_server_stats(w.server)->refused, 1);
	bus_client_free(c);
	bus_client_free(a);
	UNTIL(bus_server_peers(w.server) == 1);
	a = client_of("a", &c_events, "a:");
	assert_log(&w.heard, "a:welcome(hall,e_ada) ");
	bus_client_free(a);
	bus_client_free(b);
}

static uint64_t cpu_ms(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (uint64_t)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000 +
		(uint64_t)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1000;
}

/* No descriptor is left to accept with: it waits, without spinning, until
 * there is one again. */
static void descriptors_run_out(void **state)
{
	struct rlimit was, few;
	struct bus_client *c;
	uint64_t cpu;

	(void)state;
	serve();
	c = client_of("t", &c_events, "");
	getrlimit(RLIMIT_NOFILE, &was);
	few = was;
	few.rlim_cur = 0;
	setrlimit(RLIMIT_NOFILE, &few);
	cpu = cpu_ms();
	spin(400);
	cpu = cpu_ms() - cpu;
	setrlimit(RLIMIT_NOFILE, &was);
	assert_true(!w.heard.len);
	assert_in_range(cpu, 0, 200);
	assert_log(&w.heard, "welcome(hall,e_ada) ");
	bus_client_free(c);
}

static void says_nothing(void **state)
{
	int fd;

	(void)state;
	w.cfg.hello_ms = 20;
	serve();
	fd = io_seqpacket_connect(w.path);
	UNTIL(bus_server_peers(w.server) == 1);
	UNTIL(bus_server_peers(w.server) == 0);
	assert_log(&w.said, "");
	close(fd);
}

/* ---- closing from inside ---- */

static void close_peer(struct bus_peer *p)
{
	bus_peer_close(p, "busy", "not now");
}

static void close_peer_at_packet(struct bus_peer *p, unsigned track,
	const struct bus_packet *k)
{
	(void)track;
	(void)k;
	bus_peer_close(p, NULL, NULL);
}

static void close_peer_at_publish(struct bus_peer *p, unsigned track)
{
	(void)track;
	bus_peer_close(p, NULL, NULL);
}

static void free_server_at_packet(struct bus_peer *p, unsigned track,
	const struct bus_packet *k)
{
	(void)p;
	(void)track;
	(void)k;
	bus_server_free(w.server);
	w.server = NULL;
}

static void server_closes_inside(void **state)
{
	struct bus_client *c;

	(void)state;
	serve();
	w.on_hello = close_peer;
	c = client_of("t", &c_events, "");
	assert_log(&w.heard, "refused(busy,not now) close(0) ");
	bus_client_free(c);
	w.on_hello = NULL;
	w.on_publish = close_peer_at_publish;
	c = client_of("t", &c_events, "");
	bus_client_publish(c, "mic", BUS_OPUS);
	assert_log(&w.heard, "welcome(hall,e_ada) close(0) ");
	bus_client_free(c);
	w.on_publish = NULL;
	w.on_packet = close_peer_at_packet;
	c = client_of("t", &c_events, "");
	bus_client_publish(c, "mic", BUS_OPUS);
	send_from(c, 0, BUS_OPUS, 1, 960, "S");
	send_from(c, 0, BUS_OPUS, 2, 960, "S");
	assert_log(&w.heard, "welcome(hall,e_ada) close(0) ");
	bus_client_free(c);
	w.on_packet = free_server_at_packet;
	c = client_of("t", &c_events, "");
	bus_client_publish(c, "mic", BUS_OPUS);
	send_from(c, 0, BUS_OPUS, 1, 960, "S");
	send_from(c, 0, BUS_OPUS, 2, 960, "S");
	assert_log(&w.heard, "welcome(hall,e_ada) close(0) ");
	bus_client_free(c);
}

static struct bus_client *self;
static unsigned frees;

static void free_self(void)
{
	bus_client_free(self);
	self = NULL;
	frees++;
}

static void free_at_welcome(void *arg, const char *a, const char *b)
{
	(void)arg;
	(void)a;
	(void)b;
	free_self();
}

static void free_at_track(void *arg, const struct bus_track *t)
{
	(void)arg;
	(void)t;
	free_self();
}

static void free_at_packet(void *arg, unsigned track,
	const struct bus_packet *k)
{
	(void)arg;
	(void)track;
	(void)k;
	free_self();
}

static void free_at_close(void *arg, int err)
{
	(void)arg;
	(void)err;
	free_self();
}

static void client_frees_itself_inside(void **state)
{
	static const struct bus_client_events all[] = {
		{.on_welcome = free_at_welcome},
		{.on_track = free_at_track},
		{.on_packet = free_at_packet},
		{.on_close = free_at_close},
	};

	(void)state;
	serve();
	for (unsigned i = 0; i < ARRAY_LEN(all); i++) {
		self = client_of("t", &all[i], NULL);
		UNTIL(w.n_peers == i + 1);
		if (w.peers[i]) {
			bus_peer_open_track(w.peers[i], &mic);
			send_to(w.peers[i], 0, BUS_OPUS, 1, 960, "S");
			send_to(w.peers[i], 0, BUS_OPUS, 2, 960, "S");
			bus_peer_end_track(w.peers[i], 0);
		}
		if (i == 3)
			bus_peer_close(w.peers[i], NULL, NULL);
		UNTIL(frees == i + 1);
		UNTIL(bus_server_peers(w.server) == 0);
	}
}

/* What a writer said before it left is heard, even when a send of ours is
 * what told us that it left. */
static void last_words(void **state)
{
	struct bus_client *c;

	(void)state;
	serve();
	c = client_of("t", &c_events, "");
	UNTIL(w.n_peers == 1);
	bus_peer_open_track(w.peers[0], &mic);
	bus_client_publish(c, "mic", BUS_OPUS);
	for (uint16_t i = 0; i < 3; i++)
		send_from(c, 0, BUS_OPUS, i, i, "S");
	bus_client_free(c);
	assert_int_equal(send_to(w.peers[0], 0, BUS_OPUS, 1, 960, "S"), -EPIPE);
	assert_int_equal(send_to(w.peers[0], 0, BUS_OPUS, 1, 960, "S"), -EPIPE);
	assert_log(&w.said, "hello(t,-,-) ready publish(0,e_ada,mic,opus) "
		"rtp(0,0) rtp(0,1) rtp(0,2) close(0) ");
}

static void many_tracks(void **state)
{
	struct bus_client *c;

	(void)state;
	serve();
	c = client_of("t", &c_events, "");
	UNTIL(w.n_peers == 1);
	for (int i = 0; i < 4096; i++)
		assert_int_equal(bus_peer_open_track(w.peers[0], &mic), i);
	assert_int_equal(bus_peer_open_track(w.peers[0], &mic), -ENOSPC);
	bus_peer_end_track(w.peers[0], 77);
	UNTIL(w.heard.len && strstr(buf_cstr(&w.heard), "end(77)"));
	assert_int_equal(bus_peer_open_track(w.peers[0], &mic), 77);
	assert_int_equal(bus_client_stats(c)->malformed, 0);
	bus_client_free(c);
}

#define T(f) cmocka_unit_test_setup_teardown(f, world_open, world_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(ticket),
		T(ticket_refused),
		T(open_hello),
		T(reading),
		T(whole_packet),
		T(writing),
		T(track_refused),
		T(requests),
		T(listening),
		T(too_many),
		T(descriptors_run_out),
		T(says_nothing),
		T(server_closes_inside),
		T(client_frees_itself_inside),
		T(last_words),
		T(many_tracks),
	};
	return cmocka_run_group_tests_name("bus-ends", tests, NULL, NULL);
}
