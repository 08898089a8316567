/* Looking for events and rows in pages. The formats of cells and records:
 * sqlite.org/fileformat2.html, sections 1.6 and 2.1. */
#include "store_page_priv.h"

#define LEAF_TABLE  0x0d
#define LEAF_INDEX  0x0a
#define INNER_INDEX 0x02
#define HEAD_MAX    128      /* of a cell, before the text of its event */
#define EVENT_MAX   (256u << 10)
#define COPIES      4        /* of a page, that are tried */

/* --- Numbers and records ------------------------------------------------- */

/* Bytes taken, 0 past the end. */
static size_t varint(const uint8_t *p, size_t n, uint64_t *out)
{
	*out = 0;
	for (size_t i = 0; i < MIN(n, 9); i++) {
		if (i == 8) {
			*out = *out << 8 | p[i];
			return 9;
		}
		*out = *out << 7 | (p[i] & 0x7f);
		if (!(p[i] & 0x80))
			return i + 1;
	}
	return 0;
}

static int64_t big_endian(const uint8_t *p, size_t n)
{
	uint64_t x = n && p[0] & 0x80 ? UINT64_MAX : 0;

	for (size_t i = 0; i < n; i++)
		x = x << 8 | p[i];
	return (int64_t)x;
}

static size_t size_of(uint64_t type)
{
	static const uint8_t sizes[] = {0, 1, 2, 3, 4, 6, 8, 8, 0, 0, 0, 0};

	return type < 12 ? sizes[type] : type >= 2 * EVENT_MAX ? SIZE_MAX / 16
		: (size_t)(type - 12) / 2;
}

/* Types and sizes of the columns; the bytes of the head, 0 if it is none.
 * total: what the record is long. */
static size_t record_head(const uint8_t *p, size_t n,
	struct store_column c[static STORE_COLUMNS], size_t *columns,
	size_t *total)
{
	uint64_t head, type;
	size_t at = varint(p, n, &head), got;

	if (!at || head > n || head < at)
		return 0;
	*total = head;
	for (*columns = 0; at < head; ++*columns) {
		got = varint(p + at, head - at, &type);
		if (!got || *columns == STORE_COLUMNS)
			return 0;
		at += got;
		c[*columns] = (struct store_column){.type = type,
			.n = size_of(type)};
		*total += c[*columns].n;
	}
	return at == head ? head : 0;
}

static void record_fill(const uint8_t *p, size_t head, struct store_column *c,
	size_t columns)
{
	for (size_t i = 0; i < columns; i++) {
		c[i].p = p + head;
		if (c[i].type == 8 || c[i].type == 9)
			c[i].i = (int64_t)c[i].type - 8;
		else if (c[i].type < 7)
			c[i].i = big_endian(c[i].p, c[i].n);
		head += c[i].n;
	}
}

bool store_is_int(const struct store_column *c)
{
	return (c->type >= 1 && c->type <= 6) || c->type == 8 || c->type == 9;
}

bool store_is_text(const struct store_column *c, size_t max)
{
	return c->type >= 13 && c->type % 2 && c->n <= max &&
		str_utf8_ok((const char *)c->p, c->n);
}

bool store_is_blob(const struct store_column *c, size_t n)
{
	return c->type >= 12 && c->type % 2 == 0 && c->n == n;
}

/* --- What does not fit on a page ----------------------------------------- */

/* Bytes of a payload that stand in its cell itself. */
static size_t local_of(uint64_t payload, size_t most)
{
	size_t least = (STORE_PAGE - 12) * 32 / 255 - 23;
	size_t k = least + (size_t)(payload - least) % (STORE_PAGE - 4);

	if (payload <= most)
		return (size_t)payload;
	return k <= most ? k : least;
}

/* The payload at p as a whole: local bytes, then pages. Of each page the
 * copy that is age steps older than the newest. */
static bool gather(struct store_source *src, const uint8_t *p, size_t local,
	size_t payload, unsigned age)
{
	uint8_t page[STORE_PAGE];
	uint32_t next = be32(p + local);

	buf_clear(&src->text);
	buf_put(&src->text, p, local);
	while (src->text.len < payload && !src->text.err) {
		if (!store_source_copy(src, next, age, page))
			return false;
		next = be32(page);
		buf_put(&src->text, page + 4, MIN(STORE_PAGE - 4,
			payload - src->text.len));
	}
	return !src->text.err;
}

/* --- Events -------------------------------------------------------------- */

/* The length of the JSON object at p, 0 if it does not end there. */
static size_t object_end(const uint8_t *p, size_t n)
{
	bool quoted = false;
	int depth = 0;

	for (size_t i = 0; i < n; i++) {
		if (quoted && p[i] == '\\')
			i++;
		else if (p[i] == '"')
			quoted = !quoted;
		else if (quoted)
			continue;
		else if (p[i] == '{')
			depth++;
		else if (p[i] == '}' && --depth == 0)
			return i + 1;
	}
	return 0;
}

/* An integer of this many bytes that ends at p + at; 0 bytes stand for 0. */
static bool number_before(const uint8_t *p, size_t at, size_t bytes,
	uint32_t *out)
{
	int64_t i = at < bytes ? -1 : big_endian(p + at - bytes, bytes);

	*out = (uint32_t)i;
	return i >= 0 && i <= UINT32_MAX;
}

/* crc and prev stand right before the text, whatever the head of the cell
 * says of their sizes. */
static bool proof(const uint8_t *page, size_t at, struct store_found *f)
{
	static const uint8_t sizes[] = {4, 6, 3, 0, 2, 1};
	uint32_t crc;

	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		if (!number_before(page, at, sizes[i], &f->prev))
			continue;
		f->crc = store_chain(f->prev, f->body, f->n);
		for (size_t k = 0; k < ARRAY_LEN(sizes); k++)
			if (number_before(page, at - sizes[i], sizes[k],
				&crc) && crc == f->crc)
				return true;
	}
	f->crc = f->prev = 0;
	return false;
}

