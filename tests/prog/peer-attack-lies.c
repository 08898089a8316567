/* attack-lies - packets that lie about themselves, from one who takes part
 * and so has keys, while others talk: peer-attack-lies WHAT ARGUMENT...
 * prints figures, a name and a value on each line.
 *   list ROUNDS SEED          lies made for each field
 *   corpus DIR CHANGED SEED   each file below DIR/..., as whatever it could
 *                             be, and that often with bits turned */
#include <dirent.h>

#include "attack_world.h"

static struct rng rng;
static struct person *evil, *reader; /* one who sends, one who hears */
static uint64_t packets;

static void put_raw(const struct person *e, const uint8_t *p, size_t n)
{
	(void)io_udp_send(e->port->sock[0].fd, &e->w->addr, NULL, p, n, 0);
	if (++packets % 16 == 0)
		world_run(e->w, 2);
}

/* Authentic if SRTP takes it at all, else as it is. */
static void put_rtp(const struct person *e, const uint8_t *p, size_t n)
{
	uint8_t q[2100];
	size_t len = MIN(n, 2000);

	memcpy(q, p, len);
	if (e->peer && e->peer->srtp)
		(void)srtp_link_protect_rtp(e->peer->srtp, q, &len,
			sizeof(q));
	put_raw(e, q, len);
}

static void put_rtcp(const struct person *e, const uint8_t *p, size_t n)
{
	uint8_t q[2100];
	size_t len = MIN(n, 2000);

	memcpy(q, p, len);
	if (e->peer && e->peer->srtp)
		(void)srtp_link_protect_rtcp(e->peer->srtp, q, &len,
			sizeof(q));
	put_raw(e, q, len);
}

/* ---- RTP ---- */

static uint16_t seq;

/* A header that is right: of line kind, with its mid. */
static size_t head_of(unsigned kind, uint8_t *p, uint8_t csrcs)
{
	static const uint8_t csrc[15 * 4] = { 1, 2, 3, 4 };
	uint8_t ext[32];
	struct rtp h = { .pt = kind == AUDIO ? PT_OPUS : PT_VP8, .seq = seq++,
		.ts = seq * 960u, .ssrc = 0x51000000 + kind,
		.csrc_count = csrcs, .csrc = csrc };
	struct rtpext_writer w;

	rtpext_open(&w, ext, sizeof(ext), false);
	rtpext_put_text(&w, ext_offer[EXT_MID], kind == AUDIO ? "0" : "1");
	rtpext_put_level(&w, ext_offer[EXT_LEVEL], 5, true);
	rtpext_close(&w, &h);
	return (size_t)rtp_write(p, 512, &h);
}

enum { EXT_PAST_END, EXT_HUGE, ELEMENT_PAST_END, ELEMENT_15, TWO_BYTE_LIE,
	PADDING_ALL, PADDING_MORE, PADDING_ZERO, CSRC_15, CSRC_CUT, NO_PAYLOAD,
	OVERSIZE, VP8_CUT, VP8_NO_START, VP8_EXT, VP8_ZERO_SIZE, RTX_SHORT,
	RTX_EMPTY, CUT_12, LEVEL_LONG, RTP_LIES };

