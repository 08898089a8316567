/* load_relay - a relay that is run for this alone: its requests on its
 * standard input, see conf-relay(1), and a room with everybody in it. */
#include <signal.h>
#include <sys/wait.h>
#include <fcntl.h>
#include <unistd.h>

#include "load_priv.h"

#define ROOM      "load"
#define MAX_IN    (CTL_MAX_OUT + 65536)
#define MAX_OUT   (8u << 20) /* requests of all users at once */
#define AT_ONCE   32         /* users; one pipe holds all their answers */
#define GIVE_UP_MS 3000      /* for the relay to end */
#define GRACE_MS  500        /* for its death to be told */

struct relay {
	struct load *load;
	struct io_stream *stream;
	struct ctl *ctl;
	struct io_timer *late;
	struct io_timer *grace;
	struct io_reaper *reaper;
};

static struct relay *relay_of(const struct load_user *u)
{
	return u->load->way_state;
}

static void late(void *arg)
{
	struct relay *r = arg;

	if (!r->ctl)
		return;
	ctl_tick(r->ctl, io_now_ns());
	if (r->ctl && ctl_deadline(r->ctl) != CTL_NEVER)
		io_timer_at(r->late, ctl_deadline(r->ctl));
}

static void ask(struct load_user *u, const char *method, json_t *params,
	ctl_done *done)
{
	struct relay *r = relay_of(u);
	uint64_t at = io_now_ns() + u->load->cfg.wait_ms * NS_PER_MS;

	if (!r->ctl) {
		json_decref(params);
		load_user_failed(u, "unavailable", "the relay is gone");
	} else if (ctl_request(r->ctl, method, params, at, done, u)) {
		io_timer_in(r->grace, GRACE_MS);
	} else {
		io_timer_at(r->late, ctl_deadline(r->ctl));
	}
}

/* ---- answers ---- */

static void published(void *arg, const json_t *result,
	const struct ctl_error *err)
{
	struct load_user *u = arg;

	if (!load_user_refused(u, err))
		load_user_published(u, load_text(result, "sdp"), NULL);
}

static void offered(void *arg, const json_t *result,
	const struct ctl_error *err)
{
	struct load_user *u = arg;

	if (!load_user_refused(u, err))
		load_user_offered(u, load_text(result, "sdp"), u->sub.id);
}

static void new_id(char out[STR_ID_CAP], char prefix)
{
	uint8_t random[16];

	io_random(random, sizeof random);
	str_id(out, prefix, random);
}

/* Steals what is added to the common parts of transport.create. */
static json_t *create(const struct load_user *u, const struct side *s,
	const char *direction)
{
	return json_pack("{s:s, s:i, s:s, s:s, s:s, s:{s:[s,s], s:[], s:b}}",
		"room", ROOM, "epoch", 1, "endpoint", u->endpoint,
		"transport", s->id, "direction", direction, "grant",
		"publish", "mic", "cam", "muted", "receive", 1);
}

/* ---- what comes unasked ---- */

static struct load_user *user_of(struct load *l, const char *transport)
{
	for (unsigned i = 0; i < l->n_users; i++)
		if (str_eq(l->users[i].pub.id, transport) ||
			str_eq(l->users[i].sub.id, transport))
			return &l->users[i];
	return NULL;
}

static void more_slots(void *arg, struct ctl_call *call,
	const json_t *params)
{
	struct relay *r = arg;
	struct load_user *u = user_of(r->load, load_text(params,
		"transport"));

	ctl_reply(call, NULL);
	if (u)
		load_user_offered(u, load_text(params, "sdp"), NULL);
}

static void ignore(void *arg, struct ctl_call *call, const json_t *params)
{
	(void)arg, (void)params;
	ctl_reply(call, NULL);
}

static const struct ctl_method methods[] = {
	{"transport.offer", more_slots},
	{"transport.state", ignore}, /* the peers know */
	{"track.started", ignore},
	{"track.stopped", ignore},
	{"slot.assigned", ignore},
	{"slot.live", ignore},
	{"talk.level", ignore},
};

/* ---- the process ---- */

static void gone(struct relay *r, const char *reason)
{
	struct load *l = r->load;
	struct ctl *c = r->ctl;

	if (!l->ready && !l->faults)
		load_fault(l, 75, "%s", reason);
	if (!l->ready)
		load_stop(l);
	r->ctl = NULL;
	ctl_free(c); /* every request fails its user */
	for (unsigned i = 0; i < l->n_users; i++)
		if (l->users[i].state == USER_UP ||
			l->users[i].state == USER_JOINING)
			load_user_failed(&l->users[i], "unavailable", reason);
}

static void closed(void *arg)
{
	gone(arg, "the relay takes no requests");
}

static void reaped(void *arg, pid_t pid, int status)
{
	struct relay *r = arg;
	struct load *l = r->load;

	if (pid != l->pid)
		return;
	l->pid = 0;
	if (l->phase >= PHASE_LEAVING)
		return;
	if (WIFSIGNALED(status))
		load_fault(l, 3, "the relay was ended by signal %d",
			WTERMSIG(status));
	else
		load_fault(l, WEXITSTATUS(status) == 75 ? 75 : 3,
			"the relay ended with status %d",
			WEXITSTATUS(status));
	gone(r, "the relay is gone");
}

static size_t on_data(void *arg, const uint8_t *p, size_t n)
{
	struct relay *r = arg;

	if (r->ctl && ctl_feed(r->ctl, p, n) && r->ctl)
		gone(r, "the relay does not speak the protocol");
	return n;
}

