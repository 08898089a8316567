/* What operators and people may ask, but for events and media: dispatch, and
 * the methods of meetings, users, chat and links. */
#include <stdio.h>
#include "hub_priv.h"

#define PAGE 500

/* What a method gets: room is set where the row says so. */
struct request {
	struct peer *peer;
	struct hub *hub;
	struct room *room;
	struct ctl_call *call;
	const json_t *params;
	const char *method;
};

static void refused(struct request *q, const struct meet_refusal *why)
{
	hub_refuse(q->peer, q->call, why);
}

/* For reads: true if the actor may. */
static bool allowed(struct request *q, const char *object)
{
	struct meet_actor a = peer_actor(q->peer);
	struct room *own = q->peer->member ? q->peer->member->room : NULL;
	const struct room *r = q->room ? q->room : own;
	struct meet_refusal why;

	if (meet_allow(r ? r->meet : NULL, &a, q->method, object, &why) == 0)
		return true;
	refused(q, &why);
	return false;
}

/* A parameter that is a string; NULL also after it was refused. */
static const char *text(struct request *q, const char *key, bool *bad)
{
	const char *wrong = NULL;
	const char *s = json_str(q->params, key, &wrong);

	*bad = wrong != NULL;
	if (wrong)
		hub_fail(q->peer, q->call, "invalid", "%s must be a string",
			key);
	return s;
}

/* --- Meetings ----------------------------------------------------------- */

static void random_id(char out[MEET_ID_CAP])
{
	uint8_t random[16];
	char id[STR_ID_CAP];

	io_random(random, sizeof(random));
	str_id(id, 'm', random);
	snprintf(out, MEET_ID_CAP, "m-%.8s", id + 2);
}

/* An id nobody has used, made of the name. */
static void free_id(struct hub *h, const char *name, char out[MEET_ID_CAP])
{
	char stem[MEET_ID_CAP] = "";
	int err;

	if (name)
		meet_slug(stem, name);
	if (!*stem)
		random_id(stem);
	str_copy(out, MEET_ID_CAP, stem);
	for (unsigned n = 2; room_find(h, out, &err); n++)
		snprintf(out, MEET_ID_CAP, "%.58s-%u", stem, n);
}

static void meeting_create(struct request *q)
{
	struct meet_actor a = peer_actor(q->peer);
	struct meet_refusal why;
	char made[MEET_ID_CAP];
	bool bad, created;
	const char *id = text(q, "id", &bad), *name;
	json_t *events = NULL;
	int err;

	if (bad || !allowed(q, "server"))
		return;
	name = text(q, "name", &bad);
	if (bad)
		return;
	if (!id)
		free_id(q->hub, name, made);
	q->room = room_get(q->hub, id ? id : made, &err);
	if (!q->room && id && !str_is_meeting_id(id)) {
		hub_fail(q->peer, q->call, "invalid", "id must be a-z, 0-9 "
			"and '-', at most 64, and not begin with '-'");
		return;
	}
	if (!q->room) {
		hub_fail(q->peer, q->call, "io", "the log cannot be read");
		return;
	}
	err = hub_decide(q->room, &a, q->method, q->params, &events, &why);
	created = !err;
	json_decref(events);
	if (err && !str_eq(why.kind, "exists")) {
		refused(q, &why);
		return;
	}
	hub_reply(q->peer, q->call, json_pack("{s:o, s:b}", "meeting",
		meet_info_json(q->room->meet), "created", created));
}

struct listing {
	struct hub *hub;
	json_t *meetings;
	const char *after;
	bool ended, more;
};

static int list_one(void *arg, const char *meeting, bool open,
	const json_t *summary)
{
	struct listing *l = arg;
	const struct room *r = map_gets(l->hub->rooms, meeting);

	if ((l->after && strcmp(meeting, l->after) <= 0) ||
		(!open && !l->ended))
		return 0;
	if (json_array_size(l->meetings) == PAGE) {
		l->more = true;
		return 1;
	}
	if (open && r && r->meet)
		return json_array_append_new(l->meetings,
			meet_info_json(r->meet)) ? -ENOMEM : 0;
	return json_array_append(l->meetings, (json_t *)(uintptr_t)summary) ?
		-ENOMEM : 0;
}

