/* store - the event log and the few tables that must be queried, in SQLite.
 *
 * DIR/log.db in WAL mode. Writers join one transaction: the first write
 * begins it, store_commit ends it. Readers of events see what is committed
 * only. One process at a time.
 *
 * Opening looks through the log. One that is damaged is renamed aside and
 * written anew from what can be read of it: of each meeting the longest run
 * of events from the first on in which each continues the one before.
 * DIR/log.reserve is room on the disk that is given up for essential writes
 * when there is no other. conf-events(5) tells of both.
 *
 * Errors: 0 or -errno: -EBUSY another process holds the log, -ENOSPC disk
 * full, -EROFS, -EACCES, -ENOENT the directory or the database is gone,
 * -EIO, -EBADMSG a stored event is damaged, -EPROTONOSUPPORT made by a newer
 * program, -ENOMEM. store_error has the words.
 * Units: times are ms since 1970.
 * Ownership: pointers in callbacks are lent for their duration.
 */
#ifndef STORE_H
#define STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base.h"
#include "json.h"

struct store;

enum store_sync {
	STORE_FULL,  /* a commit survives power loss */
	STORE_NORMAL /* a commit survives kill -9 of us */
};

/* What became of a meeting whose events are not all there. */
struct store_loss {
	char meeting[65];
	uint64_t kept;       /* its last event now; 0: nothing is left */
	uint64_t lost;       /* events behind that one, as far as is known */
	uint64_t unfinished; /* events of a transaction that never committed */
	bool renew;          /* what store_meetings says of it is a guess */
};

/* What opening found wrong, and did about it. */
struct store_report {
	char damage[200]; /* words; empty if the database was sound */
	char aside[64];   /* the damaged one is called so now, in dir */
	uint64_t torn;    /* bytes of an unfinished transaction, left out */
	struct store_loss *losses; /* in order of meeting */
	size_t n_losses;
};

/* Makes dir (one level, 0700) and log.db (0600) where missing. report, if
 * not NULL, is filled in, also on failure, and the caller's to free. On
 * failure *out is NULL and why holds the words. */
int store_open(struct store **out, const char *dir, enum store_sync sync,
	struct store_report *report, char why[256]);
void store_report_free(struct store_report *r);
/* Rolls back what is not committed. */
void store_close(struct store *s);
/* About the last call that failed; never NULL. */
const char *store_error(const struct store *s);

/* --- Writing ----------------------------------------------------------- */

/* Essential writes go through as long as anything does. Others are refused
 * while the disk is full, or the directory is gone or cannot be written. */
enum store_need { STORE_ESSENTIAL, STORE_OTHER };

/* 0, or why STORE_OTHER is refused now. Looks again each time: with room on
 * the disk the reserve is made anew, and all is well. */
int store_room(struct store *s);
/* Looks whether directory and database are where they were and can be
 * written; so does the first write of a transaction. The same values. */
int store_look(struct store *s);

/* Adds events (an array of envelopes, seq expected_seq + 1 and on) to the
 * meeting whose last seq is expected_seq, and sets pos in each of them.
 * -ESTALE the log stands elsewhere, -EINVAL no such envelopes, what
 * store_room says: nothing was written. Any other error dooms the
 * transaction. */
int store_append(struct store *s, const char *meeting, uint64_t expected_seq,
	json_t *events, enum store_need need);
/* Something waits for a commit. */
bool store_pending(const struct store *s);
/* On failure everything since the last commit is rolled back: the caller
 * folds the meetings that it touched anew. A transaction of essential writes
 * alone that finds no room is tried again with room from the reserve.
 * Nothing pending is 0. */
int store_commit(struct store *s);
void store_rollback(struct store *s);

/* --- Reading ------------------------------------------------------------ */
struct store_event {
	uint64_t pos;
	uint64_t seq;
	const char *meeting;
	const char *body; /* the envelope as JSON text, NUL behind it */
	size_t n;
	uint32_t crc;  /* CRC-32 of prev (4 bytes, big-endian) and body */
	uint32_t prev; /* crc of this meeting's event before, 0 for the first */
};
/* A callback's value other than 0 stops reading and is returned. It must not
 * write to the store. */
typedef int store_event_cb(void *arg, const struct store_event *e);

/* Events with seq > since (pos > since) in order, at most limit. Each is
 * checked: -EBADMSG. */
int store_read(struct store *s, const char *meeting, uint64_t since,
	uint64_t limit, store_event_cb *cb, void *arg);
int store_read_all(struct store *s, uint64_t since, uint64_t limit,
	store_event_cb *cb, void *arg);
uint64_t store_last_seq(struct store *s, const char *meeting); /* 0: none */
uint64_t store_last_pos(const struct store *s);  /* committed */

/* --- Meetings: which exist, which are open, and what a list shows ------- */

/* Written in the transaction that changes it; summary is stolen. */
int store_meeting_put(struct store *s, const char *meeting, bool open,
	json_t *summary);
/* In order of id; with open_only those to fold at start. */
int store_meetings(struct store *s, bool open_only,
	int (*cb)(void *arg, const char *meeting, bool open,
		const json_t *summary), void *arg);

/* --- Sessions ----------------------------------------------------------- */
#define STORE_HASH 32
struct store_session {
	char user[STR_ID_CAP];
	char meeting[65];
	char link[STR_ID_CAP];
	char role[16];
	char name[260];
	uint64_t created_ms;
};
/* hash is SHA-256 of the secret, which is stored nowhere. Not essential.
 * -EEXIST. */
int store_session_put(struct store *s, const uint8_t hash[static STORE_HASH],
	const struct store_session *v);
/* -ENOENT unknown or revoked. Sees what is not committed yet. */
int store_session_get(struct store *s, const uint8_t hash[static STORE_HASH],
	struct store_session *out);
/* Those of the meeting (NULL: of all) that are from before before_ms, the
 * oldest first, what is not committed yet included. */
typedef int store_session_cb(void *arg, const uint8_t hash[static STORE_HASH],
	const char *meeting, const char *user);
int store_sessions(struct store *s, const char *meeting, uint64_t before_ms,
	store_session_cb *cb, void *arg);
/* How many the meeting has, or -errno. */
int64_t store_session_count(struct store *s, const char *meeting);
/* How many there are that are committed, or -errno. */
int64_t store_session_total(struct store *s);
int store_session_revoke(struct store *s,
	const uint8_t hash[static STORE_HASH]);
/* All of one user; user NULL: all of the meeting. */
int store_session_revoke_user(struct store *s, const char *meeting,
	const char *user);

#endif
