/* relayctl_verbs - the requests. */
#include "relayctl_priv.h"

/* What requests are made of; a verb says which of it it needs. */
enum need {
	ROOM = 1,
	ENDPOINT = 2,
	TRANSPORT = 4,
	EPOCH = 8,
	GRANT = 16,
	SDP = 32,
};

struct ask {
	const char *room, *endpoint, *transport, *sdp;
	uint64_t epoch;
	struct sfu_grant grant;
};

/* A notification has no call. */
static const char *verb_of(const struct ctl_call *call)
{
	return call ? ctl_call_method(call) : "";
}

static const char *need_str(const json_t *p, const char *key, size_t cap,
	const char **bad)
{
	const char *s = json_str(p, key, bad);
	size_t n = s ? strlen(s) : 0;

	if ((!n || n >= cap) && !*bad)
		*bad = key;
	return s;
}

/* False when the call was answered with what is wrong. */
static bool understand(struct ctl_call *call, const json_t *p, unsigned needs,
	struct ask *a)
{
	const char *bad = NULL;

	*a = (struct ask){0};
	if (needs & ROOM)
		a->room = need_str(p, "room", SFU_ID_CAP, &bad);
	if (needs & ENDPOINT)
		a->endpoint = need_str(p, "endpoint", SFU_ID_CAP, &bad);
	if (needs & TRANSPORT)
		a->transport = need_str(p, "transport", SFU_ID_CAP, &bad);
	if (needs & SDP)
		a->sdp = need_str(p, "sdp", PEER_MAX_SDP + 1, &bad);
	if (needs & EPOCH) {
		int64_t n = json_int(p, "epoch", -1, &bad);

		if (n < 0 && !bad)
			bad = "epoch";
		a->epoch = (uint64_t)n;
	}
	if (needs & GRANT) {
		const json_t *g = json_obj(p, "grant", &bad);

		if (!bad && (!g || relayctl_read_grant(g, &a->grant)))
			bad = "grant";
	}
	if (bad)
		ctl_fail(call, "invalid", "%s: '%s' is missing or is not "
			"what it should be", verb_of(call), bad);
	return !bad;
}

/* Steals result; NULL is lack of memory here, and no empty answer. */
static void reply(struct ctl_call *call, json_t *result)
{
	if (result)
		ctl_reply(call, result);
	else
		ctl_fail(call, "internal", "out of memory");
}

/* Control, which cannot know it, is told what it has to exceed. */
static void refuse_epoch(const struct relayctl *r, struct ctl_call *call,
	const struct ask *a)
{
	uint64_t epoch = 0;

	sfu_room_epoch(r->sfu, a->room, &epoch);
	ctl_fail_with(call, "invalid", json_pack("{s:I}", "epoch",
		(json_int_t)epoch), "the room has another epoch");
}

/* A verb that yields nothing but success or an errno. */
static void settle(const struct relayctl *r, struct ctl_call *call, int rc,
	const struct ask *a)
{
	switch (-rc) {
	case 0:
		ctl_reply(call, NULL);
		break;
	case ENOENT:
		ctl_fail(call, "not_found", a->endpoint ?
			"no such room or endpoint" : "no such room");
		break;
	case ESTALE:
		refuse_epoch(r, call, a);
		break;
	case ENOSPC:
		ctl_fail(call, "limit", "too many rooms or endpoints");
		break;
	case EINVAL:
		ctl_fail(call, "invalid", "%s: refused", verb_of(call));
		break;
	default:
		ctl_fail(call, "internal", "%s", strerror(-rc));
		break;
	}
}

/* ---- rooms ---- */

static void room_create(void *arg, struct ctl_call *call, const json_t *p)
{
	struct relayctl *r = arg;
	struct ask a;

	if (!understand(call, p, ROOM | EPOCH, &a))
		return;
	settle(r, call, sfu_room_create(r->sfu, a.room, a.epoch), &a);
	relayctl_rearm(r);
}

static void room_remove(void *arg, struct ctl_call *call, const json_t *p)
{
	struct relayctl *r = arg;
	struct ask a;

	if (!understand(call, p, ROOM, &a))
		return;
	settle(r, call, sfu_room_remove(r->sfu, a.room), &a);
	relayctl_rearm(r);
}

