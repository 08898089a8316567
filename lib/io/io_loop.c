/* The event loop: libevent underneath, one pass at a time, with a list of
 * calls to make between passes. */
#include <event2/event.h>
#include <event2/util.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "base.h"
#include "io.h"

/* Of libevent: 0 is the highest, and half of them what it takes by itself. */
#define PRIORITIES 2
#define ORDINARY   1

struct deferred {
	struct list link;
	void (*cb)(void *arg);
	void *arg;
};

struct io_loop {
	struct event_base *base;
	struct list deferred;
	struct list spare; /* of deferred: what ran is used again */
	struct list at_free;
	bool stop;
	int code;
};

struct io_timer {
	struct event *ev;
	void (*cb)(void *arg);
	void *arg;
};

struct io_watch {
	struct event *ev;
	unsigned events;
	int priority;
	int fd;
	struct event_base *base;
	void (*cb)(void *arg, int fd, unsigned events);
	void *arg;
};

struct io_signal {
	struct event *ev;
	void (*cb)(void *arg, int signo);
	void *arg;
};

struct io_loop *io_loop_new(void)
{
	struct io_loop *l = calloc(1, sizeof(*l));
	struct event_config *cfg = event_config_new();

	if (!l || !cfg)
		goto fail;
	event_config_set_flag(cfg, EVENT_BASE_FLAG_PRECISE_TIMER);
	l->base = event_base_new_with_config(cfg);
	if (!l->base || event_base_priority_init(l->base, PRIORITIES))
		goto fail;
	event_config_free(cfg);
	list_init(&l->deferred);
	list_init(&l->spare);
	list_init(&l->at_free);
	return l;
fail:
	if (cfg)
		event_config_free(cfg);
	if (l && l->base)
		event_base_free(l->base);
	free(l);
	errno = ENOMEM;
	return NULL;
}

void io_loop_free(struct io_loop *l)
{
	if (!l)
		return;
	list_each(at, next, &l->at_free) {
		struct deferred *d = list_entry(at, struct deferred, link);

		d->cb(d->arg);
		free(d);
	}
	list_each(at, next, &l->deferred)
		free(list_entry(at, struct deferred, link));
	list_each(at, next, &l->spare)
		free(list_entry(at, struct deferred, link));
	event_base_free(l->base);
	free(l);
}

/* What a deferred call defers runs after the next pass, so that two that
 * defer each other cannot starve the descriptors. */
static void run_deferred(struct io_loop *l)
{
	struct list now;

	if (list_empty(&l->deferred))
		return;
	list_init(&now);
	while (!list_empty(&l->deferred)) {
		struct list *first = l->deferred.next;

		list_remove(first);
		list_append(&now, first);
	}
	while (!list_empty(&now)) {
		struct deferred *d =
			list_entry(now.next, struct deferred, link);
		void (*cb)(void *) = d->cb;
		void *arg = d->arg;

		list_remove(&d->link);
		list_append(&l->spare, &d->link);
		if (cb)
			cb(arg);
	}
}

int io_loop_run(struct io_loop *l)
{
	while (!l->stop) {
		int flags = EVLOOP_ONCE;

		if (!list_empty(&l->deferred))
			flags |= EVLOOP_NONBLOCK;
		if (event_base_loop(l->base, flags) < 0)
			return -1;
		run_deferred(l);
	}
	l->stop = false;
	return l->code;
}

void io_loop_stop(struct io_loop *l, int code)
{
	l->stop = true;
	l->code = code;
	event_base_loopbreak(l->base);
}

struct event_base *io_loop_base(struct io_loop *l)
{
	return l->base;
}

uint64_t io_now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

uint64_t io_boot_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

uint64_t io_wall_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / NS_PER_MS;
}

void io_random(void *p, size_t n)
{
	uint8_t *b = p;

	while (n) {
		ssize_t got = getrandom(b, MIN(n, (size_t)256), 0);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			abort();
		b += got;
		n -= (size_t)got;
	}
}

static struct deferred *find_deferred(struct io_loop *l, void (*cb)(void *),
	void *arg)
{
	list_each(at, next, &l->deferred) {
		struct deferred *d = list_entry(at, struct deferred, link);

		if (d->cb == cb && d->arg == arg)
			return d;
	}
	return NULL;
}

int io_defer(struct io_loop *l, void (*cb)(void *arg), void *arg)
{
	struct deferred *d;

	if (find_deferred(l, cb, arg))
		return 0;
	if (list_empty(&l->spare)) {
		d = calloc(1, sizeof(*d));
		if (!d)
			return -ENOMEM;
		list_init(&d->link);
	} else {
		d = list_entry(l->spare.next, struct deferred, link);
	}
	list_remove(&d->link);
	d->cb = cb;
	d->arg = arg;
	list_append(&l->deferred, &d->link);
	return 0;
}

