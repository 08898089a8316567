/* DTLS between two of ours, and between one of ours and OpenSSL used by
 * hand, over a net in memory that loses, reorders and cuts. The clock is the
 * real one, since OpenSSL decides by it when to repeat a flight. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <openssl/ssl.h>
#include <time.h>

#include "base.h"
#include "cert.h"
#include "dtls.h"

#define DAY_MS    UINT64_C(86400000)
#define NET_MAX   256
#define LONG_NS   (UINT64_C(30) * NS_PER_S)

static struct cert *certs[3];
static struct dtls_ctx *ctxs[3];

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

static void sleep_until(uint64_t at)
{
	uint64_t t = now();
	struct timespec d;

	if (at <= t)
		return;
	d.tv_sec = (time_t)((at - t) / NS_PER_S);
	d.tv_nsec = (long)((at - t) % NS_PER_S);
	nanosleep(&d, NULL);
}

static int setup(void **state)
{
	struct cert_spec s = {.cn = "test", .not_after_ms = 40000 * DAY_MS};

	(void)state;
	for (int i = 0; i < 3; i++) {
		certs[i] = cert_make(&s);
		ctxs[i] = certs[i] ? dtls_ctx_new(certs[i]) : NULL;
		if (!ctxs[i])
			return -1;
	}
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		dtls_ctx_free(ctxs[i]);
		cert_free(certs[i]);
	}
	return 0;
}

static void expect(struct dtls *d, int cert)
{
	uint8_t h[SHA256_BYTES];

	cert_sha256(certs[cert], h);
	assert_int_equal(dtls_expect(d, h), 0);
}

/* ---- a net ---- */

struct net {
	struct dtls *end[2]; /* 0 client, 1 server */
	unsigned sent;       /* datagrams so far, both ways */
	unsigned lose_nth;   /* this one is lost; 0: none */
	unsigned loss_percent;
	bool reverse;        /* each flight arrives last datagram first */
	bool twice;
	struct rng rng;
};

static bool lost(struct net *t)
{
	return ++t->sent == t->lose_nth ||
		rng_below(&t->rng, 100) < t->loss_percent;
}

/* Carries what end i has to say; true if there was something. */
static bool carry(struct net *t, int i)
{
	static uint8_t data[NET_MAX][DTLS_MTU];
	size_t len[NET_MAX], n = 0, count = 0;
	const uint8_t *p;

	while ((p = dtls_output(t->end[i], &n))) {
		assert_true(n > 0 && n <= DTLS_MTU && count < NET_MAX);
		if (lost(t))
			continue;
		memcpy(data[count], p, n);
		len[count++] = n;
	}
	for (size_t k = 0; k < count; k++) {
		size_t j = t->reverse ? count - 1 - k : k;

		dtls_input(t->end[!i], data[j], len[j], now());
		if (t->twice)
			dtls_input(t->end[!i], data[j], len[j], now());
	}
	return t->sent && count;
}

static bool settled(const struct net *t)
{
	return dtls_state(t->end[0]) != DTLS_HANDSHAKE &&
		dtls_state(t->end[1]) != DTLS_HANDSHAKE;
}

static void run(struct net *t)
{
	uint64_t end = now() + LONG_NS;

	assert_int_equal(dtls_start(t->end[0], now()), 0);
	assert_int_equal(dtls_start(t->end[1], now()), 0);
	while (now() < end) {
		bool any = carry(t, 0);

		any |= carry(t, 1);
		if (any)
			continue;
		if (settled(t))
			return;
		sleep_until(MIN(dtls_deadline(t->end[0]),
			dtls_deadline(t->end[1])));
		dtls_tick(t->end[0], now());
		dtls_tick(t->end[1], now());
	}
	fail_msg("no end of the handshake");
}

static struct net net_of(void)
{
	struct net t = {.end = {dtls_new(ctxs[0], DTLS_CLIENT),
		dtls_new(ctxs[1], DTLS_SERVER)}};

	assert_non_null(t.end[0]);
	assert_non_null(t.end[1]);
	rng_seed(&t.rng, 1);
	return t;
}

static void net_free(struct net *t)
{
	dtls_free(t->end[0]);
	dtls_free(t->end[1]);
}

