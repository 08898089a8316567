/* load_ws_priv - a client's WebSocket (RFC 6455), and TLS below it. */
#ifndef LOAD_WS_PRIV_H
#define LOAD_WS_PRIV_H

#include "base.h"
#include "io.h"
#include "load_link_priv.h"

struct load_ws;

struct load_ws_events {
	void (*on_open)(void *arg);
	void (*on_text)(void *arg, const char *p, size_t n);
	/* Comes once, unless freed before; reason is for people. status is an
	 * exit status: 1 refused, 75 lost or not reached. */
	void (*on_close)(void *arg, int status, const char *reason);
};
#define LOAD_WS_ADDRS 4u
struct load_ws_to {
	const struct load_link *link;
	union io_addr addr[LOAD_WS_ADDRS]; /* tried in turn */
	unsigned n_addrs;
	void *tls; /* SSL_CTX, or NULL */
};
/* to is lent for life. */
struct load_ws *load_ws_new(struct io_loop *l, const struct load_ws_to *to,
	const struct load_ws_events *ev, void *arg);
int load_ws_send(struct load_ws *ws, const void *p, size_t n);
/* Lets what is queued go out. */
void load_ws_free(struct load_ws *ws);

/* TLS as bytes in and bytes out. */
struct load_tls;
void *load_tls_ctx(bool verify); /* SSL_CTX; NULL with errno */
void load_tls_ctx_free(void *ctx);
struct load_tls *load_tls_new(void *ctx, const char *host);
void load_tls_free(struct load_tls *t);
/* Cipher text in; what it held is appended to plain, what is to be sent to
 * cipher. 0, -EPROTO with load_tls_error, -ENOMEM; -EPIPE ended. */
int load_tls_feed(struct load_tls *t, const uint8_t *p, size_t n,
	struct buf *plain, struct buf *cipher);
/* Plain text to be sent; waits for the handshake. */
int load_tls_put(struct load_tls *t, const uint8_t *p, size_t n,
	struct buf *cipher);
const char *load_tls_error(const struct load_tls *t);

#endif
