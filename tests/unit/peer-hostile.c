/* Whom a peer does not listen to, and a client that moves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <unistd.h>

#include "peer_priv.h"
#include "peer_call.h"

static const struct peer_line_want two[] = {
	{ PEER_MIC, false }, { PEER_CAM, false },
};

static uint64_t dropped(const struct call *c, enum peer_drop d)
{
	return peer_port_stats(c->server.port)->dropped[d];
}

static union io_addr addr_of(struct peer_port *port)
{
	union io_addr a;

	assert_int_equal(io_addr_parse(&a, "127.0.0.1:0"), 0);
	io_addr_set_port(&a, peer_port_number(port));
	return a;
}

/* A stranger's socket; what it sends to the server's port. */
static int stranger(void)
{
	union io_addr a;
	int fd;

	assert_int_equal(io_addr_parse(&a, "127.0.0.1:0"), 0);
	fd = io_udp_bind(&a);
	assert_true(fd >= 0);
	return fd;
}

static void send_from(struct call *c, int fd, const void *p, size_t n)
{
	union io_addr to = addr_of(c->server.port);

	assert_int_equal(io_udp_send(fd, &to, NULL, p, n, 0), 0);
	call_wait_ms(c, 3);
}

/* How many bytes came back. */
static size_t heard(int fd)
{
	uint8_t p[2048];
	ssize_t n;
	size_t sum = 0;

	while ((n = recv(fd, p, sizeof(p), MSG_DONTWAIT)) > 0)
		sum += (size_t)n;
	return sum;
}

static void strangers_hear_nothing(void **state)
{
	static const uint8_t bare[20] = { 0, 1, 0, 0, 0x21, 0x12, 0xa4,
		0x42 };
	static const uint8_t hello[64] = { 22, 254, 255 };
	static const uint8_t rtp[64] = { 0x80, 111 };
	static const uint8_t rtcp[64] = { 0x80, 200 };
	static const uint8_t other[64] = { 'G', 'E', 'T' };
	struct call c;
	int fd;

	(void)state;
	call_open(&c, "127.0.0.1:0", "127.0.0.1:0");
	call_publish(&c, two, 2);
	fd = stranger();
	for (unsigned i = 0; i < 2; i++) { /* before and in the call */
		send_from(&c, fd, bare, sizeof(bare));
		send_from(&c, fd, hello, sizeof(hello));
		send_from(&c, fd, rtp, sizeof(rtp));
		send_from(&c, fd, rtcp, sizeof(rtcp));
		send_from(&c, fd, other, sizeof(other));
		send_from(&c, fd, "", 1);
		call_connect(&c);
	}
	assert_int_equal(heard(fd), 0);
	assert_int_equal(dropped(&c, PEER_DROP_UNKNOWN), 6);
	assert_int_equal(dropped(&c, PEER_DROP_MALFORMED), 6);
	close(fd);
	call_close(&c);
}

static bool no_stun_in(void *arg, bool out, const uint8_t *p, size_t n)
{
	(void)arg;
	(void)n;
	return out || p[0] > 3;
}

/* DTLS that overtakes the connectivity check is not looked at. */
static void dtls_waits_for_ice(void **state)
{
	struct call c;
	uint8_t hello[100] = { 22, 254, 255 };
	struct path path = { { 4, { 127, 0, 0, 1 }, 1 },
		{ 4, { 127, 0, 0, 1 }, 2 } };

	(void)state;
	call_open(&c, "127.0.0.1:0", "127.0.0.1:0");
	call_publish(&c, two, 2);
	peer_port_filter(c.server.port, no_stun_in, NULL);
	peer_dtls(c.server.peer, &path, hello, sizeof(hello), io_now_ns());
	assert_int_equal(dropped(&c, PEER_DROP_UNVALIDATED), 1);
	assert_null(c.server.peer->dtls);
	peer_port_filter(c.server.port, NULL, NULL);
	call_connect(&c);
	call_close(&c);
}

static void negotiate_changed(struct call *c, bool change_offer,
	const char *from, const char *to)
{
	struct buf offer = { 0 }, answer = { 0 };
	struct buf *sdp = change_offer ? &offer : &answer;
	char why[160] = "";

	assert_int_equal(peer_make_offer(c->client.peer, two, 2, &offer), 0);
	for (unsigned pass = 0; pass < 2; pass++) {
		if ((pass == 0) == change_offer)
			for (char *at = (char *)buf_cstr(sdp);
				(at = strstr(at, from)); at += strlen(to))
				memcpy(at, to, strlen(to));
		if (pass == 0)
			assert_int_equal(peer_accept_offer(c->server.peer,
				(char *)offer.data, offer.len, &answer, why),
				0);
	}
	assert_int_equal(peer_accept_answer(c->client.peer,
		(char *)answer.data, answer.len, why), 0);
	buf_free(&offer);
	buf_free(&answer);
}

