/* ogg - Ogg Opus (RFC 7845, RFC 3533): packets in and out of a stream of
 * bytes, over libogg, which knows pages and their checksums.
 *
 * The reader takes the first Opus stream of a file; other streams beside it
 * are left out, and streams that follow one another (chained files, or cat)
 * are read as one, each with its head. Damaged and missing pages are skipped.
 * Units: samples are per channel at 48 kHz; granule counts them from the
 * start, with the pre_skip samples that a player drops.
 * Ownership: what the reader gives is lent until the next call. Writers
 * append to a buffer of the caller. libogg allocates for both.
 * Never: decodes; keeps more than OGGOPUS_MAX_TAGS of one packet.
 */
#ifndef OGG_H
#define OGG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;

#define OGGOPUS_MAX_TAGS    (16u << 20) /* title, cover … */
#define OGGOPUS_MAX_PACKET  (128u << 10)
#define OGGOPUS_HEAD_BYTES  19 /* of family 0 */

/* OpusHead (RFC 7845 section 5.1). */
struct oggopus_head {
	unsigned channels; /* 1 to 255 */
	unsigned pre_skip; /* samples, 16 bits */
	uint32_t input_hz; /* of what was encoded; 0 not known */
	int16_t gain_q8;   /* dB in 1/256 */
	unsigned family;   /* 0: mono or stereo */
};

/* -EBADMSG: no OpusHead, of a later version, cut off, without channels, or
 * of family 0 with more than two. */
int oggopus_head_parse(struct oggopus_head *out, const uint8_t *p, size_t n);
/* -EINVAL for other families than 0, or more than two channels. */
int oggopus_head_write(uint8_t out[static OGGOPUS_HEAD_BYTES],
	const struct oggopus_head *h);

/* ---- reading ---- */

struct oggopus_reader;

struct oggopus_packet {
	const uint8_t *data;
	size_t len;
	unsigned samples; /* that it lasts: 120 to 5760 */
	unsigned trim;    /* at its end, not to be played */
	uint64_t granule; /* of its end, trim left out */
	bool gap;         /* something is missing in front of it */
};

enum oggopus_what { OGGOPUS_MORE, OGGOPUS_HEAD, OGGOPUS_PACKET };

/* NULL with errno ENOMEM. */
struct oggopus_reader *oggopus_reader_new(void);
void oggopus_reader_free(struct oggopus_reader *r);
/* Appends a copy; take all with oggopus_next before the next one. -ENOMEM. */
int oggopus_feed(struct oggopus_reader *r, const void *p, size_t n);
/* enum oggopus_what, or for ever -EBADMSG (a head or its tags that are none),
 * -EMSGSIZE (a packet above the limits), -ENOMEM. */
int oggopus_next(struct oggopus_reader *r, struct oggopus_packet *out);
/* Of the stream that is being read. */
const struct oggopus_head *oggopus_head(const struct oggopus_reader *r);
/* Bytes that belonged to no page, and packets that were no Opus. */
uint64_t oggopus_skipped(const struct oggopus_reader *r);
/* At the end of input: 0, or -ENODATA if the last stream did not end by its
 * last page or none began, or the error that oggopus_next gave. */
int oggopus_end(const struct oggopus_reader *r);

/* ---- writing ---- */

struct oggopus_writer;

/* serial: random, to tell streams of one file apart. A page is written when
 * it has page_samples or more, so 0 gives each packet its own. A packet is
 * held back until the next one comes, since the last page is marked.
 * NULL with errno ENOMEM, or EINVAL as oggopus_head_write. */
struct oggopus_writer *oggopus_writer_new(uint32_t serial,
	const struct oggopus_head *h, unsigned page_samples);
void oggopus_writer_free(struct oggopus_writer *w);
/* The two head pages, first of all. -ENOMEM. */
int oggopus_write_heads(struct oggopus_writer *w, struct buf *out);
/* -EBADMSG: no Opus packet. -EMSGSIZE: above OPUSTOC_MAX_BYTES. */
int oggopus_write(struct oggopus_writer *w, const uint8_t *p, size_t n,
	struct buf *out);
/* Packets that ask for concealment stand for samples that were lost (RFC
 * 7845 section 4.1.1). Returns how many they stand for: less than
 * OPUSTOC_MIN_SAMPLES fewer, and 0 before the first packet. */
int oggopus_write_gap(struct oggopus_writer *w, unsigned samples,
	struct buf *out);
/* The last page; trim samples of the last packet are not to be played. If no
 * packet was written there is no last page either. */
int oggopus_finish(struct oggopus_writer *w, unsigned trim, struct buf *out);
/* Samples written, concealed ones included. */
uint64_t oggopus_written(const struct oggopus_writer *w);

#endif
