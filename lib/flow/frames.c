#include "frames.h"

#include "base.h"
#include "flow.h"
#include "wire.h"

/* A packet that is held. Blocks are used again in turn: a stream without
 * holes lives in a frame's worth of them. */
struct block {
	struct block *free_next;
	uint64_t seq; /* extended */
	uint64_t arrival_ns;
	uint32_t rtp_ts;
	bool marker, start, key;
	uint16_t width, height;
	size_t len;
	uint8_t data[FRAMES_MAX_PAYLOAD];
};

struct frames {
	enum frames_codec codec;
	uint64_t wait_ns;
	bool started;
	uint64_t next; /* the first that was not given or given up */
	uint64_t end;  /* behind the newest; extended, from 1 << 32 on */
	uint64_t gone; /* holes below it are not waited for */
	bool skip;     /* gone is to be the next new packet */
	bool leapt;    /* leap_seq would confirm a leap */
	uint16_t leap_seq;
	unsigned lost;
	struct block *slots[FRAMES_WINDOW];
	struct block *pool;
	struct buf out;
};

struct frames *frames_new(enum frames_codec codec, uint64_t wait_ns)
{
	struct frames *f = calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	f->codec = codec;
	f->wait_ns = wait_ns;
	return f;
}

void frames_free(struct frames *f)
{
	if (!f)
		return;
	for (size_t i = 0; i < FRAMES_WINDOW; i++)
		free(f->slots[i]);
	while (f->pool) {
		struct block *b = f->pool;

		f->pool = b->free_next;
		free(b);
	}
	buf_free(&f->out);
	free(f);
}

static struct block **slot(struct frames *f, uint64_t seq)
{
	return &f->slots[seq % FRAMES_WINDOW];
}

/* The packet with that number, if it is held. */
static struct block *held(const struct frames *f, uint64_t seq)
{
	struct block *b = f->slots[seq % FRAMES_WINDOW];

	return b && b->seq == seq ? b : NULL;
}

static struct block *block_new(struct frames *f)
{
	struct block *b = f->pool;

	if (!b)
		return malloc(sizeof(*b));
	f->pool = b->free_next;
	return b;
}

static void block_done(struct frames *f, struct block *b)
{
	b->free_next = f->pool;
	f->pool = b;
}

/* Takes the oldest number away, whether its packet is here or not. */
static void drop_one(struct frames *f)
{
	struct block **s = slot(f, f->next);

	if (held(f, f->next)) {
		block_done(f, *s);
		*s = NULL;
	} else {
		f->lost++;
	}
	f->next++;
}

static void drop_until(struct frames *f, uint64_t seq)
{
	while (f->next < seq && f->next < f->end)
		drop_one(f);
	if (f->next < seq) {
		f->lost += (unsigned)(seq - f->next);
		f->next = seq;
	}
}

/* Where the packet stands, in *seq. Begins the stream, or begins it anew
 * when two packets in sequence are far off. */
static int place(struct frames *f, uint16_t seq, uint64_t *out)
{
	uint64_t first = (UINT64_C(1) << 32) + seq;
	int ahead;

	if (!f->started) {
		f->started = true;
		f->next = f->end = *out = first;
		return 0;
	}
	ahead = seq_diff(seq, (uint16_t)(f->end - 1));
	if (ahead <= FRAMES_MAX_JUMP && ahead > -(int)FRAMES_WINDOW) {
		f->leapt = false;
		*out = f->end - 1 + (uint64_t)(int64_t)ahead;
		return *out < f->next ? -ESTALE : 0;
	}
	if (!f->leapt || seq != f->leap_seq) {
		f->leapt = true;
		f->leap_seq = (uint16_t)(seq + 1);
		return -ESTALE;
	}
	drop_until(f, f->end);
	f->lost++; /* at least the packet that was not believed */
	f->leapt = f->skip = false;
	f->next = f->end = *out = first;
	f->gone = 0;
	return 0;
}

static int look_inside(const struct frames *f, const struct frames_packet *p,
	struct block *b)
{
	struct vp8 v = {.frame_start = true, .key = true};

	if (f->codec == FRAMES_OPUS)
		b->marker = true;
	else if (p->len && vp8_parse(&v, p->payload, p->len))
		return -EBADMSG;
	b->start = v.frame_start;
	b->key = v.key;
	b->width = v.width;
	b->height = v.height;
	b->len = p->len - v.header_len;
	if (b->len)
		memcpy(b->data, p->payload + v.header_len, b->len);
	return 0;
}

