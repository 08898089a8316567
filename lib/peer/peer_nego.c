/* peer_nego - offers and answers of a peer that lives. */
#include "peer_priv.h"

/* Lines that are offered and not answered count, and are not active. */
static const struct line *get_line(const struct peer *p, unsigned line)
{
	if (line < p->media.n)
		return &p->media.line[line];
	if (p->nego == NEGO_OFFERED && line < p->pending.n)
		return &p->pending.line[line];
	return NULL;
}

unsigned peer_lines(const struct peer *p)
{
	return p->nego == NEGO_OFFERED ? p->pending.n : p->media.n;
}

const struct peer_line *peer_line(const struct peer *p, unsigned line)
{
	const struct line *l = get_line(p, line);

	return l ? &l->pub : NULL;
}

uint32_t peer_line_ssrc(const struct peer *p, unsigned line, unsigned rid)
{
	const struct line *l = get_line(p, line);

	return l && rid < PEER_MAX_RIDS ? l->ssrc[rid] : 0;
}

static int say(char why[160], int err, const char *text)
{
	snprintf(why, 160, "%s", text);
	return err;
}

static struct sdp *parse(const char *text, size_t n, char why[160], int *err)
{
	struct sdp_error e;
	struct sdp *s;

	*err = -EINVAL;
	if (n > PEER_MAX_SDP) {
		say(why, 0, "the SDP is too long");
		return NULL;
	}
	s = sdp_parse(text, n, &e);
	if (s)
		return s;
	*err = errno == ENOMEM ? -ENOMEM : -EINVAL;
	sdp_error_text(&e, why, 160);
	return NULL;
}

struct own {
	struct self self;
	struct ice_addr cands[MAX_CANDIDATES];
};

static void describe(struct peer *p, struct own *o)
{
	struct peer_port *port = p->port;

	o->self = (struct self){ .server = p->role == PEER_SERVER,
		.ufrag = p->ufrag, .pwd = p->pwd,
		.sha256 = port->cert_sha256, .cands = o->cands,
		.n_cands = port->n_announce, .cname = p->cname,
		.session_id = p->session_id,
		.session_version = ++p->session_version };
	for (unsigned i = 0; i < port->n_announce; i++)
		port_to_ice(&o->cands[i], &port->announce[i]);
}

/* Takes over what was agreed: from here on media may flow. */
static int commit(struct peer *p, const struct media *m,
	const struct remote *r, char why[160])
{
	bool twcc = false;
	int err;

	for (unsigned i = 0; i < m->n; i++)
		twcc |= m->line[i].twcc && !m->line[i].pub.ours;
	if (twcc && !p->twccgen)
		p->twccgen = twccgen_new();
	if ((twcc && !p->twccgen) || out_sync(p, m))
		return say(why, -ENOMEM, "out of memory");
	err = peer_set_remote(p, r);
	if (err == -EALREADY)
		return say(why, -ENOTSUP, "ICE restart is not supported");
	if (err)
		return say(why, err, "unusable ICE credentials");
	p->media = *m;
	p->nego = NEGO_DONE;
	return 0;
}

int peer_accept_offer(struct peer *p, const char *sdp, size_t n,
	struct buf *answer, char why[160])
{
	struct media m;
	struct remote r;
	struct own own;
	size_t mark = answer->len;
	struct sdp *s;
	int err;

	if (p->state == PEER_CLOSED || p->offers ||
	    (p->nego == NEGO_DONE && p->role == PEER_SERVER))
		return say(why, -EBUSY, "this transport was offered before");
	s = parse(sdp, n, why, &err);
	if (!s)
		return err;
	err = sdp_read_offer(&m, &r, s, p->role == PEER_SERVER, why);
	if (!err && p->nego == NEGO_DONE && m.n < p->media.n)
		err = say(why, -EINVAL, "the new offer lacks m-lines");
	if (!err) {
		describe(p, &own);
		err = sdp_write_answer(&m, s, &own.self, answer);
		if (err)
			say(why, err, "the answer could not be written");
	}
	if (!err)
		err = commit(p, &m, &r, why);
	if (err && answer->len > mark)
		answer->len = mark;
	sdp_free(s);
	return err;
}

