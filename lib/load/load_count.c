/* load_count - sums over users. */
#include "load_priv.h"

void load_add_stats(struct peer_stats *sum, const struct peer_stats *s)
{
	sum->packets_in += s->packets_in;
	sum->bytes_in += s->bytes_in;
	sum->packets_out += s->packets_out;
	sum->bytes_out += s->bytes_out;
	sum->rtp_in += s->rtp_in;
	sum->rtp_out += s->rtp_out;
	sum->repaired += s->repaired;
	sum->rtx_out += s->rtx_out;
	sum->nacks_in += s->nacks_in;
	sum->nacks_out += s->nacks_out;
	sum->plis_in += s->plis_in;
	sum->plis_out += s->plis_out;
}

void load_totals(const struct load *l, struct totals *t)
{
	pid_t pid = l->cfg.pid ? l->cfg.pid : l->pid;

	*t = (struct totals){.peer = l->gone, .sent_bytes = l->sent_bytes,
		.received_bytes = l->received_bytes, .ns = io_now_ns()};
	for (unsigned i = 0; i < l->n_users; i++) {
		const struct load_user *u = &l->users[i];

		if (u->pub.peer)
			load_add_stats(&t->peer, peer_stats(u->pub.peer));
		if (u->sub.peer)
			load_add_stats(&t->peer, peer_stats(u->sub.peer));
	}
	t->has_proc = pid && load_proc_read(pid, &t->proc) == 0;
}

static void gather_quality(struct load *l, const struct side *s,
	unsigned line)
{
	struct peer_quality q;

	if (peer_quality(s->peer, line, 0, &q))
		return;
	if (s->publish && q.rtt_ns)
		load_hist_add(&l->rtt_us, q.rtt_ns / 1000);
	if (!s->publish)
		load_hist_add(&l->jitter_us, q.jitter_ns / 1000);
}

void load_gather(struct load *l, const struct side *s)
{
	for (unsigned i = 0; s->peer && i < peer_lines(s->peer); i++)
		gather_quality(l, s, i);
	for (unsigned i = 0; i < s->n_sinks; i++) {
		l->lost += load_sink_lost(&s->sinks[i]);
		l->expected += load_sink_expected(&s->sinks[i]);
	}
}
