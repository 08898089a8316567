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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options), cmocka_unit_test(completion),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
