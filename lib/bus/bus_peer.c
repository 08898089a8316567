/* One program on the bus, as the relay sees it. */
#include <unistd.h>

#include "bus_peer_priv.h"

/* ---- hello ---- */

static int welcome(struct bus_peer *p, const struct bus_answer *a)
{
	struct bus_server *s = p->server;

	if (str_copy(p->room, sizeof(p->room), a->room) ||
		str_copy(p->endpoint, sizeof(p->endpoint), a->endpoint))
		return -ENAMETOOLONG;
	p->user = a->user;
	p->welcome = true;
	io_timer_free(p->hello);
	p->hello = NULL;
	/* If it has left already, its end is still to be told. */
	bus_link_json(&p->bus, NULL, false, json_pack("{s:{s:s, s:s}}",
		"welcome", "room", p->room, "endpoint", p->endpoint));
	s->cfg.events->on_ready(s->cfg.arg, p);
	return 0;
}

static int decide(struct bus_peer *p, const struct bus_hello *h)
{
	struct bus_server *s = p->server;
	struct bus_answer a = {0};
	bool gone = false;
	int rc;

	p->gone = &gone;
	rc = s->cfg.events->on_hello(s->cfg.arg, p, h, &a);
	if (gone)
		return 0;
	p->gone = NULL;
	if (!rc)
		return welcome(p, &a);
	s->stats.refused++;
	bus_peer_close(p, a.kind ? a.kind : "denied", a.message);
	return 0;
}

static int hello(struct bus_peer *p, const struct bus_msg *m)
{
	struct bus_hello h = {.ticket = m->ticket, .room = m->room,
		.endpoint = m->endpoint, .receive = m->receive};
	const char **sources = NULL;
	int rc;

	if (m->say != BUS_SAY_TICKET && m->say != BUS_SAY_OPEN)
		return -EBADMSG;
	h.n_publish = json_array_size(m->list);
	if (h.n_publish) {
		sources = calloc(h.n_publish, sizeof(*sources));
		if (!sources)
			return -ENOMEM;
	}
	for (size_t i = 0; i < h.n_publish; i++)
		sources[i] = bus_msg_source(m, i);
	h.publish = sources;
	if (io_peercred(p->bus.fd, &h.pid, &h.uid, &h.gid)) {
		h.uid = (uid_t)-1;
		h.gid = (gid_t)-1;
	}
	rc = decide(p, &h);
	free(sources);
	return rc;
}

static void hello_late(void *arg)
{
	bus_link_close_with(&((struct bus_peer *)arg)->bus, -ETIMEDOUT);
}

/* ---- messages ---- */

static int on_publish(struct bus_peer *p, const struct bus_msg *m)
{
	struct bus_server *s = p->server;
	struct bus_track t = m->track;
	struct bus_answer a = {0};
	bool gone = false;
	int rc;

	if (bus_link_in(&p->bus, t.track) != BUS_IN_NONE)
		return -EBADMSG;
	t.endpoint = p->endpoint;
	rc = bus_link_take(&p->bus, t.track,
		t.codec == BUS_VP8 ? BUS_IN_VP8 : BUS_IN_OPUS);
	if (rc)
		return rc;
	p->gone = &gone;
	rc = s->cfg.events->on_publish(s->cfg.arg, p, &t, &a);
	if (gone)
		return 0;
	p->gone = NULL;
	if (rc)
		bus_peer_refuse_track(p, t.track, a.kind, a.message);
	return 0;
}

static int on_end(struct bus_peer *p, const struct bus_msg *m)
{
	struct bus_server *s = p->server;
	enum bus_in in = bus_link_in(&p->bus, m->track.track);

	if (in == BUS_IN_NONE)
		return -EBADMSG;
	bus_link_take(&p->bus, m->track.track, BUS_IN_NONE);
	if (in != BUS_IN_IGNORED)
		s->cfg.events->on_unpublish(s->cfg.arg, p, m->track.track);
	return 0;
}

/* A track of ours, unless it has ended meanwhile. */
static bool is_ours(const struct bus_peer *p, const struct bus_msg *m)
{
	const struct bus_flow *f =
		bus_queue_flow(&p->bus.queue, m->track.track);

	return f && !f->ending;
}

static int on_lost(struct bus_peer *p, const struct bus_msg *m)
{
	struct bus_server *s = p->server;
	uint16_t seqs[BUS_MAX_LOST];
	size_t n = json_array_size(m->list);

	for (size_t i = 0; i < n; i++)
		seqs[i] = bus_msg_seq(m, i);
	if (n && is_ours(p, m))
		s->cfg.events->on_lost(s->cfg.arg, p, m->track.track, seqs, n);
	return 0;
}

static int on_want(struct bus_peer *p, const struct bus_msg *m)
{
	struct bus_server *s = p->server;
	struct bus_want w[BUS_MAX_WANTS];
	size_t n = json_array_size(m->list);

	for (size_t i = 0; i < n; i++)
		w[i] = bus_msg_want(m, i);
	s->cfg.events->on_want(s->cfg.arg, p, w, n);
	return 0;
}

