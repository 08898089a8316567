/* sim_loop - several io_loops in one process, each standing for a process of
 * its own, under a clock that moves only when all of them wait: a run takes
 * no time, and is the same each time.
 *
 * What io and libevent ask the kernel for is answered here: the clock, the
 * wait for descriptors (which never waits, but ends the pass of a loop with
 * nothing to do), and no timerfd.
 */
#ifndef SIM_LOOP_H
#define SIM_LOOP_H

#include <sys/epoll.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "base.h"
#include "io.h"

#define SIM_START_NS (UINT64_C(1000) * NS_PER_S)
#define SIM_WALL_S   1800000000 /* that the clock of the wall begins with */

struct sim_node {
	struct io_loop *loop; /* NULL: not running */
	bool stopped;
	uint64_t wake_ns;
};

static uint64_t sim_ns = SIM_START_NS;
static struct sim_node *sim_running;
static bool sim_busy; /* a loop had something to do */

int clock_gettime(clockid_t id, struct timespec *ts)
{
	bool wall = id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE;

	if (!wall && id != CLOCK_MONOTONIC && id != CLOCK_MONOTONIC_COARSE &&
		id != CLOCK_MONOTONIC_RAW && id != CLOCK_BOOTTIME)
		return (int)syscall(SYS_clock_gettime, id, ts);
	ts->tv_sec = (time_t)(sim_ns / NS_PER_S) + (wall ? SIM_WALL_S : 0);
	ts->tv_nsec = (long)(sim_ns % NS_PER_S);
	return 0;
}

int timerfd_create(int clock, int flags)
{
	(void)clock;
	(void)flags;
	errno = ENOSYS;
	return -1;
}

int epoll_wait(int fd, struct epoll_event *events, int max, int timeout_ms)
{
	int n = (int)syscall(SYS_epoll_pwait, fd, events, max, 0, NULL, 0);

	if (n != 0 || timeout_ms == 0) {
		sim_busy = true;
	} else if (sim_running) {
		sim_running->wake_ns = timeout_ms < 0 ? UINT64_MAX :
			sim_ns + (uint64_t)timeout_ms * NS_PER_MS;
		io_loop_stop(sim_running->loop, 0);
	}
	return n;
}

/* Until it has nothing more to do now. */
static inline void sim_run(struct sim_node *n)
{
	if (!n->loop || n->stopped)
		return;
	sim_running = n;
	io_loop_run(n->loop);
	sim_running = NULL;
}

/* When it wants to be run again. */
static inline uint64_t sim_wake(const struct sim_node *n)
{
	return n->loop && !n->stopped ? n->wake_ns : UINT64_MAX;
}

#endif
