/* HTTP and WebSocket bytes into the server, over a Unix socket: what evhttp
 * and wslay hand to us, and we to them. An odd first byte puts a whole
 * upgrade before the rest, which are frames then. */
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base.h"
#include "io.h"
#include "web_priv.h"
#include "fuzz.h"

static const char upgrade[] = "GET /ws HTTP/1.1\r\nHost: h\r\n"
	"Connection: Upgrade\r\nUpgrade: websocket\r\n"
	"Sec-WebSocket-Version: 13\r\n"
	"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n";

static struct io_loop *loop;
static struct io_timer *limit;
static struct web *web;
static char dir[] = "/tmp/fuzz-web-XXXXXX", sock[64], file[64];
static int opened, closed;

static void *on_open(void *arg, struct web_ws *ws)
{
	(void)arg;
	opened++;
	return ws;
}

static void on_text(void *arg, const char *p, size_t n)
{
	/* NUL is a character there, if not one of ours. */
	CHECK(str_utf8_ok(p, n) || memchr(p, 0, n));
	CHECK(n <= WEB_WS_MAX_IN);
	if (n && p[0] == 'c')
		web_ws_close(arg, 4000 + n % 100, "as asked");
	else
		web_ws_send(arg, p, n);
}

static void on_close(void *arg)
{
	(void)arg;
	closed++;
}

static void stop(void *arg)
{
	io_loop_stop(arg, 0);
}

static void readable(void *arg, int fd, unsigned events)
{
	char block[65536];
	ssize_t n = read(fd, block, sizeof(block));

	(void)events;
	if (n == 0 || (n < 0 && errno != EAGAIN))
		io_loop_stop(arg, 0);
}

static void end(void)
{
	web_free(web);
	io_timer_free(limit);
	io_loop_free(loop);
	unlink(sock);
	unlink(file);
	rmdir(dir);
	CHECK(closed <= opened);
}

static void setup(void)
{
	static const struct web_events events = {.on_open = on_open,
		.on_text = on_text, .on_close = on_close};
	struct web_config config = {.www = dir};
	char why[160];

	io_ignore_sigpipe();
	loop = io_loop_new();
	limit = io_timer_new(loop, stop, loop);
	CHECK(mkdtemp(dir));
	snprintf(file, sizeof(file), "%s/index.html", dir);
	io_file_write(file, 0600, "x", 1);
	snprintf(sock, sizeof(sock), "%s/s", dir);
	web = web_new(loop, &config, &events, NULL, why);
	CHECK(web && !web_listen(web, io_unix_listen(sock, 0600, (gid_t)-1)));
	atexit(end);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct io_watch *watch;
	int fd;

	if (!loop)
		setup();
	if (n < 1 || n > 65536)
		return -1;
	fd = io_unix_connect(sock);
	CHECK(fd >= 0);
	if (p[0] & 1)
		send(fd, upgrade, sizeof(upgrade) - 1, MSG_NOSIGNAL);
	send(fd, p + 1, n - 1, MSG_NOSIGNAL);
	shutdown(fd, SHUT_WR);
	io_nonblock(fd);
	watch = io_watch_new(loop, fd, IO_READ, readable, loop);
	io_timer_in(limit, 3000);
	io_loop_run(loop);
	io_watch_free(watch);
	close(fd);
	return 0;
}
