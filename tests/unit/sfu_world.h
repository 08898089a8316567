/* sfu_world - a relay's core with one room "r", whose callbacks write down
 * what they are told, one line each, for tests to compare.
 *
 *   track alice cam started       assigned bob 3 alice cam
 *   keyframe alice cam h          assigned bob 3 -
 *   live bob 3 alice cam          grow bob
 *   talk alice,bob                closed bob replaced
 *
 * A transport's user is the name of its endpoint. What is sent is kept in
 * sent[], the newest clock of each slot in clocks[].
 */
#ifndef SFU_WORLD_H
#define SFU_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base.h"
#include "wire.h"
#include "flow.h"
#include "sfu.h"

#define MS NS_PER_MS

struct sent {
	const char *to;
	unsigned slot;
	uint16_t seq;
	uint32_t rtp_ts;
	bool marker;
	int level;
	uint8_t payload[SFU_MAX_PAYLOAD];
	size_t len;
	uint32_t live_ts; /* of the slot.live before it; else 0 */
};

static struct sfu *sfu;
static uint64_t now;
static char told[8192];
static struct sent sent[256];
static unsigned n_sent;
static uint32_t live_ts;
static struct {
	uint32_t rtp_ts;
	uint64_t at_ns;
} clocks[SFU_SLOTS_MANY];

PRINTF(1, 2) static inline void tell(const char *fmt, ...)
{
	size_t n = strlen(told);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(told + n, sizeof(told) - n, fmt, ap);
	va_end(ap);
}

static inline void on_send(void *arg, void *user, unsigned slot,
	const struct sfu_packet *p)
{
	struct sent *s = &sent[n_sent++ % ARRAY_LEN(sent)];

	(void)arg;
	*s = (struct sent){
		.to = user,
		.slot = slot,
		.seq = p->seq,
		.rtp_ts = p->rtp_ts,
		.marker = p->marker,
		.level = p->level,
		.len = p->len,
		.live_ts = live_ts,
	};
	assert_true(p->len <= SFU_MAX_PAYLOAD);
	memcpy(s->payload, p->payload, p->len);
	live_ts = 0;
}

static inline void on_keyframe(void *arg, void *user, enum sfu_source source,
	enum sfu_layer layer)
{
	(void)arg;
	tell("keyframe %s %s %c\n", (char *)user, sfu_source_name(source),
		"qhf"[layer]);
}

static inline void on_track(void *arg, const char *room, const char *endpoint,
	enum sfu_source source, bool started)
{
	(void)arg;
	(void)room;
	tell("track %s %s %s\n", endpoint, sfu_source_name(source),
		started ? "started" : "stopped");
}

static inline void on_assigned(void *arg, void *user, unsigned slot,
	const char *from, enum sfu_source source)
{
	(void)arg;
	assert_int_equal(source, sfu_slot_source(slot));
	if (from)
		tell("assigned %s %u %s %s\n", (char *)user, slot, from,
			sfu_source_name(source));
	else
		tell("assigned %s %u -\n", (char *)user, slot);
}

static inline void on_live(void *arg, void *user, unsigned slot,
	const char *from, enum sfu_source source, uint32_t rtp_ts)
{
	(void)arg;
	live_ts = rtp_ts;
	tell("live %s %u %s %s\n", (char *)user, slot, from,
		sfu_source_name(source));
}

static inline void on_clock(void *arg, void *user, unsigned slot,
	uint32_t rtp_ts, uint64_t at_ns)
{
	(void)arg;
	(void)user;
	clocks[slot].rtp_ts = rtp_ts;
	clocks[slot].at_ns = at_ns;
}

static inline void on_talk(void *arg, const char *room,
	const struct sfu_level *l, size_t n)
{
	(void)arg;
	(void)room;
	tell("talk ");
	for (size_t i = 0; i < n; i++)
		tell("%s%s", i ? "," : "", l[i].endpoint);
	tell("\n");
}

static inline void on_grow(void *arg, void *user)
{
	(void)arg;
	tell("grow %s\n", (char *)user);
}

