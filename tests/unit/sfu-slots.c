/* Which track sits in which slot, and when it changes. */
#include "sfu_world.h"

static char alice[] = "alice", late[] = "y";

static void a_camera_is_shown(void **state)
{
	struct sfu_transport *a, *b;

	(void)state;
	a = publish("alice");
	b = subscribe("bob");
	expect("");
	/* It begins with a key frame: there is nothing to ask for. */
	cam(a, 1, true);
	expect("track alice cam started\n"
	       "assigned bob 3 alice cam\n"
	       "live bob 3 alice cam\n");
	assert_int_equal(n_sent, 1);
	assert_string_equal(sent[0].to, "bob");
	assert_int_equal(sent[0].slot, 3);
	assert_int_equal(sent[0].live_ts, sent[0].rtp_ts);
	assert_true(sent[0].marker);
	cam(a, 2, false);
	assert_int_equal(n_sent, 2);
	assert_int_equal(sent[1].seq, sent[0].seq + 1);
	assert_int_equal(sent[1].rtp_ts, sent[0].rtp_ts + 3000);
	assert_int_equal(be16(sent[1].payload + 2),
		0x8000 | ((be16(sent[0].payload + 2) + 1) & 0x7fff));
	assert_memory_equal(sent[1].payload + 4, "\x11\0\0\x9d", 4);
	sfu_transport_close(sfu, b, now);
	cam(a, 3, false);
	assert_int_equal(n_sent, 2);
	expect("");
	sfu_transport_close(sfu, a, now);
	expect("track alice cam stopped\n");
}

static void who_comes_later_waits_for_a_key_frame(void **state)
{
	struct sfu_transport *a;

	(void)state;
	a = publish("alice");
	cam(a, 1, false);
	subscribe("bob");
	expect("track alice cam started\n"
	       "assigned bob 3 alice cam\n"
	       "keyframe alice cam h\n");
	cam(a, 2, false);
	assert_int_equal(n_sent, 0);
	/* Asked again each second, until it comes. */
	wait_ms(990);
	expect("");
	wait_ms(120);
	expect("keyframe alice cam h\n");
	cam(a, 3, true);
	expect("live bob 3 alice cam\n");
	assert_int_equal(n_sent, 1);
	wait_ms(3000);
	expect("");
}

/* The rest of such a frame was not forwarded. */
static void a_key_frame_that_comes_late_is_not_used(void **state)
{
	struct sfu_transport *a;

	(void)state;
	a = publish("alice");
	cam(a, 1, false);
	subscribe("bob");
	forget();
	cam(a, 3, false);
	cam(a, 2, true);
	assert_int_equal(n_sent, 0);
	cam(a, 4, true);
	expect("live bob 3 alice cam\n");
	cam(a, 3, false); /* from before it */
	assert_int_equal(n_sent, 1);
}

static void nobody_sees_himself(void **state)
{
	struct sfu_transport *a;

	(void)state;
	a = publish("alice");
	subscribe("alice");
	cam(a, 1, true);
	audio(a, 1, 20);
	expect("track alice cam started\n"
	       "track alice mic started\n");
	assert_int_equal(n_sent, 0);
}

