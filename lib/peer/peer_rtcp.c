/* peer_rtcp - reports and feedback, both ways. */
#include "peer_priv.h"

#define NACK_AT_ONCE 128u
#define ASKED_WORDS  (PEER_MAX_LINES * PEER_MAX_RIDS / 32)

static uint64_t ntp_at(const struct peer *p, uint64_t now_ns)
{
	return sendstat_ntp(p->port->wall_base_ns + now_ns);
}

/* ---- in ---- */

/* What one datagram may still cause. */
struct budget {
	unsigned nacks;
	uint32_t asked[ASKED_WORDS]; /* key frames, by line and rid */
};

static void take_blocks(struct peer *p, const struct rtcp *r,
	uint64_t now_ns)
{
	struct rtcp_block b;
	unsigned line, rid;

	for (unsigned i = 0; rtcp_block(r, i, &b) == 0; i++) {
		struct out_stream *o = out_find(p, b.ssrc, &line, &rid);

		if (!o)
			continue;
		sendstat_block(&o->stat, &b, ntp_at(p, now_ns));
		o->known = true;
		COUNT(p, reports_in, 1);
	}
}

static void take_sr(struct peer *p, const struct rtcp *r, uint64_t now_ns)
{
	struct in_stream *s;
	struct rtcp_sr sr;

	if (rtcp_sr(r, &sr))
		return;
	s = in_find(p, sr.ssrc);
	if (!s || s->line < 0)
		return;
	recvstat_sr(&s->stat, sr.ntp, now_ns);
	if (!s->rtx && s->current && p->events->on_report)
		p->events->on_report(p->arg, p, (unsigned)s->line, s->rid,
			sr.ntp, sr.rtp_ts, now_ns);
}

static void take_nack(struct peer *p, const struct rtcp_fb *fb,
	struct budget *budget, uint64_t now_ns)
{
	uint16_t seqs[NACK_MAX_SEQS];
	unsigned line, rid;
	size_t n;

	if (!out_find(p, fb->media, &line, &rid))
		return;
	n = rtcp_nack(fb, seqs, MIN(budget->nacks, ARRAY_LEN(seqs)));
	budget->nacks -= (unsigned)n;
	COUNT(p, nacks_in, n);
	out_resend(p, line, rid, seqs, n, now_ns);
}

static void ask(struct peer *p, unsigned line, unsigned rid,
	struct budget *budget)
{
	unsigned bit = line * PEER_MAX_RIDS + rid;

	COUNT(p, plis_in, 1);
	if (budget->asked[bit / 32] & 1u << bit % 32)
		return;
	budget->asked[bit / 32] |= 1u << bit % 32;
	if (p->events->on_keyframe_request)
		p->events->on_keyframe_request(p->arg, p, line, rid);
}

static void take_fir(struct peer *p, const struct rtcp_fb *fb,
	struct budget *budget)
{
	unsigned line, rid;
	uint32_t ssrc;
	uint8_t seq;

	for (unsigned i = 0; rtcp_fir(fb, i, &ssrc, &seq) == 0; i++) {
		struct out_stream *o = out_find(p, ssrc, &line, &rid);

		if (!o || (o->fir_seen && o->fir_seq == seq))
			continue; /* a repetition, RFC 5104 section 4.3.1 */
		o->fir_seen = true;
		o->fir_seq = seq;
		ask(p, line, rid, budget);
		if (p->state == PEER_CLOSED)
			return;
	}
}

static void take_feedback(struct peer *p, const struct rtcp *r,
	struct budget *budget, uint64_t now_ns)
{
	struct rtcp_fb fb;
	unsigned line, rid;

	if (rtcp_fb(r, &fb))
		return;
	if (fb.type == RTCP_RTPFB && fb.fmt == RTCP_FMT_NACK)
		take_nack(p, &fb, budget, now_ns);
	else if (fb.type == RTCP_PSFB && fb.fmt == RTCP_FMT_FIR)
		take_fir(p, &fb, budget);
	else if (fb.type == RTCP_PSFB && fb.fmt == RTCP_FMT_PLI &&
		out_find(p, fb.media, &line, &rid))
		ask(p, line, rid, budget);
}

