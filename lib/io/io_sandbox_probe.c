/* Things tried inside a sandbox: what it must stop and what it must not.
 * Each is harmless where nothing stops it. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <linux/sockios.h>
#include <sched.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base.h"
#include "io.h"
#include "io_sandbox_priv.h"

#define SIGNAL  (1u << IO_ROLE_SIGNAL)
#define RELAY   (1u << IO_ROLE_RELAY)
#define RUN     (1u << IO_ROLE_RUN)
#define NET     (SIGNAL | RELAY)

#define UNUSED  __attribute__((unused)) const struct sandbox_stage *st

static int outcome(long got)
{
	return got < 0 ? -errno : 0;
}

static int opens(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0600);

	if (fd >= 0)
		close(fd);
	return outcome(fd);
}

static const char *place(const struct sandbox_stage *st, enum io_place p)
{
	for (size_t i = 0; i < st->sandbox->n_paths; i++)
		if (st->sandbox->paths[i].place == p)
			return st->sandbox->paths[i].path;
	return NULL;
}

/* ---- programs and processes ---- */

static int run_true(UNUSED)
{
	execl("/bin/true", "true", (char *)NULL);
	return -errno;
}

static int new_process(UNUSED)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	return outcome(pid);
}

static int trace(UNUSED)
{
	return outcome(ptrace(PTRACE_TRACEME, 0, NULL, NULL));
}

static int read_parent(UNUSED)
{
	char byte;
	struct iovec here = {&byte, 1}, there = {&byte, 1};

	return outcome(process_vm_readv(getppid(), &here, 1, &there, 1, 0));
}

static int signal_parent(UNUSED)
{
	return outcome(kill(getppid(), 0));
}

static int code_made(UNUSED)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? -errno : 0;
}

static int code_changed(UNUSED)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? 0 :
		outcome(mprotect(p, 4096, PROT_READ | PROT_EXEC));
}

static int other_user(UNUSED)
{
	return outcome(setuid(getuid()));
}

/* ---- the kernel ---- */

static int mounts(UNUSED)
{
	return outcome(mount("none", "/nonexistent", "tmpfs", 0, NULL));
}

static int namespaces(UNUSED)
{
	return outcome(unshare(CLONE_NEWUSER));
}

static int user_namespace_child(UNUSED)
{
	long pid = syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0);

	if (pid == 0)
		_exit(0);
	return outcome(pid);
}

static int bpf_program(UNUSED)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	return outcome(syscall(SYS_bpf, BPF_PROG_GET_NEXT_ID, &attr,
		sizeof(attr)));
}

static int perf(UNUSED)
{
	struct perf_event_attr attr = {.size = sizeof(attr),
		.type = PERF_TYPE_SOFTWARE, .exclude_kernel = 1,
		.exclude_hv = 1};

	return outcome(syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0));
}

static int io_ring(UNUSED)
{
	return outcome(syscall(SYS_io_uring_setup, 1, NULL));
}

static int keys(UNUSED)
{
	return outcome(syscall(SYS_keyctl, 0 /* KEYCTL_GET_KEYRING_ID */, -3,
		0, 0, 0));
}

static int module(UNUSED)
{
	return outcome(syscall(SYS_finit_module, -1, "", 0));
}

static int typing(UNUSED)
{
	return outcome(ioctl(2, TIOCSTI, "x"));
}

/* ---- the net ---- */

static int connect_to(int fd, int listener)
{
	union io_addr a;
	int err = io_local_addr(listener, &a);

	return err ? err : outcome(connect(fd, &a.sa, io_addr_len(&a)));
}

static int tcp_new(const struct sandbox_stage *st)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	return fd < 0 ? -errno : connect_to(fd, st->tcp_listener);
}

static int tcp_held(const struct sandbox_stage *st)
{
	return connect_to(st->tcp, st->tcp_listener);
}

static int tcp_listen(const struct sandbox_stage *st)
{
	struct sockaddr_in in = {.sin_family = AF_INET,
		.sin_addr = {htonl(INADDR_LOOPBACK)}};

	return outcome(bind(st->tcp, (struct sockaddr *)&in, sizeof(in)) ||
		listen(st->tcp, 1) ? -1 : 0);
}

