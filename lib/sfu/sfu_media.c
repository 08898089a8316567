/* sfu - the way of a packet: ingress by grant, out by slot, and the timers
 * of tracks. */
#include "sfu_priv.h"

void sfu_track_init(struct track *k, struct endpoint *ep,
	enum sfu_source source)
{
	*k = (struct track){
		.ep = ep,
		.source = source,
		.target = SFU_LAYER_H,
	};
	list_init(&k->link);
	list_init(&k->slots);
	loudest_source_init(&k->loud);
	for (unsigned i = 0; i < SFU_LAYERS; i++)
		keyreq_init(&k->layers[i].keyreq);
}

static void quiet(struct track *k)
{
	list_each(l, next, &k->slots)
		sfu_slot_free(list_entry(l, struct slot, link));
	loudest_remove(&k->ep->room->loudest, &k->loud);
	loudest_source_init(&k->loud);
	for (unsigned i = 0; i < SFU_LAYERS; i++) {
		keyreq_done(&k->layers[i].keyreq);
		k->layers[i].lost = false;
	}
}

void sfu_track_hush(struct sfu *s, struct track *k)
{
	quiet(k);
	sfu_feed_purge(s, k);
}

void sfu_track_stop(struct sfu *s, struct track *k, bool taken)
{
	if (!k->started)
		return;
	quiet(k);
	if (taken)
		sfu_feed_purge(s, k);
	sfu_feed_end(s, k);
	list_remove(&k->link);
	k->started = false;
	k->target = SFU_LAYER_H;
	for (unsigned i = 0; i < SFU_LAYERS; i++)
		k->layers[i].seen = false;
	s->stats.tracks--;
	s->ev->track(s->arg, k->ep->room->id, k->ep->id, k->source, false);
}

static void track_start(struct sfu *s, struct track *k, unsigned layer,
	uint64_t now_ns)
{
	if (k->started)
		return;
	k->started = true;
	k->target = layer;
	list_append(&k->ep->room->started[k->source], &k->link);
	s->stats.tracks++;
	s->ev->track(s->arg, k->ep->room->id, k->ep->id, k->source, true);
	sfu_tap_track(s, k, now_ns);
	if (k->source != SFU_MIC)
		sfu_seat_room(s, k->ep->room, k->source, now_ns);
}

/* ---- key frames ---- */

void sfu_ask(struct sfu *s, struct track *k, unsigned layer, uint64_t now_ns)
{
	const struct sfu_transport *t = k->ep->transports[SFU_PUBLISH];

	if (!t)
		t = k->ep->transports[SFU_BUS];
	if (!t || s->hold || !keyreq_take(&k->layers[layer].keyreq, now_ns))
		return;
	s->stats.keyframes_asked++;
	s->ev->keyframe(s->arg, t->user, k->source, layer);
}

static void want_key(struct sfu *s, struct track *k, unsigned layer,
	uint64_t now_ns)
{
	keyreq_want(&k->layers[layer].keyreq);
	sfu_ask(s, k, layer, now_ns);
}

/* Is there still a slot that a key frame of this layer would help? */
static bool needed(const struct track *k, unsigned layer)
{
	list_each(l, next, &k->slots) {
		const struct slot *slot = list_entry(l, struct slot, link);
		bool on = slot->live && slot->layer == layer;

		if (slot->held)
			continue;
		if (on ? slot->needs_key || k->layers[layer].lost
		       : layer == k->target)
			return true;
	}
	return false;
}

static bool may_ask(struct asker *a, uint64_t now_ns)
{
	uint64_t more = (now_ns - a->since_ns) / PLI_REFILL_NS;

	if (a->left + more >= PLI_BURST) {
		a->left = PLI_BURST;
		a->since_ns = now_ns;
	} else {
		a->left += (unsigned)more;
		a->since_ns += more * PLI_REFILL_NS;
	}
	if (!a->left)
		return false;
	a->left--;
	return true;
}

