/* attack_world - a conf-relay that is run for this alone, honest people in
 * its room, and what a hostile one needs: for the programs that attack it.
 * Everything that cannot be set up ends the program with status 3. */
#ifndef ATTACK_WORLD_H
#define ATTACK_WORLD_H

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "peer_priv.h"
#include "json.h"

#define ROOM         "r"
#define MAX_PEOPLE   256u
#define MAX_TALKERS  8u  /* of the first people: who can be heard */
#define TAG_BYTES    20u /* at the end of each honest payload */
#define TAG_MAGIC    UINT32_C(0x41747467)
#define AUDIO_BYTES  80u
#define VIDEO_BYTES  1000u
#define VIDEO_PARTS  4u /* packets of a picture */
#define TICK_MS      20u
#define WAIT_MS      30000u

enum { AUDIO, VIDEO };

/* What somebody has got of one stream of another. */
struct heard {
	uint32_t got;
	uint32_t twice;
	uint32_t last; /* highest number seen; they begin at 1 */
	uint32_t first;
	uint8_t seen[65536 / 8];
};

struct person {
	struct world *w;
	struct peer_port *port;
	struct peer *peer;
	unsigned number;
	bool publish;
	char relay_ufrag[32];
	unsigned states, closed;
	char reason[32];
	/* a publisher */
	bool talks;
	unsigned frames;
	uint32_t sent[2];
	uint16_t seq[2];
	unsigned keyframes; /* asked for */
	bool key_due;
	/* a subscriber */
	struct heard *heard; /* MAX_TALKERS * 2 */
	unsigned packets;
	unsigned foreign; /* payloads that no honest one has made */
	unsigned bad_vp8;
	uint64_t bytes;
};

struct world {
	struct io_loop *loop;
	struct io_timer *tick;
	struct io_watch *watch;
	pid_t relay;
	int to, from;
	struct buf in;
	int id;
	uint16_t port; /* the relay's, for media */
	union io_addr addr;
	struct person *people[MAX_PEOPLE];
	unsigned n;
	uint64_t next_ns; /* when those who talk send next */
	uint64_t end_ns;
	bool (*until)(void *arg);
	void *until_arg;
	struct rng rng;
};

static inline void give_up(const char *what, const char *why)
{
	fprintf(stderr, "attack: %s: %s\n", what, why);
	exit(3);
}

static inline void figure(const char *name, double value)
{
	printf("%s\t%.15g\n", name, value);
	fflush(stdout);
}

/* ---- the relay's requests ---- */

static inline json_t *world_line(struct world *w)
{
	uint8_t *nl = w->in.len ? memchr(w->in.data, '\n', w->in.len) : NULL;
	json_t *j;

	if (!nl)
		return NULL;
	j = json_loadb((char *)w->in.data, (size_t)(nl - w->in.data), 0,
		NULL);
	buf_consume(&w->in, (size_t)(nl - w->in.data) + 1);
	return j ? j : json_object();
}

static inline bool world_read(struct world *w)
{
	char p[65536];
	ssize_t n = read(w->from, p, sizeof(p));

	if (n > 0)
		buf_put(&w->in, p, (size_t)n);
	return n > 0 || (n < 0 && errno == EAGAIN);
}

static inline void world_heard(void *arg, int fd, unsigned events)
{
	struct world *w = arg;
	json_t *j;

	(void)fd;
	(void)events;
	if (!world_read(w))
		io_watch_set(w->watch, 0);
	while ((j = world_line(w)))
		json_decref(j);
}

/* Steals params; NULL when it was refused, the kind is in kind then. */
static inline json_t *world_try(struct world *w, const char *method,
	json_t *params, char kind[32])
{
	json_t *ask = json_pack("{s:s, s:i, s:s, s:o}", "jsonrpc", "2.0",
		"id", ++w->id, "method", method, "params", params);
	char *text = ask ? json_dumps(ask, JSON_COMPACT) : NULL;
	struct pollfd p = { .fd = w->from, .events = POLLIN };
	json_t *j, *result = NULL;
	bool answered = false;

	if (!text || dprintf(w->to, "%s\n", text) < 0)
		give_up(method, "cannot be asked");
	free(text);
	json_decref(ask);
	kind[0] = '\0';
	while (!answered) {
		while (!answered && (j = world_line(w))) {
			answered = json_integer_value(json_object_get(j,
				"id")) == w->id;
			if (answered) {
				const char *k = json_string_value(
					json_object_get(json_object_get(
					json_object_get(j, "error"), "data"),
					"kind"));
				snprintf(kind, 32, "%s", k ? k : "");
				result = json_incref(json_object_get(j,
					"result"));
			}
			json_decref(j);
		}
		if (!answered && (poll(&p, 1, 20000) != 1 || !world_read(w)))
			give_up(method, "no answer");
	}
	return result;
}

