/* peer_call - two peers and their ports in one loop, for the tests of peer.
 * Everything fails the test by itself; waits end after 20 s. */
#ifndef PEER_CALL_H
#define PEER_CALL_H

#include "base.h"
#include "io.h"
#include "peer.h"

struct end {
	struct peer_port *port;
	struct peer *peer;
	enum peer_role role;
	bool free_at_packet;
	unsigned states; /* PEER_CONNECTED was said */
	unsigned closed;
	char reason[32];
	unsigned packets;
	unsigned count[PEER_MAX_LINES];
	unsigned by_rid[PEER_MAX_RIDS];
	struct peer_rtp last[PEER_MAX_LINES];
	uint8_t seen[PEER_MAX_LINES][65536 / 8]; /* by seq, rid 0 and 1 */
	unsigned twice;
	unsigned damaged; /* payload is not what was sent */
	unsigned keyframes;
	unsigned keyframe_line;
	unsigned keyframe_rid;
	unsigned losses;
	unsigned reports;
	struct {
		uint64_t ntp;
		uint32_t rtp_ts;
	} report[PEER_MAX_LINES];
};

struct call {
	struct io_loop *loop;
	struct end client;
	struct end server;
	struct io_timer *tick;
	const unsigned *until;
	const uint64_t *until64;
	uint64_t value;
	uint64_t end_ns;
	bool timed_out;
};

static inline void call_on_state(void *arg, struct peer *p,
	enum peer_state s, const char *reason)
{
	struct end *e = arg;

	assert_ptr_equal(p, e->peer);
	e->states += s == PEER_CONNECTED;
	e->closed += s == PEER_CLOSED;
	snprintf(e->reason, sizeof(e->reason), "%s", reason);
}

/* Each byte is made of line, sequence number and place. */
static inline uint8_t call_byte(unsigned line, uint16_t seq, size_t i)
{
	return (uint8_t)(line * 31 + seq * 7 + i);
}

static inline void call_on_rtp(void *arg, struct peer *p,
	const struct peer_rtp *pkt)
{
	struct end *e = arg;
	uint8_t *bit = &e->seen[pkt->line][pkt->seq / 8];

	assert_ptr_equal(p, e->peer);
	e->packets++;
	e->count[pkt->line]++;
	e->by_rid[pkt->rid]++;
	e->last[pkt->line] = *pkt;
	if (pkt->rid < 2) {
		e->twice += *bit >> pkt->seq % 8 & 1 && pkt->rid == 1;
		*bit |= (uint8_t)(1u << pkt->seq % 8);
	}
	for (size_t i = 8; i < pkt->len; i++)
		if (pkt->payload[i] != call_byte(pkt->line, pkt->seq, i)) {
			e->damaged++;
			break;
		}
	if (e->free_at_packet) {
		peer_free(e->peer);
		e->peer = NULL;
	}
}

static inline void call_on_keyframe(void *arg, struct peer *p, unsigned line,
	unsigned rid)
{
	struct end *e = arg;

	(void)p;
	e->keyframes++;
	e->keyframe_line = line;
	e->keyframe_rid = rid;
}

static inline void call_on_lost(void *arg, struct peer *p, unsigned line,
	unsigned rid)
{
	struct end *e = arg;

	(void)p;
	(void)line;
	(void)rid;
	e->losses++;
}

static inline void call_on_report(void *arg, struct peer *p, unsigned line,
	unsigned rid, uint64_t ntp, uint32_t rtp_ts, uint64_t arrival_ns)
{
	struct end *e = arg;

	(void)p;
	assert_int_equal(rid, 0);
	assert_true(arrival_ns <= io_now_ns());
	e->reports += e->report[line].ntp == 0;
	e->report[line].ntp = ntp;
	e->report[line].rtp_ts = rtp_ts;
}

static const struct peer_events call_events = {
	.on_state = call_on_state,
	.on_rtp = call_on_rtp,
	.on_keyframe_request = call_on_keyframe,
	.on_lost = call_on_lost,
	.on_report = call_on_report,
};

static inline void call_tick(void *arg)
{
	struct call *c = arg;

	c->timed_out = io_now_ns() >= c->end_ns;
	if (c->timed_out || (c->until && *c->until >= c->value) ||
	    (c->until64 && *c->until64 >= c->value))
		io_loop_stop(c->loop, 0);
	else
		io_timer_in(c->tick, 1);
}

static inline void call_run(struct call *c, uint64_t for_ms)
{
	c->end_ns = io_now_ns() + for_ms * NS_PER_MS;
	io_timer_in(c->tick, 0);
	io_loop_run(c->loop);
}

static inline void call_wait_for(struct call *c, const unsigned *what,
	unsigned value)
{
	c->until = what;
	c->value = value;
	call_run(c, 20000);
	c->until = NULL;
	if (c->timed_out)
		fail_msg("timed out at %u of %u", *what, value);
}

