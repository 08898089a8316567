/* cli - the table of verbs, and what comes from it: dispatch, --help and
 * completion. */
#include <stdarg.h>

#include "cli_priv.h"

#define ANY 100000 /* arguments */

const struct cli_verb cli_verbs[] = {
	{"create", "NAME [--id ID] [--audio auto|forward|mix] "
		"[--set KEY=VALUE]...",
		"make a meeting and print its id; one that is there stays",
		1, 1, cli_create},
	{"list", "[--ended]", "list the meetings", 0, 0, cli_list},
	{"show", "MEETING", "tell about a meeting", 1, 1, cli_show},
	{"end", "MEETING [--reason TEXT]", "end a meeting", 1, 1, cli_end},
	{"users", "MEETING", "list who is in a meeting", 1, 1, cli_users},
	{"say", "MEETING TEXT...|- [--as NAME] [--to USER]",
		"write into the chat; - reads standard input", 2, ANY, cli_say},
	{"mute", "MEETING USER|--all",
		"silence a user, or everybody",
		1, 2, cli_mute},
	{"unmute", "MEETING USER|--all",
		"take that back; what users chose for themselves stays",
		1, 2, cli_unmute},
	{"kick", "MEETING USER [--reason TEXT]",
		"remove a user, whose links then end too", 2, 2, cli_kick},
	{"role", "MEETING USER moderator|viewer",
		"change what a user may do", 3, 3, cli_role},
	{"hand", "MEETING USER up|down", "raise or lower a hand", 3, 3,
		cli_hand},
	{"link", "MEETING [--name NAME] [--role moderator|viewer]\n"
		"      [--from TIME] [--ttl TIME] [--uses N] [--qr]\n"
		"      [--url BASE] [--lan]",
		"print a link to join by", 1, 1, cli_link},
	{"links", "MEETING", "list the links of a meeting", 1, 1, cli_links},
	{"unlink", "MEETING LINK", "let nobody enter by a link any more",
		2, 2, cli_unlink},
	{"keys", "list|rotate",
		"list or change the keys that links are signed with", 1, 1,
		cli_keys},
	{"get", "MEETING [KEY]", "print what is set for a meeting", 1, 2,
		cli_get},
	{"set", "MEETING KEY VALUE",
		"set name, audio, empty_ms or max_users", 3, 3, cli_set},
	{"wait", "MEETING FIELD OP NUMBER|EVENT-TYPE",
		"wait until users >= 2 or the like, or for an event",
		2, 4, cli_wait},
	{"events", "[MEETING] [-f] [--since SEQ]",
		"print events as JSON lines", 0, 1, cli_events},
	{"call", "METHOD [JSON|-]", "call a method of conf-ctl(7)",
		1, 2, cli_call},
	{"-", "", "read commands from standard input, one on each line",
		0, 0, cli_batch},
};
const size_t cli_n_verbs = ARRAY_LEN(cli_verbs);

#define LINE 79 /* columns */

static const char usage_head[] =
	"usage: meeting-ctl [-s PATH] [-w TIME] [-T|--json] [-q] VERB "
	"[ARG...]\n"
	"       meeting-ctl [VERB] --help | -V | --completion\n";
static const char usage_options_text[] =
	"\n"
	"  -s PATH       the socket of confd-signal; else it is searched for\n"
	"  -w TIME       give up after TIME (500ms 10s 5m), by default 30s,\n"
	"                with wait never\n"
	"  -T            TAB-separated columns, as meeting-ctl(1) lists them\n"
	"  --json        what the server answered, as JSON\n"
	"  -q            print nothing but what was asked for\n"
	"  -V            print the version\n"
	"  --help        print this, or the usage of VERB\n"
	"  --completion  print the completion for bash\n"
	"\n"
	"USER is an id or a name that only one user has. TEXT, NAME and other\n"
	"words that may begin with '-' come after '--'.\n";

