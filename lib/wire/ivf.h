/* ivf - IVF, the file format of a single VP8, VP9 or AV1 stream: a header of
 * 32 bytes, then frames, each behind its size (32 bits) and time (64 bits);
 * little-endian.
 *
 * The reader takes bytes as they come and gives frames; files that follow
 * one another (cat a.ivf b.ivf) are read as one, each with its header.
 * Units: pts in ticks of scale / rate seconds.
 * Ownership: a reader owns its buffer (ivf_free); what it gives is lent until
 * the next ivf_feed. Writers append to a buffer of the caller.
 */
#ifndef IVF_H
#define IVF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "bytes.h"

#define IVF_HEAD_BYTES   32
#define IVF_FRAME_BYTES  12 /* in front of a frame */
#define IVF_MAX_FRAME    (8u << 20)

struct ivf_head {
	char fourcc[5]; /* "VP80"; ASCII */
	uint16_t width;
	uint16_t height;
	uint32_t rate;  /* not 0, nor is scale */
	uint32_t scale;
	uint32_t frames; /* as the header says, often 0 or wrong */
};

struct ivf_frame {
	const uint8_t *data;
	size_t len; /* may be 0: a frame that the encoder left out */
	uint64_t pts;
};

/* Zeroed is a new reader. */
struct ivf_reader {
	struct ivf_head head; /* valid after IVF_HEAD */
	struct buf in;
	size_t at;   /* of in.data, taken */
	bool headed;
	int err;     /* sticky */
};

enum ivf_what { IVF_MORE, IVF_HEAD, IVF_FRAME };

/* Appends a copy; take all with ivf_next before the next one, so that no
 * more than a frame waits. -ENOMEM. */
int ivf_feed(struct ivf_reader *r, const void *p, size_t n);
/* enum ivf_what, or for ever -EBADMSG (no IVF, another version, a fourcc that
 * is no text, rate or scale 0), -EMSGSIZE (a frame above IVF_MAX_FRAME; so
 * also what is no frame at all). */
int ivf_next(struct ivf_reader *r, struct ivf_frame *out);
/* At the end of input: 0, or -ENODATA if it ended within a header or frame,
 * or the error that ivf_next gave. */
int ivf_end(const struct ivf_reader *r);
void ivf_free(struct ivf_reader *r);

/* -EINVAL: fourcc has not four characters, or rate or scale is 0. */
int ivf_write_head(struct buf *out, const struct ivf_head *h);
/* -EMSGSIZE above IVF_MAX_FRAME. */
int ivf_write_frame(struct buf *out, const void *p, size_t n, uint64_t pts);

#endif
