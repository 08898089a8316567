/* The tables beside the log: meetings and sessions. */
#include "store_priv.h"

int store_meeting_put(struct store *s, const char *meeting, bool open,
	json_t *summary)
{
	sqlite3_stmt *q = s->q[Q_MEETING_PUT];
	struct buf b = {0};
	int err = store_begin(s);

	if (!err && (!summary || json_write(summary, &b) || b.err))
		s->doomed = err = store_error_set(s, -ENOMEM,
			"out of memory");
	if (!err) {
		sqlite3_bind_text(q, 1, meeting, -1, SQLITE_STATIC);
		sqlite3_bind_int(q, 2, open);
		sqlite3_bind_text(q, 3, (const char *)b.data, (int)b.len,
			SQLITE_STATIC);
		err = store_write(s, Q_MEETING_PUT, "write a meeting");
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

static void bind_hash(sqlite3_stmt *q, const uint8_t *hash)
{
	sqlite3_bind_blob(q, 1, hash, STORE_HASH, SQLITE_STATIC);
}

int store_session_put(struct store *s, const uint8_t hash[static STORE_HASH],
	const struct store_session *v)
{
	sqlite3_stmt *q = s->q[Q_SESSION_PUT];
	int err = store_begin(s);

	if (err)
		return err;
	bind_hash(q, hash);
	sqlite3_bind_text(q, 2, v->user, -1, SQLITE_STATIC);
	sqlite3_bind_text(q, 3, v->meeting, -1, SQLITE_STATIC);
	sqlite3_bind_text(q, 4, v->link, -1, SQLITE_STATIC);
	sqlite3_bind_text(q, 5, v->role, -1, SQLITE_STATIC);
	sqlite3_bind_text(q, 6, v->name, -1, SQLITE_STATIC);
	sqlite3_bind_int64(q, 7, (sqlite3_int64)v->created_ms);
	return store_write(s, Q_SESSION_PUT, "write a session");
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
	bind_hash(q, hash);
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

int store_session_revoke(struct store *s,
	const uint8_t hash[static STORE_HASH])
{
	int err = store_begin(s);

	if (err)
		return err;
	bind_hash(s->q[Q_SESSION_REVOKE], hash);
	return store_write(s, Q_SESSION_REVOKE, "revoke a session");
}

int store_session_revoke_user(struct store *s, const char *meeting,
	const char *user)
{
	sqlite3_stmt *q = s->q[Q_SESSION_REVOKE_USER];
	int err = store_begin(s);

	if (err)
		return err;
	sqlite3_bind_text(q, 1, meeting, -1, SQLITE_STATIC);
	if (user)
		sqlite3_bind_text(q, 2, user, -1, SQLITE_STATIC);
	return store_write(s, Q_SESSION_REVOKE_USER, "revoke sessions");
}
