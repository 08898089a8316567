/* Commands and the events that they become. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "meet_world.h"

#define DOES(w, actor, command, params, want) do {                    \
	assert_int_equal(0, w_do(w, actor, command, params));         \
	assert_string_equal((w)->types, want);                        \
} while (0)
#define REFUSED(w, actor, command, params, words_kind, words) do {    \
	assert_int_equal(-EPERM, w_do(w, actor, command, params));    \
	assert_string_equal((w)->why.kind, words_kind);               \
	assert_string_equal((w)->why.message, words);                 \
} while (0)

static void events_have_their_envelope(void **state)
{
	struct world w;

	(void)state;
	w_start_with_people(&w);
	w.now_ms += 1234;
	DOES(&w, w_user(&w, ADA), "user.mute", "{'all':true}",
		"user.held user.held ");
	assert_string_equal(w_event(&w, 1),
		"{\"v\":1,\"seq\":8,\"pos\":0,"
		"\"time\":\"2025-11-22T09:00:01.234Z\",\"meeting\":\"hello\","
		"\"type\":\"user.held\",\"actor\":\"user:" ADA "\","
		"\"data\":{\"user\":\"" CYD "\"}}");
	DOES(&w, w_op(), "meeting.set", "{'key':'empty_ms','value':0}",
		"meeting.changed ");
	assert_non_null(strstr(w_event(&w, 0), "\"actor\":\"op:1000\",\"data\""
		":{\"key\":\"empty_ms\",\"value\":0}}"));
	DOES(&w, w_worker(), "media.started", "{'user':'" BOB
		"','source':'cam'}", "media.started ");
	assert_non_null(strstr(w_event(&w, 0),
		"\"actor\":\"worker:relay/relay-0\""));
	w_stop(&w);
}

static void a_meeting_is_created_set_and_ended(void **state)
{
	struct world w = {.now_ms = 1000000};

	(void)state;
	w.m = meet_new("m", 7);
	assert_non_null(w.m);
	REFUSED(&w, w_op(), "meeting.end", "{}", "not_found",
		"there is no such meeting");
	REFUSED(&w, w_op(), "meeting.create", "{'audio':'mix'}",
		"unavailable", "there is no mixer on this server");
	REFUSED(&w, w_op(), "meeting.create", "{'audio':'loud'}", "invalid",
		"audio must be auto, forward or mix");
	REFUSED(&w, w_op(), "meeting.create", "{'empty_ms':999}", "invalid",
		"empty_ms must be 0 or 1000 to 31622400000");
	REFUSED(&w, w_op(), "meeting.create", "{'max_users':1001}",
		"invalid", "max_users must be 0 to 1000");
	REFUSED(&w, w_op(), "meeting.create", "{'name':7}", "invalid",
		"name must be a string");
	DOES(&w, w_op(), "meeting.create", "{'name':'  A\\u202eB\\n ',"
		"'audio':'forward','max_users':2,'external':'x-9'}",
		"meeting.created ");
	assert_non_null(strstr(w_event(&w, 0), "\"data\":{\"name\":\"AB\","
		"\"audio\":\"forward\",\"empty_ms\":600000,\"max_users\":2,"
		"\"external\":\"x-9\"}}"));
	REFUSED(&w, w_op(), "meeting.create", "{}", "exists",
		"the meeting m exists already");
	DOES(&w, w_op(), "meeting.set", "{'key':'name','value':'New'}",
		"meeting.changed ");
	DOES(&w, w_op(), "meeting.set", "{'key':'name','value':' New'}", "");
	REFUSED(&w, w_op(), "meeting.set", "{'key':'name','value':' '}",
		"invalid", "name must be more than blanks");
	REFUSED(&w, w_op(), "meeting.set", "{'key':'colour','value':'x'}",
		"invalid", "key must be name, audio, empty_ms or max_users");
	REFUSED(&w, w_op(), "meeting.set", "{'key':'max_users'}", "invalid",
		"value must be an integer");
	REFUSED(&w, w_op(), "meeting.set", "{'value':1}", "invalid",
		"key is missing");
	DOES(&w, w_op(), "meeting.end", "{}", "meeting.ended ");
	assert_non_null(strstr(w_event(&w, 0), "{\"reason\":\"op\"}"));
	assert_false(meet_open(w.m));
	REFUSED(&w, w_op(), "meeting.end", "{}", "not_found",
		"this meeting has ended");
	/* Begun again under the same id; the count goes on. */
	DOES(&w, w_op(), "meeting.create", "{}", "meeting.created ");
	assert_int_equal(meet_seq(w.m), 4);
	assert_true(meet_open(w.m));
	w_stop(&w);
}

