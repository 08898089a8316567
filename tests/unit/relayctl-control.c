/* The relay under a control that comes late, refuses, leaves and returns,
 * with clients that are peers in the same loop. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <unistd.h>

#include "base.h"
#include "ctl.h"
#include "io.h"
#include "json.h"
#include "peer.h"
#include "relayctl.h"

#define LIMIT_MS     20000
#define MAX_CLIENTS  8
#define MAX_HEARD    4000
#define LIST_MAX     (16u << 20)

/* Each peer has a port of its own: the relay tells them apart by it. */
struct client {
	struct peer *out, *in;
	struct peer_port *out_port, *in_port;
	bool out_up, in_up, out_gone, in_gone;
	unsigned n;                     /* packets sent */
	unsigned got[PEER_MAX_LINES];   /* packets received */
};

struct world {
	struct io_loop *loop;
	struct io_timer *tick;
	struct peer_port *relay_port;
	struct relayctl *r;
	struct client clients[MAX_CLIENTS];
	char dir[64], path[80];
	/* control */
	int listener;
	struct io_watch *accepting;
	struct io_stream *stream;
	struct ctl *ctl;
	unsigned hellos, refuse;
	bool slow;              /* hello is answered by answer_hello */
	struct ctl_call *owed;
	json_t *hello, *heard, *result;
	char kind[32];
	bool answered;
	bool ended;
	int end_code;
	/* waiting */
	bool (*until)(struct world *w);
	uint64_t end_ns;
};

/* ---- control ---- */

static void hang_up(struct world *w)
{
	ctl_free(w->ctl);
	w->ctl = NULL;
	io_stream_free(w->stream);
	w->stream = NULL;
}

static void on_hello(void *arg, struct ctl_call *call, const json_t *p)
{
	struct world *w = arg;

	json_decref(w->hello);
	w->hello = json_deep_copy(p);
	w->hellos++;
	if (w->slow) {
		w->owed = call;
	} else if (w->refuse) {
		w->refuse--;
		ctl_fail(call, "denied", "not you");
	} else {
		ctl_reply(call, NULL);
	}
}

static void note(struct world *w, const char *method, const json_t *p)
{
	assert_true(json_array_size(w->heard) < MAX_HEARD);
	json_array_append_new(w->heard, json_pack("{s:s, s:O}", "method",
		method, "params", p));
}

#define HEAR(f, name) static void f(void *arg, struct ctl_call *call, \
	const json_t *p) { assert_null(call); note(arg, name, p); }
HEAR(hear_state, "transport.state")
HEAR(hear_offer, "transport.offer")
HEAR(hear_started, "track.started")
HEAR(hear_stopped, "track.stopped")
HEAR(hear_assigned, "slot.assigned")
HEAR(hear_live, "slot.live")
HEAR(hear_talk, "talk.level")

static const struct ctl_method methods[] = {
	{"hello", on_hello},
	{"transport.state", hear_state},
	{"transport.offer", hear_offer},
	{"track.started", hear_started},
	{"track.stopped", hear_stopped},
	{"slot.assigned", hear_assigned},
	{"slot.live", hear_live},
	{"talk.level", hear_talk},
};

static int write_line(void *arg, const void *p, size_t n)
{
	struct world *w = arg;

	return io_stream_send(w->stream, p, n);
}

static size_t on_data(void *arg, const uint8_t *p, size_t n)
{
	struct world *w = arg;

	if (ctl_feed(w->ctl, p, n))
		hang_up(w);
	return n;
}

static void on_close(void *arg, int err)
{
	(void)err;
	hang_up(arg);
}

static void on_accept(void *arg, int fd, unsigned events)
{
	static const struct io_stream_events ev = {
		.on_data = on_data,
		.on_close = on_close,
	};
	struct world *w = arg;
	const struct ctl_config c = {.write = write_line, .arg = w,
		.methods = methods, .n_methods = ARRAY_LEN(methods),
		.lines = true, .hello_first = true, .max_in = LIST_MAX};
	int s = io_accept(fd, NULL);

	(void)events;
	assert_true(s >= 0);
	assert_null(w->stream);
	w->stream = io_stream_new(w->loop, s, s, LIST_MAX, 1u << 20, &ev, w);
	w->ctl = ctl_new(&c);
	assert_non_null(w->stream);
	assert_non_null(w->ctl);
}

