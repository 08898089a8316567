/* wire_le_priv - little-endian numbers, as the bus header, IVF and Ogg have
 * them. bytes is 1 to 8. */
#ifndef WIRE_LE_PRIV_H
#define WIRE_LE_PRIV_H

#include <stdint.h>

static inline uint64_t le(const uint8_t *p, unsigned bytes)
{
	uint64_t v = 0;

	while (bytes)
		v = v << 8 | p[--bytes];
	return v;
}

static inline void le_put(uint8_t *p, unsigned bytes, uint64_t v)
{
	for (; bytes; bytes--, v >>= 8)
		*p++ = (uint8_t)v;
}

#endif
