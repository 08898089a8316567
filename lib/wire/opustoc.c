#include "opustoc.h"

#include "base.h"

/* Table 2 of RFC 6716: configurations 0 to 11 are SILK, 12 to 15 hybrid,
 * from 16 on CELT. */
enum { HYBRID = 12, CELT = 16 };

static unsigned frame_samples(uint8_t toc)
{
	static const uint16_t silk[] = {480, 960, 1920, 2880};
	unsigned config = toc >> 3;

	if (config >= CELT)
		return OPUSTOC_MIN_SAMPLES << (config & 3);
	return config >= HYBRID ? silk[config & 1] : silk[config & 3];
}

int opustoc_samples(const uint8_t *p, size_t n)
{
	unsigned frames, samples;

	if (!n)
		return -EBADMSG;
	frames = (p[0] & 3) == 0 ? 1 : 2;
	if ((p[0] & 3) == 3)
		frames = n > 1 ? p[1] & 0x3f : 0;
	samples = frames * frame_samples(p[0]);
	if (!samples || samples > OPUSTOC_MAX_SAMPLES)
		return -EBADMSG;
	return (int)samples;
}

/* The configuration with frames of that size that is nearest to toc's: of
 * its own mode, or, for frames that only CELT has, CELT of its bandwidth. */
static unsigned config_of(uint8_t toc, unsigned frame)
{
	static const uint8_t celt[] = {16, 20, 20, 24, 28}; /* of NB to FB */
	unsigned config = toc >> 3, size = 0;

	while (OPUSTOC_MIN_SAMPLES << size < frame)
		size++;
	if (config >= CELT)
		return (config & ~3u) | size;
	if (size < 2)
		return celt[config < HYBRID ? config / 4
					    : 3 + (config - HYBRID) / 2] | size;
	if (config >= HYBRID)
		return (config & ~1u) | (size - 2);
	return (config & ~3u) | (size - 2);
}

int opustoc_lost(uint8_t out[static OPUSTOC_LOST_BYTES], uint8_t toc,
	unsigned samples, unsigned *covered)
{
	unsigned frame = 960, count;

	*covered = 0;
	if (samples < OPUSTOC_MIN_SAMPLES)
		return 0;
	samples = MIN(samples, OPUSTOC_MAX_SAMPLES);
	while (frame > samples)
		frame /= 2;
	count = samples / frame;
	*covered = count * frame;
	/* Code 3, constant size, of which none is left for each frame. */
	out[0] = (uint8_t)(config_of(toc, frame) << 3 | (toc & 4) | 3);
	out[1] = (uint8_t)count;
	return OPUSTOC_LOST_BYTES;
}