static void ending_lets_everybody_leave(void **state)
{
	struct meet_ticket t;
	struct world w;

	(void)state;
	w_start_with_people(&w);
	w_do(&w, w_user(&w, CYD), "chat.say", "{'text':'hi'}");
	DOES(&w, w_user(&w, ADA), "meeting.end", "{'reason':'that is all'}",
		"user.left user.left user.left meeting.ended ");
	assert_non_null(strstr(w_event(&w, 0), "\"actor\":\"system\",\"data\":"
		"{\"user\":\"" ADA "\",\"reason\":\"ended\"}"));
	assert_non_null(strstr(w_event(&w, 3), "\"that is all\""));
	assert_int_equal(meet_users(w.m), 0);
	assert_int_equal(-EPERM, meet_admit(w.m, BOB, w.view, &t, &w.why));
	assert_string_equal(w.why.message, "this meeting has ended");
	/* Links, seats and chat of before do not come back with the id. */
	DOES(&w, w_op(), "meeting.create", "{}", "meeting.created ");
	assert_int_equal(-EPERM, meet_admit(w.m, BOB, w.view, &t, &w.why));
	assert_string_equal(w.why.message, "this link is not of this meeting");
	json_decref(w.last);
	w.last = meet_chat_json(w.m, MEET_IS_OP, NULL, 1000);
	assert_int_equal(json_array_size(w.last), 0);
	w_stop(&w);
}

static void joining_takes_a_name_or_makes_one(void **state)
{
	static const struct {
		const char *params, *name;
	} names[] = {
		{"{}", "Guest"},
		{"{'name':null}", "Guest"},
		{"{'name':''}", "Guest"},
		{"{'name':' \\u200b\\u3000 '}", "Guest"},
		{"{'name':'\\u0007Eve\\u001b[31m'}", "Eve[31m"},
		{"{'name':'  Eve\\tX '}", "Eve X"},
		{"{'name':'Ada'}", "Ada"}, /* a second one is legal */
	};
	struct world w;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		w_start_with_people(&w);
		DOES(&w, w_user(&w, DAN), "user.join", names[i].params,
			"user.joined ");
		assert_string_equal(meet_seat(w.m, DAN)->name, names[i].name);
		assert_string_equal(meet_seat(w.m, DAN)->link, w.view);
		w_stop(&w);
	}
	w_start(&w);
	REFUSED(&w, w_user(&w, DAN), "user.join", "{'name':3}", "invalid",
		"name must be a string");
	REFUSED(&w, w_user(&w, DAN), "user.join", "{'name':'"
		"12345678901234567890123456789012345678901234567890"
		"123456789012345'}", "invalid",
		"name is longer than 64 characters");
	DOES(&w, w_user(&w, DAN), "user.join", "{'name':'"
		"12345678901234567890123456789012345678901234567890"
		"12345678901234'}", "user.joined ");
	w_stop(&w);
}

