/* confd-run - starts confd-signal, conf-relay and what templates ask for,
 * keeps them alive, and holds their listening sockets. */
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base.h"
#include "conf.h"
#include "hmac.h"
#include "io.h"
#include "super.h"

static const char usage_text[] =
	"usage: confd-run [--config FILE] [--sandbox on|off] [-d FD]\n"
	"                 [--lifeline FD] [-q] [-v]\n"
	"       confd-run --help | -V | --completion\n"
	"\n"
	"Starts confd-signal and conf-relay, restarts them when they end, and\n"
	"holds their listening sockets. Stays in the foreground; SIGTERM and\n"
	"SIGINT stop everything, SIGHUP reads certificates and configuration\n"
	"again. When all is ready, prints a table of NAME TAB ADDRESS on\n"
	"standard output and closes it.\n"
	"\n"
	"  --config FILE       read FILE in place of searching confkit.conf\n"
	"  --sandbox on|off    give up what it does not need (default on);\n"
	"                      off goes for its workers too\n"
	"  --sandbox-selftest  try what the sandbox forbids and leaves\n"
	"  -d FD               write a newline to FD when everything is ready\n"
	"  --lifeline FD       stop when FD reaches its end of file\n"
	"  -q                  tell of warnings and errors only, the workers\n"
	"                      too\n"
	"  -v                  tell more, the workers too\n"
	"  -V                  print the version\n"
	"  --help              print this\n"
	"  --completion        print the completion for bash\n";

enum {
	OPT_CONFIG = 256, OPT_SANDBOX, OPT_SELFTEST, OPT_LIFELINE, OPT_HELP,
	OPT_COMPLETION
};

struct run {
	const char *config;
	int ready_fd;
	int lifeline;
	enum io_level level;
	const char *sandbox; /* on, off, or as configured */
	bool selftest;
	struct conf *conf;
	struct super_settings set;
	struct io_loop *loop;
	struct super *super;
	struct super_dirs dirs;
	char key_path[IO_PATH_CAP + 16];
	char why[SUPER_WHY_CAP]; /* of the call that failed */
	int null_fd;
	uint8_t key[32];
	int status;
};

/* --- Words ------------------------------------------------------------- */

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

/* Of a call of super that says why it failed. */
static int told(const struct run *r, int status)
{
	return status ? complain(status, "%s", r->why) : 0;
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

	usage_completion(&b, "confd-run", usage_text);
	fputs(buf_cstr(&b) ? (const char *)b.data : "", stdout);
	buf_free(&b);
	return flush_stdout();
}

/* --- Options ------------------------------------------------------------ */

