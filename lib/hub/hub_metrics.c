/* The metrics as text, in the exposition format of Prometheus, version
 * 0.0.4. One table; conf-metrics(7) has the same rows in the same order. */
#include <sys/resource.h>
#include "hub_priv.h"

struct put {
	struct hub *hub;
	struct buf *b;
	uint64_t since_ns;
	const char *name, *key; /* of the row */
};

/* ---- One sample. A label's value never holds what would need escaping:
 * they are ids and words of ours. ---- */

static void sample(const struct put *p, const char *label, const char *value,
	uint64_t n)
{
	buf_puts(p->b, p->name);
	if (label)
		buf_printf(p->b, "{%s=\"%s\"}", label, value);
	buf_printf(p->b, " %" PRIu64 "\n", n);
}

static void number(const struct put *p, double v)
{
	buf_printf(p->b, "%s %.6f\n", p->name, v);
}

/* ---- The server ---- */

static void build_info(const struct put *p)
{
	sample(p, "version", CONF_VERSION, 1);
}

static void start_time(const struct put *p)
{
	number(p, (double)p->hub->wall0_ms / 1000);
}

static void cpu_seconds(const struct put *p)
{
	struct rusage r;

	if (getrusage(RUSAGE_SELF, &r))
		return;
	number(p, (double)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) +
		(double)(r.ru_utime.tv_usec + r.ru_stime.tv_usec) / 1e6);
}

static bool is_open(const struct room *r)
{
	return r->meet && meet_open(r->meet);
}

static void meetings(const struct put *p)
{
	const struct room *r;
	size_t pos = 0;
	uint64_t n = 0;

	while ((r = map_next(p->hub->rooms, &pos, NULL, NULL)))
		n += is_open(r);
	sample(p, NULL, NULL, n);
}

static void users(const struct put *p)
{
	const struct room *r;
	uint64_t here = 0, away = 0;
	size_t pos = 0;

	while ((r = map_next(p->hub->rooms, &pos, NULL, NULL))) {
		const struct meet_seat *s = NULL;

		while (is_open(r) && (s = meet_seat_next(r->meet, s))) {
			const struct member *m = member_find(r, s->user);

			/* A program on the bus has no page. */
			if (m && (m->peer || *m->transport[BUS]))
				here++;
			else
				away++;
		}
	}
	sample(p, "state", "here", here);
	sample(p, "state", "away", away);
}

static void sessions(const struct put *p)
{
	int64_t n = store_session_total(p->hub->store);

	if (n >= 0)
		sample(p, NULL, NULL, (uint64_t)n);
}

static const char *const kinds[] = {[PEER_OP] = "operator",
	[PEER_WEB] = "user", [PEER_WORKER] = "worker"};

static void connections(const struct put *p)
{
	uint64_t n[ARRAY_LEN(kinds)] = {0};

	list_each(l, next, &p->hub->peers)
		n[list_entry(l, struct peer, link)->kind]++;
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		sample(p, "kind", kinds[i], n[i]);
}

static void connections_total(const struct put *p)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		sample(p, "kind", kinds[i], p->hub->stats.connections[i]);
}

static void malformed(const struct put *p)
{
	sample(p, NULL, NULL, p->hub->malformed);
}

static void limited(const struct put *p)
{
	struct guard_stats s = guard_stats(p->hub->guard);

	sample(p, "why", "rate", s.refused);
	sample(p, "why", "penalty", s.penalised);
}

static void faults(const struct put *p)
{
	struct guard_stats s = guard_stats(p->hub->guard);

	for (unsigned i = 0; i < GUARD_FAULTS; i++)
		sample(p, "fault", guard_fault_name((enum guard_fault)i),
			s.faults[i]);
}

static void requests(const struct put *p)
{
	const char *method, *outcome;

	for (size_t i = 0; i < HUB_METHODS &&
		(method = hub_count_method(i)); i++)
		for (size_t k = 0; k < HUB_OUTCOMES &&
			(outcome = hub_count_outcome(k)); k++)
			if (p->hub->stats.requests[i][k])
				buf_printf(p->b, "%s{method=\"%s\",outcome="
					"\"%s\"} %" PRIu64 "\n", p->name,
					method, outcome,
					p->hub->stats.requests[i][k]);
}

/* ---- The log ---- */

static void commits(const struct put *p)
{
	sample(p, "outcome", "ok", p->hub->stats.commits);
	sample(p, "outcome", "failed", p->hub->stats.commits_failed);
}

static void events(const struct put *p)
{
	sample(p, NULL, NULL, p->hub->stats.events);
}

