/* crypt when the n-th allocation of ours fails (those inside OpenSSL and
 * libsrtp do not): nothing leaks, nothing is half made. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base.h"
#include "crypt.h"
#include "oom.h"

#define NOW_MS UINT64_C(1790000000000)

static struct cert *cert_here(void)
{
	const struct cert_spec s = {.cn = "x", .not_after_ms = NOW_MS};

	return cert_make(&s);
}

static int certificates(void *arg)
{
	struct buf pem = {0}, key = {0};
	struct cert *c = cert_here(), *d = NULL;
	int rc = c ? cert_write_pem(c, &pem, &key) : -errno;

	(void)arg;
	if (!rc) {
		d = cert_read_pem(pem.data, pem.len, key.data, key.len);
		rc = d ? 0 : -errno;
	}
	buf_free(&pem);
	buf_free(&key);
	cert_free(c);
	cert_free(d);
	return rc;
}

static int tokens(void *arg)
{
	static const struct token_claims claims = {.iss = "i", .sub = "*",
		.mtg = "m", .role = "viewer", .name = "Ann", .jti = "l",
		.nbf_s = 1, .exp_s = 4000000000, .uses = 1};
	static const uint8_t random[TOKEN_KEY_BYTES] = {1};
	struct token_keys k = {0};
	struct token_claims c;
	struct buf b = {0};
	int rc = token_key_make(&k.cur, random);

	(void)arg;
	if (!rc)
		rc = token_sign(&k.cur, &claims, &b);
	/* Here lack of memory refuses; it must never accept. */
	if (!rc && token_verify(&k, (char *)b.data, b.len, "m", NOW_MS, &c)
		!= TOKEN_OK)
		rc = -ENOMEM;
	buf_free(&b);
	return rc;
}

static int srtp(void *arg)
{
	const struct srtp_keys k = {.suite = SRTP_SUITE_GCM_128};
	struct srtp_link *l = srtp_link_new(NULL, &k);
	int rc = l ? 0 : -errno;

	(void)arg;
	srtp_link_free(l);
	return rc;
}

static bool carry(struct dtls *from, struct dtls *to)
{
	const uint8_t *p;
	bool any = false;
	size_t n;

	while ((p = dtls_output(from, &n))) {
		dtls_input(to, p, n, 1);
		any = true;
	}
	return any;
}

/* A flight that is lost for lack of memory would be repeated later; that is
 * not waited for. */
static int handshake(void *arg)
{
	struct cert *c = cert_here();
	struct dtls_ctx *ctx = c ? dtls_ctx_new(c) : NULL;
	struct dtls *a = ctx ? dtls_new(ctx, DTLS_CLIENT) : NULL;
	struct dtls *b = a ? dtls_new(ctx, DTLS_SERVER) : NULL;
	uint8_t hash[SHA256_BYTES];
	int rc = b ? 0 : -ENOMEM;

	(void)arg;
	if (b) {
		cert_sha256(c, hash);
		dtls_expect(a, hash);
		dtls_expect(b, hash);
		dtls_start(a, 1);
		while (carry(a, b) | carry(b, a))
			;
		if (dtls_state(a) != DTLS_OPEN || dtls_state(b) != DTLS_OPEN)
			rc = -ENOMEM;
	}
	dtls_free(a);
	dtls_free(b);
	dtls_ctx_free(ctx);
	cert_free(c);
	return rc;
}

static void lack_of_memory_is_an_error_like_others(void **state)
{
	(void)state;
	assert_true(oom_ladder(certificates, NULL) > 3);
	assert_true(oom_ladder(tokens, NULL) > 3);
	assert_true(oom_ladder(srtp, NULL) >= 1);
	assert_true(oom_ladder(handshake, NULL) > 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lack_of_memory_is_an_error_like_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
