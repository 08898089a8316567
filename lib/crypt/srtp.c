/* srtp - checks, counts and bounds around an engine. */
#include "base.h"
#include "srtp_priv.h"

#define RTP_HEADER_BYTES   12
#define RTCP_HEADER_BYTES  8

struct seen {
	uint32_t ssrc;
	uint64_t used; /* number of the packet that came last */
};

struct srtp_link {
	const struct srtp_engine *engine;
	void *tx;
	void *rx;
	struct srtp_counts counts;
	struct seen seen[SRTP_RX_SSRCS];
	uint32_t n_seen;
	uint32_t last; /* index of the SSRC before, likely this one's too */
};

struct srtp_link *srtp_link_new(const struct srtp_engine *engine,
	const struct srtp_keys *keys)
{
	struct srtp_link *l;
	int err;

	if (keys->suite != SRTP_SUITE_GCM_128 &&
	    keys->suite != SRTP_SUITE_CM_SHA1_80) {
		errno = EINVAL;
		return NULL;
	}
	l = calloc(1, sizeof *l);
	if (!l)
		return NULL;
	l->engine = engine ? engine : &srtp_engine_evp;
	l->tx = l->engine->open(keys->suite, &keys->tx, true);
	if (l->tx)
		l->rx = l->engine->open(keys->suite, &keys->rx, false);
	if (!l->rx) {
		err = errno;
		srtp_link_free(l);
		errno = err;
		return NULL;
	}
	return l;
}

void srtp_link_free(struct srtp_link *l)
{
	if (!l)
		return;
	l->engine->close(l->tx);
	l->engine->close(l->rx);
	free(l);
}

/* A peer that made up ever new SSRCs would otherwise make the engine keep
 * state of them all. Called for authentic packets only. */
static void note_ssrc(struct srtp_link *l, uint32_t ssrc)
{
	uint32_t oldest = 0, i;

	if (l->last >= l->n_seen || l->seen[l->last].ssrc != ssrc) {
		for (i = 0; i < l->n_seen && l->seen[i].ssrc != ssrc; i++)
			if (l->seen[i].used < l->seen[oldest].used)
				oldest = i;
		if (i == SRTP_RX_SSRCS) {
			i = oldest;
			l->engine->forget(l->rx, l->seen[i].ssrc);
		} else if (i == l->n_seen) {
			l->n_seen++;
		}
		l->seen[i].ssrc = ssrc;
		l->last = i;
	}
	l->seen[l->last].used = l->counts.unprotected;
}

static bool rtcp_ok(const uint8_t *p, size_t n)
{
	return n >= RTCP_HEADER_BYTES && p[0] >> 6 == 2;
}

/* The fixed header, its CSRCs and its extension lie within the packet. */
static bool rtp_ok(const uint8_t *p, size_t n)
{
	size_t head = RTP_HEADER_BYTES;

	if (n < head || p[0] >> 6 != 2)
		return false;
	head += 4u * (p[0] & 15);
	if (p[0] & 0x10) {
		if (n < head + 4)
			return false;
		head += 4 + 4u * be16(p + head + 2);
	}
	return n >= head;
}

static int protect(struct srtp_link *l, enum srtp_op op, uint8_t *p,
	size_t *n, size_t cap)
{
	int rc;

	if (cap < SRTP_TRAILER_MAX || *n > cap - SRTP_TRAILER_MAX)
		return -ENOBUFS;
	if (!(op == SRTP_OP_PROTECT_RTP ? rtp_ok : rtcp_ok)(p, *n))
		return -EINVAL;
	rc = l->engine->run(l->tx, op, p, n);
	if (!rc)
		l->counts.protected++;
	return rc;
}

static int unprotect(struct srtp_link *l, enum srtp_op op, uint8_t *p,
	size_t *n)
{
	bool rtp = op == SRTP_OP_UNPROTECT_RTP;
	uint32_t ssrc;
	int rc = -EINVAL;

	if ((rtp ? rtp_ok : rtcp_ok)(p, *n)) {
		ssrc = be32(p + (rtp ? 8 : 4));
		rc = l->engine->run(l->rx, op, p, n);
		if (!rc) {
			l->counts.unprotected++;
			note_ssrc(l, ssrc);
			return 0;
		}
	}
	if (rc == -EBADMSG)
		l->counts.auth_failed++;
	else if (rc == -EALREADY)
		l->counts.replayed++;
	else
		l->counts.malformed++;
	return rc;
}

int srtp_link_protect_rtp(struct srtp_link *l, uint8_t *p, size_t *n,
	size_t cap)
{
	return protect(l, SRTP_OP_PROTECT_RTP, p, n, cap);
}

int srtp_link_protect_rtcp(struct srtp_link *l, uint8_t *p, size_t *n,
	size_t cap)
{
	return protect(l, SRTP_OP_PROTECT_RTCP, p, n, cap);
}

int srtp_link_unprotect_rtp(struct srtp_link *l, uint8_t *p, size_t *n)
{
	return unprotect(l, SRTP_OP_UNPROTECT_RTP, p, n);
}

int srtp_link_unprotect_rtcp(struct srtp_link *l, uint8_t *p, size_t *n)
{
	return unprotect(l, SRTP_OP_UNPROTECT_RTCP, p, n);
}

void srtp_link_forget_tx(struct srtp_link *l, uint32_t ssrc)
{
	l->engine->forget(l->tx, ssrc);
}

const struct srtp_counts *srtp_link_counts(const struct srtp_link *l)
{
	return &l->counts;
}
