/* ice - the agent: credentials, candidates, what comes in, its state. */
#include "ice_priv.h"

bool ice_addr_eq(const struct ice_addr *a, const struct ice_addr *b)
{
	return a->family == b->family && a->port == b->port &&
		memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

/* Stricter than "no colon", looser than ice-char: some stacks use '-'. */
static bool cred_ok(const char *s, size_t min, size_t max)
{
	size_t n = strlen(s);

	for (size_t i = 0; i < n; i++)
		if (s[i] <= ' ' || s[i] > '~' || s[i] == ':')
			return false;
	return n >= min && n <= max;
}

uint64_t ice_draw(struct ice *ice)
{
	uint64_t in[3] = { ++ice->drawn, ice->seed[2], ice->seed[3] };

	return siphash(ice->seed[0], ice->seed[1], in, sizeof(in));
}

struct ice *ice_new(const struct ice_config *c)
{
	struct ice *ice;

	if (!cred_ok(c->ufrag, ICE_UFRAG_MIN, ICE_OWN_MAX) ||
	    !cred_ok(c->pwd, ICE_PWD_MIN, ICE_OWN_MAX)) {
		errno = EINVAL;
		return NULL;
	}
	ice = calloc(1, sizeof(*ice));
	if (!ice)
		return NULL;
	if (buf_reserve(&ice->scratch, ICE_MAX_BYTES)) {
		free(ice);
		errno = ENOMEM;
		return NULL;
	}
	ice->lite = c->lite;
	ice->controlling = !c->lite && c->controlling;
	str_copy(ice->ufrag, sizeof(ice->ufrag), c->ufrag);
	str_copy(ice->pwd, sizeof(ice->pwd), c->pwd);
	memcpy(ice->seed, c->seed, sizeof(ice->seed));
	ice->tie_breaker = ice_draw(ice);
	ice->start_ns = c->now_ns;
	return ice;
}

void ice_free(struct ice *ice)
{
	if (!ice)
		return;
	buf_free(&ice->scratch);
	free(ice);
}

int ice_set_remote(struct ice *ice, const char *ufrag, const char *pwd)
{
	if (!cred_ok(ufrag, ICE_UFRAG_MIN, ICE_CRED_MAX) ||
	    !cred_ok(pwd, ICE_PWD_MIN, ICE_CRED_MAX))
		return -EINVAL;
	if (ice->remote_ufrag[0])
		return str_eq(ufrag, ice->remote_ufrag) &&
			str_eq(pwd, ice->remote_pwd) ? 0 : -EALREADY;
	str_copy(ice->remote_ufrag, sizeof(ice->remote_ufrag), ufrag);
	str_copy(ice->remote_pwd, sizeof(ice->remote_pwd), pwd);
	return 0;
}

/* Type preference 126 (host), local preference falling with the number and
 * IPv6 before IPv4 (RFC 8421), component 1. */
uint32_t ice_host_priority(unsigned n, const struct ice_addr *a)
{
	uint32_t local = (a->family == 6 ? 65535 : 65279) - MIN(n, 255u);

	return UINT32_C(126) << 24 | local << 8 | 255;
}

int ice_add_local(struct ice *ice, const struct ice_addr *a)
{
	if (a->family != 4 && a->family != 6)
		return -EINVAL;
	for (unsigned i = 0; i < ice->local_count; i++)
		if (ice_addr_eq(&ice->locals[i], a))
			return 0;
	if (ice->local_count == ICE_MAX_LOCALS)
		return -ENOSPC;
	ice->locals[ice->local_count++] = *a;
	for (unsigned i = 0; i < ice->remote_count && !ice->lite; i++)
		if (ice->remotes[i].addr.family == a->family)
			ice_pair_add(ice, a, &ice->remotes[i].addr,
				ice->remotes[i].priority);
	return 0;
}

int ice_add_remote(struct ice *ice, const struct ice_addr *a,
	uint32_t priority)
{
	if (a->family != 4 && a->family != 6)
		return -EINVAL;
	if (ice->lite)
		return 0;
	for (unsigned i = 0; i < ice->remote_count; i++)
		if (ice_addr_eq(&ice->remotes[i].addr, a))
			return 0;
	if (ice->remote_count == ICE_MAX_REMOTES)
		return -ENOSPC;
	ice->remotes[ice->remote_count++] =
		(struct remote){ .addr = *a, .priority = priority };
	for (unsigned i = 0; i < ice->local_count; i++)
		if (ice->locals[i].family == a->family)
			ice_pair_add(ice, &ice->locals[i], a, priority);
	return 0;
}

/* ---- pairs ---- */

uint64_t ice_quiet_ns(const struct ice *ice)
{
	return ice->lite ? ICE_LITE_QUIET_NS : ICE_FULL_QUIET_NS;
}

struct pair *ice_pair_find(const struct ice *ice,
	const struct ice_addr *local, const struct ice_addr *remote)
{
	for (unsigned i = 0; i < ice->pair_count; i++) {
		const struct pair *p = &ice->pairs[i];

		if (ice_addr_eq(&p->remote, remote) &&
		    ice_addr_eq(&p->local, local))
			return (struct pair *)p;
	}
	return NULL;
}

/* RFC 8445 section 6.1.2.3. */
void ice_pair_rank(const struct ice *ice, struct pair *p)
{
	unsigned n = 0;
	uint64_t own, g, d;

	while (n < ice->local_count &&
	       !ice_addr_eq(&ice->locals[n], &p->local))
		n++;
	own = ice_host_priority(n, &p->local);
	g = ice->controlling ? own : p->remote_priority;
	d = ice->controlling ? p->remote_priority : own;
	p->priority = (MIN(g, d) << 32) + 2 * MAX(g, d) + (g > d);
}

/* The pair that may make room for one of this priority: of a lite agent the
 * one silent for longest, of a full one the least of those never answered. */
static struct pair *pair_victim(struct ice *ice, uint64_t priority)
{
	struct pair *v = NULL;

	for (unsigned i = 0; i < ice->pair_count; i++) {
		struct pair *p = &ice->pairs[i];

		if (p == ice->selected || p == ice->nominating)
			continue;
		if (ice->lite) {
			if (!v || p->heard_ns < v->heard_ns)
				v = p;
		} else if (!p->proven && p->priority < priority) {
			if (!v || p->priority < v->priority)
				v = p;
		}
	}
	return v;
}

struct pair *ice_pair_add(struct ice *ice, const struct ice_addr *local,
	const struct ice_addr *remote, uint32_t remote_priority)
{
	struct pair new = { .local = *local, .remote = *remote,
		.remote_priority = remote_priority,
		.phase = PAIR_WAITING, .fresh = true };
	struct pair *p;

	ice_pair_rank(ice, &new);
	if (ice->pair_count < ICE_MAX_PAIRS)
		p = &ice->pairs[ice->pair_count++];
	else
		p = pair_victim(ice, new.priority);
	if (!p)
		return NULL;
	if (ice->lite)
		new.due_ns = ICE_NEVER;
	*p = new;
	/* In a call that runs, an added candidate waits until it is needed. */
	if (!ice->lite && ice->state == ICE_CONNECTED)
		p->phase = PAIR_IDLE;
	return p;
}

/* ---- what comes in ---- */

static int count_drop(struct ice *ice, int err)
{
	switch (err) {
	case -EPROTO:
		ice->stats.malformed++;
		break;
	case -ENOENT:
	case -ENOTCONN:
		ice->stats.wrong_user++;
		break;
	case -EACCES:
		ice->stats.wrong_password++;
		break;
	case -ESRCH:
		ice->stats.unexpected++;
		break;
	default:
		break;
	}
	return err;
}

/* RFC 8445 section 7.3.1.1. True if the request is to be refused with 487;
 * it may turn our role round instead. */
static bool role_conflict(struct ice *ice, const struct stun *m)
{
	bool conflict = ice->controlling ? m->controlling : m->controlled;
	bool keep;

	if (!conflict)
		return false;
	ice->stats.conflicts++;
	if (ice->lite)
		return true;
	keep = ice->tie_breaker >= m->tie_breaker;
	if (ice->controlling == keep)
		return true;
	ice_switch_role(ice);
	return false;
}

static void select_path(struct ice *ice, struct pair *p)
{
	ice->selected = p;
	ice->state = ICE_CONNECTED;
}

static int handle_request(struct ice *ice, const struct stun *m,
	const struct ice_addr *from, const struct ice_addr *to,
	uint64_t now_ns, struct ice_datagram *reply)
{
	struct pair *p = ice_pair_find(ice, to, from);
	int err;

	if (m->unknown_count)
		return ice_write_reply(ice, m, 420, to, from, reply);
	if (role_conflict(ice, m))
		return ice_write_reply(ice, m, 487, to, from, reply);
	if (!p)
		p = ice_pair_add(ice, to, from,
			m->has_priority ? m->priority : 1);
	if (!p)
		return -ENOSPC;
	err = ice_write_reply(ice, m, 0, to, from, reply);
	if (err)
		return err;
	p->proven = true;
	ice->stats.requests++;
	if (!ice->lite) {
		ice_full_request(ice, p, m->use_candidate, now_ns);
		return 0;
	}
	p->heard_ns = now_ns;
	if (m->use_candidate)
		select_path(ice, p);
	else if (p == ice->selected)
		ice->state = ICE_CONNECTED;
	return 0;
}

static void update_state(struct ice *ice, uint64_t now_ns);

int ice_input(struct ice *ice, const struct ice_addr *from,
	const struct ice_addr *to, const uint8_t *p, size_t n,
	uint64_t now_ns, struct ice_datagram *reply)
{
	struct stun m;
	struct pair *owner;
	struct request *req;
	int err;

	reply->len = 0;
	update_state(ice, now_ns);
	if (ice->state == ICE_FAILED)
		return -ESHUTDOWN;
	err = ice_verify(ice, &m, p, n, &owner, &req);
	if (err)
		return count_drop(ice, err);
	if (m.class == STUN_REQUEST)
		return handle_request(ice, &m, from, to, now_ns, reply);
	/* Symmetry, RFC 8445 section 7.2.5.2.1: an answer that came another
	 * way than the question went proves nothing. */
	if (!ice_addr_eq(from, &owner->remote) ||
	    !ice_addr_eq(to, &owner->local))
		return count_drop(ice, -ESRCH);
	ice->stats.responses++;
	ice_full_response(ice, &m, owner, req, now_ns);
	return 0;
}

/* ---- state and time ---- */

static bool older(uint64_t now_ns, uint64_t then_ns, uint64_t by_ns)
{
	return now_ns >= then_ns && now_ns - then_ns >= by_ns;
}

/* A lite agent must send where it was told to; but when that path is silent
 * and another is not, its client has moved without nominating again. */
static struct pair *freshest(struct ice *ice)
{
	struct pair *best = NULL;

	for (unsigned i = 0; i < ice->pair_count; i++)
		if (!best || ice->pairs[i].heard_ns > best->heard_ns)
			best = &ice->pairs[i];
	return best;
}

static void update_state(struct ice *ice, uint64_t now_ns)
{
	struct pair *p = ice->selected;

	if (ice->state == ICE_FAILED)
		return;
	if (!p) {
		if (older(now_ns, ice->start_ns, ICE_CONSENT_NS))
			ice->state = ICE_FAILED;
		return;
	}
	if (ice->lite && older(now_ns, p->heard_ns, ICE_LITE_QUIET_NS)) {
		struct pair *other = freshest(ice);

		if (!older(now_ns, other->heard_ns, ICE_LITE_QUIET_NS))
			p = ice->selected = other;
	}
	if (older(now_ns, p->heard_ns, ICE_CONSENT_NS)) {
		ice->state = ICE_FAILED;
	} else if (!older(now_ns, p->heard_ns, ice_quiet_ns(ice))) {
		ice->state = ICE_CONNECTED;
	} else if (ice->state != ICE_DISCONNECTED) {
		ice->state = ICE_DISCONNECTED;
		if (!ice->lite)
			ice_full_quiet(ice, now_ns);
	}
}

bool ice_poll(struct ice *ice, uint64_t now_ns, struct ice_datagram *out)
{
	out->len = 0;
	update_state(ice, now_ns);
	if (ice->lite || ice->state == ICE_FAILED || !ice->remote_ufrag[0])
		return false;
	return ice_full_poll(ice, now_ns, out);
}

uint64_t ice_deadline(const struct ice *ice)
{
	uint64_t at, due = ICE_NEVER;

	if (ice->state == ICE_FAILED)
		return ICE_NEVER;
	if (!ice->selected)
		at = ice->start_ns + ICE_CONSENT_NS;
	else if (ice->state == ICE_CONNECTED)
		at = ice->selected->heard_ns + ice_quiet_ns(ice);
	else
		at = ice->selected->heard_ns + ICE_CONSENT_NS;
	if (ice->lite || !ice->remote_ufrag[0])
		return at;
	for (unsigned i = 0; i < ice->pair_count; i++)
		if (ice->pairs[i].phase != PAIR_IDLE)
			due = MIN(due, ice->pairs[i].due_ns);
	if (due != ICE_NEVER)
		due = MAX(due, ice->pace_ns);
	return MIN(at, due);
}

enum ice_state ice_state(const struct ice *ice)
{
	return ice->state;
}

int ice_selected(const struct ice *ice, struct ice_addr *local,
	struct ice_addr *remote)
{
	if (!ice->selected)
		return -ENOTCONN;
	*local = ice->selected->local;
	*remote = ice->selected->remote;
	return 0;
}

bool ice_pair_valid(const struct ice *ice, const struct ice_addr *local,
	const struct ice_addr *remote)
{
	const struct pair *p = ice_pair_find(ice, local, remote);

	return p && p->proven && ice->state != ICE_FAILED;
}

bool ice_controlling(const struct ice *ice)
{
	return ice->controlling;
}

const char *ice_ufrag(const struct ice *ice)
{
	return ice->ufrag;
}

const struct ice_stats *ice_stats(const struct ice *ice)
{
	return &ice->stats;
}
