/* STUN: the vectors of RFC 5769, what counts and what is refused. */
#include "wire.h"

#include "base.h"
#include "hex.h"

#define TID "b7e7a701 bc34d686 fa87dfae "
/* RFC 5769 section 2.1: sample request. */
static const char request[] =
	"0001 0058 2112a442 " TID
	"| 8022 0010 53 54 55 4e 20 74 65 73 74 20 63 6c 69 65 6e 74"
	"| 0024 0004 6e0001ff"
	"| 8029 0008 932ff9b1 51263b36"
	"| 0006 0009 65 76 74 6a 3a 68 36 76 59 20 20 20"
	"| 0008 0014 9aeaa70c bfd8cb56 781ef2b5 b2d3f249 c1b571a2"
	"| 8028 0004 e57a3bcf";
/* Section 2.2: sample IPv4 response. */
static const char response4[] =
	"0101 003c 2112a442 " TID
	"| 8022 000b 74 65 73 74 20 76 65 63 74 6f 72 20"
	"| 0020 0008 0001 a147 e112a643"
	"| 0008 0014 2b91f599 fd9e90c3 8c7489f9 2af9ba53 f06be7d7"
	"| 8028 0004 c07d4c96";
/* Section 2.3: sample IPv6 response. */
static const char response6[] =
	"0101 0048 2112a442 " TID
	"| 8022 000b 74 65 73 74 20 76 65 63 74 6f 72 20"
	"| 0020 0014 0002 a147 0113a9fa a5d3f179 bc25f4b5 bed2b9d9"
	"| 0008 0014 a382954e 4be67bf1 1784c97c 8292c275 bfe3ed41"
	"| 8028 0004 c8fb0b4c";

static void rfc5769_request(void **state)
{
	uint8_t head[STUN_HEADER_BYTES];
	struct stun m;
	size_t n;
	uint8_t *p = hex(request, &n);
	(void)state;
	assert_int_equal(stun_parse(&m, p, n), 0);
	assert_int_equal(m.class, STUN_REQUEST);
	assert_int_equal(m.method, STUN_BINDING);
	assert_bytes(m.tid, STUN_TID_BYTES, TID);
	assert_int_equal(m.username_len, 9);
	assert_memory_equal(m.username, "evtj:h6vY", 9);
	assert_true(m.has_priority);
	assert_int_equal(m.priority, 0x6e0001ff);
	assert_true(m.controlled);
	assert_false(m.controlling);
	assert_false(m.use_candidate);
	assert_int_equal(m.tie_breaker, 0x932ff9b151263b36);
	assert_int_equal(m.unknown_count, 0);
	assert_true(m.fingerprint);
	/* The MAC covers 20 + 56 bytes, with a length of 80 in the header. */
	assert_int_equal(m.integrity_at, 76);
	assert_bytes(m.integrity, STUN_MAC_BYTES,
		"9aeaa70c bfd8cb56 781ef2b5 b2d3f249 c1b571a2");
	stun_integrity_head(head, &m, p);
	assert_bytes(head, sizeof(head), "0001 0050 2112a442 " TID);
	free(p);
}

static void rfc5769_responses(void **state)
{
	struct stun m;
	size_t n;
	uint8_t *p = hex(response4, &n);
	(void)state;
	assert_int_equal(stun_parse(&m, p, n), 0);
	assert_int_equal(m.class, STUN_SUCCESS);
	assert_true(m.has_mapped);
	assert_false(m.mapped.v6);
	assert_int_equal(m.mapped.port, 32853);
	assert_bytes(m.mapped.ip, 4, "c0 00 02 01"); /* 192.0.2.1 */
	assert_true(m.fingerprint);
	free(p);
	p = hex(response6, &n);
	assert_int_equal(stun_parse(&m, p, n), 0);
	assert_true(m.mapped.v6);
	assert_int_equal(m.mapped.port, 32853);
	/* 2001:db8:1234:5678:11:2233:4455:6677 */
	assert_bytes(m.mapped.ip, 16, "20010db8 12345678 00112233 44556677");
	free(p);
}

