/* attack-storm - receivers who ask for everything, all the time, of one who
 * talks: peer-attack-storm RECEIVERS SECONDS SEED prints figures, a name and
 * a value on each line. Each asks for a key frame 50 times a second, in turn
 * by PLI and FIR, and ten times a second for the last 1,000 packets. */
#include "attack_world.h"

#define ASK_MS      20u
#define NACK_EVERY  5u /* asks */
#define NACK_SEQS   1000u
#define BURST_MS    3000u /* by then what stands ready is spent */

struct storm {
	struct person **all;
	unsigned n;
	unsigned turn;
	uint64_t asked, nacked;
};

static void flush(struct person *e, struct buf *b)
{
	size_t n = b->len;

	if (buf_reserve(b, SRTP_TRAILER_MAX) == 0 &&
	    srtp_link_protect_rtcp(e->peer->srtp, b->data, &n, b->cap) == 0)
		(void)io_udp_send(e->port->sock[0].fd, &e->w->addr, NULL,
			b->data, n, 0);
	buf_clear(b);
}

static void ask_one(struct storm *s, struct person *e, struct buf *b)
{
	static uint8_t fir;

	for (unsigned i = 0; i < e->peer->n_in; i++) {
		const struct in_stream *in = &e->peer->in[i];
		uint16_t seqs[200];

		if (in->line < 0 || in->rtx || !in->current ||
		    !e->peer->media.line[in->line].pub.video)
			continue;
		if (s->turn % 2)
			rtcp_write_pli(b, 1, in->ssrc);
		else
			rtcp_write_fir(b, 1, in->ssrc, fir++);
		s->asked++;
		flush(e, b);
		for (unsigned k = 0; s->turn % NACK_EVERY == 0 &&
			k < NACK_SEQS; k += ARRAY_LEN(seqs)) {
			for (unsigned j = 0; j < ARRAY_LEN(seqs); j++)
				seqs[j] = (uint16_t)(in->stat.max_seq -
					NACK_SEQS + k + j + 1);
			rtcp_write_nack(b, 1, in->ssrc, seqs,
				ARRAY_LEN(seqs));
			s->nacked += ARRAY_LEN(seqs);
			flush(e, b);
		}
	}
}

static void rage(struct world *w, struct storm *s, uint64_t ms)
{
	uint64_t end = io_now_ns() + ms * NS_PER_MS, begun;
	struct buf b = { 0 };

	while (io_now_ns() < end) {
		begun = io_now_ns();
		for (unsigned i = 0; i < s->n; i++)
			ask_one(s, s->all[i], &b);
		s->turn++;
		begun = (io_now_ns() - begun) / NS_PER_MS;
		world_run(w, begun < ASK_MS ? ASK_MS - begun : 1);
	}
	buf_free(&b);
}

static double video_heard(const struct storm *s, const struct person *pub)
{
	double n = 0;

	for (unsigned i = 0; i < s->n; i++)
		n += s->all[i]->heard[pub->number * 2 + VIDEO].got;
	return n;
}

int main(int argc, char **argv)
{
	uint64_t n = number_arg(argc, argv, 1);
	uint64_t seconds = number_arg(argc, argv, 2), begun;
	struct person *pub, *sub, *all[MAX_PEOPLE];
	struct storm s = { .all = all };
	struct world w;
	struct mark m;
	double rtx, video, keys;

	if (argc != 4 || !n || n > MAX_PEOPLE - 2)
		give_up("usage", "peer-attack-storm RECEIVERS SECONDS SEED");
	world_open(&w, number_arg(argc, argv, 3));
	world_call(&w, &pub, &sub);
	while (s.n < n)
		all[s.n++] = world_join(&w, false);
	rage(&w, &s, BURST_MS);
	m = mark_of(sub, pub, AUDIO);
	rtx = world_stat(&w, "rtx_out");
	keys = pub->keyframes;
	video = video_heard(&s, pub);
	s.asked = s.nacked = 0;
	begun = io_now_ns();
	rage(&w, &s, seconds * 1000);
	seconds = (io_now_ns() - begun) / NS_PER_MS;
	figure("ms", (double)seconds);
	figure("asked", (double)s.asked);
	figure("nacked", (double)s.nacked);
	figure("nacks_in", world_stat(&w, "nacks_in"));
	figure("keyframes_per_second", (pub->keyframes - keys) * 1000 /
		(double)seconds);
	figure("rtx", world_stat(&w, "rtx_out") - rtx);
	figure("rtx_percent", 100 * (world_stat(&w, "rtx_out") - rtx) /
		(video_heard(&s, pub) - video));
	figure("lost_audio", lost_since(sub, pub, AUDIO, m));
	figure("closed", pub->closed + sub->closed);
	world_close(&w);
	return 0;
}
