/* sim_world - a hub, a relay, people and an operator in one process, and
 * between hub and relay a pipe that hands over one message at a time, so
 * that either side can be killed, stopped or cut off at each of them.
 *
 * What holds, or the program ends:
 * - a packet is forwarded only if the last that the relay was told of its
 *   sender, by whatever messages it had been given by then, lets it;
 * - on a new connection the first that is said of each room that the relay
 *   listed is room.sync or room.remove;
 * - when no message is on its way and both sides are up and registered, no
 *   sound of whom the log calls muted or held is forwarded, and nothing of
 *   who has no seat;
 * - nobody hears or sees himself, but who tests his sound: he alone does,
 *   and nothing but his microphone;
 * - whoever follows the log gets each event once and in order.
 */
#ifndef SIM_WORLD_H
#define SIM_WORLD_H

#include <fcntl.h>
#include <sys/stat.h>

#include "crypt.h"
#include "hub.h"
#include "relayctl.h"
#include "sfu.h"
#include "sim_peer.h"
#include "sim_person.h"

#define SIM_PEOPLE   6
#define SIM_ROOM     "m"
#define SIM_TICK_MS  50
#define SIM_EPS      32
#define SIM_LINKS    4
#define SIM_NAPS     200

enum sim_fault { SIM_NONE, SIM_KILL_HUB, SIM_KILL_RELAY, SIM_STOP_HUB,
	SIM_STOP_RELAY, SIM_END_HUB, SIM_END_RELAY, SIM_CUT, SIM_BREAK,
	SIM_FAULTS };
static const char *const sim_faults[SIM_FAULTS] = {"none",
	"SIGKILL to control", "SIGKILL to the relay", "SIGSTOP to control",
	"SIGSTOP to the relay", "SIGTERM to control", "SIGTERM to the relay",
	"the connection is cut", "a client's media break"};

/* What a message, or the end of a connection, of the pipe is. */
struct sim_line {
	struct list link;
	struct sim_link *on;
	bool to_hub;
	char *text; /* NULL: the end */
};

struct sim_link {
	int fd[2]; /* to the relay, to the hub; -1 none */
	struct buf in[2];
	bool ended[2];
	bool greeted;    /* the answer to hello was handed over */
	json_t *listed;  /* rooms that were, and were not corrected yet */
};

/* What the relay was told of an endpoint. */
struct sim_ep {
	char id[STR_ID_CAP];
	unsigned publish, muted;
	bool receive;
};
struct sim_told {
	bool room;
	json_int_t epoch;
	struct sim_ep eps[SIM_EPS];
	unsigned n;
};

/* What the log says of a user. */
struct sim_seat {
	char user[STR_ID_CAP];
	bool seated, muted, held;
};

struct sim_world {
	char dir[64], path[96], worker[96], signal[96];
	int http, signal_fd, worker_fd, pipe_fd;
	union io_addr server;
	struct sim_node hub_node, relay_node;
	struct hub *hub;
	struct relayctl *relay;
	struct peer_port port;
	uint64_t hub_at, relay_at; /* when it comes (back), 0: it is there */
	bool hub_ended, relay_ended; /* drained: to be freed */
	struct sim_link links[SIM_LINKS];
	struct list queue;
	unsigned n_lines;
	struct sim_told told;
	struct sim_seat seats[SIM_EPS];
	unsigned n_seats;
	struct sim_person people[SIM_PEOPLE];
	struct sim_person op;
	unsigned sent, seq;
	unsigned echoed; /* packets that came back to who tests his sound */
	/* got[to][from]: packets since it was cleared. */
	unsigned got[SIM_PEOPLE][SIM_PEOPLE];
	/* Each time that nobody has anything to do. */
	void (*idle)(struct sim_world *w);
	/* Before message n (from 1) is handed over. */
	void (*before)(struct sim_world *w, unsigned n);
	unsigned stop_ms, down_ms;
	/* TCP to oneself takes a moment when the machine is busy: whoever has
	 * asked is given one before time goes on. */
	bool patient;
	int asked; /* by all people when it was last given */
	unsigned naps;
	uint64_t fault_ns; /* the last one, 0: none */
	json_t *list; /* the last answer to relay.list */
};

