/* peer_sdp_priv - offers and answers: what two descriptions agree on, and
 * the descriptions that say so. Pure. */
#ifndef PEER_SDP_PRIV_H
#define PEER_SDP_PRIV_H

#include "base.h"
#include "crypt.h"
#include "ice.h"
#include "peer.h"
#include "wire.h"

#define PT_OPUS  111
#define PT_VP8   96
#define PT_RTX   97
#define WHY_CAP  160

/* Header extensions that we know; ext_uri has their names and ext_offer the
 * ids that our offers give them. */
enum ext {
	EXT_MID,
	EXT_ABS,
	EXT_TWCC,
	EXT_LEVEL,
	EXT_RID,
	EXT_REPAIRED,
	EXTS
};
extern const char *const ext_uri[EXTS];
extern const uint8_t ext_offer[EXTS];

struct line {
	struct peer_line pub;
	uint8_t pt;     /* 0 while not active */
	uint8_t rtx_pt; /* 0: none */
	uint8_t ext[EXTS]; /* ids that this line may use; 0: not */
	bool nack;
	bool twcc;
	/* Of the sender, by rid; 0: not announced. */
	uint32_t ssrc[PEER_MAX_RIDS];
	uint32_t rtx_ssrc[PEER_MAX_RIDS];
};

struct media {
	unsigned n;
	struct line line[PEER_MAX_LINES];
	uint8_t ext[EXTS]; /* over all lines; 0: in none */
	bool rsize;        /* reduced-size RTCP is welcome */
};

struct remote {
	char ufrag[ICE_CRED_MAX + 1];
	char pwd[ICE_CRED_MAX + 1];
	uint8_t sha256[DTLS_FINGERPRINTS][SHA256_BYTES];
	unsigned n_sha256;
	struct {
		struct ice_addr addr;
		uint32_t priority;
	} cand[ICE_MAX_REMOTES];
	unsigned n_cands;
};

/* What our own descriptions say of us. */
struct self {
	bool server;
	const char *ufrag;
	const char *pwd;
	const uint8_t *sha256; /* SHA256_BYTES */
	const struct ice_addr *cands; /* in order of preference */
	unsigned n_cands;
	const char *cname;
	uint64_t session_id;
	uint64_t session_version;
};

/* ---- reading (peer_sdp.c) ---- */
/* An offer of the other side, who sends: lines that we can take become
 * active. 0 or -errno with why, as peer_accept_offer. */
int sdp_read_offer(struct media *m, struct remote *r, const struct sdp *s,
	bool server, char why[WHY_CAP]);
/* The answer to an offer of ours; m holds what was offered. */
int sdp_read_answer(struct media *m, struct remote *r, const struct sdp *s,
	bool server, char why[WHY_CAP]);

/* ---- writing (peer_sdp_write.c) ---- */
int sdp_write_answer(const struct media *m, const struct sdp *offer,
	const struct self *self, struct buf *out);
int sdp_write_offer(const struct media *m, const struct self *self,
	struct buf *out);

/* A text address to ours; -EINVAL for a name. */
int sdp_address(struct ice_addr *out, const char *host, uint16_t port);

#endif
