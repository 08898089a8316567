/* load_gen_priv - the packets of one synthetic source, frame by frame. Pure.
 *
 * Opus (RFC 6716): a silent CELT frame in code 3 with padding up to the size
 * wanted; VP8 (RFC 7741): 15-bit picture ids, a key frame four times the size
 * of others, paid for by those that follow. The last LOAD_STAMP_BYTES of each
 * payload are a stamp.
 * Units: ns of any monotonic clock; RTP timestamps of 48 or 90 kHz.
 */
#ifndef LOAD_GEN_PRIV_H
#define LOAD_GEN_PRIV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "load.h"
#include "peer.h"

#define LOAD_STAMP_BYTES 16u
#define LOAD_MIN_AUDIO   40u /* bytes of a packet */
#define LOAD_MIN_VIDEO   64u
#define LOAD_MAX_LATE_NS UINT64_C(500000000)

struct load_gen {
	const struct load_media *media; /* lent */
	bool video;
	uint16_t author;     /* put into stamps */
	uint64_t start_ns;   /* of frame 0 */
	uint64_t frame;      /* number of the next */
	uint16_t seq;
	uint32_t first_ts;
	uint16_t picture_id;
	uint64_t key_ns;     /* when the last key frame was */
	bool key_wanted;
	int64_t credit;      /* bytes that the rate still allows */
	uint64_t skipped;    /* frames that were not made in time */
	/* The frame that is being read. */
	bool key;
	uint32_t rtp_ts;
	size_t left, each;
	bool begun;
};

struct load_stamp {
	uint16_t author;
	uint64_t sent_ns;
};

/* seed makes the first numbers what they are. */
void load_gen_init(struct load_gen *g, const struct load_media *m, bool video,
	uint16_t author, uint64_t start_ns, uint64_t seed);
/* When the next frame is due. */
uint64_t load_gen_due(const struct load_gen *g);
/* The next frame shall be a key frame. */
void load_gen_want_key(struct load_gen *g);
/* Begins the frame that is due; those that are late by LOAD_MAX_LATE_NS or
 * more are skipped and counted. False: none is due. */
bool load_gen_frame(struct load_gen *g, uint64_t now_ns);
/* The next packet of the frame, written into payload; false at its end.
 * line, rid, level and voice are left alone. */
bool load_gen_packet(struct load_gen *g, uint64_t now_ns,
	struct peer_rtp *out, uint8_t payload[static PEER_MAX_PAYLOAD]);

/* Reads what ends a payload of ours; false: it is not one. */
bool load_stamp_read(const uint8_t *payload, size_t n,
	struct load_stamp *out);

#endif
