/* Buffers, readers, strings, numbers, ids and times against literals. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base.h"

static void buffer_grows_and_consumes(void **state)
{
	struct buf b = {0};

	(void)state;
	buf_u8(&b, 1);
	buf_u16(&b, 0x0203);
	buf_u24(&b, 0x040506);
	buf_u32(&b, 0x0708090a);
	buf_u64(&b, UINT64_C(0x0b0c0d0e0f101112));
	assert_int_equal(b.len, 18);
	for (unsigned i = 0; i < 18; i++)
		assert_int_equal(b.data[i], i + 1);
	buf_consume(&b, 16);
	assert_int_equal(b.len, 2);
	assert_int_equal(b.data[0], 17);
	buf_printf(&b, "%s-%d", "x", 7);
	assert_string_equal(buf_cstr(&b), "\x11\x12x-7");
	buf_free(&b);
	assert_null(b.data);
}

static void reader_stops_at_the_end(void **state)
{
	static const uint8_t p[] = {1, 2, 3, 4, 5};
	struct rd r = rd_of(p, sizeof(p));

	(void)state;
	assert_int_equal(rd_u24(&r), 0x010203);
	assert_int_equal(rd_u32(&r), 0);
	assert_true(r.bad);
	assert_int_equal(rd_left(&r), 2);
	r = rd_of(NULL, 0);
	assert_int_equal(rd_u8(&r), 0);
	assert_true(r.bad);
}

static void numbers_are_whole_and_in_range(void **state)
{
	uint64_t u;
	int64_t i;

	(void)state;
	assert_int_equal(str_u64("18446744073709551615", 0, UINT64_MAX, &u),
		0);
	assert_true(u == UINT64_MAX);
	assert_int_equal(str_u64("18446744073709551616", 0, UINT64_MAX, &u),
		-ERANGE);
	assert_int_equal(str_u64("12x", 0, 100, &u), -EINVAL);
	assert_int_equal(str_u64("", 0, 100, &u), -EINVAL);
	assert_int_equal(str_u64("101", 0, 100, &u), -ERANGE);
	assert_int_equal(str_i64("-9223372036854775808", INT64_MIN, 0, &i), 0);
	assert_true(i == INT64_MIN);
	assert_int_equal(str_i64("9223372036854775808", 0, INT64_MAX, &i),
		-ERANGE);
	assert_int_equal(str_i64("--1", -5, 5, &i), -EINVAL);
}

static void durations_have_units(void **state)
{
	uint64_t ms;

	(void)state;
	assert_int_equal(str_duration_ms("250ms", &ms), 0);
	assert_int_equal(ms, 250);
	assert_int_equal(str_duration_ms("90", &ms), 0);
	assert_int_equal(ms, 90000);
	assert_int_equal(str_duration_ms("2h", &ms), 0);
	assert_int_equal(ms, 7200000);
	assert_int_equal(str_duration_ms("h", &ms), -EINVAL);
	assert_int_equal(str_duration_ms("2 h", &ms), -EINVAL);
	assert_int_equal(str_duration_ms("-2h", &ms), -EINVAL);
	assert_int_equal(str_duration_ms("999999999999999999d", &ms),
		-ERANGE);
}

static void utf8_is_strict(void **state)
{
	(void)state;
	assert_true(str_utf8_ok("a\xc3\xa9\xe4\xb8\xad\xf0\x9f\x98\x80", 10));
	assert_int_equal(str_utf8_len("a\xc3\xa9\xe4\xb8\xad", 6), 3);
	assert_false(str_utf8_ok("\xc0\x80", 2));         /* overlong NUL */
	assert_false(str_utf8_ok("\xed\xa0\x80", 3));     /* surrogate */
	assert_false(str_utf8_ok("\xf4\x90\x80\x80", 4)); /* past 10FFFF */
	assert_false(str_utf8_ok("\xe4\xb8", 2));         /* cut */
	assert_false(str_utf8_ok("a\0b", 3));
}

static void escaping_leaves_no_control(void **state)
{
	struct buf b = {0};
	static const char in[] = "a\x1b[2J\n\\\xe2\x80\xae\xc2\x9b\xff\xc3\xa9";

	(void)state;
	str_escape(&b, in, sizeof(in) - 1);
	assert_string_equal(buf_cstr(&b),
		"a\\x1b[2J\\x0a\\\\\\u{202e}\\u{009b}\\xff\xc3\xa9");
	buf_free(&b);
}

