/* stun - STUN messages as ICE uses them (RFC 8489, RFC 8445).
 *
 * Ownership: a parsed message lends pointers into the bytes given.
 *
 * FINGERPRINT is computed and checked here. MESSAGE-INTEGRITY is an
 * HMAC-SHA1, which lives in crypt; this module says over which bytes:
 *   checking: HMAC(key, head || p[20 … integrity_at)), where head is what
 *     stun_integrity_head writes: the message's first 20 bytes with the
 *     length field set as if MESSAGE-INTEGRITY were the last attribute
 *     (RFC 8489 section 14.5); compare with the 20 bytes at m.integrity.
 *   writing: at = stun_put_integrity(b) appends the attribute with 20 zero
 *     bytes and sets the length field; then put HMAC(key, b->data[0 … at-4))
 *     at b->data[at], and only then call stun_put_fingerprint.
 * A message is authentic only if its MESSAGE-INTEGRITY was checked. The
 * parser takes attributes only from before MESSAGE-INTEGRITY (all but
 * FINGERPRINT behind it are ignored), so that all it says is covered.
 */
#ifndef STUN_H
#define STUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;

#define STUN_HEADER_BYTES 20
#define STUN_TID_BYTES    12
#define STUN_MAC_BYTES    20
#define STUN_MAGIC        UINT32_C(0x2112A442)
#define STUN_BINDING      0x001
#define STUN_MAX_UNKNOWN  8
#define STUN_MAX_USERNAME 513 /* bytes, RFC 8489 section 14.3 */

enum stun_class {
	STUN_REQUEST,
	STUN_INDICATION,
	STUN_SUCCESS,
	STUN_ERROR,
};

struct stun_addr {
	bool v6;
	uint16_t port;
	uint8_t ip[16]; /* network order; 4 bytes used unless v6 */
};

struct stun {
	enum stun_class class;
	uint16_t method;
	const uint8_t *tid;
	const char *username; /* not closed by a NUL; NULL if absent */
	size_t username_len;
	bool has_priority;
	uint32_t priority;
	bool use_candidate;
	bool controlling; /* both set is malformed */
	bool controlled;
	uint64_t tie_breaker; /* with either */
	bool has_mapped;      /* XOR-MAPPED-ADDRESS */
	struct stun_addr mapped;
	unsigned error_code; /* 300 to 699, or 0 if absent */
	const char *reason;  /* not closed by a NUL */
	size_t reason_len;
	/* Comprehension-required attributes (below 0x8000) not known here; a
	 * request with any is to be refused with 420. */
	uint16_t unknown[STUN_MAX_UNKNOWN];
	unsigned unknown_count;
	const uint8_t *integrity; /* STUN_MAC_BYTES, or NULL if absent */
	size_t integrity_at;      /* where its attribute begins */
	bool fingerprint;         /* present and right */
};

/* One whole message of exactly n bytes. Of an attribute that is repeated the
 * first counts. -EBADMSG: no magic cookie, a length that is not n - 20, an
 * attribute past the end or of a wrong size, a wrong FINGERPRINT or one that
 * is not last. */
int stun_parse(struct stun *out, const uint8_t *p, size_t n);

/* Needs m->integrity; see above. */
void stun_integrity_head(uint8_t out[static STUN_HEADER_BYTES],
	const struct stun *m, const uint8_t *p);

/* Writing: b must be empty at stun_begin; the header's length is right
 * after every put, so that there is no end call. Check b->err once. Values
 * too long to be legal set b->err to -EINVAL. */
void stun_begin(struct buf *b, enum stun_class class, uint16_t method,
	const uint8_t tid[static STUN_TID_BYTES]);
void stun_put_username(struct buf *b, const char *s, size_t n);
void stun_put_software(struct buf *b, const char *s);
void stun_put_priority(struct buf *b, uint32_t priority);
void stun_put_use_candidate(struct buf *b);
void stun_put_controlling(struct buf *b, uint64_t tie_breaker);
void stun_put_controlled(struct buf *b, uint64_t tie_breaker);
void stun_put_mapped(struct buf *b, const struct stun_addr *a);
void stun_put_error(struct buf *b, unsigned code, const char *reason);
void stun_put_unknown(struct buf *b, const uint16_t *types, size_t n);
/* Returns the offset of the MAC to be filled in; 0 if b->err is set. */
size_t stun_put_integrity(struct buf *b);
void stun_put_fingerprint(struct buf *b);

#endif
