/* The loop, streams, sockets and children on real descriptors. */
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

#define LIMIT_MS 5000

struct run {
	struct io_loop *loop;
	struct io_timer *limit;
	struct buf seen;
	struct io_stream *stream;
	int closed; /* 1 + -err once it closed */
	int count;
};

static void too_long(void *arg)
{
	io_loop_stop(arg, 99);
}

static int setup(void **state)
{
	struct run *r = calloc(1, sizeof(*r));

	r->loop = io_loop_new();
	r->limit = io_timer_new(r->loop, too_long, r->loop);
	io_timer_in(r->limit, LIMIT_MS);
	io_ignore_sigpipe();
	*state = r;
	return 0;
}

static int teardown(void **state)
{
	struct run *r = *state;

	io_stream_free(r->stream);
	io_timer_free(r->limit);
	io_loop_free(r->loop);
	buf_free(&r->seen);
	free(r);
	return 0;
}

static void count_and_stop(void *arg)
{
	struct run *r = arg;

	buf_putc(&r->seen, 'd');
	io_loop_stop(r->loop, 5);
}

static void deferring_counter(void *arg)
{
	struct run *r = arg;

	buf_putc(&r->seen, 't');
	io_defer(r->loop, count_and_stop, r);
	io_defer(r->loop, count_and_stop, r);
}

static void deferred_runs_once_after_the_pass(void **state)
{
	struct run *r = *state;
	struct io_timer *a = io_timer_new(r->loop, deferring_counter, r);
	struct io_timer *b = io_timer_new(r->loop, deferring_counter, r);

	io_timer_in(a, 0);
	io_timer_in(b, 0);
	assert_int_equal(io_loop_run(r->loop), 5);
	assert_int_equal(r->seen.data[r->seen.len - 1], 'd');
	assert_true(r->seen.len == 3 || r->seen.len == 2);
	io_timer_free(a);
	io_timer_free(b);
}

static void a_loop_stopped_before_it_runs_ends(void **state)
{
	struct run *r = *state;

	io_loop_stop(r->loop, 7);
	assert_int_equal(io_loop_run(r->loop), 7);
	io_defer(r->loop, count_and_stop, r);
	assert_int_equal(io_loop_run(r->loop), 5);
}

static size_t take_lines(void *arg, const uint8_t *p, size_t n)
{
	struct run *r = arg;
	const uint8_t *nl = memchr(p, '\n', n);

	if (!nl)
		return 0;
	buf_put(&r->seen, p, (size_t)(nl - p));
	buf_putc(&r->seen, '|');
	return (size_t)(nl - p) + 1;
}

static void note_close(void *arg, int err)
{
	struct run *r = arg;

	r->closed = 1 - err;
	io_loop_stop(r->loop, 0);
}

static const struct io_stream_events lines = {.on_data = take_lines,
	.on_close = note_close};

static void stream_keeps_what_is_not_consumed(void **state)
{
	struct run *r = *state;
	int fd[2];

	assert_int_equal(io_unix_connect("/nonexistent/x"), -ENOENT);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
	r->stream = io_stream_new(r->loop, fd[0], fd[0], 64, 64, &lines, r);
	assert_int_equal(write(fd[1], "one\ntwo\nthr", 11), 11);
	close(fd[1]);
	assert_int_equal(io_loop_run(r->loop), 0);
	assert_int_equal(r->closed, 1);
	assert_string_equal(buf_cstr(&r->seen), "one|two|");
}

static size_t take_all(void *arg, const uint8_t *p, size_t n)
{
	struct run *r = arg;

	buf_put(&r->seen, p, n > 1 ? 1 : n);
	return n;
}

static void other_is_readable(void *arg, int fd, unsigned events)
{
	struct run *r = arg;
	char c;

	(void)events;
	assert_int_equal(read(fd, &c, 1), 1);
	buf_putc(&r->seen, 'o');
	if (++r->count == 3)
		io_loop_stop(r->loop, 0);
}

