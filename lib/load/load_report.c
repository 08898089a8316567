/* load_report - what is told of a run. */
#include <math.h>

#include "load_priv.h"

const struct load_column load_columns[] = {
	{"publishers", 0, "asked for"},
	{"subscribers", 0, "asked for"},
	{"joined", 0, "users whose transports were all connected"},
	{"failed", 0, "users who did not join, or were lost"},
	{"seconds", 3, "measured"},
	{"join_ms", 0, "time to join, median"},
	{"join_p95_ms", 0, "95th percentile"},
	{"first_frame_ms", 0, "time from joining to the first frame, median"},
	{"first_frame_p95_ms", 0, "95th percentile"},
	{"no_frame", 0, "subscribers who never had one"},
	{"sent", 0, "media packets by publishers"},
	{"received", 0, "media packets by all"},
	{"sent_kbps", 1, "kilobits a second of payload"},
	{"received_kbps", 1, "the same"},
	{"lost", 0, "packets missing after repair"},
	{"loss_percent", 3, "of those that should have come"},
	{"nacks_sent", 0, "packets asked for again"},
	{"repaired", 0, "packets that came again"},
	{"nacks_received", 0, "packets we were asked for again"},
	{"rtx_sent", 0, "packets sent again"},
	{"plis_sent", 0, "key frames asked for"},
	{"plis_received", 0, "key frames we were asked for"},
	{"rtt_ms", 3, "publishers' round trip by RTCP, median"},
	{"jitter_ms", 3, "of received streams (RFC 3550), median"},
	{"delay_ms", 3, "sender to receiver, median"},
	{"delay_p95_ms", 3, "95th percentile"},
	{"gap_ms", 1, "longest time that a user got no packet"},
	{"skipped", 0, "frames not sent: this process was too slow"},
	{"transports", 0, "connected at the end"},
	{"resets", 0, "times that a user's media began anew"},
	{"returns", 0, "times that a user's lost signalling came back"},
	{"cpu_ms", 1, "CPU of the process watched"},
	{"cpu_us_per_packet", 3, "the same for each packet received"},
	{"rss_kib_before", 0, "its memory before the first joined"},
	{"rss_kib", 0, "its memory at the end"},
};
const size_t load_n_columns = ARRAY_LEN(load_columns);

enum { /* in that order */
	PUBLISHERS, SUBSCRIBERS, JOINED, FAILED, SECONDS, JOIN, JOIN_95,
	FIRST, FIRST_95, NO_FRAME, SENT, RECEIVED, SENT_KBPS, RECEIVED_KBPS,
	LOST, LOSS, NACKS_SENT, REPAIRED, NACKS_RECEIVED, RTX_SENT, PLIS_SENT,
	PLIS_RECEIVED, RTT, JITTER, DELAY, DELAY_95, GAP, SKIPPED, TRANSPORTS,
	RESETS, RETURNS, CPU, CPU_EACH, RSS_BEFORE, RSS,
};

static double number(uint64_t n)
{
	return (double)n;
}

/* Of the run, or NAN if it never began. */
static double during(const struct load *l, uint64_t from, uint64_t to)
{
	return l->to.ns ? number(to - from) : NAN;
}

static double seconds(const struct load *l)
{
	return during(l, l->from.ns, l->to.ns) / 1e9;
}

static double run_value(const struct load *l, size_t column)
{
	const struct peer_stats *a = &l->from.peer, *b = &l->to.peer;

	switch (column) {
	case SENT: return during(l, a->rtp_out, b->rtp_out);
	case RECEIVED: return during(l, a->rtp_in, b->rtp_in);
	case SENT_KBPS: return during(l, l->from.sent_bytes,
		l->to.sent_bytes) * 8 / 1000 / seconds(l);
	case RECEIVED_KBPS: return during(l, l->from.received_bytes,
		l->to.received_bytes) * 8 / 1000 / seconds(l);
	case NACKS_SENT: return during(l, a->nacks_out, b->nacks_out);
	case REPAIRED: return during(l, a->repaired, b->repaired);
	case NACKS_RECEIVED: return during(l, a->nacks_in, b->nacks_in);
	case RTX_SENT: return during(l, a->rtx_out, b->rtx_out);
	case PLIS_SENT: return during(l, a->plis_out, b->plis_out);
	case PLIS_RECEIVED: return during(l, a->plis_in, b->plis_in);
	default: return NAN;
	}
}

static double proc_value(const struct load *l, size_t column)
{
	double cpu_ms = l->from.has_proc && l->to.has_proc ?
		number(l->to.proc.cpu_us - l->from.proc.cpu_us) / 1000 : NAN;
	double packets = run_value(l, RECEIVED);

	switch (column) {
	case CPU: return cpu_ms;
	case CPU_EACH: return packets > 0 ? cpu_ms * 1000 / packets : NAN;
	case RSS_BEFORE: return l->before.has_proc ?
		number(l->before.proc.rss_kib) : NAN;
	case RSS: return l->to.has_proc ? number(l->to.proc.rss_kib) : NAN;
	default: return NAN;
	}
}

