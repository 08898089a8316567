/* cert - a self-signed ECDSA P-256 certificate with its key, for DTLS and
 * for HTTPS, and certificate fingerprints as SDP spells them (RFC 8122
 * section 5).
 *
 * Units: wall-clock milliseconds since 1970.
 * Ownership: a struct cert is read-only once made and may be shared by any
 * number of users as long as it outlives them.
 * Never: reads a clock or a file.
 */
#ifndef CRYPT_CERT_H
#define CRYPT_CERT_H

#include <stddef.h>
#include <stdint.h>
#include "hmac.h"

struct buf;
struct cert;
struct x509_st;     /* OpenSSL's X509 */
struct evp_pkey_st; /* OpenSSL's EVP_PKEY */

struct cert_spec {
	const char *cn;          /* 1 to 64 bytes of UTF-8 */
	const char *const *sans; /* host names and numeric addresses */
	size_t n_sans;           /* 0: no subjectAltName */
	uint64_t not_before_ms;
	uint64_t not_after_ms;
};

/* NULL with errno: EINVAL (no or too long cn, a name that no host has, not
 * after before not before), ENOMEM, EIO (OpenSSL failed). */
struct cert *cert_make(const struct cert_spec *spec);
/* From PEM texts; chain behind the first certificate is kept for HTTPS.
 * EINVAL: no PEM, or the key is not that of the certificate. */
struct cert *cert_read_pem(const void *cert_pem, size_t n_cert,
	const void *key_pem, size_t n_key);
/* Appends the certificate (and chain) and the PKCS#8 key; either may be
 * NULL. The key's buffer is a secret: the caller wipes it. */
int cert_write_pem(const struct cert *c, struct buf *cert_pem,
	struct buf *key_pem);
void cert_free(struct cert *c);

uint64_t cert_not_after_ms(const struct cert *c);

/* SHA-256 of the DER form. */
void cert_sha256(const struct cert *c, uint8_t out[static SHA256_BYTES]);

#define CERT_FINGERPRINT_CAP 104
/* The value of an a=fingerprint line: "sha-256 AB:CD:...". */
void cert_fingerprint(const struct cert *c, char out[static
	CERT_FINGERPRINT_CAP]);
/* Reads such a value; hex in either case. -EINVAL malformed, -EPROTONOSUPPORT
 * another hash than sha-256 (the weaker ones are refused on purpose). */
int cert_fingerprint_parse(const char *s, uint8_t out[static SHA256_BYTES]);

/* Lent, for modules that hand them to OpenSSL (web). */
struct x509_st *cert_x509(const struct cert *c);
struct evp_pkey_st *cert_pkey(const struct cert *c);
/* The i-th further certificate of the chain, or NULL. Lent. */
struct x509_st *cert_chain(const struct cert *c, size_t i);

#endif
