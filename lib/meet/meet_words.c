/* Names: what is kept of what people and programs send. */
#include "meet_priv.h"

/* The code point at p, which is valid UTF-8, and its length. */
static size_t decode(const uint8_t *p, uint32_t *cp)
{
	if (p[0] < 0x80) {
		*cp = p[0];
		return 1;
	}
	if (p[0] < 0xe0) {
		*cp = (p[0] & 0x1fu) << 6 | (p[1] & 0x3fu);
		return 2;
	}
	if (p[0] < 0xf0) {
		*cp = (p[0] & 0xfu) << 12 | (p[1] & 0x3fu) << 6 |
			(p[2] & 0x3fu);
		return 3;
	}
	*cp = (p[0] & 7u) << 18 | (p[1] & 0x3fu) << 12 |
		(p[2] & 0x3fu) << 6 | (p[3] & 0x3fu);
	return 4;
}

static bool is_space(uint32_t cp)
{
	return cp == ' ' || (cp >= 9 && cp <= 13) || cp == 0x85 ||
		cp == 0xa0 || cp == 0x1680 || (cp >= 0x2000 && cp <= 0x200a) ||
		cp == 0x2028 || cp == 0x2029 || cp == 0x202f ||
		cp == 0x205f || cp == 0x3000;
}

/* Controls, what turns the direction of text, what takes no room. */
static bool is_dropped(uint32_t cp)
{
	return cp < 0x20 || (cp >= 0x7f && cp < 0xa0) || cp == 0xad ||
		cp == 0x61c || cp == 0x200b || cp == 0x200e || cp == 0x200f ||
		(cp >= 0x202a && cp <= 0x202e) || cp == 0x2060 ||
		(cp >= 0x2066 && cp <= 0x2069) || cp == 0xfeff ||
		cp == 0xfff9 || cp == 0xfffa || cp == 0xfffb;
}

/* Joiners and variation selectors belong into names, but make none. */
static bool is_seen(uint32_t cp)
{
	return cp != 0x200c && cp != 0x200d && cp != 0xfe0e && cp != 0xfe0f &&
		cp != 0x115f && cp != 0x1160 && cp != 0x3164 && cp != 0x2800;
}

/* A line break or a tab becomes a plain space. Spaces are written only when
 * something follows them. */
int meet_clean(char *out, size_t out_cap, const char *s, size_t max)
{
	const uint8_t *p = (const uint8_t *)s;
	const uint8_t *end = p + strlen(s);
	size_t n = 0, count = 0, spaces = 0;
	bool seen = false;
	uint32_t cp;

	out[0] = 0;
	if (!str_utf8_ok(s, (size_t)(end - p)))
		return -EINVAL;
	for (size_t len; p < end; p += len) {
		len = decode(p, &cp);
		if (is_space(cp)) {
			spaces += n > 0;
			continue;
		}
		if (is_dropped(cp))
			continue;
		count += spaces + 1;
		if (count > max || n + spaces + len >= out_cap) {
			out[0] = 0;
			return -EMSGSIZE;
		}
		memset(out + n, ' ', spaces);
		memcpy(out + n + spaces, p, len);
		n += spaces + len;
		spaces = 0;
		seen |= is_seen(cp);
	}
	out[seen ? n : 0] = 0;
	return 0;
}

void meet_slug(char out[MEET_ID_CAP], const char *name)
{
	size_t n = 0;

	for (; *name && n < MEET_ID_CAP - 1; name++) {
		char c = *name;

		if (c >= 'A' && c <= 'Z')
			c = (char)(c - 'A' + 'a');
		if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
			out[n++] = c;
		else if (n && out[n - 1] != '-')
			out[n++] = '-';
	}
	while (n && out[n - 1] == '-')
		n--;
	out[n] = 0;
}
