/* A description that is taken prints to one that is taken, and that prints
 * the same; a refusal always has a reason. */
#include "wire.h"

#include "base.h"
#include "fuzz.h"

static void look(const struct sdp *s)
{
	for (size_t i = 0; i < s->media_count; i++) {
		const struct sdp_media *m = &s->media[i];
		size_t n;
		char out[8];
		const struct sdp_fingerprint *f = sdp_fingerprints(s, m, &n);
		if (n)
			touch(f, n * sizeof(*f));
		CHECK(!m->mid || sdp_media_by_mid(s, m->mid) == m);
		sdp_is_bundled(s, m);
		sdp_extmap_id(s, m, RTPEXT_URI_MID);
		sdp_ufrag(s, m);
		sdp_pwd(s, m);
		sdp_setup(s, m);
		sdp_codec_by_name(m, "VP8", 90000, 0);
		for (size_t k = 0; k < m->codec_count; k++) {
			const struct sdp_codec *c = &m->codecs[k];
			CHECK(sdp_codec_by_pt(m, c->pt) == c);
			sdp_rtx_of(m, c->pt);
			sdp_fmtp(c->fmtp, "apt", out, sizeof(out));
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct sdp_error e;
	struct buf one = {0}, two = {0};
	struct sdp *s = sdp_parse((const char *)p, n, &e);
	if (!s) {
		CHECK(e.reason[0] && strlen(e.reason) < sizeof(e.reason));
		return 0;
	}
	look(s);
	CHECK(!sdp_print(s, &one));
	sdp_free(s);
	/* Wildcards and defaults make what we print longer than what came. */
	if (one.len <= SDP_MAX_BYTES) {
		s = sdp_parse((char *)one.data, one.len, &e);
		if (!s)
			fprintf(stderr, "line %u: %s\n%.*s", e.line, e.reason,
				(int)one.len, (char *)one.data);
		CHECK(s);
		CHECK(!sdp_print(s, &two));
		CHECK(one.len == two.len && !memcmp(one.data, two.data,
			one.len));
		sdp_free(s);
	}
	buf_free(&one);
	buf_free(&two);
	return 0;
}