void rtcp_in(struct peer *p, uint8_t *data, size_t n, uint64_t now_ns)
{
	struct budget budget = { .nacks = NACK_MAX_SEQS };
	struct rtcp_iter it;
	struct rtcp r;
	int rc = srtp_link_unprotect_rtcp(p->srtp, data, &n);

	if (rc) {
		port_drop(p->port, p, rc == -EBADMSG ? PEER_DROP_FORGED :
			rc == -EALREADY ? PEER_DROP_REPLAYED :
			PEER_DROP_MALFORMED);
		return;
	}
	it = rtcp_iter(data, n);
	for (unsigned i = 0; i < RTCP_MAX_PARTS; i++) {
		rc = rtcp_next(&it, &r);
		if (rc <= 0 || p->state == PEER_CLOSED)
			break;
		if (r.type == RTCP_SR)
			take_sr(p, &r, now_ns);
		if (r.type == RTCP_SR || r.type == RTCP_RR)
			take_blocks(p, &r, now_ns);
		else if (r.type == RTCP_RTPFB || r.type == RTCP_PSFB)
			take_feedback(p, &r, &budget, now_ns);
	}
	if (rc < 0 && !p->dead)
		port_drop(p->port, p, PEER_DROP_MALFORMED);
}

/* ---- out ---- */

static void flush(struct peer *p)
{
	struct buf *b = &p->rtcp;
	struct path path;
	size_t n = b->len;

	if (n && !b->err && buf_reserve(b, SRTP_TRAILER_MAX) == 0 &&
	    peer_path(p, &path) == 0 &&
	    srtp_link_protect_rtcp(p->srtp, b->data, &n, b->cap) == 0)
		port_send(p->port, p, &path, b->data, n);
	buf_clear(b);
}

/* Room for about n bytes more, in a datagram that begins as the other side
 * wants it (RFC 5506 is an offer, not a right). */
static void feedback(struct peer *p, size_t n)
{
	if (p->rtcp.len + n > RTCP_MAX_BYTES)
		flush(p);
	if (p->rtcp.len || p->media.rsize)
		return;
	rtcp_write_rr(&p->rtcp, p->rtcp_ssrc, NULL, 0);
	rtcp_write_sdes(&p->rtcp, p->rtcp_ssrc, p->cname);
}

static void report_sending(struct peer *p, uint64_t now_ns)
{
	for (unsigned i = 0; i < p->media.n; i++)
		for (unsigned k = 0; k < PEER_MAX_RIDS; k++) {
			struct out_stream *o = p->out[i][k];
			struct rtcp_sr sr;

			if (!o || !sendstat_sr(&o->stat, now_ns,
				    ntp_at(p, now_ns), &sr))
				continue;
			if (p->rtcp.len > RTCP_MAX_BYTES - 64)
				flush(p);
			sr.ssrc = o->ssrc;
			rtcp_write_sr(&p->rtcp, &sr, NULL, 0);
			rtcp_write_sdes(&p->rtcp, o->ssrc, p->cname);
		}
}

static void report_receiving(struct peer *p, uint64_t now_ns)
{
	struct rtcp_block b[RTCP_MAX_BLOCKS];
	size_t n = 0;

	for (unsigned i = 0; i < p->n_in && n < ARRAY_LEN(b); i++) {
		struct in_stream *s = &p->in[i];

		if (s->line < 0 || !s->current ||
		    !recvstat_report(&s->stat, now_ns, &b[n]))
			continue;
		b[n++].ssrc = s->ssrc;
	}
	if (!n)
		return;
	if (p->rtcp.len + n * 24 + 64 > RTCP_MAX_BYTES)
		flush(p);
	rtcp_write_rr(&p->rtcp, p->rtcp_ssrc, b, n);
	rtcp_write_sdes(&p->rtcp, p->rtcp_ssrc, p->cname);
}

