/* oom - makes the n-th allocation fail, for n = 0, 1, 2 …
 *
 * A test that includes this is linked with --wrap for the functions below
 * (tests/tests.mk looks for the include), so that calls from our own code
 * come here, also under ASan; those inside shared libraries do not. One
 * source file only of a program may include it.
 */
#ifndef OOM_H
#define OOM_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define OOM_MAX_STEPS 200 /* of a ladder, or 5 s if they come first */

/* Allocations to let pass before one fails; negative: none fails. */
static long oom_left = -1;

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
char *__real_strdup(const char *s);
char *__real_strndup(const char *s, size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);
char *__wrap_strdup(const char *s);
char *__wrap_strndup(const char *s, size_t n);

static inline bool oom_now(void)
{
	if (oom_left < 0 || oom_left-- > 0)
		return false;
	errno = ENOMEM;
	return true;
}

void *__wrap_malloc(size_t n)
{
	return oom_now() ? NULL : __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t size)
{
	return oom_now() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t n)
{
	return oom_now() ? NULL : __real_realloc(p, n);
}

char *__wrap_strdup(const char *s)
{
	return oom_now() ? NULL : __real_strdup(s);
}

char *__wrap_strndup(const char *s, size_t n)
{
	return oom_now() ? NULL : __real_strndup(s, n);
}

/* Runs f with the first allocation failing, then with the second, and so on
 * until it makes fewer of them. f returns 0 or -ENOMEM, and has released all
 * of its own either way. Returns how many allocations were made to fail, or
 * -1 if f returned something else, or did not succeed when none failed. */
static inline int oom_ladder(int (*f)(void *arg), void *arg)
{
	struct timespec start, now;
	int n = 0;
	clock_gettime(CLOCK_MONOTONIC, &start);
	for (;; n++) {
		oom_left = n;
		int rc = f(arg);
		bool failed = oom_left < 0;
		oom_left = -1;
		if (!failed)
			return rc ? -1 : n;
		if (rc && rc != -ENOMEM)
			return -1;
		clock_gettime(CLOCK_MONOTONIC, &now);
		if (n + 1 == OOM_MAX_STEPS || now.tv_sec - start.tv_sec >= 5)
			return f(arg) ? -1 : n + 1;
	}
}

#endif
