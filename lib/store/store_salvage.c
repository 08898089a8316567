/* Writing a damaged log anew. Every event that can be found and whose
 * checksum is right goes into a new database, the newest copies first; then
 * of each meeting stays what is a chain from the first event on. The pages
 * of the damaged database are only ever read. */
#include <unistd.h>
#include "store_page_priv.h"

enum {
	N_EVENT, N_MAYBE, N_MEETING, N_SESSION, N_NEXT, N_CHAIN, N_TRY, N_LOSE,
	N_CUT, N_LOST_ROW, N_LOST_MAYBE, N_KEPT, N_STATE, N_OPEN, N_ORPHANS,
	N_LOSSES, N_COUNT
};

/* maybe: an event without a right checksum of its own, which the event
 * behind it may yet prove. lost: what was there, and is not kept. */
static const char staging[] =
	"create temp table maybe (meeting text, seq integer, pos integer,"
	" body text, primary key (meeting, seq, body)) without rowid;"
	"create temp table lost (pos integer primary key, meeting text,"
	" seq integer, unique (meeting, seq));";

static const char *const queries[N_COUNT] = {
	[N_EVENT] = "insert or ignore into events"
		" (pos, meeting, seq, crc, prev, body)"
		" values (?1, ?2, ?3, ?4, ?5, ?6)",
	[N_MAYBE] = "insert or ignore into maybe values (?2, ?3, ?1, ?6)",
	[N_MEETING] = "insert or ignore into meetings (id, open, summary)"
		" values (?1, ?2, ?3)",
	[N_SESSION] = "insert or ignore into sessions"
		" (hash, user, meeting, link, role, name, created_ms)"
		" values (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
	/* Meetings of which anything was found, and those that are listed. */
	[N_NEXT] = "select min(m) from ("
		"select min(meeting) m from events where meeting > ?1"
		" union all select min(meeting) from maybe where meeting > ?1"
		" union all select min(id) from meetings where id > ?1)",
	[N_CHAIN] = "select crc, prev from events"
		" where meeting = ?1 and seq = ?2",
	[N_TRY] = "select pos, body from maybe where meeting = ?1 and seq = ?2",
	[N_LOSE] = "insert or ignore into lost select pos, meeting, seq"
		" from events"
		" where meeting = ?1 and seq > ?2",
	[N_CUT] = "delete from events where meeting = ?1 and seq > ?2",
	[N_LOST_ROW] = "insert or ignore into lost select ?3, ?1, ?2"
		" where ?2 > (select coalesce(max(seq), 0) from events"
		" where meeting = ?1)"
		" and not exists (select 1 from events where pos = ?3)",
	[N_LOST_MAYBE] = "insert or ignore into lost select pos, meeting, seq"
		" from maybe m where seq > (select coalesce(max(seq), 0)"
		" from events e where e.meeting = m.meeting)"
		" and not exists (select 1 from events e where e.pos = m.pos)",
	[N_KEPT] = "select coalesce(max(seq), 0) from events"
		" where meeting = ?1",
	[N_STATE] = "select body from events where meeting = ?1 and"
		" (instr(body, '\"type\":\"meeting.created\"') or"
		" instr(body, '\"type\":\"meeting.ended\"'))"
		" order by seq desc limit 1",
	[N_OPEN] = "update meetings set open = ?2 where id = ?1",
	[N_ORPHANS] = "delete from meetings where not exists"
		" (select 1 from events where meeting = id)",
	[N_LOSSES] = "select meeting, count(*) from lost group by meeting"
		" order by meeting",
};

struct salvage {
	struct store *s;
	struct store_source src;
	struct store_report *r;
	sqlite3 *db;
	sqlite3_stmt *q[N_COUNT];
};

static int failed(struct salvage *v)
{
	return store_sql_error(v->s, v->db, "salvage the log");
}

static int done(struct salvage *v, sqlite3_stmt *q)
{
	int rc = sqlite3_step(q), err = 0;

	if (rc != SQLITE_DONE && rc != SQLITE_ROW)
		err = failed(v);
	sqlite3_reset(q);
	return err;
}

static void bind(sqlite3_stmt *q, int at, const void *text, size_t n)
{
	sqlite3_bind_text(q, at, text, (int)n, SQLITE_TRANSIENT);
}

/* --- Collecting ---------------------------------------------------------- */

