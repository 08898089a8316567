/* cli_link - a link to join by, and its address as others reach it. */
#include "cli_priv.h"
#include "text.h"

#define MAX_LOCAL 32 /* addresses of this host */

/* Where "/m/ID" begins: the base before it may have such a part, too. */
static const char *meeting_path(const char *url)
{
	const char *at = NULL, *end = url + strcspn(url, "?#");

	for (const char *p = url; (p = strstr(p, "/m/")) && p < end; p++)
		at = p;
	return at;
}

char *cli_rebase(const char *url, const char *base)
{
	const char *path = meeting_path(url);
	size_t n = strlen(base);
	struct buf b = {0};
	char *out = NULL;

	while (n && base[n - 1] == '/')
		n--;
	if (path) {
		buf_put(&b, base, n);
		buf_puts(&b, path);
		const char *s = buf_cstr(&b);
		out = s ? strdup(s) : NULL;
	}
	buf_free(&b);
	return out;
}

static bool is_base(const char *base)
{
	size_t n = strlen(base);

	return (str_starts(base, "https://") || str_starts(base, "http://")) &&
		str_utf8_ok(base, n) && !strpbrk(base, "#? \t\r\n");
}

/* An address by which other hosts reach this one: IPv4 where there is one,
 * since a person may have to type it. */
static bool lan_host(char host[IO_ADDR_CAP + 2])
{
	union io_addr a[MAX_LOCAL];
	int n = io_addr_local(a, MAX_LOCAL), best = -1;
	char text[IO_ADDR_CAP];

	for (int i = 0; i < n; i++) {
		bool v6 = a[i].sa.sa_family == AF_INET6;
		bool loop = v6 ? IN6_IS_ADDR_LOOPBACK(&a[i].in6.sin6_addr) :
			ntohl(a[i].in4.sin_addr.s_addr) >> 24 == 127;
		if (loop || (best >= 0 && v6))
			continue;
		if (best < 0 || a[best].sa.sa_family == AF_INET6)
			best = i;
	}
	if (best < 0)
		return false;
	io_addr_host(text, &a[best]);
	snprintf(host, IO_ADDR_CAP + 2, a[best].sa.sa_family == AF_INET6 ?
		"[%s]" : "%s", text);
	return true;
}

/* The link with this host's address in place of the one it names. */
static char *to_lan(struct cli *c, const char *url)
{
	char host[IO_ADDR_CAP + 2];
	const char *at = strstr(url, "://"), *meeting = meeting_path(url);
	struct buf base = {0};
	char *out = NULL;

	if (!lan_host(host)) {
		cli_fail(c, 1, "this host has no network address but "
			"loopback");
		return NULL;
	}
	if (at) {
		const char *old = at + 3, *path = strchr(old, '/');
		const char *end = path ? path : old + strlen(old);
		const char *port = old[0] == '[' ? strchr(old, ']') : old;
		port = port ? strchr(port, ':') : NULL;
		buf_put(&base, url, (size_t)(old - url));
		buf_puts(&base, host);
		if (port && port < end)
			buf_put(&base, port, (size_t)(end - port));
		if (meeting && meeting > end)
			buf_put(&base, end, (size_t)(meeting - end));
		const char *s = buf_cstr(&base);
		out = s ? cli_rebase(url, s) : NULL;
	}
	if (!out)
		cli_fail(c, 3, "the server's link is malformed");
	buf_free(&base);
	return out;
}

static char *final_url(struct cli *c, const char *url)
{
	const char *base = c->value[OPT_URL];
	char *based = base ? cli_rebase(url, base) : strdup(url);
	char *out = based;

	if (!based) {
		cli_fail(c, 3, "the server's link is malformed");
	} else if (cli_has(c, OPT_LAN)) {
		out = to_lan(c, based);
		free(based);
	}
	return out;
}

