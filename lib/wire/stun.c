#include "stun.h"

#include "base.h"

enum attr {
	USERNAME = 0x0006,
	MESSAGE_INTEGRITY = 0x0008,
	ERROR_CODE = 0x0009,
	UNKNOWN_ATTRIBUTES = 0x000A,
	REALM = 0x0014,
	NONCE = 0x0015,
	MESSAGE_INTEGRITY_SHA256 = 0x001C,
	XOR_MAPPED_ADDRESS = 0x0020,
	PRIORITY = 0x0024,
	USE_CANDIDATE = 0x0025,
	SOFTWARE = 0x8022,
	FINGERPRINT = 0x8028,
	ICE_CONTROLLED = 0x8029,
	ICE_CONTROLLING = 0x802A,
};

#define ATTR_HEAD         4
#define FINGERPRINT_BYTES (ATTR_HEAD + 4)
#define FINGERPRINT_XOR   UINT32_C(0x5354554e)

/* CRC-32 of ISO 3309 (as in zlib), four bits at a time. */
static uint32_t crc32(const uint8_t *p, size_t n)
{
	static const uint32_t nibble[16] = {
		0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac,
		0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
		0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
		0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
	};
	uint32_t crc = UINT32_MAX;
	for (; n; n--) {
		crc ^= *p++;
		crc = crc >> 4 ^ nibble[crc & 15];
		crc = crc >> 4 ^ nibble[crc & 15];
	}
	return ~crc;
}

static size_t padded(size_t len)
{
	return (len + 3) & ~(size_t)3;
}

static int known_elsewhere(uint16_t type)
{
	/* Required to be understood, and understood by those who need them. */
	return type == REALM || type == NONCE || type == UNKNOWN_ATTRIBUTES ||
		type == MESSAGE_INTEGRITY_SHA256 || type == 0x0001;
}

static int mapped(struct stun *m, const uint8_t *v, size_t len)
{
	struct stun_addr *a = &m->mapped;
	uint8_t mask[16];
	if (m->has_mapped)
		return 0;
	if (len < 4 || !((v[1] == 1 && len == 8) || (v[1] == 2 && len == 20)))
		return -EBADMSG;
	be32_put(mask, STUN_MAGIC);
	memcpy(mask + 4, m->tid, STUN_TID_BYTES);
	m->has_mapped = true;
	a->v6 = v[1] == 2;
	a->port = (uint16_t)(be16(v + 2) ^ STUN_MAGIC >> 16);
	for (size_t i = 0; i < len - 4; i++)
		a->ip[i] = v[4 + i] ^ mask[i];
	return 0;
}

static int error_code(struct stun *m, const uint8_t *v, size_t len)
{
	if (m->error_code)
		return 0;
	if (len < 4 || (v[2] & 7) < 3 || (v[2] & 7) > 6 || v[3] > 99)
		return -EBADMSG;
	m->error_code = 100u * (v[2] & 7) + v[3];
	m->reason = (const char *)v + 4;
	m->reason_len = len - 4;
	return 0;
}

static int role(struct stun *m, bool *which, const uint8_t *v, size_t len)
{
	if (*which)
		return 0;
	if (len != 8 || m->controlling || m->controlled)
		return -EBADMSG;
	*which = true;
	m->tie_breaker = be64(v);
	return 0;
}

static void unknown(struct stun *m, uint16_t type)
{
	if (type >= 0x8000 || known_elsewhere(type))
		return;
	for (unsigned i = 0; i < m->unknown_count; i++)
		if (m->unknown[i] == type)
			return;
	if (m->unknown_count < STUN_MAX_UNKNOWN)
		m->unknown[m->unknown_count++] = type;
}

static int attribute(struct stun *m, uint16_t type, const uint8_t *v,
	size_t len)
{
	switch (type) {
	case USERNAME:
		if (len > STUN_MAX_USERNAME)
			return -EBADMSG;
		if (!m->username) {
			m->username = (const char *)v;
			m->username_len = len;
		}
		return 0;
	case PRIORITY:
		if (len != 4)
			return -EBADMSG;
		if (!m->has_priority)
			m->priority = be32(v);
		m->has_priority = true;
		return 0;
	case USE_CANDIDATE:
		m->use_candidate = true;
		return len ? -EBADMSG : 0;
	case ICE_CONTROLLED:
		return role(m, &m->controlled, v, len);
	case ICE_CONTROLLING:
		return role(m, &m->controlling, v, len);
	case XOR_MAPPED_ADDRESS:
		return mapped(m, v, len);
	case ERROR_CODE:
		return error_code(m, v, len);
	default:
		unknown(m, type);
		return 0;
	}
}

/* One attribute at p[at]; only FINGERPRINT counts behind the integrity. */
static int take(struct stun *m, const uint8_t *p, size_t at, size_t n)
{
	uint16_t type = be16(p + at);
	size_t len = be16(p + at + 2);
	const uint8_t *v = p + at + ATTR_HEAD;
	if (padded(len) > n - at - ATTR_HEAD)
		return -EBADMSG;
	if (type == FINGERPRINT) {
		if (len != 4 || at + FINGERPRINT_BYTES != n ||
			be32(v) != (crc32(p, at) ^ FINGERPRINT_XOR))
			return -EBADMSG;
		m->fingerprint = true;
		return 0;
	}
	if (m->integrity)
		return 0;
	if (type == MESSAGE_INTEGRITY) {
		if (len != STUN_MAC_BYTES)
			return -EBADMSG;
		m->integrity = v;
		m->integrity_at = at;
		return 0;
	}
	return attribute(m, type, v, len);
}