static void meeting_list(struct request *q)
{
	const char *wrong = NULL;
	bool bad;
	struct listing l = {.hub = q->hub,
		.ended = json_flag(q->params, "ended", false, &wrong)};

	if (!allowed(q, "server"))
		return;
	l.after = text(q, "after", &bad);
	if (bad)
		return;
	if (wrong) {
		hub_fail(q->peer, q->call, "invalid",
			"ended must be true or false");
		return;
	}
	l.meetings = json_array();
	if (store_meetings(q->hub->store, !l.ended, list_one, &l) < 0) {
		json_decref(l.meetings);
		hub_fail(q->peer, q->call, "io", "the log cannot be read");
		return;
	}
	hub_reply(q->peer, q->call, json_pack("{s:o, s:b}", "meetings",
		l.meetings, "more", l.more));
}

static void meeting_show(struct request *q)
{
	if (allowed(q, ""))
		hub_reply(q->peer, q->call, json_pack("{s:o}", "meeting",
			meet_info_json(q->room->meet)));
}

static void meeting_get(struct request *q)
{
	static const char *const keys[] = {"name", "audio", "empty_ms",
		"max_users"};
	bool bad;
	const char *key = text(q, "key", &bad);
	json_t *o, *one;

	if (bad || !allowed(q, ""))
		return;
	if (key) {
		one = meet_get_json(q->room->meet, key);
		if (one)
			hub_reply(q->peer, q->call, one);
		else
			hub_fail(q->peer, q->call, "invalid", "key must be "
				"name, audio, empty_ms or max_users");
		return;
	}
	o = json_object();
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		one = meet_get_json(q->room->meet, keys[i]);
		json_object_set(o, keys[i], json_object_get(one, "value"));
		json_decref(one);
	}
	hub_reply(q->peer, q->call, o);
}

/* --- Users -------------------------------------------------------------- */

static void user_list(struct request *q)
{
	bool bad, more;
	const char *after = text(q, "after", &bad);
	json_t *users;

	if (bad || !allowed(q, ""))
		return;
	users = meet_users_json(q->room->meet, after, &more);
	hub_reply(q->peer, q->call, json_pack("{s:o, s:b}", "users", users,
		"more", more));
}

static void user_join(struct request *q)
{
	struct meet_actor a = peer_actor(q->peer);
	struct meet_refusal why;
	json_t *events;

	if (hub_decide(q->room, &a, q->method, q->params, &events, &why)) {
		refused(q, &why);
		return;
	}
	json_decref(events);
	hub_reply(q->peer, q->call, meet_snapshot_json(q->room->meet,
		q->peer->id));
}

/* --- Links -------------------------------------------------------------- */

static int sign(struct request *q, const json_t *data, uint64_t exp_ms,
	struct buf *token)
{
	const char *name = json_string_value(json_object_get(data, "name"));
	struct token_claims c = {.iss = "confkit",
		.nbf_s = io_wall_ms() / 1000 - 60, .exp_s = exp_ms / 1000};
	const char *from = json_string_value(json_object_get(data, "from"));
	int err = str_copy(c.mtg, sizeof(c.mtg), q->room->id);
	uint64_t from_ms;

	if (from && !time_parse(from, &from_ms))
		c.nbf_s = from_ms / 1000;
	c.uses = (uint64_t)json_integer_value(json_object_get(data, "uses"));
	if (c.exp_s <= c.nbf_s)
		c.exp_s = c.nbf_s + 61;
	err |= str_copy(c.sub, sizeof(c.sub), json_string_value(
		json_object_get(data, "sub")));
	err |= str_copy(c.role, sizeof(c.role), json_string_value(
		json_object_get(data, "role")));
	err |= str_copy(c.jti, sizeof(c.jti), json_string_value(
		json_object_get(data, "link")));
	err |= str_copy(c.name, sizeof(c.name), name ? name : "");
	return err ? err : token_sign(&q->hub->keys.cur, &c, token);
}

/* By how much the wall clock was set since we began. Tokens are measured by
 * it, and must live as long as was asked for. */
static uint64_t step_ms(const struct hub *h)
{
	int64_t step = (int64_t)(io_wall_ms() - hub_now_ms(h));

	return step > -1000 && step < 1000 ? 0 : (uint64_t)step;
}

