/* ctl: framing, hello, answers, requests, what closes a peer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "base.h"
#include "json.h"
#include "ctl.h"

struct peer {
	struct ctl *c;
	struct buf out;
	struct ctl_call *kept;
	int write_err;
	bool free_in_handler;
	bool free_in_write;
	unsigned noted;
	/* the last answer to ours */
	unsigned answers;
	char kind[32];
	int64_t number;
};

static int out(void *arg, const void *p, size_t n)
{
	struct peer *t = arg;

	if (t->free_in_write) {
		ctl_free(t->c);
		t->c = NULL;
	}
	if (t->write_err)
		return t->write_err;
	buf_put(&t->out, p, n);
	return 0;
}

static void hello(void *arg, struct ctl_call *call, const json_t *params)
{
	struct peer *t = arg;
	const char *token = json_string_value(json_object_get(params,
		"token"));

	if (str_eq(token, "later")) {
		t->kept = call;
		return;
	}
	if (str_eq(token, "bad"))
		ctl_fail(call, "denied", "this link has expired");
	else
		ctl_reply(call, json_pack("{s:s}", "actor", "op:0"));
}

static void echo(void *arg, struct ctl_call *call, const json_t *params)
{
	(void)arg;
	ctl_reply(call, json_deep_copy(params));
}

static void keep(void *arg, struct ctl_call *call, const json_t *params)
{
	struct peer *t = arg;

	(void)params;
	t->kept = call;
	if (t->free_in_handler) {
		ctl_free(t->c);
		t->c = NULL;
	}
}

static void note(void *arg, struct ctl_call *call, const json_t *params)
{
	struct peer *t = arg;

	(void)params;
	t->noted++;
	ctl_reply(call, NULL);
}

static void big(void *arg, struct ctl_call *call, const json_t *params)
{
	size_t n = (size_t)json_integer_value(json_object_get(params, "n"));
	char *p = malloc(n);

	(void)arg;
	assert_non_null(p);
	memset(p, 'x', n);
	ctl_reply(call, json_pack("{s:o}", "x", json_stringn(p, n)));
	free(p);
}

static void refuse(void *arg, struct ctl_call *call, const json_t *params)
{
	(void)arg;
	(void)params;
	ctl_fail_with(call, "ambiguous", json_pack("{s:[s,s]}", "users", "a",
		"b"), "two are called Kim");
}

static const struct ctl_method methods[] = {
	{"hello", hello}, {"echo", echo}, {"keep", keep}, {"note", note},
	{"big", big}, {"refuse", refuse},
};

static void start(struct peer *t, bool hello_first, bool lines)
{
	struct ctl_config cfg = {.write = out, .arg = t, .methods = methods,
		.n_methods = ARRAY_LEN(methods), .lines = lines,
		.hello_first = hello_first};

	*t = (struct peer){0};
	t->c = ctl_new(&cfg);
	assert_non_null(t->c);
}

static void stop(struct peer *t)
{
	ctl_free(t->c);
	buf_free(&t->out);
}

static int say(struct peer *t, const char *s)
{
	return ctl_feed(t->c, s, strlen(s));
}

static void said(struct peer *t, const char *want)
{
	assert_string_equal(t->out.len ? buf_cstr(&t->out) : "", want);
	buf_clear(&t->out);
}

#define HELLO "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"hello\"," \
	"\"params\":{\"protocol\":[1],\"agent\":\"t/1\"}}\n"
#define HELLO_WITH(token) "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":" \
	"\"hello\",\"params\":{\"protocol\":[1],\"token\":\"" token "\"}}\n"
#define GREETING "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":" \
	"{\"actor\":\"op:0\",\"protocol\":1}}\n"
#define ASK(id, m, p) "{\"jsonrpc\":\"2.0\",\"id\":" id ",\"method\":\"" m \
	"\",\"params\":" p "}\n"
#define TELL(m, p) "{\"jsonrpc\":\"2.0\",\"method\":\"" m "\",\"params\":" \
	p "}\n"
