/* Peers that speak badly: each is cut and counted, and the one beside it
 * notices nothing. */
#include <sys/socket.h>

#include "bus_msg_priv.h"
#include "bus_world.h"

/* ---- raw messages ---- */

static void say_raw(int fd, const void *p, size_t n)
{
	assert_int_equal(send(fd, p, n, MSG_NOSIGNAL), n);
}

static void say_as(int fd, enum bus_kind kind, unsigned track, const void *p,
	size_t n)
{
	static uint8_t mem[70000];
	struct bushdr h = {.kind = kind, .track = (uint16_t)track};

	bushdr_write(mem, &h);
	memcpy(mem + BUSHDR_BYTES, p, n);
	say_raw(fd, mem, BUSHDR_BYTES + n);
}

static void say(int fd, const char *json)
{
	say_as(fd, BUS_JSON, 0, json, strlen(json));
}

/* The other end hangs up. */
static void assert_cut(int fd)
{
	uint8_t mem[BUS_MAX_JSON];
	ssize_t n = -1;

	for (int i = 0; i < 10000 && n; i++) {
		n = recv(fd, mem, sizeof(mem), MSG_DONTWAIT);
		if (n < 0)
			spin(1);
	}
	assert_int_equal(n, 0);
}

#define RTP_OK "80 60 00 01 00 00 00 01 00 00 00 01 10 11"

static const struct {
	const char *json; /* sent as such, unless it is NULL */
	int kind;
	unsigned track;
	const char *bytes; /* of that kind on that track */
} before_hello[] = {
	{.json = ""}, {.json = "["}, {.json = "[]"}, {.json = "7"},
	{.json = "{}"}, {.json = "{\"ticket\":7}"},
	{.json = "{\"ticket\":\"\"}"}, {.json = "{\"ticket\":\"a b\"}"},
	{.json = "{\"ticket\":\"a\\u0000b\"}"},
	{.json = "{\"ticket\":\"a\",\"ticket\":\"a\"}"},
	{.json = "{\"ticket\":\"a\"} {}"},
	{.json = "{\"room\":\"r\"}"}, {.json = "{\"room\":null}"},
	{.json = "{\"room\":\"r\",\"endpoint\":\"../e\"}"},
	{.json = "{\"room\":\"r\",\"endpoint\":\"e\",\"receive\":1}"},
	{.json = "{\"room\":\"r\",\"endpoint\":\"e\",\"publish\":[7]}"},
	{.json = "{\"room\":\"r\",\"endpoint\":\"e\",\"publish\":{}}"},
	{.json = "{\"queue_ms\":100}"}, {.json = "{\"hello\":1}"},
	{.json = "{\"publish\":{\"track\":0,\"source\":\"a\","
		"\"codec\":\"vp8\"}}"},
	{.kind = BUS_RTP, .bytes = RTP_OK},
	{.kind = BUS_RTCP, .bytes = "80 c8 00 06 00 00 00 01"},
}, after_hello[] = {
	{.json = "{\"ticket\":\"t\"}"},
	{.json = "{\"welcome\":{\"room\":\"r\",\"endpoint\":\"e\"}}"},
	{.json = "{\"refused\":{\"kind\":\"a\",\"message\":\"\"}}"},
	{.json = "{\"track\":{\"track\":0,\"endpoint\":\"e\",\"source\":\"s\","
		"\"codec\":\"vp8\",\"ssrc\":1}}"},
	{.json = "\"x\""},
	{.json = "{\"publish\":[]}"}, {.json = "{\"publish\":{}}"},
	{.json = "{\"publish\":{\"track\":-1,\"source\":\"a\","
		"\"codec\":\"vp8\"}}"},
	{.json = "{\"publish\":{\"track\":4096,\"source\":\"a\","
		"\"codec\":\"vp8\"}}"},
	{.json = "{\"publish\":{\"track\":1.5,\"source\":\"a\","
		"\"codec\":\"vp8\"}}"},
	{.json = "{\"publish\":{\"track\":1,\"source\":\"a\","
		"\"codec\":\"h264\"}}"},
	{.json = "{\"publish\":{\"track\":1,\"source\":\"a/b\","
		"\"codec\":\"vp8\"}}"},
	/* 0 is published already, as the test begins. */
	{.json = "{\"publish\":{\"track\":0,\"source\":\"a\","
		"\"codec\":\"vp8\"}}"},
	{.json = "{\"end\":{\"track\":3}}"}, {.json = "{\"end\":0}"},
	{.json = "{\"keyframe\":{}}"}, {.json = "{\"keyframe\":true}"},
	{.json = "{\"lost\":{\"track\":0}}"},
	{.json = "{\"lost\":{\"track\":0,\"seqs\":[65536]}}"},
	{.json = "{\"lost\":{\"track\":0,\"seqs\":[-1]}}"},
	{.json = "{\"lost\":{\"track\":0,\"seqs\":[\"1\"]}}"},
	{.json = "{\"queue_ms\":-1}"}, {.json = "{\"queue_ms\":\"1\"}"},
	{.json = "{\"want\":[]}"}, {.json = "{\"want\":{\"tracks\":{}}}"},
	{.json = "{\"want\":{\"tracks\":[7]}}"},
	{.json = "{\"want\":{\"tracks\":[{\"endpoint\":\"e\","
		"\"source\":\"s\"}]}}"},
	{.json = "{\"want\":{\"tracks\":[{\"endpoint\":\"e\","
		"\"source\":\"s\",\"height\":65536}]}}"},
	{.kind = BUS_RTP, .track = 1, .bytes = RTP_OK},
	{.kind = BUS_RTP, .track = 65535, .bytes = RTP_OK},
	{.kind = BUS_RTP, .bytes = ""},
	{.kind = BUS_RTP, .bytes = "80 60 00 01 00 00 00 01 00 00 00"},
	{.kind = BUS_RTP, .bytes = "40 60 00 01 00 00 00 01 00 00 00 01 10 11"},
	{.kind = BUS_RTP, .bytes = "80 60 00 01 00 00 00 01 00 00 00 01 90"},
	{.kind = BUS_RTCP, .bytes = "80 60 00 01 00 00 00 01"},
	{.kind = BUS_RTCP, .bytes = "80 c8 00 06"},
};

