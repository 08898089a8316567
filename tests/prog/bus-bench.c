/* bus-bench KIND READERS SECONDS - packets of 1,200 bytes over the bus as
 * fast as they go. KIND: out is the relay's end to READERS clients, each a
 * process; in is a client to the relay's end; raw is sendmsg and recv of the
 * same bytes between two processes, which is what the kernel allows. Prints
 * KIND READERS SENT RECEIVED DROPPED SECONDS SENT-PER-SECOND CPU-NS, TAB
 * between; the last is what one packet to one reader costs the sender. */
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base.h"
#include "bus.h"
#include "io.h"
#include "wire.h"

#define BYTES       1200
#define BURST       32 /* packets in one pass of the loop */
#define MAX_READERS 64

static struct io_loop *loop;
static struct bus_peer *peers[MAX_READERS];
static struct bus_client *writer;
static unsigned n_peers, n_wanted;
static uint8_t bytes[BYTES];
static uint64_t received, sent, dropped;
static uint64_t began_ns, began_cpu, lasts_ns;

static uint64_t cpu_ns(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (uint64_t)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * NS_PER_S +
		(uint64_t)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) * 1000;
}

static void begin(void)
{
	began_ns = io_now_ns();
	began_cpu = cpu_ns();
}

static void report(const char *kind, unsigned readers, uint64_t got)
{
	double s = (double)(io_now_ns() - began_ns) / 1e9;
	double cpu = (double)(cpu_ns() - began_cpu);

	printf("%s\t%u\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64
		"\t%.3f\t%.0f\t%.0f\n", kind, readers, sent, got, dropped, s,
		(double)sent / s, cpu / (double)sent);
}

static bool time_is_up(void)
{
	return io_now_ns() - began_ns >= lasts_ns;
}

/* ---- callbacks ---- */

static void burst(void *arg)
{
	static struct rtp h = {.pt = 111, .ssrc = 1};
	struct bus_packet k;

	(void)arg;
	for (int i = 0; i < BURST; i++) {
		h.seq++;
		h.ts += 960;
		rtp_write(bytes, sizeof(bytes), &h);
		bus_packet_rtp(&k, BUS_OPUS, bytes, sizeof(bytes),
			io_now_ns());
		for (unsigned p = 0; p < n_peers; p++, sent++)
			bus_peer_send(peers[p], 0, &k);
		if (writer) {
			bus_client_send(writer, 0, &k);
			sent++;
		}
		bus_packet_done(&k);
	}
	if (time_is_up())
		io_loop_stop(loop, 0);
	else
		io_defer(loop, burst, NULL);
}

static int on_hello(void *arg, struct bus_peer *p, const struct bus_hello *h,
	struct bus_answer *out)
{
	(void)arg;
	(void)p;
	(void)h;
	out->room = out->endpoint = "bench";
	return 0;
}

static void on_ready(void *arg, struct bus_peer *p)
{
	const struct bus_track t = {.endpoint = "bench", .source = "mic"};

	(void)arg;
	if (!n_wanted) /* it is a writer */
		return;
	bus_peer_open_track(p, &t);
	peers[n_peers++] = p;
	if (n_peers < n_wanted)
		return;
	begin();
	io_defer(loop, burst, NULL);
}

static int on_publish(void *arg, struct bus_peer *p, const struct bus_track *t,
	struct bus_answer *out)
{
	(void)arg;
	(void)p;
	(void)t;
	(void)out;
	return 0;
}

static void on_number(void *arg, struct bus_peer *p, unsigned track)
{
	(void)arg;
	(void)p;
	(void)track;
}

static void on_packet(void *arg, struct bus_peer *p, unsigned track,
	const struct bus_packet *k)
{
	(void)k;
	on_number(arg, p, track);
	received++;
}

static void on_lost(void *arg, struct bus_peer *p, unsigned track,
	const uint16_t *seqs, size_t n)
{
	(void)seqs;
	(void)n;
	on_number(arg, p, track);
}

static void on_want(void *arg, struct bus_peer *p, const struct bus_want *w,
	size_t n)
{
	(void)w;
	on_number(arg, p, (unsigned)n);
}

static void on_close(void *arg, struct bus_peer *p, int err)
{
	on_number(arg, p, (unsigned)err);
	io_loop_stop(loop, 0);
}

static void at_reader(void *arg, unsigned track, const struct bus_packet *k)
{
	(void)arg;
	(void)track;
	(void)k;
	received++;
}

