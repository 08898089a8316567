#include "bus_queue_priv.h"

#include "flow.h"

#define LATE_S 2 /* a packet later than this is not late, time has jumped */

void bus_queue_init(struct bus_queue *q, struct bus_stats *stats)
{
	*q = (struct bus_queue){.age_ns = BUS_QUEUE_MS * NS_PER_MS,
		.max_bytes = BUS_QUEUE_BYTES, .max_count = BUS_QUEUE_COUNT,
		.max_frame = BUS_MAX_FRAME, .stats = stats};
	list_init(&q->all);
	list_init(&q->media);
	list_init(&q->flows);
}

static void entry_free(struct bus_queue *q, struct bus_entry *e)
{
	if (e->kind == BUS_JSON) {
		q->control_bytes -= e->body->len;
	} else {
		q->bytes -= e->body->len;
		q->count--;
		if (e->framed && bus_queue_goes_on(e->flow, e->ts))
			e->flow->open_count--;
	}
	list_remove(&e->all);
	list_remove(&e->media);
	list_remove(&e->own);
	bus_body_done(e->body);
	free(e);
}

void bus_queue_free(struct bus_queue *q)
{
	list_each(l, next, &q->all)
		entry_free(q, list_entry(l, struct bus_entry, all));
	list_each(l, next, &q->flows)
		free(list_entry(l, struct bus_flow, link));
	free(q->by_track);
	bus_queue_init(q, q->stats);
}

/* ---- flows ---- */

static int grow(struct bus_queue *q, size_t n)
{
	size_t want = MAX(MIN(MAX(2 * q->n_by_track, (size_t)16),
				  (size_t)BUS_MAX_TRACKS), n);
	struct bus_flow **p = realloc(q->by_track, want * sizeof(*p));

	if (!p)
		return -ENOMEM;
	memset(p + q->n_by_track, 0, (want - q->n_by_track) * sizeof(*p));
	q->by_track = p;
	q->n_by_track = want;
	return 0;
}

int bus_queue_open(struct bus_queue *q, unsigned track, enum bus_codec codec)
{
	struct bus_flow *f;

	if (track >= BUS_MAX_TRACKS)
		return -ENOSPC;
	if (bus_queue_flow(q, track))
		return -EEXIST;
	if (track >= q->n_by_track && grow(q, track + 1))
		return -ENOMEM;
	f = calloc(1, sizeof(*f));
	if (!f)
		return -ENOMEM;
	f->track = (uint16_t)track;
	f->codec = codec;
	list_init(&f->entries);
	list_append(&q->flows, &f->link);
	q->by_track[track] = f;
	return 0;
}

int bus_queue_free_number(const struct bus_queue *q)
{
	size_t n = 0;

	while (n < q->n_by_track && q->by_track[n])
		n++;
	return n < BUS_MAX_TRACKS ? (int)n : -ENOSPC;
}

struct bus_flow *bus_queue_flow(const struct bus_queue *q, unsigned track)
{
	return track < q->n_by_track ? q->by_track[track] : NULL;
}

void bus_queue_close(struct bus_queue *q, struct bus_flow *f)
{
	list_each(l, next, &f->entries)
		entry_free(q, list_entry(l, struct bus_entry, own));
	q->by_track[f->track] = NULL;
	list_remove(&f->link);
	free(f);
}

/* ---- what passes ---- */

static bool framed(const struct bus_packet *p)
{
	return p->kind == BUS_RTP && !(p->flags & BUS_RESENT);
}

bool bus_queue_goes_on(const struct bus_flow *f, uint32_t ts)
{
	return f->open && f->sent_ts == ts;
}

static bool before_floor(const struct bus_flow *f, uint32_t ts)
{
	int32_t late = ts_diff(f->floor_ts, ts);

	return f->has_floor && late > 0 &&
		late < (int32_t)(LATE_S * bus_codec_hz(f->codec));
}

bool bus_queue_passes(const struct bus_flow *f, const struct bus_packet *p)
{
	if (!framed(p) || bus_queue_goes_on(f, p->rtp.ts))
		return true;
	if (f->wait_key)
		return p->key;
	return !before_floor(f, p->rtp.ts);
}

/* The packet passed: a key frame ends the wait for one. */
static void passed(struct bus_flow *f, const struct bus_packet *p)
{
	if (!framed(p) || !f->wait_key || !p->key)
		return;
	f->wait_key = false;
	f->has_floor = true;
	f->floor_ts = p->rtp.ts;
	f->asked_ns = 0;
}

