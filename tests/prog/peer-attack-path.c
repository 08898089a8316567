/* attack-path - what somebody without keys can do to a relay that carries a
 * call: peer-attack-path WHAT NUMBER... prints figures, a name and a value
 * on each line.
 *   stun COUNT SEED         requests without a right to an answer
 *   race CALLS HELLOS SEED  ClientHellos during the setup of calls
 *   bleed COUNT SEED        RTP and RTCP of others, all through a call
 *   cert SEED               who shows another certificate than announced */
#include <openssl/ssl.h>

#include "attack_world.h"
#include "hmac.h"

/* ---- STUN ---- */

#define STUN_KINDS 12u

static struct rng rng;

/* Lies in the fields that say how long something is. */
static void lie(struct buf *b, unsigned kind)
{
	uint8_t *p = b->data;
	size_t user = 20; /* USERNAME is the first attribute */

	switch (kind) {
	case 4: /* the attribute reaches past the end */
		be16_put(p + user + 2, 0xffff);
		break;
	case 5: /* by one */
		be16_put(p + user + 2, (uint16_t)(b->len - 20 - 4 + 1));
		break;
	case 6: /* USERNAME is the rest of the message, without a NUL */
		be16_put(p + user + 2, (uint16_t)(b->len - 20 - 4));
		break;
	case 7: /* empty */
		be16_put(p + user + 2, 0);
		break;
	case 8: /* the message is longer, then shorter than it says */
		be16_put(p + 2, (uint16_t)(be16(p + 2) + 4));
		break;
	case 9:
		be16_put(p + 2, (uint16_t)(be16(p + 2) - 4));
		break;
	case 10: /* cut in the last attribute's header */
		b->len -= 6;
		be16_put(p + 2, (uint16_t)(b->len - 20));
		break;
	default:
		break;
	}
}

static void stun_of(struct buf *b, const char *user, unsigned kind)
{
	uint8_t tid[STUN_TID_BYTES], mac[SHA1_BYTES];
	size_t at;

	buf_clear(b);
	rng_bytes(&rng, tid, sizeof(tid));
	stun_begin(b, STUN_REQUEST, STUN_BINDING, tid);
	if (kind == 0)
		return; /* the bare 20 bytes */
	if (kind == 1)
		user = "zzzzzzzz:yyyyyyyy";
	stun_put_username(b, user, strlen(user));
	if (kind != 2) {
		stun_put_controlling(b, rng_u64(&rng));
		stun_put_use_candidate(b);
		stun_put_priority(b, 1);
	}
	at = kind == 3 ? 0 : stun_put_integrity(b);
	if (at && !hmac_sha1("not the password", 16, b->data, at - 4, NULL, 0,
		    mac))
		memcpy(b->data + at, mac, sizeof(mac));
	if (kind != 11)
		stun_put_fingerprint(b);
	lie(b, kind);
}

static void attack_stun(struct world *w, uint64_t count)
{
	struct person *pub, *sub;
	struct mark m[2];
	struct buf b = { 0 };
	char user[80];
	uint64_t in = 0, before;
	int fd = stranger_socket();

	world_call(w, &pub, &sub);
	/* Both ufrags are known to him: they stand in what he has seen. */
	snprintf(user, sizeof(user), "%s:%s", sub->relay_ufrag,
		sub->peer->ufrag);
	m[AUDIO] = mark_of(sub, pub, AUDIO);
	m[VIDEO] = mark_of(sub, pub, VIDEO);
	before = ice_stats(sub->peer->ice)->unexpected;
	for (uint64_t i = 0; i < count; i++) {
		stun_of(&b, user, (unsigned)(i % STUN_KINDS));
		/* As himself, and with a victim's address on it. */
		(void)io_udp_send(i / STUN_KINDS % 2 ?
			sub->port->sock[0].fd : fd, &w->addr, NULL, b.data,
			b.len, 0);
		in += b.len;
		if (i % 32 == 31)
			world_run(w, 2);
	}
	world_run(w, 500);
	figure("bytes_in", (double)in);
	figure("bytes_out", (double)bytes_heard(fd));
	figure("victim_answers", (double)
		(ice_stats(sub->peer->ice)->unexpected - before));
	figure("lost_audio", lost_since(sub, pub, AUDIO, m[AUDIO]));
	figure("lost_video", lost_since(sub, pub, VIDEO, m[VIDEO]));
	figure("closed", pub->closed + sub->closed);
	figure("refused", world_stat(w, "dropped.malformed") +
		world_stat(w, "dropped.unknown") +
		world_stat(w, "dropped.unauthentic"));
	buf_free(&b);
	close(fd);
}

