/* Strings, ids, numbers and text codes. */
#include "base.h"

int str_copy(char *dst, size_t dst_cap, const char *src)
{
	size_t n = strlen(src);

	if (n >= dst_cap) {
		if (dst_cap)
			dst[0] = 0;
		return -ENAMETOOLONG;
	}
	memcpy(dst, src, n + 1);
	return 0;
}

bool str_eq(const char *a, const char *b)
{
	return a && b && strcmp(a, b) == 0;
}

bool str_starts(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

int str_u64(const char *s, uint64_t min, uint64_t max, uint64_t *out)
{
	uint64_t v = 0;

	if (!*s)
		return -EINVAL;
	for (; *s; s++) {
		if (*s < '0' || *s > '9')
			return -EINVAL;
		if (__builtin_mul_overflow(v, (uint64_t)10, &v) ||
			__builtin_add_overflow(v, (uint64_t)(*s - '0'), &v))
			return -ERANGE;
	}
	if (v < min || v > max)
		return -ERANGE;
	*out = v;
	return 0;
}

int str_i64(const char *s, int64_t min, int64_t max, int64_t *out)
{
	bool minus = *s == '-';
	uint64_t u;
	int64_t v;
	int err = str_u64(s + minus, 0,
		(uint64_t)INT64_MAX + (minus ? 1 : 0), &u);

	if (err)
		return err;
	if (minus)
		v = u > (uint64_t)INT64_MAX ? INT64_MIN : -(int64_t)u;
	else
		v = (int64_t)u;
	if (v < min || v > max)
		return -ERANGE;
	*out = v;
	return 0;
}

int str_duration_ms(const char *s, uint64_t *out_ms)
{
	static const struct {
		const char *unit;
		uint64_t ms;
	} units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000},
		{"d", 86400000}, {"", 1000}};
	size_t digits = strspn(s, "0123456789");
	char number[21];
	uint64_t v;
	int err;

	if (digits == 0 || digits >= sizeof(number))
		return -EINVAL;
	memcpy(number, s, digits);
	number[digits] = 0;
	err = str_u64(number, 0, UINT64_MAX, &v);
	if (err)
		return err;
	for (size_t i = 0; i < ARRAY_LEN(units); i++)
		if (str_eq(s + digits, units[i].unit))
			return __builtin_mul_overflow(v, units[i].ms, out_ms)
				? -ERANGE
				: 0;
	return -EINVAL;
}

/* Length of the code point at s (its value in *cp), or 0 when it is none. */
static size_t utf8_next(const uint8_t *s, size_t n, uint32_t *cp)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t len;
	uint32_t c;

	if (s[0] < 0x80) {
		*cp = s[0];
		return 1;
	}
	len = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;
	if (s[0] < 0xc2 || s[0] > 0xf4 || len > n)
		return 0;
	c = s[0] & (0x7fu >> len);
	for (size_t i = 1; i < len; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3f);
	}
	if (c < least[len] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	*cp = c;
	return len;
}

bool str_utf8_ok(const char *s, size_t n)
{
	const uint8_t *p = (const uint8_t *)s;
	uint32_t cp;

	while (n) {
		size_t len = utf8_next(p, n, &cp);

		if (!len || !cp)
			return false;
		p += len;
		n -= len;
	}
	return true;
}

size_t str_utf8_len(const char *s, size_t n)
{
	size_t count = 0;

	for (size_t i = 0; i < n; i++)
		count += ((uint8_t)s[i] & 0xc0) != 0x80;
	return count;
}

/* Code points that move the cursor, hide text or turn its direction. */
static bool unsafe_on_terminal(uint32_t cp)
{
	return cp < 0x20 || (cp >= 0x7f && cp < 0xa0) ||
		(cp >= 0x202a && cp <= 0x202e) ||
		(cp >= 0x2066 && cp <= 0x2069) || cp == 0x200e ||
		cp == 0x200f || cp == 0x061c || cp == 0x2028 || cp == 0x2029;
}

