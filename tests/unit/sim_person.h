/* sim_person - somebody with a page: a WebSocket to the hub that comes back
 * by itself, a seat, and two transports that are made anew when they are
 * told gone. It does what lib/web/www/control.js and media.js do.
 *
 * sim_poll reads what has come and does what is due; it returns true if that
 * was anything.
 */
#ifndef SIM_PERSON_H
#define SIM_PERSON_H

#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>

#include "base.h"
#include "io.h"
#include "json.h"
#include "sim_loop.h"

#define SIM_PCS   4096
#define SIM_SLOTS 32
#define SIM_ASKS  32

enum { SIM_PUB, SIM_SUB, SIM_SIDES };
enum sim_asked { SIM_HELLO, SIM_JOIN, SIM_FOLLOW, SIM_CHECK, SIM_BEGIN_PUB,
	SIM_BEGIN_SUB, SIM_ANSWER, SIM_CONFIRM, SIM_ACT };

struct sim_person;
struct sim_pc {
	struct sim_person *who;
	bool open;  /* the page holds it */
	bool ready; /* both descriptions are there */
	bool echo;  /* of a test of sound */
};
static struct sim_pc sim_pcs[SIM_PCS];
static int sim_n_pcs;
static char sim_rerun[200]; /* said when something is broken */

struct sim_side {
	char transport[STR_ID_CAP];
	int pc; /* -1: none */
	bool busy;
	unsigned tries;
	uint64_t again_ns; /* 0: no */
};

struct sim_slot {
	char mid[8];
	char user[STR_ID_CAP];
	bool live; /* the page shows what comes */
};

struct sim_ask {
	int id;
	enum sim_asked what;
	int pc;
};

struct sim_person {
	const char *name;
	const char *path; /* of signal.sock: an operator, who has no media */
	const char *follows; /* an operator: this meeting */
	char token[1024];
	char session[64];
	char user[STR_ID_CAP];
	union io_addr server;
	bool started;
	bool joins;       /* wants a seat, and media */
	unsigned end;     /* close code after which there is no coming back */
	int fd;           /* -1: not connected */
	bool upgraded;
	bool up;          /* greeted */
	uint64_t dial_ns;
	uint64_t delay_ms;
	struct buf in;
	int last_id;
	struct sim_ask asks[SIM_ASKS];
	unsigned n_asks;
	uint64_t seq;     /* of the last event had */
	struct sim_side side[SIM_SIDES];
	struct sim_slot slots[SIM_SLOTS];
	json_t *early;    /* slot events before the offer that they are of */
	json_t *act;      /* result of the last sim_ask_act, or NULL */
	char act_kind[32]; /* "": none yet; "ok", or of its refusal */
	unsigned remade;  /* transports that were told gone */
	/* An event of the log, in order; for whoever keeps track. */
	void (*on_event)(void *arg, struct sim_person *p, const json_t *e);
	void *arg;
};

PRINTF(1, 2)
static inline void sim_die(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fprintf(stderr, "broken: ");
	vfprintf(stderr, fmt, ap);
	fprintf(stderr, "\nat %.3f s; run again: %s\n",
		(double)(sim_ns - SIM_START_NS) / 1e9, sim_rerun);
	va_end(ap);
	fflush(NULL);
	_exit(1);
}
#define SIM_NEED(x, ...) do { if (!(x)) sim_die(__VA_ARGS__); } while (0)

static inline const char *sim_text(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : "";
}

/* ---- frames ---- */

static inline void sim_send_all(int fd, const void *p, size_t n)
{
	const char *at = p;

	while (n) {
		ssize_t k = send(fd, at, n, MSG_NOSIGNAL);

		if (k <= 0)
			return; /* it is gone; its end is read later */
		at += k;
		n -= (size_t)k;
	}
}

/* Masked with zeros; of an operator a line. */
static inline void sim_frame(struct sim_person *p, unsigned opcode,
	const void *text, size_t n)
{
	struct buf b = {0};

	if (p->path) {
		sim_send_all(p->fd, text, n);
		sim_send_all(p->fd, "\n", 1);
		return;
	}
	buf_u8(&b, (uint8_t)(0x80 | opcode));
	if (n < 126) {
		buf_u8(&b, (uint8_t)(0x80 | n));
	} else {
		buf_u8(&b, 0x80 | 126);
		buf_u16(&b, (uint16_t)n);
	}
	buf_u32(&b, 0);
	buf_put(&b, text, n);
	sim_send_all(p->fd, b.data, b.len);
	buf_free(&b);
}