static int udp_new(UNUSED)
{
	return outcome(socket(AF_INET, SOCK_DGRAM, 0));
}

static int raw(UNUSED)
{
	return outcome(socket(AF_INET, SOCK_RAW, IPPROTO_ICMP));
}

static int packet(UNUSED)
{
	return outcome(socket(AF_PACKET, SOCK_RAW, 0));
}

static int netlink(UNUSED)
{
	return outcome(socket(AF_NETLINK, SOCK_RAW, 0));
}

static int unix_out(const struct sandbox_stage *st)
{
	int fd = io_unix_connect(st->socket);

	return MIN(fd, 0);
}

static int unix_in(const struct sandbox_stage *st)
{
	int fd = io_accept(st->unix_listener, NULL);
	uid_t uid;

	if (fd < 0)
		return fd;
	(void)io_peer_in_group(fd, getgid());
	return io_peercred(fd, NULL, &uid, NULL);
}

/* As the bus does: who came, how much room, what is unread. */
static int bus_in(const struct sandbox_stage *st)
{
	int fd = io_accept(st->unix_listener, NULL), size = 1 << 20, n;
	uid_t uid;

	if (fd < 0)
		return fd;
	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)) ||
		ioctl(fd, SIOCOUTQ, &n))
		return -errno;
	return io_peercred(fd, NULL, &uid, NULL);
}

static int tcp_in(const struct sandbox_stage *st)
{
	union io_addr from;
	int n, fd = io_accept(st->tcp_listener, &from);

	if (fd < 0)
		return fd;
	return outcome(ioctl(fd, FIONREAD, &n) || send(fd, "x", 1,
		MSG_NOSIGNAL) != 1 || shutdown(fd, SHUT_RDWR) ? -1 : 0);
}

/* Two datagrams in one call, as media go. */
static int udp_held(const struct sandbox_stage *st)
{
	struct io_udp_batch *b = io_udp_batch_new();
	struct io_datagram in[IO_UDP_BATCH];
	union io_addr to;
	int n = 0, err = io_local_addr(st->udp[1], &to);

	if (!b || err)
		return err ? err : -ENOMEM;
	err = io_udp_send(st->udp[0], &to, NULL, "abcd", 4, 2);
	for (uint64_t end = io_now_ns() + NS_PER_S; !err && !n &&
		io_now_ns() < end;)
		n = io_udp_recv(st->udp[1], b, in);
	io_udp_batch_free(b);
	return err ? err : n < 0 ? n : n ? 0 : -ETIMEDOUT;
}

/* ---- files ---- */

static int write_passwd(UNUSED)
{
	return opens("/etc/passwd", O_WRONLY | O_APPEND);
}

static int read_passwd(UNUSED)
{
	return opens("/etc/passwd", O_RDONLY);
}

static int read_memory(UNUSED)
{
	return opens("/proc/self/mem", O_RDWR);
}

static int make_file(const struct sandbox_stage *st)
{
	char path[96];

	snprintf(path, sizeof(path), "%s/new", st->dir);
	return opens(path, O_WRONLY | O_CREAT);
}

static int remove_file(const struct sandbox_stage *st)
{
	return outcome(unlink(st->file));
}

static int change_mode(const struct sandbox_stage *st)
{
	return outcome(chmod(st->file, 0644));
}

static int run_dropped(const struct sandbox_stage *st)
{
	execl(st->program, "program", (char *)NULL);
	return -errno;
}

/* What SQLite does to its files, and we to ours. */
static int use_file(int fd)
{
	struct flock lock = {.l_type = F_WRLCK, .l_len = 1};
	char *p;

	if (ftruncate(fd, 4096) || posix_fallocate(fd, 0, 8192) ||
		pwrite(fd, "x", 1, 0) != 1 || fcntl(fd, F_SETLK, &lock) ||
		flock(fd, LOCK_EX | LOCK_NB) || fchmod(fd, 0600) ||
		fdatasync(fd))
		return -errno;
	p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED || *p != 'x')
		return -EIO;
	return outcome(munmap(p, 4096));
}

