/* Relays: how they register, what they tell, and what is done when one is
 * lost. A relay outlives us, so what it holds is learned from it. */
#include <stdio.h>
#include "hub_priv.h"

#define ANSWER_MS 5000

/* --- Asking --------------------------------------------------------------- */

static void arm(struct relay *w)
{
	uint64_t due = ctl_deadline(w->peer->ctl);

	if (due != CTL_NEVER)
		io_timer_at(w->timer, due);
}

static void late(void *arg)
{
	struct relay *w = arg;

	ctl_tick(w->peer->ctl, io_now_ns());
	arm(w);
}

int relay_ask(struct relay *w, const char *method, json_t *params,
	ctl_done *done, void *arg)
{
	int err;

	if (!params)
		return -ENOMEM;
	err = ctl_request(w->peer->ctl, method, params, io_now_ns() +
		ANSWER_MS * NS_PER_MS, done, arg);
	if (err)
		peer_check(w->peer);
	else
		arm(w);
	return err;
}

static void told(void *arg, const json_t *result, const struct ctl_error *e)
{
	(void)result;
	/* What is gone already is as asked. */
	if (e && !str_eq(e->kind, "unavailable") &&
		!str_eq(e->kind, "not_found"))
		io_log(IO_WARN, "relay: %s: %s", (const char *)arg,
			e->message);
}

/* What it cannot be told, for lack of memory, it is told when it registers
 * anew. */
void relay_tell(struct relay *w, const char *method, json_t *params)
{
	if (relay_ask(w, method, params, told, (void *)(uintptr_t)method) < 0)
		peer_close(w->peer, CLOSE_RESTART, "out of memory");
}

/* --- Losing --------------------------------------------------------------- */

void relay_lost(struct relay *w)
{
	struct hub *h = w->peer->hub;
	struct room *r;
	size_t pos = 0;

	/* confd-run warns of a crash; at the end of everything this is how it
	 * should be. */
	io_log(h->draining ? IO_DEBUG : IO_INFO, "%s is gone", w->instance);
	w->peer->relay = NULL;
	while ((r = map_next(h->rooms, &pos, NULL, NULL)))
		if (r->relay == w)
			hold_lost(r);
	echo_relay_lost(w);
	list_remove(&w->link);
	io_timer_free(w->timer);
	json_decref(w->stats);
	free(w);
	if (!list_empty(&h->scrapes))
		hub_relay_counted(h);
	if (!h->draining)
		media_ready(h);
}

/* --- Registering ---------------------------------------------------------- */

/* What an endpoint still sends, against what the log says of it. */
static void learn_sources(struct room *r, struct relay *w, const char *user,
	const json_t *list)
{
	struct meet_actor a = {.party = MEET_WORKER, .id = w->peer->id};
	const struct meet_seat *seat = meet_seat(r->meet, user);
	unsigned live = 0, known = seat->sources;
	json_t *v;
	size_t i;

	json_array_foreach(list, i, v) {
		unsigned bit = meet_source(json_string_value(v));

		if (bit && !(known & bit))
			hub_decide_quietly(r, &a, "media.started", json_pack(
				"{s:s, s:s}", "user", user, "source",
				meet_source_name(bit)));
		live |= bit;
	}
	hold_stop_sources(r, &a, user, known & ~live);
}

static void learn_transport(struct member *m, const json_t *o)
{
	const char *bad = NULL;
	const char *id = json_str(o, "transport", &bad);
	const char *direction = json_str(o, "direction", &bad);
	int d = str_eq(direction, "publish") ? PUBLISH :
		str_eq(direction, "bus") ? BUS : SUBSCRIBE;

	if (bad || !id || !str_is_id(id, 't') ||
		str_eq(json_str(o, "state", &bad), "closed"))
		return;
	str_copy(m->transport[d], STR_ID_CAP, id);
	if (d == SUBSCRIBE) /* which it tells by and by */
		slots_clear(m);
}

/* What its user stopped stays so: nothing else knows of it any more. */
static void learn_off(struct member *m, const json_t *grant)
{
	const json_t *publish = json_object_get(grant, "publish");
	json_t *v;
	size_t i;

	if (*m->transport[BUS])
		m->deaf = json_is_false(json_object_get(grant, "receive"));
	if (!*m->transport[PUBLISH] && !*m->transport[BUS])
		return;
	m->off = MEET_MIC | MEET_CAM | MEET_SCREEN | MEET_SCREEN_AUDIO;
	json_array_foreach(publish, i, v)
		m->off &= ~meet_source(json_string_value(v));
}

