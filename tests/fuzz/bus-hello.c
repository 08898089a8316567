/* A program speaks to the relay's end of the bus as the input has it: each
 * message is its length (16 bits, little-endian) and that many bytes. What
 * the callbacks are told holds together whatever it says, and when it has
 * left, nothing of it is left. */
#include <sys/socket.h>
#include <unistd.h>

#include "base.h"
#include "bus.h"
#include "fuzz.h"
#include "io.h"

static struct io_loop *loop;
static struct bus_server *server;
static char path[64];

/* Of the one peer. */
static unsigned hellos, welcomes, closes;
static uint8_t published[BUS_MAX_TRACKS];

static int on_hello(void *arg, struct bus_peer *p, const struct bus_hello *h,
	struct bus_answer *out)
{
	(void)arg;
	(void)p;
	hellos++;
	CHECK(!h->ticket != !h->room && !h->room == !h->endpoint);
	for (size_t i = 0; i < h->n_publish; i++)
		CHECK(*h->publish[i]);
	out->room = "r";
	out->endpoint = "e";
	return h->ticket && str_eq(h->ticket, "no") ? -EACCES : 0;
}

static void on_ready(void *arg, struct bus_peer *p)
{
	const struct bus_track t = {.endpoint = "f", .source = "cam",
		.codec = BUS_VP8, .ssrc = 1};

	int rc = bus_peer_open_track(p, &t);

	(void)arg;
	welcomes++;
	CHECK(!rc || rc == -EPIPE); /* it may have left */
}

static int on_publish(void *arg, struct bus_peer *p, const struct bus_track *t,
	struct bus_answer *out)
{
	(void)arg;
	(void)p;
	CHECK(t->track < BUS_MAX_TRACKS && !published[t->track]);
	CHECK(str_eq(t->endpoint, "e") && *t->source);
	CHECK(strlen(t->source) < BUS_SOURCE_CAP);
	out->kind = "denied";
	if (str_eq(t->source, "no"))
		return -EACCES;
	published[t->track] = 1 + t->codec;
	return 0;
}

static void on_unpublish(void *arg, struct bus_peer *p, unsigned track)
{
	(void)arg;
	(void)p;
	CHECK(track < BUS_MAX_TRACKS && published[track]);
	published[track] = 0;
}

static void on_packet(void *arg, struct bus_peer *p, unsigned track,
	const struct bus_packet *k)
{
	(void)arg;
	CHECK(track < BUS_MAX_TRACKS && published[track]);
	CHECK(k->len <= BUS_MAX_PACKET);
	CHECK(!k->key || published[track] == 1 + BUS_VP8);
	touch(k->data, k->len);
	if (k->kind == BUS_RTP)
		touch(k->rtp.payload, k->rtp.payload_len);
	if (k->key)
		bus_peer_ask_keyframe(p, track);
}

static void on_keyframe(void *arg, struct bus_peer *p, unsigned track)
{
	(void)arg;
	(void)p;
	CHECK(track == 0);
}

static void on_lost(void *arg, struct bus_peer *p, unsigned track,
	const uint16_t *seqs, size_t n)
{
	(void)arg;
	(void)p;
	CHECK(track == 0 && n && n <= BUS_MAX_LOST);
	touch(seqs, n * sizeof(*seqs));
}

static void on_want(void *arg, struct bus_peer *p, const struct bus_want *w,
	size_t n)
{
	(void)arg;
	(void)p;
	CHECK(n <= BUS_MAX_WANTS);
	for (size_t i = 0; i < n; i++)
		CHECK(*w[i].endpoint && *w[i].source && w[i].height <= 65535);
}

static void on_close(void *arg, struct bus_peer *p, int err)
{
	(void)arg;
	(void)p;
	CHECK(err == 0 || err == -EPROTO);
	closes++;
}

static void stop(void *arg)
{
	(void)arg;
	io_loop_stop(loop, 0);
}

static void remove_path(void)
{
	bus_server_free(server);
	io_loop_free(loop);
}

static void begin(void)
{
	static const struct bus_server_events events = {on_hello, on_ready,
		on_publish, on_unpublish, on_packet, on_keyframe, on_lost,
		on_want, on_close};
	struct bus_server_config c = {.path = path, .mode = 0600,
		.gid = (gid_t)-1, .events = &events};

	snprintf(path, sizeof(path), "/tmp/confkit-fuzz-%d.bus", getpid());
	c.loop = loop = io_loop_new();
	server = bus_server_new(&c);
	CHECK(server);
	atexit(remove_path);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	int fd;

	if (!server)
		begin();
	hellos = welcomes = closes = 0;
	memset(published, 0, sizeof(published));
	fd = io_seqpacket_connect(path);
	CHECK(fd >= 0);
	while (n >= 2) {
		size_t len = MIN((size_t)(p[0] | p[1] << 8), n - 2);

		if (send(fd, p + 2, len, MSG_NOSIGNAL) < 0)
			break;
		p += 2 + len;
		n -= 2 + len;
	}
	close(fd);
	for (int i = 0; i < 1000 && (i < 3 || bus_server_peers(server)); i++) {
		io_defer(loop, stop, NULL);
		io_loop_run(loop);
	}
	CHECK(!bus_server_peers(server));
	CHECK(hellos <= 1 && welcomes <= hellos && closes == welcomes);
	return 0;
}
