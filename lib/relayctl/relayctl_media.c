/* relayctl_media - transports: a peer and its place in sfu, and the packets
 * and news that go between the two. */
#include "relayctl_priv.h"

/* ---- what control is told ---- */

void relayctl_tell_state(const struct transport *t, const char *state,
	const char *reason)
{
	relayctl_report(t->r, "transport.state", json_pack(
		"{s:s, s:s, s:s, s:s, s:s}", "room", t->room, "endpoint",
		t->endpoint, "transport", t->id, "state", state, "reason",
		reason));
}

static const char *mid_of(const struct transport *t, unsigned slot)
{
	const struct peer_line *line = peer_line(t->peer, slot);

	return line ? line->mid : "";
}

static void tell_assigned(const struct transport *t, unsigned slot)
{
	const char *from = t->slots[slot].from;

	bool held = sfu_slot_held(t->sfu, slot);

	relayctl_notify(t->r, "slot.assigned", json_pack(
		"{s:s, s:s, s:s, s:s, s:i, s:s?, s:s, s:o*}", "room", t->room,
		"endpoint", t->endpoint, "transport", t->id, "mid",
		mid_of(t, slot), "slot", (int)slot, "from",
		*from ? from : NULL, "source",
		sfu_source_name(sfu_slot_source(slot)), "confirm", held ?
		json_integer(t->slots[slot].turn) : NULL));
}

static void tell_live(const struct transport *t, unsigned slot)
{
	relayctl_notify(t->r, "slot.live", json_pack(
		"{s:s, s:s, s:s, s:s, s:i, s:s, s:s, s:I}", "room", t->room,
		"endpoint", t->endpoint, "transport", t->id, "mid",
		mid_of(t, slot), "slot", (int)slot, "from",
		t->slots[slot].from, "source",
		sfu_source_name(sfu_slot_source(slot)), "rtp_ts",
		(json_int_t)t->slots[slot].rtp_ts));
}

static void tell_offer(const struct transport *t)
{
	relayctl_notify(t->r, "transport.offer", json_pack(
		"{s:s, s:s, s:s, s:s%, s:o}", "room", t->room, "endpoint",
		t->endpoint, "transport", t->id, "sdp",
		(const char *)t->offer.data, t->offer.len, "slots",
		relayctl_slots(t)));
}

/* Offers the many cameras to a transport that has few. */
static void offer_more(struct transport *t)
{
	struct peer_line_want lines[SFU_SLOTS_MANY] = {0};
	int rc;

	for (unsigned i = 0; i < SFU_SLOTS_MANY; i++)
		lines[i].source = (enum peer_source)sfu_slot_source(i);
	rc = peer_make_offer(t->peer, lines, SFU_SLOTS_MANY, &t->offer);
	t->grow_later = rc == -EBUSY;
	if (!rc) {
		t->growing = true;
		t->offered = SFU_SLOTS_MANY;
		tell_offer(t);
	} else if (rc != -EBUSY) {
		io_log(IO_WARN, "cannot offer more slots to %s: %s", t->id,
			strerror(-rc));
	}
}

/* ---- sfu says ---- */

static void on_send(void *arg, void *user, unsigned slot,
	const struct sfu_packet *p)
{
	struct transport *t = user;
	const struct peer_rtp pkt = {
		.line = slot,
		.seq = p->seq,
		.rtp_ts = p->rtp_ts,
		.marker = p->marker,
		.voice = p->voice,
		.level = p->level,
		.payload = p->payload,
		.len = p->len,
	};

	(void)arg;
	/* What fails is counted there; the receiver asks again. */
	(void)peer_send_rtp(t->peer, &pkt);
}

static void on_keyframe(void *arg, void *user, enum sfu_source source,
	enum sfu_layer layer)
{
	struct transport *t = user;

	(void)arg;
	if (t->bus)
		relayctl_bus_keyframe(t, source);
	for (unsigned i = 0; t->peer && i < peer_lines(t->peer); i++) {
		const struct peer_line *line = peer_line(t->peer, i);

		if (line->ours || (enum sfu_source)line->source != source)
			continue;
		for (unsigned k = 0; k < MAX(line->n_rids, 1); k++)
			if (t->layer[i][k] == layer)
				(void)peer_request_keyframe(t->peer, i, k);
	}
}

