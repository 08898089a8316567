/* Tokens: what is signed is read back, and nothing else is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base.h"
#include "hmac.h"
#include "token.h"

#define NBF UINT64_C(1790000000)
#define EXP (NBF + 3600)

static const struct token_claims claims = {
	.iss = "confkit",
	.sub = "u_aaaaaaaaaaaaaaaaaaaaaaaaaa",
	.mtg = "hello",
	.role = "viewer",
	.name = "Ann \xe8\xae\xbf",
	.jti = "l_bbbbbbbbbbbbbbbbbbbbbbbbbb",
	.nbf_s = NBF,
	.exp_s = EXP,
	.uses = 2,
};

static struct token_keys keys(uint8_t cur, int prev)
{
	struct token_keys k = {0};
	uint8_t r[TOKEN_KEY_BYTES];

	memset(r, cur, sizeof r);
	assert_int_equal(token_key_make(&k.cur, r), 0);
	if (prev >= 0) {
		memset(r, prev, sizeof r);
		assert_int_equal(token_key_make(&k.prev, r), 0);
	}
	return k;
}

static const char *sign(const struct token_keys *k, struct buf *b)
{
	buf_clear(b);
	assert_int_equal(token_sign(&k->cur, &claims, b), 0);
	return buf_cstr(b);
}

static enum token_result verify(const struct token_keys *k, const char *jwt,
	const char *meeting, uint64_t now_s)
{
	struct token_claims c;

	return token_verify(k, jwt, strlen(jwt), meeting, now_s * 1000, &c);
}

static void claims_go_round(void **state)
{
	struct token_keys k = keys(1, -1);
	struct token_claims c;
	struct buf b = {0};
	const char *t = sign(&k, &b);

	(void)state;
	assert_int_equal(token_verify(&k, t, b.len, "hello", NBF * 1000, &c),
		TOKEN_OK);
	assert_string_equal(c.iss, claims.iss);
	assert_string_equal(c.sub, claims.sub);
	assert_string_equal(c.mtg, claims.mtg);
	assert_string_equal(c.role, claims.role);
	assert_string_equal(c.name, claims.name);
	assert_string_equal(c.jti, claims.jti);
	assert_true(c.nbf_s == NBF && c.exp_s == EXP && c.uses == 2);
	buf_free(&b);
}

/* {"alg":"HS256","typ":"JWT","kid":" in front, and behind the last dot the
 * HMAC of all before it, as RFC 7515 has it. */
static void a_token_is_a_plain_jwt(void **state)
{
	static const char head[] =
		"eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCIsImtpZCI6I";
	struct token_keys k = keys(1, -1);
	struct buf b = {0}, mac = {0};
	const char *t = sign(&k, &b), *dot = strrchr(t, '.');
	uint8_t h[SHA256_BYTES];

	(void)state;
	assert_true(str_starts(t, head));
	assert_int_equal(hmac_sha256(k.cur.secret, sizeof k.cur.secret, t,
		(size_t)(dot - t), h), 0);
	str_b64url(&mac, h, sizeof h);
	assert_string_equal(buf_cstr(&mac), dot + 1);
	buf_free(&b);
	buf_free(&mac);
}

static void any_change_of_a_byte_is_refused(void **state)
{
	struct token_keys k = keys(1, 2);
	struct buf b = {0};
	struct token_claims c;
	char t[1024];
	size_t n;

	(void)state;
	sign(&k, &b);
	n = b.len;
	assert_true(n < sizeof t);
	for (size_t i = 0; i < n; i++) {
		for (unsigned bit = 0; bit < 8; bit++) {
			memcpy(t, b.data, n);
			t[i] = (char)(t[i] ^ 1 << bit);
			assert_int_not_equal(token_verify(&k, t, n, NULL,
				NBF * 1000, &c), TOKEN_OK);
			assert_string_equal(c.sub, "");
		}
	}
	for (size_t i = 0; i < n; i++)
		assert_int_not_equal(token_verify(&k, (char *)b.data, i, NULL,
			NBF * 1000, &c), TOKEN_OK);
	memcpy(t, b.data, n);
	t[n] = 'A';
	assert_int_not_equal(token_verify(&k, t, n + 1, NULL, NBF * 1000, &c),
		TOKEN_OK);
	buf_free(&b);
}

static void time_and_meeting_are_checked(void **state)
{
	struct token_keys k = keys(1, -1);
	struct buf b = {0};
	const char *t = sign(&k, &b);

	(void)state;
	assert_int_equal(verify(&k, t, "hello", NBF - 1), TOKEN_NOT_YET);
	assert_int_equal(verify(&k, t, "hello", NBF), TOKEN_OK);
	assert_int_equal(verify(&k, t, NULL, EXP - 1), TOKEN_OK);
	assert_int_equal(verify(&k, t, NULL, EXP), TOKEN_EXPIRED);
	assert_int_equal(verify(&k, t, "hell", NBF), TOKEN_OTHER_MEETING);
	assert_int_equal(verify(&k, t, "hello2", NBF), TOKEN_OTHER_MEETING);
	buf_free(&b);
}

