/* keyreq - at most one key-frame request a second to a source. */
#include "base.h"
#include "flow.h"

void keyreq_init(struct keyreq *k)
{
	*k = (struct keyreq){0};
}

void keyreq_want(struct keyreq *k)
{
	k->wanted = true;
}

bool keyreq_take(struct keyreq *k, uint64_t now_ns)
{
	if (now_ns < keyreq_deadline(k))
		return false;
	k->asked = true;
	k->asked_ns = now_ns;
	return true;
}

void keyreq_done(struct keyreq *k)
{
	k->wanted = false;
}

uint64_t keyreq_deadline(const struct keyreq *k)
{
	if (!k->wanted)
		return FLOW_NEVER;
	return k->asked ? k->asked_ns + KEYREQ_MIN_NS : 0;
}