void sfu_slot_wants_key(struct sfu *s, struct slot *slot, struct asker *a,
	uint64_t now_ns)
{
	/* Where a key frame is wanted already, the wish costs nothing. */
	if (!slot->track || slot->held || (slot->live && !slot->needs_key &&
			!may_ask(a, now_ns)))
		return;
	slot->needs_key = slot->live;
	want_key(s, slot->track,
		slot->live ? slot->layer : slot->track->target, now_ns);
}

void sfu_keyframe_wanted(struct sfu *s, struct sfu_transport *t,
	unsigned index, uint64_t now_ns)
{
	if (index < t->n_slots && sfu_source_is_video(sfu_slot_source(index)))
		sfu_slot_wants_key(s, &t->slots[index], &t->slots[index].asker,
			now_ns);
}

void sfu_keyframe_lost(struct sfu *s, struct sfu_transport *t,
	enum sfu_source source, enum sfu_layer layer, uint64_t now_ns)
{
	struct track *k;

	if (t->direction != SFU_PUBLISH || !sfu_source_is_video(source) ||
		layer >= SFU_LAYERS)
		return;
	k = &t->ep->tracks[source];
	k->layers[layer].lost = true;
	if (sfu_track_flows(k) && needed(k, layer))
		want_key(s, k, layer, now_ns);
}

/* ---- layers ---- */

static bool layer_lives(const struct layer *l, uint64_t now_ns)
{
	return l->seen && now_ns <= l->last_ns + LAYER_NS;
}

/* h if it comes, else the first that does, else as it was. */
static void aim(struct track *k, uint64_t now_ns)
{
	unsigned best = SFU_LAYER_H;

	if (!layer_lives(&k->layers[best], now_ns))
		for (best = 0; best < SFU_LAYERS; best++)
			if (layer_lives(&k->layers[best], now_ns))
				break;
	if (best == SFU_LAYERS || best == k->target)
		return;
	k->target = best;
	if (!list_empty(&k->slots))
		keyreq_want(&k->layers[best].keyreq);
}

/* Notes a packet of a layer: true if it is the newest. A source that began
 * anew shows by its timestamp. */
static bool layer_packet(struct layer *l, const struct sfu_packet *p,
	uint64_t now_ns)
{
	int32_t skew = ts_diff(p->rtp_ts, l->highest_ts);
	bool late = l->seen && !seq_newer(p->seq, l->highest) &&
		skew <= 0 && skew > -VIDEO_HZ * REWRITE_MAX_SKEW_S;

	if (!late) {
		l->highest = p->seq;
		l->highest_ts = p->rtp_ts;
	}
	l->seen = true;
	l->last_ns = now_ns;
	return !late;
}

/* ---- forwarding ---- */

/* One packet on its way to the slots of its track. */
struct passing {
	struct track *k;
	unsigned layer;
	const struct sfu_packet *p;
	const struct vp8 *vp8; /* NULL for sound */
	bool key;              /* begins a key frame, in order */
	struct rewrite_in in;
	bool dated; /* in.arrival_ns is when it was captured */
	uint64_t now_ns;
	bool taken; /* by any slot */
};

static void emit(struct sfu *s, const struct passing *go, struct slot *slot,
	const struct rewrite_out *out)
{
	struct sfu_packet p = *go->p;
	size_t n = 1;

	p.seq = out->seq;
	p.rtp_ts = out->rtp_ts;
	if (go->vp8) {
		uint8_t head[REWRITE_MAX_VP8];
		size_t head_len = rewrite_vp8(head, go->vp8, out);
		uint8_t *at = s->scratch + REWRITE_MAX_VP8 - head_len;

		memcpy(at, head, head_len);
		p.payload = at;
		p.len = p.len - go->vp8->header_len + head_len;
	}
	if (slot->t)
		s->ev->send(s->arg, slot->t->user, slot->index, &p);
	else
		n = sfu_feed_send(s, go->k, &p, go->key, go->now_ns);
	s->stats.packets_out += n;
	s->stats.bytes_out += n * p.len;
}