double load_value(const struct load *l, size_t column)
{
	switch (column) {
	case PUBLISHERS: return l->cfg.publishers;
	case SUBSCRIBERS: return l->cfg.subscribers;
	case JOINED: return l->came;
	case FAILED: return l->failed;
	case SECONDS: return seconds(l);
	case JOIN: return load_hist_at(&l->join_ms, 0.5);
	case JOIN_95: return load_hist_at(&l->join_ms, 0.95);
	case FIRST: return load_hist_at(&l->first_ms, 0.5);
	case FIRST_95: return load_hist_at(&l->first_ms, 0.95);
	case NO_FRAME: return l->blind;
	case LOST: return number(l->lost);
	case LOSS: return l->expected ? 100 * number(l->lost) /
		number(l->expected) : NAN;
	case RTT: return load_hist_at(&l->rtt_us, 0.5) / 1000;
	case JITTER: return load_hist_at(&l->jitter_us, 0.5) / 1000;
	case DELAY: return load_hist_at(&l->delay_us, 0.5) / 1000;
	case DELAY_95: return load_hist_at(&l->delay_us, 0.95) / 1000;
	case GAP: return during(l, 0, l->gap_ns) / 1e6;
	case SKIPPED: return number(l->skipped);
	case TRANSPORTS: return l->transports;
	case RESETS: return number(l->resets);
	case RETURNS: return number(l->returns);
	case CPU: case CPU_EACH: case RSS_BEFORE: case RSS:
		return proc_value(l, column);
	default: return run_value(l, column);
	}
}

/* ---- for machines ---- */

static void put_number(struct buf *out, double v, unsigned decimals,
	const char *unknown)
{
	if (isnan(v))
		buf_puts(out, unknown);
	else
		buf_printf(out, "%.*f", (int)decimals, v);
}

void load_put_columns(const struct load *l, struct buf *out)
{
	for (size_t i = 0; i < load_n_columns; i++) {
		if (i)
			buf_putc(out, '\t');
		put_number(out, load_value(l, i), load_columns[i].decimals,
			"");
	}
	buf_putc(out, '\n');
}

int load_put_json(const struct load *l, struct buf *out)
{
	for (size_t i = 0; i < load_n_columns; i++) {
		buf_printf(out, "%s\"%s\":", i ? "," : "{",
			load_columns[i].name);
		put_number(out, load_value(l, i), load_columns[i].decimals,
			"null");
	}
	buf_puts(out, "}\n");
	return out->err;
}

/* ---- for people ---- */

static const char always[] =
	"users        {joined} joined, {failed} failed\n"
	"to join      {join_ms} ms (95 %: {join_p95_ms})\n"
	"first frame  {first_frame_ms} ms (95 %: {first_frame_p95_ms})\n"
	"sent         {sent} packets, {sent_kbps} kbit/s\n"
	"received     {received} packets, {received_kbps} kbit/s\n"
	"lost         {lost} packets, {loss_percent} %, after repair\n"
	"repair       {nacks_sent} asked for, {repaired} came; "
	"{nacks_received} asked of us, {rtx_sent} sent again\n"
	"key frames   {plis_sent} asked for, {plis_received} asked of us\n"
	"round trip   {rtt_ms} ms, jitter {jitter_ms} ms\n"
	"delay        {delay_ms} ms (95 %: {delay_p95_ms}), longest gap "
	"{gap_ms} ms\n";
static const char of_process[] =
	"server       {cpu_us_per_packet} us of CPU for each packet received, "
	"{rss_kib} KiB ({rss_kib_before} before)\n";
static const char of_faults[] =
	"faults       {resets} times media began anew, {returns} times "
	"signalling came back\n";
static const char of_slowness[] =
	"too slow     {skipped} frames were not sent: this side is the "
	"limit\n";

static void put_named(const struct load *l, struct buf *out,
	const char *name, size_t n)
{
	for (size_t i = 0; i < load_n_columns; i++)
		if (strlen(load_columns[i].name) == n &&
			!memcmp(load_columns[i].name, name, n))
			put_number(out, load_value(l, i),
				load_columns[i].decimals, "-");
}

/* What stands in braces is a column's name. */
static void put_form(const struct load *l, struct buf *out, const char *form)
{
	while (*form) {
		size_t plain = strcspn(form, "{"), name;

		buf_put(out, form, plain);
		form += plain;
		if (!*form)
			return;
		name = strcspn(++form, "}");
		put_named(l, out, form, name);
		form += name + 1;
	}
}

void load_put_text(const struct load *l, struct buf *out)
{
	put_form(l, out, always);
	if (!isnan(load_value(l, RSS)))
		put_form(l, out, of_process);
	if (l->resets || l->returns)
		put_form(l, out, of_faults);
	if (l->skipped)
		put_form(l, out, of_slowness);
}
