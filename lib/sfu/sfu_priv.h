/* sfu_priv - what the parts of sfu share.
 *
 * Ownership: a room owns its endpoints, an endpoint its transports and (as
 * parts of it) its tracks; a subscribe transport owns its slots. A slot
 * stands in the list of the track that it carries, and in no other.
 */
#ifndef SFU_PRIV_H
#define SFU_PRIV_H

#include "base.h"
#include "flow.h"
#include "wire.h"
#include "sfu.h"

#define VIDEO_HZ      90000
#define AUDIO_HZ      48000
#define TICK_NS       (UINT64_C(100) * 1000000)
#define LAYER_NS      (UINT64_C(1000) * 1000000) /* gone without a packet */
#define PLI_REFILL_NS (UINT64_C(3000) * 1000000)
#define PLI_BURST     3

struct layer {
	bool seen;
	bool lost; /* the publishing side's repair failed */
	uint16_t highest; /* sequence number */
	uint32_t highest_ts;
	uint64_t last_ns;
	struct keyreq keyreq;
	struct srcmap map;
};

struct feed;
struct reading;

struct track {
	struct endpoint *ep;
	enum sfu_source source;
	bool started;
	unsigned target; /* the layer to forward */
	uint64_t last_ns;
	uint64_t mark; /* of the choice that looked at it last */
	struct list link;  /* in room->started, while started */
	struct list slots; /* that carry it, its feed's too */
	struct feed *feed; /* while it is tapped, else NULL */
	struct layer layers[SFU_LAYERS];
	struct loudest_source loud;
};

/* Each receiver of a track has a few requests for key frames of its own,
 * which grow back slowly, so that one cannot keep a source at one a second. */
struct asker {
	unsigned left;
	uint64_t since_ns;
};

struct slot {
	struct list link; /* in track->slots */
	struct track *track; /* NULL: free */
	struct sfu_transport *t; /* NULL: of a feed */
	unsigned index;
	bool told;      /* its receiver believes it to have an owner */
	bool live;      /* video: its key frame was forwarded */
	bool needs_key; /* the receiver asked */
	bool shown;     /* somebody was live in it, ever */
	bool held;      /* until the receiver knows of its owner */
	unsigned layer; /* forwarded, if live */
	struct asker asker;
	struct rewrite rw;
};

struct sfu_transport {
	struct endpoint *ep;
	enum sfu_direction direction;
	char id[SFU_ID_CAP];
	void *user;
	bool ready;
	bool grow_asked;
	bool confirms;
	unsigned n_slots;
	struct slot *slots; /* SFU_SLOTS_MANY, of a subscribe transport */
	struct reading *readings; /* by number, of a bus transport */
	size_t n_readings;
	unsigned again; /* packets that it may still have sent again */
	uint64_t again_ns;
};

struct want {
	char endpoint[SFU_ID_CAP];
	enum sfu_source source;
	bool stage;
	bool paused;
};

struct endpoint {
	struct list link; /* in room->endpoints */
	struct room *room;
	char id[SFU_ID_CAP];
	struct sfu_grant grant;
	bool listed; /* since sfu_sync_begin */
	struct sfu_transport *transports[SFU_DIRECTIONS];
	struct track tracks[SFU_SOURCES];
	struct srcclock clock; /* of its publish transport */
	struct want *wants;
	size_t n_wants;
};

struct room {
	struct list link; /* in sfu->rooms */
	char id[SFU_ID_CAP];
	uint64_t epoch;
	uint64_t version;
	struct map *by_id; /* endpoints */
	struct list endpoints;
	struct list started[SFU_SOURCES]; /* tracks, in order of start */
	struct loudest loudest;
	uint64_t talk_ns;
	bool talking;
};

struct sfu {
	const struct sfu_events *ev;
	void *arg;
	uint64_t seed;
	struct rng rng;
	struct map *by_id; /* rooms */
	struct list rooms;
	uint64_t next_tick;
	unsigned talking; /* rooms in which somebody speaks */
	bool hold;        /* a packet that may be a key frame is in hand */
	uint64_t marks;
	struct sfu_stats stats;
	uint8_t scratch[REWRITE_MAX_VP8 + SFU_MAX_PAYLOAD];
};

/* sfu_room.c */
struct room *sfu_room_find(const struct sfu *s, const char *room);
struct endpoint *sfu_endpoint_find(const struct room *r, const char *id);

/* sfu_slots.c */
/* Is the track there, allowed and not muted? */
bool sfu_track_flows(const struct track *k);
bool sfu_transport_serves(const struct sfu_transport *t);
/* Wants a key frame for it. */
void sfu_slot_key(struct sfu *s, struct slot *slot, uint64_t now_ns);
void sfu_slot_init(struct sfu *s, struct slot *slot, bool video);
/* Tells nobody; seating does. */
void sfu_slot_free(struct slot *slot);
/* Fills the slots for a source anew, of one transport or of a whole room,
 * and wants key frames where owners changed. */
void sfu_seat(struct sfu *s, struct sfu_transport *t, enum sfu_source source,
	uint64_t now_ns);
void sfu_seat_room(struct sfu *s, struct room *r, enum sfu_source source,
	uint64_t now_ns);
void sfu_seat_all(struct sfu *s, struct sfu_transport *t, uint64_t now_ns);

/* sfu_clock.c */
/* When it was captured, else, not *known, when it arrived. */
uint64_t sfu_captured(const struct track *k, unsigned layer,
	const struct sfu_packet *p, bool *known);
void sfu_tell_clock(struct sfu *s, const struct slot *slot, uint32_t rtp_ts,
	uint64_t at_ns);
void sfu_clock_forget(struct endpoint *e);

/* sfu_media.c */
void sfu_track_init(struct track *k, struct endpoint *ep,
	enum sfu_source source);
/* Takes it from all slots; the caller seats the room again. taken: it is not
 * allowed any more, and has not just ended. */
void sfu_track_stop(struct sfu *s, struct track *k, bool taken);
/* No longer heard; still started. */
void sfu_track_hush(struct sfu *s, struct track *k);
/* Asks the publisher if a key frame of that layer is wanted and due, but for
 * while s->hold: then whoever set it asks later. */
void sfu_ask(struct sfu *s, struct track *k, unsigned layer,
	uint64_t now_ns);
/* A slot cannot go on without a key frame; a, whoever says so, may still
 * ask. */
void sfu_slot_wants_key(struct sfu *s, struct slot *slot, struct asker *a,
	uint64_t now_ns);

#include "sfu_bus_priv.h"

#endif
