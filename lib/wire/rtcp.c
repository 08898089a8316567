#include "rtcp.h"

#include "base.h"

#define HEAD        4
#define BLOCK_BYTES 24
#define SR_BYTES    24 /* SSRC and sender's part */
#define FIR_BYTES   8
#define CNAME       1

struct rtcp_iter rtcp_iter(const uint8_t *p, size_t n)
{
	return (struct rtcp_iter){.p = p, .end = p + n};
}

int rtcp_next(struct rtcp_iter *it, struct rtcp *out)
{
	const uint8_t *p = it->p;
	size_t left = (size_t)(it->end - p);
	*out = (struct rtcp){0};
	it->p = it->end;
	if (!left)
		return 0;
	if (left < HEAD || p[0] >> 6 != 2)
		return -EBADMSG;
	size_t len = 4u * be16(p + 2);
	if (len > left - HEAD)
		return -EBADMSG;
	out->type = p[1];
	out->count = p[0] & 0x1f;
	out->body = p + HEAD;
	out->len = len;
	/* RFC 3550 has padding in the last packet only; browsers pad their
	 * feedback wherever it stands. */
	if (p[0] & 0x20) {
		uint8_t pad = len ? out->body[len - 1] : 0;
		if (!pad || pad > len)
			return -EBADMSG;
		out->len -= pad;
	}
	it->p = out->body + len;
	return 1;
}

int rtcp_sr(const struct rtcp *r, struct rtcp_sr *out)
{
	if (r->type != RTCP_SR || r->len < SR_BYTES)
		return -EBADMSG;
	*out = (struct rtcp_sr){
		.ssrc = be32(r->body),
		.ntp = be64(r->body + 4),
		.rtp_ts = be32(r->body + 12),
		.packets = be32(r->body + 16),
		.octets = be32(r->body + 20),
	};
	return 0;
}

int rtcp_rr(const struct rtcp *r, uint32_t *ssrc)
{
	if (r->type != RTCP_RR || r->len < 4)
		return -EBADMSG;
	*ssrc = be32(r->body);
	return 0;
}

int rtcp_block(const struct rtcp *r, unsigned i, struct rtcp_block *out)
{
	if (r->type != RTCP_SR && r->type != RTCP_RR)
		return -EBADMSG;
	if (i >= r->count)
		return -ENOENT;
	size_t at = (r->type == RTCP_SR ? SR_BYTES : 4) + BLOCK_BYTES * i;
	if (r->len < at + BLOCK_BYTES)
		return -EBADMSG;
	const uint8_t *p = r->body + at;
	uint32_t lost = be24(p + 5);
	*out = (struct rtcp_block){
		.ssrc = be32(p),
		.fraction_lost = p[4],
		.lost = (int32_t)lost - (lost & 0x800000 ? 0x1000000 : 0),
		.highest_seq = be32(p + 8),
		.jitter = be32(p + 12),
		.lsr = be32(p + 16),
		.dlsr = be32(p + 20),
	};
	return 0;
}

/* The header of a packet whose body has len bytes, a multiple of 4. */
static void head(struct buf *out, uint8_t type, size_t count, size_t len)
{
	buf_u8(out, (uint8_t)(0x80 | count));
	buf_u8(out, type);
	buf_u16(out, (uint16_t)(len / 4));
}

static void blocks_put(struct buf *out, const struct rtcp_block *b, size_t n)
{
	for (; n; n--, b++) {
		int32_t lost = MAX(MIN(b->lost, 0x7fffff), -0x800000);
		buf_u32(out, b->ssrc);
		buf_u8(out, b->fraction_lost);
		buf_u24(out, (uint32_t)lost & 0xffffff);
		buf_u32(out, b->highest_seq);
		buf_u32(out, b->jitter);
		buf_u32(out, b->lsr);
		buf_u32(out, b->dlsr);
	}
}

int rtcp_write_sr(struct buf *out, const struct rtcp_sr *sr,
	const struct rtcp_block *blocks, size_t n)
{
	if (n > RTCP_MAX_BLOCKS)
		return -EINVAL;
	head(out, RTCP_SR, n, SR_BYTES + BLOCK_BYTES * n);
	buf_u32(out, sr->ssrc);
	buf_u64(out, sr->ntp);
	buf_u32(out, sr->rtp_ts);
	buf_u32(out, sr->packets);
	buf_u32(out, sr->octets);
	blocks_put(out, blocks, n);
	return out->err;
}

int rtcp_write_rr(struct buf *out, uint32_t ssrc,
	const struct rtcp_block *blocks, size_t n)
{
	if (n > RTCP_MAX_BLOCKS)
		return -EINVAL;
	head(out, RTCP_RR, n, 4 + BLOCK_BYTES * n);
	buf_u32(out, ssrc);
	blocks_put(out, blocks, n);
	return out->err;
}

/* Reads one SDES chunk: its CNAME if it has one, and the reader past it. */
static void chunk(struct rd *r, size_t len, uint32_t *ssrc,
	const char **cname, size_t *cname_len)
{
	*ssrc = rd_u32(r);
	*cname = NULL;
	for (;;) {
		uint8_t type = rd_u8(r);
		if (r->bad)
			return;
		if (!type)
			break;
		uint8_t n = rd_u8(r);
		const uint8_t *text = rd_bytes(r, n);
		if (type == CNAME && !*cname && text) {
			*cname = (const char *)text;
			*cname_len = n;
		}
	}
	/* The list ends with one to four zeros, up to a multiple of 4. */
	while ((len - rd_left(r)) % 4 && !r->bad)
		rd_u8(r);
}

