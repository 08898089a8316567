/* Hello: who speaks. Operators by the socket's credentials, people by the
 * token of their link or the session they got for it, workers by a secret. */
#include <stdio.h>
#include "hub_priv.h"

#define SECRET_CHARS 52 /* 256 bits in base32 */

/* What is wrong with it is no fault of ours, nor of an honest link's, whose
 * time has come or which was revoked: nobody gets there by chance. */
static bool is_fault(const char *reason)
{
	static const char *const faults[] = {"malformed", "unknown_key",
		"signature", "session", "role"};

	for (size_t i = 0; i < ARRAY_LEN(faults); i++)
		if (str_eq(faults[i], reason))
			return true;
	return false;
}

/* Refuses a hello; the connection then ends with this close code. data has
 * the reason, a word for programs, and is stolen. */
static void refuse_with(struct peer *p, struct ctl_call *call, unsigned code,
	const char *kind, json_t *data, const char *message)
{
	const char *reason = json_string_value(json_object_get(data,
		"reason"));

	audit(p->hub, &(struct audit){.event = AUDIT_HELLO_REFUSED,
		.peer = p, .reason = reason});
	if (is_fault(reason))
		peer_fault(p, GUARD_TOKEN);
	p->close_code = code;
	p->close_reason = "refused";
	ctl_fail_with(call, kind, data, message);
	peer_check(p);
}

static void refuse(struct peer *p, struct ctl_call *call, unsigned code,
	const char *kind, const char *reason, const char *message)
{
	refuse_with(p, call, code, kind, json_pack("{s:s}", "reason", reason),
		message);
}

/* With when it will count, and in how long, for a page whose clock is not
 * ours. */
static void refuse_early(struct peer *p, struct ctl_call *call,
	const struct token_claims *c)
{
	uint64_t from_ms = c->nbf_s * 1000, now = io_wall_ms();
	char from[TIME_CAP];

	time_format(from, from_ms);
	refuse_with(p, call, CLOSE_TOKEN, "denied", json_pack(
		"{s:s, s:s, s:I}", "reason", "not_yet", "from", from,
		"wait_ms", (json_int_t)(from_ms > now ? from_ms - now : 0)),
		token_text(TOKEN_NOT_YET));
}

static void make_secret(char out[SECRET_CHARS + 1])
{
	uint8_t random[32];
	char id[STR_ID_CAP];

	io_random(random, sizeof(random));
	for (size_t i = 0; i < 2; i++) {
		str_id(id, 's', random + 16 * i);
		memcpy(out + 26 * i, id + 2, 27);
	}
	explicit_bzero(random, sizeof(random));
}

/* --- People --------------------------------------------------------------- */

struct guest {
	struct store_session s;
	struct room *room;
	struct meet_ticket ticket;
	char secret[SECRET_CHARS + 1]; /* a new session's, else empty */
};

static json_t *first_names(const struct meet *m)
{
	json_t *names = json_array();
	const struct meet_seat *s = NULL;

	while (json_array_size(names) < 3 && (s = meet_seat_next(m, s)))
		json_array_append_new(names, json_string(s->name));
	return names;
}

static json_t *guest_json(const struct guest *g)
{
	const struct meet *m = g->room->meet;
	const struct meet_seat *seat = meet_seat(m, g->s.user);
	const char *role = meet_role_name(g->ticket.role);
	const char *name = seat ? seat->name : g->ticket.name ?
		g->ticket.name : *g->s.name ? g->s.name : NULL;
	json_t *info = meet_info_json(m), *o;
	char actor[STR_ID_CAP + 8];

	snprintf(actor, sizeof(actor), "user:%s", g->s.user);
	json_object_set_new(info, "names", first_names(m));
	o = json_pack("{s:s, s:[s], s:s*, s:I, s:s, s:s, s:s, s:b, s:s?, s:b,"
		"s:o}", "actor", actor, "rights", role, "session",
		*g->secret ? g->secret : NULL, "seq",
		(json_int_t)meet_seq(m), "agent", HUB_AGENT, "user",
		g->s.user, "role", role, "joined", g->ticket.joined, "name",
		name, "name_locked", g->ticket.name != NULL, "meeting", info);
	return o;
}

