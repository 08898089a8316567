/* confd-run's settings and templates: what they mean, what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "base.h"
#include "io.h"
#include "oom.h"
#include "super.h"

static const char *http, *media, *tls;

static const char *env(const char *name)
{
	return str_eq(name, "CONF_HTTP") ? http :
		str_eq(name, "CONF_MEDIA") ? media :
		str_eq(name, "CONF_TLS") ? tls : NULL;
}

static struct conf *parse(const char *text)
{
	char why[CONF_WHY_CAP] = "";
	struct conf *c = conf_parse(text, strlen(text), "x.conf", why);

	if (!c)
		fail_msg("%s", why);
	return c;
}

static void words_are(const struct conf_words *w, const char *wanted)
{
	struct buf b = {0};

	for (size_t i = 0; i < w->n; i++)
		buf_printf(&b, "%s%s", i ? "|" : "", w->v[i]);
	assert_string_equal(b.len ? buf_cstr(&b) : "", wanted);
	buf_free(&b);
}

static void argv_is(const char *const *argv, const char *wanted)
{
	struct buf b = {0};

	while (*argv)
		buf_printf(&b, "%s ", *argv++);
	assert_string_equal(buf_cstr(&b), wanted);
	buf_free(&b);
}

static void defaults(void **state)
{
	(void)state;
	struct super_settings set;
	char why[CONF_WHY_CAP];

	http = media = tls = NULL;
	assert_int_equal(super_settings(&set, NULL, env, why), 0);
	words_are(&set.http, "*:8443|[::]:8443");
	words_are(&set.media, "*:8500|[::]:8500");
	assert_true(set.tls && set.sandbox);
	assert_false(set.http_given || set.media_given);
	super_settings_free(&set);
	tls = "off"; /* plain HTTP is for loopback */
	assert_int_equal(super_settings(&set, NULL, env, why), 0);
	words_are(&set.http, "127.0.0.1:8443|[::1]:8443");
	super_settings_free(&set);
	tls = NULL;
}

static void from_file(void **state)
{
	(void)state;
	struct super_settings set;
	char why[CONF_WHY_CAP];
	struct conf *c = parse("[run]\nhttp = 127.0.0.1:1\n  [::1]:2\n"
		"tls = off\nrundir = /r\nsocket-group = conf\nsandbox = off\n"
		"[signal]\nurl = https://c.example\n"
		"allow-origin = https://a https://b\n"
		"frame-ancestors = self https://c\n"
		"[relay]\nannounce = 10.0.0.1\nsandbox = on\n");

	http = NULL;
	assert_int_equal(super_settings(&set, c, env, why), 0);
	words_are(&set.http, "127.0.0.1:1|[::1]:2");
	words_are(&set.signal, "--url|https://c.example|--allow-origin|"
		"https://a|--allow-origin|https://b|"
		"--frame-ancestors|self|--frame-ancestors|https://c");
	words_are(&set.relay, "--announce|10.0.0.1|--sandbox|on");
	assert_false(set.tls || set.sandbox);
	assert_true(set.http_given);
	assert_string_equal(set.rundir, "/r");
	assert_string_equal(set.socket_group, "conf");
	assert_null(set.statedir);
	super_settings_free(&set);

	http = "127.0.0.1:0";
	tls = "on";
	assert_int_equal(super_settings(&set, c, env, why), 0);
	words_are(&set.http, "127.0.0.1:0");
	assert_true(set.tls);
	super_settings_free(&set);
	http = tls = NULL;
	conf_free(c);
}

static void refuse(const char *text, const char *wanted)
{
	struct super_settings set;
	char why[CONF_WHY_CAP] = "";
	struct conf *c = text ? parse(text) : NULL;

	assert_int_equal(super_settings(&set, c, env, why), -EINVAL);
	assert_string_equal(why, wanted);
	assert_int_equal(set.http.n, 0);
	conf_free(c);
}

static void refused(void **state)
{
	(void)state;
	refuse("[run]\nhttp = localhost:80\n", "x.conf:2: http: "
		"'localhost:80' is not an ADDRESS:PORT");
	refuse("[run]\nmedia = \"\n", "x.conf:2: media: '\"' is not a list "
		"of ADDRESS:PORT");
	refuse("[run]\n\ntls = maybe\n", "x.conf:3: tls: 'maybe' is not on "
		"or off");
	refuse("[run]\nsandbox = 0\n", "x.conf:2: sandbox: '0' is not on "
		"or off");
	refuse("[run]\nport = 1\n", "x.conf:2: unknown key 'port' in [run]");
	refuse("[relay]\nannounce = \"1\n", "x.conf:2: announce: not a list "
		"of words");
	http = "*:70000";
	refuse(NULL, "CONF_HTTP: '*:70000' is not an ADDRESS:PORT");
	http = NULL;
	tls = "\x1b[2J";
	refuse(NULL, "CONF_TLS: '\\x1b[2J' is not on or off");
	tls = NULL;
}

