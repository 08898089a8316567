/* Buffered bytes over non-blocking descriptors. */
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base.h"
#include "io.h"

#define FINISH_MS 1000
#define MEM_MAJOR 1 /* of /dev/null, /dev/zero and such */

struct io_stream {
	struct io_loop *loop;
	int fd_in, fd_out;
	size_t max_in, max_out;
	struct io_stream_events ev;
	void *arg;
	struct io_watch *rd, *wr; /* rd == wr when the descriptors are equal */
	struct io_timer *linger;
	struct buf in, out;
	size_t sent;   /* of out.data, already written */
	bool closed, finishing, paused, always_ready;
	int broken;    /* what a write in io_stream_send failed with */
	bool *freed; /* set where a callback may free us */
};

static void update_watches(struct io_stream *s)
{
	unsigned in = s->closed || s->paused || s->finishing ? 0 : IO_READ;
	unsigned out = s->out.len > s->sent && !s->closed ? IO_WRITE : 0;

	if (s->rd == s->wr) {
		if (s->rd)
			io_watch_set(s->rd, in | out);
		return;
	}
	if (s->rd)
		io_watch_set(s->rd, in);
	if (s->wr)
		io_watch_set(s->wr, out);
}

static void close_with(struct io_stream *s, int err)
{
	if (s->closed)
		return;
	s->closed = true;
	update_watches(s);
	if (s->finishing)
		io_stream_free(s);
	else
		s->ev.on_close(s->arg, err);
}

/* Writes what it can. 0, or the errno that closes the stream. */
static int flush(struct io_stream *s)
{
	while (s->sent < s->out.len) {
		ssize_t n = write(s->fd_out, s->out.data + s->sent,
			s->out.len - s->sent);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			break;
		if (n < 0)
			return -errno;
		s->sent += (size_t)n;
	}
	if (s->sent == s->out.len) {
		buf_clear(&s->out);
		s->sent = 0;
	} else if (s->sent > s->out.len / 2) {
		buf_consume(&s->out, s->sent);
		s->sent = 0;
	}
	return 0;
}

static void writable(struct io_stream *s)
{
	bool had = s->out.len > 0;
	int err = flush(s);

	if (err) {
		close_with(s, err);
		return;
	}
	update_watches(s);
	if (s->out.len || !had)
		return;
	if (s->finishing)
		io_stream_free(s);
	else if (s->ev.on_drained)
		s->ev.on_drained(s->arg);
}

/* Shows the consumer what waits; false when it freed the stream. */
static bool deliver(struct io_stream *s)
{
	bool freed = false;
	size_t took;

	while (s->in.len && !s->closed && !s->paused && !s->finishing) {
		s->freed = &freed;
		took = s->ev.on_data(s->arg, s->in.data, s->in.len);
		if (freed)
			return false;
		s->freed = NULL;
		if (!took)
			break;
		buf_consume(&s->in, took);
	}
	return true;
}

static void readable(struct io_stream *s)
{
	ssize_t n;

	if (buf_reserve(&s->in, 16384)) {
		close_with(s, -ENOMEM);
		return;
	}
	n = read(s->fd_in, s->in.data + s->in.len, 16384);
	if (n < 0) {
		if (errno != EINTR && errno != EAGAIN)
			close_with(s, -errno);
		return;
	}
	if (n == 0) {
		close_with(s, 0);
		return;
	}
	s->in.len += (size_t)n;
	if (deliver(s) && s->in.len > s->max_in && !s->paused)
		close_with(s, -EMSGSIZE);
}

static void ready_cb(void *arg, int fd, unsigned events)
{
	struct io_stream *s = arg;
	bool freed = false;

	if (events & IO_WRITE && fd == s->fd_out) {
		s->freed = &freed;
		writable(s);
		if (freed)
			return;
		s->freed = NULL;
	}
	if (events & IO_READ && fd == s->fd_in && !s->closed)
		readable(s);
}

/* Files are always ready and no business of epoll; see is_file. */
static void poll_file(void *arg)
{
	struct io_stream *s = arg;

	if (s->closed || s->paused || s->finishing)
		return;
	if (io_defer(s->loop, poll_file, s) == 0)
		readable(s);
}

