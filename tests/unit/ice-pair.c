/* Two agents over a network in memory, in virtual time: loss, reordering,
 * duplicates, a client that moves, role conflicts, consent. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base.h"
#include "ice.h"

#define S   NS_PER_S
#define MS  NS_PER_MS
#define AIR 256 /* datagrams under way */

struct flying {
	bool used;
	uint64_t at_ns;
	struct ice_datagram d;
};

struct net {
	struct ice *end[2];
	struct ice_addr home[2][3]; /* addresses of each end, family 0: none */
	struct flying air[AIR];
	struct rng rng;
	uint64_t now_ns;
	unsigned loss_percent;
	uint64_t jitter_ns;
	bool down;
	/* a NAT in front of end 0: seen from outside as this */
	struct ice_addr nat;
	unsigned sent[2];
	unsigned refused;
};

static const struct ice_addr lo4 = { 4, { 127, 0, 0, 1 }, 8500 };
static const struct ice_addr c4 = { 4, { 10, 0, 0, 2 }, 4000 };
static const struct ice_addr c6 = { 6, { 0x20, 1, [15] = 2 }, 4000 };
static const struct ice_addr s4 = { 4, { 10, 0, 0, 1 }, 8500 };
static const struct ice_addr s6 = { 6, { 0x20, 1, [15] = 1 }, 8500 };

static void air_put(struct net *n, const struct ice_datagram *d)
{
	uint64_t delay = 5 * MS;

	n->sent[0] += ice_addr_eq(&d->to, &s4) || ice_addr_eq(&d->to, &s6);
	if (n->down || rng_below(&n->rng, 100) < n->loss_percent)
		return;
	if (n->jitter_ns)
		delay += rng_below(&n->rng, n->jitter_ns);
	for (unsigned copies = 0, i = 0; i < AIR; i++) {
		if (n->air[i].used)
			continue;
		n->air[i] = (struct flying){ true, n->now_ns + delay, *d };
		/* one in ten comes twice */
		if (copies++ || rng_below(&n->rng, 10))
			return;
		delay += MS;
	}
}

static int owner(const struct net *n, const struct ice_addr *a)
{
	for (int e = 0; e < 2; e++)
		for (int i = 0; i < 3; i++)
			if (n->home[e][i].family &&
			    ice_addr_eq(&n->home[e][i], a))
				return e;
	return -1;
}

static void send_out(struct net *n, struct ice_datagram *d)
{
	if (n->nat.family && owner(n, &d->from) == 0)
		d->from = n->nat;
	air_put(n, d);
}

static void deliver(struct net *n, struct ice_datagram *d)
{
	struct ice_datagram reply;
	int e;

	if (n->nat.family && ice_addr_eq(&d->to, &n->nat))
		d->to = n->home[0][0];
	e = owner(n, &d->to);
	if (e < 0)
		return;
	if (ice_input(n->end[e], &d->from, &d->to, d->data, d->len,
		    n->now_ns, &reply))
		n->refused++;
	if (reply.len)
		send_out(n, &reply);
}

static void step(struct net *n)
{
	struct ice_datagram out;

	for (unsigned i = 0; i < AIR; i++)
		if (n->air[i].used && n->air[i].at_ns <= n->now_ns) {
			struct ice_datagram d = n->air[i].d;

			n->air[i].used = false;
			deliver(n, &d);
		}
	for (int e = 0; e < 2; e++)
		while (ice_poll(n->end[e], n->now_ns, &out))
			send_out(n, &out);
}

/* Time jumps to what happens next, so that a deadline told too late shows
 * as a test that fails. */
static uint64_t next_ns(const struct net *n)
{
	uint64_t at = n->now_ns + 10 * S;

	for (int e = 0; e < 2; e++)
		at = MIN(at, ice_deadline(n->end[e]));
	for (unsigned i = 0; i < AIR; i++)
		if (n->air[i].used)
			at = MIN(at, n->air[i].at_ns);
	return MAX(at, n->now_ns + 1);
}

