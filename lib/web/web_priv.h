/* web_priv - what web's own files share. */
#ifndef WEB_PRIV_H
#define WEB_PRIV_H

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/http.h>
#include <event2/http_struct.h>
#include <event2/keyvalq_struct.h>
#include <event2/listener.h>
#include <openssl/ssl.h>

#include "base.h"
#include "crypt.h"
#include "guard.h"
#include "io.h"
#include "web.h"
#include "web_forward_priv.h"

#define WEB_LISTENERS    16
#define WEB_REQUEST_MS   10000
#define WEB_REPLY_MS     60000
#define WEB_MAX_IN       65536

struct web {
	struct io_loop *loop;
	struct evhttp *http;
	SSL_CTX *tls;          /* NULL for plain HTTP */
	int www;               /* descriptor of the folder */
	bool hsts;
	struct guard *guard;
	char **origins;        /* NULL-ended */
	char *frames;          /* whose pages may frame ours, as CSP says it */
	struct web_net *trust; /* proxies that are believed */
	size_t n_trust;
	char *base;            /* path that all is below: "/conf", or "" */
	struct web_client client; /* of the request that is being answered */
	struct web_events ev;
	void *arg;
	struct evconnlistener *listeners[WEB_LISTENERS];
	int n_listeners;
	struct io_timer *tick;   /* each second */
	unsigned ticks;
	unsigned warnings;       /* in this second */
	struct list sockets;     /* struct web_ws.link */
};

/* web_tls.c: NULL with ENOMEM or EINVAL. */
SSL_CTX *web_tls_new(const struct cert *cert);
struct bufferevent *web_tls_bev(struct web *w, struct event_base *base);
/* Moves the deadline of bev's connection; 0 lifts it. No-op without TLS. */
void web_tls_deadline(struct bufferevent *bev, uint64_t in_ms);

/* web_file.c */
void web_file_send(struct web *w, struct evhttp_request *req,
	const char *path);
/* The file's path below www for a URL's path behind the base, or -ENOENT. */
int web_path(char *out, size_t cap, const char *url_path);
const char *web_mime(const char *name);

/* web_renew.c */
/* What stands behind frame-ancestors, to be freed. NULL with ENOMEM, or
 * EINVAL for a word that would be read as more than one. */
char *web_frames(const char *const *list);
/* Sets what web_renew may, also for the first time. */
int web_renewal(struct web *w, const struct web_config *c, char why[160]);
void web_words_free(char **list); /* NULL-ended */

/* web_origin.c */
/* Whether a Host header's value is a host with an optional port. */
bool web_host_ok(const char *host);
/* RFC 6454: our own scheme and the request's own host, or one of list. */
bool web_origin_ok(const char *origin, const char *host, bool tls,
	char *const *list);
/* What is left of a URL's path behind base ("/conf"), "" being base itself;
 * NULL if it is not below it. */
const char *web_below(const char *path, const char *base);
/* Whether a comma-separated header holds token, whatever its case. */
bool web_has_token(const char *value, const char *token);

/* web.c: sends a reply of plain text, or an empty one if text is NULL. */
void web_reply(struct web *w, struct evhttp_request *req, int code,
	const char *phrase, const char *text);
void web_headers(struct web *w, struct evhttp_request *req);

/* web_source.c: who asks, of whom, and by what; see web_client_of. */
int web_client(const struct web *w, struct evhttp_request *req,
	struct web_client *out, const char **why);
/* The address that a request comes from; family 0 if none. */
void web_source(const struct web *w, struct evhttp_request *req,
	union io_addr *out);

/* web_limit.c */
/* Takes what the request costs its source; false if it was refused, and
 * answered. */
bool web_admits(struct web *w, struct evhttp_request *req, uint32_t cost);
/* The same for a connection without any; false: to be closed. */
bool web_admits_fd(struct web *w, int fd);
void web_refused(struct web *w, const union io_addr *from,
	enum web_refusal why, const char *text);

/* web_ws.c: answers an upgrade request at /ws and takes it over. */
void web_ws_upgrade(struct web *w, struct evhttp_request *req);
void web_ws_ping_all(struct web *w);
void web_ws_free_all(struct web *w);

#endif
