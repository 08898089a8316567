/* usage - what a tool's usage text gives besides reading it: its options,
 * as bash completion. */
#ifndef USAGE_H
#define USAGE_H

struct buf;

/* Appends the options that stand in usage ("-d", "--config"), each once and
 * parted by blanks. */
void usage_options(struct buf *out, const char *usage);
/* Appends a bash completion of them for the tool; what is no option
 * completes as a file name. */
void usage_completion(struct buf *out, const char *tool, const char *usage);
/* Appends what is wrong with the option that getopt_long(3) has answered '?'
 * to: word is what stands before argv[optind], c is optopt. A tool sets
 * opterr to 0 and says this by way of its log, which escapes it; getopt
 * prints a foreign word as it is, with what a terminal obeys. */
void usage_refused(struct buf *out, const char *word, int c);

#endif
