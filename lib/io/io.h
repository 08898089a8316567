/* io - descriptors: the event loop, the only clock, streams, sockets,
 * children, readiness, sandboxes. One loop and one thread per process.
 *
 * Errors: 0 or -errno; constructors return NULL with errno. Callbacks run
 * inside io_loop_run; a callback may free the object that called it.
 * Ownership: an object owns the descriptor given to it unless said
 * otherwise, and closes it when freed.
 */
#ifndef IO_H
#define IO_H

#include "io_loop.h"
#include "io_stream.h"
#include "io_net.h"
#include "io_proc.h"
#include "io_path.h"
#include "io_log.h"
#include "io_sandbox.h"

#endif
