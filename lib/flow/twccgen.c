/* twccgen - arrival times of a transport's packets, fed back. */
#include "base.h"
#include "flow.h"
#include "wire.h"

#define EXT_START (UINT64_C(1) << 32)

struct twccgen {
	bool started;
	uint8_t fb_count;
	uint64_t next;    /* first sequence number of the next feedback */
	uint64_t highest;
	uint64_t first_ns; /* arrival of the first packet not reported */
	uint64_t last_ns;  /* of the last feedback */
	unsigned waiting;  /* packets not reported */
	int64_t at_us[TWCCGEN_WINDOW]; /* by sequence number; -1 did not come */
};

struct twccgen *twccgen_new(void)
{
	return calloc(1, sizeof(struct twccgen));
}

void twccgen_free(struct twccgen *t)
{
	free(t);
}

static void start(struct twccgen *t, uint16_t seq)
{
	for (size_t i = 0; i < TWCCGEN_WINDOW; i++)
		t->at_us[i] = -1;
	t->started = true;
	t->next = t->highest = EXT_START + seq;
	t->waiting = 0;
}

void twccgen_packet(struct twccgen *t, uint16_t seq, uint64_t arrival_ns)
{
	uint64_t ext;
	int64_t *at;

	if (!t->started)
		start(t, seq);
	ext = seq_extend(seq, t->highest);
	if (ext + TWCCGEN_WINDOW <= t->highest)
		return;
	if (ext >= t->highest + TWCCGEN_WINDOW) {
		start(t, seq);
		ext = t->highest;
	}
	for (; t->highest < ext; t->highest++)
		t->at_us[(t->highest + 1) % TWCCGEN_WINDOW] = -1;
	if (t->next + TWCCGEN_WINDOW <= t->highest)
		t->next = t->highest + 1 - TWCCGEN_WINDOW;
	at = &t->at_us[ext % TWCCGEN_WINDOW];
	if (*at >= 0)
		return;
	*at = (int64_t)(arrival_ns / 1000);
	t->next = MIN(t->next, ext);
	if (!t->waiting++)
		t->first_ns = arrival_ns;
}

uint64_t twccgen_deadline(const struct twccgen *t)
{
	uint64_t due = t->first_ns + TWCCGEN_MAX_NS;

	if (!t->waiting)
		return FLOW_NEVER;
	if (t->waiting >= TWCCGEN_MANY)
		due = MIN(due, t->last_ns + TWCCGEN_MIN_NS);
	return due;
}

/* Losses that no feedback could hold together with an arrival are left out:
 * the sender knows them lost by what follows. */
static void skip_losses(struct twccgen *t)
{
	uint64_t e = t->next;

	while (e < t->highest && t->at_us[e % TWCCGEN_WINDOW] < 0)
		e++;
	if (e - t->next >= RTCP_TWCC_MAX_WRITE)
		t->next = e;
}

int twccgen_take(struct twccgen *t, uint32_t sender_ssrc, uint32_t media_ssrc,
	uint64_t now_ns, struct buf *out)
{
	int64_t at[RTCP_TWCC_MAX_WRITE];
	size_t n = 0, taken = 0;
	int rc;

	if (now_ns < twccgen_deadline(t))
		return 0;
	skip_losses(t);
	for (uint64_t e = t->next; e <= t->highest && n < ARRAY_LEN(at); e++)
		at[n++] = t->at_us[e % TWCCGEN_WINDOW];
	rc = rtcp_write_twcc(out, sender_ssrc, media_ssrc, t->fb_count,
		(uint16_t)t->next, at, n, &taken);
	if (rc == 0 && !taken)
		rc = -EINVAL;
	if (rc < 0) { /* better to lose one feedback than to stay due */
		t->next = t->highest + 1;
		t->waiting = 0;
		return rc;
	}
	t->fb_count++;
	for (size_t i = 0; i < taken; i++)
		if (at[i] >= 0 && t->waiting)
			t->waiting--;
	t->next += taken;
	if (t->next > t->highest) {
		t->waiting = 0;
		t->last_ns = now_ns;
	} else {
		/* The rest is due at once, and the loop must end. */
		t->waiting = MAX(t->waiting, 1);
	}
	return 1;
}
