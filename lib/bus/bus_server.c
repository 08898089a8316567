/* Listening and accepting. */
#include <unistd.h>

#include "bus_peer_priv.h"

#define ACCEPT_BATCH 16
#define AGAIN_MS     100

/* Says why, though nothing was asked, and hangs up. */
static void turn_away(struct bus_server *s, int fd)
{
	json_t *o = bus_msg_refused(-1, "limit", "too many on this bus");
	struct bushdr h = {.kind = BUS_JSON, .arrival_ns = io_now_ns()};
	struct buf b = {0};
	uint8_t head[BUSHDR_BYTES];

	s->stats.refused++;
	bushdr_write(head, &h);
	buf_put(&b, head, sizeof(head));
	if (o && !json_write(o, &b) && !b.err)
		(void)!send(fd, b.data, b.len, MSG_DONTWAIT | MSG_NOSIGNAL);
	json_decref(o);
	buf_free(&b);
	close(fd);
}

static void ready(void *arg, int listening, unsigned events)
{
	struct bus_server *s = arg;

	(void)events;
	for (int i = 0; i < ACCEPT_BATCH; i++) {
		int fd = io_accept(listening, NULL);

		if (fd == -EAGAIN)
			return;
		if (fd < 0) {
			/* No descriptors or memory: not to spin on it. */
			io_watch_set(s->watch, 0);
			io_timer_in(s->again, AGAIN_MS);
			return;
		}
		if (s->n_peers >= s->cfg.max_peers)
			turn_away(s, fd);
		else
			bus_peer_new(s, fd);
	}
}

static void again(void *arg)
{
	struct bus_server *s = arg;

	io_watch_set(s->watch, IO_READ);
}

struct bus_server *bus_server_new(const struct bus_server_config *c)
{
	struct bus_server *s = calloc(1, sizeof(*s));
	int err;

	if (!s)
		return NULL;
	s->cfg = *c;
	if (!s->cfg.max_peers)
		s->cfg.max_peers = BUS_MAX_PEERS;
	if (!s->cfg.hello_ms)
		s->cfg.hello_ms = BUS_HELLO_MS;
	if (!s->cfg.queue_bytes)
		s->cfg.queue_bytes = BUS_QUEUE_BYTES;
	if (!s->cfg.queue_count)
		s->cfg.queue_count = BUS_QUEUE_COUNT;
	list_init(&s->peers);
	s->fd = -1;
	err = str_copy(s->path, sizeof(s->path), c->path);
	if (!err)
		s->fd = io_seqpacket_listen(c->path, c->mode, c->gid);
	if (s->fd < 0) {
		err = err ? err : s->fd;
		s->path[0] = '\0'; /* not ours to remove */
		goto fail;
	}
	err = -ENOMEM;
	s->again = io_timer_new(c->loop, again, s);
	s->watch = io_watch_new(c->loop, s->fd, IO_READ, ready, s);
	if (s->again && s->watch)
		return s;
fail:
	bus_server_free(s);
	errno = -err;
	return NULL;
}

void bus_server_free(struct bus_server *s)
{
	if (!s)
		return;
	list_each(l, next, &s->peers)
		bus_peer_free(list_entry(l, struct bus_peer, link));
	io_watch_free(s->watch);
	io_timer_free(s->again);
	if (s->path[0])
		unlink(s->path);
	if (s->fd >= 0)
		close(s->fd);
	free(s);
}

const struct bus_stats *bus_server_stats(const struct bus_server *s)
{
	return &s->stats;
}

unsigned bus_server_peers(const struct bus_server *s)
{
	return s->n_peers;
}
