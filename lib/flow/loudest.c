/* loudest - the few who are heard. */
#include "base.h"
#include "flow.h"

void loudest_init(struct loudest *l, unsigned n)
{
	*l = (struct loudest){.n = MAX(MIN(n, LOUDEST_MAX), 1)};
}

void loudest_source_init(struct loudest_source *s)
{
	*s = (struct loudest_source){
		.place = -1,
		.level_q8 = LOUDEST_SILENCE * 256,
	};
}

/* Words must be heard from their beginning, and a pause between two is not
 * an end: up in about 60 ms of 20 ms packets, down in about 600. */
static void smooth(struct loudest_source *s, int level)
{
	int32_t in = (level < 0 ? LOUDEST_UNKNOWN
				: MIN(level, LOUDEST_SILENCE)) * 256;

	s->level_q8 += (in - s->level_q8) / (in < s->level_q8 ? 3 : 30);
}

int loudest_level(const struct loudest_source *s)
{
	return s->level_q8 / 256;
}

bool loudest_speaks(const struct loudest_source *s)
{
	return s->level_q8 <= LOUDEST_SPEECH * 256;
}

static bool stale(const struct loudest_source *s, uint64_t now_ns)
{
	return now_ns > s->last_ns + LOUDEST_STALE_NS;
}

static void sit(struct loudest *l, struct loudest_source *s, unsigned place,
	uint64_t now_ns)
{
	l->place[place] = s;
	s->place = (int)place;
	s->since_ns = now_ns;
}

/* The one of the first n that s may push out, or NULL. */
static struct loudest_source *weakest(const struct loudest *l,
	const struct loudest_source *s, uint64_t now_ns)
{
	struct loudest_source *w = NULL;

	for (unsigned i = 0; i < l->n; i++)
		if (l->place[i] && (!w || l->place[i]->level_q8 > w->level_q8))
			w = l->place[i];
	if (!w || now_ns < w->since_ns + LOUDEST_HOLD_NS ||
		s->level_q8 + LOUDEST_MARGIN_DB * 256 > w->level_q8)
		return NULL;
	return w;
}

/* s, which holds no place or the reserve, rises if it deserves to. There is
 * a reserve only while all other places are taken. */
static bool rise(struct loudest *l, struct loudest_source *s, uint64_t now_ns)
{
	struct loudest_source *r = l->place[l->n], *w;
	unsigned place;

	for (place = 0; place < l->n; place++)
		if (!l->place[place])
			break;
	if (!l->place[place]) {
		sit(l, s, place, now_ns);
		return true;
	}
	if (!loudest_speaks(s))
		return false;
	w = weakest(l, s, now_ns);
	if (w) {
		if (r && r != s)
			r->place = -1;
		place = (unsigned)w->place;
		sit(l, w, l->n, now_ns);
		sit(l, s, place, now_ns);
		return true;
	}
	if (r == s || now_ns < r->since_ns + LOUDEST_HOLD_NS ||
		s->level_q8 + LOUDEST_MARGIN_DB * 256 > r->level_q8)
		return false;
	r->place = -1;
	sit(l, s, l->n, now_ns);
	return true;
}

bool loudest_packet(struct loudest *l, struct loudest_source *s, int level,
	uint64_t now_ns)
{
	bool changed = loudest_tick(l, now_ns);

	if (s->last_ns && stale(s, now_ns))
		s->level_q8 = LOUDEST_SILENCE * 256;
	s->last_ns = now_ns;
	smooth(s, level);
	if (s->place >= 0 && (unsigned)s->place < l->n)
		return changed;
	return rise(l, s, now_ns) || changed;
}

bool loudest_remove(struct loudest *l, struct loudest_source *s)
{
	struct loudest_source *r = l->place[l->n];

	if (s->place < 0)
		return false;
	l->place[s->place] = NULL;
	if (r && r != s) {
		r->place = s->place;
		l->place[r->place] = r;
		l->place[l->n] = NULL;
	}
	s->place = -1;
	return true;
}

bool loudest_tick(struct loudest *l, uint64_t now_ns)
{
	bool changed = false;

	/* The reserve first, lest it be promoted. */
	for (unsigned i = l->n + 1; i-- > 0;)
		if (l->place[i] && stale(l->place[i], now_ns))
			changed |= loudest_remove(l, l->place[i]);
	return changed;
}

uint64_t loudest_deadline(const struct loudest *l)
{
	uint64_t t = FLOW_NEVER;

	for (unsigned i = 0; i <= l->n; i++)
		if (l->place[i])
			t = MIN(t, l->place[i]->last_ns + LOUDEST_STALE_NS + 1);
	return t;
}
