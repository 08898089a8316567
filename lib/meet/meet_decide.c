/* Deciding: dispatch, the making of events, and the meeting's own commands. */
#include "meet_priv.h"

static int actor_name(char out[MEET_ACTOR_CAP], const struct meet_actor *a)
{
	static const char *const prefix[] = {[MEET_SYSTEM] = "system",
		[MEET_WORKER] = "worker:", [MEET_OP] = "op:",
		[MEET_USER] = "user:"};
	const char *id = a->party == MEET_SYSTEM ? "" : a->id;

	if (!id || (a->party != MEET_SYSTEM && !*id) || strlen(id) > 64 ||
		!str_utf8_ok(id, strlen(id)) ||
		(a->party == MEET_USER && !str_is_id(id, 'u')))
		return -EINVAL;
	snprintf(out, MEET_ACTOR_CAP, "%s%s", prefix[a->party], id);
	return 0;
}

/* json_object_set_new takes its value also when it fails, and fails on what
 * no memory was found for. */
static json_t *envelope(const struct draft *d, const char *type,
	const char *actor, json_t *data)
{
	uint64_t seq = d->m->seq + json_array_size(d->events) + 1;
	json_t *e = json_object();
	char now[TIME_CAP];
	int err = 0;

	time_format(now, d->now_ms);
	err |= json_object_set_new(e, "v", json_integer(MEET_VERSION));
	err |= json_object_set_new(e, "seq", json_integer((json_int_t)seq));
	err |= json_object_set_new(e, "pos", json_integer(0));
	err |= json_object_set_new(e, "time", json_string(now));
	err |= json_object_set_new(e, "meeting", json_string(d->m->id));
	err |= json_object_set_new(e, "type", json_string(type));
	err |= json_object_set_new(e, "actor", json_string(actor));
	err |= json_object_set_new(e, "data", data);
	if (!err)
		return e;
	json_decref(e);
	return NULL;
}

static void add(struct draft *d, const char *type, const char *actor,
	json_t *data)
{
	json_t *e;

	if (!data || d->no_memory) {
		json_decref(data);
		d->no_memory = true;
		return;
	}
	e = envelope(d, type, actor, data);
	if (!e || json_array_append_new(d->events, e))
		d->no_memory = true;
}

void draft_add(struct draft *d, const char *type, json_t *data)
{
	char actor[MEET_ACTOR_CAP];

	actor_name(actor, d->actor); /* was sound when we began */
	add(d, type, actor, data);
}

void draft_add_system(struct draft *d, const char *type, json_t *data)
{
	add(d, type, "system", data);
}

int draft_allow(struct draft *d, const char *object)
{
	return meet_allow(d->m, d->actor, d->command, object, d->why);
}

static int wrong(struct draft *d, const char *key, const char *type)
{
	return meet_refuse(d->why, "invalid", "%s must be %s", key, type);
}

int draft_str(struct draft *d, const char *key, bool needed,
	const char **out)
{
	const char *bad = NULL;

	*out = json_str(d->params, key, &bad);
	if (bad)
		return wrong(d, key, "a string");
	if (needed && !*out)
		return meet_refuse(d->why, "invalid", "%s is missing", key);
	return 0;
}

int draft_int(struct draft *d, const char *key, int64_t fallback,
	int64_t *out)
{
	const char *bad = NULL;

	*out = json_int(d->params, key, fallback, &bad);
	return bad ? wrong(d, key, "an integer") : 0;
}

int draft_flag(struct draft *d, const char *key, bool fallback, bool *out)
{
	const char *bad = NULL;

	*out = json_flag(d->params, key, fallback, &bad);
	return bad ? wrong(d, key, "true or false") : 0;
}

static int cleaned(struct draft *d, const char *key, const char *s,
	size_t max, char *out, size_t out_cap)
{
	int err = meet_clean(out, out_cap, s, max);

	if (err == -EMSGSIZE)
		return meet_refuse(d->why, "invalid",
			"%s is longer than %zu characters", key, max);
	return err ? wrong(d, key, "UTF-8") : 0;
}

int draft_text(struct draft *d, const char *key, size_t max, char *out,
	size_t out_cap)
{
	const char *s;
	int err = draft_str(d, key, false, &s);

	return err ? err : cleaned(d, key, s ? s : "", max, out, out_cap);
}

