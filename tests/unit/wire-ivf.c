/* IVF: known bytes both ways, bytes one by one, chained and broken input. */
#include "wire.h"

#include "base.h"
#include "hex.h"
#include "oom.h"

/* VP80, 320 x 240, 30 ticks a second. */
#define HEAD                                                     \
	"44 4b 49 46 | 00 00 | 20 00 | 56 50 38 30 | 40 01 | "   \
	"f0 00 | 1e 00 00 00 | 01 00 00 00 | 00 00 00 00 | "     \
	"00 00 00 00"
#define FRAME_0 "03 00 00 00 | 00 00 00 00 00 00 00 00 | 10 02 00"
#define FRAME_7 "02 00 00 00 | 07 00 00 00 00 00 00 00 | 11 aa"
#define EMPTY   "00 00 00 00 | 08 00 00 00 00 00 00 00"

static void feed(struct ivf_reader *r, const char *s)
{
	size_t n;
	uint8_t *p = hex(s, &n);

	assert_int_equal(ivf_feed(r, p, n), 0);
	free(p);
}

static void known_file(void **state)
{
	struct ivf_reader r = {0};
	struct ivf_frame f;

	(void)state;
	feed(&r, HEAD FRAME_0 FRAME_7 EMPTY);
	assert_int_equal(ivf_next(&r, &f), IVF_HEAD);
	assert_string_equal(r.head.fourcc, "VP80");
	assert_int_equal(r.head.width, 320);
	assert_int_equal(r.head.height, 240);
	assert_int_equal(r.head.rate, 30);
	assert_int_equal(r.head.scale, 1);
	assert_int_equal(r.head.frames, 0);
	assert_int_equal(ivf_next(&r, &f), IVF_FRAME);
	assert_bytes(f.data, f.len, "10 02 00");
	assert_int_equal(f.pts, 0);
	assert_int_equal(ivf_next(&r, &f), IVF_FRAME);
	assert_bytes(f.data, f.len, "11 aa");
	assert_int_equal(f.pts, 7);
	assert_int_equal(ivf_next(&r, &f), IVF_FRAME);
	assert_int_equal(f.len, 0);
	assert_int_equal(f.pts, 8);
	assert_int_equal(ivf_next(&r, &f), IVF_MORE);
	assert_int_equal(ivf_end(&r), 0);
	ivf_free(&r);
}

static void byte_by_byte(void **state)
{
	size_t n, frames = 0, heads = 0;
	uint8_t *p = hex(HEAD FRAME_0 FRAME_7, &n);
	struct ivf_reader r = {0};
	struct ivf_frame f;

	(void)state;
	for (size_t i = 0; i < n; i++) {
		int what;

		assert_int_equal(ivf_feed(&r, p + i, 1), 0);
		while ((what = ivf_next(&r, &f)) != IVF_MORE) {
			heads += what == IVF_HEAD;
			frames += what == IVF_FRAME;
		}
		/* Whole only after the head and after each frame. */
		assert_int_equal(ivf_end(&r),
			i == 31 || i == 46 || i == 60 ? 0 : -ENODATA);
	}
	assert_int_equal(heads, 1);
	assert_int_equal(frames, 2);
	ivf_free(&r);
	free(p);
}

/* cat a.ivf b.ivf, the second of another size and with a longer header. */
static void chained(void **state)
{
	struct ivf_reader r = {0};
	struct ivf_frame f;

	(void)state;
	feed(&r, HEAD FRAME_7
		"44 4b 49 46 00 00 24 00 56 50 39 30 80 02 68 01"
		"90 5f 01 00 e8 03 00 00 05 00 00 00 00 00 00 00 ee ee ee ee"
		FRAME_0);
	assert_int_equal(ivf_next(&r, &f), IVF_HEAD);
	assert_int_equal(ivf_next(&r, &f), IVF_FRAME);
	assert_int_equal(ivf_next(&r, &f), IVF_HEAD);
	assert_string_equal(r.head.fourcc, "VP90");
	assert_int_equal(r.head.width, 640);
	assert_int_equal(r.head.height, 360);
	assert_int_equal(r.head.rate, 90000);
	assert_int_equal(r.head.scale, 1000);
	assert_int_equal(r.head.frames, 5);
	assert_int_equal(ivf_next(&r, &f), IVF_FRAME);
	assert_bytes(f.data, f.len, "10 02 00");
	assert_int_equal(ivf_end(&r), 0);
	ivf_free(&r);
}