#define ANSWER(id, r) "{\"jsonrpc\":\"2.0\",\"id\":" id ",\"result\":" r "}\n"
#define ERROR(id, code, words, kind) "{\"jsonrpc\":\"2.0\",\"id\":" id \
	",\"error\":{\"code\":" code ",\"message\":\"" words \
	"\",\"data\":{\"kind\":\"" kind "\"}}}\n"

static void kinds_have_their_exit_status(void **state)
{
	static const struct {
		const char *kind;
		int status;
	} want[] = {{"not_found", 1}, {"exists", 1}, {"ambiguous", 1},
		{"denied", 1}, {"invalid", 2}, {"io", 3}, {"internal", 3},
		{"busy", 75}, {"limit", 75}, {"draining", 75},
		{"unavailable", 75}, {"timeout", 124}, {"strange", 3}};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(want); i++)
		assert_int_equal(ctl_kind_status(want[i].kind),
			want[i].status);
	assert_string_equal(ctl_kind_name(0), "not_found");
	assert_null(ctl_kind_name(12));
}

static void lines_come_in_any_pieces(void **state)
{
	static const char all[] = HELLO "\r\n\n" ASK("2", "echo",
		"{\"a\":[1,\"\xc3\xa9\"]}") ASK("\"x\"", "echo", "{}");
	struct peer t;

	(void)state;
	for (size_t cut = 1; cut < sizeof(all); cut++) {
		start(&t, true, true);
		for (size_t i = 0; i < sizeof(all) - 1; i += cut)
			assert_int_equal(0, ctl_feed(t.c, all + i,
				MIN(cut, sizeof(all) - 1 - i)));
		said(&t, GREETING ANSWER("2", "{\"a\":[1,\"\xc3\xa9\"]}")
			ANSWER("\"x\"", "{}"));
		assert_int_equal(ctl_stats(t.c).in, 3);
		assert_int_equal(ctl_stats(t.c).out, 3);
		stop(&t);
	}
}

static void messages_have_no_newline(void **state)
{
	static const char m[] = "{\"jsonrpc\":\"2.0\",\n\"id\":7,"
				"\"method\":\"echo\"}";
	struct peer t;

	(void)state;
	start(&t, false, false);
	assert_int_equal(0, ctl_message(t.c, m, sizeof(m) - 1));
	said(&t, "{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":{}}");
	stop(&t);
}

static void hello_is_enforced(void **state)
{
	static const struct {
		const char *in, *out;
	} bad[] = {
		{ASK("4", "echo", "{}"),
			ERROR("4", "-32000", "hello comes first", "denied")},
		{TELL("note", "{}"),
			ERROR("null", "-32000", "hello comes first",
				"denied")},
		{TELL("note", "[]"),
			ERROR("null", "-32000", "hello comes first",
				"denied")},
		{TELL("hello", "{\"protocol\":[1]}"),
			ERROR("null", "-32000",
				"hello is a request, it needs an id",
				"invalid")},
		{ANSWER("1", "{}"),
			ERROR("null", "-32000", "hello comes first",
				"denied")},
		{ASK("1", "hello", "{\"protocol\":[2,\"1\",1.0]}"),
			ERROR("1", "-32000",
				"hello: no common protocol version, this end "
				"speaks 1", "invalid")},
		{ASK("1", "hello", "{}"),
			ERROR("1", "-32000",
				"hello: no common protocol version, this end "
				"speaks 1", "invalid")},
		{ASK("1", "hello", "{\"protocol\":[1],\"caps\":[3]}"),
			ERROR("1", "-32000",
				"hello: a cap is a string of 1 to 64 bytes",
				"invalid")},
		{ASK("1", "hello", "{\"protocol\":1}"),
			ERROR("1", "-32000",
				"hello: protocol and caps are lists, agent "
				"and role are strings", "invalid")},
	};
	struct peer t;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		start(&t, true, true);
		assert_int_equal(-EPROTO, say(&t, bad[i].in));
		said(&t, bad[i].out);
		assert_int_equal(ctl_stats(t.c).malformed, 1);
		assert_false(ctl_greeted(t.c));
		/* Whatever comes now finds the door shut. */
		assert_int_equal(-EPROTO, say(&t, HELLO));
		said(&t, "");
		stop(&t);
	}
	start(&t, true, true);
	assert_int_equal(0, say(&t, HELLO));
	assert_true(ctl_greeted(t.c));
	said(&t, GREETING);
	assert_int_equal(-EPROTO, say(&t, HELLO));
	said(&t, ERROR("1", "-32000", "hello was said already", "invalid"));
	stop(&t);
}

