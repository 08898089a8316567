/* IVF fed in pieces gives what it gives in one, and what is written from it
 * reads back alike. The first byte is the size of the pieces. */
#include "wire.h"

#include "base.h"
#include "fuzz.h"

struct seen {
	unsigned heads, frames;
	uint64_t sum; /* of sizes, times and bytes */
	int end;
	struct buf again;
};

static void all(struct ivf_reader *r, struct seen *s)
{
	struct ivf_frame f;
	int what;

	while ((what = ivf_next(r, &f)) > 0) {
		if (what == IVF_HEAD) {
			s->heads++;
			CHECK(!ivf_write_head(&s->again, &r->head));
			continue;
		}
		s->frames++;
		CHECK(f.len <= IVF_MAX_FRAME);
		touch(f.data, f.len);
		s->sum = s->sum * 31 + f.pts + f.len;
		for (size_t i = 0; i < f.len; i++)
			s->sum = s->sum * 31 + f.data[i];
		CHECK(!ivf_write_frame(&s->again, f.data, f.len, f.pts));
	}
}

static struct seen read_in(const uint8_t *p, size_t n, size_t piece)
{
	struct ivf_reader r = {0};
	struct seen s = {0};

	for (size_t at = 0; at < n; at += piece) {
		CHECK(!ivf_feed(&r, p + at, MIN(piece, n - at)));
		all(&r, &s);
	}
	s.end = ivf_end(&r);
	ivf_free(&r);
	return s;
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct seen a, b, c;

	if (n < 2)
		return 0;
	a = read_in(p + 1, n - 1, n);
	b = read_in(p + 1, n - 1, p[0] + 1u);
	CHECK(a.heads == b.heads && a.frames == b.frames);
	CHECK(a.sum == b.sum && a.end == b.end);
	c = read_in(a.again.data, a.again.len, 64);
	CHECK(c.heads == a.heads && c.frames == a.frames && c.sum == a.sum);
	CHECK(c.end == (a.heads ? 0 : -ENODATA));
	buf_free(&a.again);
	buf_free(&b.again);
	buf_free(&c.again);
	return 0;
}