static void without_grant_nothing_is_forwarded(void **state)
{
	struct sfu_grant none = {0}, no_cam = {0xd, 0, true};
	struct sfu_transport *a, *b;

	(void)state;
	b = subscribe("bob");
	assert_int_equal(sfu_endpoint_grant(sfu, "r", "alice", &none, now), 0);
	assert_int_equal(sfu_transport_new(sfu, "r", "alice", SFU_PUBLISH,
		"t_p", 0, alice, now, &a), 0);
	cam(a, 1, true);
	audio(a, 1, 20);
	expect("");
	assert_int_equal(n_sent, 0);
	assert_int_equal(sfu_stats(sfu)->dropped[SFU_DROP_UNGRANTED], 2);
	grant("alice", 0);
	cam(a, 2, true);
	assert_int_equal(n_sent, 1);
	forget();
	/* Taken back while it flows. */
	assert_int_equal(
		sfu_endpoint_grant(sfu, "r", "alice", &no_cam, now), 0);
	expect("track alice cam stopped\n"
	       "assigned bob 3 -\n");
	cam(a, 3, true);
	assert_int_equal(n_sent, 0);
	/* A receiver may lose his right too. */
	grant("alice", 0);
	cam(a, 4, true);
	forget();
	assert_int_equal(sfu_endpoint_grant(sfu, "r", "bob", &none, now), 0);
	expect("assigned bob 3 -\n");
	cam(a, 5, true);
	assert_int_equal(n_sent, 0);
	grant("bob", 0);
	expect("assigned bob 3 alice cam\n"
	       "keyframe alice cam h\n");
	sfu_transport_close(sfu, b, now);
}

static void a_muted_camera_is_dark_at_once(void **state)
{
	struct sfu_transport *a;

	(void)state;
	subscribe("bob");
	a = publish("alice");
	cam(a, 1, true);
	forget();
	grant("alice", SFU_BIT(SFU_CAM));
	expect("assigned bob 3 -\n");
	cam(a, 2, true);
	cam(a, 3, false);
	assert_int_equal(n_sent, 0);
	assert_int_equal(sfu_stats(sfu)->dropped[SFU_DROP_MUTED], 2);
	expect("");
	/* A muted source is started too, but has no slot. */
	grant("alice", 0xf);
	audio(a, 1, 20);
	expect("track alice mic started\n");
	grant("alice", 0);
	expect("assigned bob 3 alice cam\n"
	       "keyframe alice cam h\n");
	cam(a, 4, false);
	assert_int_equal(n_sent, 0);
	cam(a, 5, true);
	expect("live bob 3 alice cam\n");
}

static void four_cameras_sit_in_order_and_never_move(void **state)
{
	static const char *const who[] = {"a", "b", "c", "d"};
	struct sfu_transport *t[4];

	(void)state;
	subscribe("z");
	for (unsigned i = 0; i < 4; i++) {
		t[i] = publish(who[i]);
		cam(t[i], 1, true);
	}
	expect("track a cam started\nassigned z 3 a cam\nlive z 3 a cam\n"
	       "track b cam started\nassigned z 4 b cam\nlive z 4 b cam\n"
	       "track c cam started\nassigned z 5 c cam\nlive z 5 c cam\n"
	       "track d cam started\nassigned z 6 d cam\nlive z 6 d cam\n");
	sfu_transport_close(sfu, t[1], now);
	expect("track b cam stopped\nassigned z 4 -\n");
	for (unsigned i = 0; i < 4; i++)
		if (i != 1)
			cam(t[i], 2, false);
	assert_int_equal(sent[4].slot, 3);
	assert_int_equal(sent[5].slot, 5);
	assert_int_equal(sent[6].slot, 6);
	/* The next camera takes the free slot, whose stream goes on. */
	now += 40 * MS;
	t[1] = publish("e");
	cam(t[1], 500, true);
	expect("track e cam started\nassigned z 4 e cam\nlive z 4 e cam\n");
	assert_int_equal(sent[7].slot, 4);
	assert_int_equal(sent[7].seq, sent[1].seq + 1);
	assert_int_equal(sent[7].rtp_ts, sent[1].rtp_ts + 3600);
}

static void silence_ends_a_video(void **state)
{
	struct sfu_transport *a;

	(void)state;
	subscribe("bob");
	a = publish("alice");
	cam(a, 1, true);
	audio(a, 1, 127);
	forget();
	wait_ms(4900);
	expect("assigned bob 0 -\n"); /* mic: a second without a packet */
	wait_ms(300);
	expect("track alice cam stopped\nassigned bob 3 -\n");
	wait_ms(20000);
	expect("");
	assert_true(sfu_deadline(sfu) != UINT64_MAX);
	sfu_transport_close(sfu, a, now);
	expect("track alice mic stopped\n");
	assert_true(sfu_deadline(sfu) == UINT64_MAX);
}

