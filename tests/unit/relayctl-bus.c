/* Programs on the bus of a relay, with control at its other side: tickets,
 * tracks, what is muted, taken or removed, key frames, repetitions, wishes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base.h"
#include "bus.h"
#include "ctl.h"
#include "io.h"
#include "json.h"
#include "peer.h"
#include "relayctl.h"
#include "wire.h"

#define LIMIT_MS  20000
#define TICKET_MS 3000 /* enough for a busy machine */
#define SEEN      8192

struct prog {
	struct world *w;
	struct bus_client *c;
	bool welcome, closed, sending, video;
	char kind[24], message[64], track_kind[24];
	int out;          /* its own track, -1: none */
	unsigned sent;    /* packets of it */
	unsigned answered; /* requests for key frames */
	int in;           /* the track that is read, -1: none */
	char from[32], source[32];
	uint32_t ssrc;
	unsigned tracks, ends, got, again, reports, asked, dropped;
	uint16_t first, last; /* sequence numbers read */
	unsigned newest;      /* what the last one that was read had to say */
	bool gap, repeated_right;
	uint64_t asked_ns, least_ns;
	unsigned said[SEEN]; /* by sequence number: what it had to say */
};

static struct world {
	struct io_loop *loop;
	struct io_timer *tick;
	struct peer_port *port;
	struct relayctl *r;
	struct io_stream *stream;
	struct ctl *ctl;
	json_t *result;
	char kind[32];
	bool answered;
	json_t *states;
	char dir[64], path[96];
	struct prog progs[4];
	bool (*until)(void);
	uint64_t end_ns;
} w;

/* ---- control ---- */

static int write_line(void *arg, const void *p, size_t n)
{
	(void)arg;
	return io_stream_send(w.stream, p, n);
}

static size_t on_data(void *arg, const uint8_t *p, size_t n)
{
	(void)arg;
	assert_int_equal(ctl_feed(w.ctl, p, n), 0);
	return n;
}

static void on_gone(void *arg, int err)
{
	(void)arg;
	(void)err;
}

static void hear(void *arg, struct ctl_call *call, const json_t *p)
{
	(void)arg;
	(void)call;
	(void)p;
}

static void hear_state(void *arg, struct ctl_call *call, const json_t *p)
{
	(void)arg;
	(void)call;
	json_array_append(w.states, (json_t *)(uintptr_t)p);
}

static const struct ctl_method methods[] = {
	{"transport.state", hear_state}, {"track.started", hear},
	{"track.stopped", hear}, {"talk.level", hear},
};

static void on_end(void *arg, int code)
{
	(void)arg;
	(void)code;
}

/* ---- programs ---- */

static void on_welcome(void *arg, const char *room, const char *endpoint)
{
	(void)endpoint;
	assert_string_equal(room, "r");
	((struct prog *)arg)->welcome = true;
}

static void on_refused(void *arg, const char *kind, const char *message)
{
	struct prog *p = arg;

	str_copy(p->kind, sizeof(p->kind), kind);
	str_copy(p->message, sizeof(p->message), message);
}

static void on_track(void *arg, const struct bus_track *t)
{
	struct prog *p = arg;

	p->tracks++;
	p->in = (int)t->track;
	p->ssrc = t->ssrc;
	p->got = 0;
	p->gap = false;
	str_copy(p->from, sizeof(p->from), t->endpoint);
	str_copy(p->source, sizeof(p->source), t->source);
}

static void on_track_end(void *arg, unsigned track)
{
	struct prog *p = arg;

	assert_int_equal(track, p->in);
	p->ends++;
}

static unsigned says(const struct bus_packet *k)
{
	return be32(k->rtp.payload + k->rtp.payload_len - 4);
}

