/* confd-run - starts confd-signal, conf-relay and what templates ask for,
 * keeps them alive, and holds their listening sockets. */
#include <fcntl.h>
#include <getopt.h>
#include <grp.h>
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
	"usage: confd-run [--config FILE] [-d FD] [--lifeline FD] [-q] [-v]\n"
	"       confd-run --help | -V | --completion\n"
	"\n"
	"Starts confd-signal and conf-relay, restarts them when they end, and\n"
	"holds their listening sockets. Stays in the foreground; SIGTERM and\n"
	"SIGINT stop everything. When all is ready, prints a table of NAME\n"
	"TAB ADDRESS on standard output and closes it.\n"
	"\n"
	"  --config FILE   read FILE instead of searching for confkit.conf\n"
	"  -d FD           write a newline to FD when everything is ready\n"
	"  --lifeline FD   stop when FD reaches its end of file\n"
	"  -q              tell of warnings and errors only, the workers too\n"
	"  -v              tell more, the workers too\n"
	"  -V              print the version\n"
	"  --help          print this\n"
	"  --completion    print the completion for bash\n";

enum { OPT_CONFIG = 256, OPT_LIFELINE, OPT_HELP, OPT_COMPLETION };

/* How long sockets of a confd-run that was killed may still be in use: its
 * workers drain for 3 s. */
#define LEFTOVER_MS  4500

