/* store_priv - what store's own files share. */
#ifndef STORE_PRIV_H
#define STORE_PRIV_H

#include <sqlite3.h>
#include "base.h"
#include "json.h"
#include "store.h"

#define STORE_SCHEMA 1 /* PRAGMA user_version */

/* Prepared once. Those from Q_READ on run on the reading connection, which
 * sees what is committed. */
enum store_query {
	Q_LAST,
	Q_INSERT,
	Q_MEETING_PUT,
	Q_SESSION_PUT,
	Q_SESSION_GET,
	Q_SESSION_REVOKE,
	Q_SESSION_REVOKE_USER,
	Q_READ,
	Q_READ_ALL,
	Q_LAST_COMMITTED,
	Q_MEETINGS,
	Q_COUNT
};

struct store {
	int lock_fd;
	sqlite3 *write;
	sqlite3 *read;
	sqlite3_stmt *q[Q_COUNT];
	bool pending;    /* a transaction is open */
	int doomed;      /* the error it will end with */
	uint64_t pos;    /* of the last event, committed or not */
	uint64_t committed_pos;
	struct buf body; /* of the event being written */
	char error[256];
};

/* Remembers what SQLite says about db and returns the -errno for it. */
int store_sql_error(struct store *s, sqlite3 *db, const char *doing);
/* The same for an error of ours. */
int store_error_set(struct store *s, int err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* Before each write: opens the transaction. */
int store_begin(struct store *s);
/* Runs a statement that gives no rows and resets it; an error dooms. */
int store_write(struct store *s, enum store_query q, const char *doing);
/* Resets a statement and lets go of what was bound to it. */
void store_done(struct store *s, enum store_query q);

uint32_t store_crc32(uint32_t crc, const void *p, size_t n);

#endif