static struct bus_client *neighbour;

static int hostile_open(void **state)
{
	world_open(state);
	serve();
	neighbour = client_of("neighbour", &c_events, "");
	assert_log(&w.heard, "welcome(hall,e_ada) ");
	return 0;
}

/* The neighbour was not disturbed. */
static int hostile_close(void **state)
{
	bus_client_publish(neighbour, "mic", BUS_OPUS);
	buf_clear(&w.said);
	assert_int_equal(send_from(neighbour, 0, BUS_OPUS, 77, 0, "S"), 0);
	UNTIL(w.said.len && strstr(buf_cstr(&w.said), "rtp(0,77) "));
	assert_true(!w.heard.len);
	bus_client_free(neighbour);
	return world_close(state);
}

static void speak(int fd, const char *json, int kind, unsigned track,
	const char *bytes)
{
	size_t n;
	uint8_t *p;

	if (json) {
		say(fd, json);
		return;
	}
	p = hex(bytes, &n);
	say_as(fd, (enum bus_kind)kind, track, p, n);
	free(p);
}

static void no_hello(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(before_hello); i++) {
		int fd = io_seqpacket_connect(w.path);

		speak(fd, before_hello[i].json, before_hello[i].kind,
			before_hello[i].track, before_hello[i].bytes);
		assert_cut(fd);
		assert_int_equal(bus_server_stats(w.server)->malformed, i + 1);
		close(fd);
	}
	assert_log(&w.said, "hello(neighbour,-,-) ready ");
}

static int greeted(void)
{
	int fd = io_seqpacket_connect(w.path);

	say(fd, "{\"ticket\":\"t\"}");
	say(fd, "{\"publish\":{\"track\":0,\"source\":\"cam\","
		"\"codec\":\"vp8\"}}");
	return fd;
}

