/* vp8 - the VP8 payload descriptor (RFC 7741 section 4.2) and the little of
 * the payload that a forwarder must know (section 4.3, RFC 6386 section 9.1).
 *
 * Offsets are bytes from the start of the payload, so that an identifier can
 * be rewritten in place without changing the packet's size.
 * Never: allocates, reads past the payload.
 */
#ifndef VP8_H
#define VP8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct vp8 {
	uint8_t header_len;
	bool non_reference; /* N */
	bool start;         /* S: start of a partition */
	uint8_t partition;  /* PID, 0 to 7 */
	bool has_picture_id;
	bool picture_id_15; /* 15 bits, else 7 */
	uint16_t picture_id;
	uint8_t picture_id_at;
	bool has_tl0picidx;
	uint8_t tl0picidx;
	uint8_t tl0picidx_at;
	bool has_tid;
	uint8_t tid;     /* temporal layer, 0 to 3 */
	bool layer_sync; /* Y */
	bool has_keyidx;
	uint8_t keyidx; /* 0 to 31 */
	/* First packet of a frame: start and partition 0. */
	bool frame_start;
	/* Of a frame_start only: the frame is a key frame, with its size
	 * (pixels, scaling left out). */
	bool key;
	uint16_t width;
	uint16_t height;
};

/* The payload of an RTP packet; a padding-only packet has none and is not to
 * be given. -EBADMSG: the descriptor or a key frame's header is cut off, no
 * byte follows the descriptor, the key frame's start code is wrong or a side
 * is 0. */
int vp8_parse(struct vp8 *out, const uint8_t *p, size_t n);

/* In place, on a payload that vp8_parse took into v. Nothing happens when the
 * field is absent. A 7-bit picture id takes the low 7 bits. */
void vp8_set_picture_id(uint8_t *p, const struct vp8 *v, uint16_t id);
void vp8_set_tl0picidx(uint8_t *p, const struct vp8 *v, uint8_t idx);

/* Writes a descriptor from the fields N to keyidx of v (not the offsets).
 * Returns its length, at most VP8_MAX_HEADER, or -ENOBUFS, or -EINVAL if a
 * field is out of range. */
#define VP8_MAX_HEADER 6
int vp8_write(uint8_t *out, size_t cap, const struct vp8 *v);

#endif
