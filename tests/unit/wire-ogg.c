/* Ogg Opus: known pages both ways; where packets are in time; chained,
 * multiplexed, truncated and damaged files. Pages are made here, with a
 * checksum of our own. */
#include "wire.h"

#include "base.h"
#include "hex.h"

enum { CONT = 1, BOS = 2, EOS = 4 };

/* RFC 3533 section 6: CRC-32 of 0x04c11db7, nothing reflected. */
static uint32_t crc(const uint8_t *p, size_t n)
{
	uint32_t c = 0;

	for (size_t i = 0; i < n; i++) {
		c ^= (uint32_t)p[i] << 24;
		for (int k = 0; k < 8; k++)
			c = c << 1 ^ (c >> 31 ? 0x04c11db7 : 0);
	}
	return c;
}

static void put_le(struct buf *b, unsigned bytes, uint64_t v)
{
	for (; bytes; bytes--, v >>= 8)
		buf_u8(b, (uint8_t)v);
}

/* A page with the given lacing values (hex) and body. */
static void page(struct buf *b, unsigned flags, int64_t granule,
	uint32_t serial, uint32_t number, const char *lacing, const void *body,
	size_t body_len)
{
	size_t at = b->len, n;
	uint8_t *lace = hex(lacing, &n);
	uint32_t c;

	buf_put(b, "OggS", 5);
	buf_u8(b, (uint8_t)flags);
	put_le(b, 8, (uint64_t)granule);
	put_le(b, 4, serial);
	put_le(b, 4, number);
	put_le(b, 4, 0);
	buf_u8(b, (uint8_t)n);
	buf_put(b, lace, n);
	buf_put(b, body, body_len);
	c = crc(b->data + at, b->len - at);
	for (int i = 0; i < 4; i++, c >>= 8)
		b->data[at + 22 + i] = (uint8_t)c;
	free(lace);
}

/* OpusHead: two channels, pre-skip 312, 48 kHz. */
static const char head[] = "OpusHead\1\2\x38\1\x80\xbb\0\0\0\0";
static const char tags[] = "OpusTags\0\0\0\0\0\0\0";

static void heads(struct buf *b, uint32_t serial)
{
	page(b, BOS, 0, serial, 0, "13", head, 19);
	page(b, 0, 0, serial, 1, "10", tags, 16);
}

/* Packets of 20 ms (CELT, 960 samples): TOC fc and one byte that tells them
 * apart. */
#define P(x) "\xfc" x

static int next(struct oggopus_reader *r, struct oggopus_packet *p)
{
	return oggopus_next(r, p);
}

static void assert_packet(struct oggopus_reader *r, uint8_t second,
	uint64_t granule, unsigned trim, bool gap)
{
	struct oggopus_packet p;

	assert_int_equal(next(r, &p), OGGOPUS_PACKET);
	assert_int_equal(p.len, 2);
	assert_int_equal(p.data[0], 0xfc);
	assert_int_equal(p.data[1], second);
	assert_int_equal(p.samples, 960);
	assert_int_equal(p.granule, granule);
	assert_int_equal(p.trim, trim);
	assert_int_equal(p.gap, gap);
}

static void assert_what(struct oggopus_reader *r, int what)
{
	struct oggopus_packet p;

	assert_int_equal(next(r, &p), what);
}

static struct oggopus_reader *reader(const struct buf *b)
{
	struct oggopus_reader *r = oggopus_reader_new();

	assert_non_null(r);
	assert_int_equal(oggopus_feed(r, b->data, b->len), 0);
	return r;
}

