/* sfu_bus_priv - a track as it goes to the bus, for sfu_bus.c and for those
 * who feed it. sfu_priv.h includes this. */
#ifndef SFU_BUS_PRIV_H
#define SFU_BUS_PRIV_H

#include "sfu_priv.h"

/* A track as it goes to the bus. */
struct feed {
	struct slot slot; /* in track->slots while the track flows */
	uint32_t ssrc;
	struct sfu_tap *taps;
	size_t n, cap;
	size_t ready; /* that many, the first, have had their key frame */
	struct history *history;
	struct sendstat stat;
	uint64_t report_ns;
};

/* What a bus transport knows of a number. */
struct reading {
	struct track *track; /* NULL: not in use */
	struct asker asker;
};

/* sfu_bus.c */
/* The taps of one track, or of one transport, as they should be. */
void sfu_tap_track(struct sfu *s, struct track *k, uint64_t now_ns);
void sfu_tap_all(struct sfu *s, struct sfu_transport *t, uint64_t now_ns);
/* All taps of a transport that ends; it is told of none of them. */
void sfu_untap_all(struct sfu *s, struct sfu_transport *t);
/* The track flows again, is not to flow, has ended. */
void sfu_feed_join(struct sfu *s, struct track *k, uint64_t now_ns);
void sfu_feed_purge(struct sfu *s, struct track *k);
void sfu_feed_end(struct sfu *s, struct track *k);
void sfu_feed_free(struct feed *f);
/* A packet as rewritten for the feed, with key set at the first of a key
 * frame. Returns how many taps it went to. */
size_t sfu_feed_send(struct sfu *s, struct track *k,
	const struct sfu_packet *p, bool key, uint64_t now_ns);
void sfu_feed_tick(struct sfu *s, struct track *k, uint64_t now_ns);

#endif
