/* Transport-wide congestion control feedback, section 3.1 of the draft. */
#include "rtcp.h"

#include "base.h"

/* Statuses of a packet, as chunks spell them. 3 is reserved. */
enum { LOST, SMALL, LARGE };

#define TICKS_PER_REFERENCE 256 /* 64 ms */
#define MAX_RUN             0x1fff
#define BITS_IN_VECTOR      14 /* one-bit symbols in a chunk */
#define PAIRS_IN_VECTOR     7  /* two-bit symbols in a chunk */

/* How many statuses a chunk speaks of. */
static unsigned chunk_len(uint16_t chunk)
{
	if (!(chunk & 0x8000))
		return chunk & MAX_RUN;
	return chunk & 0x4000 ? PAIRS_IN_VECTOR : BITS_IN_VECTOR;
}

static unsigned chunk_symbol(uint16_t chunk, unsigned i)
{
	if (!(chunk & 0x8000))
		return chunk >> 13 & 3;
	if (chunk & 0x4000)
		return chunk >> 2 * (PAIRS_IN_VECTOR - 1 - i) & 3;
	return chunk >> (BITS_IN_VECTOR - 1 - i) & 1;
}

int rtcp_twcc(const struct rtcp_fb *fb, struct rtcp_twcc *out)
{
	if (fb->type != RTCP_RTPFB || fb->fmt != RTCP_FMT_TWCC || fb->len < 8)
		return -EBADMSG;
	const uint8_t *p = fb->fci;
	*out = (struct rtcp_twcc){
		.base_seq = be16(p),
		.count = be16(p + 2),
		.reference = (int32_t)be24(p + 4) -
			(p[4] & 0x80 ? 0x1000000 : 0),
		.fb_count = p[7],
		.chunk = p + 8,
		.end = p + fb->len,
	};
	out->now_us = (int64_t)out->reference * TICKS_PER_REFERENCE *
		RTCP_TWCC_TICK_US;
	if (!out->count || out->count > RTCP_TWCC_MAX_PACKETS)
		return -EBADMSG;
	/* Chunks up to the last status, then as many bytes of deltas as the
	 * statuses ask for. */
	size_t deltas = 0;
	unsigned done = 0;
	for (p = out->chunk; done < out->count; p += 2) {
		if (out->end - p < 2 || !chunk_len(be16(p)))
			return -EBADMSG;
		unsigned n = MIN(chunk_len(be16(p)), out->count - done);
		for (unsigned i = 0; i < n; i++) {
			unsigned symbol = chunk_symbol(be16(p), i);
			if (symbol > LARGE)
				return -EBADMSG;
			deltas += symbol; /* 0, 1 or 2 bytes */
		}
		done += n;
	}
	out->delta = p;
	return (size_t)(out->end - p) < deltas ? -EBADMSG : 0;
}

bool rtcp_twcc_next(struct rtcp_twcc *t, struct rtcp_twcc_status *out)
{
	if (t->done == t->count)
		return false;
	uint16_t chunk = be16(t->chunk);
	unsigned symbol = chunk_symbol(chunk, t->in_chunk);
	int ticks = 0;
	if (symbol == SMALL) {
		ticks = *t->delta++;
	} else if (symbol == LARGE) {
		ticks = (int16_t)be16(t->delta);
		t->delta += 2;
	}
	t->now_us += ticks * RTCP_TWCC_TICK_US;
	*out = (struct rtcp_twcc_status){
		.seq = (uint16_t)(t->base_seq + t->done),
		.received = symbol != LOST,
		.at_us = t->now_us,
	};
	t->done++;
	if (++t->in_chunk == chunk_len(chunk)) {
		t->chunk += 2;
		t->in_chunk = 0;
	}
	return true;
}

struct report {
	uint8_t symbol[RTCP_TWCC_MAX_WRITE];
	int16_t ticks[RTCP_TWCC_MAX_WRITE];
	size_t count;
	int64_t reference;
	size_t delta_bytes;
};