int stun_parse(struct stun *out, const uint8_t *p, size_t n)
{
	*out = (struct stun){0};
	if (n < STUN_HEADER_BYTES || n % 4 || p[0] > 3 ||
		be16(p + 2) != n - STUN_HEADER_BYTES ||
		be32(p + 4) != STUN_MAGIC)
		return -EBADMSG;
	/* The class's two bits stand between those of the method. */
	uint16_t type = be16(p);
	out->class = (type >> 7 & 2) | (type >> 4 & 1);
	out->method = (type >> 2 & 0xf80) | (type >> 1 & 0x70) | (type & 0xf);
	out->tid = p + 8;
	for (size_t at = STUN_HEADER_BYTES; at < n;) {
		int rc = take(out, p, at, n);
		if (rc)
			return rc;
		at += ATTR_HEAD + padded(be16(p + at + 2));
	}
	return 0;
}

void stun_integrity_head(uint8_t out[static STUN_HEADER_BYTES],
	const struct stun *m, const uint8_t *p)
{
	memcpy(out, p, STUN_HEADER_BYTES);
	be16_put(out + 2, (uint16_t)(m->integrity_at + ATTR_HEAD +
		STUN_MAC_BYTES - STUN_HEADER_BYTES));
}

void stun_begin(struct buf *b, enum stun_class class, uint16_t method,
	const uint8_t tid[static STUN_TID_BYTES])
{
	unsigned c = class;
	buf_u16(b, (uint16_t)((method & 0xf80) << 2 | (method & 0x70) << 1 |
		(method & 0xf) | (c & 2) << 7 | (c & 1) << 4));
	buf_u16(b, 0);
	buf_u32(b, STUN_MAGIC);
	buf_put(b, tid, STUN_TID_BYTES);
}

/* Appends an attribute and sets the message's length. */
static void put(struct buf *b, uint16_t type, const void *v, size_t len)
{
	static const uint8_t zero[4];
	buf_u16(b, type);
	buf_u16(b, (uint16_t)len);
	buf_put(b, v, len);
	buf_put(b, zero, padded(len) - len);
	if (!b->err && b->len - STUN_HEADER_BYTES > 0xffff)
		b->err = -EINVAL;
	if (!b->err)
		be16_put(b->data + 2, (uint16_t)(b->len - STUN_HEADER_BYTES));
}

static void put_text(struct buf *b, uint16_t type, const char *s, size_t n,
	size_t max)
{
	if (n > max) {
		b->err = b->err ? b->err : -EINVAL;
		return;
	}
	put(b, type, s, n);
}

void stun_put_username(struct buf *b, const char *s, size_t n)
{
	put_text(b, USERNAME, s, n, STUN_MAX_USERNAME);
}

void stun_put_software(struct buf *b, const char *s)
{
	put_text(b, SOFTWARE, s, strlen(s), 763);
}

void stun_put_priority(struct buf *b, uint32_t priority)
{
	uint8_t v[4];
	be32_put(v, priority);
	put(b, PRIORITY, v, sizeof(v));
}

void stun_put_use_candidate(struct buf *b)
{
	put(b, USE_CANDIDATE, "", 0);
}

static void put_role(struct buf *b, uint16_t type, uint64_t tie_breaker)
{
	uint8_t v[8];
	be64_put(v, tie_breaker);
	put(b, type, v, sizeof(v));
}

void stun_put_controlling(struct buf *b, uint64_t tie_breaker)
{
	put_role(b, ICE_CONTROLLING, tie_breaker);
}

void stun_put_controlled(struct buf *b, uint64_t tie_breaker)
{
	put_role(b, ICE_CONTROLLED, tie_breaker);
}

void stun_put_mapped(struct buf *b, const struct stun_addr *a)
{
	uint8_t v[20] = {0, a->v6 ? 2 : 1};
	size_t n = a->v6 ? 16 : 4;
	if (b->err)
		return;
	be16_put(v + 2, (uint16_t)(a->port ^ STUN_MAGIC >> 16));
	/* Magic cookie and transaction id stand side by side in the header. */
	for (size_t i = 0; i < n; i++)
		v[4 + i] = a->ip[i] ^ b->data[4 + i];
	put(b, XOR_MAPPED_ADDRESS, v, 4 + n);
}

void stun_put_error(struct buf *b, unsigned code, const char *reason)
{
	uint8_t v[4 + 763] = {0, 0, (uint8_t)(code / 100),
		(uint8_t)(code % 100)};
	size_t n = strlen(reason);
	if (code < 300 || code > 699 || n > sizeof(v) - 4) {
		b->err = b->err ? b->err : -EINVAL;
		return;
	}
	memcpy(v + 4, reason, n);
	put(b, ERROR_CODE, v, 4 + n);
}

void stun_put_unknown(struct buf *b, const uint16_t *types, size_t n)
{
	uint8_t v[2 * STUN_MAX_UNKNOWN];
	if (n > STUN_MAX_UNKNOWN) {
		b->err = b->err ? b->err : -EINVAL;
		return;
	}
	for (size_t i = 0; i < n; i++)
		be16_put(v + 2 * i, types[i]);
	put(b, UNKNOWN_ATTRIBUTES, v, 2 * n);
}

size_t stun_put_integrity(struct buf *b)
{
	static const uint8_t zero[STUN_MAC_BYTES];
	put(b, MESSAGE_INTEGRITY, zero, sizeof(zero));
	return b->err ? 0 : b->len - STUN_MAC_BYTES;
}

void stun_put_fingerprint(struct buf *b)
{
	if (b->err)
		return;
	/* The checksum covers a header whose length counts it already. */
	uint8_t v[4];
	be16_put(b->data + 2,
		(uint16_t)(b->len + FINGERPRINT_BYTES - STUN_HEADER_BYTES));
	be32_put(v, crc32(b->data, b->len) ^ FINGERPRINT_XOR);
	put(b, FINGERPRINT, v, sizeof(v));
}
