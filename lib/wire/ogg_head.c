/* OpusHead, the first packet of Ogg Opus. */
#include "ogg.h"

#include "base.h"
#include "wire_le_priv.h"

int oggopus_head_parse(struct oggopus_head *out, const uint8_t *p, size_t n)
{
	*out = (struct oggopus_head){0};
	/* A later minor version only adds; a major one is another format. */
	if (n < OGGOPUS_HEAD_BYTES || memcmp(p, "OpusHead", 8) || p[8] > 15)
		return -EBADMSG;
	out->channels = p[9];
	out->pre_skip = (unsigned)le(p + 10, 2);
	out->input_hz = (uint32_t)le(p + 12, 4);
	out->gain_q8 = (int16_t)le(p + 16, 2);
	out->family = p[18];
	if (!out->channels || (!out->family && out->channels > 2))
		return -EBADMSG;
	/* Other families go on with a table of their channels. */
	if (out->family && n < OGGOPUS_HEAD_BYTES + 2u + out->channels)
		return -EBADMSG;
	return 0;
}

int oggopus_head_write(uint8_t out[static OGGOPUS_HEAD_BYTES],
	const struct oggopus_head *h)
{
	if (h->family || !h->channels || h->channels > 2 ||
		h->pre_skip > 0xffff)
		return -EINVAL;
	memcpy(out, "OpusHead\1", 9);
	out[9] = (uint8_t)h->channels;
	le_put(out + 10, 2, h->pre_skip);
	le_put(out + 12, 4, h->input_hz);
	le_put(out + 16, 2, (uint16_t)h->gain_q8);
	out[18] = 0;
	return 0;
}
