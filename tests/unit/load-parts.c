/* The parts of load that need no network: links, packets, what a receiver
 * makes of them, distributions. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base.h"
#include "load_gen_priv.h"
#include "load_hist_priv.h"
#include "load_link_priv.h"
#include "load_sink_priv.h"
#include "wire.h"

/* ---- links ---- */

static void links_are_taken_apart(void **state)
{
	static const struct {
		const char *url, *host, *port, *path, *authority, *token;
		bool tls;
	} good[] = {
		{"https://meet.example/m/hello#t=abc.def", "meet.example",
			"443", "/ws", "meet.example", "abc.def", true},
		{"http://localhost:8443/m/x?lang=zh#t=T", "localhost",
			"8443", "/ws", "localhost:8443", "T", false},
		{"http://127.0.0.1/m/a#t=1", "127.0.0.1", "80", "/ws",
			"127.0.0.1", "1", false},
		{"https://[::1]:8/conf/kit/m/a#t=1", "::1", "8",
			"/conf/kit/ws", "[::1]:8", "1", true},
		{"https://[2001:db8::1]/m/a#t=1", "2001:db8::1", "443",
			"/ws", "[2001:db8::1]", "1", true},
	};
	struct load_link l;
	char why[160];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		assert_int_equal(load_link_parse(&l, good[i].url, why), 0);
		assert_int_equal(l.tls, good[i].tls);
		assert_string_equal(l.host, good[i].host);
		assert_string_equal(l.port, good[i].port);
		assert_string_equal(l.path, good[i].path);
		assert_string_equal(l.authority, good[i].authority);
		assert_string_equal(l.token, good[i].token);
	}
}

static void what_is_no_link_is_refused(void **state)
{
	static const char *const bad[] = {
		"", "hello", "ftp://h/m/x#t=1", "https://h/m/x",
		"https://h/m/x#t=", "https://h/x#t=1",
		"https://h#t=/m/x", "https:///m/x#t=1", "https://h:0/m/x#t=1",
		"https://h:65536/m/x#t=1", "https://h:/m/x#t=1",
		"https://[::1/m/x#t=1", "https://[::1]x/m/x#t=1",
		"https://h\r\nX: y/m/x#t=1", "https://h/m/x#t=a b",
		"https://h/a b/m/x#t=1",
	};
	struct load_link l;
	char why[160];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		*why = '\0';
		assert_int_equal(load_link_parse(&l, bad[i], why), -EINVAL);
		assert_true(*why);
	}
}

static void a_long_link_is_refused(void **state)
{
	struct buf b = {0};
	struct load_link l;
	char why[160];

	(void)state;
	buf_puts(&b, "https://h/m/x#t=");
	for (unsigned i = 0; i < LOAD_TOKEN_CAP; i++)
		buf_putc(&b, 'a');
	assert_int_equal(load_link_parse(&l, buf_cstr(&b), why), -EINVAL);
	b.len--;
	assert_int_equal(load_link_parse(&l, buf_cstr(&b), why), 0);
	buf_free(&b);
}

/* ---- packets ---- */

static const struct load_media media = {.audio_bps = 32000, .audio_hz = 50,
	.video_bps = 600000, .video_fps = 30, .width = 640, .height = 360,
	.payload_bytes = 1100, .key_ms = 1000};

#define START_NS (5 * NS_PER_S)

static void sound_is_silent_opus(void **state)
{
	uint8_t p[PEER_MAX_PAYLOAD];
	struct load_gen g;
	struct peer_rtp pkt = {0};
	struct load_stamp stamp;
	uint16_t seq;
	uint32_t ts;

	(void)state;
	load_gen_init(&g, &media, false, 7, START_NS, 1);
	assert_int_equal(load_gen_due(&g), START_NS);
	assert_false(load_gen_frame(&g, START_NS - 1));
	assert_true(load_gen_frame(&g, START_NS));
	assert_true(load_gen_packet(&g, START_NS + 3, &pkt, p));
	/* TOC, count, 75 bytes of padding, FF FE: 80 in all. */
	assert_int_equal(pkt.len, 80);
	assert_memory_equal(p, "\xfb\x41\x4b\xff\xfe", 5);
	assert_true(load_stamp_read(p, pkt.len, &stamp));
	assert_int_equal(stamp.author, 7);
	assert_int_equal(stamp.sent_ns, START_NS + 3);
	seq = pkt.seq;
	ts = pkt.rtp_ts;
	assert_false(load_gen_packet(&g, START_NS, &pkt, p));
	assert_int_equal(load_gen_due(&g), START_NS + 20 * NS_PER_MS);
	assert_true(load_gen_frame(&g, START_NS + 20 * NS_PER_MS));
	assert_true(load_gen_packet(&g, START_NS, &pkt, p));
	assert_int_equal(pkt.seq, (uint16_t)(seq + 1));
	assert_int_equal(pkt.rtp_ts - ts, 960);
}