/* The newest connection has the seat: an older one is a lost network's, or
 * another window. */
static bool take_seat(struct peer *p, struct guest *g)
{
	struct member *m = member_get(g->room, g->s.user);

	if (!m)
		return false;
	if (m->peer)
		peer_close(m->peer, CLOSE_ELSEWHERE, "opened elsewhere");
	m->peer = p;
	p->member = m;
	io_log(IO_DEBUG, "%s is %s in %.32s", p->name, g->s.user,
		g->room->id);
	str_copy(p->id, sizeof(p->id), g->s.user);
	str_copy(p->link_id, sizeof(p->link_id), g->s.link);
	snprintf(p->name, sizeof(p->name), "%s in %.32s", p->id,
		g->room->id);
	return true;
}

static bool open_session(struct peer *p, struct guest *g)
{
	uint8_t hash[SHA256_BYTES];

	make_secret(g->secret);
	g->s.created_ms = hub_now_ms(p->hub);
	if (sha256(g->secret, SECRET_CHARS, hash) < 0)
		return false;
	hub_touch(p->hub);
	if (store_session_put(p->hub->store, hash, &g->s) == 0)
		return true;
	p->hub->doomed = true;
	return false;
}

/* The meeting of g->s is looked up and asked. False: refused. */
static bool admit(struct peer *p, struct ctl_call *call, struct guest *g)
{
	struct meet_refusal why;
	int err;

	g->room = room_find(p->hub, g->s.meeting, &err);
	if (!g->room && err == -ENOENT) {
		refuse(p, call, CLOSE_TOKEN, "not_found", "absent",
			"There is no such meeting yet.");
		return false;
	}
	if (!g->room) {
		refuse(p, call, CLOSE_RESTART, "io", "log",
			"the log of this meeting cannot be read");
		return false;
	}
	if (meet_admit(g->room->meet, g->s.user, g->s.link, &g->ticket,
		&why) == 0)
		return true;
	if (str_eq(why.kind, "not_found"))
		refuse(p, call, CLOSE_ENDED, why.kind, "ended", why.message);
	else
		refuse(p, call, CLOSE_KICKED, why.kind, g->ticket.kicked ?
			"kicked" : g->ticket.revoked ? "revoked" :
			g->ticket.spent ? "used_up" : "refused", why.message);
	return false;
}

static void welcome(struct peer *p, struct ctl_call *call, struct guest *g)
{
	if (!take_seat(p, g)) {
		refuse(p, call, CLOSE_RESTART, "internal", "memory",
			"out of memory");
		return;
	}
	peer_known(p);
	hub_reply(p, call, guest_json(g));
	explicit_bzero(g->secret, sizeof(g->secret));
}

