/* store: appending, reading, transactions, damage, tables, the lock. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include <sqlite3.h>
#include "store_dir.h"

static struct store *opened(void)
{
	struct store *s;
	char why[256];

	if (store_open(&s, dir, STORE_NORMAL, NULL, why))
		fail_msg("%s", why);
	return s;
}

/* n events from seq on, as the log wants them. */
static json_t *events(uint64_t seq, int n)
{
	json_t *a = json_array();

	for (int i = 0; i < n; i++)
		json_array_append_new(a, json_pack("{s:i,s:I,s:i,s:s}", "v",
			1, "seq", (json_int_t)seq + i, "pos", 0, "type",
			"chat.said"));
	return a;
}

static int append(struct store *s, const char *meeting, uint64_t expected,
	int n)
{
	json_t *a = events(expected + 1, n);
	int err = store_append(s, meeting, expected, a, STORE_OTHER);

	json_decref(a);
	return err;
}

struct seen {
	char text[1024];
	int stop_after;
};

static int note(void *arg, const struct store_event *e)
{
	struct seen *v = arg;
	size_t n = strlen(v->text);

	assert_int_equal(strlen(e->body), e->n);
	snprintf(v->text + n, sizeof(v->text) - n, "%s:%d@%d ", e->meeting,
		(int)e->seq, (int)e->pos);
	return v->stop_after && --v->stop_after == 0 ? 77 : 0;
}

static const char *read_all(struct store *s, uint64_t since, uint64_t limit)
{
	static struct seen v;

	v = (struct seen){0};
	assert_int_equal(0, store_read_all(s, since, limit, note, &v));
	return v.text;
}

static const char *read_one(struct store *s, const char *meeting,
	uint64_t since, uint64_t limit)
{
	static struct seen v;

	v = (struct seen){0};
	assert_int_equal(0, store_read(s, meeting, since, limit, note, &v));
	return v.text;
}

static void events_come_back_in_order(void **state)
{
	struct seen v = {.stop_after = 2};
	struct store *s = opened();

	(void)state;
	assert_int_equal(0, append(s, "a", 0, 2));
	assert_int_equal(0, append(s, "b", 0, 1));
	assert_int_equal(0, append(s, "a", 2, 1));
	/* Nobody reads what is not committed. */
	assert_true(store_pending(s));
	assert_string_equal(read_all(s, 0, 100), "");
	assert_int_equal(store_last_pos(s), 0);
	assert_int_equal(store_last_seq(s, "a"), 0);
	assert_int_equal(0, store_commit(s));
	assert_false(store_pending(s));
	assert_int_equal(0, store_commit(s));
	assert_string_equal(read_all(s, 0, 100), "a:1@1 a:2@2 b:1@3 a:3@4 ");
	assert_string_equal(read_all(s, 2, 1), "b:1@3 ");
	assert_string_equal(read_all(s, 4, 100), "");
	assert_string_equal(read_one(s, "a", 0, 100), "a:1@1 a:2@2 a:3@4 ");
	assert_string_equal(read_one(s, "a", 1, UINT64_MAX),
		"a:2@2 a:3@4 ");
	assert_string_equal(read_one(s, "a", UINT64_MAX, 1), "");
	assert_string_equal(read_one(s, "c", 0, 100), "");
	assert_int_equal(store_last_pos(s), 4);
	assert_int_equal(store_last_seq(s, "a"), 3);
	assert_int_equal(77, store_read_all(s, 0, 9, note, &v));
	assert_string_equal(v.text, "a:1@1 a:2@2 ");
	store_close(s);
	/* The same after opening again, and the count goes on. */
	s = opened();
	assert_int_equal(0, append(s, "b", 1, 1));
	assert_int_equal(0, store_commit(s));
	assert_string_equal(read_all(s, 3, 100), "a:3@4 b:2@5 ");
	store_close(s);
}