static void keys_match(const struct net *t, enum srtp_suite suite)
{
	struct srtp_keys a, b;

	assert_int_equal(dtls_srtp_keys(t->end[0], &a), 0);
	assert_int_equal(dtls_srtp_keys(t->end[1], &b), 0);
	assert_int_equal(a.suite, suite);
	assert_int_equal(b.suite, suite);
	assert_memory_equal(&a.tx, &b.rx, sizeof a.tx);
	assert_memory_equal(&a.rx, &b.tx, sizeof a.tx);
	assert_memory_not_equal(&a.rx, &a.tx, sizeof a.tx);
}

static void both_open(struct net *t)
{
	expect(t->end[0], 1);
	expect(t->end[1], 0);
	run(t);
	assert_int_equal(dtls_state(t->end[0]), DTLS_OPEN);
	assert_int_equal(dtls_state(t->end[1]), DTLS_OPEN);
	keys_match(t, SRTP_SUITE_GCM_128);
}

/* ---- two of ours ---- */

static void two_ends_agree_on_keys(void **state)
{
	struct net t = net_of();

	(void)state;
	both_open(&t);
	assert_true(dtls_deadline(t.end[0]) == UINT64_MAX);
	assert_true(dtls_deadline(t.end[1]) == UINT64_MAX);
	assert_null(dtls_error(t.end[0]));

	dtls_close(t.end[0]);
	assert_true(carry(&t, 0));
	assert_int_equal(dtls_state(t.end[0]), DTLS_CLOSED);
	assert_int_equal(dtls_state(t.end[1]), DTLS_CLOSED);
	net_free(&t);
}

static void any_one_datagram_may_be_lost(void **state)
{
	unsigned n;

	(void)state;
	for (n = 1;; n++) {
		struct net t = net_of();

		t.lose_nth = n;
		both_open(&t);
		net_free(&t);
		if (t.sent < n)
			break;
	}
	assert_true(n > 4);
}

static void a_third_of_all_may_be_lost(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 6; seed++) {
		struct net t = net_of();

		rng_seed(&t.rng, seed);
		t.loss_percent = 33;
		both_open(&t);
		net_free(&t);
	}
}

static void order_and_number_do_not_matter(void **state)
{
	struct net t = net_of();

	(void)state;
	t.reverse = true;
	both_open(&t);
	net_free(&t);
	t = net_of();
	t.twice = true;
	both_open(&t);
	net_free(&t);
}

static void a_wrong_fingerprint_gets_no_keys(void **state)
{
	struct srtp_keys k;

	(void)state;
	for (int wrong = 0; wrong < 2; wrong++) {
		struct net t = net_of();

		expect(t.end[wrong], 2);
		expect(t.end[!wrong], wrong);
		run(&t);
		assert_int_equal(dtls_state(t.end[wrong]), DTLS_FAILED);
		assert_string_equal(dtls_error(t.end[wrong]),
			"fingerprint does not match");
		assert_int_equal(dtls_state(t.end[!wrong]), DTLS_FAILED);
		assert_int_equal(dtls_srtp_keys(t.end[0], &k), -EACCES);
		assert_int_equal(dtls_srtp_keys(t.end[1], &k), -EACCES);
		assert_int_equal(k.suite, SRTP_SUITE_NONE);
		assert_int_equal(dtls_input(t.end[0], (const uint8_t *)"x", 1,
			now()), -EPROTO);
		net_free(&t);
	}
}

static void one_of_several_fingerprints_suffices(void **state)
{
	struct net t = net_of();
	uint8_t h[SHA256_BYTES] = {0};

	(void)state;
	expect(t.end[1], 2);
	for (int i = 2; i < DTLS_FINGERPRINTS; i++)
		assert_int_equal(dtls_expect(t.end[1], h), 0);
	both_open(&t);
	assert_int_equal(dtls_expect(t.end[1], h), -ENOSPC);
	net_free(&t);
}

static void a_late_fingerprint_opens_late(void **state)
{
	struct net t = net_of();
	struct srtp_keys k;

	(void)state;
	expect(t.end[1], 0);
	assert_int_equal(dtls_srtp_keys(t.end[0], &k), -EAGAIN);
	run(&t);
	assert_int_equal(dtls_state(t.end[0]), DTLS_UNVERIFIED);
	assert_int_equal(dtls_srtp_keys(t.end[0], &k), -EACCES);
	expect(t.end[0], 2);
	assert_int_equal(dtls_state(t.end[0]), DTLS_UNVERIFIED);
	assert_int_equal(dtls_srtp_keys(t.end[0], &k), -EACCES);
	expect(t.end[0], 1);
	assert_int_equal(dtls_state(t.end[0]), DTLS_OPEN);
	keys_match(&t, SRTP_SUITE_GCM_128);
	net_free(&t);
}