/* Does the slot take this layer, or change over to it now? *fresh: its owner
 * is new. */
static bool takes(const struct passing *go, struct slot *slot, bool *fresh)
{
	*fresh = false;
	if (!go->vp8)
		return true;
	if (slot->live && slot->layer == go->layer)
		return true;
	if (!go->key || slot->held || go->layer != go->k->target)
		return false;
	*fresh = !slot->live;
	rewrite_switch(&slot->rw);
	slot->live = slot->shown = true;
	slot->layer = go->layer;
	return true;
}

static void pass(struct sfu *s, struct passing *go, struct slot *slot)
{
	struct rewrite_out out;
	bool fresh;

	if (!takes(go, slot, &fresh))
		return;
	go->taken = true;
	if (rewrite_packet(&slot->rw, &go->in, &out) < 0) {
		s->stats.dropped[SFU_DROP_STALE]++;
		return;
	}
	if (go->key) {
		slot->needs_key = false;
	} else if (out.restarted && go->vp8) {
		/* The source jumped: what came before does not count. */
		slot->needs_key = true;
		want_key(s, go->k, go->layer, go->now_ns);
	}
	if (fresh && slot->t)
		s->ev->live(s->arg, slot->t->user, slot->index, go->k->ep->id,
			go->k->source, out.rtp_ts);
	if (out.restarted)
		sfu_tell_clock(s, slot, out.rtp_ts,
			go->dated ? go->in.arrival_ns : 0);
	emit(s, go, slot, &out);
}

/* Probes are not forwarded; receivers shall not take them for losses. */
static void skip(struct sfu *s, const struct passing *go)
{
	s->stats.dropped[SFU_DROP_PROBE]++;
	list_each(l, next, &go->k->slots) {
		struct slot *slot = list_entry(l, struct slot, link);
		if (!sfu_source_is_video(go->k->source) ||
			(slot->live && slot->layer == go->layer))
			rewrite_drop(&slot->rw, &go->in);
	}
}

static void forward_video(struct sfu *s, struct passing *go)
{
	struct layer *layer = &go->k->layers[go->layer];
	bool newest = layer_packet(layer, go->p, go->now_ns);
	struct vp8 v;

	aim(go->k, go->now_ns);
	if (!go->p->len) {
		skip(s, go);
		return;
	}
	if (vp8_parse(&v, go->p->payload, go->p->len) < 0 ||
		go->p->len - v.header_len + REWRITE_MAX_VP8 >
			SFU_MAX_PAYLOAD) {
		s->stats.dropped[SFU_DROP_MALFORMED]++;
		return;
	}
	go->vp8 = go->in.vp8 = &v;
	/* A key frame whose first packet came late has holes where slots
	 * dropped its others: wait for the next. */
	go->key = newest && v.frame_start && v.key;
	if (go->key) {
		keyreq_done(&layer->keyreq);
		layer->lost = false;
	}
	memcpy(s->scratch + REWRITE_MAX_VP8, go->p->payload + v.header_len,
		go->p->len - v.header_len);
	list_each(l, next, &go->k->slots)
		pass(s, go, list_entry(l, struct slot, link));
	if (!go->taken && go->layer != go->k->target)
		s->stats.dropped[SFU_DROP_LAYER]++;
	sfu_ask(s, go->k, go->layer, go->now_ns);
}

static void forward_audio(struct sfu *s, struct passing *go)
{
	struct room *r = go->k->ep->room;

	if (go->k->source == SFU_MIC && loudest_packet(&r->loudest,
			&go->k->loud, go->p->level, go->now_ns))
		sfu_seat_room(s, r, SFU_MIC, go->now_ns);
	if (!go->p->len) {
		skip(s, go);
		return;
	}
	list_each(l, next, &go->k->slots)
		pass(s, go, list_entry(l, struct slot, link));
}

