/* relayctl_priv - what the parts of relayctl share: relayctl.c (life and
 * timers), relayctl_line.c (the connection), relayctl_verbs.c (requests),
 * relayctl_media.c (transports), relayctl_bus.c (those of the bus),
 * relayctl_ticket.c (who may be one), relayctl_json.c (values). */
#ifndef RELAYCTL_PRIV_H
#define RELAYCTL_PRIV_H

#include "base.h"
#include "bus.h"
#include "ctl.h"
#include "io.h"
#include "json.h"
#include "peer.h"
#include "relayctl.h"
#include "sfu.h"

#define NAME_CAP 65 /* of an instance */

struct slot {
	char from[SFU_ID_CAP]; /* "" : nobody */
	bool told;             /* something was ever assigned to it */
	bool live;
	uint32_t rtp_ts;
	uint32_t turn; /* which owner it is, from 1; goes round */
};

struct transport {
	struct relayctl *r;
	struct peer *peer; /* of WebRTC */
	struct bus_peer *bus; /* of the bus; one of the two */
	bool own_endpoint; /* which is there for this one alone */
	int published[SFU_SOURCES]; /* bus: track numbers, -1: not */
	struct sfu_transport *sfu;
	enum sfu_direction direction;
	char id[SFU_ID_CAP];
	char room[SFU_ID_CAP];
	char endpoint[SFU_ID_CAP];
	uint8_t tracks;  /* not subscribe: SFU_BIT of sources that have begun */
	unsigned offered; /* subscribe: slots in the last offer */
	bool growing;    /* a larger offer awaits its answer: this one */
	struct buf offer;
	bool grow_later; /* it is due after the first one's answer */
	uint8_t layer[PEER_MAX_LINES][PEER_MAX_RIDS];
	struct slot slots[SFU_SLOTS_MANY];
};

struct relayctl {
	struct relayctl_config cfg;
	struct sfu *sfu;
	struct map *transports;
	struct io_timer *tick;
	uint64_t tick_at;
	struct bus_server *bus; /* NULL: there is none */
	char bus_path[IO_PATH_CAP];
	bool bus_open;
	uint64_t bus_count; /* to name those that nobody named */
	uint64_t wall_base_ns; /* wall clock less io_now_ns() */
	struct map *tickets;
	struct list ticket_order; /* the oldest first */
	struct io_timer *ticket_timer;
	bool draining;
	bool ended;
	struct rng rng;

	/* The connection. */
	struct io_stream *stream;
	struct ctl *ctl;
	int unsent;            /* why a message could not be queued, or 0 */
	bool dials;
	bool asked;            /* hello is said: it may be told what changes */
	bool greeted;          /* and answered: it may be told the rest */
	struct io_timer *redial;
	struct io_timer *hello; /* the answer to it is late */
	char path[IO_PATH_CAP];
	char instance[NAME_CAP];
	char secret[129];
	char trouble[200];     /* what was logged last, not to repeat it */
	uint64_t started_ms;   /* Unix time */
	uint64_t malformed;    /* peers that were cut for what they said */
};

/* relayctl.c: call after anything that sfu did. */
void relayctl_rearm(struct relayctl *r);

/* relayctl_line.c. params is stolen; without control it is dropped. */
void relayctl_notify(struct relayctl *r, const char *method, json_t *params);
/* The same for what changes the list in our hello: from then on, though
 * nobody may be there yet to read it. */
void relayctl_report(struct relayctl *r, const char *method, json_t *params);
/* The same for what is of use at once or never. */
void relayctl_mention(struct relayctl *r, const char *method,
	json_t *params);
void relayctl_hang_up(struct relayctl *r);
void relayctl_flush_then_end(struct relayctl *r);

/* relayctl_verbs.c */
extern const struct ctl_method relayctl_methods[];
extern const size_t relayctl_n_methods;

/* relayctl_media.c. errno-like results; why is for people. */
extern const struct sfu_events relayctl_sfu_events;
struct transport *relayctl_publish(struct relayctl *r, const char *room,
	const char *endpoint, const char *id, const char *sdp,
	struct buf *answer, char why[160]);
struct transport *relayctl_subscribe(struct relayctl *r, const char *room,
	const char *endpoint, const char *id, struct buf *offer,
	char why[160]);
int relayctl_answer(struct transport *t, const char *sdp, char why[160]);
/* Tells control, and forgets it. */
void relayctl_close(struct transport *t, const char *reason);
/* All of it without telling, as the last thing. */
void relayctl_forget_all(struct relayctl *r);
/* Tells again what control may have missed. */
void relayctl_retell(struct relayctl *r);

/* For those of its kind only, and for relayctl_bus.c. */
struct transport *relayctl_transport_new(struct relayctl *r,
	const char *room, const char *endpoint, const char *id,
	enum sfu_direction d);
void relayctl_transport_free(struct transport *t, const char *reason);
void relayctl_tell_state(const struct transport *t, const char *state,
	const char *reason);

/* relayctl_bus.c */
extern const struct sfu_bus_events relayctl_bus_events;
/* A track of a program's is wanted with a key frame. */
void relayctl_bus_keyframe(const struct transport *t,
	enum sfu_source source);
/* Grants have changed: what a program sends in vain it is told. */
void relayctl_bus_granted(struct relayctl *r, const char *room);
/* Says why and hangs up. */
void relayctl_bus_close(struct transport *t, const char *reason);
/* A source by its name; -EINVAL. */
int relayctl_source(const char *name, enum sfu_source *out);

/* relayctl_ticket.c */
struct ticket {
	struct list link;
	char word[BUS_TICKET_CAP];
	char room[SFU_ID_CAP];
	char endpoint[SFU_ID_CAP];
	char transport[SFU_ID_CAP];
	uint64_t epoch;
	uint64_t until_ns;
};
#define TICKETS_MAX 1024u
/* -EEXIST, -ENOSPC, -EINVAL a word too long, -ENOMEM. */
int ticket_add(struct relayctl *r, const struct ticket *t);
/* Takes it out: false if there is no such, or not any more. */
bool ticket_take(struct relayctl *r, const char *word, struct ticket *out);
/* True if there was one. */
bool ticket_drop(struct relayctl *r, const char *transport);
/* The timer; and all of them, without a word. */
void ticket_late(void *arg);
void tickets_clear(struct relayctl *r);

/* relayctl_json.c. New references, NULL when out of memory. */
int relayctl_read_grant(const json_t *grant, struct sfu_grant *out);
json_t *relayctl_sources(const struct transport *t);
json_t *relayctl_slots(const struct transport *t);
json_t *relayctl_rooms(const struct relayctl *r);
json_t *relayctl_stats(const struct relayctl *r);

#endif
