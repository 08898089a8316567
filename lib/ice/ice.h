/* ice - an ICE agent as a state machine: RFC 8445 (lite and full), STUN of
 * RFC 8489 with short-term credentials, consent of RFC 7675. UDP, one
 * component, one data stream (BUNDLE and rtcp-mux are taken for granted).
 *
 * Roles. A lite agent (server) answers authenticated Binding requests and
 * sends nothing of its own accord; the pair on which USE-CANDIDATE came last
 * is the selected one, so a client whose address changes keeps its call. A
 * full agent (client) forms pairs of its host candidates and the remote
 * ones, checks them, nominates when controlling, and keeps asking for
 * consent; it also answers requests.
 *
 * Use. Feed each STUN datagram to ice_input(). After it, and when the
 * deadline is reached, call ice_poll() until it returns false and send what
 * it made; then read state and selected pair.
 *
 * Units: times are ns of one monotonic clock, given by the caller; ports
 * are in host order. Ownership: everything is copied; the agent owns nothing
 * but its own fixed memory (under 16 KiB).
 * Errors: 0 or -errno, see ice_input.
 * Never: opens a descriptor, reads a clock, allocates after ice_new(), makes
 * randomness (the caller gives a secret seed), answers a datagram that is
 * not authenticated, calls back.
 */
#ifndef ICE_H
#define ICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Credentials in characters (RFC 8839 section 5.4), NUL not counted. */
#define ICE_UFRAG_MIN    4u
#define ICE_PWD_MIN      22u
#define ICE_CRED_MAX     256u
#define ICE_OWN_MAX      32u  /* of our own ufrag and password */
#define ICE_MAX_LOCALS   16u
#define ICE_MAX_REMOTES  16u
#define ICE_MAX_PAIRS    32u  /* a lite agent: paths that spoke to us */
#define ICE_MAX_BYTES    512u /* of a message that we make */

/* Silence after which a pair is no longer trusted (DISCONNECTED), and after
 * which it is dead (RFC 7675 section 5.1). */
#define ICE_LITE_QUIET_NS  (UINT64_C(10) * 1000000000)
#define ICE_FULL_QUIET_NS  (UINT64_C(5) * 1000000000)
#define ICE_CONSENT_NS     (UINT64_C(30) * 1000000000)
#define ICE_NEVER          UINT64_MAX

struct ice_addr {
	uint8_t family;    /* 4, 6, or 0 for none */
	uint8_t bytes[16]; /* IPv4 in the first 4, the rest zero */
	uint16_t port;
};

bool ice_addr_eq(const struct ice_addr *a, const struct ice_addr *b);

struct ice_datagram {
	struct ice_addr from; /* our address to send from */
	struct ice_addr to;
	size_t len;           /* 0: nothing to send */
	uint8_t data[ICE_MAX_BYTES];
};

enum ice_state {
	ICE_NEW,          /* no pair has worked yet */
	ICE_CONNECTED,    /* a pair is selected and fresh */
	ICE_DISCONNECTED, /* the selected pair has fallen silent; may return */
	ICE_FAILED        /* consent expired or no pair worked in time; final */
};

struct ice_config {
	bool lite;
	bool controlling;  /* full agents; a conflict may turn it round */
	const char *ufrag; /* ours: ICE_UFRAG_MIN to ICE_OWN_MAX ice-chars */
	const char *pwd;   /* ours: ICE_PWD_MIN to ICE_OWN_MAX ice-chars */
	uint8_t seed[32];  /* secret: tie-breaker, transaction ids, jitter */
	uint64_t now_ns;
};

struct ice_stats {
	uint64_t requests;      /* authenticated ones that we answered */
	uint64_t responses;     /* matched ones that we received */
	uint64_t sent;          /* requests of ours, with retransmissions */
	uint64_t malformed;     /* no STUN, FINGERPRINT bad or missing … */
	uint64_t wrong_user;    /* USERNAME is not ours */
	uint64_t wrong_password;
	uint64_t unexpected;    /* a response to no request of ours */
	uint64_t conflicts;     /* role conflicts seen or told (487) */
};

struct ice;

/* NULL with EINVAL (credentials) or ENOMEM. */
struct ice *ice_new(const struct ice_config *c);
void ice_free(struct ice *ice);

/* Until this is called every request is refused (the lite agent) and no
 * check is sent. -EINVAL; -EALREADY when the credentials differ from those
 * that were set before (a restart is a new agent). */
int ice_set_remote(struct ice *ice, const char *ufrag, const char *pwd);
/* Full agents: host candidates of ours; candidates of the other side with
 * the priority from its SDP. -ENOSPC when full, -EINVAL for family 0; an
 * address already known, and remote ones of a lite agent, are no error and
 * change nothing. */
int ice_add_local(struct ice *ice, const struct ice_addr *a);
int ice_add_remote(struct ice *ice, const struct ice_addr *a,
	uint32_t priority);
/* The priority (RFC 8445 section 5.1.2) of host candidate number n. */
uint32_t ice_host_priority(unsigned n, const struct ice_addr *a);

/* A STUN datagram that came from from to our address to. reply->len is the
 * length of the answer, 0 for none. Returns 0 for an authenticated message,
 * else the reason why it was dropped without an answer: -EPROTO malformed,
 * -ENOENT another user, -EACCES wrong password, -ESRCH unexpected response,
 * -ENOSPC too many paths, -ENOTCONN remote credentials not known yet,
 * -ESHUTDOWN after ICE_FAILED. */
int ice_input(struct ice *ice, const struct ice_addr *from,
	const struct ice_addr *to, const uint8_t *p, size_t n,
	uint64_t now_ns, struct ice_datagram *reply);
/* True with one request to send; false when nothing (more) is due. */
bool ice_poll(struct ice *ice, uint64_t now_ns, struct ice_datagram *out);
/* When ice_poll wants to be called; ICE_NEVER after ICE_FAILED. */
uint64_t ice_deadline(const struct ice *ice);

enum ice_state ice_state(const struct ice *ice);
/* The pair to send on; -ENOTCONN before there is one. */
int ice_selected(const struct ice *ice, struct ice_addr *local,
	struct ice_addr *remote);
/* True if the other side has proved that it is at remote when spoken to
 * from local: only then may its DTLS be looked at. */
bool ice_pair_valid(const struct ice *ice, const struct ice_addr *local,
	const struct ice_addr *remote);
/* True of a full agent that has the controlling role now. */
bool ice_controlling(const struct ice *ice);
const char *ice_ufrag(const struct ice *ice); /* ours; lent */
const struct ice_stats *ice_stats(const struct ice *ice);

/* The part of USERNAME before the colon of a Binding request, for a socket
 * that many agents share. Lent from p; NULL if there is none. Nothing is
 * verified. */
const char *ice_request_ufrag(const uint8_t *p, size_t n, size_t *len);

#endif