/* --- The meeting ---------------------------------------------------------- */

static int audio_word(struct draft *d, const char *word,
	enum meet_audio *out)
{
	if (str_eq(word, "mix"))
		return meet_refuse(d->why, "unavailable",
			"there is no mixer on this server");
	if (meet_audio(word, out))
		return meet_refuse(d->why, "invalid",
			"audio must be auto, forward or mix");
	return 0;
}

static int empty_word(struct draft *d, int64_t ms)
{
	return meet_empty_ok(ms) ? 0
				 : meet_refuse(d->why, "invalid",
		"empty_ms must be 0 or 1000 to 31622400000");
}

static int max_word(struct draft *d, int64_t users)
{
	return meet_max_ok(users) ? 0
				  : meet_refuse(d->why, "invalid",
		"max_users must be 0 to %d", MEET_MAX_USERS);
}

static int create(struct draft *d)
{
	const char *audio, *external;
	char title[MEET_TITLE_CAP];
	enum meet_audio kind = AUDIO_AUTO;
	int64_t empty, max;
	int err = draft_allow(d, "server");

	if (!err && d->m->open)
		err = meet_refuse(d->why, "exists",
			"the meeting %s exists already", d->m->id);
	if (!err)
		err = draft_text(d, "name", MEET_TITLE_MAX, title,
			sizeof(title));
	if (!err)
		err = draft_str(d, "audio", false, &audio);
	if (!err && audio)
		err = audio_word(d, audio, &kind);
	if (!err)
		err = draft_int(d, "empty_ms", MEET_EMPTY_MS, &empty);
	if (!err)
		err = empty_word(d, empty);
	if (!err)
		err = draft_int(d, "max_users", 0, &max);
	if (!err)
		err = max_word(d, max);
	if (!err)
		err = draft_str(d, "external", false, &external);
	if (!err && external && strlen(external) > MEET_EXTERNAL_MAX)
		err = meet_refuse(d->why, "invalid",
			"external is longer than %d bytes",
			MEET_EXTERNAL_MAX);
	if (err)
		return err;
	draft_add(d, "meeting.created", json_pack(
		"{s:s,s:s,s:I,s:I,s:s*}",
		"name", *title ? title : d->m->id,
		"audio", meet_audio_names[kind],
		"empty_ms", (json_int_t)empty,
		"max_users", (json_int_t)max,
		"external", external && *external ? external : NULL));
	return 0;
}

/* The value as it will stand, or NULL with *err. */
static json_t *new_value(struct draft *d, const char *key, const json_t *v,
	int *err)
{
	char title[MEET_TITLE_CAP];
	enum meet_audio audio;

	if (str_eq(key, "name") || str_eq(key, "audio")) {
		if (!json_is_string(v)) {
			*err = wrong(d, "value", "a string");
			return NULL;
		}
		if (str_eq(key, "audio")) {
			*err = audio_word(d, json_string_value(v), &audio);
			return *err ? NULL
				    : json_string(meet_audio_names[audio]);
		}
		*err = cleaned(d, key, json_string_value(v), MEET_TITLE_MAX,
			title, sizeof(title));
		if (!*err && !*title)
			*err = wrong(d, "name", "more than blanks");
		return *err ? NULL : json_string(title);
	}
	if (!str_eq(key, "empty_ms") && !str_eq(key, "max_users"))
		*err = meet_refuse(d->why, "invalid",
			"key must be name, audio, empty_ms or max_users");
	else if (!json_is_integer(v))
		*err = wrong(d, "value", "an integer");
	else if (str_eq(key, "empty_ms"))
		*err = empty_word(d, (int64_t)json_integer_value(v));
	else
		*err = max_word(d, (int64_t)json_integer_value(v));
	return *err ? NULL : json_integer(json_integer_value(v));
}

