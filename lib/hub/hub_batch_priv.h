/* hub_batch_priv - deciding, and the batch that is committed as one. Included
 * by hub_priv.h. */
#ifndef HUB_BATCH_PRIV_H
#define HUB_BATCH_PRIV_H

#include "hub_priv.h"

/* hub_batch.c */
/* Decides, appends and applies. 0 with *events (a new reference, perhaps an
 * empty array), or -EPERM with why. params NULL: {}. */
int hub_decide(struct room *r, const struct meet_actor *a,
	const char *command, const json_t *params, json_t **events,
	struct meet_refusal *why);
/* The same where nobody waits for the outcome. */
void hub_decide_quietly(struct room *r, const struct meet_actor *a,
	const char *command, json_t *params);
/* Answers after the commit, in order; at once when nothing is pending.
 * result is stolen. f, if not NULL, begins behind the answer. */
void hub_reply(struct peer *p, struct ctl_call *call, json_t *result);
void hub_reply_follow(struct peer *p, struct ctl_call *call, json_t *result,
	struct follow *f);
void hub_fail(struct peer *p, struct ctl_call *call, const char *kind,
	const char *fmt, ...) PRINTF(4, 5);
void hub_refuse(struct peer *p, struct ctl_call *call,
	const struct meet_refusal *why);
/* Commits early when many wait, so that who sends much at once is not refused
 * for having too many requests open. */
void hub_make_room(struct hub *h);
/* True if a batch is open: the request runs again behind its commit, since it
 * reads the log and shall find there what was asked before it. */
bool hub_later(struct peer *p, struct ctl_call *call, const json_t *params,
	void (*run)(void *arg, struct ctl_call *call, const json_t *params));
/* Something outside of an event wrote to the store. */
void hub_touch(struct hub *h);
/* hub_settle after this iteration: commit, answer, close, read the log. */
void hub_settle_soon(struct hub *h);
void hub_settle(void *arg);
void hub_batch_free(struct hub *h);
/* Each second: whether the log can be written. */
void hub_look_at_log(struct hub *h);

#endif
