/* Who is behind a proxy: networks, X-Forwarded-* and Forwarded, what is
 * believed of whom, known answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base.h"
#include "web_priv.h"

static void networks(void **state)
{
	static const struct {
		const char *net, *addr; /* NULL: no network */
		bool in;
	} cases[] = {
		{"10.0.0.0/8", "10.255.0.1:1", true},
		{"10.0.0.0/8", "11.0.0.1:1", false},
		{"10.0.0.1", "10.0.0.1:1", true},
		{"10.0.0.1", "10.0.0.2:1", false},
		{"10.0.0.0/9", "10.127.255.255:1", true},
		{"10.0.0.0/9", "10.128.0.0:1", false},
		{"10.0.0.4/31", "10.0.0.5:1", true},
		{"10.0.0.4/31", "10.0.0.6:1", false},
		{"0.0.0.0/0", "203.0.113.9:1", true},
		{"0.0.0.0/0", "[2001:db8::1]:1", false},
		{"::/0", "[2001:db8::1]:1", true},
		{"::/0", "203.0.113.9:1", false},
		{"::1", "[::1]:1", true},
		{"2001:db8::/32", "[2001:db8:ffff::1]:1", true},
		{"2001:db8::/32", "[2001:db9::1]:1", false},
		{"2001:db8::/127", "[2001:db8::1]:1", true},
		{"2001:db8::/127", "[2001:db8::2]:1", false},
		{"::ffff:10.0.0.0/104", "10.9.9.9:1", true},
		{"::ffff:10.0.0.0/104", "11.9.9.9:1", false},
		{"::ffff:10.0.0.1", "10.0.0.1:1", true},
		{"", NULL, false},
		{"/8", NULL, false},
		{"10.0.0.0/", NULL, false},
		{"10.0.0.0/33", NULL, false},
		{"10.0.0.0/-1", NULL, false},
		{"10.0.0.0/+8", NULL, false},
		{"10.0.0.0/8 ", NULL, false},
		{" 10.0.0.0/8", NULL, false},
		{"10.0.0.0/8/8", NULL, false},
		{"10.0.0.1/8", NULL, false},
		{"10.0.0/8", NULL, false},
		{"10.0.0.256", NULL, false},
		{"010.0.0.1", NULL, false},
		{"0x0a.0.0.1", NULL, false},
		{"10.0.0.1:80", NULL, false},
		{"2001:db8::/129", NULL, false},
		{"2001:db8::1/64", NULL, false},
		{"[2001:db8::]/32", NULL, false},
		{"2001:db8::/32%eth0", NULL, false},
		{"::ffff:10.0.0.0/95", NULL, false},
		{"localhost", NULL, false},
		{"1111:2222:3333:4444:5555:6666:7777:8888:9999:0000:1111",
			NULL, false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct web_net net;
		union io_addr a;
		int err = web_net_parse(&net, cases[i].net);

		if (err != (cases[i].addr ? 0 : -EINVAL))
			fail_msg("'%s': %d", cases[i].net, err);
		assert_int_equal(web_is_network(cases[i].net), !err);
		if (err)
			continue;
		assert_int_equal(io_addr_parse(&a, cases[i].addr), 0);
		if (web_nets_have(&net, 1, &a) != cases[i].in)
			fail_msg("'%s' and '%s'", cases[i].net,
				cases[i].addr);
	}
}

/* In these the proxies are 10.0.0.0/8 and 2001:db8:aaaa::/48, and the peer is
 * 10.0.0.1:5000 unless said otherwise. */
