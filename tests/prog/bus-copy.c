/* bus-copy - copies a track from the media bus to standard output as IVF or
 * Ogg Opus, or one from standard input to the bus, at the pace of its own
 * times. For tests; see usage_text. */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "base.h"
#include "bus.h"
#include "flow.h"
#include "io.h"
#include "wire.h"

static const char usage_text[] =
	"usage: bus-copy out|in -s PATH (-t TICKET | -r ROOM -e ENDPOINT)\n"
	"                -S SOURCE [-f FROM] [-n FRAMES] [-Q MS] [-w MS]\n"
	"out: the first track with that source (and of that endpoint) to\n"
	"     stdout, until it ends, or FRAMES are written, or SIGTERM.\n"
	"in:  stdin, which is IVF or Ogg Opus, to the bus as SOURCE.\n"
	"  -Q MS  ask for a queue of MS\n"
	"  -w MS  give up when MS have passed without a frame (out)\n"
	"What was done is told on stderr as 'key value' lines.\n";

#define WAIT_NS   (150 * NS_PER_MS) /* for packets that are missing */
#define ASK_NS    (40 * NS_PER_MS)  /* between requests for them */
#define PAYLOAD   1100
#define CHUNK     65536
#define PT_OPUS   111
#define PT_VP8    96

static struct copy {
	bool in;
	struct bus_client_config bus;
	const char *source, *from;
	uint64_t max_frames, queue_ms, wait_ms;
	struct io_loop *loop;
	struct bus_client *client;
	struct io_timer *timer, *patience;
	int status;
	bool finished;

	/* Both ways. */
	enum bus_codec codec;
	int track; /* -1: none yet */
	uint64_t frames_done, keys, lost, dropped_frames, asked;

	/* out */
	struct frames *frames;
	struct oggopus_writer *ogg_out;
	struct buf out;
	bool begun, wants_key;
	uint32_t first_ts, next_ts;
	uint64_t asked_ns, first_ns;

	/* in */
	struct io_stream *input;
	struct ivf_reader ivf;
	struct oggopus_reader *ogg_in;
	bool known; /* which of the two it is */
	bool ended; /* the input */
	bool waits; /* for .due_ns, with a frame in hand */
	struct ivf_frame frame;
	struct oggopus_packet packet;
	uint64_t start_ns, due_ns;
	uint64_t ticks; /* of the RTP clock, since the start */
	uint64_t chain; /* where the present one of chained files began */
	uint16_t seq, picture;
} c = {.track = -1};

static void finish(int status)
{
	if (c.finished)
		return;
	c.finished = true;
	c.status = status;
	io_loop_stop(c.loop, status);
}

