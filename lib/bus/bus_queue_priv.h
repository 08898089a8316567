/* bus_queue_priv - what waits to be sent to one peer, and what of it is
 * dropped when the peer does not keep up.
 *
 * Entries leave in the order in which they came. Messages of JSON are never
 * dropped. Packets are dropped by frames, the oldest first, when they have
 * waited longer than age_ns or the queue is full; of a video track then all
 * up to the next key frame goes, and it wants one. A frame that was sent in
 * part stays, so that what arrives is whole; but not if more than max_frame
 * packets of it wait, since a frame that never ends would push out all else.
 *
 * Pure: now_ns in, decisions out. Only a packet that has to wait allocates.
 */
#ifndef BUS_QUEUE_PRIV_H
#define BUS_QUEUE_PRIV_H

#include "base.h"
#include "bus.h"

#define BUS_MAX_CONTROL (1u << 20) /* bytes of JSON that wait */
#define BUS_MAX_FRAME   1024u      /* packets of a frame that was begun */

/* A packet's or message's bytes, shared by all that it waits for. */
struct bus_body {
	unsigned refs;
	size_t len;
	uint8_t data[];
};

struct bus_body *bus_body_new(const void *p, size_t n);
void bus_body_done(struct bus_body *b);

/* The sending side of one track. */
struct bus_flow {
	struct list link; /* in queue->flows */
	struct list entries;
	uint16_t track;
	enum bus_codec codec;
	bool ending;   /* its end is queued: nothing more is taken */
	bool wait_key; /* of video: nothing but a key frame passes */
	bool has_floor;
	uint32_t floor_ts; /* frames before it are dropped */
	bool sent;
	bool open; /* the frame sent_ts was begun and has not ended */
	uint32_t sent_ts;
	size_t open_count; /* packets of it that wait */
	uint64_t asked_ns; /* when a key frame was asked for; 0: not yet */
	/* Dropped and not told yet. */
	bool counted;
	uint32_t counted_ts; /* of the frame that was counted last */
	unsigned frames, packets;
	uint64_t since_ns;
};

struct bus_entry {
	struct list all;   /* in queue->all */
	struct list media; /* in queue->media; of packets */
	struct list own;   /* in flow->entries; of packets */
	struct bus_flow *flow; /* NULL: a message about no track */
	enum bus_kind kind;
	uint32_t flags;
	uint64_t arrival_ns;
	uint64_t queued_ns;
	uint32_t ts;
	bool marker, key;
	bool framed; /* part of a frame: RTP that is no repetition */
	bool last;   /* the flow ends with this message */
	struct bus_body *body;
};

struct bus_queue {
	uint64_t age_ns;
	size_t max_bytes, max_count; /* of packets */
	size_t max_frame; /* packets */
	struct list all, media, flows;
	struct bus_flow **by_track;
	size_t n_by_track;
	size_t bytes, count, control_bytes;
	struct bus_stats *stats; /* lent: what is dropped is counted there */
};

void bus_queue_init(struct bus_queue *q, struct bus_stats *stats);
void bus_queue_free(struct bus_queue *q);

/* -ENOSPC: track is BUS_MAX_TRACKS or more; -EEXIST; -ENOMEM. */
int bus_queue_open(struct bus_queue *q, unsigned track, enum bus_codec codec);
/* The lowest number that is free. -ENOSPC. */
int bus_queue_free_number(const struct bus_queue *q);
struct bus_flow *bus_queue_flow(const struct bus_queue *q, unsigned track);
void bus_queue_close(struct bus_queue *q, struct bus_flow *f);

/* Whether the packet would be taken now. */
bool bus_queue_passes(const struct bus_flow *f, const struct bus_packet *p);
/* Whether a packet with that timestamp goes on with a frame that was sent in
 * part: drops are told between frames. */
bool bus_queue_goes_on(const struct bus_flow *f, uint32_t ts);
/* It is not sent: counts it. */
void bus_queue_refuse(struct bus_queue *q, struct bus_flow *f,
	const struct bus_packet *p, uint64_t now_ns);
/* It was handed to the socket, not by way of the queue. */
void bus_queue_sent(struct bus_flow *f, const struct bus_packet *p);

/* Appends, first dropping what is too old or too much. -EAGAIN: the packet
 * itself was dropped. */
int bus_queue_put(struct bus_queue *q, struct bus_flow *f,
	struct bus_packet *p, uint64_t now_ns);
/* Takes the reference to body, in any case. -ENOBUFS: BUS_MAX_CONTROL. */
int bus_queue_put_json(struct bus_queue *q, struct bus_flow *f, bool last,
	struct bus_body *body);
void bus_queue_expire(struct bus_queue *q, uint64_t now_ns);

/* Drops all that waits of the flow, whatever it is. */
void bus_queue_purge(struct bus_queue *q, struct bus_flow *f,
	uint64_t now_ns);

/* The next to send, or NULL. */
struct bus_entry *bus_queue_head(const struct bus_queue *q);
/* It was sent. Closes its flow if it was the last of it. */
void bus_queue_pop(struct bus_queue *q);

#endif
