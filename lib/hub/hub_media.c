/* Media as people ask for it: each request becomes one to the relay, which
 * may have to register first. Results do not stand in the log, so nothing
 * here waits for a commit. */
#include <stdio.h>
#include "hub_priv.h"

#define SDP_MAX    61440
#define WANTS_MAX  128
#define CHECK_MAX  16

enum op_kind { OP_PUBLISH, OP_SUBSCRIBE, OP_ANSWER, OP_CHECK };

/* Names, not pointers: who asked may be gone when the answer comes. */
struct media_op {
	struct media_wait wait;
	struct ctl_call *call;
	enum op_kind kind;
	char user[STR_ID_CAP];
	char transport[STR_ID_CAP];
	json_t *params;
	bool again;        /* its first relay was lost over it */
};

static void op_free(struct media_op *op)
{
	list_remove(&op->wait.link);
	json_decref(op->params);
	free(op);
}

static void op_fail(struct media_op *op, const char *kind, const char *why)
{
	ctl_fail(op->call, kind, "%s", why);
	op_free(op);
}

/* The member, while the meeting and the seat are there. */
static struct member *op_member(const struct media_op *op, struct room **r)
{
	*r = map_gets(op->wait.hub->rooms, op->wait.room);
	if (!*r || !(*r)->meet || !meet_seat((*r)->meet, op->user))
		return NULL;
	return member_find(*r, op->user);
}

/* --- Transports ----------------------------------------------------------- */

struct relay *media_relay(const struct hub *h, const struct room *r)
{
	list_each(l, next, &h->relays) {
		struct relay *w = list_entry(l, struct relay, link);

		if (!w->leaving && !w->peer->gone && !w->peer->closing &&
			(!r || !r->relay || r->relay == w))
			return w;
	}
	return NULL;
}

bool media_place(struct room *r)
{
	struct relay *w = media_relay(r->hub, r);

	if (w && !r->relay)
		hold_room(r, w, false);
	return w;
}

static void start_or_wait(struct media_op *op);

/* The relay ends, or has: the next one is asked. */
static bool ask_again(struct media_op *op, struct room *r,
	const struct ctl_error *err)
{
	bool drains = str_eq(err->kind, "draining");

	if (drains && r && r->relay)
		r->relay->leaving = true;
	if ((!drains && !str_eq(err->kind, "unavailable")) || op->again ||
		op->wait.hub->draining)
		return false;
	op->again = true;
	start_or_wait(op);
	return true;
}

static void send_wants(struct room *r, const struct member *m)
{
	char endpoint[STR_ID_CAP];

	if (!r->relay || !m->wants || !*m->transport[SUBSCRIBE])
		return;
	endpoint_of(endpoint, m->user);
	relay_tell(r->relay, "endpoint.want", json_pack("{s:s, s:s, s:O}",
		"room", r->id, "endpoint", endpoint, "tracks", m->wants));
}

static void created(void *arg, const json_t *result,
	const struct ctl_error *err)
{
	struct media_op *op = arg;
	int d = op->kind == OP_PUBLISH ? PUBLISH : SUBSCRIBE;
	struct room *r;
	struct member *m = op_member(op, &r);
	bool lost = m && !*m->transport[d];
	json_t *o;

	if (m && !str_eq(m->transport[d], op->transport))
		m = NULL; /* replaced, or lost with its relay */
	if (err) {
		if (m)
			*m->transport[d] = '\0';
		/* It stands in line, and will be made after all. */
		if (r && r->relay && str_eq(err->kind, "timeout"))
			relay_tell(r->relay, "transport.close", json_pack(
				"{s:s}", "transport", op->transport));
		if ((!m && !lost) || !ask_again(op, r, err))
			op_fail(op, err->kind, err->message);
		return;
	}
	if (!m) {
		op_fail(op, "unavailable", "the transport was closed again");
		return;
	}
	o = json_pack("{s:O?, s:s}", "sdp", json_object_get(result, "sdp"),
		"transport", op->transport);
	if (d == SUBSCRIBE) {
		json_object_set(o, "slots", json_object_get(result, "slots"));
		send_wants(r, m);
	}
	ctl_reply(op->call, o);
	op_free(op);
}