/* Runs until both are connected, or the time is over. */
static bool run(struct net *n, uint64_t for_ns, bool to_the_end)
{
	uint64_t end = n->now_ns + for_ns;

	for (;;) {
		step(n);
		if (!to_the_end && ice_state(n->end[0]) == ICE_CONNECTED &&
		    ice_state(n->end[1]) == ICE_CONNECTED)
			return true;
		if (n->now_ns >= end)
			return false;
		n->now_ns = MIN(next_ns(n), end);
	}
}

static struct ice *agent(bool lite, bool controlling, const char *ufrag,
	uint64_t seed, uint64_t now)
{
	struct ice_config c = { .lite = lite, .controlling = controlling,
		.ufrag = ufrag, .pwd = "passwordpasswordpassword",
		.now_ns = now };

	memcpy(c.seed, &seed, sizeof(seed));
	return ice_new(&c);
}

static void start(struct net *n, bool server_lite, bool c0, bool c1,
	uint64_t seed)
{
	memset(n, 0, sizeof(*n));
	rng_seed(&n->rng, seed);
	n->now_ns = S;
	n->end[0] = agent(false, c0, "clnt", seed, S);
	n->end[1] = agent(server_lite, c1, "srvr", seed + 1000, S);
	n->home[0][0] = c4;
	n->home[1][0] = s4;
	ice_set_remote(n->end[0], "srvr", "passwordpasswordpassword");
	ice_set_remote(n->end[1], "clnt", "passwordpasswordpassword");
	ice_add_local(n->end[0], &c4);
	ice_add_local(n->end[1], &s4);
	ice_add_remote(n->end[0], &s4, ice_host_priority(0, &s4));
	if (!server_lite)
		ice_add_remote(n->end[1], &c4, ice_host_priority(0, &c4));
}

static void finish(struct net *n)
{
	ice_free(n->end[0]);
	ice_free(n->end[1]);
}

static void assert_path(struct ice *ice, const struct ice_addr *local,
	const struct ice_addr *remote)
{
	struct ice_addr l, r;

	assert_int_equal(ice_selected(ice, &l, &r), 0);
	assert_true(ice_addr_eq(&l, local));
	assert_true(ice_addr_eq(&r, remote));
}

static void full_finds_lite_at_once(void **state)
{
	struct net n;

	(void)state;
	start(&n, true, true, false, 1);
	/* check, answer, nomination, answer: two round trips and the pace */
	assert_true(run(&n, 30 * MS, false));
	assert_path(n.end[0], &c4, &s4);
	assert_path(n.end[1], &s4, &c4);
	assert_true(ice_pair_valid(n.end[0], &c4, &s4));
	assert_true(ice_controlling(n.end[0]));
	finish(&n);
}

static void full_finds_lite_through_loss(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 200; seed++) {
		struct net n;

		start(&n, true, true, false, seed);
		n.loss_percent = 50;
		n.jitter_ns = 60 * MS;
		if (!run(&n, 25 * S, false))
			fail_msg("seed %d", (int)seed);
		assert_path(n.end[0], &c4, &s4);
		assert_path(n.end[1], &s4, &c4);
		finish(&n);
	}
}

static void two_full_agents_meet(void **state)
{
	(void)state;
	/* both claim the same role: the tie-breaker decides */
	for (uint64_t seed = 0; seed < 100; seed++) {
		struct net n;

		start(&n, false, seed % 2, seed % 4 < 2, seed);
		n.loss_percent = 20;
		n.jitter_ns = 20 * MS;
		if (!run(&n, 20 * S, false))
			fail_msg("seed %d", (int)seed);
		assert_true(ice_controlling(n.end[0]) !=
			ice_controlling(n.end[1]));
		assert_path(n.end[0], &c4, &s4);
		assert_path(n.end[1], &s4, &c4);
		finish(&n);
	}
}

