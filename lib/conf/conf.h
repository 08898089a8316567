/* conf - confkit.conf: INI text to sections of keys and values (over inih).
 *
 *   [section name]
 *   key = value          ; a comment after a blank and a semicolon
 *       more of it       a line that begins with a blank goes on with the
 *                        value; the parts are joined by a line break
 *
 * Pure: takes the bytes of the file; whoever has a descriptor reads it.
 * Limits: CONF_MAX_BYTES in all, CONF_MAX_LINE bytes a line without its
 * line break, CONF_MAX_ENTRIES keys, CONF_MAX_NAME bytes a section or key.
 * Owner: struct conf owns all strings that it lends; they live as long.
 * Errors: text for people, "FILE:LINE: what is wrong", in why; never empty
 * on failure, and control characters in it are escaped.
 */
#ifndef CONF_H
#define CONF_H

#include <stddef.h>

#define CONF_MAX_BYTES    65536u
#define CONF_MAX_LINE     196u
#define CONF_MAX_NAME     48u
#define CONF_MAX_ENTRIES  256u
#define CONF_MAX_WORDS    64u
#define CONF_WHY_CAP      512u

struct conf;

/* Parses n bytes that were read from file (named in errors, copied). NULL
 * with errno EINVAL (malformed, a key given twice, no UTF-8), EFBIG (over a
 * limit) or ENOMEM. No bytes at all are an empty configuration. */
struct conf *conf_parse(const void *p, size_t n, const char *file,
	char why[CONF_WHY_CAP]);
void conf_free(struct conf *c);

/* The value, or NULL if the key is not there. */
const char *conf_get(const struct conf *c, const char *section,
	const char *key);

/* In the order of the file: start with *pos = 0; 0 at the end, else 1. */
int conf_next(const struct conf *c, size_t *pos, const char **section,
	const char **key, const char **value);

/* What may stand in a file. A section that ends in '*' allows every section
 * that begins with what stands before it. */
struct conf_key {
	const char *section;
	const char *key;
};

/* -EINVAL with why at the first entry that no row of the table allows. */
int conf_check(const struct conf *c, const struct conf_key table[],
	size_t n, char why[CONF_WHY_CAP]);

/* Writes "FILE:LINE: KEY: " and the message for an entry into why; returns
 * -EINVAL for the caller to return. */
int conf_bad(const struct conf *c, const char *section, const char *key,
	char why[CONF_WHY_CAP], const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));

/* A value as a list of words: parted by blanks and line breaks; "double
 * quotes" keep blanks inside a word and make an empty one. There is no
 * escape, no variable and no shell. */
struct conf_words {
	size_t n;
	char *v[CONF_MAX_WORDS + 1]; /* NULL behind the last */
};

/* 0, -EINVAL (a quote is left open), -E2BIG, -ENOMEM; w is empty then. */
int conf_words(struct conf_words *w, const char *value);
void conf_words_free(struct conf_words *w); /* legal on a zeroed one */

#endif
