/* super - the table and the life of a worker, see super.h. */
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "super_priv.h"

static void on_exit_of(void *arg, pid_t pid, int status);
static void on_timer(void *arg);

struct super *super_new(struct io_loop *l, const struct super_events *ev,
	void *arg)
{
	struct super *s = calloc(1, sizeof(*s));
	int err;

	if (!s)
		return NULL;
	*s = (struct super){.loop = l, .ev = *ev, .arg = arg,
		.lifeline = {-1, -1}};
	list_init(&s->workers);
	list_init(&s->templates);
	s->null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (s->null_fd < 0 || pipe2(s->lifeline, O_CLOEXEC))
		goto fail;
	s->reaper = io_reaper_new(l, on_exit_of, s);
	if (s->reaper)
		return s;
fail:
	err = errno;
	super_free(s);
	errno = err;
	return NULL;
}

static void forget_ready(struct worker *w)
{
	io_watch_free(w->ready);
	w->ready = NULL;
	if (w->ready_fd >= 0)
		close(w->ready_fd);
	w->ready_fd = -1;
}

static void worker_free(struct worker *w)
{
	forget_ready(w);
	io_timer_free(w->timer);
	list_remove(&w->in_table);
	w->super->n_workers--;
	super_words_free(w->argv);
	free(w->role);
	free(w->name);
	free(w);
}

void super_free(struct super *s)
{
	if (!s)
		return;
	super_serve_stop(s);
	list_each(l, next, &s->workers) {
		struct worker *w = list_entry(l, struct worker, in_table);
		if (w->pid) {
			kill(-w->pid, SIGKILL);
			waitpid(w->pid, NULL, 0);
		}
		worker_free(w);
	}
	super_templates_free(s);
	super_sockets_close(s);
	io_reaper_free(s->reaper);
	for (int i = 0; i < 2; i++)
		if (s->lifeline[i] >= 0)
			close(s->lifeline[i]);
	if (s->null_fd >= 0)
		close(s->null_fd);
	free(s);
}

struct worker *super_find(const struct super *s, const char *name)
{
	list_each(l, next, &s->workers) {
		struct worker *w = list_entry(l, struct worker, in_table);
		if (str_eq(w->name, name))
			return w;
	}
	return NULL;
}

static int take_sockets(struct worker *w, const char *const *hold)
{
	for (unsigned n = 0; hold && *hold; hold++, n++) {
		unsigned from = 0;
		const struct held *h = super_held(w->super, *hold, &from);
		if (!h || n == SUPER_MAX_SOCKETS)
			return -ENOENT;
		w->hold[n] = h->name;
	}
	return 0;
}

int super_add(struct super *s, const struct super_spec *spec, bool fixed,
	struct worker **out)
{
	struct worker *w;
	const char *slash;
	int err;

	if (super_find(s, spec->name))
		return -EEXIST;
	if (s->n_workers == SUPER_MAX_WORKERS)
		return -ENOSPC;
	w = calloc(1, sizeof(*w));
	if (!w)
		return -ENOMEM;
	*w = (struct worker){.super = s, .fixed = fixed, .ready_fd = -1,
		.secret = spec->secret};
	list_append(&s->workers, &w->in_table);
	s->n_workers++;
	w->role = strdup(spec->role);
	w->name = strdup(spec->name);
	w->argv = super_words_copy(spec->argv);
	w->timer = io_timer_new(s->loop, on_timer, w);
	err = w->role && w->name && w->argv && w->timer ? 0 : -ENOMEM;
	if (!err)
		err = take_sockets(w, spec->hold);
	if (err) {
		worker_free(w);
		return err;
	}
	slash = strchr(w->name, '/');
	w->instance = slash ? slash + 1 : w->name;
	*out = w;
	return 0;
}

int super_worker(struct super *s, const struct super_spec *spec)
{
	struct worker *w;

	return super_add(s, spec, true, &w);
}

/* Tells once when every static worker has been ready. */
static void tell_up(struct super *s)
{
	if (s->up_told || s->stopping)
		return;
	list_each(l, next, &s->workers) {
		struct worker *w = list_entry(l, struct worker, in_table);
		if (w->fixed && !w->was_ready)
			return;
	}
	s->up_told = true;
	if (s->ev.up)
		s->ev.up(s->arg);
}

static void tell_gone(struct super *s)
{
	if (!s->stopping || s->gone_told)
		return;
	list_each(l, next, &s->workers)
		if (list_entry(l, struct worker, in_table)->pid)
			return;
	s->gone_told = true;
	if (s->ev.gone)
		s->ev.gone(s->arg);
}

static void tell_failed(struct worker *w, int status)
{
	struct super *s = w->super;

	if (s->failed_told)
		return;
	s->failed_told = true;
	if (s->ev.failed)
		s->ev.failed(s->arg, w->name, status);
}

/* SIGTERM to the worker alone, which may want to end its children in its
 * own order; SIGKILL later takes the whole group. */
static void terminate(struct worker *w)
{
	forget_ready(w);
	w->state = WORKER_STOPPING;
	kill(w->pid, SIGTERM);
	io_timer_in(w->timer, SUPER_KILL_MS);
}

static void wait_for_start(struct worker *w)
{
	w->state = WORKER_WAITING;
	io_timer_at(w->timer,
		w->started_ns + SUPER_SPACING_MS * NS_PER_MS);
}

