/* cli_batch - commands from standard input over one connection. What needs
 * one answer is sent without waiting for those before it; results are printed
 * in the order of the lines. */
#include <unistd.h>

#include "cli_priv.h"

#define READ_BYTES  65536
#define MAX_LINE    262144
#define MAX_WEIGHT  128   /* the server takes 256 requests of one peer */
#define CALL_WEIGHT 32    /* an answer of any size: four may be 1 MiB */
#define FLUSH_BYTES 32768

enum state { RUNNING, PENDING, DONE };

struct command {
	struct list link;
	struct cli c;
	struct buf err;
	char **words;
	unsigned weight;
	enum state state;
	int status;
};

struct cli_batch {
	struct cli *outer;
	struct list commands; /* in the order of their lines */
	unsigned weight;      /* of those that wait for an answer */
	struct buf in;        /* what was read and is not a whole line yet */
	size_t at;            /* of in: where the next line begins */
	bool eof;
	bool stop;            /* read no more */
	uint64_t line;
	int worst;
};

/* --- Words --------------------------------------------------------------- */

static bool is_blank(char ch)
{
	return ch == ' ' || ch == '\t' || ch == '\r';
}

struct splitter {
	const char *s, *end;
	char *to;
};

/* One word, up to a blank outside of quotes. */
static int take_word(struct splitter *p)
{
	char quote = 0;

	for (; p->s < p->end && (quote || !is_blank(*p->s)); p->s++) {
		if (*p->s == quote) {
			quote = 0;
		} else if (!quote && (*p->s == '\'' || *p->s == '"')) {
			quote = *p->s;
		} else if (*p->s == '\\' && quote != '\'') {
			if (p->s + 1 == p->end)
				return -EINVAL;
			if (!quote || p->s[1] == '"' || p->s[1] == '\\')
				p->s++;
			*p->to++ = *p->s;
		} else {
			*p->to++ = *p->s;
		}
		if (*p->s == '\0')
			return -EINVAL;
	}
	*p->to++ = '\0';
	return quote ? -EINVAL : 0;
}

int cli_words(const char *line, size_t n, char ***words)
{
	/* At most every second character begins a word. */
	size_t cap = n / 2 + 4, count = 1;
	char **w = malloc(cap * sizeof(*w) + sizeof(CLI_TOOL) + n + 2);
	struct splitter p = {.s = line, .end = line + n};
	int err = 0;

	*words = NULL;
	if (!w)
		return -ENOMEM;
	w[0] = (char *)(w + cap);
	memcpy(w[0], CLI_TOOL, sizeof(CLI_TOOL));
	p.to = w[0] + sizeof(CLI_TOOL);
	while (!err) {
		while (p.s < p.end && is_blank(*p.s))
			p.s++;
		if (p.s == p.end || *p.s == '#')
			break;
		w[count++] = p.to;
		err = take_word(&p);
	}
	if (err) {
		free(w);
		return err;
	}
	w[count] = NULL;
	*words = w;
	return (int)count;
}

/* --- Commands ------------------------------------------------------------ */

static void command_free(struct command *cmd)
{
	list_remove(&cmd->link);
	buf_free(&cmd->c.out);
	buf_free(&cmd->err);
	free(cmd->c.args);
	free(cmd->words);
	free(cmd);
}

/* With --json each command makes a line, also one that failed. */
static void put_failure(struct cli *outer, const struct command *cmd)
{
	size_t n = cmd->err.len;
	json_t *o;

	while (n && cmd->err.data[n - 1] == '\n')
		n--;
	o = json_pack("{s:{s:i, s:I, s:s%}}", "error", "status", cmd->status,
		"line", (json_int_t)cmd->c.line, "message",
		n ? (const char *)cmd->err.data : "", n);
	if (o)
		cli_put_json(outer, o);
	json_decref(o);
}

static void worsen(struct cli_batch *b, int status)
{
	if (status > b->worst)
		b->worst = status;
}

static void finish(struct cli_batch *b, struct command *cmd)
{
	struct cli *outer = b->outer;

	if (cmd->c.out.err && !cmd->status)
		cmd->status = cli_fail(&cmd->c, 3, "out of memory");
	buf_put(&outer->out, cmd->c.out.data, cmd->c.out.len);
	if (cmd->status && cli_has(&cmd->c, OPT_JSON))
		put_failure(outer, cmd);
	buf_put(outer->err, cmd->err.data, cmd->err.len);
	worsen(b, cmd->status);
	command_free(cmd);
}

static void flush(struct cli_batch *b)
{
	int err = cli_flush(b->outer);

	if (err == -EPIPE)
		b->outer->conn->out_gone = true;
	else if (err)
		worsen(b, 3);
	b->stop = b->stop || err;
	if (cli_write(b->outer->err_fd, b->outer->err))
		worsen(b, 3);
}

/* Prints what is done, up to the first that is not. */
static void emit(struct cli_batch *b)
{
	list_each(l, safe, &b->commands) {
		struct command *cmd = list_entry(l, struct command, link);

		if (cmd->state == PENDING && cmd->c.done) {
			cmd->state = DONE;
			cmd->status = cmd->c.status;
			b->weight -= cmd->weight;
		}
		if (cmd->state != DONE)
			break;
		finish(b, cmd);
	}
	if (b->outer->out.len + b->outer->err->len >= FLUSH_BYTES)
		flush(b);
}