static inline json_t *world_ask(struct world *w, const char *method,
	json_t *params)
{
	char kind[32];
	json_t *r = world_try(w, method, params, kind);

	if (!r)
		give_up(method, kind);
	return r;
}

/* A counter of relay.stats; name may be "dropped.forged". */
static inline double world_stat(struct world *w, const char *name)
{
	json_t *r = world_ask(w, "relay.stats", json_object());
	const char *dot = strchr(name, '.');
	double v = json_number_value(json_object_get(dot ?
		json_object_get(r, "dropped") : r, dot ? dot + 1 : name));

	json_decref(r);
	return v;
}

/* ---- people ---- */

static inline uint32_t tag_sum(const uint8_t *p, size_t n)
{
	uint32_t h = UINT32_C(2166136261);

	for (size_t i = 0; i < n; i++)
		h = (h ^ p[i]) * UINT32_C(16777619);
	return h;
}

static inline void person_on_state(void *arg, struct peer *p,
	enum peer_state s, const char *reason)
{
	struct person *e = arg;

	(void)p;
	e->states += s == PEER_CONNECTED;
	e->closed += s == PEER_CLOSED;
	snprintf(e->reason, sizeof(e->reason), "%s", reason);
}

/* The tag is the last part: magic, who and kind, number, and a sum of the
 * bytes before it that the relay does not rewrite. */
static inline void person_on_rtp(void *arg, struct peer *p,
	const struct peer_rtp *pkt)
{
	struct person *e = arg;
	const uint8_t *tag = pkt->payload + pkt->len - TAG_BYTES;
	struct heard *h;
	struct vp8 v;
	uint32_t who, kind, number;

	e->packets++;
	e->bytes += pkt->len;
	e->bad_vp8 += peer_line(p, pkt->line)->video &&
		vp8_parse(&v, pkt->payload, pkt->len);
	if (pkt->len < TAG_BYTES + 32 || be32(tag) != TAG_MAGIC ||
	    be32(tag + 16) != tag_sum(tag - 32, 32 + 16) ||
	    be32(tag + 4) >= MAX_TALKERS || be32(tag + 8) > VIDEO) {
		e->foreign++;
		return;
	}
	who = be32(tag + 4);
	kind = be32(tag + 8);
	number = be32(tag + 12);
	h = &e->heard[who * 2 + kind];
	for (; h->last < number; h->last++) /* of the lap before */
		h->seen[(h->last + 1) / 8 % sizeof(h->seen)] &=
			(uint8_t)~(1u << (h->last + 1) % 8);
	if (h->seen[number / 8 % sizeof(h->seen)] >> number % 8 & 1) {
		h->twice++;
		return;
	}
	h->seen[number / 8 % sizeof(h->seen)] |= (uint8_t)(1u << number % 8);
	if (!h->got++)
		h->first = number;
}

static inline void person_on_keyframe(void *arg, struct peer *p,
	unsigned line, unsigned rid)
{
	struct person *e = arg;

	(void)p;
	(void)line;
	(void)rid;
	e->keyframes++;
	e->key_due = true;
}

static inline size_t person_payload(struct person *e, unsigned kind, bool key,
	bool start, uint8_t *p, size_t n)
{
	uint8_t *tag = p + n - TAG_BYTES;

	memset(p, (int)(e->sent[kind] & 0xff), n);
	if (kind == VIDEO) {
		static const uint8_t head[] = { 0x10, 0x10, 0, 0, 0x9d, 1,
			0x2a, 0x40, 1, 0xf0, 0 };

		p[0] = start ? 0x10 : 0;
		if (start && key)
			memcpy(p, head, sizeof(head));
		else if (start)
			p[1] = 0x11;
	}
	be32_put(tag, TAG_MAGIC);
	be32_put(tag + 4, e->number);
	be32_put(tag + 8, kind);
	be32_put(tag + 12, ++e->sent[kind]);
	be32_put(tag + 16, tag_sum(tag - 32, 32 + 16));
	return n;
}

