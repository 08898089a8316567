/* Opening the log, and errors. */
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include "store_page_priv.h"

const char store_schema[] =
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
	"pragma user_version = 1;"
	"pragma application_id = 1667984385;";

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
	[Q_SESSIONS] = "select hash, meeting, user from sessions"
		" where created_ms < ?2 and (?1 is null or meeting = ?1)"
		" order by created_ms",
	[Q_SESSION_COUNT] = "select count(*) from sessions"
		" where meeting = ?1",
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

void store_path(const struct store *s, char out[static STORE_PATH],
	const char *name)
{
	snprintf(out, STORE_PATH, "%s/%s", s->dir, name);
}

/* Damage that is met while running is for the next start to mend, which else
 * would not look at all of an old log. */
static void mark(struct store *s)
{
	char path[STORE_PATH];
	int fd;

	store_path(s, path, "log.check");
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	s->marked = fd >= 0;
	if (fd >= 0)
		close(fd);
}

int store_error_set(struct store *s, int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(s->error, sizeof(s->error), fmt, ap);
	va_end(ap);
	if (err == -EBADMSG && !s->marked)
		mark(s);
	return err;
}

/* What the operating system said, when it was its fault. */
static int system_error(int err)
{
	switch (err) {
	case ENOSPC:
	case EDQUOT:
		return -ENOSPC;
	case EROFS:
	case ENOENT:
	case ENOMEM:
	case EACCES:
		return -err;
	case EPERM:
		return -EACCES;
	default:
		return -EIO;
	}
}

int store_sql_error(struct store *s, sqlite3 *db, const char *doing)
{
	int code = db ? sqlite3_extended_errcode(db) : SQLITE_NOMEM;
	int err = -EIO, cause = 0;

	switch (code & 0xff) {
	case SQLITE_FULL:
		err = -ENOSPC;
		cause = ENOSPC;
		break;
	case SQLITE_NOMEM:
		err = -ENOMEM;
		cause = ENOMEM;
		break;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
	case SQLITE_ERROR: /* no such table: the schema is damaged */
		err = -EBADMSG;
		break;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		err = -EBUSY;
		break;
	case SQLITE_READONLY:
	case SQLITE_PERM:
		err = -EACCES;
		break;
	case SQLITE_CONSTRAINT:
		err = -EEXIST;
		break;
	case SQLITE_CANTOPEN:
	case SQLITE_IOERR:
		cause = code == SQLITE_IOERR_NOMEM ? ENOMEM :
			sqlite3_system_errno(db);
		err = system_error(cause);
		if (code == SQLITE_IOERR_READ ||
			code == SQLITE_IOERR_SHORT_READ)
			err = -EBADMSG;
		break;
	}
	return store_error_set(s, err, "cannot %s: %s", doing,
		cause == ENOSPC ? "the disk is full" : cause ?
		strerror(cause) : sqlite3_errmsg(db));
}

int store_exec(struct store *s, sqlite3 *db, const char *sql,
	const char *doing)
{
	if (sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK)
		return 0;
	return store_sql_error(s, db, doing);
}

int64_t store_number(struct store *s, sqlite3 *db, const char *sql)
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
	char path[STORE_PATH];

	if (str_copy(s->dir, sizeof(s->dir), dir))
		return store_error_set(s, -ENAMETOOLONG,
			"the name of the state directory is too long");
	if (mkdir(dir, 0700) && errno != EEXIST)
		return store_error_set(s, -errno, "cannot make %s: %s", dir,
			strerror(errno));
	store_path(s, path, "log.lock");
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

/* --- Before SQLite has a look -------------------------------------------- */

static int open_file(struct store *s, const char *name, int flags)
{
	char path[STORE_PATH];
	int fd;

	store_path(s, path, name);
	fd = open(path, flags | O_CLOEXEC, 0600);
	if (fd < 0)
		return store_error_set(s, -errno, "cannot open %s: %s", path,
			strerror(errno));
	return fd;
}

