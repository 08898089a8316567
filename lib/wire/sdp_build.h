/* sdp_build - adding to a session description, and looking things up in one.
 *
 * Ownership: as in sdp.h. What is looked up is lent by the struct and valid
 * until something is added to the same array.
 */
#ifndef SDP_BUILD_H
#define SDP_BUILD_H

#include "sdp.h"

/* A zeroed item at the end (dir of a media is SDP_SENDRECV, of an extmap
 * -1); NULL with errno ENOMEM, or E2BIG over the limit. */
struct sdp_media *sdp_add_media(struct sdp *s);
struct sdp_group *sdp_add_group(struct sdp *s, const char *semantics);
int sdp_add_group_mid(struct sdp *s, struct sdp_group *g, const char *mid);
/* hash in lower case is lent; len at most 64. 0, -EINVAL, -E2BIG, -ENOMEM. */
int sdp_add_fingerprint(struct sdp *s, struct sdp_level *l, const char *hash,
	const uint8_t *bytes, size_t len);
struct sdp_extmap *sdp_add_extmap(struct sdp *s, struct sdp_level *l);
struct sdp_codec *sdp_add_codec(struct sdp *s, struct sdp_media *m);
int sdp_add_feedback(struct sdp *s, struct sdp_codec *c, const char *fb);
struct sdp_rid *sdp_add_rid(struct sdp *s, struct sdp_media *m);
struct sdp_ssrc *sdp_add_ssrc(struct sdp *s, struct sdp_media *m);
struct sdp_ssrc_group *sdp_add_ssrc_group(struct sdp *s, struct sdp_media *m);
struct sdp_msid *sdp_add_msid(struct sdp *s, struct sdp_media *m);
struct sdp_candidate *sdp_add_candidate(struct sdp *s, struct sdp_media *m);
/* A text owned by s; NULL with errno ENOMEM. */
const char *sdp_text(struct sdp *s, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Looking up: the m-line's own value, else the session's. m may be NULL. */
const char *sdp_ufrag(const struct sdp *s, const struct sdp_media *m);
const char *sdp_pwd(const struct sdp *s, const struct sdp_media *m);
enum sdp_setup sdp_setup(const struct sdp *s, const struct sdp_media *m);
const struct sdp_fingerprint *sdp_fingerprints(const struct sdp *s,
	const struct sdp_media *m, size_t *count);
/* 0 if that URI was not offered. */
uint16_t sdp_extmap_id(const struct sdp *s, const struct sdp_media *m,
	const char *uri);
/* NULL if there is none. */
struct sdp_media *sdp_media_by_mid(const struct sdp *s, const char *mid);
bool sdp_is_bundled(const struct sdp *s, const struct sdp_media *m);
const struct sdp_codec *sdp_codec_by_pt(const struct sdp_media *m, uint8_t pt);
/* Case does not matter in names; channels 0 and 1 are alike. The first in
 * order of preference. */
const struct sdp_codec *sdp_codec_by_name(const struct sdp_media *m,
	const char *name, uint32_t clock_hz, uint8_t channels);
/* The rtx codec whose fmtp says apt=pt (RFC 4588). */
const struct sdp_codec *sdp_rtx_of(const struct sdp_media *m, uint8_t pt);
bool sdp_has_feedback(const struct sdp_codec *c, const char *fb);
/* Copies the value of key in "a=1;b=2" (case of keys does not matter);
 * -ENOENT, or -ENAMETOOLONG with out empty. */
int sdp_fmtp(const char *fmtp, const char *key, char *out, size_t out_cap);

#endif
