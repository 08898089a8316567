/* strangers - sends datagrams that nobody has a right to an answer for, and
 * counts the answers: ice-strangers HOST:PORT USER COUNT SEED. Prints "sent
 * N", waits for the end of its input, then prints "answers N". USER is a
 * USERNAME that the other end knows; its password is not known here. */
#include <arpa/inet.h>
#include <stdio.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base.h"
#include "cert.h"
#include "dtls.h"
#include "hmac.h"
#include "stun.h"

#define MAX_BYTES 1500

static struct rng rng;

/* A Binding request with what how says of it. */
enum { USER = 1, KNOWN = 2, MAC = 4, CRC = 8, HOWS = 16 };

static void stun(struct buf *b, const char *user, unsigned how)
{
	uint8_t tid[STUN_TID_BYTES], mac[SHA1_BYTES];
	size_t at;

	rng_bytes(&rng, tid, sizeof tid);
	stun_begin(b, STUN_REQUEST, STUN_BINDING, tid);
	if (!(how & KNOWN))
		user = "zzzz:yyyy";
	if (how & USER)
		stun_put_username(b, user, strlen(user));
	stun_put_controlling(b, rng_u64(&rng));
	stun_put_use_candidate(b);
	stun_put_priority(b, 1);
	if (how & MAC) {
		at = stun_put_integrity(b);
		if (at && !hmac_sha1("not the password at all", 23, b->data,
				at - 4, NULL, 0, mac))
			memcpy(b->data + at, mac, sizeof mac);
	}
	if (how & CRC)
		stun_put_fingerprint(b);
}

static void hello(struct buf *b, struct dtls_ctx *ctx)
{
	struct dtls *d = dtls_new(ctx, DTLS_CLIENT);
	const uint8_t *p = NULL;
	size_t n = 0;

	if (d && !dtls_start(d, 0))
		p = dtls_output(d, &n);
	if (p)
		buf_put(b, p, n);
	dtls_free(d);
}

static void junk(struct buf *b)
{
	/* First bytes of STUN, DTLS, RTP and RTCP, and any. */
	static const uint8_t first[] = {0, 1, 20, 22, 63, 64, 128, 144, 255};
	uint8_t p[MAX_BYTES];
	size_t n = 1 + rng_below(&rng, sizeof p);

	rng_bytes(&rng, p, n);
	if (rng_below(&rng, 4))
		p[0] = first[rng_below(&rng, sizeof first)];
	if (n > 8 && p[0] < 2) {
		be16_put(p + 2, (uint16_t)(n < 20 ? 0 : n - 20));
		be32_put(p + 4, STUN_MAGIC);
	}
	buf_put(b, p, n);
}

static void make(struct buf *b, uint64_t i, const char *user,
	struct dtls_ctx *ctx)
{
	buf_clear(b);
	switch (i % 4) {
	case 0:
		stun(b, user, (unsigned)(i / 4 % HOWS));
		break;
	case 1:
		if (i % 16 == 1)
			hello(b, ctx);
		else
			junk(b);
		break;
	case 2: /* a request with a bit turned */
		stun(b, user, USER | KNOWN | MAC | CRC);
		if (b->len)
			b->data[rng_below(&rng, b->len)] ^=
				(uint8_t)(1u << rng_below(&rng, 8));
		break;
	default:
		junk(b);
		break;
	}
}

static int open_to(const char *where)
{
	struct sockaddr_in a = {.sin_family = AF_INET};
	const char *colon = strchr(where, ':');
	char host[64] = "";
	uint64_t port;
	int fd;

	if (!colon || (size_t)(colon - where) >= sizeof host ||
	    str_u64(colon + 1, 1, 65535, &port))
		return -1;
	memcpy(host, where, (size_t)(colon - where));
	a.sin_port = htons((uint16_t)port);
	if (inet_pton(AF_INET, host, &a.sin_addr) != 1)
		return -1;
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&a, sizeof a)) {
		close(fd);
		return -1;
	}
	return fd;
}

int main(int argc, char **argv)
{
	const struct timespec pause = {.tv_nsec = 1000000};
	const struct cert_spec spec = {
		.cn = "stranger",
		.not_after_ms = UINT64_C(4000000000000),
	};
	struct cert *cert = cert_make(&spec);
	struct dtls_ctx *ctx = cert ? dtls_ctx_new(cert) : NULL;
	uint64_t count, seed, answers = 0;
	struct buf b = {0};
	char byte[64];
	int fd;

	if (argc != 5 || !ctx || (fd = open_to(argv[1])) < 0 ||
	    str_u64(argv[3], 1, 1000000, &count) ||
	    str_u64(argv[4], 0, UINT64_MAX, &seed)) {
		fputs("usage: ice-strangers HOST:PORT USER COUNT SEED\n",
			stderr);
		return 2;
	}
	rng_seed(&rng, seed);
	for (uint64_t i = 0; i < count; i++) {
		make(&b, i, argv[2], ctx);
		(void)send(fd, b.data, b.len, 0);
		if (i % 16 == 15) /* so that no buffer overflows */
			nanosleep(&pause, NULL);
	}
	printf("sent %" PRIu64 "\n", count);
	fflush(stdout);
	while (read(0, byte, sizeof byte) > 0)
		;
	while (recv(fd, byte, sizeof byte, MSG_DONTWAIT) >= 0)
		answers++;
	printf("answers %" PRIu64 "\n", answers);
	dtls_ctx_free(ctx);
	cert_free(cert);
	buf_free(&b);
	close(fd);
	return 0;
}
