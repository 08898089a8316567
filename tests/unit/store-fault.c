/* store: the n-th write or sync of log.db and its WAL fails with EIO, or the
 * n-th write is cut short by ENOSPC, n = 1, 2, 3 …: the transaction is there
 * as a whole or not at all, as was said of it, and what follows goes on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <sqlite3.h>
#include "store_dir.h"

static int left = -1; /* calls before one fails; negative: none */
static int error;     /* with this */
static unsigned syncs; /* of log.db and its WAL */

static sqlite3_vfs vfs, *real_vfs;
/* The WAL has methods of its own, without locks. */
static sqlite3_io_methods methods[2];
static const sqlite3_io_methods *real[2];

static const sqlite3_io_methods *real_of(const sqlite3_file *f)
{
	return real[f->pMethods == &methods[1]];
}

static bool fails_now(void)
{
	if (left < 0)
		return false;
	return left-- == 0;
}

static int fault_write(sqlite3_file *f, const void *p, int n, sqlite3_int64 at)
{
	if (error == SQLITE_IOERR_FSYNC || !fails_now())
		return real_of(f)->xWrite(f, p, n, at);
	if (error == SQLITE_FULL)
		real_of(f)->xWrite(f, p, n / 2, at);
	return error == SQLITE_FULL ? error : SQLITE_IOERR_WRITE;
}

static int fault_sync(sqlite3_file *f, int flags)
{
	syncs++;
	return error != SQLITE_FULL && fails_now() ? SQLITE_IOERR_FSYNC :
		real_of(f)->xSync(f, flags);
}

static int fault_open(sqlite3_vfs *v, const char *name, sqlite3_file *f,
	int flags, int *out)
{
	int rc = real_vfs->xOpen(v, name, f, flags, out);
	int i = flags & SQLITE_OPEN_WAL ? 1 : 0;

	if (rc == SQLITE_OK && flags & (SQLITE_OPEN_WAL |
		SQLITE_OPEN_MAIN_DB)) {
		real[i] = f->pMethods;
		methods[i] = *real[i];
		methods[i].xWrite = fault_write;
		methods[i].xSync = fault_sync;
		f->pMethods = &methods[i];
	}
	return rc;
}

/* One batch as the hub has it: two meetings, and tables beside the log. */
static int batch(struct store *s, enum store_need need)
{
	static const char *const names[] = {"ada", "bob"};
	int err = 0;

	for (int m = 0; m < 2 && !err; m++) {
		uint64_t seq = store_last_seq(s, names[m]);
		json_t *a = said(names[m], seq + 1, 2, m ? 9000 : 10);

		err = store_append(s, names[m], seq, a, need);
		json_decref(a);
	}
	if (!err)
		err = store_session_revoke_user(s, "ada", "u");
	if (!err)
		err = store_meeting_put(s, "ada", true, json_object());
	if (err)
		store_rollback(s);
	return err ? err : store_commit(s);
}

static int count(void *arg, const struct store_event *e)
{
	assert_true(e->pos > *(uint64_t *)arg);
	*(uint64_t *)arg = e->pos;
	return 0;
}

static void is_at(struct store *s, uint64_t seq)
{
	uint64_t pos = 0;

	assert_true(store_last_seq(s, "ada") == seq);
	assert_true(store_last_seq(s, "bob") == seq);
	assert_int_equal(0, store_read_all(s, 0, UINT64_MAX, count, &pos));
	assert_true(pos == store_last_pos(s));
}

static struct store *opened(uint64_t seq)
{
	struct store_report r;
	struct store *s;
	char why[256];

	if (store_open(&s, dir, STORE_FULL, &r, why))
		fail_msg("%s", why);
	assert_string_equal(r.damage, "");
	is_at(s, seq);
	store_report_free(&r);
	return s;
}

