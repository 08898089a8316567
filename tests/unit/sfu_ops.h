/* sfu_ops - a relay's core driven by bytes, beside a model that knows only
 * what control said and what the sources sent, and that aborts when:
 *
 * - a packet goes out of an endpoint that is removed, not granted or muted,
 *   to its own endpoint, into another room, to one who may not receive, or
 *   on a slot that was not told to carry it;
 * - a video slot begins a new owner with anything but the first packet of a
 *   key frame, announced by slot.live with its timestamp;
 * - a slot repeats a sequence number, leaves a gap that the source has not,
 *   or goes back in time or picture ids in order of sequence;
 * - any of that on the bus, where a tap is of a track that has begun and is
 *   told of nobody twice, and what is sent again was sent to it, to somebody
 *   who may hear it still; queues are purged whenever a source is muted,
 *   taken or removed;
 * - a source is asked for key frames more than once a second, who speaks is
 *   told more than five times a second, a track starts twice, a transport is
 *   closed twice or a track sits in two slots of one transport.
 *
 * Used by a unit test with seeds and by a fuzz target.
 */
#ifndef SFU_OPS_H
#define SFU_OPS_H

#include <stdio.h>

#include "base.h"
#include "wire.h"
#include "flow.h"
#include "sfu.h"

#define ROOMS  2
#define EPS    8
#define WINDOW 8192 /* of sequence numbers that must not repeat */
#define TAG    14 /* offset of the tag in a payload */

/* One stream as its source sends it. */
struct op_stream {
	uint16_t seq;
	uint32_t ts;
	uint16_t id;
	bool fresh; /* the next packet begins a frame */
	bool asked;
	uint64_t asked_ns;
};

struct op_slot {
	struct op_ep *owner;
	bool changed; /* since its last packet */
	bool used;
	struct op_stream *from; /* the stream of its last packet */
	uint16_t in, out;
	uint32_t ts;
	uint16_t id;
	uint8_t sent[WINDOW / 8]; /* bits: the last numbers given out */
};

/* A tap, by its number, which is 16 times the endpoint's and the source's. */
struct op_tap {
	bool open;
	bool begun;
	bool dirty; /* something may wait in its queue */
	struct op_slot slot;
};

struct op_ep {
	unsigned room, index;
	char id[8];
	bool there;
	struct sfu_grant grant;
	struct sfu_transport *pub, *sub, *bus;
	bool bus_ready;
	struct op_tap taps[EPS][SFU_SOURCES];
	bool ready;
	bool grow;
	bool started[SFU_SOURCES];
	struct op_stream streams[SFU_SOURCES][SFU_LAYERS];
	struct op_slot slots[SFU_SLOTS_MANY];
};

struct ops {
	struct sfu *sfu;
	uint64_t now;
	struct op_ep eps[ROOMS][EPS];
	bool room[ROOMS];
	uint64_t epoch[ROOMS];
	uint64_t talk_ns[ROOMS];
	bool live;
	uint32_t live_ts;
	struct op_ep *live_to;
	uint64_t sent;
};

static char op_rerun[64]; /* said when something is broken */

static inline void op_need(bool ok, const char *what)
{
	if (!ok) {
		fprintf(stderr, "broken: %s (%s)\n", what, op_rerun);
		abort();
	}
}
#define NEED(x) op_need(x, #x)

static inline struct op_ep *op_find(struct ops *o, const char *room,
	const char *id)
{
	return &o->eps[room[1] - '0'][id[1] - '0'];
}

static inline struct op_ep *op_room_ep(struct ops *o, const struct op_ep *ep,
	unsigned i)
{
	return &o->eps[ep->room][i];
}

static inline struct op_ep *op_room_of(struct ops *o, const struct op_ep *ep,
	const char *id)
{
	return op_room_ep(o, ep, (unsigned)(id[1] - '0'));
}

/* ---- what goes out ---- */

static inline void op_check_numbers(struct op_slot *s, struct op_stream *from,
	const struct sfu_packet *p, uint16_t in)
{
	uint16_t step = (uint16_t)(p->seq - s->out);
	bool newest = !s->used || (step && step < 0x8000);
	unsigned bit = p->seq % WINDOW;

	NEED(!(s->sent[bit / 8] >> bit % 8 & 1));
	s->sent[bit / 8] |= (uint8_t)(1u << bit % 8);
	s->sent[(bit / 8 + WINDOW / 16) % (WINDOW / 8)] = 0;
	if (!s->used)
		return;
	if (from != s->from || s->changed)
		NEED(step == 1);
	else if (newest)
		NEED(step == 1 || step <= (uint16_t)(in - s->in));
	if (newest)
		NEED(ts_diff(p->rtp_ts, s->ts) >= 0);
	else
		NEED(ts_diff(p->rtp_ts, s->ts) <= 0);
}