static void wishes_choose_the_cameras(void **state)
{
	static const char *const who[] = {"a", "b", "c", "d", "e", "f"};
	struct sfu_want w[] = {
		{"e", SFU_CAM, 180, false},
		{"f", SFU_CAM, 720, true},
		{"a", SFU_CAM, 0, false},
		{"nobody", SFU_CAM, 180, true},
	};
	struct sfu_transport *t[6];

	(void)state;
	subscribe("z");
	for (unsigned i = 0; i < 6; i++) {
		t[i] = publish(who[i]);
		cam(t[i], 1, true);
	}
	forget();
	assert_int_equal(sfu_endpoint_want(sfu, "r", "z", w, 4, now), 0);
	/* f on stage, e listed, then b and c: only a and d lose theirs. */
	expect("assigned z 3 f cam\nkeyframe f cam h\n"
	       "assigned z 6 e cam\nkeyframe e cam h\n");
	for (unsigned i = 0; i < 6; i++)
		cam(t[i], 2, false);
	assert_int_equal(n_sent, 2); /* b and c */
	cam(t[0], 3, true);
	cam(t[3], 3, true);
	assert_int_equal(n_sent, 2);
	cam(t[5], 3, true);
	expect("live z 3 f cam\n");
	/* All paused: every slot is free. */
	for (unsigned i = 0; i < 4; i++)
		w[i] = (struct sfu_want){who[i + 2], SFU_CAM, 0, true};
	assert_int_equal(sfu_endpoint_want(sfu, "r", "z", w, 4, now), 0);
	expect("assigned z 3 a cam\nkeyframe a cam h\n"
	       "assigned z 5 -\nassigned z 6 -\n");
	assert_int_equal(sfu_endpoint_want(sfu, "r", "z", NULL, 0, now), 0);
	expect("assigned z 5 c cam\nkeyframe c cam h\n"
	       "assigned z 6 d cam\nkeyframe d cam h\n");
}

static void wishes_have_bounds(void **state)
{
	struct sfu_want w[SFU_MAX_WANTS + 1];

	(void)state;
	grant("z", 0);
	for (unsigned i = 0; i <= SFU_MAX_WANTS; i++)
		w[i] = (struct sfu_want){"a", SFU_CAM, 1, false};
	assert_int_equal(sfu_endpoint_want(sfu, "r", "z", w,
		SFU_MAX_WANTS + 1, now), -ENOSPC);
	assert_int_equal(sfu_endpoint_want(sfu, "r", "z", w, SFU_MAX_WANTS,
		now), 0);
	assert_int_equal(sfu_endpoint_want(sfu, "r", "y", w, 1, now),
		-ENOENT);
	w[0].endpoint = "";
	assert_int_equal(sfu_endpoint_want(sfu, "r", "z", w, 1, now),
		-EINVAL);
}

/* 26 cameras: at the fifth the transport is asked to grow; what is live goes
 * on undisturbed. */
