/* bus_world - a bus server and clients in one process, on a real socket. What
 * the server and the client "main" are told goes into logs, as words.
 */
#ifndef BUS_WORLD_H
#define BUS_WORLD_H

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base.h"
#include "bus.h"
#include "hex.h"
#include "io.h"
#include "wire.h"

static struct world {
	struct io_loop *loop;
	struct io_timer *pass;
	char dir[64], path[96];
	struct bus_server_config cfg;
	struct bus_server *server;
	struct bus_peer *peers[300]; /* in order of welcome; NULL: gone */
	unsigned n_peers;
	struct buf said;  /* what the server was told */
	struct buf heard; /* what clients were told */
	const char *publish_kind; /* refuses tracks, if set */
	/* Called by the server's callbacks, if set. */
	void (*on_hello)(struct bus_peer *p);
	void (*on_packet)(struct bus_peer *p, unsigned track,
		const struct bus_packet *k);
	void (*on_publish)(struct bus_peer *p, unsigned track);
	struct bus_hello last_hello; /* numbers only */
	int fds;
} w;

static inline int count_fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	int n = 0;

	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

/* ---- the server's side ---- */

static inline int w_hello(void *arg, struct bus_peer *p,
	const struct bus_hello *h, struct bus_answer *out)
{
	(void)arg;
	w.last_hello = *h;
	buf_printf(&w.said, "hello(%s,%s,%s", h->ticket ? h->ticket : "-",
		h->room ? h->room : "-", h->endpoint ? h->endpoint : "-");
	for (size_t i = 0; i < h->n_publish; i++)
		buf_printf(&w.said, ",%s", h->publish[i]);
	buf_puts(&w.said, h->receive ? ",receive) " : ") ");
	if (w.on_hello)
		w.on_hello(p);
	if (h->ticket && str_eq(h->ticket, "forged")) {
		out->message = "no such ticket";
		return -EACCES;
	}
	out->room = h->room ? h->room : "hall";
	out->endpoint = h->endpoint ? h->endpoint : "e_ada";
	return 0;
}

static inline void w_ready(void *arg, struct bus_peer *p)
{
	(void)arg;
	w.peers[w.n_peers++] = p;
	buf_puts(&w.said, "ready ");
}

static inline int w_publish(void *arg, struct bus_peer *p,
	const struct bus_track *t, struct bus_answer *out)
{
	(void)arg;
	buf_printf(&w.said, "publish(%u,%s,%s,%s) ", t->track, t->endpoint,
		t->source, bus_codec_name(t->codec));
	if (w.on_publish)
		w.on_publish(p, t->track);
	out->kind = w.publish_kind;
	out->message = "not this";
	return w.publish_kind ? -EACCES : 0;
}

static inline void w_unpublish(void *arg, struct bus_peer *p, unsigned track)
{
	(void)arg;
	(void)p;
	buf_printf(&w.said, "unpublish(%u) ", track);
}

static inline void w_packet(void *arg, struct bus_peer *p, unsigned track,
	const struct bus_packet *k)
{
	(void)arg;
	if (w.on_packet) {
		w.on_packet(p, track, k);
		return;
	}
	buf_printf(&w.said, "%s(%u,%u%s) ", k->kind == BUS_RTP ? "rtp" : "rtcp",
		track, k->rtp.seq, k->key ? ",key" : "");
}

static inline void w_keyframe(void *arg, struct bus_peer *p, unsigned track)
{
	(void)arg;
	(void)p;
	buf_printf(&w.said, "keyframe(%u) ", track);
}

static inline void w_lost(void *arg, struct bus_peer *p, unsigned track,
	const uint16_t *seqs, size_t n)
{
	(void)arg;
	(void)p;
	buf_printf(&w.said, "lost(%u", track);
	for (size_t i = 0; i < n; i++)
		buf_printf(&w.said, ",%u", seqs[i]);
	buf_puts(&w.said, ") ");
}

