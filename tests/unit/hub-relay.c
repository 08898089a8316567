/* A meeting of four, from its creation to its end, over and over: each time
 * confd-signal or conf-relay is killed, ended, stopped for 10 s or cut off
 * at another of the messages between them. What must hold all the while stands
 * in sim_world.h; and in the end both must be of one mind again, and whoever
 * may be heard is.
 *
 * FAULT=n AT=n runs one of these alone, SEED=n a meeting with MANY=n random
 * faults, SEEDS=n so many of those. SIM_TRACE=1 prints the messages, SIM_LOG=1
 * what the two would log.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "sim_act.h"

enum { ANN, BEN, CAT, DAN };

static enum sim_fault fault;
static unsigned fault_at;
static uint64_t rested_ns;
static bool hasty;
static unsigned pace_ms; /* of who goes on meanwhile */
static struct rng faults; /* of random ones */
static unsigned many;     /* of them, still to come */

static uint64_t env(const char *name, uint64_t otherwise)
{
	uint64_t v;

	return getenv(name) && !str_u64(getenv(name), 0, UINT32_MAX, &v) ? v :
		otherwise;
}

/* ---- both of one mind ---- */

static void same_grant(struct sim_world *w, const json_t *e)
{
	const json_t *g = json_object_get(e, "grant");
	char user[STR_ID_CAP];
	const struct sim_seat *s;
	unsigned muted = sim_sources(json_object_get(g, "muted"));

	str_copy(user, sizeof(user), sim_text(e, "endpoint"));
	user[0] = 'u';
	s = sim_seat(w, user);
	SIM_NEED(s->seated, "the relay holds %s, who is gone", user);
	SIM_NEED(!(muted & SFU_BIT(SFU_MIC)) == (!s->muted && !s->held),
		"the relay has the microphone of %s %s", user,
		muted ? "muted" : "open");
	SIM_NEED(!(muted & SFU_BIT(SFU_SCREEN_AUDIO)) == !s->held,
		"the relay has the screen's sound of %s %s", user,
		s->held ? "open" : "muted");
	SIM_NEED(sim_sources(json_object_get(g, "publish")) == 15 &&
		json_is_true(json_object_get(g, "receive")),
		"an odd grant for %s", user);
}

static void same_transports(const struct sim_person *p, const json_t *e)
{
	const json_t *list = json_object_get(e, "transports");

	for (int k = 0; k < SIM_SIDES; k++) {
		const struct sim_side *s = &p->side[k];
		const json_t *t = sim_find(list, "transport", s->transport);

		SIM_NEED(*s->transport && !s->busy && t && str_eq(
			sim_text(t, "state"), "connected"), "%s and the relay "
			"do not agree on his transports", p->name);
	}
	SIM_NEED(json_array_size(list) == 2, "%s has too many transports",
		p->name);
}

static void same_sources(struct sim_world *w, const struct sim_person *p)
{
	const json_t *users, *u;

	sim_op(w, "user.list", json_object());
	users = json_object_get(w->op.act, "users");
	u = sim_find(users, "user", p->user);
	SIM_NEED(u && sim_sources(json_object_get(u, "sources")) == 3,
		"the log has other sources of %s", p->name);
}

/* Everybody gets the camera of everybody, and the sound of who has any. */
static void all_flows(struct sim_world *w)
{
	memset(w->got, 0, sizeof(w->got));
	sim_pass(w, 1000);
	for (int i = 0; i < SIM_PEOPLE; i++)
		for (int k = 0; k < SIM_PEOPLE; k++) {
			const struct sim_person *to = &w->people[i];
			const struct sim_person *from = &w->people[k];

			if (i == k || !to->joins || !from->joins)
				continue;
			SIM_NEED(w->got[i][k] > 10, "%s gets nothing of %s",
				to->name, from->name);
		}
}

/* The slots as each page knows them carry whom it thinks. */
static void same_slots(struct sim_world *w)
{
	for (int i = 0; i < SIM_PEOPLE; i++) {
		const struct sim_person *p = &w->people[i];
		unsigned heard = 0, seen = 0;

		for (unsigned line = 0; line < 7 && p->joins; line++) {
			const char *user = sim_in_slot(p, line);

			heard += line < 3 && *user;
			seen += line >= 3 && *user;
			SIM_NEED(!*user || (sim_seat(w, user)->seated &&
				!str_eq(user, p->user)), "%s sees %s in slot "
				"%u", p->name, user, line);
		}
		for (int k = 0; k < SIM_PEOPLE && p->joins; k++) {
			const struct sim_person *o = &w->people[k];
			const struct sim_seat *s = o->joins ? sim_seat(w,
				o->user) : NULL;

			if (k == i || !s)
				continue;
			seen--;
			heard -= !s->muted && !s->held;
		}
		SIM_NEED(!heard && !seen, "%s knows of other slots than there "
			"are", p->name);
	}
}

