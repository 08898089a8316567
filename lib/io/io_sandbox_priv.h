/* io_sandbox_priv - the table's types, and entering without a word. */
#ifndef IO_SANDBOX_PRIV_H
#define IO_SANDBOX_PRIV_H

#include <linux/landlock.h>
#include <seccomp.h>
#include <stdint.h>
#include "io_sandbox.h"

/* What came after the first ABI of Landlock, should the header be old. */
#ifndef LANDLOCK_ACCESS_FS_REFER
#define LANDLOCK_ACCESS_FS_REFER      (1ULL << 13) /* ABI 2 */
#endif
#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE   (1ULL << 14) /* ABI 3 */
#endif
#ifndef LANDLOCK_ACCESS_NET_BIND_TCP
#define LANDLOCK_ACCESS_NET_BIND_TCP    (1ULL << 0) /* ABI 4 */
#define LANDLOCK_ACCESS_NET_CONNECT_TCP (1ULL << 1)
#endif
#ifndef LANDLOCK_ACCESS_FS_IOCTL_DEV
#define LANDLOCK_ACCESS_FS_IOCTL_DEV  (1ULL << 15) /* ABI 5 */
#endif
#ifndef LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET
#define LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET (1ULL << 0) /* ABI 6 */
#define LANDLOCK_SCOPE_SIGNAL               (1ULL << 1)
#endif

#define SANDBOX_SELF  UINT64_MAX /* in a condition: our own process id */

/* System calls of the roles in a mask of bits 1 << IO_ROLE_x. */
struct sandbox_calls {
	unsigned roles;
	const char *calls;          /* parted by blanks */
	int err;                    /* 0: allowed; else what they answer */
	struct scmp_arg_cmp when;   /* op 0: always */
};

struct sandbox_place {
	unsigned roles;
	enum io_place place;
	const char *path;           /* of IO_PLACE_FIXED */
	uint64_t fs;                /* LANDLOCK_ACCESS_FS_* */
};

struct sandbox_role {
	const char *name;
	uint32_t otherwise;         /* what no line names: SCMP_ACT_* */
	bool dumpable;              /* may be traced by its own user */
	int min_abi;                /* with an older Landlock: none */
	uint64_t fs, net, scoped;   /* what is Landlock's to decide */
};

extern const struct sandbox_role sandbox_roles[IO_ROLES];
extern const struct sandbox_calls sandbox_calls[];
extern const size_t sandbox_n_calls;
extern const struct sandbox_place sandbox_places[];
extern const size_t sandbox_n_places;

struct sandbox_got {
	int abi;          /* Landlock's, 0: none */
	bool seccomp;
	bool sanitized;   /* nothing but no_new_privs */
};

/* max_abi: as if Landlock were no newer; -1: as it is. */
int sandbox_apply(const struct io_sandbox *s, int max_abi,
	struct sandbox_got *got);

/* Things to try; see io_sandbox_probe.c. */
struct sandbox_stage;
struct sandbox_probe {
	unsigned roles;
	const char *what;
	/* Done inside: 0 if it went well, else -errno. */
	int (*go)(const struct sandbox_stage *st);
	enum { PROBE_NEEDED, PROBE_REFUSED, PROBE_KILLED } want;
	int abi; /* what keeps to it: Landlock of this ABI; 0: seccomp */
};
extern const struct sandbox_probe sandbox_probes[];
extern const size_t sandbox_n_probes;

struct sandbox_stage {
	const struct io_sandbox *sandbox;
	char dir[64];         /* outside of every place */
	char program[80];     /* in there */
	char file[80];
	char socket[80];      /* somebody listens */
	int tcp_listener;     /* with one who waits */
	int unix_listener;    /* with one who waits */
	int tcp;              /* connected to nothing */
	int udp[2];
};

#endif
