/* A client's peer and a server's over UDP on loopback, in one loop. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <time.h>

#include "peer_priv.h"
#include "peer_call.h"

#define VIDEO_BYTES 1000

static const struct peer_line_want four[] = {
	{ PEER_MIC, false }, { PEER_CAM, false }, { PEER_SCREEN, false },
	{ PEER_SCREEN_AUDIO, false },
};
static const struct peer_line_want simulcast[] = {
	{ PEER_MIC, false }, { PEER_CAM, true },
};
static const struct peer_line_want nine[] = {
	{ PEER_MIC, false }, { PEER_MIC, false }, { PEER_MIC, false },
	{ PEER_CAM, false }, { PEER_CAM, false }, { PEER_CAM, false },
	{ PEER_CAM, false }, { PEER_SCREEN, false },
	{ PEER_SCREEN_AUDIO, false }, { PEER_CAM, false },
	{ PEER_CAM, false },
};

static void publish_connects(void **state)
{
	struct call c;

	(void)state;
	call_open(&c, "127.0.0.1:0", "127.0.0.1:0");
	call_publish(&c, four, ARRAY_LEN(four));
	assert_int_equal(peer_lines(c.server.peer), 4);
	for (unsigned i = 0; i < 4; i++) {
		const struct peer_line *l = peer_line(c.server.peer, i);

		assert_true(l->active && !l->ours);
		assert_int_equal(l->source, four[i].source);
		assert_true(peer_line(c.client.peer, i)->active);
	}
	call_connect(&c);
	assert_int_equal(c.client.states, 1);
	assert_int_equal(c.server.states, 1);
	call_close(&c);
}

static void media_flow_to_the_server(void **state)
{
	struct call c;
	struct peer_rtp *got;

	(void)state;
	call_open(&c, "127.0.0.1:0", "127.0.0.1:0");
	call_publish(&c, four, ARRAY_LEN(four));
	call_connect(&c);
	for (unsigned i = 0; i < 50; i++) {
		call_send_audio(&c.client, 0, i, 20);
		call_send_video(&c.client, 1, i, VIDEO_BYTES);
		call_wait_ms(&c, 1);
	}
	call_wait_packets(&c, &c.server, 100);
	assert_int_equal(c.server.count[0], 50);
	assert_int_equal(c.server.count[1], 50);
	got = &c.server.last[0];
	assert_int_equal(got->seq, 65530 + 49 - 65536);
	assert_int_equal(got->rtp_ts, 49 * 960);
	assert_int_equal(got->level, 20);
	assert_true(got->voice);
	got = &c.server.last[1];
	assert_int_equal(got->len, VIDEO_BYTES);
	assert_true(got->marker);
	assert_int_equal(got->level, -1);
	assert_int_equal(c.server.damaged, 0);
	call_close(&c);
}

static void media_flow_to_the_client(void **state)
{
	struct call c;

	(void)state;
	call_open(&c, "127.0.0.1:0", "127.0.0.1:0");
	call_subscribe(&c, nine, 9);
	assert_int_equal(peer_line(c.client.peer, 7)->source, PEER_SCREEN);
	assert_int_equal(peer_line(c.client.peer, 8)->source,
		PEER_SCREEN_AUDIO);
	call_connect(&c);
	for (unsigned i = 0; i < 40; i++) {
		call_send_audio(&c.server, 2, i, 127);
		call_send_video(&c.server, 3, i, VIDEO_BYTES);
		call_send_video(&c.server, 7, i, VIDEO_BYTES);
		call_wait_ms(&c, 1);
	}
	call_wait_packets(&c, &c.client, 120);
	assert_int_equal(c.client.count[2], 40);
	assert_int_equal(c.client.count[3], 40);
	assert_int_equal(c.client.count[7], 40);
	assert_int_equal(c.client.damaged, 0);
	assert_int_equal(c.client.last[2].level, 127);
	call_close(&c);
}

static void cameras_grow_without_a_break(void **state)
{
	struct call c;
	uint32_t ssrc;

	(void)state;
	call_open(&c, "127.0.0.1:0", "127.0.0.1:0");
	call_subscribe(&c, nine, 9);
	call_connect(&c);
	call_send_video(&c.server, 3, 0, VIDEO_BYTES);
	ssrc = peer_line_ssrc(c.server.peer, 3, 0);
	call_wait_packets(&c, &c.client, 1);
	call_renegotiate(&c, nine, 11);
	assert_int_equal(peer_lines(c.client.peer), 11);
	assert_true(peer_line(c.client.peer, 10)->active);
	assert_int_equal(peer_line_ssrc(c.server.peer, 3, 0), ssrc);
	call_send_video(&c.server, 3, 1, VIDEO_BYTES);
	call_send_video(&c.server, 10, 0, VIDEO_BYTES);
	call_wait_packets(&c, &c.client, 3);
	assert_int_equal(c.client.count[3], 2);
	assert_int_equal(c.client.count[10], 1);
	assert_int_equal(c.client.states, 1);
	call_close(&c);
}

static void rids_are_told_apart(void **state)
{
	struct call c;

	(void)state;
	call_open(&c, "127.0.0.1:0", "127.0.0.1:0");
	call_publish(&c, simulcast, ARRAY_LEN(simulcast));
	assert_int_equal(peer_line(c.server.peer, 1)->n_rids, 3);
	assert_string_equal(peer_line(c.server.peer, 1)->rids[1], "h");
	call_connect(&c);
	assert_int_equal(peer_request_keyframe(c.server.peer, 1, 2), -ENOENT);
	for (unsigned i = 0; i < 10; i++)
		for (unsigned rid = 0; rid < 3; rid++) {
			call_send_rid(&c.client, 1, rid, i, 100 + rid);
			call_wait_ms(&c, 1);
		}
	call_wait_packets(&c, &c.server, 30);
	for (unsigned rid = 0; rid < 3; rid++)
		assert_int_equal(c.server.by_rid[rid], 10);
	assert_int_equal(peer_request_keyframe(c.server.peer, 1, 2), 0);
	call_wait_for(&c, &c.client.keyframes, 1);
	assert_int_equal(c.client.keyframe_line, 1);
	assert_int_equal(c.client.keyframe_rid, 2);
	call_close(&c);
}

/* Every n-th datagram of a size that only video has is lost, also of those
 * that are sent again. */
