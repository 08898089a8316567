/* A descriptor written from what was read reads alike, and identifiers are
 * rewritten without touching another byte. */
#include "wire.h"

#include "base.h"
#include "fuzz.h"

static void same(const struct vp8 *a, const struct vp8 *b)
{
	CHECK(a->non_reference == b->non_reference && a->start == b->start);
	CHECK(a->partition == b->partition);
	CHECK(a->has_picture_id == b->has_picture_id);
	CHECK(a->picture_id_15 == b->picture_id_15);
	CHECK(a->picture_id == b->picture_id);
	CHECK(a->has_tl0picidx == b->has_tl0picidx);
	CHECK(a->tl0picidx == b->tl0picidx);
	CHECK(a->has_tid == b->has_tid && a->tid == b->tid);
	CHECK(a->layer_sync == b->layer_sync);
	CHECK(a->has_keyidx == b->has_keyidx && a->keyidx == b->keyidx);
	CHECK(a->frame_start == b->frame_start && a->key == b->key);
	CHECK(a->width == b->width && a->height == b->height);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct vp8 v, again;
	if (vp8_parse(&v, p, n))
		return 0;
	CHECK(v.header_len < n && v.header_len <= VP8_MAX_HEADER);
	CHECK(!v.key || (v.frame_start && v.width && v.height));
	size_t rest = n - v.header_len;
	uint8_t *out = malloc(VP8_MAX_HEADER + rest);
	int len = vp8_write(out, VP8_MAX_HEADER, &v);
	CHECK(len > 0 && len <= v.header_len);
	memcpy(out + len, p + v.header_len, rest);
	CHECK(!vp8_parse(&again, out, (size_t)len + rest));
	CHECK(again.header_len == len);
	same(&v, &again);
	uint16_t id = (uint16_t)(v.picture_id + 1);
	vp8_set_picture_id(out, &again, id);
	vp8_set_tl0picidx(out, &again, (uint8_t)(v.tl0picidx + 1));
	CHECK(!memcmp(out + len, p + v.header_len, rest));
	CHECK(!vp8_parse(&again, out, (size_t)len + rest));
	if (v.has_picture_id)
		v.picture_id = id & (v.picture_id_15 ? 0x7fff : 0x7f);
	if (v.has_tl0picidx)
		v.tl0picidx++;
	same(&v, &again);
	free(out);
	return 0;
}
