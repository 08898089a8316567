/* Putting up the fences: no_new_privs, Landlock, seccomp, in this order,
 * because each takes away what putting up the one before it needed. */
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base.h"
#include "io_log.h"
#include "io_sandbox_priv.h"

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED true
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer) || \
	__has_feature(thread_sanitizer)
#define SANITIZED true
#endif
#endif
#ifndef SANITIZED
#define SANITIZED false
#endif

/* ---- Landlock ---- */

/* struct landlock_ruleset_attr as of ABI 6: kernels take a longer one than
 * theirs as long as they find only zeros behind. */
struct ruleset {
	uint64_t fs, net, scoped;
};

static uint64_t fs_of(int abi)
{
	uint64_t all = 2 * LANDLOCK_ACCESS_FS_MAKE_SYM - 1;

	return all | (abi >= 2 ? LANDLOCK_ACCESS_FS_REFER : 0) |
		(abi >= 3 ? LANDLOCK_ACCESS_FS_TRUNCATE : 0) |
		(abi >= 5 ? LANDLOCK_ACCESS_FS_IOCTL_DEV : 0);
}

/* What cannot be opened is not there for us, sandbox or not. */
static int grant(int ruleset, const char *path, uint64_t fs)
{
	struct landlock_path_beneath_attr rule = {.allowed_access = fs};
	struct stat st;
	int err = 0;

	rule.parent_fd = open(path, O_PATH | O_CLOEXEC);
	if (rule.parent_fd < 0)
		return errno == EMFILE || errno == ENFILE || errno == ENOMEM ?
			-errno : 0;
	if (fstat(rule.parent_fd, &st) == 0 && !S_ISDIR(st.st_mode))
		rule.allowed_access &= LANDLOCK_ACCESS_FS_EXECUTE |
			LANDLOCK_ACCESS_FS_READ_FILE |
			LANDLOCK_ACCESS_FS_WRITE_FILE |
			LANDLOCK_ACCESS_FS_TRUNCATE;
	if (rule.allowed_access && syscall(SYS_landlock_add_rule, ruleset,
		LANDLOCK_RULE_PATH_BENEATH, &rule, 0))
		err = -errno;
	close(rule.parent_fd);
	return err;
}

/* The directory of a file, and that of the file that it stands for. */
static int grant_beside(int ruleset, const char *file, uint64_t fs)
{
	char dir[4096], *real = realpath(file, NULL);
	const char *both[] = {file, real};
	int err = 0;

	for (size_t i = 0; i < ARRAY_LEN(both) && !err; i++) {
		if (!both[i] || str_copy(dir, sizeof(dir), both[i]))
			continue;
		char *slash = strrchr(dir, '/');

		if (slash)
			slash[slash == dir] = '\0';
		err = grant(ruleset, slash ? dir : ".", fs);
	}
	free(real);
	return err;
}

static int grant_place(int ruleset, const struct io_sandbox *s,
	const struct sandbox_place *p, uint64_t fs)
{
	int err = 0;

	if (p->place == IO_PLACE_FIXED)
		return grant(ruleset, p->path, fs);
	for (size_t i = 0; i < s->n_paths && !err; i++) {
		if (s->paths[i].place != p->place || !s->paths[i].path)
			continue;
		if (p->place == IO_PLACE_KEY)
			err = grant_beside(ruleset, s->paths[i].path, fs);
		else
			err = grant(ruleset, s->paths[i].path, fs);
	}
	return err;
}

static int landlock(const struct io_sandbox *s, int max_abi, int *got)
{
	const struct sandbox_role *r = &sandbox_roles[s->role];
	int abi = (int)syscall(SYS_landlock_create_ruleset, NULL, 0,
		LANDLOCK_CREATE_RULESET_VERSION), fd, err = 0;

	if (max_abi >= 0)
		abi = MIN(abi, max_abi);
	if (abi < r->min_abi)
		return 0;
	struct ruleset attr = {.fs = r->fs & fs_of(abi),
		.net = abi >= 4 ? r->net : 0,
		.scoped = abi >= 6 ? r->scoped : 0};
	fd = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);
	if (fd < 0)
		return -errno;
	for (size_t i = 0; i < sandbox_n_places && !err; i++) {
		const struct sandbox_place *p = &sandbox_places[i];

		if (p->roles & 1u << s->role)
			err = grant_place(fd, s, p, p->fs & attr.fs);
	}
	if (!err && syscall(SYS_landlock_restrict_self, fd, 0))
		err = -errno;
	close(fd);
	*got = err ? 0 : abi;
	return err;
}

