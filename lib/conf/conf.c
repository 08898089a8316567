/* conf - see conf.h. inih splits the text into keys and values; the reader
 * below counts its lines, which inih does not tell, and refuses what inih
 * would silently cut. */
#include <ini.h>
#include <stdarg.h>

#include "base.h"
#include "conf.h"

struct entry {
	char *section;
	char *key;
	struct buf value; /* NUL-terminated by parse_done */
	unsigned line;
};

struct conf {
	char *file;
	struct entry *entries;
	size_t n;
	size_t cap;
};

struct parse {
	struct conf *conf;
	struct rd rd;
	unsigned line;
	bool goes_on; /* the current line begins with a blank */
	int err;      /* of the first thing that is wrong */
	char *why;
};

static void whyf(char why[CONF_WHY_CAP], const char *file, unsigned line,
	const char *text)
{
	struct buf b = {0};

	str_escape(&b, file, strlen(file));
	if (line)
		buf_printf(&b, ":%u", line);
	buf_puts(&b, ": ");
	str_escape(&b, text, strlen(text));
	const char *s = buf_cstr(&b);
	snprintf(why, CONF_WHY_CAP, "%s", s ? s : "out of memory");
	buf_free(&b);
}

PRINTF(3, 4)
static int fail(struct parse *p, int err, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	if (p->err)
		return 0;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	whyf(p->why, p->conf->file, p->line, text);
	p->err = err;
	return 0;
}

/* inih's way of asking for a line: at most cap - 1 bytes and a NUL. */
static char *next_line(char *out, int cap, void *arg)
{
	struct parse *p = arg;
	size_t left = rd_left(&p->rd), len = 0;

	if (!left || p->err)
		return NULL;
	p->line++;
	while (len < left && p->rd.p[len] != '\n')
		len++;
	if (len > CONF_MAX_LINE || len + 2 > (size_t)cap) {
		fail(p, -EFBIG, "a line of more than %u bytes",
			CONF_MAX_LINE);
		return NULL;
	}
	const uint8_t *s = rd_bytes(&p->rd, len);
	p->goes_on = len && (s[0] == ' ' || s[0] == '\t');
	memcpy(out, s, len);
	out[len] = '\0';
	rd_bytes(&p->rd, MIN(rd_left(&p->rd), 1));
	return out;
}

static struct entry *find(const struct conf *c, const char *section,
	const char *key)
{
	for (size_t i = 0; i < c->n; i++)
		if (str_eq(c->entries[i].section, section) &&
			str_eq(c->entries[i].key, key))
			return &c->entries[i];
	return NULL;
}

static struct entry *add(struct conf *c, const char *section,
	const char *key, unsigned line)
{
	if (c->n == c->cap) {
		size_t cap = c->cap ? 2 * c->cap : 16;
		struct entry *e = realloc(c->entries, cap * sizeof(*e));
		if (!e)
			return NULL;
		c->entries = e;
		c->cap = cap;
	}
	struct entry *e = &c->entries[c->n];
	*e = (struct entry){.section = strdup(section),
		.key = strdup(key), .line = line};
	if (!e->section || !e->key) {
		free(e->section);
		free(e->key);
		return NULL;
	}
	c->n++;
	return e;
}

/* inih's handler: one for each key and for each line a value goes on. */
static int on_entry(void *arg, const char *section, const char *key,
	const char *value)
{
	struct parse *p = arg;
	struct entry *e;

	if (p->err)
		return 0;
	if (strlen(section) > CONF_MAX_NAME || strlen(key) > CONF_MAX_NAME)
		return fail(p, -EFBIG, "a name of more than %u bytes",
			CONF_MAX_NAME);
	if (!*section)
		return fail(p, -EINVAL, "'%s' stands before any [section]",
			key);
	if (!*key)
		return fail(p, -EINVAL, "a value without a key");
	e = find(p->conf, section, key);
	if (e && !p->goes_on)
		return fail(p, -EINVAL, "'%s' is given twice, first in line "
			"%u", key, e->line);
	if (!e && p->conf->n == CONF_MAX_ENTRIES)
		return fail(p, -EFBIG, "more than %u keys",
			CONF_MAX_ENTRIES);
	if (e) {
		buf_putc(&e->value, '\n');
	} else {
		e = add(p->conf, section, key, p->line);
		if (!e)
			return fail(p, -ENOMEM, "out of memory");
	}
	buf_puts(&e->value, value);
	if (!buf_cstr(&e->value))
		return fail(p, -ENOMEM, "out of memory");
	return 1;
}

