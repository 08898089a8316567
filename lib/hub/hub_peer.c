/* Connections: accepting, sending, and every way in which they end. */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>
#include "hub_priv.h"

/* A relay lists all that it holds, and is told as much. */
#define WORKER_MAX_IN  (16u << 20)
#define WORKER_MAX_OUT (64u << 20)
#define ACCEPT_BATCH  64
#define RESUME_MS     100
#define WARNINGS_MAX  10 /* lines of log about peers, a second */

/* --- Sending -------------------------------------------------------------- */

static int peer_write(void *arg, const void *bytes, size_t n)
{
	struct peer *p = arg;

	if (p->gone)
		return -EPIPE;
	p->sent += n;
	return p->ws ? web_ws_send(p->ws, bytes, n) :
		io_stream_send(p->stream, bytes, n);
}

size_t peer_queued(const struct peer *p)
{
	return p->ws ? web_ws_queued(p->ws) :
		p->stream ? io_stream_queued(p->stream) : 0;
}

struct meet_actor peer_actor(const struct peer *p)
{
	return (struct meet_actor){
		.party = p->kind == PEER_OP ? MEET_OP :
			p->kind == PEER_WEB ? MEET_USER : MEET_WORKER,
		.id = p->id, .link = p->link_id};
}

bool peer_may_warn(struct hub *h)
{
	return h->warnings++ < WARNINGS_MAX;
}

/* --- The ends ------------------------------------------------------------- */

void peer_close(struct peer *p, unsigned code, const char *reason)
{
	if (p->closing)
		return;
	p->closing = true;
	p->close_code = code;
	p->close_reason = reason;
	p->hub->loose = true;
	hub_settle_soon(p->hub);
}

static void peer_gone(struct peer *p)
{
	p->gone = true;
	p->hub->loose = true;
	hub_settle_soon(p->hub);
}

static void count_malformed(struct peer *p, const char *what)
{
	p->hub->malformed++;
	audit(p->hub, &(struct audit){.event = AUDIT_PEER_MALFORMED,
		.peer = p, .reason = what});
	peer_fault(p, GUARD_MALFORMED);
	if (peer_may_warn(p->hub))
		io_log(IO_WARN, "%s: %s, closed (%" PRIu64 " such peers so "
			"far)", p->name, what, p->hub->malformed);
}

void peer_check(struct peer *p)
{
	int err = ctl_broken(p->ctl);

	if (!err || p->closing)
		return;
	if (p->close_code) { /* a hello was refused, see hub_hello */
		peer_close(p, p->close_code, p->close_reason);
		return;
	}
	if (err == -EPROTO || err == -EMSGSIZE)
		count_malformed(p, "malformed message");
	peer_close(p, CLOSE_POLICY, err == -EPIPE ? "does not read" :
		"malformed message");
}

/* No more events to it; and its user is away, unless another connection has
 * taken the seat over. */
static void detach(struct peer *p)
{
	static const struct meet_actor system = {.party = MEET_SYSTEM};
	struct member *m = p->member;

	while (!list_empty(&p->follows))
		follow_free(list_entry(p->follows.next, struct follow,
			peer_link));
	echo_end(p);
	p->member = NULL;
	if (!m || m->peer != p)
		return;
	m->peer = NULL;
	if (m->room->meet && meet_seat(m->room->meet, m->user) &&
		!p->hub->draining)
		hub_decide_quietly(m->room, &system, "user.away",
			json_pack("{s:s}", "user", m->user));
	member_drop(m);
}

static void peer_free(struct peer *p)
{
	list_remove(&p->link);
	if (p->relay)
		relay_lost(p->relay);
	detach(p);
	ctl_free(p->ctl);
	if (p->ws)
		web_ws_close(p->ws, p->close_code ? p->close_code : 1001,
			p->close_reason ? p->close_reason : "");
	if (p->stream && p->gone)
		io_stream_free(p->stream);
	else
		io_stream_finish(p->stream);
	free(p);
}

void peers_reap(struct hub *h)
{
	list_each(l, next, &h->peers) {
		struct peer *p = list_entry(l, struct peer, link);

		if (p->gone || p->closing) {
			peer_free(p);
			continue;
		}
		list_each(k, after, &p->follows) {
			struct follow *f = list_entry(k, struct follow,
				peer_link);

			if (f->ended)
				follow_free(f);
		}
	}
}

void peers_free(struct hub *h)
{
	while (!list_empty(&h->peers))
		peer_free(list_entry(h->peers.next, struct peer, link));
}

