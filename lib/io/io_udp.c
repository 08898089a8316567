/* Datagrams in batches, with the local address they came to and leave from
 * (IP_PKTINFO, RFC 3542 section 6), how long they waited, and GSO on the way
 * out. */
#include <netinet/udp.h>
#include <time.h>
#include <unistd.h>

#include "base.h"
#include "io.h"

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

#define CONTROL_BYTES 128

struct io_udp_batch {
	struct mmsghdr msg[IO_UDP_BATCH];
	struct iovec iov[IO_UDP_BATCH];
	union io_addr from[IO_UDP_BATCH];
	_Alignas(struct cmsghdr) uint8_t control[IO_UDP_BATCH][CONTROL_BYTES];
	uint8_t data[IO_UDP_BATCH][IO_UDP_MAX_BYTES];
};

struct io_udp_batch *io_udp_batch_new(void)
{
	return calloc(1, sizeof(struct io_udp_batch));
}

void io_udp_batch_free(struct io_udp_batch *b)
{
	free(b);
}

/* By the clock of the wall, as the kernel counts here: when that is set, the
 * ages of one moment are wrong. */
static uint64_t age_of(const struct cmsghdr *c, const struct timespec *now)
{
	struct timespec ts;
	int64_t ns;

	memcpy(&ts, CMSG_DATA(c), sizeof(ts));
	ns = (now->tv_sec - ts.tv_sec) * (int64_t)NS_PER_S +
		(now->tv_nsec - ts.tv_nsec);
	return ns > 0 ? (uint64_t)ns : 0;
}

static void look_at_control(struct msghdr *h, const struct timespec *now,
	struct io_datagram *out)
{
	union io_addr *to = &out->to;

	*to = (union io_addr){0};
	out->age_ns = 0;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(h); c; c = CMSG_NXTHDR(h, c)) {
		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
			struct in_pktinfo info;

			memcpy(&info, CMSG_DATA(c), sizeof(info));
			to->in4.sin_family = AF_INET;
			to->in4.sin_addr = info.ipi_addr;
		} else if (c->cmsg_level == IPPROTO_IPV6 &&
			c->cmsg_type == IPV6_PKTINFO) {
			struct in6_pktinfo info;

			memcpy(&info, CMSG_DATA(c), sizeof(info));
			to->in6.sin6_family = AF_INET6;
			to->in6.sin6_addr = info.ipi6_addr;
		} else if (c->cmsg_level == SOL_SOCKET &&
			c->cmsg_type == SCM_TIMESTAMPNS) {
			out->age_ns = age_of(c, now);
		}
	}
}

int io_udp_recv(int fd, struct io_udp_batch *b, struct io_datagram *out)
{
	struct timespec now;
	int got, n = 0;

	for (int i = 0; i < IO_UDP_BATCH; i++) {
		b->iov[i] = (struct iovec){b->data[i], IO_UDP_MAX_BYTES};
		b->msg[i].msg_hdr = (struct msghdr){.msg_name = &b->from[i],
			.msg_namelen = sizeof(b->from[i]),
			.msg_iov = &b->iov[i],
			.msg_iovlen = 1,
			.msg_control = b->control[i],
			.msg_controllen = CONTROL_BYTES};
	}
	do
		got = recvmmsg(fd, b->msg, IO_UDP_BATCH, MSG_DONTWAIT, NULL);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return errno == EAGAIN || errno == EWOULDBLOCK ||
				errno == ECONNREFUSED
			? 0
			: -errno;
	clock_gettime(CLOCK_REALTIME, &now);
	for (int i = 0; i < got; i++) {
		struct msghdr *h = &b->msg[i].msg_hdr;

		if (h->msg_flags & MSG_TRUNC)
			continue;
		out[n].data = b->data[i];
		out[n].len = b->msg[i].msg_len;
		out[n].from = b->from[i];
		look_at_control(h, &now, &out[n++]);
	}
	return n;
}

static void add_control(struct msghdr *h, size_t *used, int level, int type,
	const void *p, size_t n)
{
	struct cmsghdr *c;

	h->msg_controllen = *used + CMSG_SPACE(n);
	c = (struct cmsghdr *)(void *)((uint8_t *)h->msg_control + *used);
	*c = (struct cmsghdr){.cmsg_level = level, .cmsg_type = type,
		.cmsg_len = CMSG_LEN(n)};
	memcpy(CMSG_DATA(c), p, n);
	*used += CMSG_SPACE(n);
}

static void add_source(struct msghdr *h, size_t *used,
	const union io_addr *from)
{
	if (from->sa.sa_family == AF_INET) {
		struct in_pktinfo info = {.ipi_spec_dst = from->in4.sin_addr};

		add_control(h, used, IPPROTO_IP, IP_PKTINFO, &info,
			sizeof(info));
	} else if (from->sa.sa_family == AF_INET6) {
		struct in6_pktinfo info = {.ipi6_addr = from->in6.sin6_addr};

		add_control(h, used, IPPROTO_IPV6, IPV6_PKTINFO, &info,
			sizeof(info));
	}
}

int io_udp_sendv(int fd, const union io_addr *to, const union io_addr *from,
	const struct iovec *iov, size_t n_iov, size_t segment)
{
	_Alignas(struct cmsghdr) uint8_t control[CONTROL_BYTES] = {0};
	struct msghdr h = {.msg_name = (void *)(uintptr_t)to,
		.msg_namelen = io_addr_len(to),
		.msg_iov = (struct iovec *)(uintptr_t)iov,
		.msg_iovlen = n_iov,
		.msg_control = control};
	size_t used = 0;
	ssize_t sent;

	if (from)
		add_source(&h, &used, from);
	if (segment) {
		uint16_t size = (uint16_t)segment;

		add_control(&h, &used, SOL_UDP, UDP_SEGMENT, &size,
			sizeof(size));
	}
	if (!used)
		h.msg_control = NULL;
	do
		sent = sendmsg(fd, &h, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	if (sent >= 0)
		return 0;
	return errno == EWOULDBLOCK || errno == ENOBUFS ? -EAGAIN : -errno;
}

int io_udp_send(int fd, const union io_addr *to, const union io_addr *from,
	const void *p, size_t n, size_t segment)
{
	const struct iovec iov = {(void *)(uintptr_t)p, n};

	return io_udp_sendv(fd, to, from, &iov, 1,
		segment < n ? segment : 0);
}
