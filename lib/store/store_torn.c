/* What opening found: losses by meeting, and what never committed. */
#include "store_page_priv.h"

void store_report_free(struct store_report *r)
{
	free(r->losses);
	*r = (struct store_report){0};
}

/* In order of meeting. */
struct store_loss *store_loss_of(struct store_report *r, const char *meeting)
{
	struct store_loss *all;
	size_t at = 0;

	while (at < r->n_losses && strcmp(r->losses[at].meeting, meeting) < 0)
		at++;
	if (at < r->n_losses && str_eq(r->losses[at].meeting, meeting))
		return &r->losses[at];
	all = realloc(r->losses, (r->n_losses + 1) * sizeof(*all));
	if (!all)
		return NULL;
	r->losses = all;
	memmove(all + at + 1, all + at, (r->n_losses++ - at) * sizeof(*all));
	all[at] = (struct store_loss){0};
	str_copy(all[at].meeting, sizeof(all[at].meeting), meeting);
	return &all[at];
}

struct torn {
	uint64_t (*kept)(void *arg, const char *meeting);
	void *arg;
	struct store_report *r;
	uint64_t *seen; /* pos */
	size_t n_seen;
};

static int torn_event(void *arg, const struct store_found *f)
{
	struct torn *t = arg;
	uint64_t *seen, kept = t->kept(t->arg, f->meeting);
	struct store_loss *l;

	/* Frames hold pages, so the same event is met again and again. */
	for (size_t i = 0; i < t->n_seen; i++)
		if (t->seen[i] == f->pos)
			return 0;
	if (!f->proven || f->seq <= kept)
		return 0;
	seen = realloc(t->seen, (t->n_seen + 1) * sizeof(*seen));
	if (!seen)
		return -ENOMEM;
	t->seen = seen;
	l = store_loss_of(t->r, f->meeting);
	if (!l)
		return -ENOMEM;
	seen[t->n_seen++] = f->pos;
	l->kept = kept;
	l->unfinished++;
	return 0;
}

int store_torn_events(struct store_source *src,
	uint64_t (*kept)(void *arg, const char *meeting), void *arg,
	struct store_report *r)
{
	struct torn t = {.kept = kept, .arg = arg, .r = r};
	int err = 0;

	r->torn = src->look.torn;
	for (uint32_t i = src->look.sound; !err && i < src->look.end; i++) {
		store_source_frame(src, i);
		err = store_page_events(src, torn_event, &t);
	}
	free(t.seen);
	return err;
}
