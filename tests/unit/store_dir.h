/* store_dir - a state directory for each test of store, on a file system in
 * memory where there is one, and events to put into it. */
#ifndef STORE_DIR_H
#define STORE_DIR_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "store.h"

static char dir[256];

static inline int fresh(void **state)
{
	const char *t = getenv("T");

	(void)state;
	snprintf(dir, sizeof(dir), "%s/store-XXXXXX", access("/dev/shm",
		W_OK) == 0 ? "/dev/shm" : t ? t : "/tmp");
	return mkdtemp(dir) ? 0 : -1;
}

static inline int gone(void **state)
{
	char path[600];
	struct dirent *e;
	DIR *d = opendir(dir);

	(void)state;
	while (d && (e = readdir(d))) {
		snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		unlink(path);
	}
	if (d)
		closedir(d);
	return rmdir(dir);
}

/* What a meeting would say, from seq on; each with extra bytes of text. */
static inline json_t *said(const char *meeting, uint64_t seq, int n,
	size_t extra)
{
	json_t *a = json_array();
	char *text = calloc(1, extra + 1);

	memset(text, 'x', extra);
	for (int i = 0; i < n; i++)
		json_array_append_new(a, json_pack(
			"{s:i,s:I,s:i,s:s,s:s,s:s,s:s,s:{s:s,s:s}}",
			"v", 1, "seq", (json_int_t)seq + i, "pos", 0, "time",
			"2026-11-22T09:00:00.123Z", "meeting", meeting,
			"type", "chat.said", "actor",
			"user:u_adaaaaaaaaaaaaaaaaaaaaaaaa", "data", "text",
			text, "name", "Ada"));
	free(text);
	return a;
}

#endif