int peer_accept_answer(struct peer *p, const char *sdp, size_t n,
	char why[160])
{
	struct media m = p->pending;
	struct remote r;
	struct sdp *s;
	int err;

	if (p->state == PEER_CLOSED || p->nego != NEGO_OFFERED)
		return say(why, -EBUSY, "no offer waits for an answer");
	s = parse(sdp, n, why, &err);
	if (!s)
		return err;
	err = sdp_read_answer(&m, &r, s, p->role == PEER_SERVER, why);
	if (!err)
		err = commit(p, &m, &r, why);
	sdp_free(s);
	return err;
}

/* ---- offers ---- */

static bool ssrc_taken(const struct media *m, uint32_t ssrc)
{
	for (unsigned i = 0; i < m->n; i++)
		for (unsigned k = 0; k < PEER_MAX_RIDS; k++)
			if (m->line[i].ssrc[k] == ssrc ||
			    m->line[i].rtx_ssrc[k] == ssrc)
				return true;
	return false;
}

/* m holds the lines before this one and what this one has so far. */
static uint32_t new_ssrc(const struct peer *p, const struct media *m,
	const struct line *l)
{
	for (;;) {
		uint32_t ssrc;
		bool taken = false;

		io_random(&ssrc, sizeof(ssrc));
		for (unsigned k = 0; k < PEER_MAX_RIDS; k++)
			taken |= l->ssrc[k] == ssrc || l->rtx_ssrc[k] == ssrc;
		if (ssrc && ssrc != p->rtcp_ssrc && !taken &&
		    !ssrc_taken(m, ssrc))
			return ssrc;
	}
}

static void new_line(const struct peer *p, struct media *m,
	const struct peer_line_want *w)
{
	static const char *const rids[PEER_MAX_RIDS] = { "q", "h", "f" };
	struct line *l = &m->line[m->n];

	*l = (struct line){ .pub = { .source = w->source, .ours = true,
		.video = w->source == PEER_CAM || w->source == PEER_SCREEN } };
	snprintf(l->pub.mid, sizeof(l->pub.mid), "%u", m->n);
	for (unsigned k = 0; k <= EXT_TWCC; k++)
		l->ext[k] = ext_offer[k];
	if (!l->pub.video)
		l->ext[EXT_LEVEL] = ext_offer[EXT_LEVEL];
	if (w->simulcast && l->pub.video) {
		l->pub.n_rids = PEER_MAX_RIDS;
		l->ext[EXT_RID] = ext_offer[EXT_RID];
		l->ext[EXT_REPAIRED] = ext_offer[EXT_REPAIRED];
	}
	for (unsigned k = 0; k < MAX(l->pub.n_rids, 1); k++) {
		if (l->pub.n_rids)
			str_copy(l->pub.rids[k], PEER_MID_CAP, rids[k]);
		l->ssrc[k] = new_ssrc(p, m, l);
		if (l->pub.video)
			l->rtx_ssrc[k] = new_ssrc(p, m, l);
	}
	m->n++;
}

/* The line as it was offered first: a later answer may take what an earlier
 * one refused. */
static void renew_line(struct line *l)
{
	for (unsigned k = 0; k <= EXT_TWCC; k++)
		l->ext[k] = ext_offer[k];
	l->ext[EXT_LEVEL] = l->pub.video ? 0 : ext_offer[EXT_LEVEL];
	for (unsigned k = EXT_RID; k < EXTS; k++)
		l->ext[k] = l->pub.n_rids ? ext_offer[k] : 0;
}

int peer_make_offer(struct peer *p, const struct peer_line_want *lines,
	unsigned n, struct buf *offer)
{
	struct media m = p->media;
	struct own own;
	int err;

	if (p->state == PEER_CLOSED || p->nego == NEGO_OFFERED ||
	    (p->nego == NEGO_DONE && !p->offers))
		return -EBUSY;
	if (n == 0 || n > PEER_MAX_LINES || n < m.n)
		return -EINVAL;
	for (unsigned i = 0; i < m.n; i++) {
		if (lines[i].source != m.line[i].pub.source)
			return -EINVAL;
		renew_line(&m.line[i]);
	}
	while (m.n < n)
		new_line(p, &m, &lines[m.n]);
	describe(p, &own);
	err = sdp_write_offer(&m, &own.self, offer);
	if (err)
		return err;
	p->pending = m;
	p->offers = true;
	p->nego = NEGO_OFFERED;
	return 0;
}
