/* Programs on the media bus: a seat, and a ticket with which the relay lets
 * them take it. It is theirs as long as they are on the bus. */
#include <stdio.h>
#include "hub_priv.h"

#define TICKET_MS 30000 /* the relay's own limit, for who asks */

/* Names, not pointers: who asked may be gone when the answer comes. */
struct attach {
	struct media_wait wait;
	struct ctl_call *call;
	char actor[80];
	json_t *params;
	unsigned off;
	bool deaf;
	bool again; /* its first relay was lost over it */
	char user[STR_ID_CAP];
	char transport[STR_ID_CAP];
	char ticket[STR_ID_CAP];
};

static void attach_free(struct attach *a)
{
	list_remove(&a->wait.link);
	json_decref(a->params);
	explicit_bzero(a->ticket, sizeof(a->ticket));
	free(a);
}

static void attach_fail(struct media_wait *w, const char *kind,
	const char *why)
{
	struct attach *a = list_entry(w, struct attach, wait);

	ctl_fail(a->call, kind, "%s", why);
	attach_free(a);
}

void attach_lost(struct member *m)
{
	static const struct meet_actor system = {.party = MEET_SYSTEM};
	const struct meet_seat *seat = m->room->meet ?
		meet_seat(m->room->meet, m->user) : NULL;

	if (seat && !*seat->link && !*m->transport[BUS] &&
		!m->room->hub->draining)
		hub_decide_quietly(m->room, &system, "user.away",
			json_pack("{s:s}", "user", m->user));
}

/* The member, while it waits for this very answer. */
static struct member *waits(const struct attach *a, struct room **r)
{
	struct member *m;

	*r = map_gets(a->wait.hub->rooms, a->wait.room);
	if (!*r || !(*r)->meet || !meet_seat((*r)->meet, a->user))
		return NULL;
	m = member_find(*r, a->user);
	return m && str_eq(m->transport[BUS], a->transport) ? m : NULL;
}

/* The relay ends, or has: the next one is asked, for the seat there is. */
static bool ask_again(struct attach *a, const char *kind)
{
	struct room *r = map_gets(a->wait.hub->rooms, a->wait.room);
	bool drains = str_eq(kind, "draining");

	if (drains && r && r->relay)
		r->relay->leaving = true;
	if ((!drains && !str_eq(kind, "unavailable")) || a->again ||
		a->wait.hub->draining || json_object_set_new(a->params, "user",
		json_string(a->user)))
		return false;
	a->again = true;
	media_wait(&a->wait);
	return true;
}

/* Told here and not by the event: who attaches anew to what is not away
 * makes none. */
static void audit_attached(const struct attach *a)
{
	char who[sizeof(a->actor) + 3];

	snprintf(who, sizeof(who), "op:%s", a->actor);
	audit(a->wait.hub, &(struct audit){.event = AUDIT_MEDIA_ATTACHED,
		.actor = who, .meeting = a->wait.room, .object = a->user});
}

static void ticketed(void *arg, const json_t *result,
	const struct ctl_error *err)
{
	struct attach *a = arg;
	char endpoint[STR_ID_CAP];
	struct room *r;
	struct member *m = waits(a, &r);

	(void)result;
	if (!err && m) {
		audit_attached(a);
		endpoint_of(endpoint, a->user);
		ctl_reply(a->call, json_pack("{s:s, s:s, s:s, s:s, s:i}",
			"user", a->user, "endpoint", endpoint, "bus",
			r->relay->bus, "ticket", a->ticket, "ticket_ms",
			TICKET_MS));
		attach_free(a);
		return;
	}
	if (m) {
		/* It stands in line, and would be made after all. */
		if (r->relay && str_eq(err->kind, "timeout"))
			relay_tell(r->relay, "transport.close", json_pack(
				"{s:s}", "transport", a->transport));
		*m->transport[BUS] = '\0';
		attach_lost(m);
	}
	if (err && ask_again(a, err->kind))
		return;
	attach_fail(&a->wait, err ? err->kind : "unavailable", err ?
		err->message : "the transport was closed again");
}