/* Everything is read before anything is changed. */
static void room_sync(void *arg, struct ctl_call *call, const json_t *p)
{
	struct relayctl *r = arg;
	const char *bad = NULL;
	const json_t *list = json_arr(p, "endpoints", &bad);
	size_t n = json_array_size(list);
	struct sfu_grant *grants = NULL;
	struct ask a;
	int rc;

	if (!understand(call, p, ROOM | EPOCH, &a))
		return;
	grants = calloc(n + 1, sizeof *grants);
	for (size_t i = 0; grants && i < n && !bad; i++) {
		const json_t *e = json_array_get(list, i);
		const json_t *g = json_obj(e, "grant", &bad);

		(void)need_str(e, "endpoint", SFU_ID_CAP, &bad);
		if (!bad && (!g || relayctl_read_grant(g, &grants[i])))
			bad = "grant";
	}
	if (bad) {
		ctl_fail(call, "invalid", "room.sync: '%s' is missing or is "
			"not what it should be", bad);
		free(grants);
		return;
	}
	rc = grants ? sfu_sync_begin(r->sfu, a.room, a.epoch) : -ENOMEM;
	if (!rc) {
		int err;

		for (size_t i = 0; i < n; i++) {
			err = sfu_endpoint_grant(r->sfu, a.room, json_str(
				json_array_get(list, i), "endpoint", &bad),
				&grants[i], io_now_ns());
			rc = rc ? rc : err;
		}
		/* Whose grant failed goes as well: the other way round he
		 * would keep one that may have been taken. */
		err = sfu_sync_end(r->sfu, a.room, io_now_ns());
		rc = rc ? rc : err;
	}
	free(grants);
	settle(r, call, rc, &a);
	relayctl_bus_granted(r, a.room);
	relayctl_rearm(r);
}

/* ---- endpoints ---- */

static void endpoint_grant(void *arg, struct ctl_call *call, const json_t *p)
{
	struct relayctl *r = arg;
	struct ask a;

	if (!understand(call, p, ROOM | ENDPOINT | GRANT, &a))
		return;
	settle(r, call, sfu_endpoint_grant(r->sfu, a.room, a.endpoint, &a.grant,
		io_now_ns()), &a);
	relayctl_bus_granted(r, a.room);
	relayctl_rearm(r);
}

static void endpoint_remove(void *arg, struct ctl_call *call, const json_t *p)
{
	struct relayctl *r = arg;
	struct ask a;

	if (!understand(call, p, ROOM | ENDPOINT, &a))
		return;
	settle(r, call, sfu_endpoint_remove(r->sfu, a.room, a.endpoint,
		io_now_ns()), &a);
	relayctl_rearm(r);
}

static bool read_want(const json_t *o, struct sfu_want *w)
{
	const char *bad = NULL, *source;
	int64_t height;

	w->endpoint = need_str(o, "endpoint", SFU_ID_CAP, &bad);
	source = json_str(o, "source", &bad);
	height = json_int(o, "height", 0, &bad);
	w->stage = json_flag(o, "stage", false, &bad);
	if (bad || relayctl_source(source, &w->source) || height < 0 ||
	    height > 65535)
		return false;
	w->height = (unsigned)height;
	return true;
}

static void endpoint_want(void *arg, struct ctl_call *call, const json_t *p)
{
	struct relayctl *r = arg;
	struct sfu_want wants[SFU_MAX_WANTS];
	const char *bad = NULL;
	const json_t *list = json_arr(p, "tracks", &bad);
	size_t n = json_array_size(list), i = 0;
	struct ask a;

	if (!understand(call, p, ROOM | ENDPOINT, &a))
		return;
	if (n > SFU_MAX_WANTS) {
		ctl_fail(call, "limit", "at most %u tracks can be wanted",
			SFU_MAX_WANTS);
		return;
	}
	while (i < n && read_want(json_array_get(list, i), &wants[i]))
		i++;
	if (bad || i < n) {
		ctl_fail(call, "invalid", "endpoint.want: track %zu is not "
			"what it should be", i);
		return;
	}
	settle(r, call, sfu_endpoint_want(r->sfu, a.room, a.endpoint, wants, n,
		io_now_ns()), &a);
	relayctl_rearm(r);
}

