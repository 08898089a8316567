/* peer_sdp - what an offer or an answer says, checked. */
#include <arpa/inet.h>

#include "peer_sdp_priv.h"

const char *const ext_uri[EXTS] = {
	[EXT_MID] = RTPEXT_URI_MID,
	[EXT_ABS] = RTPEXT_URI_ABS_SEND_TIME,
	[EXT_TWCC] = RTPEXT_URI_TRANSPORT_CC,
	[EXT_LEVEL] = RTPEXT_URI_LEVEL,
	[EXT_RID] = RTPEXT_URI_RID,
	[EXT_REPAIRED] = RTPEXT_URI_REPAIRED,
};

const uint8_t ext_offer[EXTS] = {
	[EXT_MID] = 1,
	[EXT_ABS] = 2,
	[EXT_TWCC] = 3,
	[EXT_LEVEL] = 4,
	[EXT_RID] = 10,
	[EXT_REPAIRED] = 11,
};

static int refuse(char why[WHY_CAP], int err, const char *fmt, ...)
	PRINTF(3, 4);

static int refuse(char why[WHY_CAP], int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, WHY_CAP, fmt, ap);
	va_end(ap);
	return err;
}

int sdp_address(struct ice_addr *out, const char *host, uint16_t port)
{
	*out = (struct ice_addr){ .family = strchr(host, ':') ? 6 : 4,
		.port = port };
	return inet_pton(out->family == 6 ? AF_INET6 : AF_INET, host,
		out->bytes) == 1 ? 0 : -EINVAL;
}

/* ---- the transport ---- */

/* The m-line whose transport all of the bundle uses: the first of the group
 * (RFC 9143 section 7.2); a lone m-line needs no group. */
static const struct sdp_media *tagged(const struct sdp *s)
{
	for (size_t i = 0; i < s->group_count; i++)
		if (str_eq(s->groups[i].semantics, "BUNDLE") &&
		    s->groups[i].count)
			return sdp_media_by_mid(s, s->groups[i].mids[0]);
	return s->media_count == 1 ? &s->media[0] : NULL;
}

static int read_setup(const struct sdp *s, const struct sdp_media *m,
	bool server, bool offer, char why[WHY_CAP])
{
	enum sdp_setup setup = sdp_setup(s, m);
	enum sdp_setup need = server ? SDP_ACTIVE : SDP_PASSIVE;

	if (setup == need || (offer && setup == SDP_ACTPASS))
		return 0;
	return refuse(why, -ENOTSUP, "a=setup must be %s%s",
		offer ? "actpass or " : "", server ? "active" : "passive");
}

static int read_fingerprints(struct remote *r, const struct sdp *s,
	const struct sdp_media *m, char why[WHY_CAP])
{
	size_t n;
	const struct sdp_fingerprint *f = sdp_fingerprints(s, m, &n);

	for (size_t i = 0; i < n && r->n_sha256 < DTLS_FINGERPRINTS; i++)
		if (str_eq(f[i].hash, "sha-256") && f[i].len == SHA256_BYTES)
			memcpy(r->sha256[r->n_sha256++], f[i].bytes,
				SHA256_BYTES);
	return r->n_sha256 ? 0 :
		refuse(why, -ENOTSUP, "no sha-256 fingerprint");
}

/* Names (mDNS) and TCP are passed over. */
static void read_candidates(struct remote *r, const struct sdp_media *m)
{
	for (size_t i = 0; i < m->candidate_count; i++) {
		const struct sdp_candidate *c = &m->candidates[i];
		struct ice_addr a;

		if (r->n_cands == ARRAY_LEN(r->cand))
			return;
		if (c->tcptype != SDP_UDP || c->component != 1 || !c->port ||
		    sdp_address(&a, c->address, c->port))
			continue;
		r->cand[r->n_cands].addr = a;
		r->cand[r->n_cands++].priority = c->priority;
	}
}

static int read_transport(struct remote *r, const struct sdp *s, bool server,
	bool offer, char why[WHY_CAP])
{
	const struct sdp_media *m = tagged(s);
	const char *ufrag, *pwd;
	int err;

	*r = (struct remote){ 0 };
	if (!m)
		return refuse(why, -ENOTSUP, "no BUNDLE group");
	ufrag = sdp_ufrag(s, m);
	pwd = sdp_pwd(s, m);
	if (!ufrag || !pwd)
		return refuse(why, -ENOTSUP, "no ICE credentials");
	if (str_copy(r->ufrag, sizeof(r->ufrag), ufrag) ||
	    str_copy(r->pwd, sizeof(r->pwd), pwd))
		return refuse(why, -EINVAL, "ICE credentials are too long");
	if (server && s->ice_lite)
		return refuse(why, -ENOTSUP, "both sides are ICE-lite");
	err = read_setup(s, m, server, offer, why);
	if (!err)
		err = read_fingerprints(r, s, m, why);
	if (!err)
		read_candidates(r, m);
	return err;
}

/* ---- lines ---- */