/* Rubbish, and true datagrams with a bit changed, before and between the
 * sound ones, must not answer, crash or (but for an alert in the clear,
 * which anyone on the path may forge) end it. */
static void rubbish_is_ignored(void **state)
{
	static const uint8_t alert[] = {21, 254, 253, 0, 0, 0, 0, 0, 0, 0, 9,
		0, 2, 1, 90};
	struct net t = net_of();
	uint8_t junk[1500];
	size_t n;

	(void)state;
	for (int i = 0; i < 2000; i++) {
		size_t len = rng_below(&t.rng, sizeof junk);

		rng_bytes(&t.rng, junk, len);
		if (len && i % 2)
			junk[0] = (uint8_t)(20 + i % 44);
		assert_int_equal(dtls_input(t.end[1], junk, len, now()), 0);
		assert_null(dtls_output(t.end[1], &n));
		assert_int_equal(n, 0);
	}
	assert_int_equal(dtls_input(t.end[1], alert, sizeof alert, now()), 0);
	both_open(&t);
	for (int i = 0; i < 2000; i++) {
		size_t len = rng_below(&t.rng, sizeof junk);

		rng_bytes(&t.rng, junk, len);
		if (len > 12 && i % 2) {
			junk[0] = (uint8_t)(20 + i % 6);
			memcpy(junk + 1, "\xfe\xfd\0\1\0\0\0\0\0\x63", 10);
			be16_put(junk + 11, (uint16_t)(len - 13));
		}
		assert_int_equal(dtls_input(t.end[1], junk, len, now()), 0);
	}
	assert_int_equal(dtls_state(t.end[1]), DTLS_OPEN);
	dtls_close(t.end[0]); /* what is true is still understood */
	carry(&t, 0);
	assert_int_equal(dtls_state(t.end[1]), DTLS_CLOSED);
	net_free(&t);
}

static void changed_bits_never_open_a_wrong_one(void **state)
{
	struct rng r;

	(void)state;
	rng_seed(&r, 5);
	for (int i = 0; i < 60; i++) {
		struct net t = net_of();
		const uint8_t *p;
		uint8_t bad[DTLS_MTU];
		size_t n;

		expect(t.end[0], 1);
		expect(t.end[1], 2); /* never shown */
		dtls_start(t.end[0], now());
		for (int k = 0; k < 12; k++) {
			while ((p = dtls_output(t.end[k % 2], &n))) {
				memcpy(bad, p, n);
				if (rng_below(&r, 4) == 0)
					bad[rng_below(&r, n)] ^= (uint8_t)(
						1u << rng_below(&r, 8));
				dtls_input(t.end[!(k % 2)], bad, n, now());
			}
		}
		assert_int_not_equal(dtls_state(t.end[1]), DTLS_OPEN);
		net_free(&t);
	}
}

static void a_silent_peer_times_out(void **state)
{
	struct dtls *d = dtls_new(ctxs[0], DTLS_CLIENT);
	uint64_t t = now();
	size_t n;

	(void)state;
	assert_int_equal(dtls_start(d, t), 0);
	assert_non_null(dtls_output(d, &n));
	assert_true(dtls_deadline(d) > t);
	assert_true(dtls_deadline(d) <= t + 60 * NS_PER_MS);
	assert_int_equal(dtls_tick(d, t), 0);
	assert_null(dtls_output(d, &n));
	sleep_until(dtls_deadline(d));
	assert_int_equal(dtls_tick(d, now()), 0);
	assert_non_null(dtls_output(d, &n));
	assert_int_equal(dtls_tick(d, t + DTLS_HANDSHAKE_MAX_MS * NS_PER_MS),
		-ETIMEDOUT);
	assert_int_equal(dtls_state(d), DTLS_FAILED);
	assert_true(dtls_deadline(d) == UINT64_MAX);
	dtls_free(d);
}

/* ---- one of ours and a foreign client ---- */

