/* base - bytes, strings, lists, maps and numbers that every module uses.
 *
 * Pure: no descriptor, no clock, no global state. Functions return 0 or a
 * negative errno unless they say otherwise; constructors return NULL with
 * errno set; every *_free(NULL) is legal.
 */
#ifndef BASE_H
#define BASE_H

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define ARRAY_LEN(a)  (sizeof(a) / sizeof((a)[0]))
#define MIN(a, b)     ((a) < (b) ? (a) : (b))
#define MAX(a, b)     ((a) > (b) ? (a) : (b))
#define PRINTF(f, a)  __attribute__((format(printf, f, a)))

#define NS_PER_MS     UINT64_C(1000000)
#define NS_PER_S      UINT64_C(1000000000)

#include "banned.h"
#include "bytes.h"
#include "str.h"
#include "list.h"
#include "map.h"
#include "rng.h"
#include "timefmt.h"
#include "usage.h"

#endif