static inline void on_closed(void *arg, void *user, const char *reason)
{
	(void)arg;
	tell("closed %s %s\n", (char *)user, reason);
}

static const struct sfu_events world_events = {
	.send = on_send,
	.keyframe = on_keyframe,
	.track = on_track,
	.assigned = on_assigned,
	.live = on_live,
	.clock = on_clock,
	.talk = on_talk,
	.grow = on_grow,
	.closed = on_closed,
};

static inline int world_setup(void **state)
{
	(void)state;
	now = 1000 * NS_PER_S;
	told[0] = '\0';
	n_sent = 0;
	live_ts = 0;
	memset(clocks, 0, sizeof(clocks));
	sfu = sfu_new(&world_events, NULL, 1);
	return sfu ? sfu_room_create(sfu, "r", 1) : -1;
}

static inline int world_teardown(void **state)
{
	(void)state;
	sfu_free(sfu);
	sfu = NULL;
	return 0;
}

/* What was told since the last time, exactly. */
static inline void expect(const char *lines)
{
	assert_string_equal(told, lines);
	told[0] = '\0';
}

static inline void forget(void)
{
	told[0] = '\0';
	n_sent = 0;
}

static inline void grant(const char *who, unsigned muted)
{
	struct sfu_grant g = {0xf, (uint8_t)muted, true};

	assert_int_equal(sfu_endpoint_grant(sfu, "r", who, &g, now), 0);
}

static inline struct sfu_transport *publish(const char *who)
{
	struct sfu_transport *t = NULL;

	grant(who, 0);
	assert_int_equal(sfu_transport_new(sfu, "r", who, SFU_PUBLISH, "t_p",
		0, (void *)(uintptr_t)who, now, &t), 0);
	sfu_transport_ready(sfu, t, now);
	return t;
}

static inline struct sfu_transport *subscribe(const char *who)
{
	struct sfu_transport *t = NULL;

	grant(who, 0);
	assert_int_equal(sfu_transport_new(sfu, "r", who, SFU_SUBSCRIBE,
		"t_s", SFU_SLOTS_FEW, (void *)(uintptr_t)who, now, &t), 0);
	sfu_transport_ready(sfu, t, now);
	return t;
}

/* Time goes on in steps of 10 ms, timers are served. */
static inline void wait_ms(unsigned ms)
{
	for (uint64_t end = now + ms * MS; now < end;) {
		now += MIN(10 * MS, end - now);
		if (now >= sfu_deadline(sfu))
			sfu_tick(sfu, now);
	}
}

static inline void audio(struct sfu_transport *t, uint16_t seq, int level)
{
	const uint8_t opus[] = {0xfc, (uint8_t)(seq >> 8), (uint8_t)seq};
	struct sfu_packet p = {
		.seq = seq,
		.rtp_ts = seq * 960u,
		.level = level,
		.payload = opus,
		.len = sizeof(opus),
		.arrival_ns = now,
	};

	sfu_rtp(sfu, t, SFU_MIC, SFU_LAYER_H, &p, now);
}

/* One packet of frame n (3,000 ticks each), with a 15-bit picture id. */
static inline void frame(struct sfu_transport *t, enum sfu_source source,
	enum sfu_layer layer, uint16_t seq, unsigned n, bool key)
{
	const uint8_t vp8[] = {0x90, 0x80, (uint8_t)(0x80 | n >> 8),
		(uint8_t)n, key ? 0x10 : 0x11, 0, 0, 0x9d, 0x01, 0x2a,
		0x80, 0x02, 0x68, 0x01};
	struct sfu_packet p = {
		.seq = seq,
		.rtp_ts = n * 3000u,
		.marker = true,
		.level = -1,
		.payload = vp8,
		.len = sizeof(vp8),
		.arrival_ns = now,
	};

	sfu_rtp(sfu, t, source, layer, &p, now);
}

/* A camera's single layer. */
static inline void cam(struct sfu_transport *t, uint16_t n, bool key)
{
	frame(t, SFU_CAM, SFU_LAYER_H, n, n, key);
}

#endif
