/* conf-load - simulated participants of a meeting, and how they fared. */
#include <getopt.h>
#include <stdio.h>
#include <unistd.h>

#include "base.h"
#include "io.h"
#include "load.h"

static const char usage_text[] =
	"usage: conf-load [options] URL\n"
	"       conf-load [options] --relay COMMAND\n"
	"       conf-load --help | -V | --completion\n"
	"\n"
	"Joins a meeting by its link with publishers and subscribers that are\n"
	"real WebRTC endpoints, or puts them into a relay that it runs, and\n"
	"reports how they fared.\n"
	"\n"
	"  -p N             publishers (1)\n"
	"  -n N             subscribers (1)\n"
	"  --both           publishers receive as well\n"
	"  -t TIME          measure for TIME, once all have joined (10s)\n"
	"  --ramp TIME      let them come one by one over TIME (0s)\n"
	"  -w TIME          give up on who has not joined after TIME (20s)\n"
	"  --audio RATE     bits a second of sound, or off (32k)\n"
	"  --audio-hz N     packets of sound a second (50)\n"
	"  --video RATE     bits a second of pictures, or off (600k)\n"
	"  --fps N          pictures a second (30)\n"
	"  --size WxH       their size, as key frames say it (640x360)\n"
	"  --payload BYTES  of a packet of pictures at most (1100)\n"
	"  --key TIME       between key frames that nobody asks for (10s)\n"
	"  --burst          send the packets of a picture at once\n"
	"  --loss PERCENT   lose so many of the packets that come\n"
	"  --relay COMMAND  run this as the relay: words parted by blanks\n"
	"  --pid PID        tell the CPU and memory of this process\n"
	"  -6               media by IPv6\n"
	"  --insecure       take any certificate of the server\n"
	"  -T               print TAB-separated columns, see conf-load(1)\n"
	"  --json           print JSON\n"
	"  -q               tell of errors only\n"
	"  -V               print the version\n"
	"  --help           print this\n"
	"  --completion     print the completion for bash\n";

#define DRAIN_MS     4000
#define COMMAND_MAX  64 /* words */

enum {
	OPT_BOTH = 256,
	OPT_RAMP,
	OPT_AUDIO,
	OPT_AUDIO_HZ,
	OPT_VIDEO,
	OPT_FPS,
	OPT_SIZE,
	OPT_PAYLOAD,
	OPT_KEY,
	OPT_BURST,
	OPT_LOSS,
	OPT_RELAY,
	OPT_PID,
	OPT_INSECURE,
	OPT_JSON,
	OPT_HELP,
	OPT_COMPLETION,
};

struct tool {
	struct load_config load;
	const char *command[COMMAND_MAX + 1];
	bool quiet, columns, json;
};

PRINTF(2, 3)
static int complain(int status, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	io_log(IO_ERROR, "%s", text);
	return status;
}

static int print(const char *text)
{
	if (fputs(text, stdout) >= 0 && !fflush(stdout))
		return 0;
	return errno == EPIPE ? 0 : complain(3,
		"cannot write to standard output: %s", strerror(errno));
}

static int print_completion(void)
{
	struct buf b = {0};
	const char *text;
	int status;

	usage_completion(&b, "conf-load", usage_text);
	text = buf_cstr(&b);
	status = text ? print(text) : complain(3, "out of memory");
	buf_free(&b);
	return status;
}

/* ---- options: -1 is go on, else the exit status ---- */

static int number(const char *name, const char *s, uint64_t max,
	uint64_t *out)
{
	if (str_u64(s, 0, max, out))
		return complain(2, "%s: '%s' is no number up to %" PRIu64,
			name, s, max);
	return -1;
}

static int number32(const char *name, const char *s, uint32_t max,
	uint32_t *out)
{
	uint64_t n = 0;
	int status = number(name, s, max, &n);

	*out = (uint32_t)n;
	return status;
}

static int duration(const char *name, const char *s, uint64_t *ms)
{
	if (str_duration_ms(s, ms) || *ms > 86400000)
		return complain(2, "%s: '%s' is no time such as 10s", name,
			s);
	return -1;
}