static void copy(const char *from, const char *to, const char *name)
{
	char path[300];
	struct buf b = {0};
	uint8_t chunk[4096];
	size_t n;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", from, name);
	f = fopen(path, "rb");
	assert_non_null(f);
	while ((n = fread(chunk, 1, sizeof(chunk), f)) > 0)
		buf_put(&b, chunk, n);
	fclose(f);
	snprintf(path, sizeof(path), "%s/%s", to, name);
	f = fopen(path, "wb");
	assert_non_null(f);
	assert_true(!b.len || fwrite(b.data, 1, b.len, f) == b.len);
	fclose(f);
	buf_free(&b);
}

/* Were it killed now, what was refused would not be there afterwards. */
static void is_refused_for_good(uint64_t seq)
{
	char was[sizeof(dir)];

	memcpy(was, dir, sizeof(dir));
	assert_int_equal(0, fresh(NULL));
	copy(was, dir, "log.db");
	copy(was, dir, "log.db-wal");
	store_close(opened(seq));
	gone(NULL);
	memcpy(dir, was, sizeof(dir));
}

static void with(int what, enum store_need need)
{
	uint64_t seq = 0;
	int failed = 0, spared = 0;

	error = what;
	/* Not every batch takes the same number of calls. */
	for (int n = 0; spared < 8; n++) {
		struct store *s = opened(seq);
		bool fired;
		int err;

		left = n;
		err = batch(s, need);
		fired = left < 0;
		left = -1;
		seq += err ? 0 : 2;
		failed += err != 0;
		assert_true(!err || err == -EIO || err == -ENOSPC);
		is_at(s, seq);
		assert_false(store_pending(s));
		if (err)
			is_refused_for_good(seq);
		/* One failure is no reason to fail again. */
		assert_int_equal(0, batch(s, need));
		seq += 2;
		is_at(s, seq);
		store_close(s);
		spared += !fired;
	}
	if (what == SQLITE_FULL && need == STORE_ESSENTIAL)
		assert_int_equal(0, failed);
	else
		assert_true(failed > (what == SQLITE_IOERR ? 3 : 1));
}

static void any_call_may_fail(void **state)
{
	(void)state;
	with(SQLITE_IOERR, STORE_OTHER);
}

/* The last one is that of a transaction which is all there already. */
static void any_sync_may_fail(void **state)
{
	(void)state;
	with(SQLITE_IOERR_FSYNC, STORE_OTHER);
}

static void any_write_may_find_no_room(void **state)
{
	(void)state;
	with(SQLITE_FULL, STORE_OTHER);
}

static void the_essential_is_written_again(void **state)
{
	(void)state;
	with(SQLITE_FULL, STORE_ESSENTIAL);
}

/* What is committed is on the disk before store_commit returns; with normal
 * it is in the kernel's hands, and only a WAL begun anew is synced, once. */
static unsigned syncs_of_commits(enum store_sync how, unsigned n)
{
	struct store_report r;
	struct store *s;
	unsigned before;
	char why[256];

	if (store_open(&s, dir, how, &r, why))
		fail_msg("%s", why);
	store_report_free(&r);
	before = syncs;
	while (n--)
		assert_int_equal(batch(s, STORE_OTHER), 0);
	n = syncs - before;
	store_close(s);
	return n;
}

static void full_syncs_each_commit_and_normal_does_not(void **state)
{
	(void)state;
	left = -1;
	assert_true(syncs_of_commits(STORE_FULL, 10) >= 10);
	assert_true(syncs_of_commits(STORE_NORMAL, 10) <= 1);
}

#define T(f) cmocka_unit_test_setup_teardown(f, fresh, gone)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(full_syncs_each_commit_and_normal_does_not),
		T(any_call_may_fail),
		T(any_sync_may_fail),
		T(any_write_may_find_no_room),
		T(the_essential_is_written_again),
	};

	real_vfs = sqlite3_vfs_find(NULL);
	vfs = *real_vfs;
	vfs.zName = "fault";
	vfs.xOpen = fault_open;
	sqlite3_vfs_register(&vfs, 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
