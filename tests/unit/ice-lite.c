/* The server's agent: what it answers, and above all what it does not. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base.h"
#include "crypt.h"
#include "ice.h"
#include "wire.h"

#define S NS_PER_S

static const struct ice_addr server = { 4, { 127, 0, 0, 1 }, 8500 };
static const struct ice_addr client = { 4, { 192, 0, 2, 1 }, 32853 };
static const struct ice_addr other = { 4, { 192, 0, 2, 1 }, 32854 };

static struct ice *new_lite(void)
{
	struct ice_config c = { .lite = true, .ufrag = "evtj",
		.pwd = "VOkJxbRl1RmTxUk/WvJxBt", .seed = { 1 } };

	return ice_new(&c);
}

struct req {
	const char *user;
	const char *pwd;
	bool controlled;
	bool use_candidate;
	bool no_integrity;
	bool no_fingerprint;
	uint16_t unknown;
};

static void make(struct buf *b, const struct req *r)
{
	static const uint8_t tid[STUN_TID_BYTES] = "twelve bytes";
	const char *pwd = r->pwd ? r->pwd : "VOkJxbRl1RmTxUk/WvJxBt";
	const char *user = r->user ? r->user : "evtj:h6vY";
	size_t at;

	buf_clear(b);
	stun_begin(b, STUN_REQUEST, STUN_BINDING, tid);
	stun_put_username(b, user, strlen(user));
	stun_put_priority(b, 0x6e0001ff);
	if (r->controlled)
		stun_put_controlled(b, 7);
	else
		stun_put_controlling(b, 7);
	if (r->use_candidate)
		stun_put_use_candidate(b);
	if (r->unknown) {
		buf_u16(b, r->unknown);
		buf_u16(b, 0);
		be16_put(b->data + 2, (uint16_t)(b->len - 20));
	}
	if (!r->no_integrity) {
		at = stun_put_integrity(b);
		assert_int_equal(hmac_sha1(pwd, strlen(pwd), b->data, at - 4,
			NULL, 0, b->data + at), 0);
	}
	if (!r->no_fingerprint)
		stun_put_fingerprint(b);
	assert_int_equal(b->err, 0);
}

static int give(struct ice *ice, const struct req *r,
	const struct ice_addr *from, uint64_t now, struct ice_datagram *reply)
{
	struct buf b = { 0 };
	int rc;

	make(&b, r);
	rc = ice_input(ice, from, &server, b.data, b.len, now, reply);
	buf_free(&b);
	return rc;
}

/* RFC 5769 section 2.1, verbatim: USERNAME "evtj:h6vY", the password of
 * new_lite, ICE-CONTROLLED; so it is authentic and conflicts. */
static const uint8_t rfc5769[] = {
	0x00, 0x01, 0x00, 0x58, 0x21, 0x12, 0xa4, 0x42,
	0xb7, 0xe7, 0xa7, 0x01, 0xbc, 0x34, 0xd6, 0x86,
	0xfa, 0x87, 0xdf, 0xae, 0x80, 0x22, 0x00, 0x10,
	0x53, 0x54, 0x55, 0x4e, 0x20, 0x74, 0x65, 0x73,
	0x74, 0x20, 0x63, 0x6c, 0x69, 0x65, 0x6e, 0x74,
	0x00, 0x24, 0x00, 0x04, 0x6e, 0x00, 0x01, 0xff,
	0x80, 0x29, 0x00, 0x08, 0x93, 0x2f, 0xf9, 0xb1,
	0x51, 0x26, 0x3b, 0x36, 0x00, 0x06, 0x00, 0x09,
	0x65, 0x76, 0x74, 0x6a, 0x3a, 0x68, 0x36, 0x76,
	0x59, 0x20, 0x20, 0x20, 0x00, 0x08, 0x00, 0x14,
	0x9a, 0xea, 0xa7, 0x0c, 0xbf, 0xd8, 0xcb, 0x56,
	0x78, 0x1e, 0xf2, 0xb5, 0xb2, 0xd3, 0xf2, 0x49,
	0xc1, 0xb5, 0x71, 0xa2, 0x80, 0x28, 0x00, 0x04,
	0xe5, 0x7a, 0x3b, 0xcf,
};

