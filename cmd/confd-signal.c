/* confd-signal - the meetings: who is in them, who may do what, what
 * happened; spoken to by browsers (HTTPS, WebSocket) and on Unix sockets. */
#include <getopt.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base.h"
#include "crypt.h"
#include "hub.h"
#include "hub_wishes.h"
#include "io.h"

static const char usage_text[] =
	"usage: confd-signal [options]\n"
	"       confd-signal --help | -V | --completion\n"
	"\n"
	"Keeps the meetings and serves browsers over HTTPS and tools on\n"
	"signal.sock. Stays in the foreground; SIGTERM and SIGINT end it,\n"
	"SIGHUP lets it read its certificate and --reload again.\n"
	"\n"
	"  --listen ADDR:PORT  serve browsers there (default *:8443 and\n"
	"                      [::]:8443); may be given several times\n"
	"  --tls on|off        off: plain HTTP, on loopback addresses only\n"
	"  --tls-cert FILE     certificate (PEM, with its chain); by default\n"
	"                      one of our own, made once\n"
	"  --tls-key FILE      its key (PEM)\n"
	"  --hsts              tell browsers to insist on TLS\n"
	"  --url BASE          what join links begin with\n"
	"  --allow-origin URL  let pages of this origin connect too\n"
	"  --frame-ancestors ORIGINS\n"
	"                      let pages of these origins ('none', 'self')\n"
	"                      show the page in a frame, see conf-embed(7)\n"
	"  --base-path PATH    be below PATH ('/conf'), and nowhere else\n"
	"  --trust-proxy CIDR  believe proxies of this network (or address)\n"
	"                      whom they ask for; may be given several times\n"
	"  --reload FILE       at SIGHUP take url, allow-origin,\n"
	"                      frame-ancestors, trust-proxy, tls-cert and\n"
	"                      tls-key from [signal] in FILE\n"
	"  --metrics ADDR:PORT tell Prometheus there, over plain HTTP, at\n"
	"                      /metrics, as signal.sock does always\n"
	"  --www DIR           the client's files\n"
	"  --rundir DIR        where signal.sock and worker.sock are\n"
	"  --statedir DIR      where the log and the keys are\n"
	"  --sync full|normal  survive power loss (default), or kill -9 only\n"
	"  --worker-key FILE   key of the workers' secrets (worker.key in the\n"
	"                      run directory)\n"
	"  --socket-group G    let members of group G use signal.sock\n"
	"  --audit FILE|off    write down there what bears on security\n"
	"                      (audit.log in the state directory)\n"
	"  --limit-sources N   how many addresses limits are kept for\n"
	"                      (65536); 0: no limits\n"
	"  --limit-requests N  what one of them may ask for in a second (200)\n"
	"  --limit-loopback on|off  limit loopback too (default off)\n"
	"  --session-age TIME  how long one who left can come back without a\n"
	"                      link (1d)\n"
	"  --sandbox on|off    give up what it does not need (default on)\n"
	"  --sandbox-selftest  try what the sandbox forbids and leaves\n"
	"  --lifeline FD       end when FD reaches its end of file\n"
	"  -d FD               write a newline to FD when ready\n"
	"  -q                  tell of warnings and errors only\n"
	"  -v                  tell more\n"
	"  -V                  print the version\n"
	"  --help              print this\n"
	"  --completion        print the completion for bash\n";

enum {
	OPT_LISTEN = 256, OPT_TLS, OPT_CERT, OPT_KEY, OPT_HSTS, OPT_URL,
	OPT_ORIGIN, OPT_FRAME, OPT_BASE, OPT_TRUST, OPT_RELOAD, OPT_METRICS,
	OPT_WWW, OPT_RUNDIR, OPT_STATEDIR, OPT_SYNC, OPT_WORKER_KEY,
	OPT_GROUP, OPT_AUDIT, OPT_SOURCES, OPT_REQUESTS, OPT_LOOPBACK,
	OPT_SESSION_AGE, OPT_SANDBOX, OPT_SELFTEST, OPT_LIFELINE, OPT_HELP,
	OPT_COMPLETION
};

#define ADDRS   HUB_HTTP
#define DRAIN_MS 3000

