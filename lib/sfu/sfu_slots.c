/* sfu - transports, and which track sits in which slot. */
#include "sfu_priv.h"

enum sfu_source sfu_slot_source(unsigned slot)
{
	if (slot < 3)
		return SFU_MIC;
	if (slot == 7)
		return SFU_SCREEN;
	return slot == 8 ? SFU_SCREEN_AUDIO : SFU_CAM;
}

bool sfu_track_flows(const struct track *k)
{
	const struct sfu_grant *g = &k->ep->grant;

	return k->started && g->publish & SFU_BIT(k->source) &&
		!(g->muted & SFU_BIT(k->source));
}

bool sfu_transport_serves(const struct sfu_transport *t)
{
	return t && t->direction == SFU_SUBSCRIBE && t->ready &&
		t->ep->grant.receive;
}

void sfu_slot_free(struct slot *slot)
{
	if (!slot->track)
		return;
	list_remove(&slot->link);
	slot->track = NULL;
	slot->live = slot->needs_key = slot->held = false;
}

void sfu_slot_key(struct sfu *s, struct slot *slot, uint64_t now_ns)
{
	struct track *k = slot->track;

	keyreq_want(&k->layers[k->target].keyreq);
	sfu_ask(s, k, k->target, now_ns);
}

static void slot_give(struct sfu *s, struct slot *slot, struct track *k,
	uint64_t now_ns)
{
	slot->track = k;
	slot->live = slot->needs_key = false;
	list_append(&k->slots, &slot->link);
	rewrite_switch(&slot->rw);
	slot->told = true;
	slot->held = slot->t->confirms && slot->shown;
	s->ev->assigned(s->arg, slot->t->user, slot->index, k->ep->id,
		k->source);
	if (sfu_source_is_video(k->source) && !slot->held)
		sfu_slot_key(s, slot, now_ns);
}

/* A choice of tracks for the slots of one source. */
struct choice {
	const struct sfu_transport *t;
	enum sfu_source source;
	uint64_t mark;
	size_t max;
	size_t n;
	struct track *tracks[SFU_CAMERAS_MANY];
};

static void choose(struct choice *c, struct track *k)
{
	if (c->n == c->max || k->mark == c->mark || k->ep == c->t->ep ||
		!sfu_track_flows(k))
		return;
	k->mark = c->mark;
	c->tracks[c->n++] = k;
}

static void choose_heard(struct choice *c)
{
	const struct loudest *l = &c->t->ep->room->loudest;

	for (unsigned i = 0; i <= l->n; i++)
		if (l->place[i])
			choose(c, list_entry(l->place[i], struct track, loud));
}

/* The sound of the screen that is shown comes before others. */
static void choose_with_screen(struct choice *c)
{
	for (unsigned i = 0; i < c->t->n_slots; i++) {
		const struct track *k = c->t->slots[i].track;
		if (k && k->source == SFU_SCREEN)
			choose(c, &k->ep->tracks[SFU_SCREEN_AUDIO]);
	}
}

static void choose_wanted(struct choice *c, bool stage, bool paused)
{
	const struct endpoint *me = c->t->ep;

	for (size_t i = 0; i < me->n_wants; i++) {
		const struct want *w = &me->wants[i];
		struct endpoint *e;

		if (w->source != c->source || w->paused != paused ||
			(!paused && w->stage != stage))
			continue;
		e = sfu_endpoint_find(me->room, w->endpoint);
		if (e && paused)
			e->tracks[c->source].mark = c->mark;
		else if (e)
			choose(c, &e->tracks[c->source]);
	}
}

static void choose_all(struct choice *c)
{
	struct room *r = c->t->ep->room;

	if (!sfu_transport_serves(c->t))
		return;
	if (c->source == SFU_MIC) {
		choose_heard(c);
		return;
	}
	if (c->source == SFU_SCREEN_AUDIO) {
		choose_with_screen(c);
	} else {
		choose_wanted(c, false, true);
		choose_wanted(c, true, false);
		choose_wanted(c, false, false);
	}
	list_each(l, next, &r->started[c->source])
		choose(c, list_entry(l, struct track, link));
}

static bool chosen(struct choice *c, struct track *k)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->tracks[i] == k) {
			c->tracks[i] = NULL; /* has its seat */
			return true;
		}
	return false;
}

/* Microphone slot i and camera i are one stream to the receiver, which plays
 * them in step: they shall be one person's. NULL: the slot has no partner. */
