/* peer_port - sockets, and whose datagram is whose. */
#include <arpa/inet.h>
#include <unistd.h>

#include "peer_priv.h"

#define CERT_DAYS 30

const char *peer_drop_name(enum peer_drop d)
{
	static const char *const names[PEER_DROPS] = {
		[PEER_DROP_MALFORMED] = "malformed",
		[PEER_DROP_UNKNOWN] = "unknown",
		[PEER_DROP_UNAUTHENTIC] = "unauthentic",
		[PEER_DROP_UNVALIDATED] = "unvalidated",
		[PEER_DROP_EARLY] = "early",
		[PEER_DROP_FORGED] = "forged",
		[PEER_DROP_REPLAYED] = "replayed",
		[PEER_DROP_UNIDENTIFIED] = "unidentified",
		[PEER_DROP_TOO_MANY] = "too-many",
		[PEER_DROP_SEND] = "send",
		[PEER_DROP_LATE] = "late",
	};

	return (unsigned)d < PEER_DROPS ? names[d] : "none";
}

/* ---- addresses ---- */

void port_to_ice(struct ice_addr *out, const union io_addr *a)
{
	*out = (struct ice_addr){ .port = io_addr_port(a) };
	if (a->sa.sa_family == AF_INET) {
		out->family = 4;
		memcpy(out->bytes, &a->in4.sin_addr, 4);
	} else if (a->sa.sa_family == AF_INET6) {
		out->family = 6;
		memcpy(out->bytes, &a->in6.sin6_addr, 16);
	}
}

void port_to_io(union io_addr *out, const struct ice_addr *a)
{
	*out = (union io_addr){ 0 };
	if (a->family == 6) {
		out->in6.sin6_family = AF_INET6;
		memcpy(&out->in6.sin6_addr, a->bytes, 16);
		out->in6.sin6_port = htons(a->port);
	} else {
		out->in4.sin_family = AF_INET;
		memcpy(&out->in4.sin_addr, a->bytes, 4);
		out->in4.sin_port = htons(a->port);
	}
}

/* The port of ours is left out: all sockets of a family share it. */
size_t port_tuple(uint8_t out[TUPLE_CAP], const struct ice_addr *local,
	const struct ice_addr *remote)
{
	size_t n = remote->family == 6 ? 16 : 4;

	memcpy(out, remote->bytes, n);
	be16_put(out + n, remote->port);
	memcpy(out + n + 2, local->bytes, n);
	return 2 * n + 2;
}

/* ---- out ---- */

void port_drop(struct peer_port *port, struct peer *p, enum peer_drop why)
{
	port->stats.dropped[why]++;
	if (!p)
		return;
	p->stats.dropped[why]++;
	/* Early is no fault, and late is ours. */
	if (p->complained & 1u << why || why == PEER_DROP_EARLY ||
	    why == PEER_DROP_LATE)
		return;
	p->complained |= 1u << why;
	io_log(IO_WARN, "%s: dropped a packet: %s (more are only counted)",
		p->name, peer_drop_name(why));
}

int port_socket(const struct peer_port *port, const struct path *path,
	union io_addr *from, union io_addr *to)
{
	port_to_io(from, &path->local);
	port_to_io(to, &path->remote);
	for (unsigned i = 0; i < port->n_socks; i++)
		if (port->sock[i].bound.sa.sa_family == to->sa.sa_family)
			return port->sock[i].fd;
	return -EAFNOSUPPORT;
}

int port_send(struct peer_port *port, struct peer *p,
	const struct path *path, const uint8_t *data, size_t n)
{
	union io_addr from, to;
	int err;

	if (port->keep && !port->keep(port->keep_arg, true, data, n))
		return 0;
	err = port_socket(port, path, &from, &to);
	if (err >= 0)
		err = io_udp_send(err, &to, &from, data, n, 0);
	if (err) {
		port_drop(port, p, PEER_DROP_SEND);
		return err;
	}
	COUNT(p, packets_out, 1);
	COUNT(p, bytes_out, n);
	return 0;
}

/* ---- in ---- */

/* What ice_input and the demux refuse, as a reason to be counted. */
static enum peer_drop stun_drop(int err)
{
	switch (err) {
	case -EPROTO:
		return PEER_DROP_MALFORMED;
	case -EACCES:
		return PEER_DROP_UNAUTHENTIC;
	case -ENOTCONN: /* a check that overtook its SDP */
		return PEER_DROP_EARLY;
	case -ENOSPC:
	case -EADDRINUSE:
		return PEER_DROP_TOO_MANY;
	default:
		return PEER_DROP_UNKNOWN;
	}
}

/* 0 or a reason of ice_input. */
static int give_stun(struct peer *p, const struct path *path,
	const uint8_t *data, size_t n, uint64_t now_ns)
{
	int err;

	peer_enter(p);
	err = peer_stun(p, path, data, n, now_ns);
	peer_leave(p);
	return err;
}

