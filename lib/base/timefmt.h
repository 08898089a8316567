/* timefmt - wall-clock times as RFC 3339 in UTC with milliseconds. */
#ifndef TIMEFMT_H
#define TIMEFMT_H

#include <stdint.h>

#define TIME_CAP 25 /* "2026-11-22T09:00:00.123Z" and NUL */

/* ms since 1970-01-01T00:00:00Z, years 1970 to 9999; later ones clamp. */
void time_format(char out[TIME_CAP], uint64_t ms);
/* Also takes other offsets than Z and 0 to 9 decimals. -EINVAL. */
int time_parse(const char *s, uint64_t *out_ms);

#endif
