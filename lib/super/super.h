/* super - the table of confd-run: workers that are started, awaited,
 * restarted, stopped and reaped, and the listening sockets held for them.
 *
 * A worker is static (added before super_start, restarted whenever it ends)
 * or comes from a template, asked for on run.sock, once for each meeting.
 * Each gets its own process group, stdin from /dev/null, stdout joined to
 * stderr, "--lifeline FD" (reads end of file when confd-run is gone), "-d FD"
 * (it writes a newline there when it is ready), the held sockets of its row
 * (LISTEN_FDS, LISTEN_FDNAMES) and, if its row says so, "--secret-fd FD".
 *
 * Units: _ms milliseconds; states and times are of CLOCK_MONOTONIC.
 * Owner: struct super owns held descriptors and copies all strings; the loop
 * is borrowed and must outlive it.
 * Errors: 0 or -errno; settings and templates say more in why.
 * Never: runs a shell, reads the network, looks at what workers print.
 */
#ifndef SUPER_H
#define SUPER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include "conf.h"
#include "io_path.h"

struct buf;
struct io_loop;
struct super;

#define SUPER_SPACING_MS   1000  /* between two starts of one worker */
#define SUPER_READY_MS     10000 /* from start to ready, else restarted */
#define SUPER_KILL_MS      3000  /* from SIGTERM to SIGKILL */
#define SUPER_STOP_MS      4500  /* all of super_stop, at the very most */
#define SUPER_TRIES        3     /* crashes before it was ever ready */
#define SUPER_MAX_WORKERS  256   /* static and from templates together */
#define SUPER_MAX_SOCKETS  16    /* held */
#define SUPER_SECRET_CAP   65    /* 64 hex digits and NUL */
#define SUPER_ADDR_CAP     108
#define SUPER_WHY_CAP      1024

struct super_events {
	/* The secret of a worker, at each of its starts. 0 or -errno. */
	int (*secret)(void *arg, const char *role, const char *instance,
		char out[SUPER_SECRET_CAP]);
	/* Every static worker has been ready once. */
	void (*up)(void *arg);
	/* A static worker that was never ready ended with an exit status
	 * (0 counts as 3), could not be run (127), was not ready in time
	 * (124) or crashed SUPER_TRIES times (3): it will not do better next
	 * time. Comes once; calling super_stop is what is left to do. */
	void (*failed)(void *arg, const char *name, int status);
	/* After super_stop: the last worker is gone. */
	void (*gone)(void *arg);
};

/* Children are reaped by super from here on: one per process. */
struct super *super_new(struct io_loop *l, const struct super_events *ev,
	void *arg);
/* Kills (SIGKILL) what still runs, closes what is held. */
void super_free(struct super *s);

/* --- Listening sockets ------------------------------------------------- */
enum super_proto { SUPER_TCP, SUPER_UDP };
/* Opens and holds one. -EINVAL: addr is malformed; else as bind(2). */
int super_listen(struct super *s, const char *name, enum super_proto proto,
	const char *addr);
/* The same for a Unix socket; the file is removed by super_free. */
int super_listen_unix(struct super *s, const char *name, const char *path,
	mode_t mode, gid_t gid);
/* The i-th held socket and its actual address (or path); false past the
 * end. name is lent. */
bool super_socket(const struct super *s, size_t i, const char **name,
	char addr[SUPER_ADDR_CAP]);

/* --- Workers ----------------------------------------------------------- */
struct super_spec {
	const char *role;          /* what it is: signal, relay */
	const char *name;          /* instance, unique: relay-0 */
	const char *const *argv;   /* NULL behind the last */
	const char *const *hold;   /* names of held sockets, or NULL */
	bool secret;
};
int super_worker(struct super *s, const struct super_spec *spec);
/* argv words may hold %{instance}, what super_var set and what the request
 * brings; see super_expand. Workers of a template get a secret and no
 * sockets. -EINVAL: name is no id, no words, or a malformed variable. */
int super_template(struct super *s, const char *name,
	const struct conf_words *argv);
/* A variable that every template knows, of any text: a path. */
int super_var(struct super *s, const char *name, const char *value);
/* Starts the static workers. */
void super_start(struct super *s);
/* SIGTERM, then SIGKILL; gone() follows, perhaps at once. Idempotent. */
void super_stop(struct super *s);
/* The process of a worker, 0 while none runs: for tests. */
pid_t super_pid(const struct super *s, const char *name);

/* --- run.sock ---------------------------------------------------------- */
/* Serves start, stop and list (confd-run(1)) on a listening socket, which it
 * owns; only to processes of our own user and of root. path is the file to
 * remove at the end. */