static void rfc5769_request_is_authentic(void **state)
{
	struct ice *ice = new_lite();
	struct ice_datagram reply;
	struct stun m;

	(void)state;
	assert_int_equal(ice_set_remote(ice, "h6vY",
		"0123456789012345678901"), 0);
	assert_int_equal(ice_input(ice, &client, &server, rfc5769,
		sizeof(rfc5769), S, &reply), 0);
	assert_int_equal(stun_parse(&m, reply.data, reply.len), 0);
	assert_int_equal(m.class, STUN_ERROR);
	assert_int_equal(m.error_code, 487);
	assert_false(ice_pair_valid(ice, &server, &client));
	assert_int_equal(ice_stats(ice)->conflicts, 1);
	ice_free(ice);
}

static void each_changed_byte_gets_no_answer(void **state)
{
	struct ice *ice = new_lite();
	struct ice_datagram reply;
	uint8_t p[sizeof(rfc5769)];

	(void)state;
	ice_set_remote(ice, "h6vY", "0123456789012345678901");
	for (size_t i = 0; i < sizeof(p); i++) {
		memcpy(p, rfc5769, sizeof(p));
		p[i] ^= 0x40;
		assert_int_not_equal(ice_input(ice, &client, &server, p,
			sizeof(p), S, &reply), 0);
		assert_int_equal(reply.len, 0);
	}
	for (size_t n = 0; n < sizeof(p); n++) {
		assert_int_not_equal(ice_input(ice, &client, &server,
			rfc5769, n, S, &reply), 0);
		assert_int_equal(reply.len, 0);
	}
	ice_free(ice);
}

static void the_answer_says_the_source(void **state)
{
	struct ice *ice = new_lite();
	struct ice_datagram reply;
	struct ice_addr l, r;
	struct stun m;
	uint8_t head[STUN_HEADER_BYTES], mac[SHA1_BYTES];

	(void)state;
	ice_set_remote(ice, "h6vY", "0123456789012345678901");
	assert_int_equal(give(ice, &(struct req){ 0 }, &client, S, &reply), 0);
	assert_true(ice_addr_eq(&reply.from, &server));
	assert_true(ice_addr_eq(&reply.to, &client));
	assert_int_equal(stun_parse(&m, reply.data, reply.len), 0);
	assert_int_equal(m.class, STUN_SUCCESS);
	assert_true(m.fingerprint && m.has_mapped && !m.mapped.v6);
	assert_int_equal(m.mapped.port, 32853);
	assert_memory_equal(m.mapped.ip, client.bytes, 4);
	stun_integrity_head(head, &m, reply.data);
	assert_int_equal(hmac_sha1("VOkJxbRl1RmTxUk/WvJxBt", 22, head, 20,
		reply.data + 20, m.integrity_at - 20, mac), 0);
	assert_memory_equal(mac, m.integrity, 20);
	/* valid, but not selected without USE-CANDIDATE */
	assert_true(ice_pair_valid(ice, &server, &client));
	assert_int_equal(ice_selected(ice, &l, &r), -ENOTCONN);
	assert_int_equal(ice_state(ice), ICE_NEW);
	/* no amplification: 80 bytes at most for a request of 100 */
	assert_true(reply.len <= 80);
	ice_free(ice);
}

static void strangers_get_no_answer(void **state)
{
	static const struct {
		struct req r;
		int err;
	} t[] = {
		{ { .pwd = "VOkJxbRl1RmTxUk/WvJxBT" }, -EACCES },
		{ { .user = "evtk:h6vY" }, -ENOENT },
		{ { .user = "evtj:h6vZ" }, -ENOENT },
		{ { .user = "evtj:h6v" }, -ENOENT },
		{ { .user = "evtj:" }, -ENOENT },
		{ { .user = "evtj" }, -ENOENT },
		{ { .user = "" }, -ENOENT },
		{ { .no_integrity = true }, -EPROTO },
		{ { .no_fingerprint = true }, -EPROTO },
	};
	static const uint8_t bare[20] = { 0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42 };
	struct ice *ice = new_lite();
	struct ice_datagram reply;

	(void)state;
	/* before the client's credentials are known, nobody is answered */
	assert_int_equal(give(ice, &(struct req){ 0 }, &client, S, &reply),
		-ENOTCONN);
	assert_int_equal(reply.len, 0);
	ice_set_remote(ice, "h6vY", "0123456789012345678901");
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		assert_int_equal(give(ice, &t[i].r, &client, S, &reply),
			t[i].err);
		assert_int_equal(reply.len, 0);
	}
	assert_int_equal(ice_input(ice, &client, &server, bare, sizeof(bare),
		S, &reply), -EPROTO);
	assert_int_equal(reply.len, 0);
	assert_false(ice_pair_valid(ice, &server, &client));
	assert_int_equal(ice_stats(ice)->requests, 0);
	assert_int_equal(ice_stats(ice)->wrong_password, 1);
	assert_int_equal(ice_stats(ice)->wrong_user, 7);
	assert_int_equal(ice_stats(ice)->malformed, 3);
	ice_free(ice);
}