/* ---- what the relay was told ---- */

static inline struct sim_ep *sim_ep(struct sim_world *w, const char *id,
	bool make)
{
	struct sim_told *t = &w->told;

	for (unsigned i = 0; i < t->n; i++)
		if (str_eq(t->eps[i].id, id))
			return &t->eps[i];
	if (!make)
		return NULL;
	SIM_NEED(t->n < SIM_EPS, "too many endpoints");
	t->eps[t->n] = (struct sim_ep){0};
	str_copy(t->eps[t->n].id, STR_ID_CAP, id);
	return &t->eps[t->n++];
}

static inline unsigned sim_sources(const json_t *list)
{
	unsigned bits = 0;
	json_t *v;
	size_t i;

	json_array_foreach(list, i, v)
		for (unsigned k = 0; k < SFU_SOURCES; k++)
			if (str_eq(json_string_value(v), sfu_source_name(k)))
				bits |= SFU_BIT(k);
	return bits;
}

static inline void sim_grant(struct sim_world *w, const char *id,
	const json_t *g)
{
	struct sim_ep *e = sim_ep(w, id, true);

	e->publish = sim_sources(json_object_get(g, "publish"));
	e->muted = sim_sources(json_object_get(g, "muted"));
	e->receive = json_is_true(json_object_get(g, "receive"));
}

static inline void sim_told_room(struct sim_world *w, const json_t *p)
{
	json_int_t epoch = json_integer_value(json_object_get(p, "epoch"));

	if (!w->told.room || epoch > w->told.epoch)
		w->told = (struct sim_told){.room = true, .epoch = epoch};
}

static inline void sim_told_sync(struct sim_world *w, const json_t *p)
{
	json_t *e;
	size_t i;

	sim_told_room(w, p);
	w->told.n = 0;
	json_array_foreach(json_object_get(p, "endpoints"), i, e)
		sim_grant(w, sim_text(e, "endpoint"),
			json_object_get(e, "grant"));
}

static inline void sim_tell(struct sim_world *w, const json_t *m)
{
	const char *method = sim_text(m, "method");
	const json_t *p = json_object_get(m, "params");
	const char *endpoint = sim_text(p, "endpoint");

	if (str_starts(sim_text(p, "room"), "r_"))
		return; /* of a test of sound */
	if (str_eq(method, "room.create")) {
		sim_told_room(w, p);
	} else if (str_eq(method, "room.remove")) {
		w->told = (struct sim_told){0};
	} else if (str_eq(method, "room.sync")) {
		sim_told_sync(w, p);
	} else if (str_eq(method, "transport.create") ||
		str_eq(method, "endpoint.grant")) {
		sim_grant(w, endpoint, json_object_get(p, "grant"));
	} else if (str_eq(method, "endpoint.remove")) {
		struct sim_ep *e = sim_ep(w, endpoint, false);

		if (e)
			*e = w->told.eps[--w->told.n];
	}
}

/* ---- what the log says ---- */

static inline struct sim_seat *sim_seat(struct sim_world *w,
	const char *user)
{
	for (unsigned i = 0; i < w->n_seats; i++)
		if (str_eq(w->seats[i].user, user))
			return &w->seats[i];
	SIM_NEED(w->n_seats < SIM_EPS, "too many users");
	w->seats[w->n_seats] = (struct sim_seat){0};
	str_copy(w->seats[w->n_seats].user, STR_ID_CAP, user);
	return &w->seats[w->n_seats++];
}

/* In the order of the log, as the operator gets it. */
static inline void sim_fold(void *arg, struct sim_person *op,
	const json_t *e)
{
	struct sim_world *w = arg;
	const char *type = sim_text(e, "type");
	const char *user = sim_text(json_object_get(e, "data"), "user");
	struct sim_seat *s = str_starts(type, "user.") ? sim_seat(w, user) :
		NULL;

	(void)op;
	if (str_eq(type, "user.joined"))
		s->seated = true;
	else if (str_eq(type, "user.left") || str_eq(type, "user.kicked"))
		s->seated = s->muted = s->held = false;
	else if (str_eq(type, "user.muted") || str_eq(type, "user.unmuted"))
		s->muted = str_eq(type, "user.muted");
	else if (str_eq(type, "user.held") || str_eq(type, "user.released"))
		s->held = str_eq(type, "user.held");
}

