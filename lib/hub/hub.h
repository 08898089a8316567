/* hub - confd-signal's inside: meetings in memory and in the log, the
 * sessions of people, operators and workers, and what they may ask of each
 * other. conf-ctl(7) and conf-events(5) are the protocol.
 *
 * What is decided in one iteration of the loop is one transaction of the
 * log. Replies and events leave after its commit; when that fails, the
 * meetings touched are folded anew from the log and every command of the
 * batch is refused. Media state is not in the log: it is learned from the
 * relays, which outlive us.
 *
 * Units: _ms milliseconds.
 * Ownership: hub_new copies its configuration but for cert, which is
 * borrowed until hub_free. Listening sockets are closed by hub_free.
 * Errors: 0 or -errno. Nothing here prints or exits; the log lines go by
 * io_log.
 */
#ifndef HUB_H
#define HUB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct cert;
struct hub;
struct io_loop;

#define HUB_KEY_BYTES     32
#define HUB_SEAT_GRACE_MS 10000 /* after a start, before seats are "away" */
#define HUB_RELAY_WAIT_MS 2000  /* a request waits for a relay to register */
#define HUB_HELLO_MS      10000 /* an unknown peer has to say hello */
#define HUB_REQUESTS      200   /* default of limit_requests */
#define HUB_SOURCES       65536 /* default of limit_sources */
#define HUB_SESSION_MS    86400000
#define HUB_SESSIONS      4000  /* of one meeting */

struct hub_config {
	const char *state_dir;   /* log.db, keys/ */
	const char *www;         /* the client's folder */
	const char *url;         /* base of join links, no slash at its end */
	const char *const *origins; /* as web_config, and these three */
	const char *const *frames;
	const char *base;
	const char *const *trust;
	const struct cert *cert; /* NULL: plain HTTP */
	bool hsts;
	bool sync_full;          /* the log survives power loss */
	const char *audit;       /* file of the audit log; NULL: none */
	uint32_t limit_sources;  /* as guard_config; 0: no limits */
	uint32_t limit_requests; /* of one source, a second */
	bool limit_loopback;
	uint64_t session_ms;     /* age of one of nobody seated; 0: any */
	gid_t op_gid;            /* a group of operators; (gid_t)-1: none */
	uint8_t worker_key[HUB_KEY_BYTES];
};

/* Opens the log, folds the open meetings, reads or makes the token keys.
 * NULL with errno and words in why: EBUSY another process holds the log,
 * EINVAL and EACCES a key is malformed or readable by others, ENOENT no www
 * folder, and what store_open says. */
struct hub *hub_new(struct io_loop *l, const struct hub_config *c,
	char why[256]);
void hub_free(struct hub *h);

/* Takes url, origins, frames, trust and cert of c in place of those it has;
 * all else is not looked at, and nobody's connection ends. On failure (as
 * hub_new, with words in why) nothing has changed. cert is borrowed as by
 * hub_new, and the former one may go. */
int hub_renew(struct hub *h, const struct hub_config *c, char why[256]);

/* Listening sockets, owned by hub from then on, also when this fails. */
int hub_listen_http(struct hub *h, int fd);
int hub_listen_signal(struct hub *h, int fd);
int hub_listen_worker(struct hub *h, int fd);
/* HTTP for the metrics alone, which signal.sock answers as well. */
int hub_listen_metrics(struct hub *h, int fd);

/* Refuses new work, tells everybody to come back, and calls done(arg) when
 * what was to be sent is sent, at the latest after 2 s. */
void hub_drain(struct hub *h, void (*done)(void *arg), void *arg);

/* The kinds of lines of the audit log, and what became of the matter. */
struct hub_audit_row {
	const char *name;
	const char *verdict;
};
extern const struct hub_audit_row hub_audit_rows[];
extern const size_t hub_audit_n_rows;

/* --- Where confd-signal is found ----------------------------------------
 * Those with why return 0, or the exit status that the fault calls for
 * (conf(7)). */

#define HUB_URL_CAP 256
#define HUB_HTTP    8 /* sockets for browsers */

/* "https://host[:port]", or http, and nothing behind it. */
bool hub_is_origin(const char *s);
/* What links begin with, without a slash at its end, and its origin. -EINVAL:
 * no such address, or one with a query or fragment, or too long. */
int hub_base(const char *url, char base[HUB_URL_CAP],
	char origin[HUB_URL_CAP]);
/* The client's files: as installed beside the program, as in the source tree,
 * as installed. -ENOENT, with the last in out. */
int hub_find_www(char out[4096]);
/* The inherited sockets, else one for each address; none given: port 8443 of
 * the families that the host has. */
int hub_http_open(const char *const *addrs, size_t n, int fds[HUB_HTTP],
	int *n_fds, char why[256]);
/* Refuses plain HTTP where others could read it, and makes base of the first
 * address if it is empty. */
int hub_http_check(const int *fds, int n, bool tls, char base[HUB_URL_CAP],
	char why[256]);
/* Serves the inherited sockets of this name ("signal" or "worker"), else one
 * of our own in dir, whose path is then in path (cap bytes), else "". */
int hub_unix_open(struct hub *h, const char *dir, const char *name,
	mode_t mode, gid_t gid, char *path, size_t cap, char why[256]);
/* Serves the metrics there. */
int hub_metrics_open(struct hub *h, const char *where, char why[256]);
/* A base without a path gets this one, as a path of web_is_base. -EINVAL:
 * the path is none, -ENAMETOOLONG. */
int hub_base_path(char base[HUB_URL_CAP], const char *path);

/* --- Files that confd-signal needs -------------------------------------- */

/* The key of worker secrets: 64 hex digits. Made where missing, 0600.
 * -EACCES others can read it, -EINVAL it is no key. */
int hub_worker_key(const char *path, uint8_t out[static HUB_KEY_BYTES]);
/* A certificate and its key from PEM files. NULL with errno and why. */
struct cert *hub_cert_read(const char *cert_path, const char *key_path,
	char why[256]);
/* Our own, in STATE/tls/: made once, for this host's names and addresses,
 * and again when it is about to expire. NULL with errno and why. */
struct cert *hub_cert_own(const char *state_dir, char why[256]);

#endif
