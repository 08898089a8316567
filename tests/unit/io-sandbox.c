/* The sandbox: its table, how it grows with the kernel's Landlock, and the
 * certificate that is renewed by a link to another file. What each role is
 * kept from is tried by --sandbox-selftest of the tools. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base.h"
#include "io.h"
#include "io_sandbox_priv.h"

static void each_name(void (*cb)(const char *name,
	const struct sandbox_calls *c))
{
	for (size_t i = 0; i < sandbox_n_calls; i++) {
		char *words = strdup(sandbox_calls[i].calls), *save = NULL;

		for (char *w = strtok_r(words, " ", &save); w;
			w = strtok_r(NULL, " ", &save))
			cb(w, &sandbox_calls[i]);
		free(words);
	}
}

static void is_known(const char *name, const struct sandbox_calls *c)
{
	(void)c;
	if (seccomp_syscall_resolve_name(name) == __NR_SCMP_ERROR)
		fail_msg("no system call is called '%s'", name);
}

static const char *wanted;
static unsigned wanted_role, count;

static void count_wanted(const char *name, const struct sandbox_calls *c)
{
	count += str_eq(name, wanted) && c->roles & 1u << wanted_role;
}

/* A condition beside no condition would be settled by libseccomp, silently. */
static void is_alone(const char *name, const struct sandbox_calls *c)
{
	if (c->when.op)
		return;
	for (wanted_role = 0; wanted_role < IO_ROLES; wanted_role++) {
		wanted = name;
		count = 0;
		each_name(count_wanted);
		if (c->roles & 1u << wanted_role && count != 1)
			fail_msg("'%s' stands %u times for %s", name, count,
				sandbox_roles[wanted_role].name);
	}
}

static void names(void **state)
{
	(void)state;
	each_name(is_known);
	each_name(is_alone);
}

static char dir[64];

static void path_of(char out[4096], const char *name)
{
	snprintf(out, 4096, "%s/%s", dir, name);
}

static void file(const char *name)
{
	char path[4096];
	int fd;

	path_of(path, name);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0 && close(fd) == 0);
}

static int setup(void **state)
{
	static const char *const dirs[] = {"state", "archive", "live",
		"other"};
	char path[4096];

	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/io-sandbox-XXXXXX");
	assert_non_null(mkdtemp(dir));
	for (size_t i = 0; i < ARRAY_LEN(dirs); i++) {
		path_of(path, dirs[i]);
		assert_int_equal(mkdir(path, 0700), 0);
	}
	file("archive/cert1.pem");
	file("archive/cert2.pem");
	file("other/secret");
	path_of(path, "live/cert.pem");
	assert_int_equal(symlink("../archive/cert1.pem", path), 0);
	return 0;
}

static int teardown(void **state)
{
	static const char *const names[] = {"live/cert.pem", "live",
		"archive/cert1.pem", "archive/cert2.pem", "archive",
		"other/secret", "other", "state/moved/b", "state/moved",
		"state/a", "state", ""};
	char path[4096];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		path_of(path, names[i]);
		remove(path);
	}
	return 0;
}

/* Runs f in a child that is in the sandbox of confd-signal, as far as that
 * goes here (with a sanitizer: nowhere); f returns the number of the line
 * that was not as it should be, or 0. */
static int inside(int max_abi, int (*f)(int abi))
{
	char state[4096], cert[4096];
	const struct io_sandbox_path paths[] = {{IO_PLACE_STATE, state},
		{IO_PLACE_KEY, cert}, {IO_PLACE_KEY, NULL},
		{IO_PLACE_WWW, "/nonexistent"}};
	const struct io_sandbox s = {.role = IO_ROLE_SIGNAL, .paths = paths,
		.n_paths = ARRAY_LEN(paths)};
	struct sandbox_got got;
	int status;
	pid_t pid;

	path_of(state, "state");
	path_of(cert, "live/cert.pem");
	pid = fork();
	if (pid == 0)
		_exit(sandbox_apply(&s, max_abi, &got) ? 255 : f(got.abi));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int try_open(const char *name, int flags)
{
	char path[4096];
	int fd;

	path_of(path, name);
	fd = open(path, flags | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

#define EXPECT(cond)  do { if (!(cond)) return __LINE__ % 250 + 1; } while (0)

static int reaches(int abi)
{
	char from[4096], to[4096];
	int refused = abi ? -EACCES : 0;

	EXPECT(try_open("other/secret", O_RDONLY) == refused);
	EXPECT(try_open("other/new", O_WRONLY | O_CREAT) == refused);
	if (!abi) {
		path_of(to, "other/new");
		unlink(to);
	}
	EXPECT(try_open("state/a", O_RDWR | O_CREAT | O_TRUNC) == 0);
	path_of(from, "state/a");
	path_of(to, "state/moved");
	EXPECT(mkdir(to, 0700) == 0);
	path_of(to, "state/moved/b");
	/* The first Landlock lets nothing move to another directory. */
	EXPECT((rename(from, to) == 0) == (abi != 1));
	EXPECT(unlink(abi == 1 ? from : to) == 0);
	path_of(to, "state/moved");
	EXPECT(rmdir(to) == 0);
	return 0;
}

static void abis(void **state)
{
	(void)state;
	for (int abi = 0; abi <= 8; abi++)
		assert_int_equal(inside(abi, reaches), 0);
	assert_int_equal(inside(-1, reaches), 0);
}

static int renewed(int abi)
{
	EXPECT(try_open("live/cert.pem", O_RDONLY) == 0);
	EXPECT(try_open("archive/cert2.pem", O_RDONLY) == 0);
	EXPECT(!abi || try_open("archive/cert2.pem", O_WRONLY) == -EACCES);
	return 0;
}

static void keys(void **state)
{
	(void)state;
	assert_int_equal(inside(-1, renewed), 0);
}

static void off(void **state)
{
	const struct io_sandbox s = {.role = IO_ROLE_RELAY, .off = true};

	(void)state;
	assert_int_equal(io_sandbox_enter(&s), 0);
	assert_int_equal(try_open("other/secret", O_RDONLY), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names),
		cmocka_unit_test_setup_teardown(abis, setup, teardown),
		cmocka_unit_test_setup_teardown(keys, setup, teardown),
		cmocka_unit_test_setup_teardown(off, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
