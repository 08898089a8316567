#include "bushdr.h"

#include "base.h"

/* Little-endian, as nothing else of ours is. */
static uint64_t le(const uint8_t *p, unsigned bytes)
{
	uint64_t v = 0;
	while (bytes)
		v = v << 8 | p[--bytes];
	return v;
}

static void le_put(uint8_t *p, unsigned bytes, uint64_t v)
{
	for (; bytes; bytes--, v >>= 8)
		*p++ = (uint8_t)v;
}

int bushdr_parse(struct bushdr *out, const uint8_t *p, size_t n)
{
	*out = (struct bushdr){0};
	if (n < BUSHDR_BYTES)
		return -EBADMSG;
	if (p[0] != BUSHDR_VERSION)
		return -EPROTONOSUPPORT;
	if (p[1] > BUS_RTCP)
		return -EBADMSG;
	if (n > (p[1] == BUS_JSON ? BUS_MAX_JSON : BUS_MAX_BYTES))
		return -EMSGSIZE;
	out->version = p[0];
	out->kind = p[1];
	out->track = (uint16_t)le(p + 2, 2);
	out->flags = (uint32_t)le(p + 4, 4);
	out->arrival_ns = le(p + 8, 8);
	return 0;
}

void bushdr_write(uint8_t out[static BUSHDR_BYTES], const struct bushdr *h)
{
	out[0] = BUSHDR_VERSION;
	out[1] = (uint8_t)h->kind;
	le_put(out + 2, 2, h->track);
	le_put(out + 4, 4, h->flags);
	le_put(out + 8, 8, h->arrival_ns);
}
