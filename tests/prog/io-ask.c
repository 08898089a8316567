/* io-ask - lines to a Unix socket and back, for tests:
 * io-ask [-n LINES] [-w SECONDS] PATH <lines
 * Sends its input, prints what comes, and ends after LINES lines (as many as
 * it sent), at the end of the connection, or after SECONDS (5; status 124). */
#include <poll.h>
#include <stdio.h>
#include <unistd.h>
#include "base.h"
#include "io.h"

/* Sends and reads what can be, until lines have come; the status. */
static int talk(int fd, struct buf *in, long lines, uint64_t until)
{
	char block[65536];

	while (lines > 0) {
		struct pollfd p = {.fd = fd, .events = (short)(POLLIN |
			(in->len ? POLLOUT : 0))};
		uint64_t now = io_now_ns();
		ssize_t n;

		if (now >= until || poll(&p, 1, (int)((until - now) /
			NS_PER_MS) + 1) == 0)
			return 124;
		if (p.revents & POLLOUT) {
			n = write(fd, in->data, in->len);
			if (n > 0)
				buf_consume(in, (size_t)n);
			else if (errno != EAGAIN)
				/* What came is still to be read. */
				buf_clear(in);
		}
		if (!(p.revents & ~POLLOUT))
			continue;
		n = read(fd, block, sizeof(block));
		if (n == 0 || (n < 0 && errno != EAGAIN))
			break;
		for (ssize_t i = 0; i < n; i++)
			lines -= block[i] == '\n';
		if (n > 0)
			fwrite(block, 1, (size_t)n, stdout);
		fflush(stdout);
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct buf in = {0};
	long lines = -1, seconds = 5;
	int c, fd;

	while ((c = getopt(argc, argv, "n:w:")) != -1) {
		if (c == 'n')
			lines = strtol(optarg, NULL, 10);
		else if (c == 'w')
			seconds = strtol(optarg, NULL, 10);
		else
			return 2;
	}
	io_ignore_sigpipe();
	fd = optind < argc ? io_unix_connect(argv[optind]) : -EINVAL;
	if (fd < 0 || io_fd_read_all(0, 64 << 20, &in)) {
		fprintf(stderr, "io-ask: cannot connect\n");
		return 3;
	}
	if (lines < 0) {
		lines = 0;
		for (size_t i = 0; i < in.len; i++)
			lines += in.data[i] == '\n';
	}
	c = talk(fd, &in, lines, io_now_ns() + (uint64_t)seconds * NS_PER_S);
	buf_free(&in);
	return c;
}
