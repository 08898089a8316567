/* wire_sdp_priv - what the parts of sdp share; nobody else's. */
#ifndef WIRE_SDP_PRIV_H
#define WIRE_SDP_PRIV_H

#include "base.h"
#include "sdp_build.h"

struct sdp_reader {
	struct sdp *s;
	struct sdp_media *m;     /* the m-line we are in, or NULL */
	struct sdp_level *level; /* of m, or of the session */
	struct sdp_error *e;
	unsigned line;
	int dir;             /* of the session, or -1 */
	const char *address; /* of the session's c= */
	bool m_dir;          /* m has said its own */
};

/* Fills in the error and returns the negative of err. */
int sdp_fail(struct sdp_reader *r, int err, const char *reason);
/* The failure of an sdp_add_* or sdp_text call, by errno. */
int sdp_fail_add(struct sdp_reader *r, const char *what);
/* Cuts the next word off *rest, which moves behind it; NULL if none is
 * left. Words are divided by one or more spaces. */
char *sdp_word(char **rest);
/* 1 to SDP_MAX_TAG token characters (RFC 8866 section 9). */
bool sdp_is_tag(const char *s);
/* "name" or "name:value" behind "a=". */
int sdp_read_attribute(struct sdp_reader *r, char *text);
int sdp_read_fingerprint(struct sdp_reader *r, char *value);
int sdp_read_candidate(struct sdp_reader *r, char *value);

extern const char *const sdp_dir_names[4];
extern const char *const sdp_setup_names[5];
extern const char *const sdp_cand_names[4];
extern const char *const sdp_tcptype_names[4];
/* The index of s among n names, or -1. Case matters not. */
int sdp_name_index(const char *const *names, size_t n, const char *s);

void *sdp_alloc(struct sdp *s, size_t n);
const char *sdp_dup(struct sdp *s, const char *text);

#endif
