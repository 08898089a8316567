/* srtp_evp_priv - what an engine of ours knows of each SSRC: how far its
 * packets have come and which were had (RFC 3711 section 3.3). Pure.
 *
 * Units: an index counts packets: ROC and sequence number of RTP (48 bits),
 * 31 bits of RTCP.
 */
#ifndef CRYPT_SRTP_EVP_PRIV_H
#define CRYPT_SRTP_EVP_PRIV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SRTP_WINDOW 1024u /* packets */

/* Zeroed is fresh: nothing came yet. */
struct srtp_window {
	bool started;
	uint64_t top; /* the highest index */
	uint64_t seen[SRTP_WINDOW / 64]; /* by index, round and round */
};

/* The index that a sequence number means (section 3.3.1 and appendix A). */
uint64_t srtp_window_guess(const struct srtp_window *w, uint16_t seq);
/* -EALREADY: had, or too old to know. */
int srtp_window_check(const struct srtp_window *w, uint64_t index);
/* It is authentic. One that is too old changes nothing. */
void srtp_window_put(struct srtp_window *w, uint64_t index);

struct srtp_stream {
	struct srtp_window rtp, rtcp;
};

/* Zeroed is empty. */
struct srtp_streams {
	uint32_t *ssrc;
	struct srtp_stream *stream; /* beside it */
	size_t n, cap, last;
};

struct srtp_stream *srtp_streams_find(struct srtp_streams *s, uint32_t ssrc);
/* Finds it or makes it. NULL: no memory. */
struct srtp_stream *srtp_streams_add(struct srtp_streams *s, uint32_t ssrc);
void srtp_streams_forget(struct srtp_streams *s, uint32_t ssrc);
void srtp_streams_free(struct srtp_streams *s);

#endif
