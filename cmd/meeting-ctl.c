/* meeting-ctl - every verb of a meeting, from the shell. */
#include <unistd.h>

#include "base.h"
#include "cli.h"
#include "io.h"

int main(int argc, char **argv)
{
	struct buf err = {0};
	int status;

	io_std_fds();
	io_ignore_sigpipe();
	status = cli_main(argc, argv, 0, 1, &err);
	if (err.len && write(2, err.data, err.len) < 0 && !status)
		status = 3;
	buf_free(&err);
	return status;
}