/* The payload behind it is honest where nothing is said. */
static void rtp_lie(unsigned lie)
{
	static const uint8_t vp8[][8] = {
		[VP8_CUT - VP8_CUT] = { 0x90, 0x80, 0x80 },
		[VP8_NO_START - VP8_CUT] = { 0x10, 0x10, 0, 0, 1, 2, 3, 4 },
		[VP8_EXT - VP8_CUT] = { 0x90, 0xf0, 0xff },
		[VP8_ZERO_SIZE - VP8_CUT] = { 0x10, 0x10, 0, 0, 0x9d, 1, 0x2a,
			0 },
	};
	unsigned kind = lie >= VP8_CUT && lie <= RTX_EMPTY ? VIDEO : AUDIO;
	uint8_t p[2000] = { 0 };
	size_t h = head_of(kind, p, lie == CSRC_15 ? 15 : 0), n = h + 60;

	memset(p + h, 7, 60);
	switch (lie) {
	case EXT_PAST_END:
		be16_put(p + 14, (uint16_t)((n - 16) / 4 + 1));
		break;
	case EXT_HUGE:
		be16_put(p + 14, 0xffff);
		break;
	case ELEMENT_PAST_END:
		p[16] |= 0x0f;
		break;
	case ELEMENT_15:
		p[16] = 0xff;
		break;
	case TWO_BYTE_LIE:
		be16_put(p + 12, 0x1000);
		p[17] = 255;
		break;
	case PADDING_ALL:
	case PADDING_MORE:
	case PADDING_ZERO:
		p[0] |= 0x20;
		p[n - 1] = lie == PADDING_ALL ? 60 : lie == PADDING_MORE ?
			200 : 0;
		break;
	case CSRC_15:
		break;
	case CSRC_CUT:
		p[0] |= 15;
		n = 30;
		break;
	case NO_PAYLOAD:
		n = h;
		break;
	case OVERSIZE:
		n = 1990;
		break;
	case RTX_SHORT:
	case RTX_EMPTY:
		p[1] = PT_RTX;
		n = h + (lie == RTX_SHORT);
		break;
	case CUT_12:
		n = rng_below(&rng, h);
		break;
	case LEVEL_LONG:
		be16_put(p + 12, 0x1003);
		break;
	default:
		memcpy(p + h, vp8[lie - VP8_CUT], 8);
		n = h + (lie == VP8_CUT || lie == VP8_EXT ? 3 : 8);
		break;
	}
	put_rtp(evil, p, n);
}

/* ---- RTCP ---- */

static const struct {
	size_t n;
	uint8_t p[40];
} rtcp_lies[] = {
	/* NACK that says it is 64 KiB */
	{ 16, { 0x81, 205, 0xff, 0xff, 0, 0, 0, 1, 0, 0, 0, 2, 0, 1, 255,
		255 } },
	/* NACK of no pair, of half a pair */
	{ 12, { 0x81, 205, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2 } },
	{ 14, { 0x81, 205, 0, 3, 0, 0, 0, 1, 0, 0, 0, 2, 0, 1 } },
	/* SR without its body, SR of 31 blocks that are not there */
	{ 8, { 0x9f, 200, 0, 1, 0, 0, 0, 1 } },
	{ 28, { 0x9f, 200, 0, 6, 0, 0, 0, 1 } },
	/* RR whose blocks reach past the end */
	{ 8, { 0x8f, 201, 0, 1, 0, 0, 0, 1 } },
	/* SDES: item past the end, chunk without end */
	{ 12, { 0x81, 202, 0, 2, 0, 0, 0, 1, 1, 255, 'a', 'b' } },
	{ 12, { 0x9f, 202, 0, 2, 0, 0, 0, 1, 1, 2, 'a', 'b' } },
	/* BYE of 31 in one word, its reason past the end */
	{ 8, { 0x9f, 203, 0, 1, 0, 0, 0, 1 } },
	{ 12, { 0x81, 203, 0, 2, 0, 0, 0, 1, 255, 'a', 'b', 'c' } },
	/* XR: a block longer than all; an empty one */
	{ 16, { 0x80, 207, 0, 3, 0, 0, 0, 1, 4, 0, 0xff, 0xff } },
	{ 8, { 0x80, 207, 0, 1, 0, 0, 0, 1 } },
	/* FIR with half an entry; PLI cut; REMB of 255 SSRCs */
	{ 16, { 0x84, 206, 0, 3, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 9 } },
	{ 8, { 0x81, 206, 0, 1, 0, 0, 0, 1 } },
	{ 20, { 0x8f, 206, 0, 4, 0, 0, 0, 1, 0, 0, 0, 0, 'R', 'E', 'M', 'B',
		255, 255, 255, 255 } },
	/* transport-cc: 65,535 packets in no chunk, a run without deltas */
	{ 20, { 0x8f, 205, 0, 4, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 255, 255, 0, 0,
		0, 0 } },
	{ 24, { 0x8f, 205, 0, 5, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 255, 255, 0, 0,
		0, 0, 0x3f, 255, 0x3f, 255 } },
	/* padding: of all, of none, in the middle of a compound */
	{ 8, { 0xa0, 201, 0, 1, 0, 0, 0, 255 } },
	{ 8, { 0xa0, 201, 0, 1, 0, 0, 0, 0 } },
	{ 16, { 0xa0, 201, 0, 1, 0, 0, 0, 4, 0x80, 201, 0, 1, 0, 0, 0, 1 } },
	/* behind a good one another version */
	{ 16, { 0x80, 201, 0, 1, 0, 0, 0, 1, 0x41, 200, 0, 1, 0, 0, 0, 1 } },
	/* four bytes, no more */
	{ 4, { 0x80, 200, 0, 0 } },
};

