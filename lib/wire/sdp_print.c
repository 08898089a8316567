/* Printing a session description. */
#include "sdp.h"

#include "wire_sdp_priv.h"

/* A text of the struct. One that could end the line, or that is missing
 * where it must not be, spoils the whole. */
static void text(struct buf *out, const char *s)
{
	for (const char *c = s; c && *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			s = NULL;
	if (s)
		buf_puts(out, s);
	else if (!out->err)
		out->err = -EINVAL;
}

/* "NAME" TEXT CRLF, if there is a text. */
static void line(struct buf *out, const char *name, const char *s)
{
	if (!s)
		return;
	buf_puts(out, name);
	text(out, s);
	buf_puts(out, "\r\n");
}

static void flag(struct buf *out, const char *name, bool yes)
{
	if (yes)
		buf_printf(out, "a=%s\r\n", name);
}

/* An optional part of a line, behind a space. */
static void tail(struct buf *out, const char *s)
{
	if (!s)
		return;
	buf_putc(out, ' ');
	text(out, s);
}

static void level(struct buf *out, const struct sdp_level *l)
{
	line(out, "a=ice-ufrag:", l->ufrag);
	line(out, "a=ice-pwd:", l->pwd);
	line(out, "a=ice-options:", l->ice_options);
	for (size_t i = 0; i < l->fingerprint_count; i++) {
		const struct sdp_fingerprint *f = &l->fingerprints[i];
		buf_puts(out, "a=fingerprint:");
		text(out, f->hash);
		for (size_t k = 0; k < f->len; k++)
			buf_printf(out, "%c%02X", k ? ':' : ' ', f->bytes[k]);
		buf_puts(out, "\r\n");
	}
	line(out, "a=setup:", sdp_setup_names[l->setup]);
	for (size_t i = 0; i < l->extmap_count; i++) {
		const struct sdp_extmap *x = &l->extmaps[i];
		buf_printf(out, "a=extmap:%u", x->id);
		if (x->dir >= 0)
			buf_printf(out, "/%s", sdp_dir_names[x->dir & 3]);
		buf_putc(out, ' ');
		text(out, x->uri);
		tail(out, x->params);
		buf_puts(out, "\r\n");
	}
}

static void media_line(struct buf *out, const struct sdp_media *m)
{
	static const char *const kinds[] = {"audio", "video", "application"};
	buf_puts(out, "m=");
	text(out, m->kind < SDP_OTHER ? kinds[m->kind] : m->kind_text);
	buf_printf(out, " %u ", m->port);
	text(out, m->protocol);
	if (m->formats)
		tail(out, m->formats);
	else if (!m->codec_count && !out->err)
		out->err = -EINVAL;
	for (size_t i = 0; i < m->codec_count && !m->formats; i++)
		buf_printf(out, " %u", m->codecs[i].pt);
	buf_puts(out, "\r\nc=IN ");
	text(out, m->address ? m->address : "IP4 0.0.0.0");
	buf_puts(out, "\r\n");
}

static void codec(struct buf *out, const struct sdp_codec *c)
{
	if (c->name) {
		buf_printf(out, "a=rtpmap:%u ", c->pt);
		text(out, c->name);
		buf_printf(out, "/%" PRIu32, c->clock_hz);
		if (c->channels)
			buf_printf(out, "/%u", c->channels);
		buf_puts(out, "\r\n");
	}
	for (size_t i = 0; i < c->feedback_count; i++) {
		buf_printf(out, "a=rtcp-fb:%u", c->pt);
		tail(out, c->feedback[i]);
		buf_puts(out, "\r\n");
	}
	if (c->fmtp) {
		buf_printf(out, "a=fmtp:%u", c->pt);
		tail(out, c->fmtp);
		buf_puts(out, "\r\n");
	}
}

static void layers(struct buf *out, const struct sdp_media *m)
{
	for (size_t i = 0; i < m->rid_count; i++) {
		buf_puts(out, "a=rid:");
		text(out, m->rids[i].id);
		buf_puts(out, m->rids[i].recv ? " recv" : " send");
		tail(out, m->rids[i].params);
		buf_puts(out, "\r\n");
	}
	if (!m->simulcast_send && !m->simulcast_recv)
		return;
	buf_puts(out, "a=simulcast:");
	if (m->simulcast_send) {
		buf_puts(out, "send ");
		text(out, m->simulcast_send);
	}
	if (m->simulcast_recv) {
		buf_puts(out, m->simulcast_send ? " recv " : "recv ");
		text(out, m->simulcast_recv);
	}
	buf_puts(out, "\r\n");
}

static void sources(struct buf *out, const struct sdp_media *m)
{
	for (size_t i = 0; i < m->ssrc_group_count; i++) {
		const struct sdp_ssrc_group *g = &m->ssrc_groups[i];
		buf_puts(out, "a=ssrc-group:");
		text(out, g->semantics);
		for (size_t k = 0; k < MIN(g->count, SDP_MAX_GROUP_SSRCS); k++)
			buf_printf(out, " %" PRIu32, g->ssrcs[k]);
		buf_puts(out, "\r\n");
	}
	for (size_t i = 0; i < m->ssrc_count; i++) {
		const struct sdp_ssrc *x = &m->ssrcs[i];
		buf_printf(out, "a=ssrc:%" PRIu32 " ", x->ssrc);
		text(out, x->key);
		if (x->value) {
			buf_putc(out, ':');
			text(out, x->value);
		}
		buf_puts(out, "\r\n");
	}
}

static void candidate(struct buf *out, const struct sdp_candidate *c)
{
	buf_puts(out, "a=candidate:");
	text(out, c->foundation);
	buf_printf(out, " %u %s %" PRIu32, c->component,
		c->tcptype ? "tcp" : "udp", c->priority);
	buf_putc(out, ' ');
	text(out, c->address);
	buf_printf(out, " %u typ %s", c->port, sdp_cand_names[c->type & 3]);
	if (c->rel_address) {
		buf_puts(out, " raddr");
		tail(out, c->rel_address);
		buf_printf(out, " rport %u", c->rel_port);
	}
	if (c->tcptype)
		buf_printf(out, " tcptype %s",
			sdp_tcptype_names[c->tcptype & 3]);
	buf_puts(out, "\r\n");
}

static void media(struct buf *out, const struct sdp_media *m)
{
	media_line(out, m);
	level(out, &m->own);
	line(out, "a=mid:", m->mid);
	line(out, "a=", sdp_dir_names[m->dir & 3]);
	for (size_t i = 0; i < m->msid_count; i++) {
		buf_puts(out, "a=msid:");
		text(out, m->msids[i].stream);
		tail(out, m->msids[i].track);
		buf_puts(out, "\r\n");
	}
	flag(out, "rtcp-mux", m->rtcp_mux);
	flag(out, "rtcp-rsize", m->rtcp_rsize);
	flag(out, "bundle-only", m->bundle_only);
	for (size_t i = 0; i < m->codec_count; i++)
		codec(out, &m->codecs[i]);
	layers(out, m);
	sources(out, m);
	for (size_t i = 0; i < m->candidate_count; i++)
		candidate(out, &m->candidates[i]);
	flag(out, "end-of-candidates", m->end_of_candidates);
}

int sdp_print(const struct sdp *s, struct buf *out)
{
	size_t start = out->len;
	if (out->err)
		return out->err;
	buf_printf(out, "v=0\r\no=- %" PRIu64 " %" PRIu64
		" IN IP4 127.0.0.1\r\n", s->session_id, s->session_version);
	line(out, "s=", s->name ? s->name : "-");
	buf_puts(out, "t=0 0\r\n");
	for (size_t i = 0; i < s->group_count; i++) {
		buf_puts(out, "a=group:");
		text(out, s->groups[i].semantics);
		for (size_t k = 0; k < s->groups[i].count; k++)
			tail(out, s->groups[i].mids[k]);
		buf_puts(out, "\r\n");
	}
	flag(out, "extmap-allow-mixed", s->extmap_allow_mixed);
	flag(out, "ice-lite", s->ice_lite);
	level(out, &s->own);
	for (size_t i = 0; i < s->media_count; i++)
		media(out, &s->media[i]);
	int rc = out->err;
	if (rc) {
		out->len = start;
		out->err = 0;
	}
	return rc;
}