static void durations(void **state)
{
	static const struct {
		const char *packet;
		int samples;
	} known[] = {
		{"00", 480},   /* SILK NB 10 ms */
		{"08", 960},   /* 20 */
		{"10", 1920},  /* 40 */
		{"18", 2880},  /* 60 */
		{"58", 2880},  /* SILK WB 60 */
		{"60", 480},   /* hybrid SWB 10 */
		{"78", 960},   /* hybrid FB 20 */
		{"80", 120},   /* CELT NB 2.5 */
		{"e8", 240},   /* CELT FB 5 */
		{"f0", 480},   /* 10 */
		{"f8", 960},   /* 20 */
		{"f9", 1920},  /* two frames of a size */
		{"fa", 1920},  /* two frames of their own sizes */
		{"fb 03", 2880},
		{"fb 06", 5760},
		{"fb 86", 5760}, /* with the bit for different sizes */
		{"1b 02", 5760},
		{"", -EBADMSG},
		{"fb", -EBADMSG},
		{"fb 00", -EBADMSG},
		{"fb 07", -EBADMSG}, /* 140 ms */
		{"1b 03", -EBADMSG}, /* 180 ms */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		size_t n;
		uint8_t *p = hex(known[i].packet, &n);

		assert_int_equal(opustoc_samples(p, n), known[i].samples);
		free(p);
	}
}

static void lost_packets(void **state)
{
	static const struct {
		uint8_t toc;
		unsigned samples, covered;
		const char *packet;
	} known[] = {
		{0xfc, 960, 960, "ff 01"},
		{0xf8, 960, 960, "fb 01"}, /* mono stays mono */
		{0xfc, 5760, 5760, "ff 06"},
		{0xfc, 90000, 5760, "ff 06"},
		{0xfc, 1320, 960, "ff 01"}, /* the rest is another packet */
		{0xfc, 360, 240, "ef 01"},
		{0xfc, 120, 120, "e7 01"},
		{0x48, 2880, 2880, "4b 03"}, /* SILK WB: 3 x 20 ms */
		{0x48, 480, 480, "43 01"},   /* 10 ms */
		{0x48, 240, 240, "ab 01"},   /* 5 ms: CELT WB */
		{0x20, 120, 120, "a3 01"},   /* SILK MB 2.5 ms: CELT WB */
		{0x68, 240, 240, "cb 01"},   /* hybrid SWB: CELT SWB */
		{0x7c, 960, 960, "7f 01"},   /* hybrid FB stays so */
	};
	uint8_t out[OPUSTOC_LOST_BYTES];
	unsigned covered;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		assert_int_equal(opustoc_lost(out, known[i].toc,
			known[i].samples, &covered), 2);
		assert_bytes(out, 2, known[i].packet);
		assert_int_equal(covered, known[i].covered);
		assert_int_equal(opustoc_samples(out, 2), covered);
	}
	assert_int_equal(opustoc_lost(out, 0xfc, 119, &covered), 0);
	assert_int_equal(covered, 0);
}

static void head_packet(void **state)
{
	struct oggopus_head h = {.channels = 2, .pre_skip = 312,
		.input_hz = 48000, .gain_q8 = -256};
	uint8_t out[OGGOPUS_HEAD_BYTES];
	static const char *const bad[] = {
		"4f70757348656164 01 02 3801 80bb0000 0000",    /* cut off */
		"4f70757348656164 10 02 3801 80bb0000 0000 00", /* version */
		"4f70757348656164 01 00 3801 80bb0000 0000 00", /* channels */
		"4f70757348656164 01 03 3801 80bb0000 0000 00", /* family 0 */
		"4f70757348656164 01 02 3801 80bb0000 0000 01 0101 00",
		"4f70757354616773 01 02 3801 80bb0000 0000 00",
	};

	(void)state;
	assert_int_equal(oggopus_head_write(out, &h), 0);
	assert_bytes(out, 19, "4f70757348656164 01 02 3801 80bb0000 00ff 00");
	h = (struct oggopus_head){0};
	assert_int_equal(oggopus_head_parse(&h, out, 19), 0);
	assert_int_equal(h.channels, 2);
	assert_int_equal(h.pre_skip, 312);
	assert_int_equal(h.input_hz, 48000);
	assert_int_equal(h.gain_q8, -256);
	assert_int_equal(h.family, 0);
	h.family = 1;
	assert_int_equal(oggopus_head_write(out, &h), -EINVAL);
	h.family = 0;
	h.channels = 3;
	assert_int_equal(oggopus_head_write(out, &h), -EINVAL);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		size_t n;
		uint8_t *p = hex(bad[i], &n);

		assert_int_equal(oggopus_head_parse(&h, p, n), -EBADMSG);
		free(p);
	}
}

