/* rewrite - one continuous stream out of changing sources. */
#include "base.h"
#include "flow.h"
#include "wire.h"

#define EXT_START   (UINT64_C(1) << 32)
#define ID_MASK     0x7fffu
#define MAX_ELAPSED (UINT32_C(1) << 30) /* ticks, half of what can be told */

enum verdict { LATE, NEWEST, ANEW };

/* How far picture id a is in front of b, in a field of some bits. */
static int id_diff(unsigned a, unsigned b, unsigned bits)
{
	unsigned half = 1u << (bits - 1);
	unsigned d = (a - b) & (2 * half - 1);

	return d < half ? (int)d : (int)d - (int)(2 * half);
}

void rewrite_init(struct rewrite *w, uint32_t clock_hz, uint16_t first_seq,
	uint32_t first_ts, uint16_t first_picture_id)
{
	*w = (struct rewrite){
		.clock_hz = clock_hz,
		.out_seq = (uint16_t)(first_seq - 1),
		.out_ts = first_ts,
		.ids.out = (first_picture_id - 1u) & ID_MASK,
	};
}

void rewrite_switch(struct rewrite *w)
{
	w->anchored = false;
}

static bool seen(const struct rewrite *w, uint16_t seq)
{
	unsigned i = seq % REWRITE_WINDOW;

	return w->seen[i / 8] >> i % 8 & 1;
}

static void see(struct rewrite *w, uint16_t seq)
{
	unsigned i = seq % REWRITE_WINDOW;

	w->seen[i / 8] |= (uint8_t)(1u << i % 8);
}

/* Moves the window on to ext, forgetting what falls out of it. */
static void advance(struct rewrite *w, uint64_t ext)
{
	uint64_t d = ext - w->in_highest;

	if (d >= REWRITE_WINDOW) {
		memset(w->seen, 0, sizeof(w->seen));
	} else {
		for (uint64_t e = w->in_highest + 1; e < ext; e++) {
			unsigned i = e % REWRITE_WINDOW;
			w->seen[i / 8] &= (uint8_t)~(1u << i % 8);
		}
	}
	w->in_highest = ext;
	see(w, (uint16_t)ext);
}

static uint32_t elapsed_ticks(const struct rewrite *w, uint64_t arrival_ns)
{
	uint64_t ns = arrival_ns > w->out_ns ? arrival_ns - w->out_ns : 0;

	return (uint32_t)MIN(ns_to_ticks(ns, w->clock_hz), MAX_ELAPSED);
}

/* The frame's number in the source's terms, on the 15-bit circle. Of a
 * source that has none, newer packets with another timestamp count up. */
static int frame_id(const struct rewrite *w, const struct rewrite_in *in,
	bool newest, uint16_t *id)
{
	const struct vp8 *v = in->vp8;
	const struct rewrite_ids *n = &w->ids;
	unsigned next = n->in;

	if (v->has_picture_id && v->picture_id_15) {
		next = v->picture_id;
	} else if (v->has_picture_id) {
		next += (unsigned)id_diff(v->picture_id, n->in, 7);
	} else if (newest) {
		next += in->rtp_ts != w->in_ts;
	} else if (in->rtp_ts != w->in_ts) {
		if (in->rtp_ts != n->prev_ts)
			return -ESTALE;
		next--;
	}
	*id = (uint16_t)(next & ID_MASK);
	return 0;
}

static void write_tl0(struct rewrite_ids *n, const struct vp8 *v,
	struct rewrite_out *out)
{
	if (!v->has_tl0picidx)
		return;
	if (!n->tl0_set) {
		uint8_t first = n->tl0_known ? (uint8_t)(n->tl0_out + 1)
					     : v->tl0picidx;
		n->tl0_shift = (uint8_t)(v->tl0picidx - first);
		n->tl0_set = true;
	}
	out->tl0picidx = (uint8_t)(v->tl0picidx - n->tl0_shift);
}

/* Notes what goes out, from which the next source goes on. A late packet may
 * be the newest that was sent, when those behind it were dropped. */
