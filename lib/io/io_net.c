/* Sockets: addresses, Unix and TCP listeners, credentials, inheritance. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/tcp.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base.h"
#include "io.h"

#define BACKLOG        256
#define UDP_BUFFER     (4 << 20)
#define LISTEN_FD_0    3
#ifndef SO_PEERGROUPS
#define SO_PEERGROUPS  59
#endif

socklen_t io_addr_len(const union io_addr *a)
{
	return a->sa.sa_family == AF_INET6 ? sizeof(a->in6) : sizeof(a->in4);
}

bool io_addr_eq(const union io_addr *a, const union io_addr *b)
{
	if (a->sa.sa_family != b->sa.sa_family)
		return false;
	if (a->sa.sa_family == AF_INET6)
		return a->in6.sin6_port == b->in6.sin6_port &&
			memcmp(&a->in6.sin6_addr, &b->in6.sin6_addr, 16) == 0;
	return a->in4.sin_port == b->in4.sin_port &&
		a->in4.sin_addr.s_addr == b->in4.sin_addr.s_addr;
}

int io_addr_parse(union io_addr *out, const char *s)
{
	const char *colon = strrchr(s, ':');
	char host[INET6_ADDRSTRLEN + 2];
	uint64_t port;
	size_t n;

	*out = (union io_addr){0};
	if (!colon || str_u64(colon + 1, 0, 65535, &port))
		return -EINVAL;
	n = (size_t)(colon - s);
	if (n >= sizeof(host))
		return -EINVAL;
	memcpy(host, s, n);
	host[n] = 0;
	if (host[0] == '[' && n > 2 && host[n - 1] == ']') {
		host[n - 1] = 0;
		out->in6.sin6_family = AF_INET6;
		out->in6.sin6_port = htons((uint16_t)port);
		return inet_pton(AF_INET6, host + 1, &out->in6.sin6_addr) == 1
			? 0
			: -EINVAL;
	}
	out->in4.sin_family = AF_INET;
	out->in4.sin_port = htons((uint16_t)port);
	if (!host[0] || str_eq(host, "*"))
		return 0;
	return inet_pton(AF_INET, host, &out->in4.sin_addr) == 1 ? 0 : -EINVAL;
}

void io_addr_host(char out[IO_ADDR_CAP], const union io_addr *a)
{
	const void *at = a->sa.sa_family == AF_INET6
		? (const void *)&a->in6.sin6_addr
		: (const void *)&a->in4.sin_addr;

	if (!inet_ntop(a->sa.sa_family, at, out, IO_ADDR_CAP))
		snprintf(out, IO_ADDR_CAP, "none");
}

void io_addr_format(char out[IO_ADDR_CAP], const union io_addr *a)
{
	char host[IO_ADDR_CAP];

	io_addr_host(host, a);
	snprintf(out, IO_ADDR_CAP,
		a->sa.sa_family == AF_INET6 ? "[%.50s]:%u" : "%.50s:%u", host,
		io_addr_port(a));
}

uint16_t io_addr_port(const union io_addr *a)
{
	return ntohs(a->sa.sa_family == AF_INET6 ? a->in6.sin6_port
						 : a->in4.sin_port);
}

void io_addr_set_port(union io_addr *a, uint16_t port)
{
	if (a->sa.sa_family == AF_INET6)
		a->in6.sin6_port = htons(port);
	else
		a->in4.sin_port = htons(port);
}

static bool wanted_address(const struct ifaddrs *i, bool loopback)
{
	const struct sockaddr_in6 *in6 = (const void *)i->ifa_addr;

	if (!i->ifa_addr || !(i->ifa_flags & IFF_UP) ||
		loopback != !!(i->ifa_flags & IFF_LOOPBACK))
		return false;
	if (i->ifa_addr->sa_family == AF_INET6)
		return !IN6_IS_ADDR_LINKLOCAL(&in6->sin6_addr);
	return i->ifa_addr->sa_family == AF_INET;
}

int io_addr_local(union io_addr *out, int max)
{
	struct ifaddrs *all;
	int n = 0;

	if (getifaddrs(&all))
		return 0;
	for (int pass = 0; pass < 2; pass++) {
		for (struct ifaddrs *i = all; i && n < max; i = i->ifa_next) {
			if (!wanted_address(i, pass == 0))
				continue;
			out[n] = (union io_addr){0};
			memcpy(&out[n], i->ifa_addr,
				i->ifa_addr->sa_family == AF_INET6
					? sizeof(out->in6)
					: sizeof(out->in4));
			io_addr_set_port(&out[n++], 0);
		}
	}
	freeifaddrs(all);
	return n;
}

static int unix_socket(const char *path, int type, struct sockaddr_un *un)
{
	int fd;

	*un = (struct sockaddr_un){.sun_family = AF_UNIX};
	if (str_copy(un->sun_path, sizeof(un->sun_path), path))
		return -ENAMETOOLONG;
	fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	return fd < 0 ? -errno : fd;
}

static int unix_connect(const char *path, int type)
{
	struct sockaddr_un un;
	int fd = unix_socket(path, type, &un);
	int err;

	if (fd < 0)
		return fd;
	if (connect(fd, (struct sockaddr *)&un, sizeof(un)) == 0)
		return fd;
	err = -errno;
	close(fd);
	return err;
}

/* A socket file that nobody accepts on is left over from a crash. */
static int remove_stale(const char *path, int type)
{
	struct stat st;
	int fd;

	if (lstat(path, &st))
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISSOCK(st.st_mode))
		return -EEXIST;
	fd = unix_connect(path, type);
	if (fd >= 0)
		close(fd);
	if (fd >= 0 || fd == -EPROTOTYPE) /* one of another type is one too */
		return -EADDRINUSE;
	if (fd != -ECONNREFUSED)
		return fd;
	return unlink(path) ? -errno : 0;
}

