/* sfu - the bus: feeds, which are tracks rewritten once for all who tap
 * them, and bus transports, which tap. */
#include "sfu_priv.h"

/* ---- feeds ---- */

static struct sfu_feed told(const struct track *k)
{
	return (struct sfu_feed){.endpoint = k->ep->id, .source = k->source,
		.ssrc = k->feed->ssrc};
}

void sfu_feed_free(struct feed *f)
{
	if (!f)
		return;
	history_free(f->history);
	free(f->taps);
	free(f);
}

static struct feed *feed_new(struct sfu *s, struct track *k)
{
	bool video = sfu_source_is_video(k->source);
	struct feed *f = calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	sfu_slot_init(s, &f->slot, video);
	sendstat_init(&f->stat, video ? VIDEO_HZ : AUDIO_HZ);
	f->ssrc = rng_u32(&s->rng);
	f->history = history_new(SFU_FEED_PACKETS, SFU_FEED_BYTES);
	if (f->history)
		return f;
	free(f);
	return NULL;
}

void sfu_feed_join(struct sfu *s, struct track *k, uint64_t now_ns)
{
	struct feed *f = k->feed;

	if (!f || f->slot.track || !sfu_track_flows(k))
		return;
	f->slot.track = k;
	list_append(&k->slots, &f->slot.link);
	rewrite_switch(&f->slot.rw);
	if (sfu_source_is_video(k->source)) {
		keyreq_want(&k->layers[k->target].keyreq);
		sfu_ask(s, k, k->target, now_ns);
	}
}

/* Nobody taps the track any more. */
static void feed_drop(struct track *k)
{
	sfu_slot_free(&k->feed->slot);
	sfu_feed_free(k->feed);
	k->feed = NULL;
}

void sfu_feed_purge(struct sfu *s, struct track *k)
{
	struct feed *f = k->feed;

	if (!f)
		return;
	history_clear(f->history);
	for (size_t i = 0; i < f->n; i++)
		s->ev->bus->purge(s->arg, f->taps[i].user, f->taps[i].number);
}

static struct sfu_transport *reader_of(const struct track *k,
	const struct sfu_tap *tap)
{
	list_each(l, next, &k->ep->room->endpoints) {
		struct sfu_transport *t = list_entry(l, struct endpoint,
			link)->transports[SFU_BUS];

		if (t && t->user == tap->user && tap->number < t->n_readings &&
			t->readings[tap->number].track == k)
			return t;
	}
	return NULL;
}

void sfu_feed_end(struct sfu *s, struct track *k)
{
	struct feed *f = k->feed;

	if (!f)
		return;
	for (size_t i = 0; i < f->n; i++) {
		struct sfu_transport *t = reader_of(k, &f->taps[i]);

		if (t)
			t->readings[f->taps[i].number].track = NULL;
		s->ev->bus->end(s->arg, f->taps[i].user, f->taps[i].number);
	}
	feed_drop(k);
}

size_t sfu_feed_send(struct sfu *s, struct track *k,
	const struct sfu_packet *p, bool key, uint64_t now_ns)
{
	const struct history_packet kept = {p->seq, p->rtp_ts, p->marker,
		p->payload, p->len};
	struct feed *f = k->feed;
	struct sfu_feed feed = told(k);

	if (key)
		f->ready = f->n;
	sendstat_sent(&f->stat, p->rtp_ts, p->len, now_ns);
	/* Without memory it cannot be had again, which is all. */
	(void)history_put(f->history, &kept, now_ns);
	if (f->ready)
		s->ev->bus->send(s->arg, f->taps, f->ready, &feed, p, false);
	return f->ready;
}

void sfu_feed_tick(struct sfu *s, struct track *k, uint64_t now_ns)
{
	struct feed *f = k->feed;
	struct sfu_report r = {.at_ns = now_ns};
	struct sfu_feed feed;
	struct rtcp_sr sr;

	if (!f || !f->slot.track || !f->ready || now_ns < f->report_ns ||
		!sendstat_sr(&f->stat, now_ns, 0, &sr))
		return;
	f->report_ns = now_ns + SFU_REPORT_NS;
	feed = told(k);
	r.rtp_ts = sr.rtp_ts;
	r.packets = sr.packets;
	r.octets = sr.octets;
	s->ev->bus->report(s->arg, f->taps, f->ready, &feed, &r);
}

