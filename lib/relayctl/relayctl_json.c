/* relayctl_json - grants, sources, slots, lists and counters as JSON. */
#include <sys/resource.h>
#include "relayctl_priv.h"

int relayctl_source(const char *name, enum sfu_source *out)
{
	for (unsigned k = 0; k < SFU_SOURCES; k++)
		if (str_eq(name, sfu_source_name((enum sfu_source)k))) {
			*out = (enum sfu_source)k;
			return 0;
		}
	return -EINVAL;
}

static int read_sources(const json_t *list, uint8_t *out)
{
	enum sfu_source k;

	*out = 0;
	for (size_t i = 0; i < json_array_size(list); i++) {
		if (relayctl_source(json_string_value(json_array_get(list, i)),
			&k))
			return -EINVAL;
		*out |= (uint8_t)SFU_BIT(k);
	}
	return 0;
}

int relayctl_read_grant(const json_t *grant, struct sfu_grant *out)
{
	const char *bad = NULL;
	const json_t *publish = json_arr(grant, "publish", &bad);
	const json_t *muted = json_arr(grant, "muted", &bad);

	*out = (struct sfu_grant){
		.receive = json_flag(grant, "receive", false, &bad),
	};
	if (bad || read_sources(publish, &out->publish) ||
	    read_sources(muted, &out->muted))
		return -EINVAL;
	return 0;
}

static json_t *sources_of(uint8_t bits)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < SFU_SOURCES; i++)
		if (bits & SFU_BIT(i))
			json_array_append_new(list, json_string(
				sfu_source_name((enum sfu_source)i)));
	return list;
}

json_t *relayctl_sources(const struct transport *t)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < peer_lines(t->peer); i++) {
		const struct peer_line *line = peer_line(t->peer, i);

		if (line->active && !line->ours)
			json_array_append_new(list, json_pack("{s:s, s:s}",
				"mid", line->mid, "source",
				peer_source_name(line->source)));
	}
	return list;
}

json_t *relayctl_slots(const struct transport *t)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < t->offered; i++) {
		enum sfu_source s = sfu_slot_source(i);

		json_array_append_new(list, json_pack(
			"{s:s, s:s, s:s, s:i}", "mid",
			peer_line(t->peer, i)->mid, "kind",
			sfu_source_is_video(s) ? "video" : "audio",
			"source", sfu_source_name(s), "slot", (int)i));
	}
	return list;
}

/* ---- the list ---- */

struct listing {
	json_t *rooms;
	json_t *endpoints; /* of the room that came last; lent */
	json_t *endpoint;  /* the one that came last; lent */
};

static void list_room(void *arg, const char *room, uint64_t epoch,
	uint64_t version)
{
	struct listing *l = arg;
	json_t *list = json_array();

	l->endpoint = NULL;
	l->endpoints = list;
	if (json_array_append_new(l->rooms, json_pack("{s:s, s:I, s:I, s:o}",
		"room", room, "epoch", (json_int_t)epoch, "version",
		(json_int_t)version, "endpoints", list)))
		l->endpoints = NULL;
}

static void list_endpoint(void *arg, const char *endpoint,
	const struct sfu_grant *g)
{
	struct listing *l = arg;

	l->endpoint = json_pack("{s:s, s:{s:o, s:o, s:b}, s:[], s:[]}",
		"endpoint", endpoint, "grant", "publish",
		sources_of(g->publish), "muted", sources_of(g->muted),
		"receive", g->receive, "tracks", "transports");
	if (json_array_append_new(l->endpoints, l->endpoint))
		l->endpoint = NULL;
}

static void list_transport(void *arg, const char *id, enum sfu_direction d,
	bool ready, void *user)
{
	static const char *const words[SFU_DIRECTIONS] = {"publish",
		"subscribe", "bus"};
	struct listing *l = arg;
	const struct transport *t = user;

	json_array_append_new(json_object_get(l->endpoint, "transports"),
		json_pack("{s:s, s:s, s:s}", "transport", id, "direction",
			words[d], "state", ready ? "connected" : "new"));
	if (d != SFU_SUBSCRIBE)
		json_object_set_new(l->endpoint, "tracks",
			sources_of(t->tracks));
}

json_t *relayctl_rooms(const struct relayctl *r)
{
	static const struct sfu_lister lister = {
		.room = list_room,
		.endpoint = list_endpoint,
		.transport = list_transport,
	};
	struct listing l = {.rooms = json_array()};

	sfu_list(r->sfu, &lister, &l);
	return l.rooms;
}

/* ---- counters ---- */

static void count(json_t *o, const char *key, uint64_t n)
{
	json_object_set_new(o, key, json_integer((json_int_t)n));
}

static void count_bus(json_t *o, const struct relayctl *r)
{
	const struct bus_stats *b = bus_server_stats(r->bus);

	count(o, "bus_peers", bus_server_peers(r->bus));
	count(o, "bus_in", b->packets_in);
	count(o, "bus_out", b->packets_out);
	count(o, "bus_dropped", b->dropped_packets);
	count(o, "bus_dropped_frames", b->dropped_frames);
	count(o, "bus_refused", b->refused);
	count(o, "bus_malformed", b->malformed);
}

json_t *relayctl_stats(const struct relayctl *r)
{
	const struct peer_stats *p = peer_port_stats(r->cfg.port);
	const struct sfu_stats *s = sfu_stats(r->sfu);
	json_t *o = json_object(), *dropped = json_object();
	struct rusage used;
	const struct {
		const char *key;
		uint64_t n;
	} all[] = {
		{"packets_in", p->packets_in},
		{"packets_out", p->packets_out},
		{"bytes_in", p->bytes_in},
		{"bytes_out", p->bytes_out},
		{"rtp_in", p->rtp_in},
		{"rtp_out", p->rtp_out},
		{"repaired", p->repaired},
		{"rtx_out", p->rtx_out},
		{"nacks_in", p->nacks_in},
		{"nacks_out", p->nacks_out},
		{"plis_in", p->plis_in},
		{"plis_out", p->plis_out},
		{"dtls_failed", p->dtls_failed},
		{"rooms", s->rooms},
		{"endpoints", s->endpoints},
		{"transports", s->transports},
		{"tracks", s->tracks},
		{"malformed_peers", r->malformed},
	};

	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		count(o, all[i].key, all[i].n);
	for (int i = 0; i < PEER_DROPS; i++)
		count(dropped, peer_drop_name((enum peer_drop)i),
			p->dropped[i]);
	/* "malformed" is a word of both. */
	for (int i = 0; i < SFU_DROPS; i++) {
		const char *key = sfu_drop_name((enum sfu_drop)i);

		count(dropped, key, s->dropped[i] + (uint64_t)
			json_integer_value(json_object_get(dropped, key)));
	}
	json_object_set_new(o, "dropped", dropped);
	json_object_set_new(o, "started", json_real((double)r->started_ms /
		1000));
	if (getrusage(RUSAGE_SELF, &used) == 0)
		json_object_set_new(o, "cpu", json_real(
			(double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
			(double)(used.ru_utime.tv_usec +
				used.ru_stime.tv_usec) / 1e6));
	if (r->bus)
		count_bus(o, r);
	return o;
}
