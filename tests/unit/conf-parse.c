/* confkit.conf: values, limits, errors that name the line, word lists. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base.h"
#include "conf.h"
#include "oom.h"

static struct conf *parse(const char *text, char why[CONF_WHY_CAP])
{
	why[0] = '\0';
	return conf_parse(text, strlen(text), "x.conf", why);
}

static void refuse(const char *text, int err, const char *wanted)
{
	char why[CONF_WHY_CAP];

	errno = 0;
	assert_null(parse(text, why));
	assert_string_equal(why, wanted);
	assert_int_equal(errno, err);
}

static void values(void **state)
{
	(void)state;
	char why[CONF_WHY_CAP];
	struct conf *c = parse("# first\n[run]\nhttp = *:8443  ; all\n"
		"media=[::]:8500\n\n; more\n[template mix]\r\n"
		"argv = conf-mix --control\n\t%{run}/worker.sock\n"
		"[run]\ntls = off", why);

	assert_non_null(c);
	assert_string_equal(conf_get(c, "run", "http"), "*:8443");
	assert_string_equal(conf_get(c, "run", "media"), "[::]:8500");
	assert_string_equal(conf_get(c, "run", "tls"), "off");
	assert_string_equal(conf_get(c, "template mix", "argv"),
		"conf-mix --control\n%{run}/worker.sock");
	assert_null(conf_get(c, "run", "argv"));
	assert_null(conf_get(c, "no", "http"));

	const char *s, *k, *v;
	size_t pos = 0, n = 0;
	while (conf_next(c, &pos, &s, &k, &v))
		n++;
	assert_int_equal(n, 4);
	conf_free(c);
	conf_free(NULL);
	c = parse("", why);
	assert_non_null(c);
	conf_free(c);
}

static void malformed(void **state)
{
	(void)state;
	refuse("[run]\nnonsense\n", EINVAL, "x.conf:2: neither a [section] "
		"nor KEY = VALUE nor a comment");
	refuse("\n[run\n", EINVAL, "x.conf:2: neither a [section] nor KEY = "
		"VALUE nor a comment");
	refuse("a = b\n", EINVAL, "x.conf:1: 'a' stands before any [section]");
	refuse("[s]\n= b\n", EINVAL, "x.conf:2: a value without a key");
	refuse("[s]\na = b\n\na = c\n", EINVAL,
		"x.conf:4: 'a' is given twice, first in line 2");
	refuse("[s]\na\x1b = \xff\n", EINVAL, "x.conf: not UTF-8 text");
	refuse("[s]\nx\x1b = 1\nx\x1b = 2\n", EINVAL,
		"x.conf:3: 'x\\x1b' is given twice, first in line 2");
}

static void limits(void **state)
{
	(void)state;
	char why[CONF_WHY_CAP];
	struct buf b = {0};

	buf_puts(&b, "[s]\nk = ");
	while (b.len < 4 + CONF_MAX_LINE)
		buf_putc(&b, 'v');
	struct conf *c = parse(buf_cstr(&b), why);
	assert_non_null(c);
	assert_int_equal(strlen(conf_get(c, "s", "k")), CONF_MAX_LINE - 4);
	conf_free(c);
	buf_putc(&b, 'v');
	refuse(buf_cstr(&b), EFBIG, "x.conf:2: a line of more than 196 bytes");

	buf_clear(&b);
	buf_puts(&b, "[s]\n");
	for (unsigned i = 0; i < CONF_MAX_ENTRIES; i++)
		buf_printf(&b, "k%u = 1\n", i);
	c = parse(buf_cstr(&b), why);
	assert_non_null(c);
	conf_free(c);
	buf_puts(&b, "last = 1\n");
	refuse(buf_cstr(&b), EFBIG, "x.conf:258: more than 256 keys");

	buf_clear(&b);
	while (b.len <= CONF_MAX_BYTES)
		buf_puts(&b, "; comment\n");
	refuse(buf_cstr(&b), EFBIG, "x.conf: more than 65536 bytes");
	buf_free(&b);
	refuse("[s]\n0123456789012345678901234567890123456789012345678 = 1",
		EFBIG, "x.conf:2: a name of more than 48 bytes");
}

static void known_keys(void **state)
{
	(void)state;
	static const struct conf_key table[] = {
		{"run", "http"}, {"template *", "argv"},
	};
	char why[CONF_WHY_CAP];
	struct conf *c = parse("[run]\nhttp = x\n[template a]\nargv = y\n",
		why);

	assert_int_equal(conf_check(c, table, 2, why), 0);
	assert_int_equal(conf_bad(c, "template a", "argv", why, "no '%s'",
		"y"), -EINVAL);
	assert_string_equal(why, "x.conf:4: argv: no 'y'");
	conf_free(c);
	c = parse("[run]\nhttp = x\nhtpt = y\n", why);
	assert_int_equal(conf_check(c, table, 2, why), -EINVAL);
	assert_string_equal(why, "x.conf:3: unknown key 'htpt' in [run]");
	conf_free(c);
	c = parse("[template]\nargv = y\n", why);
	assert_int_equal(conf_check(c, table, 2, why), -EINVAL);
	assert_string_equal(why, "x.conf:2: unknown key 'argv' in [template]");
	conf_free(c);
}

static void words(void **state)
{
	(void)state;
	struct conf_words w;

	assert_int_equal(conf_words(&w, " a  --b=\"c d\" \"\" $x\n'e \t"), 0);
	assert_int_equal(w.n, 5);
	assert_string_equal(w.v[0], "a");
	assert_string_equal(w.v[1], "--b=c d");
	assert_string_equal(w.v[2], "");
	assert_string_equal(w.v[3], "$x");
	assert_string_equal(w.v[4], "'e");
	assert_null(w.v[5]);
	conf_words_free(&w);
	assert_int_equal(conf_words(&w, ""), 0);
	assert_int_equal(w.n, 0);
	assert_int_equal(conf_words(&w, "a \"b c"), -EINVAL);
	assert_int_equal(w.n, 0);

	struct buf b = {0};
	for (unsigned i = 0; i < CONF_MAX_WORDS; i++)
		buf_puts(&b, "w ");
	assert_int_equal(conf_words(&w, buf_cstr(&b)), 0);
	assert_int_equal(w.n, CONF_MAX_WORDS);
	conf_words_free(&w);
	buf_puts(&b, "w");
	assert_int_equal(conf_words(&w, buf_cstr(&b)), -E2BIG);
	buf_free(&b);
}

static int read_once(void *arg)
{
	char why[CONF_WHY_CAP];
	struct conf_words w;
	struct conf *c = parse(arg, why);

	if (!c)
		return *why ? -errno : -EIO;
	int err = conf_words(&w, conf_get(c, "s", "k"));
	conf_words_free(&w);
	conf_free(c);
	return err;
}

static void memory(void **state)
{
	(void)state;
	char text[] = "[s]\nk = a b\n  \"c d\" e\n[t]\nk = v\n";

	assert_in_range(oom_ladder(read_once, text), 10, 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values), cmocka_unit_test(malformed),
		cmocka_unit_test(limits), cmocka_unit_test(known_keys),
		cmocka_unit_test(words), cmocka_unit_test(memory),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
