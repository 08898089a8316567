/* token - the signed part of a join link: a JWT (RFC 7519) with HS256 and
 * nothing else, the key named by "kid" in its header.
 *
 * A server has a current key, which signs, and may have a previous one,
 * which still verifies: so keys rotate without breaking links.
 * Units: nbf_s and exp_s are wall-clock seconds since 1970; now_ms is
 * milliseconds. No leeway is given.
 * Never: reads a clock; says about an unsigned text more than that it is
 * unsigned (nothing of the claims is returned then).
 */
#ifndef CRYPT_TOKEN_H
#define CRYPT_TOKEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "str.h"

struct buf;

#define TOKEN_KEY_BYTES  32
#define TOKEN_KID_CAP    9     /* 8 hex digits and NUL */
#define TOKEN_NAME_CAP   257
#define TOKEN_MAX_BYTES  4096  /* of a whole token */

struct token_key {
	char kid[TOKEN_KID_CAP];
	uint8_t secret[TOKEN_KEY_BYTES];
};

struct token_keys {
	struct token_key cur;
	struct token_key prev; /* kid "": there is none */
};

/* A key from 32 random bytes; its kid is derived from them. -ENOMEM. */
int token_key_make(struct token_key *out,
	const uint8_t random[static TOKEN_KEY_BYTES]);
/* The file form ($STATE/keys/token.cur, .prev): one line, "KID HEX". */
void token_key_write(const struct token_key *k, struct buf *out);
/* -EINVAL: no such line, or the kid is not that of the key. */
int token_key_read(struct token_key *out, const char *s, size_t n);

struct token_claims {
	char iss[65];
	char sub[STR_ID_CAP];  /* a user id, or "*" */
	char mtg[65];          /* meeting id */
	char role[17];
	char name[TOKEN_NAME_CAP]; /* "" : none */
	char jti[STR_ID_CAP];  /* the link's id */
	uint64_t nbf_s;
	uint64_t exp_s;
	uint64_t uses;         /* how often it may be used; 0: any number */
};

enum token_result {
	TOKEN_OK,
	TOKEN_MALFORMED,     /* no JWT, another algorithm, a claim missing */
	TOKEN_UNKNOWN_KEY,   /* signed by a key that is not one of ours */
	TOKEN_BAD_SIGNATURE,
	TOKEN_NOT_YET,
	TOKEN_EXPIRED,
	TOKEN_OTHER_MEETING,
};

/* Appends the token. -EINVAL: a claim is empty (only name may be), no UTF-8,
 * or exp_s is not after nbf_s; -EMSGSIZE; -ENOMEM. */
int token_sign(const struct token_key *k, const struct token_claims *c,
	struct buf *out);
/* meeting NULL: any. *out is filled for TOKEN_OK, TOKEN_NOT_YET,
 * TOKEN_EXPIRED and TOKEN_OTHER_MEETING, and zeroed otherwise. Out of memory
 * counts as TOKEN_MALFORMED. */
enum token_result token_verify(const struct token_keys *k, const char *jwt,
	size_t n, const char *meeting, uint64_t now_ms,
	struct token_claims *out);
/* A sentence for the person who opened the link; "" for TOKEN_OK. */
const char *token_text(enum token_result r);

#endif