static void bad_words(void **state)
{
	(void)state;
	assert_log(&w.said, "hello(neighbour,-,-) ready ");
	for (size_t i = 0; i < ARRAY_LEN(after_hello); i++) {
		int fd = greeted();

		speak(fd, after_hello[i].json, after_hello[i].kind,
			after_hello[i].track, after_hello[i].bytes);
		assert_cut(fd);
		assert_int_equal(bus_server_stats(w.server)->malformed, i + 1);
		assert_log(&w.said, "hello(t,-,-) ready "
			"publish(0,e_ada,cam,vp8) close(-71) ");
		close(fd);
	}
}

/* 257 numbers, 129 wishes, a ticket of 129 characters, a room of 72: each
 * one too many. */
static void too_long(void **state)
{
	struct buf b[4] = {{0}};

	(void)state;
	buf_puts(&b[0], "{\"lost\":{\"track\":0,\"seqs\":[0");
	for (int i = 0; i < 256; i++)
		buf_puts(&b[0], ",1");
	buf_puts(&b[0], "]}}");
	buf_puts(&b[1], "{\"want\":{\"tracks\":[");
	for (int i = 0; i < 129; i++)
		buf_printf(&b[1], "%s{\"endpoint\":\"e\",\"source\":\"s\","
			"\"height\":1}", i ? "," : "");
	buf_puts(&b[1], "]}}");
	buf_printf(&b[2], "{\"ticket\":\"%0129d\"}", 7);
	buf_printf(&b[3], "{\"room\":\"%072d\",\"endpoint\":\"e\"}", 7);
	for (size_t i = 0; i < ARRAY_LEN(b); i++) {
		int fd = i < 2 ? greeted() : io_seqpacket_connect(w.path);

		say(fd, buf_cstr(&b[i]));
		assert_cut(fd);
		assert_int_equal(bus_server_stats(w.server)->malformed, i + 1);
		close(fd);
		buf_free(&b[i]);
	}
}

static void bad_headers(void **state)
{
	static const char *const heads[] = {
		"01",
		"01 00 00 00 00 00 00 00 00 00 00 00 00 00 00", /* 15 bytes */
		"00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 7b 7d",
		"02 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 7b 7d",
		"01 03 00 00 00 00 00 00 00 00 00 00 00 00 00 00 7b 7d",
		"01 ff 00 00 00 00 00 00 00 00 00 00 00 00 00 00 7b 7d",
	};
	static uint8_t zeros[70000] = {0x80};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(heads); i++) {
		int fd = greeted();
		size_t n;
		uint8_t *p = hex(heads[i], &n);

		say_raw(fd, p, n);
		assert_cut(fd);
		assert_int_equal(bus_server_stats(w.server)->malformed, i + 1);
		close(fd);
		free(p);
	}
	for (int i = 0; i < 3; i++) {
		int fd = greeted();

		/* A byte too long, of each kind; and far too long. */
		say_as(fd, i == 1 ? BUS_JSON : BUS_RTP, 0, zeros,
			i == 0 ? 2033 : i == 1 ? 16369 : 60000);
		assert_cut(fd);
		assert_int_equal(bus_server_stats(w.server)->malformed, i + 7);
		close(fd);
	}
	{
		int fd = greeted();

		say_as(fd, BUS_RTP, 0, zeros, 0);
		assert_cut(fd);
		close(fd);
	}
}

/* What is not known is not wrong: other words, other members, other flags.
 * An empty message is the end, as is nothing at all. */
static void tolerance(void **state)
{
	uint8_t rtp[] = {1, BUS_RTP, 0, 0, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0,
		0, 0, 0, 0, 0x80, 0x60, 0, 9, 0, 0, 0, 1, 0, 0, 0, 1, 0x10,
		0x11};
	int fd;

	(void)state;
	assert_log(&w.said, "hello(neighbour,-,-) ready ");
	fd = greeted();
	say(fd, "{\"sing\":{\"song\":1}}");
	say(fd, "{}");
	say(fd, "{\"queue_ms\":0}");
	say(fd, "{\"queue_ms\":99999999999}");
	say(fd, "{\"dropped\":{\"track\":0,\"frames\":1,\"packets\":1}}");
	say(fd, " {\"keyframe\":{\"track\":4095,\"why\":\"new\"}} ");
	say_raw(fd, rtp, sizeof(rtp));
	assert_log(&w.said, "hello(t,-,-) ready publish(0,e_ada,cam,vp8) "
		"rtp(0,9) ");
	say_raw(fd, "", 0);
	assert_log(&w.said, "close(0) ");
	assert_int_equal(bus_server_stats(w.server)->malformed, 0);
	close(fd);
}

