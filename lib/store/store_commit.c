/* Transactions. One of essential writes alone remembers them, so that it can
 * be done again when the disk turns out to be full: SQLite gives a whole
 * transaction up when its COMMIT finds no room. */
#include "store_priv.h"

struct store_value store_int(int64_t i)
{
	return (struct store_value){.type = VALUE_INT, .i = i};
}

struct store_value store_bytes(const void *p, size_t n, bool text)
{
	return (struct store_value){.type = text ? VALUE_TEXT : VALUE_BLOB,
		.p = p, .n = n};
}

struct store_value store_text(const char *text)
{
	if (!text)
		return (struct store_value){.type = VALUE_NULL};
	return store_bytes(text, strlen(text), true);
}

void store_done(struct store *s, enum store_query q)
{
	sqlite3_reset(s->q[q]);
	sqlite3_clear_bindings(s->q[q]);
}

static int step(struct store *s, enum store_query q, const char *doing,
	const struct store_value *values, size_t n)
{
	int err = 0;

	for (size_t i = 0; i < n; i++) {
		const struct store_value *v = &values[i];
		int at = (int)i + 1;

		if (v->type == VALUE_INT)
			sqlite3_bind_int64(s->q[q], at, v->i);
		else if (v->type == VALUE_TEXT)
			sqlite3_bind_text(s->q[q], at, v->p, (int)v->n,
				SQLITE_STATIC);
		else if (v->type == VALUE_BLOB)
			sqlite3_bind_blob(s->q[q], at, v->p, (int)v->n,
				SQLITE_STATIC);
	}
	if (sqlite3_step(s->q[q]) != SQLITE_DONE)
		err = store_sql_error(s, s->write, doing);
	store_done(s, q);
	return err;
}

/* --- Doing it again ------------------------------------------------------ */

static void remember(struct store *s, enum store_query q,
	const struct store_value *values, size_t n)
{
	buf_u8(&s->redo, (uint8_t)q);
	buf_u8(&s->redo, (uint8_t)n);
	for (size_t i = 0; i < n; i++) {
		buf_u8(&s->redo, (uint8_t)values[i].type);
		buf_u64(&s->redo, values[i].type == VALUE_INT ?
			(uint64_t)values[i].i : values[i].n);
		if (values[i].type != VALUE_INT)
			buf_put(&s->redo, values[i].p, values[i].n);
	}
}

static int replay(struct store *s)
{
	struct rd r = rd_of(s->redo.data, s->redo.len);
	int err = 0;

	while (!err && rd_left(&r)) {
		enum store_query q = rd_u8(&r);
		size_t n = rd_u8(&r);
		struct store_value v[8];

		for (size_t i = 0; i < n; i++) {
			uint64_t x;

			v[i].type = rd_u8(&r);
			x = rd_u64(&r);
			v[i].i = (int64_t)x;
			v[i].n = v[i].type == VALUE_INT ? 0 : (size_t)x;
			v[i].p = rd_bytes(&r, v[i].n);
		}
		err = step(s, q, "write again", v, n);
		if (err == -EEXIST)
			err = 0;
	}
	return err;
}

static void undo(struct store *s)
{
	/* Some errors have rolled back already. */
	if (!sqlite3_get_autocommit(s->write))
		sqlite3_exec(s->write, "rollback", NULL, NULL, NULL);
}

/* What the WAL holds goes into the database, and the WAL is empty then. */
static void empty_wal(struct store *s)
{
	sqlite3_wal_checkpoint_v2(s->write, NULL, SQLITE_CHECKPOINT_TRUNCATE,
		NULL, NULL);
}

/* First the WAL is emptied into the database, which mostly has room for it,
 * and so makes room; then the reserve is given up, bit by bit, since
 * others may be quicker to take it. */
static int rescue(struct store *s, bool commit)
{
	bool more = true;
	int err = -ENOSPC;

	s->trouble = -ENOSPC;
	while (err == -ENOSPC && more && !s->mixed && !s->redo.err) {
		undo(s);
		empty_wal(s);
		err = store_exec(s, s->write, "begin immediate", "begin");
		if (!err)
			err = replay(s);
		if (!err && commit)
			err = store_exec(s, s->write, "commit", "commit");
		if (err == -ENOSPC)
			more = store_reserve_release(s);
	}
	return err;
}

/* --- The transaction ----------------------------------------------------- */

int store_begin(struct store *s, enum store_need need)
{
	int err = s->doomed;

	if (!err && !s->pending)
		store_look(s);
	if (!err && need == STORE_OTHER)
		err = store_room(s);
	if (!err && !s->pending) {
		err = store_exec(s, s->write, "begin immediate", "begin");
		s->pending = !err;
		s->mixed = false;
		buf_clear(&s->redo);
	}
	if (!err && need == STORE_OTHER)
		s->mixed = true;
	return err;
}

int store_write(struct store *s, enum store_query q, const char *doing,
	const struct store_value *values, size_t n)
{
	int err;

	if (!s->mixed)
		remember(s, q, values, n);
	err = step(s, q, doing, values, n);
	if (err == -ENOSPC)
		err = rescue(s, false);
	/* A row that is there already hurts nothing. */
	if (err && err != -EEXIST)
		s->doomed = err;
	return err;
}

bool store_pending(const struct store *s)
{
	return s->pending;
}

void store_rollback(struct store *s)
{
	if (s->pending)
		undo(s);
	s->pending = false;
	s->doomed = 0;
	s->pos = s->committed_pos;
}

int store_commit(struct store *s)
{
	int err = s->doomed;

	if (!s->pending)
		return 0;
	if (!err)
		err = store_exec(s, s->write, "commit", "commit");
	if (err == -ENOSPC)
		err = rescue(s, true);
	if (err) {
		store_rollback(s);
		/* All of it may be there, and only the sync have failed: after
		 * a crash it would be taken for committed. */
		empty_wal(s);
		return err;
	}
	s->pending = false;
	s->committed_pos = s->pos;
	return 0;
}