static void on_packet(void *arg, unsigned track, const struct bus_packet *k)
{
	struct prog *p = arg;
	struct rtcp_iter it;
	struct rtcp_sr sr;
	struct rtcp r;

	assert_int_equal(track, p->in);
	if (k->kind == BUS_RTCP) {
		it = rtcp_iter(k->data, k->len);
		assert_int_equal(rtcp_next(&it, &r), 1);
		assert_int_equal(rtcp_sr(&r, &sr), 0);
		assert_int_equal(sr.ssrc, p->ssrc);
		p->reports++;
		return;
	}
	assert_int_equal(k->rtp.ssrc, p->ssrc);
	if (k->flags & BUS_RESENT) {
		p->again++;
		p->repeated_right = p->said[k->rtp.seq % SEEN] == says(k);
		return;
	}
	if (!p->got) {
		p->first = k->rtp.seq;
		assert_true(k->key || !str_eq(p->source, "cam"));
	} else if (k->rtp.seq != (uint16_t)(p->last + 1)) {
		p->gap = true;
	}
	p->last = k->rtp.seq;
	p->newest = p->said[k->rtp.seq % SEEN] = says(k);
	p->got++;
}

static void on_dropped(void *arg, unsigned track, unsigned frames,
	unsigned packets)
{
	(void)track;
	(void)frames;
	((struct prog *)arg)->dropped += packets;
}

static void on_keyframe(void *arg, unsigned track)
{
	struct prog *p = arg;
	uint64_t now = io_now_ns();

	assert_int_equal(track, p->out);
	if (p->asked++ && (!p->least_ns || now - p->asked_ns < p->least_ns))
		p->least_ns = now - p->asked_ns;
	p->asked_ns = now;
}

static void on_track_refused(void *arg, unsigned track, const char *kind,
	const char *message)
{
	struct prog *p = arg;

	(void)message;
	assert_int_equal(track, p->out);
	str_copy(p->track_kind, sizeof(p->track_kind), kind);
	p->out = -1;
}

static void on_close(void *arg, int err)
{
	(void)err;
	((struct prog *)arg)->closed = true;
}

static void leave(struct prog *p)
{
	bus_client_free(p->c);
	*p = (struct prog){.out = -1, .in = -1};
}

static struct prog *come(unsigned i, const char *ticket)
{
	static const struct bus_client_events events = {
		.on_welcome = on_welcome, .on_refused = on_refused,
		.on_track = on_track, .on_end = on_track_end,
		.on_packet = on_packet, .on_dropped = on_dropped,
		.on_keyframe = on_keyframe,
		.on_track_refused = on_track_refused, .on_close = on_close,
	};
	struct prog *p = &w.progs[i];
	struct bus_client_config c = {.loop = w.loop, .path = w.path,
		.ticket = ticket, .events = &events, .arg = p};

	leave(p);
	if (!ticket) {
		c.room = "r";
		c.endpoint = "e_self";
		c.receive = true;
	}
	p->c = bus_client_new(&c);
	assert_non_null(p->c);
	return p;
}

/* One packet; pictures are a key frame only when one was asked for. */
static void send_one(struct prog *p)
{
	uint8_t mem[64] = {0}, *b = mem + RTP_HEADER_BYTES;
	bool key = p->sent == 0 || p->asked > p->answered;
	struct rtp h = {.pt = 96, .ssrc = 1, .marker = true,
		.seq = (uint16_t)(100 + p->sent),
		.ts = p->sent * (p->video ? 900u : 480u)};
	struct bus_packet k;
	size_t n = 18;

	rtp_write(mem, sizeof(mem), &h);
	memcpy(b, (const uint8_t[]){0x90, 0x80, 0x80, 0, key ? 0x10 : 0x11, 0,
		0, 0x9d, 1, 0x2a, 64, 0, 64, 0}, 14);
	b[2] |= p->sent >> 8 & 0x7f;
	b[3] = (uint8_t)p->sent;
	if (!p->video) {
		b[0] = 0xfc;
		n = 8;
	}
	p->answered = p->asked;
	p->sent++;
	be32_put(b + n - 4, p->sent);
	assert_int_equal(bus_packet_rtp(&k, p->video ? BUS_VP8 : BUS_OPUS, mem,
		RTP_HEADER_BYTES + n, io_now_ns()), 0);
	bus_client_send(p->c, (unsigned)p->out, &k);
	bus_packet_done(&k);
}

