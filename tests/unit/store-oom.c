/* store: without memory a damaged log does not open, and nothing is lost of
 * it; and what is open goes on when there is memory again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <fcntl.h>
#include <cmocka.h>
#include "oom.h"
#include "store_dir.h"

static uint8_t file[64 * 4096];
static size_t file_n;

static const char *path_of(const char *name)
{
	static char path[600];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static int say(struct store *s, uint64_t seq, size_t extra)
{
	long left = oom_left;
	json_t *a;
	int err;

	oom_left = -1; /* that is the caller's memory */
	a = said("ada", seq + 1, 1, extra);
	oom_left = left;
	err = store_append(s, "ada", seq, a, STORE_ESSENTIAL);
	if (!err)
		err = store_meeting_put(s, "ada", true, json_object());
	json_decref(a);
	if (err)
		store_rollback(s);
	return err ? err : store_commit(s);
}

static void put_damaged(void)
{
	int fd = open(path_of("log.db"), O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0 && write(fd, file, file_n) == (ssize_t)file_n);
	close(fd);
	unlink(path_of("log.db-wal"));
	unlink(path_of("log.db-shm"));
}

static int open_it(void *arg)
{
	struct store_report r;
	struct store *s;
	char why[256];
	int err;

	(void)arg;
	put_damaged();
	err = store_open(&s, dir, STORE_NORMAL, &r, why);
	if (err) {
		assert_non_null(strstr(why, "memory"));
		assert_null(s);
	} else {
		assert_true(*r.damage && store_last_seq(s, "ada") == 3);
		err = say(s, 3, 10);
		assert_true(store_last_seq(s, "ada") == 3u + !err);
	}
	store_report_free(&r);
	store_close(s);
	return err;
}

static void without_memory(void **state)
{
	struct store *s;
	char why[256];
	FILE *f;

	(void)state;
	assert_int_equal(0, store_open(&s, dir, STORE_NORMAL, NULL, why));
	assert_int_equal(0, say(s, 0, 10));
	assert_int_equal(0, say(s, 1, 9000));
	assert_int_equal(0, say(s, 2, 10));
	store_close(s);
	f = fopen(path_of("log.db"), "rb");
	file_n = fread(file, 1, sizeof(file), f);
	fclose(f);
	assert_true(file_n > 4096 && file_n < sizeof(file));
	memset(file, 0, 100);
	assert_true(oom_ladder(open_it, NULL) > 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(without_memory, fresh, gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