static inline void call_wait_u64(struct call *c, const uint64_t *what,
	uint64_t value)
{
	c->until64 = what;
	c->value = value;
	call_run(c, 20000);
	c->until64 = NULL;
	assert_false(c->timed_out);
}

static inline void call_wait_ms(struct call *c, uint64_t ms)
{
	call_run(c, ms);
}

static inline void call_wait_packets(struct call *c, struct end *e,
	unsigned n)
{
	call_wait_for(c, &e->packets, n);
}

static inline struct peer_port *call_port(struct io_loop *l, const char *addr)
{
	union io_addr a;
	int fd;
	struct peer_port *port;

	assert_int_equal(io_addr_parse(&a, addr), 0);
	fd = io_udp_bind(&a);
	assert_true(fd >= 0);
	port = peer_port_new(l, &(struct peer_port_config){ .fds = &fd,
		.n_fds = 1 });
	assert_non_null(port);
	return port;
}

static inline void call_peer(struct end *e, enum peer_role role)
{
	struct peer_config c = { .role = role, .events = &call_events,
		.arg = e, .name = role == PEER_SERVER ? "server" : "client" };

	e->role = role;
	e->peer = peer_new(e->port, &c);
	assert_non_null(e->peer);
}

static inline void call_open(struct call *c, const char *server,
	const char *client)
{
	memset(c, 0, sizeof(*c));
	c->loop = io_loop_new();
	assert_non_null(c->loop);
	c->tick = io_timer_new(c->loop, call_tick, c);
	c->server.port = call_port(c->loop, server);
	c->client.port = call_port(c->loop, client);
	call_peer(&c->server, PEER_SERVER);
	call_peer(&c->client, PEER_CLIENT);
}

static inline void call_close(struct call *c)
{
	peer_free(c->client.peer);
	peer_free(c->server.peer);
	peer_port_free(c->client.port);
	peer_port_free(c->server.port);
	io_timer_free(c->tick);
	io_loop_free(c->loop);
}

/* from offers, to answers. */
static inline void call_negotiate(struct end *from, struct end *to,
	const struct peer_line_want *lines, unsigned n)
{
	struct buf offer = { 0 }, answer = { 0 };
	char why[160] = "";

	assert_int_equal(peer_make_offer(from->peer, lines, n, &offer), 0);
	if (peer_accept_offer(to->peer, (char *)offer.data, offer.len,
		    &answer, why) ||
	    peer_accept_answer(from->peer, (char *)answer.data, answer.len,
		    why))
		fail_msg("%s\n%s\n%s", why, buf_cstr(&offer),
			buf_cstr(&answer));
	buf_free(&offer);
	buf_free(&answer);
}

static inline void call_publish(struct call *c,
	const struct peer_line_want *lines, unsigned n)
{
	call_negotiate(&c->client, &c->server, lines, n);
}

static inline void call_subscribe(struct call *c,
	const struct peer_line_want *lines, unsigned n)
{
	call_negotiate(&c->server, &c->client, lines, n);
}

static inline void call_renegotiate(struct call *c,
	const struct peer_line_want *lines, unsigned n)
{
	call_negotiate(&c->server, &c->client, lines, n);
}

static inline void call_connect(struct call *c)
{
	call_wait_for(c, &c->client.states, 1);
	call_wait_for(c, &c->server.states, 1);
}

/* Packet number n of a stream: sequence numbers begin at 65530. */
static inline void call_send(struct end *e, struct peer_rtp *pkt, unsigned n,
	size_t len)
{
	uint8_t payload[PEER_MAX_PAYLOAD] = { 0x10, 0x01 }; /* VP8, no key */

	pkt->seq = (uint16_t)(65530 + n);
	for (size_t i = 8; i < len; i++)
		payload[i] = call_byte(pkt->line, pkt->seq, i);
	pkt->payload = payload;
	pkt->len = len;
	assert_int_equal(peer_send_rtp(e->peer, pkt), 0);
}

static inline void call_send_audio(struct end *e, unsigned line, unsigned n,
	int level)
{
	struct peer_rtp pkt = { .line = line, .rtp_ts = n * 960,
		.level = level, .voice = true };

	call_send(e, &pkt, n, 80);
}

static inline void call_send_rid(struct end *e, unsigned line, unsigned rid,
	unsigned n, size_t len)
{
	struct peer_rtp pkt = { .line = line, .rid = rid, .rtp_ts = n * 3000,
		.marker = true, .level = -1 };

	call_send(e, &pkt, n, len);
}

static inline void call_send_video(struct end *e, unsigned line, unsigned n,
	size_t len)
{
	call_send_rid(e, line, 0, n, len);
}

#endif