static void malformed(void **state)
{
	static const struct {
		const char *bytes;
		int err;
	} bad[] = {
		{"44 4b 49 47", -EBADMSG},
		{"00", -EBADMSG},
		{"4f 67 67 53", -EBADMSG},
		/* Version 1; a header of 31 bytes; of 2,000; rate 0; scale 0;
		 * a NUL in the fourcc. */
		{"444b4946 0100 2000 56503830 4001 f000 1e000000 01000000"
		 "00000000 00000000", -EBADMSG},
		{"444b4946 0000 1f00 56503830 4001 f000 1e000000 01000000"
		 "00000000 00000000", -EBADMSG},
		{"444b4946 0000 d007 56503830 4001 f000 1e000000 01000000"
		 "00000000 00000000", -EBADMSG},
		{"444b4946 0000 2000 56503830 4001 f000 00000000 01000000"
		 "00000000 00000000", -EBADMSG},
		{"444b4946 0000 2000 56503830 4001 f000 1e000000 00000000"
		 "00000000 00000000", -EBADMSG},
		{"444b4946 0000 2000 56503800 4001 f000 1e000000 01000000"
		 "00000000 00000000", -EBADMSG},
		/* A frame of 8 MiB and a byte: its size alone says so. */
		{HEAD "01 00 80 00", -EMSGSIZE},
		{HEAD "ff ff ff ff", -EMSGSIZE},
	};
	struct ivf_frame f;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct ivf_reader r = {0};
		int rc;

		feed(&r, bad[i].bytes);
		do
			rc = ivf_next(&r, &f);
		while (rc > 0);
		assert_int_equal(rc, bad[i].err);
		feed(&r, HEAD);
		assert_int_equal(ivf_next(&r, &f), bad[i].err);
		assert_int_equal(ivf_end(&r), bad[i].err);
		ivf_free(&r);
	}
}

static void truncated(void **state)
{
	static const char *const cut[] = {"", "44", HEAD "00", HEAD "03 00 00",
		HEAD FRAME_0 "02 00 00 00 07 00 00 00 00 00 00 00 11"};
	struct ivf_frame f;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cut); i++) {
		struct ivf_reader r = {0};
		int rc;

		feed(&r, cut[i]);
		do
			rc = ivf_next(&r, &f);
		while (rc > 0);
		assert_int_equal(rc, IVF_MORE);
		assert_int_equal(ivf_end(&r), -ENODATA);
		ivf_free(&r);
	}
}

static void writing(void **state)
{
	struct ivf_head h = {.fourcc = "VP80", .width = 320, .height = 240,
		.rate = 30, .scale = 1};
	struct buf b = {0};

	(void)state;
	assert_int_equal(ivf_write_head(&b, &h), 0);
	assert_int_equal(ivf_write_frame(&b, "\x10\x02", 3, 0), 0);
	assert_int_equal(ivf_write_frame(&b, "\x11\xaa", 2, 7), 0);
	assert_bytes(b.data, b.len, HEAD FRAME_0 FRAME_7);
	assert_int_equal(ivf_write_frame(&b, "", IVF_MAX_FRAME + 1, 0),
		-EMSGSIZE);
	h.rate = 0;
	assert_int_equal(ivf_write_head(&b, &h), -EINVAL);
	h = (struct ivf_head){.fourcc = "VP8", .rate = 30, .scale = 1};
	assert_int_equal(ivf_write_head(&b, &h), -EINVAL);
	assert_bytes(b.data, b.len, HEAD FRAME_0 FRAME_7);
	buf_free(&b);
}

static int copy_short_of_memory(void *arg)
{
	struct ivf_reader r = {0};
	struct buf b = {0};
	struct ivf_frame f;
	size_t n;
	uint8_t *p = arg;
	int rc = 0;

	n = 61;
	for (size_t i = 0; i < n && !rc; i += 20) {
		rc = ivf_feed(&r, p + i, MIN(n - i, (size_t)20));
		while (!rc && ivf_next(&r, &f) == IVF_FRAME)
			rc = ivf_write_frame(&b, f.data, f.len, f.pts);
	}
	ivf_free(&r);
	buf_free(&b);
	return rc;
}

static void out_of_memory(void **state)
{
	size_t n;
	uint8_t *p = hex(HEAD FRAME_0 FRAME_7, &n);

	(void)state;
	assert_int_equal(n, 61);
	assert_true(oom_ladder(copy_short_of_memory, p) >= 2);
	free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_file),
		cmocka_unit_test(byte_by_byte),
		cmocka_unit_test(chained),
		cmocka_unit_test(malformed),
		cmocka_unit_test(truncated),
		cmocka_unit_test(writing),
		cmocka_unit_test(out_of_memory),
	};
	return cmocka_run_group_tests_name("wire-ivf", tests, NULL, NULL);
}
