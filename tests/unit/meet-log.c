/* Stored events: logs of all versions fold to known states, and what cannot
 * be is named. Run from the top folder. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>
#include "meet_world.h"

#define EVE    "u_eveaaaaaaaaaaaaaaaaaaaaaaa"
#define CHAIR  "l_chairaaaaaaaaaaaaaaaaaaaaa"
#define VIEW   "l_viewaaaaaaaaaaaaaaaaaaaaaa"

static void equals(json_t *v, const char *want)
{
	struct buf b = {0};

	assert_non_null(v);
	assert_int_equal(0, json_write(v, &b));
	assert_string_equal(buf_cstr(&b), want);
	buf_free(&b);
	json_decref(v);
}

/* Folds a file; returns how many types were skipped. */
static int fold(struct meet *m, const char *path)
{
	char line[4096], why[160];
	FILE *f = fopen(path, "r");
	int skipped = 0;

	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		json_t *e = json_read(line, strlen(line), why);
		int rc;

		assert_non_null(e);
		rc = meet_apply(m, e, why);
		if (rc < 0)
			fail_msg("%s", why);
		skipped += rc;
		json_decref(e);
	}
	fclose(f);
	return skipped;
}

static void version_1_folds_to_its_state(void **state)
{
	struct meet *m = meet_new("hello", 3);
	struct meet_refusal why;
	struct meet_ticket t;
	bool more;

	(void)state;
	assert_non_null(m);
	assert_int_equal(1, fold(m, "tests/data/log/v1.jsonl"));
	equals(meet_info_json(m), "{\"id\":\"hello\","
		"\"name\":\"Hello, \xe4\xb8\x96\xe7\x95\x8c\","
		"\"state\":\"open\",\"created\":\"2026-11-22T09:00:05.000Z\","
		"\"audio\":\"auto\",\"empty_ms\":0,\"max_users\":0,"
		"\"external\":\"abc-1\",\"users\":2,\"seq\":38}");
	equals(meet_users_json(m, NULL, &more),
		"[{\"user\":\"" ADA "\",\"name\":\"Ada\","
		"\"role\":\"moderator\",\"joined\":"
		"\"2026-11-22T09:00:11.000Z\",\"away\":false,"
		"\"muted\":false,\"held\":false,\"hand\":false,"
		"\"sources\":[\"mic\"]},"
		"{\"user\":\"" CYD "\",\"name\":\"\xe6\x9d\x8e\xe9\x9b\xb7\","
		"\"role\":\"moderator\",\"joined\":"
		"\"2026-11-22T09:00:13.250Z\",\"away\":true,"
		"\"muted\":true,\"held\":false,\"hand\":true,"
		"\"hand_at\":\"2026-11-22T09:00:24.250Z\",\"sources\":[]}]");
	assert_false(more);
	equals(meet_links_json(m, CHAIR, &more),
		"[{\"link\":\"" VIEW "\",\"role\":\"viewer\",\"sub\":\"*\","
		"\"expires\":\"2026-11-23T09:00:00.000Z\",\"revoked\":false},"
		"{\"link\":\"l_eveaaaaaaaaaaaaaaaaaaaaaaa\",\"role\":"
		"\"viewer\",\"name\":\"Eve\",\"sub\":\"" EVE "\","
		"\"expires\":\"2026-11-23T09:00:00.000Z\",\"revoked\":true}]");
	assert_int_equal(-EPERM, meet_admit(m, EVE, VIEW, &t, &why));
	assert_int_equal(0, meet_admit(m, BOB, VIEW, &t, &why));
	/* Cyd is away since 33.250; the meeting itself never ends. */
	assert_true(meet_deadline(m) == UINT64_C(1795338093250));
	meet_free(m);
}

static void chat_is_kept_for_who_may_read_it(void **state)
{
	struct meet *m = meet_new("hello", 3);
	json_t *all, *some;

	(void)state;
	fold(m, "tests/data/log/v1.jsonl");
	all = meet_chat_json(m, MEET_IS_MODERATOR, ADA, 10000);
	assert_int_equal(json_array_size(all), 3);
	some = meet_chat_json(m, MEET_IS_VIEWER, CYD, 10000);
	assert_int_equal(json_array_size(some), 2);
	json_decref(some);
	/* A budget takes the newest. */
	some = meet_chat_json(m, MEET_IS_MODERATOR, ADA, 210);
	assert_int_equal(json_array_size(some), 1);
	assert_true(json_equal(json_array_get(some, 0),
		json_array_get(all, 2)));
	json_decref(some);
	json_decref(all);
	meet_free(m);
}

