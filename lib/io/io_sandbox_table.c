/* What remains to each daemon in its sandbox. A line is: whose, what.
 *
 * The lists are for 64-bit machines; elsewhere there is no seccomp. A call
 * that no line names ends the process, in confd-run it is allowed. Calls
 * that libraries make to see what they have are answered with an error. */
#include <errno.h>
#include <linux/sockios.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "io_sandbox_priv.h"

#define SIGNAL  (1u << IO_ROLE_SIGNAL)
#define RELAY   (1u << IO_ROLE_RELAY)
#define RUN     (1u << IO_ROLE_RUN)
#define NET     (SIGNAL | RELAY) /* whoever faces the net */

#define MASKED(i, mask, v) \
	{.arg = (i), .op = SCMP_CMP_MASKED_EQ, .datum_a = (mask), \
	 .datum_b = (v)}
#define EQUALS(i, v)  MASKED(i, UINT32_MAX, v)
#define BELOW(i, v)   {.arg = (i), .op = SCMP_CMP_LT, .datum_a = (v)}
#define ABOVE(i, v)   {.arg = (i), .op = SCMP_CMP_GT, .datum_a = (v)}

const struct sandbox_calls sandbox_calls[] = {
	/* Memory, none of it executable: what was loaded is all there is. */
	{NET, .calls = "brk munmap mremap madvise"},
	{NET, .calls = "mmap mprotect", .when = MASKED(2, PROT_EXEC, 0)},
	{NET, .calls =
		"mmap mprotect", EACCES, MASKED(2, PROT_EXEC, PROT_EXEC)},

	/* The loop, time, signals to oneself, the end. */
	{NET, .calls =
		"epoll_create1 epoll_ctl epoll_wait epoll_pwait epoll_pwait2 "
		"eventfd2 timerfd_create timerfd_settime timerfd_gettime "
		"signalfd4 pipe2 poll ppoll select pselect6"},
	{NET, .calls =
		"clock_gettime clock_getres clock_nanosleep nanosleep "
		"gettimeofday time times getrusage"},
	{NET, .calls =
		"rt_sigaction rt_sigprocmask rt_sigreturn rt_sigpending "
		"sigaltstack restart_syscall exit exit_group"},
	{NET, .calls = "tgkill kill", .when = EQUALS(0, SANDBOX_SELF)},
	{NET, .calls =
		"futex set_robust_list rseq membarrier sched_yield "
		"sched_getaffinity getcpu"},
	{NET, .calls =
		"getpid gettid getppid getuid geteuid getgid getegid "
		"getgroups getrandom uname sysinfo getrlimit"},
	{NET, .calls = "prlimit64", .when = MASKED(2, UINT64_MAX, 0)}, /* get */
	{NET, .calls = "prctl", .err = EPERM},

	/* Descriptors that are open. */
	{NET, .calls =
		"read readv write writev close lseek fstat newfstatat statx "
		"dup dup3 fcntl"},
	{NET, .calls = "ioctl", .when = EQUALS(1, FIONREAD)},
	{NET, .calls = "ioctl", .when = EQUALS(1, FIONBIO)},
	{SIGNAL, .calls = "ioctl", ENOTTY, BELOW(1, FIONREAD)},
	{RELAY, .calls = "ioctl", ENOTTY, EQUALS(1, TCGETS)},
	{RELAY, .calls = "ioctl", .when = EQUALS(1, SIOCOUTQ)}, /* bus */
	{NET, .calls = "ioctl", ENOTTY, ABOVE(1, FIONBIO)},

	/* Sockets that are open, and for the relay a way back to control.
	 * confd-signal makes no connection: whoever wants to talk, dials in. */
	{NET, .calls =
		"accept accept4 recvfrom recvmsg recvmmsg sendto sendmsg "
		"sendmmsg getsockopt setsockopt getsockname getpeername "
		"shutdown"},
	{NET, .calls = "socketpair", .when = EQUALS(0, AF_UNIX)},
	{RELAY, .calls = "socket", .when = EQUALS(0, AF_UNIX)},
	{RELAY, .calls = "socket", EACCES, EQUALS(0, AF_INET)},
	{RELAY, .calls = "socket", EACCES, EQUALS(0, AF_INET6)},
	{RELAY, .calls = "socket", EACCES, EQUALS(0, AF_NETLINK)},
	{RELAY, .calls = "connect"},
	{SIGNAL, .calls = "socket connect", .err = EACCES},

	/* Files: SQLite, keys, the client. Landlock says where. Modes and
	 * owners, of which Landlock knows nothing, by descriptor only. */
	{SIGNAL, .calls =
		"open openat access faccessat faccessat2 stat lstat readlink "
		"readlinkat getcwd getdents64 statfs fstatfs umask"},
	{SIGNAL, .calls =
		"pread64 pwrite64 preadv pwritev ftruncate fallocate fsync "
		"fdatasync sync_file_range flock fadvise64 fchmod fchown "
		"sendfile"},
	{SIGNAL, .calls =
		"rename renameat renameat2 unlink unlinkat mkdir mkdirat "
		"rmdir"},
	{SIGNAL, .calls =
		"chmod fchmodat chown lchown fchownat utimensat", .err = EPERM},
	{RELAY, .calls =
		"open openat access faccessat faccessat2 stat lstat readlink "
		"readlinkat unlinkat", .err = EACCES},
	{RELAY, .calls = "unlink"}, /* of the bus, at its end */

	/* confd-run: its workers inherit this, whatever they are, so that it
	 * is a list of what none of them has any business with. */
	{RUN, .calls =
		"ptrace process_vm_readv process_vm_writev kcmp pidfd_getfd",
		.err = EPERM},
	{RUN, .calls =
		"mount umount2 pivot_root move_mount open_tree mount_setattr "
		"fsopen fsconfig fsmount fspick setns unshare", .err = EPERM},
	{RUN, .calls = "clone", EPERM, MASKED(0, CLONE_NEWUSER, CLONE_NEWUSER)},
	{RUN, .calls = "clone", EPERM, MASKED(0, CLONE_NEWNS, CLONE_NEWNS)},
	{RUN, .calls = "clone3", .err = ENOSYS}, /* its flags are in memory */
	{RUN, .calls =
		"init_module finit_module delete_module kexec_load "
		"kexec_file_load reboot swapon swapoff acct quotactl "
		"quotactl_fd syslog vhangup", .err = EPERM},
	{RUN, .calls =
		"bpf perf_event_open userfaultfd io_uring_setup "
		"io_uring_enter io_uring_register add_key request_key keyctl "
		"open_by_handle_at personality iopl ioperm", .err = EPERM},
	{RUN, .calls =
		"settimeofday clock_settime adjtimex clock_adjtime "
		"sethostname setdomainname", .err = EPERM},
	{RUN, .calls = "ioctl", EPERM, EQUALS(1, TIOCSTI)}, /* typing */
	{RUN, .calls = "ioctl", EPERM, EQUALS(1, TIOCLINUX)},
};
const size_t sandbox_n_calls = sizeof(sandbox_calls) /
	sizeof(sandbox_calls[0]);

