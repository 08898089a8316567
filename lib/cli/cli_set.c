/* cli_set - get, set, and waiting for what others do. */
#include "cli_priv.h"

static void put_value(struct cli_table *t, const json_t *v)
{
	if (json_is_integer(v))
		cli_cell_int(t, json_integer_value(v));
	else
		cli_cell(t, json_string_value(v));
}

/* A value that was asked for alone is printed alone, but for -T. */
static int got(struct cli *c, json_t *result)
{
	const json_t *value = json_object_get(result, "value");
	const char *key, *s = json_string_value(value);
	json_t *v;

	if (!result || cli_has(c, OPT_JSON))
		return cli_done(c, result);
	if (c->n_args == 2 && !cli_has(c, OPT_TSV)) {
		if (s)
			str_escape(&c->out, s, strlen(s));
		else
			buf_printf(&c->out, "%" JSON_INTEGER_FORMAT,
				json_integer_value(value));
		buf_putc(&c->out, '\n');
		json_decref(result);
		return 0;
	}
	struct cli_table *t = cli_table_new((const char *[]){"KEY",
		"*VALUE"}, 2);
	if (c->n_args == 2) {
		cli_cell(t, c->args[1]);
		put_value(t, value);
	} else {
		json_object_foreach(result, key, v) {
			cli_cell(t, key);
			put_value(t, v);
		}
	}
	json_decref(result);
	return cli_table_put(c, t);
}

int cli_get(struct cli *c)
{
	const char *id = cli_meeting(c);
	json_t *params;

	if (!id)
		return c->status;
	params = json_pack("{s:s, s:s*}", "meeting", id, "key",
		c->n_args > 1 ? c->args[1] : NULL);
	if (!params)
		return cli_fail(c, 2, "the key is no UTF-8 text");
	return cli_then(c, "meeting.get", params, got);
}

/* Names may be numbers; all else that looks like one is one. */
int cli_set(struct cli *c)
{
	const char *id = cli_meeting(c), *key = c->args[1];
	json_t *params, *value;
	int64_t n;

	if (!id)
		return c->status;
	value = str_eq(key, "name") || str_i64(c->args[2], INT64_MIN,
		INT64_MAX, &n) ? json_string(c->args[2]) : json_integer(n);
	params = value ? json_pack("{s:s, s:s, s:o}", "meeting", id, "key",
		key, "value", value) : NULL;
	if (!params)
		return cli_fail(c, 2, "the value or the key is no UTF-8 text");
	return cli_then(c, "meeting.set", params, cli_done);
}

/* --- wait ---------------------------------------------------------------- */

static bool any(const json_t *user)
{
	(void)user;
	return true;
}

static bool is_moderator(const json_t *user)
{
	return str_eq(json_string_value(json_object_get(user, "role")),
		"moderator");
}

static bool has_camera(const json_t *user)
{
	size_t i;
	const json_t *source;

	json_array_foreach(json_object_get(user, "sources"), i, source)
		if (str_eq(json_string_value(source), "cam"))
			return true;
	return false;
}

static bool has_hand_up(const json_t *user)
{
	return json_is_true(json_object_get(user, "hand"));
}

static const struct field {
	const char *name;
	bool (*counts)(const json_t *user);
} fields[] = {
	{"users", any}, {"moderators", is_moderator},
	{"cameras", has_camera}, {"hands", has_hand_up},
};

static bool at_least(int64_t a, int64_t b) { return a >= b; }
static bool at_most(int64_t a, int64_t b) { return a <= b; }
static bool equal(int64_t a, int64_t b) { return a == b; }
static bool less(int64_t a, int64_t b) { return a < b; }
static bool more(int64_t a, int64_t b) { return a > b; }

static const struct op {
	const char *name;
	bool (*holds)(int64_t a, int64_t b);
} ops[] = {
	{">=", at_least}, {"<=", at_most}, {"==", equal}, {"<", less},
	{">", more},
};

struct waiting {
	const char *meeting;
	const char *type; /* of an event, or NULL: a field */
	const struct field *field;
	const struct op *op;
	int64_t number;
	int64_t value;       /* counted last */
	uint64_t deadline_ns;
};

/* The verb for an event prints what -T and --json ask for. */
static void put_wanted(struct cli *c, const json_t *event)
{
	if (cli_has(c, OPT_TSV) || cli_has(c, OPT_JSON))
		cli_put_event(c, event);
}

static const char *type_of(const json_t *event)
{
	const char *type = json_string_value(json_object_get(event, "type"));

	return type ? type : "";
}

static int on_wanted(struct cli *c, const json_t *event)
{
	if (str_eq(type_of(event), c->args[1])) {
		put_wanted(c, event);
		return 0;
	}
	return str_eq(type_of(event), "meeting.ended") ?
		cli_fail(c, 1, "the meeting has ended") : -1;
}

