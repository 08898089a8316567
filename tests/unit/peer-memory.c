/* Lack of memory at any point of setting up; none taken per packet; and how
 * much a transport takes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <malloc.h>

#include "oom.h"
#include "peer_priv.h"
#include "peer_call.h"

static const struct peer_line_want four[] = {
	{ PEER_MIC, false }, { PEER_CAM, true }, { PEER_SCREEN, false },
	{ PEER_SCREEN_AUDIO, false },
};

static int make_ice(void *arg)
{
	struct ice_config c = { .ufrag = "abcd",
		.pwd = "0123456789012345678901" };
	struct ice *ice = ice_new(&c);

	(void)arg;
	if (!ice)
		return -errno;
	ice_free(ice);
	return 0;
}

static void an_agent_may_not_come_about(void **state)
{
	(void)state;
	assert_int_equal(oom_ladder(make_ice, NULL), 2);
}

static int make_port(void *arg)
{
	struct call *c = arg;
	union io_addr a;
	struct peer_port *port;
	int fd, err;

	io_addr_parse(&a, "127.0.0.1:0");
	fd = io_udp_bind(&a);
	assert_true(fd >= 0);
	port = peer_port_new(c->loop, &(struct peer_port_config){
		.fds = &fd, .n_fds = 1 });
	err = port ? 0 : -errno;
	peer_port_free(port);
	return err;
}

static void a_port_may_not_come_about(void **state)
{
	struct call c;

	(void)state;
	call_open(&c, "127.0.0.1:0", "127.0.0.1:0");
	assert_true(oom_ladder(make_port, &c) > 5);
	call_close(&c);
}

static int negotiate(void *arg)
{
	struct call *c = arg;
	struct peer_config pc = { .events = &call_events };
	struct buf offer = { 0 }, answer = { 0 };
	struct peer *client, *server;
	char why[160];
	int err = -ENOMEM;

	pc.role = PEER_CLIENT;
	client = peer_new(c->client.port, &pc);
	pc.role = PEER_SERVER;
	server = peer_new(c->server.port, &pc);
	if (client && server)
		err = peer_make_offer(client, four, 4, &offer);
	if (!err)
		err = peer_accept_offer(server, (char *)offer.data,
			offer.len, &answer, why);
	if (err)
		assert_int_equal(answer.len, 0);
	else
		err = peer_accept_answer(client, (char *)answer.data,
			answer.len, why);
	peer_free(client);
	peer_free(server);
	buf_free(&offer);
	buf_free(&answer);
	return err;
}

static void negotiation_may_fail(void **state)
{
	struct call c;

	(void)state;
	call_open(&c, "127.0.0.1:0", "127.0.0.1:0");
	assert_true(oom_ladder(negotiate, &c) > 20);
	call_close(&c);
}

/* Allocations of our own code are counted; the libraries' are not seen. */
static void a_packet_allocates_nothing(void **state)
{
	struct call c;
	unsigned i;

	(void)state;
	call_open(&c, "127.0.0.1:0", "127.0.0.1:0");
	call_publish(&c, four, 4);
	call_connect(&c);
	for (i = 0; i < 5; i++) {
		call_send_audio(&c.client, 0, i, 20);
		call_send_video(&c.client, 1, i, 1000);
	}
	call_wait_packets(&c, &c.server, 10);
	oom_left = 1000000;
	for (; i < 45; i++)
		call_send_audio(&c.client, 0, i, 20);
	call_wait_packets(&c, &c.server, 50);
	assert_int_equal(oom_left, 1000000);
	oom_left = -1;
	call_close(&c);
}

#ifndef __SANITIZE_ADDRESS__
static size_t used(void)
{
	struct mallinfo2 m = mallinfo2();

	return m.uordblks + m.hblkhd;
}

/* What peer.h says: 192 KiB for a transport that receives two streams. */
static void a_transport_is_small(void **state)
{
	struct call c;
	size_t before;

	(void)state;
	call_open(&c, "127.0.0.1:0", "127.0.0.1:0");
	call_publish(&c, four, 4);
	call_connect(&c);
	for (unsigned i = 0; i < 5; i++) {
		call_send_audio(&c.client, 0, i, 20);
		call_send_video(&c.client, 1, i, 1000);
	}
	call_wait_packets(&c, &c.server, 10);
	before = used();
	peer_free(c.server.peer);
	c.server.peer = NULL;
	assert_in_range(before - used(), 1, 192 * 1024);
	call_close(&c);
}
#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_agent_may_not_come_about),
		cmocka_unit_test(a_port_may_not_come_about),
		cmocka_unit_test(negotiation_may_fail),
		cmocka_unit_test(a_packet_allocates_nothing),
#ifndef __SANITIZE_ADDRESS__
		cmocka_unit_test(a_transport_is_small),
#endif
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