/* As many as a datagram holds. */
static void long_compounds(const struct person *e)
{
	static const uint8_t rr[] = { 0x80, 201, 0, 1, 0, 0, 0, 1 };
	static const uint8_t fir[] = { 0x84, 206, 0, 2, 0, 0, 0, 1, 0, 0, 0,
		0 };
	uint8_t p[2000];

	for (size_t i = 0; i + sizeof(rr) <= sizeof(p); i += sizeof(rr))
		memcpy(p + i, rr, sizeof(rr));
	put_rtcp(e, p, sizeof(p));
	for (size_t i = 0; i + sizeof(fir) <= sizeof(p); i += sizeof(fir))
		memcpy(p + i, fir, sizeof(fir));
	put_rtcp(e, p, 1992);
	memset(p, 0x81, sizeof(p));
	p[1] = 205;
	put_rtcp(e, p, sizeof(p));
}

static void tell_lies(uint64_t rounds)
{
	for (uint64_t r = 0; r < rounds; r++) {
		for (unsigned i = 0; i < RTP_LIES; i++)
			rtp_lie(i);
		for (unsigned i = 0; i < ARRAY_LEN(rtcp_lies); i++) {
			put_rtcp(evil, rtcp_lies[i].p, rtcp_lies[i].n);
			put_rtcp(reader, rtcp_lies[i].p, rtcp_lies[i].n);
		}
		long_compounds(evil);
		long_compounds(reader);
	}
}

/* ---- corpora ---- */

static int nobody; /* a socket */

/* As everything that it could be; none of it may be what it says. */
static void try_all(const uint8_t *p, size_t n)
{
	uint8_t q[2000];
	size_t h;

	put_rtp(evil, p, n);
	put_rtcp(evil, p, n);
	put_rtp(reader, p, n);
	put_rtcp(reader, p, n);
	put_raw(reader, p, n);
	(void)io_udp_send(nobody, &evil->w->addr, NULL, p, n, 0);
	for (unsigned kind = AUDIO; kind <= VIDEO; kind++) {
		h = head_of(kind, q, 0);
		n = MIN(n, sizeof(q) - h);
		memcpy(q + h, p, n);
		put_rtp(evil, q, h + n);
	}
}

/* What comes as an offer, by way of those who ask the relay. */
#define MAX_OFFER 10000u /* six times as long as JSON, at worst */
static unsigned offers;

static void try_offer(const uint8_t *p, size_t n)
{
	json_t *sdp, *got;
	char id[24], kind[32];

	/* What is no UTF-8, has a NUL or is too long does not come so far. */
	if (n > MAX_OFFER || memchr(p, 0, n) ||
	    !(sdp = json_stringn((const char *)p, n)))
		return;
	snprintf(id, sizeof(id), "x_%u", offers++);
	got = world_try(evil->w, "transport.create", json_pack(
		"{s:s, s:i, s:s, s:s, s:s, s:{s:[s,s], s:[], s:b}, s:o}",
		"room", ROOM, "epoch", 1, "endpoint", id, "transport", id,
		"direction", "publish", "grant", "publish", "mic", "cam",
		"muted", "receive", 1, "sdp", sdp), kind);
	json_decref(got);
	json_decref(world_try(evil->w, "endpoint.remove", json_pack(
		"{s:s, s:s}", "room", ROOM, "endpoint", id), kind));
}

