/* bus-relay PATH - a bus without a relay behind it, for tests: everybody is
 * let in, and what one sends to a room goes to all others of it that want to
 * receive. A ticket is the name of a room and of an endpoint, parted by a
 * dot. Prints a line for each thing it is told; EOF on stdin ends it. */
#include <stdio.h>
#include <unistd.h>

#include "base.h"
#include "bus.h"
#include "io.h"

#define MAX_TRACKS 64

/* A track that goes out, to one reader. */
struct copy {
	struct list link; /* in track->copies */
	struct bus_peer *reader;
	unsigned number;
};

struct track {
	struct bus_peer *writer;
	unsigned number;
	char source[BUS_SOURCE_CAP];
	enum bus_codec codec;
	struct list copies;
};

static struct io_loop *loop;
static struct bus_server *server;
static struct track tracks[MAX_TRACKS];
static struct {
	struct bus_peer *peer;
	bool receive;
} members[BUS_MAX_PEERS];
static char room[BUS_ID_CAP], endpoint[BUS_ID_CAP];
static bool next_receives;

static int on_hello(void *arg, struct bus_peer *p, const struct bus_hello *h,
	struct bus_answer *out)
{
	const char *dot = h->ticket ? strchr(h->ticket, '.') : NULL;

	(void)arg;
	(void)p;
	next_receives = h->receive || h->ticket;
	if (h->ticket && !dot) {
		out->message = "a ticket is ROOM.ENDPOINT";
		return -EACCES;
	}
	if (dot) {
		snprintf(room, sizeof(room), "%.*s", (int)(dot - h->ticket),
			h->ticket);
		snprintf(endpoint, sizeof(endpoint), "%.71s", dot + 1);
	}
	out->room = dot ? room : h->room;
	out->endpoint = dot ? endpoint : h->endpoint;
	return 0;
}

static void copy_to(struct track *t, struct bus_peer *reader)
{
	struct bus_track say = {.endpoint = bus_peer_endpoint(t->writer),
		.source = t->source, .codec = t->codec, .ssrc = 1};
	struct copy *c = calloc(1, sizeof(*c));
	int n = bus_peer_open_track(reader, &say);

	if (!c || n < 0) {
		free(c);
		return;
	}
	c->reader = reader;
	c->number = (unsigned)n;
	list_append(&t->copies, &c->link);
}

static bool same_room(const struct bus_peer *a, const struct bus_peer *b)
{
	return a != b && str_eq(bus_peer_room(a), bus_peer_room(b));
}

static void on_ready(void *arg, struct bus_peer *p)
{
	unsigned i = 0;

	(void)arg;
	printf("joined %s %s\n", bus_peer_room(p), bus_peer_endpoint(p));
	while (members[i].peer)
		i++;
	members[i].peer = p;
	members[i].receive = next_receives;
	for (i = 0; next_receives && i < MAX_TRACKS; i++)
		if (tracks[i].writer && same_room(tracks[i].writer, p))
			copy_to(&tracks[i], p);
}

static struct track *find(const struct bus_peer *writer, unsigned number)
{
	for (int i = 0; i < MAX_TRACKS; i++)
		if (tracks[i].writer == writer &&
			(!writer || tracks[i].number == number))
			return &tracks[i];
	return NULL;
}

static int on_publish(void *arg, struct bus_peer *p, const struct bus_track *b,
	struct bus_answer *out)
{
	struct track *t = find(NULL, 0);

	(void)arg;
	out->kind = "limit";
	if (!t)
		return -ENOSPC;
	*t = (struct track){.writer = p, .number = b->track,
		.codec = b->codec};
	str_copy(t->source, sizeof(t->source), b->source);
	list_init(&t->copies);
	printf("published %s %s %s\n", bus_peer_endpoint(p), b->source,
		bus_codec_name(b->codec));
	for (unsigned i = 0; i < BUS_MAX_PEERS; i++)
		if (members[i].peer && members[i].receive &&
			same_room(p, members[i].peer))
			copy_to(t, members[i].peer);
	return 0;
}

