/* hub_media_priv - relays, and the transports that rooms have on them.
 * Included by hub_priv.h. */
#ifndef HUB_MEDIA_PRIV_H
#define HUB_MEDIA_PRIV_H

#include "hub_priv.h"

struct relay {
	struct list link;     /* in hub->relays once it is registered */
	struct peer *peer;
	char instance[64];
	struct io_timer *timer; /* of ctl's deadlines */
	bool leaving;         /* it said that it drains */
	json_t *stats;        /* what it counted, as it said at stats_ns */
	uint64_t stats_ns;
	bool asking;          /* for them */
	char bus[IO_PATH_CAP]; /* where its bus is, or empty */
};

/* hub_relay.c: the worker's side. */
/* The connection is gone: rooms are placed anew, clients told. */
void relay_lost(struct relay *r);
/* A request whose answer matters only when it is a refusal. params stolen. */
void relay_tell(struct relay *r, const char *method, json_t *params);
/* Asks what it sends, where the log may have missed something. */
void relay_reconcile(struct relay *w);
/* Asks for its numbers, unless that is under way; hub_relay_counted follows
 * in any case, if only when it is gone. */
void relay_count(struct relay *w);
int relay_ask(struct relay *r, const char *method, json_t *params,
	ctl_done *done, void *arg);
extern const struct ctl_method hub_relay_methods[];
extern const size_t hub_relay_n_methods;

/* hub_hold.c: which relay holds a room. */
/* It begins with no endpoint, or, if sync, has just those of our seats from
 * now on. */
void hold_room(struct room *r, struct relay *w, bool sync);
/* Its media are gone: clients are told, and a relay that has some of them
 * yet will drop them for the epoch that is next. */
void hold_lost(struct room *r);
void hold_stop_sources(struct room *r, const struct meet_actor *a,
	const char *user, unsigned sources);

/* hub_media.c: the people's side. */
/* One of media.*; the peer has a seat. */
void media_run(struct peer *p, struct ctl_call *call, const char *method,
	const json_t *params);
/* A request that begins when there is a relay for the room, or fails. It is
 * the head of a struct of its owner's, and owned by it. */
struct media_wait {
	struct list link;  /* in hub->waiting until a relay is there */
	struct hub *hub;
	char room[MEET_ID_CAP];
	uint64_t until_ns; /* it waits for a relay at most until then */
	void (*start)(struct media_wait *w);
	void (*fail)(struct media_wait *w, const char *kind, const char *why);
};
void media_wait(struct media_wait *w);
/* Gives the room a relay, if there is one and it has none. */
bool media_place(struct room *r);
/* A relay for the room: its own, else any; NULL while there is none that
 * takes requests. r may be NULL. */
struct relay *media_relay(const struct hub *h, const struct room *r);
/* There is a relay: what waits for one begins. */
void media_ready(struct hub *h);
/* The timer of what waits for a relay. */
void media_late(void *arg);
void media_free(struct hub *h);

/* hub_attach.c: programs on the bus. */
/* media.attach; the peer may. */
void attach_run(struct peer *p, struct room *r, struct ctl_call *call,
	const json_t *params);
/* A bus transport is no more: its program is away. */
void attach_lost(struct member *m);

/* hub_echo.c: the test of sound. */
/* media.echo; the peer may. */
void echo_run(struct peer *p, struct ctl_call *call, const json_t *params);
/* The peer goes: with it what it tests. */
void echo_end(struct peer *p);
void echo_relay_lost(struct relay *w);
/* A transport of a room that is no meeting's. */
void echo_transport_closed(struct relay *w, const char *room,
	const char *reason);
/* The timer of the longest one. */
void echo_late(void *arg);

/* hub_grant.c: what the log means for the relay. */
json_t *grant_json(const struct room *r, const char *user);
/* To the relay, if it has media of theirs. */
void grant_send(struct room *r, const char *user);
/* The endpoint id of a user and back: only the first letter differs. */
void endpoint_of(char out[STR_ID_CAP], const char *user);
bool user_of(char out[STR_ID_CAP], const char *endpoint);
/* Committed events change grants and endpoints. */
void grant_events(struct room *r, const json_t *events);
/* Its transports are no more. */
void member_forget_media(struct member *m);
/* The room was folded anew. */
void grant_all(struct room *r);
/* What {room.sync} says of our seats. */
json_t *grant_sync_json(const struct room *r);

/* hub_slot.c: which slot shows whom. */
void slots_clear(struct member *m);
void slot_assigned(struct member *m, const json_t *params,
	const char *actor);
void slot_live(struct member *m, const json_t *params, const char *actor);
/* Tells the slots that were left out, or all of them. */
void slots_tell(struct member *m, bool all);

#endif
