/* io_path - where sockets and state are, by the search that conf(7)
 * describes, and small files read and written whole. */
#ifndef IO_PATH_H
#define IO_PATH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define IO_PATH_CAP 108 /* fits sun_path */

struct buf;

/* The state directory: $CONF_STATEDIR, else /var/lib/confkit for root, else
 * $XDG_STATE_HOME/confkit, else ~/.local/state/confkit (home from the
 * password database when HOME is unset). */
int io_state_dir(char out[static 4096]);
/* Run directory candidates in order: $CONF_RUNDIR (alone, when set),
 * /run/confkit, $XDG_RUNTIME_DIR/confkit, /run/user/<euid>/confkit,
 * $STATE/run. Returns the count. */
#define IO_RUN_DIRS 5
int io_run_dirs(char out[IO_RUN_DIRS][IO_PATH_CAP]);
/* For daemons: the first that exists or can be made and is writable; made
 * with mode 0700, or 0750 root:gid when gid is not -1. */
int io_run_dir_make(char out[IO_PATH_CAP], gid_t gid);
int io_mkdirs(const char *path, mode_t mode);

/* Whole file; -EFBIG over max. secret refuses what others can read
 * (-EACCES). */
int io_file_read(const char *path, size_t max, bool secret, struct buf *out);
/* confkit.conf by its search: /etc/confkit/confkit.conf, else
 * $XDG_CONFIG_HOME/confkit/confkit.conf (~/.config when unset). The first
 * that exists is read; path is its name, or empty with -ENOENT. */
int io_config_read(char path[static 4096], size_t max, struct buf *out);
/* Written aside and renamed, synced. */
int io_file_write(const char *path, mode_t mode, const void *p, size_t n);
/* Reads fd to its end and closes it (for secrets given by descriptor). */
int io_fd_read_all(int fd, size_t max, struct buf *out);

#endif