int cli_fail(struct cli *c, int status, const char *fmt, ...)
{
	struct buf text = {0};
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(&text, fmt, ap);
	va_end(ap);
	buf_puts(c->err, CLI_TOOL ": ");
	if (c->line)
		buf_printf(c->err, "line %" PRIu64 ": ", c->line);
	if (c->verb)
		buf_printf(c->err, "%s: ", c->verb->name);
	str_escape(c->err, (const char *)text.data, text.len);
	buf_putc(c->err, '\n');
	buf_free(&text);
	c->status = status;
	return status;
}

const char *cli_meeting(struct cli *c)
{
	if (str_is_meeting_id(c->args[0]))
		return c->args[0];
	cli_fail(c, 2, "'%s' is no meeting's id (a-z, 0-9 and '-', at most "
		"64)", c->args[0]);
	return NULL;
}

/* The length of the next word; what is in brackets is one. */
static size_t word_len(const char *s)
{
	size_t n = 0;

	for (int deep = 0; s[n] && (s[n] != ' ' || deep); n++)
		deep += (s[n] == '[') - (s[n] == ']');
	return n;
}

/* A verb and its arguments, in lines of a terminal's width. */
static void put_call(struct buf *out, const char *before,
	const struct cli_verb *v)
{
	size_t indent = strlen(before) + 4;
	size_t at = strlen(before) + strlen(v->name), n;

	buf_printf(out, "%s%s", before, v->name);
	for (const char *s = v->args; *s; s += n + (s[n] == ' ')) {
		n = word_len(s);
		if (at + 1 + n > LINE) {
			buf_printf(out, "\n%*s", (int)indent, "");
			at = indent;
		} else {
			buf_putc(out, ' ');
			at++;
		}
		buf_put(out, s, n);
		at += n;
	}
	buf_putc(out, '\n');
}

static void put_verb_usage(struct buf *out, const struct cli_verb *v)
{
	put_call(out, "usage: meeting-ctl ", v);
	buf_printf(out, "%s\n", v->help);
}

static void put_usage(struct buf *out, bool whole)
{
	buf_puts(out, usage_head);
	if (!whole)
		return;
	buf_putc(out, '\n');
	for (size_t i = 0; i < cli_n_verbs; i++) {
		put_call(out, "  ", &cli_verbs[i]);
		buf_printf(out, "      %s\n", cli_verbs[i].help);
	}
	buf_puts(out, usage_options_text);
}

static void put_verb_cases(struct buf *out)
{
	for (size_t i = 0; i < cli_n_verbs; i++) {
		buf_printf(out, "\t%s) words='", cli_verbs[i].name);
		usage_options(out, cli_verbs[i].args);
		buf_puts(out, "' ;;\n");
	}
}

/* compgen expands its words, so what comes from outside is let through only
 * if it consists of the characters of ids. */
void cli_completion(struct buf *out)
{
	buf_puts(out, "# bash completion for meeting-ctl\n"
		"_meeting_ctl()\n{\n"
		"\tlocal cur=${COMP_WORDS[COMP_CWORD]} verb= words at=0 i\n"
		"\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
		"\t\tcase ${COMP_WORDS[i]} in\n"
		"\t\t-s|-w) ((i++)) ;;\n"
		"\t\t-*) ;;\n"
		"\t\t*) verb=${COMP_WORDS[i]} at=$i; break ;;\n"
		"\t\tesac\n\tdone\n"
		"\tcase $verb in\n"
		"\t'') words='");
	for (size_t i = 0; i < cli_n_verbs; i++)
		buf_printf(out, "%s ", cli_verbs[i].name);
	usage_options(out, usage_head);
	buf_puts(out, "' ;;\n");
	put_verb_cases(out);
	buf_puts(out, "\tesac\n"
		"\tcase $verb:$((COMP_CWORD - at)):$cur in\n"
		"\t:*|*:-*) ;;\n"
		"\tcreate:*|list:*|call:*|-:*) ;;\n"
		"\tkeys:1:*) words='list rotate' ;;\n"
		"\t*:1:*) words=$(meeting-ctl -T -w 1 list 2>/dev/null |\n"
		"\t\tcut -f1 | grep -x '[a-z0-9-]*') ;;\n"
		"\tmute:2:*|unmute:2:*|kick:2:*|role:2:*|hand:2:*)\n"
		"\t\twords=$(meeting-ctl -T -w 1 users "
		"\"${COMP_WORDS[at + 1]}\" 2>/dev/null |\n"
		"\t\tcut -f1 | grep -x '[a-z0-9_]*') ;;\n"
		"\trole:3:*) words='moderator viewer' ;;\n"
		"\thand:3:*) words='up down' ;;\n"
		"\tget:2:*|set:2:*) words='name audio empty_ms max_users' "
		";;\n"
		"\tset:3:*) words='auto forward' ;;\n"
		"\twait:2:*) words='users moderators cameras hands "
		"user.joined user.left meeting.ended' ;;\n"
		"\tunlink:2:*)\n"
		"\t\twords=$(meeting-ctl -T -w 1 links "
		"\"${COMP_WORDS[at + 1]}\" 2>/dev/null |\n"
		"\t\tcut -f1 | grep -x '[a-z0-9_]*') ;;\n"
		"\tesac\n"
		"\tCOMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
		"}\n"
		"complete -F _meeting_ctl meeting-ctl\n");
}

