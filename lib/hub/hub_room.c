/* Meetings in memory: folded from the log, ticked, and dropped. */
#include <stdio.h>
#include "hub_priv.h"

/* The wall clock as it was when we began, so that no step of it ends a seat;
 * but a host that slept has aged. */
uint64_t hub_now_ms(const struct hub *h)
{
	return h->wall0_ms + (io_boot_ns() - h->boot0_ns) / NS_PER_MS;
}

/* --- Members -------------------------------------------------------------- */

struct member *member_find(const struct room *r, const char *user)
{
	return user ? map_gets(r->members, user) : NULL;
}

struct member *member_get(struct room *r, const char *user)
{
	struct member *m = member_find(r, user);

	if (m)
		return m;
	m = calloc(1, sizeof(*m));
	if (!m || str_copy(m->user, sizeof(m->user), user) < 0 ||
		map_puts(r->members, user, m) < 0) {
		free(m);
		return NULL;
	}
	m->room = r;
	return m;
}

static void member_free(struct member *m)
{
	json_decref(m->offer);
	json_decref(m->wants);
	free(m);
}

void member_drop(struct member *m)
{
	struct room *r = m->room;

	if (m->peer || *m->transport[PUBLISH] || *m->transport[SUBSCRIBE] ||
		*m->transport[BUS] || (r->meet && meet_seat(r->meet, m->user)))
		return;
	map_dels(r->members, m->user);
	member_free(m);
}

/* --- Folding -------------------------------------------------------------- */

struct fold {
	struct meet *meet;
	uint64_t seq;
	char why[160];
};

static int fold_event(void *arg, const struct store_event *e)
{
	struct fold *f = arg;
	json_t *event = json_read_max(e->body, e->n, CTL_MAX_OUT, f->why);
	int r;

	if (!event)
		return -EBADMSG;
	f->seq = e->seq;
	r = meet_apply(f->meet, event, f->why);
	json_decref(event);
	return r < 0 ? r : 0;
}

/* NULL with *err: -ENOENT nothing in the log, else what is wrong with it. */
static struct meet *fold(struct hub *h, const char *id, int *err)
{
	struct fold f = {.meet = meet_new(id, h->seed)};

	if (!f.meet) {
		*err = -errno;
		return NULL;
	}
	*err = store_read(h->store, id, 0, UINT64_MAX, fold_event, &f);
	if (*err)
		io_log(IO_ERROR, "meeting %s cannot be read after event %"
			PRIu64 ": %s", id, f.seq, *f.why ? f.why :
			store_error(h->store));
	else if (!f.seq)
		*err = -ENOENT;
	if (!*err)
		return f.meet;
	meet_free(f.meet);
	return NULL;
}

static void room_free(struct room *r)
{
	struct member *m;
	size_t pos = 0;

	while ((m = map_next(r->members, &pos, NULL, NULL)))
		member_free(m);
	map_free(r->members);
	meet_free(r->meet);
	free(r);
}

/* Takes the meet. */
static struct room *room_new(struct hub *h, const char *id,
	struct meet *meet)
{
	struct room *r = calloc(1, sizeof(*r));

	if (r) {
		r->hub = h;
		r->epoch = 1;
		r->meet = meet;
		list_init(&r->follows);
		str_copy(r->id, sizeof(r->id), id);
		r->members = map_new(h->seed);
	}
	if (!r || !r->members || map_puts(h->rooms, id, r) < 0) {
		if (r)
			map_free(r->members);
		free(r);
		meet_free(meet);
		return NULL;
	}
	return r;
}

struct room *room_find(struct hub *h, const char *id, int *err)
{
	struct room *r = map_gets(h->rooms, id);
	struct meet *meet;

	*err = -ENOENT;
	if (!str_is_meeting_id(id))
		return NULL;
	if (r && r->meet)
		return r;
	meet = fold(h, id, err);
	if (!meet)
		return NULL;
	if (r) {
		r->meet = meet;
		return r;
	}
	r = room_new(h, id, meet);
	*err = r ? 0 : -ENOMEM;
	return r;
}

struct room *room_get(struct hub *h, const char *id, int *err)
{
	struct room *r = room_find(h, id, err);
	struct meet *meet;

	if (r || *err != -ENOENT)
		return r;
	*err = -ENOMEM;
	meet = meet_new(id, h->seed);
	if (!meet)
		return NULL;
	r = map_gets(h->rooms, id);
	if (r)
		r->meet = meet;
	else
		r = room_new(h, id, meet);
	return r;
}