static int take_event(void *arg, const struct store_found *f)
{
	struct salvage *v = arg;
	sqlite3_stmt *q = v->q[f->proven ? N_EVENT : N_MAYBE];

	sqlite3_bind_int64(q, 1, (sqlite3_int64)f->pos);
	bind(q, 2, f->meeting, strlen(f->meeting));
	sqlite3_bind_int64(q, 3, (sqlite3_int64)f->seq);
	if (f->proven) {
		sqlite3_bind_int64(q, 4, f->crc);
		sqlite3_bind_int64(q, 5, f->prev);
	}
	bind(q, 6, f->body, f->n);
	return done(v, q);
}

static int collect_events(struct salvage *v)
{
	struct store_source *src = &v->src;
	int err = 0;

	for (uint32_t i = src->look.valid; !err && i-- > 0;) {
		store_source_frame(src, i);
		err = store_page_events(src, take_event, v);
	}
	for (uint32_t i = 1; !err && i <= src->n_db; i++) {
		store_source_db(src, i);
		err = store_page_events(src, take_event, v);
	}
	/* Behind the damage, but with a sound commit behind it. */
	for (uint32_t i = src->look.sound; !err && i-- > src->look.valid;) {
		store_source_frame(src, i);
		err = store_page_events(src, take_event, v);
	}
	return err;
}

static bool is_meeting(const struct store_column *c)
{
	char id[65];

	if (!store_is_text(c, sizeof(id) - 1))
		return false;
	memcpy(id, c->p, c->n);
	id[c->n] = '\0';
	return str_is_meeting_id(id);
}

static int take_meeting(struct salvage *v, const struct store_column *c)
{
	char why[160];
	json_t *summary = json_read_max(c[2].p, c[2].n, SIZE_MAX, why);
	bool sound = json_is_object(summary);

	json_decref(summary);
	if (!sound)
		return !summary && errno == ENOMEM ? -ENOMEM : 0;
	bind(v->q[N_MEETING], 1, c[0].p, c[0].n);
	sqlite3_bind_int64(v->q[N_MEETING], 2, c[1].i != 0);
	bind(v->q[N_MEETING], 3, c[2].p, c[2].n);
	return done(v, v->q[N_MEETING]);
}

static int take_session(struct salvage *v, const struct store_column *c)
{
	static const size_t most[] = {0, STR_ID_CAP - 1, 64, STR_ID_CAP - 1,
		15, 259};
	sqlite3_stmt *q = v->q[N_SESSION];

	for (int i = 1; i <= 5; i++) {
		if (!store_is_text(&c[i], most[i]))
			return 0;
		bind(q, i + 1, c[i].p, c[i].n);
	}
	sqlite3_bind_blob(q, 1, c[0].p, STORE_HASH, SQLITE_TRANSIENT);
	sqlite3_bind_int64(q, 7, c[6].i);
	return done(v, q);
}

/* A session that was revoked and is found again on a page given up since
 * does no harm: the kick that revoked it is in the log. */
static int take_row(void *arg, uint64_t rowid, const struct store_column *c,
	size_t n)
{
	struct salvage *v = arg;

	if (rowid)
		return 0;
	if (n == 3 && is_meeting(&c[0]) && store_is_int(&c[1]) &&
		store_is_text(&c[2], SIZE_MAX))
		return take_meeting(v, c);
	if (n == 7 && store_is_blob(&c[0], STORE_HASH) && is_meeting(&c[2]) &&
		store_is_int(&c[6]))
		return take_session(v, c);
	return 0;
}

/* An entry of the index of events, or an event whose text is damaged. */
static int miss_row(void *arg, uint64_t rowid, const struct store_column *c,
	size_t n)
{
	struct salvage *v = arg;
	sqlite3_stmt *q = v->q[N_LOST_ROW];
	size_t at = n == 6 ? 1 : 0;
	int64_t pos;

	if ((n != 6 && n != 3) || (n == 6) != (rowid != 0) ||
		!is_meeting(&c[at]) || !store_is_int(&c[at + 1]) ||
		(n == 3 && !store_is_int(&c[2])))
		return 0;
	pos = rowid ? (int64_t)rowid : c[2].i;
	if (c[at + 1].i <= 0 || pos <= 0)
		return 0;
	bind(q, 1, c[at].p, c[at].n);
	sqlite3_bind_int64(q, 2, c[at + 1].i);
	sqlite3_bind_int64(q, 3, pos);
	return done(v, q);
}

static int each_page(struct salvage *v, store_cell_cb *cb)
{
	uint32_t n = store_source_pages(&v->src);
	int err = 0;

	for (uint32_t i = 2; !err && i <= n; i++)
		if (store_source_copy(&v->src, i, 0, v->src.page))
			err = store_page_cells(&v->src, cb, v);
	return err;
}

