/* web - HTTP/1.1 with TLS, the files of the browser client, and WebSocket
 * at /ws, on libevent's evhttp and wslay.
 *
 * Serves GET and HEAD: "/" and "/m/ID" are the client's index.html, other
 * paths are files below the www folder (no dot files, no symbolic links),
 * "/healthz" says whether the owner is well. Every reply carries the
 * security headers of a page that trusts nobody. With a base path all of it
 * is below that, and nothing else is there; the base itself leads to "/m/",
 * the page without a meeting, since the page's own addresses are relative.
 *
 * Behind proxies: X-Forwarded-For, -Proto, -Host and Forwarded (RFC 7239) of
 * peers in config.trust are believed, of nobody else.
 *
 * Limits: request headers and bodies 64 KiB, a request complete 10 s after
 * the connection opened or the reply before it ended, a reply taken within
 * 60 s; a WebSocket message 64 KiB in (else close 1009) and 1,024 fragments;
 * output queue of a WebSocket 1 MiB, no byte taken for 10 s, or no sign of
 * life for 45 s: the connection is cut. Each source has its limits by guard;
 * over them is 429 with Retry-After, or no handshake. A request with a body
 * ends its connection. Plain HTTP (no cert) has only the limits of
 * inactivity; it is meant for a proxy on loopback.
 *
 * Ownership: web_new copies its configuration. A struct web_ws belongs to
 * web; the owner may use it until on_close returns or web_ws_close was
 * called. Sockets given to web_listen are closed by web_free.
 * Errors: 0 or -errno. Nothing here prints; refusals are logged by io_log.
 * Never: reads a cookie, executes, writes a file, follows a link out of www.
 * RFC 9110, RFC 9112, RFC 6455 (no extensions, no subprotocols).
 */
#ifndef WEB_H
#define WEB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cert;
struct guard;
struct io_loop;
struct web;
struct web_ws;
union io_addr;

#define WEB_WS_MAX_IN   65536u   /* bytes of a message that comes in */
#define WEB_WS_MAX_OUT  1048576u /* bytes that may wait to go out */

struct web_config {
	const char *www;          /* folder of the client */
	const struct cert *cert;  /* borrowed until web_free; NULL for plain
	                           * HTTP */
	const char *const *origins; /* "https://host[:port]" allowed besides
	                             * the request's own, NULL-ended, or NULL */
	bool hsts;                /* Strict-Transport-Security, TLS only */
	struct guard *guard;      /* borrowed until web_free; NULL: no limits
	                           * for a source */
	const char *base;         /* as web_is_base; NULL is "" */
	const char *const *frames; /* whose pages may frame ours: origins, or
	                            * "self"; none, NULL or "none": nobody's */
	const char *const *trust; /* networks of proxies that are believed, as
	                           * web_is_network; NULL-ended, or NULL */
};

/* Why a stranger got nothing. */
enum web_refusal {
	WEB_ORIGIN,  /* a page of another origin; text is what it says */
	WEB_SLOW,    /* no handshake within 10 s */
	WEB_LIMITED  /* over a limit of guard: 429, or closed */
};

struct web_events {
	/* A WebSocket opened; what this returns is handed to the callbacks
	 * below. NULL refuses it (close 1013). */
	void *(*on_open)(void *arg, struct web_ws *ws);
	/* One text message, valid UTF-8, lent. Binary ones end with 1003. */
	void (*on_text)(void *ws_arg, const char *p, size_t n);
	/* It sent what RFC 6455 forbids, a binary message, or too much: it is
	 * being closed with this code (1002, 1003, 1007, 1009, or 1005 for
	 * none), and on_close follows. Or NULL. */
	void (*on_malformed)(void *ws_arg, unsigned code);
	/* Comes once, unless the owner called web_ws_close before. */
	void (*on_close)(void *ws_arg);
	/* What waited to go out has fallen below 64 KiB; or NULL. */
	void (*on_drained)(void *ws_arg);
	/* Unescaped text from outside, or NULL. This, too, may be NULL. */
	void (*on_refused)(void *arg, const union io_addr *from,
		enum web_refusal why, const char *text);
	/* Whether /healthz says 200 or 503; or NULL (200). */
	bool (*healthy)(void *arg);
};

#define WEB_BASE_CAP 128
/* A path that all can be below: "", or "/conf", of letters, digits, "-", "_"
 * and single slashes. */
bool web_is_base(const char *s);
/* "10.0.0.0/8", "2001:db8::/32", or an address alone. */
bool web_is_network(const char *s);

/* NULL with errno and the reason for people in why: EINVAL a certificate
 * that TLS cannot use, or a base, network or framer that is none, ENOMEM, or
 * what opening the www folder said. */
struct web *web_new(struct io_loop *l, const struct web_config *c,
	const struct web_events *ev, void *arg, char why[160]);
/* Takes cert, origins, frames and trust of c in place of those it has; all
 * else of c is not looked at. Connections that exist go on as they are. On
 * failure, which is as for web_new, nothing has changed; EINVAL also for TLS
 * where there was none, or none where there was. */
int web_renew(struct web *w, const struct web_config *c, char why[160]);
/* Serves a listening socket, which web owns from then on. */
int web_listen(struct web *w, int fd);
/* Accepts no more connections; those there go on. */
void web_quiet(struct web *w);
/* WebSockets that are still open or closing. */
size_t web_sockets(const struct web *w);
/* Closes everything at once, without on_close. */
void web_free(struct web *w);

/* Queues one text message (n bytes of UTF-8). -ENOBUFS: over the bound; the
 * connection is cut and on_close follows in a later callback. */
int web_ws_send(struct web_ws *ws, const char *p, size_t n);
/* Bytes that wait to go out. */
size_t web_ws_queued(const struct web_ws *ws);
/* Sends what is queued and a close frame (RFC 6455 section 7.4; reason at
 * most 123 bytes), then waits at most 2 s for the peer's. The owner forgets
 * ws: no callback comes any more. */
void web_ws_close(struct web_ws *ws, unsigned code, const char *reason);
/* Whom it comes from, lent: the source that limits are for. Family 0 when
 * that cannot be told. */
const union io_addr *web_ws_source(const struct web_ws *ws);
/* The same as "ADDRESS:PORT", for log lines. */
const char *web_ws_remote(const struct web_ws *ws);

#endif