void rooms_undo(struct hub *h)
{
	struct room *r;
	size_t pos = 0;
	int err;

	while ((r = map_next(h->rooms, &pos, NULL, NULL))) {
		if (!r->touched)
			continue;
		r->touched = false;
		meet_free(r->meet);
		r->meet = fold(h, r->id, &err);
		grant_all(r);
		if (r->meet)
			hub_schedule(h, r);
	}
}

static int load_one(void *arg, const char *meeting, bool open,
	const json_t *summary)
{
	struct hub *h = arg;
	int err;
	const struct room *r = room_find(h, meeting, &err);

	(void)open;
	(void)summary;
	if (r)
		hub_schedule(h, r);
	return 0;
}

/* A meeting that cannot be read is left out; the others go on. */
int rooms_load(struct hub *h, char why[256])
{
	int err = store_meetings(h->store, true, load_one, h);

	if (err < 0)
		snprintf(why, 256, "cannot read the meetings: %s",
			store_error(h->store));
	return err;
}

static void list_anew(struct hub *h, const char *meeting)
{
	int err;
	const struct room *r = room_find(h, meeting, &err);

	if (r)
		store_meeting_put(h->store, meeting, meet_open(r->meet),
			meet_info_json(r->meet));
}

void rooms_tell(struct hub *h, const struct store_report *r)
{
	if (*r->damage)
		io_log(IO_ERROR, "the log was damaged (%s): it is kept as %s, "
			"and log.db is what could be read of it", r->damage,
			r->aside);
	if (r->torn)
		io_log(IO_WARN, "the log ended with %" PRIu64 " bytes of an "
			"unfinished transaction, left out", r->torn);
	for (size_t i = 0; i < r->n_losses; i++) {
		const struct store_loss *l = &r->losses[i];

		if (l->lost || l->unfinished)
			io_log(l->lost ? IO_ERROR : IO_WARN, "meeting %s: "
				"kept up to event %" PRIu64 "; lost %" PRIu64
				", unfinished %" PRIu64, l->meeting, l->kept,
				l->lost, l->unfinished);
		if (l->renew)
			list_anew(h, l->meeting);
	}
	if (store_pending(h->store) && store_commit(h->store))
		io_log(IO_WARN, "the list of meetings cannot be written: %s",
			store_error(h->store));
}

void rooms_free(struct hub *h)
{
	struct room *r;
	size_t pos = 0;

	while (h->rooms && (r = map_next(h->rooms, &pos, NULL, NULL)))
		room_free(r);
	map_free(h->rooms);
}

void rooms_sweep(struct hub *h)
{
	struct room *r;
	size_t pos = 0;

	while ((r = map_next(h->rooms, &pos, NULL, NULL))) {
		if ((r->meet && meet_open(r->meet)) || r->touched ||
			!list_empty(&r->follows) || map_count(r->members))
			continue;
		map_dels(h->rooms, r->id);
		room_free(r);
	}
}

/* --- Time ----------------------------------------------------------------- */

void hub_schedule(struct hub *h, const struct room *r)
{
	uint64_t due = meet_deadline(r->meet), now = hub_now_ms(h);

	if (due >= h->tick_ms)
		return;
	h->tick_ms = due;
	/* Late by a moment, but never in a circle when nothing comes of it. */
	io_timer_in(h->meetings_timer, due > now + 250 ? due - now : 250);
}

void hub_meetings_due(void *arg)
{
	static const struct meet_actor system = {.party = MEET_SYSTEM};
	struct hub *h = arg;
	struct room *r;
	size_t pos = 0;

	h->tick_ms = MEET_NEVER;
	while ((r = map_next(h->rooms, &pos, NULL, NULL))) {
		if (!r->meet)
			continue;
		if (meet_deadline(r->meet) <= hub_now_ms(h))
			hub_decide_quietly(r, &system, "meeting.tick",
				json_object());
		if (r->meet)
			hub_schedule(h, r);
	}
}

/* Who has not come back since we started is away from now on. */
void hub_grace_over(void *arg)
{
	static const struct meet_actor system = {.party = MEET_SYSTEM};
	struct hub *h = arg;
	struct room *r;
	size_t pos = 0;

	while ((r = map_next(h->rooms, &pos, NULL, NULL))) {
		const struct meet_seat *s = NULL;

		while (r->meet && (s = meet_seat_next(r->meet, s))) {
			const struct member *m = member_find(r, s->user);
			char user[STR_ID_CAP];

			if (s->away || (m && (m->peer ||
				*m->transport[BUS])))
				continue;
			str_copy(user, sizeof(user), s->user);
			hub_decide_quietly(r, &system, "user.away",
				json_pack("{s:s}", "user", user));
			s = meet_seat(r->meet, user);
		}
	}
}
