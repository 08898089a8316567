/* Random operations against a model: see sfu_ops.h for what must hold.
 * SEED=N runs that seed alone, OPS=N that many operations. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "sfu_ops.h"

#define SEEDS 300

static uint64_t env(const char *name, uint64_t otherwise)
{
	uint64_t v;

	return getenv(name) && !str_u64(getenv(name), 0, 1 << 30, &v)
		? v : otherwise;
}

static void holds_for_random_operations(void **state)
{
	size_t n = env("OPS", 3000) * 4;
	uint64_t from = env("SEED", 1), sent = 0;
	uint64_t to = getenv("SEED") ? from : SEEDS;
	uint8_t *p = malloc(n);

	(void)state;
	assert_non_null(p);
	for (uint64_t seed = from; seed <= to; seed++) {
		struct rng rng;

		snprintf(op_rerun, sizeof(op_rerun),
			"SEED=%u .build/test/sfu-invariants", (unsigned)seed);
		rng_seed(&rng, seed);
		rng_bytes(&rng, p, n);
		sent += ops_run(p, n, seed);
	}
	printf("# %u packets forwarded\n", (unsigned)sent);
	assert_true(sent > (to - from + 1) * n / 4 / 10);
	free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(holds_for_random_operations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