static void a_seat_is_kept_while_away(void **state)
{
	struct world w;

	(void)state;
	w_start_with_people(&w);
	assert_true(meet_deadline(w.m) == MEET_NEVER);
	DOES(&w, w_user(&w, BOB), "user.join", "{'name':'Robert'}", "");
	DOES(&w, w_system(), "user.away", "{'user':'" BOB "'}", "user.away ");
	DOES(&w, w_system(), "user.away", "{'user':'" BOB "'}", "");
	assert_true(meet_deadline(w.m) == w.now_ms + 60000);
	w.now_ms += 59999;
	DOES(&w, w_system(), "meeting.tick", "{}", "");
	DOES(&w, w_user(&w, BOB), "user.join", "{'name':'Robert'}",
		"user.back ");
	assert_string_equal(meet_seat(w.m, BOB)->name, "Bob");
	assert_true(meet_deadline(w.m) == MEET_NEVER);
	DOES(&w, w_system(), "user.away", "{'user':'" BOB "'}", "user.away ");
	w.now_ms += 60000;
	DOES(&w, w_system(), "meeting.tick", "{}", "user.left ");
	assert_non_null(strstr(w_event(&w, 0), "\"reason\":\"timeout\""));
	assert_null(meet_seat(w.m, BOB));
	assert_int_equal(meet_users(w.m), 2);
	w_stop(&w);
}

static void an_empty_meeting_ends(void **state)
{
	struct world w;

	(void)state;
	w_start_with_people(&w);
	w.now_ms += 5000;
	w_do(&w, w_user(&w, ADA), "user.leave", "{}");
	w_do(&w, w_user(&w, BOB), "user.leave", "{}");
	assert_true(meet_deadline(w.m) == MEET_NEVER);
	DOES(&w, w_user(&w, CYD), "user.leave", "{}", "user.left ");
	assert_true(meet_deadline(w.m) == w.now_ms + 600000);
	w.now_ms += 599999;
	DOES(&w, w_system(), "meeting.tick", "{}", "");
	w.now_ms += 1;
	DOES(&w, w_system(), "meeting.tick", "{}", "meeting.ended ");
	assert_non_null(strstr(w_event(&w, 0), "\"actor\":\"system\",\"data\":"
		"{\"reason\":\"empty\"}"));
	assert_true(meet_deadline(w.m) == MEET_NEVER);
	w_stop(&w);
	/* One that never ends by itself. */
	w_start(&w);
	w_do(&w, w_op(), "meeting.set", "{'key':'empty_ms','value':0}");
	assert_true(meet_deadline(w.m) == MEET_NEVER);
	w.now_ms += UINT64_C(1) << 40;
	DOES(&w, w_system(), "meeting.tick", "{}", "");
	w_stop(&w);
}

static void a_full_meeting_refuses(void **state)
{
	struct world w;

	(void)state;
	w_start_with_people(&w);
	w_do(&w, w_op(), "meeting.set", "{'key':'max_users','value':3}");
	REFUSED(&w, w_user(&w, DAN), "user.join", "{}", "limit",
		"the meeting is full");
	/* Who sits keeps the seat, away or not. */
	w_do(&w, w_system(), "user.away", "{'user':'" BOB "'}");
	DOES(&w, w_user(&w, BOB), "user.join", "{}", "user.back ");
	w_do(&w, w_user(&w, BOB), "user.leave", "{}");
	DOES(&w, w_user(&w, DAN), "user.join", "{}", "user.joined ");
	w_stop(&w);
}