static void commit_seconds(const struct put *p)
{
	const struct hub_stats *s = &p->hub->stats;
	uint64_t n = 0;

	for (size_t i = 0; i < HUB_BUCKETS; i++) {
		n += s->commit_in[i];
		if (i < HUB_BUCKETS - 1)
			buf_printf(p->b, "%s_bucket{le=\"%g\"} %" PRIu64 "\n",
				p->name, hub_bucket_s[i], n);
	}
	buf_printf(p->b, "%s_bucket{le=\"+Inf\"} %" PRIu64 "\n", p->name, n);
	buf_printf(p->b, "%s_sum %.6f\n", p->name, (double)s->commit_ns /
		(double)NS_PER_S);
	buf_printf(p->b, "%s_count %" PRIu64 "\n", p->name, n);
}

static void refusing(const struct put *p)
{
	sample(p, NULL, NULL, p->hub->unwell || p->hub->refusing);
}

static void followers(const struct put *p)
{
	uint64_t live = 0, behind = 0;

	list_each(l, next, &p->hub->peers)
		list_each(k, after, &list_entry(l, struct peer, link)->follows)
			if (list_entry(k, struct follow, peer_link)->live)
				live++;
			else
				behind++;
	sample(p, "state", "live", live);
	sample(p, "state", "behind", behind);
}

static void lag_events(const struct put *p)
{
	uint64_t most = 0;

	list_each(l, next, &p->hub->peers)
		list_each(k, after,
			&list_entry(l, struct peer, link)->follows) {
			const struct follow *f = list_entry(k, struct follow,
				peer_link);
			uint64_t at = f->room && f->room->meet ?
				meet_seq(f->room->meet) : 0;

			if (!f->live && at > f->cursor)
				most = MAX(most, at - f->cursor);
		}
	sample(p, NULL, NULL, most);
}

static void lag_bytes(const struct put *p)
{
	size_t most = 0;

	list_each(l, next, &p->hub->peers)
		most = MAX(most, peer_queued(list_entry(l, struct peer,
			link)));
	sample(p, NULL, NULL, most);
}

/* ---- Relays: members of what relay.stats answers ---- */

static bool is_fresh(const struct put *p, const struct relay *w)
{
	return w->stats && w->stats_ns >= p->since_ns;
}

static void relay_up(const struct put *p)
{
	list_each(l, next, &p->hub->relays) {
		const struct relay *w = list_entry(l, struct relay, link);

		sample(p, "relay", w->instance, is_fresh(p, w));
	}
}

static void relay_value(const struct put *p)
{
	list_each(l, next, &p->hub->relays) {
		const struct relay *w = list_entry(l, struct relay, link);
		const json_t *v = json_object_get(w->stats, p->key);

		if (is_fresh(p, w) && json_is_real(v))
			buf_printf(p->b, "%s{relay=\"%s\"} %.6f\n", p->name,
				w->instance, json_real_value(v));
		else if (is_fresh(p, w) && json_is_integer(v))
			sample(p, "relay", w->instance,
				(uint64_t)json_integer_value(v));
	}
}

/* A relay's word as a label's value, with "_" for other signs. */
static bool word_of(char out[32], const char *s)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz_ -";

	if (!*s || strspn(s, letters) != strlen(s) || str_copy(out, 32, s))
		return false;
	for (; *out; out++)
		if (*out == ' ' || *out == '-')
			*out = '_';
	return true;
}

static void relay_dropped(const struct put *p)
{
	list_each(l, next, &p->hub->relays) {
		const struct relay *w = list_entry(l, struct relay, link);
		const char *why;
		char word[32];
		json_t *v;

		json_object_foreach(json_object_get(w->stats, p->key), why, v)
			if (is_fresh(p, w) && word_of(word, why) &&
				json_is_integer(v))
				buf_printf(p->b, "%s{relay=\"%s\",why=\"%s\"} "
					"%" JSON_INTEGER_FORMAT "\n", p->name,
					w->instance, word,
					json_integer_value(v));
	}
}

/* ---- The table ---- */

