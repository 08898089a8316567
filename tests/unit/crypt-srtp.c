/* SRTP: each engine against an independent implementation (in this file),
 * which itself is held against the vectors of RFC 3711 and RFC 7714; then
 * replay, forgery, limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <openssl/evp.h>

#include "base.h"
#include "hmac.h"
#include "srtp.h"

#define CAP 1500

static size_t hex(uint8_t *out, const char *s)
{
	size_t n = strlen(s) / 2;

	assert_int_equal(str_unhex(out, n, s), 0);
	return n;
}

/* ---- the oracle ---- */

static void aes_ctr(const uint8_t key[16], const uint8_t iv[16],
	const uint8_t *in, uint8_t *out, size_t n)
{
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	int len;

	assert_int_equal(EVP_EncryptInit_ex(c, EVP_aes_128_ctr(), NULL, key,
		iv), 1);
	assert_int_equal(EVP_EncryptUpdate(c, out, &len, in, (int)n), 1);
	EVP_CIPHER_CTX_free(c);
}

/* RFC 3711 section 4.3 with key derivation rate 0; n_salt is 14, and 12 for
 * GCM (RFC 7714 section 11). */
static void derive(const struct srtp_key *k, size_t n_salt, uint8_t label,
	uint8_t *out, size_t n)
{
	uint8_t iv[16] = {0}, zero[32] = {0};

	memcpy(iv, k->salt, n_salt);
	iv[7] ^= label;
	aes_ctr(k->key, iv, zero, out, n);
}

static size_t header_len(const uint8_t *p)
{
	size_t n = 12 + 4u * (p[0] & 15);

	return p[0] & 16 ? n + 4 + 4u * be16(p + n + 2) : n;
}

static size_t cm_rtp(const struct srtp_key *k, uint32_t roc, uint8_t *p,
	size_t n)
{
	uint8_t key[16], salt[16] = {0}, auth[20], tail[4], mac[20];
	size_t head = header_len(p);

	derive(k, 14, 0, key, 16);
	derive(k, 14, 1, auth, 20);
	derive(k, 14, 2, salt, 14);
	for (int i = 0; i < 4; i++)
		salt[4 + i] ^= p[8 + i];
	be32_put(tail, roc);
	for (int i = 0; i < 4; i++)
		salt[8 + i] ^= tail[i];
	salt[12] ^= p[2];
	salt[13] ^= p[3];
	aes_ctr(key, salt, p + head, p + head, n - head);
	assert_int_equal(hmac_sha1(auth, 20, p, n, tail, 4, mac), 0);
	memcpy(p + n, mac, 10);
	return n + 10;
}

static size_t cm_rtcp(const struct srtp_key *k, uint32_t index, uint8_t *p,
	size_t n)
{
	uint8_t key[16], salt[16] = {0}, auth[20], mac[20], tail[4];

	derive(k, 14, 3, key, 16);
	derive(k, 14, 4, auth, 20);
	derive(k, 14, 5, salt, 14);
	be32_put(tail, index);
	for (int i = 0; i < 4; i++) {
		salt[4 + i] ^= p[4 + i];
		salt[10 + i] ^= tail[i];
	}
	aes_ctr(key, salt, p + 8, p + 8, n - 8);
	be32_put(p + n, index | UINT32_C(1) << 31);
	n += 4;
	assert_int_equal(hmac_sha1(auth, 20, p, n, NULL, 0, mac), 0);
	memcpy(p + n, mac, 10);
	return n + 10;
}

static void gcm(const uint8_t key[16], const uint8_t iv[12],
	const uint8_t *aad, size_t n_aad, const uint8_t *aad2, size_t n_aad2,
	uint8_t *p, size_t n, uint8_t tag[16])
{
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	int len;

	EVP_EncryptInit_ex(c, EVP_aes_128_gcm(), NULL, key, iv);
	EVP_EncryptUpdate(c, NULL, &len, aad, (int)n_aad);
	if (n_aad2)
		EVP_EncryptUpdate(c, NULL, &len, aad2, (int)n_aad2);
	EVP_EncryptUpdate(c, p, &len, p, (int)n);
	assert_int_equal(EVP_EncryptFinal_ex(c, p, &len), 1);
	EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_GET_TAG, 16, tag);
	EVP_CIPHER_CTX_free(c);
}

