/* Deciding, and the batch: what one iteration decides is committed once, and
 * nobody is told before. */
#include <stdio.h>
#include "hub_priv.h"

#define CALLS_MAX (CTL_MAX_CALLS / 2)

/* One thing to do after the commit, in order: events to send out, an answer
 * and what begins behind it, or a request that reads the log. */
struct entry {
	struct list link;
	struct peer *peer;
	struct ctl_call *call;
	json_t *result;
	const char *kind; /* of a refusal, else NULL */
	char message[200];
	struct follow *follow;
	struct room *room;
	json_t *events;
	void (*run)(void *arg, struct ctl_call *call, const json_t *params);
	json_t *params;
};

static void entry_free(struct entry *e)
{
	list_remove(&e->link);
	json_decref(e->result);
	json_decref(e->events);
	json_decref(e->params);
	free(e);
}

void hub_batch_free(struct hub *h)
{
	list_each(l, next, &h->batch) {
		struct entry *e = list_entry(l, struct entry, link);

		ctl_fail(e->call, "unavailable", "the server ends");
		entry_free(e);
	}
}

void hub_settle_soon(struct hub *h)
{
	io_defer(h->loop, hub_settle, h);
}

void hub_touch(struct hub *h)
{
	h->open = true;
	hub_settle_soon(h);
}

/* NULL without memory: the batch is doomed then, since somebody would not
 * learn of what was decided. */
static struct entry *entry_new(struct hub *h)
{
	struct entry *e = calloc(1, sizeof(*e));

	if (!e) {
		h->doomed = true;
		hub_touch(h);
		return NULL;
	}
	list_append(&h->batch, &e->link);
	return e;
}

/* --- Answers -------------------------------------------------------------- */

static void answer(const struct entry *e)
{
	if (e->kind)
		ctl_fail(e->call, e->kind, "%s", e->message);
	else
		ctl_reply(e->call, json_incref(e->result));
	if (e->follow)
		follow_begin(e->follow);
	peer_check(e->peer);
}

/* Now if nothing is pending, so that reading costs no detour. */
static void queue(struct peer *p, const struct entry *what)
{
	struct hub *h = p->hub;
	struct entry *e;

	if (!h->open) {
		answer(what);
		json_decref(what->result);
		return;
	}
	e = entry_new(h);
	if (!e) {
		ctl_fail(what->call, "internal", "out of memory");
		json_decref(what->result);
		return;
	}
	struct list link = e->link;
	*e = *what;
	e->link = link;
	h->waiting_calls++;
}

void hub_reply_follow(struct peer *p, struct ctl_call *call, json_t *result,
	struct follow *f)
{
	struct entry e = {.peer = p, .call = call, .result = result,
		.follow = f};

	queue(p, &e);
}

void hub_reply(struct peer *p, struct ctl_call *call, json_t *result)
{
	hub_reply_follow(p, call, result, NULL);
}

void hub_fail(struct peer *p, struct ctl_call *call, const char *kind,
	const char *fmt, ...)
{
	struct entry e = {.peer = p, .call = call, .kind = kind};
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(e.message, sizeof(e.message), fmt, ap);
	va_end(ap);
	queue(p, &e);
}

void hub_refuse(struct peer *p, struct ctl_call *call,
	const struct meet_refusal *why)
{
	hub_fail(p, call, why->kind, "%s", why->message);
}

bool hub_later(struct peer *p, struct ctl_call *call, const json_t *params,
	void (*run)(void *arg, struct ctl_call *call, const json_t *params))
{
	struct entry *e = p->hub->open ? entry_new(p->hub) : NULL;

	if (!e)
		return false;
	e->peer = p;
	e->call = call;
	e->run = run;
	e->params = json_incref((json_t *)(uintptr_t)params);
	return true;
}

/* --- Deciding ------------------------------------------------------------- */

/* What stands beside the log and changes with it. */
static int side_effects(struct room *r, const json_t *event)
{
	const char *type = json_string_value(json_object_get(event, "type"));
	const json_t *data = json_object_get(event, "data");
	struct store *s = r->hub->store;
	int err = 0;

	if (str_eq(type, "user.kicked"))
		err = store_session_revoke_user(s, r->id,
			json_string_value(json_object_get(data, "user")));
	else if (str_eq(type, "meeting.ended"))
		err = store_session_revoke_user(s, r->id, NULL);
	if (!err && str_starts(type, "meeting."))
		err = store_meeting_put(s, r->id, meet_open(r->meet),
			meet_info_json(r->meet));
	return err;
}

/* What goes through while anything does: leaving, silencing and removing,
 * coming back to one's own seat, and what we and the relay see happen. */
static enum store_need need_of(const struct room *r,
	const struct meet_actor *a, const char *command)
{
	static const char *const essential[] = {"user.leave", "user.mute",
		"user.kick", "meeting.end", "link.revoke", "media.detach"};

	if (a->party == MEET_SYSTEM || a->party == MEET_WORKER)
		return STORE_ESSENTIAL;
	for (size_t i = 0; i < ARRAY_LEN(essential); i++)
		if (str_eq(essential[i], command))
			return STORE_ESSENTIAL;
	return str_eq(command, "user.join") && a->party == MEET_USER &&
		meet_seat(r->meet, a->id) ? STORE_ESSENTIAL : STORE_OTHER;
}

static int cannot_write(const struct hub *h, struct meet_refusal *why)
{
	why->kind = "io";
	snprintf(why->message, sizeof(why->message),
		"the log cannot be written: %.120s", store_error(h->store));
	return -EPERM;
}

/* The events are decided: into the log, and into the state. Whatever fails
 * here leaves the two apart, so the whole batch is given up. */
