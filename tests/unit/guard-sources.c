/* What one source may ask, what its failures cost it, and that no number of
 * sources costs more than the table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <arpa/inet.h>
#include <cmocka.h>
#include "base.h"
#include "guard.h"

#define MS NS_PER_MS
#define S  NS_PER_S

static struct guard *g;
static uint64_t now;

static struct guard_source from(const char *text)
{
	struct sockaddr_in in4 = {.sin_family = AF_INET};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};

	if (inet_pton(AF_INET, text, &in4.sin_addr) == 1)
		return guard_source(g, (struct sockaddr *)&in4);
	assert_int_equal(inet_pton(AF_INET6, text, &in6.sin6_addr), 1);
	return guard_source(g, (struct sockaddr *)&in6);
}

static bool same(const char *a, const char *b)
{
	struct guard_source x = from(a), y = from(b);

	return !memcmp(&x, &y, sizeof(x));
}

static void start(uint32_t sources, uint32_t per_s, bool loopback)
{
	guard_free(g);
	g = guard_new(&(struct guard_config){.sources = sources,
		.per_s = per_s, .loopback = loopback, .seed = 7});
	assert_non_null(g);
	now = 100 * S;
}

static int teardown(void **state)
{
	(void)state;
	guard_free(g);
	g = NULL;
	return 0;
}

static void what_a_source_is(void **state)
{
	(void)state;
	start(64, 10, false);
	assert_true(same("2001:db8:1:2::1", "2001:db8:1:2:ffff::9"));
	assert_false(same("2001:db8:1:2::1", "2001:db8:1:3::1"));
	assert_false(same("192.0.2.1", "192.0.2.2"));
	assert_true(same("192.0.2.1", "::ffff:192.0.2.1"));
	assert_int_equal(from("127.0.0.1").key[0], 0);
	assert_int_equal(from("127.9.9.9").key[0], 0);
	assert_int_equal(from("::ffff:127.0.0.1").key[0], 0);
	assert_int_equal(from("::1").key[0], 0);
	assert_int_equal(from("::2").key[0], 6);
	start(64, 10, true);
	assert_int_equal(from("127.0.0.1").key[0], 4);
	assert_int_equal(from("::1").key[0], 6);
}

static void tokens(void **state)
{
	struct guard_source a, b;
	unsigned n = 0;

	(void)state;
	start(64, 10, false);
	a = from("192.0.2.1");
	b = from("192.0.2.2");
	while (guard_take(g, &a, 1, now) == 0)
		n++;
	assert_int_equal(n, 10 * GUARD_BURST_S);
	assert_int_equal(guard_take(g, &a, 1, now), 100);
	assert_int_equal(guard_take(g, &a, 3, now), 300);
	assert_int_equal(guard_take(g, &b, 1, now), 0);
	now += 99 * MS;
	assert_int_equal(guard_take(g, &a, 1, now), 1);
	now += 1 * MS;
	assert_int_equal(guard_take(g, &a, 1, now), 0);
	/* Who turns out to be known has some back. */
	guard_known(g, &a, now);
	assert_int_equal(guard_take(g, &a, GUARD_BACK, now), 0);
	assert_int_not_equal(guard_take(g, &a, 1, now), 0);
	/* A clock that steps back gives nothing. */
	assert_int_not_equal(guard_take(g, &a, 1, now - 50 * S), 0);
	/* What costs more than the bucket is had from a full one. */
	now += 1000 * S;
	assert_int_equal(guard_take(g, &a, 100000, now), 0);
	assert_int_not_equal(guard_take(g, &a, 1, now), 0);
}

static void penalties(void **state)
{
	struct guard_source a;
	unsigned n = 0;
	uint64_t ms = 0;

	(void)state;
	start(64, 10, false);
	a = from("2001:db8::1");
	while (!ms) {
		assert_int_equal(guard_penalty(g, &a, now), 0);
		ms = guard_fail(g, &a, GUARD_TOKEN, now);
		n++;
	}
	assert_int_equal(n, GUARD_ENFORCE_MS /
		guard_fault_ms(GUARD_TOKEN));
	assert_int_equal(ms, GUARD_ENFORCE_MS);
	assert_int_equal(guard_penalty(g, &a, now), ms);
	assert_int_equal(guard_take(g, &a, 1, now), 0);
	assert_int_equal(guard_fail(g, &a, GUARD_TOKEN, now), 0);
	ms += guard_fault_ms(GUARD_TOKEN);
	/* To be known does not open the door that is shut. */
	guard_known(g, &a, now);
	now += ms * MS - 1;
	assert_int_equal(guard_penalty(g, &a, now), 1);
	now += 1;
	assert_int_equal(guard_penalty(g, &a, now), 0);
	assert_int_equal(guard_take(g, &a, 1, now), 0);
	/* Slow failures are worked off. */
	for (n = 0; n < 1000; n++, now += 2 * S)
		assert_int_equal(guard_fail(g, &a, GUARD_TOKEN, now), 0);
	/* There is a most. */
	now += 1000 * S;
	for (n = 0; n < 1000; n++)
		guard_fail(g, &a, GUARD_MALFORMED, now);
	assert_int_equal(guard_penalty(g, &a, now), GUARD_MAX_MS);
	assert_int_equal(guard_stats(g).penalties, 2);
}

