/* super_sock - listening sockets held over restarts, and the lock of the
 * run directory. */
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "super_priv.h"

static int hold(struct super *s, const char *name, const char *path, int fd)
{
	struct held *h = &s->held[s->n_held];

	if (fd < 0)
		return fd;
	if (s->n_held == SUPER_MAX_SOCKETS) {
		close(fd);
		return -ENOSPC;
	}
	*h = (struct held){.fd = fd, .name = strdup(name),
		.path = path ? strdup(path) : NULL};
	if (!h->name || (path && !h->path)) {
		close(fd);
		free(h->name);
		free(h->path);
		return -ENOMEM;
	}
	s->n_held++;
	return 0;
}

int super_listen(struct super *s, const char *name, enum super_proto proto,
	const char *addr)
{
	union io_addr a;

	if (io_addr_parse(&a, addr))
		return -EINVAL;
	int fd = proto == SUPER_TCP ? io_tcp_listen(&a) : io_udp_bind(&a);
	/* A well-formed address that this host does not take is not the
	 * same as a malformed one. */
	return hold(s, name, NULL, fd == -EINVAL ? -EADDRNOTAVAIL : fd);
}

int super_listen_unix(struct super *s, const char *name, const char *path,
	mode_t mode, gid_t gid)
{
	int fd = io_unix_listen(path, mode, gid);
	int err = hold(s, name, path, fd);

	if (err && fd >= 0)
		unlink(path);
	return err;
}

bool super_socket(const struct super *s, size_t i, const char **name,
	char addr[SUPER_ADDR_CAP])
{
	union io_addr a;
	char text[IO_ADDR_CAP];

	if (i >= s->n_held)
		return false;
	*name = s->held[i].name;
	if (s->held[i].path) {
		snprintf(addr, SUPER_ADDR_CAP, "%s", s->held[i].path);
	} else if (io_local_addr(s->held[i].fd, &a)) {
		snprintf(addr, SUPER_ADDR_CAP, "unknown");
	} else {
		io_addr_format(text, &a);
		snprintf(addr, SUPER_ADDR_CAP, "%s", text);
	}
	return true;
}

const struct held *super_held(const struct super *s, const char *name,
	unsigned *from)
{
	while (*from < s->n_held) {
		const struct held *h = &s->held[(*from)++];
		if (str_eq(h->name, name))
			return h;
	}
	return NULL;
}

void super_sockets_close(struct super *s)
{
	for (unsigned i = 0; i < s->n_held; i++) {
		if (s->held[i].path)
			unlink(s->held[i].path);
		close(s->held[i].fd);
		free(s->held[i].path);
		free(s->held[i].name);
	}
	s->n_held = 0;
}

int super_lock(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		return fd;
	int err = -errno;
	close(fd);
	return err;
}
