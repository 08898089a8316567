/* opustoc - the first bytes of an Opus packet (RFC 6716 section 3): how long
 * it lasts, and packets that hold nothing but ask for concealment.
 *
 * Units: samples are per channel at 48 kHz, whatever the packet's bandwidth.
 * Never: allocates, looks at what is coded.
 */
#ifndef OPUSTOC_H
#define OPUSTOC_H

#include <stddef.h>
#include <stdint.h>

#define OPUSTOC_MIN_SAMPLES 120u  /* 2.5 ms, of a frame */
#define OPUSTOC_MAX_SAMPLES 5760u /* 120 ms, of a packet */
#define OPUSTOC_MAX_BYTES   61440u

/* How long the packet lasts, 120 to 5760. -EBADMSG: it is empty, or lasts
 * longer, or its count of frames is 0 or missing. */
int opustoc_samples(const uint8_t *p, size_t n);

/* Writes a packet of empty frames that stands for up to samples of lost
 * sound, in the mode of the packet that began with byte toc as far as its
 * frames allow (RFC 7845 section 4.1.1). Returns its length, 2, and in
 * *covered how many samples it stands for; 0 if samples is less than
 * OPUSTOC_MIN_SAMPLES. */
#define OPUSTOC_LOST_BYTES 2
int opustoc_lost(uint8_t out[static OPUSTOC_LOST_BYTES], uint8_t toc,
	unsigned samples, unsigned *covered);

#endif
