/* What may be an origin, and what links may begin with. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base.h"
#include "hub.h"

static void origins(void **state)
{
	(void)state;
	static const char *const good[] = {"https://a", "http://a:80",
		"https://meet.example", "https://[::1]:8443",
		"http://127.0.0.1:1"};
	static const char *const bad[] = {"", "https://", "ftp://a", "a",
		"https://a/", "https://a/b", "https://a b", "https://a?b",
		"HTTPS://a", "https://a#b", "https://u@a", "null", "*"};

	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		assert_true(hub_is_origin(good[i]));
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(hub_is_origin(bad[i]));
}

static void bases(void **state)
{
	(void)state;
	static const struct {
		const char *url, *base, *origin;
	} rows[] = {
		{"https://a", "https://a", "https://a"},
		{"https://a/", "https://a", "https://a"},
		{"https://a:1//", "https://a:1", "https://a:1"},
		{"http://a/b/c/", "http://a/b/c", "http://a"},
		{"https://a?x", NULL, NULL}, {"https://a/#t", NULL, NULL},
		{"https://a/b c", NULL, NULL}, {"https://a/\"", NULL, NULL},
		{"https://a<", NULL, NULL}, {"//a", NULL, NULL},
		{"", NULL, NULL},
	};
	char base[HUB_URL_CAP], origin[HUB_URL_CAP], url[HUB_URL_CAP + 1];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int err = hub_base(rows[i].url, base, origin);
		assert_int_equal(err, rows[i].base ? 0 : -EINVAL);
		if (err)
			continue;
		assert_string_equal(base, rows[i].base);
		assert_string_equal(origin, rows[i].origin);
	}
	memset(url, 'a', sizeof(url));
	memcpy(url, "https://", 8);
	url[HUB_URL_CAP] = '\0';
	assert_int_equal(hub_base(url, base, origin), -EINVAL);
	url[HUB_URL_CAP - 1] = '\0';
	assert_int_equal(hub_base(url, base, origin), 0);
	assert_string_equal(base, url);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(origins),
		cmocka_unit_test(bases),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