static void on_track(void *arg, const char *room, const char *endpoint,
	enum sfu_source source, bool started)
{
	struct relayctl *r = arg;
	struct transport *t;
	size_t pos = 0;

	while ((t = map_next(r->transports, &pos, NULL, NULL))) {
		if (t->direction == SFU_SUBSCRIBE || !str_eq(t->room, room) ||
		    !str_eq(t->endpoint, endpoint))
			continue;
		if (started)
			t->tracks |= (uint8_t)SFU_BIT(source);
		else
			t->tracks &= (uint8_t)~SFU_BIT(source);
	}
	relayctl_report(r, started ? "track.started" : "track.stopped",
		json_pack("{s:s, s:s, s:s}", "room", room, "endpoint",
			endpoint, "source", sfu_source_name(source)));
}

static void on_assigned(void *arg, void *user, unsigned slot,
	const char *from, enum sfu_source source)
{
	struct transport *t = user;
	struct slot *s = &t->slots[slot];

	(void)arg, (void)source;
	*s = (struct slot){.told = true, .turn = s->turn + 1};
	if (from)
		str_copy(s->from, sizeof s->from, from);
	tell_assigned(t, slot);
}

static void on_live(void *arg, void *user, unsigned slot, const char *from,
	enum sfu_source source, uint32_t rtp_ts)
{
	struct transport *t = user;

	(void)arg, (void)from, (void)source;
	t->slots[slot].live = true;
	t->slots[slot].rtp_ts = rtp_ts;
	tell_live(t, slot);
}

static void on_clock(void *arg, void *user, unsigned slot, uint32_t rtp_ts,
	uint64_t at_ns)
{
	struct transport *t = user;

	(void)arg;
	(void)peer_set_clock(t->peer, slot, 0, rtp_ts, at_ns);
}

static void on_talk(void *arg, const char *room, const struct sfu_level *l,
	size_t n)
{
	json_t *levels = json_array();

	for (size_t i = 0; levels && i < n; i++)
		json_array_append_new(levels, json_pack("{s:s, s:i}",
			"endpoint", l[i].endpoint, "level", l[i].level));
	relayctl_mention(arg, "talk.level", json_pack("{s:s, s:o}", "room",
		room, "levels", levels));
}

static void on_grow(void *arg, void *user)
{
	(void)arg;
	offer_more(user);
}

/* Of a transport that sfu has let go already, or never had. */
void relayctl_transport_free(struct transport *t, const char *reason)
{
	map_dels(t->r->transports, t->id);
	if (t->bus)
		relayctl_bus_close(t, reason);
	peer_free(t->peer);
	buf_free(&t->offer);
	free(t);
}

static void on_closed(void *arg, void *user, const char *reason)
{
	struct transport *t = user;

	(void)arg;
	relayctl_tell_state(t, "closed", reason);
	relayctl_transport_free(t, reason);
}

const struct sfu_events relayctl_sfu_events = {
	.send = on_send,
	.keyframe = on_keyframe,
	.track = on_track,
	.assigned = on_assigned,
	.live = on_live,
	.clock = on_clock,
	.talk = on_talk,
	.grow = on_grow,
	.closed = on_closed,
	.bus = &relayctl_bus_events,
};

/* ---- a peer says ---- */

static void on_state(void *arg, struct peer *p, enum peer_state state,
	const char *reason)
{
	struct transport *t = arg;
	struct relayctl *r = t->r;

	(void)p;
	if (state == PEER_CONNECTED) {
		relayctl_tell_state(t, "connected", "");
		sfu_transport_ready(r->sfu, t->sfu, io_now_ns());
		relayctl_rearm(r);
	} else if (state == PEER_CLOSED) {
		relayctl_close(t, reason);
	}
}

