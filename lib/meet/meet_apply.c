/* Applying: the fold. Each function checks all and gets its memory before it
 * changes anything. */
#include "meet_priv.h"

struct fold {
	struct meet *m;
	const json_t *event;
	const json_t *data;
	uint64_t time_ms;
	char *why;
	int64_t seq;
	const char *type;
};

static int fault(struct fold *f, const char *what)
{
	snprintf(f->why, 160, "event %" PRId64 " (%.40s): %s", f->seq,
		f->type, what);
	return -EINVAL;
}

static const char *text(const struct fold *f, const char *key)
{
	return json_string_value(json_object_get(f->data, key));
}

/* The seat of data's user, or NULL with why set. */
static struct meet_seat *seat_of(struct fold *f)
{
	struct seat *seat = meet_find(f->m, text(f, "user"));

	if (!seat)
		fault(f, "the user is not there");
	return seat ? &seat->s : NULL;
}

static int role_of(struct fold *f, enum meet_role *out)
{
	return meet_role(text(f, "role"), out) ? fault(f, "no role") : 0;
}

/* Made where missing; NULL without memory. */
static struct record *record_of(struct meet *m, const char *user)
{
	struct record *r = meet_record(m, user);

	if (r)
		return r;
	r = calloc(1, sizeof(*r));
	if (r && map_puts(m->people.records, user, r)) {
		free(r);
		r = NULL;
	}
	return r;
}

/* One key of a meeting. */
static int keep(struct fold *f, struct meet *m, const char *key,
	const json_t *v)
{
	int64_t n = (int64_t)json_integer_value(v);
	const char *s = json_string_value(v);

	if (str_eq(key, "name") && s && *s && strlen(s) < sizeof(m->title))
		return str_copy(m->title, sizeof(m->title), s);
	if (str_eq(key, "audio") && s && !meet_audio(s, &m->audio))
		return 0;
	if (str_eq(key, "empty_ms") && json_is_integer(v) &&
		meet_empty_ok(n)) {
		m->empty_ms = (uint64_t)n;
		return 0;
	}
	if (str_eq(key, "max_users") && json_is_integer(v) &&
		meet_max_ok(n)) {
		m->max_users = (unsigned)n;
		return 0;
	}
	return fault(f, "no such key or value");
}

static int meeting_created(struct fold *f)
{
	static const char *const keys[] = {"name", "audio", "empty_ms",
		"max_users"};
	const char *external = text(f, "external");
	struct meet *m = f->m;
	struct meet next = *m;
	int err = 0;

	if (m->open)
		return fault(f, "the meeting is open already");
	if (external && strlen(external) > MEET_EXTERNAL_MAX)
		return fault(f, "external is too long");
	for (size_t i = 0; i < ARRAY_LEN(keys) && !err; i++)
		err = keep(f, &next, keys[i],
			json_object_get(f->data, keys[i]));
	if (!err)
		err = people_init(&next.people, m->seed);
	if (err)
		return err;
	meet_chat_clear(m);
	people_free(&m->people);
	*m = next;
	list_init(&m->people.seats);
	memset(m->chat, 0, sizeof(m->chat));
	m->n_chat = m->next_chat = 0;
	str_copy(m->external, sizeof(m->external), external ? external : "");
	m->created_ms = m->empty_since_ms = f->time_ms;
	m->ended_ms = 0;
	m->open = true;
	return 0;
}

static int meeting_changed(struct fold *f)
{
	const char *key = text(f, "key");

	return keep(f, f->m, key ? key : "", json_object_get(f->data,
		"value"));
}

static int meeting_ended(struct fold *f)
{
	if (meet_users(f->m))
		return fault(f, "somebody is still there");
	f->m->open = false;
	f->m->ended_ms = f->time_ms;
	return 0;
}

/* Whoever comes back by a link for everybody has been counted; one for a
 * single user counts each time. */
static void count_use(struct link *l, struct record *r)
{
	if (!str_eq(l->sub, "*") || !str_eq(r->link, l->id))
		l->used++;
	str_copy(r->link, sizeof(r->link), l->id);
}

