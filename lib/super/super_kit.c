/* super_kit - what confd-run holds together: its configuration, the two
 * directories, the sockets, confd-signal and conf-relay. */
#include <grp.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "super_priv.h"

/* How long sockets of a confd-run that was killed may still be in use: its
 * workers drain for 3 s. */
#define LEFTOVER_MS 4500

PRINTF(3, 4)
static int fail(char why[SUPER_WHY_CAP], int status, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, SUPER_WHY_CAP, fmt, ap);
	va_end(ap);
	return status;
}

/* --- Configuration ------------------------------------------------------- */

static const char *env(const char *name)
{
	return getenv(name);
}

int super_configure(const char *file, struct conf **conf,
	struct super_settings *set, char why[SUPER_WHY_CAP])
{
	char path[4096], words[CONF_WHY_CAP] = "";
	struct buf text = {0};
	int err;

	*conf = NULL;
	if (str_copy(path, sizeof(path), file ? file : ""))
		return fail(why, 2, "the path of the configuration is too "
			"long");
	err = file ? io_file_read(path, CONF_MAX_BYTES, false, &text) :
		io_config_read(path, CONF_MAX_BYTES, &text);
	bool none = err == -ENOENT && !file;
	if (!err)
		*conf = conf_parse(text.data, text.len, path, words);
	buf_free(&text);
	if (err && !none)
		return fail(why, 2, "cannot read '%.300s': %s", path,
			strerror(-err));
	if (!*conf && !none)
		return fail(why, 2, "%s", words);
	err = super_settings(set, *conf, env, words);
	if (!err && *conf && !(set->file = strdup(path)))
		err = -ENOMEM;
	return err ? fail(why, err == -ENOMEM ? 3 : 2, "%s", words) : 0;
}

/* --- Directories --------------------------------------------------------- */

static int find_group(const char *name, gid_t *gid, char why[SUPER_WHY_CAP])
{
	const struct group *g = name ? getgrnam(name) : NULL;

	*gid = g ? g->gr_gid : (gid_t)-1;
	return name && !g ? fail(why, 2, "no group '%.300s'", name) : 0;
}

int super_dirs_make(struct super_dirs *d, const struct super_settings *set,
	char why[SUPER_WHY_CAP])
{
	char path[IO_PATH_CAP + 16];
	struct stat st;
	int err;

	*d = (struct super_dirs){.lock = -1};
	if (set->rundir && !getenv("CONF_RUNDIR"))
		setenv("CONF_RUNDIR", set->rundir, 1);
	if (set->statedir && !getenv("CONF_STATEDIR"))
		setenv("CONF_STATEDIR", set->statedir, 1);
	err = find_group(set->socket_group, &d->gid, why);
	if (err)
		return err;
	err = io_state_dir(d->state);
	if (!err)
		err = io_mkdirs(d->state, 0700);
	if (err)
		return fail(why, 3, "cannot make the state directory "
			"'%.300s': %s", d->state, strerror(-err));
	err = io_run_dir_make(d->run, d->gid);
	if (err)
		return fail(why, 3, "no run directory can be made or "
			"written: %s", strerror(-err));
	d->lock = super_lock(d->run);
	if (d->lock == -EWOULDBLOCK)
		return fail(why, 75, "another confd-run is using '%s'",
			d->run);
	if (d->lock < 0)
		return fail(why, 3, "cannot lock '%s': %s", d->run,
			strerror(-d->lock));
	setenv("CONF_RUNDIR", d->run, 1);
	setenv("CONF_STATEDIR", d->state, 1);
	snprintf(path, sizeof(path), "%s/run.sock", d->run);
	d->leftover = lstat(path, &st) == 0;
	return 0;
}

void super_path_extend(void)
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

/* --- Sockets ------------------------------------------------------------- */

struct opening {
	struct super *super;
	const struct super_dirs *dirs;
	uint64_t until_ns; /* leftovers are waited for */
	char *why;
};

/* True if it is worth trying again: a confd-run that was killed has left
 * workers that are about to end. */
static bool wait_leftover(const struct opening *o, int err)
{
	if (err != -EADDRINUSE || !o->dirs->leftover ||
		io_now_ns() > o->until_ns)
		return false;
	nanosleep(&(struct timespec){.tv_nsec = 50 * 1000000}, NULL);
	return true;
}

static int cannot_listen(const struct opening *o, const char *where, int err)
{
	int status = err == -EADDRINUSE ? 75 :
		err == -EINVAL || err == -EADDRNOTAVAIL ||
		err == -ENAMETOOLONG ? 2 : 3;

	return fail(o->why, status, "cannot listen on '%.300s': %s", where,
		strerror(-err));
}

/* A default address of a family that this host lacks is left out. */
static int listen_all(const struct opening *o, const char *name,
	enum super_proto proto, const struct conf_words *addrs, bool given)
{
	unsigned opened = 0;
	int err = 0;