static int state_dir(const struct sandbox_stage *st)
{
	const char *top = place(st, IO_PLACE_STATE);
	char dir[4096], a[4200], b[4096];
	int fd, err = 0;

	if (!top)
		return 0;
	snprintf(dir, sizeof(dir), "%.4000s/selftest.%ld", top,
		(long)getpid());
	snprintf(b, sizeof(b), "%.4000s/selftest.%ld.db", top,
		(long)getpid());
	snprintf(a, sizeof(a), "%s/a", dir);
	if (mkdir(dir, 0700))
		return -errno;
	fd = open(a, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	err = fd < 0 ? -errno : use_file(fd);
	if (fd >= 0)
		close(fd);
	if (!err && rename(a, b))
		err = -errno;
	unlink(a);
	unlink(b);
	if (rmdir(dir) && !err)
		err = -errno;
	fd = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (!err && (fd < 0 || fsync(fd)))
		err = -errno;
	return err;
}

static int www(const struct sandbox_stage *st)
{
	const char *top = place(st, IO_PLACE_WWW);
	int fd = top ? open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : 0;

	return !top ? 0 : outcome(fd < 0 ? fd : openat(fd, "index.html",
		O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
}

static int random_file(UNUSED)
{
	return opens("/dev/urandom", O_RDONLY);
}

static int move_file(const struct sandbox_stage *st)
{
	char sub[96], to[128];

	snprintf(sub, sizeof(sub), "%s/sub", st->dir);
	snprintf(to, sizeof(to), "%s/file", sub);
	if (mkdir(sub, 0700) || rename(st->file, to))
		return -errno;
	return outcome(rename(to, st->file));
}

/* ---- the loop and children ---- */

static void stop(void *arg)
{
	io_loop_stop(arg, 0);
}

static void on_signal(void *arg, int signo)
{
	struct io_timer *t = arg;

	(void)signo;
	io_timer_in(t, 1);
}

static int loop(UNUSED)
{
	struct io_loop *l = io_loop_new();
	struct io_timer *t = l ? io_timer_new(l, stop, l) : NULL;
	struct io_signal *s = t ? io_signal_new(l, SIGUSR1, on_signal, t) :
		NULL;
	uint64_t word;
	char *p = malloc(1 << 20);

	if (!s || !p)
		return -ENOMEM;
	memset(p, 1, 1 << 20);
	free(p);
	io_random(&word, sizeof(word));
	(void)io_wall_ms();
	(void)isatty(2);
	raise(SIGUSR1);
	io_loop_run(l);
	io_signal_free(s);
	io_timer_free(t);
	io_loop_free(l);
	return 0;
}

static int spawn(const char *const argv[])
{
	int status, null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	struct io_spawn_fd fds[] = {{null_fd, 0}, {null_fd, 1}};
	pid_t pid = io_spawn(argv, NULL, fds, ARRAY_LEN(fds));

	if (pid < 0)
		return (int)pid;
	return waitpid(pid, &status, 0) == pid && status == 0 ? 0 : -EIO;
}

static int run_shell(UNUSED)
{
	return spawn((const char *const[]){"sh", "-c",
		"exec true | cat", NULL});
}

static int run_neighbour(UNUSED)
{
	return spawn((const char *const[]){"/proc/self/exe", "-V", NULL});
}

const struct sandbox_probe sandbox_probes[] = {
	{NET, "runs no program", run_true, PROBE_KILLED, 0},
	{RUN, "runs no program from where anybody can write", run_dropped,
		PROBE_REFUSED, 2},
	{NET, "makes no process", new_process, PROBE_KILLED, 0},
	{NET, "traces nobody", trace, PROBE_KILLED, 0},
	{RUN, "traces nobody", trace, PROBE_REFUSED, 0},
	{NET, "reads no other's memory", read_parent, PROBE_KILLED, 0},
	{RUN, "reads no other's memory", read_parent, PROBE_REFUSED, 0},
	{NET, "signals nobody", signal_parent, PROBE_KILLED, 0},
	{NET, "makes no code", code_made, PROBE_REFUSED, 0},
	{NET, "makes code of no data", code_changed, PROBE_REFUSED, 0},
	{NET, "becomes nobody else", other_user, PROBE_KILLED, 0},
	{NET, "mounts nothing", mounts, PROBE_KILLED, 0},
	{RUN, "mounts nothing", mounts, PROBE_REFUSED, 0},
	{NET, "enters no namespace", namespaces, PROBE_KILLED, 0},
	{RUN, "enters no namespace", namespaces, PROBE_REFUSED, 0},
	{RUN, "puts no child into one", user_namespace_child, PROBE_REFUSED,
		0},
	{NET, "loads no BPF", bpf_program, PROBE_KILLED, 0},
	{RUN, "loads no BPF", bpf_program, PROBE_REFUSED, 0},
	{NET, "counts no events", perf, PROBE_KILLED, 0},
	{RUN, "counts no events", perf, PROBE_REFUSED, 0},
	{NET, "makes no ring", io_ring, PROBE_KILLED, 0},
	{RUN, "makes no ring", io_ring, PROBE_REFUSED, 0},
	{NET, "sees no keyring", keys, PROBE_KILLED, 0},
	{RUN, "sees no keyring", keys, PROBE_REFUSED, 0},
	{NET, "loads no module", module, PROBE_KILLED, 0},
	{RUN, "loads no module", module, PROBE_REFUSED, 0},
	{RUN, "types nothing into its terminal", typing, PROBE_REFUSED, 0},

	{NET, "connects to nobody by TCP", tcp_new, PROBE_REFUSED, 0},
	{SIGNAL, "nor with a socket it has", tcp_held, PROBE_REFUSED, 0},
	{RELAY, "nor with a socket it has", tcp_held, PROBE_REFUSED, 4},
	{NET, "listens nowhere else", tcp_listen, PROBE_KILLED, 0},
	{NET, "opens no UDP socket", udp_new, PROBE_REFUSED, 0},
	{NET, "opens no raw socket", raw, PROBE_REFUSED, 0},
	{SIGNAL, "opens no packet socket", packet, PROBE_REFUSED, 0},
	{RELAY, "opens no packet socket", packet, PROBE_KILLED, 0},
	{NET, "opens no netlink socket", netlink, PROBE_REFUSED, 0},
	{SIGNAL, "connects to no Unix socket", unix_out, PROBE_REFUSED, 0},

	{NET, "writes no /etc/passwd", write_passwd, PROBE_REFUSED, 1},
	{NET, "reads no /etc/passwd", read_passwd, PROBE_REFUSED, 1},
	{NET, "opens no memory as a file", read_memory, PROBE_REFUSED, 1},
	{NET, "makes no file elsewhere", make_file, PROBE_REFUSED, 1},
	{NET, "removes no file elsewhere", remove_file, PROBE_REFUSED, 1},
	{SIGNAL, "changes no mode", change_mode, PROBE_REFUSED, 0},
	{RELAY, "changes no mode", change_mode, PROBE_KILLED, 0},
	{RELAY, "opens no file at all", random_file, PROBE_REFUSED, 0},

	{NET | RUN, "has a loop, time, signals, random numbers", loop,
		PROBE_NEEDED, 0},
	{SIGNAL, "keeps a database in the state directory", state_dir,
		PROBE_NEEDED, 0},
	{SIGNAL, "reads the client's files", www, PROBE_NEEDED, 0},
	{SIGNAL, "reads /dev/urandom", random_file, PROBE_NEEDED, 0},
	{SIGNAL, "takes in who comes by TCP", tcp_in, PROBE_NEEDED, 0},
	{SIGNAL | RUN, "takes in who comes to a Unix socket, and who it is",
		unix_in, PROBE_NEEDED, 0},
	{RELAY, "takes in who comes by the bus", bus_in, PROBE_NEEDED, 0},
	{RELAY, "sends and receives by its UDP sockets", udp_held,
		PROBE_NEEDED, 0},
	{RELAY, "dials a Unix socket", unix_out, PROBE_NEEDED, 0},
	{RUN, "runs what is installed", run_shell, PROBE_NEEDED, 0},
	{RUN, "runs what stands beside it", run_neighbour, PROBE_NEEDED, 0},
	{RUN, "moves files from here to there", move_file, PROBE_NEEDED, 0},
};
const size_t sandbox_n_probes = ARRAY_LEN(sandbox_probes);
