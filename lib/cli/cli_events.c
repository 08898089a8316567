/* cli_events - what happened, as JSON lines, and what happens on. */
#include "cli_priv.h"

#define PAGE 500 /* events of one answer */

static const char *cursor_name(const struct cli *c)
{
	return c->n_args ? "seq" : "pos";
}

void cli_put_event(struct cli *c, const json_t *e)
{
	static const char *const keys[] = {"seq", "pos", "time", "meeting",
		"type", "actor"};

	if (!cli_has(c, OPT_TSV)) {
		cli_put_json(c, e);
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		const json_t *v = json_object_get(e, keys[i]);
		const char *s = json_string_value(v);
		if (s)
			str_escape(&c->out, s, strlen(s));
		else if (json_is_integer(v))
			buf_printf(&c->out, "%" JSON_INTEGER_FORMAT,
				json_integer_value(v));
		buf_putc(&c->out, '\t');
	}
	/* JSON has an escape for TAB and line break of its own. */
	json_t *v = json_object_get(e, "data");
	if (v)
		cli_put_json(c, v);
	else
		buf_putc(&c->out, '\n');
}

static int on_event(struct cli *c, const json_t *e)
{
	cli_put_event(c, e);
	int err = cli_flush(c);

	return !err ? -1 : err == -EPIPE ? 0 : 3;
}

static int since_option(struct cli *c, int64_t *since)
{
	const char *s = c->value[OPT_SINCE];

	if (s && str_i64(s, 0, INT64_MAX, since))
		return cli_fail(c, 2, "--since: '%s' is no number", s);
	return 0;
}

static json_t *params_of(const struct cli *c, int64_t since, bool with_since)
{
	json_t *p = json_object();

	if (c->n_args)
		json_object_set_new(p, "meeting", json_string(c->args[0]));
	if (with_since)
		json_object_set_new(p, "since", json_integer(since));
	return p;
}

static int follow(struct cli *c, int64_t since)
{
	c->conn->on_event = on_event;
	c->conn->follower = c;
	json_t *result = cli_ask(c, "events.follow",
		params_of(c, since, cli_has(c, OPT_SINCE)));

	if (!result)
		return c->status;
	json_decref(result);
	return cli_follow(c, CTL_NEVER);
}

/* A page at a time, printed before the next is asked for. */
static int read_pages(struct cli *c, int64_t since)
{
	bool more = true;

	while (more) {
		json_t *params = params_of(c, since, true), *result, *e;
		size_t i;
		json_object_set_new(params, "limit", json_integer(PAGE));
		result = cli_ask(c, "events.read", params);
		if (!result)
			return c->status;
		json_array_foreach(json_object_get(result, "events"), i, e)
			cli_put_event(c, e);
		int64_t next = json_integer_value(
			json_object_get(result, cursor_name(c)));
		/* A server that does not move on must not hold us. */
		more = json_is_true(json_object_get(result, "more")) &&
			next > since;
		since = next;
		json_decref(result);
		int err = cli_flush(c);
		if (err)
			return err == -EPIPE ? 0 : 3;
	}
	return 0;
}

int cli_events(struct cli *c)
{
	int64_t since = 0;

	if (c->n_args && !cli_meeting(c))
		return c->status;
	if (since_option(c, &since))
		return c->status;
	if (c->batch && cli_has(c, OPT_FOLLOW))
		return cli_fail(c, 2, "-f has no end: not among commands");
	cli_settle(c);
	return cli_has(c, OPT_FOLLOW) ? follow(c, since) :
		read_pages(c, since);
}