static void on_rtp(void *arg, struct peer *p, const struct peer_rtp *pkt)
{
	struct transport *t = arg;
	const struct sfu_packet out = {
		.seq = pkt->seq,
		.rtp_ts = pkt->rtp_ts,
		.marker = pkt->marker,
		.voice = pkt->voice,
		.level = pkt->level,
		.payload = pkt->payload,
		.len = pkt->len,
		.arrival_ns = pkt->arrival_ns,
	};

	if (t->direction != SFU_PUBLISH)
		return;
	sfu_rtp(t->r->sfu, t->sfu,
		(enum sfu_source)peer_line(p, pkt->line)->source,
		(enum sfu_layer)t->layer[pkt->line][pkt->rid], &out,
		io_now_ns());
	relayctl_rearm(t->r);
}

static void on_keyframe_request(void *arg, struct peer *p, unsigned line,
	unsigned rid)
{
	struct transport *t = arg;

	(void)p, (void)rid;
	if (t->direction != SFU_SUBSCRIBE)
		return;
	sfu_keyframe_wanted(t->r->sfu, t->sfu, line, io_now_ns());
	relayctl_rearm(t->r);
}

static void on_lost(void *arg, struct peer *p, unsigned line, unsigned rid)
{
	struct transport *t = arg;

	if (t->direction != SFU_PUBLISH)
		return;
	sfu_keyframe_lost(t->r->sfu, t->sfu,
		(enum sfu_source)peer_line(p, line)->source,
		(enum sfu_layer)t->layer[line][rid], io_now_ns());
	relayctl_rearm(t->r);
}

static void on_report(void *arg, struct peer *p, unsigned line, unsigned rid,
	uint64_t ntp, uint32_t rtp_ts, uint64_t arrival_ns)
{
	struct transport *t = arg;

	if (t->direction == SFU_PUBLISH)
		sfu_report(t->r->sfu, t->sfu,
			(enum sfu_source)peer_line(p, line)->source,
			(enum sfu_layer)t->layer[line][rid], ntp, rtp_ts,
			arrival_ns);
}

static const struct peer_events peer_events = {
	.on_state = on_state,
	.on_rtp = on_rtp,
	.on_keyframe_request = on_keyframe_request,
	.on_lost = on_lost,
	.on_report = on_report,
};

/* ---- making and ending ---- */

struct transport *relayctl_transport_new(struct relayctl *r,
	const char *room, const char *endpoint, const char *id,
	enum sfu_direction d)
{
	struct transport *t = calloc(1, sizeof *t);
	int rc = -ENOMEM;

	if (t) {
		t->r = r;
		t->direction = d;
		for (unsigned i = 0; i < SFU_SOURCES; i++)
			t->published[i] = -1;
		rc = str_copy(t->id, sizeof t->id, id);
		rc = rc ? rc : str_copy(t->room, sizeof t->room, room);
		rc = rc ? rc : str_copy(t->endpoint, sizeof t->endpoint,
			endpoint);
		rc = rc ? rc : map_puts(r->transports, t->id, t);
	}
	if (!rc)
		return t;
	free(t);
	errno = -rc;
	return NULL;
}

static struct transport *make(struct relayctl *r, const char *room,
	const char *endpoint, const char *id, enum sfu_direction d)
{
	struct transport *t = relayctl_transport_new(r, room, endpoint, id, d);
	struct peer_config c = {
		.role = PEER_SERVER,
		.name = id,
		.events = &peer_events,
		.arg = t,
	};
	int err;

	if (!t)
		return NULL;
	t->peer = peer_new(r->cfg.port, &c);
	if (t->peer)
		return t;
	err = errno;
	relayctl_transport_free(t, "failed");
	errno = err;
	return NULL;
}

/* Gives it its place in sfu; on failure it is gone. */
static struct transport *place(struct transport *t, unsigned slots,
	char why[160])
{
	int rc = sfu_transport_new(t->r->sfu, t->room, t->endpoint,
		t->direction, t->id, slots, t, io_now_ns(), &t->sfu);

	relayctl_rearm(t->r);
	if (!rc)
		return t;
	snprintf(why, 160, "%s", rc == -ENOENT ? "no such endpoint" :
		strerror(-rc));
	relayctl_transport_free(t, "failed");
	errno = -rc;
	return NULL;
}

/* Names of rids mean layers; strange ones count from the lowest. */
static enum sfu_layer layer_of(const struct peer_line *line, unsigned rid)
{
	static const char *const names[SFU_LAYERS] = {"q", "h", "f"};

