/* Room on the disk that is kept for what must go through, and noticing that
 * the state directory is not what it was. */
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include "store_priv.h"

#define STEP   (STORE_RESERVE / 8)
#define MARGIN (STORE_RESERVE / 4) /* left over once the reserve is whole */

static int open_reserve(const struct store *s)
{
	char path[STORE_PATH];

	store_path(s, path, "log.reserve");
	return open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
}

static off_t size_of(int fd)
{
	struct stat st;

	return fstat(fd, &st) ? 0 : st.st_size;
}

/* Bytes that anybody may use; a quota is not seen. */
static uint64_t room_left(const struct store *s)
{
	struct statvfs v;

	if (statvfs(s->dir, &v))
		return 0;
	return (uint64_t)v.f_bavail * v.f_frsize;
}

void store_reserve_make(struct store *s)
{
	int fd = open_reserve(s), err = EIO;
	off_t had;

	if (fd < 0)
		return;
	had = size_of(fd);
	if (had < STORE_RESERVE)
		err = posix_fallocate(fd, had, STORE_RESERVE - had);
	/* It may have got some of it. */
	if (err == ENOSPC)
		err = ftruncate(fd, had) ? errno : ENOSPC;
	s->reserve = size_of(fd);
	if (err == ENOSPC)
		s->trouble = -ENOSPC;
	close(fd);
}

bool store_reserve_release(struct store *s)
{
	int fd = open_reserve(s);
	off_t had = fd < 0 ? 0 : size_of(fd);
	bool some = had > 0 && !ftruncate(fd, had > STEP ? had - STEP : 0);

	s->reserve = fd < 0 ? 0 : size_of(fd);
	if (fd >= 0)
		close(fd);
	return some;
}

/* --- Where everything is ------------------------------------------------- */

static const char *const names[] = {"log.db", "log.db-wal"};

int store_files_note(struct store *s)
{
	char path[STORE_PATH];
	struct stat st;

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		store_path(s, path, names[i]);
		if (stat(path, &st))
			return store_error_set(s, -errno, "cannot find %s: "
				"%s", path, strerror(errno));
		s->files[i] = (struct store_file){st.st_dev, st.st_ino};
	}
	return 0;
}

/* SQLite would go on writing to files that nobody finds again. */
static int find(struct store *s)
{
	char path[STORE_PATH];
	struct stat st;

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		store_path(s, path, names[i]);
		if (stat(path, &st) && stat(s->dir, &st))
			return store_error_set(s, -ENOENT,
				"the state directory is gone");
		if (stat(path, &st))
			return store_error_set(s, -ENOENT, "%s in the state "
				"directory is gone", names[i]);
		if (st.st_dev != s->files[i].dev ||
			st.st_ino != s->files[i].ino)
			return store_error_set(s, -ENOENT, "%s in the state "
				"directory is another one", names[i]);
	}
	if (access(s->dir, W_OK))
		return store_error_set(s, -errno, "the state directory "
			"cannot be written: %s", strerror(errno));
	return 0;
}

int store_look(struct store *s)
{
	int err = find(s);

	if (err || s->trouble != -ENOSPC)
		s->trouble = err;
	return err;
}

int store_room(struct store *s)
{
	if (!s->trouble)
		return 0;
	if (store_look(s))
		return s->trouble;
	if (s->trouble && room_left(s) >= MARGIN +
		(uint64_t)(STORE_RESERVE - s->reserve)) {
		s->trouble = 0;
		store_reserve_make(s);
	}
	if (s->trouble)
		return store_error_set(s, s->trouble, "the disk is full");
	return 0;
}