/* ---- waiting ---- */

static void tick(void *arg)
{
	bool late = io_now_ns() >= w.end_ns;

	(void)arg;
	for (unsigned i = 0; i < ARRAY_LEN(w.progs); i++)
		if (w.progs[i].sending && w.progs[i].out >= 0)
			send_one(&w.progs[i]);
	if (late || (w.until && w.until()))
		io_loop_stop(w.loop, late && w.until);
	else
		io_timer_in(w.tick, 10);
}

static void wait_until(bool (*until)(void))
{
	w.until = until;
	w.end_ns = io_now_ns() + LIMIT_MS * NS_PER_MS;
	io_timer_in(w.tick, 0);
	assert_int_equal(io_loop_run(w.loop), 0);
}

static void pass(unsigned ms)
{
	w.until = NULL;
	w.end_ns = io_now_ns() + ms * NS_PER_MS;
	io_timer_in(w.tick, 0);
	io_loop_run(w.loop);
}

static bool is_answered(void) { return w.answered; }
static bool is_over_0(void) { return w.progs[0].closed; }
static bool is_over_1(void) { return w.progs[1].closed; }
static bool is_welcome_0(void) { return w.progs[0].welcome; }
static bool is_welcome_1(void) { return w.progs[1].welcome; }
static unsigned goal;
static bool sent_it(void) { return w.progs[0].sent >= goal; }
static bool read_it(void) { return w.progs[1].newest >= goal; }
static bool reads_20(void) { return w.progs[1].got >= 20; }

static void on_answer(void *arg, const json_t *result,
	const struct ctl_error *err)
{
	(void)arg;
	w.answered = true;
	str_copy(w.kind, sizeof(w.kind), err ? err->kind : "");
	json_decref(w.result);
	w.result = json_deep_copy(result);
}

/* The kind of what was answered, "" for success. */
static const char *ask(const char *method, const char *params)
{
	char text[512];
	size_t i;
	json_t *p;

	str_copy(text, sizeof(text), params);
	for (i = 0; text[i]; i++)
		if (text[i] == '\'')
			text[i] = '"';
	p = json_loads(text, 0, NULL);
	assert_non_null(p);
	w.answered = false;
	assert_int_equal(ctl_request(w.ctl, method, p, CTL_NEVER, on_answer,
		NULL), 0);
	wait_until(is_answered);
	return w.kind;
}

#define TICKET(word, e, grant) "{'room':'r','epoch':1,'endpoint':'" e \
	"','transport':'t_" word "','ticket':'" word "','grant':" grant "}"
#define SEND "{'publish':['cam','mic'],'muted':[],'receive':false}"
#define READ "{'publish':[],'muted':[],'receive':true}"

/* e_a sends, e_b reads. */
static void two(bool video)
{
	struct prog *a, *b;

	assert_string_equal(ask("ticket.create", TICKET("wa", "e_a", SEND)),
		"");
	assert_string_equal(ask("ticket.create", TICKET("wb", "e_b", READ)),
		"");
	b = come(1, "wb");
	wait_until(is_welcome_1);
	a = come(0, "wa");
	wait_until(is_welcome_0);
	a->video = video;
	a->out = bus_client_publish(a->c, video ? "cam" : "mic",
		video ? BUS_VP8 : BUS_OPUS);
	assert_true(a->out >= 0);
	a->sending = true;
	wait_until(reads_20);
	assert_string_equal(b->from, "e_a");
	assert_string_equal(b->source, video ? "cam" : "mic");
	assert_int_equal(a->tracks, 0);
	assert_false(b->gap);
}

