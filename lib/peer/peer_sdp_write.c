/* peer_sdp_write - our offers and answers. */
#include <arpa/inet.h>

#include "peer_sdp_priv.h"

#define PROTOCOL  "UDP/TLS/RTP/SAVPF"
#define OPUS_FMTP "minptime=10;useinbandfec=1"

static const char *const video_feedback[] = {
	"transport-cc", "ccm fir", "nack", "nack pli",
};

static const char *host_text(struct sdp *s, const struct ice_addr *a)
{
	char text[INET6_ADDRSTRLEN];

	if (!inet_ntop(a->family == 6 ? AF_INET6 : AF_INET, a->bytes, text,
		    sizeof(text)))
		return NULL;
	return sdp_text(s, "%s", text);
}

/* On the m-line whose transport the bundle uses. */
static int put_candidates(struct sdp *s, struct sdp_media *m,
	const struct self *self)
{
	for (unsigned i = 0; i < self->n_cands; i++) {
		const struct ice_addr *a = &self->cands[i];
		struct sdp_candidate *c = sdp_add_candidate(s, m);

		if (!c)
			return -ENOMEM;
		c->foundation = sdp_text(s, "%u", i + 1);
		c->component = 1;
		c->priority = ice_host_priority(i, a);
		c->address = host_text(s, a);
		c->port = a->port;
		if (!c->foundation || !c->address)
			return -ENOMEM;
		if (i == 0) {
			m->port = a->port;
			m->address = sdp_text(s, "IP%c %s",
				a->family == 6 ? '6' : '4', c->address);
		}
	}
	m->end_of_candidates = true;
	return 0;
}

static int put_transport(struct sdp *s, struct sdp_media *m,
	const struct self *self, enum sdp_setup setup)
{
	m->own.ufrag = self->ufrag;
	m->own.pwd = self->pwd;
	m->own.setup = setup;
	m->rtcp_mux = true;
	m->rtcp_rsize = true;
	return sdp_add_fingerprint(s, &m->own, "sha-256", self->sha256,
		SHA256_BYTES);
}

static int put_codecs(struct sdp *s, struct sdp_media *m, bool video,
	uint8_t pt, uint8_t rtx_pt)
{
	struct sdp_codec *c = sdp_add_codec(s, m);

	if (!c)
		return -ENOMEM;
	c->pt = pt;
	c->name = video ? "VP8" : "opus";
	c->clock_hz = video ? 90000 : 48000;
	c->channels = video ? 0 : 2;
	c->fmtp = video ? NULL : OPUS_FMTP;
	for (unsigned i = 0; i < (video ? ARRAY_LEN(video_feedback) : 1); i++)
		if (sdp_add_feedback(s, c, video_feedback[i]))
			return -ENOMEM;
	if (!rtx_pt)
		return 0;
	c = sdp_add_codec(s, m);
	if (!c)
		return -ENOMEM;
	c->pt = rtx_pt;
	c->name = "rtx";
	c->clock_hz = 90000;
	c->fmtp = sdp_text(s, "apt=%u", pt);
	return c->fmtp ? 0 : -ENOMEM;
}

static int put_extension(struct sdp *s, struct sdp_media *m, enum ext k,
	uint8_t id, int dir)
{
	struct sdp_extmap *x = sdp_add_extmap(s, &m->own);

	if (!x)
		return -ENOMEM;
	x->id = id;
	x->uri = ext_uri[k];
	x->dir = dir;
	return 0;
}

static int put_rids(struct sdp *s, struct sdp_media *m, const struct line *l,
	bool recv)
{
	struct buf list = { 0 };
	const char *text = NULL;

	for (unsigned i = 0; i < l->pub.n_rids; i++) {
		struct sdp_rid *r = sdp_add_rid(s, m);

		if (!r)
			goto out;
		r->id = l->pub.rids[i];
		r->recv = recv;
		/* Ours are off at first but for h; theirs we take as they
		 * come: a '~' in an answer would switch them off for good. */
		buf_printf(&list, "%s%s%s", i ? ";" : "",
			recv || str_eq(r->id, "h") ? "" : "~", r->id);
	}
	text = list.err ? NULL : sdp_text(s, "%s", buf_cstr(&list));
	if (recv)
		m->simulcast_recv = text;
	else
		m->simulcast_send = text;
out:
	buf_free(&list);
	return text ? 0 : -ENOMEM;
}

static struct sdp *begin(const struct self *self)
{
	struct sdp *s = sdp_new();

	if (!s)
		return NULL;
	s->session_id = self->session_id;
	s->session_version = self->session_version;
	s->ice_lite = self->server;
	s->extmap_allow_mixed = false;
	if (!sdp_add_group(s, "BUNDLE")) {
		sdp_free(s);
		return NULL;
	}
	return s;
}

static int finish(struct sdp *s, int err, struct buf *out)
{
	if (!err)
		err = sdp_print(s, out);
	sdp_free(s);
	return err;
}

/* ---- answers ---- */

/* Refused: port 0, and as much of the line as its syntax needs. */
static int put_refused(struct sdp *s, struct sdp_media *m,
	const struct sdp_media *from)
{
	m->port = 0;
	m->dir = SDP_INACTIVE;
	if (from->codec_count && !from->formats) {
		struct sdp_codec *c = sdp_add_codec(s, m);

		if (!c)
			return -ENOMEM;
		c->pt = from->codecs[0].pt;
	} else {
		m->formats = from->formats ? from->formats : "0";
	}
	return 0;
}

