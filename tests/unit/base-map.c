/* The map against a plain array, SipHash and xoshiro against literals. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base.h"

/* The paper's appendix: key 00..0f, input 00..0e. */
static void siphash_matches_the_paper(void **state)
{
	uint8_t in[15];

	(void)state;
	for (unsigned i = 0; i < sizeof(in); i++)
		in[i] = (uint8_t)i;
	assert_true(siphash(UINT64_C(0x0706050403020100),
			    UINT64_C(0x0f0e0d0c0b0a0908), in, sizeof(in)) ==
		UINT64_C(0xa129ca6149be45e5));
}

static void rng_repeats_for_a_seed(void **state)
{
	struct rng a, b;

	(void)state;
	rng_seed(&a, 7);
	rng_seed(&b, 7);
	for (int i = 0; i < 100; i++) {
		assert_true(rng_u64(&a) == rng_u64(&b));
		assert_true(rng_below(&a, 3) == rng_below(&b, 3));
	}
	for (int i = 0; i < 1000; i++)
		assert_true(rng_below(&a, 10) < 10);
}

#define KEYS 500
static void map_agrees_with_an_array(void **state)
{
	static int there[KEYS];
	struct map *m = map_new(1);
	struct rng r;
	size_t want = 0;

	(void)state;
	rng_seed(&r, 42);
	for (int i = 0; i < 20000; i++) {
		uint32_t k = (uint32_t)rng_below(&r, KEYS);

		if (rng_below(&r, 2)) {
			assert_int_equal(
				map_put(m, &k, sizeof(k), &there[k]), 0);
			want += !there[k];
			there[k] = 1;
		} else {
			void *gone = map_del(m, &k, sizeof(k));

			assert_ptr_equal(gone, there[k] ? &there[k] : NULL);
			want -= (size_t)there[k];
			there[k] = 0;
		}
		assert_int_equal(map_count(m), want);
	}
	for (uint32_t k = 0; k < KEYS; k++)
		assert_ptr_equal(map_get(m, &k, sizeof(k)),
			there[k] ? &there[k] : NULL);
	map_free(m);
}

static void map_iterates_in_order_and_under_deletion(void **state)
{
	static const char *const names[] = {"one", "two", "three", "four"};
	struct map *m = map_new(2);
	const void *key;
	size_t pos = 0, n, i = 0;

	(void)state;
	for (i = 0; i < 4; i++)
		map_puts(m, names[i], (void *)(uintptr_t)names[i]);
	map_dels(m, "two");
	assert_string_equal(map_next(m, &pos, &key, &n), "one");
	assert_int_equal(n, 3);
	assert_memory_equal(key, "one", 3);
	assert_string_equal(map_next(m, &pos, NULL, NULL), "three");
	map_dels(m, "three");
	assert_string_equal(map_next(m, &pos, NULL, NULL), "four");
	map_dels(m, "four");
	assert_null(map_next(m, &pos, NULL, NULL));
	assert_int_equal(map_count(m), 1);
	map_free(m);
	map_free(NULL);
}

static void list_removes_inside_the_loop(void **state)
{
	struct item {
		int v;
		struct list link;
	} items[3] = {{.v = 1}, {.v = 2}, {.v = 3}};
	struct list head;
	int sum = 0;

	(void)state;
	list_init(&head);
	for (int i = 0; i < 3; i++)
		list_append(&head, &items[i].link);
	list_each(at, next, &head) {
		struct item *it = list_entry(at, struct item, link);

		sum = sum * 10 + it->v;
		list_remove(&it->link);
	}
	assert_int_equal(sum, 123);
	assert_true(list_empty(&head));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(siphash_matches_the_paper),
		cmocka_unit_test(rng_repeats_for_a_seed),
		cmocka_unit_test(map_agrees_with_an_array),
		cmocka_unit_test(map_iterates_in_order_and_under_deletion),
		cmocka_unit_test(list_removes_inside_the_loop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
