/* Looking through the log when it is opened. */
#include <unistd.h>
#include "store_priv.h"

#define NEWEST 1000000 /* events that are looked at; about half a second */
#define PAGES  262144  /* of a database whose pages are looked at; the same */

/* A database of ours begins like this all its life, whatever its WAL holds.
 * The counters and sizes in between are SQLite's own affair. */
bool store_head_sound(const uint8_t *h, size_t n)
{
	static const uint8_t name[16] = "SQLite format 3";

	return n == 100 && memcmp(h, name, sizeof(name)) == 0 &&
		be16(h + 16) == STORE_PAGE && h[18] >= 1 && h[18] <= 2 &&
		h[18] == h[19] && h[20] == 0 && h[21] == 64 && h[22] == 32 &&
		h[23] == 32 && (be32(h + 44) == 4 || be32(h + 44) == 0) &&
		be32(h + 52) == 0 && be32(h + 56) <= 1 && be32(h + 64) == 0;
}

/* --- The schema ---------------------------------------------------------- */

/* SQLite keeps the text of each statement and writes CREATE in capitals. */
int store_check_schema(struct store *s)
{
	sqlite3_stmt *q = NULL;
	size_t at = 0;
	int rc = sqlite3_prepare_v2(s->write, "select name, sql from"
		" sqlite_schema where sql is not null order by rowid", -1, &q,
		NULL);
	bool same = true;

	while (same && (rc == SQLITE_OK || rc == SQLITE_ROW)) {
		const char *name, *sql;
		size_t n;

		rc = sqlite3_step(q);
		if (rc != SQLITE_ROW)
			break;
		name = (const char *)sqlite3_column_text(q, 0);
		sql = (const char *)sqlite3_column_text(q, 1);
		n = sql ? strlen(sql) : 0;
		same = name && sql && strstr(sql, name) &&
			strncasecmp(store_schema + at, sql, n) == 0 &&
			store_schema[at + n] == ';';
		at += n + 1;
	}
	sqlite3_finalize(q);
	if (rc == SQLITE_NOMEM)
		return store_error_set(s, -ENOMEM, "out of memory");
	if (rc != SQLITE_DONE || !str_starts(store_schema + at, "pragma"))
		return store_error_set(s, -EBADMSG,
			"the tables are not those of a log");
	return 0;
}

/* --- Events -------------------------------------------------------------- */

/* A meeting as the table of events has it. */
struct seen {
	struct seen *next;
	uint64_t first, last; /* seq */
	uint32_t crc;         /* of last */
	uint64_t sum;         /* of where its events are */
	bool created, open;
	char meeting[];
};

struct check {
	struct store *s;
	struct map *seen;
	struct seen *all;
	bool all_of_it; /* log.check says so */
	uint64_t base;  /* only events with pos above are looked at */
};

static int bad(struct check *c, const char *fmt, const char *meeting,
	uint64_t seq)
{
	struct buf b = {0};

	/* What is damaged may hold anything. */
	str_escape(&b, meeting, strlen(meeting));
	store_error_set(c->s, -EBADMSG, fmt, seq, buf_cstr(&b) ?
		(const char *)b.data : "");
	buf_free(&b);
	return -EBADMSG;
}

static uint64_t place(uint64_t seq, uint64_t pos)
{
	uint64_t key[2] = {seq, pos};

	return siphash(1, 2, key, sizeof(key));
}

static struct seen *seen_of(struct check *c, const struct store_event *e)
{
	struct seen *m = map_gets(c->seen, e->meeting);
	size_t n = strlen(e->meeting) + 1;

	if (m)
		return m;
	m = calloc(1, sizeof(*m) + n);
	if (!m || map_puts(c->seen, e->meeting, m)) {
		free(m);
		return NULL;
	}
	memcpy(m->meeting, e->meeting, n);
	m->next = c->all;
	c->all = m;
	return m;
}

/* store_read_all has checked its checksum. */
static int look_at(void *arg, const struct store_event *e)
{
	struct check *c = arg;
	struct seen *m = seen_of(c, e);

	if (!m)
		return -ENOMEM;
	if (!m->first) {
		if (!e->seq || (e->seq == 1 && e->prev) ||
			(e->seq > 1 && !c->base))
			return bad(c, "event %" PRIu64 " of meeting %s is "
				"the first", e->meeting, e->seq);
		m->first = e->seq;
	} else if (e->seq != m->last + 1 || e->prev != m->crc) {
		return bad(c, "event %" PRIu64 " of meeting %s does not "
			"continue the one before", e->meeting, e->seq);
	}
	m->last = e->seq;
	m->crc = e->crc;
	m->sum += place(e->seq, e->pos);
	/* A quote inside of a text would stand behind a backslash. */
	if (strstr(e->body, "\"type\":\"meeting.created\""))
		m->created = m->open = true;
	else if (strstr(e->body, "\"type\":\"meeting.ended\""))
		m->open = false;
	return 0;
}

/* The index leads to each of them, and to nothing else. */
static int look_up(struct check *c, sqlite3_stmt *q, struct seen *m)
{
	uint64_t seq = m->first, sum = 0;
	int rc;

	sqlite3_bind_text(q, 1, m->meeting, -1, SQLITE_STATIC);
	sqlite3_bind_int64(q, 2, (sqlite3_int64)m->first);
	while ((rc = sqlite3_step(q)) == SQLITE_ROW) {
		uint64_t at = (uint64_t)sqlite3_column_int64(q, 0);

		if (at != seq++)
			break;
		sum += place(at, (uint64_t)sqlite3_column_int64(q, 1));
	}
	sqlite3_reset(q);
	if (rc == SQLITE_DONE && seq == m->last + 1 && sum == m->sum)
		return 0;
	return rc == SQLITE_NOMEM ? -ENOMEM : bad(c, "the index is wrong "
		"about event %" PRIu64 " of meeting %s", m->meeting, seq);
}

