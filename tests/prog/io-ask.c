/* io-ask - lines to a Unix socket and back, for tests:
 * io-ask [-n LINES] [-w SECONDS] PATH <lines
 * Sends its input, prints what comes, and ends after LINES lines (as many as
 * it sent), at the end of the connection, or after SECONDS (5; status 124).*/
#include <poll.h>
#include <stdio.h>
#include <unistd.h>
#include "base.h"
#include "io.h"

static int send_all(int fd, const struct buf *in)
{
	size_t at = 0;

	while (at < in->len) {
		ssize_t n = write(fd, in->data + at, in->len - at);

		if (n < 0)
			return -errno;
		at += (size_t)n;
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct buf in = {0};
	char block[65536];
	uint64_t until;
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
	send_all(fd, &in); /* what came before it failed is still to be read */
	until = io_now_ns() + (uint64_t)seconds * NS_PER_S;
	while (lines > 0) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		uint64_t now = io_now_ns();
		ssize_t n;

		if (now >= until || poll(&p, 1, (int)((until - now) /
			NS_PER_MS) + 1) == 0)
			return 124;
		n = read(fd, block, sizeof(block));
		if (n <= 0)
			break;
		for (ssize_t i = 0; i < n; i++)
			lines -= block[i] == '\n';
		fwrite(block, 1, (size_t)n, stdout);
		fflush(stdout);
	}
	buf_free(&in);
	return 0;
}
