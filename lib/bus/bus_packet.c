/* Packets, their names and their shared bytes. */
#include "bus_queue_priv.h"
#include "wire.h"

static const struct {
	const char *name;
	uint32_t hz;
} codecs[] = {
	[BUS_OPUS] = {"opus", 48000},
	[BUS_VP8] = {"vp8", 90000},
};

const char *bus_codec_name(enum bus_codec c)
{
	return codecs[c].name;
}

uint32_t bus_codec_hz(enum bus_codec c)
{
	return codecs[c].hz;
}

struct bus_body *bus_body_new(const void *p, size_t n)
{
	struct bus_body *b = malloc(sizeof(*b) + n);

	if (!b)
		return NULL;
	b->refs = 1;
	b->len = n;
	memcpy(b->data, p, n);
	return b;
}

void bus_body_done(struct bus_body *b)
{
	if (b && !--b->refs)
		free(b);
}

static int fill(struct bus_packet *p, enum bus_kind kind, const void *data,
	size_t len, uint64_t arrival_ns)
{
	*p = (struct bus_packet){.kind = kind, .data = data, .len = len,
		.arrival_ns = arrival_ns};
	return len > BUS_MAX_PACKET ? -EMSGSIZE : 0;
}

int bus_packet_rtp(struct bus_packet *p, enum bus_codec codec,
	const void *data, size_t len, uint64_t arrival_ns)
{
	struct vp8 v;
	int rc = fill(p, BUS_RTP, data, len, arrival_ns);

	if (!rc)
		rc = rtp_parse(&p->rtp, data, len);
	if (rc || codec != BUS_VP8 || !p->rtp.payload_len)
		return rc;
	rc = vp8_parse(&v, p->rtp.payload, p->rtp.payload_len);
	p->key = !rc && v.frame_start && v.key;
	return rc;
}

int bus_packet_rtcp(struct bus_packet *p, const void *data, size_t len,
	uint64_t arrival_ns)
{
	int rc = fill(p, BUS_RTCP, data, len, arrival_ns);

	if (!rc && demux(data, len) != DEMUX_RTCP)
		rc = -EBADMSG;
	return rc;
}

void bus_packet_done(struct bus_packet *p)
{
	bus_body_done(p->body);
	p->body = NULL;
}
