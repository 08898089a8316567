#include "vp8.h"

#include "base.h"

/* Bits of the descriptor's first byte and of its extension byte. */
enum { X = 0x80, N = 0x20, S = 0x10, PID = 0x07 };
enum { I = 0x80, L = 0x40, T = 0x20, K = 0x10 };

static void extension(struct vp8 *v, struct rd *r, const uint8_t *p)
{
	uint8_t bits = rd_u8(r);
	if (bits & I) {
		v->has_picture_id = true;
		v->picture_id_at = (uint8_t)(r->p - p);
		v->picture_id = rd_u8(r);
		if (v->picture_id & 0x80) {
			v->picture_id_15 = true;
			v->picture_id = (uint16_t)((v->picture_id & 0x7f) << 8 |
				rd_u8(r));
		}
	}
	if (bits & L) {
		v->has_tl0picidx = true;
		v->tl0picidx_at = (uint8_t)(r->p - p);
		v->tl0picidx = rd_u8(r);
	}
	if (bits & (T | K)) {
		uint8_t tk = rd_u8(r);
		v->has_tid = bits & T;
		v->has_keyidx = bits & K;
		/* What its bit does not announce is to be ignored. */
		v->tid = v->has_tid ? tk >> 6 : 0;
		v->layer_sync = v->has_tid && (tk & 0x20);
		v->keyidx = v->has_keyidx ? tk & 0x1f : 0;
	}
}

/* RFC 6386 section 9.1: a 3-byte tag whose lowest bit is 0 in a key frame,
 * the start code, then both sides with 2 bits of scaling above 14 of size. */
static int frame_head(struct vp8 *v, const uint8_t *p, size_t n)
{
	v->key = !(p[0] & 1);
	if (!v->key)
		return 0;
	if (n < 10 || p[3] != 0x9d || p[4] != 0x01 || p[5] != 0x2a)
		return -EBADMSG;
	v->width = (uint16_t)((p[7] << 8 | p[6]) & 0x3fff);
	v->height = (uint16_t)((p[9] << 8 | p[8]) & 0x3fff);
	return v->width && v->height ? 0 : -EBADMSG;
}

int vp8_parse(struct vp8 *out, const uint8_t *p, size_t n)
{
	*out = (struct vp8){0};
	struct rd r = rd_of(p, n);
	uint8_t bits = rd_u8(&r);
	out->non_reference = bits & N;
	out->start = bits & S;
	out->partition = bits & PID;
	if (bits & X)
		extension(out, &r, p);
	if (r.bad || !rd_left(&r))
		return -EBADMSG;
	out->header_len = (uint8_t)(r.p - p);
	out->frame_start = out->start && !out->partition;
	if (!out->frame_start)
		return 0;
	return frame_head(out, r.p, rd_left(&r));
}

void vp8_set_picture_id(uint8_t *p, const struct vp8 *v, uint16_t id)
{
	if (!v->has_picture_id)
		return;
	if (v->picture_id_15)
		be16_put(p + v->picture_id_at, (uint16_t)(0x8000 | id));
	else
		p[v->picture_id_at] = id & 0x7f;
}

void vp8_set_tl0picidx(uint8_t *p, const struct vp8 *v, uint8_t idx)
{
	if (v->has_tl0picidx)
		p[v->tl0picidx_at] = idx;
}

int vp8_write(uint8_t *out, size_t cap, const struct vp8 *v)
{
	uint8_t b[VP8_MAX_HEADER];
	size_t n = 0;
	if (v->partition > 7 || (v->has_tid && v->tid > 3) ||
		(v->has_keyidx && v->keyidx > 31) ||
		(v->has_picture_id &&
			v->picture_id > (v->picture_id_15 ? 0x7fff : 0x7f)))
		return -EINVAL;
	uint8_t ext = (uint8_t)((v->has_picture_id ? I : 0) |
		(v->has_tl0picidx ? L : 0) | (v->has_tid ? T : 0) |
		(v->has_keyidx ? K : 0));
	b[n++] = (uint8_t)((ext ? X : 0) | (v->non_reference ? N : 0) |
		(v->start ? S : 0) | v->partition);
	if (ext)
		b[n++] = ext;
	if (v->has_picture_id && v->picture_id_15) {
		be16_put(b + n, (uint16_t)(0x8000 | v->picture_id));
		n += 2;
	} else if (v->has_picture_id) {
		b[n++] = (uint8_t)v->picture_id;
	}
	if (v->has_tl0picidx)
		b[n++] = v->tl0picidx;
	if (v->has_tid || v->has_keyidx)
		b[n++] = (uint8_t)((v->has_tid ? v->tid << 6 : 0) |
			(v->has_tid && v->layer_sync ? 0x20 : 0) |
			(v->has_keyidx ? v->keyidx : 0));
	if (n > cap)
		return -ENOBUFS;
	memcpy(out, b, n);
	return (int)n;
}
