/* The command line, terminal columns and links of meeting-ctl. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>
#include <cmocka.h>

#include "cli_priv.h"
#include "oom.h"

/* Parses words up to the first NULL; what is wrong is in *err. */
#define PARSE(c, err, ...) parse(c, err, (const char *[]){"meeting-ctl", \
	__VA_ARGS__, NULL})

static int parse(struct cli *c, struct buf *err, const char *const words[])
{
	int n = 0;

	while (words[n])
		n++;
	*c = (struct cli){.err = err};
	return cli_parse(c, n, (char *const *)(uintptr_t)words);
}

static void good(void **state)
{
	(void)state;
	struct buf err = {0};
	struct cli c;

	assert_int_equal(PARSE(&c, &err, "-Tqw5s", "say", "--as=x y", "hello",
		"-", "--to", "Ann", "--", "-T", "--"), 0);
	assert_string_equal(c.verb->name, "say");
	assert_true(cli_has(&c, OPT_TSV) && cli_has(&c, OPT_QUIET));
	assert_string_equal(c.value[OPT_WAIT], "5s");
	assert_string_equal(c.value[OPT_AS], "x y");
	assert_string_equal(c.value[OPT_TO], "Ann");
	assert_int_equal(c.n_args, 4);
	assert_string_equal(c.args[1], "-");
	assert_string_equal(c.args[2], "-T");
	assert_string_equal(c.args[3], "--");
	free(c.args);
	assert_int_equal(PARSE(&c, &err, "create", "--set", "a=1", "--set",
		"b=2", "list"), 0);
	assert_int_equal(c.n_sets, 2);
	assert_string_equal(c.sets[1], "b=2");
	assert_string_equal(c.args[0], "list"); /* a name, no second verb */
	free(c.args);
	assert_int_equal(err.len, 0);
	buf_free(&err);
}