/* SQLite forgives too much: it takes an empty database for a new one and
 * then deletes the WAL, and a WAL up to the first bad frame. log.db is made
 * here where missing, since SQLite would make it readable to others. */
static int look_at_files(struct store *s, struct store_wal *w)
{
	uint8_t head[100];
	ssize_t n;
	int fd, err;

	fd = open_file(s, "log.db-wal", O_RDONLY);
	if (fd < 0 && fd != -ENOENT)
		return fd;
	err = store_wal_look(fd, w);
	if (fd >= 0)
		close(fd);
	if (err)
		return store_error_set(s, err, "cannot read log.db-wal: %s",
			strerror(-err));
	fd = open_file(s, "log.db", O_RDWR | O_CREAT);
	if (fd < 0)
		return fd;
	n = pread(fd, head, sizeof(head), 0);
	close(fd);
	if (n < 0 && errno != EIO)
		return store_error_set(s, -errno, "cannot read log.db: %s",
			strerror(errno));
	if (w->damaged)
		return store_error_set(s, -EBADMSG,
			"log.db-wal has damaged frames");
	if (n == 0 && !w->valid)
		return 0;
	if (n < 0 || !store_head_sound(head, (size_t)n))
		return store_error_set(s, -EBADMSG,
			"log.db does not begin as a database");
	return 0;
}

/* --- SQLite -------------------------------------------------------------- */

/* A damaged log is left as it is when we close it again. */
static void keep_wal(sqlite3 *db, int on)
{
	sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, on, NULL);
}

