/* srtp - protects and unprotects RTP and RTCP in place (RFC 3711, RFC 7714)
 * for one peer: one key each way, any number of SSRCs.
 *
 * The work is done by an engine, a small table of functions: ours over
 * OpenSSL's EVP, or libsrtp2, the reference that ours is held against.
 * Units: bytes; packets are aligned to 4. Replay window: 1024 packets.
 * Protecting one sequence number of an SSRC twice is legal only with the
 * very same bytes: with GCM, other bytes under it would give the key away.
 * A peer may use any SSRCs; state of the SRTP_RX_SSRCS it used last is kept.
 * Errors: -EINVAL too short or no RTP/RTCP, -ENOBUFS cap leaves no room for
 * the trailer, -EBADMSG authentication failed, -EALREADY replayed or older
 * than the window, -ENOMEM. A failed packet must be dropped: its bytes may
 * be half decrypted.
 * Never: reads a clock, answers, or tears anything down for forged packets;
 * they are counted.
 */
#ifndef CRYPT_SRTP_H
#define CRYPT_SRTP_H

#include <stddef.h>
#include <stdint.h>

enum srtp_suite { /* values of the DTLS use_srtp extension */
	SRTP_SUITE_NONE = 0,
	SRTP_SUITE_CM_SHA1_80 = 0x0001,  /* RFC 5764 */
	SRTP_SUITE_GCM_128 = 0x0007,     /* RFC 7714 */
};

/* What protecting adds at most: tag, and for RTCP the index. */
#define SRTP_TRAILER_MAX  24
#define SRTP_RX_SSRCS     128
#define SRTP_KEY_BYTES    16
#define SRTP_SALT_MAX     14

struct srtp_key {
	uint8_t key[SRTP_KEY_BYTES];
	uint8_t salt[SRTP_SALT_MAX]; /* GCM uses the first 12 */
};

struct srtp_keys {
	enum srtp_suite suite;
	struct srtp_key tx;
	struct srtp_key rx;
};

struct srtp_counts {
	uint64_t protected;   /* RTP and RTCP together, as all here */
	uint64_t unprotected;
	uint64_t auth_failed;
	uint64_t replayed;
	uint64_t malformed;
};

struct srtp_engine;
extern const struct srtp_engine srtp_engine_evp; /* the default */
extern const struct srtp_engine srtp_engine_libsrtp;

struct srtp_link;
/* engine NULL is srtp_engine_evp. The keys are copied. EINVAL: unknown
 * suite; ENOMEM. */
struct srtp_link *srtp_link_new(const struct srtp_engine *engine,
	const struct srtp_keys *keys);
void srtp_link_free(struct srtp_link *l);

/* In place: *n bytes become more (protect; p holds cap bytes) or fewer. */
int srtp_link_protect_rtp(struct srtp_link *l, uint8_t *p, size_t *n,
	size_t cap);
int srtp_link_protect_rtcp(struct srtp_link *l, uint8_t *p, size_t *n,
	size_t cap);
int srtp_link_unprotect_rtp(struct srtp_link *l, uint8_t *p, size_t *n);
int srtp_link_unprotect_rtcp(struct srtp_link *l, uint8_t *p, size_t *n);

/* Forgets an SSRC that was sent, so that its memory is freed. */
void srtp_link_forget_tx(struct srtp_link *l, uint32_t ssrc);
const struct srtp_counts *srtp_link_counts(const struct srtp_link *l);

#endif