	for (size_t i = 0; i < addrs->n; i++) {
		do
			err = super_listen(o->super, name, proto,
				addrs->v[i]);
		while (wait_leftover(o, err));
		bool lacking = err == -EAFNOSUPPORT || err == -EADDRNOTAVAIL;
		if (err && (given || !lacking))
			return cannot_listen(o, addrs->v[i], err);
		opened += !err;
	}
	return opened ? 0 : cannot_listen(o, addrs->v[0], err);
}

static int listen_unix(const struct opening *o, const char *name, mode_t mode,
	gid_t gid)
{
	char path[IO_PATH_CAP + 16];
	int err;

	snprintf(path, sizeof(path), "%s/%s.sock", o->dirs->run, name);
	do
		err = super_listen_unix(o->super, name, path, mode, gid);
	while (wait_leftover(o, err));
	return err ? cannot_listen(o, path, err) : 0;
}

static int listen_run(const struct opening *o)
{
	char path[IO_PATH_CAP + 16];

	snprintf(path, sizeof(path), "%s/run.sock", o->dirs->run);
	int fd = io_unix_listen(path, 0600, (gid_t)-1);
	int err = fd < 0 ? fd : super_serve(o->super, fd, path);
	return err ? cannot_listen(o, path, err) : 0;
}

int super_kit_listen(struct super *s, const struct super_settings *set,
	const struct super_dirs *d, char why[SUPER_WHY_CAP])
{
	const struct opening o = {.super = s, .dirs = d, .why = why,
		.until_ns = io_now_ns() + LEFTOVER_MS * NS_PER_MS};
	bool shared = d->gid != (gid_t)-1;
	int status = listen_all(&o, "http", SUPER_TCP, &set->http,
		set->http_given);

	if (!status)
		status = listen_all(&o, "media0", SUPER_UDP, &set->media,
			set->media_given);
	if (!status)
		status = listen_unix(&o, "signal", shared ? 0660 : 0600,
			d->gid);
	if (!status)
		status = listen_unix(&o, "worker", 0600, (gid_t)-1);
	return status ? status : listen_run(&o);
}

/* --- Workers ------------------------------------------------------------- */

static void add(const char **argv, size_t *n, const char *word)
{
	argv[(*n)++] = word;
	argv[*n] = NULL;
}

static void add_all(const char **argv, size_t *n, const struct conf_words *w)
{
	for (size_t i = 0; i < w->n; i++)
		add(argv, n, w->v[i]);
}

void super_kit_argv(const struct super_settings *set,
	const struct super_dirs *d, const char *talk,
	struct super_kit_argv *out)
{
	const char *signal[] = {"confd-signal", "--rundir", d->run,
		"--statedir", d->state, "--tls", set->tls ? "on" : "off"};
	const char *relay[] = {"conf-relay", "--control", out->control,
		"--instance", "relay-0"};
	size_t n_signal = 0, n_relay = 0;

	snprintf(out->control, sizeof(out->control), "%s/worker.sock",
		d->run);
	for (size_t i = 0; i < ARRAY_LEN(signal); i++)
		add(out->signal, &n_signal, signal[i]);
	for (size_t i = 0; i < ARRAY_LEN(relay); i++)
		add(out->relay, &n_relay, relay[i]);
	if (set->socket_group) {
		add(out->signal, &n_signal, "--socket-group");
		add(out->signal, &n_signal, set->socket_group);
		add(out->relay, &n_relay, "--socket-group");
		add(out->relay, &n_relay, set->socket_group);
	}
	if (!set->sandbox) {
		add(out->signal, &n_signal, "--sandbox");
		add(out->signal, &n_signal, "off");
		add(out->relay, &n_relay, "--sandbox");
		add(out->relay, &n_relay, "off");
	}
	if (set->file) {
		add(out->signal, &n_signal, "--reload");
		add(out->signal, &n_signal, set->file);
	}
	if (talk) {
		add(out->signal, &n_signal, talk);
		add(out->relay, &n_relay, talk);
	}
	add_all(out->signal, &n_signal, &set->signal);
	add_all(out->relay, &n_relay, &set->relay);
}

int super_kit_workers(struct super *s, const struct super_settings *set,
	const struct super_dirs *d, const struct conf *conf, const char *talk,
	char why[SUPER_WHY_CAP])
{
	static const char *const signal_hold[] = {"http", "signal", "worker",
		NULL};
	static const char *const relay_hold[] = {"media0", NULL};
	struct super_kit_argv argv;
	char words[CONF_WHY_CAP];
	int err;

	super_kit_argv(set, d, talk, &argv);
	err = super_worker(s, &(struct super_spec){.role = "signal",
		.name = "confd-signal", .argv = argv.signal,
		.hold = signal_hold});
	if (!err)
		err = super_worker(s, &(struct super_spec){.role = "relay",
			.name = "relay-0", .argv = argv.relay,
			.hold = relay_hold, .secret = true});
	if (!err)
		err = super_var(s, "rundir", d->run);
	if (!err)
		err = super_var(s, "statedir", d->state);
	if (err)
		return fail(why, 3, "cannot set up: %s", strerror(-err));
	if (conf && super_templates(s, conf, words))
		return fail(why, 2, "%s", words);
	return 0;
}
