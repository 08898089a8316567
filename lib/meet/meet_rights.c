/* Who may do what: the one table, and admission. */
#include "meet_priv.h"

#define SEATED  (MEET_IS_VIEWER | MEET_IS_MODERATOR)
#define CHAIR   (MEET_IS_MODERATOR | MEET_IS_OP)
#define ALL     (SEATED | MEET_IS_OP)

static const struct meet_right rights[] = {
	{"meeting.create", "server", MEET_IS_OP},
	{"meeting.list", "server", MEET_IS_OP},
	{"meeting.show", "", MEET_IS_GUEST | ALL},
	{"meeting.get", "", ALL},
	{"meeting.set", "", CHAIR},
	{"meeting.end", "", CHAIR},
	{"meeting.tick", "", MEET_IS_SYSTEM},
	{"user.list", "", ALL},
	{"user.join", "self", MEET_IS_GUEST | SEATED},
	{"user.leave", "self", SEATED},
	{"user.mute", "self", SEATED},
	{"user.mute", "other", CHAIR},
	{"user.mute", "all", CHAIR},
	{"user.unmute", "self", SEATED},
	{"user.unmute", "other", CHAIR},
	{"user.unmute", "all", CHAIR},
	{"user.kick", "other", CHAIR},
	{"user.role", "self", MEET_IS_MODERATOR},
	{"user.role", "other", CHAIR},
	{"user.hand", "self", SEATED},
	{"user.hand", "other", CHAIR},
	{"user.away", "other", MEET_IS_SYSTEM},
	{"chat.say", "", ALL},
	{"link.create", "", CHAIR},
	{"link.create", "other", MEET_IS_OP},
	{"link.list", "", CHAIR},
	{"link.revoke", "", CHAIR},
	{"key.list", "server", MEET_IS_OP},
	{"key.rotate", "server", MEET_IS_OP},
	{"events.read", "", ALL},
	{"events.read", "server", MEET_IS_OP},
	{"events.follow", "", ALL},
	{"events.follow", "server", MEET_IS_OP},
	{"media.publish", "self", SEATED},
	{"media.subscribe", "self", SEATED},
	{"media.answer", "self", SEATED},
	{"media.want", "self", SEATED},
	{"media.off", "self", SEATED},
	{"media.confirm", "self", SEATED},
	{"media.check", "self", SEATED},
	{"media.echo", "self", MEET_IS_GUEST | SEATED},
	{"media.attach", "", MEET_IS_OP},
	{"media.detach", "", MEET_IS_OP},
	{"media.started", "other", MEET_IS_WORKER},
	{"media.stopped", "other", MEET_IS_WORKER | MEET_IS_SYSTEM},
};

const struct meet_right *meet_rights(size_t *n)
{
	*n = ARRAY_LEN(rights);
	return rights;
}

unsigned meet_standing(const struct meet *m, const struct meet_actor *a)
{
	const struct seat *seat;

	switch (a->party) {
	case MEET_SYSTEM:
		return MEET_IS_SYSTEM;
	case MEET_WORKER:
		return MEET_IS_WORKER;
	case MEET_OP:
		return MEET_IS_OP;
	case MEET_USER:
		break;
	}
	seat = m ? meet_find(m, a->id) : NULL;
	if (!seat)
		return MEET_IS_GUEST;
	return seat->s.role == MEET_MODERATOR ? MEET_IS_MODERATOR
					      : MEET_IS_VIEWER;
}

static const char *denial(unsigned standing, unsigned who)
{
	if (standing == MEET_IS_GUEST && (who & SEATED))
		return "join the meeting first";
	if (who == CHAIR || who == MEET_IS_MODERATOR)
		return "only moderators can do this";
	if (who == MEET_IS_OP)
		return "only the server's operators can do this";
	return "this is not yours to do";
}

int meet_allow(const struct meet *m, const struct meet_actor *a,
	const char *method, const char *object, struct meet_refusal *why)
{
	unsigned standing = meet_standing(m, a);

	for (size_t i = 0; i < ARRAY_LEN(rights); i++) {
		const struct meet_right *r = &rights[i];

		if (!str_eq(r->method, method) || !str_eq(r->object, object))
			continue;
		if (r->who & standing)
			return 0;
		return meet_refuse(why, "denied", "%s",
			denial(standing, r->who));
	}
	return meet_refuse(why, "denied", "nobody may do this");
}

int meet_admit(const struct meet *m, const char *user, const char *link,
	struct meet_ticket *out, struct meet_refusal *why)
{
	const struct seat *seat = meet_find(m, user);
	const struct record *record = meet_record(m, user);
	const struct link *l = meet_link(m, link);
	bool spent = l && l->uses && l->used >= l->uses;

	*out = (struct meet_ticket){0};
	if (!m->open)
		return meet_refuse(why, "not_found", "%s", m->created_ms
			? "this meeting has ended"
			: "there is no such meeting");
	out->kicked = record && record->kicked;
	if (out->kicked)
		return meet_refuse(why, "denied",
			"you have been removed from this meeting");
	if (!l)
		return meet_refuse(why, "denied",
			"this link is not of this meeting");
	if (!str_eq(l->sub, "*") && !str_eq(l->sub, user))
		return meet_refuse(why, "denied",
			"this link is for somebody else");
	/* Who sits already stays: only kick takes a seat away. */
	out->revoked = l->revoked && !seat;
	if (out->revoked)
		return meet_refuse(why, "denied",
			"this link has been revoked");
	out->spent = spent;
	if (spent && !seat && !(record && str_eq(record->link, l->id)))
		return meet_refuse(why, "denied",
			"this link has been used up");
	*out = (struct meet_ticket){.role = l->role,
		.name = *l->name ? l->name : NULL, .joined = seat != NULL,
		.spent = spent};
	if (seat)
		out->role = seat->s.role;
	else if (record && record->role_set)
		out->role = record->role;
	return 0;
}

bool meet_visible(const json_t *event, unsigned standing, const char *user)
{
	const json_t *data = json_object_get(event, "data");
	const char *type = json_string_value(json_object_get(event, "type"));
	const char *actor = json_string_value(json_object_get(event,
		"actor"));
	const char *to;

	if (standing == MEET_IS_OP)
		return true;
	if (!(standing & SEATED) || !type)
		return false;
	if (str_starts(type, "link."))
		return standing == MEET_IS_MODERATOR;
	if (!str_eq(type, "chat.said"))
		return true;
	to = json_string_value(json_object_get(data, "to"));
	return !to || str_eq(to, user) ||
		(actor && str_starts(actor, "user:") &&
			str_eq(actor + 5, user));
}
