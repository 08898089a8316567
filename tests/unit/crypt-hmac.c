/* Hashes against the literals of their standards. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base.h"
#include "hmac.h"

static void is_hex(const uint8_t *p, size_t n, const char *want)
{
	char got[2 * SHA256_BYTES + 1];

	str_hex(got, p, n);
	assert_string_equal(got, want);
}

/* FIPS 180-4 example, and the empty string. */
static void sha256_matches_the_standard(void **state)
{
	uint8_t h[SHA256_BYTES];

	(void)state;
	assert_int_equal(sha256("abc", 3, h), 0);
	is_hex(h, sizeof h, "ba7816bf8f01cfea414140de5dae2223"
			    "b00361a396177a9cb410ff61f20015ad");
	assert_int_equal(sha256(NULL, 0, h), 0);
	is_hex(h, sizeof h, "e3b0c44298fc1c149afbf4c8996fb924"
			    "27ae41e4649b934ca495991b7852b855");
}

/* RFC 4231 cases 2 and 6 (a key longer than a block). */
static void hmac_sha256_matches_rfc4231(void **state)
{
	static const char text6[] =
		"Test Using Larger Than Block-Size Key - Hash Key First";
	uint8_t h[SHA256_BYTES], key[131];

	(void)state;
	assert_int_equal(hmac_sha256("Jefe", 4,
		"what do ya want for nothing?", 28, h), 0);
	is_hex(h, sizeof h, "5bdcc146bf60754e6a042426089575c7"
			    "5a003f089d2739839dec58b964ec3843");
	memset(key, 0xaa, sizeof key);
	assert_int_equal(hmac_sha256(key, sizeof key, text6,
		sizeof text6 - 1, h), 0);
	is_hex(h, sizeof h, "60e431591ee0b67f0d8a26aacbf5b77f"
			    "8e0bc6213728c5140546040f0ee37f54");
}

/* RFC 2202 case 2, whole and cut at every place. */
static void hmac_sha1_matches_rfc2202_however_cut(void **state)
{
	static const char text[] = "what do ya want for nothing?";
	uint8_t h[SHA1_BYTES];

	(void)state;
	for (size_t i = 0; i < sizeof text; i++) {
		assert_int_equal(hmac_sha1("Jefe", 4, text, i, text + i,
			sizeof text - 1 - i, h), 0);
		is_hex(h, sizeof h,
			"effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
	}
	assert_int_equal(hmac_sha1("", 0, NULL, 0, NULL, 0, h), 0);
	is_hex(h, sizeof h, "fbdb1d1b18aa6c08324b7d64b71fb76370690e1d");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sha256_matches_the_standard),
		cmocka_unit_test(hmac_sha256_matches_rfc4231),
		cmocka_unit_test(hmac_sha1_matches_rfc2202_however_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
