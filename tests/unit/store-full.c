/* store: on a disk without room what is essential still commits, and the
 * rest is refused with words; the same in a directory that went away or
 * cannot be written. The disk is a small file system in memory, in a mount
 * namespace of our own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <cmocka.h>
#include "store_dir.h"

static bool can_mount;

static int mounted(void **state)
{
	int err = fresh(state);

	if (!err && can_mount)
		err = mount("disk", dir, "tmpfs", 0, "size=12m");
	return err;
}

static int unmounted(void **state)
{
	if (can_mount)
		umount2(dir, MNT_DETACH);
	return gone(state);
}

static void need_mounts(void)
{
	if (!can_mount)
		skip();
}

static struct store *opened(void)
{
	struct store *s;
	char why[256];

	if (store_open(&s, dir, STORE_NORMAL, NULL, why))
		fail_msg("%s", why);
	return s;
}

static const char *path_of(const char *name)
{
	static char path[600];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

/* Takes all room but this. */
static void fill(size_t left)
{
	int fd = open(path_of("filler"), O_RDWR | O_CREAT, 0600);
	off_t n = 0;

	assert_true(fd >= 0);
	for (off_t step = 1 << 20; step >= 4096;) {
		if (posix_fallocate(fd, n, step) == 0)
			n += step;
		else
			step /= 2;
	}
	n = n > (off_t)left ? n - (off_t)left : 0;
	assert_int_equal(0, ftruncate(fd, n));
	close(fd);
}

static void make_room(void)
{
	assert_int_equal(0, unlink(path_of("filler")));
}

static off_t size_of(const char *name)
{
	struct stat st;

	return stat(path_of(name), &st) ? -1 : st.st_size;
}

static int say(struct store *s, int n, size_t extra, enum store_need need)
{
	uint64_t seq = store_last_seq(s, "a");
	json_t *a = said("a", seq + 1, n, extra);
	int err = store_append(s, "a", seq, a, need);

	json_decref(a);
	if (store_pending(s)) {
		int failed = store_commit(s);

		err = err ? err : failed;
	}
	assert_true(store_last_seq(s, "a") == seq + (err ? 0 : (uint64_t)n));
	return err;
}

static int count(void *arg, const struct store_event *e)
{
	assert_true(e->seq == ++*(uint64_t *)arg);
	return 0;
}

/* Nothing torn: the log is whole, and is so when opened again. */
static void is_sound(struct store *s)
{
	uint64_t seq = store_last_seq(s, "a"), seen = 0;
	struct store_report r;
	char why[256];

	assert_int_equal(0, store_read(s, "a", 0, UINT64_MAX, count, &seen));
	assert_true(seen == seq);
	store_close(s);
	if (store_open(&s, dir, STORE_NORMAL, &r, why))
		fail_msg("%s", why);
	assert_string_equal(r.damage, "");
	assert_true(store_last_seq(s, "a") == seq);
	store_report_free(&r);
	store_close(s);
}

static void the_essential_goes_on(void **state)
{
	struct store *s;
	int n = 0;

	(void)state;
	need_mounts();
	s = opened();
	assert_int_equal(size_of("log.reserve"), 4 << 20);
	assert_int_equal(0, store_room(s));
	while (say(s, 8, 4000, STORE_OTHER) == 0)
		n++;
	assert_true(n > 50);
	assert_int_equal(-ENOSPC, store_room(s));
	assert_string_equal(store_error(s), "the disk is full");
	assert_int_equal(-ENOSPC, say(s, 1, 1, STORE_OTHER));
	assert_string_equal(store_error(s), "the disk is full");
	/* Far more than people can do in the time it takes to make room. */
	for (int i = 0; i < 3000; i++)
		assert_int_equal(0, say(s, 1, 1, STORE_ESSENTIAL));
	assert_int_equal(-ENOSPC, say(s, 1, 1, STORE_OTHER));
	is_sound(s);
}

static void the_reserve_has_an_end(void **state)
{
	struct store *s;
	int err = 0, n = 0;

	(void)state;
	need_mounts();
	s = opened();
	fill(0);
	while (!err && n < 10000) {
		err = say(s, 20, 500, STORE_ESSENTIAL);
		n++;
	}
	assert_int_equal(-ENOSPC, err);
	assert_true(n > 100);
	assert_int_equal(size_of("log.reserve"), 0);
	assert_string_equal(store_error(s), "cannot commit: the disk is full");
	/* With room again it is made anew, and nothing is refused. */
	make_room();
	assert_int_equal(0, say(s, 1, 1, STORE_OTHER));
	assert_int_equal(size_of("log.reserve"), 4 << 20);
	is_sound(s);
}

/* Whatever page is the first without room. */
static void at_every_page(void **state)
{
	struct store *s;

	(void)state;
	need_mounts();
	s = opened();
	assert_int_equal(0, say(s, 3, 3000, STORE_OTHER));
	for (size_t left = 0; left < 24; left++) {
		int err = 0, n = 0;

		fill(left * 4096);
		while (!err && n++ < 24)
			err = say(s, 1, 3000, STORE_OTHER);
		assert_true(err == -ENOSPC || n > 1);
		assert_int_equal(0, say(s, 2, 3000, STORE_ESSENTIAL));
		assert_int_equal(0, say(s, 1, 10, STORE_ESSENTIAL));
		make_room();
		assert_int_equal(0, store_room(s));
	}
	is_sound(s);
}

