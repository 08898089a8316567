/* cli_people - users, and what is done to them or said. */
#include <pwd.h>
#include <unistd.h>

#include "cli_priv.h"

/* --- Who is meant -------------------------------------------------------- */

struct matches {
	const char *name;
	const char *id; /* of the first */
	unsigned n;
	struct buf ids;
};

static void match(struct matches *m, const json_t *users)
{
	size_t i;
	json_t *u;

	json_array_foreach(users, i, u) {
		const char *id = json_string_value(
			json_object_get(u, "user"));
		if (!id || !str_eq(m->name, json_string_value(
			json_object_get(u, "name"))))
			continue;
		m->id = m->n++ ? m->id : id;
		buf_puts(&m->ids, "  ");
		str_escape(&m->ids, id, strlen(id));
		buf_putc(&m->ids, '\n');
	}
}

char *cli_user(struct cli *c, const char *meeting, const char *who)
{
	struct matches m = {.name = who};
	char *id = NULL;
	json_t *result;

	if (str_is_id(who, 'u')) {
		id = strdup(who);
		if (!id)
			cli_fail(c, 3, "out of memory");
		return id;
	}
	result = cli_ask_all(c, "user.list", json_pack("{s:s}", "meeting",
		meeting), "users", "user");
	if (!result)
		return NULL;
	match(&m, json_object_get(result, "users"));
	if (m.n == 0) {
		cli_fail(c, 1, "no user '%s' in '%s'", who, meeting);
	} else if (m.n > 1) {
		cli_fail(c, 1, "%u users are called '%s':", m.n, who);
		buf_put(c->err, m.ids.data, m.ids.len);
	} else {
		id = strdup(m.id);
		if (!id)
			cli_fail(c, 3, "out of memory");
	}
	buf_free(&m.ids);
	json_decref(result);
	return id;
}

/* --- users --------------------------------------------------------------- */

static const char *const flags[] = {"away", "muted", "held", "hand"};

static bool is_set(const json_t *u, const char *flag)
{
	return json_is_true(json_object_get(u, flag));
}

/* Words parted by a comma, "-" for none. */
static void cell_words(struct cli_table *t, const json_t *u, bool with_flags)
{
	struct buf b = {0};
	size_t i;
	json_t *source;

	for (i = 0; with_flags && i < ARRAY_LEN(flags); i++)
		if (is_set(u, flags[i]))
			buf_printf(&b, "%s%s", b.len ? "," : "", flags[i]);
	json_array_foreach(json_object_get(u, "sources"), i, source)
		buf_printf(&b, "%s%s", b.len ? "," : "",
			json_is_string(source) ? json_string_value(source) :
			"?");
	cli_cell(t, b.len ? buf_cstr(&b) : "-");
	buf_free(&b);
}

static const char *member(const json_t *o, const char *key)
{
	return json_string_value(json_object_get(o, key));
}

static void row_human(struct cli_table *t, const json_t *u)
{
	cli_cell(t, member(u, "user"));
	cli_cell(t, member(u, "name"));
	cli_cell(t, member(u, "role"));
	cell_words(t, u, true);
}

static void row_tsv(struct cli_table *t, const json_t *u)
{
	cli_cell(t, member(u, "user"));
	cli_cell(t, member(u, "name"));
	cli_cell(t, member(u, "role"));
	cli_cell(t, member(u, "joined"));
	for (size_t i = 0; i < ARRAY_LEN(flags); i++)
		cli_cell(t, is_set(u, flags[i]) ? "1" : "0");
	cell_words(t, u, false);
}

int cli_users(struct cli *c)
{
	const char *id = cli_meeting(c);
	bool tsv = cli_has(c, OPT_TSV);
	json_t *result, *u;
	size_t i;

	if (!id)
		return c->status;
	result = cli_ask_all(c, "user.list", json_pack("{s:s}", "meeting", id),
		"users", "user");
	if (!result || cli_has(c, OPT_JSON))
		return cli_done(c, result);
	struct cli_table *t = cli_table_new((const char *[]){"USER", "*NAME",
		"ROLE", "STATE", "", "", "", "", ""}, tsv ? 9 : 4);
	json_array_foreach(json_object_get(result, "users"), i, u)
		(tsv ? row_tsv : row_human)(t, u);
	json_decref(result);
	return cli_table_put(c, t);
}

/* --- mute, unmute, kick, role -------------------------------------------- */

/* Asks method about the user that the second argument names, with params
 * (stolen) besides. */
