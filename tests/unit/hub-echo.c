/* The test of sound, through a real hub and a real relay: who tests hears
 * himself and nobody else does, joined or not; it ends when he says so, when
 * he goes, with the next one, and after 15 s; nothing of it is in the log;
 * and whoever dies at whatever message, he is told, and the next test goes
 * well.
 *
 * SIM_TRACE=1 prints the messages.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "sim_act.h"

enum { ANN, BEN, GUS };
static struct sim_world w;
static int sends, receives; /* pcs of the last test that was begun */

/* Gus has a link and does not join; Ann and Ben are in the meeting. */
static void begin(void)
{
	struct sim_person *gus = &w.people[GUS];

	snprintf(sim_rerun, sizeof(sim_rerun), ".build/test/hub-echo");
	sim_world_new(&w);
	w.patient = true;
	sim_begin_op(&w);
	sim_come(&w, ANN, "Ann", "moderator");
	sim_come(&w, BEN, "Ben", "viewer");
	sim_op(&w, "link.create", json_pack("{s:s}", "name", "Gus"));
	gus->name = "Gus";
	gus->server = w.server;
	sim_person_start(gus, sim_text(w.op.act, "token"));
	gus->joins = false;
	SIM_NEED(sim_until(&w, sim_is_up, gus, SIM_SETTLED_MS), "no Gus");
}

static const char *ask(struct sim_person *p, json_t *params)
{
	return sim_try(&w, p, "media.echo", params);
}

static int pc_new(struct sim_person *p)
{
	int pc = sim_pc_new(p);

	sim_pcs[pc].echo = true;
	return pc;
}

/* The kind of the first answer that is none, or "ok". */
static const char *test(struct sim_person *p)
{
	char sdp[32];
	const char *kind;

	sends = pc_new(p);
	receives = pc_new(p);
	snprintf(sdp, sizeof(sdp), "pub %d", sends);
	kind = ask(p, json_pack("{s:s}", "sdp", sdp));
	if (!str_eq(kind, "ok"))
		return kind;
	assert_string_equal(sim_text(p->act, "sdp"), "fine");
	assert_string_equal(sim_text(p->act, "offer"), "offer");
	sim_pcs[sends].ready = sim_pcs[receives].ready = true;
	snprintf(sdp, sizeof(sdp), "sub %d", receives);
	return ask(p, json_pack("{s:s, s:s}", "transport", sim_text(p->act,
		"transport"), "answer", sdp));
}

static unsigned echoed(uint64_t ms)
{
	w.echoed = 0;
	sim_pass(&w, ms);
	return w.echoed;
}

/* How many rooms of tests the relay holds. */
static unsigned rooms(void)
{
	const json_t *list;
	unsigned n = 0;
	json_t *room;
	size_t i;

	sim_pass(&w, 100); /* what was told is there */
	list = sim_list(&w);
	json_array_foreach(list, i, room)
		n += str_starts(sim_text(room, "room"), "r_");
	return n;
}

static json_int_t seq(void)
{
	sim_op(&w, "meeting.show", json_object());
	return json_integer_value(json_object_get(json_object_get(w.op.act,
		"meeting"), "seq"));
}

static void everybody_may(void **state)
{
	static const int people[] = {GUS, ANN};

	(void)state;
	begin();
	sim_pass(&w, 2000);
	for (size_t i = 0; i < ARRAY_LEN(people); i++) {
		struct sim_person *p = &w.people[people[i]];
		json_int_t before = seq();

		assert_string_equal(test(p), "ok");
		assert_true(echoed(1000) > 10);
		assert_int_equal(rooms(), 1);
		assert_string_equal(ask(p, json_pack("{s:b}", "off", 1)),
			"ok");
		assert_int_equal(rooms(), 0);
		assert_int_equal(echoed(1000), 0);
		assert_int_equal(seq(), before);
	}
	/* The meeting goes on beside it. */
	assert_true(w.got[ANN][BEN] > 100 && w.got[BEN][ANN] > 100);
	assert_string_equal(sim_try(&w, &w.op, "media.echo", json_pack(
		"{s:s, s:s}", "meeting", SIM_ROOM, "sdp", "pub 1")), "denied");
	sim_world_free(&w);
}

static void it_ends(void **state)
{
	struct sim_person *gus = &w.people[GUS];

	(void)state;
	begin();
	assert_string_equal(test(gus), "ok");
	assert_string_equal(test(gus), "ok");
	assert_int_equal(rooms(), 1); /* the next one takes its place */
	assert_true(echoed(14000) > 100);
	sim_pass(&w, 2000);
	assert_int_equal(echoed(1000), 0);
	assert_int_equal(rooms(), 0);

	/* With who tests it goes. */
	assert_string_equal(test(gus), "ok");
	sim_frame(gus, 8, "\x03\xe8", 2);
	sim_pass(&w, 500);
	assert_int_equal(rooms(), 0);
	assert_int_equal(echoed(1000), 0);

	/* A connection of his that breaks takes it along. */
	SIM_NEED(sim_until(&w, sim_is_up, gus, SIM_SETTLED_MS), "no Gus");
	assert_string_equal(test(gus), "ok");
	sim_pcs[receives].open = false;
	sim_pass(&w, 500);
	assert_int_equal(rooms(), 0);

	/* So do a kick and the end of the meeting. */
	sim_must(&w, ANN, "user.mute", json_object());
	assert_string_equal(test(&w.people[BEN]), "ok");
	sim_must(&w, ANN, "user.kick", json_pack("{s:s}", "user",
		w.people[BEN].user));
	sim_pass(&w, 500);
	assert_int_equal(rooms(), 0);
	assert_string_equal(test(gus), "ok");
	assert_int_equal(rooms(), 1);
	sim_op(&w, "meeting.end", json_object());
	sim_pass(&w, 500);
	assert_int_equal(rooms(), 0);
	sim_world_free(&w);
}

