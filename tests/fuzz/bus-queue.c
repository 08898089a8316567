/* A queue of two tracks of video and one of sound under the acts that the
 * input has, two bytes each. What leaves it are whole frames in order, but
 * for those of more than MAX_FRAME packets; after a hole comes a key frame;
 * what was put is what left, waits or was counted as dropped; and no bound is
 * passed. */
#include "bus_queue_priv.h"
#include "fuzz.h"
#include "wire.h"

#define MAX_COUNT 24u
#define MAX_BYTES 2000u
#define MAX_FRAME 8u

static struct sender {
	uint32_t frame;
	unsigned nth, of; /* packets of the frame that is being put */
	bool key, giant;
	uint64_t put;
} senders[3];

static struct reader {
	uint32_t ts;
	unsigned nth;   /* packets of frame ts that came */
	bool any, open; /* ts has not ended */
	bool torn;
	uint64_t got;
} readers[3];

static struct bus_stats stats;
static struct bus_queue q;
static uint64_t now;

/* The payload says which packet of how many it is. */
static void next_packet(unsigned track, uint8_t arg, struct bus_packet *k,
	uint8_t *mem)
{
	static const uint8_t key[] = {0x10, 0x10, 2, 0, 0x9d, 1, 0x2a, 0x80, 2,
		0x68, 1};
	struct sender *s = &senders[track];
	struct rtp h = {.pt = 96, .ssrc = track};
	size_t n;

	if (s->nth == s->of) {
		s->frame++;
		s->nth = 0;
		s->key = arg & 0x80;
		s->giant = arg == 0x7f;
		s->of = track == 2 ? 1 : s->giant ? 60 : 1 + arg % 5;
	}
	h.ts = s->frame * 3000;
	h.marker = ++s->nth == s->of;
	n = (size_t)rtp_write(mem, 200, &h);
	memset(mem + n, 0, 30);
	mem[n] = s->nth == 1 ? 0x10 : 0;
	mem[n + 1] = 0x11;
	if (s->key && s->nth == 1)
		memcpy(mem + n, key, sizeof(key));
	mem[n + 11] = (uint8_t)s->nth;
	mem[n + 12] = (uint8_t)s->of;
	mem[n + 13] = s->key;
	CHECK(!bus_packet_rtp(k, track == 2 ? BUS_OPUS : BUS_VP8, mem,
		n + 14 + arg % 16, now));
	s->put++;
}

static void arrives(unsigned track, const uint8_t *p, size_t n)
{
	struct reader *r = &readers[track];
	struct rtp h;
	unsigned nth, of;

	CHECK(!rtp_parse(&h, p, n));
	nth = h.payload[11];
	of = h.payload[12];
	r->got++;
	if (!r->open || h.ts != r->ts) {
		/* Another frame: the one before was whole, or too large. */
		CHECK(!r->open || r->torn);
		CHECK(nth == 1);
		CHECK(!r->any || (int32_t)(h.ts - r->ts) > 0);
		if (track < 2 && r->any && h.ts != r->ts + 3000)
			CHECK(h.payload[13]);
		r->nth = 0;
	}
	r->any = true;
	r->ts = h.ts;
	CHECK(nth == ++r->nth);
	r->open = nth < of;
	r->torn = of > MAX_FRAME;
}

static void put(unsigned track, uint8_t arg)
{
	struct bus_flow *f = bus_queue_flow(&q, track);
	struct bus_packet k;
	uint8_t mem[200];

	next_packet(track, arg, &k, mem);
	/* As a link does: past the queue if there is nobody in it. */
	if (!bus_queue_head(&q) && arg % 3 && bus_queue_passes(f, &k)) {
		bus_queue_sent(f, &k);
		arrives(track, k.data, k.len);
	} else {
		bus_queue_put(&q, f, &k, now);
	}
	bus_packet_done(&k);
}

static void take(void)
{
	struct bus_entry *e = bus_queue_head(&q);

	if (!e)
		return;
	if (e->kind != BUS_JSON)
		arrives(e->flow->track, e->body->data, e->body->len);
	bus_queue_pop(&q);
}

static void check(void)
{
	uint64_t waits[3] = {0}, dropped = 0, put_in = 0, out = 0, in = 0;
	size_t bytes = 0;

	for (struct list *l = q.all.next; l != &q.all; l = l->next) {
		struct bus_entry *e = list_entry(l, struct bus_entry, all);

		if (e->kind == BUS_JSON)
			continue;
		waits[e->flow->track]++;
		bytes += e->body->len;
	}
	CHECK(bytes == q.bytes && q.bytes <= MAX_BYTES);
	CHECK(q.count == waits[0] + waits[1] + waits[2]);
	CHECK(q.count <= MAX_COUNT);
	for (unsigned i = 0; i < 3; i++) {
		dropped += bus_queue_flow(&q, i)->packets;
		put_in += senders[i].put;
		out += readers[i].got;
		in += waits[i];
	}
	CHECK(dropped == stats.dropped_packets);
	CHECK(put_in == out + in + dropped);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	memset(senders, 0, sizeof(senders));
	memset(readers, 0, sizeof(readers));
	stats = (struct bus_stats){0};
	now = 0;
	bus_queue_init(&q, &stats);
	q.max_count = MAX_COUNT;
	q.max_bytes = MAX_BYTES;
	q.max_frame = MAX_FRAME;
	for (unsigned i = 0; i < 3; i++)
		CHECK(!bus_queue_open(&q, i, i == 2 ? BUS_OPUS : BUS_VP8));
	for (size_t i = 0; i + 1 < n; i += 2) {
		switch (p[i] % 8) {
		case 0:
		case 1:
		case 2:
			put(p[i] % 8, p[i + 1]);
			break;
		case 3:
		case 4:
			for (unsigned k = 0; k <= p[i + 1] % 8; k++)
				take();
			break;
		case 5:
			now += p[i + 1] * NS_PER_MS;
			break;
		case 6:
			now += p[i + 1] % 40 * NS_PER_MS;
			bus_queue_expire(&q, now);
			break;
		default:
			bus_queue_put_json(&q, NULL, false,
				bus_body_new("{}", 2));
			break;
		}
		check();
	}
	bus_queue_free(&q);
	return 0;
}