/* What epoll refuses: regular files, and the likes of /dev/null. */
static bool is_file(int fd)
{
	struct stat st;

	if (fstat(fd, &st))
		return false;
	return S_ISREG(st.st_mode) ||
		(S_ISCHR(st.st_mode) && major(st.st_rdev) == MEM_MAJOR);
}

struct io_stream *io_stream_new(struct io_loop *l, int fd_in, int fd_out,
	size_t max_in, size_t max_out, const struct io_stream_events *ev,
	void *arg)
{
	struct io_stream *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	*s = (struct io_stream){.loop = l, .fd_in = fd_in, .fd_out = fd_out,
		.max_in = max_in, .max_out = max_out, .ev = *ev, .arg = arg};
	io_nonblock(fd_in);
	io_nonblock(fd_out);
	s->always_ready = is_file(fd_in);
	if (s->always_ready) {
		io_defer(l, poll_file, s);
	} else {
		s->rd = io_watch_new(l, fd_in, 0, ready_cb, s);
		if (!s->rd)
			goto fail;
	}
	if (fd_in == fd_out) {
		s->wr = s->rd;
	} else if (!is_file(fd_out)) {
		s->wr = io_watch_new(l, fd_out, 0, ready_cb, s);
		if (!s->wr)
			goto fail;
	}
	update_watches(s);
	return s;
fail:
	io_undefer(l, poll_file, s);
	io_watch_free(s->rd);
	free(s);
	errno = ENOMEM;
	return NULL;
}

static void hang_up(void *arg)
{
	struct io_stream *s = arg;

	close_with(s, s->broken);
}

int io_stream_send(struct io_stream *s, const void *p, size_t n)
{
	if (s->closed || s->finishing || s->broken)
		return -EPIPE;
	if (n > s->max_out || s->out.len - s->sent > s->max_out - n)
		return -ENOBUFS;
	buf_put(&s->out, p, n);
	if (s->out.err) {
		s->out.err = 0;
		return -ENOMEM;
	}
	/* The close is told between passes, never inside a send. */
	s->broken = flush(s);
	if (s->broken) {
		s->sent = s->out.len = 0;
		io_defer(s->loop, hang_up, s);
		return -EPIPE;
	}
	update_watches(s);
	return 0;
}

size_t io_stream_queued(const struct io_stream *s)
{
	return s->out.len - s->sent;
}

static void resume(void *arg)
{
	struct io_stream *s = arg;

	if (deliver(s) && !s->closed && s->in.len > s->max_in && !s->paused)
		close_with(s, -EMSGSIZE);
}

void io_stream_pause(struct io_stream *s, int paused)
{
	if (s->paused == !!paused)
		return;
	s->paused = paused;
	update_watches(s);
	if (paused)
		return;
	if (s->always_ready)
		io_defer(s->loop, poll_file, s);
	if (s->in.len)
		io_defer(s->loop, resume, s);
}

void io_stream_first(struct io_stream *s)
{
	if (s->rd)
		io_watch_first(s->rd);
}

static void linger_cb(void *arg)
{
	io_stream_free(arg);
}

void io_stream_finish(struct io_stream *s)
{
	if (!s)
		return;
	if (s->closed || s->out.len == s->sent) {
		io_stream_free(s);
		return;
	}
	s->finishing = true;
	s->linger = io_timer_new(s->loop, linger_cb, s);
	if (!s->linger) {
		io_stream_free(s);
		return;
	}
	io_timer_in(s->linger, FINISH_MS);
	update_watches(s);
}

void io_stream_free(struct io_stream *s)
{
	if (!s)
		return;
	if (s->freed)
		*s->freed = true;
	io_undefer(s->loop, poll_file, s);
	io_undefer(s->loop, resume, s);
	io_undefer(s->loop, hang_up, s);
	io_timer_free(s->linger);
	io_watch_free(s->rd);
	if (s->wr != s->rd)
		io_watch_free(s->wr);
	close(s->fd_in);
	if (s->fd_out != s->fd_in)
		close(s->fd_out);
	buf_free(&s->in);
	buf_free(&s->out);
	free(s);
}
