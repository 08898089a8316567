/* Opening the log, transactions, errors. */
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include "store_priv.h"

static const char schema[] =
	"create table events ("
	" pos integer primary key,"
	" meeting text not null,"
	" seq integer not null,"
	" crc integer not null,"
	" prev integer not null,"
	" body text not null,"
	" unique (meeting, seq)"
	") strict;"
	"create table meetings ("
	" id text primary key,"
	" open integer not null,"
	" summary text not null"
	") strict, without rowid;"
	"create table sessions ("
	" hash blob primary key,"
	" user text not null,"
	" meeting text not null,"
	" link text not null,"
	" role text not null,"
	" name text not null,"
	" created_ms integer not null"
	") strict, without rowid;"
	"create index sessions_of on sessions (meeting, user);"
	"pragma user_version = 1;";

static const char *const queries[Q_COUNT] = {
	[Q_LAST] = "select seq, crc from events where meeting = ?1"
		" order by seq desc limit 1",
	[Q_INSERT] = "insert into events (pos, meeting, seq, crc, prev, body)"
		" values (?1, ?2, ?3, ?4, ?5, ?6)",
	[Q_MEETING_PUT] = "insert or replace into meetings"
		" (id, open, summary) values (?1, ?2, ?3)",
	[Q_SESSION_PUT] = "insert into sessions"
		" (hash, user, meeting, link, role, name, created_ms)"
		" values (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
	[Q_SESSION_GET] = "select user, meeting, link, role, name, created_ms"
		" from sessions where hash = ?1",
	[Q_SESSION_REVOKE] = "delete from sessions where hash = ?1",
	[Q_SESSION_REVOKE_USER] = "delete from sessions where meeting = ?1"
		" and (?2 is null or user = ?2)",
	[Q_READ] = "select pos, meeting, seq, crc, prev, body from events"
		" where meeting = ?1 and seq > ?2 order by seq limit ?3",
	[Q_READ_ALL] = "select pos, meeting, seq, crc, prev, body from events"
		" where pos > ?2 order by pos limit ?3",
	[Q_LAST_COMMITTED] = "select seq, crc from events where meeting = ?1"
		" order by seq desc limit 1",
	[Q_MEETINGS] = "select id, open, summary from meetings"
		" where open >= ?1 order by id",
};

const char *store_error(const struct store *s)
{
	return s->error;
}

int store_error_set(struct store *s, int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(s->error, sizeof(s->error), fmt, ap);
	va_end(ap);
	return err;
}

int store_sql_error(struct store *s, sqlite3 *db, const char *doing)
{
	int code = db ? sqlite3_extended_errcode(db) : SQLITE_NOMEM;
	int err = -EIO;

	switch (code & 0xff) {
	case SQLITE_FULL:
		err = -ENOSPC;
		break;
	case SQLITE_NOMEM:
		err = -ENOMEM;
		break;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		err = -EBADMSG;
		break;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		err = -EBUSY;
		break;
	case SQLITE_CANTOPEN:
	case SQLITE_READONLY:
	case SQLITE_PERM:
		err = -EACCES;
		break;
	case SQLITE_CONSTRAINT:
		err = -EEXIST;
		break;
	default:
		if (code == SQLITE_IOERR_NOMEM)
			err = -ENOMEM;
		break;
	}
	return store_error_set(s, err, "cannot %s: %s", doing,
		db ? sqlite3_errmsg(db) : "out of memory");
}

static int exec(struct store *s, sqlite3 *db, const char *sql,
	const char *doing)
{
	if (sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK)
		return 0;
	return store_sql_error(s, db, doing);
}

/* One number, or -errno. */
static int64_t number(struct store *s, sqlite3 *db, const char *sql)
{
	sqlite3_stmt *q;
	int64_t n;

	if (sqlite3_prepare_v2(db, sql, -1, &q, NULL) != SQLITE_OK)
		return store_sql_error(s, db, "read the log");
	if (sqlite3_step(q) == SQLITE_ROW)
		n = sqlite3_column_int64(q, 0);
	else
		n = store_sql_error(s, db, "read the log");
	sqlite3_finalize(q);
	return n;
}

/* The lock ends with the process, however that ends. */
static int lock(struct store *s, const char *dir)
{
	char path[4096];

	if (mkdir(dir, 0700) && errno != EEXIST)
		return store_error_set(s, -errno, "cannot make %s: %s", dir,
			strerror(errno));
	snprintf(path, sizeof(path), "%s/log.lock", dir);
	s->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (s->lock_fd < 0)
		return store_error_set(s, -errno, "cannot open %s: %s", path,
			strerror(errno));
	if (flock(s->lock_fd, LOCK_EX | LOCK_NB))
		return store_error_set(s,
			errno == EWOULDBLOCK ? -EBUSY : -errno,
			"another process holds %s", path);
	return 0;
}

