/* Reading a write-ahead log as SQLite would, and a little further: SQLite
 * takes what there is up to the first frame that is not sound, and says
 * nothing of what it leaves. The format: sqlite.org/fileformat2.html,
 * section 4. */
#include <unistd.h>
#include "store_priv.h"

#define MAGIC   0x377f0682u
#define VERSION 3007000u

/* The checksum of a frame goes on from that of the one before. */
struct sum {
	uint32_t a, b;
};

static bool same(struct sum x, struct sum y)
{
	return x.a == y.a && x.b == y.b;
}

static struct sum stored(const uint8_t *p)
{
	return (struct sum){be32(p), be32(p + 4)};
}

/* Over n bytes, a multiple of 8. */
static struct sum sum_of(struct sum s, const uint8_t *p, size_t n,
	bool big_endian)
{
	for (size_t i = 0; i < n; i += 8) {
		uint32_t x = be32(p + i), y = be32(p + i + 4);

		if (!big_endian) {
			x = __builtin_bswap32(x);
			y = __builtin_bswap32(y);
		}
		s.a += x + s.b;
		s.b += y + s.a;
	}
	return s;
}

/* All of it, or what there is before the end or before a bad spot. */
static ssize_t read_at(int fd, uint8_t *p, size_t n, off_t at)
{
	size_t got = 0;

	while (got < n) {
		ssize_t r = pread(fd, p + got, n - got, at + (off_t)got);

		if (r < 0 && errno == EINTR)
			continue;
		if (r <= 0)
			break;
		got += (size_t)r;
	}
	memset(p + got, 0, n - got);
	return (ssize_t)got;
}

struct walk {
	bool head_sound, big_endian;
	uint8_t salt[8];
	struct sum sum; /* as the frame before has it */
	bool unbroken;  /* all frames so far are sound */
};

static void begin(struct walk *k, int fd)
{
	uint8_t h[WAL_HEAD + 24];
	uint32_t magic;

	read_at(fd, h, sizeof(h), 0);
	magic = be32(h);
	k->big_endian = (magic & ~1u) == MAGIC && (magic & 1);
	k->sum = stored(h + 24);
	k->head_sound = (magic & ~1u) == MAGIC && be32(h + 4) == VERSION &&
		be32(h + 8) == STORE_PAGE && same(k->sum,
		sum_of((struct sum){0, 0}, h, 24, k->big_endian));
	k->unbroken = k->head_sound;
	/* Without a head the first frame tells the generation. */
	memcpy(k->salt, k->head_sound ? h + 16 : h + WAL_HEAD + 8, 8);
}

/* n: bytes of it that are there. A frame that lost nothing but zeros is
 * sound, but SQLite takes whole ones only. True: of this generation. */
static bool frame(struct walk *k, struct store_wal *w, const uint8_t *f,
	ssize_t n, uint32_t i)
{
	struct sum s = stored(f + 16);
	bool ours = n < 24 || memcmp(f + 8, k->salt, 8) == 0;
	bool sound = ours && be32(f) && same(s, sum_of(sum_of(k->sum, f, 8,
		k->big_endian), f + 24, STORE_PAGE, k->big_endian));

	k->unbroken = k->unbroken && sound && n == (ssize_t)WAL_FRAME;
	if (sound && be32(f + 4)) /* a commit */
		w->sound = i + 1;
	if (k->unbroken && be32(f + 4))
		w->valid = i + 1;
	k->sum = s;
	return ours;
}

int store_wal_look(int fd, struct store_wal *w)
{
	uint8_t *f;
	struct walk k;
	off_t at = WAL_HEAD, size = fd < 0 ? 0 : lseek(fd, 0, SEEK_END);

	*w = (struct store_wal){0};
	if (size < 0)
		return -errno;
	if (size <= (off_t)WAL_HEAD) {
		w->torn = (uint64_t)size % WAL_HEAD;
		return 0;
	}
	f = malloc(WAL_FRAME);
	if (!f)
		return -ENOMEM;
	begin(&k, fd);
	for (uint32_t i = 0; at < size; i++, at += WAL_FRAME) {
		ssize_t n = read_at(fd, f, WAL_FRAME, at);
		bool ours = frame(&k, w, f, n, i);

		/* What follows the last commit without a gap is of one that
		 * was being written; the rest is of an older generation. */
		w->end = MAX(w->end, w->sound);
		if (ours && w->end == i)
			w->end = i + 1;
	}
	free(f);
	w->damaged = w->sound > w->valid || !k.head_sound;
	if (w->end > w->sound)
		w->torn = (uint64_t)MIN(size - (off_t)WAL_HEAD,
			(off_t)w->end * WAL_FRAME) -
			(uint64_t)w->sound * WAL_FRAME;
	return 0;
}
