/* QR codes: the corners that every code has, sizes, refusals. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base.h"
#include "text.h"

/* "A" is version 1: 21 modules and two of quiet zone on each side. The
 * upper left finder pattern is a dark ring around a dark square. */
static void finder(void **state)
{
	(void)state;
	static const char *const want[] = {
		"\u2588\u2588\u2588\u2588\u2588\u2588\u2588\u2588\u2588\u2588",
		"\u2588\u2588 \u2584\u2584\u2584\u2584\u2584 \u2588",
		"\u2588\u2588 \u2588   \u2588 \u2588",
		"\u2588\u2588 \u2588\u2584\u2584\u2584\u2588 \u2588",
		"\u2588\u2588\u2584\u2584\u2584\u2584\u2584\u2584\u2584\u2588",
	};
	struct buf b = {0};

	assert_int_equal(text_qr(&b, "A", 0), 0);
	char *save = NULL;
	char *line = strtok_r((char *)(uintptr_t)buf_cstr(&b), "\n", &save);
	unsigned n = 0;
	for (; line; line = strtok_r(NULL, "\n", &save), n++) {
		assert_int_equal(str_utf8_len(line, strlen(line)), 25);
		if (n < ARRAY_LEN(want))
			assert_memory_equal(line, want[n], strlen(want[n]));
	}
	assert_int_equal(n, 13);
	buf_free(&b);
}

static void sizes(void **state)
{
	(void)state;
	char s[TEXT_QR_MAX + 2];
	struct buf b = {0};

	memset(s, 'x', sizeof(s));
	s[TEXT_QR_MAX] = '\0';
	assert_int_equal(text_qr(&b, s, 0), 0);
	const char *text = buf_cstr(&b);
	size_t line = strcspn(text, "\n");
	assert_in_range(str_utf8_len(text, line), 70, 80);
	s[TEXT_QR_MAX] = 'x';
	s[TEXT_QR_MAX + 1] = '\0';
	assert_int_equal(text_qr(&b, s, 0), -EMSGSIZE);
	assert_int_equal(text_qr(&b, "", 0), -EINVAL);
	buf_free(&b);
}

static void colours(void **state)
{
	(void)state;
	struct buf b = {0};

	assert_int_equal(text_qr(&b, "A", 1), 0);
	assert_true(str_starts(buf_cstr(&b), "\x1b[40;97m\u2588"));
	assert_true(!memcmp(b.data + b.len - 5, "\x1b[0m\n", 5));
	buf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finder), cmocka_unit_test(sizes),
		cmocka_unit_test(colours),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