static void two_keys_verify_and_others_do_not(void **state)
{
	struct token_keys old = keys(1, -1), both = keys(2, 1);
	struct token_keys later = keys(3, 2), same_kid = keys(2, -1);
	struct buf b = {0};
	const char *t = sign(&old, &b);

	(void)state;
	assert_int_equal(verify(&both, t, NULL, NBF), TOKEN_OK);
	assert_int_equal(verify(&later, t, NULL, NBF), TOKEN_UNKNOWN_KEY);
	memcpy(same_kid.cur.kid, old.cur.kid, TOKEN_KID_CAP);
	assert_int_equal(verify(&same_kid, t, NULL, NBF),
		TOKEN_BAD_SIGNATURE);
	buf_free(&b);
}

/* Signs header and body as they are, with key. */
static enum token_result forged(const struct token_keys *k,
	const char *header, const char *body, bool sign_it)
{
	struct buf b = {0};
	struct token_claims c;
	enum token_result r;
	uint8_t h[SHA256_BYTES];

	str_b64url(&b, header, strlen(header));
	buf_putc(&b, '.');
	str_b64url(&b, body, strlen(body));
	if (sign_it)
		assert_int_equal(hmac_sha256(k->cur.secret,
			sizeof k->cur.secret, b.data, b.len, h), 0);
	buf_putc(&b, '.');
	if (sign_it)
		str_b64url(&b, h, sizeof h);
	r = token_verify(k, (char *)b.data, b.len, NULL, NBF * 1000, &c);
	if (r != TOKEN_OK)
		assert_string_equal(c.role, "");
	buf_free(&b);
	return r;
}

#define BODY(rest) "{\"iss\":\"i\",\"sub\":\"*\",\"mtg\":\"m\"," \
	"\"jti\":\"l\",\"nbf\":1,\"exp\":2000000000" rest "}"

static void other_algorithms_and_shapes_are_refused(void **state)
{
	static const char *const heads[] = {
		"{\"alg\":\"none\",\"kid\":\"%s\"}",
		"{\"alg\":\"None\",\"kid\":\"%s\"}",
		"{\"alg\":\"HS512\",\"kid\":\"%s\"}",
		"{\"alg\":\"RS256\",\"kid\":\"%s\"}",
		"{\"alg\":1,\"kid\":\"%s\"}",
		"{\"kid\":\"%s\"}",
		"{\"alg\":\"HS256\",\"kid\":[\"%s\"]}",
		"{\"alg\":\"HS256\",\"kid\":\"%s\",\"crit\":[\"b64\"]}",
		"[\"%s\"]",
		"{\"alg\":\"HS256\",\"alg\":\"none\",\"kid\":\"%s\"}",
	};
	struct token_keys k = keys(1, -1);
	char good[100], head[100];

	(void)state;
	snprintf(good, sizeof good, "{\"alg\":\"HS256\",\"kid\":\"%s\"}",
		k.cur.kid);
	assert_int_equal(forged(&k, good, BODY(",\"role\":\"viewer\""), true),
		TOKEN_OK);
	assert_int_equal(forged(&k, good, BODY(",\"role\":\"viewer\""),
		false), TOKEN_BAD_SIGNATURE);
	for (size_t i = 0; i < ARRAY_LEN(heads); i++) {
		struct buf f = {0};
		const char *at = strstr(heads[i], "%s");

		buf_put(&f, heads[i], (size_t)(at - heads[i]));
		buf_puts(&f, k.cur.kid);
		buf_puts(&f, at + 2);
		assert_int_equal(str_copy(head, sizeof head, buf_cstr(&f)), 0);
		buf_free(&f);
		assert_int_equal(forged(&k, head,
			BODY(",\"role\":\"viewer\""), true), TOKEN_MALFORMED);
		assert_int_equal(forged(&k, head,
			BODY(",\"role\":\"viewer\""), false), TOKEN_MALFORMED);
	}
	assert_int_equal(forged(&k, "{\"alg\":\"HS256\",\"kid\":\"\"}",
		BODY(",\"role\":\"viewer\""), true), TOKEN_UNKNOWN_KEY);
}

