/* history - what was sent on a stream lately, to send it again when the
 * receiver asks (NACK, RFC 4585 section 6.2.1; RTX, RFC 4588).
 *
 * Packets are kept until they are HISTORY_KEEP_NS old or a bound is reached;
 * memory grows with what a second of the stream takes, up to max_bytes.
 * A packet is sent again at most once per round trip, and all that is sent
 * again is at most HISTORY_BUDGET_PERCENT of what was sent, so that a forged
 * or greedy NACK does not multiply (short bursts aside: a tenth of what is
 * held, at least HISTORY_BURST_BYTES).
 * Ownership: payloads are copied in; a hit lends until the next call.
 */
#ifndef HISTORY_H
#define HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HISTORY_KEEP_NS        (UINT64_C(1500) * 1000000)
#define HISTORY_BUDGET_PERCENT 10
#define HISTORY_BURST_BYTES    12000
#define HISTORY_MAX_PACKETS    32768u

struct history;

struct history_packet {
	uint16_t seq;
	uint32_t rtp_ts;
	bool marker;
	const uint8_t *payload;
	size_t len;
};

/* max_packets is rounded up to a power of two. NULL with errno EINVAL
 * (0, or more than HISTORY_MAX_PACKETS) or ENOMEM. */
struct history *history_new(size_t max_packets, size_t max_bytes);
void history_free(struct history *h);
/* 0; -EALREADY if that sequence number is held; -EMSGSIZE larger than
 * max_bytes; -ENOMEM: the packet is not kept, all else is well. */
int history_put(struct history *h, const struct history_packet *p,
	uint64_t now_ns);
/* The packet to send again now. -ENOENT not held; -EAGAIN sent again less
 * than a round trip ago; -EDQUOT over the budget. */
int history_resend(struct history *h, uint16_t seq, uint64_t rtt_ns,
	uint64_t now_ns, struct history_packet *out);
/* Looks without counting: false if it is not held. */
bool history_get(const struct history *h, uint16_t seq,
	struct history_packet *out);
void history_clear(struct history *h);
size_t history_packets(const struct history *h);
size_t history_bytes(const struct history *h); /* of payload held */

/* RTX payload: the original sequence number, then the original payload
 * (RFC 4588 section 4). Returns its length, or -ENOBUFS. */
int history_rtx_write(uint8_t *out, size_t cap,
	const struct history_packet *p);
/* Undoes it: osn and the original payload, lent from p; -EBADMSG if there
 * is not even an OSN. len 0 behind it is a probe. */
int history_rtx_read(const uint8_t *p, size_t n, uint16_t *osn,
	const uint8_t **payload, size_t *len);

#endif
