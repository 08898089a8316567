/* cli_priv - what the verbs share. */
#ifndef CLI_PRIV_H
#define CLI_PRIV_H

#include "base.h"
#include "cli.h"
#include "ctl.h"
#include "io.h"
#include "json.h"

#define CLI_TOOL          "meeting-ctl"
#define CLI_WAIT_MS       30000 /* -w, when it is not given */
#define CLI_COLUMNS       80    /* of human output */
#define CLI_MAX_SETS      16    /* --set on one line */
#define CLI_MAX_TEXT      8000  /* bytes of a chat message */

enum cli_opt {
	OPT_SOCKET, OPT_WAIT, OPT_TSV, OPT_JSON, OPT_QUIET, OPT_HELP,
	OPT_VERSION, OPT_COMPLETION, /* from here on: of some verbs only */
	OPT_FOLLOW, OPT_ID, OPT_AUDIO, OPT_SET, OPT_ENDED, OPT_REASON,
	OPT_NAME, OPT_ROLE, OPT_TTL, OPT_QR, OPT_URL, OPT_LAN, OPT_SINCE,
	OPT_AS, OPT_TO, OPT_ALL, OPT_FROM, OPT_USES,
	OPT_COUNT,
	OPT_FIRST_OF_VERBS = OPT_FOLLOW
};

/* What a verb returns whose answer is still to come; see cli_then. */
#define CLI_PENDING (-1)

struct cli;
struct cli_batch;

struct cli_verb {
	const char *name;
	const char *args; /* as in the usage; its options are those allowed */
	const char *help; /* one line */
	unsigned min_args;
	unsigned max_args;
	int (*run)(struct cli *c); /* the exit status, or CLI_PENDING */
};

/* The connection, which commands from standard input share. */
struct cli_conn {
	int fd; /* -1: none */
	struct ctl *ctl;
	struct buf unsent;    /* requests that go out together */
	uint64_t deadline_ns; /* of the request that runs, or was sent last */
	int broken;           /* -errno that ended it, else 0 */
	bool out_gone;        /* nobody reads what we print */
	/* What comes besides answers, for the verb that follows; or NULL. */
	int (*on_event)(struct cli *c, const json_t *event);
	struct cli *follower; /* that on_event is called for */
	int status;           /* that on_event asked to end with, or -1 */
	char login[64];       /* of who runs us; empty: not looked up yet */
};

struct cli {
	const struct cli_verb *verb; /* NULL before it is known */
	const char *value[OPT_COUNT]; /* "" for one without a value */
	const char *sets[CLI_MAX_SETS];
	unsigned n_sets;
	const char **args; /* lent by argv, without options and verb */
	unsigned n_args;
	int in_fd; /* -1: it is taken by commands */
	int out_fd;
	int err_fd;
	struct buf out; /* what is to be printed */
	struct buf *err;
	uint64_t wait_ns; /* -w, of each request */
	int status;       /* why the last cli_ask failed */
	json_t *result;   /* of the last request, owned; NULL: it failed */
	bool done;        /* it has been answered */
	int (*finish)(struct cli *c, json_t *result); /* see cli_then */
	struct cli_conn *conn;
	struct cli_batch *batch; /* whose command this is, or NULL */
	uint64_t line;           /* where it stands, from 1 */
};

/* cli.c */
/* Adds the line "meeting-ctl: VERB: text" to err; returns status. */
int cli_fail(struct cli *c, int status, const char *fmt, ...) PRINTF(3, 4);
/* The first argument if it is a meeting's id; else NULL and c->status. */
const char *cli_meeting(struct cli *c);
extern const struct cli_verb cli_verbs[];
extern const size_t cli_n_verbs;

/* cli_opts.c: 0, or -EINVAL with words in err. */
int cli_parse(struct cli *c, int argc, char *const argv[]);
/* True if the verb's usage names the option. */
bool cli_allows(const struct cli_verb *v, enum cli_opt o);
static inline bool cli_has(const struct cli *c, enum cli_opt o)
{
	return c->value[o] != NULL;
}

/* Parses and runs one command line: the exit status, or CLI_PENDING. */
int cli_run(struct cli *c, int argc, char *const argv[]);

/* cli_conn.c */
/* 0 with a deadline set for what is asked next, or -errno told. */
int cli_connect(struct cli *c);
/* Asks and waits; connects and says hello first where that is to be done.
 * params are stolen (NULL: {}). A new reference, or NULL with the words
 * told and c->status set. */