static void control_comes(struct world *w)
{
	w->listener = io_unix_listen(w->path, 0600, (gid_t)-1);
	assert_true(w->listener >= 0);
	w->accepting = io_watch_new(w->loop, w->listener, IO_READ, on_accept,
		w);
}

static void control_goes(struct world *w)
{
	hang_up(w);
	io_watch_free(w->accepting);
	w->accepting = NULL;
	close(w->listener);
	unlink(w->path);
}

/* ---- clients ---- */

static void on_state(void *arg, struct peer *p, enum peer_state s,
	const char *reason)
{
	struct client *c = arg;
	bool up = s == PEER_CONNECTED, gone = s == PEER_CLOSED;

	(void)reason;
	if (p == c->out) {
		c->out_up |= up;
		c->out_gone |= gone;
	} else {
		c->in_up |= up;
		c->in_gone |= gone;
	}
}

static void on_rtp(void *arg, struct peer *p, const struct peer_rtp *pkt)
{
	struct client *c = arg;

	(void)p;
	c->got[pkt->line]++;
}

static const struct peer_events peer_events = {
	.on_state = on_state,
	.on_rtp = on_rtp,
};

/* A sound, and a picture that is a key frame each time. */
static void send_some(struct client *c)
{
	static const uint8_t key[] = {0x10, 0x10, 0, 0, 0x9d, 1, 0x2a, 64, 0,
		64, 0, 0, 0, 0};
	static const uint8_t opus[] = {0xf8, 0xff, 0xfe};
	struct peer_rtp a = {.line = 0, .seq = (uint16_t)c->n,
		.rtp_ts = c->n * 960, .level = 20, .voice = true,
		.payload = opus, .len = sizeof opus};
	struct peer_rtp v = {.line = 1, .seq = (uint16_t)c->n,
		.rtp_ts = c->n * 3000, .level = -1, .marker = true,
		.payload = key, .len = sizeof key};

	if (!c->out_up || c->out_gone)
		return;
	peer_send_rtp(c->out, &a);
	peer_send_rtp(c->out, &v);
	c->n++;
}

/* ---- waiting ---- */

static void tick(void *arg)
{
	struct world *w = arg;

	for (int i = 0; i < MAX_CLIENTS; i++)
		if (w->clients[i].out)
			send_some(&w->clients[i]);
	if (w->until ? w->until(w) : io_now_ns() >= w->end_ns)
		io_loop_stop(w->loop, 0);
	else if (io_now_ns() >= w->end_ns)
		io_loop_stop(w->loop, 1);
	else
		io_timer_in(w->tick, 10);
}

static bool wait_until(struct world *w, bool (*until)(struct world *w))
{
	w->until = until;
	w->end_ns = io_now_ns() + LIMIT_MS * NS_PER_MS;
	io_timer_in(w->tick, 0);
	return io_loop_run(w->loop) == 0;
}

static void pass(struct world *w, uint64_t ms)
{
	w->until = NULL;
	w->end_ns = io_now_ns() + ms * NS_PER_MS;
	io_timer_in(w->tick, 0);
	io_loop_run(w->loop);
}

static bool greeted(struct world *w)
{
	return w->ctl && ctl_greeted(w->ctl);
}

static bool is_answered(struct world *w)
{
	return w->answered;
}

static void on_answer(void *arg, const json_t *result,
	const struct ctl_error *err)
{
	struct world *w = arg;

	w->answered = true;
	json_decref(w->result);
	w->result = json_deep_copy(result);
	str_copy(w->kind, sizeof w->kind, err ? err->kind : "");
}

/* The result, or NULL with w->kind. */
static const json_t *ask(struct world *w, const char *method, json_t *params)
{
	w->answered = false;
	assert_int_equal(ctl_request(w->ctl, method, params, CTL_NEVER,
		on_answer, w), 0);
	assert_true(wait_until(w, is_answered));
	return w->result;
}

