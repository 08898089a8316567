/* super_priv - the table's rows, shared by super's files. */
#ifndef SUPER_PRIV_H
#define SUPER_PRIV_H

#include <sys/types.h>
#include "base.h"
#include "io.h"
#include "super.h"

enum worker_state {
	WORKER_WAITING,  /* no process; the timer starts one */
	WORKER_STARTING, /* the timer is the limit for getting ready */
	WORKER_READY,
	WORKER_STOPPING, /* SIGTERM sent; the timer sends SIGKILL */
};

struct worker {
	struct list in_table;
	struct super *super;
	char *role;
	char *name;             /* static: instance; else "TEMPLATE/INSTANCE" */
	const char *instance;   /* inside name */
	char **argv;            /* NULL behind the last */
	const char *hold[SUPER_MAX_SOCKETS + 1]; /* names lent by held */
	bool fixed;             /* static */
	bool secret;
	bool leaves;            /* not started again once it is gone */
	bool was_ready;
	bool again;             /* SIGHUP came while it was being started */
	enum worker_state state;
	pid_t pid;              /* 0: none */
	uint64_t started_ns;
	unsigned starts;
	int ready_fd;           /* -1: not awaited */
	struct io_watch *ready;
	struct io_timer *timer;
};

struct held {
	char *name;
	char *path; /* of a Unix socket, else NULL */
	int fd;
};

struct template {
	struct list in_super;
	char *name;
	char **argv;
};

#define SUPER_MAX_VARS 4

struct super_var {
	char *name;
	char *value;
};

struct super_server; /* of run.sock */

struct super {
	struct io_loop *loop;
	struct super_events ev;
	void *arg;
	struct io_reaper *reaper;
	int lifeline[2]; /* read end for workers, write end ours */
	int null_fd;     /* /dev/null, their standard input */
	struct list workers;
	unsigned n_workers;
	struct list templates;
	struct super_var vars[SUPER_MAX_VARS];
	unsigned n_vars;
	struct held held[SUPER_MAX_SOCKETS];
	unsigned n_held;
	struct super_server *server;
	bool stopping;
	bool up_told;
	bool failed_told;
	bool gone_told;
};

/* super.c */
struct worker *super_find(const struct super *s, const char *name);
/* Copies all. On failure nothing was added. */
int super_add(struct super *s, const struct super_spec *spec, bool fixed,
	struct worker **out);
/* Starts it now or when the spacing allows. -errno if it cannot be run; a
 * static worker then waits for its next start, another one is removed. */
int super_launch(struct worker *w);
/* Ends the worker and removes it, now or when it is reaped. */
void super_dismiss(struct worker *w);
const char *super_state_name(const struct worker *w);

/* super_spawn.c: runs the worker's argv. *ready_fd is where it will say
 * that it is ready. The pid or -errno. */
pid_t super_spawn(const struct worker *w, int *ready_fd);
/* A copy of a list of words with NULL behind the last; NULL: no memory. */
char **super_words_copy(const char *const *words);
void super_words_free(char **words);

/* super_sock.c */
void super_sockets_close(struct super *s);
const struct held *super_held(const struct super *s, const char *name,
	unsigned *from);

/* super_tmpl.c */
struct template *super_template_find(const struct super *s,
	const char *name);
const char *super_var_get(const struct super *s, const char *name);
void super_templates_free(struct super *s); /* and variables */
void super_templates_clear(struct list *templates);

/* super_conf.c: tells of what differs and cannot count yet. */
void super_conf_changes(const struct conf *old, const struct conf *next);

/* super_ctl.c */
void super_serve_stop(struct super *s);

#endif
