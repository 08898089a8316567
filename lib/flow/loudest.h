/* loudest - which n of many sources are heard, by the level that each packet
 * carries (RFC 6464), steadily.
 *
 * Places 0 to n-1 are heard by everybody; place n, the reserve, by those who
 * are themselves in one of the others, so that each hears the loudest n of
 * the others. A free place goes to whoever sends: with n or fewer sources
 * nothing ever moves. A source takes the place of the quietest only if it
 * speaks, is louder by LOUDEST_MARGIN_DB (both smoothed), and the other has
 * had the place for LOUDEST_HOLD_NS. A source is gone LOUDEST_STALE_NS after
 * its last packet.
 * Ownership: sources are the caller's and must be removed before they die.
 */
#ifndef LOUDEST_H
#define LOUDEST_H

#include <stdbool.h>
#include <stdint.h>

#define LOUDEST_MAX       8u
#define LOUDEST_SILENCE   127 /* -dBov */
#define LOUDEST_UNKNOWN   40  /* taken for a packet without level */
#define LOUDEST_SPEECH    60  /* -dBov, smoothed: at or below it speaks */
#define LOUDEST_MARGIN_DB 3
#define LOUDEST_HOLD_NS   (UINT64_C(600) * 1000000)
#define LOUDEST_STALE_NS  (UINT64_C(1000) * 1000000)

struct loudest_source {
	int place; /* -1: none */
	uint64_t since_ns; /* has its place */
	uint64_t last_ns;  /* packet */
	int32_t level_q8;  /* -dBov, smoothed, times 256 */
};

struct loudest {
	unsigned n;
	struct loudest_source *place[LOUDEST_MAX + 1]; /* or NULL */
};

void loudest_init(struct loudest *l, unsigned n); /* 1 to LOUDEST_MAX */
void loudest_source_init(struct loudest_source *s);
/* level: 0 to 127, or below 0 for unknown. True if a place changed. */
bool loudest_packet(struct loudest *l, struct loudest_source *s, int level,
	uint64_t now_ns);
/* True if it had a place. Legal for one that has none. */
bool loudest_remove(struct loudest *l, struct loudest_source *s);
/* Drops the stale ones: true if a place changed. */
bool loudest_tick(struct loudest *l, uint64_t now_ns);
uint64_t loudest_deadline(const struct loudest *l);
/* Smoothed, 0 to 127. */
int loudest_level(const struct loudest_source *s);
bool loudest_speaks(const struct loudest_source *s);

#endif