static void refused_hello_ends_the_connection(void **state)
{
	struct peer t;

	(void)state;
	start(&t, true, true);
	assert_int_equal(-EPROTO, say(&t, HELLO_WITH("bad") TELL("note",
		"{}")));
	said(&t, ERROR("1", "-32000", "this link has expired", "denied"));
	assert_int_equal(t.noted, 0);
	assert_int_equal(ctl_broken(t.c), -EPROTO);
	assert_int_equal(ctl_stats(t.c).malformed, 0);
	stop(&t);
}

static void what_follows_hello_waits_for_its_answer(void **state)
{
	struct peer t;

	(void)state;
	start(&t, true, true);
	assert_int_equal(0, say(&t, HELLO_WITH("later") TELL("note", "{}")
		ASK("2", "echo", "{}")));
	said(&t, "");
	assert_int_equal(t.noted, 0);
	ctl_reply(t.kept, NULL);
	assert_int_equal(t.noted, 1);
	said(&t, ANSWER("1", "{\"protocol\":1}") ANSWER("2", "{}"));
	assert_int_equal(0, say(&t, TELL("note", "{}")));
	assert_int_equal(t.noted, 2);
	stop(&t);

	start(&t, true, true);
	assert_int_equal(0, say(&t, HELLO_WITH("later") TELL("note", "{}")));
	ctl_fail(t.kept, "denied", "no");
	assert_int_equal(t.noted, 0);
	assert_int_equal(ctl_broken(t.c), -EPROTO);
	stop(&t);
}

static void waiting_for_hello_is_bounded(void **state)
{
	struct peer t;
	int err = 0;
	unsigned n = 0;

	(void)state;
	start(&t, true, true);
	assert_int_equal(0, say(&t, HELLO_WITH("later")));
	while (!err && n++ < 100000)
		err = say(&t, TELL("note", "{}"));
	assert_int_equal(err, -EMSGSIZE);
	assert_in_range(n, 4000, 6000); /* 256 KiB of 53 bytes each */
	ctl_reply(t.kept, NULL);
	assert_int_equal(t.noted, 0);
	stop(&t);
}

static void optional_hello_is_served_once(void **state)
{
	struct peer t;

	(void)state;
	start(&t, false, true);
	assert_int_equal(0, say(&t, ASK("1", "echo", "{}") HELLO));
	said(&t, ANSWER("1", "{}") GREETING);
	assert_int_equal(-EPROTO, say(&t, HELLO));
	stop(&t);
	/* A refused one does not end a connection that did not need it. */
	start(&t, false, true);
	assert_int_equal(0, say(&t, HELLO_WITH("later") TELL("note", "{}")));
	ctl_fail(t.kept, "denied", "no");
	assert_int_equal(t.noted, 1);
	assert_int_equal(ctl_broken(t.c), 0);
	stop(&t);
}

