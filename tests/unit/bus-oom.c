/* Both ends with the n-th allocation failing: something fails, nothing leaks
 * and nothing else happens. */
#include "bus_world.h"

#include "oom.h"

static struct bus_client *made;

static bool closed;
static unsigned packets;

static void on_track(void *arg, const struct bus_track *t)
{
	(void)arg;
	(void)t;
	bus_client_publish(made, "mic", BUS_OPUS);
}

static void on_packet(void *arg, unsigned track, const struct bus_packet *k)
{
	(void)arg;
	(void)track;
	(void)k;
	packets++;
	send_from(made, 0, BUS_OPUS, 1, 960, "S");
}

static void on_close(void *arg, int err)
{
	(void)arg;
	(void)err;
	closed = true;
}

static const struct bus_client_events events = {
	.on_track = on_track,
	.on_packet = on_packet,
	.on_close = on_close,
};

static void came_back(struct bus_peer *p, unsigned track,
	const struct bus_packet *k)
{
	(void)p;
	(void)track;
	(void)k;
	packets++;
}

/* A track one way and one the other, and a packet on each. */
static int there_and_back(void *arg)
{
	static const struct bus_track mic = {.endpoint = "e", .source = "mic"};
	struct bus_client_config k = {.loop = w.loop, .path = w.path,
		.ticket = "t", .events = &events};
	uint64_t end = io_now_ns() + 300 * NS_PER_MS;

	(void)arg;
	w.n_peers = packets = 0;
	closed = false;
	w.on_packet = came_back;
	w.server = bus_server_new(&w.cfg);
	made = w.server ? bus_client_new(&k) : NULL;
	while (made && !closed && packets < 2 && io_now_ns() < end) {
		spin(1);
		if (w.n_peers == 1 && w.peers[0]) {
			w.n_peers++;
			bus_peer_open_track(w.peers[0], &mic);
			send_to(w.peers[0], 0, BUS_OPUS, 1, 960, "S");
		}
	}
	bus_client_free(made);
	bus_server_free(w.server);
	w.server = NULL;
	return packets == 2 ? 0 : -ENOMEM;
}

static void ladder(void **state)
{
	int n;

	(void)state;
	assert_int_equal(there_and_back(NULL), 0);
	n = oom_ladder(there_and_back, NULL);
	assert_in_range(n, 15, 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(ladder, world_open,
			world_close),
	};
	return cmocka_run_group_tests_name("bus-oom", tests, NULL, NULL);
}
