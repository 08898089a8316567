/* The state as the objects of conf-ctl(7). */
#include "meet_priv.h"

/* Adds a member; takes v also when it fails, and fails on NULL. */
static void put(json_t **o, const char *key, json_t *v)
{
	if (json_object_set_new(*o, key, v)) {
		json_decref(*o);
		*o = NULL;
	}
}

static json_t *time_json(uint64_t ms)
{
	char s[TIME_CAP];

	time_format(s, ms);
	return json_string(s);
}

json_t *meet_info_json(const struct meet *m)
{
	json_t *o;

	if (!m->created_ms)
		return NULL;
	o = json_object();
	put(&o, "id", json_string(m->id));
	put(&o, "name", json_string(m->title));
	put(&o, "state", json_string(m->open ? "open" : "ended"));
	put(&o, "created", time_json(m->created_ms));
	if (m->ended_ms)
		put(&o, "ended", time_json(m->ended_ms));
	put(&o, "audio", json_string(meet_audio_names[m->audio]));
	put(&o, "empty_ms", json_integer((json_int_t)m->empty_ms));
	put(&o, "max_users", json_integer(m->max_users));
	if (*m->external)
		put(&o, "external", json_string(m->external));
	put(&o, "users", json_integer((json_int_t)meet_users(m)));
	put(&o, "seq", json_integer((json_int_t)m->seq));
	return o;
}

json_t *meet_get_json(const struct meet *m, const char *key)
{
	json_t *o = json_object(), *v = NULL;

	if (str_eq(key, "name"))
		v = json_string(m->title);
	else if (str_eq(key, "audio"))
		v = json_string(meet_audio_names[m->audio]);
	else if (str_eq(key, "empty_ms"))
		v = json_integer((json_int_t)m->empty_ms);
	else if (str_eq(key, "max_users"))
		v = json_integer(m->max_users);
	put(&o, "key", json_string(key));
	put(&o, "value", v);
	return o;
}

static json_t *seat_json(const struct meet_seat *s)
{
	json_t *o = json_object(), *sources = json_array();

	for (unsigned bit = 1; bit <= MEET_SCREEN_AUDIO; bit <<= 1) {
		if ((s->sources & bit) && json_array_append_new(sources,
			json_string(meet_source_name(bit)))) {
			json_decref(sources);
			sources = NULL;
		}
	}
	put(&o, "user", json_string(s->user));
	put(&o, "name", json_string(s->name));
	put(&o, "role", json_string(meet_role_name(s->role)));
	put(&o, "joined", time_json(s->joined_ms));
	put(&o, "away", json_boolean(s->away));
	put(&o, "muted", json_boolean(s->muted));
	put(&o, "held", json_boolean(s->held));
	put(&o, "hand", json_boolean(s->hand));
	if (s->hand)
		put(&o, "hand_at", time_json(s->hand_ms));
	put(&o, "sources", sources);
	return o;
}

json_t *meet_user_json(const struct meet *m, const char *user)
{
	const struct meet_seat *s = meet_seat(m, user);

	return s ? seat_json(s) : NULL;
}

json_t *meet_users_json(const struct meet *m, const char *after, bool *more)
{
	const struct meet_seat *s = after ? meet_seat(m, after) : NULL;
	json_t *users = json_array();

	*more = false;
	if (after && !s)
		return users;
	while ((s = meet_seat_next(m, s))) {
		if (json_array_size(users) == MEET_PAGE) {
			*more = true;
			break;
		}
		if (json_array_append_new(users, seat_json(s))) {
			json_decref(users);
			return NULL;
		}
	}
	return users;
}

static json_t *link_json(const struct link *l)
{
	json_t *o = json_object();

	put(&o, "link", json_string(l->id));
	put(&o, "role", json_string(meet_role_name(l->role)));
	if (*l->name)
		put(&o, "name", json_string(l->name));
	put(&o, "sub", json_string(l->sub));
	if (l->from_ms)
		put(&o, "from", time_json(l->from_ms));
	put(&o, "expires", time_json(l->expires_ms));
	if (l->uses) {
		put(&o, "uses", json_integer((json_int_t)l->uses));
		put(&o, "used", json_integer((json_int_t)l->used));
	}
	put(&o, "revoked", json_boolean(l->revoked));
	return o;
}

json_t *meet_links_json(const struct meet *m, const char *after, bool *more)
{
	json_t *links = json_array();
	bool skip = after != NULL;
	const struct link *l;
	size_t pos = 0;

	*more = false;
	while ((l = map_next(m->people.links, &pos, NULL, NULL))) {
		if (skip) {
			skip = !str_eq(l->id, after);
			continue;
		}
		if (json_array_size(links) == MEET_PAGE) {
			*more = true;
			break;
		}
		if (json_array_append_new(links, link_json(l))) {
			json_decref(links);
			return NULL;
		}
	}
	return links;
}

json_t *meet_chat_json(const struct meet *m, unsigned standing,
	const char *user, size_t max_bytes)
{
	json_t *said = json_array();
	struct buf b = {0};
	size_t total = 0;
	int err = said ? 0 : -ENOMEM;

	/* From the newest back, until the bytes are used up. */
	for (unsigned i = 1; i <= m->n_chat && !err; i++) {
		json_t *e = m->chat[(m->next_chat + MEET_CHAT_KEPT - i) %
			MEET_CHAT_KEPT];

		if (!meet_visible(e, standing, user))
			continue;
		buf_clear(&b);
		err = json_write(e, &b);
		total += b.len + 1;
		if (err || total > max_bytes)
			break;
		if (json_array_insert(said, 0, e))
			err = -ENOMEM;
	}
	buf_free(&b);
	if (!err)
		return said;
	json_decref(said);
	return NULL;
}

json_t *meet_snapshot_json(const struct meet *m, const char *user)
{
	struct meet_actor reader = {.party = MEET_USER, .id = user};
	json_t *o;
	bool more;

	if (!meet_seat(m, user))
		return NULL;
	o = json_object();
	put(&o, "user", meet_user_json(m, user));
	put(&o, "users", meet_users_json(m, NULL, &more));
	put(&o, "more", json_boolean(more));
	put(&o, "meeting", meet_info_json(m));
	put(&o, "chat", meet_chat_json(m, meet_standing(m, &reader), user,
		MEET_SNAPSHOT_CHAT));
	put(&o, "seq", json_integer((json_int_t)m->seq));
	return o;
}
