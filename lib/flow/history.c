/* history - a ring of records in order of sending, a ring of their bytes,
 * and an index by sequence number. */
#include "base.h"
#include "flow.h"

#define FIRST_BYTES 8192u

struct rec {
	uint64_t put_ns;
	uint64_t again_ns; /* last sent again; 0 never */
	size_t at;         /* in data */
	uint32_t rtp_ts;
	uint32_t len;
	uint16_t seq;
	bool marker;
};

struct history {
	size_t max_packets;
	size_t max_bytes;
	struct rec *recs;  /* max_packets; NULL until the first put */
	uint16_t *index;   /* sequence number % max_packets: record + 1 */
	uint64_t head;     /* records put, ever */
	uint64_t tail;     /* records dropped, ever */
	uint8_t *data;
	size_t cap;
	size_t end;        /* where the newest record's bytes end */
	size_t used;       /* payload bytes */
	size_t budget_x100; /* bytes that may be sent again, times 100 */
};

struct history *history_new(size_t max_packets, size_t max_bytes)
{
	struct history *h;
	size_t n = 1;

	if (!max_packets || max_packets > HISTORY_MAX_PACKETS || !max_bytes) {
		errno = EINVAL;
		return NULL;
	}
	while (n < max_packets)
		n *= 2;
	h = calloc(1, sizeof(*h));
	if (!h)
		return NULL;
	h->max_packets = n;
	h->max_bytes = max_bytes;
	h->budget_x100 = HISTORY_BURST_BYTES * 100;
	return h;
}

void history_free(struct history *h)
{
	if (!h)
		return;
	free(h->recs);
	free(h->index);
	free(h->data);
	free(h);
}

static struct rec *rec_at(const struct history *h, uint64_t i)
{
	return &h->recs[i & (h->max_packets - 1)];
}

static struct rec *find(const struct history *h, uint16_t seq)
{
	struct rec *r;
	size_t i;

	if (!h->recs)
		return NULL;
	i = h->index[seq & (h->max_packets - 1)];
	if (!i)
		return NULL;
	r = &h->recs[i - 1];
	return r->seq == seq ? r : NULL;
}

static void drop_oldest(struct history *h)
{
	struct rec *r = rec_at(h, h->tail);
	uint16_t *slot = &h->index[r->seq & (h->max_packets - 1)];

	if (*slot == (h->tail & (h->max_packets - 1)) + 1)
		*slot = 0;
	h->used -= r->len;
	h->tail++;
}

void history_clear(struct history *h)
{
	while (h->tail != h->head)
		drop_oldest(h);
}

/* Finds room for len bytes in one piece between what is held. */
static bool place(const struct history *h, size_t len, size_t *at)
{
	size_t first;

	*at = 0;
	if (h->tail == h->head)
		return len <= h->cap;
	first = rec_at(h, h->tail)->at;
	*at = h->end;
	if (h->end <= first) /* the bytes held wrap around */
		return first - h->end >= len;
	if (h->cap - h->end >= len)
		return true;
	*at = 0;
	return first >= len;
}

/* Doubles the bytes and lays out what is held from the start. */
static bool grow(struct history *h, size_t len)
{
	size_t cap = MAX(h->cap * 2, FIRST_BYTES), at = 0;
	uint8_t *data;

	while (cap < h->used + len)
		cap *= 2;
	cap = MIN(cap, h->max_bytes);
	if (cap <= h->cap || cap < h->used + len)
		return false;
	data = malloc(cap);
	if (!data)
		return false;
	for (uint64_t i = h->tail; i != h->head; i++) {
		struct rec *r = rec_at(h, i);
		memcpy(data + at, h->data + r->at, r->len);
		r->at = at;
		at += r->len;
	}
	free(h->data);
	h->data = data;
	h->cap = cap;
	h->end = at;
	return true;
}