static json_t *ticket_json(const struct attach *a, const struct room *r)
{
	char endpoint[STR_ID_CAP];

	endpoint_of(endpoint, a->user);
	return json_pack("{s:s, s:I, s:s, s:s, s:s, s:o}", "room", r->id,
		"epoch", (json_int_t)r->epoch, "endpoint", endpoint,
		"transport", a->transport, "ticket", a->ticket, "grant",
		grant_json(r, a->user));
}

/* The seat, new or as it was. False: it was refused. */
static bool take_seat(struct attach *a, struct room *r)
{
	const struct meet_actor op = {.party = MEET_OP, .id = a->actor};
	const char *given = json_string_value(json_object_get(a->params,
		"user"));
	struct meet_refusal why;
	json_t *events;

	if (hub_decide(r, &op, "media.attach", a->params, &events, &why)) {
		attach_fail(&a->wait, why.kind, why.message);
		return false;
	}
	str_copy(a->user, sizeof(a->user), given ? given : json_string_value(
		json_object_get(json_object_get(json_array_get(events, 0),
		"data"), "user")));
	json_decref(events);
	return true;
}

static void attach_start(struct media_wait *w)
{
	struct attach *a = list_entry(w, struct attach, wait);
	struct room *r = map_gets(w->hub->rooms, w->room);
	uint8_t random[32];
	struct member *m;

	if (!r || !r->meet || !media_place(r) || !*r->relay->bus) {
		attach_fail(w, "unavailable", r && r->relay ?
			"the media server has no bus" :
			"no media server is running");
		return;
	}
	if (!take_seat(a, r))
		return;
	m = member_get(r, a->user);
	if (!m) {
		attach_fail(w, "internal", "out of memory");
		return;
	}
	if (*m->transport[BUS])
		relay_tell(r->relay, "transport.close", json_pack("{s:s}",
			"transport", m->transport[BUS]));
	io_random(random, sizeof(random));
	str_id(a->transport, 't', random);
	str_id(a->ticket, 'k', random + 16);
	explicit_bzero(random, sizeof(random));
	str_copy(m->transport[BUS], STR_ID_CAP, a->transport);
	m->off = a->off;
	m->deaf = a->deaf;
	if (relay_ask(r->relay, "ticket.create", ticket_json(a, r), ticketed,
		a) < 0) {
		*m->transport[BUS] = '\0';
		attach_lost(m);
		if (!ask_again(a, "unavailable"))
			attach_fail(w, "unavailable",
				"the media server does not answer");
	}
}

/* What is wrong with the params, or NULL. */
static const char *read_params(struct attach *a, const json_t *params)
{
	const char *bad = NULL;
	const json_t *publish = json_arr(params, "publish", &bad);
	json_t *v;
	size_t i;

	a->deaf = !json_flag(params, "receive", true, &bad);
	a->off = MEET_MIC | MEET_CAM | MEET_SCREEN | MEET_SCREEN_AUDIO;
	json_array_foreach(publish, i, v) {
		const char *name = json_string_value(v);

		if (!name || !meet_source(name))
			bad = "publish";
		else
			a->off &= ~meet_source(name);
	}
	return bad;
}

void attach_run(struct peer *p, struct room *r, struct ctl_call *call,
	const json_t *params)
{
	struct attach *a = calloc(1, sizeof(*a));
	const char *bad;

	if (!a) {
		ctl_fail(call, "internal", "out of memory");
		return;
	}
	list_init(&a->wait.link);
	a->wait.hub = p->hub;
	a->wait.start = attach_start;
	a->wait.fail = attach_fail;
	a->call = call;
	str_copy(a->wait.room, sizeof(a->wait.room), r->id);
	str_copy(a->actor, sizeof(a->actor), p->id);
	a->params = json_deep_copy(params);
	bad = read_params(a, params);
	if (bad) {
		ctl_fail(call, "invalid", "%s: not as conf-ctl(7) says", bad);
		attach_free(a);
		return;
	}
	media_wait(&a->wait);
}
