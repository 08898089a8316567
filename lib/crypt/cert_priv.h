/* cert_priv - what cert.c and cert_make.c share. */
#ifndef CRYPT_CERT_PRIV_H
#define CRYPT_CERT_PRIV_H

#include <openssl/x509.h>

#include "cert.h"

struct cert {
	X509 *x509;
	EVP_PKEY *pkey;
	STACK_OF(X509) *chain; /* NULL: none */
	uint8_t sha256[SHA256_BYTES];
	uint64_t not_after_ms;
};

/* Takes both in any case, and fills in what is derived from them. */
struct cert *cert_of(X509 *x, EVP_PKEY *k);

#endif
