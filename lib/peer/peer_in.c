/* peer_in - RTP that comes in: unprotected, given its line, repaired. */
#include "peer_priv.h"

struct in_stream *in_find(struct peer *p, uint32_t ssrc)
{
	for (unsigned i = 0; i < p->n_in; i++)
		if (p->in[i].ssrc == ssrc)
			return &p->in[i];
	return NULL;
}

struct in_stream *in_primary(struct peer *p, unsigned line, unsigned rid)
{
	for (unsigned i = 0; i < p->n_in; i++) {
		struct in_stream *s = &p->in[i];

		if (s->line == (int)line && s->rid == rid && !s->rtx &&
		    s->current)
			return s;
	}
	return NULL;
}

void in_free(struct peer *p)
{
	for (unsigned i = 0; i < p->n_in; i++)
		nacker_free(p->in[i].nacker);
}

/* ---- whose a stream is ---- */

static bool ext_text(struct peer *p, const struct rtp *h, enum ext k,
	char out[static RTPEXT_MAX_TEXT + 1])
{
	struct rtpext e;

	return p->media.ext[k] && rtpext_find(h, p->media.ext[k], &e) &&
		rtpext_text(&e, out) == 0;
}

static int line_by_mid(const struct peer *p, const char *mid)
{
	for (unsigned i = 0; i < p->media.n; i++)
		if (str_eq(p->media.line[i].pub.mid, mid))
			return (int)i;
	return -1;
}

static int line_by_ssrc(const struct peer *p, uint32_t ssrc, bool *rtx)
{
	for (unsigned i = 0; i < p->media.n && ssrc; i++) {
		const struct line *l = &p->media.line[i];

		*rtx = l->rtx_ssrc[0] == ssrc;
		if (!l->pub.ours && (*rtx || l->ssrc[0] == ssrc))
			return (int)i;
	}
	return -1;
}

static bool rid_of(const struct line *l, const char *id, unsigned *rid)
{
	for (*rid = 0; *rid < l->pub.n_rids; ++*rid)
		if (str_eq(l->pub.rids[*rid], id))
			return true;
	return false;
}

/* The packet is authentic. What its own extensions say comes before what
 * the SDP said of its SSRC; of a line with rids, a rid must be there. */
static bool identify(struct peer *p, const struct rtp *h, int *line,
	unsigned *rid, bool *rtx)
{
	char text[RTPEXT_MAX_TEXT + 1];
	const struct line *l;

	*rid = 0;
	*line = line_by_ssrc(p, h->ssrc, rtx);
	if (ext_text(p, h, EXT_MID, text))
		*line = line_by_mid(p, text);
	if (*line < 0)
		return false;
	l = &p->media.line[*line];
	if (l->pub.ours || !l->pub.active)
		return false;
	*rtx = l->rtx_pt && h->pt == l->rtx_pt;
	if (!*rtx && h->pt != l->pt)
		return false;
	if (!l->pub.n_rids)
		return true;
	return ext_text(p, h, *rtx ? EXT_REPAIRED : EXT_RID, text) &&
		rid_of(l, text, rid);
}

/* A sender that begins anew with another SSRC: the newest counts. */
static void retire(struct peer *p, const struct in_stream *by)
{
	for (unsigned i = 0; i < p->n_in; i++) {
		struct in_stream *s = &p->in[i];

		if (s == by || s->line != by->line || s->rid != by->rid ||
		    s->rtx != by->rtx)
			continue;
		s->current = false;
		nacker_free(s->nacker);
		s->nacker = NULL;
	}
}

/* The stream of an authentic packet, told apart at its first packet that
 * says enough; NULL if it cannot be had or has no line. */
static struct in_stream *stream_of(struct peer *p, const struct rtp *h)
{
	struct in_stream *s = in_find(p, h->ssrc);
	const struct line *l;

	if (s && s->line >= 0)
		return s;
	if (!s) {
		s = &p->in[p->n_in++]; /* in_rtp saw that there is room */
		*s = (struct in_stream){ .ssrc = h->ssrc, .line = -1 };
	}
	if (!identify(p, h, &s->line, &s->rid, &s->rtx)) {
		s->line = -1;
		return NULL;
	}
	l = &p->media.line[s->line];
	s->current = true;
	retire(p, s);
	recvstat_init(&s->stat, l->pub.video ? 90000 : 48000, 0);
	if (l->nack && !s->rtx)
		s->nacker = nacker_new(); /* without it: no repair */
	return s;
}

/* ---- what becomes of a packet ---- */

static void note_keyframe(struct in_stream *s, uint16_t seq,
	const uint8_t *payload, size_t len)
{
	struct vp8 v;

	if (len && vp8_parse(&v, payload, len) == 0 && v.frame_start && v.key)
		nacker_keyframe(s->nacker, seq);
}

