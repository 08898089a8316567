/* Packets that leave in one pass of the loop, whatever their sizes and their
 * number, with GSO and without: all come, whole and in order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <sys/socket.h>

#include "peer_call.h"
#include "peer_priv.h"

#define LARGE 1200
#define SMALL 500

static const struct peer_line_want nine[] = {
	{ PEER_MIC, false }, { PEER_MIC, false }, { PEER_MIC, false },
	{ PEER_CAM, false }, { PEER_CAM, false }, { PEER_CAM, false },
	{ PEER_CAM, false }, { PEER_SCREEN, false },
	{ PEER_SCREEN_AUDIO, false },
};

static void open_call(struct call *c)
{
	call_open(c, "127.0.0.1:0", "127.0.0.1:0");
	call_subscribe(c, nine, ARRAY_LEN(nine));
	call_connect(c);
}

/* What has been sent is received before more is: a socket holds some 150. */
static void expect(struct call *c, unsigned packets)
{
	call_wait_packets(c, &c->client, packets);
	assert_int_equal(c->client.packets, packets);
	assert_int_equal(c->client.damaged, 0);
	assert_int_equal(peer_stats(c->server.peer)
		->dropped[PEER_DROP_SEND], 0);
}

static void a_picture_comes_whole(struct call *c)
{
	uint64_t before = peer_stats(c->server.peer)->packets_out;

	for (unsigned i = 0; i < 9; i++)
		call_send_video(&c->server, 3, i, LARGE);
	call_send_video(&c->server, 3, 9, SMALL);
	assert_int_equal(peer_stats(c->server.peer)->packets_out, before);
	expect(c, 10);
	assert_int_equal(c->client.last[3].len, SMALL);
	assert_in_range(peer_stats(c->server.peer)->packets_out - before, 10,
		20); /* and reports */
}

static void by_gso(void **state)
{
	struct call c;

	(void)state;
	open_call(&c);
	a_picture_comes_whole(&c);
	call_close(&c);
}

/* A socket without checksums cannot have the kernel cut. */
static void without_gso(void **state)
{
	struct call c;
	int yes = 1;

	(void)state;
	open_call(&c);
	assert_int_equal(setsockopt(c.server.port->sock[0].fd, SOL_SOCKET,
		SO_NO_CHECK, &yes, sizeof yes), 0);
	a_picture_comes_whole(&c);
	call_close(&c);
}

static void sizes_may_differ(void **state)
{
	static const size_t sizes[] = { 500, 501, 501, 500, 500, 1200, 80, 80,
		1200, 1200, 900, 901, 20, 1400 };
	struct call c;

	(void)state;
	open_call(&c);
	for (unsigned i = 0; i < ARRAY_LEN(sizes); i++)
		call_send_video(&c.server, 3 + i % 2, i / 2, sizes[i]);
	call_send_audio(&c.server, 0, 0, 20);
	expect(&c, ARRAY_LEN(sizes) + 1);
	call_close(&c);
}

/* More than one send takes, and more than one pass does. */
static void there_may_be_many(void **state)
{
	struct call c;
	unsigned n = 0;

	(void)state;
	open_call(&c);
	for (unsigned round = 0; round < 10; round++) {
		for (unsigned i = 0; i < 100; i++)
			call_send_video(&c.server, 3, n++, LARGE);
		call_wait_packets(&c, &c.client, n);
	}
	expect(&c, n);
	call_close(&c);
}

static void who_ends_has_sent(void **state)
{
	struct call c;

	(void)state;
	open_call(&c);
	for (unsigned i = 0; i < 5; i++)
		call_send_video(&c.server, 3, i, LARGE);
	peer_free(c.server.peer);
	c.server.peer = NULL;
	call_wait_packets(&c, &c.client, 5);
	call_wait_for(&c, &c.client.closed, 1);
	assert_string_equal(c.client.reason, "left");
	call_close(&c);
}

static void who_ends_with_the_loop_is_no_leak(void **state)
{
	struct call c;

	(void)state;
	open_call(&c);
	for (unsigned i = 0; i < 5; i++)
		call_send_video(&c.server, 3, i, LARGE);
	call_close(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_gso),
		cmocka_unit_test(without_gso),
		cmocka_unit_test(sizes_may_differ),
		cmocka_unit_test(there_may_be_many),
		cmocka_unit_test(who_ends_has_sent),
		cmocka_unit_test(who_ends_with_the_loop_is_no_leak),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