/* Turns arrivals into symbols and deltas until one does not fit. */
static int measure(struct report *r, const int64_t *at_us, size_t n)
{
	int64_t now = 0;
	bool any = false;
	*r = (struct report){0};
	for (; r->count < MIN(n, RTCP_TWCC_MAX_WRITE); r->count++) {
		size_t i = r->count;
		if (at_us[i] < 0)
			continue;
		int64_t at = at_us[i] / RTCP_TWCC_TICK_US;
		if (!any) {
			r->reference = at / TICKS_PER_REFERENCE;
			now = r->reference * TICKS_PER_REFERENCE;
			any = true;
		}
		if (at - now > INT16_MAX || at - now < INT16_MIN)
			break;
		r->ticks[i] = (int16_t)(at - now);
		r->symbol[i] = at >= now && at - now <= 255 ? SMALL : LARGE;
		r->delta_bytes += r->symbol[i];
		now = at;
	}
	return any ? 0 : -EINVAL;
}

/* The chunk for the symbols from at on; *len says how many it holds. */
static uint16_t encode(const struct report *r, size_t at, size_t *len)
{
	const uint8_t *s = r->symbol + at;
	size_t left = r->count - at;
	size_t run = 1, small = 0;
	while (run < left && s[run] == s[0])
		run++;
	while (small < MIN(left, BITS_IN_VECTOR) && s[small] != LARGE)
		small++;
	bool bits = small == MIN(left, BITS_IN_VECTOR);
	if (run == left || run >= (bits ? BITS_IN_VECTOR : PAIRS_IN_VECTOR)) {
		*len = run;
		return (uint16_t)(s[0] << 13 | run);
	}
	*len = MIN(left, bits ? BITS_IN_VECTOR : PAIRS_IN_VECTOR);
	unsigned v = bits ? 0x8000 : 0xc000;
	for (size_t i = 0; i < *len; i++)
		v |= bits ? (unsigned)s[i] << (BITS_IN_VECTOR - 1 - i) :
			    (unsigned)s[i] << 2 * (PAIRS_IN_VECTOR - 1 - i);
	return (uint16_t)v;
}

int rtcp_write_twcc(struct buf *out, uint32_t sender, uint32_t media,
	uint8_t fb_count, uint16_t base_seq, const int64_t *at_us, size_t n,
	size_t *taken)
{
	static const uint8_t zero[4];
	struct report r;
	uint16_t chunks[RTCP_TWCC_MAX_WRITE];
	size_t k = 0, len;
	int rc = measure(&r, at_us, n);
	if (rc)
		return rc;
	for (size_t at = 0; at < r.count; at += len)
		chunks[k++] = encode(&r, at, &len);
	size_t bytes = 16 + 2 * k + r.delta_bytes;
	size_t pad = (4 - bytes % 4) % 4;
	buf_u8(out, 0x80 | RTCP_FMT_TWCC);
	buf_u8(out, RTCP_RTPFB);
	buf_u16(out, (uint16_t)((bytes + pad) / 4));
	buf_u32(out, sender);
	buf_u32(out, media);
	buf_u16(out, base_seq);
	buf_u16(out, (uint16_t)r.count);
	buf_u24(out, (uint32_t)(r.reference & 0xffffff));
	buf_u8(out, fb_count);
	for (size_t i = 0; i < k; i++)
		buf_u16(out, chunks[i]);
	for (size_t i = 0; i < r.count; i++) {
		if (r.symbol[i] == SMALL)
			buf_u8(out, (uint8_t)r.ticks[i]);
		else if (r.symbol[i] == LARGE)
			buf_u16(out, (uint16_t)r.ticks[i]);
	}
	/* Zero bytes without the P bit, as the draft's section 3.1 has it. */
	buf_put(out, zero, pad);
	*taken = r.count;
	return out->err;
}
