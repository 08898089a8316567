/* load_proc - /proc/PID/stat and schedstat, see proc(5). */
#include <unistd.h>

#include "base.h"
#include "io.h"
#include "load_proc_priv.h"

enum { UTIME = 14, STIME = 15, THREADS = 20, RSS = 24 }; /* from 1 */

/* The name in field 2 may hold blanks and brackets: the last ')' ends it. */
static int parse(char *text, struct load_proc *out, bool *one_thread)
{
	uint64_t v[RSS + 1] = {0};
	unsigned field = 2;
	char *p = strrchr(text, ')'), *save = NULL;

	if (!p)
		return -EBADMSG;
	for (p = strtok_r(p + 1, " \n", &save); p && field < RSS;
		p = strtok_r(NULL, " \n", &save)) {
		field++;
		if (str_u64(p, 0, UINT64_MAX, &v[field]))
			v[field] = 0; /* the state, or a negative number */
	}
	if (field < RSS)
		return -EBADMSG;
	*one_thread = v[THREADS] == 1;
	out->cpu_us = (v[UTIME] + v[STIME]) * 1000000 /
		(uint64_t)sysconf(_SC_CLK_TCK);
	out->rss_kib = v[RSS] * (uint64_t)sysconf(_SC_PAGESIZE) / 1024;
	return 0;
}

static int read_proc(pid_t pid, const char *name, struct buf *out)
{
	char path[48];
	int err;

	snprintf(path, sizeof path, "/proc/%ld/%s", (long)pid, name);
	err = io_file_read(path, 65536, false, out);
	return err || buf_cstr(out) ? err : -ENOMEM;
}

/* What /proc/PID/stat counts in ticks of 10 ms, this has in ns, but of the
 * first thread only. Not every kernel has it. */
static void read_exact(pid_t pid, struct load_proc *out)
{
	struct buf b = {0};
	uint64_t ns;

	if (read_proc(pid, "schedstat", &b) == 0) {
		b.data[strcspn((char *)b.data, " ")] = '\0';
		if (str_u64((char *)b.data, 1, UINT64_MAX, &ns) == 0)
			out->cpu_us = ns / 1000;
	}
	buf_free(&b);
}

int load_proc_read(pid_t pid, struct load_proc *out)
{
	struct buf b = {0};
	bool one_thread = false;
	int err = read_proc(pid, "stat", &b);

	if (!err)
		err = parse((char *)b.data, out, &one_thread);
	if (!err && one_thread)
		read_exact(pid, out);
	buf_free(&b);
	return err;
}
