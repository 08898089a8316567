/* Names that people send, and ids made from them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "base.h"
#include "meet.h"

static void names_are_cleaned(void **state)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		{"", ""},
		{"Ada", "Ada"},
		{" \t Ada \n", "Ada"},
		{"Ada  Lovelace", "Ada  Lovelace"},
		{"Ada\nLovelace", "Ada Lovelace"},
		{"\x1b[31mred\x07", "[31mred"},
		{"a\xc2\x9b" "b\x7f", "ab"},
		{"a\xe2\x80\xae" "b\xe2\x80\xac", "ab"},   /* override */
		{"\xe2\x81\xa6" "a\xe2\x81\xa9", "a"},     /* isolates */
		{"a\xe2\x80\x8b" "b\xef\xbb\xbf", "ab"},   /* zero width */
		{"\xe3\x80\x80\xe6\x9d\x8e\xc2\xa0", "\xe6\x9d\x8e"},
		{"\xe2\x80\x8d\xe2\x80\x8d", ""},          /* joiners alone */
		{"\xe3\x85\xa4", ""},                      /* filler alone */
		/* A family of four code points and its joiners. */
		{"\xf0\x9f\x91\xa8\xe2\x80\x8d\xf0\x9f\x91\xa9",
			"\xf0\x9f\x91\xa8\xe2\x80\x8d\xf0\x9f\x91\xa9"},
		{"<script>", "<script>"},
		{"\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d",
			"\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d"},
	};
	char out[MEET_NAME_CAP];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_int_equal(0, meet_clean(out, sizeof(out), cases[i].in,
			MEET_NAME_MAX));
		assert_string_equal(out, cases[i].out);
	}
}

static void long_and_broken_names_are_refused(void **state)
{
	char out[MEET_NAME_CAP], in[600] = "";

	(void)state;
	/* 64 of the longest code points fill the room; blanks around do not
	 * count. */
	in[0] = ' ';
	for (int i = 0; i < 64; i++)
		memcpy(in + 1 + 4 * i, "\xf0\x9f\x91\xa8", 4);
	memset(in + 257, ' ', 40);
	assert_int_equal(0, meet_clean(out, sizeof(out), in, 64));
	assert_int_equal(strlen(out), 256);
	in[257] = 'x';
	assert_int_equal(-EMSGSIZE, meet_clean(out, sizeof(out), in, 64));
	assert_string_equal(out, "");
	assert_int_equal(-EMSGSIZE, meet_clean(out, 4, "abcd", 64));
	assert_int_equal(-EINVAL, meet_clean(out, sizeof(out), "a\xff", 64));
	assert_int_equal(-EINVAL, meet_clean(out, sizeof(out), "\xed\xa0\x80",
		64));
}

static void ids_come_from_names(void **state)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		{"Hello", "hello"},
		{"  Weekly: plan & review! ", "weekly-plan-review"},
		{"7 Zwerge", "7-zwerge"},
		{"\xe4\xbc\x9a\xe8\xae\xae", ""},
		{"caf\xc3\xa9 2", "caf-2"},
		{"---", ""},
		{"", ""},
		{"0123456789012345678901234567890123456789012345678901234567"
		 "89012 x", /* the cut falls behind the dash */
			"012345678901234567890123456789012345678901234567890"
			"123456789012"},
		{"0123456789012345678901234567890123456789012345678901234567"
		 "890123456789",
			"012345678901234567890123456789012345678901234567890"
			"1234567890123"},
	};
	char out[MEET_ID_CAP];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		meet_slug(out, cases[i].in);
		assert_string_equal(out, cases[i].out);
		assert_true(!*out || str_is_meeting_id(out));
	}
}

static void sources_and_roles_have_names(void **state)
{
	enum meet_role role;

	(void)state;
	assert_int_equal(meet_source("mic"), 1);
	assert_int_equal(meet_source("screen-audio"), 8);
	assert_int_equal(meet_source("x"), 0);
	assert_int_equal(meet_source(NULL), 0);
	assert_string_equal(meet_source_name(MEET_CAM), "cam");
	assert_null(meet_source_name(3));
	assert_int_equal(0, meet_role("moderator", &role));
	assert_int_equal(role, MEET_MODERATOR);
	assert_int_equal(-EINVAL, meet_role(NULL, &role));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_cleaned),
		cmocka_unit_test(long_and_broken_names_are_refused),
		cmocka_unit_test(ids_come_from_names),
		cmocka_unit_test(sources_and_roles_have_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