/* Thirty people behind one address, one of whom fails all the time. */
static void many_behind_one(void **state)
{
	struct guard_source a;

	(void)state;
	start(64, 10, false);
	a = from("192.0.2.7");
	for (int i = 0; i < 300; i++, now += 200 * MS) {
		guard_fail(g, &a, GUARD_TOKEN, now);
		if (i % 6 == 0)
			guard_known(g, &a, now);
		assert_int_equal(guard_penalty(g, &a, now), 0);
	}
}

static void malformed_is_worse(void **state)
{
	struct guard_source a;
	unsigned n = 1;

	(void)state;
	start(64, 10, false);
	a = from("192.0.2.7");
	while (!guard_fail(g, &a, GUARD_MALFORMED, now))
		n++;
	assert_int_equal(n, 3);
	for (int f = 0; f < GUARD_FAULTS; f++)
		assert_true(guard_fault_ms((enum guard_fault)f) <=
			guard_fault_ms(GUARD_MALFORMED));
}

/* A million sources take the places of each other, not of who is penalised,
 * as long as there are others. */
static void strangers_by_the_million(void **state)
{
	struct guard_source bad;
	struct sockaddr_in in4 = {.sin_family = AF_INET};

	(void)state;
	start(1024, 100, false);
	bad = from("192.0.2.1");
	while (!guard_fail(g, &bad, GUARD_MALFORMED, now))
		;
	for (uint32_t i = 0; i < 1000000; i++, now += NS_PER_MS / 100) {
		in4.sin_addr.s_addr = htonl(0x0a000000 + i);
		struct guard_source s = guard_source(g,
			(struct sockaddr *)&in4);

		assert_int_equal(guard_take(g, &s, GUARD_CONNECT, now), 0);
	}
	assert_int_not_equal(guard_penalty(g, &bad, now), 0);
	assert_true(guard_stats(g).forgotten > 100000);
}

static void off(void **state)
{
	struct guard_source none = {{0}};

	(void)state;
	start(0, 1, true);
	assert_int_equal(from("192.0.2.1").key[0], 0);
	for (int i = 0; i < 1000; i++) {
		assert_int_equal(guard_take(g, &none, 20, now), 0);
		assert_int_equal(guard_fail(g, &none, GUARD_TOKEN, now), 0);
		assert_int_equal(guard_take(NULL, &none, 20, now), 0);
	}
	assert_int_equal(guard_source(NULL, NULL).key[0], 0);
	guard_known(NULL, &none, now);
}

static void ones_own_rate(void **state)
{
	struct guard_rate r = {0};
	unsigned n = 0;

	(void)state;
	now = 5 * S;
	while (!guard_rate(&r, 20, 500, now))
		n++;
	assert_int_equal(n, 20);
	assert_int_equal(guard_rate(&r, 20, 500, now), 500);
	now += 499 * MS;
	assert_int_equal(guard_rate(&r, 20, 500, now), 1);
	now += 1 * MS;
	assert_int_equal(guard_rate(&r, 20, 500, now), 0);
	assert_int_not_equal(guard_rate(&r, 20, 500, now), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(what_a_source_is, teardown),
		cmocka_unit_test_teardown(tokens, teardown),
		cmocka_unit_test_teardown(penalties, teardown),
		cmocka_unit_test_teardown(many_behind_one, teardown),
		cmocka_unit_test_teardown(malformed_is_worse, teardown),
		cmocka_unit_test_teardown(strangers_by_the_million, teardown),
		cmocka_unit_test_teardown(off, teardown),
		cmocka_unit_test_teardown(ones_own_rate, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
