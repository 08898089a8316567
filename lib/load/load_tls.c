/* load_tls - a TLS client over OpenSSL's memory BIOs. */
#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "load_priv.h"
#include "load_ws_priv.h"

struct load_tls {
	SSL *ssl;
	struct buf waiting; /* until the handshake is done */
	char error[120];
};

void *load_tls_ctx(bool verify)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

	if (!ctx) {
		errno = ENOMEM;
		return NULL;
	}
	SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
	SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
	if (verify) {
		SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
		SSL_CTX_set_default_verify_paths(ctx);
	}
	return ctx;
}

void load_tls_ctx_free(void *ctx)
{
	SSL_CTX_free(ctx);
}

static bool is_address(const char *host)
{
	uint8_t bytes[16];

	return inet_pton(AF_INET, host, bytes) == 1 ||
		inet_pton(AF_INET6, host, bytes) == 1;
}

static bool name_it(SSL *ssl, const char *host)
{
	if (is_address(host))
		return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl),
			host) == 1;
	return SSL_set_tlsext_host_name(ssl, host) == 1 &&
		SSL_set1_host(ssl, host) == 1;
}

struct load_tls *load_tls_new(void *ctx, const char *host)
{
	struct load_tls *t = calloc(1, sizeof *t);
	BIO *in = BIO_new(BIO_s_mem()), *out = BIO_new(BIO_s_mem());

	if (t)
		t->ssl = SSL_new(ctx);
	if (!t || !t->ssl || !in || !out || !name_it(t->ssl, host)) {
		BIO_free(in);
		BIO_free(out);
		load_tls_free(t);
		errno = ENOMEM;
		return NULL;
	}
	SSL_set_bio(t->ssl, in, out);
	SSL_set_connect_state(t->ssl);
	return t;
}

void load_tls_free(struct load_tls *t)
{
	if (!t)
		return;
	SSL_free(t->ssl);
	buf_free(&t->waiting);
	free(t);
}

const char *load_tls_error(const struct load_tls *t)
{
	return t->error;
}

static int drain(struct load_tls *t, struct buf *cipher)
{
	BIO *out = SSL_get_wbio(t->ssl);
	size_t n = BIO_ctrl_pending(out);
	int got;

	if (!n)
		return 0;
	if (buf_reserve(cipher, n))
		return -ENOMEM;
	got = BIO_read(out, cipher->data + cipher->len, (int)n);
	cipher->len += got > 0 ? (size_t)got : 0;
	return 0;
}

/* What SSL_do_handshake, SSL_read or SSL_write says. */
static int judge(struct load_tls *t, int rc)
{
	int why = SSL_get_error(t->ssl, rc);
	long verify = SSL_get_verify_result(t->ssl);

	if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE)
		return 0;
	if (why == SSL_ERROR_ZERO_RETURN)
		return -EPIPE;
	if (verify != X509_V_OK)
		snprintf(t->error, sizeof t->error, "certificate: %s",
			X509_verify_cert_error_string(verify));
	else
		snprintf(t->error, sizeof t->error, "TLS: %s",
			ERR_reason_error_string(ERR_peek_error()) ?
			ERR_reason_error_string(ERR_peek_error()) :
			"no reason");
	ERR_clear_error();
	return -EPROTO;
}

static int shake_hands(struct load_tls *t, struct buf *cipher)
{
	int rc = SSL_do_handshake(t->ssl), err;

	if (rc != 1) {
		err = judge(t, rc);
		return err ? err : drain(t, cipher);
	}
	err = t->waiting.len ? load_tls_put(t, t->waiting.data,
		t->waiting.len, cipher) : 0;
	buf_free(&t->waiting);
	return err ? err : drain(t, cipher);
}

int load_tls_feed(struct load_tls *t, const uint8_t *p, size_t n,
	struct buf *plain, struct buf *cipher)
{
	int rc, err = 0;

	if (n && BIO_write(SSL_get_rbio(t->ssl), p, (int)n) != (int)n)
		return -ENOMEM;
	if (!SSL_is_init_finished(t->ssl))
		err = shake_hands(t, cipher);
	while (!err && SSL_is_init_finished(t->ssl)) {
		if (buf_reserve(plain, 4096))
			return -ENOMEM;
		rc = SSL_read(t->ssl, plain->data + plain->len, 4096);
		if (rc <= 0) {
			err = judge(t, rc);
			break;
		}
		plain->len += (size_t)rc;
	}
	rc = drain(t, cipher); /* an alert too */
	return err ? err : rc;
}

int load_tls_put(struct load_tls *t, const uint8_t *p, size_t n,
	struct buf *cipher)
{
	int rc;

	if (!SSL_is_init_finished(t->ssl)) {
		buf_put(&t->waiting, p, n);
		return t->waiting.err;
	}
	rc = SSL_write(t->ssl, p, (int)n);
	if (rc != (int)n)
		return judge(t, rc) == 0 ? -ENOMEM : -EPROTO;
	return drain(t, cipher);
}
