#include "bus_link_priv.h"

struct bus_client {
	struct bus_client_events ev;
	void *arg;
	struct bus_link bus;
	struct bus_stats stats;
	bool welcome;
	uint8_t scratch[BUS_MAX_JSON + 1];
};

/* ---- what the relay says ---- */

static int on_track(struct bus_client *c, const struct bus_msg *m)
{
	int rc;

	if (bus_link_in(&c->bus, m->track.track) != BUS_IN_NONE)
		return -EBADMSG;
	rc = bus_link_take(&c->bus, m->track.track,
		m->track.codec == BUS_VP8 ? BUS_IN_VP8 : BUS_IN_OPUS);
	if (!rc && c->ev.on_track)
		c->ev.on_track(c->arg, &m->track);
	return rc;
}

static int on_end(struct bus_client *c, const struct bus_msg *m)
{
	if (bus_link_in(&c->bus, m->track.track) == BUS_IN_NONE)
		return -EBADMSG;
	bus_link_take(&c->bus, m->track.track, BUS_IN_NONE);
	if (c->ev.on_end)
		c->ev.on_end(c->arg, m->track.track);
	return 0;
}

static bool is_ours(const struct bus_client *c, unsigned track)
{
	const struct bus_flow *f = bus_queue_flow(&c->bus.queue, track);

	return f && !f->ending;
}

static int on_refused(struct bus_client *c, const struct bus_msg *m)
{
	if (!m->of_track) {
		if (c->ev.on_refused)
			c->ev.on_refused(c->arg, m->kind, m->message);
		return 0;
	}
	if (!is_ours(c, m->track.track))
		return 0;
	bus_link_end_track(&c->bus, m->track.track);
	if (c->ev.on_track_refused)
		c->ev.on_track_refused(c->arg, m->track.track, m->kind,
			m->message);
	return 0;
}

static int on_welcome(struct bus_client *c, const struct bus_msg *m)
{
	if (c->welcome)
		return -EBADMSG;
	c->welcome = true;
	if (c->ev.on_welcome)
		c->ev.on_welcome(c->arg, m->room, m->endpoint);
	return 0;
}

static int on_dropped(struct bus_client *c, const struct bus_msg *m)
{
	if (bus_link_in(&c->bus, m->track.track) == BUS_IN_NONE)
		return -EBADMSG;
	if (c->ev.on_dropped)
		c->ev.on_dropped(c->arg, m->track.track, m->frames,
			m->packets);
	return 0;
}

static void on_keyframe(void *arg, unsigned track)
{
	struct bus_client *c = arg;

	if (c->ev.on_keyframe && is_ours(c, track))
		c->ev.on_keyframe(c->arg, track);
}

static int on_say(void *arg, const struct bus_msg *m)
{
	struct bus_client *c = arg;

	if (!c->welcome && m->say != BUS_SAY_WELCOME &&
		m->say != BUS_SAY_REFUSED)
		return -EBADMSG;
	switch (m->say) {
	case BUS_SAY_WELCOME:
		return on_welcome(c, m);
	case BUS_SAY_REFUSED:
		return on_refused(c, m);
	case BUS_SAY_TRACK:
		return on_track(c, m);
	case BUS_SAY_END:
		return on_end(c, m);
	case BUS_SAY_DROPPED:
		return on_dropped(c, m);
	case BUS_SAY_KEYFRAME:
		on_keyframe(c, m->track.track);
		return 0;
	case BUS_SAY_OTHER:
		return 0;
	default: /* words of readers and writers */
		return -EBADMSG;
	}
}

static void on_packet(void *arg, unsigned track, const struct bus_packet *k)
{
	struct bus_client *c = arg;

	if (c->ev.on_packet)
		c->ev.on_packet(c->arg, track, k);
}

static void on_closed(void *arg, int err)
{
	struct bus_client *c = arg;

	if (c->ev.on_close)
		c->ev.on_close(c->arg, err);
}

/* ---- life ---- */

static json_t *hello_of(const struct bus_client_config *k)
{
	json_t *o, *list;

	if (k->ticket)
		return json_pack("{s:s}", "ticket", k->ticket);
	o = json_pack("{s:s, s:s, s:[], s:b}", "room", k->room, "endpoint",
		k->endpoint, "publish", "receive", k->receive);
	list = json_object_get(o, "publish");
	for (size_t i = 0; i < k->n_publish; i++)
		if (json_array_append_new(list, json_string(k->publish[i]))) {
			json_decref(o);
			return NULL;
		}
	return o;
}

