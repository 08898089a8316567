/* Following the log. A follow is a cursor: it reads from the log until it has
 * come up to what is committed, then gets each event as it is committed, and
 * falls back to reading when its reader lags. So nothing is queued without
 * bound, left out or sent twice. */
#include <stdio.h>
#include "hub_priv.h"

#define PUMP_EVENTS 256     /* read at a time */
#define READ_MAX    1000
#define READ_BYTES  (CTL_MAX_OUT - 8192)

static bool lags(const struct peer *p)
{
	return peer_queued(p) > HUB_LAG_BYTES;
}

struct follow *follow_new(struct peer *p, struct room *r, uint64_t since)
{
	struct follow *f;

	list_each(l, next, &p->follows) {
		f = list_entry(l, struct follow, peer_link);
		if (f->room == r && !f->ended) {
			f->ended = true;
			p->hub->loose = true;
			hub_settle_soon(p->hub);
		}
	}
	if (p->n_follows >= HUB_FOLLOWS) {
		errno = EMFILE;
		return NULL;
	}
	f = calloc(1, sizeof(*f));
	if (!f)
		return NULL;
	f->peer = p;
	f->room = r;
	f->cursor = since;
	list_append(r ? &r->follows : &p->hub->follows, &f->link);
	list_append(&p->follows, &f->peer_link);
	list_init(&f->pump_link);
	p->n_follows++;
	return f;
}

void follow_free(struct follow *f)
{
	f->peer->n_follows--;
	list_remove(&f->link);
	list_remove(&f->peer_link);
	list_remove(&f->pump_link);
	free(f);
}

static bool is_silent(const struct follow *f)
{
	return f->ended || !f->begun || f->peer->closing || f->peer->gone;
}

static void pump_soon(struct follow *f)
{
	list_remove(&f->pump_link);
	list_append(&f->peer->hub->pumping, &f->pump_link);
	hub_settle_soon(f->peer->hub);
}

void follow_begin(struct follow *f)
{
	f->begun = true;
	pump_soon(f);
}

static void send_text(struct peer *p, const void *text, size_t n)
{
	ctl_notify_text(p->ctl, "event", text, n);
	peer_check(p);
}

/* Only a user's sight is limited. */
static bool may_see(const struct follow *f, const json_t *event)
{
	return f->peer->kind == PEER_OP ||
		meet_visible(event, f->standing, f->peer->id);
}

/* --- Reading the log ------------------------------------------------------ */

struct reading {
	struct follow *f;
	unsigned n;
};

static int read_one(void *arg, const struct store_event *e)
{
	struct reading *r = arg;
	struct follow *f = r->f;
	char why[160];
	json_t *event = NULL;

	if (is_silent(f) || lags(f->peer))
		return 1;
	if (f->peer->kind != PEER_OP)
		event = json_read_max(e->body, e->n, CTL_MAX_OUT, why);
	if (f->peer->kind == PEER_OP || (event && may_see(f, event)))
		send_text(f->peer, e->body, e->n);
	json_decref(event);
	f->cursor = f->room ? e->seq : e->pos;
	r->n++;
	return 0;
}

static void pump(struct follow *f)
{
	struct store *s = f->peer->hub->store;
	struct reading r = {.f = f};
	int err;

	if (is_silent(f))
		return;
	if (f->room)
		err = store_read(s, f->room->id, f->cursor, PUMP_EVENTS,
			read_one, &r);
	else
		err = store_read_all(s, f->cursor, PUMP_EVENTS, read_one, &r);
	if (err < 0) {
		/* Going on would leave a hole: let it see the connection end
		 * and ask again. */
		io_log(IO_ERROR, "%s: cannot read the log: %s",
			f->peer->name, store_error(s));
		peer_close(f->peer, CLOSE_RESTART, "log unreadable");
	} else if (err == 0 && r.n < PUMP_EVENTS) {
		f->live = true;
	} else if (err == 0) {
		pump_soon(f);
	} /* else it lags: follow_resume */
}

void follow_pump(struct hub *h)
{
	struct list now;

	list_init(&now);
	list_append(&h->pumping, &now);
	list_remove(&h->pumping);
	while (!list_empty(&now)) {
		struct follow *f = list_entry(now.next, struct follow,
			pump_link);

		list_remove(&f->pump_link);
		pump(f);
	}
}

