#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "bus_link_priv.h"

#define SEND_BUFFER  (4 << 20)
#define READ_BATCH   64 /* messages, before others have their turn */
#define TICK_MS      10 /* while something waits */
#define TELL_NS      (100 * NS_PER_MS) /* drops, when no packet comes */
#define ASK_NS       NS_PER_S /* for a key frame, again */

/* ---- how long what was sent has been unread ---- */

/* What the kernel counts for a message: its bytes and their book-keeping in
 * a power of two, and a head. Only ratios matter here: an error in it makes
 * ages wrong by as much, and an empty socket sets all right. */
static size_t true_size(size_t len)
{
	size_t n = 512;

	while (n < len + 320)
		n *= 2;
	return n + 256;
}

static struct bus_ledger_slot *slot(struct bus_ledger *g, unsigned i)
{
	return &g->slots[(g->first + i) % LEDGER_SLOTS];
}

static void ledger_give(struct bus_link *l, size_t len, uint64_t now_ns)
{
	struct bus_ledger *g = &l->ledger;

	g->given += true_size(len);
	g->last_ns = now_ns;
	if (!g->n || (g->n < LEDGER_SLOTS && now_ns - slot(g, g->n - 1)->from_ns
			>= l->limit_ns / LEDGER_SLOTS))
		slot(g, g->n++)->from_ns = now_ns;
	slot(g, g->n - 1)->upto = g->given;
}

static void ledger_refresh(struct bus_link *l)
{
	struct bus_ledger *g = &l->ledger;
	int left;

	if (g->n && ioctl(l->fd, SIOCOUTQ, &left))
		left = 0; /* not to be known: the buffer's size must do */
	while (g->n && (left <= 0 ||
		slot(g, 0)->upto + (uint64_t)left <= g->given)) {
		g->first = (g->first + 1) % LEDGER_SLOTS;
		g->n--;
	}
}

/* Has the oldest unread message waited longer than half of the limit? */
static bool stuck(struct bus_link *l, uint64_t now_ns)
{
	struct bus_ledger *g = &l->ledger;

	if (!g->n || now_ns - slot(g, 0)->from_ns <= l->limit_ns / 2)
		return false;
	ledger_refresh(l);
	return g->n && now_ns - slot(g, 0)->from_ns > l->limit_ns / 2;
}

/* What the socket does not hold of the limit, the queue may. */
static void share_limit(struct bus_link *l)
{
	struct bus_ledger *g = &l->ledger;
	uint64_t span = g->n ? g->last_ns - slot(g, 0)->from_ns : 0;

	l->queue.age_ns = l->limit_ns - MIN(span, l->limit_ns / 2);
}

/* ---- sending ---- */

static void arm(struct bus_link *l, uint64_t now_ns, uint64_t in_ms)
{
	uint64_t at = now_ns + in_ms * NS_PER_MS;

	if (at >= l->tick_ns || l->closed)
		return;
	l->tick_ns = at;
	io_timer_at(l->tick, at);
}

void bus_link_watch(struct bus_link *l)
{
	io_watch_set(l->watch, l->closed ? 0
		: (l->paused ? 0 : IO_READ) | (l->writing ? IO_WRITE : 0));
}

static void hang_up(void *arg);

/* A write failed. It is told from the loop, not from inside a send. */
static int broke(struct bus_link *l, int err)
{
	if (!l->broken) {
		l->broken = err;
		io_defer(l->loop, hang_up, l);
	}
	return -EPIPE;
}