static int compare(void *arg, const struct store_event *e)
{
	assert_string_equal(e->body, arg);
	assert_int_equal(e->prev, 0);
	/* crc32 of 00000000 and these 42 bytes, by another program. */
	assert_int_equal(e->crc, 0x45a0c46c);
	return 0;
}

static void bodies_are_kept_to_the_byte(void **state)
{
	char body[] = "{\"v\":1,\"seq\":1,\"pos\":1,"
		      "\"type\":\"chat.said\"}";
	struct store *s = opened();
	json_t *a = events(1, 1);

	(void)state;
	assert_int_equal(0, store_append(s, "a", 0, a, STORE_OTHER));
	assert_int_equal(1, json_integer_value(json_object_get(
		json_array_get(a, 0), "pos")));
	json_decref(a);
	assert_int_equal(0, store_commit(s));
	assert_int_equal(0, store_read(s, "a", 0, 1, compare,
		body));
	store_close(s);
}

static void only_the_expected_seq_is_appended_to(void **state)
{
	struct store *s = opened();
	json_t *a;

	(void)state;
	assert_int_equal(-ESTALE, append(s, "a", 1, 1));
	assert_string_equal(store_error(s),
		"meeting a is at event 0, not at 1");
	assert_int_equal(0, append(s, "a", 0, 3));
	assert_int_equal(-ESTALE, append(s, "a", 0, 1));
	assert_int_equal(-ESTALE, append(s, "a", 4, 1));
	a = events(7, 1);
	assert_int_equal(-EINVAL, store_append(s, "a", 3, a, STORE_OTHER));
	json_decref(a);
	assert_int_equal(0, append(s, "a", 3, 0));
	assert_int_equal(0, append(s, "a", 3, 1));
	assert_int_equal(0, store_commit(s));
	assert_string_equal(read_all(s, 0, 9), "a:1@1 a:2@2 a:3@3 a:4@4 ");
	store_close(s);
}

static void rollback_leaves_no_trace(void **state)
{
	struct store *s = opened();

	(void)state;
	assert_int_equal(0, append(s, "a", 0, 2));
	assert_int_equal(0, store_commit(s));
	assert_int_equal(0, append(s, "a", 2, 2));
	store_rollback(s);
	assert_false(store_pending(s));
	assert_int_equal(-ESTALE, append(s, "a", 4, 1));
	assert_int_equal(0, append(s, "a", 2, 1));
	assert_int_equal(0, store_commit(s));
	assert_string_equal(read_all(s, 0, 9), "a:1@1 a:2@2 a:3@3 ");
	/* Closing is rolling back. */
	assert_int_equal(0, append(s, "a", 3, 1));
	store_close(s);
	s = opened();
	assert_int_equal(store_last_seq(s, "a"), 3);
	store_close(s);
}

static void tamper(const char *sql)
{
	char path[300];
	sqlite3 *db;

	snprintf(path, sizeof(path), "%s/log.db", dir);
	assert_int_equal(SQLITE_OK, sqlite3_open(path, &db));
	assert_int_equal(SQLITE_OK, sqlite3_exec(db, sql, NULL, NULL, NULL));
	sqlite3_close(db);
}

static void damage_is_found(void **state)
{
	static const struct {
		const char *sql, *one, *all;
	} cases[] = {
		{"update events set body = replace(body, 'said', 'sayd')"
		 " where pos = 3",
			"event 3 of meeting a is damaged",
			"event 3 of meeting a is damaged"},
		{"delete from events where pos = 3",
			"event 4 of meeting a does not follow the one before",
			NULL},
		{"delete from events where pos = 1",
			"event 2 of meeting a does not follow the one before",
			NULL},
		{"update events set prev = 1 where pos = 1",
			"event 1 of meeting a is damaged",
			"event 1 of meeting a is damaged"},
		{"update events set (body, crc, prev) = (select body, crc, "
		 "prev from events where pos = 1) where pos = 3",
			"event 3 of meeting a does not continue the one "
			"before", NULL},
	};
	struct seen v;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct store *s = opened();

		assert_int_equal(0, append(s, "a", 0, 4));
		assert_int_equal(0, store_commit(s));
		tamper(cases[i].sql);
		v = (struct seen){0};
		assert_int_equal(-EBADMSG, store_read(s, "a", 0, 9, note,
			&v));
		assert_string_equal(store_error(s), cases[i].one);
		v = (struct seen){0};
		assert_int_equal(cases[i].all ? -EBADMSG : 0,
			store_read_all(s, 0, 9, note, &v));
		if (cases[i].all)
			assert_string_equal(store_error(s), cases[i].all);
		store_close(s);
		gone(state);
		fresh(state);
	}
}