struct conf *conf_parse(const void *bytes, size_t n, const char *file,
	char why[CONF_WHY_CAP])
{
	struct conf *c = calloc(1, sizeof(*c));
	struct parse p = {.conf = c, .rd = rd_of(bytes, n), .why = why};

	if (!c || !(c->file = strdup(file))) {
		whyf(why, file, 0, "out of memory");
		p.err = -ENOMEM;
		goto out;
	}
	if (n > CONF_MAX_BYTES) {
		fail(&p, -EFBIG, "more than %u bytes", CONF_MAX_BYTES);
		goto out;
	}
	if (n && !str_utf8_ok(bytes, n)) {
		fail(&p, -EINVAL, "not UTF-8 text");
		goto out;
	}
	int at = ini_parse_stream(next_line, &p, on_entry, &p);
	if (at > 0 && !p.err) {
		p.line = (unsigned)at;
		fail(&p, -EINVAL, "neither a [section] nor KEY = VALUE nor "
			"a comment");
	} else if (at < 0) {
		fail(&p, -ENOMEM, "out of memory");
	}
out:
	if (!p.err)
		return c;
	conf_free(c);
	errno = -p.err;
	return NULL;
}

void conf_free(struct conf *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->n; i++) {
		free(c->entries[i].section);
		free(c->entries[i].key);
		buf_free(&c->entries[i].value);
	}
	free(c->entries);
	free(c->file);
	free(c);
}

/* on_entry closed each value with a NUL behind its length. */
static const char *value_of(const struct entry *e)
{
	return (const char *)e->value.data;
}

const char *conf_get(const struct conf *c, const char *section,
	const char *key)
{
	const struct entry *e = find(c, section, key);

	return e ? value_of(e) : NULL;
}

int conf_next(const struct conf *c, size_t *pos, const char **section,
	const char **key, const char **value)
{
	if (*pos >= c->n)
		return 0;
	const struct entry *e = &c->entries[(*pos)++];
	*section = e->section;
	*key = e->key;
	*value = value_of(e);
	return 1;
}

static bool allows(const struct conf_key *k, const struct entry *e)
{
	size_t n = strlen(k->section);
	bool fits = n && k->section[n - 1] == '*' ?
		!strncmp(k->section, e->section, n - 1) :
		str_eq(k->section, e->section);

	return fits && str_eq(k->key, e->key);
}

int conf_check(const struct conf *c, const struct conf_key table[],
	size_t n, char why[CONF_WHY_CAP])
{
	for (size_t i = 0; i < c->n; i++) {
		const struct entry *e = &c->entries[i];
		size_t k = 0;
		while (k < n && !allows(&table[k], e))
			k++;
		if (k < n)
			continue;
		char text[2 * CONF_MAX_NAME + 64];
		snprintf(text, sizeof(text), "unknown key '%s' in [%s]",
			e->key, e->section);
		whyf(why, c->file, e->line, text);
		return -EINVAL;
	}
	return 0;
}

int conf_bad(const struct conf *c, const char *section, const char *key,
	char why[CONF_WHY_CAP], const char *fmt, ...)
{
	const struct entry *e = find(c, section, key);
	char text[256];
	va_list ap;
	int n = snprintf(text, sizeof(text), "%s: ", key);

	if (n < 0 || (size_t)n >= sizeof(text))
		n = 0;
	va_start(ap, fmt);
	vsnprintf(text + n, sizeof(text) - (size_t)n, fmt, ap);
	va_end(ap);
	whyf(why, c->file, e ? e->line : 0, text);
	return -EINVAL;
}
