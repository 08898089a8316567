/* vp8pack - a VP8 frame cut into RTP payloads (RFC 7741 section 4): each has
 * the frame's descriptor, of which the first alone begins the partition, and
 * all are of about the same size.
 *
 * Ownership: the frame is lent until the last payload was taken.
 * Never: allocates.
 */
#ifndef VP8PACK_H
#define VP8PACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "vp8.h"

struct vp8pack {
	const uint8_t *p;
	size_t left;
	size_t payloads; /* that are still to come */
	size_t descriptor_len;
	uint8_t descriptor[VP8_MAX_HEADER];
};

/* ids: picture id and so on of this frame (start and partition are not
 * looked at). max_payload counts the descriptor. -EINVAL: an id out of
 * range, no frame, or max_payload leaves no room. */
int vp8pack_open(struct vp8pack *k, const uint8_t *frame, size_t n,
	size_t max_payload, const struct vp8 *ids);
/* The next payload, at most max_payload bytes, into out. Returns its length,
 * 0 when there is none any more; last is the RTP marker. */
size_t vp8pack_next(struct vp8pack *k, uint8_t *out, bool *last);

#endif
