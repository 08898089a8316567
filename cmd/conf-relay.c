/* conf-relay - forwards the media of meetings between their participants. */
#include <getopt.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "base.h"
#include "io.h"
#include "peer.h"
#include "relayctl.h"

static const char usage_text[] =
	"usage: conf-relay [--media ADDR:PORT]... [--announce IP]...\n"
	"                  [--control PATH --instance NAME --secret-fd FD]\n"
	"                  [--bus PATH] [--open-bus] [--socket-group G]\n"
	"                  [--sandbox on|off] [-d FD] [--lifeline FD]\n"
	"                  [-q] [-v]\n"
	"       conf-relay --help | -V | --completion\n"
	"\n"
	"Takes the media of participants by WebRTC and hands each what the\n"
	"others send. Without --control, requests are read from standard\n"
	"input and answered on standard output, a JSON object on each line.\n"
	"\n"
	"  --media ADDR:PORT  listen there for UDP; once for each of IPv4 and\n"
	"                     IPv6 (default *:8500 and [::]:8500)\n"
	"  --announce IP      say this address in place of those found here\n"
	"  --control PATH     take requests from this Unix socket\n"
	"  --instance NAME    be this one to it (default relay-0)\n"
	"  --secret-fd FD     read from FD what proves that\n"
	"  --bus PATH         listen there for programs of this host\n"
	"                     (default NAME.bus beside the --control socket)\n"
	"  --open-bus         let them say themselves who they are\n"
	"  --socket-group G   let members of group G use the bus\n"
	"  --sandbox on|off   give up what it does not need (default on)\n"
	"  --sandbox-selftest try what the sandbox forbids and leaves\n"
	"  -d FD              write a newline to FD when ready\n"
	"  --lifeline FD      stop when FD reaches its end of file\n"
	"  -q                 tell of warnings and errors only\n"
	"  -v                 tell more\n"
	"  -V                 print the version\n"
	"  --help             print this\n"
	"  --completion       print the completion for bash\n";

#define DRAIN_MS      3000
#define SECRET_MAX    128
#define MAX_ANNOUNCE  32

enum {
	OPT_MEDIA = 256,
	OPT_ANNOUNCE,
	OPT_CONTROL,
	OPT_INSTANCE,
	OPT_SECRET,
	OPT_BUS,
	OPT_OPEN_BUS,
	OPT_GROUP,
	OPT_SANDBOX,
	OPT_SELFTEST,
	OPT_LIFELINE,
	OPT_HELP,
	OPT_COMPLETION,
};

struct relay {
	const char *control, *instance, *bus, *group;
	char bus_path[IO_PATH_CAP];
	const char *media[2];
	unsigned n_media;
	union io_addr announce[MAX_ANNOUNCE];
	unsigned n_announce;
	int secret_fd, ready_fd, lifeline;
	bool open_bus, no_sandbox, selftest;
	enum io_level level;
	struct io_loop *loop;
	struct peer_port *port;
	struct relayctl *ctl;
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

/* ---- options ---- */

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

	usage_completion(&b, "conf-relay", usage_text);
	text = buf_cstr(&b);
	status = text ? print(text) : complain(3, "out of memory");
	buf_free(&b);
	return status;
}

static int read_fd(const char *s, int *fd)
{
	uint64_t n;

	if (str_u64(s, 0, 1u << 20, &n))
		return complain(2, "'%s' is no descriptor", s);
	*fd = (int)n;
	return -1;
}

static int add_media(struct relay *r, const char *s)
{
	union io_addr a;

	if (io_addr_parse(&a, s))
		return complain(2, "'%s' is no address with a port", s);
	if (r->n_media == ARRAY_LEN(r->media))
		return complain(2, "--media: one address for each of IPv4 "
			"and IPv6");
	r->media[r->n_media++] = s;
	return -1;
}

static int add_announce(struct relay *r, const char *s)
{
	char text[IO_ADDR_CAP + 8];

	snprintf(text, sizeof text, strchr(s, ':') ? "[%s]:0" : "%s:0", s);
	if (r->n_announce == MAX_ANNOUNCE)
		return complain(2, "more than %u --announce", MAX_ANNOUNCE);
	if (!*s || *s == '*' || strlen(s) >= IO_ADDR_CAP ||
	    io_addr_parse(&r->announce[r->n_announce], text))
		return complain(2, "'%s' is no address", s);
	r->n_announce++;
	return -1;
}

static int read_sandbox(struct relay *r, const char *s)
{
	r->no_sandbox = str_eq(s, "off");
	return r->no_sandbox || str_eq(s, "on") ? -1 :
		complain(2, "--sandbox is on or off");
}