static size_t count_heard(struct world *w, const char *method,
	const char *key, const char *value)
{
	size_t n = 0;

	for (size_t i = 0; i < json_array_size(w->heard); i++) {
		const json_t *h = json_array_get(w->heard, i);
		const char *bad = NULL;

		n += str_eq(json_str(h, "method", &bad), method) &&
			(!key || str_eq(json_str(json_object_get(h,
				"params"), key, &bad), value));
	}
	return n;
}

/* ---- a world ---- */

static struct peer_port *port_of(struct io_loop *l)
{
	struct peer_port_config c = {.n_fds = 1};
	union io_addr a;
	int fd;

	assert_int_equal(io_addr_parse(&a, "127.0.0.1:0"), 0);
	fd = io_udp_bind(&a);
	assert_true(fd >= 0);
	c.fds = &fd;
	return peer_port_new(l, &c);
}

static void on_end(void *arg, int code)
{
	struct world *w = arg;

	w->ended = true;
	w->end_code = code;
}

static struct world *world_new(void)
{
	struct world *w = calloc(1, sizeof *w);
	struct relayctl_config c = {.agent = "test/1", .seed = 7,
		.on_end = on_end, .arg = w};

	snprintf(w->dir, sizeof w->dir, "/tmp/relayctl-XXXXXX");
	assert_non_null(mkdtemp(w->dir));
	snprintf(w->path, sizeof w->path, "%s/control", w->dir);
	w->heard = json_array();
	w->loop = io_loop_new();
	w->tick = io_timer_new(w->loop, tick, w);
	w->relay_port = port_of(w->loop);
	c.loop = w->loop;
	c.port = w->relay_port;
	w->r = relayctl_new(&c);
	assert_non_null(w->r);
	return w;
}

static void world_free(struct world *w)
{
	for (int i = 0; i < MAX_CLIENTS; i++) {
		peer_free(w->clients[i].out);
		peer_free(w->clients[i].in);
		peer_port_free(w->clients[i].out_port);
		peer_port_free(w->clients[i].in_port);
	}
	relayctl_free(w->r);
	if (w->accepting)
		control_goes(w);
	peer_port_free(w->relay_port);
	io_timer_free(w->tick);
	io_loop_free(w->loop);
	json_decref(w->heard);
	json_decref(w->hello);
	json_decref(w->result);
	rmdir(w->dir);
	free(w);
}

static struct world *with_control(void)
{
	struct world *w = world_new();

	control_comes(w);
	assert_int_equal(relayctl_dial(w->r, w->path, "relay-0", "ab"), 0);
	assert_true(wait_until(w, greeted));
	assert_non_null(ask(w, "room.create", json_pack("{s:s, s:i}", "room",
		"r", "epoch", 1)));
	return w;
}

static json_t *create_params(unsigned i, const char *direction,
	const char *sdp)
{
	char endpoint[16], transport[32];

	snprintf(endpoint, sizeof endpoint, "e_%u", i);
	snprintf(transport, sizeof transport, "t_%s%u", direction, i);
	return json_pack("{s:s, s:i, s:s, s:s, s:s, s:{s:[s, s], s:[], s:b}, "
		"s:s*}", "room", "r", "epoch", 1, "endpoint", endpoint,
		"transport", transport, "direction", direction, "grant",
		"publish", "mic", "cam", "muted", "receive", 1, "sdp", sdp);
}

static struct peer *client_peer(struct world *w, struct client *c,
	struct peer_port **port)
{
	const struct peer_config pc = {.role = PEER_CLIENT, .name = "client",
		.events = &peer_events, .arg = c};
	struct peer *p;

	*port = port_of(w->loop);
	assert_non_null(*port);
	p = peer_new(*port, &pc);
	assert_non_null(p);
	return p;
}

static const char *sdp_in(const json_t *result)
{
	return json_string_value(json_object_get(result, "sdp"));
}

static void publish(struct world *w, unsigned i)
{
	static const struct peer_line_want lines[] = {
		{.source = PEER_MIC}, {.source = PEER_CAM}};
	struct client *c = &w->clients[i];
	struct buf offer = {0};
	const json_t *r;
	char why[160];

	c->out = client_peer(w, c, &c->out_port);
	assert_int_equal(peer_make_offer(c->out, lines, 2, &offer), 0);
	r = ask(w, "transport.create", create_params(i, "publish",
		buf_cstr(&offer)));
	assert_non_null(r);
	assert_int_equal(peer_accept_answer(c->out, sdp_in(r),
		strlen(sdp_in(r)), why), 0);
	buf_free(&offer);
}

