/* cli_conn - finding the server, asking it, waiting for it. One request at
 * a time, so poll(2) is all the loop that is needed; it also sees that the
 * reader of our output went away. */
#include <poll.h>
#include <unistd.h>

#include "cli_priv.h"

#define READ_BYTES 65536

/* Milliseconds for poll, 0 when the time has come, at most a minute. */
static int left_ms(uint64_t deadline_ns)
{
	uint64_t now = io_now_ns();

	if (now >= deadline_ns)
		return 0;
	return (int)MIN((deadline_ns - now) / NS_PER_MS + 1, 60000);
}

static int conn_write(void *arg, const void *p, size_t n)
{
	struct cli *c = arg;
	const uint8_t *at = p;

	while (n) {
		ssize_t w = write(c->conn.fd, at, n);
		if (w >= 0) {
			at += w;
			n -= (size_t)w;
			continue;
		}
		struct pollfd pfd = {.fd = c->conn.fd, .events = POLLOUT};
		if (errno != EINTR && errno != EAGAIN)
			return -errno;
		if (errno == EAGAIN &&
			poll(&pfd, 1, left_ms(c->deadline_ns)) == 0)
			return -ETIMEDOUT;
	}
	return 0;
}

static void on_event(void *arg, struct ctl_call *call, const json_t *params)
{
	struct cli *c = arg;

	ctl_reply(call, NULL);
	if (c->conn.on_event && c->conn.status < 0)
		c->conn.status = c->conn.on_event(c, params);
}

static const struct ctl_method methods[] = {{"event", on_event}};

/* --- Finding the socket ------------------------------------------------- */

static void note_path(struct buf *tried, const char *path, int err)
{
	buf_puts(tried, "  ");
	str_escape(tried, path, strlen(path));
	buf_printf(tried, ": %s\n", strerror(-err));
}

/* A full backlog is a busy server: worth trying again until the time is
 * up. */
static int connect_to(struct cli *c, const char *path)
{
	int fd = io_unix_connect(path);

	while (fd == -EAGAIN && left_ms(c->deadline_ns)) {
		poll(NULL, 0, 20);
		fd = io_unix_connect(path);
	}
	return fd;
}

/* The descriptor, or -errno of the last path with all told. */
static int find_socket(struct cli *c)
{
	char dirs[IO_RUN_DIRS][IO_PATH_CAP], path[IO_PATH_CAP + 16];
	struct buf tried = {0};
	int n = io_run_dirs(dirs), fd = -ENAMETOOLONG;
	bool busy = false, denied = false;

	for (int i = 0; i < n && fd < 0; i++) {
		snprintf(path, sizeof(path), "%.*s/signal.sock",
			IO_PATH_CAP - 1, dirs[i]);
		fd = connect_to(c, path);
		busy = busy || fd == -EAGAIN;
		denied = denied || fd == -EACCES;
		if (fd < 0)
			note_path(&tried, path, fd);
	}
	if (fd < 0) {
		cli_fail(c, busy ? 124 : denied ? 3 : 75,
			"no server answers; tried:");
		buf_put(c->err, tried.data, tried.len);
	}
	buf_free(&tried);
	return fd;
}

static int open_socket(struct cli *c)
{
	const char *path = c->value[OPT_SOCKET];

	if (!path)
		return find_socket(c);
	int fd = connect_to(c, path);
	if (fd == -ENAMETOOLONG)
		cli_fail(c, 2, "-s: '%s' is too long", path);
	else if (fd < 0)
		cli_fail(c, fd == -EAGAIN ? 124 : fd == -EACCES ? 3 : 75,
			"cannot connect to '%s': %s", path, strerror(-fd));
	return fd;
}

/* --- Waiting ------------------------------------------------------------ */

static int receive(struct cli *c)
{
	static uint8_t bytes[READ_BYTES];
	ssize_t n = read(c->conn.fd, bytes, sizeof(bytes));

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return 0;
	if (n < 0)
		return -errno;
	return n ? ctl_feed(c->conn.ctl, bytes, (size_t)n) : -ENOTCONN;
}

