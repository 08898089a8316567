/* Who may do what: every row of the table, tried by everybody. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "meet_world.h"

/* g guest, v viewer, m moderator, o op, w worker, s system. Written by hand
 * from conf-ctl(7); the code's own table is compared with it. The params are
 * for the actor's point of view: the other is Cyd. */
static const struct {
	const char *method, *object, *who, *params;
} rows[] = {
	{"meeting.create", "server", "o", NULL},
	{"meeting.list", "server", "o", NULL},
	{"meeting.show", "", "gvmo", NULL},
	{"meeting.get", "", "vmo", NULL},
	{"meeting.set", "", "mo", "{'key':'name','value':'x'}"},
	{"meeting.end", "", "mo", "{}"},
	{"meeting.tick", "", "s", "{}"},
	{"user.list", "", "vmo", NULL},
	{"user.join", "self", "gvm", "{}"},
	{"user.leave", "self", "vm", "{}"},
	{"user.mute", "self", "vm", NULL},
	{"user.mute", "other", "mo", "{'user':'" CYD "'}"},
	{"user.mute", "all", "mo", "{'all':true}"},
	{"user.unmute", "self", "vm", NULL},
	{"user.unmute", "other", "mo", "{'user':'" CYD "'}"},
	{"user.unmute", "all", "mo", "{'all':true}"},
	{"user.kick", "other", "mo", "{'user':'" CYD "'}"},
	{"user.role", "self", "m", NULL},
	{"user.role", "other", "mo", "{'user':'" CYD "','role':'moderator'}"},
	{"user.hand", "self", "vm", NULL},
	{"user.hand", "other", "mo", "{'user':'" CYD "','up':false}"},
	{"user.away", "other", "s", "{'user':'" CYD "'}"},
	{"chat.say", "", "vmo", "{'text':'x'}"},
	{"link.create", "", "mo", "{}"},
	{"link.create", "other", "o", "{'user':'" CYD "'}"},
	{"link.list", "", "mo", NULL},
	{"link.revoke", "", "mo", NULL},
	{"key.list", "server", "o", NULL},
	{"key.rotate", "server", "o", NULL},
	{"events.read", "", "vmo", NULL},
	{"events.read", "server", "o", NULL},
	{"events.follow", "", "vmo", NULL},
	{"events.follow", "server", "o", NULL},
	{"media.publish", "self", "vm", NULL},
	{"media.subscribe", "self", "vm", NULL},
	{"media.answer", "self", "vm", NULL},
	{"media.want", "self", "vm", NULL},
	{"media.off", "self", "vm", NULL},
	{"media.confirm", "self", "vm", NULL},
	{"media.check", "self", "vm", NULL},
	{"media.echo", "self", "gvm", NULL},
	{"media.attach", "", "o", "{'as':'Tool'}"},
	{"media.detach", "", "o", NULL},
	{"media.started", "other", "w", "{'user':'" CYD "','source':'mic'}"},
	{"media.stopped", "other", "ws", "{'user':'" CYD "','source':'mic'}"},
};

static const struct {
	char letter;
	unsigned bit;
} standings[] = {{'g', MEET_IS_GUEST}, {'v', MEET_IS_VIEWER},
	{'m', MEET_IS_MODERATOR}, {'o', MEET_IS_OP}, {'w', MEET_IS_WORKER},
	{'s', MEET_IS_SYSTEM}};

static struct meet_actor actor(const struct world *w, char letter)
{
	switch (letter) {
	case 'g':
		return w_user(w, DAN);
	case 'v':
		return w_user(w, BOB);
	case 'm':
		return w_user(w, ADA);
	case 'o':
		return w_op();
	case 'w':
		return w_worker();
	default:
		return w_system();
	}
}

static void table_is_as_documented(void **state)
{
	const struct meet_right *r;
	size_t n;

	(void)state;
	r = meet_rights(&n);
	assert_int_equal(n, ARRAY_LEN(rows));
	for (size_t i = 0; i < n; i++) {
		char who[8] = "";
		size_t len = 0;

		for (size_t j = 0; j < ARRAY_LEN(standings); j++)
			if (r[i].who & standings[j].bit)
				who[len++] = standings[j].letter;
		assert_string_equal(r[i].method, rows[i].method);
		assert_string_equal(r[i].object, rows[i].object);
		assert_string_equal(who, rows[i].who);
	}
}