static int open_one(struct store *s, const char *path, sqlite3 **db)
{
	if (sqlite3_open_v2(path, db, SQLITE_OPEN_READWRITE |
		SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK)
		return store_sql_error(s, *db, "open the log");
	return exec(s, *db, "pragma cell_size_check = on;"
		"pragma trusted_schema = off;", "open the log");
}

static int open_both(struct store *s, const char *dir, enum store_sync sync)
{
	char path[4096];
	int64_t version;
	int fd, err;

	snprintf(path, sizeof(path), "%s/log.db", dir);
	/* SQLite would make it readable to others. */
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return store_error_set(s, -errno, "cannot open %s: %s", path,
			strerror(errno));
	close(fd);
	err = open_one(s, path, &s->write);
	if (!err)
		err = exec(s, s->write, "pragma journal_mode = wal;"
			"pragma journal_size_limit = 4194304;",
			"open the log");
	if (!err)
		err = exec(s, s->write, sync == STORE_FULL
			? "pragma synchronous = full"
			: "pragma synchronous = normal", "open the log");
	if (err)
		return err;
	version = number(s, s->write, "pragma user_version");
	if (version < 0)
		return (int)version;
	if (version > STORE_SCHEMA)
		return store_error_set(s, -EPROTONOSUPPORT,
			"%s was made by a newer program", path);
	if (!version)
		err = exec(s, s->write, "begin immediate", "make the log");
	if (!err && !version)
		err = exec(s, s->write, schema, "make the log");
	if (!err && !version)
		err = exec(s, s->write, "commit", "make the log");
	if (!err)
		err = open_one(s, path, &s->read);
	if (!err)
		err = exec(s, s->read, "pragma query_only = on",
			"open the log");
	return err;
}

static int prepare(struct store *s)
{
	for (int i = 0; i < Q_COUNT; i++) {
		sqlite3 *db = i < Q_READ ? s->write : s->read;

		if (sqlite3_prepare_v3(db, queries[i], -1,
			SQLITE_PREPARE_PERSISTENT, &s->q[i], NULL) !=
			SQLITE_OK)
			return store_sql_error(s, db, "read the log");
	}
	return 0;
}

int store_open(struct store **out, const char *dir, enum store_sync sync,
	char why[256])
{
	struct store *s = calloc(1, sizeof(*s));
	int64_t pos = 0;
	int err;

	*out = NULL;
	if (!s) {
		str_copy(why, 256, "out of memory");
		return -ENOMEM;
	}
	s->lock_fd = -1;
	err = lock(s, dir);
	if (!err)
		err = open_both(s, dir, sync);
	if (!err)
		err = prepare(s);
	if (!err)
		pos = number(s, s->read,
			"select coalesce(max(pos), 0) from events");
	if (!err && pos < 0)
		err = (int)pos;
	if (err) {
		str_copy(why, 256, s->error);
		store_close(s);
		return err;
	}
	s->pos = s->committed_pos = (uint64_t)pos;
	*out = s;
	return 0;
}

void store_close(struct store *s)
{
	if (!s)
		return;
	store_rollback(s);
	for (int i = 0; i < Q_COUNT; i++)
		sqlite3_finalize(s->q[i]);
	sqlite3_close(s->read);
	sqlite3_close(s->write);
	if (s->lock_fd >= 0)
		close(s->lock_fd);
	buf_free(&s->body);
	free(s);
}

int store_begin(struct store *s)
{
	int err;

	if (s->doomed || s->pending)
		return s->doomed;
	err = exec(s, s->write, "begin immediate", "begin");
	s->pending = !err;
	return err;
}

bool store_pending(const struct store *s)
{
	return s->pending;
}

void store_done(struct store *s, enum store_query q)
{
	sqlite3_reset(s->q[q]);
	sqlite3_clear_bindings(s->q[q]);
}

int store_write(struct store *s, enum store_query q, const char *doing)
{
	int err = 0;

	if (sqlite3_step(s->q[q]) != SQLITE_DONE)
		err = store_sql_error(s, s->write, doing);
	store_done(s, q);
	/* A row that is there already hurts nothing. */
	if (err && err != -EEXIST)
		s->doomed = err;
	return err;
}

void store_rollback(struct store *s)
{
	/* Some errors have rolled back already. */
	if (s->pending && !sqlite3_get_autocommit(s->write))
		sqlite3_exec(s->write, "rollback", NULL, NULL, NULL);
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
		err = exec(s, s->write, "commit", "commit");
	if (err) {
		store_rollback(s);
		return err;
	}
	s->pending = false;
	s->committed_pos = s->pos;
	return 0;
}
