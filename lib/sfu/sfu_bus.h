/* sfu_bus - transports on the media bus (SFU_BUS): they take whole tracks in
 * place of slots, and publish.
 *
 * One whose endpoint may receive gets every track of its room but those of
 * its own endpoint and those that it wants with a height of 0. It has a *tap*
 * of each, by the number that open gave, until end; the first packet of a
 * video tap begins a key frame. A track is rewritten once for all taps of it:
 * sequence numbers and timestamps go on over mutes, layers, and a source that
 * begins anew; only the network's losses are gaps. What it sent lately can be
 * had again.
 *
 * Of a muted source the taps stay, and nothing comes. Where a source is muted
 * or no longer allowed, purge says so of each tap: what is still queued must
 * not go out.
 *
 * It publishes by sfu_rtp, as SFU_LAYER_H, under its endpoint's grant. An
 * endpoint has either a bus transport or a publish transport: a new one of
 * the two closes the other ("replaced").
 *
 * Included by sfu.h, whose rules of ownership, errors and callbacks hold.
 * Memory: a track that is tapped keeps SFU_FEED_PACKETS packets at most, as
 * long as history does.
 */
#ifndef SFU_BUS_H
#define SFU_BUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sfu;
struct sfu_transport;
struct sfu_packet;

#define SFU_MAX_TAPS      4096u /* numbers below, of one transport */
#define SFU_FEED_PACKETS  1024u
#define SFU_FEED_BYTES    (1024u * 1024)
#define SFU_AGAIN_BURST   512u /* packets sent again to one transport … */
#define SFU_AGAIN_RATE    512u /* … and how many more each second */
#define SFU_REPORT_NS     (UINT64_C(1000) * 1000000)

/* A track as it comes to its taps. */
struct sfu_feed {
	const char *endpoint;
	enum sfu_source source;
	uint32_t ssrc; /* drawn anew when nobody had tapped it */
};

struct sfu_tap {
	void *user; /* of its transport */
	unsigned number;
};

struct sfu_report {
	uint64_t at_ns; /* rtp_ts is of this instant */
	uint32_t rtp_ts;
	uint32_t packets;
	uint32_t octets;
};

struct sfu_bus_events {
	/* Returns the tap's number, below SFU_MAX_TAPS, or -errno: then the
	 * transport does not get this track, unless its wants change. */
	int (*open)(void *arg, void *user, const struct sfu_feed *f);
	void (*end)(void *arg, void *user, unsigned number);
	void (*purge)(void *arg, void *user, unsigned number);
	/* To each of these, now. again: as sfu_bus_lost asked. */
	void (*send)(void *arg, const struct sfu_tap *taps, size_t n,
		const struct sfu_feed *f, const struct sfu_packet *p,
		bool again);
	/* Each SFU_REPORT_NS while something flows. */
	void (*report)(void *arg, const struct sfu_tap *taps, size_t n,
		const struct sfu_feed *f, const struct sfu_report *r);
};

/* A tap cannot go on without a key frame. Each has a few of these, which grow
 * back slowly; the publisher is asked once a second for all. */
void sfu_bus_keyframe(struct sfu *s, struct sfu_transport *t,
	unsigned number, uint64_t now_ns);
/* Sends again what is still there of these sequence numbers. */
void sfu_bus_lost(struct sfu *s, struct sfu_transport *t, unsigned number,
	const uint16_t *seqs, size_t n, uint64_t now_ns);
/* What this transport publishes as source has ended. */
void sfu_bus_stop(struct sfu *s, struct sfu_transport *t,
	enum sfu_source source, uint64_t now_ns);

#endif