static void claims_of_the_wrong_kind_are_refused(void **state)
{
	static const char *const bodies[] = {
		"", "null", "[]", "{}", BODY(""), BODY(",\"role\":1"),
		BODY(",\"role\":\"\""), BODY(",\"role\":\"moderator-of-all\""
			",\"uses\":-1"),
		BODY(",\"role\":\"averyveryverylongrole\""),
		"{\"iss\":\"i\",\"sub\":\"*\",\"mtg\":\"m\",\"jti\":\"l\","
		"\"role\":\"viewer\",\"nbf\":1}",
		"{\"iss\":\"i\",\"sub\":\"*\",\"mtg\":\"m\",\"jti\":\"l\","
		"\"role\":\"viewer\",\"nbf\":\"1\",\"exp\":2000000000}",
		"{\"iss\":\"i\",\"sub\":\"*\",\"mtg\":\"m\",\"jti\":\"l\","
		"\"role\":\"viewer\",\"nbf\":-1,\"exp\":2000000000}",
		"{\"iss\":\"i\",\"sub\":\"*\",\"mtg\":\"m\",\"jti\":\"l\","
		"\"role\":\"viewer\",\"nbf\":1.5,\"exp\":2000000000}",
	};
	struct token_keys k = keys(1, -1);
	char head[100];

	(void)state;
	snprintf(head, sizeof head, "{\"alg\":\"HS256\",\"kid\":\"%s\"}",
		k.cur.kid);
	for (size_t i = 0; i < ARRAY_LEN(bodies); i++)
		assert_int_equal(forged(&k, head, bodies[i], true),
			TOKEN_MALFORMED);
}

static void odd_texts_are_malformed(void **state)
{
	static const char *const odd[] = {"", ".", "..", "...", "a.b", "a.b.c",
		"e30.e30.", "e30=.e30.AA", "\xff.\xff.\xff"};
	struct token_keys k = keys(1, -1);
	struct token_claims c;
	char big[TOKEN_MAX_BYTES + 1];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(odd); i++)
		assert_int_equal(verify(&k, odd[i], NULL, NBF),
			TOKEN_MALFORMED);
	memset(big, '.', sizeof big);
	assert_int_equal(token_verify(&k, big, sizeof big, NULL, NBF * 1000,
		&c), TOKEN_MALFORMED);
}

static void unfit_claims_are_not_signed(void **state)
{
	struct token_keys k = keys(1, -1);
	struct token_claims c = claims;
	struct buf b = {0};

	(void)state;
	c.exp_s = c.nbf_s;
	assert_int_equal(token_sign(&k.cur, &c, &b), -EINVAL);
	c = claims;
	c.mtg[0] = '\0';
	assert_int_equal(token_sign(&k.cur, &c, &b), -EINVAL);
	c = claims;
	c.name[0] = (char)0xff;
	assert_int_equal(token_sign(&k.cur, &c, &b), -EINVAL);
	c = claims;
	memset(c.name, 'x', sizeof c.name); /* no NUL */
	assert_int_equal(token_sign(&k.cur, &c, &b), -EINVAL);
	assert_int_equal(b.len, 0);
	buf_free(&b);
}

static void key_files_go_round(void **state)
{
	struct token_keys k = keys(7, -1);
	struct token_key got;
	struct buf b = {0};

	(void)state;
	token_key_write(&k.cur, &b);
	assert_int_equal(token_key_read(&got, (char *)b.data, b.len), 0);
	assert_memory_equal(&got, &k.cur, sizeof got);
	assert_int_equal(token_key_read(&got, (char *)b.data, b.len - 1), 0);
	assert_int_equal(token_key_read(&got, (char *)b.data, b.len - 2),
		-EINVAL);
	assert_int_equal(token_key_read(&got, "", 0), -EINVAL);
	for (size_t i = 0; i < b.len; i++) {
		b.data[i] ^= 1;
		assert_int_equal(token_key_read(&got, (char *)b.data, b.len),
			-EINVAL);
		b.data[i] ^= 1;
	}
	buf_free(&b);
}

static void every_result_has_its_sentence(void **state)
{
	(void)state;
	assert_string_equal(token_text(TOKEN_OK), "");
	assert_string_equal(token_text(TOKEN_EXPIRED),
		"This link has expired. Ask for a new one.");
	assert_string_equal(token_text(TOKEN_UNKNOWN_KEY),
		"This link does not belong to this server.");
	for (int r = TOKEN_MALFORMED; r <= TOKEN_OTHER_MEETING; r++)
		assert_true(str_starts(token_text((enum token_result)r),
			"This link "));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(claims_go_round),
		cmocka_unit_test(a_token_is_a_plain_jwt),
		cmocka_unit_test(any_change_of_a_byte_is_refused),
		cmocka_unit_test(time_and_meeting_are_checked),
		cmocka_unit_test(two_keys_verify_and_others_do_not),
		cmocka_unit_test(other_algorithms_and_shapes_are_refused),
		cmocka_unit_test(claims_of_the_wrong_kind_are_refused),
		cmocka_unit_test(odd_texts_are_malformed),
		cmocka_unit_test(unfit_claims_are_not_signed),
		cmocka_unit_test(key_files_go_round),
		cmocka_unit_test(every_result_has_its_sentence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
