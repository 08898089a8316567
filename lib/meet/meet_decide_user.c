/* Deciding what users do, and what is done to them. */
#include "meet_priv.h"

static json_t *of_user(const char *user)
{
	return json_pack("{s:s}", "user", user);
}

/* The seat that "user" names; one's own when it is missing. */
static int whom(struct draft *d, struct seat **out, bool *self)
{
	const char *own = d->actor->party == MEET_USER ? d->actor->id : NULL;
	const char *user;
	int err = draft_str(d, "user", !own, &user);

	if (err)
		return err;
	*self = own && (!user || str_eq(user, own));
	err = draft_allow(d, *self ? "self" : "other");
	if (err)
		return err;
	*out = meet_find(d->m, *self ? own : user);
	if (!*out)
		return meet_refuse(d->why, "not_found",
			"there is no such user in the meeting");
	return 0;
}

static bool is_full(const struct meet *m)
{
	return meet_users(m) >= (m->max_users ? m->max_users : MEET_MAX_USERS);
}

int meet_user_join(struct draft *d)
{
	const char *user = d->actor->id;
	const struct record *record;
	const struct seat *seat = NULL;
	struct meet_ticket ticket;
	char name[MEET_NAME_CAP];
	int err = draft_allow(d, "self");

	if (!err)
		err = meet_admit(d->m, user, d->actor->link, &ticket, d->why);
	if (!err)
		seat = meet_find(d->m, user);
	if (seat && seat->s.away)
		draft_add(d, "user.back", of_user(user));
	if (err || seat)
		return err;
	if (is_full(d->m))
		return meet_refuse(d->why, "limit", "the meeting is full");
	err = draft_text(d, "name", MEET_NAME_MAX, name, sizeof(name));
	if (err)
		return err;
	if (ticket.name)
		str_copy(name, sizeof(name), ticket.name);
	else if (!*name)
		str_copy(name, sizeof(name), "Guest");
	draft_add(d, "user.joined", json_pack("{s:s,s:s,s:s,s:s}",
		"user", user, "name", name,
		"role", meet_role_name(ticket.role),
		"link", d->actor->link));
	record = meet_record(d->m, user);
	if (record && record->held)
		draft_add_system(d, "user.held", of_user(user));
	return 0;
}

/* --- Programs -------------------------------------------------------------
 * They have a seat and no link: an operator has let them in. */

static int program(struct draft *d, const char *user,
	const struct seat **out)
{
	*out = meet_find(d->m, user);
	if (!*out || *(*out)->s.link)
		return meet_refuse(d->why, "not_found",
			"there is no such program in the meeting");
	return 0;
}

int meet_media_attach(struct draft *d)
{
	enum meet_role role = MEET_VIEWER;
	char name[MEET_NAME_CAP], id[STR_ID_CAP];
	const char *user, *word;
	const struct seat *seat;
	int err = draft_allow(d, "");

	if (!err)
		err = draft_str(d, "user", false, &user);
	if (!err && user) {
		err = program(d, user, &seat);
		if (!err && seat->s.away)
			draft_add(d, "user.back", of_user(user));
		return err;
	}
	if (!err && is_full(d->m))
		err = meet_refuse(d->why, "limit", "the meeting is full");
	if (!err)
		err = draft_text(d, "as", MEET_NAME_MAX, name, sizeof(name));
	if (!err)
		err = draft_str(d, "role", false, &word);
	if (!err && word && meet_role(word, &role))
		err = meet_refuse(d->why, "invalid",
			"role must be viewer or moderator");
	if (err)
		return err;
	str_id(id, 'u', d->random);
	draft_add(d, "user.joined", json_pack("{s:s,s:s,s:s}", "user", id,
		"name", *name ? name : "Program", "role",
		meet_role_name(role)));
	return 0;
}

int meet_media_detach(struct draft *d)
{
	const struct seat *seat;
	const char *user;
	int err = draft_allow(d, "");

	if (!err)
		err = draft_str(d, "user", true, &user);
	if (!err)
		err = program(d, user, &seat);
	if (!err)
		draft_add(d, "user.left", json_pack("{s:s,s:s}", "user", user,
			"reason", "left"));
	return err;
}

/* --- People --------------------------------------------------------------- */

int meet_user_leave(struct draft *d)
{
	int err = draft_allow(d, "self");

	if (!err)
		draft_add(d, "user.left", json_pack("{s:s,s:s}",
			"user", d->actor->id, "reason", "left"));
	return err;
}

/* True if this is about everybody else, which "user" then must not narrow. */
static int everybody(struct draft *d, bool *all)
{
	const char *user;
	int err = draft_flag(d, "all", false, all);

	if (!err)
		err = draft_str(d, "user", false, &user);
	if (!err && *all && user)
		err = meet_refuse(d->why, "invalid",
			"user and all exclude each other");
	if (!err && !*all && !user && d->actor->party != MEET_USER)
		err = meet_refuse(d->why, "invalid", "user or all is missing");
	return err;
}

