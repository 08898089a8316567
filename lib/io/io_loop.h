/* io_loop - event loop, timers, watches, signals (over libevent). */
#ifndef IO_LOOP_H
#define IO_LOOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct event_base;
struct io_loop;
struct io_timer;
struct io_watch;
struct io_signal;

struct io_loop *io_loop_new(void);
void io_loop_free(struct io_loop *l);
/* Runs until io_loop_stop; returns the code given there. */
int io_loop_run(struct io_loop *l);
void io_loop_stop(struct io_loop *l, int code);
/* For modules that hand the base to libevent's own parts (web). Lent. */
struct event_base *io_loop_base(struct io_loop *l);

/* CLOCK_MONOTONIC, read anew at each call, in ns; wall clock in ms. */
uint64_t io_now_ns(void);
uint64_t io_wall_ms(void);
uint64_t io_boot_ns(void); /* as io_now_ns, and goes on in suspend */
/* Secrets and seeds from the kernel; never fails (aborts without one). */
void io_random(void *p, size_t n);

/* Calls cb once, after all callbacks of this loop iteration: the place to
 * commit or send what the iteration gathered. Deferring twice with the same
 * cb and arg before it ran is one call. Allocates only while more wait than
 * ever did. */
int io_defer(struct io_loop *l, void (*cb)(void *arg), void *arg);
void io_undefer(struct io_loop *l, void (*cb)(void *arg), void *arg);
/* Calls cb when the loop is freed: for what lives as long as the loop. */
int io_loop_at_free(struct io_loop *l, void (*cb)(void *arg), void *arg);

struct io_timer *io_timer_new(struct io_loop *l, void (*cb)(void *arg),
	void *arg);
void io_timer_at(struct io_timer *t, uint64_t at_ns); /* monotonic, once */
void io_timer_in(struct io_timer *t, uint64_t in_ms);
void io_timer_stop(struct io_timer *t);
void io_timer_free(struct io_timer *t);

#define IO_READ   1u
#define IO_WRITE  2u
/* Level-triggered. Borrows fd: freeing the watch leaves it open. */
struct io_watch *io_watch_new(struct io_loop *l, int fd, unsigned events,
	void (*cb)(void *arg, int fd, unsigned events), void *arg);
void io_watch_set(struct io_watch *w, unsigned events); /* 0 pauses */
/* From now on it comes before all others: as long as it has something to
 * say, they wait. Not from inside its own callback. */
void io_watch_first(struct io_watch *w);
void io_watch_free(struct io_watch *w);

struct io_signal *io_signal_new(struct io_loop *l, int signo,
	void (*cb)(void *arg, int signo), void *arg);
void io_signal_free(struct io_signal *s);
void io_ignore_sigpipe(void);

int io_nonblock(int fd);
int io_cloexec(int fd, bool on);

#endif
