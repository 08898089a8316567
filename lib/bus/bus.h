/* bus - both ends of the media bus: a relay's tracks to and from programs on
 * its host, over a Unix socket that keeps messages apart (SOCK_SEQPACKET).
 * conf-bus(5) is the format; bus_server.h is the relay's end, bus_client.h
 * the program's.
 *
 * A track is numbered by whoever sends its packets, and announced before the
 * first and ended behind the last of them. Either end sends by way of a
 * bounded queue: what the other end does not take within its limit (in time,
 * BUS_QUEUE_MS; in bytes and packets) is dropped by whole frames, counted to
 * it, and of video left out until the next key frame. A frame of which a
 * part is on its way is not dropped, unless it is larger than any frame is.
 * So one that stops reading delays and costs nobody else: nothing blocks,
 * and a packet that waits for many is copied once.
 *
 * The time limit holds for the socket's buffer too: half of it is what may
 * be unread there, half what may wait in front of it. A reader that stops for
 * less than the limit loses nothing.
 *
 * Units: *_ns of CLOCK_MONOTONIC, *_ms milliseconds, len and bytes without
 * the 16-byte header.
 * Errors: 0 or -errno. Callbacks come from the loop only, never from inside
 * a call of ours; in them every call is legal, freeing the caller too.
 * Never: blocks, logs, takes descriptors that a peer passes.
 */
#ifndef BUS_H
#define BUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "bushdr.h"
#include "rtp.h"

#define BUS_MAX_PACKET   (BUS_MAX_BYTES - BUSHDR_BYTES)
#define BUS_MAX_TRACKS   4096u /* numbers, each way, of a connection */
#define BUS_MAX_WANTS    128u
#define BUS_MAX_LOST     256u  /* numbers in one request */
#define BUS_ID_CAP       72u   /* of rooms and endpoints, with NUL */
#define BUS_SOURCE_CAP   96u
#define BUS_TICKET_CAP   129u
#define BUS_QUEUE_MS     200u
#define BUS_QUEUE_MS_MIN 20u
#define BUS_QUEUE_MS_MAX 2000u
#define BUS_QUEUE_BYTES  (8u << 20)
#define BUS_QUEUE_COUNT  8192u

/* Flags of the header. */
#define BUS_RESENT 1u /* sent again, as asked by "lost" */

enum bus_codec { BUS_OPUS, BUS_VP8 };
const char *bus_codec_name(enum bus_codec c); /* "opus", "vp8" */
uint32_t bus_codec_hz(enum bus_codec c);      /* of its RTP clock */

/* As announced; strings are lent for the call. */
struct bus_track {
	unsigned track;
	const char *endpoint; /* whose it is */
	const char *source;   /* "mic", "cam", … [A-Za-z0-9:._-]+ */
	enum bus_codec codec;
	uint32_t ssrc;
};

/* One packet, either way. */
struct bus_packet {
	enum bus_kind kind; /* BUS_RTP or BUS_RTCP */
	const uint8_t *data;
	size_t len;
	uint64_t arrival_ns; /* at the relay */
	uint32_t flags;
	struct rtp rtp; /* of BUS_RTP; lends from data */
	bool key;       /* the first packet of a VP8 key frame */
	struct bus_body *body; /* a copy, once somebody has to wait for it */
};

/* Fills a packet from its bytes, which are lent until bus_packet_done and
 * not changed. -EMSGSIZE above BUS_MAX_PACKET, -EBADMSG: no RTP (of VP8: or
 * its payload is none), no RTCP. */
int bus_packet_rtp(struct bus_packet *p, enum bus_codec codec,
	const void *data, size_t len, uint64_t arrival_ns);
int bus_packet_rtcp(struct bus_packet *p, const void *data, size_t len,
	uint64_t arrival_ns);
void bus_packet_done(struct bus_packet *p);

struct bus_want {
	const char *endpoint;
	const char *source;
	unsigned height; /* pixels; 0: none of it */
	bool stage;
};

struct bus_stats {
	uint64_t packets_in, bytes_in;
	uint64_t packets_out, bytes_out;
	uint64_t dropped_packets, dropped_frames; /* by full queues */
	uint64_t malformed; /* peers that were cut for what they sent */
	uint64_t refused;   /* by the hello, or over a limit */
};

#include "bus_client.h"
#include "bus_server.h"

#endif
