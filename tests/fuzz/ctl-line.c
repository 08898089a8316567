/* ctl fed with anything: what goes out is JSON-RPC, line by line, and does
 * not depend on how the bytes came in pieces. Byte 0: hello first or not.
 * Byte 1: size of the pieces. */
#include "base.h"
#include "json.h"
#include "ctl.h"

#define KEPT 8

struct end {
	struct ctl *c;
	struct buf out;
	struct ctl_call *kept[KEPT];
	unsigned n_kept;
	unsigned asked, answered;
};

static void need(bool ok)
{
	if (!ok)
		abort();
}

static int out(void *arg, const void *p, size_t n)
{
	struct end *e = arg;
	char why[160];
	json_t *v;

	need(n > 1 && ((const char *)p)[n - 1] == '\n');
	need(!memchr(p, '\n', n - 1));
	v = json_read_max(p, n - 1, CTL_MAX_OUT, why);
	need(json_is_object(v));
	need(str_eq(json_string_value(json_object_get(v, "jsonrpc")), "2.0"));
	json_decref(v);
	buf_put(&e->out, p, n);
	return 0;
}

static void hello(void *arg, struct ctl_call *call, const json_t *params)
{
	(void)arg;
	if (json_object_get(params, "token"))
		ctl_fail(call, "denied", "%s", json_string_value(
			json_object_get(params, "token")) ? "no" : "what");
	else
		ctl_reply(call, NULL);
}

static void echo(void *arg, struct ctl_call *call, const json_t *params)
{
	(void)arg;
	ctl_reply(call, json_deep_copy(params));
}

static void keep(void *arg, struct ctl_call *call, const json_t *params)
{
	struct end *e = arg;

	(void)params;
	if (e->n_kept < KEPT && call)
		e->kept[e->n_kept++] = call;
	else
		ctl_fail(call, "busy", "%.3s", "\xc3\xa9\xc3\xa9");
}

static void flush(void *arg, struct ctl_call *call, const json_t *params)
{
	struct end *e = arg;

	(void)params;
	while (e->n_kept)
		ctl_reply(e->kept[--e->n_kept], NULL);
	ctl_reply(call, NULL);
}

static void done(void *arg, const json_t *result, const struct ctl_error *err)
{
	struct end *e = arg;

	need(!result != !err);
	need(!err || (err->kind && err->message));
	e->answered++;
}

static void ask(void *arg, struct ctl_call *call, const json_t *params)
{
	struct end *e = arg;

	if (ctl_request(e->c, "q", json_deep_copy(params), 1000, done, e) == 0)
		e->asked++;
	ctl_reply(call, NULL);
}

static const struct ctl_method methods[] = {
	{"hello", hello}, {"echo", echo}, {"keep", keep}, {"flush", flush},
	{"ask", ask},
};

static int feed(struct end *e, bool hello_first, const uint8_t *p, size_t n,
	size_t piece)
{
	struct ctl_config cfg = {.write = out, .arg = e, .methods = methods,
		.n_methods = ARRAY_LEN(methods), .lines = true,
		.hello_first = hello_first, .max_in = 1024};
	int err = 0;

	*e = (struct end){0};
	e->c = ctl_new(&cfg);
	need(e->c);
	for (size_t i = 0; i < n && !err; i += piece)
		err = ctl_feed(e->c, p + i, MIN(piece, n - i));
	need(err == ctl_broken(e->c));
	while (e->n_kept)
		ctl_fail(e->kept[--e->n_kept], "draining", "bye");
	ctl_tick(e->c, 2000);
	need(e->asked == e->answered);
	ctl_free(e->c);
	return err;
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct end whole, pieces;
	int a, b;

	if (n < 2)
		return 0;
	a = feed(&whole, p[0] & 1, p + 2, n - 2, n);
	b = feed(&pieces, p[0] & 1, p + 2, n - 2, 1 + p[1] % 64);
	/* A line too long is noticed at another byte and in other words. */
	if (a != -EMSGSIZE && b != -EMSGSIZE) {
		need(a == b && whole.out.len == pieces.out.len);
		need(!whole.out.len || !memcmp(whole.out.data,
			pieces.out.data, whole.out.len));
	}
	buf_free(&whole.out);
	buf_free(&pieces.out);
	return 0;
}