/* What could not even be asked: its relay has gone, which we had not noticed
 * before (relay_ask closes it then). */
static void unheard(struct media_op *op)
{
	if (op->again || op->wait.hub->draining) {
		op_fail(op, "unavailable", "the media server does not answer");
		return;
	}
	op->again = true;
	start_or_wait(op);
}

/* The grant goes along, so that there is no moment without one. */
static json_t *create_json(const struct media_op *op, const struct room *r)
{
	bool publish = op->kind == OP_PUBLISH;
	char endpoint[STR_ID_CAP];

	endpoint_of(endpoint, op->user);
	return json_pack("{s:s, s:I, s:s, s:s, s:s, s:o, s:O*, s:O*}",
		"room", r->id, "epoch", (json_int_t)r->epoch, "endpoint",
		endpoint,
		"transport", op->transport, "direction", publish ? "publish" :
		"subscribe", "grant", grant_json(r, op->user), "sdp",
		publish ? json_object_get(op->params, "sdp") : NULL,
		"confirm", publish ? NULL :
		json_object_get(op->params, "confirm"));
}

static void start_create(struct media_op *op, struct room *r,
	struct member *m)
{
	int d = op->kind == OP_PUBLISH ? PUBLISH : SUBSCRIBE;
	uint8_t random[16];

	if (!media_place(r)) {
		op_fail(op, "unavailable", "no media server is running");
		return;
	}
	if (*m->transport[d])
		relay_tell(r->relay, "transport.close", json_pack("{s:s}",
			"transport", m->transport[d]));
	io_random(random, sizeof(random));
	str_id(op->transport, 't', random);
	str_copy(m->transport[d], STR_ID_CAP, op->transport);
	if (d == PUBLISH)
		m->off = 0;
	if (d == SUBSCRIBE) {
		slots_clear(m);
		json_decref(m->offer);
		m->offer = NULL;
	}
	if (relay_ask(r->relay, "transport.create", create_json(op, r),
		created, op) < 0) {
		*m->transport[d] = '\0';
		unheard(op);
	}
}

/* --- The other requests --------------------------------------------------- */

static void answered(void *arg, const json_t *result,
	const struct ctl_error *err)
{
	struct media_op *op = arg;

	(void)result;
	if (err) {
		op_fail(op, err->kind, err->message);
		return;
	}
	ctl_reply(op->call, NULL);
	op_free(op);
}

static void start_answer(struct media_op *op, struct room *r,
	struct member *m)
{
	if (!r->relay || !str_eq(op->transport, m->transport[SUBSCRIBE])) {
		op_fail(op, "not_found", "there is no such transport");
		return;
	}
	json_decref(m->offer);
	m->offer = NULL;
	if (relay_ask(r->relay, "transport.answer", json_pack("{s:s, s:O}",
		"transport", op->transport, "sdp",
		json_object_get(op->params, "sdp")), answered, op) < 0)
		op_fail(op, "unavailable", "the media server does not answer");
}

/* Which transports are no more; and, for those that are, what was told while
 * the client was not there. */
static void start_check(struct media_op *op, struct room *r,
	struct member *m)
{
	json_t *gone = json_array(), *v;
	size_t i;

	json_array_foreach(json_object_get(op->params, "transports"), i, v) {
		const char *id = json_string_value(v);

		if (!id || !*id || (!str_eq(id, m->transport[PUBLISH]) &&
			!str_eq(id, m->transport[SUBSCRIBE])))
			json_array_append(gone, v);
	}
	ctl_reply(op->call, json_pack("{s:o}", "gone", gone));
	slots_tell(m, true);
	if (m->offer)
		transient(r, m, "media.renegotiate", "system",
			json_incref(m->offer));
	op_free(op);
}