/* Padding lengths of one byte, of two, and between. */
static void opus_of_any_size_is_well_formed(void **state)
{
	struct load_media m = media;
	uint8_t p[PEER_MAX_PAYLOAD];

	(void)state;
	for (uint32_t n = LOAD_MIN_AUDIO; n <= PEER_MAX_PAYLOAD; n++) {
		struct peer_rtp pkt = {0};
		struct load_gen g;
		size_t at = 2, pad = 0;

		m.audio_bps = n * 8 * 50;
		load_gen_init(&g, &m, false, 0, START_NS, n);
		assert_true(load_gen_frame(&g, START_NS));
		assert_true(load_gen_packet(&g, START_NS, &pkt, p));
		assert_int_equal(pkt.len, n);
		for (; p[at] == 255; at++)
			pad += 254;
		pad += p[at++];
		assert_int_equal(at + 2 + pad, n);
		assert_memory_equal(p + at, "\xff\xfe", 2);
	}
}

struct frame {
	unsigned packets;
	size_t bytes;
	bool key;
	uint16_t picture_id;
	uint32_t rtp_ts;
};

/* Reads the frame that is due, and checks what holds for each packet. */
static struct frame read_frame(struct load_gen *g, uint64_t now_ns)
{
	uint8_t p[PEER_MAX_PAYLOAD];
	struct frame f = {0};
	struct peer_rtp pkt = {0};
	struct load_stamp stamp;
	struct vp8 v;

	assert_true(load_gen_frame(g, now_ns));
	while (load_gen_packet(g, now_ns, &pkt, p)) {
		assert_in_range(pkt.len, LOAD_STAMP_BYTES + 4,
			media.payload_bytes);
		assert_int_equal(vp8_parse(&v, p, pkt.len), 0);
		assert_true(v.has_picture_id && v.picture_id_15);
		assert_int_equal(v.frame_start, f.packets == 0);
		assert_int_equal(pkt.marker, g->left == 0);
		assert_true(load_stamp_read(p, pkt.len, &stamp));
		if (f.packets) {
			assert_int_equal(v.picture_id, f.picture_id);
			assert_int_equal(pkt.rtp_ts, f.rtp_ts);
		} else {
			f.key = v.key;
			f.picture_id = v.picture_id;
			f.rtp_ts = pkt.rtp_ts;
		}
		if (f.packets == 0 && v.key) {
			assert_int_equal(v.width, 640);
			assert_int_equal(v.height, 360);
		}
		f.packets++;
		f.bytes += pkt.len;
	}
	return f;
}

static void pictures_keep_their_rate(void **state)
{
	struct load_gen g;
	struct frame last = {0};
	size_t bytes = 0, keys = 0;
	uint32_t first_ts = 0;

	(void)state;
	load_gen_init(&g, &media, true, 1, START_NS, 2);
	for (unsigned i = 0; i < 300; i++) {
		struct frame f = read_frame(&g, load_gen_due(&g));

		if (i) {
			assert_int_equal(f.picture_id,
				(last.picture_id + 1) & 0x7fff);
			assert_int_equal(f.rtp_ts - first_ts, i * 3000);
		} else {
			assert_true(f.key);
			assert_int_equal(f.packets, 10); /* 4 × 2,500 bytes */
			first_ts = f.rtp_ts;
		}
		keys += f.key;
		bytes += f.bytes;
		last = f;
	}
	/* 10 s, a key frame each second, 750,000 bytes and descriptors. */
	assert_in_range(keys, 10, 11);
	assert_in_range(bytes, 750000, 770000);
}

static void a_key_frame_comes_when_asked_for(void **state)
{
	struct load_gen g;

	(void)state;
	load_gen_init(&g, &media, true, 1, START_NS, 3);
	assert_true(read_frame(&g, load_gen_due(&g)).key);
	assert_false(read_frame(&g, load_gen_due(&g)).key);
	load_gen_want_key(&g);
	assert_true(read_frame(&g, load_gen_due(&g)).key);
	assert_false(read_frame(&g, load_gen_due(&g)).key);
}

static void late_frames_are_skipped_and_counted(void **state)
{
	struct load_gen g;
	uint32_t ts;

	(void)state;
	load_gen_init(&g, &media, true, 1, START_NS, 4);
	ts = read_frame(&g, START_NS).rtp_ts;
	/* 2 s later: what is older than half a second is not sent. */
	assert_int_equal(read_frame(&g, START_NS + 2 * NS_PER_S).rtp_ts - ts,
		46 * 3000);
	assert_int_equal(g.skipped, 45);
}