static void the_fifth_camera_makes_it_grow(void **state)
{
	static char who[26][3];
	struct sfu_transport *t[26], *z, *y;

	(void)state;
	z = subscribe("z");
	for (unsigned i = 0; i < 26; i++) {
		snprintf(who[i], sizeof(who[i]), "c%c", 'a' + i % 26);
		t[i] = publish(who[i]);
	}
	for (unsigned i = 0; i < 4; i++)
		cam(t[i], 1, true);
	assert_int_equal(sfu_room_slots(sfu, "r"), SFU_SLOTS_FEW);
	forget();
	cam(t[4], 1, true);
	expect("track ce cam started\ngrow z\n");
	cam(t[5], 1, true);
	expect("track cf cam started\n"); /* told once */
	assert_int_equal(sfu_room_slots(sfu, "r"), SFU_SLOTS_MANY);
	sfu_transport_grow(sfu, z, now);
	expect("assigned z 9 ce cam\nkeyframe ce cam h\n"
	       "assigned z 10 cf cam\nkeyframe cf cam h\n");
	for (unsigned i = 0; i < 4; i++) {
		cam(t[i], 2, false);
		assert_int_equal(sent[i].slot, 3 + i);
	}
	expect("");
	for (unsigned i = 6; i < 26; i++)
		cam(t[i], 1, true);
	/* 25 sit; the 26th waits until one leaves. */
	assert_int_equal(n_sent, 4 + 19);
	assert_int_equal(sent[22].slot, 29);
	forget();
	sfu_transport_close(sfu, t[0], now);
	expect("track ca cam stopped\n"
	       "assigned z 3 cz cam\nkeyframe cz cam h\n");
	/* Who joins now is offered all of them at once. */
	assert_int_equal(sfu_endpoint_grant(sfu, "r", "y",
		&(struct sfu_grant){0, 0, true}, now), 0);
	assert_int_equal(sfu_transport_new(sfu, "r", "y", SFU_SUBSCRIBE, "t",
		sfu_room_slots(sfu, "r"), late, now, &y), 0);
	forget();
	sfu_transport_ready(sfu, y, now);
	assert_null(strstr(told, "grow"));
	assert_non_null(strstr(told, "assigned y 29 cz cam\n"));
}

static void who_joins_few_while_many_is_asked_to_grow(void **state)
{
	static const char *const who[] = {"a", "b", "c", "d", "e"};

	(void)state;
	for (unsigned i = 0; i < 5; i++)
		cam(publish(who[i]), 1, true);
	forget();
	subscribe("z");
	assert_non_null(strstr(told, "grow z\n"));
}

static void screen_sound_follows_the_screen(void **state)
{
	static const uint8_t opus[] = {0xfc, 0};
	const struct sfu_packet p = {
		.payload = opus, .len = 2, .level = -1};
	struct sfu_want w = {"b", SFU_SCREEN, 720, true};
	struct sfu_transport *a, *b;

	(void)state;
	a = publish("a");
	b = publish("b");
	subscribe("z");
	sfu_rtp(sfu, a, SFU_SCREEN_AUDIO, SFU_LAYER_H, &p, now);
	sfu_rtp(sfu, b, SFU_SCREEN_AUDIO, SFU_LAYER_H, &p, now);
	frame(b, SFU_SCREEN, SFU_LAYER_H, 1, 1, true);
	expect("track a screen-audio started\n"
	       "assigned z 8 a screen-audio\n"
	       "track b screen-audio started\n"
	       "track b screen started\n"
	       "assigned z 7 b screen\n"
	       "assigned z 8 b screen-audio\n"
	       "live z 7 b screen\n");
	frame(a, SFU_SCREEN, SFU_LAYER_H, 1, 1, true);
	expect("track a screen started\n");
	/* b goes on: its sound too. */
	assert_int_equal(n_sent, 2);
	sfu_rtp(sfu, b, SFU_SCREEN_AUDIO, SFU_LAYER_H,
		&(struct sfu_packet){.seq = 1, .rtp_ts = 960, .payload = opus,
			.len = 2, .level = -1}, now);
	assert_int_equal(n_sent, 3);
	sfu_transport_close(sfu, b, now);
	expect("track b screen stopped\n"
	       "assigned z 7 a screen\nkeyframe a screen h\n"
	       "assigned z 8 a screen-audio\n"
	       "track b screen-audio stopped\n");
	b = publish("b");
	frame(b, SFU_SCREEN, SFU_LAYER_H, 1, 1, true);
	forget();
	assert_int_equal(sfu_endpoint_want(sfu, "r", "z", &w, 1, now), 0);
	expect("assigned z 7 b screen\nkeyframe b screen h\n");
}

