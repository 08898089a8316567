/* The state of a meeting: its parts, and looking things up. */
#include "meet_priv.h"

const char *const meet_audio_names[AUDIO_KINDS] = {
	[AUDIO_AUTO] = "auto", [AUDIO_FORWARD] = "forward"};

static const char *const role_names[] = {
	[MEET_VIEWER] = "viewer", [MEET_MODERATOR] = "moderator"};

static const char *const source_names[] = {
	"mic", "cam", "screen", "screen-audio"};

const char *meet_source_name(unsigned source)
{
	for (unsigned i = 0; i < ARRAY_LEN(source_names); i++)
		if (source == 1u << i)
			return source_names[i];
	return NULL;
}

unsigned meet_source(const char *name)
{
	for (unsigned i = 0; i < ARRAY_LEN(source_names); i++)
		if (str_eq(name, source_names[i]))
			return 1u << i;
	return 0;
}

const char *meet_role_name(enum meet_role role)
{
	return role_names[role];
}

int meet_role(const char *name, enum meet_role *out)
{
	for (size_t i = 0; i < ARRAY_LEN(role_names); i++) {
		if (str_eq(name, role_names[i])) {
			*out = (enum meet_role)i;
			return 0;
		}
	}
	return -EINVAL;
}

int meet_audio(const char *name, enum meet_audio *out)
{
	for (size_t i = 0; i < AUDIO_KINDS; i++) {
		if (str_eq(name, meet_audio_names[i])) {
			*out = (enum meet_audio)i;
			return 0;
		}
	}
	return -EINVAL;
}

bool meet_empty_ok(int64_t ms)
{
	return ms == 0 || (ms >= 1000 && ms <= INT64_C(31622400000));
}

bool meet_max_ok(int64_t users)
{
	return users >= 0 && users <= MEET_MAX_USERS;
}

int people_init(struct people *p, uint64_t seed)
{
	list_init(&p->seats);
	p->by_user = map_new(seed);
	p->links = map_new(seed);
	p->records = map_new(seed);
	if (p->by_user && p->links && p->records)
		return 0;
	people_free(p);
	return -ENOMEM;
}

static void free_values(struct map *m)
{
	size_t pos = 0;
	void *v;

	while (m && (v = map_next(m, &pos, NULL, NULL)))
		free(v);
	map_free(m);
}

void people_free(struct people *p)
{
	list_each(l, safe, &p->seats)
		free(list_entry(l, struct seat, link));
	map_free(p->by_user);
	free_values(p->links);
	free_values(p->records);
}

struct meet *meet_new(const char *id, uint64_t seed)
{
	struct meet *m;

	if (!str_is_meeting_id(id)) {
		errno = EINVAL;
		return NULL;
	}
	m = calloc(1, sizeof(*m));
	if (!m || people_init(&m->people, seed)) {
		free(m);
		errno = ENOMEM;
		return NULL;
	}
	str_copy(m->id, sizeof(m->id), id);
	m->seed = seed;
	return m;
}

void meet_chat_clear(struct meet *m)
{
	for (unsigned i = 0; i < m->n_chat; i++)
		json_decref(m->chat[i]);
	m->n_chat = m->next_chat = 0;
}

void meet_free(struct meet *m)
{
	if (!m)
		return;
	meet_chat_clear(m);
	people_free(&m->people);
	free(m);
}

const char *meet_id(const struct meet *m)
{
	return m->id;
}

uint64_t meet_seq(const struct meet *m)
{
	return m->seq;
}

bool meet_open(const struct meet *m)
{
	return m->open;
}

size_t meet_users(const struct meet *m)
{
	return map_count(m->people.by_user);
}

struct seat *meet_find(const struct meet *m, const char *user)
{
	return user ? map_gets(m->people.by_user, user) : NULL;
}

struct link *meet_link(const struct meet *m, const char *link)
{
	return link ? map_gets(m->people.links, link) : NULL;
}

struct record *meet_record(const struct meet *m, const char *user)
{
	return map_gets(m->people.records, user);
}

const struct meet_seat *meet_seat(const struct meet *m, const char *user)
{
	struct seat *seat = meet_find(m, user);

	return seat ? &seat->s : NULL;
}

const struct meet_seat *meet_seat_next(const struct meet *m,
	const struct meet_seat *prev)
{
	const struct list *l = prev ? &list_entry(prev, struct seat, s)->link
				    : &m->people.seats;

	if (l->next == &m->people.seats)
		return NULL;
	return &list_entry(l->next, struct seat, link)->s;
}

bool meet_heard(const struct meet *m, const char *user)
{
	const struct seat *seat = meet_find(m, user);

	return seat && !seat->s.muted && !seat->s.held;
}

uint64_t meet_deadline(const struct meet *m)
{
	uint64_t due = MEET_NEVER;

	if (!m->open)
		return MEET_NEVER;
	if (!meet_users(m) && m->empty_ms)
		return m->empty_since_ms + m->empty_ms;
	list_each(l, safe, &m->people.seats) {
		const struct meet_seat *s =
			&list_entry(l, struct seat, link)->s;

		if (s->away)
			due = MIN(due, s->away_ms + MEET_AWAY_MS);
	}
	return due;
}

int meet_refuse(struct meet_refusal *why, const char *kind,
	const char *fmt, ...)
{
	va_list ap;

	why->kind = kind;
	va_start(ap, fmt);
	vsnprintf(why->message, sizeof(why->message), fmt, ap);
	va_end(ap);
	return -EPERM;
}