/* Unlike the others it may end an association: what DTLS it is. */
static bool is_dtls(const uint8_t *p, size_t n)
{
	return n && demux(p, n) == DEMUX_DTLS;
}

static void try_datagram(const uint8_t *p, size_t n)
{
	n = MIN(n, 2000);
	if (!is_dtls(p, n))
		try_all(p, n);
}

typedef void attempt(const uint8_t *p, size_t n);

static void try_file(const char *path, uint64_t changed, attempt *try)
{
	static uint8_t p[65536], q[65536];
	FILE *f = fopen(path, "rb");
	size_t n = f ? fread(p, 1, sizeof(p), f) : 0;

	if (f)
		fclose(f);
	if (!n)
		return;
	try(p, n);
	for (uint64_t i = 0; i < changed; i++) {
		memcpy(q, p, n);
		for (unsigned k = 0; k < 3; k++)
			q[rng_below(&rng, n)] ^=
				(uint8_t)(1u << rng_below(&rng, 7));
		try(q, 1 + rng_below(&rng, n));
	}
}

static unsigned try_dir(const char *dir, uint64_t changed, attempt *try)
{
	struct dirent *d;
	DIR *at = opendir(dir);
	char path[512];
	unsigned n = 0;

	while (at && (d = readdir(at))) {
		if (d->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%.200s/%.250s", dir, d->d_name);
		try_file(path, changed, try);
		n++;
	}
	if (at)
		closedir(at);
	return n;
}

static void try_corpora(const char *dir, uint64_t changed)
{
	static const char *const names[] = { "wire-rtp", "wire-rtcp",
		"wire-vp8", "wire-stun", "ice-agent", "peer-packets",
		"flow-rewrite", "sfu-ops" };
	char path[512];
	unsigned n = 0;

	nobody = stranger_socket();
	for (unsigned i = 0; i < ARRAY_LEN(names); i++) {
		snprintf(path, sizeof(path), "%.200s/%s", dir, names[i]);
		n += try_dir(path, changed, try_datagram);
	}
	snprintf(path, sizeof(path), "%.200s/peer-offer", dir);
	n += try_dir(path, changed, try_offer);
	snprintf(path, sizeof(path), "%.200s/../../data/sdp", dir);
	n += try_dir(path, changed, try_offer);
	figure("offers", offers);
	figure("files", n);
	close(nobody);
}

/* ---- what came of it ---- */

/* What somebody's own transport found wrong in what the relay sent him. */
static double wrong(const struct person *e)
{
	const struct peer_stats *s = peer_port_stats(e->port);

	return (double)(s->dropped[PEER_DROP_MALFORMED] +
		s->dropped[PEER_DROP_FORGED] + s->dropped[PEER_DROP_REPLAYED] +
		s->dropped[PEER_DROP_UNIDENTIFIED] +
		s->dropped[PEER_DROP_UNKNOWN]);
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	bool list = str_eq(what, "list");
	struct person *pub, *sub;
	struct world w;
	struct mark m;
	uint64_t seed = number_arg(argc, argv, argc - 1);

	rng_seed(&rng, seed);
	world_open(&w, seed);
	world_call(&w, &pub, &sub);
	evil = world_join(&w, true);
	evil->talks = false;
	reader = world_join(&w, false);
	m = mark_of(sub, pub, AUDIO);
	if (list)
		tell_lies(number_arg(argc, argv, 2));
	else
		try_corpora(argv[2], number_arg(argc, argv, 3));
	world_run(&w, 500);
	figure("packets", (double)packets);
	figure("malformed_at_relay", world_stat(&w, "dropped.malformed"));
	figure("wrong_at_others", wrong(sub) + wrong(pub));
	figure("bad_vp8", sub->bad_vp8);
	figure("lost_audio", lost_since(sub, pub, AUDIO, m));
	figure("closed", pub->closed + sub->closed);
	world_close(&w);
	return 0;
}