static void rooms_and_epochs(void **state)
{
	struct sfu_transport *t;
	uint64_t epoch;

	(void)state;
	publish("a");
	subscribe("a");
	assert_int_equal(sfu_room_create(sfu, "r", 1), 0);
	assert_int_equal(sfu_room_create(sfu, "r", 0), -ESTALE);
	expect("");
	assert_int_equal(sfu_room_create(sfu, "r", 2), 0);
	expect("closed a removed\nclosed a removed\n");
	assert_true(sfu_room_epoch(sfu, "r", &epoch) && epoch == 2);
	assert_int_equal(sfu_transport_new(sfu, "r", "a", SFU_PUBLISH, "t", 0,
		NULL, now, &t), -ENOENT);
	assert_int_equal(sfu_room_create(sfu, "", 2), -EINVAL);
	assert_int_equal(sfu_room_remove(sfu, "r"), 0);
	assert_int_equal(sfu_room_remove(sfu, "r"), -ENOENT);
	assert_false(sfu_room_epoch(sfu, "r", &epoch));
	assert_int_equal(sfu_stats(sfu)->rooms, 0);
	assert_int_equal(sfu_stats(sfu)->endpoints, 0);
	assert_int_equal(sfu_stats(sfu)->transports, 0);
}

static void sync_removes_who_is_not_listed(void **state)
{
	struct sfu_transport *a, *b;

	(void)state;
	a = publish("a");
	b = publish("b");
	subscribe("a");
	subscribe("b");
	cam(a, 1, true);
	cam(b, 1, true);
	forget();
	assert_int_equal(sfu_sync_begin(sfu, "r", 1), 0);
	grant("b", 0);
	grant("c", 0);
	expect("");
	assert_int_equal(sfu_sync_end(sfu, "r", now), 0);
	expect("track a cam stopped\n"
	       "closed a removed\nclosed a removed\n"
	       "assigned b 3 -\n");
	cam(b, 2, false);
	assert_int_equal(n_sent, 0);
	assert_int_equal(sfu_stats(sfu)->endpoints, 2);
}

static void a_new_transport_replaces_the_old(void **state)
{
	struct sfu_transport *a;

	(void)state;
	a = publish("a");
	subscribe("b");
	cam(a, 1, true);
	forget();
	a = publish("a");
	expect("track a cam stopped\nassigned b 3 -\nclosed a replaced\n");
	cam(a, 77, true);
	expect("track a cam started\nassigned b 3 a cam\nlive b 3 a cam\n");
	assert_int_equal(sent[n_sent - 1].slot, 3);
	subscribe("b");
	expect("closed b replaced\nassigned b 3 a cam\nkeyframe a cam h\n");
}

static void removal_of_an_endpoint(void **state)
{
	struct sfu_transport *a;

	(void)state;
	a = publish("a");
	subscribe("b");
	cam(a, 1, true);
	audio(a, 1, 20);
	forget();
	assert_int_equal(sfu_endpoint_remove(sfu, "r", "a", now), 0);
	expect("track a mic stopped\ntrack a cam stopped\nclosed a removed\n"
	       "assigned b 0 -\nassigned b 3 -\n");
	assert_int_equal(sfu_endpoint_remove(sfu, "r", "a", now), -ENOENT);
	assert_int_equal(sfu_stats(sfu)->tracks, 0);
}

static void list_room(void *arg, const char *room, uint64_t epoch,
	uint64_t version)
{
	(void)version;
	buf_printf(arg, "%s %u: ", room, (unsigned)epoch);
}

static void list_endpoint(void *arg, const char *endpoint,
	const struct sfu_grant *g)
{
	buf_printf(arg, "%s %x/%x/%d ", endpoint, g->publish, g->muted,
		g->receive);
}

static void list_transport(void *arg, const char *id, enum sfu_direction d,
	bool ready, void *user)
{
	(void)user;
	buf_printf(arg, "%s:%d%s ", id, d, ready ? "!" : "");
}