static void lite_turns_a_controlled_one_round(void **state)
{
	struct net n;

	(void)state;
	start(&n, true, false, false, 3);
	assert_true(run(&n, 2 * S, false));
	assert_true(ice_controlling(n.end[0]));
	assert_true(ice_stats(n.end[1])->conflicts >= 1);
	finish(&n);
}

static void ipv6_is_preferred(void **state)
{
	struct net n;

	(void)state;
	start(&n, true, true, false, 4);
	n.home[0][1] = c6;
	n.home[1][1] = s6;
	ice_add_local(n.end[0], &c6);
	ice_add_remote(n.end[0], &s6, ice_host_priority(1, &s6));
	assert_true(run(&n, 2 * S, false));
	assert_path(n.end[0], &c6, &s6);
	finish(&n);
}

static void candidates_may_come_later(void **state)
{
	struct net n;

	(void)state;
	start(&n, true, true, false, 5);
	n.home[1][0] = s6; /* nobody answers at s4 */
	n.home[0][1] = c6;
	assert_false(run(&n, 5 * S, false));
	assert_int_equal(ice_add_remote(n.end[0], &s6, 77), 0);
	assert_int_equal(ice_add_remote(n.end[0], &s6, 77), 0);
	assert_int_equal(ice_add_local(n.end[0], &c6), 0);
	assert_true(run(&n, 2 * S, false));
	assert_path(n.end[1], &s6, &c6);
	finish(&n);
}

static void a_wrong_password_never_connects(void **state)
{
	struct net n;

	(void)state;
	start(&n, true, true, false, 6);
	ice_free(n.end[0]);
	n.end[0] = agent(false, true, "clnt", 9, S);
	ice_add_local(n.end[0], &c4);
	ice_add_remote(n.end[0], &s4, 1);
	ice_set_remote(n.end[0], "srvr", "passwordpasswordPassword");
	assert_false(run(&n, 35 * S, false));
	assert_int_equal(ice_state(n.end[0]), ICE_FAILED);
	assert_int_equal(ice_state(n.end[1]), ICE_FAILED);
	assert_int_equal(ice_stats(n.end[1])->requests, 0);
	assert_true(ice_stats(n.end[1])->wrong_password > 5);
	finish(&n);
}

/* An answer that takes another way than the question proves nothing. */
static void a_forged_source_is_not_believed(void **state)
{
	struct net n;
	struct ice_datagram req, reply, none;
	struct ice_addr evil = s4;

	(void)state;
	start(&n, true, true, false, 7);
	evil.port = 666;
	assert_true(ice_poll(n.end[0], n.now_ns, &req));
	assert_int_equal(ice_input(n.end[1], &req.from, &req.to, req.data,
		req.len, n.now_ns, &reply), 0);
	assert_int_equal(ice_input(n.end[0], &evil, &reply.to, reply.data,
		reply.len, n.now_ns, &none), -ESRCH);
	assert_int_equal(ice_state(n.end[0]), ICE_NEW);
	assert_false(ice_pair_valid(n.end[0], &c4, &evil));
	/* nor one that somebody without the password made */
	reply.data[reply.len - 20] ^= 1;
	assert_int_not_equal(ice_input(n.end[0], &s4, &reply.to, reply.data,
		reply.len, n.now_ns, &none), 0);
	assert_false(ice_pair_valid(n.end[0], &c4, &s4));
	finish(&n);
}

static void a_client_that_moves_keeps_its_call(void **state)
{
	struct net n;
	struct ice_addr moved = { 4, { 198, 51, 100, 9 }, 5555 };
	uint64_t began;

	(void)state;
	start(&n, true, true, false, 8);
	assert_true(run(&n, S, false));
	run(&n, 10 * S, true);
	n.nat = moved;
	began = n.now_ns;
	while (n.now_ns < began + 5 * S) {
		struct ice_addr l, r;

		run(&n, 10 * MS, true);
		ice_selected(n.end[1], &l, &r);
		if (ice_addr_eq(&r, &moved))
			break;
	}
	assert_path(n.end[1], &s4, &moved);
	/* consent is asked at least each 2.4 s */
	assert_true(n.now_ns - began < 2500 * MS);
	assert_int_equal(ice_state(n.end[0]), ICE_CONNECTED);
	finish(&n);
}