struct app {
	const char *listen[ADDRS];
	size_t n_listen;
	struct hub_wishes wishes;
	const char *www, *rundir, *statedir, *base_path, *reload;
	const char *metrics;
	const char *worker_key, *group, *audit;
	bool tls, hsts, sync_full, sandbox, selftest, limit_loopback;
	uint64_t sources, requests, session_ms;
	int lifeline, ready_fd;
	enum io_level level;

	gid_t gid;
	char run[IO_PATH_CAP], state[4096], www_path[4096];
	char audit_path[4096 + 16];
	char own_base[HUB_URL_CAP]; /* of links, as we see ourselves */
	char signal_path[IO_PATH_CAP + 16], worker_path[IO_PATH_CAP + 16];
	int http[ADDRS];
	int n_http;
	struct io_loop *loop;
	struct cert *cert;
	struct hub *hub;
};

PRINTF(2, 3)
static int complain(int status, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	io_log(IO_ERROR, "%s", text);
	return status;
}

static int flush_stdout(void)
{
	if (fflush(stdout) == 0 || errno == EPIPE)
		return 0;
	return complain(3, "cannot write to standard output: %s",
		strerror(errno));
}

static int print_completion(void)
{
	struct buf b = {0};

	usage_completion(&b, "confd-signal", usage_text);
	fputs(buf_cstr(&b) ? (const char *)b.data : "", stdout);
	buf_free(&b);
	return flush_stdout();
}

/* --- Options ------------------------------------------------------------- */

static int number_of(const char *s, int *out)
{
	uint64_t n;

	if (str_u64(s, 0, 65535, &n))
		return -EINVAL;
	*out = (int)n;
	return 0;
}

/* One of two words. */
static int word_of(const char *s, const char *yes, const char *no, bool *out)
{
	*out = str_eq(s, yes);
	return *out || str_eq(s, no) ? 0 : -EINVAL;
}

static int add_word(const char **list, size_t *n, size_t max, const char *s)
{
	if (*n == max)
		return -EINVAL;
	list[(*n)++] = s;
	return 0;
}

static int check(struct app *a)
{
	char why[HUB_WHY_CAP], base[HUB_URL_CAP] = "";
	union io_addr at;

	if (a->base_path && hub_base_path(base, a->base_path))
		return complain(2, "not a path to be below: '%s'",
			a->base_path);
	if (a->metrics && io_addr_parse(&at, a->metrics))
		return complain(2, "not an address for metrics: '%s'",
			a->metrics);
	if (!a->tls && a->hsts)
		return complain(2, "--tls off goes with no --hsts");
	return hub_wishes_check(&a->wishes, a->tls, a->base_path, why) ?
		complain(2, "%s", why) : -1;
}

static const struct option longs[] = {
	{"listen", required_argument, NULL, OPT_LISTEN},
	{"tls", required_argument, NULL, OPT_TLS},
	{"tls-cert", required_argument, NULL, OPT_CERT},
	{"tls-key", required_argument, NULL, OPT_KEY},
	{"hsts", no_argument, NULL, OPT_HSTS},
	{"url", required_argument, NULL, OPT_URL},
	{"allow-origin", required_argument, NULL, OPT_ORIGIN},
	{"frame-ancestors", required_argument, NULL, OPT_FRAME},
	{"base-path", required_argument, NULL, OPT_BASE},
	{"trust-proxy", required_argument, NULL, OPT_TRUST},
	{"reload", required_argument, NULL, OPT_RELOAD},
	{"metrics", required_argument, NULL, OPT_METRICS},
	{"www", required_argument, NULL, OPT_WWW},
	{"rundir", required_argument, NULL, OPT_RUNDIR},
	{"statedir", required_argument, NULL, OPT_STATEDIR},
	{"sync", required_argument, NULL, OPT_SYNC},
	{"worker-key", required_argument, NULL, OPT_WORKER_KEY},
	{"socket-group", required_argument, NULL, OPT_GROUP},
	{"audit", required_argument, NULL, OPT_AUDIT},
	{"limit-sources", required_argument, NULL, OPT_SOURCES},
	{"limit-requests", required_argument, NULL, OPT_REQUESTS},
	{"limit-loopback", required_argument, NULL, OPT_LOOPBACK},
	{"session-age", required_argument, NULL, OPT_SESSION_AGE},
	{"sandbox", required_argument, NULL, OPT_SANDBOX},
	{"sandbox-selftest", no_argument, NULL, OPT_SELFTEST},
	{"lifeline", required_argument, NULL, OPT_LIFELINE},
	{"help", no_argument, NULL, OPT_HELP},
	{"version", no_argument, NULL, 'V'},
	{"completion", no_argument, NULL, OPT_COMPLETION},
	{NULL, 0, NULL, 0},
};

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

