/* load_priv - what the parts of load share: load.c (phases), load_user.c (one
 * participant and his transports), load_signal.c and load_relay.c (the two
 * ways to have them negotiated), load_ws.c and load_tls.c (a WebSocket),
 * load_report.c (results). */
#ifndef LOAD_PRIV_H
#define LOAD_PRIV_H

#include "base.h"
#include "ctl.h"
#include "io.h"
#include "json.h"
#include "load.h"
#include "load_gen_priv.h"
#include "load_hist_priv.h"
#include "load_link_priv.h"
#include "load_proc_priv.h"
#include "load_sink_priv.h"
#include "peer.h"

#define LOAD_AGENT     "conf-load/" CONF_VERSION
#define SESSION_CAP    65
#define TALKERS        3u /* who speak at a time */
#define TALK_NS        (UINT64_C(3) * NS_PER_S)
#define LEVEL_SPEAKING 25
#define LEVEL_QUIET    70

struct load_ws;

enum user_state {
	USER_NEW,
	USER_JOINING,
	USER_UP,     /* every transport of his is connected */
	USER_FAILED,
};

/* One transport, on a port of its own: to the relay a 5-tuple is one. */
struct side {
	struct load_user *user;
	bool publish;
	bool wanted;
	bool connected;
	unsigned asked; /* requests for it without an answer yet */
	struct peer_port *port;
	struct peer *peer;
	char id[STR_ID_CAP];
	unsigned n_sinks; /* of what is received, by line */
	struct load_sink *sinks;
	uint64_t keyreq_ns[PEER_MAX_LINES];
};

struct load_user {
	struct load *load;
	unsigned number;
	enum user_state state;
	uint64_t begun_ns;
	struct side pub, sub;
	bool settled; /* was up, or failed */
	bool seen; /* has had a first frame */
	uint64_t heard_ns; /* when the last packet came */
	struct load_gen gen[2]; /* sound, pictures */
	struct io_timer *timer[2];
	struct io_timer *mourning; /* media have ended; is there a reason? */
	char ended[64];
	uint64_t reset_ns;     /* since when media begin anew; 0: they do not */
	struct io_timer *retry;
	/* By signalling. */
	struct load_ws *ws;
	struct ctl *ctl;
	char session[SESSION_CAP];
	bool away; /* the connection is lost, media go on */
	uint64_t away_ns;
	struct io_timer *again;
	struct io_timer *late;
	/* At the relay. */
	char endpoint[STR_ID_CAP];
};

/* How users come in. Each call ends in one of load_user_* below, now or
 * later, or in load_user_failed. */
struct load_way {
	unsigned at_once; /* users who may be joining at a time */
	/* Calls load_ready, now or later. */
	int (*open)(struct load *l, char why[160]);
	void (*join)(struct load_user *u);
	void (*publish)(struct load_user *u, const char *sdp);
	void (*subscribe)(struct load_user *u);
	void (*answer)(struct load_user *u, const char *sdp);
	void (*leave)(struct load_user *u);
	void (*forget)(struct load_user *u); /* frees what it holds of him */
	void (*close)(struct load *l);       /* the last call */
};
extern const struct load_way load_by_signal, load_by_relay;

/* ---- load_user.c ---- */
int load_user_init(struct load_user *u, struct load *l, unsigned number);
void load_user_start(struct load_user *u);
void load_user_joined(struct load_user *u);
void load_user_published(struct load_user *u, const char *answer,
	const char *id);
/* Again for a renegotiation: id NULL then. */
void load_user_offered(struct load_user *u, const char *offer,
	const char *id);
/* The server says that these are gone: they are made anew. */
void load_user_reset(struct load_user *u);
/* Signalling was lost before they were all connected, and is back. */
void load_user_rejoined(struct load_user *u);
/* kind as in ctl.h; the text is for people. */
void load_user_failed(struct load_user *u, const char *kind,
	const char *text);
/* Both for answers: true if err, which then failed him; and a ctl_done for
 * those that say nothing else. */
bool load_user_refused(struct load_user *u, const struct ctl_error *err);
void load_user_answered(void *arg, const json_t *result,
	const struct ctl_error *err);
const char *load_text(const json_t *o, const char *key); /* never NULL */
void load_user_quiet(struct load_user *u); /* sends no more */
void load_user_free(struct load_user *u);

/* ---- load.c ---- */
enum phase {
	PHASE_IDLE,
	PHASE_JOINING,
	PHASE_RUNNING,
	PHASE_LINGERING,
	PHASE_LEAVING,
	PHASE_OVER,
};

struct totals { /* over all users */
	struct peer_stats peer;
	uint64_t sent_bytes, received_bytes; /* of payload */
	uint64_t ns;
	struct load_proc proc;
	bool has_proc;
};

struct load {
	struct load_config cfg;
	const struct load_way *way;
	void *way_state; /* of the way */
	struct load_link link;
	pid_t pid; /* of the relay that we run; 0: none */
	struct load_user *users;
	unsigned n_users;
	enum phase phase;
	struct io_timer *timer;
	struct rng rng;
	int status; /* of the first fault */
	unsigned faults;
	bool ready, cut_short;
	unsigned started, settled, up, failed, came, staying;
	uint64_t next_start_ns;
	uint64_t sent_bytes, received_bytes;
	struct peer_stats gone; /* of transports that are no more */
	struct totals before, from, to; /* joins; run; end of run */
	/* Found out at the end, or at that of a transport. */
	struct load_hist join_ms, first_ms, delay_us, rtt_us, jitter_us;
	uint64_t lost, expected, skipped, resets, returns;
	uint64_t gap_ns; /* the longest without a packet, of one user */
	unsigned transports, blind;
};

void load_ready(struct load *l); /* users may come */
void load_user_settled(struct load_user *u); /* up or failed */
void load_progress(struct load *l, const char *fmt, ...) PRINTF(2, 3);
/* Counts, logs the first few, and sets the status. */
void load_fault(struct load *l, int status, const char *fmt, ...)
	PRINTF(3, 4);
void load_goodbye(struct load *l); /* one has left */

/* ---- load_count.c ---- */
void load_add_stats(struct peer_stats *sum, const struct peer_stats *s);
void load_totals(const struct load *l, struct totals *t);
/* What a transport's streams were. */
void load_gather(struct load *l, const struct side *s);

#endif
