/* load_user - one participant: his transports, what he sends, what he gets. */
#include <unistd.h>

#include "load_priv.h"
#include "wire.h"

#define KEYREQ_NS NS_PER_S /* between requests for one stream */
#define MOURN_MS  2000     /* for control to say why media ended */
#define RETRY_MS  300      /* while media cannot begin anew */
#define JOIN_MS   6000     /* of such tries while joining; the server has
                              lost its relay and has another soon */
#define PACE_MS       5    /* between packets of a picture that are sent */
#define PACE_PERCENT  250  /* of the rate, for as long as it takes */

enum { SOUND, PICTURES };

/* ---- answers ---- */

const char *load_text(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : "";
}

/* Who may not have media yet, or not have them back, tries later, as he is
 * told. At a relay alone there is nobody who would bring another. */
static bool tries_again(struct load_user *u, const struct ctl_error *err)
{
	uint64_t wait_ms = u->load->cfg.wait_ms;

	if (u->state == USER_JOINING)
		wait_ms = MIN(wait_ms, JOIN_MS);
	if (!u->reset_ns && u->state == USER_JOINING && *u->session &&
		(str_eq(err->kind, "unavailable") ||
		str_eq(err->kind, "draining")))
		u->reset_ns = io_now_ns();
	return u->reset_ns && ctl_kind_status(err->kind) == 75 &&
		io_now_ns() - u->reset_ns < wait_ms * NS_PER_MS;
}

/* What was asked when the connection was lost is asked again if need be. */
bool load_user_refused(struct load_user *u, const struct ctl_error *err)
{
	if (!err)
		return false;
	if (u->away && str_eq(err->kind, "unavailable"))
		return true;
	if (tries_again(u, err))
		io_timer_in(u->retry, RETRY_MS);
	else
		load_user_failed(u, err->kind, err->message);
	return true;
}

void load_user_answered(void *arg, const json_t *result,
	const struct ctl_error *err)
{
	struct load_user *u = arg;

	(void)result;
	if (!u->sub.asked) /* else it was to an offer that is void */
		(void)load_user_refused(u, err);
}

/* ---- sending ---- */

/* TALKERS of the publishers speak, others are heard breathing; the turn goes
 * round. */
static bool speaks(const struct load_user *u, uint64_t now_ns)
{
	unsigned n = u->load->cfg.publishers;
	unsigned turn = (unsigned)(now_ns / TALK_NS % n);

	return (u->number + n - turn) % n < TALKERS;
}

/* What a browser's pacer lets go at a time. */
static size_t allowance(const struct load_config *c, unsigned kind)
{
	return kind == SOUND || c->burst ? SIZE_MAX : (size_t)(
		(uint64_t)c->media.video_bps * PACE_PERCENT / 100 / 8 *
		PACE_MS / 1000) + 1;
}

static void send_due(struct load_user *u, unsigned kind)
{
	const struct load_config *c = &u->load->cfg;
	struct load_gen *g = &u->gen[kind];
	uint8_t payload[PEER_MAX_PAYLOAD];
	uint64_t now_ns = io_now_ns();
	size_t left = allowance(c, kind);
	struct peer_rtp pkt = {.level = -1};

	pkt.line = kind == PICTURES && c->media.audio_bps ? 1 : 0;
	if (kind == SOUND) {
		pkt.voice = speaks(u, now_ns);
		pkt.level = pkt.voice ? LEVEL_SPEAKING : LEVEL_QUIET;
	}
	while (left && (g->left || load_gen_frame(g, now_ns))) {
		(void)load_gen_packet(g, io_now_ns(), &pkt, payload);
		if (peer_send_rtp(u->pub.peer, &pkt) == 0)
			u->load->sent_bytes += pkt.len;
		left -= MIN(left, pkt.len);
	}
	io_timer_at(u->timer[kind], g->left ? now_ns + PACE_MS * NS_PER_MS :
		load_gen_due(g));
}

static void send_sound(void *arg)
{
	send_due(arg, SOUND);
}

