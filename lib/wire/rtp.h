/* rtp - the RTP header (RFC 3550 section 5.1) and which protocol a datagram
 * on a shared port belongs to (RFC 7983 section 7, RFC 5761 section 4).
 *
 * Units: lengths are bytes; ts is in units of the codec's clock.
 * Ownership: a parsed struct lends pointers into the bytes given.
 * Never: allocates, copies a payload.
 */
#ifndef RTP_H
#define RTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RTP_HEADER_BYTES 12 /* without CSRCs and extension */
#define RTP_MAX_CSRCS    15

enum demux {
	DEMUX_NONE, /* too short, or of no protocol that we speak: drop it */
	DEMUX_STUN,
	DEMUX_DTLS,
	DEMUX_RTP,
	DEMUX_RTCP,
};

/* Looks at the first two bytes and the least length of each protocol (STUN
 * 20, DTLS 13, RTP 12, RTCP 8). SRTP and SRTCP are told apart just so. */
enum demux demux(const uint8_t *p, size_t n);

struct rtp {
	bool marker;
	uint8_t pt; /* 0 to 127 */
	uint16_t seq;
	uint32_t ts;
	uint32_t ssrc;
	uint8_t csrc_count;  /* up to RTP_MAX_CSRCS */
	const uint8_t *csrc; /* 4 big-endian bytes each */
	bool has_ext;
	uint16_t ext_profile; /* 0xBEDE, 0x1000…0x100F, or foreign */
	const uint8_t *ext;   /* behind its 4-byte head; see rtpext.h */
	size_t ext_len;       /* a multiple of 4 */
	size_t header_len;    /* all in front of the payload */
	const uint8_t *payload;
	size_t payload_len;  /* without padding; 0 is legal (a probe) */
	uint8_t padding_len; /* 0 without the P bit */
};

/* Reads a packet that is not, or no longer, encrypted. -EBADMSG: version is
 * not 2, or CSRCs, extension or padding reach past the end, or the P bit is
 * set and the padding's length is 0. */
int rtp_parse(struct rtp *out, const uint8_t *p, size_t n);

/* The same for an SRTP packet: payload is what is encrypted, with its tag,
 * and padding is not looked at (payload_len counts it). */
int rtp_parse_head(struct rtp *out, const uint8_t *p, size_t n);

/* Bytes that rtp_write puts. */
size_t rtp_header_len(const struct rtp *h);

/* Writes the header, with CSRCs and (if has_ext) the extension, from h; the
 * fields header_len, payload, payload_len and padding_len are not used and P
 * is written as 0. csrc and ext may not lie inside out. Returns the bytes
 * written, or -ENOBUFS if cap is too small, or -EINVAL if pt, csrc_count or
 * ext_len cannot be written. */
int rtp_write(uint8_t *out, size_t cap, const struct rtp *h);

/* In place, on a packet that rtp_parse took. */
void rtp_set_marker(uint8_t *p, bool marker);
void rtp_set_pt(uint8_t *p, uint8_t pt);
void rtp_set_seq(uint8_t *p, uint16_t seq);
void rtp_set_ts(uint8_t *p, uint32_t ts);
void rtp_set_ssrc(uint8_t *p, uint32_t ssrc);

#endif
