/* hmac - SHA-256, HMAC-SHA256 and HMAC-SHA1 (the latter for STUN, RFC 8489
 * section 14.5).
 *
 * Errors: -ENOMEM, and then out is not written; so check before a compare.
 * Compare with mem_equal_ct.
 */
#ifndef CRYPT_HMAC_H
#define CRYPT_HMAC_H

#include <stddef.h>
#include <stdint.h>

#define SHA1_BYTES    20
#define SHA256_BYTES  32

#define CRYPT_CHECKED __attribute__((warn_unused_result))

int sha256(const void *p, size_t n, uint8_t out[static SHA256_BYTES])
	CRYPT_CHECKED;

int hmac_sha256(const void *key, size_t key_len, const void *p, size_t n,
	uint8_t out[static SHA256_BYTES]) CRYPT_CHECKED;

/* Over p and then q, so that a STUN header with an adjusted length needs no
 * copy of the message behind it; n_q may be 0 and q NULL. */
int hmac_sha1(const void *key, size_t key_len, const void *p, size_t n,
	const void *q, size_t n_q, uint8_t out[static SHA1_BYTES])
	CRYPT_CHECKED;

#endif