static inline int sim_call(struct sim_person *p, enum sim_asked what, int pc,
	const char *method, json_t *params)
{
	json_t *o = json_pack("{s:s, s:i, s:s, s:o}", "jsonrpc", "2.0", "id",
		++p->last_id, "method", method, "params", params);
	char *text = json_dumps(o, JSON_COMPACT);

	SIM_NEED(p->n_asks < SIM_ASKS, "%s asks too much", p->name);
	p->asks[p->n_asks++] = (struct sim_ask){p->last_id, what, pc};
	sim_frame(p, 1, text, strlen(text));
	free(text);
	json_decref(o);
	return p->last_id;
}

/* ---- media ---- */

static inline int sim_pc_new(struct sim_person *p)
{
	SIM_NEED(sim_n_pcs < SIM_PCS, "too many connections are made");
	sim_pcs[sim_n_pcs] = (struct sim_pc){.who = p, .open = true};
	return sim_n_pcs++;
}

static inline void sim_side_end(struct sim_side *s)
{
	if (s->pc >= 0)
		sim_pcs[s->pc].open = false;
	*s = (struct sim_side){.pc = -1, .tries = s->tries};
}

static inline void sim_begin(struct sim_person *p, int kind)
{
	struct sim_side *s = &p->side[kind];
	char sdp[32];

	sim_side_end(s);
	s->busy = true;
	s->pc = sim_pc_new(p);
	snprintf(sdp, sizeof(sdp), "pub %d", s->pc);
	if (!p->up)
		s->again_ns = sim_ns; /* the call is refused at once */
	else if (kind == SIM_PUB)
		sim_call(p, SIM_BEGIN_PUB, s->pc, "media.publish",
			json_pack("{s:s}", "sdp", sdp));
	else
		sim_call(p, SIM_BEGIN_SUB, s->pc, "media.subscribe",
			json_pack("{s:b}", "confirm", 1));
}

/* It failed: another time. */
static inline void sim_again(struct sim_person *p, int kind)
{
	static const unsigned ms[] = {100, 250, 500, 1000};
	struct sim_side *s = &p->side[kind];

	s->busy = false;
	if (!p->joins || s->again_ns)
		return;
	s->again_ns = sim_ns + ms[MIN(s->tries, 3)] * NS_PER_MS;
	s->tries++;
}

static inline void sim_redo(struct sim_person *p, const json_t *transports)
{
	json_t *v;
	size_t i;

	json_array_foreach(transports, i, v)
		for (int k = 0; k < SIM_SIDES && p->joins; k++)
			if (*p->side[k].transport && str_eq(
				p->side[k].transport, json_string_value(v))) {
				p->remade++;
				sim_begin(p, k);
			}
}

/* His network fails for a moment: both ends see it. */
static inline void sim_break(struct sim_person *p)
{
	for (int k = 0; k < SIM_SIDES && p->started; k++)
		if (p->side[k].pc >= 0) {
			sim_pcs[p->side[k].pc].open = false;
			sim_again(p, k);
		}
}

static inline void sim_slot_event(struct sim_person *p, const json_t *d)
{
	struct sim_slot *s = p->slots;
	bool live = !!json_object_get(d, "rtp_ts");

	while (s < p->slots + SIM_SLOTS - 1 && *s->mid &&
		!str_eq(s->mid, sim_text(d, "mid")))
		s++;
	if (live) {
		s->live |= str_eq(s->user, sim_text(d, "user"));
		return;
	}
	str_copy(s->mid, sizeof(s->mid), sim_text(d, "mid"));
	str_copy(s->user, sizeof(s->user), sim_text(d, "user"));
	s->live = false;
	/* It is covered: now his picture may come. */
	if (json_object_get(d, "confirm"))
		sim_call(p, SIM_CONFIRM, -1, "media.confirm", json_pack(
			"{s:O, s:O, s:O}", "transport", json_object_get(d,
			"transport"), "mid", json_object_get(d, "mid"),
			"turn", json_object_get(d, "confirm")));
}