json_t *cli_ask(struct cli *c, const char *method, json_t *params);
/* Asks, and has finish make the exit status of the answer, which it steals;
 * NULL: it failed, with c->status set. Among commands from standard input
 * that is done when the answer comes, and CLI_PENDING is returned. */
int cli_then(struct cli *c, const char *method, json_t *params,
	int (*finish)(struct cli *c, json_t *result));
/* Asks for all pages of a list: member is the array, id what names one of
 * its objects. The answer holds all of them. */
json_t *cli_ask_all(struct cli *c, const char *method, json_t *params,
	const char *member, const char *id);
/* Waits for events until something ends it, at the latest at deadline_ns
 * (CTL_NEVER); the exit status, 124 when it is over. */
int cli_follow(struct cli *c, uint64_t deadline_ns);
/* Waits for whatever comes first: the server, also_fd to be readable (-1:
 * none; *also tells), the reader of our output to go, the deadline. 0 or the
 * -errno that ended the connection. */
int cli_wait_once(struct cli *c, uint64_t deadline_ns, int also_fd,
	bool *also);
/* Sends what was kept to go together. */
int cli_send(struct cli *c);
/* Tells why the connection ended; the exit status. */
int cli_lost(struct cli *c, int err);
void cli_close(struct cli *c);

/* cli_batch.c */
/* Waits until the commands before this one are done and printed, and hands it
 * -s for a connection of its own; nothing for one that stands alone. */
void cli_settle(struct cli *c);
/* Splits a line into words as a shell would, without expanding anything.
 * words[0] is the tool's name, as in argv; words and the text they point into
 * are one block, to be freed. The count, 1 for an empty line or a comment,
 * -EINVAL for an open quote, a backslash at the end, or a NUL; -ENOMEM. */
int cli_words(const char *line, size_t n, char ***words);

/* cli_out.c */
/* Standard input to its end: 0, or -errno told (2 when longer than max). */
int cli_read_all(struct cli *c, size_t max, struct buf *out);
/* Writes what c->out holds and clears it: 0, -EPIPE, or -errno told. */
int cli_flush(struct cli *c);
/* The same for words to err_fd. */
int cli_write(int fd, struct buf *b);
/* A JSON value as a line of its own. */
void cli_put_json(struct cli *c, const json_t *v);
/* How a verb without columns ends: with --json the result, which it steals,
 * is printed. NULL is a cli_ask that failed. The exit status. */
int cli_done(struct cli *c, json_t *result);
/* Columns. Human: aligned under a heading, CLI_COLUMNS wide at most by
 * cutting the column marked '*'. -T: TAB between, no heading. */
struct cli_table;
struct cli_table *cli_table_new(const char *const headings[], size_t n);
/* Copies; text NULL is an empty cell. Cells come row by row. */
void cli_cell(struct cli_table *t, const char *text);
void cli_cell_int(struct cli_table *t, int64_t n);
/* Appends it to c->out and frees it. -ENOMEM told as status 3, else 0. */
int cli_table_put(struct cli *c, struct cli_table *t);
/* Terminal columns that valid UTF-8 takes. */
size_t cli_width(const char *s, size_t n);

/* cli_people.c: an id for what a command line calls a user. A new string,
 * or NULL with the words told and c->status set. */
char *cli_user(struct cli *c, const char *meeting, const char *who);

/* cli_link.c: the link with another base ("https://host:port"), or NULL. */
char *cli_rebase(const char *url, const char *base);

/* cli_events.c: an event as "events" prints it. */
void cli_put_event(struct cli *c, const json_t *e);

/* The verbs. */
int cli_create(struct cli *c);
int cli_list(struct cli *c);
int cli_show(struct cli *c);
int cli_end(struct cli *c);
int cli_users(struct cli *c);
int cli_say(struct cli *c);
int cli_mute(struct cli *c);
int cli_unmute(struct cli *c);
int cli_kick(struct cli *c);
int cli_role(struct cli *c);
int cli_link(struct cli *c);
int cli_events(struct cli *c);
int cli_call(struct cli *c);
int cli_hand(struct cli *c);
int cli_get(struct cli *c);
int cli_set(struct cli *c);
int cli_wait(struct cli *c);
int cli_links(struct cli *c);
int cli_unlink(struct cli *c);
int cli_keys(struct cli *c);
int cli_batch(struct cli *c);

#endif