static int start(void **state)
{
	static const struct io_stream_events ev = {.on_data = on_data,
		.on_close = on_gone};
	const struct ctl_config cc = {.write = write_line, .methods = methods,
		.n_methods = ARRAY_LEN(methods), .lines = true};
	struct peer_port_config pc = {.n_fds = 1};
	struct relayctl_config rc = {.agent = "test/1", .seed = 1,
		.ticket_ms = TICKET_MS, .on_end = on_end};
	union io_addr addr;
	int fds[2], udp;

	(void)state;
	memset(&w, 0, sizeof(w));
	for (unsigned i = 0; i < ARRAY_LEN(w.progs); i++)
		w.progs[i].in = w.progs[i].out = -1;
	str_copy(w.dir, sizeof(w.dir), "/tmp/confkit-bus-XXXXXX");
	assert_non_null(mkdtemp(w.dir));
	snprintf(w.path, sizeof(w.path), "%s/bus", w.dir);
	rc.loop = w.loop = io_loop_new();
	w.tick = io_timer_new(w.loop, tick, NULL);
	w.states = json_array();
	assert_int_equal(io_addr_parse(&addr, "127.0.0.1:0"), 0);
	udp = io_udp_bind(&addr);
	pc.fds = &udp;
	rc.port = w.port = peer_port_new(w.loop, &pc);
	assert_non_null(w.port);
	w.r = relayctl_new(&rc);
	assert_non_null(w.r);
	assert_int_equal(relayctl_listen(w.r, w.path, 0600, (gid_t)-1, false),
		0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK |
		SOCK_CLOEXEC, 0, fds), 0);
	assert_int_equal(relayctl_serve(w.r, fds[0], dup(fds[0])), 0);
	w.stream = io_stream_new(w.loop, fds[1], fds[1], 1 << 20, 1 << 20, &ev,
		NULL);
	w.ctl = ctl_new(&cc);
	assert_string_equal(ask("room.create", "{'room':'r','epoch':1}"), "");
	return 0;
}

static int stop(void **state)
{
	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(w.progs); i++)
		leave(&w.progs[i]);
	relayctl_free(w.r);
	ctl_free(w.ctl);
	io_stream_free(w.stream);
	peer_port_free(w.port);
	io_timer_free(w.tick);
	io_loop_free(w.loop);
	json_decref(w.states);
	json_decref(w.result);
	unlink(w.path);
	return rmdir(w.dir);
}

/* ---- tickets ---- */

static void refused(const char *ticket, const char *message)
{
	struct prog *p = come(0, ticket);

	wait_until(is_over_0);
	assert_false(p->welcome);
	assert_string_equal(p->kind, "denied");
	assert_string_equal(p->message, message);
}

static void a_ticket_is_good_once(void **state)
{
	(void)state;
	refused("wa", "no such ticket");
	refused(NULL, "a ticket is needed");
	assert_string_equal(ask("ticket.create", TICKET("wa", "e_a", READ)),
		"");
	assert_string_equal(ask("ticket.create", TICKET("wa", "e_b", READ)),
		"exists");
	come(1, "wa");
	wait_until(is_welcome_1);
	refused("wa", "no such ticket");
	assert_false(w.progs[1].closed);
}

static void a_ticket_does_not_last(void **state)
{
	const json_t *s;

	(void)state;
	assert_string_equal(ask("ticket.create", TICKET("wa", "e_a", READ)),
		"");
	pass(TICKET_MS + 50);
	refused("wa", "no such ticket");
	s = json_array_get(w.states, 0);
	assert_string_equal(json_string_value(json_object_get(s,
		"transport")), "t_wa");
	assert_string_equal(json_string_value(json_object_get(s, "reason")),
		"timeout");
	assert_string_equal(ask("ticket.create", TICKET("wb", "e_a", READ)),
		"");
	assert_string_equal(ask("endpoint.remove",
		"{'room':'r','endpoint':'e_a'}"), "");
	refused("wb", "the ticket is void");
	assert_string_equal(ask("ticket.create", TICKET("wc", "e_a", READ)),
		"");
	assert_string_equal(ask("room.create", "{'room':'r','epoch':2}"), "");
	refused("wc", "the ticket is void");
	assert_string_equal(ask("ticket.create", TICKET("wd", "e_a", READ)),
		"invalid");
}

