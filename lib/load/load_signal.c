/* load_signal - users who join a meeting by its link, as a page does: hello
 * with the link's token, user.join, then media (conf-ctl(7)). */
#include <netdb.h>

#include "load_priv.h"
#include "load_ws_priv.h"

#define BACK_MS 250 /* before a lost connection is tried again, up to twice */

struct signal {
	struct load_ws_to to;
	bool reached; /* by anybody: it is worth to try again */
};

static uint64_t deadline(const struct load_user *u)
{
	return io_now_ns() + u->load->cfg.wait_ms * NS_PER_MS;
}

static void late(void *arg)
{
	struct load_user *u = arg;
	uint64_t next;

	if (!u->ctl)
		return;
	ctl_tick(u->ctl, io_now_ns());
	next = u->ctl ? ctl_deadline(u->ctl) : CTL_NEVER;
	if (next != CTL_NEVER)
		io_timer_at(u->late, next);
}

/* done NULL: the answer is of no interest. */
static void ask(struct load_user *u, const char *method, json_t *params,
	ctl_done *done)
{
	uint64_t at = deadline(u);

	if (!u->ctl) {
		json_decref(params);
		return;
	}
	if (ctl_request(u->ctl, method, params, at, done, u)) {
		load_user_failed(u, "unavailable", "the server does not "
			"take requests");
		return;
	}
	io_timer_at(u->late, MIN(at, ctl_deadline(u->ctl)));
}

/* ---- answers ---- */

static bool among(const json_t *list, const char *id)
{
	const json_t *v;
	size_t i;

	json_array_foreach(list, i, v)
		if (str_eq(json_string_value(v), id))
			return true;
	return false;
}

static void checked(void *arg, const json_t *result,
	const struct ctl_error *err)
{
	struct load_user *u = arg;
	const json_t *gone = json_object_get(result, "gone");

	if (load_user_refused(u, err))
		return;
	u->away = false;
	u->load->returns++;
	if (among(gone, u->pub.id) || among(gone, u->sub.id))
		load_user_reset(u);
}

static void followed(void *arg, const json_t *result,
	const struct ctl_error *err)
{
	struct load_user *u = arg;
	json_t *ids;

	(void)result;
	if (load_user_refused(u, err))
		return;
	if (!u->away) {
		load_user_joined(u);
		return;
	}
	if (u->state == USER_JOINING) {
		u->away = false;
		u->load->returns++;
		load_user_rejoined(u);
		return;
	}
	ids = json_array();
	if (u->pub.wanted)
		json_array_append_new(ids, json_string(u->pub.id));
	if (u->sub.wanted)
		json_array_append_new(ids, json_string(u->sub.id));
	ask(u, "media.check", json_pack("{s:o}", "transports", ids), checked);
}

static void seated(void *arg, const json_t *result,
	const struct ctl_error *err)
{
	struct load_user *u = arg;
	const char *bad = NULL;

	if (!load_user_refused(u, err))
		ask(u, "events.follow", json_pack("{s:I}", "since",
			(json_int_t)json_int(result, "seq", 0, &bad)),
			followed);
}

static void greeted(void *arg, const json_t *result,
	const struct ctl_error *err)
{
	struct load_user *u = arg;
	char name[24];

	if (load_user_refused(u, err))
		return;
	if (!*u->session)
		(void)str_copy(u->session, sizeof u->session,
			load_text(result, "session"));
	snprintf(name, sizeof name, "load-%u", u->number);
	ask(u, "user.join", json_pack("{s:s}", "name", name), seated);
}

/* When media began anew meanwhile, only the answer to the last request is
 * about what there is now. */
static void published(void *arg, const json_t *result,
	const struct ctl_error *err)
{
	struct load_user *u = arg;

	if (--u->pub.asked == 0 && !load_user_refused(u, err))
		load_user_published(u, load_text(result, "sdp"),
			load_text(result, "transport"));
}