static int check_index(struct check *c)
{
	sqlite3_stmt *q = NULL;
	int err = 0;

	if (sqlite3_prepare_v2(c->s->read, "select seq, pos from events"
		" where meeting = ?1 and seq >= ?2 order by seq", -1, &q,
		NULL) != SQLITE_OK)
		err = store_sql_error(c->s, c->s->read, "read the log");
	for (struct seen *m = c->all; m && !err; m = m->next)
		err = look_up(c, q, m);
	sqlite3_finalize(q);
	return err;
}

/* --- The other tables ---------------------------------------------------- */

static int nothing(void *arg, const struct store_event *e)
{
	(void)arg;
	(void)e;
	return 0;
}

static int look_at_meeting(void *arg, const char *meeting, bool open,
	const json_t *summary)
{
	struct check *c = arg;
	struct seen *m = map_gets(c->seen, meeting);

	if (!str_is_meeting_id(meeting) || !json_is_object(summary))
		return store_error_set(c->s, -EBADMSG,
			"the list of meetings is damaged");
	if (m && m->created && m->open != open)
		return bad(c, "after event %" PRIu64 " meeting %s is not "
			"what its row says", meeting, m->last);
	if (m)
		m->created = false; /* it is listed */
	/* What is to be folded at start has to be whole. */
	if (open && (!m || m->first > 1))
		return store_read(c->s, meeting, 0, UINT64_MAX, nothing,
			NULL);
	return 0;
}

static int check_sessions(struct check *c)
{
	sqlite3_stmt *q = NULL;
	int rc = sqlite3_prepare_v2(c->s->read, "select length(hash),"
		" length(user), length(meeting), length(link), length(role),"
		" length(cast(name as blob)) from sessions", -1, &q, NULL);
	int err = 0;

	while (!err && (rc == SQLITE_OK || rc == SQLITE_ROW)) {
		rc = sqlite3_step(q);
		if (rc == SQLITE_ROW && (sqlite3_column_int(q, 0) !=
			STORE_HASH || sqlite3_column_int(q, 1) >= STR_ID_CAP ||
			sqlite3_column_int(q, 2) > 64 ||
			sqlite3_column_int(q, 3) >= STR_ID_CAP ||
			sqlite3_column_int(q, 4) > 15 ||
			sqlite3_column_int(q, 5) > 259))
			err = store_error_set(c->s, -EBADMSG,
				"a session is damaged");
	}
	if (!err && rc != SQLITE_DONE)
		err = store_sql_error(c->s, c->s->read, "read the sessions");
	sqlite3_finalize(q);
	return err;
}

static int check_meetings(struct check *c)
{
	int err = store_meetings(c->s, false, look_at_meeting, c);

	for (struct seen *m = c->all; m && !err; m = m->next)
		if (m->created)
			err = bad(c, "after event %" PRIu64 " meeting %s is "
				"not listed", m->meeting, m->last);
	return err;
}

/* --- All of it ----------------------------------------------------------- */

/* What a page says of the room it has left is needed for writing only. */
static int check_pages(struct check *c)
{
	int64_t pages = store_number(c->s, c->s->read, "pragma page_count");
	const char *said = "nothing";
	sqlite3_stmt *q = NULL;
	int err = 0;

	if (pages < 0 || (pages > PAGES && !c->all_of_it))
		return (int)MIN(pages, 0);
	if (sqlite3_prepare_v2(c->s->read, "pragma quick_check(1)", -1, &q,
		NULL) == SQLITE_OK && sqlite3_step(q) == SQLITE_ROW)
		said = (const char *)sqlite3_column_text(q, 0);
	else
		err = store_sql_error(c->s, c->s->read, "look at all pages");
	if (!err && !str_eq(said, "ok"))
		err = store_error_set(c->s, -EBADMSG, "a page of log.db is "
			"damaged");
	sqlite3_finalize(q);
	return err;
}

static int find_base(struct check *c)
{
	int64_t last = store_number(c->s, c->s->read,
		"select coalesce(max(pos), 0) from events");
	char path[STORE_PATH];

	store_path(c->s, path, "log.check");
	c->all_of_it = access(path, F_OK) == 0;
	if (last > NEWEST && !c->all_of_it)
		c->base = (uint64_t)(last - NEWEST);
	return (int)MIN(last, 0);
}

int store_check(struct store *s)
{
	struct check c = {.s = s, .seen = map_new(0)};
	int err = c.seen ? find_base(&c) : -ENOMEM;

	if (!err)
		err = store_read_all(s, c.base, UINT64_MAX, look_at, &c);
	if (!err)
		err = check_index(&c);
	if (!err)
		err = check_meetings(&c);
	if (!err)
		err = check_sessions(&c);
	if (!err)
		err = check_pages(&c);
	while (c.all) {
		struct seen *m = c.all;

		c.all = m->next;
		free(m);
	}
	map_free(c.seen);
	if (err == -ENOMEM)
		store_error_set(s, err, "out of memory");
	return err;
}
