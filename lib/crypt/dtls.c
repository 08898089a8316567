/* dtls - over OpenSSL with a pair of memory BIOs for each association. */
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "base.h"
#include "cert.h"
#include "dtls.h"

#define RECORD_HEADER     13    /* RFC 6347 section 4.1 */
#define INPUT_MAX         8192  /* of a datagram; real ones are below 1,500 */
#define PEER_CERT_MAX     16384 /* bytes of the peer's certificate message */
#define FLIGHT_US         50000u
#define FLIGHT_MAX_US     2000000u
#define NEVER             UINT64_MAX

#define KEY_LABEL         "EXTRACTOR-dtls_srtp" /* RFC 5764 section 4.2 */

struct dtls_ctx {
	SSL_CTX *ssl;
};

struct dtls {
	SSL *ssl;
	BIO *in;  /* both owned by ssl */
	BIO *out;
	enum dtls_state state;
	const char *error;
	bool begun;
	uint64_t limit_ns;    /* by when the handshake must be done */
	uint64_t deadline_ns;
	size_t n_expected;
	uint8_t expected[DTLS_FINGERPRINTS][SHA256_BYTES];
	uint8_t shown[SHA256_BYTES]; /* the peer's certificate */
	size_t lent; /* bytes at the front of flight that were handed out */
	struct buf flight;
};

/* In constant time over all of them, although hashes are no secrets: it
 * costs nothing, and nobody has to argue about it. */
static bool is_expected(const struct dtls *d)
{
	bool found = false;

	for (size_t i = 0; i < d->n_expected; i++)
		found |= mem_equal_ct(d->expected[i], d->shown, SHA256_BYTES);
	return found;
}

static void fail(struct dtls *d, const char *why)
{
	d->state = DTLS_FAILED;
	d->error = why;
	d->deadline_ns = NEVER;
}

/* Takes the place of the verification of a chain: what counts is the hash
 * alone. Its owner has proved to have the key when the handshake is over. */
static int verify(X509_STORE_CTX *store, void *arg)
{
	SSL *ssl = X509_STORE_CTX_get_ex_data(store,
		SSL_get_ex_data_X509_STORE_CTX_idx());
	struct dtls *d = SSL_get_app_data(ssl);
	X509 *x = X509_STORE_CTX_get0_cert(store);
	unsigned n = 0;

	(void)arg;
	if (!x || X509_digest(x, EVP_sha256(), d->shown, &n) != 1 ||
	    n != SHA256_BYTES) {
		X509_STORE_CTX_set_error(store, X509_V_ERR_OUT_OF_MEM);
		return 0;
	}
	if (d->n_expected && !is_expected(d)) {
		d->error = "fingerprint does not match";
		X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_REJECTED);
		return 0;
	}
	X509_STORE_CTX_set_error(store, X509_V_OK);
	return 1;
}

static unsigned flight_timer(SSL *ssl, unsigned us)
{
	(void)ssl;
	return us ? MIN(us * 2, FLIGHT_MAX_US) : FLIGHT_US;
}

