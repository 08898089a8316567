/* Reading a session description: lines, the session, m-lines. */
#include "sdp.h"

#include "wire_sdp_priv.h"

#include <stdio.h>
#include <strings.h>

int sdp_fail(struct sdp_reader *r, int err, const char *reason)
{
	r->e->line = r->line;
	snprintf(r->e->reason, sizeof(r->e->reason), "%s", reason);
	return -err;
}

int sdp_fail_add(struct sdp_reader *r, const char *what)
{
	char reason[80];
	if (errno != E2BIG)
		return sdp_fail(r, ENOMEM, "out of memory");
	snprintf(reason, sizeof(reason), "too many %s", what);
	return sdp_fail(r, E2BIG, reason);
}

void sdp_error_text(const struct sdp_error *e, char *out, size_t out_cap)
{
	if (e->line)
		snprintf(out, out_cap, "line %u: %s", e->line, e->reason);
	else
		snprintf(out, out_cap, "%s", e->reason);
}

char *sdp_word(char **rest)
{
	char *word = *rest + strspn(*rest, " ");
	if (!*word)
		return NULL;
	char *end = word + strcspn(word, " ");
	*rest = end;
	if (*end) {
		*end = '\0';
		*rest = end + 1;
	}
	return word;
}

bool sdp_is_tag(const char *s)
{
	size_t n = strlen(s);
	if (!n || n > SDP_MAX_TAG)
		return false;
	for (; *s; s++)
		if (*s <= ' ' || *s >= 0x7f || strchr("\"(),/:;<=>?@[\\]", *s))
			return false;
	return true;
}

int sdp_name_index(const char *const *names, size_t n, const char *s)
{
	for (size_t i = 0; s && i < n; i++)
		if (names[i] && !strcasecmp(names[i], s))
			return (int)i;
	return -1;
}

static int read_origin(struct sdp_reader *r, char *value)
{
	char *user = sdp_word(&value);
	char *id = sdp_word(&value);
	char *version = sdp_word(&value);
	if (!user || !version ||
		str_u64(id, 0, UINT64_MAX, &r->s->session_id) ||
		str_u64(version, 0, UINT64_MAX, &r->s->session_version))
		return sdp_fail(r, EINVAL, "the origin's id is no number");
	return 0;
}

/* "IN IP4 0.0.0.0" */
static int read_connection(struct sdp_reader *r, char *value)
{
	char *net = sdp_word(&value);
	value += strspn(value, " ");
	if (!str_eq(net, "IN") || (!str_starts(value, "IP4 ") &&
			!str_starts(value, "IP6 ")))
		return sdp_fail(r, EINVAL, "c= is not IN IP4 or IN IP6");
	const char *address = sdp_dup(r->s, value);
	if (!address)
		return sdp_fail_add(r, "texts");
	if (r->m)
		r->m->address = address;
	else
		r->address = address;
	return 0;
}

static int read_formats(struct sdp_reader *r, char *value)
{
	struct sdp_media *m = r->m;
	if (!strstr(m->protocol, "RTP/")) {
		m->formats = sdp_dup(r->s, value + strspn(value, " "));
		return m->formats ? 0 : sdp_fail_add(r, "texts");
	}
	for (char *word; (word = sdp_word(&value));) {
		uint64_t pt;
		if (str_u64(word, 0, 127, &pt))
			return sdp_fail(r, EINVAL,
				"a payload type is not 0 to 127");
		if (sdp_codec_by_pt(m, (uint8_t)pt))
			return sdp_fail(r, EINVAL, "a payload type twice");
		struct sdp_codec *c = sdp_add_codec(r->s, m);
		if (!c)
			return sdp_fail_add(r, "payload types");
		c->pt = (uint8_t)pt;
	}
	return 0;
}

static int read_media(struct sdp_reader *r, char *value)
{
	static const char *const kinds[] = {"audio", "video", "application"};
	char *kind = sdp_word(&value);
	char *port = sdp_word(&value);
	char *protocol = sdp_word(&value);
	uint64_t number;
	if (!protocol || !value[strspn(value, " ")])
		return sdp_fail(r, EINVAL, "m= has fewer than four parts");
	if (str_u64(port, 0, 65535, &number))
		return sdp_fail(r, EINVAL, "the port is not 0 to 65535");
	struct sdp_media *m = sdp_add_media(r->s);
	if (!m)
		return sdp_fail_add(r, "m-lines");
	r->m = m;
	r->level = &m->own;
	r->m_dir = false;
	int i = sdp_name_index(kinds, ARRAY_LEN(kinds), kind);
	m->kind = i < 0 ? SDP_OTHER : (enum sdp_kind)i;
	m->kind_text = sdp_dup(r->s, kind);
	m->port = (uint16_t)number;
	m->protocol = sdp_dup(r->s, protocol);
	m->address = r->address;
	if (r->dir >= 0)
		m->dir = (enum sdp_dir)r->dir;
	if (!m->kind_text || !m->protocol)
		return sdp_fail_add(r, "texts");
	return read_formats(r, value);
}