static void mute_is_two_bits(void **state)
{
	struct world w;

	(void)state;
	w_start_with_people(&w);
	assert_true(meet_heard(w.m, BOB));
	assert_false(meet_heard(w.m, DAN));
	DOES(&w, w_user(&w, BOB), "user.mute", "{}", "user.muted ");
	DOES(&w, w_user(&w, ADA), "user.mute", "{'user':'" BOB "'}",
		"user.held ");
	/* One's own unmute does not open what a moderator closed. */
	DOES(&w, w_user(&w, BOB), "user.unmute", "{}", "user.unmuted ");
	assert_false(meet_heard(w.m, BOB));
	/* Nor does leaving and coming back. */
	w_do(&w, w_user(&w, BOB), "user.leave", "{}");
	DOES(&w, w_user(&w, BOB), "user.join", "{}",
		"user.joined user.held ");
	assert_false(meet_heard(w.m, BOB));
	DOES(&w, w_user(&w, BOB), "user.mute", "{}", "user.muted ");
	/* And a moderator's unmute does not open what its owner closed. */
	DOES(&w, w_op(), "user.unmute", "{'user':'" BOB "'}",
		"user.released ");
	assert_false(meet_heard(w.m, BOB));
	DOES(&w, w_user(&w, BOB), "user.unmute", "{}", "user.unmuted ");
	assert_true(meet_heard(w.m, BOB));
	DOES(&w, w_user(&w, BOB), "user.unmute", "{}", "");
	DOES(&w, w_user(&w, ADA), "user.mute", "{'all':true}",
		"user.held user.held ");
	assert_true(meet_heard(w.m, ADA));
	DOES(&w, w_op(), "user.mute", "{'all':true}", "user.held ");
	DOES(&w, w_op(), "user.unmute", "{'all':true}",
		"user.released user.released user.released ");
	w_do(&w, w_user(&w, BOB), "user.leave", "{}");
	DOES(&w, w_user(&w, BOB), "user.join", "{}", "user.joined ");
	REFUSED(&w, w_op(), "user.mute", "{}", "invalid",
		"user or all is missing");
	REFUSED(&w, w_op(), "user.mute", "{'all':true,'user':'" BOB "'}",
		"invalid", "user and all exclude each other");
	REFUSED(&w, w_op(), "user.mute", "{'all':1}", "invalid",
		"all must be true or false");
	REFUSED(&w, w_op(), "user.mute", "{'user':'" DAN "'}", "not_found",
		"there is no such user in the meeting");
	w_stop(&w);
}

static void kick_takes_seat_and_links(void **state)
{
	struct meet_ticket t;
	struct world w;
	char user[STR_ID_CAP], link[STR_ID_CAP];
	struct meet_actor eve = {.party = MEET_USER, .id = user,
		.link = link};

	(void)state;
	w_start_with_people(&w);
	DOES(&w, w_user(&w, ADA), "user.kick", "{'user':'" BOB
		"','reason':'noise'}", "user.kicked ");
	assert_non_null(strstr(w_event(&w, 0), "\"data\":{\"user\":\"" BOB
		"\",\"reason\":\"noise\"}"));
	REFUSED(&w, w_user(&w, BOB), "user.join", "{}", "denied",
		"you have been removed from this meeting");
	assert_int_equal(-EPERM, meet_admit(w.m, BOB, w.view, &t, &w.why));
	/* Others come by the same link as before. */
	assert_int_equal(0, meet_admit(w.m, DAN, w.view, &t, &w.why));
	/* One with a link of her own, before she came. */
	w_do(&w, w_op(), "link.create", "{'name':'Eve'}");
	str_copy(link, sizeof(link), w_link(&w));
	str_copy(user, sizeof(user), json_string_value(json_object_get(
		json_object_get(json_array_get(w.last, 0), "data"), "sub")));
	assert_int_equal(0, meet_admit(w.m, user, link, &t, &w.why));
	assert_string_equal(t.name, "Eve");
	assert_int_equal(-EPERM, meet_admit(w.m, DAN, link, &t, &w.why));
	assert_string_equal(w.why.message, "this link is for somebody else");
	DOES(&w, eve, "user.join", "{'name':'Mallory'}", "user.joined ");
	assert_string_equal(meet_seat(w.m, user)->name, "Eve");
	w_do(&w, eve, "user.leave", "{}");
	{
		char params[64];

		snprintf(params, sizeof(params), "{'user':'%s'}", user);
		DOES(&w, w_op(), "user.kick", params,
			"user.kicked link.revoked ");
		DOES(&w, w_op(), "user.kick", params, "");
	}
	assert_int_equal(-EPERM, meet_admit(w.m, user, link, &t, &w.why));
	REFUSED(&w, w_user(&w, ADA), "user.kick", "{'user':'" ADA "'}",
		"invalid", "nobody can kick himself: leave");
	REFUSED(&w, w_user(&w, ADA), "user.kick", "{'user':'" DAN "'}",
		"not_found", "there is no such user in the meeting");
	REFUSED(&w, w_op(), "user.kick", "{}", "invalid", "user is missing");
	w_stop(&w);
}