static int configure(SSL_CTX *s, const struct cert *c)
{
	SSL_CTX_set_options(s, SSL_OP_NO_QUERY_MTU | SSL_OP_NO_TICKET |
		SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
		SSL_OP_CIPHER_SERVER_PREFERENCE);
	SSL_CTX_set_session_cache_mode(s, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_max_cert_list(s, PEER_CERT_MAX);
	SSL_CTX_set_cert_verify_callback(s, verify, NULL);
	SSL_CTX_set_verify(s, SSL_VERIFY_PEER |
		SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	return SSL_CTX_set_min_proto_version(s, DTLS1_2_VERSION) == 1 &&
		SSL_CTX_set_cipher_list(s,
			"ECDHE+AESGCM:ECDHE+CHACHA20") == 1 &&
		SSL_CTX_set1_groups_list(s, "X25519:P-256:P-384") == 1 &&
		SSL_CTX_use_certificate(s, cert_x509(c)) == 1 &&
		SSL_CTX_use_PrivateKey(s, cert_pkey(c)) == 1 &&
		/* This one returns 0 for success. */
		SSL_CTX_set_tlsext_use_srtp(s, "SRTP_AEAD_AES_128_GCM:"
			"SRTP_AES128_CM_SHA1_80") == 0;
}

struct dtls_ctx *dtls_ctx_new(const struct cert *c)
{
	struct dtls_ctx *ctx = calloc(1, sizeof *ctx);

	if (!ctx)
		return NULL;
	ctx->ssl = SSL_CTX_new(DTLS_method());
	if (!ctx->ssl || !configure(ctx->ssl, c)) {
		dtls_ctx_free(ctx);
		ERR_clear_error();
		errno = ENOMEM;
		return NULL;
	}
	return ctx;
}

void dtls_ctx_free(struct dtls_ctx *ctx)
{
	if (!ctx)
		return;
	SSL_CTX_free(ctx->ssl);
	free(ctx);
}

struct dtls *dtls_new(struct dtls_ctx *ctx, enum dtls_role role)
{
	struct dtls *d = calloc(1, sizeof *d);

	if (!d)
		return NULL;
	d->deadline_ns = NEVER;
	d->ssl = SSL_new(ctx->ssl);
	d->in = BIO_new(BIO_s_mem());
	d->out = BIO_new(BIO_s_mem());
	if (!d->ssl || !d->in || !d->out) {
		BIO_free(d->in);
		BIO_free(d->out);
		SSL_free(d->ssl);
		free(d);
		ERR_clear_error();
		errno = ENOMEM;
		return NULL;
	}
	/* Empty is "try again", not end of file. */
	BIO_set_mem_eof_return(d->in, -1);
	BIO_set_mem_eof_return(d->out, -1);
	SSL_set_bio(d->ssl, d->in, d->out);
	SSL_set_app_data(d->ssl, d);
	SSL_set_mtu(d->ssl, DTLS_MTU);
	DTLS_set_timer_cb(d->ssl, flight_timer);
	if (role == DTLS_CLIENT)
		SSL_set_connect_state(d->ssl);
	else
		SSL_set_accept_state(d->ssl);
	return d;
}

void dtls_free(struct dtls *d)
{
	if (!d)
		return;
	SSL_free(d->ssl);
	buf_free(&d->flight);
	free(d);
}

static bool is_over(const struct dtls *d)
{
	return d->state == DTLS_CLOSED || d->state == DTLS_FAILED;
}

/* Complete: is it whom we expect? The check was made during the handshake
 * already if a fingerprint was known then. */
static void settle(struct dtls *d)
{
	if (!d->n_expected)
		d->state = DTLS_UNVERIFIED;
	else if (is_expected(d))
		d->state = DTLS_OPEN;
	else
		fail(d, "fingerprint does not match");
}

int dtls_expect(struct dtls *d, const uint8_t sha256[static SHA256_BYTES])
{
	if (d->n_expected == DTLS_FINGERPRINTS)
		return -ENOSPC;
	memcpy(d->expected[d->n_expected++], sha256, SHA256_BYTES);
	if (d->state == DTLS_UNVERIFIED && is_expected(d))
		d->state = DTLS_OPEN;
	return 0;
}

static void set_deadline(struct dtls *d, uint64_t now_ns)
{
	struct timeval tv;

	d->deadline_ns = NEVER;
	if (is_over(d))
		return;
	if (DTLSv1_get_timeout(d->ssl, &tv))
		d->deadline_ns = now_ns + (uint64_t)tv.tv_sec * NS_PER_S +
			(uint64_t)tv.tv_usec * 1000;
	if (d->begun && d->state == DTLS_HANDSHAKE)
		d->deadline_ns = MIN(d->deadline_ns, d->limit_ns);
}

static void fail_ssl(struct dtls *d, int ret)
{
	int e = SSL_get_error(d->ssl, ret);
	unsigned long code = ERR_peek_error();
	const char *why = code ? ERR_reason_error_string(code) : NULL;

	if (e == SSL_ERROR_WANT_READ || e == SSL_ERROR_WANT_WRITE)
		return;
	if (e == SSL_ERROR_ZERO_RETURN) {
		d->state = DTLS_CLOSED;
		return;
	}
	fail(d, d->error ? d->error : why ? why : "handshake failed");
}

/* Lets OpenSSL take what is in the input. Data under DTLS itself (SCTP of a
 * data channel) are of no use to us and thrown away. */
static void pump(struct dtls *d)
{
	uint8_t waste[2048];
	int ret;

	ERR_clear_error();
	if (d->state == DTLS_HANDSHAKE) {
		ret = SSL_do_handshake(d->ssl);
		if (ret == 1)
			settle(d);
		else
			fail_ssl(d, ret);
	}
	while (!is_over(d) && d->state != DTLS_HANDSHAKE) {
		ret = SSL_read(d->ssl, waste, sizeof waste);
		if (ret <= 0) {
			fail_ssl(d, ret);
			break;
		}
	}
	ERR_clear_error();
}

static void begin(struct dtls *d, uint64_t now_ns)
{
	if (d->begun)
		return;
	d->begun = true;
	d->limit_ns = now_ns + DTLS_HANDSHAKE_MAX_MS * NS_PER_MS;
}

int dtls_start(struct dtls *d, uint64_t now_ns)
{
	if (is_over(d))
		return -EPROTO;
	if (SSL_is_server(d->ssl) || d->begun)
		return 0;
	begin(d, now_ns);
	pump(d);
	set_deadline(d, now_ns);
	return is_over(d) ? -EPROTO : 0;
}

bool dtls_is_datagram(const uint8_t *p, size_t n)
{
	return n >= RECORD_HEADER && p[0] >= 20 && p[0] <= 63;
}

/* A fragment of a ClientHello in the clear. Until one comes a server looks
 * at nothing else, or a stray alert would end what has not begun. */
static bool is_hello(const uint8_t *p, size_t n)
{
	return n > RECORD_HEADER && p[0] == SSL3_RT_HANDSHAKE &&
		!be16(p + 3) && p[RECORD_HEADER] == SSL3_MT_CLIENT_HELLO;
}

/* Bytes that a suite of ours adds to what it encrypts: RFC 5288 section 3,
 * RFC 7905 section 2. */
static size_t overhead(const SSL *ssl)
{
	const SSL_CIPHER *c = SSL_get_current_cipher(ssl);

	if (!c)
		c = SSL_get_pending_cipher(ssl);
	return c && SSL_CIPHER_get_cipher_nid(c) == NID_chacha20_poly1305 ?
		16 : 8 + 16;
}

/* A record too short to be encrypted, which anybody can send, makes OpenSSL
 * 3.0 give up the association, or hear nothing more. */
static bool has_stump(const struct dtls *d, const uint8_t *p, size_t n)
{
	size_t least = overhead(d->ssl), len;

	for (; n >= RECORD_HEADER; p += len, n -= len) {
		len = be16(p + RECORD_HEADER - 2);
		if (be16(p + 3) && len < least)
			return true;
		len = MIN(len + RECORD_HEADER, n);
	}
	return false;
}

int dtls_input(struct dtls *d, const uint8_t *p, size_t n, uint64_t now_ns)
{
	if (is_over(d))
		return -EPROTO;
	if (!dtls_is_datagram(p, n) || n > INPUT_MAX || has_stump(d, p, n))
		return 0;
	if (!d->begun && !is_hello(p, n))
		return 0;
	begin(d, now_ns);
	/* A memory BIO forgets where datagrams end, so there is never more
	 * than one in it, and what OpenSSL has left of it is garbage. */
	(void)BIO_reset(d->in);
	if (BIO_write(d->in, p, (int)n) != (int)n) {
		fail(d, "out of memory");
		return -EPROTO;
	}
	pump(d);
	set_deadline(d, now_ns);
	return is_over(d) ? -EPROTO : 0;
}

int dtls_tick(struct dtls *d, uint64_t now_ns)
{
	if (is_over(d))
		return -EPROTO;
	if (now_ns < d->deadline_ns)
		return 0;
	ERR_clear_error();
	if (d->state == DTLS_HANDSHAKE && d->begun && now_ns >= d->limit_ns)
		fail(d, "the handshake took too long");
	else if (DTLSv1_handle_timeout(d->ssl) < 0)
		fail(d, "the peer is silent");
	ERR_clear_error();
	set_deadline(d, now_ns);
	return d->state == DTLS_FAILED ? -ETIMEDOUT : 0;
}

uint64_t dtls_deadline(const struct dtls *d)
{
	return d->deadline_ns;
}

/* Bytes of the whole records at p that fit into one datagram. A record that
 * does not fit or is cut (OpenSSL makes neither) would go out alone. */
static size_t datagram_len(const uint8_t *p, size_t n)
{
	size_t len = 0, record;

	while (n - len >= RECORD_HEADER) {
		record = RECORD_HEADER + be16(p + len + RECORD_HEADER - 2);
		if (record > n - len || (len && len + record > DTLS_MTU))
			break;
		len += record;
	}
	return len ? len : n;
}

const uint8_t *dtls_output(struct dtls *d, size_t *n)
{
	char *p = NULL;
	long waiting;

	buf_consume(&d->flight, d->lent);
	d->lent = 0;
	waiting = BIO_get_mem_data(d->out, &p);
	if (waiting > 0) {
		buf_put(&d->flight, p, (size_t)waiting);
		(void)BIO_reset(d->out);
	}
	if (d->flight.err)
		buf_clear(&d->flight); /* lost, as on the net; it is repeated */
	*n = 0;
	if (!d->flight.len)
		return NULL;
	*n = d->lent = datagram_len(d->flight.data, d->flight.len);
	return d->flight.data;
}

void dtls_close(struct dtls *d)
{
	if (is_over(d))
		return;
	ERR_clear_error();
	if (d->state != DTLS_HANDSHAKE)
		SSL_shutdown(d->ssl);
	ERR_clear_error();
	d->state = DTLS_CLOSED;
	d->deadline_ns = NEVER;
}

enum dtls_state dtls_state(const struct dtls *d)
{
	return d->state;
}

const char *dtls_error(const struct dtls *d)
{
	return d->state == DTLS_FAILED ? d->error : NULL;
}

static enum srtp_suite suite_of(SSL *ssl)
{
	const SRTP_PROTECTION_PROFILE *p = SSL_get_selected_srtp_profile(ssl);

	if (p && p->id == SRTP_AEAD_AES_128_GCM)
		return SRTP_SUITE_GCM_128;
	if (p && p->id == SRTP_AES128_CM_SHA1_80)
		return SRTP_SUITE_CM_SHA1_80;
	return SRTP_SUITE_NONE;
}

/* The exporter gives client key, server key, client salt, server salt. */
int dtls_srtp_keys(const struct dtls *d, struct srtp_keys *out)
{
	uint8_t m[2 * (SRTP_KEY_BYTES + SRTP_SALT_MAX)];
	size_t salt;
	struct srtp_key *client, *server;

	memset(out, 0, sizeof *out);
	if (d->state == DTLS_HANDSHAKE)
		return -EAGAIN;
	if (d->state != DTLS_OPEN)
		return -EACCES;
	out->suite = suite_of(d->ssl);
	if (out->suite == SRTP_SUITE_NONE)
		return -ENOPROTOOPT;
	salt = out->suite == SRTP_SUITE_GCM_128 ? 12 : 14;
	if (SSL_export_keying_material(d->ssl, m, 2 * (SRTP_KEY_BYTES + salt),
		KEY_LABEL, sizeof KEY_LABEL - 1, NULL, 0, 0) != 1) {
		ERR_clear_error();
		memset(out, 0, sizeof *out);
		return -ENOMEM;
	}
	client = SSL_is_server(d->ssl) ? &out->rx : &out->tx;
	server = SSL_is_server(d->ssl) ? &out->tx : &out->rx;
	memcpy(client->key, m, SRTP_KEY_BYTES);
	memcpy(server->key, m + SRTP_KEY_BYTES, SRTP_KEY_BYTES);
	memcpy(client->salt, m + 2 * SRTP_KEY_BYTES, salt);
	memcpy(server->salt, m + 2 * SRTP_KEY_BYTES + salt, salt);
	explicit_bzero(m, sizeof m);
	return 0;
}
