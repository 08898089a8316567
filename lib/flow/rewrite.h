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
 * A source that jumps is taken as a new one: at once when its time leaves the
 * clock by more than REWRITE_MAX_SKEW_S or goes back, and when its sequence
 * leaps by more than REWRITE_MAX_JUMP (or falls back) as soon as a second
 * packet in sequence confirms it.
 * Of a source without picture ids, a late packet is refused if it belongs
 * to neither of the two newest frames: its number is not known.
 */
#ifndef REWRITE_H
#define REWRITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct vp8;

#define REWRITE_WINDOW     1024 /* packets back that duplicates are known */
#define REWRITE_MAX_JUMP   3000 /* packets; RFC 3550 A.1's MAX_DROPOUT */
#define REWRITE_MAX_SKEW_S 10
#define REWRITE_DROPS      16 /* closed gaps that a late packet may span */

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

struct rewrite_ids { /* of VP8 */
	uint16_t shift;   /* picture ids: out = in - shift */
	uint16_t in;      /* of the newest packet, made up if it has none */
	uint16_t out;     /* the same, as sent */
	uint32_t prev_ts; /* in, of the frame before */
	bool tl0_set;     /* tl0_shift is that of this source */
	bool tl0_known;   /* tl0_out was ever sent */
	uint8_t tl0_shift;
	uint8_t tl0_out;
};

struct rewrite {
	uint32_t clock_hz;
	bool started;  /* something was sent */
	bool anchored; /* the present source was heard */
	/* The source; sequence numbers are extended, from 1 << 32 on. */
	uint64_t in_first; /* older ones are refused */
	uint64_t in_highest;
	uint32_t in_first_ts;
	uint32_t in_ts; /* of in_highest */
	bool dropping;  /* in_highest was not sent */
	bool bad;       /* bad_seq would confirm a jump */
	uint16_t bad_seq;
	uint8_t seen[REWRITE_WINDOW / 8]; /* by sequence number */
	/* Sequence numbers: out = in - shift; drops has the shifts that
	 * held for the packets below .before. */
	uint16_t shift;
	struct rewrite_shift {
		uint64_t before; /* 0: unused */
		uint16_t shift;
		uint16_t id_shift;
	} drops[REWRITE_DROPS];
	unsigned drop_next;
	/* The receiver; what the newest packet had. */
	uint16_t out_seq;
	uint32_t out_ts;
	uint64_t out_ns; /* arrival of the first packet with out_ts */
	uint32_t ts_shift;
	struct rewrite_ids ids;
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