static void hands_go_up_by_their_owner(void **state)
{
	struct world w;

	(void)state;
	w_start_with_people(&w);
	DOES(&w, w_user(&w, BOB), "user.hand", "{'up':true}", "user.hand ");
	DOES(&w, w_user(&w, BOB), "user.hand", "{}", "");
	assert_true(meet_seat(w.m, BOB)->hand);
	assert_true(meet_seat(w.m, BOB)->hand_ms == w.now_ms);
	DOES(&w, w_user(&w, ADA), "user.hand", "{'user':'" BOB
		"','up':false}", "user.hand ");
	REFUSED(&w, w_user(&w, ADA), "user.hand", "{'user':'" BOB
		"','up':true}", "denied",
		"a hand is raised by its owner only");
	w_stop(&w);
}

static void chat_is_text(void **state)
{
	struct world w;

	(void)state;
	w_start_with_people(&w);
	DOES(&w, w_user(&w, BOB), "chat.say",
		"{'text':'  \\n a\\r\\nb\\tc <b>\\u202e\\n '}", "chat.said ");
	assert_non_null(strstr(w_event(&w, 0), "\"data\":{\"text\":"
		"\"a\\nb\\tc <b>\xe2\x80\xae\",\"name\":\"Bob\"}}"));
	DOES(&w, w_user(&w, BOB), "chat.say", "{'text':'p','to':'" ADA "'}",
		"chat.said ");
	assert_non_null(strstr(w_event(&w, 0), "\"data\":{\"text\":\"p\","
		"\"name\":\"Bob\",\"to\":\"" ADA "\"}}"));
	DOES(&w, w_op(), "chat.say", "{'text':'p','as':' cron '}",
		"chat.said ");
	assert_non_null(strstr(w_event(&w, 0), "\"name\":\"cron\""));
	DOES(&w, w_op(), "chat.say", "{'text':'p'}", "chat.said ");
	assert_non_null(strstr(w_event(&w, 0), "\"name\":\"op:1000\""));
	REFUSED(&w, w_user(&w, BOB), "chat.say", "{'text':' \\n'}",
		"invalid", "text is empty");
	REFUSED(&w, w_user(&w, BOB), "chat.say", "{}", "invalid",
		"text is missing");
	REFUSED(&w, w_user(&w, BOB), "chat.say", "{'text':'a\\u001bb'}",
		"invalid", "text holds a control character");
	REFUSED(&w, w_user(&w, BOB), "chat.say", "{'text':'a\\rb'}",
		"invalid", "text holds a control character");
	REFUSED(&w, w_user(&w, BOB), "chat.say", "{'text':'a\\u009bb'}",
		"invalid", "text holds a control character");
	REFUSED(&w, w_user(&w, BOB), "chat.say", "{'text':'a','as':'Ada'}",
		"denied", "only operators choose the name they say something "
			  "by");
	REFUSED(&w, w_user(&w, BOB), "chat.say", "{'text':'a','to':'" BOB
		"'}", "invalid", "a private message goes to somebody else");
	REFUSED(&w, w_user(&w, BOB), "chat.say", "{'text':'a','to':'" DAN
		"'}", "not_found", "there is no such user in the meeting");
	w_stop(&w);
}

static void chat_has_a_limit(void **state)
{
	static char text[MEET_CHAT_MAX + 2];
	const uint8_t random[MEET_RANDOM] = {0};
	struct meet_actor bob;
	struct world w;
	json_t *p;

	(void)state;
	w_start_with_people(&w);
	bob = w_user(&w, BOB);
	memset(text, 'x', MEET_CHAT_MAX + 1);
	p = json_pack("{s:s}", "text", text);
	json_decref(w.last);
	assert_int_equal(-EPERM, meet_decide(w.m, &bob, "chat.say", p,
		w.now_ms, random, &w.last, &w.why));
	assert_string_equal(w.why.message, "text is longer than 8000 bytes");
	json_decref(p);
	p = json_pack("{s:s}", "text", text + 1);
	assert_int_equal(0, meet_decide(w.m, &bob, "chat.say", p, w.now_ms,
		random, &w.last, &w.why));
	json_decref(p);
	w_stop(&w);
}