static void link_create(struct request *q)
{
	struct meet_actor a = peer_actor(q->peer);
	struct meet_refusal why;
	json_t *events, *data, *o = NULL;
	struct buf token = {0}, url = {0};
	uint64_t exp_ms = 0;

	if (hub_decide(q->room, &a, q->method, q->params, &events, &why)) {
		refused(q, &why);
		return;
	}
	data = json_object_get(json_array_get(events, 0), "data");
	time_parse(json_string_value(json_object_get(data, "expires")),
		&exp_ms);
	exp_ms += step_ms(q->hub);
	if (sign(q, data, exp_ms, &token) == 0)
		buf_printf(&url, "%s/m/%s#t=%s", q->hub->url, q->room->id,
			buf_cstr(&token));
	if (url.len && !url.err)
		o = json_pack("{s:s, s:O, s:s, s:O*, s:O, s:O*, s:I}", "url",
			buf_cstr(&url), "link", json_object_get(data, "link"),
			"token", buf_cstr(&token), "from",
			json_object_get(data, "from"), "expires",
			json_object_get(data, "expires"), "uses",
			json_object_get(data, "uses"), "seq",
			(json_int_t)meet_seq(q->room->meet));
	buf_free(&token);
	buf_free(&url);
	json_decref(events);
	if (o)
		hub_reply(q->peer, q->call, o);
	else
		hub_fail(q->peer, q->call, "internal", "cannot sign");
}

static void link_list(struct request *q)
{
	bool bad, more;
	const char *after = text(q, "after", &bad);
	json_t *links;

	if (bad || !allowed(q, ""))
		return;
	links = meet_links_json(q->room->meet, after, &more);
	hub_reply(q->peer, q->call, json_pack("{s:o, s:b}", "links", links,
		"more", more));
}

/* --- Keys --------------------------------------------------------------- */

static void key_list(struct request *q)
{
	const struct token_keys *k = &q->hub->keys;

	if (allowed(q, "server"))
		hub_reply(q->peer, q->call, json_pack("{s:s, s:s*}", "current",
			k->cur.kid, "previous",
			k->prev.kid[0] ? k->prev.kid : NULL));
}

static void key_rotate(struct request *q)
{
	char why[256];

	if (!allowed(q, "server"))
		return;
	if (hub_token_keys_rotate(q->hub->state_dir, &q->hub->keys, why) < 0) {
		hub_fail(q->peer, q->call, "io", "%s", why);
		return;
	}
	io_log(IO_INFO, "the key of join links is %s now",
		q->hub->keys.cur.kid);
	audit(q->hub, &(struct audit){.event = AUDIT_KEY_ROTATED,
		.peer = q->peer, .object = q->hub->keys.cur.kid});
	key_list(q);
}

/* --- Commands that answer with their seq alone --------------------------- */

static void command(struct request *q)
{
	struct meet_actor a = peer_actor(q->peer);
	struct meet_refusal why;
	json_t *events;

	if (hub_decide(q->room, &a, q->method, q->params, &events, &why)) {
		refused(q, &why);
		return;
	}
	json_decref(events);
	hub_reply(q->peer, q->call, json_pack("{s:I}", "seq",
		(json_int_t)meet_seq(q->room->meet)));
}

static void events_read(struct request *q)
{
	if (allowed(q, q->room ? "" : "server"))
		hub_events_read(q->peer, q->room, q->call, q->params);
}

static void events_follow(struct request *q)
{
	if (allowed(q, q->room ? "" : "server"))
		hub_events_follow(q->peer, q->room, q->call, q->params);
}

static void media(struct request *q)
{
	if (allowed(q, "self"))
		media_run(q->peer, q->call, q->method, q->params);
}

static void echo(struct request *q)
{
	if (allowed(q, "self"))
		echo_run(q->peer, q->call, q->params);
}

static void attach(struct request *q)
{
	if (allowed(q, ""))
		attach_run(q->peer, q->room, q->call, q->params);
}

/* --- Dispatch ----------------------------------------------------------- */

