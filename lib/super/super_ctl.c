/* super_ctl - run.sock: start, stop and list for our own user and root. */
#include <unistd.h>

#include "ctl.h"
#include "super_priv.h"

#define MAX_PEERS  16
#define MAX_QUEUE  (1u << 20)
#define MAX_NAME   130 /* TEMPLATE/INSTANCE and NUL */
#define RESUME_MS  200

struct super_server {
	struct super *super;
	struct io_watch *watch;
	struct io_timer *resume;
	bool short_of;          /* descriptors or memory: it was told */
	char *path;
	int fd;
	struct list peers;
	unsigned n_peers;
};

struct peer {
	struct list in_server;
	struct super_server *server;
	struct io_stream *stream;
	struct ctl *ctl;
	uid_t uid;
};

static void peer_free(struct peer *p, bool flush)
{
	list_remove(&p->in_server);
	p->server->n_peers--;
	ctl_free(p->ctl);
	if (flush)
		io_stream_finish(p->stream);
	else
		io_stream_free(p->stream);
	free(p);
}

static void do_hello(void *arg, struct ctl_call *call, const json_t *params)
{
	struct peer *p = arg;

	(void)params;
	ctl_reply(call, json_pack("{s:o, s:[s], s:s}", "actor",
		json_sprintf("op:%u", (unsigned)p->uid), "rights", "op",
		"agent", "confd-run/" CONF_VERSION));
}

/* --- start ------------------------------------------------------------- */

struct vars {
	const struct super *super;
	const char *instance;
	const json_t *given;
};

static const char *get_var(void *arg, const char *name)
{
	const struct vars *v = arg;
	const char *fixed = super_var_get(v->super, name);

	if (str_eq(name, "instance"))
		return v->instance;
	return fixed ? fixed :
		json_string_value(json_object_get(v->given, name));
}

/* NULL when each variable is a string that is an id; else its name. */
static const char *bad_var(const json_t *vars)
{
	const char *name;
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)vars, name, value)
		if (!json_is_string(value) ||
			!super_is_var(json_string_value(value)))
			return name;
	return NULL;
}

/* The template's words with variables filled; answers itself on failure. */
static char **fill_words(const struct template *t, struct vars *v,
	struct ctl_call *call)
{
	size_t n = 0;

	while (t->argv[n])
		n++;
	char **words = calloc(n + 1, sizeof(*words));
	for (size_t i = 0; words && i < n; i++) {
		char missing[48];
		int err = super_expand(t->argv[i], get_var, v, missing,
			&words[i]);
		if (!err)
			continue;
		if (err == -ENOENT)
			ctl_fail(call, "invalid", "template '%s' needs the "
				"variable '%s'", t->name, missing);
		else
			ctl_fail(call, "internal", "out of memory");
		super_words_free(words);
		return NULL;
	}
	if (!words)
		ctl_fail(call, "internal", "out of memory");
	return words;
}

static bool same_words(char *const *a, char *const *b)
{
	for (; *a && *b; a++, b++)
		if (!str_eq(*a, *b))
			return false;
	return !*a && !*b;
}

static void answer_start(struct ctl_call *call, const struct worker *w,
	bool created)
{
	ctl_reply(call, json_pack("{s:s, s:i, s:b}", "worker", w->name,
		"pid", (int)w->pid, "created", created));
}

static void start_worker(struct super *s, struct ctl_call *call,
	const struct template *t, const char *name, char **words)
{
	struct worker *w = super_find(s, name);
	int err;

	if (w && !w->leaves && same_words(w->argv, words)) {
		answer_start(call, w, false);
		return;
	}
	if (w) {
		ctl_fail(call, w->leaves ? "busy" : "exists", "'%s' %s",
			name, w->leaves ? "is still stopping" :
			"runs with other variables");
		return;
	}
	err = super_add(s, &(struct super_spec){.role = t->name,
		.name = name, .argv = (const char *const *)words,
		.secret = true}, false, &w);
	if (!err)
		err = super_launch(w);
	if (err == -ENOSPC)
		ctl_fail(call, "limit", "%d workers run already",
			SUPER_MAX_WORKERS);
	else if (err)
		ctl_fail(call, "unavailable", "cannot run '%s': %s",
			words[0], strerror(-err));
	else
		answer_start(call, w, true);
}