static int make_tables(struct history *h)
{
	if (h->recs)
		return 0;
	h->index = calloc(h->max_packets, sizeof(*h->index));
	h->recs = calloc(h->max_packets, sizeof(*h->recs));
	if (h->index && h->recs)
		return 0;
	free(h->index);
	free(h->recs);
	h->index = NULL;
	h->recs = NULL;
	return -ENOMEM;
}

/* Makes room, by growing while the oldest is still worth keeping. */
static int make_room(struct history *h, size_t len, uint64_t now_ns,
	size_t *at)
{
	while (h->tail != h->head &&
		rec_at(h, h->tail)->put_ns + HISTORY_KEEP_NS < now_ns)
		drop_oldest(h);
	if (h->head - h->tail == h->max_packets)
		drop_oldest(h);
	while (!place(h, len, at)) {
		if (grow(h, len))
			continue;
		if (h->tail == h->head)
			return -ENOMEM;
		drop_oldest(h);
	}
	return 0;
}

int history_put(struct history *h, const struct history_packet *p,
	uint64_t now_ns)
{
	size_t at, most;
	struct rec *r;
	int rc;

	if (p->len > h->max_bytes || p->len > UINT32_MAX)
		return -EMSGSIZE;
	rc = make_tables(h);
	if (rc < 0)
		return rc;
	if (find(h, p->seq))
		return -EALREADY;
	rc = make_room(h, MAX(p->len, 1), now_ns, &at);
	if (rc < 0)
		return rc;
	r = rec_at(h, h->head);
	*r = (struct rec){
		.put_ns = now_ns,
		.at = at,
		.rtp_ts = p->rtp_ts,
		.len = (uint32_t)p->len,
		.seq = p->seq,
		.marker = p->marker,
	};
	h->index[p->seq & (h->max_packets - 1)] =
		(uint16_t)((h->head & (h->max_packets - 1)) + 1);
	if (p->len)
		memcpy(h->data + at, p->payload, p->len);
	h->end = at + p->len;
	h->used += p->len;
	h->head++;
	most = MAX(HISTORY_BURST_BYTES * 100,
		h->used * HISTORY_BUDGET_PERCENT);
	h->budget_x100 = MIN(most,
		h->budget_x100 + p->len * HISTORY_BUDGET_PERCENT);
	return 0;
}

static void lend(const struct history *h, const struct rec *r,
	struct history_packet *out)
{
	*out = (struct history_packet){
		.seq = r->seq,
		.rtp_ts = r->rtp_ts,
		.marker = r->marker,
		.payload = h->data + r->at,
		.len = r->len,
	};
}

bool history_get(const struct history *h, uint16_t seq,
	struct history_packet *out)
{
	const struct rec *r = find(h, seq);

	if (r)
		lend(h, r, out);
	return r;
}

int history_resend(struct history *h, uint16_t seq, uint64_t rtt_ns,
	uint64_t now_ns, struct history_packet *out)
{
	struct rec *r = find(h, seq);
	size_t cost;

	if (!r)
		return -ENOENT;
	if (r->again_ns && now_ns < r->again_ns + rtt_ns)
		return -EAGAIN;
	cost = ((size_t)r->len + 2) * 100;
	if (cost > h->budget_x100)
		return -EDQUOT;
	h->budget_x100 -= cost;
	r->again_ns = MAX(now_ns, 1);
	lend(h, r, out);
	return 0;
}

size_t history_packets(const struct history *h)
{
	return (size_t)(h->head - h->tail);
}

size_t history_bytes(const struct history *h)
{
	return h->used;
}

int history_rtx_write(uint8_t *out, size_t cap,
	const struct history_packet *p)
{
	if (cap < p->len + 2)
		return -ENOBUFS;
	be16_put(out, p->seq);
	if (p->len)
		memcpy(out + 2, p->payload, p->len);
	return (int)(p->len + 2);
}

int history_rtx_read(const uint8_t *p, size_t n, uint16_t *osn,
	const uint8_t **payload, size_t *len)
{
	if (n < 2)
		return -EBADMSG;
	*osn = be16(p);
	*payload = p + 2;
	*len = n - 2;
	return 0;
}
