/* Token texts, claims behind a sound signature, key files, fingerprints.
 * The first byte chooses. */
#include "base.h"
#include "cert.h"
#include "hmac.h"
#include "token.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static struct token_keys keys;

static void check(const char *jwt, size_t n, bool forged)
{
	struct token_claims c;
	enum token_result r;

	r = token_verify(&keys, jwt, n, "hello", UINT64_C(1790000000000), &c);
	if (forged && (r == TOKEN_OK || c.sub[0]))
		abort();
	if (r == TOKEN_OK && (!c.role[0] || !c.jti[0]))
		abort();
}

/* The claims are the input's; the signature is right. */
static void check_claims(const uint8_t *p, size_t n)
{
	struct buf t = {0};
	uint8_t mac[SHA256_BYTES];
	char head[64];

	snprintf(head, sizeof head, "{\"alg\":\"HS256\",\"kid\":\"%s\"}",
		keys.cur.kid);
	str_b64url(&t, head, strlen(head));
	buf_putc(&t, '.');
	str_b64url(&t, p, n);
	if (!t.err && !hmac_sha256(keys.cur.secret, sizeof keys.cur.secret,
			t.data, t.len, mac)) {
		buf_putc(&t, '.');
		str_b64url(&t, mac, sizeof mac);
		check((char *)t.data, t.len, false);
	}
	buf_free(&t);
}

/* What is read is written the same. */
static void check_key(const char *s, size_t n)
{
	struct token_key k;
	struct buf b = {0};

	if (!token_key_read(&k, s, n)) {
		token_key_write(&k, &b);
		if (b.len < n || memcmp(b.data, s, 8))
			abort();
	}
	buf_free(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const uint8_t secret[TOKEN_KEY_BYTES] = {1, 2, 3};
	uint8_t hash[SHA256_BYTES];
	struct buf s = {0};

	if (!keys.cur.kid[0] && token_key_make(&keys.cur, secret))
		return 0;
	if (!n)
		return 0;
	buf_put(&s, p + 1, n - 1);
	if (!buf_cstr(&s))
		return 0;
	switch (p[0] % 4) {
	case 0:
		check((char *)s.data, s.len, true);
		break;
	case 1:
		check_claims(s.data, s.len);
		break;
	case 2:
		check_key((char *)s.data, s.len);
		break;
	case 3:
		if (!cert_fingerprint_parse((char *)s.data, hash) &&
		    strlen((char *)s.data) != CERT_FINGERPRINT_CAP - 1)
			abort();
		break;
	}
	buf_free(&s);
	return 0;
}