static size_t waiting_of(const struct bus_flow *f, uint32_t ts)
{
	size_t n = 0;

	for (const struct list *l = f->entries.next; l != &f->entries;
		l = l->next) {
		const struct bus_entry *e =
			list_entry(l, struct bus_entry, own);

		n += e->framed && e->ts == ts;
	}
	return n;
}

static void mark_sent(struct bus_flow *f, uint32_t ts, bool marker)
{
	int32_t ahead = ts_diff(ts, f->sent_ts);

	if (f->codec != BUS_VP8)
		return; /* each packet is a frame */
	if (f->sent && ahead < 0 &&
		-ahead < (int32_t)(LATE_S * bus_codec_hz(f->codec)))
		return;
	if (!f->open || f->sent_ts != ts)
		f->open_count = waiting_of(f, ts);
	f->sent = true;
	f->sent_ts = ts;
	f->open = !marker;
}

void bus_queue_sent(struct bus_flow *f, const struct bus_packet *p)
{
	passed(f, p);
	if (framed(p))
		mark_sent(f, p->rtp.ts, p->rtp.marker);
}

/* ---- dropping ---- */

static void count(struct bus_queue *q, struct bus_flow *f, uint32_t ts,
	uint64_t now_ns)
{
	if (!f->packets++)
		f->since_ns = now_ns;
	q->stats->dropped_packets++;
	if (f->counted && f->counted_ts == ts)
		return;
	f->counted = true;
	f->counted_ts = ts;
	f->frames++;
	q->stats->dropped_frames++;
}

void bus_queue_refuse(struct bus_queue *q, struct bus_flow *f,
	const struct bus_packet *p, uint64_t now_ns)
{
	if (framed(p))
		count(q, f, p->rtp.ts, now_ns);
}

static void drop_entry(struct bus_queue *q, struct bus_entry *e,
	uint64_t now_ns)
{
	if (e->framed)
		count(q, e->flow, e->ts, now_ns);
	entry_free(q, e);
}

/* There is no room or no memory for it, so its frame cannot be whole: what
 * waits of it goes too. If a part was sent already, the frame is torn. */
static int refuse_frame(struct bus_queue *q, struct bus_flow *f,
	const struct bus_packet *p, uint64_t now_ns)
{
	bus_queue_refuse(q, f, p, now_ns);
	if (!framed(p))
		return -EAGAIN;
	if (f->codec != BUS_VP8) {
		f->has_floor = true;
		f->floor_ts = p->rtp.ts + 1;
		return -EAGAIN;
	}
	f->open = false;
	f->wait_key = true;
	list_each(l, next, &f->entries) {
		struct bus_entry *e = list_entry(l, struct bus_entry, own);

		if (e->framed && e->ts == p->rtp.ts)
			drop_entry(q, e, now_ns);
	}
	return -EAGAIN;
}

/* The first key frame of the flow behind frame ts, or NULL. */
static const struct bus_entry *next_key(const struct bus_flow *f, uint32_t ts)
{
	for (const struct list *l = f->entries.next; l != &f->entries;
		l = l->next) {
		const struct bus_entry *e =
			list_entry(l, struct bus_entry, own);

		if (e->key && e->framed && ts_diff(e->ts, ts) > 0)
			return e;
	}
	return NULL;
}

/* Drops the frame that e is of, and what cannot be shown without it. */
static void drop_frame(struct bus_queue *q, struct bus_entry *e,
	uint64_t now_ns)
{
	struct bus_flow *f = e->flow;
	const struct bus_entry *key;
	uint32_t upto;

	if (!e->framed || f->codec != BUS_VP8) {
		if (e->framed) {
			f->has_floor = true;
			f->floor_ts = e->ts + 1;
		}
		drop_entry(q, e, now_ns);
		return;
	}
	if (bus_queue_goes_on(f, e->ts))
		f->open = false; /* it is torn */
	key = next_key(f, e->ts);
	upto = key ? key->ts : 0;
	f->wait_key = !key;
	if (key) {
		f->has_floor = true;
		f->floor_ts = upto;
	}
	list_each(l, next, &f->entries) {
		e = list_entry(l, struct bus_entry, own);
		if (e->framed && !bus_queue_goes_on(f, e->ts) &&
			(!key || ts_diff(e->ts, upto) < 0))
			drop_entry(q, e, now_ns);
	}
}

