/* sfu - the pure core of the relay: rooms, endpoints, grants, transports,
 * tracks and slots. It decides which packet goes to whom and rewrites it.
 *
 * A room holds endpoints (one per participant, by ids that control chose).
 * An endpoint has at most one publish and one subscribe transport. What
 * comes in on a publish transport are tracks, one per source. A subscribe
 * transport has slots, one per m-line of its offer, and each slot carries at
 * most one track at a time, rewritten into one continuous stream. A bus
 * transport does both in its own way: see sfu_bus.h.
 *
 * The one promise: no packet of a source that its endpoint's grant does not
 * allow, or mutes, is handed to send, from the moment sfu_endpoint_grant
 * returns; nor one of an endpoint that was removed; and nobody gets a packet
 * of his own endpoint.
 *
 * Pure: no descriptor, no clock, no randomness but what seed gives. now_ns
 * is any clock that does not go back.
 * Ownership: structs are sfu's. A transport is valid until it is closed by
 * sfu_transport_close or events->closed was called for it. user pointers are
 * the caller's. Everything given to a callback is lent for its duration.
 * Callbacks come from inside the calls below and must not call back into
 * sfu, but for what sfu_look.h declares.
 * Errors: 0 or -errno; -ENOENT no such room or endpoint, -EINVAL an argument
 * out of range, -ENOSPC a limit of SFU_MAX_*, -ENOMEM.
 * Cost: a packet costs O(slots that carry it), and allocates nothing but what
 * is kept of it for taps.
 */
#ifndef SFU_H
#define SFU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SFU_ID_CAP        72u  /* with NUL */
#define SFU_MAX_ROOMS     4096u
#define SFU_MAX_ENDPOINTS 1000u /* per room */
#define SFU_MAX_WANTS     128u /* per endpoint */
#define SFU_MAX_PAYLOAD   1400u /* bytes of one packet, rewritten */
#define SFU_LAYERS        3u

/* The order of a publish offer's m-lines. Opus but for cam and screen, which
 * are VP8. */
enum sfu_source { SFU_MIC, SFU_CAM, SFU_SCREEN, SFU_SCREEN_AUDIO };
#define SFU_SOURCES 4u
#define SFU_BIT(source) (1u << (source))
const char *sfu_source_name(enum sfu_source s); /* "mic" "cam" … */
bool sfu_source_is_video(enum sfu_source s);

/* Layers of a camera: rids q, h, f. What has no rid is SFU_LAYER_H. The
 * relay forwards h if it is there, else the first that is. */
enum sfu_layer { SFU_LAYER_Q, SFU_LAYER_H, SFU_LAYER_F };

/* Slot i is m-line i of the subscribe offer: 3 mic, 4 cam, 1 screen, 1
 * screen-audio, and from SFU_SLOTS_FEW on the other 21 cameras. */
#define SFU_AUDIO_SLOTS   3u
#define SFU_CAMERAS_FEW   4u
#define SFU_CAMERAS_MANY  25u
#define SFU_SLOTS_FEW     9u
#define SFU_SLOTS_MANY    30u
enum sfu_source sfu_slot_source(unsigned slot);

struct sfu;
struct sfu_transport;
#include "sfu_bus.h"
#include "sfu_clock.h"
#include "sfu_confirm.h"
#include "sfu_look.h"

struct sfu_packet {
	uint16_t seq;
	uint32_t rtp_ts;
	bool marker;
	bool voice;  /* RFC 6464 V; false if level is -1 */
	int level;   /* RFC 6464, 0 to 127 -dBov; -1 unknown */
	const uint8_t *payload;
	size_t len;
	uint64_t arrival_ns; /* in what is sent: as it came */
};

struct sfu_level {
	const char *endpoint;
	int level; /* -dBov */
};

struct sfu_events {
	/* Send this on that slot now. */
	void (*send)(void *arg, void *user, unsigned slot,
		const struct sfu_packet *p);
	/* Ask the publisher for a key frame (PLI or FIR). Throttled. */
	void (*keyframe)(void *arg, void *user, enum sfu_source source,
		enum sfu_layer layer);
	/* A source's first packet, and its end: SFU_SILENCE_NS without one
	 * (not mic, which lives as long as its transport), or the transport
	 * closed, or the grant taken. A muted source is started too. */
	void (*track)(void *arg, const char *room, const char *endpoint,
		enum sfu_source source, bool started);
	/* The slot has a new owner, or none (from NULL). */
	void (*assigned)(void *arg, void *user, unsigned slot,
		const char *from, enum sfu_source source);
	/* The owner's first key frame goes out with this timestamp. Video
	 * only; it comes just before its first packet is sent. */
	void (*live)(void *arg, void *user, unsigned slot, const char *from,
		enum sfu_source source, uint32_t rtp_ts);
	/* What that slot sends with rtp_ts was captured at at_ns, on the
	 * clock of now_ns: for its sender reports. at_ns 0: not known. NULL
	 * is legal. */
	void (*clock)(void *arg, void *user, unsigned slot, uint32_t rtp_ts,
		uint64_t at_ns);
	/* Who speaks, loudest first, at most every SFU_TALK_NS and only while
	 * somebody speaks; n is 0 once, when nobody does any more. */
	void (*talk)(void *arg, const char *room, const struct sfu_level *l,
		size_t n);
	/* This subscribe transport wants SFU_SLOTS_MANY slots: offer them,
	 * then call sfu_transport_grow. Told once per transport. */
	void (*grow)(void *arg, void *user);
	/* The transport is gone by something else than sfu_transport_close.
	 * reason is a word: "removed" (endpoint or room), "replaced". */
	void (*closed)(void *arg, void *user, const char *reason);
	const struct sfu_bus_events *bus; /* NULL: no bus transports */
};
#define SFU_SILENCE_NS (UINT64_C(5000) * 1000000)
#define SFU_TALK_NS    (UINT64_C(200) * 1000000)