static void a_response_is_not_expected(void **state)
{
	static const uint8_t tid[STUN_TID_BYTES] = "twelve bytes";
	struct ice *ice = new_lite();
	struct ice_datagram reply;
	struct buf b = { 0 };
	size_t at;

	(void)state;
	ice_set_remote(ice, "h6vY", "0123456789012345678901");
	stun_begin(&b, STUN_SUCCESS, STUN_BINDING, tid);
	at = stun_put_integrity(&b);
	assert_int_equal(hmac_sha1("0123456789012345678901", 22, b.data,
		at - 4, NULL, 0, b.data + at), 0);
	stun_put_fingerprint(&b);
	assert_int_equal(ice_input(ice, &client, &server, b.data, b.len, S,
		&reply), -ESRCH);
	assert_int_equal(reply.len, 0);
	buf_free(&b);
	ice_free(ice);
}

static void unknown_required_attributes_get_420(void **state)
{
	struct ice *ice = new_lite();
	struct ice_datagram reply;
	struct stun m;

	(void)state;
	ice_set_remote(ice, "h6vY", "0123456789012345678901");
	assert_int_equal(give(ice, &(struct req){ .unknown = 0x7777 },
		&client, S, &reply), 0);
	assert_int_equal(stun_parse(&m, reply.data, reply.len), 0);
	assert_int_equal(m.error_code, 420);
	assert_false(ice_pair_valid(ice, &server, &client));
	ice_free(ice);
}

static void nomination_selects_and_may_move(void **state)
{
	struct ice *ice = new_lite();
	struct ice_datagram reply, out;
	struct ice_addr l, r;
	struct req use = { .use_candidate = true };

	(void)state;
	ice_set_remote(ice, "h6vY", "0123456789012345678901");
	assert_int_equal(give(ice, &use, &client, S, &reply), 0);
	assert_int_equal(ice_state(ice), ICE_CONNECTED);
	assert_int_equal(ice_selected(ice, &l, &r), 0);
	assert_true(ice_addr_eq(&l, &server) && ice_addr_eq(&r, &client));
	/* a plain check from elsewhere moves nothing, a nomination does */
	give(ice, &(struct req){ 0 }, &other, 2 * S, &reply);
	ice_selected(ice, &l, &r);
	assert_true(ice_addr_eq(&r, &client));
	give(ice, &use, &other, 3 * S, &reply);
	ice_selected(ice, &l, &r);
	assert_true(ice_addr_eq(&r, &other));
	/* a lite agent asks nothing */
	assert_false(ice_poll(ice, 4 * S, &out));
	assert_int_equal(ice_stats(ice)->sent, 0);
	ice_free(ice);
}

static void silence_disconnects_then_fails(void **state)
{
	struct ice *ice = new_lite();
	struct ice_datagram reply, out;
	struct req use = { .use_candidate = true };

	(void)state;
	ice_set_remote(ice, "h6vY", "0123456789012345678901");
	give(ice, &use, &client, S, &reply);
	assert_int_equal(ice_deadline(ice), 11 * S);
	ice_poll(ice, 11 * S - 1, &out);
	assert_int_equal(ice_state(ice), ICE_CONNECTED);
	ice_poll(ice, 11 * S, &out);
	assert_int_equal(ice_state(ice), ICE_DISCONNECTED);
	give(ice, &(struct req){ 0 }, &client, 20 * S, &reply);
	assert_int_equal(ice_state(ice), ICE_CONNECTED);
	ice_poll(ice, 45 * S, &out);
	assert_int_equal(ice_deadline(ice), 50 * S);
	ice_poll(ice, 50 * S, &out);
	assert_int_equal(ice_state(ice), ICE_FAILED);
	assert_true(ice_deadline(ice) == ICE_NEVER);
	/* the dead do not answer */
	assert_int_equal(give(ice, &use, &client, 51 * S, &reply),
		-ESHUTDOWN);
	assert_int_equal(reply.len, 0);
	assert_false(ice_pair_valid(ice, &server, &client));
	ice_free(ice);
}