static void lists_what_it_holds(void **state)
{
	static const struct sfu_lister l = {
		list_room, list_endpoint, list_transport};
	struct buf b = {0};

	(void)state;
	publish("a");
	subscribe("a");
	grant("b", 1);
	sfu_list(sfu, &l, &b);
	assert_string_equal(buf_cstr(&b),
		"r 1: a f/0/1 t_p:0! t_s:1! b f/1/1 ");
	buf_free(&b);
	assert_string_equal(sfu_source_name(SFU_SCREEN_AUDIO), "screen-audio");
	assert_string_equal(sfu_drop_name(SFU_DROP_STALE), "stale");
}

static void show_only(const char *who, const char *other)
{
	const struct sfu_want w[] = {
		{.endpoint = who, .source = SFU_CAM, .height = 360},
		{.endpoint = other, .source = SFU_CAM, .height = 0},
	};

	assert_int_equal(sfu_endpoint_want(sfu, "r", "z", w, 2, now), 0);
}

/* Pictures overtake words: who comes after somebody else is not sent, nor
 * asked for a key frame, before the receiver knows. */
static void a_slot_waits_until_it_is_covered(void **state)
{
	struct sfu_transport *a = publish("a"), *b = publish("b");
	struct sfu_transport *z = NULL;

	(void)state;
	grant("z", 0);
	assert_int_equal(sfu_transport_new(sfu, "r", "z", SFU_SUBSCRIBE, "t_s",
		SFU_SLOTS_FEW, (void *)(uintptr_t)"z", now, &z), 0);
	sfu_transport_confirms(z);
	sfu_transport_ready(sfu, z, now);
	show_only("a", "b");
	cam(a, 1, true);
	cam(b, 1, true);
	assert_int_equal(n_sent, 1); /* the first waits for nobody */
	assert_false(sfu_slot_held(z, 3));

	forget();
	wait_ms(2000);
	show_only("b", "a");
	expect("assigned z 3 b cam\n");
	assert_true(sfu_slot_held(z, 3));
	wait_ms(2000);
	sfu_keyframe_wanted(sfu, z, 3, now);
	cam(b, 2, true);
	cam(b, 3, false);
	expect("");
	assert_int_equal(n_sent, 0);

	sfu_slot_confirm(sfu, z, 3, now);
	expect("keyframe b cam h\n");
	assert_false(sfu_slot_held(z, 3));
	cam(b, 4, false);
	assert_int_equal(n_sent, 0);
	cam(b, 5, true);
	expect("live z 3 b cam\n");
	assert_int_equal(n_sent, 1);

	/* A confirmation of nothing is nothing; a new owner waits anew. */
	sfu_slot_confirm(sfu, z, 3, now);
	sfu_slot_confirm(sfu, z, 99, now);
	sfu_slot_confirm(sfu, a, 3, now);
	forget();
	show_only("a", "b");
	cam(a, 2, true);
	assert_int_equal(n_sent, 0);
	show_only("b", "a");
	sfu_slot_confirm(sfu, z, 3, now);
	cam(b, 6, true);
	assert_int_equal(n_sent, 1);
}

#define T(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)
int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_camera_is_shown),
		T(who_comes_later_waits_for_a_key_frame),
		T(a_key_frame_that_comes_late_is_not_used),
		T(nobody_sees_himself),
		T(without_grant_nothing_is_forwarded),
		T(a_muted_camera_is_dark_at_once),
		T(four_cameras_sit_in_order_and_never_move),
		T(silence_ends_a_video),
		T(wishes_choose_the_cameras),
		T(wishes_have_bounds),
		T(the_fifth_camera_makes_it_grow),
		T(who_joins_few_while_many_is_asked_to_grow),
		T(screen_sound_follows_the_screen),
		T(rooms_and_epochs),
		T(sync_removes_who_is_not_listed),
		T(a_new_transport_replaces_the_old),
		T(removal_of_an_endpoint),
		T(lists_what_it_holds),
		T(a_slot_waits_until_it_is_covered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
