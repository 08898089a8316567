/* A message that is taken, written anew from what was read, reads alike. */
#include "wire.h"

#include "base.h"
#include "fuzz.h"

static void same(const struct stun *a, const struct stun *b)
{
	CHECK(a->class == b->class && a->method == b->method);
	CHECK(!memcmp(a->tid, b->tid, STUN_TID_BYTES));
	CHECK(!a->username == !b->username);
	CHECK(a->username_len == b->username_len);
	CHECK(!a->username_len ||
		!memcmp(a->username, b->username, a->username_len));
	CHECK(a->has_priority == b->has_priority);
	CHECK(a->priority == b->priority);
	CHECK(a->use_candidate == b->use_candidate);
	CHECK(a->controlling == b->controlling);
	CHECK(a->controlled == b->controlled);
	CHECK(a->tie_breaker == b->tie_breaker);
	CHECK(a->has_mapped == b->has_mapped);
	CHECK(a->mapped.v6 == b->mapped.v6);
	CHECK(a->mapped.port == b->mapped.port);
	CHECK(!memcmp(a->mapped.ip, b->mapped.ip, sizeof(a->mapped.ip)));
	CHECK(a->error_code == b->error_code);
}

static void write_anew(struct buf *b, const struct stun *m)
{
	stun_begin(b, m->class, m->method, m->tid);
	if (m->username)
		stun_put_username(b, m->username, m->username_len);
	if (m->has_priority)
		stun_put_priority(b, m->priority);
	if (m->use_candidate)
		stun_put_use_candidate(b);
	if (m->controlling)
		stun_put_controlling(b, m->tie_breaker);
	if (m->controlled)
		stun_put_controlled(b, m->tie_breaker);
	if (m->has_mapped)
		stun_put_mapped(b, &m->mapped);
	if (m->error_code)
		stun_put_error(b, m->error_code, "why");
	stun_put_unknown(b, m->unknown, m->unknown_count);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct stun m, again;
	struct buf b = {0};
	uint8_t head[STUN_HEADER_BYTES];
	if (stun_parse(&m, p, n))
		return 0;
	CHECK(demux(p, n) == DEMUX_STUN);
	touch(m.username, m.username_len);
	touch(m.reason, m.reason_len);
	if (m.integrity) {
		touch(m.integrity, STUN_MAC_BYTES);
		stun_integrity_head(head, &m, p);
		CHECK(m.integrity == p + m.integrity_at + 4);
		CHECK(be16(head + 2) <= n - STUN_HEADER_BYTES);
	}
	write_anew(&b, &m);
	size_t at = stun_put_integrity(&b);
	CHECK(!b.err && at);
	memset(b.data + at, 0x55, STUN_MAC_BYTES);
	stun_put_fingerprint(&b);
	CHECK(!b.err && !stun_parse(&again, b.data, b.len));
	CHECK(again.fingerprint && again.integrity == b.data + at);
	stun_integrity_head(head, &again, b.data);
	CHECK(be16(head + 2) + 8u == be16(b.data + 2));
	same(&m, &again);
	buf_free(&b);
	return 0;
}
