/* keyreq - the throttle of key-frame requests to one source: at most one in
 * KEYREQ_MIN_NS however many receivers ask, repeated until a key frame
 * comes. Many key frames ruin the picture for all (each costs as much as a
 * second of it), so that no asker may bypass this. */
#ifndef KEYREQ_H
#define KEYREQ_H

#include <stdbool.h>
#include <stdint.h>

#define KEYREQ_MIN_NS (UINT64_C(1000) * 1000000)

struct keyreq {
	bool wanted;
	bool asked; /* ever */
	uint64_t asked_ns;
};

void keyreq_init(struct keyreq *k);
/* Somebody needs a key frame. */
void keyreq_want(struct keyreq *k);
/* True if the source is to be asked now; it then counts as asked. */
bool keyreq_take(struct keyreq *k, uint64_t now_ns);
/* A key frame came, or nobody needs one any more. */
void keyreq_done(struct keyreq *k);
uint64_t keyreq_deadline(const struct keyreq *k);

#endif