static void links_are_kept_in_books(void **state)
{
	struct meet_ticket t;
	struct world w;
	char params[64];
	bool more;

	(void)state;
	w_start(&w);
	DOES(&w, w_op(), "link.create", "{'ttl_ms':3600000,'name':' Eve '}",
		"link.created ");
	assert_non_null(strstr(w_event(&w, 0), "\"data\":{\"link\":\"l_"
		"aqaaaaaaaaaaaaaaaaaaaaaaaa\",\"role\":\"viewer\",\"name\":"
		"\"Eve\",\"sub\":\"u_aqaaaaaaaaaaaaaaaaaaaaaaaa\","
		"\"expires\":\"2025-11-22T10:00:00.000Z\"}}"));
	DOES(&w, w_op(), "link.create", "{}", "link.created ");
	assert_non_null(strstr(w_event(&w, 0), "\"sub\":\"*\",\"expires\":"
		"\"2025-11-23T09:00:00.000Z\"}}"));
	REFUSED(&w, w_op(), "link.create", "{'role':'king'}", "invalid",
		"role must be viewer or moderator");
	REFUSED(&w, w_op(), "link.create", "{'ttl_ms':0}", "invalid",
		"ttl_ms must be 1000 to 31622400000");
	REFUSED(&w, w_op(), "link.create", "{'user':'Eve'}", "invalid",
		"user is no user's id");
	assert_int_equal(0, meet_admit(w.m, BOB, w.view, &t, &w.why));
	assert_int_equal(t.role, MEET_VIEWER);
	assert_null(t.name);
	assert_false(t.joined);
	assert_int_equal(0, meet_admit(w.m, ADA, w.chair, &t, &w.why));
	assert_int_equal(t.role, MEET_MODERATOR);
	w_do(&w, w_user(&w, BOB), "user.join", "{}");
	snprintf(params, sizeof(params), "{'link':'%s'}", w.view);
	DOES(&w, w_op(), "link.revoke", params, "link.revoked ");
	DOES(&w, w_op(), "link.revoke", params, "");
	/* Nobody comes by it any more; who sits, sits. */
	assert_int_equal(-EPERM, meet_admit(w.m, CYD, w.view, &t, &w.why));
	assert_string_equal(w.why.message, "this link has been revoked");
	assert_int_equal(0, meet_admit(w.m, BOB, w.view, &t, &w.why));
	assert_true(t.joined);
	REFUSED(&w, w_op(), "link.revoke", "{'link':'l_x'}", "not_found",
		"there is no such link in the meeting");
	assert_int_equal(-EPERM, meet_admit(w.m, CYD, "l_x", &t, &w.why));
	assert_int_equal(-EPERM, meet_admit(w.m, CYD, NULL, &t, &w.why));
	json_decref(w.last);
	w.last = meet_links_json(w.m, NULL, &more);
	assert_int_equal(json_array_size(w.last), 4);
	assert_false(more);
	json_decref(w.last);
	w.last = meet_links_json(w.m, w.chair, &more);
	assert_int_equal(json_array_size(w.last), 2);
	w_stop(&w);
}

/* A link for everybody is used up by users, not by their coming and going;
 * one for a single user by each of his joins. */