/* Nothing is on its way, and all are there. */
static inline bool sim_quiet(const struct sim_world *w)
{
	bool linked = false;

	for (int i = 0; i < SIM_LINKS; i++)
		linked |= w->links[i].fd[0] >= 0 && w->links[i].greeted;
	return linked && list_empty(&w->queue) && w->hub && w->relay &&
		!w->hub_node.stopped && !w->relay_node.stopped && w->op.up &&
		!w->op.n_asks;
}

/* ---- packets ---- */

static inline struct sim_person *sim_by_endpoint(struct sim_world *w,
	const char *id)
{
	for (int i = 0; i < SIM_PEOPLE; i++)
		if (*w->people[i].user && str_eq(w->people[i].user + 1,
			id + 1))
			return &w->people[i];
	return NULL;
}

/* The payload ends with the sender's endpoint, which begins with an "x" in
 * a test of sound. */
static inline void sim_forwarded(void *arg, int pc, unsigned line,
	const struct peer_rtp *pkt)
{
	struct sim_world *w = arg;
	struct sim_person *to = sim_pcs[pc].who, *from;
	enum sfu_source source = sfu_slot_source(line);
	const struct sim_ep *e, *mine;
	char id[STR_ID_CAP];
	struct sim_seat *s;

	memcpy(id, pkt->payload + pkt->len - (STR_ID_CAP - 1), STR_ID_CAP - 1);
	id[STR_ID_CAP - 1] = '\0';
	from = sim_by_endpoint(w, id);
	SIM_NEED(from, "a packet of %s, whoever that is", id);
	SIM_NEED(sim_pcs[pc].echo == (*id == 'x'), "%s gets a packet of the "
		"wrong room", to->name);
	if (*id == 'x') {
		SIM_NEED(from == to && source == SFU_MIC, "%s gets what %s "
			"tests", to->name, from->name);
		w->echoed++;
		return;
	}
	e = sim_ep(w, id, false);
	SIM_NEED(from != to, "%s gets a packet of his own", to->name);
	SIM_NEED(w->told.room && e && e->publish & SFU_BIT(source) &&
		!(e->muted & SFU_BIT(source)), "a packet of %s, of source %s, "
		"that the relay was told not to forward", from->name,
		sfu_source_name(source));
	mine = sim_ep(w, to->user, false);
	for (unsigned i = 0; !mine && i < w->told.n; i++)
		if (str_eq(w->told.eps[i].id + 1, to->user + 1))
			mine = &w->told.eps[i];
	SIM_NEED(mine && mine->receive, "%s may not receive", to->name);
	id[0] = 'u';
	s = sim_seat(w, id);
	if (sim_quiet(w))
		SIM_NEED(s->seated && (sfu_source_is_video(source) ||
			(!s->held && (source != SFU_MIC || !s->muted))),
			"a packet of %s, who is %s",
			from->name, !s->seated ? "gone" : s->held ? "held" :
			"muted");
	SIM_NEED(!sim_slot(to, line)->live || str_eq(sim_in_slot(to, line) + 1,
		id + 1), "%s sees %s as another", to->name, from->name);
	w->got[to - w->people][from - w->people]++;
	w->sent++;
}

static inline void sim_packets(struct sim_world *w, struct peer *p,
	const struct sim_pc *pc)
{
	uint8_t key[64] = {0x10, 0x10, 0, 0, 0x9d, 1, 0x2a, 64, 0, 64, 0, 0};
	uint8_t opus[64] = {0xf8, 0xff, 0xfe};
	size_t n = STR_ID_CAP - 1;
	struct peer_rtp a = {.line = 0, .seq = (uint16_t)w->seq,
		.rtp_ts = w->seq * 960, .level = 127, .payload = opus,
		.len = 3 + n, .arrival_ns = sim_ns};
	struct peer_rtp v = {.line = 1, .seq = (uint16_t)w->seq,
		.rtp_ts = w->seq * 3000, .level = -1, .marker = true,
		.payload = key, .len = 12 + n, .arrival_ns = sim_ns};

	memcpy(opus + 3, pc->who->user, n);
	memcpy(key + 12, pc->who->user, n);
	opus[3] = key[12] = pc->echo ? 'x' : 'e';
	p->cfg.events->on_rtp(p->cfg.arg, p, &a);
	p->cfg.events->on_rtp(p->cfg.arg, p, &v);
}