struct loss {
	unsigned every;
	unsigned seen;
	unsigned lost;
};

static bool lose(void *arg, bool out, const uint8_t *p, size_t n)
{
	struct loss *l = arg;

	(void)p;
	if (!out || n < VIDEO_BYTES || ++l->seen % l->every)
		return true;
	l->lost++;
	return false;
}

static void losses_are_repaired(void **state)
{
	struct call c;
	struct loss loss = { .every = 12 };

	(void)state;
	call_open(&c, "127.0.0.1:0", "127.0.0.1:0");
	call_publish(&c, simulcast, ARRAY_LEN(simulcast));
	call_connect(&c);
	call_send_rid(&c.client, 1, 1, 0, VIDEO_BYTES);
	call_wait_packets(&c, &c.server, 1);
	peer_port_filter(c.client.port, lose, &loss);
	for (unsigned i = 1; i < 300; i++) {
		call_send_rid(&c.client, 1, 1, i, VIDEO_BYTES);
		call_wait_ms(&c, 2);
	}
	peer_port_filter(c.client.port, NULL, NULL);
	call_send_rid(&c.client, 1, 1, 300, VIDEO_BYTES);
	call_wait_packets(&c, &c.server, 301);
	assert_int_equal(c.server.count[1], 301);
	assert_true(loss.lost > 20);
	assert_true(peer_stats(c.server.peer)->repaired >= 20);
	assert_true(peer_stats(c.client.peer)->rtx_out >= 20);
	assert_int_equal(c.server.damaged, 0);
	assert_int_equal(c.server.twice, 0);
	call_close(&c);
}

static void losses_to_a_subscriber_are_repaired(void **state)
{
	struct call c;
	struct loss loss = { .every = 10 };

	(void)state;
	call_open(&c, "127.0.0.1:0", "127.0.0.1:0");
	call_subscribe(&c, nine, 9);
	call_connect(&c);
	call_send_video(&c.server, 4, 0, VIDEO_BYTES);
	call_wait_packets(&c, &c.client, 1);
	peer_port_filter(c.server.port, lose, &loss);
	for (unsigned i = 1; i < 200; i++) {
		call_send_video(&c.server, 4, i, VIDEO_BYTES);
		call_wait_ms(&c, 2);
	}
	peer_port_filter(c.server.port, NULL, NULL);
	call_send_video(&c.server, 4, 200, VIDEO_BYTES);
	call_wait_packets(&c, &c.client, 201);
	assert_int_equal(c.client.count[4], 201);
	assert_true(peer_stats(c.server.peer)->rtx_out >= 15);
	assert_int_equal(c.client.twice, 0);
	call_close(&c);
}

static bool lose_all_video(void *arg, bool out, const uint8_t *p, size_t n)
{
	(void)arg;
	(void)p;
	return !out || n < VIDEO_BYTES;
}