static void want(struct peer *p, struct ctl_call *call,
	const json_t *params)
{
	const char *bad = NULL;
	json_t *tracks = json_arr(params, "tracks", &bad), *v;
	json_t *list = json_array();
	size_t i;

	if (bad || !tracks || json_array_size(tracks) > WANTS_MAX)
		bad = "tracks";
	json_array_foreach(tracks, i, v) {
		const char *user = json_str(v, "user", &bad);
		const char *source = json_str(v, "source", &bad);
		int64_t height = json_int(v, "height", 0, &bad);
		bool stage = json_flag(v, "stage", false, &bad);
		char endpoint[STR_ID_CAP];

		if (!user || !str_is_id(user, 'u'))
			bad = "user";
		if (!source || !meet_source(source))
			bad = "source";
		if (height < 0 || height > 8192)
			bad = "height";
		if (bad)
			break;
		endpoint_of(endpoint, user);
		json_array_append_new(list, json_pack("{s:s, s:s, s:I, s:b}",
			"endpoint", endpoint, "source", source, "height",
			(json_int_t)height, "stage", stage));
	}
	if (bad) {
		json_decref(list);
		ctl_fail(call, "invalid", "%s: not as conf-ctl(7) says", bad);
		return;
	}
	json_decref(p->member->wants);
	p->member->wants = list;
	send_wants(p->member->room, p->member);
	ctl_reply(call, NULL);
}

/* The client has covered a slot: the relay may fill it. */
static void confirm(struct peer *p, struct ctl_call *call,
	const json_t *params)
{
	const char *bad = NULL;
	const char *transport = json_str(params, "transport", &bad);
	const char *mid = json_str(params, "mid", &bad);
	int64_t turn = json_int(params, "turn", -1, &bad);
	struct member *m = p->member;

	if (!transport || !mid || turn < 0)
		bad = "transport, mid and turn";
	if (bad) {
		ctl_fail(call, "invalid", "%s: not as conf-ctl(7) says", bad);
		return;
	}
	if (!m->room->relay || !str_eq(transport, m->transport[SUBSCRIBE])) {
		ctl_fail(call, "not_found", "there is no such transport");
		return;
	}
	relay_tell(m->room->relay, "slot.confirm", json_pack(
		"{s:s, s:s, s:I}", "transport", transport, "mid", mid, "turn",
		(json_int_t)turn));
	ctl_reply(call, NULL);
}

/* Sources that were stopped: the relay need not find out by their silence,
 * and nothing of them is forwarded until they are taken off the list. */
static void off(struct peer *p, struct ctl_call *call, const json_t *params)
{
	const char *bad = NULL;
	json_t *sources = json_arr(params, "sources", &bad), *v;
	unsigned bits = 0;
	size_t i;

	if (!sources)
		bad = "sources";
	json_array_foreach(sources, i, v) {
		const char *name = json_string_value(v);

		if (!name || !meet_source(name))
			bad = "sources";
		else
			bits |= meet_source(name);
	}
	if (bad) {
		ctl_fail(call, "invalid", "%s: not as conf-ctl(7) says", bad);
		return;
	}
	p->member->off = bits;
	grant_send(p->member->room, p->id);
	ctl_reply(call, NULL);
}

/* --- Waiting for a relay -------------------------------------------------- */

static void op_start(struct media_wait *w)
{
	struct media_op *op = list_entry(w, struct media_op, wait);
	struct room *r;
	struct member *m = op_member(op, &r);

	if (!m)
		op_fail(op, "denied", "join the meeting first");
	else if (op->kind == OP_ANSWER)
		start_answer(op, r, m);
	else if (op->kind == OP_CHECK)
		start_check(op, r, m);
	else
		start_create(op, r, m);
}

static void op_failed(struct media_wait *w, const char *kind,
	const char *why)
{
	op_fail(list_entry(w, struct media_op, wait), kind, why);
}

static void wait_next(struct hub *h)
{
	if (!list_empty(&h->waiting))
		io_timer_at(h->relay_timer, list_entry(h->waiting.next,
			struct media_wait, link)->until_ns);
}

static bool may_start(const struct media_wait *w)
{
	return media_relay(w->hub, map_gets(w->hub->rooms, w->room));
}

void media_wait(struct media_wait *w)
{
	struct hub *h = w->hub;

	if (may_start(w)) {
		w->start(w);
		return;
	}
	w->until_ns = io_now_ns() + HUB_RELAY_WAIT_MS * NS_PER_MS;
	list_append(&h->waiting, &w->link);
	wait_next(h);
}

