/* srtp_priv - what an SRTP engine is. */
#ifndef CRYPT_SRTP_PRIV_H
#define CRYPT_SRTP_PRIV_H

#include <stdbool.h>
#include "srtp.h"

enum srtp_op {
	SRTP_OP_PROTECT_RTP,
	SRTP_OP_PROTECT_RTCP,
	SRTP_OP_UNPROTECT_RTP,
	SRTP_OP_UNPROTECT_RTCP,
};

/* A context holds one key for one direction. run changes *n bytes of p in
 * place; room for SRTP_TRAILER_MAX more was checked, and that there is a
 * fixed header. Errors as in srtp.h. */
struct srtp_engine {
	const char *name;
	void *(*open)(enum srtp_suite suite, const struct srtp_key *key,
		bool tx);
	void (*close)(void *ctx);
	int (*run)(void *ctx, enum srtp_op op, uint8_t *p, size_t *n);
	void (*forget)(void *ctx, uint32_t ssrc);
};

#endif