/* More than is read at once, and made after the other. */
static void a_stream_may_be_first(void **state)
{
	static const struct io_stream_events all = {.on_data = take_all,
		.on_close = note_close};
	struct run *r = *state;
	struct io_watch *w;
	static char much[40000];
	int fd[2], other[2];

	memset(much, 'm', sizeof(much));
	assert_int_equal(pipe(other), 0);
	w = io_watch_new(r->loop, other[0], IO_READ, other_is_readable, r);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
	r->stream = io_stream_new(r->loop, fd[0], fd[0], 64, 64, &all, r);
	io_stream_first(r->stream);
	assert_int_equal(write(other[1], "abc", 3), 3);
	assert_int_equal(write(fd[1], much, sizeof(much)), sizeof(much));
	assert_int_equal(io_loop_run(r->loop), 0);
	assert_string_equal(buf_cstr(&r->seen), "mmmooo");
	io_watch_free(w);
	close(other[0]);
	close(other[1]);
	close(fd[1]);
}

static void stream_refuses_an_endless_line(void **state)
{
	struct run *r = *state;
	char junk[100];
	int fd[2];

	memset(junk, 'x', sizeof(junk));
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
	r->stream = io_stream_new(r->loop, fd[0], fd[0], 64, 64, &lines, r);
	assert_int_equal(write(fd[1], junk, sizeof(junk)), sizeof(junk));
	assert_int_equal(io_loop_run(r->loop), 0);
	assert_int_equal(r->closed, 1 + EMSGSIZE);
	close(fd[1]);
}

static void stream_bounds_its_queue(void **state)
{
	struct run *r = *state;
	static char block[65536];
	int fd[2], err = 0, sent = 0;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
	r->stream = io_stream_new(r->loop, fd[0], fd[0], 64, 1 << 20, &lines,
		r);
	while (err == 0 && sent < 1000) {
		err = io_stream_send(r->stream, block, sizeof(block));
		sent += err == 0;
	}
	assert_int_equal(err, -ENOBUFS);
	assert_true(io_stream_queued(r->stream) <= 1 << 20);
	close(fd[1]);
	assert_int_equal(io_loop_run(r->loop), 0);
	assert_true(r->closed != 0);
}

static void broken_pipe_closes_and_never_kills(void **state)
{
	struct run *r = *state;
	int in[2], out[2];

	assert_int_equal(pipe(in), 0);
	assert_int_equal(pipe(out), 0);
	r->stream = io_stream_new(r->loop, in[0], out[1], 64, 64, &lines, r);
	close(out[0]);
	assert_int_equal(io_stream_send(r->stream, "x", 1), -EPIPE);
	assert_int_equal(io_loop_run(r->loop), 0);
	assert_int_equal(r->closed, 1 + EPIPE);
	close(in[1]);
}

