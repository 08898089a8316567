/* meet under random commands of random people: the log always folds to the
 * live state, seq is consecutive, who is held is not heard, who was kicked
 * has no seat, and no refusal changes anything.
 * Each command takes 4 bytes: what, who, on whom, detail. */
#include "base.h"
#include "json.h"
#include "meet.h"

#define USERS 6
#define LINKS 8

struct sim {
	struct meet *live, *folded;
	uint64_t now_ms;
	uint64_t seq;
	uint8_t draws;
	char user[USERS][STR_ID_CAP];
	char link[LINKS][STR_ID_CAP];
	bool held[USERS], kicked[USERS];
};

static void need(bool ok)
{
	if (!ok)
		abort();
}

static int number_of(const struct sim *s, const json_t *data)
{
	const char *user = json_string_value(json_object_get(data, "user"));

	for (int i = 0; i < USERS; i++)
		if (str_eq(s->user[i], user))
			return i;
	return -1;
}

/* What the test itself remembers of the events. */
static void remember(struct sim *s, const json_t *e)
{
	const char *type = json_string_value(json_object_get(e, "type"));
	const json_t *data = json_object_get(e, "data");
	int i = number_of(s, data);

	if (i >= 0 && str_eq(type, "user.held"))
		s->held[i] = true;
	if (i >= 0 && str_eq(type, "user.released"))
		s->held[i] = false;
	if (i >= 0 && str_eq(type, "user.kicked"))
		s->kicked[i] = true;
	if (str_eq(type, "meeting.created")) {
		memset(s->held, 0, sizeof(s->held));
		memset(s->kicked, 0, sizeof(s->kicked));
	}
	if (str_eq(type, "link.created"))
		str_copy(s->link[s->draws % LINKS], STR_ID_CAP,
			json_string_value(json_object_get(data, "link")));
}

static void apply(struct sim *s, const json_t *e)
{
	struct buf b = {0};
	char why[160];
	json_t *stored;

	need(json_integer_value(json_object_get(e, "seq")) ==
		(json_int_t)++s->seq);
	need(meet_apply(s->live, e, why) == 0);
	need(json_write(e, &b) == 0);
	stored = json_read_max(b.data, b.len, 1 << 20, why);
	need(stored && meet_apply(s->folded, stored, why) == 0);
	json_decref(stored);
	buf_free(&b);
	remember(s, e);
}

static void same(json_t *a, json_t *b)
{
	need(!a == !b && (!a || json_equal(a, b)));
	json_decref(a);
	json_decref(b);
}

static void check(const struct sim *s)
{
	bool more, more2;

	need(meet_seq(s->live) == s->seq && meet_seq(s->folded) == s->seq);
	same(meet_info_json(s->live), meet_info_json(s->folded));
	same(meet_users_json(s->live, NULL, &more),
		meet_users_json(s->folded, NULL, &more2));
	same(meet_links_json(s->live, NULL, &more),
		meet_links_json(s->folded, NULL, &more2));
	same(meet_chat_json(s->live, MEET_IS_OP, NULL, 1 << 20),
		meet_chat_json(s->folded, MEET_IS_OP, NULL, 1 << 20));
	need(meet_deadline(s->live) == meet_deadline(s->folded));
	need(meet_users(s->live) <= 4);
	need(meet_open(s->live) || !meet_users(s->live));
	for (int i = 0; i < USERS; i++) {
		const struct meet_seat *seat = meet_seat(s->live, s->user[i]);

		need(!s->kicked[i] || !seat);
		need(!seat || seat->held == s->held[i]);
		need(!s->held[i] || !meet_heard(s->live, s->user[i]));
	}
}

static const char *const commands[] = {"user.join", "user.leave",
	"user.mute", "user.unmute", "user.kick", "user.role", "user.hand",
	"user.away", "chat.say", "media.started", "media.stopped",
	"meeting.tick", "link.create", "link.revoke", "meeting.set",
	"meeting.end", "meeting.create", "media.attach", "media.detach"};

