/* sdp - session descriptions as WebRTC uses them (RFC 8866, JSEP RFC 9429):
 * one struct is both read and printed, so that an answer is built from it.
 *
 * Ownership: a struct sdp owns all that sdp_parse, sdp_add_* and sdp_text
 * gave; sdp_free releases it at once. Text fields that a builder sets may
 * also point at anything that outlives the struct (a literal). Array
 * pointers move when an item is added; indices stay.
 * Text that is absent is NULL. Attributes not named here are dropped.
 * Strict in what would deceive (sizes, ids, duplicates, fingerprints), and
 * tolerant in line ends, order of attributes and what is unknown.
 */
#ifndef SDP_H
#define SDP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;

#define SDP_MAX_BYTES        65536u
#define SDP_MAX_LINE         2048u
#define SDP_MAX_MEDIA        64u
#define SDP_MAX_GROUPS       8u
#define SDP_MAX_FINGERPRINTS 8u
#define SDP_MAX_CODECS       96u /* the limits from here on: per m-line */
#define SDP_MAX_FEEDBACK     16u /* per codec */
#define SDP_MAX_EXTMAPS      64u
#define SDP_MAX_RIDS         16u
#define SDP_MAX_SSRCS        128u
#define SDP_MAX_SSRC_GROUPS  32u
#define SDP_MAX_GROUP_SSRCS  16u
#define SDP_MAX_MSIDS        8u
#define SDP_MAX_CANDIDATES   64u
#define SDP_MAX_TAG          32u /* characters of a mid or rid */

enum sdp_kind { SDP_AUDIO, SDP_VIDEO, SDP_APPLICATION, SDP_OTHER };
/* Bits, so that the answer's direction is an intersection. */
enum sdp_dir {
	SDP_INACTIVE = 0,
	SDP_SENDONLY = 1,
	SDP_RECVONLY = 2,
	SDP_SENDRECV = 3, /* what a missing attribute means */
};
enum sdp_setup {
	SDP_SETUP_NONE, /* absent */
	SDP_ACTPASS,
	SDP_ACTIVE,
	SDP_PASSIVE,
	SDP_HOLDCONN,
};
enum sdp_cand_type { SDP_HOST, SDP_SRFLX, SDP_PRFLX, SDP_RELAY };
enum sdp_tcptype { SDP_UDP, SDP_TCP_ACTIVE, SDP_TCP_PASSIVE, SDP_TCP_SO };

struct sdp_fingerprint {
	const char *hash; /* lower case: "sha-256" */
	uint8_t len;      /* fits the hash where it is a known one */
	uint8_t bytes[64];
};

/* What may stand in a session or in an m-line, which then wins. */
struct sdp_level {
	const char *ufrag; /* 4 to 256 characters */
	const char *pwd;   /* 22 to 256 characters */
	const char *ice_options;
	enum sdp_setup setup;
	struct sdp_fingerprint *fingerprints;
	size_t fingerprint_count;
	struct sdp_extmap *extmaps;
	size_t extmap_count;
};

struct sdp_extmap {
	uint16_t id;  /* 1 to 255 */
	int dir;      /* enum sdp_dir, or -1 if not said */
	const char *uri;
	const char *params; /* NULL if none */
};

struct sdp_codec {
	uint8_t pt;
	const char *name; /* as spelt; NULL without rtpmap */
	uint32_t clock_hz;
	uint8_t channels; /* 0 if not said */
	const char *fmtp;
	const char **feedback; /* "nack pli"; '*' lines stand in every codec */
	size_t feedback_count;
};

struct sdp_rid {
	const char *id;
	bool recv;          /* else send */
	const char *params; /* "pt=96;max-width=1280", NULL if none */
};

struct sdp_ssrc {
	uint32_t ssrc;
	const char *key;   /* "cname" */
	const char *value; /* NULL if none */
};

struct sdp_ssrc_group {
	const char *semantics; /* "FID" */
	uint32_t ssrcs[SDP_MAX_GROUP_SSRCS];
	size_t count;
};

struct sdp_msid {
	const char *stream; /* "-" is none */
	const char *track;  /* NULL if none */
};

struct sdp_candidate {
	const char *foundation;
	uint8_t component;
	enum sdp_tcptype tcptype; /* SDP_UDP, or which sort of TCP */
	uint32_t priority;
	const char *address; /* numeric, or a name (mDNS) not to be looked up */
	uint16_t port;
	enum sdp_cand_type type;
	const char *rel_address; /* NULL if none */
	uint16_t rel_port;
};

struct sdp_media {
	enum sdp_kind kind;
	const char *kind_text; /* "audio"; read only for SDP_OTHER */
	uint16_t port;         /* 0: rejected, or bundle-only */
	const char *protocol;  /* "UDP/TLS/RTP/SAVPF" */
	const char *formats;   /* of an m-line that is not RTP; else NULL */
	const char *address;   /* of c=: "IP4 0.0.0.0"; NULL if none */
	const char *mid;
	enum sdp_dir dir;
	bool rtcp_mux;
	bool rtcp_rsize;
	bool bundle_only;
	bool end_of_candidates;
	struct sdp_level own;
	struct sdp_codec *codecs; /* in order of preference */
	size_t codec_count;
	struct sdp_rid *rids;
	size_t rid_count;
	const char *simulcast_send; /* "q;h;~f": '~' paused, ',' alternatives */
	const char *simulcast_recv;
	struct sdp_ssrc *ssrcs;
	size_t ssrc_count;
	struct sdp_ssrc_group *ssrc_groups;
	size_t ssrc_group_count;
	struct sdp_msid *msids;
	size_t msid_count;
	struct sdp_candidate *candidates;
	size_t candidate_count;
};

struct sdp_group {
	const char *semantics; /* "BUNDLE" */
	const char **mids;
	size_t count;
};

struct sdp_mem;
struct sdp {
	uint64_t session_id;
	uint64_t session_version;
	const char *name; /* of s=; "-" */
	bool ice_lite;
	bool extmap_allow_mixed;
	struct sdp_level own;
	struct sdp_group *groups;
	size_t group_count;
	struct sdp_media *media;
	size_t media_count;
	struct sdp_mem *mem; /* private */
};

struct sdp_error {
	unsigned line; /* from 1; 0 if it is of the whole */
	char reason[120];
};

/* Returns a new struct, or NULL with e filled (never empty) and errno:
 * EINVAL malformed, E2BIG over a limit, ENOMEM. */
struct sdp *sdp_parse(const char *p, size_t n, struct sdp_error *e);
/* "line 12: ice-ufrag is too short", for people. */
void sdp_error_text(const struct sdp_error *e, char *out, size_t out_cap);
/* Appends it with CRLF line ends. -EINVAL if a text holds a control
 * character (nothing then can be smuggled into a line) or a part that is
 * required is missing; -ENOMEM. out is as before then. */
int sdp_print(const struct sdp *s, struct buf *out);
struct sdp *sdp_new(void); /* name "-", version 1 */
void sdp_free(struct sdp *s);

#endif