PRINTF(2, 3)
static void fail(int status, const char *fmt, ...)
{
	va_list ap;

	if (c.finished)
		return;
	fputs("bus-copy: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	finish(status);
}

static void flush_out(void)
{
	size_t at = 0;

	while (at < c.out.len) {
		ssize_t n = write(1, c.out.data + at, c.out.len - at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			fail(3, "cannot write: %s", strerror(errno));
			break;
		}
		at += (size_t)n;
	}
	if (c.out.err)
		fail(3, "out of memory");
	buf_clear(&c.out);
}

/* ---- out ---- */

static void write_vp8(const struct frame *f)
{
	struct ivf_head h = {.fourcc = "VP80", .width = f->width,
		.height = f->height, .rate = 90000, .scale = 1};

	if (f->lost && !f->key && c.begun)
		c.wants_key = true;
	if (!f->key && (c.wants_key || !c.begun)) {
		if (!c.wants_key || !c.begun)
			bus_client_ask_keyframe(c.client, (unsigned)c.track);
		c.wants_key = true;
		return;
	}
	if (!c.begun) {
		c.first_ts = f->rtp_ts;
		ivf_write_head(&c.out, &h);
	}
	c.begun = true;
	c.wants_key = false;
	c.keys += f->key;
	ivf_write_frame(&c.out, f->data, f->len, f->rtp_ts - c.first_ts);
	c.frames_done++;
}

static void write_opus(const struct frame *f)
{
	int samples = opustoc_samples(f->data, f->len);

	if (samples < 0)
		return;
	if (!c.begun)
		oggopus_write_heads(c.ogg_out, &c.out);
	else if (ts_diff(f->rtp_ts, c.next_ts) > 0)
		oggopus_write_gap(c.ogg_out, f->rtp_ts - c.next_ts, &c.out);
	c.begun = true;
	c.next_ts = f->rtp_ts + (uint32_t)samples;
	oggopus_write(c.ogg_out, f->data, f->len, &c.out);
	c.frames_done++;
}

static void take_frames(void)
{
	struct frame f;
	uint64_t at;

	while (!c.finished && frames_next(c.frames, io_now_ns(), &f)) {
		c.lost += f.lost;
		if (c.codec == BUS_VP8)
			write_vp8(&f);
		else
			write_opus(&f);
		if (!c.first_ns)
			c.first_ns = io_now_ns();
		flush_out();
		if (c.wait_ms)
			io_timer_in(c.patience, c.wait_ms);
		if (c.max_frames && c.frames_done >= c.max_frames)
			finish(0);
	}
	at = frames_deadline(c.frames);
	if (at != FLOW_NEVER)
		io_timer_at(c.timer, at);
}

static void ask_for_missing(void)
{
	uint16_t seqs[BUS_MAX_LOST];
	uint64_t now = io_now_ns();
	unsigned n;

	if (now - c.asked_ns < ASK_NS)
		return;
	n = frames_missing(c.frames, seqs, BUS_MAX_LOST);
	if (!n)
		return;
	c.asked_ns = now;
	c.asked += n;
	bus_client_ask_lost(c.client, (unsigned)c.track, seqs, n);
}

static void on_track(void *arg, const struct bus_track *t)
{
	struct oggopus_head h = {.channels = 2, .pre_skip = 312,
		.input_hz = 48000};

	(void)arg;
	if (c.in || c.track >= 0 || !str_eq(t->source, c.source) ||
		(c.from && !str_eq(t->endpoint, c.from)))
		return;
	c.track = (int)t->track;
	c.codec = t->codec;
	c.frames = frames_new(t->codec == BUS_VP8 ? FRAMES_VP8 : FRAMES_OPUS,
		WAIT_NS);
	if (t->codec == BUS_OPUS)
		c.ogg_out = oggopus_writer_new(t->ssrc, &h, 9600);
	if (!c.frames || (t->codec == BUS_OPUS && !c.ogg_out))
		fail(3, "out of memory");
	else if (t->codec == BUS_VP8)
		bus_client_ask_keyframe(c.client, t->track);
}

static void on_packet(void *arg, unsigned track, const struct bus_packet *k)
{
	struct frames_packet p = {.seq = k->rtp.seq, .rtp_ts = k->rtp.ts,
		.marker = k->rtp.marker, .payload = k->rtp.payload,
		.len = k->rtp.payload_len, .arrival_ns = io_now_ns()};

	(void)arg;
	if ((int)track != c.track || k->kind != BUS_RTP)
		return;
	frames_put(c.frames, &p);
	take_frames();
	ask_for_missing();
}

static void on_dropped(void *arg, unsigned track, unsigned frames,
	unsigned packets)
{
	(void)arg;
	(void)packets;
	if ((int)track != c.track)
		return;
	c.dropped_frames += frames;
	frames_skip(c.frames);
}

static void on_end(void *arg, unsigned track)
{
	(void)arg;
	if ((int)track == c.track)
		finish(0);
}

/* ---- in ---- */

static void send_rtp(const uint8_t *payload, size_t n, uint32_t ts,
	bool marker)
{
	struct rtp h = {.pt = c.codec == BUS_VP8 ? PT_VP8 : PT_OPUS,
		.seq = c.seq++, .ts = ts, .ssrc = 1, .marker = marker};
	uint8_t mem[BUS_MAX_PACKET];
	struct bus_packet k;
	int len = rtp_write(mem, sizeof(mem), &h);

	if (n > sizeof(mem) - (size_t)len)
		return;
	memcpy(mem + len, payload, n);
	if (bus_packet_rtp(&k, c.codec, mem, (size_t)len + n, io_now_ns())) {
		fail(3, "not a frame of that codec");
		return;
	}
	bus_client_send(c.client, (unsigned)c.track, &k);
	bus_packet_done(&k);
}

static void send_frame(void)
{
	struct vp8 ids = {.has_picture_id = true, .picture_id_15 = true,
		.picture_id = c.picture & 0x7fff};
	uint8_t mem[PAYLOAD];
	struct vp8pack k;
	bool last;
	size_t n;

	c.frames_done++;
	if (c.codec == BUS_OPUS) {
		send_rtp(c.packet.data, c.packet.len, (uint32_t)c.ticks,
			c.frames_done == 1);
		c.ticks += c.packet.samples;
		return;
	}
	c.picture++;
	if (!c.frame.len || vp8pack_open(&k, c.frame.data, c.frame.len,
			sizeof(mem), &ids))
		return;
	c.keys += !(c.frame.data[0] & 1);
	while ((n = vp8pack_next(&k, mem, &last)))
		send_rtp(mem, n, (uint32_t)c.ticks, last);
}

static void hold_frame(void)
{
	uint32_t hz = bus_codec_hz(c.codec);

	if (!c.start_ns)
		c.start_ns = io_now_ns();
	if (c.codec == BUS_VP8) {
		/* Files that follow one another are one stream. */
		uint64_t at = c.frame.pts * c.ivf.head.scale * hz /
			c.ivf.head.rate + c.chain;

		if (at < c.ticks) {
			c.chain += c.ticks + hz / 30 - at;
			at = c.ticks + hz / 30;
		}
		c.ticks = at;
	}
	c.due_ns = c.start_ns + c.ticks * 1000 / hz * NS_PER_MS;
	c.waits = true;
	io_timer_at(c.timer, c.due_ns);
}

static void publish(enum bus_codec codec)
{
	if (c.track >= 0)
		return;
	c.codec = codec;
	c.track = bus_client_publish(c.client, c.source, codec);
	if (c.track < 0)
		fail(3, "cannot publish '%s': %s", c.source,
			strerror(-c.track));
}

/* Takes the next frame of the input in hand. False: there is none yet. */
static bool next_frame(void)
{
	int what;

	for (;;) {
		what = c.ogg_in ? oggopus_next(c.ogg_in, &c.packet)
			: ivf_next(&c.ivf, &c.frame);
		if (what < 0)
			fail(3, "damaged input");
		if (what <= 0)
			return false;
		if (!c.ogg_in && what == IVF_HEAD &&
			!str_eq(c.ivf.head.fourcc, "VP80")) {
			fail(3, "not VP8");
			return false;
		}
		publish(c.ogg_in ? BUS_OPUS : BUS_VP8);
		if (what == (c.ogg_in ? (int)OGGOPUS_PACKET : (int)IVF_FRAME))
			return !c.finished;
	}
}

/* The relay may be behind. */
static void drain(void)
{
	if (bus_client_queued(c.client))
		io_timer_in(c.timer, 10);
	else
		finish(0);
}

static void go_on(void)
{
	while (!c.finished && !c.waits) {
		if (next_frame()) {
			hold_frame();
			continue;
		}
		if (!c.ended) {
			io_stream_pause(c.input, 0);
		} else if (c.track < 0 || (c.ogg_in ? oggopus_end(c.ogg_in)
					: ivf_end(&c.ivf))) {
			fail(3, "truncated input");
		} else if (!c.finished) {
			bus_client_unpublish(c.client, (unsigned)c.track);
			drain();
		}
		return;
	}
	if (c.input)
		io_stream_pause(c.input, 1);
}

static size_t on_input(void *arg, const uint8_t *p, size_t n)
{
	size_t take = MIN(n, (size_t)CHUNK);

	(void)arg;
	if (!c.known && n < 4)
		return 0;
	if (!c.known && memcmp(p, "OggS", 4) == 0)
		c.ogg_in = oggopus_reader_new();
	c.known = true;
	if (c.ogg_in ? oggopus_feed(c.ogg_in, p, take)
		: ivf_feed(&c.ivf, p, take))
		fail(3, "out of memory");
	go_on();
	return take;
}

static void on_input_end(void *arg, int err)
{
	(void)arg;
	io_stream_free(c.input);
	c.input = NULL;
	c.ended = true;
	if (err)
		fail(3, "cannot read: %s", strerror(-err));
	else
		go_on();
}

/* ---- wiring ---- */

static void on_timer(void *arg)
{
	(void)arg;
	if (!c.in) {
		take_frames();
		return;
	}
	if (!c.waits) {
		drain();
		return;
	}
	c.waits = false;
	send_frame();
	go_on();
}

static void on_patience(void *arg)
{
	(void)arg;
	fail(124, "no frame in time");
}

static void on_welcome(void *arg, const char *room, const char *endpoint)
{
	static const struct io_stream_events events = {
		.on_data = on_input,
		.on_close = on_input_end,
	};

	(void)arg;
	fprintf(stderr, "welcome %s %s\n", room, endpoint);
	if (c.queue_ms)
		bus_client_queue_ms(c.client, (unsigned)c.queue_ms);
	if (!c.in)
		return;
	c.input = io_stream_new(c.loop, 0, 0, 2 * CHUNK, CHUNK, &events, NULL);
	if (!c.input)
		fail(3, "out of memory");
}

static void on_refused(void *arg, const char *kind, const char *message)
{
	(void)arg;
	fail(1, "refused: %s: %s", kind, message);
}

static void on_track_refused(void *arg, unsigned track, const char *kind,
	const char *message)
{
	(void)track;
	on_refused(arg, kind, message);
}

static void on_keyframe(void *arg, unsigned track)
{
	(void)arg;
	(void)track;
	c.asked++; /* a file has those that it has */
}

static void on_close(void *arg, int err)
{
	(void)arg;
	fail(75, "the bus is gone%s%s", err ? ": " : "",
		err ? strerror(-err) : "");
}

static void on_signal(void *arg, int signo)
{
	(void)arg;
	(void)signo;
	finish(0);
}

static uint64_t number(const char *s)
{
	uint64_t v = 0;

	if (str_u64(s, 0, 1000000000, &v)) {
		fprintf(stderr, "bus-copy: no number: '%s'\n", s);
		exit(2);
	}
	return v;
}

static int options(int argc, char **argv)
{
	int o;

	if (argc < 2 || (!str_eq(argv[1], "in") && !str_eq(argv[1], "out")))
		return -1;
	c.in = str_eq(argv[1], "in");
	c.bus.receive = !c.in;
	optind = 2;
	while ((o = getopt(argc, argv, "s:t:r:e:S:f:n:Q:w:")) != -1) {
		switch (o) {
		case 's': c.bus.path = optarg; break;
		case 't': c.bus.ticket = optarg; break;
		case 'r': c.bus.room = optarg; break;
		case 'e': c.bus.endpoint = optarg; break;
		case 'S': c.source = optarg; break;
		case 'f': c.from = optarg; break;
		case 'n': c.max_frames = number(optarg); break;
		case 'Q': c.queue_ms = number(optarg); break;
		case 'w': c.wait_ms = number(optarg); break;
		default: return -1;
		}
	}
	if (optind != argc || !c.bus.path || !c.source)
		return -1;
	return c.bus.ticket || (c.bus.room && c.bus.endpoint) ? 0 : -1;
}

static void report(void)
{
	fprintf(stderr, "frames %" PRIu64 "\nkeys %" PRIu64 "\nlost %" PRIu64
		"\ndropped %" PRIu64 "\nasked %" PRIu64 "\n", c.frames_done,
		c.keys, c.lost, c.dropped_frames, c.asked);
}

int main(int argc, char **argv)
{
	static const struct bus_client_events events = {
		.on_welcome = on_welcome,
		.on_refused = on_refused,
		.on_track = on_track,
		.on_end = on_end,
		.on_packet = on_packet,
		.on_dropped = on_dropped,
		.on_keyframe = on_keyframe,
		.on_track_refused = on_track_refused,
		.on_close = on_close,
	};
	struct io_signal *term;

	if (options(argc, argv)) {
		fputs(usage_text, stderr);
		return 2;
	}
	if (c.in) {
		c.bus.publish = &c.source;
		c.bus.n_publish = 1;
	}
	c.bus.events = &events;
	c.bus.loop = c.loop = io_loop_new();
	c.timer = io_timer_new(c.loop, on_timer, NULL);
	c.patience = io_timer_new(c.loop, on_patience, NULL);
	term = io_signal_new(c.loop, SIGTERM, on_signal, NULL);
	c.client = bus_client_new(&c.bus);
	if (!c.client) {
		fprintf(stderr, "bus-copy: cannot reach '%s': %s\n",
			c.bus.path, strerror(errno));
		return 75;
	}
	if (!c.in && c.wait_ms)
		io_timer_in(c.patience, c.wait_ms);
	io_loop_run(c.loop);
	if (c.ogg_out && !c.status) {
		oggopus_finish(c.ogg_out, 0, &c.out);
		flush_out();
	}
	report();
	bus_client_free(c.client);
	io_stream_free(c.input);
	io_signal_free(term);
	io_timer_free(c.timer);
	io_timer_free(c.patience);
	frames_free(c.frames);
	oggopus_writer_free(c.ogg_out);
	oggopus_reader_free(c.ogg_in);
	ivf_free(&c.ivf);
	buf_free(&c.out);
	io_loop_free(c.loop);
	return c.status;
}