/* False if the packet was had before. */
static bool track(struct peer *p, struct in_stream *s, struct peer_rtp *pkt)
{
	enum nacker_seen seen = nacker_packet(s->nacker, pkt->seq,
		pkt->arrival_ns);

	note_keyframe(s, pkt->seq, pkt->payload, pkt->len);
	peer_arm(p, nacker_deadline(s->nacker));
	/* Also by one that is too late: what it was waited for is lost. */
	if (nacker_lost(s->nacker) && p->events->on_lost)
		p->events->on_lost(p->arg, p, pkt->line, pkt->rid);
	return seen != NACKER_OLD && !p->dead;
}

static void deliver(struct peer *p, struct in_stream *s,
	struct peer_rtp *pkt, bool repair)
{
	pkt->line = (unsigned)s->line;
	pkt->rid = s->rid;
	if (s->nacker && !track(p, s, pkt))
		return;
	COUNT(p, rtp_in, 1);
	COUNT(p, repaired, repair);
	if (p->events->on_rtp)
		p->events->on_rtp(p->arg, p, pkt);
}

static void take_level(struct peer *p, const struct rtp *h,
	struct peer_rtp *pkt)
{
	struct rtpext e;
	uint8_t level;

	if (p->media.ext[EXT_LEVEL] &&
	    rtpext_find(h, p->media.ext[EXT_LEVEL], &e) &&
	    rtpext_level(&e, &level, &pkt->voice) == 0)
		pkt->level = level;
}

static void take_rtx(struct peer *p, struct in_stream *rtx,
	struct peer_rtp *pkt)
{
	struct in_stream *s = in_primary(p, (unsigned)rtx->line, rtx->rid);
	const uint8_t *payload = pkt->payload;
	size_t len = pkt->len;

	/* Nothing to repair, or padding that only measures the path. */
	if (!s || !len || history_rtx_read(payload, len, &pkt->seq,
		    &pkt->payload, &pkt->len) || !pkt->len)
		return;
	deliver(p, s, pkt, true);
}

static void note_twcc(struct peer *p, const struct rtp *h, uint64_t now_ns)
{
	struct rtpext e;
	uint16_t seq;

	if (!p->twccgen || !p->media.ext[EXT_TWCC] ||
	    !rtpext_find(h, p->media.ext[EXT_TWCC], &e) ||
	    rtpext_twcc(&e, &seq))
		return;
	twccgen_packet(p->twccgen, seq, now_ns);
	peer_arm(p, twccgen_deadline(p->twccgen));
}

static enum peer_drop srtp_drop(int err)
{
	return err == -EBADMSG ? PEER_DROP_FORGED :
		err == -EALREADY ? PEER_DROP_REPLAYED : PEER_DROP_MALFORMED;
}

/* For every SSRC that was once authentic libsrtp keeps state: a sender gets
 * PEER_MAX_SSRCS of them, and a forger none. */
static bool room_for(struct peer *p, const uint8_t *data, size_t n)
{
	struct rtp h;

	if (rtp_parse_head(&h, data, n)) {
		port_drop(p->port, p, PEER_DROP_MALFORMED);
		return false;
	}
	if (p->n_in == PEER_MAX_SSRCS && !in_find(p, h.ssrc)) {
		port_drop(p->port, p, PEER_DROP_TOO_MANY);
		return false;
	}
	return true;
}

void in_rtp(struct peer *p, uint8_t *data, size_t n, uint64_t now_ns)
{
	struct peer_rtp pkt = { .level = -1, .arrival_ns = now_ns };
	struct in_stream *s;
	struct rtp h;
	int err;

	if (!room_for(p, data, n))
		return;
	err = srtp_link_unprotect_rtp(p->srtp, data, &n);
	if (err) {
		port_drop(p->port, p, srtp_drop(err));
		return;
	}
	if (rtp_parse(&h, data, n)) {
		port_drop(p->port, p, PEER_DROP_MALFORMED);
		return;
	}
	note_twcc(p, &h, now_ns);
	s = stream_of(p, &h);
	if (!s || h.pt != (s->rtx ? p->media.line[s->line].rtx_pt :
		    p->media.line[s->line].pt)) {
		port_drop(p->port, p, PEER_DROP_UNIDENTIFIED);
		return;
	}
	recvstat_packet(&s->stat, h.seq, h.ts, h.payload_len, now_ns);
	pkt.seq = h.seq;
	pkt.rtp_ts = h.ts;
	pkt.marker = h.marker;
	pkt.payload = h.payload;
	pkt.len = h.payload_len;
	if (s->rtx) {
		take_rtx(p, s, &pkt);
		return;
	}
	if (!p->media.line[s->line].pub.video)
		take_level(p, &h, &pkt);
	deliver(p, s, &pkt, false);
}