/* Connects who can, ends who is gone, and lets everybody send. */
static inline void sim_media(struct sim_world *w)
{
	w->seq++;
	if (!w->relay || w->relay_node.stopped)
		return;
	list_each(l, next, &w->port.peers) {
		struct peer *p = list_entry(l, struct peer, link);
		const struct sim_pc *pc = p->pc < 0 ? NULL : &sim_pcs[p->pc];

		if (p->state == PEER_NEW && sim_ns - p->born_ns >
			PEER_CONNECT_NS)
			sim_peer_state(p, PEER_CLOSED, "timeout");
		else if (p->state == PEER_NEW && pc && pc->open && pc->ready)
			sim_peer_state(p, PEER_CONNECTED, "");
		else if (p->state == PEER_CONNECTED && !pc->open)
			sim_peer_state(p, PEER_CLOSED, "left");
		else if (p->state == PEER_CONNECTED && !p->line[0].ours)
			sim_packets(w, p, pc);
	}
}

/* ---- the pipe ---- */

static inline void sim_queue(struct sim_world *w, struct sim_link *on,
	bool to_hub, char *text)
{
	struct sim_line *l = calloc(1, sizeof(*l));

	*l = (struct sim_line){.on = on, .to_hub = to_hub, .text = text};
	list_append(&w->queue, &l->link);
}

static inline void sim_line_free(struct sim_line *l)
{
	list_remove(&l->link);
	free(l->text);
	free(l);
}

/* At once, and what is on its way with it. */
static inline void sim_cut(struct sim_world *w, struct sim_link *k)
{
	list_each(l, next, &w->queue) {
		struct sim_line *line = list_entry(l, struct sim_line, link);

		if (line->on == k)
			sim_line_free(line);
	}
	for (int i = 0; i < 2; i++) {
		if (k->fd[i] >= 0)
			close(k->fd[i]);
		buf_free(&k->in[i]);
	}
	json_decref(k->listed);
	*k = (struct sim_link){.fd = {-1, -1}};
}

static inline void sim_cut_all(struct sim_world *w)
{
	for (int i = 0; i < SIM_LINKS; i++)
		sim_cut(w, &w->links[i]);
}

static inline bool sim_accept(struct sim_world *w)
{
	int fd = io_accept(w->pipe_fd, NULL), i = 0;
	struct sim_link *k;

	if (fd < 0)
		return false;
	while (i < SIM_LINKS && w->links[i].fd[0] >= 0)
		i++;
	SIM_NEED(i < SIM_LINKS, "the relay dials too often");
	k = &w->links[i];
	k->fd[0] = fd;
	k->fd[1] = io_unix_connect(w->worker);
	SIM_NEED(k->fd[1] >= 0, "worker.sock: %s", strerror(-k->fd[1]));
	return true;
}

static inline bool sim_pipe_read(struct sim_world *w, struct sim_link *k,
	int side)
{
	struct buf *b = &k->in[side];
	char block[65536], *end;
	ssize_t n;

	if (k->fd[side] < 0 || k->ended[side])
		return false;
	n = recv(k->fd[side], block, sizeof(block), MSG_DONTWAIT);
	if (n < 0 && errno == EAGAIN)
		return false;
	if (n <= 0) {
		k->ended[side] = true;
		sim_queue(w, k, !side, NULL);
		return true;
	}
	buf_put(b, block, (size_t)n);
	while (b->len && (end = memchr(b->data, '\n', b->len))) {
		char *text = strndup((char *)b->data, (size_t)(end -
			(char *)b->data));

		buf_consume(b, strlen(text) + 1);
		sim_queue(w, k, !side, text);
	}
	return true;
}

