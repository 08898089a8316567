/* ice_priv - what the files of ice share. */
#ifndef ICE_PRIV_H
#define ICE_PRIV_H

#include "base.h"
#include "ice.h"
#include "stun.h"

#define PACE_NS         (5 * NS_PER_MS)   /* Ta, RFC 8445 section 14.2 */
#define RTO_FIRST_NS    (250 * NS_PER_MS)
#define RTO_MAX_NS      (500 * NS_PER_MS)
#define NOMINATE_TRIES  12
/* RFC 7675 asks for consent each 5 s; more often, a dead path is noticed
 * while a person still waits. */
#define CONSENT_EACH_NS (2 * NS_PER_S)
#define CONSENT_FAST_NS (500 * NS_PER_MS)
/* A controlled agent asks again on a pair that works but is not chosen: were
 * both sides controlled by a mishap, this shows it. */
#define UNCHOSEN_NS     (1000 * NS_PER_MS)
#define TIDS            4 /* requests of one pair whose answers count */

enum phase {
	PAIR_IDLE,       /* nothing is sent on it */
	PAIR_WAITING,    /* to be checked */
	PAIR_CHECKING,   /* a check is repeated until it is answered */
	PAIR_VALID,      /* it was answered; consent is asked if selected */
	PAIR_NOMINATING, /* the same as checking, with USE-CANDIDATE */
};

struct request {
	uint8_t tid[STUN_TID_BYTES];
	bool controlling;
	bool nominates;
};

/* Of a lite agent a pair is a path on which requests came: it has no phase
 * and no requests. */
struct pair {
	struct ice_addr local;
	struct ice_addr remote;
	uint32_t remote_priority;
	uint64_t priority;
	enum phase phase;
	bool fresh;        /* the next request is a new transaction */
	bool triggered;    /* goes before the others */
	bool nominated;    /* USE-CANDIDATE came on it */
	bool proven;       /* an authenticated message came on it */
	unsigned tries;
	uint64_t heard_ns; /* lite: last request; full: last answer */
	uint64_t due_ns;
	uint64_t rto_ns;
	struct request req[TIDS];
	unsigned req_count; /* ever made; req[(req_count - 1) % TIDS] is last */
};

struct remote {
	struct ice_addr addr;
	uint32_t priority;
};

struct ice {
	bool lite;
	bool controlling;
	enum ice_state state;
	char ufrag[ICE_OWN_MAX + 1];
	char pwd[ICE_OWN_MAX + 1];
	char remote_ufrag[ICE_CRED_MAX + 1]; /* "" until known */
	char remote_pwd[ICE_CRED_MAX + 1];
	uint64_t seed[4];
	uint64_t drawn; /* counter of pseudo-random words */
	uint64_t tie_breaker;
	uint64_t start_ns;
	uint64_t pace_ns;
	struct ice_addr locals[ICE_MAX_LOCALS];
	unsigned local_count;
	struct remote remotes[ICE_MAX_REMOTES];
	unsigned remote_count;
	struct pair pairs[ICE_MAX_PAIRS];
	unsigned pair_count;
	struct pair *selected;   /* or NULL */
	struct pair *nominating; /* or NULL */
	struct buf scratch;      /* reserved once */
	struct ice_stats stats;
};

uint64_t ice_draw(struct ice *ice);

/* ---- pairs ---- */
struct pair *ice_pair_find(const struct ice *ice,
	const struct ice_addr *local, const struct ice_addr *remote);
/* NULL when there is no room and none may make it. */
struct pair *ice_pair_add(struct ice *ice, const struct ice_addr *local,
	const struct ice_addr *remote, uint32_t remote_priority);
void ice_pair_rank(const struct ice *ice, struct pair *p);
uint64_t ice_quiet_ns(const struct ice *ice);

/* ---- messages ---- */
/* Parses and authenticates; 0 or a reason as in ice_input. With a response
 * *owner and *req say which request it answers. */
int ice_verify(struct ice *ice, struct stun *m, const uint8_t *p, size_t n,
	struct pair **owner, struct request **req);
int ice_write_request(struct ice *ice, const struct pair *p,
	const struct request *req, struct ice_datagram *out);
/* error 0 is success. */
int ice_write_reply(struct ice *ice, const struct stun *m, unsigned error,
	const struct ice_addr *from, const struct ice_addr *to,
	struct ice_datagram *out);

/* ---- the full agent ---- */
void ice_full_request(struct ice *ice, struct pair *p, bool use_candidate,
	uint64_t now_ns);
void ice_full_response(struct ice *ice, const struct stun *m,
	struct pair *p, const struct request *req, uint64_t now_ns);
bool ice_full_poll(struct ice *ice, uint64_t now_ns,
	struct ice_datagram *out);
void ice_full_quiet(struct ice *ice, uint64_t now_ns);
void ice_switch_role(struct ice *ice);

#endif