int super_serve(struct super *s, int fd, const char *path);

/* --- Templates --------------------------------------------------------- */
/* Replaces each %{name} in word by get(arg, name); "%" before anything else
 * stands for itself. -ENOENT: get returned NULL (missing holds the name, at
 * most 47 bytes), -EINVAL: no closing brace, or a bad name. out is a new
 * string. */
int super_expand(const char *word,
	const char *(*get)(void *arg, const char *name), void *arg,
	char missing[48], char **out);
/* What a variable may hold: a meeting's id or a random one. */
bool super_is_var(const char *value);

/* --- Settings ---------------------------------------------------------- */
/* Where confd-run's settings come from: environment over confkit.conf. */
struct super_settings {
	struct conf_words http;   /* addresses */
	struct conf_words media;
	bool http_given;          /* not the default: each must open */
	bool media_given;
	bool tls;
	bool sandbox;             /* ours, and by default the workers' */
	const char *rundir;       /* lent by the configuration, or NULL */
	const char *statedir;
	const char *socket_group;
	struct conf_words signal; /* options for confd-signal */
	struct conf_words relay;  /* options for conf-relay */
	char *file;               /* that was read, or NULL */
};
/* c may be NULL; env looks up an environment variable. -EINVAL with why,
 * -ENOMEM. Unknown keys and malformed template sections are refused too. */
int super_settings(struct super_settings *out, const struct conf *c,
	const char *(*env)(const char *name), char why[CONF_WHY_CAP]);
void super_settings_free(struct super_settings *set);
/* Adds each [template NAME] of c. -EINVAL with why. */
int super_templates(struct super *s, const struct conf *c,
	char why[CONF_WHY_CAP]);

/* --- The kit -------------------------------------------------------------
 * What confd-run holds together. Where an int is returned it is 0, or the
 * exit status that the fault calls for (conf(7)) with words in why. */

/* Reads the file named, else the first of the search that exists; none is
 * fine unless it was named, and *conf is NULL then. */
int super_configure(const char *file, struct conf **conf,
	struct super_settings *set, char why[SUPER_WHY_CAP]);
struct super_dirs {
	char run[IO_PATH_CAP];
	char state[4096];
	gid_t gid;     /* of the socket group; (gid_t)-1: none */
	int lock;      /* on run, until the process ends */
	bool leftover; /* of a confd-run that was killed: workers may drain */
};
/* Finds, makes and locks both, and sets CONF_RUNDIR and CONF_STATEDIR so that
 * workers find them by whatever we found ours. */
int super_dirs_make(struct super_dirs *d, const struct super_settings *set,
	char why[SUPER_WHY_CAP]);
/* Workers are looked for beside this program, then in PATH. */
void super_path_extend(void);
/* Opens all sockets, and serves run.sock; waits for leftover workers. */
int super_kit_listen(struct super *s, const struct super_settings *set,
	const struct super_dirs *d, char why[SUPER_WHY_CAP]);
/* The command lines of the two; words are lent by set, d and out itself.
 * talk is "-v", "-q" or NULL. */
struct super_kit_argv {
	char control[IO_PATH_CAP + 16];
	const char *signal[CONF_MAX_WORDS + 16]; /* NULL behind the last */
	const char *relay[CONF_MAX_WORDS + 8];
};
void super_kit_argv(const struct super_settings *set,
	const struct super_dirs *d, const char *talk,
	struct super_kit_argv *out);
/* Adds confd-signal, conf-relay and the templates of conf, if not NULL. */
int super_kit_workers(struct super *s, const struct super_settings *set,
	const struct super_dirs *d, const struct conf *conf, const char *talk,
	char why[SUPER_WHY_CAP]);

/* Reads the configuration again: templates, and with what workers are started
 * from now on; on failure all stays as it was. In any case workers get SIGHUP,
 * once they are ready. A line of log for each key that cannot count yet. */
int super_again(struct super *s, struct super_settings *set,
	const struct super_dirs *d, const char *file, const struct conf *conf,
	const char *talk, char why[SUPER_WHY_CAP]);

/* --- The sandbox -------------------------------------------------------- */
/* After the last socket and before the first worker, which inherits it:
 * io_sandbox_enter, for programs from PATH and from where templates name
 * them. With selftest, io_sandbox_selftest instead. conf may be NULL. */
int super_sandbox(const struct super_settings *set, const struct conf *conf,
	struct buf *selftest);

/* --- The run directory ------------------------------------------------- */
/* One confd-run per run directory: a lock on the directory itself, so that
 * no file stays behind. The descriptor that holds it, or -EWOULDBLOCK while
 * another one does, or -errno. */
int super_lock(const char *dir);

#endif
