/* attack-media - what can be done to the media of a call with its address,
 * or by one of those who take part: peer-attack-media WHAT NUMBER... prints
 * figures, a name and a value on each line.
 *   forged COUNT RATE SEED  packets with a victim's address, and bad tags
 *   replay MS SEED          each tenth packet again, at once and later
 *   wrap PACKETS SEED       5 % lost, 64 packets in any order, from 65000 on
 *   ssrc SEED               another's SSRC, and one that nobody announced
 *   deaf RECEIVERS MS SEED  receivers who read nothing more */
#include "attack_world.h"

static struct rng rng;

static int socket_of(const struct person *e)
{
	return e->port->sock[0].fd;
}

static void say_lost(const struct person *sub, const struct person *pub,
	const struct mark m[2])
{
	figure("lost_audio", lost_since(sub, pub, AUDIO, m[AUDIO]));
	figure("lost_video", lost_since(sub, pub, VIDEO, m[VIDEO]));
	figure("closed", pub->closed + sub->closed);
	figure("foreign", sub->foreign);
}

/* ---- bad tags ---- */

struct forgery {
	const struct world *w;
	const struct person *victim;
	uint64_t count, rate;
};

static size_t forge(const struct person *victim, uint8_t *p)
{
	unsigned line = (unsigned)rng_below(&rng, 2);
	size_t n = 40 + rng_below(&rng, 1000);

	rng_bytes(&rng, p, n);
	p[0] = 0x80;
	p[1] = line == AUDIO ? PT_OPUS : PT_VP8;
	/* Ahead of his: behind it, it would be refused as too old. */
	be16_put(p + 2, (uint16_t)(victim->seq[line] + 3000 +
		rng_below(&rng, 20000)));
	be32_put(p + 8, rng_below(&rng, 8) ?
		peer_line_ssrc(victim->peer, line, 0) : rng_u32(&rng));
	if (rng_below(&rng, 8) == 0) { /* SRTCP */
		p[1] = (uint8_t)(200 + rng_below(&rng, 7));
		be16_put(p + 2, (uint16_t)(n / 4 - 1));
		be32_put(p + 4, peer_line_ssrc(victim->peer, line, 0));
	}
	return n;
}

static uint64_t send_forged(void *arg)
{
	const struct forgery *f = arg;
	uint64_t begun = io_now_ns();
	uint8_t p[1100];

	for (uint64_t i = 0; i < f->count; i++) {
		(void)io_udp_send(socket_of(f->victim), &f->w->addr, NULL, p,
			forge(f->victim, p), 0);
		if (i % 20 == 19)
			pace(begun, i, f->rate);
	}
	return f->count * 1000 / ((io_now_ns() - begun) / NS_PER_MS + 1);
}

static void attack_forged(struct world *w, uint64_t count, uint64_t rate)
{
	struct forgery f = { .w = w, .count = count, .rate = rate };
	struct person *pub, *sub;
	struct stranger s;
	struct mark m[2];

	world_call(w, &pub, &sub);
	m[AUDIO] = mark_of(sub, pub, AUDIO);
	m[VIDEO] = mark_of(sub, pub, VIDEO);
	f.victim = pub;
	s = stranger_start(send_forged, &f);
	while (!stranger_is_done(&s))
		world_run(w, 100);
	figure("rate", (double)stranger_end(&s));
	world_run(w, 300);
	figure("forged", world_stat(w, "dropped.forged"));
	figure("replayed", world_stat(w, "dropped.replayed"));
	figure("malformed", world_stat(w, "dropped.malformed"));
	figure("late", world_stat(w, "dropped.late"));
	say_lost(sub, pub, m);
}

/* ---- what was sent before ---- */

#define KEPT 512u

struct packet {
	size_t n;
	uint8_t data[1500];
};

struct recorder {
	struct packet kept[KEPT];
	unsigned n, seen;
};

static bool record(void *arg, bool out, const uint8_t *p, size_t n)
{
	struct recorder *r = arg;

	if (out && demux(p, n) >= DEMUX_RTP && r->seen++ % 10 == 0 &&
	    r->n < KEPT) {
		memcpy(r->kept[r->n].data, p, n);
		r->kept[r->n++].n = n;
	}
	return true;
}

static unsigned send_again(const struct world *w, int fd,
	const struct recorder *r, unsigned from)
{
	for (unsigned i = from; i < r->n; i++)
		(void)io_udp_send(fd, &w->addr, NULL, r->kept[i].data,
			r->kept[i].n, 0);
	return r->n - from;
}