/* The fingerprint's first byte as "XX:", and another. */
static void first_byte(struct peer_port *port, char from[20], char to[20])
{
	const char *f = peer_port_fingerprint(port);

	snprintf(from, 20, "sha-256 %.3s", f);
	snprintf(to, 20, "sha-256 %c%c:", f[0] == '0' ? '1' : '0', f[1]);
}

static void a_foreign_certificate_is_refused(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct call c;
		char from[20], to[20];

		call_open(&c, "127.0.0.1:0", "127.0.0.1:0");
		first_byte(i ? c.client.port : c.server.port, from, to);
		negotiate_changed(&c, i, from, to);
		call_wait_for(&c, i ? &c.server.closed : &c.client.closed, 1);
		assert_string_equal(i ? c.server.reason : c.client.reason,
			"fingerprint");
		assert_int_equal(c.server.states + c.client.states, 0);
		assert_int_equal(peer_send_rtp(c.server.peer,
			&(struct peer_rtp){ 0 }), -EINVAL);
		call_close(&c);
	}
}

static void a_wrong_password_never_connects(void **state)
{
	struct call c;

	(void)state;
	call_open(&c, "127.0.0.1:0", "127.0.0.1:0");
	c.server.peer->pwd[0] ^= 1; /* what the answer will say */
	call_publish(&c, two, 2);
	call_wait_ms(&c, 600);
	assert_int_equal(c.server.states + c.client.states, 0);
	assert_true(dropped(&c, PEER_DROP_UNAUTHENTIC) >= 2);
	assert_int_equal(peer_port_stats(c.server.port)->packets_out, 0);
	call_close(&c);
}

/* Sends bytes on the connected path, as the client's socket would. */
static void inject(struct call *c, const uint8_t *p, size_t n)
{
	struct path path;

	assert_int_equal(peer_path(c->client.peer, &path), 0);
	assert_int_equal(port_send(c->client.port, c->client.peer, &path, p,
		n), 0);
}

static bool keep_copy(void *arg, bool out, const uint8_t *p, size_t n)
{
	struct buf *b = arg;

	if (out && p[0] >= 128 && (p[1] & 0x7f) == 111 && b->len == 0)
		buf_put(b, p, n);
	return true;
}

static void forged_and_replayed_media_are_counted(void **state)
{
	struct call c;
	struct buf b = { 0 };

	(void)state;
	call_open(&c, "127.0.0.1:0", "127.0.0.1:0");
	call_publish(&c, two, 2);
	call_connect(&c);
	peer_port_filter(c.client.port, keep_copy, &b);
	call_send_audio(&c.client, 0, 0, 30);
	call_wait_packets(&c, &c.server, 1);
	peer_port_filter(c.client.port, NULL, NULL);
	for (unsigned i = 0; i < 100; i++)
		inject(&c, b.data, b.len);
	for (unsigned i = 0; i < 200; i++) {
		b.data[b.len - 1 - i % 40] ^= (uint8_t)(1 + i);
		b.data[3]++;
		inject(&c, b.data, b.len);
	}
	call_send_audio(&c.client, 0, 1, 30);
	call_wait_packets(&c, &c.server, 2);
	assert_int_equal(c.server.count[0], 2);
	assert_int_equal(dropped(&c, PEER_DROP_REPLAYED), 100);
	assert_int_equal(dropped(&c, PEER_DROP_FORGED), 200);
	assert_int_equal(c.server.closed, 0);
	buf_free(&b);
	call_close(&c);
}

/* An authentic RTP packet that says what we like. */
static void send_rtp_as(struct call *c, uint32_t ssrc, uint8_t pt,
	const char *mid)
{
	uint8_t packet[256], ext[32];
	static uint16_t seq; /* a repeated one would be a replay */
	struct rtp h = { .pt = pt, .seq = ++seq, .ssrc = ssrc };
	struct rtpext_writer w;
	size_t n;

	rtpext_open(&w, ext, sizeof(ext), false);
	if (mid)
		rtpext_put_text(&w, ext_offer[EXT_MID], mid);
	assert_int_equal(rtpext_close(&w, &h), 0);
	n = (size_t)rtp_write(packet, sizeof(packet), &h);
	memset(packet + n, 0, 20);
	n += 20;
	assert_int_equal(srtp_link_protect_rtp(c->client.peer->srtp, packet,
		&n, sizeof(packet)), 0);
	inject(c, packet, n);
	call_wait_ms(c, 3);
}