static inline void op_check_video(struct op_slot *s, struct op_stream *from,
	const struct sfu_packet *p)
{
	uint16_t step;
	struct vp8 v;

	NEED(vp8_parse(&v, p->payload, p->len) == 0);
	NEED(v.has_picture_id && v.picture_id_15);
	step = (uint16_t)(v.picture_id - s->id) & 0x7fff;
	if (s->changed || from != s->from)
		NEED(v.frame_start && v.key && (!s->used || step == 1));
	if (s->used && seq_newer(p->seq, s->out))
		NEED(p->rtp_ts == s->ts ? step == 0
					: step > 0 && step < 0x4000);
	if (!s->used || seq_newer(p->seq, s->out))
		s->id = v.picture_id;
}

static inline void op_send(void *arg, void *user, unsigned slot,
	const struct sfu_packet *p)
{
	struct op_ep *to = user, *ep;
	const uint8_t *tag = p->payload + p->len - 6;
	struct op_slot *s = &to->slots[slot];
	enum sfu_source source = tag[2];
	struct op_stream *from;
	struct ops *o = arg;

	NEED(slot < SFU_SLOTS_MANY && p->len >= 7);
	NEED(tag[0] == to->room && source == sfu_slot_source(slot));
	ep = &o->eps[tag[0]][tag[1]];
	from = &ep->streams[source][tag[3]];
	NEED(ep != to && s->owner == ep);
	NEED(ep->there && (ep->pub || ep->bus));
	NEED(ep->grant.publish & SFU_BIT(source));
	NEED(!(ep->grant.muted & SFU_BIT(source)));
	NEED(to->there && to->sub && to->ready && to->grant.receive);
	op_check_numbers(s, from, p, be16(tag + 4));
	if (sfu_source_is_video(source)) {
		NEED(o->live == s->changed);
		NEED(!o->live || (o->live_ts == p->rtp_ts && o->live_to == to));
		op_check_video(s, from, p);
	}
	if (!s->used || s->changed || from != s->from ||
		seq_newer(p->seq, s->out)) {
		s->in = be16(tag + 4);
		s->out = p->seq;
		s->ts = p->rtp_ts;
	}
	s->from = from;
	s->used = true;
	s->changed = false;
	o->live = false;
	o->sent++;
}

static inline void op_assigned(void *arg, void *user, unsigned slot,
	const char *from, enum sfu_source source)
{
	struct op_ep *to = user;
	struct op_slot *s = &to->slots[slot];
	char room[] = {'r', (char)('0' + to->room), '\0'};

	NEED(source == sfu_slot_source(slot));
	NEED(from || s->owner);
	s->changed = true;
	s->owner = from ? op_find(arg, room, from) : NULL;
	if (!from)
		return;
	NEED(s->owner != to && s->owner->started[source]);
}

static inline void op_live(void *arg, void *user, unsigned slot,
	const char *from, enum sfu_source source, uint32_t rtp_ts)
{
	struct op_ep *to = user;
	struct ops *o = arg;

	(void)source;
	NEED(str_eq(to->slots[slot].owner->id, from));
	o->live = true;
	o->live_ts = rtp_ts;
	o->live_to = to;
}

static inline void op_keyframe(void *arg, void *user, enum sfu_source source,
	enum sfu_layer layer)
{
	struct op_ep *ep = user;
	struct op_stream *s = &ep->streams[source][layer];
	struct ops *o = arg;

	NEED((ep->pub || ep->bus) && ep->there);
	NEED(!s->asked || o->now >= s->asked_ns + NS_PER_S);
	s->asked = true;
	s->asked_ns = o->now;
}

static inline void op_track(void *arg, const char *room, const char *endpoint,
	enum sfu_source source, bool started)
{
	struct op_ep *ep = op_find(arg, room, endpoint);