/* No bit of a message changes unseen by its FINGERPRINT; every cut shows. */
static void altered(void **state)
{
	static const char *const all[] = {request, response4, response6};
	struct stun m;
	size_t n;
	(void)state;
	for (size_t k = 0; k < ARRAY_LEN(all); k++) {
		uint8_t *p = hex(all[k], &n);
		for (size_t i = 0; i < 8 * n; i++) {
			p[i / 8] ^= (uint8_t)(1 << i % 8);
			/* A type or length that was hit may hide it. */
			assert_true(stun_parse(&m, p, n) == -EBADMSG ||
				!m.fingerprint);
			p[i / 8] ^= (uint8_t)(1 << i % 8);
		}
		for (size_t i = 0; i < n; i++) {
			uint8_t *cut = malloc(i ? i : 1);
			memcpy(cut, p, i);
			assert_int_equal(stun_parse(&m, cut, i), -EBADMSG);
			free(cut);
		}
		free(p);
	}
}

static int parse(const char *attributes, struct stun *m, uint8_t **p)
{
	char text[2048];
	size_t n;
	uint8_t *a = hex(attributes, &n);
	free(a);
	snprintf(text, sizeof(text), "0001 %04zx 2112a442 " TID "%s", n,
		attributes);
	*p = hex(text, &n);
	return stun_parse(m, *p, n);
}

static void malformed(void **state)
{
	static const char *const bad[] = {
		"0006",                          /* no multiple of 4 */
		"0006 0001",                     /* the walk past the end */
		"0006 0005 61626364",            /* padding past the end */
		"0006 ffff 61626364",
		"0024 0003 61626300", "0024 0008 00000000 00000000",
		"0025 0004 00000000",            /* USE-CANDIDATE is empty */
		"8029 0004 00000000", "802a 0004 00000000",
		"802a 0008 0000000000000001 8029 0008 0000000000000001",
		"0020 0004 0001 a147",           /* an address without one */
		"0020 0008 0002 a147 00000000",  /* IPv6 in 4 bytes */
		"0020 0008 0003 a147 00000000",  /* family 3 */
		"0020 0000",
		"0009 0003 00000400", "0009 0004 00000200",
		"0009 0004 00000464", "0009 0004 00000700",
		"0008 0010 00000000 00000000 00000000 00000000",
		"8028 0004 00000000",
	};
	struct stun m;
	uint8_t *p;
	size_t n;
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_int_equal(parse(bad[i], &m, &p), -EBADMSG);
		free(p);
	}
	/* A USERNAME of 516 bytes where 513 are the most. */
	char text[1200] = "0006 0204 ";
	for (int i = 0; i < 516; i++)
		memcpy(text + 10 + 2 * i, "61", 3);
	assert_int_equal(parse(text, &m, &p), -EBADMSG);
	free(p);
	/* No magic cookie; length 4 of 0; bits in front of the type. */
	p = hex("0001 0000 2112a443 " TID, &n);
	assert_int_equal(stun_parse(&m, p, n), -EBADMSG);
	p[7] = 0x42;
	assert_int_equal(stun_parse(&m, p, n), 0);
	p[3] = 4;
	assert_int_equal(stun_parse(&m, p, n), -EBADMSG);
	p[3] = 0;
	p[0] = 0x40;
	assert_int_equal(stun_parse(&m, p, n), -EBADMSG);
	free(p);
}