/* --- Chaining ------------------------------------------------------------ */

/* crc and prev of an event; 1 if there is none. */
static int look_up(struct salvage *v, const char *meeting, uint64_t seq,
	uint32_t *crc, uint32_t *prev)
{
	sqlite3_stmt *q = v->q[N_CHAIN];
	int rc;

	bind(q, 1, meeting, strlen(meeting));
	sqlite3_bind_int64(q, 2, (sqlite3_int64)seq);
	rc = sqlite3_step(q);
	if (rc == SQLITE_ROW) {
		*crc = (uint32_t)sqlite3_column_int64(q, 0);
		*prev = (uint32_t)sqlite3_column_int64(q, 1);
	}
	sqlite3_reset(q);
	return rc == SQLITE_ROW ? 0 : rc == SQLITE_DONE ? 1 : failed(v);
}

/* Where an event is missing but the next one is there: its text is right if
 * with it the chain goes on. 0 and *crc, or 1: there is none. */
static int bridge(struct salvage *v, const char *meeting, uint64_t seq,
	uint32_t *crc)
{
	sqlite3_stmt *q = v->q[N_TRY], *put = v->q[N_EVENT];
	uint32_t next, want, c;
	int r = look_up(v, meeting, seq + 1, &next, &want), rc = SQLITE_ROW;

	if (r)
		return r;
	r = 1;
	bind(q, 1, meeting, strlen(meeting));
	sqlite3_bind_int64(q, 2, (sqlite3_int64)seq);
	while (r == 1 && (rc = sqlite3_step(q)) == SQLITE_ROW) {
		const void *body = sqlite3_column_text(q, 1);
		size_t n = (size_t)sqlite3_column_bytes(q, 1);

		c = store_chain(*crc, body, n);
		if (c != want)
			continue;
		sqlite3_bind_int64(put, 1, sqlite3_column_int64(q, 0));
		bind(put, 2, meeting, strlen(meeting));
		sqlite3_bind_int64(put, 3, (sqlite3_int64)seq);
		sqlite3_bind_int64(put, 4, c);
		sqlite3_bind_int64(put, 5, *crc);
		bind(put, 6, body, n);
		r = done(v, put);
		*crc = c;
	}
	if (rc != SQLITE_ROW && rc != SQLITE_DONE)
		r = failed(v);
	sqlite3_reset(q);
	return r;
}

static int with_kept(struct salvage *v, int query, const char *meeting,
	uint64_t kept)
{
	bind(v->q[query], 1, meeting, strlen(meeting));
	sqlite3_bind_int64(v->q[query], 2, (sqlite3_int64)kept);
	return done(v, v->q[query]);
}

static int chain_one(struct salvage *v, const char *meeting)
{
	uint32_t tip = 0, crc, prev;
	uint64_t kept = 0;
	int err = 0;

	while (!err) {
		err = look_up(v, meeting, kept + 1, &crc, &prev);
		if (!err && prev != tip)
			err = 1;
		else if (!err)
			tip = crc;
		else if (err == 1)
			err = bridge(v, meeting, kept + 1, &tip);
		if (!err)
			kept++;
	}
	if (err < 0)
		return err;
	err = with_kept(v, N_LOSE, meeting, kept);
	return err ? err : with_kept(v, N_CUT, meeting, kept);
}

/* --- The list of meetings ------------------------------------------------ */

/* What the events say of whether it is open is right; where it is not even
 * listed, the caller has to say what is. */
static int list_one(struct salvage *v, const char *meeting)
{
	sqlite3_stmt *q = v->q[N_STATE], *put = v->q[N_MEETING];
	bool open, created;
	char *summary;
	struct store_loss *l;
	int err;

	bind(q, 1, meeting, strlen(meeting));
	err = sqlite3_step(q);
	created = err == SQLITE_ROW;
	open = created && strstr((const char *)sqlite3_column_text(q, 0),
		"\"type\":\"meeting.created\"");
	err = created || err == SQLITE_DONE ? 0 : failed(v);
	sqlite3_reset(q);
	if (!created)
		return err;
	summary = sqlite3_mprintf("{\"id\":\"%s\",\"name\":\"%s\"}", meeting,
		meeting);
	if (!summary)
		return -ENOMEM;
	bind(put, 1, meeting, strlen(meeting));
	sqlite3_bind_int(put, 2, open);
	bind(put, 3, summary, strlen(summary));
	err = done(v, put);
	sqlite3_free(summary);
	if (!err && sqlite3_changes(v->db)) {
		l = store_loss_of(v->r, meeting);
		if (!l)
			return -ENOMEM;
		l->renew = true;
	}
	return err ? err : with_kept(v, N_OPEN, meeting, open);
}