static void a_stream_stays_what_it_was(void **state)
{
	struct call c;

	(void)state;
	call_open(&c, "127.0.0.1:0", "127.0.0.1:0");
	call_publish(&c, two, 2);
	call_connect(&c);
	send_rtp_as(&c, 0x11111111, PT_OPUS, NULL);
	assert_int_equal(c.server.packets, 0); /* nobody's */
	send_rtp_as(&c, 0x11111111, PT_OPUS, "7");
	assert_int_equal(c.server.packets, 0); /* no such line */
	send_rtp_as(&c, 0x22222222, PT_OPUS, "0");
	assert_int_equal(c.server.count[0], 1);
	/* another line's mid, another line's payload type */
	send_rtp_as(&c, 0x22222222, PT_VP8, "1");
	send_rtp_as(&c, 0x33333333, PT_OPUS, "1");
	send_rtp_as(&c, 0x44444444, 99, "1");
	assert_int_equal(c.server.packets, 1);
	assert_true(dropped(&c, PEER_DROP_UNIDENTIFIED) >= 4);
	call_close(&c);
}

static void ssrcs_are_bounded(void **state)
{
	struct call c;

	(void)state;
	call_open(&c, "127.0.0.1:0", "127.0.0.1:0");
	call_publish(&c, two, 2);
	call_connect(&c);
	call_send_audio(&c.client, 0, 0, 30);
	call_wait_packets(&c, &c.server, 1);
	for (unsigned i = 0; i < 100; i++)
		send_rtp_as(&c, 1000 + i, PT_OPUS, i % 2 ? "0" : NULL);
	assert_int_equal(c.server.peer->n_in, PEER_MAX_SSRCS);
	assert_int_equal(dropped(&c, PEER_DROP_TOO_MANY),
		101 - PEER_MAX_SSRCS);
	/* what was there still works */
	call_send_audio(&c.client, 0, 1, 30);
	call_wait_packets(&c, &c.server, c.server.packets + 1);
	assert_int_equal(c.server.last[0].seq, 65531);
	call_close(&c);
}

static void send_rtcp(struct call *c, const uint8_t *p, size_t n)
{
	uint8_t packet[2048];

	memcpy(packet, p, n);
	assert_int_equal(srtp_link_protect_rtcp(c->client.peer->srtp, packet,
		&n, sizeof(packet)), 0);
	inject(c, packet, n);
	call_wait_ms(c, 3);
}

static void rtcp_lies_do_no_harm(void **state)
{
	/* a NACK that says it is 64 KiB long, an SR without its body, a
	 * FIR with half an entry, and behind a good RR a version that is
	 * not 2 */
	static const uint8_t nack[] = { 0x81, 205, 0xff, 0xff, 0, 0, 0, 1,
		0, 0, 0, 2, 0, 1, 0xff, 0xff };
	static const uint8_t sr[] = { 0x9f, 200, 0, 1, 0, 0, 0, 1 };
	static const uint8_t fir[] = { 0x84, 206, 0, 3, 0, 0, 0, 1,
		0, 0, 0, 0, 0, 0, 0, 9 };
	static const uint8_t v1[] = { 0x80, 201, 0, 1, 0, 0, 0, 1,
		0x41, 200, 0, 1, 0, 0, 0, 1 };
	struct call c;

	(void)state;
	call_open(&c, "127.0.0.1:0", "127.0.0.1:0");
	call_publish(&c, two, 2);
	call_connect(&c);
	send_rtcp(&c, nack, sizeof(nack));
	send_rtcp(&c, sr, sizeof(sr));
	send_rtcp(&c, fir, sizeof(fir));
	send_rtcp(&c, v1, sizeof(v1));
	assert_true(dropped(&c, PEER_DROP_MALFORMED) >= 2);
	assert_int_equal(c.server.closed, 0);
	call_send_audio(&c.client, 0, 0, 30);
	call_wait_packets(&c, &c.server, 1);
	call_close(&c);
}

/* One datagram may ask for much: it gets at most one key frame a line, and
 * NACK_MAX_SEQS packets. */
