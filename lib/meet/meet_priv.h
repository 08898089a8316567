/* meet_priv - what meet's own files share. */
#ifndef MEET_PRIV_H
#define MEET_PRIV_H

#include "base.h"
#include "json.h"
#include "meet.h"

#define MEET_EXTERNAL_MAX  128 /* bytes */
#define MEET_REASON_MAX    200 /* code points */
#define MEET_REASON_CAP    801
#define MEET_TITLE_CAP     513
#define MEET_ACTOR_CAP     96
#define MEET_SNAPSHOT_CHAT 65536 /* bytes of chat in a join's answer */

struct seat {
	struct list link;
	struct meet_seat s;
};

struct link {
	char id[STR_ID_CAP];
	char sub[STR_ID_CAP]; /* a user, or "*" */
	char name[MEET_NAME_CAP]; /* empty: free */
	enum meet_role role;
	bool revoked;
	uint64_t from_ms; /* 0: from the first */
	uint64_t expires_ms;
	uint64_t uses; /* how many may enter by it; 0: any number */
	uint64_t used;
};

/* What outlives a seat, so that leaving and coming back undoes nothing that
 * a moderator did. */
struct record {
	bool role_set;
	enum meet_role role;
	bool held;
	bool kicked;
	char link[STR_ID_CAP]; /* with limited uses, by which he came */
};

/* What meeting.created begins anew when an ended meeting is used again. */
struct people {
	struct list seats; /* in order of joining */
	struct map *by_user; /* struct seat */
	struct map *links;   /* struct link */
	struct map *records; /* struct record */
};

enum meet_audio { AUDIO_AUTO, AUDIO_FORWARD, AUDIO_KINDS };
extern const char *const meet_audio_names[AUDIO_KINDS];

struct meet {
	char id[MEET_ID_CAP];
	uint64_t seed;
	uint64_t seq;
	bool open;
	uint64_t created_ms; /* 0: never */
	uint64_t ended_ms;   /* 0: not */
	uint64_t empty_since_ms;
	char title[MEET_TITLE_CAP];
	char external[MEET_EXTERNAL_MAX + 1];
	enum meet_audio audio;
	uint64_t empty_ms;
	unsigned max_users; /* 0: MEET_MAX_USERS */
	struct people people;
	json_t *chat[MEET_CHAT_KEPT]; /* a ring; references */
	unsigned n_chat, next_chat;
};

int people_init(struct people *p, uint64_t seed); /* 0 or -ENOMEM */
void people_free(struct people *p);
void meet_chat_clear(struct meet *m);

struct seat *meet_find(const struct meet *m, const char *user);
struct link *meet_link(const struct meet *m, const char *link);
struct record *meet_record(const struct meet *m, const char *user);
int meet_audio(const char *name, enum meet_audio *out); /* or -EINVAL */
/* The least and most of a number that a meeting can be set to. */
bool meet_empty_ok(int64_t ms);
bool meet_max_ok(int64_t users);

/* --- Deciding ----------------------------------------------------------- */

/* One decision in the making. */
struct draft {
	const struct meet *m;
	const struct meet_actor *actor;
	const char *command;
	const json_t *params;
	uint64_t now_ms;
	const uint8_t *random;
	json_t *events;
	struct meet_refusal *why;
	bool no_memory;
};

typedef int decide_fn(struct draft *d);
decide_fn meet_user_join, meet_user_leave, meet_user_mute, meet_user_unmute,
	meet_user_kick, meet_user_role, meet_user_hand, meet_user_away,
	meet_media_started, meet_media_stopped, meet_media_attach,
	meet_media_detach, meet_chat_say,
	meet_link_create, meet_link_revoke;

int meet_refuse(struct meet_refusal *why, const char *kind,
	const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* Adds an event; data is stolen, NULL means that there was no memory. */
void draft_add(struct draft *d, const char *type, json_t *data);
/* The same in the name of the system. */
void draft_add_system(struct draft *d, const char *type, json_t *data);
/* 0 or -EPERM by the rights table. */
int draft_allow(struct draft *d, const char *object);
/* A member that is a string; -EPERM "invalid" when of another type, or when
 * missing and needed. */
int draft_str(struct draft *d, const char *key, bool needed,
	const char **out);
int draft_int(struct draft *d, const char *key, int64_t fallback,
	int64_t *out);
int draft_flag(struct draft *d, const char *key, bool fallback, bool *out);
/* A member as cleaned text of at most max code points; empty if missing. */
int draft_text(struct draft *d, const char *key, size_t max, char *out,
	size_t out_cap);

#endif