static int set(struct draft *d)
{
	const json_t *given = json_object_get(d->params, "value");
	json_t *value, *now, *data;
	const char *key;
	int err = draft_allow(d, "");

	if (!err)
		err = draft_str(d, "key", true, &key);
	if (err)
		return err;
	value = new_value(d, key, given, &err);
	if (err)
		return err;
	now = meet_get_json(d->m, key);
	if (!value || !now) {
		d->no_memory = true;
	} else if (!json_equal(json_object_get(now, "value"), value)) {
		data = json_pack("{s:s}", "key", key);
		if (json_object_set(data, "value", value)) {
			json_decref(data);
			data = NULL;
		}
		draft_add(d, "meeting.changed", data);
	}
	json_decref(value);
	json_decref(now);
	return 0;
}

/* Everybody's leaving stands in the log too, so that who was there when can
 * be read from user.joined and user.left alone. */
static void finish(struct draft *d, const char *reason)
{
	list_each(l, safe, &d->m->people.seats)
		draft_add_system(d, "user.left", json_pack("{s:s,s:s}",
			"user", list_entry(l, struct seat, link)->s.user,
			"reason", "ended"));
	draft_add(d, "meeting.ended", json_pack("{s:s}", "reason", reason));
}

static int end(struct draft *d)
{
	char reason[MEET_REASON_CAP];
	int err = draft_allow(d, "");

	if (!err)
		err = draft_text(d, "reason", MEET_REASON_MAX, reason,
			sizeof(reason));
	if (err)
		return err;
	if (!*reason)
		str_copy(reason, sizeof(reason),
			d->actor->party == MEET_OP ? "op" : "moderator");
	finish(d, reason);
	return 0;
}

static int tick(struct draft *d)
{
	int err = draft_allow(d, "");

	if (err)
		return err;
	list_each(l, safe, &d->m->people.seats) {
		const struct meet_seat *s =
			&list_entry(l, struct seat, link)->s;

		if (s->away && d->now_ms >= s->away_ms + MEET_AWAY_MS)
			draft_add(d, "user.left", json_pack("{s:s,s:s}",
				"user", s->user, "reason", "timeout"));
	}
	if (!meet_users(d->m) && d->m->empty_ms &&
		d->now_ms >= d->m->empty_since_ms + d->m->empty_ms)
		finish(d, "empty");
	return 0;
}

static const struct {
	const char *name;
	decide_fn *run;
} commands[] = {
	{"meeting.create", create},
	{"meeting.set", set},
	{"meeting.end", end},
	{"meeting.tick", tick},
	{"user.join", meet_user_join},
	{"user.leave", meet_user_leave},
	{"user.mute", meet_user_mute},
	{"user.unmute", meet_user_unmute},
	{"user.kick", meet_user_kick},
	{"user.role", meet_user_role},
	{"user.hand", meet_user_hand},
	{"user.away", meet_user_away},
	{"media.started", meet_media_started},
	{"media.stopped", meet_media_stopped},
	{"media.attach", meet_media_attach},
	{"media.detach", meet_media_detach},
	{"chat.say", meet_chat_say},
	{"link.create", meet_link_create},
	{"link.revoke", meet_link_revoke},
};

static decide_fn *find(const char *command)
{
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		if (str_eq(commands[i].name, command))
			return commands[i].run;
	return NULL;
}

int meet_decide(const struct meet *m, const struct meet_actor *actor,
	const char *command, const json_t *params, uint64_t now_ms,
	const uint8_t random[static MEET_RANDOM], json_t **events,
	struct meet_refusal *why)
{
	struct draft d = {.m = m, .actor = actor, .command = command,
		.params = params, .now_ms = now_ms, .random = random,
		.why = why};
	decide_fn *run = find(command);
	char name[MEET_ACTOR_CAP];
	int err;

	*events = NULL;
	*why = (struct meet_refusal){.kind = "internal"};
	if (!run)
		return meet_refuse(why, "invalid", "no such command");
	if (actor_name(name, actor))
		return meet_refuse(why, "internal", "no sound actor");
	if (!m->open && run != create)
		return meet_refuse(why, "not_found", "%s", m->created_ms
			? "this meeting has ended"
			: "there is no such meeting");
	d.events = json_array();
	if (!d.events)
		return -ENOMEM;
	err = run(&d);
	if (!err && d.no_memory)
		err = -ENOMEM;
	if (err)
		json_decref(d.events);
	else
		*events = d.events;
	return err;
}