static const struct sdp_codec *line_codec(const struct sdp_media *m)
{
	return m->kind == SDP_AUDIO ?
		sdp_codec_by_name(m, "opus", 48000, 2) :
		sdp_codec_by_name(m, "VP8", 90000, 0);
}

/* Extension ids of one m-line, which must agree with those of the others:
 * before a packet's line is known, only the id says what an element is. */
static int read_extensions(struct media *m, struct line *l,
	const struct sdp *s, const struct sdp_media *sm, char why[WHY_CAP])
{
	for (unsigned k = 0; k < EXTS; k++) {
		uint16_t id = sdp_extmap_id(s, sm, ext_uri[k]);

		l->ext[k] = 0;
		if (id == 0 || id > 255)
			continue;
		if (m->ext[k] && m->ext[k] != id)
			return refuse(why, -EINVAL,
				"%s has two extension ids", ext_uri[k]);
		for (unsigned j = 0; j < EXTS; j++)
			if (j != k && m->ext[j] == id)
				return refuse(why, -EINVAL,
					"extension id %u is used twice", id);
		m->ext[k] = l->ext[k] = (uint8_t)id;
	}
	return 0;
}

static void read_codec(struct line *l, const struct sdp_media *sm,
	const struct sdp_codec *c)
{
	const struct sdp_codec *rtx = sdp_rtx_of(sm, c->pt);

	l->pt = c->pt;
	l->rtx_pt = rtx && l->pub.video ? rtx->pt : 0;
	l->nack = l->pub.video && sdp_has_feedback(c, "nack");
	l->twcc = sdp_has_feedback(c, "transport-cc") && l->ext[EXT_TWCC];
	l->pub.active = true;
}

static bool rid_declared(const struct sdp_media *sm, const char *id, bool recv)
{
	for (size_t i = 0; i < sm->rid_count; i++)
		if (sm->rids[i].recv == recv && str_eq(sm->rids[i].id, id))
			return true;
	return false;
}

/* "~q;h,h2;~f": of alternatives the first, paused or not. */
static void read_rids(struct line *l, const struct sdp_media *sm,
	const char *list, bool recv)
{
	l->pub.n_rids = 0;
	while (list && *list && l->pub.n_rids < PEER_MAX_RIDS) {
		char *id = l->pub.rids[l->pub.n_rids];
		size_t n;

		list += *list == '~';
		n = strcspn(list, ",;");
		if (n > 0 && n < PEER_MID_CAP) {
			memcpy(id, list, n);
			id[n] = '\0';
			if (rid_declared(sm, id, recv))
				l->pub.n_rids++;
		}
		list += strcspn(list, ";");
		list += *list == ';';
	}
}

/* The stream of a line without rids: the pair of the first FID group, else
 * the first source. */
static int read_ssrcs(const struct media *m, struct line *l,
	const struct sdp_media *sm, char why[WHY_CAP])
{
	if (l->pub.n_rids)
		return 0;
	if (sm->ssrc_count)
		l->ssrc[0] = sm->ssrcs[0].ssrc;
	for (size_t i = 0; i < sm->ssrc_group_count; i++) {
		const struct sdp_ssrc_group *g = &sm->ssrc_groups[i];

		if (!str_eq(g->semantics, "FID") || g->count != 2)
			continue;
		l->ssrc[0] = g->ssrcs[0];
		l->rtx_ssrc[0] = g->ssrcs[1];
		break;
	}
	for (unsigned i = 0; i < m->n && l->ssrc[0]; i++) {
		const struct line *o = &m->line[i];

		if (o->ssrc[0] == l->ssrc[0] || o->rtx_ssrc[0] == l->ssrc[0] ||
		    (l->rtx_ssrc[0] && (o->ssrc[0] == l->rtx_ssrc[0] ||
		     o->rtx_ssrc[0] == l->rtx_ssrc[0])))
			return refuse(why, -EINVAL,
				"two m-lines claim one SSRC");
	}
	return 0;
}

/* A server gives sources by order; a client reads them from the msid that
 * sdp_write_offer gave. False: one too many of its kind. */
static bool line_source(struct line *l, const struct sdp_media *sm,
	bool server, unsigned seen)
{
	static const enum peer_source by_order[2][2] = {
		{ PEER_MIC, PEER_SCREEN_AUDIO },
		{ PEER_CAM, PEER_SCREEN },
	};
	const char *stream = sm->msid_count ? sm->msids[0].stream : "";

	if (server) {
		if (seen > 1)
			return false;
		l->pub.source = by_order[l->pub.video][seen];
		return true;
	}
	l->pub.source = by_order[l->pub.video][str_starts(stream, "screen-")];
	return true;
}

static bool rejected(const struct sdp_media *sm)
{
	return (sm->port == 0 && !sm->bundle_only) ||
		(sm->kind != SDP_AUDIO && sm->kind != SDP_VIDEO);
}

