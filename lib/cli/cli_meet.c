/* cli_meet - create, list, show, end, call. */
#include "cli_priv.h"

/* What a meeting can be made with besides its name, id and audio. The
 * server ignores what it does not know; a typing error must not be. */
static bool is_key(const char *key)
{
	static const char *const keys[] = {"empty_ms", "max_users",
		"external"};

	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		if (str_eq(keys[i], key))
			return true;
	return false;
}

/* KEY=VALUE; a value of digits alone is a number. */
static int add_set(struct cli *c, json_t *params, const char *set)
{
	const char *equals = strchr(set, '=');
	char key[64];
	int64_t n;

	if (!equals || equals == set || equals - set >= (int)sizeof(key))
		return cli_fail(c, 2, "--set: '%s' is not KEY=VALUE", set);
	memcpy(key, set, (size_t)(equals - set));
	key[equals - set] = '\0';
	if (!is_key(key))
		return cli_fail(c, 2, "--set: unknown key '%s'", key);
	json_t *v = str_eq(key, "external") ||
		str_i64(equals + 1, INT64_MIN, INT64_MAX, &n) ?
		json_string(equals + 1) : json_integer(n);
	if (!v)
		return cli_fail(c, 2, "--set: the value of '%s' is no UTF-8",
			key);
	json_object_set_new(params, key, v);
	return 0;
}

static int created(struct cli *c, json_t *result)
{
	const json_t *meeting = json_object_get(result, "meeting");
	const char *id = json_string_value(json_object_get(meeting, "id"));
	int status = 0;

	if (!result || cli_has(c, OPT_JSON))
		return cli_done(c, result);
	if (cli_has(c, OPT_TSV)) {
		struct cli_table *t = cli_table_new((const char *[]){"ID",
			"*NAME", "CREATED"}, 3);
		cli_cell(t, id);
		cli_cell(t, json_string_value(
			json_object_get(meeting, "name")));
		cli_cell_int(t, json_is_true(
			json_object_get(result, "created")));
		status = cli_table_put(c, t);
	} else if (id && !cli_has(c, OPT_QUIET)) {
		str_escape(&c->out, id, strlen(id));
		buf_putc(&c->out, '\n');
	}
	json_decref(result);
	return status;
}

int cli_create(struct cli *c)
{
	const char *audio = c->value[OPT_AUDIO], *id = c->value[OPT_ID];
	json_t *params;
	int status = 0;

	if (audio && !str_eq(audio, "auto") && !str_eq(audio, "forward") &&
		!str_eq(audio, "mix"))
		return cli_fail(c, 2, "--audio: '%s' is not auto, forward or "
			"mix", audio);
	if (id && !str_is_meeting_id(id))
		return cli_fail(c, 2, "--id: '%s' is no meeting's id (a-z, "
			"0-9 and '-', at most 64)", id);
	params = json_pack("{s:s, s:s*, s:s*}", "name", c->args[0], "id", id,
		"audio", audio);
	if (!params)
		return cli_fail(c, 2, "the name is no UTF-8 text");
	for (unsigned i = 0; !status && i < c->n_sets; i++)
		status = add_set(c, params, c->sets[i]);
	if (status) {
		json_decref(params);
		return status;
	}
	return cli_then(c, "meeting.create", params, created);
}

/* The members of a meeting as -T shows them, in this order. */
static const char *const show_keys[] = {"id", "name", "state", "created",
	"ended", "audio", "empty_ms", "max_users", "users", "seq"};

static void cell_of(struct cli_table *t, const json_t *v)
{
	if (json_is_integer(v))
		cli_cell_int(t, json_integer_value(v));
	else
		cli_cell(t, json_string_value(v));
}

int cli_list(struct cli *c)
{
	static const char *const human[] = {"id", "name", "users", "state",
		"created"};
	bool tsv = cli_has(c, OPT_TSV);
	const char *const *keys = tsv ? show_keys : human;
	/* seq is told of one meeting alone. */
	size_t n = tsv ? ARRAY_LEN(show_keys) - 1 : ARRAY_LEN(human), i;
	json_t *m, *result = cli_ask_all(c, "meeting.list",
		json_pack("{s:b}", "ended", cli_has(c, OPT_ENDED)),
		"meetings", "id");

	if (!result || cli_has(c, OPT_JSON))
		return cli_done(c, result);
	struct cli_table *t = cli_table_new((const char *[]){"ID", "*NAME",
		"USERS", "STATE", "CREATED", "", "", "", ""}, n);
	json_array_foreach(json_object_get(result, "meetings"), i, m)
		for (size_t k = 0; k < n; k++)
			cell_of(t, json_object_get(m, keys[k]));
	json_decref(result);
	return cli_table_put(c, t);
}

static int shown(struct cli *c, json_t *result)
{
	const json_t *m;
	struct cli_table *t;

	if (!result || cli_has(c, OPT_JSON))
		return cli_done(c, result);
	m = json_object_get(result, "meeting");
	t = cli_table_new((const char *[]){"KEY", "*VALUE", "", "", "", "",
		"", "", "", ""}, cli_has(c, OPT_TSV) ?
		ARRAY_LEN(show_keys) : 2);
	for (size_t k = 0; k < ARRAY_LEN(show_keys); k++) {
		const json_t *v = json_object_get(m, show_keys[k]);
		if (!cli_has(c, OPT_TSV) && (!v || json_is_null(v)))
			continue;
		if (!cli_has(c, OPT_TSV))
			cli_cell(t, show_keys[k]);
		cell_of(t, v);
	}
	json_decref(result);
	return cli_table_put(c, t);
}

int cli_show(struct cli *c)
{
	const char *id = cli_meeting(c);

	return id ? cli_then(c, "meeting.show", json_pack("{s:s}", "meeting",
		id), shown) : c->status;
}

int cli_end(struct cli *c)
{
	const char *id = cli_meeting(c);

	if (!id)
		return c->status;
	return cli_then(c, "meeting.end", json_pack("{s:s, s:s*}",
		"meeting", id, "reason", c->value[OPT_REASON]), cli_done);
}

/* JSON from the command line or, for "-", from standard input. */
static json_t *read_params(struct cli *c)
{
	const char *text = c->n_args > 1 ? c->args[1] : "{}";
	char why[160];
	struct buf in = {0};
	json_t *v;

	if (str_eq(text, "-")) {
		int err = cli_read_all(c, CTL_MAX_IN, &in);
		if (err)
			return NULL;
	} else {
		buf_puts(&in, text);
	}
	v = json_read(in.data, in.len, why);
	buf_free(&in);
	if (!v)
		cli_fail(c, 2, "not JSON: %s", why);
	else if (!json_is_object(v))
		cli_fail(c, 2, "the parameters are no JSON object");
	if (v && !json_is_object(v)) {
		json_decref(v);
		v = NULL;
	}
	return v;
}

static int called(struct cli *c, json_t *result)
{
	if (result)
		cli_put_json(c, result);
	json_decref(result);
	return result ? 0 : c->status;
}

int cli_call(struct cli *c)
{
	json_t *params = read_params(c);

	if (!params)
		return c->status;
	if (!str_utf8_ok(c->args[0], strlen(c->args[0]))) {
		json_decref(params);
		return cli_fail(c, 2, "the method's name is no UTF-8 text");
	}
	return cli_then(c, c->args[0], params, called);
}
