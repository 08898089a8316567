/* sim_act - what the people of a sim_world are told to do, and what its
 * relay holds: whoever acts asks until there is an answer that is one. */
#ifndef SIM_ACT_H
#define SIM_ACT_H

#include "sim_world.h"

#define SIM_SETTLED_MS 60000

static inline bool sim_act_done(struct sim_world *w, void *arg)
{
	const struct sim_person *p = arg;

	(void)w;
	return *p->act_kind;
}

static inline bool sim_is_up(struct sim_world *w, void *arg)
{
	(void)w;
	return ((struct sim_person *)arg)->up;
}

/* Asks once, and returns the kind of the answer, "ok" if it is none. */
static inline const char *sim_try(struct sim_world *w, struct sim_person *p,
	const char *method, json_t *params)
{
	SIM_NEED(sim_until(w, sim_is_up, p, SIM_SETTLED_MS),
		"%s does not come back", p->name);
	*p->act_kind = '\0';
	sim_call(p, SIM_ACT, -1, method, params);
	SIM_NEED(sim_until(w, sim_act_done, p, SIM_SETTLED_MS),
		"%s: no answer to %s", p->name, method);
	return p->act_kind;
}

/* Asks until there is an answer that is one. */
static inline const char *sim_act(struct sim_world *w, struct sim_person *p,
	const char *method, json_t *params)
{
	static const char *const again[] = {"closed", "unavailable", "io",
		"draining", "timeout"};
	bool later = true;

	for (int i = 0; later && i < 50; i++) {
		sim_try(w, p, method, json_incref(params));
		later = false;
		for (size_t k = 0; k < ARRAY_LEN(again); k++)
			later |= str_eq(p->act_kind, again[k]);
	}
	json_decref(params);
	return p->act_kind;
}

static inline void sim_must(struct sim_world *w, int who, const char *method,
	json_t *params)
{
	const char *kind = sim_act(w, &w->people[who], method, params);

	SIM_NEED(str_eq(kind, "ok"), "%s: %s", method, kind);
}

static inline void sim_op(struct sim_world *w, const char *method,
	json_t *params)
{
	json_object_set_new(params, "meeting", json_string(SIM_ROOM));
	SIM_NEED(str_eq(sim_act(w, &w->op, method, params), "ok"), "%s: %s",
		method, w->op.act_kind);
}

static inline bool sim_joined(struct sim_world *w, void *arg)
{
	const struct sim_person *p = arg;

	return *p->user && sim_seat(w, p->user)->seated;
}

static inline void sim_come(struct sim_world *w, int who, const char *name,
	const char *role)
{
	struct sim_person *p = &w->people[who];

	sim_op(w, "link.create", json_pack("{s:s, s:s}", "role", role,
		"name", name));
	p->name = name;
	p->server = w->server;
	sim_person_start(p, sim_text(w->op.act, "token"));
	SIM_NEED(sim_until(w, sim_joined, p, SIM_SETTLED_MS),
		"%s does not join", name);
}

static inline bool sim_listed(struct sim_world *w, void *arg)
{
	(void)arg;
	return w->list;
}

/* What the relay holds, asked behind the hub's back. */
static inline const json_t *sim_list(struct sim_world *w)
{
	static const char ask[] = "{\"jsonrpc\":\"2.0\",\"id\":\"sim\","
		"\"method\":\"relay.list\"}\n";
	struct sim_link *k = w->links;

	while (k->fd[0] < 0 || !k->greeted)
		SIM_NEED(++k < w->links + SIM_LINKS, "there is no relay");
	json_decref(w->list);
	w->list = NULL;
	sim_send_all(k->fd[0], ask, sizeof(ask) - 1);
	SIM_NEED(sim_until(w, sim_listed, NULL, 1000), "no list");
	return json_object_get(w->list, "rooms");
}

static inline const json_t *sim_find(const json_t *list, const char *key,
	const char *value)
{
	json_t *o;
	size_t i;

	json_array_foreach(list, i, o)
		if (str_eq(sim_text(o, key), value))
			return o;
	return NULL;
}

static inline void sim_begin_op(struct sim_world *w)
{
	w->op.name = "op";
	w->op.path = w->signal;
	w->op.started = true;
	w->op.fd = -1;
	w->op.early = json_array();
	w->op.on_event = sim_fold;
	w->op.arg = w;
	w->op.side[0].pc = w->op.side[1].pc = -1;
	SIM_NEED(sim_until(w, sim_is_up, &w->op, SIM_SETTLED_MS),
		"no operator");
	SIM_NEED(str_eq(sim_act(w, &w->op, "meeting.create", json_pack("{s:s}",
		"id", SIM_ROOM)), "ok"), "meeting.create: %s",
		w->op.act_kind);
	w->op.follows = SIM_ROOM;
	sim_op(w, "events.follow", json_pack("{s:i}", "since", 0));
}

#endif
