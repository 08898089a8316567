#include "ivf.h"

#include "base.h"
#include "wire_le_priv.h"

#define MAX_HEAD 1024 /* a longer header is not from here */

int ivf_feed(struct ivf_reader *r, const void *p, size_t n)
{
	buf_consume(&r->in, r->at);
	r->at = 0;
	buf_put(&r->in, p, n);
	if (!r->in.err)
		return 0;
	r->in.err = 0;
	return -ENOMEM;
}

static int fail(struct ivf_reader *r, int err)
{
	r->err = err;
	return err;
}

static int read_head(struct ivf_reader *r, const uint8_t *p, size_t n)
{
	struct ivf_head *h = &r->head;
	size_t len;

	if (memcmp(p, "DKIF", MIN(n, (size_t)4)))
		return fail(r, -EBADMSG);
	if (n < IVF_HEAD_BYTES)
		return IVF_MORE;
	len = le(p + 6, 2);
	if (le(p + 4, 2) || len < IVF_HEAD_BYTES || len > MAX_HEAD)
		return fail(r, -EBADMSG);
	*h = (struct ivf_head){
		.width = (uint16_t)le(p + 12, 2),
		.height = (uint16_t)le(p + 14, 2),
		.rate = (uint32_t)le(p + 16, 4),
		.scale = (uint32_t)le(p + 20, 4),
		.frames = (uint32_t)le(p + 24, 4),
	};
	memcpy(h->fourcc, p + 8, 4);
	for (int i = 0; i < 4; i++)
		if (h->fourcc[i] < ' ' || h->fourcc[i] > '~')
			return fail(r, -EBADMSG);
	if (!h->rate || !h->scale)
		return fail(r, -EBADMSG);
	if (n < len)
		return IVF_MORE;
	r->at += len;
	r->headed = true;
	return IVF_HEAD;
}

int ivf_next(struct ivf_reader *r, struct ivf_frame *out)
{
	const uint8_t *p = r->in.len ? r->in.data + r->at : NULL;
	size_t n = r->in.len - r->at;

	*out = (struct ivf_frame){0};
	if (r->err)
		return r->err;
	if (!n)
		return IVF_MORE;
	/* As a size, "DKIF" would be far too large: it is a header. */
	if (!r->headed || (n >= 4 && !memcmp(p, "DKIF", 4)))
		return read_head(r, p, n);
	if (n >= 4 && le(p, 4) > IVF_MAX_FRAME)
		return fail(r, -EMSGSIZE);
	if (n < IVF_FRAME_BYTES || n - IVF_FRAME_BYTES < le(p, 4))
		return IVF_MORE;
	out->len = le(p, 4);
	out->pts = le(p + 4, 8);
	out->data = p + IVF_FRAME_BYTES;
	r->at += IVF_FRAME_BYTES + out->len;
	return IVF_FRAME;
}

int ivf_end(const struct ivf_reader *r)
{
	if (r->err)
		return r->err;
	return r->headed && r->at == r->in.len ? 0 : -ENODATA;
}

void ivf_free(struct ivf_reader *r)
{
	buf_free(&r->in);
	*r = (struct ivf_reader){0};
}

int ivf_write_head(struct buf *out, const struct ivf_head *h)
{
	uint8_t b[IVF_HEAD_BYTES] = "DKIF";

	if (strlen(h->fourcc) != 4 || !h->rate || !h->scale)
		return -EINVAL;
	le_put(b + 6, 2, sizeof(b));
	memcpy(b + 8, h->fourcc, 4);
	le_put(b + 12, 2, h->width);
	le_put(b + 14, 2, h->height);
	le_put(b + 16, 4, h->rate);
	le_put(b + 20, 4, h->scale);
	le_put(b + 24, 4, h->frames);
	buf_put(out, b, sizeof(b));
	return out->err;
}

int ivf_write_frame(struct buf *out, const void *p, size_t n, uint64_t pts)
{
	uint8_t b[IVF_FRAME_BYTES];

	if (n > IVF_MAX_FRAME)
		return -EMSGSIZE;
	le_put(b, 4, n);
	le_put(b + 4, 8, pts);
	buf_put(out, b, sizeof(b));
	buf_put(out, p, n);
	return out->err;
}