/* If that is its death, the reaper knows more. */
static void on_close(void *arg, int err)
{
	struct relay *r = arg;

	(void)err;
	io_timer_in(r->grace, GRACE_MS);
	io_stream_free(r->stream);
	r->stream = NULL;
}

static int write_ctl(void *arg, const void *p, size_t n)
{
	struct relay *r = arg;

	return r->stream ? io_stream_send(r->stream, p, n) : -EPIPE;
}

static int run_relay(struct relay *r, int to[2], int from[2])
{
	static const struct io_stream_events ev = {on_data, on_close, NULL};
	const struct load_config *c = &r->load->cfg;
	const struct io_spawn_fd fds[] = {{to[0], 0}, {from[1], 1}};
	pid_t pid;

	r->late = io_timer_new(c->loop, late, r);
	r->grace = io_timer_new(c->loop, closed, r);
	r->reaper = io_reaper_new(c->loop, reaped, r);
	if (!r->late || !r->grace || !r->reaper)
		return -ENOMEM;
	pid = io_spawn(c->relay, NULL, fds, ARRAY_LEN(fds));
	if (pid < 0)
		return (int)pid;
	r->load->pid = pid;
	r->stream = io_stream_new(c->loop, from[0], to[1], MAX_IN, MAX_OUT,
		&ev, r);
	if (!r->stream)
		return -ENOMEM;
	from[0] = to[1] = -1;
	return 0;
}

static void close_pair(const int fd[2])
{
	for (unsigned i = 0; i < 2; i++)
		if (fd[i] >= 0)
			close(fd[i]);
}

static void roomy(void *arg, const json_t *result,
	const struct ctl_error *err)
{
	struct relay *r = arg;

	(void)result;
	if (!err)
		load_ready(r->load);
	else if (!str_eq(err->kind, "unavailable")) /* it is gone, is told */
		gone(r, err->message);
}

static int way_open(struct load *l, char why[160])
{
	struct relay *r = calloc(1, sizeof *r);
	int to[2] = {-1, -1}, from[2] = {-1, -1}, err = 0;

	if (!r)
		return -ENOMEM;
	l->way_state = r;
	r->load = l;
	if (pipe2(to, O_CLOEXEC) || pipe2(from, O_CLOEXEC))
		err = -errno;
	if (!err)
		err = run_relay(r, to, from);
	close_pair(to);
	close_pair(from);
	if (err) {
		snprintf(why, 160, "cannot run '%.100s': %s",
			l->cfg.relay[0], strerror(-err));
		return err;
	}
	r->ctl = ctl_new(&(struct ctl_config){.write = write_ctl, .arg = r,
		.methods = methods, .n_methods = ARRAY_LEN(methods),
		.lines = true, .max_in = CTL_MAX_OUT, .max_out = CTL_MAX_IN});
	if (!r->ctl)
		return -ENOMEM;
	if (ctl_request(r->ctl, "room.create", json_pack("{s:s, s:i}",
		"room", ROOM, "epoch", 1), CTL_NEVER, roomy, r))
		io_timer_in(r->grace, GRACE_MS);
	return 0;
}

static void way_join(struct load_user *u)
{
	new_id(u->endpoint, 'e');
	load_user_joined(u);
}

static void way_publish(struct load_user *u, const char *sdp)
{
	json_t *params;

	new_id(u->pub.id, 't');
	params = create(u, &u->pub, "publish");
	json_object_set_new(params, "sdp", json_string(sdp));
	ask(u, "transport.create", params, published);
}

static void way_subscribe(struct load_user *u)
{
	new_id(u->sub.id, 't');
	ask(u, "transport.create", create(u, &u->sub, "subscribe"), offered);
}

static void way_answer(struct load_user *u, const char *sdp)
{
	ask(u, "transport.answer", json_pack("{s:s, s:s}", "transport",
		u->sub.id, "sdp", sdp), load_user_answered);
}

static void way_leave(struct load_user *u)
{
	load_goodbye(u->load); /* it ends with the relay */
}

static void way_forget(struct load_user *u)
{
	(void)u;
}

/* The end of its input ends it; if not, a signal does. */
static void end_process(struct load *l)
{
	const struct timespec pause = {.tv_nsec = 10000000};

	for (unsigned ms = 0; l->pid && ms < GIVE_UP_MS; ms += 10) {
		if (waitpid(l->pid, NULL, WNOHANG) != 0)
			l->pid = 0;
		else
			nanosleep(&pause, NULL);
	}
	if (!l->pid)
		return;
	kill(l->pid, SIGKILL);
	waitpid(l->pid, NULL, 0);
	l->pid = 0;
}

static void way_close(struct load *l)
{
	struct relay *r = l->way_state;
	struct ctl *c = r ? r->ctl : NULL;

	if (!r)
		return;
	r->ctl = NULL;
	ctl_free(c);
	io_stream_free(r->stream);
	io_timer_free(r->late);
	io_timer_free(r->grace);
	io_reaper_free(r->reaper);
	end_process(l);
	l->way_state = NULL;
	free(r);
}

const struct load_way load_by_relay = {
	.at_once = AT_ONCE,
	.open = way_open,
	.join = way_join,
	.publish = way_publish,
	.subscribe = way_subscribe,
	.answer = way_answer,
	.leave = way_leave,
	.forget = way_forget,
	.close = way_close,
};
