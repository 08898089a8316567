/* What the log means for the relay: who may send, who is muted, who is gone.
 * The relay gets complete grants, so that one lost or late does no harm. */
#include "hub_priv.h"

void endpoint_of(char out[STR_ID_CAP], const char *user)
{
	str_copy(out, STR_ID_CAP, user);
	out[0] = 'e';
}

bool user_of(char out[STR_ID_CAP], const char *endpoint)
{
	if (!endpoint || !str_is_id(endpoint, 'e'))
		return false;
	str_copy(out, STR_ID_CAP, endpoint);
	out[0] = 'u';
	return true;
}

/* One's own mute is the microphone's. What a moderator holds is every sound:
 * a microphone can be sent as the sound of a screen. */
static json_t *muted_json(const struct room *r, const char *user)
{
	const struct meet_seat *s = meet_seat(r->meet, user);

	if (s && s->held)
		return json_pack("[s, s]", "mic", "screen-audio");
	return s && s->muted ? json_pack("[s]", "mic") : json_array();
}

json_t *grant_json(const struct room *r, const char *user)
{
	const struct member *m = member_find(r, user);
	json_t *publish = json_array();

	for (unsigned bit = 1; bit <= MEET_SCREEN_AUDIO; bit <<= 1)
		if (!m || !(m->off & bit))
			json_array_append_new(publish,
				json_string(meet_source_name(bit)));
	return json_pack("{s:o, s:o, s:b}", "publish", publish, "muted",
		muted_json(r, user), "receive", !(m && m->deaf));
}

json_t *grant_sync_json(const struct room *r)
{
	const struct meet_seat *s = NULL;
	json_t *list = json_array();
	char endpoint[STR_ID_CAP];

	while ((s = meet_seat_next(r->meet, s))) {
		endpoint_of(endpoint, s->user);
		json_array_append_new(list, json_pack("{s:s, s:o}",
			"endpoint", endpoint, "grant",
			grant_json(r, s->user)));
	}
	return list;
}

/* Whether it has media or not: what the relay holds of a user, and when it
 * will have read what it was asked, is not known for certain. */
void grant_send(struct room *r, const char *user)
{
	char endpoint[STR_ID_CAP];

	if (!r->relay || !user || !meet_seat(r->meet, user))
		return;
	endpoint_of(endpoint, user);
	relay_tell(r->relay, "endpoint.grant", json_pack("{s:s, s:s, s:o}",
		"room", r->id, "endpoint", endpoint, "grant",
		grant_json(r, user)));
}

void member_forget_media(struct member *m)
{
	for (int d = 0; d < DIRECTIONS; d++)
		*m->transport[d] = '\0';
	slots_clear(m);
	json_decref(m->offer);
	m->offer = NULL;
}

static void remove_endpoint(struct room *r, const char *user)
{
	struct member *m = member_find(r, user);
	char endpoint[STR_ID_CAP];

	endpoint_of(endpoint, user);
	if (r->relay)
		relay_tell(r->relay, "endpoint.remove", json_pack("{s:s, s:s}",
			"room", r->id, "endpoint", endpoint));
	if (!m)
		return;
	member_forget_media(m);
	json_decref(m->wants);
	m->wants = NULL;
	member_drop(m);
}

static void remove_room(struct room *r)
{
	struct member *m;
	size_t pos = 0;

	if (r->relay)
		relay_tell(r->relay, "room.remove", json_pack("{s:s}",
			"room", r->id));
	r->relay = NULL;
	r->epoch++;
	while ((m = map_next(r->members, &pos, NULL, NULL))) {
		member_forget_media(m);
		member_drop(m);
	}
}

void grant_events(struct room *r, const json_t *events)
{
	json_t *e;
	size_t i;

	json_array_foreach(events, i, e) {
		const char *type = json_string_value(json_object_get(e,
			"type"));
		const char *user = json_string_value(json_object_get(
			json_object_get(e, "data"), "user"));

		if (str_eq(type, "user.muted") || str_eq(type,
			"user.unmuted") || str_eq(type, "user.held") ||
			str_eq(type, "user.released"))
			grant_send(r, user);
		else if (str_eq(type, "user.left") ||
			str_eq(type, "user.kicked"))
			remove_endpoint(r, user);
		else if (str_eq(type, "meeting.ended"))
			remove_room(r);
	}
}

void grant_all(struct room *r)
{
	struct member *m;
	size_t pos = 0;

	if (!r->meet || !meet_open(r->meet)) {
		remove_room(r);
		return;
	}
	while ((m = map_next(r->members, &pos, NULL, NULL))) {
		if (meet_seat(r->meet, m->user))
			grant_send(r, m->user);
		else
			remove_endpoint(r, m->user);
	}
}