static void malformed_input_closes_the_peer(void **state)
{
	static const struct {
		const char *in, *code;
	} bad[] = {
		{"x\n", "-32700"},
		{"{\"jsonrpc\":\"2.0\",\"id\":1\n", "-32700"},
		{"{\"a\":1,\"a\":2}\n", "-32700"},
		{"\"\xff\"\n", "-32700"},
		{"\"\\u0000\"\n", "-32700"},
		{"[]\n", "-32600"},
		{"3\n", "-32600"},
		{"{}\n", "-32600"},
		{"{\"jsonrpc\":\"1.0\",\"id\":1,\"method\":\"echo\"}\n",
			"-32600"},
		{"{\"jsonrpc\":\"2.0\",\"id\":null,\"method\":\"echo\"}\n",
			"-32600"},
		{"{\"jsonrpc\":\"2.0\",\"id\":1.5,\"method\":\"echo\"}\n",
			"-32600"},
		{"{\"jsonrpc\":\"2.0\",\"id\":{},\"method\":\"echo\"}\n",
			"-32600"},
		{"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":7}\n", "-32600"},
		{"{\"jsonrpc\":\"2.0\",\"id\":1}\n", "-32600"},
		{"{\"jsonrpc\":\"2.0\",\"result\":1}\n", "-32600"},
		{"{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":1,\"error\":"
		 "{\"code\":1,\"message\":\"\"}}\n", "-32600"},
		{"{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":7}\n", "-32600"},
	};
	struct peer t;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		char code[32];

		start(&t, false, true);
		assert_int_equal(-EPROTO, say(&t, bad[i].in));
		assert_int_equal(ctl_stats(t.c).malformed, 1);
		snprintf(code, sizeof(code), "\"code\":%s,", bad[i].code);
		assert_non_null(strstr(buf_cstr(&t.out), code));
		stop(&t);
	}
}

static void long_ids_and_methods_are_refused(void **state)
{
	char line[512], name[200];
	struct peer t;

	(void)state;
	memset(name, 'a', sizeof(name));
	start(&t, false, true);
	snprintf(line, sizeof(line), ASK("\"%.128s\"", "echo", "{}"), name);
	assert_int_equal(0, say(&t, line));
	snprintf(line, sizeof(line), ASK("\"%.129s\"", "echo", "{}"), name);
	assert_int_equal(-EPROTO, say(&t, line));
	stop(&t);
	start(&t, false, true);
	snprintf(line, sizeof(line), ASK("1", "%.64s", "{}"), name);
	assert_int_equal(0, say(&t, line));
	snprintf(line, sizeof(line), ASK("1", "%.65s", "{}"), name);
	assert_int_equal(-EPROTO, say(&t, line));
	stop(&t);
}

static void sizes_have_limits(void **state)
{
	char *line = malloc(CTL_MAX_IN + 64);
	static const char head[] = "{\"jsonrpc\":\"2.0\",\"id\":1,"
				   "\"method\":\"echo\"}";
	struct peer t;

	(void)state;
	assert_non_null(line);
	memset(line, ' ', CTL_MAX_IN + 64);
	memcpy(line, head, sizeof(head) - 1);
	/* The longest legal one, whole and in pieces. */
	line[CTL_MAX_IN] = '\n';
	start(&t, false, true);
	assert_int_equal(0, ctl_feed(t.c, line, CTL_MAX_IN + 1));
	assert_int_equal(0, ctl_feed(t.c, line, 1000));
	assert_int_equal(0, ctl_feed(t.c, line + 1000, CTL_MAX_IN - 999));
	said(&t, ANSWER("1", "{}") ANSWER("1", "{}"));
	stop(&t);
	/* One byte more; and a line that never ends. */
	line[CTL_MAX_IN] = ' ';
	line[CTL_MAX_IN + 1] = '\n';
	start(&t, false, true);
	assert_int_equal(-EMSGSIZE, ctl_feed(t.c, line, CTL_MAX_IN + 2));
	said(&t, ERROR("null", "-32600", "message longer than 65536 bytes",
		"limit"));
	stop(&t);
	start(&t, false, true);
	assert_int_equal(0, ctl_feed(t.c, line, CTL_MAX_IN));
	assert_int_equal(-EMSGSIZE, ctl_feed(t.c, " ", 1));
	said(&t, ERROR("null", "-32600", "line too long", "limit"));
	assert_int_equal(-EMSGSIZE, ctl_feed(t.c, "\n", 1));
	stop(&t);
	free(line);
}