struct foreign {
	SSL_CTX *ctx;
	SSL *ssl;
	BIO *in, *out;
	struct net net; /* end[1] is ours */
};

static struct foreign foreign_of(const char *srtp, int cert, long mtu)
{
	struct foreign f = {.ctx = SSL_CTX_new(DTLS_client_method())};

	if (srtp)
		assert_int_equal(SSL_CTX_set_tlsext_use_srtp(f.ctx, srtp), 0);
	if (cert >= 0) {
		SSL_CTX_use_certificate(f.ctx, cert_x509(certs[cert]));
		SSL_CTX_use_PrivateKey(f.ctx, cert_pkey(certs[cert]));
	}
	SSL_CTX_set_options(f.ctx, SSL_OP_NO_QUERY_MTU);
	f.ssl = SSL_new(f.ctx);
	f.in = BIO_new(BIO_s_mem());
	f.out = BIO_new(BIO_s_mem());
	BIO_set_mem_eof_return(f.in, -1);
	BIO_set_mem_eof_return(f.out, -1);
	SSL_set_bio(f.ssl, f.in, f.out);
	SSL_set_mtu(f.ssl, mtu);
	SSL_set_connect_state(f.ssl);
	f.net.end[1] = dtls_new(ctxs[1], DTLS_SERVER);
	expect(f.net.end[1], 0);
	return f;
}

static void foreign_free(struct foreign *f)
{
	SSL_free(f->ssl);
	SSL_CTX_free(f->ctx);
	dtls_free(f->net.end[1]);
}

/* One record to a datagram, so that fragments come one by one. Returns how
 * many there were. */
static size_t say(struct foreign *f, bool backwards)
{
	uint8_t flight[16384];
	size_t at[64], n = 0, len;
	int got = BIO_read(f->out, flight, sizeof flight);

	for (len = 0; got > 0 && len < (size_t)got; n++) {
		assert_true(n < ARRAY_LEN(at));
		at[n] = len;
		len += 13u + be16(flight + len + 11);
	}
	for (size_t i = 0; i < n; i++) {
		size_t j = backwards ? n - 1 - i : i;

		dtls_input(f->net.end[1], flight + at[j],
			13u + be16(flight + at[j] + 11), now());
	}
	return n;
}

/* backwards: the ClientHello, that is; a ChangeCipherSpec that comes too
 * early is dropped and would have to wait for the timer. */
static int converse(struct foreign *f, bool backwards, size_t *hello)
{
	const uint8_t *p;
	int rc = 0;
	size_t n;

	for (int i = 0; i < 20 && rc != 1; i++) {
		rc = SSL_do_handshake(f->ssl);
		n = say(f, backwards && !i);
		if (!i)
			*hello = n;
		while ((p = dtls_output(f->net.end[1], &n))) {
			(void)BIO_reset(f->in);
			BIO_write(f->in, p, (int)n);
			rc = SSL_do_handshake(f->ssl);
		}
	}
	say(f, false);
	return rc;
}

static void hellos_come_in_fragments(void **state)
{
	/* A long list of protocols makes a ClientHello of 1,413 bytes and
	 * more, as Chromium's with its post-quantum key share. */
	uint8_t alpn[1300];

	(void)state;
	for (size_t i = 0; i < sizeof alpn; i++)
		alpn[i] = i % 13 ? 'x' : 12;
	for (int backwards = 0; backwards < 2; backwards++) {
		for (long mtu = 256; mtu <= 1200; mtu += 118) {
			struct foreign f = foreign_of("SRTP_AEAD_AES_128_GCM",
				0, mtu);
			size_t hello = 0;

			SSL_set_alpn_protos(f.ssl, alpn, sizeof alpn);
			assert_int_equal(converse(&f, backwards, &hello), 1);
			assert_true(hello >= 2);
			assert_int_equal(dtls_state(f.net.end[1]), DTLS_OPEN);
			foreign_free(&f);
		}
	}
}

static enum srtp_suite suite_with(const char *offer, int want)
{
	struct foreign f = foreign_of(offer, 0, 1200);
	struct srtp_keys k;
	size_t hello;

	assert_int_equal(converse(&f, false, &hello), 1);
	assert_int_equal(dtls_srtp_keys(f.net.end[1], &k), want);
	foreign_free(&f);
	return k.suite;
}

