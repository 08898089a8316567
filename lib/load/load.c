/* load - the phases of a run: users come, are measured, and leave. */
#include <stdarg.h>
#include <sys/resource.h>

#include "load_priv.h"

#define LOGGED     10 /* faults */
#define TICK_MS    20
#define FDS_EACH   3u /* two transports and a WebSocket */

/* ---- words ---- */

void load_progress(struct load *l, const char *fmt, ...)
{
	char text[160];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	if (l->cfg.on_progress)
		l->cfg.on_progress(l->cfg.arg, text);
}

void load_fault(struct load *l, int status, const char *fmt, ...)
{
	char text[240];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	if (!l->status)
		l->status = status;
	if (++l->faults <= LOGGED)
		io_log(IO_ERROR, "%s", text);
	if (l->faults == LOGGED)
		io_log(IO_ERROR, "more of this is only counted");
}

/* ---- the configuration ---- */

static int refuse(char why[160], const char *text)
{
	snprintf(why, 160, "%s", text);
	return -EINVAL;
}

static int check_media(const struct load_media *m, char why[160])
{
	uint32_t hz = m->audio_hz;

	if (!m->audio_bps && !m->video_bps)
		return refuse(why, "neither sound nor pictures: nothing to "
			"send");
	if (m->audio_bps && hz != 50 && hz != 100 && hz != 200 && hz != 400)
		return refuse(why, "packets of sound are 50, 100, 200 or 400 "
			"a second");
	if (m->audio_bps > 510000)
		return refuse(why, "sound has at most 510k");
	if (m->video_bps && (m->video_fps < 1 || m->video_fps > 240))
		return refuse(why, "pictures are 1 to 240 a second");
	if (m->video_bps > 100000000)
		return refuse(why, "pictures have at most 100M");
	if (m->video_bps && (m->payload_bytes < 200 ||
		m->payload_bytes > PEER_MAX_PAYLOAD))
		return refuse(why, "packets of pictures have 200 to 1400 "
			"bytes");
	if (m->video_bps && (!m->width || m->width > 16383 || !m->height ||
		m->height > 16383))
		return refuse(why, "pictures have sides of 1 to 16383");
	return 0;
}

int load_check(const struct load_config *c, char why[160])
{
	struct load_link link;

	if (c->publishers > LOAD_MAX_USERS || c->subscribers >
		LOAD_MAX_USERS || c->publishers + c->subscribers >
		LOAD_MAX_USERS || !(c->publishers + c->subscribers))
		return refuse(why, "users are 1 to 5000");
	if (!c->link == !c->relay)
		return refuse(why, "a join link or a relay is wanted");
	if (c->link && load_link_parse(&link, c->link, why))
		return -EINVAL;
	return c->publishers ? check_media(&c->media, why) : 0;
}

struct load *load_new(const struct load_config *c)
{
	struct load *l = calloc(1, sizeof *l);
	char why[160];
	uint64_t seed;
	int err = -ENOMEM;

	if (!l)
		return NULL;
	l->cfg = *c;
	l->way = c->relay ? &load_by_relay : &load_by_signal;
	io_random(&seed, sizeof seed);
	rng_seed(&l->rng, seed);
	if (load_check(c, why) || (c->link &&
		load_link_parse(&l->link, c->link, why))) {
		free(l);
		errno = EINVAL;
		return NULL;
	}
	l->users = calloc(c->publishers + c->subscribers, sizeof *l->users);
	if (l->users)
		err = 0;
	while (!err && l->n_users < c->publishers + c->subscribers) {
		err = load_user_init(&l->users[l->n_users], l, l->n_users);
		l->n_users++;
	}
	if (!err)
		return l;
	load_free(l);
	errno = -err;
	return NULL;
}

void load_free(struct load *l)
{
	if (!l)
		return;
	l->phase = PHASE_OVER;
	for (unsigned i = 0; i < l->n_users; i++)
		load_user_free(&l->users[i]);
	l->way->close(l);
	io_timer_free(l->timer);
	free(l->users);
	free(l);
}

/* ---- leaving ---- */

static void over(void *arg)
{
	struct load *l = arg;

	if (l->phase == PHASE_OVER)
		return;
	l->phase = PHASE_OVER;
	io_timer_stop(l->timer);
	l->cfg.on_end(l->cfg.arg);
}

void load_goodbye(struct load *l)
{
	if (l->phase == PHASE_LEAVING && --l->staying == 0)
		io_defer(l->cfg.loop, over, l);
}

static void part(struct load *l)
{
	l->phase = PHASE_LEAVING;
	l->staying = l->up + 1;
	io_timer_in(l->timer, LOAD_LEAVE_MS);
	for (unsigned i = 0; i < l->n_users; i++)
		if (l->users[i].state == USER_UP)
			l->way->leave(&l->users[i]);
	load_goodbye(l);
}

static bool is_blind(const struct load_user *u)
{
	return u->sub.wanted && u->state == USER_UP && !u->seen &&
		!u->pub.wanted && u->load->cfg.publishers &&
		!u->load->cut_short;
}

