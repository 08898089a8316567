/* VP8 frames in RTP payloads. */
#include "wire.h"

#include "base.h"
#include "hex.h"

static void one_payload(void **state)
{
	static const uint8_t frame[] = {0x11, 1, 2};
	struct vp8 ids = {0};
	struct vp8pack k;
	uint8_t out[16];
	bool last;
	size_t n;

	(void)state;
	assert_int_equal(vp8pack_open(&k, frame, 3, 16, &ids), 0);
	n = vp8pack_next(&k, out, &last);
	assert_bytes(out, n, "10 11 01 02");
	assert_true(last);
	assert_int_equal(vp8pack_next(&k, out, &last), 0);
	assert_false(last);
}

/* Seven bytes into payloads of at most 3 behind the descriptor of 4: three
 * of 3, 2 and 2 bytes, not 3, 3 and 1. */
static void even_payloads(void **state)
{
	static const uint8_t frame[] = {0x10, 1, 2, 3, 4, 5, 6};
	struct vp8 ids = {.has_picture_id = true, .picture_id_15 = true,
		.picture_id = 0x102};
	struct vp8pack k;
	uint8_t out[7];
	bool last;
	size_t n;

	(void)state;
	assert_int_equal(vp8pack_open(&k, frame, 7, 7, &ids), 0);
	n = vp8pack_next(&k, out, &last);
	assert_bytes(out, n, "90 80 81 02 | 10 01 02");
	assert_false(last);
	n = vp8pack_next(&k, out, &last);
	assert_bytes(out, n, "80 80 81 02 | 03 04");
	assert_false(last);
	n = vp8pack_next(&k, out, &last);
	assert_bytes(out, n, "80 80 81 02 | 05 06");
	assert_true(last);
	assert_int_equal(vp8pack_next(&k, out, &last), 0);
}

static void refused(void **state)
{
	static const uint8_t frame[] = {0x11};
	struct vp8 ids = {.has_picture_id = true, .picture_id = 0x80};
	struct vp8pack k;

	(void)state;
	assert_int_equal(vp8pack_open(&k, frame, 1, 100, &ids), -EINVAL);
	ids = (struct vp8){0};
	assert_int_equal(vp8pack_open(&k, frame, 1, 1, &ids), -EINVAL);
	assert_int_equal(vp8pack_open(&k, frame, 0, 100, &ids), -EINVAL);
	assert_int_equal(vp8pack_open(&k, frame, 1, 2, &ids), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_payload),
		cmocka_unit_test(even_payloads),
		cmocka_unit_test(refused),
	};
	return cmocka_run_group_tests_name("wire-vp8pack", tests, NULL, NULL);
}
