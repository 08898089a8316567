/* The log itself: appending and reading events. */
#include "store_priv.h"

static int last(struct store *s, enum store_query q, const char *meeting,
	uint64_t *seq, uint32_t *crc)
{
	sqlite3 *db = q == Q_LAST ? s->write : s->read;
	int rc, err = 0;

	*seq = *crc = 0;
	sqlite3_bind_text(s->q[q], 1, meeting, -1, SQLITE_STATIC);
	rc = sqlite3_step(s->q[q]);
	if (rc == SQLITE_ROW) {
		*seq = (uint64_t)sqlite3_column_int64(s->q[q], 0);
		*crc = (uint32_t)sqlite3_column_int64(s->q[q], 1);
	} else if (rc != SQLITE_DONE) {
		err = store_sql_error(s, db, "read the log");
	}
	store_done(s, q);
	return err;
}

static int events_ok(struct store *s, uint64_t seq, const json_t *events)
{
	const json_t *e;
	size_t i;

	if (!json_is_array(events))
		return store_error_set(s, -EINVAL, "no list of events");
	json_array_foreach(events, i, e)
		if ((uint64_t)json_integer_value(json_object_get(e, "seq")) !=
			seq + i + 1)
			return store_error_set(s, -EINVAL,
				"an event's seq is not %" PRIu64, seq + i + 1);
	return 0;
}

static int insert(struct store *s, const char *meeting, uint64_t seq,
	json_t *event, uint32_t *crc)
{
	uint32_t prev = *crc;
	int err;

	buf_clear(&s->body);
	err = json_object_set_new(event, "pos",
		json_integer((json_int_t)(s->pos + 1)));
	if (err || json_write(event, &s->body) || s->body.err) {
		s->doomed = store_error_set(s, -ENOMEM, "out of memory");
		return s->doomed;
	}
	*crc = store_chain(prev, s->body.data, s->body.len);
	const struct store_value row[] = {
		store_int((int64_t)(s->pos + 1)), store_text(meeting),
		store_int((int64_t)seq), store_int(*crc), store_int(prev),
		store_bytes(s->body.data, s->body.len, true),
	};
	err = store_write(s, Q_INSERT, "write an event", row,
		ARRAY_LEN(row));
	if (err)
		s->doomed = err;
	else
		s->pos++;
	return err;
}

int store_append(struct store *s, const char *meeting, uint64_t expected_seq,
	json_t *events, enum store_need need)
{
	uint64_t seq;
	uint32_t crc;
	json_t *e;
	size_t i;
	int err = s->doomed;

	if (!err)
		err = last(s, Q_LAST, meeting, &seq, &crc);
	if (err)
		return err;
	if (seq != expected_seq)
		return store_error_set(s, -ESTALE, "meeting %s is at event %"
			PRIu64 ", not at %" PRIu64, meeting, seq,
			expected_seq);
	err = events_ok(s, seq, events);
	if (err || !json_array_size(events))
		return err;
	err = store_begin(s, need);
	json_array_foreach(events, i, e)
		if (!err)
			err = insert(s, meeting, ++seq, e, &crc);
	return err;
}

struct reading {
	struct store *s;
	enum store_query q;
	bool chained; /* all events of one meeting, none left out */
	uint64_t seq; /* of the event before */
	uint32_t crc;
	bool crc_known;
	store_event_cb *cb;
	void *arg;
};

static int check(struct reading *r, const struct store_event *e)
{
	const char *what = NULL;

	if (!e->body || e->crc != store_chain(e->prev, e->body, e->n))
		what = "is damaged";
	else if (r->chained && e->seq != r->seq + 1)
		what = "does not follow the one before";
	else if (r->chained && r->crc_known && e->prev != r->crc)
		what = "does not continue the one before";
	r->seq = e->seq;
	r->crc = e->crc;
	r->crc_known = true;
	if (!what)
		return 0;
	return store_error_set(r->s, -EBADMSG,
		"event %" PRIu64 " of meeting %s %s", e->seq, e->meeting, what);
}

static int run(struct reading *r)
{
	sqlite3_stmt *q = r->s->q[r->q];
	int rc, err = 0;

	while (!err && (rc = sqlite3_step(q)) == SQLITE_ROW) {
		struct store_event e = {
			.pos = (uint64_t)sqlite3_column_int64(q, 0),
			.meeting = (const char *)sqlite3_column_text(q, 1),
			.seq = (uint64_t)sqlite3_column_int64(q, 2),
			.crc = (uint32_t)sqlite3_column_int64(q, 3),
			.prev = (uint32_t)sqlite3_column_int64(q, 4),
			.body = (const char *)sqlite3_column_text(q, 5),
			.n = (size_t)sqlite3_column_bytes(q, 5),
		};

		err = check(r, &e);
		if (!err)
			err = r->cb(r->arg, &e);
	}
	if (!err && rc != SQLITE_DONE)
		err = store_sql_error(r->s, r->s->read, "read the log");
	store_done(r->s, r->q);
	return err;
}

static void bind_range(sqlite3_stmt *q, uint64_t since, uint64_t limit)
{
	sqlite3_bind_int64(q, 2, (sqlite3_int64)MIN(since, INT64_MAX));
	sqlite3_bind_int64(q, 3, (sqlite3_int64)MIN(limit, INT64_MAX));
}

int store_read(struct store *s, const char *meeting, uint64_t since,
	uint64_t limit, store_event_cb *cb, void *arg)
{
	struct reading r = {.s = s, .q = Q_READ, .chained = true,
		.seq = since, .crc_known = since == 0, .cb = cb, .arg = arg};

	sqlite3_bind_text(s->q[Q_READ], 1, meeting, -1, SQLITE_STATIC);
	bind_range(s->q[Q_READ], since, limit);
	return run(&r);
}

int store_read_all(struct store *s, uint64_t since, uint64_t limit,
	store_event_cb *cb, void *arg)
{
	struct reading r = {.s = s, .q = Q_READ_ALL, .cb = cb, .arg = arg};

	bind_range(s->q[Q_READ_ALL], since, limit);
	return run(&r);
}

uint64_t store_last_seq(struct store *s, const char *meeting)
{
	uint64_t seq;
	uint32_t crc;

	return last(s, Q_LAST_COMMITTED, meeting, &seq, &crc) ? 0 : seq;
}

uint64_t store_last_pos(const struct store *s)
{
	return s->committed_pos;
}
