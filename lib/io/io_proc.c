/* Children, readiness and the end of a tool. */
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base.h"
#include "io.h"

/* Moves what the child shall have out of the way of the numbers it shall
 * have, then onto them. Runs in the child: async-signal-safe calls only. */
static int place_fds(const struct io_spawn_fd *fds, size_t n, int *moved,
	int report)
{
	int high = 64;

	for (size_t i = 0; i < n; i++)
		high = MAX(high, fds[i].to + 1);
	for (size_t i = 0; i < n; i++) {
		moved[i] = fcntl(fds[i].from, F_DUPFD_CLOEXEC, high);
		if (moved[i] < 0)
			return -errno;
	}
	report = fcntl(report, F_DUPFD_CLOEXEC, high);
	if (report < 0)
		return -errno;
	for (size_t i = 0; i < n; i++)
		if (dup2(moved[i], fds[i].to) < 0)
			return -errno;
	/* All else above 2 closes at exec; what dup2 made stays. */
	if (close_range(3, ~0u, CLOSE_RANGE_CLOEXEC))
		return -errno;
	for (size_t i = 0; i < n; i++)
		if (io_cloexec(fds[i].to, false))
			return -errno;
	return report;
}

static void reset_signals(void)
{
	sigset_t none;

	for (int s = 1; s < NSIG; s++)
		if (s != SIGKILL && s != SIGSTOP)
			signal(s, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static void child(const char *const argv[], const char *const env[],
	const struct io_spawn_fd *fds, size_t n, int *moved, int report)
{
	int at;
	int err;

	setpgid(0, 0);
	reset_signals();
	at = place_fds(fds, n, moved, report);
	if (at >= 0) {
		report = at;
		if (env)
			execvpe(argv[0], (char *const *)(uintptr_t)argv,
				(char *const *)(uintptr_t)env);
		else
			execvp(argv[0], (char *const *)(uintptr_t)argv);
		err = -errno;
	} else {
		err = at;
	}
	if (write(report, &err, sizeof(err)) < 0)
		_exit(126);
	_exit(127);
}

pid_t io_spawn(const char *const argv[], const char *const env[],
	const struct io_spawn_fd *fds, size_t n_fds)
{
	int report[2], err = 0;
	int *moved = calloc(n_fds + 1, sizeof(*moved));
	ssize_t got;
	pid_t pid = -1;

	if (!moved)
		return -ENOMEM;
	if (pipe2(report, O_CLOEXEC)) {
		err = -errno;
		goto out;
	}
	pid = fork();
	if (pid == 0)
		child(argv, env, fds, n_fds, moved, report[1]);
	if (pid < 0)
		err = -errno;
	close(report[1]);
	if (pid > 0) {
		setpgid(pid, pid);
		do
			got = read(report[0], &err, sizeof(err));
		while (got < 0 && errno == EINTR);
		if (got != (ssize_t)sizeof(err))
			err = 0;
		else
			waitpid(pid, NULL, 0);
	}
	close(report[0]);
out:
	free(moved);
	return err ? err : pid;
}

struct io_reaper {
	struct io_signal *sig;
	void (*cb)(void *arg, pid_t pid, int status);
	void *arg;
};

static void reap(void *arg, int signo)
{
	struct io_reaper *r = arg;
	int status;
	pid_t pid;

	(void)signo;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		r->cb(r->arg, pid, status);
}

struct io_reaper *io_reaper_new(struct io_loop *l,
	void (*cb)(void *arg, pid_t pid, int status), void *arg)
{
	struct io_reaper *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->cb = cb;
	r->arg = arg;
	r->sig = io_signal_new(l, SIGCHLD, reap, r);
	if (!r->sig) {
		free(r);
		errno = ENOMEM;
		return NULL;
	}
	return r;
}

void io_reaper_free(struct io_reaper *r)
{
	if (!r)
		return;
	io_signal_free(r->sig);
	free(r);
}

void io_std_fds(void)
{
	int fd;

	/* The lowest free number is taken, so each pass fills one hole. */
	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= 2);
	if (fd > 2)
		close(fd);
}

void io_ready(int fd)
{
	if (fd < 0)
		return;
	while (write(fd, "\n", 1) < 0 && errno == EINTR)
		;
	close(fd);
}

/* Lives as long as the loop. */
struct hangup {
	struct io_signal *sig;
	bool tty;
	void (*again)(void *arg);
	void *arg;
};

static void hangup_cb(void *arg, int signo)
{
	const struct hangup *h = arg;
	struct pollfd p = {.fd = 2};

	(void)signo;
	if (h->tty && poll(&p, 1, 0) > 0 && p.revents & POLLHUP)
		kill(getpid(), SIGTERM);
	else
		h->again(h->arg);
}

static void hangup_free(void *arg)
{
	struct hangup *h = arg;

	io_signal_free(h->sig);
	free(h);
}

int io_again_on_hangup(struct io_loop *l, void (*again)(void *arg), void *arg)
{
	struct hangup *h = calloc(1, sizeof(*h));

	if (!h)
		return -ENOMEM;
	*h = (struct hangup){.tty = isatty(2), .again = again, .arg = arg};
	if (io_loop_at_free(l, hangup_free, h) < 0) {
		free(h);
		return -ENOMEM;
	}
	h->sig = io_signal_new(l, SIGHUP, hangup_cb, h);
	return h->sig ? 0 : -ENOMEM;
}

/* Lives as long as the loop: a tool has one end. */
struct stopper {
	struct io_loop *loop;
	struct io_signal *term, *intr;
	struct io_watch *lifeline;
	struct io_timer *limit;
	uint64_t drain_ms;
	void (*drain)(void *arg);
	void *arg;
	bool stopping;
};

static void stop_now(void *arg)
{
	struct stopper *s = arg;

	io_loop_stop(s->loop, 0);
}

static void begin_stop(struct stopper *s)
{
	if (s->stopping)
		return;
	s->stopping = true;
	if (!s->drain) {
		stop_now(s);
		return;
	}
	io_timer_in(s->limit, s->drain_ms);
	s->drain(s->arg);
}

static void stop_signal(void *arg, int signo)
{
	(void)signo;
	begin_stop(arg);
}

static void lifeline_cb(void *arg, int fd, unsigned events)
{
	struct stopper *s = arg;
	char byte;
	ssize_t n = read(fd, &byte, 1);

	(void)events;
	if (n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR)))
		return;
	io_watch_set(s->lifeline, 0);
	begin_stop(s);
}

static void stopper_free(void *arg)
{
	struct stopper *s = arg;

	io_watch_free(s->lifeline);
	io_signal_free(s->term);
	io_signal_free(s->intr);
	io_timer_free(s->limit);
	free(s);
}

int io_stop_on_signals(struct io_loop *l, int lifeline, uint64_t drain_ms,
	void (*drain)(void *arg), void *arg)
{
	struct stopper *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	*s = (struct stopper){.loop = l, .drain_ms = drain_ms, .drain = drain,
		.arg = arg};
	if (io_loop_at_free(l, stopper_free, s) < 0) {
		free(s);
		return -ENOMEM;
	}
	s->limit = io_timer_new(l, stop_now, s);
	s->term = io_signal_new(l, SIGTERM, stop_signal, s);
	s->intr = io_signal_new(l, SIGINT, stop_signal, s);
	if (!s->limit || !s->term || !s->intr)
		return -ENOMEM;
	if (lifeline < 0)
		return 0;
	io_nonblock(lifeline);
	s->lifeline = io_watch_new(l, lifeline, IO_READ, lifeline_cb, s);
	return s->lifeline ? 0 : -ENOMEM;
}
