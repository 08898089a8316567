/* Which slot of a member's subscribe transport shows whom. The relay tells
 * changes; the last state is kept, for a reader that lagged, and for one that
 * comes back. */
#include "hub_priv.h"

void slots_clear(struct member *m)
{
	memset(m->slots, 0, sizeof(m->slots));
}

static struct slot *slot_of(struct member *m, const char *mid, bool make)
{
	struct slot *unused = NULL;

	for (size_t i = 0; mid && i < HUB_SLOTS; i++) {
		struct slot *s = &m->slots[i];

		if (s->used && str_eq(s->mid, mid))
			return s;
		if (!s->used && !unused)
			unused = s;
	}
	if (!mid || !make || !unused ||
		str_copy(unused->mid, sizeof(unused->mid), mid) < 0)
		return NULL;
	unused->used = true;
	return unused;
}

static bool tell_assigned(struct member *m, const struct slot *s,
	const char *actor)
{
	return transient(m->room, m, "slot.assigned", actor, json_pack(
		"{s:s, s:s, s:I, s:s?, s:s, s:o*}", "transport",
		m->transport[SUBSCRIBE], "mid", s->mid, "slot",
		(json_int_t)s->number, "user", *s->user ? s->user : NULL,
		"source", s->source, "confirm", s->confirm ?
		json_integer(s->confirm) : NULL));
}

static bool tell_live(struct member *m, const struct slot *s,
	const char *actor)
{
	return transient(m->room, m, "slot.live", actor, json_pack(
		"{s:s, s:s, s:I, s:s?, s:s, s:I}", "transport",
		m->transport[SUBSCRIBE], "mid", s->mid, "slot",
		(json_int_t)s->number, "user", *s->user ? s->user : NULL,
		"source", s->source, "rtp_ts", (json_int_t)s->rtp_ts));
}

void slot_assigned(struct member *m, const json_t *params, const char *actor)
{
	const char *bad = NULL;
	const char *mid = json_str(params, "mid", &bad);
	const char *source = json_str(params, "source", &bad);
	const char *from = json_str(params, "from", &bad);
	struct slot *s = bad ? NULL : slot_of(m, mid, true);

	if (!s)
		return;
	s->number = json_int(params, "slot", 0, &bad);
	s->confirm = json_int(params, "confirm", 0, &bad);
	str_copy(s->source, sizeof(s->source), source ? source : "");
	if (!from || !user_of(s->user, from))
		*s->user = '\0';
	s->live = false;
	s->dirty = !tell_assigned(m, s, actor);
}

void slot_live(struct member *m, const json_t *params, const char *actor)
{
	const char *bad = NULL;
	struct slot *s = slot_of(m, json_str(params, "mid", &bad), false);

	if (!s)
		return;
	s->live = true;
	s->rtp_ts = json_int(params, "rtp_ts", 0, &bad);
	if (!s->dirty)
		s->dirty = !tell_live(m, s, actor);
}

void slots_tell(struct member *m, bool all)
{
	char actor[80] = "system";

	for (size_t i = 0; i < HUB_SLOTS; i++) {
		struct slot *s = &m->slots[i];

		if (!s->used || (!all && !s->dirty))
			continue;
		s->dirty = !tell_assigned(m, s, actor) ||
			(s->live && !tell_live(m, s, actor));
	}
}
