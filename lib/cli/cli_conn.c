/* cli_conn - finding the server, asking it, waiting for it. poll(2) is all
 * the loop that is needed; it also sees that the reader of our output went
 * away. */
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

/* Requests that follow each other leave together, when we next wait. */
static int conn_write(void *arg, const void *p, size_t n)
{
	struct cli_conn *conn = arg;

	buf_put(&conn->unsent, p, n);
	return conn->unsent.err;
}

int cli_send(struct cli *c)
{
	struct cli_conn *conn = c->conn;
	const uint8_t *at = conn->unsent.data;
	size_t n = conn->unsent.len;

	while (n) {
		ssize_t w = write(conn->fd, at, n);
		if (w >= 0) {
			at += w;
			n -= (size_t)w;
			continue;
		}
		struct pollfd pfd = {.fd = conn->fd, .events = POLLOUT};
		if (errno != EINTR && errno != EAGAIN)
			return -errno;
		if (errno == EAGAIN &&
			poll(&pfd, 1, left_ms(conn->deadline_ns)) == 0)
			return -ETIMEDOUT;
	}
	buf_clear(&conn->unsent);
	return 0;
}

static void on_event(void *arg, struct ctl_call *call, const json_t *params)
{
	struct cli_conn *conn = arg;

	ctl_reply(call, NULL);
	if (conn->on_event && conn->status < 0)
		conn->status = conn->on_event(conn->follower, params);
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

	while (fd == -EAGAIN && left_ms(c->conn->deadline_ns)) {
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

static int receive(struct cli_conn *conn)
{
	static uint8_t bytes[READ_BYTES];
	ssize_t n = read(conn->fd, bytes, sizeof(bytes));

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return 0;
	if (n < 0)
		return -errno;
	return n ? ctl_feed(conn->ctl, bytes, (size_t)n) : -ENOTCONN;
}

int cli_wait_once(struct cli *c, uint64_t deadline_ns, int also_fd,
	bool *also)
{
	struct cli_conn *conn = c->conn;
	struct pollfd fds[3] = {
		{.fd = conn->fd, .events = POLLIN},
		{.fd = c->out_fd, .events = 0},
		{.fd = also_fd, .events = POLLIN},
	};
	int timeout, err = cli_send(c);

	/* Who closed has perhaps said why: that is read first. */
	if (err && err != -EPIPE)
		return conn->broken = err;
	timeout = deadline_ns == CTL_NEVER ? -1 : left_ms(deadline_ns);
	if (poll(fds, 3, timeout) < 0)
		return errno == EINTR ? 0 : -errno;
	if (fds[1].revents & (POLLERR | POLLHUP))
		conn->out_gone = true;
	if (also)
		*also = fds[2].revents != 0;
	/* Before the clock: what has arrived counts as in time. */
	if (fds[0].revents)
		err = receive(conn);
	if (err)
		return conn->broken = err;
	ctl_tick(conn->ctl, io_now_ns());
	return 0;
}

int cli_lost(struct cli *c, int err)
{
	if (err == -ETIMEDOUT)
		return cli_fail(c, 124, "no answer in time");
	if (err == -EPROTO || err == -EMSGSIZE)
		return cli_fail(c, 3, "the server sent what is no message");
	if (err == -ENOMEM)
		return cli_fail(c, 3, "out of memory");
	return cli_fail(c, 75, "the server closed the connection");
}

/* --- Asking --------------------------------------------------------------- */

static void on_done(void *arg, const json_t *result,
	const struct ctl_error *err)
{
	struct cli *c = arg;

	if (c->done) /* given up, and told so */
		return;
	c->done = true;
	if (err)
		cli_fail(c, ctl_kind_status(err->kind), "%s", err->message);
	else
		c->result = json_incref((json_t *)(uintptr_t)result);
	if (c->finish) {
		result = c->result;
		c->result = NULL;
		c->status = c->finish(c, (json_t *)(uintptr_t)result);
	}
}

/* 0, or -errno told: nothing will come. */
static int send_request(struct cli *c, const char *method, json_t *params,
	int (*finish)(struct cli *c, json_t *result))
{
	int err;

	c->done = false;
	c->result = NULL;
	c->finish = finish;
	err = ctl_request(c->conn->ctl, method, params,
		c->conn->deadline_ns, on_done, c);
	if (!err)
		return 0;
	c->done = true;
	if (err == -EMSGSIZE)
		cli_fail(c, 2, "too long for one message");
	else
		c->conn->broken = cli_lost(c, err) ? err : 0;
	return err;
}

static json_t *request(struct cli *c, const char *method, json_t *params)
{
	json_t *result;
	int err = 0;

	if (send_request(c, method, params, NULL))
		return NULL;
	while (!err && !c->done)
		err = cli_wait_once(c, c->conn->deadline_ns, -1, NULL);
	/* An answer that came just before the end of file counts. */
	if (!c->done) {
		c->done = true;
		cli_lost(c, err);
	}
	result = c->result;
	c->result = NULL;
	return result;
}

static int greet(struct cli *c)
{
	struct cli_conn *conn = c->conn;
	json_t *hello = ctl_hello(CLI_TOOL "/" CONF_VERSION, "client");

	conn->fd = open_socket(c);
	if (conn->fd < 0) {
		json_decref(hello);
		return -ENOTCONN;
	}
	conn->ctl = hello ? ctl_new(&(struct ctl_config){
		.write = conn_write, .arg = conn, .methods = methods,
		.n_methods = ARRAY_LEN(methods), .lines = true,
		.max_in = CTL_MAX_OUT, .max_out = CTL_MAX_IN}) : NULL;
	if (!conn->ctl) {
		json_decref(hello);
		cli_fail(c, 3, "out of memory");
		return -ENOMEM;
	}
	json_t *answer = request(c, "hello", hello);
	json_decref(answer);
	return answer ? 0 : -EACCES;
}

int cli_connect(struct cli *c)
{
	c->conn->deadline_ns = io_now_ns() + c->wait_ns;
	return c->conn->ctl ? 0 : greet(c);
}

json_t *cli_ask(struct cli *c, const char *method, json_t *params)
{
	if (cli_connect(c)) {
		json_decref(params);
		return NULL;
	}
	return request(c, method, params);
}

int cli_then(struct cli *c, const char *method, json_t *params,
	int (*finish)(struct cli *c, json_t *result))
{
	if (!c->batch)
		return finish(c, cli_ask(c, method, params));
	if (cli_connect(c)) {
		json_decref(params);
		return c->status;
	}
	return send_request(c, method, params, finish) ? c->status :
		CLI_PENDING;
}

json_t *cli_ask_all(struct cli *c, const char *method, json_t *params,
	const char *member, const char *id)
{
	json_t *all = NULL, *page, *rows;
	bool more = params != NULL;

	while (more) {
		page = cli_ask(c, method, json_incref(params));
		if (!page) {
			json_decref(all);
			all = NULL;
			break;
		}
		rows = json_object_get(page, member);
		const json_t *after = json_object_get(json_array_get(rows,
			json_array_size(rows) - 1), id);
		/* A server that does not move on must not hold us. */
		more = json_is_true(json_object_get(page, "more")) && after &&
			!json_equal(after, json_object_get(params, "after"));
		if (more)
			json_object_set(params, "after",
				(json_t *)(uintptr_t)after);
		if (!all)
			all = json_incref(page);
		else if (json_array_extend(json_object_get(all, member),
			rows))
			more = false;
		if (!more && json_object_get(all, "more"))
			json_object_set_new(all, "more", json_false());
		json_decref(page);
	}
	json_decref(params);
	return all;
}

int cli_follow(struct cli *c, uint64_t deadline_ns)
{
	struct cli_conn *conn = c->conn;
	int err = 0;

	while (!err && conn->status < 0) {
		if (conn->out_gone)
			return 0;
		if (io_now_ns() >= deadline_ns)
			return cli_fail(c, 124, "it did not happen in time");
		err = cli_wait_once(c, deadline_ns, -1, NULL);
	}
	return conn->status >= 0 ? conn->status : cli_lost(c, err);
}

void cli_close(struct cli *c)
{
	struct cli_conn *conn = c->conn;

	conn->on_event = NULL;
	ctl_free(conn->ctl);
	conn->ctl = NULL;
	buf_free(&conn->unsent);
	if (conn->fd >= 0)
		close(conn->fd);
	conn->fd = -1;
}