static int number_of(const char *s, int *out)
{
	uint64_t n;

	if (str_u64(s, 0, 65535, &n))
		return -EINVAL;
	*out = (int)n;
	return 0;
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

/* -1: go on; else the exit status. */
static int options(struct run *r, int argc, char **argv)
{
	static const struct option longs[] = {
		{"config", required_argument, NULL, OPT_CONFIG},
		{"sandbox", required_argument, NULL, OPT_SANDBOX},
		{"sandbox-selftest", no_argument, NULL, OPT_SELFTEST},
		{"lifeline", required_argument, NULL, OPT_LIFELINE},
		{"help", no_argument, NULL, OPT_HELP},
		{"version", no_argument, NULL, 'V'},
		{"completion", no_argument, NULL, OPT_COMPLETION},
		{NULL, 0, NULL, 0},
	};
	int c, err = 0;

	opterr = 0;
	while (!err && (c = getopt_long(argc, argv, "d:qvV", longs, NULL))
		!= -1) {
		switch (c) {
		case OPT_CONFIG: r->config = optarg; break;
		case OPT_SANDBOX: r->sandbox = optarg;
			err = str_eq(optarg, "on") || str_eq(optarg, "off") ?
				0 : -EINVAL;
			break;
		case OPT_SELFTEST: r->selftest = true; break;
		case OPT_LIFELINE: err = number_of(optarg, &r->lifeline); break;
		case 'd': err = number_of(optarg, &r->ready_fd); break;
		case 'q': r->level = IO_WARN; break;
		case 'v': r->level = IO_DEBUG; break;
		case 'V': puts("confd-run " CONF_VERSION);
			return flush_stdout();
		case OPT_HELP: fputs(usage_text, stdout);
			return flush_stdout();
		case OPT_COMPLETION: return print_completion();
		default: return refuse(argv);
		}
	}
	if (!err && optind == argc)
		return -1;
	fputs(usage_text, stderr);
	return 2;
}

/* --- Key and secrets ------------------------------------------------------ */

static int make_key(struct run *r)
{
	char hex[2 * sizeof(r->key) + 2];
	int err;

	io_random(r->key, sizeof(r->key));
	str_hex(hex, r->key, sizeof(r->key));
	hex[2 * sizeof(r->key)] = '\n';
	snprintf(r->key_path, sizeof(r->key_path), "%s/worker.key",
		r->dirs.run);
	err = io_file_write(r->key_path, 0600, hex, sizeof(hex) - 1);
	explicit_bzero(hex, sizeof(hex));
	return err ? complain(3, "cannot write '%s': %s", r->key_path,
		strerror(-err)) : 0;
}

static int secret_of(void *arg, const char *role, const char *instance,
	char out[SUPER_SECRET_CAP])
{
	const struct run *r = arg;
	uint8_t mac[SHA256_BYTES];
	char who[256];
	int n = snprintf(who, sizeof(who), "%s/%s", role, instance);
	int err = hmac_sha256(r->key, sizeof(r->key), who, (size_t)n, mac);

	if (!err)
		str_hex(out, mac, sizeof(mac));
	return err;
}

/* --- Events ------------------------------------------------------------ */

static void on_up(void *arg)
{
	struct run *r = arg;
	char addr[SUPER_ADDR_CAP];
	const char *name;

	printf("run\t%s\nstate\t%s\n", r->dirs.run, r->dirs.state);
	for (size_t i = 0; super_socket(r->super, i, &name, addr); i++) {
		printf("%s\t%s\n", name, addr);
		io_log(IO_INFO, "%s on %s", name, addr);
	}
	r->status = flush_stdout();
	if (r->status) {
		super_stop(r->super);
		return;
	}
	/* Who reads the table reads to its end. */
	if (dup2(r->null_fd, 1) < 0)
		io_log(IO_WARN, "cannot close standard output");
	io_ready(r->ready_fd);
	r->ready_fd = -1;
}

static void on_failed(void *arg, const char *name, int status)
{
	struct run *r = arg;

	r->status = complain(status, "%s does not start", name);
	super_stop(r->super);
}

static void on_gone(void *arg)
{
	struct run *r = arg;

	io_loop_stop(r->loop, r->status);
}

static void on_stop(void *arg)
{
	struct run *r = arg;

	super_stop(r->super);
}

static const char *talk(const struct run *r)
{
	return r->level == IO_DEBUG ? "-v" : r->level == IO_WARN ? "-q" : NULL;
}

static void on_again(void *arg)
{
	struct run *r = arg;

	if (told(r, super_again(r->super, &r->set, &r->dirs, r->config,
		r->conf, talk(r), r->why)))
		io_log(IO_WARN, "the configuration stays as it was before "
			"SIGHUP");
}

static int selftest(struct run *r)
{
	struct buf out = {0};
	int bad = super_sandbox(&r->set, r->conf, &out);

	fputs(buf_cstr(&out) ? (const char *)out.data : "", stdout);
	buf_free(&out);
	if (bad < 0)
		return complain(3, "cannot test: %s", strerror(-bad));
	return flush_stdout() || bad ? 3 : 0;
}

static int serve(struct run *r)
{
	static const struct super_events ev = {.secret = secret_of,
		.up = on_up, .failed = on_failed, .gone = on_gone};
	int status;

	r->loop = io_loop_new();
	r->super = r->loop ? super_new(r->loop, &ev, r) : NULL;
	if (!r->super)
		return complain(3, "cannot set up: %s", strerror(errno));
	status = io_stop_on_signals(r->loop, r->lifeline, SUPER_STOP_MS,
		on_stop, r) || io_again_on_hangup(r->loop, on_again, r) ?
		complain(3, "cannot set up") : 0;
	if (!status)
		status = make_key(r);
	if (!status)
		status = told(r, super_kit_listen(r->super, &r->set,
			&r->dirs, r->why));
	if (!status)
		status = told(r, super_kit_workers(r->super, &r->set,
			&r->dirs, r->conf, talk(r), r->why));
	if (!status && super_sandbox(&r->set, r->conf, NULL))
		status = 3;
	if (!status) {
		super_start(r->super);
		status = io_loop_run(r->loop);
	}
	return status;
}

int main(int argc, char **argv)
{
	struct run r = {.ready_fd = -1, .lifeline = -1, .level = IO_INFO};
	int status;

	io_std_fds();
	io_log_to(2, "confd-run", IO_INFO);
	status = options(&r, argc, argv);
	if (status >= 0)
		return status;
	io_log_to(2, "confd-run", r.level);
	io_ignore_sigpipe();
	signal(SIGHUP, SIG_IGN); /* until there is something to read again */
	umask(077);
	super_path_extend();
	r.null_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	status = told(&r, super_configure(r.config, &r.conf, &r.set, r.why));
	if (!status && r.sandbox)
		r.set.sandbox = str_eq(r.sandbox, "on");
	if (!status && r.selftest) {
		status = selftest(&r);
		goto out;
	}
	if (!status)
		status = told(&r, super_dirs_make(&r.dirs, &r.set, r.why));
	if (!status)
		status = serve(&r);
out:
	super_free(r.super);
	if (r.key_path[0])
		unlink(r.key_path);
	io_loop_free(r.loop);
	super_settings_free(&r.set);
	conf_free(r.conf);
	explicit_bzero(r.key, sizeof(r.key));
	return status;
}