static const struct slot *partner(const struct sfu_transport *t, unsigned i)
{
	if (i < SFU_AUDIO_SLOTS)
		return &t->slots[i + SFU_AUDIO_SLOTS];
	return i < 2 * SFU_AUDIO_SLOTS ? &t->slots[i - SFU_AUDIO_SLOTS] : NULL;
}

/* The first free slot beside that person's other track, else the first that
 * is beside nobody else's, else the first. */
static struct slot *best_slot(struct sfu_transport *t, const struct track *k)
{
	struct slot *best = NULL;
	int most = -1;

	for (unsigned i = 0; i < t->n_slots; i++) {
		const struct slot *p = partner(t, i);
		int fits = !p || !p->track ? 1 : p->track->ep == k->ep ? 2 : 0;

		if (t->slots[i].track || sfu_slot_source(i) != k->source ||
			fits <= most)
			continue;
		best = &t->slots[i];
		most = fits;
	}
	return best;
}

/* Gives the free slots to those chosen who have none. */
static void give_seats(struct sfu *s, struct choice *c,
	struct sfu_transport *t, uint64_t now_ns)
{
	for (size_t k = 0; k < c->n; k++) {
		struct slot *slot = c->tracks[k] ?
			best_slot(t, c->tracks[k]) : NULL;
		if (slot)
			slot_give(s, slot, c->tracks[k], now_ns);
	}
	for (unsigned i = 0; i < t->n_slots; i++) {
		struct slot *slot = &t->slots[i];
		if (sfu_slot_source(i) != c->source || slot->track ||
			!slot->told)
			continue;
		slot->told = false;
		s->ev->assigned(s->arg, t->user, i, NULL, c->source);
	}
}

void sfu_seat(struct sfu *s, struct sfu_transport *t, enum sfu_source source,
	uint64_t now_ns)
{
	struct choice c = {.t = t, .source = source, .mark = ++s->marks};

	for (unsigned i = 0; i < t->n_slots; i++)
		c.max += sfu_slot_source(i) == source;
	choose_all(&c);
	for (unsigned i = 0; i < t->n_slots; i++) {
		struct slot *slot = &t->slots[i];
		if (sfu_slot_source(i) == source && slot->track &&
			!chosen(&c, slot->track))
			sfu_slot_free(slot);
	}
	give_seats(s, &c, t, now_ns);
	if (source == SFU_SCREEN)
		sfu_seat(s, t, SFU_SCREEN_AUDIO, now_ns);
}

/* True from the fifth camera on. */
static bool many_cameras(const struct room *r)
{
	unsigned n = 0;

	list_each(l, next, &r->started[SFU_CAM])
		n += sfu_track_flows(list_entry(l, struct track, link));
	return n > SFU_CAMERAS_FEW;
}

static void want_growth(struct sfu *s, struct sfu_transport *t)
{
	if (!sfu_transport_serves(t) || t->grow_asked ||
		t->n_slots == SFU_SLOTS_MANY)
		return;
	t->grow_asked = true;
	s->ev->grow(s->arg, t->user);
}

void sfu_seat_all(struct sfu *s, struct sfu_transport *t, uint64_t now_ns)
{
	for (unsigned i = 0; i < SFU_SOURCES; i++)
		sfu_seat(s, t, i, now_ns);
	if (many_cameras(t->ep->room))
		want_growth(s, t);
}

void sfu_seat_room(struct sfu *s, struct room *r, enum sfu_source source,
	uint64_t now_ns)
{
	bool many = source == SFU_CAM && many_cameras(r);

	list_each(l, next, &r->endpoints) {
		struct endpoint *e = list_entry(l, struct endpoint, link);
		struct sfu_transport *t = e->transports[SFU_SUBSCRIBE];

		if (!t)
			continue;
		sfu_seat(s, t, source, now_ns);
		if (many)
			want_growth(s, t);
	}
}

unsigned sfu_room_slots(const struct sfu *s, const char *room)
{
	const struct room *r = sfu_room_find(s, room);

	return r && many_cameras(r) ? SFU_SLOTS_MANY : SFU_SLOTS_FEW;
}

/* ---- transports ---- */

void sfu_slot_init(struct sfu *s, struct slot *slot, bool video)
{
	list_init(&slot->link);
	slot->asker.left = PLI_BURST;
	/* Below half of the circle, so that losses at the start do not make
	 * SRTP guess a wrong roll-over. */
	rewrite_init(&slot->rw, video ? VIDEO_HZ : AUDIO_HZ,
		(uint16_t)rng_below(&s->rng, 0x8000), rng_u32(&s->rng),
		(uint16_t)rng_below(&s->rng, 0x8000));
}

