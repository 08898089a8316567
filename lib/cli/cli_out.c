/* cli_out - columns, JSON lines, and writing them all. */
#include <poll.h>
#include <unistd.h>

#include "cli_priv.h"

#define MAX_COLUMNS 12
#define GAP         2 /* blanks between human columns */

int cli_write(int fd, struct buf *b)
{
	const uint8_t *at = b->data;
	size_t n = b->len;
	int err = 0;

	while (n && !err) {
		ssize_t w = write(fd, at, n);
		if (w >= 0) {
			at += w;
			n -= (size_t)w;
		} else if (errno == EAGAIN) {
			struct pollfd p = {.fd = fd, .events = POLLOUT};
			poll(&p, 1, -1);
		} else if (errno != EINTR) {
			err = -errno;
		}
	}
	buf_clear(b);
	return err;
}

int cli_flush(struct cli *c)
{
	int err = cli_write(c->out_fd, &c->out);

	if (err && err != -EPIPE)
		cli_fail(c, 3, "cannot write to standard output: %s",
			strerror(-err));
	return err;
}

int cli_read_all(struct cli *c, size_t max, struct buf *out)
{
	ssize_t n;

	if (c->in_fd < 0)
		return cli_fail(c, 2, "standard input holds the commands"),
			-EBUSY;
	do {
		if (buf_reserve(out, 4096))
			return cli_fail(c, 3, "out of memory"), -ENOMEM;
		n = read(c->in_fd, out->data + out->len, 4096);
		out->len += n > 0 ? (size_t)n : 0;
		if (out->len > max)
			return cli_fail(c, 2, "standard input is longer than "
				"%zu bytes", max), -EFBIG;
	} while (n > 0 || (n < 0 && errno == EINTR));
	if (n == 0)
		return 0;
	n = -errno;
	cli_fail(c, 3, "cannot read standard input: %s", strerror((int)-n));
	return (int)n;
}

/* --- JSON --------------------------------------------------------------- */

/* Characters that JSON may hold as they are but a terminal obeys: DEL, C1
 * controls, marks that turn the direction of writing, odd line breaks. */
static bool is_unsafe(uint32_t cp)
{
	return (cp >= 0x7f && cp <= 0x9f) || cp == 0x61c ||
		(cp >= 0x200e && cp <= 0x200f) ||
		(cp >= 0x2028 && cp <= 0x202e) ||
		(cp >= 0x2066 && cp <= 0x2069) || cp == 0xfeff;
}

/* One code point of valid UTF-8. */
static uint32_t code_point(const uint8_t *p, size_t *n)
{
	*n = p[0] < 0x80 ? 1 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	uint32_t cp = *n == 1 ? p[0] : p[0] & (0xffu >> (*n + 1));
	for (size_t i = 1; i < *n; i++)
		cp = cp << 6 | (p[i] & 0x3f);
	return cp;
}

/* Such characters stand in strings only, where \u means the same. */
void cli_put_json(struct cli *c, const json_t *v)
{
	struct buf text = {0};
	size_t n;

	if (json_write(v, &text))
		c->out.err = -ENOMEM;
	for (size_t i = 0; i < text.len; i += n) {
		uint32_t cp = code_point(text.data + i, &n);
		if (is_unsafe(cp))
			buf_printf(&c->out, "\\u%04X", cp);
		else
			buf_put(&c->out, text.data + i, n);
	}
	buf_putc(&c->out, '\n');
	buf_free(&text);
}

int cli_done(struct cli *c, json_t *result)
{
	if (!result)
		return c->status;
	if (cli_has(c, OPT_JSON))
		cli_put_json(c, result);
	json_decref(result);
	return 0;
}

/* --- Columns ------------------------------------------------------------ */

struct cli_table {
	const char *const *headings;
	size_t n;
	struct buf *cells; /* row by row */
	size_t n_cells;
	size_t cap;
	bool failed;
};

struct cli_table *cli_table_new(const char *const headings[], size_t n)
{
	struct cli_table *t = n <= MAX_COLUMNS ? calloc(1, sizeof(*t)) : NULL;

	if (t)
		*t = (struct cli_table){.headings = headings, .n = n};
	return t;
}

