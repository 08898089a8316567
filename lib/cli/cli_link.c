/* cli_link - a link to join by, and its address as others reach it. */
#include "cli_priv.h"
#include "text.h"

#define MAX_LOCAL 32 /* addresses of this host */

char *cli_rebase(const char *url, const char *base)
{
	const char *path = strstr(url, "/m/");
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
	const char *at = strstr(url, "://");
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

int cli_link(struct cli *c)
{
	const char *id = cli_meeting(c), *server_url;
	uint64_t ttl_ms = 0;
	json_t *params, *result;
	char *url = NULL;
	int status;

	if (!id || check_options(c, &ttl_ms))
		return c->status;
	params = json_pack("{s:s, s:s*, s:s*}", "meeting", id, "name",
		c->value[OPT_NAME], "role", c->value[OPT_ROLE]);
	if (!params)
		return cli_fail(c, 2, "--name is no UTF-8 text");
	if (ttl_ms)
		json_object_set_new(params, "ttl_ms",
			json_integer((json_int_t)ttl_ms));
	result = cli_ask(c, "link.create", params);
	if (!result)
		return c->status;
	server_url = json_string_value(json_object_get(result, "url"));
	if (server_url)
		url = final_url(c, server_url);
	else
		cli_fail(c, 3, "the server's answer holds no link");
	status = url ? put_link(c, result, url) : c->status;
	free(url);
	json_decref(result);
	return status;
}