/* With session key and salt, RFC 7714 section 8. */
static size_t gcm_rtp_raw(const uint8_t key[16], const uint8_t salt[12],
	uint32_t roc, uint8_t *p, size_t n)
{
	uint8_t iv[12] = {0};
	size_t head = header_len(p);

	memcpy(iv + 2, p + 8, 4);
	be32_put(iv + 6, roc);
	memcpy(iv + 10, p + 2, 2);
	for (int i = 0; i < 12; i++)
		iv[i] ^= salt[i];
	gcm(key, iv, p, head, NULL, 0, p + head, n - head, p + n);
	return n + 16;
}

static size_t gcm_rtp(const struct srtp_key *k, uint32_t roc, uint8_t *p,
	size_t n)
{
	uint8_t key[16], salt[12];

	derive(k, 12, 0, key, 16);
	derive(k, 12, 2, salt, 12);
	return gcm_rtp_raw(key, salt, roc, p, n);
}

static size_t gcm_rtcp(const struct srtp_key *k, uint32_t index, uint8_t *p,
	size_t n)
{
	uint8_t key[16], salt[12], iv[12] = {0}, tail[4];

	derive(k, 12, 3, key, 16);
	derive(k, 12, 5, salt, 12);
	be32_put(tail, index | UINT32_C(1) << 31);
	memcpy(iv + 2, p + 4, 4);
	be32_put(iv + 8, index);
	for (int i = 0; i < 12; i++)
		iv[i] ^= salt[i];
	gcm(key, iv, p, 8, tail, 4, p + 8, n - 8, p + n);
	memcpy(p + n + 16, tail, 4);
	return n + 20;
}

/* RFC 3711 B.3, and a whole packet with that key. */
static void the_oracle_knows_rfc3711(void **state)
{
	struct srtp_key k = {0};
	uint8_t got[32], want[64], p[CAP];
	size_t n;

	(void)state;
	hex(k.key, "e1f97a0d3e018be0d64fa32c06de4139");
	hex(k.salt, "0ec675ad498afeebb6960b3aabe6");
	derive(&k, 14, 0, got, 16);
	hex(want, "c61e7a93744f39ee10734afe3ff7a087");
	assert_memory_equal(got, want, 16);
	derive(&k, 14, 2, got, 14);
	hex(want, "30cbbc08863d8c85d49db34a9ae1");
	assert_memory_equal(got, want, 14);
	derive(&k, 14, 1, got, 20);
	hex(want, "cebe321f6ff7716b6fd4ab49af256a156d38baa4");
	assert_memory_equal(got, want, 20);

	n = hex(p, "800f1234decafbadcafebabe"
		   "abababababababababababababababab");
	n = cm_rtp(&k, 0, p, n);
	assert_int_equal(n, hex(want, "800f1234decafbadcafebabe"
		"4e55dc4ce79978d88ca4d215949d2402b78d6acc99ea179b8dbb"));
	assert_memory_equal(p, want, n);
}

/* RFC 7714 section 16.1.1. */
static void the_oracle_knows_rfc7714(void **state)
{
	uint8_t key[16], salt[12], p[CAP], want[128];
	size_t n;

	(void)state;
	hex(key, "000102030405060708090a0b0c0d0e0f");
	hex(salt, "517569642070726f2071756f");
	n = hex(p, "8040f17b8041f8d35501a0b247616c6c6961206573"
		   "74206f6d6e697320646976697361"
		   "20696e207061727465732074726573");
	n = gcm_rtp_raw(key, salt, 0, p, n);
	assert_int_equal(n, hex(want, "8040f17b8041f8d35501a0b2"
		"f24de3a3fb34de6cacba861c9d7e4bcabe633bd50d294e6f42a5f47a"
		"51c7d19b36de3adf8833899d7f27beb16a9152cf765ee4390cce"));
	assert_memory_equal(p, want, n);
}