static void sum_up(struct load *l)
{
	for (unsigned i = 0; i < l->n_users; i++) {
		struct load_user *u = &l->users[i];

		load_gather(l, &u->pub);
		load_gather(l, &u->sub);
		l->transports += u->pub.connected + u->sub.connected;
		l->skipped += u->gen[0].skipped + u->gen[1].skipped;
		if (!is_blind(u))
			continue;
		l->blind++;
		load_fault(l, 124, "load-%u: no frame came", u->number);
	}
}

static void stop_sending(struct load *l)
{
	load_totals(l, &l->to);
	for (unsigned i = 0; i < l->n_users; i++)
		load_user_quiet(&l->users[i]);
	l->phase = PHASE_LINGERING;
	io_timer_in(l->timer, LOAD_LINGER_MS);
}

/* ---- joining ---- */

static void begin_run(struct load *l)
{
	if (!l->up) {
		part(l);
		return;
	}
	load_progress(l, "%u of %u joined; measuring for %g s", l->up,
		l->n_users, (double)l->cfg.run_ms / 1000);
	l->phase = PHASE_RUNNING;
	load_totals(l, &l->from);
	io_timer_in(l->timer, l->cfg.run_ms);
}

/* Subscribers come when the publishers are there, or are not to come: then
 * the time to their first frame is theirs alone. */
static bool may_start(const struct load *l, const struct load_user *u,
	uint64_t now_ns)
{
	return now_ns >= l->next_start_ns &&
		l->started < l->settled + l->way->at_once &&
		(u->pub.wanted || l->settled >= l->cfg.publishers);
}

static void give_up(struct load *l, uint64_t now_ns)
{
	for (unsigned i = 0; i < l->started; i++)
		if (l->users[i].state == USER_JOINING && now_ns >=
			l->users[i].begun_ns + l->cfg.wait_ms * NS_PER_MS)
			load_user_failed(&l->users[i], "timeout",
				"did not join in time");
}

static void bring_in(struct load *l)
{
	uint64_t now_ns = io_now_ns();

	if (!l->ready) {
		load_fault(l, 124, "the relay did not answer in time");
		part(l);
		return;
	}
	give_up(l, now_ns);
	while (l->phase == PHASE_JOINING && l->started < l->n_users &&
		may_start(l, &l->users[l->started], now_ns)) {
		l->next_start_ns += l->cfg.ramp_ms * NS_PER_MS / l->n_users;
		load_user_start(&l->users[l->started++]);
	}
	if (l->phase != PHASE_JOINING)
		return;
	if (l->settled == l->n_users)
		begin_run(l);
	else
		io_timer_in(l->timer, TICK_MS);
}

static void on_timer(void *arg)
{
	struct load *l = arg;

	switch (l->phase) {
	case PHASE_JOINING:
		bring_in(l);
		break;
	case PHASE_RUNNING:
		stop_sending(l);
		break;
	case PHASE_LINGERING:
		sum_up(l);
		part(l);
		break;
	case PHASE_LEAVING:
		over(l);
		break;
	default:
		break;
	}
}

void load_user_settled(struct load_user *u)
{
	struct load *l = u->load;

	l->settled += !u->settled;
	u->settled = true;
	if (u->state == USER_UP) {
		l->up++;
		l->came++;
	} else {
		l->failed++;
	}
	if (l->phase == PHASE_JOINING)
		io_timer_in(l->timer, 0);
	else if (l->phase == PHASE_RUNNING && !l->up)
		load_stop(l);
}

/* Each user needs descriptors of his own; the soft limit is for programs that
 * still use select(2). */
static void raise_limit(const struct load *l)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r))
		return;
	r.rlim_cur = MIN(r.rlim_max, MAX(r.rlim_cur, (rlim_t)l->n_users *
		FDS_EACH + 64));
	(void)setrlimit(RLIMIT_NOFILE, &r);
}

void load_ready(struct load *l)
{
	if (l->ready)
		return;
	l->ready = true;
	load_totals(l, &l->before);
	l->next_start_ns = io_now_ns();
	io_timer_in(l->timer, 0);
}

int load_start(struct load *l, char why[160])
{
	int err;

	*why = '\0';
	raise_limit(l);
	l->timer = io_timer_new(l->cfg.loop, on_timer, l);
	err = l->timer ? l->way->open(l, why) : -ENOMEM;
	if (err) {
		if (!*why)
			snprintf(why, 160, "%s", strerror(-err));
		return err;
	}
	l->phase = PHASE_JOINING;
	load_progress(l, "%u publishers and %u subscribers join",
		l->cfg.publishers, l->cfg.subscribers);
	if (!l->ready)
		io_timer_in(l->timer, l->cfg.wait_ms);
	return 0;
}

void load_stop(struct load *l)
{
	l->cut_short = true;
	if (l->phase == PHASE_RUNNING)
		stop_sending(l);
	else if (l->phase == PHASE_JOINING)
		part(l);
}

int load_status(const struct load *l)
{
	if (!l->faults || l->status == 3 || !l->came)
		return l->status;
	return 1;
}

unsigned load_came(const struct load *l)
{
	return l->came;
}
