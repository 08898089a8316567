/* meet_world - one meeting for tests: people with known ids, a clock that
 * the test moves, random bytes that count up. One command is a line. */
#ifndef MEET_WORLD_H
#define MEET_WORLD_H

#include <stdarg.h>
#include "base.h"
#include "json.h"
#include "meet.h"

#define ADA  "u_adaaaaaaaaaaaaaaaaaaaaaaaa" /* moderator */
#define BOB  "u_bobaaaaaaaaaaaaaaaaaaaaaaa" /* viewer */
#define CYD  "u_cydaaaaaaaaaaaaaaaaaaaaaaa" /* viewer */
#define DAN  "u_danaaaaaaaaaaaaaaaaaaaaaaa" /* admitted, no seat */

struct world {
	struct meet *m;
	uint64_t now_ms;
	uint8_t draws;
	char view[STR_ID_CAP]; /* link for viewers */
	char chair[STR_ID_CAP]; /* link for moderators */
	struct meet_refusal why;
	char types[2048]; /* of the last command's events, each with a space */
	json_t *last;     /* its events */
};

static inline struct meet_actor w_op(void)
{
	return (struct meet_actor){.party = MEET_OP, .id = "1000"};
}

static inline struct meet_actor w_system(void)
{
	return (struct meet_actor){.party = MEET_SYSTEM};
}

static inline struct meet_actor w_worker(void)
{
	return (struct meet_actor){.party = MEET_WORKER,
		.id = "relay/relay-0"};
}

static inline struct meet_actor w_user(const struct world *w,
	const char *user)
{
	return (struct meet_actor){.party = MEET_USER, .id = user,
		.link = str_eq(user, ADA) ? w->chair : w->view};
}

/* params is JSON with ' in place of ". 0, -EPERM, or abort. */
static inline int w_do(struct world *w, struct meet_actor actor,
	const char *command, const char *params)
{
	uint8_t random[MEET_RANDOM];
	char text[4096], why[160];
	json_t *p, *e;
	size_t i, n = strlen(params);
	int err;

	if (n >= sizeof(text))
		abort();
	for (i = 0; i <= n; i++)
		text[i] = params[i] == '\'' ? '"' : params[i];
	p = json_read(text, n, why);
	if (!p)
		abort();
	memset(random, 0, sizeof(random));
	random[0] = random[16] = ++w->draws;
	json_decref(w->last);
	w->last = NULL;
	w->types[0] = 0;
	err = meet_decide(w->m, &actor, command, p, w->now_ms, random,
		&w->last, &w->why);
	json_decref(p);
	json_array_foreach(w->last, i, e) {
		size_t len = strlen(w->types);

		if (meet_apply(w->m, e, why))
			abort();
		snprintf(w->types + len, sizeof(w->types) - len, "%s ",
			json_string_value(json_object_get(e, "type")));
	}
	return err;
}

/* The i-th event of the last command, printed; lent until the next call. */
static inline const char *w_event(const struct world *w, size_t i)
{
	static struct buf b;

	buf_clear(&b);
	if (json_write(json_array_get(w->last, i), &b))
		return "";
	return buf_cstr(&b);
}

static inline const char *w_link(const struct world *w)
{
	return json_string_value(json_object_get(json_object_get(
		json_array_get(w->last, 0), "data"), "link"));
}

/* A meeting without people, and its two links. */
static inline void w_start(struct world *w)
{
	*w = (struct world){.now_ms = 1763802000000}; /* 2025-11-22T09:00:00Z */
	w->m = meet_new("hello", 1);
	if (!w->m || w_do(w, w_op(), "meeting.create", "{'name':'Hello'}"))
		abort();
	if (w_do(w, w_op(), "link.create", "{}"))
		abort();
	str_copy(w->view, sizeof(w->view), w_link(w));
	if (w_do(w, w_op(), "link.create", "{'role':'moderator'}"))
		abort();
	str_copy(w->chair, sizeof(w->chair), w_link(w));
}

/* With Ada, Bob and Cyd in it. */
static inline void w_start_with_people(struct world *w)
{
	w_start(w);
	if (w_do(w, w_user(w, ADA), "user.join", "{'name':'Ada'}") ||
		w_do(w, w_user(w, BOB), "user.join", "{'name':'Bob'}") ||
		w_do(w, w_user(w, CYD), "user.join", "{'name':'Cyd'}"))
		abort();
}

static inline void w_stop(struct world *w)
{
	json_decref(w->last);
	meet_free(w->m);
}

#endif