static void learn_endpoint(struct room *r, struct relay *w, const json_t *o)
{
	const char *bad = NULL;
	const json_t *transports = json_arr(o, "transports", &bad);
	const json_t *tracks = json_arr(o, "tracks", &bad);
	char user[STR_ID_CAP];
	struct member *m;
	json_t *v;
	size_t i;

	/* Who has no seat is dropped by the sync that follows. */
	if (!user_of(user, json_str(o, "endpoint", &bad)) ||
		!meet_seat(r->meet, user) || !(m = member_get(r, user)))
		return;
	json_array_foreach(transports, i, v)
		learn_transport(m, v);
	learn_off(m, json_object_get(o, "grant"));
	if (tracks)
		learn_sources(r, w, user, tracks);
}

/* Sources of seats that the relay has no publish transport of. */
static void forget_sources(struct room *r, struct relay *w)
{
	struct meet_actor a = {.party = MEET_WORKER, .id = w->peer->id};
	const struct meet_seat *s = NULL;

	while ((s = meet_seat_next(r->meet, s))) {
		const struct member *m = member_find(r, s->user);
		char user[STR_ID_CAP];

		if (!s->sources || (m && (*m->transport[PUBLISH] ||
			*m->transport[BUS])))
			continue;
		str_copy(user, sizeof(user), s->user);
		hold_stop_sources(r, &a, user, s->sources);
		s = meet_seat(r->meet, user);
	}
}

static void adopt(struct hub *h, struct relay *w, const json_t *o)
{
	const char *bad = NULL;
	const char *id = json_str(o, "room", &bad);
	int64_t epoch = json_int(o, "epoch", 0, &bad);
	struct room *r;
	json_t *v;
	size_t i;
	int err;

	if (bad || !id)
		return;
	r = room_find(h, id, &err);
	if (!r || !meet_open(r->meet) || r->relay ||
		epoch < (int64_t)r->epoch) {
		relay_tell(w, "room.remove", json_pack("{s:s}", "room", id));
		return;
	}
	r->epoch = (uint64_t)epoch;
	json_array_foreach(json_object_get(o, "endpoints"), i, v)
		learn_endpoint(r, w, v);
	forget_sources(r, w);
	hold_room(r, w, true);
}

static void listed(void *arg, const json_t *result,
	const struct ctl_error *e)
{
	struct peer *p = arg;
	json_t *room, *o;
	size_t i, k;

	if (e || !p->relay)
		return;
	json_array_foreach(json_object_get(result, "rooms"), i, room) {
		const char *id = json_string_value(json_object_get(room,
			"room"));
		struct room *r = id ? map_gets(p->hub->rooms, id) : NULL;

		json_array_foreach(json_object_get(room, "endpoints"), k, o) {
			char user[STR_ID_CAP];

			if (r && r->relay == p->relay && r->meet &&
				user_of(user, json_string_value(
				json_object_get(o, "endpoint"))) &&
				meet_seat(r->meet, user))
				learn_sources(r, p->relay, user,
					json_object_get(o, "tracks"));
		}
	}
}

void relay_reconcile(struct relay *w)
{
	relay_ask(w, "relay.list", json_object(), listed, w->peer);
}

static void counted(void *arg, const json_t *result, const struct ctl_error *e)
{
	struct peer *p = arg;

	if (!p->relay)
		return;
	p->relay->asking = false;
	if (!e) {
		json_decref(p->relay->stats);
		p->relay->stats = json_incref((json_t *)(uintptr_t)result);
		p->relay->stats_ns = io_now_ns();
	}
	hub_relay_counted(p->hub);
}

void relay_count(struct relay *w)
{
	if (!w->asking)
		w->asking = relay_ask(w, "relay.stats", json_object(), counted,
			w->peer) == 0;
}

static bool secret_ok(const struct hub *h, const char *who,
	const char *secret)
{
	uint8_t want[SHA256_BYTES], given[SHA256_BYTES];

	return secret && str_unhex(given, sizeof(given), secret) == 0 &&
		hmac_sha256(h->worker_key, sizeof(h->worker_key), who,
			strlen(who), want) == 0 &&
		mem_equal_ct(want, given, sizeof(want));
}

