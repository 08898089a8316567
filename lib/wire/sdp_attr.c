/* The attributes of a session description, one function each. */
#include "sdp.h"

#include "wire_sdp_priv.h"

#include <ctype.h>
#include <strings.h>

const char *const sdp_dir_names[4] = {
	"inactive", "sendonly", "recvonly", "sendrecv",
};
const char *const sdp_setup_names[5] = {
	NULL, "actpass", "active", "passive", "holdconn",
};

/* Sets a field that may be said once. */
static int once(struct sdp_reader *r, const char **field, const char *value)
{
	if (*field)
		return sdp_fail(r, EINVAL, "said twice");
	*field = sdp_dup(r->s, value);
	return *field ? 0 : sdp_fail_add(r, "texts");
}

static int ice_text(struct sdp_reader *r, const char **field,
	const char *value, size_t min, const char *shorter)
{
	size_t n = strlen(value);
	if (n < min)
		return sdp_fail(r, EINVAL, shorter);
	if (n > 256)
		return sdp_fail(r, EINVAL, "longer than 256 characters");
	/* RFC 8839 section 5.4; '-', '_' and '=' were seen in the wild. */
	for (const char *c = value; *c; c++)
		if (!isalnum((unsigned char)*c) && !strchr("+/-_=", *c))
			return sdp_fail(r, EINVAL, "no ICE character");
	return once(r, field, value);
}

static int ice_ufrag(struct sdp_reader *r, char *value)
{
	return ice_text(r, &r->level->ufrag, value, 4,
		"ice-ufrag is shorter than 4 characters");
}

static int ice_pwd(struct sdp_reader *r, char *value)
{
	return ice_text(r, &r->level->pwd, value, 22,
		"ice-pwd is shorter than 22 characters");
}

static int ice_options(struct sdp_reader *r, char *value)
{
	r->level->ice_options = sdp_dup(r->s, value);
	return r->level->ice_options ? 0 : sdp_fail_add(r, "texts");
}

static int ice_lite(struct sdp_reader *r, char *value)
{
	(void)value;
	if (!r->m)
		r->s->ice_lite = true;
	return 0;
}

static int allow_mixed(struct sdp_reader *r, char *value)
{
	(void)value;
	if (!r->m)
		r->s->extmap_allow_mixed = true;
	return 0;
}

static int setup(struct sdp_reader *r, char *value)
{
	int i = sdp_name_index(sdp_setup_names, 5, value);
	if (i < 0)
		return sdp_fail(r, EINVAL, "unknown setup");
	if (r->level->setup)
		return sdp_fail(r, EINVAL, "said twice");
	r->level->setup = (enum sdp_setup)i;
	return 0;
}

static int direction(struct sdp_reader *r, enum sdp_dir dir)
{
	if (r->m ? r->m_dir : r->dir >= 0)
		return sdp_fail(r, EINVAL, "a direction twice");
	if (r->m) {
		r->m->dir = dir;
		r->m_dir = true;
	} else {
		r->dir = dir;
	}
	return 0;
}

static int extmap(struct sdp_reader *r, char *value)
{
	char *id_text = sdp_word(&value);
	char *uri = sdp_word(&value);
	char *slash = id_text ? strchr(id_text, '/') : NULL;
	uint64_t id;
	int dir = -1;
	if (slash) {
		*slash = '\0';
		dir = sdp_name_index(sdp_dir_names, 4, slash + 1);
		if (dir < 0)
			return sdp_fail(r, EINVAL, "unknown direction");
	}
	if (!uri || str_u64(id_text, 1, UINT16_MAX, &id))
		return sdp_fail(r, EINVAL, "extmap without id or URI");
	if (id >= 4096 && id <= 4351)
		return 0; /* no id yet: to be chosen by us, who do not */
	if (id > 255)
		return sdp_fail(r, EINVAL, "the extmap id is above 255");
	for (size_t i = 0; i < r->level->extmap_count; i++)
		if (r->level->extmaps[i].id == id)
			return sdp_fail(r, EINVAL, "an extmap id twice");
	struct sdp_extmap *x = sdp_add_extmap(r->s, r->level);
	if (!x)
		return sdp_fail_add(r, "extmaps");
	value += strspn(value, " ");
	x->id = (uint16_t)id;
	x->dir = dir;
	x->uri = sdp_dup(r->s, uri);
	if (*value)
		x->params = sdp_dup(r->s, value);
	if (!x->uri || (*value && !x->params))
		return sdp_fail_add(r, "texts");
	return 0;
}