struct run {
	const char *config;
	int ready_fd;
	int lifeline;
	enum io_level level;
	struct conf *conf;
	struct super_settings set;
	struct io_loop *loop;
	struct super *super;
	char dir[IO_PATH_CAP];
	char state[4096];
	char key_path[IO_PATH_CAP + 16];
	char lock_dir[IO_PATH_CAP];
	int lock;
	int null_fd;
	gid_t gid;
	bool leftover;
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

/* --- Options and configuration ----------------------------------------- */

static int number_of(const char *s, int *out)
{
	uint64_t n;

	if (str_u64(s, 0, 65535, &n))
		return -EINVAL;
	*out = (int)n;
	return 0;
}

/* -1: go on; else the exit status. */
static int options(struct run *r, int argc, char **argv)
{
	static const struct option longs[] = {
		{"config", required_argument, NULL, OPT_CONFIG},
		{"lifeline", required_argument, NULL, OPT_LIFELINE},
		{"help", no_argument, NULL, OPT_HELP},
		{"version", no_argument, NULL, 'V'},
		{"completion", no_argument, NULL, OPT_COMPLETION},
		{NULL, 0, NULL, 0},
	};
	int c, err = 0;

	while (!err && (c = getopt_long(argc, argv, "d:qvV", longs, NULL))
		!= -1) {
		switch (c) {
		case OPT_CONFIG: r->config = optarg; break;
		case OPT_LIFELINE: err = number_of(optarg, &r->lifeline); break;
		case 'd': err = number_of(optarg, &r->ready_fd); break;
		case 'q': r->level = IO_WARN; break;
		case 'v': r->level = IO_DEBUG; break;
		case 'V': puts("confd-run " CONF_VERSION);
			return flush_stdout();
		case OPT_HELP: fputs(usage_text, stdout);
			return flush_stdout();
		case OPT_COMPLETION: return print_completion();
		default: err = -EINVAL;
		}
	}
	if (!err && optind == argc)
		return -1;
	fputs(usage_text, stderr);
	return 2;
}

static const char *env(const char *name)
{
	return getenv(name);
}

/* The file named, else the first of the search that exists; none is fine
 * unless it was named. */
static int read_config(struct run *r)
{
	char path[4096], why[CONF_WHY_CAP];
	struct buf text = {0};
	int err;

	if (str_copy(path, sizeof(path), r->config ? r->config : ""))
		return complain(2, "the path of the configuration is too long");
	err = r->config ? io_file_read(path, CONF_MAX_BYTES, false, &text) :
		io_config_read(path, CONF_MAX_BYTES, &text);
	bool none = err == -ENOENT && !r->config;
	if (!err)
		r->conf = conf_parse(text.data, text.len, path, why);
	buf_free(&text);
	if (err && !none)
		return complain(2, "cannot read '%s': %s", path,
			strerror(-err));
	if (!r->conf && !none)
		return complain(2, "%s", why);
	err = super_settings(&r->set, r->conf, env, why);
	return err ? complain(err == -ENOMEM ? 3 : 2, "%s", why) : 0;
}

/* --- Directories, key, sockets ------------------------------------------ */

static int directories(struct run *r)
{
	struct stat st;
	char path[IO_PATH_CAP + 16];
	int err;

	if (r->set.rundir && !getenv("CONF_RUNDIR"))
		setenv("CONF_RUNDIR", r->set.rundir, 1);
	if (r->set.statedir && !getenv("CONF_STATEDIR"))
		setenv("CONF_STATEDIR", r->set.statedir, 1);
	r->gid = (gid_t)-1;
	if (r->set.socket_group) {
		struct group *g = getgrnam(r->set.socket_group);
		if (!g)
			return complain(2, "no group '%s'",
				r->set.socket_group);
		r->gid = g->gr_gid;
	}
	err = io_state_dir(r->state);
	if (!err)
		err = io_mkdirs(r->state, 0700);
	if (err)
		return complain(3, "cannot make the state directory '%s': %s",
			r->state, strerror(-err));
	err = io_run_dir_make(r->dir, r->gid);
	if (err)
		return complain(3, "no run directory can be made or written: "
			"%s", strerror(-err));
	r->lock = super_lock(r->dir);
	if (r->lock == -EWOULDBLOCK)
		return complain(75, "another confd-run is using '%s'", r->dir);
	if (r->lock < 0)
		return complain(3, "cannot lock '%s': %s", r->dir,
			strerror(-r->lock));
	/* Workers find the same directories, whatever we found ours by. */
	setenv("CONF_RUNDIR", r->dir, 1);
	setenv("CONF_STATEDIR", r->state, 1);
	snprintf(path, sizeof(path), "%s/run.sock", r->dir);
	r->leftover = lstat(path, &st) == 0;
	return 0;
}

static int make_key(struct run *r)
{
	char hex[2 * sizeof(r->key) + 2];
	int err;

	io_random(r->key, sizeof(r->key));
	str_hex(hex, r->key, sizeof(r->key));
	hex[2 * sizeof(r->key)] = '\n';
	snprintf(r->key_path, sizeof(r->key_path), "%s/worker.key", r->dir);
	err = io_file_write(r->key_path, 0600, hex, sizeof(hex) - 1);
	explicit_bzero(hex, sizeof(hex));
	return err ? complain(3, "cannot write '%s': %s", r->key_path,
		strerror(-err)) : 0;
}

/* True if it is worth trying again: a confd-run that was killed has left
 * workers that are about to end. */
static bool wait_leftover(const struct run *r, uint64_t until_ns, int err)
{
	if (err != -EADDRINUSE || !r->leftover || io_now_ns() > until_ns)
		return false;
	nanosleep(&(struct timespec){.tv_nsec = 50 * 1000000}, NULL);
	return true;
}

static int cannot_listen(const char *where, int err)
{
	int status = err == -EADDRINUSE ? 75 :
		err == -EINVAL || err == -EADDRNOTAVAIL ||
		err == -ENAMETOOLONG ? 2 : 3;

	return complain(status, "cannot listen on '%s': %s", where,
		strerror(-err));
}

/* A default address of a family that this host lacks is left out. */
static int listen_all(struct run *r, const char *name, enum super_proto proto,
	const struct conf_words *addrs, bool given)
{
	uint64_t until = io_now_ns() + LEFTOVER_MS * NS_PER_MS;
	unsigned opened = 0;
	int err = 0;

	for (size_t i = 0; i < addrs->n; i++) {
		do
			err = super_listen(r->super, name, proto,
				addrs->v[i]);
		while (wait_leftover(r, until, err));
		bool lacking = err == -EAFNOSUPPORT || err == -EADDRNOTAVAIL;
		if (err && (given || !lacking))
			return cannot_listen(addrs->v[i], err);
		opened += !err;
	}
	return opened ? 0 : cannot_listen(addrs->v[0], err);
}

static int listen_unix(struct run *r, const char *name, mode_t mode,
	gid_t gid)
{
	uint64_t until = io_now_ns() + LEFTOVER_MS * NS_PER_MS;
	char path[IO_PATH_CAP + 16];
	int err;

	snprintf(path, sizeof(path), "%s/%s.sock", r->dir, name);
	do
		err = super_listen_unix(r->super, name, path, mode, gid);
	while (wait_leftover(r, until, err));
	return err ? cannot_listen(path, err) : 0;
}

static int listen_run(struct run *r)
{
	char path[IO_PATH_CAP + 16];

	snprintf(path, sizeof(path), "%s/run.sock", r->dir);
	int fd = io_unix_listen(path, 0600, (gid_t)-1);
	int err = fd < 0 ? fd : super_serve(r->super, fd, path);
	return err ? cannot_listen(path, err) : 0;
}

static int sockets(struct run *r)
{
	bool shared = r->gid != (gid_t)-1;
	int status = listen_all(r, "http", SUPER_TCP, &r->set.http,
		r->set.http_given);

	if (!status)
		status = listen_all(r, "media0", SUPER_UDP, &r->set.media,
			r->set.media_given);
	if (!status)
		status = listen_unix(r, "signal", shared ? 0660 : 0600,
			r->gid);
	if (!status)
		status = listen_unix(r, "worker", 0600, (gid_t)-1);
	return status ? status : listen_run(r);
}

/* --- Workers ----------------------------------------------------------- */

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

static void add_words(const char **argv, size_t *n,
	const struct conf_words *w)
{
	for (size_t i = 0; i < w->n; i++)
		argv[(*n)++] = w->v[i];
}

static int workers(struct run *r)
{
	static const char *const signal_hold[] = {"http", "signal", "worker",
		NULL};
	static const char *const relay_hold[] = {"media0", NULL};
	char control[IO_PATH_CAP + 16], why[CONF_WHY_CAP];
	const char *signal[CONF_MAX_WORDS + 12] = {"confd-signal", "--rundir",
		r->dir, "--statedir", r->state, "--tls",
		r->set.tls ? "on" : "off"};
	const char *relay[CONF_MAX_WORDS + 8] = {"conf-relay", "--control",
		control, "--instance", "relay-0"};
	size_t n_signal = 7, n_relay = 5;
	int err;

	snprintf(control, sizeof(control), "%s/worker.sock", r->dir);
	if (r->set.socket_group) {
		signal[n_signal++] = "--socket-group";
		signal[n_signal++] = r->set.socket_group;
	}
	if (r->level != IO_INFO)
		signal[n_signal++] = relay[n_relay++] =
			r->level == IO_DEBUG ? "-v" : "-q";
	add_words(signal, &n_signal, &r->set.signal);
	add_words(relay, &n_relay, &r->set.relay);
	err = super_worker(r->super, &(struct super_spec){.role = "signal",
		.name = "confd-signal", .argv = signal, .hold = signal_hold});
	if (!err)
		err = super_worker(r->super, &(struct super_spec){
			.role = "relay", .name = "relay-0", .argv = relay,
			.hold = relay_hold, .secret = true});
	if (!err)
		err = super_var(r->super, "rundir", r->dir);
	if (!err)
		err = super_var(r->super, "statedir", r->state);
	if (err)
		return complain(3, "cannot set up: %s", strerror(-err));
	if (r->conf && super_templates(r->super, r->conf, why))
		return complain(2, "%s", why);
	return 0;
}

/* --- Events ------------------------------------------------------------ */

static void on_up(void *arg)
{
	struct run *r = arg;
	char addr[SUPER_ADDR_CAP];
	const char *name;

	printf("run\t%s\nstate\t%s\n", r->dir, r->state);
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

static void on_hangup(void *arg, int signo)
{
	(void)signo;
	on_stop(arg);
}

/* Workers started by name are looked for beside this program, then where
 * they always are; cron and "env -i" give no PATH at all. */
static void extend_path(void)
{
	char self[4096], path[8192];
	const char *old = getenv("PATH");
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *slash;

	if (n <= 0)
		return;
	self[n] = '\0';
	slash = strrchr(self, '/');
	if (!slash)
		return;
	*slash = '\0';
	snprintf(path, sizeof(path), "%s:%s", self,
		old && *old ? old : "/usr/local/bin:/usr/bin:/bin");
	setenv("PATH", path, 1);
}

static int serve(struct run *r)
{
	static const struct super_events ev = {.secret = secret_of,
		.up = on_up, .failed = on_failed, .gone = on_gone};
	struct io_signal *hup = NULL;
	int status;

	r->loop = io_loop_new();
	r->super = r->loop ? super_new(r->loop, &ev, r) : NULL;
	if (!r->super)
		return complain(3, "cannot set up: %s", strerror(errno));
	hup = io_signal_new(r->loop, SIGHUP, on_hangup, r);
	status = hup && !io_stop_on_signals(r->loop, r->lifeline,
		SUPER_STOP_MS, on_stop, r) ? 0 : complain(3, "cannot set up");
	if (!status)
		status = make_key(r);
	if (!status)
		status = sockets(r);
	if (!status)
		status = workers(r);
	if (!status) {
		super_start(r->super);
		status = io_loop_run(r->loop);
	}
	io_signal_free(hup);
	return status;
}

int main(int argc, char **argv)
{
	struct run r = {.ready_fd = -1, .lifeline = -1, .lock = -1,
		.level = IO_INFO};
	int status;

	io_std_fds();
	io_log_to(2, "confd-run", IO_INFO);
	status = options(&r, argc, argv);
	if (status >= 0)
		return status;
	io_log_to(2, "confd-run", r.level);
	io_ignore_sigpipe();
	umask(077);
	extend_path();
	r.null_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	status = read_config(&r);
	if (!status)
		status = directories(&r);
	if (!status)
		status = serve(&r);
	super_free(r.super);
	if (r.key_path[0])
		unlink(r.key_path);
	io_loop_free(r.loop);
	super_settings_free(&r.set);
	conf_free(r.conf);
	explicit_bzero(r.key, sizeof(r.key));
	return status;
}
