/* super_spawn - what a worker is given: descriptors, words, environment. */
#include <fcntl.h>
#include <unistd.h>

#include "super_priv.h"

/* Standard input and output, held sockets, lifeline, ready, secret. */
#define MAX_FDS    (2 + SUPER_MAX_SOCKETS + 3)
#define FIRST_FD   3
#define MAX_ADDED  6 /* words behind the worker's own */

extern char **environ;

struct spawn {
	struct io_spawn_fd fds[MAX_FDS];
	size_t n_fds;
	int next_fd;         /* number in the child */
	unsigned n_listen;
	struct buf names;    /* LISTEN_FDNAMES=... */
	char count[32];      /* LISTEN_FDS=... */
	const char **argv;   /* words are lent */
	size_t n_argv;
	const char **env;
	char numbers[3][12];
	int ready[2];
	int secret;          /* read end of the pipe, or -1 */
};

static int give(struct spawn *sp, int fd)
{
	sp->fds[sp->n_fds++] = (struct io_spawn_fd){fd, sp->next_fd};
	return sp->next_fd++;
}

static void add_option(struct spawn *sp, const char *option, int fd,
	char number[12])
{
	snprintf(number, 12, "%d", give(sp, fd));
	sp->argv[sp->n_argv++] = option;
	sp->argv[sp->n_argv++] = number;
}

/* Several sockets may have one name; all of them are given. */
static void give_sockets(struct spawn *sp, const struct worker *w)
{
	const struct held *h;

	for (size_t i = 0; w->hold[i]; i++) {
		unsigned from = 0;
		while ((h = super_held(w->super, w->hold[i], &from))) {
			if (sp->n_listen == SUPER_MAX_SOCKETS)
				return;
			buf_printf(&sp->names, "%s%s",
				sp->n_listen ? ":" : "LISTEN_FDNAMES=",
				h->name);
			give(sp, h->fd);
			sp->n_listen++;
		}
	}
}

/* Our own environment, but for what names sockets that we inherited. */
static int make_env(struct spawn *sp)
{
	size_t n = 0, at = 0;

	while (environ[n])
		n++;
	sp->env = calloc(n + 3, sizeof(*sp->env));
	if (!sp->env)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		if (!str_starts(environ[i], "LISTEN_"))
			sp->env[at++] = environ[i];
	if (!sp->n_listen)
		return 0;
	snprintf(sp->count, sizeof(sp->count), "LISTEN_FDS=%u",
		sp->n_listen);
	sp->env[at++] = sp->count;
	sp->env[at] = buf_cstr(&sp->names);
	return sp->env[at] ? 0 : -ENOMEM;
}

/* The secret waits in a pipe: it is far smaller than what a pipe holds. */
static int make_secret(struct spawn *sp, const struct worker *w)
{
	char secret[SUPER_SECRET_CAP] = "";
	int fds[2], err;

	if (!w->super->ev.secret)
		return -ENOSYS;
	err = w->super->ev.secret(w->super->arg, w->role, w->instance,
		secret);
	if (err)
		return err;
	if (pipe2(fds, O_CLOEXEC))
		return -errno;
	sp->secret = fds[0];
	ssize_t n = write(fds[1], secret, strlen(secret));
	close(fds[1]);
	explicit_bzero(secret, sizeof(secret));
	return n > 0 ? 0 : -EIO;
}

static int prepare(struct spawn *sp, const struct worker *w)
{
	size_t n = 0;
	int err;

	while (w->argv[n])
		n++;
	sp->argv = calloc(n + MAX_ADDED + 1, sizeof(*sp->argv));
	if (!sp->argv)
		return -ENOMEM;
	for (; sp->n_argv < n; sp->n_argv++)
		sp->argv[sp->n_argv] = w->argv[sp->n_argv];
	sp->fds[sp->n_fds++] = (struct io_spawn_fd){w->super->null_fd, 0};
	sp->fds[sp->n_fds++] = (struct io_spawn_fd){2, 1};
	give_sockets(sp, w);
	if (pipe2(sp->ready, O_CLOEXEC))
		return -errno;
	add_option(sp, "--lifeline", w->super->lifeline[0], sp->numbers[0]);
	add_option(sp, "-d", sp->ready[1], sp->numbers[1]);
	if (w->secret) {
		err = make_secret(sp, w);
		if (err)
			return err;
		add_option(sp, "--secret-fd", sp->secret, sp->numbers[2]);
	}
	return make_env(sp);
}

pid_t super_spawn(const struct worker *w, int *ready_fd)
{
	struct spawn sp = {.next_fd = FIRST_FD, .ready = {-1, -1},
		.secret = -1};
	pid_t pid = prepare(&sp, w);

	if (!pid)
		pid = io_spawn(sp.argv, sp.env, sp.fds, sp.n_fds);
	if (sp.ready[1] >= 0)
		close(sp.ready[1]);
	if (sp.secret >= 0)
		close(sp.secret);
	if (pid > 0) {
		io_nonblock(sp.ready[0]);
		*ready_fd = sp.ready[0];
	} else if (sp.ready[0] >= 0) {
		close(sp.ready[0]);
	}
	buf_free(&sp.names);
	free(sp.argv);
	free(sp.env);
	return pid;
}

char **super_words_copy(const char *const *words)
{
	size_t n = 0;

	while (words[n])
		n++;
	char **copy = calloc(n + 1, sizeof(*copy));
	for (size_t i = 0; copy && i < n; i++) {
		copy[i] = strdup(words[i]);
		if (!copy[i]) {
			super_words_free(copy);
			return NULL;
		}
	}
	return copy;
}

void super_words_free(char **words)
{
	for (size_t i = 0; words && words[i]; i++)
		free(words[i]);
	free(words);
}