static int transmit(struct bus_link *l, const struct bushdr *h,
	const void *body, size_t len, uint64_t now_ns)
{
	uint8_t head[BUSHDR_BYTES];
	struct iovec iov[] = {{head, sizeof(head)},
		{(void *)(uintptr_t)body, len}};
	struct msghdr m = {.msg_iov = iov, .msg_iovlen = 2};
	ssize_t n;

	bushdr_write(head, h);
	do
		n = sendmsg(l->fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	if (n < 0) {
		if (errno == EAGAIN || errno == ENOBUFS || errno == ENOMEM)
			return -EAGAIN;
		return broke(l, -errno);
	}
	ledger_give(l, sizeof(head) + len, now_ns);
	if (h->kind != BUS_JSON) {
		l->stats->packets_out++;
		l->stats->bytes_out += len;
	}
	return 0;
}

/* Tells how much of a track was dropped. */
static int tell_drops(struct bus_link *l, struct bus_flow *f, uint64_t now_ns)
{
	struct bushdr h = {.kind = BUS_JSON, .arrival_ns = now_ns};
	char text[96];
	int n, rc;

	if (!f->packets)
		return 0;
	n = snprintf(text, sizeof(text),
		"{\"dropped\":{\"track\":%u,\"frames\":%u,\"packets\":%u}}",
		f->track, f->frames, f->packets);
	rc = transmit(l, &h, text, (size_t)n, now_ns);
	if (!rc)
		f->frames = f->packets = 0;
	return rc;
}

static int send_entry(struct bus_link *l, struct bus_entry *e,
	uint64_t now_ns)
{
	struct bushdr h = {.kind = e->kind, .flags = e->flags,
		.track = e->flow && e->kind != BUS_JSON ? e->flow->track : 0,
		.arrival_ns = e->kind == BUS_JSON ? now_ns : e->arrival_ns};
	int rc = 0;

	if (e->last || (e->framed && !bus_queue_goes_on(e->flow, e->ts)))
		rc = tell_drops(l, e->flow, now_ns);
	return rc ? rc : transmit(l, &h, e->body->data, e->body->len, now_ns);
}

static void flush(struct bus_link *l, uint64_t now_ns)
{
	struct bus_entry *e;
	int rc = 0;

	share_limit(l);
	bus_queue_expire(&l->queue, now_ns);
	while (!l->broken && (e = bus_queue_head(&l->queue)) &&
		!stuck(l, now_ns)) {
		rc = send_entry(l, e, now_ns);
		if (rc)
			break;
		bus_queue_pop(&l->queue);
	}
	l->writing = rc == -EAGAIN;
	bus_link_watch(l);
	if (bus_queue_head(&l->queue))
		arm(l, now_ns, TICK_MS);
}

/* Something could not go out at once. */
static void wait_to_send(struct bus_link *l, bool full, uint64_t now_ns)
{
	if (full && !l->writing) {
		l->writing = true;
		bus_link_watch(l);
	}
	arm(l, now_ns, TICK_MS);
}

int bus_link_send(struct bus_link *l, unsigned track, struct bus_packet *p)
{
	struct bus_flow *f = bus_queue_flow(&l->queue, track);
	struct bushdr h = {.kind = p->kind, .track = (uint16_t)track,
		.flags = p->flags, .arrival_ns = p->arrival_ns};
	uint64_t now_ns = io_now_ns();
	int rc = 0;

	if (l->closed || l->broken)
		return -EPIPE;
	if (!f || f->ending)
		return -ENOENT;
	if (!bus_queue_head(&l->queue) && bus_queue_passes(f, p) &&
		!stuck(l, now_ns)) {
		if (!bus_queue_goes_on(f, p->rtp.ts))
			rc = tell_drops(l, f, now_ns);
		if (!rc)
			rc = transmit(l, &h, p->data, p->len, now_ns);
		if (!rc)
			bus_queue_sent(f, p);
		if (rc != -EAGAIN)
			return rc;
	}
	share_limit(l);
	wait_to_send(l, rc == -EAGAIN, now_ns);
	return bus_queue_put(&l->queue, f, p, now_ns);
}

int bus_link_json(struct bus_link *l, struct bus_flow *f, bool last,
	json_t *json)
{
	struct bushdr h = {.kind = BUS_JSON, .arrival_ns = io_now_ns()};
	struct buf b = {0};
	int rc = json ? json_write(json, &b) : -ENOMEM;

	json_decref(json);
	if (!rc && b.len > BUS_MAX_JSON - BUSHDR_BYTES)
		rc = -EMSGSIZE;
	if (!rc && (l->closed || l->broken))
		rc = -EPIPE;
	if (rc)
		goto out;
	rc = -EAGAIN;
	if (!bus_queue_head(&l->queue)) {
		rc = last ? tell_drops(l, f, h.arrival_ns) : 0;
		if (!rc)
			rc = transmit(l, &h, b.data, b.len, h.arrival_ns);
		if (!rc && last)
			bus_queue_close(&l->queue, f);
	}
	if (rc == -EAGAIN) {
		rc = bus_queue_put_json(&l->queue, f, last,
			bus_body_new(b.data, b.len));
		if (rc == -ENOBUFS)
			rc = broke(l, rc);
		else if (!rc && last)
			f->ending = true;
		wait_to_send(l, true, h.arrival_ns);
	}
out:
	if (rc == -ENOMEM && !l->closed)
		broke(l, rc);
	buf_free(&b);
	return rc;
}

void bus_link_last_word(struct bus_link *l, json_t *json)
{
	struct bushdr h = {.kind = BUS_JSON, .arrival_ns = io_now_ns()};
	struct buf b = {0};

	if (json && !l->closed && !json_write(json, &b) &&
		b.len <= BUS_MAX_JSON - BUSHDR_BYTES)
		transmit(l, &h, b.data, b.len, h.arrival_ns);
	json_decref(json);
	buf_free(&b);
}

int bus_link_open_track(struct bus_link *l, struct bus_track *t,
	json_t *(*say)(const struct bus_track *t))
{
	int rc, n = bus_queue_free_number(&l->queue);

	if (n < 0)
		return n;
	if (l->closed || l->broken)
		return -EPIPE;
	t->track = (unsigned)n;
	rc = bus_queue_open(&l->queue, t->track, t->codec);
	if (rc)
		return rc;
	rc = bus_link_json(l, NULL, false, say(t));
	if (!rc)
		return n;
	bus_queue_close(&l->queue, bus_queue_flow(&l->queue, t->track));
	return rc;
}

void bus_link_end_track(struct bus_link *l, unsigned track)
{
	struct bus_flow *f = bus_queue_flow(&l->queue, track);

	if (f && !f->ending)
		bus_link_json(l, f, true, bus_msg_of_track("end", track));
}

/* ---- time ---- */

static struct bus_flow *wants_key(struct bus_link *l, uint64_t now_ns)
{
	list_each(at, next, &l->queue.flows) {
		struct bus_flow *f = list_entry(at, struct bus_flow, link);

		if (f->wait_key && !f->ending &&
			(!f->asked_ns || now_ns - f->asked_ns >= ASK_NS))
			return f;
	}
	return NULL;
}

/* Drops of tracks that send nothing now. True if some are still to tell. */
static bool tell_late(struct bus_link *l, uint64_t now_ns)
{
	bool left = false;

	list_each(at, next, &l->queue.flows) {
		struct bus_flow *f = list_entry(at, struct bus_flow, link);

		if (f->packets && now_ns - f->since_ns >= TELL_NS &&
			!bus_queue_head(&l->queue) && !stuck(l, now_ns))
			tell_drops(l, f, now_ns);
		left = left || f->packets || f->wait_key;
	}
	return left;
}

static void tick(void *arg)
{
	struct bus_link *l = arg;
	uint64_t now_ns = io_now_ns();
	struct bus_flow *f;
	bool freed = false;

	l->tick_ns = UINT64_MAX;
	if (l->closed || l->broken)
		return;
	ledger_refresh(l);
	flush(l, now_ns);
	l->freed = &freed;
	while (!l->closed && (f = wants_key(l, now_ns))) {
		f->asked_ns = now_ns;
		l->ev->on_keyframe(l->arg, f->track);
		if (freed)
			return;
	}
	l->freed = NULL;
	if (tell_late(l, now_ns))
		arm(l, now_ns, 5 * TICK_MS);
}

/* ---- life ---- */

static void ready(void *arg, int fd, unsigned events)
{
	struct bus_link *l = arg;

	(void)fd;
	if (events & IO_WRITE)
		flush(l, io_now_ns());
	if (events & IO_READ)
		bus_link_receive(l, READ_BATCH);
}

/* What the other end said before it left is still heard. */
static void hang_up(void *arg)
{
	struct bus_link *l = arg;

	if (bus_link_receive(l, UINT32_MAX))
		bus_link_close_with(l, l->broken);
}

int bus_link_open(struct bus_link *l, struct io_loop *loop, int fd,
	const struct bus_link_events *ev, void *arg)
{
	int size = SEND_BUFFER;

	l->loop = loop;
	l->fd = fd;
	l->ev = ev;
	l->arg = arg;
	l->tick_ns = UINT64_MAX;
	bus_queue_init(&l->queue, l->stats);
	bus_link_limit(l, BUS_QUEUE_MS);
	/* FORCE goes past net.core.wmem_max for root; else what is allowed. */
	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)))
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	l->tick = io_timer_new(loop, tick, l);
	l->watch = io_watch_new(loop, fd, IO_READ, ready, l);
	if (l->tick && l->watch)
		return 0;
	bus_link_shut(l);
	return -ENOMEM;
}

void bus_link_shut(struct bus_link *l)
{
	if (l->freed)
		*l->freed = true;
	l->freed = NULL;
	l->closed = true;
	if (l->fd < 0)
		return;
	io_undefer(l->loop, hang_up, l);
	io_timer_free(l->tick);
	io_watch_free(l->watch);
	close(l->fd);
	l->fd = -1;
	bus_queue_free(&l->queue);
	free(l->in);
	l->in = NULL;
	l->n_in = 0;
}

void bus_link_pause(struct bus_link *l, bool paused)
{
	l->paused = paused;
	bus_link_watch(l);
}

void bus_link_limit(struct bus_link *l, unsigned ms)
{
	l->limit_ns = ms * NS_PER_MS;
	share_limit(l);
}
