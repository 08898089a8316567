/* Pages to packets, and when each of them is. */
#include <ogg/ogg.h>

#include "base.h"
#include "ogg.h"
#include "opustoc.h"

#define MAX_PACKETS 255 /* that end on one page */

enum stage { NO_STREAM, WANT_TAGS, AUDIO };

struct oggopus_reader {
	ogg_sync_state sync;
	ogg_stream_state stream;
	enum stage stage;
	struct oggopus_head head;
	bool begun;  /* a page of audio came */
	bool ended;  /* its last page came */
	bool told;   /* the head */
	bool gap;    /* something was lost since the last packet */
	uint64_t pos; /* granule of the last packet's end */
	/* What ended on the last page and was not given yet. */
	struct oggopus_packet page[MAX_PACKETS];
	unsigned n, at;
	uint64_t skipped;
	int err;
};

struct oggopus_reader *oggopus_reader_new(void)
{
	struct oggopus_reader *r = calloc(1, sizeof(*r));

	if (r)
		ogg_sync_init(&r->sync);
	return r;
}

void oggopus_reader_free(struct oggopus_reader *r)
{
	if (!r)
		return;
	ogg_stream_clear(&r->stream);
	ogg_sync_clear(&r->sync);
	free(r);
}

int oggopus_feed(struct oggopus_reader *r, const void *p, size_t n)
{
	char *at;

	if (!n)
		return 0;
	if (n > 1u << 30)
		return -ENOMEM;
	at = ogg_sync_buffer(&r->sync, (long)n);
	if (!at)
		return -ENOMEM;
	memcpy(at, p, n);
	ogg_sync_wrote(&r->sync, (long)n);
	return 0;
}

static int fail(struct oggopus_reader *r, int err)
{
	r->err = err;
	return err;
}

/* A stream begins on this page. It is ours if it is Opus and we have none,
 * or ours has had its audio: streams that begin together are parallel. */
static int begin(struct oggopus_reader *r, ogg_page *pg)
{
	ogg_stream_state s;
	ogg_packet first;
	int rc = 0;

	if (r->stage != NO_STREAM && !r->begun && !r->ended &&
		ogg_page_serialno(pg) != r->stream.serialno)
		return 0;
	if (ogg_stream_init(&s, ogg_page_serialno(pg)))
		return -ENOMEM;
	if (ogg_stream_pagein(&s, pg) || ogg_stream_packetout(&s, &first) != 1
		|| first.bytes < 8 || memcmp(first.packet, "OpusHead", 8)) {
		ogg_stream_clear(&s);
		return 0;
	}
	rc = oggopus_head_parse(&r->head, first.packet, (size_t)first.bytes);
	ogg_stream_clear(&r->stream);
	r->stream = s;
	r->stage = WANT_TAGS;
	r->begun = r->ended = r->told = r->gap = false;
	r->pos = 0;
	return rc;
}

static size_t waiting_bytes(const struct oggopus_reader *r)
{
	return (size_t)(r->stream.body_fill - r->stream.body_returned);
}

static bool is_tags(const ogg_packet *p)
{
	return p->bytes >= 8 && !memcmp(p->packet, "OpusTags", 8);
}

static int read_tags(struct oggopus_reader *r)
{
	ogg_packet p;
	int got = ogg_stream_packetout(&r->stream, &p);

	if (!got)
		return waiting_bytes(r) > OGGOPUS_MAX_TAGS ? -EMSGSIZE : 0;
	/* Tags that were damaged are no loss. */
	if (got > 0 && !is_tags(&p))
		return -EBADMSG;
	r->stage = AUDIO;
	return 0;
}

/* Takes all packets that end on the page that came last. Returns the page's
 * granule position, -1 if it has none. */