	if (!line->n_rids)
		return SFU_LAYER_H;
	for (unsigned i = 0; i < SFU_LAYERS; i++)
		if (str_eq(line->rids[rid], names[i]))
			return (enum sfu_layer)i;
	return (enum sfu_layer)MIN(rid, SFU_LAYERS - 1);
}

struct transport *relayctl_publish(struct relayctl *r, const char *room,
	const char *endpoint, const char *id, const char *sdp,
	struct buf *answer, char why[160])
{
	struct transport *t = make(r, room, endpoint, id, SFU_PUBLISH);
	int rc;

	if (!t) {
		snprintf(why, 160, "%s", strerror(errno));
		return NULL;
	}
	rc = peer_accept_offer(t->peer, sdp, strlen(sdp), answer, why);
	if (rc) {
		relayctl_transport_free(t, "failed");
		errno = -rc;
		return NULL;
	}
	for (unsigned i = 0; i < peer_lines(t->peer); i++)
		for (unsigned k = 0; k < PEER_MAX_RIDS; k++)
			t->layer[i][k] = (uint8_t)layer_of(
				peer_line(t->peer, i), k);
	return place(t, 0, why);
}

struct transport *relayctl_subscribe(struct relayctl *r, const char *room,
	const char *endpoint, const char *id, struct buf *offer,
	char why[160])
{
	struct transport *t = make(r, room, endpoint, id, SFU_SUBSCRIBE);
	struct peer_line_want lines[SFU_SLOTS_MANY] = {0};
	int rc;

	if (!t) {
		snprintf(why, 160, "%s", strerror(errno));
		return NULL;
	}
	t->offered = sfu_room_slots(r->sfu, room);
	for (unsigned i = 0; i < t->offered; i++)
		lines[i].source = (enum peer_source)sfu_slot_source(i);
	rc = peer_make_offer(t->peer, lines, t->offered, offer);
	if (rc) {
		snprintf(why, 160, "%s", strerror(-rc));
		relayctl_transport_free(t, "failed");
		errno = -rc;
		return NULL;
	}
	return place(t, t->offered, why);
}

int relayctl_answer(struct transport *t, const char *sdp, char why[160])
{
	int rc = peer_accept_answer(t->peer, sdp, strlen(sdp), why);

	if (rc)
		return rc;
	if (t->growing) {
		t->growing = false;
		buf_free(&t->offer);
		sfu_transport_grow(t->r->sfu, t->sfu, io_now_ns());
		relayctl_rearm(t->r);
	} else if (t->grow_later) {
		offer_more(t);
	}
	return 0;
}

void relayctl_close(struct transport *t, const char *reason)
{
	struct relayctl *r = t->r;
	char room[SFU_ID_CAP], endpoint[SFU_ID_CAP] = "";

	str_copy(room, sizeof room, t->room);
	if (t->own_endpoint)
		str_copy(endpoint, sizeof endpoint, t->endpoint);
	/* While it is in the map, for the tracks that end with it. */
	sfu_transport_close(r->sfu, t->sfu, io_now_ns());
	relayctl_rearm(r);
	relayctl_tell_state(t, "closed", reason);
	relayctl_transport_free(t, reason);
	if (*endpoint)
		sfu_endpoint_remove(r->sfu, room, endpoint, io_now_ns());
}

void relayctl_forget_all(struct relayctl *r)
{
	struct transport *t;
	size_t pos = 0;

	while ((t = map_next(r->transports, &pos, NULL, NULL)))
		relayctl_transport_free(t, "draining");
}

/* Slots change hands and offers are made while control is away, and nobody
 * else knows. States and tracks are in the hello, or reported behind it. */
void relayctl_retell(struct relayctl *r)
{
	struct transport *t;
	size_t pos = 0;

	while ((t = map_next(r->transports, &pos, NULL, NULL))) {
		if (t->growing)
			tell_offer(t);
		for (unsigned i = 0; i < SFU_SLOTS_MANY; i++) {
			if (t->slots[i].told)
				tell_assigned(t, i);
			if (t->slots[i].live)
				tell_live(t, i);
		}
	}
}
