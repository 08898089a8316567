/* hex - bytes of a packet as one writes them down: "80 6f 00 01 | 00".
 * Blanks and bars divide only for the eye. */
#ifndef HEX_H
#define HEX_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The bytes in a block of exactly their size, so that ASan sees a read past
 * the end; the caller frees it. */
static inline uint8_t *hex(const char *s, size_t *n)
{
	uint8_t *block = malloc(strlen(s) / 2 + 1);
	*n = 0;
	for (; *s; s++) {
		unsigned v;
		if (*s == ' ' || *s == '|')
			continue;
		if (sscanf(s, "%2x", &v) != 1)
			abort();
		block[(*n)++] = (uint8_t)v;
		s++;
	}
	uint8_t *exact = malloc(*n ? *n : 1);
	memcpy(exact, block, *n);
	free(block);
	return exact;
}

static inline void assert_bytes(const void *got, size_t got_len,
	const char *want)
{
	size_t n;
	uint8_t *p = hex(want, &n);
	assert_int_equal(got_len, n);
	assert_memory_equal(got, p, n);
	free(p);
}

#endif
