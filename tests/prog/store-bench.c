/* store-bench DIR KIND BATCH EVENTS - events per second through the log, one
 * transaction for each BATCH of them. KIND: full and normal are the log in
 * that mode; sync and write are the same bytes by write(2) alone, with and
 * without fdatasync(2) after each batch: what the disk itself allows.
 * Prints KIND BATCH EVENTS SECONDS PER-SECOND P50 P99, TAB between; the last
 * two are of a batch, from having it to its being written, in us. */
#include <fcntl.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>
#include "store.h"

static double *took_s; /* by each batch */
static size_t n_took;

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static json_t *batch_of(uint64_t seq, unsigned n)
{
	json_t *a = json_array();

	for (unsigned i = 0; i < n; i++)
		json_array_append_new(a, json_pack(
			"{s:i,s:I,s:i,s:s,s:s,s:s,s:s,s:{s:s,s:s}}",
			"v", 1, "seq", (json_int_t)(seq + 1 + i), "pos", 0,
			"time", "2026-11-22T09:00:00.123Z",
			"meeting", "bench", "type", "chat.said",
			"actor", "user:u_adaaaaaaaaaaaaaaaaaaaaaaaa", "data",
			"text", "a line of chat of some sixty bytes, as "
				"people write them", "name", "Ada"));
	return a;
}

static int die(const char *what)
{
	fprintf(stderr, "store-bench: %s\n", what);
	return 3;
}

static int by_time(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double percentile_us(unsigned p)
{
	return took_s[(n_took - 1) * p / 100] * 1e6;
}

static int log_events(const char *dir, bool full, unsigned batch,
	uint64_t events)
{
	struct store *s;
	char why[256];
	int err;

	err = store_open(&s, dir, full ? STORE_FULL : STORE_NORMAL, NULL,
		why);
	if (err)
		return die(why);
	for (uint64_t seq = 0; seq < events && !err; seq += batch) {
		json_t *a = batch_of(seq, batch);
		double began = now_s();

		err = store_append(s, "bench", seq, a, STORE_OTHER);
		if (!err)
			err = store_commit(s);
		took_s[n_took++] = now_s() - began;
		json_decref(a);
	}
	if (err)
		die(store_error(s));
	store_close(s);
	return err ? 3 : 0;
}

static int write_events(const char *dir, bool sync, unsigned batch,
	uint64_t events)
{
	struct buf b = {0};
	char path[4096];
	int fd, err = 0;

	snprintf(path, sizeof(path), "%s/raw", dir);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return die("cannot open the raw file");
	for (uint64_t seq = 0; seq < events && !err; seq += batch) {
		json_t *a = batch_of(seq, batch), *e;
		double began = now_s();
		size_t i;

		buf_clear(&b);
		json_array_foreach(a, i, e)
			err |= json_write(e, &b);
		json_decref(a);
		if (err || write(fd, b.data, b.len) != (ssize_t)b.len ||
			(sync && fdatasync(fd)))
			err = 3;
		took_s[n_took++] = now_s() - began;
	}
	close(fd);
	buf_free(&b);
	return err ? die("cannot write the raw file") : 0;
}

int main(int argc, char **argv)
{
	uint64_t batch, events;
	double took;
	int err;

	if (argc != 5 || str_u64(argv[3], 1, 4096, &batch) ||
		str_u64(argv[4], 1, 100000000, &events)) {
		fputs("usage: store-bench DIR full|normal|sync|write BATCH "
		      "EVENTS\n", stderr);
		return 2;
	}
	events -= events % batch;
	took_s = calloc(events / batch + 1, sizeof(*took_s));
	if (!took_s || !events)
		return die("too many events, or fewer than a batch");
	took = now_s();
	if (str_eq(argv[2], "full") || str_eq(argv[2], "normal"))
		err = log_events(argv[1], argv[2][0] == 'f', (unsigned)batch,
			events);
	else
		err = write_events(argv[1], argv[2][0] == 's',
			(unsigned)batch, events);
	took = now_s() - took;
	if (err)
		return err;
	qsort(took_s, n_took, sizeof(*took_s), by_time);
	printf("%s\t%u\t%" PRIu64 "\t%.3f\t%.0f\t%.1f\t%.1f\n", argv[2],
		(unsigned)batch, events, took, (double)events / took,
		percentile_us(50), percentile_us(99));
	free(took_s);
	return 0;
}