static int user_joined(struct fold *f)
{
	const char *user = text(f, "user"), *name = text(f, "name");
	const char *link = text(f, "link");
	struct meet *m = f->m;
	struct link *l = meet_link(m, link);
	struct record *r = NULL;
	enum meet_role role;
	struct seat *seat;
	int err = role_of(f, &role);

	if (err)
		return err;
	if (!user || !str_is_id(user, 'u') || meet_find(m, user))
		return fault(f, "no user's id, or there already");
	if (!name || !*name || strlen(name) >= MEET_NAME_CAP)
		return fault(f, "no name");
	if (link && !str_is_id(link, 'l'))
		return fault(f, "no link's id");
	if (l && l->uses && !(r = record_of(m, user)))
		return -ENOMEM;
	seat = calloc(1, sizeof(*seat));
	if (!seat)
		return -ENOMEM;
	if (map_puts(m->people.by_user, user, seat)) {
		free(seat);
		return -ENOMEM;
	}
	str_copy(seat->s.user, sizeof(seat->s.user), user);
	str_copy(seat->s.name, sizeof(seat->s.name), name);
	str_copy(seat->s.link, sizeof(seat->s.link), link ? link : "");
	seat->s.role = role;
	seat->s.joined_ms = f->time_ms;
	if (r)
		count_use(l, r);
	list_append(&m->people.seats, &seat->link);
	return 0;
}

static void unseat(struct fold *f, struct meet_seat *s)
{
	struct seat *seat = list_entry(s, struct seat, s);

	map_dels(f->m->people.by_user, s->user);
	list_remove(&seat->link);
	free(seat);
	if (!meet_users(f->m))
		f->m->empty_since_ms = f->time_ms;
}

static int user_left(struct fold *f)
{
	struct meet_seat *s = seat_of(f);

	if (!s)
		return -EINVAL;
	if (!text(f, "reason"))
		return fault(f, "no reason");
	unseat(f, s);
	return 0;
}

static int user_kicked(struct fold *f)
{
	struct seat *seat = meet_find(f->m, text(f, "user"));
	const char *user = text(f, "user");
	struct record *r;

	if (!user || !str_is_id(user, 'u'))
		return fault(f, "no user's id");
	r = record_of(f->m, user);
	if (!r)
		return -ENOMEM;
	r->kicked = true;
	if (seat)
		unseat(f, &seat->s);
	return 0;
}

static int user_away(struct fold *f)
{
	struct meet_seat *s = seat_of(f);

	if (!s)
		return -EINVAL;
	s->away = true;
	s->away_ms = f->time_ms;
	return 0;
}

static int user_back(struct fold *f)
{
	struct meet_seat *s = seat_of(f);

	if (!s)
		return -EINVAL;
	s->away = false;
	return 0;
}

static int user_silence(struct fold *f)
{
	struct meet_seat *s = seat_of(f);
	bool held = str_eq(f->type, "user.held");
	struct record *r;

	if (!s)
		return -EINVAL;
	if (str_eq(f->type, "user.muted") || str_eq(f->type,
		"user.unmuted")) {
		s->muted = str_eq(f->type, "user.muted");
		return 0;
	}
	r = record_of(f->m, s->user);
	if (!r)
		return -ENOMEM;
	s->held = r->held = held;
	return 0;
}

static int user_role(struct fold *f)
{
	struct meet_seat *s = seat_of(f);
	enum meet_role role;
	struct record *r;

	if (!s)
		return -EINVAL;
	if (role_of(f, &role))
		return -EINVAL;
	r = record_of(f->m, s->user);
	if (!r)
		return -ENOMEM;
	s->role = r->role = role;
	r->role_set = true;
	return 0;
}

static int user_hand(struct fold *f)
{
	struct meet_seat *s = seat_of(f);
	const json_t *up = json_object_get(f->data, "up");

	if (!s)
		return -EINVAL;
	if (!json_is_boolean(up))
		return fault(f, "up is neither true nor false");
	s->hand = json_is_true(up);
	s->hand_ms = f->time_ms;
	return 0;
}

static int media(struct fold *f)
{
	struct meet_seat *s = seat_of(f);
	unsigned source = meet_source(text(f, "source"));

	if (!s)
		return -EINVAL;
	if (!source)
		return fault(f, "no source");
	if (str_eq(f->type, "media.started"))
		s->sources |= source;
	else
		s->sources &= ~source;
	return 0;
}

static int chat_said(struct fold *f)
{
	const char *said = text(f, "text"), *name = text(f, "name");
	const json_t *to = json_object_get(f->data, "to");
	struct meet *m = f->m;

	if (!said || strlen(said) > MEET_CHAT_MAX || !name)
		return fault(f, "no text or no name");
	if (to && (!json_is_string(to) ||
		!str_is_id(json_string_value(to), 'u')))
		return fault(f, "to is no user's id");
	if (m->n_chat == MEET_CHAT_KEPT)
		json_decref(m->chat[m->next_chat]);
	else
		m->n_chat++;
	m->chat[m->next_chat] = json_incref((json_t *)f->event);
	m->next_chat = (m->next_chat + 1) % MEET_CHAT_KEPT;
	return 0;
}

