/* sfu_confirm - receivers who say when they have covered a slot's picture.
 *
 * Pictures overtake words: when a slot changes hands, the new picture may be
 * on the screen before the receiver has heard whose it is. Of a transport
 * that confirms, a camera's or screen's slot that has shown somebody before
 * is held for its new owner, nothing of whom is sent, nor is he asked for a
 * key frame, until sfu_slot_confirm is called. The first owner of a slot
 * waits for nobody.
 */
#ifndef SFU_CONFIRM_H
#define SFU_CONFIRM_H

#include <stdbool.h>
#include <stdint.h>

struct sfu;
struct sfu_transport;

/* Of a subscribe transport, before it is ready. */
void sfu_transport_confirms(struct sfu_transport *t);
/* Whether that slot waits; legal in callbacks. */
bool sfu_slot_held(const struct sfu_transport *t, unsigned slot);
/* The receiver knows of its owner of now. Legal for any slot. */
void sfu_slot_confirm(struct sfu *s, struct sfu_transport *t, unsigned slot,
	uint64_t now_ns);

#endif