void cli_cell(struct cli_table *t, const char *text)
{
	if (!t)
		return;
	if (t->n_cells == t->cap) {
		size_t cap = t->cap ? 2 * t->cap : 64;
		struct buf *more = realloc(t->cells, cap * sizeof(*more));
		if (!more) {
			t->failed = true;
			return;
		}
		t->cells = more;
		t->cap = cap;
	}
	struct buf *b = &t->cells[t->n_cells++];
	*b = (struct buf){0};
	if (text)
		str_escape(b, text, strlen(text));
}

void cli_cell_int(struct cli_table *t, int64_t n)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRId64, n);
	cli_cell(t, text);
}

static bool is_wide(uint32_t cp)
{
	static const uint32_t ranges[][2] = {
		{0x1100, 0x115f}, {0x2e80, 0xa4cf}, {0xac00, 0xd7a3},
		{0xf900, 0xfaff}, {0xfe30, 0xfe6f}, {0xff00, 0xff60},
		{0xffe0, 0xffe6}, {0x1f300, 0x1f64f}, {0x1f900, 0x1f9ff},
		{0x20000, 0x3fffd},
	};

	for (size_t i = 0; i < ARRAY_LEN(ranges); i++)
		if (cp >= ranges[i][0] && cp <= ranges[i][1])
			return true;
	return false;
}

/* The bytes of s that fit into columns. */
static size_t fitting(const char *s, size_t n, size_t columns, size_t *used)
{
	size_t i = 0, len;

	for (*used = 0; i < n; i += len) {
		uint32_t cp = code_point((const uint8_t *)s + i, &len);
		bool mark = cp >= 0x300 && cp <= 0x36f;
		size_t w = mark ? 0 : is_wide(cp) ? 2 : 1;
		if (*used + w > columns)
			break;
		*used += w;
	}
	return i;
}

size_t cli_width(const char *s, size_t n)
{
	size_t used;

	fitting(s, n, SIZE_MAX, &used);
	return used;
}

/* Pads to width; what is longer ends in an ellipsis. */
static void put_padded(struct buf *out, const char *s, size_t n,
	size_t width, bool last)
{
	size_t used = cli_width(s, n);

	if (used > width) {
		n = fitting(s, n, width - 1, &used);
		buf_put(out, s, n);
		buf_puts(out, "\xe2\x80\xa6");
		used++;
	} else {
		buf_put(out, s, n);
	}
	if (!last)
		buf_printf(out, "%*s", (int)(width - used) + GAP, "");
}

/* A heading that begins with '*' marks the column that is cut. */
static const char *heading(const struct cli_table *t, size_t i)
{
	return t->headings[i] + (t->headings[i][0] == '*');
}

static void put_human(const struct cli_table *t, struct buf *out)
{
	size_t width[MAX_COLUMNS], total = 0, cut = 0;

	for (size_t i = 0; i < t->n; i++) {
		width[i] = strlen(heading(t, i));
		for (size_t k = i; k < t->n_cells; k += t->n)
			width[i] = MAX(width[i],
				cli_width((const char *)t->cells[k].data,
					t->cells[k].len));
		if (t->headings[i][0] == '*')
			cut = i;
		total += width[i] + (i ? GAP : 0);
	}
	if (total > CLI_COLUMNS)
		width[cut] -= MIN(total - CLI_COLUMNS, width[cut] - 4);
	for (size_t i = 0; i < t->n; i++)
		put_padded(out, heading(t, i), strlen(heading(t, i)),
			width[i], i + 1 == t->n);
	buf_putc(out, '\n');
	for (size_t k = 0; k < t->n_cells; k++) {
		bool last = (k + 1) % t->n == 0;
		put_padded(out, (const char *)t->cells[k].data,
			t->cells[k].len, width[k % t->n], last);
		if (last)
			buf_putc(out, '\n');
	}
}

static void put_tsv(const struct cli_table *t, struct buf *out)
{
	for (size_t k = 0; k < t->n_cells; k++) {
		buf_put(out, t->cells[k].data, t->cells[k].len);
		buf_putc(out, (k + 1) % t->n ? '\t' : '\n');
	}
}

int cli_table_put(struct cli *c, struct cli_table *t)
{
	int status = 0;

	if (!t || t->failed)
		status = cli_fail(c, 3, "out of memory");
	else if (cli_has(c, OPT_TSV))
		put_tsv(t, &c->out);
	else
		put_human(t, &c->out);
	for (size_t i = 0; t && i < t->n_cells; i++)
		buf_free(&t->cells[i]);
	if (t)
		free(t->cells);
	free(t);
	return status;
}