/* Three packets on two pages; the last one is cut by 100 samples. */
static void known_file(void **state)
{
	struct buf b = {0};
	struct oggopus_reader *r;

	(void)state;
	heads(&b, 7);
	page(&b, 0, 1920, 7, 2, "02 02", P("\1") P("\2"), 4);
	page(&b, EOS, 2780, 7, 3, "02", P("\3"), 2);
	r = reader(&b);
	assert_what(r, OGGOPUS_HEAD);
	assert_int_equal(oggopus_head(r)->channels, 2);
	assert_int_equal(oggopus_head(r)->pre_skip, 312);
	assert_packet(r, 1, 960, 0, false);
	assert_packet(r, 2, 1920, 0, false);
	assert_packet(r, 3, 2780, 100, false);
	assert_what(r, OGGOPUS_MORE);
	assert_int_equal(oggopus_end(r), 0);
	assert_int_equal(oggopus_skipped(r), 0);
	oggopus_reader_free(r);
	buf_free(&b);
}

static void byte_by_byte(void **state)
{
	struct oggopus_reader *r = oggopus_reader_new();
	struct oggopus_packet p;
	unsigned n = 0, got_heads = 0;
	struct buf b = {0};

	(void)state;
	heads(&b, 7);
	page(&b, 0, 1920, 7, 2, "02 02", P("\1") P("\2"), 4);
	page(&b, EOS, 2880, 7, 3, "02", P("\3"), 2);
	for (size_t i = 0; i < b.len; i++) {
		int what;

		assert_int_equal(oggopus_end(r), -ENODATA);
		assert_int_equal(oggopus_feed(r, b.data + i, 1), 0);
		while ((what = next(r, &p)) != OGGOPUS_MORE) {
			got_heads += what == OGGOPUS_HEAD;
			n += what == OGGOPUS_PACKET;
		}
	}
	assert_int_equal(oggopus_end(r), 0);
	assert_int_equal(got_heads, 1);
	assert_int_equal(n, 3);
	oggopus_reader_free(r);
	buf_free(&b);
}

/* A recording that was joined late begins at the granule it says. */
static void late_start(void **state)
{
	struct buf b = {0};
	struct oggopus_reader *r;

	(void)state;
	heads(&b, 7);
	page(&b, 0, 480000, 7, 2, "02 02", P("\1") P("\2"), 4);
	r = reader(&b);
	assert_what(r, OGGOPUS_HEAD);
	assert_packet(r, 1, 479040, 0, false);
	assert_packet(r, 2, 480000, 0, false);
	assert_int_equal(oggopus_end(r), -ENODATA);
	oggopus_reader_free(r);
	buf_free(&b);
}

/* More than the last packet may be cut, but not what was before the page. */
static void long_trim(void **state)
{
	struct buf b = {0};
	struct oggopus_reader *r;

	(void)state;
	heads(&b, 7);
	page(&b, 0, 960, 7, 2, "02", P("\1"), 2);
	page(&b, EOS, 1380, 7, 3, "02 02", P("\2") P("\3"), 4);
	r = reader(&b);
	assert_what(r, OGGOPUS_HEAD);
	assert_packet(r, 1, 960, 0, false);
	assert_packet(r, 2, 1380, 540, false);
	assert_packet(r, 3, 1380, 960, false);
	oggopus_reader_free(r);
	buf_free(&b);
}