/* What stands behind MESSAGE-INTEGRITY is not covered by it. */
static void behind_integrity(void **state)
{
	struct stun m;
	uint8_t *p;
	(void)state;
	assert_int_equal(parse(
		"0024 0004 00000001"
		"| 0008 0014 00000000 00000000 00000000 00000000 00000000"
		"| 0025 0000 | 0006 0004 61626364 | 8029 0008 0000000000000001"
		"| 0008 0014 11111111 11111111 11111111 11111111 11111111"
		"| 7fff 0000", &m, &p), 0);
	assert_int_equal(m.priority, 1);
	assert_false(m.use_candidate);
	assert_null(m.username);
	assert_false(m.controlled);
	assert_int_equal(m.unknown_count, 0);
	assert_int_equal(m.integrity[0], 0);
	assert_int_equal(m.integrity_at, 28);
	free(p);
}

static void repeated(void **state)
{
	struct stun m;
	uint8_t *p;
	(void)state;
	assert_int_equal(parse(
		"0024 0004 00000001 | 0024 0004 00000002"
		"| 0006 0001 61000000 | 0006 0001 62000000"
		"| 0009 0005 00000401 78000000 | 0009 0004 00000457"
		"| 802a 0008 0000000000000001 | 802a 0008 0000000000000002"
		"| 0020 0008 0001 a147 e112a643 | 0020 0008 0001 0000 00000000",
		&m, &p), 0);
	assert_int_equal(m.tie_breaker, 1);
	assert_int_equal(m.mapped.port, 32853);
	assert_int_equal(m.priority, 1);
	assert_int_equal(m.username[0], 'a');
	assert_int_equal(m.error_code, 401);
	assert_int_equal(m.reason_len, 1);
	free(p);
}

static void unknown(void **state)
{
	char text[256] = "";
	struct stun m;
	uint8_t *p;
	(void)state;
	/* 0x7fff must be understood, 0xc057 need not be. */
	assert_int_equal(parse("7fff 0000 c057 0004 00000000 7fff 0000",
				 &m, &p), 0);
	assert_int_equal(m.unknown_count, 1);
	assert_int_equal(m.unknown[0], 0x7fff);
	free(p);
	for (int i = 0; i < 12; i++)
		snprintf(text + 9 * i, 10, "70%02x 0000", i);
	assert_int_equal(parse(text, &m, &p), 0);
	assert_int_equal(m.unknown_count, STUN_MAX_UNKNOWN);
	free(p);
}

static void types(void **state)
{
	/* Method 0xfff and class 3 fill all fourteen bits. */
	static const uint8_t tid[STUN_TID_BYTES];
	struct buf b = {0};
	struct stun m;
	(void)state;
	stun_begin(&b, STUN_ERROR, 0xfff, tid);
	assert_bytes(b.data, 2, "3fff");
	buf_clear(&b);
	stun_begin(&b, STUN_ERROR, STUN_BINDING, tid);
	assert_bytes(b.data, 2, "0111");
	assert_int_equal(stun_parse(&m, b.data, b.len), 0);
	assert_int_equal(m.class, STUN_ERROR);
	assert_int_equal(m.method, STUN_BINDING);
	buf_clear(&b);
	stun_begin(&b, STUN_INDICATION, STUN_BINDING, tid);
	assert_bytes(b.data, 2, "0011");
	buf_free(&b);
}

/* The sample request, but for its padding, which RFC 5769 fills with
 * spaces: so this FINGERPRINT and the place of the MAC are our own. */
static void writing_request(void **state)
{
	size_t n;
	uint8_t *want = hex(request, &n), *tid = want + 8;
	struct buf b = {0};
	struct stun m;
	(void)state;
	stun_begin(&b, STUN_REQUEST, STUN_BINDING, tid);
	stun_put_software(&b, "STUN test client");
	stun_put_priority(&b, 0x6e0001ff);
	stun_put_controlled(&b, 0x932ff9b151263b36);
	stun_put_username(&b, "evtj:h6vY", 9);
	size_t at = stun_put_integrity(&b);
	assert_int_equal(at, 80);
	assert_bytes(b.data, 4, "0001 0050"); /* as the MAC wants it */
	memcpy(b.data + at, want + at, STUN_MAC_BYTES);
	stun_put_fingerprint(&b);
	assert_int_equal(b.err, 0);
	assert_int_equal(b.len, n);
	memset(want + 73, 0, 3);
	assert_memory_equal(b.data, want, n - 4);
	assert_int_equal(stun_parse(&m, b.data, b.len), 0);
	assert_true(m.fingerprint);
	free(want);
	buf_free(&b);
}