void str_escape(struct buf *out, const char *s, size_t n)
{
	const uint8_t *p = (const uint8_t *)s;
	uint32_t cp;

	while (n) {
		size_t len = utf8_next(p, n, &cp);

		if (!len) {
			buf_printf(out, "\\x%02x", *p);
			len = 1;
		} else if (cp == '\\') {
			buf_puts(out, "\\\\");
		} else if (unsafe_on_terminal(cp) && cp < 0x80) {
			buf_printf(out, "\\x%02x", (unsigned)cp);
		} else if (unsafe_on_terminal(cp)) {
			buf_printf(out, "\\u{%04x}", (unsigned)cp);
		} else {
			buf_put(out, p, len);
		}
		p += len;
		n -= len;
	}
}

bool str_is_meeting_id(const char *s)
{
	size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-");

	return n >= 1 && n <= 64 && !s[n] && s[0] != '-';
}

static const char base32[] = "abcdefghijklmnopqrstuvwxyz234567";

bool str_is_id(const char *s, char prefix)
{
	return s[0] == prefix && s[1] == '_' && strlen(s) == STR_ID_CAP - 1 &&
		strspn(s + 2, base32) == STR_ID_CAP - 3;
}

void str_id(char out[STR_ID_CAP], char prefix, const uint8_t random[16])
{
	uint32_t acc = 0;
	int bits = 0;
	char *p = out;

	*p++ = prefix;
	*p++ = '_';
	for (int i = 0; i < 16; i++) {
		acc = acc << 8 | random[i];
		for (bits += 8; bits >= 5; bits -= 5)
			*p++ = base32[acc >> (bits - 5) & 31];
	}
	*p++ = base32[acc << (5 - bits) & 31];
	*p = 0;
}

void str_hex(char *out, const uint8_t *p, size_t n)
{
	static const char digit[] = "0123456789abcdef";

	for (size_t i = 0; i < n; i++) {
		*out++ = digit[p[i] >> 4];
		*out++ = digit[p[i] & 15];
	}
	*out = 0;
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int str_unhex(uint8_t *out, size_t n, const char *s)
{
	for (size_t i = 0; i < n; i++) {
		int hi = hex_value(s[2 * i]);
		int lo = hi < 0 ? -1 : hex_value(s[2 * i + 1]);

		if (lo < 0)
			return -EINVAL;
		out[i] = (uint8_t)(hi << 4 | lo);
	}
	return s[2 * n] ? -EINVAL : 0;
}

static const char base64url[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				"abcdefghijklmnopqrstuvwxyz0123456789-_";

void str_b64url(struct buf *out, const void *p, size_t n)
{
	const uint8_t *b = p;
	uint32_t acc = 0;
	int bits = 0;

	for (size_t i = 0; i < n; i++) {
		acc = acc << 8 | b[i];
		for (bits += 8; bits >= 6; bits -= 6)
			buf_putc(out, base64url[acc >> (bits - 6) & 63]);
	}
	if (bits)
		buf_putc(out, base64url[acc << (6 - bits) & 63]);
}

int str_unb64url(struct buf *out, const char *s, size_t n)
{
	uint32_t acc = 0;
	int bits = 0;

	if (n % 4 == 1)
		return -EINVAL;
	for (size_t i = 0; i < n; i++) {
		const char *at = s[i] ? strchr(base64url, s[i]) : NULL;

		if (!at)
			return -EINVAL;
		acc = acc << 6 | (uint32_t)(at - base64url);
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			buf_u8(out, (uint8_t)(acc >> bits));
		}
	}
	if (acc & ((1u << bits) - 1))
		return -EINVAL;
	return out->err;
}

bool mem_equal_ct(const void *a, const void *b, size_t n)
{
	const volatile uint8_t *x = a, *y = b;
	uint8_t diff = 0;

	for (size_t i = 0; i < n; i++)
		diff |= x[i] ^ y[i];
	return diff == 0;
}
