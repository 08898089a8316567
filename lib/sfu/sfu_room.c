/* sfu - rooms, endpoints and their grants. */
#include "sfu_priv.h"

static const char *const source_names[SFU_SOURCES] = {
	"mic", "cam", "screen", "screen-audio"};
static const char *const drop_names[SFU_DROPS] = {
	"ungranted", "muted", "malformed", "layer", "probe", "stale"};

const char *sfu_source_name(enum sfu_source s)
{
	return s < SFU_SOURCES ? source_names[s] : "?";
}

bool sfu_source_is_video(enum sfu_source s)
{
	return s == SFU_CAM || s == SFU_SCREEN;
}

const char *sfu_drop_name(enum sfu_drop d)
{
	return d < SFU_DROPS ? drop_names[d] : "?";
}

struct sfu *sfu_new(const struct sfu_events *events, void *arg, uint64_t seed)
{
	struct sfu *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->by_id = map_new(seed);
	if (!s->by_id) {
		free(s);
		errno = ENOMEM;
		return NULL;
	}
	list_init(&s->rooms);
	rng_seed(&s->rng, seed);
	s->seed = seed;
	s->ev = events;
	s->arg = arg;
	return s;
}

/* Without a word to anybody. */
static void endpoint_free(struct endpoint *e)
{
	if (!e)
		return;
	for (unsigned d = 0; d < SFU_DIRECTIONS; d++) {
		if (e->transports[d]) {
			free(e->transports[d]->slots);
			free(e->transports[d]->readings);
		}
		free(e->transports[d]);
	}
	for (unsigned i = 0; i < SFU_SOURCES; i++)
		sfu_feed_free(e->tracks[i].feed);
	free(e->wants);
	free(e);
}

static void room_free(struct room *r)
{
	if (!r)
		return;
	list_each(l, next, &r->endpoints)
		endpoint_free(list_entry(l, struct endpoint, link));
	map_free(r->by_id);
	free(r);
}

void sfu_free(struct sfu *s)
{
	if (!s)
		return;
	list_each(l, next, &s->rooms)
		room_free(list_entry(l, struct room, link));
	map_free(s->by_id);
	free(s);
}

struct room *sfu_room_find(const struct sfu *s, const char *room)
{
	return room ? map_gets(s->by_id, room) : NULL;
}

struct endpoint *sfu_endpoint_find(const struct room *r, const char *id)
{
	return r && id ? map_gets(r->by_id, id) : NULL;
}

static struct room *room_new(struct sfu *s, const char *id, uint64_t epoch)
{
	struct room *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	list_init(&r->link);
	list_init(&r->endpoints);
	for (unsigned i = 0; i < SFU_SOURCES; i++)
		list_init(&r->started[i]);
	loudest_init(&r->loudest, SFU_AUDIO_SLOTS);
	r->epoch = epoch;
	r->by_id = map_new(s->seed);
	if (!r->by_id || str_copy(r->id, sizeof(r->id), id) < 0 ||
		map_puts(s->by_id, id, r) < 0) {
		room_free(r);
		return NULL;
	}
	list_append(&s->rooms, &r->link);
	s->stats.rooms++;
	return r;
}

static bool id_ok(const char *id)
{
	return id && *id && strlen(id) < SFU_ID_CAP;
}

int sfu_room_create(struct sfu *s, const char *room, uint64_t epoch)
{
	struct room *r = sfu_room_find(s, room);

	if (!id_ok(room))
		return -EINVAL;
	if (r && epoch < r->epoch)
		return -ESTALE;
	if (r && epoch == r->epoch)
		return 0;
	if (r)
		sfu_room_remove(s, room);
	else if (s->stats.rooms >= SFU_MAX_ROOMS)
		return -ENOSPC;
	return room_new(s, room, epoch) ? 0 : -ENOMEM;
}

bool sfu_room_epoch(const struct sfu *s, const char *room, uint64_t *epoch)
{
	const struct room *r = sfu_room_find(s, room);

	if (r)
		*epoch = r->epoch;
	return r;
}