static void unix_socket_replaces_only_a_stale_one(void **state)
{
	char path[IO_PATH_CAP];
	struct stat st;
	int fd, again;

	(void)state;
	snprintf(path, sizeof(path), "/tmp/io-test-%ld.sock", (long)getpid());
	fd = io_unix_listen(path, 0600, (gid_t)-1);
	assert_true(fd >= 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(io_unix_listen(path, 0600, (gid_t)-1), -EADDRINUSE);
	close(fd);
	again = io_unix_listen(path, 0600, (gid_t)-1);
	assert_true(again >= 0);
	close(again);
	unlink(path);
	fd = open(path, O_CREAT | O_WRONLY, 0600);
	close(fd);
	assert_int_equal(io_unix_listen(path, 0600, (gid_t)-1), -EEXIST);
	unlink(path);
}

static void addresses_parse_and_print(void **state)
{
	static const struct {
		const char *in, *out;
	} good[] = {{"127.0.0.1:8443", "127.0.0.1:8443"},
		{"*:8500", "0.0.0.0:8500"}, {":1", "0.0.0.0:1"},
		{"[::1]:65535", "[::1]:65535"}, {"[::]:0", "[::]:0"}};
	static const char *const bad[] = {"", "8443", "127.0.0.1",
		"localhost:1", "[::1:8443", "1.2.3.4:65536", "1.2.3.4:x",
		"::1:80"};
	union io_addr a;
	char text[IO_ADDR_CAP];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		assert_int_equal(io_addr_parse(&a, good[i].in), 0);
		io_addr_format(text, &a);
		assert_string_equal(text, good[i].out);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(io_addr_parse(&a, bad[i]), -EINVAL);
}

static void datagrams_tell_the_address_spoken_to(void **state)
{
	struct io_udp_batch *b = io_udp_batch_new();
	struct io_datagram d[IO_UDP_BATCH];
	union io_addr any, at, to, two;
	static uint8_t payload[2500];
	int server, client, n = 0;

	(void)state;
	io_addr_parse(&any, "*:0");
	server = io_udp_bind(&any);
	client = io_udp_bind(&any);
	io_local_addr(server, &at);
	io_addr_parse(&to, "127.0.0.2:0");
	io_addr_set_port(&to, io_addr_port(&at));
	assert_int_equal(io_udp_send(client, &to, NULL, payload, 2500, 1000),
		0);
	for (int i = 0; i < 1000 && n == 0; i++)
		n = io_udp_recv(server, b, d);
	assert_int_equal(n, 3); /* GSO: 1000, 1000, 500 */
	assert_int_equal(d[2].len, 500);
	two = d[0].to;
	io_addr_set_port(&two, io_addr_port(&at));
	assert_true(io_addr_eq(&two, &to));
	/* The answer leaves from 127.0.0.2 as well. */
	assert_int_equal(
		io_udp_send(server, &d[0].from, &d[0].to, "hi", 2, 0), 0);
	for (n = 0; n == 0;)
		n = io_udp_recv(client, b, d);
	assert_true(io_addr_eq(&d[0].from, &to));
	close(server);
	close(client);
	io_udp_batch_free(b);
}

static void reaped(void *arg, pid_t pid, int status)
{
	struct run *r = arg;

	(void)pid;
	r->count++;
	io_loop_stop(r->loop, WEXITSTATUS(status));
}

static void children_get_just_their_descriptors(void **state)
{
	static const char *const argv[] = {"sh", "-c",
		"echo hi >&7; ls /proc/self/fd | wc -l >&7; exit 3", NULL};
	static const char *const none[] = {"/nonexistent/tool", NULL};
	struct run *r = *state;
	struct io_reaper *reaper = io_reaper_new(r->loop, reaped, r);
	int p[2];
	char out[32] = "";
	pid_t pid;

	assert_int_equal(pipe(p), 0);
	pid = io_spawn(argv, NULL, &(struct io_spawn_fd){p[1], 7}, 1);
	assert_true(pid > 0);
	close(p[1]);
	assert_int_equal(io_loop_run(r->loop), 3);
	assert_int_equal(r->count, 1);
	assert_true(read(p[0], out, sizeof(out) - 1) > 0);
	/* 0, 1, 2, 7 and the directory that ls reads. */
	assert_string_equal(out, "hi\n5\n");
	close(p[0]);
	assert_int_equal(io_spawn(none, NULL, NULL, 0), -ENOENT);
	io_reaper_free(reaper);
}

static void files_are_whole_or_not_there(void **state)
{
	char path[64];
	struct buf b = {0};

	(void)state;
	snprintf(path, sizeof(path), "/tmp/io-file-%ld", (long)getpid());
	assert_int_equal(io_file_write(path, 0644, "abc", 3), 0);
	assert_int_equal(io_file_read(path, 10, true, &b), -EACCES);
	assert_int_equal(io_file_read(path, 2, false, &b), -EFBIG);
	buf_clear(&b);
	assert_int_equal(io_file_write(path, 0600, "abcd", 4), 0);
	assert_int_equal(io_file_read(path, 10, true, &b), 0);
	assert_string_equal(buf_cstr(&b), "abcd");
	unlink(path);
	assert_int_equal(io_file_read(path, 10, false, &b), -ENOENT);
	assert_int_equal(io_file_write("/nonexistent/x", 0600, "a", 1),
		-ENOENT);
	buf_free(&b);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(deferred_runs_once_after_the_pass),
		T(a_loop_stopped_before_it_runs_ends),
		T(stream_keeps_what_is_not_consumed),
		T(a_stream_may_be_first),
		T(stream_refuses_an_endless_line),
		T(stream_bounds_its_queue),
		T(broken_pipe_closes_and_never_kills),
		T(unix_socket_replaces_only_a_stale_one),
		T(addresses_parse_and_print),
		T(datagrams_tell_the_address_spoken_to),
		T(children_get_just_their_descriptors),
		T(files_are_whole_or_not_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