static void long_answers_become_an_error(void **state)
{
	struct peer t;
	char *p;

	(void)state;
	start(&t, false, true);
	/* {"jsonrpc":"2.0","id":1,"result":{"x":"…"}} is 42 bytes more. */
	assert_int_equal(0, say(&t, ASK("1", "big", "{\"n\":262102}")));
	assert_int_equal(t.out.len, CTL_MAX_OUT + 1);
	buf_clear(&t.out);
	assert_int_equal(0, say(&t, ASK("1", "big", "{\"n\":262103}")));
	said(&t, ERROR("1", "-32000",
		"the answer has 262145 bytes, more than 262144", "limit"));
	p = malloc(CTL_MAX_OUT);
	assert_non_null(p);
	memset(p, '1', CTL_MAX_OUT);
	assert_int_equal(-EMSGSIZE, ctl_notify_text(t.c, "event", p,
		CTL_MAX_OUT));
	free(p);
	assert_int_equal(0, ctl_broken(t.c));
	stop(&t);
}

static void unknown_methods_are_counted(void **state)
{
	struct peer t;

	(void)state;
	start(&t, false, true);
	assert_int_equal(0, say(&t, ASK("9", "nope", "{}") TELL("nope",
		"{}")));
	said(&t, ERROR("9", "-32601", "no such method: nope", "invalid"));
	assert_int_equal(ctl_stats(t.c).unknown, 2);
	assert_int_equal(0, say(&t, ASK("9", "echo", "[1]") ASK("8", "echo",
		"null")));
	said(&t, ERROR("9", "-32000", "params must be an object", "invalid")
		ANSWER("8", "{}"));
	stop(&t);
}

static void errors_carry_more_data(void **state)
{
	struct peer t;

	(void)state;
	start(&t, false, true);
	assert_int_equal(0, say(&t, ASK("1", "refuse", "{}")));
	said(&t, "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32000,"
		 "\"message\":\"two are called Kim\",\"data\":{\"kind\":"
		 "\"ambiguous\",\"users\":[\"a\",\"b\"]}}}\n");
	assert_int_equal(0, say(&t, ASK("2", "keep", "{}")));
	ctl_fail(t.kept, "nonsense", "cut \xc3");
	said(&t, ERROR("2", "-32000", "cut \\\\xc3", "internal"));
	stop(&t);
}

static void answers_may_come_later_and_after_the_end(void **state)
{
	struct ctl_call *first;
	struct peer t;

	(void)state;
	start(&t, false, true);
	assert_int_equal(0, say(&t, ASK("1", "keep", "{}")));
	first = t.kept;
	assert_int_equal(0, say(&t, ASK("2", "keep", "{}")));
	assert_string_equal(ctl_call_method(first), "keep");
	assert_ptr_equal(ctl_call_conn(first), t.c);
	ctl_reply(t.kept, NULL);
	ctl_reply(first, json_pack("{s:i}", "seq", 4));
	said(&t, ANSWER("2", "{}") ANSWER("1", "{\"seq\":4}"));
	assert_int_equal(0, say(&t, ASK("3", "keep", "{}")));
	ctl_free(t.c);
	t.c = NULL;
	assert_null(ctl_call_conn(t.kept));
	ctl_reply(t.kept, json_object());
	said(&t, "");
	stop(&t);
}

static void calls_that_wait_are_bounded(void **state)
{
	struct ctl_call *kept[CTL_MAX_CALLS];
	struct peer t;

	(void)state;
	start(&t, false, true);
	for (int i = 0; i < CTL_MAX_CALLS; i++) {
		assert_int_equal(0, say(&t, ASK("1", "keep", "{}")));
		kept[i] = t.kept;
	}
	said(&t, "");
	assert_int_equal(0, say(&t, ASK("5", "keep", "{}")));
	said(&t, ERROR("5", "-32000", "too many requests wait for an answer",
		"busy"));
	for (int i = 0; i < CTL_MAX_CALLS; i++)
		ctl_fail(kept[i], "busy", "no");
	buf_clear(&t.out);
	assert_int_equal(0, say(&t, ASK("6", "echo", "{}")));
	said(&t, ANSWER("6", "{}"));
	stop(&t);
}

