/* bus_peer_priv - the server and its peers. */
#ifndef BUS_PEER_PRIV_H
#define BUS_PEER_PRIV_H

#include "bus_link_priv.h"

struct bus_server {
	struct bus_server_config cfg;
	char path[IO_PATH_CAP];
	int fd;
	struct io_watch *watch;
	struct io_timer *again; /* accepting, after descriptors ran out */
	struct list peers;
	unsigned n_peers;
	struct bus_stats stats;
	uint8_t scratch[BUS_MAX_JSON + 1];
};

struct bus_peer {
	struct list link; /* in server->peers */
	struct bus_server *server;
	struct bus_link bus;
	struct io_timer *hello; /* until the first message */
	bool welcome;
	bool *gone; /* set where a callback may close it */
	void *user;
	char room[BUS_ID_CAP];
	char endpoint[BUS_ID_CAP];
};

/* Owns fd in any case. */
int bus_peer_new(struct bus_server *s, int fd);
void bus_peer_free(struct bus_peer *p);

#endif
