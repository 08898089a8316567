/* peer_out - packets that leave: header, extensions, protection, history. */
#include "peer_priv.h"

#define EXT_BYTES 128

struct out_stream *out_find(struct peer *p, uint32_t ssrc, unsigned *line,
	unsigned *rid)
{
	for (unsigned i = 0; i < p->media.n; i++)
		for (unsigned k = 0; k < PEER_MAX_RIDS; k++)
			if (p->out[i][k] && p->out[i][k]->ssrc == ssrc) {
				*line = i;
				*rid = k;
				return p->out[i][k];
			}
	return NULL;
}

static struct out_stream *make_stream(const struct line *l, unsigned rid)
{
	struct out_stream *o = calloc(1, sizeof(*o));

	if (!o)
		return NULL;
	o->rid = rid;
	o->ssrc = l->ssrc[rid];
	o->rtx_ssrc = l->rtx_ssrc[rid];
	io_random(&o->rtx_seq, sizeof(o->rtx_seq));
	o->rtx_seq &= 0x7fff;
	sendstat_init(&o->stat, l->pub.video ? 90000 : 48000);
	return o;
}

int out_sync(struct peer *p, const struct media *m)
{
	for (unsigned i = 0; i < m->n; i++) {
		const struct line *l = &m->line[i];

		if (!l->pub.ours || !l->pub.active)
			continue;
		for (unsigned k = 0; k < MAX(l->pub.n_rids, 1); k++) {
			if (!p->out[i][k])
				p->out[i][k] = make_stream(l, k);
			if (!p->out[i][k])
				return -ENOMEM;
		}
	}
	return 0;
}

void out_free(struct peer *p)
{
	for (unsigned i = 0; i < PEER_MAX_LINES; i++)
		for (unsigned k = 0; k < PEER_MAX_RIDS; k++)
			if (p->out[i][k]) {
				history_free(p->out[i][k]->history);
				free(p->out[i][k]);
			}
}

/* What of a packet is not its line's and stream's. */
struct sending {
	const struct line *l;
	const struct out_stream *o;
	bool rtx;
	uint16_t seq;
	uint32_t rtp_ts;
	bool marker;
	int level;
	bool voice;
	const uint8_t *payload;
	size_t len;
};

/* mid and rid only until the receiver has shown, by a report, that it knows
 * whose the SSRC is (RFC 8852 section 3.1). */
static void put_extensions(struct peer *p, const struct sending *s,
	struct rtpext_writer *w, uint64_t now_ns)
{
	const struct line *l = s->l;

	if (l->ext[EXT_ABS])
		rtpext_put_abs(w, l->ext[EXT_ABS],
			rtpext_abs_send_time(now_ns));
	if (l->ext[EXT_TWCC])
		rtpext_put_twcc(w, l->ext[EXT_TWCC], p->twcc_seq++);
	if (l->ext[EXT_LEVEL] && s->level >= 0)
		rtpext_put_level(w, l->ext[EXT_LEVEL], (uint8_t)s->level,
			s->voice);
	if (s->o->known)
		return;
	if (l->ext[EXT_MID])
		rtpext_put_text(w, l->ext[EXT_MID], l->pub.mid);
	if (l->pub.n_rids) {
		enum ext k = s->rtx ? EXT_REPAIRED : EXT_RID;

		if (l->ext[k])
			rtpext_put_text(w, l->ext[k],
				l->pub.rids[s->o->rid]);
	}
}