static void a_ticket_can_be_taken_back(void **state)
{
	(void)state;
	assert_string_equal(ask("ticket.create", TICKET("wa", "e_a", READ)),
		"");
	assert_string_equal(ask("transport.close", "{'transport':'t_wa'}"),
		"");
	refused("wa", "no such ticket");
}

/* ---- tracks ---- */

static bool has_report(void) { return w.progs[1].reports >= 2; }
static bool has_track(void) { return w.progs[1].tracks == 2; }
static bool has_end(void) { return w.progs[1].ends == 1; }

static void tracks_come_with_reports(void **state)
{
	(void)state;
	two(false);
	wait_until(has_report);
	assert_false(w.progs[1].gap);
}

static void wishes_end_and_begin_tracks(void **state)
{
	const struct bus_want none = {"e_a", "mic", 0, false};

	(void)state;
	two(false);
	assert_int_equal(bus_client_want(w.progs[1].c, &none, 1), 0);
	wait_until(has_end);
	pass(100);
	assert_int_equal(bus_client_want(w.progs[1].c, &none, 0), 0);
	wait_until(has_track);
	wait_until(reads_20);
}

static bool is_refused(void) { return *w.progs[0].track_kind; }

static void what_is_not_granted_is_refused(void **state)
{
	struct prog *a = &w.progs[0];

	(void)state;
	two(false);
	assert_string_equal(ask("endpoint.grant", "{'room':'r','endpoint':"
		"'e_a','grant':{'publish':['cam'],'muted':[],"
		"'receive':false}}"), "");
	wait_until(is_refused);
	assert_string_equal(a->track_kind, "denied");
	wait_until(has_end);
	*a->track_kind = '\0';
	a->out = bus_client_publish(a->c, "screen", BUS_VP8);
	wait_until(is_refused);
	assert_string_equal(a->track_kind, "denied");
	*a->track_kind = '\0';
	a->out = bus_client_publish(a->c, "cam", BUS_OPUS);
	wait_until(is_refused);
	assert_string_equal(a->track_kind, "invalid");
	assert_int_equal(w.progs[1].tracks, 1);
}

/* ---- what must not be heard ---- */

#define MUTE(list) "{'room':'r','endpoint':'e_a','grant':{'publish':" \
	"['cam','mic'],'muted':[" list "],'receive':false}}"

static void nothing_of_the_muted_comes(void **state)
{
	const struct prog *b = &w.progs[1];
	unsigned muted;

	(void)state;
	two(false);
	assert_string_equal(ask("endpoint.grant", MUTE("'mic'")), "");
	muted = w.progs[0].sent;
	goal = muted + 20;
	wait_until(sent_it);
	assert_true(b->newest <= muted);
	assert_int_equal(b->ends, 0);
	assert_string_equal(ask("endpoint.grant", MUTE("")), "");
	goal = w.progs[0].sent + 10;
	wait_until(read_it);
	assert_false(b->gap);
}

/* A reader that does not read has a second in its socket, and a second in
 * the relay, which must not go out any more. */
static void nothing_waits_of_the_muted(void **state)
{
	struct prog *b = &w.progs[1];
	unsigned muted, had;

	(void)state;
	two(false);
	assert_int_equal(bus_client_queue_ms(b->c, 2000), 0);
	pass(100);
	had = b->newest;
	bus_client_pause(b->c, true);
	pass(1600);
	assert_string_equal(ask("endpoint.grant", MUTE("'mic'")), "");
	muted = w.progs[0].sent;
	bus_client_pause(b->c, false);
	pass(500);
	assert_true(b->newest > had);
	assert_true(b->newest + 2 < muted);
	assert_true(b->dropped > 0);
}

static void the_removed_is_gone(void **state)
{
	struct prog *a = &w.progs[0];
	unsigned removed;

	(void)state;
	two(true);
	assert_string_equal(ask("endpoint.remove",
		"{'room':'r','endpoint':'e_a'}"), "");
	removed = a->sent;
	wait_until(is_over_0);
	assert_string_equal(a->kind, "denied");
	assert_string_equal(a->message, "removed");
	wait_until(has_end);
	assert_true(w.progs[1].newest <= removed);
	assert_string_equal(ask("endpoint.remove",
		"{'room':'r','endpoint':'e_b'}"), "");
	wait_until(is_over_1);
}