static inline void person_send(struct person *e, unsigned kind, bool key,
	unsigned part, uint32_t ts)
{
	uint8_t payload[VIDEO_BYTES];
	struct peer_rtp pkt = { .line = kind, .seq = e->seq[kind]++,
		.rtp_ts = ts, .level = kind == AUDIO ? 20 : -1,
		.voice = kind == AUDIO, .payload = payload,
		.marker = kind == VIDEO && part == VIDEO_PARTS - 1 };

	pkt.len = person_payload(e, kind, key, part == 0, payload,
		kind == AUDIO ? AUDIO_BYTES : VIDEO_BYTES);
	(void)peer_send_rtp(e->peer, &pkt);
}

/* One packet of sound, and every other time a picture of VIDEO_PARTS. */
static inline void person_talk(struct person *e)
{
	unsigned f = e->frames++;

	if (!e->peer || peer_state(e->peer) != PEER_CONNECTED)
		return;
	person_send(e, AUDIO, false, 0, f * 960);
	if (f % 2)
		return;
	for (unsigned i = 0; i < VIDEO_PARTS; i++)
		person_send(e, VIDEO, e->key_due || f == 0, i, f * 1800);
	e->key_due = false;
}

static const struct peer_events person_events = {
	.on_state = person_on_state,
	.on_rtp = person_on_rtp,
	.on_keyframe_request = person_on_keyframe,
};

/* ---- time ---- */

static inline void world_tick(void *arg)
{
	struct world *w = arg;
	uint64_t now = io_now_ns();

	while (w->next_ns <= now) {
		for (unsigned i = 0; i < w->n; i++)
			if (w->people[i]->talks)
				person_talk(w->people[i]);
		/* One that stood still does not pour out what it missed. */
		w->next_ns = MAX(w->next_ns + TICK_MS * NS_PER_MS,
			now - 5 * TICK_MS * NS_PER_MS);
	}
	if (now >= w->end_ns || (w->until && w->until(w->until_arg)))
		io_loop_stop(w->loop, 0);
	else
		io_timer_in(w->tick, 2);
}

static inline void world_run(struct world *w, uint64_t ms)
{
	w->end_ns = io_now_ns() + ms * NS_PER_MS;
	io_timer_in(w->tick, 0);
	io_loop_run(w->loop);
}

static inline bool world_until(struct world *w, bool (*until)(void *arg),
	void *arg)
{
	w->until = until;
	w->until_arg = arg;
	world_run(w, WAIT_MS);
	w->until = NULL;
	return until(arg);
}

static inline bool person_is_up(void *arg)
{
	const struct person *e = arg;

	return e->states || e->closed;
}

/* ---- setting up ---- */

static inline struct peer_port *world_port(struct world *w)
{
	struct peer_port *port;
	union io_addr a;
	int fd;

	(void)io_addr_parse(&a, "127.0.0.1:0");
	fd = io_udp_bind(&a);
	port = fd < 0 ? NULL : peer_port_new(w->loop,
		&(struct peer_port_config){ .fds = &fd, .n_fds = 1 });
	if (!port)
		give_up("a port", strerror(errno));
	return port;
}

static inline struct person *person_new(struct world *w, bool publish)
{
	struct person *e = calloc(1, sizeof(*e));

	if (!e || w->n == MAX_PEOPLE)
		give_up("a person", "too many");
	e->w = w;
	e->number = w->n;
	e->publish = publish;
	e->seq[AUDIO] = e->seq[VIDEO] = (uint16_t)rng_below(&w->rng, 30000);
	if (!publish)
		e->heard = calloc(MAX_TALKERS * 2, sizeof(*e->heard));
	e->port = world_port(w);
	e->peer = peer_new(e->port, &(struct peer_config){
		.role = PEER_CLIENT, .name = publish ? "pub" : "sub",
		.events = &person_events, .arg = e });
	if (!e->peer || (!publish && !e->heard))
		give_up("a person", strerror(errno));
	w->people[w->n++] = e;
	return e;
}

static inline json_t *person_create(const struct person *e)
{
	char endpoint[16], id[16];

	snprintf(endpoint, sizeof(endpoint), "e_%u", e->number);
	snprintf(id, sizeof(id), "t_%u", e->number);
	return json_pack("{s:s, s:i, s:s, s:s, s:s, s:{s:[s,s], s:[], s:b}}",
		"room", ROOM, "epoch", 1, "endpoint", endpoint, "transport",
		id, "direction", e->publish ? "publish" : "subscribe",
		"grant", "publish", "mic", "cam", "muted", "receive", 1);
}

static const struct peer_line_want mic_and_cam[] = {
	{ PEER_MIC, false }, { PEER_CAM, false },
};