static void send_pictures(void *arg)
{
	send_due(arg, PICTURES);
}

/* Publishers begin at different places of a frame's time, as people do. */
static void begin_sending(struct load_user *u)
{
	const struct load_media *m = &u->load->cfg.media;
	uint64_t now_ns = io_now_ns(), seed;

	for (unsigned kind = SOUND; kind <= PICTURES; kind++) {
		bool video = kind == PICTURES;
		uint64_t period = NS_PER_S / (video ? m->video_fps :
			m->audio_hz);

		if (!(video ? m->video_bps : m->audio_bps))
			continue;
		io_random(&seed, sizeof seed);
		load_gen_init(&u->gen[kind], m, video, (uint16_t)u->number,
			now_ns + period * u->number /
			u->load->cfg.publishers, seed);
		io_timer_at(u->timer[kind], load_gen_due(&u->gen[kind]));
	}
}

void load_user_quiet(struct load_user *u)
{
	for (unsigned kind = SOUND; kind <= PICTURES; kind++)
		if (u->timer[kind])
			io_timer_stop(u->timer[kind]);
}

/* ---- what peers say ---- */

static void on_state(void *arg, struct peer *p, enum peer_state state,
	const char *reason)
{
	struct side *s = arg;
	struct load_user *u = s->user;

	(void)p;
	if (state == PEER_CLOSED) {
		snprintf(u->ended, sizeof u->ended, "media ended: %s",
			reason);
		io_timer_in(u->mourning, MOURN_MS);
	}
	if (state != PEER_CONNECTED || s->connected)
		return;
	s->connected = true;
	if (s->publish)
		begin_sending(u);
	if (u->pub.connected == u->pub.wanted &&
		u->sub.connected == u->sub.wanted)
		u->reset_ns = 0;
	if (u->state != USER_JOINING || u->pub.connected != u->pub.wanted ||
		u->sub.connected != u->sub.wanted)
		return;
	u->state = USER_UP;
	load_hist_add(&u->load->join_ms, (io_now_ns() - u->begun_ns) /
		NS_PER_MS);
	load_user_settled(u);
}

/* Nobody has said that it is to begin anew. */
static void mourn(void *arg)
{
	struct load_user *u = arg;

	load_user_failed(u, strstr(u->ended, "timeout") ? "timeout" :
		"unavailable", u->ended);
}

static bool counts_as_first(const struct load *l, bool video)
{
	return video == (l->cfg.media.video_bps > 0);
}

/* At most once a second for a stream, and not at its first packets. */
static void want_key(struct side *s, unsigned line, unsigned rid)
{
	uint64_t now_ns = io_now_ns();

	if (s->keyreq_ns[line] && now_ns - s->keyreq_ns[line] < KEYREQ_NS)
		return;
	if (s->keyreq_ns[line])
		(void)peer_request_keyframe(s->peer, line, rid);
	s->keyreq_ns[line] = now_ns;
}

static void on_rtp(void *arg, struct peer *p, const struct peer_rtp *pkt)
{
	struct side *s = arg;
	struct load_user *u = s->user;
	struct load *l = u->load;
	const struct peer_line *line = peer_line(p, pkt->line);

	if (pkt->line >= s->n_sinks)
		return;
	if (l->phase == PHASE_RUNNING && u->heard_ns)
		l->gap_ns = MAX(l->gap_ns, pkt->arrival_ns - u->heard_ns);
	u->heard_ns = pkt->arrival_ns;
	l->received_bytes += pkt->len;
	if (!load_sink_take(&s->sinks[pkt->line], pkt, line->video,
		&l->delay_us)) {
		if (line->video && !s->sinks[pkt->line].whole)
			want_key(s, pkt->line, pkt->rid);
		return;
	}
	if (u->seen || !counts_as_first(l, line->video))
		return;
	u->seen = true;
	load_hist_add(&l->first_ms, (pkt->arrival_ns - u->begun_ns) /
		NS_PER_MS);
}