static int put_link(struct cli *c, json_t *result, const char *url)
{
	static const char *const keys[] = {"link", "expires"};

	if (cli_has(c, OPT_JSON)) {
		json_object_set_new(result, "url", json_string(url));
		cli_put_json(c, result);
		return 0;
	}
	if (cli_has(c, OPT_TSV)) {
		struct cli_table *t = cli_table_new((const char *[]){"URL",
			"LINK", "EXPIRES"}, 3);
		cli_cell(t, url);
		for (size_t i = 0; i < ARRAY_LEN(keys); i++)
			cli_cell(t, json_string_value(
				json_object_get(result, keys[i])));
		return cli_table_put(c, t);
	}
	str_escape(&c->out, url, strlen(url));
	buf_putc(&c->out, '\n');
	if (!cli_has(c, OPT_QR))
		return 0;
	int err = text_qr(&c->out, url, 0);
	if (err == -EMSGSIZE)
		return cli_fail(c, 1, "the link is too long for a QR code on "
			"a terminal");
	return err ? cli_fail(c, 3, "no QR code: %s", strerror(-err)) : 0;
}

/* --from: a time, or how long from now. */
static int read_from(struct cli *c, char out[TIME_CAP])
{
	const char *s = c->value[OPT_FROM];
	uint64_t ms;

	*out = '\0';
	if (!s)
		return 0;
	if (time_parse(s, &ms)) {
		if (str_duration_ms(s, &ms) || ms > INT64_MAX)
			return cli_fail(c, 2, "--from: '%s' is no time such "
				"as 2026-11-22T09:00:00Z or 1h", s);
		ms += io_wall_ms();
	}
	time_format(out, ms);
	return 0;
}

static int check_options(struct cli *c, uint64_t *ttl_ms)
{
	const char *role = c->value[OPT_ROLE], *ttl = c->value[OPT_TTL];
	const char *base = c->value[OPT_URL];

	if (role && !str_eq(role, "moderator") && !str_eq(role, "viewer"))
		return cli_fail(c, 2, "--role: '%s' is not moderator or "
			"viewer", role);
	if (ttl && (str_duration_ms(ttl, ttl_ms) || !*ttl_ms ||
		*ttl_ms > INT64_MAX))
		return cli_fail(c, 2, "--ttl: '%s' is no time such as 1h",
			ttl);
	if (base && !is_base(base))
		return cli_fail(c, 2, "--url: '%s' is no http or https "
			"address", base);
	if (cli_has(c, OPT_QR) &&
		(cli_has(c, OPT_TSV) || cli_has(c, OPT_JSON)))
		return cli_fail(c, 2, "--qr is for people: not with -T or "
			"--json");
	return 0;
}

static int linked(struct cli *c, json_t *result)
{
	const char *server_url = json_string_value(json_object_get(result,
		"url"));
	char *url = NULL;
	int status;

	if (!result)
		return c->status;
	if (server_url)
		url = final_url(c, server_url);
	else
		cli_fail(c, 3, "the server's answer holds no link");
	status = url ? put_link(c, result, url) : c->status;
	free(url);
	json_decref(result);
	return status;
}

int cli_link(struct cli *c)
{
	const char *id = cli_meeting(c), *uses_word = c->value[OPT_USES];
	uint64_t ttl_ms = 0, uses = 0;
	char from[TIME_CAP];
	json_t *params;

	if (!id || check_options(c, &ttl_ms) || read_from(c, from))
		return c->status;
	if (uses_word && str_u64(uses_word, 1, UINT32_MAX, &uses))
		return cli_fail(c, 2, "--uses: '%s' is no number from 1 on",
			uses_word);
	params = json_pack("{s:s, s:s*, s:s*, s:s*}", "meeting", id, "name",
		c->value[OPT_NAME], "role", c->value[OPT_ROLE], "from",
		*from ? from : NULL);
	if (!params)
		return cli_fail(c, 2, "--name is no UTF-8 text");
	if (ttl_ms)
		json_object_set_new(params, "ttl_ms",
			json_integer((json_int_t)ttl_ms));
	if (uses)
		json_object_set_new(params, "uses",
			json_integer((json_int_t)uses));
	return cli_then(c, "link.create", params, linked);
}

/* --- links, unlink ------------------------------------------------------- */

static const char *member(const json_t *o, const char *key)
{
	return json_string_value(json_object_get(o, key));
}

