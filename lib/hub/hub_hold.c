/* Which relay holds a room: giving it one, and what is lost with it. */
#include "hub_priv.h"

void hold_stop_sources(struct room *r, const struct meet_actor *a,
	const char *user, unsigned sources)
{
	for (unsigned bit = 1; bit <= MEET_SCREEN_AUDIO; bit <<= 1)
		if (sources & bit)
			hub_decide_quietly(r, a, "media.stopped", json_pack(
				"{s:s, s:s}", "user", user, "source",
				meet_source_name(bit)));
}

static void reset_member(struct room *r, struct member *m)
{
	static const struct meet_actor system = {.party = MEET_SYSTEM};
	const struct meet_seat *seat = r->meet ? meet_seat(r->meet, m->user) :
		NULL;
	json_t *gone = json_array();

	for (int d = 0; d < DIRECTIONS; d++)
		if (*m->transport[d])
			json_array_append_new(gone,
				json_string(m->transport[d]));
	member_forget_media(m);
	if (json_array_size(gone))
		transient(r, m, "media.reset", "system", json_pack(
			"{s:O, s:s}", "transports", gone, "reason", "relay"));
	json_decref(gone);
	if (seat && seat->sources)
		hold_stop_sources(r, &system, m->user, seat->sources);
	attach_lost(m);
	member_drop(m);
}

void hold_lost(struct room *r)
{
	struct member *m;
	size_t at = 0;

	r->relay = NULL;
	r->epoch++;
	while (!r->hub->draining &&
		(m = map_next(r->members, &at, NULL, NULL)))
		reset_member(r, m);
}

/* Which room was to be held, by names that outlive it. */
struct holding {
	struct peer *peer; /* to be compared, not followed */
	struct hub *hub;
	char room[MEET_ID_CAP];
	uint64_t epoch;
};

/* A relay that does not hold what we believe it does drops it, and both
 * begin anew. Late is not never: the request stands in line. */
static void held(void *arg, const json_t *result, const struct ctl_error *e)
{
	struct holding *a = arg;
	const char *bad = NULL;
	struct room *r = map_gets(a->hub->rooms, a->room);
	int64_t epoch = e ? json_int(e->data, "epoch", 0, &bad) : 0;

	(void)result;
	if (e && !str_eq(e->kind, "unavailable") && !str_eq(e->kind,
		"timeout") && r && r->relay && r->relay->peer == a->peer &&
		r->epoch == a->epoch) {
		io_log(IO_WARN, "%s does not take room %s: %s",
			r->relay->instance, r->id, e->message);
		relay_tell(r->relay, "room.remove", json_pack("{s:s}",
			"room", r->id));
		if (!bad && epoch > (int64_t)r->epoch)
			r->epoch = (uint64_t)epoch;
		hold_lost(r);
	}
	free(a);
}

void hold_room(struct room *r, struct relay *w, bool sync)
{
	struct holding *a = calloc(1, sizeof(*a));
	json_t *params = json_pack("{s:s, s:I}", "room", r->id, "epoch",
		(json_int_t)r->epoch);

	r->relay = w;
	if (sync && json_object_set_new(params, "endpoints",
		grant_sync_json(r))) {
		json_decref(params);
		params = NULL;
	}
	if (a) {
		a->peer = w->peer;
		a->hub = r->hub;
		a->epoch = r->epoch;
		str_copy(a->room, sizeof(a->room), r->id);
	}
	if (relay_ask(w, sync ? "room.sync" : "room.create", params,
		a ? held : NULL, a) < 0) {
		peer_close(w->peer, CLOSE_RESTART, "out of memory");
		free(a);
	}
}
