/* json - strict reading with limits and stable writing, over jansson.
 *
 * json_t is the project's value type; jansson.h rules its ownership
 * (json_incref, json_decref, "_new" steals). What this adds: limits, no
 * duplicate keys, typed access with the error named, one way of printing.
 */
#ifndef JSON_H
#define JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <jansson.h>

struct buf;

#define JSON_MAX_BYTES  65536u /* of a line or frame that comes in */
#define JSON_MAX_DEPTH  32

/* One JSON text, whole: UTF-8, no NUL, no duplicate keys, no trailing
 * bytes but white space, depth and size within the limits. Returns a new
 * reference, or NULL with the reason for people in why (which then is never
 * empty). errno: EINVAL, EMSGSIZE (too long), ENOMEM. */
json_t *json_read(const void *p, size_t n, char why[160]);
json_t *json_read_max(const void *p, size_t n, size_t max_bytes,
	char why[160]);

/* Appends compact JSON on one line, keys in order of insertion. */
int json_write(const json_t *v, struct buf *out);

/* Typed access to members of an object. A key that is missing or null
 * yields the fallback (or NULL); one of another type sets *bad to the key
 * if *bad is still NULL. Strings are lent by the object. */
const char *json_str(const json_t *o, const char *key, const char **bad);
int64_t json_int(const json_t *o, const char *key, int64_t fallback,
	const char **bad);
bool json_flag(const json_t *o, const char *key, bool fallback,
	const char **bad);
json_t *json_obj(const json_t *o, const char *key, const char **bad);
json_t *json_arr(const json_t *o, const char *key, const char **bad);

#endif