/* What a message to the relay says, and whether it may be said now. */
static inline void sim_look_down(struct sim_world *w, struct sim_link *k,
	const json_t *m)
{
	const char *room = sim_text(json_object_get(m, "params"), "room");
	const char *method = sim_text(m, "method");

	if (!k->greeted && json_object_get(m, "result"))
		k->greeted = true;
	if (json_object_get(k->listed, room)) {
		SIM_NEED(str_eq(method, "room.sync") || str_eq(method,
			"room.remove"), "%s comes before the correction of "
			"room %s", method, room);
		json_object_del(k->listed, room);
	}
	sim_tell(w, m);
}

/* A message to the hub: what hello lists; and a relay that is asked what
 * cannot be shows that the two are of different minds. */
static inline void sim_look_up(struct sim_link *k, const json_t *m)
{
	const json_t *rooms = json_object_get(json_object_get(m, "params"),
		"rooms");
	const char *kind = sim_text(json_object_get(json_object_get(m,
		"error"), "data"), "kind");
	json_t *v;
	size_t i;

	if (str_eq(sim_text(m, "method"), "hello") && !k->listed) {
		k->listed = json_object();
		json_array_foreach(rooms, i, v)
			json_object_set_new(k->listed, sim_text(v, "room"),
				json_true());
	}
	SIM_NEED(!*kind || str_eq(kind, "not_found"), "the relay says %s: %s",
		kind, sim_text(json_object_get(m, "error"), "message"));
}

static inline void sim_deliver(struct sim_world *w)
{
	struct sim_line *l = list_entry(w->queue.next, struct sim_line, link);
	struct sim_link *k = l->on;
	json_t *m = l->text ? json_loads(l->text, 0, NULL) : NULL;

	if (!l->text) {
		sim_cut(w, k);
		return;
	}
	SIM_NEED(m, "no JSON: %s", l->text);
	if (str_eq(sim_text(m, "id"), "sim")) {
		json_decref(w->list);
		w->list = json_incref(json_object_get(m, "result"));
	} else {
		if (l->to_hub)
			sim_look_up(k, m);
		else
			sim_look_down(w, k, m);
		if (getenv("SIM_TRACE"))
			fprintf(stderr, "%8.3f %4u %s %.400s\n",
				(double)(sim_ns - SIM_START_NS) / 1e9,
				w->n_lines, l->to_hub ? "<-" : "->", l->text);
		sim_send_all(k->fd[l->to_hub], l->text, strlen(l->text));
		sim_send_all(k->fd[l->to_hub], "\n", 1);
	}
	json_decref(m);
	sim_line_free(l);
}

/* ---- coming and going ---- */

static inline void sim_hub_start(struct sim_world *w)
{
	struct hub_config c = {.state_dir = w->dir, .www = w->dir,
		.url = "http://localhost", .op_gid = (gid_t)-1};
	char why[256];
	int err;

	memset(c.worker_key, 7, sizeof(c.worker_key));
	w->hub_node = (struct sim_node){.loop = io_loop_new()};
	w->hub = hub_new(w->hub_node.loop, &c, why);
	SIM_NEED(w->hub, "hub: %s", why);
	err = hub_listen_http(w->hub, dup(w->http));
	err |= hub_listen_signal(w->hub, dup(w->signal_fd));
	err |= hub_listen_worker(w->hub, dup(w->worker_fd));
	SIM_NEED(!err, "hub: cannot listen");
	w->hub_at = 0;
}

static inline void sim_hub_free(struct sim_world *w)
{
	hub_free(w->hub);
	io_loop_free(w->hub_node.loop);
	w->hub = NULL;
	w->hub_node.loop = NULL;
	w->hub_ended = false;
	w->hub_at = sim_ns + w->down_ms * NS_PER_MS;
}

static inline void sim_hub_kill(struct sim_world *w)
{
	if (!w->hub)
		return;
	sim_cut_all(w);
	sim_hub_free(w);
}

static inline void sim_relay_ended(void *arg, int code)
{
	struct sim_world *w = arg;

	SIM_NEED(!code, "the relay ends with %d", code);
	w->relay_ended = true;
}

static inline void sim_hub_ended(void *arg)
{
	struct sim_world *w = arg;

	w->hub_ended = true;
}

