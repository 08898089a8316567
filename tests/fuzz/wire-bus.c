/* A bus header that is taken is written to the same bytes. */
#include "wire.h"

#include "base.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct bushdr h;
	uint8_t out[BUSHDR_BYTES];
	if (bushdr_parse(&h, p, n))
		return 0;
	CHECK(n <= (h.kind == BUS_JSON ? BUS_MAX_JSON : BUS_MAX_BYTES));
	bushdr_write(out, &h);
	CHECK(!memcmp(out, p, sizeof(out)));
	return 0;
}