	NEED(ep->started[source] != started);
	NEED(!started || (ep->there && ep->grant.publish & SFU_BIT(source)));
	ep->started[source] = started;
	for (unsigned i = 0; !started && i < EPS; i++)
		NEED(!op_room_ep(arg, ep, i)->taps[ep->index][source].open);
}

static inline void op_talk(void *arg, const char *room,
	const struct sfu_level *l, size_t n)
{
	struct ops *o = arg;
	unsigned r = (unsigned)(room[1] - '0');

	NEED(o->now >= o->talk_ns[r] + SFU_TALK_NS);
	o->talk_ns[r] = o->now;
	NEED(n <= SFU_AUDIO_SLOTS + 1);
	for (size_t i = 0; i < n; i++) {
		const struct op_ep *ep = op_find(o, room, l[i].endpoint);
		NEED(ep->started[SFU_MIC]);
		NEED(!(ep->grant.muted & SFU_BIT(SFU_MIC)));
		NEED(!i || l[i].level >= l[i - 1].level);
	}
}

static inline void op_grow(void *arg, void *user)
{
	struct op_ep *ep = user;

	(void)arg;
	NEED(ep->sub && ep->ready && !ep->grow);
	ep->grow = true;
}

static inline void op_forget_sub(struct op_ep *ep)
{
	ep->sub = NULL;
	ep->ready = ep->grow = false;
	memset(ep->slots, 0, sizeof(ep->slots));
}

static inline void op_forget_bus(struct op_ep *ep)
{
	ep->bus = NULL;
	ep->bus_ready = false;
	memset(ep->taps, 0, sizeof(ep->taps));
}

/* The model does not tell publish from subscribe here: it knows which it
 * replaces, and what a removal closes. */
static inline void op_closed(void *arg, void *user, const char *reason)
{
	struct op_ep *ep = user;

	(void)arg;
	if (str_eq(reason, "removed")) {
		NEED(ep->pub || ep->sub || ep->bus);
		if (ep->pub)
			ep->pub = NULL;
		else if (ep->sub)
			op_forget_sub(ep);
		else
			op_forget_bus(ep);
	}
}

/* ---- the bus ---- */

static inline struct op_tap *op_tap(struct op_ep *to, unsigned number)
{
	NEED(number < EPS * 16 && number % 16 < SFU_SOURCES);
	return &to->taps[number / 16][number % 16];
}

static inline int op_open(void *arg, void *user, const struct sfu_feed *f)
{
	struct op_ep *to = user, *ep = op_room_of(arg, to, f->endpoint);
	struct op_tap *t = &to->taps[ep->index][f->source];

	NEED(to->there && to->bus && to->bus_ready && to->grant.receive);
	NEED(ep != to && ep->started[f->source] && !t->open);
	if (((struct ops *)arg)->now % 7 == 3)
		return -ENOSPC;
	*t = (struct op_tap){.open = true, .slot.changed = true};
	return (int)(ep->index * 16 + f->source);
}

static inline void op_end(void *arg, void *user, unsigned number)
{
	struct op_tap *t = op_tap(user, number);
	const struct op_ep *ep = op_room_ep(arg, user, number / 16);
	enum sfu_source source = number % 16;

	NEED(t->open);
	/* What is not allowed any more was purged before. */
	NEED(!t->dirty || (ep->there && ep->grant.publish & SFU_BIT(source)));
	t->open = false;
}

static inline void op_purge(void *arg, void *user, unsigned number)
{
	struct op_tap *t = op_tap(user, number);

	(void)arg;
	NEED(t->open);
	t->dirty = false;
}

static inline void op_tapped(struct ops *o, const struct sfu_tap *tap,
	const struct sfu_feed *f, const struct sfu_packet *p, bool again)
{
	struct op_ep *to = tap->user, *ep = op_room_of(o, to, f->endpoint);
	const uint8_t *tag = p->payload + p->len - 6;
	struct op_tap *t = op_tap(to, tap->number);
	struct op_slot *s = &t->slot;
	struct op_stream *from = &ep->streams[f->source][tag[3]];

	NEED(tap->number == ep->index * 16 + f->source && t->open);
	NEED(tag[0] == to->room && tag[1] == ep->index && tag[2] == f->source);
	NEED(ep != to && ep->there && (ep->pub || ep->bus));
	NEED(ep->grant.publish & SFU_BIT(f->source));
	NEED(!(ep->grant.muted & SFU_BIT(f->source)));
	NEED(to->there && to->bus && to->bus_ready && to->grant.receive);
	o->sent++;
	t->dirty = true;
	if (again) {
		NEED(t->begun);
		return;
	}
	if (sfu_source_is_video(f->source) && !t->begun) {
		struct vp8 v;

		NEED(vp8_parse(&v, p->payload, p->len) == 0);
		NEED(v.frame_start && v.key);
	}
	t->begun = true;
	NEED(!s->used || p->seq != s->out);
	if (!s->used || seq_newer(p->seq, s->out)) {
		NEED(!s->used || ts_diff(p->rtp_ts, s->ts) >= 0);
		s->out = p->seq;
		s->ts = p->rtp_ts;
	}
	s->from = from;
	s->used = true;
}

