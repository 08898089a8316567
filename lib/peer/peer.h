/* peer - WebRTC transports on shared UDP ports: sockets and timers around
 * ice, crypt (DTLS, SRTP) and flow, and the SDP that sets them up (JSEP,
 * RFC 8829, as far as sendonly/recvonly media over one BUNDLE goes).
 *
 * A struct peer_port is one UDP port (one socket per address family); a
 * struct peer is one transport on it. Roles: PEER_SERVER is ICE-lite and the
 * DTLS server, PEER_CLIENT is ICE-full, controlling and the DTLS client.
 * Whoever sends media offers: a client publishes by an offer, a server lets
 * subscribe by an offer.
 *   server, publish:   peer_accept_offer -> answer
 *   server, subscribe: peer_make_offer -> offer, peer_accept_answer
 *   client, publish:   peer_make_offer -> offer, peer_accept_answer
 *   client, subscribe: peer_accept_offer -> answer
 * Media flow once on_state has said PEER_CONNECTED.
 *
 * The peer does what belongs to one hop: protection, extensions, which
 * stream a packet is of, NACK and RTX, reports, transport-cc. It does not
 * route, rewrite sequence numbers or throttle key-frame requests: sfu does.
 *
 * Units: ns of io_now_ns(); RTP timestamps in the clock of the codec (48 kHz
 * Opus, 90 kHz VP8); lengths in bytes. Lines are numbered from 0 as in the
 * SDP; rids from 0 as on the line's a=simulcast (0 for a line without).
 * Ownership: said at each function; packets given to callbacks are lent
 * until the callback returns; strings of a struct peer_line live as long as
 * the peer. A port must outlive its peers.
 * Errors: 0 or -errno. Callbacks come from the loop only, never from inside
 * a call of ours; in them every call is legal, peer_free of the same or
 * another peer too, but not peer_port_free.
 * Memory: bounded per transport by PEER_* below. A connected one takes some
 * 130 KiB, of which OpenSSL has 70; each stream received 12 KiB more; each
 * video line that sends keeps the last 1.5 s for repair, at most
 * PEER_HISTORY_BYTES; a port that sends keeps room for 512 packets (800 KiB).
 * Nothing is allocated between a datagram and its on_rtp, or in
 * peer_send_rtp, but each stream's state once, at its first packet.
 * Never: answers or logs a stranger's datagram (it is counted), accepts DTLS
 * from an address that ICE has not validated, or media before the
 * certificate's fingerprint was compared.
 */
#ifndef PEER_H
#define PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "peer_port.h"

struct buf;

#define PEER_MAX_LINES        32u
#define PEER_MAX_RIDS         3u
#define PEER_MAX_SSRCS        32u   /* received, RTX streams included */
#define PEER_MAX_PATHS        16u   /* 5-tuples of one peer in the demux */
#define PEER_MAX_PAYLOAD      1400u /* of an RTP packet that is sent */
#define PEER_MAX_SDP          65536u
#define PEER_HISTORY_PACKETS  512u  /* of a video line that sends */
#define PEER_HISTORY_BYTES    (512u * 1024)
#define PEER_MID_CAP          33u
#define PEER_CONNECT_NS       (UINT64_C(30) * 1000000000)

enum peer_role { PEER_SERVER, PEER_CLIENT };
enum peer_state { PEER_NEW, PEER_CONNECTED, PEER_CLOSED };
enum peer_source { PEER_MIC, PEER_CAM, PEER_SCREEN, PEER_SCREEN_AUDIO };
const char *peer_source_name(enum peer_source s); /* "mic" "cam" … */

/* ---- peers ---- */

struct peer;

/* One packet, either way. */
struct peer_rtp {
	unsigned line;
	unsigned rid;
	uint16_t seq;
	uint32_t rtp_ts;
	bool marker;
	bool voice;            /* RFC 6464 V bit; false if level is -1 */
	int level;             /* 0 (loudest) to 127 -dBov; -1: not known */
	const uint8_t *payload; /* after header and padding; VP8: with its
	                         * descriptor; may be empty */
	size_t len;
	uint64_t arrival_ns;   /* when received; ignored when sent */
};