static void client_is(const char *peer, const struct web_said *said,
	const char *wanted)
{
	struct web_net trust[2];
	struct web_client c;
	union io_addr a;
	char got[IO_ADDR_CAP] = "";
	const char *why = "";
	int err;

	assert_int_equal(web_net_parse(&trust[0], "10.0.0.0/8"), 0);
	assert_int_equal(web_net_parse(&trust[1], "2001:db8:aaaa::/48"), 0);
	assert_int_equal(io_addr_parse(&a, peer), 0);
	err = web_client_of(&c, &a, false, said, trust, 2, &why);
	if (!err)
		io_addr_format(got, &c.addr);
	else
		assert_int_equal(err, -EINVAL);
	if (!str_eq(got, wanted))
		fail_msg("X-Forwarded-For '%s', Forwarded '%s': got '%s' (%s),"
			" wanted '%s'", said->x_for ? said->x_for : "",
			said->forwarded ? said->forwarded : "", got, why,
			wanted);
}

static void x_forwarded_for(void **state)
{
	static const char *const cases[][2] = {
		{"203.0.113.7", "203.0.113.7:0"},
		{" 203.0.113.7\t", "203.0.113.7:0"},
		{"203.0.113.7:4711", "203.0.113.7:4711"},
		{"2001:db8::7", "[2001:db8::7]:0"},
		{"[2001:db8::7]", "[2001:db8::7]:0"},
		{"[2001:db8::7]:4711", "[2001:db8::7]:4711"},
		{"::ffff:203.0.113.7", "203.0.113.7:0"},
		{"[::ffff:203.0.113.7]:1", "203.0.113.7:1"},
		/* The last one that is not ours, whatever is said before. */
		{"1.1.1.1, 203.0.113.7", "203.0.113.7:0"},
		{"1.1.1.1, 203.0.113.7, 10.0.0.9", "203.0.113.7:0"},
		{"1.1.1.1,203.0.113.7,10.0.0.9,10.2.3.4:99", "203.0.113.7:0"},
		{"10.0.0.2, 203.0.113.7", "203.0.113.7:0"},
		{"127.0.0.1, 203.0.113.7, 2001:db8:aaaa::3", "203.0.113.7:0"},
		{"203.0.113.7, ::ffff:10.0.0.9", "203.0.113.7:0"},
		{"1.1.1.1, 203.0.113.7,, ,", "203.0.113.7:0"},
		{"garbage, 203.0.113.7", "203.0.113.7:0"},
		{"\"1.1.1.1, 203.0.113.7", "203.0.113.7:0"},
		/* All ours: the first of them. */
		{"10.0.0.2, 10.0.0.3", "10.0.0.2:0"},
		/* None: whoever is connected, or the nearest that is known. */
		{"", "10.0.0.1:5000"},
		{" , ,", "10.0.0.1:5000"},
		{"unknown", "10.0.0.1:5000"},
		{"203.0.113.7, unknown", "10.0.0.1:5000"},
		{"203.0.113.7, unknown, 10.0.0.9", "10.0.0.9:0"},
		{"203.0.113.7, _hidden", "10.0.0.1:5000"},
		{"203.0.113.7, 1.2.3", "10.0.0.1:5000"},
		{"203.0.113.7, 1.2.3.4.5", "10.0.0.1:5000"},
		{"203.0.113.7, 1.2.3.256", "10.0.0.1:5000"},
		{"203.0.113.7, 1.2.3.4:", "10.0.0.1:5000"},
		{"203.0.113.7, 1.2.3.4:65536", "10.0.0.1:5000"},
		{"203.0.113.7, 1.2.3.4:-1", "10.0.0.1:5000"},
		{"203.0.113.7, 1.2.3.4 5", "10.0.0.1:5000"},
		{"203.0.113.7, [1.2.3.4]", "10.0.0.1:5000"},
		{"203.0.113.7, [::1", "10.0.0.1:5000"},
		{"203.0.113.7, ::1]", "10.0.0.1:5000"},
		{"203.0.113.7, [::1]x", "10.0.0.1:5000"},
		{"203.0.113.7, [::1]:", "10.0.0.1:5000"},
		{"203.0.113.7, fe80::1%eth0", "10.0.0.1:5000"},
		{"203.0.113.7, 0x7f.0.0.1", "10.0.0.1:5000"},
		{"203.0.113.7, localhost", "10.0.0.1:5000"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		client_is("10.0.0.1:5000", &(struct web_said){
			.x_for = cases[i][0]}, cases[i][1]);
}

static void forwarded(void **state)
{
	static const char *const cases[][2] = {
		{"for=203.0.113.7", "203.0.113.7:0"},
		{"For=\"203.0.113.7:4711\"", "203.0.113.7:4711"},
		{"for=203.0.113.7:4711", "203.0.113.7:4711"},
		{"for=\"[2001:db8::7]:4711\"", "[2001:db8::7]:4711"},
		{"for=\"[2001:db8::7]\"", "[2001:db8::7]:0"},
		{"for=\"\\2\\03.0.113.7\"", "203.0.113.7:0"},
		{"for=203.0.113.7:_x", "203.0.113.7:0"},
		{"proto=http;for=203.0.113.7;by=10.0.0.1", "203.0.113.7:0"},
		{"for=1.1.1.1, for=203.0.113.7", "203.0.113.7:0"},
		{"for=1.1.1.1, for=203.0.113.7;proto=https , by=x;for=10.9.9.9",
			"203.0.113.7:0"},
		{"for=\"a, for=1.1.1.1\", for=203.0.113.7", "203.0.113.7:0"},
		{" ;, for=203.0.113.7 ;; ,", "203.0.113.7:0"},
		{"for=unknown", "10.0.0.1:5000"},
		{"for=1.1.1.1, for=unknown, for=10.9.9.9", "10.9.9.9:0"},
		{"for=1.1.1.1, by=10.0.0.1", "10.0.0.1:5000"},
		{"for=1.1.1.1, for=_gazonk", "10.0.0.1:5000"},
		{"", "10.0.0.1:5000"},
		/* Malformed: refused, since a quote that a client left open
		 * would hide what its proxy wrote behind it. */
		{"for=\"1.1.1.1, for=203.0.113.7", ""},
		{"for=\"1.1.1.1, for=\"[2001:db8::7]\"", ""},
		{"for", ""},
		{"for=", ""},
		{"=x", ""},
		{"for=1.1.1.1 for=2.2.2.2", ""},
		{"for=1.1.1.1;for=2.2.2.2", ""},
		{"for =1.1.1.1", ""},
		{"for= 1.1.1.1", ""},
		{"for=\"x\"y", ""},
		{"for=\"\\\"", ""},
		{"203.0.113.7", ""},
		{"for=203.0.113.7;host=\"a b\"", ""},
		{"for=203.0.113.7;host=", ""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		client_is("10.0.0.1:5000", &(struct web_said){
			.forwarded = cases[i][0]}, cases[i][1]);
}

/* Of strangers nothing is believed; two headers have to agree. */
static void belief(void **state)
{
	struct web_said all = {.x_for = "203.0.113.7", .x_proto = "https",
		.x_host = "evil.example", .forwarded = "for=203.0.113.8"};

	(void)state;
	client_is("192.0.2.1:80", &all, "192.0.2.1:80");
	client_is("[2001:db8::1]:80", &all, "[2001:db8::1]:80");
	client_is("[::ffff:192.0.2.1]:80", &all, "192.0.2.1:80");
	client_is("10.0.0.1:5000", &all, "");
	all.forwarded = "for=1.1.1.1, for=\"203.0.113.7:99\"";
	client_is("10.0.0.1:5000", &all, "203.0.113.7:0");
	client_is("[::ffff:10.0.0.1]:5000", &all, "203.0.113.7:0");
	client_is("[2001:db8:aaaa::1]:5000", &all, "203.0.113.7:0");
	all.x_host = "a\"b";
	client_is("10.0.0.1:5000", &all, "");
	client_is("192.0.2.1:80", &all, "192.0.2.1:80");
}

static void schemes_and_hosts(void **state)
{
	static const struct {
		struct web_said said;
		bool trusted, tls, tls_wanted;
		const char *host;
	} cases[] = {
		{{.host = "in:8080"}, true, false, false, "in:8080"},
		{{.host = "in:8080"}, true, true, true, "in:8080"},
		{{.host = "in", .x_proto = "https", .x_host = "out"}, true,
			false, true, "out"},
		{{.host = "in", .x_proto = "https", .x_host = "out"}, false,
			false, false, "in"},
		{{.host = "in", .x_proto = "HTTP"}, true, true, false, "in"},
		{{.host = "in", .x_proto = "wss"}, true, false, true, "in"},
		{{.host = "in", .x_proto = "http, https"}, true, false, true,
			"in"},
		{{.host = "in", .x_proto = "https, http"}, true, false, false,
			"in"},
		{{.host = "in", .x_proto = "gopher"}, true, true, true, "in"},
		{{.host = "in", .x_host = "evil, out:444"}, true, false, false,
			"out:444"},
		{{.host = "in", .forwarded = "for=1.1.1.1;proto=http;host=e, "
			"for=203.0.113.7;proto=https;host=\"out:444\""}, true,
			false, true, "out:444"},
		/* The outermost of our own proxies knows best. */
		{{.host = "in", .forwarded = "for=203.0.113.7;proto=https;"
			"host=out, for=10.0.0.2;proto=http;host=mid"}, true,
			false, true, "out"},
		{{.host = "in", .forwarded = "proto=https;host=out"}, true,
			false, true, "out"},
	};
	struct web_net trust;

	(void)state;
	assert_int_equal(web_net_parse(&trust, "10.0.0.0/8"), 0);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct web_client c;
		union io_addr a;
		const char *why;

		assert_int_equal(io_addr_parse(&a, cases[i].trusted ?
			"10.0.0.1:1" : "192.0.2.1:1"), 0);
		assert_int_equal(web_client_of(&c, &a, cases[i].tls,
			&cases[i].said, &trust, 1, &why), 0);
		if (c.tls != cases[i].tls_wanted ||
			!str_eq(c.host, cases[i].host))
			fail_msg("case %zu: '%s', %d", i, c.host, c.tls);
	}
}

/* Longer than any list is: its end counts. */
static void long_lists(void **state)
{
	struct buf x = {0}, f = {0};

	(void)state;
	for (int i = 0; i < 1000; i++) {
		buf_puts(&x, "1.1.1.1, ");
		buf_puts(&f, "for=1.1.1.1, ");
	}
	buf_puts(&x, "203.0.113.7, 10.0.0.2");
	buf_puts(&f, "for=203.0.113.7, for=10.0.0.2");
	client_is("10.0.0.1:5000", &(struct web_said){.x_for = buf_cstr(&x),
		.forwarded = buf_cstr(&f)}, "203.0.113.7:0");
	buf_free(&x);
	buf_free(&f);
}

static void bases(void **state)
{
	static const char *const good[] = {"", "/conf", "/a/b-c_9", "/A"};
	static const char *const bad[] = {"/", "conf", "/conf/", "//conf",
		"/a//b", "/.", "/a/..", "/a.b", "/a%20", "/a b", "/a?b",
		"/a#b", "/-a", "/\xc3\xa4"};
	char big[WEB_BASE_CAP + 1];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		assert_true(web_is_base(good[i]));
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(web_is_base(bad[i]));
	memset(big, 'a', sizeof(big));
	big[0] = '/';
	big[WEB_BASE_CAP] = '\0';
	assert_false(web_is_base(big));
	assert_string_equal(web_below("/conf/ws", "/conf"), "/ws");
	assert_string_equal(web_below("/conf", "/conf"), "");
	assert_string_equal(web_below("/ws", ""), "/ws");
	assert_null(web_below("/confer", "/conf"));
	assert_null(web_below("/ws", "/conf"));
	assert_null(web_below("/con", "/conf"));
	assert_null(web_below("", "/conf"));
	assert_null(web_below(NULL, "/conf"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(networks),
		cmocka_unit_test(x_forwarded_for),
		cmocka_unit_test(forwarded),
		cmocka_unit_test(belief),
		cmocka_unit_test(schemes_and_hosts),
		cmocka_unit_test(long_lists),
		cmocka_unit_test(bases),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