/* One newline, or an end of file that leaves the limit to decide. */
static void on_ready(void *arg, int fd, unsigned events)
{
	struct worker *w = arg;
	char c = 0;
	ssize_t n = read(fd, &c, 1);

	(void)events;
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	forget_ready(w);
	if (n != 1 || c != '\n')
		return;
	io_timer_stop(w->timer);
	w->state = WORKER_READY;
	w->was_ready = true;
	io_log(IO_INFO, "%s is ready", w->name);
	if (w->again)
		kill(w->pid, SIGHUP);
	w->again = false;
	tell_up(w->super);
}

static int start_process(struct worker *w)
{
	struct super *s = w->super;
	pid_t pid = super_spawn(w, &w->ready_fd);

	w->started_ns = io_now_ns();
	w->starts++;
	w->again = false;
	if (pid < 0) {
		io_log(IO_ERROR, "cannot run '%s': %s", w->argv[0],
			strerror(-pid));
		if (w->fixed)
			wait_for_start(w);
		if (w->fixed && !w->was_ready)
			tell_failed(w, pid == -ENOENT ? 127 : 3);
		return pid;
	}
	w->pid = pid;
	w->state = WORKER_STARTING;
	io_log(IO_INFO, "started %s (pid %d)", w->name, (int)pid);
	io_timer_in(w->timer, SUPER_READY_MS);
	w->ready = io_watch_new(s->loop, w->ready_fd, IO_READ, on_ready, w);
	if (!w->ready) /* then the limit ends it, and it is tried again */
		io_log(IO_ERROR, "%s: cannot watch for readiness", w->name);
	return 0;
}

int super_launch(struct worker *w)
{
	int err = start_process(w);

	if (err && !w->fixed)
		worker_free(w);
	return err;
}

static void on_timer(void *arg)
{
	struct worker *w = arg;

	switch (w->state) {
	case WORKER_WAITING:
		super_launch(w);
		break;
	case WORKER_STARTING:
		io_log(IO_ERROR, "%s was not ready within %d s", w->name,
			SUPER_READY_MS / 1000);
		terminate(w);
		if (w->fixed && !w->was_ready)
			tell_failed(w, 124);
		break;
	case WORKER_STOPPING:
		io_log(IO_WARN, "%s did not stop, killed", w->name);
		kill(-w->pid, SIGKILL);
		break;
	case WORKER_READY:
		break;
	}
}

static void log_end(const struct worker *w, int status)
{
	bool asked = w->state == WORKER_STOPPING;
	enum io_level level = asked ? IO_INFO : IO_WARN;

	if (WIFSIGNALED(status))
		io_log(level, "%s (pid %d) was ended by signal %d (%s)",
			w->name, (int)w->pid, WTERMSIG(status),
			strsignal(WTERMSIG(status)));
	else
		io_log(level, "%s (pid %d) ended with status %d", w->name,
			(int)w->pid, WEXITSTATUS(status));
}

/* What comes after a worker's process is gone. One from a template that
 * says it is done (0) or was asked wrongly (2) is not started again. */
static void after_end(struct worker *w, int status)
{
	struct super *s = w->super;
	int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	bool asked = w->state == WORKER_STOPPING;

	if (s->stopping) {
		tell_gone(s);
		return;
	}
	if (w->leaves || (!w->fixed && !asked && (code == 0 || code == 2))) {
		worker_free(w);
		return;
	}
	wait_for_start(w);
	if (w->fixed && !w->was_ready && !asked &&
		(code >= 0 || w->starts >= SUPER_TRIES))
		tell_failed(w, code > 0 ? code : 3);
}

static void on_exit_of(void *arg, pid_t pid, int status)
{
	struct super *s = arg;

	list_each(l, next, &s->workers) {
		struct worker *w = list_entry(l, struct worker, in_table);
		if (w->pid != pid)
			continue;
		/* What it forked and left behind goes with it. */
		kill(-pid, SIGKILL);
		forget_ready(w);
		io_timer_stop(w->timer);
		log_end(w, status);
		w->pid = 0;
		after_end(w, status);
		return;
	}
}

void super_start(struct super *s)
{
	list_each(l, next, &s->workers) {
		struct worker *w = list_entry(l, struct worker, in_table);
		if (w->fixed && !s->stopping)
			super_launch(w);
	}
	tell_up(s);
}

void super_dismiss(struct worker *w)
{
	w->leaves = true;
	if (!w->pid)
		worker_free(w);
	else if (w->state != WORKER_STOPPING)
		terminate(w);
}

void super_stop(struct super *s)
{
	if (s->stopping)
		return;
	s->stopping = true;
	/* The last first: who depends on another hears of the end before it
	 * loses that one. */
	for (struct list *l = s->workers.prev; l != &s->workers; l = l->prev) {
		struct worker *w = list_entry(l, struct worker, in_table);
		if (!w->pid)
			io_timer_stop(w->timer);
		else if (w->state != WORKER_STOPPING)
			terminate(w);
	}
	tell_gone(s);
}

pid_t super_pid(const struct super *s, const char *name)
{
	const struct worker *w = super_find(s, name);

	return w ? w->pid : 0;
}

const char *super_state_name(const struct worker *w)
{
	static const char *const names[] = {
		[WORKER_WAITING] = "waiting", [WORKER_STARTING] = "starting",
		[WORKER_READY] = "ready", [WORKER_STOPPING] = "stopping",
	};

	return names[w->state];
}
