/* hub_priv - what hub's own files share. */
#ifndef HUB_PRIV_H
#define HUB_PRIV_H

#include "base.h"
#include "crypt.h"
#include "ctl.h"
#include "guard.h"
#include "hub.h"
#include "io.h"
#include "json.h"
#include "meet.h"
#include "store.h"
#include "web.h"

#define HUB_LAG_BYTES   262144u  /* more waits: live events pause */
#define HUB_OUT_BYTES   1048576u /* more waits: the peer is cut */
#define HUB_STALL_MS    10000    /* no byte taken: the same */
#define HUB_LISTENERS   16
#define HUB_FOLLOWS     64       /* of one peer */
#define HUB_SLOTS       32
#define HUB_AGENT       "confd-signal/" CONF_VERSION

/* WebSocket close codes; conf-ctl(7) lists them. */
enum {
	CLOSE_RESTART = 1012, CLOSE_POLICY = 1008,
	CLOSE_TOKEN = 4401, CLOSE_KICKED = 4403, CLOSE_ELSEWHERE = 4409,
	CLOSE_ENDED = 4410
};

struct room;
struct peer;
struct relay;
struct follow;
struct audit_log;

#define HUB_RATES 7 /* rows of hub_limit.c */

#include "hub_stat_priv.h"

enum listen_kind { LISTEN_SIGNAL, LISTEN_WORKER, LISTEN_METRICS };
struct listener {
	struct hub *hub;
	enum listen_kind kind;
	int fd;
	struct io_watch *watch;
	struct io_timer *resume; /* after running out of descriptors */
};

struct hub {
	struct io_loop *loop;
	struct store *store;
	struct web *web;
	struct guard *guard;
	struct audit_log *audit; /* or NULL */
	struct token_keys keys;
	char *state_dir;
	uint8_t worker_key[HUB_KEY_BYTES];
	char *url;
	gid_t op_gid;
	uint64_t wall0_ms, boot0_ns;
	uint64_t seed;
	struct map *rooms;   /* by id */
	struct list peers;
	struct list relays;
	struct list waiting; /* struct media_op, for a relay */
	struct list follows; /* of the whole log */
	struct list pumping; /* struct follow that reads from the log */
	struct list batch;   /* struct entry, until the commit */
	struct list scrapes; /* of hub_scrape.c */
	struct list echoes;  /* of hub_echo.c */
	struct hub_stats stats;
	bool open;           /* the log has something to commit */
	unsigned waiting_calls; /* in the batch */
	bool doomed;         /* it cannot be committed */
	bool unwell;         /* the last commit failed */
	int refusing;        /* why new things are refused: store_room */
	bool loose;          /* a peer is to be closed or freed */
	bool draining;
	uint64_t session_ms; /* age of one that is forgotten */
	uint64_t swept_ns;   /* when those were looked for */
	uint64_t malformed;  /* peers closed for what they sent */
	unsigned warnings;   /* of peers, in this second */
	uint64_t tick_ms;    /* when meetings_timer is set for */
	struct io_timer *meetings_timer, *sweep_timer, *grace_timer;
	struct io_timer *relay_timer, *drain_timer, *echo_timer;
	int drain_left_ms;
	void (*drained)(void *arg);
	void *drained_arg;
	struct listener listeners[HUB_LISTENERS];
	int n_listeners;
};

/* --- Rooms: meetings in memory ------------------------------------------ */

enum { PUBLISH, SUBSCRIBE, BUS, DIRECTIONS };

struct slot {
	bool used;
	bool dirty; /* to be told: the reader lagged */
	bool live;  /* its owner's first key frame is out, with rtp_ts */
	int64_t rtp_ts;
	int64_t number;
	int64_t confirm; /* the relay waits for this; 0: it does not */
	char mid[8];
	char source[16];
	char user[STR_ID_CAP]; /* empty: nobody */
};

/* Somebody who said hello to a meeting, or has media in it. A program that
 * was attached has no peer, but a bus transport, or a ticket for one. */
struct member {
	char user[STR_ID_CAP];
	struct room *room;
	struct peer *peer; /* NULL while not connected */
	char transport[DIRECTIONS][STR_ID_CAP]; /* empty: none */
	struct slot slots[HUB_SLOTS]; /* of the subscribe transport */
	json_t *offer; /* a renegotiation not yet answered, or NULL */
	json_t *wants; /* last media.want, as the relay takes it, or NULL */
	unsigned off;  /* sources that the user says not to send, MEET_CAM… */
	struct guard_rate rates[HUB_RATES];
	bool deaf;     /* it does not want to receive */
};

struct room {
	struct hub *hub;
	char id[MEET_ID_CAP];
	struct meet *meet;     /* NULL: gone with a failed batch */
	bool touched;          /* by the batch */
	struct list follows;
	struct map *members;   /* by user */
	struct relay *relay;   /* where its media is, or NULL */
	uint64_t epoch;
};

/* hub_files.c: STATE/keys/token.cur and .prev; cur is made where missing. */
int hub_token_keys(const char *state_dir, struct token_keys *out,
	char why[256]);
/* The current key becomes the previous one, and a new one is made. In files
 * first: after an error k and what a restart would find are as they were, or
 * the previous key is the current one too. */
int hub_token_keys_rotate(const char *state_dir, struct token_keys *k,
	char why[256]);

/* hub_room.c */
/* A loaded meeting, or one from the log. NULL with -ENOENT or another. */
struct room *room_find(struct hub *h, const char *id, int *err);
/* The same, or an empty state that nothing was created in yet. */
struct room *room_get(struct hub *h, const char *id, int *err);
int rooms_load(struct hub *h, char why[256]);
void rooms_free(struct hub *h);
/* Takes ended meetings that nobody looks at out of memory. */
void rooms_sweep(struct hub *h);
/* Lists anew what opening the log could only guess of, and says what was
 * lost. */
void rooms_tell(struct hub *h, const struct store_report *r);
/* The batch is lost: rooms that it touched are folded anew from what is
 * committed; one that never was, or cannot be read, loses its state. */
void rooms_undo(struct hub *h);
struct member *member_find(const struct room *r, const char *user);
struct member *member_get(struct room *r, const char *user);
/* Frees it if it has neither a peer nor a seat nor media. */
void member_drop(struct member *m);
uint64_t hub_now_ms(const struct hub *h);
/* Sets the timer for what is due in the meetings. */
void hub_schedule(struct hub *h, const struct room *r);
void hub_meetings_due(void *arg);
void hub_grace_over(void *arg);

#include "hub_batch_priv.h"
#include "hub_peer_priv.h"
#include "hub_media_priv.h"
#include "hub_limit_priv.h"

#endif
