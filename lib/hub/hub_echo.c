/* The test of sound: one's own voice through the relay and back. Nobody hears
 * himself in a room, so each test has a room of its own at the relay, with
 * two endpoints: one that sends a microphone and one that receives. It is
 * for whoever has said hello, joined or not; it belongs to the connection
 * that asked, and nothing of it stands in the log. */
#include <stdio.h>
#include "hub_priv.h"

#define ECHO_MS   15000 /* no test is longer */
#define ECHOES    64    /* of all connections together */
#define SDP_MAX   61440
#define TAKEN     "the media server does not answer"

enum { SENDS, RECEIVES, ENDS };

struct echo {
	struct media_wait wait; /* its room is the meeting */
	struct list link;       /* in hub->echoes, the oldest first */
	struct peer *peer;      /* NULL: the test is over */
	struct relay *relay;    /* that was told of it, or NULL */
	struct ctl_call *begun, *answered; /* of requests not yet answered */
	char room[STR_ID_CAP];
	char transport[ENDS][STR_ID_CAP];
	json_t *sdp[ENDS];      /* the page's offer, then our answer; ours */
	bool made[ENDS];
	uint64_t until_ns;
	unsigned asked;         /* of the relay, and not yet answered */
};

/* --- The end -------------------------------------------------------------- */

static void echo_free(struct echo *e)
{
	if (e->peer || e->asked)
		return;
	json_decref(e->sdp[SENDS]);
	json_decref(e->sdp[RECEIVES]);
	free(e);
}

static void next_end(struct hub *h)
{
	if (!list_empty(&h->echoes))
		io_timer_at(h->echo_timer, list_entry(h->echoes.next,
			struct echo, link)->until_ns);
}

/* Whoever waits is told this; e may be gone then. */
static void echo_over(struct echo *e, const char *kind, const char *why)
{
	if (!e->peer)
		return;
	if (e->begun)
		ctl_fail(e->begun, kind, "%s", why);
	if (e->answered)
		ctl_fail(e->answered, kind, "%s", why);
	e->begun = e->answered = NULL;
	if (e->relay)
		relay_tell(e->relay, "room.remove", json_pack("{s:s}",
			"room", e->room));
	e->relay = NULL;
	list_remove(&e->link);
	list_remove(&e->wait.link);
	e->peer->echo = NULL;
	e->peer = NULL;
	echo_free(e);
}

/* One that the page did not end: it hears of that. */
static void echo_broken(struct echo *e, const char *reason)
{
	struct member *m = e->peer->member;

	if (!e->begun && m && m->peer == e->peer)
		transient(m->room, m, "media.reset", "system", json_pack(
			"{s:[s], s:s}", "transports", e->transport[RECEIVES],
			"reason", reason));
	echo_over(e, "unavailable", TAKEN);
}

void echo_end(struct peer *p)
{
	if (p->echo)
		echo_over(p->echo, "unavailable", "the test is over");
}

void echo_late(void *arg)
{
	struct hub *h = arg;
	uint64_t now = io_now_ns();

	while (!list_empty(&h->echoes)) {
		struct echo *e = list_entry(h->echoes.next, struct echo, link);

		if (e->until_ns > now)
			break;
		echo_broken(e, "timeout");
	}
	next_end(h);
}

void echo_relay_lost(struct relay *w)
{
	list_each(l, next, &w->peer->hub->echoes) {
		struct echo *e = list_entry(l, struct echo, link);

		if (e->relay != w)
			continue;
		e->relay = NULL;
		echo_broken(e, "relay");
	}
}

/* Of what ends a transport, what somebody else's certificate does is written
 * down, as it is of those of a meeting. */
void echo_transport_closed(struct relay *w, const char *room,
	const char *reason)
{
	list_each(l, next, &w->peer->hub->echoes) {
		struct echo *e = list_entry(l, struct echo, link);

		if (e->relay != w || !str_eq(e->room, room))
			continue;
		if (str_eq(reason, "fingerprint") || str_eq(reason, "dtls"))
			audit(e->wait.hub, &(struct audit){
				.event = AUDIT_MEDIA_REFUSED, .peer = e->peer,
				.reason = reason});
		echo_broken(e, reason ? reason : "closed");
		return;
	}
}

/* --- The beginning -------------------------------------------------------- */

static void made(struct echo *e, int end, const json_t *result,
	const struct ctl_error *err)
{
	e->asked--;
	if (!e->peer) {
		echo_free(e);
		return;
	}
	if (err) {
		echo_over(e, err->kind, err->message);
		return;
	}
	json_decref(e->sdp[end]);
	e->sdp[end] = json_incref(json_object_get(result, "sdp"));
	e->made[end] = true;
	if (!e->made[SENDS] || !e->made[RECEIVES])
		return;
	ctl_reply(e->begun, json_pack("{s:O?, s:O?, s:s}", "sdp",
		e->sdp[SENDS], "offer", e->sdp[RECEIVES], "transport",
		e->transport[RECEIVES]));
	e->begun = NULL;
}

static void sender_made(void *arg, const json_t *result,
	const struct ctl_error *err)
{
	made(arg, SENDS, result, err);
}

static void receiver_made(void *arg, const json_t *result,
	const struct ctl_error *err)
{
	made(arg, RECEIVES, result, err);
}

