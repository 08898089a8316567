/* What forwarding costs at least: the same packet protected under as many
 * keys as there are receivers, and sent to as many sockets of theirs, which
 * another process empties. peer-bare RECEIVERS BYTES PACKETS [suite] prints
 * ns of CPU a packet: to protect TAB to send TAB both in one loop TAB both,
 * with runs of up to 10 packets to a receiver in one send (GSO). BYTES is the
 * RTP packet before protection. */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base.h"
#include "crypt.h"
#include "io.h"

#define MAX_RECEIVERS 1000
#define CAP           1500
#define RUN           10 /* packets of a picture */

static unsigned receivers, packets;
static size_t bytes;
static struct srtp_link *links[MAX_RECEIVERS];
static union io_addr to[MAX_RECEIVERS], from;
static int sink[MAX_RECEIVERS];
static int out;
static uint16_t seq;

static void fail(const char *what)
{
	perror(what);
	exit(3);
}

static double cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void open_all(enum srtp_suite suite)
{
	if (io_addr_parse(&from, "127.0.0.1:0"))
		fail("address");
	out = io_udp_bind(&from);
	if (out < 0)
		fail("socket");
	for (unsigned i = 0; i < receivers; i++) {
		struct srtp_keys k = {.suite = suite};

		k.tx.key[0] = (uint8_t)i;
		k.tx.key[1] = (uint8_t)(i >> 8);
		links[i] = srtp_link_new(NULL, &k);
		sink[i] = io_udp_bind(&from);
		if (!links[i] || sink[i] < 0 || io_local_addr(sink[i], &to[i]))
			fail("receiver");
	}
}

/* Reads away whatever comes, until killed. */
static void drain(void)
{
	static struct io_datagram d[IO_UDP_BATCH];
	struct io_udp_batch *b = io_udp_batch_new();
	struct pollfd p[MAX_RECEIVERS];

	for (unsigned i = 0; i < receivers; i++) {
		io_nonblock(sink[i]);
		p[i] = (struct pollfd){.fd = sink[i], .events = POLLIN};
	}
	while (poll(p, receivers, -1) > 0)
		for (unsigned i = 0; i < receivers; i++)
			if (p[i].revents)
				(void)io_udp_recv(sink[i], b, d);
}

static size_t seal(unsigned receiver, uint8_t *p, const uint8_t *plain)
{
	size_t n = bytes;

	memcpy(p, plain, bytes);
	be16_put(p + 2, seq);
	if (srtp_link_protect_rtp(links[receiver], p, &n, CAP))
		fail("protect");
	return n;
}

static void protect_only(const uint8_t *plain)
{
	_Alignas(4) uint8_t p[CAP];

	for (unsigned i = 0; i < packets; i++, seq++)
		for (unsigned r = 0; r < receivers; r++)
			seal(r, p, plain);
}

static void send_only(const uint8_t *plain)
{
	for (unsigned i = 0; i < packets; i++)
		for (unsigned r = 0; r < receivers; r++)
			(void)io_udp_send(out, &to[r], &from, plain,
				bytes + 16, 0);
}

static void both(const uint8_t *plain)
{
	_Alignas(4) uint8_t p[CAP];

	for (unsigned i = 0; i < packets; i++, seq++)
		for (unsigned r = 0; r < receivers; r++)
			(void)io_udp_send(out, &to[r], &from, p,
				seal(r, p, plain), 0);
}

static void both_in_runs(const uint8_t *plain)
{
	static _Alignas(4) uint8_t p[RUN * CAP];

	for (unsigned i = 0; i < packets / RUN; i++, seq += RUN)
		for (unsigned r = 0; r < receivers; r++) {
			size_t n = 0, each = 0;

			for (unsigned k = 0; k < RUN; k++, seq++) {
				each = seal(r, p + n, plain);
				n += each;
			}
			seq -= RUN;
			(void)io_udp_send(out, &to[r], &from, p, n, each);
		}
}

static double cost(void (*run)(const uint8_t *plain), const uint8_t *plain)
{
	double begun = cpu_ns();

	run(plain);
	return (cpu_ns() - begun) / ((double)packets * receivers);
}

int main(int argc, char **argv)
{
	uint8_t plain[CAP] = {0x90, 96, [12] = 0xbe, [13] = 0xde, [15] = 2};
	uint64_t n[3];
	pid_t child;

	if (argc < 4 || str_u64(argv[1], 1, MAX_RECEIVERS, &n[0]) ||
		str_u64(argv[2], 24, CAP - 32, &n[1]) ||
		str_u64(argv[3], RUN, 1000000, &n[2])) {
		fputs("usage: peer-bare RECEIVERS BYTES PACKETS [cm]\n",
			stderr);
		return 2;
	}
	receivers = (unsigned)n[0];
	bytes = n[1];
	packets = (unsigned)n[2];
	open_all(argc > 4 ? SRTP_SUITE_CM_SHA1_80 : SRTP_SUITE_GCM_128);
	child = fork();
	if (child < 0)
		fail("fork");
	if (child == 0)
		drain();
	protect_only(plain); /* warm */
	printf("%.0f\t", cost(protect_only, plain));
	printf("%.0f\t", cost(send_only, plain));
	printf("%.0f\t", cost(both, plain));
	printf("%.0f\n", cost(both_in_runs, plain));
	kill(child, SIGKILL);
	return 0;
}