static void cell_number(struct cli_table *t, const json_t *v)
{
	if (json_is_integer(v))
		cli_cell_int(t, json_integer_value(v));
	else
		cli_cell(t, NULL);
}

static void row_tsv(struct cli_table *t, const json_t *l)
{
	static const char *const keys[] = {"link", "name", "role", "sub",
		"from", "expires"};

	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		cli_cell(t, member(l, keys[i]));
	cell_number(t, json_object_get(l, "uses"));
	cell_number(t, json_object_get(l, "used"));
	cli_cell(t, json_is_true(json_object_get(l, "revoked")) ? "1" : "0");
}

/* In one word why nobody enters by the link now, or how many have. */
static void cell_state(struct cli_table *t, const json_t *l)
{
	const char *from = member(l, "from"), *expires = member(l, "expires");
	json_int_t uses = json_integer_value(json_object_get(l, "uses"));
	json_int_t used = json_integer_value(json_object_get(l, "used"));
	uint64_t from_ms = 0, expires_ms = UINT64_MAX, now = io_wall_ms();
	char text[64] = "good";

	if (from)
		time_parse(from, &from_ms);
	if (expires)
		time_parse(expires, &expires_ms);
	if (json_is_true(json_object_get(l, "revoked")))
		str_copy(text, sizeof(text), "revoked");
	else if (expires_ms <= now)
		str_copy(text, sizeof(text), "expired");
	else if (uses)
		snprintf(text, sizeof(text), "%" JSON_INTEGER_FORMAT " of %"
			JSON_INTEGER_FORMAT " used", used, uses);
	else if (from_ms > now)
		str_copy(text, sizeof(text), "not yet");
	cli_cell(t, text);
}

static void row_human(struct cli_table *t, const json_t *l)
{
	cli_cell(t, member(l, "link"));
	cli_cell(t, member(l, "name"));
	cli_cell(t, member(l, "role"));
	cell_state(t, l);
	cli_cell(t, member(l, "expires"));
}

int cli_links(struct cli *c)
{
	const char *id = cli_meeting(c);
	bool tsv = cli_has(c, OPT_TSV);
	json_t *result, *l;
	size_t i;

	if (!id)
		return c->status;
	result = cli_ask_all(c, "link.list", json_pack("{s:s}", "meeting",
		id), "links", "link");
	if (!result || cli_has(c, OPT_JSON))
		return cli_done(c, result);
	struct cli_table *t = cli_table_new((const char *[]){"LINK", "*NAME",
		"ROLE", "STATE", "EXPIRES", "", "", "", ""}, tsv ? 9 : 5);
	json_array_foreach(json_object_get(result, "links"), i, l)
		(tsv ? row_tsv : row_human)(t, l);
	json_decref(result);
	return cli_table_put(c, t);
}

int cli_unlink(struct cli *c)
{
	const char *id = cli_meeting(c);

	if (!id)
		return c->status;
	if (!str_is_id(c->args[1], 'l'))
		return cli_fail(c, 2, "'%s' is no link's id, such as 'links' "
			"tells", c->args[1]);
	return cli_then(c, "link.revoke", json_pack("{s:s, s:s}", "meeting",
		id, "link", c->args[1]), cli_done);
}

/* --- keys ---------------------------------------------------------------- */

static int put_keys(struct cli *c, json_t *result)
{
	static const char *const which[] = {"current", "previous"};

	if (!result || cli_has(c, OPT_JSON))
		return cli_done(c, result);
	struct cli_table *t = cli_table_new((const char *[]){"KEY", "*STATE"},
		2);
	for (size_t i = 0; i < ARRAY_LEN(which); i++) {
		if (!member(result, which[i]))
			continue;
		cli_cell(t, member(result, which[i]));
		cli_cell(t, which[i]);
	}
	json_decref(result);
	return cli_table_put(c, t);
}

int cli_keys(struct cli *c)
{
	const char *what = c->args[0];

	if (!str_eq(what, "list") && !str_eq(what, "rotate"))
		return cli_fail(c, 2, "'%s' is not list or rotate", what);
	return cli_then(c, str_eq(what, "list") ? "key.list" : "key.rotate",
		NULL, put_keys);
}
