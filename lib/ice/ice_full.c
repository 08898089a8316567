/* ice_full - the full agent: checks, nomination, consent. */
#include "ice_priv.h"

static void wait_check(struct pair *p, uint64_t due_ns)
{
	p->phase = PAIR_WAITING;
	p->fresh = true;
	p->due_ns = due_ns;
}

static void rest(struct pair *p, enum phase phase)
{
	p->phase = phase;
	p->triggered = false;
	p->due_ns = ICE_NEVER;
}

void ice_switch_role(struct ice *ice)
{
	ice->controlling = !ice->controlling;
	if (ice->nominating) {
		rest(ice->nominating, PAIR_VALID);
		ice->nominating = NULL;
	}
	/* What is sent from now on says the new role: no repetition of a
	 * request that said the old one. */
	for (unsigned i = 0; i < ice->pair_count; i++) {
		ice->pairs[i].fresh = true;
		ice_pair_rank(ice, &ice->pairs[i]);
	}
}

/* 0.8 to 1.2 times what is given (RFC 7675 section 5.1). */
static uint64_t jittered(struct ice *ice, uint64_t ns)
{
	return ns / 10 * 8 + ice_draw(ice) % (ns / 10 * 4);
}

static uint64_t consent_due(struct ice *ice, uint64_t now_ns)
{
	return now_ns + jittered(ice, ice->state == ICE_CONNECTED ?
		CONSENT_EACH_NS : CONSENT_FAST_NS);
}

/* The search for a path is over: nothing but consent is sent from here. */
static void settle(struct ice *ice, struct pair *sel, uint64_t now_ns)
{
	ice->selected = sel;
	ice->nominating = NULL;
	ice->state = ICE_CONNECTED;
	for (unsigned i = 0; i < ice->pair_count; i++) {
		struct pair *p = &ice->pairs[i];

		if (p == sel)
			continue;
		rest(p, p->phase == PAIR_VALID ? PAIR_VALID : PAIR_IDLE);
	}
	sel->phase = PAIR_VALID;
	sel->fresh = true;
	sel->triggered = false;
	sel->due_ns = consent_due(ice, now_ns);
}

static void nominate(struct ice *ice, struct pair *p, uint64_t now_ns)
{
	ice->nominating = p;
	p->tries = 0;
	p->phase = PAIR_NOMINATING;
	p->fresh = true;
	p->triggered = true;
	p->due_ns = now_ns;
}

/* The best pair that works, also one that did before we had the role. */
static void nominate_best(struct ice *ice, uint64_t now_ns)
{
	struct pair *best = NULL;

	for (unsigned i = 0; i < ice->pair_count && !ice->nominating; i++) {
		struct pair *p = &ice->pairs[i];

		if (p->phase == PAIR_VALID && p != ice->selected &&
		    (!best || p->priority > best->priority))
			best = p;
	}
	if (best)
		nominate(ice, best, now_ns);
}

/* Nobody answers the nomination: let another pair have it. */
static void give_up_nomination(struct ice *ice, uint64_t now_ns)
{
	wait_check(ice->nominating, now_ns + RTO_MAX_NS);
	ice->nominating = NULL;
}

/* The selected pair has fallen silent: look for another way. */
void ice_full_quiet(struct ice *ice, uint64_t now_ns)
{
	for (unsigned i = 0; i < ice->pair_count; i++) {
		struct pair *p = &ice->pairs[i];

		if (p == ice->selected)
			p->due_ns = MIN(p->due_ns, now_ns + CONSENT_FAST_NS);
		else
			wait_check(p, now_ns);
	}
}

/* A request came on the pair: check it in turn (RFC 8445 section 7.3.1.4),
 * and take it if the controlling side wants it (7.3.1.5). */
void ice_full_request(struct ice *ice, struct pair *p, bool use_candidate,
	uint64_t now_ns)
{
	if (use_candidate && !ice->controlling) {
		p->nominated = true;
		if (p->phase == PAIR_VALID && p != ice->selected) {
			settle(ice, p, now_ns);
			return;
		}
	}
	if (p->phase == PAIR_VALID || p->phase == PAIR_NOMINATING)
		return;
	if (ice->state == ICE_CONNECTED && ice->controlling)
		return;
	if (p->phase != PAIR_CHECKING)
		wait_check(p, now_ns);
	p->due_ns = MIN(p->due_ns, now_ns);
	p->triggered = true;
}