static void on_keyframe_request(void *arg, struct peer *p, unsigned line,
	unsigned rid)
{
	struct side *s = arg;

	(void)rid;
	if (s->publish && peer_line(p, line)->video)
		load_gen_want_key(&s->user->gen[PICTURES]);
}

static void on_lost(void *arg, struct peer *p, unsigned line, unsigned rid)
{
	(void)p;
	want_key(arg, line, rid);
}

static const struct peer_events events = {
	.on_state = on_state,
	.on_rtp = on_rtp,
	.on_keyframe_request = on_keyframe_request,
	.on_lost = on_lost,
};

/* ---- transports ---- */

static bool keep(void *arg, bool out, const uint8_t *p, size_t n)
{
	const struct side *s = arg;
	struct load *l = s->user->load;

	return out || demux(p, n) != DEMUX_RTP ||
		rng_below(&l->rng, 1000) >= l->cfg.loss_permille;
}

static int open_port(struct side *s)
{
	const struct load_config *c = &s->user->load->cfg;
	union io_addr any;
	int fd;

	if (s->port)
		return 0;
	(void)io_addr_parse(&any, c->ipv6 ? "[::]:0" : "*:0");
	fd = io_udp_bind(&any);
	if (fd < 0)
		return fd;
	s->port = peer_port_new(c->loop, &(struct peer_port_config){
		.fds = &fd, .n_fds = 1});
	if (!s->port)
		return -errno;
	if (c->loss_permille)
		peer_port_filter(s->port, keep, s);
	return 0;
}

static int open_side(struct side *s)
{
	char name[32];
	int err = open_port(s);

	if (err)
		return err;
	snprintf(name, sizeof name, "load-%u", s->user->number);
	s->peer = peer_new(s->port, &(struct peer_config){
		.role = PEER_CLIENT, .name = name, .events = &events,
		.arg = s});
	return s->peer ? 0 : -errno;
}

static bool opened(struct side *s)
{
	int err = open_side(s);

	if (err)
		load_user_failed(s->user, err == -EMFILE || err == -ENOMEM ?
			"limit" : "internal", strerror(-err));
	return !err;
}

/* Counts what it was, and frees it. The port stays: this may be inside one of
 * its callbacks. */
static void retire(struct side *s)
{
	struct load *l = s->user->load;

	if (!s->peer)
		return;
	load_gather(l, s);
	load_add_stats(&l->gone, peer_stats(s->peer));
	peer_free(s->peer);
	s->peer = NULL;
	s->connected = false;
	memset(s->keyreq_ns, 0, sizeof s->keyreq_ns);
	if (s->sinks)
		memset(s->sinks, 0, s->n_sinks * sizeof *s->sinks);
}

static void publish(struct load_user *u)
{
	const struct load_media *m = &u->load->cfg.media;
	struct peer_line_want lines[2];
	struct buf offer = {0};
	unsigned n = 0;
	int err;

	if (!opened(&u->pub))
		return;
	if (m->audio_bps)
		lines[n++] = (struct peer_line_want){.source = PEER_MIC};
	if (m->video_bps)
		lines[n++] = (struct peer_line_want){.source = PEER_CAM};
	err = peer_make_offer(u->pub.peer, lines, n, &offer);
	if (!err && buf_cstr(&offer))
		u->load->way->publish(u, buf_cstr(&offer));
	else
		load_user_failed(u, "internal", "no offer could be made");
	buf_free(&offer);
}

void load_user_joined(struct load_user *u)
{
	if (u->pub.wanted && u->state != USER_FAILED)
		publish(u);
	if (u->sub.wanted && u->state != USER_FAILED)
		u->load->way->subscribe(u);
}

void load_user_published(struct load_user *u, const char *answer,
	const char *id)
{
	char why[160];

	if (u->state == USER_FAILED || !u->pub.peer)
		return;
	if (id)
		str_copy(u->pub.id, sizeof u->pub.id, id);
	if (peer_accept_answer(u->pub.peer, answer, strlen(answer), why))
		load_user_failed(u, "internal", why);
}