static int each_meeting(struct salvage *v,
	int (*f)(struct salvage *v, const char *meeting))
{
	sqlite3_stmt *q = v->q[N_NEXT];
	char meeting[65] = "";
	int rc, err = 0;

	while (!err) {
		const char *next = NULL;

		bind(q, 1, meeting, strlen(meeting));
		rc = sqlite3_step(q);
		if (rc == SQLITE_ROW)
			next = (const char *)sqlite3_column_text(q, 0);
		else
			err = failed(v);
		if (next)
			str_copy(meeting, sizeof(meeting), next);
		sqlite3_reset(q);
		if (!next)
			break;
		err = f(v, meeting);
	}
	return err;
}

static uint64_t kept_of(sqlite3_stmt *q, const char *meeting)
{
	uint64_t n = 0;

	bind(q, 1, meeting, strlen(meeting));
	if (sqlite3_step(q) == SQLITE_ROW)
		n = (uint64_t)sqlite3_column_int64(q, 0);
	sqlite3_reset(q);
	return n;
}

static uint64_t kept_here(void *arg, const char *meeting)
{
	struct salvage *v = arg;

	return kept_of(v->q[N_KEPT], meeting);
}

static int tell_losses(struct salvage *v)
{
	sqlite3_stmt *q = v->q[N_LOSSES];
	struct store_report *r = v->r;
	int rc;

	while ((rc = sqlite3_step(q)) == SQLITE_ROW) {
		struct store_loss *l = store_loss_of(r,
			(const char *)sqlite3_column_text(q, 0));

		if (!l)
			return -ENOMEM;
		l->lost = (uint64_t)sqlite3_column_int64(q, 1);
		l->renew = true;
	}
	sqlite3_reset(q);
	for (size_t i = 0; i < r->n_losses; i++)
		r->losses[i].kept = kept_of(v->q[N_KEPT],
			r->losses[i].meeting);
	return rc == SQLITE_DONE ? 0 : failed(v);
}

/* --- All of it ----------------------------------------------------------- */

static int write_log(struct salvage *v)
{
	int err = collect_events(v);

	if (!err)
		err = each_page(v, take_row);
	if (!err)
		err = each_meeting(v, chain_one);
	if (!err)
		err = each_page(v, miss_row);
	if (!err)
		err = done(v, v->q[N_LOST_MAYBE]);
	if (!err)
		err = done(v, v->q[N_ORPHANS]);
	if (!err)
		err = each_meeting(v, list_one);
	if (!err)
		err = tell_losses(v);
	if (!err)
		err = store_torn_events(&v->src, kept_here, v, v->r);
	return err;
}

/* Nobody sees it before it is whole, so it needs no journal. */
static int make_log(struct salvage *v, const char *path)
{
	struct store *s = v->s;
	int err = 0;

	if (sqlite3_open_v2(path, &v->db, SQLITE_OPEN_READWRITE |
		SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK)
		return failed(v);
	err = store_exec(s, v->db, "pragma page_size = 4096;"
		"pragma journal_mode = off; pragma synchronous = off;"
		"pragma temp_store = memory; begin", "salvage the log");
	if (!err)
		err = store_exec(s, v->db, store_schema, "salvage the log");
	if (!err)
		err = store_exec(s, v->db, staging, "salvage the log");
	for (int i = 0; !err && i < N_COUNT; i++)
		if (sqlite3_prepare_v2(v->db, queries[i], -1, &v->q[i], NULL)
			!= SQLITE_OK)
			err = failed(v);
	if (!err)
		err = write_log(v);
	for (int i = 0; i < N_COUNT; i++)
		sqlite3_finalize(v->q[i]);
	return err ? err : store_exec(s, v->db, "commit", "salvage the log");
}

int store_salvage(struct store *s, struct store_report *r)
{
	struct salvage v = {.s = s, .r = r};
	char path[STORE_PATH];
	int err = store_swap_begin(s, path);

	if (!err)
		err = store_source_open(&v.src, s);
	if (!err) {
		err = make_log(&v, path);
		sqlite3_close(v.db);
		store_source_close(&v.src);
	}
	if (err == -ENOMEM || err == -EIO)
		store_error_set(s, err, "cannot salvage the log: %s",
			strerror(-err));
	if (!err)
		err = store_swap(s, r);
	else
		unlink(path);
	return err;
}