static json_t *params_of(const struct sim *s, const char *command,
	const uint8_t op[4])
{
	static const char *const names[] = {"", "Ada", " B\xe2\x80\xae ",
		"\xf0\x9f\x91\xa8"};
	json_t *p = json_object();
	char text[300];

	if (op[2] % 8 < USERS)
		json_object_set_new(p, str_eq(command, "chat.say") ? "to"
								    : "user",
			json_string(s->user[op[2] % 8]));
	if (op[2] & 0x40)
		json_object_set_new(p, "all", json_true());
	json_object_set_new(p, "up", json_boolean(op[3] & 1));
	json_object_set_new(p, "role", json_string(op[3] & 2 ? "moderator"
							     : "viewer"));
	json_object_set_new(p, "source", json_string(meet_source_name(
		1u << op[3] % 4)));
	json_object_set_new(p, "name", json_string(names[op[3] / 4 % 4]));
	json_object_set_new(p, "link", json_string(s->link[op[3] % LINKS]));
	json_object_set_new(p, "max_users", json_integer(4));
	memset(text, op[3], op[2]);
	text[op[2]] = 0;
	json_object_set_new(p, "text", json_string(text));
	json_object_set_new(p, "key", json_string(op[3] & 1 ? "audio"
							    : "empty_ms"));
	json_object_set_new(p, "value", op[3] & 1
		? json_string(op[3] & 2 ? "auto" : "forward")
		: json_integer(op[3] * 1000));
	return p;
}

static struct meet_actor actor_of(const struct sim *s, uint8_t who)
{
	switch (who % 16) {
	case 0:
	case 1:
		return (struct meet_actor){.party = MEET_OP, .id = "0"};
	case 2:
		return (struct meet_actor){.party = MEET_SYSTEM};
	case 3:
		return (struct meet_actor){.party = MEET_WORKER,
			.id = "relay/relay-0"};
	default:
		return (struct meet_actor){.party = MEET_USER,
			.id = s->user[who % USERS],
			.link = s->link[who / 16 % LINKS]};
	}
}

static void step(struct sim *s, const uint8_t op[4])
{
	const char *command = commands[op[0] % ARRAY_LEN(commands)];
	struct meet_actor a = actor_of(s, op[1]);
	uint8_t random[MEET_RANDOM] = {0};
	struct meet_refusal why;
	json_t *events, *p = params_of(s, command, op), *e;
	size_t i;
	int err;

	random[0] = random[16] = ++s->draws;
	random[1] = (uint8_t)(s->seq >> 8);
	s->now_ms += op[0] / 17 * UINT64_C(4000);
	err = meet_decide(s->live, &a, command, p, s->now_ms, random, &events,
		&why);
	need(err == 0 || (err == -EPERM && !events && *why.message));
	json_array_foreach(events, i, e)
		apply(s, e);
	json_decref(events);
	json_decref(p);
	check(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const uint8_t begin[][4] = {
		{16, 0, 7, 0}, {12, 0, 7, 0}, {12, 0, 7, 2}};
	struct sim s = {.now_ms = 1763802000000};

	s.live = meet_new("hello", 1);
	s.folded = meet_new("hello", 2);
	need(s.live && s.folded);
	for (uint8_t i = 0; i < USERS; i++) {
		const uint8_t random[16] = {0xff, i};

		str_id(s.user[i], 'u', random);
	}
	for (size_t i = 0; i < LINKS; i++)
		str_copy(s.link[i], STR_ID_CAP, "l_");
	for (size_t i = 0; i < ARRAY_LEN(begin); i++)
		step(&s, begin[i]);
	for (size_t i = 0; i + 4 <= n && i < 2048; i += 4)
		step(&s, p + i);
	meet_free(s.live);
	meet_free(s.folded);
	return 0;
}
