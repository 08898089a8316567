/* meeting-ctl - every verb of a meeting, from the shell. */
#include "cli.h"
#include "io.h"

int main(int argc, char **argv)
{
	io_std_fds();
	io_ignore_sigpipe();
	return cli_main(argc, argv, 0, 1, 2);
}