int frames_put(struct frames *f, const struct frames_packet *p)
{
	struct block *b;
	uint64_t seq;
	int rc = place(f, p->seq, &seq);

	if (rc)
		return rc;
	if (seq < f->end && held(f, seq))
		return -EALREADY;
	if (p->len > FRAMES_MAX_PAYLOAD)
		return -EMSGSIZE;
	b = block_new(f);
	if (!b)
		return -ENOMEM;
	b->seq = seq;
	b->arrival_ns = p->arrival_ns;
	b->rtp_ts = p->rtp_ts;
	b->marker = p->marker;
	rc = look_inside(f, p, b);
	if (rc) {
		block_done(f, b);
		return rc;
	}
	if (seq >= f->end) {
		if (f->skip)
			f->gone = seq;
		f->skip = false;
		if (seq >= f->next + FRAMES_WINDOW)
			drop_until(f, seq - FRAMES_WINDOW + 1);
		f->end = seq + 1;
	}
	*slot(f, seq) = b;
	return 0;
}

/* The first number from at on that is held; there is one, since the newest
 * packet is. */
static uint64_t behind_hole(const struct frames *f, uint64_t at)
{
	while (!held(f, at))
		at++;
	return at;
}

/* The number behind the frame that begins at f->next, 0 if its end is not
 * known yet. *hole is where a packet is missing that decides it, or 0. */
static uint64_t frame_end(const struct frames *f, uint64_t *hole)
{
	const struct block *first = NULL;

	*hole = 0;
	for (uint64_t at = f->next; at < f->end; at++) {
		const struct block *b = held(f, at);

		if (!b) {
			*hole = at;
			return 0;
		}
		if (first && b->rtp_ts != first->rtp_ts)
			return at;
		if (b->marker)
			return at + 1;
		if (!first)
			first = b;
	}
	return 0;
}

static uint64_t hole_deadline(const struct frames *f, uint64_t hole)
{
	const struct block *b = held(f, behind_hole(f, hole));

	return b->seq <= f->gone ? 0 : b->arrival_ns + f->wait_ns;
}

/* Copies the packets up to end together. False if that is no frame. */
static bool assemble(struct frames *f, uint64_t end, struct frame *out)
{
	const struct block *first = NULL;

	buf_clear(&f->out);
	*out = (struct frame){0};
	for (uint64_t at = f->next; at < end; at++) {
		const struct block *b = held(f, at);

		if (!b->len)
			continue;
		if (!first) {
			if (!b->start)
				return false;
			first = b;
		}
		buf_put(&f->out, b->data, b->len);
	}
	if (!first)
		return false;
	if (f->out.err) {
		f->lost++;
		return false;
	}
	*out = (struct frame){.data = f->out.data, .len = f->out.len,
		.rtp_ts = first->rtp_ts, .arrival_ns = first->arrival_ns,
		.key = first->key, .width = first->width,
		.height = first->height, .lost = f->lost};
	f->lost = 0;
	return true;
}

bool frames_next(struct frames *f, uint64_t now_ns, struct frame *out)
{
	while (f->next < f->end) {
		uint64_t hole, end = frame_end(f, &hole);
		bool whole;

		if (hole) {
			if (now_ns < hole_deadline(f, hole))
				return false;
			drop_until(f, behind_hole(f, hole));
			continue;
		}
		if (!end)
			return false;
		whole = assemble(f, end, out);
		drop_until(f, end);
		if (whole)
			return true;
	}
	return false;
}

uint64_t frames_deadline(const struct frames *f)
{
	uint64_t hole;

	if (f->next == f->end)
		return FLOW_NEVER;
	frame_end(f, &hole);
	return hole ? hole_deadline(f, hole) : FLOW_NEVER;
}

unsigned frames_missing(const struct frames *f, uint16_t *seqs, unsigned max)
{
	unsigned n = 0;

	for (uint64_t at = MAX(f->next, f->gone); at < f->end && n < max; at++)
		if (!held(f, at))
			seqs[n++] = (uint16_t)at;
	return n;
}

void frames_skip(struct frames *f)
{
	f->skip = true;
}
