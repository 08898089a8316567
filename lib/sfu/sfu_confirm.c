/* sfu - slots that wait until their receiver has covered them. */
#include "sfu_priv.h"

void sfu_transport_confirms(struct sfu_transport *t)
{
	t->confirms = t->direction == SFU_SUBSCRIBE;
}

bool sfu_slot_held(const struct sfu_transport *t, unsigned slot)
{
	return slot < t->n_slots && t->slots[slot].held;
}

void sfu_slot_confirm(struct sfu *s, struct sfu_transport *t, unsigned index,
	uint64_t now_ns)
{
	struct slot *slot;

	if (!sfu_slot_held(t, index))
		return;
	slot = &t->slots[index];
	slot->held = false;
	if (slot->track)
		sfu_slot_key(s, slot, now_ns);
}
