/* Directories by the search of conf(7), and small files. */
#include <fcntl.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base.h"
#include "io.h"

#define PATH_MAX_BYTES 4096

static int join(char *out, size_t cap, const char *dir, const char *rest)
{
	int n = snprintf(out, cap, "%s%s", dir, rest);

	return n < 0 || (size_t)n >= cap ? -ENAMETOOLONG : 0;
}

static const char *home(void)
{
	const char *h = getenv("HOME");
	struct passwd *pw;

	if (h && *h)
		return h;
	pw = getpwuid(geteuid());
	return pw ? pw->pw_dir : "/";
}

static const char *env_dir(const char *name)
{
	const char *v = getenv(name);

	return v && *v ? v : NULL;
}

int io_state_dir(char out[static 4096])
{
	const char *dir = env_dir("CONF_STATEDIR");

	if (dir)
		return join(out, PATH_MAX_BYTES, dir, "");
	if (geteuid() == 0)
		return str_copy(out, PATH_MAX_BYTES, "/var/lib/confkit");
	dir = env_dir("XDG_STATE_HOME");
	if (dir)
		return join(out, PATH_MAX_BYTES, dir, "/confkit");
	return join(out, PATH_MAX_BYTES, home(), "/.local/state/confkit");
}

int io_run_dirs(char out[IO_RUN_DIRS][IO_PATH_CAP])
{
	const char *dir = env_dir("CONF_RUNDIR");
	char state[PATH_MAX_BYTES];
	int n = 0;

	if (dir)
		return str_copy(out[0], IO_PATH_CAP, dir) ? 0 : 1;
	str_copy(out[n++], IO_PATH_CAP, "/run/confkit");
	dir = env_dir("XDG_RUNTIME_DIR");
	if (dir && !join(out[n], IO_PATH_CAP, dir, "/confkit"))
		n++;
	snprintf(out[n++], IO_PATH_CAP, "/run/user/%u/confkit",
		(unsigned)geteuid());
	if (io_state_dir(state) == 0 &&
		!join(out[n], IO_PATH_CAP, state, "/run"))
		n++;
	return n;
}

int io_mkdirs(const char *path, mode_t mode)
{
	char part[PATH_MAX_BYTES];
	struct stat st;

	if (str_copy(part, sizeof(part), path))
		return -ENAMETOOLONG;
	for (char *p = part + 1; *p; p++) {
		if (*p != '/')
			continue;
		*p = 0;
		if (mkdir(part, 0755) && errno != EEXIST)
			return -errno;
		*p = '/';
	}
	if (mkdir(part, mode) == 0)
		return chmod(part, mode) ? -errno : 0;
	if (errno != EEXIST)
		return -errno;
	if (stat(part, &st))
		return -errno;
	return S_ISDIR(st.st_mode) ? 0 : -ENOTDIR;
}

int io_run_dir_make(char out[IO_PATH_CAP], gid_t gid)
{
	char dirs[IO_RUN_DIRS][IO_PATH_CAP];
	int n = io_run_dirs(dirs), err = -ENAMETOOLONG;
	bool shared = gid != (gid_t)-1;

	for (int i = 0; i < n; i++) {
		struct stat st;
		bool is_new = stat(dirs[i], &st) != 0;

		err = io_mkdirs(dirs[i], shared ? 0750 : 0700);
		if (err == 0 && is_new && shared && chown(dirs[i], 0, gid))
			err = -errno;
		if (err == 0 && access(dirs[i], W_OK | X_OK))
			err = -errno;
		if (err == 0)
			return str_copy(out, IO_PATH_CAP, dirs[i]);
	}
	return err;
}

static int read_all(int fd, size_t max, struct buf *out)
{
	for (;;) {
		ssize_t n;

		if (buf_reserve(out, 4096))
			return -ENOMEM;
		n = read(fd, out->data + out->len, 4096);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return 0;
		out->len += (size_t)n;
		if (out->len > max)
			return -EFBIG;
	}
}

int io_file_read(const char *path, size_t max, bool secret, struct buf *out)
{
	struct stat st;
	int err = 0, fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st))
		err = -errno;
	else if (secret && (st.st_mode & 077))
		err = -EACCES;
	else
		err = read_all(fd, max, out);
	close(fd);
	return err;
}

/* Whether the directories that lead to it can be passed. */
static bool may_enter(const char *path)
{
	char dir[PATH_MAX_BYTES];

	if (str_copy(dir, sizeof(dir), path))
		return true;
	for (char *slash = dir; (slash = strchr(slash + 1, '/'));
		*slash = '/') {
		*slash = 0;
		if (access(dir, X_OK) && errno == EACCES)
			return false;
	}
	return true;
}

int io_config_read(char path[static 4096], size_t max, struct buf *out)
{
	const char *xdg = env_dir("XDG_CONFIG_HOME");
	int err = str_copy(path, PATH_MAX_BYTES,
		"/etc/confkit/confkit.conf");

	if (!err)
		err = io_file_read(path, max, false, out);
	if (err != -ENOENT)
		return err;
	err = xdg ? join(path, PATH_MAX_BYTES, xdg, "/confkit/confkit.conf")
		: join(path, PATH_MAX_BYTES, home(),
			"/.config/confkit/confkit.conf");
	if (!err)
		err = io_file_read(path, max, false, out);
	/* A home that is not ours to enter, as after sudo or in a container,
	 * holds nothing that was meant for us. */
	if (err == -EACCES && !may_enter(path))
		err = -ENOENT;
	if (err == -ENOENT)
		path[0] = 0;
	return err;
}

int io_fd_read_all(int fd, size_t max, struct buf *out)
{
	int err = read_all(fd, max, out);

	close(fd);
	return err;
}

static int write_all(int fd, const uint8_t *p, size_t n)
{
	while (n) {
		ssize_t w = write(fd, p, n);

		if (w < 0 && errno == EINTR)
			continue;
		if (w < 0)
			return -errno;
		p += w;
		n -= (size_t)w;
	}
	return fsync(fd) ? -errno : 0;
}

int io_file_write(const char *path, mode_t mode, const void *p, size_t n)
{
	char aside[PATH_MAX_BYTES];
	int fd, err, len;

	len = snprintf(aside, sizeof(aside), "%s.%ld", path, (long)getpid());
	if (len < 0 || (size_t)len >= sizeof(aside))
		return -ENAMETOOLONG;
	unlink(aside);
	fd = open(aside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	if (fd < 0)
		return -errno;
	err = fchmod(fd, mode) ? -errno : write_all(fd, p, n);
	if (close(fd) && !err)
		err = -errno;
	if (!err && rename(aside, path))
		err = -errno;
	if (err)
		unlink(aside);
	return err;
}