static bool at_rest(struct sim_world *w, void *arg)
{
	(void)arg;
	if (!sim_quiet(w))
		return false;
	for (int i = 0; i < SIM_PEOPLE; i++) {
		const struct sim_person *p = &w->people[i];

		if (!p->started || p->end)
			continue;
		if (!p->up || p->n_asks)
			return false;
		for (int k = 0; p->joins && k < SIM_SIDES; k++)
			if (!*p->side[k].transport || p->side[k].busy ||
				p->side[k].again_ns)
				return false;
	}
	return true;
}

static void rest(struct sim_world *w)
{
	SIM_NEED(sim_until(w, at_rest, NULL, SIM_SETTLED_MS), "no rest");
	sim_pass(w, 100);
}

/* Half of the meetings go on while somebody is down. */
static bool may_go_on(struct sim_world *w, void *arg)
{
	return at_rest(w, arg) || (hasty && (w->hub_at || w->relay_at));
}

static void breathe(struct sim_world *w)
{
	SIM_NEED(sim_until(w, may_go_on, NULL, SIM_SETTLED_MS), "no rest");
	sim_pass(w, at_rest(w, NULL) ? 100 : pace_ms);
}

static void agree(struct sim_world *w)
{
	const json_t *rooms, *room, *endpoints;
	json_t *e;
	size_t i;

	rest(w);
	sim_pass(w, 500);
	SIM_NEED(at_rest(w, NULL), "no rest for long");
	rooms = sim_list(w);
	room = sim_find(rooms, "room", SIM_ROOM);
	SIM_NEED(json_array_size(rooms) == 1 && room, "the relay holds %zu "
		"rooms", json_array_size(rooms));
	endpoints = json_object_get(room, "endpoints");
	json_array_foreach(endpoints, i, e)
		same_grant(w, e);
	for (int k = 0; k < SIM_PEOPLE; k++) {
		const struct sim_person *p = &w->people[k];
		char id[STR_ID_CAP];

		if (!p->joins)
			continue;
		str_copy(id, sizeof(id), p->user);
		id[0] = 'e';
		same_transports(p, sim_find(endpoints, "endpoint", id));
		same_sources(w, p);
	}
	all_flows(w);
	same_slots(w);
}

/* ---- the meeting ---- */

static json_t *about(struct sim_world *w, int who)
{
	return json_pack("{s:s}", "user", w->people[who].user);
}

static void leave(struct sim_world *w, int who)
{
	struct sim_person *p = &w->people[who];

	sim_must(w, who, "user.leave", json_object());
	p->joins = false;
	for (int k = 0; k < SIM_SIDES; k++)
		sim_side_end(&p->side[k]);
}

static bool is_thrown_out(struct sim_world *w, void *arg)
{
	(void)w;
	return ((struct sim_person *)arg)->end;
}

/* Some of it in haste: then only answers are waited for. */
static void middle(struct sim_world *w)
{
	sim_come(w, ANN, "Ann", "moderator");
	sim_come(w, BEN, "Ben", "viewer");
	sim_come(w, CAT, "Cat", "viewer");
	sim_must(w, CAT, "user.mute", json_object());
	breathe(w);
	sim_must(w, BEN, "user.mute", json_object());
	breathe(w);
	sim_must(w, ANN, "user.mute", about(w, CAT));
	sim_must(w, BEN, "user.unmute", json_object());
	sim_must(w, CAT, "user.unmute", json_object());
	breathe(w);
	sim_must(w, ANN, "user.unmute", about(w, CAT));
	breathe(w);
	sim_must(w, ANN, "user.role", json_pack("{s:s, s:s}", "user",
		w->people[BEN].user, "role", "moderator"));
	sim_must(w, BEN, "user.mute", json_pack("{s:b}", "all", 1));
	breathe(w);
	sim_must(w, ANN, "user.kick", about(w, CAT));
	sim_come(w, DAN, "Dan", "viewer");
	breathe(w);
	leave(w, BEN);
	sim_must(w, ANN, "user.mute", about(w, DAN));
	sim_pass(w, 100);
	sim_op(w, "user.unmute", json_pack("{s:b}", "all", 1));
	w->people[BEN].joins = true;
	sim_must(w, BEN, "user.join", json_object());
	w->people[BEN].seq = 0;
	sim_call(&w->people[BEN], SIM_JOIN, -1, "user.join", json_object());
	sim_must(w, ANN, "user.mute", json_object());
}

