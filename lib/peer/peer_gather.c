/* peer_gather - media that leave. What comes in one pass of the loop, say the
 * packets of a picture, goes to each receiver in one send (UDP GSO): the way
 * through the kernel costs several times what protecting a packet does. */
#include <sys/uio.h>

#include "peer_priv.h"

#define SLOTS 512u /* packets of one pass; more are a pass of their own */

struct gather {
	struct list runs;
	unsigned used;
	uint8_t slot[SLOTS][GATHER_CAP];
};

/* ---- sending ---- */

static void count(struct peer *p, int err, unsigned packets, size_t bytes)
{
	for (unsigned i = 0; err && i < packets; i++)
		port_drop(p->port, p, PEER_DROP_SEND);
	if (err)
		return;
	COUNT(p, packets_out, packets);
	COUNT(p, bytes_out, bytes);
}

/* Where GSO cannot be, each packet goes by itself. */
static void send_each(struct peer *p, int fd, const union io_addr *to,
	const union io_addr *from, const struct iovec *iov, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		count(p, io_udp_sendv(fd, to, from, &iov[i], 1, 0), 1,
			iov[i].iov_len);
}

static void send_run(struct peer *p, const struct run *r)
{
	struct gather *g = p->port->gather;
	struct iovec iov[IO_UDP_SEGMENTS];
	union io_addr from, to;
	int fd = port_socket(p->port, &r->path, &from, &to), err;

	if (fd < 0) {
		count(p, fd, r->n, 0);
		return;
	}
	for (unsigned i = 0; i < r->n; i++)
		iov[i] = (struct iovec){g->slot[r->slot[i]], r->each};
	iov[r->n - 1].iov_len = r->last;
	if (r->n == 1) {
		send_each(p, fd, &to, &from, iov, 1);
		return;
	}
	err = io_udp_sendv(fd, &to, &from, iov, r->n, r->each);
	if (err && err != -EAGAIN)
		send_each(p, fd, &to, &from, iov, r->n);
	else
		count(p, err, r->n, (size_t)r->each * (r->n - 1) + r->last);
}

void gather_flush(struct peer *p)
{
	struct run *r = &p->run;

	if (!r->n)
		return;
	send_run(p, r);
	r->n = 0;
	list_remove(&r->link);
}

static void flush_all(void *arg)
{
	struct gather *g = arg;

	while (!list_empty(&g->runs))
		gather_flush(list_entry(g->runs.next, struct peer, run.link));
	g->used = 0;
}

/* ---- gathering ---- */

uint8_t *gather_room(struct peer_port *port)
{
	if (!port->gather) {
		port->gather = calloc(1, sizeof(*port->gather));
		if (!port->gather)
			return NULL;
		list_init(&port->gather->runs);
	}
	if (port->gather->used == SLOTS)
		flush_all(port->gather);
	return port->gather->slot[port->gather->used];
}

/* Only the last of a run may be shorter. */
static bool fits(const struct run *r, const struct path *path, size_t n)
{
	return r->n && r->n < IO_UDP_SEGMENTS && r->last == r->each &&
		n <= r->each && (r->n + 1u) * r->each <= IO_UDP_RUN &&
		ice_addr_eq(&r->path.remote, &path->remote) &&
		ice_addr_eq(&r->path.local, &path->local);
}

void gather_send(struct peer *p, const struct path *path, size_t n)
{
	struct peer_port *port = p->port;
	struct gather *g = port->gather;
	struct run *r = &p->run;

	if (port->keep && !port->keep(port->keep_arg, true, g->slot[g->used],
		    n))
		return;
	if (!fits(r, path, n))
		gather_flush(p);
	if (!r->n) {
		r->path = *path;
		r->each = (uint16_t)n;
		list_append(&g->runs, &r->link);
	}
	r->last = (uint16_t)n;
	r->slot[r->n++] = (uint16_t)g->used++;
	if (g->used == 1 && io_defer(port->loop, flush_all, g))
		flush_all(g);
}

void gather_free(struct peer_port *port)
{
	if (port->gather)
		io_undefer(port->loop, flush_all, port->gather);
	free(port->gather);
}
