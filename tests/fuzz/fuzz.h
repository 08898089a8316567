/* fuzz - what every fuzz target needs. CHECK stands also where NDEBUG would
 * take assert away. */
#ifndef FUZZ_H
#define FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(cond)                                                     \
	do {                                                            \
		if (!(cond)) {                                          \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, \
				__LINE__, #cond);                       \
			abort();                                        \
		}                                                       \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

/* Reads every byte, so that ASan sees a lent pointer that leads astray. */
static inline void touch(const void *p, size_t n)
{
	static volatile unsigned char sink;
	for (size_t i = 0; i < n; i++)
		sink = (unsigned char)(sink ^ ((const unsigned char *)p)[i]);
}

#endif