static int unix_listen(const char *path, int type, mode_t mode, gid_t gid)
{
	struct sockaddr_un un;
	mode_t mask;
	int fd, err = remove_stale(path, type);

	if (err)
		return err;
	fd = unix_socket(path, type, &un);
	if (fd < 0)
		return fd;
	mask = umask(0177);
	err = bind(fd, (struct sockaddr *)&un, sizeof(un)) ? -errno : 0;
	umask(mask);
	if (err)
		goto fail;
	if ((gid != (gid_t)-1 && chown(path, (uid_t)-1, gid)) ||
		chmod(path, mode) || listen(fd, BACKLOG)) {
		err = -errno;
		unlink(path);
		goto fail;
	}
	return fd;
fail:
	close(fd);
	return err;
}

int io_unix_listen(const char *path, mode_t mode, gid_t gid)
{
	return unix_listen(path, SOCK_STREAM, mode, gid);
}

int io_unix_connect(const char *path)
{
	return unix_connect(path, SOCK_STREAM);
}

int io_seqpacket_listen(const char *path, mode_t mode, gid_t gid)
{
	return unix_listen(path, SOCK_SEQPACKET, mode, gid);
}

int io_seqpacket_connect(const char *path)
{
	return unix_connect(path, SOCK_SEQPACKET);
}

int io_accept(int fd, union io_addr *from)
{
	union io_addr a = {0};
	socklen_t n = sizeof(a);
	int got;

	do
		got = accept4(fd, from ? &a.sa : NULL, from ? &n : NULL,
			SOCK_CLOEXEC | SOCK_NONBLOCK);
	while (got < 0 && (errno == EINTR || errno == ECONNABORTED));
	if (got < 0)
		return -errno;
	if (from)
		*from = a;
	return got;
}

int io_peercred(int fd, pid_t *pid, uid_t *uid, gid_t *gid)
{
	struct ucred c;
	socklen_t n = sizeof(c);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &c, &n))
		return -errno;
	if (pid)
		*pid = c.pid;
	if (uid)
		*uid = c.uid;
	if (gid)
		*gid = c.gid;
	return 0;
}

bool io_peer_in_group(int fd, gid_t gid)
{
	gid_t groups[1024], primary;
	socklen_t n = sizeof(groups);

	if (io_peercred(fd, NULL, NULL, &primary))
		return false;
	if (primary == gid)
		return true;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &n))
		return false;
	for (size_t i = 0; i < n / sizeof(*groups); i++)
		if (groups[i] == gid)
			return true;
	return false;
}

int io_tcp_listen(const union io_addr *a)
{
	int one = 1, err;
	int fd = socket(a->sa.sa_family,
		SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (a->sa.sa_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
	if (bind(fd, &a->sa, io_addr_len(a)) == 0 && listen(fd, BACKLOG) == 0)
		return fd;
	err = -errno;
	close(fd);
	return err;
}

static void udp_options(int fd, int family)
{
	int one = 1, size = UDP_BUFFER;

	if (family == AF_INET6) {
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
		setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &one,
			sizeof(one));
	} else {
		setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &one, sizeof(one));
	}
	setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &one, sizeof(one));
	/* FORCE goes past net.core.rmem_max for root; else what is allowed. */
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)))
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)))
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
}

int io_udp_bind(const union io_addr *a)
{
	int err, fd = socket(a->sa.sa_family,
			 SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -errno;
	udp_options(fd, a->sa.sa_family);
	if (bind(fd, &a->sa, io_addr_len(a)) == 0)
		return fd;
	err = -errno;
	close(fd);
	return err;
}

int io_local_addr(int fd, union io_addr *out)
{
	socklen_t n = sizeof(*out);

	*out = (union io_addr){0};
	return getsockname(fd, &out->sa, &n) ? -errno : 0;
}

int io_inherited(const char *name, int *fds, int max)
{
	const char *count = getenv("LISTEN_FDS");
	const char *names = getenv("LISTEN_FDNAMES");
	size_t len = strlen(name);
	uint64_t total;
	int n = 0;

	if (!count || !names || str_u64(count, 0, 64, &total))
		return 0;
	for (int i = 0; i < (int)total; i++) {
		size_t here = strcspn(names, ":");

		if (here == len && strncmp(names, name, len) == 0 && n < max) {
			fds[n] = LISTEN_FD_0 + i;
			io_cloexec(fds[n], true);
			io_nonblock(fds[n++]);
		}
		names += here + (names[here] == ':');
	}
	return n;
}