static void refused(void **state)
{
	(void)state;
	static const struct {
		const char *words[4];
		const char *err;
	} rows[] = {
		{{"-x"}, "meeting-ctl: unknown option '-x'\n"},
		{{"list", "-Tx"}, "meeting-ctl: list: unknown option '-x'\n"},
		{{"list", "-T=1"}, "meeting-ctl: list: unknown option '-='\n"},
		{{"--js"}, "meeting-ctl: unknown option '--js'\n"},
		{{"list", "-s"}, "meeting-ctl: list: '-s' needs a value\n"},
		{{"--help=1"}, "meeting-ctl: '--help' takes no value\n"},
		{{"end", "x", "--ttl=1"}, "meeting-ctl: end: '--ttl' is no "
			"option of this verb\n"},
		{{"\x1b[2J"}, "meeting-ctl: unknown verb '\\x1b[2J'; see "
			"meeting-ctl --help\n"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct buf err = {0};
		struct cli c;
		assert_int_equal(PARSE(&c, &err, rows[i].words[0],
			rows[i].words[1], rows[i].words[2]), -EINVAL);
		assert_string_equal(buf_cstr(&err), rows[i].err);
		free(c.args);
		buf_free(&err);
	}
}

/* Each option belongs to a verb or to all, and usage and parser agree. */
static void options(void **state)
{
	(void)state;
	for (int o = OPT_FIRST_OF_VERBS; o < OPT_COUNT; o++) {
		unsigned n = 0;
		for (size_t i = 0; i < cli_n_verbs; i++)
			n += cli_allows(&cli_verbs[i], (enum cli_opt)o);
		assert_in_range(n, 1, 3);
	}
}

static void columns(void **state)
{
	(void)state;
	static const struct {
		const char *s;
		size_t width;
	} rows[] = {
		{"", 0}, {"abc", 3}, {"\u00e9", 1}, {"e\u0301", 1},
		{"\u4f1a\u8bae", 4}, {"\uac00", 2}, {"\U0001f600", 2},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_int_equal(cli_width(rows[i].s, strlen(rows[i].s)),
			rows[i].width);
}

static void table(void **state)
{
	(void)state;
	struct buf err = {0};
	struct cli c = {.err = &err};
	struct cli_table *t = cli_table_new((const char *[]){"A", "*NAME",
		"B"}, 3);
	char name[101] = {0};

	for (size_t i = 0; i < 99; i += 3)
		memcpy(name + i, "\u4f1a", 3);
	cli_cell(t, "1");
	cli_cell(t, name); /* 33 wide characters, 66 columns */
	cli_cell(t, "0123456789abcdefghij");
	assert_int_equal(cli_table_put(&c, t), 0);
	char *save = NULL;
	char *line = strtok_r((char *)(uintptr_t)buf_cstr(&c.out), "\n", &save);
	assert_int_equal(cli_width(line, strlen(line)), 3 + 55 + 2 + 1);
	line = strtok_r(NULL, "\n", &save);
	assert_int_equal(cli_width(line, strlen(line)), 80);
	assert_non_null(strstr(line, "\u4f1a\u2026  0123456789abcdefghij"));
	buf_free(&c.out);
	buf_free(&err);
}

static void bases(void **state)
{
	(void)state;
	static const struct {
		const char *url, *base, *out;
	} rows[] = {
		{"https://localhost:8443/m/x#t=a", "http://h",
			"http://h/m/x#t=a"},
		{"https://l/m/x#t=a", "https://h:1/b//",
			"https://h:1/b/m/x#t=a"},
		{"https://l/other", "https://h", NULL},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char *out = cli_rebase(rows[i].url, rows[i].base);
		if (rows[i].out)
			assert_string_equal(out, rows[i].out);
		else
			assert_null(out);
		free(out);
	}
}

static int null_fd;

static int help_once(void *arg)
{
	int status = cli_main(2, (char *const[]){(char[]){"meeting-ctl"},
		arg, NULL}, 0, null_fd, null_fd);

	return status ? -ENOMEM : 0;
}

static void memory(void **state)
{
	(void)state;
	char help[] = "--help", completion[] = "--completion";

	null_fd = open("/dev/null", O_WRONLY);
	assert_true(null_fd >= 0);
	int n = oom_ladder(help_once, help);
	int m = oom_ladder(help_once, completion);
	close(null_fd);
	assert_in_range(n, 2, 100);
	assert_in_range(m, 2, 100);
}

/* Words as a shell splits them, each behind a '|'. */
static void lines(void **state)
{
	(void)state;
	static const struct {
		const char *line, *words;
	} rows[] = {
		{"", ""}, {" \t\r", ""}, {"# show hello", ""},
		{"show hello # it", "|show|hello"},
		{"a#b '#c' #d", "|a#b|#c"},
		{"say hello  two\twords\r", "|say|hello|two|words"},
		{"say x 'it''s' \"a 'b' \\\"c\\\" \\\\ \\n\"",
			"|say|x|its|a 'b' \"c\" \\ \\n"},
		{"a\\ b '' \"\" 'c\\'", "|a b|||c\\"},
		{"$HOME `x` *", "|$HOME|`x`|*"},
	};
	static const char *const bad[] = {"'", "a \"b", "a\\", "\"\\"};
	char **words;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct buf b = {0};
		int n = cli_words(rows[i].line, strlen(rows[i].line), &words);
		assert_true(n >= 1);
		assert_string_equal(words[0], "meeting-ctl");
		for (int k = 1; k < n; k++)
			buf_printf(&b, "|%s", words[k]);
		assert_null(words[n]);
		assert_string_equal(b.len ? buf_cstr(&b) : "", rows[i].words);
		buf_free(&b);
		free(words);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(cli_words(bad[i], strlen(bad[i]), &words),
			-EINVAL);
	assert_int_equal(cli_words("a\0b", 3, &words), -EINVAL);
	assert_int_equal(cli_words("a\\\0b", 4, &words), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good), cmocka_unit_test(refused),
		cmocka_unit_test(options),
		cmocka_unit_test(lines), cmocka_unit_test(columns),
		cmocka_unit_test(table), cmocka_unit_test(bases),
		cmocka_unit_test(memory),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