static inline void op_bus_send(void *arg, const struct sfu_tap *taps,
	size_t n, const struct sfu_feed *f, const struct sfu_packet *p,
	bool again)
{
	NEED(n > 0 && p->len >= 7);
	for (size_t i = 0; i < n; i++)
		op_tapped(arg, &taps[i], f, p, again);
}

static inline void op_report(void *arg, const struct sfu_tap *taps, size_t n,
	const struct sfu_feed *f, const struct sfu_report *r)
{
	for (size_t i = 0; i < n; i++) {
		const struct op_ep *ep = op_room_of(arg, taps[i].user,
			f->endpoint);

		NEED(op_tap(taps[i].user, taps[i].number)->open);
		NEED(!(ep->grant.muted & SFU_BIT(f->source)) && r->packets);
	}
}

static const struct sfu_bus_events op_bus_events = {
	.open = op_open,
	.end = op_end,
	.purge = op_purge,
	.send = op_bus_send,
	.report = op_report,
};

static const struct sfu_events op_events = {
	.send = op_send,
	.keyframe = op_keyframe,
	.track = op_track,
	.assigned = op_assigned,
	.live = op_live,
	.talk = op_talk,
	.grow = op_grow,
	.closed = op_closed,
	.bus = &op_bus_events,
};

/* ---- what goes in ---- */

static inline void op_gone(struct op_ep *ep)
{
	NEED(!ep->pub && !ep->sub && !ep->bus);
	for (unsigned i = 0; i < SFU_SOURCES; i++)
		for (unsigned k = 0; k < SFU_LAYERS; k++)
			ep->streams[i][k].asked = false;
	ep->there = false;
	ep->grant = (struct sfu_grant){0};
}

static inline void op_room(struct ops *o, unsigned r, unsigned how)
{
	char room[] = {'r', (char)('0' + r), '\0'};
	uint64_t epoch = o->epoch[r] + how % 3;
	int rc;

	for (unsigned i = 0; how == 7 && i < EPS; i++)
		o->eps[r][i].there = false; /* from the call on */
	if (how == 7) {
		rc = sfu_room_remove(o->sfu, room);
		NEED(rc == (o->room[r] ? 0 : -ENOENT));
		o->room[r] = false;
	} else {
		rc = sfu_room_create(o->sfu, room, epoch);
		NEED(rc == 0);
		if (o->room[r] && epoch == o->epoch[r])
			return;
		o->room[r] = true;
		o->epoch[r] = epoch;
	}
	o->talk_ns[r] = 0;
	for (unsigned i = 0; i < EPS; i++)
		op_gone(&o->eps[r][i]);
}

static inline void op_grant(struct ops *o, struct op_ep *ep, unsigned bits)
{
	char room[] = {'r', (char)('0' + ep->room), '\0'};
	struct sfu_grant g = {
		.publish = bits & 0x40 ? 0xf : bits & 0xf,
		.muted = bits >> 8 & 0xf & (bits >> 12 & 0xf),
		.receive = bits & 0x80 || bits & 0x10,
	};
	int rc;

	if (!o->room[ep->room])
		return;
	/* What is taken is taken from the call on. */
	ep->grant = g;
	ep->there = true;
	rc = sfu_endpoint_grant(o->sfu, room, ep->id, &g, o->now);
	NEED(rc == 0);
}

static inline void op_remove(struct ops *o, struct op_ep *ep)
{
	char room[] = {'r', (char)('0' + ep->room), '\0'};
	bool was = ep->there;

	ep->there = false;
	NEED(sfu_endpoint_remove(o->sfu, room, ep->id, o->now) ==
		(was ? 0 : -ENOENT));
	op_gone(ep);
}