/* ---- the engines ---- */

static const struct srtp_engine *engine;

static const enum srtp_suite suites[] = {SRTP_SUITE_GCM_128,
	SRTP_SUITE_CM_SHA1_80};

static struct srtp_keys keys_of(enum srtp_suite s, bool mirrored)
{
	struct srtp_keys k = {.suite = s};
	struct srtp_key *a = mirrored ? &k.rx : &k.tx;
	struct srtp_key *b = mirrored ? &k.tx : &k.rx;

	for (uint8_t i = 0; i < SRTP_KEY_BYTES; i++) {
		a->key[i] = i;
		b->key[i] = (uint8_t)(i + 100);
	}
	for (uint8_t i = 0; i < SRTP_SALT_MAX; i++) {
		a->salt[i] = (uint8_t)(i + 50);
		b->salt[i] = (uint8_t)(i + 150);
	}
	return k;
}

static struct srtp_link *link_of(enum srtp_suite s, bool mirrored)
{
	struct srtp_keys k = keys_of(s, mirrored);
	struct srtp_link *l = srtp_link_new(engine, &k);

	assert_non_null(l);
	return l;
}

/* With CSRC and extension, as they must stay readable. */
static size_t rtp(uint8_t *p, uint32_t ssrc, uint16_t seq, size_t payload)
{
	size_t n = hex(p, "916f000000000001000000000000beefbede0001510a0b0c");

	be16_put(p + 2, seq);
	be32_put(p + 8, ssrc);
	for (size_t i = 0; i < payload; i++)
		p[n++] = (uint8_t)(i * 7 + seq);
	return n;
}

static size_t rtcp(uint8_t *p, uint32_t ssrc)
{
	size_t n = hex(p, "80c90001000000008000000000000000");

	be32_put(p + 4, ssrc);
	return n;
}

static void the_engine_agrees_with_the_oracle(void **state)
{
	_Alignas(4) uint8_t p[CAP], q[CAP], plain[CAP];

	(void)state;
	for (size_t s = 0; s < ARRAY_LEN(suites); s++) {
		bool is_gcm = suites[s] == SRTP_SUITE_GCM_128;
		struct srtp_keys k = keys_of(suites[s], false);
		struct srtp_link *a = link_of(suites[s], false);
		struct srtp_link *b = link_of(suites[s], true);

		/* Over the wrap of the sequence number: ROC 0, then 1. */
		for (uint32_t i = 65000; i < 66200; i++) {
			size_t n = rtp(p, 42, (uint16_t)i, i % 1200), m = n;
			size_t n_plain = n;

			memcpy(q, p, n);
			memcpy(plain, p, n);
			assert_int_equal(srtp_link_protect_rtp(a, p, &n, CAP),
				0);
			m = (is_gcm ? gcm_rtp : cm_rtp)(&k.tx, i >> 16, q, m);
			assert_int_equal(n, m);
			assert_memory_equal(p, q, n);
			assert_int_equal(srtp_link_unprotect_rtp(b, p, &n), 0);
			assert_int_equal(n, n_plain);
			assert_memory_equal(p, plain, n);
		}
		for (uint32_t i = 1; i < 5; i++) {
			size_t n = rtcp(p, 42), m = n;

			memcpy(q, p, n);
			assert_int_equal(srtp_link_protect_rtcp(a, p, &n,
				CAP), 0);
			m = (is_gcm ? gcm_rtcp : cm_rtcp)(&k.tx, i, q, m);
			assert_int_equal(n, m);
			assert_memory_equal(p, q, n);
			assert_int_equal(srtp_link_unprotect_rtcp(b, p, &n),
				0);
			assert_int_equal(n, 16);
		}
		srtp_link_free(a);
		srtp_link_free(b);
	}
}

