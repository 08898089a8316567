/* TLS by OpenSSL inside bufferevents. A deadline for each connection hangs
 * on its SSL object, whose end is the only one of a connection that evhttp
 * lets us see; so plain HTTP has none. Its beginning we do not see either:
 * the deadline is over at once the first time, which is before the first
 * byte is read, and then whom it is from decides whether it may go on. */
#include <openssl/err.h>
#include "web_priv.h"

struct deadline {
	struct web *web;
	struct bufferevent *bev; /* lives as long as the SSL object */
	struct io_timer *timer;
	bool admitted;
};

static int deadline_index = -1;

static void deadline_passed(void *arg)
{
	struct deadline *d = arg;
	evutil_socket_t fd = bufferevent_getfd(d->bev);
	const SSL *ssl = bufferevent_openssl_get_ssl(d->bev);
	union io_addr from = {0};
	socklen_t n = sizeof(from);

	if (!d->admitted && web_admits_fd(d->web, fd)) {
		d->admitted = true;
		io_timer_in(d->timer, WEB_REQUEST_MS);
		return;
	}
	/* Browsers connect in advance and say nothing; what they never do is
	 * not to finish the handshake. */
	if (d->admitted && ssl && !SSL_is_init_finished(ssl) &&
		getpeername(fd, &from.sa, &n) == 0 &&
		!web_nets_have(d->web->trust, d->web->n_trust, &from))
		web_refused(d->web, &from, WEB_SLOW, NULL);
	/* evhttp closes the connection, and this with it. */
	bufferevent_trigger_event(d->bev, BEV_EVENT_READING |
		BEV_EVENT_TIMEOUT, 0);
}

static void deadline_free(void *ssl, void *ptr, CRYPTO_EX_DATA *ad, int idx,
	long argl, void *argp)
{
	struct deadline *d = ptr;

	(void)ssl, (void)ad, (void)idx, (void)argl, (void)argp;
	if (!d)
		return;
	io_timer_free(d->timer);
	free(d);
}

SSL_CTX *web_tls_new(const struct cert *cert)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	X509 *more;

	if (!ctx)
		return NULL;
	if (deadline_index < 0)
		deadline_index = SSL_get_ex_new_index(0, NULL, NULL, NULL,
			deadline_free);
	SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
	SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION |
		SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE);
	SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_cipher_list(ctx, "ECDHE+AESGCM:ECDHE+CHACHA20");
	if (SSL_CTX_use_certificate(ctx, cert_x509(cert)) != 1 ||
		SSL_CTX_use_PrivateKey(ctx, cert_pkey(cert)) != 1 ||
		SSL_CTX_check_private_key(ctx) != 1)
		goto fail;
	for (size_t i = 0; (more = cert_chain(cert, i)); i++)
		if (SSL_CTX_add1_chain_cert(ctx, more) != 1)
			goto fail;
	return ctx;
fail:
	ERR_clear_error();
	SSL_CTX_free(ctx);
	errno = EINVAL;
	return NULL;
}

struct bufferevent *web_tls_bev(struct web *w, struct event_base *base)
{
	SSL *ssl = SSL_new(w->tls);
	struct deadline *d = calloc(1, sizeof(*d));
	struct bufferevent *bev = NULL;

	if (d)
		d->timer = io_timer_new(w->loop, deadline_passed, d);
	if (ssl && d && d->timer && SSL_set_ex_data(ssl, deadline_index, d))
		bev = bufferevent_openssl_socket_new(base, -1, ssl,
			BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_CLOSE_ON_FREE);
	if (!bev) {
		if (!ssl || SSL_get_ex_data(ssl, deadline_index) != d)
			deadline_free(NULL, d, NULL, 0, 0, NULL);
		SSL_free(ssl);
		return NULL;
	}
	d->web = w;
	d->bev = bev;
	bufferevent_openssl_set_allow_dirty_shutdown(bev, 1);
	io_timer_in(d->timer, 0);
	return bev;
}

void web_tls_deadline(struct bufferevent *bev, uint64_t in_ms)
{
	SSL *ssl = bufferevent_openssl_get_ssl(bev);
	struct deadline *d = ssl ? SSL_get_ex_data(ssl, deadline_index) : NULL;

	if (!d)
		return;
	if (in_ms)
		io_timer_in(d->timer, in_ms);
	else
		io_timer_stop(d->timer);
}
