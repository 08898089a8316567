/* srtp_streams - SSRCs, their indices and replay windows. */
#include "base.h"
#include "srtp_evp_priv.h"

#define HALF UINT32_C(0x8000) /* of the circle of sequence numbers */

uint64_t srtp_window_guess(const struct srtp_window *w, uint16_t seq)
{
	uint64_t roc = w->top >> 16;
	uint32_t low = w->top & 0xffff;

	if (!w->started)
		return seq;
	if (low < HALF && seq > low + HALF && roc)
		roc--;
	else if (low >= HALF && low - HALF > seq)
		roc++;
	return roc << 16 | seq;
}

int srtp_window_check(const struct srtp_window *w, uint64_t index)
{
	if (!w->started || index > w->top)
		return 0;
	if (w->top - index >= SRTP_WINDOW)
		return -EALREADY;
	return w->seen[index / 64 % ARRAY_LEN(w->seen)] >> index % 64 & 1 ?
		-EALREADY : 0;
}

void srtp_window_put(struct srtp_window *w, uint64_t index)
{
	if (!w->started || (index > w->top && index - w->top >= SRTP_WINDOW)) {
		memset(w->seen, 0, sizeof w->seen);
		w->started = true;
		w->top = index;
	}
	while (w->top < index) {
		w->top++;
		w->seen[w->top / 64 % ARRAY_LEN(w->seen)] &=
			~(UINT64_C(1) << w->top % 64);
	}
	if (w->top - index < SRTP_WINDOW)
		w->seen[index / 64 % ARRAY_LEN(w->seen)] |=
			UINT64_C(1) << index % 64;
}

/* A peer has few SSRCs, and mostly the one before comes again. */
struct srtp_stream *srtp_streams_find(struct srtp_streams *s, uint32_t ssrc)
{
	if (s->last < s->n && s->ssrc[s->last] == ssrc)
		return &s->stream[s->last];
	for (size_t i = 0; i < s->n; i++)
		if (s->ssrc[i] == ssrc) {
			s->last = i;
			return &s->stream[i];
		}
	return NULL;
}

static int grow(struct srtp_streams *s)
{
	size_t cap = s->cap ? 2 * s->cap : 4;
	uint32_t *ssrc = realloc(s->ssrc, cap * sizeof *ssrc);
	struct srtp_stream *stream;

	if (!ssrc)
		return -ENOMEM;
	s->ssrc = ssrc;
	stream = realloc(s->stream, cap * sizeof *stream);
	if (!stream)
		return -ENOMEM;
	s->stream = stream;
	s->cap = cap;
	return 0;
}

struct srtp_stream *srtp_streams_add(struct srtp_streams *s, uint32_t ssrc)
{
	struct srtp_stream *found = srtp_streams_find(s, ssrc);

	if (found)
		return found;
	if (s->n == s->cap && grow(s))
		return NULL;
	s->ssrc[s->n] = ssrc;
	s->stream[s->n] = (struct srtp_stream){0};
	s->last = s->n++;
	return &s->stream[s->last];
}

void srtp_streams_forget(struct srtp_streams *s, uint32_t ssrc)
{
	if (!srtp_streams_find(s, ssrc))
		return;
	s->n--;
	s->ssrc[s->last] = s->ssrc[s->n];
	s->stream[s->last] = s->stream[s->n];
}

void srtp_streams_free(struct srtp_streams *s)
{
	free(s->ssrc);
	free(s->stream);
	*s = (struct srtp_streams){0};
}