/* ---- transports ---- */

static void refuse_transport(struct ctl_call *call, int err, const char *why)
{
	const char *kind = "internal";

	if (err == EINVAL || err == ENOTSUP || err == E2BIG)
		kind = "invalid";
	else if (err == ENOENT)
		kind = "not_found";
	else if (err == EBUSY)
		kind = "busy";
	else if (err == ENOSPC)
		kind = "limit";
	ctl_fail(call, kind, "%s", why);
}

/* The answer is put together from a transport and its SDP, then freed. */
static void answer_created(struct ctl_call *call, struct transport *t,
	struct buf *sdp, const char *why)
{
	int err = errno;

	if (t)
		reply(call, json_pack("{s:s%, s:o}", "sdp",
			(const char *)sdp->data, sdp->len,
			t->direction == SFU_PUBLISH ? "sources" : "slots",
			t->direction == SFU_PUBLISH ? relayctl_sources(t)
						    : relayctl_slots(t)));
	else
		refuse_transport(call, err, why);
	buf_free(sdp);
}

static bool may_create(struct relayctl *r, struct ctl_call *call,
	const struct ask *a)
{
	uint64_t epoch;

	if (r->draining)
		ctl_fail(call, "draining", "the relay is stopping");
	else if (!sfu_room_epoch(r->sfu, a->room, &epoch))
		ctl_fail(call, "not_found", "no such room");
	else if (epoch != a->epoch)
		refuse_epoch(r, call, a);
	else if (map_gets(r->transports, a->transport))
		ctl_fail(call, "exists", "there is such a transport");
	else
		return true;
	return false;
}

static void transport_create(void *arg, struct ctl_call *call,
	const json_t *p)
{
	struct relayctl *r = arg;
	const char *bad = NULL, *direction = json_str(p, "direction", &bad);
	bool confirms = json_flag(p, "confirm", false, &bad);
	bool publish = str_eq(direction, "publish");
	struct transport *t = NULL;
	struct buf sdp = {0};
	char why[160] = "";
	struct ask a;
	int rc;

	if (!understand(call, p, ROOM | ENDPOINT | TRANSPORT | EPOCH | GRANT |
		(publish ? SDP : 0), &a))
		return;
	if (!publish && !str_eq(direction, "subscribe")) {
		ctl_fail(call, "invalid",
			"direction is publish or subscribe");
		return;
	}
	if (!may_create(r, call, &a))
		return;
	rc = sfu_endpoint_grant(r->sfu, a.room, a.endpoint, &a.grant,
		io_now_ns());
	if (rc) {
		settle(r, call, rc, &a);
		return;
	}
	if (publish)
		t = relayctl_publish(r, a.room, a.endpoint, a.transport,
			a.sdp, &sdp, why);
	else
		t = relayctl_subscribe(r, a.room, a.endpoint, a.transport,
			&sdp, why);
	if (t && confirms)
		sfu_transport_confirms(t->sfu);
	answer_created(call, t, &sdp, why);
	relayctl_rearm(r);
}

static struct transport *find(struct relayctl *r, struct ctl_call *call,
	const struct ask *a)
{
	struct transport *t = map_gets(r->transports, a->transport);

	if (!t)
		ctl_fail(call, "not_found", "no such transport");
	return t;
}

/* One that has a peer: a program on the bus has neither SDP nor lines. */
static struct transport *find_peer(struct relayctl *r, struct ctl_call *call,
	const struct ask *a)
{
	struct transport *t = map_gets(r->transports, a->transport);

	if (t && t->peer)
		return t;
	ctl_fail(call, "not_found", "no such transport");
	return NULL;
}

static void transport_answer(void *arg, struct ctl_call *call,
	const json_t *p)
{
	struct relayctl *r = arg;
	struct transport *t;
	char why[160] = "";
	struct ask a;
	int rc;

	if (!understand(call, p, TRANSPORT | SDP, &a) ||
	    !(t = find_peer(r, call, &a)))
		return;
	rc = relayctl_answer(t, a.sdp, why);
	if (rc)
		refuse_transport(call, -rc, why);
	else
		ctl_reply(call, NULL);
}