void follow_resume(struct peer *p)
{
	list_each(l, next, &p->follows) {
		struct follow *f = list_entry(l, struct follow, peer_link);

		if (f->begun && !f->ended && !f->live)
			pump_soon(f);
	}
	if (p->member)
		slots_tell(p->member, false);
}

/* --- Committed just now --------------------------------------------------- */

static void offer(struct follow *f, const json_t *event, uint64_t at,
	const struct buf *text)
{
	if (is_silent(f) || !f->live || at <= f->cursor)
		return;
	if (lags(f->peer)) {
		f->live = false;
		return;
	}
	if (may_see(f, event))
		send_text(f->peer, text->data, text->len);
	f->cursor = at;
}

/* What an event about a user means for his own connection. */
static void about_user(struct room *r, const json_t *event, const char *type,
	const struct buf *text)
{
	const json_t *data = json_object_get(event, "data");
	const char *user = json_string_value(json_object_get(data, "user"));
	struct member *m = member_find(r, user);
	struct peer *p = m ? m->peer : NULL;
	bool kicked = str_eq(type, "user.kicked"), told = false;
	bool left = kicked || str_eq(type, "user.left");
	enum meet_role role;

	if (!p || (!left && !str_eq(type, "user.role")))
		return;
	list_each(l, next, &p->follows) {
		struct follow *f = list_entry(l, struct follow, peer_link);

		told |= f->live;
		if (!left && meet_role(json_string_value(json_object_get(data,
			"role")), &role) == 0)
			f->standing = role == MEET_MODERATOR ?
				MEET_IS_MODERATOR : MEET_IS_VIEWER;
	}
	if (kicked && !told)
		send_text(p, text->data, text->len);
	if (kicked)
		peer_close(p, CLOSE_KICKED, "removed from the meeting");
	if (!left || str_eq(json_string_value(json_object_get(data,
		"reason")), "ended"))
		return;
	list_each(k, after, &p->follows)
		list_entry(k, struct follow, peer_link)->ended = true;
	r->hub->loose = true;
}

static void ended(struct room *r)
{
	struct member *m;
	size_t pos = 0;

	while ((m = map_next(r->members, &pos, NULL, NULL)))
		if (m->peer)
			peer_close(m->peer, CLOSE_ENDED, "the meeting ended");
}

void follow_events(struct room *r, const json_t *events)
{
	struct buf text = {0};
	json_t *e;
	size_t i;

	json_array_foreach(events, i, e) {
		const char *type = json_string_value(json_object_get(e,
			"type"));
		uint64_t seq = (uint64_t)json_integer_value(
			json_object_get(e, "seq"));
		uint64_t pos = (uint64_t)json_integer_value(
			json_object_get(e, "pos"));

		buf_clear(&text);
		if (json_write(e, &text) < 0) {
			io_log(IO_ERROR, "event %s: out of memory", type);
			continue;
		}
		list_each(l, next, &r->follows)
			offer(list_entry(l, struct follow, link), e, seq,
				&text);
		list_each(k, after, &r->hub->follows)
			offer(list_entry(k, struct follow, link), e, pos,
				&text);
		if (str_starts(type, "user."))
			about_user(r, e, type, &text);
		else if (str_eq(type, "meeting.ended"))
			ended(r);
	}
	buf_free(&text);
}

/* --- Transient ------------------------------------------------------------ */

static int transient_text(struct buf *out, const struct room *r,
	const char *type, const char *actor, json_t *data)
{
	char now[TIME_CAP];
	json_t *e;
	int err;

	time_format(now, hub_now_ms(r->hub));
	e = json_pack("{s:i, s:s, s:s, s:s, s:s, s:o}", "v", MEET_VERSION,
		"time", now, "meeting", r->id, "type", type, "actor", actor,
		"data", data);
	err = e ? json_write(e, out) : -ENOMEM;
	json_decref(e);
	return err;
}