static int settings_once(void *arg)
{
	struct super_settings set;
	char why[CONF_WHY_CAP];
	int err = super_settings(&set, arg, env, why);

	if (!err)
		super_settings_free(&set);
	return err;
}

static void memory(void **state)
{
	(void)state;
	struct conf *c = parse("[signal]\nurl = a b\n[relay]\nannounce = c\n");

	assert_in_range(oom_ladder(settings_once, c), 10, 100);
	conf_free(c);
}

static const char *get(void *arg, const char *name)
{
	(void)arg;
	return str_eq(name, "instance") ? "m-1" :
		str_eq(name, "rundir") ? "/r" : NULL;
}

static void expand(void **state)
{
	(void)state;
	static const struct {
		const char *word;
		int err;
		const char *out; /* or what is missing */
	} rows[] = {
		{"", 0, ""},
		{"a%b%", 0, "a%b%"},
		{"%{instance}", 0, "m-1"},
		{"x=%{rundir}/%{instance}.sock", 0, "x=/r/m-1.sock"},
		{"%%{instance}", 0, "%m-1"},
		{"%{other}", -ENOENT, "other"},
		{"%{}", -EINVAL, ""},
		{"%{instance", -EINVAL, "instance"},
		{"%{in stance}", -EINVAL, "in"},
		{"%{Instance}", -EINVAL, ""},
		{"%{aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa}",
			-EINVAL,
			"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char missing[48], *out = NULL;
		assert_int_equal(super_expand(rows[i].word, get, NULL,
			missing, &out), rows[i].err);
		assert_string_equal(rows[i].err ? missing : out, rows[i].out);
		free(out);
	}
}

static void variables(void **state)
{
	(void)state;
	static const char *const good[] = {"hello", "a", "9-x",
		"u_aaaaaaaaaaaaaaaaaaaaaaaaaa"};
	static const char *const bad[] = {"", "-rf", "a b", "A", "../x",
		"a/b", "a;b", "a\n", "%{instance}", "u_short", "_x",
		"-_aaaaaaaaaaaaaaaaaaaaaaaaaa"};

	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		assert_true(super_is_var(good[i]));
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(super_is_var(bad[i]));
}

static void templates(void **state)
{
	(void)state;
	char why[CONF_WHY_CAP];
	struct io_loop *loop = io_loop_new();
	struct super *s = super_new(loop, &(struct super_events){0}, NULL);
	struct conf *c = parse("[template mix]\nargv = conf-mix %{instance}\n"
		"[template No]\nargv = x\n");

	assert_non_null(s);
	assert_int_equal(super_templates(s, c, why), -EINVAL);
	assert_string_equal(why, "x.conf:4: argv: the template's name is no "
		"id, or its words are malformed");
	conf_free(c);
	c = parse("[template rec]\nargv = conf-rec %{\n");
	assert_int_equal(super_templates(s, c, why), -EINVAL);
	conf_free(c);
	c = parse("[template rec]\nargv =\n");
	assert_int_equal(super_templates(s, c, why), -EINVAL);
	conf_free(c);
	super_free(s);
	io_loop_free(loop);
}

/* What the two workers are started with, options of the file behind ours. */
static void command_lines(void **state)
{
	(void)state;
	struct conf *c = parse("[run]\nsocket-group = staff\n"
		"[signal]\nurl = https://meet.example\n"
		"[relay]\nannounce = 192.0.2.1 192.0.2.2\n");
	struct super_dirs d = {.run = "/r", .state = "/s"};
	struct super_settings set;
	struct super_kit_argv argv;
	char why[CONF_WHY_CAP];

	http = media = tls = NULL;
	assert_int_equal(super_settings(&set, c, env, why), 0);
	super_kit_argv(&set, &d, "-q", &argv);
	argv_is(argv.signal, "confd-signal --rundir /r --statedir /s --tls on "
		"--socket-group staff -q --url https://meet.example ");
	argv_is(argv.relay, "conf-relay --control /r/worker.sock --instance "
		"relay-0 --socket-group staff -q --announce 192.0.2.1 "
		"--announce 192.0.2.2 ");
	super_settings_free(&set);
	conf_free(c);
	tls = "off";
	assert_int_equal(super_settings(&set, NULL, env, why), 0);
	super_kit_argv(&set, &d, NULL, &argv);
	argv_is(argv.signal,
		"confd-signal --rundir /r --statedir /s --tls off ");
	argv_is(argv.relay,
		"conf-relay --control /r/worker.sock --instance relay-0 ");
	super_settings_free(&set);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults),
		cmocka_unit_test(command_lines), cmocka_unit_test(from_file),
		cmocka_unit_test(refused), cmocka_unit_test(memory),
		cmocka_unit_test(expand), cmocka_unit_test(variables),
		cmocka_unit_test(templates),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
