/* ctl - JSON-RPC 2.0 as spoken on signal.sock, worker.sock and the
 * WebSocket: both ends, bytes in and bytes out. conf-ctl(7) is the protocol.
 *
 * One object per connection. Either end sends requests, answers them, and
 * sends notifications. On a socket a message is a line that ends in \n; on a
 * WebSocket it is a text message.
 *
 * Units: deadlines are ns of the caller's monotonic clock.
 * Ownership: json_t given as params, result or extra is stolen, also when
 * the call fails; json_t handed to a callback is lent for its duration.
 * Callbacks: any of them may free the connection that called it.
 * Never: opens a descriptor, reads a clock, drops a peer by itself (it asks
 * for that, see ctl_feed).
 */
#ifndef CTL_H
#define CTL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "json.h"

#define CTL_PROTOCOL   1
#define CTL_MAX_IN     65536u  /* what a server reads as one message */
#define CTL_MAX_OUT    262144u /* what it sends; clients read this much */
#define CTL_MAX_CALLS  256     /* of one peer, waiting for our answer */
#define CTL_NEVER      UINT64_MAX

struct ctl;      /* one end of a connection */
struct ctl_call; /* a request of the peer that awaits its answer */

/* --- Errors ------------------------------------------------------------
 * A kind says what is wrong to programs; each has one exit status:
 *   1   not_found exists ambiguous denied
 *   2   invalid
 *   3   io internal
 *   75  busy limit draining unavailable
 *   124 timeout
 * An unknown kind counts as internal. */
int ctl_kind_status(const char *kind);
/* The i-th kind's name, NULL past the last: for tests and documentation. */
const char *ctl_kind_name(size_t i);

struct ctl_error {
	int code;            /* -32000; -32700, -32600, -32601 by JSON-RPC */
	const char *kind;    /* never NULL */
	const char *message; /* for people, never NULL; not escaped */
	const json_t *data;  /* whole data member, or NULL */
};

/* --- A connection ------------------------------------------------------ */

/* A request or, with call == NULL, a notification. params is an object,
 * empty if there was none. Each call must be answered once, by ctl_reply or
 * ctl_fail, now or later; both take NULL and then only release. */
struct ctl_method {
	const char *name;
	void (*run)(void *arg, struct ctl_call *call, const json_t *params);
};

struct ctl_config {
	/* One whole message, with its \n if lines. 0 or -errno; after an
	 * error nothing more is written and ctl_feed says -EPIPE. */
	int (*write)(void *arg, const void *p, size_t n);
	void *arg;                        /* of write and of methods */
	const struct ctl_method *methods; /* borrowed, must outlive */
	size_t n_methods;
	bool lines; /* else messages: ctl_message in place of ctl_feed */
	/* The peer must say hello first. The table's method "hello" runs when
	 * protocol, agent and caps are sound; until it is answered, further
	 * messages wait. A failed hello ends the connection. Without this
	 * flag a hello is served if it comes, at most once. */
	bool hello_first;
	size_t max_in;  /* 0: CTL_MAX_IN. A client sets CTL_MAX_OUT. */
	size_t max_out; /* 0: CTL_MAX_OUT */
	/* A request was answered: with a result (kind NULL) or an error. It
	 * may not touch the connection. Or NULL. */
	void (*answered)(void *arg, const char *method, const char *kind);
};

/* Copies cfg. NULL with ENOMEM or EINVAL. */
struct ctl *ctl_new(const struct ctl_config *cfg);
/* Requests that still wait for an answer get their callback with kind
 * "unavailable"; calls that still wait for ours stay valid and answering
 * them does nothing. */
void ctl_free(struct ctl *c);

/* Takes all n bytes of a stream in whatever pieces it comes. 0, or an error
 * that asks the caller to close the peer once what was written has gone out:
 * -EPROTO malformed or out of turn (an error reply was written), -EMSGSIZE
 * message too long (the same), -EPIPE write failed, -ESHUTDOWN the callback
 * freed c, -ENOMEM. After an error every further call returns it again. */
int ctl_feed(struct ctl *c, const void *p, size_t n);
/* One whole message of a WebSocket; errors as above. */
int ctl_message(struct ctl *c, const void *p, size_t n);
/* The error that ctl_feed returned or would return next; else 0. A call that
 * is answered later can set it too (a failed hello): look after answering. */
int ctl_broken(const struct ctl *c);
/* True from the answered hello on (ours or the peer's). */
bool ctl_greeted(const struct ctl *c);

/* --- Asking ------------------------------------------------------------ */

/* Exactly one call per request: err is NULL and result is lent, or result is
 * NULL. Kind "timeout" when the deadline passed. */
typedef void ctl_done(void *arg, const json_t *result,
	const struct ctl_error *err);

/* params NULL means {}. done NULL: the answer is thrown away. When this
 * fails, done is not called: -EMSGSIZE, -ENOMEM, -EPIPE. */
int ctl_request(struct ctl *c, const char *method, json_t *params,
	uint64_t deadline_ns, ctl_done *done, void *arg);
int ctl_notify(struct ctl *c, const char *method, json_t *params);
/* The same with params already printed: one event for many readers. */
int ctl_notify_text(struct ctl *c, const char *method, const void *params,
	size_t n);

/* params of a hello: {protocol:[1], agent, role, caps:[]}; the caller adds
 * token, session or secret and sends it with ctl_request. NULL: no memory. */
json_t *ctl_hello(const char *agent, const char *role);

uint64_t ctl_deadline(const struct ctl *c); /* CTL_NEVER if none */
void ctl_tick(struct ctl *c, uint64_t now_ns); /* expires requests */

/* --- Answering --------------------------------------------------------- */

/* result NULL means {}. A result over max_out becomes an error "limit". To
 * hello's result "protocol" is added. The call is gone afterwards. */
void ctl_reply(struct ctl_call *call, json_t *result);
void ctl_fail(struct ctl_call *call, const char *kind, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* extra: an object whose members join kind in data. */
void ctl_fail_with(struct ctl_call *call, const char *kind, json_t *extra,
	const char *message);
/* The connection it came by, or NULL when that is gone. */
struct ctl *ctl_call_conn(const struct ctl_call *call);
const char *ctl_call_method(const struct ctl_call *call);

/* --- Counted ----------------------------------------------------------- */
struct ctl_stats {
	uint64_t in, out;   /* messages */
	uint64_t malformed; /* that closed the peer */
	uint64_t unknown;   /* methods, of requests and notifications */
	uint64_t timeouts;  /* of our requests */
	uint64_t strays;    /* answers to nothing, late ones included */
};
struct ctl_stats ctl_stats(const struct ctl *c);

#endif
