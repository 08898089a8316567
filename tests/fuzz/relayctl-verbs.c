/* Requests to the relay, line by line, valid and otherwise, against one
 * port that nobody sends to. */
#include <stdio.h>
#include <unistd.h>

#include "relayctl_priv.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static struct io_loop *loop;
static struct peer_port *port;

static int open_port(void)
{
	struct peer_port_config c = {.n_fds = 1};
	union io_addr a;
	int fd;

	loop = io_loop_new();
	if (!loop || io_addr_parse(&a, "127.0.0.1:0"))
		return -1;
	fd = io_udp_bind(&a);
	c.fds = &fd;
	port = fd < 0 ? NULL : peer_port_new(loop, &c);
	return port ? 0 : -1;
}

static int discard(void *arg, const void *p, size_t n)
{
	(void)arg, (void)p, (void)n;
	return 0;
}

static void on_end(void *arg, int code)
{
	(void)arg, (void)code;
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct relayctl_config rc = {.agent = "fuzz/1", .on_end = on_end};
	struct ctl_config cc = {
		.write = discard,
		.methods = relayctl_methods,
		.n_methods = relayctl_n_methods,
		.lines = true,
	};
	struct relayctl *r;
	struct ctl *c;
	json_t *rooms;
	char bus[64];

	if (!port && open_port())
		abort();
	rc.loop = loop;
	rc.port = port;
	r = relayctl_new(&rc);
	snprintf(bus, sizeof bus, "/tmp/confkit-fuzz-%d.bus", (int)getpid());
	if (r && relayctl_listen(r, bus, 0600, (gid_t)-1, false))
		abort();
	cc.arg = r;
	c = r ? ctl_new(&cc) : NULL;
	if (c)
		ctl_feed(c, p, n);
	rooms = r ? relayctl_rooms(r) : NULL;
	json_decref(rooms);
	ctl_free(c);
	relayctl_free(r);
	return 0;
}
