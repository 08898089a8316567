/* Putting the salvaged log in the place of the damaged one so that a crash
 * at any moment leaves one of the two there, whole:
 *   log.db.new       is being written, and thrown away when found;
 *   log.db.salvaged  is whole: what is called log.db is the damaged one, and
 *                    whoever finds this ends the swap.
 * The damaged files get the name of the moment at which the new one was
 * whole, which is its time of modification. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "store_priv.h"

static int failed(struct store *s, const char *doing, const char *path)
{
	int err = errno ? -errno : -EIO;

	return store_error_set(s, err, "cannot %s %s: %s", doing, path,
		strerror(-err));
}

int store_swap_begin(struct store *s, char path[static STORE_PATH])
{
	int fd;

	store_path(s, path, "log.db.new");
	unlink(path);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return failed(s, "make", path);
	close(fd);
	return 0;
}

static bool is_there(const struct store *s, const char *name)
{
	char path[STORE_PATH];
	struct stat st;

	store_path(s, path, name);
	return lstat(path, &st) == 0;
}

/* What the damaged database is to be called. The WAL goes first, so its name
 * may be taken by a swap that was interrupted, and then there is none now. */
static void name_aside(const struct store *s, time_t when,
	char out[static 64])
{
	char utc[32], wal[72];
	struct tm tm;
	bool moved = !is_there(s, "log.db-wal");

	gmtime_r(&when, &tm);
	strftime(utc, sizeof(utc), "%Y%m%dT%H%M%SZ", &tm);
	for (unsigned n = 1; n < 1000; n++) {
		snprintf(out, 64, n == 1 ? "log.db.damaged-%s" :
			"log.db.damaged-%s-%u", utc, n);
		snprintf(wal, sizeof(wal), "%s-wal", out);
		if (!is_there(s, out) && (moved || !is_there(s, wal)))
			return;
	}
}

static int sync_dir(struct store *s)
{
	int fd = open(s->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int err = 0;

	/* Some file systems cannot, and then need not. */
	if (fd < 0 || (fsync(fd) && errno != EINVAL))
		err = failed(s, "write", s->dir);
	if (fd >= 0)
		close(fd);
	return err;
}

static int move(struct store *s, const char *from, const char *to)
{
	char a[STORE_PATH], b[STORE_PATH];

	store_path(s, a, from);
	store_path(s, b, to);
	if (rename(a, b) && errno != ENOENT)
		return failed(s, "rename", a);
	return 0;
}

static int finish(struct store *s, char aside[static 64])
{
	char path[STORE_PATH], wal[72];
	struct stat st;
	int err;

	store_path(s, path, "log.db-shm");
	unlink(path);
	/* An empty one is SQLite's, from having had a look. */
	store_path(s, path, "log.db-wal");
	if (stat(path, &st) == 0 && st.st_size == 0)
		unlink(path);
	store_path(s, path, "log.db.salvaged");
	if (stat(path, &st))
		return failed(s, "look at", path);
	name_aside(s, st.st_mtim.tv_sec, aside);
	snprintf(wal, sizeof(wal), "%s-wal", aside);
	err = move(s, "log.db-wal", wal);
	if (!err)
		err = move(s, "log.db", aside);
	if (!err)
		err = sync_dir(s);
	if (!err)
		err = move(s, "log.db.salvaged", "log.db");
	return err ? err : sync_dir(s);
}

int store_swap(struct store *s, struct store_report *r)
{
	char path[STORE_PATH];
	int fd, err = 0;

	store_path(s, path, "log.db.new");
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || fsync(fd))
		err = failed(s, "write", path);
	if (fd >= 0)
		close(fd);
	if (!err)
		err = move(s, "log.db.new", "log.db.salvaged");
	if (!err)
		err = sync_dir(s);
	return err ? err : finish(s, r->aside);
}

int store_swap_finish(struct store *s)
{
	char path[STORE_PATH], aside[64];

	store_path(s, path, "log.db.new");
	unlink(path);
	return is_there(s, "log.db.salvaged") ? finish(s, aside) : 0;
}
