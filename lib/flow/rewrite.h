/* rewrite - makes one stream out of several: what a receiver sees on a slot
 * while the sources that feed it come and go.
 *
 * Sequence numbers go on by one at a switch and keep the gaps and the
 * reordering of the source in between, so that a receiver asks again for
 * what the network lost and for nothing else. Timestamps go on by the time
 * that has passed on the relay's clock and never go back in order of
 * sequence. VP8 picture ids (15 bits, RFC 7741 section 4.2) go on by one and
 * TL0PICIDX too; a source with 7-bit picture ids, or without, gets 15-bit
 * ones, so that the receiver never sees the form change.
 *
 * A source that jumps (its sequence by more than REWRITE_MAX_JUMP, or its
 * time by more than 10 s off the clock) is taken as a new one, once a second
 * packet confirms the sequence jump.
 */
#ifndef REWRITE_H
#define REWRITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct vp8;

#define REWRITE_WINDOW   1024 /* packets back that duplicates are known */
#define REWRITE_MAX_JUMP 3000 /* packets; RFC 3550 A.1's MAX_DROPOUT */
#define REWRITE_DROPS    16   /* gaps closed that late packets may span */

struct rewrite_in {
	uint16_t seq;
	uint32_t rtp_ts;
	uint64_t arrival_ns;
	const struct vp8 *vp8; /* NULL: not VP8 */
};

struct rewrite_out {
	uint16_t seq;
	uint32_t rtp_ts;
	bool restarted;      /* first packet after a switch or a jump */
	uint16_t picture_id; /* 15 bits; of VP8, as the next */
	uint8_t tl0picidx;   /* only if the source has one */
};

struct rewrite {
	uint32_t clock_hz;
	bool started;  /* something was sent */
	bool anchored; /* the present source was heard */
	bool vp8;      /* as started, for the ids below */
	/* the source: extended sequence numbers, which begin at 1 << 32 */
	uint64_t in_first;
	uint64_t in_highest;
	uint32_t in_ts; /* of in_highest */
	uint16_t bad_seq;
	bool bad;
	uint8_t seen[REWRITE_WINDOW / 8]; /* by sequence number */
	/* out = in - shift; drops[] holds the shifts that were */
	uint16_t shift;
	struct {
		uint64_t before; /* packets below it had … */
		uint16_t shift;  /* … this shift */
	} drops[REWRITE_DROPS];
	unsigned drop_next;
	/* the receiver */
	uint16_t out_highest;
	uint32_t out_ts; /* of out_highest */
	uint64_t out_ns; /* its arrival */
	uint32_t ts_shift;
	uint32_t first_ts; /* out, of in_first */
	/* VP8 */
	uint16_t pid_shift;
	uint16_t pid_highest; /* out */
	uint16_t pid_in;      /* of in_highest, made up if it has none */
	uint8_t tl0_shift;
	uint8_t tl0_highest; /* out */
	bool tl0_known;
};

/* first_seq, first_ts, first_picture_id: what the first packet gets. */
void rewrite_init(struct rewrite *w, uint32_t clock_hz, uint16_t first_seq,
	uint32_t first_ts, uint16_t first_picture_id);
/* The next packet is of another source. Idempotent. */
void rewrite_switch(struct rewrite *w);
/* 0; -EALREADY a duplicate; -ESTALE older than the switch or the window, or
 * the first packet of a jump. Nothing is to be sent then. */
int rewrite_packet(struct rewrite *w, const struct rewrite_in *in,
	struct rewrite_out *out);
/* The packet exists but is not to be sent: the gap closes, and with the
 * first packet of a VP8 frame (in->vp8; drop whole frames) that in picture
 * ids. It stays a gap if newer packets were sent already. The same results;
 * a later copy of it is a duplicate. */
int rewrite_drop(struct rewrite *w, const struct rewrite_in *in);

/* Writes the descriptor that stands in front of the payload of a packet with
 * descriptor v (v->header_len bytes, of which this takes the place): at most
 * REWRITE_MAX_VP8 bytes, at least v->header_len. Returns the length. */
#define REWRITE_MAX_VP8 6
size_t rewrite_vp8(uint8_t out[static REWRITE_MAX_VP8], const struct vp8 *v,
	const struct rewrite_out *ids);

#endif
