/* Packets a second through the relay's core: one camera to 50 receivers, and
 * 25 talkers who hear each other, without protection or sockets. Prints NAME
 * TAB packets sent TAB packets a second TAB ns a packet. */
#include <time.h>

#include "base.h"
#include "wire.h"
#include "flow.h"
#include "sfu.h"

#define RECEIVERS 50
#define TALKERS   25
#define PACKETS   200000

static uint64_t sent, sum;

static void on_send(void *arg, void *user, unsigned slot,
	const struct sfu_packet *p)
{
	(void)arg;
	(void)user;
	sum += slot + p->seq + p->payload[p->len - 1];
	sent++;
}

static void on_keyframe(void *arg, void *user, enum sfu_source source,
	enum sfu_layer layer)
{
	(void)arg, (void)user, (void)source, (void)layer;
}

static void on_track(void *arg, const char *room, const char *endpoint,
	enum sfu_source source, bool started)
{
	(void)arg, (void)room, (void)endpoint, (void)source, (void)started;
}

static void on_assigned(void *arg, void *user, unsigned slot,
	const char *from, enum sfu_source source)
{
	(void)arg, (void)user, (void)slot, (void)from, (void)source;
}

static void on_live(void *arg, void *user, unsigned slot, const char *from,
	enum sfu_source source, uint32_t rtp_ts)
{
	(void)rtp_ts;
	on_assigned(arg, user, slot, from, source);
}

static void on_talk(void *arg, const char *room, const struct sfu_level *l,
	size_t n)
{
	(void)arg, (void)room, (void)l, (void)n;
}

static void on_grow(void *arg, void *user)
{
	(void)arg, (void)user;
}

static void on_closed(void *arg, void *user, const char *reason)
{
	(void)arg, (void)user, (void)reason;
}

static const struct sfu_events events = {
	.send = on_send,
	.keyframe = on_keyframe,
	.track = on_track,
	.assigned = on_assigned,
	.live = on_live,
	.talk = on_talk,
	.grow = on_grow,
	.closed = on_closed,
};

static struct sfu_transport *join(struct sfu *s, unsigned n,
	enum sfu_direction d)
{
	const struct sfu_grant g = {0xf, 0, true};
	struct sfu_transport *t;
	char id[16];

	snprintf(id, sizeof(id), "e%u", n);
	if (sfu_endpoint_grant(s, "r", id, &g, 0) ||
		sfu_transport_new(s, "r", id, d, "t",
			d == SFU_SUBSCRIBE ? SFU_SLOTS_FEW : 0, NULL, 0, &t))
		exit(3);
	sfu_transport_ready(s, t, 0);
	return t;
}

static struct sfu *start(void)
{
	struct sfu *s = sfu_new(&events, NULL, 1);

	if (!s || sfu_room_create(s, "r", 1))
		exit(3);
	sent = 0;
	return s;
}

static uint64_t clock_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

static void report(const char *name, uint64_t begun_ns)
{
	double ns = (double)(clock_ns() - begun_ns);

	printf("%s\t%u\t%.0f\t%.1f\n", name, (unsigned)sent,
		(double)sent / ns * 1e9, ns / (double)sent);
}

/* Frames of four packets of 1,100 bytes. */
static void one_camera(void)
{
	struct sfu *s = start();
	struct sfu_transport *t = join(s, 0, SFU_PUBLISH);
	uint8_t payload[1100] = {0x90, 0x80, 0x80, 0, 0x10, 0, 0, 0x9d, 0x01,
		0x2a, 0x80, 0x02, 0x68, 0x01};
	struct sfu_packet p = {
		.payload = payload, .len = sizeof(payload), .level = -1};
	uint64_t begun = clock_ns();

	for (unsigned i = 1; i <= RECEIVERS; i++)
		join(s, i, SFU_SUBSCRIBE);
	for (unsigned i = 0; i < PACKETS; i++) {
		unsigned frame = i / 4;

		payload[0] = i % 4 ? 0x80 : 0x90;
		payload[2] = 0x80 | (frame >> 8 & 0x7f);
		payload[3] = (uint8_t)frame;
		payload[4] = frame ? 0x11 : 0x10;
		p.seq = (uint16_t)i;
		p.rtp_ts = frame * 3000;
		p.arrival_ns = frame * 33 * NS_PER_MS;
		sfu_rtp(s, t, SFU_CAM, SFU_LAYER_H, &p, p.arrival_ns);
	}
	report("camera-1x50", begun);
	sfu_free(s);
}

/* Each in turn the loudest for a second. */
static void many_talkers(void)
{
	struct sfu *s = start();
	struct sfu_transport *t[TALKERS];
	const uint8_t payload[80] = {0xfc};
	struct sfu_packet p = {.payload = payload, .len = sizeof(payload)};
	uint64_t begun;

	for (unsigned i = 0; i < TALKERS; i++) {
		t[i] = join(s, i, SFU_PUBLISH);
		join(s, i, SFU_SUBSCRIBE);
	}
	begun = clock_ns();
	for (unsigned i = 0; i < PACKETS; i++) {
		unsigned tick = i / TALKERS, who = i % TALKERS;

		p.seq = (uint16_t)tick;
		p.rtp_ts = tick * 960;
		p.arrival_ns = tick * 20 * NS_PER_MS;
		p.level = tick / 50 % TALKERS == who ? 20 : 60;
		sfu_rtp(s, t[who], SFU_MIC, SFU_LAYER_H, &p, p.arrival_ns);
		if (p.arrival_ns >= sfu_deadline(s))
			sfu_tick(s, p.arrival_ns);
	}
	report("talkers-25x25", begun);
	sfu_free(s);
}

int main(void)
{
	one_camera();
	many_talkers();
	return sum ? 0 : 1;
}