static void writing_rest(void **state)
{
	static const uint8_t tid[STUN_TID_BYTES] = {
		0xb7, 0xe7, 0xa7, 0x01, 0xbc, 0x34, 0xd6, 0x86, 0xfa, 0x87,
		0xdf, 0xae};
	struct stun_addr a4 = {.port = 32853, .ip = {192, 0, 2, 1}};
	struct stun_addr a6 = {.v6 = true, .port = 32853,
		.ip = {0x20, 0x01, 0x0d, 0xb8, 0x12, 0x34, 0x56, 0x78, 0x00,
			0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77}};
	uint16_t types[] = {0x7fff, 0x7001};
	struct buf b = {0};
	struct stun m;
	(void)state;
	stun_begin(&b, STUN_SUCCESS, STUN_BINDING, tid);
	stun_put_mapped(&b, &a4);
	assert_bytes(b.data + 20, b.len - 20, "0020 0008 0001 a147 e112a643");
	buf_clear(&b);
	stun_begin(&b, STUN_SUCCESS, STUN_BINDING, tid);
	stun_put_mapped(&b, &a6);
	assert_bytes(b.data + 20, b.len - 20,
		"0020 0014 0002 a147 0113a9fa a5d3f179 bc25f4b5 bed2b9d9");
	buf_clear(&b);
	stun_begin(&b, STUN_ERROR, STUN_BINDING, tid);
	stun_put_error(&b, 487, "Role");
	stun_put_unknown(&b, types, 2);
	stun_put_use_candidate(&b);
	stun_put_controlling(&b, 1);
	assert_bytes(b.data, b.len, "0111 0024 2112a442 " TID
		"| 0009 0008 00000457 526f6c65 | 000a 0004 7fff7001"
		"| 0025 0000 | 802a 0008 0000000000000001");
	assert_int_equal(stun_parse(&m, b.data, b.len), 0);
	assert_int_equal(m.error_code, 487);
	assert_int_equal(m.reason_len, 4);
	assert_memory_equal(m.reason, "Role", 4);
	assert_true(m.use_candidate);
	assert_true(m.controlling);
	buf_free(&b);
}

static void writing_limits(void **state)
{
	static const uint8_t tid[STUN_TID_BYTES];
	char name[514];
	struct buf b = {0};
	(void)state;
	memset(name, 'x', sizeof(name));
	stun_begin(&b, STUN_REQUEST, STUN_BINDING, tid);
	stun_put_username(&b, name, 513);
	assert_int_equal(b.err, 0);
	stun_put_username(&b, name, 514);
	assert_int_equal(b.err, -EINVAL);
	assert_int_equal(stun_put_integrity(&b), 0);
	stun_put_fingerprint(&b);
	buf_clear(&b);
	stun_begin(&b, STUN_ERROR, STUN_BINDING, tid);
	stun_put_error(&b, 299, "");
	assert_int_equal(b.err, -EINVAL);
	buf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rfc5769_request),
		cmocka_unit_test(rfc5769_responses),
		cmocka_unit_test(altered),
		cmocka_unit_test(malformed),
		cmocka_unit_test(behind_integrity),
		cmocka_unit_test(repeated),
		cmocka_unit_test(unknown),
		cmocka_unit_test(types),
		cmocka_unit_test(writing_request),
		cmocka_unit_test(writing_rest),
		cmocka_unit_test(writing_limits),
	};
	return cmocka_run_group_tests_name("wire-stun", tests, NULL, NULL);
}