/* A packet over two pages, 300 bytes long. */
static void continued(void **state)
{
	uint8_t body[300] = {0xfc};
	struct oggopus_packet p;
	struct buf b = {0};
	struct oggopus_reader *r;

	(void)state;
	memset(body + 1, 0x55, 299);
	heads(&b, 7);
	page(&b, 0, -1, 7, 2, "ff", body, 255);
	page(&b, CONT, 960, 7, 3, "2d", body + 255, 45);
	r = reader(&b);
	assert_what(r, OGGOPUS_HEAD);
	assert_int_equal(next(r, &p), OGGOPUS_PACKET);
	assert_int_equal(p.len, 300);
	assert_memory_equal(p.data, body, 300);
	assert_int_equal(p.granule, 960);
	assert_what(r, OGGOPUS_MORE);
	oggopus_reader_free(r);
	buf_free(&b);
}

/* The page between is gone, or its bytes are damaged, or are no page. */
static void lost_page(void **state)
{
	(void)state;
	for (int how = 0; how < 3; how++) {
		struct buf b = {0};
		struct oggopus_reader *r;

		heads(&b, 7);
		page(&b, 0, 960, 7, 2, "02", P("\1"), 2);
		if (how == 1) {
			page(&b, 0, 1920, 7, 3, "02", P("\2"), 2);
			b.data[b.len - 1] ^= 1;
		} else if (how == 2) {
			buf_puts(&b, "Ogglike bytes are no pages, Oggs");
		}
		page(&b, EOS, 2880, 7, 4, "02", P("\3"), 2);
		r = reader(&b);
		assert_what(r, OGGOPUS_HEAD);
		assert_packet(r, 1, 960, 0, false);
		assert_packet(r, 3, 2880, 0, true);
		assert_int_equal(oggopus_skipped(r),
			how == 1 ? 30 : how == 2 ? 32 : 0);
		assert_int_equal(oggopus_end(r), 0);
		oggopus_reader_free(r);
		buf_free(&b);
	}
}

/* What is no Opus packet is left out; its neighbours stay. */
static void bad_packet(void **state)
{
	struct buf b = {0};
	struct oggopus_reader *r;

	(void)state;
	heads(&b, 7);
	page(&b, 0, 1920, 7, 2, "02 00 02 02", P("\1") "\xfb\0" P("\3"), 6);
	r = reader(&b);
	assert_what(r, OGGOPUS_HEAD);
	assert_packet(r, 1, 960, 0, false);
	assert_packet(r, 3, 1920, 0, true);
	assert_int_equal(oggopus_skipped(r), 2);
	oggopus_reader_free(r);
	buf_free(&b);
}

/* One file after the other, the second with the serial of the first. */
static void chained(void **state)
{
	static const uint32_t serials[] = {7, 8};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(serials); i++) {
		struct buf b = {0};
		struct oggopus_reader *r;

		heads(&b, 7);
		page(&b, i ? 0 : EOS, 960, 7, 2, "02", P("\1"), 2);
		heads(&b, serials[i]);
		page(&b, EOS, 960, serials[i], 2, "02", P("\2"), 2);
		r = reader(&b);
		assert_what(r, OGGOPUS_HEAD);
		assert_packet(r, 1, 960, 0, false);
		assert_what(r, OGGOPUS_HEAD);
		assert_packet(r, 2, 960, 0, false);
		assert_what(r, OGGOPUS_MORE);
		assert_int_equal(oggopus_end(r), 0);
		oggopus_reader_free(r);
		buf_free(&b);
	}
}

/* Another codec and a second Opus stream stand beside the first one. */
static void multiplexed(void **state)
{
	struct buf b = {0};
	struct oggopus_reader *r;

	(void)state;
	page(&b, BOS, 0, 1, 0, "08", "\1vorbis\0", 8);
	page(&b, BOS, 0, 7, 0, "13", head, 19);
	page(&b, BOS, 0, 9, 0, "13", head, 19);
	page(&b, 0, 0, 7, 1, "10", tags, 16);
	page(&b, 0, 0, 9, 1, "10", tags, 16);
	page(&b, 0, 960, 9, 2, "02", P("\x99"), 2);
	page(&b, 0, 960, 7, 2, "02", P("\1"), 2);
	page(&b, EOS, 10, 1, 1, "02", "xx", 2);
	page(&b, EOS, 1920, 7, 3, "02", P("\2"), 2);
	r = reader(&b);
	assert_what(r, OGGOPUS_HEAD);
	assert_packet(r, 1, 960, 0, false);
	assert_packet(r, 2, 1920, 0, false);
	assert_what(r, OGGOPUS_MORE);
	assert_int_equal(oggopus_end(r), 0);
	oggopus_reader_free(r);
	buf_free(&b);
}