void peers_sweep(struct hub *h)
{
	uint64_t now = io_now_ns();

	list_each(l, next, &h->peers) {
		struct peer *p = list_entry(l, struct peer, link);
		size_t queued = peer_queued(p);

		if (!ctl_greeted(p->ctl) && !p->closing &&
			now - p->born_ns > HUB_HELLO_MS * NS_PER_MS) {
			audit(h, &(struct audit){.event = AUDIT_HELLO_MISSING,
				.peer = p});
			peer_fault(p, GUARD_NO_HELLO);
			peer_close(p, CLOSE_POLICY, "no hello");
		}
		if (!p->stream)
			continue; /* web has clocks of its own */
		if (!queued || p->sent - queued != p->seen_sent) {
			p->seen_sent = p->sent - queued;
			p->seen_ns = now;
		} else if (now - p->seen_ns > HUB_STALL_MS * NS_PER_MS) {
			if (peer_may_warn(p->hub))
				io_log(IO_WARN, "%s: does not read, closed",
					p->name);
			peer_gone(p);
		}
	}
}

/* --- Streams -------------------------------------------------------------- */

/* The first bytes say that it is no line of ours, which begins with "{". The
 * connection goes on without the peer. */
static bool is_http(struct peer *p, const uint8_t *bytes, size_t n)
{
	static const char get[] = "GET /", head[] = "HEAD /";
	bool first = !p->heard && p->kind == PEER_OP;

	p->heard = true;
	if (!first || !((n >= 5 && !memcmp(bytes, get, 5)) ||
		(n >= 6 && !memcmp(bytes, head, 6))))
		return false;
	int fd = fcntl(p->fd, F_DUPFD_CLOEXEC, 3);

	if (fd >= 0)
		hub_scrape(p->hub, fd, bytes, n);
	return true;
}

static size_t stream_data(void *arg, const uint8_t *bytes, size_t n)
{
	struct peer *p = arg;

	if (!p->closing && !p->gone && is_http(p, bytes, n)) {
		peer_gone(p);
		return n;
	}
	if (!p->closing && !p->gone && ctl_feed(p->ctl, bytes, n) < 0)
		peer_check(p);
	return n;
}

static void stream_closed(void *arg, int err)
{
	(void)err;
	peer_gone(arg);
}

static void stream_drained(void *arg)
{
	follow_resume(arg);
}

/* --- WebSockets ----------------------------------------------------------- */

static void *socket_opened(void *arg, struct web_ws *ws)
{
	struct hub *h = arg;
	struct peer *p = h->draining ? NULL : hub_peer_new(h, PEER_WEB);

	if (!p)
		return NULL;
	p->ws = ws;
	snprintf(p->name, sizeof(p->name), "websocket %s",
		web_ws_remote(ws));
	return p;
}

static void socket_text(void *arg, const char *text, size_t n)
{
	struct peer *p = arg;

	if (!p->closing && ctl_message(p->ctl, text, n) < 0)
		peer_check(p);
}

static void socket_malformed(void *arg, unsigned code)
{
	struct peer *p = arg;

	if (!p->closing)
		count_malformed(p, code == 1009 ? "oversized message" :
			"malformed frame");
}

static void socket_closed(void *arg)
{
	struct peer *p = arg;

	p->ws = NULL;
	peer_gone(p);
}

static void stranger_refused(void *arg, const union io_addr *from,
	enum web_refusal why, const char *text)
{
	static const struct {
		enum audit_event event;
		int fault;
	} as[] = {
		[WEB_ORIGIN] = {AUDIT_ORIGIN_REFUSED, GUARD_ORIGIN},
		[WEB_SLOW] = {AUDIT_REQUEST_SLOW, GUARD_SLOW},
		[WEB_LIMITED] = {AUDIT_SOURCE_LIMITED, -1},
	};
	struct hub *h = arg;

	audit(h, &(struct audit){.event = as[why].event, .from = from,
		.reason = text});
	if (as[why].fault >= 0)
		hub_fault(h, from, (enum guard_fault)as[why].fault);
}

static bool healthy(void *arg)
{
	const struct hub *h = arg;

	return !h->unwell && !h->refusing && !h->draining;
}

const struct web_events hub_web_events = {
	.on_open = socket_opened,
	.on_text = socket_text,
	.on_malformed = socket_malformed,
	.on_close = socket_closed,
	.on_drained = stream_drained,
	.on_refused = stranger_refused,
	.healthy = healthy,
};

/* --- Beginnings ----------------------------------------------------------- */