static int more_sinks(struct side *s, unsigned n)
{
	struct load_sink *sinks;

	if (n <= s->n_sinks)
		return 0;
	sinks = realloc(s->sinks, n * sizeof *sinks);
	if (!sinks)
		return -ENOMEM;
	memset(sinks + s->n_sinks, 0, (n - s->n_sinks) * sizeof *sinks);
	s->sinks = sinks;
	s->n_sinks = n;
	return 0;
}

void load_user_offered(struct load_user *u, const char *offer, const char *id)
{
	struct side *s = &u->sub;
	struct buf answer = {0};
	char why[160] = "out of memory";

	if (u->state == USER_FAILED || (!s->peer && !opened(s)))
		return;
	if (id)
		str_copy(s->id, sizeof s->id, id);
	if (peer_accept_offer(s->peer, offer, strlen(offer), &answer, why) ||
		more_sinks(s, peer_lines(s->peer)) || !buf_cstr(&answer))
		load_user_failed(u, "internal", why);
	else
		u->load->way->answer(u, buf_cstr(&answer));
	buf_free(&answer);
}

static void begin_anew(void *arg)
{
	struct load_user *u = arg;

	io_timer_stop(u->mourning);
	io_timer_stop(u->retry);
	load_user_quiet(u);
	retire(&u->pub);
	retire(&u->sub);
	load_user_joined(u);
}

void load_user_reset(struct load_user *u)
{
	if (u->state != USER_UP && u->state != USER_JOINING)
		return;
	u->load->resets++;
	u->reset_ns = io_now_ns();
	begin_anew(u);
}

void load_user_rejoined(struct load_user *u)
{
	begin_anew(u);
}

/* ---- life ---- */

int load_user_init(struct load_user *u, struct load *l, unsigned number)
{
	u->load = l;
	u->number = number;
	u->pub.user = u->sub.user = u;
	u->pub.publish = true;
	u->pub.wanted = number < l->cfg.publishers;
	u->sub.wanted = !u->pub.wanted || l->cfg.both;
	u->mourning = io_timer_new(l->cfg.loop, mourn, u);
	u->retry = io_timer_new(l->cfg.loop, begin_anew, u);
	if (!u->mourning || !u->retry)
		return -ENOMEM;
	if (!u->pub.wanted)
		return 0;
	u->timer[SOUND] = io_timer_new(l->cfg.loop, send_sound, u);
	u->timer[PICTURES] = io_timer_new(l->cfg.loop, send_pictures, u);
	return u->timer[SOUND] && u->timer[PICTURES] ? 0 : -ENOMEM;
}

void load_user_start(struct load_user *u)
{
	u->state = USER_JOINING;
	u->begun_ns = io_now_ns();
	u->load->way->join(u);
}

void load_user_failed(struct load_user *u, const char *kind,
	const char *text)
{
	struct load *l = u->load;

	if (u->state == USER_FAILED || l->phase >= PHASE_LEAVING)
		return;
	if (u->state == USER_UP)
		l->up--;
	u->state = USER_FAILED;
	load_fault(l, ctl_kind_status(kind), "load-%u: %s", u->number, text);
	load_user_quiet(u);
	io_timer_stop(u->mourning);
	io_timer_stop(u->retry);
	retire(&u->pub);
	retire(&u->sub);
	l->way->forget(u);
	load_user_settled(u);
}

static void free_side(struct side *s)
{
	peer_free(s->peer);
	peer_port_free(s->port);
	free(s->sinks);
}

void load_user_free(struct load_user *u)
{
	free_side(&u->pub);
	free_side(&u->sub);
	u->pub.peer = u->sub.peer = NULL;
	if (u->load)
		u->load->way->forget(u);
	io_timer_free(u->mourning);
	io_timer_free(u->retry);
	io_timer_free(u->timer[SOUND]);
	io_timer_free(u->timer[PICTURES]);
}
