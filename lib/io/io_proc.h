/* io_proc - children and readiness. */
#ifndef IO_PROC_H
#define IO_PROC_H

#include <stddef.h>
#include <sys/types.h>
#include "io_loop.h"

struct io_spawn_fd {
	int from; /* ours; borrowed */
	int to;   /* number in the child */
};

/* Runs argv (found by path search if argv[0] has no slash) with environment
 * env (NULL: ours) and exactly fds, plus 0, 1, 2 where fds does not name
 * them, in a process group of its own. Signals are reset. Returns the pid or
 * -errno, the error of exec included. */
pid_t io_spawn(const char *const argv[], const char *const env[],
	const struct io_spawn_fd *fds, size_t n_fds);

/* Calls cb with the wait status for each child that ended. One per loop. */
struct io_reaper;
struct io_reaper *io_reaper_new(struct io_loop *l,
	void (*cb)(void *arg, pid_t pid, int status), void *arg);
void io_reaper_free(struct io_reaper *r);

/* First in main: opens /dev/null on those of 0, 1 and 2 that are closed, so
 * that no later descriptor is taken for one of them. */
void io_std_fds(void);

/* Writes one newline to fd and closes it; fd < 0 does nothing. */
void io_ready(int fd);
/* Stops the loop with code 0 at SIGTERM or SIGINT, and, if lifeline >= 0,
 * when that descriptor reaches end of file, after calling drain(arg) if that
 * is not NULL; the loop then goes on at most drain_ms or until
 * io_loop_stop. */
int io_stop_on_signals(struct io_loop *l, int lifeline, uint64_t drain_ms,
	void (*drain)(void *arg), void *arg);

/* Calls again(arg) at SIGHUP, but for one that comes because the terminal at
 * our descriptor 2 has hung up: that is a SIGTERM. After
 * io_stop_on_signals. */
int io_again_on_hangup(struct io_loop *l, void (*again)(void *arg),
	void *arg);

#endif
