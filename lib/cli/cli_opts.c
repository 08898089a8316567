/* cli_opts - the command line: options anywhere, the first other word is
 * the verb. Not getopt(3): that has globals and obeys POSIXLY_CORRECT. */
#include "cli_priv.h"

static const struct {
	const char *name; /* "-s" or "--json" */
	bool takes;
	enum cli_opt opt;
} table[] = {
	{"-s", true, OPT_SOCKET}, {"-w", true, OPT_WAIT},
	{"-T", false, OPT_TSV}, {"--json", false, OPT_JSON},
	{"-q", false, OPT_QUIET}, {"--help", false, OPT_HELP},
	{"-V", false, OPT_VERSION}, {"--version", false, OPT_VERSION},
	{"--completion", false, OPT_COMPLETION},
	{"-f", false, OPT_FOLLOW}, {"--id", true, OPT_ID},
	{"--audio", true, OPT_AUDIO}, {"--set", true, OPT_SET},
	{"--ended", false, OPT_ENDED}, {"--reason", true, OPT_REASON},
	{"--name", true, OPT_NAME}, {"--role", true, OPT_ROLE},
	{"--ttl", true, OPT_TTL}, {"--qr", false, OPT_QR},
	{"--url", true, OPT_URL}, {"--lan", false, OPT_LAN},
	{"--since", true, OPT_SINCE}, {"--as", true, OPT_AS},
	{"--to", true, OPT_TO}, {"--all", false, OPT_ALL},
	{"--from", true, OPT_FROM}, {"--uses", true, OPT_USES},
};

struct words {
	int argc;
	char *const *argv;
	int at;
};

static int find_option(const char *word, size_t n)
{
	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		if (strlen(table[i].name) == n &&
			!memcmp(table[i].name, word, n))
			return (int)i;
	return -1;
}

static int set_option(struct cli *c, int i, const char *value)
{
	enum cli_opt o = table[i].opt;

	if (o == OPT_SET) {
		if (c->n_sets == CLI_MAX_SETS)
			return cli_fail(c, -EINVAL, "more than %d times "
				"--set", CLI_MAX_SETS);
		c->sets[c->n_sets++] = value;
	}
	c->value[o] = value;
	return 0;
}

/* The value of an option whose word has no rest that could be it. */
static const char *next_word(struct words *w)
{
	return w->at + 1 < w->argc ? w->argv[++w->at] : NULL;
}

static int take(struct cli *c, struct words *w, const char *word, size_t n,
	const char *rest)
{
	int i = find_option(word, n);

	if (i < 0)
		return cli_fail(c, -EINVAL, "unknown option '%.*s'", (int)n,
			word);
	if (!table[i].takes)
		return rest ? cli_fail(c, -EINVAL, "'%s' takes no value",
			table[i].name) : set_option(c, i, "");
	if (!rest)
		rest = next_word(w);
	if (!rest)
		return cli_fail(c, -EINVAL, "'%s' needs a value",
			table[i].name);
	return set_option(c, i, rest);
}

static int take_long(struct cli *c, struct words *w, const char *word)
{
	const char *equals = strchr(word, '=');

	return equals ? take(c, w, word, (size_t)(equals - word), equals + 1)
		: take(c, w, word, strlen(word), NULL);
}

/* "-Tq", "-w10s", "-w 10s". */
static int take_letters(struct cli *c, struct words *w, const char *word)
{
	int err = 0;

	while (!err && *++word) {
		char one[3] = {'-', *word, '\0'};
		int i = find_option(one, 2);
		bool takes = i >= 0 && table[i].takes;
		err = take(c, w, one, 2, takes && word[1] ? word + 1 : NULL);
		if (takes)
			break;
	}
	return err;
}

static int take_word(struct cli *c, const char *word)
{
	if (c->verb) {
		c->args[c->n_args++] = word;
		return 0;
	}
	for (size_t i = 0; i < cli_n_verbs; i++)
		if (str_eq(cli_verbs[i].name, word))
			c->verb = &cli_verbs[i];
	return c->verb ? 0 : cli_fail(c, -EINVAL, "unknown verb '%s'; see "
		CLI_TOOL " --help", word);
}

bool cli_allows(const struct cli_verb *v, enum cli_opt o)
{
	struct buf b = {0};
	bool found = false;

	if (o < OPT_FIRST_OF_VERBS)
		return true;
	buf_putc(&b, ' ');
	usage_options(&b, v->args);
	buf_putc(&b, ' ');
	const char *list = buf_cstr(&b);
	for (size_t i = 0; list && i < ARRAY_LEN(table); i++) {
		char wanted[32];
		if (table[i].opt != o)
			continue;
		snprintf(wanted, sizeof(wanted), " %s ", table[i].name);
		found = found || strstr(list, wanted);
	}
	buf_free(&b);
	return found;
}

static int check_allowed(struct cli *c)
{
	for (size_t i = 0; c->verb && i < ARRAY_LEN(table); i++)
		if (cli_has(c, table[i].opt) &&
			!cli_allows(c->verb, table[i].opt))
			return cli_fail(c, -EINVAL, "'%s' is no option of "
				"this verb", table[i].name);
	return 0;
}

int cli_parse(struct cli *c, int argc, char *const argv[])
{
	struct words w = {argc, argv, 1};
	bool literal = false;
	int err = 0;

	c->args = calloc((size_t)argc + 1, sizeof(*c->args));
	if (!c->args)
		return cli_fail(c, -ENOMEM, "out of memory");
	for (; !err && w.at < argc; w.at++) {
		const char *word = argv[w.at];
		if (literal || word[0] != '-' || !word[1])
			err = take_word(c, word);
		else if (str_eq(word, "--"))
			literal = true;
		else if (word[1] == '-')
			err = take_long(c, &w, word);
		else
			err = take_letters(c, &w, word);
	}
	return err ? err : check_allowed(c);
}
