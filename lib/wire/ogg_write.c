/* Packets to pages. */
#include <limits.h>
#include <ogg/ogg.h>

#include "base.h"
#include "ogg.h"
#include "opustoc.h"

struct oggopus_writer {
	ogg_stream_state stream;
	struct oggopus_head head;
	unsigned page_samples;
	unsigned pending;  /* samples that no page has yet */
	unsigned last;     /* samples of the last packet */
	uint64_t samples;
	int64_t packets;
	uint8_t toc; /* of the last packet */
};

struct oggopus_writer *oggopus_writer_new(uint32_t serial,
	const struct oggopus_head *h, unsigned page_samples)
{
	uint8_t probe[OGGOPUS_HEAD_BYTES];
	struct oggopus_writer *w;

	if (oggopus_head_write(probe, h)) {
		errno = EINVAL;
		return NULL;
	}
	w = calloc(1, sizeof(*w));
	if (!w)
		return NULL;
	w->head = *h;
	w->page_samples = page_samples;
	if (ogg_stream_init(&w->stream, (int)serial)) {
		free(w);
		errno = ENOMEM;
		return NULL;
	}
	return w;
}

void oggopus_writer_free(struct oggopus_writer *w)
{
	if (!w)
		return;
	ogg_stream_clear(&w->stream);
	free(w);
}

static int flush(struct oggopus_writer *w, struct buf *out)
{
	ogg_page pg;

	while (ogg_stream_flush(&w->stream, &pg)) {
		buf_put(out, pg.header, (size_t)pg.header_len);
		buf_put(out, pg.body, (size_t)pg.body_len);
	}
	w->pending = 0;
	return out->err;
}

/* libogg copies the bytes. */
static int put(struct oggopus_writer *w, const void *p, size_t n)
{
	ogg_packet op = {.packet = (unsigned char *)(uintptr_t)p,
		.bytes = (long)n, .b_o_s = !w->packets,
		.granulepos = (int64_t)w->samples, .packetno = w->packets};

	w->packets++;
	return ogg_stream_packetin(&w->stream, &op) ? -ENOMEM : 0;
}

int oggopus_write_heads(struct oggopus_writer *w, struct buf *out)
{
	static const char vendor[] = "confkit " CONF_VERSION;
	uint8_t head[OGGOPUS_HEAD_BYTES], tags[8 + 4 + sizeof(vendor) - 1 + 4];
	int rc;

	oggopus_head_write(head, &w->head);
	memset(tags, 0, sizeof(tags)); /* no comments */
	memcpy(tags, "OpusTags", 8);
	tags[8] = sizeof(vendor) - 1;
	memcpy(tags + 12, vendor, sizeof(vendor) - 1);
	rc = put(w, head, sizeof(head));
	if (!rc)
		rc = flush(w, out);
	if (!rc)
		rc = put(w, tags, sizeof(tags));
	return rc ? rc : flush(w, out);
}

int oggopus_write(struct oggopus_writer *w, const uint8_t *p, size_t n,
	struct buf *out)
{
	int samples = opustoc_samples(p, n), rc = 0;

	if (samples < 0)
		return samples;
	if (n > OPUSTOC_MAX_BYTES)
		return -EMSGSIZE;
	if (w->pending && w->pending >= w->page_samples)
		rc = flush(w, out);
	if (rc)
		return rc;
	w->samples += (unsigned)samples;
	w->pending += (unsigned)samples;
	w->last = (unsigned)samples;
	w->toc = p[0];
	return put(w, p, n);
}

int oggopus_write_gap(struct oggopus_writer *w, unsigned samples,
	struct buf *out)
{
	uint8_t lost[OPUSTOC_LOST_BYTES], toc = w->toc;
	unsigned covered, done = 0;
	int n, rc;

	if (!w->samples || samples > INT_MAX)
		return 0;
	while ((n = opustoc_lost(lost, toc, samples - done, &covered)) > 0) {
		rc = oggopus_write(w, lost, (size_t)n, out);
		if (rc)
			return rc;
		done += covered;
	}
	w->toc = toc;
	return (int)done;
}

int oggopus_finish(struct oggopus_writer *w, unsigned trim, struct buf *out)
{
	if (!w->pending)
		return out->err;
	/* The last packet is still in libogg's hands: its page is the last. */
	w->stream.e_o_s = 1;
	w->stream.granule_vals[w->stream.lacing_fill - 1] -=
		MIN(trim, w->last);
	return flush(w, out);
}

uint64_t oggopus_written(const struct oggopus_writer *w)
{
	return w->samples;
}