static int read_name(struct sdp_reader *r, const char *value)
{
	r->s->name = sdp_dup(r->s, value);
	return r->s->name ? 0 : sdp_fail_add(r, "texts");
}

/* One line without its end, as a string of valid UTF-8 without control
 * characters. */
static int read_line(struct sdp_reader *r, char *line)
{
	static const char first[] = "vos"; /* in this order */
	char *value = line + 2;
	if (!line[0] || line[1] != '=')
		return sdp_fail(r, EINVAL, "not of the form x=value");
	if (r->line <= 3 && line[0] != first[r->line - 1])
		return sdp_fail(r, EINVAL, "must begin with v=, o=, s=");
	if (r->line > 3 && strchr(first, line[0]))
		return sdp_fail(r, EINVAL, "v=, o= or s= twice");
	switch (line[0]) {
	case 'v':
		return str_eq(value, "0") ? 0 :
			sdp_fail(r, EINVAL, "the version is not 0");
	case 'o':
		return read_origin(r, value);
	case 's':
		return read_name(r, value);
	case 'c':
		return read_connection(r, value);
	case 'm':
		return read_media(r, value);
	case 'a':
		return sdp_read_attribute(r, value);
	case 'i': case 'u': case 'e': case 'p': case 'b': case 't':
	case 'r': case 'z': case 'k':
		return 0;
	default:
		/* RFC 8866 section 5 forbids to guess. */
		return sdp_fail(r, EINVAL, "unknown type of line");
	}
}

static int copy_line(struct sdp_reader *r, char out[SDP_MAX_LINE + 1],
	const char *p, size_t n)
{
	if (n > SDP_MAX_LINE)
		return sdp_fail(r, E2BIG, "the line is too long");
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)p[i] < 0x20 || p[i] == 0x7f)
			return sdp_fail(r, EINVAL, "a control character");
	if (!str_utf8_ok(p, n))
		return sdp_fail(r, EINVAL, "not UTF-8");
	if (n)
		memcpy(out, p, n);
	out[n] = '\0';
	return 0;
}

static int read_lines(struct sdp_reader *r, const char *p, size_t n)
{
	char line[SDP_MAX_LINE + 1];
	const char *end = p + n;
	if (n > SDP_MAX_BYTES)
		return sdp_fail(r, E2BIG, "longer than 65536 bytes");
	while (p < end) {
		const char *lf = memchr(p, '\n', (size_t)(end - p));
		const char *stop = lf ? lf : end;
		const char *next = lf ? lf + 1 : end;
		if (stop > p && stop[-1] == '\r')
			stop--;
		r->line++;
		if (stop == p && next == end)
			break; /* one empty line at the very end is harmless */
		int rc = copy_line(r, line, p, (size_t)(stop - p));
		if (!rc)
			rc = read_line(r, line);
		if (rc)
			return rc;
		p = next;
	}
	if (r->line < 3)
		return sdp_fail(r, EINVAL, "ends before s=");
	return 0;
}

/* What only the whole can show. */
static int check(struct sdp_reader *r)
{
	const struct sdp *s = r->s;
	r->line = 0;
	for (size_t i = 0; i < s->group_count; i++) {
		const struct sdp_group *g = &s->groups[i];
		if (!str_eq(g->semantics, "BUNDLE"))
			continue;
		for (size_t k = 0; k < g->count; k++)
			if (!sdp_media_by_mid(s, g->mids[k]))
				return sdp_fail(r, EINVAL,
					"BUNDLE names a mid that is not there");
	}
	return 0;
}

struct sdp *sdp_parse(const char *p, size_t n, struct sdp_error *e)
{
	struct sdp_reader r = {.e = e, .dir = -1};
	*e = (struct sdp_error){0};
	r.s = sdp_new();
	if (!r.s) {
		errno = -sdp_fail(&r, ENOMEM, "out of memory");
		return NULL;
	}
	r.level = &r.s->own;
	int rc = read_lines(&r, p, n);
	if (!rc)
		rc = check(&r);
	if (rc) {
		sdp_free(r.s);
		errno = -rc;
		return NULL;
	}
	return r.s;
}