/* Keeps the endpoints of which a bit is set. */
static inline void op_sync(struct ops *o, unsigned r, unsigned keep)
{
	char room[] = {'r', (char)('0' + r), '\0'};

	if (!o->room[r])
		return;
	NEED(sfu_sync_begin(o->sfu, room, o->epoch[r]) == 0);
	for (unsigned i = 0; i < EPS; i++) {
		struct op_ep *ep = &o->eps[r][i];
		if (ep->there && keep >> i & 1)
			NEED(!sfu_endpoint_grant(o->sfu, room, ep->id,
				&ep->grant, o->now));
	}
	for (unsigned i = 0; i < EPS; i++)
		if (!(keep >> i & 1))
			o->eps[r][i].there = false;
	NEED(sfu_sync_end(o->sfu, room, o->now) == 0);
	for (unsigned i = 0; i < EPS; i++)
		if (!(keep >> i & 1))
			op_gone(&o->eps[r][i]);
}

static inline void op_transport(struct ops *o, struct op_ep *ep, unsigned how)
{
	char room[] = {'r', (char)('0' + ep->room), '\0'};
	bool sub = how & 1;
	struct sfu_transport *t = NULL, *old = sub ? ep->sub : ep->pub;
	int rc;

	if (how & 2 && old) {
		sfu_transport_close(o->sfu, old, o->now);
		if (sub)
			op_forget_sub(ep);
		else
			ep->pub = NULL;
		return;
	}
	rc = sfu_transport_new(o->sfu, room, ep->id,
		sub ? SFU_SUBSCRIBE : SFU_PUBLISH, "t",
		!sub ? 0 : how & 4 ? SFU_SLOTS_MANY : SFU_SLOTS_FEW, ep,
		o->now, &t);
	NEED(rc == (ep->there ? 0 : -ENOENT));
	if (rc)
		return;
	if (sub) {
		op_forget_sub(ep);
		ep->sub = t;
		ep->ready = how & 8;
		if (how & 8)
			sfu_transport_ready(o->sfu, t, o->now);
	} else {
		ep->pub = t;
		op_forget_bus(ep);
	}
}

static inline void op_bus(struct ops *o, struct op_ep *ep, unsigned how)
{
	char room[] = {'r', (char)('0' + ep->room), '\0'};
	struct sfu_transport *t = NULL;
	int rc;

	if (how & 1 && ep->bus) {
		sfu_transport_close(o->sfu, ep->bus, o->now);
		op_forget_bus(ep);
		return;
	}
	rc = sfu_transport_new(o->sfu, room, ep->id, SFU_BUS, "b", 0, ep,
		o->now, &t);
	NEED(rc == (ep->there ? 0 : -ENOENT));
	if (rc)
		return;
	op_forget_bus(ep);
	ep->pub = NULL;
	ep->bus = t;
	ep->bus_ready = how & 2;
	if (how & 2)
		sfu_transport_ready(o->sfu, t, o->now);
}

/* What a program asks of one of its taps, or of a number that is none. */
static inline void op_bus_ask(struct ops *o, struct op_ep *ep, unsigned a,
	unsigned b)
{
	unsigned number = a % EPS * 16 + (b & 3);
	const struct op_tap *t = &ep->taps[a % EPS][b & 3];
	uint16_t seqs[4];

	if (!ep->bus)
		return;
	if (!ep->bus_ready) {
		ep->bus_ready = true;
		sfu_transport_ready(o->sfu, ep->bus, o->now);
	} else if (b & 16) {
		sfu_bus_stop(o->sfu, ep->bus, b & 3, o->now);
	} else if (b & 4) {
		sfu_bus_keyframe(o->sfu, ep->bus, b & 8 ? b * 5 : number,
			o->now);
	} else {
		for (unsigned i = 0; i < ARRAY_LEN(seqs); i++)
			seqs[i] = (uint16_t)(t->slot.out - (b >> 5) * i);
		sfu_bus_lost(o->sfu, ep->bus, number, seqs, ARRAY_LEN(seqs),
			o->now);
	}
}

/* Whoever is muted or may not send has nothing left in anybody's queue. */
static inline void op_check_taps(struct ops *o, struct op_ep *to)
{
	/* Without a transport all is forgotten. */
	for (unsigned i = 0; to->bus && i < EPS * SFU_SOURCES; i++) {
		const struct op_ep *from = op_room_ep(o, to, i / SFU_SOURCES);
		enum sfu_source source = i % SFU_SOURCES;
		const struct op_tap *t = &to->taps[from->index][source];

		if (!t->open)
			continue;
		NEED(from->there && from->started[source] && from != to);
		NEED(to->bus && to->bus_ready && to->grant.receive);
		NEED(!t->dirty || !(from->grant.muted & SFU_BIT(source)));
	}
}