/* Of a kind one waits for each user: who asks again means the new one. */
static void start_or_wait(struct media_op *op)
{
	list_each(l, next, &op->wait.hub->waiting) {
		struct media_wait *w = list_entry(l, struct media_wait, link);
		struct media_op *o = list_entry(w, struct media_op, wait);

		if (w->start == op_start && o->kind == op->kind &&
			str_eq(o->user, op->user) &&
			str_eq(w->room, op->wait.room) &&
			!may_start(&op->wait))
			op_fail(o, "unavailable", "asked again meanwhile");
	}
	media_wait(&op->wait);
}

void media_ready(struct hub *h)
{
	list_each(l, next, &h->waiting) {
		struct media_wait *w = list_entry(l, struct media_wait, link);

		if (!may_start(w))
			continue;
		list_remove(&w->link);
		w->start(w);
	}
}

/* No relay came: what depends on one fails, and no transport is left. */
void media_late(void *arg)
{
	struct hub *h = arg;
	uint64_t now = io_now_ns();

	list_each(l, next, &h->waiting) {
		struct media_wait *w = list_entry(l, struct media_wait, link);

		if (w->until_ns > now)
			break;
		list_remove(&w->link);
		w->start(w);
	}
	wait_next(h);
}

void media_free(struct hub *h)
{
	list_each(l, next, &h->waiting) {
		struct media_wait *w = list_entry(l, struct media_wait, link);

		list_remove(&w->link);
		w->fail(w, "unavailable", "the server ends");
	}
}

/* --- The methods ---------------------------------------------------------- */

/* What is wrong with the params, or NULL. */
static const char *op_fault(const struct media_op *op)
{
	const char *bad = NULL;
	const char *sdp = json_str(op->params, "sdp", &bad);
	const char *transport = json_str(op->params, "transport", &bad);
	const json_t *list = json_arr(op->params, "transports", &bad);

	if (bad)
		return bad;
	if ((op->kind == OP_PUBLISH || op->kind == OP_ANSWER) &&
		(!sdp || !*sdp || strlen(sdp) > SDP_MAX))
		return "sdp";
	if (json_flag(op->params, "confirm", false, &bad), bad)
		return "confirm";
	if (op->kind == OP_ANSWER &&
		(!transport || !str_is_id(transport, 't')))
		return "transport";
	if (op->kind == OP_CHECK && (!list ||
		json_array_size(list) > CHECK_MAX))
		return "transports";
	return NULL;
}

void media_run(struct peer *p, struct ctl_call *call, const char *method,
	const json_t *params)
{
	static const char *const names[] = {[OP_PUBLISH] = "media.publish",
		[OP_SUBSCRIBE] = "media.subscribe",
		[OP_ANSWER] = "media.answer", [OP_CHECK] = "media.check"};
	struct media_op *op;
	const char *bad;

	if (str_eq(method, "media.want")) {
		want(p, call, params);
		return;
	}
	if (str_eq(method, "media.confirm")) {
		confirm(p, call, params);
		return;
	}
	if (str_eq(method, "media.off")) {
		off(p, call, params);
		return;
	}
	op = calloc(1, sizeof(*op));
	if (!op) {
		ctl_fail(call, "internal", "out of memory");
		return;
	}
	list_init(&op->wait.link);
	op->wait.hub = p->hub;
	op->wait.start = op_start;
	op->wait.fail = op_failed;
	op->call = call;
	while (!str_eq(names[op->kind], method))
		op->kind++;
	str_copy(op->wait.room, MEET_ID_CAP, p->member->room->id);
	str_copy(op->user, sizeof(op->user), p->id);
	op->params = json_deep_copy(params);
	bad = op_fault(op);
	if (bad) {
		ctl_fail(call, "invalid", "%s: not as conf-ctl(7) says", bad);
		op_free(op);
		return;
	}
	if (op->kind == OP_ANSWER)
		str_copy(op->transport, STR_ID_CAP, json_string_value(
			json_object_get(params, "transport")));
	start_or_wait(op);
}
