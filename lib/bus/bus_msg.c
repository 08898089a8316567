#include "bus_msg_priv.h"

bool bus_is_word(const char *s, size_t cap)
{
	size_t n = s ? strlen(s) : 0;

	return n && n < cap &&
		strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
			  "0123456789:._-") == n;
}

static bool number(const json_t *o, const char *key, int64_t min, int64_t max,
	int64_t *out)
{
	const json_t *v = json_object_get(o, key);

	*out = json_integer_value(v);
	return json_is_integer(v) && *out >= min && *out <= max;
}

static bool word(const json_t *o, const char *key, size_t cap,
	const char **out)
{
	*out = json_string_value(json_object_get(o, key));
	return bus_is_word(*out, cap);
}

static bool track_number(struct bus_msg *m, const json_t *o)
{
	int64_t n;

	if (!number(o, "track", 0, BUS_MAX_TRACKS - 1, &n))
		return false;
	m->track.track = (unsigned)n;
	return true;
}

static bool codec(const json_t *o, enum bus_codec *out)
{
	const char *s = json_string_value(json_object_get(o, "codec"));

	for (int i = BUS_OPUS; i <= BUS_VP8; i++) {
		*out = (enum bus_codec)i;
		if (str_eq(s, bus_codec_name(*out)))
			return true;
	}
	return false;
}

/* ---- one function for each word ---- */

static bool read_ticket(struct bus_msg *m, const json_t *v)
{
	m->ticket = json_string_value(v);
	return bus_is_word(m->ticket, BUS_TICKET_CAP);
}

static bool read_room(struct bus_msg *m, const json_t *v)
{
	const char *bad = NULL;

	m->room = json_string_value(v);
	m->receive = json_flag(m->json, "receive", false, &bad);
	m->list = json_arr(m->json, "publish", &bad);
	for (size_t i = 0; i < json_array_size(m->list); i++)
		if (!bus_is_word(bus_msg_source(m, i), BUS_SOURCE_CAP))
			return false;
	return !bad && bus_is_word(m->room, BUS_ID_CAP) &&
		word(m->json, "endpoint", BUS_ID_CAP, &m->endpoint);
}

static bool read_welcome(struct bus_msg *m, const json_t *v)
{
	return word(v, "room", BUS_ID_CAP, &m->room) &&
		word(v, "endpoint", BUS_ID_CAP, &m->endpoint);
}

static bool read_refused(struct bus_msg *m, const json_t *v)
{
	m->of_track = json_object_get(v, "track");
	if (m->of_track && !track_number(m, v))
		return false;
	m->message = json_string_value(json_object_get(v, "message"));
	return word(v, "kind", BUS_ID_CAP, &m->kind) && m->message;
}

static bool read_track(struct bus_msg *m, const json_t *v)
{
	int64_t ssrc;

	if (!track_number(m, v) || !codec(v, &m->track.codec) ||
		!word(v, "endpoint", BUS_ID_CAP, &m->track.endpoint) ||
		!word(v, "source", BUS_SOURCE_CAP, &m->track.source) ||
		!number(v, "ssrc", 0, UINT32_MAX, &ssrc))
		return false;
	m->track.ssrc = (uint32_t)ssrc;
	return true;
}

static bool read_publish(struct bus_msg *m, const json_t *v)
{
	return track_number(m, v) && codec(v, &m->track.codec) &&
		word(v, "source", BUS_SOURCE_CAP, &m->track.source);
}

static bool read_of_track(struct bus_msg *m, const json_t *v)
{
	return track_number(m, v);
}

static bool read_dropped(struct bus_msg *m, const json_t *v)
{
	int64_t frames, packets;

	if (!track_number(m, v) ||
		!number(v, "frames", 0, UINT32_MAX, &frames) ||
		!number(v, "packets", 0, UINT32_MAX, &packets))
		return false;
	m->frames = (unsigned)frames;
	m->packets = (unsigned)packets;
	return true;
}

static bool read_lost(struct bus_msg *m, const json_t *v)
{
	m->list = json_object_get(v, "seqs");
	if (!track_number(m, v) || !json_is_array(m->list) ||
		json_array_size(m->list) > BUS_MAX_LOST)
		return false;
	for (size_t i = 0; i < json_array_size(m->list); i++) {
		const json_t *n = json_array_get(m->list, i);

		if (!json_is_integer(n) || json_integer_value(n) < 0 ||
			json_integer_value(n) > UINT16_MAX)
			return false;
	}
	return true;
}