/* The direction of an extension is turned round (RFC 8285 section 6). */
static int answer_extensions(struct sdp *s, struct sdp_media *m,
	const struct line *l, const struct sdp_media *from)
{
	for (unsigned k = 0; k < EXTS; k++) {
		int dir = -1;

		if (!l->ext[k])
			continue;
		for (size_t i = 0; i < from->own.extmap_count; i++)
			if (str_eq(from->own.extmaps[i].uri, ext_uri[k]))
				dir = from->own.extmaps[i].dir;
		if (dir == SDP_SENDONLY)
			dir = SDP_RECVONLY;
		if (dir == SDP_RECVONLY || dir < 0 || dir == SDP_SENDRECV)
			if (put_extension(s, m, k, l->ext[k], dir))
				return -ENOMEM;
	}
	return 0;
}

static int answer_line(struct sdp *s, const struct line *l,
	const struct sdp_media *from, const struct self *self, bool *first)
{
	struct sdp_media *m = sdp_add_media(s);
	int err;

	if (!m)
		return -ENOMEM;
	m->kind = from->kind;
	m->kind_text = from->kind_text;
	m->protocol = from->protocol;
	m->mid = from->mid;
	if (!l->pub.active)
		return put_refused(s, m, from);
	m->port = 9;
	m->dir = SDP_RECVONLY;
	err = put_transport(s, m, self,
		self->server ? SDP_PASSIVE : SDP_ACTIVE);
	if (!err)
		err = put_codecs(s, m, l->pub.video, l->pt, l->rtx_pt);
	if (!err)
		err = answer_extensions(s, m, l, from);
	if (!err && l->pub.n_rids)
		err = put_rids(s, m, l, true);
	if (!err && *first)
		err = put_candidates(s, m, self);
	*first = false;
	return err ? err : sdp_add_group_mid(s, &s->groups[0], m->mid);
}

int sdp_write_answer(const struct media *m, const struct sdp *offer,
	const struct self *self, struct buf *out)
{
	struct sdp *s = begin(self);
	bool first = true;
	int err = s ? 0 : -ENOMEM;

	for (unsigned i = 0; i < m->n && !err; i++)
		err = answer_line(s, &m->line[i], &offer->media[i], self,
			&first);
	return finish(s, err, out);
}

/* ---- offers ---- */

static int put_ssrc(struct sdp *s, struct sdp_media *m, uint32_t ssrc,
	const char *cname)
{
	struct sdp_ssrc *x = sdp_add_ssrc(s, m);

	if (!x)
		return -ENOMEM;
	x->ssrc = ssrc;
	x->key = "cname";
	x->value = cname;
	return 0;
}

/* With rids nothing is announced: mid and rid in the packets say it. */
static int put_sources(struct sdp *s, struct sdp_media *m,
	const struct line *l, const char *cname)
{
	int err;

	if (l->pub.n_rids)
		return 0;
	if (l->rtx_ssrc[0]) {
		struct sdp_ssrc_group *g = sdp_add_ssrc_group(s, m);

		if (!g)
			return -ENOMEM;
		g->semantics = "FID";
		g->ssrcs[g->count++] = l->ssrc[0];
		g->ssrcs[g->count++] = l->rtx_ssrc[0];
	}
	err = put_ssrc(s, m, l->ssrc[0], cname);
	if (!err && l->rtx_ssrc[0])
		err = put_ssrc(s, m, l->rtx_ssrc[0], cname);
	return err;
}

static int offer_line(struct sdp *s, const struct line *l, unsigned number,
	const struct self *self, bool first)
{
	struct sdp_media *m = sdp_add_media(s);
	struct sdp_msid *id;
	int err = 0;

	if (!m)
		return -ENOMEM;
	m->kind = l->pub.video ? SDP_VIDEO : SDP_AUDIO;
	m->protocol = PROTOCOL;
	m->port = 9;
	m->mid = l->pub.mid;
	m->dir = SDP_SENDONLY;
	id = sdp_add_msid(s, m);
	if (!id)
		return -ENOMEM;
	/* Sound and picture of one number are played together (RFC 8830). */
	id->stream = sdp_text(s, "%s-%u", l->pub.source == PEER_MIC ||
		l->pub.source == PEER_CAM ? "person" : "screen", number);
	id->track = sdp_text(s, "track-%s", l->pub.mid);
	if (!id->stream || !id->track)
		return -ENOMEM;
	err = put_transport(s, m, self, SDP_ACTPASS);
	if (!err)
		err = put_codecs(s, m, l->pub.video,
			l->pub.video ? PT_VP8 : PT_OPUS,
			l->pub.video ? PT_RTX : 0);
	for (unsigned k = 0; k < EXTS && !err; k++)
		if (l->ext[k])
			err = put_extension(s, m, k, l->ext[k], -1);
	if (!err && l->pub.n_rids)
		err = put_rids(s, m, l, false);
	if (!err)
		err = put_sources(s, m, l, self->cname);
	if (!err && first)
		err = put_candidates(s, m, self);
	return err ? err : sdp_add_group_mid(s, &s->groups[0], m->mid);
}

int sdp_write_offer(const struct media *m, const struct self *self,
	struct buf *out)
{
	struct sdp *s = begin(self);
	unsigned number[PEER_SCREEN_AUDIO + 1] = { 0 };
	int err = s ? 0 : -ENOMEM;

	for (unsigned i = 0; i < m->n && !err; i++)
		err = offer_line(s, &m->line[i],
			number[m->line[i].pub.source]++, self, i == 0);
	return finish(s, err, out);
}
