/* seqno - arithmetic on 16-bit sequence numbers and 32-bit timestamps that
 * wrap (RFC 1982, with half of the circle in front and half behind). */
#ifndef SEQNO_H
#define SEQNO_H

#include <stdbool.h>
#include <stdint.h>

/* How far a is in front of b: -32768 to 32767. */
static inline int seq_diff(uint16_t a, uint16_t b)
{
	return (int16_t)(uint16_t)(a - b);
}

static inline bool seq_newer(uint16_t a, uint16_t b)
{
	return seq_diff(a, b) > 0;
}

static inline int32_t ts_diff(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b);
}

/* The number with a's low 16 bits that is nearest to ref. Start ref high
 * enough (1 << 32, say) that it never goes below zero. */
static inline uint64_t seq_extend(uint16_t a, uint64_t ref)
{
	return ref + (uint64_t)(int64_t)seq_diff(a, (uint16_t)ref);
}

/* Ticks of a clock of hz in ns; exact for whole days. */
static inline uint64_t ns_to_ticks(uint64_t ns, uint32_t hz)
{
	return ns / UINT64_C(1000000000) * hz +
		ns % UINT64_C(1000000000) * hz / UINT64_C(1000000000);
}

#endif
