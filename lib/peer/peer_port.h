/* peer_port - the UDP port that many transports share: which datagram is
 * whose (RFC 7983; STUN by ufrag, all else by 5-tuple), what was dropped.
 *
 * Rules of ownership, errors and callbacks are those of peer.h.
 */
#ifndef PEER_PORT_H
#define PEER_PORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct io_loop;
union io_addr;

/* Why datagrams or packets were dropped. */
enum peer_drop {
	PEER_DROP_MALFORMED,     /* no STUN, DTLS, RTP or RTCP; lies in it */
	PEER_DROP_UNKNOWN,       /* STUN for, or data from, nobody we know */
	PEER_DROP_UNAUTHENTIC,   /* STUN with a wrong password */
	PEER_DROP_UNVALIDATED,   /* DTLS from a path ICE has not validated */
	PEER_DROP_EARLY,         /* STUN before the SDP, media before DTLS */
	PEER_DROP_FORGED,        /* SRTP authentication failed */
	PEER_DROP_REPLAYED,      /* SRTP replay */
	PEER_DROP_UNIDENTIFIED,  /* SSRC that belongs to no line */
	PEER_DROP_TOO_MANY,      /* SSRCs, paths */
	PEER_DROP_SEND,          /* the socket refused, or its buffer is full */
	PEER_DROP_LATE,          /* media that waited for us: PEER_LATE_NS */
	PEER_DROPS
};
const char *peer_drop_name(enum peer_drop d); /* "malformed" … */

/* A server that stood still, or cannot keep up, does not pour out what has
 * piled up meanwhile: nobody wants to hear it any more. */
#define PEER_LATE_NS (UINT64_C(200) * 1000000)

struct peer_stats {
	uint64_t packets_in, bytes_in;   /* datagrams taken */
	uint64_t packets_out, bytes_out; /* datagrams sent */
	uint64_t rtp_in, rtp_out;        /* media packets, each once */
	uint64_t repaired;               /* those of rtp_in that RTX brought */
	uint64_t rtx_out;                /* packets that we sent again */
	uint64_t nacks_in, nacks_out;    /* sequence numbers asked for */
	uint64_t plis_in, plis_out;      /* PLI and FIR */
	uint64_t reports_in;             /* SR and RR blocks about us */
	uint64_t dtls_failed;            /* handshakes and connections */
	uint64_t dropped[PEER_DROPS];
};

struct peer_port;
struct peer_port_config {
	/* Bound UDP sockets, at most one per family and two in all; owned by
	 * the port from now on, also when peer_port_new fails. */
	const int *fds;
	unsigned n_fds;
	/* Addresses to announce as candidates (their port is ignored: the
	 * socket's is used); those of a family without socket are skipped.
	 * n_announce 0: the address the socket is bound to, or, bound to
	 * all, every local address. */
	const union io_addr *announce;
	unsigned n_announce;
};
/* Makes a certificate (ECDSA P-256) of its own. NULL with errno. */
struct peer_port *peer_port_new(struct io_loop *l,
	const struct peer_port_config *c);
void peer_port_free(struct peer_port *port); /* its peers are freed before */
/* Totals over all peers of the port, dead ones too. */
const struct peer_stats *peer_port_stats(const struct peer_port *port);
/* SHA-256 of the port's certificate as in SDP: "AB:CD:…"; lent. */
const char *peer_port_fingerprint(const struct peer_port *port);
uint16_t peer_port_number(const struct peer_port *port);
/* For tests: asked for each datagram that comes in (out false) or goes out;
 * false loses it. NULL takes it away. */
void peer_port_filter(struct peer_port *port,
	bool (*keep)(void *arg, bool out, const uint8_t *p, size_t n),
	void *arg);

#endif