static json_t *create_json(struct echo *e, int end)
{
	json_t *publish = end == SENDS ? json_pack("[s]", "mic") :
		json_array();
	char endpoint[STR_ID_CAP];
	uint8_t random[16];

	io_random(random, sizeof(random));
	str_id(endpoint, 'e', random);
	io_random(random, sizeof(random));
	str_id(e->transport[end], 't', random);
	return json_pack("{s:s, s:i, s:s, s:s, s:s, s:{s:o, s:[], s:b}, "
		"s:O*}", "room", e->room, "epoch", 1, "endpoint", endpoint,
		"transport", e->transport[end], "direction", end == SENDS ?
		"publish" : "subscribe", "grant", "publish", publish, "muted",
		"receive", end == RECEIVES, "sdp", end == SENDS ?
		e->sdp[SENDS] : NULL);
}

/* False: it is over. */
static bool make(struct echo *e, int end)
{
	e->asked++;
	if (relay_ask(e->relay, "transport.create", create_json(e, end),
		end == SENDS ? sender_made : receiver_made, e) == 0)
		return true;
	e->asked--;
	echo_over(e, "unavailable", TAKEN);
	return false;
}

static void echo_start(struct media_wait *w)
{
	struct echo *e = list_entry(w, struct echo, wait);
	uint8_t random[16];

	e->relay = media_relay(w->hub, map_gets(w->hub->rooms, w->room));
	if (!e->relay) {
		echo_over(e, "unavailable", "no media server is running");
		return;
	}
	io_random(random, sizeof(random));
	str_id(e->room, 'r', random);
	relay_tell(e->relay, "room.create", json_pack("{s:s, s:i}", "room",
		e->room, "epoch", 1));
	if (make(e, SENDS))
		make(e, RECEIVES);
}

static void echo_fail(struct media_wait *w, const char *kind,
	const char *why)
{
	echo_over(list_entry(w, struct echo, wait), kind, why);
}

static size_t under_way(const struct hub *h)
{
	size_t n = 0;

	list_each(l, next, &h->echoes)
		n++;
	return n;
}

static void begin(struct peer *p, struct ctl_call *call, json_t *sdp)
{
	struct hub *h = p->hub;
	struct echo *e;

	echo_end(p);
	if (under_way(h) >= ECHOES) {
		audit(h, &(struct audit){.event = AUDIT_USER_LIMITED,
			.peer = p, .reason = "media.echo"});
		ctl_fail(call, "limit", "too many test their sound now: try "
			"again in a moment");
		return;
	}
	e = calloc(1, sizeof(*e));
	if (!e) {
		ctl_fail(call, "internal", "out of memory");
		return;
	}
	list_init(&e->wait.link);
	e->wait.hub = h;
	e->wait.start = echo_start;
	e->wait.fail = echo_fail;
	str_copy(e->wait.room, MEET_ID_CAP, p->member->room->id);
	e->until_ns = io_now_ns() + ECHO_MS * NS_PER_MS;
	e->begun = call;
	e->sdp[SENDS] = json_incref(sdp);
	e->peer = p;
	p->echo = e;
	list_append(&h->echoes, &e->link);
	next_end(h);
	media_wait(&e->wait);
}

/* --- The rest ------------------------------------------------------------- */

static void was_answered(void *arg, const json_t *result,
	const struct ctl_error *err)
{
	struct echo *e = arg;

	(void)result;
	e->asked--;
	if (e->answered && err)
		ctl_fail(e->answered, err->kind, "%s", err->message);
	else if (e->answered)
		ctl_reply(e->answered, NULL);
	e->answered = NULL;
	echo_free(e);
}

static void answer(struct peer *p, struct ctl_call *call,
	const char *transport, json_t *sdp)
{
	struct echo *e = p->echo;

	if (!e || !e->relay || e->begun || e->answered ||
		!str_eq(e->transport[RECEIVES], transport)) {
		ctl_fail(call, "not_found", "there is no such transport");
		return;
	}
	e->asked++;
	e->answered = call;
	if (relay_ask(e->relay, "transport.answer", json_pack("{s:s, s:O}",
		"transport", transport, "sdp", sdp), was_answered, e) < 0) {
		e->asked--;
		echo_over(e, "unavailable", TAKEN);
	}
}

static bool fits(const char *sdp)
{
	return *sdp && strlen(sdp) <= SDP_MAX;
}

void echo_run(struct peer *p, struct ctl_call *call, const json_t *params)
{
	const char *bad = NULL;
	const char *sdp = json_str(params, "sdp", &bad);
	const char *reply = json_str(params, "answer", &bad);
	const char *transport = json_str(params, "transport", &bad);
	bool off = json_flag(params, "off", false, &bad);

	if (!bad && off) {
		echo_end(p);
		ctl_reply(call, NULL);
	} else if (!bad && reply && transport && fits(reply)) {
		answer(p, call, transport, json_object_get(params, "answer"));
	} else if (!bad && sdp && !reply && fits(sdp)) {
		begin(p, call, json_object_get(params, "sdp"));
	} else {
		ctl_fail(call, "invalid", "%s: not as conf-ctl(7) says", bad ?
			bad : reply ? "transport and answer" : "sdp");
	}
}