struct peer_events {
	/* Once for each change, PEER_CLOSED last. reason for PEER_CLOSED, a
	 * word: "left" (the other side closed DTLS), "timeout" (never
	 * connected), "consent" (ICE went silent), "fingerprint", "dtls",
	 * "memory"; else "". */
	void (*on_state)(void *arg, struct peer *p, enum peer_state s,
		const char *reason);
	/* A packet in the order of arrival, once each (RTX undone), never
	 * one without authentication. */
	void (*on_rtp)(void *arg, struct peer *p, const struct peer_rtp *pkt);
	/* The receiver of a line of ours wants a key frame (PLI or FIR; not
	 * throttled). */
	void (*on_keyframe_request)(void *arg, struct peer *p,
		unsigned line, unsigned rid);
	/* More of a video stream that we receive was lost than can be
	 * repaired: a key frame is needed (peer_request_keyframe, by whoever
	 * throttles). NULL is legal. */
	void (*on_lost)(void *arg, struct peer *p, unsigned line,
		unsigned rid);
	/* A sender report about what comes on (line, rid): ntp as in it.
	 * NULL is legal. */
	void (*on_report)(void *arg, struct peer *p, unsigned line,
		unsigned rid, uint64_t ntp, uint32_t rtp_ts,
		uint64_t arrival_ns);
};

struct peer_config {
	enum peer_role role;
	const char *name; /* for log lines; copied, cut at 63 characters */
	const struct peer_events *events; /* lent for the peer's life */
	void *arg;
};

/* NULL with errno. */
struct peer *peer_new(struct peer_port *port, const struct peer_config *c);
/* Tells the other side (close_notify) and forgets it; no callback comes any
 * more. */
void peer_free(struct peer *p);
enum peer_state peer_state(const struct peer *p);
const struct peer_stats *peer_stats(const struct peer *p);

/* ---- negotiation ---- */

struct peer_line {
	char mid[PEER_MID_CAP];
	enum peer_source source;
	bool video;
	bool ours;   /* we send on it; else we receive */
	bool active; /* accepted by both sides */
	unsigned n_rids;
	char rids[PEER_MAX_RIDS][PEER_MID_CAP];
};
struct peer_line_want {
	enum peer_source source;
	bool simulcast; /* cam of a client: rids q, h, f, of which h active */
};

unsigned peer_lines(const struct peer *p);
const struct peer_line *peer_line(const struct peer *p, unsigned line);

/* SDP in; on refusal the reason for people in why (never empty then) and
 * the peer as it was: -EINVAL no SDP or against the rules, -ENOTSUP sound
 * SDP that we cannot serve (no BUNDLE, no rtcp-mux, no sha-256 fingerprint,
 * wrong setup, no ICE credentials), -EBUSY not the time for it, -ENOMEM.
 * A server gives the lines of an offer their sources in order: first audio
 * mic, first video cam, second video screen, second audio screen-audio;
 * what is beyond is refused line by line. */
int peer_accept_offer(struct peer *p, const char *sdp, size_t n,
	struct buf *answer, char why[160]);
int peer_accept_answer(struct peer *p, const char *sdp, size_t n,
	char why[160]);
/* Offers sendonly lines. Again with a longer list of the same beginning: a
 * renegotiation that leaves the existing lines as they are (-EINVAL for
 * another beginning; -EBUSY while an offer of ours waits for its answer). */
int peer_make_offer(struct peer *p, const struct peer_line_want *lines,
	unsigned n, struct buf *offer);
/* a=ssrc of a sending line (per rid) as announced; 0 if there is none. */
uint32_t peer_line_ssrc(const struct peer *p, unsigned line, unsigned rid);

/* ---- media ---- */

/* Adds SSRC, payload type and header extensions, keeps a copy for repair,
 * protects, and sends when this pass of the loop is over, with what else the
 * peer has then. seq and rtp_ts are the caller's, per (line, rid); seq should
 * grow by one. 0; -ENOTCONN before PEER_CONNECTED or on a line that is not
 * active; -EINVAL line, rid or length; -ENOMEM. What the socket refuses is
 * counted, and the receiver asks again. */
int peer_send_rtp(struct peer *p, const struct peer_rtp *pkt);
/* What a line of ours sends with rtp_ts was captured at at_ns: its sender
 * reports say so from now on; 0: they say when it was sent. -EINVAL, or
 * -ENOENT while the line does not send. */
int peer_set_clock(struct peer *p, unsigned line, unsigned rid,
	uint32_t rtp_ts, uint64_t at_ns);
/* How a stream fares, by the reports of who receives it: of a line of ours
 * the other side's, else our own. */
struct peer_quality {
	uint64_t rtt_ns;    /* smoothed; 0: not known, or not a line of ours */
	uint64_t jitter_ns; /* RFC 3550 section 6.4.1 */
	int64_t lost;       /* packets, before any repair */
};
/* -EINVAL, or -ENOENT while no packet of it was sent or came. */
int peer_quality(struct peer *p, unsigned line, unsigned rid,
	struct peer_quality *out);
/* Sends a PLI for what comes on (line, rid). -ENOTCONN, -EINVAL, or -ENOENT
 * while no packet of it has come yet. */
int peer_request_keyframe(struct peer *p, unsigned line, unsigned rid);

#endif