/* What is late, of a turn that is over, changes nothing. */
static void slot_confirm(void *arg, struct ctl_call *call, const json_t *p)
{
	struct relayctl *r = arg;
	const char *bad = NULL, *mid = json_str(p, "mid", &bad);
	int64_t turn = json_int(p, "turn", -1, &bad);
	struct transport *t;
	struct ask a;

	if (!understand(call, p, TRANSPORT, &a) ||
	    !(t = find_peer(r, call, &a)))
		return;
	for (unsigned i = 0; !bad && i < peer_lines(t->peer); i++)
		if (str_eq(peer_line(t->peer, i)->mid, mid) &&
			t->direction == SFU_SUBSCRIBE &&
			t->slots[i].turn == turn)
			sfu_slot_confirm(r->sfu, t->sfu, i, io_now_ns());
	relayctl_rearm(r);
	ctl_reply(call, NULL);
}

static void transport_close(void *arg, struct ctl_call *call, const json_t *p)
{
	struct relayctl *r = arg;
	struct transport *t;
	struct ask a;

	if (!understand(call, p, TRANSPORT, &a))
		return;
	if (ticket_drop(r, a.transport)) {
		ctl_reply(call, NULL);
		return;
	}
	t = find(r, call, &a);
	if (!t)
		return;
	relayctl_close(t, "asked");
	ctl_reply(call, NULL);
}

/* ---- tickets ---- */

static void ticket_create(void *arg, struct ctl_call *call, const json_t *p)
{
	struct relayctl *r = arg;
	const char *bad = NULL, *word;
	struct ticket t;
	struct ask a;
	int rc;

	if (!understand(call, p, ROOM | ENDPOINT | TRANSPORT | EPOCH | GRANT,
		&a))
		return;
	word = need_str(p, "ticket", BUS_TICKET_CAP, &bad);
	if (bad) {
		ctl_fail(call, "invalid", "ticket.create: '%s' is missing or "
			"is not what it should be", bad);
		return;
	}
	if (!r->bus) {
		ctl_fail(call, "unavailable", "the relay has no bus");
		return;
	}
	if (!may_create(r, call, &a))
		return;
	t = (struct ticket){.epoch = a.epoch};
	str_copy(t.word, sizeof t.word, word);
	str_copy(t.room, sizeof t.room, a.room);
	str_copy(t.endpoint, sizeof t.endpoint, a.endpoint);
	str_copy(t.transport, sizeof t.transport, a.transport);
	rc = ticket_add(r, &t);
	if (rc == -EEXIST) {
		ctl_fail(call, "exists", "there is such a ticket");
		return;
	}
	if (!rc)
		rc = sfu_endpoint_grant(r->sfu, a.room, a.endpoint, &a.grant,
			io_now_ns());
	if (rc)
		ticket_drop(r, a.transport);
	settle(r, call, rc, &a);
	relayctl_bus_granted(r, a.room);
	relayctl_rearm(r);
}

/* ---- the relay ---- */

static void relay_list(void *arg, struct ctl_call *call, const json_t *p)
{
	(void)p;
	reply(call, json_pack("{s:o}", "rooms", relayctl_rooms(arg)));
}

static void relay_stats(void *arg, struct ctl_call *call, const json_t *p)
{
	(void)p;
	reply(call, relayctl_stats(arg));
}

/* Only a script says hello to us: to confd-signal we say it. */
static void hello(void *arg, struct ctl_call *call, const json_t *p)
{
	struct relayctl *r = arg;

	(void)p;
	reply(call, json_pack("{s:s, s:[s], s:s}", "actor", "system",
		"rights", "relay", "agent", r->cfg.agent));
}

const struct ctl_method relayctl_methods[] = {
	{"hello", hello},
	{"room.create", room_create},
	{"room.remove", room_remove},
	{"room.sync", room_sync},
	{"transport.create", transport_create},
	{"transport.answer", transport_answer},
	{"transport.close", transport_close},
	{"slot.confirm", slot_confirm},
	{"ticket.create", ticket_create},
	{"endpoint.grant", endpoint_grant},
	{"endpoint.remove", endpoint_remove},
	{"endpoint.want", endpoint_want},
	{"relay.list", relay_list},
	{"relay.stats", relay_stats},
};
const size_t relayctl_n_methods = ARRAY_LEN(relayctl_methods);