static uint64_t send_nacks(struct peer *p, uint64_t now_ns)
{
	uint16_t seqs[NACK_AT_ONCE];
	uint64_t next = UINT64_MAX;

	for (unsigned i = 0; i < p->n_in; i++) {
		struct in_stream *s = &p->in[i];
		size_t n;

		if (!s->nacker)
			continue;
		n = nacker_deadline(s->nacker) > now_ns ? 0 :
			nacker_take(s->nacker, RTT_UNKNOWN_NS, now_ns, seqs,
				ARRAY_LEN(seqs));
		next = MIN(next, nacker_deadline(s->nacker));
		if (!n)
			continue;
		feedback(p, 12 + 4 * n);
		rtcp_write_nack(&p->rtcp, p->rtcp_ssrc, s->ssrc, seqs, n);
		COUNT(p, nacks_out, n);
	}
	return next;
}

static uint64_t send_twcc(struct peer *p, uint64_t now_ns)
{
	uint32_t media = 0;

	if (!p->twccgen)
		return UINT64_MAX;
	for (unsigned i = 0; i < p->n_in && !media; i++)
		if (p->in[i].line >= 0)
			media = p->in[i].ssrc;
	while (twccgen_deadline(p->twccgen) <= now_ns) {
		/* One may be as large as a datagram should be. */
		feedback(p, RTCP_MAX_BYTES - 64);
		if (twccgen_take(p->twccgen, p->rtcp_ssrc, media, now_ns,
			    &p->rtcp) != 1)
			break;
	}
	return twccgen_deadline(p->twccgen);
}

uint64_t rtcp_run(struct peer *p, uint64_t now_ns)
{
	uint64_t next;

	if (p->report_ns <= now_ns) {
		report_sending(p, now_ns);
		report_receiving(p, now_ns);
		p->report_ns = now_ns + REPORT_NS;
	}
	next = send_nacks(p, now_ns);
	next = MIN(next, send_twcc(p, now_ns));
	flush(p);
	return MIN(next, p->report_ns);
}

int peer_request_keyframe(struct peer *p, unsigned line, unsigned rid)
{
	struct in_stream *s;

	if (line >= p->media.n || p->media.line[line].pub.ours ||
	    rid >= MAX(p->media.line[line].pub.n_rids, 1))
		return -EINVAL;
	if (p->state != PEER_CONNECTED)
		return -ENOTCONN;
	s = in_primary(p, line, rid);
	if (!s)
		return -ENOENT;
	feedback(p, 12);
	rtcp_write_pli(&p->rtcp, p->rtcp_ssrc, s->ssrc);
	flush(p);
	COUNT(p, plis_out, 1);
	return 0;
}

int peer_set_clock(struct peer *p, unsigned line, unsigned rid,
	uint32_t rtp_ts, uint64_t at_ns)
{
	if (line >= p->media.n || rid >= PEER_MAX_RIDS)
		return -EINVAL;
	if (!p->out[line][rid])
		return -ENOENT;
	sendstat_clock(&p->out[line][rid]->stat, rtp_ts, at_ns);
	return 0;
}

static uint64_t ticks_to_ns(uint64_t ticks, uint32_t hz)
{
	return ticks * NS_PER_S / hz;
}

int peer_quality(struct peer *p, unsigned line, unsigned rid,
	struct peer_quality *out)
{
	const struct out_stream *o;
	const struct recvstat *r;
	struct in_stream *s;

	if (line >= p->media.n || rid >= PEER_MAX_RIDS)
		return -EINVAL;
	o = p->out[line][rid];
	if (o && o->stat.started) {
		*out = (struct peer_quality){
			.rtt_ns = sendstat_rtt(&o->stat, 0),
			.jitter_ns = ticks_to_ns(o->stat.jitter,
				o->stat.clock_hz),
			.lost = o->stat.lost,
		};
		return 0;
	}
	s = in_primary(p, line, rid);
	if (!s)
		return -ENOENT;
	r = &s->stat;
	*out = (struct peer_quality){
		.jitter_ns = ticks_to_ns(r->jitter_q4 >> 4, r->clock_hz),
		.lost = (int64_t)r->cycles + r->max_seq - r->base_seq + 1 -
			r->received,
	};
	return 0;
}