/* -1: go on; else the exit status. */
static int options(struct app *a, int argc, char **argv)
{
	struct hub_wishes *w = &a->wishes;
	int c, err = 0;

	opterr = 0;
	while (!err && (c = getopt_long(argc, argv, "d:qvV", longs, NULL)) !=
		-1) {
		switch (c) {
		case OPT_LISTEN: err = add_word(a->listen, &a->n_listen, ADDRS,
			optarg); break;
		case OPT_ORIGIN: err = hub_wish(w, HUB_ORIGIN, optarg); break;
		case OPT_FRAME: err = hub_wish(w, HUB_FRAME, optarg); break;
		case OPT_TRUST: err = hub_wish(w, HUB_TRUST, optarg); break;
		case OPT_CERT: err = hub_wish(w, HUB_CERT, optarg); break;
		case OPT_KEY: err = hub_wish(w, HUB_CERT_KEY, optarg); break;
		case OPT_URL: err = hub_wish(w, HUB_URL, optarg); break;
		case OPT_BASE: a->base_path = optarg; break;
		case OPT_RELOAD: a->reload = optarg; break;
		case OPT_METRICS: a->metrics = optarg; break;
		case OPT_TLS: err = word_of(optarg, "on", "off", &a->tls);
			break;
		case OPT_SYNC: err = word_of(optarg, "full", "normal",
			&a->sync_full); break;
		case OPT_HSTS: a->hsts = true; break;
		case OPT_WWW: a->www = optarg; break;
		case OPT_RUNDIR: a->rundir = optarg; break;
		case OPT_STATEDIR: a->statedir = optarg; break;
		case OPT_WORKER_KEY: a->worker_key = optarg; break;
		case OPT_GROUP: a->group = optarg; break;
		case OPT_AUDIT: a->audit = optarg; break;
		case OPT_SOURCES: err = str_u64(optarg, 0, HUB_SOURCES,
			&a->sources); break;
		case OPT_REQUESTS: err = str_u64(optarg, 1, 100000,
			&a->requests); break;
		case OPT_LOOPBACK: err = word_of(optarg, "on", "off",
			&a->limit_loopback); break;
		case OPT_SESSION_AGE: err = str_duration_ms(optarg,
			&a->session_ms); break;
		case OPT_SANDBOX: err = word_of(optarg, "on", "off",
			&a->sandbox); break;
		case OPT_SELFTEST: a->selftest = true; break;
		case OPT_LIFELINE: err = number_of(optarg, &a->lifeline);
			break;
		case 'd': err = number_of(optarg, &a->ready_fd); break;
		case 'q': a->level = IO_WARN; break;
		case 'v': a->level = IO_DEBUG; break;
		case 'V': puts("confd-signal " CONF_VERSION);
			return flush_stdout();
		case OPT_HELP: fputs(usage_text, stdout);
			return flush_stdout();
		case OPT_COMPLETION: return print_completion();
		default: return refuse(argv);
		}
	}
	if (!err && optind == argc)
		return check(a);
	fputs(usage_text, stderr);
	return 2;
}

/* --- Places -------------------------------------------------------------- */

static int directories(struct app *a)
{
	struct group *g = a->group ? getgrnam(a->group) : NULL;
	int err;

	if (a->group && !g)
		return complain(2, "no group '%s'", a->group);
	a->gid = g ? g->gr_gid : (gid_t)-1;
	if (a->rundir)
		setenv("CONF_RUNDIR", a->rundir, 1);
	if (a->statedir)
		setenv("CONF_STATEDIR", a->statedir, 1);
	err = io_state_dir(a->state);
	if (!err)
		err = io_mkdirs(a->state, 0700);
	if (err)
		return complain(3, "cannot make the state directory '%s': %s",
			a->state, strerror(-err));
	err = io_run_dir_make(a->run, a->gid);
	if (err)
		return complain(3, "no run directory can be made or written: "
			"%s", strerror(-err));
	return -1;
}

