/* load_gen - frames of a given rate, and packets of a given size. */
#include "base.h"
#include "load_gen_priv.h"
#include "wire.h"

#define STAMP_MAGIC    UINT32_C(0x436b4c64)
#define OPUS_HZ        48000u
#define VP8_HZ         90000u
#define KEY_TIMES      4u /* the size of others */
#define OPUS_CELT_FB   28u   /* config of 2.5 ms, full band; then 5, 10, 20 */
#define OPUS_CODE3     3u    /* mono */
#define OPUS_PAD_CBR1  0x41u /* padding, one frame */
#define VP8_TAG_BYTES  10u /* of a key frame; 3 of others */

void load_gen_init(struct load_gen *g, const struct load_media *m, bool video,
	uint16_t author, uint64_t start_ns, uint64_t seed)
{
	struct rng rng;

	rng_seed(&rng, seed);
	*g = (struct load_gen){.media = m, .video = video, .author = author,
		.start_ns = start_ns, .seq = (uint16_t)rng_u32(&rng),
		.first_ts = rng_u32(&rng),
		.picture_id = rng_u32(&rng) & 0x7fff, .key_wanted = video};
}

static uint32_t frames_hz(const struct load_gen *g)
{
	return g->video ? g->media->video_fps : g->media->audio_hz;
}

uint64_t load_gen_due(const struct load_gen *g)
{
	return g->start_ns + g->frame * NS_PER_S / frames_hz(g);
}

void load_gen_want_key(struct load_gen *g)
{
	g->key_wanted = g->video;
}

static size_t audio_bytes(const struct load_media *m)
{
	return MIN(MAX(m->audio_bps / 8 / m->audio_hz, LOAD_MIN_AUDIO),
		PEER_MAX_PAYLOAD);
}

/* Key frames take what others give back. */
static size_t video_bytes(struct load_gen *g)
{
	int64_t mean = g->media->video_bps / 8 / g->media->video_fps;
	int64_t n;

	g->credit += mean;
	n = g->key ? (int64_t)KEY_TIMES * mean :
		MAX(MIN(g->credit, 2 * mean), mean / 2);
	g->credit -= n;
	return (size_t)MAX(n, (int64_t)LOAD_MIN_VIDEO);
}

/* Packets of a frame are alike in size, as encoders make them. */
static void share_out(struct load_gen *g)
{
	size_t room = g->media->payload_bytes - VP8_MAX_HEADER;
	size_t packets = (g->left + room - 1) / room;

	g->each = (g->left + packets - 1) / packets;
	if (g->each < LOAD_MIN_VIDEO)
		g->each = LOAD_MIN_VIDEO;
}

bool load_gen_frame(struct load_gen *g, uint64_t now_ns)
{
	uint32_t hz = frames_hz(g);

	if (load_gen_due(g) > now_ns)
		return false;
	while (load_gen_due(g) + LOAD_MAX_LATE_NS <= now_ns) {
		g->frame++;
		g->skipped++;
	}
	g->rtp_ts = g->first_ts + (uint32_t)(g->frame *
		(g->video ? VP8_HZ : OPUS_HZ) / hz);
	g->frame++;
	g->begun = true;
	if (!g->video) {
		g->left = g->each = audio_bytes(g->media);
		return true;
	}
	g->key = g->key_wanted ||
		now_ns - g->key_ns >= g->media->key_ms * NS_PER_MS;
	if (g->key)
		g->key_ns = now_ns;
	g->key_wanted = false;
	g->picture_id = (g->picture_id + 1) & 0x7fff;
	g->left = video_bytes(g);
	share_out(g);
	return true;
}

static void put_stamp(const struct load_gen *g, uint8_t *p, uint64_t now_ns)
{
	be32_put(p, STAMP_MAGIC);
	be16_put(p + 4, g->author);
	be16_put(p + 6, 0);
	be64_put(p + 8, now_ns);
}

bool load_stamp_read(const uint8_t *payload, size_t n,
	struct load_stamp *out)
{
	const uint8_t *p;

	if (n < LOAD_STAMP_BYTES)
		return false;
	p = payload + n - LOAD_STAMP_BYTES;
	if (be32(p) != STAMP_MAGIC)
		return false;
	out->author = be16(p + 4);
	out->sent_ns = be64(p + 8);
	return true;
}

/* RFC 6716 section 3.2.5: TOC, frame count byte, length of the padding, the
 * two bytes of a silent frame, padding. */
static void put_opus(const struct load_gen *g, uint8_t *p, size_t n)
{
	unsigned config = OPUS_CELT_FB;
	size_t head = 2, pad;

	for (uint32_t hz = 400; hz > g->media->audio_hz; hz /= 2)
		config++;
	p[0] = (uint8_t)(config << 3 | OPUS_CODE3);
	p[1] = OPUS_PAD_CBR1;
	for (pad = n - 2 - 2; pad > 254 + 1; pad -= 255)
		p[head++] = 255;
	p[head++] = (uint8_t)(pad - 1);
	p[head] = 0xff;
	p[head + 1] = 0xfe;
	memset(p + head + 2, 0, n - head - 2);
}

/* RFC 6386 section 9.1. */
static size_t put_frame_tag(const struct load_gen *g, uint8_t *p)
{
	uint32_t tag = (g->key ? 0 : 1) | 1u << 4 | 16u << 5;

	p[0] = (uint8_t)tag;
	p[1] = (uint8_t)(tag >> 8);
	p[2] = (uint8_t)(tag >> 16);
	if (!g->key)
		return 3;
	p[3] = 0x9d;
	p[4] = 0x01;
	p[5] = 0x2a;
	p[6] = (uint8_t)g->media->width;
	p[7] = (uint8_t)(g->media->width >> 8);
	p[8] = (uint8_t)g->media->height;
	p[9] = (uint8_t)(g->media->height >> 8);
	return VP8_TAG_BYTES;
}

static size_t put_vp8(const struct load_gen *g, uint8_t *p, size_t n)
{
	const struct vp8 v = {.start = g->begun, .has_picture_id = true,
		.picture_id_15 = true, .picture_id = g->picture_id};
	size_t head = (size_t)vp8_write(p, PEER_MAX_PAYLOAD, &v);

	memset(p + head, 0x5a, n);
	if (g->begun)
		put_frame_tag(g, p + head);
	return head + n;
}

bool load_gen_packet(struct load_gen *g, uint64_t now_ns,
	struct peer_rtp *out, uint8_t payload[static PEER_MAX_PAYLOAD])
{
	size_t n = MIN(g->left, g->each);

	if (!g->left)
		return false;
	g->left -= n;
	if (g->video) {
		/* A rest that holds no stamp is filled up. */
		n = put_vp8(g, payload, MAX(n, VP8_TAG_BYTES +
			LOAD_STAMP_BYTES));
	} else {
		put_opus(g, payload, n);
	}
	put_stamp(g, payload + n - LOAD_STAMP_BYTES, now_ns);
	out->seq = g->seq++;
	out->rtp_ts = g->rtp_ts;
	/* Of sound: the first packet of a talk spurt, and all is one. */
	out->marker = g->video && !g->left;
	out->payload = payload;
	out->len = n;
	g->begun = false;
	return true;
}
