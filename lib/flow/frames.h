/* frames - packets of one stream put together to frames: VP8 (RFC 7741
 * section 4.4), or Opus, of which each packet is one.
 *
 * Frames come out whole and in order. What is missing is waited for wait_ns,
 * counted from the first packet behind the hole; then the frames it belongs
 * to are left out, and the next frame says how many packets were lost. Call
 * frames_next until it has none after each frames_put, and at the deadline.
 * Ownership: payloads are copied in; a frame is lent until the next call.
 * Memory: grows with what is held at once, at most FRAMES_WINDOW packets.
 */
#ifndef FRAMES_H
#define FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FRAMES_WINDOW       1024u /* packets between a hole and the newest */
#define FRAMES_MAX_PAYLOAD  2048u
#define FRAMES_MAX_JUMP     3000 /* a leap beyond it is a new stream */

enum frames_codec { FRAMES_OPUS, FRAMES_VP8 };

struct frames;

struct frames_packet {
	uint16_t seq;
	uint32_t rtp_ts;
	bool marker; /* of VP8: the frame's last packet */
	const uint8_t *payload; /* VP8: with its descriptor; may be empty */
	size_t len;
	uint64_t arrival_ns;
};

struct frame {
	const uint8_t *data;
	size_t len;
	uint32_t rtp_ts;
	uint64_t arrival_ns; /* of its first packet in sequence */
	unsigned lost; /* packets that did not come since the frame before */
	bool key;      /* VP8 only, as the next; an Opus frame is always key */
	uint16_t width; /* of a key frame */
	uint16_t height;
};

/* NULL with errno ENOMEM. */
struct frames *frames_new(enum frames_codec codec, uint64_t wait_ns);
void frames_free(struct frames *f);
/* 0; -EALREADY it is here; -ESTALE it is too late, or a leap that the next
 * packet must confirm; -EBADMSG its VP8 descriptor is broken (it counts as
 * lost); -EMSGSIZE, -ENOMEM: the same. */
int frames_put(struct frames *f, const struct frames_packet *p);
bool frames_next(struct frames *f, uint64_t now_ns, struct frame *out);
/* When frames_next gives up what it waits for, or FLOW_NEVER. */
uint64_t frames_deadline(const struct frames *f);
/* The sequence numbers that are waited for, to be asked for again: up to
 * max, the oldest first. */
unsigned frames_missing(const struct frames *f, uint16_t *seqs, unsigned max);
/* What is missing between the newest packet and the next one will not come,
 * since the sender said so: it is not waited for. */
void frames_skip(struct frames *f);

#endif