/* ---- taps ---- */

static bool paused(const struct endpoint *me, const struct track *k)
{
	for (size_t i = 0; i < me->n_wants; i++) {
		const struct want *w = &me->wants[i];

		if (w->paused && w->source == k->source &&
			str_eq(w->endpoint, k->ep->id))
			return true;
	}
	return false;
}

static bool due(const struct sfu_transport *t, const struct track *k)
{
	return t->ready && t->ep->grant.receive && k->started &&
		k->ep != t->ep && !paused(t->ep, k);
}

/* The tap's place in the feed, or its length. */
static size_t place_of(const struct feed *f, const struct sfu_transport *t)
{
	size_t i = 0;

	while (i < f->n && f->taps[i].user != t->user)
		i++;
	return i;
}

/* Room for one more tap of the feed, and for number in the transport. */
static int feed_grow(struct feed *f)
{
	size_t cap = f->cap ? 2 * f->cap : 4;
	struct sfu_tap *taps;

	if (f->n < f->cap)
		return 0;
	taps = realloc(f->taps, cap * sizeof(*taps));
	if (!taps)
		return -ENOMEM;
	f->taps = taps;
	f->cap = cap;
	return 0;
}

static int readings_grow(struct sfu_transport *t, unsigned number)
{
	size_t n = MAX(number + 1u, 2 * t->n_readings);
	struct reading *r;

	if (number < t->n_readings)
		return 0;
	if (number >= SFU_MAX_TAPS)
		return -ENOSPC;
	r = realloc(t->readings, n * sizeof(*r));
	if (!r)
		return -ENOMEM;
	memset(r + t->n_readings, 0, (n - t->n_readings) * sizeof(*r));
	t->readings = r;
	t->n_readings = n;
	return 0;
}

/* False if it could not be had. */
static bool open_tap(struct sfu *s, struct sfu_transport *t, struct track *k)
{
	struct feed *f = k->feed;
	struct sfu_feed feed = told(k);
	int n;

	if (feed_grow(f))
		return false;
	n = s->ev->bus->open(s->arg, t->user, &feed);
	if (n < 0)
		return false;
	if (readings_grow(t, (unsigned)n)) {
		s->ev->bus->end(s->arg, t->user, (unsigned)n);
		return false;
	}
	t->readings[n] = (struct reading){.track = k,
		.asker.left = PLI_BURST};
	f->taps[f->n++] = (struct sfu_tap){t->user, (unsigned)n};
	return true;
}

static void tap(struct sfu *s, struct sfu_transport *t, struct track *k,
	uint64_t now_ns)
{
	struct feed *f;

	if (!k->feed)
		k->feed = feed_new(s, k);
	f = k->feed;
	if (!f)
		return;
	if (!open_tap(s, t, k)) {
		if (!f->n)
			feed_drop(k);
		return;
	}
	if (!sfu_source_is_video(k->source))
		f->ready = f->n;
	sfu_feed_join(s, k, now_ns);
	if (!sfu_source_is_video(k->source) || !f->slot.track)
		return;
	/* The others go on; the new one waits for a key frame. */
	f->slot.needs_key = f->slot.live;
	keyreq_want(&k->layers[f->slot.live ? f->slot.layer : k->target]
		.keyreq);
	sfu_ask(s, k, f->slot.live ? f->slot.layer : k->target, now_ns);
}

/* Returns its number. */
static unsigned untap(struct track *k, struct sfu_transport *t, size_t at)
{
	struct feed *f = k->feed;
	unsigned number = f->taps[at].number;

	t->readings[number].track = NULL;
	f->n--;
	f->ready -= at < f->ready;
	memmove(f->taps + at, f->taps + at + 1,
		(f->n - at) * sizeof(*f->taps));
	if (!f->n)
		feed_drop(k);
	return number;
}