static int find_www(struct app *a)
{
	if (a->www)
		return -1;
	a->www = a->www_path;
	return hub_find_www(a->www_path) ? complain(2, "the client's files "
		"are not in '%s': give --www", a->www) : -1;
}

/* --- Sockets ------------------------------------------------------------- */

static int open_http(struct app *a)
{
	char why[256];
	int status = hub_http_open(a->listen, a->n_listen, a->http,
		&a->n_http, why);

	if (!status)
		status = hub_http_check(a->http, a->n_http, a->tls,
			a->own_base, why);
	if (!status && a->base_path)
		hub_base_path(a->own_base, a->base_path);
	return status ? complain(status, "%s", why) : -1;
}

/* Those of one kind, our own by the path that is kept to remove it. */
static int open_unix(struct app *a, const char *name, char *path,
	mode_t mode, gid_t gid)
{
	char why[256];
	int status = hub_unix_open(a->hub, a->run, name, mode, gid, path,
		sizeof(a->signal_path), why);

	return status ? complain(status, "%s", why) : -1;
}

static int open_metrics(struct app *a)
{
	char why[256];
	int status = a->metrics ? hub_metrics_open(a->hub, a->metrics, why) :
		0;

	return status ? complain(status, "%s", why) : -1;
}

/* --- The whole ----------------------------------------------------------- */

static int certificate(struct app *a)
{
	char why[HUB_WHY_CAP];
	int status = a->tls ? hub_wishes_cert(&a->wishes, a->state, &a->cert,
		why) : 0;

	return status ? complain(status, "%s", why) : -1;
}

static int make_hub(struct app *a)
{
	char why[256], path[IO_PATH_CAP + 16];
	struct hub_config c = {.state_dir = a->state, .www = a->www,
		.base = a->base_path, .cert = a->cert, .hsts = a->hsts,
		.sync_full = a->sync_full, .op_gid = a->gid,
		.audit = a->audit_path, .session_ms = a->session_ms,
		.limit_sources = (uint32_t)a->sources,
		.limit_requests = (uint32_t)a->requests,
		.limit_loopback = a->limit_loopback};
	const char *key = a->worker_key ? a->worker_key : path;
	int err;

	snprintf(path, sizeof(path), "%s/worker.key", a->run);
	if (str_eq(a->audit, "off"))
		c.audit = NULL;
	else if (a->audit)
		c.audit = a->audit;
	else
		snprintf(a->audit_path, sizeof(a->audit_path), "%s/audit.log",
			a->state);
	hub_wishes_fill(&a->wishes, a->own_base, &c);
	err = hub_worker_key(key, c.worker_key);
	if (err)
		return complain(err == -EACCES || err == -EINVAL ||
			a->worker_key ? 2 : 3, "cannot use the key '%s': %s",
			key, err == -EACCES ? "others can read it" :
			err == -EINVAL ? "it is malformed" : strerror(-err));
	a->hub = hub_new(a->loop, &c, why);
	explicit_bzero(c.worker_key, sizeof(c.worker_key));
	if (a->hub)
		return -1;
	err = errno;
	return complain(err == EBUSY ? 75 : err == EINVAL || err == EACCES ||
		err == ENOENT || err == ENOTDIR ? 2 : 3, "%s", why);
}

/* SIGHUP: all that can change does, or nothing. */
static void again(void *arg)
{
	struct app *a = arg;
	struct hub_wishes next = {0};
	struct hub_config c = {0};
	struct cert *cert = NULL;
	char why[HUB_WHY_CAP];
	int status = a->reload ? hub_wishes_read(&next, a->reload, why) : 0;
	const struct hub_wishes *w = a->reload ? &next : &a->wishes;

	if (!status && a->reload)
		status = hub_wishes_check(&next, a->tls, a->base_path, why);
	if (!status && a->tls)
		status = hub_wishes_cert(w, a->state, &cert, why);
	c.cert = cert;
	hub_wishes_fill(w, a->own_base, &c);
	if (!status)
		status = hub_renew(a->hub, &c, why);
	if (status) {
		complain(status, "%s", why);
		io_log(IO_WARN, "all stays as it was before SIGHUP");
	} else {
		struct cert *former = a->cert;

		a->cert = cert;
		cert = former;
		io_log(IO_INFO, "read again: %s%s%s", a->tls ?
			"the certificate" : "", a->tls && a->reload ? ", " :
			"", a->reload ? a->reload : a->tls ? "" : "nothing");
	}
	cert_free(cert);
	hub_wishes_free(&next);
}

