/* relayctl_bus - programs on the media bus: a bus peer and its place in sfu,
 * and the packets and requests that go between the two. */
#include <stdio.h>

#include "relayctl_priv.h"
#include "wire.h"

#define PT_OPUS   111
#define PT_VP8    96
#define EXT_LEVEL 4 /* conf-bus(5) has the table */
#define NTP_1970  UINT64_C(2208988800) /* seconds from 1900 */

static enum bus_codec codec_of(enum sfu_source s)
{
	return sfu_source_is_video(s) ? BUS_VP8 : BUS_OPUS;
}

/* ---- sfu says ---- */

static int on_open(void *arg, void *user, const struct sfu_feed *f)
{
	const struct transport *t = user;
	const struct bus_track track = {
		.endpoint = f->endpoint,
		.source = sfu_source_name(f->source),
		.codec = codec_of(f->source),
		.ssrc = f->ssrc,
	};

	(void)arg;
	return bus_peer_open_track(t->bus, &track);
}

static void on_end(void *arg, void *user, unsigned number)
{
	(void)arg;
	bus_peer_end_track(((struct transport *)user)->bus, number);
}

static void on_purge(void *arg, void *user, unsigned number)
{
	(void)arg;
	bus_peer_purge_track(((struct transport *)user)->bus, number);
}

/* The header, of which only the level of sound is worth an extension. */
static int write_head(uint8_t *out, size_t cap, const struct sfu_feed *f,
	const struct sfu_packet *p)
{
	struct rtp h = {
		.pt = codec_of(f->source) == BUS_VP8 ? PT_VP8 : PT_OPUS,
		.seq = p->seq,
		.ts = p->rtp_ts,
		.ssrc = f->ssrc,
		.marker = p->marker,
	};
	struct rtpext_writer w;
	uint8_t ext[8];

	if (p->level >= 0) {
		rtpext_open(&w, ext, sizeof ext, false);
		rtpext_put_level(&w, EXT_LEVEL, (uint8_t)p->level, p->voice);
		rtpext_close(&w, &h);
	}
	return rtp_write(out, cap, &h);
}

static void on_send(void *arg, const struct sfu_tap *taps, size_t n,
	const struct sfu_feed *f, const struct sfu_packet *p, bool again)
{
	uint8_t mem[BUS_MAX_PACKET];
	int head = write_head(mem, sizeof mem, f, p);
	struct bus_packet k;

	(void)arg;
	if (head < 0 || p->len > sizeof mem - (size_t)head)
		return;
	memcpy(mem + head, p->payload, p->len);
	if (bus_packet_rtp(&k, codec_of(f->source), mem, (size_t)head + p->len,
		p->arrival_ns))
		return;
	k.flags = again ? BUS_RESENT : 0;
	/* Who does not keep up is counted there, who is gone told of. */
	for (size_t i = 0; i < n; i++)
		(void)bus_peer_send(((struct transport *)taps[i].user)->bus,
			taps[i].number, &k);
	bus_packet_done(&k);
}

static uint64_t ntp_of(uint64_t unix_ns)
{
	uint64_t s = unix_ns / NS_PER_S + NTP_1970;

	return s << 32 | ((unix_ns % NS_PER_S) << 32) / NS_PER_S;
}

static void on_report(void *arg, const struct sfu_tap *taps, size_t n,
	const struct sfu_feed *f, const struct sfu_report *r)
{
	const struct relayctl *me = arg;
	const struct rtcp_sr sr = {
		.ssrc = f->ssrc,
		.ntp = ntp_of(me->wall_base_ns + r->at_ns),
		.rtp_ts = r->rtp_ts,
		.packets = r->packets,
		.octets = r->octets,
	};
	struct bus_packet k;
	struct buf b = {0};

	rtcp_write_sr(&b, &sr, NULL, 0);
	rtcp_write_sdes(&b, f->ssrc, f->endpoint);
	if (!b.err && !bus_packet_rtcp(&k, b.data, b.len, r->at_ns)) {
		for (size_t i = 0; i < n; i++)
			(void)bus_peer_send(
				((struct transport *)taps[i].user)->bus,
				taps[i].number, &k);
		bus_packet_done(&k);
	}
	buf_free(&b);
}

const struct sfu_bus_events relayctl_bus_events = {
	.open = on_open,
	.end = on_end,
	.purge = on_purge,
	.send = on_send,
	.report = on_report,
};

void relayctl_bus_keyframe(const struct transport *t, enum sfu_source source)
{
	if (t->published[source] >= 0)
		bus_peer_ask_keyframe(t->bus, (unsigned)t->published[source]);
}