/* A cell that begins at p and has its text at offset at, and more of it on
 * other pages. */
static bool long_event(struct store_source *src, const uint8_t *p, size_t n,
	size_t at, struct store_found *f)
{
	struct store_column c[STORE_COLUMNS];
	uint64_t payload, rowid;
	size_t a = varint(p, n, &payload), b, head, columns, total, local;

	if (!a || payload <= STORE_PAGE - 35 || payload > EVENT_MAX)
		return false;
	b = varint(p + a, n - a, &rowid);
	local = local_of(payload, STORE_PAGE - 35);
	if (!b || a + b + local + 4 > n)
		return false;
	p += a + b;
	head = record_head(p, local, c, &columns, &total);
	if (!head || columns != 6 || total != payload ||
		total - c[5].n != at - a - b)
		return false;
	for (unsigned age = 0; age < COPIES && !src->text.err; age++) {
		if (!gather(src, p, local, (size_t)payload, age))
			continue;
		record_fill(src->text.data, head, c, columns);
		f->body = (const char *)c[5].p;
		f->n = c[5].n;
		f->crc = (uint32_t)c[3].i;
		f->prev = (uint32_t)c[4].i;
		if (store_is_int(&c[3]) && store_is_int(&c[4]) &&
			store_is_text(&c[5], EVENT_MAX) &&
			f->crc == store_chain(f->prev, f->body, f->n))
			return true;
	}
	return false;
}

static int tell(struct store_found *f, store_found_cb *cb, void *arg)
{
	char why[160];
	const char *bad = NULL;
	json_t *e = json_read_max(f->body, f->n, EVENT_MAX, why);
	int64_t seq = json_int(e, "seq", 0, &bad);
	int64_t pos = json_int(e, "pos", 0, &bad);
	int r = e || errno != ENOMEM ? 0 : -ENOMEM;

	f->meeting = json_str(e, "meeting", &bad);
	f->seq = (uint64_t)seq;
	f->pos = (uint64_t)pos;
	if (!bad && f->meeting && str_is_meeting_id(f->meeting) && seq > 0 &&
		pos > 0)
		r = cb(arg, f);
	json_decref(e);
	return r;
}

static int event_at(struct store_source *src, size_t at, store_found_cb *cb,
	void *arg)
{
	const uint8_t *page = src->page;
	struct store_found f = {.body = (const char *)page + at,
		.n = object_end(page + at, STORE_PAGE - at)};

	f.proven = f.n && proof(page, at, &f);
	for (size_t i = at > HEAD_MAX ? at - HEAD_MAX : 0; i < at &&
		!f.proven && !src->text.err; i++)
		f.proven = long_event(src, page + i, STORE_PAGE - i, at - i,
			&f);
	if (src->text.err)
		return src->text.err;
	if (!f.proven)
		f = (struct store_found){.body = (const char *)page + at,
			.n = object_end(page + at, STORE_PAGE - at)};
	return f.n ? tell(&f, cb, arg) : 0;
}

int store_page_events(struct store_source *src, store_found_cb *cb, void *arg)
{
	static const char begin[] = "{\"v\":";
	const uint8_t *p = src->page, *end = p + STORE_PAGE;
	int r = 0;

	/* Indices hold names as people gave them, which may look like that. */
	if (*p == LEAF_INDEX || *p == INNER_INDEX)
		return 0;
	while (!r && (p = memmem(p, (size_t)(end - p), begin,
		sizeof(begin) - 1))) {
		r = event_at(src, (size_t)(p - src->page), cb, arg);
		p++;
	}
	return r;
}

/* --- Cells --------------------------------------------------------------- */

static int cell(struct store_source *src, size_t at, int type,
	store_cell_cb *cb, void *arg)
{
	size_t most = type == LEAF_TABLE ? STORE_PAGE - 35 :
		(STORE_PAGE - 12) * 64 / 255 - 23;
	struct store_column c[STORE_COLUMNS];
	const uint8_t *p = src->page + at;
	size_t n = STORE_PAGE - at, got, head, columns, total, local;
	uint64_t payload, rowid = 0;

	got = varint(p, n, &payload);
	if (!got || payload > EVENT_MAX)
		return 0;
	p += got;
	n -= got;
	got = type == LEAF_TABLE ? varint(p, n, &rowid) : 0;
	if (type == LEAF_TABLE && !got)
		return 0;
	p += got;
	n -= got;
	local = local_of(payload, most);
	if (local + (local < payload ? 4 : 0) > n)
		return 0;
	head = record_head(p, local, c, &columns, &total);
	if (!head || total != payload)
		return 0;
	if (local < payload) {
		if (!gather(src, p, local, (size_t)payload, 0))
			return src->text.err;
		p = src->text.data;
	}
	record_fill(p, head, c, columns);
	return cb(arg, rowid, c, columns);
}

int store_page_cells(struct store_source *src, store_cell_cb *cb, void *arg)
{
	int type = src->page[0], r = 0;
	size_t head = type == INNER_INDEX ? 12 : 8, n = be16(src->page + 3);

	if (type != LEAF_TABLE && type != LEAF_INDEX && type != INNER_INDEX)
		return 0;
	for (size_t i = 0; !r && i < n && head + 2 * i + 2 <= STORE_PAGE; i++) {
		size_t at = be16(src->page + head + 2 * i);

		if (at >= head + 2 * n && at < STORE_PAGE - 4)
			r = cell(src, at + (type == INNER_INDEX ? 4 : 0),
				type, cb, arg);
	}
	return r;
}