/* A response names nobody; a port has few clients (usually one), and their
 * transaction ids tell. */
static void take_response(struct peer_port *port, const struct path *path,
	const uint8_t *data, size_t n, uint64_t now_ns)
{
	list_each(l, safe, &port->peers) {
		struct peer *p = list_entry(l, struct peer, link);
		int err;

		if (p->role != PEER_CLIENT)
			continue;
		err = give_stun(p, path, data, n, now_ns);
		if (!err)
			return;
		if (err != -ESRCH) {
			port_drop(port, p, stun_drop(err));
			return;
		}
	}
	port_drop(port, NULL, PEER_DROP_UNKNOWN);
}

static void take_stun(struct peer_port *port, const struct path *path,
	const uint8_t *data, size_t n, uint64_t now_ns)
{
	size_t len;
	const char *ufrag;
	struct peer *p;
	int err;

	if (data[0] & 1) { /* success or error */
		take_response(port, path, data, n, now_ns);
		return;
	}
	ufrag = ice_request_ufrag(data, n, &len);
	p = ufrag ? map_get(port->by_ufrag, ufrag, len) : NULL;
	if (!p) {
		port_drop(port, NULL, ufrag ? PEER_DROP_UNKNOWN :
			PEER_DROP_MALFORMED);
		return;
	}
	err = give_stun(p, path, data, n, now_ns);
	if (err)
		port_drop(port, p, stun_drop(err));
}

static void take(struct peer_port *port, struct io_datagram *d,
	uint64_t now_ns)
{
	uint8_t key[TUPLE_CAP];
	struct path path;
	struct peer *p;
	enum demux kind = demux(d->data, d->len);

	if (kind == DEMUX_NONE) {
		port_drop(port, NULL, PEER_DROP_MALFORMED);
		return;
	}
	port_to_ice(&path.remote, &d->from);
	port_to_ice(&path.local, &d->to);
	if (kind == DEMUX_STUN) {
		take_stun(port, &path, d->data, d->len, now_ns);
		return;
	}
	p = map_get(port->by_tuple, key,
		port_tuple(key, &path.local, &path.remote));
	if (!p) {
		port_drop(port, NULL, PEER_DROP_UNKNOWN);
		return;
	}
	COUNT(p, packets_in, 1);
	COUNT(p, bytes_in, d->len);
	peer_enter(p);
	if (kind == DEMUX_DTLS)
		peer_dtls(p, &path, d->data, d->len, now_ns);
	else if (p->state != PEER_CONNECTED)
		port_drop(port, p, PEER_DROP_EARLY);
	else if (kind == DEMUX_RTP && p->role == PEER_SERVER &&
		d->age_ns > PEER_LATE_NS)
		port_drop(port, p, PEER_DROP_LATE);
	else if (kind == DEMUX_RTP)
		in_rtp(p, d->data, d->len, now_ns);
	else
		rtcp_in(p, d->data, d->len, now_ns);
	peer_leave(p);
}

static void readable(void *arg, int fd, unsigned events)
{
	struct peer_port *port = arg;
	struct io_datagram d[IO_UDP_BATCH];
	uint16_t number = 0;
	int n = io_udp_recv(fd, port->batch, d);

	(void)events;
	for (unsigned i = 0; i < port->n_socks; i++)
		if (port->sock[i].fd == fd)
			number = io_addr_port(&port->sock[i].bound);
	for (int i = 0; i < n; i++) {
		if (port->keep && !port->keep(port->keep_arg, false,
			    d[i].data, d[i].len))
			continue;
		io_addr_set_port(&d[i].to, number);
		take(port, &d[i], io_now_ns());
	}
}

/* ---- setting up ---- */

static bool is_any(const union io_addr *a)
{
	return a->sa.sa_family == AF_INET ?
		a->in4.sin_addr.s_addr == htonl(INADDR_ANY) :
		IN6_IS_ADDR_UNSPECIFIED(&a->in6.sin6_addr);
}

static bool is_loopback(const union io_addr *a)
{
	return a->sa.sa_family == AF_INET ?
		(ntohl(a->in4.sin_addr.s_addr) >> 24) == 127 :
		IN6_IS_ADDR_LOOPBACK(&a->in6.sin6_addr);
}

static void announce(struct peer_port *port, const union io_addr *a)
{
	union io_addr with_port = *a;

	for (unsigned i = 0; i < port->n_socks; i++) {
		const union io_addr *bound = &port->sock[i].bound;

		if (bound->sa.sa_family != a->sa.sa_family ||
		    port->n_announce == MAX_CANDIDATES)
			continue;
		io_addr_set_port(&with_port, io_addr_port(bound));
		port->announce[port->n_announce++] = with_port;
	}
}