static int about_user(struct cli *c, const char *method, json_t *params)
{
	const char *meeting = cli_meeting(c);
	char *user = meeting ? cli_user(c, meeting, c->args[1]) : NULL;

	if (!user) {
		json_decref(params);
		return c->status;
	}
	json_object_set_new(params, "meeting", json_string(meeting));
	json_object_set_new(params, "user", json_string(user));
	free(user);
	return cli_then(c, method, params, cli_done);
}

static int one_or_all(struct cli *c, const char *method)
{
	const char *meeting = cli_meeting(c);

	if (!meeting)
		return c->status;
	if ((c->n_args == 1) != cli_has(c, OPT_ALL))
		return cli_fail(c, 2, "either a user or --all is needed");
	if (!cli_has(c, OPT_ALL))
		return about_user(c, method, json_object());
	return cli_then(c, method, json_pack("{s:s, s:b}",
		"meeting", meeting, "all", 1), cli_done);
}

int cli_mute(struct cli *c)
{
	return one_or_all(c, "user.mute");
}

int cli_unmute(struct cli *c)
{
	return one_or_all(c, "user.unmute");
}

int cli_kick(struct cli *c)
{
	const char *reason = c->value[OPT_REASON];

	if (reason && !str_utf8_ok(reason, strlen(reason)))
		return cli_fail(c, 2, "--reason is no UTF-8 text");
	return about_user(c, "user.kick", json_pack("{s:s*}", "reason",
		reason));
}

int cli_role(struct cli *c)
{
	const char *role = c->args[2];

	if (!str_eq(role, "moderator") && !str_eq(role, "viewer"))
		return cli_fail(c, 2, "'%s' is not moderator or viewer",
			role);
	return about_user(c, "user.role", json_pack("{s:s}", "role", role));
}

int cli_hand(struct cli *c)
{
	const char *way = c->args[2];

	if (!str_eq(way, "up") && !str_eq(way, "down"))
		return cli_fail(c, 2, "'%s' is not up or down", way);
	return about_user(c, "user.hand", json_pack("{s:b}", "up",
		str_eq(way, "up")));
}

/* --- say ----------------------------------------------------------------- */

static int read_text(struct cli *c, struct buf *text)
{
	if (c->n_args == 2 && str_eq(c->args[1], "-"))
		return cli_read_all(c, CTL_MAX_IN, text);
	for (unsigned i = 1; i < c->n_args; i++) {
		if (i > 1)
			buf_putc(text, ' ');
		buf_puts(text, c->args[i]);
	}
	return 0;
}

/* One line break at the end belongs to the line, not to the message. */
static int check_text(struct cli *c, struct buf *text)
{
	while (text->len && text->data[text->len - 1] == '\n')
		text->len--;
	if (text->len > CLI_MAX_TEXT)
		return cli_fail(c, 2, "the text is longer than %d bytes",
			CLI_MAX_TEXT);
	if (!text->len)
		return cli_fail(c, 2, "the text is empty");
	if (!str_utf8_ok((const char *)text->data, text->len))
		return cli_fail(c, 2, "the text is no UTF-8 text");
	return 0;
}

static const char *login_name(struct cli_conn *conn)
{
	const struct passwd *pw = *conn->login ? NULL : getpwuid(getuid());

	if (pw)
		str_copy(conn->login, sizeof(conn->login), pw->pw_name);
	if (!*conn->login)
		snprintf(conn->login, sizeof(conn->login), "uid %u",
			(unsigned)getuid());
	return conn->login;
}

static int say_text(struct cli *c, const char *meeting,
	const struct buf *text)
{
	const char *as = c->value[OPT_AS], *to = c->value[OPT_TO];
	char *user = NULL;
	json_t *params;

	if (to && !(user = cli_user(c, meeting, to)))
		return c->status;
	params = json_pack("{s:s, s:s%, s:s, s:s*}", "meeting", meeting,
		"text", text->data, text->len, "as",
		as ? as : login_name(c->conn), "to", user);
	free(user);
	if (!params)
		return cli_fail(c, 2, "--as is no UTF-8 text");
	return cli_then(c, "chat.say", params, cli_done);
}

int cli_say(struct cli *c)
{
	const char *meeting = cli_meeting(c);
	struct buf text = {0};
	int status;

	if (!meeting)
		return c->status;
	if (read_text(c, &text))
		status = c->status;
	else
		status = check_text(c, &text);
	if (!status)
		status = say_text(c, meeting, &text);
	buf_free(&text);
	return status;
}
