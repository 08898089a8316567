/* sfu_look - counters, and what the relay holds. All of it is legal in
 * callbacks too; strings are lent.
 */
#ifndef SFU_LOOK_H
#define SFU_LOOK_H

#include <stdbool.h>
#include <stdint.h>

struct sfu;
struct sfu_grant;
enum sfu_direction { SFU_PUBLISH, SFU_SUBSCRIBE, SFU_BUS };
#define SFU_DIRECTIONS 3u

enum sfu_drop {
	SFU_DROP_UNGRANTED, /* its source is not allowed */
	SFU_DROP_MUTED,
	SFU_DROP_MALFORMED, /* VP8 descriptor, or too long */
	SFU_DROP_LAYER,     /* a layer that is not forwarded */
	SFU_DROP_PROBE,     /* no payload */
	SFU_DROP_STALE,     /* refused by a slot: duplicate, too old */
	SFU_DROPS
};
const char *sfu_drop_name(enum sfu_drop d); /* "ungranted" … */
struct sfu_stats {
	uint64_t packets_in, bytes_in;   /* payload */
	uint64_t packets_out, bytes_out; /* handed to send */
	uint64_t keyframes_asked;
	uint64_t rooms, endpoints, transports, tracks; /* now */
	uint64_t dropped[SFU_DROPS];
};
const struct sfu_stats *sfu_stats(const struct sfu *s);

/* What an endpoint was granted last; false if there is none. */
bool sfu_grant_of(const struct sfu *s, const char *room,
	const char *endpoint, struct sfu_grant *out);

/* All that is held, for relay.list and the hello: room, then each of its
 * endpoints, each followed by its transports. version grows with every
 * change of what is listed. Any of them may be NULL. */
struct sfu_lister {
	void (*room)(void *arg, const char *room, uint64_t epoch,
		uint64_t version);
	void (*endpoint)(void *arg, const char *endpoint,
		const struct sfu_grant *g);
	void (*transport)(void *arg, const char *id, enum sfu_direction d,
		bool ready, void *user);
};
void sfu_list(const struct sfu *s, const struct sfu_lister *l, void *arg);

#endif