/* What everybody on the way can read. */
static inline void person_learn(struct person *e, const char *sdp)
{
	struct world *w = e->w;
	const char *at = strstr(sdp, " 127.0.0.1 ");
	const char *ufrag = strstr(sdp, "a=ice-ufrag:");
	unsigned long port = at ? strtoul(at + 11, NULL, 10) : 0;

	if (!port || port > 65535)
		give_up("the relay's port", "not in its SDP");
	if (ufrag)
		snprintf(e->relay_ufrag, sizeof(e->relay_ufrag), "%.*s",
			(int)strcspn(ufrag + 12, "\r\n"), ufrag + 12);
	w->port = (uint16_t)port;
	(void)io_addr_parse(&w->addr, "127.0.0.1:0");
	io_addr_set_port(&w->addr, w->port);
}

/* The relay's answer, or NULL with kind. */
static inline json_t *person_offer(struct person *e, const char *offer,
	char kind[32])
{
	json_t *params = person_create(e);

	json_object_set_new(params, "sdp", json_string(offer));
	return world_try(e->w, "transport.create", params, kind);
}

static inline void person_take(struct person *e, json_t *answer)
{
	const char *sdp = json_string_value(json_object_get(answer, "sdp"));
	char why[160] = "no SDP";

	if (!sdp || peer_accept_answer(e->peer, sdp, strlen(sdp), why))
		give_up("an answer", why);
	person_learn(e, sdp);
	json_decref(answer);
}

static inline void person_publish(struct person *e)
{
	struct buf offer = { 0 };
	char kind[32];
	json_t *answer;

	if (peer_make_offer(e->peer, mic_and_cam, 2, &offer))
		give_up("an offer", "cannot be made");
	answer = person_offer(e, buf_cstr(&offer), kind);
	if (!answer)
		give_up("transport.create", kind);
	buf_free(&offer);
	person_take(e, answer);
}

static inline void person_subscribe(struct person *e)
{
	json_t *offer = world_ask(e->w, "transport.create", person_create(e));
	const char *sdp = json_string_value(json_object_get(offer, "sdp"));
	struct buf answer = { 0 };
	char why[160] = "no SDP", id[16];

	if (!sdp || peer_accept_offer(e->peer, sdp, strlen(sdp), &answer, why))
		give_up("an offer of the relay", why);
	person_learn(e, sdp);
	snprintf(id, sizeof(id), "t_%u", e->number);
	json_decref(world_ask(e->w, "transport.answer", json_pack(
		"{s:s, s:s}", "transport", id, "sdp", buf_cstr(&answer))));
	buf_free(&answer);
	json_decref(offer);
}

/* Somebody who is connected, and talks if he publishes. */
static inline struct person *world_join(struct world *w, bool publish)
{
	struct person *e = person_new(w, publish);

	if (publish)
		person_publish(e);
	else
		person_subscribe(e);
	world_until(w, person_is_up, e);
	if (!e->states)
		give_up("a connection", e->closed ? e->reason : "late");
	e->talks = publish;
	return e;
}

static inline void world_open(struct world *w, uint64_t seed)
{
	static const char *const argv[] = { "conf-relay", "--media",
		"127.0.0.1:0", NULL };
	int to[2], from[2];

	*w = (struct world){ .loop = io_loop_new() };
	rng_seed(&w->rng, seed);
	if (!w->loop || pipe2(to, O_CLOEXEC) || pipe2(from, O_CLOEXEC))
		give_up("the start", strerror(errno));
	w->relay = io_spawn(argv, NULL, (struct io_spawn_fd[]){
		{ to[0], 0 }, { from[1], 1 } }, 2);
	if (w->relay < 0)
		give_up("conf-relay", strerror(-w->relay));
	close(to[0]);
	close(from[1]);
	w->to = to[1];
	w->from = from[0];
	w->tick = io_timer_new(w->loop, world_tick, w);
	w->next_ns = io_now_ns();
	json_decref(world_ask(w, "room.create", json_pack("{s:s, s:i}",
		"room", ROOM, "epoch", 1)));
	w->watch = io_watch_new(w->loop, w->from, IO_READ, world_heard, w);
}

