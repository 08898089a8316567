/* peer_gather_priv - packets that wait until a pass of the loop is over, to
 * leave with others of their peer in one send. */
#ifndef PEER_GATHER_PRIV_H
#define PEER_GATHER_PRIV_H

#include "base.h"
#include "ice.h"
#include "io.h"

#define GATHER_CAP 1600u /* header, extensions, payload, trailer */

struct peer;
struct peer_port;

struct path {
	struct ice_addr local;
	struct ice_addr remote;
};

/* Packets of one size, the last perhaps shorter, that leave in one send. */
struct run {
	struct list link; /* in the port's gather */
	struct path path;
	unsigned n;
	uint16_t each, last; /* bytes */
	uint16_t slot[IO_UDP_SEGMENTS];
};

/* Memory for the packet that gather_send takes next, GATHER_CAP bytes; NULL
 * without memory. */
uint8_t *gather_room(struct peer_port *port);
/* Sends it, n bytes long, when this pass of the loop is over, in one send
 * with others of the peer that are as long. What fails is counted. */
void gather_send(struct peer *p, const struct path *path, size_t n);
/* Sends what the peer has. */
void gather_flush(struct peer *p);
void gather_free(struct peer_port *port);

#endif
