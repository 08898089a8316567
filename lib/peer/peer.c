/* peer - one transport: ICE, then DTLS, then SRTP, and its end. */
#include "peer_priv.h"

const char *peer_source_name(enum peer_source s)
{
	static const char *const names[] = {
		[PEER_MIC] = "mic",
		[PEER_CAM] = "cam",
		[PEER_SCREEN] = "screen",
		[PEER_SCREEN_AUDIO] = "screen-audio",
	};

	return (unsigned)s < ARRAY_LEN(names) ? names[s] : "none";
}

/* ---- the demux's view ---- */

static void forget_path(struct peer *p, unsigned i)
{
	uint8_t key[TUPLE_CAP];
	size_t n = port_tuple(key, &p->paths[i].local, &p->paths[i].remote);

	if (map_get(p->port->by_tuple, key, n) == p)
		map_del(p->port->by_tuple, key, n);
	p->paths[i] = p->paths[--p->n_paths];
}

static bool path_eq(const struct path *a, const struct path *b)
{
	return ice_addr_eq(&a->remote, &b->remote) &&
		ice_addr_eq(&a->local, &b->local);
}

/* The owner of a 5-tuple, if it is another than p. */
static struct peer *other_owner(struct peer *p, const struct path *path)
{
	uint8_t key[TUPLE_CAP];
	struct peer *q = map_get(p->port->by_tuple, key,
		port_tuple(key, &path->local, &path->remote));

	return q == p ? NULL : q;
}

static void learn_path(struct peer *p, const struct path *path)
{
	struct peer *q = other_owner(p, path);
	uint8_t key[TUPLE_CAP];
	struct path selected = { 0 };

	for (unsigned i = 0; i < p->n_paths; i++)
		if (path_eq(&p->paths[i], path))
			return;
	for (unsigned i = 0; q && i < q->n_paths; i++)
		if (path_eq(&q->paths[i], path)) {
			forget_path(q, i);
			break;
		}
	if (p->n_paths == PEER_MAX_PATHS) {
		ice_selected(p->ice, &selected.local, &selected.remote);
		p->next_path = (p->next_path + 1) % PEER_MAX_PATHS;
		if (path_eq(&p->paths[p->next_path], &selected))
			p->next_path = (p->next_path + 1) % PEER_MAX_PATHS;
		forget_path(p, p->next_path);
	}
	if (map_put(p->port->by_tuple, key,
		    port_tuple(key, &path->local, &path->remote), p) == 0)
		p->paths[p->n_paths++] = *path;
}

static void unregister(struct peer *p)
{
	gather_flush(p);
	while (p->n_paths)
		forget_path(p, p->n_paths - 1);
	if (map_get(p->port->by_ufrag, p->ufrag, UFRAG_LEN) == p)
		map_del(p->port->by_ufrag, p->ufrag, UFRAG_LEN);
	list_remove(&p->link);
	if (p->timer)
		io_timer_stop(p->timer);
}

/* ---- life ---- */

static void destroy(struct peer *p)
{
	unregister(p);
	out_free(p);
	in_free(p);
	twccgen_free(p->twccgen);
	srtp_link_free(p->srtp);
	dtls_free(p->dtls);
	ice_free(p->ice);
	io_timer_free(p->timer);
	buf_free(&p->rtcp);
	free(p);
}

void peer_enter(struct peer *p)
{
	p->busy++;
}

bool peer_leave(struct peer *p)
{
	bool alive = !p->dead;

	if (--p->busy == 0 && p->dead)
		destroy(p);
	return alive;
}

int peer_path(struct peer *p, struct path *out)
{
	if (ice_selected(p->ice, &out->local, &out->remote) == 0)
		return 0;
	*out = p->dtls_path;
	return out->remote.family ? 0 : -ENOTCONN;
}

static void flush_dtls(struct peer *p)
{
	struct path path;
	const uint8_t *data;
	size_t n;

	if (!p->dtls || peer_path(p, &path))
		return;
	while ((data = dtls_output(p->dtls, &n)))
		port_send(p->port, p, &path, data, n);
}

void peer_free(struct peer *p)
{
	if (!p || p->dead)
		return;
	gather_flush(p);
	if (p->dtls && p->state != PEER_CLOSED) {
		dtls_close(p->dtls);
		flush_dtls(p);
	}
	p->state = PEER_CLOSED;
	p->dead = true;
	if (p->busy)
		unregister(p);
	else
		destroy(p);
}

static void say_state(struct peer *p, const char *reason)
{
	if (!p->dead && p->events->on_state)
		p->events->on_state(p->arg, p, p->state, reason);
}

void peer_close(struct peer *p, const char *reason)
{
	uint64_t drops = 0;

	if (p->state == PEER_CLOSED)
		return;
	for (unsigned i = 0; i < PEER_DROPS; i++)
		drops += i == PEER_DROP_EARLY ? 0 : p->stats.dropped[i];
	if (drops)
		io_log(IO_WARN, "%s: closed (%s), %" PRIu64
			" packets dropped", p->name, reason, drops);
	p->state = PEER_CLOSED;
	unregister(p);
	say_state(p, reason);
}