void sfu_rtp(struct sfu *s, struct sfu_transport *t, enum sfu_source source,
	enum sfu_layer layer, const struct sfu_packet *p, uint64_t now_ns)
{
	struct passing go = {
		.layer = layer,
		.p = p,
		.in = {p->seq, p->rtp_ts, p->arrival_ns, NULL},
		.now_ns = now_ns,
	};

	if (t->direction == SFU_SUBSCRIBE || source >= SFU_SOURCES ||
		layer >= SFU_LAYERS)
		return;
	s->stats.packets_in++;
	s->stats.bytes_in += p->len;
	if (p->len > SFU_MAX_PAYLOAD) {
		s->stats.dropped[SFU_DROP_MALFORMED]++;
		return;
	}
	go.k = &t->ep->tracks[source];
	if (!(t->ep->grant.publish & SFU_BIT(source))) {
		s->stats.dropped[SFU_DROP_UNGRANTED]++;
		return;
	}
	go.k->last_ns = now_ns;
	go.in.arrival_ns = sfu_captured(go.k, layer, p, &go.dated);
	/* A source mostly begins with a key frame: ask for none before that
	 * was seen. */
	s->hold = true;
	track_start(s, go.k, layer, now_ns);
	s->hold = false;
	if (!sfu_track_flows(go.k)) {
		s->stats.dropped[SFU_DROP_MUTED]++;
		return;
	}
	if (sfu_source_is_video(source))
		forward_video(s, &go);
	else
		forward_audio(s, &go);
}

/* ---- timers ---- */

static void tick_track(struct sfu *s, struct track *k, uint64_t now_ns)
{
	if (k->source != SFU_MIC && now_ns > k->last_ns + SFU_SILENCE_NS) {
		sfu_track_stop(s, k, false);
		sfu_seat_room(s, k->ep->room, k->source, now_ns);
		return;
	}
	sfu_feed_tick(s, k, now_ns);
	if (!sfu_source_is_video(k->source))
		return;
	aim(k, now_ns);
	for (unsigned i = 0; i < SFU_LAYERS; i++) {
		struct keyreq *q = &k->layers[i].keyreq;

		if (q->wanted && !needed(k, i))
			keyreq_done(q);
		sfu_ask(s, k, i, now_ns);
	}
}

static void talk(struct sfu *s, struct room *r, uint64_t now_ns)
{
	struct sfu_level levels[LOUDEST_MAX + 1];
	size_t n = 0;

	if (now_ns < r->talk_ns)
		return;
	r->talk_ns = now_ns + SFU_TALK_NS;
	for (unsigned i = 0; i <= r->loudest.n; i++) {
		const struct loudest_source *l = r->loudest.place[i];
		struct sfu_level me;
		size_t at;

		if (!l || !loudest_speaks(l))
			continue;
		me.endpoint = list_entry(l, struct track, loud)->ep->id;
		me.level = loudest_level(l);
		for (at = n++; at && levels[at - 1].level > me.level; at--)
			levels[at] = levels[at - 1];
		levels[at] = me;
	}
	if (!n && !r->talking)
		return;
	s->talking += (n > 0) - r->talking;
	r->talking = n;
	s->ev->talk(s->arg, r->id, levels, n);
}

static void tick_room(struct sfu *s, struct room *r, uint64_t now_ns)
{
	for (unsigned i = 0; i < SFU_SOURCES; i++)
		list_each(l, next, &r->started[i])
			tick_track(s, list_entry(l, struct track, link),
				now_ns);
	if (loudest_tick(&r->loudest, now_ns))
		sfu_seat_room(s, r, SFU_MIC, now_ns);
	talk(s, r, now_ns);
}

uint64_t sfu_deadline(const struct sfu *s)
{
	return s->stats.tracks || s->talking ? s->next_tick : FLOW_NEVER;
}

void sfu_tick(struct sfu *s, uint64_t now_ns)
{
	if (now_ns < s->next_tick)
		return;
	s->next_tick = now_ns + TICK_NS;
	list_each(l, next, &s->rooms)
		tick_room(s, list_entry(l, struct room, link), now_ns);
}
