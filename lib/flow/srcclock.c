/* srcclock - capture times from sender reports. */
#include "base.h"
#include "flow.h"

#define DRIFT 64 /* of what a report took longer, per report */

static uint64_t ntp_to_ns(uint64_t ntp)
{
	return (ntp >> 32) * NS_PER_S + ((ntp & UINT32_MAX) * NS_PER_S >> 32);
}

void srcclock_report(struct srcclock *c, struct srcmap *m, uint64_t ntp,
	uint32_t rtp_ts, uint64_t arrival_ns)
{
	uint64_t his_ns = ntp_to_ns(ntp);
	uint64_t shift = arrival_ns - his_ns;
	int64_t longer = (int64_t)(shift - c->shift_ns);

	*m = (struct srcmap){.known = ntp != 0, .his_ns = his_ns,
		.rtp_ts = rtp_ts};
	if (!m->known)
		return; /* he has no clock, section 6.4.1 */
	if (!c->known || longer < 0 || longer > (int64_t)SRCCLOCK_STEP_NS)
		c->shift_ns = shift;
	else
		c->shift_ns += (uint64_t)longer / DRIFT;
	c->known = true;
}

bool srcclock_at(const struct srcclock *c, const struct srcmap *m,
	uint32_t clock_hz, uint32_t rtp_ts, uint64_t arrival_ns,
	uint64_t *at_ns)
{
	int64_t since, age;

	if (!c->known || !m->known)
		return false;
	since = ts_diff(rtp_ts, m->rtp_ts) * (int64_t)NS_PER_S / clock_hz;
	*at_ns = m->his_ns + c->shift_ns + (uint64_t)since;
	age = (int64_t)(arrival_ns - *at_ns);
	return age <= (int64_t)SRCCLOCK_MAX_AGE_NS &&
		age >= -(int64_t)SRCCLOCK_SLACK_NS;
}
