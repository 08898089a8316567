/* Opening a log of which anything may be left: it opens, unless it claims to
 * be of a newer program; then it reads, goes on, and opens again as sound.
 * The first byte chooses: the rest is log.db; the rest is the WAL beside a
 * sound log.db; or the rest changes sound files, 6 bytes for each change. */
#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>
#include "fuzz.h"
#include "store.h"

static char dir[64];
static struct buf db, wal; /* as of a kill */

static const char *path_of(const char *name)
{
	static char path[400];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static void empty(void)
{
	struct dirent *e;
	DIR *d = opendir(dir);

	while (d && (e = readdir(d)))
		unlink(path_of(e->d_name));
	if (d)
		closedir(d);
}

static void end(void)
{
	empty();
	rmdir(dir);
	buf_free(&db);
	buf_free(&wal);
}

static void spill(const char *name, const uint8_t *p, size_t n)
{
	int fd = open(path_of(name), O_WRONLY | O_CREAT | O_TRUNC, 0600);

	CHECK(fd >= 0);
	CHECK(write(fd, p, n) == (ssize_t)n);
	close(fd);
}

static void slurp(const char *name, struct buf *b)
{
	uint8_t chunk[4096];
	int fd = open(path_of(name), O_RDONLY);
	ssize_t n;

	CHECK(fd >= 0);
	while ((n = read(fd, chunk, sizeof(chunk))) > 0)
		buf_put(b, chunk, (size_t)n);
	close(fd);
}

static struct store *opened(struct store_report *r)
{
	struct store *s;
	char why[256];
	int err = store_open(&s, dir, STORE_NORMAL, r, why);

	if (err)
		fprintf(stderr, "%s\n", why);
	CHECK(!err);
	return s;
}

static void say(struct store *s, const char *meeting, const char *type,
	size_t n)
{
	uint64_t seq = store_last_seq(s, meeting);
	char *text = calloc(1, n + 1);
	json_t *a;
	int err;

	CHECK(text);
	memset(text, 'x', n);
	a = json_pack("[{s:i,s:I,s:i,s:s,s:s,s:{s:s}}]", "v", 1, "seq",
		(json_int_t)seq + 1, "pos", 0, "meeting", meeting, "type",
		type, "data", "text", text);
	err = store_append(s, meeting, seq, a, STORE_OTHER);
	if (err)
		fprintf(stderr, "%s\n", store_error(s));
	CHECK(!err);
	json_decref(a);
	free(text);
	if (strncmp(type, "meeting", 7) == 0)
		CHECK(store_meeting_put(s, meeting, true, json_pack("{s:s}",
			"id", meeting)) == 0);
	CHECK(store_commit(s) == 0);
}

static void make(void)
{
	struct store_session v = {.user = "u_a", .meeting = "a", .link = "l",
		.role = "viewer", .name = "Ada"};
	uint8_t hash[STORE_HASH] = {1};
	struct store *s;

	str_copy(dir, sizeof(dir), access("/dev/shm", W_OK) ?
		"/tmp/store-XXXXXX" : "/dev/shm/store-XXXXXX");
	CHECK(mkdtemp(dir));
	atexit(end);
	s = opened(NULL);
	say(s, "a", "meeting.created", 10);
	say(s, "a", "chat.said", 6000);
	say(s, "b", "meeting.created", 10);
	store_close(s);
	s = opened(NULL);
	say(s, "a", "chat.said", 10);
	CHECK(store_session_put(s, hash, &v) == 0);
	say(s, "b", "chat.said", 5000);
	slurp("log.db", &db);
	slurp("log.db-wal", &wal);
	store_close(s);
}

/* file and kind, where (3 bytes), how much, value */
static void change(struct buf *d, struct buf *w, const uint8_t op[6])
{
	struct buf *b = op[0] & 1 ? w : d;
	size_t at = (size_t)op[1] << 16 | (size_t)op[2] << 8 | op[3];
	size_t n = op[4];

	if (!b->len)
		return;
	at %= b->len;
	n = n < b->len - at ? n : b->len - at;
	switch (op[0] / 2 % 4) {
	case 0: b->data[at] = op[5]; break;
	case 1: b->data[at] ^= (uint8_t)(1u << op[5] % 8); break;
	case 2: memset(b->data + at, op[5], n); break;
	case 3: b->len = op[5] & 1 ? at : b->len; break;
	}
}

static void put_files(const uint8_t *p, size_t n)
{
	struct buf d = {0}, w = {0};

	buf_put(&d, db.data, db.len);
	buf_put(&w, wal.data, wal.len);
	for (size_t i = 1; p[0] % 4 >= 2 && i + 6 <= n; i += 6)
		change(&d, &w, p + i);
	empty();
	if (p[0] % 4 == 0)
		spill("log.db", p + 1, n - 1);
	else
		spill("log.db", d.data, d.len);
	if (p[0] % 4 == 1)
		spill("log.db-wal", p + 1, n - 1);
	else if (p[0] % 4 > 1)
		spill("log.db-wal", w.data, w.len);
	buf_free(&d);
	buf_free(&w);
}

static int look(void *arg, const struct store_event *e)
{
	CHECK(e->seq == ++*(uint64_t *)arg);
	touch(e->body, e->n);
	return 0;
}

static int listed(void *arg, const char *meeting, bool open,
	const json_t *summary)
{
	(void)open;
	CHECK(json_is_object(summary));
	*(unsigned *)arg |= 1u << (meeting[0] & 7);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	uint64_t last[2] = {0}, again;
	struct store_report r = {0};
	unsigned meetings = 0;
	struct store *s;
	char why[256];
	int err;

	if (!*dir)
		make();
	if (!n)
		return 0;
	put_files(p, n);
	err = store_open(&s, dir, STORE_NORMAL, &r, why);
	for (size_t i = 0; i < r.n_losses; i++)
		CHECK(str_is_meeting_id(r.losses[i].meeting));
	store_report_free(&r);
	if (err == -EPROTONOSUPPORT)
		return 0;
	CHECK(!err);
	for (int i = 0; i < 2; i++)
		CHECK(store_read(s, i ? "b" : "a", 0, UINT64_MAX, look,
			&last[i]) == 0);
	CHECK(store_meetings(s, false, listed, &meetings) == 0);
	say(s, "a", "chat.said", 20);
	store_close(s);
	s = opened(&r);
	CHECK(!*r.damage && !r.torn && !r.n_losses);
	again = 0;
	CHECK(store_read(s, "a", 0, UINT64_MAX, look, &again) == 0);
	CHECK(again == last[0] + 1);
	store_close(s);
	return 0;
}