/* Ends tracks and transports of an endpoint that leaves its room. Nobody is
 * seated anew. */
static void endpoint_end(struct sfu *s, struct endpoint *e)
{
	for (unsigned i = 0; i < SFU_SOURCES; i++)
		sfu_track_stop(s, &e->tracks[i], true);
	for (unsigned d = 0; d < SFU_DIRECTIONS; d++) {
		struct sfu_transport *t = e->transports[d];

		for (unsigned i = 0; t && i < t->n_slots; i++)
			sfu_slot_free(&t->slots[i]);
		if (!t)
			continue;
		sfu_untap_all(s, t);
		s->stats.transports--;
		s->ev->closed(s->arg, t->user, "removed");
	}
	map_dels(e->room->by_id, e->id);
	list_remove(&e->link);
	e->room->version++;
	s->stats.endpoints--;
	endpoint_free(e);
}

int sfu_room_remove(struct sfu *s, const char *room)
{
	struct room *r = sfu_room_find(s, room);

	if (!r)
		return -ENOENT;
	list_each(l, next, &r->endpoints)
		endpoint_end(s, list_entry(l, struct endpoint, link));
	map_dels(s->by_id, r->id);
	list_remove(&r->link);
	s->stats.rooms--;
	s->talking -= r->talking;
	room_free(r);
	return 0;
}

int sfu_endpoint_remove(struct sfu *s, const char *room, const char *endpoint,
	uint64_t now_ns)
{
	struct room *r = sfu_room_find(s, room);
	struct endpoint *e = sfu_endpoint_find(r, endpoint);

	if (!e)
		return -ENOENT;
	endpoint_end(s, e);
	for (unsigned i = 0; i < SFU_SOURCES; i++)
		sfu_seat_room(s, r, i, now_ns);
	return 0;
}

int sfu_sync_begin(struct sfu *s, const char *room, uint64_t epoch)
{
	int rc = sfu_room_create(s, room, epoch);
	struct room *r;

	if (rc < 0)
		return rc;
	r = sfu_room_find(s, room);
	list_each(l, next, &r->endpoints)
		list_entry(l, struct endpoint, link)->listed = false;
	return 0;
}

int sfu_sync_end(struct sfu *s, const char *room, uint64_t now_ns)
{
	struct room *r = sfu_room_find(s, room);

	if (!r)
		return -ENOENT;
	list_each(l, next, &r->endpoints) {
		struct endpoint *e = list_entry(l, struct endpoint, link);
		if (!e->listed)
			endpoint_end(s, e);
	}
	for (unsigned i = 0; i < SFU_SOURCES; i++)
		sfu_seat_room(s, r, i, now_ns);
	return 0;
}

static struct endpoint *endpoint_new(struct sfu *s, struct room *r,
	const char *id)
{
	struct endpoint *e = calloc(1, sizeof(*e));

	if (!e)
		return NULL;
	e->room = r;
	if (str_copy(e->id, sizeof(e->id), id) < 0 ||
		map_puts(r->by_id, id, e) < 0) {
		free(e);
		return NULL;
	}
	for (unsigned i = 0; i < SFU_SOURCES; i++)
		sfu_track_init(&e->tracks[i], e, i);
	list_append(&r->endpoints, &e->link);
	s->stats.endpoints++;
	return e;
}

/* Stops at once what the grant does not allow any more. Returns the sources
 * whose seats must be given anew. */
static unsigned apply_grant(struct sfu *s, struct endpoint *e,
	const struct sfu_grant *g, uint64_t now_ns)
{
	struct sfu_grant old = e->grant;
	unsigned changed = (unsigned)(g->publish ^ old.publish) |
		(unsigned)(g->muted ^ old.muted);

	e->grant = *g;
	for (unsigned i = 0; i < SFU_SOURCES; i++) {
		struct track *k = &e->tracks[i];

		if (!(changed & SFU_BIT(i)) || !k->started)
			continue;
		if (!(g->publish & SFU_BIT(i)))
			sfu_track_stop(s, k, true);
		else if (!sfu_track_flows(k))
			sfu_track_hush(s, k);
		else
			sfu_feed_join(s, k, now_ns);
	}
	return changed;
}