/* ---- requests ---- */

static void key_frames_are_asked_for_in_time(void **state)
{
	struct prog *a = &w.progs[0], *b = &w.progs[1];
	uint64_t began;

	(void)state;
	two(true);
	a->asked = a->answered = 0;
	began = io_now_ns();
	for (unsigned i = 0; i < 60; i++) {
		bus_client_ask_keyframe(b->c, (unsigned)b->in);
		a->sending = i % 2; /* not all are answered with one */
		pass(50);
	}
	assert_true(a->asked >= 2);
	assert_true(a->asked <= (io_now_ns() - began) / NS_PER_S + 1);
	/* As the relay counts; here the loop may be late. */
	assert_true(a->least_ns > 500 * NS_PER_MS);
}

static bool has_again(void) { return w.progs[1].again == 5; }

static void what_was_lost_comes_again(void **state)
{
	struct prog *b = &w.progs[1];
	uint16_t seqs[6];

	(void)state;
	two(true);
	for (unsigned i = 0; i < 5; i++)
		seqs[i] = (uint16_t)(b->last - 10 + 2 * i);
	seqs[5] = (uint16_t)(b->first - 100);
	assert_int_equal(bus_client_ask_lost(b->c, (unsigned)b->in, seqs, 6),
		0);
	wait_until(has_again);
	assert_true(b->repeated_right);
	pass(100);
	assert_int_equal(b->again, 5);
}

/* Of the muted nothing comes, not even again. */
static void nothing_comes_again_of_the_muted(void **state)
{
	struct prog *b = &w.progs[1];
	uint16_t seqs[] = {0, 0, 0};

	(void)state;
	two(false);
	assert_string_equal(ask("endpoint.grant", MUTE("'mic'")), "");
	for (unsigned i = 0; i < 3; i++)
		seqs[i] = (uint16_t)(b->last - i);
	bus_client_ask_lost(b->c, (unsigned)b->in, seqs, 3);
	pass(200);
	assert_int_equal(b->again, 0);
	assert_string_equal(ask("endpoint.grant", MUTE("")), "");
	bus_client_ask_lost(b->c, (unsigned)b->in, seqs, 3);
	pass(200);
	assert_int_equal(b->again, 0);
}

static void a_bus_transport_takes_no_answer(void **state)
{
	(void)state;
	two(false);
	assert_string_equal(ask("transport.answer",
		"{'transport':'t_wa','sdp':'v=0'}"), "not_found");
	assert_string_equal(ask("slot.confirm",
		"{'transport':'t_wa','mid':'0','turn':1}"), "not_found");
	assert_string_equal(ask("slot.confirm",
		"{'transport':'t_wb','mid':'0','turn':1}"), "not_found");
	assert_string_equal(ask("relay.list", "{}"), "");
	assert_int_equal(json_array_size(json_object_get(json_array_get(
		json_object_get(w.result, "rooms"), 0), "endpoints")), 2);
	assert_string_equal(ask("transport.close", "{'transport':'t_wa'}"),
		"");
	wait_until(is_over_0);
	wait_until(has_end);
}

#define T(f) cmocka_unit_test_setup_teardown(f, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_ticket_is_good_once),
		T(a_ticket_does_not_last),
		T(a_ticket_can_be_taken_back),
		T(tracks_come_with_reports),
		T(wishes_end_and_begin_tracks),
		T(what_is_not_granted_is_refused),
		T(nothing_of_the_muted_comes),
		T(nothing_waits_of_the_muted),
		T(the_removed_is_gone),
		T(key_frames_are_asked_for_in_time),
		T(what_was_lost_comes_again),
		T(nothing_comes_again_of_the_muted),
		T(a_bus_transport_takes_no_answer),
	};

	io_ignore_sigpipe();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