/* Reads template and instance; answers itself when they are not sound. */
static bool read_name(struct ctl_call *call, const json_t *params,
	const char **template, const char **instance, char name[MAX_NAME])
{
	const char *bad = NULL;

	*template = json_str(params, "template", &bad);
	*instance = json_str(params, "instance", &bad);
	if (!bad && !*template)
		bad = "template";
	if (!bad && (!*instance || !super_is_var(*instance)))
		bad = "instance";
	if (bad) {
		ctl_fail(call, "invalid", "'%s' is missing or malformed",
			bad);
		return false;
	}
	snprintf(name, MAX_NAME, "%s/%s", *template, *instance);
	return true;
}

static void do_start(void *arg, struct ctl_call *call, const json_t *params)
{
	struct peer *p = arg;
	struct super *s = p->server->super;
	struct vars v = {.super = s};
	const char *template, *bad = NULL;
	char name[MAX_NAME];

	if (!read_name(call, params, &template, &v.instance, name))
		return;
	v.given = json_obj(params, "vars", &bad);
	if (!bad)
		bad = bad_var(v.given);
	const struct template *t = super_template_find(s, template);
	if (bad) {
		ctl_fail(call, "invalid", "the variable '%s' is no id", bad);
	} else if (!t) {
		ctl_fail(call, "not_found", "no template '%s'", template);
	} else if (s->stopping) {
		ctl_fail(call, "draining", "confd-run is stopping");
	} else {
		char **words = fill_words(t, &v, call);
		if (words)
			start_worker(s, call, t, name, words);
		super_words_free(words);
	}
}

/* --- stop, list -------------------------------------------------------- */

static void do_stop(void *arg, struct ctl_call *call, const json_t *params)
{
	struct peer *p = arg;
	const char *template, *instance;
	char name[MAX_NAME];

	if (!read_name(call, params, &template, &instance, name))
		return;
	struct worker *w = super_find(p->server->super, name);
	if (!w) {
		ctl_fail(call, "not_found", "no worker '%s'", name);
		return;
	}
	super_dismiss(w);
	ctl_reply(call, NULL);
}

static json_t *one_worker(const struct worker *w)
{
	uint64_t age_ms = (io_now_ns() - w->started_ns) / NS_PER_MS;

	return json_pack("{s:s, s:s, s:s, s:b, s:s, s:o, s:i, s:I}",
		"worker", w->name, "role", w->role, "instance", w->instance,
		"static", w->fixed, "state", super_state_name(w),
		"pid", w->pid ? json_integer(w->pid) : json_null(),
		"starts", (int)w->starts, "since_start_ms",
		(json_int_t)age_ms);
}

static void do_list(void *arg, struct ctl_call *call, const json_t *params)
{
	struct peer *p = arg;
	struct super *s = p->server->super;
	json_t *workers = json_array(), *sockets = json_array();
	const char *name;
	char addr[SUPER_ADDR_CAP];

	(void)params;
	list_each(l, next, &s->workers)
		json_array_append_new(workers,
			one_worker(list_entry(l, struct worker, in_table)));
	for (size_t i = 0; super_socket(s, i, &name, addr); i++)
		json_array_append_new(sockets, json_pack("{s:s, s:s}",
			"name", name, "address", addr));
	ctl_reply(call, json_pack("{s:o, s:o}", "workers", workers,
		"sockets", sockets));
}

static const struct ctl_method methods[] = {
	{"hello", do_hello}, {"start", do_start}, {"stop", do_stop},
	{"list", do_list},
};

/* --- Connections ------------------------------------------------------- */

