/* store: a log that is cut off or changed at any byte of its last
 * transaction opens with all that is still sound, and says what is not; the
 * damaged files are kept. In text each third byte is tried, of the zeros,
 * which are room that a page has left, each 32nd, and all others; and each
 * and every one with STORE_ALL=1, as tests/soak does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <cmocka.h>
#include <sqlite3.h>
#include "store_dir.h"

#define PAGE     4096
#define WAL_HEAD 32

static const uint8_t secret[2][STORE_HASH] = {{1, 2, 3}, {4, 5, 6}};

static struct store *opened(struct store_report *r)
{
	struct store *s;
	char why[256];

	if (store_open(&s, dir, STORE_NORMAL, r, why))
		fail_msg("%s", why);
	return s;
}

/* --- Files --------------------------------------------------------------- */

static const char *path_of(const char *name)
{
	static char path[600];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static struct buf slurp(const char *name)
{
	struct buf b = {0};
	uint8_t chunk[PAGE];
	FILE *f = fopen(path_of(name), "rb");
	size_t n;

	while (f && (n = fread(chunk, 1, sizeof(chunk), f)) > 0)
		buf_put(&b, chunk, n);
	if (f)
		fclose(f);
	return b;
}

static void spill(const char *name, const void *p, size_t n)
{
	int fd = open(path_of(name), O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal((ssize_t)n, write(fd, p, n));
	close(fd);
}

static bool there(const char *name)
{
	return access(path_of(name), F_OK) == 0;
}

/* --- The log that is damaged --------------------------------------------- */

#define MEETINGS 2
#define EVENTS   64

/* What was committed, and where the last transaction begins. */
static struct {
	char *body[MEETINGS][EVENTS];
	size_t n[MEETINGS], before[MEETINGS];
} was;
static struct buf db, wal; /* as the files are */
static char now[80];       /* the case, while one is tried */
static const char *const names[MEETINGS] = {"ada", "bob"};

static void record(int m, json_t *events)
{
	const json_t *e;
	size_t i;

	json_array_foreach(events, i, e)
		was.body[m][was.n[m]++] = json_dumps(e, JSON_COMPACT);
	json_decref(events);
}

static void say(struct store *s, int m, const char *type, int n, size_t extra)
{
	json_t *a = said(names[m], was.n[m] + 1, n, extra), *e;
	size_t i;

	json_array_foreach(a, i, e)
		json_object_set_new(e, "type", json_string(type));
	assert_int_equal(0, store_append(s, names[m], was.n[m], a,
		STORE_OTHER));
	record(m, a);
	if (strncmp(type, "meeting.", 8) == 0)
		assert_int_equal(0, store_meeting_put(s, names[m],
			strcmp(type, "meeting.ended") != 0, json_pack(
			"{s:s, s:s}", "id", names[m], "name", type)));
}

static void enter(struct store *s, int i)
{
	struct store_session v = {.user = "u_adaaaaaaaaaaaaaaaaaaaaaaaa",
		.link = "l_adaaaaaaaaaaaaaaaaaaaaaaaa", .role = "viewer",
		.name = "Ada", .created_ms = 1763802000000};

	str_copy(v.meeting, sizeof(v.meeting), names[i]);
	assert_int_equal(0, store_session_put(s, secret[i], &v));
}

/* Two meetings with some history, one text of several pages in it. */
static void begin(struct store *s)
{
	for (int m = 0; m < MEETINGS; m++)
		say(s, m, "meeting.created", 1, 1);
	enter(s, 0);
	assert_int_equal(0, store_commit(s));
	say(s, 1, "chat.said", 1, 9000);
	assert_int_equal(0, store_commit(s));
	memcpy(was.before, was.n, sizeof(was.n));
}

/* The transaction that is damaged. */
static void last(struct store *s, size_t extra)
{
	say(s, 0, "chat.said", 1, extra);
	enter(s, 1);
	say(s, 1, "meeting.ended", 1, 0);
	say(s, 0, "chat.said", 1, 0);
	assert_int_equal(0, store_commit(s));
}

static void forget(void)
{
	for (int m = 0; m < MEETINGS; m++)
		while (was.n[m])
			free(was.body[m][--was.n[m]]);
	buf_free(&db);
	buf_free(&wal);
	*now = '\0';
}

static int over(void **state)
{
	if (*now)
		print_message("# when %s\n", now);
	forget();
	return gone(state);
}

/* --- Looking at what is left --------------------------------------------- */

struct left {
	int m;
	size_t n;
};

static int same(void *arg, const struct store_event *e)
{
	struct left *l = arg;

	assert_true(e->seq == l->n + 1 && l->n < was.n[l->m]);
	assert_string_equal(e->body, was.body[l->m][l->n]);
	l->n++;
	return 0;
}

static size_t left_of(struct store *s, int m)
{
	struct left l = {.m = m};

	assert_int_equal(0, store_read(s, names[m], 0, UINT64_MAX, same, &l));
	assert_true(store_last_seq(s, names[m]) == l.n);
	return l.n;
}

static const struct store_loss *loss_of(const struct store_report *r, int m)
{
	for (size_t i = 0; i < r->n_losses; i++)
		if (str_eq(r->losses[i].meeting, names[m]))
			return &r->losses[i];
	return NULL;
}

/* The damaged files are there as they were, and none is in the way. */
static void kept_aside(const struct store_report *r)
{
	char name[80];
	struct buf a, b;

	assert_true(str_starts(r->aside, "log.db.damaged-2"));
	snprintf(name, sizeof(name), "%s-wal", r->aside);
	a = slurp(r->aside);
	b = slurp(name);
	assert_int_equal(a.len, db.len);
	assert_true(!a.len || memcmp(a.data, db.data, a.len) == 0);
	assert_int_equal(b.len, wal.len);
	assert_true(!b.len || memcmp(b.data, wal.data, b.len) == 0);
	buf_free(&a);
	buf_free(&b);
	assert_false(there("log.db.new") || there("log.db.salvaged"));
	assert_int_equal(0, unlink(path_of(r->aside)));
	unlink(path_of(name));
}

/* It is a log like any other: it goes on, and opens again as sound. */
static void goes_on(struct store *s)
{
	struct store_report r;

	for (int m = 0; m < MEETINGS; m++) {
		uint64_t seq = store_last_seq(s, names[m]);
		json_t *a = said(names[m], seq + 1, 1, 5);

		assert_int_equal(0, store_append(s, names[m], seq, a,
			STORE_OTHER));
		json_decref(a);
	}
	assert_int_equal(0, store_commit(s));
	store_close(s);
	s = opened(&r);
	assert_string_equal(r.damage, "");
	assert_true(r.torn == 0 && r.n_losses == 0);
	store_report_free(&r);
	store_close(s);
}

/* Opens db and wal. n: what is left of each meeting. */
static void open_damaged(size_t n[MEETINGS], struct store_report *r,
	bool further)
{
	struct store *s;

	unlink(path_of("log.db-shm"));
	unlink(path_of("log.db-wal"));
	spill("log.db", db.data, db.len);
	if (wal.len)
		spill("log.db-wal", wal.data, wal.len);
	s = opened(r);
	for (int m = 0; m < MEETINGS; m++)
		n[m] = left_of(s, m);
	if (*r->damage)
		kept_aside(r);
	else
		assert_string_equal(r->aside, "");
	if (further)
		goes_on(s);
	else
		store_close(s);
}

/* Structure, which writing on needs, rather than text or room. */
static bool is_structure(const struct buf *b, size_t at)
{
	return b->data[at] && (b->data[at] < ' ' || b->data[at] > '~');
}

static bool tried(const struct buf *b, size_t at)
{
	return is_structure(b, at) || at % (b->data[at] ? 3 : 32) == 0 ||
		getenv("STORE_ALL");
}

/* What a changed byte may cost: of meeting m the events from first[m] on. */
struct hit {
	size_t first[MEETINGS];
};

static void hits(struct hit *h, const struct buf *b, size_t at)
{
	for (int m = 0; m < MEETINGS; m++) {
		h->first[m] = was.n[m];
		for (size_t i = was.n[m]; i-- > 0;) {
			const char *body = was.body[m][i];
			size_t n = strlen(body), head = MIN(n, 400);
			const uint8_t *p = b->data, *end = p + b->len;

			/* A long one needs the head of its cell, and goes on
			 * on pages of its own. */
			while ((p = memmem(p, (size_t)(end - p), body,
				head))) {
				size_t from = (size_t)(p - b->data);

				if (at + (n > 4000 ? 60 : 12) >= from &&
					at < from + MIN(n, 4096))
					h->first[m] = i;
				p++;
			}
			p = b->data + at / PAGE * PAGE;
			if (n > 4000 && p + PAGE <= end && memmem(p, PAGE,
				body + 1000, 500))
				h->first[m] = i;
		}
	}
}

/* What is left after a change that could cost this much. */
static void as_hit(const struct hit *h, const size_t n[MEETINGS],
	const struct store_report *r)
{
	for (int m = 0; m < MEETINGS; m++) {
		const struct store_loss *l = loss_of(r, m);

		assert_true(n[m] >= h->first[m]);
		assert_true((l ? l->lost : 0) == was.n[m] - n[m]);
		assert_true(!l || l->kept == n[m]);
	}
}

/* --- The WAL ------------------------------------------------------------- */

/* Leaves files as of a kill: db and wal, which from where on is the last
 * transaction. */
static size_t killed(size_t extra)
{
	struct store *s = opened(NULL);
	struct buf part;
	size_t from;

	begin(s);
	part = slurp("log.db-wal");
	from = part.len;
	buf_free(&part);
	last(s, extra);
	db = slurp("log.db");
	wal = slurp("log.db-wal");
	assert_true(wal.len > from && wal.len > 5 * PAGE);
	store_close(s);
	return from;
}

static void a_wal_cut_anywhere(void **state)
{
	size_t from = killed(1), whole = wal.len, n[MEETINGS];
	struct store_report r;

	(void)state;
	for (wal.len = from; wal.len < whole; wal.len++) {
		if (!tried(&wal, wal.len))
			continue;
		snprintf(now, sizeof(now), "log.db-wal cut to %zu", wal.len);
		open_damaged(n, &r, wal.len % 64 == 0);
		if (*r.damage) { /* only zeros were cut off */
			assert_true(wal.len > whole - PAGE);
			assert_int_equal(n[0], was.n[0]);
			assert_int_equal(n[1], was.n[1]);
		} else {
			/* A transaction is whole or not at all. */
			assert_int_equal(n[0], was.before[0]);
			assert_int_equal(n[1], was.before[1]);
			assert_true(r.torn == wal.len - from);
		}
		store_report_free(&r);
	}
	forget();
}

static void flip_wal(size_t at)
{
	size_t n[MEETINGS], end = wal.len - PAGE - 24;
	struct store_report r;
	struct hit h;

	snprintf(now, sizeof(now), "log.db-wal changed at %zu", at);
	hits(&h, &wal, at);
	wal.data[at] ^= (uint8_t)(1u << at % 8);
	open_damaged(n, &r, at % 64 == 0);
	wal.data[at] ^= (uint8_t)(1u << at % 8);
	if (*r.damage) {
		as_hit(&h, n, &r);
	} else {
		/* The end of the transaction is not sound: it has none. */
		assert_true(at >= end || (at >= end - PAGE - 8 &&
			at < end - PAGE));
		assert_int_equal(n[0], was.before[0]);
		assert_int_equal(n[1], was.before[1]);
		assert_true(r.torn > 0);
	}
	store_report_free(&r);
}

static void a_wal_changed_anywhere(void **state)
{
	size_t from = killed(1);

	(void)state;
	for (size_t at = from; at < wal.len; at++)
		if (tried(&wal, at))
			flip_wal(at);
	forget();
}

static void a_wal_with_a_long_text(void **state)
{
	size_t from = killed(9000);

	(void)state;
	for (size_t at = from; at < wal.len; at += 61)
		flip_wal(at);
	/* Its head, too. */
	for (size_t at = 0; at < WAL_HEAD; at++)
		flip_wal(at);
	forget();
}

/* --- The database -------------------------------------------------------- */

/* Leaves db as it is after the last transaction, and the same from before in
 * old. */
static void closed(struct buf *old, size_t extra)
{
	struct store *s = opened(NULL);

	begin(s);
	store_close(s);
	*old = slurp("log.db");
	s = opened(NULL);
	last(s, extra);
	store_close(s);
	assert_false(there("log.db-wal"));
	db = slurp("log.db");
	assert_true(db.len % PAGE == 0 && db.len > 6 * PAGE);
}

static bool changed(const struct buf *old, size_t at)
{
	size_t from = at / PAGE * PAGE;

	return from >= old->len || memcmp(old->data + from, db.data + from,
		PAGE) != 0;
}

static void flip_db(size_t at)
{
	size_t n[MEETINGS];
	struct store_report r;
	struct hit h;
	bool further;

	snprintf(now, sizeof(now), "log.db changed at %zu", at);
	hits(&h, &db, at);
	further = at % 64 == 0 || is_structure(&db, at);
	db.data[at] ^= (uint8_t)(1u << at % 8);
	open_damaged(n, &r, further);
	db.data[at] ^= (uint8_t)(1u << at % 8);
	as_hit(&h, n, &r);
	store_report_free(&r);
}

static void a_database_changed_anywhere(void **state)
{
	struct buf old;

	(void)state;
	closed(&old, 1);
	for (size_t at = 0; at < db.len; at++)
		if (changed(&old, at) && tried(&db, at))
			flip_db(at);
	buf_free(&old);
	forget();
}

/* Nothing of what stands before the cut is lost. */
static void cut_hits(struct hit *h, const struct buf *b, size_t at)
{
	for (int m = 0; m < MEETINGS; m++) {
		h->first[m] = was.n[m];
		for (size_t i = was.n[m]; i-- > 0;) {
			const char *body = was.body[m][i];
			size_t n = MIN(strlen(body), 400);
			bool far = strlen(body) > n && memmem(b->data + at,
				b->len - at, body + 1000, 500);

			if (far || !memmem(b->data, at, body, n))
				h->first[m] = i;
		}
	}
}

static void a_database_cut_anywhere(void **state)
{
	struct buf old;
	size_t n[MEETINGS], whole;
	struct store_report r;
	struct hit h;

	(void)state;
	closed(&old, 1);
	whole = db.len;
	for (size_t at = PAGE; at < whole; at++) {
		if (!tried(&db, at) || !changed(&old, at))
			continue;
		snprintf(now, sizeof(now), "log.db cut to %zu", at);
		cut_hits(&h, &db, at);
		db.len = at;
		open_damaged(n, &r, at % 64 == 0);
		db.len = whole;
		for (int m = 0; m < MEETINGS; m++)
			assert_true(n[m] >= h.first[m]);
		if (memmem(db.data + at, whole - at, "\"v\":1", 6))
			assert_true(*r.damage);
		store_report_free(&r);
	}
	buf_free(&old);
	forget();
}

static int listed(void *arg, const char *meeting, bool open,
	const json_t *summary)
{
	char *text = arg;
	size_t n = strlen(text);

	snprintf(text + n, 200 - n, "%s:%s:%s ", meeting, open ? "open" :
		"ended", json_string_value(json_object_get(summary, "name")));
	return 0;
}

/* What stands beside the events is found by its shape. */
static void without_its_first_page(void **state)
{
	struct store_session v;
	struct store_report r;
	struct store *s;
	struct buf old;
	char text[200] = "";

	(void)state;
	closed(&old, 5000);
	memset(db.data, 0, PAGE);
	spill("log.db", db.data, db.len);
	s = opened(&r);
	assert_string_equal(r.damage, "log.db does not begin as a database");
	kept_aside(&r);
	assert_int_equal(was.n[0], left_of(s, 0));
	assert_int_equal(was.n[1], left_of(s, 1));
	assert_int_equal(0, r.n_losses);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(0, store_session_get(s, secret[i], &v));
		assert_string_equal(v.meeting, names[i]);
		assert_string_equal(v.name, "Ada");
		assert_true(v.created_ms == 1763802000000);
	}
	assert_int_equal(0, store_meetings(s, false, listed, text));
	assert_string_equal(text, "ada:open:meeting.created "
		"bob:ended:meeting.ended ");
	store_report_free(&r);
	goes_on(s);
	buf_free(&old);
}

/* --- Other damage -------------------------------------------------------- */

static void tamper(const char *sql)
{
	sqlite3 *other;

	assert_int_equal(SQLITE_OK, sqlite3_open(path_of("log.db"), &other));
	assert_int_equal(SQLITE_OK, sqlite3_exec(other, sql, NULL, NULL,
		NULL));
	sqlite3_close(other);
}

static void rows_that_do_not_fit(void **state)
{
	/* What each costs of ada's four events and of bob's three. */
	static const struct {
		const char *sql;
		size_t ada, bob;
		const char *damage;
	} cases[] = {
		{"update events set crc = 7 where pos = 4", 0, 0,
			"event 2 of meeting ada is damaged"},
		{"update events set prev = 7 where pos = 4", 0, 0,
			"event 2 of meeting ada is damaged"},
		{"update events set crc = 7 where meeting = 'ada' and"
		 " seq = 3", 1, 0, "event 3 of meeting ada is damaged"},
		{"update events set body = replace(body, '\"said\"', '\"sad\"')"
		 " where pos = 3", 0, 0, NULL},
		{"update events set body = replace(body, 'xxx', 'xyx')"
		 " where pos = 3", 0, 2, "event 2 of meeting bob is damaged"},
		{"delete from events where pos = 4", 2, 0,
			"event 3 of meeting ada does not continue the one "
			"before"},
		{"delete from events where pos = 1", 3, 0,
			"event 2 of meeting ada is the first"},
		{"update events set meeting = 'eve' where pos = 6", 0, 0,
			"event 3 of meeting eve is the first"},
		{"update events set seq = 9 where pos = 6", 0, 0,
			"event 9 of meeting ada does not continue the one "
			"before"},
		{"update meetings set open = 0", 0, 0,
			"after event 3 meeting ada is not what its row says"},
		{"update meetings set summary = '{' where id = 'bob'", 0, 0,
			NULL},
		{"delete from meetings", 0, 0,
			"after event 3 meeting bob is not listed"},
		{"update sessions set hash = x'00' where meeting = 'bob'", 0,
			0, "a session is damaged"},
		{"drop index sessions_of", 0, 0,
			"the tables are not those of a log"},
		{"drop table meetings", 0, 0,
			"the tables are not those of a log"},
		{"pragma user_version = 3", 0, 0,
			"log.db has no version that is"},
		{"pragma user_version = 0", 0, 0,
			"log.db has no version that is"},
		{"pragma journal_mode = delete; pragma application_id = 0", 0,
			0, ""},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		size_t n[MEETINGS];
		struct store_report r;
		struct buf old;

		closed(&old, 1);
		buf_free(&old);
		snprintf(now, sizeof(now), "%.79s", cases[i].sql);
		tamper(cases[i].sql);
		buf_free(&db);
		db = slurp("log.db");
		open_damaged(n, &r, true);
		if (cases[i].damage)
			assert_string_equal(r.damage, cases[i].damage);
		assert_int_equal(was.n[0] - n[0], cases[i].ada);
		assert_int_equal(was.n[1] - n[1], cases[i].bob);
		for (int m = 0; m < MEETINGS; m++) {
			const struct store_loss *l = loss_of(&r, m);

			/* Who deletes an event deletes what is known of it. */
			if (was.n[m] != n[m])
				assert_true(l && l->kept == n[m] && l->lost &&
					l->renew);
			else
				assert_true(!l || !l->lost);
		}
		store_report_free(&r);
		forget();
		gone(state);
		fresh(state);
	}
}

/* How many there are, which are gone then. */
static int asides(void)
{
	struct dirent *e;
	DIR *d = opendir(dir);
	int n = 0;

	while (d && (e = readdir(d)))
		if (str_starts(e->d_name, "log.db.damaged-"))
			n += unlink(path_of(e->d_name)) == 0;
	closedir(d);
	return n;
}

/* Twice in a second: both are kept. */
static void each_damaged_one_is_kept(void **state)
{
	struct store_report r;

	(void)state;
	for (int i = 0; i < 3; i++) {
		spill("log.db", "no log", 6);
		store_close(opened(&r));
		assert_true(*r.damage);
		store_report_free(&r);
	}
	assert_int_equal(3, asides());
}

static void what_is_no_log_at_all(void **state)
{
	size_t n[MEETINGS];
	struct store_report r;

	(void)state;
	for (int i = 0; i < 300; i++)
		buf_puts(&db, "this is a text of more than sixteen bytes ");
	open_damaged(n, &r, true);
	assert_string_equal(r.damage, "log.db does not begin as a database");
	assert_true(n[0] == 0 && n[1] == 0 && r.n_losses == 0);
	store_report_free(&r);
}

/* All that was ever written may still stand in the WAL. */
static void a_wal_without_its_database(void **state)
{
	size_t n[MEETINGS];
	struct store_report r;

	(void)state;
	killed(6000);
	buf_clear(&db);
	open_damaged(n, &r, true);
	assert_string_equal(r.damage, "log.db does not begin as a database");
	assert_int_equal(n[0], was.n[0]);
	assert_int_equal(n[1], was.n[1]);
	store_report_free(&r);
}

/* A crash between any two steps of a salvage costs nothing. */
static void a_salvage_that_was_interrupted(void **state)
{
	struct store_report r;
	struct buf good;
	struct store *s;

	(void)state;
	closed(&good, 1);
	buf_free(&good);
	good = db;
	for (int at = 0; at < 3; at++) {
		spill("log.db.new", "half", 4);
		spill("log.db.salvaged", good.data, good.len);
		if (at < 1)
			spill("log.db-wal", "the damaged log", 15);
		if (at < 2)
			spill("log.db", "the damaged database", 20);
		else
			unlink(path_of("log.db"));
		spill("log.db-shm", "shared", 6);
		s = opened(&r);
		assert_string_equal(r.damage, "");
		assert_int_equal(2 - at, asides());
		assert_int_equal(was.n[0], left_of(s, 0));
		assert_int_equal(was.n[1], left_of(s, 1));
		assert_false(there("log.db.new") || there("log.db.salvaged"));
		store_report_free(&r);
		store_close(s);
	}
}

static void damage_met_while_running_is_for_the_next_start(void **state)
{
	struct store *s = opened(NULL);
	struct store_report r;
	struct left l = {0};

	(void)state;
	begin(s);
	assert_false(there("log.check"));
	tamper("update events set crc = 7 where pos = 2");
	l.m = 1;
	assert_int_equal(-EBADMSG, store_read(s, "bob", 0, UINT64_MAX, same,
		&l));
	assert_true(there("log.check"));
	store_close(s);
	s = opened(&r);
	assert_string_equal(r.damage, "event 1 of meeting bob is damaged");
	assert_int_equal(2, left_of(s, 1));
	assert_false(there("log.check"));
	store_report_free(&r);
	store_close(s);
}

#define T(f) cmocka_unit_test_setup_teardown(f, fresh, over)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_wal_cut_anywhere),
		T(a_wal_changed_anywhere),
		T(a_wal_with_a_long_text),
		T(a_database_changed_anywhere),
		T(a_database_cut_anywhere),
		T(without_its_first_page),
		T(rows_that_do_not_fit),
		T(each_damaged_one_is_kept),
		T(what_is_no_log_at_all),
		T(a_wal_without_its_database),
		T(a_salvage_that_was_interrupted),
		T(damage_met_while_running_is_for_the_next_start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
