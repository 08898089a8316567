#include "vp8pack.h"

#include "base.h"

#define START 0x10 /* S in the descriptor's first byte */

int vp8pack_open(struct vp8pack *k, const uint8_t *frame, size_t n,
	size_t max_payload, const struct vp8 *ids)
{
	struct vp8 first = *ids;
	size_t room;
	int len;

	*k = (struct vp8pack){.p = frame, .left = n};
	first.start = true;
	first.partition = 0;
	len = vp8_write(k->descriptor, sizeof(k->descriptor), &first);
	if (len < 0 || !n || max_payload <= (size_t)len)
		return -EINVAL;
	k->descriptor_len = (size_t)len;
	room = max_payload - (size_t)len;
	k->payloads = (n - 1) / room + 1;
	return 0;
}

size_t vp8pack_next(struct vp8pack *k, uint8_t *out, bool *last)
{
	size_t take, len;

	*last = k->payloads == 1;
	if (!k->payloads)
		return 0;
	take = (k->left - 1) / k->payloads + 1;
	memcpy(out, k->descriptor, k->descriptor_len);
	memcpy(out + k->descriptor_len, k->p, take);
	len = k->descriptor_len + take;
	k->descriptor[0] &= (uint8_t)~START;
	k->p += take;
	k->left -= take;
	k->payloads--;
	return len;
}