static void peer_answered(void *arg, const char *method, const char *kind)
{
	const struct peer *p = arg;

	hub_count_answer(p->hub, method, kind);
}

struct peer *hub_peer_new(struct hub *h, enum peer_kind kind)
{
	struct peer *p = calloc(1, sizeof(*p));
	bool worker = kind == PEER_WORKER;
	struct ctl_config c = {.write = peer_write, .arg = p,
		.answered = worker ? NULL : peer_answered,
		.methods = worker ? hub_relay_methods : hub_methods,
		.n_methods = worker ? hub_relay_n_methods : hub_n_methods,
		.lines = kind != PEER_WEB, .hello_first = true,
		.max_in = worker ? WORKER_MAX_IN : 0};

	if (!p)
		return NULL;
	p->hub = h;
	p->kind = kind;
	p->born_ns = p->seen_ns = io_now_ns();
	list_init(&p->follows);
	p->ctl = ctl_new(&c);
	if (!p->ctl) {
		free(p);
		return NULL;
	}
	list_append(&h->peers, &p->link);
	h->stats.connections[kind]++;
	return p;
}

/* Ourselves, root, and the group that was given the socket. */
static bool is_op(const struct hub *h, int fd, uid_t uid)
{
	return uid == geteuid() || uid == 0 || (h->op_gid != (gid_t)-1 &&
		io_peer_in_group(fd, h->op_gid));
}

static void refuse_uid(struct hub *h, uid_t uid)
{
	char actor[32];

	snprintf(actor, sizeof(actor), "uid:%lu", (unsigned long)uid);
	audit(h, &(struct audit){.event = AUDIT_UID_REFUSED, .actor = actor,
		.reason = "signal.sock"});
	if (peer_may_warn(h))
		io_log(IO_WARN, "signal.sock: refused uid %lu",
			(unsigned long)uid);
}

static void welcome(struct hub *h, int fd, enum listen_kind kind)
{
	static const struct io_stream_events events = {
		.on_data = stream_data, .on_close = stream_closed,
		.on_drained = stream_drained,
	};
	bool worker = kind == LISTEN_WORKER;
	uid_t uid = (uid_t)-1;

	if (kind == LISTEN_METRICS) {
		hub_scrape(h, fd, NULL, 0);
		return;
	}

	bool known = io_peercred(fd, NULL, &uid, NULL) == 0 &&
		(worker || is_op(h, fd, uid));
	struct peer *p = NULL;

	if (!known)
		refuse_uid(h, uid);
	if (known && !h->draining)
		p = hub_peer_new(h, worker ? PEER_WORKER : PEER_OP);
	if (!p) {
		close(fd);
		return;
	}
	p->uid = uid;
	if (!worker)
		snprintf(p->id, sizeof(p->id), "%lu", (unsigned long)uid);
	snprintf(p->name, sizeof(p->name), worker ? "worker.sock" :
		"signal.sock uid %s", p->id);
	p->fd = fd;
	p->stream = io_stream_new(h->loop, fd, fd, WORKER_MAX_IN,
		worker ? WORKER_MAX_OUT : HUB_OUT_BYTES, &events, p);
	if (!p->stream) {
		close(fd);
		peer_gone(p);
	}
}

static void resume(void *arg)
{
	struct listener *l = arg;

	io_watch_set(l->watch, IO_READ);
}

static void acceptable(void *arg, int fd, unsigned events)
{
	struct listener *l = arg;
	int i, one = 0;

	(void)events;
	for (i = 0; i < ACCEPT_BATCH && one >= 0; i++) {
		one = io_accept(fd, NULL);
		if (one >= 0)
			welcome(l->hub, one, l->kind);
	}
	if (one != -EMFILE && one != -ENFILE && one != -ENOMEM &&
		one != -ENOBUFS)
		return;
	/* What waits stays in the backlog for a moment. */
	io_log(IO_WARN, "cannot accept connections: %s", strerror(-one));
	io_watch_set(l->watch, 0);
	io_timer_in(l->resume, RESUME_MS);
}

int hub_accept(struct hub *h, int fd, enum listen_kind kind)
{
	struct listener *l;

	if (h->n_listeners == HUB_LISTENERS) {
		close(fd);
		return -ENOSPC;
	}
	l = &h->listeners[h->n_listeners++];
	*l = (struct listener){.hub = h, .kind = kind, .fd = fd};
	io_nonblock(fd);
	l->resume = io_timer_new(h->loop, resume, l);
	l->watch = io_watch_new(h->loop, fd, IO_READ, acceptable, l);
	return l->resume && l->watch ? 0 : -ENOMEM;
}