/* Says how the relay ended: 0, its status, or 256 and a signal's number. */
static inline void world_close(struct world *w)
{
	int status = 0;

	for (unsigned i = 0; i < w->n; i++) {
		peer_free(w->people[i]->peer);
		peer_port_free(w->people[i]->port);
		free(w->people[i]->heard);
		free(w->people[i]);
	}
	close(w->to);
	for (unsigned i = 0; i < 1000 &&
		waitpid(w->relay, &status, WNOHANG) == 0; i++) {
		world_read(w);
		usleep(10000);
	}
	figure("relay_status", WIFSIGNALED(status) ? 256 + WTERMSIG(status) :
		WEXITSTATUS(status));
	io_watch_free(w->watch);
	io_timer_free(w->tick);
	io_loop_free(w->loop);
	close(w->from);
	buf_free(&w->in);
}

/* ---- another process, which has no keys ---- */

struct stranger {
	pid_t pid;
	int said;
};

/* Runs work in a child that dies with us. */
static inline struct stranger stranger_start(uint64_t (*work)(void *arg),
	void *arg)
{
	struct stranger s;
	uint64_t n;
	int fds[2];

	if (pipe(fds))
		give_up("a pipe", strerror(errno));
	fflush(stdout);
	s.pid = fork();
	if (s.pid < 0)
		give_up("a child", strerror(errno));
	if (s.pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		n = work(arg);
		_exit(write(fds[1], &n, sizeof(n)) != sizeof(n));
	}
	close(fds[1]);
	s.said = fds[0];
	return s;
}

static inline bool stranger_is_done(void *arg)
{
	struct stranger *s = arg;
	struct pollfd p = { .fd = s->said, .events = POLLIN };

	return poll(&p, 1, 0) == 1;
}

/* What work returned. */
static inline uint64_t stranger_end(struct stranger *s)
{
	uint64_t n = 0;

	if (read(s->said, &n, sizeof(n)) != sizeof(n))
		give_up("a stranger", "died");
	waitpid(s->pid, NULL, 0);
	close(s->said);
	return n;
}

/* A socket that is nobody's. */
static inline int stranger_socket(void)
{
	union io_addr a;
	int fd;

	(void)io_addr_parse(&a, "127.0.0.1:0");
	fd = io_udp_bind(&a);
	if (fd < 0)
		give_up("a socket", strerror(-fd));
	return fd;
}

/* Sleeps so long that n things since begun_ns are rate a second. */
static inline void pace(uint64_t begun_ns, uint64_t n, uint64_t rate)
{
	uint64_t due = begun_ns + n * NS_PER_S / rate, now = io_now_ns();

	if (due > now + NS_PER_MS)
		usleep((useconds_t)((due - now) / 1000));
}

/* How many bytes came back. */
static inline uint64_t bytes_heard(int fd)
{
	uint8_t p[2048];
	uint64_t sum = 0;
	ssize_t n;

	while ((n = recv(fd, p, sizeof(p), MSG_DONTWAIT)) > 0)
		sum += (uint64_t)n;
	return sum;
}

static inline uint64_t number_arg(int argc, char **argv, int i)
{
	uint64_t n;

	if (i >= argc || str_u64(argv[i], 0, UINT64_MAX, &n)) {
		fprintf(stderr, "usage: %s WHAT NUMBER...\n", argv[0]);
		exit(2);
	}
	return n;
}

/* ---- what was lost ---- */

struct mark {
	uint32_t got, last;
};

static inline struct mark mark_of(const struct person *sub,
	const struct person *pub, unsigned kind)
{
	const struct heard *h = &sub->heard[pub->number * 2 + kind];

	return (struct mark){ h->got, h->last };
}

/* In per cent, of what was sent since the mark. */
static inline double lost_since(const struct person *sub,
	const struct person *pub, unsigned kind, struct mark m)
{
	const struct heard *h = &sub->heard[pub->number * 2 + kind];
	double sent = h->last - m.last, got = h->got - m.got;

	return sent > 0 ? MAX(0, 100 * (sent - got) / sent) : 100;
}

struct hearing {
	const struct person *sub, *pub;
};

/* For world_until. */
static inline bool hears(void *arg)
{
	const struct hearing *h = arg;
	const struct person *sub = h->sub, *pub = h->pub;

	return sub->heard[pub->number * 2 + AUDIO].got &&
		sub->heard[pub->number * 2 + VIDEO].got;
}

/* One who talks, and one who hears him. */
static inline void world_call(struct world *w, struct person **pub,
	struct person **sub)
{
	struct hearing h;

	*pub = world_join(w, true);
	*sub = world_join(w, false);
	h = (struct hearing){ *sub, *pub };
	if (!world_until(w, hears, &h))
		give_up("a call", "nothing is heard");
}

#endif
