/* Certificates: made, written, read back, and what OpenSSL says of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <openssl/x509v3.h>

#include "base.h"
#include "cert.h"

#define DAY_MS UINT64_C(86400000)
#define NOW_MS UINT64_C(1790000000000) /* 2026-09-21 */

static const char *const sans[] = {"localhost", "host.example", "127.0.0.1",
	"::1"};

static struct cert *make(void)
{
	const struct cert_spec s = {
		.cn = "confkit",
		.sans = sans,
		.n_sans = ARRAY_LEN(sans),
		.not_before_ms = NOW_MS - DAY_MS,
		.not_after_ms = NOW_MS + 365 * DAY_MS,
	};
	struct cert *c = cert_make(&s);

	assert_non_null(c);
	return c;
}

static void names_times_and_key_are_as_asked(void **state)
{
	struct cert *c = make();
	X509 *x = cert_x509(c);

	(void)state;
	assert_int_equal(X509_get_version(x), X509_VERSION_3);
	assert_int_equal(X509_check_host(x, "localhost", 0, 0, NULL), 1);
	assert_int_equal(X509_check_host(x, "host.example", 0, 0, NULL), 1);
	assert_int_equal(X509_check_host(x, "example", 0, 0, NULL), 0);
	assert_int_equal(X509_check_ip_asc(x, "127.0.0.1", 0), 1);
	assert_int_equal(X509_check_ip_asc(x, "::1", 0), 1);
	assert_int_equal(X509_check_ip_asc(x, "127.0.0.2", 0), 0);
	assert_int_equal(X509_verify(x, cert_pkey(c)), 1);
	assert_int_equal(EVP_PKEY_get_bits(cert_pkey(c)), 256);
	assert_true(cert_not_after_ms(c) == NOW_MS + 365 * DAY_MS);
	assert_null(cert_chain(c, 0));
	cert_free(c);
}

static void two_certificates_differ(void **state)
{
	struct cert *a = make(), *b = make();
	char fa[CERT_FINGERPRINT_CAP], fb[CERT_FINGERPRINT_CAP];

	(void)state;
	cert_fingerprint(a, fa);
	cert_fingerprint(b, fb);
	assert_string_not_equal(fa, fb);
	cert_free(a);
	cert_free(b);
}

static void pem_goes_round(void **state)
{
	struct cert *a = make(), *other = make(), *b;
	struct buf pem = {0}, key = {0}, chain = {0}, foreign = {0};
	char fa[CERT_FINGERPRINT_CAP], fb[CERT_FINGERPRINT_CAP];

	(void)state;
	assert_int_equal(cert_write_pem(a, &pem, &key), 0);
	assert_int_equal(cert_write_pem(other, NULL, &foreign), 0);
	b = cert_read_pem(pem.data, pem.len, key.data, key.len);
	assert_non_null(b);
	cert_fingerprint(a, fa);
	cert_fingerprint(b, fb);
	assert_string_equal(fa, fb);
	cert_free(b);

	/* A chain is kept and written again. */
	buf_put(&chain, pem.data, pem.len);
	assert_int_equal(cert_write_pem(other, &chain, NULL), 0);
	b = cert_read_pem(chain.data, chain.len, key.data, key.len);
	assert_non_null(b);
	assert_non_null(cert_chain(b, 0));
	assert_null(cert_chain(b, 1));
	buf_clear(&pem);
	assert_int_equal(cert_write_pem(b, &pem, NULL), 0);
	assert_int_equal(pem.len, chain.len);
	assert_memory_equal(pem.data, chain.data, chain.len);
	cert_free(b);

	/* Another's key, no key, no certificate. */
	assert_null(cert_read_pem(pem.data, pem.len, foreign.data,
		foreign.len));
	assert_int_equal(errno, EINVAL);
	assert_null(cert_read_pem(pem.data, pem.len, pem.data, pem.len));
	assert_null(cert_read_pem(key.data, key.len, key.data, key.len));
	assert_null(cert_read_pem("", 0, key.data, key.len));
	assert_int_equal(errno, EINVAL);
	for (size_t i = 1; i < pem.len; i += 37)
		cert_free(cert_read_pem(pem.data, i, key.data, key.len));
	buf_free(&pem);
	buf_free(&key);
	buf_free(&chain);
	buf_free(&foreign);
	cert_free(a);
	cert_free(other);
}

static void bad_specs_are_refused(void **state)
{
	static const char *const bad_names[] = {"a b", "", "a..b", ".a",
		"x,DNS:evil", "1.2.3.4/24", "\xff"};
	struct cert_spec s = {.cn = "x", .n_sans = 1, .not_after_ms = DAY_MS};
	char long_cn[66];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad_names); i++) {
		s.sans = &bad_names[i];
		assert_null(cert_make(&s));
		assert_int_equal(errno, EINVAL);
	}
	s.n_sans = 0;
	s.cn = "";
	assert_null(cert_make(&s));
	memset(long_cn, 'a', sizeof long_cn);
	long_cn[65] = '\0';
	s.cn = long_cn;
	assert_null(cert_make(&s));
	assert_int_equal(errno, EINVAL);
	s.cn = "x";
	s.not_before_ms = s.not_after_ms;
	assert_null(cert_make(&s));
	assert_int_equal(errno, EINVAL);
}

static void fingerprints_are_read(void **state)
{
	struct cert *c = make();
	char f[CERT_FINGERPRINT_CAP], g[CERT_FINGERPRINT_CAP];
	uint8_t a[SHA256_BYTES], b[SHA256_BYTES];

	(void)state;
	cert_fingerprint(c, f);
	assert_int_equal(strlen(f), CERT_FINGERPRINT_CAP - 1);
	assert_int_equal(cert_fingerprint_parse(f, a), 0);
	cert_sha256(c, b);
	assert_memory_equal(a, b, sizeof a);
	for (size_t i = 0; i < sizeof g; i++)
		g[i] = (char)(f[i] >= 'A' && f[i] <= 'F' ? f[i] | 32 : f[i]);
	assert_int_equal(cert_fingerprint_parse(g, b), 0);
	assert_memory_equal(a, b, sizeof a);

	for (size_t i = 0; i < sizeof f - 1; i++) {
		memcpy(g, f, sizeof g);
		g[i] = '\0';
		assert_true(cert_fingerprint_parse(g, b) < 0);
		g[i] = 'G';
		assert_true(cert_fingerprint_parse(g, b) < 0);
	}
	assert_int_equal(cert_fingerprint_parse("sha-1 AB:CD", b),
		-EPROTONOSUPPORT);
	assert_int_equal(cert_fingerprint_parse("md5 AB", b),
		-EPROTONOSUPPORT);
	assert_int_equal(cert_fingerprint_parse("", b), -EINVAL);
	cert_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_times_and_key_are_as_asked),
		cmocka_unit_test(two_certificates_differ),
		cmocka_unit_test(pem_goes_round),
		cmocka_unit_test(bad_specs_are_refused),
		cmocka_unit_test(fingerprints_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