/* Takes an offer of the relay for client i, and answers. */
static void take_offer(struct world *w, unsigned i, const char *sdp)
{
	struct buf answer = {0};
	char why[160], transport[32];

	snprintf(transport, sizeof transport, "t_subscribe%u", i);
	assert_int_equal(peer_accept_offer(w->clients[i].in, sdp,
		strlen(sdp), &answer, why), 0);
	assert_non_null(ask(w, "transport.answer", json_pack("{s:s, s:s}",
		"transport", transport, "sdp", buf_cstr(&answer))));
	buf_free(&answer);
}

static void subscribe(struct world *w, unsigned i)
{
	const json_t *r = ask(w, "transport.create", create_params(i,
		"subscribe", NULL));
	json_t *kept = json_deep_copy(r);

	assert_non_null(r);
	w->clients[i].in = client_peer(w, &w->clients[i],
		&w->clients[i].in_port);
	take_offer(w, i, sdp_in(kept));
	json_decref(kept);
}

/* Slots 0 to 2 are microphones, 3 to 6 cameras. */
static bool both_receive(struct world *w)
{
	for (int i = 0; i < 2; i++)
		if (w->clients[i].got[0] < 5 || w->clients[i].got[3] < 5)
			return false;
	return true;
}

static void forget_counts(struct world *w)
{
	for (int i = 0; i < MAX_CLIENTS; i++)
		memset(w->clients[i].got, 0, sizeof w->clients[i].got);
}

static struct world *with_two(void)
{
	struct world *w = with_control();

	for (unsigned i = 0; i < 2; i++) {
		publish(w, i);
		subscribe(w, i);
	}
	assert_true(wait_until(w, both_receive));
	return w;
}

/* ---- tests ---- */

static void control_may_come_late(void **state)
{
	struct world *w = world_new();
	const char *bad = NULL;

	(void)state;
	assert_int_equal(relayctl_dial(w->r, w->path, "relay-0", "abcd"), 0);
	pass(w, 600);
	assert_int_equal(w->hellos, 0);
	control_comes(w);
	assert_true(wait_until(w, greeted));
	assert_string_equal(json_str(w->hello, "role", &bad), "relay");
	assert_string_equal(json_str(w->hello, "instance", &bad), "relay-0");
	assert_string_equal(json_str(w->hello, "secret", &bad), "abcd");
	assert_string_equal(json_str(w->hello, "agent", &bad), "test/1");
	assert_int_equal(json_array_size(json_arr(w->hello, "rooms", &bad)),
		0);
	assert_false(w->ended);
	world_free(w);
}

static bool three_hellos(struct world *w)
{
	return w->hellos == 3 && greeted(w);
}

static void a_refusal_is_not_the_end(void **state)
{
	struct world *w = world_new();

	(void)state;
	w->refuse = 2;
	control_comes(w);
	assert_int_equal(relayctl_dial(w->r, w->path, "relay-0", "ab"), 0);
	assert_true(wait_until(w, three_hellos));
	world_free(w);
}

static void bad_names_are_refused(void **state)
{
	struct world *w = world_new();
	char longer[200];

	(void)state;
	memset(longer, 'a', sizeof longer);
	longer[199] = '\0';
	assert_int_equal(relayctl_dial(w->r, longer, "relay-0", "a"), -EINVAL);
	assert_int_equal(relayctl_dial(w->r, w->path, "", "a"), -EINVAL);
	assert_int_equal(relayctl_dial(w->r, w->path, "a/b", "a"), -EINVAL);
	assert_int_equal(relayctl_dial(w->r, w->path, "a", longer), -EINVAL);
	world_free(w);
}

static bool second_hello(struct world *w)
{
	return w->hellos == 2 && greeted(w);
}