/* events is lent for life. NULL with errno ENOMEM. */
struct sfu *sfu_new(const struct sfu_events *events, void *arg, uint64_t seed);
void sfu_free(struct sfu *s); /* calls nothing back */

/* ---- control ---- */

/* Idempotent for the epoch held; a higher one drops the room and starts
 * anew; -ESTALE a lower one. */
int sfu_room_create(struct sfu *s, const char *room, uint64_t epoch);
int sfu_room_remove(struct sfu *s, const char *room);
/* False if there is no such room. */
bool sfu_room_epoch(const struct sfu *s, const char *room, uint64_t *epoch);

/* room.sync: begin (as sfu_room_create), then sfu_endpoint_grant for each
 * endpoint listed, then end, which removes all others. */
int sfu_sync_begin(struct sfu *s, const char *room, uint64_t epoch);
int sfu_sync_end(struct sfu *s, const char *room, uint64_t now_ns);

struct sfu_grant {
	uint8_t publish; /* SFU_BIT of sources allowed */
	uint8_t muted;   /* SFU_BIT of sources that are dropped */
	bool receive;
};
/* The complete grant; makes the endpoint if it is new. */
int sfu_endpoint_grant(struct sfu *s, const char *room, const char *endpoint,
	const struct sfu_grant *g, uint64_t now_ns);
int sfu_endpoint_remove(struct sfu *s, const char *room, const char *endpoint,
	uint64_t now_ns);

/* What an endpoint wants to see, complete: n 0 takes all wishes back. Tracks
 * on stage come first, then those listed in their order, then those not
 * listed, in the order in which they started. height 0: not to be sent. */
struct sfu_want {
	const char *endpoint; /* need not exist (yet) */
	enum sfu_source source;
	unsigned height; /* pixels */
	bool stage;
};
int sfu_endpoint_want(struct sfu *s, const char *room, const char *endpoint,
	const struct sfu_want *w, size_t n, uint64_t now_ns);

/* ---- transports ---- */

/* The endpoint must have a grant. Closes the endpoint's former transport of
 * that direction ("replaced"). slots: SFU_SLOTS_FEW or SFU_SLOTS_MANY, what
 * is offered from the start (0 if not subscribe). id is told by sfu_list. */
int sfu_transport_new(struct sfu *s, const char *room, const char *endpoint,
	enum sfu_direction d, const char *id, unsigned slots, void *user,
	uint64_t now_ns, struct sfu_transport **out);
void sfu_transport_close(struct sfu *s, struct sfu_transport *t,
	uint64_t now_ns);
/* It is connected: slots and taps are filled from now on. Idempotent. */
void sfu_transport_ready(struct sfu *s, struct sfu_transport *t,
	uint64_t now_ns);
/* The answer to the larger offer came: SFU_SLOTS_MANY slots exist. */
void sfu_transport_grow(struct sfu *s, struct sfu_transport *t,
	uint64_t now_ns);
/* How many slots a new subscribe transport of this room should be offered. */
unsigned sfu_room_slots(const struct sfu *s, const char *room);

/* ---- media ---- */

/* A packet from a publish or bus transport; each once, RTX undone. */
void sfu_rtp(struct sfu *s, struct sfu_transport *t, enum sfu_source source,
	enum sfu_layer layer, const struct sfu_packet *p, uint64_t now_ns);
/* PLI or FIR from the receiver of a slot, or its wish by other ways. */
void sfu_keyframe_wanted(struct sfu *s, struct sfu_transport *t,
	unsigned slot, uint64_t now_ns);
/* The receiving side of a publish transport lost too much to repair. */
void sfu_keyframe_lost(struct sfu *s, struct sfu_transport *t,
	enum sfu_source source, enum sfu_layer layer, uint64_t now_ns);
/* Timers: call at the deadline or later. UINT64_MAX: nothing to do. */
uint64_t sfu_deadline(const struct sfu *s);
void sfu_tick(struct sfu *s, uint64_t now_ns);

#endif