static int64_t take_page(struct oggopus_reader *r)
{
	int64_t granule = -1;
	ogg_packet p;
	int got, samples;

	r->n = r->at = 0;
	while (r->n < MAX_PACKETS &&
		(got = ogg_stream_packetout(&r->stream, &p))) {
		if (got < 0) {
			r->gap = true;
			continue;
		}
		if (p.granulepos >= 0)
			granule = p.granulepos;
		if (!r->begun && is_tags(&p))
			continue;
		samples = opustoc_samples(p.packet, (size_t)p.bytes);
		if (samples < 0 || p.bytes > (long)OPUSTOC_MAX_BYTES) {
			r->skipped++;
			r->gap = true;
			continue;
		}
		r->page[r->n++] = (struct oggopus_packet){
			.data = p.packet, .len = (size_t)p.bytes,
			.samples = (unsigned)samples, .gap = r->gap};
		r->gap = false;
	}
	return granule;
}

/* The granule of a page is that of the end of its last packet. On the last
 * page it may be earlier: what is beyond is not to be played. */
static void place_page(struct oggopus_reader *r, int64_t granule, bool last)
{
	uint64_t lasts = 0, end, trim = 0;

	for (unsigned i = 0; i < r->n; i++)
		lasts += r->page[i].samples;
	if (granule < 0 || granule > INT64_MAX / 2)
		granule = (int64_t)(r->pos + lasts);
	end = (uint64_t)granule;
	if (last && r->pos + lasts > end)
		trim = MIN(r->pos + lasts - end, lasts);
	if (end > r->pos + lasts) {
		if (r->begun && r->n)
			r->page[0].gap = true;
		r->pos = end - lasts;
	}
	for (unsigned i = 0; i < r->n; i++)
		r->page[i].granule = r->pos += r->page[i].samples;
	for (unsigned i = r->n; i-- && trim;) {
		struct oggopus_packet *p = &r->page[i];

		p->trim = (unsigned)MIN(trim, p->samples);
		p->granule -= trim;
		trim -= p->trim;
	}
	r->begun = r->begun || r->n;
}

static int read_page(struct oggopus_reader *r, ogg_page *pg)
{
	bool last = ogg_page_eos(pg);
	int rc = 0;

	if (ogg_page_bos(pg))
		return begin(r, pg);
	if (r->stage == NO_STREAM || r->ended ||
		ogg_page_serialno(pg) != r->stream.serialno)
		return 0;
	if (ogg_stream_pagein(&r->stream, pg))
		return 0; /* of a later Ogg version */
	if (r->stage == WANT_TAGS)
		rc = read_tags(r);
	if (!rc && r->stage == AUDIO) {
		place_page(r, take_page(r), last);
		if (waiting_bytes(r) > OGGOPUS_MAX_PACKET)
			rc = -EMSGSIZE;
	}
	r->ended = last;
	return rc;
}

int oggopus_next(struct oggopus_reader *r, struct oggopus_packet *out)
{
	ogg_page pg;
	long got;
	int rc;

	*out = (struct oggopus_packet){0};
	for (;;) {
		if (r->err)
			return r->err;
		if (r->stage != NO_STREAM && !r->told) {
			r->told = true;
			return OGGOPUS_HEAD;
		}
		if (r->at < r->n) {
			*out = r->page[r->at++];
			return OGGOPUS_PACKET;
		}
		got = ogg_sync_pageseek(&r->sync, &pg);
		if (!got)
			return OGGOPUS_MORE;
		if (got < 0) {
			r->skipped += (uint64_t)-got;
			continue;
		}
		rc = read_page(r, &pg);
		if (rc)
			return fail(r, rc);
	}
}

const struct oggopus_head *oggopus_head(const struct oggopus_reader *r)
{
	return &r->head;
}

uint64_t oggopus_skipped(const struct oggopus_reader *r)
{
	return r->skipped;
}

int oggopus_end(const struct oggopus_reader *r)
{
	if (r->err)
		return r->err;
	return r->ended ? 0 : -ENODATA;
}
