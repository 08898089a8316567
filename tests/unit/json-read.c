/* Strict reading: what is refused, and with which words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base.h"
#include "json.h"

static void refuses(const char *text, size_t n, int want)
{
	char why[160];

	errno = 0;
	assert_null(json_read(text, n, why));
	assert_int_equal(errno, want);
	assert_true(why[0]);
}

static void what_is_no_json_is_refused(void **state)
{
	static char deep[200], big[JSON_MAX_BYTES + 2];

	(void)state;
	refuses("", 0, EINVAL);
	refuses("{", 1, EINVAL);
	refuses("{} {}", 5, EINVAL);
	refuses("{\"a\":1,\"a\":2}", 13, EINVAL);
	refuses("\"\\u0000\"", 8, EINVAL);
	refuses("\"\xff\"", 3, EINVAL);
	refuses("NaN", 3, EINVAL);
	refuses("1e999", 5, EINVAL);
	memset(deep, '[', sizeof(deep));
	refuses(deep, sizeof(deep), EINVAL);
	memset(big, ' ', sizeof(big));
	refuses(big, sizeof(big), EMSGSIZE);
}

static void brackets_in_strings_are_no_depth(void **state)
{
	static char text[203];
	char why[160];
	json_t *v;

	(void)state;
	memset(text, '[', sizeof(text));
	text[0] = '"';
	text[100] = '\\';
	text[101] = '"';
	text[202] = '"';
	v = json_read(text, sizeof(text), why);
	assert_non_null(v);
	json_decref(v);
}

static void members_are_typed(void **state)
{
	static const char text[] =
		"{\"s\":\"x\",\"i\":-5,\"b\":true,\"n\":null,"
		"\"a\":[],\"o\":{}}";
	const char *bad = NULL;
	char why[160];
	json_t *v = json_read(text, sizeof(text) - 1, why);
	struct buf out = {0};

	(void)state;
	assert_string_equal(json_str(v, "s", &bad), "x");
	assert_int_equal(json_int(v, "i", 7, &bad), -5);
	assert_int_equal(json_int(v, "n", 7, &bad), 7);
	assert_int_equal(json_int(v, "none", 7, &bad), 7);
	assert_true(json_flag(v, "b", false, &bad));
	assert_non_null(json_arr(v, "a", &bad));
	assert_non_null(json_obj(v, "o", &bad));
	assert_null(bad);
	assert_null(json_str(v, "i", &bad));
	assert_string_equal(bad, "i");
	assert_int_equal(json_int(v, "s", 7, &bad), 7);
	assert_string_equal(bad, "i"); /* the first one stays */
	assert_int_equal(json_write(v, &out), 0);
	assert_string_equal(buf_cstr(&out), text);
	buf_free(&out);
	json_decref(v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_no_json_is_refused),
		cmocka_unit_test(brackets_in_strings_are_no_depth),
		cmocka_unit_test(members_are_typed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