static int open_one(struct store *s, const char *path, sqlite3 **db)
{
	if (sqlite3_open_v2(path, db, SQLITE_OPEN_READWRITE |
		SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK)
		return store_sql_error(s, *db, "open the log");
	keep_wal(*db, 1);
	return store_exec(s, *db, "pragma cell_size_check = on;"
		"pragma trusted_schema = off;", "open the log");
}

/* -EPROTONOSUPPORT, or 0 with *fresh: there is nothing yet. */
static int look_at_version(struct store *s, bool *fresh)
{
	int64_t version = store_number(s, s->write, "pragma user_version");
	int64_t app = store_number(s, s->write, "pragma application_id");
	int64_t tables = store_number(s, s->write,
		"select count(*) from sqlite_schema");

	if (version < 0 || tables < 0)
		return (int)(version < 0 ? version : tables);
	*fresh = !version && !tables;
	if (*fresh || version == STORE_SCHEMA)
		return 0;
	if (version > STORE_SCHEMA && version < 256 &&
		app == (STORE_APPLICATION & ~0xff) + version)
		return store_error_set(s, -EPROTONOSUPPORT,
			"%s/log.db was made by a newer program", s->dir);
	return store_error_set(s, -EBADMSG, "log.db has no version that is");
}

static int open_both(struct store *s, enum store_sync sync)
{
	char path[STORE_PATH];
	bool fresh = false;
	int err;

	store_path(s, path, "log.db");
	err = open_one(s, path, &s->write);
	if (!err)
		err = store_exec(s, s->write, "pragma page_size = 4096;"
			"pragma journal_mode = wal;"
			"pragma journal_size_limit = 4194304;",
			"open the log");
	if (!err)
		err = store_exec(s, s->write, sync == STORE_FULL
			? "pragma synchronous = full"
			: "pragma synchronous = normal", "open the log");
	if (!err)
		err = look_at_version(s, &fresh);
	if (!err && fresh)
		err = store_exec(s, s->write, "begin immediate",
			"make the log");
	if (!err && fresh)
		err = store_exec(s, s->write, store_schema, "make the log");
	if (!err && fresh)
		err = store_exec(s, s->write, "commit", "make the log");
	if (!err)
		err = store_check_schema(s);
	if (!err)
		err = open_one(s, path, &s->read);
	if (!err)
		err = store_exec(s, s->read, "pragma query_only = on",
			"open the log");
	return err;
}

/* Checking may need much; from here on little is, and the sandbox that we
 * may be in has no folder for it. */
static int temp_in_memory(struct store *s)
{
	static const char sql[] = "pragma temp_store = memory";
	int err = store_exec(s, s->write, sql, "open the log");

	return err ? err : store_exec(s, s->read, sql, "open the log");
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

static void close_both(struct store *s)
{
	for (int i = 0; i < Q_COUNT; i++) {
		sqlite3_finalize(s->q[i]);
		s->q[i] = NULL;
	}
	sqlite3_close(s->read);
	sqlite3_close(s->write);
	s->read = s->write = NULL;
}

static uint64_t kept(void *arg, const char *meeting)
{
	return store_last_seq(arg, meeting);
}

/* Nothing is written yet, so what SQLite left out is still there. */
static int tell_torn(struct store *s, struct store_report *r)
{
	struct store_source src;
	int err = store_source_open(&src, s);

	if (err)
		return store_error_set(s, err, "cannot read the log: %s",
			strerror(-err));
	err = store_torn_events(&src, kept, s, r);
	store_source_close(&src);
	return err ? store_error_set(s, err, "out of memory") : 0;
}

/* -EBADMSG: it is damaged, and as it was. */
static int open_sound(struct store *s, enum store_sync sync,
	struct store_report *r)
{
	struct store_wal wal = {0};
	int64_t pos = 0;
	int err = look_at_files(s, &wal);

	if (!err)
		err = open_both(s, sync);
	if (!err)
		err = prepare(s);
	if (!err)
		err = store_check(s);
	if (!err)
		err = temp_in_memory(s);
	if (!err)
		pos = store_number(s, s->read,
			"select coalesce(max(pos), 0) from events");
	if (!err && pos < 0)
		err = (int)pos;
	if (!err && wal.torn)
		err = tell_torn(s, r);
	if (err) {
		close_both(s);
		return err;
	}
	keep_wal(s->write, 0);
	keep_wal(s->read, 0);
	s->pos = s->committed_pos = (uint64_t)pos;
	return 0;
}

static int open_log(struct store *s, enum store_sync sync,
	struct store_report *r)
{
	char path[STORE_PATH];
	int err = store_swap_finish(s);

	if (!err)
		err = open_sound(s, sync, r);
	if (err == -EBADMSG) {
		snprintf(r->damage, sizeof(r->damage), "%.199s",
			s->error);
		err = store_salvage(s, r);
		if (!err)
			err = open_sound(s, sync, r);
	}
	if (err)
		return err;
	store_path(s, path, "log.check");
	unlink(path);
	s->marked = false;
	return store_files_note(s);
}

int store_open(struct store **out, const char *dir, enum store_sync sync,
	struct store_report *report, char why[256])
{
	struct store_report unseen = {0}, *r = report ? report : &unseen;
	struct store *s = calloc(1, sizeof(*s));
	int err;

	*out = NULL;
	*r = unseen;
	if (!s) {
		str_copy(why, 256, "out of memory");
		return -ENOMEM;
	}
	s->lock_fd = -1;
	err = lock(s, dir);
	if (!err)
		err = open_log(s, sync, r);
	/* Without any room not even the WAL's index can be made. */
	while (err == -ENOSPC && store_reserve_release(s)) {
		store_report_free(r);
		err = open_log(s, sync, r);
	}
	store_report_free(&unseen);
	if (err) {
		str_copy(why, 256, s->error);
		store_close(s);
		return err;
	}
	store_reserve_make(s);
	*out = s;
	return 0;
}

void store_close(struct store *s)
{
	if (!s)
		return;
	store_rollback(s);
	close_both(s);
	if (s->lock_fd >= 0)
		close(s->lock_fd);
	buf_free(&s->redo);
	buf_free(&s->body);
	free(s);
}