static void handle_error(struct ice *ice, const struct stun *m,
	struct pair *p, const struct request *req, uint64_t now_ns)
{
	if (m->error_code == 487) {
		ice->stats.conflicts++;
		if (req->controlling == ice->controlling) {
			ice_switch_role(ice);
			ice->tie_breaker = ice_draw(ice);
		}
		wait_check(p, now_ns);
		p->triggered = true;
		return;
	}
	/* Anything else may pass (the other side is not set up yet): try
	 * again. A selected pair is judged by its silence alone. */
	if (p == ice->nominating)
		give_up_nomination(ice, now_ns);
	else if (p != ice->selected)
		wait_check(p, now_ns + RTO_MAX_NS);
}

void ice_full_response(struct ice *ice, const struct stun *m,
	struct pair *p, const struct request *req, uint64_t now_ns)
{
	bool searching = ice->state != ICE_CONNECTED;

	if (m->class == STUN_ERROR) {
		handle_error(ice, m, p, req, now_ns);
		return;
	}
	p->proven = true;
	p->heard_ns = now_ns;
	if (p == ice->selected) {
		if (searching || p->phase != PAIR_VALID)
			settle(ice, p, now_ns);
		return;
	}
	if (p == ice->nominating) {
		if (req->nominates)
			settle(ice, p, now_ns);
		return;
	}
	rest(p, PAIR_VALID);
	if (ice->controlling)
		return;
	if (p->nominated)
		settle(ice, p, now_ns);
	else
		p->due_ns = now_ns + UNCHOSEN_NS;
}

static struct pair *next_due(struct ice *ice, uint64_t now_ns)
{
	struct pair *best = NULL;

	for (unsigned i = 0; i < ice->pair_count; i++) {
		struct pair *p = &ice->pairs[i];

		if (p->phase == PAIR_IDLE || p->due_ns > now_ns)
			continue;
		if (!best || p->triggered > best->triggered ||
		    (p->triggered == best->triggered &&
		     p->priority > best->priority))
			best = p;
	}
	return best;
}

static struct request *new_request(struct ice *ice, struct pair *p)
{
	struct request *req = &p->req[p->req_count++ % TIDS];
	uint64_t word[2] = { ice_draw(ice), ice_draw(ice) };

	memcpy(req->tid, word, sizeof(req->tid));
	req->controlling = ice->controlling;
	req->nominates = ice->controlling &&
		(p->phase == PAIR_NOMINATING || p == ice->selected);
	p->tries = 0;
	p->rto_ns = RTO_FIRST_NS;
	return req;
}

static void schedule(struct ice *ice, struct pair *p, uint64_t now_ns)
{
	p->triggered = false;
	if (p->phase == PAIR_VALID) {
		p->fresh = true;
		p->due_ns = p == ice->selected ?
			consent_due(ice, now_ns) : now_ns + UNCHOSEN_NS;
		return;
	}
	if (p->phase == PAIR_WAITING)
		p->phase = PAIR_CHECKING;
	p->fresh = false;
	p->tries++;
	p->due_ns = now_ns + p->rto_ns;
	p->rto_ns = MIN(p->rto_ns * 2, RTO_MAX_NS);
}

bool ice_full_poll(struct ice *ice, uint64_t now_ns,
	struct ice_datagram *out)
{
	struct pair *p;
	struct request *req;

	p = ice->nominating;
	if (p && p->due_ns <= now_ns && p->tries >= NOMINATE_TRIES)
		give_up_nomination(ice, now_ns);
	if (ice->controlling && ice->state != ICE_CONNECTED)
		nominate_best(ice, now_ns);
	p = next_due(ice, now_ns);
	if (!p || now_ns < ice->pace_ns)
		return false;
	if (p->fresh || p->req_count == 0)
		req = new_request(ice, p);
	else
		req = &p->req[(p->req_count - 1) % TIDS];
	schedule(ice, p, now_ns);
	ice->pace_ns = now_ns + PACE_NS;
	if (ice_write_request(ice, p, req, out))
		return false;
	ice->stats.sent++;
	return true;
}