/* -1: go on; else the exit status. */
static int option(struct relay *r, int c, const char *arg)
{
	switch (c) {
	case OPT_MEDIA: return add_media(r, arg);
	case OPT_ANNOUNCE: return add_announce(r, arg);
	case OPT_CONTROL: r->control = arg; return -1;
	case OPT_INSTANCE: r->instance = arg; return -1;
	case OPT_SECRET: return read_fd(arg, &r->secret_fd);
	case OPT_BUS: r->bus = arg; return -1;
	case OPT_OPEN_BUS: r->open_bus = true; return -1;
	case OPT_GROUP: r->group = arg; return -1;
	case OPT_SANDBOX: return read_sandbox(r, arg);
	case OPT_SELFTEST: r->selftest = true; return -1;
	case OPT_LIFELINE: return read_fd(arg, &r->lifeline);
	case 'd': return read_fd(arg, &r->ready_fd);
	case 'q': r->level = IO_WARN; return -1;
	case 'v': r->level = IO_DEBUG; return -1;
	case 'V': return print("conf-relay " CONF_VERSION "\n");
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

static int options(struct relay *r, int argc, char **argv)
{
	static const struct option longs[] = {
		{"media", required_argument, NULL, OPT_MEDIA},
		{"announce", required_argument, NULL, OPT_ANNOUNCE},
		{"control", required_argument, NULL, OPT_CONTROL},
		{"instance", required_argument, NULL, OPT_INSTANCE},
		{"secret-fd", required_argument, NULL, OPT_SECRET},
		{"bus", required_argument, NULL, OPT_BUS},
		{"open-bus", no_argument, NULL, OPT_OPEN_BUS},
		{"socket-group", required_argument, NULL, OPT_GROUP},
		{"sandbox", required_argument, NULL, OPT_SANDBOX},
		{"sandbox-selftest", no_argument, NULL, OPT_SELFTEST},
		{"lifeline", required_argument, NULL, OPT_LIFELINE},
		{"help", no_argument, NULL, OPT_HELP},
		{"version", no_argument, NULL, 'V'},
		{"completion", no_argument, NULL, OPT_COMPLETION},
		{NULL, 0, NULL, 0},
	};
	int c, status = -1;

	opterr = 0;
	while (status < 0 && (c = getopt_long(argc, argv, "d:qvV", longs,
		NULL)) != -1)
		status = c == '?' ? refuse(argv) : option(r, c, optarg);
	if (status >= 0)
		return status;
	if (optind < argc)
		return option(r, '?', NULL);
	if (!r->control && r->secret_fd >= 0)
		return complain(2, "--secret-fd is for --control");
	if (r->control && r->secret_fd < 0)
		return complain(2, "--control needs --secret-fd");
	if (!r->control && !r->bus && (r->open_bus || r->group))
		return complain(2, "without --control the bus needs --bus");
	return -1;
}

/* ---- sockets ---- */

static int cannot_listen(const char *where, int err)
{
	int status = err == -EADDRINUSE ? 75 : err == -EADDRNOTAVAIL ||
		err == -EINVAL || err == -EAFNOSUPPORT ? 2 : 3;

	return complain(status, "cannot listen on '%s': %s", where,
		strerror(-err));
}

/* What we were given, else what --media says, else both wildcards, of which
 * that of a family this host lacks is left out. */
static int open_media(struct relay *r, int fds[2], unsigned *n)
{
	static const char *const defaults[] = {"*:8500", "[::]:8500"};
	const char *const *where = r->n_media ? r->media : defaults;
	unsigned n_where = r->n_media ? r->n_media : ARRAY_LEN(defaults);
	int got = io_inherited("media0", fds, 2), err = 0;
	union io_addr a;

	*n = got > 0 && !r->n_media ? (unsigned)got : 0;
	for (unsigned i = 0; !(got > 0 && !r->n_media) && i < n_where; i++) {
		(void)io_addr_parse(&a, where[i]);
		err = io_udp_bind(&a);
		if (err >= 0)
			fds[(*n)++] = err;
		else if (r->n_media || (err != -EAFNOSUPPORT &&
				err != -EADDRNOTAVAIL))
			return cannot_listen(where[i], err);
	}
	return *n ? 0 : cannot_listen(where[0], err);
}

static void tell_addresses(const int *fds, unsigned n)
{
	char text[IO_ADDR_CAP];
	union io_addr a;

	for (unsigned i = 0; i < n; i++) {
		if (io_local_addr(fds[i], &a))
			continue;
		io_addr_format(text, &a);
		io_log(IO_INFO, "media on %s", text);
	}
}

static int open_port(struct relay *r)
{
	struct peer_port_config c = {
		.announce = r->announce,
		.n_announce = r->n_announce,
	};
	int fds[2] = {-1, -1}, status = open_media(r, fds, &c.n_fds);

	if (status) {
		for (unsigned i = 0; i < c.n_fds; i++)
			close(fds[i]);
		return status;
	}
	tell_addresses(fds, c.n_fds);
	c.fds = fds;
	r->port = peer_port_new(r->loop, &c);
	if (r->port)
		return 0;
	return complain(errno == EINVAL ? 2 : 3, "cannot use the media "
		"sockets: %s", strerror(errno));
}

/* ---- control ---- */

static void on_end(void *arg, int code)
{
	struct relay *r = arg;

	io_loop_stop(r->loop, code ? 3 : 0);
}

/* Beside the socket of control, unless it is said where. */
static int bus_path(struct relay *r)
{
	const char *slash = r->control ? strrchr(r->control, '/') : NULL;
	int dir = slash ? (int)(slash - r->control) + 1 : 0, n;

	n = r->bus ? snprintf(r->bus_path, sizeof r->bus_path, "%s", r->bus) :
		snprintf(r->bus_path, sizeof r->bus_path, "%.*s%s.bus", dir,
			r->control, r->instance);
	return n >= (int)sizeof r->bus_path ? complain(2, "the path of the "
		"bus is longer than %zu bytes", sizeof r->bus_path - 1) : 0;
}

static int open_bus(struct relay *r)
{
	const struct group *g = r->group ? getgrnam(r->group) : NULL;
	int err;

	if (r->group && !g)
		return complain(2, "no group '%s'", r->group);
	if (!r->control && !r->bus)
		return 0;
	err = bus_path(r);
	if (err)
		return err;
	err = relayctl_listen(r->ctl, r->bus_path, g ? 0660 : 0600,
		g ? g->gr_gid : (gid_t)-1, r->open_bus);
	return err ? cannot_listen(r->bus_path, err) : 0;
}

static int open_control(struct relay *r)
{
	struct relayctl_config c = {
		.loop = r->loop,
		.port = r->port,
		.agent = "conf-relay/" CONF_VERSION,
		.on_end = on_end,
		.arg = r,
	};
	struct buf secret = {0};
	const char *s;
	int err;

	io_random(&c.seed, sizeof c.seed);
	r->ctl = relayctl_new(&c);
	if (!r->ctl)
		return complain(3, "cannot start: %s", strerror(errno));
	err = open_bus(r);
	if (err)
		return err;
	if (!r->control) {
		err = relayctl_serve(r->ctl, 0, 1);
		return err ? complain(3, "cannot use standard input and "
			"output: %s", strerror(-err)) : 0;
	}
	err = io_fd_read_all(r->secret_fd, SECRET_MAX, &secret);
	while (secret.len && secret.data[secret.len - 1] == '\n')
		secret.len--;
	s = buf_cstr(&secret);
	if (err || !s || !*s || strlen(s) != secret.len)
		err = complain(2, "cannot read the secret from descriptor %d"
			"%s%s", r->secret_fd, err ? ": " : "",
			err ? strerror(-err) : "");
	else if (relayctl_dial(r->ctl, r->control, r->instance, s))
		err = complain(2, "--control or --instance cannot be used");
	if (secret.data)
		explicit_bzero(secret.data, secret.cap);
	buf_free(&secret);
	return err;
}

/* ---- the whole ---- */

static int selftest(const struct io_sandbox *s)
{
	struct buf out = {0};
	int bad = io_sandbox_selftest(s, &out), status;

	status = bad < 0 ? complain(3, "cannot test: %s", strerror(-bad)) :
		print(buf_cstr(&out) ? (const char *)out.data : "");
	buf_free(&out);
	return status || bad ? 3 : 0;
}

/* Where its socket stands, which it removes at its end. */
static void bus_dir(const struct relay *r, char out[IO_PATH_CAP])
{
	char *slash;

	str_copy(out, IO_PATH_CAP, *r->bus_path ? r->bus_path : "");
	slash = strrchr(out, '/');
	if (slash)
		slash[slash == out] = '\0';
	else if (*out)
		str_copy(out, IO_PATH_CAP, ".");
}

static void on_stop(void *arg)
{
	relayctl_drain(arg);
}

/* It has no file that could have changed: what it is to do, control says,
 * and its sandbox lets it open none. */
static void on_again(void *arg)
{
	(void)arg;
	io_log(IO_INFO, "SIGHUP: nothing to read again");
}

int main(int argc, char **argv)
{
	struct relay r = {
		.instance = "relay-0",
		.secret_fd = -1,
		.ready_fd = -1,
		.lifeline = -1,
		.level = IO_INFO,
	};
	char dir[IO_PATH_CAP] = "";
	struct io_sandbox_path bus = {IO_PLACE_RUN, dir};
	struct io_sandbox sandbox = {.role = IO_ROLE_RELAY, .paths = &bus,
		.n_paths = 1};
	int status;

	io_std_fds();
	io_ignore_sigpipe();
	signal(SIGHUP, SIG_IGN);
	io_log_to(2, "conf-relay", IO_INFO);
	status = options(&r, argc, argv);
	if (status >= 0)
		return status;
	io_log_to(2, "conf-relay", r.level);
	if (r.selftest)
		return selftest(&sandbox);
	sandbox.off = r.no_sandbox;
	r.loop = io_loop_new();
	status = r.loop ? open_port(&r) : complain(3, "cannot start");
	if (!status)
		status = open_control(&r);
	if (!status && (io_stop_on_signals(r.loop, r.lifeline, DRAIN_MS,
			on_stop, r.ctl) || io_again_on_hangup(r.loop,
			on_again, NULL)))
		status = complain(3, "cannot watch for the end");
	bus_dir(&r, dir);
	if (!status && io_sandbox_enter(&sandbox))
		status = 3;
	if (!status) {
		io_ready(r.ready_fd);
		status = io_loop_run(r.loop);
	}
	relayctl_free(r.ctl);
	peer_port_free(r.port);
	io_loop_free(r.loop);
	return status;
}