static inline void sim_relay_start(struct sim_world *w)
{
	struct relayctl_config c = {.agent = "sim/1", .seed = sim_ns,
		.port = &w->port, .on_end = sim_relay_ended, .arg = w};
	uint8_t key[HUB_KEY_BYTES], mac[SHA256_BYTES];
	char secret[2 * SHA256_BYTES + 1];

	memset(key, 7, sizeof(key));
	SIM_NEED(!hmac_sha256(key, sizeof(key), "relay/relay-0", 13, mac),
		"no HMAC");
	str_hex(secret, mac, sizeof(mac));
	w->relay_node = (struct sim_node){.loop = io_loop_new()};
	c.loop = w->relay_node.loop;
	list_init(&w->port.peers);
	w->port.on_send = sim_forwarded;
	w->port.arg = w;
	w->told = (struct sim_told){0};
	w->relay = relayctl_new(&c);
	SIM_NEED(w->relay && !relayctl_dial(w->relay, w->path, "relay-0",
		secret), "the relay does not start");
	w->relay_at = 0;
}

static inline void sim_relay_free(struct sim_world *w)
{
	relayctl_free(w->relay);
	io_loop_free(w->relay_node.loop);
	w->relay = NULL;
	w->relay_node.loop = NULL;
	w->relay_ended = false;
	w->relay_at = sim_ns + w->down_ms * NS_PER_MS;
}

static inline void sim_relay_kill(struct sim_world *w)
{
	if (!w->relay)
		return;
	sim_cut_all(w);
	sim_relay_free(w);
}

/* To who is up. */
static inline void sim_fault(struct sim_world *w, enum sim_fault f)
{
	w->fault_ns = sim_ns;
	switch (f) {
	case SIM_KILL_HUB:
		sim_hub_kill(w);
		break;
	case SIM_KILL_RELAY:
		sim_relay_kill(w);
		break;
	case SIM_STOP_HUB:
		w->hub_node.stopped = true;
		w->hub_at = sim_ns + w->stop_ms * NS_PER_MS;
		break;
	case SIM_STOP_RELAY:
		w->relay_node.stopped = true;
		w->relay_at = sim_ns + w->stop_ms * NS_PER_MS;
		break;
	case SIM_END_HUB:
		w->hub_at = UINT64_MAX;
		hub_drain(w->hub, sim_hub_ended, w);
		break;
	case SIM_END_RELAY:
		w->relay_at = UINT64_MAX;
		relayctl_drain(w->relay);
		break;
	case SIM_CUT:
		sim_cut_all(w);
		break;
	case SIM_BREAK:
		sim_break(&w->people[w->n_lines % 2]);
		break;
	default:
		break;
	}
}

static inline bool sim_revive(struct sim_world *w)
{
	bool hub = w->hub_at && sim_ns >= w->hub_at;
	bool relay = w->relay_at && sim_ns >= w->relay_at;

	/* What was said at the end is handed over. */
	if (w->hub_ended)
		sim_hub_free(w);
	if (w->relay_ended)
		sim_relay_free(w);
	if (hub && !w->hub)
		sim_hub_start(w);
	if (relay && !w->relay)
		sim_relay_start(w);
	if (hub) {
		w->hub_node.stopped = false;
		w->hub_at = 0;
	}
	if (relay) {
		w->relay_node.stopped = false;
		w->relay_at = 0;
	}
	return hub || relay;
}

/* ---- running ---- */

/* Until nobody has anything to do but what stands in the pipe. */
static inline void sim_settle(struct sim_world *w)
{
	bool did;

	do {
		sim_busy = false;
		did = sim_revive(w);
		sim_run(&w->hub_node);
		sim_run(&w->relay_node);
		did |= sim_accept(w);
		for (int i = 0; i < SIM_LINKS; i++)
			for (int side = 0; side < 2; side++)
				did |= sim_pipe_read(w, &w->links[i], side);
		did |= sim_poll(&w->op);
		for (int i = 0; i < SIM_PEOPLE; i++)
			did |= sim_poll(&w->people[i]);
	} while (did || sim_busy);
}

static inline void sim_patience(struct sim_world *w)
{
	const struct timespec ms = {.tv_nsec = NS_PER_MS};
	unsigned n = 0;
	int asked = 0;

	for (int i = 0; w->patient && i < SIM_PEOPLE; i++) {
		n += w->people[i].n_asks;
		asked += w->people[i].last_id;
	}
	if (asked != w->asked)
		w->naps = 0;
	w->asked = asked;
	if (n && w->hub && w->relay && !w->hub_node.stopped &&
		!w->relay_node.stopped && w->naps++ < SIM_NAPS)
		nanosleep(&ms, NULL);
}