bool transient(struct room *r, struct member *m, const char *type,
	const char *actor, json_t *data)
{
	struct buf text = {0};
	struct peer *p = m ? m->peer : NULL;
	bool sent = true;

	if (m && (!p || p->closing || p->gone || lags(p))) {
		json_decref(data);
		return false;
	}
	if (!data || transient_text(&text, r, type, actor, data) < 0) {
		buf_free(&text);
		return false;
	}
	if (m) {
		send_text(p, text.data, text.len);
	} else {
		list_each(l, next, &r->follows) {
			struct follow *f = list_entry(l, struct follow, link);

			if (!is_silent(f) && !lags(f->peer))
				send_text(f->peer, text.data, text.len);
		}
	}
	buf_free(&text);
	return sent;
}

/* --- The methods ---------------------------------------------------------- */

/* since: refuses what lies behind the end. */
static bool get_since(struct peer *p, struct ctl_call *call,
	const json_t *params, uint64_t end, int64_t fallback, uint64_t *since)
{
	const char *bad = NULL;
	int64_t n = json_int(params, "since", fallback, &bad);

	if (!bad && n >= 0 && (uint64_t)n <= end) {
		*since = (uint64_t)n;
		return true;
	}
	if (bad || n < 0)
		hub_fail(p, call, "invalid", "since must be 0 or more");
	else
		hub_fail(p, call, "invalid", "since is %" PRId64 ", the last "
			"event is %" PRIu64, n, end);
	return false;
}

static uint64_t end_of(const struct hub *h, const struct room *r)
{
	return r ? meet_seq(r->meet) : store_last_pos(h->store);
}

struct page {
	struct peer *peer;
	unsigned standing;
	json_t *events;
	uint64_t last;
	size_t bytes;
	uint64_t limit;
	bool all;
	bool more;
};

static int page_one(void *arg, const struct store_event *e)
{
	struct page *g = arg;
	char why[160];
	json_t *event;

	if (json_array_size(g->events) == g->limit ||
		g->bytes + e->n + 1 > READ_BYTES) {
		g->more = true;
		return 1;
	}
	event = json_read_max(e->body, e->n, CTL_MAX_OUT, why);
	g->last = g->all ? e->pos : e->seq;
	if (event && (g->peer->kind == PEER_OP ||
		meet_visible(event, g->standing, g->peer->id))) {
		g->bytes += e->n + 1;
		json_array_append(g->events, event);
	}
	json_decref(event);
	return 0;
}

void hub_events_read(struct peer *p, struct room *r, struct ctl_call *call,
	const json_t *params)
{
	struct meet_actor a = peer_actor(p);
	const char *bad = NULL;
	int64_t limit = json_int(params, "limit", READ_MAX, &bad);
	struct page g = {.peer = p, .all = !r};
	int err;

	if (bad || limit < 1 || limit > READ_MAX) {
		hub_fail(p, call, "invalid", "limit must be 1 to %d",
			READ_MAX);
		return;
	}
	if (!get_since(p, call, params, end_of(p->hub, r), 0, &g.last))
		return;
	g.limit = (uint64_t)limit;
	g.standing = r ? meet_standing(r->meet, &a) : MEET_IS_OP;
	g.events = json_array();
	err = r ? store_read(p->hub->store, r->id, g.last, UINT64_MAX,
		page_one, &g) : store_read_all(p->hub->store, g.last,
		UINT64_MAX, page_one, &g);
	if (err < 0) {
		json_decref(g.events);
		hub_fail(p, call, "io", "the log cannot be read: %.100s",
			store_error(p->hub->store));
		return;
	}
	hub_reply(p, call, json_pack("{s:o, s:I, s:b}", "events", g.events,
		r ? "seq" : "pos", (json_int_t)g.last, "more", g.more));
}

void hub_events_follow(struct peer *p, struct room *r, struct ctl_call *call,
	const json_t *params)
{
	struct meet_actor a = peer_actor(p);
	uint64_t end = end_of(p->hub, r), since;
	struct follow *f;

	if (!get_since(p, call, params, end, (int64_t)end, &since))
		return;
	f = follow_new(p, r, since);
	if (!f) {
		hub_fail(p, call, "limit", "at most %d meetings can be "
			"followed on one connection", HUB_FOLLOWS);
		return;
	}
	f->standing = r ? meet_standing(r->meet, &a) : MEET_IS_OP;
	hub_reply_follow(p, call, json_pack("{s:I}", r ? "seq" : "pos",
		(json_int_t)end), f);
}