static inline void w_want(void *arg, struct bus_peer *p,
	const struct bus_want *x, size_t n)
{
	(void)arg;
	(void)p;
	buf_puts(&w.said, "want(");
	for (size_t i = 0; i < n; i++)
		buf_printf(&w.said, "%s %s %u%s;", x[i].endpoint, x[i].source,
			x[i].height, x[i].stage ? " stage" : "");
	buf_puts(&w.said, ") ");
}

static inline void w_close(void *arg, struct bus_peer *p, int err)
{
	(void)arg;
	for (unsigned i = 0; i < w.n_peers; i++)
		if (w.peers[i] == p)
			w.peers[i] = NULL;
	buf_printf(&w.said, "close(%d) ", err);
}

static const struct bus_server_events w_events = {
	.on_hello = w_hello,
	.on_ready = w_ready,
	.on_publish = w_publish,
	.on_unpublish = w_unpublish,
	.on_packet = w_packet,
	.on_keyframe = w_keyframe,
	.on_lost = w_lost,
	.on_want = w_want,
	.on_close = w_close,
};

/* ---- the client's side: arg is its name ---- */

static inline void c_welcome(void *arg, const char *room,
	const char *endpoint)
{
	buf_printf(&w.heard, "%swelcome(%s,%s) ", (char *)arg, room, endpoint);
}

static inline void c_refused(void *arg, const char *kind, const char *message)
{
	buf_printf(&w.heard, "%srefused(%s,%s) ", (char *)arg, kind, message);
}

static inline void c_track(void *arg, const struct bus_track *t)
{
	buf_printf(&w.heard, "%strack(%u,%s,%s,%s,%u) ", (char *)arg, t->track,
		t->endpoint, t->source, bus_codec_name(t->codec), t->ssrc);
}

static inline void c_end(void *arg, unsigned track)
{
	buf_printf(&w.heard, "%send(%u) ", (char *)arg, track);
}

static inline void c_packet(void *arg, unsigned track,
	const struct bus_packet *k)
{
	buf_printf(&w.heard, "%s%s(%u,%u%s%s) ", (char *)arg,
		k->kind == BUS_RTP ? "rtp" : "rtcp", track, k->rtp.seq,
		k->key ? ",key" : "", k->flags & BUS_RESENT ? ",again" : "");
}

static inline void c_dropped(void *arg, unsigned track, unsigned frames,
	unsigned packets)
{
	buf_printf(&w.heard, "%sdropped(%u,%u,%u) ", (char *)arg, track, frames,
		packets);
}

static inline void c_keyframe(void *arg, unsigned track)
{
	buf_printf(&w.heard, "%skeyframe(%u) ", (char *)arg, track);
}

static inline void c_track_refused(void *arg, unsigned track, const char *kind,
	const char *message)
{
	buf_printf(&w.heard, "%strack_refused(%u,%s,%s) ", (char *)arg, track,
		kind, message);
}

static inline void c_close(void *arg, int err)
{
	buf_printf(&w.heard, "%sclose(%d) ", (char *)arg, err);
}

static const struct bus_client_events c_events = {
	.on_welcome = c_welcome,
	.on_refused = c_refused,
	.on_track = c_track,
	.on_end = c_end,
	.on_packet = c_packet,
	.on_dropped = c_dropped,
	.on_keyframe = c_keyframe,
	.on_track_refused = c_track_refused,
	.on_close = c_close,
};

static inline struct bus_client *client_of(const char *ticket,
	const struct bus_client_events *ev, const char *name)
{
	struct bus_client_config k = {.loop = w.loop, .path = w.path,
		.ticket = ticket, .events = ev,
		.arg = (void *)(uintptr_t)name};
	struct bus_client *c = bus_client_new(&k);

	assert_non_null(c);
	return c;
}

/* ---- time ---- */

static inline void stop_loop(void *arg)
{
	(void)arg;
	io_loop_stop(w.loop, 0);
}

static inline void spin(uint64_t ms)
{
	io_timer_in(w.pass, ms);
	io_loop_run(w.loop);
}