/* Loopback comes last: it is of use to this very machine only. */
static void announce_all(struct peer_port *port, const union io_addr *a,
	unsigned n)
{
	for (unsigned pass = 0; pass < 2; pass++)
		for (unsigned i = 0; i < n; i++)
			if (is_loopback(&a[i]) == (pass == 1))
				announce(port, &a[i]);
}

static void find_announced(struct peer_port *port,
	const struct peer_port_config *c)
{
	union io_addr local[MAX_CANDIDATES], mine[MAX_CANDIDATES + 2];
	unsigned n = 0;
	int n_local;

	if (c->n_announce) {
		announce_all(port, c->announce, c->n_announce);
		return;
	}
	n_local = io_addr_local(local, MAX_CANDIDATES);
	for (unsigned i = 0; i < port->n_socks; i++) {
		const union io_addr *bound = &port->sock[i].bound;

		if (!is_any(bound))
			mine[n++] = *bound;
		for (int k = 0; k < n_local && is_any(bound); k++)
			if (local[k].sa.sa_family == bound->sa.sa_family &&
			    n < ARRAY_LEN(mine))
				mine[n++] = local[k];
	}
	announce_all(port, mine, n);
}

static int open_sockets(struct peer_port *port,
	const struct peer_port_config *c)
{
	for (unsigned i = 0; i < port->n_socks; i++) {
		int fd = port->sock[i].fd;
		int err = io_local_addr(fd, &port->sock[i].bound);

		if (err)
			return err;
		if (i && port->sock[0].bound.sa.sa_family ==
			port->sock[1].bound.sa.sa_family)
			return -EINVAL;
		io_nonblock(fd);
		port->sock[i].watch = io_watch_new(port->loop, fd, IO_READ,
			readable, port);
		if (!port->sock[i].watch)
			return -ENOMEM;
	}
	find_announced(port, c);
	return port->n_announce ? 0 : -EADDRNOTAVAIL;
}

static int make_cert(struct peer_port *port)
{
	uint64_t now = io_wall_ms(), day = UINT64_C(86400000);
	struct cert_spec spec = { .cn = "confkit",
		.not_before_ms = now - day,
		.not_after_ms = now + CERT_DAYS * day };
	char text[CERT_FINGERPRINT_CAP];

	port->cert = cert_make(&spec);
	if (!port->cert)
		return -errno;
	port->dtls = dtls_ctx_new(port->cert);
	if (!port->dtls)
		return -errno;
	cert_sha256(port->cert, port->cert_sha256);
	cert_fingerprint(port->cert, text);
	return str_copy(port->fingerprint, sizeof(port->fingerprint),
		strchr(text, ' ') + 1);
}

struct peer_port *peer_port_new(struct io_loop *l,
	const struct peer_port_config *c)
{
	struct peer_port *port = calloc(1, sizeof(*port));
	uint64_t seed[2];
	int err = -ENOMEM;

	if (!port || c->n_fds < 1 || c->n_fds > ARRAY_LEN(port->sock)) {
		for (unsigned i = 0; i < c->n_fds; i++)
			close(c->fds[i]);
		free(port);
		errno = port ? EINVAL : ENOMEM;
		return NULL;
	}
	list_init(&port->peers);
	port->wall_base_ns = io_wall_ms() * NS_PER_MS - io_now_ns();
	port->loop = l;
	port->n_socks = c->n_fds;
	for (unsigned i = 0; i < c->n_fds; i++)
		port->sock[i].fd = c->fds[i];
	io_random(seed, sizeof(seed));
	port->batch = io_udp_batch_new();
	port->by_ufrag = map_new(seed[0]);
	port->by_tuple = map_new(seed[1]);
	if (port->batch && port->by_ufrag && port->by_tuple)
		err = open_sockets(port, c);
	if (!err)
		err = make_cert(port);
	if (err) {
		peer_port_free(port);
		errno = -err;
		return NULL;
	}
	return port;
}

void peer_port_free(struct peer_port *port)
{
	if (!port)
		return;
	for (unsigned i = 0; i < port->n_socks; i++) {
		io_watch_free(port->sock[i].watch);
		close(port->sock[i].fd);
	}
	gather_free(port);
	io_udp_batch_free(port->batch);
	dtls_ctx_free(port->dtls);
	cert_free(port->cert);
	map_free(port->by_ufrag);
	map_free(port->by_tuple);
	free(port);
}

const struct peer_stats *peer_port_stats(const struct peer_port *port)
{
	return &port->stats;
}

const char *peer_port_fingerprint(const struct peer_port *port)
{
	return port->fingerprint;
}

uint16_t peer_port_number(const struct peer_port *port)
{
	return io_addr_port(&port->sock[0].bound);
}

void peer_port_filter(struct peer_port *port,
	bool (*keep)(void *arg, bool out, const uint8_t *p, size_t n),
	void *arg)
{
	port->keep = keep;
	port->keep_arg = arg;
}
