/* peer_priv - what the files of peer share. */
#ifndef PEER_PRIV_H
#define PEER_PRIV_H

#include "base.h"
#include "crypt.h"
#include "flow.h"
#include "ice.h"
#include "io.h"
#include "peer.h"
#include "peer_gather_priv.h"
#include "peer_sdp_priv.h"
#include "wire.h"

#define UFRAG_LEN        8u
#define PWD_LEN          24u
#define TUPLE_CAP        34u
#define PACKET_CAP       2048u
#define REPORT_NS        NS_PER_S
#define RTT_UNKNOWN_NS   (100 * NS_PER_MS)
#define RTCP_MAX_BYTES   1150u /* begin another datagram above it */
#define RTCP_MAX_PARTS   64u   /* packets of a compound that are read */
#define NACK_MAX_SEQS    256u  /* of one RTCP datagram */
#define MAX_CANDIDATES   16u

struct peer_port {
	struct io_loop *loop;
	struct {
		int fd;
		struct io_watch *watch;
		union io_addr bound;
	} sock[2];
	unsigned n_socks;
	union io_addr announce[MAX_CANDIDATES]; /* with ports */
	unsigned n_announce;
	struct io_udp_batch *batch;
	struct cert *cert;
	struct dtls_ctx *dtls;
	uint8_t cert_sha256[SHA256_BYTES];
	char fingerprint[CERT_FINGERPRINT_CAP];
	struct map *by_ufrag;
	struct map *by_tuple;
	struct list peers; /* every peer that is not closed */
	uint64_t wall_base_ns; /* plus the monotonic clock: ns since 1970 */
	struct gather *gather; /* packets of this pass of the loop */
	struct peer_stats stats;
	bool (*keep)(void *arg, bool out, const uint8_t *p, size_t n);
	void *keep_arg;
};

/* A stream that comes in. line -1: authentic, but of no line (yet). */
struct in_stream {
	uint32_t ssrc;
	int line;
	unsigned rid;
	bool rtx;
	bool current; /* of several SSRCs of one line and rid, the newest */
	struct recvstat stat;
	struct nacker *nacker; /* of video, not of RTX */
};

struct out_stream {
	unsigned rid;
	uint32_t ssrc;
	uint32_t rtx_ssrc;
	uint16_t rtx_seq;
	bool known; /* the receiver has reported it: no mid, no rid needed */
	bool fir_seen;
	uint8_t fir_seq;
	struct sendstat stat;
	struct history *history; /* from the first packet on, of video */
};

enum nego { NEGO_NONE, NEGO_OFFERED, NEGO_DONE };

struct peer {
	struct peer_port *port;
	struct list link;
	enum peer_role role;
	char name[64];
	const struct peer_events *events;
	void *arg;
	enum peer_state state;
	unsigned busy; /* in callbacks: peer_free is put off */
	bool dead;
	uint64_t born_ns;

	struct ice *ice;
	char ufrag[UFRAG_LEN + 1];
	char pwd[PWD_LEN + 1];
	struct {
		struct path path;
		size_t len; /* 0: none */
		uint8_t data[ICE_MAX_BYTES];
	} early; /* the last check that came before the SDP that explains it */
	struct path paths[PEER_MAX_PATHS]; /* in the port's by_tuple */
	struct run run;
	unsigned n_paths;
	unsigned next_path; /* to be given up */
	struct dtls *dtls;
	bool dtls_started;
	struct path dtls_path; /* where its last datagram came from */
	uint8_t expect[DTLS_FINGERPRINTS][SHA256_BYTES];
	unsigned n_expect;
	struct srtp_link *srtp;

	enum nego nego;
	bool offers; /* made the first offer */
	uint64_t session_id;
	uint64_t session_version;
	struct media media;
	struct media pending; /* offered, not answered */

	struct in_stream in[PEER_MAX_SSRCS];
	unsigned n_in;
	struct out_stream *out[PEER_MAX_LINES][PEER_MAX_RIDS];
	struct twccgen *twccgen;
	uint16_t twcc_seq;
	uint32_t rtcp_ssrc;
	char cname[17];
	uint64_t report_ns;
	struct buf rtcp;

	struct io_timer *timer;
	uint64_t armed_ns;
	struct peer_stats stats;
	uint32_t complained; /* drop reasons already logged, as bits */
};

/* ---- peer_port.c ---- */
void port_to_ice(struct ice_addr *out, const union io_addr *a);
void port_to_io(union io_addr *out, const struct ice_addr *a);
size_t port_tuple(uint8_t out[TUPLE_CAP], const struct ice_addr *local,
	const struct ice_addr *remote);
/* The socket for path, with its addresses; -EAFNOSUPPORT. */
int port_socket(const struct peer_port *port, const struct path *path,
	union io_addr *from, union io_addr *to);
/* Sends from path->local to path->remote, at once. */
int port_send(struct peer_port *port, struct peer *p,
	const struct path *path, const uint8_t *data, size_t n);
/* p may be NULL. */
void port_drop(struct peer_port *port, struct peer *p, enum peer_drop why);

#define COUNT(p, field, n)                                                 \
	do {                                                               \
		(p)->stats.field += (n);                                   \
		(p)->port->stats.field += (n);                             \
	} while (0)

/* ---- peer.c ---- */
/* Whatever may free the peer stands between these two; leave returns false
 * when it is gone. */
void peer_enter(struct peer *p);
bool peer_leave(struct peer *p);
/* 0, or why it was refused: then nothing was called back. */
int peer_stun(struct peer *p, const struct path *path, const uint8_t *data,
	size_t n, uint64_t now_ns);
void peer_dtls(struct peer *p, const struct path *path, const uint8_t *data,
	size_t n, uint64_t now_ns);
/* Sends what is due and sets the timer; after every event. */
void peer_run(struct peer *p, uint64_t now_ns);
/* The timer must not be later than at_ns. */
void peer_arm(struct peer *p, uint64_t at_ns);
void peer_close(struct peer *p, const char *reason);
int peer_path(struct peer *p, struct path *out);
/* Feeds what negotiation found out into ICE and DTLS. */
int peer_set_remote(struct peer *p, const struct remote *r);

/* ---- peer_in.c ---- */
void in_rtp(struct peer *p, uint8_t *data, size_t n, uint64_t now_ns);
struct in_stream *in_find(struct peer *p, uint32_t ssrc);
/* The stream of a line that is not RTX, or NULL. */
struct in_stream *in_primary(struct peer *p, unsigned line, unsigned rid);
void in_free(struct peer *p);

/* ---- peer_out.c ---- */
struct out_stream *out_find(struct peer *p, uint32_t ssrc, unsigned *line,
	unsigned *rid);
/* Makes what is missing for the lines of m. */
int out_sync(struct peer *p, const struct media *m);
void out_free(struct peer *p);
void out_resend(struct peer *p, unsigned line, unsigned rid,
	const uint16_t *seqs, size_t n, uint64_t now_ns);

/* ---- peer_rtcp.c ---- */
void rtcp_in(struct peer *p, uint8_t *data, size_t n, uint64_t now_ns);
/* Reports, feedback and NACKs that are due; returns when the next is. */
uint64_t rtcp_run(struct peer *p, uint64_t now_ns);

#endif