static int slots_new(struct sfu *s, struct sfu_transport *t, unsigned n)
{
	t->slots = calloc(SFU_SLOTS_MANY, sizeof(*t->slots));
	if (!t->slots)
		return -ENOMEM;
	t->n_slots = n;
	for (unsigned i = 0; i < SFU_SLOTS_MANY; i++) {
		struct slot *slot = &t->slots[i];

		sfu_slot_init(s, slot, sfu_source_is_video(sfu_slot_source(i)));
		slot->t = t;
		slot->index = i;
	}
	return 0;
}

/* Ends what depends on it and frees it. */
static void transport_end(struct sfu *s, struct sfu_transport *t,
	uint64_t now_ns)
{
	struct endpoint *e = t->ep;

	for (unsigned i = 0; i < t->n_slots; i++)
		sfu_slot_free(&t->slots[i]);
	e->transports[t->direction] = NULL;
	e->room->version++;
	s->stats.transports--;
	sfu_untap_all(s, t);
	if (t->direction != SFU_SUBSCRIBE)
		sfu_clock_forget(e);
	for (unsigned i = 0; t->direction != SFU_SUBSCRIBE && i < SFU_SOURCES;
		i++) {
		sfu_track_stop(s, &e->tracks[i], false);
		sfu_seat_room(s, e->room, i, now_ns);
	}
	free(t->slots);
	free(t->readings);
	free(t);
}

static void replace(struct sfu *s, struct endpoint *e, enum sfu_direction d,
	uint64_t now_ns)
{
	void *old;

	if (!e->transports[d])
		return;
	old = e->transports[d]->user;
	transport_end(s, e->transports[d], now_ns);
	s->ev->closed(s->arg, old, "replaced");
}

int sfu_transport_new(struct sfu *s, const char *room, const char *endpoint,
	enum sfu_direction d, const char *id, unsigned slots, void *user,
	uint64_t now_ns, struct sfu_transport **out)
{
	struct endpoint *e =
		sfu_endpoint_find(sfu_room_find(s, room), endpoint);
	struct sfu_transport *t;

	if (!e)
		return -ENOENT;
	if (d == SFU_SUBSCRIBE ? slots != SFU_SLOTS_FEW &&
			slots != SFU_SLOTS_MANY : slots || d >= SFU_DIRECTIONS)
		return -EINVAL;
	if (d == SFU_BUS && !s->ev->bus)
		return -EINVAL;
	t = calloc(1, sizeof(*t));
	if (!t)
		return -ENOMEM;
	t->ep = e;
	t->direction = d;
	t->user = user;
	if (str_copy(t->id, sizeof(t->id), id) < 0) {
		free(t);
		return -EINVAL;
	}
	if (d == SFU_SUBSCRIBE && slots_new(s, t, slots) < 0) {
		free(t);
		return -ENOMEM;
	}
	t->again = SFU_AGAIN_BURST;
	t->again_ns = now_ns;
	replace(s, e, d, now_ns);
	if (d != SFU_SUBSCRIBE)
		replace(s, e, d == SFU_BUS ? SFU_PUBLISH : SFU_BUS, now_ns);
	e->transports[d] = t;
	e->room->version++;
	s->stats.transports++;
	*out = t;
	return 0;
}

void sfu_transport_close(struct sfu *s, struct sfu_transport *t,
	uint64_t now_ns)
{
	if (t)
		transport_end(s, t, now_ns);
}

void sfu_transport_ready(struct sfu *s, struct sfu_transport *t,
	uint64_t now_ns)
{
	if (t->ready)
		return;
	t->ready = true;
	t->ep->room->version++;
	if (t->direction == SFU_SUBSCRIBE)
		sfu_seat_all(s, t, now_ns);
	else if (t->direction == SFU_BUS)
		sfu_tap_all(s, t, now_ns);
}

void sfu_transport_grow(struct sfu *s, struct sfu_transport *t,
	uint64_t now_ns)
{
	if (t->direction != SFU_SUBSCRIBE || t->n_slots == SFU_SLOTS_MANY)
		return;
	t->n_slots = SFU_SLOTS_MANY;
	sfu_seat(s, t, SFU_CAM, now_ns);
}
