/* str - strings, numbers in strings, and binary-to-text codes.
 *
 * Sizes are bytes and count the closing NUL where a name ends in _cap.
 */
#ifndef STR_H
#define STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;

/* Copies with the NUL; -ENAMETOOLONG leaves an empty string, never a cut
 * one. */
int str_copy(char *dst, size_t dst_cap, const char *src);
bool str_eq(const char *a, const char *b); /* either may be NULL */
bool str_starts(const char *s, const char *prefix);

/* Decimal, whole string, within [min, max]: else -EINVAL or -ERANGE. */
int str_u64(const char *s, uint64_t min, uint64_t max, uint64_t *out);
int str_i64(const char *s, int64_t min, int64_t max, int64_t *out);
/* "250ms", "10s", "5m", "2h", "1d"; a bare number means seconds. */
int str_duration_ms(const char *s, uint64_t *out_ms);

/* Valid UTF-8 without NUL (RFC 3629: no surrogates, no overlong forms). */
bool str_utf8_ok(const char *s, size_t n);
/* Code points of valid UTF-8. */
size_t str_utf8_len(const char *s, size_t n);

/* Appends s so that it is safe on a terminal and in a log line: control
 * characters, bidi overrides and bytes that are no UTF-8 become \xNN or
 * \u{NNNN}, and a backslash is doubled. */
void str_escape(struct buf *out, const char *s, size_t n);

/* A meeting's id: [a-z0-9][a-z0-9-]{0,63}. */
bool str_is_meeting_id(const char *s);
/* A random id: one of prefixes ("lute…"), '_', 26 of [a-z2-7]. */
bool str_is_id(const char *s, char prefix);
#define STR_ID_CAP 29 /* "u_" + 26 + NUL */
/* Writes such an id from 128 random bits. */
void str_id(char out[STR_ID_CAP], char prefix, const uint8_t random[16]);

/* Lower-case hex: 2n characters and NUL. */
void str_hex(char *out, const uint8_t *p, size_t n);
int str_unhex(uint8_t *out, size_t n, const char *s); /* exactly 2n digits */
/* base64url without padding (RFC 4648 section 5), appended. */
void str_b64url(struct buf *out, const void *p, size_t n);
/* Decodes; refuses padding, foreign characters and non-zero spare bits. */
int str_unb64url(struct buf *out, const char *s, size_t n);

/* Comparison in constant time for secrets of equal length. */
bool mem_equal_ct(const void *a, const void *b, size_t n);

#endif