/* Descriptors that come along are not taken. */
static void passed_descriptors(void **state)
{
	union {
		struct cmsghdr align;
		char mem[CMSG_SPACE(sizeof(int))];
	} c;
	static const char hello[] = "\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
				    "{\"ticket\":\"t\"}";
	struct iovec iov = {(void *)(uintptr_t)hello, sizeof(hello) - 1};
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = c.mem, .msg_controllen = sizeof(c.mem)};
	int fd = io_seqpacket_connect(w.path), before;

	(void)state;
	assert_log(&w.said, "hello(neighbour,-,-) ready ");
	memset(&c, 0, sizeof(c));
	CMSG_FIRSTHDR(&m)->cmsg_level = SOL_SOCKET;
	CMSG_FIRSTHDR(&m)->cmsg_type = SCM_RIGHTS;
	CMSG_FIRSTHDR(&m)->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(CMSG_FIRSTHDR(&m)), &fd, sizeof(int));
	spin(5);
	before = count_fds();
	assert_int_equal(sendmsg(fd, &m, 0), sizeof(hello) - 1);
	assert_log(&w.said, "hello(t,-,-) ready ");
	assert_int_equal(count_fds(), before);
	close(fd);
}

/* ---- a relay that speaks badly to a client ---- */

static void bad_relay(void **state)
{
	static const char *const words[] = {
		"{\"track\":{\"track\":0,\"endpoint\":\"e\",\"source\":\"s\","
		"\"codec\":\"vp8\",\"ssrc\":1}}", /* before the welcome */
		/* twice */
		"*{\"welcome\":{\"room\":\"r\",\"endpoint\":\"e\"}}",
		"*{\"end\":{\"track\":0}}",
		"*{\"dropped\":{\"track\":0,\"frames\":1,\"packets\":1}}",
		"*{\"track\":{\"track\":0}}",
		"*{\"track\":{\"track\":0,\"endpoint\":\"e\",\"source\":\"s\","
		"\"codec\":\"vp8\",\"ssrc\":4294967296}}",
		"*{\"lost\":{\"track\":0,\"seqs\":[]}}",
		"*{\"refused\":{\"track\":0}}",
	};
	static char name[] = "";
	char path[100];
	int listening;

	(void)state;
	snprintf(path, sizeof(path), "%s/false.bus", w.dir);
	listening = io_seqpacket_listen(path, 0600, (gid_t)-1);
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		struct bus_client_config k = {.loop = w.loop, .path = path,
			.ticket = "t", .events = &c_events, .arg = name};
		struct bus_client *c = bus_client_new(&k);
		int fd = io_accept(listening, NULL);

		if (*words[i] == '*')
			say(fd, "{\"welcome\":{\"room\":\"r\","
				"\"endpoint\":\"e\"}}");
		say(fd, words[i] + (*words[i] == '*'));
		assert_log(&w.heard, *words[i] == '*'
			? "welcome(r,e) close(-71) " : "close(-71) ");
		assert_int_equal(bus_client_stats(c)->malformed, 1);
		bus_client_free(c);
		close(fd);
	}
	close(listening);
	unlink(path);
}

#define T(f) cmocka_unit_test_setup_teardown(f, hostile_open, hostile_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(no_hello),
		T(bad_words),
		T(too_long),
		T(bad_headers),
		T(tolerance),
		T(passed_descriptors),
		T(bad_relay),
	};
	return cmocka_run_group_tests_name("bus-hostile", tests, NULL, NULL);
}