void relayctl_bus_granted(struct relayctl *r, const char *room)
{
	struct sfu_grant g;
	struct transport *t;
	size_t pos = 0;

	while ((t = map_next(r->transports, &pos, NULL, NULL))) {
		if (!t->bus || !str_eq(t->room, room) ||
		    !sfu_grant_of(r->sfu, t->room, t->endpoint, &g))
			continue;
		for (unsigned i = 0; i < SFU_SOURCES; i++) {
			if (t->published[i] < 0 || g.publish & SFU_BIT(i))
				continue;
			bus_peer_refuse_track(t->bus,
				(unsigned)t->published[i], "denied",
				"not granted");
			t->published[i] = -1;
		}
	}
}

/* ---- a peer says hello ---- */

static int refuse(struct bus_answer *out, const char *kind,
	const char *message)
{
	out->kind = kind;
	out->message = message;
	return -EACCES;
}

/* What it is to be, by its ticket. */
static int by_ticket(struct relayctl *r, const char *word, struct ticket *t,
	struct bus_answer *out)
{
	struct sfu_grant g;
	uint64_t epoch;

	if (!ticket_take(r, word, t))
		return refuse(out, "denied", "no such ticket");
	/* He may have been removed meanwhile, or the room begun anew. */
	if (!sfu_room_epoch(r->sfu, t->room, &epoch) || epoch != t->epoch ||
	    !sfu_grant_of(r->sfu, t->room, t->endpoint, &g))
		return refuse(out, "denied", "the ticket is void");
	return 0;
}

/* What it says itself to be. It cannot be somebody who is there. */
static int by_itself(struct relayctl *r, const struct bus_hello *h,
	struct ticket *t, struct bus_answer *out)
{
	struct sfu_grant g = {.receive = h->receive};
	enum sfu_source source;
	uint64_t epoch;
	int rc;

	if (!r->bus_open)
		return refuse(out, "denied", "a ticket is needed");
	for (size_t i = 0; i < h->n_publish; i++) {
		if (relayctl_source(h->publish[i], &source))
			return refuse(out, "invalid", "no such source");
		g.publish |= (uint8_t)SFU_BIT(source);
	}
	if (!sfu_room_epoch(r->sfu, h->room, &epoch))
		return refuse(out, "not_found", "no such room");
	*t = (struct ticket){.epoch = epoch};
	str_copy(t->room, sizeof t->room, h->room);
	str_copy(t->endpoint, sizeof t->endpoint, h->endpoint);
	snprintf(t->transport, sizeof t->transport, "bus-%" PRIu64,
		++r->bus_count);
	if (sfu_grant_of(r->sfu, h->room, h->endpoint, &(struct sfu_grant){0}))
		return refuse(out, "exists", "there is such an endpoint");
	rc = sfu_endpoint_grant(r->sfu, h->room, h->endpoint, &g, io_now_ns());
	return rc ? refuse(out, rc == -ENOSPC ? "limit" : "internal",
		"the endpoint cannot be made") : 0;
}

static int on_hello(void *arg, struct bus_peer *p, const struct bus_hello *h,
	struct bus_answer *out)
{
	struct relayctl *r = arg;
	struct transport *t;
	struct ticket who;
	int rc;

	if (r->draining)
		return refuse(out, "draining", "the relay is stopping");
	rc = h->ticket ? by_ticket(r, h->ticket, &who, out)
		: by_itself(r, h, &who, out);
	if (rc)
		return rc;
	t = relayctl_transport_new(r, who.room, who.endpoint, who.transport,
		SFU_BUS);
	if (t) {
		t->bus = p;
		t->own_endpoint = !h->ticket;
		rc = sfu_transport_new(r->sfu, t->room, t->endpoint, SFU_BUS,
			t->id, 0, t, io_now_ns(), &t->sfu);
	}
	relayctl_rearm(r);
	if (t && !rc) {
		out->room = t->room;
		out->endpoint = t->endpoint;
		out->user = t;
		return 0;
	}
	if (t) {
		t->bus = NULL; /* which is refused by who called us */
		relayctl_transport_free(t, "failed");
	}
	return refuse(out, "internal", "out of memory");
}

static void on_ready(void *arg, struct bus_peer *p)
{
	struct transport *t = bus_peer_user(p);

	relayctl_tell_state(t, "connected", "");
	sfu_transport_ready(t->r->sfu, t->sfu, io_now_ns());
	relayctl_rearm(arg);
}

/* ---- it publishes ---- */

static int on_publish(void *arg, struct bus_peer *p,
	const struct bus_track *track, struct bus_answer *out)
{
	struct relayctl *r = arg;
	struct transport *t = bus_peer_user(p);
	enum sfu_source source;
	struct sfu_grant g;

	if (relayctl_source(track->source, &source))
		return refuse(out, "invalid", "no such source");
	if (track->codec != codec_of(source))
		return refuse(out, "invalid", "not the codec of that source");
	if (!sfu_grant_of(r->sfu, t->room, t->endpoint, &g) ||
	    !(g.publish & SFU_BIT(source)))
		return refuse(out, "denied", "not granted");
	if (t->published[source] >= 0)
		return refuse(out, "exists", "it is published already");
	t->published[source] = (int)track->track;
	return 0;
}