static void nonsense_from_control_cuts_it_off(void **state)
{
	struct world *w = with_control();
	const json_t *r;

	(void)state;
	assert_int_equal(io_stream_send(w->stream, "nonsense\n", 9), 0);
	assert_true(wait_until(w, second_hello));
	r = ask(w, "relay.stats", NULL);
	assert_int_equal(json_integer_value(json_object_get(r,
		"malformed_peers")), 1);
	assert_int_equal(json_integer_value(json_object_get(r, "rooms")), 1);
	world_free(w);
}

static bool told_again(struct world *w)
{
	return count_heard(w, "slot.live", "from", "e_0") &&
		count_heard(w, "slot.live", "from", "e_1");
}

static void media_go_on_without_control(void **state)
{
	struct world *w = with_two();
	const char *bad = NULL;
	const json_t *room, *e;

	(void)state;
	control_goes(w);
	pass(w, 100);
	forget_counts(w);
	assert_true(wait_until(w, both_receive));
	json_array_clear(w->heard);
	control_comes(w);
	assert_true(wait_until(w, second_hello));
	room = json_array_get(json_arr(w->hello, "rooms", &bad), 0);
	assert_string_equal(json_str(room, "room", &bad), "r");
	assert_int_equal(json_int(room, "epoch", 0, &bad), 1);
	e = json_array_get(json_arr(room, "endpoints", &bad), 0);
	assert_string_equal(json_str(e, "endpoint", &bad), "e_0");
	assert_int_equal(json_array_size(json_arr(e, "tracks", &bad)), 2);
	assert_int_equal(json_array_size(json_arr(e, "transports", &bad)), 2);
	/* Who is in which slot is told anew, and who is live. */
	assert_true(wait_until(w, told_again));
	assert_int_equal(count_heard(w, "slot.assigned", "from", "e_0"), 2);
	assert_int_equal(count_heard(w, "slot.assigned", "from", "e_1"), 2);
	world_free(w);
}

static bool owes_an_answer(struct world *w)
{
	return w->owed;
}

static bool told_of_the_end(struct world *w)
{
	return count_heard(w, "track.stopped", "endpoint", "e_0") == 2 &&
		count_heard(w, "transport.state", "transport", "t_publish0");
}

/* A control that takes its time after the hello learns what happened since
 * then, and is not dialled again. */
static void what_changes_behind_the_hello_is_told(void **state)
{
	struct world *w = with_two();

	(void)state;
	control_goes(w);
	w->slow = true;
	control_comes(w);
	assert_true(wait_until(w, owes_an_answer));
	json_array_clear(w->heard);
	peer_free(w->clients[0].out);
	w->clients[0].out = NULL;
	pass(w, 300);
	assert_int_equal(json_array_size(w->heard), 0);
	ctl_reply(w->owed, NULL);
	assert_true(wait_until(w, told_of_the_end));
	assert_int_equal(w->hellos, 2);
	world_free(w);
}

/* 4,000 rooms are more than a message of other kinds may hold. */
static void many_rooms_are_listed(void **state)
{
	struct world *w = with_control();
	const char *bad = NULL;
	char id[64];

	(void)state;
	for (int i = 0; i < 4000; i++) {
		snprintf(id, sizeof id, "a-room-with-quite-a-long-name-%d", i);
		assert_int_equal(ctl_request(w->ctl, "room.create", json_pack(
			"{s:s, s:i}", "room", id, "epoch", 1), CTL_NEVER,
			NULL, NULL), 0);
		if (i % 500 == 499)
			pass(w, 20);
	}
	assert_non_null(ask(w, "relay.stats", NULL));
	hang_up(w);
	assert_true(wait_until(w, second_hello));
	assert_int_equal(json_array_size(json_arr(w->hello, "rooms", &bad)),
		4001);
	world_free(w);
}

static bool stopped(struct world *w)
{
	return count_heard(w, "track.stopped", "endpoint", "e_0") == 2 &&
		w->clients[0].in_gone && w->clients[0].out_gone;
}

static void a_higher_epoch_starts_anew(void **state)
{
	struct world *w = with_two();

	(void)state;
	assert_non_null(ask(w, "room.create", json_pack("{s:s, s:i}", "room",
		"r", "epoch", 2)));
	assert_true(wait_until(w, stopped));
	assert_int_equal(count_heard(w, "transport.state", "reason",
		"removed"), 4);
	assert_null(ask(w, "transport.create", create_params(0, "subscribe",
		NULL)));
	assert_string_equal(w->kind, "invalid");
	world_free(w);
}

