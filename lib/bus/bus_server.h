/* bus_server - the relay's end of the bus: listens, lets programs in by
 * their first message, and sends and receives packets of tracks.
 *
 * A peer reads, writes or both. Limits, errors and callbacks as in bus.h.
 * Ownership: a peer is the server's, valid until its on_close has returned
 * or bus_peer_close was called; user pointers are the caller's; what is
 * given to a callback is lent for its duration.
 */
#ifndef BUS_SERVER_H
#define BUS_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct io_loop;
struct bus_server;
struct bus_peer;
struct bus_track;
struct bus_packet;
struct bus_want;
struct bus_stats;

#define BUS_MAX_PEERS 256u
#define BUS_HELLO_MS  5000u /* for the first message */

/* What a peer wants to be: by ticket, or (then ticket is NULL) by itself,
 * which the callback had better refuse unless told otherwise. */
struct bus_hello {
	const char *ticket;
	const char *room;
	const char *endpoint;
	const char *const *publish; /* sources */
	size_t n_publish;
	bool receive;
	pid_t pid; /* of the process that connected */
	uid_t uid;
	gid_t gid;
};

/* The answer. What on_hello leaves NULL is "denied" and "refused". */
struct bus_answer {
	const char *room; /* of a welcome; copied */
	const char *endpoint;
	void *user;
	const char *kind; /* of a refusal, as in conf-ctl(7) */
	const char *message;
};

struct bus_server_events {
	/* 0: is welcome, with room and endpoint told; else refused. */
	int (*on_hello)(void *arg, struct bus_peer *p,
		const struct bus_hello *h, struct bus_answer *out);
	/* Right after the welcome was sent: the place to announce tracks. */
	void (*on_ready)(void *arg, struct bus_peer *p);
	/* It will send this (endpoint is its own, ssrc not known: 0). Nonzero
	 * refuses the track, with out->kind and out->message. */
	int (*on_publish)(void *arg, struct bus_peer *p,
		const struct bus_track *t, struct bus_answer *out);
	void (*on_unpublish)(void *arg, struct bus_peer *p, unsigned track);
	/* Of a track that on_publish took; key is known. */
	void (*on_packet)(void *arg, struct bus_peer *p, unsigned track,
		const struct bus_packet *k);
	/* A track of ours needs a key frame: the peer asks, or its queue
	 * dropped (again each second). Not throttled. */
	void (*on_keyframe)(void *arg, struct bus_peer *p, unsigned track);
	/* It missed these of a track of ours. */
	void (*on_lost)(void *arg, struct bus_peer *p, unsigned track,
		const uint16_t *seqs, size_t n);
	void (*on_want)(void *arg, struct bus_peer *p,
		const struct bus_want *w, size_t n);
	/* It is gone: 0 it left, -EPROTO it spoke badly, -ETIMEDOUT it never
	 * spoke, or what the socket says. Only of a peer that was welcome. */
	void (*on_close)(void *arg, struct bus_peer *p, int err);
};

struct bus_server_config {
	struct io_loop *loop; /* lent, and must outlive the server */
	const char *path;
	mode_t mode;
	gid_t gid; /* (gid_t)-1: leave it */
	const struct bus_server_events *events; /* lent for life; none NULL */
	void *arg;
	/* 0 takes BUS_MAX_PEERS, BUS_HELLO_MS, BUS_QUEUE_BYTES and
	 * BUS_QUEUE_COUNT. */
	unsigned max_peers;
	unsigned hello_ms;
	size_t queue_bytes; /* of one peer */
	size_t queue_count;
};

/* Listens, as io_seqpacket_listen does. NULL with errno. */
struct bus_server *bus_server_new(const struct bus_server_config *c);
/* Closes all peers without a callback, and removes the socket. */
void bus_server_free(struct bus_server *s);
const struct bus_stats *bus_server_stats(const struct bus_server *s);
unsigned bus_server_peers(const struct bus_server *s); /* connected now */

void *bus_peer_user(const struct bus_peer *p);
const char *bus_peer_room(const struct bus_peer *p);
const char *bus_peer_endpoint(const struct bus_peer *p);
/* Says why (unless kind is NULL) and closes; no callback comes. */
void bus_peer_close(struct bus_peer *p, const char *kind,
	const char *message);

/* Announces a track (t->track is not looked at). Returns its number, or
 * -ENOSPC no number is free, -EINVAL a word that is none, -EPIPE, -ENOMEM. */
int bus_peer_open_track(struct bus_peer *p, const struct bus_track *t);
/* Its end, behind what is queued. */
void bus_peer_end_track(struct bus_peer *p, unsigned track);
/* What waits of it must not go out any more: it is dropped, and counted to
 * the peer, who would have it if he had read in time. */
void bus_peer_purge_track(struct bus_peer *p, unsigned track);
/* Sends a packet of a track, or queues it, or drops it (-EAGAIN). -ENOENT no
 * such track; -EPIPE it is gone, on_close is to come. The same packet may be
 * given to any number of peers. */
int bus_peer_send(struct bus_peer *p, unsigned track, struct bus_packet *k);
/* Of a track of the peer's: it is to send a key frame. */
void bus_peer_ask_keyframe(struct bus_peer *p, unsigned track);
/* Takes no more of it; packets under way are dropped, on_unpublish does not
 * come. */
void bus_peer_refuse_track(struct bus_peer *p, unsigned track,
	const char *kind, const char *message);

#endif
