/* guard - how much strangers may cost: for each source of connections a
 * bucket of requests and a penalty for failures; and the rate at which one
 * user may ask for what is expensive.
 *
 * A source is an IPv4 address or the first 64 bits of an IPv6 one (of which
 * a host has as many as it likes). Nothing is known of one until it asks.
 *
 * Requests: each source has tokens for guard_config.per_s requests a second,
 * GUARD_BURST_S seconds' worth at most. What asks for more than there are is
 * refused and takes none.
 *
 * Failures: each adds its time to what the source has to wait out, and time
 * works it off. From GUARD_ENFORCE_MS on the source is penalised: it is to
 * get nothing until all of it is over. GUARD_MAX_MS is the most. Who proves
 * to be known (guard_known) gives tokens back and works off some, so that
 * many people behind one address are not taken for one that fails much.
 *
 * The table has a fixed size. Each source has eight places, by a keyed hash;
 * when all are taken, the one that is forgotten is the one that loses least:
 * without a penalty, and whose tokens are full soonest. So memory is bounded
 * whatever comes, nobody is refused for lack of a place, and who has
 * thousands of addresses can be forgotten, but not make others so at will.
 *
 * Units: _ns of a monotonic clock that the caller reads, _ms milliseconds.
 * A clock that steps back stands still here.
 * Ownership: sources are values. Errors: NULL with ENOMEM.
 * Never: a descriptor, clock, random source or global; allocates after
 * guard_new.
 */
#ifndef GUARD_H
#define GUARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define GUARD_SOURCES_MAX 65536u
#define GUARD_BURST_S     40u
#define GUARD_ENFORCE_MS  60000u
#define GUARD_MAX_MS      600000u

/* What a thing costs in requests. */
#define GUARD_REQUEST   1u
#define GUARD_CONNECT   4u   /* a TLS handshake */
#define GUARD_SOCKET    20u  /* a WebSocket that has not said hello */
#define GUARD_BACK      100u /* given back by guard_known: a page and more */
#define GUARD_BACK_MS   10000u

enum guard_fault {
	GUARD_ORIGIN,    /* a page of another origin */
	GUARD_SLOW,      /* a request that was not complete in time */
	GUARD_TOKEN,     /* a token or session that does not count */
	GUARD_NO_HELLO,  /* a connection that never said hello */
	GUARD_MALFORMED, /* what no client of ours would send */
	GUARD_FAULTS
};
/* How long one of these is, and its name ("token", …). */
uint32_t guard_fault_ms(enum guard_fault f);
const char *guard_fault_name(enum guard_fault f);

struct guard;

struct guard_config {
	uint32_t sources; /* places, rounded up to a multiple of 8, at most
	                   * GUARD_SOURCES_MAX; 0: nothing is limited */
	uint32_t per_s;   /* 1 to 100000 */
	bool loopback;    /* limit it too: else it is not a source */
	uint64_t seed;    /* of the hash; unknown to strangers */
};

struct guard *guard_new(const struct guard_config *c);
void guard_free(struct guard *g);

/* Zeroed: a source that is never limited. */
struct guard_source {
	uint8_t key[9]; /* 4 or 6, then the address; 0: none */
};
/* IPv4 inside IPv6 counts as IPv4. What is neither is never limited. */
struct guard_source guard_source(const struct guard *g,
	const struct sockaddr *sa);

/* Takes cost tokens, of a source that is penalised too, so that refusing it
 * has a bound as well. 0, or refused: in how many ms it may be tried again,
 * at least 1. g and s may be such that nothing is limited; g may be NULL. */
uint64_t guard_take(struct guard *g, const struct guard_source *s,
	uint32_t cost, uint64_t now_ns);
/* For how many ms the source gets nothing; 0: it is not penalised. */
uint64_t guard_penalty(struct guard *g, const struct guard_source *s,
	uint64_t now_ns);
/* Counts a failure. 0, or for how many ms the source is penalised, if it
 * became so by this one. */
uint64_t guard_fail(struct guard *g, const struct guard_source *s,
	enum guard_fault f, uint64_t now_ns);
/* Somebody of this source said a hello that counts. */
void guard_known(struct guard *g, const struct guard_source *s,
	uint64_t now_ns);

struct guard_stats {
	uint64_t refused;   /* for want of tokens */
	uint64_t penalised; /* refused for a penalty */
	uint64_t penalties; /* that began */
	uint64_t faults[GUARD_FAULTS];
	uint64_t forgotten; /* places given to another while in use */
};
struct guard_stats guard_stats(const struct guard *g);

/* --- One's own rate ------------------------------------------------------ */

/* Zeroed: full. At most burst at once, and one each every_ms on average. */
struct guard_rate {
	uint64_t full_ns; /* when it will be */
};
/* Takes one. 0, or refused: in how many ms there is one, at least 1. */
uint64_t guard_rate(struct guard_rate *r, uint32_t burst, uint32_t every_ms,
	uint64_t now_ns);

#endif