#define G "gauge"
#define C "counter"
static const struct {
	const char *name, *type, *help;
	void (*put)(const struct put *p);
	const char *key;
} rows[] = {
	{"confkit_build_info", G, "1, with the version as a label.",
		build_info, NULL},
	{"confkit_start_time_seconds", G, "When confd-signal was started, in "
		"Unix time.", start_time, NULL},
	{"confkit_cpu_seconds_total", C, "Processor time of confd-signal.",
		cpu_seconds, NULL},
	{"confkit_meetings", G, "Meetings that are open.", meetings, NULL},
	{"confkit_users", G, "Seats in open meetings, by whether their user "
		"is connected (here) or not (away).", users, NULL},
	{"confkit_sessions", G, "Sessions that could be resumed.", sessions,
		NULL},
	{"confkit_connections", G, "Connections that are open, by kind: "
		"operator (signal.sock), user (WebSocket), worker "
		"(worker.sock).", connections, NULL},
	{"confkit_connections_total", C, "Connections ever, by kind.",
		connections_total, NULL},
	{"confkit_malformed_total", C, "Connections that were closed for what "
		"they sent.", malformed, NULL},
	{"confkit_limited_total", C, "Requests and connections refused for "
		"what their source had asked (rate) or done (penalty) before.",
		limited, NULL},
	{"confkit_faults_total", C, "Failures of strangers that count against "
		"their source, by kind.", faults, NULL},
	{"confkit_requests_total", C, "Requests that were answered, by method "
		"and outcome: ok, or the kind of the error.", requests, NULL},
	{"confkit_log_commits_total", C, "Commits of the log, by outcome: ok "
		"or failed.", commits, NULL},
	{"confkit_log_events_total", C, "Events committed to the log.",
		events, NULL},
	{"confkit_log_commit_seconds", "histogram", "How long successful "
		"commits took.", commit_seconds, NULL},
	{"confkit_log_refusing", G, "1 while new things are refused because "
		"the log cannot be written, else 0.", refusing, NULL},
	{"confkit_followers", G, "Followers of events, by whether they have "
		"all that is committed (live) or read the log (behind).",
		followers, NULL},
	{"confkit_event_lag_events", G, "The most events of one meeting that "
		"a follower is behind.", lag_events, NULL},
	{"confkit_event_lag_bytes", G, "The most bytes that wait for one "
		"connection to take them.", lag_bytes, NULL},
	{"confkit_relay_up", G, "1 if this relay, which is connected, has "
		"answered within 2 s, else 0 and its other numbers are left "
		"out.", relay_up, NULL},
	{"confkit_relay_start_time_seconds", G, "When the relay was started, "
		"in Unix time: it changes with every restart.", relay_value,
		"started"},
	{"confkit_relay_cpu_seconds_total", C, "Processor time of the relay.",
		relay_value, "cpu"},
	{"confkit_relay_rooms", G, "Rooms on the relay.", relay_value,
		"rooms"},
	{"confkit_relay_endpoints", G, "Endpoints, which are participants.",
		relay_value, "endpoints"},
	{"confkit_relay_transports", G, "Transports, which are peer "
		"connections.", relay_value, "transports"},
	{"confkit_relay_tracks", G, "Tracks that are being published.",
		relay_value, "tracks"},
	{"confkit_relay_packets_in_total", C, "Datagrams received.",
		relay_value, "packets_in"},
	{"confkit_relay_packets_out_total", C, "Datagrams sent.", relay_value,
		"packets_out"},
	{"confkit_relay_bytes_in_total", C, "Bytes of datagrams received, "
		"without IP and UDP headers.", relay_value, "bytes_in"},
	{"confkit_relay_bytes_out_total", C, "Bytes of datagrams sent, "
		"likewise.", relay_value, "bytes_out"},
	{"confkit_relay_rtp_in_total", C, "Media packets received, each once.",
		relay_value, "rtp_in"},
	{"confkit_relay_rtp_out_total", C, "Media packets sent, each once.",
		relay_value, "rtp_out"},
	{"confkit_relay_repaired_total", C, "Media packets that arrived by "
		"retransmission.", relay_value, "repaired"},
	{"confkit_relay_retransmitted_total", C, "Media packets that were sent "
		"again.", relay_value, "rtx_out"},
	{"confkit_relay_nacks_in_total", C, "Packets that receivers asked for "
		"again.", relay_value, "nacks_in"},
	{"confkit_relay_nacks_out_total", C, "Packets that the relay asked "
		"for again.", relay_value, "nacks_out"},
	{"confkit_relay_keyframe_requests_in_total", C, "Key frames that "
		"receivers asked for (PLI, FIR).", relay_value, "plis_in"},
	{"confkit_relay_keyframe_requests_out_total", C, "Key frames that the "
		"relay asked for.", relay_value, "plis_out"},
	{"confkit_relay_dtls_failures_total", C, "DTLS handshakes and "
		"connections that failed.", relay_value, "dtls_failed"},
	{"confkit_relay_dropped_total", C, "Datagrams and media packets that "
		"were dropped, by reason: forged and replayed failed SRTP.",
		relay_dropped, "dropped"},
	{"confkit_relay_bus_programs", G, "Programs on the media bus.",
		relay_value, "bus_peers"},
	{"confkit_relay_bus_in_total", C, "Packets from programs on the bus.",
		relay_value, "bus_in"},
	{"confkit_relay_bus_out_total", C, "Packets to programs on the bus.",
		relay_value, "bus_out"},
	{"confkit_relay_bus_dropped_total", C, "Packets that programs on the "
		"bus did not take in time.", relay_value, "bus_dropped"},
	{"confkit_relay_malformed_total", C, "Control connections that were "
		"cut for what they sent.", relay_value, "malformed_peers"},
};

void hub_metrics_put(struct hub *h, struct buf *b, uint64_t since_ns)
{
	struct put p = {.hub = h, .b = b, .since_ns = since_ns};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		p.name = rows[i].name;
		p.key = rows[i].key;
		buf_printf(b, "# HELP %s %s\n# TYPE %s %s\n", rows[i].name,
			rows[i].help, rows[i].name, rows[i].type);
		rows[i].put(&p);
	}
}
