/* Options found in usage texts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base.h"

static void options(void **state)
{
	(void)state;
	struct buf b = {0};

	usage_options(&b, "usage: t [-d FD] [--tls on|off] x-y -- -\n"
		"  -d FD, --done FD  a well-known -thing (-v)\n  --tls  off\n");
	assert_string_equal(buf_cstr(&b), "-d --tls --done -thing -v");
	buf_clear(&b);
	usage_options(&b, "no option");
	assert_string_equal(buf_cstr(&b), "");
	buf_free(&b);
}

static void completion(void **state)
{
	(void)state;
	struct buf b = {0};

	usage_completion(&b, "conf-x", "usage: conf-x [-a|-b] [--help]");
	assert_string_equal(buf_cstr(&b), "# bash completion for conf-x\n"
		"complete -o default -W '-a -b --help' conf-x\n");
	buf_free(&b);
}

static void refused(void **state)
{
	static const struct {
		const char *word;
		int c;
		const char *said;
	} cases[] = {
		{"--nonsense", 0, "'--nonsense'"},
		{"--tls=x", 1003, "'--tls=x'"},
		{"-q", 'z', "'-z'"},
		{"conf-x", '\x1b', "'-\x1b'"},
		{"conf-x", (signed char)0xc3, "'-\xc3'"},
	};
	struct buf b = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		buf_clear(&b);
		usage_refused(&b, cases[i].word, cases[i].c);
		assert_string_equal(strchr(buf_cstr(&b), '\''),
			cases[i].said);
	}
	buf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options), cmocka_unit_test(completion),
		cmocka_unit_test(refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
