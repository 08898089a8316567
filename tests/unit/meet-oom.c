/* meet without memory: each allocation of a busy hour fails once; every
 * refusal leaves the state as it was, and nothing leaks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "oom.h"
#include "meet_world.h"

static const struct {
	char who; /* o op, a Ada, b Bob, c Cyd, s system, w worker */
	const char *command, *params;
} hour[] = {
	{'a', "user.join", "{'name':'Ada'}"},
	{'b', "user.join", "{'name':'Bob'}"},
	{'c', "user.join", "{}"},
	{'a', "user.mute", "{'all':true}"},
	{'b', "user.leave", "{}"},
	{'b', "user.join", "{}"},
	{'o', "link.create", "{'name':'Eve'}"},
	{'o', "link.create", "{'uses':1,'from':'2025-12-01T00:00:00Z'}"},
	{'a', "user.role", "{'user':'" CYD "','role':'moderator'}"},
	{'w', "media.started", "{'user':'" ADA "','source':'mic'}"},
	{'b', "chat.say", "{'text':'hi','to':'" ADA "'}"},
	{'s', "user.away", "{'user':'" BOB "'}"},
	{'o', "user.kick", "{'user':'" BOB "','reason':'x'}"},
	{'a', "meeting.set", "{'key':'name','value':'y'}"},
	{'a', "meeting.end", "{}"},
	{'o', "meeting.create", "{'external':'z'}"},
};

static struct meet_actor who(const struct world *w, char c)
{
	switch (c) {
	case 'o':
		return w_op();
	case 's':
		return w_system();
	case 'w':
		return w_worker();
	default:
		return w_user(w, c == 'a' ? ADA : c == 'b' ? BOB : CYD);
	}
}

struct step {
	struct world *w;
	struct meet_actor actor;
	const char *command;
	json_t *params;
};

/* Decides, and throws away what was decided. */
static int decides(void *arg)
{
	struct step *s = arg;
	const uint8_t random[MEET_RANDOM] = {9};
	json_t *events;
	int err = meet_decide(s->w->m, &s->actor, s->command, s->params,
		s->w->now_ms, random, &events, &s->w->why);

	json_decref(events);
	return err;
}

static void *wrapped_malloc(size_t n)
{
	return malloc(n);
}

static json_t *read_params(const char *params)
{
	char text[256], why[160];

	str_copy(text, sizeof(text), params);
	for (char *p = text; *p; p++)
		if (*p == '\'')
			*p = '"';
	return json_read(text, strlen(text), why);
}

static void deciding_without_memory_decides_nothing(void **state)
{
	struct world w;

	(void)state;
	w_start(&w);
	for (size_t i = 0; i < ARRAY_LEN(hour); i++) {
		struct step s = {&w, who(&w, hour[i].who), hour[i].command,
			read_params(hour[i].params)};
		uint64_t seq = meet_seq(w.m);

		assert_in_range(oom_ladder(decides, &s), 5, OOM_MAX_STEPS);
		assert_true(meet_seq(w.m) == seq);
		json_decref(s.params);
		assert_int_equal(0, w_do(&w, s.actor, hour[i].command,
			hour[i].params));
	}
	w_stop(&w);
}

/* A fold of the hour's events that fails at any allocation can be gone on
 * with when there is memory again. */
static void applying_without_memory_changes_nothing(void **state)
{
	struct world w;
	struct meet *other;
	char why[160];
	int failed = 0;

	(void)state;
	w_start(&w);
	other = meet_new("hello", 1);
	assert_non_null(other);
	/* The first life's events are not kept by the world: begin anew. */
	w_do(&w, w_op(), "meeting.end", "{}");
	meet_free(w.m);
	w.m = meet_new("hello", 1);
	for (size_t i = 0; i < ARRAY_LEN(hour) + 3; i++) {
		json_t *e;
		size_t k;

		if (i == 0)
			w_do(&w, w_op(), "meeting.create", "{}");
		else if (i < 3)
			w_do(&w, w_op(), "link.create", i == 1 ? "{}"
				: "{'role':'moderator'}");
		else
			assert_int_equal(0, w_do(&w, who(&w,
				hour[i - 3].who), hour[i - 3].command,
				hour[i - 3].params));
		if (i == 1)
			str_copy(w.view, sizeof(w.view), w_link(&w));
		if (i == 2)
			str_copy(w.chair, sizeof(w.chair), w_link(&w));
		json_array_foreach(w.last, k, e) {
			uint64_t seq = meet_seq(other);
			int rc = -ENOMEM;

			for (oom_left = 0; rc == -ENOMEM; failed++) {
				long n = oom_left;

				rc = meet_apply(other, e, why);
				oom_left = n + 1;
				assert_true(!rc || meet_seq(other) == seq);
			}
			oom_left = -1;
			assert_int_equal(rc, 0);
		}
	}
	assert_true(failed > 20);
	assert_true(meet_seq(other) == meet_seq(w.m));
	meet_free(other);
	w_stop(&w);
}

static int makes(void *arg)
{
	struct meet *m = meet_new("hello", 1);

	(void)arg;
	meet_free(m);
	return m ? 0 : -ENOMEM;
}

static int reads(void *arg)
{
	const struct world *w = arg;
	json_t *v = meet_snapshot_json(w->m, ADA);

	json_decref(v);
	return v ? 0 : -ENOMEM;
}

static void reading_without_memory_gives_nothing(void **state)
{
	struct world w;

	(void)state;
	assert_in_range(oom_ladder(makes, NULL), 5, 20);
	w_start_with_people(&w);
	w_do(&w, w_worker(), "media.started", "{'user':'" ADA
		"','source':'mic'}");
	w_do(&w, w_op(), "chat.say", "{'text':'x'}");
	assert_in_range(oom_ladder(reads, &w), 50, OOM_MAX_STEPS);
	w_stop(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(deciding_without_memory_decides_nothing),
		cmocka_unit_test(applying_without_memory_changes_nothing),
		cmocka_unit_test(reading_without_memory_gives_nothing),
	};

	json_set_alloc_funcs(wrapped_malloc, free);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