static void timer_fired(void *arg)
{
	struct peer *p = arg;

	peer_enter(p);
	p->armed_ns = UINT64_MAX;
	peer_run(p, io_now_ns());
	peer_leave(p);
}

static void make_text(char *out, size_t n)
{
	static const char chars[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
		"abcdefghijklmnopqrstuvwxyz0123456789+/";
	uint8_t random[32];

	io_random(random, n);
	for (size_t i = 0; i < n; i++)
		out[i] = chars[random[i] & 63];
	out[n] = '\0';
}

static int start_ice(struct peer *p)
{
	struct ice_config c = { .lite = p->role == PEER_SERVER,
		.controlling = p->role == PEER_CLIENT,
		.ufrag = p->ufrag, .pwd = p->pwd, .now_ns = p->born_ns };

	do
		make_text(p->ufrag, UFRAG_LEN);
	while (map_get(p->port->by_ufrag, p->ufrag, UFRAG_LEN));
	make_text(p->pwd, PWD_LEN);
	io_random(c.seed, sizeof(c.seed));
	p->ice = ice_new(&c);
	if (!p->ice)
		return -ENOMEM;
	for (unsigned i = 0; i < p->port->n_announce; i++) {
		struct ice_addr a;

		port_to_ice(&a, &p->port->announce[i]);
		ice_add_local(p->ice, &a);
	}
	return map_put(p->port->by_ufrag, p->ufrag, UFRAG_LEN, p);
}

struct peer *peer_new(struct peer_port *port, const struct peer_config *c)
{
	struct peer *p = calloc(1, sizeof(*p));
	int err;

	if (!p)
		return NULL;
	list_init(&p->link);
	list_init(&p->run.link);
	p->port = port;
	p->role = c->role;
	p->events = c->events;
	p->arg = c->arg;
	p->born_ns = io_now_ns();
	p->armed_ns = UINT64_MAX;
	snprintf(p->name, sizeof(p->name), "%s", c->name ? c->name : "peer");
	make_text(p->cname, sizeof(p->cname) - 1);
	io_random(&p->session_id, sizeof(p->session_id));
	p->session_id >>= 2; /* some readers want it in 63 bits */
	io_random(&p->twcc_seq, sizeof(p->twcc_seq));
	io_random(&p->rtcp_ssrc, sizeof(p->rtcp_ssrc));
	p->rtcp_ssrc |= 1;
	p->timer = io_timer_new(port->loop, timer_fired, p);
	err = p->timer ? buf_reserve(&p->rtcp, PACKET_CAP) : -ENOMEM;
	if (!err)
		err = start_ice(p);
	if (err) {
		destroy(p);
		errno = -err;
		return NULL;
	}
	list_append(&port->peers, &p->link);
	peer_arm(p, p->born_ns + PEER_CONNECT_NS);
	return p;
}

enum peer_state peer_state(const struct peer *p)
{
	return p->state;
}

const struct peer_stats *peer_stats(const struct peer *p)
{
	return &p->stats;
}

int peer_set_remote(struct peer *p, const struct remote *r)
{
	int err = ice_set_remote(p->ice, r->ufrag, r->pwd);

	if (err)
		return err;
	for (unsigned i = 0; i < r->n_cands; i++)
		ice_add_remote(p->ice, &r->cand[i].addr, r->cand[i].priority);
	if (p->n_expect == 0) {
		memcpy(p->expect, r->sha256, sizeof(p->expect));
		p->n_expect = r->n_sha256;
		for (unsigned i = 0; p->dtls && i < p->n_expect; i++)
			dtls_expect(p->dtls, p->expect[i]);
	}
	/* Not from inside a call of the user's: the timer goes on with it. */
	peer_arm(p, io_now_ns());
	return 0;
}

/* ---- DTLS ---- */

static int make_dtls(struct peer *p)
{
	p->dtls = dtls_new(p->port->dtls, p->role == PEER_SERVER ?
		DTLS_SERVER : DTLS_CLIENT);
	if (!p->dtls)
		return -ENOMEM;
	for (unsigned i = 0; i < p->n_expect; i++)
		dtls_expect(p->dtls, p->expect[i]);
	return 0;
}

void peer_dtls(struct peer *p, const struct path *path, const uint8_t *data,
	size_t n, uint64_t now_ns)
{
	if (!ice_pair_valid(p->ice, &path->local, &path->remote)) {
		port_drop(p->port, p, PEER_DROP_UNVALIDATED);
		return;
	}
	if (!p->dtls && p->role == PEER_CLIENT) {
		port_drop(p->port, p, PEER_DROP_EARLY);
		return;
	}
	if (!p->dtls && make_dtls(p)) {
		peer_close(p, "memory");
		return;
	}
	p->dtls_path = *path;
	dtls_input(p->dtls, data, n, now_ns);
	peer_run(p, now_ns);
}

static void take_keys(struct peer *p)
{
	struct srtp_keys keys;
	int err = dtls_srtp_keys(p->dtls, &keys);

	if (!err) {
		p->srtp = srtp_link_new(NULL, &keys);
		err = p->srtp ? 0 : -errno;
	}
	explicit_bzero(&keys, sizeof(keys));
	if (err)
		peer_close(p, err == -ENOMEM ? "memory" : "dtls");
}

/* Starts, ticks and judges the association. */
static void run_dtls(struct peer *p, uint64_t now_ns)
{
	const char *error;

	if (!p->dtls && p->role == PEER_CLIENT &&
	    ice_state(p->ice) == ICE_CONNECTED) {
		if (make_dtls(p)) {
			peer_close(p, "memory");
			return;
		}
		dtls_start(p->dtls, now_ns);
	}
	if (!p->dtls)
		return;
	if (dtls_deadline(p->dtls) <= now_ns)
		dtls_tick(p->dtls, now_ns);
	flush_dtls(p);
	switch (dtls_state(p->dtls)) {
	case DTLS_OPEN:
		if (!p->srtp)
			take_keys(p);
		break;
	case DTLS_CLOSED:
		peer_close(p, "left");
		break;
	case DTLS_FAILED:
		p->port->stats.dtls_failed++;
		error = dtls_error(p->dtls);
		io_log(IO_WARN, "%s: DTLS failed: %s", p->name,
			error ? error : "no reason");
		peer_close(p, error && strstr(error, "fingerprint") ?
			"fingerprint" : "dtls");
		break;
	default:
		break;
	}
}

/* ---- ICE ---- */

int peer_stun(struct peer *p, const struct path *path, const uint8_t *data,
	size_t n, uint64_t now_ns)
{
	struct peer *q = other_owner(p, path);
	struct ice_datagram reply;
	int err;

	/* One who can authenticate cannot take over the path of another who
	 * is alive on it by writing his address on a datagram. */
	if (q && ice_state(q->ice) == ICE_CONNECTED)
		return -EADDRINUSE;
	err = ice_input(p->ice, &path->remote, &path->local, data, n, now_ns,
		&reply);
	if (err == -ENOTCONN && n <= sizeof(p->early.data)) {
		memcpy(p->early.data, data, n);
		p->early.len = n;
		p->early.path = *path;
	}
	if (err)
		return err;
	COUNT(p, packets_in, 1);
	COUNT(p, bytes_in, n);
	if (reply.len) {
		struct path back = { reply.from, reply.to };

		port_send(p->port, p, &back, reply.data, reply.len);
	}
	if (ice_pair_valid(p->ice, &path->local, &path->remote))
		learn_path(p, path);
	peer_run(p, now_ns);
	return 0;
}

/* A client checks as soon as it has made its answer, which comes to us by
 * another way and later: looked at now, it need not ask again. */
static void take_early(struct peer *p, uint64_t now_ns)
{
	uint8_t data[ICE_MAX_BYTES];
	struct path path = p->early.path;
	size_t n = p->early.len;

	if (!n || !p->n_expect)
		return;
	p->early.len = 0;
	memcpy(data, p->early.data, n);
	if (peer_stun(p, &path, data, n, now_ns))
		port_drop(p->port, p, PEER_DROP_UNAUTHENTIC);
}

/* ---- all together ---- */

void peer_arm(struct peer *p, uint64_t at_ns)
{
	if (at_ns >= p->armed_ns || p->state == PEER_CLOSED)
		return;
	p->armed_ns = at_ns;
	io_timer_at(p->timer, at_ns);
}

static void check_connected(struct peer *p, uint64_t now_ns)
{
	if (p->state != PEER_NEW)
		return;
	if (p->srtp && ice_state(p->ice) == ICE_CONNECTED) {
		p->state = PEER_CONNECTED;
		p->report_ns = now_ns + REPORT_NS;
		say_state(p, "");
	} else if (now_ns - p->born_ns >= PEER_CONNECT_NS) {
		peer_close(p, "timeout");
	}
}

void peer_run(struct peer *p, uint64_t now_ns)
{
	struct ice_datagram d;
	uint64_t next;

	take_early(p, now_ns);
	if (p->state == PEER_CLOSED)
		return;
	while (ice_poll(p->ice, now_ns, &d)) {
		struct path path = { d.from, d.to };

		port_send(p->port, p, &path, d.data, d.len);
	}
	if (ice_state(p->ice) == ICE_FAILED) {
		peer_close(p, p->state == PEER_CONNECTED ? "consent" :
			"timeout");
		return;
	}
	run_dtls(p, now_ns);
	if (p->state != PEER_CLOSED)
		check_connected(p, now_ns);
	if (p->state == PEER_CLOSED)
		return;
	next = ice_deadline(p->ice);
	if (p->dtls)
		next = MIN(next, dtls_deadline(p->dtls));
	if (p->state == PEER_CONNECTED)
		next = MIN(next, rtcp_run(p, now_ns));
	else
		next = MIN(next, p->born_ns + PEER_CONNECT_NS);
	peer_arm(p, next);
}