static void note(struct rewrite *w, const struct rewrite_in *in,
	const struct rewrite_out *out)
{
	if (!seq_newer(out->seq, w->out_seq))
		return;
	if (out->rtp_ts != w->out_ts)
		w->out_ns = in->arrival_ns;
	w->out_seq = out->seq;
	w->out_ts = out->rtp_ts;
	if (!in->vp8)
		return;
	w->ids.out = out->picture_id;
	if (in->vp8->has_tl0picidx) {
		w->ids.tl0_out = out->tl0picidx;
		w->ids.tl0_known = true;
	}
}

/* The first packet of a source. */
static int anchor(struct rewrite *w, const struct rewrite_in *in,
	struct rewrite_out *out)
{
	uint32_t ticks = w->started ? elapsed_ticks(w, in->arrival_ns) : 0;

	*out = (struct rewrite_out){
		.seq = (uint16_t)(w->out_seq + 1),
		.rtp_ts = w->out_ts + (w->started ? MAX(ticks, 1) : 0),
		.restarted = true,
	};
	w->in_first = w->in_highest = EXT_START + in->seq;
	w->in_first_ts = w->in_ts = w->ids.prev_ts = in->rtp_ts;
	memset(w->seen, 0, sizeof(w->seen));
	see(w, in->seq);
	memset(w->drops, 0, sizeof(w->drops));
	w->shift = (uint16_t)(in->seq - out->seq);
	w->ts_shift = in->rtp_ts - out->rtp_ts;
	w->dropping = w->bad = false;
	w->started = w->anchored = true;
	w->out_ns = in->arrival_ns;
	w->ids.tl0_set = false;
	if (in->vp8) {
		out->picture_id = (w->ids.out + 1u) & ID_MASK;
		w->ids.in = in->vp8->has_picture_id ? in->vp8->picture_id : 0;
		w->ids.shift = (uint16_t)(w->ids.in - out->picture_id);
		write_tl0(&w->ids, in->vp8, out);
	}
	note(w, in, out);
	return 0;
}

/* True if the timestamp cannot be of the clock that ran until now. */
static bool off_clock(const struct rewrite *w, const struct rewrite_in *in)
{
	int64_t max = (int64_t)w->clock_hz * REWRITE_MAX_SKEW_S;
	int64_t d = ts_diff(in->rtp_ts, w->in_ts);

	return d > max + elapsed_ticks(w, in->arrival_ns) || d < -max;
}

/* What to do with a packet: an enum verdict, or the error that refuses it. */
static int judge(struct rewrite *w, const struct rewrite_in *in)
{
	int d = seq_diff(in->seq, (uint16_t)w->in_highest);
	bool skewed = off_clock(w, in);
	bool leap = d > REWRITE_MAX_JUMP || d <= -REWRITE_WINDOW ||
		(d <= 0 && skewed);

	if (leap) {
		bool confirmed = w->bad && in->seq == w->bad_seq;

		w->bad = true;
		w->bad_seq = (uint16_t)(in->seq + 1);
		return confirmed ? ANEW : -ESTALE;
	}
	if (d > 0)
		return skewed || ts_diff(in->rtp_ts, w->in_ts) < 0 ? ANEW
								   : NEWEST;
	if (seq_extend(in->seq, w->in_highest) < w->in_first)
		return -ESTALE;
	if (seen(w, in->seq))
		return -EALREADY;
	if (ts_diff(in->rtp_ts, w->in_ts) > 0)
		return -ESTALE;
	/* Further on, the first timestamp may be half a circle away. */
	if (w->in_highest - w->in_first < REWRITE_WINDOW &&
		ts_diff(in->rtp_ts, w->in_first_ts) < 0)
		return -ESTALE;
	return LATE;
}

static int newest(struct rewrite *w, const struct rewrite_in *in,
	struct rewrite_out *out)
{
	uint16_t id = 0;

	if (in->vp8) {
		frame_id(w, in, true, &id);
		w->ids.in = id;
		out->picture_id = (id - w->ids.shift) & ID_MASK;
		write_tl0(&w->ids, in->vp8, out);
	}
	out->seq = (uint16_t)(in->seq - w->shift);
	out->rtp_ts = in->rtp_ts - w->ts_shift;
	advance(w, seq_extend(in->seq, w->in_highest));
	if (in->rtp_ts != w->in_ts) {
		w->ids.prev_ts = w->in_ts;
		w->in_ts = in->rtp_ts;
	}
	w->dropping = w->bad = false;
	note(w, in, out);
	return 0;
}

