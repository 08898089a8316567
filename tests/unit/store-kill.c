/* store: what was committed survives kill -9 of the writer, at any moment;
 * and a COMMIT that fails takes its events back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include "store_dir.h"

#define ROUNDS 12

static json_t *batch(uint64_t seq, int n)
{
	json_t *a = json_array();

	for (int i = 0; i < n; i++)
		json_array_append_new(a, json_pack("{s:i,s:I,s:i,s:s}", "v",
			1, "seq", (json_int_t)seq + 1 + i, "pos", 0, "text",
			"so much that pages fill and split and move about"));
	return a;
}

/* Appends batches of 1 to 7 to two meetings and reports each committed
 * number on fd, until killed. */
static void write_for_ever(int fd)
{
	uint64_t seq[2];
	struct store *s;
	char why[256];

	if (store_open(&s, dir, STORE_NORMAL, NULL, why))
		_exit(1);
	seq[0] = store_last_seq(s, "a");
	seq[1] = store_last_seq(s, "b");
	for (unsigned i = 0;; i++) {
		int n = 1 + (int)(i % 7);
		uint64_t pos;

		for (int m = 0; m < 2; m++) {
			json_t *a = batch(seq[m], n);

			if (store_append(s, m ? "b" : "a", seq[m], a,
				STORE_OTHER))
				_exit(2);
			json_decref(a);
			seq[m] += (uint64_t)n;
		}
		if (store_commit(s))
			_exit(3);
		pos = store_last_pos(s);
		if (write(fd, &pos, sizeof(pos)) != sizeof(pos))
			_exit(4);
	}
}

struct count {
	uint64_t seq[2], pos;
};

static int consecutive(void *arg, const struct store_event *e)
{
	struct count *c = arg;
	int m = str_eq(e->meeting, "b");

	assert_true(e->pos == ++c->pos);
	assert_true(e->seq == ++c->seq[m]);
	return 0;
}

/* One round: a child writes, is killed after some commits; what it reported
 * is there, in both meetings equally, without holes. */
static uint64_t killed_after(unsigned commits)
{
	struct count c = {{0}, 0};
	struct store_report r;
	uint64_t reported = 0, pos;
	struct store *s;
	char why[256];
	int fds[2], status;
	pid_t pid;

	assert_int_equal(0, pipe(fds));
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		close(fds[0]);
		write_for_ever(fds[1]);
	}
	close(fds[1]);
	for (unsigned i = 0; i < commits; i++)
		assert_int_equal(sizeof(pos), read(fds[0], &reported,
			sizeof(reported)));
	kill(pid, SIGKILL);
	assert_int_equal(pid, waitpid(pid, &status, 0));
	assert_true(WIFSIGNALED(status));
	while (read(fds[0], &pos, sizeof(pos)) == sizeof(pos))
		reported = pos;
	close(fds[0]);
	if (store_open(&s, dir, STORE_NORMAL, &r, why))
		fail_msg("%s", why);
	/* At worst a transaction is unfinished; nothing is damaged. */
	assert_string_equal(r.damage, "");
	for (size_t i = 0; i < r.n_losses; i++)
		assert_true(!r.losses[i].lost && r.torn);
	store_report_free(&r);
	assert_int_equal(0, store_read_all(s, 0, UINT64_MAX, consecutive,
		&c));
	assert_true(c.pos >= reported);
	assert_true(c.pos == store_last_pos(s));
	/* A transaction is whole or not at all. */
	assert_true(c.seq[0] == c.seq[1]);
	assert_true(store_last_seq(s, "a") == c.seq[0]);
	store_close(s);
	return reported;
}

static void commits_survive_kill(void **state)
{
	uint64_t last = 0;

	(void)state;
	for (unsigned i = 0; i < ROUNDS; i++) {
		uint64_t pos = killed_after(1 + 37 * i);

		assert_true(pos > last);
		last = pos;
	}
}

static int nothing(void *arg, const struct store_event *e)
{
	(void)e;
	++*(int *)arg;
	return 0;
}

static void set_file_limit(rlim_t bytes)
{
	struct rlimit r = {.rlim_cur = bytes, .rlim_max = RLIM_INFINITY};

	assert_int_equal(0, setrlimit(RLIMIT_FSIZE, &r));
}

/* Files may not grow: writes fail with EFBIG as they would with ENOSPC. */
static void a_commit_that_fails_is_taken_back(void **state)
{
	struct store *s;
	char why[256];
	uint64_t seq = 0;
	int err = 0, seen = 0;

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(0, store_open(&s, dir, STORE_NORMAL, NULL, why));
	set_file_limit(512 * 1024);
	while (!err && seq < 100000) {
		json_t *a = batch(seq, 10);

		err = store_append(s, "a", seq, a, STORE_OTHER);
		json_decref(a);
		if (err)
			assert_int_equal(err, store_commit(s));
		else
			err = store_commit(s);
		if (!err)
			seq += 10;
	}
	assert_true(err == -EIO || err == -ENOSPC);
	assert_non_null(strstr(store_error(s), "cannot "));
	assert_false(store_pending(s));
	assert_true(seq > 100);
	assert_true(store_last_seq(s, "a") == seq);
	assert_int_equal(0, store_read(s, "a", 0, UINT64_MAX, nothing,
		&seen));
	assert_true((uint64_t)seen == seq);
	/* There is room again, and it goes on where it stood. */
	set_file_limit(RLIM_INFINITY);
	{
		json_t *a = batch(seq, 10);

		assert_int_equal(0, store_append(s, "a", seq, a, STORE_OTHER));
		json_decref(a);
	}
	assert_int_equal(0, store_commit(s));
	assert_true(store_last_seq(s, "a") == seq + 10);
	assert_true(store_last_pos(s) == seq + 10);
	store_close(s);
}

#define T(f) cmocka_unit_test_setup_teardown(f, fresh, gone)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(commits_survive_kill),
		T(a_commit_that_fails_is_taken_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
