/* relayctl - the relay's verbs: what confd-signal (or a script) asks of
 * conf-relay, and what the relay tells, as JSON-RPC of conf-ctl(7); glue
 * between ctl (words), sfu (who gets what), and peer and bus (transports).
 *
 * Control is one peer at a time: either the program at two descriptors
 * (relayctl_serve), or whoever listens on a Unix socket, dialled for ever
 * (relayctl_dial). Media go on while control is away; when it is back, the
 * relay says what it holds, and tells again who is in which slot.
 *
 * Ownership: the loop and the port are lent and must outlive it.
 * Errors: 0 or -errno.
 * Never: knows users, names, roles or meetings: rooms and endpoints are ids
 * that control chose, and a grant is all that opens them.
 */
#ifndef RELAYCTL_H
#define RELAYCTL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct io_loop;
struct peer_port;
struct relayctl;

/* A transport that never connects is closed by peer after 30 s. */
#define RELAYCTL_REDIAL_MS  250  /* and up to a fifth more or less */
#define RELAYCTL_HELLO_MS   5000 /* without an answer: a line of log */
#define RELAYCTL_TICKET_MS  30000

struct relayctl_config {
	struct io_loop *loop;
	struct peer_port *port;
	const char *agent; /* "conf-relay/0.1"; lent for life */
	uint64_t seed;     /* random: for hashing and jitter */
	unsigned ticket_ms; /* 0: RELAYCTL_TICKET_MS */
	/* Nothing is left to do. code 0: the end of the input that is served,
	 * or drained; -EPROTO, -EMSGSIZE: what was served spoke badly; else
	 * what its descriptor failed with. */
	void (*on_end)(void *arg, int code);
	void *arg;
};

struct relayctl *relayctl_new(const struct relayctl_config *c);
void relayctl_free(struct relayctl *r);

/* Listens on the media bus, as conf-bus(5) says. open: whoever connects may
 * say who it is; else a ticket is needed. Once, and before the two below,
 * which tell control of it. What bus_server_new fails with. */
int relayctl_listen(struct relayctl *r, const char *path, mode_t mode,
	gid_t gid, bool open);

/* Owns both descriptors. Once, and not together with relayctl_dial. */
int relayctl_serve(struct relayctl *r, int fd_in, int fd_out);
/* instance is this relay's name, secret what its hello proves it with; both
 * are copied. -EINVAL: a name that is none. */
int relayctl_dial(struct relayctl *r, const char *path, const char *instance,
	const char *secret);

/* Closes all transports, takes no new ones, and calls on_end when what is
 * to be said about it has gone out. */
void relayctl_drain(struct relayctl *r);

#endif
