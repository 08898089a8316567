/* bus_msg_priv - the JSON messages of the bus, of both directions: bytes to
 * a checked struct, and words to bytes. conf-bus(5) lists them.
 *
 * Pure. Ownership: strings and the list of a read message live as long as
 * its json; bus_msg_done ends it.
 */
#ifndef BUS_MSG_PRIV_H
#define BUS_MSG_PRIV_H

#include "base.h"
#include "bus.h"
#include "json.h"

enum bus_say {
	BUS_SAY_OTHER, /* an object without a word of ours: to be ignored */
	BUS_SAY_TICKET,
	BUS_SAY_OPEN, /* room and endpoint, without a ticket */
	BUS_SAY_WELCOME,
	BUS_SAY_REFUSED,
	BUS_SAY_TRACK,
	BUS_SAY_PUBLISH,
	BUS_SAY_END,
	BUS_SAY_DROPPED,
	BUS_SAY_KEYFRAME,
	BUS_SAY_LOST,
	BUS_SAY_QUEUE_MS,
	BUS_SAY_WANT,
};

struct bus_msg {
	enum bus_say say;
	json_t *json;
	struct bus_track track; /* track, publish; .track of all others */
	bool of_track;          /* refused: one track, not the peer */
	const char *ticket;
	const char *room, *endpoint; /* open, welcome */
	const char *kind, *message;  /* refused */
	bool receive;
	const json_t *list; /* open: sources; lost: numbers; want: objects */
	unsigned frames, packets;
	unsigned queue_ms;
};

/* The body of a message of kind BUS_JSON. -EBADMSG: no JSON object, or a
 * word of ours with a value that is none; -ENOMEM. */
int bus_msg_read(struct bus_msg *out, const uint8_t *p, size_t n);
void bus_msg_done(struct bus_msg *m);

/* Entries of m->list that bus_msg_read has checked. */
uint16_t bus_msg_seq(const struct bus_msg *m, size_t i);
struct bus_want bus_msg_want(const struct bus_msg *m, size_t i);
const char *bus_msg_source(const struct bus_msg *m, size_t i);

/* [A-Za-z0-9:._-]+ shorter than cap. */
bool bus_is_word(const char *s, size_t cap);

/* New references; NULL when out of memory. */
json_t *bus_msg_track(const struct bus_track *t);
json_t *bus_msg_refused(int track, const char *kind, const char *message);
json_t *bus_msg_of_track(const char *say, unsigned track);

#endif