/* The oldest packet that may be dropped. */
static struct bus_entry *victim(const struct bus_queue *q)
{
	for (struct list *l = q->media.next; l != &q->media; l = l->next) {
		struct bus_entry *e = list_entry(l, struct bus_entry, media);

		if (!e->framed || !bus_queue_goes_on(e->flow, e->ts) ||
			e->flow->open_count > q->max_frame)
			return e;
	}
	return NULL;
}

void bus_queue_expire(struct bus_queue *q, uint64_t now_ns)
{
	struct bus_entry *e;

	while ((e = victim(q)) && now_ns > e->queued_ns + q->age_ns)
		drop_frame(q, e, now_ns);
}

void bus_queue_purge(struct bus_queue *q, struct bus_flow *f, uint64_t now_ns)
{
	f->open = false;
	f->open_count = 0;
	list_each(l, next, &f->entries)
		drop_entry(q, list_entry(l, struct bus_entry, own), now_ns);
}

static bool make_room(struct bus_queue *q, size_t len, uint64_t now_ns)
{
	struct bus_entry *e;

	while (q->count + 1 > q->max_count || q->bytes + len > q->max_bytes) {
		e = victim(q);
		if (!e)
			return false;
		drop_frame(q, e, now_ns);
	}
	return true;
}

/* ---- in and out ---- */

static struct bus_entry *entry_new(struct bus_queue *q, struct bus_flow *f,
	enum bus_kind kind, struct bus_body *body)
{
	struct bus_entry *e = calloc(1, sizeof(*e));

	if (!e)
		return NULL;
	e->flow = f;
	e->kind = kind;
	e->body = body;
	list_init(&e->media);
	list_init(&e->own);
	list_append(&q->all, &e->all);
	return e;
}

int bus_queue_put(struct bus_queue *q, struct bus_flow *f,
	struct bus_packet *p, uint64_t now_ns)
{
	struct bus_entry *e;

	bus_queue_expire(q, now_ns);
	if (!bus_queue_passes(f, p)) {
		bus_queue_refuse(q, f, p, now_ns);
		return -EAGAIN;
	}
	if (!make_room(q, p->len, now_ns))
		return refuse_frame(q, f, p, now_ns);
	/* Making room may have dropped frames that this one needs. */
	if (!bus_queue_passes(f, p)) {
		bus_queue_refuse(q, f, p, now_ns);
		return -EAGAIN;
	}
	if (!p->body)
		p->body = bus_body_new(p->data, p->len);
	e = p->body ? entry_new(q, f, p->kind, p->body) : NULL;
	if (!e)
		return refuse_frame(q, f, p, now_ns);
	passed(f, p);
	p->body->refs++;
	q->bytes += p->len;
	q->count++;
	e->flags = p->flags;
	e->arrival_ns = p->arrival_ns;
	e->queued_ns = now_ns;
	e->ts = p->rtp.ts;
	e->marker = p->rtp.marker;
	e->key = p->key;
	e->framed = framed(p);
	if (e->framed && bus_queue_goes_on(f, e->ts))
		f->open_count++;
	list_append(&q->media, &e->media);
	list_append(&f->entries, &e->own);
	return 0;
}

int bus_queue_put_json(struct bus_queue *q, struct bus_flow *f, bool last,
	struct bus_body *body)
{
	struct bus_entry *e = NULL;
	int rc = -ENOMEM;

	if (body && q->control_bytes + body->len > BUS_MAX_CONTROL)
		rc = -ENOBUFS;
	else if (body)
		e = entry_new(q, f, BUS_JSON, body);
	if (!e) {
		bus_body_done(body);
		return rc;
	}
	q->control_bytes += body->len;
	e->last = last;
	return 0;
}

struct bus_entry *bus_queue_head(const struct bus_queue *q)
{
	return list_empty(&q->all)
		? NULL
		: list_entry(q->all.next, struct bus_entry, all);
}

void bus_queue_pop(struct bus_queue *q)
{
	struct bus_entry *e = bus_queue_head(q);
	struct bus_flow *f = e->flow;
	bool last = e->last;

	if (e->framed)
		mark_sent(f, e->ts, e->marker);
	entry_free(q, e);
	if (last)
		bus_queue_close(q, f);
}
