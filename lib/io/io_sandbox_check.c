/* The selftest: a stage of sockets and files, and a child for each thing
 * that is tried on it, so that one which is killed costs nothing. */
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base.h"
#include "io.h"
#include "io_sandbox_priv.h"

#define NO_SANDBOX  255 /* exit status of a child that could not enter it */
#define PROBE_S     20  /* a child that takes longer is ended */

static int make_files(struct sandbox_stage *st)
{
	static const char script[] = "#!/bin/sh\nexit 0\n";

	if (str_copy(st->dir, sizeof(st->dir), "/tmp/confkit-XXXXXX") ||
		!mkdtemp(st->dir)) {
		st->dir[0] = '\0';
		return -errno;
	}
	snprintf(st->program, sizeof(st->program), "%s/program", st->dir);
	snprintf(st->file, sizeof(st->file), "%s/file", st->dir);
	snprintf(st->socket, sizeof(st->socket), "%s/socket", st->dir);
	int err = io_file_write(st->program, 0700, script, strlen(script));

	return err ? err : io_file_write(st->file, 0600, "x", 1);
}

static int make_sockets(struct sandbox_stage *st, int clients[2])
{
	union io_addr here;

	(void)io_addr_parse(&here, "127.0.0.1:0");
	st->unix_listener = io_unix_listen(st->socket, 0600, (gid_t)-1);
	st->tcp_listener = io_tcp_listen(&here);
	st->tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	st->udp[0] = io_udp_bind(&here);
	st->udp[1] = io_udp_bind(&here);
	if (st->unix_listener < 0 || st->tcp_listener < 0 || st->tcp < 0 ||
		st->udp[0] < 0 || st->udp[1] < 0)
		return -EIO;
	clients[0] = io_unix_connect(st->socket);
	clients[1] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int err = io_local_addr(st->tcp_listener, &here);

	if (err || clients[0] < 0 || clients[1] < 0)
		return err ? err : -EIO;
	return connect(clients[1], &here.sa, io_addr_len(&here)) ? -errno : 0;
}

static void clear_stage(const struct sandbox_stage *st, const int clients[2])
{
	const int fds[] = {st->tcp_listener, st->unix_listener, st->tcp,
		st->udp[0], st->udp[1], clients[0], clients[1]};
	char path[128];

	for (size_t i = 0; i < ARRAY_LEN(fds); i++)
		if (fds[i] >= 0)
			close(fds[i]);
	if (!st->dir[0])
		return;
	unlink(st->program);
	unlink(st->file);
	unlink(st->socket);
	snprintf(path, sizeof(path), "%s/new", st->dir);
	unlink(path);
	snprintf(path, sizeof(path), "%s/sub", st->dir);
	rmdir(path);
	rmdir(st->dir);
}

/* In a child: 0 and errno are exit statuses. */
static void try(const struct sandbox_stage *st, const struct sandbox_probe *p)
{
	struct sandbox_got got;

	setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
	alarm(PROBE_S);
	if (sandbox_apply(st->sandbox, -1, &got))
		_exit(NO_SANDBOX);
	_exit(-p->go(st));
}

/* What became of it: 0, a positive errno, or 1000 and a signal. */
static int watch(const struct sandbox_stage *st,
	const struct sandbox_probe *p)
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		try(st, p);
	if (pid < 0)
		return errno;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) :
		1000 + WTERMSIG(status);
}

static bool as_wanted(const struct sandbox_probe *p, int how)
{
	switch (p->want) {
	case PROBE_NEEDED: return how == 0;
	case PROBE_KILLED: return how == 1000 + SIGSYS;
	default: return how == EACCES || how == EPERM || how == ENOSYS;
	}
}

static const char *why_not(const struct sandbox_probe *p,
	const struct sandbox_got *got)
{
	if (p->want == PROBE_NEEDED)
		return NULL;
	if (got->sanitized)
		return "built with a sanitizer";
	if (!p->abi && !got->seccomp)
		return "no seccomp here";
	return p->abi > got->abi ? "the kernel's Landlock is too old" : NULL;
}

/* How far the fences go here; found out in a child that then has them. */
static int fences(const struct io_sandbox *s, struct sandbox_got *got)
{
	int status, fds[2];
	ssize_t n;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC))
		return -errno;
	pid = fork();
	if (pid == 0) {
		int err = sandbox_apply(s, -1, got);

		n = err ? 0 : write(fds[1], got, sizeof(*got));
		_exit(err ? -err : 0);
	}
	close(fds[1]);
	n = pid < 0 ? -1 : read(fds[0], got, sizeof(*got));
	close(fds[0]);
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return -errno;
	if (n == (ssize_t)sizeof(*got))
		return 0;
	return WIFEXITED(status) && WEXITSTATUS(status) ?
		-WEXITSTATUS(status) : -EIO;
}

static int try_all(const struct sandbox_stage *st,
	const struct sandbox_got *got, struct buf *out)
{
	const struct io_sandbox *s = st->sandbox;
	int n = 0, bad = 0;

	for (size_t i = 0; i < sandbox_n_probes; i++) {
		const struct sandbox_probe *p = &sandbox_probes[i];
		const char *skip = why_not(p, got);

		if (!(p->roles & 1u << s->role))
			continue;
		int how = skip ? 0 : watch(st, p);
		bool ok = skip || as_wanted(p, how);

		bad += !ok;
		buf_printf(out, "%s %d - %s %s", ok ? "ok" : "not ok", ++n,
			sandbox_roles[s->role].name, p->what);
		if (skip)
			buf_printf(out, " # SKIP %s", skip);
		if (!ok)
			buf_printf(out, "\n# %s", how == 0 ? "it could" :
				how >= 1000 ? strsignal(how - 1000) :
				strerror(how));
		buf_putc(out, '\n');
	}
	buf_printf(out, "1..%d\n", n);
	return bad;
}

int io_sandbox_selftest(const struct io_sandbox *s, struct buf *out)
{
	struct sandbox_stage st = {.sandbox = s, .tcp_listener = -1,
		.unix_listener = -1, .tcp = -1, .udp = {-1, -1}};
	int clients[2] = {-1, -1};
	struct sandbox_got got;
	int bad = fences(s, &got);

	if (!bad)
		bad = make_files(&st);
	if (!bad)
		bad = make_sockets(&st, clients);
	if (!bad)
		bad = try_all(&st, &got, out);
	clear_stage(&st, clients);
	return out->err ? out->err : bad;
}