static void settle(struct sfu *s, struct sfu_transport *t, struct track *k,
	uint64_t now_ns)
{
	size_t at = k->feed ? place_of(k->feed, t) : 0;
	bool has = k->feed && at < k->feed->n;

	if (!has && due(t, k))
		tap(s, t, k, now_ns);
	else if (has && !due(t, k))
		s->ev->bus->end(s->arg, t->user, untap(k, t, at));
}

void sfu_tap_track(struct sfu *s, struct track *k, uint64_t now_ns)
{
	list_each(l, next, &k->ep->room->endpoints) {
		struct endpoint *e = list_entry(l, struct endpoint, link);

		if (e->transports[SFU_BUS])
			settle(s, e->transports[SFU_BUS], k, now_ns);
	}
}

void sfu_tap_all(struct sfu *s, struct sfu_transport *t, uint64_t now_ns)
{
	for (unsigned i = 0; i < SFU_SOURCES; i++)
		list_each(l, next, &t->ep->room->started[i])
			settle(s, t, list_entry(l, struct track, link),
				now_ns);
}

void sfu_untap_all(struct sfu *s, struct sfu_transport *t)
{
	(void)s;
	for (size_t i = 0; i < t->n_readings; i++) {
		struct track *k = t->readings[i].track;

		if (k)
			untap(k, t, place_of(k->feed, t));
	}
}

/* ---- what readers ask ---- */

static struct reading *reading_of(struct sfu_transport *t, unsigned number)
{
	return number < t->n_readings && t->readings[number].track
		? &t->readings[number] : NULL;
}

void sfu_bus_keyframe(struct sfu *s, struct sfu_transport *t,
	unsigned number, uint64_t now_ns)
{
	struct reading *r = reading_of(t, number);

	if (r && sfu_source_is_video(r->track->source))
		sfu_slot_wants_key(s, &r->track->feed->slot, &r->asker,
			now_ns);
}

static bool may_repeat(struct sfu_transport *t, uint64_t now_ns)
{
	uint64_t each = NS_PER_S / SFU_AGAIN_RATE;
	uint64_t more = (now_ns - t->again_ns) / each;

	if (t->again + more >= SFU_AGAIN_BURST) {
		t->again = SFU_AGAIN_BURST;
		t->again_ns = now_ns;
	} else {
		t->again += (unsigned)more;
		t->again_ns += more * each;
	}
	if (!t->again)
		return false;
	t->again--;
	return true;
}

void sfu_bus_lost(struct sfu *s, struct sfu_transport *t, unsigned number,
	const uint16_t *seqs, size_t n, uint64_t now_ns)
{
	const struct reading *r = reading_of(t, number);
	struct history_packet had;
	const struct feed *f;
	struct sfu_feed feed;
	size_t at;

	if (!r)
		return;
	f = r->track->feed;
	at = place_of(f, t);
	feed = told(r->track);
	/* Of what is muted, and was before, the history is empty. */
	if (at >= f->ready || !f->slot.track)
		return;
	for (size_t i = 0; i < n; i++) {
		struct sfu_packet p = {.level = -1, .arrival_ns = now_ns};

		if (!history_get(f->history, seqs[i], &had))
			continue;
		if (!may_repeat(t, now_ns))
			return;
		p.seq = had.seq;
		p.rtp_ts = had.rtp_ts;
		p.marker = had.marker;
		p.payload = had.payload;
		p.len = had.len;
		s->stats.packets_out++;
		s->stats.bytes_out += p.len;
		s->ev->bus->send(s->arg, &f->taps[at], 1, &feed, &p, true);
	}
}

void sfu_bus_stop(struct sfu *s, struct sfu_transport *t,
	enum sfu_source source, uint64_t now_ns)
{
	struct track *k = &t->ep->tracks[source];

	if (t->direction != SFU_BUS || !k->started)
		return;
	sfu_track_stop(s, k, false);
	sfu_seat_room(s, t->ep->room, source, now_ns);
}
