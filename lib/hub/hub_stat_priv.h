/* hub_stat_priv - what is counted, and the text that tells it: the metrics of
 * conf-metrics(7). Included by hub_priv.h.
 *
 * What the relays count they are asked for when somebody wants to know, over
 * the connection that they have: their sandbox lets them listen nowhere, one
 * address has the numbers of all, and who asks nobody costs nothing.
 */
#ifndef HUB_STAT_PRIV_H
#define HUB_STAT_PRIV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct hub;

#define HUB_METHODS   48 /* at least as many as there are, and one */
#define HUB_OUTCOMES  16 /* the kinds of ctl, and two */
#define HUB_BUCKETS   9  /* of times, the last without an end */
#define HUB_SCRAPES   16 /* at a time */
#define HUB_SCRAPE_MS 2000 /* that relays have, and as many for a request */

extern const double hub_bucket_s[HUB_BUCKETS - 1];

struct hub_stats {
	uint64_t connections[3]; /* by enum peer_kind, ever */
	uint64_t requests[HUB_METHODS][HUB_OUTCOMES];
	uint64_t commits, commits_failed;
	uint64_t events, events_open; /* in the log; in the batch */
	uint64_t commit_ns, commit_in[HUB_BUCKETS];
	unsigned scrapes;
};

/* hub_stat.c: of ctl_config.answered; h is not used up. */
void hub_count_answer(struct hub *h, const char *method, const char *kind);
void hub_count_commit(struct hub *h, uint64_t took_ns, int err);
/* Names for requests[i][k]; NULL past the last. */
const char *hub_count_method(size_t i);
const char *hub_count_outcome(size_t k);

/* hub_metrics.c: appends all that is known now; of relays what they have
 * answered since that time. */
void hub_metrics_put(struct hub *h, struct buf *b, uint64_t since_ns);

/* hub_scrape.c: answers HTTP on a connection, of which n bytes were read
 * already; owns fd. */
void hub_scrape(struct hub *h, int fd, const void *bytes, size_t n);
/* A relay has answered, failed to, or is gone. */
void hub_relay_counted(struct hub *h);
void hub_scrapes_free(struct hub *h);

#endif
