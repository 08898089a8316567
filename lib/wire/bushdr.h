/* bushdr - the header in front of every message on the media bus: 16 bytes,
 * little-endian: u8 version, u8 kind, u16 track, u32 flags, u64 arrival in
 * ns of CLOCK_MONOTONIC.
 */
#ifndef BUSHDR_H
#define BUSHDR_H

#include <stddef.h>
#include <stdint.h>

#define BUSHDR_BYTES     16
#define BUSHDR_VERSION   1
#define BUS_MAX_BYTES    2048u  /* of a message with its header */
#define BUS_MAX_JSON     16384u /* the same, of kind BUS_JSON */

enum bus_kind { BUS_JSON, BUS_RTP, BUS_RTCP };

struct bushdr {
	uint8_t version; /* read: BUSHDR_VERSION; written so by itself */
	enum bus_kind kind;
	uint16_t track;
	uint32_t flags; /* bits not known to the reader are to be ignored */
	uint64_t arrival_ns;
};

/* A whole message of n bytes: -EBADMSG if it is shorter than a header or of
 * an unknown kind, -EPROTONOSUPPORT of another version, -EMSGSIZE above the
 * maximum of its kind. */
int bushdr_parse(struct bushdr *out, const uint8_t *p, size_t n);
void bushdr_write(uint8_t out[static BUSHDR_BYTES], const struct bushdr *h);

#endif