static struct relay *relay_new(struct peer *p, const char *instance)
{
	struct relay *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	w->timer = io_timer_new(p->hub->loop, late, w);
	if (!w->timer) {
		free(w);
		return NULL;
	}
	w->peer = p;
	str_copy(w->instance, sizeof(w->instance), instance);
	list_append(&p->hub->relays, &w->link);
	return w;
}

/* An older connection of the same instance is one that ended unseen. */
static void supersede(struct hub *h, const char *instance)
{
	list_each(l, next, &h->relays) {
		struct relay *w = list_entry(l, struct relay, link);

		if (str_eq(w->instance, instance)) {
			peer_close(w->peer, CLOSE_ELSEWHERE, "came again");
			relay_lost(w);
		}
	}
}

static void refuse(struct peer *p, struct ctl_call *call, const char *why)
{
	audit(p->hub, &(struct audit){.event = AUDIT_WORKER_REFUSED,
		.peer = p, .reason = why});
	if (peer_may_warn(p->hub))
		io_log(IO_WARN, "worker.sock: %s", why);
	p->close_code = CLOSE_POLICY;
	p->close_reason = "refused";
	ctl_fail(call, "denied", "%s", why);
	peer_check(p);
}

static void relay_hello(void *arg, struct ctl_call *call,
	const json_t *params)
{
	struct peer *p = arg;
	const char *bad = NULL;
	const char *role = json_str(params, "role", &bad);
	const char *instance = json_str(params, "instance", &bad);
	const char *secret = json_str(params, "secret", &bad);
	const json_t *rooms = json_arr(params, "rooms", &bad);
	const char *bus = json_str(params, "bus", &bad);
	char who[80], actor[96];
	json_t *v;
	size_t i;

	if (bad || !str_eq(role, "relay") || !instance ||
		!str_is_meeting_id(instance)) {
		refuse(p, call, "role must be relay, instance an id");
		return;
	}
	snprintf(who, sizeof(who), "relay/%.63s", instance);
	if (!secret_ok(p->hub, who, secret)) {
		refuse(p, call, "the secret is wrong");
		return;
	}
	supersede(p->hub, instance);
	str_copy(p->id, sizeof(p->id), who);
	snprintf(p->name, sizeof(p->name), "worker.sock %s", who);
	p->relay = relay_new(p, instance);
	if (!p->relay) {
		refuse(p, call, "out of memory");
		return;
	}
	if (bus)
		(void)str_copy(p->relay->bus, sizeof(p->relay->bus), bus);
	snprintf(actor, sizeof(actor), "worker:%s", who);
	ctl_reply(call, json_pack("{s:s, s:[s], s:s}", "actor", actor,
		"rights", "relay", "agent", HUB_AGENT));
	io_log(IO_INFO, "%s has registered, %zu rooms", instance,
		json_array_size(rooms));
	json_array_foreach(rooms, i, v)
		adopt(p->hub, p->relay, v);
	media_ready(p->hub);
}

/* --- What it tells -------------------------------------------------------- */

/* The room and member of a notification, if they are this relay's. */
static struct member *member_of(struct peer *p, const json_t *params,
	struct room **r)
{
	const char *bad = NULL;
	const char *id = json_str(params, "room", &bad);
	const char *endpoint = json_str(params, "endpoint", &bad);
	char user[STR_ID_CAP];

	*r = id && p->relay ? map_gets(p->hub->rooms, id) : NULL;
	if (!*r || (*r)->relay != p->relay || !(*r)->meet) {
		*r = NULL;
		return NULL;
	}
	return user_of(user, endpoint) ? member_find(*r, user) : NULL;
}

static bool is_subscribe(const struct member *m, const json_t *params)
{
	const char *bad = NULL;
	const char *id = json_str(params, "transport", &bad);

	return m && id && *id && str_eq(m->transport[SUBSCRIBE], id);
}

/* Of what ends a transport, what somebody else's certificate does. */
static void audit_transport(const struct room *r, const struct member *m,
	const char *reason)
{
	char actor[STR_ID_CAP + 8];

	if (!str_eq(reason, "fingerprint") && !str_eq(reason, "dtls"))
		return;
	snprintf(actor, sizeof(actor), "user:%s", m->user);
	audit(r->hub, &(struct audit){.event = AUDIT_MEDIA_REFUSED,
		.actor = actor, .peer = m->peer, .meeting = r->id,
		.reason = reason});
}

