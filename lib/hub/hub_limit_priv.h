/* hub_limit_priv - limits, and the audit log. Included by hub_priv.h. */
#ifndef HUB_LIMIT_PRIV_H
#define HUB_LIMIT_PRIV_H

#include "hub_priv.h"

/* hub_limit.c */
/* Somebody from there failed in a way that no page of ours does. from NULL:
 * who it was cannot be told, and nothing is counted. */
void hub_fault(struct hub *h, const union io_addr *from, enum guard_fault f);
void peer_fault(struct peer *p, enum guard_fault f);
/* Its hello counts. */
void peer_known(struct peer *p);
/* True if it asks too often: the call was refused then. */
bool peer_over(struct peer *p, struct ctl_call *call, const char *method);

/* hub_session.c: how many sessions there are, and how long. One whose user
 * is seated or connected is kept. */
bool session_is_old(const struct hub *h, uint64_t created_ms);
/* Before one more of the room's meeting: the oldest make room. -ENOSPC none
 * does, or what the store says. */
int sessions_make_room(struct room *r);
/* Forgets the old ones, from time to time. */
void sessions_sweep(struct hub *h);

/* hub_audit.c */
enum audit_event {
	AUDIT_OPENED, AUDIT_SUPPRESSED, AUDIT_HELLO_REFUSED,
	AUDIT_HELLO_MISSING, AUDIT_ORIGIN_REFUSED, AUDIT_UID_REFUSED,
	AUDIT_WORKER_REFUSED, AUDIT_PEER_MALFORMED, AUDIT_REQUEST_SLOW,
	AUDIT_SOURCE_LIMITED, AUDIT_SOURCE_PENALISED, AUDIT_USER_LIMITED,
	AUDIT_MEDIA_REFUSED,
	AUDIT_USER_KICKED, AUDIT_USER_ROLE, AUDIT_LINK_CREATED,
	AUDIT_LINK_REVOKED, AUDIT_KEY_ROTATED, AUDIT_MEDIA_ATTACHED,
	AUDIT_MEDIA_DETACHED, AUDIT_EVENTS
};

/* One line. What is NULL is left out; no text may hold a secret. */
struct audit {
	enum audit_event event;
	const struct peer *peer;    /* who, one of these three */
	const union io_addr *from;
	const char *actor;
	const char *meeting;        /* NULL: the peer's */
	const char *object;         /* whom or what it was done to */
	const char *reason;
};
struct audit_log;

/* path is copied. NULL with errno and why. */
struct audit_log *audit_open(const char *path, char why[256]);
void audit_close(struct audit_log *a);
void audit(struct hub *h, const struct audit *what);
/* Those of a meeting's committed events that belong there. */
void audit_events(const struct room *r, const json_t *events);
/* Each second: sums of what was suppressed, and whether the file is still
 * where it was. */
void audit_sweep(struct hub *h);

#endif