static void never_spoken_to_fails(void **state)
{
	struct ice *ice = new_lite();
	struct ice_datagram out;

	(void)state;
	assert_int_equal(ice_deadline(ice), 30 * S);
	ice_poll(ice, 30 * S, &out);
	assert_int_equal(ice_state(ice), ICE_FAILED);
	ice_free(ice);
}

/* The client moved and does not nominate again: its live path is taken when
 * the selected one has been silent for long. */
static void a_live_path_replaces_a_silent_one(void **state)
{
	struct ice *ice = new_lite();
	struct ice_datagram reply, out;
	struct ice_addr l, r;

	(void)state;
	ice_set_remote(ice, "h6vY", "0123456789012345678901");
	give(ice, &(struct req){ .use_candidate = true }, &client, S, &reply);
	give(ice, &(struct req){ 0 }, &other, 10 * S, &reply);
	ice_poll(ice, 11 * S, &out);
	ice_selected(ice, &l, &r);
	assert_true(ice_addr_eq(&r, &other));
	assert_int_equal(ice_state(ice), ICE_CONNECTED);
	ice_free(ice);
}

static void paths_are_bounded(void **state)
{
	struct ice *ice = new_lite();
	struct ice_datagram reply;
	struct ice_addr from = client, l, r;

	(void)state;
	ice_set_remote(ice, "h6vY", "0123456789012345678901");
	give(ice, &(struct req){ .use_candidate = true }, &client, S, &reply);
	for (unsigned i = 0; i < 1000; i++) {
		from.port = (uint16_t)(1000 + i);
		assert_int_equal(give(ice, &(struct req){ 0 }, &from,
			S + i, &reply), 0);
	}
	/* the newest is there, the oldest but the selected one gone */
	assert_true(ice_pair_valid(ice, &server, &from));
	from.port = 1000;
	assert_false(ice_pair_valid(ice, &server, &from));
	assert_int_equal(ice_selected(ice, &l, &r), 0);
	assert_true(ice_addr_eq(&r, &client));
	ice_free(ice);
}

static void credentials_are_checked(void **state)
{
	struct ice_config c = { .lite = true, .ufrag = "abc",
		.pwd = "0123456789012345678901" };
	struct ice *ice;
	char longest[ICE_CRED_MAX + 2];

	(void)state;
	assert_null(ice_new(&c));
	c.ufrag = "abcd";
	c.pwd = "012345678901234567890";
	assert_null(ice_new(&c));
	c.pwd = "0123456789012345678901";
	ice = ice_new(&c);
	assert_non_null(ice);
	memset(longest, 'x', sizeof(longest));
	longest[ICE_CRED_MAX + 1] = '\0';
	assert_int_equal(ice_set_remote(ice, longest, c.pwd), -EINVAL);
	assert_int_equal(ice_set_remote(ice, "ab:d", c.pwd), -EINVAL);
	assert_int_equal(ice_set_remote(ice, "ab d", c.pwd), -EINVAL);
	longest[ICE_CRED_MAX] = '\0';
	assert_int_equal(ice_set_remote(ice, longest, longest), 0);
	assert_int_equal(ice_set_remote(ice, longest, longest), 0);
	assert_int_equal(ice_set_remote(ice, "abcd", longest), -EALREADY);
	ice_free(ice);
	ice_free(NULL);
}

static void ufrag_is_found_without_trust(void **state)
{
	size_t len;
	const char *s = ice_request_ufrag(rfc5769, sizeof(rfc5769), &len);

	(void)state;
	assert_non_null(s);
	assert_int_equal(len, 4);
	assert_memory_equal(s, "evtj", 4);
	assert_null(ice_request_ufrag(rfc5769, 40, &len));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rfc5769_request_is_authentic),
		cmocka_unit_test(each_changed_byte_gets_no_answer),
		cmocka_unit_test(the_answer_says_the_source),
		cmocka_unit_test(strangers_get_no_answer),
		cmocka_unit_test(a_response_is_not_expected),
		cmocka_unit_test(unknown_required_attributes_get_420),
		cmocka_unit_test(nomination_selects_and_may_move),
		cmocka_unit_test(silence_disconnects_then_fails),
		cmocka_unit_test(never_spoken_to_fails),
		cmocka_unit_test(a_live_path_replaces_a_silent_one),
		cmocka_unit_test(paths_are_bounded),
		cmocka_unit_test(credentials_are_checked),
		cmocka_unit_test(ufrag_is_found_without_trust),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
