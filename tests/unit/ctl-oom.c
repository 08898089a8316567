/* ctl without memory: each allocation of a conversation fails once; the
 * connection then asks to be closed, and nothing leaks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "oom.h"
#include "base.h"
#include "json.h"
#include "ctl.h"

static const char talk[] =
	"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"hello\",\"params\":"
	"{\"protocol\":[1],\"caps\":[\"x\"]}}\n"
	"{\"jsonrpc\":\"2.0\",\"id\":\"two\",\"method\":\"echo\"}\n"
	"{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"nope\"}\n"
	"{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}\n";

struct end {
	struct ctl_call *hello;
	int done;
};

static int out(void *arg, const void *p, size_t n)
{
	(void)arg;
	(void)p;
	(void)n;
	return 0;
}

static void hello(void *arg, struct ctl_call *call, const json_t *params)
{
	struct end *e = arg;

	(void)params;
	e->hello = call;
}

static void echo(void *arg, struct ctl_call *call, const json_t *params)
{
	(void)arg;
	ctl_reply(call, json_deep_copy(params));
}

static const struct ctl_method methods[] = {{"hello", hello}, {"echo", echo}};

static void done(void *arg, const json_t *result, const struct ctl_error *err)
{
	struct end *e = arg;

	(void)result;
	(void)err;
	e->done++;
}

static int converses(void *arg)
{
	struct end e = {0};
	struct ctl_config cfg = {.write = out, .arg = &e, .methods = methods,
		.n_methods = ARRAY_LEN(methods), .lines = true,
		.hello_first = true};
	struct ctl *c = ctl_new(&cfg);
	int err, asked;

	(void)arg;
	if (!c)
		return -ENOMEM;
	asked = ctl_request(c, "q", json_pack("{s:i}", "x", 1), CTL_NEVER,
		done, &e);
	/* In two pieces, so that a line is put together. */
	err = ctl_feed(c, talk, 70);
	if (!err)
		err = ctl_feed(c, talk + 70, sizeof(talk) - 71);
	if (e.hello)
		ctl_reply(e.hello, json_object());
	if (!err)
		err = ctl_broken(c);
	ctl_free(c);
	if ((asked == 0) != (e.done == 1))
		return 1;
	/* A string that there was no memory for looks like no string to
	 * jansson. */
	if (err == -EPROTO)
		err = -ENOMEM;
	return err ? err : asked;
}

static void *wrapped_malloc(size_t n)
{
	return malloc(n);
}

static void a_conversation_without_memory_ends(void **state)
{
	(void)state;
	assert_int_equal(0, converses(NULL));
	assert_in_range(oom_ladder(converses, NULL), 50, OOM_MAX_STEPS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_conversation_without_memory_ends),
	};

	json_set_alloc_funcs(wrapped_malloc, free);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