static void offered(void *arg, const json_t *result,
	const struct ctl_error *err)
{
	struct load_user *u = arg;

	if (--u->sub.asked == 0 && !load_user_refused(u, err))
		load_user_offered(u, load_text(result, "sdp"),
			load_text(result, "transport"));
}

static void left(void *arg, const json_t *result,
	const struct ctl_error *err)
{
	struct load_user *u = arg;

	(void)result, (void)err;
	load_goodbye(u->load);
}

/* ---- what comes unasked ---- */

static void event(void *arg, struct ctl_call *call, const json_t *params)
{
	struct load_user *u = arg;
	const char *type = load_text(params, "type");
	const json_t *data = json_object_get(params, "data");
	const json_t *list = json_object_get(data, "transports");

	ctl_reply(call, NULL);
	if (str_eq(type, "media.renegotiate") &&
		str_eq(load_text(data, "transport"), u->sub.id))
		load_user_offered(u, load_text(data, "sdp"), NULL);
	else if (str_eq(type, "media.reset") && (!list ||
		among(list, u->pub.id) || among(list, u->sub.id)))
		load_user_reset(u);
	else if (str_eq(type, "meeting.ended"))
		load_user_failed(u, "not_found", "the meeting has ended");
}

static const struct ctl_method methods[] = {{"event", event}};

static int write_ctl(void *arg, const void *p, size_t n)
{
	struct load_user *u = arg;

	return u->ws ? load_ws_send(u->ws, p, n) : -EPIPE;
}

/* ---- the WebSocket ---- */

static void on_open(void *arg)
{
	struct load_user *u = arg;
	struct signal *s = u->load->way_state;
	json_t *hello = ctl_hello(LOAD_AGENT, "client");

	s->reached = true;
	json_object_set_new(hello, *u->session ? "session" : "token",
		json_string(*u->session ? u->session : u->load->link.token));
	u->ctl = ctl_new(&(struct ctl_config){.write = write_ctl, .arg = u,
		.methods = methods, .n_methods = ARRAY_LEN(methods),
		.max_in = CTL_MAX_OUT, .max_out = CTL_MAX_IN});
	if (u->ctl) {
		ask(u, "hello", hello, greeted);
	} else {
		json_decref(hello);
		load_user_failed(u, "internal", "out of memory");
	}
}

static void on_text(void *arg, const char *p, size_t n)
{
	struct load_user *u = arg;

	if (u->ctl && ctl_message(u->ctl, p, n) && u->ctl)
		load_user_failed(u, "internal", "the server does not speak "
			"the protocol");
}

/* Media outlive signalling: who was there comes back. */
static void come_back(struct load_user *u)
{
	struct ctl *c = u->ctl;

	if (!u->away)
		u->away_ns = io_now_ns();
	u->away = true;
	u->ctl = NULL;
	ctl_free(c);
	load_ws_free(u->ws);
	u->ws = NULL;
	io_timer_in(u->again, BACK_MS + rng_below(&u->load->rng, BACK_MS));
}

static void on_close(void *arg, int status, const char *reason)
{
	struct load_user *u = arg;
	const struct signal *s = u->load->way_state;
	char text[160];

	if (status != 1 && (*u->session || s->reached)) {
		come_back(u);
		return;
	}
	snprintf(text, sizeof text, "'%.80s': %.60s",
		u->load->link.authority, reason);
	load_user_failed(u, status == 1 ? "denied" : "unavailable", text);
}

static const struct load_ws_events ws_events = {on_open, on_text, on_close};

static void again(void *arg)
{
	struct load_user *u = arg;
	const struct signal *s = u->load->way_state;

	if (io_now_ns() - u->away_ns > u->load->cfg.wait_ms * NS_PER_MS) {
		load_user_failed(u, "timeout", "lost the server");
		return;
	}
	u->ws = load_ws_new(u->load->cfg.loop, &s->to, &ws_events, u);
	if (!u->ws)
		come_back(u);
}

