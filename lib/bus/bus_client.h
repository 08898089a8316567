/* bus_client - a program's end of the bus.
 *
 * Limits, errors and callbacks as in bus.h. What is given to a callback is
 * lent for its duration. Callbacks may be NULL.
 */
#ifndef BUS_CLIENT_H
#define BUS_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct io_loop;
struct bus_client;
struct bus_track;
struct bus_packet;
struct bus_want;
struct bus_stats;

struct bus_client_events {
	void (*on_welcome)(void *arg, const char *room, const char *endpoint);
	/* on_close follows. */
	void (*on_refused)(void *arg, const char *kind, const char *message);
	void (*on_track)(void *arg, const struct bus_track *t);
	void (*on_end)(void *arg, unsigned track);
	void (*on_packet)(void *arg, unsigned track,
		const struct bus_packet *k);
	/* Before the track's next packet, or a little later if none comes. */
	void (*on_dropped)(void *arg, unsigned track, unsigned frames,
		unsigned packets);
	/* Of a track of ours: wanted by a reader, or because our queue
	 * dropped; and refused, after which it is ended. */
	void (*on_keyframe)(void *arg, unsigned track);
	void (*on_track_refused)(void *arg, unsigned track, const char *kind,
		const char *message);
	/* The last one; the client is to be freed here or later. 0: the other
	 * end closed; -EPROTO it spoke badly; or what the socket says. */
	void (*on_close)(void *arg, int err);
};

struct bus_client_config {
	struct io_loop *loop; /* lent, and must outlive the client */
	const char *path;
	/* Either a ticket, or room and endpoint with what else there is. */
	const char *ticket;
	const char *room;
	const char *endpoint;
	const char *const *publish;
	size_t n_publish;
	bool receive;
	const struct bus_client_events *events; /* lent for life */
	void *arg;
};

/* Connects and says hello. NULL with errno: of connect(2), EINVAL for a
 * hello that cannot be said. */
struct bus_client *bus_client_new(const struct bus_client_config *c);
void bus_client_free(struct bus_client *c);
const struct bus_stats *bus_client_stats(const struct bus_client *c);

/* ---- reading ---- */

/* Stops and resumes reading: what waits longer than the queue's limit is
 * then dropped at the other end. */
void bus_client_pause(struct bus_client *c, bool paused);
/* For all of the other end's tracks: BUS_QUEUE_MS_MIN to _MAX. */
int bus_client_queue_ms(struct bus_client *c, unsigned ms);
int bus_client_ask_keyframe(struct bus_client *c, unsigned track);
/* At most BUS_MAX_LOST. What can be had comes with BUS_RESENT set. */
int bus_client_ask_lost(struct bus_client *c, unsigned track,
	const uint16_t *seqs, size_t n);
/* The complete list; at most BUS_MAX_WANTS. */
int bus_client_want(struct bus_client *c, const struct bus_want *w, size_t n);

/* ---- writing ---- */

/* Returns the number of a new track, before the welcome too. -ENOSPC,
 * -EINVAL, -EPIPE, -ENOMEM. */
int bus_client_publish(struct bus_client *c, const char *source,
	enum bus_codec codec);
void bus_client_unpublish(struct bus_client *c, unsigned track);
/* As bus_peer_send. */
int bus_client_send(struct bus_client *c, unsigned track,
	struct bus_packet *k);
/* Bytes and messages that wait to be sent. */
size_t bus_client_queued(const struct bus_client *c);

#endif
