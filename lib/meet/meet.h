/* meet - the meeting as a pure fold of events; who may do what.
 *
 * A command is decided against the state and yields events or a refusal; it
 * changes nothing. Applying the events changes the state. The same events
 * applied to an empty state give the same state again.
 *
 * An event is a JSON object as conf-events(5) has it:
 *   {"v":1,"seq":N,"pos":0,"time":T,"meeting":ID,"type":T,"actor":A,"data":{}}
 * pos is 0 until the log gives it one; meet never looks at it.
 *
 * Units: times are ms since 1970 (RFC 3339 inside JSON). Give a now_ms that
 * does not jump: wall time at start plus what the monotonic clock counted.
 * Ownership: returned json_t are new references; const pointers are lent
 * until the next meet_apply or meet_free.
 * Never: a descriptor, clock, random source or global.
 */
#ifndef MEET_H
#define MEET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base.h"
#include "json.h"

#define MEET_VERSION       1
#define MEET_ID_CAP        65    /* of a meeting's id */
#define MEET_NAME_MAX      64    /* code points of a user's name */
#define MEET_NAME_CAP      257
#define MEET_TITLE_MAX     128   /* code points of a meeting's name */
#define MEET_CHAT_MAX      8000  /* bytes of a message */
#define MEET_CHAT_KEPT     100   /* messages in the state */
#define MEET_MAX_USERS     1000
#define MEET_MAX_LINKS     10000
#define MEET_AWAY_MS       60000 /* a seat is kept this long */
#define MEET_EMPTY_MS      600000
#define MEET_LINK_TTL_MS   86400000
#define MEET_LINK_USES     1000000
#define MEET_PAGE          200   /* users or links in one answer */
#define MEET_NEVER         UINT64_MAX
#define MEET_RANDOM        32    /* bytes for one decision */

struct meet;

/* Sources of a seat as bits, in the order of the publish offer. */
enum {
	MEET_MIC = 1, MEET_CAM = 2, MEET_SCREEN = 4, MEET_SCREEN_AUDIO = 8
};
const char *meet_source_name(unsigned source); /* NULL if not one bit */
unsigned meet_source(const char *name);        /* 0 if unknown */

enum meet_role { MEET_VIEWER, MEET_MODERATOR };
const char *meet_role_name(enum meet_role role); /* "viewer", … */
int meet_role(const char *name, enum meet_role *out);

/* Who acts. Identity comes from the connection, never from a message. */
enum meet_party { MEET_SYSTEM, MEET_WORKER, MEET_OP, MEET_USER };
struct meet_actor {
	enum meet_party party;
	const char *id;   /* "u_…", "1000", "relay/relay-0"; NULL: system */
	const char *link; /* users: the link of their token or session */
};

/* Why not: a kind of conf-ctl(7) and words for people. */
struct meet_refusal {
	const char *kind; /* static */
	char message[160];
};

/* An empty state: the meeting does not exist until meeting.created. seed
 * keys the maps. NULL with ENOMEM, or EINVAL for an id that is none. */
struct meet *meet_new(const char *id, uint64_t seed);
void meet_free(struct meet *m);

/* Commands are the methods of conf-ctl(7) that change a meeting, with their
 * params ("meeting" is not looked at):
 *   meeting.create meeting.set meeting.end user.join user.leave user.mute
 *   user.unmute user.kick user.role user.hand chat.say link.create
 *   link.revoke media.attach media.detach
 * of which media.attach {as?,role?,user?} gives a seat without a link, or
 * finds that of user, and media.detach {user} takes it;
 * and four that no client has:
 *   user.away {user}             system: its connection is lost
 *   media.started {user,source}  worker: first packet seen
 *   media.stopped {user,source}  worker or system
 *   meeting.tick {}              system: whatever meet_deadline was for
 * 0 with *events an array, empty if the state is as asked already, their seq
 * following the state's. -EPERM refused, see why. -ENOMEM.
 * meeting.create on an open meeting is refused "exists". user.join of one who
 * has a seat yields user.back or nothing. */
int meet_decide(const struct meet *m, const struct meet_actor *actor,
	const char *command, const json_t *params, uint64_t now_ms,
	const uint8_t random[static MEET_RANDOM], json_t **events,
	struct meet_refusal *why);

/* 0; 1 unknown type, skipped (seq still counts); -EINVAL with the seq and
 * the fault in why: seq out of order, a newer v, data that cannot be;
 * -ENOMEM. After an error the state is as it was. */
int meet_apply(struct meet *m, const json_t *event, char why[160]);

