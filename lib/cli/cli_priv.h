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
	OPT_AS, OPT_TO, OPT_ALL,
	OPT_COUNT,
	OPT_FIRST_OF_VERBS = OPT_FOLLOW
};

struct cli;

struct cli_verb {
	const char *name;
	const char *args; /* as in the usage; its options are those allowed */
	const char *help; /* one line */
	unsigned min_args;
	unsigned max_args;
	int (*run)(struct cli *c); /* returns the exit status */
};

struct cli_conn {
	int fd; /* -1: none */
	struct ctl *ctl;
	json_t *result; /* of the last request, owned; NULL: it failed */
	bool done;
	bool out_gone;  /* nobody reads what we print */
	/* What comes besides answers, for the verb that follows; or NULL. */
	int (*on_event)(struct cli *c, const json_t *event);
	int status;     /* that on_event asked to end with, or -1 */
};

struct cli {
	const struct cli_verb *verb; /* NULL before it is known */
	const char *value[OPT_COUNT]; /* "" for one without a value */
	const char *sets[CLI_MAX_SETS];
	unsigned n_sets;
	const char **args; /* lent by argv, without options and verb */
	unsigned n_args;
	int in_fd;
	int out_fd;
	struct buf out; /* what is to be printed */
	struct buf *err;
	uint64_t wait_ns;     /* -w, of each request */
	uint64_t deadline_ns; /* of the request that runs */
	int status; /* why the last cli_ask failed */
	struct cli_conn conn;
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

/* cli_conn.c */
/* Asks and waits; connects and says hello first where that is to be done.
 * params are stolen (NULL: {}). A new reference, or NULL with the words
 * told and c->status set. */
json_t *cli_ask(struct cli *c, const char *method, json_t *params);
/* Waits for events until something ends it; the exit status. */
int cli_follow(struct cli *c);
void cli_close(struct cli *c);

/* cli_out.c */
/* Standard input to its end: 0, or -errno told (2 when longer than max). */
int cli_read_all(struct cli *c, size_t max, struct buf *out);
/* Writes what c->out holds and clears it: 0, -EPIPE, or -errno told. */
int cli_flush(struct cli *c);
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

#endif
