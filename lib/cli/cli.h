/* cli - meeting-ctl: the verbs of a meeting over signal.sock.
 *
 * One call runs one command line: it parses, connects, asks, and writes the
 * answer to out_fd. Words for people go to err_fd, complete lines with the
 * tool's name in front and control characters escaped.
 *
 * Owner: everything is borrowed; descriptors stay open.
 * Exit statuses: 0 done, 1 the answer is no, 2 usage, 3 failed, 75 try
 * later, 124 timed out (conf(7)). A reader of out_fd that went away is 0.
 * Never: uses another descriptor of its own accord, exits, touches signals.
 */
#ifndef CLI_H
#define CLI_H

struct buf;

/* argv as main got it, argv[0] included. Returns the exit status. */
int cli_main(int argc, char *const argv[], int in_fd, int out_fd,
	int err_fd);

/* The bash completion, made of the table of verbs. */
void cli_completion(struct buf *out);

#endif