static bool out_gone(struct world *w)
{
	return w->clients[0].out_gone;
}

static void a_new_transport_replaces_the_old(void **state)
{
	struct world *w = with_two();
	struct peer *old = w->clients[0].out;
	json_t *p;
	struct buf offer = {0};
	static const struct peer_line_want mic[] = {{.source = PEER_MIC}};

	(void)state;
	w->clients[7].out = client_peer(w, &w->clients[7],
		&w->clients[7].out_port);
	assert_int_equal(peer_make_offer(w->clients[7].out, mic, 1, &offer),
		0);
	p = create_params(0, "publish", buf_cstr(&offer));
	json_object_set_new(p, "transport", json_string("t_again"));
	assert_non_null(ask(w, "transport.create", p));
	assert_int_equal(count_heard(w, "transport.state", "reason",
		"replaced"), 1);
	assert_true(wait_until(w, out_gone));
	assert_ptr_equal(old, w->clients[0].out);
	/* It is t_again's place now, and the old name is free. */
	assert_null(ask(w, "transport.close", json_pack("{s:s}", "transport",
		"t_publish0")));
	assert_string_equal(w->kind, "not_found");
	assert_non_null(ask(w, "transport.close", json_pack("{s:s}",
		"transport", "t_again")));
	buf_free(&offer);
	world_free(w);
}

static bool offered_more(struct world *w)
{
	return count_heard(w, "transport.offer", NULL, NULL) > 0;
}

static const json_t *last_offer(struct world *w)
{
	const json_t *last = NULL;

	for (size_t i = 0; i < json_array_size(w->heard); i++) {
		const json_t *h = json_array_get(w->heard, i);
		const char *bad = NULL;

		if (str_eq(json_str(h, "method", &bad), "transport.offer"))
			last = json_object_get(h, "params");
	}
	return last;
}

static bool a_fifth_camera(struct world *w)
{
	return w->clients[0].got[9] > 3;
}

static void the_fifth_camera_brings_more_slots(void **state)
{
	struct world *w = with_control();
	const json_t *m;

	(void)state;
	subscribe(w, 0);
	for (unsigned i = 1; i <= 5; i++)
		publish(w, i);
	assert_true(wait_until(w, offered_more));
	/* An offer that control has lost is made again. */
	json_array_clear(w->heard);
	hang_up(w);
	assert_true(wait_until(w, offered_more));
	m = last_offer(w);
	assert_int_equal(json_array_size(json_object_get(m, "slots")), 30);
	take_offer(w, 0, sdp_in(m));
	assert_true(wait_until(w, a_fifth_camera));
	assert_int_equal(count_heard(w, "transport.offer", NULL, NULL), 1);
	world_free(w);
}

static bool ended(struct world *w)
{
	return w->ended && w->clients[0].in_gone && w->clients[1].out_gone;
}

static void draining_says_goodbye(void **state)
{
	struct world *w = with_two();

	(void)state;
	relayctl_drain(w->r);
	assert_true(wait_until(w, ended));
	assert_int_equal(w->end_code, 0);
	assert_int_equal(count_heard(w, "transport.state", "reason",
		"draining"), 4);
	assert_null(ask(w, "transport.create", create_params(3, "subscribe",
		NULL)));
	assert_string_equal(w->kind, "draining");
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(control_may_come_late),
		cmocka_unit_test(a_refusal_is_not_the_end),
		cmocka_unit_test(bad_names_are_refused),
		cmocka_unit_test(nonsense_from_control_cuts_it_off),
		cmocka_unit_test(media_go_on_without_control),
		cmocka_unit_test(what_changes_behind_the_hello_is_told),
		cmocka_unit_test(many_rooms_are_listed),
		cmocka_unit_test(a_higher_epoch_starts_anew),
		cmocka_unit_test(a_new_transport_replaces_the_old),
		cmocka_unit_test(the_fifth_camera_brings_more_slots),
		cmocka_unit_test(draining_says_goodbye),
	};

	io_ignore_sigpipe();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