/* Runs the loop until cond holds, at most 10 s. */
#define UNTIL(cond)                                                     \
	do {                                                            \
		uint64_t end_ = io_now_ns() + 10 * NS_PER_S;            \
		while (!(cond) && io_now_ns() < end_)                   \
			spin(1);                                        \
		assert_true(cond);                                      \
	} while (0)

/* The log has it; what was before is forgotten. */
static inline void assert_log(struct buf *b, const char *want)
{
	uint64_t end = io_now_ns() + 10 * NS_PER_S;

	while (!str_eq(b->len ? buf_cstr(b) : "", want) && io_now_ns() < end)
		spin(1);
	assert_string_equal(b->len ? buf_cstr(b) : "", want);
	buf_clear(b);
}

/* ---- a world for each test; descriptors are counted ---- */

static inline int world_open(void **state)
{
	(void)state;
	w = (struct world){.fds = count_fds()};
	snprintf(w.dir, sizeof(w.dir), "/tmp/confkit-bus-XXXXXX");
	assert_non_null(mkdtemp(w.dir));
	snprintf(w.path, sizeof(w.path), "%s/relay-0.bus", w.dir);
	w.loop = io_loop_new();
	w.pass = io_timer_new(w.loop, stop_loop, NULL);
	w.cfg = (struct bus_server_config){.loop = w.loop, .path = w.path,
		.mode = 0600, .gid = (gid_t)-1, .events = &w_events};
	return 0;
}

static inline void serve(void)
{
	w.server = bus_server_new(&w.cfg);
	assert_non_null(w.server);
}

static inline int world_close(void **state)
{
	(void)state;
	bus_server_free(w.server);
	io_timer_free(w.pass);
	io_loop_free(w.loop);
	buf_free(&w.said);
	buf_free(&w.heard);
	unlink(w.path);
	rmdir(w.dir);
	return count_fds() == w.fds ? 0 : -1;
}

/* ---- packets ---- */

/* An Opus packet of 2 bytes, or a VP8 packet: 'K' begins a key frame, 'S'
 * another, '.' goes on; '|' behind it is the marker. At least size bytes in
 * all. */
struct made {
	struct bus_packet k;
	uint8_t mem[BUS_MAX_PACKET];
};

static inline struct bus_packet *make(struct made *m, enum bus_codec codec,
	uint16_t seq, uint32_t ts, const char *what, size_t size)
{
	static const uint8_t key[] = {0x10, 0x10, 2, 0, 0x9d, 1, 0x2a, 0x80, 2,
		0x68, 1};
	struct rtp h = {.pt = 96, .seq = seq, .ts = ts, .ssrc = 4711,
		.marker = what[1] == '|'};
	size_t n = (size_t)rtp_write(m->mem, sizeof(m->mem), &h);

	memset(m->mem + n, 0, sizeof(m->mem) - n);
	m->mem[n] = codec == BUS_OPUS ? 0xfc : *what == '.' ? 0 : 0x10;
	m->mem[n + 1] = 0x11;
	if (*what == 'K' && codec == BUS_VP8)
		memcpy(m->mem + n, key, sizeof(key));
	n = MAX(size, n + (*what == 'K' ? sizeof(key) : 2));
	assert_int_equal(bus_packet_rtp(&m->k, codec, m->mem, n, io_now_ns()),
		0);
	return &m->k;
}

static inline int send_to(struct bus_peer *p, unsigned track,
	enum bus_codec codec, uint16_t seq, uint32_t ts, const char *what)
{
	struct made m;
	int rc = bus_peer_send(p, track, make(&m, codec, seq, ts, what, 0));

	bus_packet_done(&m.k);
	return rc;
}

static inline int send_from(struct bus_client *c, unsigned track,
	enum bus_codec codec, uint16_t seq, uint32_t ts, const char *what)
{
	struct made m;
	int rc = bus_client_send(c, track, make(&m, codec, seq, ts, what, 0));

	bus_packet_done(&m.k);
	return rc;
}

#endif