static void what_cannot_be(void **state)
{
	struct sim_person *gus = &w.people[GUS];
	const char *kind = "ok";
	int n = 0;

	(void)state;
	begin();
	assert_string_equal(ask(gus, json_object()), "invalid");
	assert_string_equal(ask(gus, json_pack("{s:i}", "sdp", 1)), "invalid");
	assert_string_equal(ask(gus, json_pack("{s:s}", "sdp", "")),
		"invalid");
	assert_string_equal(ask(gus, json_pack("{s:s}", "answer", "sub 1")),
		"invalid");
	assert_string_equal(ask(gus, json_pack("{s:s}", "off", "yes")),
		"invalid");
	assert_string_equal(ask(gus, json_pack("{s:b}", "off", 1)), "ok");
	assert_string_equal(ask(gus, json_pack("{s:s, s:s}", "answer",
		"sub 1", "transport", "t_aaaaaaaaaaaaaaaaaaaaaaaaaa")),
		"not_found");
	/* That of somebody else's test is not his. */
	assert_string_equal(test(&w.people[ANN]), "ok");
	assert_string_equal(test(gus), "ok");
	assert_int_equal(rooms(), 2);
	assert_true(echoed(500) > 10);
	assert_string_equal(ask(&w.people[ANN], json_pack("{s:b}", "off", 1)),
		"ok");
	assert_int_equal(rooms(), 1);

	/* Every now and then, but not all the time. */
	while (str_eq(kind, "ok") && n++ < 50)
		kind = test(gus);
	assert_string_equal(kind, "limit");
	assert_in_range(n, 5, 30);
	sim_pass(&w, 20000);
	assert_string_equal(test(gus), "ok");
	sim_world_free(&w);
}

static void no_relay(void **state)
{
	struct sim_person *gus = &w.people[GUS];
	uint64_t began;

	(void)state;
	begin();
	w.down_ms = 60000;
	sim_relay_kill(&w);
	began = sim_ns;
	assert_string_equal(test(gus), "unavailable");
	assert_in_range((sim_ns - began) / NS_PER_MS, 1900, 2300);
	/* One that comes in time is waited for. */
	w.down_ms = 1000;
	w.relay_at = sim_ns + 1000 * NS_PER_MS;
	assert_string_equal(test(gus), "ok");
	assert_true(echoed(1000) > 10);
	sim_world_free(&w);
}

static enum sim_fault fault;
static unsigned fault_at;

static void before(struct sim_world *world, unsigned n)
{
	if (fault && n == fault_at)
		sim_fault(world, fault);
}

/* At each message from the first of the test on: an answer comes in any case,
 * and the next test goes well. */
static void a_fault_at_each_message(void **state)
{
	struct sim_person *gus = &w.people[GUS];

	static const enum sim_fault faults[] = {SIM_KILL_HUB, SIM_KILL_RELAY,
		SIM_STOP_RELAY, SIM_END_RELAY, SIM_CUT};

	(void)state;
	for (unsigned f = 0; f < ARRAY_LEN(faults); f++)
		for (unsigned at = 1; at < 10; at++) {
			uint64_t began;

			begin();
			snprintf(sim_rerun, sizeof(sim_rerun), "%s, at "
				"message %u", sim_faults[faults[f]], at);
			sim_pass(&w, 1000);
			w.n_lines = 0;
			w.stop_ms = 3000;
			w.before = before;
			fault = faults[f];
			fault_at = at;
			began = sim_ns;
			test(gus);
			assert_in_range((sim_ns - began) / NS_PER_MS, 0, 9000);
			sim_pass(&w, 8000);
			fault = SIM_NONE;
			assert_string_equal(test(gus), "ok");
			assert_true(echoed(1000) > 10);
			assert_int_equal(rooms(), 1);
			sim_pass(&w, 16000);
			assert_int_equal(rooms(), 0);
			sim_world_free(&w);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everybody_may),
		cmocka_unit_test(it_ends),
		cmocka_unit_test(what_cannot_be),
		cmocka_unit_test(no_relay),
		cmocka_unit_test(a_fault_at_each_message),
	};

	io_ignore_sigpipe();
	if (getenv("SIM_LOG"))
		io_log_to(2, "sim", IO_DEBUG);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
