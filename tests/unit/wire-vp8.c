/* The VP8 payload descriptor. */
#include "wire.h"

#include "base.h"
#include "hex.h"

static int parse(const char *s, struct vp8 *v)
{
	size_t n;
	uint8_t *p = hex(s, &n);
	int rc = vp8_parse(v, p, n);
	free(p);
	return rc;
}

/* A key frame's first ten bytes: 640 × 360, both scaling bits set. */
#define KEY "10 02 00 9d 01 2a 80 c2 68 41"

static void key_frame(void **state)
{
	struct vp8 v;
	(void)state;
	/* As Chromium sends it: X S | I L T K | 15-bit id | TL0 | TID Y KEY */
	assert_int_equal(parse("90 f0 81 02 07 25 | " KEY, &v), 0);
	assert_int_equal(v.header_len, 6);
	assert_true(v.start);
	assert_int_equal(v.partition, 0);
	assert_true(v.has_picture_id);
	assert_true(v.picture_id_15);
	assert_int_equal(v.picture_id, 0x102);
	assert_int_equal(v.picture_id_at, 2);
	assert_int_equal(v.tl0picidx, 7);
	assert_int_equal(v.tl0picidx_at, 4);
	assert_true(v.has_tid);
	assert_int_equal(v.tid, 0);
	assert_true(v.layer_sync);
	assert_true(v.has_keyidx);
	assert_int_equal(v.keyidx, 5);
	assert_true(v.frame_start);
	assert_true(v.key);
	assert_int_equal(v.width, 640);
	assert_int_equal(v.height, 360);
}

static void delta_frames(void **state)
{
	struct vp8 v;
	(void)state;
	/* No extension; P bit set; one byte of payload is enough. */
	assert_int_equal(parse("10 | 11", &v), 0);
	assert_true(v.frame_start);
	assert_false(v.key);
	assert_false(v.has_picture_id);
	/* A later partition, and the middle of the first, tell nothing. */
	assert_int_equal(parse("12 | 10", &v), 0);
	assert_true(v.start);
	assert_int_equal(v.partition, 2);
	assert_false(v.frame_start);
	assert_false(v.key);
	assert_int_equal(parse("00 | 10", &v), 0);
	assert_false(v.frame_start);
	/* N, a 7-bit id, and T without K: the low bits mean nothing. */
	assert_int_equal(parse("b0 a0 7f df | 11", &v), 0);
	assert_true(v.non_reference);
	assert_false(v.picture_id_15);
	assert_int_equal(v.picture_id, 127);
	assert_false(v.has_tl0picidx);
	assert_true(v.has_tid);
	assert_int_equal(v.tid, 3);
	assert_false(v.layer_sync);
	assert_false(v.has_keyidx);
	assert_int_equal(v.keyidx, 0);
	assert_int_equal(v.header_len, 4);
	/* The extension byte may announce nothing. */
	assert_int_equal(parse("90 00 | 11", &v), 0);
	assert_int_equal(v.header_len, 2);
}

static void malformed(void **state)
{
	static const char *const bad[] = {
		"", "10", "90", "90 80", "90 80 81", "90 80 81 02", "90 c0 01",
		"90 40", "90 20", "90 10", "90 f0 81 02 07 25",
		"10 10", "10 10 02 00 9d 01 2a 80 c2 68", /* head cut off */
		"10 10 02 00 9d 01 2b 80 c2 68 41",       /* start code */
		"10 10 02 00 9d 01 2a 00 c0 68 41",       /* width 0 */
		"10 10 02 00 9d 01 2a 80 c2 00 40",       /* height 0 */
	};
	struct vp8 v;
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(parse(bad[i], &v), -EBADMSG);
}

static void rewriting(void **state)
{
	size_t n;
	struct vp8 v;
	uint8_t *p = hex("90 f0 81 02 07 25 | " KEY, &n);
	(void)state;
	assert_int_equal(vp8_parse(&v, p, n), 0);
	vp8_set_picture_id(p, &v, 0x7fff);
	vp8_set_tl0picidx(p, &v, 255);
	assert_bytes(p, n, "90 f0 ff ff ff 25 | " KEY);
	vp8_set_picture_id(p, &v, 0x8000); /* wraps to 0 */
	assert_bytes(p, 6, "90 f0 80 00 ff 25");
	free(p);
	p = hex("90 80 05 | 11", &n);
	assert_int_equal(vp8_parse(&v, p, n), 0);
	vp8_set_picture_id(p, &v, 0x181);
	vp8_set_tl0picidx(p, &v, 9);
	assert_bytes(p, n, "90 80 01 11");
	free(p);
	p = hex("10 11", &n);
	assert_int_equal(vp8_parse(&v, p, n), 0);
	vp8_set_picture_id(p, &v, 9);
	vp8_set_tl0picidx(p, &v, 9);
	assert_bytes(p, n, "10 11");
	free(p);
}

static void writing(void **state)
{
	uint8_t out[VP8_MAX_HEADER];
	struct vp8 v = {.start = true, .has_picture_id = true,
		.picture_id_15 = true, .picture_id = 0x102,
		.has_tl0picidx = true, .tl0picidx = 7, .has_tid = true,
		.layer_sync = true, .has_keyidx = true, .keyidx = 5};
	(void)state;
	assert_int_equal(vp8_write(out, sizeof(out), &v), 6);
	assert_bytes(out, 6, "90 f0 81 02 07 25");
	assert_int_equal(vp8_write(out, 5, &v), -ENOBUFS);
	v.picture_id = 0x8000;
	assert_int_equal(vp8_write(out, sizeof(out), &v), -EINVAL);
	v = (struct vp8){.non_reference = true, .partition = 7};
	assert_int_equal(vp8_write(out, sizeof(out), &v), 1);
	assert_bytes(out, 1, "27");
	v = (struct vp8){.has_picture_id = true, .picture_id = 127,
		.has_tid = true, .tid = 3};
	assert_int_equal(vp8_write(out, sizeof(out), &v), 4);
	assert_bytes(out, 4, "80 a0 7f c0");
	v.picture_id = 128;
	assert_int_equal(vp8_write(out, sizeof(out), &v), -EINVAL);
	v = (struct vp8){.partition = 8};
	assert_int_equal(vp8_write(out, sizeof(out), &v), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(key_frame),
		cmocka_unit_test(delta_frames),
		cmocka_unit_test(malformed),
		cmocka_unit_test(rewriting),
		cmocka_unit_test(writing),
	};
	return cmocka_run_group_tests_name("wire-vp8", tests, NULL, NULL);
}