/* "600k", "2M", "64000", "off". */
static int rate(const char *name, const char *s, uint32_t *bps)
{
	char digits[12] = "";
	size_t n = strlen(s);
	uint64_t v = 0, times = 1;

	*bps = 0;
	if (str_eq(s, "off"))
		return -1;
	if (n && (s[n - 1] == 'k' || s[n - 1] == 'M'))
		times = s[--n] == 'k' ? 1000 : 1000000;
	if (n && n < sizeof digits)
		memcpy(digits, s, n);
	if (str_u64(digits, 1, UINT32_MAX, &v) || v * times > UINT32_MAX)
		return complain(2, "%s: '%s' is no rate such as 600k", name,
			s);
	*bps = (uint32_t)(v * times);
	return -1;
}

static int size(const char *s, struct load_media *m)
{
	const char *x = strchr(s, 'x');
	char width[8] = "";
	uint64_t w, h;

	if (x && (size_t)(x - s) < sizeof width)
		memcpy(width, s, (size_t)(x - s));
	if (str_u64(width, 1, 16383, &w) || str_u64(x + 1, 1, 16383, &h))
		return complain(2, "--size: '%s' is no size such as 640x360",
			s);
	m->width = (uint16_t)w;
	m->height = (uint16_t)h;
	return -1;
}

static int loss(const char *s, unsigned *permille)
{
	uint32_t percent;
	int status = number32("--loss", s, 90, &percent);

	*permille = percent * 10;
	return status;
}

/* arg is cut into words. */
static int command(struct tool *t, char *arg)
{
	char *save = NULL;
	size_t n = 0;

	for (char *w = strtok_r(arg, " \t", &save); w;
		w = strtok_r(NULL, " \t", &save)) {
		if (n == COMMAND_MAX)
			return complain(2, "--relay: too many words");
		t->command[n++] = w;
	}
	if (!n)
		return complain(2, "--relay: no command");
	t->command[n] = NULL;
	t->load.relay = t->command;
	return -1;
}

static int pid(const char *s, pid_t *out)
{
	uint64_t n = 0;
	int status = number("--pid", s, INT32_MAX, &n);

	*out = (pid_t)n;
	return status;
}

static int option(struct tool *t, int c, char *arg)
{
	struct load_config *l = &t->load;
	struct load_media *m = &l->media;

	switch (c) {
	case 'p': return number32("-p", arg, LOAD_MAX_USERS, &l->publishers);
	case 'n': return number32("-n", arg, LOAD_MAX_USERS,
		&l->subscribers);
	case 't': return duration("-t", arg, &l->run_ms);
	case 'w': return duration("-w", arg, &l->wait_ms);
	case '6': l->ipv6 = true; return -1;
	case 'T': t->columns = true; return -1;
	case 'q': t->quiet = true; return -1;
	case OPT_BOTH: l->both = true; return -1;
	case OPT_RAMP: return duration("--ramp", arg, &l->ramp_ms);
	case OPT_AUDIO: return rate("--audio", arg, &m->audio_bps);
	case OPT_AUDIO_HZ: return number32("--audio-hz", arg, 400,
		&m->audio_hz);
	case OPT_VIDEO: return rate("--video", arg, &m->video_bps);
	case OPT_FPS: return number32("--fps", arg, 240, &m->video_fps);
	case OPT_SIZE: return size(arg, m);
	case OPT_PAYLOAD: return number32("--payload", arg, 1400,
		&m->payload_bytes);
	case OPT_KEY: return duration("--key", arg, &m->key_ms);
	case OPT_BURST: l->burst = true; return -1;
	case OPT_LOSS: return loss(arg, &l->loss_permille);
	case OPT_RELAY: return command(t, arg);
	case OPT_PID: return pid(arg, &l->pid);
	case OPT_INSECURE: l->insecure = true; return -1;
	case OPT_JSON: t->json = true; return -1;
	case 'V': return print("conf-load " CONF_VERSION "\n");
	case OPT_HELP: return print(usage_text);
	case OPT_COMPLETION: return print_completion();
	default: fputs(usage_text, stderr); return 2;
	}
}

/* What getopt_long has stopped at. */
static int refuse(char **argv)
{
	struct buf why = {0};

	usage_refused(&why, argv[optind - 1], optopt);
	(void)complain(2, "%s", buf_cstr(&why) ? buf_cstr(&why) : "");
	buf_free(&why);
	fputs(usage_text, stderr);
	return 2;
}

