/* bytes - a growing buffer, a bounded reader, big-endian access.
 *
 * struct buf owns its memory. A failed allocation sets .err and makes every
 * later put a no-op, so that a writer checks once, at the end. Zeroed memory
 * is an empty buffer.
 * struct rd borrows the bytes it reads. A read past the end returns 0, moves
 * nothing and sets .bad, so that a parser checks once, at the end.
 */
#ifndef BYTES_H
#define BYTES_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf {
	uint8_t *data; /* NULL while empty and never grown */
	size_t len;
	size_t cap;
	int err; /* 0 or -ENOMEM */
};

void buf_free(struct buf *b);      /* releases and zeroes it */
void buf_clear(struct buf *b);     /* len = 0, err = 0, keeps memory */
int buf_reserve(struct buf *b, size_t more);
void buf_put(struct buf *b, const void *p, size_t n);
void buf_puts(struct buf *b, const char *s);
void buf_putc(struct buf *b, char c);
void buf_printf(struct buf *b, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void buf_vprintf(struct buf *b, const char *fmt, va_list ap);
void buf_u8(struct buf *b, uint8_t v);
void buf_u16(struct buf *b, uint16_t v); /* big-endian, as all below */
void buf_u24(struct buf *b, uint32_t v);
void buf_u32(struct buf *b, uint32_t v);
void buf_u64(struct buf *b, uint64_t v);
void buf_consume(struct buf *b, size_t n); /* drops the first n bytes */
/* The contents as a string: NUL behind the last byte, which len does not
 * count. NULL when out of memory. Lent until the next call on b. */
const char *buf_cstr(struct buf *b);

struct rd {
	const uint8_t *p;
	const uint8_t *end;
	bool bad;
};

struct rd rd_of(const void *p, size_t n);
size_t rd_left(const struct rd *r);
uint8_t rd_u8(struct rd *r);
uint16_t rd_u16(struct rd *r);
uint32_t rd_u24(struct rd *r);
uint32_t rd_u32(struct rd *r);
uint64_t rd_u64(struct rd *r);
/* The next n bytes, lent from what the reader borrows; NULL past the end. */
const uint8_t *rd_bytes(struct rd *r, size_t n);

static inline uint16_t be16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t be24(const uint8_t *p)
{
	return (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2];
}

static inline uint32_t be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
		(uint32_t)p[2] << 8 | p[3];
}

static inline uint64_t be64(const uint8_t *p)
{
	return (uint64_t)be32(p) << 32 | be32(p + 4);
}

static inline void be16_put(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static inline void be24_put(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 16);
	be16_put(p + 1, (uint16_t)v);
}

static inline void be32_put(uint8_t *p, uint32_t v)
{
	be16_put(p, (uint16_t)(v >> 16));
	be16_put(p + 2, (uint16_t)v);
}

static inline void be64_put(uint8_t *p, uint64_t v)
{
	be32_put(p, (uint32_t)(v >> 32));
	be32_put(p + 4, (uint32_t)v);
}

#endif
