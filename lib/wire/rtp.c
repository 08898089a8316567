#include "rtp.h"

#include "base.h"

enum demux demux(const uint8_t *p, size_t n)
{
	if (n < 8)
		return DEMUX_NONE;
	if (p[0] <= 3)
		return n >= 20 ? DEMUX_STUN : DEMUX_NONE;
	if (p[0] >= 20 && p[0] <= 63)
		return n >= 13 ? DEMUX_DTLS : DEMUX_NONE;
	if (p[0] < 128 || p[0] > 191)
		return DEMUX_NONE;
	if (p[1] >= 192 && p[1] <= 223)
		return DEMUX_RTCP;
	return n >= RTP_HEADER_BYTES ? DEMUX_RTP : DEMUX_NONE;
}

int rtp_parse_head(struct rtp *out, const uint8_t *p, size_t n)
{
	*out = (struct rtp){0};
	if (n < RTP_HEADER_BYTES || p[0] >> 6 != 2)
		return -EBADMSG;
	out->marker = p[1] >> 7;
	out->pt = p[1] & 0x7f;
	out->seq = be16(p + 2);
	out->ts = be32(p + 4);
	out->ssrc = be32(p + 8);
	out->csrc_count = p[0] & 0x0f;
	out->has_ext = p[0] & 0x10;
	size_t at = RTP_HEADER_BYTES;
	if ((n - at) / 4 < out->csrc_count)
		return -EBADMSG;
	out->csrc = p + at;
	at += 4u * out->csrc_count;
	if (out->has_ext) {
		if (n - at < 4)
			return -EBADMSG;
		out->ext_profile = be16(p + at);
		out->ext_len = 4u * be16(p + at + 2);
		at += 4;
		if (n - at < out->ext_len)
			return -EBADMSG;
		out->ext = p + at;
		at += out->ext_len;
	}
	out->header_len = at;
	out->payload = p + at;
	out->payload_len = n - at;
	return 0;
}

int rtp_parse(struct rtp *out, const uint8_t *p, size_t n)
{
	int rc = rtp_parse_head(out, p, n);
	if (rc || !(p[0] & 0x20))
		return rc;
	if (!out->payload_len)
		return -EBADMSG;
	out->padding_len = p[n - 1];
	if (!out->padding_len || out->padding_len > out->payload_len)
		return -EBADMSG;
	out->payload_len -= out->padding_len;
	return 0;
}

size_t rtp_header_len(const struct rtp *h)
{
	return RTP_HEADER_BYTES + 4u * h->csrc_count +
		(h->has_ext ? 4 + h->ext_len : 0);
}

int rtp_write(uint8_t *out, size_t cap, const struct rtp *h)
{
	if (h->pt > 127 || h->csrc_count > RTP_MAX_CSRCS ||
		(h->has_ext && (h->ext_len % 4 || h->ext_len / 4 > 0xffff)))
		return -EINVAL;
	size_t len = rtp_header_len(h);
	if (len > cap)
		return -ENOBUFS;
	out[0] = (uint8_t)(0x80 | (h->has_ext ? 0x10 : 0) | h->csrc_count);
	out[1] = (uint8_t)((h->marker ? 0x80 : 0) | h->pt);
	be16_put(out + 2, h->seq);
	be32_put(out + 4, h->ts);
	be32_put(out + 8, h->ssrc);
	uint8_t *at = out + RTP_HEADER_BYTES;
	if (h->csrc_count)
		memcpy(at, h->csrc, 4u * h->csrc_count);
	at += 4u * h->csrc_count;
	if (h->has_ext) {
		be16_put(at, h->ext_profile);
		be16_put(at + 2, (uint16_t)(h->ext_len / 4));
		if (h->ext_len)
			memcpy(at + 4, h->ext, h->ext_len);
	}
	return (int)len;
}

void rtp_set_marker(uint8_t *p, bool marker)
{
	p[1] = (uint8_t)((marker ? 0x80 : 0) | (p[1] & 0x7f));
}

void rtp_set_pt(uint8_t *p, uint8_t pt)
{
	p[1] = (uint8_t)((p[1] & 0x80) | (pt & 0x7f));
}

void rtp_set_seq(uint8_t *p, uint16_t seq)
{
	be16_put(p + 2, seq);
}

void rtp_set_ts(uint8_t *p, uint32_t ts)
{
	be32_put(p + 4, ts);
}

void rtp_set_ssrc(uint8_t *p, uint32_t ssrc)
{
	be32_put(p + 8, ssrc);
}