static inline void sim_pass_time(struct sim_world *w, uint64_t end_ns)
{
	uint64_t t = MIN(end_ns, sim_ns + SIM_TICK_MS * NS_PER_MS);

	t = MIN(t, MIN(sim_wake(&w->hub_node), sim_wake(&w->relay_node)));
	t = MIN(t, sim_person_wake(&w->op));
	for (int i = 0; i < SIM_PEOPLE; i++)
		t = MIN(t, sim_person_wake(&w->people[i]));
	t = w->hub_at ? MIN(t, w->hub_at) : t;
	t = w->relay_at ? MIN(t, w->relay_at) : t;
	sim_ns = MAX(t, sim_ns + 1);
}

/* True when cond is; false after ms. */
static inline bool sim_until(struct sim_world *w,
	bool (*cond)(struct sim_world *w, void *arg), void *arg, uint64_t ms)
{
	uint64_t end = sim_ns + ms * NS_PER_MS;

	for (;;) {
		sim_settle(w);
		sim_media(w);
		sim_settle(w);
		if (w->idle)
			w->idle(w);
		if (cond && cond(w, arg))
			return true;
		if (!list_empty(&w->queue)) {
			w->n_lines++;
			if (w->before)
				w->before(w, w->n_lines);
			if (!list_empty(&w->queue))
				sim_deliver(w);
		} else if (sim_ns >= end) {
			return false;
		} else {
			sim_patience(w);
			sim_pass_time(w, end);
		}
	}
}

static inline void sim_pass(struct sim_world *w, uint64_t ms)
{
	sim_until(w, NULL, NULL, ms);
}

/* ---- a world ---- */

static inline void sim_world_new(struct sim_world *w)
{
	static unsigned nth;
	char index[128];
	int fd;

	memset(w, 0, sizeof(*w));
	sim_ns = SIM_START_NS;
	sim_n_pcs = 0;
	snprintf(w->dir, sizeof(w->dir), "%s/conf-sim-%d-%u",
		access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm", (int)getpid(),
		nth++);
	SIM_NEED(!mkdir(w->dir, 0700), "%s: %s", w->dir, strerror(errno));
	snprintf(index, sizeof(index), "%s/index.html", w->dir);
	fd = open(index, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	close(fd);
	snprintf(w->path, sizeof(w->path), "%s/pipe", w->dir);
	snprintf(w->worker, sizeof(w->worker), "%s/worker", w->dir);
	snprintf(w->signal, sizeof(w->signal), "%s/signal", w->dir);
	w->pipe_fd = io_unix_listen(w->path, 0600, (gid_t)-1);
	w->worker_fd = io_unix_listen(w->worker, 0600, (gid_t)-1);
	w->signal_fd = io_unix_listen(w->signal, 0600, (gid_t)-1);
	io_addr_parse(&w->server, "127.0.0.1:0");
	w->http = io_tcp_listen(&w->server);
	SIM_NEED(w->http >= 0 && !io_local_addr(w->http, &w->server),
		"cannot listen");
	io_nonblock(w->pipe_fd);
	list_init(&w->queue);
	for (int i = 0; i < SIM_LINKS; i++)
		w->links[i].fd[0] = w->links[i].fd[1] = -1;
	w->stop_ms = 10000;
	w->down_ms = 100;
	sim_hub_start(w);
	sim_relay_start(w);
}

static inline void sim_world_free(struct sim_world *w)
{
	char command[160];

	sim_relay_kill(w);
	sim_hub_kill(w);
	sim_cut_all(w);
	sim_person_free(&w->op);
	for (int i = 0; i < SIM_PEOPLE; i++)
		sim_person_free(&w->people[i]);
	close(w->http);
	close(w->signal_fd);
	close(w->worker_fd);
	close(w->pipe_fd);
	json_decref(w->list);
	snprintf(command, sizeof(command), "rm -rf %s", w->dir);
	SIM_NEED(system(command) == 0, "rm");
}

#endif