/* The shifts that held for a late packet. */
static void shifts_at(const struct rewrite *w, uint64_t ext, uint16_t *shift,
	uint16_t *id_shift)
{
	uint64_t best = UINT64_MAX;

	*shift = w->shift;
	*id_shift = w->ids.shift;
	for (unsigned i = 0; i < REWRITE_DROPS; i++) {
		const struct rewrite_shift *d = &w->drops[i];
		if (d->before > ext && d->before < best) {
			best = d->before;
			*shift = d->shift;
			*id_shift = d->id_shift;
		}
	}
}

static int late(struct rewrite *w, const struct rewrite_in *in,
	struct rewrite_out *out)
{
	uint16_t id = 0, shift, id_shift;
	int32_t ahead;
	int rc;

	shifts_at(w, seq_extend(in->seq, w->in_highest), &shift, &id_shift);
	out->seq = (uint16_t)(in->seq - shift);
	out->rtp_ts = in->rtp_ts - w->ts_shift;
	ahead = ts_diff(out->rtp_ts, w->out_ts);
	if (seq_newer(out->seq, w->out_seq) ? ahead < 0 : ahead > 0)
		return -ESTALE;
	if (in->vp8) {
		rc = frame_id(w, in, false, &id);
		if (rc < 0)
			return rc;
		out->picture_id = (id - id_shift) & ID_MASK;
		write_tl0(&w->ids, in->vp8, out);
	}
	see(w, in->seq);
	note(w, in, out);
	return 0;
}

int rewrite_packet(struct rewrite *w, const struct rewrite_in *in,
	struct rewrite_out *out)
{
	int what;

	if (!w->anchored)
		return anchor(w, in, out);
	*out = (struct rewrite_out){0};
	what = judge(w, in);
	if (what < 0)
		return what;
	if (what == ANEW)
		return anchor(w, in, out);
	return what == NEWEST ? newest(w, in, out) : late(w, in, out);
}

/* Remembers the shifts of before this gap for packets that come late. */
static void keep_shift(struct rewrite *w, uint64_t ext)
{
	struct rewrite_shift *d = &w->drops[w->drop_next++ % REWRITE_DROPS];

	w->in_first = MAX(w->in_first, d->before);
	*d = (struct rewrite_shift){
		.before = ext,
		.shift = w->shift,
		.id_shift = w->ids.shift,
	};
}

int rewrite_drop(struct rewrite *w, const struct rewrite_in *in)
{
	uint64_t ext;
	int what;

	if (!w->anchored)
		return 0;
	what = judge(w, in);
	if (what < 0)
		return what;
	if (what == ANEW) {
		w->anchored = false;
		return 0;
	}
	if (what == LATE) {
		see(w, in->seq);
		return 0;
	}
	ext = seq_extend(in->seq, w->in_highest);
	if (!w->dropping || ext != w->in_highest + 1)
		keep_shift(w, ext);
	if (in->vp8) {
		uint16_t id;

		frame_id(w, in, true, &id);
		if (id_diff(id, w->ids.in, 15) > 0) {
			w->ids.in = id;
			w->ids.shift = (w->ids.shift + 1u) & ID_MASK;
		}
	}
	w->shift++;
	advance(w, ext);
	if (in->rtp_ts != w->in_ts) {
		w->ids.prev_ts = w->in_ts;
		w->in_ts = in->rtp_ts;
	}
	w->dropping = true;
	w->bad = false;
	return 0;
}

size_t rewrite_vp8(uint8_t out[static REWRITE_MAX_VP8], const struct vp8 *v,
	const struct rewrite_out *ids)
{
	struct vp8 d = *v;
	int n;

	d.has_picture_id = d.picture_id_15 = true;
	d.picture_id = ids->picture_id;
	d.tl0picidx = ids->tl0picidx;
	n = vp8_write(out, REWRITE_MAX_VP8, &d);
	return n < 0 ? 0 : (size_t)n;
}