/* --- Rights ------------------------------------------------------------
 * One table, from which conf-ctl(7) and the tests derive. */
enum {
	MEET_IS_GUEST = 1, /* admitted, without a seat */
	MEET_IS_VIEWER = 2,
	MEET_IS_MODERATOR = 4,
	MEET_IS_OP = 8,
	MEET_IS_WORKER = 16,
	MEET_IS_SYSTEM = 32
};
struct meet_right {
	const char *method;
	const char *object; /* "", "self", "other", "all", "server" */
	unsigned who;       /* MEET_IS_* */
};
const struct meet_right *meet_rights(size_t *n);
/* What the actor is in this meeting now: one MEET_IS_*. m is NULL here and
 * below for what is about no meeting. */
unsigned meet_standing(const struct meet *m, const struct meet_actor *a);
/* For methods that decide nothing (reads, media.*): 0 or -EPERM. */
int meet_allow(const struct meet *m, const struct meet_actor *a,
	const char *method, const char *object, struct meet_refusal *why);

/* Whether this user may enter, by a link whose token was sound: meeting open,
 * link known and not revoked and meant for the user, with uses left unless
 * the user came by it before, user not kicked. Asked at hello; meet_decide
 * asks again at join. 0 or -EPERM; out->spent, revoked and kicked
 * tell then whether that is why. */
struct meet_ticket {
	enum meet_role role;
	const char *name; /* locked by the link, else NULL */
	bool joined;      /* has a seat now */
	bool spent;       /* the link's uses are over: a session that it gave
	                   * still counts, its token does not */
	bool revoked;     /* nobody enters by the link any more */
	bool kicked;      /* the user was */
};
int meet_admit(const struct meet *m, const char *user, const char *link,
	struct meet_ticket *out, struct meet_refusal *why);

/* May the reader (whose standing is one MEET_IS_*) see this event: private
 * chat only its two ends and ops, link.* only moderators and ops. */
bool meet_visible(const json_t *event, unsigned standing, const char *user);

/* --- Reading the state ------------------------------------------------- */
struct meet_seat {
	char user[STR_ID_CAP];
	char link[STR_ID_CAP];
	char name[MEET_NAME_CAP];
	enum meet_role role;
	bool away, muted, held, hand;
	unsigned sources; /* live ones */
	uint64_t joined_ms, away_ms, hand_ms;
};
const char *meet_id(const struct meet *m);
uint64_t meet_seq(const struct meet *m); /* of the last event applied */
bool meet_open(const struct meet *m);    /* created and not ended */
size_t meet_users(const struct meet *m); /* seats, away ones included */
const struct meet_seat *meet_seat(const struct meet *m, const char *user);
/* In order of joining; prev NULL gives the first, NULL after the last. */
const struct meet_seat *meet_seat_next(const struct meet *m,
	const struct meet_seat *prev);
/* Sound of this user may be forwarded: seated, neither muted nor held. */
bool meet_heard(const struct meet *m, const char *user);
/* When meeting.tick is due (ms), MEET_NEVER if not. */
uint64_t meet_deadline(const struct meet *m);

/* The objects of conf-ctl(7). NULL: no memory, or no such thing. */
json_t *meet_info_json(const struct meet *m);  /* meeting.show */
json_t *meet_get_json(const struct meet *m, const char *key);
json_t *meet_user_json(const struct meet *m, const char *user);
/* At most MEET_PAGE users (links) behind the one named after (NULL: from the
 * first; none when there is no such); *more tells whether others follow. */
json_t *meet_users_json(const struct meet *m, const char *after, bool *more);
json_t *meet_links_json(const struct meet *m, const char *after, bool *more);
/* The newest kept chat events that this reader may see, oldest first, in
 * all at most max_bytes as printed. */
json_t *meet_chat_json(const struct meet *m, unsigned standing,
	const char *user, size_t max_bytes);
/* Result of user.join: {user, users, more, meeting, chat, seq}; under
 * CTL_MAX_OUT. */
json_t *meet_snapshot_json(const struct meet *m, const char *user);

/* --- Words --------------------------------------------------------------
 * Trims, drops control characters, bidi embeddings, overrides and isolates
 * and zero-width spaces; what is left may be empty. -EINVAL no UTF-8,
 * -EMSGSIZE more than max code points or than out holds. */
int meet_clean(char *out, size_t out_cap, const char *s, size_t max);
/* A meeting's id from its name: lower case, runs of anything else than
 * [a-z0-9] become '-'; may be empty. */
void meet_slug(char out[MEET_ID_CAP], const char *name);

#endif