static void the_snapshot_has_all_that_a_page_needs(void **state)
{
	static const char *const keys[] = {"user", "users", "more", "meeting",
		"chat", "seq"};
	struct meet *m = meet_new("hello", 3);
	json_t *v;

	(void)state;
	fold(m, "tests/data/log/v1.jsonl");
	v = meet_snapshot_json(m, CYD);
	assert_int_equal(json_object_size(v), ARRAY_LEN(keys));
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		assert_non_null(json_object_get(v, keys[i]));
	assert_int_equal(json_integer_value(json_object_get(v, "seq")), 38);
	json_decref(v);
	assert_null(meet_snapshot_json(m, BOB));
	meet_free(m);
}

/* The largest meeting's snapshot still fits a frame. */
static void the_snapshot_is_bounded(void **state)
{
	char name[257], user[STR_ID_CAP], params[400];
	uint8_t id[16] = {0};
	struct world w;
	struct buf b = {0};
	json_t *v;
	bool more;

	(void)state;
	w_start(&w);
	for (int i = 0; i < 64; i++)
		memcpy(name + 4 * i, "\xf0\x9f\x91\xa8", 4);
	name[256] = 0;
	snprintf(params, sizeof(params), "{'name':'%s'}", name);
	for (int i = 0; i < MEET_MAX_USERS; i++) {
		struct meet_actor a = {.party = MEET_USER, .id = user,
			.link = w.view};

		be16_put(id, (uint16_t)i);
		str_id(user, 'u', id);
		assert_int_equal(0, w_do(&w, a, "user.join", params));
	}
	memset(params, 'x', sizeof(params));
	memcpy(params, "{'text':'", 9);
	memcpy(params + 397, "'}", 3);
	for (int i = 0; i < 150; i++)
		assert_int_equal(0, w_do(&w, w_op(), "chat.say", params));
	v = meet_snapshot_json(w.m, user);
	assert_int_equal(0, json_write(v, &b));
	assert_in_range(b.len, 130000, 262144 - 100);
	assert_int_equal(json_array_size(json_object_get(v, "users")), 200);
	assert_true(json_is_true(json_object_get(v, "more")));
	assert_int_equal(json_array_size(json_object_get(v, "chat")), 100);
	json_decref(v);
	/* The last page. */
	be16_put(id, 899);
	str_id(user, 'u', id);
	v = meet_users_json(w.m, user, &more);
	assert_int_equal(json_array_size(v), 100);
	assert_false(more);
	json_decref(v);
	v = meet_users_json(w.m, DAN, &more);
	assert_int_equal(json_array_size(v), 0);
	json_decref(v);
	assert_int_equal(-EPERM, w_do(&w, w_user(&w, DAN), "user.join",
		"{}"));
	assert_string_equal(w.why.kind, "limit");
	buf_free(&b);
	w_stop(&w);
}

#define EV(seq, type, data) "{'v':1,'seq':" seq ",'pos':0,'time':" \
	"'2026-11-22T09:00:00.000Z','meeting':'hello','type':'" type \
	"','actor':'system','data':" data "}"

