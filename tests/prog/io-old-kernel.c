/* io-old-kernel - runs a program as on a kernel without Landlock (-l), or
 * seccomp (-s), or either: io-old-kernel [-l] [-s] PROGRAM [ARG]... */
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base.h"
#include "io_sandbox_priv.h"

static int answer(scmp_filter_ctx ctx, const char *name, int err)
{
	return seccomp_rule_add(ctx, SCMP_ACT_ERRNO((uint32_t)err),
		seccomp_syscall_resolve_name(name), 0);
}

static int prctl_unknown(scmp_filter_ctx ctx, int option)
{
	return seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EINVAL),
		seccomp_syscall_resolve_name("prctl"), 1,
		SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)option));
}

int main(int argc, char **argv)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);
	int c, err = ctx ? 0 : -ENOMEM;

	while (!err && (c = getopt(argc, argv, "+ls")) != -1) {
		if (c == 'l')
			err = answer(ctx, "landlock_create_ruleset", ENOSYS);
		else if (c != 's')
			return 2;
		else if (!(err = prctl_unknown(ctx, PR_GET_SECCOMP)) &&
			!(err = prctl_unknown(ctx, PR_SET_SECCOMP)))
			err = answer(ctx, "seccomp", ENOSYS);
	}
	if (!err)
		err = seccomp_load(ctx);
	if (err || optind >= argc) {
		fprintf(stderr, "io-old-kernel: cannot\n");
		return 3;
	}
	execvp(argv[optind], argv + optind);
	return 127;
}
