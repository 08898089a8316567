/* dtls - a DTLS 1.2 association as bytes in and bytes out (RFC 6347), with
 * SRTP keys from it (RFC 5764), in either role, over OpenSSL's memory BIOs.
 *
 * Feed datagrams, collect datagrams, call dtls_tick at the deadline:
 *
 *	dtls_input(d, p, n, now_ns);
 *	while ((p = dtls_output(d, &n)))
 *		send(p, n);
 *	at(dtls_deadline(d))
 *
 * Both sides show a certificate. Its SHA-256 must be one of those announced
 * by dtls_expect (from the SDP) before the state becomes DTLS_OPEN and keys
 * are handed out. Nothing may be expected yet while the handshake runs (an
 * answer may come late): then the state stays DTLS_UNVERIFIED until
 * dtls_expect names the one that was shown.
 * Units: ns of the caller's monotonic clock. OpenSSL decides by a clock of
 * its own when a flight is sent again; deadlines are translated.
 * Ownership: output is lent until the next call on the same association;
 * collect it also when a call has failed: it holds the alert.
 * Never: sends without having been asked, answers a datagram that is no
 * DTLS, grows without bound (a peer that sends a message above 16 KiB
 * fails).
 */
#ifndef CRYPT_DTLS_H
#define CRYPT_DTLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "hmac.h"
#include "srtp.h"

#define DTLS_MTU             1200 /* payload bytes of one UDP datagram */
#define DTLS_FINGERPRINTS    8    /* accepted at most for one peer */
#define DTLS_HANDSHAKE_MAX_MS  20000

struct cert;
struct dtls_ctx;
struct dtls;

enum dtls_role { DTLS_SERVER, DTLS_CLIENT };

enum dtls_state {
	DTLS_HANDSHAKE,  /* also before the first datagram */
	DTLS_UNVERIFIED, /* complete, but no fingerprint is known yet */
	DTLS_OPEN,       /* complete and verified */
	DTLS_CLOSED,     /* the peer said close_notify, or we did */
	DTLS_FAILED,     /* see dtls_error */
};

/* One per process and certificate; borrows the certificate. */
struct dtls_ctx *dtls_ctx_new(const struct cert *c);
void dtls_ctx_free(struct dtls_ctx *ctx);

/* Borrows ctx. */
struct dtls *dtls_new(struct dtls_ctx *ctx, enum dtls_role role);
void dtls_free(struct dtls *d);

/* Adds a certificate hash that the peer may show. -ENOSPC: too many. */
int dtls_expect(struct dtls *d, const uint8_t sha256[static SHA256_BYTES]);

/* Client: makes the first flight. Server: nothing to do, legal. */
int dtls_start(struct dtls *d, uint64_t now_ns);
/* One datagram. 0, or -EPROTO when the association has failed or closed;
 * damaged and foreign datagrams are ignored, as RFC 6347 wants. */
int dtls_input(struct dtls *d, const uint8_t *p, size_t n, uint64_t now_ns);
/* Repeats a flight that is due. -ETIMEDOUT: the peer is silent, failed. */
int dtls_tick(struct dtls *d, uint64_t now_ns);
/* When dtls_tick wants to be called; UINT64_MAX: not at all. */
uint64_t dtls_deadline(const struct dtls *d);
/* The next datagram to send, at most DTLS_MTU bytes; NULL: none. */
const uint8_t *dtls_output(struct dtls *d, size_t *n);
/* Queues close_notify. */
void dtls_close(struct dtls *d);

enum dtls_state dtls_state(const struct dtls *d);
/* Why it failed, for a log line: "fingerprint does not match", ...; NULL
 * while it has not. */
const char *dtls_error(const struct dtls *d);

/* -EAGAIN not complete, -EACCES not verified, -ENOPROTOOPT no SRTP suite
 * was agreed. tx is what this side protects with. */
int dtls_srtp_keys(const struct dtls *d, struct srtp_keys *out);

/* True for a first byte of DTLS in a multiplexed flow (RFC 9443). */
bool dtls_is_datagram(const uint8_t *p, size_t n);

#endif