static void malformed(void **state)
{
	struct buf b = {0};
	struct oggopus_reader *r;

	(void)state;
	/* Version 16 of OpusHead. */
	page(&b, BOS, 0, 7, 0, "13",
		"OpusHead\x10\2\x38\1\x80\xbb\0\0\0\0", 19);
	r = reader(&b);
	assert_what(r, -EBADMSG);
	assert_what(r, -EBADMSG);
	assert_int_equal(oggopus_end(r), -EBADMSG);
	oggopus_reader_free(r);
	buf_clear(&b);
	/* Where the tags should be. */
	page(&b, BOS, 0, 7, 0, "13", head, 19);
	page(&b, 0, 0, 7, 1, "10", head, 16);
	r = reader(&b);
	assert_what(r, OGGOPUS_HEAD);
	assert_what(r, -EBADMSG);
	oggopus_reader_free(r);
	buf_clear(&b);
	/* Not Ogg at all. */
	buf_puts(&b, "RIFF....WAVE");
	r = reader(&b);
	assert_what(r, OGGOPUS_MORE);
	assert_int_equal(oggopus_end(r), -ENODATA);
	oggopus_reader_free(r);
	buf_free(&b);
}

/* A packet that never ends is given up at OGGOPUS_MAX_PACKET. */
static void endless_packet(void **state)
{
	static uint8_t body[255 * 255];
	static char lacing[2 * 255 + 1];
	struct buf b = {0};
	struct oggopus_reader *r;
	int what, pages = 0;

	(void)state;
	memset(lacing, 'f', 2 * 255);
	heads(&b, 7);
	r = reader(&b);
	assert_what(r, OGGOPUS_HEAD);
	for (uint32_t i = 2;; i++) {
		struct oggopus_packet p;

		buf_clear(&b);
		page(&b, i == 2 ? 0 : CONT, -1, 7, i, lacing, body,
			sizeof(body));
		assert_int_equal(oggopus_feed(r, b.data, b.len), 0);
		what = next(r, &p);
		if (what != OGGOPUS_MORE)
			break;
		pages++;
	}
	assert_int_equal(what, -EMSGSIZE);
	assert_int_equal(pages, 2); /* the third of 65,025 bytes is too many */
	oggopus_reader_free(r);
	buf_free(&b);
}

static void writing(void **state)
{
	struct oggopus_head h = {.channels = 2, .pre_skip = 312,
		.input_hz = 48000};
	struct oggopus_writer *w = oggopus_writer_new(7, &h, 1920);
	struct buf b = {0}, want = {0};
	size_t heads_len;

	(void)state;
	assert_non_null(w);
	assert_int_equal(oggopus_write_heads(w, &b), 0);
	/* The first page, with the checksum as others compute it. */
	assert_bytes(b.data, 47, "4f676753 00 02 0000000000000000 07000000 "
		"00000000 9ff645aa 01 13 4f70757348656164 01 02 3801 80bb0000 "
		"0000 00");
	assert_memory_equal(b.data + 47 + 28, "OpusTags", 8);
	heads_len = b.len;
	assert_int_equal(oggopus_write(w, (uint8_t *)P("\1"), 2, &b), 0);
	assert_int_equal(oggopus_write(w, (uint8_t *)P("\2"), 2, &b), 0);
	assert_int_equal(b.len, heads_len); /* is held back */
	assert_int_equal(oggopus_write(w, (uint8_t *)P("\3"), 2, &b), 0);
	page(&want, 0, 1920, 7, 2, "02 02", P("\1") P("\2"), 4);
	assert_int_equal(b.len - heads_len, want.len);
	assert_memory_equal(b.data + heads_len, want.data, want.len);
	assert_int_equal(oggopus_finish(w, 100, &b), 0);
	page(&want, EOS, 2780, 7, 3, "02", P("\3"), 2);
	assert_int_equal(b.len - heads_len, want.len);
	assert_memory_equal(b.data + heads_len, want.data, want.len);
	assert_int_equal(oggopus_written(w), 2880);
	assert_int_equal(oggopus_finish(w, 0, &b), 0);
	assert_int_equal(b.len - heads_len, want.len);
	assert_int_equal(oggopus_write(w, (uint8_t *)"", 0, &b), -EBADMSG);
	assert_int_equal(oggopus_write(w, (uint8_t *)"\xfb", 1, &b), -EBADMSG);
	oggopus_writer_free(w);
	buf_free(&want);
	buf_free(&b);
}