static void attack_replay(struct world *w, uint64_t ms)
{
	static struct recorder r;
	struct person *pub, *sub;
	struct mark m[2];
	double again = 0, before;
	unsigned from;
	int fd = stranger_socket();

	world_call(w, &pub, &sub);
	m[AUDIO] = mark_of(sub, pub, AUDIO);
	m[VIDEO] = mark_of(sub, pub, VIDEO);
	before = world_stat(w, "dropped.unknown");
	peer_port_filter(pub->port, record, &r);
	for (uint64_t at = 0; at < ms; at += 20) {
		from = r.n;
		world_run(w, 20);
		again += send_again(w, socket_of(pub), &r, from);
	}
	peer_port_filter(pub->port, NULL, NULL);
	pub->talks = false;
	for (unsigned i = 0; i < 3; i++) { /* all of them, out of the window */
		world_run(w, 100);
		again += send_again(w, socket_of(pub), &r, 0);
		(void)send_again(w, fd, &r, 0);
	}
	world_run(w, 300);
	figure("again", again);
	figure("replayed", world_stat(w, "dropped.replayed"));
	figure("from_a_stranger", world_stat(w, "dropped.unknown") - before);
	figure("accepted", (double)sub->heard[0].twice +
		sub->heard[1].twice + MAX(0, world_stat(w, "rtp_in") -
		pub->sent[AUDIO] - pub->sent[VIDEO]));
	say_lost(sub, pub, m);
}

/* ---- sequence numbers that wrap ---- */

#define WINDOW 64u

struct shuffle {
	struct world *w;
	const struct person *pub;
	struct packet held[WINDOW];
	unsigned n;
	uint64_t lost, went;
	bool honest;
};

static void pour(struct shuffle *s)
{
	for (unsigned i = s->n; i > 1; i--) {
		unsigned k = (unsigned)rng_below(&s->w->rng, i);
		static struct packet t;

		t = s->held[i - 1];
		s->held[i - 1] = s->held[k];
		s->held[k] = t;
	}
	for (unsigned i = 0; i < s->n; i++) {
		if (rng_below(&s->w->rng, 20) == 0) {
			s->lost++;
			continue;
		}
		s->went++;
		(void)io_udp_send(socket_of(s->pub), &s->w->addr, NULL,
			s->held[i].data, s->held[i].n, 0);
	}
	s->n = 0;
}

static bool hold(void *arg, bool out, const uint8_t *p, size_t n)
{
	struct shuffle *s = arg;

	if (!out || demux(p, n) != DEMUX_RTP)
		return true;
	memcpy(s->held[s->n].data, p, n);
	s->held[s->n++].n = n;
	if (s->n == WINDOW)
		pour(s);
	return false;
}

struct behind {
	const struct person *sub;
	unsigned packets;
};

static bool caught_up(void *arg)
{
	const struct behind *b = arg;

	return b->sub->packets >= b->packets;
}

/* So many packets of sound, as fast as they are heard. */
static void rush(struct world *w, struct person *pub,
	const struct person *sub, uint64_t packets)
{
	uint32_t ts = 1000000;

	for (uint64_t sent = 0; sent < packets; sent += WINDOW) {
		/* Few are left behind: the relay drops what is too old. */
		struct behind b = { sub, sub->packets + WINDOW / 2 };
		for (unsigned i = 0; i < WINDOW; i++, ts += 960)
			person_send(pub, AUDIO, false, 0, ts);
		w->until = caught_up;
		w->until_arg = &b;
		world_run(w, 100);
		w->until = NULL;
	}
}

static void attack_wrap(struct world *w, uint64_t packets)
{
	static struct shuffle s;
	struct person *pub = person_new(w, true), *sub, *late;
	uint32_t before;

	pub->seq[AUDIO] = 65000;
	person_publish(pub);
	world_until(w, person_is_up, pub);
	sub = world_join(w, false);
	s = (struct shuffle){ .w = w, .pub = pub };
	peer_port_filter(pub->port, hold, &s);
	rush(w, pub, sub, packets);
	peer_port_filter(pub->port, NULL, NULL);
	world_run(w, 300);
	figure("wraps", (double)((65000 + pub->sent[AUDIO]) / 65536));
	figure("went", (double)s.went);
	figure("lost", (double)s.lost);
	figure("taken", world_stat(w, "rtp_in"));
	figure("heard", sub->heard[AUDIO].got);
	late = world_join(w, false);
	before = pub->sent[AUDIO];
	pub->talks = true;
	world_run(w, 1000);
	pub->talks = false;
	world_run(w, 300);
	figure("late_sent", pub->sent[AUDIO] - before);
	figure("late_heard", late->heard[AUDIO].got);
	figure("undecryptable", world_stat(w, "dropped.forged") +
		world_stat(w, "dropped.replayed") +
		(double)peer_port_stats(sub->port)->dropped[PEER_DROP_FORGED] +
		(double)peer_port_stats(late->port)->dropped[PEER_DROP_FORGED]);
	figure("foreign", sub->foreign + late->foreign);
	figure("closed", pub->closed + sub->closed + late->closed);
}

/* ---- whose stream it is ---- */

