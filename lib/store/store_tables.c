/* The tables beside the log: meetings and sessions. */
#include "store_priv.h"

int store_meeting_put(struct store *s, const char *meeting, bool open,
	json_t *summary)
{
	struct buf b = {0};
	int err = store_begin(s, STORE_ESSENTIAL);

	if (!err && (!summary || json_write(summary, &b) || b.err))
		s->doomed = err = store_error_set(s, -ENOMEM,
			"out of memory");
	if (!err) {
		const struct store_value row[] = {store_text(meeting),
			store_int(open), store_bytes(b.data, b.len, true)};

		err = store_write(s, Q_MEETING_PUT, "write a meeting", row,
			ARRAY_LEN(row));
	}
	buf_free(&b);
	json_decref(summary);
	return err;
}

int store_meetings(struct store *s, bool open_only,
	int (*cb)(void *arg, const char *meeting, bool open,
		const json_t *summary), void *arg)
{
	sqlite3_stmt *q = s->q[Q_MEETINGS];
	int rc, err = 0;

	sqlite3_bind_int(q, 1, open_only);
	while (!err && (rc = sqlite3_step(q)) == SQLITE_ROW) {
		const char *id = (const char *)sqlite3_column_text(q, 0);
		const char *text = (const char *)sqlite3_column_text(q, 2);
		char why[160];
		json_t *summary = json_read_max(text ? text : "",
			(size_t)sqlite3_column_bytes(q, 2), SIZE_MAX, why);

		if (!summary)
			err = store_error_set(s, -EBADMSG,
				"summary of meeting %s: %s", id, why);
		else
			err = cb(arg, id, sqlite3_column_int(q, 1), summary);
		json_decref(summary);
	}
	if (!err && rc != SQLITE_DONE)
		err = store_sql_error(s, s->read, "read the meetings");
	store_done(s, Q_MEETINGS);
	return err;
}

int store_session_put(struct store *s, const uint8_t hash[static STORE_HASH],
	const struct store_session *v)
{
	const struct store_value row[] = {
		store_bytes(hash, STORE_HASH, false), store_text(v->user),
		store_text(v->meeting), store_text(v->link),
		store_text(v->role), store_text(v->name),
		store_int((int64_t)v->created_ms),
	};
	int err = store_begin(s, STORE_OTHER);

	return err ? err : store_write(s, Q_SESSION_PUT, "write a session",
		row, ARRAY_LEN(row));
}

static int column(sqlite3_stmt *q, int i, char *out, size_t cap)
{
	const char *text = (const char *)sqlite3_column_text(q, i);

	return text ? str_copy(out, cap, text) : -EBADMSG;
}

int store_session_get(struct store *s, const uint8_t hash[static STORE_HASH],
	struct store_session *out)
{
	sqlite3_stmt *q = s->q[Q_SESSION_GET];
	int rc, err = 0;

	*out = (struct store_session){0};
	sqlite3_bind_blob(q, 1, hash, STORE_HASH, SQLITE_STATIC);
	rc = sqlite3_step(q);
	if (rc == SQLITE_ROW) {
		err |= column(q, 0, out->user, sizeof(out->user));
		err |= column(q, 1, out->meeting, sizeof(out->meeting));
		err |= column(q, 2, out->link, sizeof(out->link));
		err |= column(q, 3, out->role, sizeof(out->role));
		err |= column(q, 4, out->name, sizeof(out->name));
		out->created_ms = (uint64_t)sqlite3_column_int64(q, 5);
		if (err)
			err = store_error_set(s, -EBADMSG,
				"a session is damaged");
	} else if (rc == SQLITE_DONE) {
		err = store_error_set(s, -ENOENT, "there is no such session");
	} else {
		err = store_sql_error(s, s->write, "read a session");
	}
	store_done(s, Q_SESSION_GET);
	return err;
}

int store_sessions(struct store *s, const char *meeting, uint64_t before_ms,
	store_session_cb *cb, void *arg)
{
	sqlite3_stmt *q = s->q[Q_SESSIONS];
	int rc = SQLITE_DONE, err = 0;

	sqlite3_bind_text(q, 1, meeting, -1, SQLITE_STATIC);
	sqlite3_bind_int64(q, 2, (int64_t)MIN(before_ms, INT64_MAX));
	while (!err && (rc = sqlite3_step(q)) == SQLITE_ROW) {
		const void *hash = sqlite3_column_blob(q, 0);
		const char *of = (const char *)sqlite3_column_text(q, 1);
		const char *user = (const char *)sqlite3_column_text(q, 2);

		if (hash && of && user &&
			sqlite3_column_bytes(q, 0) == STORE_HASH)
			err = cb(arg, hash, of, user);
	}
	if (!err && rc != SQLITE_DONE)
		err = store_sql_error(s, s->write, "read the sessions");
	store_done(s, Q_SESSIONS);
	return err;
}

int64_t store_session_count(struct store *s, const char *meeting)
{
	sqlite3_stmt *q = s->q[Q_SESSION_COUNT];
	int64_t n;

	sqlite3_bind_text(q, 1, meeting, -1, SQLITE_STATIC);
	n = sqlite3_step(q) == SQLITE_ROW ? sqlite3_column_int64(q, 0) :
		store_sql_error(s, s->write, "count the sessions");
	store_done(s, Q_SESSION_COUNT);
	return n;
}

int64_t store_session_total(struct store *s)
{
	return store_number(s, s->read, "select count(*) from sessions");
}

int store_session_revoke(struct store *s,
	const uint8_t hash[static STORE_HASH])
{
	const struct store_value key = store_bytes(hash, STORE_HASH, false);
	int err = store_begin(s, STORE_ESSENTIAL);

	return err ? err : store_write(s, Q_SESSION_REVOKE,
		"revoke a session", &key, 1);
}

int store_session_revoke_user(struct store *s, const char *meeting,
	const char *user)
{
	const struct store_value keys[] = {store_text(meeting),
		store_text(user)};
	int err = store_begin(s, STORE_ESSENTIAL);

	return err ? err : store_write(s, Q_SESSION_REVOKE_USER,
		"revoke sessions", keys, ARRAY_LEN(keys));
}