static inline const struct sim_slot *sim_slot(const struct sim_person *p,
	unsigned line)
{
	static const struct sim_slot none;
	char mid[16];

	snprintf(mid, sizeof(mid), "%u", line);
	for (int i = 0; i < SIM_SLOTS; i++)
		if (str_eq(p->slots[i].mid, mid))
			return &p->slots[i];
	return &none;
}

/* Who is in this slot, as the page knows it. */
static inline const char *sim_in_slot(const struct sim_person *p,
	unsigned line)
{
	return sim_slot(p, line)->user;
}

static inline void sim_got_offer(struct sim_person *p, int pc,
	const json_t *result)
{
	struct sim_side *s = &p->side[SIM_SUB];
	char sdp[32];
	json_t *e;
	size_t i;

	str_copy(s->transport, sizeof(s->transport),
		sim_text(result, "transport"));
	memset(p->slots, 0, sizeof(p->slots));
	json_array_foreach(p->early, i, e)
		if (str_eq(sim_text(e, "transport"), s->transport))
			sim_slot_event(p, e);
	json_array_clear(p->early);
	snprintf(sdp, sizeof(sdp), "sub %d", pc);
	sim_pcs[pc].ready = true;
	sim_call(p, SIM_ANSWER, pc, "media.answer", json_pack("{s:s, s:s}",
		"transport", s->transport, "sdp", sdp));
}

/* ---- what comes ---- */

static inline void sim_event(struct sim_person *p, const json_t *e)
{
	const json_t *d = json_object_get(e, "data");
	const char *type = sim_text(e, "type");
	uint64_t seq = (uint64_t)json_integer_value(json_object_get(e, "seq"));

	if (seq) {
		SIM_NEED(seq > p->seq, "%s gets event %u after %u", p->name,
			(unsigned)seq, (unsigned)p->seq);
		p->seq = seq;
		if (p->on_event)
			p->on_event(p->arg, p, e);
	} else if (str_eq(type, "media.reset")) {
		sim_redo(p, json_object_get(d, "transports"));
	} else if (str_eq(type, "media.renegotiate")) {
		sim_die("nobody has five cameras");
	} else if (str_eq(type, "slot.assigned") || str_eq(type,
		"slot.live")) {
		if (*p->side[SIM_SUB].transport && str_eq(sim_text(d,
			"transport"), p->side[SIM_SUB].transport))
			sim_slot_event(p, d);
		else if (p->side[SIM_SUB].busy)
			json_array_append(p->early, (json_t *)(uintptr_t)d);
	}
}

static inline void sim_failed(struct sim_person *p, const struct sim_ask *a,
	const char *kind)
{
	if (a->what == SIM_ACT)
		str_copy(p->act_kind, sizeof(p->act_kind), kind);
	for (int k = 0; k < SIM_SIDES; k++)
		if (a->pc >= 0 && p->side[k].pc == a->pc)
			sim_again(p, k);
}

static inline void sim_follow(struct sim_person *p)
{
	sim_call(p, SIM_FOLLOW, -1, "events.follow", json_pack(
		"{s:I, s:s*}", "since", (json_int_t)p->seq, "meeting",
		p->follows));
}

static inline void sim_join(struct sim_person *p)
{
	sim_call(p, SIM_JOIN, -1, "user.join", json_pack("{s:s}", "name",
		p->name));
}

/* As after each hello of the page. */
static inline void sim_followed(struct sim_person *p)
{
	json_t *have = json_array();

	for (int k = 0; k < SIM_SIDES; k++)
		if (*p->side[k].transport)
			json_array_append_new(have, json_string(
				p->side[k].transport));
	sim_call(p, SIM_CHECK, -1, "media.check", json_pack("{s:o}",
		"transports", have));
}