/* A moderator's hand is on "held", one's own on "muted"; never crosswise. */
static int silence(struct draft *d, bool on)
{
	struct seat *seat;
	bool all, self;
	int err = everybody(d, &all);

	if (!err && all)
		err = draft_allow(d, "all");
	if (!err && !all)
		err = whom(d, &seat, &self);
	if (err)
		return err;
	if (!all) {
		if (self && seat->s.muted != on)
			draft_add(d, on ? "user.muted" : "user.unmuted",
				of_user(seat->s.user));
		if (!self && seat->s.held != on)
			draft_add(d, on ? "user.held" : "user.released",
				of_user(seat->s.user));
		return 0;
	}
	list_each(l, safe, &d->m->people.seats) {
		const struct meet_seat *s =
			&list_entry(l, struct seat, link)->s;

		if (s->held == on || (d->actor->party == MEET_USER &&
			str_eq(s->user, d->actor->id)))
			continue;
		draft_add(d, on ? "user.held" : "user.released",
			of_user(s->user));
	}
	return 0;
}

int meet_user_mute(struct draft *d)
{
	return silence(d, true);
}

int meet_user_unmute(struct draft *d)
{
	return silence(d, false);
}

/* Also one who is not there now can be kicked if a link is bound to him. */
static bool is_known(const struct meet *m, const char *user)
{
	const struct link *l;
	size_t pos = 0;

	if (meet_find(m, user))
		return true;
	while ((l = map_next(m->people.links, &pos, NULL, NULL)))
		if (str_eq(l->sub, user))
			return true;
	return false;
}

int meet_user_kick(struct draft *d)
{
	const struct record *record;
	char reason[MEET_REASON_CAP];
	const struct link *l;
	const char *user;
	size_t pos = 0;
	int err = draft_allow(d, "other");

	if (!err)
		err = draft_str(d, "user", true, &user);
	if (!err)
		err = draft_text(d, "reason", MEET_REASON_MAX, reason,
			sizeof(reason));
	if (err)
		return err;
	if (d->actor->party == MEET_USER && str_eq(d->actor->id, user))
		return meet_refuse(d->why, "invalid",
			"nobody can kick himself: leave");
	if (!is_known(d->m, user))
		return meet_refuse(d->why, "not_found",
			"there is no such user in the meeting");
	record = meet_record(d->m, user);
	if (record && record->kicked)
		return 0;
	draft_add(d, "user.kicked", json_pack("{s:s,s:s*}", "user", user,
		"reason", *reason ? reason : NULL));
	while ((l = map_next(d->m->people.links, &pos, NULL, NULL)))
		if (!l->revoked && str_eq(l->sub, user))
			draft_add(d, "link.revoked",
				json_pack("{s:s}", "link", l->id));
	return 0;
}

int meet_user_role(struct draft *d)
{
	enum meet_role role;
	struct seat *seat;
	const char *word;
	bool self;
	int err = whom(d, &seat, &self);

	if (!err)
		err = draft_str(d, "role", true, &word);
	if (err)
		return err;
	if (meet_role(word, &role))
		return meet_refuse(d->why, "invalid",
			"role must be viewer or moderator");
	if (seat->s.role != role)
		draft_add(d, "user.role", json_pack("{s:s,s:s}",
			"user", seat->s.user, "role", word));
	return 0;
}

int meet_user_hand(struct draft *d)
{
	struct seat *seat;
	bool up, self;
	int err = draft_flag(d, "up", true, &up);

	if (!err)
		err = whom(d, &seat, &self);
	if (err)
		return err;
	if (up && !self)
		return meet_refuse(d->why, "denied",
			"a hand is raised by its owner only");
	if (seat->s.hand != up)
		draft_add(d, "user.hand", json_pack("{s:s,s:b}",
			"user", seat->s.user, "up", up));
	return 0;
}

int meet_user_away(struct draft *d)
{
	struct seat *seat;
	bool self;
	int err = whom(d, &seat, &self);

	if (!err && !seat->s.away)
		draft_add(d, "user.away", of_user(seat->s.user));
	return err;
}

static int source(struct draft *d, bool on)
{
	struct seat *seat;
	const char *word;
	unsigned bit;
	bool self;
	int err = whom(d, &seat, &self);

	if (!err)
		err = draft_str(d, "source", true, &word);
	if (err)
		return err;
	bit = meet_source(word);
	if (!bit)
		return meet_refuse(d->why, "invalid",
			"source must be mic, cam, screen or screen-audio");
	if (!(seat->s.sources & bit) == on)
		draft_add(d, on ? "media.started" : "media.stopped",
			json_pack("{s:s,s:s}", "user", seat->s.user,
				"source", word));
	return 0;
}

int meet_media_started(struct draft *d)
{
	return source(d, true);
}

int meet_media_stopped(struct draft *d)
{
	return source(d, false);
}