/* LOG: reads the log itself. */
enum { NO_ROOM, MAYBE_ROOM, ROOM, LOG = 4 };
static const struct {
	const char *name;
	void (*run)(struct request *q);
	int needs;
} rows[] = {
	{"meeting.create", meeting_create, NO_ROOM},
	{"meeting.list", meeting_list, NO_ROOM | LOG},
	{"meeting.show", meeting_show, ROOM},
	{"meeting.get", meeting_get, ROOM},
	{"meeting.set", command, ROOM},
	{"meeting.end", command, ROOM},
	{"user.list", user_list, ROOM},
	{"user.join", user_join, ROOM},
	{"user.leave", command, ROOM},
	{"user.mute", command, ROOM},
	{"user.unmute", command, ROOM},
	{"user.kick", command, ROOM},
	{"user.role", command, ROOM},
	{"user.hand", command, ROOM},
	{"chat.say", command, ROOM},
	{"link.create", link_create, ROOM},
	{"link.list", link_list, ROOM},
	{"link.revoke", command, ROOM},
	{"key.list", key_list, NO_ROOM},
	{"key.rotate", key_rotate, NO_ROOM},
	{"events.read", events_read, MAYBE_ROOM | LOG},
	{"events.follow", events_follow, MAYBE_ROOM},
	{"media.publish", media, ROOM},
	{"media.subscribe", media, ROOM},
	{"media.answer", media, ROOM},
	{"media.want", media, ROOM},
	{"media.confirm", media, ROOM},
	{"media.off", media, ROOM},
	{"media.check", media, ROOM},
	{"media.echo", echo, ROOM},
	{"media.attach", attach, ROOM},
	{"media.detach", command, ROOM},
};

/* The meeting that a request is about; people have theirs. */
static bool find_room(struct request *q, int need)
{
	bool bad;
	const char *id = need == NO_ROOM ? NULL : text(q, "meeting", &bad);
	int err;

	if (need == NO_ROOM)
		return true;
	if (bad)
		return false;
	if (q->peer->kind == PEER_WEB) {
		q->room = q->peer->member->room;
		if (id && !str_eq(id, q->room->id))
			hub_fail(q->peer, q->call, "denied",
				"you are in another meeting");
		else if (!q->room->meet)
			hub_fail(q->peer, q->call, "io",
				"the log of this meeting cannot be read");
		else
			return true;
		return false;
	}
	if (!id && need == MAYBE_ROOM)
		return true;
	if (!id) {
		hub_fail(q->peer, q->call, "invalid", "meeting is missing");
		return false;
	}
	q->room = room_find(q->hub, id, &err);
	if (!q->room)
		hub_fail(q->peer, q->call, err == -ENOENT ? "not_found" :
			"io", err == -ENOENT ? "there is no such meeting" :
			"the log of this meeting cannot be read");
	return q->room != NULL;
}

static void dispatch_later(void *arg, struct ctl_call *call,
	const json_t *params);

/* Charged: its rate has been charged for this request. */
static void serve(struct peer *p, struct ctl_call *call, const json_t *params,
	bool charged)
{
	struct request q = {.peer = p, .hub = p->hub, .call = call,
		.params = params};
	size_t i = 0;

	if (!call || p->closing || p->gone ||
		(p->kind == PEER_WEB && !p->member)) {
		/* A command wants an answer; who leaves gets none. */
		ctl_fail(call, "unavailable", "the connection ends");
		return;
	}
	hub_make_room(p->hub);
	q.method = ctl_call_method(call);
	while (i < ARRAY_LEN(rows) && !str_eq(rows[i].name, q.method))
		i++;
	if (p->hub->draining)
		hub_fail(p, call, "draining", "the server is restarting");
	else if (i < ARRAY_LEN(rows) && !charged &&
		peer_over(p, call, q.method))
		; /* refused */
	else if (i < ARRAY_LEN(rows) && !(rows[i].needs & LOG && hub_later(p,
		call, params, dispatch_later)) &&
		find_room(&q, rows[i].needs & ~LOG))
		rows[i].run(&q);
}

static void dispatch_later(void *arg, struct ctl_call *call,
	const json_t *params)
{
	serve(arg, call, params, true);
}

static void dispatch(void *arg, struct ctl_call *call, const json_t *params)
{
	serve(arg, call, params, false);
}

#define M(name) {name, dispatch}
const struct ctl_method hub_methods[] = {
	{"hello", hub_hello},
	M("meeting.create"), M("meeting.list"), M("meeting.show"),
	M("meeting.get"), M("meeting.set"), M("meeting.end"),
	M("user.list"), M("user.join"), M("user.leave"), M("user.mute"),
	M("user.unmute"), M("user.kick"), M("user.role"), M("user.hand"),
	M("chat.say"), M("link.create"), M("link.list"), M("link.revoke"),
	M("key.list"), M("key.rotate"), M("events.read"),
	M("events.follow"), M("media.publish"), M("media.subscribe"),
	M("media.answer"), M("media.want"), M("media.off"),
	M("media.check"), M("media.confirm"), M("media.echo"),
	M("media.attach"), M("media.detach"),
};
const size_t hub_n_methods = ARRAY_LEN(hub_methods);