static void forged_and_replayed_packets_are_counted(void **state)
{
	_Alignas(4) uint8_t p[CAP], sealed[CAP];

	(void)state;
	for (size_t s = 0; s < ARRAY_LEN(suites); s++) {
		struct srtp_link *a = link_of(suites[s], false);
		struct srtp_link *b = link_of(suites[s], true);
		const struct srtp_counts *c = srtp_link_counts(b);
		size_t n = rtp(sealed, 7, 1000, 100), len, bad = 0;

		assert_int_equal(srtp_link_protect_rtp(a, sealed, &n, CAP), 0);
		for (size_t i = 0; i < n; i++, bad++) {
			memcpy(p, sealed, n);
			p[i] ^= 4;
			len = n;
			assert_true(srtp_link_unprotect_rtp(b, p, &len) < 0);
		}
		assert_true(c->auth_failed + c->malformed == bad);
		assert_true(c->auth_failed > bad - 8);
		memcpy(p, sealed, n);
		len = n;
		assert_int_equal(srtp_link_unprotect_rtp(b, p, &len), 0);
		memcpy(p, sealed, n);
		len = n;
		assert_int_equal(srtp_link_unprotect_rtp(b, p, &len),
			-EALREADY);
		assert_true(c->replayed == 1 && c->unprotected == 1);
		/* The other direction has another key. */
		memcpy(p, sealed, n);
		len = n;
		assert_int_equal(srtp_link_unprotect_rtp(a, p, &len),
			-EBADMSG);
		srtp_link_free(a);
		srtp_link_free(b);
	}
}

static int pass(struct srtp_link *a, struct srtp_link *b, uint32_t ssrc,
	uint16_t seq)
{
	_Alignas(4) uint8_t p[CAP];
	size_t n = rtp(p, ssrc, seq, 20);

	assert_int_equal(srtp_link_protect_rtp(a, p, &n, CAP), 0);
	return srtp_link_unprotect_rtp(b, p, &n);
}

static void the_window_is_1024_packets(void **state)
{
	static const struct step {
		uint32_t ssrc;
		uint16_t seq;
		int want;
	} steps[] = {
		{1, 3000, 0},
		{1, 2000, 0}, /* late by 1000 */
		{1, 1900, -EALREADY},
		{1, 3000, -EALREADY},
		{2, 1900, 0},
	};
	struct srtp_link *b = link_of(SRTP_SUITE_GCM_128, true);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		/* A new one each time: a sender has a window of its own. */
		struct srtp_link *a = link_of(SRTP_SUITE_GCM_128, false);

		assert_int_equal(pass(a, b, steps[i].ssrc, steps[i].seq),
			steps[i].want);
		srtp_link_free(a);
	}
	srtp_link_free(b);
}

/* A retransmission is the same bytes again. */
static void a_sender_may_repeat_itself(void **state)
{
	_Alignas(4) uint8_t p[CAP], q[CAP];

	(void)state;
	for (size_t s = 0; s < ARRAY_LEN(suites); s++) {
		struct srtp_link *a = link_of(suites[s], false);
		size_t n = rtp(p, 9, 500, 300), m = rtp(q, 9, 500, 300);

		assert_int_equal(srtp_link_protect_rtp(a, p, &n, CAP), 0);
		assert_int_equal(srtp_link_protect_rtp(a, q, &m, CAP), 0);
		assert_int_equal(n, m);
		assert_memory_equal(p, q, n);
		srtp_link_free(a);
	}
}