static void an_outage_ends_without_a_restart(void **state)
{
	struct net n;

	(void)state;
	start(&n, true, true, false, 9);
	assert_true(run(&n, S, false));
	n.down = true;
	run(&n, 6 * S, true);
	assert_int_equal(ice_state(n.end[0]), ICE_DISCONNECTED);
	run(&n, 14 * S, true);
	assert_int_equal(ice_state(n.end[1]), ICE_DISCONNECTED);
	n.down = false;
	assert_true(run(&n, S, false));
	finish(&n);
}

static void consent_expires(void **state)
{
	struct net n;

	(void)state;
	start(&n, true, true, false, 10);
	assert_true(run(&n, S, false));
	run(&n, 60 * S, true);
	assert_int_equal(ice_state(n.end[0]), ICE_CONNECTED);
	assert_int_equal(ice_state(n.end[1]), ICE_CONNECTED);
	n.down = true;
	run(&n, 33 * S, true);
	assert_int_equal(ice_state(n.end[0]), ICE_FAILED);
	assert_int_equal(ice_state(n.end[1]), ICE_FAILED);
	assert_true(ice_deadline(n.end[0]) == ICE_NEVER);
	n.down = false;
	assert_false(run(&n, 5 * S, false));
	finish(&n);
}

/* The path in use dies and another address of the server works. */
static void another_path_is_taken(void **state)
{
	struct net n;

	(void)state;
	start(&n, true, true, false, 11);
	n.home[1][1] = lo4;
	ice_add_remote(n.end[0], &lo4, 5);
	assert_true(run(&n, S, false));
	assert_path(n.end[0], &c4, &s4);
	n.home[1][0].family = 0;
	run(&n, 9 * S, true);
	assert_path(n.end[0], &c4, &lo4);
	assert_path(n.end[1], &lo4, &c4);
	assert_int_equal(ice_state(n.end[0]), ICE_CONNECTED);
	finish(&n);
}

static void what_is_sent_is_bounded(void **state)
{
	struct net n;
	unsigned before;

	(void)state;
	start(&n, true, true, false, 12);
	for (unsigned i = 0; i < 40; i++) {
		struct ice_addr a = s4;

		a.port = (uint16_t)(9000 + i);
		assert_int_equal(ice_add_remote(n.end[0], &a, i),
			i < ICE_MAX_REMOTES - 1 ? 0 : -ENOSPC);
	}
	assert_true(run(&n, S, false));
	run(&n, 10 * S, true);
	before = (unsigned)ice_stats(n.end[0])->sent;
	run(&n, 100 * S, true);
	/* consent alone: 100 s in steps of 1.6 to 2.4 s */
	assert_in_range(ice_stats(n.end[0])->sent - before, 40, 64);
	finish(&n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(full_finds_lite_at_once),
		cmocka_unit_test(full_finds_lite_through_loss),
		cmocka_unit_test(two_full_agents_meet),
		cmocka_unit_test(lite_turns_a_controlled_one_round),
		cmocka_unit_test(ipv6_is_preferred),
		cmocka_unit_test(candidates_may_come_later),
		cmocka_unit_test(a_wrong_password_never_connects),
		cmocka_unit_test(a_forged_source_is_not_believed),
		cmocka_unit_test(a_client_that_moves_keeps_its_call),
		cmocka_unit_test(an_outage_ends_without_a_restart),
		cmocka_unit_test(consent_expires),
		cmocka_unit_test(another_path_is_taken),
		cmocka_unit_test(what_is_sent_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
