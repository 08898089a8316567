/* rtpext - RTP header extensions, one- and two-byte form (RFC 8285), and the
 * elements that we negotiate.
 *
 * Ownership: elements are lent from the packet; a writer writes into memory
 * of the caller, which must live as long as the struct rtp it closes into.
 * Never: allocates.
 */
#ifndef RTPEXT_H
#define RTPEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rtp;

#define RTPEXT_URI_MID      "urn:ietf:params:rtp-hdrext:sdes:mid"
#define RTPEXT_URI_RID      "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id"
#define RTPEXT_URI_REPAIRED \
	"urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id"
#define RTPEXT_URI_LEVEL    "urn:ietf:params:rtp-hdrext:ssrc-audio-level"
#define RTPEXT_URI_ABS_SEND_TIME \
	"http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"
#define RTPEXT_URI_TRANSPORT_CC                                       \
	"http://www.ietf.org/id/"                                     \
	"draft-holmer-rmcat-transport-wide-cc-extensions-01"

#define RTPEXT_ONE_BYTE 0xBEDE /* profiles in struct rtp */
#define RTPEXT_TWO_BYTE 0x1000

struct rtpext {
	uint8_t id;  /* 1 to 14 in one-byte form, else 1 to 255 */
	uint8_t len; /* 1 to 16 in one-byte form, else 0 to 255 */
	const uint8_t *data;
};

struct rtpext_iter {
	const uint8_t *p;
	const uint8_t *end;
	bool two_byte;
	bool bad; /* an element reached past the end; iteration stopped */
};

/* Empty if the packet has no extension or one of a foreign profile. */
struct rtpext_iter rtpext_iter(const struct rtp *h);
/* False at the end, which is also id 15 of the one-byte form. */
bool rtpext_next(struct rtpext_iter *it, struct rtpext *out);
/* The first element with that id; id 0 is never found. */
bool rtpext_find(const struct rtp *h, uint8_t id, struct rtpext *out);

struct rtpext_writer {
	uint8_t *p;
	size_t cap;
	size_t len;
	bool two_byte;
	int err; /* 0, -ENOBUFS or -EINVAL; further puts do nothing */
};

/* cap a multiple of 4. One-byte form takes ids up to 14 and 1 to 16 bytes. */
void rtpext_open(struct rtpext_writer *w, uint8_t *out, size_t cap,
	bool two_byte);
void rtpext_put(struct rtpext_writer *w, uint8_t id, const void *data,
	size_t len);
/* Pads to 4 bytes and sets has_ext, ext_profile, ext and ext_len of h; with
 * no element put, has_ext is false. Returns w->err. */
int rtpext_close(struct rtpext_writer *w, struct rtp *h);

/* mid, rid and repaired-rid (RFC 9143, RFC 8852): 1 to RTPEXT_MAX_TEXT
 * printable ASCII characters without space; else -EBADMSG. */
#define RTPEXT_MAX_TEXT 32
int rtpext_text(const struct rtpext *e, char out[static RTPEXT_MAX_TEXT + 1]);
void rtpext_put_text(struct rtpext_writer *w, uint8_t id, const char *s);

/* abs-send-time: 24 bits, seconds as 6.18 fixed point; wraps each 64 s. */
uint32_t rtpext_abs_send_time(uint64_t now_ns);
int rtpext_abs(const struct rtpext *e, uint32_t *out);
void rtpext_put_abs(struct rtpext_writer *w, uint8_t id, uint32_t v);

/* transport-wide sequence number. */
int rtpext_twcc(const struct rtpext *e, uint16_t *out);
void rtpext_put_twcc(struct rtpext_writer *w, uint8_t id, uint16_t seq);

/* ssrc-audio-level (RFC 6464): -dBov, 0 is loudest and 127 is silence. voice
 * may be NULL. */
int rtpext_level(const struct rtpext *e, uint8_t *level, bool *voice);
void rtpext_put_level(struct rtpext_writer *w, uint8_t id, uint8_t level,
	bool voice);

#endif
