/* io_sandbox - what a daemon gives up once it has opened what it needs.
 *
 * One table, in io_sandbox_table.c, says for each role which system calls,
 * places and kinds of connection remain. Three fences keep to it, each as
 * far as the kernel has it: no_new_privs, Landlock (files, TCP, signals; from
 * Linux 5.13, more with each ABI) and seccomp. What the kernel lacks is told
 * in one warning through io_log and is no error.
 *
 * A build with a sanitizer gets no_new_privs alone: what the sanitizer does
 * at the end of a program (ptrace, /proc, a symbolizer) is what the sandbox
 * forbids.
 *
 * Owner: everything given is borrowed, for the length of the call.
 * Errors: -errno, only when a fence that the kernel has cannot be put up.
 * Never: undone, for this process and its children. One thread per process.
 */
#ifndef IO_SANDBOX_H
#define IO_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>

struct buf;

enum io_role { IO_ROLE_SIGNAL, IO_ROLE_RELAY, IO_ROLE_RUN, IO_ROLES };

/* What a path is; what may be done there, the table says for each role. */
enum io_place {
	IO_PLACE_FIXED,    /* named in the table itself */
	IO_PLACE_STATE,    /* the state directory */
	IO_PLACE_RUN,      /* the run directory */
	IO_PLACE_WWW,      /* the client's files */
	IO_PLACE_KEY,      /* a file made by others; its directory is meant, as
	                    * renewing it makes another file */
	IO_PLACE_PROGRAMS, /* a directory of programs */
};

struct io_sandbox_path {
	enum io_place place;
	const char *path; /* NULL is skipped, as is what is not there */
};

struct io_sandbox {
	enum io_role role;
	bool off; /* say so and do nothing */
	const struct io_sandbox_path *paths;
	size_t n_paths;
};

/* Call it when every socket and file is open, before saying ready. */
int io_sandbox_enter(const struct io_sandbox *s);

/* Enters the sandbox in one child after the other, tries there a thing that
 * is forbidden or needed, and writes to out how it went, as TAP. Returns how
 * many went wrong, or -errno. Makes files in /tmp and in the state directory
 * and removes them; wants to wait for its own children. */
int io_sandbox_selftest(const struct io_sandbox *s, struct buf *out);

#endif