static void done(void *arg, const json_t *result, const struct ctl_error *err)
{
	struct peer *t = arg;

	t->answers++;
	assert_true(!result != !err);
	str_copy(t->kind, sizeof(t->kind), err ? err->kind : "");
	t->number = json_integer_value(json_object_get(result, "n"));
}

static void requests_meet_their_answers(void **state)
{
	struct peer t;

	(void)state;
	start(&t, false, true);
	assert_int_equal(0, ctl_request(t.c, "a", json_pack("{s:i}", "x", 1),
		CTL_NEVER, done, &t));
	assert_int_equal(0, ctl_request(t.c, "b", NULL, CTL_NEVER, done, &t));
	said(&t, ASK("1", "a", "{\"x\":1}") ASK("2", "b", "{}"));
	assert_int_equal(0, say(&t, ANSWER("2", "{\"n\":22}")));
	assert_int_equal(t.number, 22);
	assert_int_equal(0, say(&t, ERROR("1", "-32000", "no", "exists")));
	assert_string_equal(t.kind, "exists");
	assert_int_equal(t.answers, 2);
	/* Answers to nothing are counted, no more. */
	assert_int_equal(0, say(&t, ANSWER("2", "{}") ANSWER("\"q\"", "1")));
	assert_int_equal(ctl_stats(t.c).strays, 2);
	said(&t, "");
	/* Kinds where the peer gave none. */
	assert_int_equal(0, ctl_request(t.c, "c", NULL, CTL_NEVER, done, &t));
	assert_int_equal(0, say(&t, "{\"jsonrpc\":\"2.0\",\"id\":3,\"error\":"
				    "{\"code\":-32601,\"message\":\"\"}}\n"));
	assert_string_equal(t.kind, "invalid");
	assert_int_equal(0, ctl_request(t.c, "c", NULL, CTL_NEVER, done, &t));
	assert_int_equal(0, say(&t, "{\"jsonrpc\":\"2.0\",\"id\":4,\"error\":"
				    "{\"code\":-32603,\"message\":\"\"}}\n"));
	assert_string_equal(t.kind, "internal");
	stop(&t);
}

static void requests_time_out(void **state)
{
	struct peer t;

	(void)state;
	start(&t, false, true);
	assert_true(ctl_deadline(t.c) == CTL_NEVER);
	ctl_request(t.c, "a", NULL, 500, done, &t);
	ctl_request(t.c, "b", NULL, 300, done, &t);
	ctl_request(t.c, "c", NULL, CTL_NEVER, done, &t);
	assert_int_equal(ctl_deadline(t.c), 300);
	ctl_tick(t.c, 299);
	assert_int_equal(t.answers, 0);
	ctl_tick(t.c, 300);
	assert_int_equal(t.answers, 1);
	assert_string_equal(t.kind, "timeout");
	assert_int_equal(ctl_deadline(t.c), 500);
	ctl_tick(t.c, UINT64_MAX);
	assert_int_equal(t.answers, 2);
	assert_int_equal(ctl_stats(t.c).timeouts, 2);
	assert_int_equal(0, say(&t, ANSWER("1", "{}")));
	assert_int_equal(t.answers, 2);
	ctl_free(t.c);
	t.c = NULL;
	assert_int_equal(t.answers, 3);
	assert_string_equal(t.kind, "unavailable");
	stop(&t);
}