static int on_say(void *arg, const struct bus_msg *m)
{
	struct bus_peer *p = arg;
	struct bus_server *s = p->server;

	if (!p->welcome)
		return hello(p, m);
	switch (m->say) {
	case BUS_SAY_PUBLISH:
		return on_publish(p, m);
	case BUS_SAY_END:
		return on_end(p, m);
	case BUS_SAY_KEYFRAME:
		if (is_ours(p, m))
			s->cfg.events->on_keyframe(s->cfg.arg, p,
				m->track.track);
		return 0;
	case BUS_SAY_LOST:
		return on_lost(p, m);
	case BUS_SAY_QUEUE_MS:
		bus_link_limit(&p->bus, m->queue_ms);
		return 0;
	case BUS_SAY_WANT:
		return on_want(p, m);
	case BUS_SAY_DROPPED: /* by the writer's own queue */
	case BUS_SAY_OTHER:
		return 0;
	default: /* words of the relay's own */
		return -EBADMSG;
	}
}

static void on_packet(void *arg, unsigned track, const struct bus_packet *k)
{
	struct bus_peer *p = arg;
	struct bus_server *s = p->server;
	struct bus_packet mine = *k;

	/* When it came is for us to say, as with every other sender. */
	mine.arrival_ns = io_now_ns();
	s->cfg.events->on_packet(s->cfg.arg, p, track, &mine);
}

static void on_keyframe(void *arg, unsigned track)
{
	struct bus_peer *p = arg;

	p->server->cfg.events->on_keyframe(p->server->cfg.arg, p, track);
}

/* True if the callback closed the peer itself. */
static bool tell_close(struct bus_peer *p, int err)
{
	struct bus_server *s = p->server;
	bool gone = false;

	p->gone = &gone;
	s->cfg.events->on_close(s->cfg.arg, p, err);
	if (gone)
		return true;
	p->gone = NULL;
	return false;
}

static void on_closed(void *arg, int err)
{
	struct bus_peer *p = arg;

	if (!p->welcome || !tell_close(p, err))
		bus_peer_free(p);
}

/* ---- life ---- */

int bus_peer_new(struct bus_server *s, int fd)
{
	static const struct bus_link_events events = {
		.on_say = on_say,
		.on_packet = on_packet,
		.on_keyframe = on_keyframe,
		.on_closed = on_closed,
	};
	struct bus_peer *p = calloc(1, sizeof(*p));

	if (!p) {
		close(fd);
		return -ENOMEM;
	}
	p->server = s;
	p->bus.stats = &s->stats;
	p->bus.scratch = s->scratch;
	list_append(&s->peers, &p->link);
	s->n_peers++;
	p->hello = io_timer_new(s->cfg.loop, hello_late, p);
	if (bus_link_open(&p->bus, s->cfg.loop, fd, &events, p) || !p->hello) {
		bus_peer_free(p);
		return -ENOMEM;
	}
	p->bus.queue.max_bytes = s->cfg.queue_bytes;
	p->bus.queue.max_count = s->cfg.queue_count;
	io_timer_in(p->hello, s->cfg.hello_ms);
	return 0;
}

void bus_peer_free(struct bus_peer *p)
{
	if (p->gone)
		*p->gone = true;
	list_remove(&p->link);
	p->server->n_peers--;
	io_timer_free(p->hello);
	bus_link_shut(&p->bus);
	free(p);
}

void bus_peer_close(struct bus_peer *p, const char *kind, const char *message)
{
	if (kind)
		bus_link_last_word(&p->bus,
			bus_msg_refused(-1, kind, message));
	bus_peer_free(p);
}

void *bus_peer_user(const struct bus_peer *p)
{
	return p->user;
}

const char *bus_peer_room(const struct bus_peer *p)
{
	return p->room;
}

const char *bus_peer_endpoint(const struct bus_peer *p)
{
	return p->endpoint;
}

/* ---- tracks ---- */

int bus_peer_open_track(struct bus_peer *p, const struct bus_track *t)
{
	struct bus_track copy = *t;

	if (!bus_is_word(t->endpoint, BUS_ID_CAP) ||
		!bus_is_word(t->source, BUS_SOURCE_CAP))
		return -EINVAL;
	return bus_link_open_track(&p->bus, &copy, bus_msg_track);
}

void bus_peer_end_track(struct bus_peer *p, unsigned track)
{
	bus_link_end_track(&p->bus, track);
}

void bus_peer_purge_track(struct bus_peer *p, unsigned track)
{
	struct bus_flow *f = bus_queue_flow(&p->bus.queue, track);

	if (f)
		bus_queue_purge(&p->bus.queue, f, io_now_ns());
}

int bus_peer_send(struct bus_peer *p, unsigned track, struct bus_packet *k)
{
	return bus_link_send(&p->bus, track, k);
}

void bus_peer_ask_keyframe(struct bus_peer *p, unsigned track)
{
	enum bus_in in = bus_link_in(&p->bus, track);

	if (in == BUS_IN_VP8)
		bus_link_json(&p->bus, NULL, false,
			bus_msg_of_track("keyframe", track));
}

void bus_peer_refuse_track(struct bus_peer *p, unsigned track,
	const char *kind, const char *message)
{
	if (bus_link_in(&p->bus, track) == BUS_IN_NONE)
		return;
	bus_link_take(&p->bus, track, BUS_IN_IGNORED);
	bus_link_json(&p->bus, NULL, false,
		bus_msg_refused((int)track, kind, message));
}