/* 130.5 ms are missing: 120 ms and 10 ms are concealed, half a millisecond
 * cannot be. What follows is of the mode it was. */
static void writing_gaps(void **state)
{
	struct oggopus_head h = {.channels = 1};
	struct oggopus_writer *w = oggopus_writer_new(7, &h, 0);
	struct buf b = {0};
	struct oggopus_reader *r;
	struct oggopus_packet p;

	(void)state;
	assert_int_equal(oggopus_write_heads(w, &b), 0);
	assert_int_equal(oggopus_write_gap(w, 960, &b), 0);
	assert_int_equal(oggopus_write(w, (uint8_t *)"\x48\1", 2, &b), 0);
	assert_int_equal(oggopus_write_gap(w, 6264, &b), 6240);
	assert_int_equal(oggopus_write_gap(w, 120, &b), 120);
	assert_int_equal(oggopus_write(w, (uint8_t *)"\x48\2", 2, &b), 0);
	assert_int_equal(oggopus_written(w), 960 + 6240 + 120 + 960);
	assert_int_equal(oggopus_finish(w, 0, &b), 0);
	oggopus_writer_free(w);
	r = reader(&b);
	assert_what(r, OGGOPUS_HEAD);
	assert_int_equal(next(r, &p), OGGOPUS_PACKET);
	assert_bytes(p.data, p.len, "48 01");
	assert_int_equal(next(r, &p), OGGOPUS_PACKET);
	assert_bytes(p.data, p.len, "4b 06");
	assert_int_equal(p.granule, 6720);
	assert_int_equal(next(r, &p), OGGOPUS_PACKET);
	assert_bytes(p.data, p.len, "43 01");
	assert_int_equal(next(r, &p), OGGOPUS_PACKET);
	assert_bytes(p.data, p.len, "a3 01");
	assert_int_equal(next(r, &p), OGGOPUS_PACKET);
	assert_bytes(p.data, p.len, "48 02");
	assert_int_equal(p.granule, 8280);
	assert_int_equal(oggopus_end(r), 0);
	oggopus_reader_free(r);
	buf_free(&b);
}

static void writer_refuses(void **state)
{
	struct oggopus_head h = {.channels = 3};

	(void)state;
	assert_null(oggopus_writer_new(7, &h, 0));
	assert_int_equal(errno, EINVAL);
	oggopus_writer_free(NULL);
	oggopus_reader_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(durations),
		cmocka_unit_test(lost_packets),
		cmocka_unit_test(head_packet),
		cmocka_unit_test(known_file),
		cmocka_unit_test(byte_by_byte),
		cmocka_unit_test(late_start),
		cmocka_unit_test(long_trim),
		cmocka_unit_test(continued),
		cmocka_unit_test(lost_page),
		cmocka_unit_test(bad_packet),
		cmocka_unit_test(chained),
		cmocka_unit_test(multiplexed),
		cmocka_unit_test(malformed),
		cmocka_unit_test(endless_packet),
		cmocka_unit_test(writing),
		cmocka_unit_test(writing_gaps),
		cmocka_unit_test(writer_refuses),
	};
	return cmocka_run_group_tests_name("wire-ogg", tests, NULL, NULL);
}