static int peer_write(void *arg, const void *bytes, size_t n)
{
	struct peer *p = arg;

	return io_stream_send(p->stream, bytes, n);
}

static size_t peer_data(void *arg, const uint8_t *bytes, size_t n)
{
	struct peer *p = arg;

	if (ctl_feed(p->ctl, bytes, n)) {
		io_log(IO_WARN, "run.sock: a malformed message, closed");
		peer_free(p, true);
	}
	return n;
}

static void peer_close(void *arg, int err)
{
	(void)err;
	peer_free(arg, false);
}

static void add_peer(struct super_server *srv, int fd, uid_t uid)
{
	static const struct io_stream_events ev = {
		.on_data = peer_data, .on_close = peer_close,
	};
	struct peer *p = calloc(1, sizeof(*p));

	if (!p) {
		close(fd);
		return;
	}
	p->server = srv;
	p->uid = uid;
	p->ctl = ctl_new(&(struct ctl_config){.write = peer_write, .arg = p,
		.methods = methods, .n_methods = ARRAY_LEN(methods),
		.lines = true, .hello_first = true});
	p->stream = p->ctl ? io_stream_new(srv->super->loop, fd, fd,
		CTL_MAX_IN, MAX_QUEUE, &ev, p) : NULL;
	if (!p->stream) {
		ctl_free(p->ctl);
		free(p);
		close(fd);
		return;
	}
	list_append(&srv->peers, &p->in_server);
	srv->n_peers++;
}

static void resume(void *arg)
{
	struct super_server *srv = arg;

	io_watch_set(srv->watch, IO_READ);
}

/* What waits stays in the backlog for a moment, or we would spin on it. */
static void pause_for(struct super_server *srv, int err)
{
	if (!srv->short_of)
		io_log(IO_WARN, "run.sock: cannot accept connections: %s",
			strerror(-err));
	srv->short_of = true;
	io_watch_set(srv->watch, 0);
	io_timer_in(srv->resume, RESUME_MS);
}

static void on_connect(void *arg, int listener, unsigned events)
{
	struct super_server *srv = arg;
	uid_t uid;

	(void)events;
	int fd = io_accept(listener, NULL);
	if (fd == -EMFILE || fd == -ENFILE || fd == -ENOMEM || fd == -ENOBUFS)
		pause_for(srv, fd);
	if (fd < 0)
		return;
	srv->short_of = false;
	if (io_peercred(fd, NULL, &uid, NULL) ||
		(uid != geteuid() && uid != 0)) {
		io_log(IO_WARN, "run.sock: another user was refused");
		close(fd);
	} else if (srv->n_peers >= MAX_PEERS) {
		io_log(IO_WARN, "run.sock: more than %d connections",
			MAX_PEERS);
		close(fd);
	} else {
		add_peer(srv, fd, uid);
	}
}

int super_serve(struct super *s, int fd, const char *path)
{
	struct super_server *srv = calloc(1, sizeof(*srv));

	if (!srv || s->server)
		goto fail;
	srv->super = s;
	srv->fd = fd;
	list_init(&srv->peers);
	srv->path = strdup(path);
	if (!srv->path)
		goto fail;
	srv->resume = io_timer_new(s->loop, resume, srv);
	srv->watch = io_watch_new(s->loop, fd, IO_READ, on_connect, srv);
	if (!srv->watch || !srv->resume)
		goto fail;
	s->server = srv;
	return 0;
fail:
	if (srv) {
		io_watch_free(srv->watch);
		io_timer_free(srv->resume);
		free(srv->path);
	}
	free(srv);
	close(fd);
	return -ENOMEM;
}

void super_serve_stop(struct super *s)
{
	struct super_server *srv = s->server;

	if (!srv)
		return;
	list_each(l, next, &srv->peers)
		peer_free(list_entry(l, struct peer, in_server), false);
	io_watch_free(srv->watch);
	io_timer_free(srv->resume);
	unlink(srv->path);
	close(srv->fd);
	free(srv->path);
	free(srv);
	s->server = NULL;
}
