/* store_priv - what store's own files share. */
#ifndef STORE_PRIV_H
#define STORE_PRIV_H

#include <stdio.h>
#include <sqlite3.h>
#include <sys/types.h>
#include "base.h"
#include "json.h"
#include "store.h"

#define STORE_SCHEMA 1 /* PRAGMA user_version */
/* PRAGMA application_id says the version a second time, so that a flipped
 * bit does not make a log one of a newer program. */
#define STORE_APPLICATION (0x636b6c00 | STORE_SCHEMA)
#define STORE_PAGE    4096
#define STORE_RESERVE (4 << 20)
#define STORE_PATH    4352

/* Prepared once. Those from Q_READ on run on the reading connection, which
 * sees what is committed. */
enum store_query {
	Q_LAST,
	Q_INSERT,
	Q_MEETING_PUT,
	Q_SESSION_PUT,
	Q_SESSION_GET,
	Q_SESSIONS,
	Q_SESSION_COUNT,
	Q_SESSION_REVOKE,
	Q_SESSION_REVOKE_USER,
	Q_READ,
	Q_READ_ALL,
	Q_LAST_COMMITTED,
	Q_MEETINGS,
	Q_COUNT
};

/* log.db and log.db-wal as they were opened. */
struct store_file {
	dev_t dev;
	ino_t ino;
};

struct store {
	char dir[4096];
	int lock_fd;
	sqlite3 *write;
	sqlite3 *read;
	sqlite3_stmt *q[Q_COUNT];
	bool pending;    /* a transaction is open */
	bool mixed;      /* with something in it that is not essential */
	int doomed;      /* the error it will end with */
	struct buf redo; /* its writes, unless mixed, to do them again */
	uint64_t pos;    /* of the last event, committed or not */
	uint64_t committed_pos;
	struct buf body; /* of the event being written */
	struct store_file files[2];
	int trouble;     /* what store_room found last */
	off_t reserve;   /* bytes of log.reserve */
	bool marked;     /* log.check is there */
	char error[256];
};

/* --- store.c ------------------------------------------------------------- */

/* Remembers what SQLite says about db and returns the -errno for it. */
int store_sql_error(struct store *s, sqlite3 *db, const char *doing);
/* The same for an error of ours. */
int store_error_set(struct store *s, int err, const char *fmt, ...)
	PRINTF(3, 4);
int store_exec(struct store *s, sqlite3 *db, const char *sql,
	const char *doing);
/* One number that is not negative, or -errno. */
int64_t store_number(struct store *s, sqlite3 *db, const char *sql);
void store_path(const struct store *s, char out[static STORE_PATH],
	const char *name);
extern const char store_schema[];

/* --- store_commit.c ------------------------------------------------------ */

struct store_value {
	enum { VALUE_NULL, VALUE_INT, VALUE_TEXT, VALUE_BLOB } type;
	int64_t i;
	const void *p;
	size_t n;
};
struct store_value store_int(int64_t i);
struct store_value store_text(const char *text); /* NULL: null */
struct store_value store_bytes(const void *p, size_t n, bool text);

/* Before each write: opens the transaction. */
int store_begin(struct store *s, enum store_need need);
/* Runs a statement that gives no rows; an error dooms, but for -EEXIST. */
int store_write(struct store *s, enum store_query q, const char *doing,
	const struct store_value *values, size_t n);
/* Resets a statement and lets go of what was bound to it. */
void store_done(struct store *s, enum store_query q);

/* --- store_reserve.c ----------------------------------------------------- */

/* Makes log.reserve as far as there is room. */
void store_reserve_make(struct store *s);
/* Gives some of it back to the disk. False: there is none. */
bool store_reserve_release(struct store *s);
/* Remembers which files are the database. */
int store_files_note(struct store *s);

/* --- store_crc.c --------------------------------------------------------- */

/* Begin with 0. */
uint32_t store_crc32(uint32_t crc, const void *p, size_t n);
/* What an event's crc is to be. */
uint32_t store_chain(uint32_t prev, const void *body, size_t n);

/* --- store_check.c ------------------------------------------------------- */

/* Looks through the newest million events (all of them if log.check says
 * so), all open meetings, the other tables, and the pages of a database up to
 * a GiB. 0, -EBADMSG with words of
 * what is wrong, or -ENOMEM. */
int store_check(struct store *s);
/* Whether the schema is ours to the letter. */
int store_check_schema(struct store *s);

/* --- store_wal.c --------------------------------------------------------- */

/* What there is in a WAL. Frames are counted from 0; a frame is sound when
 * its checksum continues the one before. */
#define WAL_HEAD   32u
#define WAL_FRAME  (24u + STORE_PAGE)
struct store_wal {
	uint32_t valid; /* frames that SQLite will take */
	uint32_t sound; /* frames up to the last sound commit; >= valid */
	uint32_t end;   /* frames of this generation, a cut one included */
	uint64_t torn;  /* bytes from sound to end */
	bool damaged;   /* something was committed that SQLite will not take */
};
/* fd -1: there is none. */
int store_wal_look(int fd, struct store_wal *w);

/* --- store_salvage.c, store_swap.c, store_torn.c -------------------------- */

/* What log.db begins with before SQLite has a look at it. */
bool store_head_sound(const uint8_t *head, size_t n);
/* Writes log.db anew from what can be read, and swaps. */
int store_salvage(struct store *s, struct store_report *r);
/* Makes the file that is to be the new log. */
int store_swap_begin(struct store *s, char path[static STORE_PATH]);
int store_swap(struct store *s, struct store_report *r);
/* Ends a swap that a crash has interrupted. */
int store_swap_finish(struct store *s);
/* The entry of a meeting in the report; NULL: no memory. */
struct store_loss *store_loss_of(struct store_report *r, const char *meeting);

#endif