static bool read_queue_ms(struct bus_msg *m, const json_t *v)
{
	int64_t ms = json_integer_value(v);

	if (!json_is_integer(v) || ms < 0)
		return false;
	m->queue_ms = (unsigned)MAX(MIN(ms, (int64_t)BUS_QUEUE_MS_MAX),
		(int64_t)BUS_QUEUE_MS_MIN);
	return true;
}

static bool read_want(struct bus_msg *m, const json_t *v)
{
	m->list = json_object_get(v, "tracks");
	if (!json_is_array(m->list) ||
		json_array_size(m->list) > BUS_MAX_WANTS)
		return false;
	for (size_t i = 0; i < json_array_size(m->list); i++) {
		const json_t *o = json_array_get(m->list, i);
		const char *s, *bad = NULL;
		int64_t height;

		json_flag(o, "stage", false, &bad);
		if (bad || !word(o, "endpoint", BUS_ID_CAP, &s) ||
			!word(o, "source", BUS_SOURCE_CAP, &s) ||
			!number(o, "height", 0, 65535, &height))
			return false;
	}
	return true;
}

static const struct {
	const char *word;
	enum bus_say say;
	bool (*read)(struct bus_msg *m, const json_t *v);
} words[] = {
	{"ticket", BUS_SAY_TICKET, read_ticket},
	{"room", BUS_SAY_OPEN, read_room},
	{"welcome", BUS_SAY_WELCOME, read_welcome},
	{"refused", BUS_SAY_REFUSED, read_refused},
	{"track", BUS_SAY_TRACK, read_track},
	{"publish", BUS_SAY_PUBLISH, read_publish},
	{"end", BUS_SAY_END, read_of_track},
	{"dropped", BUS_SAY_DROPPED, read_dropped},
	{"keyframe", BUS_SAY_KEYFRAME, read_of_track},
	{"lost", BUS_SAY_LOST, read_lost},
	{"queue_ms", BUS_SAY_QUEUE_MS, read_queue_ms},
	{"want", BUS_SAY_WANT, read_want},
};

int bus_msg_read(struct bus_msg *out, const uint8_t *p, size_t n)
{
	char why[160];

	*out = (struct bus_msg){0};
	out->json = json_read_max(p, n, BUS_MAX_JSON, why);
	if (!out->json)
		return errno == ENOMEM ? -ENOMEM : -EBADMSG;
	if (!json_is_object(out->json))
		goto bad;
	/* The first word of the table decides, not of the object: "publish"
	 * is a list beside "room". */
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		const json_t *v = json_object_get(out->json, words[i].word);

		if (!v)
			continue;
		out->say = words[i].say;
		if (!words[i].read(out, v))
			goto bad;
		break;
	}
	return 0;
bad:
	bus_msg_done(out);
	return -EBADMSG;
}

void bus_msg_done(struct bus_msg *m)
{
	json_decref(m->json);
	*m = (struct bus_msg){0};
}

uint16_t bus_msg_seq(const struct bus_msg *m, size_t i)
{
	return (uint16_t)json_integer_value(json_array_get(m->list, i));
}

struct bus_want bus_msg_want(const struct bus_msg *m, size_t i)
{
	const json_t *o = json_array_get(m->list, i);
	const char *bad = NULL;

	return (struct bus_want){
		.endpoint = json_str(o, "endpoint", &bad),
		.source = json_str(o, "source", &bad),
		.height = (unsigned)json_int(o, "height", 0, &bad),
		.stage = json_flag(o, "stage", false, &bad),
	};
}

const char *bus_msg_source(const struct bus_msg *m, size_t i)
{
	return json_string_value(json_array_get(m->list, i));
}

json_t *bus_msg_track(const struct bus_track *t)
{
	return json_pack("{s:{s:i, s:s, s:s, s:s, s:I, s:i}}", "track", "track",
		(int)t->track, "endpoint", t->endpoint, "source", t->source,
		"codec", bus_codec_name(t->codec), "ssrc",
		(json_int_t)t->ssrc, "clock", (int)bus_codec_hz(t->codec));
}

json_t *bus_msg_refused(int track, const char *kind, const char *message)
{
	json_t *o = json_pack("{s:{s:s, s:s}}", "refused", "kind",
		kind ? kind : "denied", "message",
		message ? message : "refused");

	if (track >= 0)
		json_object_set_new(json_object_get(o, "refused"), "track",
			json_integer(track));
	return o;
}

json_t *bus_msg_of_track(const char *say, unsigned track)
{
	return json_pack("{s:{s:i}}", say, "track", (int)track);
}