static inline void sim_answered(struct sim_person *p, const struct sim_ask *a,
	const json_t *r)
{
	struct sim_side *s = &p->side[a->what == SIM_BEGIN_PUB ? SIM_PUB :
		SIM_SUB];

	switch (a->what) {
	case SIM_HELLO:
		if (*sim_text(r, "session"))
			str_copy(p->session, sizeof(p->session),
				sim_text(r, "session"));
		str_copy(p->user, sizeof(p->user), sim_text(r, "user"));
		p->up = true;
		p->delay_ms = 0;
		if (p->joins)
			sim_join(p);
		else if (p->follows)
			sim_follow(p);
		break;
	case SIM_JOIN:
		if (!p->seq)
			p->seq = (uint64_t)json_integer_value(
				json_object_get(r, "seq"));
		sim_follow(p);
		break;
	case SIM_FOLLOW:
		if (p->joins)
			sim_followed(p);
		break;
	case SIM_CHECK:
		sim_redo(p, json_object_get(r, "gone"));
		for (int k = 0; k < SIM_SIDES && p->joins; k++)
			if (!*p->side[k].transport && !p->side[k].busy)
				sim_begin(p, k);
		break;
	case SIM_BEGIN_PUB:
		if (s->pc != a->pc)
			break;
		str_copy(s->transport, sizeof(s->transport),
			sim_text(r, "transport"));
		sim_pcs[a->pc].ready = true;
		s->busy = false;
		s->tries = 0;
		break;
	case SIM_BEGIN_SUB:
		if (s->pc == a->pc)
			sim_got_offer(p, a->pc, r);
		break;
	case SIM_ANSWER:
		if (s->pc != a->pc)
			break;
		s->busy = false;
		s->tries = 0;
		break;
	case SIM_CONFIRM:
		break;
	case SIM_ACT:
		str_copy(p->act_kind, sizeof(p->act_kind), "ok");
		json_decref(p->act);
		p->act = json_deep_copy(r);
		break;
	}
}

static inline void sim_message(struct sim_person *p, const char *text,
	size_t n)
{
	json_t *m = json_loadb(text, n, 0, NULL);
	const json_t *e = json_object_get(m, "error");
	int id = (int)json_integer_value(json_object_get(m, "id"));

	SIM_NEED(m, "%s gets no JSON: %.*s", p->name, (int)n, text);
	if (str_eq(sim_text(m, "method"), "event"))
		sim_event(p, json_object_get(m, "params"));
	for (unsigned i = 0; i < p->n_asks; i++) {
		struct sim_ask a = p->asks[i];

		if (json_object_get(m, "method") || a.id != id)
			continue;
		p->asks[i] = p->asks[--p->n_asks];
		if (e)
			sim_failed(p, &a, sim_text(json_object_get(e, "data"),
				"kind"));
		else
			sim_answered(p, &a, json_object_get(m, "result"));
		break;
	}
	json_decref(m);
}

/* ---- the connection ---- */

static inline void sim_lost(struct sim_person *p)
{
	struct sim_ask asks[SIM_ASKS];
	unsigned n = p->n_asks;

	close(p->fd);
	p->fd = -1;
	p->upgraded = p->up = false;
	buf_clear(&p->in);
	p->dial_ns = sim_ns + p->delay_ms * NS_PER_MS;
	p->delay_ms = MIN(1000, p->delay_ms ? 2 * p->delay_ms : 100);
	memcpy(asks, p->asks, sizeof(asks));
	p->n_asks = 0;
	for (unsigned i = 0; i < n; i++)
		sim_failed(p, &asks[i], "closed");
}

static inline void sim_dial(struct sim_person *p)
{
	static const char up[] = "GET /ws HTTP/1.1\r\nHost: localhost\r\n"
		"Upgrade: websocket\r\nConnection: Upgrade\r\n"
		"Sec-WebSocket-Version: 13\r\n"
		"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n";
	json_t *hello = json_pack("{s:[i], s:s, s:s, s:s}", "protocol", 1,
		"agent", "sim/1", "role", "client", *p->session ? "session" :
		"token", *p->session ? p->session : p->token);

	if (p->path) {
		p->fd = io_unix_connect(p->path);
		SIM_NEED(p->fd >= 0, "%s: %s", p->path, strerror(-p->fd));
		p->upgraded = true;
		json_object_del(hello, "token");
		sim_call(p, SIM_HELLO, -1, "hello", hello);
		return;
	}
	p->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	SIM_NEED(!connect(p->fd, &p->server.sa, io_addr_len(&p->server)),
		"connect: %s", strerror(errno));
	sim_send_all(p->fd, up, sizeof(up) - 1);
	sim_call(p, SIM_HELLO, -1, "hello", hello);
}