/* One of his packets as if it came under this SSRC. */
static void send_as(struct person *e, uint32_t ssrc, unsigned kind,
	bool with_mid)
{
	uint8_t p[1500], ext[32];
	struct rtp h = { .pt = kind == AUDIO ? PT_OPUS : PT_VP8,
		.seq = e->seq[kind]++, .ts = e->frames++ * 960,
		.ssrc = ssrc };
	struct rtpext_writer wr;
	size_t n;

	rtpext_open(&wr, ext, sizeof(ext), false);
	rtpext_put_level(&wr, ext_offer[EXT_LEVEL], 10, true);
	if (with_mid)
		rtpext_put_text(&wr, ext_offer[EXT_MID],
			kind == AUDIO ? "0" : "1");
	rtpext_close(&wr, &h);
	n = (size_t)rtp_write(p, sizeof(p), &h);
	n += person_payload(e, kind, e->sent[kind] % 8 == 0, true, p + n,
		kind == AUDIO ? AUDIO_BYTES : 400);
	if (srtp_link_protect_rtp(e->peer->srtp, p, &n, sizeof(p)))
		give_up("a packet", "cannot be protected");
	(void)io_udp_send(socket_of(e), &e->w->addr, NULL, p, n, 0);
}

static void attack_ssrc(struct world *w)
{
	struct person *pub, *sub, *evil;
	struct mark m[2];
	uint32_t theirs[2];

	world_call(w, &pub, &sub);
	evil = world_join(w, true);
	evil->talks = false;
	m[AUDIO] = mark_of(sub, pub, AUDIO);
	m[VIDEO] = mark_of(sub, pub, VIDEO);
	for (unsigned i = 0; i < 2; i++)
		theirs[i] = peer_line_ssrc(pub->peer, i, 0);
	/* One that he has not announced, and that says no line. */
	for (unsigned i = 0; i < 300; i++) {
		send_as(evil, 0x01020304 + i % 3, i % 2, false);
		if (i % 10 == 9)
			world_run(w, 20);
	}
	figure("unannounced", (double)sub->heard[evil->number * 2].got +
		sub->heard[evil->number * 2 + 1].got);
	/* The victim's own: now he is heard as himself, and so is he. */
	for (unsigned i = 0; i < 300; i++) {
		send_as(evil, theirs[i % 2], i % 2, true);
		if (i % 10 == 9)
			world_run(w, 20);
	}
	world_run(w, 300);
	figure("as_himself", (double)sub->heard[evil->number * 2].got +
		sub->heard[evil->number * 2 + 1].got);
	figure("twice", (double)sub->heard[pub->number * 2].twice +
		sub->heard[pub->number * 2 + 1].twice);
	say_lost(sub, pub, m);
}

/* ---- readers who do not read ---- */

static double rss_kib(const struct world *w)
{
	char path[40];
	unsigned long pages = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/statm", (int)w->relay);
	f = fopen(path, "r");
	if (!f || fscanf(f, "%*u %lu", &pages) != 1)
		give_up("memory", "cannot be read");
	fclose(f);
	return (double)pages * (double)sysconf(_SC_PAGESIZE) / 1024;
}

/* They are there, and their sockets take what the kernel lets them. */
static void attack_deaf(struct world *w, uint64_t n, uint64_t ms)
{
	struct person *pub, *sub, *deaf;
	struct mark m[2];
	double before, heard = 0;

	world_call(w, &pub, &sub);
	for (uint64_t i = 0; i < n; i++) {
		deaf = world_join(w, false);
		io_watch_set(deaf->port->sock[0].watch, 0);
	}
	world_run(w, 2000); /* what they need anyway has grown */
	for (unsigned i = 2; i < w->n; i++)
		heard += w->people[i]->packets;
	m[AUDIO] = mark_of(sub, pub, AUDIO);
	m[VIDEO] = mark_of(sub, pub, VIDEO);
	before = rss_kib(w);
	world_run(w, ms);
	for (unsigned i = 2; i < w->n; i++)
		heard -= w->people[i]->packets;
	figure("heard_by_them", -heard);
	figure("rss_growth_kib", rss_kib(w) - before);
	say_lost(sub, pub, m);
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	uint64_t n = number_arg(argc, argv, 2), seed;
	struct world w;

	seed = number_arg(argc, argv, argc - 1);
	rng_seed(&rng, seed);
	world_open(&w, seed);
	if (str_eq(what, "forged"))
		attack_forged(&w, n, number_arg(argc, argv, 3));
	else if (str_eq(what, "replay"))
		attack_replay(&w, n);
	else if (str_eq(what, "wrap"))
		attack_wrap(&w, n);
	else if (str_eq(what, "ssrc"))
		attack_ssrc(&w);
	else if (str_eq(what, "deaf"))
		attack_deaf(&w, n, number_arg(argc, argv, 3));
	else
		give_up(what, "no such attack");
	world_close(&w);
	return 0;
}
