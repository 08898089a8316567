/* sfu - when things were captured: publishers' sender reports, and the clock
 * of what each slot sends. */
#include "sfu_priv.h"

static uint32_t clock_hz(const struct track *k)
{
	return sfu_source_is_video(k->source) ? VIDEO_HZ : AUDIO_HZ;
}

uint64_t sfu_captured(const struct track *k, unsigned layer,
	const struct sfu_packet *p, bool *known)
{
	uint64_t at_ns;

	*known = srcclock_at(&k->ep->clock, &k->layers[layer].map,
		clock_hz(k), p->rtp_ts, p->arrival_ns, &at_ns);
	return *known ? at_ns : p->arrival_ns;
}

void sfu_tell_clock(struct sfu *s, const struct slot *slot, uint32_t rtp_ts,
	uint64_t at_ns)
{
	if (!slot->t)
		sendstat_clock(&list_entry((uintptr_t)slot, struct feed,
			slot)->stat, rtp_ts, at_ns);
	else if (s->ev->clock)
		s->ev->clock(s->arg, slot->t->user, slot->index, rtp_ts,
			at_ns);
}

/* Told to all slots that carry this layer. */
static void tell_all(struct sfu *s, struct track *k, unsigned layer,
	uint64_t now_ns)
{
	const struct layer *l = &k->layers[layer];
	uint64_t at_ns;

	/* The report's own timestamp is that of its sending, or near it. */
	if (!srcclock_at(&k->ep->clock, &l->map, clock_hz(k), l->map.rtp_ts,
		    now_ns, &at_ns))
		return;
	list_each(next_link, next, &k->slots) {
		struct slot *slot = list_entry(next_link, struct slot, link);

		if (!slot->rw.anchored || (sfu_source_is_video(k->source) &&
			    (!slot->live || slot->layer != layer)))
			continue;
		sfu_tell_clock(s, slot, l->map.rtp_ts - slot->rw.ts_shift,
			at_ns);
	}
}

void sfu_report(struct sfu *s, struct sfu_transport *t,
	enum sfu_source source, enum sfu_layer layer, uint64_t ntp,
	uint32_t rtp_ts, uint64_t now_ns)
{
	struct endpoint *e = t->ep;

	if (t->direction != SFU_PUBLISH || source >= SFU_SOURCES ||
		layer >= SFU_LAYERS)
		return;
	srcclock_report(&e->clock, &e->tracks[source].layers[layer].map, ntp,
		rtp_ts, now_ns);
	/* His clock may have moved, and with it that of all he sends. */
	for (unsigned i = 0; i < SFU_SOURCES; i++)
		for (unsigned k = 0; k < SFU_LAYERS; k++)
			tell_all(s, &e->tracks[i], k, now_ns);
}

void sfu_clock_forget(struct endpoint *e)
{
	e->clock = (struct srcclock){0};
	for (unsigned i = 0; i < SFU_SOURCES; i++)
		for (unsigned k = 0; k < SFU_LAYERS; k++)
			e->tracks[i].layers[k].map = (struct srcmap){0};
}