static void a_client_greets(void **state)
{
	struct peer t;

	(void)state;
	start(&t, false, true);
	assert_int_equal(0, ctl_request(t.c, "hello", ctl_hello("x/1",
		"client"), CTL_NEVER, done, &t));
	said(&t, ASK("1", "hello", "{\"protocol\":[1],\"agent\":\"x/1\","
		"\"role\":\"client\",\"caps\":[]}"));
	assert_int_equal(0, say(&t, ANSWER("1", "{\"protocol\":1}")));
	assert_true(ctl_greeted(t.c));
	assert_string_equal(t.kind, "");
	stop(&t);
	start(&t, false, true);
	ctl_request(t.c, "hello", NULL, CTL_NEVER, done, &t);
	assert_int_equal(0, say(&t, ANSWER("1", "{\"protocol\":2}")));
	assert_false(ctl_greeted(t.c));
	assert_string_equal(t.kind, "unavailable");
	stop(&t);
}

static void a_failed_write_is_final(void **state)
{
	struct peer t;

	(void)state;
	start(&t, false, true);
	t.write_err = -ENOBUFS;
	assert_int_equal(-EPIPE, say(&t, ASK("1", "echo", "{}")));
	t.write_err = 0;
	assert_int_equal(-EPIPE, ctl_notify(t.c, "event", NULL));
	assert_int_equal(-EPIPE, ctl_request(t.c, "a", NULL, 1, done, &t));
	assert_int_equal(-EPIPE, say(&t, ASK("1", "echo", "{}")));
	said(&t, "");
	ctl_free(t.c);
	t.c = NULL;
	assert_int_equal(t.answers, 0);
	stop(&t);
}

static void callbacks_may_free_the_connection(void **state)
{
	struct peer t;

	(void)state;
	start(&t, false, true);
	t.free_in_handler = true;
	assert_int_equal(-ESHUTDOWN, say(&t, ASK("1", "keep", "{}") ASK("2",
		"echo", "{}")));
	assert_null(t.c);
	ctl_reply(t.kept, NULL);
	said(&t, "");
	stop(&t);

	start(&t, false, true);
	t.free_in_write = true;
	assert_int_equal(-ESHUTDOWN, say(&t, ASK("1", "echo", "{}") ASK("2",
		"echo", "{}")));
	stop(&t);

	start(&t, false, true);
	t.free_in_write = true;
	assert_int_equal(0, ctl_request(t.c, "a", NULL, 1, done, &t));
	assert_int_equal(t.answers, 1);
	assert_string_equal(t.kind, "unavailable");
	stop(&t);
}

static void a_printed_event_is_sent_as_it_is(void **state)
{
	struct peer t;

	(void)state;
	start(&t, false, true);
	assert_int_equal(0, ctl_notify_text(t.c, "event", "{\"seq\":1}", 9));
	said(&t, TELL("event", "{\"seq\":1}"));
	assert_int_equal(0, ctl_notify(t.c, "event", json_pack("{s:i}",
		"seq", 2)));
	said(&t, TELL("event", "{\"seq\":2}"));
	stop(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kinds_have_their_exit_status),
		cmocka_unit_test(lines_come_in_any_pieces),
		cmocka_unit_test(messages_have_no_newline),
		cmocka_unit_test(hello_is_enforced),
		cmocka_unit_test(refused_hello_ends_the_connection),
		cmocka_unit_test(what_follows_hello_waits_for_its_answer),
		cmocka_unit_test(waiting_for_hello_is_bounded),
		cmocka_unit_test(optional_hello_is_served_once),
		cmocka_unit_test(malformed_input_closes_the_peer),
		cmocka_unit_test(long_ids_and_methods_are_refused),
		cmocka_unit_test(sizes_have_limits),
		cmocka_unit_test(long_answers_become_an_error),
		cmocka_unit_test(unknown_methods_are_counted),
		cmocka_unit_test(errors_carry_more_data),
		cmocka_unit_test(answers_may_come_later_and_after_the_end),
		cmocka_unit_test(calls_that_wait_are_bounded),
		cmocka_unit_test(requests_meet_their_answers),
		cmocka_unit_test(requests_time_out),
		cmocka_unit_test(a_client_greets),
		cmocka_unit_test(a_failed_write_is_final),
		cmocka_unit_test(callbacks_may_free_the_connection),
		cmocka_unit_test(a_printed_event_is_sent_as_it_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