/* meeting, here and below: the one that the page is of, or NULL. */
static void with_token(struct peer *p, struct ctl_call *call,
	const char *token, const char *meeting)
{
	static const char *const words[] = {
		[TOKEN_MALFORMED] = "malformed",
		[TOKEN_UNKNOWN_KEY] = "unknown_key",
		[TOKEN_BAD_SIGNATURE] = "signature",
		[TOKEN_EXPIRED] = "expired",
		[TOKEN_OTHER_MEETING] = "other_meeting",
	};
	struct guest g = {0};
	struct token_claims c;
	uint8_t random[16];
	char text[256];
	enum token_result r = token_verify(&p->hub->keys, token,
		strlen(token), meeting, io_wall_ms(), &c);

	if (r == TOKEN_NOT_YET) {
		refuse_early(p, call, &c);
		return;
	}
	if (r != TOKEN_OK) {
		refuse(p, call, CLOSE_TOKEN, "denied", words[r],
			token_text(r));
		return;
	}
	io_random(random, sizeof(random));
	if (str_eq(c.sub, "*"))
		str_id(g.s.user, 'u', random);
	else
		str_copy(g.s.user, sizeof(g.s.user), c.sub);
	str_copy(g.s.meeting, sizeof(g.s.meeting), c.mtg);
	str_copy(g.s.link, sizeof(g.s.link), c.jti);
	if (!admit(p, call, &g))
		return;
	if (g.ticket.spent) {
		refuse(p, call, CLOSE_KICKED, "denied", "used_up",
			"this link has been used up");
		return;
	}
	if (store_room(p->hub->store)) {
		snprintf(text, sizeof(text), "the log cannot be written: "
			"%.200s", store_error(p->hub->store));
		refuse(p, call, CLOSE_RESTART, "io", "log", text);
		return;
	}
	str_copy(g.s.role, sizeof(g.s.role), meet_role_name(g.ticket.role));
	str_copy(g.s.name, sizeof(g.s.name), c.name);
	if (sessions_make_room(g.room) < 0)
		refuse(p, call, CLOSE_RESTART, "limit", "sessions",
			"Too many people have opened links of this meeting.");
	else if (open_session(p, &g))
		welcome(p, call, &g);
	else
		refuse(p, call, CLOSE_RESTART, "io", "log",
			"the log cannot be written");
}

static void with_session(struct peer *p, struct ctl_call *call,
	const char *secret, const char *meeting)
{
	struct guest g = {0};
	uint8_t hash[SHA256_BYTES];
	int err = -ENOENT;

	if (strlen(secret) == SECRET_CHARS)
		err = sha256(secret, SECRET_CHARS, hash);
	if (!err)
		err = store_session_get(p->hub->store, hash, &g.s);
	if (err == -ENOENT)
		refuse(p, call, CLOSE_TOKEN, "denied", "session",
			"This session is over. Open the link again.");
	else if (err)
		refuse(p, call, CLOSE_RESTART, "io", "log",
			"the log cannot be read");
	else if (meeting && !str_eq(meeting, g.s.meeting))
		refuse(p, call, CLOSE_TOKEN, "denied", "other_meeting",
			token_text(TOKEN_OTHER_MEETING));
	else if (!admit(p, call, &g))
		return;
	else if (!g.ticket.joined && session_is_old(p->hub, g.s.created_ms))
		refuse(p, call, CLOSE_TOKEN, "denied", "old_session",
			"This session is over. Open the link again.");
	else
		welcome(p, call, &g);
}

/* --- Everybody ------------------------------------------------------------ */

static void op_hello(struct peer *p, struct ctl_call *call)
{
	char actor[96];

	snprintf(actor, sizeof(actor), "op:%s", p->id);
	hub_reply(p, call, json_pack("{s:s, s:[s], s:s}", "actor", actor,
		"rights", "op", "agent", HUB_AGENT));
}

void hub_hello(void *arg, struct ctl_call *call, const json_t *params)
{
	struct peer *p = arg;
	const char *bad = NULL;
	const char *role = json_str(params, "role", &bad);
	const char *token = json_str(params, "token", &bad);
	const char *session = json_str(params, "session", &bad);
	const char *meeting = json_str(params, "meeting", &bad);

	if (bad)
		refuse(p, call, CLOSE_POLICY, "invalid", "malformed",
			"token, session and meeting are strings");
	else if (role && !str_eq(role, "client"))
		refuse(p, call, CLOSE_POLICY, "denied", "role",
			"this socket is for clients");
	else if (p->kind == PEER_OP)
		op_hello(p, call);
	else if (session)
		with_session(p, call, session, meeting);
	else if (token)
		with_token(p, call, token, meeting);
	else
		refuse(p, call, CLOSE_TOKEN, "denied", "missing",
			"This page needs a link with a key in it.");
}