/* One wait for the socket, our output's reader and the deadline. 0 or the
 * -errno that ended the connection. */
static int wait_once(struct cli *c, uint64_t deadline_ns)
{
	struct pollfd fds[2] = {
		{.fd = c->conn.fd, .events = POLLIN},
		{.fd = c->out_fd, .events = 0},
	};
	int timeout = deadline_ns == CTL_NEVER ? -1 : left_ms(deadline_ns);

	if (poll(fds, 2, timeout) < 0)
		return errno == EINTR ? 0 : -errno;
	if (fds[1].revents & (POLLERR | POLLHUP))
		c->conn.out_gone = true;
	/* Before the clock: what has arrived counts as in time. */
	if (fds[0].revents) {
		int err = receive(c);
		if (err)
			return err;
	}
	ctl_tick(c->conn.ctl, io_now_ns());
	return 0;
}

static int tell_lost(struct cli *c, int err)
{
	if (err == -ETIMEDOUT)
		return cli_fail(c, 124, "no answer in time");
	if (err == -EPROTO || err == -EMSGSIZE)
		return cli_fail(c, 3, "the server sent what is no message");
	if (err == -ENOMEM)
		return cli_fail(c, 3, "out of memory");
	return cli_fail(c, 75, "the server closed the connection");
}

static void on_done(void *arg, const json_t *result,
	const struct ctl_error *err)
{
	struct cli *c = arg;

	c->conn.done = true;
	if (err)
		cli_fail(c, ctl_kind_status(err->kind), "%s", err->message);
	else
		c->conn.result = json_incref((json_t *)(uintptr_t)result);
}

static json_t *request(struct cli *c, const char *method, json_t *params)
{
	struct cli_conn *conn = &c->conn;
	json_t *result;

	conn->done = false;
	conn->result = NULL;
	int err = ctl_request(conn->ctl, method, params, c->deadline_ns,
		on_done, c);
	if (err == -EMSGSIZE) {
		cli_fail(c, 2, "too long for one message");
		return NULL;
	}
	while (!err && !conn->done)
		err = wait_once(c, c->deadline_ns);
	/* An answer that came just before the end of file counts. */
	if (!conn->done) {
		conn->done = true;
		tell_lost(c, err);
	}
	result = conn->result;
	conn->result = NULL;
	return result;
}

static int greet(struct cli *c)
{
	json_t *hello = ctl_hello(CLI_TOOL "/" CONF_VERSION, "client");

	c->conn.fd = open_socket(c);
	if (c->conn.fd < 0) {
		json_decref(hello);
		return -ENOTCONN;
	}
	c->conn.ctl = hello ? ctl_new(&(struct ctl_config){
		.write = conn_write, .arg = c, .methods = methods,
		.n_methods = ARRAY_LEN(methods), .lines = true,
		.max_in = CTL_MAX_OUT, .max_out = CTL_MAX_IN}) : NULL;
	if (!c->conn.ctl) {
		json_decref(hello);
		cli_fail(c, 3, "out of memory");
		return -ENOMEM;
	}
	json_t *answer = request(c, "hello", hello);
	json_decref(answer);
	return answer ? 0 : -EACCES;
}

json_t *cli_ask(struct cli *c, const char *method, json_t *params)
{
	c->deadline_ns = io_now_ns() + c->wait_ns;
	if (!c->conn.ctl && greet(c)) {
		json_decref(params);
		return NULL;
	}
	return request(c, method, params);
}

int cli_follow(struct cli *c)
{
	int err = 0;

	while (!err && c->conn.status < 0) {
		if (c->conn.out_gone)
			return 0;
		err = wait_once(c, CTL_NEVER);
	}
	return c->conn.status >= 0 ? c->conn.status : tell_lost(c, err);
}

void cli_close(struct cli *c)
{
	c->conn.on_event = NULL;
	ctl_free(c->conn.ctl);
	c->conn.ctl = NULL;
	if (c->conn.fd >= 0)
		close(c->conn.fd);
	c->conn.fd = -1;
}
