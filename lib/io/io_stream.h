/* io_stream - bytes in and out of a socket, pipe or pair of pipes, without
 * blocking, with a bounded output queue.
 *
 * on_data lends what has arrived and is not consumed yet and returns how
 * many bytes it took; what is left is shown again with the next arrival. A
 * peer that makes more than max_in bytes wait unconsumed is closed with
 * -EMSGSIZE. on_close comes once, with 0 for end of input or a -errno, and
 * the stream must be freed there or later (never used for sending again).
 */
#ifndef IO_STREAM_H
#define IO_STREAM_H

#include <stddef.h>
#include <stdint.h>
#include "io_loop.h"

struct io_stream;

struct io_stream_events {
	size_t (*on_data)(void *arg, const uint8_t *p, size_t n);
	void (*on_close)(void *arg, int err);
	void (*on_drained)(void *arg); /* output queue became empty; or NULL */
};

/* fd_in and fd_out may be equal; both become non-blocking and are owned. */
struct io_stream *io_stream_new(struct io_loop *l, int fd_in, int fd_out,
	size_t max_in, size_t max_out, const struct io_stream_events *ev,
	void *arg);
/* Queues a copy and sends what it can. -ENOBUFS when more than max_out
 * would wait: nothing of p was queued. -EPIPE after the close. */
int io_stream_send(struct io_stream *s, const void *p, size_t n);
size_t io_stream_queued(const struct io_stream *s);
/* Stops and resumes reading (for back-pressure). */
void io_stream_pause(struct io_stream *s, int paused);
/* What comes on it is read before anything else that comes. */
void io_stream_first(struct io_stream *s);
/* Frees after the queue has gone out or 1 s; no callback comes any more. */
void io_stream_finish(struct io_stream *s);
void io_stream_free(struct io_stream *s);

#endif