int rtcp_cname(const struct rtcp *r, unsigned i, uint32_t *ssrc,
	const char **cname, size_t *len)
{
	if (r->type != RTCP_SDES)
		return -EBADMSG;
	if (i >= r->count)
		return -ENOENT;
	struct rd rd = rd_of(r->body, r->len);
	for (unsigned k = 0; k <= i && !rd.bad; k++)
		chunk(&rd, r->len, ssrc, cname, len);
	if (rd.bad)
		return -EBADMSG;
	return *cname ? 0 : -ENOENT;
}

int rtcp_write_sdes(struct buf *out, uint32_t ssrc, const char *cname)
{
	static const uint8_t zero[4];
	size_t n = strlen(cname);
	if (!n || n > 255)
		return -EINVAL;
	size_t pad = 4 - (2 + n) % 4;
	head(out, RTCP_SDES, 1, 4 + 2 + n + pad);
	buf_u32(out, ssrc);
	buf_u8(out, CNAME);
	buf_u8(out, (uint8_t)n);
	buf_put(out, cname, n);
	buf_put(out, zero, pad);
	return out->err;
}

int rtcp_bye(const struct rtcp *r, unsigned i, uint32_t *ssrc)
{
	if (r->type != RTCP_BYE)
		return -EBADMSG;
	if (i >= r->count)
		return -ENOENT;
	if (r->len < 4 * (i + 1))
		return -EBADMSG;
	*ssrc = be32(r->body + 4 * i);
	return 0;
}

int rtcp_write_bye(struct buf *out, const uint32_t *ssrcs, size_t n)
{
	if (!n || n > RTCP_MAX_BLOCKS)
		return -EINVAL;
	head(out, RTCP_BYE, n, 4 * n);
	for (size_t i = 0; i < n; i++)
		buf_u32(out, ssrcs[i]);
	return out->err;
}

int rtcp_fb(const struct rtcp *r, struct rtcp_fb *out)
{
	if ((r->type != RTCP_RTPFB && r->type != RTCP_PSFB) || r->len < 8)
		return -EBADMSG;
	*out = (struct rtcp_fb){
		.type = r->type,
		.fmt = r->count,
		.sender = be32(r->body),
		.media = be32(r->body + 4),
		.fci = r->body + 8,
		.len = r->len - 8,
	};
	return 0;
}

static void fb_head(struct buf *out, uint8_t type, uint8_t fmt,
	uint32_t sender, uint32_t media, size_t fci_len)
{
	head(out, type, fmt, 8 + fci_len);
	buf_u32(out, sender);
	buf_u32(out, media);
}

size_t rtcp_nack(const struct rtcp_fb *fb, uint16_t *seqs, size_t max)
{
	size_t n = 0;
	if (fb->type != RTCP_RTPFB || fb->fmt != RTCP_FMT_NACK)
		return 0;
	for (size_t at = 0; fb->len - at >= 4 && n < max; at += 4) {
		uint16_t seq = be16(fb->fci + at);
		uint16_t more = be16(fb->fci + at + 2);
		seqs[n++] = seq;
		for (; more && n < max; more >>= 1) {
			seq++;
			if (more & 1)
				seqs[n++] = seq;
		}
	}
	return n;
}

int rtcp_write_nack(struct buf *out, uint32_t sender, uint32_t media,
	const uint16_t *seqs, size_t n)
{
	uint32_t entry[RTCP_MAX_NACKS]; /* PID << 16 | BLP */
	size_t k = 0;
	if (!n || n > RTCP_MAX_NACKS)
		return -EINVAL;
	for (size_t i = 0; i < n; i++) {
		uint16_t behind = k ?
			(uint16_t)(seqs[i] - (entry[k - 1] >> 16)) :
			UINT16_MAX;
		if (behind > 16)
			entry[k++] = (uint32_t)seqs[i] << 16;
		else if (behind)
			entry[k - 1] |= UINT32_C(1) << (behind - 1);
	}
	fb_head(out, RTCP_RTPFB, RTCP_FMT_NACK, sender, media, 4 * k);
	for (size_t i = 0; i < k; i++)
		buf_u32(out, entry[i]);
	return out->err;
}

int rtcp_write_pli(struct buf *out, uint32_t sender, uint32_t media)
{
	fb_head(out, RTCP_PSFB, RTCP_FMT_PLI, sender, media, 0);
	return out->err;
}

int rtcp_fir(const struct rtcp_fb *fb, unsigned i, uint32_t *ssrc,
	uint8_t *seq)
{
	if (fb->type != RTCP_PSFB || fb->fmt != RTCP_FMT_FIR)
		return -EBADMSG;
	if (i >= fb->len / FIR_BYTES)
		return -ENOENT;
	*ssrc = be32(fb->fci + FIR_BYTES * i);
	*seq = fb->fci[FIR_BYTES * i + 4];
	return 0;
}

int rtcp_write_fir(struct buf *out, uint32_t sender, uint32_t ssrc,
	uint8_t seq)
{
	fb_head(out, RTCP_PSFB, RTCP_FMT_FIR, sender, 0, FIR_BYTES);
	buf_u32(out, ssrc);
	buf_u32(out, (uint32_t)seq << 24);
	return out->err;
}