static inline void op_want(struct ops *o, struct op_ep *ep, unsigned bits)
{
	char room[] = {'r', (char)('0' + ep->room), '\0'};
	struct sfu_want w[4];
	size_t n = bits & 7;

	n = MIN(n, ARRAY_LEN(w));
	for (unsigned i = 0; i < n; i++)
		w[i] = (struct sfu_want){
			.endpoint = o->eps[0][bits >> 3 * i & 7].id,
			.source = bits >> i & 1 ? SFU_CAM : SFU_SCREEN,
			.height = bits >> (2 * i) & 3 ? 180 : 0,
			.stage = bits >> (i + 5) & 1,
		};
	NEED(sfu_endpoint_want(o->sfu, room, ep->id, w, n, o->now) ==
		(ep->there ? 0 : -ENOENT));
}

/* Sends one packet of a stream with sequence number seq and that of its
 * frame; kind: 0 probe, 1 malformed, else a packet. */
static inline void op_packet(struct ops *o, struct op_ep *ep,
	enum sfu_source source, unsigned layer, uint16_t seq, bool key,
	unsigned kind, int level)
{
	struct op_stream *st = &ep->streams[source][layer];
	bool video = sfu_source_is_video(source);
	uint8_t b[32] = {video ? 0x80 | (st->fresh ? 0x10 : 0) : 0xfc, 0x80,
		0x80 | st->id >> 8, st->id & 0xff,
		key && st->fresh ? 0x10 : 0x11, 0, 0, 0x9d, 0x01,
		kind == 1 ? 0 : 0x2a, 1, 0, 1, 0};
	struct sfu_packet p = {
		.seq = seq,
		.rtp_ts = st->ts,
		.level = level,
		.payload = b,
		.len = kind ? TAG + 6 : 0,
		.arrival_ns = o->now,
	};

	b[TAG] = (uint8_t)ep->room;
	b[TAG + 1] = (uint8_t)ep->index;
	b[TAG + 2] = (uint8_t)source;
	b[TAG + 3] = (uint8_t)layer;
	be16_put(b + TAG + 4, seq);
	if (ep->pub)
		sfu_rtp(o->sfu, ep->pub, source, layer, &p, o->now);
	else if (ep->bus)
		sfu_rtp(o->sfu, ep->bus, source, layer, &p, o->now);
	NEED(!o->live);
}

static inline void op_rtp(struct ops *o, struct op_ep *ep, unsigned bits,
	unsigned more)
{
	enum sfu_source source = bits & 3;
	unsigned layer = source == SFU_CAM ? (bits >> 2 & 3) % SFU_LAYERS : 1;
	struct op_stream *st = &ep->streams[source][layer];
	bool video = sfu_source_is_video(source);
	int level = (int)(more & 0x7f);

	switch (bits >> 4 & 0xf) {
	case 0: /* a loss */
		st->seq++;
		return;
	case 1: /* a duplicate, or one that is late, of this frame */
		st->fresh = false;
		op_packet(o, ep, source, layer, (uint16_t)(st->seq - more % 4),
			false, 2, level);
		return;
	case 2:
		op_packet(o, ep, source, layer, ++st->seq, false, 0, level);
		return;
	case 3: /* lies about the start code; of sound it is as good */
		st->fresh = true;
		op_packet(o, ep, source, layer, ++st->seq, true, video ? 1 : 2,
			level);
		st->fresh = false;
		return;
	default:
		break;
	}
	/* Frames of up to three packets; each begins with a new timestamp. */
	st->fresh = !video || bits >> 4 > 7;
	if (st->fresh) {
		st->ts += video ? 3000 : 960;
		st->id = (st->id + 1u) & 0x7fff;
	}
	op_packet(o, ep, source, layer, ++st->seq, bits >> 4 > 12, 2, level);
}