/* ---- ClientHellos ---- */

/* The one cipher suite is TLS_NULL_WITH_NULL_NULL. */
static size_t null_hello(uint8_t *p)
{
	static const uint8_t head[] = { 22, 254, 253, 0, 0, 0, 0, 0, 0, 0, 0,
		0, 53, 1, 0, 0, 41, 0, 0, 0, 0, 0, 0, 0, 41, 254, 253 };
	static const uint8_t tail[] = { 0, 0, 0, 2, 0, 0, 1, 0 };

	memcpy(p, head, sizeof(head));
	rng_bytes(&rng, p + sizeof(head), 32);
	memcpy(p + sizeof(head) + 32, tail, sizeof(tail) - 1);
	return sizeof(head) + 32 + sizeof(tail) - 1;
}

struct hellos {
	union io_addr to;
	uint64_t count;
	int begun; /* a byte is written when they come */
};

static uint64_t send_hellos(void *arg)
{
	const struct hellos *h = arg;
	uint8_t p[128];
	int fd = stranger_socket();

	for (uint64_t i = 0; i < h->count; i++) {
		(void)io_udp_send(fd, &h->to, NULL, p, null_hello(p), 0);
		if (i == 31)
			(void)!write(h->begun, "", 1);
		if (i % 32 == 31)
			usleep(500);
	}
	if (h->count < 32)
		(void)!write(h->begun, "", 1);
	return bytes_heard(fd);
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Connects, then is gone; ms to be connected, or -1. */
static double one_setup(struct world *w)
{
	struct person *e = person_new(w, w->n % 2 == 1);
	uint64_t begun = io_now_ns();
	double ms;

	if (e->publish)
		person_publish(e);
	else
		person_subscribe(e);
	world_until(w, person_is_up, e);
	ms = e->states ? (double)(io_now_ns() - begun) / 1e6 : -1;
	peer_free(e->peer);
	peer_port_free(e->port);
	e->peer = NULL;
	e->port = NULL;
	return ms;
}

/* How many came up; the 95th percentile of their times. The hellos go to. */
static unsigned setups(struct world *w, unsigned calls, uint64_t hellos,
	const union io_addr *to, double *p95, uint64_t *answers)
{
	double ms[MAX_PEOPLE];
	unsigned up = 0;

	for (unsigned i = 0; i < calls; i++) {
		struct hellos h = { *to, hellos, -1 };
		struct stranger s;
		int begun[2];
		char byte;

		if (pipe(begun))
			give_up("a pipe", strerror(errno));
		h.begun = begun[1];
		s = stranger_start(send_hellos, &h);
		close(begun[1]);
		(void)!read(begun[0], &byte, 1);
		close(begun[0]);
		ms[up] = one_setup(w);
		up += ms[up] >= 0;
		*answers += stranger_end(&s);
	}
	qsort(ms, up, sizeof(*ms), by_value);
	*p95 = up ? ms[(up - 1) * 95 / 100] : -1;
	return up;
}

/* The quiet run is one in which as much is sent, past the relay: what is
 * measured is what the relay makes of it, not what the sender costs. */
static void attack_race(struct world *w, uint64_t calls, uint64_t hellos)
{
	int sink = stranger_socket();
	union io_addr past;
	uint64_t answers = 0;
	double p95;
	unsigned up;

	if (calls < 1 || calls > 120 || io_local_addr(sink, &past))
		give_up("race", "1 to 120 calls");
	(void)one_setup(w); /* tells the port */
	up = setups(w, (unsigned)calls, hellos, &past, &p95, &answers);
	figure("quiet_up", up);
	figure("quiet_p95_ms", p95);
	up = setups(w, (unsigned)calls, hellos, &w->addr, &p95, &answers);
	figure("up", up);
	figure("p95_ms", p95);
	figure("answers", (double)answers);
	figure("hellos", world_stat(w, "dropped.unknown"));
	close(sink);
}

/* ---- RTP of others ---- */

struct spray {
	const struct world *w;
	uint64_t count;
	uint32_t ssrc[2];
	const struct person *pub, *sub; /* as they are before the call */
};

/* What is true of the victim's stream but the keys: SSRC, payload type. */
static size_t foreign_rtp(const struct spray *s, uint64_t i, uint8_t *p)
{
	static const uint8_t words[][4] = { { 0x80, 200, 0, 0 },
		{ 0x80, 203, 0, 0 }, { 0x81, 206, 0, 0 } };

	if (i % 4 == 3) { /* RTCP of four bytes */
		memcpy(p, words[i / 4 % 3], 4);
		return 4;
	}
	rng_bytes(&rng, p, 200);
	p[0] = 0x80;
	p[1] = i % 4 == 0 ? PT_OPUS : i % 4 == 1 ? PT_VP8 : 200;
	be16_put(p + 2, (uint16_t)i);
	be32_put(p + 8, s->ssrc[i % 2]);
	return 200;
}

static uint64_t send_spray(void *arg)
{
	const struct spray *s = arg;
	uint64_t begun = io_now_ns(), heard = 0;
	union io_addr to[3] = { s->w->addr, s->pub->port->sock[0].bound,
		s->sub->port->sock[0].bound };
	int fd[2] = { stranger_socket(), stranger_socket() };
	uint8_t p[200];

	for (uint64_t i = 0; i < s->count; i++) {
		(void)io_udp_send(fd[i % 2], &to[i % 8 < 6 ? 0 : i % 8 - 5],
			NULL, p, foreign_rtp(s, i, p), 0);
		if (i % 32 == 31)
			pace(begun, i, 5000);
	}
	for (unsigned i = 0; i < 2; i++)
		heard += bytes_heard(fd[i]);
	return heard;
}

static void connect_both(struct world *w, struct person *pub,
	struct person *sub)
{
	world_until(w, person_is_up, pub);
	person_subscribe(sub);
	world_until(w, person_is_up, sub);
	if (!pub->states || !sub->states)
		give_up("a call", "not set up");
	pub->talks = true;
}

static void attack_bleed(struct world *w, uint64_t count)
{
	struct spray s = { .w = w, .count = count };
	struct person *pub = person_new(w, true), *sub = person_new(w, false);
	struct stranger st;
	unsigned sent;

	person_publish(pub);
	s.pub = pub;
	s.sub = sub;
	for (unsigned i = 0; i < 2; i++)
		s.ssrc[i] = peer_line_ssrc(pub->peer, i, 0);
	st = stranger_start(send_spray, &s);
	connect_both(w, pub, sub);
	while (!stranger_is_done(&st))
		world_run(w, 100);
	figure("bled", (double)stranger_end(&st));
	pub->talks = false;
	world_run(w, 500);
	sent = pub->sent[AUDIO] + pub->sent[VIDEO];
	figure("sent", sent);
	figure("got", sub->packets);
	figure("injected", sub->foreign + MAX(0,
		world_stat(w, "rtp_in") - (double)sent));
	figure("at_clients", (double)
		(peer_port_stats(pub->port)->dropped[PEER_DROP_UNKNOWN] +
		peer_port_stats(sub->port)->dropped[PEER_DROP_UNKNOWN]));
	figure("refused", world_stat(w, "dropped.unknown") +
		world_stat(w, "dropped.malformed"));
	figure("closed", pub->closed + sub->closed);
}

/* ---- certificates ---- */

static int no_certificate(SSL *ssl, void *arg)
{
	(void)arg;
	SSL_certs_clear(ssl);
	return 1;
}

/* Each writes into an offer that is n bytes and has room for 200 more. */
static void change_hash(char *offer)
{
	char *at = strstr(offer, "a=fingerprint:sha-256 ");

	for (; at; at = strstr(at + 1, "a=fingerprint:sha-256 "))
		at[22] = at[22] == '0' ? '1' : '0';
}

static void put_line(char *offer, const char *line)
{
	char *at = strstr(offer, "a=fingerprint:");

	for (; at; at = strstr(at + strlen(line) + 1, "a=fingerprint:")) {
		memmove(at + strlen(line), at, strlen(at) + 1);
		memcpy(at, line, strlen(line));
	}
}

/* A hash that would fit, were it looked at: SHA-1 of the certificate. */
static void weak_hash(const struct person *e, char *offer, bool alone)
{
	SSL_CTX *ctx = *(SSL_CTX **)(void *)e->port->dtls;
	uint8_t hash[20];
	char line[100] = "a=fingerprint:sha-1 ";
	unsigned n = 0;

	X509_digest(SSL_CTX_get0_certificate(ctx), EVP_sha1(), hash, &n);
	for (unsigned i = 0; i < n; i++)
		snprintf(line + 20 + 3 * i, 6, "%02X%s", hash[i],
			i + 1 < n ? ":" : "\r\n");
	change_hash(offer);
	put_line(offer, line);
	/* Then the strong one is taken out. */
	for (char *at = offer; alone &&
		(at = strstr(at, "a=fingerprint:sha-256"));) {
		char *end = strstr(at, "\n") + 1;
		memmove(at, end, strlen(end) + 1);
	}
}

static void two_hashes(char *offer)
{
	static const char other[] = "a=fingerprint:sha-256 "
		"00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:"
		"00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF\r\n";

	change_hash(offer);
	put_line(offer, other);
}

enum shown { OTHER, NONE, TWO, WEAK, WEAK_ALONE, CERTS };

static bool person_is_gone(void *arg)
{
	return ((const struct person *)arg)->closed;
}

/* 1 if he is let in, 0 if not. Whatever he takes for connected, he sends. */
static double try_cert(struct world *w, enum shown kind)
{
	struct person *e = person_new(w, true);
	struct buf offer = { 0 };
	char text[16384], refused[32];
	json_t *answer;
	double before = world_stat(w, "rtp_in");

	if (peer_make_offer(e->peer, mic_and_cam, 2, &offer) ||
	    offer.len > sizeof(text) / 2)
		give_up("an offer", "cannot be made");
	memcpy(text, buf_cstr(&offer), offer.len + 1);
	buf_free(&offer);
	if (kind == OTHER)
		change_hash(text);
	else if (kind == TWO)
		two_hashes(text);
	else if (kind == NONE)
		SSL_CTX_set_cert_cb(*(SSL_CTX **)(void *)e->port->dtls,
			no_certificate, NULL);
	else
		weak_hash(e, text, kind == WEAK_ALONE);
	answer = person_offer(e, text, refused);
	if (!answer)
		return 0;
	person_take(e, answer);
	e->talks = true;
	(void)world_until(w, person_is_gone, e);
	e->talks = false;
	return world_stat(w, "rtp_in") > before || !e->closed;
}

static void attack_cert(struct world *w)
{
	static const char *const names[CERTS] = { "other", "none", "two",
		"weak", "weak_alone" };
	struct person *pub, *sub;
	double accepted = 0;
	unsigned heard;

	world_call(w, &pub, &sub);
	for (unsigned i = 0; i < CERTS; i++) {
		double in;

		pub->talks = false;
		world_run(w, 300);
		heard = sub->packets;
		in = try_cert(w, (enum shown)i);
		figure(names[i], in);
		accepted += in + (sub->packets - heard);
	}
	figure("accepted", accepted);
	figure("closed", pub->closed + sub->closed);
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	uint64_t n = number_arg(argc, argv, 2), seed;
	struct world w;

	seed = number_arg(argc, argv, argc - 1);
	rng_seed(&rng, seed);
	world_open(&w, seed);
	if (str_eq(what, "stun"))
		attack_stun(&w, n);
	else if (str_eq(what, "race"))
		attack_race(&w, n, number_arg(argc, argv, 3));
	else if (str_eq(what, "bleed"))
		attack_bleed(&w, n);
	else if (str_eq(what, "cert"))
		attack_cert(&w);
	else
		give_up(what, "no such attack");
	world_close(&w);
	return 0;
}