static int group(struct sdp_reader *r, char *value)
{
	char *semantics = sdp_word(&value);
	if (r->m)
		return 0;
	if (!semantics)
		return sdp_fail(r, EINVAL, "a group without semantics");
	const char *text = sdp_dup(r->s, semantics);
	struct sdp_group *g = text ? sdp_add_group(r->s, text) : NULL;
	if (!g)
		return sdp_fail_add(r, "groups");
	for (char *word; (word = sdp_word(&value));) {
		if (!sdp_is_tag(word))
			return sdp_fail(r, EINVAL, "a mid is no token");
		const char *mid = sdp_dup(r->s, word);
		if (!mid || sdp_add_group_mid(r->s, g, mid))
			return sdp_fail_add(r, "mids in a group");
	}
	return 0;
}

static int mid(struct sdp_reader *r, char *value)
{
	if (!sdp_is_tag(value))
		return sdp_fail(r, EINVAL, "the mid is no token");
	if (sdp_media_by_mid(r->s, value))
		return sdp_fail(r, EINVAL, "a mid twice");
	return once(r, &r->m->mid, value);
}

static int rtcp_mux(struct sdp_reader *r, char *value)
{
	(void)value;
	r->m->rtcp_mux = true;
	return 0;
}

static int rtcp_rsize(struct sdp_reader *r, char *value)
{
	(void)value;
	r->m->rtcp_rsize = true;
	return 0;
}

static int bundle_only(struct sdp_reader *r, char *value)
{
	(void)value;
	r->m->bundle_only = true;
	return 0;
}

static int end_of_candidates(struct sdp_reader *r, char *value)
{
	(void)value;
	r->m->end_of_candidates = true;
	return 0;
}

/* The codec that a line begins with; *out is NULL if its payload type is
 * not in the m-line, which happens and harms nobody. */
static int codec(struct sdp_reader *r, const char *word,
	struct sdp_codec **out)
{
	uint64_t pt;
	*out = NULL;
	if (!word || str_u64(word, 0, 127, &pt))
		return sdp_fail(r, EINVAL, "a payload type is not 0 to 127");
	for (size_t i = 0; i < r->m->codec_count; i++)
		if (r->m->codecs[i].pt == pt)
			*out = &r->m->codecs[i];
	return 0;
}

/* "96 VP8/90000", "111 opus/48000/2" */
static int rtpmap(struct sdp_reader *r, char *value)
{
	struct sdp_codec *c;
	uint64_t clock = 0, channels = 0;
	int rc = codec(r, sdp_word(&value), &c);
	if (rc || !c)
		return rc;
	char *name = sdp_word(&value);
	char *rate = name ? strchr(name, '/') : NULL;
	if (!rate || rate == name)
		return sdp_fail(r, EINVAL, "rtpmap without name or rate");
	*rate++ = '\0';
	char *more = strchr(rate, '/');
	if (more)
		*more++ = '\0';
	if (str_u64(rate, 1, UINT32_MAX, &clock) ||
		(more && str_u64(more, 1, 255, &channels)))
		return sdp_fail(r, EINVAL, "rate or channels out of range");
	rc = once(r, &c->name, name);
	c->clock_hz = (uint32_t)clock;
	c->channels = (uint8_t)channels;
	return rc;
}

static int fmtp(struct sdp_reader *r, char *value)
{
	struct sdp_codec *c;
	int rc = codec(r, sdp_word(&value), &c);
	if (rc || !c)
		return rc;
	value += strspn(value, " ");
	return once(r, &c->fmtp, value);
}

static int rtcp_fb(struct sdp_reader *r, char *value)
{
	struct sdp_codec *one = NULL;
	char *word = sdp_word(&value);
	if (!str_eq(word, "*")) {
		int rc = codec(r, word, &one);
		if (rc || !one)
			return rc;
	}
	value += strspn(value, " ");
	const char *fb = *value ? sdp_dup(r->s, value) : NULL;
	if (!fb)
		return *value ? sdp_fail_add(r, "texts") :
			sdp_fail(r, EINVAL, "rtcp-fb without a kind");
	for (size_t i = 0; i < r->m->codec_count; i++) {
		struct sdp_codec *c = &r->m->codecs[i];
		if ((one && c != one) || sdp_has_feedback(c, fb))
			continue;
		if (sdp_add_feedback(r->s, c, fb))
			return sdp_fail_add(r, "kinds of feedback");
	}
	return 0;
}

/* "q send pt=96" */
static int rid(struct sdp_reader *r, char *value)
{
	char *id = sdp_word(&value);
	char *dir = sdp_word(&value);
	if (!id || !sdp_is_tag(id))
		return sdp_fail(r, EINVAL, "the rid is no token");
	if (!str_eq(dir, "send") && !str_eq(dir, "recv"))
		return sdp_fail(r, EINVAL, "the rid is not send or recv");
	for (size_t i = 0; i < r->m->rid_count; i++)
		if (str_eq(r->m->rids[i].id, id))
			return sdp_fail(r, EINVAL, "a rid twice");
	struct sdp_rid *x = sdp_add_rid(r->s, r->m);
	if (!x)
		return sdp_fail_add(r, "rids");
	value += strspn(value, " ");
	x->recv = *dir == 'r';
	x->id = sdp_dup(r->s, id);
	if (*value)
		x->params = sdp_dup(r->s, value);
	if (!x->id || (*value && !x->params))
		return sdp_fail_add(r, "texts");
	return 0;
}