void io_undefer(struct io_loop *l, void (*cb)(void *arg), void *arg)
{
	struct deferred *d = find_deferred(l, cb, arg);

	if (!d)
		return;
	list_remove(&d->link);
	list_append(&l->spare, &d->link);
}

int io_loop_at_free(struct io_loop *l, void (*cb)(void *arg), void *arg)
{
	struct deferred *d = calloc(1, sizeof(*d));

	if (!d)
		return -ENOMEM;
	d->cb = cb;
	d->arg = arg;
	list_append(&l->at_free, &d->link);
	return 0;
}

static void timer_cb(evutil_socket_t fd, short what, void *arg)
{
	struct io_timer *t = arg;

	(void)fd;
	(void)what;
	t->cb(t->arg);
}

struct io_timer *io_timer_new(struct io_loop *l, void (*cb)(void *arg),
	void *arg)
{
	struct io_timer *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->cb = cb;
	t->arg = arg;
	t->ev = event_new(l->base, -1, 0, timer_cb, t);
	if (!t->ev) {
		free(t);
		errno = ENOMEM;
		return NULL;
	}
	return t;
}

void io_timer_at(struct io_timer *t, uint64_t at_ns)
{
	uint64_t now = io_now_ns();
	uint64_t in_us = at_ns > now ? (at_ns - now + 999) / 1000 : 0;
	struct timeval tv = {.tv_sec = (time_t)(in_us / 1000000),
		.tv_usec = (suseconds_t)(in_us % 1000000)};

	event_add(t->ev, &tv);
}

void io_timer_in(struct io_timer *t, uint64_t in_ms)
{
	io_timer_at(t, io_now_ns() + in_ms * NS_PER_MS);
}

void io_timer_stop(struct io_timer *t)
{
	event_del(t->ev);
}

void io_timer_free(struct io_timer *t)
{
	if (!t)
		return;
	event_free(t->ev);
	free(t);
}

static void watch_cb(evutil_socket_t fd, short what, void *arg)
{
	struct io_watch *w = arg;
	unsigned events = (what & EV_READ ? IO_READ : 0) |
		(what & EV_WRITE ? IO_WRITE : 0);

	w->cb(w->arg, fd, events);
}

struct io_watch *io_watch_new(struct io_loop *l, int fd, unsigned events,
	void (*cb)(void *arg, int fd, unsigned events), void *arg)
{
	struct io_watch *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	*w = (struct io_watch){.fd = fd, .base = l->base, .cb = cb,
		.arg = arg, .priority = ORDINARY};
	w->ev = event_new(l->base, fd, EV_PERSIST, watch_cb, w);
	if (!w->ev) {
		free(w);
		errno = ENOMEM;
		return NULL;
	}
	io_watch_set(w, events);
	return w;
}

void io_watch_set(struct io_watch *w, unsigned events)
{
	short what = (short)(EV_PERSIST | (events & IO_READ ? EV_READ : 0) |
		(events & IO_WRITE ? EV_WRITE : 0));

	if (events == w->events)
		return;
	event_del(w->ev);
	w->events = events;
	if (!events)
		return;
	event_assign(w->ev, w->base, w->fd, what, watch_cb, w);
	event_priority_set(w->ev, w->priority);
	event_add(w->ev, NULL);
}

void io_watch_first(struct io_watch *w)
{
	unsigned events = w->events;

	io_watch_set(w, 0);
	w->priority = 0;
	io_watch_set(w, events);
}

void io_watch_free(struct io_watch *w)
{
	if (!w)
		return;
	event_free(w->ev);
	free(w);
}

static void signal_cb(evutil_socket_t signo, short what, void *arg)
{
	struct io_signal *s = arg;

	(void)what;
	s->cb(s->arg, (int)signo);
}

struct io_signal *io_signal_new(struct io_loop *l, int signo,
	void (*cb)(void *arg, int signo), void *arg)
{
	struct io_signal *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->cb = cb;
	s->arg = arg;
	s->ev = evsignal_new(l->base, signo, signal_cb, s);
	if (!s->ev || event_add(s->ev, NULL)) {
		io_signal_free(s);
		errno = ENOMEM;
		return NULL;
	}
	return s;
}

void io_signal_free(struct io_signal *s)
{
	if (!s)
		return;
	if (s->ev)
		event_free(s->ev);
	free(s);
}

void io_ignore_sigpipe(void)
{
	signal(SIGPIPE, SIG_IGN);
}

int io_nonblock(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
		return -errno;
	return 0;
}

int io_cloexec(int fd, bool on)
{
	return fcntl(fd, F_SETFD, on ? FD_CLOEXEC : 0) < 0 ? -errno : 0;
}