static int record(struct room *r, json_t *events, enum store_need need,
	struct meet_refusal *why)
{
	struct hub *h = r->hub;
	struct entry *e;
	char fault[160];
	json_t *event;
	size_t i;
	int err;

	r->touched = true;
	hub_touch(h);
	e = entry_new(h);
	err = e ? store_append(h->store, r->id, meet_seq(r->meet), events,
		need) : -ENOMEM;
	if (e) {
		e->room = r;
		e->events = json_incref(events);
	}
	json_array_foreach(events, i, event) {
		if (!err && meet_apply(r->meet, event, fault) < 0) {
			io_log(IO_ERROR, "meeting %s: %s", r->id, fault);
			err = -EIO;
		}
		if (!err)
			err = side_effects(r, event);
	}
	if (err) {
		h->doomed = true;
		return cannot_write(h, why);
	}
	h->stats.events_open += json_array_size(events);
	hub_schedule(h, r);
	return 0;
}

int hub_decide(struct room *r, const struct meet_actor *a,
	const char *command, const json_t *params, json_t **events,
	struct meet_refusal *why)
{
	enum store_need need = STORE_OTHER;
	uint8_t random[MEET_RANDOM];
	json_t *none = params ? NULL : json_object();
	int err;

	*events = NULL;
	io_random(random, sizeof(random));
	if (r->hub->doomed || !r->meet) {
		*why = (struct meet_refusal){"io", "the log cannot be written"};
		err = -EPERM;
	} else {
		err = meet_decide(r->meet, a, command, params ? params : none,
			hub_now_ms(r->hub), random, events, why);
	}
	json_decref(none);
	if (err == -ENOMEM) {
		*why = (struct meet_refusal){"internal", "out of memory"};
		err = -EPERM;
	}
	if (!err && json_array_size(*events)) {
		need = need_of(r, a, command);
		/* Refused here it dooms nothing. */
		err = need == STORE_OTHER && store_room(r->hub->store) ?
			cannot_write(r->hub, why) :
			record(r, *events, need, why);
	}
	if (err) {
		json_decref(*events);
		*events = NULL;
	}
	return err;
}

void hub_decide_quietly(struct room *r, const struct meet_actor *a,
	const char *command, json_t *params)
{
	struct meet_refusal why;
	json_t *events;

	if (params && hub_decide(r, a, command, params, &events, &why) == 0)
		json_decref(events);
	json_decref(params);
}

/* --- The end of an iteration ---------------------------------------------- */

/* The relay comes first: who hears that somebody is silenced or gone can
 * rely on it. */
static void publish(struct entry *e)
{
	grant_events(e->room, e->events);
	audit_events(e->room, e->events);
	follow_events(e->room, e->events);
}

/* The log does not have it, so it has not happened. */
static void undo(struct hub *h, struct list *batch, const char *words)
{
	io_log(IO_ERROR, "the log cannot be written: %s", words);
	rooms_undo(h);
	list_each(l, next, batch) {
		struct entry *e = list_entry(l, struct entry, link);

		if (e->run)
			e->run(e->peer, e->call, e->params);
		else
			ctl_fail(e->call, "io", "the log cannot be written: "
				"%.100s", words);
		if (e->follow)
			e->follow->ended = h->loose = true;
		if (e->peer)
			peer_check(e->peer);
		entry_free(e);
	}
}

/* What failed without anybody waiting for it is made up for: who lost his
 * connection is away, and what the relay has is live. */
static void recover(struct hub *h)
{
	io_timer_in(h->grace_timer, HUB_SEAT_GRACE_MS);
	list_each(l, next, &h->relays)
		relay_reconcile(list_entry(l, struct relay, link));
}

void hub_look_at_log(struct hub *h)
{
	int err = store_look(h->store);

	if (!err)
		err = store_room(h->store);
	if (err && err != h->refusing)
		io_log(IO_ERROR, "new things are refused: %s",
			store_error(h->store));
	else if (!err && h->refusing)
		io_log(IO_INFO, "the log can be written again");
	if (!err && h->refusing)
		recover(h);
	h->refusing = err;
}

static void settle_batch(struct hub *h)
{
	struct list batch;
	char words[256];
	int err;

	/* Into a list of our own: what follows may decide again. */
	list_init(&batch);
	list_append(&h->batch, &batch);
	list_remove(&h->batch);
	uint64_t began = io_now_ns();

	err = h->doomed ? -EIO : store_commit(h->store);
	hub_count_commit(h, io_now_ns() - began, err);
	if (h->doomed)
		store_rollback(h->store);
	h->open = h->doomed = false;
	h->waiting_calls = 0;
	if (h->unwell && !err)
		recover(h);
	h->unwell = err != 0;
	if (err) {
		str_copy(words, sizeof(words), store_error(h->store));
		undo(h, &batch, words);
		return;
	}
	list_each(l, next, &batch) {
		struct entry *e = list_entry(l, struct entry, link);

		if (e->room) {
			e->room->touched = false;
			publish(e);
		} else if (e->run) {
			e->run(e->peer, e->call, e->params);
		} else {
			answer(e);
		}
		entry_free(e);
	}
}

void hub_make_room(struct hub *h)
{
	if (h->open && h->waiting_calls >= CALLS_MAX)
		settle_batch(h);
}

/* Closing a connection may decide something (its user is away), and what was
 * decided is told before connections close; so it goes round. */
void hub_settle(void *arg)
{
	struct hub *h = arg;

	for (int i = 0; i < 4 && (h->open || h->loose); i++) {
		if (h->open)
			settle_batch(h);
		if (h->loose && !h->open) {
			h->loose = false;
			peers_reap(h);
		}
	}
	follow_pump(h);
	if (h->open || h->loose || !list_empty(&h->pumping))
		hub_settle_soon(h);
}