static void gcm_is_preferred_and_cm_accepted(void **state)
{
	(void)state;
	assert_int_equal(suite_with("SRTP_AES128_CM_SHA1_80:"
		"SRTP_AEAD_AES_256_GCM:SRTP_AEAD_AES_128_GCM", 0),
		SRTP_SUITE_GCM_128);
	assert_int_equal(suite_with("SRTP_AES128_CM_SHA1_80", 0),
		SRTP_SUITE_CM_SHA1_80);
	assert_int_equal(suite_with("SRTP_AES128_CM_SHA1_32", -ENOPROTOOPT),
		SRTP_SUITE_NONE);
	assert_int_equal(suite_with(NULL, -ENOPROTOOPT), SRTP_SUITE_NONE);
}

static void exported_keys_are_those_of_rfc5764(void **state)
{
	struct foreign f = foreign_of("SRTP_AES128_CM_SHA1_80", 0, 1200);
	struct srtp_keys k;
	uint8_t m[60];
	size_t hello;

	(void)state;
	assert_int_equal(converse(&f, false, &hello), 1);
	assert_int_equal(dtls_srtp_keys(f.net.end[1], &k), 0);
	assert_int_equal(SSL_export_keying_material(f.ssl, m, sizeof m,
		"EXTRACTOR-dtls_srtp", 19, NULL, 0, 0), 1);
	assert_memory_equal(k.rx.key, m, 16); /* the client writes with it */
	assert_memory_equal(k.tx.key, m + 16, 16);
	assert_memory_equal(k.rx.salt, m + 32, 14);
	assert_memory_equal(k.tx.salt, m + 46, 14);
	foreign_free(&f);
}

static void a_client_without_certificate_fails(void **state)
{
	struct foreign f = foreign_of("SRTP_AEAD_AES_128_GCM", -1, 1200);
	struct srtp_keys k;
	size_t hello;

	(void)state;
	assert_int_not_equal(converse(&f, false, &hello), 1);
	assert_int_equal(dtls_state(f.net.end[1]), DTLS_FAILED);
	assert_string_equal(dtls_error(f.net.end[1]),
		"peer did not return a certificate");
	assert_int_equal(dtls_srtp_keys(f.net.end[1], &k), -EACCES);
	foreign_free(&f);
}

static void old_versions_and_ciphers_are_refused(void **state)
{
	struct foreign f = foreign_of("SRTP_AEAD_AES_128_GCM", 0, 1200);
	size_t hello;

	(void)state;
	SSL_set_cipher_list(f.ssl, "AES128-SHA:NULL-SHA256:@SECLEVEL=0");
	assert_int_not_equal(converse(&f, false, &hello), 1);
	assert_int_equal(dtls_state(f.net.end[1]), DTLS_FAILED);
	foreign_free(&f);
	f = foreign_of("SRTP_AEAD_AES_128_GCM", 0, 1200);
	SSL_set_cipher_list(f.ssl, "ALL:@SECLEVEL=0");
	SSL_set_min_proto_version(f.ssl, DTLS1_VERSION);
	SSL_set_max_proto_version(f.ssl, DTLS1_VERSION);
	assert_int_not_equal(converse(&f, false, &hello), 1);
	assert_int_equal(dtls_state(f.net.end[1]), DTLS_FAILED);
	foreign_free(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_ends_agree_on_keys),
		cmocka_unit_test(any_one_datagram_may_be_lost),
		cmocka_unit_test(a_third_of_all_may_be_lost),
		cmocka_unit_test(order_and_number_do_not_matter),
		cmocka_unit_test(a_wrong_fingerprint_gets_no_keys),
		cmocka_unit_test(one_of_several_fingerprints_suffices),
		cmocka_unit_test(a_late_fingerprint_opens_late),
		cmocka_unit_test(rubbish_is_ignored),
		cmocka_unit_test(changed_bits_never_open_a_wrong_one),
		cmocka_unit_test(a_silent_peer_times_out),
		cmocka_unit_test(hellos_come_in_fragments),
		cmocka_unit_test(gcm_is_preferred_and_cm_accepted),
		cmocka_unit_test(exported_keys_are_those_of_rfc5764),
		cmocka_unit_test(a_client_without_certificate_fails),
		cmocka_unit_test(old_versions_and_ciphers_are_refused),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
