/* Counting what is not counted where it stands. */
#include "hub_priv.h"

const double hub_bucket_s[HUB_BUCKETS - 1] = {0.0005, 0.001, 0.0025, 0.005,
	0.01, 0.025, 0.1, 1};

/* A method that we do not know has no row: names are not the peer's to
 * choose, or it could fill our memory and the reader's. */
const char *hub_count_method(size_t i)
{
	return i < hub_n_methods ? hub_methods[i].name :
		i == hub_n_methods ? "unknown" : NULL;
}

const char *hub_count_outcome(size_t k)
{
	return k ? ctl_kind_name(k - 1) : "ok";
}

void hub_count_answer(struct hub *h, const char *method, const char *kind)
{
	size_t i = 0, k = 0;

	while (i < hub_n_methods && !str_eq(hub_methods[i].name, method))
		i++;
	while (kind && !(k && str_eq(hub_count_outcome(k), kind)) &&
		hub_count_outcome(k))
		k++;
	if (i < HUB_METHODS && k < HUB_OUTCOMES)
		h->stats.requests[i][k]++;
}

void hub_count_commit(struct hub *h, uint64_t took_ns, int err)
{
	struct hub_stats *s = &h->stats;
	double took_s = (double)took_ns / (double)NS_PER_S;
	size_t i = 0;

	if (err) {
		s->commits_failed++;
	} else {
		s->commits++;
		s->events += s->events_open;
		while (i < HUB_BUCKETS - 1 && took_s > hub_bucket_s[i])
			i++;
		s->commit_in[i]++;
		s->commit_ns += took_ns;
	}
	s->events_open = 0;
}