static int send_packet(struct peer *p, const struct sending *s,
	uint64_t now_ns)
{
	uint8_t *packet = gather_room(p->port), ext[EXT_BYTES];
	struct rtp h = { .marker = s->marker, .seq = s->seq,
		.ts = s->rtp_ts };
	struct rtpext_writer w;
	struct path path;
	size_t n;
	int len, err;

	h.pt = s->rtx ? s->l->rtx_pt : s->l->pt;
	h.ssrc = s->rtx ? s->o->rtx_ssrc : s->o->ssrc;
	err = packet ? peer_path(p, &path) : -ENOMEM;
	if (err)
		return err;
	rtpext_open(&w, ext, sizeof(ext), false);
	put_extensions(p, s, &w, now_ns);
	err = rtpext_close(&w, &h);
	if (err)
		return err;
	len = rtp_write(packet, GATHER_CAP, &h);
	if (len < 0)
		return len;
	n = (size_t)len + s->len;
	memcpy(packet + len, s->payload, s->len);
	err = srtp_link_protect_rtp(p->srtp, packet, &n, GATHER_CAP);
	if (!err)
		gather_send(p, &path, n);
	return err;
}

/* Kept for RTX only: without it a packet that is sent again would carry
 * another transport-cc number, other bytes under the same SRTP index. */
static void remember(struct peer *p, const struct line *l,
	struct out_stream *o, const struct peer_rtp *pkt, uint64_t now_ns)
{
	struct history_packet hp = { .seq = pkt->seq, .rtp_ts = pkt->rtp_ts,
		.marker = pkt->marker, .payload = pkt->payload,
		.len = pkt->len };

	(void)p;
	if (!l->rtx_pt || !l->nack || !o->rtx_ssrc)
		return;
	if (!o->history)
		o->history = history_new(PEER_HISTORY_PACKETS,
			PEER_HISTORY_BYTES);
	if (o->history)
		history_put(o->history, &hp, now_ns);
}

int peer_send_rtp(struct peer *p, const struct peer_rtp *pkt)
{
	const struct line *l;
	struct out_stream *o;
	struct sending s;
	uint64_t now_ns;
	int err;

	if (pkt->line >= p->media.n || pkt->len > PEER_MAX_PAYLOAD)
		return -EINVAL;
	l = &p->media.line[pkt->line];
	if (!l->pub.ours || pkt->rid >= MAX(l->pub.n_rids, 1))
		return -EINVAL;
	o = p->out[pkt->line][pkt->rid];
	if (p->state != PEER_CONNECTED || !l->pub.active || !o)
		return -ENOTCONN;
	now_ns = io_now_ns();
	s = (struct sending){ .l = l, .o = o, .seq = pkt->seq,
		.rtp_ts = pkt->rtp_ts, .marker = pkt->marker,
		.level = pkt->level, .voice = pkt->voice,
		.payload = pkt->payload, .len = pkt->len };
	remember(p, l, o, pkt, now_ns);
	sendstat_sent(&o->stat, pkt->rtp_ts, pkt->len, now_ns);
	err = send_packet(p, &s, now_ns);
	if (!err)
		COUNT(p, rtp_out, 1);
	return err;
}

void out_resend(struct peer *p, unsigned line, unsigned rid,
	const uint16_t *seqs, size_t n, uint64_t now_ns)
{
	const struct line *l = &p->media.line[line];
	struct out_stream *o = p->out[line][rid];
	uint64_t rtt = sendstat_rtt(&o->stat, NACKER_MIN_RTT_NS);
	uint8_t payload[PEER_MAX_PAYLOAD + 2];

	if (!o->history || !l->rtx_pt)
		return;
	for (size_t i = 0; i < n; i++) {
		struct history_packet hp;
		struct sending s = { .l = l, .o = o, .rtx = true,
			.level = -1, .payload = payload };
		int len;

		if (history_resend(o->history, seqs[i], rtt, now_ns, &hp))
			continue;
		len = history_rtx_write(payload, sizeof(payload), &hp);
		if (len < 0)
			continue;
		s.seq = o->rtx_seq++;
		s.rtp_ts = hp.rtp_ts;
		s.marker = hp.marker;
		s.len = (size_t)len;
		if (send_packet(p, &s, now_ns) == 0)
			COUNT(p, rtx_out, 1);
	}
}