/* ---- receiving ---- */

struct lane {
	struct load_sink sink;
	struct load_hist delays;
	unsigned wholes;
};

static void give(struct lane *l, const uint8_t *payload, size_t n,
	uint16_t seq, uint32_t ts, bool marker, uint64_t arrival_ns)
{
	const struct peer_rtp pkt = {.seq = seq, .rtp_ts = ts,
		.marker = marker, .payload = payload, .len = n,
		.arrival_ns = arrival_ns};

	l->wholes += load_sink_take(&l->sink, &pkt, true, &l->delays);
}

static const uint8_t key_start[] = {0x90, 0x80, 0x80, 1, 0x10, 2, 0, 0x9d,
	1, 0x2a, 0x80, 2, 0x68, 1};
static const uint8_t delta_start[] = {0x90, 0x80, 0x80, 2, 0x11, 2, 0};
static const uint8_t middle[] = {0x80, 0x80, 0x80, 1, 0x5a};

static void the_first_whole_key_frame_counts(void **state)
{
	struct lane l = {0};

	(void)state;
	give(&l, delta_start, sizeof delta_start, 9, 100, true, 0);
	assert_int_equal(l.wholes, 0);
	/* Three packets, of which the first comes last, behind a frame. */
	give(&l, middle, sizeof middle, 11, 200, false, 0);
	give(&l, middle, sizeof middle, 12, 200, true, 0);
	give(&l, delta_start, sizeof delta_start, 13, 300, true, 0);
	assert_int_equal(l.wholes, 0);
	give(&l, key_start, sizeof key_start, 10, 200, false, 0);
	assert_int_equal(l.wholes, 1);
	give(&l, key_start, sizeof key_start, 14, 400, true, 0);
	assert_int_equal(l.wholes, 1);
	assert_int_equal(load_sink_lost(&l.sink), 0);
	assert_int_equal(load_sink_expected(&l.sink), 6);
}

static void gaps_are_losses_over_the_wrap(void **state)
{
	struct lane l = {0};

	(void)state;
	for (uint32_t i = 65000; i < 66000; i++)
		if (i % 100 != 50)
			give(&l, middle, sizeof middle, (uint16_t)i, i,
				false, 0);
	assert_int_equal(load_sink_expected(&l.sink), 1000);
	assert_int_equal(load_sink_lost(&l.sink), 10);
}

static void stamps_tell_the_delay(void **state)
{
	uint8_t p[PEER_MAX_PAYLOAD];
	struct peer_rtp pkt = {0};
	struct lane l = {0};
	struct load_gen g;

	(void)state;
	load_gen_init(&g, &media, true, 1, START_NS, 5);
	load_gen_frame(&g, START_NS);
	load_gen_packet(&g, START_NS, &pkt, p);
	pkt.arrival_ns = START_NS + 1500000;
	load_sink_take(&l.sink, &pkt, true, &l.delays);
	assert_int_equal(l.delays.n, 1);
	assert_true(fabs(load_hist_at(&l.delays, 0.5) - 1500) < 50);
	assert_false(load_stamp_read(p, LOAD_STAMP_BYTES - 1, &(struct
		load_stamp){0}));
}

/* ---- distributions ---- */

static void distributions_are_near_the_truth(void **state)
{
	struct load_hist h = {0};

	(void)state;
	assert_true(isnan(load_hist_at(&h, 0.5)));
	for (uint64_t i = 1; i <= 10000; i++)
		load_hist_add(&h, i);
	for (double share = 0.01; share < 1; share += 0.01) {
		double got = load_hist_at(&h, share), want = share * 10000;

		assert_true(fabs(got - want) <= want / 16 + 1);
	}
	h = (struct load_hist){0};
	for (unsigned i = 0; i < 32; i++)
		load_hist_add(&h, i);
	assert_true(load_hist_at(&h, 1) == 31); /* small ones are exact */
	load_hist_add(&h, UINT64_MAX);
	assert_true(load_hist_at(&h, 1) > 1e11);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(links_are_taken_apart),
		cmocka_unit_test(what_is_no_link_is_refused),
		cmocka_unit_test(a_long_link_is_refused),
		cmocka_unit_test(sound_is_silent_opus),
		cmocka_unit_test(opus_of_any_size_is_well_formed),
		cmocka_unit_test(pictures_keep_their_rate),
		cmocka_unit_test(a_key_frame_comes_when_asked_for),
		cmocka_unit_test(late_frames_are_skipped_and_counted),
		cmocka_unit_test(the_first_whole_key_frame_counts),
		cmocka_unit_test(gaps_are_losses_over_the_wrap),
		cmocka_unit_test(stamps_tell_the_delay),
		cmocka_unit_test(distributions_are_near_the_truth),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