static void feedback_is_bounded(void **state)
{
	struct call c;
	struct buf b = { 0 };
	uint16_t seqs[200];
	uint32_t ssrc;

	(void)state;
	call_open(&c, "127.0.0.1:0", "127.0.0.1:0");
	call_negotiate(&c.server, &c.client, two, 2);
	call_connect(&c);
	for (unsigned i = 0; i < 500; i++)
		call_send_video(&c.server, 1, i, 100);
	ssrc = peer_line_ssrc(c.server.peer, 1, 0);
	call_wait_packets(&c, &c.client, 500);
	call_wait_ms(&c, 60);
	for (unsigned k = 0; k < 10; k++) {
		for (unsigned i = 0; i < ARRAY_LEN(seqs); i++)
			seqs[i] = (uint16_t)(65530 + (k * 30 + i) % 500);
		rtcp_write_nack(&b, 1, ssrc, seqs, 30);
	}
	for (unsigned i = 0; i < 40; i++)
		rtcp_write_pli(&b, 1, ssrc);
	for (unsigned i = 0; i < 10; i++)
		rtcp_write_fir(&b, 1, ssrc, 5);
	send_rtcp(&c, b.data, b.len);
	call_wait_for(&c, &c.server.keyframes, 1);
	assert_int_equal(c.server.keyframes, 1);
	assert_true(peer_stats(c.server.peer)->nacks_in <= NACK_MAX_SEQS);
	/* the budget of history: a burst, not the whole */
	assert_in_range(peer_stats(c.server.peer)->rtx_out, 1, 250);
	buf_free(&b);
	call_close(&c);
}

/* ---- a client that moves ---- */

struct nat {
	int inside;     /* what the client takes for the server */
	int outside[2]; /* as whom the server sees the client */
	unsigned now;
	union io_addr client;
	union io_addr server;
	struct io_watch *watch[3];
	unsigned lost; /* came to the address that is no more */
};

static void nat_from_client(void *arg, int fd, unsigned events)
{
	struct nat *n = arg;
	uint8_t p[2048];
	socklen_t len = sizeof(n->client);
	ssize_t got;

	(void)events;
	while ((got = recvfrom(fd, p, sizeof(p), MSG_DONTWAIT,
			&n->client.sa, &len)) > 0)
		io_udp_send(n->outside[n->now], &n->server, NULL, p,
			(size_t)got, 0);
}

static void nat_from_server(void *arg, int fd, unsigned events)
{
	struct nat *n = arg;
	uint8_t p[2048];
	ssize_t got;

	(void)events;
	while ((got = recv(fd, p, sizeof(p), MSG_DONTWAIT)) > 0)
		if (fd == n->outside[n->now])
			io_udp_send(n->inside, &n->client, NULL, p,
				(size_t)got, 0);
		else
			n->lost++;
}

static void nat_open(struct call *c, struct nat *n)
{
	*n = (struct nat){ .inside = stranger(),
		.outside = { stranger(), stranger() },
		.server = addr_of(c->server.port) };
	n->watch[0] = io_watch_new(c->loop, n->inside, IO_READ,
		nat_from_client, n);
	for (unsigned i = 0; i < 2; i++)
		n->watch[1 + i] = io_watch_new(c->loop, n->outside[i],
			IO_READ, nat_from_server, n);
}

static void nat_close(struct nat *n)
{
	for (unsigned i = 0; i < 3; i++)
		io_watch_free(n->watch[i]);
	close(n->inside);
	close(n->outside[0]);
	close(n->outside[1]);
}

static void a_client_that_moves_goes_on(void **state)
{
	struct call c;
	struct nat n;
	struct remote r = { 0 };
	union io_addr in;
	unsigned i, before;

	(void)state;
	call_open(&c, "127.0.0.1:0", "127.0.0.1:0");
	nat_open(&c, &n);
	call_subscribe(&c, two, 2);
	/* the client knows the server by the NAT's address only */
	assert_int_equal(io_local_addr(n.inside, &in), 0);
	ice_free(c.client.peer->ice);
	c.client.peer->ice = ice_new(&(struct ice_config){
		.controlling = true, .ufrag = c.client.peer->ufrag,
		.pwd = c.client.peer->pwd, .now_ns = io_now_ns(),
		.seed = { 1, 2, 3 } });
	port_to_ice(&r.cand[0].addr, &c.client.port->announce[0]);
	ice_add_local(c.client.peer->ice, &r.cand[0].addr);
	port_to_ice(&r.cand[0].addr, &in);
	r.n_cands = 1;
	r.cand[0].priority = 1;
	str_copy(r.ufrag, sizeof(r.ufrag), c.server.peer->ufrag);
	str_copy(r.pwd, sizeof(r.pwd), c.server.peer->pwd);
	assert_int_equal(peer_set_remote(c.client.peer, &r), 0);
	call_connect(&c);
	for (i = 0; i < 20; i++) {
		call_send_audio(&c.server, 0, i, 30);
		call_wait_ms(&c, 5);
	}
	call_wait_packets(&c, &c.client, 20);

	n.now = 1;
	before = c.client.packets;
	/* consent is asked at least each 2.4 s; audio is back after it */
	for (; i < 20 + 300; i++) {
		call_send_audio(&c.server, 0, i, 30);
		call_wait_ms(&c, 10);
	}
	assert_true(c.client.packets > before + 30);
	assert_true(n.lost > 0);
	before = n.lost;
	for (; i < 20 + 350; i++)
		call_send_audio(&c.server, 0, i, 30);
	call_wait_ms(&c, 20);
	assert_int_equal(n.lost, before);
	assert_int_equal(c.server.states, 1);
	assert_int_equal(c.server.closed + c.client.closed, 0);
	nat_close(&n);
	call_close(&c);
}