/* A batch with one thing in it that is not essential fails as a whole. */
static void a_mixed_batch_is_refused(void **state)
{
	struct store_session v = {.user = "u", .meeting = "a", .link = "l",
		.role = "viewer", .name = "x"};
	struct store *s;
	json_t *a;

	(void)state;
	need_mounts();
	s = opened();
	assert_int_equal(0, say(s, 1, 10, STORE_OTHER));
	fill(0);
	a = said("a", 2, 40, 4000);
	assert_int_equal(0, store_append(s, "a", 1, a, STORE_OTHER));
	json_decref(a);
	a = said("b", 1, 1, 1);
	assert_int_equal(0, store_append(s, "b", 0, a, STORE_ESSENTIAL));
	assert_int_equal(-ENOSPC, store_commit(s));
	assert_int_equal(size_of("log.reserve"), 4 << 20);
	/* On its own it is written; what joins it later is refused, and does
	 * not take it along. */
	assert_int_equal(0, store_append(s, "b", 0, a, STORE_ESSENTIAL));
	assert_int_equal(-ENOSPC, store_session_put(s,
		(const uint8_t[STORE_HASH]){1}, &v));
	assert_int_equal(0, store_session_revoke_user(s, "b", "u"));
	assert_int_equal(0, store_meeting_put(s, "b", true,
		json_pack("{s:s}", "name", "b")));
	assert_int_equal(0, store_commit(s));
	json_decref(a);
	assert_int_equal(1, store_last_seq(s, "b"));
	assert_int_equal(1, store_last_seq(s, "a"));
	is_sound(s);
}

static void it_opens_without_room(void **state)
{
	struct store *s;
	char why[256];

	(void)state;
	need_mounts();
	s = opened();
	assert_int_equal(0, say(s, 3, 10, STORE_OTHER));
	store_close(s);
	fill(0);
	s = opened();
	assert_int_equal(-ENOSPC, say(s, 1, 1, STORE_OTHER));
	assert_int_equal(0, say(s, 1, 1, STORE_ESSENTIAL));
	is_sound(s);
	assert_int_equal(0, unlink(path_of("log.reserve")));
	fill(0);
	assert_int_equal(-ENOSPC, store_open(&s, dir, STORE_NORMAL, NULL,
		why));
	assert_non_null(strstr(why, "the disk is full"));
}

/* --- Gone, or not to be written ------------------------------------------ */

static void a_directory_that_is_gone(void **state)
{
	char away[300];
	struct store *s;

	(void)state;
	s = opened();
	assert_int_equal(0, say(s, 1, 1, STORE_OTHER));
	snprintf(away, sizeof(away), "%s.away", dir);
	assert_int_equal(0, rename(dir, away));
	assert_int_equal(-ENOENT, say(s, 1, 1, STORE_OTHER));
	assert_string_equal(store_error(s), "the state directory is gone");
	assert_int_equal(-ENOENT, store_room(s));
	/* The files are still open: who is in a meeting can be helped. */
	assert_int_equal(0, say(s, 1, 1, STORE_ESSENTIAL));
	assert_int_equal(-ENOENT, say(s, 1, 1, STORE_OTHER));
	assert_int_equal(0, mkdir(dir, 0700));
	assert_int_equal(-ENOENT, store_room(s));
	assert_string_equal(store_error(s),
		"log.db in the state directory is gone");
	assert_int_equal(0, rmdir(dir));
	assert_int_equal(0, rename(away, dir));
	assert_int_equal(0, store_room(s));
	assert_int_equal(0, say(s, 1, 1, STORE_OTHER));
	is_sound(s);
}

static void files_that_were_replaced(void **state)
{
	struct store *s = opened();
	char was[600];
	int fd;

	(void)state;
	assert_int_equal(0, say(s, 1, 1, STORE_OTHER));
	snprintf(was, sizeof(was), "%s", path_of("was"));
	assert_int_equal(0, rename(path_of("log.db"), was));
	assert_int_equal(-ENOENT, say(s, 1, 1, STORE_OTHER));
	assert_string_equal(store_error(s),
		"log.db in the state directory is gone");
	fd = open(path_of("log.db"), O_RDWR | O_CREAT, 0600);
	close(fd);
	assert_int_equal(-ENOENT, say(s, 1, 1, STORE_OTHER));
	assert_string_equal(store_error(s),
		"log.db in the state directory is another one");
	assert_int_equal(0, rename(was, path_of("log.db")));
	assert_int_equal(0, say(s, 1, 1, STORE_OTHER));
	is_sound(s);
}

static void a_disk_that_became_read_only(void **state)
{
	struct store *s;

	(void)state;
	need_mounts();
	s = opened();
	assert_int_equal(0, say(s, 1, 1, STORE_OTHER));
	assert_int_equal(0, mount(dir, dir, NULL, MS_BIND, NULL));
	assert_int_equal(0, mount(NULL, dir, NULL, MS_REMOUNT | MS_BIND |
		MS_RDONLY, NULL));
	assert_int_equal(-EROFS, say(s, 1, 1, STORE_OTHER));
	assert_string_equal(store_error(s), "the state directory cannot be "
		"written: Read-only file system");
	assert_int_equal(0, say(s, 1, 1, STORE_ESSENTIAL));
	assert_int_equal(0, umount(dir));
	assert_int_equal(0, say(s, 1, 1, STORE_OTHER));
	is_sound(s);
}

#define T(f) cmocka_unit_test_setup_teardown(f, mounted, unmounted)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(the_essential_goes_on),
		T(the_reserve_has_an_end),
		T(at_every_page),
		T(a_mixed_batch_is_refused),
		T(it_opens_without_room),
		cmocka_unit_test_setup_teardown(a_directory_that_is_gone,
			fresh, gone),
		T(files_that_were_replaced),
		T(a_disk_that_became_read_only),
	};

	can_mount = (unshare(CLONE_NEWNS) == 0 ||
		unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0) &&
		mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
