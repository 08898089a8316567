/* bus-bench KIND READERS SECONDS [PATH PID] - packets of 1,200 bytes over
 * the bus as fast as they go. KIND: out is the relay's end to READERS
 * clients, each a process; in is a client to the relay's end; raw is sendmsg
 * and recv of the same bytes between two processes, which is what the kernel
 * allows; relay is a client by way of a conf-relay --open-bus at PATH, whose
 * process is PID and whose room is "r", to READERS others: a packet is one
 * that came to one of them then, and the CPU is the relay's. Prints
 * KIND READERS SENT RECEIVED DROPPED SECONDS SENT-PER-SECOND CPU-NS, TAB
 * between; the last is what one packet to one reader costs the sender. */
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
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
static clockid_t relay_clock;
static bool by_relay;

static uint64_t cpu_ns(void)
{
	struct timespec t;
	struct rusage u;

	if (by_relay) {
		clock_gettime(relay_clock, &t);
		return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
	}
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
	/* What the relay does not keep up with waits here, and is not lost. */
	for (int i = 0; i < BURST && !(by_relay && bus_client_queued(writer));
		i++) {
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

static void stop(void *arg)
{
	(void)arg;
	io_loop_stop(loop, 0);
}

static void at_life(void *arg, int fd, unsigned events)
{
	(void)fd;
	(void)events;
	stop(arg);
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

static void on_closed(void *arg, int err)
{
	(void)err;
	tell_and_exit(*(int *)arg);
}

static struct bus_client *open_hello(const char *path, const char *who,
	const char *const *publish, int *fd)
{
	static const struct bus_client_events events = {
		.on_packet = at_reader,
		.on_close = on_closed,
	};
	const struct bus_client_config k = {.path = path, .room = "r",
		.endpoint = who, .publish = publish, .n_publish = !!publish,
		.receive = !publish, .events = &events, .arg = fd,
		.loop = loop};

	return bus_client_new(&k);
}

/* Reads until its parent is gone. */
static void read_for_ever(const char *path, unsigned i, int fds[2], int life)
{
	char who[16];
	uint64_t none = 0;
	struct io_watch *end;

	snprintf(who, sizeof(who), "e_r%u", i);
	loop = io_loop_new();
	if (!open_hello(path, who, NULL, &fds[1]) ||
		write(fds[1], &none, sizeof(none)) != sizeof(none))
		_exit(3);
	end = io_watch_new(loop, life, IO_READ, at_life, NULL);
	io_loop_run(loop);
	io_watch_free(end);
	tell_and_exit(fds[1]);
}

static int relay(const char *path, unsigned readers, int fds[2], pid_t pid)
{
	static const char *const mic[] = {"mic"};
	int life[2];
	uint64_t none;

	if (pipe(life) || clock_getcpuclockid(pid, &relay_clock))
		return 3;
	by_relay = true;
	for (unsigned i = 0; i < readers; i++)
		if (fork() == 0) {
			close(life[1]);
			read_for_ever(path, i, fds, life[0]);
		}
	for (unsigned i = 0; i < readers; i++)
		if (read(fds[0], &none, sizeof(none)) != sizeof(none))
			return 3;
	loop = io_loop_new();
	writer = open_hello(path, "e_w", mic, &fds[1]);
	if (!writer || bus_client_publish(writer, "mic", BUS_OPUS) != 0)
		return 3;
	begin();
	io_defer(loop, burst, NULL);
	io_loop_run(loop);
	began_cpu = cpu_ns() - began_cpu;
	lasts_ns = io_now_ns() - began_ns;
	while (bus_client_queued(writer)) {
		io_defer(loop, stop, NULL);
		io_loop_run(loop);
	}
	dropped = bus_client_stats(writer)->dropped_packets;
	bus_client_free(writer);
	usleep(300000); /* what is under way */
	close(life[1]);
	received = heard(fds[0], readers);
	printf("relay\t%u\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64
		"\t%.3f\t%.0f\t%.0f\n", readers, sent, received, dropped,
		(double)lasts_ns / 1e9, (double)received * 1e9 /
		(double)lasts_ns, (double)began_cpu / (double)received);
	return 0;
}

int main(int argc, char **argv)
{
	uint64_t readers, seconds, pid = 0;
	char path[64];
	int fds[2];
	bool through = argc == 6 && str_eq(argv[1], "relay") &&
		!str_u64(argv[5], 1, INT32_MAX, &pid);

	if ((argc != 4 && !through) ||
		str_u64(argv[2], 1, MAX_READERS, &readers) ||
		str_u64(argv[3], 1, 3600, &seconds) || pipe(fds)) {
		fputs("usage: bus-bench out|in|raw READERS SECONDS\n"
			"       bus-bench relay READERS SECONDS PATH PID\n",
			stderr);
		return 2;
	}
	snprintf(path, sizeof(path), "/tmp/confkit-bench-%d.bus", getpid());
	lasts_ns = seconds * NS_PER_S;
	if (through)
		return relay(argv[4], (unsigned)readers, fds, (pid_t)pid);
	if (str_eq(argv[1], "out"))
		return out(path, (unsigned)readers, fds);
	if (str_eq(argv[1], "in"))
		return in(path, fds);
	return raw(fds);
}
