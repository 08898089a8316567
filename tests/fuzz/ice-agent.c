/* A full and a lite (or full) agent, between which the input decides what is
 * delivered, changed, repeated or made up, and when.
 *
 * Holds: an answer goes out only for what is authenticated, to where it came
 * from, no longer than ICE_MAX_BYTES; a deadline that has not come does
 * nothing; no more than ICE_MAX_PAIRS requests leave at one instant. */
#include <assert.h>
#include "base.h"
#include "ice.h"

#define KEPT 8

struct fuzz {
	struct ice *a[2];
	uint64_t now_ns;
	struct ice_datagram kept[KEPT];
	unsigned next;
};

static const struct ice_addr home[2] = {
	{ 4, { 10, 0, 0, 2 }, 4000 },
	{ 4, { 10, 0, 0, 1 }, 8500 },
};

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static struct ice *agent(bool lite, bool controlling, const char *ufrag)
{
	struct ice_config c = { .lite = lite, .controlling = controlling,
		.ufrag = ufrag, .pwd = "passwordpasswordpassword",
		.seed = { (uint8_t)ufrag[0] }, .now_ns = NS_PER_S };

	return ice_new(&c);
}

static void keep(struct fuzz *f, const struct ice_datagram *d)
{
	assert(d->len <= ICE_MAX_BYTES);
	f->kept[f->next++ % KEPT] = *d;
}

static void deliver(struct fuzz *f, unsigned to, struct ice_addr from,
	const uint8_t *p, size_t n)
{
	struct ice_datagram reply;
	int rc = ice_input(f->a[to], &from, &home[to], p, n, f->now_ns,
		&reply);

	assert(rc == 0 || reply.len == 0);
	if (!reply.len)
		return;
	assert(ice_addr_eq(&reply.to, &from));
	keep(f, &reply);
}

static void poll_all(struct fuzz *f, bool only_time_passed)
{
	struct ice_datagram out;

	for (unsigned e = 0; e < 2; e++) {
		bool due = ice_deadline(f->a[e]) <= f->now_ns;
		unsigned sent = 0;

		while (ice_poll(f->a[e], f->now_ns, &out)) {
			assert(due || !only_time_passed);
			assert(++sent <= ICE_MAX_PAIRS);
			keep(f, &out);
		}
		assert(ice_deadline(f->a[e]) > f->now_ns);
	}
}

static void step(struct fuzz *f, struct rd *r)
{
	uint8_t op = rd_u8(r), arg = rd_u8(r), at = rd_u8(r), x = rd_u8(r);
	struct ice_datagram d = f->kept[arg % KEPT];
	struct ice_addr from = home[!(op & 1)];
	const uint8_t *raw;

	if (op & 8)
		from.port = (uint16_t)(from.port + at);
	switch (op >> 4) {
	case 0: /* as it was made, or with one byte changed */
		if (d.len)
			d.data[at % d.len] ^= x;
		deliver(f, op & 1, op & 8 ? from : d.from, d.data, d.len);
		break;
	case 1:
		raw = rd_bytes(r, arg);
		if (raw)
			deliver(f, op & 1, from, raw, arg);
		break;
	case 2:
		f->now_ns += at * (op & 1 ? NS_PER_S / 4 : NS_PER_MS);
		break;
	case 3:
		from.family = op & 2 ? 6 : 4;
		ice_add_remote(f->a[op & 1], &from, x);
		break;
	case 4:
		from.bytes[15] = x;
		ice_add_local(f->a[op & 1], &from);
		break;
	default:
		break;
	}
	poll_all(f, op >> 4 == 2);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct fuzz f = { .now_ns = NS_PER_S };
	struct rd r = rd_of(p, n);
	uint8_t mode = rd_u8(&r);

	f.a[0] = agent(mode & 1, !(mode & 2), "clnt");
	f.a[1] = agent(!(mode & 4), mode & 8, "srvr");
	ice_set_remote(f.a[0], "srvr", "passwordpasswordpassword");
	ice_set_remote(f.a[1], "clnt", "passwordpasswordpassword");
	for (unsigned e = 0; e < 2; e++) {
		ice_add_local(f.a[e], &home[e]);
		ice_add_remote(f.a[e], &home[!e], 1);
	}
	poll_all(&f, true);
	while (rd_left(&r))
		step(&f, &r);
	ice_free(f.a[0]);
	ice_free(f.a[1]);
	return 0;
}
