/* bus_link_priv - one end of a connection: its socket, what waits to go out
 * by it, and how long what went out has been unread.
 *
 * Ownership: a link is part of its owner and owns the descriptor. on_closed
 * comes at most once, from the loop, and bus_link_shut must follow there or
 * later; it is legal in every callback.
 */
#ifndef BUS_LINK_PRIV_H
#define BUS_LINK_PRIV_H

#include "bus_msg_priv.h"
#include "bus_queue_priv.h"
#include "io.h"

#define LEDGER_SLOTS 32

/* What the socket was given, in steps of time, to tell from the bytes that
 * it still holds (SIOCOUTQ) since when the oldest has been unread. */
struct bus_ledger {
	uint64_t given; /* bytes in all, as the kernel counts them */
	uint64_t last_ns;
	struct bus_ledger_slot {
		uint64_t from_ns;
		uint64_t upto; /* .given behind the last of it */
	} slots[LEDGER_SLOTS];
	unsigned first, n;
};

/* All of on_say and on_packet return 0, or what closes the link: an error
 * other than -ENOMEM is counted as malformed. */
struct bus_link_events {
	int (*on_say)(void *arg, const struct bus_msg *m);
	/* Of a track that bus_link_take was told of. */
	void (*on_packet)(void *arg, unsigned track,
		const struct bus_packet *p);
	/* The queue dropped: a track of ours needs a key frame. */
	void (*on_keyframe)(void *arg, unsigned track);
	void (*on_closed)(void *arg, int err);
};

/* What is done with packets that come on a track number. */
enum bus_in { BUS_IN_NONE, BUS_IN_OPUS, BUS_IN_VP8, BUS_IN_IGNORED };

struct bus_link {
	struct io_loop *loop;
	int fd;
	const struct bus_link_events *ev;
	void *arg;
	struct bus_stats *stats; /* lent; counted into */
	uint8_t *scratch;        /* lent: BUS_MAX_JSON + 1 bytes */
	struct io_watch *watch;
	struct io_timer *tick;
	uint64_t tick_ns; /* when it is due; UINT64_MAX: not armed */
	bool *freed;      /* set where a callback may shut us */
	bool closed, paused, writing;
	int broken; /* what a write failed with; told from the loop */
	uint64_t limit_ns;
	struct bus_queue queue;
	struct bus_ledger ledger;
	uint8_t *in; /* enum bus_in, by track number */
	size_t n_in;
};

/* Zeroed but for stats and scratch. Owns fd in any case. -ENOMEM. */
int bus_link_open(struct bus_link *l, struct io_loop *loop, int fd,
	const struct bus_link_events *ev, void *arg);
/* Idempotent. */
void bus_link_shut(struct bus_link *l);
void bus_link_pause(struct bus_link *l, bool paused);
void bus_link_limit(struct bus_link *l, unsigned ms);

/* Steals json, which may be NULL (-ENOMEM). last: f ends with it. What
 * cannot be told for lack of memory breaks the link. */
int bus_link_json(struct bus_link *l, struct bus_flow *f, bool last,
	json_t *json);
/* Past the queue, as the last thing before it is shut. Steals json. */
void bus_link_last_word(struct bus_link *l, json_t *json);
int bus_link_send(struct bus_link *l, unsigned track, struct bus_packet *p);

/* Tracks of ours: opens one with the lowest free number and says so; ends
 * one. open fills t->track, and steals nothing. say makes the message. */
int bus_link_open_track(struct bus_link *l, struct bus_track *t,
	json_t *(*say)(const struct bus_track *t));
void bus_link_end_track(struct bus_link *l, unsigned track);

/* Tracks of the other end. */
enum bus_in bus_link_in(const struct bus_link *l, unsigned track);
int bus_link_take(struct bus_link *l, unsigned track, enum bus_in in);

/* bus_link_in.c, for bus_link.c. */
void bus_link_close_with(struct bus_link *l, int err);
/* Reads up to max messages. False when the link is gone, or closed. */
bool bus_link_receive(struct bus_link *l, unsigned max);
void bus_link_watch(struct bus_link *l);

#endif
