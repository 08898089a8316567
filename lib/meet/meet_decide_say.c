/* Deciding chat and links. */
#include "meet_priv.h"

#define LINK_SPAN_MS INT64_C(31622400000) /* 366 days */

static bool is_blank(char c)
{
	return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

/* Trims, and makes line ends of CR LF. NULL with *err. */
static char *message_text(struct draft *d, const char *s, int *err)
{
	size_t n = strlen(s), len = 0;
	char *out;

	while (n && is_blank(*s))
		s++, n--;
	while (n && is_blank(s[n - 1]))
		n--;
	if (!n)
		*err = meet_refuse(d->why, "invalid", "text is empty");
	else if (!str_utf8_ok(s, n))
		*err = meet_refuse(d->why, "invalid", "text must be UTF-8");
	out = *err ? NULL : malloc(n + 1);
	if (!out) {
		d->no_memory = !*err;
		return NULL;
	}
	for (size_t i = 0; i < n; i++) {
		uint8_t c = (uint8_t)s[i];
		bool c1 = c == 0xc2 && (uint8_t)s[i + 1] < 0xa0;

		if (c == '\r' && s[i + 1] == '\n')
			continue;
		if ((c < 0x20 && c != '\n' && c != '\t') || c == 0x7f || c1)
			*err = meet_refuse(d->why, "invalid",
				"text holds a control character");
		out[len++] = s[i];
	}
	out[len] = 0;
	if (!*err && len > MEET_CHAT_MAX)
		*err = meet_refuse(d->why, "invalid",
			"text is longer than %d bytes", MEET_CHAT_MAX);
	if (!*err)
		return out;
	free(out);
	return NULL;
}

/* The name shown as the sender's. */
static int sender(struct draft *d, char out[MEET_NAME_CAP])
{
	const struct seat *seat;
	const char *as;
	int err = draft_str(d, "as", false, &as);

	if (err)
		return err;
	if (d->actor->party == MEET_USER) {
		if (as)
			return meet_refuse(d->why, "denied",
				"only operators choose the name they say "
				"something by");
		seat = meet_find(d->m, d->actor->id);
		return str_copy(out, MEET_NAME_CAP, seat->s.name);
	}
	err = draft_text(d, "as", MEET_NAME_MAX, out, MEET_NAME_CAP);
	if (!err && !*out)
		snprintf(out, MEET_NAME_CAP, "op:%s", d->actor->id);
	return err;
}

int meet_chat_say(struct draft *d)
{
	char name[MEET_NAME_CAP];
	const char *given, *to;
	char *text;
	int err = draft_allow(d, "");

	if (!err)
		err = draft_str(d, "text", true, &given);
	if (!err)
		err = draft_str(d, "to", false, &to);
	if (!err)
		err = sender(d, name);
	if (err)
		return err;
	if (to && !meet_find(d->m, to))
		return meet_refuse(d->why, "not_found",
			"there is no such user in the meeting");
	if (to && d->actor->party == MEET_USER && str_eq(to, d->actor->id))
		return meet_refuse(d->why, "invalid",
			"a private message goes to somebody else");
	text = message_text(d, given, &err);
	if (text)
		draft_add(d, "chat.said", json_pack("{s:s,s:s,s:s*}",
			"text", text, "name", name, "to", to));
	free(text);
	return err;
}

/* Whom the link is for: a user given, a fresh one for a name, or anybody. */
static int bound_to(struct draft *d, char sub[STR_ID_CAP],
	char name[MEET_NAME_CAP])
{
	const struct seat *seat;
	const char *user;
	int err = draft_text(d, "name", MEET_NAME_MAX, name, MEET_NAME_CAP);

	if (!err)
		err = draft_str(d, "user", false, &user);
	if (!err)
		err = draft_allow(d, user ? "other" : "");
	if (err)
		return err;
	if (!user) {
		if (*name)
			str_id(sub, 'u', d->random + 16);
		else
			str_copy(sub, STR_ID_CAP, "*");
		return 0;
	}
	if (!str_is_id(user, 'u'))
		return meet_refuse(d->why, "invalid", "user is no user's id");
	str_copy(sub, STR_ID_CAP, user);
	seat = meet_find(d->m, user);
	if (!*name && seat)
		str_copy(name, MEET_NAME_CAP, seat->s.name);
	return 0;
}

/* When a link begins, how long it is good from then, how often. */
struct term {
	uint64_t from_ms; /* 0: at once */
	int64_t ttl_ms;
	int64_t uses; /* 0: any number */
};

static int read_term(struct draft *d, struct term *t)
{
	const char *from;
	int err = draft_int(d, "ttl_ms", MEET_LINK_TTL_MS, &t->ttl_ms);

	t->from_ms = 0;
	if (!err && (t->ttl_ms < 1000 || t->ttl_ms > LINK_SPAN_MS))
		err = meet_refuse(d->why, "invalid",
			"ttl_ms must be 1000 to %" PRId64, LINK_SPAN_MS);
	if (!err)
		err = draft_str(d, "from", false, &from);
	if (!err && from && (time_parse(from, &t->from_ms) ||
		t->from_ms > d->now_ms + (uint64_t)LINK_SPAN_MS))
		err = meet_refuse(d->why, "invalid",
			"from must be a time as in RFC 3339, at most 366 "
			"days ahead");
	if (!err)
		err = draft_int(d, "uses", 0, &t->uses);
	if (!err && (t->uses < 0 || t->uses > MEET_LINK_USES))
		err = meet_refuse(d->why, "invalid",
			"uses must be 1 to %d, or 0 for any number",
			MEET_LINK_USES);
	if (t->from_ms <= d->now_ms)
		t->from_ms = 0;
	return err;
}

int meet_link_create(struct draft *d)
{
	char sub[STR_ID_CAP], link[STR_ID_CAP], expires[TIME_CAP];
	char from[TIME_CAP];
	char name[MEET_NAME_CAP];
	enum meet_role role = MEET_VIEWER;
	struct term t;
	const char *word;
	json_t *data;
	int err = bound_to(d, sub, name);

	if (!err)
		err = draft_str(d, "role", false, &word);
	if (!err && word && meet_role(word, &role))
		err = meet_refuse(d->why, "invalid",
			"role must be viewer or moderator");
	if (!err)
		err = read_term(d, &t);
	if (!err && map_count(d->m->people.links) >= MEET_MAX_LINKS)
		err = meet_refuse(d->why, "limit",
			"the meeting has %d links already", MEET_MAX_LINKS);
	if (err)
		return err;
	str_id(link, 'l', d->random);
	time_format(from, t.from_ms);
	time_format(expires, (t.from_ms ? t.from_ms : d->now_ms) +
		(uint64_t)t.ttl_ms);
	data = json_pack("{s:s,s:s,s:s*,s:s,s:s*,s:s}",
		"link", link, "role", meet_role_name(role),
		"name", *name ? name : NULL, "sub", sub,
		"from", t.from_ms ? from : NULL, "expires", expires);
	if (t.uses && json_object_set_new(data, "uses",
		json_integer((json_int_t)t.uses))) {
		json_decref(data);
		data = NULL;
	}
	draft_add(d, "link.created", data);
	return 0;
}

int meet_link_revoke(struct draft *d)
{
	const struct link *l;
	const char *id;
	int err = draft_allow(d, "");

	if (!err)
		err = draft_str(d, "link", true, &id);
	if (err)
		return err;
	l = meet_link(d->m, id);
	if (!l)
		return meet_refuse(d->why, "not_found",
			"there is no such link in the meeting");
	if (!l->revoked)
		draft_add(d, "link.revoked",
			json_pack("{s:s}", "link", l->id));
	return 0;
}
