/* Memory of a session description, adding to it and looking things up. */
#include "sdp_build.h"

#include "wire_sdp_priv.h"

#include <stdarg.h>
#include <strings.h>

#define CHUNK_BYTES 4096

/* All of a description lies in chunks that are released together: fields
 * may share texts, and nobody needs to know which. */
struct sdp_mem {
	struct sdp_mem *next;
	size_t used;
	size_t cap;
	_Alignas(max_align_t) unsigned char bytes[];
};

void *sdp_alloc(struct sdp *s, size_t n)
{
	n = (n + sizeof(max_align_t) - 1) & ~(sizeof(max_align_t) - 1);
	struct sdp_mem *c = s->mem;
	if (!c || c->cap - c->used < n) {
		size_t cap = MAX(n, CHUNK_BYTES - sizeof(*c));
		c = calloc(1, sizeof(*c) + cap);
		if (!c) {
			errno = ENOMEM;
			return NULL;
		}
		c->cap = cap;
		c->next = s->mem;
		s->mem = c;
	}
	void *p = c->bytes + c->used;
	c->used += n;
	return p;
}

struct sdp *sdp_new(void)
{
	struct sdp *s = calloc(1, sizeof(*s));
	if (!s)
		return NULL;
	s->name = "-";
	s->session_version = 1;
	return s;
}

void sdp_free(struct sdp *s)
{
	if (!s)
		return;
	while (s->mem) {
		struct sdp_mem *next = s->mem->next;
		free(s->mem);
		s->mem = next;
	}
	free(s);
}

const char *sdp_dup(struct sdp *s, const char *text)
{
	size_t n = strlen(text) + 1;
	char *p = sdp_alloc(s, n);
	if (p)
		memcpy(p, text, n);
	return p;
}

const char *sdp_text(struct sdp *s, const char *fmt, ...)
{
	struct buf b = {0};
	va_list ap;
	va_start(ap, fmt);
	buf_vprintf(&b, fmt, ap);
	va_end(ap);
	const char *text = b.err ? NULL : buf_cstr(&b);
	if (text)
		text = sdp_dup(s, text);
	buf_free(&b);
	if (!text)
		errno = ENOMEM;
	return text;
}

/* An array with room for one item more. Capacities are the powers of two
 * from 4 on, so that the count alone tells when an array is full. */
static void *more(struct sdp *s, void *items, size_t n, size_t size,
	size_t max)
{
	if (n >= max) {
		errno = E2BIG;
		return NULL;
	}
	if (n && (n < 4 || (n & (n - 1))))
		return items;
	void *p = sdp_alloc(s, (n ? 2 * n : 4) * size);
	if (p && n)
		memcpy(p, items, n * size);
	return p;
}

struct sdp_media *sdp_add_media(struct sdp *s)
{
	if (s->media_count >= SDP_MAX_MEDIA) {
		errno = E2BIG;
		return NULL;
	}
	/* Room for all at once: builders keep pointers to m-lines. */
	if (!s->media)
		s->media = sdp_alloc(s, SDP_MAX_MEDIA * sizeof(*s->media));
	if (!s->media)
		return NULL;
	struct sdp_media *m = &s->media[s->media_count++];
	m->dir = SDP_SENDRECV;
	return m;
}

struct sdp_group *sdp_add_group(struct sdp *s, const char *semantics)
{
	void *p = more(s, s->groups, s->group_count, sizeof(*s->groups),
		SDP_MAX_GROUPS);
	if (!p)
		return NULL;
	s->groups = p;
	struct sdp_group *g = &s->groups[s->group_count++];
	*g = (struct sdp_group){.semantics = semantics};
	return g;
}

int sdp_add_group_mid(struct sdp *s, struct sdp_group *g, const char *mid)
{
	void *p = more(s, g->mids, g->count, sizeof(*g->mids), SDP_MAX_MEDIA);
	if (!p)
		return -errno;
	g->mids = p;
	g->mids[g->count++] = mid;
	return 0;
}

int sdp_add_fingerprint(struct sdp *s, struct sdp_level *l, const char *hash,
	const uint8_t *bytes, size_t len)
{
	if (!len || len > sizeof(l->fingerprints->bytes))
		return -EINVAL;
	void *p = more(s, l->fingerprints, l->fingerprint_count,
		sizeof(*l->fingerprints), SDP_MAX_FINGERPRINTS);
	if (!p)
		return -errno;
	l->fingerprints = p;
	struct sdp_fingerprint *f = &l->fingerprints[l->fingerprint_count++];
	*f = (struct sdp_fingerprint){.hash = hash, .len = (uint8_t)len};
	memcpy(f->bytes, bytes, len);
	return 0;
}

struct sdp_extmap *sdp_add_extmap(struct sdp *s, struct sdp_level *l)
{
	void *p = more(s, l->extmaps, l->extmap_count, sizeof(*l->extmaps),
		SDP_MAX_EXTMAPS);
	if (!p)
		return NULL;
	l->extmaps = p;
	struct sdp_extmap *x = &l->extmaps[l->extmap_count++];
	*x = (struct sdp_extmap){.dir = -1};
	return x;
}

int sdp_add_feedback(struct sdp *s, struct sdp_codec *c, const char *fb)
{
	void *p = more(s, c->feedback, c->feedback_count, sizeof(*c->feedback),
		SDP_MAX_FEEDBACK);
	if (!p)
		return -errno;
	c->feedback = p;
	c->feedback[c->feedback_count++] = fb;
	return 0;
}

