/* sim_peer - stands in for peer, so that the relay's verbs and core run
 * without sockets and cryptography: an SDP is a word with a number, and a
 * packet goes from one function to another.
 *
 * A client's end is a number (a "pc"). A relay's peer learns it by the offer
 * "pub N" or the answer "sub N", and is connected when the test says so.
 */
#ifndef SIM_PEER_H
#define SIM_PEER_H

#include <stdio.h>

#include "base.h"
#include "io.h"
#include "peer.h"

struct peer_port {
	struct list peers; /* struct peer */
	struct peer_stats stats;
	/* A packet that the relay sends to the client's end pc. */
	void (*on_send)(void *arg, int pc, unsigned line,
		const struct peer_rtp *pkt);
	void *arg;
};

struct peer {
	struct list link;
	struct peer_port *port;
	struct peer_config cfg;
	enum peer_state state;
	uint64_t born_ns;
	unsigned n;
	struct peer_line line[PEER_MAX_LINES];
	bool offered; /* an answer is awaited */
	int pc;       /* -1: not known */
};

const char *peer_source_name(enum peer_source s)
{
	static const char *const names[] = {"mic", "cam", "screen",
		"screen-audio"};

	return names[s];
}

const char *peer_drop_name(enum peer_drop d)
{
	static const char *const names[PEER_DROPS] = {"a", "b", "c", "d", "e",
		"f", "g", "h", "i", "j", "k"};

	return names[d];
}

const struct peer_stats *peer_port_stats(const struct peer_port *port)
{
	return &port->stats;
}

struct peer *peer_new(struct peer_port *port, const struct peer_config *c)
{
	struct peer *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->port = port;
	p->cfg = *c;
	p->born_ns = io_now_ns();
	p->pc = -1;
	list_append(&port->peers, &p->link);
	return p;
}

void peer_free(struct peer *p)
{
	if (!p)
		return;
	list_remove(&p->link);
	free(p);
}

enum peer_state peer_state(const struct peer *p)
{
	return p->state;
}

unsigned peer_lines(const struct peer *p)
{
	return p->n;
}

const struct peer_line *peer_line(const struct peer *p, unsigned line)
{
	return line < p->n ? &p->line[line] : NULL;
}

static inline void sim_lines(struct peer *p,
	const struct peer_line_want *want, unsigned n, bool ours)
{
	p->n = n;
	for (unsigned i = 0; i < n; i++) {
		p->line[i] = (struct peer_line){.source = want[i].source,
			.video = want[i].source == PEER_CAM ||
				want[i].source == PEER_SCREEN,
			.ours = ours, .active = true};
		snprintf(p->line[i].mid, sizeof(p->line[i].mid), "%u", i);
	}
}

static inline int sim_sdp(struct peer *p, const char *sdp, const char *word,
	char why[160])
{
	if (sscanf(sdp, word, &p->pc) == 1)
		return 0;
	snprintf(why, 160, "no SDP: %.100s", sdp);
	return -EINVAL;
}

int peer_accept_offer(struct peer *p, const char *sdp, size_t n,
	struct buf *answer, char why[160])
{
	static const struct peer_line_want lines[] = {
		{.source = PEER_MIC}, {.source = PEER_CAM}};

	(void)n;
	if (sim_sdp(p, sdp, "pub %d", why))
		return -EINVAL;
	sim_lines(p, lines, ARRAY_LEN(lines), false);
	buf_puts(answer, "fine");
	return 0;
}

int peer_make_offer(struct peer *p, const struct peer_line_want *lines,
	unsigned n, struct buf *offer)
{
	if (p->offered)
		return -EBUSY;
	sim_lines(p, lines, n, true);
	p->offered = true;
	buf_puts(offer, "offer");
	return 0;
}

int peer_accept_answer(struct peer *p, const char *sdp, size_t n,
	char why[160])
{
	(void)n;
	if (!p->offered || sim_sdp(p, sdp, "sub %d", why)) {
		snprintf(why, 160, "not the time");
		return -EINVAL;
	}
	p->offered = false;
	return 0;
}

int peer_send_rtp(struct peer *p, const struct peer_rtp *pkt)
{
	if (p->state != PEER_CONNECTED)
		return -ENOTCONN;
	p->port->on_send(p->port->arg, p->pc, pkt->line, pkt);
	return 0;
}

int peer_set_clock(struct peer *p, unsigned line, unsigned rid,
	uint32_t rtp_ts, uint64_t at_ns)
{
	(void)p, (void)line, (void)rid, (void)rtp_ts, (void)at_ns;
	return 0;
}

int peer_request_keyframe(struct peer *p, unsigned line, unsigned rid)
{
	(void)p;
	(void)line;
	(void)rid;
	return 0;
}

/* The state that the client's end brings about; p may be gone then. */
static inline void sim_peer_state(struct peer *p, enum peer_state s,
	const char *reason)
{
	p->state = s;
	p->cfg.events->on_state(p->cfg.arg, p, s, reason);
}

#endif