static bool published(const struct transport *t, unsigned track,
	enum sfu_source *source)
{
	for (unsigned i = 0; i < SFU_SOURCES; i++)
		if (t->published[i] == (int)track) {
			*source = (enum sfu_source)i;
			return true;
		}
	return false;
}

static void on_unpublish(void *arg, struct bus_peer *p, unsigned track)
{
	struct transport *t = bus_peer_user(p);
	enum sfu_source source;

	if (!published(t, track, &source))
		return;
	t->published[source] = -1;
	sfu_bus_stop(t->r->sfu, t->sfu, source, io_now_ns());
	relayctl_rearm(arg);
}

static void on_packet(void *arg, struct bus_peer *p, unsigned track,
	const struct bus_packet *k)
{
	const struct transport *t = bus_peer_user(p);
	struct sfu_packet out = {
		.seq = k->rtp.seq,
		.rtp_ts = k->rtp.ts,
		.marker = k->rtp.marker,
		.level = -1,
		.payload = k->rtp.payload,
		.len = k->rtp.payload_len,
		.arrival_ns = k->arrival_ns,
	};
	enum sfu_source source;
	struct rtpext e;
	uint8_t level;

	if (k->kind != BUS_RTP || !published(t, track, &source))
		return;
	if (!sfu_source_is_video(source) &&
	    rtpext_find(&k->rtp, EXT_LEVEL, &e) &&
	    rtpext_level(&e, &level, &out.voice) == 0)
		out.level = level;
	sfu_rtp(t->r->sfu, t->sfu, source, SFU_LAYER_H, &out, io_now_ns());
	relayctl_rearm(arg);
}

/* ---- it asks ---- */

static void on_keyframe(void *arg, struct bus_peer *p, unsigned track)
{
	const struct transport *t = bus_peer_user(p);

	sfu_bus_keyframe(t->r->sfu, t->sfu, track, io_now_ns());
	relayctl_rearm(arg);
}

static void on_lost(void *arg, struct bus_peer *p, unsigned track,
	const uint16_t *seqs, size_t n)
{
	const struct transport *t = bus_peer_user(p);

	(void)arg;
	sfu_bus_lost(t->r->sfu, t->sfu, track, seqs, n, io_now_ns());
}

static void on_want(void *arg, struct bus_peer *p, const struct bus_want *w,
	size_t n)
{
	const struct transport *t = bus_peer_user(p);
	struct sfu_want wants[SFU_MAX_WANTS];
	size_t k = 0;

	for (size_t i = 0; i < n && k < SFU_MAX_WANTS; i++) {
		/* Of a source that is none there is nothing to stop. */
		if (relayctl_source(w[i].source, &wants[k].source))
			continue;
		wants[k].endpoint = w[i].endpoint;
		wants[k].height = w[i].height;
		wants[k++].stage = w[i].stage;
	}
	(void)sfu_endpoint_want(t->r->sfu, t->room, t->endpoint, wants, k,
		io_now_ns());
	relayctl_rearm(arg);
}

/* ---- life ---- */

static void on_close(void *arg, struct bus_peer *p, int err)
{
	struct relayctl *r = arg;
	struct transport *t = bus_peer_user(p);

	if (err == -EPROTO) {
		r->malformed++;
		io_log(IO_WARN, "bus: %s is cut off: malformed message",
			t->id);
	}
	relayctl_close(t, err == -EPROTO ? "malformed" : "left");
}

void relayctl_bus_close(struct transport *t, const char *reason)
{
	struct bus_peer *p = t->bus;
	const char *kind = str_eq(reason, "draining") ? "draining" :
		str_eq(reason, "left") || str_eq(reason, "malformed") ? NULL :
		"denied";

	t->bus = NULL;
	bus_peer_close(p, kind, reason);
}

int relayctl_listen(struct relayctl *r, const char *path, mode_t mode,
	gid_t gid, bool open)
{
	static const struct bus_server_events events = {
		.on_hello = on_hello,
		.on_ready = on_ready,
		.on_publish = on_publish,
		.on_unpublish = on_unpublish,
		.on_packet = on_packet,
		.on_keyframe = on_keyframe,
		.on_lost = on_lost,
		.on_want = on_want,
		.on_close = on_close,
	};
	const struct bus_server_config c = {
		.loop = r->cfg.loop,
		.path = r->bus_path,
		.mode = mode,
		.gid = gid,
		.events = &events,
		.arg = r,
	};

	if (r->bus)
		return -EALREADY;
	if (str_copy(r->bus_path, sizeof r->bus_path, path))
		return -ENAMETOOLONG;
	r->bus = bus_server_new(&c);
	if (!r->bus)
		return -errno;
	r->bus_open = open;
	return 0;
}