static inline void op_check_slots(const struct op_ep *to)
{
	for (unsigned n = 0; n < SFU_SLOTS_MANY; n++) {
		const struct op_ep *from = to->slots[n].owner;
		enum sfu_source source = sfu_slot_source(n);

		if (!from)
			continue;
		NEED(from->there && from->started[source]);
		NEED(from->pub || from->bus);
		NEED(from->grant.publish & SFU_BIT(source));
		NEED(!(from->grant.muted & SFU_BIT(source)));
		NEED(to->sub && to->grant.receive);
		for (unsigned i = 0; i < n; i++)
			NEED(to->slots[i].owner != from ||
				sfu_slot_source(i) != source);
	}
}

/* Whoever is missing something gets it: the fuzzer shall not spend its bytes
 * on coming and going. */
static inline void op_revive(struct ops *o, struct op_ep *ep)
{
	if (!o->room[ep->room])
		op_room(o, ep->room, 1);
	op_grant(o, ep, 0xff);
	if (!ep->pub && !ep->bus)
		op_transport(o, ep, 0);
	if (!ep->sub)
		op_transport(o, ep, 9);
}

static inline void op_time(struct ops *o, unsigned bits)
{
	static const uint16_t ms[] = {1, 5, 20, 33, 100, 250, 1000, 6000};

	o->now += ms[bits & 7] * NS_PER_MS;
	if (o->now >= sfu_deadline(o->sfu))
		sfu_tick(o->sfu, o->now);
}

static inline void op_step(struct ops *o, struct rd *r)
{
	unsigned op = rd_u8(r), who = rd_u8(r), a = rd_u8(r), b = rd_u8(r);
	struct op_ep *ep = &o->eps[who / EPS % 4 == 3][who % EPS];

	if (op < 220)
		op_rtp(o, ep, a, b);
	else if (op < 222)
		op_bus(o, ep, a);
	else if (op < 224)
		op_bus_ask(o, ep, a, b);
	else if (op < 234)
		op_time(o, a);
	else if (op < 238)
		op_grant(o, ep, a | b << 8);
	else if (op < 241)
		op_transport(o, ep, a);
	else if (op < 244 && ep->sub && !ep->ready)
		sfu_transport_ready(o->sfu, ep->sub,
			(ep->ready = true, o->now));
	else if (op < 244 && ep->grow)
		sfu_transport_grow(o->sfu, ep->sub, o->now);
	else if (op < 246 && ep->sub)
		sfu_keyframe_wanted(o->sfu, ep->sub, a % 32, o->now);
	else if (op < 247 && ep->pub)
		sfu_keyframe_lost(o->sfu, ep->pub, a & 3, b & 3, o->now);
	else if (op < 249)
		op_want(o, ep, a | b << 8);
	else if (op < 250)
		op_remove(o, ep);
	else if (op < 251 && a < 64)
		op_sync(o, ep->room, a | b);
	else if (op < 252 && a < 16)
		op_room(o, ep->room, a & 7);
	else
		op_revive(o, ep);
	for (unsigned i = 0; i < ROOMS * EPS; i++)
		op_check_slots(&o->eps[i / EPS][i % EPS]);
	for (unsigned i = 0; i < ROOMS * EPS; i++)
		op_check_taps(o, &o->eps[i / EPS][i % EPS]);
}

/* Four bytes an operation. Returns the packets sent. */
static inline uint64_t ops_run(const uint8_t *p, size_t n, uint64_t seed)
{
	struct ops *o = calloc(1, sizeof(*o));
	struct rd r = rd_of(p, n);
	uint64_t sent;

	NEED(o);
	o->now = NS_PER_S;
	o->sfu = sfu_new(&op_events, o, seed);
	NEED(o->sfu);
	for (unsigned i = 0; i < ROOMS * EPS; i++) {
		struct op_ep *ep = &o->eps[i / EPS][i % EPS];

		ep->room = i / EPS;
		ep->index = i % EPS;
		snprintf(ep->id, sizeof(ep->id), "e%u", i % EPS);
		for (unsigned k = 0; k < SFU_SOURCES * SFU_LAYERS; k++) {
			struct op_stream *st = &ep->streams[k / SFU_LAYERS]
							   [k % SFU_LAYERS];
			st->seq = (uint16_t)(65530 + k);
			st->ts = UINT32_MAX - 5000 * k;
			st->id = 32760;
		}
		op_revive(o, ep);
	}
	while (rd_left(&r) >= 4)
		op_step(o, &r);
	sent = o->sent;
	sfu_free(o->sfu);
	free(o);
	return sent;
}

#endif
