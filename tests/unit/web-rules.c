/* Paths, origins and header words, without a connection. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base.h"
#include "web_priv.h"

static void paths(void **state)
{
	static const struct {
		const char *url, *file; /* NULL: not found */
	} cases[] = {
		{"/", "index.html"},
		{"/m/hello", "index.html"},
		{"/m/9-a", "index.html"},
		{"/m/-a", "m/-a"},
		{"/m/UPPER", "m/UPPER"},
		{"/m/a/b", "m/a/b"},
		{"/m/", "index.html"},
		{"/app.js", "app.js"},
		{"/a/b_c-d.css", "a/b_c-d.css"},
		{"/a%2ejs", "a.js"},
		{"", NULL},
		{"app.js", NULL},
		{"/..", NULL},
		{"/../etc/passwd", NULL},
		{"/a/../b", NULL},
		{"/%2e%2e/b", NULL},
		{"/%2E%2e%2fb", NULL},
		{"/a%2fb", NULL},
		{"/a%5cb", NULL},
		{"/a\\b", NULL},
		{"/a%00.js", NULL},
		{"/a%", NULL},
		{"/a%2", NULL},
		{"/a%zz", NULL},
		{"/.git", NULL},
		{"/a/.b", NULL},
		{"//a", NULL},
		{"/a//b", NULL},
		{"/a/", NULL},
		{"/a b", NULL},
		{"/\xc3\xa4", NULL},
	};
	char out[256], big[600];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		int r = web_path(out, sizeof(out), cases[i].url);

		if (cases[i].file) {
			assert_int_equal(r, 0);
			assert_string_equal(out, cases[i].file);
		} else {
			assert_int_equal(r, -ENOENT);
		}
	}
	memset(big, 'a', sizeof(big));
	big[0] = '/';
	big[sizeof(big) - 1] = '\0';
	assert_int_equal(web_path(out, sizeof(out), big), -ENOENT);
	assert_int_equal(web_path(out, sizeof(out), NULL), -ENOENT);
}

static void origins(void **state)
{
	char other[] = "https://other.example";
	char *list[] = {other, NULL};
	static const struct {
		const char *origin, *host;
		bool tls, ok;
	} cases[] = {
		{NULL, "h.example", true, true},
		{"https://h.example", "h.example", true, true},
		{"https://H.Example", "h.example", true, true},
		{"https://h.example:8443", "h.example:8443", true, true},
		{"https://[::1]:8443", "[::1]:8443", true, true},
		{"http://h.example", "h.example", false, true},
		{"https://other.example", "h.example", true, true},
		{"http://h.example", "h.example", true, false},
		{"https://h.example", "h.example", false, false},
		{"null", "h.example", true, false},
		{"", "h.example", true, false},
		{"https://evil.example", "h.example", true, false},
		{"https://evil-h.example", "h.example", true, false},
		{"https://h.example.evil.example", "h.example", true, false},
		{"https://h.example:8443", "h.example", true, false},
		{"https://h.example", "h.example:8443", true, false},
		{"https://h.example/", "h.example", true, false},
		{"https://h.example@evil", "h.example", true, false},
		{"https://other.example.evil", "h.example", true, false},
		{"https://", "", true, false},
		{"https://a b", "a b", true, false},
		{"https://h.example", NULL, true, false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_int_equal(web_origin_ok(cases[i].origin, cases[i].host,
			cases[i].tls, list), cases[i].ok);
}

static void tokens(void **state)
{
	(void)state;
	assert_true(web_has_token("Upgrade", "upgrade"));
	assert_true(web_has_token("keep-alive, Upgrade", "upgrade"));
	assert_true(web_has_token(" ,keep-alive ,\tupgrade ,", "upgrade"));
	assert_false(web_has_token("upgraded", "upgrade"));
	assert_false(web_has_token("keep-alive", "upgrade"));
	assert_false(web_has_token("", "upgrade"));
	assert_false(web_has_token(NULL, "upgrade"));
}

static void framers(void **state)
{
	static const char *const lists[][3] = {{NULL}, {"none"}, {"self"},
		{"self", "https://a.example:8443"}};
	static const char *const wanted[] = {"'none'", "'none'", "'self'",
		"'self' https://a.example:8443"};
	static const char *const bad[] = {"", "a b", "a;b", "a,b", "'self'",
		"https://a\r\nX: y"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(wanted); i++) {
		char *s = web_frames(lists[i]);

		assert_string_equal(s, wanted[i]);
		free(s);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		const char *list[] = {"self", bad[i], NULL};

		assert_null(web_frames(list));
		assert_int_equal(errno, EINVAL);
	}
}

static void types(void **state)
{
	(void)state;
	assert_string_equal(web_mime("a/app.js"),
		"text/javascript; charset=utf-8");
	assert_string_equal(web_mime("X.SVG"), "image/svg+xml");
	assert_string_equal(web_mime("js"), "application/octet-stream");
	assert_string_equal(web_mime("a.exe"), "application/octet-stream");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paths),
		cmocka_unit_test(origins),
		cmocka_unit_test(tokens),
		cmocka_unit_test(framers),
		cmocka_unit_test(types),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
