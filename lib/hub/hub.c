/* The hub as a whole: its parts, its timers, its end. */
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include "hub_priv.h"

#define SWEEP_MS 1000
#define DRAIN_MS 2000
#define DRAIN_STEP_MS 50

static void sweep(void *arg)
{
	struct hub *h = arg;

	io_timer_in(h->sweep_timer, SWEEP_MS);
	h->warnings = 0;
	peers_sweep(h);
	audit_sweep(h);
	hub_look_at_log(h);
	sessions_sweep(h);
	/* Without memory a settling may not have been asked for. */
	hub_settle(h);
	if (!h->open)
		rooms_sweep(h);
}

static int make_timers(struct hub *h)
{
	h->meetings_timer = io_timer_new(h->loop, hub_meetings_due, h);
	h->sweep_timer = io_timer_new(h->loop, sweep, h);
	h->grace_timer = io_timer_new(h->loop, hub_grace_over, h);
	h->relay_timer = io_timer_new(h->loop, media_late, h);
	h->echo_timer = io_timer_new(h->loop, echo_late, h);
	if (!h->meetings_timer || !h->sweep_timer || !h->grace_timer ||
		!h->relay_timer || !h->echo_timer)
		return -ENOMEM;
	io_timer_in(h->sweep_timer, SWEEP_MS);
	io_timer_in(h->grace_timer, HUB_SEAT_GRACE_MS);
	return 0;
}

static int make_web(struct hub *h, const struct hub_config *c,
	char why[256])
{
	struct web_config wc = {.www = c->www, .cert = c->cert,
		.origins = c->origins, .frames = c->frames, .hsts = c->hsts,
		.base = c->base, .trust = c->trust};
	const struct guard_config gc = {.sources = c->limit_sources,
		.per_s = c->limit_requests, .loopback = c->limit_loopback,
		.seed = h->seed};
	char words[160];
	int err;

	wc.guard = h->guard = guard_new(&gc);
	if (!h->guard) {
		snprintf(why, 256, "out of memory");
		return -ENOMEM;
	}
	h->web = web_new(h->loop, &wc, &hub_web_events, h, words);
	err = h->web ? 0 : -errno;
	if (err)
		snprintf(why, 256, "%s", words);
	return err;
}

static int open_log(struct hub *h, const struct hub_config *c,
	struct store_report *report, char why[256])
{
	int err = hub_token_keys(c->state_dir, &h->keys, why);

	if (!err)
		err = store_open(&h->store, c->state_dir, c->sync_full ?
			STORE_FULL : STORE_NORMAL, report, why);
	if (!err && c->audit && !(h->audit = audit_open(c->audit, why)))
		err = -errno;
	return err ? err : make_web(h, c, why);
}

static int start(struct hub *h, const struct hub_config *c,
	struct store_report *report, char why[256])
{
	int err = open_log(h, c, report, why);

	if (err)
		return err;
	snprintf(why, 256, "out of memory");
	h->url = strdup(c->url);
	h->state_dir = strdup(c->state_dir);
	h->rooms = map_new(h->seed);
	if (!h->url || !h->state_dir || !h->rooms || make_timers(h) < 0)
		return -ENOMEM;
	err = rooms_load(h, why);
	if (!err)
		rooms_tell(h, report);
	return err;
}

struct hub *hub_new(struct io_loop *l, const struct hub_config *c,
	char why[256])
{
	struct hub *h = calloc(1, sizeof(*h));
	struct store_report report = {0};
	int err;

	if (!h) {
		snprintf(why, 256, "out of memory");
		return NULL;
	}
	h->loop = l;
	h->op_gid = c->op_gid;
	h->session_ms = c->session_ms;
	h->wall0_ms = io_wall_ms();
	h->boot0_ns = io_boot_ns();
	h->tick_ms = MEET_NEVER;
	io_random(&h->seed, sizeof(h->seed));
	memcpy(h->worker_key, c->worker_key, sizeof(h->worker_key));
	list_init(&h->peers);
	list_init(&h->relays);
	list_init(&h->waiting);
	list_init(&h->follows);
	list_init(&h->pumping);
	list_init(&h->batch);
	list_init(&h->scrapes);
	list_init(&h->echoes);
	err = start(h, c, &report, why);
	store_report_free(&report);
	if (!err)
		return h;
	hub_free(h);
	errno = -err;
	return NULL;
}

int hub_renew(struct hub *h, const struct hub_config *c, char why[256])
{
	const struct web_config wc = {.cert = c->cert, .origins = c->origins,
		.frames = c->frames, .trust = c->trust};
	char words[160], *url = strdup(c->url);
	int err = -ENOMEM;

	snprintf(why, 256, "out of memory");
	if (url) {
		err = web_renew(h->web, &wc, words);
		if (err)
			snprintf(why, 256, "%s", words);
	}
	if (err) {
		free(url);
		return err;
	}
	free(h->url);
	h->url = url;
	return 0;
}

static void stop_listening(struct hub *h)
{
	for (int i = 0; i < h->n_listeners; i++) {
		io_watch_free(h->listeners[i].watch);
		io_timer_free(h->listeners[i].resume);
		close(h->listeners[i].fd);
	}
	h->n_listeners = 0;
}

void hub_free(struct hub *h)
{
	if (!h)
		return;
	h->draining = true;
	stop_listening(h);
	hub_scrapes_free(h);
	media_free(h);
	peers_free(h);
	hub_batch_free(h);
	web_free(h->web);
	guard_free(h->guard);
	audit_close(h->audit);
	rooms_free(h);
	store_close(h->store);
	io_undefer(h->loop, hub_settle, h);
	io_timer_free(h->meetings_timer);
	io_timer_free(h->sweep_timer);
	io_timer_free(h->grace_timer);
	io_timer_free(h->relay_timer);
	io_timer_free(h->echo_timer);
	io_timer_free(h->drain_timer);
	explicit_bzero(&h->keys, sizeof(h->keys));
	explicit_bzero(h->worker_key, sizeof(h->worker_key));
	free(h->url);
	free(h->state_dir);
	free(h);
}

int hub_listen_http(struct hub *h, int fd)
{
	int err = web_listen(h->web, fd);

	if (err)
		close(fd);
	return err;
}

int hub_listen_signal(struct hub *h, int fd)
{
	return hub_accept(h, fd, LISTEN_SIGNAL);
}

int hub_listen_worker(struct hub *h, int fd)
{
	return hub_accept(h, fd, LISTEN_WORKER);
}

int hub_listen_metrics(struct hub *h, int fd)
{
	return hub_accept(h, fd, LISTEN_METRICS);
}

static void check_drained(void *arg)
{
	struct hub *h = arg;

	h->drain_left_ms -= DRAIN_STEP_MS;
	if (h->drain_left_ms > 0 && (h->open || web_sockets(h->web)))
		io_timer_in(h->drain_timer, DRAIN_STEP_MS);
	else
		h->drained(h->drained_arg);
}

void hub_drain(struct hub *h, void (*done)(void *arg), void *arg)
{
	if (h->draining)
		return;
	h->draining = true;
	h->drained = done;
	h->drained_arg = arg;
	stop_listening(h);
	web_quiet(h->web);
	list_each(l, next, &h->peers)
		peer_close(list_entry(l, struct peer, link), CLOSE_RESTART,
			"the server is restarting");
	h->drain_left_ms = DRAIN_MS;
	h->drain_timer = io_timer_new(h->loop, check_drained, h);
	if (h->drain_timer)
		io_timer_in(h->drain_timer, DRAIN_STEP_MS);
	else
		done(arg);
}
