/* load when the n-th allocation fails: nothing leaks, nothing is half made. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base.h"
#include "io.h"
#include "load.h"
#include "oom.h"

static void on_end(void *arg)
{
	(void)arg;
}

static int make(void *arg)
{
	const struct load_config c = {.loop = arg,
		.link = "http://127.0.0.1:1/m/x#t=t", .publishers = 2,
		.subscribers = 2, .on_end = on_end,
		.media = {.audio_bps = 32000, .audio_hz = 50}};
	struct load *l = load_new(&c);
	char why[160];
	int rc = l ? 0 : -errno;

	if (!rc)
		rc = load_start(l, why);
	load_free(l);
	return rc;
}

static void lack_of_memory_is_an_error_like_others(void **state)
{
	struct io_loop *loop = io_loop_new();

	(void)state;
	assert_true(oom_ladder(make, loop) > 4);
	io_loop_free(loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lack_of_memory_is_an_error_like_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