static void finish(struct sim_world *w)
{
	sim_op(w, "meeting.end", json_object());
	for (int i = 0; i < SIM_PEOPLE; i++)
		if (w->people[i].joins)
			SIM_NEED(sim_until(w, is_thrown_out, &w->people[i],
				SIM_SETTLED_MS), "%s is still there",
				w->people[i].name);
	SIM_NEED(sim_until(w, at_rest, NULL, SIM_SETTLED_MS), "no rest");
	SIM_NEED(!json_array_size(sim_list(w)), "the room is still there");
}

static void before(struct sim_world *w, unsigned n)
{
	static const unsigned down_ms[] = {5, 100, 1000, 7000};

	if (fault && n == fault_at)
		sim_fault(w, fault);
	/* One after the other: who is down is not hit again. */
	if (many && !w->hub_at && !w->relay_at && !rng_below(&faults, 20)) {
		w->down_ms = down_ms[rng_below(&faults, 4)];
		w->stop_ms = down_ms[rng_below(&faults, 4)] + 10;
		sim_fault(w, 1 + (enum sim_fault)rng_below(&faults,
			SIM_FAULTS - 1));
		many--;
	}
}

/* How long after the fault all was well again. */
static void idle(struct sim_world *w)
{
	if (w->fault_ns && !rested_ns && sim_ns > w->fault_ns &&
		!w->hub_at && !w->relay_at && at_rest(w, NULL))
		rested_ns = sim_ns;
}

/* What a fault may cost. */
static void check_cost(struct sim_world *w)
{
	uint64_t ms = (rested_ns - w->fault_ns) / NS_PER_MS;
	bool relay = fault == SIM_KILL_RELAY || fault == SIM_END_RELAY;
	bool stop = fault == SIM_STOP_HUB || fault == SIM_STOP_RELAY;
	unsigned away_ms = stop ? w->stop_ms : fault < SIM_CUT ? w->down_ms : 0;
	unsigned remade = 0;

	for (int i = 0; i < SIM_PEOPLE; i++)
		remade += w->people[i].remade;
	if (!w->fault_ns)
		return;
	SIM_NEED(ms <= (relay ? 3000 : 5000) + away_ms,
		"all was well again only after %u ms", (unsigned)ms);
	SIM_NEED(relay || fault >= SIM_CUT || !remade, "%u transports were "
		"made anew, with the relay alive", remade);
}

/* Returns how many messages there were before the end. */
static unsigned meet(enum sim_fault f, unsigned at)
{
	static struct sim_world w;
	unsigned n;

	fault = f;
	fault_at = at;
	hasty = at % 2;
	pace_ms = at % 4 == 1 ? 100 : 6000;
	sim_world_new(&w);
	/* As long as a start takes, or one that fails a few times. */
	w.down_ms = at % 8 < 4 ? 100 : 7000;
	w.before = before;
	w.idle = idle;
	rested_ns = 0;
	sim_begin_op(&w);
	middle(&w);
	rest(&w);
	n = w.n_lines;
	many = 0;
	agree(&w);
	if (fault)
		check_cost(&w);
	finish(&w);
	SIM_NEED(w.sent > 100, "only %u packets were forwarded", w.sent);
	sim_world_free(&w);
	return n;
}

static void nothing_happens(void **state)
{
	(void)state;
	snprintf(sim_rerun, sizeof(sim_rerun), "FAULT=0 .build/test/hub-relay");
	printf("# %u messages\n", meet(SIM_NONE, 0));
}

static void a_fault_at_each_message(void **state)
{
	unsigned n, only = (unsigned)env("FAULT", SIM_FAULTS);

	(void)state;
	if (only == 0 || getenv("SEED") || getenv("SEEDS"))
		return;
	n = meet(SIM_NONE, 0);
	for (unsigned f = 1; f < SIM_FAULTS; f++)
		for (unsigned at = 1; at <= n; at++) {
			if (only < SIM_FAULTS && (f != only ||
				at != env("AT", at)))
				continue;
			snprintf(sim_rerun, sizeof(sim_rerun), "FAULT=%u AT=%u "
				".build/test/hub-relay (%s)", f, at,
				sim_faults[f]);
			meet(f, at);
		}
}

static void many_faults(void **state)
{
	uint64_t from = env("SEED", 1), to = getenv("SEED") ? from :
		env("SEEDS", 30);

	(void)state;
	if (getenv("FAULT"))
		to = 0;
	for (uint64_t seed = from; seed <= to; seed++) {
		rng_seed(&faults, seed);
		many = (unsigned)env("MANY", 8);
		snprintf(sim_rerun, sizeof(sim_rerun),
			"SEED=%u .build/test/hub-relay", (unsigned)seed);
		meet(SIM_NONE, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_happens),
		cmocka_unit_test(a_fault_at_each_message),
		cmocka_unit_test(many_faults),
	};

	io_ignore_sigpipe();
	puts("# timeout: 400"); /* for tests/run */
	if (getenv("SIM_LOG"))
		io_log_to(2, "sim", IO_DEBUG);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