static inline void sim_closed(struct sim_person *p, unsigned code)
{
	if (code == 4403 || code == 4409 || code == 4410 || code == 4401) {
		p->end = code;
		p->joins = false; /* and goes on sending: see if he can */
	}
	sim_lost(p);
}

static inline bool sim_take_line(struct sim_person *p)
{
	char *end = p->in.len ? memchr(p->in.data, '\n', p->in.len) : NULL;
	char *text;

	if (!end)
		return false;
	text = strndup((char *)p->in.data, (size_t)(end -
		(char *)p->in.data));
	buf_consume(&p->in, strlen(text) + 1);
	sim_message(p, text, strlen(text));
	free(text);
	return p->fd >= 0;
}

/* One frame of the server's off the front; false if there is none. */
static inline bool sim_take_frame(struct sim_person *p)
{
	struct rd r = rd_of(p->in.data, p->in.len);
	unsigned op = rd_u8(&r) & 15;
	uint64_t n = rd_u8(&r);
	const uint8_t *body;
	char *text;

	n = n == 126 ? rd_u16(&r) : n == 127 ? rd_u64(&r) : n;
	body = rd_bytes(&r, n);
	if (!body || r.bad)
		return false;
	text = malloc(n + 1);
	memcpy(text, body, n);
	buf_consume(&p->in, (size_t)(r.p - p->in.data));
	if (op == 1)
		sim_message(p, text, n);
	else if (op == 9)
		sim_frame(p, 10, text, n);
	else if (op == 8)
		sim_closed(p, n < 2 ? 1005 : be16((uint8_t *)text));
	free(text);
	return p->fd >= 0;
}

static inline bool sim_read(struct sim_person *p)
{
	char block[65536];
	ssize_t n = recv(p->fd, block, sizeof(block), MSG_DONTWAIT);
	const char *end;

	if (n < 0 && errno == EAGAIN)
		return false;
	if (n <= 0) {
		sim_lost(p);
		return true;
	}
	buf_put(&p->in, block, (size_t)n);
	if (!p->upgraded) {
		end = strstr(buf_cstr(&p->in), "\r\n\r\n");
		if (!end)
			return true;
		SIM_NEED(str_starts((char *)p->in.data, "HTTP/1.1 101"),
			"%s: %s", p->name, buf_cstr(&p->in));
		buf_consume(&p->in, (size_t)(end + 4 - (char *)p->in.data));
		p->upgraded = true;
	}
	while (p->path ? sim_take_line(p) : sim_take_frame(p))
		;
	return true;
}

static inline bool sim_poll(struct sim_person *p)
{
	bool did = false;

	if (!p->started)
		return false;
	if (p->fd < 0 && !p->end && sim_ns >= p->dial_ns) {
		sim_dial(p);
		did = true;
	}
	if (p->fd >= 0)
		did |= sim_read(p);
	for (int k = 0; k < SIM_SIDES; k++) {
		struct sim_side *s = &p->side[k];

		if (!s->again_ns || sim_ns < s->again_ns)
			continue;
		s->again_ns = 0;
		did = true;
		if (p->joins && p->up)
			sim_begin(p, k);
		else
			sim_side_end(s);
	}
	return did;
}

static inline uint64_t sim_person_wake(const struct sim_person *p)
{
	uint64_t t = UINT64_MAX;

	if (p->started && p->fd < 0 && !p->end)
		t = p->dial_ns;
	for (int k = 0; k < SIM_SIDES && p->started; k++)
		if (p->side[k].again_ns)
			t = MIN(t, p->side[k].again_ns);
	return t;
}

static inline void sim_person_start(struct sim_person *p, const char *token)
{
	str_copy(p->token, sizeof(p->token), token);
	p->started = p->joins = true;
	p->fd = -1;
	p->side[0].pc = p->side[1].pc = -1;
	p->early = json_array();
}

static inline void sim_person_free(struct sim_person *p)
{
	if (p->started && p->fd >= 0)
		close(p->fd);
	buf_free(&p->in);
	json_decref(p->early);
	json_decref(p->act);
}

#endif