static void transport_state(void *arg, struct ctl_call *call,
	const json_t *params)
{
	const char *bad = NULL;
	const char *id = json_str(params, "transport", &bad);
	const char *state = json_str(params, "state", &bad);
	const char *reason = json_str(params, "reason", &bad);
	struct room *r;
	struct member *m = member_of(arg, params, &r);

	ctl_reply(call, NULL);
	if (!id || !*id || !str_eq(state, "closed"))
		return;
	if (!r && ((struct peer *)arg)->relay)
		echo_transport_closed(((struct peer *)arg)->relay, json_str(
			params, "room", &bad), reason);
	if (!m)
		return;
	for (int d = 0; d < DIRECTIONS; d++) {
		if (!str_eq(m->transport[d], id))
			continue;
		audit_transport(r, m, reason);
		/* Not one that we closed: its owner has to make another. */
		*m->transport[d] = '\0';
		if (d == SUBSCRIBE)
			slots_clear(m);
		if (d == BUS)
			attach_lost(m);
		transient(r, m, "media.reset", "system", json_pack(
			"{s:[s], s:s}", "transports", id, "reason",
			reason ? reason : "closed"));
		member_drop(m);
		return;
	}
}

static void track(struct peer *p, const json_t *params, const char *command)
{
	struct meet_actor a = {.party = MEET_WORKER, .id = p->id};
	const char *bad = NULL;
	const char *source = json_str(params, "source", &bad);
	struct room *r;
	const struct member *m = member_of(p, params, &r);

	if (m && source)
		hub_decide_quietly(r, &a, command, json_pack("{s:s, s:s}",
			"user", m->user, "source", source));
}

static void track_started(void *arg, struct ctl_call *call,
	const json_t *params)
{
	ctl_reply(call, NULL);
	track(arg, params, "media.started");
}

static void track_stopped(void *arg, struct ctl_call *call,
	const json_t *params)
{
	ctl_reply(call, NULL);
	track(arg, params, "media.stopped");
}

static void actor_of(const struct peer *p, char out[96])
{
	snprintf(out, 96, "worker:%s", p->id);
}

static void on_assigned(void *arg, struct ctl_call *call,
	const json_t *params)
{
	char actor[96];
	struct room *r;
	struct member *m = member_of(arg, params, &r);

	ctl_reply(call, NULL);
	actor_of(arg, actor);
	if (is_subscribe(m, params))
		slot_assigned(m, params, actor);
}

static void on_live(void *arg, struct ctl_call *call, const json_t *params)
{
	char actor[96];
	struct room *r;
	struct member *m = member_of(arg, params, &r);

	ctl_reply(call, NULL);
	actor_of(arg, actor);
	if (is_subscribe(m, params))
		slot_live(m, params, actor);
}

static void talk_level(void *arg, struct ctl_call *call,
	const json_t *params)
{
	json_t *levels = json_array(), *v;
	char actor[96], user[STR_ID_CAP];
	const char *bad = NULL;
	struct room *r;
	size_t i;

	ctl_reply(call, NULL);
	member_of(arg, params, &r);
	json_array_foreach(json_arr(params, "levels", &bad), i, v)
		if (user_of(user, json_str(v, "endpoint", &bad)))
			json_array_append_new(levels, json_pack("{s:s, s:I}",
				"user", user, "level", (json_int_t)json_int(v,
				"level", 127, &bad)));
	actor_of(arg, actor);
	if (r)
		transient(r, NULL, "talk.level", actor,
			json_pack("{s:O}", "levels", levels));
	json_decref(levels);
}

static void transport_offer(void *arg, struct ctl_call *call,
	const json_t *params)
{
	struct room *r;
	struct member *m = member_of(arg, params, &r);
	json_t *o;

	ctl_reply(call, NULL);
	if (!is_subscribe(m, params))
		return;
	o = json_object();
	json_object_set(o, "transport", json_object_get(params, "transport"));
	json_object_set(o, "sdp", json_object_get(params, "sdp"));
	json_object_set(o, "slots", json_object_get(params, "slots"));
	json_decref(m->offer);
	m->offer = o;
	transient(r, m, "media.renegotiate", "system", json_incref(o));
}

const struct ctl_method hub_relay_methods[] = {
	{"hello", relay_hello},
	{"transport.state", transport_state},
	{"track.started", track_started},
	{"track.stopped", track_stopped},
	{"slot.assigned", on_assigned},
	{"slot.live", on_live},
	{"talk.level", talk_level},
	{"transport.offer", transport_offer},
};
const size_t hub_relay_n_methods = ARRAY_LEN(hub_relay_methods);
