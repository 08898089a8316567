/* load_proc - /proc/PID/stat, see proc(5). */
#include <unistd.h>

#include "base.h"
#include "io.h"
#include "load_proc_priv.h"

enum { UTIME = 14, STIME = 15, RSS = 24 }; /* fields, from 1 */

/* The name in field 2 may hold blanks and brackets: the last ')' ends it. */
static int parse(char *text, struct load_proc *out)
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
	out->cpu_ms = (v[UTIME] + v[STIME]) * 1000 /
		(uint64_t)sysconf(_SC_CLK_TCK);
	out->rss_kib = v[RSS] * (uint64_t)sysconf(_SC_PAGESIZE) / 1024;
	return 0;
}

int load_proc_read(pid_t pid, struct load_proc *out)
{
	struct buf b = {0};
	char path[48];
	int err;

	snprintf(path, sizeof path, "/proc/%ld/stat", (long)pid);
	err = io_file_read(path, 65536, false, &b);
	if (!err)
		err = buf_cstr(&b) ? parse((char *)b.data, out) : -ENOMEM;
	buf_free(&b);
	return err;
}
