/* hub_peer_priv - connections, and what they follow of the log. Included by
 * hub_priv.h. */
#ifndef HUB_PEER_PRIV_H
#define HUB_PEER_PRIV_H

#include "hub_priv.h"

/* --- Peers: connections -------------------------------------------------- */

enum peer_kind { PEER_OP, PEER_WEB, PEER_WORKER };

struct peer {
	struct list link;
	struct hub *hub;
	enum peer_kind kind;
	struct ctl *ctl;
	struct io_stream *stream; /* one of the two, or none: gone */
	struct web_ws *ws;
	int fd;                   /* of the stream, which owns it */
	bool heard;               /* something has come */
	char name[160];           /* for log lines */
	uint64_t born_ns;
	bool gone;                /* the other end has closed */
	bool closing;             /* to be closed after what is queued */
	unsigned close_code;
	const char *close_reason; /* static */
	uint64_t sent, seen_sent, seen_ns; /* for the stall check */
	uid_t uid;                /* of the process, on a Unix socket */
	char id[80];              /* of the actor: uid, user, ROLE/INSTANCE */
	char link_id[STR_ID_CAP]; /* of a user */
	struct member *member;    /* of a user */
	struct relay *relay;      /* of a worker */
	struct echo *echo;        /* its test of sound, or NULL */
	struct list follows;
	unsigned n_follows;
};

/* hub_peer.c */
int hub_accept(struct hub *h, int fd, enum listen_kind kind);
struct peer *hub_peer_new(struct hub *h, enum peer_kind kind);
extern const struct web_events hub_web_events;
/* Whether a line of log about a peer may be written: ten a second. */
bool peer_may_warn(struct hub *h);
/* Closes it once what is queued has gone out. */
void peer_close(struct peer *p, unsigned code, const char *reason);
size_t peer_queued(const struct peer *p);
struct meet_actor peer_actor(const struct peer *p);
/* Closes and frees what is to be. */
void peers_reap(struct hub *h);
/* Each second: late hellos, stalled readers. */
void peers_sweep(struct hub *h);
void peers_free(struct hub *h);
/* Looks whether ctl wants the peer closed. */
void peer_check(struct peer *p);

/* hub_method.c: of operators and people */
extern const struct ctl_method hub_methods[];
extern const size_t hub_n_methods;

/* hub_hello.c */
void hub_hello(void *arg, struct ctl_call *call, const json_t *params);

/* --- Following ------------------------------------------------------------ */

/* A cursor in the log, of one meeting or of all. */
struct follow {
	struct list link;      /* in room->follows or hub->follows */
	struct list peer_link;
	struct list pump_link;
	struct peer *peer;
	struct room *room;     /* NULL: all meetings */
	uint64_t cursor;       /* last seq (pos) that was looked at */
	unsigned standing;     /* of a user, as of cursor */
	bool begun;            /* its request was answered */
	bool live;             /* has seen all that is committed */
	bool ended;            /* to be freed */
};

/* hub_follow.c */
/* Takes the place of the peer's follow of the same thing. NULL: ENOMEM, or
 * EMFILE too many. */
struct follow *follow_new(struct peer *p, struct room *r, uint64_t since);
void follow_free(struct follow *f);
void follow_begin(struct follow *f);
/* Committed events go to whoever has come up to them. */
void follow_events(struct room *r, const json_t *events);
/* The methods; r is NULL for all meetings. The peer may. */
void hub_events_read(struct peer *p, struct room *r, struct ctl_call *call,
	const json_t *params);
void hub_events_follow(struct peer *p, struct room *r, struct ctl_call *call,
	const json_t *params);
/* The peer's output has drained. */
void follow_resume(struct peer *p);
void follow_pump(struct hub *h);
/* A transient event to one member, or to all that follow r (m NULL). data
 * is stolen. False if it was left out because the reader lags. */
bool transient(struct room *r, struct member *m, const char *type,
	const char *actor, json_t *data);

#endif
