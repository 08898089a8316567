/* The receiving half of a link. */
#include "bus_link_priv.h"

void bus_link_close_with(struct bus_link *l, int err)
{
	if (l->closed)
		return;
	l->closed = true;
	bus_link_watch(l);
	io_timer_stop(l->tick);
	if (err == -EPIPE || err == -ECONNRESET)
		err = 0; /* it left */
	l->ev->on_closed(l->arg, err);
}

enum bus_in bus_link_in(const struct bus_link *l, unsigned track)
{
	return track < l->n_in ? (enum bus_in)l->in[track] : BUS_IN_NONE;
}

int bus_link_take(struct bus_link *l, unsigned track, enum bus_in in)
{
	if (track >= l->n_in) {
		size_t n = MIN(2 * (size_t)track + 16, (size_t)BUS_MAX_TRACKS);
		uint8_t *p = realloc(l->in, n);

		if (!p)
			return -ENOMEM;
		memset(p + l->n_in, BUS_IN_NONE, n - l->n_in);
		l->in = p;
		l->n_in = n;
	}
	l->in[track] = (uint8_t)in;
	return 0;
}

static int hear(struct bus_link *l, const uint8_t *p, size_t n)
{
	struct bus_msg m;
	int rc = bus_msg_read(&m, p, n);

	if (rc)
		return rc;
	rc = l->ev->on_say(l->arg, &m);
	bus_msg_done(&m);
	return rc;
}

static int take_packet(struct bus_link *l, const struct bushdr *h,
	const uint8_t *p, size_t n)
{
	enum bus_in in = bus_link_in(l, h->track);
	struct bus_packet k;
	int rc;

	if (in == BUS_IN_NONE)
		return -EBADMSG;
	if (in == BUS_IN_IGNORED)
		return 0;
	if (h->kind == BUS_RTP)
		rc = bus_packet_rtp(&k, in == BUS_IN_VP8 ? BUS_VP8 : BUS_OPUS,
			p, n, h->arrival_ns);
	else
		rc = bus_packet_rtcp(&k, p, n, h->arrival_ns);
	if (rc)
		return rc;
	k.flags = h->flags;
	l->stats->packets_in++;
	l->stats->bytes_in += n;
	l->ev->on_packet(l->arg, h->track, &k);
	return 0;
}

/* The link may be gone when this returns. */
static int deliver(struct bus_link *l, size_t n)
{
	const uint8_t *body = l->scratch + BUSHDR_BYTES;
	struct bushdr h;
	int rc = bushdr_parse(&h, l->scratch, n);

	if (rc)
		return rc;
	if (h.kind == BUS_JSON)
		return hear(l, body, n - BUSHDR_BYTES);
	return take_packet(l, &h, body, n - BUSHDR_BYTES);
}

bool bus_link_receive(struct bus_link *l, unsigned max)
{
	bool freed = false;

	while (max-- && !l->closed && !l->paused) {
		ssize_t n = recv(l->fd, l->scratch, BUS_MAX_JSON + 1,
			MSG_DONTWAIT | MSG_TRUNC);
		int rc;

		/* The other end closed before it had read all of ours: this
		 * is told once, ahead of what it still said to us. */
		if (n < 0 && (errno == EINTR || errno == ECONNRESET))
			continue;
		if (n < 0 && errno == EAGAIN)
			return true;
		if (n <= 0) {
			bus_link_close_with(l, n ? -errno : 0);
			return false;
		}
		l->freed = &freed;
		rc = deliver(l, (size_t)n);
		if (freed)
			return false;
		l->freed = NULL;
		if (rc && rc != -ENOMEM) {
			l->stats->malformed++;
			rc = -EPROTO;
		}
		if (rc) {
			bus_link_close_with(l, rc);
			return false;
		}
	}
	return !l->closed;
}