#define READ  (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define WRITE (LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_TRUNCATE | \
	LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_DIR | \
	LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR | \
	LANDLOCK_ACCESS_FS_REFER)
#define EXEC  LANDLOCK_ACCESS_FS_EXECUTE
#define ALL   (READ | WRITE | EXEC | LANDLOCK_ACCESS_FS_MAKE_CHAR | \
	LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO | \
	LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM | \
	LANDLOCK_ACCESS_FS_IOCTL_DEV)

const struct sandbox_place sandbox_places[] = {
	{SIGNAL, IO_PLACE_STATE, NULL, READ | WRITE},
	/* Sockets go when who made them ends. The relay opens nothing. */
	{NET, IO_PLACE_RUN, NULL, LANDLOCK_ACCESS_FS_REMOVE_FILE},
	{SIGNAL, IO_PLACE_WWW, NULL, READ},
	{SIGNAL, IO_PLACE_KEY, NULL, LANDLOCK_ACCESS_FS_READ_FILE},
	/* Of SQLite and libevent, at their leisure. */
	{SIGNAL, IO_PLACE_FIXED, "/dev/urandom", LANDLOCK_ACCESS_FS_READ_FILE},

	/* Programs come from where programs are, and not from where some
	 * worker can write. Moving files stays as it is. */
	{RUN, IO_PLACE_PROGRAMS, NULL, EXEC},
	{RUN, IO_PLACE_FIXED, "/usr", EXEC},
	{RUN, IO_PLACE_FIXED, "/bin", EXEC},
	{RUN, IO_PLACE_FIXED, "/sbin", EXEC},
	{RUN, IO_PLACE_FIXED, "/lib", EXEC}, /* what loads libraries */
	{RUN, IO_PLACE_FIXED, "/lib64", EXEC},
	{RUN, IO_PLACE_FIXED, "/opt", EXEC},
	{RUN, IO_PLACE_FIXED, "/nix/store", EXEC},
	{RUN, IO_PLACE_FIXED, "/gnu/store", EXEC},
	{RUN, IO_PLACE_FIXED, "/", LANDLOCK_ACCESS_FS_REFER},
};
const size_t sandbox_n_places = sizeof(sandbox_places) /
	sizeof(sandbox_places[0]);

#define TCP    (LANDLOCK_ACCESS_NET_BIND_TCP | LANDLOCK_ACCESS_NET_CONNECT_TCP)
#define SCOPED (LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET | LANDLOCK_SCOPE_SIGNAL)

const struct sandbox_role sandbox_roles[IO_ROLES] = {
	[IO_ROLE_SIGNAL] = {"confd-signal", SCMP_ACT_KILL_PROCESS,
		.fs = ALL, .net = TCP, .scoped = SCOPED, .min_abi = 1},
	[IO_ROLE_RELAY] = {"conf-relay", SCMP_ACT_KILL_PROCESS,
		.fs = ALL, .net = TCP, .scoped = SCOPED, .min_abi = 1},
	/* The first Landlock could not move files between directories. */
	[IO_ROLE_RUN] = {"confd-run", SCMP_ACT_ALLOW, .dumpable = true,
		.fs = EXEC | LANDLOCK_ACCESS_FS_REFER, .min_abi = 2},
};