static void end(struct track *t)
{
	printf("ended %s %s\n", bus_peer_endpoint(t->writer), t->source);
	list_each(l, next, &t->copies) {
		struct copy *c = list_entry(l, struct copy, link);

		bus_peer_end_track(c->reader, c->number);
		free(c);
	}
	t->writer = NULL;
}

static void on_unpublish(void *arg, struct bus_peer *p, unsigned number)
{
	(void)arg;
	end(find(p, number));
}

static void on_packet(void *arg, struct bus_peer *p, unsigned number,
	const struct bus_packet *k)
{
	struct track *t = find(p, number);
	struct bus_packet mine = *k;

	(void)arg;
	list_each(l, next, &t->copies) {
		struct copy *c = list_entry(l, struct copy, link);

		bus_peer_send(c->reader, c->number, &mine);
	}
	bus_packet_done(&mine);
}

static struct track *of_reader(const struct bus_peer *p, unsigned number)
{
	for (int i = 0; i < MAX_TRACKS; i++) {
		if (!tracks[i].writer)
			continue;
		list_each(l, next, &tracks[i].copies) {
			struct copy *c = list_entry(l, struct copy, link);

			if (c->reader == p && c->number == number)
				return &tracks[i];
		}
	}
	return NULL;
}

static void on_keyframe(void *arg, struct bus_peer *p, unsigned number)
{
	struct track *t = of_reader(p, number);

	(void)arg;
	printf("keyframe %s\n", bus_peer_endpoint(p));
	if (t)
		bus_peer_ask_keyframe(t->writer, t->number);
}

static void on_lost(void *arg, struct bus_peer *p, unsigned number,
	const uint16_t *seqs, size_t n)
{
	(void)arg;
	(void)number;
	(void)seqs;
	printf("lost %s %zu\n", bus_peer_endpoint(p), n);
}

static void on_want(void *arg, struct bus_peer *p, const struct bus_want *want,
	size_t n)
{
	(void)arg;
	(void)want;
	printf("want %s %zu\n", bus_peer_endpoint(p), n);
}

static void on_close(void *arg, struct bus_peer *p, int err)
{
	(void)arg;
	printf("left %s %s %d\n", bus_peer_room(p), bus_peer_endpoint(p), err);
	for (int i = 0; i < MAX_TRACKS; i++) {
		if (tracks[i].writer == p)
			end(&tracks[i]);
		if (!tracks[i].writer)
			continue;
		list_each(l, next, &tracks[i].copies) {
			struct copy *c = list_entry(l, struct copy, link);

			if (c->reader != p)
				continue;
			list_remove(&c->link);
			free(c);
		}
	}
	for (unsigned i = 0; i < BUS_MAX_PEERS; i++)
		if (members[i].peer == p)
			members[i].peer = NULL;
}

static void stdin_ready(void *arg, int fd, unsigned events)
{
	char mem[64];

	(void)arg;
	(void)events;
	if (read(fd, mem, sizeof(mem)) <= 0)
		io_loop_stop(loop, 0);
}

int main(int argc, char **argv)
{
	static const struct bus_server_events events = {on_hello, on_ready,
		on_publish, on_unpublish, on_packet, on_keyframe, on_lost,
		on_want, on_close};
	struct bus_server_config c = {.path = argc > 1 ? argv[1] : "",
		.mode = 0600, .gid = (gid_t)-1, .events = &events};
	struct io_watch *in;

	setvbuf(stdout, NULL, _IOLBF, 0);
	c.loop = loop = io_loop_new();
	server = loop ? bus_server_new(&c) : NULL;
	if (!server) {
		fprintf(stderr, "bus-relay: cannot listen on '%s': %s\n",
			c.path, strerror(errno));
		return 3;
	}
	in = io_watch_new(loop, 0, IO_READ, stdin_ready, NULL);
	puts("ready");
	io_loop_run(loop);
	printf("packets %" PRIu64 " %" PRIu64 " dropped %" PRIu64 "\n",
		bus_server_stats(server)->packets_in,
		bus_server_stats(server)->packets_out,
		bus_server_stats(server)->dropped_packets);
	for (int i = 0; i < MAX_TRACKS; i++)
		if (tracks[i].writer)
			end(&tracks[i]);
	io_watch_free(in);
	bus_server_free(server);
	io_loop_free(loop);
	return 0;
}