static void too_much_loss_wants_a_keyframe(void **state)
{
	struct call c;

	(void)state;
	call_open(&c, "127.0.0.1:0", "127.0.0.1:0");
	call_publish(&c, four, ARRAY_LEN(four));
	call_connect(&c);
	call_send_video(&c.client, 1, 0, VIDEO_BYTES);
	call_wait_packets(&c, &c.server, 1);
	peer_port_filter(c.client.port, lose_all_video, NULL);
	for (unsigned i = 1; i < 400; i++)
		call_send_video(&c.client, 1, i, VIDEO_BYTES);
	peer_port_filter(c.client.port, NULL, NULL);
	call_send_video(&c.client, 1, 400, VIDEO_BYTES);
	call_wait_for(&c, &c.server.losses, 1);
	assert_int_equal(peer_request_keyframe(c.server.peer, 1, 0), 0);
	call_wait_for(&c, &c.client.keyframes, 1);
	assert_int_equal(c.client.keyframe_line, 1);
	call_close(&c);
}

/* The wait for it is over, and the next to come is the late packet itself:
 * it is not delivered, yet the loss is told. */
static void a_loss_is_told_by_a_late_packet(void **state)
{
	struct call c;

	(void)state;
	call_open(&c, "127.0.0.1:0", "127.0.0.1:0");
	call_publish(&c, four, ARRAY_LEN(four));
	call_connect(&c);
	call_send_video(&c.client, 1, 0, VIDEO_BYTES);
	call_send_video(&c.client, 1, 2, VIDEO_BYTES);
	call_wait_packets(&c, &c.server, 2);
	call_wait_ms(&c, 1300);
	assert_int_equal(c.server.losses, 0);
	call_send_video(&c.client, 1, 1, VIDEO_BYTES);
	call_wait_for(&c, &c.server.losses, 1);
	assert_int_equal(c.server.count[1], 2);
	call_close(&c);
}

/* While the server stands still: what is not older than PEER_LATE_NS when
 * it goes on is taken. */
static void what_waited_too_long_is_dropped(void **state)
{
	struct call c;

	(void)state;
	call_open(&c, "127.0.0.1:0", "127.0.0.1:0");
	call_publish(&c, four, ARRAY_LEN(four));
	call_connect(&c);
	call_send_audio(&c.client, 0, 0, 20);
	call_wait_packets(&c, &c.server, 1);
	for (unsigned i = 1; i <= 20; i++)
		call_send_audio(&c.client, 0, i, 20);
	gather_flush(c.client.peer);
	nanosleep(&(struct timespec){.tv_nsec = 300 * 1000000}, NULL);
	for (unsigned i = 21; i <= 25; i++)
		call_send_audio(&c.client, 0, i, 20);
	call_wait_packets(&c, &c.server, 6);
	assert_int_equal(c.server.last[0].seq, 65530 + 25 - 65536);
	assert_int_equal(peer_stats(c.server.peer)->dropped[PEER_DROP_LATE],
		20);
	call_close(&c);
}

static void reports_and_feedback_arrive(void **state)
{
	struct call c;
	const struct out_stream *o;

	(void)state;
	call_open(&c, "127.0.0.1:0", "127.0.0.1:0");
	call_publish(&c, four, ARRAY_LEN(four));
	call_connect(&c);
	for (unsigned i = 0; i < 220; i++) {
		call_send_audio(&c.client, 0, i, 30);
		call_send_video(&c.client, 1, i, VIDEO_BYTES);
		call_wait_ms(&c, 10);
	}
	/* reports about either stream came by themselves, the second ones
	 * tell when our own report was had: that is a round trip */
	call_wait_u64(&c, &peer_stats(c.client.peer)->reports_in, 4);
	o = c.client.peer->out[1][0];
	assert_true(o->known && o->stat.has_rtt);
	assert_true(o->stat.rtt_ns < 50 * NS_PER_MS);
	assert_int_equal(o->stat.lost, 0);
	/* and transport-cc each 50 to 100 ms */
	assert_true(peer_stats(c.server.peer)->packets_out > 22);
	assert_int_equal(peer_stats(c.server.peer)->
		dropped[PEER_DROP_MALFORMED], 0);
	call_close(&c);
}

static void leaving_is_seen_at_once(void **state)
{
	struct call c;

	(void)state;
	call_open(&c, "127.0.0.1:0", "127.0.0.1:0");
	call_publish(&c, four, ARRAY_LEN(four));
	call_connect(&c);
	peer_free(c.client.peer);
	c.client.peer = NULL;
	call_wait_for(&c, &c.server.closed, 1);
	assert_string_equal(c.server.reason, "left");
	assert_int_equal(peer_state(c.server.peer), PEER_CLOSED);
	call_close(&c);
}

/* The client's check overtakes its answer, as it does over a WebSocket: it
 * is answered when the answer has come, not when it is repeated. */