static int read_offered_line(struct media *m, const struct sdp *s,
	const struct sdp_media *sm, bool server, unsigned seen[2],
	char why[WHY_CAP])
{
	struct line *l = &m->line[m->n];
	const struct sdp_codec *c;
	int err;

	*l = (struct line){ 0 };
	if (!sm->mid || str_copy(l->pub.mid, sizeof(l->pub.mid), sm->mid))
		return refuse(why, -EINVAL, "an m-line has no usable a=mid");
	l->pub.video = sm->kind == SDP_VIDEO;
	if (sm->kind != SDP_AUDIO && sm->kind != SDP_VIDEO)
		return 0;
	if (!line_source(l, sm, server, seen[l->pub.video]++) ||
	    rejected(sm) || !(sm->dir & SDP_SENDONLY))
		return 0;
	if (!sm->rtcp_mux)
		return refuse(why, -ENOTSUP, "no a=rtcp-mux");
	if (s->media_count > 1 && !sdp_is_bundled(s, sm))
		return refuse(why, -ENOTSUP, "m-line %s is not in BUNDLE",
			sm->mid);
	c = line_codec(sm);
	if (!c)
		return 0;
	err = read_extensions(m, l, s, sm, why);
	if (err)
		return err;
	if (l->pub.video && l->ext[EXT_RID] && l->ext[EXT_MID])
		read_rids(l, sm, sm->simulcast_send, false);
	err = read_ssrcs(m, l, sm, why);
	if (err)
		return err;
	read_codec(l, sm, c);
	m->rsize = m->rsize && sm->rtcp_rsize;
	return 0;
}

static unsigned active_lines(const struct media *m)
{
	unsigned n = 0;

	for (unsigned i = 0; i < m->n; i++)
		n += m->line[i].pub.active;
	return n;
}

int sdp_read_offer(struct media *m, struct remote *r, const struct sdp *s,
	bool server, char why[WHY_CAP])
{
	unsigned seen[2] = { 0 };
	int err = read_transport(r, s, server, true, why);

	if (err)
		return err;
	if (s->media_count > PEER_MAX_LINES)
		return refuse(why, -EINVAL, "more than %u m-lines",
			PEER_MAX_LINES);
	*m = (struct media){ .rsize = true };
	for (size_t i = 0; i < s->media_count; i++) {
		err = read_offered_line(m, s, &s->media[i], server, seen,
			why);
		if (err)
			return err;
		m->n++;
	}
	if (!active_lines(m))
		return refuse(why, -ENOTSUP, "nothing that we can receive "
			"(Opus or VP8, sendonly)");
	return 0;
}

/* ---- answers ---- */

static int read_answered_line(struct media *m, struct line *l,
	const struct sdp *s, const struct sdp_media *sm, char why[WHY_CAP])
{
	const struct sdp_codec *c;
	int err;

	if (!str_eq(sm->mid, l->pub.mid) ||
	    (sm->kind == SDP_VIDEO) != l->pub.video ||
	    (sm->kind != SDP_VIDEO && sm->kind != SDP_AUDIO))
		return refuse(why, -EINVAL,
			"the answer's m-lines are not those of the offer");
	if (rejected(sm) || !(sm->dir & SDP_RECVONLY))
		return 0;
	c = line_codec(sm);
	if (!c)
		return 0;
	if (!sm->rtcp_mux || (s->media_count > 1 && !sdp_is_bundled(s, sm)))
		return refuse(why, -ENOTSUP,
			"m-line %s without rtcp-mux or outside BUNDLE",
			sm->mid);
	err = read_extensions(m, l, s, sm, why);
	if (err)
		return err;
	for (unsigned k = 0; k < EXTS; k++)
		if (l->ext[k] > 14) /* our packets use the one-byte form */
			l->ext[k] = 0;
	if (l->pub.n_rids) {
		struct peer_line offered = l->pub;

		read_rids(l, sm, sm->simulcast_recv, true);
		if (!l->ext[EXT_RID] || !l->ext[EXT_MID])
			l->pub.n_rids = 0;
		if (l->pub.n_rids && memcmp(l->pub.rids, offered.rids,
			    sizeof(offered.rids)) != 0)
			return refuse(why, -ENOTSUP,
				"the answer takes part of a simulcast");
	}
	read_codec(l, sm, c);
	m->rsize = m->rsize && sm->rtcp_rsize;
	return 0;
}

int sdp_read_answer(struct media *m, struct remote *r, const struct sdp *s,
	bool server, char why[WHY_CAP])
{
	int err = read_transport(r, s, server, false, why);

	if (err)
		return err;
	if (s->media_count != m->n)
		return refuse(why, -EINVAL, "the answer has %zu m-lines, "
			"the offer had %u", s->media_count, m->n);
	m->rsize = true;
	memset(m->ext, 0, sizeof(m->ext));
	for (unsigned i = 0; i < m->n; i++) {
		struct line *l = &m->line[i];

		l->pub.active = false;
		l->pt = l->rtx_pt = 0;
		err = read_answered_line(m, l, s, &s->media[i], why);
		if (err)
			return err;
	}
	if (!active_lines(m))
		return refuse(why, -ENOTSUP, "the answer takes none of it");
	return 0;
}