/* A second peer with credentials of its own cannot take a live path. */
static void a_live_path_cannot_be_taken(void **state)
{
	struct call c;
	struct end second = { .port = NULL };
	struct path path;
	struct ice_datagram d;
	struct ice *thief;

	(void)state;
	call_open(&c, "127.0.0.1:0", "127.0.0.1:0");
	call_publish(&c, two, 2);
	call_connect(&c);
	second.port = c.server.port;
	call_peer(&second, PEER_SERVER);
	assert_int_equal(ice_set_remote(second.peer->ice, "evil",
		"0123456789012345678901"), 0);
	thief = ice_new(&(struct ice_config){ .controlling = true,
		.ufrag = "evil", .pwd = "0123456789012345678901",
		.now_ns = io_now_ns(), .seed = { 9 } });
	assert_int_equal(peer_path(c.client.peer, &path), 0);
	ice_set_remote(thief, second.peer->ufrag, second.peer->pwd);
	ice_add_local(thief, &path.local);
	ice_add_remote(thief, &path.remote, 1);
	assert_true(ice_poll(thief, io_now_ns(), &d));
	/* sent with the client's own address, as if spoofed */
	inject(&c, d.data, d.len);
	call_wait_ms(&c, 5);
	assert_int_equal(dropped(&c, PEER_DROP_TOO_MANY), 1);
	call_send_audio(&c.client, 0, 0, 30);
	call_wait_packets(&c, &c.server, 1);
	assert_int_equal(second.packets, 0);
	ice_free(thief);
	peer_free(second.peer);
	call_close(&c);
}

static void ports_and_offers_have_rules(void **state)
{
	struct call c;
	struct buf b = { 0 };
	char why[160] = "";
	int fds[2] = { stranger(), stranger() };
	struct peer_line_want many[PEER_MAX_LINES + 1] = { 0 };

	(void)state;
	call_open(&c, "127.0.0.1:0", "127.0.0.1:0");
	assert_null(peer_port_new(c.loop, &(struct peer_port_config){
		.fds = fds, .n_fds = 2 })); /* twice IPv4; they are closed */
	assert_int_equal(errno, EINVAL);
	assert_int_equal(close(fds[0]), -1);
	assert_int_equal(peer_make_offer(c.client.peer, many, 0, &b), -EINVAL);
	assert_int_equal(peer_make_offer(c.client.peer, many,
		PEER_MAX_LINES + 1, &b), -EINVAL);
	assert_int_equal(peer_accept_answer(c.client.peer, "v=0", 3, why),
		-EBUSY);
	assert_int_equal(peer_accept_offer(c.server.peer, "v=0", 3, &b, why),
		-EINVAL);
	assert_true(why[0] != '\0');
	assert_int_equal(b.len, 0);
	assert_int_equal(peer_make_offer(c.client.peer, two, 2, &b), 0);
	assert_int_equal(peer_make_offer(c.client.peer, two, 2, &b), -EBUSY);
	assert_int_equal(peer_lines(c.client.peer), 2);
	assert_false(peer_line(c.client.peer, 1)->active);
	assert_null(peer_line(c.client.peer, 2));
	buf_free(&b);
	call_close(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(strangers_hear_nothing),
		cmocka_unit_test(dtls_waits_for_ice),
		cmocka_unit_test(a_foreign_certificate_is_refused),
		cmocka_unit_test(a_wrong_password_never_connects),
		cmocka_unit_test(forged_and_replayed_media_are_counted),
		cmocka_unit_test(a_stream_stays_what_it_was),
		cmocka_unit_test(ssrcs_are_bounded),
		cmocka_unit_test(rtcp_lies_do_no_harm),
		cmocka_unit_test(feedback_is_bounded),
		cmocka_unit_test(a_client_that_moves_goes_on),
		cmocka_unit_test(a_live_path_cannot_be_taken),
		cmocka_unit_test(ports_and_offers_have_rules),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
