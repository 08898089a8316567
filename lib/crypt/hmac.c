/* hmac - over OpenSSL's EVP. */
#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "base.h"
#include "hmac.h"

#define BLOCK_BYTES 64 /* of both hashes, FIPS 180-4 */

static int digest2(const EVP_MD *md, const uint8_t *pad, const void *p,
	size_t n, const void *q, size_t n_q, uint8_t *out)
{
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	int rc = -ENOMEM;

	if (!c || EVP_DigestInit_ex(c, md, NULL) != 1)
		goto out;
	if (pad && EVP_DigestUpdate(c, pad, BLOCK_BYTES) != 1)
		goto out;
	if (n && EVP_DigestUpdate(c, p, n) != 1)
		goto out;
	if (n_q && EVP_DigestUpdate(c, q, n_q) != 1)
		goto out;
	if (EVP_DigestFinal_ex(c, out, NULL) != 1)
		goto out;
	rc = 0;
out:
	EVP_MD_CTX_free(c);
	return rc;
}

/* RFC 2104. Not HMAC() or EVP_MAC: both look the algorithm up by name for
 * every message, which costs more than the hashing of a STUN packet. */
static int hmac(const EVP_MD *md, size_t md_len, const void *key,
	size_t key_len, const void *p, size_t n, const void *q, size_t n_q,
	uint8_t *out)
{
	uint8_t k[BLOCK_BYTES] = {0}, pad[BLOCK_BYTES];
	uint8_t inner[SHA256_BYTES], mac[SHA256_BYTES];
	int rc = 0;

	if (key_len > BLOCK_BYTES)
		rc = digest2(md, NULL, key, key_len, NULL, 0, k);
	else if (key_len)
		memcpy(k, key, key_len);
	for (size_t i = 0; i < BLOCK_BYTES; i++)
		pad[i] = k[i] ^ 0x36;
	if (!rc)
		rc = digest2(md, pad, p, n, q, n_q, inner);
	for (size_t i = 0; i < BLOCK_BYTES; i++)
		pad[i] = k[i] ^ 0x5c;
	if (!rc)
		rc = digest2(md, pad, inner, md_len, NULL, 0, mac);
	if (!rc)
		memcpy(out, mac, md_len);
	OPENSSL_cleanse(k, sizeof k);
	OPENSSL_cleanse(pad, sizeof pad);
	return rc;
}

int sha256(const void *p, size_t n, uint8_t out[static SHA256_BYTES])
{
	return digest2(EVP_sha256(), NULL, p, n, NULL, 0, out);
}

int hmac_sha256(const void *key, size_t key_len, const void *p, size_t n,
	uint8_t out[static SHA256_BYTES])
{
	return hmac(EVP_sha256(), SHA256_BYTES, key, key_len, p, n, NULL, 0,
		out);
}

int hmac_sha1(const void *key, size_t key_len, const void *p, size_t n,
	const void *q, size_t n_q, uint8_t out[static SHA1_BYTES])
{
	return hmac(EVP_sha1(), SHA1_BYTES, key, key_len, p, n, q, n_q, out);
}