static void uses_are_counted(void **state)
{
	struct meet_actor a = {.party = MEET_USER};
	char link[STR_ID_CAP], sub[STR_ID_CAP];
	struct meet_ticket t;
	struct world w;

	(void)state;
	w_start(&w);
	DOES(&w, w_op(), "link.create", "{'uses':2}", "link.created ");
	assert_non_null(strstr(w_event(&w, 0), "\"expires\":"
		"\"2025-11-23T09:00:00.000Z\",\"uses\":2}}"));
	str_copy(link, sizeof(link), w_link(&w));
	a.link = link;
	a.id = BOB;
	DOES(&w, a, "user.join", "{}", "user.joined ");
	DOES(&w, a, "user.leave", "{}", "user.left ");
	DOES(&w, a, "user.join", "{}", "user.joined ");
	assert_int_equal(0, meet_admit(w.m, CYD, link, &t, &w.why));
	assert_false(t.spent);
	a.id = CYD;
	DOES(&w, a, "user.join", "{}", "user.joined ");
	assert_int_equal(-EPERM, meet_admit(w.m, DAN, link, &t, &w.why));
	assert_string_equal(w.why.message, "this link has been used up");
	a.id = DAN;
	REFUSED(&w, a, "user.join", "{}", "denied",
		"this link has been used up");
	/* Who came by it may come back; its token counts no more. */
	a.id = BOB;
	DOES(&w, a, "user.leave", "{}", "user.left ");
	assert_int_equal(0, meet_admit(w.m, BOB, link, &t, &w.why));
	assert_true(t.spent);
	DOES(&w, a, "user.join", "{}", "user.joined ");

	DOES(&w, w_op(), "link.create", "{'uses':2,'name':'Eve'}",
		"link.created ");
	str_copy(link, sizeof(link), w_link(&w));
	str_copy(sub, sizeof(sub), json_string_value(json_object_get(
		json_object_get(json_array_get(w.last, 0), "data"), "sub")));
	a.id = sub;
	DOES(&w, a, "user.join", "{}", "user.joined ");
	assert_int_equal(0, meet_admit(w.m, sub, link, &t, &w.why));
	assert_false(t.spent);
	DOES(&w, a, "user.leave", "{}", "user.left ");
	DOES(&w, a, "user.join", "{}", "user.joined ");
	assert_int_equal(0, meet_admit(w.m, sub, link, &t, &w.why));
	assert_true(t.spent);
	w_stop(&w);
}

static void links_have_a_term(void **state)
{
	struct world w;

	(void)state;
	w_start(&w);
	DOES(&w, w_op(), "link.create", "{'from':'2025-11-22T11:00:00+01:00',"
		"'ttl_ms':60000}", "link.created ");
	assert_non_null(strstr(w_event(&w, 0), "\"from\":"
		"\"2025-11-22T10:00:00.000Z\",\"expires\":"
		"\"2025-11-22T10:01:00.000Z\"}}"));
	/* What has begun begins at once. */
	DOES(&w, w_op(), "link.create", "{'from':'2025-11-22T08:00:00Z',"
		"'ttl_ms':60000}", "link.created ");
	assert_non_null(strstr(w_event(&w, 0), "\"sub\":\"*\",\"expires\":"
		"\"2025-11-22T09:01:00.000Z\"}}"));
	REFUSED(&w, w_op(), "link.create", "{'from':'tomorrow'}", "invalid",
		"from must be a time as in RFC 3339, at most 366 days ahead");
	REFUSED(&w, w_op(), "link.create", "{'from':'2099-01-01T00:00:00Z'}",
		"invalid",
		"from must be a time as in RFC 3339, at most 366 days ahead");
	REFUSED(&w, w_op(), "link.create", "{'from':5}", "invalid",
		"from must be a string");
	REFUSED(&w, w_op(), "link.create", "{'uses':-1}", "invalid",
		"uses must be 1 to 1000000, or 0 for any number");
	REFUSED(&w, w_op(), "link.create", "{'uses':'1'}", "invalid",
		"uses must be an integer");
	w_stop(&w);
}

static void media_is_noted(void **state)
{
	struct world w;

	(void)state;
	w_start_with_people(&w);
	DOES(&w, w_worker(), "media.started", "{'user':'" BOB
		"','source':'mic'}", "media.started ");
	DOES(&w, w_worker(), "media.started", "{'user':'" BOB
		"','source':'mic'}", "");
	DOES(&w, w_worker(), "media.started", "{'user':'" BOB
		"','source':'screen-audio'}", "media.started ");
	assert_int_equal(meet_seat(w.m, BOB)->sources,
		MEET_MIC | MEET_SCREEN_AUDIO);
	DOES(&w, w_system(), "media.stopped", "{'user':'" BOB
		"','source':'mic'}", "media.stopped ");
	REFUSED(&w, w_worker(), "media.started", "{'user':'" BOB
		"','source':'nose'}", "invalid",
		"source must be mic, cam, screen or screen-audio");
	REFUSED(&w, w_worker(), "media.started", "{'user':'" DAN
		"','source':'mic'}", "not_found",
		"there is no such user in the meeting");
	w_stop(&w);
}