/* A function that adds a zeroed item to an array of an m-line. */
#define ADD(item, items, count, max)                                        \
	struct sdp_##item *sdp_add_##item(struct sdp *s, struct sdp_media *m) \
	{                                                                   \
		void *p = more(s, m->items, m->count, sizeof(*m->items),    \
			max);                                               \
		if (!p)                                                     \
			return NULL;                                        \
		m->items = p;                                               \
		struct sdp_##item *i = &m->items[m->count++];               \
		*i = (struct sdp_##item){0};                                \
		return i;                                                   \
	}
ADD(codec, codecs, codec_count, SDP_MAX_CODECS)
ADD(rid, rids, rid_count, SDP_MAX_RIDS)
ADD(ssrc, ssrcs, ssrc_count, SDP_MAX_SSRCS)
ADD(ssrc_group, ssrc_groups, ssrc_group_count, SDP_MAX_SSRC_GROUPS)
ADD(msid, msids, msid_count, SDP_MAX_MSIDS)
ADD(candidate, candidates, candidate_count, SDP_MAX_CANDIDATES)

const char *sdp_ufrag(const struct sdp *s, const struct sdp_media *m)
{
	return m && m->own.ufrag ? m->own.ufrag : s->own.ufrag;
}

const char *sdp_pwd(const struct sdp *s, const struct sdp_media *m)
{
	return m && m->own.pwd ? m->own.pwd : s->own.pwd;
}

enum sdp_setup sdp_setup(const struct sdp *s, const struct sdp_media *m)
{
	return m && m->own.setup ? m->own.setup : s->own.setup;
}

const struct sdp_fingerprint *sdp_fingerprints(const struct sdp *s,
	const struct sdp_media *m, size_t *count)
{
	const struct sdp_level *l = &s->own;
	if (m && m->own.fingerprint_count)
		l = &m->own;
	*count = l->fingerprint_count;
	return l->fingerprints;
}

static uint16_t extmap_id(const struct sdp_level *l, const char *uri)
{
	for (size_t i = 0; i < l->extmap_count; i++)
		if (str_eq(l->extmaps[i].uri, uri))
			return l->extmaps[i].id;
	return 0;
}

uint16_t sdp_extmap_id(const struct sdp *s, const struct sdp_media *m,
	const char *uri)
{
	uint16_t id = m ? extmap_id(&m->own, uri) : 0;
	return id ? id : extmap_id(&s->own, uri);
}

struct sdp_media *sdp_media_by_mid(const struct sdp *s, const char *mid)
{
	for (size_t i = 0; mid && i < s->media_count; i++)
		if (str_eq(s->media[i].mid, mid))
			return &s->media[i];
	return NULL;
}

bool sdp_is_bundled(const struct sdp *s, const struct sdp_media *m)
{
	for (size_t i = 0; m->mid && i < s->group_count; i++) {
		const struct sdp_group *g = &s->groups[i];
		for (size_t k = 0; k < g->count; k++)
			if (str_eq(g->semantics, "BUNDLE") &&
				str_eq(g->mids[k], m->mid))
				return true;
	}
	return false;
}

const struct sdp_codec *sdp_codec_by_pt(const struct sdp_media *m, uint8_t pt)
{
	for (size_t i = 0; i < m->codec_count; i++)
		if (m->codecs[i].pt == pt)
			return &m->codecs[i];
	return NULL;
}

const struct sdp_codec *sdp_codec_by_name(const struct sdp_media *m,
	const char *name, uint32_t clock_hz, uint8_t channels)
{
	for (size_t i = 0; i < m->codec_count; i++) {
		const struct sdp_codec *c = &m->codecs[i];
		if (c->name && !strcasecmp(c->name, name) &&
			c->clock_hz == clock_hz &&
			MAX(c->channels, 1) == MAX(channels, 1))
			return c;
	}
	return NULL;
}

const struct sdp_codec *sdp_rtx_of(const struct sdp_media *m, uint8_t pt)
{
	for (size_t i = 0; i < m->codec_count; i++) {
		const struct sdp_codec *c = &m->codecs[i];
		char text[8];
		uint64_t apt;
		if (c->name && !strcasecmp(c->name, "rtx") &&
			!sdp_fmtp(c->fmtp, "apt", text, sizeof(text)) &&
			!str_u64(text, 0, 127, &apt) && apt == pt)
			return c;
	}
	return NULL;
}

bool sdp_has_feedback(const struct sdp_codec *c, const char *fb)
{
	for (size_t i = 0; i < c->feedback_count; i++)
		if (str_eq(c->feedback[i], fb))
			return true;
	return false;
}

int sdp_fmtp(const char *fmtp, const char *key, char *out, size_t out_cap)
{
	size_t key_len = strlen(key);
	out[0] = '\0';
	for (const char *p = fmtp; p && *p;) {
		p += strspn(p, " ;");
		size_t n = strcspn(p, ";");
		if (n > key_len && !strncasecmp(p, key, key_len) &&
			p[key_len] == '=') {
			size_t len = n - key_len - 1;
			if (len >= out_cap)
				return -ENAMETOOLONG;
			memcpy(out, p + key_len + 1, len);
			out[len] = '\0';
			return 0;
		}
		p += n;
	}
	return -ENOENT;
}