/* ---- the way ---- */

static bool is_loopback(const union io_addr *a)
{
	if (a->sa.sa_family == AF_INET)
		return ntohl(a->in4.sin_addr.s_addr) >> 24 == 127;
	return IN6_IS_ADDR_LOOPBACK(&a->in6.sin6_addr);
}

static int find_host(const struct load_link *link, struct load_ws_to *to,
	char why[160])
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
	struct addrinfo *found = NULL;
	int err = getaddrinfo(link->host, link->port, &hints, &found);

	if (err) {
		snprintf(why, 160, "cannot find '%.64s': %s", link->host,
			gai_strerror(err));
		return -EHOSTUNREACH;
	}
	for (struct addrinfo *a = found; a && to->n_addrs < LOAD_WS_ADDRS;
		a = a->ai_next)
		if (a->ai_addrlen <= sizeof to->addr[0])
			memcpy(&to->addr[to->n_addrs++], a->ai_addr,
				a->ai_addrlen);
	freeaddrinfo(found);
	return 0;
}

/* To this host itself the kernel vouches; a certificate of its own making is
 * the rule there. */
static int way_open(struct load *l, char why[160])
{
	struct signal *s = calloc(1, sizeof *s);
	bool verify = false;
	int err;

	if (!s)
		return -ENOMEM;
	l->way_state = s;
	s->to.link = &l->link;
	err = find_host(&l->link, &s->to, why);
	if (err)
		return err;
	if (!l->link.tls) {
		load_ready(l);
		return 0;
	}
	for (unsigned i = 0; i < s->to.n_addrs; i++)
		verify |= !is_loopback(&s->to.addr[i]);
	s->to.tls = load_tls_ctx(verify && !l->cfg.insecure);
	if (!s->to.tls)
		return -errno;
	load_ready(l);
	return 0;
}

static void way_join(struct load_user *u)
{
	const struct signal *s = u->load->way_state;

	u->late = io_timer_new(u->load->cfg.loop, late, u);
	u->again = io_timer_new(u->load->cfg.loop, again, u);
	u->ws = u->late && u->again ? load_ws_new(u->load->cfg.loop, &s->to,
		&ws_events, u) : NULL;
	if (!u->ws)
		on_close(u, 75, strerror(errno));
}

static void way_publish(struct load_user *u, const char *sdp)
{
	u->pub.asked += u->ctl != NULL;
	ask(u, "media.publish", json_pack("{s:s}", "sdp", sdp), published);
}

static void way_subscribe(struct load_user *u)
{
	u->sub.asked += u->ctl != NULL;
	ask(u, "media.subscribe", NULL, offered);
}

static void way_answer(struct load_user *u, const char *sdp)
{
	ask(u, "media.answer", json_pack("{s:s, s:s}", "transport",
		u->sub.id, "sdp", sdp), load_user_answered);
}

static void way_leave(struct load_user *u)
{
	if (!u->ctl || ctl_request(u->ctl, "user.leave", NULL, CTL_NEVER,
		left, u))
		load_goodbye(u->load);
}

static void way_forget(struct load_user *u)
{
	struct ctl *c = u->ctl;

	u->ctl = NULL;
	ctl_free(c);
	load_ws_free(u->ws);
	u->ws = NULL;
	io_timer_free(u->late);
	io_timer_free(u->again);
	u->late = u->again = NULL;
}

static void way_close(struct load *l)
{
	struct signal *s = l->way_state;

	l->way_state = NULL;
	if (s)
		load_tls_ctx_free(s->to.tls);
	free(s);
}

const struct load_way load_by_signal = {
	.at_once = LOAD_MAX_USERS,
	.open = way_open,
	.join = way_join,
	.publish = way_publish,
	.subscribe = way_subscribe,
	.answer = way_answer,
	.leave = way_leave,
	.forget = way_forget,
	.close = way_close,
};
