/* load_sink_priv - what one received stream was: packets, losses, the first
 * whole frame, how long packets travelled. Pure. */
#ifndef LOAD_SINK_PRIV_H
#define LOAD_SINK_PRIV_H

#include <stdbool.h>
#include <stdint.h>
#include "load_hist_priv.h"
#include "peer.h"

#define LOAD_SINK_FRAMES 16u /* that may be put together at a time */

struct load_frame {
	uint32_t rtp_ts;
	unsigned packets; /* 0: unused */
	bool begun, ended; /* the first packet, of a key frame; the last */
	uint16_t first, last;
};

/* Zeroed is fresh. */
struct load_sink {
	bool started;
	uint64_t first, highest; /* sequence numbers, extended */
	uint64_t packets;        /* each once */
	uint64_t bytes;          /* of payload */
	bool whole;              /* a first frame was had */
	/* The newest frames, until one is whole. */
	struct load_frame frames[LOAD_SINK_FRAMES];
	unsigned next_frame;
};

/* Takes a packet. True for the one that completes the first frame: of sound
 * the first packet, of pictures the first key frame that is whole. delays
 * gets the travel time in us, if the packet tells. */
bool load_sink_take(struct load_sink *s, const struct peer_rtp *pkt,
	bool video, struct load_hist *delays);
/* Packets that should have come and did not. */
uint64_t load_sink_lost(const struct load_sink *s);
uint64_t load_sink_expected(const struct load_sink *s);

#endif