/* "send q;h;~f recv a" */
static int simulcast(struct sdp_reader *r, char *value)
{
	for (char *dir; (dir = sdp_word(&value));) {
		char *list = sdp_word(&value);
		bool send = str_eq(dir, "send");
		if (!list || (!send && !str_eq(dir, "recv")))
			return sdp_fail(r, EINVAL, "simulcast is malformed");
		int rc = once(r, send ? &r->m->simulcast_send :
			&r->m->simulcast_recv, list);
		if (rc)
			return rc;
	}
	return 0;
}

/* "1234 cname:abc" */
static int ssrc(struct sdp_reader *r, char *value)
{
	char *word = sdp_word(&value);
	uint64_t number;
	value += strspn(value, " ");
	if (!word || str_u64(word, 0, UINT32_MAX, &number) || !*value ||
		*value == ':')
		return sdp_fail(r, EINVAL, "ssrc without number or attribute");
	struct sdp_ssrc *x = sdp_add_ssrc(r->s, r->m);
	if (!x)
		return sdp_fail_add(r, "ssrc lines");
	char *colon = strchr(value, ':');
	if (colon)
		*colon++ = '\0';
	x->ssrc = (uint32_t)number;
	x->key = sdp_dup(r->s, value);
	if (colon)
		x->value = sdp_dup(r->s, colon);
	if (!x->key || (colon && !x->value))
		return sdp_fail_add(r, "texts");
	return 0;
}

/* "FID 1 2" */
static int ssrc_group(struct sdp_reader *r, char *value)
{
	char *semantics = sdp_word(&value);
	if (!semantics)
		return sdp_fail(r, EINVAL, "an ssrc-group without semantics");
	struct sdp_ssrc_group *g = sdp_add_ssrc_group(r->s, r->m);
	if (!g)
		return sdp_fail_add(r, "ssrc-groups");
	g->semantics = sdp_dup(r->s, semantics);
	if (!g->semantics)
		return sdp_fail_add(r, "texts");
	for (char *word; (word = sdp_word(&value));) {
		uint64_t number;
		if (str_u64(word, 0, UINT32_MAX, &number))
			return sdp_fail(r, EINVAL, "an SSRC is no number");
		if (g->count == SDP_MAX_GROUP_SSRCS)
			return sdp_fail(r, E2BIG, "too many SSRCs in a group");
		g->ssrcs[g->count++] = (uint32_t)number;
	}
	return 0;
}

static int msid(struct sdp_reader *r, char *value)
{
	char *stream = sdp_word(&value);
	char *track = sdp_word(&value);
	if (!stream)
		return sdp_fail(r, EINVAL, "msid without a stream");
	struct sdp_msid *x = sdp_add_msid(r->s, r->m);
	if (!x)
		return sdp_fail_add(r, "msids");
	x->stream = sdp_dup(r->s, stream);
	if (track)
		x->track = sdp_dup(r->s, track);
	if (!x->stream || (track && !x->track))
		return sdp_fail_add(r, "texts");
	return 0;
}

int sdp_read_attribute(struct sdp_reader *r, char *text)
{
	static const struct {
		const char *name;
		int (*read)(struct sdp_reader *r, char *value);
		bool media_only; /* elsewhere it means nothing */
	} table[] = {
		{"bundle-only", bundle_only, true},
		{"candidate", sdp_read_candidate, true},
		{"end-of-candidates", end_of_candidates, true},
		{"extmap", extmap, false},
		{"extmap-allow-mixed", allow_mixed, false},
		{"fingerprint", sdp_read_fingerprint, false},
		{"fmtp", fmtp, true},
		{"group", group, false},
		{"ice-lite", ice_lite, false},
		{"ice-options", ice_options, false},
		{"ice-pwd", ice_pwd, false},
		{"ice-ufrag", ice_ufrag, false},
		{"mid", mid, true},
		{"msid", msid, true},
		{"rid", rid, true},
		{"rtcp-fb", rtcp_fb, true},
		{"rtcp-mux", rtcp_mux, true},
		{"rtcp-rsize", rtcp_rsize, true},
		{"rtpmap", rtpmap, true},
		{"setup", setup, false},
		{"simulcast", simulcast, true},
		{"ssrc", ssrc, true},
		{"ssrc-group", ssrc_group, true},
	};
	char *value = text + strcspn(text, ":");
	if (*value)
		*value++ = '\0';
	int dir = sdp_name_index(sdp_dir_names, 4, text);
	if (dir >= 0)
		return direction(r, (enum sdp_dir)dir);
	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		if (str_eq(table[i].name, text))
			return table[i].media_only && !r->m ? 0 :
				table[i].read(r, value);
	return 0;
}
