/* io_net - sockets: Unix, TCP listeners, UDP with local address and GSO. */
#ifndef IO_NET_H
#define IO_NET_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

/* An IPv4 or IPv6 address with port. Zeroed is "none". */
union io_addr {
	struct sockaddr sa;
	struct sockaddr_in in4;
	struct sockaddr_in6 in6;
};

#define IO_ADDR_CAP 64
socklen_t io_addr_len(const union io_addr *a);
bool io_addr_eq(const union io_addr *a, const union io_addr *b);
/* "127.0.0.1:8443", "[::1]:8443", "*:8500" and ":8500" (any IPv4), "[::]:1".
 * Numeric only. -EINVAL. */
int io_addr_parse(union io_addr *out, const char *s);
void io_addr_format(char out[IO_ADDR_CAP], const union io_addr *a);
void io_addr_host(char out[IO_ADDR_CAP], const union io_addr *a);
uint16_t io_addr_port(const union io_addr *a);
void io_addr_set_port(union io_addr *a, uint16_t port);
/* Fills up to max addresses (port 0) of interfaces that are up: loopback
 * first, link-local IPv6 left out. Returns how many. */
int io_addr_local(union io_addr *out, int max);

/* Unix stream sockets. Listening removes a stale socket (nobody accepts)
 * and creates it with mode and, if gid is not (gid_t)-1, group; -EADDRINUSE
 * while somebody accepts there. Returns the descriptor or -errno. */
int io_unix_listen(const char *path, mode_t mode, gid_t gid);
int io_unix_connect(const char *path);
/* The same of type SOCK_SEQPACKET: messages, whole and in order. */
int io_seqpacket_listen(const char *path, mode_t mode, gid_t gid);
int io_seqpacket_connect(const char *path);
int io_accept(int fd, union io_addr *from); /* close-on-exec, non-blocking */
int io_peercred(int fd, pid_t *pid, uid_t *uid, gid_t *gid);
/* True if the process at the other end of a Unix socket had gid among its
 * groups when it connected, primary or supplementary: what the file mode
 * goes by, and no look at a user database, which may live anywhere. */
bool io_peer_in_group(int fd, gid_t gid);

int io_tcp_listen(const union io_addr *a);
/* With IP_PKTINFO / IPV6_RECVPKTINFO, V6ONLY, SO_TIMESTAMPNS, 4 MiB buffers
 * where allowed. */
int io_udp_bind(const union io_addr *a);
int io_local_addr(int fd, union io_addr *out);

/* Sockets held for us by confd-run: descriptors from LISTEN_FDS whose name
 * in LISTEN_FDNAMES is name. Returns how many were written to fds. They are
 * made close-on-exec. */
int io_inherited(const char *name, int *fds, int max);

struct io_datagram {
	uint8_t *data;      /* lent until the next receive on the same batch */
	size_t len;
	union io_addr from;
	union io_addr to;   /* local address it was sent to */
	uint64_t age_ns;    /* since the kernel had it; 0 if not known */
};
#define IO_UDP_BATCH      64
#define IO_UDP_MAX_BYTES  2048
struct io_udp_batch;
struct io_udp_batch *io_udp_batch_new(void);
void io_udp_batch_free(struct io_udp_batch *b);
/* Up to IO_UDP_BATCH datagrams; a datagram that did not fit is left out.
 * Returns the count, 0 when none waits, or -errno. */
int io_udp_recv(int fd, struct io_udp_batch *b, struct io_datagram *out);
/* Sends n bytes from the local address from (port ignored; may be NULL) as
 * datagrams of segment bytes each, the last one shorter (GSO); segment = 0
 * or >= n is one datagram. -EAGAIN: the caller drops and counts. */
int io_udp_send(int fd, const union io_addr *to, const union io_addr *from,
	const void *p, size_t n, size_t segment);
/* The same of bytes in n_iov pieces, one for each datagram; segment 0 only
 * for one piece. The kernel takes IO_UDP_SEGMENTS datagrams of IO_UDP_RUN
 * bytes in all. -EIO, -EINVAL: not by GSO, or not on this path. */
#define IO_UDP_SEGMENTS  64
#define IO_UDP_RUN       65000
struct iovec;
int io_udp_sendv(int fd, const union io_addr *to, const union io_addr *from,
	const struct iovec *iov, size_t n_iov, size_t segment);

#endif