static void at_end(void *arg, int err)
{
	(void)arg;
	io_loop_stop(loop, err);
}

/* ---- the two ends ---- */

static struct bus_server *serve(const char *path)
{
	static const struct bus_server_events events = {on_hello, on_ready,
		on_publish, on_number, on_packet, on_number, on_lost, on_want,
		on_close};
	struct bus_server_config c = {.path = path, .mode = 0600,
		.gid = (gid_t)-1, .events = &events, .loop = loop};

	return bus_server_new(&c);
}

static struct bus_client *join(const char *path)
{
	static const struct bus_client_events events = {
		.on_packet = at_reader,
		.on_close = at_end,
	};
	struct bus_client_config k = {.path = path, .ticket = "t",
		.events = &events, .loop = loop};

	return bus_client_new(&k);
}

/* Ends a child: tells its parent what it received. */
static void tell_and_exit(int fd)
{
	_exit(write(fd, &received, sizeof(received)) != sizeof(received));
}

static uint64_t heard(int fd, unsigned n)
{
	uint64_t all = 0, one;

	while (n-- && read(fd, &one, sizeof(one)) == sizeof(one))
		all += one;
	while (wait(NULL) > 0)
		;
	return all;
}

static int out(const char *path, unsigned readers, int fds[2])
{
	struct bus_server *s;

	loop = io_loop_new();
	n_wanted = readers;
	s = serve(path);
	if (!s)
		return 3;
	for (unsigned i = 0; i < readers; i++) {
		if (fork())
			continue;
		loop = io_loop_new();
		if (join(path))
			io_loop_run(loop);
		tell_and_exit(fds[1]);
	}
	io_loop_run(loop);
	for (unsigned i = 0; i < n_peers; i++)
		bus_peer_end_track(peers[i], 0);
	dropped = bus_server_stats(s)->dropped_packets;
	bus_server_free(s);
	report("out", readers, heard(fds[0], readers));
	io_loop_free(loop);
	return 0;
}

static int in(const char *path, int fds[2])
{
	uint64_t go = 0;

	if (fork() == 0) {
		loop = io_loop_new();
		struct bus_server *s = serve(path);
		if (s && write(fds[1], &go, sizeof(go)) == sizeof(go))
			io_loop_run(loop);
		bus_server_free(s);
		tell_and_exit(fds[1]);
	}
	loop = io_loop_new();
	if (read(fds[0], &go, sizeof(go)) != sizeof(go))
		return 3;
	writer = join(path);
	if (!writer || bus_client_publish(writer, "mic", BUS_OPUS) != 0)
		return 3;
	begin();
	io_defer(loop, burst, NULL);
	io_loop_run(loop);
	dropped = bus_client_stats(writer)->dropped_packets;
	bus_client_free(writer);
	report("in", 1, heard(fds[0], 1));
	io_loop_free(loop);
	return 0;
}

static int raw(int fds[2])
{
	int ends[2], size = 4 << 20;
	uint8_t head[BUSHDR_BYTES] = {BUSHDR_VERSION, BUS_RTP};
	struct iovec iov[] = {{head, sizeof(head)}, {bytes, sizeof(bytes)}};
	struct msghdr m = {.msg_iov = iov, .msg_iovlen = 2};

	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends))
		return 3;
	setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	if (fork() == 0) {
		close(ends[0]);
		while (recv(ends[1], bytes, sizeof(bytes), 0) > 0)
			received++;
		tell_and_exit(fds[1]);
	}
	close(ends[1]);
	begin();
	for (; sent % BURST || !time_is_up(); sent++)
		if (sendmsg(ends[0], &m, MSG_NOSIGNAL) < 0)
			return 3;
	close(ends[0]);
	report("raw", 1, heard(fds[0], 1));
	return 0;
}

int main(int argc, char **argv)
{
	uint64_t readers, seconds;
	char path[64];
	int fds[2];

	if (argc != 4 || str_u64(argv[2], 1, MAX_READERS, &readers) ||
		str_u64(argv[3], 1, 3600, &seconds) || pipe(fds)) {
		fputs("usage: bus-bench out|in|raw READERS SECONDS\n", stderr);
		return 2;
	}
	snprintf(path, sizeof(path), "/tmp/confkit-bench-%d.bus", getpid());
	lasts_ns = seconds * NS_PER_S;
	if (str_eq(argv[1], "out"))
		return out(path, (unsigned)readers, fds);
	if (str_eq(argv[1], "in"))
		return in(path, fds);
	return raw(fds);
}