static void an_early_check_is_kept(void **state)
{
	struct call c;
	struct buf offer = { 0 }, answer = { 0 };
	char why[160];
	uint64_t began;

	(void)state;
	call_open(&c, "127.0.0.1:0", "127.0.0.1:0");
	assert_int_equal(peer_make_offer(c.server.peer, nine, 9, &offer), 0);
	assert_int_equal(peer_accept_offer(c.client.peer,
		(char *)offer.data, offer.len, &answer, why), 0);
	call_wait_ms(&c, 20);
	assert_int_equal(peer_port_stats(c.server.port)->packets_out, 0);
	assert_int_equal(peer_port_stats(c.server.port)->
		dropped[PEER_DROP_EARLY], 1);
	began = io_now_ns();
	assert_int_equal(peer_accept_answer(c.server.peer,
		(char *)answer.data, answer.len, why), 0);
	call_wait_u64(&c, &peer_stats(c.server.peer)->packets_out, 1);
	assert_true(io_now_ns() - began < 200 * NS_PER_MS);
	call_connect(&c);
	buf_free(&offer);
	buf_free(&answer);
	call_close(&c);
}

static void ipv6_and_wildcards_work(void **state)
{
	struct call c;

	(void)state;
	call_open(&c, "[::]:0", "[::1]:0");
	call_publish(&c, four, ARRAY_LEN(four));
	call_connect(&c);
	call_send_audio(&c.client, 0, 0, 30);
	call_wait_packets(&c, &c.server, 1);
	call_close(&c);
	call_open(&c, "*:0", "*:0");
	call_subscribe(&c, nine, 9);
	call_connect(&c);
	call_send_audio(&c.server, 0, 0, 30);
	call_wait_packets(&c, &c.client, 1);
	call_close(&c);
}

static void sending_has_rules(void **state)
{
	struct call c;
	uint8_t big[PEER_MAX_PAYLOAD + 1] = { 0 };
	struct peer_rtp pkt = { .line = 0, .level = -1, .payload = big };

	(void)state;
	call_open(&c, "127.0.0.1:0", "127.0.0.1:0");
	call_publish(&c, four, ARRAY_LEN(four));
	assert_int_equal(peer_send_rtp(c.client.peer, &pkt), -ENOTCONN);
	call_connect(&c);
	assert_int_equal(peer_send_rtp(c.server.peer, &pkt), -EINVAL);
	assert_int_equal(peer_send_rtp(c.client.peer, &pkt), 0);
	pkt.line = 4;
	assert_int_equal(peer_send_rtp(c.client.peer, &pkt), -EINVAL);
	pkt.line = 1;
	pkt.rid = 1;
	assert_int_equal(peer_send_rtp(c.client.peer, &pkt), -EINVAL);
	pkt.rid = 0;
	pkt.len = PEER_MAX_PAYLOAD;
	assert_int_equal(peer_send_rtp(c.client.peer, &pkt), 0);
	pkt.len++;
	assert_int_equal(peer_send_rtp(c.client.peer, &pkt), -EINVAL);
	assert_int_equal(peer_request_keyframe(c.client.peer, 0, 0), -EINVAL);
	assert_int_equal(peer_request_keyframe(c.server.peer, 9, 0), -EINVAL);
	call_wait_packets(&c, &c.server, 2);
	assert_int_equal(c.server.last[1].len, PEER_MAX_PAYLOAD);
	call_close(&c);
}

static void free_from_a_callback(void **state)
{
	struct call c;

	(void)state;
	call_open(&c, "127.0.0.1:0", "127.0.0.1:0");
	call_publish(&c, four, ARRAY_LEN(four));
	call_connect(&c);
	c.server.free_at_packet = true;
	for (unsigned i = 0; i < 5; i++)
		call_send_audio(&c.client, 0, i, 30);
	call_wait_for(&c, &c.client.closed, 1);
	assert_string_equal(c.client.reason, "left");
	assert_int_equal(c.server.count[0], 1);
	call_close(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(publish_connects),
		cmocka_unit_test(media_flow_to_the_server),
		cmocka_unit_test(media_flow_to_the_client),
		cmocka_unit_test(cameras_grow_without_a_break),
		cmocka_unit_test(rids_are_told_apart),
		cmocka_unit_test(losses_are_repaired),
		cmocka_unit_test(losses_to_a_subscriber_are_repaired),
		cmocka_unit_test(too_much_loss_wants_a_keyframe),
		cmocka_unit_test(a_loss_is_told_by_a_late_packet),
		cmocka_unit_test(what_waited_too_long_is_dropped),
		cmocka_unit_test(reports_and_feedback_arrive),
		cmocka_unit_test(leaving_is_seen_at_once),
		cmocka_unit_test(an_early_check_is_kept),
		cmocka_unit_test(ipv6_and_wildcards_work),
		cmocka_unit_test(sending_has_rules),
		cmocka_unit_test(free_from_a_callback),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