void cli_settle(struct cli *c)
{
	struct cli_batch *b = c->batch;
	int err = 0;

	if (!b)
		return;
	c->value[OPT_SOCKET] = b->outer->value[OPT_SOCKET];
	emit(b);
	while (!err && b->weight && !c->conn->out_gone) {
		err = cli_wait_once(c, ctl_deadline(c->conn->ctl), -1, NULL);
		emit(b);
	}
	flush(b);
}

static void run_words(struct cli_batch *b, struct command *cmd, int n)
{
	static const enum cli_opt handed_on[] = {OPT_WAIT, OPT_TSV, OPT_JSON,
		OPT_QUIET};

	for (size_t i = 0; i < ARRAY_LEN(handed_on); i++)
		cmd->c.value[handed_on[i]] = b->outer->value[handed_on[i]];
	cmd->status = cli_run(&cmd->c, n, cmd->words);
	cmd->state = cmd->status == CLI_PENDING ? PENDING : DONE;
	if (cmd->state == PENDING) {
		cmd->weight = cmd->c.verb->run == cli_call ? CALL_WEIGHT : 1;
		b->weight += cmd->weight;
	}
}

static void run_line(struct cli_batch *b, const char *line, size_t n)
{
	struct command *cmd = NULL;
	char **words = NULL;
	int count = cli_words(line, n, &words);

	b->line++;
	if (count != -ENOMEM && count != 1)
		cmd = calloc(1, sizeof(*cmd));
	if (!cmd) {
		free(words);
		if (count == 1)
			return;
		worsen(b, cli_fail(b->outer, 3, "out of memory"));
		b->stop = true;
		return;
	}
	cmd->words = words;
	cmd->c = (struct cli){.in_fd = -1, .out_fd = b->outer->out_fd,
		.err_fd = b->outer->err_fd, .err = &cmd->err,
		.conn = b->outer->conn, .batch = b, .line = b->line};
	list_append(&b->commands, &cmd->link);
	if (count > 0) {
		run_words(b, cmd, count);
		return;
	}
	cmd->status = cli_fail(&cmd->c, 2, "an open quote, a backslash at "
		"the end, or a NUL");
	cmd->state = DONE;
}

/* --- The loop ------------------------------------------------------------ */

/* The next line, without its end; NULL if it is not whole yet. */
static const char *next_line(const struct cli_batch *b, size_t *n)
{
	size_t left = b->in.len - b->at;
	const char *at = left ? (const char *)b->in.data + b->at : "";
	const char *end = left ? memchr(at, '\n', left) : NULL;

	*n = end ? (size_t)(end - at) : left;
	return end || (b->eof && left) ? at : NULL;
}

/* As many as may wait for answers. True if more must be read to go on. */
static bool run_lines(struct cli_batch *b)
{
	const char *line;
	size_t n;

	while (!b->stop && !b->outer->conn->broken && b->weight < MAX_WEIGHT) {
		line = next_line(b, &n);
		if (!line)
			return !b->eof;
		b->at += MIN(n + 1, b->in.len - b->at);
		run_line(b, line, n);
		emit(b);
	}
	return false;
}

static void read_input(struct cli_batch *b)
{
	ssize_t n;

	buf_consume(&b->in, b->at);
	b->at = 0;
	if (b->in.len > MAX_LINE) {
		worsen(b, cli_fail(b->outer, 2, "line %" PRIu64 " is longer "
			"than %d bytes", b->line + 1, MAX_LINE));
		b->stop = true;
		return;
	}
	if (buf_reserve(&b->in, READ_BYTES)) {
		worsen(b, cli_fail(b->outer, 3, "out of memory"));
		b->stop = true;
		return;
	}
	n = read(b->outer->in_fd, b->in.data + b->in.len, READ_BYTES);
	if (n < 0 && errno != EINTR && errno != EAGAIN) {
		worsen(b, cli_fail(b->outer, 3, "cannot read standard input: "
			"%s", strerror(errno)));
		b->stop = true;
	}
	b->eof = n == 0;
	b->in.len += n > 0 ? (size_t)n : 0;
}

/* Until all is read and answered, or there is no reason to go on. The -errno
 * that ended the connection. */
static int loop(struct cli_batch *b)
{
	struct cli_conn *conn = b->outer->conn;
	bool hungry, readable;
	int err = 0;

	while (!err && !conn->out_gone) {
		hungry = run_lines(b);
		err = conn->broken;
		if (err || (!hungry && list_empty(&b->commands)))
			break;
		flush(b);
		readable = false;
		err = cli_wait_once(b->outer, ctl_deadline(conn->ctl),
			hungry ? b->outer->in_fd : -1, &readable);
		if (readable)
			read_input(b);
		emit(b);
	}
	return err;
}

int cli_batch(struct cli *c)
{
	struct cli_batch b = {.outer = c};
	int err;

	list_init(&b.commands);
	if (cli_connect(c))
		return c->status;
	err = loop(&b);
	if (err)
		worsen(&b, cli_lost(c, err));
	/* What still waits learns that nothing comes any more, unless nobody
	 * would read of it. */
	list_each(l, safe, &b.commands)
		list_entry(l, struct command, link)->c.done |=
			c->conn->out_gone;
	cli_close(c);
	if (!c->conn->out_gone)
		emit(&b);
	flush(&b);
	while (!list_empty(&b.commands))
		command_free(list_entry(b.commands.next, struct command,
			link));
	buf_free(&b.in);
	return c->conn->out_gone ? 0 : b.worst;
}