/* Ends the waiting when the count may have changed. */
static int on_change(struct cli *c, const json_t *event)
{
	const char *type = type_of(event);

	(void)c;
	return str_starts(type, "user.") || str_starts(type, "media.") ||
		str_eq(type, "meeting.ended") ? 0 : -1;
}

static int parse(struct cli *c, struct waiting *w)
{
	if (c->n_args == 2) {
		w->type = c->args[1];
		if (!strchr(w->type, '.') || strspn(w->type, "abcdefghijklmno"
			"pqrstuvwxyz._-") != strlen(w->type))
			return cli_fail(c, 2, "'%s' is no type of event such "
				"as user.joined", w->type);
		return 0;
	}
	if (c->n_args == 3)
		return cli_fail(c, 2, "FIELD, operator and number are three "
			"words, such as: users '>=' 2");
	for (size_t i = 0; i < ARRAY_LEN(fields); i++)
		if (str_eq(fields[i].name, c->args[1]))
			w->field = &fields[i];
	for (size_t i = 0; i < ARRAY_LEN(ops); i++)
		if (str_eq(ops[i].name, c->args[2]))
			w->op = &ops[i];
	if (!w->field)
		return cli_fail(c, 2, "'%s' is not users, moderators, cameras "
			"or hands", c->args[1]);
	if (!w->op)
		return cli_fail(c, 2, "'%s' is not >=, <=, ==, < or >",
			c->args[2]);
	if (str_i64(c->args[3], 0, INT64_MAX, &w->number))
		return cli_fail(c, 2, "'%s' is no number", c->args[3]);
	return 0;
}

/* 1 if the meeting has ended, 0 if not; -1: it could not be asked. */
static int is_over(struct cli *c, const char *meeting)
{
	json_t *result = cli_ask(c, "meeting.show", json_pack("{s:s}",
		"meeting", meeting));
	bool over = str_eq(json_string_value(json_object_get(json_object_get(
		result, "meeting"), "state")), "ended");

	json_decref(result);
	return result ? over : -1;
}

/* The same for the condition. */
static int holds(struct cli *c, struct waiting *w)
{
	json_t *user, *result = cli_ask_all(c, "user.list", json_pack(
		"{s:s}", "meeting", w->meeting), "users", "user");
	size_t i;

	if (!result)
		return -1;
	w->value = 0;
	json_array_foreach(json_object_get(result, "users"), i, user)
		w->value += w->field->counts(user);
	json_decref(result);
	return w->op->holds(w->value, w->number);
}

static int put_count(struct cli *c, const struct waiting *w)
{
	if (cli_has(c, OPT_JSON)) {
		json_t *o = json_pack("{s:s, s:I}", "field", w->field->name,
			"value", (json_int_t)w->value);
		cli_put_json(c, o);
		json_decref(o);
	} else if (cli_has(c, OPT_TSV)) {
		buf_printf(&c->out, "%s\t%" PRId64 "\n", w->field->name,
			w->value);
	}
	return 0;
}

static int wait_count(struct cli *c, struct waiting *w)
{
	int over, now, status = 0;

	while (!status && !c->conn->out_gone) {
		/* What happens from here on ends the waiting below. */
		c->conn->status = -1;
		over = is_over(c, w->meeting);
		now = over < 0 ? -1 : holds(c, w);
		if (now)
			return now < 0 ? c->status : put_count(c, w);
		if (over)
			return cli_fail(c, 1, "the meeting has ended");
		status = cli_follow(c, w->deadline_ns);
	}
	return status;
}

static int run(struct cli *c, struct waiting *w)
{
	json_t *result = cli_ask(c, "events.follow", json_pack("{s:s}",
		"meeting", w->meeting));
	int over;

	if (!result)
		return c->status;
	json_decref(result);
	if (w->field)
		return wait_count(c, w);
	over = is_over(c, w->meeting);
	if (over < 0)
		return c->status;
	if (over && c->conn->status < 0)
		return cli_fail(c, 1, "the meeting has ended");
	return cli_follow(c, w->deadline_ns);
}

int cli_wait(struct cli *c)
{
	struct waiting w = {.meeting = cli_meeting(c),
		.deadline_ns = CTL_NEVER};
	struct cli_conn *shared = c->conn;
	struct cli_conn own = {.fd = -1, .status = -1, .follower = c};
	int status;

	if (!w.meeting || parse(c, &w))
		return c->status;
	cli_settle(c);
	if (cli_has(c, OPT_WAIT))
		w.deadline_ns = io_now_ns() + c->wait_ns;
	/* Following has no end but that of the connection. */
	own.on_event = w.field ? on_change : on_wanted;
	c->conn = &own;
	status = run(c, &w);
	cli_close(c);
	shared->out_gone = shared->out_gone || own.out_gone;
	c->conn = shared;
	return status;
}