/* Only the SSRCs used last keep their state, whatever a peer makes up. */
static void receiving_is_bounded_by_ssrcs(void **state)
{
	struct srtp_link *a = link_of(SRTP_SUITE_GCM_128, false);
	struct srtp_link *b = link_of(SRTP_SUITE_GCM_128, true);

	(void)state;
	for (uint32_t ssrc = 1; ssrc <= SRTP_RX_SSRCS; ssrc++)
		assert_int_equal(pass(a, b, ssrc, 10), 0);
	assert_int_equal(pass(a, b, 1, 11), 0); /* 1 is young again */
	assert_int_equal(pass(a, b, 100000, 10), 0);
	/* 2 was forgotten, with its replay window; the others are not. */
	assert_int_equal(pass(a, b, 1, 10), -EALREADY);
	assert_int_equal(pass(a, b, 3, 10), -EALREADY);
	assert_int_equal(pass(a, b, 2, 10), 0);
	assert_int_equal(pass(a, b, 3, 10), 0);
	for (uint32_t ssrc = 0; ssrc < 3000; ssrc++) {
		srtp_link_forget_tx(a, ssrc);
		assert_int_equal(pass(a, b, ssrc + 200000, 10), 0);
		srtp_link_forget_tx(a, ssrc + 200000);
	}
	srtp_link_free(a);
	srtp_link_free(b);
}

static void short_and_odd_packets_are_refused(void **state)
{
	_Alignas(4) uint8_t p[CAP], q[CAP];

	(void)state;
	for (size_t s = 0; s < ARRAY_LEN(suites); s++) {
		struct srtp_link *a = link_of(suites[s], false);
		struct srtp_link *b = link_of(suites[s], true);
		size_t n = rtp(p, 1, 1, 40), m = rtcp(q, 1), len;

		len = n;
		assert_int_equal(srtp_link_protect_rtp(a, p, &len,
			n + SRTP_TRAILER_MAX - 1), -ENOBUFS);
		assert_int_equal(srtp_link_protect_rtp(a, p, &len, 3),
			-ENOBUFS);
		for (len = 0; len < 24; len++) { /* its header has 24 */
			size_t cut = len;

			assert_int_equal(srtp_link_protect_rtp(a, p, &cut,
				CAP), -EINVAL);
		}
		for (len = 0; len < 8; len++) {
			size_t cut = len;

			assert_int_equal(srtp_link_protect_rtcp(a, q, &cut,
				CAP), -EINVAL);
		}
		for (size_t i = 0; i < n; i++) {
			size_t cut = i;

			assert_true(srtp_link_unprotect_rtp(b, p, &cut) < 0);
		}
		for (size_t i = 0; i < m; i++) {
			size_t cut = i;

			assert_true(srtp_link_unprotect_rtcp(b, q, &cut) < 0);
		}
		srtp_link_free(a);
		srtp_link_free(b);
	}
}

static void unknown_suites_are_refused(void **state)
{
	struct srtp_keys k = keys_of(SRTP_SUITE_NONE, false);

	(void)state;
	assert_null(srtp_link_new(NULL, &k));
	assert_int_equal(errno, EINVAL);
	srtp_link_free(NULL);
}

int main(void)
{
	const struct CMUnitTest oracle[] = {
		cmocka_unit_test(the_oracle_knows_rfc3711),
		cmocka_unit_test(the_oracle_knows_rfc7714),
	};
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_engine_agrees_with_the_oracle),
		cmocka_unit_test(forged_and_replayed_packets_are_counted),
		cmocka_unit_test(the_window_is_1024_packets),
		cmocka_unit_test(a_sender_may_repeat_itself),
		cmocka_unit_test(receiving_is_bounded_by_ssrcs),
		cmocka_unit_test(short_and_odd_packets_are_refused),
		cmocka_unit_test(unknown_suites_are_refused),
	};
	int bad = cmocka_run_group_tests(oracle, NULL, NULL);

	engine = &srtp_engine_evp;
	bad += cmocka_run_group_tests_name("evp", tests, NULL, NULL);
	engine = &srtp_engine_libsrtp;
	bad += cmocka_run_group_tests_name("libsrtp", tests, NULL, NULL);
	return bad;
}