static void seat_anew(struct sfu *s, struct endpoint *e, uint64_t now_ns)
{
	if (e->transports[SFU_SUBSCRIBE])
		sfu_seat_all(s, e->transports[SFU_SUBSCRIBE], now_ns);
	if (e->transports[SFU_BUS])
		sfu_tap_all(s, e->transports[SFU_BUS], now_ns);
}

int sfu_endpoint_grant(struct sfu *s, const char *room, const char *endpoint,
	const struct sfu_grant *g, uint64_t now_ns)
{
	struct room *r = sfu_room_find(s, room);
	struct endpoint *e = sfu_endpoint_find(r, endpoint);
	bool received, was_new = !e;
	unsigned changed;

	if (!r)
		return -ENOENT;
	if (!id_ok(endpoint))
		return -EINVAL;
	if (was_new && map_count(r->by_id) >= SFU_MAX_ENDPOINTS)
		return -ENOSPC;
	if (was_new)
		e = endpoint_new(s, r, endpoint);
	if (!e)
		return -ENOMEM;
	e->listed = true;
	received = e->grant.receive;
	changed = apply_grant(s, e, g, now_ns);
	if (was_new || changed || received != g->receive)
		r->version++;
	for (unsigned i = 0; i < SFU_SOURCES; i++)
		if (changed & SFU_BIT(i))
			sfu_seat_room(s, r, i, now_ns);
	if (received != g->receive)
		seat_anew(s, e, now_ns);
	return 0;
}

int sfu_endpoint_want(struct sfu *s, const char *room, const char *endpoint,
	const struct sfu_want *w, size_t n, uint64_t now_ns)
{
	struct endpoint *e =
		sfu_endpoint_find(sfu_room_find(s, room), endpoint);
	struct want *wants = NULL;

	if (!e)
		return -ENOENT;
	if (n > SFU_MAX_WANTS)
		return -ENOSPC;
	for (size_t i = 0; i < n; i++)
		if (!id_ok(w[i].endpoint) || w[i].source >= SFU_SOURCES)
			return -EINVAL;
	if (n) {
		wants = calloc(n, sizeof(*wants));
		if (!wants)
			return -ENOMEM;
	}
	for (size_t i = 0; i < n; i++) {
		str_copy(wants[i].endpoint, SFU_ID_CAP, w[i].endpoint);
		wants[i].source = w[i].source;
		wants[i].stage = w[i].stage;
		wants[i].paused = !w[i].height;
	}
	free(e->wants);
	e->wants = wants;
	e->n_wants = n;
	seat_anew(s, e, now_ns);
	return 0;
}

bool sfu_grant_of(const struct sfu *s, const char *room,
	const char *endpoint, struct sfu_grant *out)
{
	const struct endpoint *e =
		sfu_endpoint_find(sfu_room_find(s, room), endpoint);

	if (e)
		*out = e->grant;
	return e;
}

const struct sfu_stats *sfu_stats(const struct sfu *s)
{
	return &s->stats;
}

static void list_endpoint(const struct endpoint *e,
	const struct sfu_lister *l, void *arg)
{
	if (l->endpoint)
		l->endpoint(arg, e->id, &e->grant);
	for (unsigned d = 0; d < SFU_DIRECTIONS && l->transport; d++) {
		const struct sfu_transport *t = e->transports[d];
		if (t)
			l->transport(arg, t->id, d, t->ready, t->user);
	}
}

void sfu_list(const struct sfu *s, const struct sfu_lister *l, void *arg)
{
	list_each(a, next_a, &s->rooms) {
		const struct room *r = list_entry(a, struct room, link);
		if (l->room)
			l->room(arg, r->id, r->epoch, r->version);
		list_each(b, next_b, &r->endpoints)
			list_endpoint(list_entry(b, struct endpoint, link),
				l, arg);
	}
}
