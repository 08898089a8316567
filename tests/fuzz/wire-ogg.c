/* Ogg Opus: checksums are mended first, so that what is behind them is
 * reached. Fed in pieces it gives what it gives in one; granules grow; what
 * is written from it reads back alike. The first byte is the size of the
 * pieces. */
#include "wire.h"

#include <ogg/ogg.h>

#include "base.h"
#include "fuzz.h"

struct seen {
	unsigned heads, packets;
	uint64_t sum;
	int end;
	struct buf again;
};

static void mend(uint8_t *p, size_t n)
{
	for (size_t at = 0; at + 27 <= n; at++) {
		size_t segments, body = 0;
		ogg_page pg;

		if (memcmp(p + at, "OggS", 4))
			continue;
		segments = p[at + 26];
		if (at + 27 + segments > n)
			continue;
		for (size_t i = 0; i < segments; i++)
			body += p[at + 27 + i];
		if (at + 27 + segments + body > n)
			continue;
		pg = (ogg_page){.header = p + at,
			.header_len = (long)(27 + segments),
			.body = p + at + 27 + segments,
			.body_len = (long)body};
		ogg_page_checksum_set(&pg);
	}
}

static void one(struct seen *s, const struct oggopus_packet *k,
	uint64_t *granule, struct oggopus_writer *w)
{
	s->packets++;
	CHECK(k->samples >= OPUSTOC_MIN_SAMPLES);
	CHECK(k->samples <= OPUSTOC_MAX_SAMPLES);
	CHECK(k->trim <= k->samples);
	CHECK(k->granule >= *granule || k->trim);
	*granule = k->trim ? 0 : k->granule;
	CHECK(opustoc_samples(k->data, k->len) == (int)k->samples);
	touch(k->data, k->len);
	s->sum = s->sum * 31 + k->len + k->granule + k->trim + k->gap;
	if (w)
		CHECK(!oggopus_write(w, k->data, k->len, &s->again));
}

static struct seen read_in(const uint8_t *p, size_t n, size_t piece,
	bool write)
{
	struct oggopus_head h = {.channels = 2};
	struct oggopus_reader *r = oggopus_reader_new();
	struct oggopus_writer *w = write ? oggopus_writer_new(1, &h, 1920)
					 : NULL;
	struct seen s = {0};
	struct oggopus_packet k;
	uint64_t granule = 0;
	int what;

	if (w)
		CHECK(!oggopus_write_heads(w, &s.again));
	for (size_t at = 0; at < n; at += piece) {
		CHECK(!oggopus_feed(r, p + at, MIN(piece, n - at)));
		while ((what = oggopus_next(r, &k)) > 0) {
			if (what == OGGOPUS_PACKET) {
				one(&s, &k, &granule, w);
				continue;
			}
			s.heads++;
			granule = 0;
			CHECK(oggopus_head(r)->channels);
		}
	}
	s.end = oggopus_end(r);
	CHECK(oggopus_skipped(r) <= n);
	if (w)
		CHECK(!oggopus_finish(w, 0, &s.again));
	oggopus_writer_free(w);
	oggopus_reader_free(r);
	return s;
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct seen a, b, c;
	uint8_t *copy;

	if (n < 2)
		return 0;
	copy = malloc(n - 1);
	memcpy(copy, p + 1, n - 1);
	mend(copy, n - 1);
	a = read_in(copy, n - 1, n, true);
	b = read_in(copy, n - 1, p[0] + 1u, false);
	CHECK(a.heads == b.heads && a.packets == b.packets);
	CHECK(a.sum == b.sum && a.end == b.end);
	c = read_in(a.again.data, a.again.len, 999, false);
	CHECK(c.heads == 1 && c.packets == a.packets);
	CHECK(c.end == (a.packets ? 0 : -ENODATA));
	free(copy);
	buf_free(&a.again);
	return 0;
}