static void a_newer_log_is_refused(void **state)
{
	struct store *s = opened();
	char why[256];

	(void)state;
	store_close(s);
	tamper("pragma user_version = 2; pragma application_id = 1667984386");
	assert_int_equal(-EPROTONOSUPPORT, store_open(&s, dir, STORE_FULL,
		NULL, why));
	assert_null(s);
	assert_non_null(strstr(why, "was made by a newer program"));
}

static void a_directory_that_cannot_be_is_refused(void **state)
{
	struct store *s;
	char why[256];

	(void)state;
	assert_int_equal(-ENOENT, store_open(&s, "/nowhere/at/all",
		STORE_FULL, NULL, why));
	assert_null(s);
	assert_string_equal(why, "cannot make /nowhere/at/all: No such file "
				 "or directory");
}

static void one_process_at_a_time(void **state)
{
	struct store *s = opened(), *other;
	char why[256];
	int status;
	pid_t pid;

	(void)state;
	assert_int_equal(-EBUSY, store_open(&other, dir, STORE_FULL, NULL,
		why));
	pid = fork();
	if (pid == 0)
		_exit(store_open(&other, dir, STORE_FULL, NULL, why) ==
			-EBUSY);
	assert_int_equal(pid, waitpid(pid, &status, 0));
	assert_int_equal(WEXITSTATUS(status), 1);
	assert_non_null(strstr(why, "another process holds"));
	store_close(s);
	s = opened();
	store_close(s);
}

static void nobody_else_may_read_it(void **state)
{
	static const char *const names[] = {"log.db", "log.db-wal",
		"log.db-shm", "log.lock", "log.reserve"};
	struct store *s = opened();
	char path[300];
	struct stat st;

	(void)state;
	assert_int_equal(0, append(s, "a", 0, 1));
	assert_int_equal(0, store_commit(s));
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		assert_int_equal(0, stat(path, &st));
		assert_int_equal(st.st_mode & 0777, 0600);
	}
	store_close(s);
}

static int list(void *arg, const char *meeting, bool open,
	const json_t *summary)
{
	struct seen *v = arg;
	size_t n = strlen(v->text);

	snprintf(v->text + n, sizeof(v->text) - n, "%s%s:%s ", meeting,
		open ? "" : "(ended)",
		json_string_value(json_object_get(summary, "name")));
	return 0;
}

static void meetings_are_listed(void **state)
{
	struct store *s = opened();
	struct seen v = {0};

	(void)state;
	assert_int_equal(0, store_meeting_put(s, "b", true,
		json_pack("{s:s}", "name", "B")));
	assert_int_equal(0, store_meeting_put(s, "a", true,
		json_pack("{s:s}", "name", "A")));
	assert_int_equal(0, store_commit(s));
	assert_int_equal(0, store_meeting_put(s, "a", false,
		json_pack("{s:s}", "name", "A2")));
	store_rollback(s);
	assert_int_equal(0, store_meetings(s, true, list, &v));
	assert_string_equal(v.text, "a:A b:B ");
	assert_int_equal(0, store_meeting_put(s, "a", false,
		json_pack("{s:s}", "name", "A2")));
	assert_int_equal(0, store_commit(s));
	v = (struct seen){0};
	assert_int_equal(0, store_meetings(s, false, list, &v));
	assert_string_equal(v.text, "a(ended):A2 b:B ");
	v = (struct seen){0};
	assert_int_equal(0, store_meetings(s, true, list, &v));
	assert_string_equal(v.text, "b:B ");
	store_close(s);
}

