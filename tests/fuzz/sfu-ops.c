/* The relay's core by operations of four bytes; tests/unit/sfu_ops.h says
 * what must hold. */
#include "fuzz.h"
#include "../unit/sfu_ops.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	ops_run(p, n, n);
	return 0;
}
