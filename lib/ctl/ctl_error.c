/* The table of error kinds, and words made safe to print. */
#include "ctl_priv.h"

static const struct {
	const char *kind;
	int status;
} kinds[] = {
	{"not_found", 1},
	{"exists", 1},
	{"ambiguous", 1},
	{"denied", 1},
	{"invalid", 2},
	{"io", 3},
	{"internal", 3},
	{"busy", 75},
	{"limit", 75},
	{"draining", 75},
	{"unavailable", 75},
	{"timeout", 124},
};

int ctl_kind_status(const char *kind)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (str_eq(kinds[i].kind, kind))
			return kinds[i].status;
	return 3;
}

const char *ctl_kind_name(size_t i)
{
	return i < ARRAY_LEN(kinds) ? kinds[i].kind : NULL;
}

const char *ctl_kind_find(const char *kind)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (str_eq(kinds[i].kind, kind))
			return kinds[i].kind;
	return NULL;
}

/* A message may quote what the peer sent, cut anywhere by a format's
 * precision, so it can end inside a code point. */
void ctl_put_string(struct buf *b, const char *message)
{
	size_t n = strlen(message);
	struct buf safe = {0};
	json_t *v;

	if (str_utf8_ok(message, n))
		buf_put(&safe, message, n);
	else
		str_escape(&safe, message, n);
	v = safe.err ? NULL
		: json_stringn((const char *)safe.data, safe.len);
	if (!v && !safe.len && !safe.err)
		v = json_string("");
	if (!v || json_write(v, b))
		b->err = -ENOMEM;
	json_decref(v);
	buf_free(&safe);
}
