/* An offer, or an answer to an offer of ours, as anybody may send it.
 *
 * Holds: an answer that we make is sound SDP with as many m-lines, takes
 * nothing that was not offered, and has our credentials; what is agreed
 * stays within the bounds of struct media. */
#include <assert.h>
#include "peer_sdp_priv.h"

#define OWN_PWD "ownpwdownpwdownpwdownpwd"

static const uint8_t sha256_of_ours[SHA256_BYTES] = { 1 };
static const struct ice_addr cand = { 4, { 192, 0, 2, 7 }, 8500 };

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void check(const struct media *m)
{
	assert(m->n <= PEER_MAX_LINES);
	for (unsigned i = 0; i < m->n; i++) {
		const struct line *l = &m->line[i];

		assert(l->pub.n_rids <= PEER_MAX_RIDS);
		assert(strlen(l->pub.mid) < PEER_MID_CAP);
		assert(!l->rtx_pt || l->pub.active);
		for (unsigned k = 0; k < EXTS; k++)
			assert(!l->ext[k] || l->ext[k] == m->ext[k] ||
				!l->pub.active);
	}
}

static void check_answer(const struct buf *b, const struct sdp *offer,
	const struct media *m)
{
	struct sdp_error e;
	struct sdp *s = sdp_parse((const char *)b->data, b->len, &e);

	assert(s && s->media_count == offer->media_count);
	for (unsigned i = 0; i < m->n; i++) {
		const struct sdp_media *a = &s->media[i];

		assert(a->kind == offer->media[i].kind);
		assert((a->port != 0) == m->line[i].pub.active);
		assert(!a->port || str_eq(sdp_pwd(s, a), OWN_PWD));
		for (size_t k = 0; m->line[i].pub.active &&
			k < a->codec_count; k++)
			assert(sdp_codec_by_pt(&offer->media[i],
				a->codecs[k].pt));
	}
	sdp_free(s);
}

static void as_offer(const struct sdp *s, bool server)
{
	struct self self = { .server = server, .ufrag = "Frag1234",
		.pwd = OWN_PWD, .sha256 = sha256_of_ours, .cands = &cand,
		.n_cands = 1, .cname = "cname" };
	struct buf b = { 0 };
	char why[WHY_CAP] = "";
	struct media m;
	struct remote r;

	if (sdp_read_offer(&m, &r, s, server, why)) {
		assert(why[0]);
		return;
	}
	check(&m);
	assert(strlen(r.pwd) >= ICE_PWD_MIN && r.n_sha256 > 0);
	if (sdp_write_answer(&m, s, &self, &b) == 0)
		check_answer(&b, s, &m);
	buf_free(&b);
}

static void as_answer(const struct sdp *s)
{
	struct media m = { 0 };
	struct remote r;
	char why[WHY_CAP] = "";

	m.n = (unsigned)MIN(s->media_count, PEER_MAX_LINES);
	for (unsigned i = 0; i < m.n; i++) {
		struct line *l = &m.line[i];

		l->pub.ours = true;
		l->pub.video = s->media[i].kind == SDP_VIDEO;
		snprintf(l->pub.mid, PEER_MID_CAP, "%.32s",
			s->media[i].mid ? s->media[i].mid : "");
		memcpy(l->ext, ext_offer, sizeof(l->ext));
		if (l->pub.video) {
			l->pub.n_rids = 2;
			str_copy(l->pub.rids[0], PEER_MID_CAP, "q");
			str_copy(l->pub.rids[1], PEER_MID_CAP, "h");
		}
	}
	if (sdp_read_answer(&m, &r, s, true, why) == 0)
		check(&m);
	else
		assert(why[0]);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct sdp_error e;
	struct sdp *s = sdp_parse((const char *)p, n, &e);

	if (!s)
		return 0;
	as_offer(s, true);
	as_offer(s, false);
	as_answer(s);
	sdp_free(s);
	return 0;
}