/* What asks for no verb; -1: nothing of it. */
static int without_verb(struct cli *c)
{
	if (cli_has(c, OPT_HELP) && c->verb)
		put_verb_usage(&c->out, c->verb);
	else if (cli_has(c, OPT_HELP))
		put_usage(&c->out, true);
	else if (cli_has(c, OPT_VERSION))
		buf_puts(&c->out, CLI_TOOL " " CONF_VERSION "\n");
	else if (cli_has(c, OPT_COMPLETION))
		cli_completion(&c->out);
	else if (!c->verb)
		return put_usage(c->err, false), 2;
	else
		return -1;
	return 0;
}

static int set_wait(struct cli *c)
{
	uint64_t ms = CLI_WAIT_MS;

	if (cli_has(c, OPT_WAIT) &&
		(str_duration_ms(c->value[OPT_WAIT], &ms) || !ms))
		return cli_fail(c, 2, "-w: '%s' is no time such as 10s",
			c->value[OPT_WAIT]);
	if (ms > UINT64_MAX / NS_PER_MS / 2)
		ms = UINT64_MAX / NS_PER_MS / 2;
	c->wait_ns = ms * NS_PER_MS;
	return 0;
}

static int run_verb(struct cli *c)
{
	int status = without_verb(c);

	if (status >= 0)
		return status;
	if (c->batch && (cli_has(c, OPT_SOCKET) || c->verb->run == cli_batch))
		return cli_fail(c, 2, "not among commands: -s, and - again");
	if (c->n_args < c->verb->min_args || c->n_args > c->verb->max_args) {
		if (c->batch)
			cli_fail(c, 2, "wrong number of arguments");
		put_verb_usage(c->err, c->verb);
		return 2;
	}
	if (cli_has(c, OPT_TSV) && cli_has(c, OPT_JSON))
		return cli_fail(c, 2, "-T and --json exclude each other");
	status = set_wait(c);
	return status ? status : c->verb->run(c);
}

int cli_run(struct cli *c, int argc, char *const argv[])
{
	int wrong = cli_parse(c, argc, argv);

	return wrong == -ENOMEM ? 3 : wrong ? 2 : run_verb(c);
}

int cli_main(int argc, char *const argv[], int in_fd, int out_fd, int err_fd)
{
	struct buf err = {0};
	struct cli_conn conn = {.fd = -1, .status = -1};
	struct cli c = {.in_fd = in_fd, .out_fd = out_fd, .err_fd = err_fd,
		.err = &err, .conn = &conn};
	int status = cli_run(&c, argc, argv);

	if (c.out.err && !status)
		status = cli_fail(&c, 3, "out of memory");
	int failed = cli_flush(&c);
	if (failed && failed != -EPIPE && !status)
		status = 3;
	if (cli_write(err_fd, &err) < 0 && !status)
		status = 3;
	cli_close(&c);
	buf_free(&c.out);
	buf_free(&err);
	free(c.args);
	return status;
}