static void damaged_events_are_named(void **state)
{
	static const struct {
		const char *event, *why;
	} bad[] = {
		{EV("6", "user.back", "{}"),
			"event 6 (user.back): out of order"},
		{EV("8", "user.back", "{}"),
			"event 8 (user.back): out of order"},
		{"{'v':1,'seq':7,'time':'2026-11-22T09:00:00Z','meeting':"
		 "'hello','actor':'system','data':{}}",
			"event 7 (no type): no whole envelope"},
		{"{'v':2,'seq':7,'time':'2026-11-22T09:00:00Z','meeting':"
		 "'hello','type':'user.back','actor':'system','data':{}}",
			"event 7 (user.back): written by a newer program"},
		{"{'v':1,'seq':7,'time':'yesterday','meeting':'hello',"
		 "'type':'user.back','actor':'system','data':{}}",
			"event 7 (user.back): no time"},
		{"{'v':1,'seq':7,'time':'2026-11-22T09:00:00Z','meeting':"
		 "'other','type':'user.back','actor':'system','data':{}}",
			"event 7 (user.back): of another meeting"},
		{EV("7", "meeting.created", "{}"),
			"event 7 (meeting.created): the meeting is open "
			"already"},
		{EV("7", "meeting.changed", "{'key':'audio','value':'mix'}"),
			"event 7 (meeting.changed): no such key or value"},
		{EV("7", "meeting.changed", "{'key':'max_users','value':-1}"),
			"event 7 (meeting.changed): no such key or value"},
		{EV("7", "meeting.ended", "{'reason':'op'}"),
			"event 7 (meeting.ended): somebody is still there"},
		{EV("7", "user.joined", "{'user':'" ADA "','name':'A',"
			"'role':'viewer'}"),
			"event 7 (user.joined): no user's id, or there "
			"already"},
		{EV("7", "user.joined", "{'user':'" DAN "','role':'viewer'}"),
			"event 7 (user.joined): no name"},
		{EV("7", "user.joined", "{'user':'" DAN "','name':'D'}"),
			"event 7 (user.joined): no role"},
		{EV("7", "user.left", "{'user':'" DAN "'}"),
			"event 7 (user.left): the user is not there"},
		{EV("7", "user.held", "{'user':7}"),
			"event 7 (user.held): the user is not there"},
		{EV("7", "user.kicked", "{'user':'Dan'}"),
			"event 7 (user.kicked): no user's id"},
		{EV("7", "user.role", "{'user':'" ADA "','role':'king'}"),
			"event 7 (user.role): no role"},
		{EV("7", "user.hand", "{'user':'" ADA "','up':1}"),
			"event 7 (user.hand): up is neither true nor false"},
		{EV("7", "media.started", "{'user':'" ADA "'}"),
			"event 7 (media.started): no source"},
		{EV("7", "chat.said", "{'text':'x'}"),
			"event 7 (chat.said): no text or no name"},
		{EV("7", "chat.said", "{'text':'x','name':'y','to':'z'}"),
			"event 7 (chat.said): to is no user's id"},
		{EV("7", "link.created", "{'link':'l_x','role':'viewer'}"),
			"event 7 (link.created): no link's id, or there "
			"already"},
		{EV("7", "link.revoked", "{'link':'l_x'}"),
			"event 7 (link.revoked): there is no such link"},
	};
	char text[1024], why[160];
	struct world w;

	(void)state;
	w_start_with_people(&w);
	assert_int_equal(meet_seq(w.m), 6);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		json_t *e;

		str_copy(text, sizeof(text), bad[i].event);
		for (char *p = text; *p; p++)
			if (*p == '\'')
				*p = '"';
		e = json_read(text, strlen(text), why);
		assert_non_null(e);
		assert_int_equal(-EINVAL, meet_apply(w.m, e, why));
		assert_string_equal(why, bad[i].why);
		assert_int_equal(meet_seq(w.m), 6);
		json_decref(e);
	}
	w_stop(&w);
}

static void nothing_precedes_the_creation(void **state)
{
	struct meet *m = meet_new("hello", 1);
	char text[] = EV("1", "user.back", "{}"), why[160];
	json_t *e;

	(void)state;
	for (char *p = text; *p; p++)
		if (*p == '\'')
			*p = '"';
	e = json_read(text, strlen(text), why);
	assert_int_equal(-EINVAL, meet_apply(m, e, why));
	assert_string_equal(why,
		"event 1 (user.back): the meeting is not open then");
	assert_null(meet_info_json(m));
	json_decref(e);
	meet_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(version_1_folds_to_its_state),
		cmocka_unit_test(chat_is_kept_for_who_may_read_it),
		cmocka_unit_test(the_snapshot_has_all_that_a_page_needs),
		cmocka_unit_test(the_snapshot_is_bounded),
		cmocka_unit_test(damaged_events_are_named),
		cmocka_unit_test(nothing_precedes_the_creation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