/* ---- seccomp ---- */

static int add_calls(scmp_filter_ctx ctx, const struct sandbox_calls *c)
{
	uint32_t action = c->err ? SCMP_ACT_ERRNO((uint32_t)c->err) :
		SCMP_ACT_ALLOW;
	struct scmp_arg_cmp when = c->when;
	char name[32];
	int err = 0;

	if (when.op && when.datum_b == SANDBOX_SELF)
		when.datum_b = (scmp_datum_t)getpid();
	for (const char *p = c->calls; *p && !err; p += *p == ' ') {
		size_t n = strcspn(p, " ");

		snprintf(name, sizeof(name), "%.*s", (int)n, p);
		p += n;
		int nr = seccomp_syscall_resolve_name(name);

		/* This machine, or this library, does not know the call. */
		if (nr < 0)
			continue;
		err = seccomp_rule_add_array(ctx, action, nr, when.op ? 1 : 0,
			when.op ? &when : NULL);
	}
	return err;
}

static int seccomp(const struct io_sandbox *s, bool *got)
{
	scmp_filter_ctx ctx;
	int err;

	if (sizeof(long) < 8 || prctl(PR_GET_SECCOMP) < 0)
		return 0;
	ctx = seccomp_init(sandbox_roles[s->role].otherwise);
	if (!ctx) /* API 3: can end processes, not threads alone */
		return seccomp_api_get() < 3 ? 0 : -ENOMEM;
	/* Raw errors, no way round by another architecture's calls, all
	 * threads (should a library have made one), a tree and no list. */
	err = seccomp_attr_set(ctx, SCMP_FLTATR_API_SYSRAWRC, 1);
	if (!err)
		err = seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH,
			SCMP_ACT_KILL_PROCESS);
	if (!err)
		err = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_TSYNC, 1);
	if (!err)
		err = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	for (size_t i = 0; i < sandbox_n_calls && !err; i++)
		if (sandbox_calls[i].roles & 1u << s->role)
			err = add_calls(ctx, &sandbox_calls[i]);
	if (!err)
		err = seccomp_load(ctx);
	seccomp_release(ctx);
	*got = !err;
	/* Built without filters, or kept from us by a container. */
	return err == -EINVAL || err == -ENOSYS || err == -EPERM ||
		err == -EACCES ? 0 : err;
}

/* ---- The whole ---- */

int sandbox_apply(const struct io_sandbox *s, int max_abi,
	struct sandbox_got *got)
{
	int err;

	*got = (struct sandbox_got){.sanitized = SANITIZED};
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return -errno;
	if (SANITIZED)
		return 0;
	/* Who can trace us has our keys. */
	if (!sandbox_roles[s->role].dumpable &&
		prctl(PR_SET_DUMPABLE, 0, 0, 0, 0))
		return -errno;
	err = landlock(s, max_abi, &got->abi);
	return err ? err : seccomp(s, &got->seccomp);
}

int io_sandbox_enter(const struct io_sandbox *s)
{
	struct sandbox_got got;
	int err;

	if (s->off) {
		io_log(IO_WARN, "runs without its sandbox, as asked");
		return 0;
	}
	err = sandbox_apply(s, -1, &got);
	if (err)
		io_log(IO_ERROR, "cannot enter the sandbox: %s",
			strerror(-err));
	else if (got.sanitized)
		io_log(IO_INFO, "a build with a sanitizer: no sandbox but "
			"no_new_privs");
	else if (!got.abi || !got.seccomp)
		io_log(IO_WARN, "the sandbox lacks %s, which this kernel has "
			"not", got.abi ? "seccomp" : got.seccomp ?
			"Landlock" : "Landlock and seccomp");
	else
		io_log(IO_DEBUG, "sandbox: seccomp, Landlock %d", got.abi);
	return err;
}