static void ids_have_their_form(void **state)
{
	static const uint8_t zero[16], ones[16] = {255, 255, 255, 255, 255,
		255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255};
	char id[STR_ID_CAP];

	(void)state;
	str_id(id, 'u', zero);
	assert_string_equal(id, "u_aaaaaaaaaaaaaaaaaaaaaaaaaa");
	str_id(id, 't', ones);
	assert_string_equal(id, "t_7777777777777777777777777" "4");
	assert_true(str_is_id(id, 't'));
	assert_false(str_is_id(id, 'u'));
	assert_false(str_is_id("u_", 'u'));
	assert_true(str_is_meeting_id("a-1"));
	assert_false(str_is_meeting_id("-a"));
	assert_false(str_is_meeting_id(""));
	assert_false(str_is_meeting_id("../x"));
	assert_false(str_is_meeting_id("A"));
}

static void codes_go_both_ways(void **state)
{
	struct buf b = {0}, back = {0};
	uint8_t out[3];
	char hex[7];

	(void)state;
	str_b64url(&b, "\xfb\xff\x01", 3);
	str_b64url(&b, "\xfb", 1);
	assert_string_equal(buf_cstr(&b), "-_8B-w");
	assert_int_equal(str_unb64url(&back, "-_8B", 4), 0);
	assert_memory_equal(back.data, "\xfb\xff\x01", 3);
	/* Spare bits that are not zero. */
	assert_int_equal(str_unb64url(&back, "-x", 2), -EINVAL);
	assert_int_equal(str_unb64url(&back, "A", 1), -EINVAL);
	assert_int_equal(str_unb64url(&back, "AA==", 4), -EINVAL);
	buf_free(&b);
	buf_free(&back);
	str_hex(hex, (const uint8_t *)"\x00\xab\xff", 3);
	assert_string_equal(hex, "00abff");
	assert_int_equal(str_unhex(out, 3, "00ABff"), 0);
	assert_memory_equal(out, "\x00\xab\xff", 3);
	assert_int_equal(str_unhex(out, 3, "00abf"), -EINVAL);
	assert_int_equal(str_unhex(out, 3, "00abff0"), -EINVAL);
}

static void times_go_both_ways(void **state)
{
	static const struct {
		const char *text;
		uint64_t ms;
	} same[] = {{"1970-01-01T00:00:00.000Z", 0},
		{"2000-02-29T23:59:59.999Z", UINT64_C(951868799999)},
		{"2026-11-22T09:00:00.123Z", UINT64_C(1795338000123)},
		{"9999-12-31T23:59:59.999Z", UINT64_C(253402300799999)}};
	char text[TIME_CAP];
	uint64_t ms;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(same); i++) {
		time_format(text, same[i].ms);
		assert_string_equal(text, same[i].text);
		assert_int_equal(time_parse(same[i].text, &ms), 0);
		assert_true(ms == same[i].ms);
	}
	assert_int_equal(time_parse("2026-11-22T17:00:00.1234+08:00", &ms), 0);
	assert_true(ms == UINT64_C(1795338000123));
	assert_int_equal(time_parse("2026-02-29T00:00:00Z", &ms), -EINVAL);
	assert_int_equal(time_parse("2026-11-22T09:00:00", &ms), -EINVAL);
	assert_int_equal(time_parse("2026-11-22 09:00:00Z", &ms), -EINVAL);
	assert_int_equal(time_parse("2026-11-22T09:00:00.Z", &ms), -EINVAL);
}

static void strings_are_never_cut(void **state)
{
	char four[4] = "x";

	(void)state;
	assert_int_equal(str_copy(four, sizeof(four), "abc"), 0);
	assert_string_equal(four, "abc");
	assert_int_equal(str_copy(four, sizeof(four), "abcd"), -ENAMETOOLONG);
	assert_string_equal(four, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(buffer_grows_and_consumes),
		cmocka_unit_test(reader_stops_at_the_end),
		cmocka_unit_test(numbers_are_whole_and_in_range),
		cmocka_unit_test(durations_have_units),
		cmocka_unit_test(utf8_is_strict),
		cmocka_unit_test(escaping_leaves_no_control),
		cmocka_unit_test(ids_have_their_form),
		cmocka_unit_test(codes_go_both_ways),
		cmocka_unit_test(times_go_both_ways),
		cmocka_unit_test(strings_are_never_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