static int note_session(void *arg, const uint8_t hash[static STORE_HASH],
	const char *meeting, const char *user)
{
	buf_printf(arg, "%s:%s:%d ", meeting, user, hash[0]);
	return 0;
}

static void sessions_are(struct store *s, const char *meeting,
	uint64_t before_ms, const char *wanted)
{
	struct buf b = {0};

	assert_int_equal(0, store_sessions(s, meeting, before_ms,
		note_session, &b));
	assert_string_equal(b.len ? buf_cstr(&b) : "", wanted);
	buf_free(&b);
}

static void sessions_live_and_are_revoked(void **state)
{
	static const uint8_t h1[32] = {1}, h2[32] = {2}, h3[32] = {3};
	struct store_session ada = {.user = "u_ada", .meeting = "a",
		.link = "l_1", .role = "viewer", .name = "Ada \"x\"",
		.created_ms = 1763802000000}, got;
	struct store *s = opened();

	(void)state;
	assert_int_equal(0, store_session_put(s, h1, &ada));
	assert_int_equal(-EEXIST, store_session_put(s, h1, &ada));
	assert_int_equal(0, store_session_put(s, h2, &ada));
	str_copy(ada.user, sizeof(ada.user), "u_bob");
	assert_int_equal(0, store_session_put(s, h3, &ada));
	assert_int_equal(0, store_session_get(s, h1, &got));
	assert_int_equal(0, store_commit(s));
	store_close(s);
	s = opened();
	assert_int_equal(0, store_session_get(s, h1, &got));
	assert_string_equal(got.user, "u_ada");
	assert_string_equal(got.meeting, "a");
	assert_string_equal(got.link, "l_1");
	assert_string_equal(got.role, "viewer");
	assert_string_equal(got.name, "Ada \"x\"");
	assert_true(got.created_ms == 1763802000000);
	assert_int_equal(0, store_session_revoke(s, h1));
	assert_int_equal(-ENOENT, store_session_get(s, h1, &got));
	assert_int_equal(0, store_session_get(s, h2, &got));
	assert_int_equal(0, store_session_revoke_user(s, "a", "u_ada"));
	assert_int_equal(-ENOENT, store_session_get(s, h2, &got));
	assert_int_equal(0, store_session_get(s, h3, &got));
	str_copy(ada.meeting, sizeof(ada.meeting), "b");
	ada.created_ms++;
	assert_int_equal(0, store_session_put(s, h2, &ada));
	assert_int_equal(1, store_session_count(s, "a"));
	assert_int_equal(1, store_session_count(s, "b"));
	assert_int_equal(0, store_session_count(s, "c"));
	sessions_are(s, NULL, UINT64_MAX, "a:u_bob:3 b:u_bob:2 ");
	sessions_are(s, "b", UINT64_MAX, "b:u_bob:2 ");
	sessions_are(s, NULL, ada.created_ms, "a:u_bob:3 ");
	sessions_are(s, "b", ada.created_ms, "");
	assert_int_equal(0, store_session_revoke_user(s, "b", NULL));
	assert_int_equal(0, store_session_get(s, h3, &got));
	assert_int_equal(0, store_session_revoke_user(s, "a", NULL));
	assert_int_equal(-ENOENT, store_session_get(s, h3, &got));
	assert_int_equal(0, store_commit(s));
	store_close(s);
}

#define T(f) cmocka_unit_test_setup_teardown(f, fresh, gone)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(events_come_back_in_order),
		T(bodies_are_kept_to_the_byte),
		T(only_the_expected_seq_is_appended_to),
		T(rollback_leaves_no_trace),
		T(damage_is_found),
		T(a_newer_log_is_refused),
		T(a_directory_that_cannot_be_is_refused),
		T(one_process_at_a_time),
		T(nobody_else_may_read_it),
		T(meetings_are_listed),
		T(sessions_live_and_are_revoked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