static const char *who(const struct world *w)
{
	return json_string_value(json_object_get(json_object_get(
		json_array_get(w->last, 0), "data"), "user"));
}

static void programs_have_seats_without_links(void **state)
{
	char user[STR_ID_CAP], text[128];
	struct world w;

	(void)state;
	w_start_with_people(&w);
	DOES(&w, w_op(), "media.attach", "{'as':' A\\u0007 tool '}",
		"user.joined ");
	str_copy(user, sizeof(user), who(&w));
	assert_string_equal(meet_seat(w.m, user)->name, "A tool");
	assert_int_equal(meet_seat(w.m, user)->role, MEET_VIEWER);
	assert_string_equal(meet_seat(w.m, user)->link, "");
	DOES(&w, w_op(), "media.attach", "{'role':'moderator'}",
		"user.joined ");
	assert_string_equal(meet_seat(w.m, who(&w))->name, "Program");
	assert_int_equal(meet_seat(w.m, who(&w))->role, MEET_MODERATOR);
	snprintf(text, sizeof(text), "{'user':'%s'}", user);
	DOES(&w, w_op(), "media.attach", text, "");
	DOES(&w, w_system(), "user.away", text, "user.away ");
	DOES(&w, w_op(), "media.attach", text, "user.back ");
	DOES(&w, w_user(&w, ADA), "user.mute", text, "user.held ");
	DOES(&w, w_op(), "media.detach", text, "user.left ");
	REFUSED(&w, w_op(), "media.attach", text, "not_found",
		"there is no such program in the meeting");
	REFUSED(&w, w_op(), "media.detach", "{'user':'" BOB "'}", "not_found",
		"there is no such program in the meeting");
	REFUSED(&w, w_op(), "media.detach", "{}", "invalid",
		"user is missing");
	REFUSED(&w, w_op(), "media.attach", "{'role':'king'}", "invalid",
		"role must be viewer or moderator");
	w_stop(&w);
}

static void unsound_actors_and_commands_are_refused(void **state)
{
	struct meet_actor none = {.party = MEET_USER, .id = "Bob"};
	struct world w;

	(void)state;
	w_start(&w);
	REFUSED(&w, none, "user.join", "{}", "internal", "no sound actor");
	REFUSED(&w, w_op(), "user.fly", "{}", "invalid", "no such command");
	w_stop(&w);
	errno = 0;
	assert_null(meet_new("Not An Id", 1));
	assert_int_equal(errno, EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(events_have_their_envelope),
		cmocka_unit_test(a_meeting_is_created_set_and_ended),
		cmocka_unit_test(ending_lets_everybody_leave),
		cmocka_unit_test(joining_takes_a_name_or_makes_one),
		cmocka_unit_test(a_seat_is_kept_while_away),
		cmocka_unit_test(an_empty_meeting_ends),
		cmocka_unit_test(a_full_meeting_refuses),
		cmocka_unit_test(mute_is_two_bits),
		cmocka_unit_test(kick_takes_seat_and_links),
		cmocka_unit_test(hands_go_up_by_their_owner),
		cmocka_unit_test(chat_is_text),
		cmocka_unit_test(chat_has_a_limit),
		cmocka_unit_test(links_are_kept_in_books),
		cmocka_unit_test(uses_are_counted),
		cmocka_unit_test(links_have_a_term),
		cmocka_unit_test(media_is_noted),
		cmocka_unit_test(programs_have_seats_without_links),
		cmocka_unit_test(unsound_actors_and_commands_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
