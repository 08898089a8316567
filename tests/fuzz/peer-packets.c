/* What a participant who has connected may send: RTP and RTCP as they are
 * after SRTP, into a transport that publishes and into one that subscribes,
 * between packets that we send. Authentic is not honest.
 *
 * Holds: a packet is handed on for a line that receives, with a rid that it
 * has, within the datagram; streams stay within PEER_MAX_SSRCS; one datagram
 * causes no more than NACK_MAX_SEQS packets and a key frame per line. */
#include <assert.h>
#include "peer_priv.h"
#include "srtp_priv.h"

static struct peer_port *port;
static const uint8_t *datagram, *datagram_end;
static unsigned asked;

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void *plain_open(enum srtp_suite suite, const struct srtp_key *key,
	bool tx)
{
	static int one;

	(void)suite;
	(void)key;
	(void)tx;
	return &one;
}

static void plain_close(void *ctx)
{
	(void)ctx;
}

static int plain_run(void *ctx, enum srtp_op op, uint8_t *p, size_t *n)
{
	(void)ctx;
	(void)op;
	(void)p;
	(void)n;
	return 0;
}

static void plain_forget(void *ctx, uint32_t ssrc)
{
	(void)ctx;
	(void)ssrc;
}

static const struct srtp_engine plain = { "plain", plain_open, plain_close,
	plain_run, plain_forget };

static void on_rtp(void *arg, struct peer *p, const struct peer_rtp *pkt)
{
	const struct peer_line *l = peer_line(p, pkt->line);

	(void)arg;
	assert(l && l->active && !l->ours);
	assert(pkt->rid < MAX(l->n_rids, 1));
	assert(pkt->level >= -1 && pkt->level <= 127);
	assert(pkt->payload >= datagram &&
		pkt->payload + pkt->len <= datagram_end);
}

static void on_keyframe(void *arg, struct peer *p, unsigned line,
	unsigned rid)
{
	(void)arg;
	assert(peer_line(p, line)->ours);
	assert(rid == 0);
	asked++;
}

static const struct peer_events events = { .on_rtp = on_rtp,
	.on_keyframe_request = on_keyframe };

static bool send_nothing(void *arg, bool out, const uint8_t *p, size_t n)
{
	(void)arg;
	(void)p;
	(void)n;
	return !out;
}

static void make_port(void)
{
	union io_addr a;
	int fd;

	io_addr_parse(&a, "127.0.0.1:0");
	fd = io_udp_bind(&a);
	port = peer_port_new(io_loop_new(), &(struct peer_port_config){
		.fds = &fd, .n_fds = 1 });
	assert(port);
	peer_port_filter(port, send_nothing, NULL);
}

static void connect_one(struct peer *p)
{
	struct srtp_keys keys = { .suite = SRTP_SUITE_GCM_128 };

	p->srtp = srtp_link_new(&plain, &keys);
	p->dtls_path = (struct path){ { 4, { 127, 0, 0, 1 }, 1 },
		{ 4, { 127, 0, 0, 1 }, 2 } };
	p->state = PEER_CONNECTED;
	p->report_ns = p->born_ns;
	assert(p->srtp);
}

/* Two peers that have offered and answered: one of them sends. */
static void make_pair(struct peer **sender, struct peer **receiver)
{
	static const struct peer_line_want lines[] = {
		{ PEER_MIC, false }, { PEER_CAM, true },
		{ PEER_SCREEN, false },
	};
	struct peer_config c = { .role = PEER_CLIENT, .events = &events };
	struct buf offer = { 0 }, answer = { 0 };
	char why[160];

	*sender = peer_new(port, &c);
	c.role = PEER_SERVER;
	*receiver = peer_new(port, &c);
	assert(*sender && *receiver);
	assert(!peer_make_offer(*sender, lines, 3, &offer));
	assert(!peer_accept_offer(*receiver, (char *)offer.data, offer.len,
		&answer, why));
	assert(!peer_accept_answer(*sender, (char *)answer.data, answer.len,
		why));
	buf_free(&offer);
	buf_free(&answer);
	connect_one(*sender);
	connect_one(*receiver);
	for (unsigned i = 0; i < 3; i++) /* as the seeds have it */
		(*sender)->out[i][0]->ssrc = 1000 + i;
	(*receiver)->media.line[2].ssrc[0] = 7;
	(*receiver)->media.line[2].rtx_ssrc[0] = 8;
}

static void send_some(struct peer *p, uint8_t line, uint8_t seq)
{
	static const uint8_t payload[64] = { 0x10, 0 };
	struct peer_rtp pkt = { .line = line % 4, .seq = seq, .level = -1,
		.payload = payload, .len = sizeof(payload) };

	peer_send_rtp(p, &pkt);
}

static void take(struct peer *sender, struct peer *receiver, uint8_t op,
	const uint8_t *data, size_t n, uint64_t now_ns)
{
	uint8_t copy[2048];
	uint64_t before = sender->stats.rtx_out;

	if (n)
		memcpy(copy, data, n);
	datagram = copy;
	datagram_end = copy + n;
	asked = 0;
	switch (op % 5) {
	case 0:
		in_rtp(receiver, copy, n, now_ns);
		break;
	case 1:
		rtcp_in(receiver, copy, n, now_ns);
		break;
	case 2:
		rtcp_in(sender, copy, n, now_ns);
		assert(sender->stats.rtx_out - before <= NACK_MAX_SEQS);
		assert(asked <= 3);
		break;
	case 3:
		for (size_t i = 0; i + 1 < n; i += 2)
			send_some(sender, copy[i], copy[i + 1]);
		break;
	default:
		rtcp_run(sender, now_ns);
		rtcp_run(receiver, now_ns);
		break;
	}
	assert(receiver->n_in <= PEER_MAX_SSRCS);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct peer *sender, *receiver;
	struct rd r = rd_of(p, n);
	uint64_t now_ns;

	if (!port)
		make_port();
	make_pair(&sender, &receiver);
	now_ns = sender->born_ns;
	while (rd_left(&r) >= 4) {
		uint8_t op = rd_u8(&r);
		uint8_t later = rd_u8(&r);
		size_t len = rd_u16(&r) % 2048;

		len = MIN(len, rd_left(&r));
		now_ns += later * 4 * NS_PER_MS;
		take(sender, receiver, op, rd_bytes(&r, len), len, now_ns);
	}
	peer_free(sender);
	peer_free(receiver);
	return 0;
}