static void everybody_tries_everything(void **state)
{
	struct meet_refusal why;
	struct world w;
	int tried = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		for (size_t j = 0; j < ARRAY_LEN(standings); j++) {
			struct meet_actor a;
			bool may = strchr(rows[i].who, standings[j].letter);
			int err;

			w_start_with_people(&w);
			a = actor(&w, standings[j].letter);
			assert_int_equal(meet_standing(w.m, &a),
				standings[j].bit);
			err = meet_allow(w.m, &a, rows[i].method,
				rows[i].object, &why);
			assert_int_equal(err, may ? 0 : -EPERM);
			if (err)
				assert_string_equal(why.kind, "denied");
			if (rows[i].params) {
				uint64_t seq = meet_seq(w.m);

				err = w_do(&w, a, rows[i].method,
					rows[i].params);
				tried++;
				if (may) {
					assert_int_equal(err, 0);
				} else {
					assert_int_equal(err, -EPERM);
					assert_string_equal(w.why.kind,
						"denied");
					assert_true(meet_seq(w.m) == seq);
				}
			}
			w_stop(&w);
		}
	}
	assert_int_equal(tried, 19 * 6);
}

/* What is on oneself needs an id of one's own in params or none at all. */
static void self_is_the_connection_not_the_message(void **state)
{
	struct world w;

	(void)state;
	w_start_with_people(&w);
	assert_int_equal(0, w_do(&w, w_user(&w, BOB), "user.mute", "{}"));
	assert_string_equal(w.types, "user.muted ");
	assert_int_equal(0, w_do(&w, w_user(&w, BOB), "user.unmute",
		"{'user':'" BOB "'}"));
	assert_string_equal(w.types, "user.unmuted ");
	assert_int_equal(0, w_do(&w, w_user(&w, ADA), "user.role",
		"{'role':'viewer','user':'" ADA "'}"));
	assert_string_equal(w.types, "user.role ");
	/* And is one no more. */
	assert_int_equal(-EPERM, w_do(&w, w_user(&w, ADA), "user.mute",
		"{'all':true}"));
	assert_string_equal(w.why.message, "only moderators can do this");
	assert_int_equal(-EPERM, w_do(&w, w_user(&w, BOB), "user.role",
		"{'role':'moderator'}"));
	assert_string_equal(w.why.kind, "denied");
	assert_int_equal(-EPERM, w_do(&w, w_user(&w, DAN), "chat.say",
		"{'text':'x'}"));
	assert_string_equal(w.why.message, "join the meeting first");
	w_stop(&w);
}

static void a_promotion_counts_at_once_and_survives_leaving(void **state)
{
	struct meet_ticket t;
	struct world w;

	(void)state;
	w_start_with_people(&w);
	w_do(&w, w_user(&w, ADA), "user.role", "{'user':'" BOB
		"','role':'moderator'}");
	assert_int_equal(0, w_do(&w, w_user(&w, BOB), "user.role",
		"{'user':'" ADA "','role':'viewer'}"));
	assert_int_equal(0, w_do(&w, w_user(&w, ADA), "user.leave", "{}"));
	/* Ada's link says moderator; the meeting says viewer. */
	assert_int_equal(0, meet_admit(w.m, ADA, w.chair, &t, &w.why));
	assert_int_equal(t.role, MEET_VIEWER);
	assert_int_equal(0, w_do(&w, w_user(&w, ADA), "user.join", "{}"));
	assert_int_equal(meet_seat(w.m, ADA)->role, MEET_VIEWER);
	w_stop(&w);
}

static bool sees(const struct world *w, char letter, const char *user)
{
	struct meet_actor a = actor(w, letter);

	return meet_visible(json_array_get(w->last, 0),
		meet_standing(w->m, &a), user);
}

static void private_chat_and_links_are_not_for_all(void **state)
{
	struct world w;

	(void)state;
	w_start_with_people(&w);
	w_do(&w, w_user(&w, CYD), "chat.say", "{'text':'x','to':'" BOB "'}");
	assert_string_equal(w.types, "chat.said ");
	assert_true(sees(&w, 'v', BOB));
	assert_true(sees(&w, 'v', CYD));
	assert_true(sees(&w, 'o', NULL));
	assert_false(sees(&w, 'm', ADA));
	assert_false(sees(&w, 'g', DAN));
	w_do(&w, w_op(), "chat.say", "{'text':'x','to':'" BOB "'}");
	assert_true(sees(&w, 'v', BOB));
	assert_false(sees(&w, 'v', CYD));
	w_do(&w, w_user(&w, CYD), "chat.say", "{'text':'x'}");
	assert_true(sees(&w, 'v', BOB));
	assert_true(sees(&w, 'm', ADA));
	assert_false(sees(&w, 'g', DAN));
	w_do(&w, w_op(), "link.create", "{}");
	assert_false(sees(&w, 'v', BOB));
	assert_true(sees(&w, 'm', ADA));
	assert_true(sees(&w, 'o', NULL));
	w_stop(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(table_is_as_documented),
		cmocka_unit_test(everybody_tries_everything),
		cmocka_unit_test(self_is_the_connection_not_the_message),
		cmocka_unit_test(
			a_promotion_counts_at_once_and_survives_leaving),
		cmocka_unit_test(private_chat_and_links_are_not_for_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