static void drained(void *arg)
{
	struct app *a = arg;

	io_loop_stop(a->loop, 0);
}

static void drain(void *arg)
{
	struct app *a = arg;

	io_log(IO_INFO, "ending");
	hub_drain(a->hub, drained, a);
}

/* Enters it, or tries it out. -1: go on; else the exit status. */
static int sandbox(struct app *a)
{
	const struct io_sandbox_path paths[] = {
		{IO_PLACE_STATE, a->state}, {IO_PLACE_RUN, a->run},
		{IO_PLACE_WWW, a->www}, {IO_PLACE_KEY, a->reload},
		{IO_PLACE_KEY, hub_wished(&a->wishes, HUB_CERT)},
		{IO_PLACE_KEY, hub_wished(&a->wishes, HUB_CERT_KEY)},
	};
	const struct io_sandbox s = {.role = IO_ROLE_SIGNAL,
		.off = !a->sandbox, .paths = paths,
		.n_paths = ARRAY_LEN(paths)};
	struct buf out = {0};
	int err;

	if (!a->selftest)
		return io_sandbox_enter(&s) ? 3 : -1;
	err = io_sandbox_selftest(&s, &out);
	fputs(buf_cstr(&out) ? (const char *)out.data : "", stdout);
	buf_free(&out);
	if (err < 0)
		return complain(3, "cannot test: %s", strerror(-err));
	return flush_stdout() || err ? 3 : 0;
}

static int serve(struct app *a)
{
	bool shared = a->gid != (gid_t)-1;
	int status, err = 0;

	a->loop = io_loop_new();
	if (!a->loop || io_stop_on_signals(a->loop, a->lifeline, DRAIN_MS,
		drain, a) || io_again_on_hangup(a->loop, again, a))
		return complain(3, "cannot set up: %s", strerror(errno));
	status = make_hub(a);
	for (int i = 0; status < 0 && !err && i < a->n_http; i++)
		err = hub_listen_http(a->hub, a->http[i]);
	if (err)
		return complain(3, "cannot serve HTTP: %s", strerror(-err));
	if (status < 0)
		status = open_unix(a, "signal", a->signal_path, shared ?
			0660 : 0600, a->gid);
	if (status < 0)
		status = open_unix(a, "worker", a->worker_path, 0600,
			(gid_t)-1);
	if (status < 0)
		status = open_metrics(a);
	if (status < 0)
		status = sandbox(a);
	if (status >= 0)
		return status;
	io_log(IO_INFO, "signal.sock and worker.sock in %s, log in %s",
		a->run, a->state);
	io_ready(a->ready_fd);
	return io_loop_run(a->loop);
}

/* Each connection is a descriptor; the default limit is for shells. */
static void raise_limits(void)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r) == 0) {
		r.rlim_cur = r.rlim_max;
		setrlimit(RLIMIT_NOFILE, &r);
	}
}

int main(int argc, char **argv)
{
	struct app a = {.tls = true, .sync_full = true, .sandbox = true,
		.lifeline = -1, .ready_fd = -1, .level = IO_INFO,
		.sources = HUB_SOURCES, .requests = HUB_REQUESTS,
		.session_ms = HUB_SESSION_MS};
	int status;

	io_std_fds();
	io_log_to(2, "confd-signal", IO_INFO);
	status = options(&a, argc, argv);
	if (status >= 0)
		goto out;
	io_log_to(2, "confd-signal", a.level);
	io_ignore_sigpipe();
	signal(SIGHUP, SIG_IGN); /* until there is something to read again */
	signal(SIGXFSZ, SIG_IGN); /* a full log is refused, not fatal */
	umask(077);
	raise_limits();
	status = directories(&a);
	if (status < 0)
		status = find_www(&a);
	if (status < 0 && a.selftest)
		status = sandbox(&a);
	if (status < 0)
		status = certificate(&a);
	if (status < 0)
		status = open_http(&a);
	if (status < 0)
		status = serve(&a);
out:
	hub_free(a.hub);
	io_loop_free(a.loop);
	cert_free(a.cert);
	hub_wishes_free(&a.wishes);
	if (*a.signal_path)
		unlink(a.signal_path);
	if (*a.worker_path)
		unlink(a.worker_path);
	return status;
}