static bool hello_ok(const struct bus_client_config *k)
{
	if (k->ticket)
		return bus_is_word(k->ticket, BUS_TICKET_CAP);
	for (size_t i = 0; i < k->n_publish; i++)
		if (!bus_is_word(k->publish[i], BUS_SOURCE_CAP))
			return false;
	return bus_is_word(k->room, BUS_ID_CAP) &&
		bus_is_word(k->endpoint, BUS_ID_CAP);
}

struct bus_client *bus_client_new(const struct bus_client_config *k)
{
	static const struct bus_link_events events = {
		.on_say = on_say,
		.on_packet = on_packet,
		.on_keyframe = on_keyframe,
		.on_closed = on_closed,
	};
	struct bus_client *c;
	int fd, rc;

	if (!hello_ok(k)) {
		errno = EINVAL;
		return NULL;
	}
	c = calloc(1, sizeof(*c));
	if (!c)
		return NULL;
	c->ev = *k->events;
	c->arg = k->arg;
	c->bus.stats = &c->stats;
	c->bus.scratch = c->scratch;
	c->bus.fd = -1;
	rc = fd = io_seqpacket_connect(k->path);
	if (fd >= 0)
		rc = bus_link_open(&c->bus, k->loop, fd, &events, c);
	if (rc >= 0)
		rc = bus_link_json(&c->bus, NULL, false, hello_of(k));
	/* A relay that turns us away at once has closed before it heard us:
	 * what it said is still to be read. */
	if (rc >= 0 || rc == -EPIPE)
		return c;
	bus_client_free(c);
	errno = -rc;
	return NULL;
}

void bus_client_free(struct bus_client *c)
{
	if (!c)
		return;
	bus_link_shut(&c->bus);
	free(c);
}

const struct bus_stats *bus_client_stats(const struct bus_client *c)
{
	return &c->stats;
}

/* ---- reading ---- */

void bus_client_pause(struct bus_client *c, bool paused)
{
	if (!c->bus.closed)
		bus_link_pause(&c->bus, paused);
}

int bus_client_queue_ms(struct bus_client *c, unsigned ms)
{
	return bus_link_json(&c->bus, NULL, false,
		json_pack("{s:i}", "queue_ms", (int)MIN(ms, 60000u)));
}

int bus_client_ask_keyframe(struct bus_client *c, unsigned track)
{
	return bus_link_json(&c->bus, NULL, false,
		bus_msg_of_track("keyframe", track));
}

int bus_client_ask_lost(struct bus_client *c, unsigned track,
	const uint16_t *seqs, size_t n)
{
	json_t *o = json_pack("{s:{s:i, s:[]}}", "lost", "track", (int)track,
		"seqs");
	json_t *list = json_object_get(json_object_get(o, "lost"), "seqs");

	for (size_t i = 0; i < MIN(n, (size_t)BUS_MAX_LOST); i++)
		json_array_append_new(list, json_integer(seqs[i]));
	return bus_link_json(&c->bus, NULL, false, o);
}

int bus_client_want(struct bus_client *c, const struct bus_want *w, size_t n)
{
	json_t *o, *list;

	if (n > BUS_MAX_WANTS)
		return -EINVAL;
	for (size_t i = 0; i < n; i++)
		if (!bus_is_word(w[i].endpoint, BUS_ID_CAP) ||
			!bus_is_word(w[i].source, BUS_SOURCE_CAP) ||
			w[i].height > 65535)
			return -EINVAL;
	o = json_pack("{s:{s:[]}}", "want", "tracks");
	list = json_object_get(json_object_get(o, "want"), "tracks");
	for (size_t i = 0; i < n; i++)
		if (json_array_append_new(list, json_pack(
			"{s:s, s:s, s:i, s:b}", "endpoint", w[i].endpoint,
			"source", w[i].source, "height", (int)w[i].height,
			"stage", w[i].stage))) {
			json_decref(o);
			return -ENOMEM;
		}
	return bus_link_json(&c->bus, NULL, false, o);
}

/* ---- writing ---- */

static json_t *say_publish(const struct bus_track *t)
{
	return json_pack("{s:{s:i, s:s, s:s}}", "publish", "track",
		(int)t->track, "source", t->source, "codec",
		bus_codec_name(t->codec));
}

int bus_client_publish(struct bus_client *c, const char *source,
	enum bus_codec codec)
{
	struct bus_track t = {.source = source, .codec = codec};

	if (!bus_is_word(source, BUS_SOURCE_CAP))
		return -EINVAL;
	return bus_link_open_track(&c->bus, &t, say_publish);
}

void bus_client_unpublish(struct bus_client *c, unsigned track)
{
	bus_link_end_track(&c->bus, track);
}

int bus_client_send(struct bus_client *c, unsigned track,
	struct bus_packet *k)
{
	return bus_link_send(&c->bus, track, k);
}

size_t bus_client_queued(const struct bus_client *c)
{
	return c->bus.queue.count;
}
