/* load_proc_priv - what a process of this host has used, from /proc. */
#ifndef LOAD_PROC_PRIV_H
#define LOAD_PROC_PRIV_H

#include <stdint.h>
#include <sys/types.h>

struct load_proc {
	uint64_t cpu_us;  /* user and system, all its threads; to 10 ms, if
	                   * it has but one and the kernel tells, exactly */
	uint64_t rss_kib;
};

/* -errno; -ENOENT when there is no such process. */
int load_proc_read(pid_t pid, struct load_proc *out);

#endif