static int options(struct tool *t, int argc, char **argv)
{
	static const struct option longs[] = {
		{"both", no_argument, NULL, OPT_BOTH},
		{"ramp", required_argument, NULL, OPT_RAMP},
		{"audio", required_argument, NULL, OPT_AUDIO},
		{"audio-hz", required_argument, NULL, OPT_AUDIO_HZ},
		{"video", required_argument, NULL, OPT_VIDEO},
		{"fps", required_argument, NULL, OPT_FPS},
		{"size", required_argument, NULL, OPT_SIZE},
		{"payload", required_argument, NULL, OPT_PAYLOAD},
		{"key", required_argument, NULL, OPT_KEY},
		{"burst", no_argument, NULL, OPT_BURST},
		{"loss", required_argument, NULL, OPT_LOSS},
		{"relay", required_argument, NULL, OPT_RELAY},
		{"pid", required_argument, NULL, OPT_PID},
		{"insecure", no_argument, NULL, OPT_INSECURE},
		{"json", no_argument, NULL, OPT_JSON},
		{"help", no_argument, NULL, OPT_HELP},
		{"version", no_argument, NULL, 'V'},
		{"completion", no_argument, NULL, OPT_COMPLETION},
		{NULL, 0, NULL, 0},
	};
	char why[160];
	int c, status = -1;

	opterr = 0;
	while (status < 0 && (c = getopt_long(argc, argv, "p:n:t:w:6TqV",
		longs, NULL)) != -1)
		status = c == '?' ? refuse(argv) : option(t, c, optarg);
	if (status >= 0)
		return status;
	if (argc - optind > 1 || (t->columns && t->json))
		return option(t, '?', NULL);
	t->load.link = argv[optind];
	return load_check(&t->load, why) ? complain(2, "%s", why) : -1;
}

/* ---- the run ---- */

static void on_end(void *arg)
{
	struct tool *t = arg;

	io_loop_stop(t->load.loop, 0);
}

static void on_progress(void *arg, const char *text)
{
	(void)arg;
	io_log(IO_INFO, "%s", text);
}

static void on_stop(void *arg)
{
	load_stop(arg);
}

static int report(const struct tool *t, const struct load *l)
{
	struct buf out = {0};
	const char *text;
	int status;

	if (t->json)
		load_put_json(l, &out);
	else if (t->columns)
		load_put_columns(l, &out);
	else
		load_put_text(l, &out);
	text = buf_cstr(&out);
	status = text ? print(text) : complain(3, "out of memory");
	buf_free(&out);
	return status;
}

static int run(struct tool *t)
{
	struct load *l = load_new(&t->load);
	char why[160];
	int err, status;

	if (!l)
		return complain(3, "cannot start: %s", strerror(errno));
	err = load_start(l, why);
	if (err) {
		load_free(l);
		return complain(err == -EHOSTUNREACH ? 75 :
			t->load.relay && err == -ENOENT ? 127 : 3, "%s", why);
	}
	if (io_stop_on_signals(t->load.loop, -1, DRAIN_MS, on_stop, l)) {
		load_free(l);
		return complain(3, "cannot watch for the end");
	}
	io_loop_run(t->load.loop);
	status = load_came(l) || t->json || t->columns ? report(t, l) : 0;
	if (!status)
		status = load_status(l);
	load_free(l);
	return status;
}

int main(int argc, char **argv)
{
	struct tool t = {.load = {
		.publishers = 1,
		.subscribers = 1,
		.media = {.audio_bps = 32000, .audio_hz = 50,
			.video_bps = 600000, .video_fps = 30, .width = 640,
			.height = 360, .payload_bytes = 1100,
			.key_ms = 10000},
		.run_ms = 10000,
		.wait_ms = 20000,
		.on_end = on_end,
		.on_progress = on_progress,
		.arg = &t,
	}};
	int status;

	io_std_fds();
	io_ignore_sigpipe();
	io_log_to(2, "conf-load", IO_INFO);
	status = options(&t, argc, argv);
	if (status >= 0)
		return status;
	io_log_to(2, "conf-load", t.quiet ? IO_ERROR : IO_INFO);
	t.load.loop = io_loop_new();
	status = t.load.loop ? run(&t) : complain(3, "cannot start");
	io_loop_free(t.load.loop);
	return status;
}
