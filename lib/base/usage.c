/* usage - see usage.h. */
#include <limits.h>

#include "base.h"

static bool is_word_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		(c >= '0' && c <= '9') || c == '-';
}

/* The length of the option at p, 0 if there is none. */
static size_t option_at(const char *p, char before)
{
	size_t n = 0;

	if (p[0] != '-' || (before && !strchr(" \t\n[(|,", before)))
		return 0;
	while (is_word_char(p[n]))
		n++;
	return n > 2 || (n == 2 && p[1] != '-') ? n : 0;
}

static bool listed(const struct buf *b, size_t from, const char *p, size_t n)
{
	const char *s = (const char *)b->data;

	for (size_t i = from; i + n <= b->len; i++) {
		bool begins = i == from || s[i - 1] == ' ';
		bool ends = i + n == b->len || s[i + n] == ' ';
		if (begins && ends && !memcmp(s + i, p, n))
			return true;
	}
	return false;
}

void usage_options(struct buf *out, const char *usage)
{
	size_t from = out->len;
	char before = '\0';

	while (*usage) {
		size_t n = option_at(usage, before);
		if (n && !listed(out, from, usage, n)) {
			if (out->len > from)
				buf_putc(out, ' ');
			buf_put(out, usage, n);
		}
		usage += n ? n : 1;
		before = usage[-1];
	}
}

void usage_completion(struct buf *out, const char *tool, const char *usage)
{
	buf_printf(out, "# bash completion for %s\n"
		"complete -o default -W '", tool);
	usage_options(out, usage);
	buf_printf(out, "' %s\n", tool);
}

/* optopt is the letter, or 0 or an own number for a long one. As a letter it
 * may be negative, as char is. */
void usage_refused(struct buf *out, const char *word, int c)
{
	buf_puts(out, "unknown option, or one whose value is wrong: '");
	if (c == 0 || c > UCHAR_MAX) {
		buf_puts(out, word);
	} else {
		buf_putc(out, '-');
		buf_putc(out, (char)c);
	}
	buf_putc(out, '\'');
}