static int link_created(struct fold *f)
{
	const char *id = text(f, "link"), *sub = text(f, "sub");
	const char *name = text(f, "name"), *expires = text(f, "expires");
	const char *from = text(f, "from");
	const json_t *uses = json_object_get(f->data, "uses");
	enum meet_role role;
	uint64_t at_ms, from_ms = 0;
	struct link *l;
	int err = role_of(f, &role);

	if (err)
		return err;
	if (!id || !str_is_id(id, 'l') || meet_link(f->m, id))
		return fault(f, "no link's id, or there already");
	if (!sub || (!str_eq(sub, "*") && !str_is_id(sub, 'u')))
		return fault(f, "sub is neither a user's id nor *");
	if (!expires || time_parse(expires, &at_ms))
		return fault(f, "expires is no time");
	if (from && time_parse(from, &from_ms))
		return fault(f, "from is no time");
	if (uses && (!json_is_integer(uses) || json_integer_value(uses) < 1))
		return fault(f, "uses is no count");
	if (name && strlen(name) >= MEET_NAME_CAP)
		return fault(f, "the name is too long");
	l = calloc(1, sizeof(*l));
	if (!l)
		return -ENOMEM;
	if (map_puts(f->m->people.links, id, l)) {
		free(l);
		return -ENOMEM;
	}
	str_copy(l->id, sizeof(l->id), id);
	str_copy(l->sub, sizeof(l->sub), sub);
	str_copy(l->name, sizeof(l->name), name ? name : "");
	l->role = role;
	l->from_ms = from_ms;
	l->expires_ms = at_ms;
	l->uses = (uint64_t)json_integer_value(uses);
	return 0;
}

static int link_revoked(struct fold *f)
{
	struct link *l = meet_link(f->m, text(f, "link"));

	if (!l)
		return fault(f, "there is no such link");
	l->revoked = true;
	return 0;
}

static const struct {
	const char *type;
	int (*run)(struct fold *f);
} types[] = {
	{"meeting.created", meeting_created},
	{"meeting.changed", meeting_changed},
	{"meeting.ended", meeting_ended},
	{"user.joined", user_joined},
	{"user.away", user_away},
	{"user.back", user_back},
	{"user.left", user_left},
	{"user.kicked", user_kicked},
	{"user.muted", user_silence},
	{"user.unmuted", user_silence},
	{"user.held", user_silence},
	{"user.released", user_silence},
	{"user.role", user_role},
	{"user.hand", user_hand},
	{"media.started", media},
	{"media.stopped", media},
	{"chat.said", chat_said},
	{"link.created", link_created},
	{"link.revoked", link_revoked},
};

/* What every event must have, whatever its type. */
static int envelope(struct fold *f, int64_t *v)
{
	const json_t *e = f->event, *seq = json_object_get(e, "seq");
	const char *type = json_string_value(json_object_get(e, "type"));
	const char *actor = json_string_value(json_object_get(e, "actor"));
	const char *time = json_string_value(json_object_get(e, "time"));
	const char *id = json_string_value(json_object_get(e, "meeting"));

	f->seq = (int64_t)json_integer_value(seq);
	f->type = type ? type : "no type";
	f->data = json_object_get(e, "data");
	*v = (int64_t)json_integer_value(json_object_get(e, "v"));
	if (!json_is_integer(seq) || f->seq < 1 ||
		(uint64_t)f->seq != f->m->seq + 1)
		return fault(f, "out of order");
	if (!type || !actor || !json_is_object(f->data) || *v < 1)
		return fault(f, "no whole envelope");
	if (!str_eq(id, f->m->id))
		return fault(f, "of another meeting");
	if (!time || time_parse(time, &f->time_ms))
		return fault(f, "no time");
	return 0;
}

int meet_apply(struct meet *m, const json_t *event, char why[160])
{
	struct fold f = {.m = m, .event = event, .why = why};
	size_t i = 0;
	int64_t v;
	int err;

	why[0] = 0;
	err = envelope(&f, &v);
	if (err)
		return err;
	while (i < ARRAY_LEN(types) && !str_eq(types[i].type, f.type))
		i++;
	if (i == ARRAY_LEN(types)) {
		m->seq++;
		return 1;
	}
	if (v > MEET_VERSION)
		return fault(&f, "written by a newer program");
	if (!m->open && types[i].run != meeting_created)
		return fault(&f, "the meeting is not open then");
	err = types[i].run(&f);
	if (!err)
		m->seq++;
	return err;
}
